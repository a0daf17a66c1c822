// SPDX-License-Identifier: Apache-2.0
//
// Direct reclaim (spec 04 section 3, the rows of C-1 for it).

#include "reclaim_fixture.h"

// `nr` inactive file pages in a machine with 1000 free ones.
static void cache_of(uint32_t nr)
{
	machine((nr + 1000 + BLOCK) / BLOCK * BLOCK, nr);
	as_user();
	pages(0, nr, FILE_PAGE, YARD_UNMAPPED);
	forget();
}

// ---- C-1, D-1, D-2 ----

static void C1_D4_how_direct_reclaim_begins(void **state)
{
	struct alloc_context ctx;

	(void)state;
	cache_of(9000);
	ctx = context(YARD_GFP_KERNEL, 2);
	assert_int_equal(try_to_free_pages(yard, &ctx, 2), 63); // 2 at priority 12, 4, 8, 17, 32: above the goal
	assert_args(DIRECT_RECLAIM_BEGIN, "3264 1234 0 2"); // gfp_flags pid memcg_id order
	assert_int_equal(YARD_GFP_KERNEL, 3264);
	assert_args(DIRECT_RECLAIM_END, "63 1234 0");
	assert_int_equal(arg_of(YARD_EVENT_LRU_ISOLATE, 0), YARD_ZONE_NORMAL);
	assert_int_equal(arg_of(YARD_EVENT_LRU_ISOLATE, 1), 2);
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL), 1);
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_DIRECT), 63);
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_DIRECT), 63);
	assert_verified();
}

static void D4_priorities_fall_until_the_goal_is_reached(void **state)
{
	static struct text text;

	(void)state;
	cache_of(9000);
	assert_int_equal(direct_reclaim(YARD_GFP_KERNEL, 0), 63);
	text.length = 0;
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_LRU_SHRINK_INACTIVE)
			put(&text, "%d:%d ", (int)events[i].args[11], (int)events[i].args[2]);
	// 9000 >> 12, 8998 >> 11, 8994 >> 10, 8986 >> 9, 8969 >> 8
	assert_string_equal(text.chars, "12:2 11:4 10:8 9:17 8:32 ");
}

static bool was_memalloc;

static void note_memalloc(uint32_t offset)
{
	(void)offset;
	was_memalloc = requester.flags & YARD_TASK_MEMALLOC;
}

static void D1_inside_the_task_is_memalloc(void **state)
{
	(void)state;
	machine(1024, 1024);
	as_user();
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	ask.on_release = note_memalloc;
	was_memalloc = false;
	assert_int_not_equal(request(GFP_U, 0).pfn, NONE);
	assert_true(was_memalloc);
	assert_false(requester.flags & YARD_TASK_MEMALLOC);
	next_machine();
	machine(1024, 1024); // a request from within does not reclaim
	as_user();
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	requester.flags = YARD_TASK_MEMALLOC;
	forget();
	request(GFP_U, 0);
	assert_int_equal(count_events(YARD_EVENT_DIRECT_RECLAIM_BEGIN), 0);
}

