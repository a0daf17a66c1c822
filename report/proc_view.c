// SPDX-License-Identifier: Apache-2.0
//
// /proc/vmstat, zoneinfo, buddyinfo, pagetypeinfo, pressure/memory and extfrag's files (spec 01 V6, spec 04 T-5, T-6).

#include "report/proc_view.h"

#include <inttypes.h>
#include <stdlib.h>

#include <pageyard/lru.h>
#include <pageyard/pressure.h>
#include <pageyard/stat.h>

enum { LIST_COUNT_MAX = 100000, HOPELESS = 16 }; // V6; spec 04 K-1

// ---- counters ----

enum zone_item { // in the kernel's order; NUMA counters follow
	FREE_PAGES,
	FREE_PAGES_BLOCKS,
	LRU_PAGES,
	FREE_CMA = LRU_PAGES + YARD_LRU_LISTS,
	NUMA,
	ZONE_ITEMS = NUMA + YARD_NUMA_STATS
};

static const char *const zone_item_name[ZONE_ITEMS] = {
	"nr_free_pages", "nr_free_pages_blocks", "nr_zone_inactive_anon", "nr_zone_active_anon",
	"nr_zone_inactive_file", "nr_zone_active_file", "nr_zone_unevictable", "nr_free_cma", "numa_hit", "numa_miss",
	"numa_foreign", "numa_interleave", "numa_local", "numa_other",
};

static uint64_t count(int64_t value) // V2
{
	return value < 0 ? 0 : (uint64_t)value;
}

static uint64_t zone_lru(const struct yard *yard, unsigned zone, enum yard_lru_list list)
{
	unsigned node = zone / YARD_ZONE_TYPES, type = zone % YARD_ZONE_TYPES;
	uint64_t below = type ? yard_lru_size(yard, node, list, type - 1) : 0;

	return yard_lru_size(yard, node, list, type) - below;
}

static void zone_items(struct yard *yard, unsigned zone, const struct yard_zone_state *state,
		       uint64_t items[ZONE_ITEMS])
{
	items[FREE_PAGES] = count(state->stat[YARD_NR_FREE_PAGES]);
	items[FREE_PAGES_BLOCKS] = count(state->stat[YARD_NR_FREE_PAGES_BLOCKS]);
	for (unsigned list = 0; list < YARD_LRU_LISTS; list++)
		items[LRU_PAGES + list] = zone_lru(yard, zone, (enum yard_lru_list)list);
	items[FREE_CMA] = count(state->stat[YARD_NR_FREE_CMA_PAGES]);
	for (unsigned i = 0; i < YARD_NUMA_STATS; i++)
		items[NUMA + i] = state->numa[i];
}

struct totals {
	uint64_t items[ZONE_ITEMS];
	uint64_t pgalloc[YARD_ZONE_TYPES], pgfree;
};

static void add_zones(struct yard *yard, unsigned first, unsigned end, struct totals *totals)
{
	*totals = (struct totals){ 0 };
	for (unsigned zone = first; zone < end; zone++) {
		struct yard_zone_state state;
		uint64_t items[ZONE_ITEMS];

		yard_get_zone(yard, zone, &state);
		zone_items(yard, zone, &state, items);
		for (unsigned i = 0; i < ZONE_ITEMS; i++)
			totals->items[i] += items[i];
		totals->pgalloc[zone % YARD_ZONE_TYPES] += state.pgalloc;
		totals->pgfree += state.pgfree;
	}
}

static void counter(FILE *file, const char *name, uint64_t value)
{
	fprintf(file, "%s %" PRIu64 "\n", name, value);
}

// ---- vmstat ----

