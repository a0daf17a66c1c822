// SPDX-License-Identifier: Apache-2.0
//
// Reading from swap (spec 04 W-4, spec 05 X36, X38): the page of the fault and, on a block device, its neighbours in
// the mapping. zram reads one page while the task waits, and frees its slot.

#include "sim/memory_internal.h"
#include "sim/swap_device.h"

enum { SMALLEST_WINDOW = 4 };

struct window { // pages of the object
	uint64_t from, to;
};

// How many pages, by how many of the last ones were asked for.
static uint32_t window_size(struct memory_object *object, uint64_t page, uint32_t most)
{
	uint32_t pages = object->swap_hits + 2, size = SMALLEST_WINDOW;

	if (pages > 2) {
		while (size < pages)
			size *= 2;
		pages = size;
	} else if (page != object->swap_last + 1 && page + 1 != object->swap_last) {
		pages = 1;
	}
	pages = pages < most ? pages : most;
	pages = pages > object->swap_window / 2 ? pages : object->swap_window / 2;
	object->swap_hits = 0;
	object->swap_window = pages;
	return pages;
}

// Onwards from the last fault, or around this one; inside its page table.
static struct window choose_window(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	uint64_t first = page & ~(uint64_t)(REGION_PAGES - 1), last = page | (REGION_PAGES - 1);
	uint32_t size = window_size(object, page, 1u << sim->machine->page_cluster), before = (size - 1) / 2;
	struct window window;

	if (page == object->swap_last + 1)
		before = 0;
	else if (page + 1 == object->swap_last)
		before = size - 1;
	window.from = page - first < before ? first : page - before;
	window.to = window.from + size;
	if (window.to > last + 1)
		window.to = last + 1;
	if (window.to > object->pages)
		window.to = object->pages;
	object->swap_last = page;
	return window;
}

// What is only in swap; a frame that was asked for it may have come too late.
static bool only_in_swap(const struct simulation *sim, const struct memory_object *object, uint64_t page)
{
	uint64_t entry = region_entry(region_of(sim, object, page), page & (REGION_PAGES - 1));

	return (entry & (ENTRY_IN_SWAP | ENTRY_RESIDENT)) == ENTRY_IN_SWAP;
}

// A frame for it where the mapping's policy wants it (M23), which it occupies from now on. False: no memory, or it is not only in swap any more.
static bool begin_read(struct simulation *sim, struct memory_object *object, uint64_t page, uint32_t bits)
{
	uint32_t pfn = sim_alloc_mapped(sim, YARD_GFP_HIGHUSER_MOVABLE, object, page);
	uint64_t entry;

	if (pfn == YARD_PFN_NONE)
		return false;
	if (!only_in_swap(sim, object, page)) {
		sim_free(sim, pfn, 0);
		return false;
	}
	entry = region_entry(region_of(sim, object, page), page & (REGION_PAGES - 1));
	bits |= refault_bits(sim, object, pfn, entry) | ENTRY_READING;
	count_swapped(object, -1);
	attach_block(sim, object, page, pfn, 0, bits);
	sim->memory->statistics.reading++;
	sim_charge(sim, COST_SWAP_OUT, 1);
	yard_count_vm_event(sim->yard, YARD_VM_PSWPIN, 1);
	return true;
}

// Pages whose slots follow each other share a request.
static struct page_io *queue_read(struct simulation *sim, struct memory_object *object, uint64_t page,
				  struct page_io *io)
{
	struct region *region = region_of(sim, object, page);
	unsigned offset = page & (REGION_PAGES - 1);
	uint32_t pfn = entry_frame(region->entry[offset]);
	uint64_t position = (uint64_t)region->slot[offset] * SIM_PAGE;

	if (io && !page_io_fits(io, position, 1)) {
		page_io_submit(io);
		io = NULL;
	}
	if (!io)
		io = page_io_start(sim, swap_block_device(sim), IO_SWAP_READ, position);
	if (io)
		page_io_add(io, pfn, 1);
	return io;
}

static bool read_from_device(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	struct window window = choose_window(sim, object, page);
	struct page_io *io = NULL;
	bool found = !only_in_swap(sim, object, page);

	for (uint64_t p = window.from; p < window.to && !sim->error[0]; p++) {
		if (!only_in_swap(sim, object, p))
			continue;
		if (!begin_read(sim, object, p, ENTRY_IN_SWAP | ENTRY_PROTECTED | (p != page ? ENTRY_AHEAD : 0)))
			continue;
		sim->memory->statistics.swap_ra += p != page;
		found |= p == page;
		io = queue_read(sim, object, p, io);
	}
	if (io)
		page_io_submit(io);
	if (found || !only_in_swap(sim, object, page))
		wait_for_read(sim, object, page);
	return found || !only_in_swap(sim, object, page);
}

static bool read_from_zram(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	unsigned offset = page & (REGION_PAGES - 1);
	struct region *region;
	uint64_t entry;
	bool outermost = false;

	if (!begin_read(sim, object, page, 0))
		return !only_in_swap(sim, object, page);
	region = region_of(sim, object, page);
	entry = region->entry[offset];
	if (entry & ENTRY_WORKINGSET)
		outermost = yard_thrashing_begin(sim->yard);
	sim->host->now_ns += sim->machine->zram_read_ns;
	if (entry & ENTRY_WORKINGSET)
		yard_thrashing_end(sim->yard, outermost);
	free_page_slot(sim, region, offset);
	if (!region->slots)
		region_drop_slots(region);
	finish_read(sim, entry_frame(entry));
	return true;
}

bool swap_in(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	return swap_is_zram(sim) ? read_from_zram(sim, object, page) : read_from_device(sim, object, page);
}
