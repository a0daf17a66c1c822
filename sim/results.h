// SPDX-License-Identifier: Apache-2.0
//
// What was measured in a stretch of simulated time: counters with the names of /proc/vmstat, latencies by class of
// request, requests that took memory of another type, pressure, CPU time, kills.

#pragma once

#include <pageyard/pressure.h>
#include <pageyard/stat.h>

#include "report/histogram.h"
#include "sim/process.h"
#include "sim/simulation.h"
#include "sim/workers.h"

// Requests that took memory of another migratetype (spec 02 7.4). claim: a free block of at least a pageblock; steal: the
// pageblock was converted with pages in use; pollute: it was not, and is mixed now.
enum extfrag_class { EXTFRAG_CLAIM, EXTFRAG_STEAL, EXTFRAG_POLLUTE, EXTFRAG_CLASSES };
const char *extfrag_class_name(enum extfrag_class class);

// X(enumerator, name): counters of the simulated machine that the engine does not keep.
#define MACHINE_COUNTERS_TABLE(X)                                                                                      \
	X(PGFAULT, "pgfault") X(PGMAJFAULT, "pgmajfault") X(THP_FAULT_ALLOC, "thp_fault_alloc")                        \
	X(THP_FAULT_FALLBACK, "thp_fault_fallback") X(SWAP_RA, "swap_ra") X(SWAP_RA_HIT, "swap_ra_hit")                \
	X(THP_SPLIT_PAGE, "thp_split_page") X(THP_SWPOUT, "thp_swpout") X(PGPGIN, "pgpgin") X(PGPGOUT, "pgpgout")  \
	X(NUMA_PTE_UPDATES, "numa_pte_updates") X(NUMA_HINT_FAULTS, "numa_hint_faults")                               \
	X(NUMA_HINT_FAULTS_LOCAL, "numa_hint_faults_local") X(NUMA_PAGES_MIGRATED, "numa_pages_migrated")              \
	X(NUMA_TASK_MIGRATED, "numa_task_migrated")                                                                    \
	X(PGPROMOTE_SUCCESS, "pgpromote_success") X(PGPROMOTE_CANDIDATE, "pgpromote_candidate")                        \
	X(READAHEAD_PAGES, "readahead_pages") X(THROTTLED_NS, "dirty_throttled_ns")                                    \
	X(SLAB_FAILED, "slab_failed") X(SLAB_FALLBACK, "slab_order_fallback") X(SLAB_MESSAGES, "slab_messages")

enum machine_counter {
#define X(name, text) MACHINE_##name,
	MACHINE_COUNTERS_TABLE(X)
#undef X
	MACHINE_COUNTERS
};

enum {
	RESULT_COUNTERS = YARD_VM_EVENTS + YARD_NODE_STATS + MACHINE_COUNTERS,
	RESULTS_KILLS_MAX = 1024,
};
// Numbers of counters: a vm event, a node stat (all nodes added up), a counter of the machine.
#define RESULT_VM(name) ((unsigned)YARD_VM_##name)
#define RESULT_NODE(name) ((unsigned)YARD_VM_EVENTS + YARD_NODE_##name)
#define RESULT_MACHINE(name) ((unsigned)YARD_VM_EVENTS + YARD_NODE_STATS + MACHINE_##name)
const char *result_counter_name(unsigned counter);
bool result_counter_is_level(unsigned counter); // the value at the end (nr_dirty), not what was added

struct result_zone { // at the end
	uint64_t free_pages, free_blocks; // pages; pages in whole free pageblocks
	uint64_t blocks[YARD_MIGRATETYPES];
};

struct result_node { // the pages at the end, the rest: what was added
	uint64_t free_pages, file_pages, anon_pages;
	uint64_t numa[YARD_NUMA_STATS]; // spec 05 C2
	uint64_t scanned, reclaimed;	// pages, by anybody
	struct worker_times cpu;	// of its kswapd and kcompactd
};

struct results {
	uint64_t start_ns, end_ns;
	uint64_t counter[RESULT_COUNTERS];
	uint64_t extfrag[EXTFRAG_CLASSES];
	uint64_t requests[REQUEST_CLASSES], failures[REQUEST_CLASSES], frees;
	struct histogram latency[REQUEST_CLASSES]; // ns
	struct histogram rounds;		   // passes through RETRY of calls that entered the slow path
	uint64_t psi_some_ns, psi_full_ns;
	uint32_t psi_some_avg10_max, psi_full_avg10_max; // hundredths of a percent, looked at each second
	uint64_t user_ns, system_ns, idle_ns, lock_spin_ns;
	uint64_t touches;    // accesses that found their page mapped; all of a huge page at once is one
	uint64_t operations; // requests, frees, touches, faults, pages that reclaim freed, pages moved
	struct result_zone end;
	struct result_node node[YARD_NODES_MAX];
	uint64_t free_at_first_failure[REQUEST_CLASSES]; // pages; of the first failed request of a class
	struct kill_record kill[RESULTS_KILLS_MAX];
	unsigned nr_kills; // may be more than are listed
};

// Empties `sim->results` and begins to count now; results_end() fills in counters, pressure, CPU times and the state.
void results_begin(struct simulation *sim);
void results_end(struct simulation *sim);
void results_event(struct simulation *sim, const struct yard_event *event); // from the event sink
void results_kill(struct simulation *sim, const struct kill_record *kill);
void results_failure(struct simulation *sim, enum request_class class); // a request got no page
bool results_create(struct simulation *sim);
void results_destroy(struct simulation *sim);
