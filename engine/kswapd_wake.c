// SPDX-License-Identifier: Apache-2.0
//
// What others do to kswapd: waking it (spec 04 K-2, D-3), taking back that it is hopeless (K-15), and the hooks of a
// host that has a kswapd of its own, for instance a recorded one. Its thread is in kswapd.c.

#include "engine/mm.h"

// K1. Without compaction nobody would hear it: the wish itself is told.
static void ask_kcompactd(struct yard *yard, const struct zone *zone, unsigned order, unsigned highest_zone)
{
	if (yard->owner.move)
		wakeup_kcompactd(yard, zone->node, order, highest_zone);
	else
		EMIT(yard, .kind = YARD_EVENT_WAKEUP_KCOMPACTD, .order = (uint8_t)order, .zone = zone->id,
		     .a = (int32_t)highest_zone);
}

// ---- waking ----

void kswapd_record_order(struct kswapd *k, unsigned order)
{
	uint32_t old = atomic_load_explicit(&k->order, memory_order_relaxed);

	while (old < order
	       && !atomic_compare_exchange_weak_explicit(&k->order, &old, order, memory_order_relaxed,
							 memory_order_relaxed))
		;
}

static void record_highest(struct kswapd *k, unsigned highest)
{
	uint32_t old = atomic_load_explicit(&k->highest_zone, memory_order_relaxed);

	while ((old == YARD_ZONE_TYPES || old < highest)
	       && !atomic_compare_exchange_weak_explicit(&k->highest_zone, &old, highest, memory_order_relaxed,
							 memory_order_relaxed))
		;
}

static bool node_boosted(const struct yard *yard, unsigned node, unsigned highest_zone)
{
	for (unsigned type = 0; type <= highest_zone && type < YARD_ZONE_TYPES; type++) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone->managed && atomic_load_explicit(&zone->boost, memory_order_relaxed))
			return true;
	}
	return false;
}

// A14, K-2. Which nodes the caller's cpuset allows is the caller's business.
void wakeup_kswapd(struct yard *yard, struct zone *zone, uint32_t gfp, unsigned order, unsigned highest_zone)
{
	struct node *node = &yard->nodes[zone->node];
	struct kswapd *k = &yard->mm[zone->node].kswapd;
	bool has_kswapd = atomic_load_explicit(&node->has_kswapd, memory_order_relaxed);

	if (!zone->managed)
		return;
	if (order && yard->policy.wake_kcompactd_only && !node_boosted(yard, zone->node, highest_zone)
	    && node_balanced(yard, zone->node, 0, highest_zone)) { // O-11
		ask_kcompactd(yard, zone, order, highest_zone);
		return;
	}
	record_highest(k, highest_zone);
	kswapd_record_order(k, order);
	if (atomic_load_explicit(&node->kswapd_awake, memory_order_relaxed))
		return;
	if (kswapd_hopeless(yard, zone->node)
	    || (!node_boosted(yard, zone->node, highest_zone)
		&& node_balanced(yard, zone->node, order, highest_zone))) {
		if (!(gfp & YARD_GFP_DIRECT_RECLAIM))
			ask_kcompactd(yard, zone, order, highest_zone);
		return;
	}
	if (has_kswapd && atomic_exchange_explicit(&node->kswapd_awake, true, memory_order_relaxed))
		return; // another thread has just woken it
	EMIT(yard, .kind = YARD_EVENT_WAKEUP_KSWAPD, .order = (uint8_t)order, .zone = zone->id,
	     .a = (int32_t)highest_zone, .b = (int32_t)gfp);
	if (has_kswapd)
		yard_host_wake(&yard->host, queue_of(zone->node, YARD_QUEUE_KSWAPD));
}

