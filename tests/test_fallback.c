// SPDX-License-Identifier: Apache-2.0
//
// Fallback between migratetypes: the removal procedure and its modes, claim and steal (spec 01 sections 6.3 to 6.7,
// vectors E2, E5, E6, E7). Vectors that need one mode for several pages call the procedure itself.

#include "engine_fixture.h"

static enum rmqueue_mode mode;

static uint32_t take(unsigned order, unsigned type, unsigned flags)
{
	enum yard_path path;

	return rmqueue_buddy_one(yard, normal(), order, type, flags, &mode, &path);
}

static uint32_t take_fresh(unsigned order, unsigned type, unsigned flags)
{
	mode = RMQUEUE_NORMAL;
	return take(order, type, flags);
}

// A cap of the boost that no test reaches: 10 boosts are seen as 10 pageblocks.
static void high_boost_cap(void)
{
	normal()->wmark[WMARK_HIGH] = normal()->wmark[WMARK_PROMO] = 100000;
}

static unsigned boosts(void)
{
	return (unsigned)(zone_state(NORMAL).boost / BLOCK);
}

// E2: the first unmovable page of a fresh zone claims the largest block.
static void E2_whole_block_claim(void **state)
{
	(void)state;
	build_normal(plain_config(), 4096);
	direct(true);
	assert_pfn(yard_alloc(yard, GFP_U, 0), 0);
	assert_pfn(yard_alloc(yard, GFP_U, 0), 1);
	assert_pfn(yard_alloc(yard, GFP_U, 0), 2);
	assert_events(REMOVALS, "extfrag(0,0,10,U,M,1) locked(1,0,U,1) locked(2,0,U,1)");
	assert_int_equal(type_at(0), U);
	assert_int_equal(type_at(512), U);
	assert_int_equal(type_at(1024), M);
	assert_lists(NORMAL, U, "0:[3] 2:[4] 3:[8] 4:[16] 5:[32] 6:[64] 7:[128] 8:[256] 9:[512]");
	assert_lists(NORMAL, M, "10:[1024,2048,3072]");
	assert_int_equal(zone_state(NORMAL).boost, 0);
	assert_pfn(yard_alloc(yard, GFP_M, 0), 1024);
	assert_verified();
}

// E5: a refill keeps stealing once it began: neither its own lists nor a claim are tried again.
static void E5_steal_interleaving(void **state)
{
	(void)state;
	blank(4096);
	give_type(0, U);
	give_free(16, 4);
	give_free(576, 6);
	give_used(0, 16, false);
	give_used(32, 512, false);
	give_used(512, 576, true);
	give_used(640, 912, true);
	give_used(912, 4096, false);
	ready();
	high_boost_cap();
	assert_pfn(take_fresh(0, M, 0), 576);
	assert_int_equal(mode, RMQUEUE_NORMAL);
	mode = RMQUEUE_NORMAL;
	for (uint32_t i = 577; i < 592; i++)
		assert_pfn(take(0, R, 0), i);
	assert_int_equal(mode, RMQUEUE_STEAL);
	for (uint32_t i = 16; i < 32; i++)
		assert_pfn(take(0, R, 0), i);
	assert_pfn(take(0, R, 0), 592);
	assert_int_equal(mode, RMQUEUE_STEAL);
	assert_int_equal(boosts(), 6);
	assert_int_equal(type_at(0), U);
	assert_int_equal(type_at(512), M);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_EXTFRAG), 32);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED), 1);
	assert_verified();
}

