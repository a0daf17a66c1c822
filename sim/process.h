// SPDX-License-Identifier: Apache-2.0
//
// Processes: anonymous mappings, page tables and the kernel memory that a process costs, and what the OOM killer and
// guards see and do. A process may have several tasks (threads). A group stands for a container or a service: guards
// kill by group.
//
// The model. process_create() is fork() and exec() in one. What it takes is what Linux 7.3 takes in the records: a
// kernel stack per thread, tried as an order-2 block without direct reclaim, else four single pages, of which each CPU
// keeps two when threads end; 9 page-table pages for fork(), which exec() gives back, and 7 for exec(), which stay;
// objects of the slab caches of processes, one more vm_area_struct for each mapping. A child begins with an empty
// address space: memory of the parent is neither shared nor copied on write, so that no fork() charges for its
// mappings.

#pragma once

#include <pageyard/pressure.h>

#include "sim/memory.h"
#include "sim/scheduler.h"
#include "sim/slab.h"

struct process_thread;
struct workload;
struct workload_instance;

enum {
	STACK_PAGES = 4, // of a kernel stack
	FORK_TABLES = 9, // page-table pages: of the copy that fork() makes
	EXEC_TABLES = 7, // ... of the new address space, besides those of its mappings
	PROCESS_OBJECTS_MAX = 64,
	THREAD_OBJECTS = 2,
	PROCESS_GUARDS_MAX = 4,
};

struct thread_memory {
	uint32_t stack[STACK_PAGES];
	bool has_stack;
	struct slab_object object[THREAD_OBJECTS];
};

struct leaf_history { // of a process or a group, as a guard looks at it at each interval
	uint64_t pgscan;  // when it looked last
	uint64_t scanned; // between the last two looks
	uint64_t usage;	  // pages: moving average of four looks
};

struct file_mapping {
	struct file *file;
	bool writable;
	struct slab_object vma;	  // vm_area_struct
	struct numa_mapping numa; // of NUMA balancing
};

struct process {
	uint32_t pid;
	char comm[16];
	uint16_t group;		// PSI group (pageyard/pressure.h); 0: none
	int16_t oom_score_adj;
	uint32_t threads;
	bool killed;		// SIGKILL is on its way
	bool oom_victim, reaped; // of the OOM killer; and it is to pass over it from now on (OOM-9)
	bool exiting, exited;	// its memory goes; it has gone
	uint64_t resident, swapped, page_tables; // pages; kept by memory.c, page_tables besides those of exec()
	uint64_t pgscan;	// pages that reclaim has unmapped, to take them from it
	struct memory_object **mapping;
	uint32_t nr_mappings, max_mappings;
	struct file_mapping *file_mapping;
	uint32_t nr_file_mappings;
	struct process *previous, *next;
	struct wait_queue ended;
	const struct workload *workload; // whose it is; NULL: nobody's
	struct workload_instance *instance; // whose first process it is
	// process.c's
	bool free;
	uint32_t holders;
	struct slab_object *mapping_object; // vm_area_struct of each mapping
	struct numa_scan numa; // of NUMA balancing
	struct process_thread *first_thread, *last_thread;
	struct thread_memory leader; // until the first thread takes it
	uint32_t table[EXEC_TABLES];
	struct slab_object object[PROCESS_OBJECTS_MAX];
	bool reaping;
	struct wait_queue reaped_queue;
	struct leaf_history history[PROCESS_GUARDS_MAX];
};

struct process_attributes {
	const char *comm;
	uint16_t group;
	int16_t oom_score_adj;
	bool free; // costs no kernel memory (a fixture's)
};

bool processes_create(struct simulation *sim);
void processes_destroy(struct simulation *sim);
// unmap, and oom_next, oom_kill, ...; their context is sim.
void process_owner_ops(struct simulation *sim, struct yard_owner_ops *ops);

// The PSI group of this name: 1 and up in the order of the first calls; "" and NULL: 0. -1: there are no more (the most
// are YARD_PSI_GROUPS - 1), or no host memory.
int process_group(struct simulation *sim, const char *name);
const char *process_group_name(const struct simulation *sim, unsigned group); // "" for 0 and unknown ones

// fork() and exec() by the running task or at the scenario's start. NULL: no memory: the fork fails with ENOMEM and has
// left nothing behind (or there is no host memory: sim_fail() was called).
struct process *process_create(struct simulation *sim, const struct process_attributes *attributes);
// Undoes process_create() of a process that never had a thread.
void process_discard(struct simulation *sim, struct process *process);
// A thread of it, created by another one or before it has any, with its group; the attributes' process and pid are
// ignored. When the last one has ended, the process exits: its mappings and its kernel memory go, `ended` is woken, and
// it is freed unless it is held. Only then comes the thread's at_end. NULL: no memory (for another stack, or sim_fail()
// was called).
struct sim_task *process_thread(struct simulation *sim, struct process *process,
				const struct task_attributes *attributes, task_body *body, void *argument);
// As long as somebody holds it, a process that has exited stays readable, and its `ended` may be waited on.
void process_hold(struct process *process);
void process_put(struct simulation *sim, struct process *process);
// Until it has exited, or until the running task is stopped (false). The caller holds it.
bool process_wait(struct simulation *sim, struct process *process);

// An anonymous mapping of so many pages. madvised: MADV_HUGEPAGE; the machine's THP settings say what that means (E-1).
// NULL: no memory.
struct memory_object *process_map(struct simulation *sim, struct process *process, uint64_t pages, bool madvised);
void process_unmap(struct simulation *sim, struct process *process, struct memory_object *object);
// A mapping of a file, shared if it is writable, once by a process: memory_touch() of file->object are its accesses.
// It keeps the file open. False: no memory. What the process does not unmap goes when it exits.
bool process_map_file(struct simulation *sim, struct process *process, struct file *file, bool writable);
void process_unmap_file(struct simulation *sim, struct process *process, struct file *file);

// SIGKILL: all its tasks stop, as OOM victims if `oom`.
void process_kill(struct simulation *sim, struct process *process, bool oom);
struct process *process_first(const struct simulation *sim); // in order of creation; then ->next
uint32_t process_count(const struct simulation *sim);
// Pages scanned on behalf of each group: of its processes, with those that have exited, and of the page cache that they
// brought in; [0]: of all, also those in no group.
void process_pgscan(const struct simulation *sim, uint64_t pgscan[YARD_PSI_GROUPS]);
// Reclaim has taken so many pages of the group's (0: nobody's) page cache.
void process_group_scanned(struct simulation *sim, unsigned group, uint64_t pages);

// A process was killed, by whom ("oom", "systemd-oomd", ...); listed in the results.
struct kill_record {
	uint64_t time_ns;
	uint32_t pid;
	char comm[16];
	const char *by;
	uint64_t resident, swapped;
};
void process_record_kill(struct simulation *sim, const struct process *process, const char *by);
