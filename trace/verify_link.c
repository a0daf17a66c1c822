// SPDX-License-Identifier: Apache-2.0
//
// Which events belong together: turns the stream of recorded events into operations (verify_internal.h).

#include "trace/verify_mm.h"

static uint32_t new_op(struct verifier *v, uint32_t i, enum op_kind kind)
{
	const struct trace_event *event = event_at(v, i);
	struct op *op = op_at(v, i);

	*op = (struct op){
		.kind = (uint8_t)kind, .start = i, .first = i, .last = i, .end = i, .cpu = event->cpu, .pid = event->pid,
		.order = event->order, .migratetype = event->migratetype,
		.pfn = event->pfn == TRACE_PFN_NONE ? YARD_PFN_NONE : (uint32_t)event->pfn,
	};
	v->window->run[i & WINDOW_MASK] = i;
	return i;
}

static void append(struct verifier *v, uint32_t id, uint32_t i)
{
	struct op *op = op_at(v, id);

	v->window->next[op->last & WINDOW_MASK] = i;
	op->last = op->end = i;
}

static bool in_window(const struct verifier *v, uint32_t i)
{
	return v->window->head - i <= WINDOW && v->window->head != i;
}

static bool known_frame(const struct verifier *v, uint64_t pfn)
{
	return pfn >= v->start_pfn && pfn < v->end_pfn;
}

// The operation that still waits for an event of this frame, or NO_OP.
static uint32_t pending(struct verifier *v, uint64_t pfn)
{
	uint32_t stored;

	if (!known_frame(v, pfn))
		return NO_OP;
	stored = v->last[pfn - v->start_pfn];
	return stored && in_window(v, stored - 1) ? stored - 1 : NO_OP;
}

static void set_pending(struct verifier *v, uint64_t pfn, uint32_t id)
{
	if (known_frame(v, pfn))
		v->last[pfn - v->start_pfn] = id == NO_OP ? 0 : id + 1;
}

static bool open_group(struct verifier *v, const struct trace_event *event, uint32_t *group)
{
	*group = v->cpu[event->cpu].group;
	return *group != NO_OP && in_window(v, *group) && !(op_at(v, *group)->flags & OP_SEALED)
	       && op_at(v, *group)->pid == event->pid;
}

static void close_group(struct verifier *v, uint16_t cpu, uint32_t group)
{
	if (v->cpu[cpu].group == group)
		v->cpu[cpu].group = NO_OP;
}

// ---- requests ----

static void link_removal(struct verifier *v, uint32_t i) // claim_try, zone_locked, extfrag
{
	const struct trace_event *event = event_at(v, i);
	uint32_t group;
	struct op *op;

	if (open_group(v, event, &group)) {
		append(v, group, i);
	} else {
		group = new_op(v, i, OP_ALLOC);
		op_at(v, group)->pfn = YARD_PFN_NONE;
		v->cpu[event->cpu].group = group;
	}
	if (event->kind != TRACE_PAGE_ALLOC_ZONE_LOCKED)
		op_at(v, group)->flags |= OP_CLAIMS;
	if (event->kind == TRACE_CLAIM_TRY)
		return;
	v->cpu[event->cpu].taken = group;
	op = op_at(v, group);
	if (!(op->flags & OP_REMOVED)) {
		op->pfn = (uint32_t)event->pfn;
		op->order = event->order;
		op->migratetype = event->migratetype;
	}
	op->flags |= OP_REMOVED;
	set_pending(v, event->pfn, group);
}

static void link_empty_take(struct verifier *v, uint32_t i)
{
	const struct trace_event *event = event_at(v, i);
	uint32_t group;

	if (open_group(v, event, &group)) {
		append(v, group, i);
	} else {
		group = new_op(v, i, OP_ALLOC);
		v->cpu[event->cpu].group = group;
	}
	op_at(v, group)->flags |= OP_EMPTY;
	v->failed[event->pid % DRAINERS] = (struct drainer){ event->pid, group };
}

// The steps of this task's attempt that failed just before; it may have lost its CPU since.
static bool failed_attempt(struct verifier *v, const struct trace_event *event, uint32_t *group)
{
	const struct drainer *failed = &v->failed[event->pid % DRAINERS];

	if (failed->pid != event->pid || failed->op == NO_OP || !in_window(v, failed->op))
		return false;
	if (op_at(v, failed->op)->kind != OP_ALLOC || op_at(v, failed->op)->flags & (OP_REMOVED | OP_TAKEN | OP_REQUEST))
		return false;
	*group = failed->op;
	return true;
}

