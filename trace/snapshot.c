// SPDX-License-Identifier: Apache-2.0
//
// Reading a snapshot (docs/oracle-format.md). One parser walks the lines; tables say which fields are kept and where.
// Every line that fills something is checked to come once: `seen` bits beside each thing that is filled.

#include "trace/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace/internal.h"

enum {
	LINE_MAX_BYTES = 1 << 29,
	NODES_MAX = 1024,
	FRAMES_OF_BLOCK = 512,
	PAGEBLOCK_BITS_MAX = 31,
};

struct plain { // a field "NAME v" or "NAME=v" and where its 64 bits lie
	const char *name;
	size_t offset;
};

struct node_seen {
	uint32_t plain, zonelists;
};

struct zone_seen {
	uint32_t plain, stat, numa, nr_free, lines;
	uint8_t free[SNAPSHOT_ORDERS]; // a bit a migratetype
};

struct pcp_seen {
	uint16_t lists;
	bool pcp, cpustat;
};

struct parser {
	struct trace_input *input;
	struct trace_error *error;
	struct snapshot *snapshot;
	const char *at, *end; // the rest of the line
	uint32_t globals, heads;
	struct node_seen *node; // beside snapshot->node
	struct zone_seen zone;	// of the zone begun last
	struct pcp_seen *pcp;	// of that zone
	size_t pageblocks_size, frames_size;
	bool over;
};

