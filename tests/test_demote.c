// SPDX-License-Identifier: Apache-2.0
//
// Spec 04 section 7: reclaim of listed pages (P-5, P-6), demotion to slower nodes (P-3, P-8 to P-11; spec 05 D1 to D5).

#include "kswapd_fixture.h"

enum { NODES = 5, NODE_FRAMES = 4096, LRU_PAGES = 1024 };
enum { DEMOTION_GFP = (YARD_GFP_HIGHUSER_MOVABLE & ~YARD_GFP_NOIO) | YARD_GFP_NOWARN | YARD_GFP_NOMEMALLOC
		      | YARD_GFP_KSWAPD_RECLAIM };

static unsigned moved_to[NODES];

static enum yard_move_result move_to(void *context, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	assert_int_equal(mode, YARD_MIGRATE_ASYNC); // P-9
	moved_to[node_of(yard, to)]++;
	return owner_move(context, from, to, order, mode);
}

static unsigned moved(void)
{
	unsigned sum = 0;

	for (unsigned node = 0; node < NODES; node++)
		sum += moved_to[node];
	return sum;
}

static struct zone *zone_of_node(unsigned node)
{
	return zone_at(yard, node * YARD_ZONE_TYPES + NORMAL);
}

static void fill(unsigned node) // no request passes its marks
{
	set_wmarks(zone_of_node(node), 100000, 100000, 100000);
}

// Distances as given from node 0; node 0 in tier 0, the others as given. Bits of nodes without memory.
static void start_without(unsigned no_memory, const uint8_t *tier, const uint8_t *distance, bool on, const char *policy)
{
	static const uint16_t cpu_node[] = { 0 };
	struct yard_range memory[NODES];
	uint8_t matrix[NODES * NODES];
	struct yard_config config = noted_config(policy);

	config.nr_memory = 0;
	for (uint32_t i = 0; i < NODES; i++) {
		if (!(no_memory >> i & 1))
			memory[config.nr_memory++] =
				(struct yard_range){ BASE + i * NODE_FRAMES, BASE + (i + 1) * NODE_FRAMES, i };
		for (uint32_t j = 0; j < NODES; j++)
			matrix[i * NODES + j] = i == j ? 10 : i == 0 ? distance[j] : j == 0 ? distance[i] : 40;
	}
	config.nr_nodes = NODES;
	config.cpu_node = cpu_node;
	config.memory = memory;
	config.distance = matrix;
	config.node_tier = tier;
	config.demotion_enabled = on;
	config.owner.move = move_to;
	build(&config);
	for (unsigned node = 0; node < NODES; node++) {
		set_wmarks(zone_of_node(node), 10, 20, 30);
		set_pcps(zone_of_node(node), 1, 0, 0);
	}
	memset(moved_to, 0, sizeof moved_to);
	listen();
	watch_sleep();
	ask.silent = true;
}

static void start_tiers(const uint8_t *tier, const uint8_t *distance, bool on, const char *policy)
{
	start_without(0, tier, distance, on, policy);
}

static const uint8_t two_tiers[NODES] = { 0, 1, 1, 1, 2 };
static const uint8_t near_and_far[NODES] = { 10, 20, 20, 30, 15 };

static uint32_t first_page;

static void fill_lru(uint32_t flags, enum yard_mapping mapping)
{
	for (uint32_t i = 0; i < LRU_PAGES; i++) {
		const struct yard_request r = { .gfp = YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_THISNODE, .node = 0 };
		struct yard_result result;

		assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
		if (!i)
			first_page = result.pfn;
		assert_int_equal(yard_lru_add(yard, result.pfn, flags, mapping), YARD_OK);
	}
	yard_lru_drain(yard);
	forget();
}

static void start_demotion(uint32_t flags, enum yard_mapping mapping)
{
	start_tiers(two_tiers, near_and_far, true, "linux-7.3");
	fill_lru(flags, mapping);
}

static struct scan_control shrink_with(enum reclaim_role role, int8_t priority)
{
	struct scan_control sc = control();
	struct yard_task task = { .pid = 9, .flags = YARD_TASK_MEMALLOC | (role == ROLE_KSWAPD ? YARD_TASK_KSWAPD : 0) };
	struct yard_task *before = yard_set_current(yard, &task);

