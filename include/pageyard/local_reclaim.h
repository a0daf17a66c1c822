// SPDX-License-Identifier: Apache-2.0
//
// local-reclaim (spec 05 section 4): a policy of single tasks or mappings that keeps their memory on their home nodes
// by evicting cache that nobody will miss, within budgets for time, rate and what others lose. No kernel has it.
//
// An owner is who reclaim is done for: a task, a mapping, or a group of them that share one policy. Requests name it in
// yard_request.local_reclaim; the embedder says in owner callbacks (local_page, local_home) what it knows of pages.
// Without reclaimers (yard_local_reclaim_step()) owners reclaim in steps of their own only.

#pragma once

#include <pageyard/worker.h>
#include <pageyard/yard.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { YARD_LOCAL_OWNERS_MAX = 32, YARD_LOCAL_RECLAIMERS_MAX = 4 };

enum yard_local_garbage { // what may go (L2); each with those before it
	YARD_LOCAL_DECLARED,  // the embedder says so
	YARD_LOCAL_READ_ONCE, // clean, unmapped, inactive, used once at most, never refaulted, age_min_ms old
	YARD_LOCAL_IDLE,      // used before, but not for age_idle_ms
};

struct yard_local_config { // L1
	uint64_t home;	      // nodes; 0: that of each request. The nearest to the request comes first
	uint8_t garbage;      // enum yard_local_garbage
	uint8_t wait_pct;     // of the task's time that it may wait or reclaim for locality; 0: never, 100: no limit
	bool deny;	      // no page outside of the home nodes: the slow path is confined to them
	uint32_t rate_mbps;   // MiB/s of cache that may go on a node for this owner (L6 i)
	uint32_t refault_max_ppm; // refaults by evictions above which it takes less (L6 iii)
	uint32_t repatriate_mbps; // MiB/s of spilled pages that are moved home (L8); 0: none
	uint32_t victim_permille; // of a victim's cache that may go in a second (L6 ii); 1000: all of it
	uint32_t age_min_ms, age_idle_ms; // L2
};
void yard_local_defaults(struct yard_local_config *config);

// Returns the owner's number, from 1; YARD_EINVAL: a value that cannot be; YARD_ERANGE: nodes that the yard does not
// have; YARD_ENOMEM: there are YARD_LOCAL_OWNERS_MAX. It stays for the life of the yard. Quiescent.
int yard_local_create(struct yard *yard, const struct yard_local_config *config);
// Other parameters from now on; its limits and levels begin anew, its spilled pages stay where they are if home changes
// or repatriate_mbps is 0. YARD_ERANGE: no such owner; errors as above. Quiescent.
int yard_local_change(struct yard *yard, unsigned owner, const struct yard_local_config *config);

enum yard_local_reason { // why a page lies elsewhere (L10)
	YARD_LOCAL_RATE,      // the owner's rate is used up
	YARD_LOCAL_NOGARBAGE, // nothing that may go
	YARD_LOCAL_BUDGET,    // the task's waiting time is used up
	YARD_LOCAL_NONBLOCK,  // the request may not wait
	YARD_LOCAL_REFAULT,   // too much of what went came back: rate or level is reduced
	YARD_LOCAL_FLOOR,     // those who would lose have lost enough
	YARD_LOCAL_REASONS
};
const char *yard_local_reason_name(unsigned reason);

struct yard_local_stat { // of an owner; pages unless said otherwise
	uint64_t home, spilled[YARD_LOCAL_REASONS]; // given to its requests
	uint64_t failed;			    // requests without a page
	uint64_t steps, waits;			    // by its tasks: batches, and waits for the batch of another
	uint64_t stall_ns, stall_max_ns;	    // their time, the longest of one request
	uint64_t stepped, reclaimed;		    // freed by them, and by the reclaimers on its behalf
	uint64_t refaults;			    // of these
	uint64_t repatriated;
	uint64_t rate, limit; // pages a second, all nodes: its allocations lately, what may go for it
	uint8_t level;	      // the lowest on any node
};
int yard_local_get(struct yard *yard, unsigned owner, struct yard_local_stat *stat); // YARD_ERANGE

struct yard_local_node { // pages
	uint64_t wmark_low, wmark_high; // L3; 0: no headroom, or a second without requests of owners
	uint64_t free;			// that requests may use
	uint64_t garbage;		// at most that much
	uint64_t wakes, reclaimed, looked_at;
	uint64_t spilled; // known to wait for a place here
	unsigned running; // reclaimers
};
int yard_local_get_node(struct yard *yard, unsigned node, struct yard_local_node *state); // YARD_ERANGE

// One batch of the node's garbage reclaimer number `thread` (L4), or a decision to sleep. Thread 0 also moves spilled
// pages home. As the other workers (pageyard/worker.h); no such node or thread: waits for ever.
unsigned yard_local_reclaimers(const struct yard *yard, unsigned node); // how many there may be
void yard_local_reclaim_step(struct yard *yard, unsigned node, unsigned thread, bool woken, struct yard_wait *wait);
struct yard_task *yard_local_reclaim_task(struct yard *yard, unsigned node, unsigned thread); // as yard_kswapd_task()

#ifdef __cplusplus
}
#endif
