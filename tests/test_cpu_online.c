// SPDX-License-Identifier: Apache-2.0
//
// CPUs that go and come (spec 01 P5, P19, V3).

#include "online_fixture.h"

enum { CPUS = 6 };

// CPUs 0 to 3 on node 0, 4 and 5 on node 1; 2^17 frames each, so that every limit is an exact share.
static void build_cpus(bool exact)
{
	static const uint16_t cpu_node[CPUS] = { 0, 0, 0, 0, 1, 1 };
	const struct yard_range memory[] = { { BASE, BASE + 131072, 0 }, { BASE + 131072, BASE + 262144, 1 } };
	struct yard_config config = memory_config(memory, 2);

	config.nr_cpus = CPUS;
	config.cpu_node = cpu_node;
	config.exact_counters = exact;
	build(&config);
}

static void check_limits(unsigned zone, uint64_t cpus, int line)
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		if ((uint64_t)pcp_state(zone, cpu).high_max != 131072 / 8 / cpus
		    || (uint64_t)pcp_state(zone, cpu).high_min != zone_state(zone).wmark[WMARK_LOW] / cpus) {
			print_error("zone %u, CPU %u: high %d to %d is not that of %u CPUs\n", zone, cpu,
				    pcp_state(zone, cpu).high_min, pcp_state(zone, cpu).high_max, (unsigned)cpus);
			_fail(__FILE__, line);
		}
	}
}
#define assert_limits_of(zone, cpus) check_limits(zone, cpus, __LINE__)

// Its sets empty into the buddy lists, and the limits are those of the CPUs that are left on each node.
static void P19_an_offline_cpu_leaves_its_pages(void **state)
{
	(void)state;
	build_cpus(true);
	set_wmarks(zone_at(yard, NODE1), 500, 1000, 1500);
	assert_limits_of(NORMAL, 4);
	yard_sim_set_cpu(yard, 3);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	assert_true(yard_alloc(yard, GFP_U | YARD_GFP_THISNODE, 3) != NONE);
	yard_sim_set_cpu(yard, 0);
	assert_true(pcp_state(NORMAL, 3).count > 0);
	forget_events();
	assert_int_equal(yard_cpu_online(yard, 3, false), YARD_OK);
	assert_int_equal(pcp_state(NORMAL, 3).count, 0);
	assert_true(count_events(YARD_EVENT_PAGE_PCPU_DRAIN) > 0);
	assert_int_equal(nr_free_pages(NORMAL), 131072 - 1 - 8);
	assert_limits_of(NORMAL, 3);
	assert_limits_of(NODE1, 2);
	assert_verified();
}

// Its LRU batches are applied (spec 04 L-12), and what their owner has freed meanwhile is not left in its sets.
static void P19_an_offline_cpu_leaves_its_batches(void **state)
{
	uint32_t pfn, freed;

	(void)state;
	build_cpus(true);
	yard_sim_set_cpu(yard, 3);
	pfn = yard_alloc(yard, GFP_M, 0);
	freed = yard_alloc(yard, GFP_M, 0);
	assert_int_equal(yard_lru_add(yard, pfn, 0, YARD_UNMAPPED), YARD_OK);
	assert_int_equal(yard_lru_add(yard, freed, 0, YARD_UNMAPPED), YARD_OK);
	yard_sim_set_cpu(yard, 0);
	assert_int_equal(yard_free(yard, freed, 0), YARD_OK);
	assert_int_equal(yard->batches[3].nr[BATCH_ADD], 2);
	assert_int_equal(yard_cpu_online(yard, 3, false), YARD_OK);
	assert_int_equal(yard->batches[3].nr[BATCH_ADD], 0);
	assert_int_equal(yard_lru_size(yard, 0, YARD_LRU_INACTIVE_FILE, NORMAL), 1);
	assert_int_equal(pcp_state(NORMAL, 3).count, 0);
	assert_int_equal(nr_free_pages(NORMAL), 131072 - 1);
	assert_verified();
}

// Its differences fold, whatever the thresholds are.
static void P19_an_offline_cpu_s_counters_fold(void **state)
{
	(void)state;
	build_cpus(false);
	direct(true);
	yard_sim_set_cpu(yard, 2);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	yard_sim_set_cpu(yard, 0);
	assert_int_not_equal(pcp_state(NORMAL, 2).diff[YARD_NR_FREE_PAGES], 0);
	assert_int_equal(yard_cpu_online(yard, 2, false), YARD_OK);
	for (unsigned i = 0; i < YARD_ZONE_STATS; i++)
		assert_int_equal(pcp_state(NORMAL, 2).diff[i], 0);
	assert_int_equal(nr_free_pages(NORMAL) + pcp_state(NORMAL, 0).diff[YARD_NR_FREE_PAGES], 131071);
	assert_verified();
}

