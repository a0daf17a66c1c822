// SPDX-License-Identifier: Apache-2.0
//
// A run of compaction from its start to its end (spec 03 section 3.6).

#include "spec03_fixture.h"

enum { BLOCKS = 8, END = BLOCKS * BLOCK };

#define RUNS	(KIND(COMPACTION_BEGIN) | KIND(COMPACTION_END))
#define STEPS	(RUNS | KIND(COMPACTION_FINISHED) | KIND(ISOLATE_MIGRATEPAGES) | KIND(COMPACTION_MIGRATEPAGES))

// Every other frame of [from, to) is free.
static void give_scattered(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i += 2) {
		give_free(i, 0);
		give_used(i + 1, i + 2, false);
	}
}

// `lru` movable pages at the start of block 0; half of block 6 and 7 is free, in single frames.
static void build_run(const char *policy, uint32_t lru)
{
	blank_mover(policy, END);
	give_lru(0, lru);
	give_used(lru, 6 * BLOCK, false);
	give_scattered(6 * BLOCK, END);
	start();
	set_wmarks(normal(), 0, 0, 0);
}

static enum compact_result run(enum yard_migrate_mode mode, int order, bool is_direct)
{
	control(mode, order, is_direct, GFP_M);
	forget_told();
	return compact_zone(yard, &cc);
}

static void check_nothing_held(void)
{
	assert_true(list_empty(&cc.migrate));
	for (unsigned o = 0; o <= YARD_MAX_PAGE_ORDER; o++)
		assert_true(list_empty(&cc.free_store[o]));
	yard_lru_drain_all(yard);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_ANON) + node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}

// ---- C6.1 ----

static void C6_1_preamble(void **state)
{
	(void)state;
	build_run("linux-7.3", 0);
	assert_int_equal(run(YARD_MIGRATE_SYNC_LIGHT, 0, true), COMPACT_SUCCESS); // C2.4.2
	assert_told(STEPS | KIND(COMPACTION_SUITABLE), "");
	set_wmarks(normal(), 600, 700, 700);
	assert_int_equal(run(YARD_MIGRATE_SYNC_LIGHT, 9, true), COMPACT_SKIPPED);
	assert_told(STEPS | KIND(COMPACTION_SUITABLE), "suitable(0,2,9,1)");
	assert_int_equal(run(YARD_MIGRATE_ASYNC, -1, false), COMPACT_PARTIAL_SKIPPED); // not asked for order -1
	assert_told(RUNS | KIND(COMPACTION_SUITABLE), "begin(0,0,3584,4096,0) end(0,3584,3584,4096,0,6)");
}

static void C6_1_restart_flushes(void **state)
{
	(void)state;
	build_run("linux-7.3", 8);
	hints()->blockskip_flush = true;
	set_pageblock_skip(yard, base, true);
	*hints() =
		(struct zone_compact){.blockskip_flush = true, .defer_shift = 6, .considered = 64, .order_failed = 9};
	run(YARD_MIGRATE_SYNC_LIGHT, 8, true); // below order_failed
	assert_int_equal(hints()->init_migrate, 0);
	hints()->blockskip_flush = true;
	run(YARD_MIGRATE_SYNC_LIGHT, 9, true);
	assert_at(hints()->init_migrate, 0);
	check_nothing_held();
}

static void C6_1_drains_lru_batches(void **state)
{
	(void)state;
	build_run("linux-7.3", 0);
	lru_page(3, ANON_PAGE, YARD_MAPPED); // waits in this CPU's batch
	run(YARD_MIGRATE_SYNC_LIGHT, 9, true);
	assert_int_equal(mover.nr_moved, 1);
	check_nothing_held();
}

// ---- C6.2 ----

