// SPDX-License-Identifier: Apache-2.0
//
// Spec 02 sections 1 and 2 but for the OOM path: what a request tries, in which order, and when it gives up; the golden
// traces of 2.8. test_slowpath.c has what needs neither reclaim nor compaction.

#include "spec02_fixture.h"

enum { MADVISED = YARD_GFP_TRANSHUGE, STEP1 = YARD_GFP_TRANSHUGE | YARD_GFP_THISNODE | YARD_GFP_NORETRY };

// ---- 1.1 ----

static void E1_composite_masks(void **state)
{
	const uint32_t both = YARD_GFP_DIRECT_RECLAIM | YARD_GFP_KSWAPD_RECLAIM;

	(void)state;
	assert_int_equal(YARD_GFP_ATOMIC, YARD_GFP_HIGH | YARD_GFP_KSWAPD_RECLAIM);
	assert_int_equal(YARD_GFP_NOWAIT, YARD_GFP_KSWAPD_RECLAIM | YARD_GFP_NOWARN);
	assert_int_equal(YARD_GFP_NOIO, both);
	assert_int_equal(YARD_GFP_NOFS, both | YARD_GFP_IO);
	assert_int_equal(YARD_GFP_KERNEL, both | YARD_GFP_IO | YARD_GFP_FS);
	assert_int_equal(YARD_GFP_USER, YARD_GFP_KERNEL | YARD_GFP_HARDWALL);
	assert_int_equal(YARD_GFP_HIGHUSER, YARD_GFP_USER | YARD_GFP_HIGHMEM);
	assert_int_equal(YARD_GFP_HIGHUSER_MOVABLE, YARD_GFP_HIGHUSER | YARD_GFP_MOVABLE);
	assert_int_equal(YARD_GFP_TRANSHUGE_LIGHT, (YARD_GFP_HIGHUSER_MOVABLE & ~both) | YARD_GFP_COMP | YARD_GFP_NOMEMALLOC
						   | YARD_GFP_NOWARN);
	assert_int_equal(YARD_GFP_TRANSHUGE, YARD_GFP_TRANSHUGE_LIGHT | YARD_GFP_DIRECT_RECLAIM);
}

// The masks of all calls, one event each (E-8).
static void check_masks(size_t nr, const uint32_t *masks)
{
	size_t n = 0;

	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_PAGE_ALLOC) {
			assert_in_range(n, 0, nr - 1);
			assert_int_equal((uint32_t)events[i].a, masks[n++]);
		}
	assert_int_equal(n, nr);
	forget_events();
}

static void E2_huge_pages_in_two_steps(void **state)
{
	struct yard_request r = { .gfp = MADVISED, .order = 9, .node = 0 };
	const uint32_t first = MADVISED | YARD_GFP_THISNODE | YARD_GFP_NORETRY;
	struct yard_result result;

	(void)state;
	build_barren(defrag);
	assert_int_equal(yard_alloc_huge(yard, &r, &result), YARD_ENOMEM);
	check_masks(2, (const uint32_t[]){ first, MADVISED });
	r.gfp = YARD_GFP_TRANSHUGE_LIGHT | YARD_GFP_KSWAPD_RECLAIM; // without DIRECT_RECLAIM: no second step
	assert_int_equal(yard_alloc_huge(yard, &r, &result), YARD_ENOMEM);
	check_masks(1, (const uint32_t[]){ r.gfp | YARD_GFP_THISNODE | YARD_GFP_NORETRY });
	r.gfp = MADVISED;
	r.nodemask = 1;
	assert_int_equal(yard_alloc_huge(yard, &r, &result), YARD_ENOMEM);
	check_masks(2, (const uint32_t[]){ first, MADVISED });
	r.nodemask = 2; // the preferred node is not in it
	assert_int_equal(yard_alloc_huge(yard, &r, &result), YARD_ENOMEM);
	check_masks(1, (const uint32_t[]){ MADVISED });
}

