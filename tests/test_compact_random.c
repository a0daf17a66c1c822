// SPDX-License-Identifier: Apache-2.0
//
// What holds for every run of compaction (spec 03 section 3.15), on random zones: block types, free chunks, pages of
// all kinds, large ones, owners that refuse, requests of all orders, modes and policies. And ranges (C4.10, spec 01
// C10, C12).

#include "spec03_fixture.h"

enum { BLOCKS = 12, END = BLOCKS * BLOCK, ROUNDS = 400 };

#define RUNS (KIND(COMPACTION_BEGIN) | KIND(COMPACTION_END))

static const char *const policies[] = { "linux-7.3", "linux-7.3,defrag_mode=1", "linux-7.2", "defrag-6.16", "storm-fix",
					"linux-7.3,lru_gen=on" };

static uint32_t parts[END]; // first frames of the blocks in use
static uint8_t part_order[END];
static size_t nr_parts;
static uint64_t freed; // pages, by their owner, while they were being moved
static bool no_cma;    // C blocks are no sources now

static uint32_t pick_order(void)
{
	return random_below(3) ? 0 : random_below(8) ? random_below(5) : random_below(10);
}

// Everything is in use, in blocks of random orders; then some of them are freed.
static void build_random(uint32_t seed)
{
	static const uint32_t flags[] = { YARD_PAGE_ACTIVE, YARD_PAGE_DIRTY, YARD_PAGE_SWAPBACKED, YARD_PAGE_PINNED,
					  YARD_PAGE_UNEVICTABLE, YARD_PAGE_REFERENCED };
	uint32_t free_share, lru_share;

	random_state = seed;
	free_share = random_below(60);
	lru_share = random_below(100);
	blank_mover(policies[seed % COUNT(policies)], END);
	for (uint32_t i = 0; i < END; i += BLOCK)
		give_type(i, random_below(2) ? M : random_below(I));
	nr_parts = 0;
	for (uint32_t i = 0; i < END;) {
		unsigned order = pick_order();

		while (i % (1u << order) || i + (1u << order) > END)
			order--;
		give_block(i, order);
		part_order[nr_parts] = (uint8_t)order;
		parts[nr_parts++] = i;
		i += 1u << order;
	}
	start();
	for (size_t i = 0; i < nr_parts; i++) {
		uint32_t set = 0;

		if (random_below(100) < free_share) {
			free_at(parts[i], part_order[i]);
			continue;
		}
		if (random_below(100) >= lru_share) {
			if (!random_below(4))
				yard_set_movable_ops(yard, base + parts[i], true);
			continue;
		}
		for (size_t f = 0; f < COUNT(flags); f++)
			set |= random_below(8) ? 0 : flags[f];
		if (random_below(2))
			set |= ANON_PAGE | (random_below(3) ? 0 : YARD_PAGE_SWAPCACHE);
		lru_page(parts[i], set, (enum yard_mapping)random_below(3));
		if (!random_below(20)) {
			yard_lru_drain_all(yard);
			yard_writeback_begin(yard, base + parts[i]);
		}
	}
	yard_lru_drain_all(yard);
	set_wmarks(normal(), random_below(3) ? 0 : random_below(300), 300, 400);
	assert_verified();
	hear_all();
	freed = 0;
}

static uint64_t wait_for_writeback(void *context, unsigned queue, uint64_t timeout_ns)
{
	(void)context, (void)queue;
	for (size_t i = 0; i < nr_parts; i++)
		yard_writeback_end(yard, base + parts[i]);
	return timeout_ns;
}

static enum yard_move_result answer(uint32_t offset, unsigned order, enum yard_migrate_mode mode)
{
	(void)mode;
	if (no_cma)
		assert_int_not_equal(type_at(offset), C);
	if (!random_below(200) && yard_free(yard, base + offset, order) == YARD_OK) {
		freed += 1u << order;
		return YARD_MOVE_BUSY;
	}
	return random_below(20) ? YARD_MOVE_DONE : random_below(2) ? YARD_MOVE_AGAIN : YARD_MOVE_BUSY;
}

static bool may_move_sometimes(uint32_t offset, enum yard_migrate_mode mode)
{
	(void)offset, (void)mode;
	return random_below(4);
}

static int64_t told_sum(unsigned kind, unsigned field)
{
	int64_t sum = 0;

	for (size_t i = 0; i < nr_told; i++)
		sum += told[i].kind == kind ? told[i].args[field] : 0;
	return sum;
}

