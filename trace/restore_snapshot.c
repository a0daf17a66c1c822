// SPDX-License-Identifier: Apache-2.0

#include "trace/restore_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include <pageyard/restore.h>

#include "trace/internal.h"

unsigned snapshot_cpu_node(const struct snapshot *snapshot, unsigned cpu)
{
	return snapshot->nr_nodes ? cpu * snapshot->nr_nodes / snapshot->nr_cpus : 0;
}

static const struct snapshot_zone *zone_holding(const struct snapshot *snapshot, uint64_t pfn)
{
	for (uint32_t i = 0; i < snapshot->nr_zones; i++) {
		const struct snapshot_zone *zone = &snapshot->zone[i];

		if (pfn >= zone->start_pfn && pfn < zone->start_pfn + zone->spanned)
			return zone;
	}
	return NULL;
}

// RAM as the runs of frames show it, cut where the node changes. Returns the number of ranges, 0 with the reason.
static uint32_t memory_ranges(const struct snapshot *snapshot, struct yard_range *range, struct trace_error *error)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < snapshot->nr_frames; i++) {
		const struct snapshot_frames *run = &snapshot->frames[i];
		uint32_t pfn = run->pfn, end = run->pfn + run->nr;

		while (pfn < end) {
			const struct snapshot_zone *zone = zone_holding(snapshot, pfn);
			uint32_t stop = end;

			if (!zone) {
				trace_fail(error, "frame %u lies in no zone: the zones' spans and the frames disagree", pfn);
				return 0;
			}
			if (stop > zone->start_pfn + zone->spanned)
				stop = (uint32_t)(zone->start_pfn + zone->spanned);
			if (nr && range[nr - 1].end == pfn && range[nr - 1].node == zone->node)
				range[nr - 1].end = stop;
			else
				range[nr++] = (struct yard_range){ pfn, stop, zone->node };
			pfn = stop;
		}
	}
	return nr;
}

static int check_zones(const struct snapshot *snapshot, struct yard *yard, struct trace_error *error)
{
	for (uint32_t i = 0; i < snapshot->nr_zones; i++) {
		const struct snapshot_zone *zone = &snapshot->zone[i];
		struct yard_zone_state state;

		if (yard_get_zone(yard, snapshot_zone_id(zone), &state))
			return trace_fail(error, "zone %u %s: no such zone", zone->node, zone->name);
		if (state.start_pfn != zone->start_pfn || state.spanned != zone->spanned)
			return trace_fail(error, "zone %u %s: spans %llu pages from %llu, its frames %u from %u", zone->node, zone->name,
				    (unsigned long long)zone->spanned, (unsigned long long)zone->start_pfn, state.spanned,
				    state.start_pfn);
	}
	return 0;
}

static int restore_zone(const struct snapshot_zone *zone, struct yard *yard, struct trace_error *error)
{
	struct yard_zone_state state = {
		.managed = zone->managed, .cma_pages = zone->cma_pages, .boost = zone->boost, .flags = (uint32_t)zone->flags,
		.nr_reserved_highatomic = zone->nr_reserved_highatomic, .nr_free_highatomic = zone->nr_free_highatomic,
		.nr_isolate_pageblock = zone->nr_isolate_pageblock, .drift_mark = zone->percpu_drift_mark,
		.contiguous = zone->contiguous,
	};

	if (zone->managed > zone->present || zone->present > zone->spanned)
		return trace_fail(error, "zone %u %s: manages %llu of %llu present and %llu spanned pages", zone->node, zone->name,
			    (unsigned long long)zone->managed, (unsigned long long)zone->present,
			    (unsigned long long)zone->spanned);
	memcpy(state.wmark, zone->wmark, sizeof(state.wmark));
	memcpy(state.lowmem_reserve, zone->lowmem_reserve, sizeof(state.lowmem_reserve));
	memcpy(state.stat, zone->stat, sizeof(state.stat));
	memcpy(state.numa, zone->numa, sizeof(state.numa));
	for (uint32_t cpu = 0; cpu < zone->nr_pcps; cpu++)
		for (unsigned item = 0; item < YARD_NUMA_STATS; item++)
			state.numa[item] += (uint64_t)zone->pcp[cpu].numa[item];
	if (yard_restore_zone(yard, snapshot_zone_id(zone), &state))
		return trace_fail(error, "zone %u %s cannot be restored", zone->node, zone->name);
	return 0;
}

static int restore_compact(const struct snapshot_zone *zone, struct yard *yard, struct trace_error *error)
{
	const struct snapshot_compact *told = &zone->compact;
	struct yard_compact_state state = {
		.cached_migrate = { (uint32_t)told->cached_migrate[0], (uint32_t)told->cached_migrate[1] },
		.cached_free = (uint32_t)told->cached_free, .init_migrate = (uint32_t)told->init_migrate,
		.init_free = (uint32_t)told->init_free, .considered = (uint32_t)told->considered,
		.defer_shift = (uint32_t)told->defer_shift, .order_failed = (uint32_t)told->order_failed,
		.blockskip_flush = told->flush,
	};
	uint64_t most = told->cached_migrate[0] | told->cached_migrate[1] | told->cached_free | told->init_migrate
			| told->init_free | told->considered | told->defer_shift | told->order_failed;

	if (zone->has_compact && (most > UINT32_MAX || yard_restore_compact(yard, snapshot_zone_id(zone), &state)))
		return trace_fail(error, "zone %u %s: compaction cannot be in this state", zone->node, zone->name);
	return 0;
}

