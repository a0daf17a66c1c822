// SPDX-License-Identifier: Apache-2.0
//
// Which task runs next, on which CPU, for how long; and that the same seed gives the same run.

#include "tests/scheduler_fixture.h"

static struct wait_queue queue;

// ---- who runs next ----

static void steps_of_7(struct simulation *s, struct sim_task *task, void *argument)
{
	unsigned step = 7 + 4 * number_of(argument);

	(void)s;
	(void)task;
	for (unsigned i = 0; i < 1000; i++) {
		note(number_of(argument));
		charge(step);
	}
}

static void the_cpu_that_is_furthest_behind_runs(void **state)
{
	(void)state;
	begin(1, 4);
	for (unsigned i = 0; i < 4; i++)
		start_on((int)i, 0, steps_of_7, as_argument(i));
	run_to(NS_PER_S);
	assert_int_equal(nr_events, 4000);
	for (unsigned i = 1; i < nr_events; i++)
		assert_true(events[i].time >= events[i - 1].time);
	for (unsigned i = 0; i < 4; i++) // at equal times in order of insertion
		assert_int_equal(events[i].who, i);
}

static void same_steps(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)s;
	(void)task;
	for (unsigned i = 0; i < 100; i++) {
		note(number_of(argument));
		charge(10);
	}
}

static void equal_times_go_round(void **state)
{
	(void)state;
	begin(1, 3);
	for (unsigned i = 0; i < 3; i++)
		start_on((int)i, 0, same_steps, as_argument(i));
	run_to(NS_PER_S);
	for (unsigned i = 0; i < 300; i++) {
		assert_int_equal(events[i].who, i % 3);
		assert_true(events[i].time == 10 * (i / 3));
	}
}

static void within_the_grain_a_cpu_goes_on(void **state)
{
	unsigned turns = 0;

	(void)state;
	describe(1, 2, PAGES);
	machine.scheduling_grain_ns = 100;
	begin_on_machine();
	start_on(0, 0, same_steps, as_argument(0));
	start_on(1, 0, same_steps, as_argument(1));
	run_to(NS_PER_S);
	assert_int_equal(nr_events, 200);
	for (unsigned i = 1; i < nr_events; i++) {
		turns += events[i].who != events[i - 1].who;
		assert_true(events[i].time + 100 + 10 >= events[i - 1].time);
	}
	assert_in_range(turns, 5, 20); // strictly in order there would be 199
}

static void an_alarm_comes_before_a_cpu_of_the_same_time(void **state)
{
	struct sim_timer timer[3];

	(void)state;
	begin(1, 1);
	memset(timer, 0, sizeof(timer));
	timer_start(sim, &timer[0], start_ns + 20, on_timer, as_argument(10));
	timer_start(sim, &timer[1], start_ns + 15, on_timer, as_argument(11));
	timer_start(sim, &timer[2], start_ns + 20, on_timer, as_argument(12));
	start_on(0, 0, same_steps, as_argument(0));
	run_to(1000);
	assert_int_equal(events[1].who, 0);
	assert_int_equal(events[2].who, 11);
	assert_int_equal(events[3].who, 10);
	assert_int_equal(events[4].who, 12);
	assert_int_equal(events[5].who, 0);
	assert_true(events[2].time == 15 && events[3].time == 20 && events[5].time == 20);
}

static void count_time(struct simulation *s, struct sim_task *task, void *argument)
{
	uint64_t *last = argument;

	(void)task;
	for (;;) {
		*last = sim_now(s) - start_ns;
		charge(7);
	}
}

static void a_run_ends_at_its_time_and_goes_on_from_there(void **state)
{
	uint64_t last = 0;

	(void)state;
	begin(1, 1);
	start_on(0, 0, count_time, &last);
	run_to(1000);
	assert_in_range(last, 993, 999);
	run_to(1001);
	assert_in_range(last, 993, 1000);
	run_to(5000);
	assert_in_range(last, 4993, 4999);
	assert_true(sim_now(sim) == start_ns + 5000);
}

// ---- sharing a CPU ----

