// SPDX-License-Identifier: Apache-2.0
//
// The walk over a zonelist (spec 01 section 7), called get_page_from_freelist in Linux: which zone serves a request.

#include "engine/mm.h"

struct walk {
	struct yard *yard;
	struct alloc_context *ctx;
	unsigned flags;	   // local to the walk: NOFRAGMENT may disappear
	bool nofragment;   // as it was when this pass started
	bool skip_kswapd;  // A6
	bool skipped;	   // A6: some node was left out
	int dirty_node;	   // A4: the last node that was asked, and its answer
	bool dirty_node_ok;
};

enum verdict { ZONE_SKIP, ZONE_TRY, WALK_RESTART };

static void why_skipped(struct walk *walk, const struct zone *zone, enum yard_skip reason)
{
	WHY(walk->yard, .kind = YARD_EVENT_WHY_ZONE_SKIPPED, .zone = zone->id, .order = walk->ctx->order,
	    .a = (int32_t)reason);
}

static void count_dirty(struct yard *yard, unsigned node, uint64_t *dirty, uint64_t *file_lru)
{
	if (yard->owner.node_dirty) {
		yard->owner.node_dirty(yard->owner.context, node, dirty, file_lru);
		return;
	}
	*dirty = (uint64_t)(node_stat(yard, node, YARD_NODE_FILE_DIRTY) + node_stat(yard, node, YARD_NODE_WRITEBACK));
	*file_lru = (uint64_t)(node_stat(yard, node, YARD_NODE_INACTIVE_FILE) + node_stat(yard, node, YARD_NODE_ACTIVE_FILE));
}

static bool node_dirty_ok(struct walk *walk, const struct zone *zone) // A4
{
	struct yard *yard = walk->yard;
	uint64_t dirty = 0, file_lru = 0, dirtyable = 0, limit, reserve;

	if (walk->dirty_node == zone->node)
		return walk->dirty_node_ok;
	count_dirty(yard, zone->node, &dirty, &file_lru);
	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
		dirtyable += (uint64_t)zone_stat(zone_at(yard, zone->node * YARD_ZONE_TYPES + type), YARD_NR_FREE_PAGES);
	reserve = yard->nodes[zone->node].totalreserve;
	dirtyable = dirtyable - (uint64_t)min64((int64_t)dirtyable, (int64_t)reserve) + file_lru;
	limit = yard->dirty_ratio * dirtyable / 100;
	if (walk->ctx->task & YARD_TASK_REALTIME)
		limit += limit / 4;
	walk->dirty_node = zone->node;
	walk->dirty_node_ok = dirty <= limit;
	return walk->dirty_node_ok;
}

// A8c-e: true if reclaim on the zone's node made room.
static bool node_reclaimed(struct walk *walk, struct zone *zone, uint64_t mark)
{
	struct yard *yard = walk->yard;
	const struct alloc_context *ctx = walk->ctx;
	const struct zone *preferred = zone_at(yard, *ctx->first);
	const struct early_mark early = { zone, mark, ctx->highest_zone, walk->flags };
	int64_t reclaimed;

	if (!(yard->zone_reclaim_mode & NODE_RECLAIM_MODES) || (!yard->owner.node_reclaim && !can_reclaim(yard)))
		return false;
	if (yard->distance[preferred->node * yard->nr_nodes + zone->node] > yard->node_reclaim_distance)
		return false;
	if (!(ctx->gfp & YARD_GFP_DIRECT_RECLAIM) || ctx->task & YARD_TASK_MEMALLOC) // A15, N-4
		return false;
	if (yard->nodes[zone->node].nr_cpus && zone->node != ctx->cpu_node)
		return false;
	if (yard->owner.node_reclaim)
		reclaimed = (int64_t)yard->owner.node_reclaim(yard->owner.context, zone->node, ctx->gfp, ctx->order);
	else
		reclaimed = node_reclaim_try(yard, zone->node, ctx->gfp, ctx->order, &early);
	if (reclaimed == NODE_RECLAIM_PASSED)
		return true;
	if (reclaimed == NODE_RECLAIM_SKIPPED
	    || (!reclaimed && yard->policy.node_reclaim_retest == YARD_RETEST_IF_RECLAIMED)) // D3, V-2
		return false;
	if (watermark_ok(yard, zone, ctx->order, mark, ctx->highest_zone, walk->flags, zone_stat(zone, YARD_NR_FREE_PAGES)))
		return true;
	why_skipped(walk, zone, YARD_SKIP_NODE_RECLAIM);
	return false;
}

