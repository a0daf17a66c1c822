// SPDX-License-Identifier: Apache-2.0
//
// The NUMA counters of zones (spec 05 C1 to C3, C5; C4 is in test_mempolicy.c): numa_hit and its like, on three nodes
// with one CPU each, the third node without memory.

#include "engine_fixture.h"
#include "pageyard/mempolicy.h"

enum { NODES = 3, FRAMES = 4096, REFUSE = 1000000 };

static void build_nodes(bool no_numa_stat)
{
	static const uint16_t cpu_node[] = { 0, 1, 2 };
	static const struct yard_range memory[] = {
		{ BASE, BASE + FRAMES, 0 },
		{ BASE + FRAMES, BASE + 2 * FRAMES, 1 },
	};
	struct yard_config config = plain_config();

	config.nr_nodes = config.nr_cpus = NODES;
	config.cpu_node = cpu_node;
	config.memory = memory;
	config.nr_memory = COUNT(memory);
	config.no_numa_stat = no_numa_stat;
	build(&config);
}

static unsigned zone_id(unsigned node)
{
	return node * YARD_ZONE_TYPES + NORMAL;
}

static void refuse(unsigned node)
{
	set_wmarks(zone_at(yard, zone_id(node)), REFUSE, REFUSE, REFUSE);
}

static uint32_t alloc_on(int node, uint64_t nodemask, unsigned order)
{
	const struct yard_request r = {
		.gfp = GFP_M, .order = (uint8_t)order, .node = (int16_t)node, .nodemask = nodemask,
	};
	struct yard_result result;

	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	return result.pfn;
}

// "hit miss foreign local other" of a node.
static void check_counts(unsigned node, const char *expected, int line)
{
	static struct text text;
	struct yard_zone_state zone = zone_state(zone_id(node));

	text.length = 0;
	put(&text, "%d %d %d %d %d", (int)zone.numa[YARD_NUMA_HIT], (int)zone.numa[YARD_NUMA_MISS],
	    (int)zone.numa[YARD_NUMA_FOREIGN], (int)zone.numa[YARD_NUMA_LOCAL], (int)zone.numa[YARD_NUMA_OTHER]);
	same_text("hit miss foreign local other", text.chars, expected, __FILE__, line);
}
#define assert_counts(node, expected) check_counts(node, expected, __LINE__)

// C2, both where the per-CPU sets serve and where the buddy lists do.
static void C2_hit_miss_foreign_local_other(void **state)
{
	(void)state;
	for (unsigned sets = 0; sets < 2; sets++) {
		build_nodes(false);
		direct(!sets);
		alloc_on(-1, 0, 0); // node 0 for CPU 0
		assert_counts(0, "1 0 0 1 0");
		alloc_on(1, 0, 0); // wanted and given there, by a CPU elsewhere
		assert_counts(1, "1 0 0 0 1");
		refuse(1);
		alloc_on(1, 0, 0); // spilled to node 0, which is local
		assert_counts(0, "1 1 0 2 0");
		assert_counts(1, "1 0 1 0 1");
		yard_sim_set_cpu(yard, 1);
		alloc_on(-1, 0, 0); // spilled, and remote
		assert_counts(0, "1 2 0 2 1");
		assert_counts(1, "1 0 2 0 1");
	}
}

// C3: a block counts once, whatever its order; bulk counts its pages.
static void C3_one_for_each_removal(void **state)
{
	uint32_t pfns[7];

	(void)state;
	build_nodes(false);
	for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++)
		alloc_on(-1, 0, order);
	assert_counts(0, "11 0 0 11 0");
	for (size_t i = 0; i < COUNT(pfns); i++)
		pfns[i] = NONE;
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, COUNT(pfns), pfns), COUNT(pfns));
	assert_counts(0, "18 0 0 18 0");
	refuse(0);
	refuse(1);
	assert_int_equal(yard_alloc(yard, GFP_M, 0), NONE); // failures count nowhere
	assert_counts(0, "18 0 0 18 0");
	assert_counts(1, "0 0 0 0 0");
}

// C5: the preferred zone of a CPU whose node has no memory is on another node: its pages are hits there.
static void C5_memoryless_node(void **state)
{
	(void)state;
	build_nodes(false);
	yard_sim_set_cpu(yard, 2);
	alloc_on(-1, 0, 0);
	assert_counts(1, "0 0 0 0 0");
	assert_counts(0, "1 0 0 0 1");
	assert_counts(2, "0 0 0 0 0");
}

