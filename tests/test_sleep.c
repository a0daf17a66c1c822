// SPDX-License-Identifier: Apache-2.0
//
// Sleep and wake-ups, timers whose callbacks are interrupts, and what the pressure statistics see of it.

#include "tests/scheduler_fixture.h"

#include <pageyard/pressure.h>

// ---- sleep and wake-ups ----

static struct wait_queue queue;

static void wait_once(struct simulation *s, struct sim_task *task, void *argument)
{
	bool woken = task_wait(s, &queue, NS_PER_S, false);

	(void)task;
	note(number_of(argument) + (woken ? 100 : 200) + (task_stopped(task) ? 1000 : 0));
}

static void wake_some(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task;
	(void)argument;
	task_sleep(s, 10 * NS_PER_MS);
	assert_true(wake_one(s, &queue));
	task_sleep(s, 10 * NS_PER_MS);
	wake_all(s, &queue);
	assert_false(wake_one(s, &queue));
}

static void wake_ups_in_order_of_arrival(void **state)
{
	(void)state;
	begin(1, 1);
	queue = (struct wait_queue){NULL, NULL};
	for (unsigned i = 0; i < 4; i++)
		start_on(0, 0, wait_once, as_argument(i));
	start_on(0, 0, wake_some, NULL);
	run_to(2 * NS_PER_S);
	assert_int_equal(nr_events, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(events[i].who, 100 + i);
		assert_true(events[i].time == (i ? 20 : 10) * NS_PER_MS);
	}
}

static void a_wait_ends_with_its_time(void **state)
{
	(void)state;
	begin(1, 2);
	queue = (struct wait_queue){NULL, NULL};
	start_on(0, 0, wait_once, as_argument(0));
	run_to(3 * NS_PER_S);
	assert_int_equal(nr_events, 1);
	assert_int_equal(events[0].who, 200);
	assert_true(events[0].time == NS_PER_S);
	assert_null(queue.first);
}

static void wait_for_device(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task;
	assert_false(task_wait(s, &queue, 500 * NS_PER_MS, true));
	note(number_of(argument));
}

static void stop_ends_interruptible_sleeps_only(void **state)
{
	struct sim_task *waiting, *reading, *computing;

	(void)state;
	begin(1, 3);
	queue = (struct wait_queue){NULL, NULL};
	waiting = start_on(0, 0, wait_once, as_argument(0));
	reading = start_on(1, 0, wait_for_device, as_argument(1));
	computing = start_on(2, 0, compute_5ms, as_argument(2));
	run_to(NS_PER_MS);
	task_stop(sim, waiting);
	task_stop(sim, reading);
	task_stop(sim, computing);
	run_to(2 * NS_PER_S);
	assert_int_equal(nr_events, 4);
	assert_int_equal(events[1].who, 1200);
	assert_int_equal(events[2].who, 102);
	assert_true(events[1].time == NS_PER_MS && events[2].time == NS_PER_MS);
	assert_int_equal(events[3].who, 1);
	assert_true(events[3].time == 500 * NS_PER_MS);
}

static void wait_for_end(struct simulation *s, struct sim_task *task, void *argument)
{
	struct sim_task *other = argument;

	(void)task;
	assert_true(task_wait(s, &other->ended, SIM_FOREVER, false));
	note(7);
}

static void at_end(struct simulation *s, struct sim_task *task)
{
	assert_ptr_equal(task_current(s), task);
	task_sleep(s, NS_PER_MS); // still a task
	note(6);
}

static void the_end_of_a_task_is_told(void **state)
{
	struct task_attributes attributes = {.comm = "ends", .cpu = 0, .node = -1, .at_end = at_end};
	struct sim_task *task;

	(void)state;
	begin(1, 2);
	task = task_create(sim, &attributes, compute_5ms, as_argument(0));
	start_on(1, 0, wait_for_end, task);
	run_to(NS_PER_S);
	assert_int_equal(nr_events, 4);
	assert_int_equal(events[2].who, 6);
	assert_int_equal(events[3].who, 7);
	assert_true(events[3].time == 6 * NS_PER_MS);
}

static void wait_as_the_engine(struct simulation *s, struct sim_task *task, void *argument)
{
	struct yard_host *host = s->host;
	uint64_t slept = host->wait(host->context, number_of(argument), 10 * NS_PER_MS);

	(void)task;
	note((unsigned)(slept / NS_PER_MS));
}

