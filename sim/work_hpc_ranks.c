// SPDX-License-Identifier: Apache-2.0
//
// hpc-ranks: each instance is a rank with arrays of its own; in each step it streams over a part of them, computes, and
// waits for all others at a barrier, so that the slowest rank sets the pace. Its latency is that of a step.

#include "sim/workload.h"

struct hpc_ranks {
	struct workload_common common;
	struct config_amount memory;
	uint64_t share_ppm, compute_ns, steps;
	bool hugepages;
};

#define AT(member) CONFIG_AT(struct hpc_ranks, member)

static const struct config_field fields[] = {
	{"memory", CONFIG_AMOUNT, AT(memory), .help = "of a rank: size, or share of the machine's memory"},
	{"share", CONFIG_PERCENT, AT(share_ppm), .default_text = "10%", .max = 1000000,
	 .help = "of it that a step streams over"},
	{"compute", CONFIG_TIME, AT(compute_ns), .default_text = "10ms", .help = "CPU time of a step"},
	{"steps", CONFIG_COUNT, AT(steps), .default_text = "endless",
	 .words = (const struct config_word[]){{"endless", UINT64_MAX}, {0}}, .min = 1, .help = "until it ends"},
	{"hugepages", CONFIG_BOOL, AT(hugepages), .default_text = "on", .help = "madvise(MADV_HUGEPAGE)"},
	{0},
};

struct barrier {
	uint64_t ranks, arrived, generation;
	struct wait_queue queue;
};

static void open_if_complete(struct simulation *sim, struct barrier *barrier)
{
	if (!barrier->ranks || barrier->arrived < barrier->ranks)
		return;
	barrier->arrived = 0;
	barrier->generation++;
	wake_all(sim, &barrier->queue);
}

static bool wait_at_barrier(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
			    struct barrier *barrier)
{
	uint64_t generation = barrier->generation;

	barrier->arrived++;
	open_if_complete(sim, barrier);
	while (barrier->generation == generation && !workload_over(instance, task))
		task_wait(sim, &barrier->queue, SIM_FOREVER, false);
	if (barrier->generation == generation)
		barrier->arrived--;
	return !workload_over(instance, task);
}

static bool stream(struct simulation *sim, struct memory_object *memory, uint64_t *next, uint64_t pages)
{
	while (pages) {
		uint64_t count = memory->pages - *next < pages ? memory->pages - *next : pages;

		if (memory_touch_range(sim, memory, *next, count, true) < count)
			return false;
		*next = (*next + count) % memory->pages;
		pages -= count;
	}
	return true;
}

static void compute(struct simulation *sim, struct sim_task *task, struct workload_instance *instance,
		    struct memory_object *memory, struct barrier *barrier)
{
	const struct hpc_ranks *p = workload_parameters(instance);
	uint64_t pages = memory->pages * p->share_ppm / 1000000, next = 0;

	for (uint64_t step = 0; step < p->steps; step++) {
		uint64_t start = sim_now(sim);

		if (!stream(sim, memory, &next, pages))
			return;
		task_compute(sim, p->compute_ns);
		if (!wait_at_barrier(sim, task, instance, barrier))
			return;
		++*workload_figure(instance->workload, "steps", 1);
		workload_latency(sim, instance->workload, "step", sim_now(sim) - start);
	}
}

static void rank(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct hpc_ranks *p = workload_parameters(instance);
	struct barrier *barrier = workload_shared(sim, instance->workload, sizeof(*barrier));
	uint64_t pages = workload_pages(sim, p->memory);
	struct memory_object *memory = pages ? process_map(sim, task->process, pages, p->hugepages) : NULL;

	if (!barrier || !memory)
		return;
	barrier->ranks++;
	if (memory_touch_range(sim, memory, 0, pages, true) == pages) {
		workload_ready(sim, instance);
		compute(sim, task, instance, memory, barrier);
	}
	barrier->ranks--;
	open_if_complete(sim, barrier);
}

WORKLOAD_KIND(kind_hpc_ranks, "hpc-ranks", "ranks with large arrays that wait for each other", struct hpc_ranks, fields,
	      rank);
