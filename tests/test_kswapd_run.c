// SPDX-License-Identifier: Apache-2.0
//
// Spec 04 section 4: what kswapd does in a run (K-8 to K-13), throttled on writeback (C-12), X-6, X-10, O-10.

#include "kswapd_fixture.h"

// ---- K-8 ----

static void finish_run(void) // and nothing of what follows it
{
	for (unsigned i = 0; !count_events(E(BALANCE_PGDAT_END)); i++) {
		assert_in_range(i, 0, 1000);
		step(i == 0);
	}
	while (events[nr_events - 1].kind != E(BALANCE_PGDAT_END))
		nr_events--;
}

static void K8_fruitless_run(void **state)
{
	(void)state;
	start("linux-7.3");
	script(0);
	unbalance();
	wake(0);
	forget();
	finish_run();
	assert_priorities("12 11 10 9 8 7 6 5 4 3 2 1");
	assert_steps("kswapd_wake(0,2,0) balance_pgdat_begin(0,0,2) kswapd_reclaim_fail(0,1) balance_pgdat_end(0,0,2,0)");
	assert_int_equal(yard_kswapd_failures(yard, 0), 1);
}

static void K8_hopeless_after_16(void **state)
{
	(void)state;
	start("linux-7.3");
	script(0);
	unbalance();
	wake(0);
	assert_wait(run(true), SHORT_SLEEP); // it gives up
	assert_int_equal(yard_kswapd_failures(yard, 0), 16);
	assert_int_equal(count_events(E(KSWAPD_RECLAIM_FAIL)), 16);
	assert_int_equal(last_event(E(KSWAPD_RECLAIM_FAIL))->args[1], 16);
	assert_int_equal(vm(YARD_VM_PAGEOUTRUN), 16);
	assert_int_equal(vm(YARD_VM_KSWAPD_HIGH_WMARK_HIT_QUICKLY), 15);
}

static void K8_progress_without_balance_is_no_failure(void **state)
{
	(void)state;
	start("linux-7.3");
	script(1);
	unbalance();
	wake(0);
	forget();
	finish_run();
	assert_steps("kswapd_wake(0,2,0) balance_pgdat_begin(0,0,2) balance_pgdat_end(0,0,2,1)");
	assert_int_equal(yard_kswapd_failures(yard, 0), 0);
}

static void K8_cache_trim_fails_and_is_given_up(void **state)
{
	(void)state;
	start("linux-7.3");
	script(0);
	world.fail_from[CALL_RELEASE] = 1;
	pages(0, 4096, FILE_PAGE, YARD_UNMAPPED); // inactive_file >> 12 is 1; not low
	unbalance();
	wake(0);
	forget();
	finish_run();
	assert_priorities("12 11 10 9 8 7 6 5 4 3 2 1 12 11 10 9 8 7 6 5 4 3 2 1");
	assert_int_equal(count_events(E(BALANCE_PGDAT_BEGIN)), 1);
	assert_int_equal(yard_kswapd_failures(yard, 0), 1); // once
}

static void K8_enough_scanned_keeps_the_priority(void **state)
{
	(void)state;
	start("linux-7.3");
	script(32, 31, 33, 5);
	set_wmarks(normal(), 10, 20, 10);
	normal()->lowmem_reserve[NORMAL] = FRAMES; // not balanced although the mark is below 32
	wake(0);
	forget();
	for (unsigned i = 0; i < 8; i++)
		step(i == 0);
	assert_priorities("12 12 11 11 10 9 8");
	assert_int_equal(story.round, 7);
}

static void K8_goal_is_the_high_mark(void **state)
{
	(void)state;
	start("linux-7.3");
	script(4999, 5000, 5001, 4999);
	set_wmarks(normal(), 10, 20, 5000);
	wake(0);
	forget();
	for (unsigned i = 0; i < 6; i++)
		step(i == 0);
	assert_priorities("12 11 11 11 10");
}

static void K8_refaults_are_remembered(void **state)
{
	(void)state;
	start("linux-7.3");
	script(0);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_FILE, 5);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_ANON, 7);
	unbalance();
	wake(0);
	balance();
	run(true);
	assert_int_equal(yard->mm[0].lruvec.refaults[FILE_LRU], 5);
	assert_int_equal(yard->mm[0].lruvec.refaults[ANON], 7);
}