enum head { HEAD_KERNEL = 1, HEAD_CPUS = 2, HEAD_PAGESIZE = 4, HEAD_RATIO = 8 };
enum zone_line { ZONE_WATERMARK = 1, ZONE_RESERVE = 2, ZONE_CONTIGUOUS = 4, ZONE_CACHED_MIGRATE = 8 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GLOBAL(name)                                                                                                   \
	{                                                                                                              \
#name, offsetof(struct snapshot, name)                                                                 \
	}
#define ZONE(name, field)                                                                                              \
	{                                                                                                              \
		name, offsetof(struct snapshot_zone, field)                                                            \
	}
#define NODE(name, field)                                                                                              \
	{                                                                                                              \
		name, offsetof(struct snapshot_node, field)                                                            \
	}
#define PCP(name)                                                                                                      \
	{                                                                                                              \
#name, offsetof(struct snapshot_pcp, name)                                                             \
	}

static const struct plain global_fields[] = {
	GLOBAL(min_free_kbytes),
	GLOBAL(user_min_free_kbytes),
	GLOBAL(watermark_boost_factor),
	GLOBAL(watermark_scale_factor),
	GLOBAL(defrag_mode),
	GLOBAL(node_reclaim_mode),
	{"page_group_by_mobility_disabled", offsetof(struct snapshot, mobility_disabled)},
	GLOBAL(percpu_pagelist_high_fraction),
	GLOBAL(nr_online_nodes),
	GLOBAL(totalreserve_pages),
	{"sysctl_compaction_proactiveness", offsetof(struct snapshot, compaction_proactiveness)},
	{"sysctl_extfrag_threshold", offsetof(struct snapshot, extfrag_threshold)},
};

enum { WORKER_FIELDS = 5 }; // the first ones are those of kswapd and kcompactd
static const struct plain node_fields[] = {
	NODE("kswapd_order", kswapd_order),
	NODE("kswapd_highest_zoneidx", kswapd_highest_zone),
	NODE("kcompactd_max_order", kcompactd_order),
	NODE("kcompactd_highest_zoneidx", kcompactd_highest_zone),
	NODE("proactive_compact_trigger", proactive_trigger),
	NODE("node_start_pfn", start_pfn),
	NODE("node_present_pages", present),
	NODE("node_spanned_pages", spanned),
	NODE("kswapd_failures", kswapd_failures),
};

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

static const char *const zone_names[SNAPSHOT_ZONE_TYPES] = {"DMA", "DMA32", "Normal", "Movable", "Device"};

#define FAIL(parser, ...) trace_input_fail((parser)->input, (parser)->error, __VA_ARGS__)

static bool is_word(const char *word, size_t length, const char *wanted)
{
	return strlen(wanted) == length && memcmp(word, wanted, length) == 0;
}

// The next word of the line. 0, or -1 and the error when there is none.
static int next_word(struct parser *parser, const char **word, size_t *length)
{
	const char *at = parser->at;

	while (at < parser->end && *at != ' ')
		at++;
	*word = parser->at;
	*length = (size_t)(at - parser->at);
	if (*length == 0)
		return FAIL(parser, "a word is missing%s", parser->at < parser->end ? ": two spaces together" : "");
	parser->at = at < parser->end ? at + 1 : at;
	if (at < parser->end && at + 1 == parser->end)
		return FAIL(parser, "a space at the end of the line");
	return 0;
}

static int line_over(const struct parser *parser)
{
	if (parser->at != parser->end)
		return FAIL(parser, "'%.*s' is one word too many", (int)strcspn(parser->at, " \n"), parser->at);
	return 0;
}

// A whole word (up to `end`) as a number of 64 bits, signed or not.
static int word_number(const struct parser *parser, const char *word, const char *end, const char *name,
		       struct trace_number *number)
{
	if (trace_scan_number(word, number) != end || (number->negative && number->magnitude > (uint64_t)INT64_MAX))
		return FAIL(parser, "%s: '%.*s' is not a decimal or 0x number of 64 bits", name,
			    (int)(end - word > 32 ? 32 : end - word), word);
	return 0;
}

// The next word as a number from 0 to max.
static int next_number(struct parser *parser, const char *name, uint64_t max, uint64_t *value)
{
	struct trace_number number;
	const char *word;
	size_t length;

	if (next_word(parser, &word, &length) || word_number(parser, word, word + length, name, &number))
		return -1;
	if ((number.negative && number.magnitude) || number.magnitude > max)
		return FAIL(parser, "%s %.*s is out of range: 0 to %" PRIu64 " is right", name, (int)length, word, max);
	*value = number.magnitude;
	return 0;
}

// Puts the number of a plain field into `base`, once. `i` is its place in the table.
static int store_plain(const struct parser *parser, const struct plain *field, unsigned i, uint32_t *seen, void *base,
		       const char *word, const char *end)
{
	struct trace_number number;
	uint64_t value;

	if (word_number(parser, word, end, field->name, &number))
		return -1;
	if (*seen >> i & 1)
		return FAIL(parser, "%s comes twice", field->name);
	if (!number.negative && number.magnitude > (uint64_t)INT64_MAX)
		return FAIL(parser, "%s %" PRIu64 " is out of range: below 2^63 is right", field->name,
			    number.magnitude);
	*seen |= UINT32_C(1) << i;
	value = number.negative ? 0 - number.magnitude : number.magnitude;
	memcpy((char *)base + field->offset, &value, sizeof(value));
	return 0;
}

// Fields that cannot be negative share the tables with those that can; this tells them apart where it matters.
static int no_negative(const struct parser *parser, const char *name, const char *word)
{
	return *word == '-' ? FAIL(parser, "%s is negative: 0 or more is right", name) : 0;
}

// "NAME v" where the name has been read. 1 when no table entry has this name.
static int plain_field(struct parser *parser, const struct plain *fields, size_t count, uint32_t *seen, void *base,
		       const char *name, size_t length, bool is_signed)
{
	const char *word;

	for (unsigned i = 0; i < count; i++) {
		if (!is_word(name, length, fields[i].name))
			continue;
		if (next_word(parser, &word, &length) || (!is_signed && no_negative(parser, fields[i].name, word))
		    || store_plain(parser, &fields[i], i, seen, base, word, word + length))
			return -1;
		return line_over(parser);
	}
	return 1;
}

// "NAME=v NAME=v ..." to the end of the line; names that no table entry has are left out.
static int pair_fields(struct parser *parser, const struct plain *fields, size_t count, void *base)
{
	uint32_t seen = 0;
	const char *word;
	size_t length;

	while (parser->at < parser->end) {
		if (next_word(parser, &word, &length))
			return -1;

		const char *equals = memchr(word, '=', length);

		if (!equals || equals == word)
			return FAIL(parser, "'%.*s' is not NAME=value", (int)(length > 32 ? 32 : length), word);
		for (unsigned i = 0; i < count; i++)
			if (is_word(word, (size_t)(equals - word), fields[i].name)
			    && store_plain(parser, &fields[i], i, &seen, base, equals + 1, word + length))
				return -1;
	}
	return 0;
}

// The constants of the kernel must be the ones that our enums copy, or the lists mean something else.
static int enum_line(struct parser *parser)
{
	static const struct plain wanted[] = {
		{"MIGRATE_UNMOVABLE", 0},  {"MIGRATE_MOVABLE", 1}, {"MIGRATE_RECLAIMABLE", 2},
		{"MIGRATE_HIGHATOMIC", 3}, {"MIGRATE_CMA", 4},	   {"MIGRATE_ISOLATE", 5},
		{"ZONE_DMA", 0},	   {"ZONE_DMA32", 1},	   {"ZONE_NORMAL", 2},
		{"ZONE_MOVABLE", 3},	   {"ZONE_DEVICE", 4},
	};
	const char *word;
	size_t length;

	if (next_word(parser, &word, &length))
		return -1;
	while (parser->at < parser->end) {
		struct trace_number number;
		const char *equals;

		if (next_word(parser, &word, &length))
			return -1;
		equals = memchr(word, '=', length);
		if (!equals || word_number(parser, equals + 1, word + length, "the constant", &number))
			return equals ? -1
				      : FAIL(parser, "'%.*s' is not NAME=number", (int)(length > 32 ? 32 : length),
					     word);
		for (unsigned i = 0; i < COUNT(wanted); i++)
			if (is_word(word, (size_t)(equals - word), wanted[i].name)
			    && (number.negative || number.magnitude != wanted[i].offset))
				return FAIL(parser, "%.*s: this program wants %s=%zu", (int)length, word,
					    wanted[i].name, wanted[i].offset);
	}
	return 0;
}

// Notes that one of the lines that come once has come.
static int once(const struct parser *parser, uint32_t *seen, uint32_t bit, const char *name)
{
	if (*seen & bit)
		return FAIL(parser, "a second '%s' line", name);
	*seen |= bit;
	return 0;
}

static int kernel_line(struct parser *parser)
{
	if (once(parser, &parser->heads, HEAD_KERNEL, "kernel"))
		return -1;
	snprintf(parser->snapshot->kernel, sizeof(parser->snapshot->kernel), "%.*s", (int)(parser->end - parser->at),
		 parser->at);
	return 0;
}

static int cpus_line(struct parser *parser)
{
	uint64_t cpus;

	if (once(parser, &parser->heads, HEAD_CPUS, "cpus") || next_number(parser, "cpus", TRACE_CPUS_MAX, &cpus))
		return -1;
	if (cpus == 0)
		return FAIL(parser, "cpus 0: at least 1 is right");
	parser->snapshot->nr_cpus = (uint32_t)cpus;
	parser->pcp = calloc(cpus, sizeof(*parser->pcp));
	if (!parser->pcp)
		return FAIL(parser, "no memory for %" PRIu64 " cpus", cpus);
	return line_over(parser);
}

static int pagesize_line(struct parser *parser)
{
	uint64_t bytes;

	if (once(parser, &parser->heads, HEAD_PAGESIZE, "pagesize")
	    || next_number(parser, "pagesize", UINT32_MAX, &bytes))
		return -1;
	if (bytes != 4096)
		return FAIL(parser, "pagesize %" PRIu64 ": this program reads snapshots with 4096", bytes);
	return line_over(parser);
}

static int global_line(struct parser *parser)
{
	struct snapshot *snapshot = parser->snapshot;
	const char *name;
	size_t length;
	uint64_t value;
	int got;

	if (next_word(parser, &name, &length))
		return -1;
	if (is_word(name, length, "sysctl_lowmem_reserve_ratio")) {
		if (once(parser, &parser->heads, HEAD_RATIO, "global sysctl_lowmem_reserve_ratio"))
			return -1;
		for (unsigned i = 0; i < SNAPSHOT_ZONE_TYPES && parser->at < parser->end; i++) {
			if (next_number(parser, "sysctl_lowmem_reserve_ratio", INT32_MAX, &value))
				return -1;
			snapshot->lowmem_reserve_ratio[i] = (int64_t)value;
		}
		return line_over(parser);
	}
	got = plain_field(parser, global_fields, COUNT(global_fields), &parser->globals, snapshot, name, length, true);
	return got < 0 ? -1 : 0;
}

// The node with this number, new if there is none yet; NULL and the error when there cannot be one more.
static struct snapshot_node *get_node(struct parser *parser, uint32_t id)
{
	struct snapshot *snapshot = parser->snapshot;
	struct snapshot_node *nodes;
	struct node_seen *seen;