// E5 end to end: one order-0 R request refills a set with the stolen pages in the order of their events (T4).
static void E5_refill_in_order_of_theft(void **state)
{
	(void)state;
	blank(4096);
	give_type(0, U);
	give_free(16, 4);
	give_free(577, 0);
	give_free(578, 1);
	give_free(580, 2);
	give_free(584, 3);
	give_free(592, 4);
	give_free(608, 5);
	give_used(0, 16, false);
	give_used(32, 512, false);
	give_used(512, 577, true);
	give_used(640, 912, true);
	give_used(912, 4096, false);
	ready();
	set_pcps(normal(), 20, 400, 400);
	assert_pfn(yard_alloc(yard, GFP_R, 0), 577);
	assert_pcp(NORMAL, 0, R, "[578,579,580,581,582,583,584,585,586,587,588,589,590,591,16,17,18,19,20]");
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_EXTFRAG), 20);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->c, 0);
	assert_verified();
}

// D17: without the mode cache every page of a refill searches anew: each order-0 R theft is preceded by failing claims.
static void D17_each_page_searches_anew(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.no_dma32 = true;
	config.policy.rmqueue_mode_cache = 0;
	blank_config(config, 4096);
	give_free(512, 2);
	give_used(516, 1024, true);
	give_used(0, 512, false);
	ready();
	set_pcps(normal(), 4, 400, 400);
	high_boost_cap();
	normal()->flags = YARD_ZONE_BELOW_HIGH;
	assert_pfn(yard_alloc(yard, GFP_R, 0), 512);
	assert_pcp(NORMAL, 0, R, "[513,514,515]");
	// Levels with blocks at each of the four pages: 2; 1 and 0; 1; 0.
	assert_int_equal(boosts(), 1 + 2 + 1 + 1);
}

// E6: a claim of part of a block succeeds when half the block is free or alike.
static void E6_sub_block_claim(void **state)
{
	(void)state;
	blank(4096);
	give_free(256, 8);
	give_used(0, 200, true);
	give_used(200, 256, false);
	give_used(512, 4096, false);
	ready();
	high_boost_cap();
	assert_pfn(take_fresh(1, U, 0), 256);
	assert_int_equal(mode, RMQUEUE_NORMAL);
	assert_events(REMOVALS, "locked(256,1,U,1) extfrag(256,1,8,U,M,1)");
	assert_int_equal(type_at(0), U);
	assert_lists(NORMAL, U, "1:[258] 2:[260] 3:[264] 4:[272] 5:[288] 6:[320] 7:[384]");
	assert_lists(NORMAL, M, "");
	assert_int_equal(boosts(), 1);
	assert_verified();
}

// R11.4: exactly half a block, free or alike, is enough; one frame less is not.
static void R11_half_a_block_is_the_limit(void **state)
{
	(void)state;
	for (uint32_t alike = 127; alike <= 128; alike++) {
		blank(4096);
		give_free(256, 7); // 128 free
		give_used(0, 256, true);
		give_used(384, 512 - alike, true);
		give_used(512 - alike, 512, false);
		ready();
		assert_pfn(take_fresh(4, U, 0), 256);
		assert_int_equal(type_at(0), alike == 128 ? U : M);
		if (alike == 128)
			assert_events(REMOVALS, "locked(256,4,U,0) extfrag(256,4,7,U,M,1)");
		else
			assert_events(REMOVALS, "extfrag(256,4,7,U,M,0)");
		assert_verified();
	}
}

// R11.3: for an M request movable pages are alike; for U from R, and R from U, only free pages count.
static void R11_alike_depends_on_both_types(void **state)
{
	(void)state;
	blank(4096); // M from U: 128 free + 128 LRU
	give_type(0, U);
	give_free(256, 7);
	give_used(0, 128, true);
	give_used(128, 256, false);
	give_used(384, 512, false);
	ready();
	assert_pfn(take_fresh(4, M, 0), 256);
	assert_int_equal(type_at(0), M);

	blank(4096); // R from U: 128 free + 384 others, which do not count
	give_type(0, U);
	give_free(256, 7);
	give_used(0, 256, false);
	give_used(384, 512, false);
	ready();
	assert_pfn(take_fresh(4, R, 0), 256);
	assert_int_equal(type_at(0), U);

	blank(4096); // R from U: 256 free
	give_type(0, U);
	give_free(256, 8);
	give_used(0, 256, true);
	ready();
	assert_pfn(take_fresh(4, R, 0), 256);
	assert_int_equal(type_at(0), R);
	assert_verified();
}

