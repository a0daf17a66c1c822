// SPDX-License-Identifier: Apache-2.0
//
// Is compaction worth it: spec 03 section 3.2, its check values in 3.14, and the versions of 3.12.

#include "spec03_fixture.h"

enum { BLOCKS = 64 };

// ---- C2.1 ----

static void C2_1_gap(void **state)
{
	static const uint64_t capped[] = { 2, 4, 8, 16, 32, 32, 32, 32, 32, 32, 32 };

	(void)state;
	blank_mover("linux-7.3", BLOCKS * BLOCK);
	for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++)
		assert_int_equal(compact_gap(yard, order), capped[order]);
	blank_mover("linux-7.3,gap_cap=off", BLOCKS * BLOCK);
	for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++)
		assert_int_equal(compact_gap(yard, order), 2u << order);
	assert_int_equal(compact_gap(yard, 9), 1024);
}

// ---- C2.2 ----

static void C2_2_base_ok(void **state)
{
	static const struct {
		unsigned order;
		uint64_t mark, need; // more than this many free pages
	} rows[] = {
		{ 0, 100, 102 }, { 1, 100, 104 }, { 2, 100, 108 }, { 3, 100, 116 },
		{ 4, 100, 132 + 7 }, { 9, 100, 132 + 7 }, { 10, 0, 32 + 7 },
	};

	(void)state;
	blank_mover("linux-7.3", BLOCKS * BLOCK);
	start();
	set_wmarks(normal(), 50, 57, 90);
	normal()->lowmem_reserve[YARD_ZONE_MOVABLE] = 1000;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t need = (int64_t)rows[i].need;

		assert_false(compaction_base_ok(yard, normal(), rows[i].order, rows[i].mark, NORMAL, need));
		assert_true(compaction_base_ok(yard, normal(), rows[i].order, rows[i].mark, NORMAL, need + 1));
		assert_false(compaction_base_ok(yard, normal(), rows[i].order, rows[i].mark, YARD_ZONE_MOVABLE,
						need + 1000));
		assert_true(compaction_base_ok(yard, normal(), rows[i].order, rows[i].mark, YARD_ZONE_MOVABLE,
					       need + 1001));
	}
}

static void C2_2_cma_pages_are_usable(void **state)
{
	(void)state;
	blank_mover("linux-7.3", BLOCKS * BLOCK);
	give_type(0, C);
	give_free_range(0, BLOCK);
	give_used(BLOCK, BLOCKS * BLOCK, false);
	start();
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_CMA_PAGES], BLOCK);
	assert_true(compaction_base_ok(yard, normal(), 0, 100, NORMAL, 103));
}

// ---- C2.5: check values of 3.14 ----

struct chunks {
	unsigned order, nr;
};

// Free chunks that cannot merge, from `at` on; the rest is in use.
static void give_chunks(const struct chunks *chunks, size_t nr)
{
	uint32_t at = 0, used = 0;

	for (size_t i = nr; i-- > 0;) // largest first: alignment costs nothing
		for (unsigned n = 0; n < chunks[i].nr; n++) {
			give_free(at, chunks[i].order);
			used = at + (1u << chunks[i].order);
			at = used + (1u << chunks[i].order);
			give_used(used, at, false);
		}
	give_used(at, BLOCKS * BLOCK, false);
}

static void check_indices(const struct chunks *chunks, size_t nr, unsigned order, int index, unsigned extfrag,
			  unsigned unusable)
{
	struct yard_fragmentation got;

	blank_mover("linux-7.3", BLOCKS * BLOCK);
	give_chunks(chunks, nr);
	start();
	assert_int_equal(zone_fragmentation_index(normal(), order), index);
	assert_int_equal(extfrag_for_order(normal(), order), extfrag);
	yard_get_fragmentation(yard, NORMAL, order, &got);
	assert_int_equal(got.fragmentation_index, index);
	assert_int_equal(got.unusable_index, unusable);
}

