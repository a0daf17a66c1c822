// SPDX-License-Identifier: Apache-2.0
//
// Reclaim for orders above 0, boosted reclaim and the storms (spec 04 section 10, X-9, X-10).

#include "reclaim_fixture.h"

static struct yard_config defragging(const char *policy) // NOFRAGMENT is possible (spec 01 A1)
{
	struct yard_config config = noted_config(policy);

	config.no_dma32 = false;
	return config;
}

static void O3_promotion_by_policy(void **state)
{
	static const struct { const char *policy; uint32_t gfp; unsigned order, promoted; } rows[] = {
		{ "linux-7.3,defrag_mode=1", GFP_U, 0, 9 }, { "linux-7.3,defrag_mode=1", GFP_R, 3, 9 },
		{ "linux-7.3,defrag_mode=1", GFP_U, 10, 10 }, { "linux-7.3,defrag_mode=1", GFP_M, 0, 0 },
		{ "linux-7.3,defrag_mode=1", GFP_M, 4, 4 }, { "linux-7.3", GFP_U, 0, 0 }, { "vanilla", GFP_U, 2, 2 },
		{ "defrag-6.15", GFP_U, 0, 0 }, { "defrag-6.16", GFP_U, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		machine_of(defragging(rows[i].policy), 1024, 1);
		if (yard_peek_reclaim_order(yard, rows[i].gfp, rows[i].order) != rows[i].promoted)
			fail_msg("%s, mask %#x, order %u: %u", rows[i].policy, rows[i].gfp, rows[i].order,
				 yard_peek_reclaim_order(yard, rows[i].gfp, rows[i].order));
		next_machine();
	}
}

static void O8_requests_that_cannot_reclaim_never_do(void **state)
{
	static const uint32_t gfps[] = { YARD_GFP_ATOMIC, YARD_GFP_NOWAIT, YARD_GFP_TRANSHUGE_LIGHT };

	(void)state;
	for (size_t i = 0; i < COUNT(gfps); i++) {
		machine_of(defragging("linux-7.3,defrag_mode=1"), 1024, 1024);
		as_user();
		pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
		set_wmarks(normal(), 10, 20, 30);
		forget();
		assert_int_equal(request(gfps[i], 0).pfn, NONE);
		assert_int_equal(count_events(YARD_EVENT_DIRECT_RECLAIM_BEGIN), 0);
		next_machine();
	}
}

static void O9_costly_requests(void **state)
{
	static const struct { uint32_t gfp; size_t least, most; } rows[] = {
		{ GFP_M | YARD_GFP_NORETRY | YARD_GFP_THISNODE, 0, 0 },
		{ GFP_M | YARD_GFP_NORETRY, 1, 1 },
		{ GFP_M, 1, 1 },
		{ GFP_M | YARD_GFP_RETRY_MAYFAIL, 17, 17 }, // D-7: the 17th round without progress is the last
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		machine(4096, 4096 - BLOCK); // a block is there, but below the watermark
		as_user();
		pages(0, 3500, FILE_PAGE, YARD_UNMAPPED);
		set_wmarks(normal(), 1000, 1100, 1200);
		world.fail_every[CALL_RELEASE] = 1;
		forget();
		assert_int_equal(request(rows[i].gfp, 9).pfn, NONE);
		assert_in_range(count_events(YARD_EVENT_DIRECT_RECLAIM_BEGIN), rows[i].least, rows[i].most);
		next_machine();
	}
}

static void kcompactd_sleeps(void)
{
	struct yard_wait wait = { .kind = YARD_WAIT_NONE };

	for (unsigned i = 0; wait.kind == YARD_WAIT_NONE && i < 100; i++)
		yard_kcompactd_step(yard, 0, false, &wait);
	assert_int_equal(wait.kind, YARD_WAIT_QUEUE);
}

static void kswapd_until_it_sleeps(void)
{
	struct yard_wait wait = { .kind = YARD_WAIT_NONE };
	bool woken = true;

	for (unsigned i = 0; i < 1000; i++, woken = false) {
		yard_kswapd_step(yard, 0, woken, &wait);
		if (wait.kind == YARD_WAIT_QUEUE)
			return;
	}
	fail_msg("%s", "kswapd does not sleep");
}

static void O10_boosted_reclaim_takes_clean_cache_only(void **state)
{
	(void)state;
	blank_config(noted_config("linux-7.3"), 16384);
	give_used(0, 14000, false);
	for (uint32_t i = 14000; i < 16384; i += 2) {
		give_free(i, 0);
		give_used(i + 1, i + 2, false);
	}
	ready();
	set_pcps(normal(), 63, 4096, 4096);
	listen();
	as_user();
	yard_set_swap(yard, 1000, 1000);
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
	pages(1, 2, FILE_PAGE | DIRTY, YARD_MAPPED);
	pages(2, 9000, FILE_PAGE, YARD_MAPPED);
	pages(9000, 14000, ANON_PAGE, YARD_MAPPED);
	yard_set_current(yard, NULL);
	kcompactd_sleeps();
	kswapd_until_it_sleeps();
	normal()->boost = 3;
	forget();
	wakeup_kswapd(yard, normal(), 0, 0, YARD_ZONE_NORMAL);
	kswapd_until_it_sleeps();
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_FILE), 1 + 4); // at priority 12 one of two is dirty
	assert_false(in_use(0));
	assert_true(in_use(1));
	assert_int_equal(node_counter(YARD_NODE_VMSCAN_WRITE), 0);
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_ANON), 0);
	assert_int_equal(vm(YARD_VM_PSWPOUT), 0);
	assert_true(arg_of(YARD_EVENT_LRU_SHRINK_INACTIVE, 11) >= 10);
	assert_int_equal(normal()->boost, 0);
	assert_events(KIND(WAKEUP_KCOMPACTD), "kcompactd(9,2)");
	assert_verified();
}

