// SPDX-License-Identifier: Apache-2.0
//
// Spec 04 section 4: when kswapd is woken, sleeps and is hopeless (K-1 to K-7, K-14, K-15, V-11).

#include "kswapd_fixture.h"

// ---- K-1 ----

static void check_current(uint32_t offset)
{
	const struct yard_task *task = yard_get_current(yard);

	(void)offset;
	assert_ptr_equal(task, yard_kswapd_task(yard, 0));
	assert_int_equal(task->flags & (YARD_TASK_MEMALLOC | YARD_TASK_KSWAPD), YARD_TASK_MEMALLOC | YARD_TASK_KSWAPD);
	assert_true(zone_state(NORMAL).flags & YARD_ZONE_RECLAIM_ACTIVE); // K-8
}

static void K1_state(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	assert_int_equal(kswapd()->order, 0);
	assert_int_equal(kswapd()->highest_zone, YARD_ZONE_TYPES); // none
	assert_int_equal(kswapd()->failures, 0);
	for (unsigned failures = 0; failures < 20; failures++) {
		kswapd()->failures = failures;
		assert_int_equal(kswapd_hopeless(yard, 0), failures >= 16);
	}
	assert_null(yard_kswapd_task(yard, 1));
	kswapd()->failures = 0;
	pages(0, 512, FILE_PAGE, YARD_UNMAPPED);
	unbalance();
	ask.on_release = check_current;
	ask.silent = true;
	run(false);
	assert_true(nr_released > 0);
	assert_false(zone_state(NORMAL).flags & YARD_ZONE_RECLAIM_ACTIVE);
	assert_null(yard_get_current(yard));
}

// ---- K-2 ----

static void K2_wake(void **state)
{
	(void)state;
	start("linux-7.3");
	unbalance();
	wake(3);
	assert_steps("wakeup_kswapd(2,3,2,0xcc0)");
	assert_int_equal(kswapd()->order, 3);
	assert_int_equal(kswapd()->highest_zone, NORMAL);
	assert_int_equal(wakes_of(YARD_QUEUE_KSWAPD), 1);
	// awake: only recorded
	wakeup_kswapd(yard, normal(), KERNEL, 5, YARD_ZONE_DMA32);
	assert_int_equal(kswapd()->order, 5);
	assert_int_equal(kswapd()->highest_zone, NORMAL);
	wakeup_kswapd(yard, normal(), KERNEL, 1, YARD_ZONE_MOVABLE);
	assert_int_equal(kswapd()->order, 5);
	assert_int_equal(kswapd()->highest_zone, YARD_ZONE_MOVABLE);
	assert_steps("");
	assert_int_equal(wakes_of(YARD_QUEUE_KSWAPD), 1);
}

static void K2_unmanaged_zone(void **state)
{
	(void)state;
	start("linux-7.3");
	unbalance();
	wakeup_kswapd(yard, zone_at(yard, YARD_ZONE_DMA32), KERNEL, 3, YARD_ZONE_DMA32);
	assert_int_equal(kswapd()->order, 0);
	assert_int_equal(kswapd()->highest_zone, YARD_ZONE_TYPES);
	assert_steps("");
}

static void K2_cpuset(void **state)
{
	struct yard_request r = { .gfp = YARD_GFP_ATOMIC | YARD_GFP_HARDWALL, .node = 0, .cpuset = 1 << 0 };
	struct yard_result result;

	(void)state;
	start_nodes("linux-7.3");
	for (unsigned node = 0; node < 2; node++)
		set_wmarks(zone_at(yard, node * YARD_ZONE_TYPES + NORMAL), FRAMES, FRAMES, FRAMES);
	yard_alloc_request(yard, &r, &result);
	assert_steps("wakeup_kswapd(2,0,2,0x100820)");
	assert_int_equal(yard->mm[1].kswapd.highest_zone, YARD_ZONE_TYPES);
}

static void K2_balanced_is_not_woken_but_recorded(void **state)
{
	(void)state;
	start("linux-7.3");
	wake(9);
	assert_steps("");
	assert_int_equal(kswapd()->order, 9);
	assert_int_equal(wakes_of(YARD_QUEUE_KSWAPD), 0);
	assert_int_equal(yard->mm[0].kcompactd.max_order, 0);
	wakeup_kswapd(yard, normal(), YARD_GFP_ATOMIC, 9, NORMAL); // cannot reclaim itself: kcompactd is told
	assert_int_equal(yard->mm[0].kcompactd.max_order, 9);
}

