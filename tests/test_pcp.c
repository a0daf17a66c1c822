// SPDX-License-Identifier: Apache-2.0
//
// Per-CPU page sets: refills, frees, drains, decay (spec 01 section 8, vector E9; batches of frees, B13).

#include "engine_fixture.h"

static struct pcp *set_of(unsigned cpu)
{
	return &normal()->pcp[cpu];
}

// A zone of 8192 frames, of which 0..2047 are in use and the rest is free; sets with these limits.
static void half_used(int32_t batch, int32_t high_min, int32_t high_max)
{
	blank(8192);
	give_used(0, 2048, false);
	give_free_range(2048, 8192);
	ready();
	set_pcps(normal(), batch, high_min, high_max);
}

static void free_frames(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		free_at(i, 0);
}

// E9: refills double while only allocations happen; a free halves alloc_factor.
static void E9_refill_sizes(void **state)
{
	static const struct {
		int32_t n, high, factor;
	} refills[] = { { 63, 2063, 1 },  { 126, 2189, 2 },  { 252, 2441, 3 },	{ 504, 2945, 4 },
			{ 1008, 3953, 5 }, { 2016, 5969, 5 }, { 2016, 7985, 5 } };
	uint32_t next = 0, pfn = NONE;

	(void)state;
	blank(8192);
	give_free_range(0, 8192);
	ready();
	set_pcps(normal(), 63, 2000, 8000);
	yard_set_event_sink(yard, record_event, NULL, true);
	for (size_t i = 0; i < COUNT(refills); i++) {
		const struct yard_event *why;

		assert_int_equal(pcp_state(NORMAL, 0).count, 0);
		forget_events();
		pfn = yard_alloc(yard, GFP_M, 0);
		assert_pfn(pfn, next++); // P8: ascending
		why = last_event(YARD_EVENT_WHY_REFILL);
		assert_int_equal(why->a, refills[i].n);
		assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED), refills[i].n);
		assert_int_equal(pcp_state(NORMAL, 0).high, refills[i].high);
		assert_int_equal(pcp_state(NORMAL, 0).alloc_factor, refills[i].factor);
		for (int32_t n = 1; n < refills[i].n; n++) {
			pfn = yard_alloc(yard, GFP_M, 0);
			assert_pfn(pfn, next++);
		}
	}
	assert_int_equal(yard_free(yard, pfn, 0), YARD_OK);
	assert_int_equal(pcp_state(NORMAL, 0).alloc_factor, 2);
	assert_verified();
}

// P7.5: orders above 0 ask for batch >> order, at least 2.
static void P7_refills_of_higher_orders(void **state)
{
	static const struct {
		unsigned order, blocks;
	} cases[] = { { 1, 31 }, { 2, 15 }, { 3, 7 }, { 9, 2 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		half_used(63, 2000, 8000);
		assert_true(yard_alloc(yard, GFP_M, cases[i].order) != NONE);
		assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED), cases[i].blocks);
		assert_int_equal(pcp_state(NORMAL, 0).count, (cases[i].blocks - 1) << cases[i].order);
		assert_int_equal(pcp_state(NORMAL, 0).high, 2063); // b is the batch
		assert_int_equal(pcp_state(NORMAL, 0).alloc_factor, 0);
		assert_verified();
	}
}

// P7.4: a refill is limited to what `high` leaves; alloc_factor grows only while the refill was not cut.
static void P7_limit_of_a_refill(void **state)
{
	(void)state;
	half_used(63, 150, 150);
	yard_alloc(yard, GFP_M, 0);
	assert_int_equal(pcp_state(NORMAL, 0).count, 62);
	assert_int_equal(pcp_state(NORMAL, 0).alloc_factor, 1);
	for (int i = 0; i < 62; i++)
		yard_alloc(yard, GFP_M, 0);
	assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	yard_alloc(yard, GFP_M, 0); // b = 126, limit 150 - 0 - 63
	assert_int_equal(pcp_state(NORMAL, 0).count, 86);
	assert_int_equal(pcp_state(NORMAL, 0).alloc_factor, 1);
	assert_int_equal(pcp_state(NORMAL, 0).high, 150);
}

// P7.1: a set whose high is below its batch fetches one page.
static void P7_disabled_set_fetches_one(void **state)
{
	(void)state;
	half_used(63, 10, 10);
	assert_pfn(yard_alloc(yard, GFP_M, 0), 2048);
	assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	assert_int_equal(pcp_state(NORMAL, 0).alloc_factor, 0);
}

