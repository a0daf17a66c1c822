// SPDX-License-Identifier: Apache-2.0
//
// Judging kswapd (spec 04 section 4): for which order and zones it runs, at which order it scans, that it stops when the
// node is balanced and not before, when it sleeps, and what it asks of kcompactd then. Told are the wake-ups' instants and
// how much was reclaimed.

#include "trace/verify_mm.h"

#include <stdio.h>

enum { BLOCK_ORDER = YARD_PAGEBLOCK_ORDER };

static struct kswapd_watch *kswapd_of(struct verifier *v, uint32_t pid, unsigned *node)
{
	for (*node = 0; *node < yard_nr_nodes(v->pupil); (*node)++)
		if (v->mm->kswapd[*node].pid == pid && pid)
			return &v->mm->kswapd[*node];
	return NULL;
}

static bool node_boosted(struct verifier *v, unsigned node, unsigned highest)
{
	struct yard_zone_state zone;

	for (unsigned type = 0; type <= highest && type < YARD_ZONE_TYPES; type++)
		if (!yard_get_zone(v->pupil, node * YARD_ZONE_TYPES + type, &zone) && zone.populated && zone.boost)
			return true;
	return false;
}

// ---- runs ----

// Somebody asked for something while kswapd was on its way from its wait queue to its event: it may have taken that up
// already, or found it the next time. That it is the latter shows only now.
static bool was_left_over(const struct kswapd_watch *k, const struct trace_event *event, uint32_t order, uint32_t highest)
{
	uint32_t left_order = order > k->left_order ? order : k->left_order;
	uint32_t left_highest = highest > k->left_highest ? highest : k->left_highest;

	return k->left && event->order == left_order && event->b == (int32_t)left_highest;
}

// Others ran between the wake-up and kswapd's own event.
static bool others_run_first(struct verifier *v, uint32_t index)
{
	const struct trace_event *waker = event_at(v, index);

	for (uint32_t i = index + 1; i != v->window->head; i++) {
		const struct trace_event *event = event_at(v, i);

		if (event->kind == TRACE_KSWAPD_WAKE && event->a == waker->a)
			return false;
		if (event->kind == TRACE_TAKE && event->pid != waker->pid)
			return true;
	}
	return false;
}

static void note_left_over(struct kswapd_watch *k, const struct yard_worker_state *asked)
{
	k->left = k->woken && k->others_first;
	k->left_order = (uint8_t)asked->kswapd_order;
	k->left_highest = asked->kswapd_highest < YARD_ZONE_TYPES ? (uint8_t)asked->kswapd_highest : 0;
}

// K-5, K-6: woken out of its nap, kswapd takes up again what it went to sleep for.
static void judge_wake(struct verifier *v, uint32_t index, struct kswapd_watch *k, unsigned node)
{
	const struct trace_event *event = event_at(v, index);
	struct yard_worker_state asked;
	uint32_t order, highest;
	char text[80];

	yard_get_workers(v->pupil, node, &asked);
	order = asked.kswapd_order;
	highest = asked.kswapd_highest;
	if (k->known && k->rest == KSWAPD_NAPS && k->woken && order < k->end_order)
		order = k->end_order;
	if (highest >= YARD_ZONE_TYPES)
		highest = k->sleep_highest;
	snprintf(text, sizeof(text), "runs for order %u, zones up to %d", event->order, event->b);
	if (!k->known && asked.kswapd_highest >= YARD_ZONE_TYPES)
		mm_not_judged(v, VERIFY_UNJUDGED_BEFORE, 1);
	else if ((order != event->order || (int32_t)highest != event->b) && was_left_over(k, event, order, highest))
		mm_not_judged(v, VERIFY_UNJUDGED_ASKED, 1);
	else
		mm_judge(v, index, VERIFY_KSWAPD_RUNS, order == event->order && (int32_t)highest == event->b,
			 VERIFY_CAUSE_NONE, text, "runs for order %u, zones up to %u (spec 04 K-2, K-5)", order, highest);
	note_left_over(k, &asked);
	asked.kswapd_order = 0;
	asked.kswapd_highest = YARD_ZONE_TYPES;
	yard_restore_workers(v->pupil, node, &asked);
}

// K-6: kswapd goes on although nobody woke it, because the node is not balanced.
static void judge_going_on(struct verifier *v, uint32_t index, struct kswapd_watch *k, unsigned node)
{
	if (!k->known || k->woken || k->rest != KSWAPD_NAPS)
		return;
	mm_judge(v, index, VERIFY_KSWAPD_SLEEPS,
		 !k->ready || !yard_peek_balanced(v->pupil, node, k->end_order, k->sleep_highest), VERIFY_CAUSE_NONE,
		 "goes on unasked", "goes to sleep: balanced for order %u up to zone %u (spec 04 K-7)", k->end_order,
		 k->sleep_highest);
}

