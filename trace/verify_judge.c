// SPDX-License-Identifier: Apache-2.0
//
// What the pupil said against what was recorded: counts each kind of decision, and describes the differences.

#include "trace/verify_mm.h"

#include <stdio.h>

static bool compared_kind(unsigned kind)
{
	return kind == YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED || kind == YARD_EVENT_PAGE_ALLOC_EXTFRAG
	       || kind == YARD_EVENT_BULK_DRAIN || kind == YARD_EVENT_PAGE_PCPU_DRAIN;
}

static bool same_event(const struct yard_event *said, const struct trace_event *event)
{
	switch (event->kind) {
	case TRACE_PAGE_ALLOC_ZONE_LOCKED:
		return said->kind == YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED && said->pfn == event->pfn
		       && said->order == event->order && said->migratetype == event->migratetype;
	case TRACE_PAGE_PCPU_DRAIN:
		return said->kind == YARD_EVENT_PAGE_PCPU_DRAIN && said->pfn == event->pfn && said->order == event->order
		       && said->migratetype == event->migratetype;
	case TRACE_PAGE_ALLOC_EXTFRAG:
		return said->kind == YARD_EVENT_PAGE_ALLOC_EXTFRAG && said->pfn == event->pfn && said->order == event->order
		       && said->migratetype == event->migratetype && said->a == event->a && said->b == event->b
		       && said->c == event->c;
	case TRACE_BULK_DRAIN:
		return said->kind == YARD_EVENT_BULK_DRAIN && said->a == event->a && said->b == event->b;
	default:
		return false;
	}
}

static bool recorded_kind(unsigned kind)
{
	return kind == TRACE_PAGE_ALLOC_ZONE_LOCKED || kind == TRACE_PAGE_ALLOC_EXTFRAG || kind == TRACE_BULK_DRAIN
	       || kind == TRACE_PAGE_PCPU_DRAIN;
}

struct comparison {
	unsigned recorded, engine; // steps on each side
	bool same;
	const struct trace_event *first_recorded; // where they part
	const struct yard_event *first_engine;
};

static struct comparison compare_steps(struct verifier *v, const struct op *op)
{
	struct comparison c = { .same = true };
	unsigned n = 0;

	for (uint32_t i = op->first; i != NO_OP; i = i == op->last ? NO_OP : v->window->next[i & WINDOW_MASK]) {
		const struct trace_event *event = event_at(v, i);

		if (!recorded_kind(event->kind))
			continue;
		c.recorded++;
		while (n < v->nr_said && !compared_kind(v->said[n].kind))
			n++;
		if (c.same && (n >= v->nr_said || !same_event(&v->said[n], event))) {
			c.same = false;
			c.first_recorded = event;
			c.first_engine = n < v->nr_said ? &v->said[n] : NULL;
		}
		if (n < v->nr_said) {
			n++;
			c.engine++;
		}
	}
	for (; n < v->nr_said; n++) {
		if (!compared_kind(v->said[n].kind))
			continue;
		if (c.same) {
			c.same = false;
			c.first_engine = &v->said[n];
		}
		c.engine++;
	}
	return c;
}

static void describe_recorded(const struct trace_event *event, char *text, size_t size)
{
	if (!event)
		snprintf(text, size, "no further step");
	else if (event->kind == TRACE_BULK_DRAIN)
		snprintf(text, size, "bulk_drain count=%d pindex=%d", event->a, event->b);
	else
		snprintf(text, size, "%s pfn=%llu order=%u migratetype=%d", trace_kind_name((enum trace_kind)event->kind),
			 (unsigned long long)event->pfn, event->order, event->migratetype);
}

static void describe_engine(const struct yard_event *event, char *text, size_t size)
{
	if (!event)
		snprintf(text, size, "no further step");
	else if (event->kind == YARD_EVENT_BULK_DRAIN)
		snprintf(text, size, "bulk_drain count=%d pindex=%d", event->a, event->b);
	else
		snprintf(text, size, "%s pfn=%u order=%u migratetype=%u", yard_event_name(event->kind), event->pfn, event->order,
			 event->migratetype);
}

