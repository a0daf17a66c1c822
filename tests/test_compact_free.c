// SPDX-License-Identifier: Apache-2.0
//
// Where compaction finds room: fast search and linear scan (spec 03 C5.1 to C5.7).

#include "free_scan_fixture.h"

enum { FREE_AT = 31 * BLOCK, NEAR = 23 * BLOCK, MIN_AT = 15 * BLOCK }; // the window of a search from (0, FREE_AT)

#define FAST  KIND(FAST_ISOLATE_FREEPAGES)

// A search for `wanted` frames, not at a scan start (C5.2).
static void search_control(enum yard_migrate_mode mode, int order, bool is_direct, uint64_t wanted)
{
	control(mode, order, is_direct, GFP_M);
	cc.free_pfn = base + FREE_AT;
	cc.nr_migratepages = wanted;
	hints()->init_free = base + END;
	forget_told();
}

// ---- C5.2 ----

static void C5_2_limits(void **state)
{
	static const unsigned limits[] = { 16, 8, 4, 2, 1, 1, 1, 1 }; // 3.14
	uint32_t offsets[40];

	(void)state;
	for (unsigned i = 0; i < COUNT(offsets); i++)
		offsets[i] = 4 * i + 1; // all below the window
	for (unsigned fails = 0; fails < COUNT(limits); fails++) {
		char expected[80];

		build_singles("linux-7.3", offsets, COUNT(offsets));
		search_control(YARD_MIGRATE_ASYNC, 9, true, 1);
		cc.fast_search_fail = fails;
		isolate_freepages(yard, &cc);
		snprintf(expected, sizeof expected, "fast_isolate_freepages(%u,%u,%u,0)", MIN_AT, FREE_AT,
			 limits[fails]);
		assert_told(FAST, expected);
		assert_int_equal(cc.fast_search_fail, fails + 1);
		// The visited part leaves the tail.
		assert_pfn(yard_free_list_next(yard, NORMAL, 0, M, NONE), offsets[COUNT(offsets) - limits[fails]]);
	}
}

static void C5_2_scan_start(void **state)
{
	static uint32_t offsets[300];

	(void)state;
	for (unsigned i = 0; i < COUNT(offsets); i++)
		offsets[i] = 4 * i + 1;
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_ASYNC, 9, true, 1);
	cc.fast_search_fail = 3;
	hints()->init_free = base + FREE_AT; // free_pfn >= init_free
	isolate_freepages(yard, &cc);
	assert_int_equal(told_nth(YARD_EVENT_FAST_ISOLATE_FREEPAGES, 0)->args[2], 256);
	search_control(YARD_MIGRATE_ASYNC, 9, true, 1);
	hints()->init_free = 0; // before the first flush always
	isolate_freepages(yard, &cc);
	assert_int_equal(told_nth(YARD_EVENT_FAST_ISOLATE_FREEPAGES, 0)->args[2], 256);
}

static void C5_2_not_without_an_order(void **state)
{
	static const uint32_t offsets[] = { 24 * BLOCK };

	(void)state;
	build_singles("linux-7.3", offsets, 1);
	search_control(YARD_MIGRATE_SYNC, -1, false, 1);
	isolate_freepages(yard, &cc);
	assert_told(FAST, "");
	assert_store(0, "[12288]"); // the linear scan found it
	forget_store();
}

