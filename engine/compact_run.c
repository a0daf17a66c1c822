// SPDX-License-Identifier: Apache-2.0
//
// Compaction of a zone (spec 03 section 3.6): the run that alternates between the two scanners and migration, when it
// ends, and direct compaction's way through the zones.

#include "engine/compact_scan.h"

static uint64_t chunk_start(uint64_t pfn, int order)
{
	return pfn & ~((1ull << order) - 1);
}

// ---- the beginning (C6.1) ----

void compact_reset(const struct yard *yard, struct compact_control *cc)
{
	for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
		list_init(&cc->free_store[order]);
	list_init(&cc->migrate);
	cc->nr_freepages = cc->nr_migratepages = 0;
	cc->total_migrate_scanned = cc->total_free_scanned = 0;
	cc->fast_start_pfn = 0;
	cc->migratetype = yard->mobility_disabled ? YARD_UNMOVABLE : cc->gfp >> 3 & 3; // G1
}

static bool in_zone(const struct zone *zone, uint64_t pfn)
{
	return pfn >= zone->start_pfn && pfn < zone->end_pfn;
}

static void begin_at_cached(struct zone_compact *hints, struct compact_control *cc) // C3.3, C3.4
{
	const struct zone *zone = cc->zone;

	cc->migrate_pfn = hint_get(&hints->cached_migrate[cc->mode != YARD_MIGRATE_ASYNC]);
	cc->free_pfn = hint_get(&hints->cached_free);
	if (!in_zone(zone, cc->free_pfn)) {
		cc->free_pfn = block_start(zone->end_pfn - 1);
		hint_set(&hints->cached_free, cc->free_pfn);
	}
	if (!in_zone(zone, cc->migrate_pfn)) {
		cc->migrate_pfn = zone->start_pfn;
		hint_set(&hints->cached_migrate[0], zone->start_pfn);
		hint_set(&hints->cached_migrate[1], zone->start_pfn);
	}
	if (cc->migrate_pfn <= hint_get(&hints->init_migrate))
		cc->whole_zone = true;
}

void compact_begin(struct yard *yard, struct compact_control *cc)
{
	struct zone_compact *hints = zone_hints(yard, cc->zone);

	compact_reset(yard, cc);
	if (compaction_restarting(yard, cc->zone, cc->order))
		flush_pageblock_skip(yard, cc->zone);
	if (cc->whole_zone) {
		cc->migrate_pfn = cc->zone->start_pfn;
		cc->free_pfn = block_start(cc->zone->end_pfn - 1);
	} else {
		begin_at_cached(hints, cc);
	}
	cc->last_migrated = 0;
	cc->link_positions = cc->mode == YARD_MIGRATE_ASYNC
			     && hint_get(&hints->cached_migrate[0]) == hint_get(&hints->cached_migrate[1]); // C3.5
}

// ---- the end (C6.3, C6.9) ----

bool compact_scanners_met(const struct compact_control *cc) // C3.1
{
	return cc->free_pfn >> YARD_PAGEBLOCK_ORDER <= cc->migrate_pfn >> YARD_PAGEBLOCK_ORDER;
}

enum compact_result compact_met(struct yard *yard, struct compact_control *cc) // C3.7
{
	struct zone_compact *hints = zone_hints(yard, cc->zone);

	hint_set(&hints->cached_migrate[0], cc->zone->start_pfn);
	hint_set(&hints->cached_migrate[1], cc->zone->start_pfn);
	hint_set(&hints->cached_free, block_start(cc->zone->end_pfn - 1));
	if (cc->direct_compaction)
		__atomic_store_n(&hints->blockskip_flush, true, __ATOMIC_RELAXED);
	return cc->whole_zone ? COMPACT_COMPLETE : COMPACT_PARTIAL_SKIPPED;
}

static bool stopped(const struct yard *yard, const struct compact_control *cc) // C6.3.7
{
	return cc->contended || fatal_signal(yard);
}

