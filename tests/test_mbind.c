// SPDX-License-Identifier: Apache-2.0
//
// mbind() of pages that are there already: `mbind_flags` of populate (spec 05 M24).

#include "scenario_fixture.h"

#include <pageyard/stat.h>

#include "sim/mbind.h"

#define THREE                                                                                                          \
	"machine: {memory: 64MiB, cpus: 1, zones: one, nodes: [{}, {}, {}], thp: {enabled: madvise}}\n"                \
	"duration: 1s\nworkload:\n"
#define FILLED_ON_1 "  - {kind: populate, memory: 8MiB, node: 1, mempolicy: \"bind:1\", "

static void again(const char *text)
{
	simulation_destroy(sim);
	scenario_free(scenario);
	run_in_turn(text);
}

static uint64_t pages_on(uint32_t workload, unsigned node)
{
	uint64_t pages[YARD_NODES_MAX];

	workload_resident(sim, &scenario->workload[workload], pages);
	return pages[node];
}

static void check(uint64_t moved, uint64_t left, uint64_t failed)
{
	assert_int_equal(figure(0, "mbind pages moved"), moved);
	assert_int_equal(figure(0, "mbind pages not moved"), left);
	assert_int_equal(figure(0, "mbind EIO"), failed);
}

static void M24_move_brings_the_pages_to_the_policys_nodes(void **state)
{
	(void)state;
	run_in_turn(THREE FILLED_ON_1 "mbind: \"bind:0\", mbind_flags: move}\n");
	check(2048, 0, 0);
	assert_int_equal(pages_on(0, 0), 2048);
	again(THREE FILLED_ON_1 "mbind: \"preferred:2\", mbind_flags: [move, strict], threads: 3}\n");
	check(2048, 0, 0);
	assert_int_equal(pages_on(0, 2), 2048);
}

static void M24_pages_that_follow_the_policy_stay(void **state)
{
	(void)state;
	run_in_turn(THREE FILLED_ON_1 "mbind: \"bind:0,1\", mbind_flags: [move, strict]}\n");
	check(0, 0, 0);
	assert_int_equal(pages_on(0, 1), 2048);
}

// M7: each page has its node.
static void M24_interleaved_pages_go_where_their_index_says(void **state)
{
	(void)state;
	run_in_turn(THREE FILLED_ON_1 "mbind: \"interleave:0,1\", mbind_flags: move}\n");
	check(1024, 0, 0);
	assert_int_equal(pages_on(0, 0), 1024);
	assert_int_equal(pages_on(0, 1), 1024);
}

static void M24_huge_pages_move_whole(void **state)
{
	(void)state;
	run_in_turn(THREE FILLED_ON_1 "hugepages: on, mbind: \"interleave:0,2\", mbind_flags: [move, strict]}\n");
	check(2048, 0, 0);
	assert_int_equal(pages_on(0, 0), 1024);
	assert_int_equal(pages_on(0, 2), 1024);
	assert_int_equal(yard_get_vm_event(sim->yard, YARD_VM_THP_MIGRATION_SUCCESS), 4);
}

static void M24_strict_alone_moves_nothing(void **state)
{
	(void)state;
	run_in_turn(THREE FILLED_ON_1 "mbind: \"bind:0\", mbind_flags: strict}\n");
	check(0, 2048, 1);
	assert_int_equal(pages_on(0, 1), 2048);
	again(THREE FILLED_ON_1 "mbind: \"bind:1,2\", mbind_flags: strict}\n");
	check(0, 0, 0);
}

// The short form, which is called when nothing is there: as always.
static void without_flags_nothing_moves(void **state)
{
	(void)state;
	run_in_turn(THREE FILLED_ON_1 "mbind: \"bind:0\"}\n");
	assert_int_equal(pages_on(0, 0), 2048);
	assert_int_equal(yard_get_vm_event(sim->yard, YARD_VM_PGMIGRATE_SUCCESS), 0);
}

// Another one's pages leave a few MiB of node 0, and there is no swap: the rest has no place.
#define FULL_NODE_0                                                                                                    \
	"  - {kind: populate, name: other, first: on, memory: 56MiB, node: 0, mempolicy: \"bind:0\"}\n"

static void move_to_full_node(const char *flags, bool strict)
{
	char text[512];

	snprintf(text, sizeof(text), THREE FILLED_ON_1 "start: 200ms, mbind: \"bind:0\", mbind_flags: %s}\n" FULL_NODE_0,
		 flags);
	boot(text, "linux-7.3");
	workload_start(sim, &scenario->workload[1]);
	go_on(scheduler_clock(sim) + 100 * NS_PER_MS);
	workload_start(sim, &scenario->workload[0]);
	go_on(scheduler_clock(sim) + 5 * NS_PER_S);
	assert_true(figure(0, "mbind pages moved") > 0);
	assert_true(figure(0, "mbind pages not moved") > 0);
	assert_int_equal(figure(0, "mbind pages moved"), pages_on(0, 0));
	assert_int_equal(figure(0, "mbind pages not moved"), pages_on(0, 1));
	assert_int_equal(pages_on(0, 0) + pages_on(0, 1), 2048);
	assert_int_equal(figure(0, "mbind EIO"), strict);
	assert_int_equal(pages_on(1, 0), 56 * 256); // a request for one node kills nobody
}