	sc.role = role;
	sc.priority = priority;
	sc.nr_to_reclaim = 100000;
	shrink_node(yard, 0, &sc);
	yard_set_current(yard, before);
	return sc;
}

// ---- P-8 ----

static void P8_can_demote(void **state)
{
	static const uint8_t flat[NODES] = { 0, 0, 0, 0, 0 };
	struct scan_control sc = { .no_demotion = true };

	(void)state;
	start_tiers(two_tiers, near_and_far, false, "linux-7.3");
	assert_false(can_demote(yard, 0, NULL)); // default: off
	yard_set_demotion(yard, true);
	assert_true(can_demote(yard, 0, NULL));
	assert_true(can_demote(yard, 1, NULL)); // to 4
	assert_true(can_demote(yard, 3, NULL));
	assert_false(can_demote(yard, 4, NULL)); // the slowest
	assert_false(can_demote(yard, 0, &sc));
	sc.no_demotion = false;
	assert_true(can_demote(yard, 0, &sc));
	yard_set_demotion(yard, false);
	assert_false(can_demote(yard, 0, NULL));
	start_tiers(flat, near_and_far, true, "linux-7.3");
	for (unsigned node = 0; node < NODES; node++)
		assert_false(can_demote(yard, node, NULL));
}

static void P8_nearest_nodes_of_the_next_tier(void **state)
{
	(void)state;
	start_demotion(FILE_PAGE, YARD_UNMAPPED);
	for (unsigned i = 0; i < 12; i++)
		shrink_with(ROLE_KSWAPD, 5);
	assert_true(moved() > 200);
	assert_true(moved_to[1] > 0 && moved_to[2] > 0); // at random
	assert_int_equal(moved_to[3], 0); // farther
	assert_int_equal(moved_to[4], 0); // nearer, but two tiers down
	assert_int_equal(moved_to[1] + moved_to[2], moved());
	assert_verified();
}

// Node 1 has no memory: the next tier that pages can go to is that of node 2, although node 3 of a slower one is
// nearer.
static void D3_a_tier_without_memory_is_no_tier(void **state)
{
	static const uint8_t tier[NODES] = { 0, 1, 2, 3, 4 }, distances[NODES] = { 10, 15, 30, 20, 20 };

	(void)state;
	start_without(1 << 1, tier, distances, true, "linux-7.3");
	fill_lru(FILE_PAGE, YARD_UNMAPPED);
	shrink_with(ROLE_KSWAPD, 5);
	assert_true(moved() > 0);
	assert_int_equal(moved_to[2], moved());
	assert_verified();
}

static void P8_the_choice_follows_the_seed(void **state)
{
	unsigned first[NODES];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		start_demotion(FILE_PAGE, YARD_UNMAPPED);
		for (unsigned n = 0; n < 12; n++)
			shrink_with(ROLE_KSWAPD, 5);
		if (i)
			assert_memory_equal(first, moved_to, sizeof first);
		memcpy(first, moved_to, sizeof first);
	}
}

// ---- spec 05 D1, D3 ----

static void D1_abstract_distance(void **state)
{
	static const struct yard_node_performance dram = { 45, 45, 125, 125 }; // spec 05 H8: 90 and 250 in all
	static const struct {
		struct yard_node_performance node;
		uint64_t distance, tier;
	} cases[] = {
		{ { 45, 45, 125, 125 }, 576, 4 },
		{ { 125, 125, 12, 12 }, 16666, 130 }, // 576 * 250 / 90 * 250 / 24
		{ { 46, 45, 125, 125 }, 582, 4 },
		{ { 54, 54, 125, 125 }, 691, 5 },
		{ { 45, 45, 250, 250 }, 288, 2 },
		{ { 1, 0, 100, 0 }, 15, 0 },	      // 576 / 90 = 6, then 6 * 250 / 100
		{ { 0, 0, 125, 125 }, 576, 4 },	      // unknown: the tier of DRAM
		{ { 125, 125, 0, 0 }, 576, 4 },
	};
	const struct yard_node_performance unknown = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(yard_abstract_distance(&cases[i].node, &dram), cases[i].distance);
		assert_int_equal(cases[i].distance / YARD_TIER_DISTANCES, cases[i].tier);
	}
	assert_int_equal(yard_abstract_distance(&cases[1].node, &unknown), YARD_DRAM_DISTANCE);
}

