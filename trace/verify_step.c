// SPDX-License-Identifier: Apache-2.0
//
// The teacher: makes each recorded step exactly as recorded, and at step level asks the rule for its frame first.

#include "trace/verify_internal.h"

#include <stdio.h>

static void judge(struct verifier *v, const struct op *op, enum verify_decision decision, uint32_t recorded, uint32_t rule,
		  enum yard_forced forced, const char *what)
{
	struct verify_share *share = &v->result->decision[decision];
	char was[64], would[64];

	if (forced > v->worst)
		v->worst = forced;
	if (v->options->level != VERIFY_STEP)
		return;
	share->all++;
	if (recorded == rule && forced == YARD_FORCED_AS_PREDICTED) {
		share->right++;
		return;
	}
	snprintf(was, sizeof(was), "%s frame %u", what, recorded);
	if (rule == YARD_PFN_NONE)
		snprintf(would, sizeof(would), "%s nothing: the list is empty", what);
	else
		snprintf(would, sizeof(would), "%s frame %u", what, rule);
	record_difference(v, op, decision, was, would);
}

// The frame handed out, at step level.
static void judge_frame(struct verifier *v, const struct op *op, unsigned path, uint32_t rule, enum yard_forced forced)
{
	bool right = rule == op->pfn && forced == YARD_FORCED_AS_PREDICTED;

	judge(v, op, VERIFY_FRAMES, op->pfn, rule, forced, "hands out");
	if (v->options->level != VERIFY_STEP)
		return;
	v->result->by_order[op->order].all++;
	v->result->by_order[op->order].right += right;
	v->result->by_type[(unsigned)op->migratetype % YARD_MIGRATETYPES].all++;
	v->result->by_type[(unsigned)op->migratetype % YARD_MIGRATETYPES].right += right;
	v->result->by_path[path].all++;
	v->result->by_path[path].right += right;
}

struct removal { // what the teacher knows while it goes through the removals of one operation
	bool claimed;	      // the last zone_locked belongs to the claim of a part of a pageblock
	bool claim_as_ruled;  // ... and that pageblock is the one that R9 tries
	unsigned tried_below; // claims start below this order: those above were tried in vain
	enum yard_forced forced;
	uint32_t rule;
	unsigned path;
};

static const struct trace_event *next_of(struct verifier *v, const struct op *op, uint32_t i, uint32_t *next)
{
	*next = i == op->last ? NO_OP : v->window->next[i & WINDOW_MASK];
	return *next == NO_OP ? NULL : event_at(v, *next);
}

// R11: zone_locked, then extfrag of the same frame; the pageblock changes type before the frame is taken.
static bool part_claim_follows(struct verifier *v, const struct op *op, uint32_t i)
{
	uint32_t next;
	const struct trace_event *event = next_of(v, op, i, &next);

	return event && event->kind == TRACE_PAGE_ALLOC_EXTFRAG && event->pfn == event_at(v, i)->pfn;
}

// R9: the claimed pageblock is that of the head of the largest list with a fallback type.
static bool claim_as_ruled(struct verifier *v, const struct trace_event *extfrag, const struct removal *removal)
{
	int zone = yard_zone_of(v->teacher, (uint32_t)extfrag->pfn);
	unsigned order = 0, type = 0;
	uint32_t head;

	if (zone < 0)
		return false;
	head = yard_peek_fallback(v->teacher, (unsigned)zone, extfrag->order, (unsigned)extfrag->migratetype, true,
				  removal->tried_below, false, &order, &type); // part of a block: NOFRAGMENT was dropped
	return head != YARD_PFN_NONE && order == (unsigned)extfrag->a && type == (unsigned)extfrag->b
	       && (head ^ (uint32_t)extfrag->pfn) < YARD_PAGEBLOCK_NR_PAGES;
}

