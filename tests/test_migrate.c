// SPDX-License-Identifier: Apache-2.0
//
// Migration: passes, batches, failures of the owner, what the pages keep (spec 03 section 3.7).

#include "spec03_fixture.h"

enum { BLOCKS = 16, END = BLOCKS * BLOCK, ROOM = 4 * BLOCK }; // from ROOM on all is free

static struct {
	unsigned gets, puts, room; // room: destinations to give
	uint32_t next;		   // from ROOM upward
} places;

static uint32_t get_place(struct yard *y, void *context, uint32_t from, unsigned order)
{
	(void)context, (void)from;
	if (!places.room)
		return NONE;
	places.room--;
	places.gets++;
	places.next = (places.next + (1u << order) - 1) & ~((1u << order) - 1);
	assert_in_range(places.next, ROOM, END - (1u << order));
	yard_force_allocated(y, base + places.next, order);
	places.next += 1u << order;
	return base + places.next - (1u << order);
}

static void put_place(struct yard *y, void *context, uint32_t pfn, unsigned order)
{
	(void)context;
	places.puts++;
	if (pfn - base == places.next - (1u << order))
		places.next = pfn - base;
	yard_free(y, pfn, order);
}

static void reset_places(void)
{
	memset(&places, 0, sizeof places);
	places.room = UINT32_MAX;
	places.next = ROOM;
}

// Whether the LRU counts as large enough for any number of isolated pages (C4.1).
static void pretend_large_lru(bool on)
{
	yard->mm[0].stat[YARD_NODE_INACTIVE_FILE] += on ? 1 << 24 : -(1 << 24);
}

static const struct migrate_target target = { get_place, put_place, NULL };

#define ALL_TOLD (KIND(MIGRATE_PAGES) | KIND(MIGRATE_PAGES_START))

// Frames below ROOM are in use, each on its own.
static void build_pages(uint32_t flags, uint32_t nr)
{
	blank_mover("linux-7.3", END);
	give_used(0, ROOM, false);
	give_free_range(ROOM, END);
	start();
	for (uint32_t i = 0; i < nr; i++)
		lru_page(i, flags, YARD_MAPPED);
	yard_lru_drain_all(yard);
	reset_places();
}

static void isolate(uint32_t nr)
{
	control(YARD_MIGRATE_SYNC, 9, false, GFP_M);
	cc.ignore_skip_hint = cc.finish_pageblock = true;
	pretend_large_lru(true);
	for (uint32_t from = 0; from < nr; from += BLOCK) {
		cc.migrate_pfn = base + from;
		cc.free_pfn = block_end(cc.migrate_pfn);
		isolate_migratepages(yard, &cc);
	}
	pretend_large_lru(false);
	assert_int_equal(list_length(&cc.migrate), nr);
	forget_told();
	mover.unmaps = mover.tries = mover.undone = mover.flushes = 0;
	mover.nr_moved = 0;
}

static int migrate(enum yard_migrate_mode mode, uint64_t *moved)
{
	return migrate_pages(yard, &cc.migrate, &target, mode, MR_COMPACTION, moved);
}

// ---- M1, M5 ----

static void M1_order_of_moves(void **state)
{
	uint64_t moved;

	(void)state;
	build_pages(FILE_PAGE, 3);
	isolate(3);
	assert_list(&cc.migrate, "[2,1,0]");
	assert_int_equal(migrate(YARD_MIGRATE_ASYNC, &moved), 0);
	assert_int_equal(moved, 3);
	assert_moves("2>2048 1>2049 0>2050"); // c, b, a
	assert_int_equal(mover.flushes, 1);
	assert_true(list_empty(&cc.migrate));
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_told(ALL_TOLD, "migrate_pages_start(0,0) migrate_pages(3,0,0,0,0,0,0,0)");
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(yard_frame_state(yard, base + i, NULL, NULL), YARD_FRAME_BUDDY); // C6.8
		assert_int_equal(yard_frame_state(yard, base + ROOM + i, NULL, NULL), YARD_FRAME_ALLOCATED);
	}
	assert_int_equal(vm(YARD_VM_PGMIGRATE_SUCCESS), 3);
	assert_int_equal(vm(YARD_VM_PGMIGRATE_FAIL), 0);
	yard_lru_drain_all(yard); // to the head, last moved youngest
	assert_pfn(yard_lru_next(yard, 0, YARD_LRU_INACTIVE_FILE, NONE), ROOM + 2);
	assert_pfn(yard_lru_next(yard, 0, YARD_LRU_INACTIVE_FILE, base + ROOM + 2), ROOM + 1);
	assert_verified();
}

