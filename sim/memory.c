// SPDX-License-Identifier: Apache-2.0
//
// Objects: how they come and go, and what they let go of.

#include "sim/memory_internal.h"

#include <stdlib.h>
#include <string.h>

#include "sim/local_reclaim.h"
#include "sim/page_cache_internal.h"
#include "sim/swap_device.h"

enum { PAGES_AT_ONCE = 32 }; // freed between two points at which others may run

// ---- life ----

static bool create_devices(struct simulation *sim, struct memory *memory)
{
	const struct machine *machine = sim->machine;

	memory->device = calloc(machine->nr_devices + 1, sizeof(memory->device[0]));
	if (!memory->device)
		return false;
	for (uint32_t i = 0; i < machine->nr_devices; i++) {
		memory->device[i] = device_create(sim, &machine->device[i], i);
		if (!memory->device[i])
			return false;
	}
	return true;
}

bool memory_create(struct simulation *sim)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	sim->memory = memory;
	if (memory)
		memory->region = calloc(REGIONS, sizeof(memory->region[0]));
	if (!memory || !memory->region || !create_devices(sim, memory)) {
		sim_fail(sim, "no memory for the memory model");
		return false;
	}
	regions_init(memory);
	return true;
}

static void forget_object(struct memory *memory, struct memory_object *object)
{
	uint32_t regions = 1u << object->region_order;

	for (struct region *region = &memory->region[object->first_region]; regions--; region++) {
		region_drop_entries(region);
		region_drop_slots(region);
	}
	free(object->resident_on);
	numa_balancing_forget(object);
	free(object);
}

void memory_destroy(struct simulation *sim)
{
	struct memory *memory = sim->memory;

	if (!memory)
		return;
	while (memory->objects) {
		struct memory_object *next = memory->objects->next;

		forget_object(memory, memory->objects);
		memory->objects = next;
	}
	for (uint32_t i = 0; memory->device && i < sim->machine->nr_devices; i++)
		device_destroy(memory->device[i]);
	free(memory->device);
	page_io_destroy(memory);
	free(memory->region);
	free(memory);
	sim->memory = NULL;
}

struct device *memory_device(const struct simulation *sim, unsigned index)
{
	return index < sim->machine->nr_devices ? sim->memory->device[index] : NULL;
}

const struct memory_statistics *memory_statistics(const struct simulation *sim)
{
	return &sim->memory->statistics;
}

// ---- objects ----

static unsigned order_for(uint64_t pages)
{
	uint64_t regions = (pages + REGION_PAGES - 1) >> REGION_SHIFT;
	unsigned order = 0;

	while (order < REGION_ORDERS && UINT64_C(1) << order < regions)
		order++;
	return order;
}

static void link_object(struct memory *memory, struct memory_object *object)
{
	object->next = memory->objects;
	if (object->next)
		object->next->previous = object;
	memory->objects = object;
}

static void unlink_object(struct memory *memory, struct memory_object *object)
{
	if (object->previous)
		object->previous->next = object->next;
	else
		memory->objects = object->next;
	if (object->next)
		object->next->previous = object->previous;
}

struct memory_object *object_create(struct simulation *sim, enum object_kind kind, uint64_t pages)
{
	struct memory_object *object = calloc(1, sizeof(*object));
	unsigned order = order_for(pages);

	bool nodes = sim->machine->nr_nodes > 1;

	if (object && nodes)
		object->resident_on = calloc(sim->machine->nr_nodes, sizeof(object->resident_on[0]));
	if (object && (object->resident_on || !nodes))
		object->first_region = regions_alloc(sim->memory, order);
	if (!object || !object->first_region) {
		sim_fail(sim, object && (object->resident_on || !nodes) ? "more logical pages than 2^31"
									: "no memory for an object");
		if (object)
			free(object->resident_on);
		free(object);
		return NULL;
	}
	object->kind = kind;
	object->id = ++sim->memory->next_id;
	object->pages = pages;
	object->region_order = (uint8_t)order;
	object->mapping = YARD_MAPPED;
	object->node = -1;
	object->swap_last = UINT64_MAX - 1;
	object->swap_hits = 4; // the first fault reads a window
	link_object(sim->memory, object);
	return object;
}

