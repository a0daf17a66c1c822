// SPDX-License-Identifier: Apache-2.0
//
// What follows a failed fast attempt (spec 02 section 2): one function for each state of table 2.2, which returns the
// state that comes next. The control flow of 6.15 to 6.19 (2.9) has the same states but for INIT and RETRY.

#include "engine/slowpath.h"

uint32_t gfp_nonblock_flags(uint32_t gfp, unsigned order) // G5
{
	if (gfp & (YARD_GFP_DIRECT_RECLAIM | YARD_GFP_NOMEMALLOC))
		return 0;
	return ALLOC_NON_BLOCK | (order && gfp & YARD_GFP_HIGH ? ALLOC_HIGHATOMIC : 0);
}

static unsigned slow_flags(const struct yard *yard, const struct alloc_context *ctx) // G8, SP-11
{
	unsigned flags = ALLOC_WMARK_MIN | ALLOC_CPUSET | gfp_nonblock_flags(ctx->gfp, ctx->order) | gfp_cma_flags(ctx);

	if (ctx->gfp & YARD_GFP_HIGH)
		flags |= ALLOC_MIN_RESERVE;
	if (ctx->gfp & YARD_GFP_KSWAPD_RECLAIM)
		flags |= ALLOC_KSWAPD;
	if (yard->policy.defrag_mode && !yard->no_dma32)
		flags |= ALLOC_NOFRAGMENT;
	if (!(ctx->gfp & YARD_GFP_DIRECT_RECLAIM)) {
		if (flags & ALLOC_MIN_RESERVE)
			flags &= ~(unsigned)ALLOC_CPUSET;
	} else if (ctx->task & YARD_TASK_REALTIME && !(ctx->task & YARD_TASK_INTERRUPT)) {
		flags |= ALLOC_MIN_RESERVE;
	}
	return flags;
}

static unsigned reserve_flags(const struct alloc_context *ctx) // SP-12
{
	if (ctx->gfp & YARD_GFP_NOMEMALLOC)
		return 0;
	if (ctx->gfp & YARD_GFP_MEMALLOC)
		return ALLOC_NO_WATERMARKS;
	if (ctx->task & YARD_TASK_SOFTIRQ && ctx->task & YARD_TASK_MEMALLOC)
		return ALLOC_NO_WATERMARKS;
	if (ctx->task & (YARD_TASK_INTERRUPT | YARD_TASK_SOFTIRQ))
		return 0;
	if (ctx->task & YARD_TASK_MEMALLOC)
		return ALLOC_NO_WATERMARKS;
	return ctx->task & YARD_TASK_OOM_VICTIM ? ALLOC_OOM : 0;
}

static void wake_all_kswapds(struct yard *yard, const struct alloc_context *ctx) // SP-13
{
	unsigned order = ctx->order, highest = ctx->highest_zone;
	uint64_t seen = 0;

	if (yard->policy.defrag_mode && yard->policy.kswapd_block_wake && order < YARD_PAGEBLOCK_ORDER)
		order = YARD_PAGEBLOCK_ORDER;
	for (const uint8_t *entry = ctx->zonelist; *entry != ZONE_MIXED; entry++) {
		struct zone *zone = zone_at(yard, *entry);

		if (!zone_eligible(zone, highest, ctx->nodemask) || !zone->managed || seen >> zone->node & 1)
			continue;
		seen |= 1ull << zone->node;
		if (zone_cpuset_allowed(ctx, zone, ALLOC_CPUSET)) // KS-1
			wakeup_kswapd(yard, zone, ctx->gfp, order, highest);
	}
}

// SP-45
static unsigned reclaim_order(const struct yard *yard, const struct alloc_context *ctx, unsigned flags)
{
	if (!yard->policy.promote_nonmovable || !(flags & ALLOC_NOFRAGMENT) || ctx->migratetype == YARD_MOVABLE)
		return ctx->order;
	return ctx->order < YARD_PAGEBLOCK_ORDER ? YARD_PAGEBLOCK_ORDER : ctx->order;
}

bool unreserve_for(struct slowpath *s, bool force)
{
	const struct alloc_context *ctx = s->ctx;
	uint64_t nodemask = ctx->nodemask;

	if (ctx->gfp & YARD_GFP_THISNODE) {
		nodemask = (nodemask ? nodemask : ~0ull) & 1ull << ctx->node;
		if (!nodemask)
			return false;
	}
	return yard_unreserve_highatomic(s->yard, ctx->node, ctx->highest_zone, nodemask, ctx->migratetype, force);
}

