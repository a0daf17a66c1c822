// SPDX-License-Identifier: Apache-2.0
//
// Spec 04 section 6: node reclaim (N-1 to N-6), and its file (P-1 to P-4), V-2, V-6, V-7.

#include "kswapd_fixture.h"

enum { SLAB = YARD_NODE_SLAB_RECLAIMABLE };

// 8192 frames, half of them in use: min_unmapped_pages 81, min_slab_pages 409.
static void start_mode(const char *policy, uint32_t mode)
{
	struct yard_config config = noted_config(policy);

	config.zone_reclaim_mode = mode;
	machine_of(config, FRAMES, USED);
	set_wmarks(normal(), 10, 20, 30);
	watch_sleep();
	ask.silent = true;
	watch(E(NODE_RECLAIM_BEGIN), E(NODE_RECLAIM_END), E(WAKEUP_KSWAPD));
}

static int64_t try(void)
{
	return node_reclaim_try(yard, 0, KERNEL, 0, NULL);
}

static void plenty_of_slab(void)
{
	yard_mod_node_stat(yard, 0, SLAB, 5000);
}

// ---- N-1, N-2 ----

static void N1_any_of_three_bits(void **state)
{
	static const struct {
		uint32_t mode;
		bool runs;
	} rows[] = { { 0, false }, { 1, true }, { 2, true }, { 4, true }, { 7, true }, { 8, false }, { 9, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		start_mode("linux-7.3", rows[i].mode);
		pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
		set_wmarks(normal(), 10, 4096, 4200);
		assert_int_not_equal(yard_alloc(yard, KERNEL, 0), NONE);
		assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)) > 0, rows[i].runs);
	}
}

static void N2_in_the_fast_path_before_kswapd(void **state)
{
	(void)state;
	start_mode("linux-7.3", 1);
	sleep_fully(0);
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	set_wmarks(normal(), 10, 4096, 4200);
	set_pcps(normal(), 1, 0, 0);
	assert_int_not_equal(yard_alloc(yard, KERNEL, 0), NONE);
	assert_steps("node_reclaim_begin(0,0,3264) node_reclaim_end(32,0,0)");
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL), 0);
}

static void N2_in_the_slow_path_too(void **state)
{
	size_t kswapd = 0, first = 0, second = 0;

	(void)state;
	start_mode("linux-7.3", 1);
	sleep_fully(0);
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	world.fail_from[CALL_RELEASE] = 1; // in vain, both times
	set_wmarks(normal(), 5000, 5000, 5000);
	assert_int_equal(yard_alloc(yard, KERNEL | YARD_GFP_NORETRY, 0), NONE);
	for (size_t i = 0; i < nr_events; i++) {
		if (events[i].kind == E(WAKEUP_KSWAPD) && !kswapd)
			kswapd = i + 1;
		if (events[i].kind == E(NODE_RECLAIM_BEGIN) && !first)
			first = i + 1;
		if (events[i].kind == E(NODE_RECLAIM_BEGIN) && kswapd)
			second = i + 1;
	}
	assert_true(first && first < kswapd && second > kswapd); // N-6e
}

static void N2_not_when_watermarks_are_ignored(void **state)
{
	(void)state;
	start_mode("linux-7.3", 1);
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	set_wmarks(normal(), 10, 20, 30);
	assert_int_not_equal(yard_alloc(yard, KERNEL | YARD_GFP_MEMALLOC, 0), NONE);
	assert_steps(""); // the mark holds
}

// Node 1 has no CPU. On both 2000 of 4096 pages are file cache, and the low mark does not hold.
static void start_distance(const char *policy, uint8_t distance, uint32_t limit)
{
	static const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 } };
	const uint8_t distances[] = { 10, distance, distance, 10 };
	struct yard_config config = noted_config(policy);

	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	config.distance = distances;
	config.node_reclaim_distance = limit;
	config.zone_reclaim_mode = 1;
	build(&config);
	listen();
	watch_sleep();
	ask.silent = true;
	for (uint32_t i = 0; i < 4000; i++) {
		const struct yard_request r = { .gfp = KERNEL | YARD_GFP_THISNODE, .node = (int16_t)(i & 1) };
		struct yard_result result;

		for (unsigned node = 0; node < 2; node++)
			set_wmarks(zone_at(yard, node * YARD_ZONE_TYPES + NORMAL), 10, 20, 30);
		assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
		assert_int_equal(yard_lru_add(yard, result.pfn, FILE_PAGE, YARD_UNMAPPED), YARD_OK);
	}
	yard_lru_drain(yard);
	yard_drain_all(yard, -1);
	for (unsigned node = 0; node < 2; node++) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + NORMAL);

		set_wmarks(zone, 10, (uint32_t)nr_free_pages(zone->id), 4096);
		set_pcps(zone, 1, 0, 0);
	}
	watch(E(NODE_RECLAIM_BEGIN), E(NODE_RECLAIM_END));
}

