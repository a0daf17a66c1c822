// SPDX-License-Identifier: Apache-2.0
//
// What the files of local-reclaim share (spec 05 section 4):
//
//   local_reclaim.c          owners, and where their requests are placed (L1, L5, L9)
//   local_reclaim_garbage.c  which pages may go, and a batch of them (L2, L6 ii)
//   local_reclaim_limits.c   headroom, rates, shares, feedback (L3, L6)
//   local_reclaim_worker.c   the reclaimers of a node (L4)
//   local_reclaim_home.c     spilled pages move home (L8)
//
// Protection: a node's lock covers what is tagged n; it is innermost and taken with no other lock held. The pass over
// the LRU lists (l) is lru_lock's. a: atomic, relaxed.

#pragma once

#include <pageyard/local_reclaim.h>

#include "engine/mm.h"

enum {
	LOCAL_PAGES_PER_MB = 256,
	LOCAL_VICTIMS = 64,
	LOCAL_RUNS = 1024,
	LOCAL_LOOK_MAX = 8 * CLUSTER_MAX, // pages that one batch looks at
	LOCAL_LISTS = 2 * YARD_ZONE_TYPES, // that may hold garbage: two generations
	LOCAL_WINDOW = 4096, // evictions (L6 iii)
	LOCAL_LEVELS = 3,
};
#define LOCAL_SECOND UINT64_C(1000000000)
#define LOCAL_PERIOD (100 * (uint64_t)NSEC_PER_MSEC) // L4

struct local_share { // an owner on a node
	_Atomic uint64_t allocated; // a: pages asked for since the node's rates were computed
	_Atomic uint64_t rate;	 // a (written under n): pages a second
	_Atomic uint64_t wanted; // a (written under n): pages asked for that nothing was reclaimed for yet
	_Atomic uint64_t limit;	 // a (written under n): pages a second that may go
	_Atomic uint8_t level;	 // a (written under n)
	int64_t tokens;		 // n: pages
	uint64_t filled_at, window_at; // n
	uint32_t evictions, refaults;  // n: of this window
};

struct local_victim { // who lost cache on a node lately
	uint32_t id;
	uint64_t since, pages, taken; // pages: its cache at `since`
};

struct local_pass { // over the node's lists
	unsigned list;	 // l: LOCAL_LISTS: none is under way
	uint64_t left;	 // l: pages of the list that were not looked at
	_Atomic uint64_t began; // a (written under l)
	_Atomic uint64_t found; // a: garbage so far
	_Atomic bool young;	// a: some of it has to wait
	_Atomic bool floored;	// a: some of it must not go
};

struct local_none { // a level of garbage that the node does not have
	_Atomic uint64_t until; // a: ns
	_Atomic uint64_t size;	// a: inactive file pages then; more are worth a look. UINT64_MAX: only time helps
	_Atomic bool floored;	// a: there is some, but who has it has lost enough
};

struct local_node {
	_Alignas(CACHE_LINE) yard_spinlock lock;
	_Atomic uint64_t wmark_low, wmark_high; // a (written under n); 0: no headroom
	_Atomic uint64_t refreshed_at;		// a (written under n)
	_Atomic uint32_t wanted;		// a: reclaimers that are to run
	_Atomic uint32_t stepping;		// a: tasks in a step
	_Atomic bool compact_asked;		// a: kcompactd was woken since free memory was above wmark_low
	_Atomic uint64_t step_ns;		// a: what a step takes, averaged
	_Atomic uint64_t steps_from;		// a: ns: a step was in vain, no other before that
	_Atomic uint32_t vain;			// a: why: enum yard_local_reason
	_Atomic uint32_t floored_batches;	// a: one after the other
	_Atomic uint64_t wakes, reclaimed, looked_at; // a
	uint64_t woken_at;     // n: 0: the first batch is done
	uint64_t start_ns;     // n: from the wake-up to the first batch, averaged
	uint64_t below_since;  // n: free memory is below LOW; 0: it is not
	uint64_t rate;	       // n: of all owners
	uint64_t window_at, window_free, window_reclaimed, window_taken; // n: L6 v
	uint64_t strangers_until;					 // n
	struct local_share share[YARD_LOCAL_OWNERS_MAX];
	struct local_victim victim[LOCAL_VICTIMS]; // n
	struct local_pass pass;
	struct local_none none[LOCAL_LEVELS];
	_Atomic bool running[YARD_LOCAL_RECLAIMERS_MAX]; // a: the thread's own
	uint64_t home_from;			 // thread 0's: it moves no pages home before that
	struct yard_task task[YARD_LOCAL_RECLAIMERS_MAX];
};