static void nice_values_share_by_weight(void **state)
{
	// Each step of the nice value is a factor of 1.25: 1.25^19, 1.25^5, 1.25^20.
	static const struct {
		int a, b;
		uint64_t ratio_ppm;
	} pairs[] = {{0, 19, 69388939}, {0, 5, 3051757}, {-20, 0, 86736173}, {3, 3, 1000000}};

	(void)state;
	for (unsigned i = 0; i < COUNT(pairs); i++) {
		struct sim_task *a, *b;
		uint64_t ratio;

		begin(1, 1);
		a = start_on(0, pairs[i].a, compute_for_ever, NULL);
		b = start_on(0, pairs[i].b, compute_for_ever, NULL);
		run_to(400 * NS_PER_S);
		ratio = cpu_time(a) * 1000000 / cpu_time(b);
		assert_in_range(ratio, pairs[i].ratio_ppm / 100 * 98, pairs[i].ratio_ppm / 100 * 102);
		shut_down(NULL);
	}
}

static void charge_then_sleep(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task;
	(void)argument;
	for (unsigned i = 0; i < 1000; i++)
		charge(7);
	task_sleep(s, SIM_FOREVER);
}

static void idle_timer(struct simulation *s, void *argument)
{
	struct sim_timer *timer = argument;

	timer_start(s, timer, sim_now(s) + 1777, idle_timer, timer);
}

static uint64_t vruntime_after(unsigned timers)
{
	struct sim_timer timer[10];
	struct sim_task *task;
	uint64_t vruntime;

	memset(timer, 0, sizeof(timer));
	begin(1, 1);
	for (unsigned i = 0; i < timers; i++)
		timer_start(sim, &timer[i], start_ns + 100 * i, idle_timer, &timer[i]);
	task = start_on(0, 7, charge_then_sleep, NULL);
	run_to(NS_PER_MS);
	vruntime = task->vruntime;
	shut_down(NULL);
	return vruntime;
}

static void vruntime_does_not_depend_on_how_often_it_is_counted(void **state)
{
	(void)state;
	assert_true(vruntime_after(0) == vruntime_after(10));
}

static uint64_t switches_in_a_second(unsigned tasks)
{
	uint64_t before;

	begin(1, 1);
	for (unsigned i = 0; i < tasks; i++)
		start_on(0, 0, compute_for_ever, NULL);
	run_to(NS_PER_S);
	before = scheduler_switches(sim);
	run_to(2 * NS_PER_S);
	before = scheduler_switches(sim) - before;
	shut_down(NULL);
	return before;
}

static void slices_grow_shorter_with_more_tasks(void **state)
{
	(void)state;
	assert_in_range(switches_in_a_second(1), 0, 10);       // some kernel thread may look around
	assert_in_range(switches_in_a_second(2), 640, 690);    // 1.5 ms
	assert_in_range(switches_in_a_second(3), 970, 1020);   // 1 ms
	assert_in_range(switches_in_a_second(20), 1300, 1360); // 0.75 ms at the least
}

static void wake_and_note(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task;
	for (unsigned i = 0; i < 10; i++) {
		task_sleep(s, 20 * NS_PER_MS);
		note(number_of(argument));
		task_compute(s, NS_PER_MS);
	}
}

static void who_slept_preempts(void **state)
{
	(void)state;
	begin(1, 1);
	start_on(0, 0, compute_for_ever, NULL);
	start_on(0, 0, wake_and_note, as_argument(1));
	run_to(NS_PER_S);
	assert_int_equal(nr_events, 10);
	for (unsigned i = 1; i < nr_events; i++) // 1 ms of its own work, 20 ms of sleep, no waiting
		assert_true(events[i].time - events[i - 1].time == 21 * NS_PER_MS);
}

static void who_slept_preempts_within_a_slice(void **state)
{
	(void)state;
	begin(1, 1);
	start_on(0, 0, compute_for_ever, NULL);
	start_on(0, 0, compute_for_ever, NULL);
	start_on(0, 0, wake_and_note, as_argument(1));
	run_to(NS_PER_S);
	assert_int_equal(nr_events, 10);
	for (unsigned i = 1; i < nr_events; i++)
		assert_true(events[i].time - events[i - 1].time == 21 * NS_PER_MS);
}

static void sleep_then_compute(struct simulation *s, struct sim_task *task, void *argument)
{
	uint64_t *got = argument;

	(void)task;
	task_sleep(s, 10 * NS_PER_S);
	task_compute(s, NS_PER_S / 2);
	*got = sim_now(s) - start_ns;
}

