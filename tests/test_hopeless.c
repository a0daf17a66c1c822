// SPDX-License-Identifier: Apache-2.0
//
// A kswapd that has given up, and what gives it another chance (spec 01 P13, A14).

#include "online_fixture.h"

// The zone is below its high mark and not balanced: kswapd is woken, unless it is hopeless; then kcompactd is, by a
// request that cannot reclaim by itself.
static void A14_a_hopeless_kswapd_is_not_woken(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	direct(true);
	set_wmarks(normal(), 10, 9000, 9100);
	yard_kswapd_hopeless(yard, 0, true);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	assert_events(WAKES, "");
	assert_true(yard_alloc(yard, YARD_GFP_ATOMIC, 0) != NONE);
	assert_events(WAKES, "kcompactd(0,2)");
	yard_kswapd_hopeless(yard, 0, false);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	assert_events(WAKES, "kswapd(zone 2,0,3)");
	yard_kswapd_hopeless(yard, 1, true); // no such node
}

// A boosted zone does not wake a hopeless kswapd either.
static void A14_hopeless_comes_before_boost(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	direct(true);
	normal()->boost = 512;
	zone_set_flag(normal(), YARD_ZONE_BOOSTED);
	yard_kswapd_hopeless(yard, 0, true);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	assert_events(WAKES, "kcompactd(0,2)"); // R2: gfp 0
}

// The zone of `node` is below its high mark until a free finds it above again.
static void leave_below_high(unsigned node)
{
	struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + NORMAL);
	struct yard_request r = { .gfp = GFP_M | YARD_GFP_THISNODE, .node = (int16_t)node };
	struct yard_result result;

	set_pcps(zone, 1, 4, 4); // 4 pages: the free drains and looks at the mark (P10.6)
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	zone_set_flag(zone, YARD_ZONE_BELOW_HIGH);
	yard_kswapd_hopeless(yard, node, true);
	set_pcps(zone, 1, 0, 0);
	assert_int_equal(yard_free(yard, result.pfn, 0), YARD_OK);
}

// Leaving BELOW_HIGH gives kswapd another chance only where a node with a higher id has memory.
static void P13_hopeless_ends_where_a_higher_node_has_memory(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 8192, 0 }, { BASE + 8192, BASE + 16384, 1 } };
	struct yard_config config = memory_config(memory, 2);

	(void)state;
	config.nr_nodes = 3;
	build(&config);
	leave_below_high(0);
	assert_false(zone_flags(normal()) & YARD_ZONE_BELOW_HIGH);
	assert_false(kswapd_hopeless(yard, 0));
	leave_below_high(1); // node 2 has no memory
	assert_false(zone_flags(zone_at(yard, NODE1)) & YARD_ZONE_BELOW_HIGH);
	assert_true(kswapd_hopeless(yard, 1));
}

// A zone that stays below its high mark changes nothing.
static void P13_hopeless_stays_below_the_high_mark(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 8192, 0 }, { BASE + 8192, BASE + 16384, 1 } };
	struct yard_config config = memory_config(memory, 2);

	(void)state;
	build(&config);
	set_wmarks(normal(), 10, 20, 9000);
	leave_below_high(0);
	assert_true(zone_flags(normal()) & YARD_ZONE_BELOW_HIGH);
	assert_true(kswapd_hopeless(yard, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A14_a_hopeless_kswapd_is_not_woken),
		cmocka_unit_test(A14_hopeless_comes_before_boost),
		cmocka_unit_test(P13_hopeless_ends_where_a_higher_node_has_memory),
		cmocka_unit_test(P13_hopeless_stays_below_the_high_mark),
	};

	return cmocka_run_group_tests_name("hopeless", tests, NULL, demolish);
}
