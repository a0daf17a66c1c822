// SPDX-License-Identifier: Apache-2.0
//
// Judging one run of compaction (spec 03 3.3 to 3.6): where the scanners begin, which blocks and frames they take, when the
// run ends. The pupil and the teacher each hold a control of the run. A step is made by the pupil and compared with the
// recorded one; if they are the same the teacher makes it too, so both know what no event shows (rotated lists, skip bits).
// Otherwise the teacher is forced, and the pupil takes over its state.

#include "trace/verify_mm.h"

#include <pageyard/lru.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGEBLOCK = YARD_PAGEBLOCK_NR_PAGES };

// Sets of kinds, for mm_next().
#define FREE_SCANS                                                                                                      \
	(1ull << TRACE_ISOLATE_FREE | 1ull << TRACE_FAST_ISOLATE_FREEPAGES | 1ull << TRACE_ISOLATE_FREEPAGES)
#define STEPS	                                                                                                      \
	(1ull << TRACE_ISOLATE_MIGRATEPAGES | 1ull << TRACE_COMPACTION_FINISHED | 1ull << TRACE_COMPACTION_END)
#define ENDS (STEPS | 1ull << TRACE_COMPACTION_MIGRATEPAGES) // of the search for destinations

int scan_prepare(struct run_watch *run)
{
	for (unsigned n = 0; n < 2; n++) {
		if (!run->run[n])
			run->run[n] = malloc(yard_run_size());
		if (!run->run[n])
			return -1;
		memset(run->run[n], 0, yard_run_size());
	}
	run->nr_blocks = 0;
	return 0;
}

// ---- the two controls ----

// The pupil goes on from the teacher's state. Deferral is the pupil's own business.
static void retake(struct verifier *v, struct gate_watch *gate, unsigned zone)
{
	struct yard_compact_state mine, theirs;

	yard_adopt(v->pupil, v->teacher);
	memcpy(gate->run.run[0], gate->run.run[1], yard_run_size());
	yard_run_rebind(v->pupil, gate->run.run[0]);
	if (yard_get_compact(v->pupil, zone, &mine) || yard_get_compact(v->teacher, zone, &theirs))
		return;
	theirs.considered = mine.considered;
	theirs.defer_shift = mine.defer_shift;
	theirs.order_failed = mine.order_failed;
	yard_restore_compact(v->pupil, zone, &theirs);
}

static unsigned zone_of_run(const struct gate_watch *gate)
{
	return gate->zone[gate->at];
}

static void set_positions(struct run_watch *run, uint64_t migrate_pfn, uint64_t free_pfn)
{
	struct yard_run_state state;

	for (unsigned n = 0; n < 2; n++) {
		yard_run_get(run->run[n], &state);
		if (migrate_pfn != TRACE_PFN_NONE)
			state.migrate_pfn = migrate_pfn;
		if (free_pfn != TRACE_PFN_NONE)
			state.free_pfn = free_pfn;
		yard_run_set(run->run[n], &state);
	}
}

static void judge_positions(struct verifier *v, uint32_t index, struct gate_watch *gate, bool sync, const char *rule)
{
	const struct trace_event *event = event_at(v, index);
	struct yard_run_state state;
	char recorded[160];

	yard_run_get(gate->run.run[0], &state);
	mm_describe_event(event, recorded, sizeof(recorded));
	mm_judge(v, index, VERIFY_POSITIONS,
		 state.migrate_pfn == event->pfn && state.free_pfn == event->end_pfn && sync == (event->a != 0),
		 VERIFY_CAUSE_NONE, recorded, "migrate_pfn=%llu free_pfn=%llu sync=%d (%s)", (unsigned long long)state.migrate_pfn,
		 (unsigned long long)state.free_pfn, sync, rule);
	set_positions(&gate->run, event->pfn, event->end_pfn);
}

// Pages that were in a per-CPU batch when the snapshot was taken have joined their list by now (C6.1).
static void drain_batches(struct verifier *v)
{
	for (uint32_t i = 0; i < v->before->nr_frames && !v->mm->drained; i++) {
		const struct snapshot_frames *frames = &v->before->frames[i];

		for (uint32_t pfn = frames->pfn; frames->class == SNAPSHOT_OFFLRU && pfn < frames->pfn + frames->nr; pfn++) {
			if (!mm_is_old(v, pfn))
				continue;
			yard_set_lru(v->pupil, pfn, true);
			yard_set_lru(v->teacher, pfn, true);
		}
	}
	v->mm->drained = true;
}

