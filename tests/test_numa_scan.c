// SPDX-License-Identifier: Apache-2.0
//
// NUMA balancing: when tasks scan and which pages they mark (spec 05 B1 to B6, B12).

#include "numa_fixture.h"

// ---- B1, B2 ----

static void B1_off_and_on_one_node(void **state)
{
	(void)state;
	boot(NODES_2("mode: 0"), "linux-7.3");
	assert_null(counts());
	tear_down(state);
	enter_folder(state);
	boot("machine: {memory: 64MiB, cpus: 1, numa_balancing: {mode: 1}}\nduration: 1s\nworkload: [{kind: storm}]\n",
	     "linux-7.3");
	assert_null(counts());
	tear_down(state);
	enter_folder(state);
	boot(NODES_2("mode: 1"), "linux-7.3");
	assert_non_null(counts());
}

static void B2_defaults(void **state)
{
	const struct numa_balancing_settings *settings;

	(void)state;
	boot("machine: {memory: 64MiB, cpus: 1, nodes: [{}, {}]}\nduration: 1s\nworkload: [{kind: storm}]\n", "linux-7.3");
	settings = &scenario->machine.numa_balancing;
	assert_int_equal(settings->mode, 0);
	assert_int_equal(settings->scan_delay_ns, NS_PER_S);
	assert_int_equal(settings->period_min_ns, NS_PER_S);
	assert_int_equal(settings->period_max_ns, 60 * NS_PER_S);
	assert_int_equal(settings->scan_pages, 65536); // 256 MiB
	assert_int_equal(settings->hot_threshold_ns, NS_PER_S);
	assert_int_equal(settings->promote_rate_limit, UINT64_C(65536) * 256); // 65536 MiB
}

// ---- B3 ----

static void B3_periods_follow_the_size(void **state)
{
	static const struct {
		uint64_t scan_mib, resident, min_ms, max_ms;
	} cases[] = {
		{256, 0, 1000, 60000},	     {256, 65536, 1000, 60000}, {256, 65537, 500, 30000},
		{256, 20 * 65536, 100, 3000}, {256, 15728640, 100, 250}, // 60 GB: 240 windows (B14)
		{256, 700 * 65536, 100, 100}, {64, 15728640, 25, 62},	 {4096, 65536, 1000, 60000},
	};
	struct process process = {.pid = 1};

	(void)state;
	boot(NODES_2("mode: 1"), "linux-7.3");
	sim->balancing->settings.period_min_ns = NS_PER_S;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t min, max;

		sim->balancing->settings.scan_pages = cases[i].scan_mib * 256;
		process.resident = cases[i].resident;
		numa_periods(sim, &process, &min, &max);
		assert_int_equal(min / NS_PER_MS, cases[i].min_ms);
		assert_int_equal(max / NS_PER_MS, cases[i].max_ms);
	}
}

// ---- B4 ----

static void wait_and_compute(struct sim_task *task)
{
	const struct numa_scan *at = &task->process->numa;

	map_on(task, R, 1);
	assert_in_range(at->next_ns, NS_PER_S, NS_PER_S + NS_PER_MS); // the delay
	task_sleep_until(sim, at->next_ns + 2 * NS_PER_S);
	numa_balancing_tick(sim);
	assert_int_equal(at->sequence, 0); // the time has come, but it has not used its period of CPU time
	task_compute(sim, NS_PER_S - 20 * NS_PER_MS);
	numa_balancing_tick(sim);
	assert_int_equal(at->sequence, 0);
	task_compute(sim, 20 * NS_PER_MS);
	numa_balancing_tick(sim);
	assert_int_equal(at->sequence, 1);
	assert_int_equal(at->next_ns / NS_PER_MS, sim_now(sim) / NS_PER_MS + 1000);
	task->numa.stamp_ns = 0;
	task->numa.period_ns = 1000; // now CPU time would do
	numa_balancing_tick(sim);
	assert_int_equal(at->sequence, 1);
	task_sleep_until(sim, at->next_ns);
	task->numa.stamp_ns = 0;
	task->numa.period_ns = 1000;
	numa_balancing_tick(sim);
	assert_int_equal(at->sequence, 2);
}

static void B4_a_scan_waits_for_cpu_time_and_for_the_clock(void **state)
{
	(void)state;
	in_task("machine: {memory: 64MiB, cpus: 1, nodes: [{}, {}], numa_balancing: {mode: 1}}\n"
		"duration: 1s\nworkload: [{kind: storm}]\n", wait_and_compute);
}

static unsigned winners;

static void compete(struct sim_task *task)
{
	uint32_t before;

	task_sleep_until(sim, NS_PER_S / 10);
	task->process->numa.next_ns = 1 + NS_PER_S / 10; // both think that it is time
	task->numa.period_ns = NS_PER_S;
	task_compute(sim, 2 * NS_PER_S);
	before = task->process->numa.sequence;
	numa_balancing_tick(sim);
	winners += task->process->numa.sequence != before;
}

