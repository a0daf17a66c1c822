// SPDX-License-Identifier: Apache-2.0
//
// Limits of the per-CPU page sets (spec 01 section 8.2), and sets that are turned off (P20).

#include "engine/internal.h"

static int32_t batch_of(const struct zone *zone) // P4
{
	uint64_t batch = (uint64_t)min64(zone->managed >> 12, 64);

	if (batch <= 1)
		return 1;
	batch += batch / 2;
	return (1 << (fls64(batch) - 1)) - 1;
}

static int32_t limit_of(const struct yard *yard, const struct zone *zone, uint64_t total, int32_t batch) // P5: lim()
{
	uint32_t cpus = yard->nodes[zone->node].nr_cpus + yard->cpus_coming;

	if (!cpus)
		cpus = yard->nr_online_cpus;
	return (int32_t)max64((int64_t)(total / cpus), 4 * (int64_t)batch);
}

void pcp_update_zone(struct yard *yard, struct zone *zone)
{
	int32_t batch = batch_of(zone), high_min, high_max;

	if (zone->pcp_disabled) { // P20
		batch = 1;
		high_min = high_max = 0;
	} else if (yard->percpu_pagelist_high_fraction) {
		high_min = limit_of(yard, zone, zone->managed / yard->percpu_pagelist_high_fraction, batch);
		high_max = high_min;
	} else {
		high_min = limit_of(yard, zone, zone_wmark(zone, WMARK_LOW), batch);
		high_max = limit_of(yard, zone, zone->managed / 8, batch);
	}
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++) {
		struct pcp *pcp = zone_pcp(zone, cpu);

		yard_spin_lock(&pcp->lock);
		pcp->batch = batch;
		pcp->high_min = high_min;
		pcp->high_max = high_max;
		pcp->flags &= (uint8_t)~PCP_FREE_HIGH_BATCH;
		if (yard->pcp_cache_pages > 3u * (uint32_t)batch)
			pcp->flags |= PCP_FREE_HIGH_BATCH;
		yard_spin_unlock(&pcp->lock);
	}
}

int yard_set_percpu_pagelist_high_fraction(struct yard *yard, uint32_t fraction)
{
	if (fraction && fraction < 8)
		return YARD_EINVAL;
	yard->percpu_pagelist_high_fraction = fraction;
	for (unsigned id = 0; id < yard->nr_zones; id++)
		if (zone_populated(zone_at(yard, id)))
			pcp_update_zone(yard, zone_at(yard, id));
	return YARD_OK;
}

int yard_pcp_disable(struct yard *yard, unsigned id, bool disable) // P20
{
	struct zone *zone;

	if (id >= yard->nr_zones || !zone_populated(zone_at(yard, id)))
		return YARD_ERANGE;
	zone = zone_at(yard, id);
	zone->pcp_disabled = disable;
	pcp_update_zone(yard, zone);
	if (disable)
		yard_drain_all(yard, (int)id);
	return YARD_OK;
}