void scan_begin(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	struct run_watch *run = &gate->run;
	struct yard_run_request request = {
		.kind = gate->kind, .zone = zone_of_run(gate), .order = gate->order == TRACE_ORDER_NONE ? 0 : gate->order,
		.highest_zone = gate->highest, .gfp = gate->gfp, .priority = gate->priority,
	};
	struct yard_run_state state;

	mm_settle_lru(v);
	drain_batches(v);
	yard_run_begin(v->pupil, run->run[0], &request);
	yard_run_begin(v->teacher, run->run[1], &request);
	yard_run_get(run->run[0], &state);
	judge_positions(v, index, gate, state.sync, "spec 03 C3.3");
	run->taken = 0;
	run->finished = CONTINUE;
	run->highest_released = 0;
	run->skip_until = index;
	v->mm->runs++;
}

// ---- when it ends ----

// P2: a block that this task's frees completed went to it and not to the lists, which shows only when the request gets it.
static void give_captured(struct verifier *v, uint32_t index, const struct gate_watch *gate)
{
	uint32_t i = gate->kind == YARD_RUN_DIRECT ? mm_next(v, index, gate->pid, 1ull << TRACE_PAGE_ALLOC) : NO_OP;
	const struct op *op = i == NO_OP ? NULL : op_at(v, i);
	uint32_t first;
	unsigned order;

	if (!op || v->window->run[i & WINDOW_MASK] != i || op->kind != OP_CAPTURED || !(op->flags & OP_COMPACTED))
		return;
	if (yard_frame_state(v->teacher, op->pfn, &first, &order) != YARD_FRAME_BUDDY || first != op->pfn || order < op->order)
		return;
	yard_force_allocated(v->pupil, op->pfn, op->order);
	yard_force_allocated(v->teacher, op->pfn, op->order);
}

static void judge_finished(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	const struct trace_event *event = event_at(v, index);
	struct run_watch *run = &gate->run;
	char recorded[160], engine[160] = "nothing";
	bool right;

	give_captured(v, index, gate);
	mm_quiet(v);
	yard_run_finished(v->pupil, run->run[0]);
	right = v->mm->nr_told == 1 && mm_same(&v->mm->told[0], event);
	mm_describe_event(event, recorded, sizeof(recorded));
	if (v->mm->nr_told)
		mm_describe(&v->mm->told[0], engine, sizeof(engine));
	mm_judge(v, index, VERIFY_FINISHED, right, VERIFY_CAUSE_NONE, recorded, "%s (spec 03 C6.3)", engine);
	if (right) {
		yard_run_finished(v->teacher, run->run[1]);
	} else {
		if (event->c == COMPLETE || event->c == PARTIAL_SKIPPED)
			yard_run_force_met(v->teacher, run->run[1]);
		retake(v, gate, zone_of_run(gate));
	}
	run->finished = event->c;
	run->highest_released = 0;
}

// C6.2.6: the drain of this CPU's set at the end of a step.
static void judge_drain(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	const uint32_t pid = gate->pid;
	uint32_t next = mm_next(v, index, pid, STEPS | 1ull << TRACE_DRAIN_CPU);
	bool recorded = next != NO_OP && event_at(v, next)->kind == TRACE_DRAIN_CPU;
	bool drains = yard_run_drains(v->pupil, gate->run.run[0]);

	yard_run_drains(v->teacher, gate->run.run[1]);
	mm_judge(v, index, VERIFY_RUN_DRAINS, recorded == drains, VERIFY_CAUSE_NONE, recorded ? "drains the set" : "goes on",
		 "%s (spec 03 C6.2.6)", drains ? "drains the set" : "goes on");
}

// A destination that was not released: user pages live there now.
static void use_block(struct verifier *v, const struct block *block)
{
	struct yard *yards[] = { v->pupil, v->teacher };

	for (unsigned n = 0; n < 2; n++)
		for (uint32_t pfn = block->pfn; pfn < block->pfn + (1u << block->order); pfn++) {
			enum yard_frame_state state = yard_frame_state(yards[n], pfn, NULL, NULL);

			if (state == YARD_FRAME_ISOLATED)
				yard_force_allocated(yards[n], pfn, 0);
			else if (state != YARD_FRAME_ALLOCATED)
				continue;
			yard_set_lru(yards[n], pfn, true);
		}
}