static void D2_scopes_narrow_the_mask(void **state)
{
	static const struct { uint16_t task; uint32_t gfp, gone; unsigned zone; } rows[] = {
		{ YARD_TASK_NOIO, YARD_GFP_HIGHUSER_MOVABLE, YARD_GFP_IO | YARD_GFP_FS, YARD_ZONE_MOVABLE },
		{ YARD_TASK_NOFS, YARD_GFP_HIGHUSER_MOVABLE, YARD_GFP_FS, YARD_ZONE_MOVABLE },
		{ 0, YARD_GFP_HIGHUSER_MOVABLE, 0, YARD_ZONE_MOVABLE },
		// For the allocator itself the scope came first (spec 02 E-4): its zone is that of the narrowed mask.
		{ YARD_TASK_PIN, YARD_GFP_HIGHUSER_MOVABLE, YARD_GFP_MOVABLE, YARD_ZONE_NORMAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct yard_request r = { .gfp = rows[i].gfp, .node = -1 };
		struct yard_result result;

		machine(1024, 1024);
		as_user();
		requester.flags = rows[i].task;
		pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
		forget();
		yard_alloc_request(yard, &r, &result);
		assert_int_not_equal(result.pfn, NONE);
		assert_int_equal((uint32_t)arg_of(YARD_EVENT_DIRECT_RECLAIM_BEGIN, 0), rows[i].gfp & ~rows[i].gone);
		assert_int_equal(arg_of(YARD_EVENT_LRU_ISOLATE, 0), rows[i].zone);
		assert_int_equal(vm(YARD_VM_ALLOCSTALL_DMA + rows[i].zone), 1);
		next_machine();
	}
}

// ---- D-3 ----

// 200 free pages, 100 that can be reclaimed.
static void reserves(uint32_t min)
{
	blank_config(noted_config("linux-7.3"), 1024);
	give_used(0, 824, false);
	give_free_range(824, 1024);
	ready();
	listen();
	as_user();
	pages(0, 100, FILE_PAGE, YARD_UNMAPPED);
	set_wmarks(normal(), min, min, min);
	yard_kswapd_run(yard, 0, true);
	forget();
}

static void D3_the_test(void **state)
{
	(void)state;
	reserves(399);
	assert_true(allow_direct_reclaim(yard, 0)); // 200 > 199
	reserves(400);
	assert_false(allow_direct_reclaim(yard, 0)); // 200 > 200
	yard->mm[0].kswapd.failures = 16; // hopeless
	assert_true(allow_direct_reclaim(yard, 0));
	yard->mm[0].kswapd.failures = 15;
	assert_false(allow_direct_reclaim(yard, 0));
	set_wmarks(normal(), 0, 0, 0); // no reserve
	assert_true(allow_direct_reclaim(yard, 0));
	reserves(400);
	for (uint32_t i = 0; i < 100; i++)
		free_at(i, 0); // nothing to reclaim, some free: the zone does not count
	set_wmarks(normal(), 5000, 5000, 5000);
	assert_true(allow_direct_reclaim(yard, 0));
}

static bool throttled(uint32_t gfp)
{
	struct alloc_context ctx = context(gfp, 0);

	return throttle_direct_reclaim(yard, &ctx);
}

static unsigned naps_left;

static void enough_in_a_while(void)
{
	yard_count_vm_event(yard, YARD_VM_PAGEOUTRUN, 1); // kswapd is at work
	if (!--naps_left)
		set_wmarks(normal(), 1, 1, 1);
}

static void D3_with_fs_it_sleeps_until_the_test_passes(void **state)
{
	(void)state;
	reserves(400);
	naps_left = 40;
	naps.sleeps_ns = 100 * NSEC_PER_MSEC; // 4 s in all
	naps.on_sleep = enough_in_a_while;
	assert_false(throttled(YARD_GFP_KERNEL));
	assert_int_equal(naps.nr, 40);
	assert_int_equal(naps_of(YARD_QUEUE_PFMEMALLOC), 40);
	assert_int_equal(vm(YARD_VM_PGSCAN_DIRECT_THROTTLE), 1);
}

static void D3_without_fs_at_most_a_second(void **state)
{
	uint64_t before;

	(void)state;
	reserves(400);
	before = yard->host.now_ns;
	naps_left = 1000;
	naps.sleeps_ns = 100 * NSEC_PER_MSEC;
	naps.on_sleep = enough_in_a_while;
	assert_false(throttled(YARD_GFP_NOFS));
	assert_in_range(naps.nr, 1, 64);
	assert_int_equal(naps_of(YARD_QUEUE_PFMEMALLOC), naps.nr);
	assert_int_equal(yard->host.now_ns - before, 1000000000);
	assert_int_equal(vm(YARD_VM_PGSCAN_DIRECT_THROTTLE), 1);
}

static void D3_who_passes(void **state)
{
	(void)state;
	reserves(400);
	requester.flags = YARD_TASK_KTHREAD;
	assert_false(throttled(YARD_GFP_KERNEL));
	requester.flags = YARD_TASK_SIGNAL;
	throttled(YARD_GFP_KERNEL);
	requester.flags = 0;
	set_wmarks(normal(), 100, 100, 100);
	assert_false(throttled(YARD_GFP_KERNEL));
	assert_int_equal(naps.nr, 0);
	assert_int_equal(vm(YARD_VM_PGSCAN_DIRECT_THROTTLE), 0);
}

static void kill_me(void)
{
	requester.flags |= YARD_TASK_SIGNAL;
}

static void D3_killed_while_it_slept_it_returns_1_at_once(void **state)
{
	(void)state;
	reserves(400);
	naps.on_sleep = kill_me;
	assert_int_equal(direct_reclaim(YARD_GFP_KERNEL, 0), 1);
	assert_int_equal(naps.nr, 1);
	assert_int_equal(count_events(YARD_EVENT_DIRECT_RECLAIM_BEGIN), 0);
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_DIRECT), 0);
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL), 0);
}

