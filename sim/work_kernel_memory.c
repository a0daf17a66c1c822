// SPDX-License-Identifier: Apache-2.0
//
// kernel-memory: what a booted kernel and its daemons have taken when the load begins: slabs, vmalloc, stacks and page
// tables of unmovable pages, and reclaimable ones that no shrinker gives back. As a preparation it is ready then; it
// keeps all until its end.

#include "sim/workload.h"

enum part { UNMOVABLE, RECLAIMABLE, PARTS };

struct kernel_memory {
	struct workload_common common;
	struct config_amount amount[PARTS];
};

#define AT(member) CONFIG_AT(struct kernel_memory, member)

static const struct config_field fields[] = {
	{"unmovable", CONFIG_AMOUNT, AT(amount[UNMOVABLE]), .help = "size, or share of the machine's memory"},
	{"reclaimable", CONFIG_AMOUNT, AT(amount[RECLAIMABLE]), .default_text = "0", .help = "likewise, of that type"},
	{0},
};

static void hold(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct kernel_memory *p = workload_parameters(instance);
	uint64_t unmovable = workload_pages(sim, p->amount[UNMOVABLE]), nr = 0;
	uint64_t wanted = unmovable + workload_pages(sim, p->amount[RECLAIMABLE]);
	uint32_t *page = task_memory(sim, task, (wanted + 1) * sizeof(*page));

	if (!page)
		return;
	for (; nr < wanted && !workload_over(instance, task); nr++) {
		page[nr] = sim_alloc(sim, REQUEST_MODULE, YARD_GFP_KERNEL | (nr < unmovable ? 0 : YARD_GFP_RECLAIMABLE),
				     0, -1);
		if (page[nr] == YARD_PFN_NONE)
			break;
		sim_point(sim);
	}
	workload_ready(sim, instance);
	while (workload_pause(sim, task, instance, NS_PER_S))
		;
	while (nr)
		sim_free(sim, page[--nr], 0);
}

WORKLOAD_KIND(kind_kernel_memory, "kernel-memory", "what a booted kernel holds: unmovable and reclaimable pages",
	      struct kernel_memory, fields, hold);
