// SPDX-License-Identifier: Apache-2.0
//
// storm: a process that does non-movable work of five equally likely kinds, one step after the other: pipes (two of
// them), page tables, a unix socket, and children with small files. The figures count completed steps.

#include "sim/work_steps.h"

struct storm {
	struct workload_common common;
	uint64_t pipes, make, drop, tables_pages, tables_hold_ns, writes, socket_hold_ns, children, child_sleep_ns,
		copied, names, files;
};

#define AT(member) CONFIG_AT(struct storm, member)

static const struct config_field fields[] = {
	{"pipes", CONFIG_COUNT, AT(pipes), .default_text = "200", .min = 1, .max = 1000000,
	 .help = "then a step drops some"},
	{"make", CONFIG_COUNT, AT(make), .default_text = "8", .min = 1, .max = 100000,
	 .help = "pipes that a step makes"},
	{"drop", CONFIG_COUNT, AT(drop), .default_text = "40", .min = 1, .help = "pipes that a step drops"},
	{"mapping", CONFIG_PAGES, AT(tables_pages), .default_text = "1GiB", .min = SIM_HUGE_PAGES,
	 .max = UINT64_C(1) << 32, .help = "a page-table page for each 2 MiB of it"},
	{"mapping_hold", CONFIG_TIME, AT(tables_hold_ns), .default_text = "20ms", .help = "until it is unmapped"},
	{"writes", CONFIG_COUNT, AT(writes), .default_text = "6", .min = 1, .max = SOCKET_WRITES_MAX,
	 .help = "of 32 KiB that fit into a socket's send buffer"},
	{"socket_hold", CONFIG_TIME, AT(socket_hold_ns), .default_text = "5ms", .help = "until it is closed"},
	{"children", CONFIG_COUNT, AT(children), .default_text = "12", .max = 10000, .help = "that a step forks"},
	{"child_sleep", CONFIG_TIME, AT(child_sleep_ns), .default_text = "50ms", .help = "of a child"},
	{"copied", CONFIG_COUNT, AT(copied), .default_text = "5", .max = 1000000,
	 .help = "pages copied for a child because it or its parent writes to them"},
	{"names", CONFIG_COUNT, AT(names), .default_text = "20000", .min = 1, .max = 100000000, .help = "of files"},
	{"files", CONFIG_COUNT, AT(files), .default_text = "64", .help = "opened by a step, made where there is none"},
	{0},
};

enum { STEPS = 5 };

struct storm_state {
	struct kernel_caches caches;
	struct pipe_steps pipes;
	struct socket_pair socket;
	struct file_names *names;
	uint32_t *table;
};

static void child(struct simulation *sim, struct sim_task *task, void *argument)
{
	const struct storm *p = workload_parameters(argument);
	struct memory_object *memory = p->copied ? process_map(sim, task->process, p->copied, false) : NULL;

	if (memory)
		memory_touch_range(sim, memory, 0, p->copied, true);
	task_sleep(sim, p->child_sleep_ns);
}

static bool fork_step(struct simulation *sim, struct sim_task *task, struct workload_instance *instance,
		      struct storm_state *state)
{
	const struct storm *p = workload_parameters(instance);

	for (uint64_t i = 0; i < p->children && !workload_over(instance, task); i++)
		if (!workload_fork(sim, instance, "storm-child", child))
			break;
	if (!file_step(sim, task, instance, &state->caches, state->names, p->files))
		return false;
	workload_wait_children(sim, task, instance, 0);
	return !workload_over(instance, task);
}

static bool step(struct simulation *sim, struct sim_task *task, struct workload_instance *instance,
		 struct storm_state *state)
{
	const struct storm *p = workload_parameters(instance);

	switch (random_below(&task->random, STEPS)) {
	case 0:
	case 1: return pipe_step(sim, task, instance, &state->caches, &state->pipes);
	case 2:
		return table_step(sim, task, instance, state->table, (uint32_t)(p->tables_pages / SIM_HUGE_PAGES),
				  p->tables_hold_ns);
	case 3: return socket_step(sim, task, instance, &state->caches, &state->socket, p->writes, p->socket_hold_ns);
	default: return fork_step(sim, task, instance, state);
	}
}

static void storm(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct storm *p = workload_parameters(instance);
	struct storm_state *state = task_memory(sim, task, sizeof(*state));

	if (!state || !kernel_caches(sim, &state->caches))
		return;
	state->pipes = (struct pipe_steps){.limit = p->pipes, .make = p->make, .drop = p->drop, .pages = PIPE_PAGES};
	state->pipes.pipe = task_memory(sim, task, pipe_steps_size(&state->pipes));
	state->table = task_memory(sim, task, p->tables_pages / SIM_HUGE_PAGES * sizeof(*state->table));
	state->names = file_names_join(sim, instance->workload, p->names);
	if (!state->pipes.pipe || !state->table || !state->names)
		return;
	while (step(sim, task, instance, state)) {
		++*workload_figure(instance->workload, "steps", 1);
		sim_point(sim);
	}
	pipe_steps_end(sim, &state->caches, &state->pipes);
	file_names_leave(sim, &state->caches, state->names);
	workload_end_children(sim, instance);
}

WORKLOAD_KIND(kind_storm, "storm", "non-movable work: pipes, page tables, sockets, forks, small files", struct storm,
	      fields, storm);
