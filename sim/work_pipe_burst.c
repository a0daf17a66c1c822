// SPDX-License-Identifier: Apache-2.0
//
// pipe-burst: a process that fills many pipes and then, in some rounds, drops about half of them and fills as many
// again: a fixed amount of unmovable memory, asked for as fast as it can. It ends then.

#include "sim/work_kernel.h"

struct pipe_burst {
	struct workload_common common;
	uint64_t pipes, rounds;
};

#define AT(member) CONFIG_AT(struct pipe_burst, member)

static const struct config_field fields[] = {
	{"pipes", CONFIG_COUNT, AT(pipes), .default_text = "3000", .min = 1, .max = 1000000, .help = "of 16 pages"},
	{"rounds", CONFIG_COUNT, AT(rounds), .default_text = "8", .min = 1,
	 .help = "after the first: half of them are renewed in each"},
	{0},
};

// Opens and fills those that are closed. False: the workload is over, or no memory.
static bool fill(struct simulation *sim, struct sim_task *task, struct workload_instance *instance,
		 const struct kernel_caches *caches, struct pipe *pipe)
{
	const struct pipe_burst *p = workload_parameters(instance);

	for (uint64_t i = 0; i < p->pipes; i++) {
		if (pipe[i].open)
			continue;
		if (!pipe_open(sim, caches, &pipe[i]) || !pipe_fill(sim, &pipe[i], PIPE_PAGES))
			return false;
		++*workload_figure(instance->workload, "pipes", 1);
		if (!workload_pause(sim, task, instance, 0))
			return false;
	}
	return true;
}

static void burst(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct pipe_burst *p = workload_parameters(instance);
	struct pipe *pipe = task_memory(sim, task, p->pipes * sizeof(*pipe));
	struct kernel_caches caches;

	if (!pipe || !kernel_caches(sim, &caches))
		return;
	for (uint64_t round = 0; round <= p->rounds; round++) {
		uint64_t start = sim_now(sim);

		if (!fill(sim, task, instance, &caches, pipe))
			break;
		++*workload_figure(instance->workload, "rounds", 1);
		workload_latency(sim, instance->workload, "round", sim_now(sim) - start);
		for (uint64_t i = 0; i < p->pipes && round < p->rounds; i++)
			if (random_chance(&task->random, 1, 2))
				pipe_close(sim, &caches, &pipe[i]);
	}
	for (uint64_t i = 0; i < p->pipes; i++)
		pipe_close(sim, &caches, &pipe[i]);
}

WORKLOAD_KIND(kind_pipe_burst, "pipe-burst", "fills many pipes, renews half of them in rounds, ends", struct pipe_burst,
	      fields, burst);