static void N2_distance(void **state)
{
	static const struct {
		uint8_t distance;
		uint32_t limit;
		bool runs;
	} rows[] = { { 20, 0, true }, { 30, 0, true }, { 31, 0, false }, { 32, 32, true }, { 33, 32, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		start_distance("linux-7.3", rows[i].distance, rows[i].limit);
		yard_mod_node_stat(yard, 0, YARD_NODE_FILE_DIRTY, 4096); // gate (a) of node 0
		assert_int_not_equal(yard_alloc(yard, KERNEL, 0), NONE);
		assert_steps(rows[i].runs ? "node_reclaim_begin(1,0,3264) node_reclaim_end(32,0,0)" : "");
	}
}

// ---- N-3, V-2 ----

static void N3_local_if_it_helped(void **state)
{
	(void)state;
	start_distance("linux-7.3", 20, 0);
	assert_int_equal(node_of(yard, yard_alloc(yard, KERNEL, 0)), 0);
	assert_steps("node_reclaim_begin(0,0,3264) node_reclaim_end(32,0,0)");
}

static void N3_next_zone_if_the_mark_still_fails(void **state)
{
	(void)state;
	start_distance("linux-7.3", 20, 0);
	normal()->wmark[WMARK_LOW] += 100; // 32 pages come
	set_wmarks(zone_at(yard, NODE_1 + NORMAL), 10, 20, 30);
	assert_int_equal(node_of(yard, yard_alloc(yard, KERNEL, 0)), 1);
	assert_steps("node_reclaim_begin(0,0,3264) node_reclaim_end(32,0,0)");
}

static uint32_t spare[64];

static bool refuse_but_free(void *context, uint32_t pfn, unsigned order, uint64_t shadow) // memory comes from elsewhere
{
	(void)context, (void)pfn, (void)order, (void)shadow;
	for (size_t i = 0; i < COUNT(spare); i++)
		if (spare[i]) {
			assert_int_equal(yard_free(yard, spare[i], 0), YARD_OK);
			spare[i] = 0;
		}
	return false;
}

static unsigned node_after_vain_reclaim(const char *policy)
{
	start_distance(policy, 20, 0);
	set_wmarks(normal(), 10, 20, 30);
	for (size_t i = 0; i < COUNT(spare); i++)
		spare[i] = yard_alloc(yard, KERNEL, 0);
	set_wmarks(normal(), 10, (uint32_t)nr_free_pages(NORMAL), 4096);
	set_wmarks(zone_at(yard, NODE_1 + NORMAL), 10, 20, 30);
	yard->owner.release = refuse_but_free;
	forget();
	return node_of(yard, yard_alloc(yard, KERNEL, 0));
}

static void V2_codes_and_pages(void **state)
{
	(void)state;
	assert_int_equal(node_after_vain_reclaim("linux-7.3"), 1); // nothing reclaimed: no second test
	assert_int_equal(node_after_vain_reclaim("linux-7.2"), 0);
	assert_int_equal(node_after_vain_reclaim("linux-7.3,node_reclaim_retest=always"), 0);
}

// ---- N-4 ----

static void N4_gate_unmapped_cache(void **state)
{
	static const struct {
		unsigned nr;
		bool runs;
	} rows[] = { { 81, false }, { 82, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		start_mode("linux-7.3", 1);
		pages(0, rows[i].nr, FILE_PAGE, YARD_UNMAPPED);
		assert_int_equal(try() != NODE_RECLAIM_SKIPPED, rows[i].runs);
		assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)), rows[i].runs);
	}
}

static void N4_gate_slab(void **state)
{
	(void)state;
	start_mode("linux-7.3", 1);
	yard_mod_node_stat(yard, 0, SLAB, 409);
	assert_int_equal(try(), NODE_RECLAIM_SKIPPED);
	yard_mod_node_stat(yard, 0, SLAB, 1);
	assert_int_equal(try(), 0);
	assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)), 1);
	yard_mod_node_stat(yard, 0, SLAB, -410);
	yard_mod_node_stat(yard, 0, YARD_NODE_SLAB_UNRECLAIMABLE, 4000); // does not count
	assert_int_equal(try(), NODE_RECLAIM_SKIPPED);
}