// P7.3: high does not grow while the zone is below its high watermark.
static void P7_no_growth_below_high(void **state)
{
	(void)state;
	half_used(63, 2000, 8000);
	normal()->flags = YARD_ZONE_BELOW_HIGH;
	yard_alloc(yard, GFP_M, 0);
	assert_int_equal(pcp_state(NORMAL, 0).high, 2000);
	assert_int_equal(pcp_state(NORMAL, 0).count, 62);
}

// P8: a refill ends with what the zone has.
static void P8_refill_stops_at_the_first_failure(void **state)
{
	(void)state;
	blank(4096);
	give_free(8, 2);
	give_used(0, 8, false);
	ready();
	set_pcps(normal(), 63, 2000, 8000);
	set_wmarks(normal(), 0, 0, 0);
	assert_pfn(yard_alloc(yard, GFP_M, 0), 8);
	assert_pcp(NORMAL, 0, M, "[9,10,11]");
	assert_int_equal(nr_free_pages(NORMAL), 0);
	assert_verified();
}

// P9: orders 4 to 8 and 10 pass the set by.
static void P9_orders_without_lists(void **state)
{
	static const unsigned orders[] = { 4, 5, 6, 7, 8, 10 };

	(void)state;
	half_used(63, 4000, 8000);
	for (size_t i = 0; i < COUNT(orders); i++) {
		uint32_t pfn = yard_alloc(yard, GFP_M, orders[i]);

		assert_true(pfn != NONE);
		assert_int_equal(pcp_state(NORMAL, 0).count, 0);
		assert_int_equal(yard_free(yard, pfn, orders[i]), YARD_OK);
		assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	}
	assert_verified();
}

// P1: list 12 keeps whole blocks of types U and R together, list 13 those of type M.
static void P1_list_of_whole_blocks(void **state)
{
	(void)state;
	blank(8192);
	give_type(512, U);
	give_type(1024, R);
	give_block(0, 9);
	give_block(512, 9);
	give_block(1024, 9);
	give_free(2048, 10);
	ready();
	set_pcps(normal(), 63, 4000, 8000);
	free_at(0, 9);
	free_at(512, 9);
	free_at(1024, 9);
	assert_pcp(NORMAL, 0, 12, "[1024,512]");
	assert_pcp(NORMAL, 0, 13, "[0]");
	assert_pfn(yard_alloc(yard, GFP_U, 9), 1024);
	assert_verified();
}

// P21: last freed, first allocated; the list is that of the block, not of the former request.
static void P21_last_freed_first_allocated(void **state)
{
	(void)state;
	blank(8192);
	give_type(0, U);
	give_used(0, 100, false);
	ready();
	set_pcps(normal(), 63, 4000, 8000);
	set_wmarks(normal(), 0, 0, 0);
	normal()->stat[YARD_NR_FREE_PAGES] = 1000; // watermark only
	free_at(7, 0);
	free_at(3, 0);
	assert_pfn(yard_alloc(yard, GFP_U, 0), 3);
	assert_pfn(yard_alloc(yard, GFP_U, 0), 7);
}

// P22: a frame of an H block serves any movable request from the set.
static void P22_highatomic_frames_pass_through_the_movable_list(void **state)
{
	(void)state;
	half_used(63, 4000, 8000);
	give_type(0, H);
	free_at(5, 0);
	assert_pcp(NORMAL, 0, M, "[5]");
	assert_pfn(yard_alloc(yard, GFP_M, 0), 5);
}

// P10, P12: reaching a fixed high frees what was freed lately, leaving a batch, oldest first.
static void P12_amount_and_order_of_a_drain(void **state)
{
	(void)state;
	half_used(4, 10, 10);
	free_frames(0, 9);
	assert_int_equal(count_events(YARD_EVENT_PAGE_PCPU_DRAIN), 0);
	forget_events();
	free_at(9, 0); // count 10 = h; free_count 10, clamped to 10 - 4
	assert_events(KMEM, "free(9,0) drain(0,0,M) drain(1,0,M) drain(2,0,M) drain(3,0,M) drain(4,0,M) drain(5,0,M)");
	assert_pcp(NORMAL, 0, M, "[9,8,7,6]");
	assert_lists_to(NORMAL, 2, M, "1:[4] 2:[0]");
	assert_int_equal(zone_state(NORMAL).pgfree, 10);
	assert_verified();
}