void scan_end(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	const struct trace_event *event = event_at(v, index);
	struct run_watch *run = &gate->run;
	bool ended = run->finished != NO_RESULT && run->finished != CONTINUE && run->finished != NO_SUITABLE_PAGE;
	struct yard_run_state state;

	yard_run_get(run->run[0], &state);
	judge_positions(v, index, gate, state.sync, "spec 03 C6.9");
	if (ended)
		mm_judge(v, index, VERIFY_RUN_RESULTS, run->finished == event->b, VERIFY_CAUSE_NONE, "ends", "result %d, not %d",
			 run->finished, event->b);
	else if (run->finished != NO_RESULT) // isolation was aborted (C4.1)
		mm_not_judged(v, VERIFY_UNJUDGED_GIVEN_UP, 1);
	yard_run_end(v->pupil, run->run[0], run->highest_released);
	yard_run_end(v->teacher, run->run[1], run->highest_released);
	for (uint32_t n = 0; n < run->nr_blocks; n++)
		use_block(v, &run->block[n]);
	run->nr_blocks = 0;
	v->mm->runs--;
}

// ---- source blocks ----

static void force_source(struct verifier *v, const struct trace_event *event, struct gate_watch *gate, bool same_block)
{
	struct run_watch *run = &gate->run;

	if (same_block) // what the search for the block did to the lists is right
		yard_run_sources(v->teacher, run->run[1]);
	yard_run_force_sources(v->teacher, run->run[1], (uint32_t)event->pfn, (uint32_t)event->end_pfn, (uint32_t)event->b);
	retake(v, gate, zone_of_run(gate));
}

// C4.7: a scan stops inside a block when it has a cluster.
enum { CLUSTER = 32 };

// The scan took a few pages more than the pupil knows to be on LRU lists, and there are that many of unknown use: in a
// movable pageblock, allocated before the record began, on no list then.
static bool explained_by_unknown(struct verifier *v, const struct trace_event *event)
{
	uint64_t known = 0, unknown = 0;
	uint64_t block_end = (event->pfn / PAGEBLOCK + 1) * PAGEBLOCK;

	if (event->pfn < v->start_pfn || event->end_pfn > block_end || event->end_pfn > v->end_pfn || event->b < 0
	    || event->a != (int64_t)(event->end_pfn - event->pfn))
		return false;
	for (uint32_t pfn = (uint32_t)event->pfn; pfn < event->end_pfn; pfn++) {
		uint32_t first;
		unsigned order;
		enum yard_mapping mapping;
		uint32_t flags;
		bool lru;

		if (yard_frame_state(v->teacher, pfn, &first, &order) != YARD_FRAME_ALLOCATED || first != pfn
		    || yard_lru_get(v->teacher, pfn, &flags, &mapping, &lru))
			continue;
		known += lru ? 1ull << order : 0;
		unknown += !lru && mm_is_old(v, pfn) && yard_pageblock_type(v->teacher, pfn) == YARD_MOVABLE;
	}
	if (event->end_pfn < block_end && event->b < CLUSTER)
		return false;
	return (uint64_t)event->b > known && (uint64_t)event->b <= known + unknown;
}

static void judge_source(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	const struct trace_event *event = event_at(v, index);
	struct run_watch *run = &gate->run;
	const struct told *told = v->mm->told;
	char recorded[160], engine[160] = "finds no block";
	bool block, all;

	mm_quiet(v);
	yard_run_sources(v->pupil, run->run[0]);
	block = v->mm->nr_told == 1 && told->kind == YARD_EVENT_ISOLATE_MIGRATEPAGES && told->arg[0] == (int64_t)event->pfn;
	all = block && mm_same(told, event);
	mm_describe_event(event, recorded, sizeof(recorded));
	if (v->mm->nr_told)
		mm_describe(told, engine, sizeof(engine));
	mm_judge(v, index, VERIFY_SOURCE_BLOCKS, block, VERIFY_CAUSE_NONE, recorded, "%s (spec 03 C3.12, C3.13)", engine);
	if (block && !all && explained_by_unknown(v, event))
		mm_not_judged(v, VERIFY_UNJUDGED_PLACES, 1);
	else if (block)
		mm_judge(v, index, VERIFY_SOURCES, all, VERIFY_CAUSE_NONE, recorded, "%s (spec 03 C4)", engine);
	else
		mm_not_judged(v, VERIFY_UNJUDGED_REST, 1);
	v->searched[zone_of_run(gate)] |= !block; // how its lists were rotated is not known any more
	if (all)
		yard_run_sources(v->teacher, run->run[1]);
	else
		force_source(v, event, gate, block);
	run->taken += event->b;
	run->highest_released = 0;
	if (!event->b)
		judge_drain(v, index, gate);
}