static void N4_ratios(void **state)
{
	struct yard_config config;

	(void)state;
	config = noted_config("linux-7.3");
	config.zone_reclaim_mode = 1;
	config.min_unmapped_ratio = 10; // 819
	config.min_slab_ratio = 20;	// 1638
	machine_of(config, FRAMES, USED);
	ask.silent = true;
	pages(0, 819, FILE_PAGE, YARD_UNMAPPED);
	yard_mod_node_stat(yard, 0, SLAB, 1638);
	assert_int_equal(try(), NODE_RECLAIM_SKIPPED);
	pages(819, 820, FILE_PAGE, YARD_UNMAPPED);
	assert_true(try() >= 0);
}

static void N4_reclaimable_cache(void **state)
{
	static const struct {
		uint32_t mode, flags;
		enum yard_mapping mapping;
		int64_t dirty;
		bool runs;
	} rows[] = {
		{ 1, FILE_PAGE, YARD_UNMAPPED, 0, true },
		{ 1, FILE_PAGE | ACT, YARD_UNMAPPED, 0, true }, // active_file too
		{ 1, FILE_PAGE, YARD_MAPPED, 0, false },
		{ 2, FILE_PAGE, YARD_MAPPED, 0, false },
		{ 4, FILE_PAGE, YARD_MAPPED, 0, true },
		{ 1, SHMEM_PAGE, YARD_UNMAPPED, 0, false },
		{ 4, SHMEM_PAGE, YARD_UNMAPPED, 0, true }, // NR_FILE_PAGES
		{ 7, ANON_PAGE, YARD_MAPPED, 0, false },
		{ 7, ANON_PAGE | YARD_PAGE_SWAPCACHE, YARD_MAPPED, 0, true },
		{ 1, ANON_PAGE | YARD_PAGE_SWAPCACHE, YARD_MAPPED, 0, false },
		{ 1, FILE_PAGE, YARD_UNMAPPED, 118, true }, // 200 - 118 = 82
		{ 1, FILE_PAGE, YARD_UNMAPPED, 119, false },
		{ 4, FILE_PAGE, YARD_MAPPED, 119, false },
		{ 1, FILE_PAGE, YARD_UNMAPPED, 10000, false }, // floored at 0
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		start_mode("linux-7.3", rows[i].mode);
		pages(0, 200, rows[i].flags, rows[i].mapping);
		yard_mod_node_stat(yard, 0, YARD_NODE_FILE_DIRTY, rows[i].dirty);
		if ((try() != NODE_RECLAIM_SKIPPED) != rows[i].runs)
			fail_msg("row %zu", i);
	}
}

static void N4_blocking_and_memalloc(void **state)
{
	struct yard_task task = { .pid = 3 };

	(void)state;
	start_mode("linux-7.3", 1);
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	set_wmarks(normal(), 10, 4096, 4200);
	set_pcps(normal(), 1, 0, 0);
	assert_int_not_equal(yard_alloc(yard, YARD_GFP_NOWAIT, 0), NONE); // from the slow path
	yard_set_current(yard, &task);
	task.flags = YARD_TASK_MEMALLOC;
	assert_int_not_equal(yard_alloc(yard, KERNEL | YARD_GFP_NOMEMALLOC, 0), NONE);
	assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)), 0);
	forget();
	task.flags = 0;
	set_wmarks(normal(), 10, 4096, 4200);
	assert_int_not_equal(yard_alloc(yard, KERNEL, 0), NONE);
	assert_int_equal(task.flags, 0);
	assert_steps("node_reclaim_begin(0,0,3264) node_reclaim_end(32,3,0)");
}