static void the_engines_queues_are_the_schedulers(void **state)
{
	struct sim_task *uninterruptible, *killable;

	(void)state;
	begin(2, 2);
	uninterruptible = start_on(0, 0, wait_as_the_engine, as_argument(YARD_QUEUE_WRITEBACK));
	killable = start_on(1, 0, wait_as_the_engine, as_argument(YARD_QUEUE_PFMEMALLOC));
	start_on(2, 0, wait_as_the_engine, as_argument(YARD_QUEUES + YARD_QUEUE_CONGESTED));
	run_to(2 * NS_PER_MS);
	task_stop(sim, uninterruptible); // spec 04 C-12
	task_stop(sim, killable);	 // D-3
	run_to(5 * NS_PER_MS);
	sim->host->wake(sim->host->context, YARD_QUEUES + YARD_QUEUE_CONGESTED);
	run_to(NS_PER_S);
	assert_int_equal(nr_events, 3);
	assert_int_equal(events[0].who, 2);
	assert_int_equal(events[1].who, 5);
	assert_int_equal(events[2].who, 10);
}

// ---- timers and interrupts ----

static void busy_interrupt(struct simulation *s, void *argument)
{
	assert_true(scheduler_in_interrupt(s));
	assert_null(task_current(s));
	assert_null(yard_get_current(s->yard));
	assert_false(task_wait(s, &queue, NS_PER_S, false)); // nobody who could sleep
	assert_int_equal(s->host->wait(s->host->context, YARD_QUEUE_WRITEBACK, NS_PER_S), 0);
	note(number_of(argument));
	sim->host->now_ns += 10 * NS_PER_US;
}

static void interrupts_take_the_time_of_their_cpus_task(void **state)
{
	struct sim_timer timer[4];
	struct cpu_times times;

	(void)state;
	begin(1, 2);
	queue = (struct wait_queue){NULL, NULL};
	run_to(NS_PER_MS);
	memset(timer, 0, sizeof(timer));
	for (unsigned i = 0; i < 4; i++) {
		timer[i].cpu = i == 3;
		// The second comes while the first runs.
		timer_start(sim, &timer[i], start_ns + 2 * NS_PER_MS + 5 * NS_PER_US * i, busy_interrupt,
			    as_argument(10 + i));
	}
	start_on(0, 0, compute_5ms, as_argument(0));
	start_on(1, 0, compute_5ms, as_argument(1));
	run_to(NS_PER_S / 2);
	assert_int_equal(nr_events, 8);
	assert_true(events[2].who == 10 && events[2].time == 2 * NS_PER_MS);
	assert_true(events[3].who == 11 && events[3].time == 2 * NS_PER_MS + 10 * NS_PER_US);
	assert_true(events[4].who == 12 && events[4].time == 2 * NS_PER_MS + 20 * NS_PER_US);
	assert_true(events[5].who == 13 && events[5].time == 2 * NS_PER_MS + 15 * NS_PER_US);
	assert_true(events[6].who == 101 && events[6].time == 6 * NS_PER_MS + 10 * NS_PER_US);
	assert_true(events[7].who == 100 && events[7].time == 6 * NS_PER_MS + 30 * NS_PER_US);
	scheduler_cpu_times(sim, 0, &times);
	assert_true(times.user == 5 * NS_PER_MS && times.system == 30 * NS_PER_US);
	assert_true(times.user + times.system + times.idle == start_ns + NS_PER_S / 2);
}

static void waking_interrupt(struct simulation *s, void *argument)
{
	(void)argument;
	s->host->now_ns += 4 * NS_PER_US;
	wake_all(s, &queue);
	s->host->now_ns += 6 * NS_PER_US;
}

static void an_idle_cpu_finishes_its_interrupt_first(void **state)
{
	struct sim_timer timer = {.cpu = 0};
	struct cpu_times times;

	(void)state;
	begin(1, 1);
	queue = (struct wait_queue){NULL, NULL};
	start_on(0, 0, wait_once, as_argument(0));
	timer_start(sim, &timer, start_ns + NS_PER_MS, waking_interrupt, NULL);
	run_to(10 * NS_PER_MS);
	assert_int_equal(nr_events, 1);
	assert_int_equal(events[0].who, 100);
	assert_true(events[0].time == NS_PER_MS + 10 * NS_PER_US);
	scheduler_cpu_times(sim, 0, &times);
	assert_true(times.system == 10 * NS_PER_US);
	assert_true(times.system + times.idle == start_ns + 10 * NS_PER_MS);
}