// M18: more of a zone that is not all released yet. Growing takes locks, which a NOLOCK request must not wait for.
static RARE bool zone_grew(struct walk *walk, struct zone *zone)
{
	return !(walk->flags & ALLOC_NOLOCK) && grow_zone(walk->yard, zone);
}

// A7, A8
static bool watermark_allows(struct walk *walk, struct zone *zone)
{
	struct yard *yard = walk->yard;
	const struct alloc_context *ctx = walk->ctx;
	uint64_t mark;

	if (!(zone_flags(zone) & YARD_ZONE_BELOW_HIGH)) {
		mark = zone_wmark(zone, WMARK_HIGH);
		if (likely(watermark_fast(yard, zone, ctx->order, mark, ctx->highest_zone, walk->flags)))
			return true;
		zone_set_flag(zone, YARD_ZONE_BELOW_HIGH);
	}
	mark = zone_wmark(zone, (enum wmark)(walk->flags & ALLOC_WMARK_MASK));
	if (watermark_fast(yard, zone, ctx->order, mark, ctx->highest_zone, walk->flags))
		return true;
	if (zone_grew(walk, zone)) // A8a
		return true;
	if (walk->flags & ALLOC_NO_WATERMARKS)
		return true;
	if (node_reclaimed(walk, zone, mark))
		return true;
	why_skipped(walk, zone, YARD_SKIP_WATERMARK);
	return false;
}

// A3 to A9
static enum verdict judge_zone(struct walk *walk, struct zone *zone)
{
	struct yard *yard = walk->yard;
	const struct zone *preferred = zone_at(yard, *walk->ctx->first);

	if (!zone_cpuset_allowed(walk->ctx, zone, walk->flags)) {
		why_skipped(walk, zone, YARD_SKIP_CPUSET);
		return ZONE_SKIP;
	}
	if (walk->ctx->dirty_spread && !node_dirty_ok(walk, zone)) {
		why_skipped(walk, zone, YARD_SKIP_DIRTY);
		return ZONE_SKIP;
	}
	if (walk->nofragment && !yard->policy.defrag_mode && yard->nr_nodes > 1 && zone != preferred
	    && zone->node != preferred->node)
		return WALK_RESTART; // A5: locality beats fragmentation avoidance
	if (walk->skip_kswapd && atomic_load_explicit(&yard->nodes[zone->node].kswapd_awake, memory_order_relaxed)) {
		walk->skipped = true;
		why_skipped(walk, zone, YARD_SKIP_KSWAPD_ACTIVE);
		return ZONE_SKIP;
	}
	return watermark_allows(walk, zone) ? ZONE_TRY : ZONE_SKIP;
}

// R3
static uint32_t rmqueue_direct(struct walk *walk, struct zone *zone)
{
	struct yard *yard = walk->yard;
	struct alloc_context *ctx = walk->ctx;
	enum rmqueue_mode mode = RMQUEUE_NORMAL;
	enum yard_path path = YARD_PATH_DIRECT;
	uint32_t pfn = PFN_NONE;

	if (walk->flags & ALLOC_NOLOCK) {
		if (!yard_zone_trylock(&yard->host, &zone->lock))
			return PFN_NONE;
	} else {
		yard_spin_lock(&zone->lock);
	}
	if (walk->flags & ALLOC_HIGHATOMIC)
		pfn = take_smallest(yard, zone, ctx->order, YARD_HIGHATOMIC);
	if (pfn == PFN_NONE) {
		pfn = rmqueue_buddy_one(yard, zone, ctx->order, ctx->migratetype, walk->flags, &mode, &path);
		if (path == YARD_PATH_REFILL)
			path = YARD_PATH_DIRECT;
	}
	if (pfn == PFN_NONE && walk->flags & (ALLOC_OOM | ALLOC_NON_BLOCK))
		pfn = take_smallest(yard, zone, ctx->order, YARD_HIGHATOMIC);
	if (pfn != PFN_NONE)
		zone_pcp(zone, this_cpu(yard))->direct_pgalloc += 1u << ctx->order;
	yard_host_charge(&yard->host, YARD_COST_ZONE_LOCKED, 1);
	yard_spin_unlock(&zone->lock);
	if (pfn == PFN_NONE)
		return PFN_NONE;
	ctx->path = (uint8_t)path;
	if (walk->flags & ALLOC_HIGHATOMIC
	    && ((walk->flags & ALLOC_WMARK_MASK) == ALLOC_WMARK_MIN || !yard->policy.highatomic_reserve_min))
		reserve_highatomic(yard, zone, pfn, ctx->order);
	count_numa_event(yard, ctx, zone);
	return pfn;
}