static int restore_workers(const struct snapshot_node *node, struct yard *yard, struct trace_error *error)
{
	struct yard_worker_state state = {
		.kswapd_order = (uint32_t)node->kswapd_order, .kswapd_highest = (uint32_t)node->kswapd_highest_zone,
		.kcompactd_order = (uint32_t)node->kcompactd_order, .kcompactd_highest = (uint32_t)node->kcompactd_highest_zone,
		.kcompactd_asleep = true,
	};
	uint64_t most = node->kswapd_order | node->kswapd_highest_zone | node->kcompactd_order | node->kcompactd_highest_zone;

	if (node->has_workers && (most > UINT32_MAX || yard_restore_workers(yard, node->id, &state)))
		return trace_fail(error, "node %u: kswapd and kcompactd cannot be asked for this", node->id);
	return 0;
}

static const char *why(int code)
{
	return code == YARD_EDOUBLEFREE ? "is on two lists" : code == YARD_ERANGE ? "is outside its zone" : yard_error_text(code);
}

static int restore_free_lists(const struct snapshot_zone *zone, struct yard *yard, struct trace_error *error)
{
	for (unsigned order = 0; order < SNAPSHOT_ORDERS; order++) {
		uint64_t sum = 0;

		for (unsigned type = 0; type < SNAPSHOT_MIGRATETYPES; type++) {
			const struct snapshot_list *list = &zone->free[order][type];

			for (uint32_t i = 0; i < list->nr; i++) {
				int code = yard_restore_free(yard, list->pfn[i], order, type);

				if (!code && yard_zone_of(yard, list->pfn[i]) != (int)snapshot_zone_id(zone))
					code = YARD_ERANGE;
				if (code)
					return trace_fail(error, "zone %u %s: frame %u of free list %u %u %s", zone->node, zone->name,
						    list->pfn[i], order, type, why(code));
			}
			sum += list->nr;
		}
		if (sum != zone->nr_free[order])
			return trace_fail(error, "zone %u %s: nr_free %u is %llu, its lists hold %llu", zone->node, zone->name, order,
				    (unsigned long long)zone->nr_free[order], (unsigned long long)sum);
	}
	return 0;
}

static int restore_pcp(const struct snapshot_zone *zone, unsigned cpu, struct yard *yard, struct trace_error *error)
{
	const struct snapshot_pcp *pcp = &zone->pcp[cpu];
	struct yard_pcp_state state = {
		.high = (int32_t)pcp->high, .high_min = (int32_t)pcp->high_min, .high_max = (int32_t)pcp->high_max,
		.batch = (int32_t)pcp->batch, .free_count = (int32_t)pcp->free_count,
		.alloc_factor = (int32_t)pcp->alloc_factor, .flags = (int32_t)pcp->flags, .expire = (int32_t)pcp->expire,
		.stat_threshold = (int32_t)pcp->stat_threshold,
	};

	for (unsigned item = 0; item < YARD_ZONE_STATS; item++)
		state.diff[item] = (int32_t)pcp->diff[item];
	if (pcp->high < 0 || pcp->high_min < 0 || pcp->high_max < 0 || pcp->free_count < 0)
		return trace_fail(error, "zone %u %s: per-CPU set %u has a negative mark", zone->node, zone->name, cpu);
	if (yard_restore_pcp(yard, snapshot_zone_id(zone), cpu, &state))
		return trace_fail(error, "zone %u %s: per-CPU set %u cannot be", zone->node, zone->name, cpu);
	for (unsigned index = 0; index < SNAPSHOT_PCP_LISTS; index++)
		for (uint32_t i = 0; i < pcp->list[index].nr; i++) {
			int code = yard_restore_pcp_block(yard, cpu, pcp->list[index].pfn[i], index);

			if (code)
				return trace_fail(error, "zone %u %s: frame %u of per-CPU list %u of cpu %u %s", zone->node, zone->name,
					    pcp->list[index].pfn[i], index, cpu, why(code));
		}
	yard_get_pcp(yard, snapshot_zone_id(zone), cpu, &state);
	if (state.count != pcp->count)
		return trace_fail(error, "zone %u %s: per-CPU count of cpu %u is %lld, its lists hold %d", zone->node, zone->name, cpu,
			    (long long)pcp->count, state.count);
	return 0;
}