// Another task ran on the CPU right after the operation, or an interrupt that only freed pages before drains went on.
static bool lost_cpu(struct verifier *v, const struct op *op)
{
	for (uint32_t i = op->last + 1; i != v->window->head; i++) {
		const struct trace_event *event = event_at(v, i);

		if (event->cpu != op->cpu)
			continue;
		if (event->pid != op->pid || event->kind == TRACE_BULK_DRAIN)
			return true;
		if (event->kind != TRACE_PAGE_FREE && event->kind != TRACE_PUT && event->kind != TRACE_FREE_DIRECT)
			return false;
	}
	return false;
}

// What can be said of drains that differ though every recorded step is as the rules have it.
static void hint_cause(struct verifier *v, const struct op *op, const struct comparison *c)
{
	int zone = op->pfn == YARD_PFN_NONE ? -1 : yard_zone_of(v->pupil, op->pfn);

	if (v->result->cause[VERIFY_CAUSE_RULE])
		return;
	if (c->recorded && !c->first_recorded && lost_cpu(v, op)) { // the kernel stopped early
		v->unfinished_pid = op->pid;
		v->hint = VERIFY_CAUSE_PORTIONS;
	} else if (c->recorded && !c->engine && op->pid == v->unfinished_pid) {
		v->unfinished_pid = 0;
		v->hint = VERIFY_CAUSE_PORTIONS;
	} else if (!(c->recorded && c->engine) && zone >= 0 && v->unplaced[zone]) {
		v->hint = VERIFY_CAUSE_LOST_PROBE; // the set held more than the record shows, or less
	}
}

// Counts a decision that consists of steps; true if they are the same.
bool judge_steps(struct verifier *v, const struct op *op, enum verify_decision decision)
{
	struct comparison c = compare_steps(v, op);
	char recorded[200], engine[200], text[160];

	if (!c.recorded && !c.engine)
		return true;
	v->result->decision[decision].all++;
	if (c.same) {
		v->result->decision[decision].right++;
		return true;
	}
	describe_recorded(c.first_recorded, text, sizeof(text));
	snprintf(recorded, sizeof(recorded), "%u steps; %s", c.recorded, text);
	describe_engine(c.first_engine, text, sizeof(text));
	snprintf(engine, sizeof(engine), "%u steps; %s", c.engine, text);
	if (decision == VERIFY_DRAINS || decision == VERIFY_DECAYS)
		hint_cause(v, op, &c);
	record_difference(v, op, decision, recorded, engine);
	v->stale = true;
	return false;
}

static bool said_event(const struct verifier *v, const struct trace_event *event)
{
	for (unsigned n = 0; n < v->nr_said; n++)
		if (same_event(&v->said[n], event))
			return true;
	return false;
}

void judge_fallbacks(struct verifier *v, const struct op *op)
{
	for (uint32_t i = op->first; i != NO_OP; i = i == op->last ? NO_OP : v->window->next[i & WINDOW_MASK]) {
		const struct trace_event *event = event_at(v, i);
		struct verify_share *share;

		if (event->kind != TRACE_PAGE_ALLOC_EXTFRAG)
			continue;
		share = &v->result->decision[event->c > 0 ? VERIFY_CLAIMS : VERIFY_STEALS];
		share->all++;
		share->right += said_event(v, event);
	}
}

static void count_frame(struct verifier *v, const struct op *op, const struct yard_result *result, bool right)
{
	struct verify_result *r = v->result;
	unsigned type = (unsigned)op->migratetype % YARD_MIGRATETYPES;

	r->decision[VERIFY_FRAMES].all++;
	r->decision[VERIFY_FRAMES].right += right;
	r->by_order[op->order].all++;
	r->by_order[op->order].right += right;
	r->by_type[type].all++;
	r->by_type[type].right += right;
	r->by_path[result->path].all++;
	r->by_path[result->path].right += right;
}