static void C6_2_nothing_to_move(void **state)
{
	(void)state;
	build_run("linux-7.3", 0);
	assert_int_equal(run(YARD_MIGRATE_SYNC_LIGHT, 9, true),
			 COMPACT_PARTIAL_SKIPPED); // init_migrate is 0: not whole
	assert_told(
		STEPS,
		"begin(0,0,3584,4096,1) finished(0,2,9,3) isolate_migratepages(0,512,512,0) finished(0,2,9,3) "
		"isolate_migratepages(512,1024,512,0) finished(0,2,9,3) isolate_migratepages(1024,1536,512,0) "
		"finished(0,2,9,3) isolate_migratepages(1536,2048,512,0) finished(0,2,9,3) "
		"isolate_migratepages(2048,2560,512,0) finished(0,2,9,3) isolate_migratepages(2560,3072,512,0) "
		"finished(0,2,9,3) isolate_migratepages(3072,3584,512,0) finished(0,2,9,6) end(0,3584,3584,4096,1,6)");
	assert_at(hints()->cached_migrate[0], 0); // C3.7
	assert_at(hints()->cached_migrate[1], 0);
	assert_at(hints()->cached_free, 7 * BLOCK);
	assert_true(hints()->blockskip_flush); // direct
	assert_int_equal(vm(YARD_VM_COMPACT_MIGRATE_SCANNED), 7 * BLOCK);
	assert_int_equal(vm(YARD_VM_COMPACT_FREE_SCANNED), 0);
	hints()->blockskip_flush = false;
	assert_int_equal(run(YARD_MIGRATE_SYNC_LIGHT, 9, false), COMPACT_PARTIAL_SKIPPED); // all skip bits are set
	assert_told(STEPS, "begin(0,0,3584,4096,1) finished(0,2,9,3) finished(0,2,9,6) end(0,3584,3584,4096,1,6)");
	assert_false(hints()->blockskip_flush); // not direct
	hints()->init_migrate = BASE;
	assert_int_equal(run(YARD_MIGRATE_SYNC_LIGHT, 9, true), COMPACT_COMPLETE);
	check_nothing_held();
}

static void C6_2_async_copies_positions(void **state)
{
	(void)state;
	build_run("linux-7.3", 0);
	control(YARD_MIGRATE_ASYNC, 9, true, GFP_M);
	hints()->cached_migrate[0] = hints()->cached_migrate[1] = BASE + BLOCK;
	hints()->cached_free = BASE + 7 * BLOCK;
	compact_begin(yard, &cc);
	assert_int_equal(isolate_migratepages(yard, &cc), ISOLATE_NONE);
	compact_sources_empty(yard, &cc);
	assert_at(hints()->cached_migrate[1], 3 * BLOCK); // C3.5, with the overshoot
}

static void C6_2_moves_and_finishes_the_block(void **state)
{
	(void)state;
	build_run("linux-7.3", 40);
	assert_int_equal(run(YARD_MIGRATE_SYNC_LIGHT, 9, true), COMPACT_PARTIAL_SKIPPED);
	check_nothing_held();
	assert_int_equal(mover.nr_moved, 40);
	assert_int_equal(mover.moved[0].from, 31);
	assert_int_equal(mover.moved[32].from, 39);
	// Inside the block nothing but CONTINUE; the second call takes all of the rest.
	assert_told_first(
		8, STEPS,
		"begin(0,0,3584,4096,1) finished(0,2,9,3) isolate_migratepages(0,32,32,32) migratepages(32,0) "
		"finished(0,2,9,4) isolate_migratepages(32,512,480,8) migratepages(8,0) finished(0,2,9,3)");
}

static enum yard_move_result frame_5_is_busy(uint32_t offset, unsigned order, enum yard_migrate_mode mode)
{
	(void)order, (void)mode;
	return offset == 5 ? YARD_MOVE_BUSY : YARD_MOVE_DONE;
}

