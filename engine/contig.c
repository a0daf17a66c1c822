// SPDX-License-Identifier: Apache-2.0
//
// Contiguous ranges (spec 01 C10, C12). Pages in use are in the way: moving them is compaction's work.

#include "engine/list.h"

// Every frame of [start, end) is in free blocks.
static bool range_free(const struct yard *yard, uint32_t start, uint32_t end)
{
	unsigned order;

	while (start < end) {
		uint32_t first = free_block_holding(yard, start, &order);

		if (first == PFN_NONE)
			return false;
		start = first + (1u << order);
	}
	return true;
}

// Takes the free blocks that hold [start, end) and makes them single allocated frames. *outer receives the span that
// they cover. The pageblocks are isolated, so no watermark is asked (C11). Looking and taking are one critical section:
// blocks on I lists still merge, and compaction may take them. False: something is in use.
static bool take_range(struct yard *yard, struct zone *zone, uint32_t start, uint32_t end, uint32_t *outer_start,
		       uint32_t *outer_end)
{
	unsigned order;
	uint32_t pfn;

	yard_spin_lock(&zone->lock);
	if (!range_free(yard, start, end)) {
		yard_spin_unlock(&zone->lock);
		return false;
	}
	*outer_start = pfn = free_block_holding(yard, start, &order);
	while (pfn < end) {
		uint32_t word = frame_word(yard, pfn), next;

		order = word_order(word);
		del_free_block(yard, zone, pfn);
		account_free_pages(yard, zone, -(int64_t)(1u << order), word_type(word));
		for (next = pfn + (1u << order); pfn < next; pfn++)
			frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, 0, 0));
	}
	yard_spin_unlock(&zone->lock);
	*outer_end = pfn;
	return true;
}

int yard_alloc_range(struct yard *yard, uint32_t start, uint32_t end, enum yard_isolate_mode mode) // C10
{
	uint32_t outer_start, outer_end;
	struct zone *zone;
	int error = yard_isolate_range(yard, start, end, mode);

	if (error)
		return error;
	zone = zone_of(yard, start);
	yard_drain_all(yard, zone->id);
	if (zone_of(yard, end - 1) != zone || !take_range(yard, zone, start, end, &outer_start, &outer_end)) {
		yard_unisolate_range(yard, start, end);
		return YARD_EBUSY;
	}
	if (outer_start < start)
		yard_free_range(yard, outer_start, start - outer_start);
	if (outer_end > end)
		yard_free_range(yard, end, outer_end - end);
	yard_unisolate_range(yard, start, end);
	return YARD_OK;
}

static bool candidate(const struct yard *yard, const struct zone *zone, uint32_t pfn, uint32_t end) // C12
{
	while (pfn < end) {
		uint32_t first;
		unsigned order;
		enum yard_frame_state state = yard_frame_state(yard, pfn, &first, &order);

		if (zone_of(yard, pfn) != zone || state == YARD_FRAME_NONE)
			return false;
		if (state == YARD_FRAME_ALLOCATED)
			return false;
		pfn = first + (1u << order);
	}
	return true;
}

uint32_t yard_alloc_contig(struct yard *yard, uint32_t nr, uint32_t gfp)
{
	const struct node *node = &yard->nodes[yard->cpu_node[this_cpu(yard)]];
	int highest = gfp_highest_zone(gfp);

	if (!nr || highest < 0)
		return PFN_NONE;
	for (const uint8_t *entry = gfp & YARD_GFP_THISNODE ? node->thisnode : node->fallback; *entry != ZONE_MIXED; entry++) {
		const struct zone *zone = zone_at(yard, *entry);
		uint64_t pfn;

		if (!zone_eligible(zone, (unsigned)highest, 0))
			continue;
		for (pfn = ((uint64_t)zone->start_pfn + nr - 1) / nr * nr; pfn + nr <= zone->end_pfn; pfn += nr) {
			if (!candidate(yard, zone, (uint32_t)pfn, (uint32_t)(pfn + nr)))
				continue;
			if (!yard_alloc_range(yard, (uint32_t)pfn, (uint32_t)(pfn + nr), YARD_ISOLATE_OTHER))
				return (uint32_t)pfn;
		}
	}
	return PFN_NONE;
}
