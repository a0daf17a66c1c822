// SPDX-License-Identifier: Apache-2.0
//
// Isolation of pageblocks (spec 01 section 10.2), and free blocks taken off the lists by compaction (C11, B18).

#include "engine/mm.h"

// ---- free blocks off the lists ----

// C11: the pageblocks of a large free block become movable; what else is free in them moves to the movable tails.
static void take_pageblocks(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order)
{
	uint32_t end = pfn + (1u << order);

	if (order + 1 < YARD_PAGEBLOCK_ORDER)
		return;
	for (uint32_t p = pfn; p < end; p += YARD_PAGEBLOCK_NR_PAGES) {
		unsigned type = pageblock_type(yard, p);

		if (!mergeable_type(type) || !pageblock_in_zone(yard, zone, p))
			continue;
		EMIT(yard, .kind = YARD_EVENT_MOVE_BLOCK, .pfn = p, .zone = zone->id, .a = (int32_t)type, .b = YARD_MOVABLE);
		move_pageblock_free(yard, zone, p, YARD_MOVABLE);
		set_pageblock_type(yard, p, YARD_MOVABLE);
	}
}

// zone->lock held. Leaves the block ISOLATED. False: the watermark refuses.
bool isolate_free_block(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order)
{
	unsigned type = word_type(frame_word(yard, pfn));

	if (type != YARD_ISOLATE
	    && !watermark_ok(yard, zone, 0, zone->wmark[WMARK_MIN] + (1ull << order), YARD_ZONE_DMA, ALLOC_CMA,
			     zone_stat(zone, YARD_NR_FREE_PAGES)))
		return false;
	del_free_block(yard, zone, pfn);
	account_free_pages(yard, zone, -(int64_t)(1u << order), type);
	frame_set_word(yard, pfn, make_word(YARD_FRAME_ISOLATED, order, 0));
	take_pageblocks(yard, zone, pfn, order);
	return true;
}

int yard_isolate_free_page(struct yard *yard, uint32_t pfn)
{
	struct zone *zone = zone_of(yard, pfn);
	uint32_t word;
	int result;

	if (!zone)
		return YARD_ERANGE;
	yard_spin_lock(&zone->lock);
	word = frame_word(yard, pfn);
	if (word_state(word) != YARD_FRAME_BUDDY)
		result = YARD_ENOTOWNED;
	else if (!isolate_free_block(yard, zone, pfn, word_order(word)))
		result = YARD_EBUSY;
	else
		result = (int)word_order(word);
	yard_spin_unlock(&zone->lock);
	return result;
}

static int check_isolated(const struct yard *yard, uint32_t pfn, unsigned order)
{
	if (order > YARD_MAX_PAGE_ORDER || !in_yard(yard, pfn))
		return YARD_ERANGE;
	if ((frame_word(yard, pfn) & 0xff) != make_word(YARD_FRAME_ISOLATED, order, 0))
		return YARD_ENOTOWNED;
	return YARD_OK;
}

int yard_putback_free_page(struct yard *yard, uint32_t pfn, unsigned order) // B18
{
	struct zone *zone;
	int error = check_isolated(yard, pfn, order);

	if (error)
		return error;
	zone = zone_of(yard, pfn);
	yard_spin_lock(&zone->lock);
	frame_set_word(yard, pfn, 0);
	free_one(yard, zone, pfn, order, pageblock_type(yard, pfn), FPI_TO_TAIL);
	yard_spin_unlock(&zone->lock);
	return YARD_OK;
}

int yard_split_isolated(struct yard *yard, uint32_t pfn, unsigned order, unsigned to)
{
	int error = check_isolated(yard, pfn, order);

	if (error)
		return error;
	if (to > order)
		return YARD_EINVAL;
	for (uint32_t p = pfn; p < pfn + (1u << order); p += 1u << to)
		frame_set_word(yard, p, make_word(YARD_FRAME_ISOLATED, to, 0));
	return YARD_OK;
}

int yard_use_isolated(struct yard *yard, uint32_t pfn, unsigned order)
{
	int error = check_isolated(yard, pfn, order);

	if (!error)
		frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, order, 0));
	return error;
}

int yard_unuse_isolated(struct yard *yard, uint32_t pfn, unsigned order)
{
	int error = check_allocated(yard, pfn, order);

	if (error)
		return error;
	if (frame_held(yard, pfn) || !lru_make_plain(yard, pfn))
		return YARD_EBUSY;
	frame_set_word(yard, pfn, make_word(YARD_FRAME_ISOLATED, order, 0));
	return YARD_OK;
}

// ---- isolation of pageblocks ----

// C6: a frame in the way that cannot move.
static bool frame_unmovable(const struct zone *zone, uint32_t word, enum yard_isolate_mode mode,
			    unsigned block_type)
{
	switch (word_state(word)) {
	case YARD_FRAME_NONE: // nothing covers it: absent or reserved
		return true;
	case YARD_FRAME_ALLOCATED:
		if (zone->type == YARD_ZONE_MOVABLE || (block_type == YARD_CMA && mode == YARD_ISOLATE_CMA))
			return false;
		return !word_movable(word);
	default:
		return false;
	}
}

static bool has_unmovable(const struct yard *yard, const struct zone *zone, uint32_t pfn, uint32_t end,
			  enum yard_isolate_mode mode)
{
	unsigned type = pageblock_bits(yard, pfn) & PB_TYPE;

	if (type == YARD_CMA && mode != YARD_ISOLATE_CMA)
		return true;
	while (pfn < end) {
		uint32_t first, word;
		unsigned order;

		if (yard_frame_state(yard, pfn, &first, &order) == YARD_FRAME_NONE)
			return true;
		word = frame_word(yard, first);
		if (frame_unmovable(zone, word, mode, type))
			return true;
		pfn = first + (1u << order);
	}
	return false;
}

