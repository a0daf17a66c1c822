// SPDX-License-Identifier: Apache-2.0
//
// The HIGHATOMIC reserve (spec 01 section 9, R3, D1, D2).

#include "engine_fixture.h"

// A zone whose low and high marks nothing meets, so that ATOMIC requests are served by the slow path's MIN attempt.
static void pressed(struct yard_config config, uint32_t frames)
{
	build_normal(config, frames);
	set_wmarks(normal(), 10, 1000000, 1000000);
	direct(true);
}

// H1: a slow ATOMIC request of an order above 0 reserves the pageblock of its page; the block's free pages move.
static void H1_reserve(void **state)
{
	(void)state;
	pressed(plain_config(), 65536);
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 1), 0);
	assert_events(REMOVALS, "extfrag(0,1,10,U,M,1)");
	assert_int_equal(type_at(0), H);
	assert_int_equal(type_at(512), U);
	assert_lists(NORMAL, H, "1:[2] 2:[4] 3:[8] 4:[16] 5:[32] 6:[64] 7:[128] 8:[256]");
	assert_lists(NORMAL, U, "9:[512]");
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 512);
	assert_int_equal(zone_state(NORMAL).nr_free_highatomic, 510);
	assert_verified();
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 1), 2); // R3: H first
	assert_events(REMOVALS, "locked(2,1,H,0)"); // T2
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 512); // an H block is not reserved again
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 0), 512); // order 0 has no HIGHATOMIC
	assert_verified();
}

// H1: order 0 and requests that may block reserve nothing.
static void H1_only_for_highatomic_requests(void **state)
{
	(void)state;
	pressed(plain_config(), 65536);
	assert_true(yard_alloc(yard, YARD_GFP_ATOMIC, 0) != NONE);
	assert_true(yard_alloc(yard, YARD_GFP_KERNEL | YARD_GFP_HIGH, 1) != NONE);
	assert_true(yard_alloc(yard, YARD_GFP_NOWAIT, 1) != NONE);
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 0);
}

// H1: a zone whose hundredth is smaller than a pageblock has no reserve.
static void H1_small_zones_have_none(void **state)
{
	(void)state;
	pressed(plain_config(), 51199);
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 1), 0);
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 0);
	pressed(plain_config(), 51200);
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 1), 0);
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 512);
}

// H1: the reserve grows to a hundredth of the zone, rounded up to pageblocks.
static void H1_limit(void **state)
{
	(void)state;
	pressed(plain_config(), 65536); // 655 -> 1024
	for (unsigned i = 0; i < 40; i++)
		assert_true(yard_alloc(yard, YARD_GFP_ATOMIC, 6) != NONE); // 8 a pageblock
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 1024);
	assert_verified();
}

// H1, I7: a request of whole-block order reserves all its blocks, past the limit if need be.
static void H1_whole_blocks(void **state)
{
	(void)state;
	pressed(plain_config(), 51200); // limit 512
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 10), 0);
	assert_int_equal(type_at(0), H);
	assert_int_equal(type_at(512), H);
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 1024);
	assert_int_equal(zone_state(NORMAL).nr_free_highatomic, 0);
	free_at(0, 10);
	assert_lists(NORMAL, H, "10:[0]");
	assert_int_equal(zone_state(NORMAL).nr_free_highatomic, 1024);
	assert_verified();
}

// D1, D2: 7.3 reserves only after a MIN attempt; a fast success does not, older kernels' every success does.
static void D2_when_to_reserve(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	build_normal(config, 65536); // ample: the first attempt serves
	direct(true);
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 1), 0);
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 0);
	config.policy.highatomic_reserve_min = 0;
	build_normal(config, 65536);
	direct(true);
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 1), 0);
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 512);
	config.policy = policy_of("linux-7.2"); // no HIGHATOMIC in the first attempt
	build_normal(config, 65536);
	direct(true);
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 1), 0);
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 0);
}

// 53248 frames in use but for these: an H block with free 0..63, a second H block with free 512..543.
static void two_reserved_blocks(void)
{
	blank(53248);
	give_type(0, H);
	give_type(512, H);
	give_free(0, 6);
	give_free(512, 5);
	give_used(64, 512, false);
	give_used(544, 53248, false);
	ready();
	set_wmarks(normal(), 0, 0, 0);
	direct(true);
}