static void N4_other_nodes_cpus(void **state)
{
	static const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 },
						    { BASE + 8192, BASE + 12288, 2 } };
	static const uint16_t cpu_node[] = { 0, 1 }; // node 2 has none
	struct yard_config config = noted_config("linux-7.3");

	(void)state;
	config.nr_nodes = 3;
	config.nr_cpus = 2;
	config.cpu_node = cpu_node;
	config.memory = memory;
	config.nr_memory = 3;
	config.zone_reclaim_mode = 1;
	build(&config);
	for (unsigned node = 0; node < 3; node++)
		yard_mod_node_stat(yard, node, SLAB, 4000);
	listen();
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		assert_int_equal(yard_sim_set_cpu(yard, cpu), YARD_OK);
		for (int16_t node = 0; node < 3; node++) {
			const struct yard_request r = { .gfp = KERNEL | YARD_GFP_THISNODE, .node = node };
			struct yard_result result;

			set_wmarks(zone_at(yard, (unsigned)node * YARD_ZONE_TYPES + NORMAL), 10, 5000, 5000);
			forget();
			assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
			assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)) > 0, node == (int)cpu || node == 2);
		}
	}
}

static void N4_one_at_a_time(void **state)
{
	(void)state;
	start_mode("linux-7.3", 1);
	plenty_of_slab();
	yard->mm[0].flags = NODE_RECLAIM_LOCKED;
	assert_int_equal(try(), NODE_RECLAIM_SKIPPED);
	yard->mm[0].flags = 0;
	assert_int_equal(try(), 0);
	assert_int_equal(yard->mm[0].flags, 0);
}

// ---- N-5 ----

static void N5_priorities(void **state)
{
	(void)state;
	start_mode("linux-7.3", 1);
	plenty_of_slab();
	script(0);
	assert_int_equal(try(), 0);
	assert_priorities("4 3 2 1 0");
	assert_int_equal(vm(YARD_VM_ZONE_RECLAIM_FAILED), 1);
	assert_int_equal(vm(YARD_VM_ZONE_RECLAIM_SUCCESS), 0);
	assert_steps("node_reclaim_begin(0,0,3264) node_reclaim_end(0,0,0)");
}

static void N5_until_the_order_is_there(void **state)
{
	(void)state;
	start_mode("linux-7.3", 1);
	plenty_of_slab();
	script(3, 4, 1, 9); // order 3
	assert_int_equal(node_reclaim_try(yard, 0, KERNEL, 3, NULL), 8);
	assert_priorities("4 3 2");
	assert_int_equal(vm(YARD_VM_ZONE_RECLAIM_SUCCESS), 1);
	assert_int_equal(vm(YARD_VM_ZONE_RECLAIM_FAILED), 0);
	assert_steps("node_reclaim_begin(0,3,3264) node_reclaim_end(8,0,0)");
	script(3, 4);
	assert_int_equal(node_reclaim_try(yard, 0, KERNEL, 3, NULL), 7); // 7.3: pages, not success
	assert_int_equal(vm(YARD_VM_ZONE_RECLAIM_FAILED), 1);
}

static void N5_runs_as_direct_and_memalloc(void **state)
{
	struct yard_task task = { .pid = 3 };

	(void)state;
	start_mode("linux-7.3", 1);
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	yard_set_current(yard, &task);
	assert_int_equal(try(), 32);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_DIRECT), 32); // 0.7
	assert_int_equal(stat_of(YARD_NODE_PGSCAN_DIRECT), 32);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_FILE), 32);
	assert_verified();
}