// A task that lost its CPU in the middle of its walk may have skipped a node whose kswapd has since gone to sleep.
static bool other_node_near_kswapd(struct verifier *v, const struct op *op, const struct yard_result *result)
{
	enum { NEAR_NS = 1000000 };
	uint64_t ns = event_at(v, op->start)->ns;

	if (!v->kswapd_ns || op->pfn == YARD_PFN_NONE || result->pfn == YARD_PFN_NONE || ns - v->kswapd_ns > NEAR_NS)
		return false;
	return yard_zone_of(v->pupil, op->pfn) / YARD_ZONE_TYPES != yard_zone_of(v->pupil, result->pfn) / YARD_ZONE_TYPES;
}

void judge_request(struct verifier *v, const struct op *op, const struct yard_result *result)
{
	char recorded[64], engine[64];
	bool right = result->pfn == op->pfn;

	if (op->pfn == YARD_PFN_NONE) {
		v->result->decision[VERIFY_FAILURES].all++;
		v->result->decision[VERIFY_FAILURES].right += right;
	} else {
		count_frame(v, op, result, right);
	}
	if (!right) {
		snprintf(recorded, sizeof(recorded), op->pfn == YARD_PFN_NONE ? "fails" : "hands out frame %u", op->pfn);
		snprintf(engine, sizeof(engine), result->pfn == YARD_PFN_NONE ? "fails" : "hands out frame %u (%s)", result->pfn,
			 yard_path_name(result->path));
		if (other_node_near_kswapd(v, op, result))
			v->hint = VERIFY_CAUSE_KSWAPD;
		record_difference(v, op, op->pfn == YARD_PFN_NONE ? VERIFY_FAILURES : VERIFY_FRAMES, recorded, engine);
		v->stale = true;
	}
}

void judge_place(struct verifier *v, const struct op *op)
{
	bool put = op->flags & OP_PUT, right = false;
	enum verify_decision decision = put ? VERIFY_PUTS : VERIFY_DIRECT;
	const struct yard_event *place = NULL;
	char recorded[64], engine[64];

	for (unsigned n = 0; n < v->nr_said && !place; n++)
		if (v->said[n].kind == YARD_EVENT_PUT || v->said[n].kind == YARD_EVENT_FREE_DIRECT)
			place = &v->said[n];
	if (place && put)
		right = place->kind == YARD_EVENT_PUT && (op->flags & OP_LOST_PUT || place->migratetype == op->migratetype);
	else if (place)
		right = place->kind == YARD_EVENT_FREE_DIRECT;
	v->result->decision[decision].all++;
	v->result->decision[decision].right += right;
	if (right)
		return;
	snprintf(recorded, sizeof(recorded), put ? "puts frame %u on list type %d" : "frees frame %u directly", op->pfn, op->migratetype);
	snprintf(engine, sizeof(engine), place && place->kind == YARD_EVENT_PUT ? "puts it on list type %d" : "frees it directly",
		 place ? place->migratetype : 0);
	record_difference(v, op, decision, recorded, engine);
	v->stale = true;
}

// The kernel did not wake kswapd for this request, so its fast attempt did not fail.
void judge_no_wake(struct verifier *v, const struct op *op)
{
	struct verify_share *share = &v->result->decision[VERIFY_WAKES];

	for (unsigned n = 0; n < v->nr_said; n++) {
		if (v->said[n].kind != YARD_EVENT_WAKEUP_KSWAPD || !v->said[n].b)
			continue; // woken for a boost (W8)
		share->all++;
		record_difference(v, op, VERIFY_WAKES, "succeeds with its fast attempt",
				  "fails its fast attempt and wakes kswapd");
		v->stale = true;
		for (; n < v->nr_said; n++) // what it did in error does not make the next decisions
			if (v->said[n].kind == YARD_EVENT_WAKEUP_KSWAPD)
				yard_kswapd_awake(v->pupil, v->said[n].zone / YARD_ZONE_TYPES, false);
		return;
	}
}

