// SPDX-License-Identifier: Apache-2.0
//
// NUMA balancing: groups of tasks that use the same pages, and tasks that follow their memory (spec 05 B3, B8, B13).

#include "numa_fixture.h"

// ---- B3 ----

static void B3_periods_of_a_group_are_scaled(void **state)
{
	struct numa_group group = {.tasks = 4};
	struct sim_task task = {.numa = {.group = NULL}};
	static const struct {
		uint64_t private, shared, period;
	} cases[] = {
		{0, 0, 4000}, {0, 99, 4000}, {99, 0, 1000}, {50, 49, 2000}, {24, 75, 3040}, {9, 0, 1000}, {7, 0, 1000},
	};

	(void)state;
	assert_int_equal(numa_group_period(&task, 1000), 1000);
	task.numa.group = &group;
	for (size_t i = 0; i < COUNT(cases); i++) {
		group.faults.private = cases[i].private;
		group.faults.shared = cases[i].shared;
		assert_int_equal(numa_group_period(&task, 1000), cases[i].period); // never less than the plain one
	}
}

// ---- B8: what a group allows ----

static void decide(struct sim_task *task)
{
	const uint32_t me = task->task.pid, other = me + 1;
	struct numa_group group = {.tasks = 3}; // it outlives the task's stay
	const struct {
		uint32_t note;
		uint64_t cpu[2], memory[2];
		int node; // of a page of node 1 after a fault on node 0
	} cases[] = {
		{accessor(1, other), {301, 100}, {0, 0}, 0}, // most work is there
		{accessor(1, other), {300, 100}, {0, 0}, 1},
		{accessor(1, other), {100, 100}, {75, 101}, 0}, // of memory relatively less
		{accessor(1, other), {100, 100}, {75, 100}, 1},
		{accessor(1, other), {0, 0}, {0, 0}, 1},
		{0, {0, 0}, {0, 0}, 1},			     // nobody's: the group is asked
		{accessor(1, me), {0, 0}, {0, 0}, 0},	     // it is not
		{accessor(2, other), {301, 100}, {0, 0}, 1}, // the filter of two faults comes first
	};

	task->numa.preferred_node = 1;
	task->process->numa.sequence = 9;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct memory_object *object = map_on(task, R, 1);

		for (unsigned node = 0; node < 2; node++) {
			group.faults.cpu[node] = cases[i].cpu[node];
			group.faults.memory[node] = cases[i].memory[node];
		}
		task->numa.group = &group;
		mark(object, 7, cases[i].note);
		assert_int_equal(node_after_touch(object, 7), cases[i].node);
		task->numa.group = NULL;
		process_unmap(sim, task->process, object);
	}
}

static void B8_the_group_decides_after_the_filter(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), decide);
}

// ---- who is in a group ----

static struct memory_object *shared;
static struct sim_task *first_task;

static void use_first(struct sim_task *task)
{
	first_task = task;
	shared = map_on(task, R, 1);
	task->process->numa.sequence = 9;
	for (uint64_t page = 0; page < 8; page++)
		mark(shared, page, 0);
	for (uint64_t page = 0; page < 8; page++)
		touch(shared, page); // the other one's faults find it here
	assert_null(task->numa.group); // all private
	task_compute(sim, NS_PER_S);
	assert_null(task->numa.group);
	mark(shared, 8, accessor(0, 77)); // shared with somebody who is not there
	touch(shared, 8);
	assert_non_null(task->numa.group);
	assert_int_equal(task->numa.group->tasks, 1);
	assert_int_equal(task->numa.group->faults.private, 8);
	assert_int_equal(task->numa.group->faults.shared, 1);
	task_compute(sim, NS_PER_S);
	assert_int_equal(task->numa.group->tasks, 2);
	assert_int_equal(task->numa.group->faults.private, 8);
	assert_int_equal(task->numa.group->faults.shared, 4);
	assert_int_equal(task->numa.group->faults.cpu[0], 3);
	assert_int_equal(task->numa.group->faults.cpu[1], 9);
	assert_int_equal(task->numa.faults->shared, 1);
	task_sleep(sim, NS_PER_S); // the other one has ended
	assert_int_equal(task->numa.group->tasks, 1);
	assert_int_equal(task->numa.group->faults.shared, 1);
	assert_int_equal(task->numa.group->faults.cpu[0], 0);
}