// P12: with h below the batch one page is freed.
static void P12_one_page_when_high_is_below_batch(void **state)
{
	(void)state;
	half_used(4, 2, 2);
	free_frames(0, 2);
	assert_events(KIND(PAGE_PCPU_DRAIN), "drain(0,0,M)");
	assert_pcp(NORMAL, 0, M, "[1]");
}

// P11: the mark rises when frees outrun it; the value before the raise decides this time.
static void P11_high_rises_with_free_count(void **state)
{
	(void)state;
	half_used(4, 8, 100);
	free_frames(0, 8);
	assert_int_equal(pcp_state(NORMAL, 0).count, 4);
	assert_int_equal(pcp_state(NORMAL, 0).high, 12); // 8 freed + batch
	assert_int_equal(pcp_state(NORMAL, 0).free_count, 8);
	free_frames(8, 15);
	assert_int_equal(pcp_state(NORMAL, 0).count, 11);
	free_at(15, 0); // count 12 = high: need 16 + 4; amount clamp(16, 4, 8)
	assert_int_equal(pcp_state(NORMAL, 0).high, 20);
	assert_int_equal(pcp_state(NORMAL, 0).count, 4);
	assert_verified();
}

// P11: while kswapd balances, sets shrink to 4 batches or less, their mark falling by what was freed.
static void P11_reclaim_active(void **state)
{
	(void)state;
	half_used(4, 8, 100);
	set_of(0)->high = 50;
	yard_kswapd_balance_begin(yard, 0, NORMAL);
	assert_int_equal(zone_state(NORMAL).flags & YARD_ZONE_RECLAIM_ACTIVE, YARD_ZONE_RECLAIM_ACTIVE);
	free_frames(0, 7); // high: 46 42 38 34 29 23 16
	assert_int_equal(pcp_state(NORMAL, 0).high, 16);
	assert_int_equal(pcp_state(NORMAL, 0).count, 7);
	free_at(7, 0); // high 8, h = 8, amount 4
	assert_int_equal(pcp_state(NORMAL, 0).high, 8);
	assert_int_equal(pcp_state(NORMAL, 0).count, 4);
	yard_kswapd_balance_end(yard, 0, NORMAL);
	assert_int_equal(zone_state(NORMAL).flags & YARD_ZONE_RECLAIM_ACTIVE, 0);
}

// P11, P13: below the high watermark the mark falls too; the flag clears only when a free reaches h.
static void P13_below_high_is_left_by_a_free_that_drains(void **state)
{
	(void)state;
	half_used(4, 8, 100);
	set_of(0)->high = 50;
	normal()->flags = YARD_ZONE_BELOW_HIGH;
	free_frames(0, 7); // h = max(count, 8)
	assert_int_equal(zone_state(NORMAL).flags, YARD_ZONE_BELOW_HIGH);
	assert_int_equal(pcp_state(NORMAL, 0).high, 16);
	free_at(7, 0);
	assert_int_equal(pcp_state(NORMAL, 0).count, 4);
	assert_int_equal(zone_state(NORMAL).flags, 0);
}

// P11: below the high watermark a set with more than high_min gives back all but a batch.
static void P11_below_high_with_a_long_list(void **state)
{
	(void)state;
	half_used(4, 8, 100);
	set_of(0)->high = 50;
	free_frames(0, 20);
	normal()->flags = YARD_ZONE_BELOW_HIGH;
	free_at(20, 0); // h = max(21, 8); amount clamp(21, 4, 21 - 4)
	assert_int_equal(pcp_state(NORMAL, 0).count, 4);
	assert_int_equal(pcp_state(NORMAL, 0).high, 50 - 21);
	assert_int_equal(zone_state(NORMAL).flags, 0);
}

// P13: below the mark the flag stays, however much is drained.
static void P13_stays_while_free_pages_are_below_high(void **state)
{
	(void)state;
	half_used(4, 8, 100);
	set_wmarks(normal(), 10, 20, 8000);
	normal()->flags = YARD_ZONE_BELOW_HIGH;
	free_frames(0, 40);
	assert_int_equal(zone_state(NORMAL).flags, YARD_ZONE_BELOW_HIGH);
}

