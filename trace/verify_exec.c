// SPDX-License-Identifier: Apache-2.0
//
// Runs one operation: the pupil decides (verify_judge.c compares), then the teacher is forced (verify_step.c).

#include "trace/verify_mm.h"

#include <stdio.h>
#include <string.h>

// ---- requests ----

static bool through_busy_set(const struct op *op) // N1: an interrupt found the set locked
{
	return op->flags & OP_REMOVED && !(op->flags & (OP_TAKEN | OP_EMPTY))
	       && (op->order <= YARD_COSTLY_ORDER || op->order == YARD_PAGEBLOCK_ORDER);
}

static struct yard_request request_of(const struct verifier *v, const struct op *op)
{
	struct yard_request request = { .gfp = op->gfp, .order = op->order, .task = op->task, .node = -1 };

	for (unsigned node = 0; node < yard_nr_nodes(v->pupil); node++)
		if (v->kswapd_pid[node] && v->kswapd_pid[node] == op->pid)
			request.task = YARD_TASK_MEMALLOC;
	if (op->flags & OP_WOKE)
		request.part = YARD_REQUEST_FROM_WAKE;
	if (!(op->flags & OP_REQUEST)) { // T7e: bulk pages have no mm_page_alloc; their callers are the kernel's own
		request.gfp = YARD_GFP_KERNEL;
		request.bulk = true;
	}
	return request;
}

static void run_alloc(struct verifier *v, struct op *op)
{
	struct yard_request request = request_of(v, op);
	struct yard_result result;

	if (!(op->flags & (OP_REQUEST | OP_TAKEN)))
		return; // an attempt that came to nothing, or removals whose use lies behind the end
	if (!(op->flags & OP_REQUEST))
		v->result->silent[VERIFY_SILENT_BULK]++;
	if (through_busy_set(op)) {
		v->result->silent[VERIFY_SILENT_BUSY]++;
		yard_sim_set_pcp_busy(v->pupil, true);
	}
	yard_alloc_request(v->pupil, &request, &result);
	yard_sim_set_pcp_busy(v->pupil, false);
	judge_request(v, op, &result);
	if (!(op->flags & OP_WOKE))
		judge_no_wake(v, op);
	judge_wakeups(v, op, true);
	judge_fallbacks(v, op);
	judge_steps(v, op, VERIFY_REFILLS);
}

// The kernel's request failed its fast attempt and woke kswapd here; so must the engine's.
static void run_wake(struct verifier *v, struct op *op)
{
	struct yard_request request = { .gfp = op->gfp, .order = op->order, .node = -1, .part = YARD_REQUEST_UNTIL_WAKE };
	struct verify_share *share = &v->result->decision[VERIFY_WAKES];
	struct yard_result result;
	char engine[64];
	uint32_t late;

	if (!(op->flags & OP_REQUEST))
		return; // what became of it lies behind the window
	late = reclaim_wakes_late(v, op);
	yard_alloc_request(v->pupil, &request, &result);
	share->all++;
	share->right += result.pfn == YARD_PFN_NONE;
	reclaim_wake(v, op, late);
	if (result.pfn == YARD_PFN_NONE) {
		if (late == NO_OP)
			judge_wakeups(v, op, false);
		return;
	}
	snprintf(engine, sizeof(engine), "hands out frame %u at once", result.pfn);
	record_difference(v, op, VERIFY_WAKES, "fails its fast attempt and wakes kswapd", engine);
	v->stale = true;
}

// User pages join an LRU list soon after they were allocated (N2): movable ones count as movable. The yards are told when
// it matters.
static void mark_lru(struct verifier *v, const struct op *op)
{
	if (op->pfn != YARD_PFN_NONE && op->flags & OP_REQUEST && op->gfp & YARD_GFP_MOVABLE)
		mm_add_lru(v, op->pfn);
}

// ---- frees ----

// Both yards agree that [pfn, pfn + 2^order) is one allocated block; says so when they did not believe it in use.
static void own_block(struct verifier *v, struct yard *yard, const struct op *op, bool count)
{
	enum yard_frame_state state = yard_frame_state(yard, op->pfn, NULL, NULL);

	if (count && state != YARD_FRAME_ALLOCATED && state != YARD_FRAME_ISOLATED)
		v->result->silent[VERIFY_SILENT_BELIEVED_FREE]++;
	yard_force_allocated(yard, op->pfn, op->order);
}