// ---- K-8 with a boost (O-10) ----

static void start_boosted(const char *policy, uint32_t boost)
{
	struct yard_wait wait;

	start(policy);
	yard_kcompactd_step(yard, 0, false, &wait);
	normal()->boost = boost;
	wake(0);
	forget();
}

static void K8_boost_is_worked_off(void **state)
{
	(void)state;
	start_boosted("linux-7.3", 100);
	script(20, 20, 20, 20, 20, 20);
	finish_run();
	assert_priorities("12 11 10 10 10"); // not below 10; five rounds are enough
	assert_int_equal(normal()->boost, 0);
	assert_int_equal(yard->mm[0].kcompactd.max_order, YARD_PAGEBLOCK_ORDER);
	assert_steps("kswapd_wake(0,2,0) balance_pgdat_begin(0,0,2) balance_pgdat_end(0,0,2,100)");
}

static void K8_boost_without_yield_ends_after_one_round(void **state)
{
	(void)state;
	start_boosted("linux-7.3", 100);
	script(0);
	finish_run();
	assert_priorities("12");
	assert_int_equal(normal()->boost, 0);
	assert_int_equal(yard_kswapd_failures(yard, 0), 0); // boosted: no failure
}

static void raise_boost(void)
{
	normal()->boost = 130; // somebody mixes block types meanwhile
}

static void K8_only_the_remembered_boost_is_taken(void **state)
{
	(void)state;
	start_boosted("linux-7.3", 50);
	script(50);
	story.on_round = raise_boost;
	finish_run();
	assert_int_equal(normal()->boost, 80);
}

static void K8_unbalanced_boost_is_forgotten(void **state)
{
	(void)state;
	start_boosted("linux-7.3", 100);
	unbalance();
	script(0);
	finish_run();
	assert_priorities("12 11 10 9 8 7 6 5 4 3 2 1"); // an ordinary run
	assert_int_equal(normal()->boost, 0);
	assert_int_equal(yard->mm[0].kcompactd.max_order, YARD_PAGEBLOCK_ORDER);
	assert_int_equal(yard_kswapd_failures(yard, 0), 0);
}

static void unbalance_in_the_third_round(void)
{
	if (story.round == 2)
		unbalance();
}

static void K8_a_boosted_run_that_gets_unbalanced_restarts(void **state)
{
	(void)state;
	start_boosted("linux-7.3", 1000);
	script(20, 20, 20);
	story.on_round = unbalance_in_the_third_round;
	finish_run();
	assert_priorities("12 11 10 12 11 10 9 8 7 6 5 4 3 2 1");
	assert_int_equal(normal()->boost, 0); // what was remembered
}

// Both kinds of pages, enough of them to be looked at with priority 12.
static void start_lists(void)
{
	machine(20480, 18432);
	set_wmarks(normal(), 10, 20, 30);
	yard_set_swap(yard, 100000, 100000);
	pages(0, 9216, FILE_PAGE, YARD_UNMAPPED);
	pages(9216, 18432, ANON_PAGE, YARD_UNMAPPED);
	// refaults: no cache trim, FRACT
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_FILE, 1);
	watch_sleep();
	ask.silent = true;
	sleep_fully(0);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_FILE, 1);
	forget();
}

static void K8_boosted_rounds_neither_swap_nor_write(void **state)
{
	(void)state;
	start_lists();
	normal()->boost = 100;
	wake(0);
	run(true);
	assert_true(isolated_from(IF) > 0);
	assert_int_equal(isolated_from(IA), 0);
	assert_int_equal(vm(YARD_VM_PSWPOUT), 0);
	start_lists();
	set_wmarks(normal(), 10, 20, (uint32_t)nr_free_pages(NORMAL) + 10);
	wake(0);
	run(true);
	assert_true(isolated_from(IF) > 0);
	assert_true(isolated_from(IA) > 0);
	assert_true(vm(YARD_VM_PSWPOUT) > 0);
	assert_identities();
	assert_verified();
}

// ---- K-9, X-6 ----

