// SPDX-License-Identifier: Apache-2.0
//
// Counters with per-CPU differences, and what /proc shows of them (spec 01 section 12).

#include "engine_fixture.h"

// Two CPUs, differences kept up to 10; 4096 free frames, of which this CPU has used none yet.
static void two_cpus(void)
{
	struct yard_config config = plain_config();

	config.nr_cpus = 2;
	config.exact_counters = false;
	build_normal(config, 65536);
	for (unsigned cpu = 0; cpu < 2; cpu++)
		normal()->pcp[cpu].stat_threshold = 10;
	direct(true);
}

static int64_t folded(void)
{
	return zone_state(NORMAL).stat[YARD_NR_FREE_PAGES];
}

// V3: a difference is kept until it exceeds the threshold; then all of it is folded.
static void V3_threshold(void **state)
{
	(void)state;
	two_cpus();
	assert_int_equal(folded(), 65536);
	for (int i = 1; i <= 10; i++) {
		yard_alloc(yard, GFP_M, 0);
		assert_int_equal(folded(), 65536);
		assert_int_equal(pcp_state(NORMAL, 0).diff[YARD_NR_FREE_PAGES], -i);
	}
	yard_alloc(yard, GFP_M, 0);
	assert_int_equal(folded(), 65536 - 11);
	assert_int_equal(pcp_state(NORMAL, 0).diff[YARD_NR_FREE_PAGES], 0);
	assert_verified();
}

// V3: the same upwards.
static void V3_threshold_of_frees(void **state)
{
	uint32_t pfns[22];

	(void)state;
	two_cpus();
	for (size_t i = 0; i < COUNT(pfns); i++)
		pfns[i] = yard_alloc(yard, GFP_M, 0);
	assert_int_equal(folded(), 65536 - 22);
	for (int i = 0; i < 10; i++)
		yard_free(yard, pfns[i], 0);
	assert_int_equal(folded(), 65536 - 22);
	assert_int_equal(pcp_state(NORMAL, 0).diff[YARD_NR_FREE_PAGES], 10);
	yard_free(yard, pfns[10], 0);
	assert_int_equal(folded(), 65536 - 11);
	assert_int_equal(pcp_state(NORMAL, 0).diff[YARD_NR_FREE_PAGES], 0);
	assert_verified();
}

// V3: a large update drags the remainder along; each CPU has its own difference.
static void V3_large_updates_and_other_cpus(void **state)
{
	uint32_t pfn;

	(void)state;
	two_cpus();
	yard_alloc(yard, GFP_M, 0);
	yard_sim_set_cpu(yard, 1);
	yard_alloc(yard, GFP_M, 2);
	assert_int_equal(pcp_state(NORMAL, 1).diff[YARD_NR_FREE_PAGES], -4);
	pfn = yard_alloc(yard, GFP_M, 4);
	assert_int_equal(folded(), 65536 - 20);
	assert_int_equal(pcp_state(NORMAL, 1).diff[YARD_NR_FREE_PAGES], 0);
	assert_int_equal(pcp_state(NORMAL, 0).diff[YARD_NR_FREE_PAGES], -1);
	assert_int_equal(yard_free(yard, pfn, 4), YARD_OK);
	assert_int_equal(folded(), 65536 - 4);
	assert_verified();
}

// V2: a negative folded value reads as 0 where it is used.
static void V2_negative_reads_as_zero(void **state)
{
	(void)state;
	two_cpus();
	normal()->stat[YARD_NR_FREE_PAGES] = -5;
	assert_int_equal(zone_stat(normal(), YARD_NR_FREE_PAGES), 0);
	assert_int_equal(yard_alloc(yard, YARD_GFP_KERNEL | YARD_GFP_NORETRY, 0), NONE);
}

// V3: thresholds by number of CPUs and size; at most 125.
static void V3_values_of_the_threshold(void **state)
{
	static const struct {
		uint32_t cpus, frames;
		int32_t threshold;
	} cases[] = { { 1, 4096, 2 }, { 2, 32767, 4 }, { 2, 32768, 8 }, { 64, 131072, 56 }, { 512, 131072, 80 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct yard_config config = plain_config();

		config.nr_cpus = cases[i].cpus;
		build_normal(config, cases[i].frames);
		assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, cases[i].threshold);
	}
}

