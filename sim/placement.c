// SPDX-License-Identifier: Apache-2.0
//
// What tasks and mappings do with their policies. sim/placement_text.c reads them.

#include "sim/placement.h"

#include "sim/machine.h"
#include "sim/memory.h"
#include "sim/scheduler.h"

void task_set_placement(struct sim_task *task, const struct placement *placement)
{
	task->placement = *placement;
	task->cursor = (struct yard_mempolicy_cursor){.previous = -1};
	task->spread_previous = -1;
}

void mapping_set_placement(struct memory_object *object, const struct placement *placement)
{
	object->placement = *placement;
}

int placement_spread_node(struct simulation *sim)
{
	struct sim_task *task = task_current(sim);
	const struct machine *machine = sim->machine;
	unsigned node;

	if (!task || !task->placement.spread_page)
		return -1;
	if (task->spread_previous < 0)
		node = (unsigned)random_below(&task->random, machine->nr_nodes);
	else
		node = (unsigned)task->spread_previous;
	do
		node = (node + 1) % machine->nr_nodes;
	while (!machine->node[node].pages || (task->placement.cpuset && !(task->placement.cpuset >> node & 1)));
	task->spread_previous = (int16_t)node;
	return (int)node;
}