static void E3_order_bound(void **state)
{
	(void)state;
	build_normal(owned_config(defrag), 8192);
	listen();
	assert_int_equal(yard_alloc(yard, GFP_U, YARD_MAX_PAGE_ORDER + 1), NONE);
	assert_int_equal(yard_alloc(yard, GFP_U | YARD_GFP_NOFAIL, YARD_MAX_PAGE_ORDER + 1), NONE);
	assert_int_equal(nr_free_pages(NORMAL), 8192);
	assert_int_not_equal(yard_alloc(yard, GFP_U, YARD_MAX_PAGE_ORDER), NONE);
}

static void E4_scopes(void **state)
{
	static const struct { unsigned task; uint32_t cleared; } cases[] = {
		{ YARD_TASK_NOIO, YARD_GFP_IO | YARD_GFP_FS }, { YARD_TASK_NOFS, YARD_GFP_FS },
		{ YARD_TASK_PIN, YARD_GFP_MOVABLE },
		{ YARD_TASK_NOIO | YARD_TASK_NOFS, YARD_GFP_IO | YARD_GFP_FS },
		{ YARD_TASK_NOFS | YARD_TASK_PIN, YARD_GFP_FS | YARD_GFP_MOVABLE },
	};
	struct yard_task task = { .pid = 1 };

	(void)state;
	build_normal(owned_config(defrag), 8192);
	listen();
	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint32_t masks[] = { GFP_M & ~cases[i].cleared };

		ask(GFP_M, 0, cases[i].task, 0); // told by the request...
		check_masks(1, masks);
		task.flags = cases[i].task; // ... or by the task
		yard_set_current(yard, &task);
		ask(GFP_M, 0, 0, 0);
		yard_set_current(yard, NULL);
		check_masks(1, masks);
	}
}

// ---- 1.2 ----

static void build_two_nodes(const char *policy, bool move)
{
	static const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 } };
	struct yard_config config = owned_config(policy);

	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	if (!move)
		config.owner = (struct yard_owner_ops){ 0 };
	build(&config);
	listen();
}

static void E5_cpusets_on_the_fast_path(void **state)
{
	struct yard_request r = { .gfp = GFP_U, .node = 0, .cpuset = 2 };
	struct yard_result result;

	(void)state;
	build_two_nodes("vanilla", false);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK); // the cpuset's nodes are the nodemask
	assert_int_equal(result.zone, YARD_ZONE_TYPES + NORMAL);
	want("A801");
	assert_trace(T_ATTEMPTS);
	r.nodemask = 3; // the caller's own: CPUSET, with HARDWALL, keeps it from node 0
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_int_equal(result.zone, YARD_ZONE_TYPES + NORMAL);
	want("A841");
	assert_trace(T_ATTEMPTS);
	r.nodemask = 0;
	r.task = YARD_TASK_INTERRUPT;
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK); // an interrupt may take from anywhere
	assert_int_equal(result.zone, NORMAL);
	want("A841");
	assert_trace(T_ATTEMPTS);
}

static void E5_thisnode_has_no_fallback_list(void **state)
{
	struct yard_request r = { .gfp = GFP_U | YARD_GFP_THISNODE | YARD_GFP_NOWARN, .order = 10, .node = 1 };
	struct yard_result result;

	(void)state;
	build_two_nodes("vanilla", false);
	while (yard_alloc_request(yard, &r, &result) == YARD_OK)
		assert_int_equal(result.zone, YARD_ZONE_TYPES + NORMAL);
	assert_int_equal(nr_free_pages(NORMAL), 4096);
}