// A frame believed freed straight to the buddy lists is taken from a per-CPU list: its put was lost.
static void note_lost_put(struct verifier *v, uint32_t id)
{
	struct op *op;

	if (id == NO_OP)
		return;
	op = op_at(v, id);
	if (op->kind == OP_FREE && !(op->flags & OP_PLACED))
		op->flags |= OP_PLACED | OP_PUT | OP_LOST_PUT;
}

static void link_take(struct verifier *v, uint32_t i)
{
	const struct trace_event *event = event_at(v, i);
	uint32_t id, group;
	struct op *op;

	if (event->pfn == TRACE_PFN_NONE) {
		link_empty_take(v, i);
		return;
	}
	id = pending(v, event->pfn);
	op = id == NO_OP ? NULL : op_at(v, id);
	if (op && op->kind == OP_ALLOC && op->flags & OP_REMOVED && !(op->flags & OP_TAKEN) && op->pfn == event->pfn
	    && op->cpu == event->cpu) {
		append(v, id, i);
	} else {
		note_lost_put(v, id);
		if (open_group(v, event, &group) && !(op_at(v, group)->flags & OP_REMOVED)) {
			id = group;
			append(v, id, i);
		} else {
			id = new_op(v, i, OP_ALLOC);
		}
		op_at(v, id)->pfn = (uint32_t)event->pfn;
	}
	op_at(v, id)->flags |= OP_TAKEN;
	v->cpu[event->cpu].taken = id;
	close_group(v, event->cpu, id);
	set_pending(v, event->pfn, id);
}

// The last removal of a run was not part of the refill: an interrupt took it straight from the buddy lists.
static uint32_t split_last(struct verifier *v, uint32_t id)
{
	struct op *op = op_at(v, id);
	uint32_t before = op->first, last = op->last, i;

	while (v->window->next[before & WINDOW_MASK] != last)
		before = v->window->next[before & WINDOW_MASK];
	op->last = before;
	v->window->next[before & WINDOW_MASK] = NO_OP;
	i = new_op(v, last, OP_ALLOC);
	op_at(v, i)->flags |= OP_REMOVED;
	return i;
}

static void set_request(struct verifier *v, uint32_t id, uint32_t i)
{
	const struct trace_event *event = event_at(v, i);
	struct op *op = op_at(v, id);

	op->end = i;
	op->flags |= OP_REQUEST;
	op->gfp = event->gfp;
	op->order = event->order;
	op->migratetype = event->migratetype;
	close_group(v, event->cpu, id);
}

// The request that woke kswapd before it went on to succeed or to fail here.
static void find_waker(struct verifier *v, uint32_t id, const struct trace_event *event)
{
	struct drainer *waker = &v->waker[event->pid % DRAINERS];
	struct op *wake;

	if (waker->op == NO_OP || waker->pid != event->pid)
		return;
	if (!in_window(v, waker->op) || op_at(v, waker->op)->gfp != event->gfp) {
		waker->op = NO_OP;
		return;
	}
	wake = op_at(v, waker->op);
	if (op_at(v, id)->start - wake->start < WINDOW) { // the wake-up comes first
		wake->flags |= OP_REQUEST;
		wake->order = event->order;
		wake->migratetype = event->migratetype;
		op_at(v, id)->flags |= OP_WOKE | (wake->flags & OP_COMPACTED);
	}
	waker->op = NO_OP;
}

// W8: the request that has just taken its frame wakes kswapd for a boost.
static void link_boost(struct verifier *v, uint32_t i)
{
	uint32_t taken = v->cpu[event_at(v, i)->cpu].taken;

	if (taken != NO_OP && in_window(v, taken) && op_at(v, taken)->pid == event_at(v, i)->pid
	    && !(op_at(v, taken)->flags & OP_REQUEST)) {
		op_at(v, taken)->flags |= OP_WAKES;
		append(v, taken, i);
	}
}

// The next node's kswapd, woken in the same pass: nothing else of the task came between.
static bool same_pass(struct verifier *v, uint32_t wake, uint32_t i)
{
	uint32_t last = op_at(v, wake)->last;

	if (event_at(v, i)->kind != TRACE_WAKEUP_KSWAPD || event_at(v, last)->kind != TRACE_WAKEUP_KSWAPD)
		return false;
	for (uint32_t n = last + 1; n != i; n++)
		if (event_at(v, n)->pid == event_at(v, i)->pid && event_at(v, n)->cpu == event_at(v, i)->cpu)
			return false;
	return true;
}

