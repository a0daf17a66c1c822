// SPDX-License-Identifier: Apache-2.0
//
// Files, and read() and write() on them.

#include "sim/page_cache_internal.h"

#include <stdlib.h>

#include "sim/local_reclaim.h"

enum {
	BALANCE_PAGES = 32, // dirtied between two looks at the limits
	DISK_GAP = 1 << 30, // bytes between two files: no read of one continues the other
};

bool page_cache_create(struct simulation *sim)
{
	struct page_cache *cache = calloc(1, sizeof(*cache));

	sim->page_cache = cache;
	if (!cache) {
		sim_fail(sim, "no memory for the page cache");
		return false;
	}
	cache->disk = memory_device(sim, sim->machine->disk_device);
	return !cache->disk || flusher_create(sim);
}

static void free_file(struct page_cache *cache, struct file *file)
{
	if (file->previous)
		file->previous->next = file->next;
	else
		cache->files = file->next;
	if (file->next)
		file->next->previous = file->previous;
	free(file->dirty_regions);
	free(file);
}

void page_cache_destroy(struct simulation *sim)
{
	struct page_cache *cache = sim->page_cache;

	if (!cache)
		return;
	while (cache->files)
		free_file(cache, cache->files);
	free(cache);
	sim->page_cache = NULL;
}

const struct page_cache_statistics *page_cache_statistics(const struct simulation *sim)
{
	return &sim->page_cache->statistics;
}

// ---- files ----

struct file *file_create(struct simulation *sim, uint64_t size)
{
	struct page_cache *cache = sim->page_cache;
	struct file *file = calloc(1, sizeof(*file));

	if (!cache->disk)
		sim_fail(sim, "files need a disk: the machine has none");
	if (file)
		file->object = object_create(sim, OBJECT_FILE, (size + SIM_PAGE - 1) / SIM_PAGE);
	if (!file || !file->object || !cache->disk) {
		sim_fail(sim, "no memory for a file");
		free(file);
		return NULL;
	}
	file->object->file = file;
	file->object->cache_set = task_current(sim) ? cache_set(sim, task_current(sim)->placement.cache_set) : NULL;
	file->size = size;
	file->disk_pages = file_pages(file);
	file->disk_offset = cache->disk_end;
	file->ahead_at = UINT64_MAX;
	cache->disk_end += file->disk_pages * SIM_PAGE + DISK_GAP;
	file->next = cache->files;
	if (file->next)
		file->next->previous = file;
	cache->files = file;
	return file;
}

// Nobody can reach it any more. Its frames that are being written belong to the requests; the file itself stays until
// they are over.
void file_free_if_unused(struct simulation *sim, struct file *file)
{
	if (!file->unlinked || file->users)
		return;
	if (file->object) {
		struct memory_object *object = file->object;

		if (file->dirty)
			file_forget_dirty(sim, file, file->dirty);
		file->object = NULL;
		file->users++; // it stays while others run
		object_destroy(sim, object);
		file->users--;
	}
	if (file->write_started == file->write_done)
		free_file(sim->page_cache, file);
}

void file_unlink(struct simulation *sim, struct file *file)
{
	file->unlinked = true;
	file_free_if_unused(sim, file);
}

struct file *file_open(struct file *file)
{
	file->users++;
	return file;
}

void file_close(struct simulation *sim, struct file *file)
{
	file->users--;
	file_free_if_unused(sim, file);
}

void file_truncate(struct simulation *sim, struct file *file, uint64_t size)
{
	uint64_t pages = (size + SIM_PAGE - 1) / SIM_PAGE;

	if (pages < file->object->pages)
		object_drop(sim, file->object, pages, file->object->pages);
	else if (!object_grow(sim, file->object, pages))
		return;
	file->disk_pages = file->disk_pages < pages ? file->disk_pages : pages;
	file->size = size;
}

// ---- finding pages ----

