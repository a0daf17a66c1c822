// SPDX-License-Identifier: Apache-2.0
//
// Where the anonymous memory of workloads lies.

#include <stdlib.h>

#include "sim/machine.h"
#include "sim/workload.h"

static void add_process(const struct simulation *sim, const struct process *process, uint64_t pages[YARD_NODES_MAX])
{
	for (uint32_t i = 0; i < process->nr_mappings; i++)
		for (unsigned node = 0; node < sim->machine->nr_nodes; node++)
			pages[node] += object_resident_on(process->mapping[i], node);
}

void workload_note_exit(struct simulation *sim, const struct process *process)
{
	struct workload_instance *instance = process->instance;
	unsigned nr = sim->machine->nr_nodes;

	if (nr == 1)
		return;
	free(instance->left_on);
	instance->left_on = calloc(YARD_NODES_MAX, sizeof(instance->left_on[0]));
	if (!instance->left_on)
		sim_fail(sim, "out of memory");
	else
		add_process(sim, process, instance->left_on);
}

void workload_resident(const struct simulation *sim, const struct workload *workload, uint64_t pages[YARD_NODES_MAX])
{
	for (unsigned node = 0; node < YARD_NODES_MAX; node++)
		pages[node] = 0;
	for (const struct process *process = process_first(sim); process; process = process->next)
		if (process->workload == workload)
			add_process(sim, process, pages);
	for (uint64_t i = 0; workload->instance && i < workload->common.count; i++) {
		const struct workload_instance *instance = &workload->instance[i];

		for (unsigned node = 0; !instance->task && instance->left_on && node < sim->machine->nr_nodes; node++)
			pages[node] += instance->left_on[node];
	}
}
