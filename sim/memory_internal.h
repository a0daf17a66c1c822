// SPDX-License-Identifier: Apache-2.0
//
// What the files of the memory model share: regions (region.c), objects (memory.c), callbacks (memory_owner.c), faults
// (fault.c, fault_file.c, fault_huge.c, swap_in.c), input and output of pages (page_io.c).

#pragma once

#include <pageyard/lru.h>
#include <pageyard/stat.h>

#include "sim/device.h"
#include "sim/machine.h"
#include "sim/memory.h"
#include "sim/process.h"

enum {
	REGION_SHIFT = 9,
	REGION_PAGES = 1 << REGION_SHIFT,
	REGION_ORDERS = 23,
	REGIONS = 1 << (REGION_ORDERS - 1), // 2^31 logical pages
	READ_QUEUES = 64,
};

// Owner's words beside numbers of logical pages.
#define OWNER_ORPHAN UINT32_MAX		 // nobody's: freed when its input or output is over
#define OWNER_ZRAM   (UINT32_C(1) << 31) // + index: a page of compressed data

struct region {
	union {
		uint64_t *entry; // `length` of them; NULL: a huge page, or nothing yet
		struct {
			uint32_t next, previous; // while it heads a free block of regions
		} free;
	};
	uint32_t *numa;		      // of NUMA balancing: for each page who used it last, or when it was marked; or NULL
	uint32_t *slot;		      // swap slots of its pages, where IN_SWAP; `length` of them, or 512 of a huge page
	struct memory_object *object; // NULL: nothing was there yet
	uint32_t huge;		      // frame of its huge page + 1; 0: none
	uint32_t page_table;	      // frame + 1; 0: none
	uint16_t length;
	uint16_t used;	     // entries that are not 0
	uint16_t slots;	     // pages with a slot
	uint8_t free_order;  // + 1; 0: in use
	bool huge_protected; // ENTRY_PROTECTED of the huge page
	bool huge_hint;	     // ENTRY_HINT of it
	// Of a file, for local-reclaim: when a page came in and when one was read, last; how many pages count as used again
	// in which second, + 1, and on which node.
	uint32_t new_ms, read_ms, hot_second;
	uint16_t hot_pages;
	uint8_t hot_node;
};

struct memory {
	struct region *region; // REGIONS of them, of which only those in use cost memory
	uint32_t free_region[REGION_ORDERS];
	struct memory_object *objects;
	uint32_t next_id;
	struct device **device;
	struct page_io *free_io, *all_io;
	struct wait_queue read_done[READ_QUEUES]; // by frame
	struct memory_statistics statistics;
};

static inline unsigned node_of_frame(const struct simulation *sim, uint32_t pfn)
{
	return (unsigned)yard_zone_of(sim->yard, pfn) / YARD_ZONE_TYPES;
}

// ---- regions (region.c) ----

void regions_init(struct memory *memory);
uint32_t regions_alloc(struct memory *memory, unsigned order); // 0: too many
void regions_free(struct memory *memory, uint32_t first, unsigned order);
// Makes room for an entry, or for the slots of all entries (512 of a huge page). False: no host memory (sim_fail()).
bool region_make_entries(struct simulation *sim, struct memory_object *object, struct region *region, unsigned offset);
bool region_make_slots(struct simulation *sim, struct region *region);
void region_drop_slots(struct region *region); // the array, once no page has one
void region_drop_entries(struct region *region);
// The page-table page of the page's region, at the first use; may sleep. False: no memory.
bool region_map(struct simulation *sim, struct memory_object *object, uint64_t page);
void region_free_page_table(struct simulation *sim, struct memory_object *object, struct region *region);

static inline uint32_t region_number(const struct memory_object *object, uint64_t page)
{
	return object->first_region + (uint32_t)(page >> REGION_SHIFT);
}

static inline struct region *region_of(const struct simulation *sim, const struct memory_object *object, uint64_t page)
{
	return &sim->memory->region[region_number(object, page)];
}

static inline uint32_t owner_word(const struct memory_object *object, uint64_t page)
{
	return (object->first_region << REGION_SHIFT) + (uint32_t)page;
}

static inline uint64_t region_entry(const struct region *region, unsigned offset) // 0: none
{
	return offset < region->length ? region->entry[offset] : 0;
}

static inline void set_entry(struct region *region, unsigned offset, uint64_t value)
{
	region->used = (uint16_t)(region->used + !!value - !!region->entry[offset]);
	region->entry[offset] = value;
}

// ---- entries ----

static inline uint32_t entry_frame(uint64_t entry)
{
	return (uint32_t)(entry >> ENTRY_FRAME_SHIFT);
}

