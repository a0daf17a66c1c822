// SPDX-License-Identifier: Apache-2.0
//
// Files: the page cache with readahead and writeback. A file's pages are a memory object of kind FILE; reads and
// writes go through it, the flusher writes dirty pages back, and writers are slowed down when there are too many
// (spec 04 W-8).
//
// A page that is not in memory is read from the disk if it is below `disk_pages`, else it is a hole.

#pragma once

#include "sim/device.h"
#include "sim/memory.h"

struct file {
	struct memory_object *object;
	uint64_t size;	      // bytes
	uint64_t disk_offset; // where it lies
	uint64_t disk_pages;  // pages from the front that the disk knows
	uint64_t dirty;	      // pages
	uint8_t folio_order;  // the largest block that readahead may ask for; 0: this file system has no large folios
	uint32_t users;	      // open or mapped; freed when 0 and unlinked
	uint32_t mappings;    // by processes (process_map_file())
	bool unlinked;
	// When its last cached page has gone, by reclaim as well: must not allocate. NULL: nobody wants to know.
	void (*emptied)(struct simulation *sim, void *context);
	void *emptied_context;
	// Reading.
	uint64_t next_read;	 // page after the last read: sequential reads continue there
	uint64_t window_start;	 // readahead: the last one
	uint32_t window;	 // ... and its pages
	uint64_t ahead_at;	 // reading this page starts the next one
	uint8_t read_order;	 // block order of the last one
	uint32_t mapping_misses; // faults that found nothing, less those that did
	// Writing.
	uint64_t *dirty_regions; // bitmap, of `dirty_words`
	uint64_t dirty_words;
	uint64_t dirtied_at;		    // when the first of its dirty pages became that
	uint64_t writeback_next;	    // page where the flusher goes on
	uint64_t write_started, write_done; // pages
	uint64_t unbalanced;		    // pages dirtied since the last look at the limits
	struct wait_queue written;
	struct file *dirty_previous, *dirty_next; // files with dirty pages
	struct file *previous, *next;		  // all
};

bool page_cache_create(struct simulation *sim);
void page_cache_destroy(struct simulation *sim);

// A file with `size` bytes that are on disk already (cached: no page is). NULL: no host memory.
struct file *file_create(struct simulation *sim, uint64_t size);
void file_unlink(struct simulation *sim, struct file *file); // frees its pages once nobody has it open
struct file *file_open(struct file *file);
void file_close(struct simulation *sim, struct file *file);

// By the running task: copies to or from user space, bringing pages in with readahead as needed. False: stopped or
// out of memory.
bool file_read(struct simulation *sim, struct file *file, uint64_t offset, uint64_t bytes);
bool file_write(struct simulation *sim, struct file *file, uint64_t offset,
		uint64_t bytes);					      // extends it; dirties its pages
bool file_sync(struct simulation *sim, struct file *file);		      // fsync()
void file_truncate(struct simulation *sim, struct file *file, uint64_t size); // or extends it with a hole
// Brings one page in (a fault on a mapping does that); YARD_PFN_NONE: no memory. *major: it was read from the disk.
uint32_t file_get_page(struct simulation *sim, struct file *file, uint64_t page, bool *major);
void page_cache_wake_flusher(struct simulation *sim); // all that is dirty is to be written

struct page_cache_statistics {
	uint64_t reads, hits; // pages read() wanted, and found
	uint64_t readahead_pages, written_pages, throttled_ns;
	uint64_t large_tries, large_failed; // blocks above order 0 that readahead asked for, and did not get
};
const struct page_cache_statistics *page_cache_statistics(const struct simulation *sim);