static void M24_strict_reports_pages_that_can_not_move(void **state)
{
	(void)state;
	move_to_full_node("move", false);
	simulation_destroy(sim);
	scenario_free(scenario);
	move_to_full_node("[move, strict]", true);
}

// ---- the policy that the mapping has afterwards ----

static struct mbind_result result;
static bool done;

// The body tells by `done` that it came to its end.
static void run_on_node(int node, task_body *body)
{
	const struct task_attributes attributes = {.comm = "binder", .cpu = -1, .node = node};
	struct process *process;

	done = false;
	boot(THREE "  - {kind: storm}\n", "linux-7.3");
	process = process_create(sim, &(struct process_attributes){.comm = "binder", .free = true});
	assert_non_null(process_thread(sim, process, &attributes, body, NULL));
	go_on(NS_PER_S);
	assert_true(done);
}

static void bind_twice(struct simulation *s, struct sim_task *task, void *unused)
{
	struct memory_object *object = process_map(s, task->process, 64, false);
	struct placement placement = {.has_policy = false};

	(void)unused;
	assert_int_equal(memory_touch_range(s, object, 0, 32, true), 32);
	assert_true(placement_set(s, &placement, "bind:2"));
	assert_false(mbind_pages(s, object, &placement, MBIND_STRICT, &result));
	assert_int_equal(result.left, 32);
	assert_false(object->placement.has_policy);
	assert_true(mbind_pages(s, object, &placement, MBIND_MOVE | MBIND_STRICT, &result));
	assert_int_equal(result.moved, 32);
	assert_int_equal(result.left, 0);
	assert_int_equal(memory_touch_range(s, object, 32, 32, true), 32);
	assert_int_equal(object_resident_on(object, 2), 64);
	assert_true(placement_set(s, &placement, "default"));
	assert_true(mbind_pages(s, object, &placement, MBIND_STRICT, &result)); // asks nothing of the pages
	assert_false(object->placement.has_policy);
	assert_true(mbind_pages(s, object, &placement, MBIND_MOVE, &result));
	assert_int_equal(object_resident_on(object, 0), 64); // the task's, which runs there
	done = true;
}

static void M24_a_refused_mbind_leaves_the_policy(void **state)
{
	(void)state;
	run_on_node(0, bind_twice);
}

// M13: the policy says the node of the CPU, the cpuset that it is another: the nearest one from there. Pages that are in
// the cpuset and yet not there move as well; those that are there stay.
static void bind_to_default(struct simulation *s, struct sim_task *task, void *unused)
{
	struct memory_object *object = process_map(s, task->process, 96, false);
	struct placement placement = {.has_policy = false};

	(void)unused;
	for (unsigned node = 0; node < 3; node++) {
		assert_true(placement_set(s, &placement, (const char *[]){"bind:0", "bind:1", "bind:2"}[node]));
		mapping_set_placement(object, &placement);
		assert_int_equal(memory_touch_range(s, object, node * 32, 32, true), 32);
	}
	task_set_placement(task, &(struct placement){.cpuset = 4});
	assert_true(placement_set(s, &placement, "default"));
	assert_true(mbind_pages(s, object, &placement, MBIND_MOVE, &result));
	assert_int_equal(result.moved, 64);
	assert_int_equal(result.left, 0);
	assert_int_equal(object_resident_on(object, 2), 96);
	assert_int_equal(object_resident_on(object, 1), 0);
	placement = (struct placement){.cpuset = 5};
	task_set_placement(task, &placement);
	assert_true(placement_set(s, &placement, "local"));
	assert_true(mbind_pages(s, object, &placement, MBIND_MOVE | MBIND_STRICT, &result));
	assert_int_equal(object_resident_on(object, 1), 0);
	done = true;
}

static void M24_M13_default_means_the_nearest_node_of_the_cpuset(void **state)
{
	(void)state;
	run_on_node(1, bind_to_default);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, shut_down)
	const struct CMUnitTest tests[] = {
		TEST(M24_move_brings_the_pages_to_the_policys_nodes), TEST(M24_pages_that_follow_the_policy_stay),
		TEST(M24_interleaved_pages_go_where_their_index_says), TEST(M24_huge_pages_move_whole),
		TEST(M24_strict_alone_moves_nothing), TEST(without_flags_nothing_moves),
		TEST(M24_strict_reports_pages_that_can_not_move), TEST(M24_a_refused_mbind_leaves_the_policy),
		TEST(M24_M13_default_means_the_nearest_node_of_the_cpuset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
