// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the scheduler share: a log of who did something when, and tasks that only use time. Nothing costs
// time but what tasks charge themselves unless a test says so, so that every time is exact.

#pragma once

#include "tests/simulation_fixture.h"

enum { PAGES = 16384, LOG_MAX = 100000 };

static struct {
	uint64_t time;
	unsigned who;
} events[LOG_MAX];
static unsigned nr_events;
static uint64_t start_ns; // when the kernel threads were asleep

static UNUSED void note(unsigned who)
{
	assert_true(nr_events < LOG_MAX);
	events[nr_events].time = sim_now(sim) - start_ns;
	events[nr_events++].who = who;
}

static UNUSED void charge(uint64_t ns)
{
	sim->host->now_ns += ns;
	sim_point(sim);
}

// Times are counted from here: the kernel threads sleep now.
static UNUSED void begin_on_machine(void)
{
	nr_events = 0;
	boot();
	start_ns = NS_PER_MS;
	run_until(start_ns);
}

static UNUSED void begin(unsigned nr_nodes, unsigned cpus)
{
	describe(nr_nodes, cpus, PAGES);
	begin_on_machine();
}

static UNUSED void run_to(uint64_t ns)
{
	run_until(start_ns + ns);
}

static UNUSED unsigned number_of(const void *argument)
{
	return (unsigned)(uintptr_t)argument;
}

static UNUSED void *as_argument(uint64_t number)
{
	return (void *)(uintptr_t)number;
}

static UNUSED uint64_t cpu_time(const struct sim_task *task)
{
	return task->user_ns + task->system_ns;
}

static UNUSED void on_timer(struct simulation *s, void *argument)
{
	(void)s;
	note(number_of(argument));
}

static UNUSED void compute_for_ever(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)argument;
	while (!task_stopped(task))
		task_compute(s, 10 * NS_PER_MS);
}

static UNUSED void compute_5ms(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task;
	note(number_of(argument));
	task_compute(s, 5 * NS_PER_MS);
	note(number_of(argument) + 100);
}