static void K2_boosted_is_woken(void **state)
{
	(void)state;
	start("linux-7.3");
	normal()->boost = 1;
	wakeup_kswapd(yard, normal(), 0, 0, YARD_ZONE_DMA32); // above the highest zone
	assert_steps("");
	wakeup_kswapd(yard, normal(), 0, 0, NORMAL);
	assert_steps("wakeup_kswapd(2,0,2,0)");
}

static void K2_hopeless(void **state)
{
	struct yard_wait wait;

	(void)state;
	start_scattered(noted_config("linux-7.3"), 16 * BLOCK);
	for (unsigned i = 0; i < 20; i++)
		yard_kcompactd_step(yard, 0, false, &wait); // it sleeps
	forget();
	kswapd()->failures = 16;
	wake(9);
	assert_steps("");
	wakeup_kswapd(yard, normal(), YARD_GFP_ATOMIC, 9, NORMAL);
	assert_int_equal(count_events(E(WAKEUP_KSWAPD)), 0);
	assert_int_equal(count_events(E(WAKEUP_KCOMPACTD)), 1);
	assert_int_equal(last_event(E(WAKEUP_KCOMPACTD))->order, 9);
	assert_int_equal(last_event(E(WAKEUP_KCOMPACTD))->a, NORMAL);
}

// O-11: single pages are plenty, a block is not there.
static void O11_kcompactd_alone_is_woken_for_a_block(void **state)
{
	(void)state;
	start_scattered(noted_config("linux-7.3,wake_kcompactd_only=on"), 16 * BLOCK);
	wake(9);
	assert_int_equal(wakes_of(YARD_QUEUE_KSWAPD), 0);
	assert_int_equal(kswapd()->order, 0);
	assert_int_equal(yard->mm[0].kcompactd.max_order, 9);
	normal()->boost = 1;
	wake(9);
	assert_int_equal(wakes_of(YARD_QUEUE_KSWAPD), 1);
}

// ---- K-3 ----

static void exhaust(void)
{
	for (unsigned node = 0; node < 2; node++)
		set_wmarks(zone_at(yard, node * YARD_ZONE_TYPES + NORMAL), 100000, 100000, 100000);
}

static void check_slow_path_wakes(const char *policy, unsigned order, const char *expected)
{
	start_nodes(policy);
	exhaust();
	assert_int_equal(yard_alloc(yard, YARD_GFP_NOWAIT, order), NONE);
	assert_steps(expected);
}

static void K3_slow_path_wakes_each_node_once(void **state)
{
	(void)state;
	check_slow_path_wakes("linux-7.3", 0, "wakeup_kswapd(2,0,2,0x2800) wakeup_kswapd(7,0,2,0x2800)");
	check_slow_path_wakes("linux-7.3", 4, "wakeup_kswapd(2,4,2,0x2800) wakeup_kswapd(7,4,2,0x2800)");
	check_slow_path_wakes("linux-7.3,defrag_mode=1", 0, "wakeup_kswapd(2,9,2,0x2800) wakeup_kswapd(7,9,2,0x2800)");
	check_slow_path_wakes("linux-7.3,defrag_mode=1", 10, "wakeup_kswapd(2,10,2,0x2800) wakeup_kswapd(7,10,2,0x2800)");
}

static void both_wait_again(void *context)
{
	(void)context;
	for (unsigned node = 0; node < 2; node++)
		yard_kswapd_awake(yard, node, false);
}

static bool refuse(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	(void)pfn, (void)order, (void)shadow;
	both_wait_again(context);
	return false;
}

static void K3_each_retry_wakes_again(void **state)
{
	const struct yard_request r = { .gfp = KERNEL | YARD_GFP_RETRY_MAYFAIL, .node = -1 };
	struct yard_result result;

	(void)state;
	start_nodes("linux-7.3");
	yard->owner.release = refuse;
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t pfn = yard_alloc(yard, KERNEL, 0);

		assert_int_equal(yard_lru_add(yard, pfn, FILE_PAGE, YARD_UNMAPPED), YARD_OK);
	}
	yard_lru_drain(yard);
	for (unsigned node = 0; node < 2; node++) // would hold with what seems reclaimable
		set_wmarks(zone_at(yard, node * YARD_ZONE_TYPES + NORMAL), 4000, 4000, 4000);
	set_wmarks(zone_at(yard, NODE_1 + NORMAL), FRAMES, FRAMES, FRAMES);
	forget();
	yard_alloc_request(yard, &r, &result);
	assert_int_equal(result.pfn, NONE);
	assert_true(result.rounds > 10);
	assert_int_equal(count_events(E(WAKEUP_KSWAPD)), 2 * result.rounds);
}

