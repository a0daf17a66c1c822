// SPDX-License-Identifier: Apache-2.0
//
// What an instance tells of itself: zones, sets, frames, lists (spec 01 V6). Fragmentation: compact_suit.c.

#include "engine/list.h"

unsigned yard_nr_zones(const struct yard *yard)
{
	return yard->nr_zones;
}

unsigned yard_nr_cpus(const struct yard *yard)
{
	return yard->nr_cpus;
}

unsigned yard_nr_nodes(const struct yard *yard)
{
	return yard->nr_nodes;
}

void yard_frame_span(const struct yard *yard, uint32_t *start, uint32_t *end)
{
	*start = yard->start_pfn;
	*end = yard->end_pfn;
}

const struct yard_policy *yard_get_policy(const struct yard *yard)
{
	return &yard->policy;
}

static void sum_cpu_counters(struct yard *yard, struct zone *zone, struct yard_zone_state *state)
{
	for (unsigned item = 0; item < YARD_NUMA_STATS; item++)
		state->numa[item] = zone->numa_base[item];
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++) {
		struct pcp *pcp = zone_pcp(zone, cpu);

		yard_spin_lock(&pcp->lock);
		state->pgalloc += pcp->pgalloc;
		state->pgfree += pcp->pgfree;
		for (unsigned item = 0; item < YARD_NUMA_STATS && !yard->numa_stat_off; item++)
			state->numa[item] += numa_count(pcp, item);
		yard_spin_unlock(&pcp->lock);
	}
}

int yard_get_zone(struct yard *yard, unsigned id, struct yard_zone_state *state)
{
	struct zone *zone;

	if (id >= yard->nr_zones)
		return YARD_ERANGE;
	zone = zone_at(yard, id);
	*state = (struct yard_zone_state){
		.populated = zone_populated(zone), .contiguous = zone->contiguous, .start_pfn = zone->start_pfn,
		.spanned = zone->end_pfn - zone->start_pfn, .present = zone->present, .managed = zone->managed,
		.cma_pages = zone->cma_pages, .flags = zone_flags(zone),
		.boost = atomic_load_explicit(&zone->boost, memory_order_relaxed),
		.nr_free_highatomic = atomic_load_explicit(&zone->nr_free_highatomic, memory_order_relaxed),
	};
	sum_cpu_counters(yard, zone, state);
	yard_spin_lock(&zone->lock);
	state->pgfree += zone->deferred_pgfree;
	state->nr_reserved_highatomic = zone->nr_reserved_highatomic;
	state->nr_isolate_pageblock = zone->nr_isolate_pageblock;
	state->drift_mark = zone->drift_mark;
	for (unsigned i = 0; i < YARD_NR_WMARKS; i++)
		state->wmark[i] = zone->wmark[i];
	for (unsigned i = 0; i < YARD_ZONE_TYPES; i++)
		state->lowmem_reserve[i] = zone->lowmem_reserve[i];
	for (unsigned i = 0; i < YARD_ZONE_STATS; i++)
		state->stat[i] = atomic_load_explicit(&zone->stat[i], memory_order_relaxed);
	for (unsigned i = 0; i < YARD_NR_PAGE_ORDERS; i++)
		state->nr_free[i] = zone_nr_free(zone, i);
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++) {
		state->pgalloc += zone_pcp(zone, cpu)->direct_pgalloc;
		state->pgfree += zone_pcp(zone, cpu)->direct_pgfree;
	}
	yard_spin_unlock(&zone->lock);
	return YARD_OK;
}

int yard_get_pcp(struct yard *yard, unsigned id, unsigned cpu, struct yard_pcp_state *state)
{
	struct zone *zone;
	struct pcp *pcp;

	if (id >= yard->nr_zones || cpu >= yard->nr_cpus)
		return YARD_ERANGE;
	zone = zone_at(yard, id);
	pcp = zone_pcp(zone, cpu);
	yard_spin_lock(&pcp->lock);
	*state = (struct yard_pcp_state){
		.count = pcp_count(pcp), .high = pcp->high, .high_min = pcp->high_min, .high_max = pcp->high_max,
		.batch = pcp->batch, .free_count = pcp->free_count, .alloc_factor = pcp->alloc_factor,
		.flags = pcp->flags, .expire = pcp->expire,
	};
	yard_spin_unlock(&pcp->lock);
	yard_spin_lock(&zone->lock);
	state->stat_threshold = pcp->stat_threshold;
	for (unsigned i = 0; i < YARD_ZONE_STATS; i++)
		state->diff[i] = pcp->diff[i];
	yard_spin_unlock(&zone->lock);
	return YARD_OK;
}

enum yard_frame_state yard_frame_state(const struct yard *yard, uint32_t pfn, uint32_t *first, unsigned *order)
{
	for (unsigned o = 0; o <= YARD_MAX_PAGE_ORDER && in_yard(yard, pfn); o++) {
		uint32_t candidate = pfn & ~((1u << o) - 1), word = frame_word(yard, candidate);

		if (word_state(word) == YARD_FRAME_NONE || word_order(word) < o)
			continue;
		if (first)
			*first = candidate;
		if (order)
			*order = word_order(word);
		return word_state(word);
	}
	if (first)
		*first = pfn;
	if (order)
		*order = 0;
	return YARD_FRAME_NONE;
}

uint32_t yard_free_list_next(const struct yard *yard, unsigned zone, unsigned order, unsigned migratetype, uint32_t pfn)
{
	if (zone >= yard->nr_zones || order > YARD_MAX_PAGE_ORDER || migratetype >= YARD_MIGRATETYPES)
		return PFN_NONE;
	if (pfn == PFN_NONE)
		return zone_at(yard, zone)->free[order][migratetype].head;
	return in_yard(yard, pfn) ? frame_at(yard, pfn)->next : PFN_NONE;
}

uint32_t yard_pcp_list_next(const struct yard *yard, unsigned zone, unsigned cpu, unsigned pindex, uint32_t pfn)
{
	if (zone >= yard->nr_zones || cpu >= yard->nr_cpus || pindex >= YARD_PCP_LISTS)
		return PFN_NONE;
	if (pfn == PFN_NONE)
		return zone_pcp(zone_at(yard, zone), cpu)->lists[pindex].head;
	return in_yard(yard, pfn) ? frame_at(yard, pfn)->next : PFN_NONE;
}

void yard_set_owner(struct yard *yard, uint32_t pfn, uint32_t owner)
{
	if (in_yard(yard, pfn))
		__atomic_store_n(&frame_at(yard, pfn)->owner, owner, __ATOMIC_RELAXED);
}

uint32_t yard_get_owner(const struct yard *yard, uint32_t pfn)
{
	return in_yard(yard, pfn) ? __atomic_load_n(&frame_at(yard, pfn)->owner, __ATOMIC_RELAXED) : 0;
}