static int restore_frames(const struct snapshot *snapshot, struct yard *yard, struct trace_error *error)
{
	for (uint32_t i = 0; i < snapshot->nr_frames; i++) {
		const struct snapshot_frames *run = &snapshot->frames[i];
		bool lru = run->class == SNAPSHOT_LRU_ANON || run->class == SNAPSHOT_LRU_FILE || run->class == SNAPSHOT_LRU_UNEVICTABLE;
		int code;

		if (run->class == SNAPSHOT_FREE || run->class == SNAPSHOT_PCP || run->class == SNAPSHOT_RESERVED)
			continue;
		code = yard_restore_allocated(yard, run->pfn, run->nr, lru);
		if (code)
			return trace_fail(error, "frames %u to %u are in use and %s", run->pfn, run->pfn + run->nr - 1,
				    code == YARD_EDOUBLEFREE ? "on a list" : why(code));
	}
	return 0;
}

static int restore_all(const struct snapshot *snapshot, struct yard *yard, struct trace_error *error)
{
	char text[256];

	for (uint32_t i = 0; i < snapshot->nr_pageblocks; i++)
		if (yard_restore_pageblock(yard, snapshot->pageblock[i].pfn, snapshot->pageblock[i].bits))
			return trace_fail(error, "pageblock %u: bits %#x cannot be", snapshot->pageblock[i].pfn, snapshot->pageblock[i].bits);
	for (uint32_t i = 0; i < snapshot->nr_zones; i++) {
		const struct snapshot_zone *zone = &snapshot->zone[i];

		if (restore_zone(zone, yard, error) || restore_compact(zone, yard, error)
		    || restore_free_lists(zone, yard, error))
			return -1;
		for (uint32_t cpu = 0; cpu < zone->nr_pcps; cpu++)
			if (restore_pcp(zone, cpu, yard, error))
				return -1;
	}
	for (uint32_t i = 0; i < snapshot->nr_nodes; i++)
		if (restore_workers(&snapshot->node[i], yard, error))
			return -1;
	if (restore_frames(snapshot, yard, error))
		return -1;
	yard_restore_mobility(yard, snapshot->mobility_disabled > 0);
	yard_restore_finish(yard);
	if (yard_verify(yard, text, sizeof(text)))
		return trace_fail(error, "the snapshot contradicts itself: %s", text);
	return 0;
}

static void describe(const struct snapshot *snapshot, const struct yard_policy *policy, struct yard_config *config)
{
	*config = (struct yard_config){
		.nr_nodes = snapshot->nr_nodes, .nr_cpus = snapshot->nr_cpus, .restore = true,
		.user_min_free_kbytes = snapshot->user_min_free_kbytes,
		.watermark_scale_factor = snapshot->watermark_scale_factor > 0 ? (uint32_t)snapshot->watermark_scale_factor : 0,
		.watermark_boost_factor = (int32_t)snapshot->watermark_boost_factor,
		.percpu_pagelist_high_fraction =
			snapshot->percpu_pagelist_high_fraction > 0 ? (uint32_t)snapshot->percpu_pagelist_high_fraction : 0,
		.zone_reclaim_mode = snapshot->node_reclaim_mode > 0 ? (uint32_t)snapshot->node_reclaim_mode : 0,
		.extfrag_threshold = (int32_t)snapshot->extfrag_threshold,
		.compaction_proactiveness = (int32_t)snapshot->compaction_proactiveness,
		.policy = *policy,
	};
	for (unsigned i = 0; i < YARD_ZONE_TYPES; i++)
		config->lowmem_reserve_ratio[i] = (int32_t)snapshot->lowmem_reserve_ratio[i];
}

int snapshot_to_yard(const struct snapshot *snapshot, const struct yard_policy *policy, void **memory, size_t *size,
		     struct yard **yard, struct trace_error *error)
{
	struct yard_range *range = calloc((size_t)snapshot->nr_frames + snapshot->nr_zones + 1, sizeof(*range));
	uint16_t *cpu_node = calloc(snapshot->nr_cpus, sizeof(*cpu_node));
	struct yard_config config;
	int result = -1;

	*memory = NULL;
	if (!range || !cpu_node) {
		trace_fail(error, "out of memory");
		goto out;
	}
	describe(snapshot, policy, &config);
	for (uint32_t cpu = 0; cpu < snapshot->nr_cpus; cpu++)
		cpu_node[cpu] = (uint16_t)snapshot_cpu_node(snapshot, cpu);
	config.cpu_node = cpu_node;
	config.memory = range;
	config.nr_memory = memory_ranges(snapshot, range, error);
	if (!config.nr_memory) {
		if (!snapshot->nr_frames)
			trace_fail(error, "the snapshot has no frames");
		goto out;
	}
	*size = yard_size(&config, NULL);
	if (!*size) {
		trace_fail(error, "the snapshot describes no machine that can be built");
		goto out;
	}
	*memory = aligned_alloc(64, *size);
	if (!*memory) {
		trace_fail(error, "out of memory: %zu bytes", *size);
		goto out;
	}
	memset(*memory, 0, *size);
	if (yard_init(*memory, *size, &config, yard))
		trace_fail(error, "the snapshot describes no machine that can be built");
	else if (!check_zones(snapshot, *yard, error) && !restore_all(snapshot, *yard, error))
		result = 0;
out:
	free(range);
	free(cpu_node);
	if (result) {
		free(*memory);
		*memory = NULL;
	}
	return result;
}
