// SPDX-License-Identifier: Apache-2.0
//
// Input and output of pages: requests to devices, and what follows when a device is done.
//
// A request knows its frames, not their objects: a page that is being read or written doesn't move, and the owner's
// word tells whose it is, or that nobody wants it any more.

#include "sim/memory_internal.h"

#include <stdlib.h>

#include "sim/page_cache_internal.h"
#include "sim/swap_device.h"

// ---- requests ----

struct page_io *page_io_start(struct simulation *sim, struct device *device, enum page_io_kind kind, uint64_t offset)
{
	struct memory *memory = sim->memory;
	struct page_io *io = memory->free_io;

	if (io) {
		memory->free_io = io->next;
	} else {
		io = malloc(sizeof(*io));
		if (!io) {
			sim_fail(sim, "no memory for a request to a device");
			return NULL;
		}
		io->all_next = memory->all_io;
		memory->all_io = io;
	}
	io->sim = sim;
	io->next = NULL;
	io->device = device;
	io->file = NULL;
	io->offset = offset;
	io->kind = kind;
	io->slot = SWAP_SLOT_NONE;
	io->pages = io->nr = 0;
	return io;
}

bool page_io_fits(const struct page_io *io, uint64_t offset, uint32_t pages)
{
	return io->offset + (uint64_t)io->pages * SIM_PAGE == offset && io->pages + pages <= PAGE_IO_MAX;
}

void page_io_add(struct page_io *io, uint32_t pfn, uint32_t pages)
{
	io->pfn[io->nr++] = pfn;
	io->pages += pages;
}

void page_io_destroy(struct memory *memory)
{
	while (memory->all_io) {
		struct page_io *next = memory->all_io->all_next;

		free(memory->all_io);
		memory->all_io = next;
	}
}

// ---- what nobody wants any more ----

static void free_orphan(struct simulation *sim, uint32_t pfn)
{
	uint32_t first;
	unsigned order;

	if (yard_frame_state(sim->yard, pfn, &first, &order) != YARD_FRAME_ALLOCATED || first != pfn) {
		sim_fail(sim, "frame %u is free although a device had it", pfn);
		return;
	}
	sim->memory->statistics.orphans--;
	sim_free(sim, pfn, order);
}

// ---- reads ----

uint32_t object_lru_flags(const struct memory_object *object)
{
	uint32_t flags = object->kind == OBJECT_ANON ? YARD_PAGE_ANON | YARD_PAGE_SWAPBACKED : 0;

	return flags | (object->locked ? YARD_PAGE_UNEVICTABLE : 0);
}

// Bits of a shadow in an entry.
#define SHADOW_BITS (UINT64_C(0x1ff) | ~UINT64_C(0xffffff))

uint32_t refault_bits(struct simulation *sim, const struct memory_object *object, uint32_t pfn, uint64_t entry)
{
	int flags = yard_lru_refault(sim->yard, pfn, object_lru_flags(object), entry & SHADOW_BITS);

	if (flags <= 0)
		return 0;
	return (flags & YARD_PAGE_ACTIVE ? ENTRY_ACTIVE : 0) | (flags & YARD_PAGE_WORKINGSET ? ENTRY_WORKINGSET : 0);
}

void finish_read(struct simulation *sim, uint32_t pfn)
{
	uint32_t owner = yard_get_owner(sim->yard, pfn), flags;
	struct memory_object *object;
	struct region *region;
	unsigned offset;
	uint64_t page, entry;

	sim->memory->statistics.reading--;
	wake_readers(sim, pfn);
	if (owner == OWNER_ORPHAN) {
		free_orphan(sim, pfn);
		return;
	}
	object = object_of(sim, owner, &page);
	if (!object) {
		sim_fail(sim, "frame %u was read for nobody", pfn);
		return;
	}
	region = region_of(sim, object, page);
	offset = page & (REGION_PAGES - 1);
	entry = region->entry[offset];
	change_block(region, offset, ENTRY_READING | ENTRY_ACTIVE | ENTRY_WORKINGSET, 0);
	flags = object_lru_flags(object);
	flags |= entry & ENTRY_ACTIVE ? YARD_PAGE_ACTIVE : 0;
	flags |= entry & ENTRY_WORKINGSET ? YARD_PAGE_WORKINGSET : 0;
	flags |= entry & ENTRY_IN_SWAP ? YARD_PAGE_SWAPCACHE : 0;
	yard_lru_add(sim->yard, pfn, flags, YARD_UNMAPPED);
}

// ---- writes ----

static void finish_write(struct simulation *sim, struct page_io *io)
{
	uint32_t slot = io->slot;

	for (uint32_t i = 0; i < io->nr; i++) {
		uint32_t pfn = io->pfn[i], pages = io->nr == 1 ? io->pages : 1;
		bool orphan = yard_get_owner(sim->yard, pfn) == OWNER_ORPHAN;

		yard_writeback_end(sim->yard, pfn);
		if (orphan)
			free_orphan(sim, pfn);
		if (io->kind != IO_SWAP_WRITE)
			continue;
		for (uint32_t end = slot + pages; slot < end; slot++)
			if (orphan)
				swap_slot_free(sim, slot);
	}
	if (io->file)
		file_written(sim, io->file, io->pages);
}

static void done(struct simulation *sim, void *argument)
{
	struct page_io *io = argument;

	if (io->kind == IO_SWAP_READ || io->kind == IO_FILE_READ)
		for (uint32_t i = 0; i < io->nr; i++)
			finish_read(sim, io->pfn[i]);
	else
		finish_write(sim, io);
	io->next = sim->memory->free_io;
	sim->memory->free_io = io;
}

void page_io_submit(struct page_io *io)
{
	struct simulation *sim = io->sim;
	bool write = io->kind == IO_SWAP_WRITE || io->kind == IO_FILE_WRITE;
	uint64_t *count = write ? &sim->memory->statistics.pgpgout : &sim->memory->statistics.pgpgin;

	*count += (uint64_t)io->pages * (SIM_PAGE / 1024);
	device_wait_for_room(sim, io->device);
	device_submit(sim, io->device, write, io->offset, (uint64_t)io->pages * SIM_PAGE, done, io);
}