void object_destroy(struct simulation *sim, struct memory_object *object)
{
	uint32_t regions = 1u << object->region_order;

	object_drop(sim, object, 0, object->pages);
	for (uint32_t i = 0; i < regions; i++) {
		struct region *region = &sim->memory->region[object->first_region + i];

		if (!region->object)
			continue;
		region_free_page_table(sim, object, region);
		region_drop_entries(region);
		*region = (struct region){.entry = NULL};
	}
	regions_free(sim->memory, object->first_region, object->region_order);
	unlink_object(sim->memory, object);
	numa_balancing_forget(object);
	free(object->resident_on);
	free(object);
}

// The pages get other numbers, and their frames other owner's words.
static void renumber(struct simulation *sim, struct memory_object *object)
{
	for (uint64_t page = 0; page < object->pages; page++) {
		const struct region *region = region_of(sim, object, page);
		uint64_t entry = region_entry(region, page & (REGION_PAGES - 1));

		if (!region->used)
			page |= REGION_PAGES - 1;
		else if (entry & ENTRY_RESIDENT && entry_frame(entry) == entry_head(entry))
			yard_set_owner(sim->yard, entry_frame(entry), owner_word(object, page));
	}
}

bool object_grow(struct simulation *sim, struct memory_object *object, uint64_t pages)
{
	unsigned old_order = object->region_order, order = order_for(pages);
	uint32_t first, old = object->first_region;
	struct region *region = sim->memory->region;

	if (order > old_order) {
		first = regions_alloc(sim->memory, order);
		if (!first) {
			sim_fail(sim, "more logical pages than 2^31");
			return false;
		}
		memcpy(&region[first], &region[old], sizeof(*region) << old_order);
		memset(&region[old], 0, sizeof(*region) << old_order);
		regions_free(sim->memory, old, old_order);
		object->first_region = first;
		object->region_order = (uint8_t)order;
		renumber(sim, object);
	}
	object->pages = pages > object->pages ? pages : object->pages;
	return true;
}

uint64_t *object_entry(struct simulation *sim, struct memory_object *object, uint64_t page, bool create)
{
	struct region *region = region_of(sim, object, page);
	unsigned offset = page & (REGION_PAGES - 1);

	if (page >= object->pages || region->huge)
		return NULL;
	if (offset >= region->length && (!create || !region_make_entries(sim, object, region, offset)))
		return NULL;
	return &region->entry[offset];
}

int object_node_of(const struct simulation *sim, const struct memory_object *object, uint64_t page)
{
	const struct region *region = region_of(sim, object, page);
	uint64_t entry = region_entry(region, page & (REGION_PAGES - 1));

	if (region->huge)
		return (int)node_of_frame(sim, region->huge - 1);
	return entry & ENTRY_RESIDENT ? (int)node_of_frame(sim, entry_frame(entry)) : -1;
}

bool object_is_huge(const struct simulation *sim, const struct memory_object *object, uint64_t page)
{
	return region_of(sim, object, page)->huge;
}

struct memory_object *object_of(const struct simulation *sim, uint32_t owner, uint64_t *page)
{
	const struct region *region;

	if (owner >= OWNER_ZRAM)
		return NULL;
	region = &sim->memory->region[owner >> REGION_SHIFT];
	if (!region->object)
		return NULL;
	*page = owner - ((uint64_t)region->object->first_region << REGION_SHIFT);
	return region->object;
}

// ---- counting ----

static void count_on_node(struct simulation *sim, struct memory_object *object, uint32_t pfn, int64_t pages)
{
	if (object->cache_set)
		cache_set_count(object->cache_set, node_of_frame(sim, pfn), pages);
	if (object->resident_on)
		object->resident_on[node_of_frame(sim, pfn)] += (uint64_t)pages;
}