// R11.3: per-CPU frames, isolated frames and reserved frames count as alike when U claims an M block; movable_ops
// frames count as movable.
static void R11_what_counts_as_neither(void **state)
{
	(void)state;
	blank(4096);
	set_pcps(normal(), 63, 4000, 4000);
	give_free(256, 7);
	give_used(0, 128, true);
	give_used(128, 256, true);
	give_used(384, 448, true);
	for (uint32_t i = 448; i < 480; i++) // 32 on a per-CPU list
		assert_int_equal(yard_restore_pcp_block(yard, 0, base + i, M), YARD_OK);
	// 480..511: 32 reserved
	ready();
	assert_pfn(take_fresh(4, U, 0), 256);
	assert_int_equal(type_at(0), M); // 128 + 64

	blank(4096);
	set_pcps(normal(), 63, 4000, 4000);
	give_free(256, 7);
	give_used(0, 256, true);
	for (uint32_t i = 384; i < 448; i++)
		assert_int_equal(yard_restore_pcp_block(yard, 0, base + i, M), YARD_OK);
	ready(); // 448..511 reserved
	assert_pfn(take_fresh(4, U, 0), 256);
	assert_int_equal(type_at(0), U); // 128 + 64 + 64

	blank(4096);
	give_free(256, 7);
	give_used(0, 256, true);
	give_used(384, 512, false);
	ready();
	assert_int_equal(yard_set_movable_ops(yard, base + 400, true), YARD_OK);
	assert_pfn(take_fresh(4, U, 0), 256);
	assert_int_equal(type_at(0), M); // 128 + 127
}

// E7: small movable requests do not claim; they take the smallest block that fits.
static void E7_movable_fallback(void **state)
{
	(void)state;
	blank(4096);
	give_type(0, U);
	give_free(128, 7);
	give_free(64, 4);
	give_used(0, 64, true);
	give_used(80, 116, true); // 100 LRU frames in all
	give_used(116, 128, false);
	give_used(256, 512, false);
	give_used(512, 4096, false);
	ready();
	high_boost_cap();
	assert_pfn(take_fresh(0, M, 0), 64);
	assert_int_equal(mode, RMQUEUE_STEAL);
	assert_events(REMOVALS, "extfrag(64,0,4,M,U,0)");
	assert_int_equal(boosts(), 2);
	assert_pfn(take_fresh(4, M, 0), 128);
	assert_events(REMOVALS, "extfrag(128,4,7,M,U,0)");
	assert_int_equal(boosts(), 3);
	assert_lists(NORMAL, U, "0:[65] 1:[66] 2:[68] 3:[72] 4:[144] 5:[160] 6:[192]");
	assert_int_equal(type_at(0), U);
	assert_verified();
}

// R7: U falls back to R before M, M to R before U, R to U before M.
static void R7_fallback_order(void **state)
{
	static const uint8_t first[3][2] = { [YARD_UNMOVABLE] = { YARD_RECLAIMABLE, YARD_MOVABLE },
					     [YARD_MOVABLE] = { YARD_RECLAIMABLE, YARD_UNMOVABLE },
					     [YARD_RECLAIMABLE] = { YARD_UNMOVABLE, YARD_MOVABLE } };

	(void)state;
	for (unsigned type = 0; type < YARD_PCPTYPES; type++) {
		blank(4096);
		give_type(0, U);
		give_type(1024, R);
		give_free(0, 4);
		give_free(512, 4);
		give_free(1024, 4);
		give_used(16, 512, true);
		give_used(512 + 16, 1024, true);
		give_used(1024 + 16, 1536, true);
		ready();
		for (unsigned i = 0; i < 2; i++) {
			uint32_t offset = first[type][i] == U ? 0 : first[type][i] == M ? 512 : 1024;

			mode = RMQUEUE_STEAL; // no own list, no claim
			assert_pfn(take(4, type, 0), offset);
			assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->b, first[type][i]);
		}
		assert_verified();
	}
}