static void E6_fast_flags(void **state)
{
	static const struct { const char *policy; uint32_t gfp; unsigned order; const char *attempt; } cases[] = {
		{ "linux-7.3", GFP_U, 0, "A901" },
		{ "linux-7.3", GFP_M, 0, "A981" },
		{ "linux-7.3", YARD_GFP_ATOMIC, 0, "A901" }, // order 0
		{ "linux-7.3", YARD_GFP_ATOMIC, 1, "Ab01" },
		{ "linux-7.3", YARD_GFP_ATOMIC | YARD_GFP_NOMEMALLOC, 1, "A901" },
		{ "linux-7.3", YARD_GFP_ATOMIC | YARD_GFP_DIRECT_RECLAIM, 1, "A901" },
		{ "linux-7.3", YARD_GFP_NOWAIT, 1, "A901" }, // not HIGH
		{ "linux-7.3", YARD_GFP_HIGH, 1, "A301" },
		{ "linux-7.2", YARD_GFP_ATOMIC, 1, "A901" },
		{ "linux-7.3,fastpath_highatomic=off", YARD_GFP_ATOMIC, 1, "A901" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		build_normal(owned_config(cases[i].policy), 8192);
		listen();
		assert_int_not_equal(ask(cases[i].gfp, cases[i].order, 0, 0).pfn, NONE);
		want("%s", cases[i].attempt);
		assert_trace(T_ATTEMPTS);
	}
}

static void E7_a_machine_without_the_bit(void **state)
{
	struct yard_config config = owned_config(defrag);

	(void)state;
	config.no_dma32 = true;
	build_pile_of(config, ONE_PINNED);
	assert_int_not_equal(ask(GFP_U, 0, 0, 0).pfn, NONE); // falls back at once
	want("A801");
	assert_trace(T_ATTEMPTS | T_RECLAIM);
}

// E-8: a request that the slow path cannot serve either ends with one event, like one that was served at once.
static void E8_one_event_a_call(void **state)
{
	(void)state;
	build_barren(defrag);
	assert_int_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 1);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->pfn, NONE);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->a, GFP_U);
}

// E-11, E-13: how far each class of request may go below a mark; the test is "greater than".
static void E11_effective_minimum(void **state)
{
	static const struct { unsigned flags; uint64_t mark, least; } cases[] = {
		{ 0, 1000, 1001 },
		{ ALLOC_NON_BLOCK, 1000, 1001 },
		{ ALLOC_MIN_RESERVE, 1000, 501 },
		{ ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK, 1000, 376 },
		{ ALLOC_OOM, 1000, 501 },
		{ ALLOC_OOM | ALLOC_MIN_RESERVE, 1000, 251 },
		{ ALLOC_MIN_RESERVE, 1001, 502 },			 // 1001 - 500
		{ ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK, 1001, 377 },	 // 501 - 125
		{ ALLOC_OOM | ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK, 1001, 189 }, // 376 - 188
		{ ALLOC_HIGHATOMIC, 1000, 1001 },
	};

	(void)state;
	build_normal(plain_config(), 8192);
	for (size_t i = 0; i < COUNT(cases); i++)
		for (unsigned enough = 0; enough < 2; enough++)
			assert_int_equal(watermark_ok(yard, normal(), 0, cases[i].mark, NORMAL, cases[i].flags,
						      (int64_t)cases[i].least - 1 + enough), enough);
}

// E-12: NON_BLOCK alone may count the free pages of HIGHATOMIC blocks, although it lowers no mark.
static void E12_unusable_pages(void **state)
{
	(void)state;
	blank(8192);
	give_type(0, H);
	give_free_range(0, 100);
	give_used(100, 512, false);
	give_type(512, C);
	give_free_range(512, 512 + 200);
	give_used(712, 1024, false);
	give_free_range(1024, 1024 + 300);
	give_used(1324, 8192, false);
	ready();
#define PASSES(mark, order, flags) watermark_ok(yard, normal(), order, mark, NORMAL, flags, 600)
	assert_true(PASSES(299, 0, 0));
	assert_false(PASSES(300, 0, 0));
	assert_true(PASSES(399, 0, ALLOC_NON_BLOCK));
	assert_false(PASSES(400, 0, ALLOC_NON_BLOCK));
	assert_true(PASSES(499, 0, ALLOC_CMA));
	assert_false(PASSES(500, 0, ALLOC_CMA));
	assert_true(PASSES(599, 0, ALLOC_CMA | ALLOC_NON_BLOCK));
	assert_true(PASSES(292, 3, 0)); // 2^3 - 1
	assert_false(PASSES(292 + 1, 3, 0));
	assert_false(PASSES(0, 9, 0)); // E-13: no block of the order
#undef PASSES
}