static void use_after_it(struct sim_task *task)
{
	task_sleep_until(sim, NS_PER_S / 2);
	mark(shared, 0, KEEP);
	touch(shared, 0); // it has no group yet
	assert_non_null(task->numa.group);
	assert_null(first_task->numa.group);
	task_sleep_until(sim, NS_PER_S * 3 / 2);
	assert_ptr_not_equal(task->numa.group, first_task->numa.group);
	mark(shared, 1, KEEP);
	touch(shared, 1); // both alone: the older group stays, which is mine
	assert_ptr_not_equal(task->numa.group, first_task->numa.group);
	first_task->numa.group->tasks++; // were it the larger one
	mark(shared, 2, KEEP);
	touch(shared, 2);
	assert_ptr_equal(task->numa.group, first_task->numa.group);
	first_task->numa.group->tasks--;
	task_sleep_until(sim, NS_PER_S * 5 / 2);
}

static void B8_who_shares_a_page_shares_a_group(void **state)
{
	struct process *process;

	(void)state;
	boot(NODES_2("mode: 1"), "linux-7.3");
	process = new_process();
	add_thread(process, 1, use_first);
	add_thread(process, 0, use_after_it);
	finish_bodies();
}

static void use_as_other_process(struct sim_task *task)
{
	struct memory_object *object = map_on(task, R, 1);

	task_sleep_until(sim, NS_PER_S / 2);
	mark(object, 0, accessor(first_task->cpu, first_task->task.pid));
	first_task->numa.group->tasks = 9;
	touch(object, 0);
	first_task->numa.group->tasks = 1;
	assert_ptr_not_equal(task->numa.group, first_task->numa.group);
}

static void found_alone(struct sim_task *task)
{
	struct memory_object *object = map_on(task, R, 1);

	first_task = task;
	mark(object, 0, accessor(3, task->task.pid + 3));
	touch(object, 0);
	assert_non_null(task->numa.group);
	task_compute(sim, NS_PER_S);
}

// Eight bits of a pid are not enough to be one.
static void B8_processes_do_not_share_anonymous_memory(void **state)
{
	(void)state;
	boot(NODES_2("mode: 1"), "linux-7.3");
	add_thread(new_process(), 1, found_alone);
	add_thread(new_process(), 0, use_as_other_process);
	finish_bodies();
}

// ---- B13 ----

static void prefer_most_faults(struct sim_task *task)
{
	struct memory_object *there = map_on(task, R, 1);
	struct numa_group group = {.tasks = 2};

	task->numa.period_ns = NS_PER_S;
	numa_count_fault(sim, task, 0, 5, true);
	numa_count_fault(sim, task, 1, 4, true);
	numa_end_sequence(sim, task);
	assert_int_equal(task->numa.preferred_node, 1);
	assert_int_equal(task->numa.faults->memory[0], 2); // halved
	assert_int_equal(task->numa.faults->memory[1], 2);
	assert_int_equal(task->numa.faults->cpu[0], 4);
	numa_count_fault(sim, task, 1, 1, true);
	numa_end_sequence(sim, task);
	assert_int_equal(task->numa.preferred_node, 2);
	group.faults = *task->numa.faults; // its own, and another's
	group.faults.memory[0] += 100;
	task->numa.group = &group;
	numa_end_sequence(sim, task);
	assert_int_equal(task->numa.preferred_node, 1); // the group's
	assert_int_equal(group.faults.memory[0], 100);
	assert_int_equal(group.faults.memory[1], 0);
	task->numa.group = NULL;
	process_unmap(sim, task->process, there);
}

static void B13_the_preferred_node_has_most_faults(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), prefer_most_faults);
}