static uint32_t rmqueue(struct walk *walk, struct zone *zone) // R1, R2
{
	struct yard *yard = walk->yard;
	struct alloc_context *ctx = walk->ctx;
	uint32_t pfn = PFN_NONE;

	if (likely(pcp_allowed_order(ctx->order)))
		pfn = pcp_alloc(yard, zone, ctx, walk->flags);
	if (unlikely(pfn == PFN_NONE))
		pfn = rmqueue_direct(walk, zone);
	if (unlikely(walk->flags & ALLOC_KSWAPD && zone_flags(zone) & YARD_ZONE_BOOSTED)) {
		zone_clear_flag(zone, YARD_ZONE_BOOSTED);
		wakeup_kswapd(yard, zone, 0, 0, zone->type);
	}
	return pfn;
}

// One pass from the preferred zone on. PFN_NONE with *restart set: NOFRAGMENT was dropped, walk again.
static uint32_t walk_pass(struct walk *walk, bool *restart)
{
	struct alloc_context *ctx = walk->ctx;

	*restart = false;
	for (const uint8_t *entry = ctx->first; *entry != ZONE_MIXED; entry++) {
		struct zone *zone = zone_at(walk->yard, *entry);
		enum verdict verdict;
		uint32_t pfn;

		if (!zone_eligible(zone, ctx->highest_zone, ctx->nodemask))
			continue;
		verdict = judge_zone(walk, zone);
		if (unlikely(verdict == WALK_RESTART)) {
			walk->flags &= ~(unsigned)ALLOC_NOFRAGMENT;
			*restart = true;
			return PFN_NONE;
		}
		if (verdict == ZONE_SKIP) {
			yard_host_charge(&walk->yard->host, YARD_COST_ZONE_CHECK, 1);
			continue;
		}
		do // A10
			pfn = rmqueue(walk, zone);
		while (unlikely(pfn == PFN_NONE) && zone_grew(walk, zone));
		if (likely(pfn != PFN_NONE)) {
			ctx->zone = zone->id;
			ctx->pfmemalloc = walk->flags & ALLOC_NO_WATERMARKS;
			return pfn;
		}
		yard_host_charge(&walk->yard->host, YARD_COST_ZONE_CHECK, 1);
		why_skipped(walk, zone, YARD_SKIP_NO_PAGE);
	}
	return PFN_NONE;
}

uint32_t walk_zonelist(struct yard *yard, struct alloc_context *ctx, unsigned flags)
{
	struct walk walk = {
		.yard = yard, .ctx = ctx, .flags = flags, .dirty_node = -1,
		.skip_kswapd = yard->nr_nodes > 1 && yard->policy.skip_kswapd_nodes,
	};

	ctx->attempts++;
	WHY(yard, .kind = YARD_EVENT_WHY_ATTEMPT, .order = ctx->order, .migratetype = ctx->migratetype,
	    .a = (int32_t)flags, .b = ctx->highest_zone);
	if (unlikely(*ctx->first == ZONE_MIXED))
		return PFN_NONE;
	for (;;) {
		bool restart;
		uint32_t pfn;

		walk.nofragment = walk.flags & ALLOC_NOFRAGMENT;
		pfn = walk_pass(&walk, &restart);
		if (likely(pfn != PFN_NONE))
			return pfn;
		if (restart) {
			WHY(yard, .kind = YARD_EVENT_WHY_RESTART, .order = ctx->order, .a = 0);
			continue;
		}
		if (walk.skip_kswapd && walk.skipped) { // A11
			walk.skip_kswapd = false;
			WHY(yard, .kind = YARD_EVENT_WHY_RESTART, .order = ctx->order, .a = 1);
			continue;
		}
		if (!walk.nofragment || yard->policy.defrag_mode) // A12
			return PFN_NONE;
		walk.flags &= ~(unsigned)ALLOC_NOFRAGMENT;
		WHY(yard, .kind = YARD_EVENT_WHY_RESTART, .order = ctx->order, .a = 0);
	}
}