static void X6_kswapd_order_drop(void **state)
{
	struct yard_wait wait;

	(void)state;
	start_scattered(noted_config("linux-7.3"), 16 * BLOCK);
	yard_kcompactd_step(yard, 0, false, &wait);
	script(20, 15);
	wake(9);
	assert_goes_on(step(true));
	assert_int_equal(kswapd()->sc_order, 9); // 20 < 32
	assert_goes_on(step(false));
	assert_wait(run(false), SHORT_SLEEP);
	assert_int_equal(story.round, 2);
	assert_priorities("12 11");
	assert_steps("wakeup_kswapd(2,9,2,0xcc0) kswapd_wake(0,2,9) balance_pgdat_begin(0,9,2) balance_pgdat_end(0,0,2,35) "
		     "wakeup_kcompactd(0,9,2,0)");
}

static void check_drop(const char *policy, unsigned order, uint64_t below, uint64_t at)
{
	start_scattered(noted_config(policy), 16 * BLOCK);
	script(below);
	wake(order);
	forget();
	finish_run();
	assert_int_equal(last_event(E(BALANCE_PGDAT_END))->args[1], order);
	start_scattered(noted_config(policy), 16 * BLOCK);
	script(at);
	wake(order);
	forget();
	finish_run();
	assert_int_equal(last_event(E(BALANCE_PGDAT_END))->args[1], 0);
	assert_int_equal(story.round, 1);
}

static void K9_order_drops_at_the_gap(void **state)
{
	(void)state;
	check_drop("linux-7.3", 1, 3, 4);
	check_drop("linux-7.3", 2, 7, 8);
	check_drop("linux-7.3", 3, 15, 16);
	check_drop("linux-7.3", 4, 31, 32);
	check_drop("linux-7.3", 9, 31, 32);
	check_drop("linux-7.3,gap_cap=off", 4, 31, 32);
	check_drop("linux-7.3,gap_cap=off", 9, 1023, 1024); // V-9
}

enum { INACTIVE = 300000, ACTIVE = 50000, ANONYMOUS = 20000, ALL = 770048 };

// Every other page is free: plenty of single pages, and no block.
static void start_pump(const char *policy)
{
	blank_config(noted_config(policy), ALL);
	for (uint32_t i = 0; i < ALL; i += 2) {
		give_used(i, i + 1, false);
		give_free(i + 1, 0);
	}
	ready();
	set_wmarks(normal(), 1000, 2000, 3000);
	set_pcps(normal(), 63, 4096, 4096);
	ask.silent = true;
	for (uint32_t i = 0; i < INACTIVE; i++)
		lru_page(2 * i, FILE_PAGE, YARD_UNMAPPED);
	for (uint32_t i = INACTIVE; i < INACTIVE + ACTIVE; i++)
		lru_page(2 * i, FILE_PAGE | YARD_PAGE_ACTIVE, YARD_UNMAPPED);
	for (uint32_t i = INACTIVE + ACTIVE; i < INACTIVE + ACTIVE + ANONYMOUS; i++)
		lru_page(2 * i, ANON_PAGE, YARD_UNMAPPED);
	yard_lru_drain(yard);
	listen();
}

static void X10_readahead_pump(void **state) // a tenth of it
{
	struct yard_wait wait;

	(void)state;
	start_pump("linux-7.3");
	watch_sleep();
	sleep_fully(0);
	yard_kcompactd_step(yard, 0, false, &wait);
	watch(KINDS);
	wake(8);
	assert_wait(run(true), SHORT_SLEEP);
	assert_isolations("IF32 IF32 IF9"); // 300000 >> 12 = 73; active_file is not touched (K-12)
	assert_steps("wakeup_kswapd(2,8,2,0xcc0) kswapd_wake(0,2,8) balance_pgdat_begin(0,8,2) balance_pgdat_end(0,0,2,73) "
		     "wakeup_kcompactd(0,8,2,0)");
	wake(8); // the next attempt cuts the sleep short
	assert_wait(run(true), SHORT_SLEEP);
	assert_int_equal(vm(YARD_VM_KSWAPD_LOW_WMARK_HIT_QUICKLY), 1);
	assert_int_equal(nr_released, 73 + (INACTIVE - 73) / 4096);
}

