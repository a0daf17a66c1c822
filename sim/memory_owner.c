// SPDX-License-Identifier: Apache-2.0
//
// What the engine asks of the owner of pages (pageyard/owner.h): their places change, they leave, they go to swap.
//
// Mappings are the engine's to know (yard_lru_map(), yard_lru_touch()): there is nothing to do for unmap, referenced
// and unmap_for_move. An access between unmapping and moving goes to the old place, which does no harm: pages have no
// content here.

#include "sim/memory_internal.h"

#include "sim/page_cache.h"
#include "sim/swap_device.h"

// The region of a page's block if it is still the one that the frame says; NULL: the frame belongs to nobody.
static struct region *region_of_frame(struct simulation *sim, uint32_t pfn, struct memory_object **object,
				      uint64_t *page)
{
	struct region *region;
	uint64_t entry;

	*object = object_of(sim, yard_get_owner(sim->yard, pfn), page);
	if (!*object)
		return NULL;
	region = region_of(sim, *object, *page);
	entry = region_entry(region, *page & (REGION_PAGES - 1));
	if (region->huge ? region->huge == pfn + 1 : entry & ENTRY_RESIDENT && entry_frame(entry) == pfn)
		return region;
	sim_fail(sim, "frame %u says it is page %llu of object %u", pfn, (unsigned long long)*page, (*object)->id);
	return NULL;
}

// ---- moving ----

static enum yard_move_result move(void *context, uint32_t from, uint32_t to, unsigned order,
				  enum yard_migrate_mode mode)
{
	struct simulation *sim = context;
	uint32_t owner = yard_get_owner(sim->yard, from);
	struct memory_object *object;
	struct region *region;
	unsigned offset;
	uint64_t page;

	(void)mode;
	if (owner != OWNER_ORPHAN && owner & OWNER_ZRAM)
		return zram_move(sim, owner & ~OWNER_ZRAM, from, to) ? YARD_MOVE_DONE : YARD_MOVE_BUSY;
	region = region_of_frame(sim, from, &object, &page);
	if (!region || under_writeback(sim, from))
		return YARD_MOVE_BUSY;
	count_moved(sim, object, from, to, 1 << order);
	if (region->huge) {
		region->huge = to + 1;
		return YARD_MOVE_DONE;
	}
	offset = page & (REGION_PAGES - 1);
	for (unsigned i = 0; i < 1u << order; i++)
		set_entry(region, offset + i, make_entry(to + i, order, entry_bits(region->entry[offset + i])));
	return YARD_MOVE_DONE;
}

// ---- reclaim ----

static bool release_huge(struct simulation *sim, struct memory_object *object, struct region *region, uint64_t shadow)
{
	uint32_t pfn = region->huge - 1;
	bool slots = region->slots;

	if (!region_make_entries(sim, object, region, REGION_PAGES - 1))
		return false;
	region->huge = 0;
	region->huge_protected = region->huge_hint = false;
	for (unsigned i = 0; i < REGION_PAGES; i++)
		set_entry(region, i, shadow | (slots ? ENTRY_IN_SWAP : 0));
	object->huge_pages -= REGION_PAGES;
	count_resident(sim, object, pfn, -REGION_PAGES);
	count_swapped(object, slots ? REGION_PAGES : 0);
	return true;
}

static bool release(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	struct simulation *sim = context;
	struct memory_object *object;
	struct region *region;
	unsigned offset;
	uint64_t page, entry;

	region = region_of_frame(sim, pfn, &object, &page);
	if (!region)
		return false;
	if (region->huge)
		return release_huge(sim, object, region, shadow);
	offset = page & (REGION_PAGES - 1);
	entry = region->entry[offset];
	if (entry & ENTRY_DIRTY)
		return false;
	if (object->file)
		process_group_scanned(sim, (unsigned)(entry & ENTRY_GROUP) >> ENTRY_GROUP_SHIFT, 1u << order);
	for (unsigned i = 0; i < 1u << order; i++)
		set_entry(region, offset + i, shadow | (entry & ENTRY_IN_SWAP));
	count_resident(sim, object, pfn, -(1 << order));
	count_swapped(object, entry & ENTRY_IN_SWAP ? 1 : 0);
	return true;
}

static void wake_flusher(void *context, unsigned node)
{
	(void)node;
	page_cache_wake_flusher(context);
}

// ---- swap ----