static void prefer_slow(struct sim_task *task)
{
	numa_count_fault(sim, task, 1, 5, true);
	numa_end_sequence(sim, task);
	assert_int_equal(task->numa.preferred_node, 3); // 21 away, node 0 is 31
}

static void B13_without_cpus_it_is_the_nearest_that_has_some(void **state)
{
	(void)state;
	in_task("machine: {memory: 64MiB, cpus: 2, zones: one, nodes: [{}, {cpus: 0}, {}], "
		"distance: [[10, 31, 21], [31, 10, 21], [21, 21, 10]], numa_balancing: {mode: 1, scan_delay: 1h}}\n"
		"duration: 1s\nworkload: [{kind: storm}]\n", prefer_slow);
}

static void want_node(struct sim_task *task, unsigned node)
{
	task->numa.preferred_node = node + 1;
	task->numa.retry_ns = 0;
	task->numa.period_ns = NS_PER_S;
}

static void go_to_idle_cpu(struct sim_task *task)
{
	uint64_t start = sim_now(sim), cpu_ns = task_cpu_ns(sim, task);

	task->node_limit = 0; // it began on node 0
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 0);
	want_node(task, 1);
	numa_follow_memory(sim, task);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 1);
	assert_in_range(sim_now(sim) - start, 1, NS_PER_MS);
	task_compute(sim, 20 * NS_PER_MS);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 1); // and stays
	assert_in_range(task_cpu_ns(sim, task) - cpu_ns, 20 * NS_PER_MS, 21 * NS_PER_MS);
	task->numa.preferred_node = 1;
	numa_follow_memory(sim, task);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 1); // not before a sixteenth of the period is over
	task_compute(sim, NS_PER_S / 16);
	numa_follow_memory(sim, task);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 0);
	task->numa.period_ns = 60 * NS_PER_S;
	task_compute(sim, NS_PER_S / 16);
	numa_follow_memory(sim, task);
	assert_int_equal(task->numa.retry_ns, sim_now(sim) + NS_PER_S); // a second at most
	assert_int_equal(counts()->tasks_moved, 2);
}

static void B13_a_task_goes_to_an_idle_cpu(void **state)
{
	(void)state;
	boot(NODES_2("mode: 1"), "linux-7.3");
	add_thread(new_process(), 0, go_to_idle_cpu);
	finish_bodies();
}

static void stay(struct sim_task *task)
{
	want_node(task, 1);
	numa_follow_memory(sim, task);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 0);
	assert_int_equal(counts()->tasks_moved, 0);
}

static void B13_a_task_that_is_bound_stays(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), stay);
}

#define ONE_CPU_EACH                                                                                                   \
	"machine: {memory: 64MiB, cpus: 1, zones: one, nodes: [{}, {}], numa_balancing: {mode: 1, scan_delay: 1h}}\n"    \
	"duration: 1s\nworkload: [{kind: storm}]\n"

static struct sim_task *in_the_way;
static uint64_t used_ns, ended_ns;

static void be_in_the_way(struct sim_task *task)
{
	in_the_way = task;
	task_compute(sim, NS_PER_S);
	used_ns = task_cpu_ns(sim, task);
	ended_ns = sim_now(sim);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 0);
}

static void change_places(struct sim_task *task)
{
	task_compute(sim, 300 * NS_PER_MS + 123);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 0);
	assert_int_equal(scheduler_cpu_node(sim, in_the_way->cpu), 1);
	want_node(task, 1);
	numa_follow_memory(sim, task);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 0); // it does not want to come here
	in_the_way->numa.preferred_node = 1;
	want_node(task, 1);
	numa_follow_memory(sim, task);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 1);
	assert_int_equal(scheduler_cpu_node(sim, in_the_way->cpu), 0);
	assert_int_equal(counts()->tasks_moved, 1);
	task_compute(sim, 300 * NS_PER_MS);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 1);
}