static inline unsigned entry_order(uint64_t entry)
{
	return (unsigned)(entry & ENTRY_ORDER);
}

static inline uint32_t entry_head(uint64_t entry) // first frame of the block that it is a part of
{
	return entry_frame(entry) & ~((UINT32_C(1) << entry_order(entry)) - 1);
}

static inline uint32_t entry_bits(uint64_t entry) // of a resident page, without its order
{
	return (uint32_t)entry & ~(uint32_t)ENTRY_ORDER;
}

static inline uint64_t make_entry(uint32_t frame, unsigned order, uint32_t bits)
{
	return (uint64_t)frame << ENTRY_FRAME_SHIFT | ENTRY_RESIDENT | order | bits;
}

// Whether the page is there and can be used, not only being read.
static inline bool entry_usable(uint64_t entry)
{
	return (entry & (ENTRY_RESIDENT | ENTRY_READING)) == ENTRY_RESIDENT;
}

// Puts a block into the entries of its pages (there must be room), and its owner's word.
void attach_block(struct simulation *sim, struct memory_object *object, uint64_t page, uint32_t pfn, unsigned order,
		  uint32_t bits);
// Changes bits in all entries of the block that `page` is a part of.
void change_block(struct region *region, unsigned offset, uint32_t clear, uint32_t set);
// So many more pages (or fewer) of the block `pfn` are the object's.
void count_resident(struct simulation *sim, struct memory_object *object, uint32_t pfn, int64_t pages);
void count_moved(struct simulation *sim, struct memory_object *object, uint32_t from, uint32_t to, int64_t pages);
void count_swapped(struct memory_object *object, int64_t pages);
// The slot of a page that keeps its content elsewhere, or nowhere any more: it is free again.
void free_page_slot(struct simulation *sim, struct region *region, unsigned offset);
// A resident page loses its slots, and becomes dirty. Not while it is under writeback.
void leave_swap_cache(struct simulation *sim, struct memory_object *object, uint64_t page);
bool under_writeback(const struct simulation *sim, uint32_t pfn);

// ---- faults ----

// The flags with which a page of the object joins the LRU.
uint32_t object_lru_flags(const struct memory_object *object);
// pagefault_out_of_memory(): true if the task is being killed, else the fault is tried again.
bool fault_out_of_memory(struct simulation *sim);
// Sleeps until the read of this page is over, or whatever else happens to it.
void wait_for_read(struct simulation *sim, struct memory_object *object, uint64_t page);
void wake_readers(struct simulation *sim, uint32_t pfn);
// memory_touch_huge() without the fault around it.
enum thp_fault fault_huge(struct simulation *sim, struct memory_object *object, uint64_t page);
enum touch_result fault_file(struct simulation *sim, struct memory_object *object, uint64_t page, bool write);
// Starts reading a page from swap, with others around it, and waits for it. False: no memory.
bool swap_in(struct simulation *sim, struct memory_object *object, uint64_t page);

// ---- input and output (page_io.c) ----

enum page_io_kind { IO_SWAP_READ, IO_SWAP_WRITE, IO_FILE_READ, IO_FILE_WRITE };
enum { PAGE_IO_MAX = 256 }; // pages of a request: 1 MiB. A huge page goes alone

struct page_io { // one request to a device, for pages that follow each other there
	struct simulation *sim;
	struct page_io *next, *all_next;
	struct device *device;
	struct file *file; // of a file's writeback
	uint64_t offset;   // bytes, on the device
	enum page_io_kind kind;
	uint32_t slot;	// of swap: that of the first page
	uint32_t pages; // base pages so far
	uint32_t nr;	// blocks so far
	uint32_t pfn[PAGE_IO_MAX];
};

// NULL: no host memory (sim_fail()).
struct page_io *page_io_start(struct simulation *sim, struct device *device, enum page_io_kind kind, uint64_t offset);
bool page_io_fits(const struct page_io *io, uint64_t offset, uint32_t pages); // the next pages on the device, and room
void page_io_add(struct page_io *io, uint32_t pfn, uint32_t pages);
// Hands it to the device; a task sleeps first while the device's queue is full.
void page_io_submit(struct page_io *io);
// L-20: the bits with which a page whose entry holds a shadow is to be read into this frame.
uint32_t refault_bits(struct simulation *sim, const struct memory_object *object, uint32_t pfn, uint64_t entry);
// A page whose read is over joins the LRU, unmapped. Of a read without a device too (zram, a hole).
void finish_read(struct simulation *sim, uint32_t pfn);
void page_io_destroy(struct memory *memory);
