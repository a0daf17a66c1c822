// SPDX-License-Identifier: Apache-2.0
//
// Dirty pages of files, and the flusher that writes them: when there are more than the background limit, when they
// are 30 seconds old (it looks every 5), and all of them when reclaim asks (spec 04 W-8).

#include "sim/page_cache_internal.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_PAGES = 1024 }; // of a file, before the next one has its turn
static const uint64_t period = 5 * NS_PER_S, expire = 30 * NS_PER_S, nothing_to_do = 100 * NS_PER_MS;

// ---- which pages are dirty: a bit for each region of a file, and ENTRY_DIRTY ----

static bool make_bitmap(struct simulation *sim, struct file *file)
{
	uint64_t words = ((UINT64_C(1) << file->object->region_order) + 63) / 64, *bitmap;

	if (words <= file->dirty_words)
		return true;
	bitmap = realloc(file->dirty_regions, words * sizeof(*bitmap));
	if (!bitmap) {
		sim_fail(sim, "no memory for a file's dirty pages");
		return false;
	}
	memset(bitmap + file->dirty_words, 0, (words - file->dirty_words) * sizeof(*bitmap));
	file->dirty_regions = bitmap;
	file->dirty_words = words;
	return true;
}

static void unlink_dirty(struct page_cache *cache, struct file *file)
{
	if (file->dirty_previous)
		file->dirty_previous->dirty_next = file->dirty_next;
	else
		cache->dirty_first = file->dirty_next;
	if (file->dirty_next)
		file->dirty_next->dirty_previous = file->dirty_previous;
	else
		cache->dirty_last = file->dirty_previous;
	file->dirty_previous = file->dirty_next = NULL;
}

static void link_dirty(struct page_cache *cache, struct file *file)
{
	file->dirty_next = NULL;
	file->dirty_previous = cache->dirty_last;
	if (file->dirty_previous)
		file->dirty_previous->dirty_next = file;
	else
		cache->dirty_first = file;
	cache->dirty_last = file;
}

void file_dirty(struct simulation *sim, struct file *file, uint64_t page)
{
	struct region *region = region_of(sim, file->object, page);
	unsigned offset = page & (REGION_PAGES - 1);
	uint64_t entry = region->entry[offset], number = page >> REGION_SHIFT;

	if (entry & ENTRY_DIRTY || !make_bitmap(sim, file))
		return;
	change_block(region, offset, ENTRY_PROTECTED, ENTRY_DIRTY);
	yard_lru_set(sim->yard, entry_head(entry), YARD_PAGE_DIRTY, true);
	file->dirty_regions[number / 64] |= UINT64_C(1) << number % 64;
	file->unbalanced += 1u << entry_order(entry);
	if (!file->dirty) {
		if (!sim->page_cache->dirty_first)
			wake_all(sim, &sim->page_cache->flusher); // it sleeps without limit
		file->dirtied_at = sim_now(sim);
		link_dirty(sim->page_cache, file);
	}
	file->dirty += 1u << entry_order(entry);
}

void file_forget_dirty(struct simulation *sim, struct file *file, uint64_t pages)
{
	if (!file->object)
		return; // file_free_if_unused() has
	file->dirty -= pages;
	if (!file->dirty)
		unlink_dirty(sim->page_cache, file);
}

// ---- writing ----

struct writer {
	struct simulation *sim;
	struct file *file;
	struct page_io *io;
	uint64_t started, most; // pages
};

static void submit(struct writer *writer)
{
	struct page_io *io = writer->io;

	writer->io = NULL;
	if (io)
		page_io_submit(io);
}

// The block at this page, which is dirty.
static void write_block(struct writer *writer, uint64_t page, uint64_t entry)
{
	struct simulation *sim = writer->sim;
	struct file *file = writer->file;
	uint32_t pages = 1u << entry_order(entry);
	uint64_t offset = file->disk_offset + page * SIM_PAGE;

	if (yard_writeback_begin(sim->yard, entry_head(entry)) != YARD_OK)
		return; // still being written as it was before
	change_block(region_of(sim, file->object, page), page & (REGION_PAGES - 1), ENTRY_DIRTY, ENTRY_PROTECTED);
	file->disk_pages = file->disk_pages > page + pages ? file->disk_pages : page + pages;
	file->write_started += pages;
	writer->started += pages;
	sim_charge(sim, COST_WRITEBACK, pages);
	if (!writer->io)
		writer->io = page_io_start(sim, sim->page_cache->disk, IO_FILE_WRITE, offset);
	if (!writer->io)
		return;
	writer->io->file = file;
	page_io_add(writer->io, entry_head(entry), pages);
	file_forget_dirty(sim, file, pages);
}

static void clear_if_clean(struct simulation *sim, struct file *file, uint64_t number)
{
	const struct region *region = region_of(sim, file->object, number << REGION_SHIFT);

	for (unsigned offset = 0; offset < region->length; offset++)
		if (region->entry[offset] & ENTRY_DIRTY)
			return;
	file->dirty_regions[number / 64] &= ~(UINT64_C(1) << number % 64);
}