static bool swap_slot(void *context, uint32_t pfn, unsigned order)
{
	struct simulation *sim = context;
	struct memory_object *object;
	struct region *region;
	uint64_t page;
	uint32_t slot;

	region = region_of_frame(sim, pfn, &object, &page);
	if (!region || !region_make_slots(sim, region))
		return false;
	slot = swap_slots_take(sim, order);
	if (slot == SWAP_SLOT_NONE) {
		if (!region->slots)
			region_drop_slots(region);
		return false;
	}
	for (unsigned i = 0; i < 1u << order; i++)
		region->slot[(page & (REGION_PAGES - 1)) + i] = slot + i;
	region->slots = (uint16_t)(region->slots + (1u << order));
	if (region->huge)
		region->huge_protected = true;
	else
		change_block(region, page & (REGION_PAGES - 1), 0, ENTRY_IN_SWAP | ENTRY_PROTECTED);
	return true;
}

void free_page_slot(struct simulation *sim, struct region *region, unsigned offset)
{
	swap_slot_free(sim, region->slot[offset]);
	region->slots--;
}

// Its slots, but not the engine's count of them.
static void forget_slots(struct simulation *sim, struct region *region, unsigned offset)
{
	if (region->huge) {
		for (unsigned i = 0; i < REGION_PAGES; i++)
			swap_slot_forget(sim, region->slot[i]);
		region->slots = 0;
		region->huge_protected = false;
	} else {
		swap_slot_forget(sim, region->slot[offset]);
		region->slots--;
		change_block(region, offset, ENTRY_IN_SWAP | ENTRY_PROTECTED, 0);
	}
	if (!region->slots)
		region_drop_slots(region);
}

static void swap_release(void *context, uint32_t pfn, unsigned order) // W-5
{
	struct simulation *sim = context;
	struct memory_object *object;
	struct region *region;
	uint64_t page;

	(void)order;
	region = region_of_frame(sim, pfn, &object, &page);
	if (region)
		forget_slots(sim, region, page & (REGION_PAGES - 1));
}

void leave_swap_cache(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	struct region *region = region_of(sim, object, page);
	unsigned offset = page & (REGION_PAGES - 1), pages = region->huge ? REGION_PAGES : 1;
	uint32_t pfn = region->huge ? region->huge - 1 : entry_frame(region->entry[offset]);

	forget_slots(sim, region, offset);
	yard_swap_free(sim->yard, pages);
	yard_lru_set(sim->yard, pfn, YARD_PAGE_SWAPCACHE, false);
	yard_lru_set(sim->yard, pfn, YARD_PAGE_DIRTY, true);
}

static enum yard_write_result write_out(void *context, uint32_t pfn, unsigned order)
{
	struct simulation *sim = context;
	struct memory_object *object;
	struct region *region;
	uint64_t page;
	enum yard_write_result result;

	region = region_of_frame(sim, pfn, &object, &page);
	if (!region || !region->slot)
		return YARD_WRITE_REFUSED;
	result = swap_write_out(sim, pfn, order, region->slot[page & (REGION_PAGES - 1)]);
	if (order && (result == YARD_WRITE_STARTED || result == YARD_WRITE_DONE))
		sim->memory->statistics.thp_swpout++;
	return result;
}

// C-7.8: no run of slots for a huge page.
static bool split(void *context, uint32_t pfn, unsigned order)
{
	struct simulation *sim = context;
	struct memory_object *object;
	struct region *region;
	uint64_t page;
	uint32_t note;

	region = region_of_frame(sim, pfn, &object, &page);
	if (!region || !region->huge || region->slots)
		return false;
	if (!region_make_entries(sim, object, region, REGION_PAGES - 1)
	    || yard_lru_split(sim->yard, pfn, order) != YARD_OK)
		return false;
	note = region->numa ? region->numa[0] : 0;
	region->huge = 0;
	region->huge_hint = false;
	object->huge_pages -= REGION_PAGES;
	count_resident(sim, object, pfn, -REGION_PAGES);
	for (unsigned i = 0; i < REGION_PAGES; i++) {
		attach_block(sim, object, page + i, pfn + i, 0, 0);
		if (region->numa)
			region->numa[i] = note;
	}
	sim->memory->statistics.thp_split++;
	return true;
}

void memory_owner_ops(struct simulation *sim, struct yard_owner_ops *ops)
{
	ops->move = move;
	ops->release = release;
	ops->wake_flusher = wake_flusher;
	ops->context = sim;
	if (sim->machine->swap_kind == SWAP_NONE)
		return;
	ops->swap_slot = swap_slot;
	ops->swap_release = swap_release;
	ops->write_out = write_out;
	ops->split = split;
}