struct local_owner {
	bool used;
	struct yard_local_config config;
	_Atomic uint64_t home, spilled[YARD_LOCAL_REASONS], failed, steps, waits, stall_ns, stall_max_ns, stepped;
	_Atomic uint64_t reclaimed, refaults, repatriated; // a, all of them
};

struct local_run { // spilled pages that follow each other
	uint32_t start;
	uint16_t pages;
	uint8_t owner, home; // home: the node
};

struct local_reclaim {
	struct local_owner owner[YARD_LOCAL_OWNERS_MAX];
	uint32_t nr_owners;
	yard_spinlock runs_lock; // innermost too
	uint32_t first_run, nr_runs; // a ring; oldest first
	struct local_run run[LOCAL_RUNS];
	_Atomic uint64_t waiting[YARD_NODES_MAX]; // a (written under runs_lock): pages in runs by home
	struct local_node node[];
};

static inline struct local_node *local_node(struct yard *yard, unsigned node)
{
	return &yard->local->node[node];
}

static inline void local_add(_Atomic uint64_t *value, uint64_t n)
{
	atomic_fetch_add_explicit(value, n, memory_order_relaxed);
}

static inline uint64_t local_read(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static inline void local_store(_Atomic uint64_t *value, uint64_t n)
{
	atomic_store_explicit(value, n, memory_order_relaxed);
}

// ---- local_reclaim_garbage.c ----
struct local_batch { // what one batch did; pages
	uint64_t looked, taken, chosen, freed, young, floored;
	bool ended; // the pass is over
};
// Evicts up to 32 pages of garbage of a node on behalf of an owner (from 0).
void local_evict(struct yard *yard, unsigned node, unsigned owner, enum reclaim_role role, struct local_batch *batch);
uint64_t local_inactive(const struct yard *yard, unsigned node); // pages among which garbage may be
bool local_has_garbage(struct yard *yard, unsigned node, unsigned level);

// ---- local_reclaim_limits.c ----
uint64_t local_free(const struct yard *yard, unsigned node); // pages that ordinary requests may use
bool local_garbage_for_owners(struct yard *yard, unsigned node); // that have allocated lately, by their levels
uint64_t local_high_mark(struct yard *yard, unsigned node); // W_high, whether there is garbage or not
bool local_below(const struct yard *yard, unsigned node, enum wmark mark); // all its zones are
void local_refresh(struct yard *yard, unsigned node, uint64_t now);	   // L3, L6 iv, v: at most each 10 ms
bool local_may_take(struct yard *yard, unsigned node, unsigned owner);	   // L6 i
enum yard_local_reason local_short_of(struct yard *yard, unsigned node, unsigned owner); // RATE, or REFAULT
unsigned local_level(struct yard *yard, unsigned node, unsigned owner);
void local_charge(struct yard *yard, unsigned node, unsigned owner, uint64_t pages); // evicted
int local_choose_owner(struct yard *yard, unsigned node); // L6 iv; -1: none may take
void local_reset_share(struct local_share *share, const struct yard_local_config *config);
// L6 ii: the victim loses these pages; false: it has lost enough.
bool local_take_from(struct yard *yard, unsigned node, uint32_t permille, const struct yard_local_page *page,
		     uint64_t pages);

// ---- local_reclaim_worker.c ----
void local_wake(struct yard *yard, unsigned node);

// ---- local_reclaim_home.c ----
void local_note_spill(struct yard *yard, unsigned owner, unsigned home, uint32_t pfn, unsigned order);
void local_forget_spills(struct yard *yard, unsigned owner); // they stay where they are; quiescent
// Moves some pages home; returns how many, and in *more whether others wait.
uint64_t local_move_home(struct yard *yard, unsigned node, bool *more);
