// SPDX-License-Identifier: Apache-2.0
//
// The walk over the zones: which zone serves a request, when NOFRAGMENT is dropped, when nodes are left out (spec 01
// section 7).

#include "engine_fixture.h"

enum { N1 = YARD_ZONE_TYPES };

static unsigned reclaim_calls, reclaim_node;
static uint64_t reclaim_answer;

static uint64_t node_reclaim(void *context, unsigned node, uint32_t gfp, unsigned order)
{
	(void)context;
	(void)gfp;
	(void)order;
	reclaim_calls++;
	reclaim_node = node;
	return reclaim_answer;
}

static uint64_t dirty_pages[2];
static unsigned dirty_calls;

static void node_dirty(void *context, unsigned node, uint64_t *dirty, uint64_t *file_lru)
{
	(void)context;
	dirty_calls++;
	*dirty = dirty_pages[node];
	*file_lru = 0;
}

static bool charge(void *context, uint32_t pfn, unsigned order, uint32_t gfp)
{
	(void)pfn;
	(void)order;
	(void)gfp;
	return *(bool *)context;
}

// Node 0: DMA32 and NORMAL; node 1: NORMAL only. 4096 frames each.
static void two_nodes(struct yard_config config)
{
	const struct yard_range memory[] = {
		{ 4096, 8192, 0 }, { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 }
	};

	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 3;
	build(&config);
	yard_set_event_sink(yard, record_event, NULL, true);
}

// One node with DMA32 and NORMAL, 4096 frames each.
static void dma32_and_normal(struct yard_config config)
{
	const struct yard_range memory[] = { { 4096, 8192, 0 }, { BASE, BASE + 4096, 0 } };

	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	yard_set_event_sink(yard, record_event, NULL, true);
}

static struct yard_result on_node(uint32_t gfp, int16_t node)
{
	struct yard_request r = { .gfp = gfp, .node = node };
	struct yard_result result;

	yard_alloc_request(yard, &r, &result);
	return result;
}

static struct yard_result on_node_order(uint32_t gfp, uint8_t order)
{
	struct yard_request r = { .gfp = gfp, .order = order, .node = 0 };
	struct yard_result result;

	yard_alloc_request(yard, &r, &result);
	return result;
}

// Flags of the first attempt since the last look.
static unsigned first_attempt(void)
{
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_WHY_ATTEMPT)
			return (unsigned)events[i].a;
	fail_msg("no attempt");
	return 0;
}

static void empty(unsigned zone)
{
	set_wmarks(zone_at(yard, zone), 1000000, 1000000, 1000000);
}

// A1: set for a NORMAL zone of a node that has DMA32, or of the only node; not for others; G7's other flags.
static void A1_nofragment_of_the_first_attempt(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	two_nodes(config);
	on_node(GFP_U, 0);
	assert_int_equal(first_attempt(), ALLOC_WMARK_LOW | ALLOC_KSWAPD | ALLOC_NOFRAGMENT);
	forget_events();
	on_node(GFP_U, 1); // no DMA32 on its node
	assert_int_equal(first_attempt(), ALLOC_WMARK_LOW | ALLOC_KSWAPD);
	forget_events();
	on_node(GFP_U | YARD_GFP_DMA32, 0);
	assert_int_equal(first_attempt(), ALLOC_WMARK_LOW | ALLOC_KSWAPD);
	forget_events();
	on_node(YARD_GFP_TRANSHUGE_LIGHT, 0); // G6, no KSWAPD bit
	assert_int_equal(first_attempt(), ALLOC_WMARK_LOW | ALLOC_CMA | ALLOC_NOFRAGMENT);

	build_normal(config, 8192); // one node, no DMA32 populated
	yard_set_event_sink(yard, record_event, NULL, true);
	request(GFP_U, 0);
	assert_int_equal(first_attempt(), ALLOC_WMARK_LOW | ALLOC_KSWAPD | ALLOC_NOFRAGMENT);

	config.policy.defrag_mode = 1;
	two_nodes(config);
	on_node(GFP_U, 1);
	assert_int_equal(first_attempt() & ALLOC_NOFRAGMENT, ALLOC_NOFRAGMENT);
	forget_events();
	on_node(GFP_U | YARD_GFP_DMA32, 0);
	assert_int_equal(first_attempt() & ALLOC_NOFRAGMENT, ALLOC_NOFRAGMENT);

	config.no_dma32 = true; // the bit does not exist
	build_normal(config, 8192);
	yard_set_event_sink(yard, record_event, NULL, true);
	request(GFP_U, 0);
	assert_int_equal(first_attempt() & ALLOC_NOFRAGMENT, 0);
}

