// SPDX-License-Identifier: Apache-2.0
//
// The state at the end against the second snapshot: lists in order, per-CPU sets, pageblock types, counters.

#include "trace/internal.h"
#include "trace/verify_mm.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void line(struct verify_final *final, const char *format, ...)
{
	va_list args;

	if (final->nr_lines >= VERIFY_FINAL_LINES)
		return;
	va_start(args, format);
	vsnprintf(final->line[final->nr_lines++], sizeof(final->line[0]), format, args);
	va_end(args);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

enum list_verdict { LIST_SAME, LIST_ORDER, LIST_DIFFERENT };

// `ours` is consumed.
static enum list_verdict compare_lists(uint32_t *ours, uint32_t nr, const struct snapshot_list *theirs)
{
	uint32_t *sorted;
	enum list_verdict verdict;

	if (nr != theirs->nr)
		return LIST_DIFFERENT;
	if (!nr || !memcmp(ours, theirs->pfn, nr * sizeof(*ours)))
		return LIST_SAME;
	sorted = malloc(nr * sizeof(*sorted));
	if (!sorted)
		return LIST_DIFFERENT;
	memcpy(sorted, theirs->pfn, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), by_number);
	qsort(ours, nr, sizeof(*ours), by_number);
	verdict = memcmp(ours, sorted, nr * sizeof(*ours)) ? LIST_DIFFERENT : LIST_ORDER;
	free(sorted);
	return verdict;
}

struct buffer {
	uint32_t *pfn, nr, room;
};

static void push(struct buffer *buffer, uint32_t pfn)
{
	if (buffer->nr < buffer->room)
		buffer->pfn[buffer->nr++] = pfn;
}

static void compare_free(struct yard *yard, const struct snapshot_zone *zone, struct buffer *buffer, struct verify_final *final,
			 bool searched)
{
	unsigned id = snapshot_zone_id(zone);

	for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
		for (unsigned type = 0; type < YARD_MIGRATETYPES; type++) {
			const struct snapshot_list *theirs = &zone->free[order][type];
			enum list_verdict verdict;

			buffer->nr = 0;
			for (uint32_t pfn = YARD_PFN_NONE; (pfn = yard_free_list_next(yard, id, order, type, pfn)) != YARD_PFN_NONE;)
				push(buffer, pfn);
			if (!buffer->nr && !theirs->nr)
				continue;
			verdict = compare_lists(buffer->pfn, buffer->nr, theirs);
			final->free_lists++;
			final->free_lists_same += verdict == LIST_SAME;
			final->free_lists_order_only += verdict == LIST_ORDER;
			if (verdict != LIST_SAME)
				line(final, "zone %u %s: free list order %u %s: %s (%u blocks here, %u in the snapshot)", zone->node,
				     zone->name, order, yard_migratetype_name(type),
				     verdict == LIST_DIFFERENT ? "different blocks"
				     : searched		       ? "same blocks, other order (compaction's search, T7j)"
							       : "same blocks, other order",
				     buffer->nr, theirs->nr);
		}
}

static void compare_field(struct verify_final *final, const struct snapshot_zone *zone, unsigned cpu, const char *name,
			  int64_t ours, int64_t theirs)
{
	final->pcp_fields++;
	final->pcp_fields_same += ours == theirs;
	if (ours != theirs)
		line(final, "zone %u %s: per-CPU set %u: %s is %lld here, %lld in the snapshot%s", zone->node, zone->name, cpu, name,
		     (long long)ours, (long long)theirs,
		     strcmp(name, "expire") ? "" : " (folding on idle entry sets it, without an event: 01 P16)");
}

static void compare_pcp(struct yard *yard, const struct snapshot_zone *zone, unsigned cpu, struct buffer *buffer,
			struct verify_final *final, bool fields)
{
	const struct snapshot_pcp *pcp = &zone->pcp[cpu];
	unsigned id = snapshot_zone_id(zone);
	struct yard_pcp_state state;

