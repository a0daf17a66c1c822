// SPDX-License-Identifier: Apache-2.0
//
// The parser of snapshots, shared by the files that read one kind of line each. Tables say which fields are kept and
// where. Every line that fills something is checked to come once: `seen` bits beside each thing that is filled.
//
// Functions that read return 0, or -1 with the error told (FAIL()).

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "trace/internal.h"
#include "trace/snapshot.h"

enum { SNAPSHOT_NODES_MAX = 1024 };

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

enum head { HEAD_KERNEL = 1, HEAD_CPUS = 2, HEAD_PAGESIZE = 4, HEAD_RATIO = 8 };
enum zone_line { ZONE_WATERMARK = 1, ZONE_RESERVE = 2, ZONE_CONTIGUOUS = 4, ZONE_CACHED_MIGRATE = 8 };

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

#define COUNT(array)	  (sizeof(array) / sizeof((array)[0]))
#define FAIL(parser, ...) trace_input_fail((parser)->input, (parser)->error, __VA_ARGS__)

static inline bool is_word(const char *word, size_t length, const char *wanted)
{
	return strlen(wanted) == length && memcmp(word, wanted, length) == 0;
}

// ---- words (snapshot_words.c) ----

// The next word of the line; -1 also when there is none.
int parse_word(struct parser *parser, const char **word, size_t *length);
int parse_over(const struct parser *parser); // -1: the line is not over
// A whole word (up to `end`) as a number of 64 bits, signed or not.
int parse_word_number(const struct parser *parser, const char *word, const char *end, const char *name,
		      struct trace_number *number);
// The next word as a number from 0 to max.
int parse_number(struct parser *parser, const char *name, uint64_t max, uint64_t *value);
// Notes that one of the lines that come once has come.
int parse_once(const struct parser *parser, uint32_t *seen, uint32_t bit, const char *name);
// "NAME v" where the name has been read. 1 when no table entry has this name.
int parse_plain(struct parser *parser, const struct plain *fields, size_t count, uint32_t *seen, void *base,
		const char *name, size_t length, bool is_signed);
// "NAME=v NAME=v ..." to the end of the line; names that no table entry has are left out.
int parse_pairs(struct parser *parser, const struct plain *fields, size_t count, void *base);

// ---- lines, whose first word has been read ----

int parse_enum_line(struct parser *parser); // the kernel's constants must be those of our enums
int parse_kernel_line(struct parser *parser);
int parse_cpus_line(struct parser *parser);
int parse_pagesize_line(struct parser *parser);
int parse_global_line(struct parser *parser);
int parse_node_line(struct parser *parser);
int parse_zone_line(struct parser *parser);
int parse_pageblock_line(struct parser *parser);
int parse_frames_line(struct parser *parser);

void parse_unnamed(struct snapshot *snapshot); // sets the fields of "global" lines to what says that none came
int parse_zone_complete(const struct parser *parser); // what every zone must have told when its lines are over

extern const char *const parse_zone_names[SNAPSHOT_ZONE_TYPES];
int parse_zone_index(const char *name, size_t length); // -1: no zone's name