	for (uint32_t i = 0; i < snapshot->nr_nodes; i++)
		if (snapshot->node[i].id == id)
			return &snapshot->node[i];
	nodes = realloc(snapshot->node, (snapshot->nr_nodes + 1) * sizeof(*nodes));
	if (nodes)
		snapshot->node = nodes;
	seen = realloc(parser->node, (snapshot->nr_nodes + 1) * sizeof(*seen));
	if (seen)
		parser->node = seen;
	if (!nodes || !seen) {
		FAIL(parser, "no memory for one more node");
		return NULL;
	}
	nodes += snapshot->nr_nodes;
	memset(nodes, 0, sizeof(*nodes));
	memset(seen + snapshot->nr_nodes, 0, sizeof(*seen));
	nodes->id = id;
	snapshot->nr_nodes++;
	return nodes;
}

static int zone_index(const char *name, size_t length)
{
	for (int i = 0; i < SNAPSHOT_ZONE_TYPES; i++)
		if (is_word(name, length, zone_names[i]))
			return i;
	return -1;
}

// "nodeX:ZONE"
static int zoneref(struct parser *parser, struct snapshot_zoneref *ref)
{
	const char *word, *colon;
	size_t length;
	uint64_t node;
	int index = -1;

	if (next_word(parser, &word, &length))
		return -1;
	colon = memchr(word, ':', length);
	if (colon && length > 4 && memcmp(word, "node", 4) == 0
	    && trace_scan_unsigned(word + 4, NODES_MAX - 1, ':', &node) == colon + 1)
		index = zone_index(colon + 1, (size_t)(word + length - colon - 1));
	if (index < 0)
		return FAIL(parser, "'%.*s' is not nodeN:ZONE", (int)(length > 32 ? 32 : length), word);
	ref->node = (uint32_t)node;
	ref->zone_index = (uint32_t)index;
	return 0;
}

// "zonelist K nodeX:ZONE ..."
static int zonelist(struct parser *parser, struct snapshot_node *node)
{
	struct node_seen *seen = &parser->node[node - parser->snapshot->node];
	uint64_t which;

	if (next_number(parser, "zonelist", 1, &which) || once(parser, &seen->zonelists, 1u << which, "zonelist"))
		return -1;

	struct snapshot_zoneref *refs = which ? node->thisnode : node->fallback;
	uint32_t max = which ? COUNT(node->thisnode) : COUNT(node->fallback), nr = 0;

	for (; parser->at < parser->end; nr++) {
		if (nr == max)
			return FAIL(parser, "zonelist %" PRIu64 " has more than %" PRIu32 " entries", which, max);
		if (zoneref(parser, &refs[nr]))
			return -1;
	}
	*(which ? &node->nr_thisnode : &node->nr_fallback) = nr;
	return 0;
}

static int node_line(struct parser *parser)
{
	struct snapshot_node *node;
	const char *name;
	size_t length;
	uint64_t id;

	if (next_number(parser, "node", NODES_MAX - 1, &id) || next_word(parser, &name, &length))
		return -1;
	node = get_node(parser, (uint32_t)id);
	if (!node)
		return -1;
	if (is_word(name, length, "zonelist"))
		return zonelist(parser, node);
	if (is_word(name, length, "stat") || is_word(name, length, "cpu"))
		return 0; // counters of the node, of no use to an allocator without reclaim's books

	struct node_seen *seen = &parser->node[node - parser->snapshot->node];
	bool is_signed = is_word(name, length, "kswapd_failures");

	if (plain_field(parser, node_fields, COUNT(node_fields), &seen->plain, node, name, length, is_signed) < 0)
		return -1;
	node->has_workers = (~seen->plain & ((1u << WORKER_FIELDS) - 1)) == 0;
	return 0;
}

// What every zone must have told when its lines are over.
static int zone_complete(const struct parser *parser)
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