void count_resident(struct simulation *sim, struct memory_object *object, uint32_t pfn, int64_t pages)
{
	count_on_node(sim, object, pfn, pages);
	object->resident += (uint64_t)pages;
	if (object->process)
		object->process->resident += (uint64_t)pages;
	if (!object->resident && object->file && object->file->emptied)
		object->file->emptied(sim, object->file->emptied_context);
}

void count_moved(struct simulation *sim, struct memory_object *object, uint32_t from, uint32_t to, int64_t pages)
{
	count_on_node(sim, object, from, -pages);
	count_on_node(sim, object, to, pages);
}

void count_swapped(struct memory_object *object, int64_t pages)
{
	object->swapped += (uint64_t)pages;
	if (object->process)
		object->process->swapped += (uint64_t)pages;
}

_Static_assert(YARD_PSI_GROUPS - 1 <= ENTRY_GROUP >> ENTRY_GROUP_SHIFT, "a group fits into an entry");

// A cached page is charged to the group of the task that brings it in, whoever uses it later.
static uint32_t group_bits(const struct simulation *sim)
{
	const struct sim_task *task = task_current(sim);

	return task && task->process ? (uint32_t)task->process->group << ENTRY_GROUP_SHIFT : 0;
}

void attach_block(struct simulation *sim, struct memory_object *object, uint64_t page, uint32_t pfn, unsigned order,
		  uint32_t bits)
{
	struct region *region = region_of(sim, object, page);
	unsigned offset = page & (REGION_PAGES - 1);

	if (object->file)
		bits |= group_bits(sim);
	for (unsigned i = 0; i < 1u << order; i++)
		set_entry(region, offset + i, make_entry(pfn + i, order, bits));
	if (region->numa)
		region->numa[offset] = 0; // of a page that was here before; a block's first page has its note
	yard_set_owner(sim->yard, pfn, owner_word(object, page));
	count_resident(sim, object, pfn, 1 << order);
}

void change_block(struct region *region, unsigned offset, uint32_t clear, uint32_t set)
{
	unsigned order = entry_order(region->entry[offset]);

	offset &= ~((1u << order) - 1);
	for (unsigned i = 0; i < 1u << order; i++)
		region->entry[offset + i] = (region->entry[offset + i] & ~(uint64_t)clear) | set;
}

bool under_writeback(const struct simulation *sim, uint32_t pfn)
{
	enum yard_mapping mapping;
	uint32_t flags;
	bool lru;

	return yard_lru_get(sim->yard, pfn, &flags, &mapping, &lru) == YARD_OK && flags & YARD_PAGE_WRITEBACK;
}

// ---- letting go ----

// A device that is at work on the frame keeps it until it is done.
static void let_go(struct simulation *sim, uint32_t pfn, unsigned order, bool busy)
{
	if (!busy) {
		sim_free(sim, pfn, order);
		return;
	}
	yard_set_owner(sim->yard, pfn, OWNER_ORPHAN);
	sim->memory->statistics.orphans++;
}

static void drop_resident(struct simulation *sim, struct memory_object *object, struct region *region, unsigned offset)
{
	uint64_t entry = region->entry[offset];
	unsigned order = entry_order(entry);
	uint32_t pfn = entry_frame(entry);
	bool writeback = (object->file || entry & ENTRY_IN_SWAP) && under_writeback(sim, pfn);

	if (entry & ENTRY_DIRTY)
		file_forget_dirty(sim, object->file, 1u << order);
	// What is being written keeps its slot until then: the request knows it.
	if (entry & ENTRY_IN_SWAP && !writeback)
		free_page_slot(sim, region, offset);
	else if (entry & ENTRY_IN_SWAP)
		region->slots--;
	for (unsigned i = 0; i < 1u << order; i++)
		set_entry(region, offset + i, 0);
	count_resident(sim, object, pfn, -(1 << order));
	sim_charge(sim, COST_UNMAP, 1);
	let_go(sim, pfn, order, writeback || entry & ENTRY_READING);
}