static bool free_found_busy_set(struct verifier *v, const struct op *op)
{
	if (op->flags & OP_PUT || (op->order > YARD_COSTLY_ORDER && op->order != YARD_PAGEBLOCK_ORDER))
		return false;
	return yard_pageblock_type(v->pupil, op->pfn) != YARD_ISOLATE;
}

// N1: when a task lost its CPU between two portions of a drain is not the allocator's decision. How many portions there
// were until then is all that is taken from the record.
static void arrange_preemption(struct verifier *v, const struct op *op)
{
	unsigned portions = 0;

	if (!(op->flags & OP_PREEMPTED))
		return;
	for (uint32_t i = op->first; i != NO_OP; i = i == op->last ? NO_OP : v->window->next[i & WINDOW_MASK])
		portions += event_at(v, i)->kind == TRACE_BULK_DRAIN;
	yard_sim_preempt_drain(v->pupil, portions);
}

static void keep_preempted(struct verifier *v, const struct op *op)
{
	struct yard_sim_drain rest;

	if (!yard_sim_preempted_drain(v->pupil, &rest))
		return;
	v->result->silent[VERIFY_SILENT_PREEMPTED]++;
	for (unsigned n = 0; n < PAUSED; n++) {
		if (v->paused[n].used)
			continue;
		v->paused[n] = (struct paused){ .pid = op->pid, .used = true, .rest = rest };
		return;
	}
}

static void run_resume(struct verifier *v, const struct op *op)
{
	for (unsigned n = 0; n < PAUSED; n++) {
		if (!v->paused[n].used || v->paused[n].pid != op->pid)
			continue;
		v->paused[n].used = false;
		arrange_preemption(v, op);
		yard_sim_resume_drain(v->pupil, &v->paused[n].rest);
		keep_preempted(v, op);
		break;
	}
	judge_steps(v, op, VERIFY_DRAINS);
}

static void run_free(struct verifier *v, struct op *op)
{
	bool busy = free_found_busy_set(v, op);

	own_block(v, v->pupil, op, true);
	if (op->flags & OP_LOST_PUT)
		v->result->silent[VERIFY_SILENT_LOST_PUT]++;
	if (busy)
		v->result->silent[VERIFY_SILENT_BUSY]++;
	if (busy && !(op->flags & OP_PLACED))
		v->unplaced[yard_zone_of(v->pupil, op->pfn)]++;
	yard_sim_set_pcp_busy(v->pupil, busy);
	arrange_preemption(v, op);
	yard_free(v->pupil, op->pfn, op->order);
	keep_preempted(v, op);
	yard_sim_set_pcp_busy(v->pupil, false);
	if (!busy) // told so, the pupil has decided nothing
		judge_place(v, op);
	judge_steps(v, op, VERIFY_DRAINS);
}

// ---- timers, compaction, kswapd ----

static void run_decay(struct verifier *v, struct op *op)
{
	int zone = zone_names_visit(&v->zone_names, event_at(v, op->first)->zone);

	if (zone < 0)
		return;
	arrange_preemption(v, op);
	yard_vmstat_update_zone(v->pupil, (unsigned)zone, op->cpu);
	keep_preempted(v, op);
	judge_steps(v, op, VERIFY_DECAYS);
}

static void run_drain(struct verifier *v, struct op *op)
{
	const struct trace_event *event = event_at(v, op->first);
	int zone = zone_names_find(&v->zone_names, event->zone);

	if (event->kind != TRACE_DRAIN_CPU) { // drains that belong to nothing
		judge_steps(v, op, VERIFY_DRAINS);
		return;
	}
	if (zone >= 0)
		yard_drain_zone_cpu(v->pupil, (unsigned)zone, (unsigned)event->a);
	judge_steps(v, op, VERIFY_DRAINS);
}

static bool free_block_at(const struct yard *yard, uint32_t pfn, unsigned order)
{
	uint32_t first;
	unsigned held;

	return yard_frame_state(yard, pfn, &first, &held) == YARD_FRAME_BUDDY && first == pfn && held == order;
}

static void isolate_in(struct yard *yard, const struct op *op)
{
	if (free_block_at(yard, op->pfn, op->order) && yard_isolate_free_page(yard, op->pfn) >= 0)
		return;
	yard_force_allocated(yard, op->pfn, op->order);
	yard_unuse_isolated(yard, op->pfn, op->order);
}

