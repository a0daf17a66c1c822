// SPDX-License-Identifier: Apache-2.0
//
// Building an instance in the caller's memory: layout, zones, and the release of RAM to the buddy lists as Linux does
// it at boot (spec 01 sections 1.2 and 1.6). After this nothing is ever allocated.

#include "engine/mm.h"

enum { DMA_END = 4096, DMA32_END = 1048576, MAX_BLOCK = 1 << YARD_MAX_PAGE_ORDER, HZ_MAX = 1000000 };

// Where the parts of an instance lie in its memory.
struct layout {
	size_t nodes, zones, pcps, mm, compact, batches, psi, local, cpu_node, distance, memory, offline, reserved, pageblocks;
	size_t frames, size;
	uint32_t start_pfn, end_pfn;
};

static size_t place(size_t *end, size_t bytes)
{
	size_t at = *end;

	*end = (at + bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	return at;
}

// nr_memory: with what is offline, so that all of it can be onlined.
static void compute_layout(struct layout *layout, uint32_t nr_nodes, uint32_t nr_cpus, uint32_t nr_memory,
			   uint32_t nr_reserved, uint32_t start_pfn, uint32_t end_pfn)
{
	size_t end = 0, zones = (size_t)nr_nodes * YARD_ZONE_TYPES, frames = end_pfn - start_pfn;

	layout->start_pfn = start_pfn;
	layout->end_pfn = end_pfn;
	place(&end, sizeof(struct yard));
	layout->nodes = place(&end, nr_nodes * sizeof(struct node));
	layout->zones = place(&end, zones * sizeof(struct zone));
	layout->pcps = place(&end, zones * nr_cpus * sizeof(struct pcp));
	layout->mm = place(&end, nr_nodes * sizeof(struct node_mm));
	layout->compact = place(&end, zones * sizeof(struct zone_compact));
	layout->batches = place(&end, nr_cpus * sizeof(struct lru_batches));
	layout->psi = place(&end, psi_size(nr_cpus));
	layout->local = place(&end, local_reclaim_size(nr_nodes));
	layout->cpu_node = place(&end, nr_cpus * sizeof(uint16_t));
	layout->distance = place(&end, (size_t)nr_nodes * nr_nodes);
	layout->memory = place(&end, nr_memory * sizeof(struct yard_range));
	layout->offline = place(&end, nr_memory * sizeof(struct yard_range));
	layout->reserved = place(&end, nr_reserved * sizeof(struct yard_range));
	layout->pageblocks = place(&end, (frames >> YARD_PAGEBLOCK_ORDER) * sizeof(struct pageblock));
	layout->frames = place(&end, frames * sizeof(struct yard_frame));
	layout->size = end;
}

static void attach(struct yard *yard, const struct layout *layout)
{
	char *base = (char *)yard;

	yard->nodes = (struct node *)(base + layout->nodes);
	yard->zones = (struct zone *)(base + layout->zones);
	yard->pcps = (struct pcp *)(base + layout->pcps);
	yard->mm = (struct node_mm *)(base + layout->mm);
	yard->compact = (struct zone_compact *)(base + layout->compact);
	yard->batches = (struct lru_batches *)(base + layout->batches);
	yard->psi = (struct psi *)(base + layout->psi);
	yard->local = (struct local_reclaim *)(base + layout->local);
	yard->cpu_node = (uint16_t *)(base + layout->cpu_node);
	yard->distance = (uint8_t *)(base + layout->distance);
	yard->memory = (struct yard_range *)(base + layout->memory);
	yard->offline = (struct yard_range *)(base + layout->offline);
	yard->reserved = (struct yard_range *)(base + layout->reserved);
	yard->pageblocks = (struct pageblock *)(base + layout->pageblocks);
	yard->frames = (struct yard_frame *)(base + layout->frames);
	yard->size = layout->size;
	for (unsigned id = 0; id < yard->nr_zones; id++)
		yard->zones[id].pcp = &yard->pcps[(size_t)id * yard->nr_cpus];
}

// ---- checking a configuration ----

static bool ranges_ascend(const struct yard_range *range, uint32_t nr, uint32_t nr_nodes)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (range[i].start >= range[i].end || range[i].node >= nr_nodes)
			return false;
		if (i && range[i].start < range[i - 1].end)
			return false;
	}
	return true;
}

