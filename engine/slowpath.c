// SPDX-License-Identifier: Apache-2.0
//
// What follows a failed fast attempt (spec 02 section 2.2), as far as it needs neither reclaim nor compaction: the slow
// attempt's flags, the wake-up of kswapd, the reserves, and every place where NOFRAGMENT is dropped. Reclaim and
// compaction begin where make_progress() is called; they are not written yet, so it makes none.

#include "engine/internal.h"

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
	if (ctx->task & YARD_TASK_INTERRUPT)
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
		wakeup_kswapd(yard, zone, ctx->gfp, order, highest);
	}
}

// SP-45: the order that reclaim and compaction work for.
static unsigned reclaim_order(const struct yard *yard, const struct alloc_context *ctx, unsigned flags)
{
	if (!yard->policy.promote_nonmovable || !(flags & ALLOC_NOFRAGMENT) || ctx->migratetype == YARD_MOVABLE)
		return ctx->order;
	return ctx->order < YARD_PAGEBLOCK_ORDER ? YARD_PAGEBLOCK_ORDER : ctx->order;
}

// States WARNSTALL to CRETRY. Not done: direct reclaim, direct compaction and the retry decisions. Tells for which
// order they would run and that nothing was gained.
static bool make_progress(struct yard *yard, const struct alloc_context *ctx, unsigned flags)
{
	WHY(yard, .kind = YARD_EVENT_WHY_SLOWPATH, .order = ctx->order, .migratetype = ctx->migratetype,
	    .a = (int32_t)flags, .b = (int32_t)reclaim_order(yard, ctx, flags));
	return false;
}

static bool may_reclaim(const struct alloc_context *ctx) // NORECLAIM, RECURSE
{
	return ctx->gfp & YARD_GFP_DIRECT_RECLAIM && !(ctx->task & YARD_TASK_MEMALLOC);
}

static bool drop_nofragment(const struct yard *yard, const struct alloc_context *ctx, unsigned flags)
{
	if (!yard->policy.defrag_mode || !(flags & ALLOC_NOFRAGMENT))
		return false;
	if (ctx->gfp & YARD_GFP_DIRECT_RECLAIM) // DROP: reached only by requests that may retry
		return !(ctx->gfp & YARD_GFP_NORETRY) && ctx->order <= YARD_COSTLY_ORDER;
	return yard->policy.nofrag_drop_nonreclaim && ctx->gfp & YARD_GFP_KSWAPD_RECLAIM; // SP-16
}

static uint32_t nofail_attempt(struct yard *yard, struct alloc_context *ctx) // SP-60
{
	uint32_t pfn;

	if (!(ctx->gfp & YARD_GFP_NOFAIL) || !(ctx->gfp & YARD_GFP_DIRECT_RECLAIM))
		return PFN_NONE;
	pfn = walk_zonelist(yard, ctx, ALLOC_MIN_RESERVE | ALLOC_CPUSET);
	return pfn != PFN_NONE ? pfn : walk_zonelist(yard, ctx, ALLOC_MIN_RESERVE);
}

uint32_t alloc_slowpath(struct yard *yard, struct alloc_context *ctx, enum yard_request_part part)
{
	unsigned flags = slow_flags(yard, ctx);
	bool may_reset = true;

	ctx->first = zonelist_first(yard, ctx->zonelist, ctx->highest_zone, ctx->nodemask);
	if (*ctx->first == ZONE_MIXED)
		return PFN_NONE;
	for (;;) {
		unsigned reserves;
		uint32_t pfn;

		if (flags & ALLOC_KSWAPD && part != YARD_REQUEST_FROM_WAKE)
			wake_all_kswapds(yard, ctx);
		if (part == YARD_REQUEST_UNTIL_WAKE)
			return PFN_NONE;
		part = YARD_REQUEST_WHOLE; // later rounds wake it themselves
		pfn = walk_zonelist(yard, ctx, flags);
		if (pfn != PFN_NONE)
			return pfn;
		reserves = reserve_flags(ctx);
		if (reserves)
			flags = gfp_cma_flags(ctx) | reserves | (flags & ALLOC_KSWAPD);
		if (!(flags & ALLOC_CPUSET) || reserves) { // SP-14
			ctx->nodemask = 0;
			ctx->first = zonelist_first(yard, ctx->zonelist, ctx->highest_zone, 0);
			if (may_reset) {
				may_reset = false;
				continue;
			}
		}
		if (may_reclaim(ctx) && make_progress(yard, ctx, flags))
			continue;
		if ((may_reclaim(ctx) || !(ctx->gfp & YARD_GFP_DIRECT_RECLAIM)) && drop_nofragment(yard, ctx, flags)) {
			flags &= ~(unsigned)ALLOC_NOFRAGMENT;
			continue;
		}
		return nofail_attempt(yard, ctx);
	}
}