static void C6_2_4_rest_of_the_block_after_a_failure(void **state)
{
	(void)state;
	build_run("linux-7.3", 100);
	mover.unmap = frame_5_is_busy;
	run(YARD_MIGRATE_SYNC_LIGHT, 9, true);
	// No finished() between: the rest at once.
	assert_told_first(4, STEPS & ~KIND(COMPACTION_BEGIN),
			  "finished(0,2,9,3) isolate_migratepages(0,32,32,32) migratepages(31,1) "
			  "isolate_migratepages(32,512,480,68)");
	check_nothing_held();
	build_run("linux-7.3", 100); // SYNC does not
	mover.unmap = frame_5_is_busy;
	run(YARD_MIGRATE_SYNC, 9, true);
	assert_told_first(5, STEPS & ~KIND(COMPACTION_BEGIN),
			  "finished(0,2,9,3) isolate_migratepages(0,32,32,32) migratepages(31,1) "
			  "finished(0,2,9,4) isolate_migratepages(32,512,480,68)");
	check_nothing_held();
	build_run("linux-7.3", 100); // nor runs that ignore skip bits
	mover.unmap = frame_5_is_busy;
	control(YARD_MIGRATE_SYNC_LIGHT, 9, true, GFP_M);
	cc.ignore_skip_hint = true;
	compact_zone(yard, &cc);
	assert_int_equal(told_nth(YARD_EVENT_COMPACTION_FINISHED, 1)->args[3], COMPACT_CONTINUE);
	check_nothing_held();
}

static enum yard_move_result frame_300_is_busy(uint32_t offset, unsigned order, enum yard_migrate_mode mode)
{
	(void)order, (void)mode;
	return offset == 300 ? YARD_MOVE_BUSY : YARD_MOVE_DONE;
}

// Pages of movable operations are taken without the LRU lock: the scan does not mark their block (C3.9 row 1), and the
// fast search would choose it for ever.
static void C3_13_a_block_that_stays_is_not_chosen_again(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_free(0, 8);
	give_used(256, 6 * BLOCK, false);
	give_scattered(6 * BLOCK, END);
	start();
	set_wmarks(normal(), 0, 0, 0);
	yard_set_movable_ops(yard, base + 300, true);
	mover.unmap = frame_300_is_busy;
	assert_int_equal(run(YARD_MIGRATE_SYNC_LIGHT, 9, true), COMPACT_PARTIAL_SKIPPED);
	assert_true(count_told(YARD_EVENT_MIGRATE_PAGES) < 10);
	check_nothing_held();
	assert_int_equal(word_place(frame_word(yard, base + 300)), PLACE_MOVABLE_OPS);
}

static void C6_2_4_no_destination(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_lru(0, 40);
	give_used(40, 6 * BLOCK, false);
	for (uint32_t i = 6; i < 8; i++) {
		give_type(i * BLOCK, U); // no target
		give_scattered(i * BLOCK, (i + 1) * BLOCK);
	}
	start();
	set_wmarks(normal(), 0, 0, 0);
	// The free scanner goes down to the migration scanner in vain: they have met, which is not CONTENDED.
	assert_int_equal(run(YARD_MIGRATE_SYNC_LIGHT, 9, true), COMPACT_PARTIAL_SKIPPED);
	assert_int_equal(mover.nr_moved, 0);
	check_nothing_held();
	build_run("linux-7.3", 40);
	for (uint32_t i = 6; i < 8; i++) // a watermark that refuses each chunk stops it where it is
		assert_int_equal(type_at(i * BLOCK), M);
	set_wmarks(normal(), 511, 511, 511);
	assert_int_equal(run(YARD_MIGRATE_SYNC_LIGHT, -1, false), COMPACT_CONTENDED);
	assert_told(STEPS,
		    "begin(0,0,3584,4096,1) finished(0,2,-1,4) isolate_migratepages(0,32,32,32) migratepages(0,32) "
		    "end(0,32,3584,4096,1,7)");
	assert_int_equal(vm(YARD_VM_PGMIGRATE_SUCCESS), 0);
	check_nothing_held();
}