static void K3_not_without_the_flag(void **state)
{
	(void)state;
	start_nodes("linux-7.3");
	exhaust();
	assert_int_equal(yard_alloc(yard, YARD_GFP_HIGH, 0), NONE);
	assert_steps("");
}

static void K3_boosted_zone(void **state)
{
	(void)state;
	start("linux-7.3,defrag_mode=1");
	normal()->boost = 40;
	zone_set_flag(normal(), YARD_ZONE_BOOSTED);
	assert_int_not_equal(yard_alloc(yard, KERNEL, 0), NONE);
	assert_steps("wakeup_kswapd(2,0,2,0)");
	assert_false(zone_state(NORMAL).flags & YARD_ZONE_BOOSTED);
}

// ---- K-4 ----

static void K4_order_and_marks(void **state)
{
	(void)state;
	start("linux-7.3"); // 4096 free
	set_wmarks(normal(), 0, 0, 4095);
	assert_true(node_balanced(yard, 0, 0, NORMAL));
	set_wmarks(normal(), 0, 0, 4096); // W11: free must be above the mark
	assert_false(node_balanced(yard, 0, 0, NORMAL));
	set_wmarks(normal(), 0, 0, 4000);
	normal()->boost = 200;
	assert_false(node_balanced(yard, 0, 0, NORMAL));
	normal()->boost = 0;
	assert_false(node_balanced(yard, 0, YARD_MAX_PAGE_ORDER, NORMAL)); // 4096 - 1023
	set_wmarks(normal(), 0, 0, 3000);
	assert_true(node_balanced(yard, 0, YARD_MAX_PAGE_ORDER, NORMAL));
	assert_true(node_balanced(yard, 0, 0, YARD_ZONE_DMA32)); // no managed zone
	set_wmarks(normal(), 0, 0, FRAMES);
	assert_true(node_balanced(yard, 0, 0, YARD_ZONE_DMA32));
}

static void K4_order_needs_a_block(void **state)
{
	(void)state;
	start_scattered(noted_config("linux-7.3"), 16 * BLOCK); // 1024 free
	assert_true(node_balanced(yard, 0, 0, NORMAL));
	assert_false(node_balanced(yard, 0, 1, NORMAL));
}

static void K4_promo_mark_when_tiering(void **state)
{
	struct yard_config config = noted_config("linux-7.3");

	(void)state;
	start_with(config);
	normal()->wmark[WMARK_PROMO] = FRAMES;
	assert_true(node_balanced(yard, 0, 0, NORMAL));
	config.memory_tiering = true;
	machine_of(config, FRAMES, USED);
	set_wmarks(normal(), 10, 20, 30);
	normal()->wmark[WMARK_PROMO] = FRAMES;
	assert_false(node_balanced(yard, 0, 0, NORMAL));
	normal()->wmark[WMARK_PROMO] = 4095;
	assert_true(node_balanced(yard, 0, 0, NORMAL));
}

// One whole free block and 448 pages in smaller ones.
static void start_block(const char *policy)
{
	blank_config(noted_config(policy), 8 * BLOCK);
	give_free_range(0, 512);
	give_free_range(1024, 1024 + 448);
	give_used(512, 1024, false);
	give_used(1024 + 448, 8 * BLOCK, false);
	ready();
	set_wmarks(normal(), 0, 0, 600);
}

static void K4_whole_blocks_in_defrag_mode(void **state)
{
	(void)state;
	start_block("linux-7.3");
	assert_true(node_balanced(yard, 0, 4, NORMAL));
	start_block("linux-7.3,defrag_mode=1");
	assert_true(node_balanced(yard, 0, 0, NORMAL));
	assert_false(node_balanced(yard, 0, 1, NORMAL));
	assert_false(node_balanced(yard, 0, 9, NORMAL));
	set_wmarks(normal(), 0, 0, 0); // 512 - (2^order - 1) > 0
	assert_true(node_balanced(yard, 0, 9, NORMAL));
	start_block("linux-7.3,defrag_mode=1,kswapd_order0_handoff=off"); // spec 02 KS-2
	assert_false(node_balanced(yard, 0, 0, NORMAL));
	start_block("linux-7.3,defrag_mode=1,block_watermarks=off");
	assert_true(node_balanced(yard, 0, 4, NORMAL));
}