static void step_zone_locked(struct verifier *v, const struct op *op, uint32_t i, struct removal *removal)
{
	const struct trace_event *event = event_at(v, i);
	int zone = yard_zone_of(v->teacher, (uint32_t)event->pfn);

	removal->claimed = part_claim_follows(v, op, i);
	if (removal->claimed) {
		uint32_t next;

		removal->claim_as_ruled = claim_as_ruled(v, next_of(v, op, i, &next), removal);
	}
	if (removal->claimed)
		yard_force_claim_block(v->teacher, (uint32_t)event->pfn, (unsigned)event->migratetype);
	removal->rule = zone < 0 ? YARD_PFN_NONE
			: yard_peek_smallest(v->teacher, (unsigned)zone, event->order, (unsigned)event->migratetype);
	removal->forced = yard_force_remove(v->teacher, (uint32_t)event->pfn, event->order, (unsigned)event->migratetype);
	removal->path = YARD_PATH_REFILL;
	judge(v, op, VERIFY_REFILLS, (uint32_t)event->pfn, removal->rule, removal->forced, "takes off the buddy lists");
}

static void step_extfrag(struct verifier *v, const struct op *op, uint32_t i, struct removal *removal)
{
	const struct trace_event *event = event_at(v, i);
	int zone = yard_zone_of(v->teacher, (uint32_t)event->pfn);
	bool claim = event->c > 0;
	unsigned order, type;

	removal->path = claim ? YARD_PATH_CLAIM : YARD_PATH_STEAL;
	if (removal->claimed) { // the frame has left already
		removal->claimed = false;
		judge(v, op, VERIFY_CLAIMS, (uint32_t)event->pfn, removal->claim_as_ruled ? removal->rule : YARD_PFN_NONE,
		      removal->forced, "claims a pageblock for");
		return;
	}
	if (zone < 0)
		return;
	removal->rule = yard_peek_fallback(v->teacher, (unsigned)zone, event->order, (unsigned)event->migratetype, claim,
					   removal->tried_below, v->policy.defrag_mode && !(op->flags & OP_TAKEN && !(op->flags & OP_REQUEST)),
					   &order, &type);
	removal->forced = yard_force_fallback(v->teacher, (uint32_t)event->pfn, event->order, (unsigned)event->a,
					      (unsigned)event->migratetype, (unsigned)event->b, claim);
	judge(v, op, claim ? VERIFY_CLAIMS : VERIFY_STEALS, (uint32_t)event->pfn, removal->rule, removal->forced,
	      claim ? "claims a pageblock for" : "steals");
}

// A claim that comes to nothing lowers where the next one of the same request starts.
static void step_claim_try(struct verifier *v, const struct op *op, uint32_t i, struct removal *removal)
{
	uint32_t next;
	const struct trace_event *event = event_at(v, i), *after = next_of(v, op, i, &next);

	if (after && (after->kind == TRACE_PAGE_ALLOC_ZONE_LOCKED || after->kind == TRACE_PAGE_ALLOC_EXTFRAG))
		return;
	removal->tried_below = event->a > 0 ? (unsigned)event->a - 1 : 0;
}

static void into_set(struct verifier *v, const struct op *op, uint32_t pfn)
{
	if (op->flags & OP_TAKEN)
		yard_force_pcp_add(v->teacher, op->cpu, pfn, op->order, (unsigned)op->migratetype, true);
}

