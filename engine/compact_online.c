// SPDX-License-Identifier: Apache-2.0
//
// Which frames compaction's scanners may look at: those of their zone, in sections that are online. A section is online
// when some of it is RAM.

#include "engine/compact_scan.h"

bool frame_in_zone(const struct yard *yard, const struct zone *zone, uint64_t pfn)
{
	return pfn < yard->end_pfn && zone_of(yard, (uint32_t)pfn) == zone;
}

bool block_in_zone(const struct yard *yard, const struct zone *zone, uint64_t first, uint64_t end)
{
	return zone->contiguous || (frame_in_zone(yard, zone, first) && frame_in_zone(yard, zone, end - 1));
}

static uint64_t section_start(uint64_t pfn)
{
	return pfn / PAGES_PER_SECTION * PAGES_PER_SECTION;
}

bool section_online(const struct yard *yard, uint64_t pfn)
{
	uint64_t start = section_start(pfn);

	for (uint32_t i = 0; i < yard->nr_memory; i++)
		if (yard->memory[i].start < start + PAGES_PER_SECTION && yard->memory[i].end > start)
			return true;
	return false;
}

uint32_t next_online_section(const struct yard *yard, uint64_t pfn)
{
	if (section_online(yard, pfn))
		return PFN_NONE;
	for (uint32_t i = 0; i < yard->nr_memory; i++)
		if (yard->memory[i].start > pfn)
			return (uint32_t)section_start(yard->memory[i].start);
	return PFN_NONE;
}

uint32_t end_of_online_below(const struct yard *yard, uint64_t pfn)
{
	if (section_online(yard, pfn))
		return PFN_NONE;
	for (uint32_t i = yard->nr_memory; i-- > 0;)
		if (yard->memory[i].end <= pfn)
			return (uint32_t)section_start(yard->memory[i].end - 1) + PAGES_PER_SECTION;
	return PFN_NONE;
}

bool in_large_block(const struct yard *yard, uint64_t pfn)
{
	unsigned order;

	return pfn < yard->end_pfn && yard_frame_state(yard, (uint32_t)pfn, NULL, &order) == YARD_FRAME_ALLOCATED
	       && order >= YARD_PAGEBLOCK_ORDER;
}
