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
	// reclaim (spec 04 section 4)
	VERIFY_KSWAPD_WAKEUPS, // which nodes' kswapd a request wakes, for which order and zones
	VERIFY_KSWAPD_RUNS,    // for which order and zones it then runs
	VERIFY_KSWAPD_STOPS,   // it reclaims while the node is not balanced, and stops when it is
	VERIFY_KSWAPD_SLEEPS,  // it sleeps, or goes on unasked
	VERIFY_SCAN_ORDERS,    // the order that scans work for, and where it is dropped
	VERIFY_RECLAIM_ORDERS, // the order of a request's first direct reclaim
	// which zones are compacted (spec 03 3.2, 3.8)
	VERIFY_SUITABLE,	  // which zones are tested, and with which result
	VERIFY_DEFERRALS,	  // when compaction is deferred, and the arithmetic of it
	VERIFY_KCOMPACTD_WAKEUPS, // kcompactd is woken, or left alone
	VERIFY_KCOMPACTD_RUNS,	  // for which order and zones it runs, and that it visits all zones
	VERIFY_PROACTIVE,	  // it compacts on its own, or sleeps again
	VERIFY_DIRECT_COMPACTION, // order and priority of a request's first direct compaction
	// a run (spec 03 3.3 to 3.6)
	VERIFY_POSITIONS,     // where both scanners begin, and where they end
	VERIFY_SOURCE_BLOCKS, // the block that is emptied next
	VERIFY_SOURCES,	      // how far it is scanned, and how many pages are taken
	VERIFY_FREE_SEARCHES, // fast searches for free blocks
	VERIFY_FREE_SCANS,    // linear scans for them
	VERIFY_MIGRATED,      // pages moved and not moved are those that were taken
	VERIFY_RESCANS,	      // whether the rest of a block is scanned at once
	VERIFY_RUN_DRAINS,    // whether the set is drained at the end of a step
	VERIFY_FINISHED,      // whether the run is done
	VERIFY_RUN_RESULTS,
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

enum verify_unjudged { // decisions of reclaim and compaction that were not judged, and why
	VERIFY_UNJUDGED_STATE,	  // the snapshot does not tell compaction's state
	VERIFY_UNJUDGED_BEFORE,	  // of a run that began before the record
	VERIFY_UNJUDGED_ROUNDS,	  // of a request's later rounds: what led to them is not recorded
	VERIFY_UNJUDGED_GATES,	  // tests of zones by reclaim itself: their place in the walk over nodes is not recorded
	VERIFY_UNJUDGED_ASKED,	  // of kswapd and those who wake it, on the way between the wait queue and their events
	VERIFY_UNJUDGED_PLACES,	  // scans with pages from before the record that had not joined an LRU list yet
	VERIFY_UNJUDGED_LARGE,	  // frames counted by a scan over large pages from before the record
	VERIFY_UNJUDGED_REST,	  // the rest of a search after a difference
	VERIFY_UNJUDGED_GIVEN_UP, // runs that ended with a captured page or without destinations
	VERIFY_UNJUDGED_PAGES,	  // pages reclaimed: LRU lists are not recorded
	VERIFY_UNJUDGED_MOVES,	  // whether a page could be moved
	VERIFY_UNJUDGEDS
};
const char *verify_unjudged_name(unsigned unjudged);

enum { VERIFY_FINAL_LINES = 40 };

struct verify_final { // the end state against snapshot 1
	uint64_t free_lists, free_lists_same, free_lists_order_only;
	uint64_t pcp_lists, pcp_lists_same, pcp_lists_order_only;
	uint64_t pcp_fields, pcp_fields_same;
	uint64_t pageblocks, pageblocks_same;
	uint64_t counters, counters_same;
	uint64_t compact_fields, compact_fields_same; // positions, deferral and what was asked of the workers
	uint64_t skip_bits, skip_bits_same;	      // of pageblocks
	unsigned nr_lines;
	char line[VERIFY_FINAL_LINES][200];
	bool compared;
};

struct verify_result {
	uint64_t events, operations;
	double seconds;
	struct verify_share decision[VERIFY_DECISIONS];
	struct verify_share by_order[YARD_NR_PAGE_ORDERS], by_type[YARD_MIGRATETYPES], by_path[YARD_PATHS];
	uint64_t cause[VERIFY_CAUSES], silent[VERIFY_SILENTS], unjudged[VERIFY_UNJUDGEDS];
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