static void M5_what_a_page_keeps(void **state)
{
	static const uint32_t kinds[] = {
		FILE_PAGE, FILE_PAGE | YARD_PAGE_ACTIVE, FILE_PAGE | YARD_PAGE_REFERENCED | YARD_PAGE_WORKINGSET,
		FILE_PAGE | YARD_PAGE_DIRTY, SHMEM_PAGE, ANON_PAGE, ANON_PAGE | YARD_PAGE_ACTIVE,
		ANON_PAGE | YARD_PAGE_SWAPCACHE | YARD_PAGE_DIRTY, YARD_PAGE_ANON, FILE_PAGE | YARD_PAGE_UNEVICTABLE,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		enum yard_mapping mapping_before, mapping_after;
		uint32_t before, after;
		int64_t dirty;
		bool lru;
		uint64_t moved;

		build_pages(kinds[i], 1);
		yard_set_owner(yard, base, 4711);
		assert_int_equal(yard_lru_get(yard, base, &before, &mapping_before, &lru), YARD_OK);
		dirty = node_counter(YARD_NODE_FILE_DIRTY);
		isolate(1);
		assert_int_equal(migrate(YARD_MIGRATE_SYNC, &moved), 0);
		yard_lru_drain_all(yard);
		assert_int_equal(yard_lru_get(yard, base + ROOM, &after, &mapping_after, &lru), YARD_OK);
		assert_int_equal(after, before);
		assert_int_equal(mapping_after, mapping_before);
		assert_true(lru);
		assert_int_equal(yard_get_owner(yard, base + ROOM), 4711);
		assert_int_equal(node_counter(YARD_NODE_FILE_DIRTY), dirty);
		assert_int_equal(node_counter(YARD_NODE_ISOLATED_ANON) + node_counter(YARD_NODE_ISOLATED_FILE), 0);
		assert_verified();
	}
}

static uint32_t destinations[6];

// From the highest frame down: 5 moves, 4 moves and frees what 5 became, 3 dirties its destination, 2 frees it, 1 dirties it
// and refuses, 0 is dirtied itself.
static enum yard_move_result move_and_tell(void *context, uint32_t from, uint32_t to, unsigned order,
					   enum yard_migrate_mode mode)
{
	(void)context, (void)order, (void)mode;
	destinations[from - base] = to;
	if (from - base == 4)
		assert_int_equal(yard_free(yard, destinations[5], 0), YARD_OK);
	if (from - base == 3 || from - base == 1)
		assert_int_equal(yard_lru_set(yard, to, YARD_PAGE_DIRTY, true), YARD_OK);
	if (from - base == 2)
		assert_int_equal(yard_free(yard, to, 0), YARD_OK);
	if (from - base == 0)
		assert_int_equal(yard_lru_set(yard, from, YARD_PAGE_DIRTY, true), YARD_OK);
	return from - base == 1 ? YARD_MOVE_BUSY : YARD_MOVE_DONE;
}

// The node's counters go from a source to its destination in one step: what the owner tells of either in between, and what
// it frees, still counts once.
static void M5_counters_follow_a_page(void **state)
{
	uint64_t moved;

	(void)state;
	build_pages(FILE_PAGE, 6);
	yard->owner.move = move_and_tell;
	isolate(6);
	assert_int_equal(migrate(YARD_MIGRATE_ASYNC, &moved), 1);
	assert_int_equal(moved, 5);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 1);
	putback_movable_pages(yard, &cc.migrate);
	yard_lru_drain_all(yard);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_int_equal(node_counter(YARD_NODE_FILE_PAGES), 4); // 1, and what 0, 3 and 4 became
	assert_int_equal(node_counter(YARD_NODE_FILE_MAPPED), 4);
	assert_int_equal(node_counter(YARD_NODE_FILE_DIRTY), 2); // 0 and 3
	assert_int_equal(yard_lru_size(yard, 0, YARD_LRU_INACTIVE_FILE, NORMAL), 4);
	assert_int_equal(nr_free_pages(NORMAL), END - ROOM + 2);
	assert_verified();
}

