// SPDX-License-Identifier: Apache-2.0
//
// Judging which zones a task compacts, in which order, and what deferral says to it: kcompactd asked for (spec 03 K5), on
// its own (K2), and direct compaction (C6.5). The pupil goes on until it would send an event; that one is compared with the
// recorded one. Then the pass goes on from what was recorded.

#include "trace/verify_mm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRIORITY_ASYNC = 2, PRIORITY_SYNC_FULL = 0 }; // C1.3

struct gate_watch *gate_of(struct verifier *v, uint32_t pid)
{
	for (unsigned n = 0; n < GATES; n++)
		if (v->mm->gate[n].used && v->mm->gate[n].pid == pid)
			return &v->mm->gate[n];
	return NULL;
}

static struct gate_watch *new_gate(struct verifier *v, uint32_t pid)
{
	struct gate_watch *gate = gate_of(v, pid);

	for (unsigned n = 0; n < GATES && !gate; n++)
		if (!v->mm->gate[n].used || v->mm->gate[n].phase == GATE_IDLE)
			gate = &v->mm->gate[n];
	if (!gate || scan_prepare(&gate->run))
		return NULL;
	*gate = (struct gate_watch){ .pid = pid, .used = true, .phase = GATE_VISIT, .run = gate->run };
	return gate;
}

static void add_zone(struct verifier *v, struct gate_watch *gate, unsigned zone)
{
	struct yard_zone_state state;

	if (!yard_get_zone(v->pupil, zone, &state) && state.populated)
		gate->zone[gate->nr_zones++] = (uint8_t)zone;
}

static void zones_of_node(struct verifier *v, struct gate_watch *gate, unsigned highest)
{
	for (unsigned type = 0; type <= highest && type < YARD_ZONE_TYPES; type++)
		add_zone(v, gate, gate->node * YARD_ZONE_TYPES + type);
}

static void zones_of_request(struct verifier *v, struct gate_watch *gate, unsigned cpu)
{
	const struct snapshot_node *node = NULL;

	for (uint32_t i = 0; i < v->before->nr_nodes; i++)
		if (v->before->node[i].id == snapshot_cpu_node(v->before, cpu))
			node = &v->before->node[i];
	for (uint32_t i = 0; node && i < node->nr_fallback; i++)
		if (node->fallback[i].zone_index <= gate->highest)
			add_zone(v, gate, node->fallback[i].node * YARD_ZONE_TYPES + node->fallback[i].zone_index);
}

// ---- what comes next ----

static unsigned zone_now(const struct gate_watch *gate)
{
	return gate->zone[gate->at];
}

static bool defers(const struct gate_watch *gate)
{
	return gate->kind == YARD_RUN_KCOMPACTD || (gate->kind == YARD_RUN_DIRECT && gate->priority != PRIORITY_SYNC_FULL);
}

static int suit(struct verifier *v, const struct gate_watch *gate, unsigned highest)
{
	return yard_force_suit(v->pupil, zone_now(gate), gate->order, highest, gate->kind == YARD_RUN_KCOMPACTD, gate->gfp,
			       gate->priority == PRIORITY_ASYNC && gate->kind == YARD_RUN_DIRECT);
}

static void visit(struct verifier *v, struct gate_watch *gate)
{
	if (defers(gate) && yard_force_deferred(v->pupil, zone_now(gate), gate->order)) {
		gate->at++;
		return;
	}
	if (gate->kind == YARD_RUN_KCOMPACTD && suit(v, gate, zone_now(gate) % YARD_ZONE_TYPES) != CONTINUE) { // K5
		gate->at++;
		return;
	}
	gate->phase = gate->kind == YARD_RUN_PROACTIVE ? GATE_RUN : GATE_AGAIN;
}

static void again(struct verifier *v, struct gate_watch *gate) // C6.1
{
	gate->result = suit(v, gate, gate->highest);
	gate->phase = gate->result == CONTINUE ? GATE_RUN : GATE_AFTER;
}

static void after(struct verifier *v, struct gate_watch *gate) // C2.8
{
	unsigned zone = zone_now(gate);
	bool failed = gate->result == COMPLETE || gate->result == PARTIAL_SKIPPED;

	gate->phase = GATE_VISIT;
	gate->at++;
	if (gate->kind == YARD_RUN_PROACTIVE)
		return;
	if (gate->result == SUCCESS) {
		yard_force_defer_reset(v->pupil, zone, gate->order, false);
		if (gate->kind == YARD_RUN_DIRECT)
			gate->at = gate->nr_zones;
	} else if (failed && !(gate->kind == YARD_RUN_DIRECT && gate->priority == PRIORITY_ASYNC)) {
		yard_force_defer(v->pupil, zone, gate->order);
	}
}