static void D3_a_failed_test_wakes_kswapd(void **state)
{
	(void)state;
	reserves(400);
	yard->mm[0].kswapd.highest_zone = YARD_ZONE_MOVABLE;
	assert_false(allow_direct_reclaim(yard, 0));
	assert_int_equal(wakes_of(YARD_QUEUE_KSWAPD), 1);
	assert_int_equal(yard->mm[0].kswapd.highest_zone, YARD_ZONE_NORMAL);
}

// ---- D-4, D-5 ----

// Which priorities there were, each once: "12 11 ... 0 12 ...".
static void check_priorities(const char *expected)
{
	static struct text text;
	int64_t last = -1;

	text.length = 0;
	put(&text, "%s", "");
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_LRU_SHRINK_INACTIVE && events[i].args[11] != last) {
			last = events[i].args[11];
			put(&text, "%s%d", text.length ? " " : "", (int)last);
		}
	assert_string_equal(text.chars, expected);
}

#define DOWN "12 11 10 9 8 7 6 5 4 3 2 1 0"

static void D4_D5_without_progress_there_is_one_full_second_run(void **state)
{
	(void)state;
	cache_of(5000);
	world.fail_every[CALL_RELEASE] = 1;
	assert_int_equal(direct_reclaim(YARD_GFP_KERNEL, 0), 0);
	check_priorities(DOWN " " DOWN);
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL), 2);
	assert_int_equal(count_events(YARD_EVENT_DIRECT_RECLAIM_BEGIN), 1);
	assert_args(DIRECT_RECLAIM_END, "0 1234 0");
	assert_verified();
}

static void D5_4_skipped_active_lists_are_forced_in_a_third_run(void **state)
{
	(void)state;
	machine(8192, 6000);
	as_user();
	pages(0, 5000, FILE_PAGE, YARD_UNMAPPED);
	pages(5000, 5400, FILE_PAGE | ACT, YARD_UNMAPPED);
	world.fail_every[CALL_RELEASE] = 1;
	forget();
	assert_int_equal(direct_reclaim(YARD_GFP_KERNEL, 0), 0);
	check_priorities(DOWN " " DOWN " " DOWN);
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL), 3);
	assert_int_equal(vm(YARD_VM_PGDEACTIVATE), 400); // not before
	assert_int_equal(size_of(AF), 0);
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_LRU_SHRINK_ACTIVE)
			assert_true(&events[i] > &events[nr_events / 2]);
}

static void D4_any_progress_is_returned_after_one_run(void **state)
{
	(void)state;
	cache_of(10); // below the window until priority 3
	assert_int_equal(direct_reclaim(YARD_GFP_KERNEL, 0), 10);
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL), 1);
	check_priorities("3 2 1 0");
}

static void D5_1_the_refaults_are_remembered(void **state)
{
	(void)state;
	cache_of(100);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_ANON, 5);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_FILE, 7);
	direct_reclaim(YARD_GFP_KERNEL, 0);
	assert_int_equal(yard->mm[0].lruvec.refaults[ANON], 5);
	assert_int_equal(yard->mm[0].lruvec.refaults[FILE_LRU], 7);
}

static unsigned releases, refusals;

static void refuse_at_first(uint32_t offset)
{
	(void)offset;
	world.fail_every[CALL_RELEASE] = ++releases <= refusals;
}

static void D4_the_scanned_pages_are_those_of_the_pass(void **state)
{
	(void)state;
	cache_of(5000);
	releases = refusals = 0;
	for (unsigned priority = 3; priority <= 12; priority++)
		refusals += 5000 >> priority;
	ask.on_release = refuse_at_first; // 32 pages at priority 2, of 32 scanned in this pass and of 1277 in all
	yard->mm[0].throttle[YARD_QUEUE_NOPROGRESS].sleepers = 1;
	assert_int_equal(direct_reclaim(YARD_GFP_KERNEL, 0), 32);
	check_priorities("12 11 10 9 8 7 6 5 4 3 2");
	assert_int_equal(wakes_of(YARD_QUEUE_NOPROGRESS), 1); // more than an eighth
}

static void at_priority_1(void)
{
	assert_int_equal(arg_of(YARD_EVENT_LRU_SHRINK_INACTIVE, 11), 1);
}

