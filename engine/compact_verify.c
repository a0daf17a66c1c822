// SPDX-License-Identifier: Apache-2.0
//
// The invariants of compaction's state and of the counters of the slow path, reclaim and compaction that hold whenever
// nobody is at work (spec 03 section 3.15, spec 02 section 11, spec 04 T-7).

#include "engine/mm.h"
#include "engine/report.h"

static bool check_zone(struct report *report, const struct zone *zone)
{
	const struct zone_compact *compact = &report->yard->compact[zone->id];

	if (compact->defer_shift > DEFER_SHIFT_MAX)
		return broken(report, "C2.7", "zone", zone->id, "defer_shift is", compact->defer_shift, ", at most", DEFER_SHIFT_MAX);
	if (compact->considered > 1u << compact->defer_shift)
		return broken(report, "C2.7", "zone", zone->id, "considered is", compact->considered, ", its limit",
			      1 << compact->defer_shift);
	if (compact->order_failed > YARD_MAX_PAGE_ORDER + 1)
		return broken(report, "C2.7", "zone", zone->id, "order_failed is", compact->order_failed, ", at most",
			      YARD_MAX_PAGE_ORDER + 1);
	for (unsigned sync = 0; sync < 2; sync++) {
		uint32_t pfn = compact->cached_migrate[sync], inside = pfn % YARD_PAGEBLOCK_NR_PAGES;

		// C3.8 steps from the zone's start, which was another one before memory below it was plugged in.
		if (inside && inside != zone->start_pfn % YARD_PAGEBLOCK_NR_PAGES
		    && inside != zone->boot_start_pfn % YARD_PAGEBLOCK_NR_PAGES)
			return broken(report, "3.15", "zone", zone->id, "cached_migrate is", pfn, ", inside a pageblock, sync", sync);
	}
	return true;
}

static int64_t sum_of(const struct yard *yard, unsigned node, enum yard_node_stat first, unsigned nr)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < nr; i++)
		sum += node_stat(yard, node, (enum yard_node_stat)(first + i));
	return sum;
}

static bool check_node(struct report *report, unsigned node)
{
	const struct yard *yard = report->yard;
	int64_t roles = sum_of(yard, node, YARD_NODE_PGSCAN_KSWAPD, 4), types = sum_of(yard, node, YARD_NODE_PGSCAN_ANON, 2);

	if (roles != types)
		return broken(report, "T-7", "node", node, "pgscan by role is", roles, ", by type", types);
	roles = sum_of(yard, node, YARD_NODE_PGSTEAL_KSWAPD, 4);
	types = sum_of(yard, node, YARD_NODE_PGSTEAL_ANON, 2);
	if (roles != types)
		return broken(report, "T-7", "node", node, "pgsteal by role is", roles, ", by type", types);
	return true;
}

int verify_compact(struct yard *yard, char *text, size_t size)
{
	struct report report = { .yard = yard, .text = text, .size = size };
	uint64_t stall = vm_event(yard, YARD_VM_COMPACT_STALL);
	uint64_t ended = vm_event(yard, YARD_VM_COMPACT_SUCCESS) + vm_event(yard, YARD_VM_COMPACT_FAIL);

	if (stall != ended) {
		broken(&report, "I-6", "yard", 0, "compact_stall is", (int64_t)stall, ", success and fail", (int64_t)ended);
		return YARD_ECORRUPT;
	}
	if (yard->nr_captures) {
		broken(&report, "I-9", "yard", 0, "published captures:", yard->nr_captures, ", expected", 0);
		return YARD_ECORRUPT;
	}
	for (unsigned id = 0; id < yard->nr_zones; id++)
		if (zone_populated(zone_at(yard, id)) && !check_zone(&report, zone_at(yard, id)))
			return YARD_ECORRUPT;
	for (unsigned node = 0; node < yard->nr_nodes; node++)
		if (!check_node(&report, node))
			return YARD_ECORRUPT;
	return YARD_OK;
}