// C7: flips the isolate bit; the block's free memory changes lists. zone->lock held.
static bool toggle_isolation(struct yard *yard, struct zone *zone, uint32_t pfn, bool isolate)
{
	unsigned order;
	uint32_t first;

	if (!pageblock_in_zone(yard, zone, pfn))
		return false;
	first = free_block_holding(yard, pfn, &order);
	if (first != PFN_NONE && order > YARD_PAGEBLOCK_ORDER) {
		unsigned type = word_type(frame_word(yard, first));

		del_free_block(yard, zone, first);
		account_free_pages(yard, zone, -(int64_t)(1u << order), type);
		set_pageblock_isolate(yard, pfn, isolate);
		free_pieces(yard, zone, first, order, FPI_NONE);
		return true;
	}
	if (isolate) {
		move_pageblock_free(yard, zone, pfn, YARD_ISOLATE);
		set_pageblock_isolate(yard, pfn, true);
	} else {
		move_pageblock_free(yard, zone, pfn, pageblock_bits(yard, pfn) & PB_TYPE);
		set_pageblock_isolate(yard, pfn, false);
	}
	return true;
}

// C6
static int isolate_block(struct yard *yard, uint32_t pfn, uint32_t check_start, uint32_t check_end,
			 enum yard_isolate_mode mode)
{
	struct zone *zone = zone_of(yard, pfn);
	int error = YARD_EBUSY;

	if (!zone)
		return YARD_ERANGE;
	yard_spin_lock(&zone->lock);
	if (!(pageblock_bits(yard, pfn) & PB_ISOLATE) && !has_unmovable(yard, zone, check_start, check_end, mode)
	    && toggle_isolation(yard, zone, pfn, true)) {
		zone->nr_isolate_pageblock++;
		error = YARD_OK;
	}
	yard_spin_unlock(&zone->lock);
	return error;
}

// C8: a whole free block whose buddy is free too is taken and put back, so that the two merge.
static bool merge_on_unisolate(struct yard *yard, struct zone *zone, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn), buddy;
	unsigned order = word_order(word);

	if (word_state(word) != YARD_FRAME_BUDDY || order < YARD_PAGEBLOCK_ORDER || order >= YARD_MAX_PAGE_ORDER)
		return false;
	buddy = pfn ^ (1u << order);
	if (!in_yard(yard, buddy) || zone_of(yard, buddy) != zone || pageblock_bits(yard, buddy) & PB_ISOLATE)
		return false;
	if ((frame_word(yard, buddy) & 0xff) != make_word(YARD_FRAME_BUDDY, order, 0))
		return false;
	del_free_block(yard, zone, pfn);
	set_pageblock_isolate(yard, pfn, false);
	free_one(yard, zone, pfn, order, pageblock_type(yard, pfn), FPI_TO_TAIL);
	return true;
}

static void unisolate_block(struct yard *yard, uint32_t pfn)
{
	struct zone *zone = zone_of(yard, pfn);

	yard_spin_lock(&zone->lock);
	if (pageblock_bits(yard, pfn) & PB_ISOLATE) {
		if (!merge_on_unisolate(yard, zone, pfn))
			toggle_isolation(yard, zone, pfn, false);
		zone->nr_isolate_pageblock--;
	}
	yard_spin_unlock(&zone->lock);
}

static int check_range(const struct yard *yard, uint32_t start, uint32_t end)
{
	if (start >= end)
		return YARD_EINVAL;
	if (!in_yard(yard, start) || end > yard->end_pfn)
		return YARD_ERANGE;
	return YARD_OK;
}

// C9: a block in use that lies on both sides of a range's edge.
static bool crosses_edge(const struct yard *yard, uint32_t edge)
{
	uint32_t first;

	return in_yard(yard, edge) && yard_frame_state(yard, edge, &first, NULL) == YARD_FRAME_ALLOCATED && first < edge;
}

int yard_isolate_range(struct yard *yard, uint32_t start, uint32_t end, enum yard_isolate_mode mode) // C9
{
	const uint32_t size = YARD_PAGEBLOCK_NR_PAGES;
	uint32_t first = start & ~(size - 1), last = (end - 1) & ~(size - 1), done;
	int error = check_range(yard, start, end);

	if (error)
		return error;
	if (crosses_edge(yard, first) || crosses_edge(yard, last + size))
		return YARD_EBUSY;
	error = isolate_block(yard, first, first, first + size, mode);
	if (error)
		return error;
	if (last != first && (error = isolate_block(yard, last, last, last + size, mode))) {
		unisolate_block(yard, first);
		return error;
	}
	for (done = first + size; !error && done < last; done += size)
		error = isolate_block(yard, done, done, done + size, mode);
	if (!error)
		return YARD_OK;
	for (uint32_t pfn = first + size; pfn + size < done; pfn += size)
		unisolate_block(yard, pfn);
	unisolate_block(yard, first);
	if (last != first)
		unisolate_block(yard, last);
	return error;
}

int yard_unisolate_range(struct yard *yard, uint32_t start, uint32_t end)
{
	int error = check_range(yard, start, end);

	if (error)
		return error;
	for (uint32_t pfn = start & ~(YARD_PAGEBLOCK_NR_PAGES - 1u); pfn < end; pfn += YARD_PAGEBLOCK_NR_PAGES)
		if (zone_of(yard, pfn))
			unisolate_block(yard, pfn);
	return YARD_OK;
}