static void sleep_saves_up_no_time(void **state)
{
	uint64_t done = 0;

	(void)state;
	begin(1, 1);
	start_on(0, 0, compute_for_ever, NULL);
	start_on(0, 0, sleep_then_compute, &done);
	run_to(20 * NS_PER_S);
	// Half of the CPU for half a second of work; half a slice ahead at most, and the slice that it is in.
	assert_in_range(done, 11 * NS_PER_S - 5 * NS_PER_MS, 11 * NS_PER_S + 5 * NS_PER_MS);
}

static void realtime_tasks_run_first_and_to_the_end(void **state)
{
	struct task_attributes attributes = {.comm = "rt", .cpu = 0, .node = -1, .realtime = true};
	struct sim_task *other;

	(void)state;
	begin(1, 1);
	other = start_on(0, -20, compute_for_ever, NULL);
	run_to(100 * NS_PER_MS);
	for (unsigned i = 0; i < 3; i++)
		assert_non_null(task_create(sim, &attributes, compute_5ms, as_argument(i)));
	run_to(115 * NS_PER_MS);
	run_to(120 * NS_PER_MS);
	assert_int_equal(nr_events, 6);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(events[2 * i].who, i);
		assert_int_equal(events[2 * i + 1].who, i + 100);
		assert_true(events[2 * i + 1].time == (105 + 5 * i) * NS_PER_MS);
	}
	task_stop(sim, other);
}

// ---- which CPU ----

static void note_cpu(struct simulation *s, struct sim_task *task, void *argument)
{
	unsigned *cpu = argument;

	task_compute(s, NS_PER_MS);
	*cpu = task->cpu;
}

static struct sim_task *start_anywhere(int node, task_body *body, void *argument)
{
	const struct task_attributes attributes = {.comm = "test", .cpu = -1, .node = node};

	return task_create(sim, &attributes, body, argument);
}

static void new_tasks_take_idle_cpus_of_the_node_first(void **state)
{
	unsigned cpu[6];

	(void)state;
	begin(2, 4);
	run_to(NS_PER_S); // the kernel threads sleep
	for (unsigned i = 0; i < 6; i++)
		start_anywhere(-1, note_cpu, &cpu[i]);
	run_to(2 * NS_PER_S);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(cpu[i], i);
}

static unsigned child_cpu[5];

static void spawn(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < COUNT(child_cpu); i++)
		start_anywhere(-1, note_cpu, &child_cpu[i]);
	task_compute(s, NS_PER_MS);
	assert_int_equal(task->cpu, 4);
}

static void idle_cpus_of_the_creators_node_come_first(void **state)
{
	static const unsigned expected[] = {5, 6, 7, 0, 1};

	(void)state;
	begin(2, 4);
	start_on(4, 0, spawn, NULL);
	run_to(NS_PER_S);
	for (unsigned i = 0; i < COUNT(expected); i++)
		assert_int_equal(child_cpu[i], expected[i]);
}

static void limits_hold(void **state)
{
	unsigned cpu[12];

	(void)state;
	begin(2, 2);
	for (unsigned i = 0; i < 12; i++)
		if (i < 6)
			start_anywhere(1, note_cpu, &cpu[i]);
		else
			start_on(3, 0, note_cpu, &cpu[i]);
	run_to(NS_PER_S);
	for (unsigned i = 0; i < 6; i++)
		assert_in_range(cpu[i], 2, 3);
	for (unsigned i = 6; i < 12; i++)
		assert_int_equal(cpu[i], 3);
}

static void sleep_and_note_cpu(struct simulation *s, struct sim_task *task, void *argument)
{
	task_compute(s, NS_PER_MS);
	task_sleep(s, NS_PER_MS);
	note_cpu(s, task, argument);
}

static void who_wakes_goes_back_to_its_cpu(void **state)
{
	unsigned cpu[4];

	(void)state;
	begin(1, 4);
	run_to(NS_PER_S);
	for (unsigned i = 0; i < 4; i++)
		start_anywhere(-1, sleep_and_note_cpu, &cpu[i]);
	run_to(2 * NS_PER_S);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(cpu[i], i);
}

