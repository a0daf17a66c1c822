// SPDX-License-Identifier: Apache-2.0
//
// Pages that leave the per-CPU sets for the buddy lists (spec 01 P14), by timed work and on demand (8.5).

#include "engine/mm.h"

// P14. The set's lock is held. Returns how many pages left.
int32_t pcp_drain(struct yard *yard, struct zone *zone, struct pcp *pcp, int32_t count, unsigned start)
{
	int32_t left, asked = count;
	unsigned index = start;

	EMIT(yard, .kind = YARD_EVENT_BULK_DRAIN, .zone = zone->id, .a = asked, .b = (int32_t)start);
	count = left = (int32_t)min64(pcp_count(pcp), count);
	yard_spin_lock(&zone->lock);
	while (left > 0) {
		struct list *list = &pcp->lists[index];
		unsigned order = pcp_index_order(index);

		while (left > 0 && list->tail != PFN_NONE) {
			uint32_t pfn = list->tail;
			unsigned type = pageblock_type(yard, pfn); // B4: read now, not when the page was freed

			list_del(yard, list, pfn);
			if (list->tail != PFN_NONE)
				__builtin_prefetch(frame_at(yard, list->tail));
			frame_set_word(yard, pfn, 0);
			left -= 1 << order;
			free_one(yard, zone, pfn, order, type, FPI_NONE);
			yard_host_charge(&yard->host, YARD_COST_PCP_PAGE, 1);
			EMIT(yard, .kind = YARD_EVENT_PAGE_PCPU_DRAIN, .pfn = pfn, .order = (uint8_t)order,
			     .migratetype = (uint8_t)type, .zone = zone->id);
		}
		index = index + 1 < YARD_PCP_LISTS ? index + 1 : 0;
	}
	yard_host_charge(&yard->host, YARD_COST_PCP_BATCH, 1);
	yard_spin_unlock(&zone->lock);
	pcp_add_count(pcp, left - count);
	return count - left;
}

// ---- timed work and explicit drains (8.5) ----

// P15, step 2. The set's lock is free; it is held for one portion at a time.
void pcp_drain_portions(struct yard *yard, struct zone *zone, unsigned cpu, int32_t to_drain)
{
	struct pcp *pcp = zone_pcp(zone, cpu);

	while (to_drain > 0) {
		int32_t portion = yard->policy.drain_portions ? (int32_t)min64(to_drain, pcp->batch) : to_drain;

		yard_spin_lock(&pcp->lock);
		pcp_drain(yard, zone, pcp, portion, 0);
		yard_spin_unlock(&pcp->lock);
		to_drain -= portion;
		if (to_drain > 0 && yard_drain_interrupted(&yard->host, zone->id, YARD_PCP_LISTS, to_drain))
			return;
	}
}

bool pcp_decay(struct yard *yard, struct zone *zone, unsigned cpu) // P15
{
	struct pcp *pcp = zone_pcp(zone, cpu);
	bool changed = false;
	int32_t to_drain;

	yard_spin_lock(&pcp->lock);
	if (pcp->high > pcp->high_min) {
		int64_t floor = (int64_t)pcp_count(pcp) - ((int64_t)pcp->batch << YARD_PCP_BATCH_SCALE_MAX);

		pcp->high = (int32_t)max64(max64(floor, pcp->high - pcp->high / 8), pcp->high_min);
		changed = pcp->high > pcp->high_min;
	}
	to_drain = pcp_count(pcp) - pcp->high;
	yard_spin_unlock(&pcp->lock);
	pcp_drain_portions(yard, zone, cpu, to_drain);
	return changed || to_drain > 0;
}

// P16
static bool expire_remote(struct yard *yard, struct zone *zone, unsigned cpu)
{
	struct pcp *pcp = zone_pcp(zone, cpu);
	bool pending = false;

	yard_spin_lock(&pcp->lock);
	if (pcp->expire && pcp_count(pcp)) {
		if (zone->node == yard->cpu_node[cpu]) {
			pcp->expire = 0;
		} else if (--pcp->expire) {
			pending = true;
		} else {
			pcp_drain(yard, zone, pcp, (int32_t)min64(pcp_count(pcp), pcp->batch), 0);
			pending = true;
		}
	}
	yard_spin_unlock(&pcp->lock);
	return pending;
}

static bool fold_and_arm(struct zone *zone, unsigned cpu) // V4: a counter that changed arms the expiry (P16)
{
	struct pcp *pcp = zone_pcp(zone, cpu);
	bool folded;

	yard_spin_lock(&zone->lock);
	folded = fold_zone_diffs(zone, cpu);
	yard_spin_unlock(&zone->lock);
	if (!folded)
		return false;
	yard_spin_lock(&pcp->lock);
	pcp->expire = 3;
	yard_spin_unlock(&pcp->lock);
	return true;
}

bool yard_vmstat_update_zone(struct yard *yard, unsigned id, unsigned cpu) // V4
{
	struct zone *zone;
	bool folded, changed;
	unsigned previous;

	if (id >= yard->nr_zones || cpu >= yard->nr_cpus || !zone_populated(zone_at(yard, id)))
		return false;
	zone = zone_at(yard, id);
	previous = yard_host_enter_cpu(&yard->host, cpu);
	folded = fold_and_arm(zone, cpu);
	changed = pcp_decay(yard, zone, cpu);
	changed |= expire_remote(yard, zone, cpu);
	yard_host_enter_cpu(&yard->host, previous);
	return changed || folded;
}

bool yard_vmstat_update(struct yard *yard, unsigned cpu, bool idle_entry)
{
	bool changed = false;

	for (unsigned id = 0; id < yard->nr_zones && cpu < yard->nr_cpus; id++) {
		struct zone *zone = zone_at(yard, id);

		if (!zone_populated(zone))
			continue;
		if (!idle_entry) {
			changed |= yard_vmstat_update_zone(yard, id, cpu);
			continue;
		}
		changed |= fold_and_arm(zone, cpu);
	}
	return changed;
}

void pcp_drain_set(struct yard *yard, struct zone *zone, unsigned cpu) // P17
{
	struct pcp *pcp = zone_pcp(zone, cpu);

	for (;;) {
		int32_t count;

		yard_spin_lock(&pcp->lock);
		count = (int32_t)min64(pcp_count(pcp), (int64_t)pcp->batch << YARD_PCP_BATCH_SCALE_MAX);
		if (count)
			pcp_drain(yard, zone, pcp, count, 0);
		count = pcp_count(pcp);
		yard_spin_unlock(&pcp->lock);
		if (!count)
			break;
	}
}

void yard_drain_zone_cpu(struct yard *yard, unsigned zone, unsigned cpu)
{
	if (zone < yard->nr_zones && cpu < yard->nr_cpus && zone_populated(zone_at(yard, zone)))
		pcp_drain_set(yard, zone_at(yard, zone), cpu);
}

void yard_drain_all(struct yard *yard, int only) // P18: a second drain of everything would find nothing to do
{
	if (only >= 0)
		yard_spin_lock(&yard->drain_lock);
	else if (!yard_spin_trylock(&yard->drain_lock))
		return;
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++)
		for (unsigned id = 0; id < yard->nr_zones; id++) {
			struct zone *zone = zone_at(yard, id);

			if (only >= 0 && id != (unsigned)only)
				continue;
			if (zone_populated(zone) && pcp_count(zone_pcp(zone, cpu)))
				pcp_drain_set(yard, zone, cpu);
		}
	yard_spin_unlock(&yard->drain_lock);
}