	if (next_word(parser, &word, &word_length))
		return -1;
	if (!is_word(word, word_length, "index"))
		return FAIL(parser, "'begin index I' is right");
	if (next_number(parser, "index", SNAPSHOT_ZONE_TYPES - 1, &index) || line_over(parser))
		return -1;
	if (zone_index(name, length) != (int)index)
		return FAIL(parser, "index %" PRIu64 " is zone %s, not %.*s", index, zone_names[index],
			    (int)(length > 32 ? 32 : length), name);
	for (uint32_t i = 0; i < snapshot->nr_zones; i++)
		if (snapshot->zone[i].node == node && snapshot->zone[i].index == index)
			return FAIL(parser, "zone %" PRIu32 " %s begins a second time", node, zone_names[index]);
	if (!snapshot->nr_cpus)
		return FAIL(parser, "no 'cpus' line before the first zone");
	if (zone_complete(parser))
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
	snprintf(zones->name, sizeof(zones->name), "%s", zone_names[index]);
	zones->pcp = pcp;
	zones->nr_pcps = snapshot->nr_cpus;
	memset(&parser->zone, 0, sizeof(parser->zone));
	memset(parser->pcp, 0, snapshot->nr_cpus * sizeof(*parser->pcp));
	return 0;
}

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

		if (next_number(parser, "pfn", UINT32_MAX, &pfn))
			return -1;
		into->pfn[into->nr++] = (uint32_t)pfn;
	}
	return 0;
}