// 3.14: migrate 0x108000, free 0x17fe00: near 0x161e00, min 0x143e00.
static void C5_2_window_check_value(void **state)
{
	static const struct {
		uint32_t pfn;
		unsigned limit_used; // chunks visited
		bool taken;
	} rows[] = { { 0x161e00, 1, true }, { 0x161dff, 2, true }, { 0x143e00, 2, true }, { 0x143dff, 2, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char expected[100];

		blank_mover("linux-7.3", 0x80000);
		give_free(0, 0); // visited only if the other is not near
		give_used(1, 2, false);
		give_free(rows[i].pfn - BASE, 0);
		start();
		set_wmarks(normal(), 0, 0, 0);
		search_control(YARD_MIGRATE_ASYNC, 9, true, 1);
		cc.migrate_pfn = 0x108000;
		cc.free_pfn = 0x17fe00;
		hints()->init_free = BASE + 0x80000;
		isolate_freepages(yard, &cc);
		snprintf(expected, sizeof expected, "fast_isolate_freepages(%u,%u,%u,%u)", 0x43e00, 0x7fe00,
			 rows[i].limit_used, rows[i].taken);
		assert_told(FAST, expected);
		assert_int_equal(cc.nr_freepages, rows[i].taken);
		forget_store();
	}
}

// ---- C5.3 ----

static void C5_3_orders(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_free(24 * BLOCK, 1);
	give_rest(0, 24 * BLOCK);
	give_used(24 * BLOCK + 2, END, false);
	start();
	set_wmarks(normal(), 0, 0, 0);
	search_control(YARD_MIGRATE_ASYNC, 4, true, 2);
	isolate_freepages(yard, &cc); // 3, 2, 1
	assert_int_equal(cc.search_order, 1);
	forget_store();
	for (int expected = 2, n = 0; n < 5; n++, expected = expected ? expected - 1 : 3) { // no chunk at all
		if (!n) {
			assert_int_equal(yard_isolate_free_page(yard, base + 24 * BLOCK), 1);
			search_control(YARD_MIGRATE_ASYNC, 4, true, 2);
		}
		isolate_freepages(yard, &cc);
		assert_int_equal(cc.search_order, expected);
		assert_int_equal(cc.fast_search_fail, n + 1);
	}
	yard_putback_free_page(yard, base + 24 * BLOCK, 1);
}

static void C5_3_wraps_around(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_free(24 * BLOCK, 3);
	give_rest(0, 24 * BLOCK);
	give_used(24 * BLOCK + 8, END, false);
	start();
	set_wmarks(normal(), 0, 0, 0);
	search_control(YARD_MIGRATE_ASYNC, 4, true, 2);
	cc.search_order = 1;
	isolate_freepages(yard, &cc); // 1, 0, 3
	assert_int_equal(cc.search_order, 3);
	assert_store(3, "[12288]");
	forget_store();
	search_control(YARD_MIGRATE_ASYNC, 4, true, 32);
	cc.search_order = 0;
	isolate_freepages(yard, &cc); // 0, then 3: taken, but not enough
	assert_int_equal(cc.search_order, 3);
	forget_store();
	search_control(YARD_MIGRATE_ASYNC, 3, true, 2); // orders below the request's only
	isolate_freepages(yard, &cc);
	assert_int_equal(cc.search_order, 1);
	assert_int_equal(cc.nr_freepages, 0);
	search_control(YARD_MIGRATE_ASYNC, 4, true, 2);
	cc.search_order = -1; // read as unsigned
	isolate_freepages(yard, &cc);
	assert_int_equal(cc.search_order, 3);
	forget_store();
}

static void C5_5_corner_last_order_of_the_cycle(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_free(24 * BLOCK, 3);
	give_rest(0, 24 * BLOCK);
	give_used(24 * BLOCK + 8, END, false);
	start();
	set_wmarks(normal(), 0, 0, 0);
	for (unsigned enough = 0; enough < 2; enough++) {
		search_control(YARD_MIGRATE_ASYNC, 5, true, enough ? 8 : 9);
		cc.search_order = 2; // 2, 1, 0, 4, 3: near, so search_order becomes 3 and the walk would end at 3 again
		isolate_freepages(yard, &cc);
		assert_store(3, "[12288]");
		assert_int_equal(cc.search_order, 3);
		forget_store();
	}
}

// ---- C5.4 ----

static void C5_4_near(void **state)
{
	static const uint32_t offsets[] = { 20 * BLOCK, 5 * BLOCK, 18 * BLOCK, 25 * BLOCK, 3 * BLOCK };

	(void)state;
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_ASYNC, 9, true, 1);
	cc.fast_search_fail = 2;
	isolate_freepages(yard, &cc);
	assert_told(FAST, "fast_isolate_freepages(7680,15872,2,1)");
	assert_store(0, "[12800]");
	assert_lists_to(NORMAL, 0, M, "0:[1536,10240,2560,9216]"); // the taken one had become the head
	assert_int_equal(cc.fast_search_fail, 0);
	assert_int_equal(cc.search_order, 0);
	assert_at(cc.free_pfn, FREE_AT); // does not move
	assert_int_equal(cc.total_free_scanned, 2);
	assert_int_equal(vm(YARD_VM_COMPACT_ISOLATED), 1);
	assert_at(hints()->cached_free, 24 * BLOCK); // highest - PB
	forget_store();
}

