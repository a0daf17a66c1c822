// SPDX-License-Identifier: Apache-2.0
//
// What process.c, process_memory.c, oom.c and guard.c share.

#pragma once

#include "sim/guard.h"
#include "sim/process.h"

enum {
	CPU_STACKS = 2,	     // that a CPU keeps
	PROCESS_CACHES = 13, // slab caches of processes
};

struct cpu_stacks {
	uint32_t pfn[CPU_STACKS][STACK_PAGES];
	unsigned nr;
};

struct processes {
	struct process *first, *last, *zombies; // zombies: ended and held, or not born yet
	uint32_t nr;
	char *group_name[YARD_PSI_GROUPS]; // [0]: NULL
	uint64_t group_pgscan[YARD_PSI_GROUPS]; // of page cache, and of processes that have exited
	struct cpu_stacks *stacks;
	struct slab_cache *cache[PROCESS_CACHES]; // made when first used
	struct guard *guard[PROCESS_GUARDS_MAX];
};

struct process_thread {
	struct process *process;
	struct sim_task *task;
	task_body *body;
	void *argument;
	struct thread_memory memory;
	struct process_thread *previous, *next;
};

struct process *process_find(const struct simulation *sim, uint32_t pid); // NULL: it has exited

void oom_owner_ops(struct yard_owner_ops *ops); // oom.c

// ---- process_memory.c: kernel memory; false: there was none, and what had been taken is given back ----

bool thread_memory_take(struct simulation *sim, struct thread_memory *memory);
void thread_memory_give(struct simulation *sim, struct thread_memory *memory);
bool process_memory_take(struct simulation *sim, struct process *process);
void process_memory_give(struct simulation *sim, struct process *process);
bool mapping_memory_take(struct simulation *sim, struct slab_object *object);
void mapping_memory_give(struct simulation *sim, struct slab_object object);
