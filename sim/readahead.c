// SPDX-License-Identifier: Apache-2.0
//
// Readahead: what a miss, a marked page or a fault brings in beside the page that is wanted. Windows begin with four
// times the request and grow, fourfold while they are small and then twofold; the first page of what was read ahead
// is marked, and reading it starts the next window while the reader still has pages to go on with. A miss that
// continues nothing brings what was asked for only.

#include "sim/local_reclaim.h"
#include "sim/page_cache_internal.h"

enum {
	MANY_MISSES = 100, // of a mapping: its accesses are random
	ORDER_STEP = 2,	   // by which blocks grow from one window to the next
};

static uint64_t most_pages(const struct simulation *sim) // 0: page by page
{
	return sim->machine->readahead_pages;
}

// ---- taking part in reads ----

// None of its pages is there, and there is room for the entries.
static bool is_absent(struct simulation *sim, struct memory_object *object, uint64_t page, unsigned order)
{
	struct region *region = region_of(sim, object, page);
	unsigned offset = page & (REGION_PAGES - 1);

	if (!region_make_entries(sim, object, region, offset + (1u << order) - 1))
		return false;
	for (unsigned i = 0; i < 1u << order; i++)
		if (region->entry[offset + i] & ENTRY_RESIDENT)
			return false;
	return true;
}

static void queue_read(struct file_read *read, uint64_t page, uint32_t pfn, uint32_t pages)
{
	uint64_t offset = read->file->disk_offset + page * SIM_PAGE;
	struct page_io *io = read->io;

	if (io && !page_io_fits(io, offset, pages)) {
		read->io = NULL;
		page_io_submit(io);
		io = NULL;
	}
	if (!io)
		io = page_io_start(read->sim, read->sim->page_cache->disk, IO_FILE_READ, offset);
	if (io)
		page_io_add(io, pfn, pages);
	read->io = io;
}

bool file_begin_read(struct file_read *read, uint64_t page, uint32_t pfn, unsigned order, uint32_t bits)
{
	struct simulation *sim = read->sim;
	struct memory_object *object = read->file->object;
	uint64_t entry;

	if (!is_absent(sim, object, page, order)) {
		sim_free(sim, pfn, order);
		return false;
	}
	entry = region_entry(region_of(sim, object, page), page & (REGION_PAGES - 1));
	bits |= refault_bits(sim, object, pfn, entry) | ENTRY_READING | ENTRY_PROTECTED;
	attach_block(sim, object, page, pfn, order, bits);
	cache_page_new(sim, object, page);
	sim->memory->statistics.reading++;
	read->pages += 1u << order;
	if (page < read->file->disk_pages)
		queue_read(read, page, pfn, 1u << order);
	else
		finish_read(sim, pfn);
	return true;
}

void file_end_reads(struct file_read *read)
{
	if (read->io)
		page_io_submit(read->io);
	read->io = NULL;
}

// ---- a window ----

// The largest block that may stand here: as large as the window's order, aligned, and not beyond its end.
static unsigned block_order(const struct file *file, uint64_t page, uint64_t end, unsigned order)
{
	unsigned aligned = page ? (unsigned)__builtin_ctzll(page) : order;

	order = order < aligned ? order : aligned;
	order = order < file->folio_order ? order : file->folio_order;
	while (order && page + (UINT64_C(1) << order) > end)
		order--;
	return order;
}

// A block for it. A large one that is not there makes the rest of the window single pages.
static uint32_t block_for_read(struct simulation *sim, struct file *file, unsigned *order, unsigned *limit)
{
	struct page_cache_statistics *statistics = &sim->page_cache->statistics;
	uint32_t pfn = YARD_PFN_NONE, gfp = READAHEAD_GFP | YARD_GFP_COMP;

	if (!sim->machine->readahead_wakes_kswapd)
		gfp &= ~(uint32_t)YARD_GFP_KSWAPD_RECLAIM;
	if (*order) {
		pfn = sim_try_alloc(sim, REQUEST_FILE, gfp, *order, file_node(sim, file));
		statistics->large_tries++;
		statistics->large_failed += pfn == YARD_PFN_NONE;
	}
	if (pfn == YARD_PFN_NONE) {
		*order = *limit = 0;
		pfn = sim_try_alloc(sim, REQUEST_FILE, READAHEAD_GFP, 0, file_node(sim, file));
	}
	return pfn;
}

