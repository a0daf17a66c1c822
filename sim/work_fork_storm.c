// SPDX-License-Identifier: Apache-2.0
//
// fork-storm: a process that forks many short-lived children, some at one time; each executes a program, touches some
// memory, sleeps and uses a pipe.

#include "sim/work_kernel.h"

struct fork_storm {
	struct workload_common common;
	uint64_t children, parallel;
	struct config_range memory, sleep, compute;
	struct config_rate rate;
};

#define AT(member) CONFIG_AT(struct fork_storm, member)

static const struct config_field fields[] = {
	{"children", CONFIG_COUNT, AT(children), .default_text = "endless",
	 .words = (const struct config_word[]){{"endless", UINT64_MAX}, {0}}, .min = 1, .help = "until it ends"},
	{"parallel", CONFIG_COUNT, AT(parallel), .default_text = "6", .min = 1, .max = 100000, .help = "at one time"},
	{"memory", CONFIG_PAGES, AT(memory), .range = true, .default_text = "4KiB..1.5MiB", .min = 1,
	 .help = "that a child touches"},
	{"sleep", CONFIG_TIME, AT(sleep), .range = true, .default_text = "0..20ms", .help = "of a child"},
	{"compute", CONFIG_TIME, AT(compute), .range = true, .default_text = "0", .help = "CPU time of a child"},
	{"rate", CONFIG_RATE, AT(rate), .default_text = "0/s", .help = "of forks; 0: one after the other"},
	{0},
};

static void child(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct fork_storm *p = workload_parameters(instance);
	uint64_t pages = workload_draw(task, p->memory), start = sim_now(sim);
	struct memory_object *memory = process_map(sim, task->process, pages, false);
	struct pipe *pipe = task_memory(sim, task, sizeof(*pipe));
	struct kernel_caches caches;

	if (!memory || !pipe || !kernel_caches(sim, &caches) || memory_touch_range(sim, memory, 0, pages, true) < pages)
		return;
	if (pipe_open(sim, &caches, pipe)) {
		pipe_fill(sim, pipe, 1);
		task_compute(sim, workload_draw(task, p->compute));
		task_sleep(sim, workload_draw(task, p->sleep));
		pipe_close(sim, &caches, pipe);
	}
	++*workload_figure(instance->workload, "children", 1);
	workload_latency(sim, instance->workload, "child", sim_now(sim) - start);
}

static void parent(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct fork_storm *p = workload_parameters(instance);
	struct workload_pace pace = {0};
	uint64_t forked = 0;

	while (forked < p->children && workload_pace(sim, task, instance, &pace, p->rate)) {
		if (workload_fork(sim, instance, "child", child))
			forked++;
		else
			task_sleep(sim, NS_PER_MS);
		workload_wait_children(sim, task, instance, (uint32_t)p->parallel - 1);
	}
	workload_wait_children(sim, task, instance, 0);
	workload_end_children(sim, instance);
}

WORKLOAD_KIND(kind_fork_storm, "fork-storm", "forks many short-lived processes", struct fork_storm, fields, parent);
