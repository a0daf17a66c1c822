// SPDX-License-Identifier: Apache-2.0
//
// Lines of a snapshot that tell of frames: the types of pageblocks, and what runs of frames hold.

#include <inttypes.h>
#include <stdlib.h>

#include "trace/snapshot_parse.h"

enum { FRAMES_OF_BLOCK = 512, PAGEBLOCK_BITS_MAX = 31 };

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
int parse_pageblock_line(struct parser *parser)
{
	struct snapshot *snapshot = parser->snapshot;
	struct snapshot_pageblock *blocks;
	uint64_t pfn, type, bits;
	const char *word;
	size_t length;

	if (parse_number(parser, "pfn", UINT32_MAX, &pfn)
	    || parse_number(parser, "migratetype", SNAPSHOT_MIGRATETYPES - 1, &type)
	    || parse_word(parser, &word, &length) || parse_over(parser))
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
			    "pageblock %" PRIu64 " comes after pageblock %" PRIu32
			    ": ascending, each once, is right",
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
int parse_frames_line(struct parser *parser)
{
	struct snapshot *snapshot = parser->snapshot;
	struct snapshot_frames *runs;
	enum snapshot_class class = SNAPSHOT_KERNEL;
	uint64_t pfn, nr;
	const char *word;
	size_t length;

	if (parse_number(parser, "pfn", UINT32_MAX, &pfn) || parse_number(parser, "length", UINT32_MAX, &nr)
	    || parse_word(parser, &word, &length) || parse_over(parser) || frames_class(parser, word, length, &class))
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