static void K4_any_zone_will_do(void **state)
{
	static const struct yard_range memory[] = { { 0, 4096, 0 }, { 4096, 8192, 0 }, { BASE, BASE + 4096, 0 } };
	struct yard_config config = noted_config("linux-7.3");

	(void)state;
	config.no_dma32 = false;
	config.memory = memory;
	config.nr_memory = 3;
	build(&config);
	for (unsigned type = 0; type <= NORMAL; type++) {
		set_wmarks(zone_at(yard, type), 10, 20, FRAMES);
		memset(zone_at(yard, type)->lowmem_reserve, 0, sizeof zone_at(yard, type)->lowmem_reserve);
	}
	assert_false(node_balanced(yard, 0, 0, NORMAL));
	for (unsigned good = 0; good <= NORMAL; good++) {
		set_wmarks(zone_at(yard, good), 10, 20, 30);
		for (unsigned highest = 0; highest <= NORMAL; highest++)
			assert_int_equal(node_balanced(yard, 0, 0, highest), highest >= good);
		set_wmarks(zone_at(yard, good), 10, 20, FRAMES);
	}
	set_wmarks(zone_at(yard, 0), 10, 20, 30);
	zone_at(yard, 0)->lowmem_reserve[NORMAL] = FRAMES; // the reserve is that of `highest`
	assert_true(node_balanced(yard, 0, 0, YARD_ZONE_DMA));
	assert_false(node_balanced(yard, 0, 0, NORMAL));
}

static void K4_exact_below_the_drift_mark(void **state)
{
	struct yard_config config = noted_config("linux-7.3");

	(void)state;
	config.exact_counters = false;
	machine_of(config, FRAMES, USED);
	set_wmarks(normal(), 0, 0, 4000);
	zone_pcp(normal(), 0)->diff[YARD_NR_FREE_PAGES] = -100; // not folded yet
	normal()->drift_mark = 0;
	assert_true(node_balanced(yard, 0, 0, NORMAL));
	normal()->drift_mark = 5000;
	assert_false(node_balanced(yard, 0, 0, NORMAL));
	zone_pcp(normal(), 0)->diff[YARD_NR_FREE_PAGES] = 0;
}

// ---- K-5, K-6, K-7 ----

static void K6_first_sleep(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	watch(KINDS);
	assert_wait(step(false), SHORT_SLEEP); // HZ/10
	yard->host.now_ns += 40 * NSEC_PER_MSEC;
	assert_wait(step(true), 60 * NSEC_PER_MSEC); // for no reason
	assert_steps("");
	yard->host.now_ns += 59 * NSEC_PER_MSEC;
	assert_wait(step(false), NSEC_PER_MSEC); // nor is it over because a host came early
	assert_steps("");
	yard->host.now_ns += NSEC_PER_MSEC;
	assert_wait(run(false), UINT64_MAX);
	assert_steps("kswapd_sleep(0)");
	yard->host.now_ns += 1000000000000;
	assert_wait(step(false), UINT64_MAX);
	assert_steps("");
}

static void K5_a_run(void **state)
{
	(void)state;
	start("linux-7.3");
	script(40);
	unbalance();
	wake(0);
	balance();
	assert_wait(run(true), SHORT_SLEEP);
	assert_steps("wakeup_kswapd(2,0,2,0xcc0) kswapd_wake(0,2,0) balance_pgdat_begin(0,0,2) balance_pgdat_end(0,0,2,0)");
	assert_int_equal(vm(YARD_VM_PAGEOUTRUN), 1);
	assert_int_equal(kswapd()->order, 0);
	assert_int_equal(kswapd()->highest_zone, YARD_ZONE_TYPES); // taken
	assert_int_equal(story.round, 0); // balanced already
	yard->host.now_ns += SHORT_SLEEP;
	assert_wait(run(false), UINT64_MAX);
	assert_steps("kswapd_sleep(0)");
	assert_int_equal(vm(YARD_VM_KSWAPD_LOW_WMARK_HIT_QUICKLY) + vm(YARD_VM_KSWAPD_HIGH_WMARK_HIT_QUICKLY), 0);
}