static void B4_one_thread_a_period_scans(void **state)
{
	struct process *process;

	(void)state;
	winners = 0;
	boot(NODES_2("mode: 1"), "linux-7.3");
	process = new_process();
	add_thread(process, 0, compete);
	add_thread(process, 0, compete);
	finish_bodies();
	assert_int_equal(winners, 1);
}

// ---- B5 ----

static void rest_new_mappings(struct sim_task *task)
{
	struct memory_object *old = map_on(task, R, 1), *young;

	scan_now(task);
	assert_int_equal(count_marked(old), R); // at once in the first sequence
	young = map_on(task, R, 1);
	touch(old, 0); // so that there is another mapping to scan
	scan_now(task);
	assert_int_equal(count_marked(young), 0);
	assert_true(is_marked(old, 0) || object_node_of(sim, old, 0) == 0);
	task_compute(sim, NS_PER_S);
	put_pages(old, 0, 1, 1);
	scan_now(task);
	assert_int_equal(count_marked(young), R);
}

static void B5_new_mappings_rest_for_a_second(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), rest_new_mappings);
}

// What nobody accesses is scanned in its first two sequences, then each time that it was left out as often as the
// process has threads. What is accessed is always scanned.
static void skip_unused(struct sim_task *task)
{
	struct memory_object *used = map_on(task, R, 1), *unused = map_on(task, R, 1);
	unsigned scans = 0;

	for (unsigned sequence = 0; sequence < 8; sequence++) {
		uint32_t before = unused->numa.scanned;

		assert_int_equal(task->process->numa.sequence, sequence);
		scan_now(task);
		task_compute(sim, NS_PER_S); // new mappings rest
		used->numa.accessed_by[0] = UINT64_MAX;
		assert_int_equal(used->numa.scanned, sequence + 1);
		scans += unused->numa.scanned != before;
		assert_int_equal(unused->numa.scanned != before, sequence < 2 || sequence % 2);
	}
	assert_int_equal(scans, 5);
}

static void B5_mappings_that_the_thread_does_not_access_are_left_out(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), skip_unused);
}

static void turn_windows(struct sim_task *task)
{
	struct memory_object *object = map_on(task, R, 1);

	for (unsigned i = 0; i < 3; i++)
		scan_now(task);
	touch(object, 0);
	assert_int_equal(object->numa.accessed_by[0], UINT64_C(1) << task->task.pid % 64);
	task_compute(sim, 4 * NS_PER_S);
	scan_now(task);
	assert_int_equal(object->numa.accessed_by[0], 0);
	assert_int_equal(object->numa.accessed_by[1], UINT64_C(1) << task->task.pid % 64);
	task_compute(sim, 4 * NS_PER_S);
	scan_now(task);
	scan_now(task);
	assert_int_equal(object->numa.accessed_by[1], 0);
}

static void B5_two_windows_of_four_seconds(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), turn_windows);
}

// Larger than a scan: the forced one goes on in the next.
static void force_large(struct sim_task *task)
{
	struct memory_object *object = map_on(task, 2 * SCAN, 1);

	task->process->numa.sequence = 7; // it is new, and nothing else is there
	scan_now(task);
	assert_int_equal(count_marked(object), SCAN);
	assert_int_equal(task->process->numa.sequence, 7);
	scan_now(task);
	assert_int_equal(count_marked(object), 2 * SCAN);
	assert_int_equal(task->process->numa.sequence, 8);
}

static void B5_if_nothing_else_is_left_one_is_forced(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), force_large);
}

static void unmap_first(struct sim_task *task)
{
	struct memory_object *first = map_on(task, R, 1), *second = map_on(task, 2 * SCAN, 1);

	scan_now(task);
	assert_int_equal(count_marked(second), SCAN - R);
	process_unmap(sim, task->process, first);
	scan_now(task);
	assert_int_equal(count_marked(second), 2 * SCAN - R); // it went on where it was
	process_unmap(sim, task->process, second);
	second = map_on(task, R, 1);
	task->process->numa.sequence = 0;
	scan_now(task);
	assert_int_equal(count_marked(second), R); // ... not in the middle of another mapping
}

static void B5_a_scan_goes_on_after_munmap(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), unmap_first);
}

// ---- B6 ----

static void scan_in_parts(struct sim_task *task)
{
	struct memory_object *object = map_on(task, 5 * R, 1);

	for (unsigned scans = 1; scans <= 3; scans++) {
		assert_int_equal(task->process->numa.sequence, 0);
		scan_now(task);
		assert_int_equal(count_marked(object), scans < 3 ? scans * SCAN : 5 * R);
	}
	assert_int_equal(task->process->numa.sequence, 1);
	assert_int_equal(counts()->pte_updates, 5 * R);
	scan_now(task); // all are marked already
	assert_int_equal(counts()->pte_updates, 5 * R);
}