// ---- 1.4: each class until it fails; nothing is free, nothing can be got ----

static void table_1_4(const char *policy, uint32_t gfp, unsigned order, unsigned task, const char *expected)
{
	build_barren(policy);
	assert_int_equal(ask(gfp, order, task, 100).pfn, NONE);
	want("%s", expected);
	assert_trace(T_WORK);
	assert_int_equal(world.kills, 0);
}

static void T14_atomic(void **state)
{
	(void)state;
	table_1_4(defrag, YARD_GFP_ATOMIC, 0, 0, "A901 A930 A930 A830 fail1");
	table_1_4("linux-7.3,defrag_mode=1,nofrag_drop_nonreclaim=off", YARD_GFP_ATOMIC, 0, 0, "A901 A930 A930 fail1");
	table_1_4("defrag-6.16", YARD_GFP_ATOMIC, 0, 0, "A901 A930 A930 fail1"); // 2.9: one before the loop, one in it
	table_1_4("vanilla", YARD_GFP_ATOMIC, 0, 0, "A901 again A830 A830 fail1"); // E-9: the fast attempt walks twice
}

static void T14_nowait(void **state)
{
	(void)state;
	table_1_4(defrag, YARD_GFP_NOWAIT, 0, 0, "A901 A950 A850 fail0");
}

static void T14_huge(void **state)
{
	(void)state;
	table_1_4(defrag, YARD_GFP_TRANSHUGE_LIGHT, 9, 0, "A181 A1c0 fail0");
	table_1_4(defrag, STEP1, 9, 0, "A181 A1c0 compact9,2 fail0");
	table_1_4(defrag, MADVISED, 9, 0, "A181 A1c0 compact9,2 A1c0 reclaim9 =0 compact9,1 fail0");
	table_1_4(defrag, MADVISED | YARD_GFP_THISNODE, 9, 0, "A181 A1c0 compact9,2 A1c0 reclaim9 =0 compact9,1 fail0");
	table_1_4(defrag, MADVISED | YARD_GFP_NORETRY, 9, 0, "A181 A1c0 compact9,2 A1c0 reclaim9 =0 compact9,2 fail0");
}

static void T14_kernel(void **state)
{
	(void)state;
	table_1_4(defrag, GFP_U, 0, 0, "A901 A940 reclaim9 =0 compact9,1 A840 reclaim0 =0 A42 fail1");
	table_1_4(defrag, GFP_R, 0, 0, "A901 A940 reclaim9 =0 compact9,1 A840 reclaim0 =0 A42 fail1");
	table_1_4(defrag, GFP_M, 0, 0, "A981 A9c0 reclaim0 =0 A8c0 reclaim0 =0 A42 fail1");
	table_1_4("vanilla", GFP_U, 0, 0, "A901 again A840 reclaim0 =0 A42 fail1");
}

static void T14_pf_memalloc(void **state)
{
	(void)state;
	table_1_4(defrag, GFP_U, 0, YARD_TASK_MEMALLOC, "A901 A940 A804 fail1");
}

// SP-59: the killer found nobody, which NOFAIL takes for progress; SP-60 is for those who may not kill.
static void T14_nofail(void **state)
{
	(void)state;
	build_barren(defrag);
	assert_true(ask(GFP_U | YARD_GFP_NOFAIL, 0, 0, 4).gave_up);
	want("A901 A940 reclaim9 =0 compact9,1");
	for (unsigned round = 2; round <= 4; round++)
		want("A840 reclaim0 =0 A42 A44 A4");
	assert_trace(T_WORK);
	build_barren(defrag);
	assert_true(ask(GFP_U | YARD_GFP_NOFAIL | YARD_GFP_NORETRY, 0, 0, 3).gave_up);
	want("A901");
	for (unsigned round = 1; round <= 3; round++)
		want("A940 reclaim9 =0 compact9,1 A60 A20");
	assert_trace(T_WORK);
}

