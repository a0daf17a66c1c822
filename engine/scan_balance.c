// SPDX-License-Identifier: Apache-2.0
//
// What a pass over a node's LRU lists aims at (spec 04 sections 2.2 and 2.3): the costs of reclaiming either kind of
// page, which active lists may be shrunk, and how many pages of each list are to be scanned.

#include "engine/mm.h"

enum { SWAP_COST = CLUSTER_MAX }; // C-2.1: one I/O against one rotation

static uint64_t list_pages(const struct yard *yard, unsigned node, unsigned list) // in all zones
{
	return (uint64_t)node_stat(yard, node, (enum yard_node_stat)(YARD_NODE_INACTIVE_ANON + list));
}

static uint64_t typed_stat(const struct yard *yard, unsigned node, enum yard_node_stat anon, unsigned type)
{
	return (uint64_t)node_stat(yard, node, (enum yard_node_stat)(anon + type));
}

// ---- what can be reclaimed at all ----

int swappiness_of(const struct yard *yard, const struct scan_control *sc)
{
	return sc && sc->swappiness >= 0 ? sc->swappiness : (int)yard->swappiness;
}

bool can_reclaim_anon(const struct yard *yard, unsigned node, const struct scan_control *sc)
{
	return atomic_load_explicit(&yard->nr_swap_pages, memory_order_relaxed) > 0 || can_demote(yard, node, sc);
}

static uint64_t zone_list_pages(const struct yard *yard, const struct zone *zone, enum yard_lru_list list)
{
	uint64_t up_to = lruvec_size(yard, zone->node, list, zone->type);
	uint64_t below = zone->type ? lruvec_size(yard, zone->node, list, zone->type - 1u) : 0;

	return up_to > below ? up_to - below : 0; // others change them meanwhile
}

uint64_t zone_reclaimable_pages(const struct yard *yard, const struct zone *zone)
{
	uint64_t pages;

	if (!yard->owner.release)
		return 0;
	pages = zone_list_pages(yard, zone, YARD_LRU_INACTIVE_FILE) + zone_list_pages(yard, zone, YARD_LRU_ACTIVE_FILE);
	if (can_reclaim_anon(yard, zone->node, NULL))
		pages += zone_list_pages(yard, zone, YARD_LRU_INACTIVE_ANON)
			 + zone_list_pages(yard, zone, YARD_LRU_ACTIVE_ANON);
	return pages;
}

// ---- C-9 ----

uint64_t inactive_ratio(uint64_t pages)
{
	uint64_t gigabytes = pages >> 18, ratio = 1;

	while ((ratio + 1) * (ratio + 1) <= 10 * gigabytes)
		ratio++;
	return ratio;
}

bool inactive_is_low(const struct yard *yard, unsigned node, unsigned type)
{
	uint64_t inactive = list_pages(yard, node, YARD_LRU_INACTIVE_ANON + 2 * type);
	uint64_t active = list_pages(yard, node, YARD_LRU_ACTIVE_ANON + 2 * type);

	return inactive * inactive_ratio(inactive + active) < active;
}

// ---- C-2 ----

static uint64_t growth(uint64_t now, uint64_t *last)
{
	uint64_t grown = now - *last;

	*last = now;
	return grown;
}

static void fold_costs(struct yard *yard, unsigned node) // C-2.1; lru_lock held
{
	struct lruvec *lruvec = &yard->mm[node].lruvec;
	uint64_t pages = 0;

	for (unsigned type = ANON; type < LRU_TYPES; type++) {
		uint64_t io = typed_stat(yard, node, YARD_NODE_WORKINGSET_RESTORE_ANON, type);

		if (type == ANON)
			io += (uint64_t)node_stat(yard, node, YARD_NODE_VMSCAN_WRITE);
		lruvec->cost[type] += growth(io, &lruvec->last_io[type]) * SWAP_COST;
		lruvec->cost[type] += growth(typed_stat(yard, node, YARD_NODE_PGROTATE_ANON, type),
					     &lruvec->last_rotated[type]);
	}
	for (unsigned list = 0; list < YARD_LRU_UNEVICTABLE; list++)
		pages += list_pages(yard, node, list);
	while (lruvec->cost[ANON] + lruvec->cost[FILE_LRU] > pages / 4) {
		lruvec->cost[ANON] /= 2;
		lruvec->cost[FILE_LRU] /= 2;
	}
}

static bool file_is_tiny(const struct yard *yard, unsigned node, const struct scan_control *sc) // C-2.4
{
	uint64_t file = list_pages(yard, node, YARD_LRU_ACTIVE_FILE) + list_pages(yard, node, YARD_LRU_INACTIVE_FILE);
	uint64_t free = 0, high = 0;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		free += (uint64_t)zone_stat(zone, YARD_NR_FREE_PAGES);
		if (zone->managed)
			high += zone_wmark(zone, WMARK_HIGH);
	}
	return file + free <= high && !sc->may_deactivate[ANON]
	       && list_pages(yard, node, YARD_LRU_INACTIVE_ANON) >> sc->priority;
}