static bool over(const struct gate_watch *gate)
{
	return gate->phase == GATE_VISIT && gate->at >= gate->nr_zones;
}

// Goes on until the pupil tells something, a run is to begin, or no zone is left.
static void advance(struct verifier *v, struct gate_watch *gate)
{
	mm_quiet(v);
	while (!v->mm->nr_told && gate->phase != GATE_RUN && !over(gate)) {
		switch (gate->phase) {
		case GATE_VISIT:
			visit(v, gate);
			break;
		case GATE_AGAIN:
			again(v, gate);
			break;
		default:
			after(v, gate);
			break;
		}
	}
}

// ---- following the record ----

static void follow_deferral(struct verifier *v, struct gate_watch *gate, const struct trace_event *event, unsigned zone)
{
	struct yard_compact_state state;

	if (yard_get_compact(v->pupil, zone, &state))
		return;
	state.considered = (uint32_t)event->c;
	state.defer_shift = event->shift;
	state.order_failed = event->failed;
	yard_restore_compact(v->pupil, zone, &state);
	gate->phase = GATE_VISIT;
}

// The pass goes on as if the pupil had told the recorded event. `phase` is the one before.
static void follow(struct verifier *v, struct gate_watch *gate, const struct trace_event *event, enum gate_phase phase)
{
	unsigned zone = (unsigned)event->a * YARD_ZONE_TYPES + (unsigned)event->b, at = 0;

	while (at < gate->nr_zones && gate->zone[at] != zone)
		at++;
	if (at == gate->nr_zones)
		return;
	gate->at = (uint8_t)at;
	if (event->kind != TRACE_COMPACTION_SUITABLE) {
		follow_deferral(v, gate, event, zone);
		gate->at++;
		return;
	}
	if (gate->kind == YARD_RUN_KCOMPACTD && phase != GATE_AGAIN) {
		gate->phase = event->c == CONTINUE ? GATE_AGAIN : GATE_VISIT;
		gate->at += event->c != CONTINUE;
		return;
	}
	gate->result = event->c == CONTINUE ? CONTINUE : SKIPPED;
	gate->phase = event->c == CONTINUE ? GATE_RUN : GATE_AFTER;
}

static const char *what_pupil_does(struct verifier *v, const struct gate_watch *gate, char *text, size_t size)
{
	if (v->mm->nr_told)
		mm_describe(&v->mm->told[0], text, size);
	else if (gate->phase == GATE_RUN)
		snprintf(text, size, "compacts zone %u", zone_now(gate));
	else
		snprintf(text, size, "is done with all zones");
	return text;
}

static void judge_step(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	const struct trace_event *event = event_at(v, index);
	enum gate_phase phase = gate->phase;
	char recorded[160], engine[160];
	bool right;

	advance(v, gate);
	right = v->mm->nr_told == 1 && mm_same(&v->mm->told[0], event);
	mm_describe_event(event, recorded, sizeof(recorded));
	mm_judge(v, index, event->kind == TRACE_COMPACTION_SUITABLE ? VERIFY_SUITABLE : VERIFY_DEFERRALS, right,
		 VERIFY_CAUSE_NONE, recorded, "%s", what_pupil_does(v, gate, engine, sizeof(engine)));
	if (!right)
		follow(v, gate, event, phase);
}

// C6.6: the request got its page after all.
static void judge_success(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	const struct trace_event *event = event_at(v, index);
	char recorded[160], engine[160] = "tells nothing";
	bool right;

	mm_quiet(v);
	yard_force_defer_reset(v->pupil, (unsigned)event->a * YARD_ZONE_TYPES + (unsigned)event->b, gate->order, true);
	right = v->mm->nr_told == 1 && mm_same(&v->mm->told[0], event);
	mm_describe_event(event, recorded, sizeof(recorded));
	if (v->mm->nr_told)
		mm_describe(&v->mm->told[0], engine, sizeof(engine));
	mm_judge(v, index, VERIFY_DEFERRALS, right, VERIFY_CAUSE_NONE, recorded, "%s", engine);
	if (!right)
		follow_deferral(v, gate, event, (unsigned)event->a * YARD_ZONE_TYPES + (unsigned)event->b);
}

// ---- kcompactd ----

