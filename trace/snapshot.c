// SPDX-License-Identifier: Apache-2.0
//
// Reading a snapshot (docs/oracle-format.md): one parser walks the lines. Those of a kind are read in snapshot_KIND.c.

#include "trace/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>

#include "trace/snapshot_parse.h"

enum { LINE_MAX_BYTES = 1 << 29 };

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

	if (parse_over(parser) || parse_zone_complete(parser))
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
					    node->id, ref->node, parse_zone_names[ref->zone_index]);
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
		{"frames", parse_frames_line},	   {"pageblock", parse_pageblock_line},
		{"zone", parse_zone_line},	   {"node", parse_node_line},
		{"global", parse_global_line},	   {"enum", parse_enum_line},
		{"kernel", parse_kernel_line},	   {"cpus", parse_cpus_line},
		{"pagesize", parse_pagesize_line}, {"end", end_line},
	};
	const char *word;
	size_t length;

	if (parse_word(parser, &word, &length))
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

	if (snapshot)
		parse_unnamed(snapshot);
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
