// SPDX-License-Identifier: Apache-2.0
//
// Zonelists, requests and their flags, cpusets (spec 01 sections 2 and 3).

#include "engine_fixture.h"

enum { FRAMES = 4096 }; // of each node

// Nodes of FRAMES frames each from BASE on; bit n of `memory` says whether node n has any.
static void build_nodes(unsigned nr, unsigned memory, const uint8_t *distance)
{
	struct yard_range ranges[8];
	struct yard_config config = plain_config();

	config.nr_nodes = nr;
	config.distance = distance;
	config.memory = ranges;
	for (unsigned n = 0; n < nr; n++)
		if (memory >> n & 1)
			ranges[config.nr_memory++] =
				(struct yard_range){ BASE + n * FRAMES, BASE + (n + 1) * FRAMES, n };
	build(&config);
}

// "0 1 2 3": the nodes of a node's fallback list, one zone each.
static void check_order(unsigned node, const char *expected, const char *file, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (const uint8_t *entry = yard->nodes[node].fallback; *entry != ZONE_MIXED; entry++)
		put(&text, "%s%u", text.length ? " " : "", zone_at(yard, *entry)->node);
	same_text("fallback order", text.chars, expected, file, line);
}
#define assert_order(node, expected) check_order(node, expected, __FILE__, __LINE__)

// Z3's example: equidistant nodes take turns.
static void Z3_equidistant_nodes(void **state)
{
	(void)state;
	build_nodes(4, 15, NULL);
	assert_order(0, "0 1 2 3");
	assert_order(1, "1 2 3 0");
	assert_order(2, "2 3 0 1");
	assert_order(3, "3 0 1 2");
}

// Z3: nearer nodes first; among equals the one with less load.
static void Z3_distances(void **state)
{
	static const uint8_t distance[] = { 10, 20, 30, 30, 20, 10, 30, 30, 30, 30, 10, 20, 30, 30, 20, 10 };

	(void)state;
	build_nodes(4, 15, distance);
	assert_order(0, "0 1 2 3"); // adds load to 1 and 2
	assert_order(1, "1 0 3 2"); // 3 has no load yet; adds to 0 and 3
	assert_order(2, "2 3 0 1"); // 0 and 1 have the same load; adds to 3 and 0
	assert_order(3, "3 2 1 0"); // 1 has less than 0
}

// Z3: a node without memory has the others in its list, and is in none.
static void Z3_memoryless_node(void **state)
{
	(void)state;
	build_nodes(3, 5, NULL);
	assert_order(0, "0 2");
	assert_order(1, "2 0"); // 0 < 1 costs one
	assert_order(2, "2 0");
	assert_int_equal(yard->nodes[1].thisnode[0], ZONE_MIXED);
}

// ---- spec 05 T4 to T6 ----

struct topology { // of table T6
	const char *name, *order; // fallback lists, as ids without blanks between them
	uint8_t nr, memory, cpus; // nodes; bit masks of those with memory, with CPUs
	bool boot;		  // T5: built before any CPU is known
	uint8_t load[8];
	uint8_t distance[64];
};

static const struct topology topologies[] = {
	{ "2s", "01 10", 2, 3, 3, false, { 1, 1 }, { 10, 21, 21, 10 } },
	{ "4s, all 21", "0123 1230 2301 3012", 4, 15, 15, false, { 1, 1, 1, 1 },
	  { 10, 21, 21, 21, 21, 10, 21, 21, 21, 21, 10, 21, 21, 21, 21, 10 } },
	{ "4s ring", "0123 1032 2301 3210", 4, 15, 15, false, { 2, 2, 2, 2 },
	  { 10, 21, 31, 31, 21, 10, 31, 31, 31, 31, 10, 21, 31, 31, 21, 10 } },
	{ "EPYC NPS4", "01234567 12305674 23016745 30127456 45670123 56741230 67452301 74563012", 8, 255, 255, false,
	  { 2, 2, 2, 2, 2, 2, 2, 2 },
	  { 10, 12, 12, 12, 32, 32, 32, 32, 12, 10, 12, 12, 32, 32, 32, 32,
	    12, 12, 10, 12, 32, 32, 32, 32, 12, 12, 12, 10, 32, 32, 32, 32,
	    32, 32, 32, 32, 10, 12, 12, 12, 32, 32, 32, 32, 12, 10, 12, 12,
	    32, 32, 32, 32, 12, 12, 10, 12, 32, 32, 32, 32, 12, 12, 12, 10 } },
	{ "EPYC 7551", "01236457 12307546 23014567 30125674 47652013 56743102 67450123 74561230", 8, 255, 255, false,
	  { 3, 4, 3, 2, 3, 3, 3, 3 },
	  { 10, 16, 16, 16, 28, 28, 22, 28, 16, 10, 16, 16, 28, 28, 28, 22,
	    16, 16, 10, 16, 22, 28, 28, 28, 16, 16, 16, 10, 28, 22, 28, 28,
	    28, 28, 22, 28, 10, 16, 16, 16, 28, 28, 28, 22, 16, 10, 16, 16,
	    22, 28, 28, 28, 16, 16, 10, 16, 28, 22, 28, 28, 16, 16, 16, 10 } },
	{ "2s + 2 CXL", "0123 1032 2031 3120", 4, 15, 3, false, { 2, 2, 3, 3 },
	  { 10, 20, 30, 40, 20, 10, 40, 30, 30, 40, 10, 40, 40, 30, 40, 10 } },
	{ "2s + 1 CXL, hotplug", "021 120 201", 3, 7, 3, false, { 1, 0, 2 }, { 10, 21, 21, 21, 10, 21, 21, 21, 10 } },
	{ "2s + 1 CXL, boot", "012 120 201", 3, 7, 3, true, { 1, 1, 1 }, { 10, 21, 21, 21, 10, 21, 21, 21, 10 } },
};

