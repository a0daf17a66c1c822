// SPDX-License-Identifier: Apache-2.0
//
// Watermarks: how they are computed, boosted and tested (spec 01 section 4, vectors E10, E11, E12).

#include "engine_fixture.h"

// One node: DMA with 3840 managed pages, DMA32 and NORMAL with these many.
static struct yard_config three_zones(struct yard_range *memory, struct yard_range *reserved, uint32_t dma32, uint32_t nr_normal)
{
	struct yard_config config = plain_config();

	memory[0] = (struct yard_range){ 1, 4096, 0 };
	memory[1] = (struct yard_range){ 4096, 4096 + dma32, 0 };
	memory[2] = (struct yard_range){ BASE, BASE + nr_normal, 0 };
	reserved[0] = (struct yard_range){ 1, 256, 0 };
	config.memory = memory;
	config.nr_memory = 3;
	config.reserved = reserved;
	config.nr_reserved = 1;
	return config;
}

static void assert_marks(unsigned zone, uint64_t min, uint64_t low, uint64_t high, uint64_t promo)
{
	struct yard_zone_state s = zone_state(zone);

	assert_int_equal(s.wmark[0], min);
	assert_int_equal(s.wmark[1], low);
	assert_int_equal(s.wmark[2], high);
	assert_int_equal(s.wmark[3], promo);
}

static void assert_reserve(unsigned zone, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4)
{
	struct yard_zone_state s = zone_state(zone);
	const uint64_t expected[YARD_ZONE_TYPES] = { 0, r1, r2, r3, r4 };

	for (unsigned j = 0; j < YARD_ZONE_TYPES; j++)
		assert_int_equal(s.lowmem_reserve[j], expected[j]);
}

static void assert_limits(unsigned zone, int32_t batch, int32_t high_min, int32_t high_max, int32_t threshold)
{
	struct yard_pcp_state s = pcp_state(zone, 0);

	assert_int_equal(s.batch, batch);
	assert_int_equal(s.high_min, high_min);
	assert_int_equal(s.high_max, high_max);
	assert_int_equal(s.stat_threshold, threshold);
}

// E10 with THP: marks, reserves and boost caps. W1, W2, W3, W4, W7.
static void E10_watermarks(void **state)
{
	struct yard_range memory[3], reserved[1];
	struct yard_config config = three_zones(memory, reserved, 765423, 3341234);

	(void)state;
	config.thp = true;
	build(&config);
	assert_int_equal(zone_state(YARD_ZONE_DMA).managed, 3840);
	assert_int_equal(yard->min_free_kbytes, 67584);
	assert_marks(YARD_ZONE_DMA, 15, 18, 21, 24);
	assert_marks(YARD_ZONE_DMA32, 3146, 3932, 4718, 5504);
	assert_marks(NORMAL, 13733, 17166, 20599, 24032);
	assert_marks(YARD_ZONE_MOVABLE, 32, 32, 32, 32);
	assert_reserve(YARD_ZONE_DMA, 2989, 16041, 16041, 16041);
	assert_reserve(YARD_ZONE_DMA32, 0, 13051, 13051, 13051);
	assert_reserve(NORMAL, 0, 0, 0, 0);
	for (unsigned i = 0; i < 100; i++)
		for (unsigned zone = 0; zone <= NORMAL; zone++)
			boost_watermark(yard, zone_at(yard, zone), 0);
	assert_int_equal(zone_state(YARD_ZONE_DMA).boost, 512);
	assert_int_equal(zone_state(YARD_ZONE_DMA32).boost, 7077);
	assert_int_equal(zone_state(NORMAL).boost, 30898);
	// W5: min(managed, largest reserve + high). DMA: 3840; DMA32: 13051 + 4718; NORMAL: 20599.
	assert_int_equal(yard_set_watermark_scale_factor(yard, 10), YARD_OK);
	assert_int_equal(yard->totalreserve, 3840 + 17769 + 20599);
	assert_int_equal(zone_state(NORMAL).boost, 0); // W3
}

