// SPDX-License-Identifier: Apache-2.0
//
// Teacher forcing (pageyard/restore.h): the step that a recorded kernel made is made here as well, from wherever the
// frames are, so that one difference does not hide the next.

#include "engine/mm.h"

uint32_t yard_peek_smallest(const struct yard *yard, unsigned zone, unsigned order, unsigned migratetype)
{
	if (zone >= yard->nr_zones || migratetype >= YARD_MIGRATETYPES)
		return PFN_NONE;
	for (unsigned o = order; o <= YARD_MAX_PAGE_ORDER; o++)
		if (zone_at(yard, zone)->free[o][migratetype].head != PFN_NONE)
			return zone_at(yard, zone)->free[o][migratetype].head;
	return PFN_NONE;
}

uint32_t yard_peek_pcp(const struct yard *yard, unsigned zone, unsigned cpu, unsigned pindex)
{
	return yard_pcp_list_next(yard, zone, cpu, pindex, PFN_NONE);
}

uint32_t yard_peek_drain(const struct yard *yard, unsigned zone, unsigned cpu, unsigned pindex, unsigned *found)
{
	const struct pcp *pcp;

	if (zone >= yard->nr_zones || cpu >= yard->nr_cpus)
		return PFN_NONE;
	pcp = zone_pcp(zone_at(yard, zone), cpu);
	for (unsigned i = 0; i < YARD_PCP_LISTS; i++) {
		unsigned index = (pindex + i) % YARD_PCP_LISTS;

		if (pcp->lists[index].tail == PFN_NONE)
			continue;
		*found = index;
		return pcp->lists[index].tail;
	}
	return PFN_NONE;
}

// The free block that holds [pfn, pfn + 2^order) leaves its list; what it holds besides goes back, larger pieces
// first, as expanding around the frames would leave it. zone->lock held.
static void carve(struct yard *yard, struct zone *zone, uint32_t first, unsigned high, uint32_t pfn, unsigned order,
		  unsigned rest_type)
{
	unsigned type = word_type(frame_word(yard, first));

	del_free_block(yard, zone, first);
	account_free_pages(yard, zone, -(int64_t)(1u << high), type);
	while (high > order) {
		uint32_t half;

		high--;
		half = first + (1u << high);
		// The half without the frames stays free.
		if (pfn >= half) {
			put_free_block(yard, zone, first, high, rest_type);
			first = half;
		} else {
			put_free_block(yard, zone, half, high, rest_type);
		}
	}
	frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, order, 0));
}

enum yard_forced yard_force_remove(struct yard *yard, uint32_t pfn, unsigned order, unsigned migratetype)
{
	struct zone *zone = zone_of(yard, pfn);
	uint32_t first;
	unsigned high;

	if (!zone)
		return YARD_FORCED_REPAIRED;
	if (yard_peek_smallest(yard, zone->id, order, migratetype) == pfn) {
		yard_spin_lock(&zone->lock);
		take_smallest(yard, zone, order, migratetype);
		yard_spin_unlock(&zone->lock);
		return YARD_FORCED_AS_PREDICTED;
	}
	first = free_block_holding(yard, pfn, &high);
	if (first == PFN_NONE || high < order) {
		yard_force_allocated(yard, pfn, order);
		return YARD_FORCED_REPAIRED;
	}
	yard_spin_lock(&zone->lock);
	carve(yard, zone, first, high, pfn, order, word_type(frame_word(yard, first)));
	yard_spin_unlock(&zone->lock);
	return YARD_FORCED_ELSEWHERE;
}

enum yard_forced yard_force_fallback(struct yard *yard, uint32_t pfn, unsigned order, unsigned fallback_order,
				     unsigned migratetype, unsigned fallback_type, bool change_ownership)
{
	struct zone *zone = zone_of(yard, pfn);
	unsigned high, rest_type = fallback_type;
	uint32_t first = free_block_holding(yard, pfn, &high);
	bool predicted;

	if (!zone || first == PFN_NONE || high < order) {
		yard_force_allocated(yard, pfn, order);
		return YARD_FORCED_REPAIRED;
	}
	yard_spin_lock(&zone->lock);
	predicted = high == fallback_order && zone->free[high][fallback_type].head == first && first == pfn;
	if (change_ownership && fallback_order >= YARD_PAGEBLOCK_ORDER) {
		for (uint32_t p = first; p < first + (1u << high); p += YARD_PAGEBLOCK_NR_PAGES)
			set_pageblock_type(yard, p, migratetype);
		rest_type = migratetype;
	}
	carve(yard, zone, first, high, pfn, order, rest_type);
	yard_spin_unlock(&zone->lock);
	return predicted ? YARD_FORCED_AS_PREDICTED : YARD_FORCED_ELSEWHERE;
}

