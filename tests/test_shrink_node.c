// SPDX-License-Identifier: Apache-2.0
//
// The pass over a node, throttling, and whether reclaim for compaction goes on (spec 04 C-10, C-12, C-13).

#include "reclaim_fixture.h"

static void sleeping_machine(uint32_t hz)
{
	struct yard_config config = noted_config("linux-7.3");

	config.hz = hz;
	machine_of(config, 4096, 1024);
	watch_sleep();
	requester.flags = 0;
	yard_set_current(yard, &requester);
}

static void be_kswapd(void)
{
	struct yard_task *task = yard_kswapd_task(yard, 0);

	task->flags = YARD_TASK_KSWAPD | YARD_TASK_KTHREAD | YARD_TASK_MEMALLOC;
	yard_set_current(yard, task);
}

static void dirty_enough(void) // 2 * write_pending > reclaimable pages
{
	yard_mod_node_stat(yard, 0, YARD_NODE_FILE_DIRTY, 100000);
}

// ---- C-10 ----

static void C10_3_and_8_progress_is_added_and_trim_failures_noted(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	machine(8192, 5000);
	ask.silent = true;
	pages(0, 5000, FILE_PAGE, YARD_UNMAPPED);
	world.fail_every[CALL_RELEASE] = 1;
	shrink_node(yard, 0, &sc); // cache trim, and nothing came of it
	assert_true(sc.cache_trim_mode);
	assert_true(sc.cache_trim_mode_failed);
	sc = kswapd_control();
	sc.no_cache_trim_mode = true;
	shrink_node(yard, 0, &sc);
	assert_int_equal(sc.nr_reclaimed, 0);
	assert_false(sc.cache_trim_mode_failed);
	sc = kswapd_control();
	world.fail_every[CALL_RELEASE] = 0;
	sc.nr_reclaimed = 1000;
	shrink_node(yard, 0, &sc);
	assert_int_equal(sc.nr_reclaimed, 1001);
	assert_false(sc.cache_trim_mode_failed);
}

static void C10_8_progress_in_a_balanced_node_ends_hopelessness(void **state)
{
	(void)state;
	for (unsigned balanced = 0; balanced < 2; balanced++) {
		struct scan_control sc = control();

		machine(8192, 5000);
		yard_set_current(yard, &requester);
		pages(0, 5000, FILE_PAGE, YARD_UNMAPPED);
		set_wmarks(normal(), 1, 2, balanced ? 3 : 8000);
		yard->mm[0].kswapd.failures = 16;
		forget();
		shrink_node(yard, 0, &sc);
		assert_int_equal(sc.nr_reclaimed, 1);
		assert_int_equal(yard_kswapd_failures(yard, 0), balanced ? 0 : 16);
		assert_int_equal(count_events(YARD_EVENT_KSWAPD_CLEAR_HOPELESS), balanced);
		next_machine();
	}
}

static void C10_4_kswapd_notes_a_node_full_of_writeback(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	sleeping_machine(1000);
	be_kswapd();
	pages(0, 8, FILE_PAGE | WB, YARD_UNMAPPED);
	sc.priority = 0;
	shrink_node(yard, 0, &sc);
	assert_int_equal(yard->mm[0].flags, NODE_WRITEBACK); // not CONGESTED: `reclaim` was not set before
	assert_false(yard->mm[0].kswapd.throttled);
	pages(8, 16, FILE_PAGE | WB | RECL, YARD_UNMAPPED); // its own writes: it sleeps on WRITEBACK
	sc = kswapd_control();
	sc.priority = 0;
	shrink_node(yard, 0, &sc);
	assert_int_equal(sc.nr.immediate, 8);
	assert_int_equal(yard->mm[0].flags, NODE_WRITEBACK | NODE_CONGESTED);
	assert_true(yard->mm[0].kswapd.throttled);
	assert_int_equal(naps.nr, 0); // its step returns the wait
	yard_set_current(yard, NULL);
}

static void C10_4_not_if_one_page_is_not_under_writeback(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	sleeping_machine(1000);
	be_kswapd();
	pages(0, 8, FILE_PAGE | WB | RECL, YARD_UNMAPPED);
	pages(8, 9, FILE_PAGE | DIRTY, YARD_UNMAPPED);
	sc.priority = 0;
	shrink_node(yard, 0, &sc);
	assert_int_equal(sc.nr.dirty, 9);
	assert_int_equal(sc.nr.congested, 8);
	assert_int_equal(yard->mm[0].flags, 0);
	yard_set_current(yard, NULL);
}