// E10: the automatic value without THP.
static void E10_automatic_min_free_kbytes(void **state)
{
	struct yard_range memory[3], reserved[1];
	struct yard_config config = three_zones(memory, reserved, 765423, 3341234);

	(void)state;
	build(&config);
	assert_int_equal(yard->min_free_kbytes, 16219);
}

// E11: per-CPU limits and counter thresholds of the same machine with 4 CPUs.
static void E11_limits_and_thresholds(void **state)
{
	struct yard_range memory[3], reserved[1];
	struct yard_config config = three_zones(memory, reserved, 765423, 3341234);

	(void)state;
	config.thp = true;
	config.nr_cpus = 4;
	build(&config);
	assert_limits(YARD_ZONE_DMA, 1, 4, 120, 6);
	assert_limits(YARD_ZONE_DMA32, 63, 983, 23919, 36);
	assert_limits(NORMAL, 63, 4291, 104413, 48);
}

// E12: a measured machine, min_free_kbytes set by hand.
static void E12_measured_machine(void **state)
{
	struct yard_range memory[3], reserved[1];
	struct yard_config config = three_zones(memory, reserved, 772918, 1409024);

	(void)state;
	config.nr_cpus = 2;
	config.user_min_free_kbytes = 67584;
	build(&config);
	assert_int_equal(yard->min_free_kbytes, 67584);
	assert_int_equal(zone_state(YARD_ZONE_DMA).spanned, 4095);
	assert_marks(YARD_ZONE_DMA, 29, 36, 43, 50);
	assert_marks(YARD_ZONE_DMA32, 5974, 7467, 8960, 10453);
	assert_marks(NORMAL, 10891, 13613, 16335, 19057);
	assert_reserve(YARD_ZONE_DMA, 3019, 8523, 8523, 8523);
	assert_reserve(YARD_ZONE_DMA32, 0, 5504, 5504, 5504);
	assert_limits(YARD_ZONE_DMA, 1, 18, 240, 4);
	assert_limits(YARD_ZONE_DMA32, 63, 3733, 48307, 24);
	assert_limits(NORMAL, 63, 6806, 88064, 28);
}

// W1: a user value that is larger wins; W2: the THP value applies over a smaller user value.
static void W1_user_value(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.user_min_free_kbytes = 1000; // automatic: isqrt(16 * 4 * 65536) = 2048
	build_normal(config, 65536);
	assert_int_equal(yard->min_free_kbytes, 2048);
	config.user_min_free_kbytes = 4000;
	build_normal(config, 65536);
	assert_int_equal(yard->min_free_kbytes, 4000);
	config.thp = true; // 4 * min(5632, 65536 / 20)
	build_normal(config, 65536);
	assert_int_equal(yard->min_free_kbytes, 13104);
}

// W1: at least 128 KiB.
static void W1_lower_limit(void **state)
{
	(void)state;
	build_normal(plain_config(), 100);
	assert_int_equal(yard->min_free_kbytes, 128);
}

