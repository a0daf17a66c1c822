// SPDX-License-Identifier: Apache-2.0
//
// Accesses, and page faults of anonymous memory. Whatever may sleep (an allocation, a read, sim_point()) may change
// everything: what was looked up before is looked up again.

#include "sim/memory_internal.h"
#include "sim/swap_device.h"

enum { FAULT_AGAIN = -2, FAULT_FAILED = -1 }; // else enum touch_result

enum { ANON_GFP = YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_ZERO };

// ---- waiting ----

static struct wait_queue *read_queue(struct simulation *sim, uint32_t pfn)
{
	return &sim->memory->read_done[pfn % READ_QUEUES];
}

void wake_readers(struct simulation *sim, uint32_t pfn)
{
	wake_all(sim, read_queue(sim, pfn));
}

// PSI-3, DA-1: waiting for a page of the working set is thrashing.
void wait_for_read(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	uint64_t entry = region_entry(region_of(sim, object, page), page & (REGION_PAGES - 1));
	bool thrashing = entry & ENTRY_WORKINGSET, outermost = false;

	if (!(entry & ENTRY_READING))
		return;
	if (!task_current(sim)) {
		sim_fail(sim, "only a task can wait for a device");
		return;
	}
	if (thrashing)
		outermost = yard_thrashing_begin(sim->yard);
	task_wait(sim, read_queue(sim, entry_head(entry)), SIM_FOREVER, true);
	if (thrashing)
		yard_thrashing_end(sim->yard, outermost);
}

bool fault_out_of_memory(struct simulation *sim)
{
	struct sim_task *task = task_current(sim);

	if (sim->error[0] || !task || task_stopped(task)
	    || task->task.flags & (YARD_TASK_SIGNAL | YARD_TASK_OOM_VICTIM))
		return true;
	sim_charge(sim, COST_FAULT, 1);
	sim_point(sim);
	return false;
}

// ---- anonymous memory ----

// Nothing was there: a page of zeroes (spec 04 L-7).
static int fault_new(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	unsigned offset = page & (REGION_PAGES - 1);
	struct region *region;
	uint32_t pfn;

	if (object->huge && fault_huge(sim, object, page) == THP_ALLOCATED)
		return TOUCH_MINOR;
	if (!region_map(sim, object, page))
		return FAULT_FAILED;
	pfn = sim_alloc_mapped(sim, ANON_GFP, object, page);
	if (pfn == YARD_PFN_NONE)
		return FAULT_FAILED;
	sim_charge(sim, COST_ZERO_PAGE, 1);
	region = region_of(sim, object, page);
	if (region->huge || region_entry(region, offset) || !region_make_entries(sim, object, region, offset)) {
		sim_free(sim, pfn, 0); // another thread was faster
		return FAULT_AGAIN;
	}
	attach_block(sim, object, page, pfn, 0, 0);
	yard_lru_add(sim->yard, pfn, object_lru_flags(object), (enum yard_mapping)object->mapping);
	yard_lru_touch(sim->yard, pfn, 1, false);
	return TOUCH_MINOR;
}

// The content in the slot is no longer the page's after a write, and W-5 wants the slot if swap is full. What is being
// written keeps it (W-4).
static void write_in_swap_cache(struct simulation *sim, struct memory_object *object, uint64_t page, uint32_t pfn,
				bool write)
{
	bool full = 2 * yard_swap_available(sim->yard) < swap_total(sim);
	struct region *region = region_of(sim, object, page);

	if (!write && !full)
		return;
	if (!under_writeback(sim, pfn)) {
		leave_swap_cache(sim, object, page);
		return;
	}
	if (!write)
		return;
	yard_lru_set(sim->yard, pfn, YARD_PAGE_DIRTY, true);
	if (region->huge)
		region->huge_protected = false;
	else
		change_block(region, page & (REGION_PAGES - 1), ENTRY_PROTECTED, 0);
}

// It is there, but not mapped any more (reclaim has unmapped it, or readahead brought it), or clean.
static int fault_resident(struct simulation *sim, struct memory_object *object, uint64_t page, bool write)
{
	unsigned offset = page & (REGION_PAGES - 1);
	struct region *region;
	uint64_t entry;
	uint32_t pfn;

	if (!region_map(sim, object, page))
		return FAULT_FAILED;
	region = region_of(sim, object, page);
	entry = region_entry(region, offset);
	if (!region->huge && !entry_usable(entry))
		return FAULT_AGAIN;
	if (entry & ENTRY_AHEAD) {
		sim->memory->statistics.swap_ra_hit++;
		object->swap_hits++;
		change_block(region, offset, ENTRY_AHEAD, 0);
	}
	pfn = region->huge ? region->huge - 1 : entry_frame(entry);
	if (region->huge ? region->slots : entry & ENTRY_IN_SWAP) {
		object->swap_last = page;
		write_in_swap_cache(sim, object, page, pfn, write);
	}
	yard_lru_map(sim->yard, pfn, (enum yard_mapping)object->mapping);
	yard_lru_touch(sim->yard, pfn, 1, false);
	return TOUCH_MINOR;
}