static void run_isolate(struct verifier *v, struct op *op)
{
	bool taken = event_at(v, op->first)->a > 0, right;
	struct verify_share *share = &v->result->decision[VERIFY_ISOLATED];

	if (v->options->level == VERIFY_REQUEST) {
		int got = free_block_at(v->pupil, op->pfn, op->order) ? yard_isolate_free_page(v->pupil, op->pfn) : YARD_ENOTOWNED;

		right = taken ? got >= 0 : got == YARD_EBUSY;
		share->all++;
		share->right += right;
		if (!right) {
			record_difference(v, op, VERIFY_ISOLATED, taken ? "takes the free block" : "refuses the free block",
					  got >= 0 ? "takes it" : yard_error_text(got));
			v->stale = true;
		}
	}
	if (taken)
		isolate_in(v->teacher, op);
}

static void run_isolated_step(struct verifier *v, struct yard *yard, const struct op *op)
{
	const struct trace_event *event = event_at(v, op->first);
	uint32_t first;
	unsigned order;

	switch (op->kind) {
	case OP_PUTBACK:
		if (yard_frame_state(yard, op->pfn, &first, &order) != YARD_FRAME_ISOLATED || first != op->pfn || order != op->order) {
			yard_force_allocated(yard, op->pfn, op->order);
			yard_unuse_isolated(yard, op->pfn, op->order);
		}
		yard_putback_free_page(yard, op->pfn, op->order);
		break;
	case OP_COMPACT_BACK:
		yard_force_allocated(yard, op->pfn, op->order);
		yard_unuse_isolated(yard, op->pfn, op->order);
		break;
	case OP_SPLIT:
		yard_force_allocated(yard, op->pfn, op->order);
		yard_split(yard, op->pfn, op->order);
		break;
	case OP_CAPTURED:
		yard_force_allocated(yard, op->pfn, op->order);
		break;
	case OP_MOVE_BLOCK: // C11's moves are isolate_free's own; what is left is the HIGHATOMIC reserve (section 9)
		if (event->a == YARD_HIGHATOMIC || event->b == YARD_HIGHATOMIC)
			yard_force_claim_block(yard, op->pfn, (unsigned)event->b);
		break;
	default:
		break;
	}
}

// Woken, kswapd is off its wait queue until its balancing run is over; the counters' thresholds change only around its
// full sleep. A boosted run ends with kcompactd's wake-up, which may cost kswapd its CPU before the run's last event.
static void run_kswapd(struct verifier *v, struct yard *yard, const struct trace_event *event)
{
	unsigned node = (unsigned)event->a;

	if (node >= yard_nr_nodes(yard))
		return;
	v->kswapd_ns = event->ns;
	switch (event->kind) {
	case TRACE_KSWAPD_WAKE:
		v->kswapd_pid[node] = event->pid;
		yard_kswapd_awake(yard, node, true);
		yard_kswapd_pressure(yard, node, true);
		break;
	case TRACE_KSWAPD_SLEEP:
		yard_kswapd_awake(yard, node, false);
		yard_kswapd_pressure(yard, node, false);
		break;
	case TRACE_BALANCE_PGDAT_BEGIN:
		yard_kswapd_balance_begin(yard, node, (unsigned)event->b);
		break;
	case TRACE_BALANCE_PGDAT_END:
		yard_kswapd_balance_end(yard, node, (unsigned)event->b);
		yard_kswapd_awake(yard, node, false);
		break;
	default:
		if (event->pid == v->kswapd_pid[node])
			yard_kswapd_balance_end(yard, node, (unsigned)event->b);
		break;
	}
}

// ---- one operation ----

static void run_on_pupil(struct verifier *v, struct op *op)
{
	v->nr_said = 0;
	yard_sim_set_cpu(v->pupil, op->cpu);
	switch (op->kind) {
	case OP_ALLOC:
		run_alloc(v, op);
		break;
	case OP_FREE:
		run_free(v, op);
		break;
	case OP_DECAY:
		run_decay(v, op);
		break;
	case OP_DRAIN:
		run_drain(v, op);
		break;
	case OP_WAKE:
		run_wake(v, op);
		break;
	case OP_RESUME:
		run_resume(v, op);
		break;
	case OP_KSWAPD:
		run_kswapd(v, v->pupil, event_at(v, op->first));
		break;
	case OP_ISOLATE:
		break;
	case OP_MOVE_BLOCK: // a release is reclaim's cause (H2), a reservation the pupil's own decision
		if (event_at(v, op->first)->b == YARD_HIGHATOMIC)
			judge_reserve(v, op);
		else
			run_isolated_step(v, v->pupil, op);
		break;
	default:
		run_isolated_step(v, v->pupil, op);
		break;
	}
}

