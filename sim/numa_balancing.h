// SPDX-License-Identifier: Apache-2.0
//
// NUMA balancing (spec 05 section 3.4): tasks mark their pages now and then, the next access of a marked page is a hinting
// fault, and the fault may move the page to the CPU's node. In tiering mode it promotes pages of slower memory that are
// used again soon (B9, B10).
//
// Marked are pages of anonymous mappings and of shared mappings of files (process_map_file()); a page of a file has one
// mark, whoever maps it.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <pageyard/yard.h>

#include "sim/config.h"

struct simulation;
struct sim_task;
struct process;
struct memory_object;
struct region;

enum { NUMA_BALANCING_NORMAL = 1, NUMA_BALANCING_TIERING = 2 }; // B1

struct numa_balancing_settings { // of a machine: kernel.numa_balancing and debugfs' sched/numa_balancing (B2)
	uint64_t mode;
	uint64_t scan_delay_ns, period_min_ns, period_max_ns;
	uint64_t scan_pages;
	uint64_t hot_threshold_ns;
	uint64_t promote_rate_limit; // pages a second
};
extern const struct config_schema numa_balancing_schema; // numa_balancing_config.c

struct numa_balancing_statistics {
	uint64_t pte_updates, hint_faults, hint_faults_local, pages_migrated, migrate_failed;
	uint64_t tasks_moved; // B13: to their preferred node
	uint64_t candidates, promoted; // B9: pages of slower memory that were hot enough; that were moved up
};

struct numa_scan { // of a process (mm): where its next scan begins
	uint64_t next_ns;
	uint64_t page; // of that mapping
	uint32_t mapping, sequence;
};

struct numa_mapping { // of a process's mapping (VMA)
	uint64_t seen_ns;	// when a scan came to it first, + 1; 0: none yet
	uint64_t window_ns;	// start of the present window of accesses
	uint64_t accessed_by[2]; // hashes of tasks that had hinting faults: in this window, in the one before
	uint32_t scanned;	// sequence in which it was scanned last, + 1; 0: never
	uint32_t first;		// sequence in which it was seen first
};

struct numa_marks {
	uint32_t *page; // that may be marked, in no order, some twice; all that are marked are there
	uint64_t nr, max;
};

// Pages of a task's or a group's hinting faults in this sequence, half of those in the one before, a quarter ... (B13)
struct numa_faults {
	uint64_t private, shared;
	uint64_t memory[YARD_NODES_MAX]; // by the node on which the page is, after it has moved
	uint64_t cpu[YARD_NODES_MAX];	 // by the node of the CPU
};

struct numa_group; // tasks that use the same pages (B8; numa_group.c)

struct numa_task {
	uint64_t period_ns; // 0: none yet
	uint64_t stamp_ns;  // of its CPU time
	uint32_t sequence;  // of the process when it was adapted last
	uint32_t local, remote, private, shared, failed; // its hinting faults since then
	struct numa_faults *faults; // NULL: none yet
	struct numa_group *group;   // NULL: none yet
	uint64_t retry_ns;	    // B13: when it tries again to get to the preferred node
	uint32_t preferred_node;    // + 1; 0: none yet
};

struct numa_balancing; // sim->balancing; NULL: off

bool numa_balancing_create(struct simulation *sim); // false: no host memory
void numa_balancing_destroy(struct simulation *sim);
// NULL: it is off.
const struct numa_balancing_statistics *numa_balancing_statistics(const struct simulation *sim);

// The tick of B4, of the running task: scans if it is time. Where a task accesses memory.
void numa_balancing_tick(struct simulation *sim);
// The first access of a page that is marked (ENTRY_HINT, region->huge_hint), which it is no more then.
void numa_hinting_fault(struct simulation *sim, struct memory_object *object, uint64_t page);
// So many accesses to random pages of the object by the running task, which stand for touches of each: those that would
// have met marked pages do.
void numa_balancing_accessed(struct simulation *sim, struct memory_object *object, uint64_t accesses);
// The process has a new anonymous mapping, the last of them; numbers of mappings are those of the anonymous ones, then of
// the files'.
void numa_balancing_mapped(struct process *process);
// The process has lost its mapping of this number; those after it have moved up.
void numa_balancing_unmapped(struct process *process, uint32_t mapping);
// What balancing knows of an object goes.
void numa_balancing_forget(struct memory_object *object);
// The task ends.
void numa_group_leave(struct sim_task *task);