// From this page to the end of its region. False: enough.
static bool write_region(struct writer *writer, uint64_t page)
{
	struct simulation *sim = writer->sim;
	struct file *file = writer->file;
	uint64_t number = page >> REGION_SHIFT;

	for (uint64_t end = (number + 1) << REGION_SHIFT, next; page < end; page = next) {
		uint64_t entry = region_entry(region_of(sim, file->object, page), page & (REGION_PAGES - 1));
		uint32_t pages = 1u << entry_order(entry);

		next = page + 1;
		if (!(entry & ENTRY_DIRTY))
			continue;
		page &= ~(uint64_t)(pages - 1); // the scan may begin inside a block
		next = page + pages;
		if (writer->io && !page_io_fits(writer->io, file->disk_offset + page * SIM_PAGE, pages)) {
			submit(writer); // others may have run
			entry = region_entry(region_of(sim, file->object, page), page & (REGION_PAGES - 1));
		}
		if (entry & ENTRY_DIRTY)
			write_block(writer, page, entry);
		file->writeback_next = next;
		if (writer->started >= writer->most || sim->error[0])
			return false;
	}
	clear_if_clean(sim, file, number);
	return true;
}

// The first page from `page` on whose region may have dirty pages; UINT64_MAX: none.
static uint64_t next_dirty_region(const struct file *file, uint64_t page)
{
	uint64_t number = page >> REGION_SHIFT;

	for (uint64_t word = number / 64; word < file->dirty_words; word++) {
		uint64_t bits = file->dirty_regions[word];

		if (word == number / 64)
			bits &= ~UINT64_C(0) << number % 64;
		if (bits) {
			uint64_t found = (word * 64 + (uint64_t)__builtin_ctzll(bits)) << REGION_SHIFT;

			return found > page ? found : page;
		}
	}
	return UINT64_MAX;
}

static bool write_from(struct writer *writer, uint64_t page)
{
	while (writer->file->dirty) {
		page = next_dirty_region(writer->file, page);
		if (page == UINT64_MAX)
			return true;
		if (!write_region(writer, page))
			return false;
		page = (page | (REGION_PAGES - 1)) + 1;
		sim_point(writer->sim);
	}
	return true;
}

uint64_t file_write_back(struct simulation *sim, struct file *file, uint64_t most)
{
	struct writer writer = {.sim = sim, .file = file, .most = most};
	uint64_t start = file->writeback_next;

	file_open(file);
	if (file->object && write_from(&writer, start) && start) {
		file->writeback_next = 0;
		write_from(&writer, 0);
	}
	submit(&writer);
	file_close(sim, file);
	return writer.started;
}

void file_written(struct simulation *sim, struct file *file, uint64_t pages)
{
	file->write_done += pages;
	sim->page_cache->statistics.written_pages += pages;
	wake_all(sim, &file->written);
	if (file->unlinked && !file->users && !file->object)
		file_free_if_unused(sim, file);
}

// ---- the flusher ----

// One turn of the file that has waited longest; what is left of it has its turn again. 0: nothing could be written.
static uint64_t write_next_file(struct simulation *sim, struct file *file, uint64_t most)
{
	struct page_cache *cache = sim->page_cache;
	uint64_t written;

	file_open(file);
	written = file_write_back(sim, file, most);
	if (file->dirty) {
		unlink_dirty(cache, file);
		link_dirty(cache, file);
		file->dirtied_at = sim_now(sim);
	}
	file_close(sim, file);
	return written;
}

// Up to `most` pages, `chunk` of a file at a time, while the caller's reason holds. Stops when a file can't be
// written: all that is dirty in it is still being written as it was before.
static void write_some(struct simulation *sim, uint64_t most, uint64_t chunk, bool (*go_on)(struct simulation *sim))
{
	struct page_cache *cache = sim->page_cache;
	uint64_t written = 1;

	while (cache->dirty_first && most && written && go_on(sim) && !sim->error[0]) {
		written = write_next_file(sim, cache->dirty_first, chunk);
		most -= written < most ? written : most;
		sim_point(sim);
	}
}

static bool always(struct simulation *sim)
{
	(void)sim;
	return true;
}

static bool oldest_expired(struct simulation *sim)
{
	const struct file *file = sim->page_cache->dirty_first;

	return file && sim_now(sim) >= file->dirtied_at + expire;
}

static uint64_t dirty_pages(const struct page_cache *cache)
{
	uint64_t pages = 0;

	for (const struct file *file = cache->dirty_first; file; file = file->dirty_next)
		pages += file->dirty;
	return pages;
}

static void flusher(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct page_cache *cache = sim->page_cache;
	uint64_t next = sim_now(sim) + period;

	(void)argument;
	while (!task_stopped(task) && !sim->error[0]) {
		uint64_t wait = nothing_to_do;

		if (cache->flush_all) {
			cache->flush_all = false;
			write_some(sim, dirty_pages(cache), CHUNK_PAGES, always);
		}
		write_some(sim, UINT64_MAX, CHUNK_PAGES, dirty_above_background);
		if (sim_now(sim) >= next) {
			write_some(sim, UINT64_MAX, UINT64_MAX, oldest_expired);
			next = sim_now(sim) + period;
		}
		if (cache->flush_all)
			continue;
		if (!cache->dirty_first)
			wait = SIM_FOREVER;
		else if (!dirty_above_background(sim))
			wait = next > sim_now(sim) ? next - sim_now(sim) : 1;
		task_wait(sim, &cache->flusher, wait, false);
		if (wait == SIM_FOREVER)
			next = sim_now(sim) + period;
	}
}

bool flusher_create(struct simulation *sim)
{
	const struct task_attributes attributes = {
		.comm = "kworker/u:flush",
		.cpu = -1,
		.node = -1,
		.flags = YARD_TASK_KTHREAD | YARD_TASK_WORKER,
	};

	return task_create(sim, &attributes, flusher, NULL);
}

void page_cache_wake_flusher(struct simulation *sim)
{
	struct page_cache *cache = sim->page_cache;

	if (!cache || cache->flush_all || !cache->dirty_first)
		return;
	cache->flush_all = true;
	wake_all(sim, &cache->flusher);
}