static void an_idle_cpu_takes_waiting_tasks(void **state)
{
	struct sim_task *task[2];

	(void)state;
	begin(1, 2);
	for (unsigned i = 0; i < 6; i++)
		start_on(1, 0, compute_5ms, as_argument(i));
	start_on(0, 0, compute_for_ever, NULL);
	for (unsigned i = 0; i < 2; i++)
		task[i] = start_anywhere(-1, compute_for_ever, NULL);
	run_to(NS_PER_S);
	// Three on the first CPU, until the other one has nothing to do and takes one of them.
	assert_int_equal(task[0]->cpu + task[1]->cpu, 1);
	assert_in_range(cpu_time(task[0]) + cpu_time(task[1]), 1450 * NS_PER_MS, 1480 * NS_PER_MS);
}

// Who is bound to a CPU comes to one that is busy, and another one has nothing to do.
static void a_task_that_gives_way_goes_to_an_idle_cpu(void **state)
{
	struct sim_task *anywhere, *bound;

	(void)state;
	begin(1, 2);
	anywhere = start_anywhere(-1, compute_for_ever, NULL);
	run_to(10 * NS_PER_MS);
	bound = start_on((int)anywhere->cpu, 0, compute_for_ever, NULL);
	run_to(NS_PER_S);
	assert_true(anywhere->cpu != bound->cpu);
	assert_true(cpu_time(anywhere) > 970 * NS_PER_MS);
	assert_true(cpu_time(bound) > 970 * NS_PER_MS);
}

static void waking_an_idle_cpu_takes_time(void **state)
{
	struct cpu_times times;

	(void)state;
	describe(1, 1, PAGES);
	machine.cost_ns[COST_WAKE_IDLE] = 2000;
	machine.cost_ns[COST_SWITCH] = 1100;
	begin_on_machine();
	run_to(10 * NS_PER_MS);
	start_on(0, 0, compute_5ms, as_argument(0));
	run_to(20 * NS_PER_MS);
	assert_true(events[0].time == 10 * NS_PER_MS + 3100);
	scheduler_cpu_times(sim, 0, &times);
	assert_true(times.user == 5 * NS_PER_MS);
	assert_true(times.user + times.system + times.idle == start_ns + 20 * NS_PER_MS);
}

// ---- everything at once ----

static uint64_t hash, last_time[40];

static void mix(uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x100000001b3);
}

static void pause_or_go_on(struct simulation *s, struct sim_task *task, uint64_t how, uint64_t ns)
{
	bool io = random_chance(&task->random, 1, 2);

	switch (how) {
	case 0: task_sleep(s, ns); break;
	case 1: task_compute(s, ns); break;
	case 2: task_wait(s, &queue, ns, io); break;
	case 3: wake_one(s, &queue); break;
	default: charge(ns / 20); break;
	}
}

static void random_work(struct simulation *s, struct sim_task *task, void *argument)
{
	uint64_t *last = &last_time[number_of(argument)];
	uint32_t *page = task_memory(s, task, 64 * sizeof(*page));

	memset(page, 0xff, 64 * sizeof(*page));
	while (!task_stopped(task)) {
		uint32_t *slot = &page[random_below(&task->random, 64)];
		uint64_t how;

		assert_true(sim_now(s) >= *last); // whatever CPU it runs on
		*last = sim_now(s);
		mix(sim_now(s));
		mix(number_of(argument));
		mix(*slot);
		if (*slot == YARD_PFN_NONE) {
			*slot = sim_alloc(s, REQUEST_ANON, YARD_GFP_HIGHUSER_MOVABLE, 0, -1);
		} else {
			sim_free(s, *slot, 0);
			*slot = YARD_PFN_NONE;
		}
		how = random_below(&task->random, 6);
		pause_or_go_on(s, task, how, random_below(&task->random, 100000));
	}
}

