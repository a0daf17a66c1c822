// SPDX-License-Identifier: Apache-2.0
//
// Watermarks (spec 01 section 4): how they are computed, boosted and tested.

#include "engine/mm.h"

// W10
static int64_t unusable_free(const struct zone *zone, unsigned order, unsigned flags)
{
	int64_t unusable = (int64_t)(1u << order) - 1;

	if (!(flags & ALLOC_RESERVES))
		unusable += atomic_load_explicit(&zone->nr_free_highatomic, memory_order_relaxed);
	if (!(flags & ALLOC_CMA))
		unusable += zone_stat(zone, YARD_NR_FREE_CMA_PAGES);
	return unusable;
}

// W11.5: some list that the request may take from has a block that is large enough.
static bool has_suitable_block(const struct zone *zone, unsigned order, unsigned flags)
{
	for (unsigned o = order; o <= YARD_MAX_PAGE_ORDER; o++) {
		if (!zone_nr_free(zone, o))
			continue;
		for (unsigned type = 0; type < YARD_PCPTYPES; type++)
			if (!list_empty(&zone->free[o][type]))
				return true;
		if (flags & ALLOC_CMA && !list_empty(&zone->free[o][YARD_CMA]))
			return true;
		if (flags & (ALLOC_HIGHATOMIC | ALLOC_OOM) && !list_empty(&zone->free[o][YARD_HIGHATOMIC]))
			return true;
	}
	return false;
}

bool watermark_ok(struct yard *yard, const struct zone *zone, unsigned order, uint64_t mark, unsigned highest_zone,
		  unsigned flags, int64_t free) // W11
{
	int64_t m = (int64_t)mark, unusable = unusable_free(zone, order, flags);
	bool pass;

	if (flags & ALLOC_RESERVES) {
		if (flags & ALLOC_MIN_RESERVE) {
			m -= m / 2;
			if (flags & ALLOC_NON_BLOCK)
				m -= m / 4;
		}
		if (flags & ALLOC_OOM)
			m -= m / 2;
	}
	m += zone->lowmem_reserve[highest_zone];
	pass = free - unusable > m && (!order || has_suitable_block(zone, order, flags));
	WHY(yard, .kind = YARD_EVENT_WHY_WATERMARK, .order = (uint8_t)order, .zone = zone->id, .pfn = (uint32_t)free,
	    .a = (int32_t)m, .b = pass, .c = (int32_t)unusable);
	return pass;
}

bool watermark_fast(struct yard *yard, const struct zone *zone, unsigned order, uint64_t mark, unsigned highest_zone,
		    unsigned flags) // W12
{
	int64_t free = zone_stat(zone, YARD_NR_FREE_PAGES);

	if (likely(!order)) {
		int64_t usable = free - min64(free, unusable_free(zone, 0, flags));

		if (likely(usable > (int64_t)mark + zone->lowmem_reserve[highest_zone]))
			return true;
	}
	if (watermark_ok(yard, zone, order, mark, highest_zone, flags, free))
		return true;
	if (order || !(flags & ALLOC_MIN_RESERVE) || (flags & ALLOC_WMARK_MASK) != ALLOC_WMARK_MIN)
		return false;
	if (!atomic_load_explicit(&zone->boost, memory_order_relaxed))
		return false;
	return watermark_ok(yard, zone, order, zone->wmark[WMARK_MIN], highest_zone, flags, free);
}

// ---- boost (4.2) ----

void boost_watermark(struct yard *yard, struct zone *zone, unsigned flags) // W7, W8
{
	uint64_t cap;
	uint32_t boost = atomic_load_explicit(&zone->boost, memory_order_relaxed);

	if (!yard->watermark_boost_factor || (yard->crash_kernel && !yard->policy.boost_in_crash_kernel))
		return;
	if (4u * YARD_PAGEBLOCK_NR_PAGES > zone->managed)
		return;
	cap = mult_frac(zone->wmark[WMARK_HIGH], yard->watermark_boost_factor, 10000);
	if (!cap)
		return;
	cap = (uint64_t)max64((int64_t)cap, YARD_PAGEBLOCK_NR_PAGES);
	boost = (uint32_t)min64((int64_t)boost + YARD_PAGEBLOCK_NR_PAGES, (int64_t)cap);
	atomic_store_explicit(&zone->boost, boost, memory_order_relaxed);
	WHY(yard, .kind = YARD_EVENT_WHY_BOOST, .zone = zone->id, .a = (int32_t)boost, .b = (int32_t)cap);
	if (flags & ALLOC_KSWAPD)
		zone_set_flag(zone, YARD_ZONE_BOOSTED);
}