static enum compact_result finished_proactive(struct yard *yard, const struct compact_control *cc) // C6.3.2
{
	if (atomic_load_explicit(&yard->nodes[cc->zone->node].kswapd_awake, memory_order_relaxed))
		return COMPACT_PARTIAL_SKIPPED;
	if (stopped(yard, cc))
		return COMPACT_CONTENDED;
	return compact_zone_score(cc->zone) > compact_score_mark(yard, false) ? COMPACT_CONTINUE : COMPACT_SUCCESS;
}

static bool blocks_suffice(struct yard *yard, const struct compact_control *cc) // KC-3
{
	return watermark_ok(yard, cc->zone, (unsigned)cc->order, zone_wmark(cc->zone, WMARK_HIGH), cc->highest_zone,
			    cc->alloc_flags, zone_stat(cc->zone, YARD_NR_FREE_PAGES_BLOCKS));
}

static bool has_page(const struct yard *yard, const struct compact_control *cc) // C6.3.6
{
	const struct zone *zone = cc->zone;

	for (unsigned order = (unsigned)cc->order; order <= YARD_MAX_PAGE_ORDER; order++) {
		if (!list_empty(&zone->free[order][cc->migratetype]))
			return true;
		if (cc->migratetype == YARD_MOVABLE && !list_empty(&zone->free[order][YARD_CMA]))
			return true;
		if (could_claim(yard, zone, order, cc->migratetype))
			return true;
	}
	return false;
}

static enum compact_result judge_finished(struct yard *yard, struct compact_control *cc)
{
	if (compact_scanners_met(cc))
		return compact_met(yard, cc);
	if (cc->proactive_compaction)
		return finished_proactive(yard, cc);
	if (cc->order < 0 || cc->migrate_pfn != block_start(cc->migrate_pfn))
		return COMPACT_CONTINUE;
	if (compact_counts_blocks(yard) && !cc->direct_compaction)
		return blocks_suffice(yard, cc) ? COMPACT_SUCCESS : COMPACT_CONTINUE;
	if (has_page(yard, cc))
		return COMPACT_SUCCESS;
	return stopped(yard, cc) ? COMPACT_CONTENDED : COMPACT_NO_SUITABLE_PAGE;
}

enum compact_result compact_finished(struct yard *yard, struct compact_control *cc)
{
	enum compact_result result = judge_finished(yard, cc);

	TRACE(yard, COMPACTION_FINISHED, cc->zone->node, cc->zone->type, cc->order, result);
	return result == COMPACT_NO_SUITABLE_PAGE ? COMPACT_CONTINUE : result;
}

void compact_end(struct yard *yard, struct compact_control *cc, uint64_t highest_released)
{
	struct zone_compact *hints = zone_hints(yard, cc->zone);
	uint64_t block = block_start(highest_released);

	if (block > hint_get(&hints->cached_free))
		hint_set(&hints->cached_free, block);
	count_vm_event(yard, YARD_VM_COMPACT_MIGRATE_SCANNED, cc->total_migrate_scanned);
	count_vm_event(yard, YARD_VM_COMPACT_FREE_SCANNED, cc->total_free_scanned);
}

// ---- the run (C6.2) ----

static uint32_t get_destination(struct yard *yard, void *context, uint32_t from, unsigned order)
{
	(void)from;
	return compaction_alloc(yard, context, order);
}

static void put_destination(struct yard *yard, void *context, uint32_t pfn, unsigned order)
{
	compaction_free(yard, context, pfn, order);
}

static void put_back(struct yard *yard, struct compact_control *cc)
{
	putback_movable_pages(yard, &cc->migrate);
	cc->nr_migratepages = 0;
}