static uint64_t run_mix(uint64_t seed, unsigned idle_timers, uint64_t grain, unsigned tasks)
{
	struct sim_timer timer[50];

	memset(timer, 0, sizeof(timer));
	memset(last_time, 0, sizeof(last_time));
	queue = (struct wait_queue){NULL, NULL};
	hash = seed;
	describe(2, 4, PAGES);
	default_costs();
	machine.scheduling_grain_ns = grain;
	sim = boot_as("linux-7.3", seed, false);
	for (unsigned i = 0; i < idle_timers; i++)
		timer_start(sim, &timer[i], 1000 * i, idle_timer, &timer[i]);
	for (unsigned i = 0; i < tasks; i++) {
		const struct task_attributes attributes = {
			.comm = "mix",
			.index = i,
			.cpu = i % 5 ? -1 : (int)(i % 8),
			.node = -1,
			.nice = (int)(i % 7) - 3,
			.realtime = i % 11 == 0,
		};

		assert_non_null(task_create(sim, &attributes, random_work, as_argument(i)));
	}
	run_until(20 * NS_PER_MS);
	for (unsigned cpu = 0; cpu < 8; cpu++) {
		struct cpu_times times;
		uint64_t sum;

		scheduler_cpu_times(sim, cpu, &times);
		sum = times.user + times.system + times.idle;
		assert_in_range(sum, 20 * NS_PER_MS, 20 * NS_PER_MS + 200 * NS_PER_US); // a CPU may be ahead
		mix(times.user);
		mix(times.system);
		mix(times.lock_spin);
	}
	check_yard();
	shut_down(NULL);
	return hash;
}

static void the_same_seed_gives_the_same_run(void **state)
{
	(void)state;
	for (unsigned grain = 0; grain <= 5000; grain += 2500) {
		uint64_t first = run_mix(1, 0, grain, 30);

		assert_true(run_mix(1, 0, grain, 30) == first);
		assert_true(run_mix(2, 0, grain, 30) != first);
		assert_true(run_mix(1, 1, grain, 30) == first); // timers that do nothing change nothing
		assert_true(run_mix(1, 50, grain, 30) == first);
	}
}

static void tasks_are_abandoned_where_they_are(void **state)
{
	(void)state;
	for (unsigned tasks = 1; tasks < 40; tasks += 7) // leaks are the sanitizer's to find
		run_mix(tasks, 3, 0, tasks);
}

static void fail_now(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task;
	(void)argument;
	task_compute(s, 100);
	sim_fail(s, "first %d", 1);
	sim_fail(s, "second");
	sim_point(s);
	note(0);
}

static void an_error_ends_the_run(void **state)
{
	(void)state;
	begin(1, 1);
	start_on(0, 0, fail_now, NULL);
	assert_false(simulation_run(sim, NS_PER_S));
	assert_string_equal(sim->error, "first 1");
	assert_int_equal(nr_events, 0);
	assert_false(simulation_run(sim, 2 * NS_PER_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_cpu_that_is_furthest_behind_runs, shut_down),
		cmocka_unit_test_teardown(equal_times_go_round, shut_down),
		cmocka_unit_test_teardown(within_the_grain_a_cpu_goes_on, shut_down),
		cmocka_unit_test_teardown(an_alarm_comes_before_a_cpu_of_the_same_time, shut_down),
		cmocka_unit_test_teardown(a_run_ends_at_its_time_and_goes_on_from_there, shut_down),
		cmocka_unit_test(nice_values_share_by_weight),
		cmocka_unit_test(vruntime_does_not_depend_on_how_often_it_is_counted),
		cmocka_unit_test(slices_grow_shorter_with_more_tasks),
		cmocka_unit_test_teardown(who_slept_preempts, shut_down),
		cmocka_unit_test_teardown(who_slept_preempts_within_a_slice, shut_down),
		cmocka_unit_test_teardown(sleep_saves_up_no_time, shut_down),
		cmocka_unit_test_teardown(realtime_tasks_run_first_and_to_the_end, shut_down),
		cmocka_unit_test_teardown(new_tasks_take_idle_cpus_of_the_node_first, shut_down),
		cmocka_unit_test_teardown(idle_cpus_of_the_creators_node_come_first, shut_down),
		cmocka_unit_test_teardown(limits_hold, shut_down),
		cmocka_unit_test_teardown(who_wakes_goes_back_to_its_cpu, shut_down),
		cmocka_unit_test_teardown(an_idle_cpu_takes_waiting_tasks, shut_down),
		cmocka_unit_test_teardown(a_task_that_gives_way_goes_to_an_idle_cpu, shut_down),
		cmocka_unit_test_teardown(waking_an_idle_cpu_takes_time, shut_down),
		cmocka_unit_test(the_same_seed_gives_the_same_run),
		cmocka_unit_test(tasks_are_abandoned_where_they_are),
		cmocka_unit_test_teardown(an_error_ends_the_run, shut_down),
	};

	return cmocka_run_group_tests_name("scheduler", tests, NULL, NULL);
}
