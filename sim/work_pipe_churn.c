// SPDX-License-Identifier: Apache-2.0
//
// pipe-churn: a process that makes, fills and drops pipes: unmovable pages that come and go.

#include "sim/work_steps.h"

struct pipe_churn {
	struct workload_common common;
	uint64_t limit, make, drop, pages, between_ns;
};

#define AT(member) CONFIG_AT(struct pipe_churn, member)

static const struct config_field fields[] = {
	{"limit", CONFIG_COUNT, AT(limit), .default_text = "200", .min = 1, .max = 1000000,
	 .help = "pipes: then it drops some"},
	{"make", CONFIG_COUNT, AT(make), .default_text = "8", .min = 1, .max = 100000,
	 .help = "pipes that a step makes"},
	{"drop", CONFIG_COUNT, AT(drop), .default_text = "40", .min = 1, .help = "pipes that a step drops"},
	{"pages", CONFIG_COUNT, AT(pages), .default_text = "16", .max = PIPE_PAGES, .help = "written into each"},
	{"between", CONFIG_TIME, AT(between_ns), .default_text = "0", .help = "sleep between steps"},
	{0},
};

static void churn(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct pipe_churn *p = workload_parameters(instance);
	struct pipe_steps steps = {.limit = p->limit, .make = p->make, .drop = p->drop, .pages = p->pages};
	struct kernel_caches caches;

	steps.pipe = task_memory(sim, task, pipe_steps_size(&steps));
	if (!steps.pipe || !kernel_caches(sim, &caches))
		return;
	while (pipe_step(sim, task, instance, &caches, &steps)) {
		++*workload_figure(instance->workload, "steps", 1);
		if (!workload_pause(sim, task, instance, p->between_ns))
			break;
	}
	pipe_steps_end(sim, &caches, &steps);
}

WORKLOAD_KIND(kind_pipe_churn, "pipe-churn", "makes, fills and drops pipes", struct pipe_churn, fields, churn);
