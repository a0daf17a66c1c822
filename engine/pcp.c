// SPDX-License-Identifier: Apache-2.0
//
// Per-CPU page sets (spec 01 section 8): a stack of frames per CPU, zone, order and type, in front of the buddy lists.
// Sizes tune themselves: allocations grow a set's high mark and its refills, frees shrink them again.
//
// A set's lock is only ever tried on the fast path. Whoever finds it held goes straight to the buddy lists. The limits
// of the sets are in pcp_limits.c, drains and timed work in pcp_drain.c.

#include "engine/mm.h"

// ---- allocation (8.3) ----

// P7: how many blocks to fetch, and what the set learns from running empty.
static int32_t refill_size(struct zone *zone, struct pcp *pcp, unsigned order)
{
	int32_t batch = pcp->batch, b;

	pcp->high = (int32_t)clamp64(pcp->high, pcp->high_min, pcp->high_max);
	if (pcp->high < batch)
		return 1;
	b = order ? batch : batch << pcp->alloc_factor;
	if (pcp->high_min != pcp->high_max && !(zone_flags(zone) & YARD_ZONE_BELOW_HIGH))
		pcp->high = (int32_t)min64((int64_t)pcp->high + b, pcp->high_max);
	if (!order) {
		int32_t limit = (int32_t)max64((int64_t)pcp->high - pcp_count(pcp) - batch, batch);

		if (b <= limit && pcp->alloc_factor < YARD_PCP_BATCH_SCALE_MAX)
			pcp->alloc_factor++;
		b = (int32_t)min64(b, limit);
	}
	if (b > 1)
		b = (int32_t)max64(b >> order, 2);
	return b;
}

static void push_block(struct yard *yard, struct list *list, uint32_t pfn, unsigned order, unsigned type, bool tail)
{
	frame_set_word(yard, pfn, make_word(YARD_FRAME_PCP, order, type));
	if (tail)
		list_add_tail(yard, list, pfn);
	else
		list_add_head(yard, list, pfn);
}

// P8: fresh blocks join the tail, so the first one fetched is handed out first. One mode for the whole batch (D17: a
// fresh one for each page).
static enum yard_path refill(struct yard *yard, struct zone *zone, struct pcp *pcp, struct alloc_context *ctx,
			     unsigned flags, int32_t blocks)
{
	unsigned order = ctx->order, type = ctx->migratetype;
	struct list *list = &pcp->lists[pcp_index(type, order)];
	enum rmqueue_mode mode = RMQUEUE_NORMAL;
	enum yard_path first = YARD_PATH_REFILL;
	int32_t got = 0;

	if (flags & ALLOC_NOLOCK) {
		if (!yard_zone_trylock(&yard->host, &zone->lock))
			return first;
	} else {
		yard_spin_lock(&zone->lock);
	}
	for (; got < blocks; got++) {
		enum yard_path path;
		uint32_t pfn;

		if (!yard->policy.rmqueue_mode_cache)
			mode = RMQUEUE_NORMAL;
		pfn = rmqueue_buddy_one(yard, zone, order, type, flags, &mode, &path);
		if (pfn == PFN_NONE)
			break;
		if (!got)
			first = path;
		push_block(yard, list, pfn, order, type, true);
	}
	yard_host_charge(&yard->host, YARD_COST_PCP_BATCH, 1);
	yard_host_charge(&yard->host, YARD_COST_PCP_PAGE, (uint64_t)got);
	yard_spin_unlock(&zone->lock);
	pcp_add_count(pcp, got << order);
	return first;
}

// The list that the request takes from is empty. The set's lock is held.
static RARE void pcp_refill(struct yard *yard, struct zone *zone, struct pcp *pcp, struct alloc_context *ctx,
			    unsigned flags)
{
	int32_t blocks = refill_size(zone, pcp, ctx->order);

	WHY(yard, .kind = YARD_EVENT_WHY_REFILL, .order = ctx->order, .migratetype = ctx->migratetype,
	    .zone = zone->id, .a = blocks, .b = pcp->high, .c = pcp->alloc_factor);
	if (!(flags & ALLOC_HIGHATOMIC))
		ctx->path = (uint8_t)refill(yard, zone, pcp, ctx, flags, blocks);
}

// The set's lock is held. PFN_NONE: neither the list nor the zone had one.
static HOT uint32_t pcp_take(struct yard *yard, struct zone *zone, struct pcp *pcp, struct alloc_context *ctx,
			     unsigned flags)
{
	struct list *list = &pcp->lists[pcp_index(ctx->migratetype, ctx->order)];
	uint32_t pfn = PFN_NONE;

	ctx->path = YARD_PATH_PCP;
	if (unlikely(list->head == PFN_NONE))
		pcp_refill(yard, zone, pcp, ctx, flags);
	if (likely(list->head != PFN_NONE)) {
		pfn = list_pop_head(yard, list);
		pcp_add_count(pcp, -(1 << ctx->order));
		frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, ctx->order, 0));
	}
	EMIT(yard, .kind = YARD_EVENT_TAKE, .pfn = pfn, .order = ctx->order, .migratetype = ctx->migratetype,
	     .zone = zone->id);
	return pfn;
}

