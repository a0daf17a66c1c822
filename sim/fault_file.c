// SPDX-License-Identifier: Apache-2.0
//
// Faults of file mappings: the page, and those around it that are in the cache, are mapped; the first write to a
// clean page makes it dirty.

#include "sim/page_cache_internal.h"

enum { FAULT_AROUND = 16 }; // pages

static void map_page(struct simulation *sim, const struct memory_object *object, uint32_t pfn)
{
	enum yard_mapping mapping;
	uint32_t flags;
	bool lru;

	if (yard_lru_get(sim->yard, pfn, &flags, &mapping, &lru) != YARD_OK || mapping != YARD_UNMAPPED)
		return;
	yard_lru_map(sim->yard, pfn, (enum yard_mapping)object->mapping);
	yard_lru_touch(sim->yard, pfn, 1, false);
}

static void map_around(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	uint64_t from = page & ~(uint64_t)(FAULT_AROUND - 1);
	const struct region *region = region_of(sim, object, page);

	for (uint64_t p = from; p < from + FAULT_AROUND && p < object->pages; p++) {
		uint64_t entry = region_entry(region, p & (REGION_PAGES - 1));

		if (entry_usable(entry))
			map_page(sim, object, entry_head(entry));
	}
}

static void write_to_clean(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	if (!(region_entry(region_of(sim, object, page), page & (REGION_PAGES - 1)) & ENTRY_PROTECTED))
		return;
	sim_charge(sim, COST_FAULT, 1);
	file_dirty(sim, object->file, page);
	dirty_throttle(sim, object->file);
}

enum touch_result fault_file(struct simulation *sim, struct memory_object *object, uint64_t page, bool write)
{
	bool major = false;
	uint32_t pfn;

	sim->memory->statistics.pgfault++;
	sim_charge(sim, COST_READ_FAULT, 1);
	while (!region_map(sim, object, page))
		if (fault_out_of_memory(sim))
			return TOUCH_OOM;
	do {
		pfn = file_get_page(sim, object->file, page, &major);
		if (pfn == YARD_PFN_NONE && fault_out_of_memory(sim))
			return TOUCH_OOM;
	} while (pfn == YARD_PFN_NONE);
	map_around(sim, object, page);
	yard_lru_touch(sim->yard, pfn, 1, false);
	if (write)
		write_to_clean(sim, object, page);
	sim->memory->statistics.pgmajfault += major;
	sim_point(sim);
	return major ? TOUCH_MAJOR : TOUCH_MINOR;
}