// D1: 128 distances to a tier; spec 05 H11: HBM before DRAM before slow memory.
static void D1_tiers(void **state)
{
	static const uint64_t hbm[] = { 576, 288, 16666, 639, 640 };
	static const uint8_t expected[] = { 1, 0, 3, 1, 2 };
	uint8_t tier[5];

	(void)state;
	yard_rank_tiers(hbm, 5, tier);
	assert_memory_equal(tier, expected, 5);
	yard_rank_tiers(hbm, 1, tier);
	assert_int_equal(tier[0], 0);
}

// D2: two tiers with CPUs (H11: HBM without CPUs before DRAM): all but the slowest are top tiers.
static void D2_top_tier(void **state)
{
	static const uint8_t tier[NODES] = { 1, 0, 1, 2, 3 };

	(void)state;
	start_tiers(tier, near_and_far, true, "linux-7.3");
	for (unsigned node = 0; node < NODES; node++)
		assert_int_equal(yard_is_top_tier(yard, node), node < 3);
	yard->nodes[3].nr_cpus = 1;
	for (unsigned node = 0; node < NODES; node++)
		assert_int_equal(yard_is_top_tier(yard, node), node < 4);
	assert_false(yard_is_top_tier(yard, NODES));
}

// D6: new pages go to the nearest node that has room, of whatever tier.
static void D6_allocation_knows_no_tiers(void **state)
{
	(void)state;
	start_tiers(two_tiers, near_and_far, true, "linux-7.3");
	assert_int_equal(node_of(yard, yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE, 0)), 0);
	fill(0);
	assert_int_equal(node_of(yard, yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE, 0)), 4); // the slowest, at 15
	fill(4);
	assert_int_equal(node_of(yard, yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE, 0)), 1);
}

// The nodes that reclaim on node 0 moves pages to, one bit each.
static unsigned demotion_targets(void)
{
	unsigned targets = 0;

	memset(moved_to, 0, sizeof moved_to);
	fill_lru(FILE_PAGE, YARD_UNMAPPED);
	for (unsigned i = 0; i < 12; i++)
		shrink_with(ROLE_KSWAPD, 5);
	assert_true(moved() > 100);
	for (unsigned node = 0; node < NODES; node++)
		targets |= moved_to[node] ? 1u << node : 0;
	return targets;
}

