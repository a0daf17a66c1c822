// SPDX-License-Identifier: Apache-2.0
//
// What the files of the page cache share: page_cache.c (files, reading, writing), readahead.c, writeback.c (the
// flusher), dirty_limits.c (how much may be dirty), fault_file.c (mappings).

#pragma once

#include "sim/memory_internal.h"
#include "sim/page_cache.h"

struct dirty_limits { // pages
	uint64_t background, limit;
	uint64_t computed_at; // ns
	bool valid;
};

struct page_cache {
	struct device *disk;
	struct file *files;
	uint64_t disk_end; // where the next file will lie
	struct file *dirty_first, *dirty_last;
	struct wait_queue flusher;
	bool flush_all;
	struct dirty_limits limits;
	uint64_t bandwidth, measured_at, measured_pages; // pages a second that the disk has written lately
	uint32_t throttled;				 // tasks that sleep in dirty_throttle()
	struct page_cache_statistics statistics;
};

static inline uint64_t file_pages(const struct file *file)
{
	return (file->size + SIM_PAGE - 1) / SIM_PAGE;
}

// ---- page_cache.c ----

enum { FILE_GFP = YARD_GFP_HIGHUSER_MOVABLE, READAHEAD_GFP = FILE_GFP | YARD_GFP_NORETRY | YARD_GFP_NOWARN };

void file_free_if_unused(struct simulation *sim, struct file *file);

// M20, M21: where the running task puts pages of the file. -1: as its policy says.
static inline int file_node(struct simulation *sim, const struct file *file)
{
	return file->object->node >= 0 ? file->object->node : placement_spread_node(sim);
}

// ---- readahead.c ----

struct file_read { // pages of a file on their way in
	struct simulation *sim;
	struct file *file;
	struct page_io *io; // what has not been submitted yet
	uint64_t pages;
};

// Takes the block and starts reading it, as one of pages that follow each other. False: the page is there already,
// the block is freed. bits: AHEAD or 0.
bool file_begin_read(struct file_read *read, uint64_t page, uint32_t pfn, unsigned order, uint32_t bits);
void file_end_reads(struct file_read *read); // submits the rest
// read() wants `wanted` pages from `page` on, which is not there; or has come to a page that is marked AHEAD; or a
// fault of a mapping found nothing.
void readahead_miss(struct simulation *sim, struct file *file, uint64_t page, uint64_t wanted);
void readahead_marker(struct simulation *sim, struct file *file, uint64_t page);
void readahead_around(struct simulation *sim, struct file *file, uint64_t page);

// ---- writeback.c ----

bool flusher_create(struct simulation *sim);
void file_dirty(struct simulation *sim, struct file *file, uint64_t page); // it is usable
void file_forget_dirty(struct simulation *sim, struct file *file, uint64_t pages);
void file_written(struct simulation *sim, struct file *file, uint64_t pages); // a request is over
// Starts writing up to `most` dirty pages from writeback_next on, once around the file. Returns the pages.
uint64_t file_write_back(struct simulation *sim, struct file *file, uint64_t most);

// ---- dirty_limits.c ----

const struct dirty_limits *dirty_limits(struct simulation *sim);
bool dirty_above_background(struct simulation *sim);
// The running task has dirtied some pages of this file: it sleeps as long as it is too fast.
void dirty_throttle(struct simulation *sim, struct file *file);