// A step that found no block to scan tells nothing.
static void judge_no_source(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	uint32_t next = mm_next(v, index, gate->pid, STEPS);
	char engine[160] = "";
	bool right;

	if (next == NO_OP || event_at(v, next)->kind == TRACE_ISOLATE_MIGRATEPAGES)
		return;
	mm_quiet(v);
	yard_run_sources(v->pupil, gate->run.run[0]);
	right = !v->mm->nr_told;
	if (!right)
		mm_describe(&v->mm->told[0], engine, sizeof(engine));
	mm_judge(v, index, VERIFY_SOURCE_BLOCKS, right, VERIFY_CAUSE_NONE, "finds no block to scan", "%s (spec 03 C3.12)",
		 engine);
	if (right) {
		yard_run_sources(v->teacher, gate->run.run[1]);
	} else {
		if (event_at(v, next)->kind == TRACE_COMPACTION_END)
			set_positions(&gate->run, event_at(v, next)->pfn, TRACE_PFN_NONE);
		retake(v, gate, zone_of_run(gate));
	}
	judge_drain(v, index, gate);
}

// C6.2.4: without destinations the run is given up at once.
static void judge_given_up(struct verifier *v, uint32_t index, struct gate_watch *gate, uint32_t end, bool exhausted)
{
	bool ended = end != NO_OP;
	int status = ended ? event_at(v, end)->b : 0;

	gate->run.finished = ended ? NO_RESULT : gate->run.finished;
	if (ended && !exhausted)
		mm_not_judged(v, VERIFY_UNJUDGED_GIVEN_UP, 1); // captured
	else
		mm_judge(v, index, VERIFY_RUN_RESULTS, ended && status == CONTENDED, VERIFY_CAUSE_NONE,
			 ended ? "ends with another result" : "goes on", "has no destinations and gives up (spec 03 C6.2.4)");
}

// The scanners have met: there is no block to scan any more.
static bool finds_nothing(struct verifier *v, struct gate_watch *gate)
{
	mm_quiet(v);
	yard_run_sources(v->pupil, gate->run.run[0]);
	yard_run_sources(v->teacher, gate->run.run[1]);
	return !v->mm->nr_told;
}

static void judge_migrated(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	const struct trace_event *event = event_at(v, index);
	struct run_watch *run = &gate->run;
	uint32_t next = mm_next(v, index, gate->pid, STEPS);
	unsigned kind = next == NO_OP ? TRACE_OTHER : event_at(v, next)->kind;
	bool again = kind == TRACE_ISOLATE_MIGRATEPAGES, exhausted = yard_run_exhausted(run->run[0]), rescans;
	char text[80];

	snprintf(text, sizeof(text), "%d moved and %d not", event->a, event->b);
	mm_judge(v, index, VERIFY_MIGRATED, event->a + event->b == run->taken, VERIFY_CAUSE_NONE, text, "%d were isolated",
		 run->taken);
	mm_not_judged(v, VERIFY_UNJUDGED_MOVES, 1);
	run->taken = 0;
	run->highest_released = 0;
	if (exhausted || kind == TRACE_COMPACTION_END)
		judge_given_up(v, index, gate, kind == TRACE_COMPACTION_END ? next : NO_OP, exhausted);
	rescans = yard_run_migrated(run->run[0], (uint32_t)event->a, (uint32_t)event->b);
	yard_run_migrated(run->run[1], (uint32_t)event->a, (uint32_t)event->b);
	if (next == NO_OP || kind == TRACE_COMPACTION_END)
		return;
	if (rescans && !again && finds_nothing(v, gate)) // a rescan that finds no block tells nothing
		rescans = false;
	mm_judge(v, index, VERIFY_RESCANS, rescans == again, VERIFY_CAUSE_NONE,
		 again ? "scans the rest of the block" : "tests whether it is done", "%s (spec 03 C6.2.4)",
		 rescans ? "scans the rest of the block" : "tests whether it is done");
	if (rescans != again) {
		yard_run_force_rescan(run->run[0], again);
		yard_run_force_rescan(run->run[1], again);
	}
	if (!again)
		judge_drain(v, index, gate);
}

// ---- free blocks ----