// D3: nodes are taken by T4's score, which counts CPUs and the load that building the zonelists left, until one is at
// another distance than the first.
static void D3_targets_by_the_score_of_zonelists(void **state)
{
	static const uint8_t tier[NODES] = { 0, 1, 1, 1, 1 }, distance[NODES] = { 10, 20, 20, 30, 21 };
	static const struct {
		unsigned cpus_of_1, cpus_of_2, load_of_1, load_of_4, targets;
	} cases[] = {
		{ 0, 0, 1, 0, 1 << 1 | 1 << 2 },
		{ 1, 0, 1, 1, 1 << 1 | 1 << 2 }, // 2 at 20, then 1 at 20 + 1 before 4 at 21
		{ 1, 0, 1, 0, 1 << 2 },		 // 4 has less load than 1: it is next, and farther than 2
		{ 1, 1, 1, 0, 1 << 4 },		 // it is the first; 1 and 2 are nearer
		{ 1, 1, 1, 1, 1 << 1 | 1 << 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		start_tiers(tier, distance, true, "linux-7.3");
		yard->nodes[1].nr_cpus = (uint16_t)cases[i].cpus_of_1;
		yard->nodes[2].nr_cpus = (uint16_t)cases[i].cpus_of_2;
		yard->node_load[1] = yard->node_load[2] = cases[i].load_of_1;
		yard->node_load[4] = cases[i].load_of_4;
		assert_int_equal(demotion_targets(), cases[i].targets);
	}
}

// D3: the kernel's own example (spec 05 H9): 0 demotes to 2.
static void D3_two_sockets_with_two_expanders(void **state)
{
	static const uint8_t distance[] = { 10, 20, 30, 40, 20, 10, 40, 30, 30, 40, 10, 40, 40, 30, 40, 10 };
	static const uint8_t tier[] = { 0, 0, 1, 1 };
	struct yard_range memory[4];
	struct yard_config config = noted_config("linux-7.3");

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		memory[i] = (struct yard_range){ BASE + i * NODE_FRAMES, BASE + (i + 1) * NODE_FRAMES, i };
	config.nr_nodes = config.nr_memory = 4;
	config.memory = memory;
	config.distance = distance;
	config.node_tier = tier;
	config.demotion_enabled = true;
	config.owner.move = move_to;
	build(&config);
	listen();
	watch_sleep();
	ask.silent = true;
	assert_int_equal(demotion_targets(), 1 << 2);
	assert_false(can_demote(yard, 2, NULL)); // the last tier
}

// ---- P-9 ----

static void P9_counts(void **state)
{
	static const struct {
		enum reclaim_role role;
		enum yard_node_stat demoted, stolen;
	} rows[] = { { ROLE_KSWAPD, YARD_NODE_PGDEMOTE_KSWAPD, YARD_NODE_PGSTEAL_KSWAPD },
		     { ROLE_DIRECT, YARD_NODE_PGDEMOTE_DIRECT, YARD_NODE_PGSTEAL_DIRECT },
		     { ROLE_KHUGEPAGED, YARD_NODE_PGDEMOTE_KHUGEPAGED, YARD_NODE_PGSTEAL_KHUGEPAGED },
		     { ROLE_PROACTIVE, YARD_NODE_PGDEMOTE_PROACTIVE, YARD_NODE_PGSTEAL_PROACTIVE } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scan_control sc;

		start_demotion(FILE_PAGE, YARD_UNMAPPED);
		sc = shrink_with(rows[i].role, 5);
		assert_int_equal(sc.nr_reclaimed, 32); // 1024 >> 5
		assert_int_equal(moved(), 32);
		assert_int_equal(nr_released, 0);
		assert_int_equal(stat_of(rows[i].demoted), 32);
		assert_int_equal(stat_of(rows[i].stolen), 32); // C-6.5: included
		assert_int_equal(stat_of(YARD_NODE_PGSTEAL_FILE), 32);
		assert_int_equal(stat_of(YARD_NODE_ISOLATED_FILE), 0);
		assert_int_equal(stat_of(YARD_NODE_INACTIVE_FILE), LRU_PAGES - 32);
		yard_lru_drain_all(yard);
		assert_int_equal(yard_get_node_stat(yard, 1, YARD_NODE_INACTIVE_FILE)
					 + yard_get_node_stat(yard, 2, YARD_NODE_INACTIVE_FILE), 32);
		assert_verified();
	}
}

static void P9_the_request(void **state)
{
	unsigned seen = 0;

	(void)state;
	start_demotion(FILE_PAGE, YARD_UNMAPPED);
	shrink_with(ROLE_KSWAPD, 5);
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == E(PAGE_ALLOC)) {
			assert_int_equal(events[i].a, DEMOTION_GFP | YARD_GFP_THISNODE); // strictly on the target
			seen++;
		}
	assert_int_equal(seen, 32);
}

static unsigned failures_of(uint32_t gfp)
{
	unsigned n = 0;

	for (size_t i = 0; i < nr_events; i++)
		n += events[i].kind == E(PAGE_ALLOC) && events[i].pfn == NONE && (uint32_t)events[i].a == gfp;
	return n;
}

static void P9_then_anywhere_below(void **state)
{
	(void)state;
	start_demotion(FILE_PAGE, YARD_UNMAPPED);
	fill(1);
	fill(2);
	shrink_with(ROLE_KSWAPD, 5);
	assert_int_equal(moved(), 32);
	assert_int_equal(moved_to[3] + moved_to[4], 32);
	assert_int_equal(failures_of(DEMOTION_GFP | YARD_GFP_THISNODE), 32);
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL) + vm(YARD_VM_ALLOCSTALL_MOVABLE), 0); // reclaims nothing for it
	start_demotion(FILE_PAGE, YARD_UNMAPPED);
	for (unsigned node = 1; node < 4; node++)
		fill(node);
	shrink_with(ROLE_KSWAPD, 5);
	assert_int_equal(moved_to[4], 32); // all lower tiers are allowed
}

