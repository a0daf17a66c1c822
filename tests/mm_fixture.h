// SPDX-License-Identifier: Apache-2.0
//
// An owner of pages for the tests of the slow path, compaction and reclaim: callbacks that count, that can be told to fail,
// and that do nothing else, since pages have no content here.
//
// A test builds a yard with `owner()` in its configuration, then gives pages to the LRU with lru_page() or yard_lru_add().

#pragma once

#include "engine_fixture.h"

#include "pageyard/worker.h"

enum owner_call {
	CALL_MAY_MOVE,
	CALL_UNMAP_FOR_MOVE,
	CALL_MOVE,
	CALL_UNMAP,
	CALL_SWAP_SLOT,
	CALL_WRITE_OUT,
	CALL_RELEASE,
	CALL_OOM_KILL,
	CALLS
};

static struct owner_world {
	uint64_t calls[CALLS];	     // how often each was called
	uint64_t fail_from[CALLS];   // calls with this number and later fail; 0: none
	uint64_t fail_every[CALLS];  // every n-th fails; 0: none
	uint64_t fail_call;	     // the n-th call of all fails; 0: none
	uint64_t all_calls, failed;
	bool asynchronous;	     // write_out starts a write that finish_writes() ends
	uint32_t writing[65536];
	size_t nr_writing;
	uint32_t last_from, last_to;
	uint64_t flushes, flusher_wakes;
	void (*interrupt)(void);     // something that happens while a page is being moved
	// one process that can be killed
	uint32_t *hog;
	size_t nr_hog, hog_room;
	uint64_t kills;
	bool unkillable;
} world;

static UNUSED bool call_fails(enum owner_call call)
{
	uint64_t n = ++world.calls[call];

	world.all_calls++;
	if ((world.fail_from[call] && n >= world.fail_from[call]) || (world.fail_every[call] && n % world.fail_every[call] == 0)
	    || world.all_calls == world.fail_call) {
		world.failed++;
		return true;
	}
	return false;
}

static bool owner_may_move(void *context, uint32_t pfn, unsigned order, enum yard_migrate_mode mode)
{
	(void)context, (void)pfn, (void)order, (void)mode;
	return !call_fails(CALL_MAY_MOVE);
}

static enum yard_move_result owner_unmap_for_move(void *context, uint32_t pfn, unsigned order, enum yard_migrate_mode mode)
{
	(void)context, (void)pfn, (void)order, (void)mode;
	return call_fails(CALL_UNMAP_FOR_MOVE) ? YARD_MOVE_AGAIN : YARD_MOVE_DONE;
}

static void owner_flush(void *context)
{
	(void)context;
	world.flushes++;
}

static enum yard_move_result owner_move(void *context, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	(void)context, (void)order, (void)mode;
	if (world.interrupt)
		world.interrupt();
	if (call_fails(CALL_MOVE))
		return world.calls[CALL_MOVE] & 1 ? YARD_MOVE_AGAIN : YARD_MOVE_BUSY;
	world.last_from = from;
	world.last_to = to;
	return YARD_MOVE_DONE;
}

static bool owner_unmap(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)pfn, (void)order;
	return !call_fails(CALL_UNMAP);
}

static bool owner_swap_slot(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)pfn, (void)order;
	return !call_fails(CALL_SWAP_SLOT);
}

static enum yard_write_result owner_write_out(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)order;
	if (call_fails(CALL_WRITE_OUT))
		return YARD_WRITE_REFUSED;
	if (!world.asynchronous || world.nr_writing == COUNT(world.writing))
		return YARD_WRITE_DONE;
	world.writing[world.nr_writing++] = pfn;
	return YARD_WRITE_STARTED;
}

static bool owner_release(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	(void)context, (void)pfn, (void)order, (void)shadow;
	return !call_fails(CALL_RELEASE);
}

static void owner_wake_flusher(void *context, unsigned node)
{
	(void)context, (void)node;
	world.flusher_wakes++;
}

static bool owner_oom_next(void *context, uint64_t *cursor, const struct yard_oom *oom, struct yard_oom_task *task)
{
	(void)context, (void)oom;
	if (*cursor)
		return false;
	*cursor = 1;
	*task = (struct yard_oom_task){ .id = 7, .rss = world.nr_hog, .unkillable = world.unkillable };
	return true;
}

static void owner_oom_kill(void *context, uint64_t id, const struct yard_oom *oom)
{
	(void)context, (void)oom;
	assert_int_equal(id, 7);
	call_fails(CALL_OOM_KILL);
	world.kills++;
	for (size_t i = 0; i < world.nr_hog; i++)
		assert_int_equal(yard_free(yard, world.hog[i], 0), YARD_OK);
	world.nr_hog = 0;
}

static UNUSED struct yard_owner_ops owner(void)
{
	return (struct yard_owner_ops){
		.may_move = owner_may_move, .unmap_for_move = owner_unmap_for_move, .flush = owner_flush, .move = owner_move,
		.unmap = owner_unmap, .swap_slot = owner_swap_slot, .write_out = owner_write_out, .release = owner_release,
		.wake_flusher = owner_wake_flusher, .oom_next = owner_oom_next, .oom_kill = owner_oom_kill,
	};
}

static UNUSED void forget_world(void)
{
	free(world.hog);
	memset(&world, 0, sizeof world);
}

static UNUSED void finish_writes(void)
{
	size_t nr = world.nr_writing;

	world.nr_writing = 0;
	for (size_t i = 0; i < nr; i++)
		yard_writeback_end(yard, world.writing[i]);
}

// ---- short names ----

enum { ANON_PAGE = YARD_PAGE_ANON | YARD_PAGE_SWAPBACKED, FILE_PAGE = 0, SHMEM_PAGE = YARD_PAGE_SWAPBACKED };

static UNUSED void lru_page(uint32_t offset, uint32_t flags, enum yard_mapping mapping)
{
	assert_int_equal(yard_lru_add(yard, base + offset, flags, mapping), YARD_OK);
}

static UNUSED uint64_t vm(enum yard_vm_event event)
{
	return yard_get_vm_event(yard, event);
}

static UNUSED int64_t node_counter(enum yard_node_stat item)
{
	return yard_get_node_stat(yard, 0, item);
}

static uint64_t random_state = 1;

static UNUSED uint32_t random_below(uint32_t limit)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)(((z ^ z >> 31) >> 32) * limit >> 32);
}

static UNUSED void shuffle(uint32_t *pfns, size_t nr)
{
	for (size_t i = nr; i > 1; i--) {
		uint32_t j = random_below((uint32_t)i), kept = pfns[j];

		pfns[j] = pfns[i - 1];
		pfns[i - 1] = kept;
	}
}
