// SPDX-License-Identifier: Apache-2.0
//
// Tasks: their beginning and end, sleep, wait queues, memory.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pageyard/pressure.h>

#include "sim/scheduler_internal.h"

struct task_memory_block {
	struct task_memory_block *next;
	_Alignas(max_align_t) char bytes[];
};

// ---- beginning and end ----

static void set_comm(struct yard_task *task, const char *comm)
{
	snprintf(task->comm, sizeof(task->comm), "%s", comm);
}

// The outermost function of each coroutine.
static void run_body(struct coroutine *self, void *argument)
{
	struct sim_task *task = argument;
	struct scheduler *scheduler = task->scheduler;
	struct simulation *sim = scheduler->sim;
	struct cpu *cpu;

	(void)self;
	task->body(sim, task, task->argument);
	if (task->at_end)
		task->at_end(sim, task);
	wake_all(sim, &task->ended);
	cpu = &scheduler->cpu[task->cpu];
	account_current(scheduler, cpu, sim_now(sim));
	cpu->current = NULL;
	task->state = TASK_DEAD;
	tell_pressure(scheduler, task, 0);
}

static void link_task(struct scheduler *scheduler, struct sim_task *task)
{
	task->all_next = scheduler->tasks;
	if (task->all_next)
		task->all_next->all_previous = task;
	scheduler->tasks = task;
}

static void unlink_task(struct scheduler *scheduler, struct sim_task *task)
{
	if (task->all_next)
		task->all_next->all_previous = task->all_previous;
	if (task->all_previous)
		task->all_previous->all_next = task->all_next;
	else
		scheduler->tasks = task->all_next;
}

// M1: fork() and clone() hand on policy and cursor; kernel threads have none.
static void inherit_placement(struct simulation *sim, struct sim_task *task)
{
	const struct sim_task *parent = task_current(sim);

	task_set_placement(task, &(struct placement){.has_policy = false});
	if (!parent || !task->process)
		return;
	task->placement = parent->placement;
	task->cursor = parent->cursor;
	task->spread_previous = parent->spread_previous;
}

static void set_attributes(struct simulation *sim, struct sim_task *task, const struct task_attributes *attributes)
{
	struct scheduler *scheduler = sim->scheduler;

	task->scheduler = scheduler;
	task->task.pid = attributes->pid ? attributes->pid : task_new_pid(sim);
	set_comm(&task->task, attributes->comm);
	atomic_init(&task->task.flags, attributes->flags);
	task->told = attributes->told ? attributes->told : &task->task;
	task->told->pid = task->task.pid;
	task->engine_current = &task->task;
	task->process = attributes->process;
	task->nice = (int8_t)attributes->nice;
	task->realtime = attributes->realtime;
	task->cpu_limit = (uint16_t)(attributes->cpu + 1);
	task->node_limit = (uint16_t)(attributes->node + 1);
	task->at_end = attributes->at_end;
	task->serial = ++scheduler->next_serial;
	task->cpu = scheduler->running ? scheduler->running->cpu : 0;
	account_running(scheduler);
	task->vruntime = scheduler->cpu[task->cpu].min_vruntime;
	if (attributes->placement)
		task_set_placement(task, attributes->placement);
	else
		inherit_placement(sim, task);
	random_fork(&task->random, &sim->random, attributes->stream ? attributes->stream : attributes->comm,
		    attributes->index);
}

struct sim_task *task_create(struct simulation *sim, const struct task_attributes *attributes, task_body *body,
			     void *argument)
{
	struct sim_task *task = calloc(1, sizeof(*task));

	if (task)
		task->coroutine = coroutine_create(sim->scheduler->stacks, run_body, task);
	if (!task || !task->coroutine) {
		sim_fail(sim, "no host memory for task %s", attributes->comm);
		free(task);
		return NULL;
	}
	task->body = body;
	task->argument = argument;
	set_attributes(sim, task, attributes);
	link_task(sim->scheduler, task);
	task_make_ready(sim->scheduler, task);
	return task;
}

void task_free(struct sim_task *task)
{
	struct task_memory_block *block, *next;

	numa_group_leave(task);
	for (block = task->memory; block; block = next) {
		next = block->next;
		free(block);
	}
	free(task);
}

void task_end(struct scheduler *scheduler, struct sim_task *task)
{
	coroutine_destroy(task->coroutine);
	unlink_task(scheduler, task);
	task_free(task);
}

uint32_t task_new_pid(struct simulation *sim)
{
	return sim->scheduler->next_pid++;
}

struct sim_task *task_current(const struct simulation *sim)
{
	return sim->scheduler->running;
}