static bool balance_counts_blocks(const struct yard *yard, unsigned order)
{
	return yard->policy.defrag_mode && yard->policy.block_watermarks
	       && (order || !yard->policy.kswapd_order0_handoff);
}

// W13, KS-2
bool node_balanced(struct yard *yard, unsigned node, unsigned order, unsigned highest_zone)
{
	enum yard_zone_stat item = balance_counts_blocks(yard, order) ? YARD_NR_FREE_PAGES_BLOCKS : YARD_NR_FREE_PAGES;
	enum wmark mark = balance_mark(yard);
	bool any = false;

	for (unsigned type = 0; type <= highest_zone && type < YARD_ZONE_TYPES; type++) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);
		int64_t free;

		if (!zone->managed)
			continue;
		any = true;
		free = zone_stat(zone, item);
		if (yard->policy.drift_snapshot && zone->drift_mark && free < zone->drift_mark)
			free = zone_stat_snapshot(yard, zone, item);
		if (watermark_ok(yard, zone, order, zone_wmark(zone, mark), highest_zone, 0, free))
			return true;
	}
	return !any;
}

// ---- computation (4.1) ----

uint64_t node_managed_pages(const struct yard *yard, unsigned node)
{
	uint64_t pages = 0;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
		pages += zone_at(yard, node * YARD_ZONE_TYPES + type)->managed;
	return pages;
}

// Pages above the high watermarks in zones up to `highest` of the building CPU's fallback list, all nodes (W1, M10).
static uint64_t pages_above_high(const struct yard *yard, unsigned highest)
{
	uint64_t sum = 0;

	for (unsigned id = 0; id < yard->nr_zones; id++) {
		const struct zone *zone = zone_at(yard, id);
		uint64_t high = zone_wmark(zone, WMARK_HIGH);

		if (zone_populated(zone) && zone->type <= highest && zone->managed > high)
			sum += zone->managed - high;
	}
	return sum;
}

void update_mobility(struct yard *yard) // M10
{
	yard->mobility_disabled = pages_above_high(yard, YARD_ZONE_MOVABLE)
				  < (uint64_t)YARD_PAGEBLOCK_NR_PAGES * YARD_MIGRATETYPES;
}

static uint64_t isqrt(uint64_t x)
{
	uint64_t root = 0;

	for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= x)
			root += bit;
	return root;
}

static void compute_min_free(struct yard *yard) // W1, W2
{
	uint64_t lowmem = pages_above_high(yard, YARD_ZONE_NORMAL), zones = 0;
	int64_t kbytes = clamp64((int64_t)isqrt(16 * 4 * lowmem), 128, 262144);

	kbytes = max64(kbytes, yard->user_min_free_kbytes);
	if (yard->thp) {
		for (unsigned id = 0; id < yard->nr_zones; id++)
			zones += zone_populated(zone_at(yard, id)) && zone_at(yard, id)->type <= YARD_ZONE_NORMAL;
		// 2 pageblocks a zone, and 9 more for the 3 x 3 ways of mixing migratetypes: 5632 pages a zone.
		kbytes = max64(kbytes, 4 * min64((int64_t)(zones * YARD_PAGEBLOCK_NR_PAGES * (2 + 9)), (int64_t)(lowmem / 20)));
	}
	yard->min_free_kbytes = (uint64_t)kbytes;
}

static uint64_t lowmem_managed(const struct yard *yard)
{
	uint64_t sum = 0;

	for (unsigned id = 0; id < yard->nr_zones; id++)
		if (zone_at(yard, id)->type != YARD_ZONE_MOVABLE)
			sum += zone_at(yard, id)->managed;
	return sum;
}