uint32_t pcp_alloc(struct yard *yard, struct zone *zone, struct alloc_context *ctx, unsigned flags) // P6
{
	struct pcp *pcp = zone_pcp(zone, this_cpu(yard));
	uint32_t pfn;

	if (unlikely(!yard_pcp_trylock(&yard->host, &pcp->lock))) {
		WHY(yard, .kind = YARD_EVENT_WHY_PCP_BUSY, .zone = zone->id, .order = ctx->order);
		return PFN_NONE;
	}
	if (!ctx->bulk)
		pcp->free_count >>= 1;
	pfn = pcp_take(yard, zone, pcp, ctx, flags);
	if (likely(pfn != PFN_NONE)) {
		pcp->pgalloc += 1u << ctx->order;
		if (likely(zone->node == ctx->cpu_node && zone->node == zone_at(yard, *ctx->first)->node))
			pcp->numa_local_hit++;
		else
			count_numa_event(yard, ctx, zone);
	}
	yard_spin_unlock(&pcp->lock);
	return pfn;
}

// ---- freeing (8.4) ----

static void lower_high(struct pcp *pcp, int32_t by)
{
	pcp->high = (int32_t)max64((int64_t)pcp->high - by, pcp->high_min);
}

// P11: the mark that the count is held against, after the set has learnt from it.
static int32_t effective_high(const struct zone *zone, struct pcp *pcp, bool free_high)
{
	int32_t batch = pcp->batch, high, step = (int32_t)max64(pcp->free_count, batch);
	uint32_t flags = zone_flags(zone);

	pcp->high = high = (int32_t)clamp64(pcp->high, pcp->high_min, pcp->high_max);
	if (!high)
		return 0;
	if (unlikely(free_high)) {
		lower_high(pcp, batch << YARD_PCP_BATCH_SCALE_MAX);
		return 0;
	}
	if (flags & YARD_ZONE_RECLAIM_ACTIVE) {
		lower_high(pcp, step);
		return (int32_t)min64(4 * (int64_t)batch, pcp->high);
	}
	if (pcp->high_min == pcp->high_max)
		return high;
	if (flags & YARD_ZONE_BELOW_HIGH) {
		lower_high(pcp, step);
		return (int32_t)max64(pcp_count(pcp), pcp->high_min);
	}
	if (pcp_count(pcp) >= high) {
		int32_t need = pcp->free_count + batch;

		if (pcp->high < need)
			pcp->high = (int32_t)clamp64(need, pcp->high_min, pcp->high_max);
	}
	return high;
}

static int32_t pages_to_free(const struct pcp *pcp, int32_t high, bool free_high) // P12
{
	int32_t batch = pcp->batch;

	if (unlikely(free_high))
		return (int32_t)min64(pcp_count(pcp), (int64_t)batch << YARD_PCP_BATCH_SCALE_MAX);
	if (high < batch)
		return 1;
	return (int32_t)clamp64(pcp->free_count, batch, high - batch);
}

// P10.1: a run of high-order frees empties the set, so that they can merge.
static bool note_free_order(struct pcp *pcp, unsigned order)
{
	bool free_high = false;

	if (!order || order > YARD_COSTLY_ORDER) {
		pcp->flags &= (uint8_t)~PCP_PREV_FREE_HIGH_ORDER;
		return false;
	}
	if (pcp->free_count >= pcp->batch + pcp->high_min / 2 && pcp->flags & PCP_PREV_FREE_HIGH_ORDER)
		free_high = !(pcp->flags & PCP_FREE_HIGH_BATCH) || pcp_count(pcp) >= pcp->batch;
	pcp->flags |= PCP_PREV_FREE_HIGH_ORDER;
	return free_high;
}

// P10.5. Gives back whether the set's lock is still held: it is dropped between portions.
static bool drain_excess(struct yard *yard, struct zone *zone, struct pcp *pcp, int32_t to_free, unsigned index)
{
	unsigned cpu = this_cpu(yard);

	if (!yard->policy.drain_portions) { // D10
		pcp_drain(yard, zone, pcp, to_free, index);
		return true;
	}
	while (to_free > 0 && pcp_count(pcp) > 0) {
		int32_t portion = (int32_t)min64(to_free, pcp->batch);

		pcp_drain(yard, zone, pcp, portion, index);
		to_free -= portion;
		if (to_free <= 0 || !pcp_count(pcp))
			break;
		yard_spin_unlock(&pcp->lock);
		if (yard_drain_interrupted(&yard->host, zone->id, index, to_free))
			return false;
		if (this_cpu(yard) != cpu || !yard_pcp_trylock(&yard->host, &pcp->lock))
			return false;
	}
	return true;
}