// A CMA area is whole pageblocks of RAM that no boot reservation touches.
static bool cma_range_ok(const struct yard_config *config, const struct yard_range *cma)
{
	bool inside = false;

	if ((cma->start | cma->end) % YARD_PAGEBLOCK_NR_PAGES)
		return false;
	for (uint32_t i = 0; i < config->nr_memory; i++)
		inside |= cma->start >= config->memory[i].start && cma->end <= config->memory[i].end;
	for (uint32_t i = 0; i < config->nr_reserved; i++)
		if (cma->start < config->reserved[i].end && config->reserved[i].start < cma->end)
			return false;
	return inside;
}

static bool cma_ok(const struct yard_config *config)
{
	for (uint32_t i = 0; i < config->nr_cma; i++)
		if (!cma_range_ok(config, &config->cma[i]))
			return false;
	return ranges_ascend(config->cma, config->nr_cma, config->nr_nodes);
}

// M19: whole pageblocks apart from the RAM that is there already.
static bool offline_ok(const struct yard_config *config)
{
	if (!config->nr_offline)
		return true;
	for (uint32_t i = 0; i < config->nr_offline; i++) {
		const struct yard_range *range = &config->offline[i];

		if ((range->start | range->end) % YARD_PAGEBLOCK_NR_PAGES)
			return false;
		for (uint32_t m = 0; m < config->nr_memory; m++)
			if (range->start < config->memory[m].end && config->memory[m].start < range->end)
				return false;
	}
	return ranges_ascend(config->offline, config->nr_offline, config->nr_nodes)
	       && config->offline[config->nr_offline - 1].end <= YARD_PFN_NONE - MAX_BLOCK;
}

static uint64_t memory_pages(const struct yard_config *config)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < config->nr_memory; i++)
		pages += config->memory[i].end - config->memory[i].start;
	return pages;
}

static bool config_ok(const struct yard_config *config)
{
	if (!config->nr_nodes || config->nr_nodes > YARD_NODES_MAX || !config->nr_cpus || config->nr_cpus > YARD_CPUS_MAX)
		return false;
	if (!config->nr_memory || !ranges_ascend(config->memory, config->nr_memory, config->nr_nodes))
		return false;
	if (!ranges_ascend(config->reserved, config->nr_reserved, config->nr_nodes) || !cma_ok(config))
		return false;
	if (config->memory[config->nr_memory - 1].end > YARD_PFN_NONE - MAX_BLOCK || !offline_ok(config))
		return false;
	for (uint32_t cpu = 0; config->cpu_node && cpu < config->nr_cpus; cpu++)
		if (config->cpu_node[cpu] >= config->nr_nodes)
			return false;
	if (config->percpu_pagelist_high_fraction && config->percpu_pagelist_high_fraction < 8)
		return false;
	if (config->user_min_free_kbytes > 0 && (uint64_t)config->user_min_free_kbytes / 4 > memory_pages(config))
		return false;
	if (config->hz > HZ_MAX || config->dirty_ratio > 100 || config->min_unmapped_ratio > 100
	    || config->min_slab_ratio > 100)
		return false;
	return config->watermark_scale_factor <= 3000 && config->swappiness <= 200 && config->extfrag_threshold <= 1000
	       && config->compaction_proactiveness <= 100 && config->panic_on_oom <= 2;
}

static void config_layout(const struct yard_config *config, struct layout *layout)
{
	uint32_t start = config->memory[0].start, end = config->memory[config->nr_memory - 1].end;

	if (config->nr_offline) {
		start = (uint32_t)min64(start, config->offline[0].start);
		end = (uint32_t)max64(end, config->offline[config->nr_offline - 1].end);
	}
	start &= ~(MAX_BLOCK - 1u);
	end = (end + MAX_BLOCK - 1) & ~(MAX_BLOCK - 1u);
	compute_layout(layout, config->nr_nodes, config->nr_cpus, config->nr_memory + config->nr_offline,
		       config->nr_reserved + config->nr_cma, start, end);
}

