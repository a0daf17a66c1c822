// SPDX-License-Identifier: Apache-2.0
//
// Spec 02 sections 2.3 to 2.5: which zones reclaim leaves alone, how long it goes on, and which zones compaction takes.

#include "spec02_fixture.h"

// SP-33, SP-34, EV-1: a zone that is ready for compaction is left alone, and the answer is 1.
static void SP34_ready_for_compaction(void **state)
{
	(void)state;
	build_pile(defrag, ONE_PINNED);
	ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0);
	assert_int_equal(last_event(YARD_EVENT_DIRECT_RECLAIM_END)->args[0], 1);
	assert_int_equal(reclaimed(), 0);
	assert_int_equal(allocstall(), 1);
	build_pile(defrag, ONE_PINNED);
	ask(GFP_M | YARD_GFP_NORETRY, 3, 0, 0); // the test is for costly orders only
	assert_true(last_event(YARD_EVENT_DIRECT_RECLAIM_END)->args[0] >= 32);
	assert_true(reclaimed() >= 32);
}

// SP-34's mark is HIGH: 832 > high + 32 + (low - min).
static void SP34_mark(void **state)
{
	(void)state;
	for (unsigned ready_now = 0; ready_now < 2; ready_now++) {
		build_pile(defrag, ONE_PINNED);
		assert_int_equal(nr_free_pages(NORMAL), PILE_FREE);
		set_wmarks(normal(), 64, 80, PILE_FREE - 32 - 16 - ready_now);
		ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0);
		assert_int_equal(reclaimed() == 0, ready_now);
	}
}

static void SP41_index(void **state)
{
	struct yard_fragmentation index;

	(void)state;
	blank(8192);
	give_used(0, 8192, false);
	ready();
	yard_get_fragmentation(yard, NORMAL, 9, &index);
	assert_int_equal(index.fragmentation_index, 0); // no free runs
	blank(8192);
	give_free(0, 8);
	give_free(512, 0);
	give_used(256, 512, false);
	give_used(513, 8192, false);
	ready();
	yard_get_fragmentation(yard, NORMAL, 9, &index);
	assert_int_equal(index.fragmentation_index, 1000 - (1000 + 257 * 1000 / 512) / 2); // 250: memory is short
	assert_false(compaction_suitable(yard, normal(), 9, 1, NORMAL));
	yard_get_fragmentation(yard, NORMAL, 8, &index);
	assert_int_equal(index.fragmentation_index, -1000);
	build_pile(defrag, MOVABLE_PAGES);
	yard_get_fragmentation(yard, NORMAL, 9, &index);
	assert_int_equal(index.fragmentation_index, 1000 - (1000 + PILE_FREE * 1000 / 512) / PILE_FREE); // 997
}