// G7, D1: HIGHATOMIC in the first attempt for order > 0, HIGH, without DIRECT_RECLAIM and NOMEMALLOC; not before 7.3.
static void G7_highatomic_of_the_first_attempt(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	two_nodes(config);
	request(YARD_GFP_ATOMIC, 1);
	assert_int_equal(first_attempt() & ALLOC_RESERVES, ALLOC_HIGHATOMIC); // neither MIN_RESERVE nor NON_BLOCK
	forget_events();
	request(YARD_GFP_ATOMIC, 0);
	assert_int_equal(first_attempt() & ALLOC_RESERVES, 0);
	forget_events();
	request(YARD_GFP_ATOMIC | YARD_GFP_NOMEMALLOC, 1);
	assert_int_equal(first_attempt() & ALLOC_RESERVES, 0);
	forget_events();
	request(YARD_GFP_KERNEL | YARD_GFP_HIGH, 1);
	assert_int_equal(first_attempt() & ALLOC_RESERVES, 0);
	config.policy = policy_of("linux-7.2");
	two_nodes(config);
	request(YARD_GFP_ATOMIC, 1);
	assert_int_equal(first_attempt() & ALLOC_RESERVES, 0);
}

// A7, A8: a zone below its low mark is passed over; it is flagged BELOW_HIGH when the probe fails.
static void A7_below_high_and_the_next_zone(void **state)
{
	(void)state;
	dma32_and_normal(plain_config());
	set_wmarks(normal(), 10, 20, 4095);
	assert_int_equal(request(GFP_M, 0).zone, NORMAL); // 4096 > 4095
	assert_int_equal(zone_state(NORMAL).flags, 0);
	yard_drain_all(yard, -1); // 4095 are left
	assert_int_equal(request(GFP_M, 0).zone, NORMAL);
	assert_int_equal(zone_state(NORMAL).flags, YARD_ZONE_BELOW_HIGH);
	set_wmarks(normal(), 10, 5000, 5000);
	assert_int_equal(request(GFP_M, 0).zone, YARD_ZONE_DMA32);
	assert_int_equal(zone_state(YARD_ZONE_DMA32).flags, 0);
}

// A8: the lowmem reserve keeps DMA32 from requests that could have used NORMAL, not from its own.
static void A8_lowmem_reserve(void **state)
{
	(void)state;
	dma32_and_normal(plain_config());
	empty(NORMAL);
	zone_at(yard, YARD_ZONE_DMA32)->lowmem_reserve[YARD_ZONE_NORMAL] = 5000;
	zone_at(yard, YARD_ZONE_DMA32)->lowmem_reserve[YARD_ZONE_MOVABLE] = 5000;
	assert_int_equal(request(GFP_M, 0).pfn, NONE);
	assert_int_equal(request(GFP_M & ~(uint32_t)YARD_GFP_MOVABLE, 0).pfn, NONE);
	assert_int_equal(request(GFP_U | YARD_GFP_DMA32, 0).zone, YARD_ZONE_DMA32);
}

