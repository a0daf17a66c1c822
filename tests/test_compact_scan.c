// SPDX-License-Identifier: Apache-2.0
//
// Which block compaction empties: positions, source and target blocks, fast search (spec 03 section 3.3).

#include "spec03_fixture.h"

enum { BLOCKS = 32, END = BLOCKS * BLOCK };

static void build_used(const char *policy) // nothing is free, nothing can move
{
	blank_mover(policy, END);
	give_used(0, END, false);
	start();
}

static void set_skip(uint32_t offset)
{
	set_pageblock_skip(yard, base + offset, true);
}

#define SCANS KIND(ISOLATE_MIGRATEPAGES)

// ---- C3.1 to C3.6 ----

static void C3_1_scanners_met(void **state)
{
	(void)state;
	build_used("linux-7.3");
	control(YARD_MIGRATE_SYNC_LIGHT, 9, true, GFP_M);
	cc.migrate_pfn = base + 5 * BLOCK + 7;
	cc.free_pfn = base + 6 * BLOCK;
	assert_false(compact_scanners_met(&cc));
	cc.free_pfn--;
	assert_true(compact_scanners_met(&cc));
	cc.free_pfn = base + 5 * BLOCK;
	assert_true(compact_scanners_met(&cc));
}

static void begin(enum yard_migrate_mode mode, bool whole_zone)
{
	control(mode, 9, true, GFP_M);
	cc.whole_zone = whole_zone;
	compact_begin(yard, &cc);
}

static void C3_3_start_of_a_run(void **state)
{
	const uint32_t odd_end = 5 * BLOCK + 100;

	(void)state;
	blank_mover("linux-7.3", odd_end);
	give_used(0, odd_end, false);
	start();
	*hints() = (struct zone_compact){.cached_migrate = {BASE + BLOCK, BASE + 2 * BLOCK},
					 .cached_free = BASE + 3 * BLOCK + 9};
	begin(YARD_MIGRATE_SYNC, true);
	assert_at(cc.migrate_pfn, 0);
	assert_at(cc.free_pfn, 5 * BLOCK);
	assert_int_equal(hints()->cached_free, BASE + 3 * BLOCK + 9);
	begin(YARD_MIGRATE_ASYNC, false);
	assert_at(cc.migrate_pfn, BLOCK);
	assert_at(cc.free_pfn, 3 * BLOCK + 9);
	begin(YARD_MIGRATE_SYNC_LIGHT, false);
	assert_at(cc.migrate_pfn, 2 * BLOCK);
	begin(YARD_MIGRATE_SYNC, false);
	assert_at(cc.migrate_pfn, 2 * BLOCK);
	hints()->cached_free = BASE + odd_end;
	hints()->cached_migrate[1] = BASE + odd_end;
	begin(YARD_MIGRATE_SYNC, false);
	assert_at(cc.free_pfn, 5 * BLOCK);
	assert_at(cc.migrate_pfn, 0);
	assert_at(hints()->cached_free, 5 * BLOCK);
	assert_at(hints()->cached_migrate[0], 0); // both
	assert_at(hints()->cached_migrate[1], 0);
	hints()->cached_free = BASE - 1;
	hints()->cached_migrate[0] = 0;
	begin(YARD_MIGRATE_ASYNC, false);
	assert_at(cc.free_pfn, 5 * BLOCK);
	assert_at(cc.migrate_pfn, 0);
	hints()->cached_free = BASE + odd_end - 1; // the last frame of the zone is in it
	begin(YARD_MIGRATE_ASYNC, false);
	assert_at(cc.free_pfn, odd_end - 1);
}

static void C3_4_whole_zone_inference(void **state)
{
	(void)state;
	build_used("linux-7.3");
	begin(YARD_MIGRATE_ASYNC, false); // from zs, but init_migrate is 0
	assert_false(cc.whole_zone);
	hints()->init_migrate = BASE + BLOCK;
	begin(YARD_MIGRATE_ASYNC, false);
	assert_true(cc.whole_zone);
	hints()->cached_migrate[0] = BASE + BLOCK;
	begin(YARD_MIGRATE_ASYNC, false);
	assert_true(cc.whole_zone);
	hints()->cached_migrate[0] = BASE + 2 * BLOCK;
	begin(YARD_MIGRATE_ASYNC, false);
	assert_false(cc.whole_zone);
}