static void N6_goal_and_window(void **state)
{
	(void)state;
	start_mode("linux-7.3", 1);
	pages(0, 1024, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(try(), 32); // N-6a: 1024 >> 4 = 64, but the goal stops it
	assert_isolations("IF32");
	start_mode("linux-7.3", 1);
	pages(0, 1024, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(node_reclaim_try(yard, 0, KERNEL, 6, NULL), 64); // goal 64
	assert_isolations("IF32 IF32");
	assert_int_equal(vm(YARD_VM_ZONE_RECLAIM_SUCCESS), 1);
}

// ---- N-6 ----

static void N6_mapped_pages_without_unmap(void **state)
{
	(void)state;
	start_mode("linux-7.3", 1);
	pages(0, 16, FILE_PAGE, YARD_MAPPED); // the oldest
	pages(16, 256, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(try(), 32); // priority 4: 256 >> 4 = 16, all mapped; priority 3: 32 of the others
	assert_isolations("IF16 IF32");
	assert_true(on_lru(0) && in_use(0));
	assert_int_equal(yard_lru_next(yard, 0, IF, NONE), base + 15); // at the head
	assert_true(stat_of(YARD_NODE_PGSCAN_DIRECT) >= 32); // counted as scanned
}

static void N6_dirty_anon_without_write(void **state)
{
	(void)state;
	for (uint32_t mode = 5; mode <= 7; mode += 2) {
		start_mode("linux-7.3", mode);
		ask.silent = false;
		yard_set_swap(yard, 1000, 1000);
		pages(0, 512, ANON_PAGE, YARD_MAPPED);
		plenty_of_slab();
		assert_int_equal(try() > 0, mode == 7);
		assert_int_equal(strstr(calls.chars, "write ") != NULL, mode == 7);
		assert_non_null(strstr(calls.chars, "slot ")); // both get that far
		forget();
	}
}

static void N6_file_pages_are_never_written(void **state)
{
	(void)state;
	start_mode("linux-7.3", 7);
	plenty_of_slab();
	pages(0, 512, FILE_PAGE | DIRTY, YARD_UNMAPPED);
	assert_int_equal(try(), 0);
	assert_int_equal(world.calls[CALL_WRITE_OUT], 0);
}

static void N6_multi_gen_needs_both_bits(void **state)
{
	(void)state;
	for (uint32_t mode = 1; mode <= 7; mode++) {
		start_mode("linux-7.3,lru_gen=on", mode);
		pages(0, 1024, FILE_PAGE, YARD_UNMAPPED);
		plenty_of_slab();
		script(1, 1, 1, 1, 1, 1);
		assert_int_equal(try() > 0, mode >= 6);
		assert_int_equal(story.round > 0, mode >= 6); // not even slab
	}
}

// ---- spec 05 Z9, K2: the switches ----

// Without the switch a mode that may not unmap takes clean unmapped pages of the oldest generations, and slab.
static void Z9_multi_gen_without_the_gate(void **state)
{
	(void)state;
	for (uint32_t mode = 1; mode <= 7; mode++) {
		start_mode("linux-7.3,lru_gen=on,node_reclaim_gen_strict=off", mode);
		pages(0, 1024, FILE_PAGE, YARD_UNMAPPED);
		plenty_of_slab();
		script(1, 1, 1, 1, 1, 1);
		assert_true(try() > 0);
		assert_true(story.round > 0);
	}
	start_mode("linux-7.3,lru_gen=on,node_reclaim_gen_strict=off", 1);
	pages(0, 1024, FILE_PAGE, YARD_MAPPED);
	plenty_of_slab(); // lets it run
	assert_int_equal(try(), 0);
	assert_int_equal(nr_released, 0);
}

// kswapd's run for a boost may not write either (spec 04 K-8): the switch is not about it.
static void Z9_kswapd_without_the_gate(void **state)
{
	struct scan_control sc = control();

	(void)state;
	start_mode("linux-7.3,lru_gen=on,node_reclaim_gen_strict=off", 0);
	pages(0, 1024, FILE_PAGE, YARD_UNMAPPED);
	sc.role = ROLE_KSWAPD;
	sc.priority = 4;
	sc.may_writepage = false;
	shrink_node(yard, 0, &sc);
	assert_int_equal(nr_released, 0);
	sc.role = ROLE_DIRECT;
	shrink_node(yard, 0, &sc);
	assert_true(nr_released > 0);
}

static uint32_t held[64];
static bool frees_on_wake;

static void free_on_wake(void *context, const struct yard_event *event) // as kswapd would, had it run at once
{
	record_event(context, event);
	for (size_t i = 0; i < COUNT(held) && event->kind == E(WAKEUP_KSWAPD) && frees_on_wake; i++)
		assert_int_equal(yard_free(yard, held[i], 0), YARD_OK);
}

// Mode 1, the low mark missed by 32 pages, 64 pages held; kswapd runs and sleeps.
static void start_early(const char *policy, bool frees)
{
	start_mode(policy, 1);
	yard_kswapd_run(yard, 0, true);
	sleep_fully(0);
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	set_pcps(normal(), 1, 0, 0);
	for (size_t i = 0; i < COUNT(held); i++)
		held[i] = yard_alloc(yard, KERNEL, 0);
	set_wmarks(normal(), 10, (uint32_t)nr_free_pages(NORMAL) + 31, 4200);
	frees_on_wake = frees;
	forget();
	yard_set_event_sink(yard, free_on_wake, NULL, false);
}

static void K2_wakes_kswapd_and_reclaims_all_the_same(void **state)
{
	(void)state;
	start_early("linux-7.3,node_reclaim_wake_kswapd=on", false);
	assert_int_not_equal(yard_alloc(yard, KERNEL, 0), NONE);
	assert_int_equal(count_events(E(WAKEUP_KSWAPD)), 1);
	assert_int_equal(last_event(E(WAKEUP_KSWAPD))->a, YARD_ZONE_NORMAL);
	assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)), 1);
	assert_int_equal(vm(YARD_VM_ZONE_RECLAIM_SUCCESS), 1);
}