// R7: H, C and I blocks are never fallbacks.
static void R7_special_lists_are_no_fallback(void **state)
{
	(void)state;
	blank(4096);
	give_type(0, H);
	give_type(512, C);
	give_type(1024, M | PB_ISOLATE);
	give_free(0, 9);
	give_free(512, 9);
	normal()->nr_isolate_pageblock = 1;
	ready();
	assert_int_equal(take_fresh(0, U, 0), NONE);
	assert_int_equal(take_fresh(0, R, 0), NONE);
	assert_int_equal(take_fresh(0, M, 0), NONE); // no CMA flag
	assert_pfn(take_fresh(0, M, ALLOC_CMA), 512);
	assert_int_equal(normal()->boost, 0);
}

// R8: order 4 is the smallest that a movable request claims; U and R claim any.
static void R8_movable_claims_from_order_4_on(void **state)
{
	(void)state;
	blank(4096);
	give_type(0, U);
	give_free(0, 4);
	give_used(16, 512, true);
	ready();
	assert_pfn(take_fresh(0, M, 0), 0); // level 4: claimed, 16 + 496 alike
	assert_int_equal(type_at(0), M);

	blank(4096);
	give_type(0, U);
	give_free(0, 3);
	give_used(8, 512, true);
	ready();
	high_boost_cap();
	assert_pfn(take_fresh(0, M, 0), 0); // stolen: NOCLAIM comes first
	assert_int_equal(type_at(0), U);
	assert_int_equal(boosts(), 0);

	blank(4096);
	give_free(0, 0);
	give_used(1, 512, false);
	ready();
	assert_pfn(take_fresh(0, U, 0), 0); // 1 free + 511 alike
	assert_int_equal(type_at(0), U);
}

// R8: with mobility grouping disabled every claim succeeds, movable or not.
static void R8_everything_is_claimed_without_mobility(void **state)
{
	(void)state;
	blank(4096);
	give_free(0, 0);
	give_used(1, 512, true);
	ready();
	yard_restore_mobility(yard, true);
	assert_pfn(take_fresh(0, U, 0), 0);
	assert_int_equal(type_at(0), U);
	assert_events(REMOVALS, "locked(0,0,U,1) extfrag(0,0,0,U,M,1)");
}

// R9: the largest block is claimed first, from the head of its list; other blocks of that order are not tried.
static void R9_largest_first(void **state)
{
	(void)state;
	blank(8192);
	give_free(0, 9);
	give_free(2048, 10);
	give_free(1024, 10);
	ready();
	assert_pfn(take_fresh(0, R, 0), 2048);
	assert_events(REMOVALS, "extfrag(2048,0,10,R,M,1)");
	assert_int_equal(type_at(2048), R);
	assert_int_equal(type_at(2560), R);
	assert_verified();
}

// R9: NOFRAGMENT converts whole blocks only: no sub-block claim, no boost, no steal.
static void R9_nofragment_stops_at_whole_blocks(void **state)
{
	(void)state;
	blank(4096);
	give_free(256, 8);
	give_used(0, 256, false);
	ready();
	high_boost_cap();
	assert_int_equal(take_fresh(0, U, ALLOC_NOFRAGMENT), NONE);
	assert_int_equal(boosts(), 0);
	assert_events(REMOVALS, "");
	assert_pfn(take_fresh(0, U, 0), 256);
	assert_int_equal(boosts(), 1);
	assert_int_equal(type_at(0), U);

	blank(4096);
	give_free(512, 9);
	give_used(0, 512, false);
	ready();
	assert_pfn(take_fresh(0, U, ALLOC_NOFRAGMENT), 512); // an order-9 block is whole
	assert_events(REMOVALS, "extfrag(512,0,9,U,M,1)");
	assert_verified();
}