static void D4a_noprogress_sleepers(void **state)
{
	(void)state;
	cache_of(5000);
	yard->mm[0].throttle[YARD_QUEUE_NOPROGRESS].sleepers = 1;
	assert_true(direct_reclaim(YARD_GFP_KERNEL, 0) >= 32);
	assert_true(wakes_of(YARD_QUEUE_NOPROGRESS) >= 1); // more than an eighth of what was scanned
	next_machine();
	cache_of(5000);
	world.fail_every[CALL_RELEASE] = 1;
	yard_mod_node_stat(yard, 0, YARD_NODE_FILE_DIRTY, 1000000);
	yard->mm[0].throttle[YARD_QUEUE_NOPROGRESS].sleepers = 1;
	naps.on_sleep = at_priority_1;
	assert_int_equal(direct_reclaim(YARD_GFP_KERNEL, 0), 0);
	assert_int_equal(wakes_of(YARD_QUEUE_NOPROGRESS), 0);
	assert_int_equal(naps_of(YARD_QUEUE_NOPROGRESS), 2); // at priority 1 of both runs
	assert_int_equal(naps.nr, 2);
}

// 1000 single free pages, none next to another, and inactive pages elsewhere.
static void scattered(uint32_t min, uint32_t low, uint32_t high)
{
	blank_config(noted_config("linux-7.3"), 8192);
	give_used(0, 6192, false);
	for (uint32_t i = 6192; i < 8192; i++)
		if (i & 1)
			give_free(i, 0);
		else
			give_used(i, i + 1, false);
	ready();
	set_wmarks(normal(), min, low, high);
	set_pcps(normal(), 63, 4096, 4096);
	listen();
	as_user();
	for (uint32_t i = 0; i < 1500; i++)
		lru_page(4 * i, FILE_PAGE, YARD_UNMAPPED);
	yard_lru_drain(yard);
	forget();
}

static void D4b_D5_2_ready_for_compaction_returns_1(void **state)
{
	(void)state;
	scattered(100, 200, 867); // 1000 > high + 32 + (low - min)
	assert_int_equal(direct_reclaim(YARD_GFP_KERNEL, 9), 1);
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_DIRECT), 0);
	assert_args(DIRECT_RECLAIM_END, "1 1234 0");
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL), 1);
	next_machine();
	scattered(100, 200, 868);
	assert_true(direct_reclaim(YARD_GFP_KERNEL, 9) >= 32);
	next_machine();
	scattered(100, 200, 300);
	assert_true(direct_reclaim(YARD_GFP_KERNEL, 3) >= 32); // order <= 3
	assert_true(direct_reclaim(YARD_GFP_NOIO, 9) >= 32);	 // no IO
	next_machine();
	cache_of(5000); // a block is there: the min watermark holds
	set_wmarks(normal(), 1, 10, 1000000);
	assert_int_equal(direct_reclaim(YARD_GFP_KERNEL, 5), 1);
}

static void D4a_a_node_is_shrunk_when_any_of_its_zones_is_not_ready(void **state)
{
	const struct yard_range memory = { BASE - 8192, BASE + 8192, 0 };
	struct yard_config config = noted_config("linux-7.3");

	(void)state;
	config.no_dma32 = false;
	config.memory = &memory;
	config.nr_memory = 1;
	build(&config);
	listen();
	as_user();
	for (uint32_t i = 0; i < 7000; i++)
		yard_force_allocated(yard, base + i, 0);
	for (uint32_t i = 0; i < 7000; i++)
		lru_page(i, FILE_PAGE, YARD_UNMAPPED);
	yard_lru_drain(yard);
	set_wmarks(normal(), 1000000, 2000000, 3000000); // DMA32 has free blocks and is ready
	set_wmarks(zone_at(yard, YARD_ZONE_DMA32), 1, 2, 3);
	forget();
	assert_true(direct_reclaim(YARD_GFP_KERNEL, 9) >= 1);
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_DIRECT), 1); // 7000 >> 12, then D-4.3 ends the loop
	set_wmarks(normal(), 1, 2, 3);
	forget();
	assert_int_equal(direct_reclaim(YARD_GFP_KERNEL, 9), 1);
	assert_int_equal(count_events(YARD_EVENT_LRU_ISOLATE), 0);
	forget();
	direct_reclaim(YARD_GFP_KERNEL, 0);
	assert_isolations("IF1 IF3 IF6 IF13 IF27"); // once a pass, not once a zone
}