static void C3_5_linked_positions(void **state)
{
	(void)state;
	build_used("linux-7.3");
	hints()->cached_migrate[0] = hints()->cached_migrate[1] = BASE + BLOCK;
	begin(YARD_MIGRATE_ASYNC, false);
	hints()->cached_migrate[0] = BASE + 4 * BLOCK;
	compact_sources_empty(yard, &cc);
	assert_at(hints()->cached_migrate[1], 4 * BLOCK);
	compact_sources_taken(&cc); // no longer once something was isolated
	hints()->cached_migrate[0] = BASE + 5 * BLOCK;
	compact_sources_empty(yard, &cc);
	assert_at(hints()->cached_migrate[1], 4 * BLOCK);
	begin(YARD_MIGRATE_ASYNC, false); // not equal at the start
	compact_sources_empty(yard, &cc);
	assert_at(hints()->cached_migrate[1], 4 * BLOCK);
	hints()->cached_migrate[1] = hints()->cached_migrate[0];
	begin(YARD_MIGRATE_SYNC, false);
	hints()->cached_migrate[0] = BASE + 7 * BLOCK;
	compact_sources_empty(yard, &cc);
	assert_at(hints()->cached_migrate[1], 5 * BLOCK);
}

static void C3_6_overshoot(void **state)
{
	(void)state;
	build_used("linux-7.3");
	control(YARD_MIGRATE_ASYNC, 9, false, GFP_M);
	assert_int_equal(isolate_migratepages(yard, &cc), ISOLATE_NONE);
	assert_told(SCANS, "isolate_migratepages(0,512,512,0)");
	assert_int_equal(hints()->cached_migrate[0], 0x100400); // not 0x100200
	assert_int_equal(hints()->cached_migrate[1], 0);
	advance_cached_migrate(yard, &cc, BASE + 17);
	assert_int_equal(hints()->cached_migrate[0], 0x100400); // max
	cc.mode = YARD_MIGRATE_SYNC_LIGHT;
	advance_cached_migrate(yard, &cc, BASE + 17);
	assert_int_equal(hints()->cached_migrate[1], 0x100200); // unaligned: no overshoot
	cc.no_set_skip_hint = true;
	advance_cached_migrate(yard, &cc, BASE + 9 * BLOCK);
	assert_int_equal(hints()->cached_migrate[0], 0x100400);
}

// ---- C3.10 ----

static void scan_block(uint32_t from)
{
	cc.migrate_pfn = base + from;
	cc.free_pfn = base + block_start(from) + BLOCK;
	isolate_migratepages(yard, &cc);
}

static bool is_source(unsigned rule, unsigned block, unsigned request_type, enum yard_migrate_mode mode, bool is_direct,
		      unsigned order, bool cma)
{
	if (!is_direct)
		return true;
	if (rule == YARD_SOURCE_BLOCKS) {
		if (block == C && !cma)
			return false;
		if (mode != YARD_MIGRATE_ASYNC)
			return true;
		if (request_type == M || order >= YARD_PAGEBLOCK_ORDER)
			return block == M || block == C;
		return block == request_type;
	}
	if (mode != YARD_MIGRATE_ASYNC)
		return true;
	return request_type == M ? block == M || block == C : block == request_type;
}

static void check_sources(const char *policy, unsigned rule)
{
	static const uint32_t gfps[] = { GFP_U, GFP_M, GFP_R };

	blank_mover(policy, 8 * BLOCK);
	for (unsigned i = 0; i < 8; i++) {
		if (i < I)
			give_type(i * BLOCK, i);
		give_used(i * BLOCK, (i + 1) * BLOCK, false);
		if (i == 6) // no LRU page will be found, but a scan tells of itself
			continue;
	}
	start();
	set_pageblock_isolate(yard, base + I * BLOCK, true);
	for (unsigned n = 0; n < I * 3 * 3 * 2 * 2 * 2 + 72; n++) {
		unsigned block = n % 6, g = n / 6 % 3, mode = n / 18 % 3, is_direct = n / 54 % 2,
			 order = n / 108 % 2 ? 9 : 3;
		bool cma = n / 216 % 2;

		control((enum yard_migrate_mode)mode, (int)order, is_direct, gfps[g]);
		cc.alloc_flags = cma ? ALLOC_CMA : 0;
		cc.ignore_skip_hint = true;
		*hints() = (struct zone_compact){ 0 };
		forget_told();
		scan_block(block * BLOCK);
		if (is_source(rule, block, cc.migratetype, cc.mode, is_direct, order, cma)
		    != (count_told(YARD_EVENT_ISOLATE_MIGRATEPAGES) == 1))
			fail_msg("%s: block %c, request %c, mode %u, direct %u, order %u, cma %d", policy,
				 letter(block), letter(cc.migratetype), mode, is_direct, order, cma);
		assert_at(cc.migrate_pfn, (block + 1) * BLOCK);
		assert_at(hints()->cached_migrate[0], (block + 2) * BLOCK); // refused or empty
		assert_int_equal(hints()->cached_migrate[1] != 0, cc.mode != YARD_MIGRATE_ASYNC);
	}
}