void *task_memory(struct simulation *sim, struct sim_task *task, size_t size)
{
	struct task_memory_block *block = NULL;

	if (size <= SIZE_MAX - sizeof(*block))
		block = calloc(1, sizeof(*block) + size);
	if (!block) {
		sim_fail(sim, "no host memory for task %s", task->task.comm);
		return NULL;
	}
	block->next = task->memory;
	task->memory = block;
	return block->bytes;
}

// ---- sleep ----

static void append(struct wait_queue *queue, struct sim_task *task)
{
	task->waiting_on = queue;
	task->wait_next = NULL;
	task->wait_previous = queue->last;
	if (queue->last)
		queue->last->wait_next = task;
	else
		queue->first = task;
	queue->last = task;
}

static void take_off(struct sim_task *task)
{
	struct wait_queue *queue = task->waiting_on;

	if (!queue)
		return;
	if (task->wait_next)
		task->wait_next->wait_previous = task->wait_previous;
	else
		queue->last = task->wait_previous;
	if (task->wait_previous)
		task->wait_previous->wait_next = task->wait_next;
	else
		queue->first = task->wait_next;
	task->waiting_on = NULL;
}

bool sleep_on(struct scheduler *scheduler, struct wait_queue *queue, uint64_t time, enum task_state state,
	      bool killable)
{
	struct sim_task *task = scheduler->running;
	struct cpu *cpu = &scheduler->cpu[task->cpu];
	uint64_t now = sim_now(scheduler->sim);

	if (time <= now || (killable && task->stop)) {
		sim_point(scheduler->sim);
		return false;
	}
	task->woken = false;
	task->killable = killable;
	if (queue)
		append(queue, task);
	if (time != SIM_FOREVER)
		alarm_set(scheduler, &task->timer, ALARM_SLEEP, time);
	account_current(scheduler, cpu, now);
	cpu->current = NULL;
	task->ready_at = now;
	task->state = state;
	tell_pressure(scheduler, task, state == TASK_IOWAIT ? YARD_PSI_IOWAIT : 0);
	give_way(scheduler);
	return task->woken;
}

static void wake(struct scheduler *scheduler, struct sim_task *task, bool woken)
{
	take_off(task);
	event_queue_remove(&scheduler->alarms, &task->timer);
	task->woken = woken;
	task_make_ready(scheduler, task);
}

void task_sleep_over(struct scheduler *scheduler, struct sim_task *task)
{
	wake(scheduler, task, false);
}

void task_stop(struct simulation *sim, struct sim_task *task)
{
	task->stop = true;
	atomic_fetch_or_explicit(&task->task.flags, YARD_TASK_SIGNAL, memory_order_relaxed);
	if (task->state == TASK_SLEEPING && task->killable)
		wake(sim->scheduler, task, false);
	else if (task->state == TASK_RUNNING && sim->scheduler->cpu[task->cpu].planned)
		cut_computing(sim->scheduler, &sim->scheduler->cpu[task->cpu], sim_now(sim));
}

void task_sleep_until(struct simulation *sim, uint64_t time)
{
	if (sim->scheduler->running)
		sleep_on(sim->scheduler, NULL, time, TASK_SLEEPING, true);
}

static uint64_t time_after(const struct simulation *sim, uint64_t ns)
{
	uint64_t now = sim_now(sim);

	return ns < SIM_FOREVER - now ? now + ns : SIM_FOREVER;
}

void task_sleep(struct simulation *sim, uint64_t ns)
{
	task_sleep_until(sim, time_after(sim, ns));
}

bool task_wait(struct simulation *sim, struct wait_queue *queue, uint64_t timeout_ns, bool io)
{
	if (!sim->scheduler->running)
		return false;
	return sleep_on(sim->scheduler, queue, time_after(sim, timeout_ns), io ? TASK_IOWAIT : TASK_SLEEPING, !io);
}

bool wake_one(struct simulation *sim, struct wait_queue *queue)
{
	if (!queue->first)
		return false;
	wake(sim->scheduler, queue->first, true);
	return true;
}

void wake_all(struct simulation *sim, struct wait_queue *queue)
{
	while (wake_one(sim, queue))
		;
}

// ---- computing ----

void task_compute(struct simulation *sim, uint64_t ns)
{
	struct sim_task *task = sim->scheduler->running;

	if (sim_now(sim) < sim->horizon && ns < sim->horizon - sim_now(sim)) { // nothing else comes in between
		sim->host->now_ns += ns;
		task->stretch_user += ns;
		return;
	}
	task->computing = ns;
	while (task->computing && !task->stop)
		give_way(sim->scheduler);
	task->computing = 0;
}
