// SPDX-License-Identifier: Apache-2.0
//
// Is compaction of a zone worth it (spec 03 section 3.2): watermark with a gap, fragmentation index, and deferral after
// runs that failed.

#include "engine/compact_scan.h"

// ---- C2.5: indices ----

struct free_blocks { // F, B and S of C2.5
	uint64_t pages, blocks, suitable;
};

static struct free_blocks count_free_blocks(const struct zone *zone, unsigned order)
{
	struct free_blocks sum = { 0 };

	for (unsigned o = 0; o <= YARD_MAX_PAGE_ORDER; o++) {
		uint64_t n = zone_nr_free(zone, o);

		sum.blocks += n;
		sum.pages += n << o;
		if (o >= order)
			sum.suitable += n << (o - order);
	}
	return sum;
}

static int fragmentation_index(const struct free_blocks *sum, unsigned order)
{
	if (order > YARD_MAX_PAGE_ORDER || !sum->blocks)
		return 0;
	if (sum->suitable)
		return -1000;
	return 1000 - (int)((1000 + sum->pages * 1000 / (1ull << order)) / sum->blocks);
}

int zone_fragmentation_index(const struct zone *zone, unsigned order)
{
	const struct free_blocks sum = count_free_blocks(zone, order);

	return fragmentation_index(&sum, order);
}

unsigned extfrag_for_order(const struct zone *zone, unsigned order)
{
	const struct free_blocks sum = count_free_blocks(zone, order);

	return sum.pages ? (unsigned)((sum.pages - (sum.suitable << order)) * 100 / sum.pages) : 0;
}

void yard_get_fragmentation(struct yard *yard, unsigned id, unsigned order, struct yard_fragmentation *index)
{
	struct free_blocks sum;

	*index = (struct yard_fragmentation){ 0 };
	if (id >= yard->nr_zones || order > YARD_MAX_PAGE_ORDER)
		return;
	sum = count_free_blocks(zone_at(yard, id), order);
	index->unusable_index = sum.pages ? (uint32_t)((sum.pages - (sum.suitable << order)) * 1000 / sum.pages) : 1000;
	index->fragmentation_index = fragmentation_index(&sum, order);
}

// ---- watermarks ----

uint64_t compact_gap(const struct yard *yard, unsigned order)
{
	uint64_t gap = 2ull << order;

	return yard->policy.gap_cap && gap > CLUSTER_MAX ? CLUSTER_MAX : gap;
}

// KC-1 to KC-3: background compaction counts whole blocks.
bool compact_counts_blocks(const struct yard *yard)
{
	return yard->policy.defrag_mode && yard->policy.block_watermarks;
}

bool compaction_base_ok(struct yard *yard, const struct zone *zone, unsigned order, uint64_t mark,
			unsigned highest_zone, int64_t free)
{
	mark += compact_gap(yard, order);
	if (order > YARD_COSTLY_ORDER)
		mark += zone->wmark[WMARK_LOW] - zone->wmark[WMARK_MIN];
	return watermark_ok(yard, zone, 0, mark, highest_zone, ALLOC_CMA, free);
}

bool compaction_suitable(struct yard *yard, const struct zone *zone, unsigned order, uint64_t mark,
			 unsigned highest_zone)
{
	enum compact_result result = COMPACT_CONTINUE;

	if (!compaction_base_ok(yard, zone, order, mark, highest_zone, zone_stat(zone, YARD_NR_FREE_PAGES))) {
		result = COMPACT_SKIPPED;
	} else if (order > YARD_COSTLY_ORDER) {
		int index = zone_fragmentation_index(zone, order);

		if (index >= 0 && index <= (int)yard->extfrag_threshold)
			result = COMPACT_NOT_SUITABLE_ZONE;
	}
	TRACE(yard, COMPACTION_SUITABLE, zone->node, zone->type, order, result);
	return result == COMPACT_CONTINUE;
}