static void kswapd_wake(struct verifier *v, uint32_t index, struct kswapd_watch *k, unsigned node)
{
	const struct trace_event *event = event_at(v, index);

	judge_going_on(v, index, k, node);
	judge_wake(v, index, k, node);
	k->pid = event->pid;
	k->order = k->scan_order = k->alloc_order = event->order;
	k->highest = event->b < 0 || event->b >= YARD_ZONE_TYPES ? YARD_ZONE_TYPES - 1 : (uint8_t)event->b;
	k->rest = KSWAPD_RUNS;
	k->scanned = k->woken = k->boosted = k->asked_now = false;
	k->reclaimed = 0;
}

static void balance_begin(struct verifier *v, uint32_t index, struct kswapd_watch *k, unsigned node)
{
	const struct trace_event *event = event_at(v, index);
	char text[80];

	if (k->pid != event->pid) {
		mm_not_judged(v, VERIFY_UNJUDGED_BEFORE, 1);
		return;
	}
	snprintf(text, sizeof(text), "balances order %u, zones up to %d", event->order, event->b);
	mm_judge(v, index, VERIFY_KSWAPD_RUNS, event->order == k->order && event->b == k->highest, VERIFY_CAUSE_NONE, text,
		 "balances order %u, zones up to %u (spec 04 K-5)", k->order, k->highest);
	k->boosted = node_boosted(v, node, k->highest);
}

// K-9: the order is dropped as soon as compact_gap() pages have come.
static void judge_dropped(struct verifier *v, uint32_t index, const struct kswapd_watch *k)
{
	const struct trace_event *event = event_at(v, index);
	bool drops = k->order && event->c >= 0 && (uint64_t)event->c >= yard_peek_compact_gap(v->pupil, k->order);
	unsigned order = drops ? 0 : k->order;
	char text[80];

	snprintf(text, sizeof(text), "ends at order %u, zones up to %d", event->order, event->b);
	mm_judge(v, index, VERIFY_SCAN_ORDERS, event->order == order && event->b == k->highest, VERIFY_CAUSE_NONE, text,
		 "ends at order %u, zones up to %u: %d pages came (spec 04 K-9)", order, k->highest, event->c);
}

// K-5: what kswapd tries to sleep for.
static void sleep_for(struct verifier *v, struct kswapd_watch *k, unsigned node)
{
	struct yard_worker_state asked;

	k->sleep_highest = k->highest;
	k->alloc_order = k->order;
	if (k->end_order < k->order)
		return;
	yard_get_workers(v->pupil, node, &asked);
	k->alloc_order = k->end_order = (uint8_t)asked.kswapd_order;
	if (asked.kswapd_highest < YARD_ZONE_TYPES)
		k->sleep_highest = (uint8_t)asked.kswapd_highest;
}

// ---- what kswapd asks of kcompactd ----

static bool same_wakeup(const struct verifier *v, const struct trace_event *event)
{
	for (unsigned n = 0; n < v->nr_said; n++)
		if (v->said[n].kind == YARD_EVENT_WAKEUP_KCOMPACTD)
			return event && v->said[n].order == event->order && v->said[n].a == event->b
			       && (int)(v->said[n].zone / YARD_ZONE_TYPES) == event->a;
	return !event;
}

static void judge_suitable(struct verifier *v, uint32_t index, unsigned n)
{
	const struct told *told = n < v->mm->nr_told ? &v->mm->told[n] : NULL;
	char recorded[160], engine[160] = "asks nothing more";

	mm_describe_event(event_at(v, index), recorded, sizeof(recorded));
	if (told)
		mm_describe(told, engine, sizeof(engine));
	mm_judge(v, index, VERIFY_SUITABLE, told && mm_same(told, event_at(v, index)), VERIFY_CAUSE_NONE, recorded, "%s",
		 engine);
}