static void P9_never_upwards(void **state)
{
	static const uint8_t tiers[NODES] = { 1, 0, 0, 0, 2 };

	(void)state;
	start_tiers(tiers, near_and_far, true, "linux-7.3");
	fill_lru(FILE_PAGE, YARD_UNMAPPED);
	fill(4);
	shrink_with(ROLE_KSWAPD, 5);
	assert_int_equal(moved(), 0);
	assert_int_equal(nr_released, 32);
}

static void P9_failures_are_reclaimed(void **state)
{
	struct scan_control sc;

	(void)state;
	start_demotion(FILE_PAGE, YARD_UNMAPPED);
	for (unsigned node = 1; node < NODES; node++)
		fill(node);
	sc = shrink_with(ROLE_KSWAPD, 5);
	assert_int_equal(moved(), 0);
	assert_int_equal(nr_released, 32);
	assert_int_equal(sc.nr_reclaimed, 32);
	assert_int_equal(stat_of(YARD_NODE_PGDEMOTE_KSWAPD), 0);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_KSWAPD), 32);
	assert_int_equal(stat_of(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}

static void P9_proactive_keeps_what_it_cannot_demote(void **state)
{
	struct scan_control sc;

	(void)state;
	start_demotion(FILE_PAGE, YARD_UNMAPPED);
	for (unsigned node = 1; node < NODES; node++)
		fill(node);
	sc = shrink_with(ROLE_PROACTIVE, 5);
	assert_int_equal(nr_released, 0);
	assert_int_equal(sc.nr_reclaimed, 0);
	assert_int_equal(stat_of(YARD_NODE_INACTIVE_FILE), LRU_PAGES);
	assert_int_equal(stat_of(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
	// P-3: the file of a top-tier node
	assert_int_equal(yard_node_reclaim_write(yard, 0, "128K", NULL), YARD_ENOMEM);
	assert_int_equal(nr_released, 0);
}

static void P9_some_moves_fail(void **state)
{
	struct scan_control sc;

	(void)state;
	start_demotion(FILE_PAGE, YARD_UNMAPPED);
	world.fail_every[CALL_UNMAP_FOR_MOVE] = 1;
	sc = shrink_with(ROLE_DIRECT, 5);
	assert_int_equal(moved(), 0);
	assert_int_equal(sc.nr_reclaimed, 32);
	assert_int_equal(nr_released, 32);
	assert_int_equal(stat_of(YARD_NODE_PGDEMOTE_DIRECT), 0);
	assert_verified();
}

static void P9_no_demotion_asked(void **state)
{
	struct scan_control sc = control();

	(void)state;
	start_demotion(FILE_PAGE, YARD_UNMAPPED);
	sc.no_demotion = true;
	sc.priority = 5;
	shrink_node(yard, 0, &sc);
	assert_int_equal(moved(), 0);
	assert_int_equal(nr_released, 32);
}

static void P9_only_what_passed_the_references(void **state)
{
	(void)state;
	start_demotion(FILE_PAGE, YARD_MAPPED);
	assert_int_equal(yard_lru_touch(yard, first_page, 1, false), YARD_OK);
	shrink_with(ROLE_KSWAPD, 5);
	assert_int_equal(moved(), 31); // the oldest was touched: kept
	assert_int_equal(arg_of(E(LRU_SHRINK_INACTIVE), 9), 1); // nr_ref_keep
}

static void P9_before_the_page_is_unmapped_or_written(void **state)
{
	(void)state;
	start_demotion(FILE_PAGE | DIRTY, YARD_MAPPED); // step 7 comes before 9 and 11
	shrink_with(ROLE_KSWAPD, 5);
	assert_int_equal(moved(), 32);
	assert_int_equal(world.calls[CALL_UNMAP], 0);
	assert_int_equal(stat_of(YARD_NODE_VMSCAN_IMMEDIATE), 0);
	start_demotion(FILE_PAGE | WB, YARD_MAPPED); // and after 5
	shrink_with(ROLE_KSWAPD, 5);
	assert_int_equal(moved(), 0);
}

static void P9_keeps_what_is_known(void **state)
{
	uint32_t flags = 0, pfn;
	enum yard_mapping mapping;
	bool lru;

	(void)state;
	start_demotion(ANON_PAGE | WS, YARD_MAPPED);
	shrink_with(ROLE_KSWAPD, 5);
	yard_lru_drain_all(yard);
	pfn = world.last_to;
	assert_int_equal(yard_lru_get(yard, pfn, &flags, &mapping, &lru), YARD_OK);
	assert_true(lru);
	assert_int_equal(flags, ANON_PAGE | WS);
	assert_int_equal(mapping, YARD_MAPPED);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_ANON), 9); // P-10: without any swap; 32 * 60 / 200
}

// ---- P-10 ----

static void P10_anon_counts_as_reclaimable(void **state)
{
	(void)state;
	start_demotion(ANON_PAGE, YARD_MAPPED);
	assert_true(can_reclaim_anon(yard, 0, NULL));
	assert_false(can_reclaim_anon(yard, 4, NULL));
	assert_int_equal(zone_reclaimable_pages(yard, normal()), LRU_PAGES);
	yard_set_demotion(yard, false);
	assert_false(can_reclaim_anon(yard, 0, NULL));
	assert_int_equal(zone_reclaimable_pages(yard, normal()), 0);
}

static void P10_anon_aging(void **state)
{
	unsigned shrunk = 0;

	(void)state;
	start_demotion(ANON_PAGE | ACT, YARD_UNMAPPED);
	sleep_fully(0);
	set_wmarks(normal(), 10, 20, 5000);
	wake(0);
	step(true);
	forget();
	step(false);
	for (size_t i = 0; i < nr_events; i++)
		shrunk += events[i].kind == E(LRU_SHRINK_ACTIVE);
	assert_true(shrunk > 0);
}

static void P10_the_targets_kswapd_is_woken(void **state)
{
	(void)state;
	start_demotion(FILE_PAGE, YARD_UNMAPPED);
	for (unsigned node = 0; node < NODES; node++)
		sleep_fully(node);
	fill(1);
	fill(2);
	watch(E(WAKEUP_KSWAPD));
	shrink_with(ROLE_DIRECT, 5);
	assert_true(count_events(E(WAKEUP_KSWAPD)) >= 1);
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == E(WAKEUP_KSWAPD)) {
			assert_in_range(events[i].zone / YARD_ZONE_TYPES, 1, 2);
			assert_int_equal((uint32_t)events[i].b, DEMOTION_GFP | YARD_GFP_THISNODE);
		}
}