size_t yard_size(const struct yard_config *config, int *error)
{
	struct layout layout;
	bool ok = config_ok(config);

	if (error)
		*error = ok ? YARD_OK : YARD_EINVAL;
	if (!ok)
		return 0;
	config_layout(config, &layout);
	return layout.size;
}

// ---- zones ----

static void node_span(const struct yard *yard, unsigned node, uint32_t *start, uint32_t *end)
{
	*start = PFN_NONE;
	*end = 0;
	for (uint32_t i = 0; i < yard->nr_memory; i++) {
		if (yard->memory[i].node != node)
			continue;
		if (*start == PFN_NONE)
			*start = yard->memory[i].start;
		*end = yard->memory[i].end;
	}
}

static uint32_t present_pages(const struct yard *yard, const struct zone *zone)
{
	uint32_t pages = 0;

	for (uint32_t i = 0; i < yard->nr_memory; i++) {
		const struct yard_range *range = &yard->memory[i];
		uint32_t start = range->start > zone->start_pfn ? range->start : zone->start_pfn;
		uint32_t end = range->end < zone->end_pfn ? range->end : zone->end_pfn;

		if (range->node == zone->node && start < end)
			pages += end - start;
	}
	return pages;
}

// M1 to M5: a zone of a node is the part of the node's span that lies between the zone's limits.
static void setup_zone(struct yard *yard, const struct yard_config *config, unsigned node, unsigned type)
{
	struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);
	const uint32_t low[] = { 0, yard->dma_end, yard->dma32_end, 0, 0 };
	const uint32_t high[] = { yard->dma_end, yard->dma32_end, PFN_NONE, PFN_NONE, 0 };
	uint32_t start, end, movable = config->movable_start ? config->movable_start[node] : 0;

	node_span(yard, node, &start, &end);
	movable = (movable + MAX_BLOCK - 1) & ~(MAX_BLOCK - 1u);
	if (!movable || movable >= end)
		movable = end;
	if (type == YARD_ZONE_MOVABLE)
		start = movable > start ? movable : start;
	else if (end > movable)
		end = movable;
	zone->id = (uint8_t)(node * YARD_ZONE_TYPES + type);
	zone->node = (uint8_t)node;
	zone->type = (uint8_t)type;
	zone->start_pfn = start > low[type] ? start : low[type];
	zone->end_pfn = end < high[type] ? end : high[type];
	if (start == PFN_NONE || zone->start_pfn >= zone->end_pfn)
		zone->start_pfn = zone->end_pfn = 0;
	zone->present = present_pages(yard, zone);
	if (!zone->present)
		zone->start_pfn = zone->end_pfn = 0;
	zone->boot_start_pfn = zone->start_pfn;
	zone->boot_end_pfn = zone->end_pfn;
	zone->contiguous = zone->present == zone->end_pfn - zone->start_pfn;
	zone->deferred = PFN_NONE;
	for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
		for (unsigned t = 0; t < YARD_MIGRATETYPES; t++)
			list_init(&zone->free[order][t]);
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++) {
		struct pcp *pcp = zone_pcp(zone, cpu);

		pcp->batch = 1; // P3
		for (unsigned i = 0; i < YARD_PCP_LISTS; i++)
			list_init(&pcp->lists[i]);
	}
}

// M14, and which zone each pageblock lies in.
static void setup_pageblocks(struct yard *yard)
{
	uint32_t nr = (yard->end_pfn - yard->start_pfn) >> YARD_PAGEBLOCK_ORDER;

	for (uint32_t i = 0; i < nr; i++) {
		yard->pageblocks[i].bits = YARD_MOVABLE;
		yard->pageblocks[i].zone = ZONE_MIXED;
	}
	for (unsigned id = 0; id < yard->nr_zones; id++) {
		const struct zone *zone = zone_at(yard, id);

		for (uint32_t m = 0; m < yard->nr_memory; m++) {
			uint32_t start = yard->memory[m].start, end = yard->memory[m].end;

			if (yard->memory[m].node != zone->node)
				continue;
			start = start > zone->start_pfn ? start : zone->start_pfn;
			end = end < zone->end_pfn ? end : zone->end_pfn;
			start &= ~(YARD_PAGEBLOCK_NR_PAGES - 1u);
			for (uint32_t pfn = start; pfn < end; pfn += YARD_PAGEBLOCK_NR_PAGES)
				pageblock_of(yard, pfn)->zone = (uint8_t)id;
		}
	}
}

