// SPDX-License-Identifier: Apache-2.0
//
// Lines of a snapshot that begin with "zone": a zone's fields, its free lists and its per-CPU sets.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace/snapshot_parse.h"

// clang-format off
#define ZONE(name, field)	{ name, offsetof(struct snapshot_zone, field) }
#define PCP(name)		{ #name, offsetof(struct snapshot_pcp, name) }
// clang-format on

// The first REQUIRED ones a zone cannot do without.
enum { ZONE_FIELDS_REQUIRED = 4, COMPACT_FIELDS = 7 }; // those of compaction are the last ones
static const struct plain zone_fields[] = {
	ZONE("zone_start_pfn", start_pfn),
	ZONE("spanned_pages", spanned),
	ZONE("present_pages", present),
	ZONE("managed_pages", managed),
	ZONE("cma_pages", cma_pages),
	ZONE("watermark_boost", boost),
	ZONE("nr_reserved_highatomic", nr_reserved_highatomic),
	ZONE("nr_free_highatomic", nr_free_highatomic),
	ZONE("nr_isolate_pageblock", nr_isolate_pageblock),
	ZONE("flags", flags),
	ZONE("percpu_drift_mark", percpu_drift_mark),
	ZONE("pageset_high_min", pageset_high_min),
	ZONE("pageset_high_max", pageset_high_max),
	ZONE("pageset_batch", pageset_batch),
	ZONE("compact_cached_free_pfn", compact.cached_free),
	ZONE("compact_init_migrate_pfn", compact.init_migrate),
	ZONE("compact_init_free_pfn", compact.init_free),
	ZONE("compact_considered", compact.considered),
	ZONE("compact_defer_shift", compact.defer_shift),
	ZONE("compact_order_failed", compact.order_failed),
	ZONE("compact_blockskip_flush", compact.flush),
};

static const struct plain pcp_fields[] = {
	PCP(count), PCP(high),	       PCP(high_min), PCP(high_max),   PCP(batch),
	PCP(flags), PCP(alloc_factor), PCP(expire),   PCP(free_count),
};

static const struct plain stat_fields[SNAPSHOT_ZONE_STATS] = {
	[SNAPSHOT_NR_FREE_PAGES] = ZONE("NR_FREE_PAGES", stat[SNAPSHOT_NR_FREE_PAGES]),
	[SNAPSHOT_NR_FREE_PAGES_BLOCKS] = ZONE("NR_FREE_PAGES_BLOCKS", stat[SNAPSHOT_NR_FREE_PAGES_BLOCKS]),
	[SNAPSHOT_NR_FREE_CMA_PAGES] = ZONE("NR_FREE_CMA_PAGES", stat[SNAPSHOT_NR_FREE_CMA_PAGES]),
};

static const struct plain numa_fields[SNAPSHOT_NUMA_STATS] = {
	[SNAPSHOT_NUMA_HIT] = ZONE("NUMA_HIT", numa[SNAPSHOT_NUMA_HIT]),
	[SNAPSHOT_NUMA_MISS] = ZONE("NUMA_MISS", numa[SNAPSHOT_NUMA_MISS]),
	[SNAPSHOT_NUMA_FOREIGN] = ZONE("NUMA_FOREIGN", numa[SNAPSHOT_NUMA_FOREIGN]),
	[SNAPSHOT_NUMA_INTERLEAVE_HIT] = ZONE("NUMA_INTERLEAVE_HIT", numa[SNAPSHOT_NUMA_INTERLEAVE_HIT]),
	[SNAPSHOT_NUMA_LOCAL] = ZONE("NUMA_LOCAL", numa[SNAPSHOT_NUMA_LOCAL]),
	[SNAPSHOT_NUMA_OTHER] = ZONE("NUMA_OTHER", numa[SNAPSHOT_NUMA_OTHER]),
};