static void build_topology(const struct topology *topology)
{
	uint16_t cpu_node[8];
	struct yard_range ranges[8];
	struct yard_config config = plain_config();

	config.nr_nodes = topology->nr;
	config.distance = topology->distance;
	config.memory = ranges;
	config.cpu_node = cpu_node;
	config.nr_cpus = 0;
	config.zonelists_see_cpus = !topology->boot;
	for (unsigned n = 0; n < topology->nr; n++) {
		if (topology->memory >> n & 1)
			ranges[config.nr_memory++] =
				(struct yard_range){ BASE + n * FRAMES, BASE + (n + 1) * FRAMES, n };
		if (topology->cpus >> n & 1)
			cpu_node[config.nr_cpus++] = (uint16_t)n;
	}
	build(&config);
}

static const char *all_orders(void)
{
	static struct text text;

	text.length = 0;
	for (unsigned n = 0; n < yard->nr_nodes; n++) {
		put(&text, "%s", n ? " " : "");
		for (const uint8_t *entry = yard->nodes[n].fallback; *entry != ZONE_MIXED; entry++)
			put(&text, "%u", zone_at(yard, *entry)->node);
	}
	return text.chars;
}

static void T6_test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(topologies); i++) {
		const struct topology *topology = &topologies[i];

		build_topology(topology);
		same_text(topology->name, all_orders(), topology->order, __FILE__, __LINE__);
		for (unsigned n = 0; n < topology->nr; n++)
			if (yard->node_load[n] != topology->load[n])
				fail_msg("%s: load of node %u is %u, not %u", topology->name, n, yard->node_load[n],
					 topology->load[n]);
	}
}

// T5: by default the first lists do not know the CPUs; those that memory hot-plug builds do.
static void T5_hotplug_sees_the_cpus(void **state)
{
	static const struct yard_range memory[] = {
		{ BASE, BASE + FRAMES, 0 },
		{ BASE + FRAMES, BASE + 2 * FRAMES, 1 },
	};
	static const struct yard_range offline = { BASE + 2 * FRAMES, BASE + 3 * FRAMES, 2 };
	static const uint16_t cpu_node[] = { 0, 1 };
	struct yard_config config = plain_config();

	(void)state;
	config.nr_nodes = 3;
	config.nr_cpus = config.nr_memory = 2;
	config.cpu_node = cpu_node;
	config.memory = memory;
	config.offline = &offline;
	config.nr_offline = 1;
	build(&config);
	assert_string_equal(all_orders(), "01 10 01");
	assert_int_equal(yard_online_memory(yard, offline.start, offline.end, YARD_ZONE_NORMAL), YARD_OK);
	assert_string_equal(all_orders(), "021 120 201");
	assert_verified();
}

// T3: each node has a list of its own zones only, for THISNODE.
static void T3_two_lists_for_each_node(void **state)
{
	(void)state;
	build_topology(&topologies[2]);
	for (unsigned n = 0; n < 4; n++) {
		assert_int_equal(zone_at(yard, yard->nodes[n].thisnode[0])->node, n);
		assert_int_equal(yard->nodes[n].thisnode[1], ZONE_MIXED);
	}
}