static void C10_5_C10_6_a_congested_node(void **state)
{
	struct scan_control sc = control();

	(void)state;
	sleeping_machine(1000);
	pages(0, 8, FILE_PAGE | WB | RECL, YARD_UNMAPPED);
	dirty_enough();
	sc.priority = 0;
	shrink_node(yard, 0, &sc); // only kswapd sets the flag
	assert_int_equal(yard->mm[0].flags, 0);
	assert_int_equal(naps.nr, 0);
	yard->mm[0].flags = NODE_CONGESTED;
	sc = control();
	shrink_node(yard, 0, &sc);
	assert_int_equal(naps_of(YARD_QUEUE_CONGESTED), 1);
	sc = kswapd_control(); // not kswapd
	be_kswapd();
	shrink_node(yard, 0, &sc);
	assert_int_equal(naps.nr, 1);
	yard_set_current(yard, NULL);
}

// ---- C-12 ----

static void C12_timeouts_of_the_reasons(void **state)
{
	static const struct { uint32_t hz; uint64_t usec[4]; } rows[] = {
		{ 100, { 100000, 20000, 10000, 10000 } },
		{ 250, { 100000, 20000, 4000, 4000 } },
		{ 1000, { 100000, 20000, 1000, 1000 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (unsigned reason = 0; reason < 4; reason++) {
			sleeping_machine(rows[i].hz);
			dirty_enough();
			reclaim_throttle(yard, 0, (enum yard_queue_kind)reason);
			assert_int_equal(naps.nr, 1);
			assert_int_equal(naps.queue[0], queue_of(0, (enum yard_queue_kind)reason));
			assert_int_equal(naps.timeout_ns[0], rows[i].usec[reason] * 1000);
			assert_int_equal(yard->mm[0].throttle[reason].sleepers, 0);
			next_machine();
		}
}

static void C12_T1_the_event_after_the_sleep(void **state)
{
	(void)state;
	sleeping_machine(1000);
	naps.sleeps_ns = 7000000;
	reclaim_throttle(yard, 0, YARD_QUEUE_WRITEBACK);
	reclaim_throttle(yard, 0, YARD_QUEUE_ISOLATED);
	assert_args(VMSCAN_THROTTLED, "0 100000 7000 1; 0 20000 7000 2"); // nid usec_timeout usec_delayed 1 << reason
	dirty_enough();
	forget();
	naps.sleeps_ns = 0;
	reclaim_throttle(yard, 0, YARD_QUEUE_NOPROGRESS);
	reclaim_throttle(yard, 0, YARD_QUEUE_CONGESTED);
	assert_args(VMSCAN_THROTTLED, "0 1000 1000 4; 0 1000 1000 8");
}

static void C12_kernel_threads_never_sleep(void **state)
{
	(void)state;
	sleeping_machine(1000);
	dirty_enough();
	requester.flags = YARD_TASK_KTHREAD;
	for (unsigned reason = 0; reason < 4; reason++)
		reclaim_throttle(yard, 0, (enum yard_queue_kind)reason);
	assert_int_equal(naps.nr, 0);
	assert_int_equal(count_events(YARD_EVENT_VMSCAN_THROTTLED), 0);
}

static void C12_kswapd_does(void **state)
{
	(void)state;
	sleeping_machine(1000);
	be_kswapd();
	reclaim_throttle(yard, 0, YARD_QUEUE_WRITEBACK);
	assert_true(yard->mm[0].kswapd.throttled);
	assert_int_equal(yard->mm[0].throttle[YARD_QUEUE_WRITEBACK].sleepers, 1);
	yard_set_current(yard, NULL);
}

static void C12_no_sleep_when_little_is_to_be_written_or_the_node_is_hopeless(void **state)
{
	static const enum yard_queue_kind reasons[] = { YARD_QUEUE_NOPROGRESS, YARD_QUEUE_CONGESTED };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		sleeping_machine(1000);
		pages(0, 100, FILE_PAGE, YARD_UNMAPPED);
		yard_mod_node_stat(yard, 0, YARD_NODE_FILE_DIRTY, 30);
		yard_mod_node_stat(yard, 0, YARD_NODE_WRITEBACK, 20);
		reclaim_throttle(yard, 0, reasons[i]); // 2 * 50 <= 100
		assert_int_equal(naps.nr, 0);
		yard_mod_node_stat(yard, 0, YARD_NODE_WRITEBACK, 1);
		reclaim_throttle(yard, 0, reasons[i]);
		assert_int_equal(naps.nr, 1);
		pages(100, 102, ANON_PAGE, YARD_MAPPED); // not reclaimable without swap
		reclaim_throttle(yard, 0, reasons[i]);
		assert_int_equal(naps.nr, 2);
		yard_set_swap(yard, 100, 100);
		reclaim_throttle(yard, 0, reasons[i]); // 102 <= 102
		assert_int_equal(naps.nr, 2);
		yard_set_swap(yard, 0, 0);
		yard->mm[0].kswapd.failures = 16;
		reclaim_throttle(yard, 0, reasons[i]);
		assert_int_equal(naps.nr, 2);
		reclaim_throttle(yard, 0, YARD_QUEUE_ISOLATED); // the test is not theirs
		reclaim_throttle(yard, 0, YARD_QUEUE_WRITEBACK);
		assert_int_equal(naps.nr, 4);
		next_machine();
	}
}

static void write_33(void)
{
	for (uint32_t i = 0; i < 33; i++) {
		assert_int_equal(wakes_of(YARD_QUEUE_WRITEBACK), 0);
		yard_writeback_end(yard, base + i);
	}
	assert_int_equal(wakes_of(YARD_QUEUE_WRITEBACK), 1); // more than 32 for one sleeper
}

static void C12_writeback_sleepers_are_woken_by_32_pages_each(void **state)
{
	(void)state;
	sleeping_machine(1000);
	pages(0, 100, FILE_PAGE | WB, YARD_UNMAPPED);
	for (uint32_t i = 50; i < 90; i++)
		yard_writeback_end(yard, base + i); // nobody sleeps: not counted
	assert_int_equal(node_counter(YARD_NODE_THROTTLED_WRITTEN), 0);
	naps.on_sleep = write_33;
	reclaim_throttle(yard, 0, YARD_QUEUE_WRITEBACK);
	assert_int_equal(naps.nr, 1);
	assert_int_equal(node_counter(YARD_NODE_THROTTLED_WRITTEN), 33);
}

// ---- C-13 ----

static void give_scattered(uint32_t from, uint32_t to) // every other page is free
{
	for (uint32_t i = from; i < to; i++)
		if (i & 1)
			give_free(i, 0);
		else
			give_used(i, i + 1, false);
}

// 500 single free pages, and LRU pages that leave no block of order 4 when they are freed: every third frame.
static void fragmented(uint32_t min, uint32_t low)
{
	blank_config(noted_config("linux-7.3"), 4096);
	give_used(0, 3096, false);
	give_scattered(3096, 4096);
	ready();
	set_wmarks(normal(), min, low, low + 100);
	set_pcps(normal(), 63, 4096, 4096);
	listen();
	for (uint32_t i = 0; i < 1000; i++)
		lru_page(3 * i, FILE_PAGE, YARD_UNMAPPED);
	yard_lru_drain(yard);
	yard_set_current(yard, &requester);
	requester.flags = 0;
	ask.silent = true;
	forget();
}

// Node passes that a request of this order makes; every one reclaims something.
static size_t rounds(uint8_t order, int8_t priority, uint32_t gfp)
{
	struct scan_control sc = control();

	sc.order = order;
	sc.priority = priority;
	sc.gfp = gfp;
	sc.nr_to_reclaim = 1;
	forget();
	shrink_node(yard, 0, &sc);
	return count_events(YARD_EVENT_LRU_ISOLATE);
}

static void C13_only_in_reclaim_compaction_mode(void **state)
{
	static const struct { uint8_t order; int8_t priority; uint32_t gfp; bool more; } rows[] = {
		{ 0, 5, YARD_GFP_KERNEL, false }, { 1, 5, YARD_GFP_KERNEL, true }, { 3, 9, YARD_GFP_KERNEL, true },
		{ 3, 10, YARD_GFP_KERNEL, false }, { 4, 10, YARD_GFP_KERNEL, true }, { 4, 5, YARD_GFP_NOIO, false },
		{ 4, 5, YARD_GFP_NOFS, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		// The window is 1000 >> priority: at 10 that is none, so more pages are pretended to be there.
		fragmented(2000, 2100);
		if (rows[i].priority > 9)
			yard->mm[0].lruvec.size[IF][YARD_ZONE_NORMAL] += 2048;
		if (rows[i].more)
			assert_in_range(rounds(rows[i].order, rows[i].priority, rows[i].gfp), 2, 2000);
		else
			assert_int_equal(rounds(rows[i].order, rows[i].priority, rows[i].gfp), 1);
		next_machine();
	}
}

static void C13_until_the_inactive_lists_are_as_small_as_the_gap(void **state)
{
	(void)state;
	fragmented(2000, 2100);
	rounds(4, 4, YARD_GFP_KERNEL);
	assert_in_range(size_of(IF), 31, 32); // two at a time at the end
	next_machine();
	fragmented(2000, 2100);
	rounds(1, 7, YARD_GFP_KERNEL); // gap 4, but below 128 the window is empty: nothing is reclaimed
	assert_int_equal(size_of(IF), 127);
	next_machine();
	fragmented(2000, 2100);
	yard_set_swap(yard, 1000, 1000);
	for (uint32_t i = 0; i < 12; i++) // inactive_anon counts if it can be reclaimed
		lru_page(3 * i + 1, ANON_PAGE | PIN, YARD_MAPPED);
	rounds(4, 4, YARD_GFP_KERNEL);
	assert_int_equal(size_of(IF), 32 - 12);
}

static void C13_not_when_nothing_was_reclaimed(void **state)
{
	(void)state;
	fragmented(2000, 2100);
	world.fail_every[CALL_RELEASE] = 1;
	assert_int_equal(rounds(4, 5, YARD_GFP_KERNEL), 1);
}

static void C13_not_when_a_block_is_there(void **state)
{
	(void)state;
	blank_config(noted_config("linux-7.3"), 4096);
	give_used(0, 2048, false);
	give_free(2048, 4);
	give_used(2064, 4096, false);
	ready();
	set_wmarks(normal(), 0, 10000, 20000);
	listen();
	ask.silent = true;
	for (uint32_t i = 0; i < 600; i++)
		lru_page(3 * i, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(rounds(4, 5, YARD_GFP_KERNEL), 1);
	assert_in_range(rounds(5, 5, YARD_GFP_KERNEL), 2, 1000);
}

static void C13_not_when_compaction_would_be_suitable_at_min(void **state)
{
	(void)state;
	// 500 pages are free (reclaimed ones wait on the per-CPU lists): more than min + 32 + (low - min)?
	fragmented(400, 467);
	assert_int_equal(rounds(4, 5, YARD_GFP_KERNEL), 1);
	next_machine();
	fragmented(400, 468);
	assert_in_range(rounds(4, 5, YARD_GFP_KERNEL), 2, 1000);
	next_machine();
	fragmented(483, 900); // order <= 3: min + 16
	assert_int_equal(rounds(3, 5, YARD_GFP_KERNEL), 1);
	next_machine();
	fragmented(484, 900);
	assert_in_range(rounds(3, 5, YARD_GFP_KERNEL), 2, 1000);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		T(C10_3_and_8_progress_is_added_and_trim_failures_noted),
		T(C10_8_progress_in_a_balanced_node_ends_hopelessness),
		T(C10_4_kswapd_notes_a_node_full_of_writeback),
		T(C10_4_not_if_one_page_is_not_under_writeback),
		T(C10_5_C10_6_a_congested_node),
		T(C12_timeouts_of_the_reasons),
		T(C12_T1_the_event_after_the_sleep),
		T(C12_kernel_threads_never_sleep),
		T(C12_kswapd_does),
		T(C12_no_sleep_when_little_is_to_be_written_or_the_node_is_hopeless),
		T(C12_writeback_sleepers_are_woken_by_32_pages_each),
		T(C13_only_in_reclaim_compaction_mode),
		T(C13_until_the_inactive_lists_are_as_small_as_the_gap),
		T(C13_not_when_nothing_was_reclaimed),
		T(C13_not_when_a_block_is_there),
		T(C13_not_when_compaction_would_be_suitable_at_min),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