// A pageblock with RAM of two zones belongs to neither: zone_of() looks such frames up.
static void mark_mixed_pageblocks(struct yard *yard)
{
	for (uint32_t m = 0; m < yard->nr_memory; m++) {
		const struct yard_range *range = &yard->memory[m];

		for (unsigned type = 0; type < YARD_ZONE_DEVICE; type++) {
			const struct zone *zone = zone_at(yard, range->node * YARD_ZONE_TYPES + type);
			uint32_t start = range->start > zone->start_pfn ? range->start : zone->start_pfn;
			uint32_t end = range->end < zone->end_pfn ? range->end : zone->end_pfn;

			if (start >= end)
				continue;
			if (pageblock_of(yard, start)->zone != zone->id)
				pageblock_of(yard, start)->zone = ZONE_MIXED;
			if (pageblock_of(yard, end - 1)->zone != zone->id)
				pageblock_of(yard, end - 1)->zone = ZONE_MIXED;
		}
	}
}

// ---- boot (1.6) ----

void release_chunk(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order)
{
	yard_spin_lock(&zone->lock);
	zone->managed += 1u << order;
	free_pieces(yard, zone, pfn, order, FPI_TO_TAIL);
	yard_spin_unlock(&zone->lock);
}

// Greedy cutting.
void release_range(struct yard *yard, struct zone *zone, uint32_t start, uint32_t end)
{
	while (start < end) {
		unsigned order = YARD_MAX_PAGE_ORDER;

		if (start && (unsigned)__builtin_ctz(start) < order)
			order = (unsigned)__builtin_ctz(start);
		while (start + (1u << order) > end)
			order--;
		release_chunk(yard, zone, start, order);
		start += 1u << order;
	}
}

static void release_in_zones(struct yard *yard, unsigned node, uint32_t start, uint32_t end)
{
	for (unsigned type = 0; type < YARD_ZONE_DEVICE; type++) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);
		uint32_t from = start > zone->start_pfn ? start : zone->start_pfn;
		uint32_t to = end < zone->end_pfn ? end : zone->end_pfn;

		if (from < to)
			release_range(yard, zone, from, to);
	}
}

bool next_unreserved(const struct yard *yard, uint32_t *pfn, uint32_t limit, uint32_t *end)
{
	for (uint32_t i = 0; i < yard->nr_reserved && *pfn < limit; i++) {
		const struct yard_range *range = &yard->reserved[i];

		if (range->end <= *pfn)
			continue;
		if (range->start > *pfn) {
			*end = range->start < limit ? range->start : limit;
			return true;
		}
		*pfn = range->end;
	}
	*end = limit;
	return *pfn < limit;
}

static void release_memory(struct yard *yard) // M15, M18
{
	for (uint32_t m = 0; m < yard->nr_memory; m++) {
		const struct yard_range *range = &yard->memory[m];
		uint32_t deferred = yard->nodes[range->node].first_deferred_pfn;
		uint32_t pfn = range->start, limit = range->end < deferred ? range->end : deferred, end;

		for (; next_unreserved(yard, &pfn, limit, &end); pfn = end)
			release_in_zones(yard, range->node, pfn, end);
	}
}

static void release_cma(struct yard *yard, const struct yard_config *config) // C13
{
	for (uint32_t i = 0; i < config->nr_cma; i++)
		for (uint32_t pfn = config->cma[i].start; pfn < config->cma[i].end; pfn += YARD_PAGEBLOCK_NR_PAGES) {
			struct zone *zone = zone_of(yard, pfn);

			if (!zone)
				continue;
			atomic_store_explicit(&pageblock_of(yard, pfn)->bits, YARD_CMA, memory_order_relaxed);
			zone->managed += YARD_PAGEBLOCK_NR_PAGES;
			zone->cma_pages += YARD_PAGEBLOCK_NR_PAGES;
			frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, YARD_PAGEBLOCK_ORDER, 0));
			yard_free(yard, pfn, YARD_PAGEBLOCK_ORDER);
		}
}