enum compact_result compaction_suit_allocation_order(struct yard *yard, struct zone *zone, unsigned order,
						     unsigned highest_zone, unsigned flags, bool async, bool background)
{
	bool blocks = background && compact_counts_blocks(yard);
	uint64_t mark = zone_wmark(zone, (enum wmark)(flags & ALLOC_WMARK_MASK));
	int64_t free = zone_stat(zone, blocks ? YARD_NR_FREE_PAGES_BLOCKS : YARD_NR_FREE_PAGES);

	if (watermark_ok(yard, zone, order, mark, highest_zone, flags, free))
		return COMPACT_SUCCESS;
	if (order > YARD_COSTLY_ORDER && async && !(flags & ALLOC_CMA)
	    && !watermark_ok(yard, zone, 0, mark + compact_gap(yard, order), highest_zone, 0,
			     zone_stat(zone, YARD_NR_FREE_PAGES)))
		return COMPACT_SKIPPED;
	return compaction_suitable(yard, zone, order, mark, highest_zone) ? COMPACT_CONTINUE : COMPACT_SKIPPED;
}

// C2.6
bool compaction_zonelist_suitable(struct yard *yard, const struct alloc_context *ctx, unsigned order, unsigned flags)
{
	for (const uint8_t *entry = ctx->zonelist; *entry != ZONE_MIXED; entry++) {
		struct zone *zone = zone_at(yard, *entry);
		uint64_t mark = zone_wmark(zone, WMARK_MIN), available;

		if (!zone_eligible(zone, ctx->highest_zone, ctx->nodemask))
			continue;
		if (yard->policy.retry_cpuset_filter && !zone_cpuset_allowed(ctx, zone, flags))
			continue;
		available = zone_reclaimable_pages(yard, zone) / (order ? order : 1)
			    + (uint64_t)zone_stat_snapshot(yard, zone, YARD_NR_FREE_PAGES);
		if (compaction_base_ok(yard, zone, order, mark, ctx->highest_zone, (int64_t)available))
			return true;
	}
	return false;
}

// ---- C2.7: deferral ----

#define TRACE_DEFERRAL(yard, name, zone, order)                                                                       \
	TRACE(yard, name, (zone)->node, (zone)->type, order, hint_get(&zone_hints(yard, zone)->considered),           \
	      hint_get(&zone_hints(yard, zone)->defer_shift), hint_get(&zone_hints(yard, zone)->order_failed))

bool compaction_deferred(struct yard *yard, const struct zone *zone, int order)
{
	struct zone_compact *hints = zone_hints(yard, zone);
	uint32_t limit = 1u << hint_get(&hints->defer_shift), considered;

	if (order < (int)hint_get(&hints->order_failed))
		return false;
	considered = hint_get(&hints->considered) + 1;
	if (considered >= limit) {
		hint_set(&hints->considered, limit);
		return false;
	}
	hint_set(&hints->considered, considered);
	TRACE_DEFERRAL(yard, COMPACTION_DEFERRED, zone, order);
	return true;
}

void defer_compaction(struct yard *yard, const struct zone *zone, int order)
{
	struct zone_compact *hints = zone_hints(yard, zone);
	uint32_t shift = hint_get(&hints->defer_shift);

	hint_set(&hints->considered, 0);
	if (shift < DEFER_SHIFT_MAX)
		hint_set(&hints->defer_shift, shift + 1);
	if (order < (int)hint_get(&hints->order_failed))
		hint_set(&hints->order_failed, (uint32_t)order);
	TRACE_DEFERRAL(yard, COMPACTION_DEFER_COMPACTION, zone, order);
}

void compaction_defer_reset(struct yard *yard, const struct zone *zone, int order, bool success)
{
	struct zone_compact *hints = zone_hints(yard, zone);

	if (success) {
		hint_set(&hints->considered, 0);
		hint_set(&hints->defer_shift, 0);
	}
	if (order >= (int)hint_get(&hints->order_failed))
		hint_set(&hints->order_failed, (uint32_t)order + 1);
	TRACE_DEFERRAL(yard, COMPACTION_DEFER_RESET, zone, order);
}

bool compaction_restarting(const struct yard *yard, const struct zone *zone, int order)
{
	const struct zone_compact *hints = zone_hints(yard, zone);

	return order >= (int)hint_get(&hints->order_failed) && hint_get(&hints->defer_shift) == DEFER_SHIFT_MAX
	       && hint_get(&hints->considered) >= 1u << DEFER_SHIFT_MAX;
}
