// SPDX-License-Identifier: Apache-2.0
//
// Pageblocks: their types and flag bits (spec 01 section 1.3), which zone they lie in, what they hold.

#include "engine/mm.h"

static void store_bits(struct yard *yard, uint32_t pfn, unsigned bits)
{
	atomic_store_explicit(&pageblock_of(yard, pfn)->bits, (uint8_t)bits, memory_order_relaxed);
}

void set_pageblock_type(struct yard *yard, uint32_t pfn, unsigned type) // M9
{
	unsigned bits = pageblock_bits(yard, pfn);

	YARD_ASSERT(type != YARD_ISOLATE, pfn);
	if (yard->mobility_disabled && mergeable_type(type))
		type = YARD_UNMOVABLE;
	store_bits(yard, pfn, (bits & ~(PB_TYPE | PB_ISOLATE)) | type);
}

// M8: the base type stays, so that un-isolating restores it. Without the bit of its own (D16) the base type is lost
// and un-isolated blocks become MOVABLE, as callers of old kernels restored them.
void set_pageblock_isolate(struct yard *yard, uint32_t pfn, bool isolate)
{
	unsigned bits = pageblock_bits(yard, pfn);

	if (!yard->policy.isolate_bit && isolate)
		bits = (bits & ~PB_TYPE) | YARD_MOVABLE;
	store_bits(yard, pfn, isolate ? bits | PB_ISOLATE : bits & ~PB_ISOLATE);
}

// The spans of nodes may interleave: a pageblock inside the span may still hold frames of another zone.
bool pageblock_in_zone(const struct yard *yard, const struct zone *zone, uint32_t pfn)
{
	uint32_t first = pfn & ~(YARD_PAGEBLOCK_NR_PAGES - 1u);

	return pageblock_of(yard, pfn)->zone == zone->id && first >= zone->start_pfn && first + YARD_PAGEBLOCK_NR_PAGES <= zone->end_pfn;
}

struct zone *zone_of(const struct yard *yard, uint32_t pfn)
{
	unsigned id;

	if (!in_yard(yard, pfn))
		return NULL;
	id = pageblock_of(yard, pfn)->zone;
	if (likely(id != ZONE_MIXED))
		return zone_at(yard, id);
	for (uint32_t i = 0; i < yard->nr_memory; i++) {
		const struct yard_range *range = &yard->memory[i];

		if (pfn < range->start || pfn >= range->end)
			continue;
		for (unsigned type = 0; type < YARD_ZONE_DEVICE; type++) {
			struct zone *zone = zone_at(yard, range->node * YARD_ZONE_TYPES + type);

			if (pfn >= zone->boot_start_pfn && pfn < zone->boot_end_pfn) // memory that came later is never mixed
				return zone;
		}
	}
	return NULL;
}

void move_pageblock_free(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned to)
{
	uint32_t end;

	pfn &= ~(YARD_PAGEBLOCK_NR_PAGES - 1u);
	for (end = pfn + YARD_PAGEBLOCK_NR_PAGES; pfn < end;) {
		uint32_t word = frame_word(yard, pfn);

		if (word_state(word) != YARD_FRAME_BUDDY) {
			pfn++;
			continue;
		}
		move_free_block(yard, zone, pfn, to);
		pfn += 1u << word_order(word);
	}
}

// R11.3: free frames, and frames on the LRU or with migration callbacks. A block that is neither, or in a per-CPU
// set, counts as none of the two.
void count_pageblock(const struct yard *yard, uint32_t pfn, uint32_t *free, uint32_t *movable)
{
	uint32_t end;

	*free = *movable = 0;
	pfn &= ~(YARD_PAGEBLOCK_NR_PAGES - 1u);
	for (end = pfn + YARD_PAGEBLOCK_NR_PAGES; pfn < end;) {
		uint32_t word = frame_word(yard, pfn), nr = 1;

		if (word_state(word) != YARD_FRAME_NONE)
			nr = 1u << word_order(word);
		if (nr > end - pfn)
			nr = end - pfn;
		if (word_state(word) == YARD_FRAME_BUDDY)
			*free += nr;
		else if (word_movable(word))
			*movable += nr;
		pfn += nr;
	}
}

static bool frame_present(const struct yard *yard, uint32_t pfn)
{
	for (uint32_t i = 0; i < yard->nr_memory; i++)
		if (pfn >= yard->memory[i].start && pfn < yard->memory[i].end)
			return true;
	return false;
}

unsigned yard_pageblock_type(const struct yard *yard, uint32_t pfn)
{
	return in_yard(yard, pfn) ? pageblock_type(yard, pfn) : (unsigned)YARD_MIGRATETYPES;
}

unsigned yard_pageblock_bits(const struct yard *yard, uint32_t pfn)
{
	return in_yard(yard, pfn) ? pageblock_bits(yard, pfn) : 0;
}

int yard_zone_of(const struct yard *yard, uint32_t pfn)
{
	const struct zone *zone = zone_of(yard, pfn);

	if (!zone || pfn < zone->start_pfn || pfn >= zone->end_pfn)
		return YARD_ERANGE;
	return zone->contiguous || frame_present(yard, pfn) ? zone->id : YARD_ERANGE;
}