static void M11_movable_operations(void **state)
{
	uint64_t moved;

	(void)state;
	build_pages(FILE_PAGE, 0);
	yard_set_movable_ops(yard, base, true);
	isolate(1);
	assert_int_equal(migrate(YARD_MIGRATE_SYNC, &moved), 0);
	assert_moves("0>2048");
	assert_int_equal(word_place(frame_word(yard, base + ROOM)), PLACE_MOVABLE_OPS);
	assert_int_equal(yard_frame_state(yard, base, NULL, NULL), YARD_FRAME_BUDDY);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_ANON) + node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}

// ---- M2, M3, M7 ----

static unsigned mode_calls[3];

static enum yard_move_result unmap_again(uint32_t offset, unsigned order, enum yard_migrate_mode mode)
{
	(void)order;
	if (offset)
		return YARD_MOVE_DONE;
	mode_calls[mode]++;
	return YARD_MOVE_AGAIN;
}

static enum yard_move_result unmap_busy(uint32_t offset, unsigned order, enum yard_migrate_mode mode)
{
	return unmap_again(offset, order, mode) == YARD_MOVE_DONE ? YARD_MOVE_DONE : YARD_MOVE_BUSY;
}

static enum yard_move_result busy_in_async(uint32_t offset, unsigned order, enum yard_migrate_mode mode)
{
	(void)offset, (void)order;
	return mode == YARD_MIGRATE_ASYNC ? YARD_MOVE_BUSY : YARD_MOVE_DONE;
}

static void M7_retry_summary(void **state)
{
	static const unsigned passes[3][3] = { { 10, 0, 0 }, { 3, 7, 0 }, { 3, 0, 7 } };

	(void)state;
	for (unsigned in_move = 0; in_move < 2; in_move++)
		for (unsigned mode = 0; mode < 3; mode++) {
			char expected[100];
			uint64_t moved;

			build_pages(FILE_PAGE, 2);
			isolate(2);
			memset(mode_calls, 0, sizeof mode_calls);
			*(in_move ? &mover.move : &mover.unmap) = unmap_again;
			assert_int_equal(migrate((enum yard_migrate_mode)mode, &moved), 1);
			assert_memory_equal(mode_calls, passes[mode], sizeof mode_calls);
			assert_int_equal(moved, 1);
			assert_moves("1>2048");
			if (in_move) { // unmapped once for each phase 2
				assert_int_equal(mover.unmaps, mode ? 3 : 2);
				assert_int_equal(mover.undone, mode ? 2 : 1);
			} else {
				assert_int_equal(mover.undone, 0);
			}
			assert_int_equal(places.gets, places.puts + 1);
			assert_list(&cc.migrate, "[0]");
			assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 1);
			snprintf(expected, sizeof expected, "migrate_pages_start(%u,0) migrate_pages(1,1,0,0,0,0,%u,0)",
				 mode, mode);
			assert_told(ALL_TOLD, expected);
			assert_int_equal(vm(YARD_VM_PGMIGRATE_FAIL), 1);
			put_all_back();
		}
}

static void M3_other_errors_are_not_retried(void **state)
{
	static const unsigned calls[3][3] = { { 1, 0, 0 }, { 1, 1, 0 }, { 1, 0, 1 } };

	(void)state;
	for (unsigned in_move = 0; in_move < 2; in_move++)
		for (unsigned mode = 0; mode < 3; mode++) {
			uint64_t moved;

			build_pages(FILE_PAGE, 2);
			isolate(2);
			memset(mode_calls, 0, sizeof mode_calls);
			*(in_move ? &mover.move : &mover.unmap) = unmap_busy;
			assert_int_equal(migrate((enum yard_migrate_mode)mode, &moved), 1);
			assert_memory_equal(mode_calls, calls[mode], sizeof mode_calls);
			assert_int_equal(vm(YARD_VM_PGMIGRATE_FAIL), 1);
			assert_int_equal(vm(YARD_VM_PGMIGRATE_SUCCESS), 1);
			put_all_back();
		}
}