static void setup_zone_wmarks(struct yard *yard, struct zone *zone, uint64_t lowmem) // W3
{
	uint64_t pages_min = yard->min_free_kbytes / 4;
	uint64_t share = lowmem ? pages_min * zone->managed / lowmem : 0, min = share, gap;

	if (zone->type == YARD_ZONE_MOVABLE)
		min = (uint64_t)clamp64(zone->managed / 1024, 32, 128);
	gap = (uint64_t)max64((int64_t)(share / 4), (int64_t)mult_frac(zone->managed, yard->watermark_scale_factor, 10000));
	yard_spin_lock(&zone->lock);
	atomic_store_explicit(&zone->boost, 0, memory_order_relaxed);
	for (unsigned mark = 0; mark < YARD_NR_WMARKS; mark++)
		zone->wmark[mark] = (uint32_t)(min + mark * gap);
	yard_spin_unlock(&zone->lock);
	EMIT(yard, .kind = YARD_EVENT_SETUP_PER_ZONE_WMARKS, .zone = zone->id, .pfn = zone->wmark[WMARK_MIN],
	     .a = (int32_t)zone->wmark[WMARK_LOW], .b = (int32_t)zone->wmark[WMARK_HIGH],
	     .c = (int32_t)zone->wmark[WMARK_PROMO]);
}

static void setup_lowmem_reserve(struct yard *yard) // W4
{
	for (unsigned id = 0; id < yard->nr_zones; id++) {
		struct zone *zone = zone_at(yard, id);
		uint64_t above = 0;

		if (zone->type == YARD_ZONE_DEVICE)
			continue;
		for (unsigned j = zone->type + 1u; j < YARD_ZONE_TYPES; j++) {
			uint32_t ratio = yard->lowmem_reserve_ratio[zone->type];

			above += zone_at(yard, zone->node * YARD_ZONE_TYPES + j)->managed;
			zone->lowmem_reserve[j] = ratio && zone->managed ? (uint32_t)(above / ratio) : 0;
			EMIT(yard, .kind = YARD_EVENT_LOWMEM_RESERVE, .zone = zone->id, .a = (int32_t)j,
			     .b = (int32_t)zone->lowmem_reserve[j]);
		}
	}
}

static void setup_totalreserve(struct yard *yard) // W5
{
	yard->totalreserve = 0;
	for (unsigned n = 0; n < yard->nr_nodes; n++)
		yard->nodes[n].totalreserve = 0;
	for (unsigned id = 0; id < yard->nr_zones; id++) {
		const struct zone *zone = zone_at(yard, id);
		uint64_t reserve = 0, pages;

		for (unsigned j = YARD_ZONE_TYPES; j-- > zone->type && !reserve;)
			reserve = zone->lowmem_reserve[j];
		pages = reserve + zone_wmark(zone, WMARK_HIGH);
		pages = (uint64_t)min64((int64_t)pages, zone->managed);
		yard->nodes[zone->node].totalreserve += pages;
		yard->totalreserve += pages;
	}
	EMIT(yard, .kind = YARD_EVENT_TOTALRESERVE, .a = (int32_t)yard->totalreserve);
}

void setup_per_zone_wmarks(struct yard *yard)
{
	uint64_t lowmem = lowmem_managed(yard);

	for (unsigned id = 0; id < yard->nr_zones; id++)
		setup_zone_wmarks(yard, zone_at(yard, id), lowmem);
	for (unsigned id = 0; id < yard->nr_zones; id++)
		if (zone_populated(zone_at(yard, id)))
			pcp_update_zone(yard, zone_at(yard, id));
	setup_totalreserve(yard);
}

void setup_watermarks(struct yard *yard)
{
	compute_min_free(yard);
	setup_lowmem_reserve(yard);
	setup_per_zone_wmarks(yard);
	refresh_stat_thresholds(yard);
}

int yard_set_min_free_kbytes(struct yard *yard, int64_t kbytes)
{
	if (kbytes < 0 || (uint64_t)kbytes / 4 > lowmem_managed(yard))
		return YARD_EINVAL;
	yard->user_min_free_kbytes = kbytes;
	yard->min_free_kbytes = (uint64_t)kbytes;
	setup_per_zone_wmarks(yard);
	refresh_stat_thresholds(yard);
	return YARD_OK;
}

int yard_set_watermark_scale_factor(struct yard *yard, uint32_t factor)
{
	if (factor < 1 || factor > 3000)
		return YARD_EINVAL;
	yard->watermark_scale_factor = factor;
	setup_per_zone_wmarks(yard);
	refresh_stat_thresholds(yard);
	return YARD_OK;
}