// "free O M pfn ..."
static int zone_free_list(struct parser *parser, struct snapshot_zone *zone)
{
	uint64_t order, type;

	if (next_number(parser, "order", SNAPSHOT_ORDERS - 1, &order)
	    || next_number(parser, "migratetype", SNAPSHOT_MIGRATETYPES - 1, &type))
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

	if (next_number(parser, "order", SNAPSHOT_ORDERS - 1, &order)
	    || once(parser, &parser->zone.nr_free, 1u << order, "nr_free")
	    || next_number(parser, "nr_free", UINT32_MAX, &zone->nr_free[order]))
		return -1;
	return line_over(parser);
}

static int next_cpu(struct parser *parser, uint64_t *cpu)
{
	return next_number(parser, "cpu", parser->snapshot->nr_cpus - 1, cpu);
}

static int zone_pcp(struct parser *parser, struct snapshot_zone *zone)
{
	uint64_t cpu;

	if (next_cpu(parser, &cpu))
		return -1;
	if (parser->pcp[cpu].pcp)
		return FAIL(parser, "a second 'pcp %" PRIu64 "' line", cpu);
	parser->pcp[cpu].pcp = true;
	return pair_fields(parser, pcp_fields, COUNT(pcp_fields), &zone->pcp[cpu]);
}

static int zone_pcplist(struct parser *parser, struct snapshot_zone *zone)
{
	uint64_t cpu, which;

	if (next_cpu(parser, &cpu) || next_number(parser, "pcplist", SNAPSHOT_PCP_LISTS - 1, &which))
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
	return pair_fields(parser, cpustat_fields, COUNT(cpustat_fields), &zone->pcp[cpu]);
}