// Reads what is absent of [start, start + pages). `mark`: the page that starts the next window; UINT64_MAX: none.
static void read_window(struct simulation *sim, struct file *file, uint64_t start, uint64_t pages, uint64_t mark,
			unsigned order)
{
	struct file_read read = {.sim = sim, .file = file};
	uint64_t end = start + pages;

	end = end < file_pages(file) ? end : file_pages(file);
	for (uint64_t page = start, next; page < end && !sim->error[0]; page = next) {
		unsigned this_order = block_order(file, page, end, order);
		uint32_t pfn;

		while (this_order && !is_absent(sim, file->object, page, this_order))
			this_order--;
		next = page + (UINT64_C(1) << this_order);
		if (!is_absent(sim, file->object, page, this_order))
			continue;
		pfn = block_for_read(sim, file, &this_order, &order);
		if (pfn == YARD_PFN_NONE)
			break;
		next = page + (UINT64_C(1) << this_order);
		file_begin_read(&read, page, pfn, this_order, mark >= page && mark < next ? ENTRY_AHEAD : 0);
	}
	sim->page_cache->statistics.readahead_pages += read.pages;
	file_end_reads(&read);
}

static uint64_t first_window(uint64_t wanted, uint64_t most)
{
	uint64_t pages = 1;

	while (pages < wanted)
		pages *= 2;
	if (pages <= most / 32)
		pages *= 4;
	else if (pages <= most / 4)
		pages *= 2;
	else
		pages = most;
	return pages < most ? pages : most;
}

static uint64_t next_window(uint64_t pages, uint64_t most)
{
	if (pages < most / 16)
		return 4 * pages;
	return pages <= most / 2 ? 2 * pages : most;
}

// The window as noted in the file, of which the last `ahead` pages are more than was asked for.
static void read_noted(struct simulation *sim, struct file *file, uint64_t ahead)
{
	file->ahead_at = file->window_start + file->window - ahead;
	read_window(sim, file, file->window_start, file->window, file->ahead_at, file->read_order);
}

// ---- when ----

// Pages in the cache right before this one; `most` are enough.
static uint64_t cached_before(const struct simulation *sim, const struct file *file, uint64_t page, uint64_t most)
{
	uint64_t n = 0;

	while (n < most && n < page) {
		uint64_t before = page - n - 1;

		if (!(region_entry(region_of(sim, file->object, before), before & (REGION_PAGES - 1)) & ENTRY_RESIDENT))
			break;
		n++;
	}
	return n;
}

void readahead_miss(struct simulation *sim, struct file *file, uint64_t page, uint64_t wanted)
{
	uint64_t most = most_pages(sim), before, ahead;

	file->read_order = 0;
	wanted = wanted < most ? wanted : most;
	if (!page || page == file->next_read || page + 1 == file->next_read || wanted == most) {
		file->window_start = page;
		file->window = (uint32_t)first_window(wanted, most);
		ahead = file->window > wanted ? file->window - wanted : file->window / 2;
		read_noted(sim, file, ahead);
		return;
	}
	before = cached_before(sim, file, page, most);
	if (before <= wanted) { // random
		read_window(sim, file, page, wanted, UINT64_MAX, 0);
		return;
	}
	file->window_start = page;
	file->window = (uint32_t)(before + wanted < most ? before + wanted : most);
	read_noted(sim, file, 1);
}

// Where the cache ends after this page, of which the next `most` are looked at.
static uint64_t cached_until(const struct simulation *sim, const struct file *file, uint64_t page, uint64_t most)
{
	uint64_t end = page + 1;

	while (end < file_pages(file) && end <= page + most) {
		if (!(region_entry(region_of(sim, file->object, end), end & (REGION_PAGES - 1)) & ENTRY_RESIDENT))
			return end;
		end++;
	}
	return UINT64_MAX;
}

void readahead_marker(struct simulation *sim, struct file *file, uint64_t page)
{
	uint64_t most = most_pages(sim), start, pages;
	unsigned order = 0;

	if (page == file->ahead_at) {
		start = file->window_start + file->window;
		pages = file->window;
	} else { // another reader's: what is cached tells how far it has come
		start = cached_until(sim, file, page, most);
		pages = start - page;
		if (start == UINT64_MAX)
			return;
	}
	file->window_start = start;
	file->window = (uint32_t)next_window(pages < most ? pages : most, most);
	while (order < file->folio_order && order < file->read_order + 0u + ORDER_STEP && 2u << order <= file->window)
		order++;
	file->read_order = (uint8_t)order;
	if (start < file_pages(file))
		read_noted(sim, file, file->window);
}

void readahead_around(struct simulation *sim, struct file *file, uint64_t page)
{
	uint64_t most = most_pages(sim), start = page > most / 2 ? page - most / 2 : 0;

	if (file->mapping_misses < 10 * MANY_MISSES)
		file->mapping_misses++;
	if (file->mapping_misses > MANY_MISSES)
		return;
	file->read_order = 0;
	file->window_start = start;
	file->window = (uint32_t)most;
	read_noted(sim, file, most / 4);
}