static void wake_5(void)
{
	wake(5);
	balance();
}

static void K6_woken_early(void **state)
{
	(void)state;
	start("linux-7.3");
	script(40);
	story.on_round = wake_5; // while it is awake: order 5 is recorded
	unbalance();
	wake(0);
	assert_wait(run(true), SHORT_SLEEP); // K-5.1: at order 5, for which it is balanced
	assert_steps("wakeup_kswapd(2,0,2,0xcc0) kswapd_wake(0,2,0) balance_pgdat_begin(0,0,2) balance_pgdat_end(0,0,2,40)");
	unbalance();
	wake(2);
	balance();
	assert_wait(run(true), SHORT_SLEEP);
	assert_steps("wakeup_kswapd(2,2,2,0xcc0) kswapd_wake(0,2,5) balance_pgdat_begin(0,5,2) balance_pgdat_end(0,5,2,0)");
	assert_int_equal(vm(YARD_VM_KSWAPD_LOW_WMARK_HIT_QUICKLY), 1);
	assert_int_equal(vm(YARD_VM_KSWAPD_HIGH_WMARK_HIT_QUICKLY), 0);
}

static void K6_highest_zone_is_merged(void **state)
{
	(void)state;
	start("linux-7.3");
	script(0);
	unbalance();
	wakeup_kswapd(yard, normal(), KERNEL, 0, NORMAL);
	balance();
	run(true); // highest 2, short sleep
	forget();
	unbalance();
	wakeup_kswapd(yard, normal(), KERNEL, 0, YARD_ZONE_MOVABLE);
	balance();
	run(true);
	assert_int_equal(last_event(E(KSWAPD_WAKE))->args[1], YARD_ZONE_MOVABLE);
	// nothing recorded: the previous one counts
	unbalance();
	yard->host.now_ns += SHORT_SLEEP;
	forget();
	step(false);
	assert_int_equal(last_event(E(KSWAPD_WAKE))->args[1], YARD_ZONE_MOVABLE);
}

static void K6_not_balanced_after_the_short_sleep(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	watch(KINDS);
	assert_wait(step(false), SHORT_SLEEP);
	unbalance();
	yard->host.now_ns += SHORT_SLEEP;
	step(false);
	assert_int_equal(vm(YARD_VM_KSWAPD_HIGH_WMARK_HIT_QUICKLY), 1);
	assert_int_equal(vm(YARD_VM_KSWAPD_LOW_WMARK_HIT_QUICKLY), 0);
	assert_int_equal(count_events(E(KSWAPD_SLEEP)), 0);
	assert_int_equal(count_events(E(KSWAPD_WAKE)), 1);
}

static void K6_not_ready_at_all(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	unbalance();
	step(false);
	assert_int_equal(vm(YARD_VM_KSWAPD_HIGH_WMARK_HIT_QUICKLY), 1);
}

static void K6_counter_thresholds(void **state)
{
	struct yard_config config = noted_config("linux-7.3");
	int32_t sleeping;

	(void)state;
	config.exact_counters = false;
	config.nr_cpus = 2;
	machine_of(config, 64 * BLOCK, USED);
	watch_sleep();
	set_wmarks(normal(), 10, 12, 30); // (12 - 10) / 2 CPUs
	assert_wait(step(false), SHORT_SLEEP);
	yard->host.now_ns += SHORT_SLEEP;
	assert_wait(run(false), UINT64_MAX);
	sleeping = pcp_state(NORMAL, 0).stat_threshold;
	assert_true(sleeping > 1);
	set_wmarks(normal(), 10, 12, 64 * BLOCK);
	wake(0);
	step(true);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, 1);
	set_wmarks(normal(), 10, 12, 30);
	run(false);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, 1); // the short sleep
	yard->host.now_ns += SHORT_SLEEP;
	assert_wait(run(false), UINT64_MAX);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, sleeping);
}