// A remedy for the pump: 73 pages without it.
static void O11_a_round_for_a_block_ends_at_the_gap(void **state)
{
	struct yard_wait wait;

	(void)state;
	start_pump("linux-7.3,kswapd_round_gap=on");
	watch_sleep();
	sleep_fully(0);
	yard_kcompactd_step(yard, 0, false, &wait);
	watch(KINDS);
	wake(8);
	assert_wait(run(true), SHORT_SLEEP);
	assert_isolations("IF32");
}

// ---- K-10 ----

static unsigned actives_shrunk(uint64_t swap, unsigned active, unsigned inactive)
{
	unsigned n = 0;

	start("linux-7.3");
	yard_set_swap(yard, swap, swap);
	pages(0, active, ANON_PAGE | YARD_PAGE_ACTIVE, YARD_UNMAPPED);
	pages(active, active + inactive, ANON_PAGE, YARD_UNMAPPED);
	script(0);
	unbalance();
	wake(0);
	forget();
	step(true);
	for (unsigned i = 0; i < 3 && !n; i++) { // the first round
		step(false);
		for (size_t e = 0; e < nr_events; e++)
			if (events[e].kind == E(LRU_SHRINK_ACTIVE) && events[e].args[5] == 12)
				n = (unsigned)events[e].args[1];
	}
	return n;
}

static void K10_aging(void **state)
{
	(void)state;
	assert_int_equal(actives_shrunk(1000, 200, 100), 32); // 100 < 200
	assert_int_equal(actives_shrunk(0, 200, 100), 0);
	assert_int_equal(actives_shrunk(1000, 200, 200), 0);
}

// ---- K-11 (spec 01 P11) ----

static int32_t count_in_run;

static void free_many_in_run(void)
{
	static uint32_t pfns[600];

	for (size_t i = 0; i < COUNT(pfns); i++)
		pfns[i] = base + (uint32_t)i;
	for (size_t i = 0; i < COUNT(pfns); i++)
		assert_int_equal(yard_free(yard, pfns[i], 0), YARD_OK);
	count_in_run = pcp_state(NORMAL, 0).count;
}

static void K11_lists_are_trimmed_during_a_run(void **state)
{
	(void)state;
	start("linux-7.3");
	set_pcps(normal(), 63, 4096, 4096);
	free_many_in_run();
	assert_int_equal(count_in_run, 600);
	start("linux-7.3");
	set_pcps(normal(), 63, 10, 4096);
	normal()->pcp[0].high = 4096;
	script(0);
	story.on_round = free_many_in_run;
	unbalance();
	wake(0);
	step(true);
	step(false);
	assert_true(story.round > 0);
	story.on_round = NULL;
	assert_true(count_in_run <= 4 * 63);
}

// ---- K-13 ----

static void K13_the_order_is_forgotten(void **state)
{
	(void)state;
	start("linux-7.3");
	script(40); // drops order 9; nothing is ever balanced
	unbalance();
	wake(9);
	forget();
	for (unsigned i = 0; count_events(E(KSWAPD_WAKE)) < 2; i++) {
		assert_in_range(i, 0, 100);
		step(i == 0);
	}
	assert_steps("kswapd_wake(0,2,9) balance_pgdat_begin(0,9,2) balance_pgdat_end(0,0,2,40) kswapd_wake(0,2,0) "
		     "balance_pgdat_begin(0,0,2)");
	assert_int_equal(vm(YARD_VM_KSWAPD_HIGH_WMARK_HIT_QUICKLY), 1);
}

// ---- K-8.6 with D-3 ----

static uint32_t waiting_frees;

static uint64_t run_kswapd_meanwhile(void *context, unsigned queue, uint64_t timeout_ns)
{
	(void)context, (void)timeout_ns;
	assert_int_equal(queue, queue_of(0, YARD_QUEUE_PFMEMALLOC));
	for (uint32_t i = 0; i < 1000; i++) // memory comes back
		assert_int_equal(yard_free(yard, base + waiting_frees + i, 0), YARD_OK);
	waiting_frees += 1000;
	naps.nr_woken = 0;
	step(true);
	step(false);
	return 1;
}