static void force_alloc(struct verifier *v, const struct op *op)
{
	struct removal removal = { .tried_below = YARD_MAX_PAGE_ORDER, .rule = YARD_PFN_NONE };
	bool removed = false;

	for (uint32_t i = op->first; i != NO_OP; i = i == op->last ? NO_OP : v->window->next[i & WINDOW_MASK]) {
		const struct trace_event *event = event_at(v, i);
		uint32_t next;

		switch (event->kind) {
		case TRACE_CLAIM_TRY:
			step_claim_try(v, op, i, &removal);
			break;
		case TRACE_PAGE_ALLOC_ZONE_LOCKED:
			step_zone_locked(v, op, i, &removal);
			removed = true;
			if (!removal.claimed)
				into_set(v, op, (uint32_t)event->pfn);
			break;
		case TRACE_PAGE_ALLOC_EXTFRAG:
			step_extfrag(v, op, i, &removal);
			removed = true;
			into_set(v, op, (uint32_t)event->pfn);
			removal.tried_below = YARD_MAX_PAGE_ORDER;
			break;
		case TRACE_TAKE:
			if (event->pfn == TRACE_PFN_NONE)
				break;
			next = YARD_PFN_NONE;
			if (yard_zone_of(v->teacher, (uint32_t)event->pfn) >= 0)
				next = yard_peek_pcp(v->teacher, (unsigned)yard_zone_of(v->teacher, (uint32_t)event->pfn), op->cpu,
						     op->order > YARD_COSTLY_ORDER ? 12 + (op->migratetype == YARD_MOVABLE)
						     : YARD_PCPTYPES * op->order + (unsigned)op->migratetype);
			removal.forced = yard_force_pcp_take(v->teacher, op->cpu, (uint32_t)event->pfn, op->order,
							     (unsigned)op->migratetype);
			judge_frame(v, op, removed ? removal.path : YARD_PATH_PCP, next, removal.forced);
			return;
		default:
			break;
		}
	}
	if (removed)
		judge_frame(v, op, removal.path == YARD_PATH_REFILL ? YARD_PATH_DIRECT : removal.path, removal.rule, removal.forced);
}

static void force_drains(struct verifier *v, const struct op *op)
{
	unsigned index = 0, found = 0;
	unsigned owner = op->cpu;

	if (op->kind == OP_DRAIN && event_at(v, op->first)->kind == TRACE_DRAIN_CPU)
		owner = (unsigned)event_at(v, op->first)->a;
	for (uint32_t i = op->first; i != NO_OP; i = i == op->last ? NO_OP : v->window->next[i & WINDOW_MASK]) {
		const struct trace_event *event = event_at(v, i);
		enum yard_forced forced;
		uint32_t rule = YARD_PFN_NONE;
		int zone;

		if (event->kind == TRACE_BULK_DRAIN)
			index = (unsigned)event->b;
		if (event->kind != TRACE_PAGE_PCPU_DRAIN)
			continue;
		zone = yard_zone_of(v->teacher, (uint32_t)event->pfn);
		if (zone >= 0)
			rule = yard_peek_drain(v->teacher, (unsigned)zone, owner, index, &found);
		index = found;
		forced = yard_force_drain(v->teacher, owner, (uint32_t)event->pfn, event->order, (unsigned)event->migratetype);
		judge(v, op, VERIFY_DRAINS, (uint32_t)event->pfn, rule, forced, "drains");
	}
}

static void force_free(struct verifier *v, const struct op *op)
{
	unsigned type = yard_pageblock_type(v->teacher, op->pfn);

	if (!(op->flags & OP_PUT)) {
		yard_force_free_direct(v->teacher, op->pfn, op->order);
		return;
	}
	if (!(op->flags & OP_LOST_PUT))
		type = (unsigned)op->migratetype;
	yard_force_pcp_add(v->teacher, op->cpu, op->pfn, op->order, type < YARD_PCPTYPES ? type : (unsigned)YARD_MOVABLE, false);
	force_drains(v, op);
}

static void force_decay(struct verifier *v, const struct op *op)
{
	yard_vmstat_update(v->teacher, op->cpu, true); // the counters' part of the timer's work
	force_drains(v, op);
}

void force_op(struct verifier *v, struct op *op)
{
	yard_sim_set_cpu(v->teacher, op->cpu);
	switch (op->kind) {
	case OP_ALLOC:
		force_alloc(v, op);
		break;
	case OP_FREE:
		force_free(v, op);
		break;
	case OP_RESUME:
		force_drains(v, op);
		break;
	case OP_DECAY:
		force_decay(v, op);
		break;
	case OP_DRAIN:
		force_drains(v, op);
		break;
	default:
		break;
	}
}