	for (unsigned index = 0; index < YARD_PCP_LISTS; index++) {
		enum list_verdict verdict;

		buffer->nr = 0;
		for (uint32_t pfn = YARD_PFN_NONE; (pfn = yard_pcp_list_next(yard, id, cpu, index, pfn)) != YARD_PFN_NONE;)
			push(buffer, pfn);
		if (!buffer->nr && !pcp->list[index].nr)
			continue;
		verdict = compare_lists(buffer->pfn, buffer->nr, &pcp->list[index]);
		final->pcp_lists++;
		final->pcp_lists_same += verdict == LIST_SAME;
		final->pcp_lists_order_only += verdict == LIST_ORDER;
		if (verdict != LIST_SAME)
			line(final, "zone %u %s: per-CPU list %u of cpu %u: %s (%u blocks here, %u in the snapshot)", zone->node,
			     zone->name, index, cpu, verdict == LIST_ORDER ? "same blocks, other order" : "different blocks",
			     buffer->nr, pcp->list[index].nr);
	}
	if (!fields)
		return;
	yard_get_pcp(yard, id, cpu, &state);
	compare_field(final, zone, cpu, "count", state.count, pcp->count);
	compare_field(final, zone, cpu, "high", state.high, pcp->high);
	compare_field(final, zone, cpu, "high_min", state.high_min, pcp->high_min);
	compare_field(final, zone, cpu, "high_max", state.high_max, pcp->high_max);
	compare_field(final, zone, cpu, "batch", state.batch, pcp->batch);
	compare_field(final, zone, cpu, "flags", state.flags, pcp->flags);
	compare_field(final, zone, cpu, "alloc_factor", state.alloc_factor, pcp->alloc_factor);
	compare_field(final, zone, cpu, "free_count", state.free_count, pcp->free_count);
	compare_field(final, zone, cpu, "expire", state.expire, pcp->expire);
}

static void compare_counter(struct verify_final *final, const struct snapshot_zone *zone, const char *name, int64_t ours,
			    int64_t theirs)
{
	final->counters++;
	final->counters_same += ours == theirs;
	if (ours != theirs)
		line(final, "zone %u %s: %s is %lld here, %lld in the snapshot", zone->node, zone->name, name, (long long)ours,
		     (long long)theirs);
}

static int64_t exact(struct yard *yard, unsigned id, unsigned item, const struct yard_zone_state *state)
{
	int64_t sum = state->stat[item];

	for (unsigned cpu = 0; cpu < yard_nr_cpus(yard); cpu++) {
		struct yard_pcp_state pcp;

		yard_get_pcp(yard, id, cpu, &pcp);
		sum += pcp.diff[item];
	}
	return sum;
}