static void add_block(struct run_watch *run, const struct trace_event *event)
{
	if (run->nr_blocks == run->room) {
		uint32_t room = run->room ? 2 * run->room : 64;
		struct block *more = realloc(run->block, room * sizeof(*more));

		if (!more)
			return; // its frames stay isolated
		run->block = more;
		run->room = room;
	}
	run->block[run->nr_blocks++] = (struct block){ (uint32_t)event->pfn, event->order };
}

static bool took(struct verifier *v, const struct trace_event *event)
{
	uint32_t first;
	unsigned order;

	return event->a > 0 && yard_frame_state(v->pupil, (uint32_t)event->pfn, &first, &order) == YARD_FRAME_ISOLATED
	       && first == event->pfn && order == event->order;
}

enum scan_verdict { SCAN_SAME, SCAN_LARGER_STEPS, SCAN_DIFFERS };

// A scan passes over a large page at once (C5.8). How large pages are that were there before the record, nothing tells: the
// scan may count more frames than the pupil's, and be the same otherwise.
static enum scan_verdict compare_scan(struct verifier *v, const struct told *told, const struct trace_event *event)
{
	if (mm_same(told, event))
		return SCAN_SAME;
	if (event->kind != TRACE_ISOLATE_FREEPAGES || told->kind != YARD_EVENT_ISOLATE_FREEPAGES
	    || told->arg[0] != (int64_t)event->pfn || told->arg[1] != (int64_t)event->end_pfn || told->arg[3] != event->b
	    || event->a <= told->arg[2])
		return SCAN_DIFFERS;
	for (uint64_t pfn = event->pfn; pfn < event->end_pfn && pfn < v->end_pfn; pfn++)
		if (mm_is_old(v, pfn))
			return SCAN_LARGER_STEPS;
	return SCAN_DIFFERS;
}

struct call { // one search for destinations, as recorded
	uint32_t end;	     // its last event that agrees with what the pupil told
	uint32_t differs;    // the event that does not; NO_OP: it ends too early
	unsigned nr;	     // scans that agree
	bool right;
};

static struct call compare_call(struct verifier *v, uint32_t index, uint32_t pid)
{
	struct call call = { .end = index, .differs = NO_OP };
	uint32_t i = index;
	int64_t pages = 0; // taken since the last scan

	while (call.nr < v->mm->nr_told) {
		const struct trace_event *event = i == NO_OP ? NULL : event_at(v, i);

		if (!event || !(FREE_SCANS >> event->kind & 1))
			return call;
		if (event->kind == TRACE_ISOLATE_FREE
			    ? !took(v, event)
			    : compare_scan(v, &v->mm->told[call.nr], event) == SCAN_DIFFERS || event->b != pages) {
			call.differs = i;
			return call;
		}
		pages = event->kind == TRACE_ISOLATE_FREE ? pages + (1 << event->order) : 0;
		call.nr += event->kind != TRACE_ISOLATE_FREE;
		call.end = i;
		i = mm_next(v, i, pid, FREE_SCANS | ENDS);
	}
	call.right = call.nr > 0;
	return call;
}

static enum verify_decision decision_of(const struct trace_event *event)
{
	return event->kind == TRACE_FAST_ISOLATE_FREEPAGES ? VERIFY_FREE_SEARCHES : VERIFY_FREE_SCANS;
}

// Counts the scans that agree, and makes the free blocks' own events part of them.
static void count_call(struct verifier *v, uint32_t index, struct gate_watch *gate, const struct call *call)
{
	unsigned nr = 0;

	for (uint32_t i = index; i != NO_OP && nr < call->nr; i = mm_next(v, i, gate->pid, FREE_SCANS)) {
		const struct trace_event *event = event_at(v, i);

		if (event->kind != TRACE_ISOLATE_FREE && !mm_same(&v->mm->told[nr++], event)) {
			mm_not_judged(v, VERIFY_UNJUDGED_LARGE, 1);
		} else if (event->kind != TRACE_ISOLATE_FREE) {
			v->result->decision[decision_of(event)].all++;
			v->result->decision[decision_of(event)].right++;
		} else if (call->right) {
			v->result->decision[VERIFY_ISOLATED].all++;
			v->result->decision[VERIFY_ISOLATED].right++;
			v->window->run[i & WINDOW_MASK] = NO_OP;
			add_block(&gate->run, event);
		}
	}
	gate->run.skip_until = call->end;
}