static void B13_two_tasks_change_places(void **state)
{
	(void)state;
	boot(ONE_CPU_EACH, "linux-7.3");
	add_thread(new_process(), -1, change_places);
	add_thread(new_process(), -1, be_in_the_way);
	finish_bodies();
	assert_in_range(used_ns, NS_PER_S, NS_PER_S + NS_PER_MS); // its computing goes on where it was cut
	assert_in_range(ended_ns, NS_PER_S, NS_PER_S + 2 * NS_PER_MS);
}

static struct sim_task *asking[2];

// Asks for the other one's node, from which that one asks for this one at the same time.
static void ask_at_once(struct sim_task *task)
{
	unsigned node = scheduler_cpu_node(sim, task->cpu);

	asking[node] = task;
	task_sleep_until(sim, NS_PER_S);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), node);
	asking[1 - node]->numa.preferred_node = node + 1;
	sim_charge(sim, COST_HINT_FAULT, 1000); // without giving way: the other one's CPU is behind now
	want_node(task, 1 - node);
	numa_follow_memory(sim, task);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 1 - node);
	for (unsigned i = 0; i < 100; i++) {
		task_compute(sim, NS_PER_MS);
		assert_int_equal(scheduler_cpu_node(sim, task->cpu), 1 - node); // once is enough
		assert_int_equal(task->wanted_node, 0);
	}
}

static void B13_two_tasks_may_ask_at_the_same_time(void **state)
{
	(void)state;
	boot(ONE_CPU_EACH, "linux-7.3");
	add_thread(new_process(), -1, ask_at_once);
	add_thread(new_process(), -1, ask_at_once);
	finish_bodies();
	assert_int_equal(counts()->tasks_moved, 2);
}

// ---- by itself ----

enum { WMARK_HIGH = 2 };

static uint64_t room_above_high(void)
{
	struct yard_zone_state zone;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
		if (yard_get_zone(sim->yard, type, &zone) == YARD_OK && zone.managed)
			break;
	return (uint64_t)zone.stat[YARD_NR_FREE_PAGES] - zone.wmark[WMARK_HIGH];
}

static void work_far_away(struct sim_task *task)
{
	struct memory_object *object = map_on(task, 4 * R, 1), *filler;

	task->node_limit = 0;
	filler = map_on(task, room_above_high() + 64, 0); // its memory can not come (B11)
	while (sim_now(sim) < 2 * NS_PER_S) {
		assert_int_equal(memory_touch_range(sim, object, 0, object->pages, false), object->pages);
		task_compute(sim, NS_PER_MS);
	}
	assert_true(object_resident_on(object, 1) > object->pages / 2);
	assert_true(object_resident_on(filler, 0) > filler->pages / 2);
	assert_int_equal(scheduler_cpu_node(sim, task->cpu), 1);
	assert_int_equal(task->numa.preferred_node, 2);
	assert_int_equal(counts()->tasks_moved, 1);
}

// The memory can not come to the task: the task goes to it.
static void B13_a_task_follows_its_memory(void **state)
{
	(void)state;
	boot("machine: {memory: 64MiB, cpus: 2, zones: one, nodes: [{}, {}], numa_balancing: {mode: 1, scan_delay: 100ms, "
	     "scan_period_min: 10ms, scan_size: 4MiB}}\nduration: 1s\nworkload: [{kind: storm}]\n", "linux-7.3");
	add_thread(new_process(), 0, work_far_away);
	finish_bodies();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(B3_periods_of_a_group_are_scaled), TEST(B8_the_group_decides_after_the_filter),
		TEST(B8_who_shares_a_page_shares_a_group), TEST(B8_processes_do_not_share_anonymous_memory),
		TEST(B13_the_preferred_node_has_most_faults), TEST(B13_without_cpus_it_is_the_nearest_that_has_some),
		TEST(B13_a_task_goes_to_an_idle_cpu), TEST(B13_a_task_that_is_bound_stays),
		TEST(B13_two_tasks_change_places), TEST(B13_two_tasks_may_ask_at_the_same_time),
		TEST(B13_a_task_follows_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