static enum yard_move_result odd_busy_in_async(uint32_t offset, unsigned order, enum yard_migrate_mode mode)
{
	(void)order;
	return mode != YARD_MIGRATE_ASYNC ? YARD_MOVE_DONE : offset & 1 ? YARD_MOVE_BUSY : YARD_MOVE_AGAIN;
}

static void M2_sync_after_async(void **state)
{
	uint64_t moved;

	(void)state;
	build_pages(FILE_PAGE, 4);
	isolate(4);
	mover.unmap = busy_in_async;
	assert_int_equal(migrate(YARD_MIGRATE_SYNC_LIGHT, &moved), 0);
	assert_int_equal(moved, 4);
	assert_int_equal(mover.flushes, 4); // one by one
	assert_told(ALL_TOLD, "migrate_pages_start(1,0) migrate_pages(4,0,0,0,0,0,1,0)"); // async failures do not count
	assert_int_equal(vm(YARD_VM_PGMIGRATE_FAIL), 0);
	assert_verified();
	build_pages(FILE_PAGE, 4);
	isolate(4);
	mover.unmap = odd_busy_in_async;
	assert_int_equal(migrate(YARD_MIGRATE_SYNC, &moved), 0);
	assert_moves("2>2048 0>2049 3>2050 1>2051"); // permanent failures come last
}

static void M2_batches_of_512(void **state)
{
	uint64_t moved;

	(void)state;
	build_pages(FILE_PAGE, 1030);
	isolate(1030);
	assert_int_equal(migrate(YARD_MIGRATE_ASYNC, &moved), 0);
	assert_int_equal(moved, 1030);
	assert_int_equal(mover.flushes, 3); // 512, 512, 6
	assert_told(ALL_TOLD, "migrate_pages_start(0,0) migrate_pages(1030,0,0,0,0,0,0,0)"); // one call
	assert_verified();
}

static void M2_batches_count_base_pages(void **state)
{
	uint64_t moved;

	(void)state;
	blank_mover("linux-7.3", END);
	for (uint32_t i = 0; i < BLOCK; i += 64)
		give_lru_block(i, 6);
	give_lru(BLOCK, BLOCK + 8);
	give_used(BLOCK + 8, ROOM, false);
	give_free_range(ROOM, END);
	start();
	reset_places();
	isolate(8); // first block only
	cc.migrate_pfn = base + BLOCK;
	cc.free_pfn = base + 2 * BLOCK;
	pretend_large_lru(true);
	isolate_migratepages(yard, &cc);
	pretend_large_lru(false);
	forget_told();
	assert_int_equal(migrate(YARD_MIGRATE_ASYNC, &moved), 0);
	assert_int_equal(moved, BLOCK + 8);
	// The list's prefix: 8 single pages, then large ones until there are 512 at least: 8 + 8 * 64 = 520 is all.
	assert_int_equal(mover.flushes, 1);
	assert_int_equal(mover.nr_moved, 16);
	assert_int_equal(mover.moved[15].order, 6);
	assert_verified();
}

static void M3_freed_meanwhile(void **state)
{
	uint64_t moved;

	(void)state;
	build_pages(FILE_PAGE, 3);
	isolate(3);
	free_at(1, 0);
	assert_int_equal(yard_frame_state(yard, base + 1, NULL, NULL), YARD_FRAME_ALLOCATED); // held by the isolator
	assert_int_equal(migrate(YARD_MIGRATE_ASYNC, &moved), 0);
	assert_moves("2>2048 0>2049");
	assert_int_equal(moved, 3); // counts as succeeded
	assert_told(ALL_TOLD, "migrate_pages_start(0,0) migrate_pages(3,0,0,0,0,0,0,0)");
	assert_int_equal(yard_frame_state(yard, base + 1, NULL, NULL), YARD_FRAME_BUDDY);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}

