// SPDX-License-Identifier: Apache-2.0
//
// Direct reclaim (spec 04 section 3, spec 02 SP-32 to SP-35): a task that found no page takes some from the LRU lists
// of the nodes that it may use. memory.reclaim takes them the same way (section 7).

#include "engine/mm.h"

// D-4b
static bool ready_for_compaction(struct yard *yard, const struct zone *zone, const struct scan_control *sc)
{
	int64_t free = zone_stat(zone, YARD_NR_FREE_PAGES);

	if (!can_compact(yard, sc->gfp))
		return false;
	return watermark_ok(yard, zone, sc->order, zone_wmark(zone, WMARK_MIN), sc->highest_zone, 0, free)
	       || compaction_suitable(yard, zone, sc->order, zone_wmark(zone, WMARK_HIGH), sc->highest_zone);
}

static void throttle_by_progress(struct yard *yard, unsigned node, const struct scan_control *sc) // D-4a
{
	if (sc->nr_reclaimed > sc->nr_scanned / 8)
		wake_throttled(yard, node, YARD_QUEUE_NOPROGRESS);
	else if (sc->priority == 1 && !sc->nr_reclaimed)
		reclaim_throttle(yard, node, YARD_QUEUE_NOPROGRESS);
}

static void shrink_zones(struct yard *yard, const struct alloc_context *ctx, struct scan_control *sc) // D-4a
{
	int first = -1, last = -1;

	for (const uint8_t *entry = ctx->zonelist; *entry != ZONE_MIXED; entry++) {
		const struct zone *zone = zone_at(yard, *entry);

		if (!zone_eligible(zone, sc->highest_zone, sc->nodemask)
		    || !zone_cpuset_allowed(ctx, zone, ALLOC_CPUSET))
			continue;
		if (sc->order > YARD_COSTLY_ORDER && ready_for_compaction(yard, zone, sc)) {
			sc->compaction_ready = true;
			continue;
		}
		if (zone->node == last)
			continue;
		last = zone->node;
		first = first < 0 ? last : first;
		shrink_node(yard, zone->node, sc);
	}
	if (first >= 0)
		throttle_by_progress(yard, (unsigned)first, sc);
}

static void snapshot_zonelist(struct yard *yard, const struct alloc_context *ctx, const struct scan_control *sc) // D-5
{
	uint64_t seen = 0;

	for (const uint8_t *entry = ctx->zonelist; *entry != ZONE_MIXED; entry++) {
		const struct zone *zone = zone_at(yard, *entry);

		if (!zone_eligible(zone, sc->highest_zone, sc->nodemask) || seen >> zone->node & 1)
			continue;
		seen |= 1ull << zone->node;
		snapshot_refaults(yard, zone->node);
	}
}

static void reclaim_pass(struct yard *yard, const struct alloc_context *ctx, struct scan_control *sc) // D-4
{
	delay_begin(yard, YARD_DELAY_FREEPAGES);
	if (!sc->of_group)
		count_vm_event(yard, (enum yard_vm_event)(YARD_VM_ALLOCSTALL_DMA + sc->highest_zone), 1);
	for (sc->priority = DEF_PRIORITY; sc->priority >= 0; sc->priority--) {
		sc->nr_scanned = 0;
		shrink_zones(yard, ctx, sc);
		if (sc->nr_reclaimed >= sc->nr_to_reclaim || sc->compaction_ready)
			break;
	}
	snapshot_zonelist(yard, ctx, sc);
	delay_end(yard, YARD_DELAY_FREEPAGES);
}

// D-5: the next pass is another one. The full walk differs only where there are groups.
static bool try_harder(struct scan_control *sc)
{
	if (!sc->full_walk) {
		sc->full_walk = true;
		return true;
	}
	if (!sc->skipped_deactivate)
		return false;
	sc->force_deactivate = true;
	sc->skipped_deactivate = false;
	return true;
}

static uint64_t reclaim_passes(struct yard *yard, const struct alloc_context *ctx, struct scan_control *sc)
{
	do {
		reclaim_pass(yard, ctx, sc);
		if (sc->nr_reclaimed)
			return sc->nr_reclaimed;
		if (sc->compaction_ready)
			return 1;
	} while (try_harder(sc));
	return 0;
}

uint64_t try_to_free_pages(struct yard *yard, const struct alloc_context *ctx, unsigned reclaim_order)
{
	struct yard_task *task = current_task(yard);
	struct scan_control sc = { // C-1
		.nr_to_reclaim = CLUSTER_MAX,
		.order = (uint8_t)reclaim_order,
		.highest_zone = ctx->highest_zone,
		.role = (ctx->task | task_flags(yard)) & YARD_TASK_KHUGEPAGED ? ROLE_KHUGEPAGED : ROLE_DIRECT,
		.gfp = ctx->gfp,
		.nodemask = ctx->nodemask,
		.may_writepage = true,
		.may_unmap = true,
		.may_swap = true,
		.swappiness = -1,
	};
	uint64_t reclaimed;

	if (throttle_direct_reclaim(yard, ctx))
		return 1;
	yard_host_charge(&yard->host, YARD_COST_DIRECT_RECLAIM, 1);
	TRACE(yard, DIRECT_RECLAIM_BEGIN, sc.gfp, task ? task->pid : 0, 0, sc.order);
	reclaimed = reclaim_passes(yard, ctx, &sc);
	if (task)
		task->reclaimed += sc.nr_reclaimed;
	TRACE(yard, DIRECT_RECLAIM_END, (int64_t)reclaimed, task ? task->pid : 0, 0);
	return reclaimed;
}

uint64_t try_to_free_group_pages(struct yard *yard, uint64_t pages, int swappiness)
{
	const struct alloc_context everywhere = {
		.zonelist = yard->nodes[yard->cpu_node[this_cpu(yard)]].fallback,
		.highest_zone = YARD_ZONE_TYPES - 1,
	};
	struct scan_control sc = { // C-1
		.nr_to_reclaim = pages > CLUSTER_MAX ? pages : CLUSTER_MAX,
		.highest_zone = everywhere.highest_zone,
		.role = ROLE_PROACTIVE,
		.gfp = YARD_GFP_HIGHUSER_MOVABLE,
		.may_writepage = true,
		.may_unmap = true,
		.may_swap = true,
		.of_group = true,
		.swappiness = (int16_t)swappiness,
	};
	struct reclaimer reclaimer;
	uint64_t reclaimed;

	reclaimer_enter(yard, &reclaimer, sc.gfp, "memory.reclaim");
	TRACE(yard, MEMCG_RECLAIM_BEGIN, sc.gfp, current_task(yard)->pid, 0, sc.order);
	yard_host_charge(&yard->host, YARD_COST_DIRECT_RECLAIM, 1);
	reclaimed = reclaim_passes(yard, &everywhere, &sc);
	TRACE(yard, MEMCG_RECLAIM_END, (int64_t)reclaimed, current_task(yard)->pid, 0);
	reclaimer_leave(yard, &reclaimer);
	return reclaimed;
}