// ---- the instance ----

static uint32_t setting(int32_t value, uint32_t usual) // 0: the usual value, -1: zero
{
	return !value ? usual : value < 0 ? 0 : (uint32_t)value;
}

static void copy_mm_settings(struct yard *yard, const struct yard_config *config)
{
	yard->zone_reclaim_mode = config->zone_reclaim_mode;
	yard->min_unmapped_ratio = config->min_unmapped_ratio ? config->min_unmapped_ratio : 1;
	yard->min_slab_ratio = config->min_slab_ratio ? config->min_slab_ratio : 5;
	yard->swappiness = setting(config->swappiness, 60);
	yard->extfrag_threshold = setting(config->extfrag_threshold, 500);
	yard->compaction_proactiveness = setting(config->compaction_proactiveness, 20);
	yard->compact_unevictable = !config->no_compact_unevictable;
	yard->demotion_enabled = config->demotion_enabled;
	yard->memory_tiering = config->memory_tiering;
	yard->numa_stat_off = config->no_numa_stat;
	yard->panic_on_oom = config->panic_on_oom;
	yard->oom_kill_allocating_task = config->oom_kill_allocating_task;
	yard->hz = config->hz ? config->hz : 1000;
	yard->random = config->seed;
	for (unsigned node = 0; config->node_tier && node < config->nr_nodes; node++)
		yard->node_tier[node] = config->node_tier[node];
}

static void copy_settings(struct yard *yard, const struct yard_config *config)
{
	static const uint32_t default_ratio[YARD_ZONE_TYPES] = { 256, 256, 32, 0, 0 };
	bool ratios = false;

	for (unsigned i = 0; i < YARD_ZONE_TYPES; i++)
		ratios |= config->lowmem_reserve_ratio[i] != 0;
	for (unsigned i = 0; i < YARD_ZONE_TYPES; i++)
		yard->lowmem_reserve_ratio[i] = !ratios ? default_ratio[i]
					      : config->lowmem_reserve_ratio[i] < 0 ? 0 : (uint32_t)config->lowmem_reserve_ratio[i];
	yard->nr_nodes = config->nr_nodes;
	yard->nr_cpus = config->nr_cpus;
	yard->nr_zones = config->nr_nodes * YARD_ZONE_TYPES;
	yard->nr_memory = config->nr_memory;
	yard->nr_offline = config->nr_offline;
	yard->nr_reserved = config->nr_reserved + config->nr_cma;
	yard->no_dma32 = config->no_dma32;
	yard->dma_end = config->dma_end ? config->dma_end : DMA_END;
	yard->dma32_end = config->no_dma32 ? yard->dma_end : config->dma32_end ? config->dma32_end : DMA32_END;
	yard->thp = config->thp;
	yard->crash_kernel = config->crash_kernel;
	yard->exact_counters = config->exact_counters;
	yard->user_min_free_kbytes = config->user_min_free_kbytes;
	yard->watermark_scale_factor = config->watermark_scale_factor ? config->watermark_scale_factor : 10;
	yard->watermark_boost_factor = config->watermark_boost_factor < 0 ? 15000 : (uint32_t)config->watermark_boost_factor;
	yard->percpu_pagelist_high_fraction = config->percpu_pagelist_high_fraction;
	yard->pcp_cache_pages = config->pcp_cache_pages;
	yard->node_reclaim_distance = config->node_reclaim_distance ? config->node_reclaim_distance : 30;
	yard->dirty_ratio = config->dirty_ratio ? config->dirty_ratio : 20;
	yard->policy = config->policy;
	yard->owner = config->owner;
	copy_mm_settings(yard, config);
}

