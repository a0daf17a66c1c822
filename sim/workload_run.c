// SPDX-License-Identifier: Apache-2.0
//
// The supervisors of workloads: kernel threads that start instances, start them again, and end them.

#include <stdio.h>
#include <stdlib.h>

#include "sim/local_reclaim.h"
#include "sim/machine.h"
#include "sim/workload.h"

#define FORK_RETRY_NS (100 * NS_PER_MS)

enum { FORKS_MAX = 1 << 24 }; // of an instance in an iteration, as far as random streams tell them apart

// ---- processes of an instance ----

// Bodies run through these two: whether their process was killed can't be seen any more when it has gone.
static void run_instance(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;

	instance->workload->kind->body(sim, task, instance);
	instance->killed = task->process->killed;
	if (instance->killed)
		++*workload_figure(instance->workload, "killed", -1);
}

static void run_child(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;

	instance->child_body(sim, task, instance);
	if (task->process->killed)
		++*workload_figure(instance->workload, "killed", -1);
}

// All that are not in the background have ended: so do those that are.
static void end_background(struct simulation *sim, const struct workload *workload)
{
	for (uint32_t i = 0; i < workload->nr_all; i++) {
		const struct workload *other = &workload->all[i];

		if (!other->common.first && !other->common.background && other->running)
			return;
	}
	for (uint32_t i = 0; i < workload->nr_all; i++)
		if (workload->all[i].common.background && workload->all[i].running)
			workload_stop(sim, &workload->all[i]);
}

static void task_gone(struct simulation *sim, struct workload *workload)
{
	if (!--workload->running && !workload->common.first && !workload->common.background)
		end_background(sim, workload);
}

static void child_gone(struct simulation *sim, struct sim_task *task)
{
	struct workload_instance *instance = task->argument;

	instance->children--;
	wake_all(sim, &instance->child_ended);
	task_gone(sim, instance->workload);
}

// What comes next for an instance whose first task has ended.
static void plan_next(struct simulation *sim, struct workload_instance *instance)
{
	const struct workload_common *common = &instance->workload->common;
	uint64_t wait = common->pause_ns;

	instance->waits = false;
	if (instance->killed && common->restart_ns == SIM_FOREVER)
		return;
	if (instance->killed)
		wait = common->restart_ns;
	else if (++instance->runs == common->repeat)
		return;
	instance->waits = true;
	instance->due = sim_now(sim) + wait;
}

static void instance_gone(struct simulation *sim, struct sim_task *task)
{
	struct workload_instance *instance = task->argument;
	struct workload *workload = instance->workload;

	instance->task = NULL;
	plan_next(sim, instance);
	workload_ready(sim, instance);
	wake_all(sim, &workload->changed);
	task_gone(sim, workload);
}

static struct sim_task *start_thread(struct simulation *sim, struct workload_instance *instance,
				     struct process *process, task_body *body,
				     void (*at_end)(struct simulation *, struct sim_task *))
{
	struct workload *workload = instance->workload;
	const struct workload_common *common = &workload->common;
	const struct task_attributes attributes = {
		.comm = process->comm, .nice = (int)common->nice, .realtime = common->realtime, .cpu = (int)common->cpu,
		.node = (int)common->node, .stream = common->name, .at_end = at_end,
		.placement = &workload->placement,
		.index = (workload->iteration * common->count + instance->number) * FORKS_MAX + instance->forks++,
	};
	struct sim_task *task = process_thread(sim, process, &attributes, body, instance);

	if (task)
		workload->running++;
	else
		++*workload_figure(workload, "failed forks", -1);
	return task;
}

static struct sim_task *start_process(struct simulation *sim, struct workload_instance *instance, const char *comm,
				      task_body *body, void (*at_end)(struct simulation *, struct sim_task *))
{
	struct workload *workload = instance->workload;
	const struct process_attributes attributes = {
		.comm = comm, .group = workload->group, .oom_score_adj = (int16_t)workload->common.oom_score_adj,
	};
	struct process *process = process_create(sim, &attributes);
	struct sim_task *task;

	if (!process) {
		++*workload_figure(workload, "failed forks", -1);
		return NULL;
	}
	process->workload = workload;
	process->instance = at_end == instance_gone ? instance : NULL;
	task = start_thread(sim, instance, process, body, at_end);
	if (!task)
		process_discard(sim, process);
	return task;
}

bool workload_fork(struct simulation *sim, struct workload_instance *instance, const char *comm, task_body *body)
{
	instance->child_body = body;
	if (!start_process(sim, instance, comm, run_child, child_gone))
		return false;
	instance->children++;
	return true;
}

bool workload_thread(struct simulation *sim, struct workload_instance *instance, task_body *body)
{
	instance->child_body = body;
	if (!start_thread(sim, instance, task_current(sim)->process, run_child, child_gone))
		return false;
	instance->children++;
	return true;
}

void workload_wait_children(struct simulation *sim, struct sim_task *task, struct workload_instance *instance,
			    uint32_t children)
{
	while (instance->children > children && !workload_over(instance, task))
		task_wait(sim, &instance->child_ended, SIM_FOREVER, false);
}

void workload_end_children(struct simulation *sim, struct workload_instance *instance)
{
	instance->ending = true;
	while (instance->children && task_wait(sim, &instance->child_ended, SIM_FOREVER, true))
		;
}

// ---- the supervisor ----

void workload_ready(struct simulation *sim, struct workload_instance *instance)
{
	struct workload *workload = instance->workload;

	instance->ready = true;
	for (uint64_t i = 0; i < workload->common.count; i++)
		if (!workload->instance[i].ready)
			return;
	workload->ready = true;
	wake_all(sim, &workload->ready_queue);
}