// H3, R3: H lists are the last resort of NON_BLOCK requests and of OOM victims, and closed to others.
static void H3_users_of_the_reserve(void **state)
{
	struct yard_request r = { .gfp = GFP_U, .node = -1, .task = YARD_TASK_OOM_VICTIM };
	struct yard_result result;

	(void)state;
	two_reserved_blocks();
	assert_int_equal(yard_alloc(yard, GFP_U, 0), NONE);
	assert_int_equal(yard_alloc(yard, GFP_M, 0), NONE);
	assert_int_equal(yard_alloc(yard, YARD_GFP_NOWAIT | YARD_GFP_NOMEMALLOC, 0), NONE);
	assert_pfn(yard_alloc(yard, YARD_GFP_NOWAIT, 0), 512);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_pfn(result.pfn, 513);
	assert_verified();
}

// H3: a HIGHATOMIC request's first choice is the smallest fitting H block, also in the first attempt (D1).
static void H3_first_choice(void **state)
{
	(void)state;
	two_reserved_blocks();
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 3), 512);
	assert_events(REMOVALS, "locked(512,3,H,0)");
	assert_pfn(yard_alloc(yard, YARD_GFP_ATOMIC, 6), 0);
	assert_verified();
}

// H2: the block of the first free H block, from order 0 up, goes to the request's type; its free pages to the tails.
static void H2_unreserve(void **state)
{
	(void)state;
	two_reserved_blocks();
	assert_true(yard_unreserve_highatomic(yard, 0, NORMAL, 0, R, false));
	assert_int_equal(type_at(512), R); // order 5 before order 6
	assert_int_equal(type_at(0), H);
	assert_lists(NORMAL, R, "5:[512]");
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 512);
	assert_int_equal(zone_state(NORMAL).nr_free_highatomic, 64);
	assert_verified();
	assert_false(yard_unreserve_highatomic(yard, 0, NORMAL, 0, R, false)); // one block stays unless forced
	assert_true(yard_unreserve_highatomic(yard, 0, NORMAL, 0, M, true));
	assert_lists(NORMAL, M, "6:[0]");
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 0);
	assert_false(yard_unreserve_highatomic(yard, 0, NORMAL, 0, M, true));
	assert_events(KMEM, ""); // T7i
	assert_verified();
}

// H2: zones above the highest zone or outside the nodemask are left alone.
static void H2_limits_of_the_walk(void **state)
{
	(void)state;
	two_reserved_blocks();
	assert_false(yard_unreserve_highatomic(yard, 0, YARD_ZONE_DMA32, 0, U, true));
	assert_false(yard_unreserve_highatomic(yard, 0, NORMAL, 2, U, true));
	assert_true(yard_unreserve_highatomic(yard, 0, NORMAL, 1, U, true));
}

// H2: free blocks of whole-block order move as they are, and all their pageblocks are retyped.
static void H2_whole_blocks(void **state)
{
	(void)state;
	blank(53248);
	give_type(1024, H);
	give_type(1536, H);
	give_free(1024, 10);
	ready();
	assert_true(yard_unreserve_highatomic(yard, 0, NORMAL, 0, M, false)); // 1024 > 512
	assert_lists(NORMAL, M, "10:[1024]");
	assert_int_equal(type_at(1536), M);
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 0);
	assert_verified();
}

// H4: frames freed inside an H block return to the H lists when they are drained.
static void H4_frees_in_reserved_blocks(void **state)
{
	(void)state;
	two_reserved_blocks();
	direct(false);
	set_pcps(normal(), 4, 100, 100);
	free_at(64, 0);
	assert_int_equal(zone_state(NORMAL).nr_free_highatomic, 96);
	assert_pcp(NORMAL, 0, M, "[64]");
	yard_drain_all(yard, -1);
	assert_events(KIND(PAGE_PCPU_DRAIN), "drain(64,0,H)"); // T5
	assert_int_equal(zone_state(NORMAL).nr_free_highatomic, 97);
	assert_lists(NORMAL, H, "0:[64] 5:[512] 6:[0]");
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(H1_reserve),
		cmocka_unit_test(H1_only_for_highatomic_requests),
		cmocka_unit_test(H1_small_zones_have_none),
		cmocka_unit_test(H1_limit),
		cmocka_unit_test(H1_whole_blocks),
		cmocka_unit_test(D2_when_to_reserve),
		cmocka_unit_test(H3_users_of_the_reserve),
		cmocka_unit_test(H3_first_choice),
		cmocka_unit_test(H2_unreserve),
		cmocka_unit_test(H2_limits_of_the_walk),
		cmocka_unit_test(H2_whole_blocks),
		cmocka_unit_test(H4_frees_in_reserved_blocks),
	};

	return cmocka_run_group_tests_name("highatomic", tests, NULL, demolish);
}
