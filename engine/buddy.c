// SPDX-License-Identifier: Apache-2.0
//
// Free lists of a zone: putting blocks on them with merging, taking blocks off them with splitting (spec 01 sections
// 5 and 6.2). The order of every list is part of the behaviour: which end a block joins decides which frame a later
// request gets. All functions need zone->lock.

#include "engine/mm.h"

// The block's zone, tested only where a pageblock may belong to several zones or the buddy lies in another pageblock.
static bool same_zone(const struct yard *yard, const struct zone *zone, uint32_t pfn)
{
	unsigned id = pageblock_of(yard, pfn)->zone;

	if (likely(id == zone->id))
		return true;
	return id == ZONE_MIXED && zone_of(yard, pfn) == zone;
}

// B1: the first frame of a free block of exactly this order in the same zone.
static HOT bool is_free_buddy(const struct yard *yard, const struct zone *zone, uint32_t pfn, unsigned order)
{
	const uint32_t want = make_word(YARD_FRAME_BUDDY, order, 0);

	if (!in_yard(yard, pfn))
		return false;
	if ((frame_word(yard, pfn) & (FRAME_STATE | 0xfu << FRAME_ORDER_SHIFT)) != want)
		return false;
	return same_zone(yard, zone, pfn);
}

// W14
static HOT void account_blocks(struct yard *yard, struct zone *zone, unsigned order, unsigned type, int sign)
{
	if (order >= YARD_PAGEBLOCK_ORDER && type != YARD_ISOLATE)
		zone_mod_stat(yard, zone, YARD_NR_FREE_PAGES_BLOCKS, sign * (int64_t)(1u << order));
}

static void mod_nr_free(struct zone *zone, unsigned order, int32_t delta)
{
	uint32_t n = zone_nr_free(zone, order);

	atomic_store_explicit(&zone->nr_free[order], n + (uint32_t)delta, memory_order_relaxed);
}

static HOT void list_free_block(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned type, bool tail)
{
	frame_set_word(yard, pfn, make_word(YARD_FRAME_BUDDY, order, type));
	if (tail)
		list_add_tail(yard, &zone->free[order][type], pfn);
	else
		list_add_head(yard, &zone->free[order][type], pfn);
	mod_nr_free(zone, order, 1);
	account_blocks(yard, zone, order, type, 1);
}

// A block that was never off the books as free memory: put on its list without merging.
void put_free_block(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned type)
{
	list_free_block(yard, zone, pfn, order, type, false);
	account_free_pages(yard, zone, 1u << order, type);
}

static HOT void unlist_free_block(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned type)
{
	list_del(yard, &zone->free[order][type], pfn);
	frame_set_word(yard, pfn, 0);
	mod_nr_free(zone, order, -1);
	account_blocks(yard, zone, order, type, -1);
}

void del_free_block(struct yard *yard, struct zone *zone, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);

	unlist_free_block(yard, zone, pfn, word_order(word), word_type(word));
}

// To the tail of another type's list. Moves among U, M, R, H, C leave the whole-block counter alone (W14).
void move_free_block(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned to)
{
	uint32_t word = frame_word(yard, pfn);
	unsigned order = word_order(word), from = word_type(word);

	list_del(yard, &zone->free[order][from], pfn);
	frame_set_word(yard, pfn, make_word(YARD_FRAME_BUDDY, order, to));
	list_add_tail(yard, &zone->free[order][to], pfn);
	account_free_pages(yard, zone, -(int64_t)(1u << order), from);
	account_free_pages(yard, zone, 1u << order, to);
	if ((from == YARD_ISOLATE) != (to == YARD_ISOLATE)) {
		account_blocks(yard, zone, order, from, -1);
		account_blocks(yard, zone, order, to, 1);
	}
}

// B3: a further merge is likely when the block's buddy's pair, one order up, is free already.
static bool merge_likely(const struct yard *yard, const struct zone *zone, uint32_t pfn, unsigned order)
{
	if (order > YARD_MAX_PAGE_ORDER - 2)
		return false;
	return is_free_buddy(yard, zone, (pfn & ~(1u << order)) ^ (1u << (order + 1)), order + 1);
}