static void K6_skip_hints_are_flushed_if_asked(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	pages(0, BLOCK, ANON_PAGE, YARD_MAPPED);
	set_pageblock_skip(yard, base, true);
	step(false);
	assert_true(pageblock_skip(yard, base));
	machine(FRAMES, USED);
	pages(0, BLOCK, ANON_PAGE, YARD_MAPPED);
	set_pageblock_skip(yard, base, true);
	yard->compact[NORMAL].blockskip_flush = true;
	step(false);
	assert_false(pageblock_skip(yard, base));
	assert_false(yard->compact[NORMAL].blockskip_flush);
}

static void K7_ready_clears_the_flags(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	watch_sleep();
	yard->mm[0].flags = NODE_CONGESTED | NODE_WRITEBACK | NODE_RECLAIM_LOCKED;
	unbalance();
	step(false);
	assert_int_equal(yard->mm[0].flags, NODE_CONGESTED | NODE_WRITEBACK | NODE_RECLAIM_LOCKED);
	assert_true(wakes_of(YARD_QUEUE_PFMEMALLOC) > 0); // even so
	machine(FRAMES, USED);
	yard->mm[0].flags = NODE_CONGESTED | NODE_WRITEBACK | NODE_RECLAIM_LOCKED;
	step(false);
	assert_int_equal(yard->mm[0].flags, NODE_RECLAIM_LOCKED);
}

static void K7_hopeless_sleeps(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	watch_sleep();
	watch(KINDS);
	unbalance();
	kswapd()->failures = 16;
	yard->mm[0].flags = NODE_CONGESTED;
	assert_wait(step(false), SHORT_SLEEP);
	yard->host.now_ns += SHORT_SLEEP;
	assert_wait(run(false), UINT64_MAX);
	assert_steps("kswapd_sleep(0)");
	assert_int_equal(yard->mm[0].flags, NODE_CONGESTED);
	assert_true(wakes_of(YARD_QUEUE_PFMEMALLOC) > 0);
}

// ---- K-14 ----

static unsigned node_of_next(void)
{
	uint32_t pfn = yard_alloc(yard, KERNEL, 0);

	assert_int_not_equal(pfn, NONE);
	return node_of(yard, pfn);
}

static void K14_busy_kswapd_diverts(void **state)
{
	(void)state;
	start_nodes("linux-7.3");
	assert_int_equal(node_of_next(), 0);
	set_wmarks(normal(), 10, 20, FRAMES); // high only: allocations still pass
	wake(0);
	assert_int_equal(node_of_next(), 1);
	set_wmarks(normal(), 10, 20, 30);
	assert_wait(run(true), SHORT_SLEEP); // which counts as waiting
	assert_int_equal(node_of_next(), 0);
	set_wmarks(zone_at(yard, NODE_1 + NORMAL), FRAMES, FRAMES, FRAMES); // nothing on the other: the second walk
	set_wmarks(normal(), 10, 20, FRAMES);
	wake(0);
	assert_int_equal(node_of_next(), 0);
}

// ---- K-15 ----

static void reclaim_a_little(enum reclaim_role role)
{
	struct scan_control sc = role == ROLE_KSWAPD ? kswapd_control() : control();
	struct yard_task task = { .flags = role == ROLE_KSWAPD ? YARD_TASK_KSWAPD | YARD_TASK_MEMALLOC : 0 };
	struct yard_task *before = yard_set_current(yard, &task);

	sc.priority = 5;
	sc.role = role;
	shrink_node(yard, 0, &sc);
	assert_true(sc.nr_reclaimed > 0);
	yard_set_current(yard, before);
}

static void start_hopeless(const char *policy)
{
	start(policy);
	pages(0, 4096, FILE_PAGE, YARD_UNMAPPED);
	kswapd()->failures = 16;
	forget();
}

static void K15_progress_and_balance(void **state)
{
	(void)state;
	start_hopeless("linux-7.3");
	reclaim_a_little(ROLE_DIRECT);
	assert_steps("kswapd_clear_hopeless(0,2)");
	assert_int_equal(yard_kswapd_failures(yard, 0), 0);
	reclaim_a_little(ROLE_DIRECT); // the count was 0
	assert_steps("");
	kswapd()->failures = 1; // hopeless or not
	reclaim_a_little(ROLE_KSWAPD);
	assert_steps("kswapd_clear_hopeless(0,1)");
}

static void K15_progress_without_balance(void **state)
{
	(void)state;
	start_hopeless("linux-7.3");
	unbalance();
	reclaim_a_little(ROLE_DIRECT);
	assert_steps("");
	assert_int_equal(yard_kswapd_failures(yard, 0), 16);
}

