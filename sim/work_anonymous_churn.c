// SPDX-License-Identifier: Apache-2.0
//
// anonymous-churn: a process that maps, touches and unmaps anonymous memory at random, in sizes that double from 4 KiB
// to 8 MiB, like a heap that lives.

#include "sim/workload.h"

struct anonymous_churn {
	struct workload_common common;
	struct config_amount memory;
	uint64_t mappings, smallest, largest, operations, pause_ns;
	bool hugepages;
};

#define AT(member) CONFIG_AT(struct anonymous_churn, member)

static const struct config_field fields[] = {
	{"memory", CONFIG_AMOUNT, AT(memory), .default_text = "256MiB", .help = "most that it maps"},
	{"mappings", CONFIG_COUNT, AT(mappings), .default_text = "512", .min = 1, .max = 65536,
	 .help = "most that it has"},
	{"smallest", CONFIG_PAGES, AT(smallest), .default_text = "4KiB", .min = 1,
	 .help = "mapping; they double in size"},
	{"largest", CONFIG_PAGES, AT(largest), .default_text = "8MiB", .min = 1, .help = "mapping"},
	{"operations", CONFIG_COUNT, AT(operations), .default_text = "endless",
	 .words = (const struct config_word[]){{"endless", UINT64_MAX}, {0}}, .help = "until it ends"},
	{"between", CONFIG_TIME, AT(pause_ns), .default_text = "0", .help = "sleep after each operation"},
	{"hugepages", CONFIG_BOOL, AT(hugepages), .default_text = "off", .help = "madvise(MADV_HUGEPAGE)"},
	{0},
};

enum { SPARSE = 4 }; // a sparse mapping has every fourth page

struct heap {
	struct memory_object **mapping;
	uint64_t nr, pages;
};

static void grow(struct simulation *sim, struct sim_task *task, const struct anonymous_churn *p, struct heap *heap,
		 uint64_t limit)
{
	uint64_t pages = p->smallest, doublings = 0;
	struct memory_object *mapping;

	while (p->smallest << (doublings + 1) <= p->largest)
		doublings++;
	pages <<= random_below(&task->random, doublings + 1);
	if (heap->pages + pages > limit)
		return;
	mapping = process_map(sim, task->process, pages, p->hugepages);
	if (!mapping)
		return;
	heap->mapping[heap->nr++] = mapping;
	heap->pages += pages;
	if (random_chance(&task->random, 1, 2)) {
		memory_touch_range(sim, mapping, 0, pages, true);
		return;
	}
	for (uint64_t page = 0; page < pages && !task_stopped(task); page += SPARSE)
		memory_touch(sim, mapping, page, true);
}

static void shrink(struct simulation *sim, struct sim_task *task, struct heap *heap)
{
	uint64_t at = random_below(&task->random, heap->nr);
	struct memory_object *mapping = heap->mapping[at];

	if (random_chance(&task->random, 1, 2)) {
		object_drop(sim, mapping, 0, mapping->pages / 2);
		return;
	}
	heap->pages -= mapping->pages;
	process_unmap(sim, task->process, mapping);
	heap->mapping[at] = heap->mapping[--heap->nr];
}

static void churn(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct anonymous_churn *p = workload_parameters(instance);
	uint64_t limit = workload_pages(sim, p->memory);
	struct heap heap = {task_memory(sim, task, p->mappings * sizeof(*heap.mapping)), 0, 0};

	for (uint64_t i = 0; i < p->operations && heap.mapping && limit; i++) {
		// The fuller it is, the more often something goes.
		bool full = heap.nr == p->mappings || random_below(&task->random, limit) < heap.pages;

		sim_charge(sim, COST_SYSCALL, 1);
		if (heap.nr && full)
			shrink(sim, task, &heap);
		else
			grow(sim, task, p, &heap, limit);
		++*workload_figure(instance->workload, "operations", 1);
		if (!workload_pause(sim, task, instance, p->pause_ns))
			return;
	}
}

WORKLOAD_KIND(kind_anonymous_churn, "anonymous-churn", "maps, touches and unmaps anonymous memory at random",
	      struct anonymous_churn, fields, churn);
