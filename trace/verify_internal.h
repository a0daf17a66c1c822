// SPDX-License-Identifier: Apache-2.0
//
// Inside the verdict. Events pass through a window of fixed size:
//
//   reader ──> verify_link.c ──> window (65536 events) ──> verify_exec.c ──> verify_final.c
//              finds which events belong to one operation    runs it on pupil and teacher
//
// An operation is a request (its refill, claim attempts, take, and the mm_page_alloc that tells its gfp), a free (its
// put and the drains that follow), a timer, or a step of compaction. It runs at the place of its first step, when all
// of its events are known.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <pageyard/restore.h>
#include <pageyard/sim.h>

#include "trace/restore_snapshot.h"
#include "trace/verify.h"
#include "trace/zone_names.h"

enum {
	WINDOW = 1 << 16,
	WINDOW_MASK = WINDOW - 1,
	NO_OP = UINT32_MAX,
	ENGINE_EVENTS = 8192, // room at first
};

enum op_kind {
	OP_NONE,
	OP_ALLOC,    // a request that took a frame or failed
	OP_CAPTURED, // mm_page_alloc of a frame that no event took
	OP_FREE,
	OP_DECAY,
	OP_DRAIN,
	OP_ISOLATE,
	OP_PUTBACK,
	OP_COMPACT_BACK,
	OP_SPLIT,
	OP_MOVE_BLOCK,
	OP_KSWAPD,
	OP_WAKE,   // a request's fast attempt failed: it woke kswapd and goes on later
	OP_RESUME, // a drain goes on that lost its CPU between two portions
};

enum op_flags {
	OP_SEALED = 1,	 // the run of removals is over
	OP_TAKEN = 2,	 // a take belongs to it: through a per-CPU list
	OP_REQUEST = 4,	 // its mm_page_alloc is known
	OP_PLACED = 8,	 // a free: put or free_direct was seen
	OP_PUT = 16,	 // ... it was put
	OP_REMOVED = 32, // some event took a block off the buddy lists
	OP_LOST_PUT = 64,
	OP_COVERED = 128, // a free that a larger put includes
	OP_EMPTY = 256,	  // a take of nothing (pfn -1) belongs to it
	OP_COMPACTED = 2048, // its task ran direct compaction since its request failed at first
	OP_WOKE = 1024,	  // its fast attempt was an OP_WAKE
	OP_PREEMPTED = 512, // its drain goes on in an OP_RESUME
	OP_CLAIMS = 4096, // it tries to claim a pageblock
	OP_WAKES = 8192,  // it wakes kswapd
};

struct op {
	uint32_t start;	      // index of the event at which it runs
	uint32_t first, last; // chain of its events through window.next
	uint32_t end;	      // its last event, the mm_page_alloc included
	uint32_t pfn, gfp, pid;
	uint16_t cpu, flags;
	uint8_t kind, order;
	int8_t migratetype;
	uint8_t task;
};

struct window {
	struct trace_event event[WINDOW];
	struct op op[WINDOW];	    // op[i]: the operation that event i created
	uint32_t run[WINDOW];	    // the operation to run at event i, or NO_OP
	uint32_t next[WINDOW];	    // next event of the same operation
	uint32_t head, tail;	    // [tail, head) are in it; absolute, wrapping
};

struct cpu_link { // what is going on on a CPU while events are linked
	uint32_t group; // a run of removals that is still open
	uint32_t taken; // the last operation that took or removed a frame
	uint32_t drain; // the operation that drains belong to
	bool switched;	// another task ran on the CPU since
};

struct drainer { // the last operation of a task that may drain
	uint32_t pid, op;
};

struct paused { // a drain of the pupil that lost its CPU
	uint32_t pid;
	bool used;
	struct yard_sim_drain rest;
};

enum { DRAINERS = 4096, PAUSED = 64 };

struct mm_watch; // verify_mm.h: reclaim and compaction

struct verifier {
	const struct verify_options *options;
	struct yard_policy policy;
	struct verify_result *result;
	struct trace_error *error;
	struct window *window;
	struct cpu_link *cpu;
	uint32_t *last; // by frame: 1 + the event that created the last operation still open on it
	uint32_t start_pfn, end_pfn;
	void *memory[2];
	struct yard *pupil, *teacher;
	struct snapshot *before;
	struct zone_names zone_names;
	bool stale; // the pupil must take over the teacher's state before it acts again
	bool searched[YARD_NODES_MAX * YARD_ZONE_TYPES]; // compaction's fast search ran in the zone
	bool raced[YARD_NODES_MAX * YARD_ZONE_TYPES];	 // two CPUs worked on the zone closer than the clock tells
	// events of the pupil's current operation
	struct yard_event *said;
	unsigned nr_said, room_said;
	struct drainer drainer[DRAINERS]; // by pid modulo
	struct drainer failed[DRAINERS]; // by pid modulo: the last run of steps that gave no frame
	struct drainer waker[DRAINERS]; // by pid modulo: the OP_WAKE whose request is not known yet
	struct paused paused[PAUSED];
	// Frees without put or free_direct, by zone: to the buddy lists, or their put was lost.
	uint32_t unplaced[YARD_NODES_MAX * YARD_ZONE_TYPES];
	uint32_t unfinished_pid; // a drain of this task stopped early, its rest was not recognised
	enum verify_cause hint;	 // of the current operation
	enum yard_forced worst; // how far the teacher's state was from the current operation's steps
	uint32_t kswapd_pid[YARD_NODES_MAX];
	uint64_t kswapd_ns;	// when one last changed its state
	uint32_t *busy_until;	// by CPU: the last event of its latest operation
	struct mm_watch *mm;
	uint32_t last_op_cpu;	// of the latest operation on frames
	uint64_t last_op_ns;
};

static inline struct trace_event *event_at(struct verifier *v, uint32_t i)
{
	return &v->window->event[i & WINDOW_MASK];
}

static inline struct op *op_at(struct verifier *v, uint32_t i)
{
	return &v->window->op[i & WINDOW_MASK];
}

// verify.c: NAME or NAME.zst of the record; NULL with the reason
struct snapshot *read_snapshot(const char *record, const char *name, struct trace_error *error);

// verify_check.c: an event that cannot be of this machine; 0, or -1 with the reason
int check_event(struct verifier *v, const struct trace_event *event);

// verify_link.c
int link_event(struct verifier *v, uint32_t index);

// verify_exec.c
void run_event(struct verifier *v, uint32_t index);

// verify_step.c: the teacher
void force_op(struct verifier *v, struct op *op);

// verify_final.c
int compare_final(struct verifier *v);

// verify_judge.c
bool judge_steps(struct verifier *v, const struct op *op, enum verify_decision decision); // true: the same
void judge_fallbacks(struct verifier *v, const struct op *op);
void judge_request(struct verifier *v, const struct op *op, const struct yard_result *result);
void judge_no_wake(struct verifier *v, const struct op *op); // the kernel's fast attempt succeeded
void judge_wakeups(struct verifier *v, const struct op *op, bool boost); // of kswapd, by a request or by its boost
void judge_reserve(struct verifier *v, const struct op *op);
void judge_capture(struct verifier *v, const struct op *op);
void judge_place(struct verifier *v, const struct op *op); // where a freed block went

// verify_report.c
void record_difference(struct verifier *v, const struct op *op, enum verify_decision decision, const char *recorded,
		       const char *engine);
void settle_causes(struct verifier *v, const struct op *op, uint64_t first);
void explain_before(struct verifier *v, const struct op *op);
void explain_after(struct verifier *v);
