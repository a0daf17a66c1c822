// SPDX-License-Identifier: Apache-2.0
//
// Lines of a snapshot that tell of the whole machine: kernel, cpus, pagesize, the kernel's constants, global fields.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace/snapshot_parse.h"

// clang-format off
#define GLOBAL(name)	{ #name, offsetof(struct snapshot, name) }
// clang-format on

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

void parse_unnamed(struct snapshot *snapshot)
{
	const int64_t unnamed = -1;

	for (unsigned i = 0; i < COUNT(global_fields); i++)
		memcpy((char *)snapshot + global_fields[i].offset, &unnamed, sizeof(unnamed));
	for (unsigned i = 0; i < SNAPSHOT_ZONE_TYPES; i++)
		snapshot->lowmem_reserve_ratio[i] = unnamed;
}

// The constants of the kernel must be the ones that our enums copy, or the lists mean something else.
int parse_enum_line(struct parser *parser)
{
	static const struct plain wanted[] = {
		{"MIGRATE_UNMOVABLE", 0},  {"MIGRATE_MOVABLE", 1}, {"MIGRATE_RECLAIMABLE", 2},
		{"MIGRATE_HIGHATOMIC", 3}, {"MIGRATE_CMA", 4},	   {"MIGRATE_ISOLATE", 5},
		{"ZONE_DMA", 0},	   {"ZONE_DMA32", 1},	   {"ZONE_NORMAL", 2},
		{"ZONE_MOVABLE", 3},	   {"ZONE_DEVICE", 4},
	};
	const char *word;
	size_t length;

	if (parse_word(parser, &word, &length))
		return -1;
	while (parser->at < parser->end) {
		struct trace_number number;
		const char *equals;

		if (parse_word(parser, &word, &length))
			return -1;
		equals = memchr(word, '=', length);
		if (!equals || parse_word_number(parser, equals + 1, word + length, "the constant", &number))
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

int parse_kernel_line(struct parser *parser)
{
	if (parse_once(parser, &parser->heads, HEAD_KERNEL, "kernel"))
		return -1;
	snprintf(parser->snapshot->kernel, sizeof(parser->snapshot->kernel), "%.*s", (int)(parser->end - parser->at),
		 parser->at);
	return 0;
}

int parse_cpus_line(struct parser *parser)
{
	uint64_t cpus;

	if (parse_once(parser, &parser->heads, HEAD_CPUS, "cpus")
	    || parse_number(parser, "cpus", TRACE_CPUS_MAX, &cpus))
		return -1;
	if (cpus == 0)
		return FAIL(parser, "cpus 0: at least 1 is right");
	parser->snapshot->nr_cpus = (uint32_t)cpus;
	parser->pcp = calloc(cpus, sizeof(*parser->pcp));
	if (!parser->pcp)
		return FAIL(parser, "no memory for %" PRIu64 " cpus", cpus);
	return parse_over(parser);
}

int parse_pagesize_line(struct parser *parser)
{
	uint64_t bytes;

	if (parse_once(parser, &parser->heads, HEAD_PAGESIZE, "pagesize")
	    || parse_number(parser, "pagesize", UINT32_MAX, &bytes))
		return -1;
	if (bytes != 4096)
		return FAIL(parser, "pagesize %" PRIu64 ": this program reads snapshots with 4096", bytes);
	return parse_over(parser);
}

int parse_global_line(struct parser *parser)
{
	struct snapshot *snapshot = parser->snapshot;
	const char *name;
	size_t length;
	uint64_t value;
	int got;

	if (parse_word(parser, &name, &length))
		return -1;
	if (is_word(name, length, "sysctl_lowmem_reserve_ratio")) {
		if (parse_once(parser, &parser->heads, HEAD_RATIO, "global sysctl_lowmem_reserve_ratio"))
			return -1;
		for (unsigned i = 0; i < SNAPSHOT_ZONE_TYPES && parser->at < parser->end; i++) {
			if (parse_number(parser, "sysctl_lowmem_reserve_ratio", INT32_MAX, &value))
				return -1;
			snapshot->lowmem_reserve_ratio[i] = (int64_t)value;
		}
		return parse_over(parser);
	}
	got = parse_plain(parser, global_fields, COUNT(global_fields), &parser->globals, snapshot, name, length, true);
	return got < 0 ? -1 : 0;
}