// P10.1, P11, P12: a run of frees of orders 1 to 3 empties the set once it is long enough.
static void P10_high_order_run_empties_the_set(void **state)
{
	(void)state;
	half_used(4, 8, 200);
	for (uint32_t i = 0; i < 5; i++) {
		for (uint32_t j = 0; j < 2; j++)
			frame_set_word(yard, base + 2 * i + j, j ? 0 : make_word(YARD_FRAME_ALLOCATED, 1, 0));
	}
	set_of(0)->high = 100;
	for (uint32_t i = 0; i < 4; i++)
		free_at(2 * i, 1); // free_count 2 4 6 8, seen before the addition: 0 2 4 6
	assert_int_equal(pcp_state(NORMAL, 0).count, 8);
	assert_int_equal(pcp_state(NORMAL, 0).free_count, 8);
	assert_int_equal(pcp_state(NORMAL, 0).flags & PCP_PREV_FREE_HIGH_ORDER, PCP_PREV_FREE_HIGH_ORDER);
	free_at(8, 1); // 8 >= 4 + 8/2
	assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	assert_int_equal(pcp_state(NORMAL, 0).high, 8); // max(100 - 128, 8)
	assert_int_equal(count_events(YARD_EVENT_PAGE_PCPU_DRAIN), 5);
	assert_verified();
}

// P10.1: an order-0 free interrupts the run; FREE_HIGH_BATCH asks for a batch on the list.
static void P10_conditions_of_the_high_order_run(void **state)
{
	(void)state;
	half_used(4, 8, 200);
	frame_set_word(yard, base + 2, make_word(YARD_FRAME_ALLOCATED, 1, 0));
	frame_set_word(yard, base + 3, 0);
	frame_set_word(yard, base + 4, make_word(YARD_FRAME_ALLOCATED, 1, 0));
	frame_set_word(yard, base + 5, 0);
	set_of(0)->high = 100;
	set_of(0)->free_count = 50;
	set_of(0)->flags = PCP_PREV_FREE_HIGH_ORDER | PCP_FREE_HIGH_BATCH;
	free_at(2, 1);
	assert_int_equal(pcp_state(NORMAL, 0).count, 2); // count 2 < 4
	free_at(0, 0);
	assert_int_equal(pcp_state(NORMAL, 0).flags, PCP_FREE_HIGH_BATCH);
	free_at(4, 1);
	assert_int_equal(pcp_state(NORMAL, 0).count, 5);
	assert_int_equal(pcp_state(NORMAL, 0).flags, PCP_PREV_FREE_HIGH_ORDER | PCP_FREE_HIGH_BATCH);
	assert_int_equal(count_events(YARD_EVENT_PAGE_PCPU_DRAIN), 0);
}

// P10.2: free_count stops growing at 32 batches. P6: an allocation halves it.
static void P10_free_count_is_bounded_and_halves(void **state)
{
	(void)state;
	half_used(2, 4000, 8000);
	set_of(0)->high = 8000;
	free_frames(0, 100);
	assert_int_equal(pcp_state(NORMAL, 0).free_count, 64);
	yard_alloc(yard, GFP_M, 0);
	assert_int_equal(pcp_state(NORMAL, 0).free_count, 32);
	yard_alloc(yard, GFP_M, 3); // also a request that has to refill
	assert_int_equal(pcp_state(NORMAL, 0).free_count, 16);
}

// P10.5: portions of a batch, each starting at the list just freed to; an order-3 block overshoots each. D10: in one.
static void P10_portions(void **state)
{
	(void)state;
	for (unsigned portions = 0; portions <= 1; portions++) {
		half_used(4, 19, 19);
		yard->policy.drain_portions = (uint8_t)portions;
		for (uint32_t first = 64; first <= 72; first += 8)
			for (uint32_t i = 0; i < 8; i++)
				frame_set_word(yard, base + first + i, i ? 0 : make_word(YARD_FRAME_ALLOCATED, 3, 0));
		free_at(64, 3);
		set_of(0)->flags = 0; // as if the order-0 frees came last
		free_frames(0, 3);
		set_of(0)->free_count = 0;
		forget_events();
		free_at(72, 3); // count 19; amount clamp(8, 4, 15) = 8
		assert_events(KIND(PAGE_PCPU_DRAIN), portions ? "drain(64,3,M) drain(72,3,M)" : "drain(64,3,M)");
		assert_int_equal(pcp_state(NORMAL, 0).count, portions ? 3 : 11);
		assert_verified();
	}
}