// B2.2c: may a block of type `type` merge with this buddy, given that both are whole pageblocks?
static bool types_merge(unsigned type, unsigned buddy_type)
{
	return type == buddy_type || (mergeable_type(type) && mergeable_type(buddy_type));
}

static void retype_pageblocks(struct yard *yard, uint32_t pfn, unsigned order, unsigned type)
{
	for (uint32_t end = pfn + (1u << order); pfn < end; pfn += YARD_PAGEBLOCK_NR_PAGES)
		set_pageblock_type(yard, pfn, type);
}

// B2
void free_one(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned type, enum fpi_flags fpi)
{
	account_free_pages(yard, zone, 1u << order, type);
	for (; order < YARD_MAX_PAGE_ORDER; order++) {
		uint32_t buddy = pfn ^ (1u << order);

		if (unlikely(atomic_load_explicit(&yard->nr_captures, memory_order_relaxed))
		    && captured(yard, zone, pfn, order, type)) { // B9
			account_free_pages(yard, zone, -(int64_t)(1u << order), type);
			return;
		}
		if (!is_free_buddy(yard, zone, buddy, order))
			break;
		if (unlikely(order >= YARD_PAGEBLOCK_ORDER)) {
			unsigned buddy_type = pageblock_type(yard, buddy);

			if (!types_merge(type, buddy_type))
				break;
			del_free_block(yard, zone, buddy);
			if (buddy_type != type)
				retype_pageblocks(yard, buddy, order, type);
		} else {
			unlist_free_block(yard, zone, buddy, order, word_type(frame_word(yard, buddy)));
		}
		pfn &= buddy;
		yard_host_charge(&yard->host, YARD_COST_SPLIT, 1);
	}
	list_free_block(yard, zone, pfn, order, type, fpi & FPI_TO_TAIL || merge_likely(yard, zone, pfn, order));
}

// B5: each whole pageblock with the type that it has.
void free_pieces(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, enum fpi_flags fpi)
{
	uint32_t end = pfn + (1u << order);

	if (order > YARD_PAGEBLOCK_ORDER)
		order = YARD_PAGEBLOCK_ORDER;
	for (; pfn != end; pfn += 1u << order)
		free_one(yard, zone, pfn, order, pageblock_type(yard, pfn), fpi);
}

// R5: the upper halves go to the heads of their lists, so that what remains is the lowest piece.
void expand(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned high, unsigned low, unsigned type)
{
	yard_host_charge(&yard->host, YARD_COST_SPLIT, high - low);
	while (high > low) {
		high--;
		list_free_block(yard, zone, pfn + (1u << high), high, type, false);
	}
}

// R4. The page taken is ALLOCATED.
uint32_t take_smallest(struct yard *yard, struct zone *zone, unsigned order, unsigned type)
{
	for (unsigned o = order; o <= YARD_MAX_PAGE_ORDER; o++) {
		uint32_t pfn = zone->free[o][type].head;

		if (pfn == PFN_NONE)
			continue;
		unlist_free_block(yard, zone, pfn, o, type);
		expand(yard, zone, pfn, o, order, type);
		account_free_pages(yard, zone, -(int64_t)(1u << order), type);
		frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, order, 0));
		EMIT(yard, .kind = YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED, .pfn = pfn, .order = (uint8_t)order,
		     .migratetype = (uint8_t)type, .zone = zone->id,
		     .a = pcp_allowed_order(order) && mergeable_type(type));
		return pfn;
	}
	return PFN_NONE;
}

uint32_t free_block_holding(const struct yard *yard, uint32_t pfn, unsigned *order)
{
	for (unsigned o = 0; o <= YARD_MAX_PAGE_ORDER; o++) {
		uint32_t first = pfn & ~((1u << o) - 1), word;

		if (!in_yard(yard, first))
			break;
		word = frame_word(yard, first);
		if (word_state(word) == YARD_FRAME_BUDDY && word_order(word) >= o) {
			*order = word_order(word);
			return first;
		}
	}
	return PFN_NONE;
}