// R9: a request of whole-block order looks only at its own order and above.
static void R9_whole_block_requests(void **state)
{
	(void)state;
	blank(4096);
	give_free(512, 9);
	give_used(0, 512, false);
	ready();
	assert_int_equal(take_fresh(10, U, 0), NONE);
	assert_pfn(take_fresh(9, U, 0), 512);
	assert_events(REMOVALS, "extfrag(512,9,9,U,M,1)");
	assert_int_equal(nr_free_pages(NORMAL), 0);
	assert_verified();
}

// R11.2: nor is one that the span covers but whose frames are not all the zone's. Node 1 lies between two parts of node
// 0 and shares the pageblock at 512: a claim for node 0 would put node 1's free frames on node 0's lists.
static void R11_block_shared_by_nodes(void **state)
{
	const struct yard_range memory[] = {
		{ BASE, BASE + 768, 0 }, { BASE + 768, BASE + 2048, 1 }, { BASE + 2048, BASE + 8192, 0 }
	};
	const uint32_t here = YARD_GFP_THISNODE;
	struct yard_config config = plain_config();

	(void)state;
	config.no_dma32 = true;
	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = COUNT(memory);
	build(&config);
	direct(true);
	while (yard_alloc(yard, here | YARD_GFP_MOVABLE, 10) != NONE)
		;
	assert_pfn(yard_alloc(yard, here | YARD_GFP_MOVABLE, 9), 0);
	assert_lists(NORMAL, M, "8:[512]");
	assert_pfn(yard_alloc(yard, here, 0), 512);
	assert_int_equal(yard_pageblock_type(yard, base + 512), M);
	assert_lists(YARD_ZONE_TYPES + NORMAL, M, "8:[768] 10:[1024]");
	assert_verified();
}