// The events of one wake-up of kcompactd, from `index` on (NO_OP: none was recorded, it happened at `at`), against what
// the pupil told. The last of them is remembered.
static void judge_asking(struct verifier *v, uint32_t at, uint32_t index, struct kswapd_watch *k)
{
	const uint64_t gates = 1ull << TRACE_COMPACTION_SUITABLE | 1ull << TRACE_WAKEUP_KCOMPACTD,
		       stops = 1ull << TRACE_KSWAPD_WAKE | 1ull << TRACE_KSWAPD_SLEEP | 1ull << TRACE_BALANCE_PGDAT_END;
	const struct trace_event *wakeup = NULL;
	unsigned n = 0;

	for (; index != NO_OP; index = mm_next(v, index, k->pid, gates | stops)) {
		const struct trace_event *event = event_at(v, index);

		if (stops >> event->kind & 1)
			break;
		if (event->kind == TRACE_COMPACTION_SUITABLE)
			judge_suitable(v, index, n++);
		else
			wakeup = event;
		k->asked_until = index;
		k->asked = true;
		if (wakeup)
			break;
	}
	mm_judge(v, at, VERIFY_KCOMPACTD_WAKEUPS, n == v->mm->nr_told && same_wakeup(v, wakeup), VERIFY_CAUSE_NONE,
		 wakeup ? "wakes kcompactd" : "leaves kcompactd alone", "%s after %u tests of zones, not %u (spec 03 K1, K4)",
		 same_wakeup(v, NULL) ? "leaves it alone" : "wakes it", v->mm->nr_told, n);
}

static void end_boosted(struct verifier *v, uint32_t at, uint32_t index, struct kswapd_watch *k, unsigned node)
{
	uint32_t end; // tells whether the order was dropped

	k->asked_now = true;
	end = mm_next(v, index == NO_OP ? at - 1 : index, k->pid, 1ull << TRACE_BALANCE_PGDAT_END);
	k->ready = yard_peek_balanced(v->pupil, node, end == NO_OP ? k->order : event_at(v, end)->order, k->highest);
	yard_kswapd_balance_end(v->pupil, node, k->highest); // the boosts are taken back first (spec 01 W9)
	yard_kswapd_balance_end(v->teacher, node, k->highest);
	mm_quiet(v);
	yard_force_wakeup_kcompactd(v->pupil, node, BLOCK_ORDER, k->highest); // spec 04 K-8
	judge_asking(v, at, index, k);
}

static void go_to_sleep(struct verifier *v, uint32_t at, uint32_t index, struct kswapd_watch *k, unsigned node)
{
	k->asked_now = true;
	mm_quiet(v);
	if (yard_peek_balanced(v->pupil, node, k->end_order, k->sleep_highest))
		yard_force_wakeup_kcompactd(v->pupil, node, k->alloc_order, k->sleep_highest); // spec 04 K-6
	judge_asking(v, at, index, k);
}

bool kswapd_gate(struct verifier *v, uint32_t index)
{
	unsigned node;
	struct kswapd_watch *k = kswapd_of(v, event_at(v, index)->pid, &node);

	if (!k)
		return false;
	if (k->asked && (int32_t)(index - k->asked_until) <= 0)
		return true;
	if (k->asked_now || !v->mm->told_compaction)
		mm_not_judged(v, VERIFY_UNJUDGED_GATES, 1);
	else if (k->rest == KSWAPD_RUNS && k->boosted)
		end_boosted(v, index, index, k, node);
	else if (k->rest == KSWAPD_NAPS)
		go_to_sleep(v, index, index, k, node);
	else
		mm_not_judged(v, VERIFY_UNJUDGED_GATES, 1);
	return true;
}

static void balance_end(struct verifier *v, uint32_t index, struct kswapd_watch *k, unsigned node)
{
	const struct trace_event *event = event_at(v, index);
	bool stops;

	if (k->pid != event->pid || k->rest != KSWAPD_RUNS) {
		mm_not_judged(v, VERIFY_UNJUDGED_BEFORE, 1);
		return;
	}
	if (k->boosted && !k->asked_now && v->mm->told_compaction)
		end_boosted(v, index, NO_OP, k, node);
	judge_dropped(v, index, k);
	stops = k->boosted && v->mm->told_compaction ? k->ready // asked before the boosts were taken back
						     : yard_peek_balanced(v->pupil, node, event->order, k->highest);
	mm_judge(v, index, VERIFY_KSWAPD_STOPS, stops, VERIFY_CAUSE_NONE, "stops",
		 "goes on: not balanced for order %u up to zone %u (spec 04 K-4)", event->order, k->highest);
	k->end_order = event->order;
	k->rest = KSWAPD_NAPS;
	k->woken = k->asked_now = false;
	k->known = true;
	sleep_for(v, k, node);
}

void kswapd_woken(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);

	if (event->a < 0 || (unsigned)event->a >= yard_nr_nodes(v->pupil))
		return;
	v->mm->kswapd[event->a].woken_ns = event->ns;
	v->mm->kswapd[event->a].woken_cpu = event->cpu;
}