// ---- P-11 ----

static void P11_kswapd_aims_at_the_promo_mark(void **state)
{
	struct yard_config config = noted_config("linux-7.3");

	(void)state;
	config.memory_tiering = true;
	machine_of(config, FRAMES, USED);
	watch_sleep();
	set_wmarks(normal(), 10, 20, 30);
	sleep_fully(0);
	normal()->wmark[WMARK_PROMO] = 5000;
	watch(E(WAKEUP_KSWAPD));
	wake(0);
	assert_steps("wakeup_kswapd(2,0,2,0xcc0)");
}

// ---- P-5 ----

static uint64_t pageout(uint32_t from, uint32_t to)
{
	uint32_t pfns[64];

	for (uint32_t i = from; i < to; i++)
		pfns[i - from] = base + i;
	return yard_reclaim_pages(yard, pfns, to - from);
}

static void P5_whatever_their_references_say(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	pages(0, 4, FILE_PAGE | ACT | REF, YARD_MAPPED);
	pages(4, 8, FILE_PAGE, YARD_MAPPED_EXEC);
	for (uint32_t i = 0; i < 8; i++)
		touch(i, 2);
	watch(E(RECLAIM_PAGES));
	assert_int_equal(pageout(0, 8), 8);
	for (uint32_t i = 0; i < 8; i++)
		assert_false(in_use(i));
	assert_steps("reclaim_pages(0,8,8,0,0,0,0,0,0,0,0)");
	assert_int_equal(stat_of(YARD_NODE_PGSCAN_DIRECT) + stat_of(YARD_NODE_PGSCAN_FILE), 0); // not counted
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_DIRECT) + stat_of(YARD_NODE_PGSTEAL_FILE), 0);
	assert_int_equal(stat_of(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}

static void P5_survivors_are_put_back_inactive(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	pages(0, 2, FILE_PAGE | ACT, YARD_UNMAPPED);
	world.fail_from[CALL_RELEASE] = 1;
	watch(E(RECLAIM_PAGES));
	assert_int_equal(pageout(0, 2), 0);
	yard_lru_drain(yard);
	assert_lru(IF, "1 0");
	assert_lru(AF, "");
	assert_steps("reclaim_pages(0,2,0,0,0,0,0,0,0,0,0)");
	assert_verified();
}

static void P5_anon_is_swapped_out(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	yard_set_swap(yard, 100, 100);
	pages(0, 3, ANON_PAGE | ACT, YARD_MAPPED);
	assert_int_equal(pageout(0, 3), 3);
	assert_int_equal(vm(YARD_VM_PSWPOUT), 3);
}

static void P5_runs_of_one_node_without_demotion(void **state)
{
	uint32_t pfns[4];

	(void)state;
	start_demotion(FILE_PAGE, YARD_UNMAPPED);
	for (unsigned i = 0; i < 4; i++) {
		const struct yard_request r = { .gfp = YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_THISNODE, .node = i == 2 };
		struct yard_result result;

		assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
		assert_int_equal(yard_lru_add(yard, result.pfn, FILE_PAGE, YARD_UNMAPPED), YARD_OK);
		pfns[i] = result.pfn;
	}
	yard_lru_drain(yard);
	watch(E(RECLAIM_PAGES));
	assert_int_equal(yard_reclaim_pages(yard, pfns, 4), 4);
	assert_int_equal(moved(), 0);
	assert_steps("reclaim_pages(0,2,2,0,0,0,0,0,0,0,0) reclaim_pages(1,1,1,0,0,0,0,0,0,0,0) "
		     "reclaim_pages(0,1,1,0,0,0,0,0,0,0,0)");
}

// ---- P-6 ----

static void P6_contiguous_ranges_drop_clean_file_pages(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	pages(0, 10, FILE_PAGE | REF, YARD_MAPPED); // clean: dropped, referenced or not
	pages(10, 15, FILE_PAGE | DIRTY, YARD_UNMAPPED);
	pages(15, 20, ANON_PAGE, YARD_MAPPED);
	for (uint32_t i = 20; i < BLOCK; i++)
		assert_int_equal(yard_free(yard, base + i, 0), YARD_OK);
	touch(3, 2);
	ask.silent = true;
	assert_int_equal(yard_alloc_range(yard, base, base + BLOCK, YARD_ISOLATE_CMA), YARD_OK);
	assert_int_equal(nr_released, 10);
	assert_int_equal(world.calls[CALL_MOVE], 10);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_FILE), 0);
	assert_int_equal(stat_of(YARD_NODE_ISOLATED_FILE) + stat_of(YARD_NODE_ISOLATED_ANON), 0);
	assert_verified();
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(P8_can_demote), TEST(P8_nearest_nodes_of_the_next_tier), TEST(P8_the_choice_follows_the_seed),
		TEST(D1_abstract_distance), TEST(D1_tiers), TEST(D2_top_tier), TEST(D6_allocation_knows_no_tiers),
		TEST(D3_a_tier_without_memory_is_no_tier), TEST(D3_targets_by_the_score_of_zonelists),
		TEST(D3_two_sockets_with_two_expanders),
		TEST(P9_counts), TEST(P9_the_request), TEST(P9_then_anywhere_below), TEST(P9_never_upwards),
		TEST(P9_failures_are_reclaimed), TEST(P9_proactive_keeps_what_it_cannot_demote),
		TEST(P9_some_moves_fail), TEST(P9_no_demotion_asked), TEST(P9_only_what_passed_the_references),
		TEST(P9_before_the_page_is_unmapped_or_written), TEST(P9_keeps_what_is_known),
		TEST(P10_anon_counts_as_reclaimable), TEST(P10_anon_aging), TEST(P10_the_targets_kswapd_is_woken),
		TEST(P11_kswapd_aims_at_the_promo_mark), TEST(P5_whatever_their_references_say),
		TEST(P5_survivors_are_put_back_inactive), TEST(P5_anon_is_swapped_out),
		TEST(P5_runs_of_one_node_without_demotion), TEST(P6_contiguous_ranges_drop_clean_file_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