static int fault_once(struct simulation *sim, struct memory_object *object, uint64_t page, bool write, bool *major)
{
	struct region *region = region_of(sim, object, page);
	uint64_t entry = region_entry(region, page & (REGION_PAGES - 1));

	if (region->huge || entry_usable(entry))
		return fault_resident(sim, object, page, write);
	if (entry & ENTRY_READING) {
		wait_for_read(sim, object, page);
		return FAULT_AGAIN;
	}
	if (!(entry & ENTRY_IN_SWAP))
		return fault_new(sim, object, page);
	if (!swap_in(sim, object, page))
		return FAULT_FAILED;
	*major = true;
	return FAULT_AGAIN;
}

static enum touch_result fault_anon(struct simulation *sim, struct memory_object *object, uint64_t page, bool write)
{
	bool major = false;
	int result;

	sim->memory->statistics.pgfault++;
	sim_charge(sim, COST_FAULT, 1);
	do {
		result = fault_once(sim, object, page, write, &major);
		if ((result == FAULT_FAILED || sim->error[0]) && fault_out_of_memory(sim))
			return TOUCH_OOM;
	} while (result < 0);
	sim->memory->statistics.pgmajfault += major;
	sim_point(sim);
	return major ? TOUCH_MAJOR : (enum touch_result)result;
}

// ---- accesses ----

// Sets the accessed bit of a page that is mapped; a write to one that is clean must be a fault.
static inline bool touch_mapped(struct simulation *sim, const struct region *region, unsigned offset, bool write)
{
	const uint64_t wanted = ENTRY_RESIDENT | ENTRY_READING | ENTRY_HINT | (write ? ENTRY_PROTECTED : 0);
	uint64_t entry;

	if (region->huge)
		return !(write && region->huge_protected)
		       && yard_lru_touch(sim->yard, region->huge - 1, 1, false) == YARD_OK;
	entry = region_entry(region, offset);
	return (entry & wanted) == ENTRY_RESIDENT && yard_lru_touch(sim->yard, entry_head(entry), 1, false) == YARD_OK;
}

// NUMA balancing: the task's tick, and the hinting fault of a page that is marked.
static void balance(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	const struct region *region;

	numa_balancing_tick(sim);
	region = region_of(sim, object, page);
	if (region->huge_hint || region_entry(region, page & (REGION_PAGES - 1)) & ENTRY_HINT)
		numa_hinting_fault(sim, object, page);
}

enum touch_result memory_touch(struct simulation *sim, struct memory_object *object, uint64_t page, bool write)
{
	if (page >= object->pages) {
		if (object->kind == OBJECT_ANON)
			sim_fail(sim, "page %llu is outside object %u", (unsigned long long)page, object->id);
		return TOUCH_OOM;
	}
	if (sim->balancing)
		balance(sim, object, page);
	if (touch_mapped(sim, region_of(sim, object, page), page & (REGION_PAGES - 1), write)) {
		sim_charge(sim, COST_TOUCH, 1);
		sim->memory->statistics.touches++;
		sim_point(sim);
		return TOUCH_HIT;
	}
	return object->kind == OBJECT_ANON ? fault_anon(sim, object, page, write)
					   : fault_file(sim, object, page, write);
}

// As many of `count` pages as lie in one huge page that is mapped. 0: go on page by page.
static uint64_t touch_part_of_huge(struct simulation *sim, struct memory_object *object, uint64_t page, uint64_t count,
				   bool write)
{
	struct region *region = region_of(sim, object, page);
	uint64_t left = REGION_PAGES - page % REGION_PAGES;

	if (sim->balancing && region->huge)
		balance(sim, object, page);
	if (!region->huge || !touch_mapped(sim, region, 0, write))
		return 0;
	count = count < left ? count : left;
	sim_charge(sim, COST_TOUCH, count);
	sim->memory->statistics.touches++;
	sim_point(sim);
	return count;
}

uint64_t memory_touch_range(struct simulation *sim, struct memory_object *object, uint64_t page, uint64_t count,
			    bool write)
{
	struct sim_task *task = task_current(sim);
	uint64_t done = 0;

	while (done < count && !(task && task_stopped(task))) {
		uint64_t touched = 0;

		if (page + done < object->pages)
			touched = touch_part_of_huge(sim, object, page + done, count - done, write);
		if (!touched && memory_touch(sim, object, page + done, write) != TOUCH_OOM)
			touched = 1;
		if (!touched)
			break;
		done += touched;
	}
	return done;
}