// The run is over and its boosts are back: what comes next of it may be a wake-up of kcompactd.
void kswapd_after(struct verifier *v, uint32_t index)
{
	const uint64_t gates = 1ull << TRACE_COMPACTION_SUITABLE | 1ull << TRACE_WAKEUP_KCOMPACTD,
		       stops = 1ull << TRACE_KSWAPD_WAKE | 1ull << TRACE_KSWAPD_SLEEP;
	const struct trace_event *event = event_at(v, index);
	struct kswapd_watch *k = &v->mm->kswapd[event->a];
	uint32_t next;

	if (k->pid != event->pid || k->rest != KSWAPD_NAPS)
		return;
	k->ready = yard_peek_balanced(v->pupil, (unsigned)event->a, k->end_order, k->sleep_highest);
	next = mm_next(v, index, k->pid, gates | stops);
	if (v->mm->told_compaction && (next == NO_OP || stops >> event_at(v, next)->kind & 1))
		go_to_sleep(v, index, NO_OP, k, (unsigned)event->a);
}

static void kswapd_sleep(struct verifier *v, uint32_t index, struct kswapd_watch *k, unsigned node)
{
	if (k->pid != event_at(v, index)->pid || k->rest != KSWAPD_NAPS || !k->known)
		mm_not_judged(v, VERIFY_UNJUDGED_BEFORE, 1);
	else
		mm_judge(v, index, VERIFY_KSWAPD_SLEEPS,
			 !k->woken && yard_peek_balanced(v->pupil, node, k->end_order, k->sleep_highest), VERIFY_CAUSE_NONE,
			 "goes to sleep", "goes on: %s (spec 04 K-6)", k->woken ? "it was woken" : "not balanced");
	k->rest = KSWAPD_SLEEPS;
}

// ---- wake-ups ----

static struct wake_watch *wake_of(struct verifier *v, uint32_t pid)
{
	struct wake_watch *wake = &v->mm->wake[pid % WAKES];

	return wake->known && wake->pid == pid ? wake : NULL;
}

// N1: between its failed attempt and its wake-up of kswapd the request lost the CPU: others wake kswapd, or find it awake,
// first. Its own wake-up is made when it comes.
uint32_t reclaim_wakes_late(struct verifier *v, const struct op *op)
{
	uint32_t wake = op->first, late = NO_OP;

	while (wake != NO_OP && event_at(v, wake)->kind != TRACE_WAKEUP_KSWAPD)
		wake = wake == op->last ? NO_OP : v->window->next[wake & WINDOW_MASK];
	for (uint32_t i = op->start; wake != NO_OP && i != wake; i++)
		if (event_at(v, i)->pid != op->pid)
			late = wake;
	for (unsigned node = 0; late != NO_OP && node < yard_nr_nodes(v->pupil); node++)
		yard_get_workers(v->pupil, node, &v->mm->asked[node]);
	return late;
}

// The request that failed its fast attempt here: what follows is its slow path.
void reclaim_wake(struct verifier *v, const struct op *op, uint32_t late)
{
	v->mm->wake[op->pid % WAKES] = (struct wake_watch){
		.pid = op->pid, .gfp = op->gfp, .order = op->order, .known = true, .late = late,
	};
	for (unsigned node = 0; late != NO_OP && node < yard_nr_nodes(v->pupil); node++)
		yard_restore_workers(v->pupil, node, &v->mm->asked[node]);
}

static void late_wake(struct verifier *v, uint32_t index)
{
	struct wake_watch *wake = wake_of(v, event_at(v, index)->pid);
	struct op op;

	if (!wake || wake->late != index)
		return;
	mm_quiet(v);
	yard_sim_set_cpu(v->pupil, event_at(v, index)->cpu);
	yard_force_wake_kswapds(v->pupil, wake->gfp, wake->order);
	op = (struct op){
		.start = index, .first = index, .last = index, .pid = wake->pid, .cpu = event_at(v, index)->cpu,
		.order = wake->order, .pfn = YARD_PFN_NONE, .flags = OP_WAKES,
	};
	if (v->nr_said)
		judge_wakeups(v, &op, false);
	else // it had seen kswapd asleep before it lost the CPU
		mm_not_judged(v, VERIFY_UNJUDGED_ASKED, 1);
	wake->late = NO_OP;
}