static bool higher_node_has_memory(const struct yard *yard, unsigned node)
{
	while (++node < yard->nr_nodes)
		if (yard->nodes[node].has_memory)
			return true;
	return false;
}

static void leave_below_high(struct yard *yard, struct zone *zone) // P13
{
	if (!(zone_flags(zone) & YARD_ZONE_BELOW_HIGH))
		return;
	if (!watermark_ok(yard, zone, 0, zone_wmark(zone, WMARK_HIGH), YARD_ZONE_MOVABLE, 0,
			  zone_stat(zone, YARD_NR_FREE_PAGES)))
		return;
	zone_clear_flag(zone, YARD_ZONE_BELOW_HIGH);
	if (kswapd_hopeless(yard, zone->node) && higher_node_has_memory(yard, zone->node))
		kswapd_clear_hopeless(yard, zone->node, CLEAR_PCP); // K-15b
}

// The rest of a drain that a preempted task left (N1): its CPU runs it again. index YARD_PCP_LISTS: of a decay.
void pcp_resume_drain(struct yard *yard, unsigned id, unsigned index, int32_t to_free)
{
	struct zone *zone = zone_at(yard, id);
	struct pcp *pcp = zone_pcp(zone, this_cpu(yard));
	bool locked;

	if (index == YARD_PCP_LISTS) {
		pcp_drain_portions(yard, zone, this_cpu(yard), to_free);
		return;
	}
	locked = yard_pcp_trylock(&yard->host, &pcp->lock);
	if (locked)
		locked = drain_excess(yard, zone, pcp, to_free, index);
	leave_below_high(yard, zone);
	if (locked)
		yard_spin_unlock(&pcp->lock);
}

// The set holds too much. Gives back whether its lock is still held.
static RARE bool pcp_shrink(struct yard *yard, struct zone *zone, struct pcp *pcp, unsigned order, unsigned index,
			    int32_t high, bool free_high)
{
	int32_t to_free = pages_to_free(pcp, high, free_high);
	bool locked;

	WHY(yard, .kind = YARD_EVENT_WHY_PCP_HIGH, .zone = zone->id, .order = (uint8_t)order, .a = pcp_count(pcp),
	    .b = high, .c = to_free);
	locked = drain_excess(yard, zone, pcp, to_free, index);
	leave_below_high(yard, zone);
	return locked;
}

// P10 after the block is on its list. Drops the set's lock.
static HOT void pcp_free_finish(struct yard *yard, struct zone *zone, struct pcp *pcp, unsigned order, unsigned index)
{
	bool free_high = note_free_order(pcp, order), locked = true;
	int32_t high;

	if (pcp->free_count < pcp->batch << YARD_PCP_BATCH_SCALE_MAX)
		pcp->free_count = (int16_t)(pcp->free_count + (1 << order));
	high = effective_high(zone, pcp, free_high);
	if (unlikely(pcp_count(pcp) >= high))
		locked = pcp_shrink(yard, zone, pcp, order, index, high, free_high);
	if (locked)
		yard_spin_unlock(&pcp->lock);
}

// P10. False: the set is locked, the caller frees directly. NOLOCK: B14, P10.3.
bool pcp_free(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned list_type,
	      enum pcp_free_kind kind)
{
	struct pcp *pcp = zone_pcp(zone, this_cpu(yard));
	unsigned index = pcp_index(list_type, order);

	if (unlikely(!yard_pcp_trylock(&yard->host, &pcp->lock))) {
		WHY(yard, .kind = YARD_EVENT_WHY_PCP_BUSY, .zone = zone->id, .order = (uint8_t)order, .pfn = pfn);
		return false;
	}
	if (unlikely(kind == PCP_FREE_BATCHED))
		EMIT(yard, .kind = YARD_EVENT_PAGE_FREE_BATCHED, .pfn = pfn, .zone = zone->id);
	EMIT(yard, .kind = YARD_EVENT_PUT, .pfn = pfn, .order = (uint8_t)order, .migratetype = (uint8_t)list_type,
	     .zone = zone->id);
	pcp->alloc_factor >>= 1;
	pcp->pgfree += 1u << order;
	push_block(yard, &pcp->lists[index], pfn, order, list_type, false);
	pcp_add_count(pcp, 1 << order);
	if (unlikely(kind == PCP_FREE_NOLOCK)) {
		note_free_order(pcp, order);
		if (pcp->free_count < pcp->batch << YARD_PCP_BATCH_SCALE_MAX)
			pcp->free_count = (int16_t)(pcp->free_count + (1 << order));
		yard_spin_unlock(&pcp->lock);
		return true;
	}
	pcp_free_finish(yard, zone, pcp, order, index);
	return true;
}
