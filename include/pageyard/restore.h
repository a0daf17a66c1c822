// SPDX-License-Identifier: Apache-2.0
//
// Putting a yard into the state of a recorded machine, and forcing what a recorded machine did (teacher forcing).
//
// A yard that is to be restored is created with yard_config.restore set: its zones have spans and present pages, its
// lists are empty. All functions here are quiescent. Zones, nodes, CPUs, orders and types must be those of a yard like
// this one where no error is named: a reader of records checks them first.

#pragma once

#include <pageyard/yard.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- restoring a state ----

// Sets what struct yard_zone_state holds but for spans, present and nr_free. Creates no frames.
int yard_restore_zone(struct yard *yard, unsigned zone, const struct yard_zone_state *state);
// Sets what struct yard_pcp_state holds but for `count`, which follows from the lists.
int yard_restore_pcp(struct yard *yard, unsigned zone, unsigned cpu, const struct yard_pcp_state *state);
int yard_restore_pageblock(struct yard *yard, uint32_t pfn, unsigned bits);
// Appends a block to the tail of a list. YARD_EDOUBLEFREE: one of its frames is on a list or allocated already.
int yard_restore_free(struct yard *yard, uint32_t pfn, unsigned order, unsigned migratetype);
int yard_restore_pcp_block(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned pindex);
// Makes frames [pfn, pfn + nr) allocated order-0 blocks.
int yard_restore_allocated(struct yard *yard, uint32_t pfn, uint32_t nr, bool lru);
void yard_restore_mobility(struct yard *yard, bool disabled);
// Folded counters and differences are kept as given; this sets only how much memory is ALLOCATED, for yard_verify():
// the managed pages that nothing accounts for become reserved.
int yard_restore_finish(struct yard *yard);

// ---- forcing a step ----
// Each performs one step of spec 01 exactly as given, wherever the frames are now, with its counters and its
// events, and says whether the state agreed with it.

enum yard_forced {
	YARD_FORCED_AS_PREDICTED, // the frame was where the rule takes it from
	YARD_FORCED_ELSEWHERE,	  // on that kind of list but at another place
	YARD_FORCED_REPAIRED,	  // believed to be somewhere else altogether (T8.5): taken from there
};

// What the rules would take: the head of the smallest fitting list (R4) or of the per-CPU list (P6); PFN_NONE: empty.
uint32_t yard_peek_smallest(const struct yard *yard, unsigned zone, unsigned order, unsigned migratetype);
uint32_t yard_peek_pcp(const struct yard *yard, unsigned zone, unsigned cpu, unsigned pindex);
// Tail of the list that a drain of this set takes next from pindex on (P14); *found receives its index.
uint32_t yard_peek_drain(const struct yard *yard, unsigned zone, unsigned cpu, unsigned pindex, unsigned *found);

// A block leaves the buddy lists of `migratetype` (R4). It becomes ALLOCATED.
enum yard_forced yard_force_remove(struct yard *yard, uint32_t pfn, unsigned order, unsigned migratetype);
// A claim or a steal as an extfrag event tells it (R10, R13): the block of fallback_order that holds pfn leaves the
// lists of fallback_type; its rest goes to the lists of its owner. It becomes ALLOCATED.
enum yard_forced yard_force_fallback(struct yard *yard, uint32_t pfn, unsigned order, unsigned fallback_order,
				     unsigned migratetype, unsigned fallback_type, bool change_ownership);
// R11.4 without taking a page: the pageblock's free blocks move to the tails of `to`, which becomes its type.
void yard_force_claim_block(struct yard *yard, uint32_t pfn, unsigned to);
// The allocated block joins the tail of a per-CPU list (P8) / the head (P10), or leaves one for its user (P6).
enum yard_forced yard_force_pcp_add(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned order, unsigned migratetype,
				    bool tail);
enum yard_forced yard_force_pcp_take(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned order,
				     unsigned migratetype);
// A drained block leaves its per-CPU list and is freed into the lists of `migratetype` (P14).
enum yard_forced yard_force_drain(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned order, unsigned migratetype);
// An allocated block is freed straight into the buddy lists (B11).
enum yard_forced yard_force_free_direct(struct yard *yard, uint32_t pfn, unsigned order);
// Whatever holds [pfn, pfn + 2^order) lets go: the frames become one ALLOCATED block of that order.
enum yard_forced yard_force_allocated(struct yard *yard, uint32_t pfn, unsigned order);

// What a claim (R9; from order `high` down, whole blocks only if `nofragment`) or a steal (R13) would take: the head of
// that list, PFN_NONE if there is none. *found_order and *found_type receive the list.
uint32_t yard_peek_fallback(const struct yard *yard, unsigned zone, unsigned order, unsigned migratetype, bool claim,
			    unsigned high, bool nofragment, unsigned *found_order, unsigned *found_type);

// `to`, a copy of the same machine, takes over the frames, pageblocks, lists and counters of `from`. What no recorded
// step shows stays: how per-CPU sets tuned themselves, boosts, zone flags, event counts. YARD_EINVAL: other machines.
int yard_adopt(struct yard *to, const struct yard *from);

// ---- judging reclaim and compaction ----
// What the background workers and compaction decide is asked of a yard in a recorded state, one step at a time. Steps
// send the same events as the whole would.