void yard_force_claim_block(struct yard *yard, uint32_t pfn, unsigned to)
{
	struct zone *zone = zone_of(yard, pfn);

	if (!zone)
		return;
	yard_spin_lock(&zone->lock);
	move_pageblock_free(yard, zone, pfn, to);
	set_pageblock_type(yard, pfn, to);
	yard_spin_unlock(&zone->lock);
}

// The set whose list `index` holds the block. Steps take from the ends, mostly of the set of `cpu`; else the list is
// followed to its head, by which it is known.
static struct pcp *set_holding(struct yard *yard, struct zone *zone, unsigned index, uint32_t pfn, unsigned cpu)
{
	struct pcp *pcp = zone_pcp(zone, cpu);

	if (pcp->lists[index].head == pfn || pcp->lists[index].tail == pfn)
		return pcp;
	while (frame_at(yard, pfn)->prev != PFN_NONE)
		pfn = frame_at(yard, pfn)->prev;
	for (cpu = 0; cpu < yard->nr_cpus; cpu++)
		if (zone_pcp(zone, cpu)->lists[index].head == pfn)
			return zone_pcp(zone, cpu);
	yard_panic("a frame in state PCP is on no list", pfn);
	return pcp;
}

// Takes a block off the per-CPU list that holds it; it becomes ALLOCATED.
static void leave_pcp(struct yard *yard, uint32_t pfn, unsigned cpu)
{
	struct zone *zone = zone_of(yard, pfn);
	uint32_t word = frame_word(yard, pfn);
	unsigned order = word_order(word), index = pcp_index(word_type(word), order);
	struct pcp *pcp = set_holding(yard, zone, index, pfn, cpu);

	list_del(yard, &pcp->lists[index], pfn);
	pcp_add_count(pcp, -(1 << order));
	frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, order, 0));
}

// Makes single allocated frames of whatever block holds pfn.
static void dissolve(struct yard *yard, uint32_t pfn)
{
	struct zone *zone = zone_of(yard, pfn);
	unsigned order;
	uint32_t first;

	switch (yard_frame_state(yard, pfn, &first, &order)) {
	case YARD_FRAME_BUDDY:
		yard_spin_lock(&zone->lock);
		carve(yard, zone, first, order, pfn, 0, word_type(frame_word(yard, first)));
		yard_spin_unlock(&zone->lock);
		return;
	case YARD_FRAME_PCP:
		leave_pcp(yard, first, this_cpu(yard));
		break;
	case YARD_FRAME_NONE:
		frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, 0, 0));
		return;
	case YARD_FRAME_ALLOCATED:
		yard_split(yard, first, order);
		return;
	default:
		break;
	}
	for (uint32_t p = first; p < first + (1u << order); p++)
		frame_set_word(yard, p, make_word(YARD_FRAME_ALLOCATED, 0, 0));
}

enum yard_forced yard_force_allocated(struct yard *yard, uint32_t pfn, unsigned order)
{
	bool lru;

	if (!in_yard(yard, pfn) || !zone_of(yard, pfn))
		return YARD_FORCED_REPAIRED;
	if (check_allocated(yard, pfn, order) == YARD_OK)
		return YARD_FORCED_AS_PREDICTED;
	for (uint32_t p = pfn; p < pfn + (1u << order); p++)
		dissolve(yard, p);
	lru = word_on_lru(frame_word(yard, pfn));
	for (uint32_t p = pfn; p < pfn + (1u << order); p++) {
		lru_remove(yard, p);
		frame_set_word(yard, p, 0);
	}
	frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, order, 0));
	if (lru)
		yard_set_lru(yard, pfn, true);
	return YARD_FORCED_REPAIRED;
}

enum yard_forced yard_force_pcp_add(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned order, unsigned migratetype,
				    bool tail)
{
	enum yard_forced forced = yard_force_allocated(yard, pfn, order);
	struct zone *zone = zone_of(yard, pfn);
	struct pcp *pcp;

	if (!zone)
		return YARD_FORCED_REPAIRED;
	pcp = zone_pcp(zone, cpu);
	lru_remove(yard, pfn);
	frame_set_word(yard, pfn, make_word(YARD_FRAME_PCP, order, migratetype));
	if (tail)
		list_add_tail(yard, &pcp->lists[pcp_index(migratetype, order)], pfn);
	else
		list_add_head(yard, &pcp->lists[pcp_index(migratetype, order)], pfn);
	pcp_add_count(pcp, 1 << order);
	return forced;
}

static bool on_pcp_list(const struct yard *yard, uint32_t pfn, unsigned order)
{
	uint32_t word = frame_word(yard, pfn);

	return word_state(word) == YARD_FRAME_PCP && word_order(word) == order;
}

