// SPDX-License-Identifier: Apache-2.0

#include "sim/workers.h"

#include <stdio.h>
#include <stdlib.h>

#include <pageyard/pressure.h>

#include "sim/machine.h"

struct vmstat_work {
	struct sim_timer timer;
	struct workers *workers;
	unsigned cpu;
};

struct workers {
	struct simulation *sim;
	struct sim_timer pressure;
	struct sim_task *kswapd[YARD_NODES_MAX], *kcompactd[YARD_NODES_MAX]; // NULL: the node has no memory
	struct vmstat_work vmstat[]; // of each CPU
};

// ---- threads ----

// A step of the engine's, again and again; what a step waits for, the thread waits for.
typedef void worker_step(struct yard *yard, unsigned node, bool woken, struct yard_wait *wait);

bool worker_sleep(struct simulation *sim, const struct yard_wait *wait)
{
	if (wait->kind == YARD_WAIT_QUEUE)
		return task_wait(sim, scheduler_engine_queue(sim, wait->queue), wait->timeout_ns, false);
	sim_point(sim);
	return false;
}

static void work(struct simulation *sim, worker_step *step, unsigned node)
{
	bool woken = false;

	for (;;) {
		struct yard_wait wait;

		sim->inside++;
		step(sim->yard, node, woken, &wait);
		sim->inside--;
		woken = worker_sleep(sim, &wait);
	}
}

static unsigned node_of(const void *argument)
{
	return (unsigned)(uintptr_t)argument;
}

static void kswapd(struct simulation *sim, struct sim_task *task, void *argument)
{
	(void)task;
	work(sim, yard_kswapd_step, node_of(argument));
}

static void kcompactd(struct simulation *sim, struct sim_task *task, void *argument)
{
	(void)task;
	work(sim, yard_kcompactd_step, node_of(argument));
}

static void reaper_step(struct yard *yard, unsigned node, bool woken, struct yard_wait *wait)
{
	(void)node;
	yard_oom_reaper_step(yard, woken, wait);
}

static void oom_reaper(struct simulation *sim, struct sim_task *task, void *argument)
{
	(void)task;
	work(sim, reaper_step, node_of(argument));
}

static struct sim_task *start_thread(struct simulation *sim, const char *name, task_body *body, int node,
				     struct yard_task *told)
{
	struct task_attributes attributes = {
		.cpu = -1,
		.node = node,
		.flags = YARD_TASK_KTHREAD,
		.told = told,
	};
	char comm[sizeof(told->comm)];

	if (node >= 0)
		snprintf(comm, sizeof(comm), "%s%d", name, node);
	attributes.comm = node >= 0 ? comm : name;
	return task_create(sim, &attributes, body, (void *)(uintptr_t)(node >= 0 ? node : 0));
}

static bool start_threads(struct workers *workers)
{
	struct simulation *sim = workers->sim;

	if (!start_thread(sim, "oom_reaper", oom_reaper, -1, NULL))
		return false;
	for (unsigned node = 0; node < sim->machine->nr_nodes; node++) {
		if (!sim->machine->node[node].pages)
			continue;
		workers->kswapd[node] = start_thread(sim, "kswapd", kswapd, (int)node, yard_kswapd_task(sim->yard, node));
		if (!workers->kswapd[node])
			return false;
		workers->kcompactd[node] =
			start_thread(sim, "kcompactd", kcompactd, (int)node, yard_kcompactd_task(sim->yard, node));
		if (!workers->kcompactd[node])
			return false;
	}
	return true;
}

// ---- timers ----

static void update_vmstat(struct simulation *sim, void *argument)
{
	struct vmstat_work *work = argument;

	yard_vmstat_update(sim->yard, work->cpu, false);
	timer_start(sim, &work->timer, sim_now(sim) + NS_PER_S, update_vmstat, work);
}

static void update_pressure(struct simulation *sim, void *argument)
{
	struct workers *workers = argument;
	uint64_t next = yard_psi_update(sim->yard);

	timer_start(sim, &workers->pressure, sim_now(sim) + next, update_pressure, workers);
}

static void start_timers(struct workers *workers)
{
	struct simulation *sim = workers->sim;
	unsigned nr_cpus = yard_nr_cpus(sim->yard);

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		struct vmstat_work *work = &workers->vmstat[cpu];

		*work = (struct vmstat_work){.workers = workers, .cpu = cpu, .timer.cpu = (uint16_t)cpu};
		// Not all at once.
		timer_start(sim, &work->timer, NS_PER_S + NS_PER_S * cpu / nr_cpus, update_vmstat, work);
	}
	timer_start(sim, &workers->pressure, 0, update_pressure, workers);
}

struct workers *workers_start(struct simulation *sim)
{
	unsigned nr_cpus = yard_nr_cpus(sim->yard);
	struct workers *workers = calloc(1, sizeof(*workers) + nr_cpus * sizeof(workers->vmstat[0]));

	if (!workers) {
		sim_fail(sim, "no host memory");
		return NULL;
	}
	workers->sim = sim;
	start_timers(workers);
	if (start_threads(workers))
		return workers;
	free(workers);
	return NULL;
}

void workers_free(struct workers *workers)
{
	free(workers);
}

static uint64_t cpu_time(const struct simulation *sim, const struct sim_task *task)
{
	return task ? task_cpu_ns(sim, task) : 0;
}

struct worker_times workers_cpu_times(const struct simulation *sim, unsigned node)
{
	const struct workers *workers = sim->workers;

	return (struct worker_times){cpu_time(sim, workers->kswapd[node]), cpu_time(sim, workers->kcompactd[node])};
}