// Waits until the page can be used or is not there. YARD_PFN_NONE: it is not there. Else the first frame of its block.
static uint32_t find_page(struct simulation *sim, struct file *file, uint64_t page)
{
	struct memory_object *object = file->object;

	for (;;) {
		uint64_t entry = region_entry(region_of(sim, object, page), page & (REGION_PAGES - 1));

		if (!(entry & ENTRY_RESIDENT) || sim->error[0])
			return YARD_PFN_NONE;
		if (!(entry & ENTRY_READING))
			return entry_head(entry);
		wait_for_read(sim, object, page);
	}
}

// A single page, with all that may be tried for it. False: no memory.
static bool read_single(struct simulation *sim, struct file *file, uint64_t page)
{
	struct file_read read = {.sim = sim, .file = file};
	uint32_t pfn = sim_alloc(sim, REQUEST_FILE, FILE_GFP, 0, file_node(sim, file));

	if (pfn == YARD_PFN_NONE)
		return false;
	file_begin_read(&read, page, pfn, 0, 0);
	file_end_reads(&read);
	return true;
}

uint32_t file_get_page(struct simulation *sim, struct file *file, uint64_t page, bool *major)
{
	uint32_t pfn = find_page(sim, file, page);

	if (pfn != YARD_PFN_NONE) {
		file->mapping_misses -= file->mapping_misses > 0;
		return pfn;
	}
	*major = true;
	readahead_around(sim, file, page);
	while (!sim->error[0]) {
		pfn = find_page(sim, file, page);
		if (pfn != YARD_PFN_NONE || !read_single(sim, file, page))
			return pfn;
	}
	return YARD_PFN_NONE;
}

// ---- read() ----

// A marked page starts the next window even if it is still being read.
static void pass_marker(struct simulation *sim, struct file *file, uint64_t page)
{
	struct region *region = region_of(sim, file->object, page);
	unsigned offset = page & (REGION_PAGES - 1);
	uint64_t entry = region_entry(region, offset);

	if ((entry & (ENTRY_RESIDENT | ENTRY_AHEAD)) != (ENTRY_RESIDENT | ENTRY_AHEAD))
		return;
	change_block(region, offset, ENTRY_AHEAD, 0);
	readahead_marker(sim, file, page);
}

static uint32_t get_page_for_read(struct simulation *sim, struct file *file, uint64_t page, uint64_t wanted)
{
	struct page_cache_statistics *statistics = &sim->page_cache->statistics;
	const struct region *region = region_of(sim, file->object, page);
	uint32_t pfn;

	statistics->reads++;
	if (region_entry(region, page & (REGION_PAGES - 1)) & ENTRY_RESIDENT)
		statistics->hits++;
	else
		readahead_miss(sim, file, page, wanted);
	pass_marker(sim, file, page);
	for (;;) {
		pfn = find_page(sim, file, page);
		if (pfn != YARD_PFN_NONE || sim->error[0] || !read_single(sim, file, page))
			return pfn;
	}
}

bool file_read(struct simulation *sim, struct file *file, uint64_t offset, uint64_t bytes)
{
	uint64_t end = offset + bytes < file->size ? offset + bytes : file->size;
	struct sim_task *task = task_current(sim);
	uint64_t page = offset / SIM_PAGE, last = (end + SIM_PAGE - 1) / SIM_PAGE;
	uint32_t accessed = YARD_PFN_NONE;

	sim_charge(sim, COST_READ_CALL, 1);
	for (; page < last; page++) {
		uint32_t pfn;

		if (task && task_stopped(task))
			return false;
		pfn = get_page_for_read(sim, file, page, last - page);
		if (pfn == YARD_PFN_NONE)
			return false;
		cache_page_read(sim, file->object, page, pfn);
		// L-9: once for each block; not if the last read() ended in this page
		if (pfn != accessed && page + 1 != file->next_read)
			yard_lru_mark_accessed(sim->yard, pfn);
		accessed = pfn;
		file->next_read = page + 1;
		sim_charge(sim, COST_READ_PAGE, 1);
		sim_point(sim);
	}
	return true;
}