// What the events say is what the counters say.
static void check_counters(const uint64_t *before)
{
	assert_int_equal(vm(YARD_VM_COMPACT_FREE_SCANNED) - before[YARD_VM_COMPACT_FREE_SCANNED],
			 told_sum(YARD_EVENT_ISOLATE_FREEPAGES, 2) + told_sum(YARD_EVENT_FAST_ISOLATE_FREEPAGES, 2));
	assert_true((int64_t)(vm(YARD_VM_COMPACT_MIGRATE_SCANNED) - before[YARD_VM_COMPACT_MIGRATE_SCANNED])
		    >= told_sum(YARD_EVENT_ISOLATE_MIGRATEPAGES, 2));
	assert_int_equal(vm(YARD_VM_COMPACT_ISOLATED) - before[YARD_VM_COMPACT_ISOLATED],
			 told_sum(YARD_EVENT_ISOLATE_FREEPAGES, 3) + told_sum(YARD_EVENT_FAST_ISOLATE_FREEPAGES, 3)
				 + told_sum(YARD_EVENT_ISOLATE_MIGRATEPAGES, 3));
	assert_int_equal(vm(YARD_VM_PGMIGRATE_SUCCESS) - before[YARD_VM_PGMIGRATE_SUCCESS],
			 told_sum(YARD_EVENT_MIGRATE_PAGES, 0));
	assert_int_equal(vm(YARD_VM_PGMIGRATE_FAIL) - before[YARD_VM_PGMIGRATE_FAIL],
			 told_sum(YARD_EVENT_MIGRATE_PAGES, 1));
	assert_int_equal(told_sum(YARD_EVENT_MIGRATE_PAGES, 0), told_sum(YARD_EVENT_COMPACTION_MIGRATEPAGES, 0));
}

static void check_positions(void)
{
	int64_t low = 0;

	for (size_t i = 0; i < nr_told; i++) {
		const int64_t *a = told[i].args;

		switch (told[i].kind) {
		case YARD_EVENT_COMPACTION_BEGIN:
			assert_int_equal(a[0], BASE);
			assert_int_equal(a[3], BASE + END);
			assert_in_range(a[1], BASE, BASE + END - 1);
			assert_int_equal(a[1] % BLOCK, 0);
			assert_in_range(a[2], BASE, BASE + END - 1);
			low = a[1];
			break;
		case YARD_EVENT_ISOLATE_MIGRATEPAGES:
			assert_true(a[0] >= BASE && a[0] < a[1] && a[1] <= BASE + END);
			assert_int_equal(a[0] / BLOCK, (a[1] - 1) / BLOCK); // one block
			assert_true(a[3] <= a[1] - a[0] && a[2] <= a[1] - a[0]);
			assert_true(a[0] >= low || a[0] % BLOCK == 0 || cc.fast_start_used); // falls by C3.13 only
			low = a[1];
			break;
		case YARD_EVENT_ISOLATE_FREEPAGES:
			assert_true(a[0] >= BASE && a[0] <= a[1] && a[1] <= BASE + END);
			break;
		case YARD_EVENT_COMPACTION_MIGRATEPAGES:
			assert_true(a[0] >= 0 && a[1] >= 0);
			break;
		case YARD_EVENT_COMPACTION_END:
			assert_true(a[5] >= COMPACT_COMPLETE && a[5] <= COMPACT_SUCCESS);
			break;
		}
	}
}

static void check_after(void)
{
	assert_true(list_empty(&cc.migrate));
	for (unsigned o = 0; o <= YARD_MAX_PAGE_ORDER; o++)
		assert_true(list_empty(&cc.free_store[o]));
	yard_lru_drain_all(yard);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_ANON) + node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}

static void I3_15_runs(void **state)
{
	static const uint32_t gfps[] = { GFP_U, GFP_M, GFP_R, GFP_M & ~(uint32_t)YARD_GFP_FS };
	uint64_t moved = 0, ends[9] = { 0 };

	(void)state;
	for (uint32_t seed = 1; seed <= ROUNDS; seed++) {
		int order;
		bool typed;

		build_random(seed);
		typed = yard_get_policy(yard)->source_rule == YARD_SOURCE_TYPED;
		mover.unmap = random_below(2) ? answer : NULL;
		mover.move = random_below(2) ? answer : NULL;
		mover.may_move = may_move_sometimes;
		yard->host.wait = wait_for_writeback;
		for (unsigned n = 0; n < 3; n++) {
			uint64_t before[YARD_VM_EVENTS];
			int64_t free_before = nr_free_pages(NORMAL);
			enum compact_result result;

			for (unsigned i = 0; i < YARD_VM_EVENTS; i++)
				before[i] = vm((enum yard_vm_event)i);
			order = random_below(5) ? (int)random_below(11) : -1;
			control((enum yard_migrate_mode)random_below(3), order, order > 0 && random_below(3),
				gfps[random_below(4)]);
			cc.alloc_flags = random_below(2) ? ALLOC_CMA : 0;
			cc.whole_zone = cc.ignore_skip_hint = cc.ignore_block_suitable = !random_below(4);
			cc.migrate_pfn = cc.free_pfn = 0;
			no_cma = cc.direct_compaction && !typed && !(cc.alloc_flags & ALLOC_CMA);
			freed = 0;
			forget_told();
			result = compact_zone(yard, &cc);
			ends[result]++;
			check_positions();
			check_counters(before);
			check_after();
			assert_int_equal(nr_free_pages(NORMAL),
					 free_before + (int64_t)freed); // each move frees one and takes one
			moved += vm(YARD_VM_PGMIGRATE_SUCCESS) - before[YARD_VM_PGMIGRATE_SUCCESS];
		}
	}
	print_message("# %" PRIu64 " pages moved; complete %" PRIu64 ", partial %" PRIu64 ", contended %" PRIu64
		      ", success %" PRIu64 ", not run %" PRIu64 "\n",
		      moved, ends[COMPACT_COMPLETE], ends[COMPACT_PARTIAL_SKIPPED], ends[COMPACT_CONTENDED],
		      ends[COMPACT_SUCCESS], ends[COMPACT_SKIPPED]);
	assert_true(moved > 10000);
	for (unsigned i = COMPACT_COMPLETE; i <= COMPACT_SUCCESS; i++)
		assert_true(ends[i] > 5);
}