static const struct plain cpustat_fields[] = {
	PCP(stat_threshold),
	{"NR_FREE_PAGES", offsetof(struct snapshot_pcp, diff[SNAPSHOT_NR_FREE_PAGES])},
	{"NR_FREE_PAGES_BLOCKS", offsetof(struct snapshot_pcp, diff[SNAPSHOT_NR_FREE_PAGES_BLOCKS])},
	{"NR_FREE_CMA_PAGES", offsetof(struct snapshot_pcp, diff[SNAPSHOT_NR_FREE_CMA_PAGES])},
	{"NUMA_HIT", offsetof(struct snapshot_pcp, numa[SNAPSHOT_NUMA_HIT])},
	{"NUMA_MISS", offsetof(struct snapshot_pcp, numa[SNAPSHOT_NUMA_MISS])},
	{"NUMA_FOREIGN", offsetof(struct snapshot_pcp, numa[SNAPSHOT_NUMA_FOREIGN])},
	{"NUMA_INTERLEAVE_HIT", offsetof(struct snapshot_pcp, numa[SNAPSHOT_NUMA_INTERLEAVE_HIT])},
	{"NUMA_LOCAL", offsetof(struct snapshot_pcp, numa[SNAPSHOT_NUMA_LOCAL])},
	{"NUMA_OTHER", offsetof(struct snapshot_pcp, numa[SNAPSHOT_NUMA_OTHER])},
};

const char *const parse_zone_names[SNAPSHOT_ZONE_TYPES] = {"DMA", "DMA32", "Normal", "Movable", "Device"};

int parse_zone_index(const char *name, size_t length)
{
	for (int i = 0; i < SNAPSHOT_ZONE_TYPES; i++)
		if (is_word(name, length, parse_zone_names[i]))
			return i;
	return -1;
}

// What every zone must have told when its lines are over.
int parse_zone_complete(const struct parser *parser)
{
	const struct snapshot *snapshot = parser->snapshot;

	if (snapshot->nr_zones == 0)
		return 0;

	const uint32_t compact = ((1u << COMPACT_FIELDS) - 1) << (COUNT(zone_fields) - COMPACT_FIELDS);
	struct snapshot_zone *zone = &snapshot->zone[snapshot->nr_zones - 1];

	zone->has_compact = (parser->zone.plain & compact) == compact && parser->zone.lines & ZONE_CACHED_MIGRATE;
	for (unsigned i = 0; i < ZONE_FIELDS_REQUIRED; i++)
		if (!(parser->zone.plain >> i & 1))
			return FAIL(parser, "zone %" PRIu32 " %s has no %s line before this one", zone->node,
				    zone->name, zone_fields[i].name);
	if (zone->start_pfn > UINT32_MAX || zone->spanned > UINT32_MAX)
		return FAIL(parser, "zone %" PRIu32 " %s: frames beyond 2^32", zone->node, zone->name);
	return 0;
}

// "begin index i": a new zone, whose lines follow.
static int zone_begin(struct parser *parser, uint32_t node, const char *name, size_t length)
{
	struct snapshot *snapshot = parser->snapshot;
	struct snapshot_zone *zones;
	const char *word;
	size_t word_length;
	uint64_t index;

	if (parse_word(parser, &word, &word_length))
		return -1;
	if (!is_word(word, word_length, "index"))
		return FAIL(parser, "'begin index I' is right");
	if (parse_number(parser, "index", SNAPSHOT_ZONE_TYPES - 1, &index) || parse_over(parser))
		return -1;
	if (parse_zone_index(name, length) != (int)index)
		return FAIL(parser, "index %" PRIu64 " is zone %s, not %.*s", index, parse_zone_names[index],
			    (int)(length > 32 ? 32 : length), name);
	for (uint32_t i = 0; i < snapshot->nr_zones; i++)
		if (snapshot->zone[i].node == node && snapshot->zone[i].index == index)
			return FAIL(parser, "zone %" PRIu32 " %s begins a second time", node, parse_zone_names[index]);
	if (!snapshot->nr_cpus)
		return FAIL(parser, "no 'cpus' line before the first zone");
	if (parse_zone_complete(parser))
		return -1;
	zones = realloc(snapshot->zone, (snapshot->nr_zones + 1) * sizeof(*zones));
	if (zones)
		snapshot->zone = zones;

	struct snapshot_pcp *pcp = zones ? calloc(snapshot->nr_cpus, sizeof(*pcp)) : NULL;

	if (!pcp)
		return FAIL(parser, "no memory for one more zone");
	zones += snapshot->nr_zones++;
	memset(zones, 0, sizeof(*zones));
	zones->node = node;
	zones->index = (uint32_t)index;
	snprintf(zones->name, sizeof(zones->name), "%s", parse_zone_names[index]);
	zones->pcp = pcp;
	zones->nr_pcps = snapshot->nr_cpus;
	memset(&parser->zone, 0, sizeof(parser->zone));
	memset(parser->pcp, 0, snapshot->nr_cpus * sizeof(*parser->pcp));
	return 0;
}