static void V11_any_progress_once(void **state)
{
	(void)state;
	start_hopeless("linux-7.3,hopeless_needs_balance=off");
	unbalance();
	reclaim_a_little(ROLE_DIRECT);
	assert_int_equal(yard_kswapd_failures(yard, 0), 0);
}

static void free_some_of_node(unsigned node)
{
	uint32_t pfns[64];
	struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + NORMAL);

	for (size_t i = 0; i < COUNT(pfns); i++) {
		const struct yard_request r = { .gfp = KERNEL | YARD_GFP_THISNODE, .node = (int16_t)node };
		struct yard_result result;

		assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
		pfns[i] = result.pfn;
	}
	set_pcps(zone, 1, 0, 0);
	zone_set_flag(zone, YARD_ZONE_BELOW_HIGH);
	yard->mm[node].kswapd.failures = 16;
	forget();
	for (size_t i = 0; i < COUNT(pfns); i++)
		assert_int_equal(yard_free(yard, pfns[i], 0), YARD_OK);
}

static void K15_leaving_the_below_high_state(void **state)
{
	(void)state;
	start_nodes("linux-7.3");
	free_some_of_node(0);
	assert_steps("kswapd_clear_hopeless(0,3)");
	assert_int_equal(yard_kswapd_failures(yard, 0), 0);
	free_some_of_node(1); // spec 01 P13: only a node with a higher id counts
	assert_steps("");
	assert_int_equal(yard_kswapd_failures(yard, 1), 16);
	start("linux-7.3"); // no other node
	free_some_of_node(0);
	assert_steps("");
	assert_int_equal(yard_kswapd_failures(yard, 0), 16);
}

static void K15_demotion_turned_on(void **state)
{
	(void)state;
	start_nodes("linux-7.3");
	yard->mm[0].kswapd.failures = 16;
	yard->mm[1].kswapd.failures = 3;
	yard_set_demotion(yard, true);
	assert_steps("kswapd_clear_hopeless(0,0) kswapd_clear_hopeless(1,0)");
	yard_set_demotion(yard, true);
	assert_steps("");
}

static void K15_hopeless_nodes_are_not_throttled(void **state)
{
	(void)state;
	start("linux-7.3");
	pages(0, 100, FILE_PAGE, YARD_UNMAPPED);
	set_wmarks(normal(), 100000, 100000, 100000);
	assert_false(allow_direct_reclaim(yard, 0));
	kswapd()->failures = 16;
	assert_true(allow_direct_reclaim(yard, 0));
	reclaim_throttle(yard, 0, YARD_QUEUE_NOPROGRESS);
	reclaim_throttle(yard, 0, YARD_QUEUE_CONGESTED);
	assert_int_equal(naps.nr, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(K1_state), TEST(K2_wake), TEST(K2_unmanaged_zone), TEST(K2_cpuset),
		TEST(K2_balanced_is_not_woken_but_recorded), TEST(K2_boosted_is_woken), TEST(K2_hopeless),
		TEST(O11_kcompactd_alone_is_woken_for_a_block),
		TEST(K3_slow_path_wakes_each_node_once), TEST(K3_each_retry_wakes_again),
		TEST(K3_not_without_the_flag), TEST(K3_boosted_zone), TEST(K4_order_and_marks),
		TEST(K4_order_needs_a_block), TEST(K4_promo_mark_when_tiering), TEST(K4_whole_blocks_in_defrag_mode),
		TEST(K4_any_zone_will_do), TEST(K4_exact_below_the_drift_mark), TEST(K6_first_sleep), TEST(K5_a_run),
		TEST(K6_woken_early), TEST(K6_highest_zone_is_merged), TEST(K6_not_balanced_after_the_short_sleep),
		TEST(K6_not_ready_at_all), TEST(K6_counter_thresholds), TEST(K6_skip_hints_are_flushed_if_asked),
		TEST(K7_ready_clears_the_flags), TEST(K7_hopeless_sleeps), TEST(K14_busy_kswapd_diverts),
		TEST(K15_progress_and_balance), TEST(K15_progress_without_balance), TEST(V11_any_progress_once),
		TEST(K15_leaving_the_below_high_state), TEST(K15_demotion_turned_on),
		TEST(K15_hopeless_nodes_are_not_throttled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