static void C2_5_check_values(void **state)
{
	(void)state;
	check_indices((struct chunks[]){ { 0, 1000 }, { 1, 300 }, { 2, 100 }, { 3, 20 } }, 4, 9, 997, 100, 1000);
	check_indices((struct chunks[]){ { 0, 10 }, { 3, 5 } }, 2, 9, 927, 100, 1000);
	check_indices((struct chunks[]){ { 0, 1000 }, { 9, 10 }, { 10, 3 } }, 3, 9, -1000, 10, 108);
	check_indices((struct chunks[]){ { 0, 100 }, { 1, 10 }, { 8, 30 } }, 3, 9, 885, 100, 1000);
	check_indices((struct chunks[]){ { 0, 4 } }, 1, 4, 688, 100, 1000);
	check_indices((struct chunks[]){ { 0, 0 } }, 1, 4, 0, 0, 1000); // nothing is free
}

static void C2_5_large_row(void **state) // {0:100, 1:10, 8:300}, order 9: 632
{
	const struct chunks chunks[] = { { 0, 100 }, { 1, 10 }, { 8, 300 } };

	(void)state;
	blank_mover("linux-7.3", 320 * BLOCK);
	for (unsigned i = 0; i < 300; i++)
		give_free(i * BLOCK, 8);
	for (unsigned i = 0; i < 10; i++)
		give_free(300 * BLOCK + i * 4, 1);
	for (unsigned i = 0; i < 100; i++)
		give_free(301 * BLOCK + i * 2, 0);
	start();
	assert_int_equal(zone_nr_free(normal(), 8), chunks[2].nr);
	assert_int_equal(zone_fragmentation_index(normal(), 9), 632);
	assert_int_equal(extfrag_for_order(normal(), 9), 100);
}

static void C2_5_every_type_counts(void **state)
{
	(void)state;
	blank_mover("linux-7.3", BLOCKS * BLOCK);
	for (unsigned type = 0; type < I; type++) {
		give_type(type * BLOCK, type);
		give_free(type * BLOCK, 3);
		give_used(type * BLOCK + 8, (type + 1) * BLOCK, false);
	}
	give_used(5 * BLOCK, BLOCKS * BLOCK, false);
	start();
	// B = 5, F = 40, order 9: 1000 - (1000 + 78) / 5
	assert_int_equal(zone_fragmentation_index(normal(), 9), 1000 - 1078 / 5);
	assert_int_equal(zone_fragmentation_index(normal(), 3), -1000);
	assert_int_equal(zone_fragmentation_index(normal(), YARD_MAX_PAGE_ORDER + 1), 0);
}

// ---- C2.3 ----

// Three chunks of 256 frames in all: index for order 9 is exactly 500.
static void build_500(int32_t threshold)
{
	struct yard_config config = mover_config("linux-7.3");

	config.extfrag_threshold = threshold;
	blank_config(config, BLOCKS * BLOCK);
	give_chunks((struct chunks[]){ { 6, 2 }, { 7, 1 } }, 2);
	start();
	assert_int_equal(zone_fragmentation_index(normal(), 9), 500);
}

static void C2_3_threshold(void **state)
{
	(void)state;
	build_500(0); // 500 by default
	assert_false(compaction_suitable(yard, normal(), 9, 0, NORMAL));
	assert_told(KIND(COMPACTION_SUITABLE), "suitable(0,2,9,0)"); // not_suitable_zone
	build_500(499);
	assert_true(compaction_suitable(yard, normal(), 9, 0, NORMAL));
	assert_told(KIND(COMPACTION_SUITABLE), "suitable(0,2,9,4)"); // continue
	build_500(1000);
	assert_false(compaction_suitable(yard, normal(), 9, 0, NORMAL));
	build_500(-1); // threshold 0
	assert_true(compaction_suitable(yard, normal(), 9, 0, NORMAL));
	forget_told();
	assert_true(compaction_suitable(yard, normal(), 7, 0, NORMAL)); // -1000
	assert_false(compaction_suitable(yard, normal(), 9, 256, NORMAL));
	assert_told(KIND(COMPACTION_SUITABLE), "suitable(0,2,7,4) suitable(0,2,9,1)"); // skipped by the watermark
	build_500(0);
	assert_true(compaction_suitable(yard, normal(), 3, 0, NORMAL)); // no index up to COSTLY
}