// C5: the second node of a policy's set is a miss.
static void C5_second_node_of_a_mask(void **state)
{
	static const enum yard_mempolicy_mode modes[] = { YARD_MPOL_BIND, YARD_MPOL_PREFERRED_MANY };
	const struct yard_request r = { .gfp = GFP_M, .node = -1 };

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct yard_mempolicy policy;
		struct yard_result result;

		build_nodes(false);
		assert_int_equal(yard_mempolicy_set(yard, &policy, modes[i], 0, 3, 0), YARD_OK);
		refuse(0);
		assert_int_equal(yard_alloc_policy(yard, &policy, NULL, 0, &r, &result), YARD_OK);
		assert_counts(0, "0 0 1 0 0");
		assert_counts(1, "0 1 0 0 1");
	}
}

// C5: a mask without the CPU's node has its preferred zone in the mask: a hit, but not local.
static void C5_mask_elsewhere(void **state)
{
	(void)state;
	build_nodes(false);
	alloc_on(-1, 1 << 1, 0);
	assert_counts(0, "0 0 0 0 0");
	assert_counts(1, "1 0 0 0 1");
}

static void C5_freeing_changes_nothing(void **state)
{
	uint32_t pfn;

	(void)state;
	build_nodes(false);
	pfn = alloc_on(1, 0, 3);
	assert_counts(1, "1 0 0 0 1");
	assert_int_equal(yard_free(yard, pfn, 3), YARD_OK);
	yard_drain_all(yard, -1);
	assert_counts(1, "1 0 0 0 1");
}

// C1: off, they stay as they are; on again, they go on from there. No request goes elsewhere for it.
static void C1_numa_stat_stops_them(void **state)
{
	struct yard_mempolicy policy;
	const struct yard_request r = { .gfp = GFP_M, .node = -1 };
	struct yard_result result;

	(void)state;
	build_nodes(false);
	alloc_on(-1, 0, 0);
	alloc_on(1, 0, 4);
	yard_set_numa_stat(yard, false);
	yard_set_numa_stat(yard, false);
	alloc_on(-1, 0, 0);
	alloc_on(1, 0, 4);
	assert_int_equal(yard_mempolicy_set(yard, &policy, YARD_MPOL_INTERLEAVE, 0, 2, 0), YARD_OK);
	assert_int_equal(yard_alloc_policy(yard, &policy, NULL, 0, &r, &result), YARD_OK);
	assert_counts(0, "1 0 0 1 0");
	assert_counts(1, "1 0 0 0 1");
	assert_int_equal(zone_state(zone_id(1)).numa[YARD_NUMA_INTERLEAVE_HIT], 0);
	yard_set_numa_stat(yard, true);
	assert_counts(0, "1 0 0 1 0");
	alloc_on(-1, 0, 0);
	assert_int_equal(yard_alloc_policy(yard, &policy, NULL, 0, &r, &result), YARD_OK);
	assert_counts(0, "2 0 0 2 0");
	assert_counts(1, "2 0 0 0 2");
	assert_int_equal(zone_state(zone_id(1)).numa[YARD_NUMA_INTERLEAVE_HIT], 1);
	assert_verified();
}

static void C1_off_from_the_start(void **state)
{
	(void)state;
	build_nodes(true);
	alloc_on(-1, 0, 0);
	assert_counts(0, "0 0 0 0 0");
	yard_set_numa_stat(yard, true);
	alloc_on(-1, 0, 0);
	assert_counts(0, "1 0 0 1 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C2_hit_miss_foreign_local_other),
		cmocka_unit_test(C3_one_for_each_removal),
		cmocka_unit_test(C5_memoryless_node),
		cmocka_unit_test(C5_second_node_of_a_mask),
		cmocka_unit_test(C5_mask_elsewhere),
		cmocka_unit_test(C5_freeing_changes_nothing),
		cmocka_unit_test(C1_numa_stat_stops_them),
		cmocka_unit_test(C1_off_from_the_start),
	};

	return cmocka_run_group_tests_name("numa_counters", tests, NULL, demolish);
}
