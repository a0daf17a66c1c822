// SPDX-License-Identifier: Apache-2.0
//
// What the files of NUMA balancing share: numa_scan.c chooses mappings, numa_mark.c marks their pages, numa_fault.c
// moves pages, numa_group.c knows who uses what and moves tasks.

#pragma once

#include "sim/memory_internal.h"
#include "sim/numa_balancing.h"
#include "sim/scheduler.h"

struct numa_node { // B9, B10: a node as target of promotions
	uint64_t threshold_ns;
	uint64_t second, second_candidates; // the second that is counted now
	uint64_t adjust_ns, adjust_candidates; // since the last adjustment
};

enum {
	NOTE_VALID = 1u << 31, // region->numa: a last accessor, not a time (B6)
	PID_BITS = 8,
};

struct numa_balancing {
	struct numa_balancing_settings settings;
	struct numa_balancing_statistics statistics;
	unsigned top_tier; // D2: the slowest tier with CPUs
	uint64_t groups;   // so far
	struct numa_node node[YARD_NODES_MAX];
};

// Whether the page table knows it: reclaim may have unmapped it, or it was read ahead from swap.
static inline bool numa_is_mapped(const struct simulation *sim, uint32_t pfn)
{
	enum yard_mapping mapping;
	uint32_t flags;
	bool lru;

	return yard_lru_get(sim->yard, pfn, &flags, &mapping, &lru) == YARD_OK && mapping != YARD_UNMAPPED;
}

static inline bool numa_is_top_tier(const struct simulation *sim, unsigned node)
{
	return sim->machine->node[node].tier <= sim->balancing->top_tier;
}

// B8: a last accessor's CPU, and whether it can be this task.
static inline unsigned numa_note_cpu(uint32_t note)
{
	return (note & ~(uint32_t)NOTE_VALID) >> PID_BITS;
}

static inline bool numa_note_is_of(uint32_t note, const struct sim_task *task)
{
	return (note & ((1u << PID_BITS) - 1)) == (task->task.pid & ((1u << PID_BITS) - 1));
}

// The policy of accesses by the task to the mapping; NULL: the default.
const struct yard_mempolicy *numa_policy(const struct memory_object *object, const struct sim_task *task);
// What balancing knows of the process's mapping of the object; NULL: it has not mapped that file.
struct numa_mapping *numa_mapping_of(const struct process *process, struct memory_object *object);
// B3: period of a scan by the size of the process.
void numa_periods(const struct simulation *sim, const struct process *process, uint64_t *min_ns, uint64_t *max_ns);

// ---- numa_mark.c ----

// B6: marks pages of a region, whose first page this is, for the process, which runs on the node. Returns the marks
// that are new; a huge page has one.
unsigned numa_mark_region(struct simulation *sim, struct memory_object *object, uint64_t first,
			  const struct process *process, unsigned cpu_node);

// ---- numa_group.c ----

struct numa_group {
	uint64_t number; // of its creation
	uint32_t tasks;
	struct numa_faults faults;
};

// A hinting fault by the running task on so many pages, which are on the node now.
void numa_count_fault(struct simulation *sim, struct sim_task *task, unsigned node, uint32_t pages, bool private);
// A shared fault: joins the group of the page's last accessor if that still runs where it ran, and is of the same
// process, or the page of a file.
void numa_group_meet(struct simulation *sim, struct sim_task *task, uint32_t last, bool file);
bool numa_group_allows(const struct numa_group *group, unsigned from, unsigned to); // B8, its last two conditions
uint64_t numa_group_period(const struct sim_task *task, uint64_t plain_ns);	     // B3: start or max of a task's period
void numa_end_sequence(const struct simulation *sim, struct sim_task *task); // B13: a preferred node; faults decay
void numa_follow_memory(struct simulation *sim, struct sim_task *task); // B13: moves the running task, if it is time