// "watermark v v v v" and "lowmem_reserve v v v v v"
static int zone_values(struct parser *parser, uint32_t bit, const char *name, uint64_t *values, unsigned count)
{
	if (once(parser, &parser->zone.lines, bit, name))
		return -1;
	for (unsigned i = 0; i < count; i++)
		if (next_number(parser, name, INT64_MAX, &values[i]))
			return -1;
	return line_over(parser);
}

static int zone_stat(struct parser *parser, struct snapshot_zone *zone, const struct plain *fields, size_t count,
		     uint32_t *seen)
{
	const char *name;
	size_t length;

	if (next_word(parser, &name, &length))
		return -1;
	return plain_field(parser, fields, count, seen, zone, name, length, true) < 0 ? -1 : 0;
}

static int zone_contiguous(struct parser *parser, struct snapshot_zone *zone)
{
	uint64_t value;

	if (once(parser, &parser->zone.lines, ZONE_CONTIGUOUS, "contiguous")
	    || next_number(parser, "contiguous", 1, &value))
		return -1;
	zone->contiguous = value;
	return line_over(parser);
}

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
		return zone_values(parser, ZONE_CACHED_MIGRATE, "compact_cached_migrate_pfn", zone->compact.cached_migrate, 2);
	return plain_field(parser, zone_fields, COUNT(zone_fields), &seen->plain, zone, name, length, false) < 0 ? -1
														 : 0;
}

