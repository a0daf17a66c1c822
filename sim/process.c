// SPDX-License-Identifier: Apache-2.0
//
// Life and death of processes and threads, and the list of all.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine.h"
#include "sim/process_internal.h"
#include "sim/results.h"
#include "sim/workload.h"

// ---- the list ----

static void join_list(struct processes *all, struct process *process)
{
	process->previous = all->last;
	if (all->last)
		all->last->next = process;
	else
		all->first = process;
	all->last = process;
	all->nr++;
}

static void leave_list(struct processes *all, struct process *process)
{
	if (process->previous)
		process->previous->next = process->next;
	else
		all->first = process->next;
	if (process->next)
		process->next->previous = process->previous;
	else
		all->last = process->previous;
	process->previous = process->next = NULL;
	all->nr--;
}

// Those that others do not see but that must be found when the simulation ends: not born yet, or ended and held.
static void join_zombies(struct processes *all, struct process *process)
{
	process->next = all->zombies;
	if (all->zombies)
		all->zombies->previous = process;
	all->zombies = process;
}

static void leave_zombies(struct processes *all, struct process *process)
{
	if (process->previous)
		process->previous->next = process->next;
	else
		all->zombies = process->next;
	if (process->next)
		process->next->previous = process->previous;
	process->previous = process->next = NULL;
}

struct process *process_first(const struct simulation *sim)
{
	return sim->processes->first;
}

uint32_t process_count(const struct simulation *sim)
{
	return sim->processes->nr;
}

struct process *process_find(const struct simulation *sim, uint32_t pid)
{
	for (struct process *process = sim->processes->first; process; process = process->next)
		if (process->pid == pid)
			return process;
	return NULL;
}

// ---- groups ----

int process_group(struct simulation *sim, const char *name)
{
	char **known = sim->processes->group_name;

	if (!name || !*name)
		return 0;
	for (int group = 1; group < YARD_PSI_GROUPS; group++) {
		if (!known[group])
			known[group] = strdup(name);
		if (known[group] && !strcmp(known[group], name))
			return group;
	}
	return -1;
}

const char *process_group_name(const struct simulation *sim, unsigned group)
{
	return group && group < YARD_PSI_GROUPS && sim->processes->group_name[group] ? sim->processes->group_name[group]
										     : "";
}

void process_pgscan(const struct simulation *sim, uint64_t pgscan[YARD_PSI_GROUPS])
{
	memcpy(pgscan, sim->processes->group_pgscan, sizeof(sim->processes->group_pgscan));
	for (const struct process *process = sim->processes->first; process; process = process->next)
		pgscan[process->group] += process->pgscan;
	for (unsigned group = 1; group < YARD_PSI_GROUPS; group++)
		pgscan[0] += pgscan[group];
}

void process_group_scanned(struct simulation *sim, unsigned group, uint64_t pages)
{
	sim->processes->group_pgscan[group] += pages;
}

// ---- birth ----

static struct process *make_process(struct simulation *sim, const struct process_attributes *attributes)
{
	struct process *process = calloc(1, sizeof(*process));

	if (!process) {
		sim_fail(sim, "no host memory for a process");
		return NULL;
	}
	process->pid = task_new_pid(sim);
	snprintf(process->comm, sizeof(process->comm), "%s", attributes->comm);
	process->group = attributes->group;
	process->oom_score_adj = attributes->oom_score_adj;
	process->free = attributes->free;
	return process;
}

// What fork() takes. Others run on the way, and the simulation may end there.
static bool take_memory(struct simulation *sim, struct process *process)
{
	sim_charge(sim, COST_FORK, 1);
	sim_point(sim);
	if (!thread_memory_take(sim, &process->leader))
		return false;
	if (process_memory_take(sim, process))
		return true;
	thread_memory_give(sim, &process->leader);
	return false;
}

struct process *process_create(struct simulation *sim, const struct process_attributes *attributes)
{
	struct process *process = make_process(sim, attributes);
	bool born = true;

	if (!process)
		return NULL;
	if (!process->free) {
		join_zombies(sim->processes, process);
		born = take_memory(sim, process);
		leave_zombies(sim->processes, process);
	}
	if (!born) {
		free(process);
		return NULL;
	}
	join_list(sim->processes, process);
	return process;
}

// ---- death ----

static void free_process(struct process *process)
{
	free(process->mapping);
	free(process->file_mapping);
	free(process->mapping_object);
	free(process);
}

static void process_exit(struct simulation *sim, struct process *process)
{
	struct processes *all = sim->processes;

	process->exiting = true;
	if (process->instance)
		workload_note_exit(sim, process);
	while (process->nr_mappings)
		process_unmap(sim, process, process->mapping[process->nr_mappings - 1]);
	while (process->nr_file_mappings)
		process_unmap_file(sim, process, process->file_mapping[process->nr_file_mappings - 1].file);
	if (!process->free)
		process_memory_give(sim, process);
	thread_memory_give(sim, &process->leader);
	all->group_pgscan[process->group] += process->pgscan;
	leave_list(all, process);
	process->exited = true;
	wake_all(sim, &process->ended);
	if (process->holders)
		join_zombies(all, process);
	else
		free_process(process);
}

void process_discard(struct simulation *sim, struct process *process)
{
	process_exit(sim, process);
}

void process_hold(struct process *process)
{
	process->holders++;
}