// Of a file: a large block that is not wholly inside stays. Returns the pages that this dealt with.
static unsigned drop_page(struct simulation *sim, struct memory_object *object, uint64_t page, uint64_t end)
{
	struct region *region = region_of(sim, object, page);
	unsigned offset = page & (REGION_PAGES - 1), order, left;
	uint64_t entry = region_entry(region, offset);

	if (!(entry & ENTRY_RESIDENT)) {
		if (entry & ENTRY_IN_SWAP) {
			free_page_slot(sim, region, offset);
			count_swapped(object, -1);
		}
		if (entry)
			set_entry(region, offset, 0);
		return 1;
	}
	order = entry_order(entry);
	left = (1u << order) - (offset & ((1u << order) - 1)); // of the block, from here on
	if (left == 1u << order && left <= end - page)
		drop_resident(sim, object, region, offset);
	return left;
}

static void drop_huge(struct simulation *sim, struct memory_object *object, struct region *region)
{
	uint32_t pfn = region->huge - 1;
	bool writeback = region->slots && under_writeback(sim, pfn);

	for (unsigned i = 0; region->slots && !writeback; i++)
		free_page_slot(sim, region, i);
	region->slots = 0;
	region->huge = 0;
	region->huge_protected = region->huge_hint = false;
	object->huge_pages -= REGION_PAGES;
	count_resident(sim, object, pfn, -REGION_PAGES);
	region_free_page_table(sim, object, region);
	sim_charge(sim, COST_UNMAP, 1);
	let_go(sim, pfn, SIM_HUGE_ORDER, writeback);
}

static void drop_range_of_region(struct simulation *sim, struct memory_object *object, uint64_t from, uint64_t to)
{
	unsigned freed = 0;

	for (uint64_t page = from; page < to && region_of(sim, object, page)->used;) {
		page += drop_page(sim, object, page, to);
		if (++freed % PAGES_AT_ONCE == 0)
			sim_point(sim);
	}
}

void object_drop(struct simulation *sim, struct memory_object *object, uint64_t from, uint64_t to)
{
	uint64_t next;

	to = to < object->pages ? to : object->pages;
	for (uint64_t page = from; page < to; page = next) {
		struct region *region = region_of(sim, object, page);

		next = (page | (REGION_PAGES - 1)) + 1;
		next = next < to ? next : to;
		if (region->huge && next - page == REGION_PAGES)
			drop_huge(sim, object, region);
		else if (region->used)
			drop_range_of_region(sim, object, page, next);
		else
			continue;
		region = region_of(sim, object, page);
		if (!region->slots)
			region_drop_slots(region);
		if (!region->used)
			region_drop_entries(region);
		sim_point(sim);
	}
}

void object_unmap(struct simulation *sim, struct memory_object *object)
{
	for (uint64_t page = 0; page < object->pages; page++) {
		struct region *region = region_of(sim, object, page);
		uint64_t entry;

		if (page % REGION_PAGES == 0) {
			region_free_page_table(sim, object, region);
			sim_point(sim);
			region = region_of(sim, object, page);
		}
		if (!region->used) {
			page |= REGION_PAGES - 1;
			continue;
		}
		entry = region_entry(region, page & (REGION_PAGES - 1));
		if (entry & ENTRY_RESIDENT)
			region->entry[page & (REGION_PAGES - 1)] = entry & ~(uint64_t)ENTRY_HINT;
		if (!entry_usable(entry) || entry_frame(entry) != entry_head(entry))
			continue;
		if (yard_lru_map(sim->yard, entry_frame(entry), YARD_UNMAPPED) == YARD_OK)
			sim_charge(sim, COST_UNMAP, 1);
	}
}