// SP-1, SP-60: without DIRECT_RECLAIM, NOFAIL is worth nothing.
static void SP1_nofail_without_reclaim(void **state)
{
	(void)state;
	table_1_4(defrag, YARD_GFP_ATOMIC | YARD_GFP_NOFAIL, 0, 0, "A901 A930 A930 A830 fail1");
}

// 1.4: a movable request gives up NOFRAGMENT after 17 rounds without progress, and goes on without a new budget.
static void T14_movable_until_the_drop(void **state)
{
	(void)state;
	build_pieces(defrag);
	for (uint32_t offset = 0; offset < 8192; offset += BLOCK)
		set_pageblock_type(yard, base + offset, U);
	assert_int_equal(type_at(0), U);
	move_pageblock_free(yard, normal(), base, U);
	want("A981");
	for (unsigned round = 1; round <= 17; round++)
		want("A9c0 reclaim0 =0");
	want("A8c0");
	assert_int_not_equal(ask(GFP_M, 0, 0, 0).pfn, NONE);
	assert_trace(T_WORK);
	assert_int_equal(pollutions(), 0); // forgotten with the trace
}

// ---- 2.2 ----

static void states_of(uint32_t gfp, unsigned order, unsigned task, uint64_t max_rounds, const char *expected)
{
	ask(gfp, order, task, max_rounds);
	if (*expected)
		want("%s", expected);
	assert_trace(T_STATES);
}

static void T22_states(void **state)
{
	(void)state;
	build_barren(defrag);
	states_of(YARD_GFP_ATOMIC, 0, 0, 0, "RESERVES>RETRY NORECLAIM>RETRY NORECLAIM>NOPAGE");
	build_barren(defrag);
	states_of(GFP_U, 0, YARD_TASK_MEMALLOC, 0, "RESERVES>RETRY RECURSE>NOPAGE");
	build_barren(defrag);
	states_of(STEP1, 9, 0, 0, "FIRST>NOPAGE");
	build_barren(defrag);
	states_of(MADVISED, 9, 0, 0, "FIRST>RETRY LOOPGATE>NOPAGE");
	build_barren(defrag);
	states_of(GFP_U | YARD_GFP_NORETRY, 0, 0, 0, "LOOPGATE>NOPAGE");
	build_barren(defrag);
	states_of(GFP_U, 0, 0, 0, "DROP>RETRY"); // RRETRY, CRETRY: no; OOM, NOPAGE in turn
	build_barren(defrag);
	states_of(GFP_U | YARD_GFP_NOFAIL, 0, 0, 2, "DROP>RETRY OOM>RETRY RETRY>DONE");
	build_barren(defrag);
	states_of(GFP_U | YARD_GFP_NOFAIL | YARD_GFP_NORETRY, 0, 0, 1, "LOOPGATE>NOPAGE NOPAGE>RETRY RETRY>DONE");
	build_barren("linux-7.3");
	states_of(GFP_U, 0, 0, 0, ""); // without defrag_mode DROP does nothing
}

static void T22_states_that_retry(void **state)
{
	(void)state;
	build_pile(defrag, ONE_PINNED);
	ask(GFP_U, 0, 0, 3);
	want("RRETRY>RETRY RRETRY>RETRY RRETRY>RETRY RETRY>DONE");
	assert_trace(T_STATES);
	build_pile(defrag, MOVABLE_PAGES);
	assert_int_not_equal(ask(GFP_U, 0, 0, 3).pfn, NONE);
	want("COMPACT>DONE");
	assert_trace(T_STATES);
}

static unsigned rounds_until_cookie, cookie_event;

static void change_cookie(const struct yard_event *event) // as memory hotplug does
{
	if (event->kind == cookie_event && !--rounds_until_cookie)
		atomic_fetch_add(&yard->zonelist_builds, 1);
}