// Z2: within a node the highest zone first, populated ones only.
static void Z2_zones_from_the_highest_down(void **state)
{
	const uint32_t movable_start = BASE + 2048;
	const struct yard_range memory[] = { { 0, 8192, 0 }, { BASE, BASE + 4096, 0 } };
	struct yard_config config = plain_config();
	static const uint8_t expected[] = { YARD_ZONE_MOVABLE, YARD_ZONE_NORMAL, YARD_ZONE_DMA32, YARD_ZONE_DMA, ZONE_MIXED };

	(void)state;
	config.memory = memory;
	config.nr_memory = 2;
	config.movable_start = &movable_start;
	build(&config);
	assert_memory_equal(yard->nodes[0].fallback, expected, sizeof(expected));
	assert_memory_equal(yard->nodes[0].thisnode, expected, sizeof(expected));
}

// Z2: a zone with present but no managed pages is listed; the walk passes on.
static void Z2_populated_but_unmanaged(void **state)
{
	const struct yard_range memory[] = { { 4096, 8192, 0 }, { BASE, BASE + 1024, 0 } };
	const struct yard_range reserved = { BASE, BASE + 1024, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = memory;
	config.nr_memory = 2;
	config.reserved = &reserved;
	config.nr_reserved = 1;
	build(&config);
	assert_int_equal(yard->nodes[0].fallback[0], NORMAL);
	assert_int_equal(request(GFP_U, 0).zone, YARD_ZONE_DMA32);
}

// G2, Z5: the zone bits of a request set its highest zone.
static void G2_highest_zone(void **state)
{
	static const struct {
		uint32_t gfp;
		unsigned zone;
	} cases[] = {
		{ GFP_U, YARD_ZONE_NORMAL },
		{ GFP_U | YARD_GFP_DMA, YARD_ZONE_DMA },
		{ GFP_U | YARD_GFP_DMA32, YARD_ZONE_DMA32 },
		{ GFP_U | YARD_GFP_HIGHMEM, YARD_ZONE_NORMAL },
		{ GFP_U | YARD_GFP_MOVABLE, YARD_ZONE_NORMAL },
		{ GFP_U | YARD_GFP_HIGHMEM | YARD_GFP_MOVABLE, YARD_ZONE_MOVABLE },
		{ GFP_U | YARD_GFP_DMA | YARD_GFP_MOVABLE, YARD_ZONE_DMA },
		{ GFP_U | YARD_GFP_DMA32 | YARD_GFP_MOVABLE, YARD_ZONE_DMA32 },
	};
	const uint32_t movable_start = BASE + 2048;
	const struct yard_range memory[] = { { 0, 8192, 0 }, { BASE, BASE + 4096, 0 } };
	struct yard_config config = plain_config();
	struct yard_result result;

	(void)state;
	config.memory = memory;
	config.nr_memory = 2;
	config.movable_start = &movable_start;
	build(&config);
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(request(cases[i].gfp, 0).zone, cases[i].zone);
	static const uint32_t invalid[] = { YARD_GFP_DMA | YARD_GFP_DMA32, YARD_GFP_DMA | YARD_GFP_HIGHMEM,
					    YARD_GFP_DMA32 | YARD_GFP_HIGHMEM, YARD_GFP_MOVABLE | YARD_GFP_RECLAIMABLE };
	for (size_t i = 0; i < COUNT(invalid); i++) {
		struct yard_request r = { .gfp = GFP_U | invalid[i], .node = -1 };

		assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_EINVAL);
		assert_int_equal(result.pfn, NONE);
	}
	assert_verified();
}

// C12 with G2: a contiguous range comes from the zones that the gfp allows.
static void C12_respects_the_highest_zone(void **state)
{
	const uint32_t movable_start = BASE + 2048;
	const struct yard_range memory[] = { { 0, 8192, 0 }, { BASE, BASE + 4096, 0 } };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = memory;
	config.nr_memory = 2;
	config.movable_start = &movable_start;
	build(&config);
	assert_int_equal(yard_zone_of(yard, yard_alloc_contig(yard, 700, GFP_U)), YARD_ZONE_NORMAL);
	assert_int_equal(yard_zone_of(yard, yard_alloc_contig(yard, 700, GFP_M)), YARD_ZONE_MOVABLE);
	assert_int_equal(yard_zone_of(yard, yard_alloc_contig(yard, 700, GFP_U | YARD_GFP_DMA32)), YARD_ZONE_DMA32);
	assert_int_equal(yard_zone_of(yard, yard_alloc_contig(yard, 700, GFP_U | YARD_GFP_DMA)), YARD_ZONE_DMA);
}

