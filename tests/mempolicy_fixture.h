// SPDX-License-Identifier: Apache-2.0
//
// What the tests of memory policies share: a machine of four small nodes with one CPU each, two pairs of neighbours,
// and the nodes of pages as text ("0 1 1 2").

#pragma once

#include "engine_fixture.h"
#include "pageyard/mempolicy.h"

enum { NODES = 4, FRAMES = 4096, REFUSE = 1000000, HUGE = YARD_PAGEBLOCK_ORDER };
enum { ALL = (1 << NODES) - 1, INDEXED = 0 };

static UNUSED struct yard_mempolicy_cursor cursor;

static UNUSED void build_nodes(const uint32_t *movable_start)
{
	static const uint8_t distance[] = { 10, 20, 30, 30, 20, 10, 30, 30, 30, 30, 10, 20, 30, 30, 20, 10 };
	static const uint16_t cpu_node[] = { 0, 1, 2, 3 };
	struct yard_range ranges[NODES];
	struct yard_config config = plain_config();

	config.nr_nodes = config.nr_cpus = config.nr_memory = NODES;
	config.cpu_node = cpu_node;
	config.distance = distance;
	config.movable_start = movable_start;
	config.memory = ranges;
	for (unsigned n = 0; n < NODES; n++)
		ranges[n] = (struct yard_range){ BASE + n * FRAMES, BASE + (n + 1) * FRAMES, n };
	build(&config);
	direct(true);
	cursor = YARD_MEMPOLICY_CURSOR_START;
}

static UNUSED struct zone *zone_of_node(unsigned node)
{
	return zone_at(yard, node * YARD_ZONE_TYPES + NORMAL);
}

// Watermarks that the free memory of the node does not reach.
static UNUSED void refuse(unsigned node, uint32_t min, uint32_t low)
{
	set_wmarks(zone_of_node(node), min, low, REFUSE);
}

static UNUSED struct yard_mempolicy policy_with(enum yard_mempolicy_mode mode, unsigned flags, uint64_t nodes,
						uint64_t cpuset)
{
	struct yard_mempolicy policy;

	assert_int_equal(yard_mempolicy_set(yard, &policy, mode, flags, nodes, cpuset), YARD_OK);
	return policy;
}

static UNUSED struct yard_mempolicy make(enum yard_mempolicy_mode mode, uint64_t nodes)
{
	return policy_with(mode, 0, nodes, 0);
}

// The node of the page that a request gets, -1: none.
static UNUSED int node_of_request(const struct yard_mempolicy *policy, uint64_t index, const struct yard_request *r)
{
	struct yard_result result;

	if (yard_alloc_policy(yard, policy, &cursor, index, r, &result)) {
		assert_int_equal(result.pfn, NONE);
		return -1;
	}
	return (int)((result.pfn - BASE) / FRAMES);
}

static UNUSED int node_under(const struct yard_mempolicy *policy, uint64_t index, uint32_t gfp, unsigned order)
{
	const struct yard_request r = { .gfp = gfp, .order = (uint8_t)order, .node = -1 };

	return node_of_request(policy, index, &r);
}

static UNUSED int node_of_page(const struct yard_mempolicy *policy)
{
	return node_under(policy, YARD_NO_INDEX, GFP_M, 0);
}

// "0 1 1 2": the nodes of the next pages, by the cursor or from an index on.
static UNUSED void check_nodes(const struct yard_mempolicy *policy, uint64_t index, unsigned nr, const char *expected,
			const char *file, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (unsigned i = 0; i < nr; i++)
		put(&text, "%s%d", i ? " " : "",
		    node_under(policy, index == YARD_NO_INDEX ? index : index + i, GFP_M, 0));
	same_text("nodes", text.chars, expected, file, line);
}
#define assert_cursor_nodes(policy, nr, expected) check_nodes(policy, YARD_NO_INDEX, nr, expected, __FILE__, __LINE__)
#define assert_index_nodes(policy, index, nr, expected) check_nodes(policy, index, nr, expected, __FILE__, __LINE__)

// The gfp of the n-th page event since forget_events().
static UNUSED uint32_t gfp_of_event(size_t n)
{
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_PAGE_ALLOC && !n--)
			return (uint32_t)events[i].a;
	fail();
	return 0;
}