static void compare_counters(struct yard *yard, const struct snapshot_zone *zone, struct verify_final *final, bool decisions)
{
	static const char *const stat_names[] = { "NR_FREE_PAGES", "NR_FREE_PAGES_BLOCKS", "NR_FREE_CMA_PAGES" };
	static const char *const wmark_names[] = { "min watermark", "low watermark", "high watermark", "promo watermark" };
	static const char *const numa_names[] = { "NUMA_HIT", "NUMA_MISS", "NUMA_FOREIGN", "NUMA_INTERLEAVE_HIT", "NUMA_LOCAL",
						  "NUMA_OTHER" };
	unsigned id = snapshot_zone_id(zone);
	struct yard_zone_state state;

	yard_get_zone(yard, id, &state);
	for (unsigned item = 0; item < YARD_ZONE_STATS; item++) {
		int64_t theirs = zone->stat[item];

		for (unsigned cpu = 0; cpu < zone->nr_pcps; cpu++)
			theirs += zone->pcp[cpu].diff[item];
		compare_counter(final, zone, stat_names[item], exact(yard, id, item, &state), theirs);
	}
	for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++) {
		char name[24];

		snprintf(name, sizeof(name), "nr_free of order %u", order);
		compare_counter(final, zone, name, (int64_t)state.nr_free[order], (int64_t)zone->nr_free[order]);
	}
	compare_counter(final, zone, "nr_free_highatomic", (int64_t)state.nr_free_highatomic, (int64_t)zone->nr_free_highatomic);
	if (!decisions)
		return;
	for (unsigned item = 0; item < YARD_NUMA_STATS; item++) {
		int64_t theirs = zone->numa[item];

		for (unsigned cpu = 0; cpu < zone->nr_pcps; cpu++)
			theirs += zone->pcp[cpu].numa[item];
		if (item != YARD_NUMA_INTERLEAVE_HIT) // memory policy's, not the allocator's
			compare_counter(final, zone, numa_names[item], (int64_t)state.numa[item], theirs);
	}
	compare_counter(final, zone, "watermark_boost", (int64_t)state.boost, (int64_t)zone->boost);
	compare_counter(final, zone, "flags", state.flags, (int64_t)zone->flags);
	compare_counter(final, zone, "nr_reserved_highatomic", (int64_t)state.nr_reserved_highatomic,
			(int64_t)zone->nr_reserved_highatomic);
	for (unsigned mark = 0; mark < YARD_NR_WMARKS; mark++)
		compare_counter(final, zone, wmark_names[mark], (int64_t)state.wmark[mark], (int64_t)zone->wmark[mark]);
}

static void compare_pageblocks(struct yard *yard, const struct snapshot *after, struct verify_final *final)
{
	enum { TYPE_AND_ISOLATE = 0x17 }; // the compaction skip bit is compaction's

	for (uint32_t i = 0; i < after->nr_pageblocks; i++) {
		uint32_t pfn = after->pageblock[i].pfn;
		unsigned ours = yard_pageblock_bits(yard, pfn) & TYPE_AND_ISOLATE, theirs = after->pageblock[i].bits & TYPE_AND_ISOLATE;

		final->pageblocks++;
		final->pageblocks_same += ours == theirs;
		if (ours != theirs)
			line(final, "pageblock %u: type bits %#x here, %#x in the snapshot", pfn, ours, theirs);
	}
}

static void compare_compact_field(struct verify_final *final, const char *where, const char *name, uint64_t ours, uint64_t theirs)
{
	final->compact_fields++;
	final->compact_fields_same += ours == theirs;
	if (ours != theirs)
		line(final, "%s: %s is %llu here, %llu in the snapshot", where, name, (unsigned long long)ours,
		     (unsigned long long)theirs);
}

static void compare_compact(struct yard *yard, const struct snapshot_zone *zone, struct verify_final *final)
{
	const struct snapshot_compact *theirs = &zone->compact;
	struct yard_compact_state ours;
	char where[32];

	if (!zone->has_compact || yard_get_compact(yard, snapshot_zone_id(zone), &ours))
		return;
	snprintf(where, sizeof(where), "zone %u %s", zone->node, zone->name);
	compare_compact_field(final, where, "cached_migrate_pfn (async)", ours.cached_migrate[0], theirs->cached_migrate[0]);
	compare_compact_field(final, where, "cached_migrate_pfn (sync)", ours.cached_migrate[1], theirs->cached_migrate[1]);
	compare_compact_field(final, where, "cached_free_pfn", ours.cached_free, theirs->cached_free);
	compare_compact_field(final, where, "init_migrate_pfn", ours.init_migrate, theirs->init_migrate);
	compare_compact_field(final, where, "init_free_pfn", ours.init_free, theirs->init_free);
	compare_compact_field(final, where, "compact_considered", ours.considered, theirs->considered);
	compare_compact_field(final, where, "compact_defer_shift", ours.defer_shift, theirs->defer_shift);
	compare_compact_field(final, where, "compact_order_failed", ours.order_failed, theirs->order_failed);
	compare_compact_field(final, where, "compact_blockskip_flush", ours.blockskip_flush, theirs->flush);
}