// A10: a zone that passes the watermark test but gives no page is passed over. Under defrag_mode a movable request
// takes nothing from NORMAL, where only pieces of a U block are free.
static void A10_no_page_next_zone(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.policy.defrag_mode = 1;
	dma32_and_normal(config);
	direct(true);
	assert_pfn(request(GFP_U, 0).pfn, 0); // claims 0..1023
	for (int i = 0; i < 3; i++)
		assert_int_equal(request(GFP_M, 10).zone, NORMAL);
	assert_pfn(request(GFP_U, 9).pfn, 512);
	forget_events();
	assert_int_equal(request(GFP_M, 0).zone, YARD_ZONE_DMA32);
	assert_int_equal(last_event(YARD_EVENT_WHY_ZONE_SKIPPED)->a, YARD_SKIP_NO_PAGE);
	assert_verified();
}

// Takes one page of NORMAL's first block and all its other blocks: 511 movable pages stay free in pieces.
static void break_whole_blocks(void)
{
	assert_pfn(on_node(GFP_M, 0).pfn, 0);
	assert_pfn(on_node_order(GFP_M, 9).pfn, 512);
	for (int i = 0; i < 3; i++)
		assert_int_equal(on_node_order(GFP_M, 10).zone, NORMAL);
	forget_events();
}

// A5: with several nodes, locality beats fragmentation avoidance: the local zones are tried again with fallback.
static void A5_local_fallback_before_a_remote_node(void **state)
{
	struct yard_result result;

	(void)state;
	two_nodes(plain_config());
	empty(YARD_ZONE_DMA32);
	direct(true);
	break_whole_blocks();
	result = on_node(GFP_R, 0); // only M pieces are left on node 0
	assert_int_equal(result.zone, NORMAL);
	assert_int_equal(last_event(YARD_EVENT_WHY_RESTART)->a, 0);
	assert_true(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->a < YARD_PAGEBLOCK_ORDER);
	assert_int_equal(result.attempts, 1);
}

// A5, A12, E-9: under defrag_mode the remote node is taken instead, and NOFRAGMENT is never dropped in the walk.
static void A12_defrag_mode_keeps_nofragment(void **state)
{
	struct yard_config config = plain_config();
	struct yard_result result;

	(void)state;
	config.policy.defrag_mode = 1;
	two_nodes(config);
	empty(YARD_ZONE_DMA32);
	direct(true);
	break_whole_blocks();
	result = on_node(GFP_R, 0);
	assert_int_equal(result.zone, N1 + NORMAL);
	assert_int_equal(count_events(YARD_EVENT_WHY_RESTART), 0);
}

// A12: on one node the walk is repeated without NOFRAGMENT after it found nothing.
static void A12_second_walk_without_nofragment(void **state)
{
	(void)state;
	blank_config(plain_config(), 4096);
	give_free(256, 8);
	give_used(0, 256, false);
	ready();
	direct(true);
	yard_set_event_sink(yard, record_event, NULL, true);
	assert_pfn(yard_alloc(yard, GFP_U, 0), 256);
	assert_int_equal(count_events(YARD_EVENT_WHY_RESTART), 1);
	assert_int_equal(count_events(YARD_EVENT_WHY_ATTEMPT), 1);
	assert_events(REMOVALS, "locked(256,0,U,1) extfrag(256,0,8,U,M,1)");
}

// A6, A11: a node whose kswapd runs is left out first, and taken when nothing else serves. D12: older kernels do not.
static void A6_nodes_with_active_kswapd(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	two_nodes(config);
	yard_kswapd_awake(yard, 0, true);
	assert_int_equal(on_node(GFP_M, 0).zone, N1 + NORMAL);
	empty(N1 + NORMAL);
	assert_int_equal(on_node(GFP_M, 0).zone, NORMAL); // A11
	yard_kswapd_awake(yard, 0, false);
	assert_int_equal(on_node(GFP_M, 0).zone, NORMAL);

	config.policy.skip_kswapd_nodes = 0;
	two_nodes(config);
	yard_kswapd_awake(yard, 0, true);
	assert_int_equal(on_node(GFP_M, 0).zone, NORMAL);

	dma32_and_normal(plain_config()); // one node: never
	yard_kswapd_awake(yard, 0, true);
	assert_int_equal(request(GFP_M, 0).zone, NORMAL);
}