static void SP41_gap(void **state)
{
	static const struct { const char *policy; unsigned order, gap; } cases[] = {
		{ "linux-7.3", 9, 32 }, { "linux-7.3", 0, 2 }, { "linux-7.3", 3, 16 }, { "linux-7.3", 4, 32 },
		{ "linux-7.3", 5, 32 },
		{ "linux-7.2", 9, 32 }, { "defrag-6.16", 9, 1024 }, { "defrag-6.16", 4, 32 },
		{ "defrag-6.16@7.3core", 9, 32 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned costly = cases[i].order > YARD_COSTLY_ORDER ? 16 : 0; // low - min

		build_pile(cases[i].policy, MOVABLE_PAGES);
		assert_int_equal(compact_gap(yard, cases[i].order), cases[i].gap);
		if (cases[i].gap + costly >= PILE_FREE)
			continue;
		assert_true(compaction_suitable(yard, normal(), cases[i].order,
			PILE_FREE - cases[i].gap - costly - 1, NORMAL));
		assert_false(compaction_suitable(yard, normal(), cases[i].order,
			PILE_FREE - cases[i].gap - costly, NORMAL));
	}
}

static void SP42_zone_gate(void **state)
{
	const unsigned flags = ALLOC_WMARK_MIN | ALLOC_CPUSET;

	(void)state;
	build_pile(defrag, MOVABLE_PAGES);
#define GATE(order, flags, async) compaction_suit_allocation_order(yard, normal(), order, NORMAL, flags, async, false)
	assert_int_equal(GATE(9, flags, false), COMPACT_CONTINUE);
	assert_int_equal(GATE(9, ALLOC_WMARK_HIGH, false), COMPACT_CONTINUE);
	set_wmarks(normal(), PILE_FREE - 48, PILE_FREE - 32, PILE_FREE); // free = min + 32 + (low - min)
	assert_int_equal(GATE(9, flags, false), COMPACT_SKIPPED);
	set_wmarks(normal(), PILE_FREE - 49, PILE_FREE - 33, PILE_FREE);
	assert_int_equal(GATE(9, flags, false), COMPACT_CONTINUE);
	build_pile(defrag, PAIRS);
	assert_int_equal(GATE(1, flags, false), COMPACT_SUCCESS); // such a block is there
	assert_int_equal(GATE(2, flags, false), COMPACT_CONTINUE);
	// (b): CMA pages do not count for an asynchronous costly request that may not use them
	build_pile(defrag, MOVABLE_PAGES);
	for (uint32_t b = 8; b < PILE_BLOCKS; b++) {
		move_pageblock_free(yard, normal(), base + b * BLOCK, C);
		set_pageblock_type(yard, base + b * BLOCK, C);
	}
	set_wmarks(normal(), 5 * 64 - 32, 5 * 64, 5 * 64);
	assert_int_equal(GATE(9, flags, true), COMPACT_SKIPPED);
	assert_int_equal(GATE(9, flags | ALLOC_CMA, true), COMPACT_CONTINUE);
	assert_int_equal(GATE(9, flags, false), COMPACT_CONTINUE);
	set_wmarks(normal(), 5 * 64, 5 * 64, 5 * 64);
	assert_int_equal(GATE(9, flags, true), COMPACT_SKIPPED);
	assert_int_equal(GATE(3, flags, true), COMPACT_CONTINUE); // not costly
#undef GATE
}

static void SP44_deferral(void **state)
{
	const struct zone_compact *hints;

	(void)state;
	build_pile(defrag, MOVABLE_PAGES);
	hints = &yard->compact[NORMAL];
	assert_false(compaction_deferred(yard, normal(), 9));
	compaction_defer_reset(yard, normal(), 9, false); // order 9 has succeeded
	assert_int_equal(hints->order_failed, 10);
	for (unsigned shift = 1; shift <= 8; shift++) {
		defer_compaction(yard, normal(), 9);
		assert_int_equal(hints->defer_shift, shift < 6 ? shift : 6);
		assert_int_equal(hints->considered, 0);
		assert_int_equal(hints->order_failed, 9);
		assert_false(compaction_deferred(yard, normal(), 8)); // a smaller order has not failed
		for (unsigned n = 1; n < 1u << hints->defer_shift; n++)
			assert_true(compaction_deferred(yard, normal(), n & 1 ? 9 : 10));
		assert_false(compaction_deferred(yard, normal(), 9));
		assert_false(compaction_deferred(yard, normal(), 9));
	}
	defer_compaction(yard, normal(), 4);
	assert_int_equal(hints->order_failed, 4);
	compaction_defer_reset(yard, normal(), 7, false);
	assert_int_equal(hints->order_failed, 8);
	assert_int_equal(hints->defer_shift, 6);
	compaction_defer_reset(yard, normal(), 3, true);
	assert_int_equal(hints->order_failed, 8);
	assert_int_equal(hints->defer_shift, 0);
	assert_int_equal(hints->considered, 0);
}

// SP-35: reclaim for whole blocks goes on until the zone is suitable at min, for base pages 32 do. Not with the
// multi-gen LRU (U-5).
static void SP35_continuation(void **state)
{
	enum { SHORT_OF_MIN = 1000 };
	const uint32_t min = PILE_FREE + SHORT_OF_MIN;

	(void)state;
	for (unsigned blocks = 0; blocks < 2; blocks++) {
		build_pile(defrag, MOVABLE_PAGES);
		set_wmarks(normal(), min, min, 8000);
		ask((blocks ? GFP_U : GFP_M) | YARD_GFP_NORETRY, 0, 0, 0);
		assert_true(reclaimed() >= 32);
		if (blocks)
			assert_true(reclaimed() > SHORT_OF_MIN + 32);
		else
			assert_true(reclaimed() < SHORT_OF_MIN);
	}
}

// SP-52's zones: with the filter those that the cpuset allows only. Node 0 has too few pages, node 1 is free.
static void SP52_cpuset_filter(void **state)
{
	static const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 } };

	(void)state;
	for (unsigned filter = 0; filter < 2; filter++) {
		struct yard_config config = owned_config(filter ? defrag :
			"linux-7.3,defrag_mode=1,retry_cpuset_filter=off");
		struct alloc_context ctx = { .gfp = YARD_GFP_USER, .order = 2, .highest_zone = NORMAL, .cpuset = 1 };

		config.nr_nodes = 2;
		config.memory = memory;
		config.nr_memory = 2;
		build(&config);
		set_wmarks(normal(), 5000, 5000, 5000);
		ctx.zonelist = yard->nodes[0].fallback;
		ctx.first = zonelist_first(yard, ctx.zonelist, NORMAL, 0);
		assert_int_equal(compaction_zonelist_suitable(yard, &ctx, 2, ALLOC_CPUSET), !filter);
		ctx.cpuset = 3;
		assert_true(compaction_zonelist_suitable(yard, &ctx, 2, ALLOC_CPUSET));
		ctx.nodemask = 1;
		assert_false(compaction_zonelist_suitable(yard, &ctx, 2, ALLOC_CPUSET));
	}
}

// SP-43: zones in the list's order, each deferred on its own; the results combine by maximum.
static void SP43_two_zones(void **state)
{
	static const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 } };
	struct yard_config config = owned_config(defrag);
	struct zone *zones[2];

	(void)state;
	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	listen();
	while (yard_alloc(yard, YARD_GFP_HIGH | YARD_GFP_NOWARN, 0) != NONE)
		;
	forget_events();
	for (unsigned node = 0; node < 2; node++) {
		zones[node] = zone_at(yard, node * YARD_ZONE_TYPES + NORMAL);
		set_wmarks(zones[node], 4000, 4000, 4000);
	}
	defer_compaction(yard, zones[1], 9);
	forget_events();
	ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0);
	assert_int_equal(count_events(YARD_EVENT_COMPACTION_DEFERRED), 1); // node 1; node 0 is skipped
	assert_int_equal(last_event(YARD_EVENT_COMPACTION_DEFERRED)->args[0], 1);
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), 0);
	for (unsigned node = 0; node < 2; node++)
		defer_compaction(yard, zones[node], 9);
	forget_events();
	ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0);
	assert_int_equal(last_event(YARD_EVENT_COMPACTION_DEFERRED)->args[0], 1);
	want("compact9,1 deferred9 deferred9");
	assert_trace(T_COMPACT | T_ZONES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		TEST(SP34_ready_for_compaction), TEST(SP34_mark), TEST(SP41_index), TEST(SP41_gap),
		TEST(SP42_zone_gate), TEST(SP44_deferral), TEST(SP35_continuation), TEST(SP52_cpuset_filter),
		TEST(SP43_two_zones),
	};

	return cmocka_run_group_tests_name("spec02_gates", tests, NULL, NULL);
}