enum yard_forced yard_force_pcp_take(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned order, unsigned migratetype)
{
	struct zone *zone = zone_of(yard, pfn);
	bool head;

	if (!zone || !on_pcp_list(yard, pfn, order)) {
		yard_force_allocated(yard, pfn, order);
		return YARD_FORCED_REPAIRED;
	}
	head = zone_pcp(zone, cpu)->lists[pcp_index(migratetype, order)].head == pfn;
	leave_pcp(yard, pfn, cpu);
	return head ? YARD_FORCED_AS_PREDICTED : YARD_FORCED_ELSEWHERE;
}

enum yard_forced yard_force_drain(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned order, unsigned migratetype)
{
	struct zone *zone = zone_of(yard, pfn);
	enum yard_forced forced = YARD_FORCED_ELSEWHERE;

	if (!zone)
		return YARD_FORCED_REPAIRED;
	if (on_pcp_list(yard, pfn, order)) {
		const struct pcp *pcp = zone_pcp(zone, cpu);
		uint32_t word = frame_word(yard, pfn);

		if (pcp->lists[pcp_index(word_type(word), order)].tail == pfn && pageblock_type(yard, pfn) == migratetype)
			forced = YARD_FORCED_AS_PREDICTED;
		leave_pcp(yard, pfn, cpu);
	} else {
		yard_force_allocated(yard, pfn, order);
		lru_remove(yard, pfn);
		forced = YARD_FORCED_REPAIRED;
	}
	yard_spin_lock(&zone->lock);
	frame_set_word(yard, pfn, 0);
	free_one(yard, zone, pfn, order, pageblock_type(yard, pfn), FPI_NONE);
	yard_spin_unlock(&zone->lock);
	return forced;
}

enum yard_forced yard_force_free_direct(struct yard *yard, uint32_t pfn, unsigned order)
{
	enum yard_forced forced = yard_force_allocated(yard, pfn, order);
	struct zone *zone = zone_of(yard, pfn);

	if (zone) {
		lru_remove(yard, pfn);
		free_direct(yard, zone, pfn, order, FPI_NONE);
	}
	return forced;
}

// Pages on LRU lists are linked through the frames.
static void adopt_lru(struct yard *to, const struct yard *from)
{
	for (unsigned node = 0; node < to->nr_nodes; node++) {
		to->mm[node].lruvec = from->mm[node].lruvec;
		for (unsigned item = 0; item < YARD_NODE_STATS; item++)
			to->mm[node].stat[item] = from->mm[node].stat[item];
	}
	for (unsigned cpu = 0; cpu < to->nr_cpus; cpu++) {
		__builtin_memcpy(to->batches[cpu].nr, from->batches[cpu].nr, sizeof(to->batches[cpu].nr));
		__builtin_memcpy(to->batches[cpu].pfn, from->batches[cpu].pfn, sizeof(to->batches[cpu].pfn));
	}
}

// What `from` was forced to becomes the state of `to`: frames, pageblocks, lists, counts and counters. What no step
// shows (how the sets tuned themselves, boosts, flags, event counts) stays as `to` has it.
int yard_adopt(struct yard *to, const struct yard *from)
{
	if (to->size != from->size || to->start_pfn != from->start_pfn || to->nr_cpus != from->nr_cpus)
		return YARD_EINVAL;
	__builtin_memcpy(to->frames, from->frames, (size_t)(to->end_pfn - to->start_pfn) * sizeof(*to->frames));
	__builtin_memcpy(to->pageblocks, from->pageblocks,
			 (size_t)((to->end_pfn - to->start_pfn) >> YARD_PAGEBLOCK_ORDER) * sizeof(*to->pageblocks));
	for (unsigned id = 0; id < to->nr_zones; id++) {
		struct zone *zone = zone_at(to, id);
		const struct zone *source = zone_at(from, id);

		__builtin_memcpy(zone->free, source->free, sizeof(zone->free));
		for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
			zone->nr_free[order] = source->nr_free[order];
		for (unsigned item = 0; item < YARD_ZONE_STATS; item++)
			zone->stat[item] = source->stat[item];
		zone->nr_free_highatomic = source->nr_free_highatomic;
		for (unsigned cpu = 0; cpu < to->nr_cpus; cpu++) {
			struct pcp *pcp = zone_pcp(zone, cpu);
			const struct pcp *source_pcp = zone_pcp(source, cpu);

			__builtin_memcpy(pcp->lists, source_pcp->lists, sizeof(pcp->lists));
			pcp->count = source_pcp->count;
			__builtin_memcpy(pcp->diff, source_pcp->diff, sizeof(pcp->diff));
		}
	}
	adopt_lru(to, from);
	return YARD_OK;
}