static void C3_10_source_blocks(void **state)
{
	(void)state;
	check_sources("linux-7.3", YARD_SOURCE_BLOCKS);
	check_sources("linux-7.2", YARD_SOURCE_BLOCKS);
	check_sources("defrag-6.16", YARD_SOURCE_TYPED);
	check_sources("linux-7.3,source_rule=typed", YARD_SOURCE_TYPED);
}

static void C3_10_large_compounds(void **state)
{
	(void)state;
	blank_mover("linux-7.3", 8 * BLOCK);
	give_lru_block(0, 10);
	give_lru_block(2 * BLOCK, 9);
	give_lru_block(3 * BLOCK, 8);
	give_used(3 * BLOCK + 256, 8 * BLOCK, false);
	start();
	control(YARD_MIGRATE_SYNC, -1, false, GFP_U);
	cc.free_pfn = base + 3 * BLOCK;
	assert_int_equal(isolate_migratepages(yard, &cc), ISOLATE_NONE);
	assert_told(SCANS, ""); // also from inside the block of order 10
	cc.free_pfn = base + 4 * BLOCK;
	assert_int_equal(isolate_migratepages(yard, &cc), ISOLATE_SUCCESS);
	assert_told(SCANS, "isolate_migratepages(1536,1792,256,256)"); // order -1: up to PBO
	put_all_back();
}

// ---- C3.11 ----

static void C3_11_target_blocks(void **state)
{
	(void)state;
	blank_mover("linux-7.3", 16 * BLOCK);
	for (unsigned i = 0; i < I; i++)
		give_type(i * BLOCK, i);
	give_free(5 * BLOCK, 8);
	give_free(6 * BLOCK, 9);
	give_free(8 * BLOCK, 10);
	start();
	control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
	for (unsigned i = 0; i < I; i++)
		assert_int_equal(target_suitable(yard, &cc, base + i * BLOCK), i == M || i == C);
	assert_true(target_suitable(yard, &cc, base + 5 * BLOCK));
	assert_false(target_suitable(yard, &cc, base + 6 * BLOCK));
	assert_false(target_suitable(yard, &cc, base + 8 * BLOCK));
	cc.order = 8;
	assert_false(target_suitable(yard, &cc, base + 5 * BLOCK));
	cc.order = 10;
	assert_true(target_suitable(yard, &cc, base + 6 * BLOCK));
	assert_false(target_suitable(yard, &cc, base + 8 * BLOCK));
	cc.order = -1; // PBO
	assert_true(target_suitable(yard, &cc, base + 5 * BLOCK));
	assert_false(target_suitable(yard, &cc, base + 6 * BLOCK));
	cc.ignore_block_suitable = true;
	for (unsigned i = 0; i < I; i++)
		assert_true(target_suitable(yard, &cc, base + i * BLOCK));
	assert_false(target_suitable(yard, &cc, base + 6 * BLOCK)); // tested first
	cc.ignore_block_suitable = false;
	set_pageblock_isolate(yard, base + 5 * BLOCK, true);
	assert_false(target_suitable(yard, &cc, base + 5 * BLOCK));
}

// ---- C3.12 ----