static int zone_line(struct parser *parser)
{
	struct snapshot *snapshot = parser->snapshot;
	const char *zone_name, *field;
	size_t zone_length, length;
	bool known = false;
	uint64_t node;

	if (next_number(parser, "node", NODES_MAX - 1, &node) || next_word(parser, &zone_name, &zone_length)
	    || next_word(parser, &field, &length))
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

// Room for one more entry in a growing array. NULL and the error when there is no memory.
static void *grow(const struct parser *parser, void *array, uint32_t used, size_t *size, size_t entry)
{
	if (used < *size)
		return array;

	size_t larger = *size ? *size * 2 : 256;
	void *grown = realloc(array, larger * entry);

	if (!grown)
		FAIL(parser, "no memory for %zu entries", larger);
	else
		*size = larger;
	return grown;
}

// "PFN M bits=b"
static int pageblock_line(struct parser *parser)
{
	struct snapshot *snapshot = parser->snapshot;
	struct snapshot_pageblock *blocks;
	uint64_t pfn, type, bits;
	const char *word;
	size_t length;

	if (next_number(parser, "pfn", UINT32_MAX, &pfn)
	    || next_number(parser, "migratetype", SNAPSHOT_MIGRATETYPES - 1, &type) || next_word(parser, &word, &length)
	    || line_over(parser))
		return -1;
	if (length < 6 || memcmp(word, "bits=", 5) != 0
	    || trace_scan_unsigned(word + 5, PAGEBLOCK_BITS_MAX, '\n', &bits) != word + length + 1)
		return FAIL(parser, "'%.*s' is not bits=b with b from 0 to %d", (int)(length > 32 ? 32 : length), word,
			    PAGEBLOCK_BITS_MAX);
	if ((bits & 7) != type)
		return FAIL(parser, "bits=%" PRIu64 " does not hold the migratetype %" PRIu64, bits, type);
	if (pfn % FRAMES_OF_BLOCK)
		return FAIL(parser, "pageblock %" PRIu64 " does not begin at a multiple of %d", pfn, FRAMES_OF_BLOCK);
	if (snapshot->nr_pageblocks && snapshot->pageblock[snapshot->nr_pageblocks - 1].pfn >= pfn)
		return FAIL(parser,
			    "pageblock %" PRIu64 " comes after pageblock %" PRIu32 ": ascending, each once, is right",
			    pfn, snapshot->pageblock[snapshot->nr_pageblocks - 1].pfn);
	blocks = grow(parser, snapshot->pageblock, snapshot->nr_pageblocks, &parser->pageblocks_size, sizeof(*blocks));
	if (!blocks)
		return -1;
	snapshot->pageblock = blocks;
	blocks[snapshot->nr_pageblocks++] = (struct snapshot_pageblock){(uint32_t)pfn, (uint8_t)bits};
	return 0;
}

static int frames_class(const struct parser *parser, const char *word, size_t length, enum snapshot_class *class)
{
	static const struct {
		const char *name;
		enum snapshot_class class;
	} classes[] = {
		{"free", SNAPSHOT_FREE},	  {"pcp", SNAPSHOT_PCP},
		{"reserved", SNAPSHOT_RESERVED},  {"lru-anon", SNAPSHOT_LRU_ANON},
		{"lru-file", SNAPSHOT_LRU_FILE},  {"lru-unevictable", SNAPSHOT_LRU_UNEVICTABLE},
		{"anon-offlru", SNAPSHOT_OFFLRU}, {"mapping-offlru", SNAPSHOT_OFFLRU},
		{"type-slab", SNAPSHOT_SLAB},	  {"type-table", SNAPSHOT_TABLE},
		{"kernel", SNAPSHOT_KERNEL},	  {"idle", SNAPSHOT_IDLE},
	};

	for (unsigned i = 0; i < COUNT(classes); i++) {
		if (is_word(word, length, classes[i].name)) {
			*class = classes[i].class;
			return 0;
		}
	}
	if (length > 5 && memcmp(word, "type-", 5) == 0) {
		*class = SNAPSHOT_TYPE_OTHER;
		return 0;
	}
	return FAIL(parser, "'%.*s' is not a class of frames (free, pcp, reserved, lru-anon, ... idle)",
		    (int)(length > 32 ? 32 : length), word);
}

// "PFN LEN CLASS"
static int frames_line(struct parser *parser)
{
	struct snapshot *snapshot = parser->snapshot;
	struct snapshot_frames *runs;
	enum snapshot_class class = SNAPSHOT_KERNEL;
	uint64_t pfn, nr;
	const char *word;
	size_t length;

	if (next_number(parser, "pfn", UINT32_MAX, &pfn) || next_number(parser, "length", UINT32_MAX, &nr)
	    || next_word(parser, &word, &length) || line_over(parser) || frames_class(parser, word, length, &class))
		return -1;
	if (nr == 0 || pfn + nr > (uint64_t)UINT32_MAX + 1)
		return FAIL(parser, "a run of %" PRIu64 " frames: at least 1, and ending below 2^32, is right", nr);
	if (snapshot->nr_frames) {
		const struct snapshot_frames *last = &snapshot->frames[snapshot->nr_frames - 1];

		if ((uint64_t)last->pfn + last->nr > pfn)
			return FAIL(parser, "frames %" PRIu64 " overlap or precede the run %" PRIu32 " + %" PRIu32, pfn,
				    last->pfn, last->nr);
	}
	runs = grow(parser, snapshot->frames, snapshot->nr_frames, &parser->frames_size, sizeof(*runs));
	if (!runs)
		return -1;
	snapshot->frames = runs;
	runs[snapshot->nr_frames++] = (struct snapshot_frames){(uint32_t)pfn, (uint32_t)nr, class};
	return 0;
}

static bool zone_exists(const struct snapshot *snapshot, const struct snapshot_zoneref *ref)
{
	for (uint32_t i = 0; i < snapshot->nr_zones; i++)
		if (snapshot->zone[i].node == ref->node && snapshot->zone[i].index == ref->zone_index)
			return true;
	return false;
}

// What can be checked only when all lines are known.
static int end_line(struct parser *parser)
{
	const struct snapshot *snapshot = parser->snapshot;

	if (line_over(parser) || zone_complete(parser))
		return -1;
	if (!(parser->heads & HEAD_PAGESIZE))
		return FAIL(parser, "the 'pagesize' line is missing");
	if (snapshot->nr_zones == 0)
		return FAIL(parser, "the snapshot has no zone");
	for (uint32_t n = 0; n < snapshot->nr_nodes; n++) {
		const struct snapshot_node *node = &snapshot->node[n];

		for (uint32_t i = 0; i < node->nr_fallback + node->nr_thisnode; i++) {
			const struct snapshot_zoneref *ref =
				i < node->nr_fallback ? &node->fallback[i] : &node->thisnode[i - node->nr_fallback];

			if (!zone_exists(snapshot, ref))
				return FAIL(parser,
					    "a zonelist of node %" PRIu32 " names node%" PRIu32
					    ":%s, which is no zone here",
					    node->id, ref->node, zone_names[ref->zone_index]);
		}
	}
	parser->over = true;
	return 0;
}

static int snapshot_line(struct parser *parser)
{
	static const struct {
		const char *word;
		int (*parse)(struct parser *);
	} kinds[] = {
		{"frames", frames_line}, {"pageblock", pageblock_line}, {"zone", zone_line},
		{"node", node_line},	 {"global", global_line},	{"enum", enum_line},
		{"kernel", kernel_line}, {"cpus", cpus_line},		{"pagesize", pagesize_line},
		{"end", end_line},
	};
	const char *word;
	size_t length;

	if (next_word(parser, &word, &length))
		return -1;
	for (unsigned i = 0; i < COUNT(kinds); i++)
		if (is_word(word, length, kinds[i].word))
			return kinds[i].parse(parser);
	return FAIL(parser, "'%.*s' begins no line of a snapshot", (int)(length > 32 ? 32 : length), word);
}

static int parse(struct parser *parser)
{
	static const char header[] = "pageyard-snapshot 1";
	size_t length;
	int got;

	for (;;) {
		got = trace_input_line(parser->input, &parser->at, &length, parser->error);
		if (got < 0)
			return -1;
		if (got == 0)
			return parser->over ? 0 : FAIL(parser, "truncated: the file ends without its 'end' line");
		parser->end = parser->at + length;
		if (parser->over)
			return FAIL(parser, "a line after the 'end' line");
		if (parser->input->unterminated && !is_word(parser->at, length, "end"))
			return FAIL(parser, "truncated: the file ends in the middle of a line");
		if (parser->input->line == 1) {
			if (!is_word(parser->at, length, header))
				return FAIL(parser, "this is no snapshot that this program reads: '%s' is right",
					    header);
			continue;
		}
		if (snapshot_line(parser))
			return -1;
	}
}

static struct snapshot *new_snapshot(void)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
	const int64_t unnamed = -1;

	if (!snapshot)
		return NULL;
	for (unsigned i = 0; i < COUNT(global_fields); i++)
		memcpy((char *)snapshot + global_fields[i].offset, &unnamed, sizeof(unnamed));
	for (unsigned i = 0; i < SNAPSHOT_ZONE_TYPES; i++)
		snapshot->lowmem_reserve_ratio[i] = unnamed;
	return snapshot;
}