static void describe_differing(struct verifier *v, uint32_t index, const struct call *call)
{
	uint32_t at = call->differs == NO_OP ? index : call->differs;
	enum verify_decision decision = decision_of(event_at(v, at));
	char recorded[160] = "looks no further", engine[160] = "looks no further";

	if (call->differs != NO_OP && event_at(v, at)->kind == TRACE_ISOLATE_FREE) {
		snprintf(recorded, sizeof(recorded), "takes the free block %llu of order %u",
			 (unsigned long long)event_at(v, at)->pfn, event_at(v, at)->order);
		decision = v->mm->told[call->nr].kind == YARD_EVENT_FAST_ISOLATE_FREEPAGES ? VERIFY_FREE_SEARCHES
											   : VERIFY_FREE_SCANS;
	} else if (call->differs != NO_OP) {
		mm_describe_event(event_at(v, at), recorded, sizeof(recorded));
	}
	if (call->nr < v->mm->nr_told)
		mm_describe(&v->mm->told[call->nr], engine, sizeof(engine));
	mm_judge(v, at, decision, false, VERIFY_CAUSE_NONE, recorded, "%s (spec 03 C5)", engine);
}

// After a difference the rest of this search is made as recorded: its blocks are taken one by one.
static void follow_call(struct verifier *v, uint32_t index, struct gate_watch *gate, const struct call *call)
{
	struct run_watch *run = &gate->run;
	uint64_t free_pfn = TRACE_PFN_NONE;
	bool first = true;
	uint64_t unjudged = 0;

	for (uint32_t i = index; i != NO_OP; i = mm_next(v, i, gate->pid, FREE_SCANS | ENDS)) {
		const struct trace_event *event = event_at(v, i);

		if (!(FREE_SCANS >> event->kind & 1) || (event->kind == TRACE_FAST_ISOLATE_FREEPAGES && !first))
			break;
		run->skip_until = i;
		if (event->kind == TRACE_ISOLATE_FREE) {
			add_block(run, event);
			yard_run_force_target(run->run[1], event->order);
			continue;
		}
		first = false;
		unjudged += call->differs != NO_OP && (int32_t)(i - call->differs) > 0;
		if (event->kind == TRACE_ISOLATE_FREEPAGES) // C5.7: at the block's end it goes on below
			free_pfn = event->end_pfn % PAGEBLOCK ? event->end_pfn : event->pfn / PAGEBLOCK * PAGEBLOCK - PAGEBLOCK;
	}
	mm_not_judged(v, VERIFY_UNJUDGED_REST, unjudged);
	set_positions(run, TRACE_PFN_NONE, free_pfn);
	retake(v, gate, zone_of_run(gate));
}

static void judge_free_call(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	struct run_watch *run = &gate->run;
	struct call call;

	mm_quiet(v);
	yard_run_targets(v->pupil, run->run[0]);
	call = compare_call(v, index, gate->pid);
	count_call(v, index, gate, &call);
	if (call.right) {
		yard_run_targets(v->teacher, run->run[1]);
		return;
	}
	v->searched[zone_of_run(gate)] = true;
	describe_differing(v, index, &call);
	follow_call(v, index, gate, &call);
}

// ---- one event of a run ----

void scan_freed(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	struct gate_watch *gate = gate_of(v, event->pid);

	if (!gate || gate->phase != GATE_RUN || event->pfn < v->start_pfn || event->pfn >= v->end_pfn)
		return;
	if (yard_frame_state(v->pupil, (uint32_t)event->pfn, NULL, NULL) == YARD_FRAME_ISOLATED
	    && event->pfn > gate->run.highest_released)
		gate->run.highest_released = (uint32_t)event->pfn;
}

void scan_event(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	mm_settle_lru(v);
	switch (event_at(v, index)->kind) {
	case TRACE_COMPACTION_FINISHED:
		judge_finished(v, index, gate);
		if (gate->run.finished == CONTINUE || gate->run.finished == NO_SUITABLE_PAGE)
			judge_no_source(v, index, gate);
		break;
	case TRACE_ISOLATE_MIGRATEPAGES:
		judge_source(v, index, gate);
		break;
	case TRACE_COMPACTION_MIGRATEPAGES:
		judge_migrated(v, index, gate);
		break;
	case TRACE_COMPACT_BACK:
		yard_run_returned(gate->run.run[0], op_at(v, index)->order);
		yard_run_returned(gate->run.run[1], op_at(v, index)->order);
		break;
	case TRACE_ISOLATE_FREE:
	case TRACE_FAST_ISOLATE_FREEPAGES:
	case TRACE_ISOLATE_FREEPAGES:
		if ((int32_t)(index - gate->run.skip_until) > 0)
			judge_free_call(v, index, gate);
		break;
	default:
		break;
	}
}