// Preparations go one after the other.
static void wait_for_earlier(struct simulation *sim, struct sim_task *task, const struct workload *workload)
{
	for (struct workload *other = workload->all; workload->common.first && other != workload; other++)
		while (other->common.first && !other->ready && !task_stopped(task))
			task_wait(sim, &other->ready_queue, SIM_FOREVER, false);
}

static void start_instance(struct simulation *sim, struct workload_instance *instance)
{
	struct workload *workload = instance->workload;
	struct sim_task *task;

	instance->ending = false;
	task = start_process(sim, instance, workload->common.name, run_instance, instance_gone);
	instance->task = task;
	instance->waits = !task;
	instance->due = sim_now(sim) + FORK_RETRY_NS;
}

// Starts those that are due. The time when the next one is; SIM_FOREVER: none waits. *busy: some run.
static uint64_t start_due(struct simulation *sim, struct workload *workload, bool *busy)
{
	uint64_t next = SIM_FOREVER;

	*busy = false;
	for (uint64_t i = 0; i < workload->common.count; i++) {
		struct workload_instance *instance = &workload->instance[i];

		if (instance->waits && instance->due <= sim_now(sim))
			start_instance(sim, instance);
		if (instance->waits && instance->due < next)
			next = instance->due;
		*busy |= instance->task != NULL;
	}
	return next;
}

static void end_instances(struct simulation *sim, struct workload *workload)
{
	workload->stopping = true;
	for (uint64_t i = 0; i < workload->common.count; i++) {
		workload->instance[i].waits = false;
		if (workload->instance[i].task)
			task_stop(sim, workload->instance[i].task);
	}
}

static void supervise(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload *workload = argument;
	const struct workload_common *common = &workload->common;
	uint64_t begin, end, next;
	bool busy;

	wait_for_earlier(sim, task, workload);
	begin = sim_now(sim);
	end = common->stop_ns == SIM_FOREVER ? SIM_FOREVER : begin + common->stop_ns;
	for (uint64_t i = 0; i < common->count; i++) {
		workload->instance[i].due = begin + common->start_ns + common->ramp_ns / common->count * i;
		workload->instance[i].waits = true;
	}
	while (!task_stopped(task) && sim_now(sim) < end) {
		next = start_due(sim, workload, &busy);
		if (next == SIM_FOREVER && !busy)
			break;
		if (next > end)
			next = end;
		if (next > sim_now(sim))
			task_wait(sim, &workload->changed, next == SIM_FOREVER ? SIM_FOREVER : next - sim_now(sim),
				  false);
	}
	end_instances(sim, workload);
}

static void supervisor_gone(struct simulation *sim, struct sim_task *task)
{
	struct workload *workload = task->argument;

	workload->supervisor = NULL;
	task_gone(sim, workload);
}

// ---- for the runner ----

static void forget(struct workload *workload)
{
	for (uint64_t i = 0; workload->instance && i < workload->common.count; i++)
		free(workload->instance[i].left_on);
	free(workload->instance);
	free(workload->shared);
	free(workload->latency);
	workload->instance = NULL;
	workload->shared = NULL;
	workload->latency = NULL;
	workload->nr_figures = 0;
	workload->access = (struct access_account){0};
	workload->ready = workload->stopping = false;
	workload->running = 0;
	workload->supervisor = NULL;
	workload->ready_queue = workload->changed = (struct wait_queue){0};
}

static void set_local_reclaim(struct simulation *sim, struct workload *workload)
{
	const struct workload_common *common = &workload->common;
	struct placement *placement = &workload->placement;

	placement->cache_set = cache_set_of(sim, common->name, (enum cache_advice)common->cache);
	if (common->local_reclaim)
		placement->local_reclaim = local_reclaim_owner(sim, common->name, common->local_reclaim);
}

void workload_start(struct simulation *sim, struct workload *workload)
{
	const struct task_attributes attributes = {
		.comm = workload->common.name,
		.cpu = -1,
		.node = -1,
		.flags = YARD_TASK_KTHREAD,
		.stream = "supervisor",
		.at_end = supervisor_gone,
	};

	int group = process_group(sim, workload->common.group);
	char reason[200];

	forget(workload);
	workload->placement = (struct placement){.spread_page = workload->common.spread_page};
	if (!placement_nodes(workload->common.cpuset, sim->machine->nr_nodes, &workload->placement.cpuset, reason,
			     sizeof(reason))) {
		sim_fail(sim, "cpuset: %s: %s", workload->common.cpuset, reason);
		return;
	}
	if (!placement_set(sim, &workload->placement, workload->common.mempolicy))
		return;
	set_local_reclaim(sim, workload);
	workload->iteration++;
	workload->group = group > 0 ? (uint16_t)group : 0;
	workload->instance = calloc(workload->common.count, sizeof(*workload->instance));
	if (!workload->instance) {
		sim_fail(sim, "out of memory");
		return;
	}
	for (uint64_t i = 0; i < workload->common.count; i++)
		workload->instance[i] = (struct workload_instance){.workload = workload, .number = i};
	workload->supervisor = task_create(sim, &attributes, supervise, workload);
	if (workload->supervisor)
		workload->running = 1;
}

void workload_stop(struct simulation *sim, struct workload *workload)
{
	if (!workload->instance)
		return;
	end_instances(sim, workload);
	if (workload->supervisor)
		task_stop(sim, workload->supervisor);
}

void workload_reset(struct workload *workload)
{
	forget(workload);
	workload->iteration = 0;
	for (uint64_t i = 0; workload->kept && i < workload->common.count; i++)
		free(workload->kept[i]);
	free(workload->kept);
	workload->kept = NULL;
}