// A4: WRITE requests avoid nodes above their dirty limit, in the fast attempt only, asking once per run of a node.
static void A4_dirty_spreading(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.owner.node_dirty = node_dirty;
	two_nodes(config);
	dirty_pages[0] = 1000000;
	dirty_pages[1] = 0;
	dirty_calls = 0;
	assert_int_equal(on_node(GFP_M | YARD_GFP_WRITE, 0).zone, N1 + NORMAL);
	assert_int_equal(dirty_calls, 4); // NORMAL and DMA32 of node 0 are one run; A5 restarts at node 1
	assert_int_equal(on_node(GFP_M, 0).zone, NORMAL);
	dirty_pages[1] = 1000000; // both over: the slow path does not look
	assert_int_equal(on_node(GFP_M | YARD_GFP_WRITE, 0).zone, NORMAL);
	// The limit is 20 % of what is free above the reserve, and itself still fine.
	yard_drain_all(yard, -1);
	dirty_pages[1] = (uint64_t)(nr_free_pages(N1 + NORMAL) - (int64_t)yard->nodes[1].totalreserve) * 20 / 100;
	assert_int_equal(on_node(GFP_M | YARD_GFP_WRITE, 1).zone, N1 + NORMAL);
	yard_drain_all(yard, -1);
	dirty_pages[1] = (uint64_t)(nr_free_pages(N1 + NORMAL) - (int64_t)yard->nodes[1].totalreserve) * 20 / 100 + 1;
	dirty_pages[0] = 0;
	assert_int_equal(on_node(GFP_M | YARD_GFP_WRITE, 1).zone, NORMAL);
}

// A8c, A8d, A8e: node reclaim runs for near nodes; zero pages pass on to the next zone (D3), others test again.
static void A8_node_reclaim(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.zone_reclaim_mode = 1;
	config.owner.node_reclaim = node_reclaim;
	for (unsigned always = 0; always <= 1; always++) {
		config.policy.node_reclaim_retest = (uint8_t)always;
		two_nodes(config);
		empty(NORMAL);
		empty(YARD_ZONE_DMA32);
		reclaim_calls = 0;
		reclaim_answer = 0;
		assert_int_equal(on_node(GFP_M, 0).zone, N1 + NORMAL);
		assert_int_equal(reclaim_calls, 4); // NORMAL and DMA32, again after A5's restart
		assert_int_equal(reclaim_node, 0);
		reclaim_calls = 0;
		assert_int_equal(on_node(YARD_GFP_ATOMIC | YARD_GFP_MOVABLE, 0).zone, N1 + NORMAL); // A15
		assert_int_equal(reclaim_calls, 0);
	}
	// A15: another node's kswapd work is not ours while that node has CPUs; a node without may be reclaimed.
	two_nodes(config);
	empty(N1 + NORMAL);
	reclaim_calls = 0;
	assert_int_equal(on_node(GFP_M, 1).zone, NORMAL);
	assert_int_equal(reclaim_calls, 1);
	static const uint8_t far[] = { 10, 31, 31, 10 };
	config.distance = far;
	two_nodes(config);
	empty(NORMAL);
	empty(YARD_ZONE_DMA32);
	empty(N1 + NORMAL);
	reclaim_calls = 0;
	on_node(GFP_M, 0);
	assert_int_equal(reclaim_node, 0); // node 1 is farther than 30
	assert_true(reclaim_calls > 0);
}

// A13: NO_WATERMARKS pages are marked pfmemalloc.
static void A13_pfmemalloc(void **state)
{
	struct yard_request r = { .gfp = GFP_U | YARD_GFP_MEMALLOC, .node = -1 };
	struct yard_result result;

	(void)state;
	dma32_and_normal(plain_config());
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_false(result.pfmemalloc);
	empty(NORMAL);
	empty(YARD_ZONE_DMA32);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_true(result.pfmemalloc);
	assert_int_equal(result.zone, NORMAL);
}

