// SPDX-License-Identifier: Apache-2.0
//
// Locks that cost the time for which they are held.

#include "tests/scheduler_fixture.h"

// ---- locks ----

static yard_spinlock lock;
static uint64_t held_ns;

static void hold_at(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task;
	s->host->now_ns += number_of(argument);
	yard_spin_lock(&lock);
	note(number_of(argument));
	s->host->now_ns += held_ns;
	yard_spin_unlock(&lock);
}

static void try_at(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task;
	s->host->now_ns += number_of(argument);
	if (yard_spin_trylock(&lock)) {
		note(1);
		yard_spin_unlock(&lock);
	} else {
		note(0);
	}
}

static void begin_locking(unsigned cpus, uint64_t held)
{
	lock = (yard_spinlock){.held = false};
	held_ns = held;
	describe(1, cpus, PAGES);
	machine.cost_ns[COST_LOCK_HANDOVER] = 50;
	begin_on_machine();
}

static void who_comes_while_a_lock_is_held_waits(void **state)
{
	struct cpu_times times;

	(void)state;
	begin_locking(3, 1000);
	start_on(0, 0, hold_at, as_argument(500));  // holds it from 500 to 1500
	start_on(1, 0, hold_at, as_argument(700));  // waits until then
	start_on(2, 0, hold_at, as_argument(5000)); // it is open again
	run_to(2 * NS_PER_MS);
	assert_true(events[0].time == 500);
	assert_true(events[1].time == 1550);
	assert_true(events[2].time == 5000);
	scheduler_cpu_times(sim, 1, &times);
	assert_int_equal(times.lock_spin, 850);
	assert_int_equal(times.system, 700 + 850 + 1000);
	scheduler_cpu_times(sim, 0, &times);
	assert_int_equal(times.lock_spin, 0);
}

static void who_comes_before_a_hold_does_not_wait(void **state)
{
	(void)state;
	begin_locking(3, 1000);
	start_on(0, 0, hold_at, as_argument(5000)); // runs first, but its clock is ahead
	start_on(1, 0, hold_at, as_argument(1000));
	start_on(2, 0, hold_at, as_argument(1500)); // in the second one's hold
	run_to(2 * NS_PER_MS);
	assert_true(events[0].time == 5000);
	assert_true(events[1].time == 1000);
	assert_true(events[2].time == 2050);
}

static void a_try_fails_inside_a_hold(void **state)
{
	(void)state;
	begin_locking(4, 1000);
	start_on(0, 0, hold_at, as_argument(500));
	start_on(1, 0, try_at, as_argument(499));
	start_on(2, 0, try_at, as_argument(1499));
	start_on(3, 0, try_at, as_argument(1500));
	run_to(2 * NS_PER_MS);
	assert_int_equal(nr_events, 4);
	assert_int_equal(events[1].who, 1);
	assert_int_equal(events[2].who, 0);
	assert_int_equal(events[3].who, 1);
}

static void contend(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task;
	(void)argument;
	for (unsigned i = 0; i < 1000; i++) {
		yard_spin_lock(&lock);
		s->host->now_ns += 1000;
		yard_spin_unlock(&lock);
		charge(100);
	}
	note(0);
}

static void a_contended_lock_is_held_by_one_at_a_time(void **state)
{
	uint64_t spin = 0;

	(void)state;
	begin_locking(8, 0);
	for (int i = 0; i < 8; i++)
		start_on(i, 0, contend, NULL);
	run_to(20 * NS_PER_MS);
	assert_int_equal(nr_events, 8);
	// 8000 holds of 1000 ns, each handed over in 50.
	assert_in_range(events[7].time, 8350 * NS_PER_US, 8450 * NS_PER_US);
	for (unsigned cpu = 0; cpu < 8; cpu++) {
		struct cpu_times times;

		scheduler_cpu_times(sim, cpu, &times);
		spin += times.lock_spin;
	}
	assert_in_range(spin, 8 * 7000 * NS_PER_US, 8 * 7400 * NS_PER_US); // each waits for the seven others, mostly
}

static void locks_take_no_time_outside_a_run(void **state)
{
	(void)state;
	begin_locking(1, 0);
	lock.busy[0].until = lock.free_at = UINT64_MAX;
	assert_true(yard_spin_trylock(&lock));
	assert_false(yard_spin_trylock(&lock)); // it is held, that counts
	yard_spin_unlock(&lock);
	yard_spin_lock(&lock);
	yard_spin_unlock(&lock);
	assert_true(sim_now(sim) == start_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(who_comes_while_a_lock_is_held_waits, shut_down),
		cmocka_unit_test_teardown(who_comes_before_a_hold_does_not_wait, shut_down),
		cmocka_unit_test_teardown(a_try_fails_inside_a_hold, shut_down),
		cmocka_unit_test_teardown(a_contended_lock_is_held_by_one_at_a_time, shut_down),
		cmocka_unit_test_teardown(locks_take_no_time_outside_a_run, shut_down),
	};

	return cmocka_run_group_tests_name("lock time", tests, NULL, NULL);
}