void prepare_scan(struct yard *yard, unsigned node, struct scan_control *sc)
{
	struct node_mm *mm = &yard->mm[node];
	uint64_t refaults[LRU_TYPES];

	yard_spin_lock(&mm->lru_lock);
	if (yard->policy.cost_folding) // V-3
		fold_costs(yard, node);
	for (unsigned type = ANON; type < LRU_TYPES; type++) {
		sc->cost[type] = mm->lruvec.cost[type];
		refaults[type] = mm->lruvec.refaults[type];
	}
	yard_spin_unlock(&mm->lru_lock);
	for (unsigned type = ANON; type < LRU_TYPES; type++) // C-2.2
		sc->may_deactivate[type] = sc->force_deactivate
			|| typed_stat(yard, node, YARD_NODE_WORKINGSET_ACTIVATE_ANON, type) != refaults[type]
			|| inactive_is_low(yard, node, type);
	sc->cache_trim_mode = list_pages(yard, node, YARD_LRU_INACTIVE_FILE) >> sc->priority
			      && !sc->may_deactivate[FILE_LRU] && !sc->no_cache_trim_mode; // C-2.3
	sc->file_is_tiny = !sc->of_group && file_is_tiny(yard, node, sc);
}

void snapshot_refaults(struct yard *yard, unsigned node)
{
	struct node_mm *mm = &yard->mm[node];

	yard_spin_lock(&mm->lru_lock);
	for (unsigned type = ANON; type < LRU_TYPES; type++)
		mm->lruvec.refaults[type] = typed_stat(yard, node, YARD_NODE_WORKINGSET_ACTIVATE_ANON, type);
	yard_spin_unlock(&mm->lru_lock);
}

// ---- C-4 ----

enum scan_balance { SCAN_NOTHING, SCAN_EQUAL, SCAN_FRACT, SCAN_ANON, SCAN_FILE };

static enum scan_balance choose_balance(const struct yard *yard, unsigned node, const struct scan_control *sc)
{
	int swappiness = swappiness_of(yard, sc);
	bool anon = can_reclaim_anon(yard, node, sc);

	if (swappiness == SWAPPINESS_ANON_ONLY && !anon && yard->policy.anon_only_strict) // V-6
		return SCAN_NOTHING;
	if (swappiness == SWAPPINESS_ANON_ONLY && anon)
		return SCAN_ANON;
	if (!sc->may_swap || !anon || (sc->of_group && !swappiness))
		return SCAN_FILE;
	if (!sc->priority && swappiness)
		return SCAN_EQUAL;
	if (sc->file_is_tiny)
		return SCAN_ANON;
	return sc->cache_trim_mode ? SCAN_FILE : SCAN_FRACT;
}

uint64_t scan_weights(const uint64_t cost[LRU_TYPES], unsigned swappiness, uint64_t weight[LRU_TYPES])
{
	uint64_t total = cost[ANON] + cost[FILE_LRU];
	uint64_t anon = total + cost[ANON], file = total + cost[FILE_LRU], sum = anon + file;

	weight[ANON] = swappiness * (sum + 1) / (anon + 1);
	weight[FILE_LRU] = (200 - swappiness) * (sum + 1) / (file + 1);
	return weight[ANON] + weight[FILE_LRU];
}

void scan_targets(const struct yard *yard, unsigned node, const struct scan_control *sc,
		  uint64_t nr[YARD_LRU_UNEVICTABLE])
{
	enum scan_balance balance = choose_balance(yard, node, sc);
	uint64_t weight[LRU_TYPES] = { 1, 1 }, denominator = 1;

	if (balance == SCAN_FRACT)
		denominator = scan_weights(sc->cost, (unsigned)swappiness_of(yard, sc), weight);
	else
		for (unsigned type = ANON; type < LRU_TYPES; type++)
			weight[type] = balance == SCAN_EQUAL || balance == (type == ANON ? SCAN_ANON : SCAN_FILE);
	for (unsigned list = 0; list < YARD_LRU_UNEVICTABLE; list++) {
		uint64_t scan = lruvec_size(yard, node, (enum yard_lru_list)list, sc->highest_zone) >> sc->priority;

		nr[list] = scan * weight[list / 2] / denominator;
	}
}

// ---- C-3.2d ----

// What is left of a list of the larger side, of which so many percent of the target may still be scanned.
static uint64_t shortened(uint64_t nr, uint64_t target, uint64_t percent)
{
	uint64_t done = target - nr, rest = target * percent / 100;

	return rest > done ? rest - done : 0;
}

bool stop_smaller_side(uint64_t nr[YARD_LRU_UNEVICTABLE], const uint64_t target[YARD_LRU_UNEVICTABLE])
{
	uint64_t anon = nr[YARD_LRU_INACTIVE_ANON] + nr[YARD_LRU_ACTIVE_ANON];
	uint64_t file = nr[YARD_LRU_INACTIVE_FILE] + nr[YARD_LRU_ACTIVE_FILE];
	unsigned small, large;
	uint64_t percent;

	if (!anon || !file)
		return false;
	small = file > anon ? YARD_LRU_INACTIVE_ANON : YARD_LRU_INACTIVE_FILE;
	large = YARD_LRU_INACTIVE_FILE - small;
	percent = (file > anon ? anon : file) * 100 / (target[small] + target[small + 1] + 1);
	nr[small] = nr[small + 1] = 0;
	for (unsigned list = large; list < large + 2; list++)
		nr[list] = shortened(nr[list], target[list], 100 - percent);
	return true;
}