static bool cookie_changed(const struct slowpath *s)
{
	return atomic_load_explicit(&s->yard->zonelist_builds, memory_order_relaxed) != s->zonelist_builds;
}

// ---- INIT ----

// A cpuset is insane when its nodes have movable zones only: then kernel memory can never come from them.
static bool insane_cpuset(const struct yard *yard, const struct alloc_context *ctx)
{
	for (unsigned id = 0; id < yard->nr_zones; id++) {
		const struct zone *zone = zone_at(yard, id);

		if (ctx->cpuset >> zone->node & 1 && zone->type <= YARD_ZONE_NORMAL && zone_populated(zone))
			return false;
	}
	return true;
}

static bool no_zone_allowed(const struct slowpath *s)
{
	const struct yard *yard = s->yard;
	const struct alloc_context *ctx = s->ctx;

	if (*ctx->first == ZONE_MIXED)
		return true;
	if (!ctx->cpuset || !(ctx->gfp & YARD_GFP_HARDWALL) || !insane_cpuset(yard, ctx))
		return false;
	return *zonelist_first(yard, ctx->zonelist, ctx->highest_zone, ctx->cpuset) == ZONE_MIXED;
}

static bool wants_compaction_first(const struct slowpath *s) // SP-20
{
	const struct alloc_context *ctx = s->ctx;

	if (!(ctx->gfp & YARD_GFP_DIRECT_RECLAIM) || !can_compact(s->yard, ctx->gfp))
		return false;
	return ctx->order > YARD_COSTLY_ORDER || (ctx->order && ctx->migratetype != YARD_MOVABLE);
}

static void reset(struct slowpath *s) // SP-10, SP-11
{
	struct alloc_context *ctx = s->ctx;

	ctx->task = (uint16_t)slow_task_flags(s);
	s->compact_retries = 0;
	s->no_progress = 0;
	s->compact_result = COMPACT_SKIPPED;
	s->priority = COMPACT_SYNC_LIGHT;
	s->compact_first = false;
	s->zonelist_builds = atomic_load_explicit(&s->yard->zonelist_builds, memory_order_relaxed);
	s->flags = slow_flags(s->yard, ctx);
	s->order = ctx->order;
	ctx->first = zonelist_first(s->yard, ctx->zonelist, ctx->highest_zone, ctx->nodemask);
}

static enum yard_slow_state state_init(struct slowpath *s)
{
	reset(s);
	if (no_zone_allowed(s))
		return YARD_SLOW_NOPAGE;
	s->compact_first = wants_compaction_first(s);
	if (s->compact_first)
		s->priority = COMPACT_ASYNC;
	return YARD_SLOW_RETRY;
}

// ---- RETRY to RESERVES ----

// False: the part of the request that was asked for ends here.
static bool wake_for(struct slowpath *s)
{
	if (s->flags & ALLOC_KSWAPD && s->part != YARD_REQUEST_FROM_WAKE)
		wake_all_kswapds(s->yard, s->ctx);
	if (s->part == YARD_REQUEST_UNTIL_WAKE)
		return false;
	s->part = YARD_REQUEST_WHOLE; // later rounds wake it themselves
	return true;
}

// False: the request has had all the rounds that it may have.
static bool begin_round(struct slowpath *s)
{
	const struct yard_request *request = s->ctx->request;

	if (request && request->max_rounds && s->result->rounds >= request->max_rounds) {
		s->result->gave_up = true;
		return false;
	}
	s->result->rounds++;
	s->ctx->task = (uint16_t)slow_task_flags(s);
	return true;
}

static enum yard_slow_state state_retry(struct slowpath *s)
{
	if (!begin_round(s) || !wake_for(s))
		return YARD_SLOW_DONE;
	return slow_attempt(s, s->flags) ? YARD_SLOW_DONE : YARD_SLOW_RESERVES;
}

// SP-12, SP-14. True: the request is no longer bound to its nodes.
static bool use_reserves(struct slowpath *s)
{
	struct alloc_context *ctx = s->ctx;
	unsigned reserves = reserve_flags(ctx);

	if (reserves)
		s->flags = gfp_cma_flags(ctx) | reserves | (s->flags & ALLOC_KSWAPD);
	if (s->flags & ALLOC_CPUSET && !reserves)
		return false;
	ctx->nodemask = 0;
	ctx->first = zonelist_first(s->yard, ctx->zonelist, ctx->highest_zone, 0);
	return true;
}