static void setup_nodes(struct yard *yard, const struct yard_config *config)
{
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++) {
		yard->cpu_node[cpu] = config->cpu_node ? config->cpu_node[cpu] : 0;
		yard->nodes[yard->cpu_node[cpu]].nr_cpus++;
		yard->cpu_online[cpu / 64] |= 1ull << cpu % 64;
	}
	yard->nr_online_cpus = yard->nr_cpus;
	for (unsigned from = 0; from < yard->nr_nodes; from++)
		for (unsigned to = 0; to < yard->nr_nodes; to++) {
			unsigned i = from * yard->nr_nodes + to;

			yard->distance[i] = config->distance ? config->distance[i] : from == to ? 10 : 20;
		}
	for (uint32_t i = 0; i < yard->nr_memory; i++) {
		struct node *node = &yard->nodes[config->memory[i].node];

		yard->memory[i] = config->memory[i];
		node->has_memory = true;
	}
	for (unsigned n = 0; n < yard->nr_nodes; n++)
		yard->nodes[n].first_deferred_pfn = PFN_NONE;
}

// What must stay known after boot: M18 and M20 need the reservations, M19 the ranges to come.
static void copy_ranges(struct yard *yard, const struct yard_config *config)
{
	uint32_t reserved = 0, cma = 0;

	for (uint32_t i = 0; i < yard->nr_offline; i++)
		yard->offline[i] = config->offline[i];
	for (uint32_t i = 0; i < yard->nr_reserved; i++) {
		bool take_cma = reserved == config->nr_reserved
				|| (cma < config->nr_cma && config->cma[cma].start < config->reserved[reserved].start);

		yard->reserved[i] = take_cma ? config->cma[cma++] : config->reserved[reserved++];
	}
}

// W1: at boot the high watermarks are 0 when min_free_kbytes is computed. CMA needs working per-CPU sets, so theirs are
// computed once before it is released.
static void forget_watermarks(struct yard *yard)
{
	for (unsigned id = 0; id < yard->nr_zones; id++)
		for (unsigned mark = 0; mark < YARD_NR_WMARKS; mark++)
			zone_at(yard, id)->wmark[mark] = 0;
}

int yard_init(void *memory, size_t size, const struct yard_config *config, struct yard **out)
{
	struct yard *yard = memory;
	struct layout layout;

	if (!config_ok(config) || !memory || (uintptr_t)memory % CACHE_LINE)
		return YARD_EINVAL;
	config_layout(config, &layout);
	if (size < layout.size)
		return YARD_EINVAL;
	copy_settings(yard, config);
	yard->start_pfn = layout.start_pfn;
	yard->end_pfn = layout.end_pfn;
	attach(yard, &layout);
	yard_host_init(&yard->host, yard->nr_cpus);
	setup_nodes(yard, config);
	copy_ranges(yard, config);
	for (unsigned id = 0; id < yard->nr_zones; id++)
		setup_zone(yard, config, id / YARD_ZONE_TYPES, id % YARD_ZONE_TYPES);
	setup_lru(yard);
	setup_kswapd(yard);
	setup_kcompactd(yard);
	setup_psi(yard);
	setup_local_reclaim(yard);
	setup_pageblocks(yard);
	mark_mixed_pageblocks(yard);
	if (config->deferred_init && !config->restore)
		setup_deferred(yard);
	if (!config->restore)
		release_memory(yard);
	build_zonelists(yard, config->zonelists_see_cpus);
	setup_watermarks(yard);
	if (!config->restore && config->nr_cma) {
		release_cma(yard, config);
		forget_watermarks(yard);
		setup_watermarks(yard);
		update_mobility(yard);
	}
	*out = yard;
	return YARD_OK;
}

struct yard *yard_copy(void *memory, size_t size, const struct yard *from)
{
	struct yard *yard = memory;
	struct layout layout;

	if (!memory || size < from->size || (uintptr_t)memory % CACHE_LINE)
		return NULL;
	__builtin_memcpy(memory, from, from->size);
	compute_layout(&layout, from->nr_nodes, from->nr_cpus, from->nr_memory + from->nr_offline, from->nr_reserved,
		       from->start_pfn, from->end_pfn);
	attach(yard, &layout);
	yard->lockcheck = NULL; // it watches the original
	return yard;
}
