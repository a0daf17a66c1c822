// SPDX-License-Identifier: Apache-2.0
//
// Inside the verdict: what the background workers and compaction decide. Unlike requests and frees (verify_internal.h)
// these decisions are judged event by event, each from the pupil's state at that event:
//
//   verify_mm.c       which event concerns what; counting, and what cannot be judged
//   verify_kswapd.c   kswapd: wake-ups, orders, when it stops and sleeps (spec 04 section 4)
//   verify_gate.c     which zones are compacted: suitability, deferral, wake-ups and runs of kcompactd (spec 03 3.2, 3.8)
//   verify_scan.c     one run: positions, blocks and frames scanned, when it ends (spec 03 3.3 to 3.6)
//
// What no rule can tell from a record is taken from it: which pages were reclaimed, could be isolated or failed to move.

#pragma once

#include "trace/verify_internal.h"

enum { TOLD_ARGS = 8 };

enum status { // of compaction, as recorded (C6.4)
	NO_RESULT = -1, // C6.3 was not asked
	SKIPPED = 1,
	NO_SUITABLE_PAGE = 3,
	CONTINUE = 4,
	COMPLETE = 5,
	PARTIAL_SKIPPED = 6,
	CONTENDED = 7,
	SUCCESS = 8,
};

struct told { // an event that the pupil sent, with its fields as the tracepoint orders them
	uint8_t kind; // enum yard_event_kind
	uint8_t nr;
	int64_t arg[TOLD_ARGS];
};

enum kswapd_rest { // after a balancing run
	KSWAPD_RUNS,
	KSWAPD_NAPS,   // K-6.1: the short sleep, if it was ready for it
	KSWAPD_SLEEPS, // K-6.2
};

struct kswapd_watch { // of a node
	bool known;   // a whole run of it was seen
	bool boosted; // the run began with a boosted zone
	bool scanned; // it has isolated something
	bool asked_now; // what it asked of kcompactd at the end of the run, or before it sleeps, has been judged
	bool asked;     // `asked_until` holds
	bool ready;   // it was ready to sleep when the run had ended
	bool woken;   // since the end of the run
	uint8_t rest; // enum kswapd_rest
	uint8_t order, scan_order, highest; // of the run
	uint8_t end_order;		    // after it
	uint8_t alloc_order, sleep_highest; // what it goes to sleep for (K-5)
	bool left; // what was asked when it woke may have been left over
	uint8_t left_order, left_highest;
	uint32_t pid, asked_until; // the last event of what it asked
	bool others_first;	   // other tasks ran between the wake-up and its own event
	uint16_t woken_cpu;	   // who woke it last
	uint64_t woken_ns;
	uint64_t reclaimed;
};

struct kcompactd_watch { // of a node
	uint32_t pid;
	bool slept; // it has been seen going to sleep
	bool ran;   // since
};

enum { WAKES = 256 };

struct wake_watch { // by pid modulo: a request on its slow path
	uint32_t pid, gfp;
	uint8_t order, reclaim_order;
	bool known, reclaimed, compacted;
	uint32_t late; // the wake-up of kswapd that it went on to only when it had the CPU again; NO_OP: none
};

enum gate_phase { // of a pass over zones
	GATE_IDLE,
	GATE_VISIT, // next: is the zone deferred, is it suitable
	GATE_AGAIN, // next: the run's own test of suitability (C6.1)
	GATE_RUN,   // a run is under way
	GATE_AFTER, // next: deferral changes
};

struct block {
	uint32_t pfn;
	uint8_t order;
};

struct run_watch { // a run of compaction
	struct yard_run *run[2]; // the pupil's and the teacher's control
	int finished;		 // what C6.3 said last
	int32_t taken;		 // pages that wait to be migrated
	struct block *block;	 // free blocks taken
	uint32_t nr_blocks, room;
	uint32_t highest_released;
	uint32_t skip_until; // events up to this one are judged already
};

struct gate_watch { // a task that compacts zone after zone
	uint32_t pid;
	bool used;
	enum yard_run_kind kind;
	enum gate_phase phase;
	uint8_t order, highest, priority, node;
	uint32_t gfp;
	uint8_t zone[YARD_NODES_MAX * YARD_ZONE_TYPES], nr_zones, at;
	int result; // of the zone's run
	struct run_watch run;
};

enum { GATES = 16, NEW_PAGES = 4096 };