static enum yard_slow_state state_reserves(struct slowpath *s)
{
	if (!use_reserves(s) || !s->may_retry_reserves)
		return YARD_SLOW_NORECLAIM;
	s->may_retry_reserves = false;
	return YARD_SLOW_RETRY;
}

// ---- 2.9: INIT and RETRY of the older flow ----

// One asynchronous compaction outside the loop. True: a page, or the request ends.
static bool compact_before_loop(struct slowpath *s, enum yard_slow_state *next)
{
	const struct alloc_context *ctx = s->ctx;

	if (!wants_compaction_first(s) || reserve_flags(ctx))
		return false;
	s->order = reclaim_order(s->yard, ctx, s->flags);
	s->priority = COMPACT_ASYNC;
	direct_compact(s);
	*next = YARD_SLOW_DONE;
	if (s->pfn != PFN_NONE)
		return true;
	*next = YARD_SLOW_NOPAGE;
	if (ctx->order <= YARD_COSTLY_ORDER || !(ctx->gfp & YARD_GFP_NORETRY))
		s->priority = COMPACT_SYNC_LIGHT;
	else if (s->compact_result == COMPACT_SKIPPED || s->compact_result == COMPACT_DEFERRED)
		return true;
	return false;
}

static enum yard_slow_state state_init_split(struct slowpath *s)
{
	enum yard_slow_state next;

	reset(s);
	if (no_zone_allowed(s))
		return YARD_SLOW_NOPAGE;
	if (!wake_for(s) || slow_attempt(s, s->flags))
		return YARD_SLOW_DONE;
	return compact_before_loop(s, &next) ? next : YARD_SLOW_RETRY;
}

static enum yard_slow_state state_retry_split(struct slowpath *s)
{
	if (!begin_round(s) || !wake_for(s))
		return YARD_SLOW_DONE;
	use_reserves(s);
	return slow_attempt(s, s->flags) ? YARD_SLOW_DONE : YARD_SLOW_NORECLAIM;
}

// ---- NORECLAIM to COMPACT ----

static enum yard_slow_state state_noreclaim(struct slowpath *s)
{
	const struct yard_policy *policy = &s->yard->policy;

	if (s->ctx->gfp & YARD_GFP_DIRECT_RECLAIM)
		return YARD_SLOW_RECURSE;
	if (!policy->defrag_mode || !policy->nofrag_drop_nonreclaim || !(s->flags & ALLOC_NOFRAGMENT)
	    || !(s->ctx->gfp & YARD_GFP_KSWAPD_RECLAIM))
		return YARD_SLOW_NOPAGE;
	s->flags &= ~(unsigned)ALLOC_NOFRAGMENT; // SP-16
	return YARD_SLOW_RETRY;
}

static enum yard_slow_state state_recurse(struct slowpath *s)
{
	return s->ctx->task & YARD_TASK_MEMALLOC ? YARD_SLOW_NOPAGE : YARD_SLOW_WARNSTALL;
}

enum { REPORT_EVERY_S = 10 };

// SP-66, SP-67: one report of a kind in ten seconds, whoever makes it.
static bool may_print(_Atomic uint64_t *slot, uint64_t now)
{
	uint64_t last = atomic_load_explicit(slot, memory_order_relaxed);

	if (last && time_since(now + 1, last) < REPORT_EVERY_S * 1000000000ull)
		return false;
	return atomic_compare_exchange_strong_explicit(slot, &last, now + 1, memory_order_relaxed,
						       memory_order_relaxed);
}

static enum yard_slow_state state_warnstall(struct slowpath *s)
{
	struct yard *yard = s->yard;
	const struct alloc_context *ctx = s->ctx;
	uint64_t now, seconds;

	if (!yard->policy.stall_report || ctx->gfp & YARD_GFP_NOWARN)
		return YARD_SLOW_PROMOTE;
	now = now_ns(yard);
	seconds = time_since(now, s->start_ns) / 1000000000;
	if (seconds >= REPORT_EVERY_S && may_print(&yard->stalled_at, now))
		TRACE(yard, ALLOC_STALL, (int64_t)seconds, ctx->order, ctx->gfp);
	return YARD_SLOW_PROMOTE;
}

