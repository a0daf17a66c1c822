// SPDX-License-Identifier: Apache-2.0
//
// The HIGHATOMIC reserve (spec 01 section 9): pageblocks kept for high-order requests that cannot wait.

#include "engine/list.h"

static uint32_t reserve_limit(const struct zone *zone)
{
	uint32_t pages = zone->managed / 100;

	return (pages + YARD_PAGEBLOCK_NR_PAGES - 1) / YARD_PAGEBLOCK_NR_PAGES * YARD_PAGEBLOCK_NR_PAGES;
}

void reserve_highatomic(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order) // H1
{
	unsigned type;

	if (zone->managed / 100 < YARD_PAGEBLOCK_NR_PAGES)
		return;
	yard_spin_lock(&zone->lock);
	type = pageblock_type(yard, pfn);
	if (zone->nr_reserved_highatomic >= reserve_limit(zone) || !mergeable_type(type))
		goto out;
	if (order < YARD_PAGEBLOCK_ORDER) {
		if (!pageblock_in_zone(yard, zone, pfn))
			goto out;
		EMIT(yard, .kind = YARD_EVENT_MOVE_BLOCK, .pfn = pfn, .zone = zone->id, .a = (int32_t)type,
		     .b = YARD_HIGHATOMIC);
		move_pageblock_free(yard, zone, pfn, YARD_HIGHATOMIC);
		set_pageblock_type(yard, pfn, YARD_HIGHATOMIC);
		zone->nr_reserved_highatomic += YARD_PAGEBLOCK_NR_PAGES;
	} else {
		for (uint32_t p = pfn; p < pfn + (1u << order); p += YARD_PAGEBLOCK_NR_PAGES)
			set_pageblock_type(yard, p, YARD_HIGHATOMIC);
		zone->nr_reserved_highatomic += 1u << order;
	}
out:
	yard_spin_unlock(&zone->lock);
}

// H2 for one zone, zone->lock held: the first block that lets itself be moved.
static bool unreserve_in(struct yard *yard, struct zone *zone, unsigned type)
{
	for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++) {
		uint32_t pfn = zone->free[order][YARD_HIGHATOMIC].head, size;

		if (pfn == PFN_NONE)
			continue;
		size = order > YARD_PAGEBLOCK_ORDER ? 1u << order : YARD_PAGEBLOCK_NR_PAGES;
		zone->nr_reserved_highatomic -= (uint32_t)min64(size, zone->nr_reserved_highatomic);
		if (order < YARD_PAGEBLOCK_ORDER) {
			if (!pageblock_in_zone(yard, zone, pfn))
				continue;
			EMIT(yard, .kind = YARD_EVENT_MOVE_BLOCK, .pfn = pfn, .zone = zone->id, .a = YARD_HIGHATOMIC,
			     .b = (int32_t)type);
			move_pageblock_free(yard, zone, pfn, type);
			set_pageblock_type(yard, pfn, type);
		} else {
			move_free_block(yard, zone, pfn, type);
			for (uint32_t p = pfn; p < pfn + (1u << order); p += YARD_PAGEBLOCK_NR_PAGES)
				set_pageblock_type(yard, p, type);
		}
		return true;
	}
	return false;
}

bool yard_unreserve_highatomic(struct yard *yard, unsigned node, unsigned highest_zone, uint64_t nodemask,
			       unsigned migratetype, bool force)
{
	bool moved = false;

	if (node >= yard->nr_nodes || migratetype >= YARD_PCPTYPES)
		return false;
	for (const uint8_t *entry = yard->nodes[node].fallback; *entry != ZONE_MIXED && !moved; entry++) {
		struct zone *zone = zone_at(yard, *entry);

		if (!zone_eligible(zone, highest_zone, nodemask))
			continue;
		yard_spin_lock(&zone->lock);
		if (force || zone->nr_reserved_highatomic > YARD_PAGEBLOCK_NR_PAGES)
			moved = unreserve_in(yard, zone, migratetype);
		yard_spin_unlock(&zone->lock);
	}
	return moved;
}