// P14: lists are visited in index order from the start on, wrapping around, each from its tail.
static void P14_order_of_lists(void **state)
{
	(void)state;
	blank(8192);
	give_type(512, U);
	give_type(1024, R);
	give_used(512, 516, false);
	give_used(1024, 1028, false);
	give_used(0, 12, false);
	ready();
	set_pcps(normal(), 4, 12, 12);
	free_at(1024, 0);
	free_at(1025, 0);
	free_at(512, 0);
	free_at(513, 0);
	for (uint32_t i = 0; i < 7; i++)
		free_at(i, 0);
	set_of(0)->free_count = 100;
	forget_events();
	free_at(1026, 0); // the 12th; amount 12 - 4 = 8: two portions of 4 from list R on: R R R U, then U M M M
	assert_events(KIND(PAGE_PCPU_DRAIN),
		      "drain(1024,0,R) drain(1025,0,R) drain(1026,0,R) drain(512,0,U) drain(513,0,U) drain(0,0,M) "
		      "drain(1,0,M) drain(2,0,M)");
	yard_drain_zone_cpu(yard, NORMAL, 0); // P17
	assert_events(KIND(PAGE_PCPU_DRAIN), "drain(3,0,M) drain(4,0,M) drain(5,0,M) drain(6,0,M)");
	assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	assert_verified();
}

// B4, P14: the type is the block's at the time of the drain, and the event follows the free.
static void B4_type_at_drain_time(void **state)
{
	(void)state;
	half_used(4, 100, 100);
	free_at(0, 0);
	give_type(0, U);
	yard_drain_all(yard, -1);
	assert_events(KMEM, "free(0,0) drain(0,0,U)");
	assert_lists(NORMAL, U, "0:[0]");
	assert_verified();
}

// P15: high decays by an eighth, not below high_min, not below what 32 batches would have to drain.
static void P15_decay(void **state)
{
	(void)state;
	half_used(4, 8, 1000);
	set_of(0)->high = 800;
	free_frames(0, 10);
	set_of(0)->high = 800;
	assert_true(yard_vmstat_update(yard, 0, false));
	assert_int_equal(pcp_state(NORMAL, 0).high, 700);
	assert_int_equal(pcp_state(NORMAL, 0).count, 10);
	set_of(0)->high = 9;
	assert_true(yard_vmstat_update(yard, 0, false)); // 9 - 9/8 = 8 = high_min; two are drained
	assert_int_equal(pcp_state(NORMAL, 0).high, 8);
	assert_int_equal(pcp_state(NORMAL, 0).count, 8);
	assert_false(yard_vmstat_update(yard, 0, false));
	assert_verified();
}

// P15: with more than 32 batches above, only 32 batches are drained, in portions of a batch.
static void P15_drains_at_most_32_batches(void **state)
{
	(void)state;
	half_used(2, 8, 2000);
	set_of(0)->high = 2000;
	free_frames(0, 800);
	set_of(0)->high = 801;
	forget_events();
	assert_true(yard_vmstat_update(yard, 0, false));
	assert_int_equal(pcp_state(NORMAL, 0).high, 736); // max(800 - 64, 801 - 100)
	assert_int_equal(pcp_state(NORMAL, 0).count, 736);
	assert_int_equal(count_events(YARD_EVENT_BULK_DRAIN), 32);
	assert_int_equal(last_event(YARD_EVENT_BULK_DRAIN)->b, 0);
	assert_verified();
}

// P15, V4: the entry to tickless idle neither decays nor drains.
static void P15_not_at_idle_entry(void **state)
{
	(void)state;
	half_used(4, 8, 1000);
	set_of(0)->high = 800;
	yard_vmstat_update(yard, 0, true);
	assert_int_equal(pcp_state(NORMAL, 0).high, 800);
}

// P16: an untouched remote set loses one batch in the third pass after its last use.
static void P16_remote_set_expires(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 8192, 0 }, { BASE + 8192, BASE + 16384, 1 } };
	const unsigned remote = YARD_ZONE_TYPES + NORMAL;
	struct yard_request r = { .gfp = GFP_M, .node = 1 };
	struct yard_config config = plain_config();
	struct yard_result result;

	(void)state;
	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	config.exact_counters = false;
	build(&config);
	set_pcps(zone_at(yard, remote), 8, 100, 100);
	set_pcps(zone_at(yard, NORMAL), 8, 100, 100);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_int_equal(result.zone, remote);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	assert_int_equal(pcp_state(remote, 0).count, 7);
	assert_true(yard_vmstat_update(yard, 0, false)); // folds: expire 3, then 2
	assert_int_equal(pcp_state(remote, 0).expire, 2);
	assert_int_equal(pcp_state(NORMAL, 0).expire, 0); // the CPU's own node
	assert_true(yard_vmstat_update(yard, 0, false));
	assert_int_equal(pcp_state(remote, 0).count, 7);
	assert_true(yard_vmstat_update(yard, 0, false));
	assert_int_equal(pcp_state(remote, 0).expire, 0);
	assert_int_equal(pcp_state(remote, 0).count, 0);
	assert_int_equal(pcp_state(NORMAL, 0).count, 7);
	assert_verified();
}

