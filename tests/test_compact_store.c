// SPDX-License-Identifier: Apache-2.0
//
// Scans of one block for free chunks, and what becomes of the chunks (spec 03 C5.8 to C5.11).

#include "free_scan_fixture.h"

static void linear(enum yard_migrate_mode mode, uint32_t from, uint32_t migrate, uint64_t wanted)
{
	control(mode, -1, false, GFP_M);
	cc.free_pfn = base + from;
	cc.migrate_pfn = base + migrate;
	cc.nr_migratepages = wanted;
	forget_told();
	isolate_freepages(yard, &cc);
}

// ---- C5.8 ----

static struct yard_task task;
static unsigned yields;

static void signal_third(void *context)
{
	(void)context;
	if (++yields == 3)
		task.flags |= YARD_TASK_SIGNAL;
}

static void C5_8_signal_and_contention(void **state)
{
	static const uint32_t offsets[] = { 31 * BLOCK + 32, 31 * BLOCK + 200 };

	(void)state;
	build_singles("linux-7.3", offsets, COUNT(offsets));
	task = (struct yard_task){ 0 };
	yields = 0;
	yard_set_current(yard, &task);
	yard->host.yield = signal_third;
	linear(YARD_MIGRATE_SYNC, 31 * BLOCK, 24 * BLOCK, 10);
	assert_told(SCANS, "isolate_freepages(15872,15968,96,1)"); // seen at frame 96
	assert_true(cc.contended);
	assert_at(cc.free_pfn, 31 * BLOCK + 96);
	yard_set_current(yard, NULL);
	yard->host.yield = NULL;
	forget_store();
	for (unsigned mode = 0; mode < 3; mode++) {
		build_singles("linux-7.3", offsets, COUNT(offsets));
		yard_sim_set_zone_busy(yard, true);
		linear((enum yard_migrate_mode)mode, 31 * BLOCK, 24 * BLOCK, 10);
		assert_int_equal(cc.contended, mode == YARD_MIGRATE_ASYNC);
		yard_sim_set_zone_busy(yard, false);
		forget_store();
	}
}

static void C5_8_compounds(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_rest(0, 31 * BLOCK);
	give_lru_block(31 * BLOCK, 6);
	give_block(31 * BLOCK + 64, 2);
	give_free(31 * BLOCK + 68, 2);
	give_used(31 * BLOCK + 72, END, false);
	start();
	set_wmarks(normal(), 0, 0, 0);
	linear(YARD_MIGRATE_SYNC, 31 * BLOCK, 24 * BLOCK, 4);
	assert_told(SCANS, "isolate_freepages(15872,15944,72,4)");
	forget_store();
}

static void C5_8_strict(void **state)
{
	uint64_t position;

	(void)state;
	blank_mover("linux-7.3", END);
	give_free(0, 9);
	give_used(BLOCK, BLOCK + 100, false);
	give_free_range(BLOCK + 100, 2 * BLOCK);
	give_rest(2 * BLOCK, END);
	start();
	set_wmarks(normal(), 0, 0, 0);
	control(YARD_MIGRATE_SYNC, -1, false, GFP_M);
	cc.alloc_contig = cc.no_set_skip_hint = cc.ignore_skip_hint = true;
	position = base;
	assert_int_equal(isolate_freepages_block(yard, &cc, &position, base + BLOCK, 1, true), BLOCK);
	assert_at(position, BLOCK);
	position = base + BLOCK + 96;
	assert_int_equal(isolate_freepages_block(yard, &cc, &position, base + 2 * BLOCK, 1, true), 0);
	position = base + BLOCK + 100;
	assert_int_equal(isolate_freepages_block(yard, &cc, &position, base + BLOCK + 256, 1, true), 156);
	assert_told(
		SCANS,
		"isolate_freepages(0,512,512,512) isolate_freepages(608,608,1,0) isolate_freepages(612,768,156,156)");
	forget_store();
}

// ---- C5.9 to C5.11 ----

static void C5_9_frame_order(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_free(31 * BLOCK, 3);
	give_rest(0, 31 * BLOCK);
	give_used(31 * BLOCK + 8, END, false);
	start();
	set_wmarks(normal(), 0, 0, 0);
	linear(YARD_MIGRATE_SYNC, 31 * BLOCK, 24 * BLOCK, 8);
	for (uint32_t i = 0; i < 8; i++) { // 3.14
		uint32_t pfn = compaction_alloc(yard, &cc, 0);

		assert_pfn(pfn, 31 * BLOCK + i);
		assert_int_equal(cc.nr_freepages, 7 - i);
		assert_int_equal(cc.nr_migratepages, 7 - i);
		assert_int_equal(yard_frame_state(yard, pfn, NULL, NULL), YARD_FRAME_ALLOCATED);
	}
	assert_int_equal(compaction_alloc(yard, &cc, 0), NONE);
	for (uint32_t i = 0; i < 8; i++) { // C5.10: to the head
		compaction_free(yard, &cc, base + 31 * BLOCK + i, 0);
		assert_int_equal(cc.nr_freepages, i + 1);
		assert_int_equal(cc.nr_migratepages, i + 1);
	}
	assert_store(0, "[15879,15878,15877,15876,15875,15874,15873,15872]");
	forget_store();
}

static void C5_9_smallest_fitting(void **state)
{
	uint32_t pfn;

	(void)state;
	blank_mover("linux-7.3", END);
	give_free(31 * BLOCK, 3);
	give_used(31 * BLOCK + 8, 31 * BLOCK + 16, false);
	give_free(31 * BLOCK + 16, 2);
	give_used(31 * BLOCK + 20, 31 * BLOCK + 24, false);
	give_free(31 * BLOCK + 24, 3);
	give_used(31 * BLOCK + 32, END, false);
	give_rest(0, 31 * BLOCK);
	start();
	set_wmarks(normal(), 0, 0, 0);
	linear(YARD_MIGRATE_SYNC, 31 * BLOCK, 24 * BLOCK, 20);
	assert_store(3, "[15872,15896]"); // first in, first out
	assert_store(2, "[15888]");
	assert_pfn(compaction_alloc(yard, &cc, 1), 31 * BLOCK + 16);
	assert_store(1, "[15890]");
	assert_pfn(compaction_alloc(yard, &cc, 0), 31 * BLOCK + 18);
	assert_store(0, "[15891]");
	pfn = compaction_alloc(yard, &cc, 2);
	assert_pfn(pfn, 31 * BLOCK);
	assert_store(2, "[15876]");
	assert_store(3, "[15896]");
	assert_int_equal(cc.nr_migratepages, 13);
	assert_int_equal(word_order(frame_word(yard, pfn)), 2);
	compaction_free(yard, &cc, pfn, 2);
	assert_store(2, "[15872,15876]");
	compaction_free(yard, &cc, base + 31 * BLOCK + 16, 1);
	compaction_free(yard, &cc, base + 31 * BLOCK + 18, 0);
	forget_events();
	assert_int_equal(release_free_store(yard, &cc),
			 BASE + 31 * BLOCK + 24); // C5.11: orders 0 up, each from its head
	assert_events(KIND(PAGE_FREE),
		      "free(15890,0) free(15891,0) free(15888,1) free(15872,2) free(15876,2) free(15896,3)");
	cc.nr_freepages = cc.nr_migratepages = 0;
	assert_verified();
	assert_int_equal(release_free_store(yard, &cc), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(C5_8_signal_and_contention), TEST(C5_8_compounds), TEST(C5_8_strict), TEST(C5_9_frame_order),
		TEST(C5_9_smallest_fitting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
