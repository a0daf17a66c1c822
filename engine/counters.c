// SPDX-License-Identifier: Apache-2.0
//
// Zone counters with per-CPU differences (spec 01 section 12). A counter is folded into the zone only when a CPU's
// difference exceeds its threshold, and watermark tests read the folded part: near a watermark the drift decides.

#include "engine/internal.h"

enum { STAT_THRESHOLD_MAX = 125, STAT_THRESHOLD_SHIFT = 15 /* 128 MiB in pages */ };

static void add_stat(struct zone *zone, enum yard_zone_stat item, int64_t delta)
{
	int64_t value = atomic_load_explicit(&zone->stat[item], memory_order_relaxed);

	atomic_store_explicit(&zone->stat[item], value + delta, memory_order_relaxed);
}

static HOT void mod_stat(struct yard *yard, struct zone *zone, enum yard_zone_stat item, int64_t delta) // V3
{
	struct pcp *pcp;
	int64_t x;

	if (yard->exact_counters) {
		add_stat(zone, item, delta);
		return;
	}
	pcp = zone_pcp(zone, this_cpu(yard));
	x = delta + pcp->diff[item];
	if (x > pcp->stat_threshold || -x > pcp->stat_threshold) {
		add_stat(zone, item, x);
		x = 0;
	}
	pcp->diff[item] = (int32_t)x;
}

void zone_mod_stat(struct yard *yard, struct zone *zone, enum yard_zone_stat item, int64_t delta)
{
	mod_stat(yard, zone, item, delta);
}

void account_free_pages(struct yard *yard, struct zone *zone, int64_t pages, unsigned type) // B8
{
	if (type == YARD_ISOLATE)
		return;
	mod_stat(yard, zone, YARD_NR_FREE_PAGES, pages);
	if (type == YARD_CMA)
		mod_stat(yard, zone, YARD_NR_FREE_CMA_PAGES, pages);
	else if (type == YARD_HIGHATOMIC)
		atomic_store_explicit(&zone->nr_free_highatomic,
				      atomic_load_explicit(&zone->nr_free_highatomic, memory_order_relaxed) + (uint32_t)pages,
				      memory_order_relaxed);
}

bool fold_zone_diffs(struct zone *zone, unsigned cpu)
{
	struct pcp *pcp = zone_pcp(zone, cpu);
	bool changed = false;

	for (unsigned item = 0; item < YARD_ZONE_STATS; item++) {
		if (!pcp->diff[item])
			continue;
		add_stat(zone, (enum yard_zone_stat)item, pcp->diff[item]);
		pcp->diff[item] = 0;
		changed = true;
	}
	return changed;
}

int64_t zone_stat_snapshot(struct yard *yard, struct zone *zone, enum yard_zone_stat item)
{
	int64_t sum;

	yard_spin_lock(&zone->lock);
	sum = atomic_load_explicit(&zone->stat[item], memory_order_relaxed);
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++)
		sum += zone_pcp(zone, cpu)->diff[item];
	yard_spin_unlock(&zone->lock);
	return sum < 0 ? 0 : sum;
}

static uint32_t normal_threshold(const struct yard *yard, const struct zone *zone) // V3
{
	uint64_t threshold = 2 * (uint64_t)fls64(yard->nr_online_cpus) * (1 + fls64(zone->managed >> STAT_THRESHOLD_SHIFT));

	return (uint32_t)min64((int64_t)threshold, STAT_THRESHOLD_MAX);
}

static uint32_t pressure_threshold(const struct yard *yard, const struct zone *zone) // V3, kswapd awake
{
	uint32_t gap = zone->wmark[WMARK_LOW] - zone->wmark[WMARK_MIN];

	return (uint32_t)max64(1, min64(STAT_THRESHOLD_MAX, gap / yard->nr_online_cpus));
}

static void set_threshold(struct yard *yard, struct zone *zone, uint32_t threshold)
{
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++)
		zone_pcp(zone, cpu)->stat_threshold = (int32_t)threshold;
}

void refresh_stat_thresholds(struct yard *yard)
{
	for (unsigned id = 0; id < yard->nr_zones; id++) {
		struct zone *zone = zone_at(yard, id);
		uint32_t threshold;

		if (!zone_populated(zone))
			continue;
		threshold = normal_threshold(yard, zone);
		yard_spin_lock(&zone->lock);
		set_threshold(yard, zone, threshold);
		zone->drift_mark = 0; // V5
		if (yard->nr_online_cpus * threshold > zone->wmark[WMARK_LOW] - zone->wmark[WMARK_MIN])
			zone->drift_mark = (uint32_t)zone_wmark(zone, WMARK_HIGH) + yard->nr_online_cpus * threshold;
		yard_spin_unlock(&zone->lock);
	}
}

void yard_kswapd_pressure(struct yard *yard, unsigned node, bool pressure) // V3
{
	if (node >= yard->nr_nodes)
		return;
	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (!zone_populated(zone) || !zone->drift_mark)
			continue;
		yard_spin_lock(&zone->lock);
		set_threshold(yard, zone, pressure ? pressure_threshold(yard, zone) : normal_threshold(yard, zone));
		yard_spin_unlock(&zone->lock);
	}
}

// ---- NUMA events (V1, spec 05 C1 to C5) ----

static void drop_numa_counts(struct yard *yard, struct zone *zone, bool keep)
{
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++) {
		struct pcp *pcp = zone_pcp(zone, cpu);

		for (unsigned item = 0; item < YARD_NUMA_STATS && keep; item++)
			zone->numa_base[item] += numa_count(pcp, item);
		for (unsigned item = 0; item < YARD_NUMA_STATS; item++)
			atomic_store_explicit(&pcp->numa[item], 0, memory_order_relaxed);
		pcp->numa_local_hit = 0;
	}
}

// Off, the CPUs go on counting, which costs the hot path no test, but nobody sees it and it is dropped in the end.
void yard_set_numa_stat(struct yard *yard, bool on)
{
	if (on != yard->numa_stat_off)
		return;
	for (unsigned id = 0; id < yard->nr_zones; id++)
		drop_numa_counts(yard, zone_at(yard, id), !on);
	yard->numa_stat_off = !on;
}

static void count_atomic(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void count_interleave_hit(struct yard *yard, struct zone *zone)
{
	count_atomic(&zone_pcp(zone, this_cpu(yard))->numa[YARD_NUMA_INTERLEAVE_HIT]);
}

void count_numa_event(struct yard *yard, const struct alloc_context *ctx, struct zone *zone)
{
	struct zone *preferred = zone_at(yard, *ctx->first);
	unsigned cpu = this_cpu(yard);
	struct pcp *pcp = zone_pcp(zone, cpu);

	if (zone->node == preferred->node) {
		count_atomic(&pcp->numa[YARD_NUMA_HIT]);
	} else {
		count_atomic(&pcp->numa[YARD_NUMA_MISS]);
		count_atomic(&zone_pcp(preferred, cpu)->numa[YARD_NUMA_FOREIGN]);
	}
	count_atomic(&pcp->numa[zone->node == ctx->cpu_node ? YARD_NUMA_LOCAL : YARD_NUMA_OTHER]);
}
