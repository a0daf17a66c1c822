// SPDX-License-Identifier: Apache-2.0
//
// What compaction remembers of blocks: skip bits and their flush (spec 03 C3.8, C3.9).

#include "spec03_fixture.h"

#define SCANS KIND(ISOLATE_MIGRATEPAGES)

static bool skips(uint32_t offset)
{
	return pageblock_skip(yard, base + offset);
}

static void set_skip(uint32_t offset)
{
	set_pageblock_skip(yard, base + offset, true);
}

// ---- C3.8 ----

static void give_lru_rest(uint32_t from, uint32_t to) // one LRU page at from + 8, else pages that cannot move
{
	give_used(from, from + 8, false);
	give_lru(from + 8, from + 9);
	give_used(from + 9, to, false);
}

static void flush(void)
{
	hints()->blockskip_flush = true;
	flush_pageblock_skip(yard, normal());
	assert_false(hints()->blockskip_flush);
}

static void C3_8_flush_finds_source_and_target(void **state)
{
	(void)state;
	blank_mover("linux-7.3", 8 * BLOCK);
	give_used(0, 2 * BLOCK, false);
	give_lru_rest(2 * BLOCK, 3 * BLOCK);
	give_used(3 * BLOCK, 5 * BLOCK, false);
	give_used(5 * BLOCK, 5 * BLOCK + 16, false);
	give_free(5 * BLOCK + 16, 0);
	give_used(5 * BLOCK + 17, 6 * BLOCK, false);
	give_lru_rest(6 * BLOCK, 7 * BLOCK);
	give_used(7 * BLOCK, 8 * BLOCK, false);
	start();
	for (unsigned i = 0; i < 8; i++)
		set_skip(i * BLOCK);
	flush_pageblock_skip(yard, normal()); // not asked for
	assert_true(skips(2 * BLOCK));
	assert_int_equal(hints()->init_migrate, 0);
	flush();
	// (0, 7): neither. (1, 6): an LRU page is no target. (2, 5): both.
	assert_at(hints()->init_migrate, 2 * BLOCK);
	assert_at(hints()->cached_migrate[0], 2 * BLOCK);
	assert_at(hints()->cached_migrate[1], 2 * BLOCK);
	assert_at(hints()->init_free, 6 * BLOCK - 1); // not rounded
	assert_at(hints()->cached_free, 6 * BLOCK - 1);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(skips(i * BLOCK), i != 2 && i != 5);
	hints()->cached_free = 7;
	flush_pageblock_skip(yard, normal()); // once
	assert_int_equal(hints()->cached_free, 7);
}

static void C3_8_later_blocks_are_tested_both_ways(void **state)
{
	(void)state;
	blank_mover("linux-7.3", 8 * BLOCK);
	give_lru_rest(0, BLOCK);
	give_free(BLOCK, 0); // a free page below, an LRU page above: of interest once the other kind was found
	give_used(BLOCK + 1, 2 * BLOCK, false);
	give_used(2 * BLOCK, 6 * BLOCK, false);
	give_lru_rest(6 * BLOCK, 7 * BLOCK);
	give_free(7 * BLOCK, 0);
	give_used(7 * BLOCK + 1, 8 * BLOCK, false);
	start();
	for (unsigned i = 0; i < 8; i++)
		set_skip(i * BLOCK);
	flush();
	assert_at(hints()->init_migrate, 0);
	assert_at(hints()->init_free, 8 * BLOCK - 1);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(skips(i * BLOCK), i >= 2 && i < 6);
}

static void C3_8_only_one_kind(void **state)
{
	(void)state;
	blank_mover("linux-7.3", 7 * BLOCK);
	give_used(0, BLOCK, false);
	give_lru_rest(BLOCK, 2 * BLOCK);
	give_used(2 * BLOCK, 7 * BLOCK, false);
	start();
	for (unsigned i = 0; i < 7; i++)
		set_skip(i * BLOCK);
	flush();
	// Pairs (0,6) (1,5) (2,4) (3,3): 3 * 512 < 4 * 512 - 1 still; the loop ends at 4 and 3.
	assert_at(hints()->init_migrate, BLOCK);
	assert_at(hints()->cached_migrate[0], 4 * BLOCK);
	assert_at(hints()->cached_migrate[1], 4 * BLOCK);
	assert_at(hints()->cached_free, 3 * BLOCK - 1);
	assert_int_equal(hints()->init_free, 0);
}

static void C3_8_tests_of_a_block(void **state)
{
	(void)state;
	blank_mover("linux-7.3", 10 * BLOCK);
	give_used(0, 8, false);
	give_lru(1 * BLOCK + 1, 1 * BLOCK + 8); // only samples, every 8th frame, count
	give_used(8, BLOCK + 1, false);
	give_used(BLOCK + 8, 2 * BLOCK, false);
	give_lru_block(2 * BLOCK, 9); // compound of a pageblock
	give_lru(3 * BLOCK, 4 * BLOCK);
	give_used(4 * BLOCK, 7 * BLOCK, false);
	give_type(8 * BLOCK, C); // a target must be exactly M
	give_free_range(8 * BLOCK, 9 * BLOCK);
	give_type(9 * BLOCK, R);
	give_free_range(9 * BLOCK, 10 * BLOCK);
	give_free(7 * BLOCK, 8);
	give_used(7 * BLOCK + 256, 8 * BLOCK, false);
	start();
	for (unsigned i = 0; i < 10; i++)
		if (i != 3)
			set_skip(i * BLOCK);
	flush();
	assert_at(hints()->init_free, 8 * BLOCK - 1);
	assert_at(hints()->init_migrate, 3 * BLOCK);
	assert_true(skips(BLOCK));
	assert_true(skips(2 * BLOCK));
	assert_false(skips(7 * BLOCK));
	assert_true(skips(8 * BLOCK));
	assert_true(skips(9 * BLOCK));
}