// A13, T1: an accounted request whose charge fails frees its page again and fails; others are not charged.
static void A13_failed_charge(void **state)
{
	struct yard_config config = plain_config();
	bool answer = false;

	(void)state;
	config.owner.charge = charge;
	config.owner.context = &answer;
	build_normal(config, 8192);
	set_pcps(normal(), 4, 8, 8);
	assert_int_equal(request(YARD_GFP_KERNEL_ACCOUNT, 0).pfn, NONE);
	assert_events(KIND(PAGE_ALLOC) | KIND(PAGE_FREE), "free(0,0) alloc(-,0,U)");
	assert_pcp(NORMAL, 0, U, "[0,1,2,3]");
	assert_pfn(yard_alloc(yard, YARD_GFP_KERNEL, 0), 0);
	answer = true;
	assert_pfn(yard_alloc(yard, YARD_GFP_KERNEL_ACCOUNT, 0), 1);
	assert_verified();
}

// A14, SP-13: the slow path wakes the kswapd of each node once, with the request's order; not one that is awake. A wake-up
// makes it awake until the host says otherwise.
static void A14_slow_path_wakes_each_node_once(void **state)
{
	(void)state;
	two_nodes(plain_config());
	yard_kswapd_run(yard, 0, true);
	yard_kswapd_run(yard, 1, true);
	empty(NORMAL);
	empty(YARD_ZONE_DMA32);
	empty(N1 + NORMAL);
	assert_int_equal(on_node(GFP_U, 0).pfn, NONE);
	assert_events(WAKES, "kswapd(zone 2,0,2) kswapd(zone 7,0,2)");
	assert_int_equal(on_node(GFP_U, 0).pfn, NONE);
	assert_events(WAKES, ""); // both are awake now
	yard_kswapd_awake(yard, 1, false);
	assert_int_equal(on_node(GFP_U, 0).pfn, NONE);
	assert_events(WAKES, "kswapd(zone 7,0,2)");
	yard_kswapd_awake(yard, 0, false);
	yard_kswapd_awake(yard, 1, false);
	assert_int_equal(on_node(GFP_U & ~(uint32_t)YARD_GFP_KSWAPD_RECLAIM, 0).pfn, NONE);
	assert_events(WAKES, "");
}

// A14, SP-13: under defrag_mode kswapd is asked for whole blocks; the switch asks for the request's order again.
static void SP13_whole_blocks_under_defrag_mode(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.policy.defrag_mode = 1;
	dma32_and_normal(config);
	empty(NORMAL);
	empty(YARD_ZONE_DMA32);
	request(GFP_M | YARD_GFP_NORETRY, 0);
	assert_events(WAKES, "kswapd(zone 2,9,3)");
	yard_kswapd_awake(yard, 0, false);
	request(GFP_M | YARD_GFP_NORETRY, 10);
	assert_events(WAKES, "kswapd(zone 2,10,3)");
	config.policy.kswapd_block_wake = 0;
	dma32_and_normal(config);
	empty(NORMAL);
	empty(YARD_ZONE_DMA32);
	request(GFP_M | YARD_GFP_NORETRY, 0);
	assert_events(WAKES, "kswapd(zone 2,0,3)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A1_nofragment_of_the_first_attempt),
		cmocka_unit_test(G7_highatomic_of_the_first_attempt),
		cmocka_unit_test(A7_below_high_and_the_next_zone),
		cmocka_unit_test(A8_lowmem_reserve),
		cmocka_unit_test(A10_no_page_next_zone),
		cmocka_unit_test(A5_local_fallback_before_a_remote_node),
		cmocka_unit_test(A12_defrag_mode_keeps_nofragment),
		cmocka_unit_test(A12_second_walk_without_nofragment),
		cmocka_unit_test(A6_nodes_with_active_kswapd),
		cmocka_unit_test(A4_dirty_spreading),
		cmocka_unit_test(A8_node_reclaim),
		cmocka_unit_test(A13_pfmemalloc),
		cmocka_unit_test(A13_failed_charge),
		cmocka_unit_test(A14_slow_path_wakes_each_node_once),
		cmocka_unit_test(SP13_whole_blocks_under_defrag_mode),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, demolish);
}
