// SPDX-License-Identifier: Apache-2.0
//
// Regions: their numbers, given out in blocks of a power of two, their entries and swap slots, and the page-table page
// of each.

#include "sim/memory_internal.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ENTRIES = 8 }; // of a file that grows

// ---- numbers: a buddy system, whose lists are linked through the first region of each free block ----

static void push_free(struct memory *memory, uint32_t first, unsigned order)
{
	struct region *region = &memory->region[first];

	region->free.next = memory->free_region[order];
	region->free.previous = 0;
	region->free_order = (uint8_t)(order + 1);
	if (region->free.next)
		memory->region[region->free.next].free.previous = first;
	memory->free_region[order] = first;
}

static void take_free(struct memory *memory, uint32_t first, unsigned order)
{
	struct region *region = &memory->region[first];

	if (region->free.previous)
		memory->region[region->free.previous].free.next = region->free.next;
	else
		memory->free_region[order] = region->free.next;
	if (region->free.next)
		memory->region[region->free.next].free.previous = region->free.previous;
	*region = (struct region){.entry = NULL};
}

// Number 0 stays out: the owner's word 0 and the link 0 mean none.
void regions_init(struct memory *memory)
{
	for (unsigned order = 0; order + 1 < REGION_ORDERS; order++)
		push_free(memory, 1u << order, order);
}

uint32_t regions_alloc(struct memory *memory, unsigned order)
{
	unsigned found = order;
	uint32_t first;

	while (found < REGION_ORDERS && !memory->free_region[found])
		found++;
	if (found >= REGION_ORDERS)
		return 0;
	first = memory->free_region[found];
	take_free(memory, first, found);
	while (found-- > order)
		push_free(memory, first + (1u << found), found);
	return first;
}

void regions_free(struct memory *memory, uint32_t first, unsigned order)
{
	while (order + 1 < REGION_ORDERS) {
		uint32_t buddy = first ^ 1u << order;

		if (memory->region[buddy].free_order != order + 1)
			break;
		take_free(memory, buddy, order);
		first &= ~(1u << order);
		order++;
	}
	push_free(memory, first, order);
}

// ---- entries ----

static bool resize(struct simulation *sim, struct region *region, unsigned length)
{
	uint64_t *entry = realloc(region->entry, length * sizeof(*entry));
	uint32_t *slot = NULL;

	if (entry)
		region->entry = entry;
	if (entry && region->slot) {
		slot = realloc(region->slot, length * sizeof(*slot));
		region->slot = slot ? slot : region->slot;
	}
	if (!entry || (region->slot && !slot)) {
		sim_fail(sim, "no memory for the entries of logical pages");
		return false;
	}
	memset(entry + region->length, 0, (length - region->length) * sizeof(*entry));
	region->length = (uint16_t)length;
	return true;
}

// How many entries: all that the object can use, unless it is a file, which may grow.
static unsigned entries_for(const struct memory_object *object, uint64_t first, unsigned offset)
{
	uint64_t pages = object->pages - first;
	unsigned length = FIRST_ENTRIES;

	if (pages >= REGION_PAGES)
		return REGION_PAGES;
	if (object->kind == OBJECT_ANON)
		return (unsigned)pages;
	while (length < pages || length <= offset)
		length *= 2;
	return length;
}

bool region_make_entries(struct simulation *sim, struct memory_object *object, struct region *region, unsigned offset)
{
	uint64_t first = (uint64_t)(region - sim->memory->region - object->first_region) << REGION_SHIFT;

	if (offset < region->length)
		return true;
	if (!resize(sim, region, entries_for(object, first, offset)))
		return false;
	region->object = object;
	return true;
}

void region_drop_entries(struct region *region)
{
	free(region->entry);
	free(region->numa);
	region->entry = NULL;
	region->numa = NULL;
	region->length = 0;
}

bool region_make_slots(struct simulation *sim, struct region *region)
{
	if (region->slot)
		return true;
	region->slot = malloc((region->huge ? REGION_PAGES : region->length) * sizeof(*region->slot));
	if (!region->slot)
		sim_fail(sim, "no memory for the swap slots of logical pages");
	return region->slot != NULL;
}

void region_drop_slots(struct region *region)
{
	free(region->slot);
	region->slot = NULL;
}

// ---- page tables ----

bool region_map(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	uint32_t pfn;
	struct region *region;

	if (region_of(sim, object, page)->page_table)
		return true;
	pfn = sim_alloc(sim, REQUEST_PAGE_TABLE, YARD_GFP_KERNEL_ACCOUNT | YARD_GFP_ZERO, 0, -1);
	if (pfn == YARD_PFN_NONE)
		return false;
	region = region_of(sim, object, page);
	if (region->page_table) { // another thread was faster
		sim_free(sim, pfn, 0);
		return true;
	}
	sim_charge(sim, COST_PAGE_TABLE, 1);
	region->page_table = pfn + 1;
	region->object = object;
	sim->memory->statistics.page_tables++;
	if (object->process)
		object->process->page_tables++;
	return true;
}

void region_free_page_table(struct simulation *sim, struct memory_object *object, struct region *region)
{
	if (!region->page_table)
		return;
	sim_free(sim, region->page_table - 1, 0);
	region->page_table = 0;
	sim->memory->statistics.page_tables--;
	if (object->process)
		object->process->page_tables--;
}
