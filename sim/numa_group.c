// SPDX-License-Identifier: Apache-2.0
//
// NUMA balancing: whose faults were where, groups of tasks that use the same pages, and tasks that follow their memory
// (spec 05 B3, B8, B13).
//
// Two tasks are in one group once one of them had a hinting fault on a page that the other one, which is running at that
// time, had used last: threads of a process, or processes that map the same file. The smaller group goes into the larger
// one. A group's faults are those of its tasks added up.

#include "sim/numa_balancing_internal.h"

#include <stdlib.h>

enum { BUSY_NODE = 3, RETRY_SHARE = 16 }; // B8, B13

__extension__ typedef unsigned __int128 wide;

// ---- faults ----

static void add_faults(struct numa_faults *to, const struct numa_faults *faults)
{
	to->private += faults->private;
	to->shared += faults->shared;
	for (unsigned node = 0; node < YARD_NODES_MAX; node++) {
		to->memory[node] += faults->memory[node];
		to->cpu[node] += faults->cpu[node];
	}
}

static void take_faults(struct numa_faults *from, const struct numa_faults *faults)
{
	from->private -= faults->private;
	from->shared -= faults->shared;
	for (unsigned node = 0; node < YARD_NODES_MAX; node++) {
		from->memory[node] -= faults->memory[node];
		from->cpu[node] -= faults->cpu[node];
	}
}

static void halve(struct numa_faults *faults)
{
	faults->private /= 2;
	faults->shared /= 2;
	for (unsigned node = 0; node < YARD_NODES_MAX; node++) {
		faults->memory[node] /= 2;
		faults->cpu[node] /= 2;
	}
}

void numa_count_fault(struct simulation *sim, struct sim_task *task, unsigned node, uint32_t pages, bool private)
{
	unsigned cpu_node = scheduler_cpu_node(sim, task->cpu);
	struct numa_faults one = {.private = private ? pages : 0, .shared = private ? 0 : pages};

	if (!task->numa.faults)
		task->numa.faults = task_memory(sim, task, sizeof(*task->numa.faults));
	if (!task->numa.faults)
		return;
	one.memory[node] = one.cpu[cpu_node] = pages;
	add_faults(task->numa.faults, &one);
	if (task->numa.group)
		add_faults(&task->numa.group->faults, &one);
}

// ---- groups ----

void numa_group_leave(struct sim_task *task)
{
	struct numa_group *group = task->numa.group;

	if (!group)
		return;
	task->numa.group = NULL;
	if (task->numa.faults)
		take_faults(&group->faults, task->numa.faults);
	if (!--group->tasks)
		free(group);
}

static void enter(struct sim_task *task, struct numa_group *group)
{
	numa_group_leave(task);
	task->numa.group = group;
	group->tasks++;
	if (task->numa.faults)
		add_faults(&group->faults, task->numa.faults);
}

static bool found_group(struct simulation *sim, struct sim_task *task)
{
	struct numa_group *group = calloc(1, sizeof(*group));

	if (!group) {
		sim_fail(sim, "no memory for a group of NUMA balancing");
		return false;
	}
	group->number = ++sim->balancing->groups;
	enter(task, group);
	return true;
}

// As it joins the other one, or the other one will at a fault of its own.
static bool is_to_join(const struct numa_group *mine, const struct numa_group *theirs)
{
	if (mine == theirs || mine->tasks > theirs->tasks)
		return false;
	return mine->tasks < theirs->tasks || mine->number > theirs->number;
}

void numa_group_meet(struct simulation *sim, struct sim_task *task, uint32_t last, bool file)
{
	struct sim_task *other = scheduler_on_cpu(sim, numa_note_cpu(last));

	if (!task->numa.group && !found_group(sim, task))
		return;
	if (!other || other == task || !numa_note_is_of(last, other) || !other->numa.group)
		return;
	if (other->process != task->process && !file)
		return;
	if (is_to_join(task->numa.group, other->numa.group))
		enter(task, other->numa.group);
}

bool numa_group_allows(const struct numa_group *group, unsigned from, unsigned to)
{
	const struct numa_faults *faults = &group->faults;

	if (faults->cpu[to] > BUSY_NODE * faults->cpu[from])
		return true;
	return (wide)faults->cpu[to] * faults->memory[from] * 3 > (wide)faults->cpu[from] * faults->memory[to] * 4;
}

uint64_t numa_group_period(const struct sim_task *task, uint64_t plain_ns)
{
	const struct numa_group *group = task->numa.group;
	wide scaled;

	if (!group)
		return plain_ns;
	scaled = (wide)plain_ns * group->tasks * (group->faults.shared + 1)
		 / (group->faults.private + group->faults.shared + 1);
	return scaled > plain_ns ? (uint64_t)scaled : plain_ns;
}

// ---- the preferred node (B13) ----

static unsigned nearest_with_cpus(const struct machine *machine, unsigned node)
{
	unsigned nearest = node;

	for (unsigned other = 0; !machine->node[node].cpus && other < machine->nr_nodes; other++) {
		const uint8_t *distance = machine->distance + (size_t)node * machine->nr_nodes;

		if (machine->node[other].cpus && (nearest == node || distance[other] < distance[nearest]))
			nearest = other;
	}
	return nearest;
}

void numa_end_sequence(const struct simulation *sim, struct sim_task *task)
{
	struct numa_task *numa = &task->numa;
	const struct numa_faults *faults = numa->group ? &numa->group->faults : numa->faults;
	uint64_t most = 0;
	unsigned node = 0;

	if (!numa->faults)
		return;
	for (unsigned i = 0; i < sim->machine->nr_nodes; i++)
		if (faults->memory[i] > most) {
			most = faults->memory[i];
			node = i;
		}
	if (most)
		numa->preferred_node = nearest_with_cpus(sim->machine, node) + 1;
	if (numa->group)
		take_faults(&numa->group->faults, numa->faults);
	halve(numa->faults);
	if (numa->group)
		add_faults(&numa->group->faults, numa->faults);
}

void numa_follow_memory(struct simulation *sim, struct sim_task *task)
{
	struct numa_task *numa = &task->numa;
	uint64_t pause = numa->period_ns / RETRY_SHARE;

	if (!numa->preferred_node || sim_now(sim) < numa->retry_ns)
		return;
	numa->retry_ns = sim_now(sim) + (pause < NS_PER_S ? pause : NS_PER_S);
	if (scheduler_cpu_node(sim, task->cpu) == numa->preferred_node - 1)
		return;
	if (scheduler_move_to_node(sim, numa->preferred_node - 1))
		sim->balancing->statistics.tasks_moved++;
}