// A node without CPUs counts with all that are online.
static void P5_a_node_without_cpus_counts_them_all(void **state)
{
	(void)state;
	build_cpus(true);
	assert_int_equal(yard_cpu_online(yard, 4, false), YARD_OK);
	assert_limits_of(NODE1, 1);
	assert_int_equal(yard_cpu_online(yard, 5, false), YARD_OK);
	assert_limits_of(NODE1, 4);
	assert_limits_of(NORMAL, 4);
	assert_int_equal(yard_cpu_online(yard, 0, false), YARD_OK);
	assert_limits_of(NODE1, 3);
	assert_limits_of(NORMAL, 3);
}

// A CPU that comes counts on every node until the next recomputation, on a node without CPUs too.
static void P5_a_coming_cpu_counts_on_every_node(void **state)
{
	(void)state;
	build_cpus(true);
	yard_cpu_online(yard, 1, false);
	yard_cpu_online(yard, 3, false);
	assert_limits_of(NORMAL, 2);
	assert_limits_of(NODE1, 2);
	assert_int_equal(yard_cpu_online(yard, 3, true), YARD_OK);
	assert_limits_of(NORMAL, 3); // its own: exact
	assert_limits_of(NODE1, 3);  // the other: one too many
	assert_int_equal(yard_cpu_online(yard, 1, true), YARD_OK);
	assert_limits_of(NORMAL, 4);
	assert_limits_of(NODE1, 3);
	assert_int_equal(yard_set_percpu_pagelist_high_fraction(yard, 0), YARD_OK);
	assert_limits_of(NORMAL, 4);
	assert_limits_of(NODE1, 2);

	yard_cpu_online(yard, 4, false);
	yard_cpu_online(yard, 5, false);
	yard_cpu_online(yard, 0, false);
	assert_limits_of(NODE1, 3);
	yard_cpu_online(yard, 0, true);
	assert_limits_of(NODE1, 1); // none and the one that comes
	assert_verified();
}

// V3, V5: thresholds and drift marks follow the number of CPUs online.
static void V3_thresholds_count_online_cpus(void **state)
{
	(void)state;
	build_cpus(true);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, 2 * 3 * (1 + 3)); // fls(6) = 3, 131072 >> 15 = 4
	for (unsigned cpu = 5; cpu > 2; cpu--)
		yard_cpu_online(yard, cpu, false);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, 2 * 2 * (1 + 3)); // fls(3) = 2
	set_wmarks(normal(), 100, 132, 164);
	yard_cpu_online(yard, 1, false); // 2 CPUs * 16 > 32 ?
	assert_int_equal(zone_state(NORMAL).drift_mark, 0);
	yard_cpu_online(yard, 1, true); // 3 * 16 > 32
	assert_int_equal(zone_state(NORMAL).drift_mark, 164 + 3 * 16);
	yard_kswapd_pressure(yard, 0, true);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, (132 - 100) / 3);
	yard_cpu_online(yard, 5, true);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, 2 * 3 * (1 + 3)); // fls(4) = 3
}

static void P19_errors(void **state)
{
	(void)state;
	build_cpus(true);
	assert_int_equal(yard_cpu_online(yard, CPUS, false), YARD_ERANGE);
	assert_int_equal(yard_cpu_online(yard, 1, true), YARD_OK); // it is: nothing is recomputed
	assert_limits_of(NODE1, 2);
	for (unsigned cpu = 1; cpu < CPUS; cpu++)
		assert_int_equal(yard_cpu_online(yard, cpu, false), YARD_OK);
	assert_int_equal(yard_cpu_online(yard, 5, false), YARD_OK);
	assert_int_equal(yard_cpu_online(yard, 0, false), YARD_EBUSY);
	assert_limits_of(NORMAL, 1);
	assert_limits_of(NODE1, 1);
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(P19_an_offline_cpu_leaves_its_pages),
		cmocka_unit_test(P19_an_offline_cpu_leaves_its_batches),
		cmocka_unit_test(P19_an_offline_cpu_s_counters_fold),
		cmocka_unit_test(P5_a_node_without_cpus_counts_them_all),
		cmocka_unit_test(P5_a_coming_cpu_counts_on_every_node),
		cmocka_unit_test(V3_thresholds_count_online_cpus),
		cmocka_unit_test(P19_errors),
	};

	return cmocka_run_group_tests_name("cpu_online", tests, NULL, demolish);
}