static void vm_events(FILE *file, struct yard *yard, const struct totals *totals)
{
	static const char *const pgalloc[YARD_ZONE_TYPES] = { "pgalloc_dma", "pgalloc_dma32", "pgalloc_normal",
							      "pgalloc_movable", "pgalloc_device" };

	for (unsigned event = 0; event < YARD_VM_EVENTS; event++) {
		for (unsigned type = 0; type < YARD_ZONE_TYPES && event == YARD_VM_ALLOCSTALL_DMA; type++)
			counter(file, pgalloc[type], totals->pgalloc[type]);
		counter(file, yard_vm_event_name(event), yard_get_vm_event(yard, event));
		if (event == YARD_VM_PGSKIP_DEVICE)
			counter(file, "pgfree", totals->pgfree);
	}
}

void proc_vmstat(FILE *file, struct yard *yard)
{
	struct totals totals;

	add_zones(yard, 0, yard_nr_zones(yard), &totals);
	for (unsigned i = 0; i < ZONE_ITEMS; i++)
		counter(file, zone_item_name[i], totals.items[i]);
	for (unsigned item = 0; item < YARD_NODE_STATS; item++) {
		uint64_t sum = 0;

		for (unsigned node = 0; node < yard_nr_nodes(yard); node++)
			sum += count(yard_get_node_stat(yard, node, item));
		counter(file, yard_node_stat_name(item), sum);
	}
	vm_events(file, yard, &totals);
}

void proc_node_vmstat(FILE *file, struct yard *yard, unsigned node)
{
	struct totals totals;

	if (node >= yard_nr_nodes(yard))
		return;
	add_zones(yard, node * YARD_ZONE_TYPES, (node + 1) * YARD_ZONE_TYPES, &totals);
	for (unsigned i = 0; i < ZONE_ITEMS; i++)
		counter(file, zone_item_name[i], totals.items[i]);
	for (unsigned item = 0; item < YARD_NODE_STATS; item++)
		counter(file, yard_node_stat_name(item), count(yard_get_node_stat(yard, node, item)));
}

// ---- zoneinfo ----

static void zone_heading(FILE *file, unsigned zone)
{
	fprintf(file, "Node %u, zone %8s", zone / YARD_ZONE_TYPES, yard_zone_type_name(zone % YARD_ZONE_TYPES));
}

static void node_counters(FILE *file, struct yard *yard, unsigned node)
{
	fprintf(file, "\n  per-node stats");
	for (unsigned item = 0; item < YARD_NODE_STATS; item++)
		fprintf(file, "\n      %-12s %" PRIu64, yard_node_stat_name(item),
			count(yard_get_node_stat(yard, node, item)));
}

static void zone_sizes(FILE *file, const struct yard_zone_state *state)
{
	static const char *const mark[YARD_NR_WMARKS] = { "min", "low", "high", "promo" };

	fprintf(file, "\n  pages free     %" PRIu64, count(state->stat[YARD_NR_FREE_PAGES]));
	fprintf(file, "\n        boost    %" PRIu64, state->boost);
	for (unsigned i = 0; i < YARD_NR_WMARKS; i++)
		fprintf(file, "\n        %-8s %" PRIu64, mark[i], state->wmark[i] + state->boost);
	fprintf(file, "\n        spanned  %u\n        present  %" PRIu64 "\n        managed  %" PRIu64
		      "\n        cma      %" PRIu64 "\n        protection: (", state->spanned, state->present,
		state->managed, state->cma_pages);
	for (unsigned i = 0; i < YARD_ZONE_TYPES; i++)
		fprintf(file, "%s%" PRIu64, i ? ", " : "", state->lowmem_reserve[i]);
	fputc(')', file);
}

static void zone_pagesets(FILE *file, struct yard *yard, unsigned zone)
{
	fprintf(file, "\n  pagesets");
	for (unsigned cpu = 0; cpu < yard_nr_cpus(yard); cpu++) {
		struct yard_pcp_state pcp;

		yard_get_pcp(yard, zone, cpu, &pcp);
		fprintf(file, "\n    cpu: %u"
			      "\n              count:    %d"
			      "\n              high:     %d"
			      "\n              batch:    %d"
			      "\n              high_min: %d"
			      "\n              high_max: %d"
			      "\n  vm stats threshold: %d",
			cpu, pcp.count, pcp.high, pcp.batch, pcp.high_min, pcp.high_max, pcp.stat_threshold);
	}
}