void kswapd_event(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	unsigned node = (unsigned)event->a;
	struct kswapd_watch *k;

	if (node >= yard_nr_nodes(v->pupil))
		return;
	k = &v->mm->kswapd[node];
	switch (event->kind) {
	case TRACE_WAKEUP_KSWAPD:
		late_wake(v, index);
		if (!k->woken)
			k->others_first = others_run_first(v, index);
		k->woken = true;
		break;
	case TRACE_KSWAPD_WAKE:
		kswapd_wake(v, index, k, node);
		break;
	case TRACE_BALANCE_PGDAT_BEGIN:
		balance_begin(v, index, k, node);
		break;
	case TRACE_BALANCE_PGDAT_END:
		balance_end(v, index, k, node);
		break;
	default:
		kswapd_sleep(v, index, k, node);
		break;
	}
}

// ---- scans ----

static void kswapd_scan(struct verifier *v, uint32_t index, struct kswapd_watch *k, unsigned node)
{
	const struct trace_event *event = event_at(v, index);
	char text[80];

	if (!k->scanned) {
		k->scanned = true;
		mm_judge(v, index, VERIFY_KSWAPD_STOPS,
			 k->boosted || !yard_peek_balanced(v->pupil, node, k->order, k->highest), VERIFY_CAUSE_NONE,
			 "reclaims", "stops at once: balanced for order %u up to zone %u (spec 04 K-4)", k->order, k->highest);
	}
	if (!event->order && k->scan_order && k->reclaimed >= yard_peek_compact_gap(v->pupil, k->order))
		k->scan_order = 0;
	snprintf(text, sizeof(text), "scans for order %u, zones up to %d", event->order, event->b);
	mm_judge(v, index, VERIFY_SCAN_ORDERS, event->order == k->scan_order && event->b == k->highest, VERIFY_CAUSE_NONE, text,
		 "scans for order %u, zones up to %u (spec 04 K-8, K-9)", k->scan_order, k->highest);
}

// SP-45: the order that the first round of a request reclaims for.
static void direct_begin(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	struct wake_watch *wake = wake_of(v, event->pid);
	unsigned order;
	char text[80];

	if (!wake || wake->reclaimed) {
		mm_not_judged(v, VERIFY_UNJUDGED_ROUNDS, 1);
		return;
	}
	wake->reclaimed = true;
	wake->reclaim_order = event->order;
	order = yard_peek_reclaim_order(v->pupil, wake->gfp, wake->order);
	snprintf(text, sizeof(text), "reclaims for order %u", event->order);
	mm_judge(v, index, VERIFY_RECLAIM_ORDERS, event->order == order, VERIFY_CAUSE_NONE, text,
		 "reclaims for order %u (spec 02 SP-45)", order);
}

// SP-20, SP-40: order and priority of a request's first direct compaction.
static void direct_compaction(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	struct wake_watch *wake = wake_of(v, event->pid);
	unsigned order, priority;
	char text[80];

	if (!wake || wake->compacted) {
		mm_not_judged(v, VERIFY_UNJUDGED_ROUNDS, 1);
		return;
	}
	wake->compacted = true;
	order = yard_peek_reclaim_order(v->pupil, wake->gfp, wake->order);
	priority = yard_peek_first_priority(wake->gfp, wake->order);
	snprintf(text, sizeof(text), "compacts for order %u at priority %d", event->order, event->a);
	mm_judge(v, index, VERIFY_DIRECT_COMPACTION, event->order == order && event->a == (int)priority, VERIFY_CAUSE_NONE, text,
		 "compacts for order %u at priority %u (spec 02 SP-20, SP-45)", order, priority);
}

static void direct_scan(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	struct wake_watch *wake = wake_of(v, event->pid);
	char text[80];

	if (!wake || !wake->reclaimed) {
		mm_not_judged(v, VERIFY_UNJUDGED_ROUNDS, 1);
		return;
	}
	snprintf(text, sizeof(text), "scans for order %u", event->order);
	mm_judge(v, index, VERIFY_SCAN_ORDERS, event->order == wake->reclaim_order, VERIFY_CAUSE_NONE, text,
		 "scans for order %u (spec 04 C-1)", wake->reclaim_order);
}

void reclaim_event(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	unsigned node;
	struct kswapd_watch *k = kswapd_of(v, event->pid, &node);

	switch (event->kind) {
	case TRACE_DIRECT_RECLAIM_BEGIN:
		direct_begin(v, index);
		break;
	case TRACE_TRY_TO_COMPACT_PAGES:
		direct_compaction(v, index);
		break;
	case TRACE_LRU_ISOLATE:
		if (k && k->rest == KSWAPD_RUNS)
			kswapd_scan(v, index, k, node);
		else
			direct_scan(v, index);
		break;
	case TRACE_SHRINK_INACTIVE:
		mm_not_judged(v, VERIFY_UNJUDGED_PAGES, 1);
		if (k && event->c > 0)
			k->reclaimed += (uint64_t)event->c;
		break;
	default:
		break;
	}
}
