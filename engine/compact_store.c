// SPDX-License-Identifier: Apache-2.0
//
// The free chunks that a run of compaction holds, and the destinations made of them (spec 03 C5.5, C5.9 to C5.11). They
// are ISOLATED: whole, at the order at which they were found.

#include "engine/compact_scan.h"

bool store_free_block(struct yard *yard, struct compact_control *cc, uint32_t pfn, unsigned order)
{
	if (!isolate_free_block(yard, cc->zone, pfn, order))
		return false;
	list_add_tail(yard, &cc->free_store[order], pfn);
	cc->nr_freepages += 1ull << order;
	return true;
}

// The first chunk of the smallest order that will do; the upper halves of a larger one stay.
static uint32_t take_stored(struct yard *yard, struct compact_control *cc, unsigned order)
{
	for (unsigned o = order; o <= YARD_MAX_PAGE_ORDER; o++) {
		uint32_t pfn;

		if (list_empty(&cc->free_store[o]))
			continue;
		pfn = list_pop_head(yard, &cc->free_store[o]);
		while (o > order) {
			uint32_t upper = pfn + (1u << --o);

			frame_set_word(yard, upper, make_word(YARD_FRAME_ISOLATED, o, 0));
			list_add_head(yard, &cc->free_store[o], upper);
		}
		return pfn;
	}
	return PFN_NONE;
}

uint32_t compaction_alloc(struct yard *yard, struct compact_control *cc, unsigned order)
{
	uint32_t pfn = take_stored(yard, cc, order);

	if (pfn == PFN_NONE) {
		isolate_freepages(yard, cc);
		pfn = take_stored(yard, cc, order);
	}
	if (pfn == PFN_NONE)
		return PFN_NONE;
	frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, order, 0));
	cc->nr_freepages -= 1ull << order;
	cc->nr_migratepages -= 1ull << order;
	return pfn;
}

// Whoever has put the page into a batch meanwhile holds it, and frees it.
void compaction_free(struct yard *yard, struct compact_control *cc, uint32_t pfn, unsigned order)
{
	cc->nr_migratepages += 1ull << order;
	if (lru_prepare_free(yard, pfn) != FREE_NOW)
		return;
	frame_set_word(yard, pfn, make_word(YARD_FRAME_ISOLATED, order, 0));
	list_add_head(yard, &cc->free_store[order], pfn);
	cc->nr_freepages += 1ull << order;
}

uint64_t release_free_store(struct yard *yard, struct compact_control *cc)
{
	uint64_t highest = 0;

	for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++)
		while (!list_empty(&cc->free_store[order])) {
			uint32_t pfn = list_pop_head(yard, &cc->free_store[order]);

			highest = higher_pfn(highest, pfn);
			frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, order, 0));
			free_plain(yard, pfn, order);
		}
	cc->nr_freepages = 0;
	return highest;
}