// LOOPGATE, 2.6 site 8: the zonelists changed, all begins anew.
static void T22_cookie(void **state)
{
	(void)state;
	build_pile(defrag, ONE_PINNED);
	rounds_until_cookie = 5;
	cookie_event = YARD_EVENT_DIRECT_RECLAIM_END;
	on_event = change_cookie;
	assert_int_not_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
	for (int npl = 1; npl <= 4; npl++)
		want("rretry(0,%d,1) RRETRY>RETRY", npl);
	want("LOOPGATE>INIT");
	for (int npl = 1; npl <= 16; npl++)
		want("rretry(0,%d,1) RRETRY>RETRY", npl);
	want("CRETRY>RETRY DROP>RETRY RETRY>DONE");
	assert_trace(T_STATES | T_RRETRY);
	for (unsigned late = 0; late < 2; late++) { // while the fallback is tried: LOOPGATE, or after it: PREOOM
		build_barren(defrag);
		rounds_until_cookie = 2;
		cookie_event = late ? YARD_EVENT_RECLAIM_RETRY_ZONE : YARD_EVENT_DIRECT_RECLAIM_END;
		on_event = change_cookie;
		assert_int_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
		want("DROP>RETRY %s DROP>RETRY", late ? "PREOOM>INIT" : "LOOPGATE>INIT");
		assert_trace(T_STATES);
	}
	build_barren(defrag); // NOPAGE
	rounds_until_cookie = 1;
	cookie_event = YARD_EVENT_DIRECT_RECLAIM_END;
	on_event = change_cookie;
	assert_int_equal(ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 100).pfn, NONE);
	want("A901 A940 reclaim9 =0 compact9,1 A940 reclaim9 =0 compact9,1 fail1");
	assert_trace(T_WORK);
}

static void INIT_no_zone(void **state)
{
	struct yard_request r = { .gfp = GFP_U, .node = 0, .nodemask = 2 };
	struct yard_result result;

	(void)state;
	build_barren(defrag);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_ENOMEM);
	want("INIT>NOPAGE");
	assert_trace(T_STATES);
}

// ---- SP-10, SP-20 ----