static unsigned highest_populated(struct verifier *v, unsigned node)
{
	unsigned highest = 0;
	struct yard_zone_state zone;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
		if (!yard_get_zone(v->pupil, node * YARD_ZONE_TYPES + type, &zone) && zone.populated)
			highest = type;
	return highest;
}

static void kcompactd_wake(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	struct yard_worker_state asked;
	struct gate_watch *gate;
	char text[80];

	if (event->a < 0 || (unsigned)event->a >= yard_nr_nodes(v->pupil))
		return;
	yard_get_workers(v->pupil, (unsigned)event->a, &asked);
	snprintf(text, sizeof(text), "runs for order %u, zones up to %d", event->order, event->b);
	mm_judge(v, index, VERIFY_KCOMPACTD_RUNS,
		 asked.kcompactd_order == event->order && (int)asked.kcompactd_highest == event->b, VERIFY_CAUSE_NONE, text,
		 "runs for order %u, zones up to %u (spec 03 K1, K5)", asked.kcompactd_order,
		 asked.kcompactd_highest);
	asked.kcompactd_asleep = false;
	yard_restore_workers(v->pupil, (unsigned)event->a, &asked);
	gate = new_gate(v, event->pid);
	if (!gate)
		return;
	v->mm->kcompactd[event->a].pid = event->pid;
	v->mm->kcompactd[event->a].ran = true;
	gate->kind = YARD_RUN_KCOMPACTD;
	gate->node = (uint8_t)event->a;
	gate->order = event->order;
	gate->highest = event->b < 0 || event->b >= YARD_ZONE_TYPES ? YARD_ZONE_TYPES - 1 : (uint8_t)event->b;
	gate->gfp = YARD_GFP_KERNEL;
	zones_of_node(v, gate, gate->highest);
}

// K5: the pass over the zones is over, and with it what was asked.
static void end_pass(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	struct yard_worker_state asked;
	char engine[160];

	advance(v, gate);
	mm_judge(v, index, gate->kind == YARD_RUN_KCOMPACTD ? VERIFY_KCOMPACTD_RUNS : VERIFY_PROACTIVE,
		 over(gate) && !v->mm->nr_told, VERIFY_CAUSE_NONE, "is done with all zones", "%s", what_pupil_does(v, gate, engine, sizeof(engine)));
	gate->phase = GATE_IDLE;
	if (gate->kind != YARD_RUN_KCOMPACTD)
		return;
	yard_get_workers(v->pupil, gate->node, &asked);
	if (asked.kcompactd_order <= gate->order)
		asked.kcompactd_order = 0;
	if (asked.kcompactd_highest >= gate->highest)
		asked.kcompactd_highest = highest_populated(v, gate->node);
	yard_restore_workers(v->pupil, gate->node, &asked);
}

static void kcompactd_sleep(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	struct gate_watch *gate = gate_of(v, event->pid);
	struct kcompactd_watch *k;
	struct yard_worker_state asked;

	if (event->a < 0 || (unsigned)event->a >= yard_nr_nodes(v->pupil))
		return;
	k = &v->mm->kcompactd[event->a];
	if (gate && gate->phase != GATE_IDLE)
		end_pass(v, index, gate);
	else if (k->slept && !k->ran) // K2: its time was over
		mm_judge(v, index, VERIFY_PROACTIVE, !yard_peek_proactive(v->pupil, (unsigned)event->a), VERIFY_CAUSE_NONE,
			 "sleeps again", "compacts on its own: the score is above its mark (spec 03 K2, K3)");
	k->pid = event->pid;
	k->slept = true;
	k->ran = false;
	yard_get_workers(v->pupil, (unsigned)event->a, &asked);
	asked.kcompactd_asleep = true;
	yard_restore_workers(v->pupil, (unsigned)event->a, &asked);
}

// A run that nothing announced: kcompactd's own.
static struct gate_watch *begin_proactive(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	struct gate_watch *gate;
	unsigned node = 0;

	while (node < yard_nr_nodes(v->pupil) && (!v->mm->kcompactd[node].slept || v->mm->kcompactd[node].pid != event->pid))
		node++;
	gate = node < yard_nr_nodes(v->pupil) ? new_gate(v, event->pid) : NULL;
	if (!gate)
		return NULL;
	mm_judge(v, index, VERIFY_PROACTIVE, yard_peek_proactive(v->pupil, node), VERIFY_CAUSE_NONE, "compacts on its own",
		 "sleeps again: the score is not above its mark (spec 03 K2, K3)");
	v->mm->kcompactd[node].ran = true;
	gate->kind = YARD_RUN_PROACTIVE;
	gate->node = (uint8_t)node;
	gate->order = TRACE_ORDER_NONE;
	gate->highest = YARD_ZONE_TYPES - 1;
	gate->gfp = YARD_GFP_KERNEL;
	zones_of_node(v, gate, gate->highest);
	return gate;
}