static void compare_workers(struct yard *yard, const struct snapshot_node *node, struct verify_final *final)
{
	struct yard_worker_state ours;
	char where[32];

	if (!node->has_workers || yard_get_workers(yard, node->id, &ours))
		return;
	snprintf(where, sizeof(where), "node %u", node->id);
	compare_compact_field(final, where, "kswapd_order", ours.kswapd_order, node->kswapd_order);
	compare_compact_field(final, where, "kswapd_highest_zoneidx", ours.kswapd_highest, node->kswapd_highest_zone);
	compare_compact_field(final, where, "kcompactd_max_order", ours.kcompactd_order, node->kcompactd_order);
	compare_compact_field(final, where, "kcompactd_highest_zoneidx", ours.kcompactd_highest, node->kcompactd_highest_zone);
}

static void compare_skip_bits(struct yard *yard, const struct snapshot *after, struct verify_final *final)
{
	enum { SKIP = 8 };

	for (uint32_t i = 0; i < after->nr_pageblocks; i++) {
		uint32_t pfn = after->pageblock[i].pfn;
		unsigned ours = yard_pageblock_bits(yard, pfn) & SKIP, theirs = after->pageblock[i].bits & SKIP;

		final->skip_bits++;
		final->skip_bits_same += ours == theirs;
		if (ours != theirs)
			line(final, "pageblock %u: compaction %s it here, not in the snapshot", pfn, ours ? "skips" : "does not skip");
	}
}

// The second snapshot must be of the machine of the first.
static int same_machine(struct verifier *v, const struct snapshot *after)
{
	const struct snapshot *before = v->before;
	bool same = before->nr_cpus == after->nr_cpus && before->nr_nodes == after->nr_nodes && before->nr_zones == after->nr_zones;

	for (uint32_t i = 0; same && i < after->nr_zones; i++) {
		const struct snapshot_zone *a = &before->zone[i], *b = &after->zone[i];

		same = a->node == b->node && a->index == b->index && a->start_pfn == b->start_pfn && a->spanned == b->spanned;
	}
	if (same)
		return 0;
	return trace_fail(v->error, "%s/snapshot1: not the machine of snapshot0: other CPUs, nodes or zones",
		 v->options->record);
}

int compare_final(struct verifier *v)
{
	struct yard *yard = v->pupil ? v->pupil : v->teacher;
	struct verify_final *final = &v->result->final;
	struct buffer buffer = { .room = v->end_pfn - v->start_pfn };
	struct snapshot *after;
	char text[200];

	after = read_snapshot(v->options->record, "snapshot1.txt", v->error);
	if (!after)
		return -1;
	buffer.pfn = malloc(buffer.room * sizeof(*buffer.pfn));
	if (!buffer.pfn)
		trace_fail(v->error, "out of memory");
	if (!buffer.pfn || same_machine(v, after)) {
		snapshot_free(after);
		free(buffer.pfn);
		return -1;
	}
	for (uint32_t i = 0; i < after->nr_zones; i++) {
		compare_free(yard, &after->zone[i], &buffer, final, v->searched[snapshot_zone_id(&after->zone[i])]);
		for (unsigned cpu = 0; cpu < after->zone[i].nr_pcps && cpu < yard_nr_cpus(yard); cpu++)
			compare_pcp(yard, &after->zone[i], cpu, &buffer, final, v->pupil != NULL);
		compare_counters(yard, &after->zone[i], final, v->pupil != NULL);
	}
	compare_pageblocks(yard, after, final);
	if (v->pupil && v->mm->told_compaction) {
		for (uint32_t i = 0; i < after->nr_zones; i++)
			compare_compact(yard, &after->zone[i], final);
		for (uint32_t i = 0; i < after->nr_nodes; i++)
			compare_workers(yard, &after->node[i], final);
		compare_skip_bits(yard, after, final);
	}
	final->compared = true;
	if (yard_verify(yard, text, sizeof(text)))
		line(final, "the engine's own state is broken: %.180s", text);
	snapshot_free(after);
	free(buffer.pfn);
	return 0;
}