static void C5_4_best(void **state)
{
	static const uint32_t offsets[] = { 22 * BLOCK, 20 * BLOCK, 5 * BLOCK, 18 * BLOCK, 17 * BLOCK, 3 * BLOCK };

	(void)state;
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_ASYNC, 9, true, 1);
	cc.search_order = 5;
	isolate_freepages(yard, &cc);
	// 3, 17: L = 8, 18: L = 4, 5: enough seen.
	assert_told(FAST, "fast_isolate_freepages(7680,15872,4,1)");
	assert_store(0, "[9216]");
	assert_lists_to(NORMAL, 0, M, "0:[8704,1536,11264,10240,2560]");
	assert_int_equal(cc.fast_search_fail, 0);
	assert_int_equal(cc.search_order, 5); // stays
	forget_store();
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_ASYNC, 9, true, 1);
	cc.fast_search_fail = 2; // 4: halved when 17 is seen, and that was the second
	isolate_freepages(yard, &cc);
	assert_told(FAST, "fast_isolate_freepages(7680,15872,2,1)");
	assert_store(0, "[8704]");
	assert_int_equal(cc.fast_search_fail, 2); // stays
	forget_store();
}

static void C5_4_limit_of_the_next_order(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	for (unsigned i = 0; i < 40; i++) { // all too low
		give_free(i * 8, 1);
		give_free(i * 8 + 4, 0);
		give_used(i * 8 + 2, i * 8 + 4, false);
		give_used(i * 8 + 5, i * 8 + 8, false);
	}
	give_rest(320, END);
	start();
	set_wmarks(normal(), 0, 0, 0);
	search_control(YARD_MIGRATE_ASYNC, 9, true, 1);
	isolate_freepages(yard, &cc);
	assert_told(FAST, "fast_isolate_freepages(7680,15872,24,0)"); // 16 of order 1, then 8 of order 0
}

static void C5_4_unchanged_list(void **state)
{
	static const uint32_t offsets[] = { 5 * BLOCK, 3 * BLOCK, 4 * BLOCK };

	(void)state;
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_ASYNC, 9, true, 1);
	isolate_freepages(yard, &cc);
	assert_told(FAST, "fast_isolate_freepages(7680,15872,3,0)");
	assert_store(0, "[2560]"); // by the linear scan
	assert_lists_to(NORMAL, 0, M, "0:[1536,2048]");
	forget_store();
}

// ---- C5.5 ----

static void C5_5_watermark(void **state)
{
	static const uint32_t offsets[] = { 5 * BLOCK, 24 * BLOCK, 25 * BLOCK };

	(void)state;
	for (unsigned min = BLOCK + 1; min < BLOCK + 3; min++) {
		build_singles("linux-7.3", offsets, COUNT(offsets));
		set_wmarks(normal(), min, min, min);
		normal()->boost = 100; // raw minimum: no boost
		search_control(YARD_MIGRATE_ASYNC, 9, true, 1);
		cc.search_order = 4;
		cc.fast_search_fail = 2;
		isolate_freepages(yard, &cc); // BLOCK + 3 free > min + 1?
		assert_int_equal(cc.nr_freepages, min == BLOCK + 1);
		assert_int_equal(cc.search_order, min == BLOCK + 1 ? 0 : 8); // ends, and falls by one from order 0
		assert_int_equal(cc.fast_search_fail, min == BLOCK + 1 ? 0 : 1);
		assert_int_equal(told_nth(YARD_EVENT_FAST_ISOLATE_FREEPAGES, 0)->args[2], 1);
		normal()->boost = 0;
		forget_store();
	}
}

static void C5_5_reserve_of_index_0(void **state)
{
	static const uint32_t offsets[] = { 25 * BLOCK };

	(void)state;
	build_singles("linux-7.3", offsets, COUNT(offsets));
	normal()->lowmem_reserve[0] = BLOCK;
	search_control(YARD_MIGRATE_SYNC, -1, false, 1);
	isolate_freepages(yard, &cc);
	assert_int_equal(cc.nr_freepages, 0);
	assert_at(cc.free_pfn, 25 * BLOCK); // end not reached: stops at the frame
	normal()->lowmem_reserve[0] = BLOCK - 1;
	isolate_freepages(yard, &cc);
	assert_int_equal(cc.nr_freepages, 1);
	normal()->lowmem_reserve[0] = 0;
	forget_store();
}