static void link_wakeup(struct verifier *v, uint32_t i)
{
	const struct trace_event *event = event_at(v, i);
	struct drainer *waker = &v->waker[event->pid % DRAINERS];
	uint32_t wake = i;
	bool open = failed_attempt(v, event, &wake);
	uint32_t group;

	if (!event->gfp || (open_group(v, event, &group) && op_at(v, group)->flags & OP_REMOVED)) {
		link_boost(v, i);
		return;
	}
	if (waker->op != NO_OP && waker->pid == event->pid && in_window(v, waker->op) && op_at(v, waker->op)->gfp == event->gfp) {
		if (event->kind == TRACE_TRY_TO_COMPACT_PAGES)
			op_at(v, waker->op)->flags |= OP_COMPACTED;
		if (same_pass(v, waker->op, i))
			append(v, waker->op, i);
		return; // or a later round
	}
	if (open) { // the steps of the failed attempt
		op_at(v, wake)->kind = OP_WAKE;
		close_group(v, event->cpu, wake);
		append(v, wake, i);
	} else {
		wake = new_op(v, i, OP_WAKE);
	}
	op_at(v, wake)->gfp = event->gfp;
	op_at(v, wake)->flags |= OP_WAKES;
	if (event->kind == TRACE_TRY_TO_COMPACT_PAGES)
		op_at(v, wake)->flags |= OP_COMPACTED;
	*waker = (struct drainer){ event->pid, wake };
}

static void link_page_alloc(struct verifier *v, uint32_t i)
{
	const struct trace_event *event = event_at(v, i);
	uint32_t id = pending(v, event->pfn), group;
	struct op *op;

	if (event->pfn == TRACE_PFN_NONE) {
		if (!open_group(v, event, &group) || op_at(v, group)->flags & (OP_REMOVED | OP_TAKEN)) {
			group = new_op(v, i, OP_ALLOC);
			op_at(v, group)->pfn = YARD_PFN_NONE;
		}
		set_request(v, group, i);
		find_waker(v, group, event);
		return;
	}
	op = id == NO_OP ? NULL : op_at(v, id);
	if (!op || op->kind != OP_ALLOC || op->flags & OP_REQUEST) {
		note_lost_put(v, id);
		id = new_op(v, i, OP_CAPTURED);
	} else if (!(op->flags & OP_TAKEN) && op->pfn != event->pfn) {
		if (event_at(v, op->last)->pfn != event->pfn || op->first == op->last)
			id = new_op(v, i, OP_CAPTURED);
		else
			id = split_last(v, id);
	}
	set_request(v, id, i);
	find_waker(v, id, event);
	set_pending(v, event->pfn, NO_OP);
}

// ---- frees and drains ----

static void link_page_free(struct verifier *v, uint32_t i)
{
	const struct trace_event *event = event_at(v, i);
	uint32_t id = pending(v, event->pfn);

	if (id != NO_OP && op_at(v, id)->kind == OP_COMPACT_BACK) {
		op_at(v, id)->order = event->order; // not a free: the frame stays with compaction
		set_pending(v, event->pfn, NO_OP);
		return;
	}
	set_pending(v, event->pfn, new_op(v, i, OP_FREE));
}

// Frees of single frames that one put or free_direct of a larger order includes (B16).
static void cover(struct verifier *v, uint64_t pfn, unsigned order)
{
	for (uint64_t p = pfn; p < pfn + (1ull << order); p++) {
		uint32_t id = pending(v, p);

		if (id != NO_OP && op_at(v, id)->kind == OP_FREE && !(op_at(v, id)->flags & OP_PLACED)) {
			op_at(v, id)->flags |= OP_COVERED | OP_PLACED;
			v->window->run[id & WINDOW_MASK] = NO_OP;
		}
		set_pending(v, p, NO_OP);
	}
}

static void set_drain(struct verifier *v, const struct trace_event *event, uint32_t id)
{
	v->cpu[event->cpu].drain = id;
	v->cpu[event->cpu].switched = false;
	v->drainer[event->pid % DRAINERS] = (struct drainer){ event->pid, id };
}

static void link_placed(struct verifier *v, uint32_t i, bool put)
{
	const struct trace_event *event = event_at(v, i);
	uint32_t id;
	struct op *op;

	cover(v, event->pfn, event->order);
	id = new_op(v, i, OP_FREE);
	op = op_at(v, id);
	op->flags |= OP_PLACED | (put ? OP_PUT : 0);
	if (put)
		set_drain(v, event, id);
}

// The task's drain, if it was preempted between two portions and now goes on.
static uint32_t preempted_drain(struct verifier *v, const struct trace_event *event)
{
	const struct drainer *drainer = &v->drainer[event->pid % DRAINERS];
	const struct cpu_link *cpu = &v->cpu[event->cpu];

	if (drainer->pid != event->pid || drainer->op == NO_OP || !in_window(v, drainer->op))
		return NO_OP;
	if (cpu->drain == drainer->op && !cpu->switched)
		return NO_OP;
	return op_at(v, drainer->op)->cpu == event->cpu ? drainer->op : NO_OP;
}