static void C3_8_both_wanted_and_clear_is_enough(void **state)
{
	(void)state;
	blank_mover("linux-7.3", 6 * BLOCK);
	give_used(0, 2 * BLOCK, false); // as a source alone a block is sampled, bit or not
	give_lru(2 * BLOCK, 3 * BLOCK);
	give_free(3 * BLOCK, 9);
	give_used(4 * BLOCK, 6 * BLOCK, false);
	start();
	flush();
	assert_at(hints()->init_migrate, 2 * BLOCK);
	assert_at(hints()->init_free, 4 * BLOCK - 1);
}

// ---- C3.9 ----

static void scan_block(uint32_t from)
{
	cc.migrate_pfn = base + from;
	cc.free_pfn = base + block_start(from) + BLOCK;
	isolate_migratepages(yard, &cc);
}

static void C3_9_source_rows(void **state)
{
	(void)state;
	blank_mover("linux-7.3", 8 * BLOCK);
	give_used(0, BLOCK, false);
	for (unsigned i = 1; i < 8; i++)
		give_lru(i * BLOCK, (i + 1) * BLOCK);
	start();
	control(YARD_MIGRATE_SYNC, 9, true, GFP_M);
	scan_block(0); // row 2: nothing isolated, no LRU lock
	assert_true(skips(0));
	scan_block(BLOCK); // row 1
	assert_told(SCANS, "isolate_migratepages(0,512,512,0) isolate_migratepages(512,544,32,32)");
	assert_true(skips(BLOCK));
	put_all_back();
	scan_block(BLOCK + 32); // begun inside the block: the bit does not matter
	assert_told(SCANS, "isolate_migratepages(544,576,32,32)");
	put_all_back();
	scan_block(2 * BLOCK + 1); // ... nor is it set
	assert_false(skips(2 * BLOCK));
	put_all_back();
	cc.ignore_skip_hint = true;
	scan_block(3 * BLOCK); // an LRU lock was taken, but the bit is not set
	assert_false(skips(3 * BLOCK));
	put_all_back();
	cc.finish_pageblock = true;
	scan_block(5 * BLOCK); // not even at its end
	assert_told(SCANS, "isolate_migratepages(1025,1057,32,32) isolate_migratepages(1536,1568,32,32) "
			   "isolate_migratepages(2560,3072,512,512)");
	assert_false(skips(5 * BLOCK));
	put_all_back();
	cc.finish_pageblock = false;
	scan_block(BLOCK); // never consulted
	forget_told();
	put_all_back();
	set_pageblock_skip(yard, base, false);
	scan_block(0); // row 2 holds for ignore_skip_hint too
	assert_true(skips(0));
	set_pageblock_skip(yard, base, false);
	cc.no_set_skip_hint = true;
	scan_block(0);
	assert_false(skips(0));
	cc.ignore_skip_hint = false;
	scan_block(4 * BLOCK);
	assert_false(skips(4 * BLOCK));
	put_all_back();
}

static bool set_skip_meanwhile(uint32_t offset, enum yard_migrate_mode mode)
{
	(void)mode;
	set_skip(offset);
	return true;
}

// Another compactor takes the block between the first test of its bit and the LRU lock.
static void C3_9_row_1_lost_race(void **state)
{
	(void)state;
	for (unsigned finish = 0; finish < 2; finish++) {
		blank_mover("linux-7.3", 4 * BLOCK);
		give_used(0, 2 * BLOCK, false);
		give_free_range(2 * BLOCK, 4 * BLOCK);
		start();
		for (uint32_t i = 0; i < 20; i++)
			lru_page(i, YARD_PAGE_DIRTY, YARD_UNMAPPED);
		yard_lru_drain_all(yard);
		mover.may_move = set_skip_meanwhile;
		control(YARD_MIGRATE_SYNC_LIGHT, 9, true, GFP_M);
		cc.finish_pageblock = finish;
		scan_block(0);
		assert_int_equal(mover.nr_asked, finish ? 20 : 1);
		assert_told(SCANS, finish ? "isolate_migratepages(0,512,512,20)" : "isolate_migratepages(0,512,1,0)");
		assert_at(hints()->cached_migrate[0], 2 * BLOCK);
		put_all_back();
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(C3_8_flush_finds_source_and_target), TEST(C3_8_later_blocks_are_tested_both_ways),
		TEST(C3_8_only_one_kind), TEST(C3_8_tests_of_a_block), TEST(C3_8_both_wanted_and_clear_is_enough),
		TEST(C3_9_source_rows), TEST(C3_9_row_1_lost_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