// P18: CPUs ascending, within a CPU zones in order; the events carry the draining CPU (T5).
static void P18_drain_all(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.nr_cpus = 3;
	config.no_dma32 = true;
	blank_config(config, 8192);
	give_used(0, 6, false);
	ready();
	set_pcps(normal(), 4, 100, 100);
	yard_sim_set_cpu(yard, 2);
	free_at(0, 0);
	free_at(2, 0);
	yard_sim_set_cpu(yard, 0);
	free_at(4, 0);
	yard_sim_set_cpu(yard, 1);
	forget_events();
	yard_drain_all(yard, YARD_ZONE_DMA); // another zone
	assert_events(KMEM, "");
	yard_drain_all(yard, NORMAL);
	for (size_t i = 0; i < nr_events; i++)
		assert_int_equal(events[i].cpu, 1);
	assert_events(KIND(PAGE_PCPU_DRAIN), "drain(4,0,M) drain(0,0,M) drain(2,0,M)");
	assert_verified();
}

// T5: the vmstat work of a CPU runs on that CPU: its drains carry its number. (yard_vmstat_update(yard, 1, ...) called
// while the simulator stands on CPU 0.)
static void T5_decay_carries_the_owner_s_cpu(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.nr_cpus = 2;
	config.no_dma32 = true;
	blank_config(config, 8192);
	give_used(0, 6, false);
	ready();
	set_pcps(normal(), 4, 100, 100);
	yard_sim_set_cpu(yard, 1);
	free_at(0, 0);
	free_at(2, 0);
	set_pcps(normal(), 4, 1, 1);
	yard_sim_set_cpu(yard, 0);
	yard_vmstat_update(yard, 1, false);
	assert_int_equal(count_events(YARD_EVENT_PAGE_PCPU_DRAIN), 2);
	assert_int_equal(last_event(YARD_EVENT_PAGE_PCPU_DRAIN)->cpu, 1);
}

// P20: a disabled set passes each free on at once and fetches single blocks; enabling restores the limits.
static void P20_pcp_disable(void **state)
{
	struct yard_pcp_state before;

	(void)state;
	build_normal(plain_config(), 65536);
	before = pcp_state(NORMAL, 0);
	assert_pfn(yard_alloc(yard, GFP_M, 0), 0);
	assert_true(pcp_state(NORMAL, 0).count > 0);
	assert_int_equal(yard_pcp_disable(yard, NORMAL, true), YARD_OK);
	assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	assert_int_equal(pcp_state(NORMAL, 0).high_min, 0);
	assert_int_equal(pcp_state(NORMAL, 0).high_max, 0);
	assert_int_equal(pcp_state(NORMAL, 0).batch, 1);
	free_at(0, 0);
	assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	yard_alloc(yard, GFP_M, 0);
	assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	assert_int_equal(yard_pcp_disable(yard, NORMAL, false), YARD_OK);
	assert_int_equal(pcp_state(NORMAL, 0).high_min, before.high_min);
	assert_int_equal(pcp_state(NORMAL, 0).high_max, before.high_max);
	assert_int_equal(pcp_state(NORMAL, 0).batch, before.batch);
	assert_verified();
}

// P6: a HIGHATOMIC request takes from the list but never refills it; what P7 learnt stays.
static void P6_highatomic_does_not_refill(void **state)
{
	(void)state;
	half_used(63, 2000, 8000);
	assert_true(yard_alloc(yard, YARD_GFP_ATOMIC | YARD_GFP_MOVABLE, 1) != NONE);
	assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	assert_int_equal(pcp_state(NORMAL, 0).high, 2063);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED), 1);
	yard_alloc(yard, GFP_M, 1); // fills
	assert_int_equal(pcp_state(NORMAL, 0).count, 60);
	yard_alloc(yard, YARD_GFP_ATOMIC | YARD_GFP_MOVABLE, 1);
	assert_int_equal(pcp_state(NORMAL, 0).count, 58);
	assert_verified();
}

// P10.3: a NOLOCK free puts the block on its list and never drains.
static void P10_nolock_free_does_not_drain(void **state)
{
	(void)state;
	half_used(4, 8, 8);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(yard_free_nolock(yard, base + i, 0), YARD_OK);
	assert_int_equal(pcp_state(NORMAL, 0).count, 20);
	assert_int_equal(count_events(YARD_EVENT_PAGE_PCPU_DRAIN), 0);
	assert_verified();
}