static void K2_does_not_reclaim_if_the_mark_passes(void **state)
{
	(void)state;
	start_early("linux-7.3,node_reclaim_wake_kswapd=on", true);
	assert_int_not_equal(yard_alloc(yard, KERNEL, 0), NONE);
	assert_int_equal(count_events(E(WAKEUP_KSWAPD)), 1);
	assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)), 0);
	assert_int_equal(vm(YARD_VM_ZONE_RECLAIM_SUCCESS) + vm(YARD_VM_ZONE_RECLAIM_FAILED), 0);
	assert_int_equal(yard->mm[0].flags & NODE_RECLAIM_LOCKED, 0);
}

static void K2_not_if_the_request_may_not_wake_it(void **state)
{
	(void)state;
	start_early("linux-7.3,node_reclaim_wake_kswapd=on", true);
	assert_int_not_equal(yard_alloc(yard, KERNEL & ~(uint32_t)YARD_GFP_KSWAPD_RECLAIM, 0), NONE);
	assert_int_equal(count_events(E(WAKEUP_KSWAPD)), 0);
	assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)), 1);
}

static void K2_is_off_in_every_version(void **state)
{
	(void)state;
	start_early("linux-7.3", true);
	assert_int_not_equal(yard_alloc(yard, KERNEL, 0), NONE);
	assert_int_equal(count_events(E(WAKEUP_KSWAPD)), 0);
	assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)), 1);
}

// ---- P-1 ----

static int write_file(const char *text, uint64_t *got)
{
	return yard_node_reclaim_write(yard, 0, text, got);
}

static void P1_text(void **state)
{
	static const char *const wrong[] = { "", " ", "x", "M", "1Q", "1M swappiness=201", "1M swappiness=-1",
					     "1M swappiness=", "1M swappiness=maximum", "1M swappiness=60x",
					     "1M swap=60", "1M 60", "-1", "1M swappiness", "1MM", "1M swappiness=6 0" };
	uint64_t got = 7;

	(void)state;
	start_mode("linux-7.3", 0);
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (write_file(wrong[i], &got) != YARD_EINVAL)
			fail_msg("'%s' was taken", wrong[i]);
	assert_int_equal(yard_node_reclaim_write(yard, 0, NULL, &got), YARD_EINVAL);
	assert_int_equal(yard_node_reclaim_write(yard, 1, "1M", &got), YARD_ERANGE);
	assert_int_equal(nr_released, 0);
	got = 7;
	assert_int_equal(write_file("4095", &got), YARD_OK); // rounded down to nothing
	assert_int_equal(got, 0);
	assert_int_equal(nr_released, 0);
}

static void P1_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t pages;
	} rows[] = { { "16384", 4 }, { "20479", 4 }, { "16K", 4 }, { "16k swappiness=0", 4 }, { "1M", 256 }, { "2m\n", 512 },
		     { "0", 0 }, { "16K swappiness=200", 4 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t got;

		start_mode("linux-7.3", 0);
		plenty_of_slab();
		script(1, 1, 1, 1, 1, 1, 1, 1);
		for (unsigned r = 0; r < 32; r++)
			story.pages[r] = (rows[i].pages + 3) / 4;
		story.nr = 32;
		assert_int_equal(write_file(rows[i].text, &got), YARD_OK);
		assert_true(got >= rows[i].pages && got < rows[i].pages + (rows[i].pages + 3) / 4 + 1);
	}
}

// ---- P-2 ----

// A small node does not give the last pages: (want - got) / 4 = 0, so the round ends after priority 12.
static uint64_t write_most(const char *text, uint64_t want)
{
	uint64_t got;
	int error = write_file(text, &got);

	assert_int_equal(error, got < want ? YARD_ENOMEM : YARD_OK);
	assert_in_range(got, want - 3, want + 64);
	return got;
}