static enum yard_move_result free_it(uint32_t offset, unsigned order, enum yard_migrate_mode mode)
{
	(void)mode;
	if (offset == 1)
		assert_int_equal(yard_free(yard, base + offset, order), YARD_OK);
	return offset == 1 ? YARD_MOVE_AGAIN : YARD_MOVE_DONE;
}

static void M3_freed_by_a_callback(void **state)
{
	(void)state;
	for (unsigned in_move = 0; in_move < 2; in_move++)
		for (unsigned mode = 0; mode < 3; mode++) {
			uint64_t moved;

			build_pages(FILE_PAGE, 3);
			isolate(3);
			*(in_move ? &mover.move : &mover.unmap) = free_it;
			migrate((enum yard_migrate_mode)mode, &moved);
			put_all_back();
			assert_int_equal(yard_frame_state(yard, base + 1, NULL, NULL), YARD_FRAME_BUDDY);
			assert_int_equal(places.gets, places.puts + 2);
			assert_verified();
		}
}

static void M3_out_of_memory(void **state)
{
	uint64_t moved;

	(void)state;
	for (unsigned mode = 0; mode < 3; mode++) {
		build_pages(FILE_PAGE, 6);
		isolate(6);
		places.room = 2;
		assert_int_equal(migrate((enum yard_migrate_mode)mode, &moved), MIGRATE_NO_MEMORY);
		assert_moves("5>2048 4>2049"); // what was unmapped is moved
		assert_int_equal(moved, 2);
		assert_int_equal(list_length(&cc.migrate), 4);
		assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 4);
		assert_int_equal(vm(YARD_VM_PGMIGRATE_SUCCESS), 2);
		assert_in_range(vm(YARD_VM_PGMIGRATE_FAIL), 0, 1); // those untried do not count
		put_all_back();
	}
}

// ---- M4 ----

static uint64_t end_writeback(void *context, unsigned queue, uint64_t timeout_ns)
{
	(void)context, (void)queue;
	yard_writeback_end(yard, base);
	return timeout_ns;
}

static void M4_writeback(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < 3; mode++) {
		uint64_t moved;

		build_pages(FILE_PAGE, 2);
		assert_int_equal(yard_writeback_begin(yard, base), YARD_OK);
		isolate(2);
		yard->host.wait = end_writeback;
		assert_int_equal(migrate((enum yard_migrate_mode)mode, &moved), mode == YARD_MIGRATE_SYNC ? 0 : 1);
		assert_moves(mode == YARD_MIGRATE_SYNC ? "1>2048 0>2049" : "1>2048");
		yard->host.wait = NULL;
		put_all_back();
	}
}

static void M5_pinned(void **state) // references differ from what is expected
{
	(void)state;
	for (unsigned mode = 0; mode < 3; mode++) {
		uint64_t moved;

		build_pages(FILE_PAGE | YARD_PAGE_PINNED, 1);
		isolate(1);
		assert_int_equal(migrate((enum yard_migrate_mode)mode, &moved), 1);
		assert_int_equal(mover.tries, 0); // never copied
		assert_int_equal(places.gets, places.puts);
		put_all_back();
	}
}

// ---- M6 ----

static void M6_put_back(void **state)
{
	(void)state;
	build_pages(FILE_PAGE, 6);
	isolate(6);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 6);
	free_at(2, 0);
	putback_movable_pages(yard, &cc.migrate);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_int_equal(yard_frame_state(yard, base + 2, NULL, NULL), YARD_FRAME_BUDDY);
	assert_true(list_empty(&cc.migrate));
	yard_lru_drain_all(yard);
	for (uint32_t i = 0, pfn = NONE; i < 6; i++) // 5 went first, to the head; so 0 is youngest now
		if (i != 2) {
			pfn = yard_lru_next(yard, 0, YARD_LRU_INACTIVE_FILE, pfn);
			assert_pfn(pfn, i);
		}
	assert_verified();
}

// ---- M9 ----