static void C6_2_abort(void **state)
{
	static struct yard_task task;

	(void)state;
	build_run("linux-7.3", 40);
	task = (struct yard_task){ .flags = YARD_TASK_SIGNAL };
	yard_set_current(yard, &task);
	assert_int_equal(run(YARD_MIGRATE_SYNC_LIGHT, -1, false), COMPACT_CONTENDED);
	assert_told(STEPS, "begin(0,0,3584,4096,1) finished(0,2,-1,4) end(0,0,3584,4096,1,7)");
	yard_set_current(yard, NULL);
	check_nothing_held();
}

static void C6_2_6_drains_this_cpu(void **state)
{
	(void)state;
	for (unsigned order = 3; order <= 9; order += 3) {
		build_run("linux-7.3", 40);
		direct(false);
		set_pcps(normal(), 63, 10000, 10000);
		run(YARD_MIGRATE_SYNC_LIGHT, (int)order, false); // type of the request: M, so a free chunk ends it
		if (order == 9) {
			assert_int_equal(pcp_state(NORMAL, 0).count, 0);
		} else { // 0 to 31 are drained at 32, which makes chunks of 32: enough once the block is finished
			assert_int_equal(pcp_state(NORMAL, 0).count, 0);
			assert_true(yard_free_list_next(yard, NORMAL, 5, M, NONE) != NONE);
		}
		check_nothing_held();
	}
	build_run("linux-7.3", 40);
	direct(false);
	set_pcps(normal(), 63, 10000, 10000);
	run(YARD_MIGRATE_SYNC_LIGHT, -1, false); // without an order nothing is drained
	assert_int_equal(count_events(YARD_EVENT_PAGE_PCPU_DRAIN), 0);
	check_nothing_held();
}

static void C6_2_6_small_orders_take_a_cluster_at_a_time(void **state)
{
	(void)state;
	build_run("linux-7.3", 100);
	run(YARD_MIGRATE_SYNC_LIGHT, 3,
	    true); // after a drain last_migrated is 0, so the next step is not to finish the block
	assert_told_first(4, KIND(ISOLATE_MIGRATEPAGES),
			  "isolate_migratepages(0,32,32,32) isolate_migratepages(32,64,32,32) "
			  "isolate_migratepages(64,96,32,32) isolate_migratepages(96,512,416,4)");
	check_nothing_held();
}

static void C6_2_4_huge_orders_forget_what_moved(void **state)
{
	(void)state;
	for (int order = 8; order <= 9; order++) {
		build_run("linux-7.3", 32);
		mover.unmap = frame_5_is_busy;
		direct(false);
		set_pcps(normal(), 63, 10000, 10000);
		run(YARD_MIGRATE_SYNC_LIGHT, order, true); // the rest of the block has nothing
		assert_int_equal(count_events(YARD_EVENT_PAGE_PCPU_DRAIN) > 0, order == 8);
		check_nothing_held();
	}
}

// ---- C6.3 ----

static void finished_control(int order, bool is_direct, uint32_t gfp)
{
	control(YARD_MIGRATE_SYNC_LIGHT, order, is_direct, gfp);
	cc.migrate_pfn = base + BLOCK;
	forget_told();
}