// ---- C2.4 ----

static enum compact_result suit(unsigned order, unsigned flags, bool async, bool background)
{
	return compaction_suit_allocation_order(yard, normal(), order, NORMAL, flags, async, background);
}

static void C2_4_steps(void **state)
{
	(void)state;
	blank_mover("linux-7.3", BLOCKS * BLOCK);
	give_chunks((struct chunks[]){ { 0, 200 }, { 3, 1 } }, 2);
	start();
	set_wmarks(normal(), 50, 60, 205);
	assert_int_equal(suit(3, ALLOC_WMARK_MIN, false, false), COMPACT_SUCCESS); // any U, M or R chunk
	assert_int_equal(suit(4, ALLOC_WMARK_MIN, false, false), COMPACT_CONTINUE);
	assert_told(KIND(COMPACTION_SUITABLE), "suitable(0,2,4,4)");
	assert_int_equal(suit(4, ALLOC_WMARK_HIGH, false, false), COMPACT_SKIPPED); // 208 <= 205 + 32 + 10
	assert_told(KIND(COMPACTION_SUITABLE), "suitable(0,2,4,1)");
	assert_int_equal(suit(4, ALLOC_WMARK_HIGH, true, false), COMPACT_SKIPPED); // step 3: no event
	assert_told(KIND(COMPACTION_SUITABLE), "");
	normal()->boost = 100; // step 1: 150 + 32 + 10 < 208
	assert_int_equal(suit(4, ALLOC_WMARK_MIN, false, false), COMPACT_CONTINUE);
	normal()->boost = 116; // 166 + 32 + 10
	assert_int_equal(suit(4, ALLOC_WMARK_MIN, false, false), COMPACT_SKIPPED);
	normal()->boost = 200;
	assert_int_equal(suit(3, ALLOC_WMARK_MIN, false, false), COMPACT_SKIPPED);
}

static void C2_4_step_3_counts_no_cma(void **state)
{
	(void)state;
	blank_mover("linux-7.3", BLOCKS * BLOCK);
	give_type(0, C);
	for (uint32_t i = 0; i < BLOCK; i += 2) {
		give_free(i, 0);
		give_used(i + 1, i + 2, false);
	}
	for (uint32_t i = 0; i < 40; i += 2) {
		give_free(BLOCK + i, 0);
		give_used(BLOCK + i + 1, BLOCK + i + 2, false);
	}
	give_used(BLOCK + 40, BLOCKS * BLOCK, false);
	start();
	set_wmarks(normal(), 0, 0, 0);
	assert_int_equal(suit(9, 0, true, false), COMPACT_SKIPPED); // 20 pages <= 32
	assert_told(KIND(COMPACTION_SUITABLE), "");
	assert_int_equal(suit(9, ALLOC_CMA, true, false), COMPACT_CONTINUE);
	assert_int_equal(suit(9, 0, false, false), COMPACT_CONTINUE);
	assert_int_equal(suit(3, 0, true, false), COMPACT_CONTINUE); // COSTLY: no step 3
}