static void link_drain(struct verifier *v, uint32_t i)
{
	const struct trace_event *event = event_at(v, i);
	struct cpu_link *cpu = &v->cpu[event->cpu];
	uint32_t parent;

	if (event->kind == TRACE_PAGE_PCPU_DRAIN) {
		note_lost_put(v, pending(v, event->pfn));
		set_pending(v, event->pfn, NO_OP);
	} else if ((parent = preempted_drain(v, event)) != NO_OP) {
		op_at(v, parent)->flags |= OP_PREEMPTED;
		set_drain(v, event, new_op(v, i, OP_RESUME));
		return;
	}
	if (cpu->drain == NO_OP || !in_window(v, cpu->drain))
		set_drain(v, event, new_op(v, i, OP_DRAIN));
	else
		append(v, cpu->drain, i);
}

// ---- everything else ----

static void link_other(struct verifier *v, uint32_t i)
{
	struct trace_event *event = event_at(v, i);

	switch (event->kind) {
	case TRACE_DECAY_PCP:
	case TRACE_DRAIN_CPU:
		if (event->kind == TRACE_DECAY_PCP)
			zone_names_visit(&v->zone_names, event->zone);
		set_drain(v, event, new_op(v, i, event->kind == TRACE_DECAY_PCP ? OP_DECAY : OP_DRAIN));
		break;
	case TRACE_WAKEUP_KSWAPD:
	case TRACE_DIRECT_RECLAIM_BEGIN:
	case TRACE_TRY_TO_COMPACT_PAGES: // whatever comes after the fast attempt shows that it failed
		link_wakeup(v, i);
		break;
	case TRACE_ISOLATE_FREE:
		new_op(v, i, OP_ISOLATE);
		break;
	case TRACE_PUTBACK_FREE:
		new_op(v, i, OP_PUTBACK);
		break;
	case TRACE_COMPACT_BACK:
		set_pending(v, event->pfn, new_op(v, i, OP_COMPACT_BACK));
		break;
	case TRACE_SPLIT:
		new_op(v, i, OP_SPLIT);
		break;
	case TRACE_MOVE_BLOCK:
		new_op(v, i, OP_MOVE_BLOCK);
		break;
	case TRACE_WAKEUP_KCOMPACTD:
	case TRACE_KSWAPD_WAKE:
	case TRACE_KSWAPD_SLEEP:
	case TRACE_BALANCE_PGDAT_BEGIN:
	case TRACE_BALANCE_PGDAT_END:
		new_op(v, i, OP_KSWAPD);
		break;
	case TRACE_FAST_ISOLATE_FREEPAGES: // the pupil makes these searches itself
		if (!mm_follows(v) && known_frame(v, event->pfn) && yard_zone_of(v->teacher, (uint32_t)event->pfn) >= 0)
			v->searched[yard_zone_of(v->teacher, (uint32_t)event->pfn)] = true;
		break;
	default:
		break;
	}
}

static void seal_group(struct verifier *v, const struct trace_event *event)
{
	uint32_t group = v->cpu[event->cpu].group;

	if (group != NO_OP && in_window(v, group) && event->kind != TRACE_WAKEUP_KSWAPD)
		op_at(v, group)->flags |= OP_SEALED;
}

int link_event(struct verifier *v, uint32_t i)
{
	const struct trace_event *event = event_at(v, i);

	v->window->run[i & WINDOW_MASK] = NO_OP;
	v->window->next[i & WINDOW_MASK] = NO_OP;
	if (v->cpu[event->cpu].drain != NO_OP && in_window(v, v->cpu[event->cpu].drain)
	    && op_at(v, v->cpu[event->cpu].drain)->pid != event->pid)
		v->cpu[event->cpu].switched = true;
	switch (event->kind) {
	case TRACE_CLAIM_TRY:
	case TRACE_PAGE_ALLOC_ZONE_LOCKED:
	case TRACE_PAGE_ALLOC_EXTFRAG:
		link_removal(v, i);
		return 0;
	case TRACE_TAKE:
		link_take(v, i);
		return 0;
	case TRACE_PAGE_ALLOC:
		link_page_alloc(v, i);
		return 0;
	case TRACE_PAGE_FREE:
		link_page_free(v, i);
		break;
	case TRACE_PUT:
	case TRACE_FREE_DIRECT:
		link_placed(v, i, event->kind == TRACE_PUT);
		break;
	case TRACE_BULK_DRAIN:
	case TRACE_PAGE_PCPU_DRAIN:
		link_drain(v, i);
		break;
	default:
		link_other(v, i);
		break;
	}
	seal_group(v, event);
	return 0;
}
