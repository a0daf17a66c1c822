// SPDX-License-Identifier: Apache-2.0
//
// NUMA balancing: hinting faults, and which of them move their page (spec 05 B7, B8, B11, B14).

#include "numa_fixture.h"

enum { WMARK_HIGH = 2 }; // index in yard_zone_state.wmark

// ---- B7 ----

static void scan_policies(struct sim_task *task)
{
	static const struct {
		const char *policy;
		unsigned marked;
		int node; // of a page of node 1 after the fault
	} cases[] = {
		{"default", R, 0}, {"bind=balancing:0", R, 0}, {"bind=balancing:1", R, 1},
		{"preferred-many=balancing:0,1", R, 0}, {"bind:1", 0, 1}, {"bind:0", 0, 1}, {"preferred:0", 0, 1},
		{"preferred-many:0", 0, 1}, {"local", 0, 1}, {"interleave:0,1", 0, 1},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct memory_object *object = map_on(task, R, 1);
		struct placement placement = {.has_policy = false};

		assert_true(placement_set(sim, &placement, cases[i].policy));
		mapping_set_placement(object, &placement);
		task->process->numa.sequence = 0;
		scan_now(task);
		assert_int_equal(count_marked(object), cases[i].marked);
		assert_int_equal(node_after_touch(object, 3), cases[i].node);
		process_unmap(sim, task->process, object);
	}
}

static void B7_policies_of_mappings(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_policies);
}

static void scan_task_policy(struct sim_task *task)
{
	struct memory_object *object = map_on(task, R, 1);
	struct placement placement = {.has_policy = false};

	assert_true(placement_set(sim, &placement, "local"));
	task_set_placement(task, &placement);
	scan_now(task);
	assert_int_equal(count_marked(object), 0);
	assert_true(placement_set(sim, &placement, "default"));
	task_set_placement(task, &placement);
	scan_now(task);
	assert_int_equal(count_marked(object), R);
}

static void B7_the_policy_of_the_task_exempts_its_mappings(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_task_policy);
}

static void count_faults(struct sim_task *task)
{
	struct memory_object *local = map_on(task, R, 0), *remote = map_on(task, R, 1);

	for (uint64_t page = 0; page < 3; page++) {
		mark(local, page, 0);
		touch(local, page);
	}
	mark(remote, 0, 0);
	touch(remote, 0);
	touch(remote, 0); // it is marked no more
	assert_int_equal(counts()->hint_faults, 4);
	assert_int_equal(counts()->hint_faults_local, 3);
	assert_int_equal(counts()->pages_migrated, 1);
	assert_int_equal(counts()->promoted, 0);
	assert_int_equal(task->numa.local, 3);
	assert_int_equal(task->numa.remote, 1); // when the fault came
	assert_int_equal(task->numa.private, 4);
	assert_int_equal(task->numa.faults->memory[0], 4); // where it is now
	assert_int_equal(object_resident_on(remote, 0), 1);
	assert_int_equal(object_resident_on(remote, 1), R - 1);
}

static void B7_hinting_faults_are_counted(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), count_faults);
}

// ---- B8 ----

static void decide(struct sim_task *task)
{
	const uint32_t me = task->task.pid, other = me + 1;
	const struct {
		bool preferred;
		uint32_t sequence, note;
		int node;
	} cases[] = {
		{false, 9, 0, 0},		    // nobody was there before, no preferred node yet
		{false, 9, accessor(2, me), 0},	    // myself, on a CPU of node 1
		{true, 4, accessor(2, me), 0},	    // in the first four sequences
		{true, 5, accessor(2, me), 1},	    // later the last access must have been on the target
		{true, 5, accessor(1, me), 0},
		{true, 5, accessor(1, other), 0},
		{true, 5, accessor(2, other), 1},
		{false, 0, accessor(2, other), 1},  // the filter of two faults
		{false, 0, accessor(1, other), 0},
		{true, 5, 0, 0},
		{true, 5, 2 << 8 | 1, 0},	    // a time, of when it was marked in slower memory
		{true, 5, accessor(2, me + 256), 1}, // eight bits of the pid
		{false, 5, accessor(2, me + 256), 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct memory_object *object = map_on(task, R, 1);

		task->process->numa.sequence = cases[i].sequence;
		task->numa.preferred_node = cases[i].preferred;
		mark(object, 7, cases[i].note);
		assert_int_equal(node_after_touch(object, 7), cases[i].node);
		assert_int_equal(region_of(sim, object, 7)->numa[7], accessor(task->cpu, me));
		process_unmap(sim, task->process, object);
	}
}

static void B8_who_was_there_last_decides(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), decide);
}

static struct memory_object *shared;
static unsigned turn;