static void SP20_compaction_first(void **state)
{
	static const struct { uint32_t gfp; unsigned order; bool first; } cases[] = {
		{ GFP_U, 0, false }, { GFP_U, 1, true }, { GFP_U, 3, true }, { GFP_U, 4, true }, { GFP_R, 1, true },
		{ GFP_M, 0, false }, { GFP_M, 1, false }, { GFP_M, 3, false }, { GFP_M, 4, true }, { GFP_M, 9, true },
		{ YARD_GFP_NOIO, 4, false }, { YARD_GFP_NOFS, 4, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct yard_event *e;

		build_barren(defrag);
		ask(cases[i].gfp | YARD_GFP_NORETRY, cases[i].order, 0, 0);
		for (e = events; e->kind != YARD_EVENT_TRY_TO_COMPACT_PAGES && e->kind != YARD_EVENT_DIRECT_RECLAIM_BEGIN;)
			assert_ptr_not_equal(++e, &events[nr_events]);
		assert_int_equal(e->kind == YARD_EVENT_TRY_TO_COMPACT_PAGES, cases[i].first);
		if (cases[i].first)
			assert_int_equal(e->args[2], 2); // ASYNC
	}
}

// SP-12 by context: an interrupt does not use its task's reserves, a softirq does.
static void SP12_interrupts(void **state)
{
	enum { IRQ = YARD_TASK_INTERRUPT, SOFTIRQ = YARD_TASK_INTERRUPT | YARD_TASK_SOFTIRQ };
	static const struct { unsigned task; const char *attempts; } cases[] = {
		{ YARD_TASK_MEMALLOC, "A901 A940 A804 fail1" },
		{ YARD_TASK_MEMALLOC | SOFTIRQ, "A901 A940 A804 fail1" },
		{ YARD_TASK_MEMALLOC | IRQ, "A901 A940 fail1" }, // RECURSE
		{ YARD_TASK_MEMALLOC | YARD_TASK_OOM_VICTIM, "A901 A940 A804 fail1" }, // the first match
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		build_barren(defrag);
		ask(GFP_U, 0, cases[i].task, 100);
		want("%s", cases[i].attempts);
		assert_trace(T_WORK);
	}
	build_barren(defrag);
	ask(GFP_U | YARD_GFP_NOMEMALLOC | YARD_GFP_MEMALLOC | YARD_GFP_NORETRY, 0, YARD_TASK_OOM_VICTIM, 100);
	want("A901 A940 reclaim9 =0 compact9,1 fail1");
	assert_trace(T_WORK);
}

// SP-13: on every pass through RETRY, for whole blocks under defrag_mode, whatever the request.
static void SP13_wakes_on_every_pass(void **state)
{
	(void)state;
	build_barren(defrag);
	ask(YARD_GFP_ATOMIC, 0, 0, 0);
	want("A901 kswapd9 A930 kswapd9 A930 kswapd9 A830");
	assert_trace(T_ATTEMPTS | T_WAKES);
	build_barren(defrag);
	ask(GFP_M | YARD_GFP_NORETRY, 10, 0, 0);
	want("A981 kswapd10 A9c0 kswapd10 A9c0");
	assert_trace(T_ATTEMPTS | T_WAKES);
	build_barren("linux-7.3,defrag_mode=1,kswapd_block_wake=off");
	ask(YARD_GFP_ATOMIC, 0, 0, 0);
	want("A901 kswapd0 A930 kswapd0 A930 kswapd0 A830");
	assert_trace(T_ATTEMPTS | T_WAKES);
	build_barren(defrag);
	ask(YARD_GFP_TRANSHUGE_LIGHT, 9, 0, 0); // no KSWAPD
	want("A181 A1c0");
	assert_trace(T_ATTEMPTS | T_WAKES);
}

// ---- 2.3, 2.4 ----

static uint64_t rco_of(const char *policy, uint32_t gfp, unsigned order, unsigned *compaction)
{
	unsigned reclaim;

	build_barren(policy);
	ask(gfp | YARD_GFP_NORETRY, order, 0, 100);
	reclaim = (unsigned)last_event(YARD_EVENT_DIRECT_RECLAIM_BEGIN)->args[3];
	*compaction = last_event(YARD_EVENT_TRY_TO_COMPACT_PAGES) ?
		(unsigned)last_event(YARD_EVENT_TRY_TO_COMPACT_PAGES)->args[0] : 0;
	return reclaim;
}

static void SP45_promotion_of_reclaim_and_compaction(void **state)
{
	static const struct { const char *policy; uint32_t gfp; unsigned order, rco; } cases[] = {
		{ "linux-7.3,defrag_mode=1", GFP_U, 0, 9 }, { "linux-7.3,defrag_mode=1", GFP_R, 0, 9 },
		{ "linux-7.3,defrag_mode=1", GFP_U, 3, 9 }, { "linux-7.3,defrag_mode=1", GFP_U, 10, 10 },
		{ "linux-7.3,defrag_mode=1", GFP_M, 4, 4 }, { "linux-7.3,defrag_mode=1", GFP_M, 2, 2 },
		{ "linux-7.2,defrag_mode=1", GFP_U, 1, 9 }, { "atomic-fix", GFP_U, 1, 1 }, { "linux-7.3", GFP_U, 2, 2 },
	};
	unsigned compaction;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(rco_of(cases[i].policy, cases[i].gfp, cases[i].order, &compaction), cases[i].rco);
		assert_int_equal(compaction, cases[i].rco);
	}
	assert_int_equal(rco_of(defrag, GFP_M, 0, &compaction), 0);
	assert_int_equal(compaction, 0); // SP-40: rco = 0, no compaction
}

