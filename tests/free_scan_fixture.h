// SPDX-License-Identifier: Apache-2.0
//
// What the tests of compaction's free scanner share: zones of single free frames, and the store of free chunks.

#pragma once

#include "spec03_fixture.h"

enum { BLOCKS = 32, END = BLOCKS * BLOCK };

#define SCANS KIND(ISOLATE_FREEPAGES)

// In use but for one block, of a type that is no target, which keeps the watermark away (C5.5).
enum { SPARE = 10 * BLOCK };

static UNUSED void give_rest(uint32_t from, uint32_t to)
{
	if (from <= SPARE && SPARE < to) {
		give_used(from, SPARE, false);
		give_type(SPARE, U);
		give_free(SPARE, 9);
		from = SPARE + BLOCK;
	}
	give_used(from, to, false);
}

// Single free frames at these offsets, in this order on the M list; all else is in use.
static UNUSED void build_singles(const char *policy, const uint32_t *offsets, size_t nr)
{
	static bool has[END];

	memset(has, 0, sizeof has);
	blank_mover(policy, END);
	for (size_t i = 0; i < nr; i++) {
		give_free(offsets[i], 0);
		has[offsets[i]] = true;
	}
	give_type(SPARE, U);
	give_free(SPARE, 9);
	for (uint32_t i = 0; i < END; i++)
		if (!has[i] && block_start(i) != SPARE)
			give_used(i, i + 1, false);
	start();
	set_wmarks(normal(), 0, 0, 0);
}

static UNUSED void check_store(unsigned order, const char *expected, const char *file, int line)
{
	uint64_t pages = 0;

	check_list(&cc.free_store[order], expected, file, line);
	for (unsigned o = 0; o <= YARD_MAX_PAGE_ORDER; o++)
		pages += list_length(&cc.free_store[o]) << o;
	assert_int_equal(pages, cc.nr_freepages); // 3.15
}
#define assert_store(order, expected) check_store(order, expected, __FILE__, __LINE__)

static UNUSED void forget_store(void)
{
	cc.nr_migratepages = 0;
	put_all_back();
}