static enum yard_slow_state state_promote(struct slowpath *s)
{
	const struct alloc_context *ctx = s->ctx;

	s->order = reclaim_order(s->yard, ctx, s->flags);
	WHY(s->yard, .kind = YARD_EVENT_WHY_SLOWPATH, .order = ctx->order, .migratetype = ctx->migratetype,
	    .a = (int32_t)s->flags, .b = (int32_t)s->order, .c = (int32_t)s->result->rounds);
	return YARD_SLOW_RECLAIM;
}

static enum yard_slow_state state_reclaim(struct slowpath *s)
{
	if (!s->compact_first && can_progress(s->yard))
		direct_reclaim(s);
	return s->pfn != PFN_NONE ? YARD_SLOW_DONE : YARD_SLOW_COMPACT;
}

static enum yard_slow_state state_compact(struct slowpath *s)
{
	direct_compact(s);
	return s->pfn != PFN_NONE ? YARD_SLOW_DONE : YARD_SLOW_FIRST;
}

// ---- FIRST to DROP: what to do when neither helped ----

static enum yard_slow_state state_first(struct slowpath *s)
{
	uint32_t gfp = s->ctx->gfp;

	if (!s->compact_first)
		return YARD_SLOW_LOOPGATE;
	if (gfp & YARD_GFP_NORETRY && gfp & YARD_GFP_THISNODE)
		return YARD_SLOW_NOPAGE;
	if (!(gfp & YARD_GFP_NORETRY))
		s->priority = COMPACT_SYNC_LIGHT;
	s->compact_first = false;
	return YARD_SLOW_RETRY;
}

static enum yard_slow_state state_loopgate(struct slowpath *s)
{
	const struct alloc_context *ctx = s->ctx;

	if (ctx->gfp & YARD_GFP_NORETRY)
		return YARD_SLOW_NOPAGE;
	if (ctx->order > YARD_COSTLY_ORDER && (!can_compact(s->yard, ctx->gfp) || !(ctx->gfp & YARD_GFP_RETRY_MAYFAIL)))
		return YARD_SLOW_NOPAGE; // SP-21
	return cookie_changed(s) ? YARD_SLOW_INIT : YARD_SLOW_RRETRY;
}

static enum yard_slow_state state_rretry(struct slowpath *s)
{
	return can_progress(s->yard) && reclaim_should_retry(s) ? YARD_SLOW_RETRY : YARD_SLOW_CRETRY;
}

static enum yard_slow_state state_cretry(struct slowpath *s)
{
	return s->progress && compact_should_retry(s) ? YARD_SLOW_RETRY : YARD_SLOW_DROP;
}

// DM-4: all but NOFRAGMENT goes, whether it was set or not, and the loop never gets further.
static enum yard_slow_state drop_wrongly(struct slowpath *s)
{
	if (s->dropped && !can_progress(s->yard)) {
		s->result->gave_up = true;
		return YARD_SLOW_DONE;
	}
	s->dropped = true;
	s->flags &= ALLOC_NOFRAGMENT;
	return YARD_SLOW_RETRY;
}

static enum yard_slow_state state_drop(struct slowpath *s)
{
	const struct yard_policy *policy = &s->yard->policy;

	if (!policy->defrag_mode)
		return YARD_SLOW_PREOOM;
	if (policy->nofrag_drop == YARD_NOFRAG_DROP_BROKEN)
		return drop_wrongly(s);
	if (!(s->flags & ALLOC_NOFRAGMENT))
		return YARD_SLOW_PREOOM;
	s->flags &= ~(unsigned)ALLOC_NOFRAGMENT;
	if (retries_as_promoted(s)) {
		s->no_progress = 0;
		s->compact_retries = 0;
	}
	return YARD_SLOW_RETRY;
}

// ---- PREOOM to FAIL ----

static enum yard_slow_state state_preoom(struct slowpath *s)
{
	return cookie_changed(s) ? YARD_SLOW_INIT : YARD_SLOW_OOM;
}

static enum yard_slow_state state_oom(struct slowpath *s)
{
	if (!can_progress(s->yard))
		return YARD_SLOW_NOPAGE;
	oom_attempt(s);
	if (s->pfn != PFN_NONE)
		return YARD_SLOW_DONE;
	if (slow_task_flags(s) & YARD_TASK_OOM_VICTIM && (s->flags & ALLOC_OOM || s->ctx->gfp & YARD_GFP_NOMEMALLOC))
		return YARD_SLOW_NOPAGE; // OOM-10
	if (!s->progress)
		return YARD_SLOW_NOPAGE;
	s->no_progress = 0;
	return YARD_SLOW_RETRY;
}