void process_put(struct simulation *sim, struct process *process)
{
	if (--process->holders || !process->exited)
		return;
	leave_zombies(sim->processes, process);
	free_process(process);
}

bool process_wait(struct simulation *sim, struct process *process)
{
	while (!process->exited)
		if (!task_wait(sim, &process->ended, SIM_FOREVER, false))
			return false;
	return true;
}

// ---- threads ----

// The thread is freed before the process exits: that takes time, in which the simulation may end.
static void end_thread(struct simulation *sim, struct process_thread *thread)
{
	struct process *process = thread->process;
	struct thread_memory memory = thread->memory;
	struct sim_task *task = thread->task;

	if (thread->previous)
		thread->previous->next = thread->next;
	else
		process->first_thread = thread->next;
	if (thread->next)
		thread->next->previous = thread->previous;
	else
		process->last_thread = thread->previous;
	free(thread);
	if (--process->threads == 0)
		process_exit(sim, process);
	task->process = NULL;
	thread_memory_give(sim, &memory);
}

static void thread_main(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct process_thread *thread = argument;

	task->argument = thread->argument; // at_end's
	thread->body(sim, task, thread->argument);
	end_thread(sim, thread);
}

static void send_kill(struct simulation *sim, struct process *process, struct process_thread *thread)
{
	uint32_t flags = YARD_TASK_SIGNAL | (process->oom_victim ? YARD_TASK_OOM_VICTIM : 0);

	atomic_fetch_or_explicit(&thread->task->task.flags, flags, memory_order_relaxed);
	task_stop(sim, thread->task);
}

static bool start_thread(struct simulation *sim, struct process_thread *thread,
			 const struct task_attributes *attributes)
{
	struct process *process = thread->process;
	struct task_attributes with = *attributes;

	with.process = process;
	with.pid = process->first_thread ? 0 : process->pid;
	thread->task = task_create(sim, &with, thread_main, thread);
	if (!thread->task)
		return false;
	yard_psi_set_group(sim->yard, &thread->task->task, process->group);
	thread->previous = process->last_thread;
	if (process->last_thread)
		process->last_thread->next = thread;
	else
		process->first_thread = thread;
	process->last_thread = thread;
	process->threads++;
	if (process->killed)
		send_kill(sim, process, thread);
	return true;
}

struct sim_task *process_thread(struct simulation *sim, struct process *process,
				const struct task_attributes *attributes, task_body *body, void *argument)
{
	struct thread_memory memory = process->leader;
	struct process_thread *thread;

	process->leader.has_stack = false;
	if (!process->free && !memory.has_stack && !thread_memory_take(sim, &memory)) {
		thread_memory_give(sim, &memory);
		return NULL;
	}
	thread = calloc(1, sizeof(*thread)); // not before others ran: the task may be abandoned there
	if (!thread) {
		sim_fail(sim, "no host memory for a thread");
		return NULL;
	}
	*thread = (struct process_thread){.process = process, .body = body, .argument = argument, .memory = memory};
	if (start_thread(sim, thread, attributes))
		return thread->task;
	thread_memory_give(sim, &thread->memory);
	free(thread);
	return NULL;
}

// ---- kills ----

void process_kill(struct simulation *sim, struct process *process, bool oom)
{
	process->killed = true;
	if (oom)
		process->oom_victim = true;
	for (struct process_thread *thread = process->first_thread; thread; thread = thread->next)
		send_kill(sim, process, thread);
}

void process_record_kill(struct simulation *sim, const struct process *process, const char *by)
{
	struct kill_record kill = {
		.time_ns = sim_now(sim),
		.pid = process->pid,
		.by = by,
		.resident = process->resident,
		.swapped = process->swapped,
	};

	memcpy(kill.comm, process->comm, sizeof(kill.comm));
	if (sim->results)
		results_kill(sim, &kill);
}

// ---- reclaim ----

// Nothing has to be unmapped (sim/memory.h); what reclaim takes from a process counts as scanned on its behalf.
static bool count_scanned(void *context, uint32_t pfn, unsigned order)
{
	const struct simulation *sim = context;
	uint64_t page;
	const struct memory_object *object = object_of(sim, yard_get_owner(sim->yard, pfn), &page);

	if (object && object->process)
		object->process->pgscan += UINT64_C(1) << order;
	return true;
}

void process_owner_ops(struct simulation *sim, struct yard_owner_ops *ops)
{
	(void)sim;
	ops->unmap = count_scanned;
	oom_owner_ops(ops);
}

// ---- for the life of the simulation ----

bool processes_create(struct simulation *sim)
{
	struct processes *all = calloc(1, sizeof(*all));

	if (!all)
		return false;
	sim->processes = all;
	all->stacks = calloc(sim->machine->nr_cpus, sizeof(*all->stacks));
	return all->stacks;
}

static void free_all(struct process *process)
{
	while (process) {
		struct process *next = process->next;
		struct process_thread *thread = process->first_thread;

		while (thread) {
			struct process_thread *next_thread = thread->next;

			free(thread);
			thread = next_thread;
		}
		free_process(process);
		process = next;
	}
}

void processes_destroy(struct simulation *sim)
{
	struct processes *all = sim->processes;

	if (!all)
		return;
	guards_destroy(sim);
	free_all(all->first);
	free_all(all->zombies);
	for (unsigned group = 0; group < YARD_PSI_GROUPS; group++)
		free(all->group_name[group]);
	free(all->stacks);
	free(all);
	sim->processes = NULL;
}