static void C6_3_lists_that_end_a_run(void **state)
{
	static const struct {
		uint32_t gfp;
		unsigned order;
		const char *types; // free chunks of these types of exactly that order end it
	} rows[] = {
		{GFP_U, 9, "UMR"},  {GFP_R, 9, "UMR"},	{GFP_M, 9, "UMRC"}, {GFP_U, 1, "UMR"}, {GFP_R, 1, "UMR"},
		{GFP_M, 8, "UMRC"}, {GFP_M, 4, "UMRC"}, {GFP_M, 3, "MC"},   {GFP_M, 1, "MC"}, // claims from PBO / 2 on
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (unsigned type = 0; type < I; type++)
			for (unsigned smaller = 0; smaller < 2; smaller++) {
				bool ends = !smaller && strchr(rows[i].types, letter(type));

				blank_mover("linux-7.3", END);
				give_type(4 * BLOCK, type);
				give_free(4 * BLOCK, rows[i].order - smaller);
				start();
				finished_control((int)rows[i].order, i & 1, rows[i].gfp);
				if ((compact_finished(yard, &cc) == COMPACT_SUCCESS) != ends)
					fail_msg("row %zu, type %c, smaller %u", i, letter(type), smaller);
				assert_int_equal(told[0].args[3],
						 ends ? COMPACT_SUCCESS : COMPACT_NO_SUITABLE_PAGE); // raw
			}
	blank_mover("linux-7.3", END);
	give_free(4 * BLOCK, 10); // any order from the request's on
	start();
	finished_control(5, true, GFP_U);
	assert_int_equal(compact_finished(yard, &cc), COMPACT_SUCCESS);
}

static void C6_3_order_of_the_tests(void **state)
{
	static struct yard_task task;

	(void)state;
	blank_mover("linux-7.3", END);
	give_free(4 * BLOCK, 9);
	start();
	finished_control(9, true, GFP_M);
	cc.free_pfn = base + BLOCK; // met comes first
	cc.contended = true;
	assert_int_equal(compact_finished(yard, &cc), COMPACT_PARTIAL_SKIPPED);
	cc.whole_zone = true;
	assert_int_equal(compact_finished(yard, &cc), COMPACT_COMPLETE);
	finished_control(9, true, GFP_M);
	cc.contended = true;
	assert_int_equal(compact_finished(yard, &cc), COMPACT_SUCCESS); // not overridden
	finished_control(10, true, GFP_M);
	assert_int_equal(compact_finished(yard, &cc), COMPACT_CONTINUE);
	cc.contended = true;
	assert_int_equal(compact_finished(yard, &cc), COMPACT_CONTENDED);
	cc.migrate_pfn++; // a block is always finished
	assert_int_equal(compact_finished(yard, &cc), COMPACT_CONTINUE);
	finished_control(9, true, GFP_M);
	cc.migrate_pfn++;
	assert_int_equal(compact_finished(yard, &cc), COMPACT_CONTINUE);
	finished_control(-1, false, GFP_M);
	cc.contended = true;
	assert_int_equal(compact_finished(yard, &cc), COMPACT_CONTINUE);
	finished_control(10, true, GFP_M);
	task = (struct yard_task){ .flags = YARD_TASK_SIGNAL };
	yard_set_current(yard, &task);
	assert_int_equal(compact_finished(yard, &cc), COMPACT_CONTENDED);
	assert_told(KIND(COMPACTION_FINISHED), "finished(0,2,10,7)");
	yard_set_current(yard, NULL);
}

static void C6_3_2_proactive(void **state)
{
	static const struct {
		unsigned proactiveness, blocks; // free in whole blocks, of 10 blocks of free pages
		enum compact_result result;
	} rows[] = {
		{20, 1, COMPACT_CONTINUE}, // score 90 > 80
		{20, 2, COMPACT_SUCCESS},  // 80
		{30, 2, COMPACT_CONTINUE},  {30, 3, COMPACT_SUCCESS},
		{100, 9, COMPACT_CONTINUE}, {100, 10, COMPACT_SUCCESS},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		blank_mover("linux-7.3", 32 * BLOCK);
		for (uint32_t b = 0; b < 10; b++) {
			if (b < rows[i].blocks) {
				give_free(2 * b * BLOCK, 9);
			} else {
				give_free(2 * b * BLOCK, 8);
				give_free(20 * BLOCK + b * BLOCK, 8);
			}
		}
		start();
		assert_int_equal(yard_set_compaction_proactiveness(yard, rows[i].proactiveness), YARD_OK);
		finished_control(-1, false, GFP_U);
		cc.proactive_compaction = true;
		assert_int_equal(compact_finished(yard, &cc), rows[i].result);
		cc.contended = true; // overrides a proactive result
		assert_int_equal(compact_finished(yard, &cc), COMPACT_CONTENDED);
		cc.contended = false;
		yard_kswapd_run(yard, 0, true);
		yard_kswapd_awake(yard, 0, true);
		assert_int_equal(compact_finished(yard, &cc), COMPACT_PARTIAL_SKIPPED);
		yard_kswapd_awake(yard, 0, false);
	}
}

static void C6_3_5_background_under_defrag_mode(void **state)
{
	(void)state;
	for (unsigned defrag = 0; defrag < 2; defrag++) {
		blank_mover(defrag ? "linux-7.3,defrag_mode=1" : "linux-7.3", END);
		give_free(0, 9);
		give_free(2 * BLOCK, 9);
		give_free(4 * BLOCK, 9);
		give_free(6 * BLOCK, 8);
		start();
		set_wmarks(normal(), 10, 20, 3 * BLOCK - 511);
		finished_control(9, false, GFP_U);
		cc.alloc_flags = kcompactd_flags(yard);
		assert_int_equal(compact_finished(yard, &cc),
				 defrag ? COMPACT_CONTINUE : COMPACT_SUCCESS); // 3 blocks - 511 > high?
		set_wmarks(normal(), 10, 20, 3 * BLOCK - 512);
		assert_int_equal(compact_finished(yard, &cc), COMPACT_SUCCESS);
		normal()->boost = 1;
		cc.contended = true;
		assert_int_equal(compact_finished(yard, &cc),
				 defrag ? COMPACT_CONTINUE : COMPACT_SUCCESS); // nothing more is asked
		normal()->boost = 0;
		cc.direct_compaction = true;
		set_wmarks(normal(), 10, 20, 5000);
		assert_int_equal(compact_finished(yard, &cc), COMPACT_SUCCESS);
	}
}

// ---- C6.9 ----

static void C6_9_end(void **state)
{
	(void)state;
	build_run("linux-7.3", 0);
	control(YARD_MIGRATE_SYNC_LIGHT, 9, true, GFP_M);
	hints()->cached_free = base + 3 * BLOCK;
	cc.total_migrate_scanned = 5;
	cc.total_free_scanned = 7;
	compact_end(yard, &cc, base + 2 * BLOCK + 100);
	assert_at(hints()->cached_free, 3 * BLOCK);
	compact_end(yard, &cc, base + 6 * BLOCK + 100);
	assert_at(hints()->cached_free, 6 * BLOCK);
	compact_end(yard, &cc, 0);
	assert_at(hints()->cached_free, 6 * BLOCK);
}

static void C6_9_releases_what_is_left(void **state)
{
	(void)state;
	build_run("linux-7.3", 5); // the fast search takes single frames, the scan around it more than are needed
	hints()->init_free = base + END;
	run(YARD_MIGRATE_SYNC_LIGHT, 9, true);
	check_nothing_held();
	assert_int_equal(nr_free_pages(NORMAL), BLOCK);
	assert_int_equal(mover.nr_moved, 5);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(C6_1_preamble), TEST(C6_1_restart_flushes), TEST(C6_1_drains_lru_batches),
		TEST(C6_2_nothing_to_move), TEST(C6_2_async_copies_positions),
		TEST(C6_2_moves_and_finishes_the_block), TEST(C6_2_4_rest_of_the_block_after_a_failure),
		TEST(C3_13_a_block_that_stays_is_not_chosen_again), TEST(C6_2_4_no_destination), TEST(C6_2_abort),
		TEST(C6_2_6_drains_this_cpu), TEST(C6_2_6_small_orders_take_a_cluster_at_a_time),
		TEST(C6_2_4_huge_orders_forget_what_moved), TEST(C6_3_lists_that_end_a_run),
		TEST(C6_3_order_of_the_tests), TEST(C6_3_2_proactive), TEST(C6_3_5_background_under_defrag_mode),
		TEST(C6_9_end), TEST(C6_9_releases_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