// C6.2.3, and the first half of C6.2.4. Returns what migrate_pages() does.
static int migrate_list(struct yard *yard, struct compact_control *cc)
{
	const struct migrate_target target = { .get = get_destination, .put = put_destination, .context = cc };
	uint64_t before = cc->nr_migratepages, moved;
	int failed = migrate_pages(yard, &cc->migrate, &target, cc->mode, MR_COMPACTION, &moved);
	struct yard_task *task = current_task(yard);

	TRACE(yard, COMPACTION_MIGRATEPAGES, (int64_t)moved, (int64_t)(before - moved));
	if (task && cc->direct_compaction)
		task->migrated += moved;
	if (failed)
		put_back(yard, cc);
	cc->nr_migratepages = 0;
	return failed;
}

// C6.2.4: after a failure inside a block the rest of it is taken in one go, so that it can be marked.
bool compact_rescan(struct compact_control *cc)
{
	if (cc->migrate_pfn == block_start(cc->migrate_pfn) || cc->ignore_skip_hint || cc->finish_pageblock
	    || cc->mode == YARD_MIGRATE_SYNC)
		return false;
	cc->finish_pageblock = true;
	if (cc->order == COMPACTION_HPAGE_ORDER)
		cc->last_migrated = 0;
	return true;
}

// C6.2.6: everything below the chunk that the scanner is in was looked at: what was freed there shall merge.
bool compact_wants_drain(struct compact_control *cc)
{
	if (cc->order <= 0 || !cc->last_migrated || cc->last_migrated >= chunk_start(cc->migrate_pfn, cc->order))
		return false;
	cc->last_migrated = 0;
	return true;
}

void compact_sources_taken(struct compact_control *cc) // C6.2.2, SUCCESS
{
	uint64_t block = block_start(cc->migrate_pfn - 1);

	cc->link_positions = false;
	cc->last_migrated = block > cc->zone->start_pfn ? block : cc->zone->start_pfn;
}

void compact_sources_empty(struct yard *yard, const struct compact_control *cc) // C3.5
{
	struct zone_compact *hints = zone_hints(yard, cc->zone);

	if (cc->link_positions)
		hint_set(&hints->cached_migrate[1], hint_get(&hints->cached_migrate[0]));
}

static bool has_captured(const struct compact_control *cc)
{
	return cc->capture && cc->capture->pfn != PFN_NONE;
}

// C6.2.2 to C6.2.5: CONTINUE, or the run's result.
static enum compact_result move_some(struct yard *yard, struct compact_control *cc)
{
	int failed;

	do {
		switch (isolate_migratepages(yard, cc)) {
		case ISOLATE_ABORT:
			put_back(yard, cc);
			return COMPACT_CONTENDED;
		case ISOLATE_NONE:
			compact_sources_empty(yard, cc);
			return COMPACT_CONTINUE;
		case ISOLATE_SUCCESS:
			compact_sources_taken(cc);
			break;
		}
		failed = migrate_list(yard, cc);
		if (failed && cc->unmarked != PFN_NONE) // or C3.13 would choose the block again and again
			mark_scanned(yard, cc, cc->unmarked);
		if (failed == MIGRATE_NO_MEMORY && !compact_scanners_met(cc))
			return COMPACT_CONTENDED;
	} while (failed && compact_rescan(cc));
	return has_captured(cc) ? COMPACT_SUCCESS : COMPACT_CONTINUE;
}

static enum compact_result run(struct yard *yard, struct compact_control *cc)
{
	enum compact_result result;

	while ((result = compact_finished(yard, cc)) == COMPACT_CONTINUE) {
		cc->finish_pageblock = block_start(cc->last_migrated) == block_start(cc->migrate_pfn);
		result = move_some(yard, cc);
		if (result != COMPACT_CONTINUE)
			break;
		if (compact_wants_drain(cc)) {
			lru_drain_cpu(yard, this_cpu(yard));
			yard_drain_zone_cpu(yard, cc->zone->id, this_cpu(yard));
		}
	}
	return result;
}