static void zone_rest(FILE *file, struct yard *yard, unsigned zone, const struct yard_zone_state *state)
{
	uint64_t items[ZONE_ITEMS];

	zone_items(yard, zone, state, items);
	for (unsigned i = 0; i < ZONE_ITEMS; i++)
		fprintf(file, "\n      %-12s %" PRIu64, zone_item_name[i], items[i]);
	zone_pagesets(file, yard, zone);
	fprintf(file, "\n  node_unreclaimable:  %d"
		      "\n  start_pfn:           %u"
		      "\n  reserved_highatomic: %" PRIu64
		      "\n  free_highatomic:     %" PRIu64,
		yard_kswapd_failures(yard, zone / YARD_ZONE_TYPES) >= HOPELESS, state->start_pfn,
		state->nr_reserved_highatomic, state->nr_free_highatomic);
}

void proc_zoneinfo(FILE *file, struct yard *yard)
{
	unsigned told = YARD_NODES_MAX; // node whose counters were printed last

	for (unsigned zone = 0; zone < yard_nr_zones(yard); zone++) {
		struct yard_zone_state state;

		yard_get_zone(yard, zone, &state);
		zone_heading(file, zone);
		if (state.populated && told != zone / YARD_ZONE_TYPES) {
			told = zone / YARD_ZONE_TYPES;
			node_counters(file, yard, told);
		}
		zone_sizes(file, &state);
		if (state.populated)
			zone_rest(file, yard, zone, &state);
		fputc('\n', file);
	}
}

// ---- buddyinfo, pagetypeinfo ----

static bool populated(struct yard *yard, unsigned zone, struct yard_zone_state *state)
{
	return !yard_get_zone(yard, zone, state) && state->populated;
}

void proc_buddyinfo(FILE *file, struct yard *yard)
{
	struct yard_zone_state state;

	for (unsigned zone = 0; zone < yard_nr_zones(yard); zone++) {
		if (!populated(yard, zone, &state))
			continue;
		zone_heading(file, zone);
		fputc(' ', file);
		for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
			fprintf(file, "%6" PRIu64 " ", state.nr_free[order]);
		fputc('\n', file);
	}
}

static void list_length(FILE *file, struct yard *yard, unsigned zone, unsigned order, unsigned type)
{
	uint32_t pfn = yard_free_list_next(yard, zone, order, type, YARD_PFN_NONE), length = 0;

	for (; pfn != YARD_PFN_NONE && length < LIST_COUNT_MAX; length++)
		pfn = yard_free_list_next(yard, zone, order, type, pfn);
	fprintf(file, "%s%6u ", length == LIST_COUNT_MAX ? ">" : "", length);
}

static void free_by_type(FILE *file, struct yard *yard, unsigned zone)
{
	for (unsigned type = 0; type < YARD_MIGRATETYPES; type++) {
		fprintf(file, "Node %4u, zone %8s, type %12s ", zone / YARD_ZONE_TYPES,
			yard_zone_type_name(zone % YARD_ZONE_TYPES), yard_migratetype_name(type));
		for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
			list_length(file, yard, zone, order, type);
		fputc('\n', file);
	}
}

static void blocks_by_type(FILE *file, struct yard *yard, unsigned zone, const struct yard_zone_state *state)
{
	uint64_t blocks[YARD_MIGRATETYPES] = { 0 }, end = (uint64_t)state->start_pfn + state->spanned;
	uint64_t first = (uint64_t)state->start_pfn & ~(uint64_t)(YARD_PAGEBLOCK_NR_PAGES - 1);

	for (uint64_t pfn = first; pfn < end; pfn += YARD_PAGEBLOCK_NR_PAGES)
		if (yard_zone_of(yard, (uint32_t)pfn) == (int)zone)
			blocks[yard_pageblock_type(yard, (uint32_t)pfn)]++;
	zone_heading(file, zone);
	fputc(' ', file);
	for (unsigned type = 0; type < YARD_MIGRATETYPES; type++)
		fprintf(file, "%12" PRIu64 " ", blocks[type]);
	fputc('\n', file);
}

