// SPDX-License-Identifier: Apache-2.0
//
// One pass of reclaim over a node (spec 04 sections 2.4 and 2.8): turns through its LRU lists, then the shrinkers, then
// what the pass found says whether to throttle and whether to go on. The multi-gen LRU has a pass of its own (G-12).
//
// There is one lruvec a node (A-8b): the rules about groups are not here.

#include "engine/mm.h"

// One turn of a list. Pages reclaimed.
static uint64_t shrink_list(struct yard *yard, unsigned node, struct scan_control *sc, uint64_t nr,
			    enum yard_lru_list list)
{
	bool active = list == YARD_LRU_ACTIVE_ANON || list == YARD_LRU_ACTIVE_FILE;

	if (!active)
		return shrink_inactive(yard, node, sc, nr, list);
	if (sc->may_deactivate[list == YARD_LRU_ACTIVE_FILE ? FILE_LRU : ANON])
		shrink_active(yard, node, sc, nr, list);
	else
		sc->skipped_deactivate = true;
	return 0;
}

// C-3.2a
static uint64_t turn(struct yard *yard, unsigned node, struct scan_control *sc, uint64_t nr[YARD_LRU_UNEVICTABLE])
{
	uint64_t reclaimed = 0;

	for (unsigned list = 0; list < YARD_LRU_UNEVICTABLE; list++) {
		uint64_t n = nr[list] < CLUSTER_MAX ? nr[list] : CLUSTER_MAX;

		nr[list] -= n;
		if (n)
			reclaimed += shrink_list(yard, node, sc, n, (enum yard_lru_list)list);
	}
	return reclaimed;
}

static void shrink_lruvec(struct yard *yard, unsigned node, struct scan_control *sc) // C-3
{
	bool proportional = !sc->of_group && sc->role != ROLE_KSWAPD && sc->priority == DEF_PRIORITY;
	uint64_t nr[YARD_LRU_UNEVICTABLE], targets[YARD_LRU_UNEVICTABLE], reclaimed = 0;

	scan_targets(yard, node, sc, nr);
	__builtin_memcpy(targets, nr, sizeof(targets));
	while (nr[YARD_LRU_INACTIVE_ANON] || nr[YARD_LRU_ACTIVE_FILE] || nr[YARD_LRU_INACTIVE_FILE]) {
		reclaimed += turn(yard, node, sc, nr);
		yard_host_yield(&yard->host);
		if (reclaimed < sc->nr_to_reclaim || proportional)
			continue;
		if (!stop_smaller_side(nr, targets))
			break;
		proportional = true; // what is left of the larger side is its share: worked off
	}
	sc->nr_reclaimed += reclaimed;
	if ((yard->total_swap_pages || can_demote(yard, node, sc)) && inactive_is_low(yard, node, ANON))
		shrink_active(yard, node, sc, CLUSTER_MAX, YARD_LRU_ACTIVE_ANON);
}

// ---- C-10 ----

static void set_node_flag(struct yard *yard, unsigned node, enum node_flags flag)
{
	atomic_fetch_or_explicit(&yard->mm[node].flags, flag, memory_order_relaxed);
}

static void throttle_by_findings(struct yard *yard, unsigned node, const struct scan_control *sc) // C-10.4 to C-10.6
{
	bool congested = sc->nr.dirty && sc->nr.dirty == sc->nr.congested;

	if (sc->role != ROLE_KSWAPD) {
		if (atomic_load_explicit(&yard->mm[node].flags, memory_order_relaxed) & NODE_CONGESTED)
			reclaim_throttle(yard, node, YARD_QUEUE_CONGESTED);
		return;
	}
	if (sc->nr.writeback && sc->nr.writeback == sc->nr.taken)
		set_node_flag(yard, node, NODE_WRITEBACK);
	if (congested)
		set_node_flag(yard, node, NODE_CONGESTED);
	if (sc->nr.immediate)
		reclaim_throttle(yard, node, YARD_QUEUE_WRITEBACK);
}

static bool zone_fit(struct yard *yard, const struct zone *zone, const struct scan_control *sc) // C-13
{
	uint64_t mark = zone_wmark(zone, WMARK_MIN);

	return watermark_ok(yard, zone, sc->order, mark, sc->highest_zone, 0, zone_stat(zone, YARD_NR_FREE_PAGES))
	       || compaction_suitable(yard, zone, sc->order, mark, sc->highest_zone);
}

// C-13, SP-35. `reclaimed`: in this round.
static bool should_continue(struct yard *yard, unsigned node, const struct scan_control *sc, uint64_t reclaimed)
{
	uint64_t inactive = (uint64_t)node_stat(yard, node, YARD_NODE_INACTIVE_FILE);

	if (!can_compact(yard, sc->gfp) || !sc->order || !reclaimed)
		return false;
	if (sc->order <= YARD_COSTLY_ORDER && sc->priority >= DEF_PRIORITY - 2)
		return false;
	for (unsigned type = 0; type <= sc->highest_zone; type++) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone->managed && zone_fit(yard, zone, sc))
			return false;
	}
	if (can_reclaim_anon(yard, node, sc))
		inactive += (uint64_t)node_stat(yard, node, YARD_NODE_INACTIVE_ANON);
	return inactive > compact_gap(yard, sc->order);
}

// One round. Pages reclaimed.
static uint64_t shrink_once(struct yard *yard, unsigned node, struct scan_control *sc)
{
	uint64_t before = sc->nr_reclaimed;

	sc->nr = (struct scan_stat){ .dirty = 0 };
	if (yard->owner.release) {
		prepare_scan(yard, node, sc);
		shrink_lruvec(yard, node, sc);
	}
	sc->nr_reclaimed += node_shrink_slab(yard, node, sc);
	throttle_by_findings(yard, node, sc);
	return sc->nr_reclaimed - before;
}

void shrink_node(struct yard *yard, unsigned node, struct scan_control *sc)
{
	uint64_t round;
	bool any = false;

	if (lru_gen_on(yard)) {
		gen_shrink_node(yard, node, sc);
		return;
	}
	do {
		round = shrink_once(yard, node, sc);
		any |= round;
	} while (should_continue(yard, node, sc, round));
	if (any)
		kswapd_try_clear_hopeless(yard, node, sc); // K-15a
	else if (sc->cache_trim_mode)
		sc->cache_trim_mode_failed = true;
}
