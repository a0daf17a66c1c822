// SPDX-License-Identifier: Apache-2.0
//
// Lines of a snapshot that begin with "node": a node's fields and its zonelists.

#include <inttypes.h>
#include <stdlib.h>

#include "trace/snapshot_parse.h"

// clang-format off
#define NODE(name, field)	{ name, offsetof(struct snapshot_node, field) }
// clang-format on

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

// "nodeX:ZONE"
static int zoneref(struct parser *parser, struct snapshot_zoneref *ref)
{
	const char *word, *colon;
	size_t length;
	uint64_t node;
	int index = -1;

	if (parse_word(parser, &word, &length))
		return -1;
	colon = memchr(word, ':', length);
	if (colon && length > 4 && memcmp(word, "node", 4) == 0
	    && trace_scan_unsigned(word + 4, SNAPSHOT_NODES_MAX - 1, ':', &node) == colon + 1)
		index = parse_zone_index(colon + 1, (size_t)(word + length - colon - 1));
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

	if (parse_number(parser, "zonelist", 1, &which)
	    || parse_once(parser, &seen->zonelists, 1u << which, "zonelist"))
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

int parse_node_line(struct parser *parser)
{
	struct snapshot_node *node;
	const char *name;
	size_t length;
	uint64_t id;

	if (parse_number(parser, "node", SNAPSHOT_NODES_MAX - 1, &id) || parse_word(parser, &name, &length))
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

	if (parse_plain(parser, node_fields, COUNT(node_fields), &seen->plain, node, name, length, is_signed) < 0)
		return -1;
	node->has_workers = (~seen->plain & ((1u << WORKER_FIELDS) - 1)) == 0;
	return 0;
}