static void C2_4_background_counts_blocks(void **state)
{
	static const char *const policies[] = {"linux-7.3", "linux-7.3,defrag_mode=1",
					       "linux-7.3,defrag_mode=1,block_watermarks=off"};

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		blank_mover(policies[i], BLOCKS * BLOCK);
		give_chunks((struct chunks[]){ { 4, 30 }, { 9, 1 } }, 2); // 512 in a block, 480 not
		start();
		set_wmarks(normal(), 600, 610, 620);
		assert_int_equal(suit(4, ALLOC_WMARK_MIN, false, false), COMPACT_SUCCESS);
		assert_int_equal(suit(4, ALLOC_WMARK_MIN, false, true), i == 1 ? COMPACT_CONTINUE : COMPACT_SUCCESS);
	}
}

// ---- C2.6 ----

static bool zonelist_suitable(unsigned order, unsigned highest, uint64_t nodemask, uint64_t cpuset, unsigned flags)
{
	const struct alloc_context ctx = { .zonelist = yard->nodes[0].fallback, .first = yard->nodes[0].fallback,
					   .highest_zone = (uint8_t)highest, .nodemask = nodemask, .cpuset = cpuset,
					   .gfp = GFP_U | YARD_GFP_HARDWALL, .order = (uint8_t)order };

	return compaction_zonelist_suitable(yard, &ctx, order, flags);
}

static void C2_6_zonelist(void **state)
{
	struct yard_config config = mover_config("linux-7.3");

	(void)state;
	config.owner.release = owner_release;
	blank_config(config, BLOCKS * BLOCK);
	give_free(0, 4);
	give_used(16, 32, false);
	give_free(32, 4);
	give_lru(48, 48 + 90);
	give_used(48 + 90, BLOCKS * BLOCK, false);
	start();
	assert_int_equal(zone_fragmentation_index(normal(), 9), 469); // would refuse, but nobody asks
	set_wmarks(normal(), 30, 33, 40);
	assert_false(zonelist_suitable(9, NORMAL, 0, 0, 0)); // 90 / 9 + 32 = 42 <= 30 + 32 + 3
	set_wmarks(normal(), 6, 9, 40);
	assert_true(zonelist_suitable(9, NORMAL, 0, 0, 0)); // 42 > 6 + 32 + 3
	set_wmarks(normal(), 7, 10, 40);
	assert_false(zonelist_suitable(9, NORMAL, 0, 0, 0));
	assert_true(zonelist_suitable(4, NORMAL, 0, 0, 0)); // 90 / 4 + 32 = 54
	assert_false(zonelist_suitable(4, NORMAL, 2, 0, 0)); // another node's
	assert_false(zonelist_suitable(4, YARD_ZONE_DMA32, 0, 0, 0));
	assert_false(zonelist_suitable(4, NORMAL, 0, 2, ALLOC_CPUSET));
	assert_true(zonelist_suitable(4, NORMAL, 0, 1, ALLOC_CPUSET));
	assert_told(KIND(COMPACTION_SUITABLE), "");
}

// ---- C2.7 ----

static void C2_7_refusals_after_failures(void **state)
{
	static const unsigned refused[] = { 1, 3, 7, 15, 31, 63, 63, 63 };

	(void)state;
	blank_mover("linux-7.3", BLOCKS * BLOCK);
	start();
	hints()->order_failed = 5; // failed before at 5 and above
	for (size_t i = 0; i < COUNT(refused); i++) {
		unsigned n = 0;

		defer_compaction(yard, normal(), 4);
		assert_int_equal(hints()->considered, 0);
		while (compaction_deferred(yard, normal(), 9))
			n++;
		assert_int_equal(n, refused[i]);
		assert_false(compaction_deferred(yard, normal(), 9)); // admitted from then on
		assert_int_equal(hints()->considered, refused[i] + 1);
	}
}