static void K8_sleepers_on_reserves_are_woken_after_a_pass(void **state)
{
	struct yard_task task = { .pid = 5 };

	(void)state;
	start("linux-7.3");
	script(1, 1, 1, 1);
	pages(3000, 3100, FILE_PAGE, YARD_UNMAPPED);
	set_pcps(normal(), 1, 0, 0);
	set_wmarks(normal(), 9000, 9000, 9000); // 4096 <= 9000 / 2
	yard_set_current(yard, &task);
	waiting_frees = 0;
	yard->host.wait = run_kswapd_meanwhile;
	yard_alloc(yard, KERNEL | YARD_GFP_NORETRY, 0);
	assert_true(waiting_frees > 0);
	assert_int_equal(vm(YARD_VM_PGSCAN_DIRECT_THROTTLE), 1);
	assert_true(story.round > 0);
	assert_true(wakes_of(YARD_QUEUE_PFMEMALLOC) > 0);
}

// ---- C-12: kswapd throttled on writeback ----

static void throttle_in_the_first_round(void)
{
	if (!story.round)
		reclaim_throttle(yard, 0, YARD_QUEUE_WRITEBACK);
}

static void start_throttled(void)
{
	struct yard_wait wait;

	start("linux-7.3");
	watch(E(VMSCAN_THROTTLED));
	script(1, 40);
	story.on_round = throttle_in_the_first_round;
	unbalance();
	wake(0);
	assert_goes_on(step(true)); // awake
	wait = step(false);
	assert_int_equal(wait.kind, YARD_WAIT_QUEUE);
	assert_int_equal(wait.queue, queue_of(0, YARD_QUEUE_WRITEBACK));
	assert_int_equal(wait.timeout_ns, SHORT_SLEEP);
	assert_int_equal(story.round, 1);
}

static void C12_kswapd_waits_on_when_it_is_called_early(void **state)
{
	struct yard_wait wait;

	(void)state;
	start_throttled();
	yard->host.now_ns += 30 * NSEC_PER_MSEC;
	wait = step(false);
	assert_int_equal(wait.kind, YARD_WAIT_QUEUE);
	assert_int_equal(wait.queue, queue_of(0, YARD_QUEUE_WRITEBACK));
	assert_int_equal(wait.timeout_ns, 70 * NSEC_PER_MSEC);
	assert_int_equal(story.round, 1);
	yard->host.now_ns += 70 * NSEC_PER_MSEC;
	assert_goes_on(step(false));
	assert_steps("throttled(0,100000,100000,1)");
	assert_int_equal(story.round, 2);
}

static void C12_kswapd_goes_on_when_it_is_woken(void **state)
{
	(void)state;
	start_throttled();
	yard->host.now_ns += 30 * NSEC_PER_MSEC;
	assert_goes_on(step(true));
	assert_steps("throttled(0,100000,30000,1)");
	assert_int_equal(story.round, 2);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(K8_fruitless_run), TEST(K8_hopeless_after_16), TEST(K8_progress_without_balance_is_no_failure),
		TEST(K8_cache_trim_fails_and_is_given_up), TEST(K8_enough_scanned_keeps_the_priority),
		TEST(K8_goal_is_the_high_mark), TEST(K8_refaults_are_remembered), TEST(K8_boost_is_worked_off),
		TEST(K8_boost_without_yield_ends_after_one_round), TEST(K8_only_the_remembered_boost_is_taken),
		TEST(K8_unbalanced_boost_is_forgotten), TEST(K8_a_boosted_run_that_gets_unbalanced_restarts),
		TEST(K8_boosted_rounds_neither_swap_nor_write), TEST(X6_kswapd_order_drop),
		TEST(K9_order_drops_at_the_gap), TEST(X10_readahead_pump),
		TEST(O11_a_round_for_a_block_ends_at_the_gap), TEST(K10_aging),
		TEST(K11_lists_are_trimmed_during_a_run), TEST(K13_the_order_is_forgotten),
		TEST(K8_sleepers_on_reserves_are_woken_after_a_pass), TEST(C12_kswapd_waits_on_when_it_is_called_early),
		TEST(C12_kswapd_goes_on_when_it_is_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