static void I3_15_requests_and_workers(void **state)
{
	static const uint32_t gfps[] = { GFP_U, GFP_M, GFP_R };
	uint64_t given = 0;

	(void)state;
	for (uint32_t seed = 1; seed <= ROUNDS; seed++) {
		struct yard_wait wait;

		build_random(seed + 1000);
		yard_set_event_sink(yard, NULL, NULL, false);
		mover.unmap = random_below(2) ? answer : NULL;
		mover.move = random_below(2) ? answer : NULL;
		no_cma = false;
		yard->host.wait = wait_for_writeback;
		for (unsigned n = 0; n < 4; n++) {
			int64_t free_before = nr_free_pages(NORMAL), taken = 0;
			const struct yard_request r = {.gfp = gfps[random_below(3)] | YARD_GFP_RETRY_MAYFAIL
							      | YARD_GFP_COMP,
						       .order = (uint8_t)random_below(11),
						       .node = -1,
						       .max_rounds = 50};
			struct yard_result result = { .pfn = NONE };

			freed = 0;
			switch (random_below(4)) {
			case 0:
				yard_force_wakeup_kcompactd(yard, 0, 1 + random_below(10), NORMAL);
				yard_kcompactd_step(yard, 0, true, &wait);
				yard_kcompactd_step(yard, 0, false, &wait);
				break;
			case 1:
				yard_compact_node(yard, -1);
				break;
			default:
				yard_alloc_request(yard, &r, &result);
				taken = result.pfn == NONE ? 0 : 1 << r.order;
				given += result.pfn != NONE;
				break;
			}
			yard_lru_drain_all(yard);
			assert_int_equal(node_counter(YARD_NODE_ISOLATED_ANON) + node_counter(YARD_NODE_ISOLATED_FILE),
					 0);
			assert_verified();
			assert_int_equal(nr_free_pages(NORMAL), free_before + (int64_t)freed - taken);
		}
	}
	assert_true(given > 100);
}

// ---- ranges ----

static void build_range(void)
{
	blank_mover("linux-7.3", END);
	give_lru(0, 100);
	give_free_range(100, 128);
	give_lru_block(128, 7);
	give_lru(256, BLOCK);
	give_used(BLOCK, BLOCK + 1, false);
	give_lru(BLOCK + 1, 2 * BLOCK);
	give_free_range(2 * BLOCK, END);
	start();
	set_wmarks(normal(), 0, 0, 0);
}

