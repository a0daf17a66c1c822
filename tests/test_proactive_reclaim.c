// SPDX-License-Identifier: Apache-2.0
//
// The task kinds memory-reclaim and node-reclaim (spec 04 P-1 to P-3, spec 05 R1, R2) in scenarios.

#include "scenario_fixture.h"

#include <pageyard/pressure.h>
#include <pageyard/stat.h>

#define ONE_NODE "machine: box\nduration: 10s\nworkload:\n"
#define TWO_NODES "machine: {base: box, zones: one, nodes: [{}, {}]}\nduration: 10s\nworkload:\n"

static uint64_t node_figure(unsigned node, enum yard_node_stat item)
{
	return (uint64_t)yard_get_node_stat(sim->yard, node, item);
}

// The text's workloads, one after the other, each 200 ms before the next, and so long after the last.
static void run_all(const char *text, uint64_t after_ns)
{
	boot(text, "linux-7.3");
	for (uint32_t i = 0; i < scenario->nr_workloads; i++) {
		workload_start(sim, &scenario->workload[i]);
		go_on(scheduler_clock(sim) + 200 * NS_PER_MS);
	}
	go_on(scheduler_clock(sim) + after_ns);
}

static void R1_reclaims_from_all_nodes(void **state)
{
	uint64_t stolen[2];

	(void)state;
	run_all(TWO_NODES "  - {kind: file-hold, size: 64MiB, node: 0}\n"
			  "  - {kind: file-hold, name: other, size: 64MiB, node: 1}\n"
			  "  - {kind: memory-reclaim, size: 32MiB}\n", 0);
	assert_int_equal(figure(2, "writes done"), 1);
	assert_in_range(figure(2, "MiB reclaimed"), 32, 40); // a round more at most: a quarter
	for (unsigned node = 0; node < 2; node++) {
		stolen[node] = node_figure(node, YARD_NODE_PGSTEAL_PROACTIVE);
		assert_true(stolen[node] >= 8 * 256);
		assert_int_equal(node_figure(node, YARD_NODE_FILE_PAGES), 64 * 256 - stolen[node]);
	}
	assert_int_equal((stolen[0] + stolen[1]) / 256, figure(2, "MiB reclaimed"));
}

// EAGAIN: what there is, is gone even so.
static void P2_more_than_there_is_fails(void **state)
{
	(void)state;
	run_all(ONE_NODE "  - {kind: file-hold, size: 16MiB}\n"
			 "  - {kind: memory-reclaim, size: 128MiB, swappiness: 0}\n", 0);
	assert_int_equal(figure(1, "writes failed"), 1);
	assert_int_equal(figure(1, "writes done"), 0);
	assert_in_range(figure(1, "MiB reclaimed"), 15, 16);
}

static void P3_own_swappiness(void **state)
{
	static const struct {
		const char *key;
		bool anon, file;
	} rows[] = { { "0", false, true }, { "max", true, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), ONE_NODE "  - {kind: anonymous-hold, memory: 64MiB}\n"
						      "  - {kind: file-hold, size: 64MiB}\n"
						      "  - {kind: memory-reclaim, size: 16MiB, swappiness: %s}\n",
			 rows[i].key);
		run_all(text, 0);
		assert_int_equal(figure(2, "writes done"), 1);
		assert_int_equal(node_figure(0, YARD_NODE_PGSTEAL_ANON) > 0, rows[i].anon);
		assert_int_equal(node_figure(0, YARD_NODE_PGSTEAL_FILE) > 0, rows[i].file);
		switch_off();
	}
}

// Neither a memory stall nor an allocation stall, whoever reclaims: not the writer's, and nobody else's here.
static void R1_is_no_stall(void **state)
{
	struct yard_psi psi;

	(void)state;
	run_all(ONE_NODE "  - {kind: anonymous-hold, memory: 64MiB}\n"
			 "  - {kind: file-hold, size: 64MiB}\n"
			 "  - {kind: memory-reclaim, size: 32MiB}\n", 0);
	assert_int_equal(figure(2, "writes done"), 1);
	yard_psi_update(sim->yard);
	assert_int_equal(yard_psi_get(sim->yard, 0, &psi), YARD_OK);
	assert_int_equal(psi.total_us[YARD_PSI_SOME] + psi.total_us[YARD_PSI_FULL], 0);
	assert_int_equal(node_figure(0, YARD_NODE_PGSCAN_DIRECT), 0);
	assert_int_equal(yard_get_vm_event(sim->yard, YARD_VM_ALLOCSTALL_MOVABLE), 0);
}

static void every_writes_again(void **state)
{
	(void)state;
	run_all(ONE_NODE "  - {kind: file-hold, size: 64MiB}\n"
			 "  - {kind: memory-reclaim, size: 1MiB, every: 100ms, stop: 950ms}\n", 2 * NS_PER_S);
	assert_int_equal(figure(1, "writes done"), 10);
	assert_in_range(figure(1, "MiB reclaimed"), 10, 13);
}

static uint64_t free_pages_of(unsigned node)
{
	uint64_t pages = 0;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
		struct yard_zone_state zone;

		if (yard_get_zone(sim->yard, node * YARD_ZONE_TYPES + type, &zone) == YARD_OK)
			pages += (uint64_t)zone.stat[YARD_NR_FREE_PAGES];
	}
	return pages;
}

// It stops where the goal is reached, not before, and of a node where that node has it.
static void until_free_is_a_goal(void **state)
{
	(void)state;
	run_all(ONE_NODE "  - {kind: file-hold, size: 70%}\n"
			 "  - {kind: memory-reclaim, size: 2MiB, every: 10ms, until_free: 128MiB}\n", 3 * NS_PER_S);
	assert_in_range(free_pages_of(0), 128 * 256, 134 * 256); // a write more, and what lay on per-CPU lists
	assert_true(figure(1, "writes done") >= 15);
}

static void until_free_of_a_node(void **state)
{
	(void)state;
	run_all(TWO_NODES "  - {kind: file-hold, size: 96MiB, node: 0}\n"
			  "  - {kind: file-hold, name: other, size: 96MiB, node: 1}\n"
			  "  - {kind: node-reclaim, of_node: 1, size: 2MiB, every: 10ms, until_free: 176MiB}\n",
		3 * NS_PER_S);
	assert_in_range(free_pages_of(1), 176 * 256, 182 * 256);
	assert_int_equal(node_figure(0, YARD_NODE_FILE_PAGES), 96 * 256);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, shut_down)
	const struct CMUnitTest tests[] = {
		TEST(R1_reclaims_from_all_nodes), TEST(P2_more_than_there_is_fails), TEST(P3_own_swappiness),
		TEST(R1_is_no_stall), TEST(every_writes_again), TEST(until_free_is_a_goal), TEST(until_free_of_a_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