// ---- lists and per-CPU sets ----

// The rest of the line: frame numbers, head first.
static int list(struct parser *parser, struct snapshot_list *into)
{
	uint32_t nr = 1;

	if (parser->at == parser->end)
		return FAIL(parser, "the list is empty: leave its line out");
	for (const char *at = parser->at; at < parser->end; at++)
		nr += *at == ' ';
	into->pfn = malloc(nr * sizeof(*into->pfn));
	if (!into->pfn)
		return FAIL(parser, "no memory for a list of %" PRIu32 " frames", nr);
	while (parser->at < parser->end) {
		uint64_t pfn;

		if (parse_number(parser, "pfn", UINT32_MAX, &pfn))
			return -1;
		into->pfn[into->nr++] = (uint32_t)pfn;
	}
	return 0;
}

// "free O M pfn ..."
static int zone_free_list(struct parser *parser, struct snapshot_zone *zone)
{
	uint64_t order, type;

	if (parse_number(parser, "order", SNAPSHOT_ORDERS - 1, &order)
	    || parse_number(parser, "migratetype", SNAPSHOT_MIGRATETYPES - 1, &type))
		return -1;
	if (parser->zone.free[order] >> type & 1)
		return FAIL(parser, "the free list of order %" PRIu64 ", migratetype %" PRIu64 " comes twice", order,
			    type);
	parser->zone.free[order] |= (uint8_t)(1u << type);
	return list(parser, &zone->free[order][type]);
}

static int zone_nr_free(struct parser *parser, struct snapshot_zone *zone)
{
	uint64_t order;

	if (parse_number(parser, "order", SNAPSHOT_ORDERS - 1, &order)
	    || parse_once(parser, &parser->zone.nr_free, 1u << order, "nr_free")
	    || parse_number(parser, "nr_free", UINT32_MAX, &zone->nr_free[order]))
		return -1;
	return parse_over(parser);
}

static int next_cpu(struct parser *parser, uint64_t *cpu)
{
	return parse_number(parser, "cpu", parser->snapshot->nr_cpus - 1, cpu);
}

static int zone_pcp(struct parser *parser, struct snapshot_zone *zone)
{
	uint64_t cpu;

	if (next_cpu(parser, &cpu))
		return -1;
	if (parser->pcp[cpu].pcp)
		return FAIL(parser, "a second 'pcp %" PRIu64 "' line", cpu);
	parser->pcp[cpu].pcp = true;
	return parse_pairs(parser, pcp_fields, COUNT(pcp_fields), &zone->pcp[cpu]);
}

static int zone_pcplist(struct parser *parser, struct snapshot_zone *zone)
{
	uint64_t cpu, which;

	if (next_cpu(parser, &cpu) || parse_number(parser, "pcplist", SNAPSHOT_PCP_LISTS - 1, &which))
		return -1;
	if (parser->pcp[cpu].lists >> which & 1)
		return FAIL(parser, "pcplist %" PRIu64 " of cpu %" PRIu64 " comes twice", which, cpu);
	parser->pcp[cpu].lists |= (uint16_t)(1u << which);
	return list(parser, &zone->pcp[cpu].list[which]);
}

static int zone_cpustat(struct parser *parser, struct snapshot_zone *zone)
{
	uint64_t cpu;

	if (next_cpu(parser, &cpu))
		return -1;
	if (parser->pcp[cpu].cpustat)
		return FAIL(parser, "a second 'cpustat %" PRIu64 "' line", cpu);
	parser->pcp[cpu].cpustat = true;
	return parse_pairs(parser, cpustat_fields, COUNT(cpustat_fields), &zone->pcp[cpu]);
}

// ---- other fields ----