// ---- direct compaction ----

static void direct(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	struct gate_watch *gate = new_gate(v, event->pid);

	if (!gate)
		return;
	gate->kind = YARD_RUN_DIRECT;
	gate->order = event->order;
	gate->priority = event->a < 0 || event->a > PRIORITY_ASYNC ? PRIORITY_ASYNC : (uint8_t)event->a;
	gate->gfp = event->gfp;
	gate->highest = (uint8_t)yard_peek_highest_zone(event->gfp);
	zones_of_request(v, gate, event->cpu);
}

// ---- runs ----

static void begin_run(struct verifier *v, uint32_t index)
{
	struct gate_watch *gate = gate_of(v, event_at(v, index)->pid);
	int zone = yard_zone_of(v->pupil, (uint32_t)event_at(v, index)->pfn);
	char engine[160];
	bool right;

	if (!gate || gate->phase == GATE_IDLE || (gate->kind == YARD_RUN_DIRECT && over(gate)))
		gate = begin_proactive(v, index);
	if (!gate || zone < 0) {
		mm_not_judged(v, VERIFY_UNJUDGED_BEFORE, 1);
		return;
	}
	advance(v, gate);
	right = !v->mm->nr_told && gate->phase == GATE_RUN && zone_now(gate) == (unsigned)zone;
	if (!right) {
		mm_judge(v, index, VERIFY_SUITABLE, false, VERIFY_CAUSE_NONE, "compacts the zone", "%s",
			 what_pupil_does(v, gate, engine, sizeof(engine)));
		for (gate->at = 0; gate->at + 1 < gate->nr_zones && zone_now(gate) != (unsigned)zone; gate->at++)
			;
	}
	gate->phase = GATE_RUN;
	scan_begin(v, index, gate);
}

static void end_run(struct verifier *v, uint32_t index, struct gate_watch *gate)
{
	scan_end(v, index, gate);
	gate->result = event_at(v, index)->b;
	gate->phase = GATE_AFTER;
}

void gate_event(struct verifier *v, uint32_t index)
{
	const struct trace_event *event = event_at(v, index);
	struct gate_watch *gate;

	if (!v->mm->told_compaction) {
		mm_not_judged(v, VERIFY_UNJUDGED_STATE, 1);
		return;
	}
	switch (event->kind) {
	case TRACE_DIRECT_RECLAIM_BEGIN: // its pass is over
		gate = gate_of(v, event->pid);
		if (gate && gate->kind == YARD_RUN_DIRECT)
			gate->phase = GATE_IDLE;
		return;
	case TRACE_KCOMPACTD_WAKE:
		kcompactd_wake(v, index);
		return;
	case TRACE_KCOMPACTD_SLEEP:
		kcompactd_sleep(v, index);
		return;
	case TRACE_TRY_TO_COMPACT_PAGES:
		direct(v, index);
		return;
	case TRACE_COMPACTION_BEGIN:
		begin_run(v, index);
		return;
	default:
		break;
	}
	gate = gate_of(v, event->pid);
	if (!gate || gate->phase == GATE_IDLE) {
		if (event->kind != TRACE_ISOLATE_FREE)
			mm_not_judged(v, VERIFY_UNJUDGED_GATES, 1);
		return;
	}
	switch (event->kind) {
	case TRACE_COMPACTION_DEFERRED:
	case TRACE_DEFER_COMPACTION:
	case TRACE_DEFER_RESET:
	case TRACE_COMPACTION_SUITABLE:
		if (gate->phase == GATE_RUN || (event->kind == TRACE_COMPACTION_SUITABLE && over(gate)))
			mm_not_judged(v, VERIFY_UNJUDGED_GATES, 1);
		else if (event->kind == TRACE_DEFER_RESET && gate->kind == YARD_RUN_DIRECT && over(gate))
			judge_success(v, index, gate);
		else
			judge_step(v, index, gate);
		break;
	case TRACE_COMPACTION_END:
		if (gate->phase == GATE_RUN)
			end_run(v, index, gate);
		break;
	default:
		if (gate->phase == GATE_RUN)
			scan_event(v, index, gate);
		break;
	}
}