static bool has_frame(const struct verifier *v, const struct op *op)
{
	return op->pfn != YARD_PFN_NONE && op->pfn >= v->start_pfn && op->pfn < v->end_pfn
	       && yard_zone_of(v->teacher, op->pfn) >= 0;
}

static bool holds_event(struct verifier *v, const struct op *op, uint64_t seq)
{
	for (uint32_t i = op->first; i != NO_OP; i = i == op->last ? NO_OP : v->window->next[i & WINDOW_MASK])
		if (event_at(v, i)->seq == seq)
			return true;
	return false;
}

static void run_on_teacher(struct verifier *v, struct op *op)
{
	yard_sim_set_cpu(v->teacher, op->cpu);
	if (op->kind == OP_ISOLATE)
		run_isolate(v, op);
	else if (op->kind == OP_KSWAPD)
		run_kswapd(v, v->teacher, event_at(v, op->first));
	else
		run_isolated_step(v, v->teacher, op);
	force_op(v, op);
}

// An operation of another CPU was under way when this one began: it has run whole here, in the kernel only in part.
static bool overlaps(const struct verifier *v, const struct op *op)
{
	for (unsigned cpu = 0; cpu < v->result->nr_cpus; cpu++)
		if (cpu != op->cpu && (int32_t)(v->busy_until[cpu] - op->start) > 0)
			return true;
	return false;
}

// Which of two operations on a zone came first is not certain when they are this close on different CPUs.
static void note_race(struct verifier *v, const struct op *op)
{
	enum { CLOSE_NS = 2000 };
	uint64_t ns = event_at(v, op->start)->ns;
	int zone = op->pfn == YARD_PFN_NONE ? -1 : yard_zone_of(v->teacher, op->pfn);

	if (zone < 0)
		return;
	if (v->last_op_ns && v->last_op_cpu != op->cpu && (ns - v->last_op_ns < CLOSE_NS || overlaps(v, op)))
		v->raced[zone] = true;
	v->last_op_cpu = op->cpu;
	v->last_op_ns = event_at(v, op->end)->ns;
}

static void run_op(struct verifier *v, uint32_t index)
{
	uint32_t id = v->window->run[index & WINDOW_MASK];
	struct op *op;
	bool needs_frame, explain;
	uint64_t first = v->result->all_differences;

	if (id == NO_OP)
		return;
	op = op_at(v, id);
	needs_frame = op->kind != OP_ALLOC && op->kind != OP_DECAY && op->kind != OP_DRAIN && op->kind != OP_KSWAPD
		      && op->kind != OP_RESUME && op->kind != OP_WAKE;
	if (needs_frame && !has_frame(v, op))
		return;
	v->result->operations++;
	explain = v->options->explain && holds_event(v, op, v->options->explain);
	if (explain)
		explain_before(v, op);
	if (op->kind == OP_FREE)
		mm_forget_frames(v, op->pfn, op->order);
	v->hint = VERIFY_CAUSE_NONE;
	v->nr_said = 0;
	if (op->flags & OP_CLAIMS)
		mm_settle_lru(v);
	if (op->kind == OP_CAPTURED)
		judge_capture(v, op);
	if (v->pupil)
		run_on_pupil(v, op);
	if (explain) {
		explain_after(v);
		v->result->explained = true;
	}
	v->worst = YARD_FORCED_AS_PREDICTED;
	run_on_teacher(v, op);
	if (v->result->all_differences != first && !v->result->cause[VERIFY_CAUSE_RULE] && overlaps(v, op))
		v->hint = VERIFY_CAUSE_RACE;
	v->busy_until[op->cpu] = op->end;
	settle_causes(v, op, first);
	note_race(v, op);
	if (v->stale) {
		if (v->pupil)
			yard_adopt(v->pupil, v->teacher);
		v->stale = false;
	}
	mark_lru(v, op);
}

static bool of_mm(const struct verifier *v, unsigned kind)
{
	return (kind >= TRACE_WAKEUP_KSWAPD && kind <= TRACE_SHRINK_INACTIVE) || kind == TRACE_ISOLATE_FREE
	       || (v->mm->runs && (kind == TRACE_PAGE_FREE || kind == TRACE_COMPACT_BACK));
}

void run_event(struct verifier *v, uint32_t index)
{
	bool mm = v->pupil && of_mm(v, event_at(v, index)->kind);

	if (mm)
		mm_event(v, index);
	run_op(v, index);
	if (mm)
		mm_after(v, index);
}