static void M9_huge_pages(void **state)
{
	uint64_t moved;

	(void)state;
	blank_mover("linux-7.3", END);
	give_lru_block(0, 9);
	give_lru_block(BLOCK, 9);
	give_lru_block(2 * BLOCK, 3);
	give_used(2 * BLOCK + 8, ROOM, false);
	give_free_range(ROOM, END);
	start();
	reset_places();
	control(YARD_MIGRATE_SYNC, -1, false, GFP_M);
	cc.alloc_contig = cc.ignore_skip_hint = cc.finish_pageblock = true;
	pretend_large_lru(true);
	for (uint32_t i = 0; i < 3; i++)
		isolate_migratepages_block(yard, &cc, base + i * BLOCK, base + (i + 1) * BLOCK);
	pretend_large_lru(false);
	assert_int_equal(list_length(&cc.migrate), 3);
	forget_told();
	mover.unmap = unmap_busy; // frame 0
	assert_int_equal(migrate_pages(yard, &cc.migrate, &target, YARD_MIGRATE_SYNC, MR_CONTIG_RANGE, &moved), 1);
	assert_int_equal(moved, BLOCK + 8);
	assert_told(ALL_TOLD, "migrate_pages_start(2,6) migrate_pages(520,512,1,1,0,0,2,6)");
	assert_int_equal(vm(YARD_VM_PGMIGRATE_SUCCESS), 520);
	assert_int_equal(vm(YARD_VM_PGMIGRATE_FAIL), 512);
	assert_int_equal(vm(YARD_VM_THP_MIGRATION_SUCCESS), 1);
	assert_int_equal(vm(YARD_VM_THP_MIGRATION_FAIL), 1);
	assert_list(&cc.migrate, "[0]");
	put_all_back();
}

// ---- callbacks that fail at random ----

static enum yard_move_result fail_at_random(uint32_t offset, unsigned order, enum yard_migrate_mode mode)
{
	(void)offset, (void)order, (void)mode;
	return random_below(3) ? YARD_MOVE_DONE : random_below(2) ? YARD_MOVE_AGAIN : YARD_MOVE_BUSY;
}

static void M_properties_under_failures(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 60; seed++) {
		uint32_t nr = 1 + random_below(200), left;
		uint64_t moved;

		random_state = seed;
		build_pages(seed & 1 ? ANON_PAGE : FILE_PAGE, nr);
		isolate(nr);
		mover.unmap = seed % 3 ? fail_at_random : NULL;
		mover.move = fail_at_random;
		if (seed % 5 == 0)
			places.room = random_below(nr);
		migrate((enum yard_migrate_mode)(seed % 3), &moved);
		left = (uint32_t)list_length(&cc.migrate);
		assert_int_equal(moved + left, nr);
		assert_int_equal(mover.nr_moved, moved);
		assert_int_equal(node_counter(YARD_NODE_ISOLATED_ANON) + node_counter(YARD_NODE_ISOLATED_FILE), left);
		assert_int_equal(vm(YARD_VM_PGMIGRATE_SUCCESS), moved);
		assert_int_equal(places.gets - places.puts, moved);
		put_all_back();
		assert_int_equal(
			yard_lru_size(yard, 0, seed & 1 ? YARD_LRU_INACTIVE_ANON : YARD_LRU_INACTIVE_FILE, NORMAL), nr);
		assert_int_equal(nr_free_pages(NORMAL), END - ROOM); // each move frees one and takes one
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(M1_order_of_moves),
		TEST(M5_what_a_page_keeps),
		TEST(M5_counters_follow_a_page),
		TEST(M11_movable_operations),
		TEST(M7_retry_summary),
		TEST(M3_other_errors_are_not_retried),
		TEST(M2_sync_after_async),
		TEST(M2_batches_of_512),
		TEST(M2_batches_count_base_pages),
		TEST(M3_freed_meanwhile),
		TEST(M3_freed_by_a_callback),
		TEST(M3_out_of_memory),
		TEST(M4_writeback),
		TEST(M5_pinned),
		TEST(M6_put_back),
		TEST(M9_huge_pages),
		TEST(M_properties_under_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