static void D4a_nodemask_and_cpuset(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 } };
	struct yard_config config = noted_config("linux-7.3");
	struct alloc_context ctx;

	(void)state;
	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	listen();
	as_user();
	for (uint32_t n = 0; n < 2; n++)
		for (uint32_t i = 0; i < 100; i++) {
			yard_force_allocated(yard, base + 4096 * n + i, 0);
			lru_page(4096 * n + i, FILE_PAGE, YARD_UNMAPPED);
		}
	yard_lru_drain(yard);
	ctx = context(YARD_GFP_KERNEL, 0);
	ctx.nodemask = 2;
	try_to_free_pages(yard, &ctx, 0);
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_DIRECT), 0);
	assert_int_not_equal(yard_get_node_stat(yard, 1, YARD_NODE_PGSCAN_DIRECT), 0);
	ctx = context(YARD_GFP_HIGHUSER, 0);
	ctx.cpuset = 1;
	forget();
	try_to_free_pages(yard, &ctx, 0);
	assert_int_not_equal(node_counter(YARD_NODE_PGSCAN_DIRECT), 0);
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_LRU_SHRINK_INACTIVE)
			assert_int_equal(events[i].args[0], 0);
}

static void D6_all_per_cpu_lists_are_drained_after_reclaim(void **state)
{
	(void)state;
	machine(2048, 2048); // order 2 fits once the freed pages have left the per-CPU lists
	as_user();
	pages(0, 1600, FILE_PAGE, YARD_UNMAPPED);
	forget();
	assert_int_not_equal(request(GFP_U, 2).pfn, NONE);
	assert_int_equal(count_events(YARD_EVENT_DIRECT_RECLAIM_BEGIN), 1);
	assert_true(count_events(YARD_EVENT_PAGE_PCPU_DRAIN) >= 31);
	assert_true(last_event(YARD_EVENT_PAGE_PCPU_DRAIN) > last_event(YARD_EVENT_DIRECT_RECLAIM_END));
	assert_verified();
}

static void D7_available_is_free_and_reclaimable(void **state)
{
	(void)state;
	machine(2048, 2048);
	as_user();
	pages(0, 500, FILE_PAGE, YARD_UNMAPPED);
	pages(500, 700, ANON_PAGE, YARD_MAPPED);
	set_wmarks(normal(), 50, 60, 70);
	world.fail_every[CALL_RELEASE] = 1; // nothing ever comes of it
	world.unkillable = true;
	forget();
	assert_int_equal(request(GFP_U, 0).pfn, NONE);
	// node zone order reclaimable available min_wmark no_progress_loops wmark_check
	assert_int_equal(count_events(YARD_EVENT_RECLAIM_RETRY_ZONE), 16); // the 17th fruitless round gives up
	for (size_t i = 0, loop = 1; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_RECLAIM_RETRY_ZONE) {
			const int64_t *a = events[i].args;

			assert_int_equal(a[0], 0);
			assert_int_equal(a[1], YARD_ZONE_NORMAL);
			assert_int_equal(a[2], 0);
			assert_int_equal(a[3], 500); // W-6: no swap, so without the 200
			assert_int_equal(a[4], 500);
			assert_int_equal(a[5], 50);
			assert_int_equal(a[6], (int64_t)loop++);
			assert_int_equal(a[7], 1);
		}
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		T(C1_D4_how_direct_reclaim_begins),
		T(D4_priorities_fall_until_the_goal_is_reached),
		T(D1_inside_the_task_is_memalloc),
		T(D2_scopes_narrow_the_mask),
		T(D3_the_test),
		T(D3_with_fs_it_sleeps_until_the_test_passes),
		T(D3_without_fs_at_most_a_second),
		T(D3_who_passes),
		T(D3_killed_while_it_slept_it_returns_1_at_once),
		T(D3_a_failed_test_wakes_kswapd),
		T(D4_D5_without_progress_there_is_one_full_second_run),
		T(D5_4_skipped_active_lists_are_forced_in_a_third_run),
		T(D4_any_progress_is_returned_after_one_run),
		T(D5_1_the_refaults_are_remembered),
		T(D4_the_scanned_pages_are_those_of_the_pass),
		T(D4a_noprogress_sleepers),
		T(D4b_D5_2_ready_for_compaction_returns_1),
		T(D4a_a_node_is_shrunk_when_any_of_its_zones_is_not_ready),
		T(D4a_nodemask_and_cpuset),
		T(D6_all_per_cpu_lists_are_drained_after_reclaim),
		T(D7_available_is_free_and_reclaimable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