static void B6_a_scan_marks_its_size_and_goes_on_there(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_in_parts);
}

// The next mapping is not taken for scanned when the budget ends where it begins.
static void scan_two(struct sim_task *task)
{
	struct memory_object *first = map_on(task, SCAN, 1), *second = map_on(task, SCAN, 1);

	scan_now(task);
	assert_int_equal(count_marked(first), SCAN);
	scan_now(task);
	assert_int_equal(count_marked(second), SCAN);
}

static void B6_a_scan_that_ends_with_a_mapping(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_two);
}

// Address space without anything to mark: eight times as much. With one page to mark, the budget itself.
static void scan_sparse(struct sim_task *task)
{
	struct memory_object *object = map_on(task, 10 * SCAN, 0);

	scan_now(task);
	assert_int_equal(task->process->numa.page, 8 * SCAN);
	assert_int_equal(counts()->pte_updates, 0);
	scan_now(task);
	assert_int_equal(task->process->numa.sequence, 1);
	object_drop(sim, object, R, R + 1);
	put_pages(object, R, 1, 1);
	scan_now(task);
	assert_int_equal(task->process->numa.page, SCAN);
	assert_int_equal(counts()->pte_updates, 1);
	assert_true(is_marked(object, R));
}

static void B6_address_space_of_a_scan(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_sparse);
}

static void scan_local(struct sim_task *task)
{
	struct memory_object *local = map_on(task, R, 0), *remote = map_on(task, R, 1);

	scan_now(task);
	assert_int_equal(count_marked(local), 0);
	assert_int_equal(count_marked(remote), R);
	task->process->threads++;
	scan_now(task);
	task->process->threads--;
	assert_int_equal(count_marked(local), R);
}

static void B6_pages_at_home_of_a_process_of_one_thread_are_not_marked(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_local);
}

static void scan_unmapped(struct sim_task *task)
{
	struct memory_object *object = map_on(task, R, 1);
	uint32_t pfn = entry_frame(region_entry(region_of(sim, object, 0), 7));

	assert_int_equal(yard_lru_map(sim->yard, pfn, YARD_UNMAPPED), YARD_OK);
	object_drop(sim, object, 9, 10);
	scan_now(task);
	assert_false(is_marked(object, 7)); // no entry in the page table
	assert_false(is_marked(object, 9));
	assert_int_equal(counts()->pte_updates, R - 2);
	assert_int_equal(yard_lru_map(sim->yard, entry_frame(region_entry(region_of(sim, object, 0), 8)), YARD_UNMAPPED),
			 YARD_OK);
	assert_int_equal(memory_touch(sim, object, 8, false), TOUCH_MINOR); // as a fault, not a hinting fault
	assert_int_equal(counts()->hint_faults, 0);
	assert_false(is_marked(object, 8));
}

static void B6_only_pages_in_the_page_table_are_marked(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_unmapped);
}

static void scan_tiers(struct sim_task *task)
{
	bool both = sim->balancing->settings.mode == 3;
	struct memory_object *fast = map_on(task, R, 0), *slow = map_on(task, R, 1);

	task->process->threads++;
	task_compute(sim, 50 * NS_PER_MS);
	scan_now(task);
	task->process->threads--;
	assert_int_equal(count_marked(fast), both ? R : 0);
	assert_int_equal(count_marked(slow), R);
	assert_in_range(region_of(sim, slow, 0)->numa[R - 1], time_note() - 5, time_note()); // the time of the mark
	assert_int_equal(both ? region_of(sim, fast, 0)->numa[R - 1] : 0, 0);
}

static void B6_tiering_marks_slower_memory_with_the_time(void **state)
{
	(void)state;
	in_task(TIERS_2("64MiB", "mode: 2"), scan_tiers);
	tear_down(state);
	enter_folder(state);
	in_task(TIERS_2("64MiB", "mode: 3"), scan_tiers);
}

static void scan_huge(struct sim_task *task)
{
	struct memory_object *object = map_huge_on(task, 3, 1);

	scan_now(task);
	assert_int_equal(count_marked(object), SCAN); // two huge pages
	assert_int_equal(counts()->pte_updates, 2);
	touch(object, R + 5);
	assert_int_equal(object_node_of(sim, object, R), 0);
	assert_int_equal(object_node_of(sim, object, 0), 1);
	assert_int_equal(counts()->pages_migrated, R);
	assert_int_equal(counts()->hint_faults, 1);
	assert_int_equal(object_resident_on(object, 0), R);
}

static void B6_a_huge_page_is_marked_as_one(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_huge);
}