static void C3_12_loop(void **state)
{
	(void)state;
	blank_mover("linux-7.3", 8 * BLOCK);
	give_type(0, U);
	give_used(0, 3 * BLOCK, false);
	give_lru(3 * BLOCK, 8 * BLOCK);
	start();
	set_skip(BLOCK);
	control(YARD_MIGRATE_ASYNC, 4, true, GFP_M);
	cc.free_pfn = base + 4 * BLOCK;
	assert_int_equal(isolate_migratepages(yard, &cc),
			 ISOLATE_NONE);				    // block 0 of type U, 1 skipped, 2: empty, and stop
	assert_told(SCANS, "isolate_migratepages(1024,1536,32,0)"); // gives each chunk of 16 up at its first frame
	assert_at(cc.migrate_pfn, 3 * BLOCK);
	assert_at(hints()->cached_migrate[0], 4 * BLOCK);
	assert_int_equal(isolate_migratepages(yard, &cc), ISOLATE_SUCCESS); // its end is free_pfn
	assert_told(SCANS, "isolate_migratepages(1536,1552,16,16)"); // one chunk is enough
	cc.migrate_pfn = base + 4 * BLOCK; // end of low's block above free_pfn
	assert_int_equal(isolate_migratepages(yard, &cc), ISOLATE_SUCCESS); // left from before
	assert_told(SCANS, "");
	assert_at(cc.migrate_pfn, 4 * BLOCK);
	put_all_back();
	assert_int_equal(isolate_migratepages(yard, &cc), ISOLATE_NONE);
}

static void C3_12_skip_bit_inside_a_block(void **state)
{
	(void)state;
	blank_mover("linux-7.3", 4 * BLOCK);
	give_lru(0, 4 * BLOCK);
	start();
	set_skip(0);
	set_skip(BLOCK);
	control(YARD_MIGRATE_SYNC, 3, true, GFP_M);
	cc.migrate_pfn = base + 500; // not at a block's first frame
	isolate_migratepages(yard, &cc);
	assert_told(SCANS, "isolate_migratepages(500,512,12,12)");
	isolate_migratepages(yard, &cc);
	assert_told(SCANS, "isolate_migratepages(1024,1044,20,20)"); // 12 + 20 = 32
	put_all_back();
}

static void C3_12_holes(void **state)
{
	enum { SECTION = PAGES_PER_SECTION };
	const struct yard_range memory[] = { { BASE, BASE + BLOCK + 100, 0 }, { BASE + 2 * BLOCK, BASE + 3 * BLOCK, 0 },
					     { BASE + 2 * SECTION, BASE + 2 * SECTION + 2 * BLOCK, 0 } };
	struct yard_config config = mover_config("linux-7.3");

	(void)state;
	config.restore = true;
	config.memory = memory;
	config.nr_memory = COUNT(memory);
	build(&config);
	give_used(0, BLOCK + 100, false);
	give_used(2 * BLOCK, 3 * BLOCK, false);
	give_used(2 * SECTION, 2 * SECTION + 2 * BLOCK, false);
	hear_all();
	control(YARD_MIGRATE_SYNC, 3, true, GFP_M);
	cc.free_pfn = base + 2 * SECTION + BLOCK;
	for (unsigned i = 0; i < 4; i++)
		isolate_migratepages(yard, &cc);
	// Blocks 3 to 63 are a hole in an online section, then a section is missing.
	assert_told(SCANS, "isolate_migratepages(0,512,512,0) isolate_migratepages(512,1024,512,0) "
			   "isolate_migratepages(1024,1536,512,0) "
			   "isolate_migratepages(65536,66048,512,0)");
}

// ---- C3.13 ----

enum { CHUNK = 256 }; // order 8: the second half of a block is LRU pages