struct mm_watch {
	struct kswapd_watch kswapd[YARD_NODES_MAX];
	struct gate_watch gate[GATES];
	struct kcompactd_watch kcompactd[YARD_NODES_MAX];
	struct wake_watch wake[WAKES];
	unsigned runs;	      // under way
	uint8_t *frame;	      // by frame: enum mm_frame
	uint32_t new_page[NEW_PAGES], nr_new; // the yards do not know yet that these joined the LRU lists
	bool drained;	      // batches of that time are
	struct yard_worker_state asked[YARD_NODES_MAX]; // before a request that woke kswapd late
	bool told_compaction; // the snapshot tells the state of all zones
	struct told *told;
	unsigned nr_told, room_told;
};

// ---- verify_mm.c ----
int mm_prepare(struct verifier *v);
void mm_release(struct verifier *v);
void mm_hear(struct verifier *v, const struct yard_event *event); // an event of the pupil with fields
void mm_event(struct verifier *v, uint32_t index);		  // before the operation that starts there
void mm_after(struct verifier *v, uint32_t index);		  // after it
// Counts a decision. `recorded` and `engine` describe it if it differs.
__attribute__((format(printf, 7, 8))) void mm_judge(struct verifier *v, uint32_t index, enum verify_decision decision,
						    bool right, enum verify_cause hint, const char *recorded,
						    const char *engine, ...);
void mm_not_judged(struct verifier *v, enum verify_unjudged what, uint64_t nr);
void mm_quiet(struct verifier *v); // forgets what the pupil told so far
// The next event of the task from index + 1 on whose kind is in `kinds`; NO_OP: none in the window.
uint32_t mm_next(struct verifier *v, uint32_t index, uint32_t pid, uint64_t kinds);
bool mm_same(const struct told *told, const struct trace_event *event);
void mm_describe(const struct told *told, char *text, size_t size);
void mm_describe_event(const struct trace_event *event, char *text, size_t size);

enum mm_frame { MM_OLD = 1, MM_NEW_LRU = 2 }; // v->mm->frame[]

static inline bool mm_is_old(const struct verifier *v, uint64_t pfn) // in use since before the record
{
	return v->mm->frame[pfn - v->start_pfn] & MM_OLD;
}

static inline void mm_forget_frames(struct verifier *v, uint32_t pfn, unsigned order)
{
	for (uint32_t p = pfn; p < pfn + (1u << order) && p < v->end_pfn; p++)
		v->mm->frame[p - v->start_pfn] = 0;
}

// Compaction's searches are made as they come, so that free lists are in the kernel's order after them.
static inline bool mm_follows(const struct verifier *v)
{
	return v->pupil && v->mm->told_compaction;
}

void mm_settle_lru(struct verifier *v); // both yards know of pages that joined the LRU lists
static inline void mm_add_lru(struct verifier *v, uint32_t pfn)
{
	struct mm_watch *mm = v->mm;

	if (mm->nr_new == NEW_PAGES)
		mm_settle_lru(v);
	mm->frame[pfn - v->start_pfn] |= MM_NEW_LRU;
	mm->new_page[mm->nr_new++] = pfn;
}

// ---- verify_kswapd.c ----
void kswapd_event(struct verifier *v, uint32_t index);
void kswapd_after(struct verifier *v, uint32_t index);
void kswapd_woken(struct verifier *v, uint32_t index);
bool kswapd_gate(struct verifier *v, uint32_t index); // a gate's event: true if it is kswapd's
void reclaim_event(struct verifier *v, uint32_t index);
uint32_t reclaim_wakes_late(struct verifier *v, const struct op *op); // NO_OP, or its wake-up
void reclaim_wake(struct verifier *v, const struct op *op, uint32_t late);

// ---- verify_gate.c ----
void gate_event(struct verifier *v, uint32_t index);
struct gate_watch *gate_of(struct verifier *v, uint32_t pid); // NULL: the task does not compact

// ---- verify_scan.c ----
int scan_prepare(struct run_watch *run); // a control that is new; -1: no memory
void scan_begin(struct verifier *v, uint32_t index, struct gate_watch *gate);
void scan_event(struct verifier *v, uint32_t index, struct gate_watch *gate);
void scan_end(struct verifier *v, uint32_t index, struct gate_watch *gate);
void scan_freed(struct verifier *v, uint32_t index); // a task freed a page while some run is under way
