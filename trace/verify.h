// SPDX-License-Identifier: Apache-2.0
//
// Teacher forcing: is every decision of a recorded kernel the one that the engine makes in the same state?
//
// Two yards go through the record. The *teacher* is forced: each recorded step is made in it exactly as recorded, so
// its state is the kernel's. The *pupil* gets only requests, frees and what has an outside cause, and decides the rest
// itself. After each operation the pupil's events are compared with the recorded ones; where they differ the pupil
// takes over the teacher's state, so that one difference does not hide the next.
//
// At step level only the teacher runs: before each step is forced, the rule that names its frame is asked.

#pragma once

#include <stdio.h>

#include <pageyard/yard.h>

#include "trace/reader.h"

enum verify_level { VERIFY_REQUEST, VERIFY_STEP };

struct verify_options {
	const char *record; // folder with snapshot0, events, snapshot1
	struct yard_policy policy;
	const char *policy_name; // NULL: linux-7.3 with the record's own defrag_mode
	enum verify_level level;
	unsigned differences; // how many to keep
	uint64_t explain;     // event number whose decision is to be explained, 0: none
	FILE *explain_to;
	void (*progress)(void *context, uint64_t done, uint64_t total); // NULL: quiet
	void *progress_context;
};

struct verify_share {
	uint64_t right, all;
};

enum verify_decision {
	VERIFY_FRAMES,	// the frame handed out
	VERIFY_FAILURES, // a request that failed in the kernel fails
	VERIFY_WAKES,	 // the fast attempt fails and kswapd is woken
	VERIFY_REFILLS, // number and frames of a refill
	VERIFY_CLAIMS,
	VERIFY_STEALS,
	VERIFY_RESERVES, // a pageblock becomes HIGHATOMIC (H1)
	VERIFY_PUTS,   // a freed page goes to a per-CPU list, and to which
	VERIFY_DIRECT, // ... or straight to the buddy lists
	VERIFY_DRAINS, // which frames leave the sets, and when
	VERIFY_DECAYS, // what a timer drains
	VERIFY_ISOLATED, // compaction gets or is refused a free block
	VERIFY_DECISIONS
};
const char *verify_decision_name(unsigned decision);

// Why a difference is what it is.
enum verify_cause {
	VERIFY_CAUSE_NONE,
	VERIFY_CAUSE_ROTATED,	// compaction's fast search rotates free lists without an event (T7j)
	VERIFY_CAUSE_LOST_PROBE, // a probe was lost: the frame was not where the events put it, or a set's count is off
	VERIFY_CAUSE_RACE,	// two CPUs within the clock's resolution
	VERIFY_CAUSE_PORTIONS,	// a drain's later portions ran when its task had the CPU again, under another free (N1)
	VERIFY_CAUSE_KSWAPD,	// another node, within a millisecond of kswapd's going to or from its wait queue (A6)
	VERIFY_CAUSE_RULE,	// none of the above: a rule differs
	VERIFY_CAUSES
};
const char *verify_cause_name(unsigned cause);

struct verify_difference {
	uint64_t seq;
	uint8_t decision, cause, order;
	int8_t migratetype;
	uint16_t cpu;
	char recorded[160], engine[160], reason[256];
};

enum verify_silent { // events that no rule explains, or that explain themselves (T7, T8)
	VERIFY_SILENT_CAPTURED,	 // allocated, but no event took the frame off a list (T7d)
	VERIFY_SILENT_BULK,	 // taken, but no mm_page_alloc (T7e)
	VERIFY_SILENT_BELIEVED_FREE, // freed, but believed free or isolated (T7c)
	VERIFY_SILENT_BUSY,	 // straight to or from the buddy lists: the set's lock was held (N1)
	VERIFY_SILENT_PREEMPTED, // a drain lost its CPU between two portions (N1)
	VERIFY_SILENT_LOST_PUT,	 // on a per-CPU list without a put
	VERIFY_SILENTS
};
const char *verify_silent_name(unsigned silent);

enum { VERIFY_FINAL_LINES = 40 };

struct verify_final { // the end state against snapshot 1
	uint64_t free_lists, free_lists_same, free_lists_order_only;
	uint64_t pcp_lists, pcp_lists_same, pcp_lists_order_only;
	uint64_t pcp_fields, pcp_fields_same;
	uint64_t pageblocks, pageblocks_same;
	uint64_t counters, counters_same;
	unsigned nr_lines;
	char line[VERIFY_FINAL_LINES][200];
	bool compared;
};

struct verify_result {
	uint64_t events, operations;
	double seconds;
	struct verify_share decision[VERIFY_DECISIONS];
	struct verify_share by_order[YARD_NR_PAGE_ORDERS], by_type[YARD_MIGRATETYPES], by_path[YARD_PATHS];
	uint64_t cause[VERIFY_CAUSES], silent[VERIFY_SILENTS];
	struct verify_difference *difference; // options.differences of them at most
	unsigned nr_differences;
	uint64_t all_differences;
	uint64_t lost;
	unsigned nr_cpus;
	const char *policy_name; // the option's, or what it stands for without one
	bool explained;
	struct verify_final final;
};

// Runs the verdict. 0, or -1 with the reason in *error. The caller releases *result with verify_release().
int verify_record(const struct verify_options *options, struct verify_result *result, struct trace_error *error);
void verify_release(struct verify_result *result);

void verify_print(const struct verify_options *options, const struct verify_result *result, FILE *out);
void verify_print_json(const struct verify_options *options, const struct verify_result *result, FILE *out);
