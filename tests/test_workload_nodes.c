// SPDX-License-Identifier: Apache-2.0
//
// Keys of workloads that say where memory lies: mempolicy, mbind, spread_page, this_node; and the kind node-reclaim.

#include "scenario_fixture.h"

#include <pageyard/stat.h>

#define TWO_NODES "machine: {base: box, zones: one, nodes: [{}, {}]}\nduration: 1s\nworkload:\n"

static uint64_t file_pages(unsigned node)
{
	return (uint64_t)yard_get_node_stat(sim->yard, node, YARD_NODE_FILE_PAGES);
}

static uint64_t anon_pages(unsigned node)
{
	return (uint64_t)yard_get_node_stat(sim->yard, node, YARD_NODE_ANON_PAGES);
}

// The text's workloads, one after the other, each 200 ms before the next.
static void run_all(const char *text)
{
	boot(text, "linux-7.3");
	for (uint32_t i = 0; i < scenario->nr_workloads; i++) {
		workload_start(sim, &scenario->workload[i]);
		go_on(scheduler_clock(sim) + 200 * NS_PER_MS);
	}
}

static void mempolicy_is_that_of_the_tasks(void **state)
{
	(void)state;
	run_all(TWO_NODES "  - {kind: anonymous-hold, memory: 16MiB, node: 0, mempolicy: \"bind:1\"}\n");
	assert_true(anon_pages(1) >= 4096);
	assert_true(anon_pages(0) < 64);
}

static void cpuset_is_that_of_the_tasks(void **state)
{
	(void)state;
	run_all(TWO_NODES "  - {kind: anonymous-hold, memory: 16MiB, node: 0, cpuset: \"1\"}\n");
	assert_true(anon_pages(1) >= 4096);
	assert_true(anon_pages(0) < 64);
}

static void mbind_is_that_of_the_mapping(void **state)
{
	(void)state;
	run_all(TWO_NODES "  - {kind: populate, memory: 16MiB, threads: 3, node: 0, mempolicy: \"bind:0\", "
			  "mbind: \"interleave:all\"}\n");
	assert_int_equal(figure(0, "MiB local"), 8);
	assert_int_equal(figure(0, "MiB remote"), 8);
}

static void spread_page_takes_nodes_in_turn(void **state)
{
	(void)state;
	run_all(TWO_NODES "  - {kind: file-hold, size: 16MiB, node: 0, mempolicy: \"bind:0\", spread_page: on}\n");
	assert_int_equal(file_pages(0), 2048);
	assert_int_equal(file_pages(1), 2048);
}

#define FULL_NODE_1                                                                                                    \
	TWO_NODES "  - {kind: anonymous-hold, memory: 232MiB, node: 1, mempolicy: \"bind:1\"}\n"                       \
		  "  - {kind: network-receive, node: 1, rate: 200000/s, batch: 4096, life: 50ms, order0: 100%, "       \
		  "order1: 0, order2: 0, order3: 0, heads: off, this_node: "

static void this_node_takes_no_other(void **state)
{
	(void)state;
	run_all(FULL_NODE_1 "off}\n");
	assert_int_equal(figure(1, "dropped"), 0);
	simulation_destroy(sim);
	scenario_free(scenario);
	run_all(FULL_NODE_1 "on}\n");
	assert_true(figure(1, "dropped") > 0);
}

static void node_reclaim_writes_to_the_nodes_file(void **state)
{
	(void)state;
	run_all(TWO_NODES "  - {kind: file-hold, size: 64MiB, node: 0}\n"
			  "  - {kind: file-hold, name: other, size: 64MiB, node: 1}\n"
			  "  - {kind: node-reclaim, of_node: 0, size: 32MiB}\n");
	assert_int_equal(figure(2, "writes done"), 1);
	assert_in_range(figure(2, "MiB reclaimed"), 32, 33);
	assert_in_range(file_pages(0), 4096 * 4 - 33 * 256, 4096 * 4 - 32 * 256);
	assert_int_equal(file_pages(1), 4096 * 4);
}

static void node_reclaim_of_more_than_there_is_fails(void **state)
{
	(void)state;
	run_all(TWO_NODES "  - {kind: file-hold, size: 16MiB, node: 0}\n"
			  "  - {kind: node-reclaim, of_node: 0, size: 128MiB}\n");
	assert_int_equal(figure(1, "writes failed"), 1);
	assert_int_equal(figure(1, "writes done"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, shut_down)
	const struct CMUnitTest tests[] = {
		TEST(mempolicy_is_that_of_the_tasks),
		TEST(cpuset_is_that_of_the_tasks),
		TEST(mbind_is_that_of_the_mapping),
		TEST(spread_page_takes_nodes_in_turn),
		TEST(this_node_takes_no_other),
		TEST(node_reclaim_writes_to_the_nodes_file),
		TEST(node_reclaim_of_more_than_there_is_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