static void X9_targets_of_the_storm(void **state)
{
	struct scan_control sc = control();
	uint64_t nr[YARD_LRU_UNEVICTABLE];

	(void)state;
	machine_of(noted_config("defrag-6.16"), 8192, 1);
	yard_set_swap(yard, 1 << 24, 1 << 24);
	pretend_lists(4000000, 4000000, 4000000, 4000000);
	prepare_scan(yard, 0, &sc);
	assert_int_equal(inactive_ratio(8000000), 17);
	assert_false(sc.may_deactivate[ANON] || sc.may_deactivate[FILE_LRU]);
	assert_true(sc.cache_trim_mode);
	scan_targets(yard, 0, &sc, nr);
	assert_int_equal(nr[IA] + nr[AA], 0);
	assert_int_equal(nr[IF], 976);
	assert_int_equal(nr[AF], 976);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_FILE, 1); // the first activated refault
	sc = control();
	prepare_scan(yard, 0, &sc);
	assert_true(sc.may_deactivate[FILE_LRU]);
	scan_targets(yard, 0, &sc, nr);
	assert_int_equal(nr[IA], 292);
	assert_int_equal(nr[AA], 292);
	assert_int_equal(nr[IF], 683);
	assert_int_equal(nr[AF], 683);
	pretend_lists(0, 0, 0, 0);
}

static void X9_O5_an_attempt_frees_the_whole_window(void **state)
{
	(void)state;
	machine_of(noted_config("defrag-6.16"), 1 << 20, 900000);
	as_user();
	yard_set_swap(yard, 1 << 20, 1 << 20);
	pages(0, 409600, FILE_PAGE, YARD_UNMAPPED);
	pages(409600, 500000, ANON_PAGE, YARD_MAPPED);
	forget();
	assert_int_equal(direct_reclaim(GFP_U, 0), 100); // goal 32
	assert_int_equal(vm(YARD_VM_PSWPOUT), 0);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_FILE, 1);
	assert_int_equal(direct_reclaim(GFP_U, 0), 6 + 69); // (90400 >> 12) * 60 / 200, (409500 >> 12) * 140 / 200
	assert_int_equal(vm(YARD_VM_PSWPOUT), 6);    // that is where the swapping starts
}

// A tenth of the example's machine.
static void X10_O11_readahead_pump(void **state)
{
	enum { FILES = 300000, ACTIVE = 50000, ANONS = 20000, USED = 370688, FREE = 400384 };

	(void)state;
	blank_config(noted_config("linux-7.3"), USED + 2 * FREE);
	give_used(0, USED, false);
	for (uint32_t at = USED; at < USED + 2 * FREE; at += 64) { // no block of order 8, many of order 5
		give_free(at, 5);
		give_used(at + 32, at + 64, false);
	}
	ready();
	set_wmarks(normal(), 1000, 2000, 3000);
	set_pcps(normal(), 63, 4096, 4096);
	listen();
	as_user();
	pages(0, FILES, FILE_PAGE, YARD_UNMAPPED);
	pages(FILES, FILES + ACTIVE, FILE_PAGE | ACT, YARD_UNMAPPED);
	pages(FILES + ACTIVE, FILES + ACTIVE + ANONS, ANON_PAGE, YARD_MAPPED);
	yard_set_current(yard, NULL);
	kcompactd_sleeps();
	kswapd_until_it_sleeps();
	for (unsigned wake = 0; wake < 3; wake++) {
		forget();
		wakeup_kswapd(yard, normal(), YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_NORETRY, 8, YARD_ZONE_MOVABLE);
		kswapd_until_it_sleeps();
		assert_int_equal(count_events(YARD_EVENT_BALANCE_PGDAT_END), 1);
		assert_args(KSWAPD_WAKE, "0 3 8");
		assert_isolations("IF32 IF32 IF9"); // one round of 300000 >> 12
		assert_int_equal(arg_of(YARD_EVENT_BALANCE_PGDAT_END, 1), 0); // the order was dropped
		assert_int_equal(arg_of(YARD_EVENT_BALANCE_PGDAT_END, 3), 73);
		assert_int_equal(size_of(AF), ACTIVE);
		assert_events(KIND(WAKEUP_KCOMPACTD), wake ? "" : "kcompactd(8,3)"); // it has not run meanwhile
	}
	assert_int_equal(vm(YARD_VM_PAGEOUTRUN), 3);
}

static void X10_targets_at_full_size(void **state)
{
	struct scan_control sc = kswapd_control();
	uint64_t nr[YARD_LRU_UNEVICTABLE];

	(void)state;
	machine(8192, 1);
	pretend_lists(100000, 100000, 3000000, 500000);
	prepare_scan(yard, 0, &sc);
	assert_int_equal(inactive_ratio(3500000), 11);
	assert_false(sc.may_deactivate[FILE_LRU]);
	scan_targets(yard, 0, &sc, nr);
	assert_int_equal(nr[IA] + nr[AA], 0);
	assert_int_equal(nr[IF], 732);
	assert_int_equal(nr[AF], 122);
	pretend_lists(0, 0, 0, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		T(O3_promotion_by_policy),
		T(O8_requests_that_cannot_reclaim_never_do),
		T(O9_costly_requests),
		T(O10_boosted_reclaim_takes_clean_cache_only),
		T(X9_targets_of_the_storm),
		T(X9_O5_an_attempt_frees_the_whole_window),
		T(X10_O11_readahead_pump),
		T(X10_targets_at_full_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
