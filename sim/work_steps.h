// SPDX-License-Identifier: Apache-2.0
//
// Steps of non-movable work that several kinds take: pipes, page tables, sockets, small files, short-lived children.
//
// A step ends early when the workload is over. What the steps hold is freed by the ..._end() functions.

#pragma once

#include "sim/work_kernel.h"

// ---- pipes: makes and fills some while it holds few, else drops some ----

struct pipe_steps {
	struct pipe *pipe; // `limit` + `make` of them
	uint64_t nr, limit, make, drop, pages;
};

size_t pipe_steps_size(const struct pipe_steps *steps); // of the memory for `pipe`
bool pipe_step(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
	       const struct kernel_caches *caches, struct pipe_steps *steps);
void pipe_steps_end(struct simulation *sim, const struct kernel_caches *caches, struct pipe_steps *steps);

// ---- page tables of a sparse mapping, held for a while ----

// page[]: room for `tables`.
bool table_step(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance, uint32_t *page,
		uint32_t tables, uint64_t hold_ns);

// ---- a unix stream socket with writes queued, held for a while ----

bool socket_step(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
		 const struct kernel_caches *caches, struct socket_pair *pair, uint64_t writes, uint64_t hold_ns);

// ---- empty files among a number of names, which all instances of a workload share ----

struct file_names {
	uint64_t nr, users;
	struct cached_file name[];
};

struct file_names *file_names_join(struct simulation *sim, struct workload *workload, uint64_t nr); // NULL: no memory
void file_names_leave(struct simulation *sim, const struct kernel_caches *caches, struct file_names *names);
// Creates (or opens) and closes `files` of them.
bool file_step(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
	       const struct kernel_caches *caches, struct file_names *names, uint64_t files);