static void C5_5_blocks_become_movable(void **state)
{
	static const unsigned types[] = { U, R, M, C, H };

	(void)state;
	for (unsigned order = 7; order <= 8; order++)
		for (size_t i = 0; i < COUNT(types); i++) {
			bool mergeable = types[i] != C && types[i] != H;

			blank_mover("linux-7.3", 4 * BLOCK);
			give_type(2 * BLOCK, types[i]);
			give_type(0, U);
			give_free(0, 9);
			give_used(BLOCK, 2 * BLOCK, false);
			give_free(2 * BLOCK, order);
			give_used(2 * BLOCK + (1u << order), 3 * BLOCK - 1, false);
			give_free(3 * BLOCK - 1, 0);
			give_used(3 * BLOCK, 4 * BLOCK, false);
			start();
			set_wmarks(normal(), 0, 0, 0);
			control(YARD_MIGRATE_SYNC, -1, false, GFP_M);
			cc.ignore_block_suitable = true;
			cc.nr_migratepages = 1;
			isolate_freepages(yard, &cc);
			assert_int_equal(cc.nr_freepages, 1 << order);
			assert_int_equal(type_at(2 * BLOCK), order == 8 && mergeable ? M : types[i]);
			assert_lists_to(NORMAL, 0, type_at(2 * BLOCK), "0:[1535]"); // moved along
			forget_store();
		}
}

// ---- C5.6 ----

static void C5_6_around_the_chunk(void **state)
{
	static const uint32_t offsets[] = { 25 * BLOCK + 3, 25 * BLOCK + 9, 25 * BLOCK + 100 };

	(void)state;
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_SYNC_LIGHT, 9, true, 3);
	isolate_freepages(yard, &cc);
	// The tail is taken, then its whole block is scanned until there are enough.
	assert_told(FAST | SCANS, "fast_isolate_freepages(7680,15872,1,1) isolate_freepages(12800,12810,10,2)");
	assert_store(0, "[12900,12803,12809]");
	assert_int_equal(cc.total_free_scanned, 11);
	assert_false(pageblock_skip(yard, base + 25 * BLOCK));
	forget_store();
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_ASYNC, 9, false, 4); // not direct: around in ASYNC too
	isolate_freepages(yard, &cc);
	assert_told(FAST | SCANS, "fast_isolate_freepages(7680,15872,1,1) isolate_freepages(12800,13312,512,2)");
	assert_true(pageblock_skip(yard, base + 25 * BLOCK)); // the end was reached
	forget_store();
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_ASYNC, 9, true, 4); // direct and ASYNC: not
	isolate_freepages(yard, &cc);
	assert_told(FAST | SCANS, "fast_isolate_freepages(7680,15872,1,1)");
	assert_int_equal(cc.nr_freepages, 1); // the store is not empty: no linear scan
	forget_store();
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_SYNC, 9, true, 4);
	cc.no_set_skip_hint = true;
	isolate_freepages(yard, &cc);
	assert_false(pageblock_skip(yard, base + 25 * BLOCK));
	forget_store();
}

static void C5_6_nothing_at_scan_start(void **state)
{
	static const uint32_t offsets[] = { 5 * BLOCK };

	(void)state;
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_SYNC, 9, true, 1);
	hints()->init_free = 0;
	isolate_freepages(yard, &cc);
	// Nothing near: direct runs go to `min`, look around there, and on from it.
	assert_told(FAST, "fast_isolate_freepages(7680,15872,1,0)");
	assert_int_equal(cc.nr_freepages, 1);
	assert_store(0, "[2560]");
	assert_at(hints()->cached_free, 4 * BLOCK);
	forget_store();
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_SYNC, 9, true, 1);
	hints()->init_free = 0;
	isolate_freepages(yard, &cc);
	assert_int_equal(told_nth(YARD_EVENT_ISOLATE_FREEPAGES, 0)->args[0] - base, MIN_AT);
	assert_int_equal(told_nth(YARD_EVENT_ISOLATE_FREEPAGES, 1)->args[0] - base,
			 14 * BLOCK); // its bit is set by now
	forget_store();
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_SYNC, 9, false, 1); // others do not: they begin above
	hints()->init_free = 0;
	isolate_freepages(yard, &cc);
	assert_int_equal(told_nth(YARD_EVENT_ISOLATE_FREEPAGES, 0)->args[0] - base, FREE_AT);
	forget_store();
	build_singles("linux-7.3", offsets, COUNT(offsets));
	search_control(YARD_MIGRATE_SYNC, 9, true, 1); // nor without a scan start
	isolate_freepages(yard, &cc);
	assert_int_equal(told_nth(YARD_EVENT_ISOLATE_FREEPAGES, 0)->args[0] - base, FREE_AT);
	forget_store();
}