static void take_turns(struct sim_task *task)
{
	unsigned node = scheduler_cpu_node(sim, task->cpu);
	static const struct {
		unsigned node; // of the thread that touches
		int after;
	} story[] = {{1, 1}, {0, 1}, {1, 1}, {0, 1}, {0, 0}, {1, 0}, {1, 1}};

	if (node == 1) {
		shared = map_on(task, R, 1);
		task->process->numa.sequence = 9;
		turn = 0;
	}
	task->numa.preferred_node = node + 1;
	task_sleep_until(sim, NS_PER_S / 10);
	for (; turn < COUNT(story); task_sleep(sim, NS_PER_MS)) {
		if (story[turn].node != node)
			continue;
		mark(shared, 0, KEEP);
		assert_int_equal(node_after_touch(shared, 0), story[turn].after);
		turn++;
	}
	task_sleep(sim, NS_PER_S);
}

// Two threads on two nodes: a page moves after the second fault from the same side.
static void B8_two_faults_from_the_same_node(void **state)
{
	struct process *process;

	(void)state;
	boot(NODES_2("mode: 1"), "linux-7.3");
	process = new_process();
	add_thread(process, 1, take_turns);
	add_thread(process, 0, take_turns);
	finish_bodies();
	assert_int_equal(counts()->pages_migrated, 2);
	assert_int_equal(turn, 7);
}

static void replace_page(struct sim_task *task)
{
	struct memory_object *object = map_on(task, R, 1);

	task->numa.preferred_node = 1;
	task->process->numa.sequence = 9;
	mark(object, 0, accessor(2, 999));
	object_drop(sim, object, 0, 1);
	put_pages(object, 0, 1, 1);
	mark(object, 0, KEEP);
	assert_int_equal(node_after_touch(object, 0), 0); // nobody had this one
}

static void B8_a_new_page_has_no_last_accessor(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), replace_page);
}

static void touch_slow_untiered(struct sim_task *task)
{
	struct memory_object *object = map_on(task, R, 1);

	mark(object, 0, 0);
	assert_int_equal(node_after_touch(object, 0), 1); // no accessor yet
	mark(object, 0, KEEP);
	assert_int_equal(node_after_touch(object, 0), 0); // the second time
	assert_int_equal(counts()->promoted, 1);
}

static void B8_slower_memory_without_tiering_needs_a_last_accessor(void **state)
{
	(void)state;
	in_task(TIERS_2("64MiB", "mode: 1"), touch_slow_untiered);
}

static void move_locked(struct sim_task *task)
{
	struct memory_object *object = process_map(sim, task->process, R, false);

	object->locked = true;
	put_pages(object, 0, R, 1);
	scan_now(task);
	assert_int_equal(count_marked(object), R);
	assert_int_equal(node_after_touch(object, 0), 0);
}

static void locked_memory_is_balanced(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), move_locked);
}

// ---- B11, B14 ----

static struct yard_zone_state first_zone(unsigned node)
{
	struct yard_zone_state zone;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
		assert_int_equal(yard_get_zone(sim->yard, node * YARD_ZONE_TYPES + type, &zone), YARD_OK);
		if (zone.managed)
			break;
	}
	return zone;
}

#define SCALE_500 "}, sysctl: {watermark_scale_factor: 500, watermark_boost_factor: 0" // far from high to low

// Node 0 gets full, but nobody below the low watermark: kswapd sleeps, and what is there is what requests find.
static void fill_node_0(struct sim_task *task)
{
	struct memory_object *object = process_map(sim, task->process, first_zone(0).managed, false);
	uint64_t page = 0;

	object->node = 0;
	while (first_zone(0).stat[YARD_NR_FREE_PAGES] > (int64_t)first_zone(0).wmark[WMARK_HIGH])
		assert_int_equal(memory_touch(sim, object, page++, true), TOUCH_MINOR);
	yard_lru_drain_all(sim->yard);
}

static void touch_with_full_node(struct sim_task *task)
{
	struct memory_object *object = map_on(task, R, 1);

	task_sleep(sim, NS_PER_S); // kswapd sleeps from now on
	fill_node_0(task);
	scan_now(task);
	for (uint64_t page = 0; page < R; page++)
		if (is_marked(object, page))
			touch(object, page);
	assert_int_equal(counts()->hint_faults, R);
	assert_int_equal(counts()->pages_migrated, 0);
	assert_int_equal(counts()->migrate_failed, R);
	assert_int_equal(task->numa.failed, R);
	assert_int_equal(object_resident_on(object, 0), 0);
	task_sleep(sim, NS_PER_S);
}

static void B14_NUMA_balancing_alone_cannot_repair_S1(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1" SCALE_500), touch_with_full_node);
	assert_int_equal(yard_get_vm_event(sim->yard, YARD_VM_PAGEOUTRUN), 0);
}

static void B11_tiering_wakes_kswapd_of_a_full_target(void **state)
{
	(void)state;
	in_task(TIERS_2("64MiB", "mode: 2" SCALE_500), touch_with_full_node);
	assert_true(yard_get_vm_event(sim->yard, YARD_VM_PAGEOUTRUN) > 0);
}