// P6, R3: with the set busy a request is served from the buddy lists, a free goes there.
static void P9_busy_set(void **state)
{
	(void)state;
	half_used(63, 2000, 8000);
	direct(true);
	assert_pfn(yard_alloc(yard, GFP_M, 0), 2048);
	assert_events(REMOVALS, "locked(2048,0,M,1)"); // T2
	free_at(0, 0);
	assert_lists_to(NORMAL, 0, M, "0:[0,2049]");
	assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	assert_int_equal(zone_state(NORMAL).pgalloc, 1);
	assert_int_equal(zone_state(NORMAL).pgfree, 1);
}

// T4: a refill's events come first, then the request's; the rest of the list is in the order of the events.
static void T4_events_of_a_refill(void **state)
{
	(void)state;
	half_used(4, 8, 8);
	assert_pfn(yard_alloc(yard, GFP_M, 0), 2048);
	assert_events(KMEM, "locked(2048,0,M,1) locked(2049,0,M,1) locked(2050,0,M,1) locked(2051,0,M,1) alloc(2048,0,M)");
	assert_pcp(NORMAL, 0, M, "[2049,2050,2051]");
}

// B13: all mm_page_free events come first, with the direct frees of other orders; then each page is put on its list.
static void B13_batch_of_frees(void **state)
{
	(void)state;
	half_used(4, 100, 100);
	for (uint32_t i = 0; i < 16; i++)
		frame_set_word(yard, base + 16 + i, i ? 0 : make_word(YARD_FRAME_ALLOCATED, 4, 0));
	assert_int_equal(yard_free_batch(yard,
					 (const struct yard_block[]){ { base + 1, 0 }, { base + 16, 4 }, { base + 3, 0 } }, 3),
			 YARD_OK);
	assert_events(KMEM | KIND(PUT) | KIND(FREE_DIRECT),
		      "free(1,0) free(16,4) direct(16,4) free(3,0) batched(1) put(1,0) batched(3) put(3,0)");
	assert_pcp(NORMAL, 0, M, "[3,1]");
	assert_verified();
}

// B13, T6: a drain that a page of the batch triggers comes right after its mm_page_free_batched.
static void B13_drain_within_a_batch(void **state)
{
	(void)state;
	half_used(4, 2, 2);
	yard_free_batch(yard, (const struct yard_block[]){ { base + 1, 0 }, { base + 3, 0 }, { base + 5, 0 } }, 3);
	assert_events(KMEM, "free(1,0) free(3,0) free(5,0) batched(1) batched(3) drain(1,0,M) batched(5) drain(3,0,M)");
}

// B13: pages of an isolated block, and pages that find the set locked, are freed directly: no mm_page_free_batched.
static void B13_direct_frees_of_a_batch_have_no_batched_event(void **state)
{
	(void)state;
	half_used(4, 100, 100);
	give_type(0, M | PB_ISOLATE);
	yard_free_batch(yard, (const struct yard_block[]){ { base + 1, 0 }, { base + 513, 0 } }, 2);
	assert_events(KMEM, "free(1,0) free(513,0) batched(513)");
	direct(true);
	yard_free_batch(yard, (const struct yard_block[]){ { base + 515, 0 } }, 1);
	assert_events(KMEM, "free(515,0)");
	assert_lists(NORMAL, I, "0:[1]");
}

// P4, P5: batch and limits of a large zone, with the fraction set and unset; 1 to 7 are refused.
static void P5_limits(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.nr_cpus = 2;
	build_normal(config, 262144); // 1 GiB: 262144 >> 12 = 64, 96 rounds down to 64
	assert_int_equal(pcp_state(NORMAL, 0).batch, 63);
	assert_int_equal(pcp_state(NORMAL, 0).high_min, zone_state(NORMAL).wmark[WMARK_LOW] / 2);
	assert_int_equal(pcp_state(NORMAL, 1).high_max, 262144 / 8 / 2);
	assert_int_equal(yard_set_percpu_pagelist_high_fraction(yard, 7), YARD_EINVAL);
	assert_int_equal(yard_set_percpu_pagelist_high_fraction(yard, 16), YARD_OK);
	assert_int_equal(pcp_state(NORMAL, 0).high_min, 8192);
	assert_int_equal(pcp_state(NORMAL, 0).high_max, 8192);
	assert_int_equal(yard_set_percpu_pagelist_high_fraction(yard, 1000000), YARD_OK);
	assert_int_equal(pcp_state(NORMAL, 0).high_min, 4 * 63); // lim() is at least 4 batches
	assert_int_equal(yard_set_percpu_pagelist_high_fraction(yard, 0), YARD_OK);
	assert_int_equal(pcp_state(NORMAL, 1).high_max, 262144 / 8 / 2);
}

