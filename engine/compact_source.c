// SPDX-License-Identifier: Apache-2.0
//
// Which block compaction empties next (spec 03 C3.10, C3.12, C3.13): the fast search through the free lists, then block
// after block.

#include "engine/compact_scan.h"

// ---- C3.10 ----

// Whole-block requests may empty movable blocks; CMA blocks only those who may use them.
static bool blocks_rule(const struct compact_control *cc, unsigned type)
{
	if (type == YARD_CMA && !(cc->alloc_flags & ALLOC_CMA))
		return false;
	if (cc->mode != YARD_MIGRATE_ASYNC)
		return true;
	if (cc->migratetype == YARD_MOVABLE || cc->order >= YARD_PAGEBLOCK_ORDER)
		return movable_type(type);
	return type == cc->migratetype;
}

static bool typed_rule(const struct compact_control *cc, unsigned type)
{
	if (cc->mode != YARD_MIGRATE_ASYNC)
		return true;
	return cc->migratetype == YARD_MOVABLE ? movable_type(type) : type == cc->migratetype;
}

static bool source_suitable(const struct yard *yard, const struct compact_control *cc, uint64_t first)
{
	unsigned type = pageblock_type(yard, (uint32_t)first);

	if (in_large_block(yard, first))
		return false;
	if (!cc->direct_compaction)
		return true;
	return yard->policy.source_rule == YARD_SOURCE_BLOCKS ? blocks_rule(cc, type) : typed_rule(cc, type);
}

// ---- C3.13 ----

struct source_search {
	struct yard *yard;
	struct compact_control *cc;
	uint64_t high;		 // chunks below it are candidates
	unsigned scanned, limit;
	uint32_t found;
};

static bool search_wanted(const struct yard *yard, const struct compact_control *cc)
{
	if (cc->ignore_skip_hint || cc->finish_pageblock || cc->order <= YARD_COSTLY_ORDER)
		return false;
	if (cc->migrate_pfn != cc->zone->start_pfn && cc->migrate_pfn % YARD_PAGEBLOCK_NR_PAGES)
		return false;
	if (!cc->direct_compaction || cc->migratetype == YARD_MOVABLE)
		return true;
	return yard->policy.source_rule == YARD_SOURCE_BLOCKS && cc->order >= YARD_PAGEBLOCK_ORDER;
}

// zone->lock held. What was looked at goes to the list's tail, so that the next search sees other blocks.
static void search_source_list(struct source_search *search, struct list *list)
{
	uint32_t next;

	for (uint32_t pfn = list->head; pfn != PFN_NONE; pfn = next) {
		next = frame_at(search->yard, pfn)->next;
		if (search->scanned++ >= search->limit) {
			list_rotate(search->yard, list, next);
			return;
		}
		if (pfn >= search->high || pageblock_skip(search->yard, pfn))
			continue;
		search->found = pfn;
		list_rotate(search->yard, list, next);
		return;
	}
}

// The lowest chunk that was ever chosen in this run: where the scanner goes back to once.
static void remember_start(struct compact_control *cc, uint64_t pfn)
{
	if (!cc->fast_start_pfn)
		cc->fast_start_used = false;
	if (cc->fast_start_used)
		return;
	cc->fast_start_pfn = cc->fast_start_pfn ? lower_pfn(cc->fast_start_pfn, pfn) : pfn;
}

static uint64_t return_to_start(struct compact_control *cc)
{
	if (cc->fast_start_pfn && !cc->fast_start_used) {
		cc->migrate_pfn = cc->fast_start_pfn;
		cc->fast_start_used = true;
	}
	return cc->migrate_pfn;
}

