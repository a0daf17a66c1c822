// SPDX-License-Identifier: Apache-2.0
//
// Logical pages: what processes and files hold, whether it is in memory or not, and the engine's callbacks about it
// (pageyard/owner.h: move, release, write_out, ...).
//
// An object is a run of logical pages: an anonymous mapping or a file. Each page has an 8-byte entry (spec 04 A-4);
// 512 pages that begin at a multiple of 512 form a region, which is one huge page or has entries, made when first
// used. The owner's word of a resident page's frame is the number of the logical page, so that callbacks find it.
// Page tables are counted by region: a region with a mapped page costs one page-table page, unmovable.
//
// A page whose object lets go of it while a device still reads or writes it belongs to nobody: its frame is freed when
// the device is done.

#pragma once

#include "sim/placement.h"
#include "sim/numa_balancing.h"
#include "sim/simulation.h"

enum object_kind { OBJECT_ANON, OBJECT_FILE };

struct device;
struct process;
struct file;
struct cache_set;

struct memory_object {
	enum object_kind kind;
	uint32_t id;
	uint64_t pages;		 // logical pages
	uint32_t first_region;	 // its regions are consecutive
	uint8_t region_order;	 // it has room for 2^region_order regions
	struct process *process; // of an anonymous mapping
	struct file *file;	 // of a file's pages
	bool huge;		 // anonymous: faults try a huge page (THP always, or madvise; process_map() decides)
	uint32_t huge_gfp;	 // with this mask (the `defrag` setting decides)
	bool locked;		 // mlock: set before its pages are there
	uint8_t mapping;	 // enum yard_mapping of its pages when they are mapped: MAPPED, or EXEC, or NO_RECENCY
	int16_t node;		 // preferred node of its pages, whatever policies say; -1: theirs
	struct placement placement; // of an anonymous mapping (mbind)
	uint8_t local_owner;	     // of an anonymous mapping: of pageyard/local_reclaim.h, whose pages move home; 0: none
	struct cache_set *cache_set; // of a file: whose cache it is (sim/local_reclaim.h); NULL: nobody's
	// How much of it there is, in pages.
	uint64_t resident, swapped, huge_pages;
	uint64_t *resident_on; // of them on each node; NULL: the machine has one
	// Readahead from swap (spec 04 W-4).
	uint64_t swap_last;
	uint32_t swap_window, swap_hits;
	struct numa_mapping numa; // of NUMA balancing: of an anonymous mapping
	struct numa_marks marks;  // ... and of any
	struct memory_object *previous, *next; // of all
};

// An entry that is 0: nothing was there yet, or it was dropped. Not resident: a shadow (pageyard/owner.h), which uses
// bits 0-8 and 18-63, or 0, and IN_SWAP. Resident: bits 0-3 are the order of the block that it is a part of, bits 18-20
// the group (sim/process.h) of a file's page, bits 32-63 its frame.
enum page_entry {
	ENTRY_ORDER = 0xf,
	ENTRY_RESIDENT = 1 << 9,
	ENTRY_IN_SWAP = 1 << 10,   // anon: it has a slot. Not resident: its content is there
	ENTRY_READING = 1 << 11,   // resident, but not on the LRU yet: its content is being read
	ENTRY_DIRTY = 1 << 12,	   // file: to be written back
	ENTRY_PROTECTED = 1 << 13, // the next write must be noticed: the page is clean
	ENTRY_AHEAD = 1 << 14,	   // file: reading it starts the next readahead; anon: nobody has asked for it yet
	ENTRY_ACTIVE = 1 << 15,	   // with READING: what yard_lru_refault() said
	ENTRY_WORKINGSET = 1 << 16,
	ENTRY_HINT = 1 << 17,	   // NUMA balancing has marked it (sim/numa_balancing.h)
	ENTRY_GROUP = 7 << 18,	   // file: of the task that brought it in
};
enum { ENTRY_GROUP_SHIFT = 18, ENTRY_FRAME_SHIFT = 32 };

