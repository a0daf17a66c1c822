// SPDX-License-Identifier: Apache-2.0
//
// The task kind migrate-pages: which pages of whom go where, and in which order (spec 05 M24).

#include "scenario_fixture.h"

#include <pageyard/stat.h>

#define NODES(list)                                                                                                    \
	"machine: {memory: 64MiB, cpus: 1, zones: one, nodes: [" list "], thp: {enabled: madvise}}\n"                   \
	"duration: 1s\nworkload:\n"
#define THREE NODES("{}, {}, {}")
#define FOUR  NODES("{}, {}, {}, {}")
#define HOLD(name, size, node)                                                                                         \
	"  - {kind: populate, name: " name ", memory: " size ", node: " node ", mempolicy: \"bind:" node "\"}\n"

// MiB that the processes of a workload have on the node.
static uint64_t mib_on(uint32_t workload, unsigned node)
{
	uint64_t pages[YARD_NODES_MAX];

	workload_resident(sim, &scenario->workload[workload], pages);
	return pages[node] / 256;
}

static void M24_the_ith_node_goes_to_the_ith(void **state)
{
	(void)state;
	run_in_turn(FOUR HOLD("a", "8MiB", "0") HOLD("b", "4MiB", "1")
		"  - {kind: migrate-pages, from: \"0,1\", to: \"2,3\"}\n");
	assert_int_equal(mib_on(0, 2), 8);
	assert_int_equal(mib_on(1, 3), 4);
	assert_int_equal(mib_on(0, 0) + mib_on(1, 1), 0);
	assert_int_equal(figure(2, "pages moved"), 12 * 256);
}

// 1 to 2 first: else what comes from 0 would go on to 2.
static void M24_destinations_that_hold_no_sources_go_first(void **state)
{
	(void)state;
	run_in_turn(THREE HOLD("a", "8MiB", "0") HOLD("b", "4MiB", "1")
		"  - {kind: migrate-pages, from: \"0,1\", to: \"1,2\"}\n");
	assert_int_equal(mib_on(0, 1), 8);
	assert_int_equal(mib_on(1, 2), 4);
	assert_int_equal(figure(2, "pages moved"), 12 * 256);
	simulation_destroy(sim);
	scenario_free(scenario);
	run_in_turn(THREE HOLD("a", "8MiB", "1") HOLD("b", "4MiB", "2") // the other way round
		"  - {kind: migrate-pages, from: \"1,2\", to: \"0,1\"}\n");
	assert_int_equal(mib_on(0, 0), 8);
	assert_int_equal(mib_on(1, 1), 4);
}

static void M24_with_other_counts_sources_among_the_destinations_stay(void **state)
{
	(void)state;
	run_in_turn(THREE HOLD("a", "8MiB", "0") HOLD("b", "4MiB", "1") HOLD("c", "2MiB", "2")
		"  - {kind: migrate-pages, from: all, to: \"1,2\"}\n");
	assert_int_equal(mib_on(0, 1), 8); // its first node, to the first of theirs
	assert_int_equal(mib_on(1, 1), 4);
	assert_int_equal(mib_on(2, 2), 2);
}

static void M24_processes_of_one_workload(void **state)
{
	(void)state;
	run_in_turn(THREE HOLD("a", "8MiB", "0") HOLD("b", "4MiB", "0")
		"  - {kind: migrate-pages, of: b, from: \"0\", to: \"2\"}\n");
	assert_int_equal(mib_on(0, 0), 8);
	assert_int_equal(mib_on(1, 2), 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, shut_down)
	const struct CMUnitTest tests[] = {
		TEST(M24_the_ith_node_goes_to_the_ith), TEST(M24_destinations_that_hold_no_sources_go_first),
		TEST(M24_with_other_counts_sources_among_the_destinations_stay), TEST(M24_processes_of_one_workload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