static void pay_for_scan(struct sim_task *task)
{
	uint64_t start, end;

	map_on(task, SCAN, 1);
	task->process->numa.next_ns = 1;
	task->numa.period_ns = NS_PER_MS;
	task_compute(sim, 2 * NS_PER_MS);
	task->numa.stamp_ns = task_cpu_ns(sim, task) - NS_PER_MS;
	start = sim_now(sim);
	numa_balancing_tick(sim);
	end = sim_now(sim);
	assert_true(end - start >= SCAN * sim->machine->cost_ns[COST_HINT_MARK]);
	// Before its next scan it computes 32 times as long, and its period.
	assert_in_range(task->numa.stamp_ns - (task_cpu_ns(sim, task) - (end - start)), 32 * (end - start),
			32 * (end - start) + 100);
}

static void B6_a_scan_is_charged_32_times(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), pay_for_scan);
}

// Marks that accesses have used up do not pile up.
static void scan_forever(struct sim_task *task)
{
	struct memory_object *object = map_on(task, 2 * SCAN, 1);

	for (unsigned i = 0; i < 40; i++) {
		for (uint64_t page = 0; page < object->pages; page++)
			mark(object, page, 0);
		for (uint64_t page = 0; page < object->pages; page++)
			region_of(sim, object, page)->entry[page % R] &= ~(uint64_t)ENTRY_HINT;
		scan_now(task);
	}
	assert_true(counts()->pte_updates > 10 * SCAN);
	assert_true(object->marks.max <= 8 * SCAN);
}

static void marks_do_not_pile_up(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_forever);
}

// ---- B12 ----

static void adapt(struct sim_task *task)
{
	static const struct {
		uint32_t local, remote, private, shared, failed, period_ms, expected_ms;
	} cases[] = {
		{0, 0, 0, 0, 0, 2000, 4000},	    // no faults at all
		{0, 10, 10, 0, 0, 2000, 4000},	    // none local, none shared
		{5, 5, 5, 5, 1, 2000, 4000},	    // one could not move
		{0, 0, 0, 0, 0, 40000, 60000},	    // not above the most
		{10, 0, 0, 10, 0, 2000, 2600},	    // all local: 10 - 7 tenths slower
		{7, 3, 0, 10, 0, 2000, 2200},	    // 7 tenths: one
		{1, 9, 10, 0, 0, 2000, 2600},	    // all private
		{0, 10, 0, 10, 0, 2000, 1000},	    // 7 tenths faster, not below the least
		{5, 5, 4, 6, 0, 2000, 1600},	    // 7 - 5
		{4, 6, 6, 4, 0, 2000, 1800},	    // 7 - 6
	};

	map_on(task, R, 0);
	sim->balancing->settings.period_min_ns = NS_PER_S;
	for (size_t i = 0; i < COUNT(cases); i++) {
		task->process->numa.next_ns = SIM_FOREVER; // nobody scans
		task->process->numa.sequence++;
		task->numa.local = cases[i].local;
		task->numa.remote = cases[i].remote;
		task->numa.private = cases[i].private;
		task->numa.shared = cases[i].shared;
		task->numa.failed = cases[i].failed;
		task->numa.period_ns = cases[i].period_ms * NS_PER_MS;
		task->numa.stamp_ns = 0;
		task_compute(sim, task->numa.period_ns);
		numa_balancing_tick(sim);
		assert_int_equal(task->numa.period_ns / NS_PER_MS, cases[i].expected_ms);
		assert_int_equal(task->numa.local + task->numa.remote + task->numa.private + task->numa.shared
					 + task->numa.failed, 0);
	}
}

static void B12_the_period_follows_the_faults(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), adapt);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(B1_off_and_on_one_node), TEST(B2_defaults), TEST(B3_periods_follow_the_size),
		TEST(B4_a_scan_waits_for_cpu_time_and_for_the_clock), TEST(B4_one_thread_a_period_scans),
		TEST(B5_new_mappings_rest_for_a_second), TEST(B5_mappings_that_the_thread_does_not_access_are_left_out),
		TEST(B5_two_windows_of_four_seconds), TEST(B5_if_nothing_else_is_left_one_is_forced),
		TEST(B5_a_scan_goes_on_after_munmap),
		TEST(B6_a_scan_marks_its_size_and_goes_on_there), TEST(B6_a_scan_that_ends_with_a_mapping),
		TEST(B6_address_space_of_a_scan), TEST(B6_pages_at_home_of_a_process_of_one_thread_are_not_marked),
		TEST(B6_only_pages_in_the_page_table_are_marked), TEST(B6_tiering_marks_slower_memory_with_the_time),
		TEST(B6_a_huge_page_is_marked_as_one), TEST(B6_a_scan_is_charged_32_times), TEST(marks_do_not_pile_up),
		TEST(B12_the_period_follows_the_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