enum compact_result compact_zone(struct yard *yard, struct compact_control *cc)
{
	const struct zone *zone = cc->zone;
	bool sync = cc->mode != YARD_MIGRATE_ASYNC;
	uint64_t highest = 0;
	enum compact_result result;

	if (cc->order >= 0) {
		result = compaction_suit_allocation_order(yard, cc->zone, (unsigned)cc->order, cc->highest_zone,
							  cc->alloc_flags, !sync, !cc->direct_compaction);
		if (result != COMPACT_CONTINUE)
			return result;
	}
	compact_begin(yard, cc);
	TRACE(yard, COMPACTION_BEGIN, zone->start_pfn, (int64_t)cc->migrate_pfn, (int64_t)cc->free_pfn, zone->end_pfn,
	      sync);
	lru_drain_cpu(yard, this_cpu(yard));
	result = run(yard, cc);
	if (cc->nr_freepages)
		highest = release_free_store(yard, cc);
	cc->nr_freepages = 0;
	compact_end(yard, cc, highest);
	TRACE(yard, COMPACTION_END, zone->start_pfn, (int64_t)cc->migrate_pfn, (int64_t)cc->free_pfn, zone->end_pfn,
	      sync, result);
	return result;
}

// ---- direct compaction (C6.5) ----

static enum compact_result compact_zone_for(struct yard *yard, struct zone *zone, const struct alloc_context *ctx,
					    unsigned order, unsigned flags, enum compact_priority priority,
					    struct yard_request_capture *capture)
{
	bool full = priority == COMPACT_SYNC_FULL;
	struct compact_control cc = {
		.order = (int)order, .search_order = (int)order, .gfp = ctx->gfp, .zone = zone, .alloc_flags = flags,
		.mode = priority == COMPACT_ASYNC ? YARD_MIGRATE_ASYNC : YARD_MIGRATE_SYNC_LIGHT,
		.highest_zone = ctx->highest_zone, .direct_compaction = true, .whole_zone = full,
		.ignore_skip_hint = full, .ignore_block_suitable = full, .capture = capture,
	};
	enum compact_result result;

	capture->zone = zone->id;
	result = compact_zone(yard, &cc);
	capture->zone = ZONE_MIXED;
	return has_captured(&cc) ? COMPACT_SUCCESS : result; // CP-5: an interrupt may have brought it
}

enum compact_result try_to_compact_pages(struct yard *yard, const struct alloc_context *ctx, unsigned order,
					 unsigned flags, enum compact_priority priority,
					 struct yard_request_capture *capture)
{
	enum compact_result best = COMPACT_SKIPPED;

	if (!can_compact(yard, ctx->gfp))
		return COMPACT_SKIPPED;
	TRACE(yard, TRY_TO_COMPACT_PAGES, order, ctx->gfp, priority);
	for (const uint8_t *entry = ctx->zonelist; *entry != ZONE_MIXED; entry++) {
		struct zone *zone = zone_at(yard, *entry);
		enum compact_result result;

		if (!zone_eligible(zone, ctx->highest_zone, ctx->nodemask) || !zone_cpuset_allowed(ctx, zone, flags))
			continue;
		if (priority != COMPACT_SYNC_FULL && compaction_deferred(yard, zone, (int)order)) {
			best = best > COMPACT_DEFERRED ? best : COMPACT_DEFERRED;
			continue;
		}
		result = compact_zone_for(yard, zone, ctx, order, flags, priority, capture);
		best = best > result ? best : result;
		if (result == COMPACT_SUCCESS) {
			compaction_defer_reset(yard, zone, (int)order, false);
			break;
		}
		if (priority != COMPACT_ASYNC && (result == COMPACT_COMPLETE || result == COMPACT_PARTIAL_SKIPPED))
			defer_compaction(yard, zone, (int)order);
		if (fatal_signal(yard))
			break;
	}
	return best;
}