static void C2_7_events(void **state)
{
	(void)state;
	blank_mover("linux-7.3", BLOCKS * BLOCK);
	start();
	assert_false(compaction_deferred(yard, normal(), 0)); // shift 0: admitted
	assert_int_equal(hints()->considered, 1);
	hints()->order_failed = 5;
	assert_false(compaction_deferred(yard, normal(), 4));
	assert_int_equal(hints()->considered, 1); // below order_failed nothing is counted
	defer_compaction(yard, normal(), 7);	  // min: stays 5
	defer_compaction(yard, normal(), 3);
	assert_true(compaction_deferred(yard, normal(), 3));
	assert_true(compaction_deferred(yard, normal(), 4));
	compaction_defer_reset(yard, normal(), 2, false); // below: nothing changes
	compaction_defer_reset(yard, normal(), 3, false);
	assert_false(compaction_deferred(yard, normal(), 3));
	assert_true(compaction_deferred(yard, normal(), 4));
	compaction_defer_reset(yard, normal(), 9, true);
	assert_told(
		KIND(COMPACTION_DEFERRED) | KIND(COMPACTION_DEFER_COMPACTION) | KIND(COMPACTION_DEFER_RESET),
		"defer_compaction(0,2,7,0,1,5) defer_compaction(0,2,3,0,2,3) deferred(0,2,3,1,2,3) "
		"deferred(0,2,4,2,2,3) "
		"defer_reset(0,2,2,2,2,3) defer_reset(0,2,3,2,2,4) deferred(0,2,4,3,2,4) defer_reset(0,2,9,0,0,10)");
}

static void C2_7_restarting(void **state)
{
	(void)state;
	blank_mover("linux-7.3", BLOCKS * BLOCK);
	start();
	*hints() = (struct zone_compact){ .defer_shift = 6, .considered = 64, .order_failed = 4 };
	assert_true(compaction_restarting(yard, normal(), 4));
	assert_false(compaction_restarting(yard, normal(), 3));
	assert_false(compaction_restarting(yard, normal(), -1));
	hints()->considered = 63;
	assert_false(compaction_restarting(yard, normal(), 4));
	hints()->considered = 64;
	hints()->defer_shift = 5;
	assert_false(compaction_restarting(yard, normal(), 4));
}

// ---- C1.2 to C1.5, C6.4 ----

static void C1_2_what_is_reset_for_each_zone(void **state)
{
	(void)state;
	blank_mover("linux-7.3", BLOCKS * BLOCK);
	start();
	memset(&cc, 0, sizeof cc);
	cc.zone = normal();
	cc.total_migrate_scanned = cc.total_free_scanned = cc.nr_migratepages = cc.nr_freepages = cc.fast_start_pfn =
		77;
	cc.whole_zone = cc.contended = cc.finish_pageblock = true;
	cc.fast_search_fail = 4;
	cc.search_order = 3;
	cc.gfp = GFP_R;
	compact_reset(yard, &cc);
	assert_int_equal(cc.total_migrate_scanned + cc.total_free_scanned + cc.nr_migratepages + cc.nr_freepages, 0);
	assert_int_equal(cc.fast_start_pfn, 0);
	assert_true(list_empty(&cc.migrate));
	for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++)
		assert_true(list_empty(&cc.free_store[order]));
	assert_int_equal(cc.migratetype, R);
	assert_true(cc.whole_zone && cc.contended && cc.finish_pageblock); // carried on
	assert_int_equal(cc.fast_search_fail, 4);
	assert_int_equal(cc.search_order, 3);
	cc.gfp = YARD_GFP_KERNEL;
	compact_reset(yard, &cc);
	assert_int_equal(cc.migratetype, U);
}

