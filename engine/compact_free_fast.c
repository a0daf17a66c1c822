// SPDX-License-Identifier: Apache-2.0
//
// A destination from the ends of the free lists, without a scan (spec 03 C5.2 to C5.6).

#include "engine/compact_scan.h"

struct target_search {
	struct yard *yard;
	struct compact_control *cc;
	uint64_t near, min; // chunks from `near` on are taken at sight, those from `min` on if nothing better comes
	uint64_t highest;   // block of the highest chunk seen; 0: none
	uint32_t best;	    // in this order
	uint32_t taken;
	uint64_t scanned, isolated;
	unsigned limit;
	bool scan_start;
};

// C5.3
static int order_below(const struct compact_control *cc, int order)
{
	return order ? order - 1 : cc->order - 1;
}

static int next_order(struct compact_control *cc, int order)
{
	order = order_below(cc, order);
	if (order != cc->search_order)
		return order;
	cc->search_order = order_below(cc, order);
	return -1;
}

// One chunk of a list. True: it is the one.
static bool consider(struct target_search *search, uint32_t pfn, int order)
{
	struct compact_control *cc = search->cc;

	search->scanned++;
	if (pfn >= search->highest)
		search->highest = higher_pfn(block_start(pfn), cc->zone->start_pfn);
	if (pfn >= search->near) {
		cc->fast_search_fail = 0;
		cc->search_order = order;
		return true;
	}
	if (pfn >= search->min && pfn > search->best) {
		search->best = pfn;
		search->limit /= 2;
	}
	return false;
}

// zone->lock held. The chunk to take, or PFN_NONE. What was looked at leaves the list's tail.
static uint32_t search_target_list(struct target_search *search, struct list *list, int order, unsigned *visited)
{
	uint32_t pfn = list->tail, chosen = PFN_NONE;

	search->best = 0;
	for (*visited = 0; pfn != PFN_NONE; pfn = frame_at(search->yard, pfn)->prev) {
		(*visited)++;
		if (consider(search, pfn, order)) {
			chosen = pfn;
			break;
		}
		if (*visited >= search->limit)
			break;
	}
	if (chosen == PFN_NONE && search->best)
		chosen = pfn = search->best;
	list_rotate(search->yard, list, pfn);
	return chosen;
}

static void search_target_order(struct target_search *search, int order, bool *refused)
{
	struct zone *zone = search->cc->zone;
	unsigned visited;
	uint32_t chosen;

	yard_spin_lock(&zone->lock);
	chosen = search_target_list(search, &zone->free[order][YARD_MOVABLE], order, &visited);
	if (chosen != PFN_NONE) {
		*refused = !store_free_block(search->yard, search->cc, chosen, (unsigned)order);
		if (!*refused) {
			search->taken = chosen;
			search->scanned += (1ull << order) - 1;
			search->isolated += 1ull << order;
		}
	}
	yard_host_charge(&search->yard->host, YARD_COST_SCAN_FRAME, visited);
	yard_spin_unlock(&zone->lock);
	if (visited >= search->limit)
		search->limit = search->limit > 2 ? search->limit / 2 : 1;
}

static void search_orders(struct target_search *search)
{
	struct compact_control *cc = search->cc;
	bool refused = false;
	int order;

	if ((unsigned)cc->search_order > (unsigned)cc->order - 1)
		cc->search_order = cc->order - 1;
	for (order = cc->search_order; order >= 0 && search->taken == PFN_NONE; order = next_order(cc, order)) {
		if (!zone_nr_free(cc->zone, (unsigned)order))
			continue;
		search_target_order(search, order, &refused);
		if (cc->nr_freepages >= cc->nr_migratepages)
			return;
		if (refused) {
			cc->search_order = order_below(cc, cc->search_order);
			return;
		}
	}
}

// C5.6: nothing was taken where the scan starts. The frame whose block is scanned instead, or PFN_NONE.
static uint32_t guess_position(struct target_search *search)
{
	struct compact_control *cc = search->cc;
	const struct zone *zone = cc->zone;
	uint64_t min = search->min;

	if (search->highest >= min) {
		cc->free_pfn = search->highest;
		return (uint32_t)search->highest;
	}
	if (!cc->direct_compaction || min >= search->yard->end_pfn || !section_online(search->yard, min))
		return PFN_NONE;
	cc->free_pfn = min;
	if (!block_in_zone(search->yard, zone, min, lower_pfn(block_end(min), zone->end_pfn))
	    || !target_suitable(search->yard, cc, min))
		return PFN_NONE;
	return (uint32_t)min;
}

// Other chunks of a block where one was found, or where one may be.
static void isolate_around(struct yard *yard, struct compact_control *cc, uint32_t pfn)
{
	uint64_t first = higher_pfn(block_start(pfn), cc->zone->start_pfn);
	uint64_t end = lower_pfn(block_end(pfn), cc->zone->end_pfn), position = first;

	if (cc->nr_freepages >= cc->nr_migratepages || (cc->direct_compaction && cc->mode == YARD_MIGRATE_ASYNC))
		return;
	if (!block_in_zone(yard, cc->zone, first, end))
		return;
	isolate_freepages_block(yard, cc, &position, end, 1, false);
	if (position == end)
		mark_scanned(yard, cc, first);
}

static void begin_search(struct target_search *search)
{
	struct compact_control *cc = search->cc;
	uint64_t distance = cc->free_pfn - cc->migrate_pfn; // may wrap: a run whose scanners have passed each other

	search->taken = PFN_NONE;
	search->scan_start = cc->free_pfn >= hint_get(&zone_hints(search->yard, cc->zone)->init_free);
	search->near = block_start(cc->free_pfn - (distance >> 2));
	search->min = block_start(cc->free_pfn - (distance >> 1));
	search->limit = search->scan_start ? YARD_PAGEBLOCK_NR_PAGES / 2 : fast_search_limit(cc) / 2;
	if (!search->limit)
		search->limit = 1;
}

void fast_isolate_freepages(struct yard *yard, struct compact_control *cc)
{
	struct target_search search = { .yard = yard, .cc = cc };
	struct zone_compact *hints = zone_hints(yard, cc->zone);
	uint32_t around;

	if (cc->order <= 0)
		return;
	begin_search(&search);
	search_orders(&search);
	yard_host_charge(&yard->host, YARD_COST_FREE_CHUNK, search.taken != PFN_NONE);
	count_vm_event(yard, YARD_VM_COMPACT_ISOLATED, search.isolated);
	TRACE(yard, FAST_ISOLATE_FREEPAGES, (int64_t)search.min, (int64_t)cc->free_pfn, (int64_t)search.scanned,
	      (int64_t)search.isolated);
	around = search.taken;
	if (around == PFN_NONE) {
		cc->fast_search_fail++;
		if (search.scan_start)
			around = guess_position(&search);
	}
	if (search.highest && search.highest >= hint_get(&hints->cached_free))
		hint_set(&hints->cached_free, search.highest - YARD_PAGEBLOCK_NR_PAGES);
	cc->total_free_scanned += search.scanned;
	if (around != PFN_NONE)
		isolate_around(yard, cc, around);
}