// G2: __GFP_MOVABLE without HIGHMEM stays below ZONE_MOVABLE, also for a contiguous range.
static void C12_movable_alone_is_normal(void **state)
{
	const uint32_t movable_start = BASE + 2048;
	const struct yard_range memory = { BASE, BASE + 4096, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.movable_start = &movable_start;
	build(&config);
	assert_int_equal(yard_zone_of(yard, yard_alloc_contig(yard, 700, GFP_U | YARD_GFP_MOVABLE)), YARD_ZONE_NORMAL);
}

// G1: the migratetype of each request, as its event tells it.
static void G1_migratetype(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	request(GFP_U, 0);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->migratetype, U);
	request(GFP_M, 0);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->migratetype, M);
	request(GFP_R, 0);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->migratetype, R);
}

// G3, E-4: NOIO clears IO and FS, NOFS clears FS, a pin clears MOVABLE. T1: the event shows the flags after that.
static void G3_scopes(void **state)
{
	static const struct {
		uint8_t task;
		uint32_t gfp, expected;
	} cases[] = {
		{ YARD_TASK_NOIO, YARD_GFP_KERNEL, YARD_GFP_NOIO },
		{ YARD_TASK_NOFS, YARD_GFP_KERNEL, YARD_GFP_NOFS },
		{ YARD_TASK_NOIO | YARD_TASK_NOFS, YARD_GFP_KERNEL, YARD_GFP_NOIO },
		{ YARD_TASK_PIN, YARD_GFP_HIGHUSER_MOVABLE, YARD_GFP_HIGHUSER },
	};

	(void)state;
	build_normal(plain_config(), 8192);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct yard_request r = { .gfp = cases[i].gfp, .task = cases[i].task, .node = -1 };
		struct yard_result result;

		assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
		assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->a, cases[i].expected);
		assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->migratetype, U);
	}
}

// G4, Z5, Z6: THISNODE uses the node's own list; a nodemask limits the zones; the preferred node begins.
static void G4_nodes_of_a_request(void **state)
{
	struct yard_request r = { .gfp = GFP_M, .node = 1 };
	struct yard_result result;

	(void)state;
	build_nodes(3, 7, NULL);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_int_equal(result.zone, YARD_ZONE_TYPES + NORMAL);
	r.nodemask = 1 << 0;
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_int_equal(result.zone, NORMAL);
	r.gfp |= YARD_GFP_THISNODE; // the list of node 1 has no zone of node 0
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_ENOMEM);
	r.node = 3;
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_ERANGE);
}

// V1: hits and misses are told from the preferred zone, local and other from the CPU's node.
static void V1_numa_statistics(void **state)
{
	struct yard_request r = { .gfp = GFP_M, .node = 1 };
	struct yard_zone_state zero, one;
	struct yard_result result;

	(void)state;
	build_nodes(2, 3, NULL);
	yard_alloc_request(yard, &r, &result); // node 1 preferred and given; the CPU is on node 0
	r.nodemask = 1; // node 0 becomes preferred (Z6)
	yard_alloc_request(yard, &r, &result);
	zero = zone_state(NORMAL);
	one = zone_state(YARD_ZONE_TYPES + NORMAL);
	assert_int_equal(one.numa[YARD_NUMA_HIT], 1);
	assert_int_equal(one.numa[YARD_NUMA_OTHER], 1);
	assert_int_equal(one.numa[YARD_NUMA_LOCAL], 0);
	assert_int_equal(zero.numa[YARD_NUMA_HIT], 1);
	assert_int_equal(zero.numa[YARD_NUMA_LOCAL], 1);
	r.nodemask = 0;
	set_wmarks(zone_at(yard, YARD_ZONE_TYPES + NORMAL), 10, 1000000, 1000000); // node 1 refuses
	yard_alloc_request(yard, &r, &result);
	assert_int_equal(result.zone, NORMAL);
	assert_int_equal(zone_state(NORMAL).numa[YARD_NUMA_MISS], 1);
	assert_int_equal(zone_state(NORMAL).numa[YARD_NUMA_LOCAL], 2);
	assert_int_equal(zone_state(YARD_ZONE_TYPES + NORMAL).numa[YARD_NUMA_FOREIGN], 1);
}

// Z8: the fast attempt keeps to the cpuset's nodes.
static void Z8_cpuset_limits_the_fast_attempt(void **state)
{
	struct yard_request r = { .gfp = YARD_GFP_USER, .node = 0, .cpuset = 1 << 1 };
	struct yard_result result;

	(void)state;
	build_nodes(2, 3, NULL);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_int_equal(result.zone, YARD_ZONE_TYPES + NORMAL);
	r.nodemask = 1 << 0; // CPUSET is set instead: node 0 is refused, and HARDWALL stays refused in the slow path
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_ENOMEM);
}

