// SPDX-License-Identifier: Apache-2.0
//
// stutter: a probe of what a user would feel (spec 05 section 8, pagereclaim-stutterp): at regular times it maps
// memory, touches all of it and unmaps it. Its latency is that of one such round.

#include "sim/workload.h"

struct stutter {
	struct workload_common common;
	struct config_amount memory;
	uint64_t every_ns;
};

#define AT(member) CONFIG_AT(struct stutter, member)

static const struct config_field fields[] = {
	{"memory", CONFIG_AMOUNT, AT(memory), .default_text = "128MiB",
	 .help = "size, or share of the machine's memory"},
	{"every", CONFIG_TIME, AT(every_ns), .default_text = "5ms", .help = "sleep after each round"},
	{0},
};

static void probe(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct stutter *p = workload_parameters(instance);
	uint64_t pages = workload_pages(sim, p->memory);

	while (pages && workload_pause(sim, task, instance, p->every_ns)) {
		uint64_t start = sim_now(sim);
		struct memory_object *memory = process_map(sim, task->process, pages, false);

		if (!memory)
			return;
		if (memory_touch_range(sim, memory, 0, pages, true) < pages)
			return;
		process_unmap(sim, task->process, memory);
		++*workload_figure(instance->workload, "rounds", 1);
		workload_latency(sim, instance->workload, "map, touch, unmap", sim_now(sim) - start);
	}
}

WORKLOAD_KIND(kind_stutter, "stutter", "maps, touches and unmaps memory at regular times: a probe", struct stutter,
	      fields, probe);