// ---- write() ----

// A new page for content that comes from the writer: no refault (L-7).
static uint32_t new_page_for_write(struct simulation *sim, struct file *file, uint64_t page)
{
	uint32_t pfn = sim_alloc(sim, REQUEST_FILE, FILE_GFP | YARD_GFP_WRITE, 0, file_node(sim, file));
	struct region *region;
	unsigned offset = page & (REGION_PAGES - 1);

	if (pfn == YARD_PFN_NONE)
		return pfn;
	region = region_of(sim, file->object, page);
	if (region_entry(region, offset) & ENTRY_RESIDENT || !region_make_entries(sim, file->object, region, offset)) {
		sim_free(sim, pfn, 0);
		return find_page(sim, file, page);
	}
	attach_block(sim, file->object, page, pfn, 0, ENTRY_PROTECTED);
	cache_page_new(sim, file->object, page);
	yard_lru_add(sim->yard, pfn, object_lru_flags(file->object), YARD_UNMAPPED);
	return pfn;
}

// `whole`: nothing of the old content stays.
static uint32_t get_page_for_write(struct simulation *sim, struct file *file, uint64_t page, bool whole)
{
	uint32_t pfn = find_page(sim, file, page);

	while (pfn == YARD_PFN_NONE && !sim->error[0]) {
		if (whole || page >= file->disk_pages)
			pfn = new_page_for_write(sim, file, page);
		else if (read_single(sim, file, page))
			pfn = find_page(sim, file, page);
		if (pfn == YARD_PFN_NONE && fault_out_of_memory(sim))
			break;
	}
	return pfn;
}

static bool write_page(struct simulation *sim, struct file *file, uint64_t page, bool whole)
{
	uint32_t pfn = get_page_for_write(sim, file, page, whole);

	if (pfn == YARD_PFN_NONE)
		return false;
	yard_lru_mark_accessed(sim->yard, pfn);
	file_dirty(sim, file, page);
	sim_charge(sim, COST_READ_PAGE, 1);
	return true;
}

bool file_write(struct simulation *sim, struct file *file, uint64_t offset, uint64_t bytes)
{
	uint64_t end = offset + bytes, page = offset / SIM_PAGE, last = (end + SIM_PAGE - 1) / SIM_PAGE;
	struct sim_task *task = task_current(sim);

	sim_charge(sim, COST_READ_CALL, 1);
	if (!object_grow(sim, file->object, last))
		return false;
	for (; page < last; page++) {
		bool whole = offset <= page * SIM_PAGE && end >= (page + 1) * SIM_PAGE;

		if ((task && task_stopped(task)) || !write_page(sim, file, page, whole))
			return false;
		if (file->size < end && file->size < (page + 1) * SIM_PAGE)
			file->size = end < (page + 1) * SIM_PAGE ? end : (page + 1) * SIM_PAGE;
		if (file->unbalanced >= BALANCE_PAGES)
			dirty_throttle(sim, file);
		sim_point(sim);
	}
	return true;
}

// Starts writing what is dirty and waits. Pages left: those that were still being written as they were before.
static uint64_t sync_once(struct simulation *sim, struct file *file)
{
	uint64_t target, left;

	while (file->dirty && file_write_back(sim, file, UINT64_MAX))
		;
	left = file->dirty;
	target = file->write_started;
	while (file->write_done < target && !sim->error[0] && task_current(sim))
		task_wait(sim, &file->written, SIM_FOREVER, true);
	return left;
}

bool file_sync(struct simulation *sim, struct file *file)
{
	sim_charge(sim, COST_SYSCALL, 1);
	if (sync_once(sim, file))
		sync_once(sim, file);
	return !sim->error[0];
}
