// SPDX-License-Identifier: Apache-2.0
//
// Taking one block off the buddy lists when the request's own list may be empty: CMA, claim, steal (spec 01 sections
// 6.3 to 6.7). Claim converts a pageblock to the request's type; steal takes a page and leaves the block polluted.
// All functions but could_claim() need zone->lock.

#include "engine/list.h"

static const uint8_t fallbacks[YARD_PCPTYPES][2] = { // R7
	[YARD_UNMOVABLE] = { YARD_RECLAIMABLE, YARD_MOVABLE },
	[YARD_MOVABLE] = { YARD_RECLAIMABLE, YARD_UNMOVABLE },
	[YARD_RECLAIMABLE] = { YARD_UNMOVABLE, YARD_MOVABLE },
};

enum { FALLBACK_NOCLAIM = -2, FALLBACK_EMPTY = -1 };

static bool try_claim(const struct yard *yard, unsigned order, unsigned type) // R8
{
	return order >= YARD_PAGEBLOCK_ORDER / 2 || type != YARD_MOVABLE || yard->mobility_disabled;
}

// R8: the fallback type whose list of this order has a block, or why there is none.
static int find_suitable_fallback(const struct yard *yard, const struct zone *zone, unsigned order, unsigned type,
				  bool want_claim)
{
	if (want_claim && !try_claim(yard, order, type))
		return FALLBACK_NOCLAIM;
	if (!zone_nr_free(zone, order))
		return FALLBACK_EMPTY;
	for (unsigned i = 0; i < 2; i++)
		if (!list_empty(&zone->free[order][fallbacks[type][i]]))
			return fallbacks[type][i];
	return FALLBACK_EMPTY;
}

bool could_claim(const struct yard *yard, const struct zone *zone, unsigned order, unsigned type)
{
	return find_suitable_fallback(yard, zone, order, type, true) >= 0;
}

static void emit_extfrag(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned fallback_order,
			 unsigned type, unsigned fallback) // R14
{
	EMIT(yard, .kind = YARD_EVENT_PAGE_ALLOC_EXTFRAG, .pfn = pfn, .order = (uint8_t)order,
	     .migratetype = (uint8_t)type, .zone = zone->id, .a = (int32_t)fallback_order, .b = (int32_t)fallback,
	     .c = pageblock_type(yard, pfn) == type);
}

// R10: the whole free block changes its type.
static uint32_t claim_whole(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned current_order, unsigned order,
			    unsigned type, unsigned fallback)
{
	del_free_block(yard, zone, pfn);
	account_free_pages(yard, zone, -(int64_t)(1u << current_order), fallback);
	for (uint32_t p = pfn; p < pfn + (1u << current_order); p += YARD_PAGEBLOCK_NR_PAGES)
		set_pageblock_type(yard, p, type);
	expand(yard, zone, pfn, current_order, order, type);
	account_free_pages(yard, zone, (int64_t)(1u << current_order) - (1u << order), type);
	frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, order, 0));
	return pfn;
}

// R11.3: how many frames of the pageblock are free or would suit the new type anyway.
static bool block_is_worth_claiming(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned type, unsigned fallback)
{
	uint32_t free, movable, alike;

	count_pageblock(yard, pfn, &free, &movable);
	if (type == YARD_MOVABLE)
		alike = movable;
	else if (fallback == YARD_MOVABLE)
		alike = YARD_PAGEBLOCK_NR_PAGES - (free + movable);
	else
		alike = 0;
	if (free + alike >= YARD_PAGEBLOCK_NR_PAGES / 2 || yard->mobility_disabled)
		return true;
	WHY(yard, .kind = YARD_EVENT_WHY_NO_CLAIM, .pfn = pfn, .zone = zone->id, .a = (int32_t)free, .b = (int32_t)alike);
	return false;
}

// R10, R11: PFN_NONE when the block is not to be claimed.
static uint32_t try_claim_block(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned current_order,
				unsigned order, unsigned type, unsigned fallback, unsigned flags)
{
	EMIT(yard, .kind = YARD_EVENT_CLAIM_TRY, .pfn = pfn, .order = (uint8_t)order, .migratetype = (uint8_t)type,
	     .zone = zone->id, .a = (int32_t)current_order, .b = (int32_t)fallback);
	if (current_order >= YARD_PAGEBLOCK_ORDER)
		return claim_whole(yard, zone, pfn, current_order, order, type, fallback);
	yard_host_charge(&yard->host, YARD_COST_CLAIM, 1);
	boost_watermark(yard, zone, flags); // R11.1: before it is known whether the claim succeeds
	if (!pageblock_in_zone(yard, zone, pfn) || !block_is_worth_claiming(yard, zone, pfn, type, fallback))
		return PFN_NONE;
	move_pageblock_free(yard, zone, pfn, type);
	set_pageblock_type(yard, pfn, type);
	return take_smallest(yard, zone, order, type);
}