// The owner callbacks, for yard_config.owner.
void memory_owner_ops(struct simulation *sim, struct yard_owner_ops *ops);
bool memory_create(struct simulation *sim);
void memory_destroy(struct simulation *sim);
// The machine's devices: index as in struct machine.
struct device *memory_device(const struct simulation *sim, unsigned index);

// NULL: no host memory, or more logical pages than 2^31 (sim_fail() was called).
struct memory_object *object_create(struct simulation *sim, enum object_kind kind, uint64_t pages);
// Frees its pages, page tables and swap slots. The time of munmap or truncate is charged; sim_point() on the way.
void object_destroy(struct simulation *sim, struct memory_object *object);
// More logical pages, all empty. False: no host memory, or too many (sim_fail() was called).
bool object_grow(struct simulation *sim, struct memory_object *object, uint64_t pages);
// Drops pages [from, to): MADV_DONTNEED, a hole in a file, truncation. A huge page goes only as a whole, else it is
// kept (no split).
void object_drop(struct simulation *sim, struct memory_object *object, uint64_t from, uint64_t to);
// The last mapping of a file goes (munmap): its pages stay in the page cache, its page tables are freed.
void object_unmap(struct simulation *sim, struct memory_object *object);

// NULL: none yet, a huge page, or no host memory.
uint64_t *object_entry(struct simulation *sim, struct memory_object *object, uint64_t page, bool create);
// Pages that are in memory on this node.
static inline uint64_t object_resident_on(const struct memory_object *object, unsigned node)
{
	return object->resident_on ? object->resident_on[node] : object->resident;
}
// Of the node that the page is on; -1: it is not in memory.
int object_node_of(const struct simulation *sim, const struct memory_object *object, uint64_t page);
bool object_is_huge(const struct simulation *sim, const struct memory_object *object, uint64_t page);
// Object and page of an owner's word; NULL: none.
struct memory_object *object_of(const struct simulation *sim, uint32_t owner, uint64_t *page);

// ---- accesses (fault.c): by the running task, charged ----

enum touch_result {
	TOUCH_HIT,   // it was mapped
	TOUCH_MINOR, // a page was allocated, or found in the page cache or the swap cache
	TOUCH_MAJOR, // it was read from a device
	TOUCH_OOM,   // no memory: the task has been killed or gets SIGBUS
};
// A load (or store) of one page of an anonymous mapping, or of a file through a mapping. Others may run on the way. A
// load of an anonymous page that was never written takes a page as well: there is no zero page.
enum touch_result memory_touch(struct simulation *sim, struct memory_object *object, uint64_t page, bool write);
// The same for `count` pages from `page` on: what populating or streaming over a mapping does. Stops when the task is
// stopped or out of memory; returns the pages done.
uint64_t memory_touch_range(struct simulation *sim, struct memory_object *object, uint64_t page, uint64_t count,
			    bool write);

enum thp_fault { THP_ALLOCATED, THP_FELL_BACK, THP_NOT_POSSIBLE };
// Faults the region of `page` with a huge page if nothing is there yet. FELL_BACK: there was none (the caller goes on
// with base pages). Counts thp_fault_alloc and thp_fault_fallback. memory_touch() does this by itself where
// object->huge is set; NOT_POSSIBLE where it is not.
enum thp_fault memory_touch_huge(struct simulation *sim, struct memory_object *object, uint64_t page);

struct memory_statistics { // what /proc/vmstat counts and the engine does not
	uint64_t pgfault, pgmajfault, thp_fault_alloc, thp_fault_fallback, page_tables, swap_ra, swap_ra_hit;
	uint64_t thp_split, thp_swpout; // huge pages that reclaim has split, has written out whole
	uint64_t pgpgin, pgpgout;	// KiB, files and swap devices
	uint64_t touches;		// accesses that found their page mapped; all of a huge page at once is one
	uint64_t reading,
		orphans; // pages that devices are reading now; frames that belong to nobody until a device is done
};
const struct memory_statistics *memory_statistics(const struct simulation *sim);

// Compares all entries, counters, slots and page tables with each other and with the yard. False: one line in `text`.
// Time linear in logical pages that are in use.
bool memory_verify(const struct simulation *sim, char *text, size_t size);