// A frame that no event took off a list: captured, if its task had just compacted. Otherwise a take was lost, or made up.
void judge_capture(struct verifier *v, const struct op *op)
{
	if (op->flags & OP_COMPACTED) {
		v->result->silent[VERIFY_SILENT_CAPTURED]++;
		return;
	}
	count_frame(v, op, &(struct yard_result){ .path = YARD_PATH_NONE }, false);
	v->hint = VERIFY_CAUSE_LOST_PROBE;
	record_difference(v, op, VERIFY_FRAMES, "hands out a frame that no event took off a list", "was not asked");
	v->stale = true;
}

// H1: the pupil must have reserved the pageblock with the request that took its page.
void judge_reserve(struct verifier *v, const struct op *op)
{
	struct verify_share *share = &v->result->decision[VERIFY_RESERVES];

	share->all++;
	if (yard_pageblock_type(v->pupil, op->pfn) == YARD_HIGHATOMIC) {
		share->right++;
		return;
	}
	record_difference(v, op, VERIFY_RESERVES, "reserves the pageblock for HIGHATOMIC", "leaves it as it is");
	v->stale = true;
}

static bool is_wakeup(const struct yard_event *said, bool boost)
{
	return said->kind == YARD_EVENT_WAKEUP_KSWAPD && !said->b == boost;
}

static bool same_wakeup(const struct yard_event *said, const struct trace_event *event)
{
	return (int)(said->zone / YARD_ZONE_TYPES) == event->a && said->a == event->b && said->order == event->order
	       && (uint32_t)said->b == event->gfp;
}

// The n-th wake-up that the pupil said, or NULL.
static const struct yard_event *said_wakeup(const struct verifier *v, unsigned n, bool boost)
{
	for (unsigned i = 0; i < v->nr_said; i++)
		if (is_wakeup(&v->said[i], boost) && !n--)
			return &v->said[i];
	return NULL;
}

// Another CPU has woken this kswapd so shortly before that its wake-up may not have been over.
static bool woken_just_now(const struct verifier *v, const struct trace_event *event)
{
	enum { NEAR_NS = 1000000 };
	const struct kswapd_watch *k = &v->mm->kswapd[event->a];

	return k->woken_ns && k->woken_cpu != event->cpu && event->ns - k->woken_ns <= NEAR_NS;
}

static void count_wakeup(struct verifier *v, const struct op *op, const struct trace_event *event, const struct yard_event *said)
{
	struct verify_share *share = &v->result->decision[VERIFY_KSWAPD_WAKEUPS];
	char recorded[80] = "wakes no further kswapd", engine[80] = "wakes no further kswapd";
	bool right = event && said && same_wakeup(said, event);

	share->all++;
	share->right += right;
	if (right)
		return;
	if (event)
		snprintf(recorded, sizeof(recorded), "wakes node %d for order %u, zones up to %d", event->a, event->order, event->b);
	if (event && !said && woken_just_now(v, event))
		v->hint = VERIFY_CAUSE_KSWAPD;
	if (said)
		snprintf(engine, sizeof(engine), "wakes node %u for order %u, zones up to %d", said->zone / YARD_ZONE_TYPES,
			 said->order, said->a);
	record_difference(v, op, VERIFY_KSWAPD_WAKEUPS, recorded, engine);
}

// KS-1: the wake-ups of one pass over the nodes, or that of a boost (W8).
void judge_wakeups(struct verifier *v, const struct op *op, bool boost)
{
	const struct yard_event *said;
	unsigned n = 0;

	for (uint32_t i = op->flags & OP_WAKES ? op->first : NO_OP; i != NO_OP;
	     i = i == op->last ? NO_OP : v->window->next[i & WINDOW_MASK]) {
		const struct trace_event *event = event_at(v, i);

		if (event->kind == TRACE_WAKEUP_KSWAPD && !event->gfp == boost)
			count_wakeup(v, op, event, said_wakeup(v, n++, boost));
	}
	while ((said = said_wakeup(v, n++, boost)) != NULL)
		count_wakeup(v, op, NULL, said);
}