// Z9: in an interrupt the cpuset does not count.
static void Z9_interrupts_ignore_cpusets(void **state)
{
	struct yard_request r = { .gfp = YARD_GFP_ATOMIC, .node = 0, .cpuset = 1 << 1, .task = YARD_TASK_INTERRUPT };
	struct yard_result result;

	(void)state;
	build_nodes(2, 3, NULL);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_int_equal(result.zone, NORMAL);
}

// Z9: the slow path has the caller's gfp back: without HARDWALL (and with cgroup v2) another node may serve.
static void Z9_kernel_requests_leave_the_cpuset_in_the_slow_path(void **state)
{
	struct yard_request r = { .gfp = YARD_GFP_KERNEL, .node = 0, .cpuset = 1 << 1 };
	struct yard_result result;

	(void)state;
	build_nodes(2, 3, NULL);
	set_wmarks(zone_at(yard, YARD_ZONE_TYPES + NORMAL), 1000000, 1000000, 1000000);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_int_equal(result.zone, NORMAL);
	r.gfp = YARD_GFP_USER;
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_ENOMEM);
}

// T1, Z8: with cpusets in use mm_page_alloc of a fast success shows HARDWALL, also when the caller did not ask for it.
static void T1_hardwall_of_the_fast_attempt(void **state)
{
	struct yard_request r = { .gfp = YARD_GFP_KERNEL, .node = 0, .cpuset = 1 << 0 };
	struct yard_result result;

	(void)state;
	build_nodes(2, 3, NULL);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->a, YARD_GFP_KERNEL | YARD_GFP_HARDWALL);
}

// T1: a failed request emits mm_page_alloc without a frame, once.
static void T1_failed_request(void **state)
{
	(void)state;
	build_normal(plain_config(), 4096);
	set_wmarks(normal(), 1000000, 1000000, 1000000);
	assert_int_equal(yard_alloc(yard, GFP_U, 2), NONE);
	assert_events(KIND(PAGE_ALLOC), "alloc(-,2,U)");
}

// G9: a NOLOCK request walks once, from the min watermark, without waking anybody.
static void G9_nolock(void **state)
{
	struct yard_request r = { .gfp = YARD_GFP_NOWAIT & ~(uint32_t)YARD_GFP_KSWAPD_RECLAIM, .node = -1, .nolock = true };
	struct yard_result result;

	(void)state;
	build_normal(plain_config(), 8192);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_int_equal(result.attempts, 1);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->a,
			 YARD_GFP_NOWARN | YARD_GFP_ZERO | YARD_GFP_NOMEMALLOC | YARD_GFP_COMP);
	r.order = 4; // not pcp-allowed
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_EINVAL);
	r.order = 0;
	r.gfp |= YARD_GFP_RECLAIMABLE; // an empty list, and nobody lets it refill
	yard_sim_set_zone_busy(yard, true);
	forget_events();
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_ENOMEM);
	assert_int_equal(result.attempts, 1);
	assert_events(KMEM | WAKES, "alloc(-,0,R)");
	yard_sim_set_zone_busy(yard, false);
	set_wmarks(normal(), 100, 1000000, 1000000); // only min counts
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	set_wmarks(normal(), 1000000, 1000000, 1000000);
	forget_events();
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_ENOMEM);
	assert_events(WAKES, "");
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(Z3_equidistant_nodes),
		cmocka_unit_test(Z3_distances),
		cmocka_unit_test(Z3_memoryless_node),
		cmocka_unit_test(T6_test_vectors),
		cmocka_unit_test(T5_hotplug_sees_the_cpus),
		cmocka_unit_test(T3_two_lists_for_each_node),
		cmocka_unit_test(Z2_zones_from_the_highest_down),
		cmocka_unit_test(Z2_populated_but_unmanaged),
		cmocka_unit_test(G2_highest_zone),
		cmocka_unit_test(C12_respects_the_highest_zone),
		cmocka_unit_test(C12_movable_alone_is_normal),
		cmocka_unit_test(G1_migratetype),
		cmocka_unit_test(G3_scopes),
		cmocka_unit_test(G4_nodes_of_a_request),
		cmocka_unit_test(V1_numa_statistics),
		cmocka_unit_test(Z8_cpuset_limits_the_fast_attempt),
		cmocka_unit_test(Z9_interrupts_ignore_cpusets),
		cmocka_unit_test(Z9_kernel_requests_leave_the_cpuset_in_the_slow_path),
		cmocka_unit_test(T1_hardwall_of_the_fast_attempt),
		cmocka_unit_test(T1_failed_request),
		cmocka_unit_test(G9_nolock),
	};

	return cmocka_run_group_tests_name("zonelist", tests, NULL, demolish);
}