static void P2_batches(void **state)
{
	uint64_t got;

	(void)state;
	start_mode("linux-7.3", 0); // independent of the mode
	plenty_of_slab();
	// 400 / 4 = 100; 300 / 4 = 75; 225 / 4 = 56 in two priorities; 169 / 4 = 42
	script(100, 75, 20, 36, 200);
	assert_int_equal(write_file("1600K", &got), YARD_OK);
	assert_int_equal(got, 431);
	assert_priorities("12 12 12 11 12");
	assert_column(NODE_RECLAIM_END, 0, "100 75 56 200");
	assert_int_equal(vm(YARD_VM_ZONE_RECLAIM_SUCCESS) + vm(YARD_VM_ZONE_RECLAIM_FAILED), 0);
}

static void P2_sixteen_retries(void **state)
{
	uint64_t got;

	(void)state;
	start_mode("linux-7.3", 0);
	plenty_of_slab();
	script(0);
	assert_int_equal(write_file("1600K", &got), YARD_ENOMEM);
	assert_int_equal(got, 0);
	assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)), 17);
	assert_int_equal(story.round, 17 * 13); // priorities 12 to 0
	start_mode("linux-7.3", 0);
	plenty_of_slab();
	script(100); // progress gives no retry back
	assert_int_equal(write_file("1600K", &got), YARD_ENOMEM);
	assert_int_equal(got, 100);
	assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)), 18);
}

static void P2_last_retry_drains_all_cpus(void **state)
{
	struct yard_config config = noted_config("linux-7.3");
	uint64_t got;

	(void)state;
	config.nr_cpus = 2;
	machine_of(config, FRAMES, USED);
	watch_sleep();
	ask.silent = true;
	plenty_of_slab();
	assert_int_equal(yard_sim_set_cpu(yard, 1), YARD_OK);
	for (uint32_t i = 0; i < 10; i++)
		lru_page(i, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(yard_sim_set_cpu(yard, 0), YARD_OK);
	assert_int_equal(size_of(IF), 0);
	assert_int_equal(write_file("256K", &got), YARD_ENOMEM);
	assert_int_equal(got, 10);
}

static void P2_busy_and_signals(void **state)
{
	struct yard_task task = { .pid = 3, .flags = YARD_TASK_SIGNAL };
	uint64_t got;

	(void)state;
	start_mode("linux-7.3", 0);
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	yard->mm[0].flags = NODE_RECLAIM_LOCKED;
	assert_int_equal(write_file("16K", &got), YARD_EBUSY);
	yard->mm[0].flags = 0;
	yard_set_current(yard, &task);
	assert_int_equal(write_file("16K", &got), YARD_EBUSY);
	assert_int_equal(got, 0);
	assert_steps("");
	assert_int_equal(nr_released, 0);
}

static void P2_gate_of_cache_and_slab(void **state)
{
	uint64_t got;

	(void)state;
	start_mode("linux-7.3", 7);
	yard_set_swap(yard, 4000, 4000);
	pages(0, 2000, ANON_PAGE, YARD_MAPPED);
	pages(2000, 2081, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(write_file("1M swappiness=max", &got), YARD_ENOMEM);
	assert_int_equal(got, 0);
	assert_int_equal(nr_released, 0);
	pages(2081, 2082, FILE_PAGE, YARD_UNMAPPED);
	got = write_most("1M swappiness=max", 256);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_FILE), 0); // P-3: own swappiness, anon only
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_PROACTIVE), got);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_DIRECT), 0);
	assert_true(stat_of(YARD_NODE_PGSCAN_PROACTIVE) >= (int64_t)got);
}

static void P3_swappiness_0_is_file_only(void **state)
{
	uint64_t got;

	(void)state;
	start_mode("linux-7.3", 0);
	yard_set_swap(yard, 4000, 4000);
	pages(0, 1000, ANON_PAGE, YARD_MAPPED);
	pages(1000, 2000, FILE_PAGE, YARD_UNMAPPED);
	got = write_most("1M swappiness=0", 256);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_FILE), got);
	assert_int_equal(isolated_from(IA), 0);
}

// ---- V-6, V-7 ----

