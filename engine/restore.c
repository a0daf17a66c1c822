// SPDX-License-Identifier: Apache-2.0
//
// Putting an instance into a recorded state (pageyard/restore.h).

#include "engine/mm.h"

int yard_restore_zone(struct yard *yard, unsigned id, const struct yard_zone_state *state)
{
	struct zone *zone;

	if (id >= yard->nr_zones || !zone_populated(zone_at(yard, id)))
		return YARD_ERANGE;
	zone = zone_at(yard, id);
	zone->managed = (uint32_t)state->managed;
	zone->cma_pages = (uint32_t)state->cma_pages;
	zone->boost = (uint32_t)state->boost;
	zone->flags = state->flags;
	zone->nr_reserved_highatomic = (uint32_t)state->nr_reserved_highatomic;
	zone->nr_free_highatomic = (uint32_t)state->nr_free_highatomic;
	zone->nr_isolate_pageblock = (uint32_t)state->nr_isolate_pageblock;
	zone->drift_mark = (uint32_t)state->drift_mark;
	zone->contiguous = state->contiguous;
	for (unsigned i = 0; i < YARD_NR_WMARKS; i++)
		zone->wmark[i] = (uint32_t)state->wmark[i];
	for (unsigned i = 0; i < YARD_ZONE_TYPES; i++)
		zone->lowmem_reserve[i] = (uint32_t)state->lowmem_reserve[i];
	for (unsigned i = 0; i < YARD_ZONE_STATS; i++)
		zone->stat[i] = state->stat[i];
	for (unsigned i = 0; i < YARD_NUMA_STATS; i++)
		zone->numa_base[i] = state->numa[i];
	return YARD_OK;
}

// What the set's arithmetic relies on: free_count, with a batch of PCP_BATCH_SCALE_MAX and one block more, fits 16 bits.
static bool pcp_state_ok(const struct yard_pcp_state *state)
{
	const int32_t batch_max = (INT16_MAX - YARD_PAGEBLOCK_NR_PAGES) >> YARD_PCP_BATCH_SCALE_MAX;

	return state->alloc_factor >= 0 && state->alloc_factor <= YARD_PCP_BATCH_SCALE_MAX
	       && state->batch >= 1 && state->batch <= batch_max
	       && state->free_count >= 0 && state->free_count <= INT16_MAX - YARD_PAGEBLOCK_NR_PAGES
	       && state->high >= 0 && state->high_min >= 0 && state->high_max >= 0
	       && state->expire >= 0 && state->expire <= (int32_t)UINT8_MAX;
}

int yard_restore_pcp(struct yard *yard, unsigned id, unsigned cpu, const struct yard_pcp_state *state)
{
	struct pcp *pcp;

	if (id >= yard->nr_zones || cpu >= yard->nr_cpus || !zone_populated(zone_at(yard, id)))
		return YARD_ERANGE;
	if (!pcp_state_ok(state))
		return YARD_EINVAL;
	pcp = zone_pcp(zone_at(yard, id), cpu);
	pcp->high = state->high;
	pcp->high_min = state->high_min;
	pcp->high_max = state->high_max;
	pcp->batch = state->batch;
	pcp->free_count = (int16_t)state->free_count;
	pcp->alloc_factor = (uint8_t)state->alloc_factor;
	pcp->flags = (uint8_t)state->flags;
	pcp->expire = (uint8_t)state->expire;
	pcp->stat_threshold = state->stat_threshold;
	for (unsigned i = 0; i < YARD_ZONE_STATS; i++)
		pcp->diff[i] = state->diff[i];
	return YARD_OK;
}

int yard_restore_pageblock(struct yard *yard, uint32_t pfn, unsigned bits)
{
	if (!in_yard(yard, pfn))
		return YARD_ERANGE;
	if ((bits & PB_TYPE) > YARD_CMA)
		return YARD_EINVAL;
	atomic_store_explicit(&pageblock_of(yard, pfn)->bits, (uint8_t)bits, memory_order_relaxed);
	return YARD_OK;
}

// The block is aligned, inside one zone, and nothing holds any of its frames.
static int check_vacant(const struct yard *yard, uint32_t pfn, unsigned order)
{
	const struct zone *zone = zone_of(yard, pfn);

	if (order > YARD_MAX_PAGE_ORDER || !zone || pfn & ((1u << order) - 1) || zone_of(yard, pfn + (1u << order) - 1) != zone)
		return YARD_ERANGE;
	for (uint32_t p = pfn; p < pfn + (1u << order); p++)
		if (yard_frame_state(yard, p, NULL, NULL) != YARD_FRAME_NONE)
			return YARD_EDOUBLEFREE;
	return YARD_OK;
}

int yard_restore_free(struct yard *yard, uint32_t pfn, unsigned order, unsigned migratetype)
{
	int error = check_vacant(yard, pfn, order);
	struct zone *zone;

	if (error)
		return error;
	if (migratetype >= YARD_MIGRATETYPES)
		return YARD_EINVAL;
	zone = zone_of(yard, pfn);
	frame_set_word(yard, pfn, make_word(YARD_FRAME_BUDDY, order, migratetype));
	list_add_tail(yard, &zone->free[order][migratetype], pfn);
	zone->nr_free[order]++;
	return YARD_OK;
}

int yard_restore_pcp_block(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned pindex)
{
	unsigned order = pcp_index_order(pindex);
	struct pcp *pcp;
	int error;

	if (cpu >= yard->nr_cpus || pindex >= YARD_PCP_LISTS)
		return YARD_ERANGE;
	error = check_vacant(yard, pfn, order);
	if (error)
		return error;
	pcp = zone_pcp(zone_of(yard, pfn), cpu);
	frame_set_word(yard, pfn, make_word(YARD_FRAME_PCP, order, pcp_index_type(pindex)));
	list_add_tail(yard, &pcp->lists[pindex], pfn);
	pcp_add_count(pcp, 1 << order);
	return YARD_OK;
}

int yard_restore_allocated(struct yard *yard, uint32_t pfn, uint32_t nr, bool lru)
{
	if (!in_yard(yard, pfn) || nr > yard->end_pfn - pfn)
		return YARD_ERANGE;
	for (uint32_t p = pfn; p < pfn + nr; p++) {
		if (!zone_of(yard, p))
			return YARD_ERANGE;
		if (yard_frame_state(yard, p, NULL, NULL) != YARD_FRAME_NONE)
			return YARD_EDOUBLEFREE;
	}
	for (uint32_t p = pfn; p < pfn + nr; p++) {
		frame_set_word(yard, p, make_word(YARD_FRAME_ALLOCATED, 0, 0));
		if (lru)
			yard_set_lru(yard, p, true);
	}
	return YARD_OK;
}

void yard_restore_mobility(struct yard *yard, bool disabled)
{
	yard->mobility_disabled = disabled;
}

int yard_restore_finish(struct yard *yard)
{
	for (unsigned id = 0; id < yard->nr_zones; id++)
		zone_at(yard, id)->unaccounted = zone_at(yard, id)->managed;
	for (uint32_t pfn = yard->start_pfn; pfn < yard->end_pfn;) {
		uint32_t word = frame_word(yard, pfn);
		unsigned order = word_order(word);

		if (word_state(word) == YARD_FRAME_NONE) {
			pfn++;
			continue;
		}
		zone_of(yard, pfn)->unaccounted -= 1 << order;
		pfn += 1u << order;
	}
	return YARD_OK;
}