static void node_pagetypes(FILE *file, struct yard *yard, unsigned node)
{
	unsigned first = node * YARD_ZONE_TYPES, end = first + YARD_ZONE_TYPES;
	struct yard_zone_state state;

	fprintf(file, "Page block order: %d\nPages per block:  %d\n\n", YARD_PAGEBLOCK_ORDER, YARD_PAGEBLOCK_NR_PAGES);
	fprintf(file, "%-43s ", "Free pages count per migrate type at order");
	for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
		fprintf(file, "%6u ", order);
	fputc('\n', file);
	for (unsigned zone = first; zone < end; zone++)
		if (populated(yard, zone, &state))
			free_by_type(file, yard, zone);
	fprintf(file, "\n%-23s", "Number of blocks type");
	for (unsigned type = 0; type < YARD_MIGRATETYPES; type++)
		fprintf(file, "%12s ", yard_migratetype_name(type));
	fputc('\n', file);
	for (unsigned zone = first; zone < end; zone++)
		if (populated(yard, zone, &state))
			blocks_by_type(file, yard, zone, &state);
}

static bool has_memory(struct yard *yard, unsigned node)
{
	struct yard_zone_state state;
	bool any = false;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
		any |= populated(yard, node * YARD_ZONE_TYPES + type, &state);
	return any;
}

// Each node has headings of its own, as the records of machines with two nodes show.
void proc_pagetypeinfo(FILE *file, struct yard *yard)
{
	for (unsigned node = 0; node < yard_nr_nodes(yard); node++)
		if (has_memory(yard, node))
			node_pagetypes(file, yard, node);
}

// ---- extfrag ----

static void thousandths(FILE *file, int value, int width)
{
	char text[16];

	snprintf(text, sizeof(text), "%s%d.%03d", value < 0 ? "-" : "", abs(value) / 1000, abs(value) % 1000);
	fprintf(file, "%*s ", width, text);
}

static void indices(FILE *file, struct yard *yard, bool unusable)
{
	struct yard_zone_state state;

	for (unsigned zone = 0; zone < yard_nr_zones(yard); zone++) {
		if (!populated(yard, zone, &state))
			continue;
		zone_heading(file, zone);
		fputc(' ', file);
		for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++) {
			struct yard_fragmentation index;

			yard_get_fragmentation(yard, zone, order, &index);
			if (unusable)
				thousandths(file, (int)index.unusable_index, 5);
			else
				thousandths(file, index.fragmentation_index, 6);
		}
		fputc('\n', file);
	}
}

void proc_unusable_index(FILE *file, struct yard *yard)
{
	indices(file, yard, true);
}

void proc_extfrag_index(FILE *file, struct yard *yard)
{
	indices(file, yard, false);
}

// ---- pressure ----

void proc_pressure(FILE *file, struct yard *yard, unsigned group)
{
	static const char *const name[YARD_PSI_STALLS] = { "some", "full" };
	struct yard_psi psi;

	if (yard_psi_get(yard, group, &psi))
		return;
	for (unsigned stall = 0; stall < YARD_PSI_STALLS; stall++) {
		const uint32_t *avg = psi.avg[stall];

		fprintf(file, "%s avg10=%u.%02u avg60=%u.%02u avg300=%u.%02u total=%" PRIu64 "\n", name[stall],
			avg[0] / 100, avg[0] % 100, avg[1] / 100, avg[1] % 100, avg[2] / 100, avg[2] % 100,
			psi.total_us[stall]);
	}
}