struct yard_compact_state { // of a zone (spec 03 3.0)
	uint32_t cached_migrate[2], cached_free, init_migrate, init_free; // 0: never set
	uint32_t considered, defer_shift, order_failed;
	bool blockskip_flush;
};
// YARD_ERANGE: no such zone. YARD_EINVAL: a state that no rule leads to.
int yard_restore_compact(struct yard *yard, unsigned zone, const struct yard_compact_state *state);
int yard_get_compact(const struct yard *yard, unsigned zone, struct yard_compact_state *state);

struct yard_worker_state { // of a node: what has been asked of kswapd (spec 04 K-2) and of kcompactd (spec 03 K1)
	uint32_t kswapd_order, kswapd_highest; // YARD_ZONE_TYPES: none
	uint32_t kcompactd_order, kcompactd_highest;
	bool kswapd_awake, kcompactd_asleep;
};
int yard_restore_workers(struct yard *yard, unsigned node, const struct yard_worker_state *state);
int yard_get_workers(const struct yard *yard, unsigned node, struct yard_worker_state *state);

bool yard_peek_balanced(struct yard *yard, unsigned node, unsigned order, unsigned highest_zone); // K-4
uint64_t yard_peek_compact_gap(const struct yard *yard, unsigned order);			  // C2.1
unsigned yard_peek_reclaim_order(const struct yard *yard, uint32_t gfp, unsigned order);	  // SP-45, first round
unsigned yard_peek_first_priority(uint32_t gfp, unsigned order);				  // spec 02 SP-20
unsigned yard_peek_highest_zone(uint32_t gfp);							  // spec 01 G2
// K3: true if the node's score is above the mark at which kcompactd begins on its own.
bool yard_peek_proactive(struct yard *yard, unsigned node);

// K1, awake or not: what going to sleep, a boosted run or a request that cannot reclaim asks of kcompactd.
// SP-13: wakes kswapd of all nodes that a request from this CPU may use.
void yard_force_wake_kswapds(struct yard *yard, uint32_t gfp, unsigned order);
void yard_force_wakeup_kcompactd(struct yard *yard, unsigned node, unsigned order, unsigned highest_zone);
// C2.4 with the marks of kcompactd, or with those of a direct request of these flags. Returns C6.4's number.
int yard_force_suit(struct yard *yard, unsigned zone, unsigned order, unsigned highest_zone, bool background,
		    uint32_t gfp, bool async);
bool yard_force_deferred(struct yard *yard, unsigned zone, unsigned order);		      // C2.7
void yard_force_defer(struct yard *yard, unsigned zone, unsigned order);		      // C2.7
void yard_force_defer_reset(struct yard *yard, unsigned zone, unsigned order, bool success); // C2.7

// A run of compaction in one zone. Its memory is the caller's: yard_run_size() bytes, zeroed for a control that is new.
struct yard_run;
size_t yard_run_size(void);

enum yard_run_kind { YARD_RUN_KCOMPACTD, YARD_RUN_PROACTIVE, YARD_RUN_DIRECT };

struct yard_run_request {
	enum yard_run_kind kind;
	unsigned zone, order; // order: not of proactive runs
	unsigned highest_zone;
	uint32_t gfp;	      // direct
	unsigned priority;    // direct: C1.3
};

struct yard_run_state {
	uint64_t migrate_pfn, free_pfn;
	bool sync, whole_zone;
};

// C6.1 without the suitability test: where the scanners begin.
void yard_run_begin(struct yard *yard, struct yard_run *run, const struct yard_run_request *request);
void yard_run_get(const struct yard_run *run, struct yard_run_state *state);
void yard_run_set(struct yard_run *run, const struct yard_run_state *state); // the positions
// A copy of a control of another yard of the same machine.
void yard_run_rebind(struct yard *yard, struct yard_run *run);
int yard_run_finished(struct yard *yard, struct yard_run *run); // C6.3; returns C6.4's number
void yard_run_force_met(struct yard *yard, struct yard_run *run); // C3.7: the scanners met
// C3.12 for the next source block. The pages taken go back at once; that many destinations are wanted.
void yard_run_sources(struct yard *yard, struct yard_run *run);
// The scan that was recorded instead: position and skip bit as it leaves them, and what it took.
void yard_run_force_sources(struct yard *yard, struct yard_run *run, uint32_t start, uint32_t end, uint32_t taken);
// C5.9, C5.1: the next search for free blocks, which become isolated. Pages that find a place without one come before.
void yard_run_targets(struct yard *yard, struct yard_run *run);
void yard_run_force_target(struct yard_run *run, unsigned order);	     // a block that the record took instead
void yard_run_returned(struct yard_run *run, unsigned order); // C5.10: a destination comes back
// The last page that asked for a destination got none, and there is more to search: the run is given up (C6.2.4).
bool yard_run_exhausted(const struct yard_run *run);
// C6.2.4: of the pages that were taken `moved` moved and `failed` did not. True: the rest of the block is scanned
// before the run is tested again.
bool yard_run_migrated(struct yard_run *run, uint32_t moved, uint32_t failed);
void yard_run_force_rescan(struct yard_run *run, bool rescan);
// C6.2.6, at the end of each other step. True: the set of this CPU is drained.
bool yard_run_drains(struct yard *yard, struct yard_run *run);
void yard_run_end(struct yard *yard, struct yard_run *run, uint32_t highest_released); // C6.9; 0: nothing was left over

#ifdef __cplusplus
}
#endif