// "watermark v v v v" and "lowmem_reserve v v v v v"
static int zone_values(struct parser *parser, uint32_t bit, const char *name, uint64_t *values, unsigned count)
{
	if (parse_once(parser, &parser->zone.lines, bit, name))
		return -1;
	for (unsigned i = 0; i < count; i++)
		if (parse_number(parser, name, INT64_MAX, &values[i]))
			return -1;
	return parse_over(parser);
}

static int zone_stat(struct parser *parser, struct snapshot_zone *zone, const struct plain *fields, size_t count,
		     uint32_t *seen)
{
	const char *name;
	size_t length;

	if (parse_word(parser, &name, &length))
		return -1;
	return parse_plain(parser, fields, count, seen, zone, name, length, true) < 0 ? -1 : 0;
}

static int zone_contiguous(struct parser *parser, struct snapshot_zone *zone)
{
	uint64_t value;

	if (parse_once(parser, &parser->zone.lines, ZONE_CONTIGUOUS, "contiguous")
	    || parse_number(parser, "contiguous", 1, &value))
		return -1;
	zone->contiguous = value;
	return parse_over(parser);
}

// ---- the line ----

// A line of the zone begun last, whose field's name has been read.
static int zone_field(struct parser *parser, struct snapshot_zone *zone, const char *name, size_t length)
{
	struct zone_seen *seen = &parser->zone;

	if (is_word(name, length, "free"))
		return zone_free_list(parser, zone);
	if (is_word(name, length, "nr_free"))
		return zone_nr_free(parser, zone);
	if (is_word(name, length, "pcp"))
		return zone_pcp(parser, zone);
	if (is_word(name, length, "pcplist"))
		return zone_pcplist(parser, zone);
	if (is_word(name, length, "cpustat"))
		return zone_cpustat(parser, zone);
	if (is_word(name, length, "stat"))
		return zone_stat(parser, zone, stat_fields, COUNT(stat_fields), &seen->stat);
	if (is_word(name, length, "numa"))
		return zone_stat(parser, zone, numa_fields, COUNT(numa_fields), &seen->numa);
	if (is_word(name, length, "watermark"))
		return zone_values(parser, ZONE_WATERMARK, "watermark", zone->wmark, SNAPSHOT_WMARKS);
	if (is_word(name, length, "lowmem_reserve"))
		return zone_values(parser, ZONE_RESERVE, "lowmem_reserve", zone->lowmem_reserve, SNAPSHOT_ZONE_TYPES);
	if (is_word(name, length, "contiguous"))
		return zone_contiguous(parser, zone);
	if (is_word(name, length, "compact_cached_migrate_pfn"))
		return zone_values(parser, ZONE_CACHED_MIGRATE, "compact_cached_migrate_pfn",
				   zone->compact.cached_migrate, 2);
	return parse_plain(parser, zone_fields, COUNT(zone_fields), &seen->plain, zone, name, length, false) < 0 ? -1
														 : 0;
}

int parse_zone_line(struct parser *parser)
{
	struct snapshot *snapshot = parser->snapshot;
	const char *zone_name, *field;
	size_t zone_length, length;
	bool known = false;
	uint64_t node;

	if (parse_number(parser, "node", SNAPSHOT_NODES_MAX - 1, &node) || parse_word(parser, &zone_name, &zone_length)
	    || parse_word(parser, &field, &length))
		return -1;
	for (uint32_t i = 0; i < snapshot->nr_nodes; i++)
		known |= snapshot->node[i].id == node;
	if (!known)
		return FAIL(parser, "node %" PRIu64 " has no 'node' line before its zones", node);
	if (is_word(field, length, "begin"))
		return zone_begin(parser, (uint32_t)node, zone_name, zone_length);

	struct snapshot_zone *zone = snapshot->nr_zones ? &snapshot->zone[snapshot->nr_zones - 1] : NULL;

	if (!zone || zone->node != node || !is_word(zone_name, zone_length, zone->name))
		return FAIL(parser, "zone %" PRIu64 " %.*s is unknown here: its lines follow its 'begin' line", node,
			    (int)(zone_length > 16 ? 16 : zone_length), zone_name);
	return zone_field(parser, zone, field, length);
}