// ---- what happens to pages while they are marked ----

static void disturb(struct sim_task *task)
{
	struct memory_object *object = map_on(task, 2 * R, 1), *huge = map_huge_on(task, 3, 1);

	scan_now(task);
	scan_now(task);
	assert_true(is_marked(object, 0) && is_marked(huge, 0));
	object_drop(sim, object, 0, 10);
	object_drop(sim, huge, R, 2 * R);
	check_all();
	assert_false(is_marked(object, 3) || is_marked(huge, R));
	yard_compact_node(sim->yard, 1);
	check_all();
	object->numa.scanned = huge->numa.scanned = 0;
	numa_balancing_accessed(sim, object, 100000); // takes up what is marked still, and passes over the rest
	assert_int_equal(count_marked(object), 0);
	assert_int_equal(object_resident_on(object, 1), 0);
	numa_balancing_accessed(sim, huge, 100000);
	assert_int_equal(count_marked(huge), 0);
	put_pages(object, 0, 10, 0);
	process_unmap(sim, task->process, object);
	check_all();
}

static void marked_pages_may_go_or_move(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), disturb);
}

static void hit_marks(struct sim_task *task)
{
	struct memory_object *object = map_on(task, 8 * R, 1);

	sim->balancing->settings.scan_pages = R;
	scan_now(task);
	assert_int_equal(count_marked(object), R);
	numa_balancing_accessed(sim, object, 800); // an eighth of the pages: one access in eight
	assert_in_range(counts()->hint_faults, 99, 101);
	assert_int_equal(count_marked(object), R - counts()->hint_faults);
}

static void accesses_in_bulk_meet_marks_by_their_share(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), hit_marks);
}

static void exit_with_marks(struct sim_task *task)
{
	map_on(task, R, 1);
	map_huge_on(task, 2, 1);
	scan_now(task);
}

static void a_process_may_end_with_marks(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 3"), exit_with_marks);
	assert_true(counts()->pte_updates > 0);
}

// ---- by itself ----

static void work_remotely(struct sim_task *task)
{
	struct memory_object *object = map_on(task, 4 * R, 1);

	while (sim_now(sim) < 2 * NS_PER_S) {
		assert_int_equal(memory_touch_range(sim, object, 0, object->pages, false), object->pages);
		task_compute(sim, NS_PER_MS);
	}
	assert_int_equal(object_resident_on(object, 0), object->pages);
}

// A process whose memory is on the other node, and room at home: all of it comes.
static void memory_follows_its_process(void **state)
{
	struct numa_balancing_statistics first;

	(void)state;
	for (unsigned again = 0; again < 2; again++) {
		in_task("machine: {memory: 64MiB, cpus: 2, nodes: [{}, {}], numa_balancing: {mode: 1, scan_delay: 100ms, "
			"scan_period_min: 10ms, scan_size: 4MiB}}\nduration: 1s\nworkload: [{kind: storm}]\n", work_remotely);
		assert_int_equal(counts()->pages_migrated, 4 * R);
		if (again)
			assert_memory_equal(&first, counts(), sizeof(first)); // the same again
		first = *counts();
		if (!again) {
			tear_down(state);
			enter_folder(state);
		}
	}
}

// ---- M13 ----

static void touch_from_outside(struct sim_task *task)
{
	struct placement placement = {.cpuset = 1u << 1};
	struct memory_object *object = map_on(task, R, 1);

	task_set_placement(task, &placement);
	mark(object, 0, 0);
	assert_int_equal(node_after_touch(object, 0), 1); // the task runs on node 0, which it may not use
	assert_int_equal(counts()->hint_faults, 1);
	assert_int_equal(counts()->migrate_failed, 1);
	placement.cpuset = 3;
	task_set_placement(task, &placement);
	mark(object, 1, 0);
	assert_int_equal(node_after_touch(object, 1), 0);
	assert_int_equal(counts()->migrate_failed, 1);
}

static void M13_no_page_goes_to_a_node_outside_the_cpuset(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), touch_from_outside);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(M13_no_page_goes_to_a_node_outside_the_cpuset),
		TEST(B7_policies_of_mappings), TEST(B7_the_policy_of_the_task_exempts_its_mappings),
		TEST(B7_hinting_faults_are_counted), TEST(B8_who_was_there_last_decides),
		TEST(B8_two_faults_from_the_same_node), TEST(B8_a_new_page_has_no_last_accessor),
		TEST(B8_slower_memory_without_tiering_needs_a_last_accessor), TEST(locked_memory_is_balanced),
		TEST(B14_NUMA_balancing_alone_cannot_repair_S1),
		TEST(B11_tiering_wakes_kswapd_of_a_full_target), TEST(marked_pages_may_go_or_move),
		TEST(accesses_in_bulk_meet_marks_by_their_share), TEST(a_process_may_end_with_marks),
		TEST(memory_follows_its_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
