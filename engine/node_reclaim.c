// SPDX-License-Identifier: Apache-2.0
//
// Reclaim on one node: what an allocation does there before it goes to a farther node (spec 04 section 6), and the
// rounds of the node's `reclaim` file (P-2).

#include "engine/mm.h"

enum { NODE_RECLAIM_PRIORITY = 4 };
enum { MODE_WRITE = 2, MODE_UNMAP = 4 }; // N-1

// ---- N-4a ----

static uint64_t less(int64_t a, int64_t b)
{
	return a > b ? (uint64_t)(a - b) : 0;
}

static uint64_t reclaimable_cache(const struct yard *yard, unsigned node)
{
	uint64_t pages;

	if (yard->zone_reclaim_mode & MODE_UNMAP)
		pages = (uint64_t)(node_stat(yard, node, YARD_NODE_FILE_PAGES)
				   + node_stat(yard, node, YARD_NODE_SWAPCACHE)); // Linux counts them as file pages (Z3)
	else
		pages = less(node_stat(yard, node, YARD_NODE_ACTIVE_FILE)
				     + node_stat(yard, node, YARD_NODE_INACTIVE_FILE),
			     node_stat(yard, node, YARD_NODE_FILE_MAPPED));
	return less((int64_t)pages, node_stat(yard, node, YARD_NODE_FILE_DIRTY));
}

static uint64_t share_of_node(const struct yard *yard, unsigned node, uint32_t percent)
{
	uint64_t pages = 0;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
		pages += (uint64_t)zone_at(yard, node * YARD_ZONE_TYPES + type)->managed * percent / 100;
	return pages;
}

static bool has_enough(const struct yard *yard, unsigned node)
{
	return reclaimable_cache(yard, node) > share_of_node(yard, node, yard->min_unmapped_ratio)
	       || (uint64_t)node_stat(yard, node, YARD_NODE_SLAB_RECLAIMABLE)
			  > share_of_node(yard, node, yard->min_slab_ratio);
}

// ---- N-5 ----

static void shrink_until(struct yard *yard, unsigned node, struct scan_control *sc, uint64_t goal)
{
	if (!can_reclaim(yard) || !has_enough(yard, node))
		return;
	do
		shrink_node(yard, node, sc);
	while (sc->nr_reclaimed < goal && --sc->priority >= 0);
}

static void reclaim_on_node(struct yard *yard, unsigned node, struct scan_control *sc, uint64_t goal, bool stall)
{
	struct reclaimer reclaimer;

	reclaimer_enter(yard, &reclaimer, sc->gfp, "node reclaim");
	TRACE(yard, NODE_RECLAIM_BEGIN, node, sc->order, sc->gfp);
	if (stall)
		memstall_enter(yard);
	delay_begin(yard, YARD_DELAY_FREEPAGES);
	yard_host_charge(&yard->host, YARD_COST_NODE_RECLAIM, 1);
	shrink_until(yard, node, sc, goal);
	if (sc->nr_scanned || sc->nr_reclaimed) {
		yard_host_charge(&yard->host, YARD_COST_DIRECT_RECLAIM, 1);
		yard_host_yield(&yard->host); // where the host's time only passes between yields: others meet the node's lock
	}
	delay_end(yard, YARD_DELAY_FREEPAGES);
	if (stall)
		memstall_leave(yard);
	TRACE(yard, NODE_RECLAIM_END, (int64_t)sc->nr_reclaimed, current_task(yard)->pid, 0);
	reclaimer_leave(yard, &reclaimer);
}

static bool lock_node(struct yard *yard, unsigned node) // N-4d
{
	return !(atomic_fetch_or_explicit(&yard->mm[node].flags, NODE_RECLAIM_LOCKED, memory_order_acquire)
		 & NODE_RECLAIM_LOCKED);
}

static void unlock_node(struct yard *yard, unsigned node)
{
	atomic_fetch_and_explicit(&yard->mm[node].flags, ~(uint32_t)NODE_RECLAIM_LOCKED, memory_order_release);
}

static bool passes_early(struct yard *yard, uint32_t gfp, unsigned order, const struct early_mark *early) // K2
{
	if (!yard->policy.node_reclaim_wake_kswapd || !early || !(gfp & YARD_GFP_KSWAPD_RECLAIM))
		return false;
	wakeup_kswapd(yard, early->zone, gfp, order, early->highest_zone);
	return watermark_ok(yard, early->zone, order, early->mark, early->highest_zone, early->flags,
			    zone_stat(early->zone, YARD_NR_FREE_PAGES));
}

int64_t node_reclaim_try(struct yard *yard, unsigned node, uint32_t gfp, unsigned order,
			 const struct early_mark *early)
{
	uint64_t pages = 1ull << order;
	struct scan_control sc = {
		.nr_to_reclaim = pages > CLUSTER_MAX ? pages : CLUSTER_MAX,
		.order = (uint8_t)order,
		.highest_zone = (uint8_t)gfp_highest_zone(gfp),
		.priority = NODE_RECLAIM_PRIORITY,
		.role = ROLE_DIRECT,
		.gfp = gfp,
		.may_writepage = yard->zone_reclaim_mode & MODE_WRITE,
		.may_unmap = yard->zone_reclaim_mode & MODE_UNMAP,
		.may_swap = true,
		.swappiness = -1,
	};

	if (!has_enough(yard, node) || !lock_node(yard, node))
		return NODE_RECLAIM_SKIPPED;
	if (passes_early(yard, gfp, order, early)) {
		unlock_node(yard, node);
		return NODE_RECLAIM_PASSED;
	}
	reclaim_on_node(yard, node, &sc, pages, true);
	unlock_node(yard, node);
	count_vm_event(yard, sc.nr_reclaimed >= pages ? YARD_VM_ZONE_RECLAIM_SUCCESS : YARD_VM_ZONE_RECLAIM_FAILED, 1);
	return (int64_t)sc.nr_reclaimed;
}

void yard_set_zone_reclaim_mode(struct yard *yard, uint32_t mode)
{
	yard->zone_reclaim_mode = mode;
}

bool node_reclaim_proactive(struct yard *yard, unsigned node, uint64_t batch, int swappiness, uint64_t *got)
{
	struct scan_control sc = {
		.nr_to_reclaim = batch > CLUSTER_MAX ? batch : CLUSTER_MAX,
		.highest_zone = yard->policy.node_file_all_zones ? YARD_ZONE_TYPES - 1 : YARD_ZONE_NORMAL, // V-7
		.priority = DEF_PRIORITY,
		.role = ROLE_PROACTIVE,
		.gfp = YARD_GFP_KERNEL,
		.may_writepage = true,
		.may_unmap = true,
		.may_swap = true,
		.swappiness = (int16_t)swappiness,
	};

	if (!lock_node(yard, node))
		return false;
	reclaim_on_node(yard, node, &sc, batch, !yard->policy.node_file_all_zones); // P-3
	unlock_node(yard, node);
	*got += sc.nr_reclaimed;
	return true;
}
