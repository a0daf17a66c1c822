// SPDX-License-Identifier: Apache-2.0
//
// Huge pages at fault time (spec 02 E-2).

#include "sim/memory_internal.h"

// Nothing is in the region, not even a page table, and all of it belongs to the object.
static bool huge_possible(const struct simulation *sim, const struct memory_object *object, uint64_t page)
{
	const struct region *region = region_of(sim, object, page);

	return object->huge && (page | (REGION_PAGES - 1)) < object->pages && !region->huge && !region->used
	       && !region->page_table;
}

enum thp_fault fault_huge(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	struct region *region;
	uint32_t pfn;

	if (!huge_possible(sim, object, page))
		return THP_NOT_POSSIBLE;
	pfn = sim_alloc_huge(sim, object->huge_gfp, object, page);
	if (pfn == YARD_PFN_NONE) {
		sim->memory->statistics.thp_fault_fallback++;
		return THP_FELL_BACK;
	}
	sim_charge(sim, COST_ZERO_HUGE, 1);
	if (!huge_possible(sim, object, page) || !region_map(sim, object, page)) { // another thread was faster
		sim_free(sim, pfn, SIM_HUGE_ORDER);
		return THP_NOT_POSSIBLE;
	}
	region = region_of(sim, object, page);
	if (region->huge || region->used) { // while it waited for the page table
		sim_free(sim, pfn, SIM_HUGE_ORDER);
		return THP_NOT_POSSIBLE;
	}
	region->huge = pfn + 1;
	region->object = object;
	yard_set_owner(sim->yard, pfn, owner_word(object, page & ~(uint64_t)(REGION_PAGES - 1)));
	object->huge_pages += REGION_PAGES;
	count_resident(sim, object, pfn, REGION_PAGES);
	sim->memory->statistics.thp_fault_alloc++;
	yard_lru_add(sim->yard, pfn, object_lru_flags(object), (enum yard_mapping)object->mapping);
	yard_lru_touch(sim->yard, pfn, 1, false);
	return THP_ALLOCATED;
}

enum thp_fault memory_touch_huge(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	enum thp_fault result = fault_huge(sim, object, page);

	if (result == THP_ALLOCATED) {
		sim->memory->statistics.pgfault++;
		sim_charge(sim, COST_FAULT, 1);
	}
	sim_point(sim);
	return result;
}