// Free chunks of order 8 in these blocks, in this order on the list; everything else can move.
static void build_chunks(const char *policy, const unsigned *blocks, size_t nr)
{
	bool has[BLOCKS] = { false };

	blank_mover(policy, END);
	for (size_t i = 0; i < nr; i++) {
		give_free(blocks[i] * BLOCK, 8);
		has[blocks[i]] = true;
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		give_lru(i * BLOCK + (has[i] ? CHUNK : 0), (i + 1) * BLOCK);
	start();
}

static const unsigned in_order[] = { 20, 6, 31, 9, 3, 14 };

static void fast_scan(uint32_t from, uint32_t to, unsigned fails)
{
	cc.migrate_pfn = base + from;
	cc.free_pfn = base + to;
	cc.fast_search_fail = fails;
	cc.total_migrate_scanned = 0;
	forget_told();
	isolate_migratepages(yard, &cc);
}

// Chunks that the search looked at; the scan of the block that follows takes the rest of 32 frames.
static void check_search(unsigned chunks, uint32_t block, unsigned fails)
{
	const struct told *scan = told_nth(YARD_EVENT_ISOLATE_MIGRATEPAGES, 0);

	assert_non_null(scan);
	assert_int_equal(scan->args[0] - base, block * BLOCK);
	assert_int_equal(cc.total_migrate_scanned - (uint64_t)scan->args[2], chunks);
	assert_int_equal(cc.fast_search_fail, fails);
	put_all_back();
}

static void C3_13_fast_source_search(void **state)
{
	(void)state;
	build_chunks("linux-7.3", in_order, COUNT(in_order));
	control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
	fast_scan(0, 31 * BLOCK, 0); // half of the way from zs: blocks below 15
	check_search(2, 6, 0);
	assert_lists_to(NORMAL, 8, M,
			"8:[15872,4608,1536,7168,10240,3072]"); // the visited prefix, in its order, to the tail
	set_skip(9 * BLOCK);
	fast_scan(0, 31 * BLOCK, 0);
	check_search(3, 3, 0); // 31 too high, 9 skipped
	assert_lists_to(NORMAL, 8, M, "8:[7168,10240,3072,15872,4608,1536]");
	control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
	fast_scan(2 * BLOCK, 26 * BLOCK, 0); // an eighth of 24 blocks: below block 5
	check_search(6, 2, 1); // 3 is taken by its skip bit now
	assert_lists_to(NORMAL, 8, M, "8:[7168,10240,3072,15872,4608,1536]"); // walked to the end: unchanged
	set_pageblock_skip(yard, base + 3 * BLOCK, false);
	fast_scan(4 * BLOCK, 28 * BLOCK, 1); // below block 7, also below migrate_pfn
	check_search(6, 3, 0);
	assert_at(cc.fast_start_pfn, 3 * BLOCK); // the lowest taken
}

static void C3_13_limits(void **state)
{
	static const unsigned limits[] = { 33, 17, 9, 5, 3, 2, 1, 1, 1 };
	unsigned blocks[BLOCKS - 16];

	(void)state;
	for (unsigned i = 0; i < COUNT(blocks); i++)
		blocks[i] = 16 + i; // all above the window
	for (unsigned fails = 0; fails < COUNT(limits); fails++) {
		bool all = limits[fails] >= COUNT(blocks);

		assert_int_equal(fast_search_limit(&(struct compact_control){.fast_search_fail = fails}),
				 limits[fails]);
		build_chunks("linux-7.3", blocks, COUNT(blocks));
		control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
		fast_scan(0, 31 * BLOCK, fails);
		check_search(all ? COUNT(blocks) : limits[fails] + 1, 0, fails + 1);
		if (!all) // the chunk after the one that was too much becomes the head
			assert_pfn(yard_free_list_next(yard, NORMAL, 8, M, NONE),
				   (int64_t)(16 + (limits[fails] + 1) % COUNT(blocks)) * BLOCK);
	}
	assert_int_equal(fast_search_limit(&(struct compact_control){ .fast_search_fail = 1000 }), 1);
}

static void C3_13_orders(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_free(4 * BLOCK, 3); // the order above is searched first, though empty of what fits
	give_free(20 * BLOCK, 5);
	give_free(5 * BLOCK, 4);
	give_type(6 * BLOCK, C); // other lists than M's are not looked at
	give_free(6 * BLOCK, 5);
	give_free(2 * BLOCK, 2); // below COSTLY
	for (unsigned i = 0; i < BLOCKS; i++)
		give_lru(i * BLOCK
				 + (i == 4		? 8
				    : i == 5		? 16
				    : i == 20 || i == 6 ? 32
				    : i == 2		? 4
							: 0),
			 (i + 1) * BLOCK);
	start();
	control(YARD_MIGRATE_SYNC, 6, true, GFP_M);
	fast_scan(0, 31 * BLOCK, 0);
	check_search(2, 5, 0);
	control(YARD_MIGRATE_SYNC, 5, true, GFP_M);
	set_skip(5 * BLOCK);
	fast_scan(0, 31 * BLOCK, 0);
	check_search(2, 4, 0);
	control(YARD_MIGRATE_SYNC, 4, true, GFP_M);
	set_skip(4 * BLOCK);
	fast_scan(0, 31 * BLOCK, 0);
	check_search(1, 0, 1);
}

static void C3_13_when_it_is_left_out(void **state)
{
	static const unsigned blocks[] = { 6 };

	(void)state;
	for (unsigned typed = 0; typed < 2; typed++) {
		build_chunks(typed ? "linux-7.3,source_rule=typed" : "linux-7.3", blocks, 1);
		control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
		cc.ignore_skip_hint = true;
		fast_scan(0, 31 * BLOCK, 0);
		check_search(0, 0, 0);
		control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
		cc.finish_pageblock = true;
		fast_scan(BLOCK, 31 * BLOCK, 0);
		check_search(0, 1, 0);
		control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
		fast_scan(BLOCK + 32, 31 * BLOCK, 0);
		assert_int_equal(cc.total_migrate_scanned, 32);
		put_all_back();
		control(YARD_MIGRATE_SYNC, 3, true, GFP_M);
		fast_scan(0, 31 * BLOCK, 0);
		assert_int_equal(cc.total_migrate_scanned, 32);
		put_all_back();
		control(YARD_MIGRATE_SYNC, -1, false, GFP_U); // proactive
		fast_scan(2 * BLOCK, 31 * BLOCK, 0);
		check_search(0, 2, 0);
		control(YARD_MIGRATE_SYNC, 8, true, GFP_U); // direct, not M, below PBO
		fast_scan(3 * BLOCK, 31 * BLOCK, 0);
		check_search(0, 3, 0);
		control(YARD_MIGRATE_SYNC, 9, true, GFP_R);
		fast_scan(4 * BLOCK, 31 * BLOCK, 0);
		check_search(!typed, typed ? 4 : 6, 0);
		set_pageblock_skip(yard, base + 6 * BLOCK, false);
		control(YARD_MIGRATE_SYNC, 9, false, GFP_U); // kcompactd
		fast_scan(5 * BLOCK, 31 * BLOCK, 0);
		check_search(1, 6, 0);
	}
}

static void C3_13_falls_back_to_the_lowest_taken(void **state)
{
	static const unsigned blocks[] = { 6 };

	(void)state;
	blank_mover("linux-7.3", END);
	give_used(0, 6 * BLOCK + 64, false);
	give_free(6 * BLOCK + 64, 6); // not at its block's start
	give_lru(6 * BLOCK + 128, END);
	start();
	control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
	fast_scan(0, 31 * BLOCK, 0);
	check_search(1, 6, 0);
	assert_at(cc.fast_start_pfn, 6 * BLOCK + 64);
	fast_scan(10 * BLOCK, 31 * BLOCK, 0); // the block's bit is set now: nothing is found
	assert_int_equal(told_nth(YARD_EVENT_ISOLATE_MIGRATEPAGES, 0)->args[0] - base, 6 * BLOCK + 64); // not aligned
	assert_int_equal(cc.fast_search_fail, 1);
	put_all_back();
	fast_scan(10 * BLOCK, 31 * BLOCK, 1); // consumed
	check_search(1, 10, 2);
	build_chunks("linux-7.3", blocks, 1); // taken from: nothing ever was
	control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
	set_skip(6 * BLOCK);
	fast_scan(BLOCK, 31 * BLOCK, 0);
	check_search(1, 1, 1);
}

// 3.14: migrate 0x108000, free 0x17fe00: chunks below 0x116e00 only.
static void C3_13_window_check_value(void **state)
{
	const uint32_t hi = 0x116e00 - BASE;

	(void)state;
	for (unsigned below = 0; below < 2; below++) {
		blank_mover("linux-7.3", 0x80000);
		give_free(hi - below * BLOCK, 8);
		give_used(0x8000, 0x8000 + BLOCK, false);
		give_used(hi - below * BLOCK + CHUNK, hi - below * BLOCK + BLOCK, false);
		start();
		control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
		fast_scan(0x8000, 0x7fe00, 0);
		check_search(1, below ? (hi - BLOCK) / BLOCK : 0x8000 / BLOCK, !below);
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(C3_1_scanners_met), TEST(C3_3_start_of_a_run), TEST(C3_4_whole_zone_inference),
		TEST(C3_5_linked_positions), TEST(C3_6_overshoot), TEST(C3_10_source_blocks),
		TEST(C3_10_large_compounds), TEST(C3_11_target_blocks), TEST(C3_12_loop),
		TEST(C3_12_skip_bit_inside_a_block), TEST(C3_12_holes), TEST(C3_13_fast_source_search),
		TEST(C3_13_limits), TEST(C3_13_orders), TEST(C3_13_when_it_is_left_out),
		TEST(C3_13_falls_back_to_the_lowest_taken), TEST(C3_13_window_check_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
