// SPDX-License-Identifier: Apache-2.0
//
// The anonymous mappings of processes.

#include <stdlib.h>
#include <string.h>

#include "sim/machine.h"
#include "sim/process_internal.h"

// E-1
static uint32_t huge_mask(enum thp_defrag defrag, bool madvised)
{
	switch (defrag) {
	case THP_DEFRAG_ALWAYS: return YARD_GFP_TRANSHUGE | (madvised ? 0 : YARD_GFP_NORETRY);
	case THP_DEFRAG_DEFER: return YARD_GFP_TRANSHUGE_LIGHT | YARD_GFP_KSWAPD_RECLAIM;
	case THP_DEFRAG_DEFER_MADVISE:
		return YARD_GFP_TRANSHUGE_LIGHT | (madvised ? YARD_GFP_DIRECT_RECLAIM : YARD_GFP_KSWAPD_RECLAIM);
	case THP_DEFRAG_MADVISE: return YARD_GFP_TRANSHUGE_LIGHT | (madvised ? YARD_GFP_DIRECT_RECLAIM : 0);
	default: return YARD_GFP_TRANSHUGE_LIGHT;
	}
}

static bool room_for_mapping(struct simulation *sim, struct process *process)
{
	uint32_t max = process->max_mappings ? 2 * process->max_mappings : 4;
	struct memory_object **mapping;
	struct slab_object *object;

	if (process->nr_mappings < process->max_mappings)
		return true;
	mapping = realloc(process->mapping, max * sizeof(*mapping));
	if (mapping)
		process->mapping = mapping;
	object = realloc(process->mapping_object, max * sizeof(*object));
	if (object)
		process->mapping_object = object;
	if (!mapping || !object) {
		sim_fail(sim, "no host memory for a mapping");
		return false;
	}
	process->max_mappings = max;
	return true;
}

struct memory_object *process_map(struct simulation *sim, struct process *process, uint64_t pages, bool madvised)
{
	const struct machine *machine = sim->machine;
	struct slab_object vma = {0};
	struct memory_object *object;

	sim_charge(sim, COST_SYSCALL, 1);
	if (!process->free && !mapping_memory_take(sim, &vma))
		return NULL;
	object = object_create(sim, OBJECT_ANON, pages);
	if (!object || !room_for_mapping(sim, process)) {
		if (object)
			object_destroy(sim, object);
		mapping_memory_give(sim, vma);
		return NULL;
	}
	object->process = process;
	object->local_owner = task_current(sim) ? task_current(sim)->placement.local_reclaim : 0;
	object->huge = machine->thp_enabled == THP_ALWAYS || (machine->thp_enabled == THP_MADVISE && madvised);
	object->huge_gfp = huge_mask(machine->thp_defrag, madvised);
	process->mapping[process->nr_mappings] = object;
	process->mapping_object[process->nr_mappings++] = vma;
	numa_balancing_mapped(process);
	return object;
}

static void drop_mapping(struct simulation *sim, struct process *process, uint32_t i)
{
	struct memory_object *object = process->mapping[i];
	struct slab_object vma = process->mapping_object[i];
	size_t after = --process->nr_mappings - i;

	memmove(process->mapping + i, process->mapping + i + 1, after * sizeof(*process->mapping));
	memmove(process->mapping_object + i, process->mapping_object + i + 1, after * sizeof(*process->mapping_object));
	numa_balancing_unmapped(process, i);
	object_destroy(sim, object);
	mapping_memory_give(sim, vma);
}

// As the lock of the address space: nobody else takes its pages away meanwhile.
static void wait_for_reaper(struct simulation *sim, struct process *process)
{
	while (process->reaping && task_wait(sim, &process->reaped_queue, SIM_FOREVER, true))
		;
}

void process_unmap(struct simulation *sim, struct process *process, struct memory_object *object)
{
	sim_charge(sim, COST_SYSCALL, 1);
	wait_for_reaper(sim, process);
	for (uint32_t i = 0; i < process->nr_mappings; i++)
		if (process->mapping[i] == object) {
			drop_mapping(sim, process, i);
			return;
		}
	sim_fail(sim, "%s[%u] unmaps what it has not mapped", process->comm, process->pid);
}