// P4: batches of smaller zones.
static void P4_batch(void **state)
{
	static const struct {
		uint32_t frames;
		int32_t batch;
	} cases[] = { { 3072, 1 },	{ 8191, 1 },	{ 8192, 1 },	  // 2 + 1 = 3 -> 2 - 1
		      { 12288, 3 },	{ 20480, 3 },	{ 24576, 7 },	  // 3 + 1 = 4; 5 + 2 = 7 -> 4; 6 + 3 = 9 -> 8
		      { 45056, 15 },	{ 131072, 31 }, { 196608, 63 } }; // 11 + 5 = 16; 32 + 16; 48 + 24 = 72 -> 64

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		build_normal(plain_config(), cases[i].frames);
		assert_int_equal(pcp_state(NORMAL, 0).batch, cases[i].batch);
	}
}

// P18: while one drain of all sets runs, a second one returns at once; a drain of one zone would wait.
static void P18_second_drain_of_all(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	assert_int_equal(yard_free(yard, yard_alloc(yard, YARD_GFP_KERNEL, 0), 0), YARD_OK);
	assert_true(yard_spin_trylock(&yard->drain_lock));
	yard_drain_all(yard, -1);
	assert_true(pcp_count(zone_pcp(normal(), 0)) > 0);
	yard_spin_unlock(&yard->drain_lock);
	yard_drain_all(yard, -1);
	assert_int_equal(pcp_count(zone_pcp(normal(), 0)), 0);
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(E9_refill_sizes),
		cmocka_unit_test(P7_refills_of_higher_orders),
		cmocka_unit_test(P7_limit_of_a_refill),
		cmocka_unit_test(P7_disabled_set_fetches_one),
		cmocka_unit_test(P7_no_growth_below_high),
		cmocka_unit_test(P8_refill_stops_at_the_first_failure),
		cmocka_unit_test(P9_orders_without_lists),
		cmocka_unit_test(P1_list_of_whole_blocks),
		cmocka_unit_test(P21_last_freed_first_allocated),
		cmocka_unit_test(P22_highatomic_frames_pass_through_the_movable_list),
		cmocka_unit_test(P12_amount_and_order_of_a_drain),
		cmocka_unit_test(P12_one_page_when_high_is_below_batch),
		cmocka_unit_test(P11_high_rises_with_free_count),
		cmocka_unit_test(P11_reclaim_active),
		cmocka_unit_test(P13_below_high_is_left_by_a_free_that_drains),
		cmocka_unit_test(P11_below_high_with_a_long_list),
		cmocka_unit_test(P13_stays_while_free_pages_are_below_high),
		cmocka_unit_test(P10_high_order_run_empties_the_set),
		cmocka_unit_test(P10_conditions_of_the_high_order_run),
		cmocka_unit_test(P10_free_count_is_bounded_and_halves),
		cmocka_unit_test(P10_portions),
		cmocka_unit_test(P14_order_of_lists),
		cmocka_unit_test(B4_type_at_drain_time),
		cmocka_unit_test(P15_decay),
		cmocka_unit_test(P15_drains_at_most_32_batches),
		cmocka_unit_test(P15_not_at_idle_entry),
		cmocka_unit_test(P16_remote_set_expires),
		cmocka_unit_test(P18_drain_all),
		cmocka_unit_test(T5_decay_carries_the_owner_s_cpu),
		cmocka_unit_test(P20_pcp_disable),
		cmocka_unit_test(P6_highatomic_does_not_refill),
		cmocka_unit_test(P10_nolock_free_does_not_drain),
		cmocka_unit_test(P9_busy_set),
		cmocka_unit_test(T4_events_of_a_refill),
		cmocka_unit_test(B13_batch_of_frees),
		cmocka_unit_test(B13_drain_within_a_batch),
		cmocka_unit_test(B13_direct_frees_of_a_batch_have_no_batched_event),
		cmocka_unit_test(P5_limits),
		cmocka_unit_test(P4_batch),
		cmocka_unit_test(P18_second_drain_of_all),
	};

	return cmocka_run_group_tests_name("pcp", tests, NULL, demolish);
}