static void C4_10_alloc_range(void **state)
{
	struct zone_compact kept;

	(void)state;
	build_range();
	lru_page(BLOCK, YARD_PAGE_UNEVICTABLE | YARD_PAGE_DIRTY, YARD_MAPPED); // allowed: it only has to move
	yard_lru_drain_all(yard);
	hints()->cached_free = base + 7;
	kept = *hints();
	forget_told();
	assert_int_equal(yard_alloc_range(yard, base + 30, base + BLOCK + 10, YARD_ISOLATE_OTHER), YARD_OK);
	for (uint32_t i = 30; i < BLOCK + 10; i++) {
		unsigned order;

		assert_int_equal(yard_frame_state(yard, base + i, NULL, &order), YARD_FRAME_ALLOCATED);
		assert_int_equal(order, 0);
		assert_false(word_on_lru(frame_word(yard, base + i)));
	}
	assert_true(word_on_lru(frame_word(yard, base + 29)));
	assert_true(word_on_lru(frame_word(yard, base + BLOCK + 10)));
	assert_memory_equal(hints(), &kept, sizeof kept); // no positions
	for (uint32_t i = 0; i < END; i += BLOCK)
		assert_false(pageblock_skip(yard, base + i));
	assert_int_equal(told_nth(YARD_EVENT_MIGRATE_PAGES_START, 0)->args[0], YARD_MIGRATE_SYNC);
	assert_int_equal(told_nth(YARD_EVENT_MIGRATE_PAGES_START, 0)->args[1], MR_CONTIG_RANGE);
	assert_int_equal(told_nth(YARD_EVENT_MIGRATE_PAGES, 0)->args[0], 32); // batches of 32
	assert_int_equal(told_sum(YARD_EVENT_MIGRATE_PAGES, 0), 70 + 128 + 256 + 10);
	for (size_t i = 0; i < mover.nr_moved; i++) // into normal allocations, not into the range
		assert_true(mover.moved[i].to >= BLOCK + 10);
	assert_told(RUNS, "");
	assert_int_equal(type_at(0), M); // no longer isolated
	yard_lru_drain_all(yard);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
	assert_int_equal(yard_free_range(yard, base + 30, BLOCK - 20), YARD_OK);
	assert_verified();
}

static unsigned busy_tries;

static enum yard_move_result frame_40_never(uint32_t offset, unsigned order, enum yard_migrate_mode mode)
{
	(void)order, (void)mode;
	if (offset != 40)
		return YARD_MOVE_DONE;
	busy_tries++;
	return YARD_MOVE_BUSY;
}

static void C4_10_gives_up(void **state)
{
	int64_t before;

	(void)state;
	build_range();
	mover.unmap = frame_40_never;
	busy_tries = 0;
	before = nr_free_pages(NORMAL);
	assert_int_equal(yard_alloc_range(yard, base, base + BLOCK, YARD_ISOLATE_OTHER), YARD_EBUSY);
	assert_int_equal(busy_tries, 5 * 2); // 5 tries of the list, each ASYNC and then SYNC
	assert_true(word_on_lru(frame_word(yard, base + 40)) || frame_held(yard, base + 40));
	yard_lru_drain_all(yard);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_int_equal(nr_free_pages(NORMAL), before);
	assert_int_equal(type_at(0), M);
	assert_verified();
	mover.unmap = NULL;
	assert_int_equal(yard_alloc_range(yard, base, base + BLOCK + 1, YARD_ISOLATE_OTHER),
			 YARD_EBUSY); // frame BLOCK cannot move
	assert_verified();
}

static void C4_10_no_room(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_lru(0, 128);
	give_free(128, 5); // isolated with the block
	give_lru(160, BLOCK);
	give_used(BLOCK, END, false);
	start();
	set_wmarks(normal(), 0, 0, 0);
	assert_int_equal(yard_alloc_range(yard, base, base + 64, YARD_ISOLATE_OTHER), YARD_ENOMEM);
	yard_lru_drain_all(yard);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}

static void C4_10_clean_file_pages_are_dropped(void **state)
{
	struct yard_config config = mover_config("linux-7.3");

	(void)state;
	config.owner.release = owner_release;
	memset(&mover, 0, sizeof mover);
	blank_config(config, END);
	give_lru(0, 10);
	give_used(10, 20, false);
	give_free_range(BLOCK, END);
	give_lru(20, BLOCK);
	start();
	set_wmarks(normal(), 0, 0, 0);
	for (uint32_t i = 10; i < 20; i++)
		lru_page(i, ANON_PAGE, YARD_MAPPED);
	yard_lru_drain_all(yard);
	assert_int_equal(yard_alloc_range(yard, base, base + 20, YARD_ISOLATE_OTHER), YARD_OK);
	assert_int_equal(world.calls[CALL_RELEASE], 10);
	assert_int_equal(mover.nr_moved, 10);
	yard_lru_drain_all(yard);
	assert_verified();
}

static void C12_alloc_contig(void **state)
{
	uint32_t pfn;

	(void)state;
	build_range(); // frame BLOCK cannot move
	pfn = yard_alloc_contig(yard, 600, GFP_M);
	assert_pfn(pfn, 1424); // 224 holds frame BLOCK, 824 begins in its block
	assert_verified();
	pfn = yard_alloc_contig(yard, 256, GFP_M);
	assert_pfn(pfn, 0);
	assert_true(mover.nr_moved > 0);
	yard_lru_drain_all(yard);
	assert_verified();
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(I3_15_runs), TEST(I3_15_requests_and_workers), TEST(C4_10_alloc_range), TEST(C4_10_gives_up),
		TEST(C4_10_no_room), TEST(C4_10_clean_file_pages_are_dropped), TEST(C12_alloc_contig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