struct snapshot *snapshot_read(const char *path, struct trace_error *error)
{
	struct parser parser = {.error = error};
	int failed = -1;

	parser.input = trace_input_open(path, LINE_MAX_BYTES, error);
	if (!parser.input)
		return NULL;
	parser.snapshot = new_snapshot();
	if (parser.snapshot)
		failed = parse(&parser);
	else
		trace_fail(error, "%.250s: no memory to read it", path);
	if (failed) {
		snapshot_free(parser.snapshot);
		parser.snapshot = NULL;
	}
	trace_input_close(parser.input);
	free(parser.node);
	free(parser.pcp);
	return parser.snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (uint32_t z = 0; z < snapshot->nr_zones; z++) {
		struct snapshot_zone *zone = &snapshot->zone[z];

		for (unsigned o = 0; o < SNAPSHOT_ORDERS; o++)
			for (unsigned m = 0; m < SNAPSHOT_MIGRATETYPES; m++)
				free(zone->free[o][m].pfn);
		for (uint32_t c = 0; c < zone->nr_pcps; c++)
			for (unsigned i = 0; i < SNAPSHOT_PCP_LISTS; i++)
				free(zone->pcp[c].list[i].pfn);
		free(zone->pcp);
	}
	free(snapshot->zone);
	free(snapshot->node);
	free(snapshot->pageblock);
	free(snapshot->frames);
	free(snapshot);
}