// W1: "at boot the high watermarks are 0", also on a machine with CMA, whose pages count as managed.
static void W1_boot_value_with_cma(void **state)
{
	const struct yard_range memory = { BASE, BASE + 65536, 0 };
	const struct yard_range cma = { BASE + 2048, BASE + 3072, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.cma = &cma;
	config.nr_cma = 1;
	build(&config);
	assert_int_equal(zone_state(NORMAL).managed, 65536);
	assert_int_equal(yard->min_free_kbytes, 2048);
}

// W3: the gap follows the scale factor when that gives more than a quarter of min; MOVABLE has its own min.
static void W3_scale_factor_and_movable(void **state)
{
	const uint32_t movable_start = BASE + 65536;
	const struct yard_range memory = { BASE, BASE + 65536 + 102400, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.movable_start = &movable_start;
	config.user_min_free_kbytes = 4096; // pages_min 1024; lowmem is 65536
	config.watermark_scale_factor = 100;
	build(&config);
	assert_marks(NORMAL, 1024, 1024 + 655, 1024 + 1310, 1024 + 1965);
	// share of MOVABLE: 1024 * 102400 / 65536 = 1600, a quarter 400; 1 % is 1024. min = 102400 / 1024 = 100.
	assert_marks(YARD_ZONE_MOVABLE, 100, 1124, 2148, 3172);
	assert_int_equal(yard_set_watermark_scale_factor(yard, 10), YARD_OK);
	assert_marks(NORMAL, 1024, 1024 + 256, 1024 + 512, 1024 + 768);
	assert_marks(YARD_ZONE_MOVABLE, 100, 500, 900, 1300);
	assert_int_equal(yard_set_watermark_scale_factor(yard, 0), YARD_EINVAL);
	assert_int_equal(yard_set_watermark_scale_factor(yard, 3001), YARD_EINVAL);
	assert_int_equal(yard_set_min_free_kbytes(yard, 8192), YARD_OK);
	assert_marks(NORMAL, 2048, 2560, 3072, 3584);
	assert_verified();
}

// W4: NORMAL keeps a 32nd of MOVABLE from requests that may use MOVABLE.
static void W4_reserve_of_normal_below_movable(void **state)
{
	const uint32_t movable_start = BASE + 4096;
	const struct yard_range memory = { BASE, BASE + 8192, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.movable_start = &movable_start;
	build(&config);
	assert_reserve(NORMAL, 0, 0, 128, 128);
	assert_reserve(YARD_ZONE_MOVABLE, 0, 0, 0, 0);
	assert_reserve(YARD_ZONE_DMA, 0, 0, 0, 0); // no managed pages
}

// A very large min_free_kbytes is refused, or leaves the marks in order (I8).
static void W3_huge_min_free_kbytes(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	if (yard_set_min_free_kbytes(yard, INT64_C(3) << 33) == YARD_OK) {
		struct yard_zone_state s = zone_state(NORMAL);

		assert_verified();
		assert_true(s.wmark[WMARK_MIN] > 8192); // nothing wrapped around
	}
}

// ---- boost ----

// W7: a pageblock at a time, up to the cap, which is at least a pageblock.
static void W7_boost_steps_and_cap(void **state)
{
	(void)state;
	blank(8192);
	ready();
	normal()->wmark[WMARK_HIGH] = 1000; // cap 1500
	boost_watermark(yard, normal(), 0);
	assert_int_equal(normal()->boost, 512);
	assert_int_equal(zone_state(NORMAL).flags, 0);
	boost_watermark(yard, normal(), ALLOC_KSWAPD);
	assert_int_equal(normal()->boost, 1024);
	assert_int_equal(zone_state(NORMAL).flags, YARD_ZONE_BOOSTED); // W8
	boost_watermark(yard, normal(), 0);
	assert_int_equal(normal()->boost, 1500);
	normal()->flags = 0;
	boost_watermark(yard, normal(), ALLOC_KSWAPD);
	assert_int_equal(normal()->boost, 1500);
	assert_int_equal(zone_state(NORMAL).flags, YARD_ZONE_BOOSTED); // W8: also at the cap
	normal()->boost = 0;
	normal()->wmark[WMARK_HIGH] = 1;
	boost_watermark(yard, normal(), 0);
	boost_watermark(yard, normal(), 0);
	assert_int_equal(normal()->boost, 512);
}

// W7: not with factor 0, in a small zone, with a cap of 0, or in a crash kernel (D4).
static void W7_no_boost(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	blank(8192);
	ready();
	normal()->wmark[WMARK_HIGH] = 0;
	boost_watermark(yard, normal(), ALLOC_KSWAPD);
	assert_int_equal(normal()->boost, 0);
	assert_int_equal(normal()->flags, 0);

	config.watermark_boost_factor = 0;
	blank_config(config, 8192);
	ready();
	boost_watermark(yard, normal(), 0);
	assert_int_equal(normal()->boost, 0);

	blank(2047);
	ready();
	boost_watermark(yard, normal(), 0);
	assert_int_equal(normal()->boost, 0);
	blank(2048);
	ready();
	boost_watermark(yard, normal(), 0);
	assert_int_equal(normal()->boost, 512);

	config = plain_config();
	config.crash_kernel = true;
	blank_config(config, 8192);
	ready();
	boost_watermark(yard, normal(), 0);
	assert_int_equal(normal()->boost, 0);
	config.policy.boost_in_crash_kernel = 1;
	blank_config(config, 8192);
	ready();
	boost_watermark(yard, normal(), 0);
	assert_int_equal(normal()->boost, 512);
}

// W8, R2: after a boost the next removal with KSWAPD wakes kswapd for order 0 and clears the flag; one without leaves it.
static void W8_boost_wakes_kswapd(void **state)
{
	(void)state;
	blank(8192);
	give_free(256, 7);
	give_used(0, 256, true);
	give_used(384, 512, true);
	give_free(1024, 10);
	ready();
	direct(true);
	normal()->flags = YARD_ZONE_BOOSTED;
	normal()->boost = 512;
	normal()->wmark[WMARK_HIGH] = 1000;
	yard_alloc(yard, GFP_M & ~(uint32_t)YARD_GFP_KSWAPD_RECLAIM, 0);
	assert_int_equal(normal()->flags & YARD_ZONE_BOOSTED, YARD_ZONE_BOOSTED);
	assert_events(WAKES, "");
	yard_alloc(yard, GFP_M, 0);
	assert_int_equal(normal()->flags & YARD_ZONE_BOOSTED, 0);
	assert_events(WAKES, "kswapd(zone 2,0,2)");
	normal()->flags |= YARD_ZONE_BOOSTED;
	yard_kswapd_awake(yard, 0, true);
	yard_alloc(yard, GFP_M, 0);
	assert_events(WAKES, ""); // A14: nothing more if it is awake
	yard_kswapd_awake(yard, 0, false);
	normal()->flags |= YARD_ZONE_BOOSTED;
	normal()->boost = 0; // balanced and not boosted
	yard_alloc(yard, GFP_M, 0);
	assert_events(WAKES, "kcompactd(0,2)"); // gfp 0 lacks DIRECT_RECLAIM
}

// W9: a balancing run takes away what was boosted when it began; then kcompactd is woken for whole blocks.
static void W9_decay(void **state)
{
	(void)state;
	blank(8192);
	ready();
	normal()->wmark[WMARK_HIGH] = 10000;
	boost_watermark(yard, normal(), 0);
	boost_watermark(yard, normal(), 0);
	yard_kswapd_balance_begin(yard, 0, NORMAL);
	boost_watermark(yard, normal(), 0);
	assert_int_equal(normal()->boost, 1536);
	yard_kswapd_balance_end(yard, 0, NORMAL);
	assert_int_equal(normal()->boost, 512);
	assert_events(WAKES, "kcompactd(9,2)");
	yard_kswapd_balance_begin(yard, 0, YARD_ZONE_DMA32); // not this zone
	yard_kswapd_balance_end(yard, 0, YARD_ZONE_DMA32);
	assert_int_equal(normal()->boost, 512);
}

// ---- tests ----

static bool ok(unsigned order, uint64_t mark, unsigned flags, int64_t free)
{
	return watermark_ok(yard, normal(), order, mark, NORMAL, flags, free);
}

// W11.3: strictly more than mark and reserve; W10: less the pages that a block of the order would leave short.
static void W11_strictly_above(void **state)
{
	(void)state;
	blank(8192);
	give_free(0, 10);
	ready();
	assert_false(ok(0, 100, 0, 100));
	assert_true(ok(0, 100, 0, 101));
	normal()->lowmem_reserve[NORMAL] = 50;
	assert_false(ok(0, 100, 0, 150));
	assert_true(ok(0, 100, 0, 151));
	assert_false(ok(4, 100, 0, 150 + 15));
	assert_true(ok(4, 100, 0, 151 + 15));
	assert_false(ok(0, 0, 0, -1)); // may be negative
}

// W11.2, E-11: HIGH halves, with NON_BLOCK three eighths remain, OOM halves; other flags change nothing.
static void W11_reserve_flags(void **state)
{
	static const struct {
		unsigned flags;
		int64_t mark; // of 1001
	} cases[] = {
		{ 0, 1001 },
		{ ALLOC_MIN_RESERVE, 501 },
		{ ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK, 376 }, // 501 - 125
		{ ALLOC_NON_BLOCK, 1001 },
		{ ALLOC_HIGHATOMIC, 1001 },
		{ ALLOC_HIGHATOMIC | ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK, 376 },
		{ ALLOC_OOM, 501 },
		{ ALLOC_OOM | ALLOC_MIN_RESERVE, 251 },
		{ ALLOC_CPUSET | ALLOC_KSWAPD | ALLOC_NOFRAGMENT | ALLOC_NOLOCK, 1001 },
	};

	(void)state;
	blank(8192);
	ready();
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_false(ok(0, 1001, cases[i].flags, cases[i].mark));
		assert_true(ok(0, 1001, cases[i].flags, cases[i].mark + 1));
	}
}

// W10: free HIGHATOMIC pages do not count unless a reserve flag is set; CMA pages count only with CMA.
static void W10_unusable(void **state)
{
	static const unsigned reserves[] = { ALLOC_NON_BLOCK, ALLOC_HIGHATOMIC };

	(void)state;
	blank(8192);
	give_type(0, H);
	give_type(512, C);
	give_free(0, 6);
	give_free(512, 7);
	give_free(1024, 10);
	ready();
	assert_false(ok(0, 100, ALLOC_CMA, 164));
	assert_true(ok(0, 100, ALLOC_CMA, 165));
	assert_false(ok(0, 100, 0, 164 + 128));
	assert_true(ok(0, 100, 0, 165 + 128));
	for (size_t i = 0; i < COUNT(reserves); i++) {
		assert_true(ok(0, 100, ALLOC_CMA | reserves[i], 101));
		assert_false(ok(0, 100, reserves[i], 228));
		assert_true(ok(0, 100, reserves[i], 229));
	}
}

// W11.5: a list the request may use has to hold a block of the order. I lists never count.
static void W11_suitable_block(void **state)
{
	(void)state;
	blank(8192);
	give_type(0, H);
	give_type(512, C);
	give_type(1024, M | PB_ISOLATE);
	give_type(2048, R);
	normal()->nr_isolate_pageblock = 1;
	give_free(0, 6);
	give_free(512, 5);
	give_free(1024, 9);
	give_free(2048, 3);
	ready();
	assert_true(ok(3, 0, 0, 4000));
	assert_false(ok(4, 0, 0, 4000));
	assert_true(ok(5, 0, ALLOC_CMA, 4000));
	assert_false(ok(6, 0, ALLOC_CMA, 4000));
	assert_true(ok(6, 0, ALLOC_HIGHATOMIC, 4000));
	assert_true(ok(6, 0, ALLOC_OOM, 4000));
	assert_false(ok(6, 0, ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE, 4000));
	assert_false(ok(7, 0, ALLOC_CMA | ALLOC_HIGHATOMIC | ALLOC_OOM, 4000));
}

// W12.3: an order-0 request with MIN_RESERVE is spared the boost when it tests the min watermark.
static void W12_boost_waiver(void **state)
{
	const unsigned flags = ALLOC_WMARK_MIN | ALLOC_MIN_RESERVE;

	(void)state;
	blank(8192);
	give_free(0, 6);
	give_free(64, 5);
	give_free(96, 2);
	give_free(100, 0); // 101 pages
	ready();
	set_wmarks(normal(), 200, 300, 400);
	normal()->boost = 512;
	assert_true(watermark_fast(yard, normal(), 0, zone_wmark(normal(), WMARK_MIN), NORMAL, flags)); // 101 > 100
	assert_false(watermark_fast(yard, normal(), 1, zone_wmark(normal(), WMARK_MIN), NORMAL, flags));
	assert_false(watermark_fast(yard, normal(), 0, zone_wmark(normal(), WMARK_MIN), NORMAL, ALLOC_NON_BLOCK));
	assert_false(watermark_fast(yard, normal(), 0, zone_wmark(normal(), WMARK_LOW), NORMAL,
				    ALLOC_WMARK_LOW | ALLOC_MIN_RESERVE));
	set_wmarks(normal(), 202, 300, 400);
	assert_false(watermark_fast(yard, normal(), 0, zone_wmark(normal(), WMARK_MIN), NORMAL, flags)); // 101 = 101
}

// W13: kswapd's balance: order 0 looks at all free pages; under defrag_mode higher orders count whole blocks only.
static void W13_balanced(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	for (unsigned defrag = 0; defrag <= 1; defrag++) {
		config.policy.defrag_mode = (uint8_t)defrag;
		blank_config(config, 8192);
		give_free(512, 9);
		give_free_range(1024, 1024 + 500);
		ready();
		set_wmarks(normal(), 10, 20, 511);
		assert_true(node_balanced(yard, 0, 0, NORMAL)); // 1012 > 511
		assert_int_equal(node_balanced(yard, 0, 1, NORMAL), defrag ? false : true); // 512 - 1 = 511
		set_wmarks(normal(), 10, 20, 510);
		assert_true(node_balanced(yard, 0, 1, NORMAL));
		normal()->boost = 1000; // W6: the boost raises the mark
		assert_false(node_balanced(yard, 0, 0, NORMAL));
		assert_true(node_balanced(yard, 0, 0, YARD_ZONE_DMA32)); // no managed zone
	}
	config.policy.block_watermarks = 0; // the switch
	blank_config(config, 8192);
	give_free(512, 9);
	give_free_range(1024, 1024 + 500);
	ready();
	set_wmarks(normal(), 10, 20, 511);
	assert_true(node_balanced(yard, 0, 1, NORMAL));
}

// W14: the whole-block counter follows merges, splits and isolation, and ignores moves among the other types.
static void W14_whole_block_counter(void **state)
{
	(void)state;
	blank(8192);
	give_free(0, 9);
	give_block(512, 9);
	give_free(1024, 8);
	give_block(1280, 8);
	give_type(2048, H);
	give_type(2560, H);
	give_free(2048, 10);
	ready();
	direct(true);
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], 512 + 1024);
	free_at(512, 9); // merges to order 10
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], 2048);
	free_at(1280, 8); // becomes a whole block
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], 2560);
	assert_true(yard_unreserve_highatomic(yard, 0, NORMAL, 0, U, true)); // H to U
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], 2560);
	assert_int_equal(yard_isolate_range(yard, base + 1024, base + 1536, YARD_ISOLATE_OTHER), YARD_OK);
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], 2048);
	assert_int_equal(yard_isolate_range(yard, base, base + 512, YARD_ISOLATE_OTHER), YARD_OK); // half of an order 10
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], 1536);
	assert_int_equal(yard_unisolate_range(yard, base, base + 1536), YARD_OK);
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], 2560);
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(E10_watermarks),
		cmocka_unit_test(E10_automatic_min_free_kbytes),
		cmocka_unit_test(E11_limits_and_thresholds),
		cmocka_unit_test(E12_measured_machine),
		cmocka_unit_test(W1_user_value),
		cmocka_unit_test(W1_lower_limit),
		cmocka_unit_test(W1_boot_value_with_cma),
		cmocka_unit_test(W3_scale_factor_and_movable),
		cmocka_unit_test(W4_reserve_of_normal_below_movable),
		cmocka_unit_test(W3_huge_min_free_kbytes),
		cmocka_unit_test(W7_boost_steps_and_cap),
		cmocka_unit_test(W7_no_boost),
		cmocka_unit_test(W8_boost_wakes_kswapd),
		cmocka_unit_test(W9_decay),
		cmocka_unit_test(W11_strictly_above),
		cmocka_unit_test(W11_reserve_flags),
		cmocka_unit_test(W10_unusable),
		cmocka_unit_test(W11_suitable_block),
		cmocka_unit_test(W12_boost_waiver),
		cmocka_unit_test(W13_balanced),
		cmocka_unit_test(W14_whole_block_counter),
	};

	return cmocka_run_group_tests_name("watermark", tests, NULL, demolish);
}