// R11.2: a pageblock that is not wholly inside the zone is not claimed; the boost has happened already.
static void R11_block_outside_the_span(void **state)
{
	const struct yard_range memory = { BASE + 100, BASE + 8192, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.no_dma32 = true;
	config.restore = true;
	config.memory = &memory;
	config.nr_memory = 1;
	build(&config);
	yard_restore_mobility(yard, false);
	give_free(256, 8);
	give_used(512, 8192, false);
	ready();
	high_boost_cap();
	assert_pfn(take_fresh(8, U, 0), 256); // 256 free, but stolen
	assert_events(REMOVALS, "extfrag(256,8,8,U,M,0)");
	assert_int_equal(boosts(), 1);
	assert_int_equal(type_at(256), M);
}

// R11.4: the block's free blocks move to the tails, in ascending order; the page comes from the head of the smallest.
static void R11_moves_free_blocks_in_ascending_order(void **state)
{
	(void)state;
	blank(4096);
	give_type(512, U);
	give_free(512, 2); // head of order 2 in U: too small for an order-3 request
	give_free(64, 2);
	give_free(32, 2);
	give_free(256, 8);
	give_used(0, 32, false);
	ready();
	assert_pfn(take_fresh(3, U, 0), 256);
	assert_lists(NORMAL, U, "2:[512,32,64] 3:[264] 4:[272] 5:[288] 6:[320] 7:[384]");
	assert_lists(NORMAL, M, "");
	assert_verified();
}

// R13: a theft leaves the rest and the block's type with their owner; the smallest fitting order is taken.
static void R13_steal_takes_the_smallest(void **state)
{
	(void)state;
	blank(4096);
	give_type(0, R);
	give_free(0, 3);
	give_free(512, 2); // M
	give_used(8, 512, true);
	give_used(516, 1024, true);
	ready();
	mode = RMQUEUE_STEAL;
	assert_pfn(take(1, U, 0), 512); // order 2 of M is smaller than order 3 of R
	assert_events(REMOVALS, "extfrag(512,1,2,U,M,0)");
	assert_lists(NORMAL, M, "1:[514]");
	assert_int_equal(type_at(512), M);
	assert_verified();
}

// R6.0: movable requests take CMA first when more than half of the free pages are CMA; exactly half is not more.
static void R6_cma_balance(void **state)
{
	(void)state;
	blank(4096);
	give_type(512, C);
	give_free(0, 4);
	give_free(512, 4);
	give_used(16, 512, false);
	ready();
	assert_pfn(take_fresh(0, M, ALLOC_CMA), 0); // 16 of 32
	assert_pfn(take_fresh(0, M, ALLOC_CMA), 512); // 16 of 31
	assert_events(REMOVALS, "locked(0,0,M,1) locked(512,0,C,0)"); // T2
	assert_int_equal(mode, RMQUEUE_NORMAL);
	assert_pfn(take_fresh(0, M, 0), 1); // no CMA flag
	assert_pfn(take_fresh(0, U, 0), 2); // whole claims are impossible, this steals or claims from M
	assert_verified();
}

// R6.2: after the own lists are empty CMA serves, and the own lists are not tried again in the batch.
static void R6_cma_mode(void **state)
{
	(void)state;
	blank(4096);
	give_type(512, C);
	give_free(0, 0);
	give_free(512, 2);
	give_type(1024, U);
	give_free_range(1024, 1024 + 64);
	give_used(1, 512, true);
	ready();
	mode = RMQUEUE_NORMAL;
	assert_pfn(take(0, M, ALLOC_CMA), 0);
	assert_pfn(take(0, M, ALLOC_CMA), 512);
	assert_int_equal(mode, RMQUEUE_CMA);
	assert_int_equal(yard_restore_free(yard, base + 1536, 0, M), YARD_OK); // appears in the meantime
	assert_pfn(take(0, M, ALLOC_CMA), 513);
}

// M9: setting a type always clears the isolate bit; types below PCPTYPES become U without mobility.
static void M9_setting_a_type(void **state)
{
	(void)state;
	blank(4096);
	set_pageblock_isolate(yard, base, true);
	assert_int_equal(type_at(0), I);
	assert_int_equal(yard_pageblock_bits(yard, base), (unsigned)M | PB_ISOLATE); // M8
	set_pageblock_type(yard, base, R);
	assert_int_equal(yard_pageblock_bits(yard, base), R);
	yard_restore_mobility(yard, true);
	set_pageblock_type(yard, base, M);
	assert_int_equal(type_at(0), U);
	set_pageblock_type(yard, base, C);
	assert_int_equal(type_at(0), C);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(E2_whole_block_claim),
		cmocka_unit_test(E5_steal_interleaving),
		cmocka_unit_test(E5_refill_in_order_of_theft),
		cmocka_unit_test(D17_each_page_searches_anew),
		cmocka_unit_test(E6_sub_block_claim),
		cmocka_unit_test(R11_half_a_block_is_the_limit),
		cmocka_unit_test(R11_alike_depends_on_both_types),
		cmocka_unit_test(R11_what_counts_as_neither),
		cmocka_unit_test(E7_movable_fallback),
		cmocka_unit_test(R7_fallback_order),
		cmocka_unit_test(R7_special_lists_are_no_fallback),
		cmocka_unit_test(R8_movable_claims_from_order_4_on),
		cmocka_unit_test(R8_everything_is_claimed_without_mobility),
		cmocka_unit_test(R9_largest_first),
		cmocka_unit_test(R9_nofragment_stops_at_whole_blocks),
		cmocka_unit_test(R9_whole_block_requests),
		cmocka_unit_test(R11_block_outside_the_span),
		cmocka_unit_test(R11_block_shared_by_nodes),
		cmocka_unit_test(R11_moves_free_blocks_in_ascending_order),
		cmocka_unit_test(R13_steal_takes_the_smallest),
		cmocka_unit_test(R6_cma_balance),
		cmocka_unit_test(R6_cma_mode),
		cmocka_unit_test(M9_setting_a_type),
	};

	return cmocka_run_group_tests_name("fallback", tests, NULL, demolish);
}