// SP-31: after reclaim an attempt at the request's order, one HIGHATOMIC block if a zone holds more than one, the sets, and
// one more.
static void SP31_attempts_after_reclaim(void **state)
{
	(void)state;
	build_pile(defrag, RESERVED | ONE_PINNED | PAIRS);
	ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0);
	want("A901 A940 reclaim9 =1 A940 A940 compact9,1 A940 fail1");
	assert_trace(T_WORK);
	assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, BLOCK); // the only one: kept
	build_pile(defrag, ONE_PINNED | NOT_READY); // what is freed lies in M blocks
	ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0);
	assert_true(reclaimed() >= 32);
	want("A901 A940 reclaim9 =%d A940 A940 compact9,1 A940 fail1", (int)reclaimed());
	assert_trace(T_WORK);
}

static uint64_t throttled_for;

static uint64_t killed_meanwhile(void *context, unsigned queue, uint64_t timeout_ns)
{
	struct yard_task *task = context;

	assert_int_equal(queue, YARD_QUEUE_PFMEMALLOC);
	throttled_for = timeout_ns;
	task->flags |= YARD_TASK_SIGNAL;
	return 0;
}

// SP-32: throttled and killed: 1 without having reclaimed anything, and without the pair of events (7.4). EV-1.
static void SP32_killed_while_throttled(void **state)
{
	struct yard_task task = { .pid = 5 };

	(void)state;
	for (unsigned fs = 0; fs < 2; fs++) {
		build_pile(defrag, ONE_PINNED);
		set_wmarks(normal(), 4000, 5000, 6000); // 832 free pages are less than half of min
		yard_kswapd_run(yard, 0, true); // who would end it
		yard->host.wait = killed_meanwhile;
		yard->host.context = &task;
		task.flags = 0;
		throttled_for = 0;
		yard_set_current(yard, &task);
		assert_int_equal(ask((fs ? GFP_U : YARD_GFP_NOFS) | YARD_GFP_NORETRY, 0, 0, 0).pfn, NONE);
		yard_set_current(yard, NULL);
		want("A901 A940 A940 A940 compact9,1 fail1");
		assert_trace(T_WORK);
		assert_int_equal(reclaimed(), 0);
		assert_int_equal(vm(YARD_VM_PGSCAN_DIRECT_THROTTLE), 1);
		if (!fs)
			assert_in_range(throttled_for, 1, 1000000000);
	}
	build_pile(defrag, ONE_PINNED);
	set_wmarks(normal(), 4000, 5000, 6000);
	yard_kswapd_run(yard, 0, true);
	ask(GFP_U | YARD_GFP_NORETRY, 0, YARD_TASK_SIGNAL, 0); // dying: not throttled
	ask(GFP_U | YARD_GFP_NORETRY, 0, YARD_TASK_KTHREAD, 0);
	assert_int_equal(vm(YARD_VM_PGSCAN_DIRECT_THROTTLE), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		TEST(E1_composite_masks), TEST(E2_huge_pages_in_two_steps), TEST(E3_order_bound), TEST(E4_scopes),
		TEST(E5_cpusets_on_the_fast_path), TEST(E5_thisnode_has_no_fallback_list), TEST(E6_fast_flags),
		TEST(E7_a_machine_without_the_bit), TEST(E8_one_event_a_call), TEST(E11_effective_minimum),
		TEST(E12_unusable_pages), TEST(T14_atomic), TEST(T14_nowait), TEST(T14_huge), TEST(T14_kernel),
		TEST(T14_pf_memalloc), TEST(T14_nofail), TEST(SP1_nofail_without_reclaim), TEST(T14_movable_until_the_drop),
		TEST(T22_states), TEST(T22_states_that_retry), TEST(T22_cookie), TEST(INIT_no_zone),
		TEST(SP20_compaction_first),
		TEST(SP12_interrupts), TEST(SP13_wakes_on_every_pass), TEST(SP45_promotion_of_reclaim_and_compaction),
		TEST(SP31_attempts_after_reclaim), TEST(SP32_killed_while_throttled),
	};

	return cmocka_run_group_tests_name("spec02_slowpath", tests, NULL, NULL);
}