static void timers_can_be_cancelled_and_set_anew(void **state)
{
	struct sim_timer timer[3];

	(void)state;
	begin(1, 1);
	memset(timer, 0, sizeof(timer));
	run_to(100);
	timer_start(sim, &timer[0], start_ns + 200, on_timer, as_argument(0));
	timer_start(sim, &timer[1], start_ns + 200, on_timer, as_argument(1));
	timer_start(sim, &timer[2], start_ns + 50, on_timer, as_argument(2)); // the past: now
	timer_cancel(sim, &timer[0]);
	timer_start(sim, &timer[1], start_ns + 300, on_timer, as_argument(3));
	timer_cancel(sim, &timer[0]); // it isn't set
	run_to(1000);
	assert_int_equal(nr_events, 2);
	assert_true(events[0].who == 2 && events[0].time == 100);
	assert_true(events[1].who == 3 && events[1].time == 300);
}

// ---- pressure ----

static void stall(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task;
	yard_memstall_enter(s->yard);
	task_sleep(s, (uint64_t)number_of(argument) * NS_PER_MS);
	yard_memstall_leave(s->yard);
}

static void pressure_knows_where_tasks_are(void **state)
{
	struct yard_psi psi;

	(void)state;
	begin(1, 2);
	run_to(NS_PER_S);
	start_on(0, 0, stall, as_argument(1000));
	run_to(3 * NS_PER_S);
	yard_psi_get(sim->yard, 0, &psi);
	assert_int_equal(psi.total_us[YARD_PSI_SOME], 1000000);
	assert_int_equal(psi.total_us[YARD_PSI_FULL], 1000000);
	start_on(1, 0, compute_for_ever, NULL); // gets something done, on a CPU that counts as much
	start_on(1, 0, stall, as_argument(1000));
	run_to(6 * NS_PER_S);
	yard_psi_get(sim->yard, 0, &psi);
	assert_in_range(psi.total_us[YARD_PSI_SOME], 1990000, 2010000);
	assert_in_range(psi.total_us[YARD_PSI_FULL], 1000000, 1010000);
}

static void a_clock_that_is_behind_adds_no_pressure(void **state)
{
	struct yard_task task = {.pid = 1000};
	struct yard_psi psi;

	(void)state;
	begin(1, 1);
	yard_set_current(sim->yard, &task);
	yard_memstall_enter(sim->yard);
	sim->host->now_ns -= 1000; // told by a CPU that has not come as far
	assert_int_equal(yard_psi_task(sim->yard, &task, 0, YARD_PSI_RUNNABLE), YARD_OK);
	yard_memstall_leave(sim->yard);
	yard_set_current(sim->yard, NULL);
	run_to(NS_PER_S);
	yard_psi_get(sim->yard, 0, &psi);
	assert_int_equal(psi.total_us[YARD_PSI_SOME], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(wake_ups_in_order_of_arrival, shut_down),
		cmocka_unit_test_teardown(a_wait_ends_with_its_time, shut_down),
		cmocka_unit_test_teardown(stop_ends_interruptible_sleeps_only, shut_down),
		cmocka_unit_test_teardown(the_end_of_a_task_is_told, shut_down),
		cmocka_unit_test_teardown(the_engines_queues_are_the_schedulers, shut_down),
		cmocka_unit_test_teardown(interrupts_take_the_time_of_their_cpus_task, shut_down),
		cmocka_unit_test_teardown(an_idle_cpu_finishes_its_interrupt_first, shut_down),
		cmocka_unit_test_teardown(timers_can_be_cancelled_and_set_anew, shut_down),
		cmocka_unit_test_teardown(pressure_knows_where_tasks_are, shut_down),
		cmocka_unit_test_teardown(a_clock_that_is_behind_adds_no_pressure, shut_down),
	};

	return cmocka_run_group_tests_name("sleep", tests, NULL, NULL);
}
