// SPDX-License-Identifier: Apache-2.0
//
// What the files of NUMA balancing share: numa_scan.c marks, numa_fault.c moves.

#pragma once

#include "sim/memory_internal.h"
#include "sim/numa_balancing.h"
#include "sim/scheduler.h"

struct numa_node { // B9, B10: a node as target of promotions
	uint64_t threshold_ns;
	uint64_t second, second_candidates; // the second that is counted now
	uint64_t adjust_ns, adjust_candidates; // since the last adjustment
};

struct numa_balancing {
	struct numa_balancing_settings settings;
	struct numa_balancing_statistics statistics;
	unsigned top_tier; // D2: the slowest tier with CPUs
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

// The policy of accesses by the task to the mapping; NULL: the default.
const struct yard_mempolicy *numa_policy(const struct memory_object *object, const struct sim_task *task);
// B3: period of a scan by the size of the process.
void numa_periods(const struct simulation *sim, const struct process *process, uint64_t *min_ns, uint64_t *max_ns);
