// SPDX-License-Identifier: Apache-2.0
//
// Mappings of files by processes (mmap() with MAP_SHARED, or read-only). Their pages are the page cache's: what
// memory_touch() of the file's object does is the same whoever maps it, and a page has one mark of NUMA balancing for all.

#include <stdlib.h>
#include <string.h>

#include "sim/page_cache.h"
#include "sim/process_internal.h"

static bool room_for_file(struct simulation *sim, struct process *process)
{
	struct file_mapping *mapping =
		realloc(process->file_mapping, (process->nr_file_mappings + 1) * sizeof(*mapping));

	if (mapping)
		process->file_mapping = mapping;
	else
		sim_fail(sim, "no host memory for a mapping");
	return mapping;
}

bool process_map_file(struct simulation *sim, struct process *process, struct file *file, bool writable)
{
	struct slab_object vma = {0};

	sim_charge(sim, COST_SYSCALL, 1);
	if (!process->free && !mapping_memory_take(sim, &vma))
		return false;
	if (!room_for_file(sim, process)) {
		mapping_memory_give(sim, vma);
		return false;
	}
	file_open(file);
	file->mappings++;
	process->file_mapping[process->nr_file_mappings++] =
		(struct file_mapping){.file = file, .writable = writable, .vma = vma};
	return true;
}

void process_unmap_file(struct simulation *sim, struct process *process, struct file *file)
{
	uint32_t i = 0;
	struct slab_object vma;

	sim_charge(sim, COST_SYSCALL, 1);
	while (i < process->nr_file_mappings && process->file_mapping[i].file != file)
		i++;
	if (i == process->nr_file_mappings) {
		sim_fail(sim, "%s[%u] unmaps a file that it has not mapped", process->comm, process->pid);
		return;
	}
	vma = process->file_mapping[i].vma;
	memmove(process->file_mapping + i, process->file_mapping + i + 1,
		(--process->nr_file_mappings - i) * sizeof(*process->file_mapping));
	numa_balancing_unmapped(process, process->nr_mappings + i);
	if (!--file->mappings)
		object_unmap(sim, file->object);
	file_close(sim, file);
	mapping_memory_give(sim, vma);
}