static void V6_anon_only_without_swap(void **state)
{
	uint64_t got;

	(void)state;
	start_mode("linux-7.3", 0);
	pages(0, 2000, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(write_file("1M swappiness=max", &got), YARD_ENOMEM);
	assert_int_equal(got, 0);
	start_mode("linux-7.2", 0);
	pages(0, 2000, FILE_PAGE, YARD_UNMAPPED);
	write_file("1M swappiness=max", &got);
	assert_true(got > 0); // fell to file
}

static void start_movable(const char *policy)
{
	static const struct yard_range memory[] = { { BASE, BASE + 8192, 0 } };
	static const uint32_t movable_start[] = { BASE + 4096 };
	struct yard_config config = noted_config(policy);

	config.memory = memory;
	config.nr_memory = 1;
	config.movable_start = movable_start;
	build(&config);
	listen();
	watch_sleep();
	ask.silent = true;
	for (uint32_t i = 0; i < 3000; i++) {
		uint32_t pfn = yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE, 0);

		assert_int_equal(yard_zone_of(yard, pfn), YARD_ZONE_MOVABLE);
		assert_int_equal(yard_lru_add(yard, pfn, FILE_PAGE, YARD_UNMAPPED), YARD_OK);
	}
	yard_lru_drain(yard);
	forget();
}

static void V7_zones_of_the_file(void **state)
{
	uint64_t got;

	(void)state;
	start_movable("linux-7.3");
	write_most("1M", 256);
	assert_int_equal(arg_of(E(LRU_ISOLATE), 0), YARD_ZONE_TYPES - 1);
	start_movable("linux-7.2");
	assert_int_equal(write_file("1M", &got), YARD_ENOMEM); // not in zone MOVABLE
	assert_int_equal(got, 0);
}

static void V7_errors_of_the_file(void **state)
{
	struct yard_task task = { .pid = 3, .flags = YARD_TASK_SIGNAL };

	(void)state;
	start_mode("linux-7.2", 0);
	yard->mm[0].flags = NODE_RECLAIM_LOCKED;
	assert_int_equal(write_file("16K", NULL), YARD_ENOMEM); // EAGAIN, whatever it was
	yard->mm[0].flags = 0;
	yard_set_current(yard, &task);
	assert_int_equal(write_file("16K", NULL), YARD_ENOMEM);
}

static void P4_watermarks_stay(void **state)
{
	struct yard_zone_state before, after;
	uint64_t got;

	(void)state;
	start_mode("linux-7.3", 0);
	set_pcps(normal(), 63, 4096, 4096);
	pages(0, 2000, FILE_PAGE, YARD_UNMAPPED);
	before = zone_state(NORMAL);
	got = write_most("1M", 256);
	after = zone_state(NORMAL);
	assert_memory_equal(before.wmark, after.wmark, sizeof before.wmark);
	assert_int_equal(after.flags, before.flags);
	assert_int_equal(after.stat[YARD_NR_FREE_PAGES], before.stat[YARD_NR_FREE_PAGES]); // on the per-CPU lists (C-11)
	assert_int_equal(pcp_state(NORMAL, 0).count, got);
	assert_verified();
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(N1_any_of_three_bits), TEST(N2_in_the_fast_path_before_kswapd), TEST(N2_in_the_slow_path_too),
		TEST(N2_not_when_watermarks_are_ignored), TEST(N2_distance), TEST(N3_local_if_it_helped),
		TEST(N3_next_zone_if_the_mark_still_fails), TEST(V2_codes_and_pages), TEST(N4_gate_unmapped_cache),
		TEST(N4_gate_slab), TEST(N4_ratios), TEST(N4_reclaimable_cache), TEST(N4_blocking_and_memalloc),
		TEST(N4_other_nodes_cpus), TEST(N4_one_at_a_time), TEST(N5_priorities),
		TEST(N5_until_the_order_is_there), TEST(N5_runs_as_direct_and_memalloc), TEST(N6_goal_and_window),
		TEST(N6_mapped_pages_without_unmap), TEST(N6_dirty_anon_without_write),
		TEST(N6_file_pages_are_never_written), TEST(N6_multi_gen_needs_both_bits),
		TEST(Z9_multi_gen_without_the_gate), TEST(Z9_kswapd_without_the_gate),
		TEST(K2_wakes_kswapd_and_reclaims_all_the_same), TEST(K2_does_not_reclaim_if_the_mark_passes),
		TEST(K2_not_if_the_request_may_not_wake_it), TEST(K2_is_off_in_every_version), TEST(P1_text),
		TEST(P1_sizes), TEST(P2_batches), TEST(P2_sixteen_retries), TEST(P2_last_retry_drains_all_cpus),
		TEST(P2_busy_and_signals), TEST(P2_gate_of_cache_and_slab), TEST(P3_swappiness_0_is_file_only),
		TEST(V6_anon_only_without_swap), TEST(V7_zones_of_the_file), TEST(V7_errors_of_the_file),
		TEST(P4_watermarks_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
