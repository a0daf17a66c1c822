// SPDX-License-Identifier: Apache-2.0
//
// Pages that their owner wants to go now, whatever their references say (MADV_PAGEOUT, spec 04 P-5).

#include "engine/lru.h"

// Takes the page off the LRU. False: it is not there, or cannot be reclaimed.
static bool take(struct yard *yard, uint32_t pfn)
{
	uint32_t word;

	if (!in_yard(yard, pfn))
		return false;
	word = frame_word(yard, pfn);
	if (word_state(word) != YARD_FRAME_ALLOCATED || word_place(word) != PLACE_LRU || word & PG_MLOCKED)
		return false;
	if (!lru_isolate(yard, pfn))
		return false;
	frame_change(yard, pfn, PG_ACTIVE, 0);
	return true;
}

static int64_t type_pages(const struct yard *yard, uint32_t pfn, unsigned type)
{
	uint32_t word = frame_word(yard, pfn);

	return !!(word & ISOLATED_FILE) == (type == FILE_LRU) ? 1 << word_order(word) : 0;
}

static void add_types(const struct yard *yard, uint32_t pfn, int64_t pages[LRU_TYPES], int64_t sign)
{
	for (unsigned type = ANON; type < LRU_TYPES; type++)
		pages[type] += sign * type_pages(yard, pfn, type);
}

// Those that stay are put back as after a failed migration; NR_ISOLATED falls for them there and for the others here.
static void putback(struct yard *yard, unsigned node, struct list *list, int64_t isolated[LRU_TYPES])
{
	while (!list_empty(list)) {
		uint32_t pfn = list_pop_head(yard, list);

		add_types(yard, pfn, isolated, -1);
		lru_putback(yard, pfn, false);
	}
	for (unsigned type = ANON; type < LRU_TYPES; type++)
		mod_node_stat(yard, node, (enum yard_node_stat)(YARD_NODE_ISOLATED_ANON + type), -isolated[type]);
}

static uint64_t reclaim_list(struct yard *yard, unsigned node, struct list *list, int64_t isolated[LRU_TYPES])
{
	struct scan_control sc = {
		.highest_zone = YARD_ZONE_TYPES - 1, .role = ROLE_DIRECT, .gfp = YARD_GFP_KERNEL, .may_writepage = true,
		.may_unmap = true, .may_swap = true, .no_demotion = true, .swappiness = -1,
	};
	struct scan_stat stat = { .dirty = 0 };
	uint64_t reclaimed = shrink_folio_list(yard, node, &sc, list, &stat, true);

	putback(yard, node, list, isolated);
	TRACE(yard, RECLAIM_PAGES, node, (int64_t)sc.nr_scanned, (int64_t)reclaimed, (int64_t)stat.dirty,
	      (int64_t)stat.writeback, (int64_t)stat.congested, (int64_t)stat.immediate, (int64_t)stat.activate[ANON],
	      (int64_t)stat.activate[FILE_LRU], (int64_t)stat.ref_keep, (int64_t)stat.unmap_fail);
	return reclaimed;
}

// The pages from *at on that are on one node.
static uint64_t reclaim_run(struct yard *yard, const uint32_t *pfns, size_t nr, size_t *at)
{
	int64_t isolated[LRU_TYPES] = { 0 };
	struct list list;
	int node = -1;

	list_init(&list);
	for (; *at < nr; ++*at) {
		uint32_t pfn = pfns[*at];

		if (in_yard(yard, pfn) && zone_of(yard, pfn) && node >= 0 && node_of(yard, pfn) != (unsigned)node)
			break;
		if (!take(yard, pfn))
			continue;
		node = (int)node_of(yard, pfn);
		add_types(yard, pfn, isolated, 1);
		list_add_tail(yard, &list, pfn);
	}
	return node < 0 ? 0 : reclaim_list(yard, (unsigned)node, &list, isolated);
}

uint64_t yard_reclaim_pages(struct yard *yard, const uint32_t *pfns, size_t nr)
{
	struct reclaimer reclaimer;
	uint64_t reclaimed = 0;

	reclaimer_enter(yard, &reclaimer, 0, NULL);
	lru_drain_cpu(yard, this_cpu(yard)); // L-12
	for (size_t at = 0; at < nr;)
		reclaimed += reclaim_run(yard, pfns, nr, &at);
	reclaimer_leave(yard, &reclaimer);
	return reclaimed;
}