static enum yard_slow_state state_nopage(struct slowpath *s) // SP-60
{
	const uint32_t endless = YARD_GFP_NOFAIL | YARD_GFP_DIRECT_RECLAIM;

	if (cookie_changed(s))
		return YARD_SLOW_INIT;
	if ((s->ctx->gfp & endless) != endless)
		return YARD_SLOW_FAIL;
	if (slow_attempt(s, ALLOC_MIN_RESERVE | ALLOC_CPUSET) || slow_attempt(s, ALLOC_MIN_RESERVE))
		return YARD_SLOW_DONE;
	if (!can_progress(s->yard)) {
		s->result->gave_up = true;
		return YARD_SLOW_FAIL;
	}
	yard_host_yield(&s->yard->host);
	return YARD_SLOW_RETRY;
}

static bool has_dma_memory(const struct yard *yard)
{
	for (unsigned node = 0; node < yard->nr_nodes; node++)
		if (zone_at(yard, node * YARD_ZONE_TYPES + YARD_ZONE_DMA)->managed)
			return true;
	return false;
}

static enum yard_slow_state state_fail(struct slowpath *s) // SP-66
{
	struct yard *yard = s->yard;
	const struct alloc_context *ctx = s->ctx;
	bool printed = !(ctx->gfp & YARD_GFP_NOWARN) && (!(ctx->gfp & YARD_GFP_DMA) || has_dma_memory(yard))
		       && may_print(&yard->warned_at, now_ns(yard));

	TRACE(yard, ALLOC_FAILURE, ctx->order, ctx->gfp, (int64_t)ctx->nodemask, (int64_t)ctx->cpuset, printed);
	return YARD_SLOW_DONE;
}

// ---- the table ----

typedef enum yard_slow_state slow_state(struct slowpath *s);

static slow_state *const unified[YARD_SLOW_DONE] = { // 2.2
	state_init, state_retry, state_reserves, state_noreclaim, state_recurse, state_warnstall, state_promote,
	state_reclaim, state_compact, state_first, state_loopgate, state_rretry, state_cretry, state_drop,
	state_preoom, state_oom, state_nopage, state_fail,
};

static slow_state *const split[YARD_SLOW_DONE] = { // 2.9: RESERVES is part of RETRY
	state_init_split, state_retry_split, NULL, state_noreclaim, state_recurse, state_warnstall, state_promote,
	state_reclaim, state_compact, state_first, state_loopgate, state_rretry, state_cretry, state_drop,
	state_preoom, state_oom, state_nopage, state_fail,
};

static uint32_t run(struct slowpath *s)
{
	slow_state *const *states = s->yard->policy.slowpath_flow == YARD_FLOW_SPLIT ? split : unified;
	enum yard_slow_state state = YARD_SLOW_INIT;

	while (state != YARD_SLOW_DONE) {
		enum yard_slow_state next = states[state](s);

		if (next != state + 1)
			WHY(s->yard, .kind = YARD_EVENT_WHY_RETRY, .order = s->ctx->order, .a = (int32_t)state,
			    .b = (int32_t)next, .c = (int32_t)s->result->rounds);
		state = next;
	}
	return s->pfn;
}

// Reclaim and compaction note their state in a task: one of the call's own where nobody else's runs.
uint32_t alloc_slowpath(struct yard *yard, struct alloc_context *ctx, enum yard_request_part part)
{
	struct yard_result unasked = { 0 };
	struct slowpath s = {
		.yard = yard, .ctx = ctx, .result = ctx->result ? ctx->result : &unasked, .part = part, .pfn = PFN_NONE,
		.may_retry_reserves = true, .start_ns = now_ns(yard),
	};
	struct yard_task own = { .flags = ctx->task }, *current = current_task(yard), *task = current ? current : &own;
	uint64_t reclaimed = task->reclaimed, migrated = task->migrated;
	uint32_t pfn;

	yard_set_current(yard, task);
	pfn = run(&s);
	yard_set_current(yard, current);
	s.result->reclaimed = task->reclaimed - reclaimed;
	s.result->migrated = task->migrated - migrated;
	return pfn;
}