// V5: a zone whose drift could hide the distance from low to min has a drift mark; V3: under pressure the threshold
// shrinks in such zones.
static void V5_drift_mark(void **state)
{
	struct yard_zone_state s;
	struct yard_config config = plain_config();

	(void)state;
	config.nr_cpus = 64;
	build_normal(config, 65536); // min 512, low 640; threshold 2 * 7 * (1 + 2) = 42
	s = zone_state(NORMAL);
	assert_int_equal(s.wmark[WMARK_LOW] - s.wmark[WMARK_MIN], 128);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, 42);
	assert_int_equal(s.drift_mark, s.wmark[WMARK_HIGH] + 64 * 42);
	yard_kswapd_pressure(yard, 0, true);
	assert_int_equal(pcp_state(NORMAL, 63).stat_threshold, 2);
	yard_kswapd_pressure(yard, 0, false);
	assert_int_equal(pcp_state(NORMAL, 63).stat_threshold, 42);
	config.nr_cpus = 1;
	build_normal(config, 65536); // 6 < 128
	assert_int_equal(zone_state(NORMAL).drift_mark, 0);
	yard_kswapd_pressure(yard, 0, true);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, 6);
}

// W13, V5: below the drift mark kswapd's balance adds all CPUs' differences.
static void W13_uses_the_exact_sum_below_the_drift_mark(void **state)
{
	(void)state;
	two_cpus();
	set_wmarks(normal(), 10, 20, 1000);
	normal()->stat[YARD_NR_FREE_PAGES] = 1005;
	normal()->pcp[1].diff[YARD_NR_FREE_PAGES] = -8;
	assert_true(node_balanced(yard, 0, 0, NORMAL));
	normal()->drift_mark = 1006;
	assert_false(node_balanced(yard, 0, 0, NORMAL));
	normal()->drift_mark = 1005;
	assert_true(node_balanced(yard, 0, 0, NORMAL));
}

// V4: the pass folds what its CPU kept and says whether anything changed.
static void V4_fold(void **state)
{
	(void)state;
	two_cpus();
	yard_alloc(yard, GFP_M, 0);
	yard_sim_set_cpu(yard, 1);
	yard_alloc(yard, GFP_M, 1);
	assert_true(yard_vmstat_update(yard, 1, true));
	assert_int_equal(folded(), 65536 - 2);
	assert_false(yard_vmstat_update(yard, 1, true));
	assert_true(yard_vmstat_update(yard, 0, false));
	assert_int_equal(folded(), 65536 - 3);
	assert_verified();
}

// V1: PGALLOC and PGFREE count pages.
static void V1_pgalloc_pgfree(void **state)
{
	uint32_t a, b, c;

	(void)state;
	two_cpus();
	direct(false);
	a = yard_alloc(yard, GFP_M, 0);
	b = yard_alloc(yard, GFP_M, 3);
	c = yard_alloc(yard, GFP_M, 7);
	assert_int_equal(zone_state(NORMAL).pgalloc, 1 + 8 + 128);
	yard_free(yard, a, 0);
	yard_free(yard, b, 3);
	yard_sim_set_cpu(yard, 1);
	yard_free(yard, c, 7);
	assert_int_equal(zone_state(NORMAL).pgfree, 1 + 8 + 128);
	yard_drain_all(yard, -1); // draining is not freeing
	assert_int_equal(zone_state(NORMAL).pgfree, 137);
	assert_verified();
}

// V6, 02 SP-41: the two indices of fragmentation.
static void SP41_fragmentation_index(void **state)
{
	struct yard_fragmentation index;

	(void)state;
	blank(4096);
	for (uint32_t i = 0; i < 64; i += 4)
		give_free(i, 1); // 16 blocks, 32 pages
	ready();
	yard_get_fragmentation(yard, NORMAL, 1, &index);
	assert_int_equal(index.fragmentation_index, -1000);
	assert_int_equal(index.unusable_index, 0);
	yard_get_fragmentation(yard, NORMAL, 4, &index);
	assert_int_equal(index.fragmentation_index, 1000 - (1000 + 32 * 1000 / 16) / 16);
	assert_int_equal(index.unusable_index, 1000);
	give_free(1024, 5);
	ready();
	yard_get_fragmentation(yard, NORMAL, 4, &index);
	assert_int_equal(index.fragmentation_index, -1000);
	assert_int_equal(index.unusable_index, 500);
	blank(4096);
	ready();
	yard_get_fragmentation(yard, NORMAL, 4, &index);
	assert_int_equal(index.fragmentation_index, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(V3_threshold),
		cmocka_unit_test(V3_threshold_of_frees),
		cmocka_unit_test(V3_large_updates_and_other_cpus),
		cmocka_unit_test(V2_negative_reads_as_zero),
		cmocka_unit_test(V3_values_of_the_threshold),
		cmocka_unit_test(V5_drift_mark),
		cmocka_unit_test(W13_uses_the_exact_sum_below_the_drift_mark),
		cmocka_unit_test(V4_fold),
		cmocka_unit_test(V1_pgalloc_pgfree),
		cmocka_unit_test(SP41_fragmentation_index),
	};

	return cmocka_run_group_tests_name("counters", tests, NULL, demolish);
}