static void C5_6_highest_after_a_refusal(void **state)
{
	static const uint32_t offsets[] = { 24 * BLOCK + 7 };

	(void)state;
	build_singles("linux-7.3", offsets, COUNT(offsets));
	set_wmarks(normal(), BLOCK, BLOCK, BLOCK);
	search_control(YARD_MIGRATE_SYNC, 9, false, 1);
	hints()->init_free = 0;
	hints()->cached_free = base + 24 * BLOCK;
	isolate_freepages(yard, &cc);
	assert_told(FAST | SCANS, "fast_isolate_freepages(7680,15872,1,0) isolate_freepages(12288,12295,8,0) "
				  "isolate_freepages(12288,12295,8,0)");
	assert_at(cc.free_pfn, 24 * BLOCK + 7);
	assert_at(hints()->cached_free, 23 * BLOCK);
	forget_store();
}

// ---- C5.7 ----

static void linear(enum yard_migrate_mode mode, uint32_t from, uint32_t migrate, uint64_t wanted)
{
	control(mode, -1, false, GFP_M);
	cc.free_pfn = base + from;
	cc.migrate_pfn = base + migrate;
	cc.nr_migratepages = wanted;
	forget_told();
	isolate_freepages(yard, &cc);
}

static void C5_7_strides(void **state)
{
	static const uint32_t offsets[] = {31 * BLOCK + 33, 30 * BLOCK + 64, 30 * BLOCK + 66, 30 * BLOCK + 480,
					   29 * BLOCK + 7};

	(void)state;
	build_singles("linux-7.3", offsets, COUNT(offsets));
	linear(YARD_MIGRATE_ASYNC, 31 * BLOCK, 24 * BLOCK, 100);
	assert_told(SCANS,
		    "isolate_freepages(15872,16384,16,0) isolate_freepages(15360,15872,16,2) "	 // 32; 66 is missed
		    "isolate_freepages(14848,15360,512,1) isolate_freepages(14336,14848,512,0) " // 1, 1
		    "isolate_freepages(13824,14336,256,0) isolate_freepages(13312,13824,128,0) " // 2, 4
		    "isolate_freepages(12800,13312,64,0)"); // 8; block 24 is the limit: end() of an aligned position
	assert_store(0, "[15424,15840,14855]");
	assert_int_equal(cc.total_free_scanned, 16 + 16 + 512 + 512 + 256 + 128 + 64);
	assert_at(cc.free_pfn, 24 * BLOCK);
	assert_at(hints()->cached_free, 0 - (int64_t)base); // 0 - only lowered
	forget_store();
	linear(YARD_MIGRATE_SYNC_LIGHT, 31 * BLOCK, 24 * BLOCK, 100); // all skip bits are set by now
	assert_told(SCANS, "");
	assert_at(cc.free_pfn, 24 * BLOCK);
}