// R9: the largest block first.
static uint32_t claim(struct yard *yard, struct zone *zone, unsigned order, unsigned type, unsigned flags)
{
	unsigned low = order;

	if (order < YARD_PAGEBLOCK_ORDER && flags & ALLOC_NOFRAGMENT)
		low = YARD_PAGEBLOCK_ORDER;
	for (unsigned o = YARD_MAX_PAGE_ORDER + 1; o-- > low;) {
		int fallback = find_suitable_fallback(yard, zone, o, type, true);
		uint32_t pfn;

		if (fallback == FALLBACK_EMPTY)
			continue;
		if (fallback == FALLBACK_NOCLAIM)
			break;
		pfn = try_claim_block(yard, zone, zone->free[o][fallback].head, o, order, type, (unsigned)fallback, flags);
		if (pfn == PFN_NONE)
			continue;
		emit_extfrag(yard, zone, pfn, order, o, type, (unsigned)fallback);
		return pfn;
	}
	return PFN_NONE;
}

// R13: the smallest block first; the rest stays on its own type's lists.
static uint32_t steal(struct yard *yard, struct zone *zone, unsigned order, unsigned type)
{
	for (unsigned o = order; o <= YARD_MAX_PAGE_ORDER; o++) {
		int fallback = find_suitable_fallback(yard, zone, o, type, false);
		uint32_t pfn;

		if (fallback < 0)
			continue;
		pfn = zone->free[o][fallback].head;
		del_free_block(yard, zone, pfn);
		expand(yard, zone, pfn, o, order, (unsigned)fallback);
		account_free_pages(yard, zone, -(int64_t)(1u << order), (unsigned)fallback);
		frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, order, 0));
		emit_extfrag(yard, zone, pfn, order, o, type, (unsigned)fallback);
		return pfn;
	}
	return PFN_NONE;
}

uint32_t yard_peek_fallback(const struct yard *yard, unsigned id, unsigned order, unsigned migratetype, bool claim_block,
			    unsigned high, bool nofragment, unsigned *found_order, unsigned *found_type)
{
	const struct zone *zone;
	unsigned low = claim_block && nofragment && order < YARD_PAGEBLOCK_ORDER ? YARD_PAGEBLOCK_ORDER : order;

	if (id >= yard->nr_zones || migratetype >= YARD_PCPTYPES)
		return PFN_NONE;
	zone = zone_at(yard, id);
	for (unsigned i = 0; low + i <= high; i++) {
		unsigned o = claim_block ? high - i : low + i;
		int fallback = find_suitable_fallback(yard, zone, o, migratetype, claim_block);

		if (fallback == FALLBACK_NOCLAIM)
			break;
		if (fallback == FALLBACK_EMPTY)
			continue;
		*found_order = o;
		*found_type = (unsigned)fallback;
		return zone->free[o][fallback].head;
	}
	return PFN_NONE;
}

// R6.0: movable requests use CMA first when more than half of the free memory is CMA.
static bool cma_first(const struct zone *zone)
{
	return zone_stat(zone, YARD_NR_FREE_CMA_PAGES) > zone_stat(zone, YARD_NR_FREE_PAGES) / 2;
}

uint32_t rmqueue_buddy_one(struct yard *yard, struct zone *zone, unsigned order, unsigned type, unsigned flags,
			   enum rmqueue_mode *mode, enum yard_path *path)
{
	uint32_t pfn;

	*path = YARD_PATH_REFILL;
	if (flags & ALLOC_CMA && cma_first(zone)) {
		pfn = take_smallest(yard, zone, order, YARD_CMA);
		if (pfn != PFN_NONE)
			return pfn;
	}
	if (*mode == RMQUEUE_NORMAL) {
		pfn = take_smallest(yard, zone, order, type);
		if (likely(pfn != PFN_NONE))
			return pfn;
	}
	if (*mode <= RMQUEUE_CMA && flags & ALLOC_CMA) {
		pfn = take_smallest(yard, zone, order, YARD_CMA);
		if (pfn != PFN_NONE) {
			*mode = RMQUEUE_CMA;
			return pfn;
		}
	}
	if (*mode != RMQUEUE_STEAL) {
		pfn = claim(yard, zone, order, type, flags);
		if (pfn != PFN_NONE) {
			*mode = RMQUEUE_NORMAL;
			*path = YARD_PATH_CLAIM;
			return pfn;
		}
	}
	if (flags & ALLOC_NOFRAGMENT)
		return PFN_NONE;
	pfn = steal(yard, zone, order, type);
	if (pfn != PFN_NONE) {
		*mode = RMQUEUE_STEAL;
		*path = YARD_PATH_STEAL;
	}
	return pfn;
}