static void C6_4_numbers(void **state)
{
	(void)state;
	assert_int_equal(COMPACT_NOT_SUITABLE_ZONE, 0);
	assert_int_equal(COMPACT_SKIPPED, 1);
	assert_int_equal(COMPACT_DEFERRED, 2);
	assert_int_equal(COMPACT_NO_SUITABLE_PAGE, 3);
	assert_int_equal(COMPACT_CONTINUE, 4);
	assert_int_equal(COMPACT_COMPLETE, 5);
	assert_int_equal(COMPACT_PARTIAL_SKIPPED, 6);
	assert_int_equal(COMPACT_CONTENDED, 7);
	assert_int_equal(COMPACT_SUCCESS, 8);
	assert_int_equal(COMPACT_SYNC_FULL, 0); // C1.3
	assert_int_equal(COMPACT_SYNC_LIGHT, 1);
	assert_int_equal(COMPACT_ASYNC, 2);
	assert_int_equal(MR_CONTIG_RANGE, 6); // 3.11
	assert_int_equal(MR_DEMOTION, 8);
	assert_int_equal(yard_peek_first_priority(GFP_U, 0), COMPACT_SYNC_LIGHT); // S1
	assert_int_equal(yard_peek_first_priority(GFP_U, 1), COMPACT_ASYNC);
	assert_int_equal(yard_peek_first_priority(GFP_M, 3), COMPACT_SYNC_LIGHT);
	assert_int_equal(yard_peek_first_priority(GFP_M, 4), COMPACT_ASYNC);
}

static void C1_5_compaction_order(void **state)
{
	static const uint32_t gfps[] = { GFP_U, GFP_R, GFP_M };

	(void)state;
	for (unsigned defrag = 0; defrag < 2; defrag++) {
		blank_mover(defrag ? "linux-7.3,defrag_mode=1" : "linux-7.3", BLOCKS * BLOCK);
		start();
		for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++)
			for (size_t i = 0; i < COUNT(gfps); i++) {
				bool promoted = defrag && gfps[i] != GFP_M && order < YARD_PAGEBLOCK_ORDER;

				assert_int_equal(yard_peek_reclaim_order(yard, gfps[i], order),
						 promoted ? YARD_PAGEBLOCK_ORDER : order);
			}
	}
}

// ---- 3.12 ----

static void V3_12_versions(void **state)
{
	static const struct {
		const char *name;
		bool blocks, promote, own_capture, bounded, gap_cap, annotated;
	} rows[] = {
		{ "defrag-6.15", false, false, false, false, false, false },
		{ "defrag-6.16", false, false, false, false, false, false },
		{ "atomic-fix", false, false, false, false, true, false }, // 7.2.0
		{ "storm-fix", true, true, true, false, true, true },	   // 7.2.13
		{ "linux-7.2", true, true, true, false, true, true },
		{ "linux-7.3", true, true, true, true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct yard_policy p = policy_of(rows[i].name);

		print_message("# %s\n", rows[i].name);
		assert_int_equal(p.source_rule, rows[i].blocks ? YARD_SOURCE_BLOCKS : YARD_SOURCE_TYPED);
		assert_int_equal(p.promote_nonmovable, rows[i].promote);
		assert_int_equal(p.capture_match,
				 rows[i].own_capture ? YARD_CAPTURE_REQUEST_ORDER : YARD_CAPTURE_COMPACTION_ORDER);
		assert_int_equal(p.promoted_retry, rows[i].bounded ? YARD_RETRY_BOUNDED : YARD_RETRY_NAIVE);
		assert_int_equal(p.gap_cap, rows[i].gap_cap);
		assert_int_equal(p.compaction_annotated, rows[i].annotated);
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(C2_1_gap),
		TEST(C2_2_base_ok),
		TEST(C2_2_cma_pages_are_usable),
		TEST(C2_5_check_values),
		TEST(C2_5_large_row),
		TEST(C2_5_every_type_counts),
		TEST(C2_3_threshold),
		TEST(C2_4_steps),
		TEST(C2_4_step_3_counts_no_cma),
		TEST(C2_4_background_counts_blocks),
		TEST(C2_6_zonelist),
		TEST(C2_7_refusals_after_failures),
		TEST(C2_7_events),
		TEST(C2_7_restarting),
		TEST(C1_2_what_is_reset_for_each_zone),
		TEST(C6_4_numbers),
		TEST(C1_5_compaction_order),
		TEST(V3_12_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