static void C5_7_stops_and_goes_on(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_rest(0, 30 * BLOCK);
	give_free(30 * BLOCK, 5);
	give_used(30 * BLOCK + 32, 30 * BLOCK + 64, false);
	give_free(30 * BLOCK + 64, 5);
	give_used(30 * BLOCK + 96, 31 * BLOCK - 32, false);
	give_free(31 * BLOCK - 32, 5);
	give_used(31 * BLOCK, END, false);
	start();
	set_wmarks(normal(), 0, 0, 0);
	hints()->cached_free = base + END;
	linear(YARD_MIGRATE_SYNC, 31 * BLOCK + 500, 24 * BLOCK, 32);
	assert_told(SCANS, "isolate_freepages(16372,16384,12,0) isolate_freepages(15360,15392,32,32)");
	assert_at(cc.free_pfn, 30 * BLOCK + 32); // the exact frame
	assert_at(hints()->cached_free, 30 * BLOCK); // the finished block's start - PB
	assert_true(pageblock_skip(yard, base + 31 * BLOCK));
	assert_false(pageblock_skip(yard, base + 30 * BLOCK));
	release_free_store(yard, &cc);
	cc.nr_freepages = 0;
	isolate_freepages(yard, &cc); // the rest of the block
	assert_told(SCANS, "isolate_freepages(15392,15456,64,32)");
	isolate_freepages(yard, &cc); // C5.1: something is in store
	assert_told(SCANS, "");
	release_free_store(yard, &cc);
	cc.nr_freepages = 0;
	isolate_freepages(yard, &cc); // exactly to its end: goes on with the block below
	assert_told(SCANS, "isolate_freepages(15456,15872,416,32)");
	assert_at(cc.free_pfn, 29 * BLOCK);
	assert_true(pageblock_skip(yard, base + 30 * BLOCK));
	assert_at(hints()->cached_free, 29 * BLOCK);
	assert_int_equal(vm(YARD_VM_COMPACT_ISOLATED), 96);
	forget_store();
}

static void C5_7_which_blocks(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_rest(0, 26 * BLOCK);
	for (unsigned i = 26; i < 32; i++) {
		give_type(i * BLOCK, i == 30 ? U : i == 28 ? C : M);
		give_free(i * BLOCK, i == 29 ? 9 : 8);
		if (i != 29)
			give_used(i * BLOCK + 256, (i + 1) * BLOCK, false);
	}
	start();
	set_wmarks(normal(), 0, 0, 0);
	set_pageblock_skip(yard, base + 31 * BLOCK, true);
	linear(YARD_MIGRATE_SYNC, 31 * BLOCK, 24 * BLOCK, 600);
	// 31: skip bit, 30: U, 29: a whole free block, 28, 27, 26.
	assert_told(SCANS, "isolate_freepages(14336,14848,512,256) isolate_freepages(13824,14336,512,256) "
			   "isolate_freepages(13312,13568,256,256)");
	forget_store();
	control(YARD_MIGRATE_SYNC, -1, false, GFP_M);
	cc.ignore_skip_hint = cc.no_set_skip_hint = true;
	cc.nr_migratepages = 1;
	set_pageblock_skip(yard, base + 29 * BLOCK, false);
	isolate_freepages(yard, &cc);
	assert_told(SCANS, "isolate_freepages(15872,16128,256,256)");
	forget_store();
}

static void C5_7_ignore_skip_hint_still_sets(void **state)
{
	(void)state;
	for (unsigned no_set = 0; no_set < 2; no_set++) {
		blank_mover("linux-7.3", END);
		give_used(0, END, false);
		start();
		hints()->cached_free = base + END;
		control(YARD_MIGRATE_SYNC, -1, false, GFP_M);
		cc.migrate_pfn = base + 29 * BLOCK;
		cc.ignore_skip_hint = true;
		cc.no_set_skip_hint = no_set;
		cc.nr_migratepages = 1;
		isolate_freepages(yard, &cc);
		for (unsigned i = 28; i < 32; i++)
			assert_int_equal(pageblock_skip(yard, base + i * BLOCK), i >= 30 && !no_set);
		assert_at(hints()->cached_free, no_set ? END : 29 * BLOCK);
		assert_at(cc.free_pfn, 29 * BLOCK);
		isolate_freepages(yard, &cc); // a loop that never begins
		assert_at(cc.free_pfn, 29 * BLOCK);
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(C5_2_limits), TEST(C5_2_scan_start), TEST(C5_2_not_without_an_order),
		TEST(C5_2_window_check_value), TEST(C5_3_orders), TEST(C5_3_wraps_around),
		TEST(C5_5_corner_last_order_of_the_cycle), TEST(C5_4_near), TEST(C5_4_best),
		TEST(C5_4_limit_of_the_next_order), TEST(C5_4_unchanged_list), TEST(C5_5_watermark),
		TEST(C5_5_reserve_of_index_0), TEST(C5_5_blocks_become_movable), TEST(C5_6_around_the_chunk),
		TEST(C5_6_nothing_at_scan_start), TEST(C5_6_highest_after_a_refusal), TEST(C5_7_strides),
		TEST(C5_7_stops_and_goes_on), TEST(C5_7_which_blocks), TEST(C5_7_ignore_skip_hint_still_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
