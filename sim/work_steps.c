// SPDX-License-Identifier: Apache-2.0

#include "sim/work_steps.h"

// ---- pipes ----

size_t pipe_steps_size(const struct pipe_steps *steps)
{
	return (steps->limit + steps->make) * sizeof(*steps->pipe);
}

static bool make_pipes(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
		       const struct kernel_caches *caches, struct pipe_steps *steps)
{
	for (uint64_t i = 0; i < steps->make; i++) {
		struct pipe *pipe = &steps->pipe[steps->nr];

		if (!pipe_open(sim, caches, pipe))
			return true;
		steps->nr++;
		if (!pipe_fill(sim, pipe, (uint32_t)steps->pages) || workload_over(instance, task))
			return !workload_over(instance, task);
	}
	return true;
}

bool pipe_step(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
	       const struct kernel_caches *caches, struct pipe_steps *steps)
{
	if (steps->nr < steps->limit)
		return make_pipes(sim, task, instance, caches, steps);
	for (uint64_t i = 0; i < steps->drop && steps->nr; i++) {
		uint64_t at = random_below(&task->random, steps->nr);

		pipe_close(sim, caches, &steps->pipe[at]);
		steps->pipe[at] = steps->pipe[--steps->nr];
		sim_point(sim);
	}
	return !workload_over(instance, task);
}

void pipe_steps_end(struct simulation *sim, const struct kernel_caches *caches, struct pipe_steps *steps)
{
	while (steps->nr)
		pipe_close(sim, caches, &steps->pipe[--steps->nr]);
}

// ---- page tables ----

bool table_step(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance, uint32_t *page,
		uint32_t tables, uint64_t hold_ns)
{
	uint32_t nr;
	bool on;

	sim_charge(sim, COST_SYSCALL, 2);
	nr = page_tables_build(sim, page, tables);
	on = workload_pause(sim, task, instance, hold_ns);
	pages_free(sim, page, nr);
	return on;
}

// ---- sockets ----

bool socket_step(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
		 const struct kernel_caches *caches, struct socket_pair *pair, uint64_t writes, uint64_t hold_ns)
{
	bool on;

	if (!socket_open(sim, caches, pair))
		return workload_pause(sim, task, instance, 0);
	while (pair->nr < writes && !workload_over(instance, task))
		if (!socket_write(sim, caches, pair))
			break;
	on = workload_pause(sim, task, instance, hold_ns);
	socket_close(sim, caches, pair);
	return on;
}

// ---- files ----

struct file_names *file_names_join(struct simulation *sim, struct workload *workload, uint64_t nr)
{
	struct file_names *names = workload_shared(sim, workload, sizeof(*names) + nr * sizeof(*names->name));

	if (!names)
		return NULL;
	names->nr = nr;
	names->users++;
	return names;
}

void file_names_leave(struct simulation *sim, const struct kernel_caches *caches, struct file_names *names)
{
	if (--names->users)
		return;
	for (uint64_t i = 0; i < names->nr; i++)
		if (names->name[i].has_dentry || names->name[i].has_inode)
			cached_file_delete(sim, caches, &names->name[i]);
}

bool file_step(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
	       const struct kernel_caches *caches, struct file_names *names, uint64_t files)
{
	for (uint64_t i = 0; i < files; i++) {
		struct cached_file *file = &names->name[random_below(&task->random, names->nr)];

		if (cached_file_open(sim, caches, file))
			cached_file_close(sim, caches, file);
		if (!workload_pause(sim, task, instance, 0))
			return false;
	}
	return true;
}