static void search_source(struct source_search *search)
{
	struct zone *zone = search->cc->zone;

	for (int order = search->cc->order - 1; order >= YARD_COSTLY_ORDER; order--) {
		unsigned before;

		if (search->found != PFN_NONE || search->scanned >= search->limit)
			return;
		if (!zone_nr_free(zone, (unsigned)order))
			continue;
		yard_spin_lock(&zone->lock);
		before = search->scanned;
		search_source_list(search, &zone->free[order][YARD_MOVABLE]);
		yard_host_charge(&search->yard->host, YARD_COST_SCAN_FRAME, search->scanned - before);
		yard_spin_unlock(&zone->lock);
	}
}

static uint64_t fast_find_source(struct yard *yard, struct compact_control *cc)
{
	uint64_t distance = cc->free_pfn - cc->migrate_pfn, answer;
	struct source_search search = { .yard = yard, .cc = cc, .limit = fast_search_limit(cc), .found = PFN_NONE };

	if (!search_wanted(yard, cc))
		return cc->migrate_pfn;
	distance >>= cc->migrate_pfn == cc->zone->start_pfn ? 1 : 3;
	search.high = block_start(cc->migrate_pfn + distance);
	search_source(&search);
	cc->total_migrate_scanned += search.scanned;
	if (search.found != PFN_NONE) {
		remember_start(cc, search.found);
		cc->fast_search_fail = 0;
		answer = higher_pfn(block_start(search.found), cc->zone->start_pfn);
	} else {
		cc->fast_search_fail++;
		answer = return_to_start(cc);
	}
	WHY(yard, .kind = YARD_EVENT_WHY_COMPACT_SOURCE, .zone = cc->zone->id, .pfn = (uint32_t)answer,
	    .order = (uint8_t)cc->order, .a = (int32_t)search.scanned, .b = search.found != PFN_NONE,
	    .c = (int32_t)search.limit);
	return answer;
}

// ---- C3.12 ----

// Whether the block of `low` is to be scanned. *next: where to go on if it is not. `chosen`: by the fast search.
static bool choose_block(struct yard *yard, struct compact_control *cc, uint64_t low, bool chosen, uint64_t *next)
{
	const struct zone *zone = cc->zone;
	uint64_t first = higher_pfn(block_start(low), zone->start_pfn), end = block_end(low);

	*next = end;
	if (!block_in_zone(yard, zone, first, end)) {
		uint32_t online = next_online_section(yard, first);

		if (online != PFN_NONE)
			*next = lower_pfn(online, cc->free_pfn);
		return false;
	}
	if (low == first && !chosen && !isolation_suitable(yard, cc, first))
		return false;
	if (source_suitable(yard, cc, first))
		return true;
	advance_cached_migrate(yard, cc, end);
	return false;
}

enum isolate_result isolate_migratepages(struct yard *yard, struct compact_control *cc)
{
	uint64_t low = fast_find_source(yard, cc), next;
	bool chosen = low != cc->migrate_pfn && !cc->fast_search_fail;

	for (; block_end(low) <= cc->free_pfn; chosen = false, cc->migrate_pfn = low = next) {
		if (!choose_block(yard, cc, low, chosen, &next)) {
			block_skipped(yard, low);
			continue;
		}
		if (isolate_migratepages_block(yard, cc, low, next) != ISOLATE_OK)
			return ISOLATE_ABORT;
		break;
	}
	return cc->nr_migratepages ? ISOLATE_SUCCESS : ISOLATE_NONE;
}

// C4.10
enum isolate_error isolate_migratepages_range(struct yard *yard, struct compact_control *cc, uint64_t start,
					      uint64_t end)
{
	for (uint64_t low = start, stop; low < end; low = stop) {
		enum isolate_error error;

		stop = lower_pfn(block_end(low), end);
		if (!block_in_zone(yard, cc->zone, higher_pfn(block_start(low), cc->zone->start_pfn), stop))
			continue;
		error = isolate_migratepages_block(yard, cc, low, stop);
		if (error != ISOLATE_OK || cc->nr_migratepages >= CLUSTER_MAX)
			return error;
	}
	return ISOLATE_OK;
}