void kswapd_wake_for_reserves(struct yard *yard, unsigned id)
{
	struct node *node = &yard->nodes[id];
	_Atomic uint32_t *highest = &yard->mm[id].kswapd.highest_zone;
	uint32_t old = atomic_load_explicit(highest, memory_order_relaxed);

	if (!atomic_load_explicit(&node->has_kswapd, memory_order_relaxed)
	    || atomic_load_explicit(&node->kswapd_awake, memory_order_relaxed))
		return;
	while (old > YARD_ZONE_NORMAL
	       && !atomic_compare_exchange_weak_explicit(highest, &old, YARD_ZONE_NORMAL, memory_order_relaxed,
							 memory_order_relaxed))
		;
	if (!atomic_exchange_explicit(&node->kswapd_awake, true, memory_order_relaxed))
		yard_host_wake(&yard->host, queue_of(id, YARD_QUEUE_KSWAPD));
}

// ---- hopeless ----

void kswapd_clear_hopeless(struct yard *yard, unsigned node, unsigned reason)
{
	if (atomic_exchange_explicit(&yard->mm[node].kswapd.failures, 0, memory_order_relaxed))
		TRACE(yard, KSWAPD_CLEAR_HOPELESS, node, reason);
}

void kswapd_try_clear_hopeless(struct yard *yard, unsigned node, const struct scan_control *sc)
{
	if (!atomic_load_explicit(&yard->mm[node].kswapd.failures, memory_order_relaxed))
		return;
	if (yard->policy.hopeless_needs_balance && !node_balanced(yard, node, sc->order, sc->highest_zone)) // V-11
		return;
	kswapd_clear_hopeless(yard, node, sc->role == ROLE_KSWAPD ? CLEAR_KSWAPD : CLEAR_DIRECT);
}

// ---- a kswapd outside the engine ----

void yard_kswapd_run(struct yard *yard, unsigned node, bool runs)
{
	if (node < yard->nr_nodes)
		atomic_store_explicit(&yard->nodes[node].has_kswapd, runs, memory_order_relaxed);
}

void yard_kswapd_awake(struct yard *yard, unsigned node, bool awake)
{
	if (node < yard->nr_nodes)
		atomic_store_explicit(&yard->nodes[node].kswapd_awake, awake, memory_order_relaxed);
}

void yard_kswapd_hopeless(struct yard *yard, unsigned node, bool hopeless) // K-1
{
	if (node < yard->nr_nodes)
		atomic_store_explicit(&yard->mm[node].kswapd.failures, hopeless ? MAX_RECLAIM_RETRIES : 0,
				      memory_order_relaxed);
}

// W9 and P11: a balancing run of kswapd.
void yard_kswapd_balance_begin(struct yard *yard, unsigned node, unsigned highest_zone)
{
	for (unsigned type = 0; node < yard->nr_nodes && type <= highest_zone && type < YARD_ZONE_TYPES; type++) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (!zone->managed)
			continue;
		zone->boost_sampled = atomic_load_explicit(&zone->boost, memory_order_relaxed);
		zone_set_flag(zone, YARD_ZONE_RECLAIM_ACTIVE);
	}
}

// W9: the boost falls before kcompactd is woken (KS-5).
void yard_kswapd_balance_end(struct yard *yard, unsigned node, unsigned highest_zone)
{
	bool boosted = false;

	for (unsigned type = 0; node < yard->nr_nodes && type <= highest_zone && type < YARD_ZONE_TYPES; type++) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);
		uint32_t boost;

		if (!zone->managed)
			continue;
		zone_clear_flag(zone, YARD_ZONE_RECLAIM_ACTIVE);
		if (!zone->boost_sampled)
			continue;
		boosted = true;
		yard_spin_lock(&zone->lock);
		boost = atomic_load_explicit(&zone->boost, memory_order_relaxed);
		boost -= (uint32_t)min64(boost, zone->boost_sampled);
		atomic_store_explicit(&zone->boost, boost, memory_order_relaxed);
		yard_spin_unlock(&zone->lock);
		zone->boost_sampled = 0;
	}
	if (boosted)
		ask_kcompactd(yard, zone_at(yard, node * YARD_ZONE_TYPES), YARD_PAGEBLOCK_ORDER, highest_zone);
}
