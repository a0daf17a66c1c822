// SPDX-License-Identifier: Apache-2.0
//
// Spec 02 sections 2.4 to 2.9: how often a request tries before it gives up NOFRAGMENT, what it reports meanwhile, the
// golden traces, and the control flow of 6.15 to 6.19.

#include "spec02_fixture.h"

enum { SUCCESS = COMPACT_SUCCESS, PARTIAL = COMPACT_PARTIAL_SKIPPED }; // PARTIAL: no flush of the skip bits yet (03 C3.4)
enum { FAILED = 1, WITHDRAWN, PROGRESS }; // as compact_retry shows results

// ---- SP-46, SP-43 ----

static void check_compact_events(unsigned stall, unsigned success, unsigned fail)
{
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), stall);
	assert_int_equal(vm(YARD_VM_COMPACT_SUCCESS), success);
	assert_int_equal(vm(YARD_VM_COMPACT_FAIL), fail);
}

static void SP46_outcomes(void **state)
{
	(void)state;
	build_pile(defrag, MOVABLE_PAGES);
	yard->compact[NORMAL].blockskip_flush = true;
	assert_int_not_equal(ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0).pfn, NONE);
	check_compact_events(1, 1, 0);
	assert_false(yard->compact[NORMAL].blockskip_flush);
	assert_int_equal(last_event(YARD_EVENT_COMPACTION_DEFER_RESET)->args[2], 9); // the compaction order
	build_pile(defrag, ONE_PINNED);
	assert_int_equal(ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0).pfn, NONE);
	check_compact_events(1, 0, 1);
	build_barren(defrag); // skipped
	assert_int_equal(ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0).pfn, NONE);
	check_compact_events(0, 0, 0);
	build_pile(defrag, ONE_PINNED); // deferred
	defer_compaction(yard, normal(), 9);
	forget_events();
	assert_int_equal(ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0).pfn, NONE);
	want("compact9,1 deferred9");
	assert_trace(T_COMPACT | T_ZONES);
	check_compact_events(0, 0, 0);
}

static void SP43_the_zone_is_deferred_after_a_synchronous_failure(void **state)
{
	const uint32_t huge = YARD_GFP_TRANSHUGE | YARD_GFP_NORETRY;

	(void)state;
	build_pile(defrag, ONE_PINNED);
	ask(huge | YARD_GFP_THISNODE, 9, 0, 0); // ASYNC: not deferred
	want("compact9,2 begin end%d", PARTIAL);
	assert_trace(T_COMPACT | T_ZONES);
	ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0);
	want("compact9,1 begin end%d defer9", PARTIAL);
	assert_trace(T_COMPACT | T_ZONES);
	build_pile(defrag, MOVABLE_PAGES); // SUCCESS raises the mark, a page resets the counters
	ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0);
	want("compact9,1 begin end%d reset9 reset9", SUCCESS);
	assert_trace(T_COMPACT | T_ZONES);
	assert_int_equal(yard->compact[NORMAL].order_failed, 10);
}

// ---- 2.8: golden traces ----

// T-1: extfrag of a claim: the block was free as a whole, and is the request's now.
static void T1_block_makeable(void **state)
{
	const struct yard_event *claim;

	(void)state;
	build_pile(defrag, MOVABLE_PAGES);
	assert_int_not_equal(ask(GFP_U, 0, 0, 0).pfn, NONE);
	claim = last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG);
	assert_int_equal(claim->order, 0);
	assert_true(claim->a >= YARD_PAGEBLOCK_ORDER);
	assert_int_equal(claim->migratetype, U);
	assert_int_equal(claim->b, M);
	assert_int_equal(claim->c, 1);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_EXTFRAG), 1);
	want("A901 kswapd9 A940 reclaim9 =1 A940 A940 compact9,1 begin end%d reset9 A940 reset9", SUCCESS);
	assert_trace(T_WORK | T_WAKES | T_ZONES);
	check_compact_events(1, 1, 0);
	assert_int_equal(reclaimed(), 0);
	assert_int_equal(allocstall(), 1);
}

static void want_rounds(unsigned first, unsigned last, const char *format)
{
	for (unsigned round = first; round <= last; round++)
		want("%s rretry(0,%u,1)", format, round);
}

static void T2_no_block_makeable(void **state)
{
	(void)state;
	build_pile(defrag, ALL_PINNED);
	assert_int_not_equal(ask(GFP_U, 0, 0, 0).pfn, NONE);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->c, 0); // R19 steals
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->a, 0);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_EXTFRAG), 1);
	assert_true(count_events(YARD_EVENT_COMPACTION_DEFERRED) > 10);
	assert_int_equal(last_event(YARD_EVENT_COMPACTION_END)->args[5], COMPACT_COMPLETE);
	want_rounds(1, 16, "reclaim9 =1 compact9,1");
	want("reclaim9 =1 compact9,1 cretry(0,1,%d,0,16,1)", WITHDRAWN); // R17, deferred
	want("reclaim9 =1 compact9,0 cretry(0,0,%d,0,16,0)", FAILED);	 // R18: full, not deferred
	assert_trace(T_RECLAIM | T_COMPACT | T_RRETRY | T_CRETRY);
	assert_int_equal(reclaimed(), 0);
}

static void T3_7_2_never_ends(void **state)
{
	static const char *const policies[] = { "linux-7.2,defrag_mode=1", "storm-fix",
		"linux-7.3,defrag_mode=1,promoted_retry=naive" };
	struct yard_result result;

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		build_pile(policies[i], ONE_PINNED);
		result = ask(GFP_U, 0, 0, 300);
		assert_true(result.gave_up);
		assert_int_equal(result.rounds, 300);
		assert_int_equal(count_events(YARD_EVENT_COMPACT_RETRY), 0);
		for (unsigned round = 1; round <= 300; round++)
			want("rretry(0,0,1)");
		assert_trace(T_RRETRY | T_CRETRY);
		assert_int_equal(reclaimed(), 0);
	}
}

static void T4_6_16_reclaims_base_pages(void **state)
{
	(void)state;
	build_pile("defrag-6.16@7.3core", ONE_PINNED);
	assert_true(ask(GFP_U, 0, 0, 5).gave_up);
	assert_int_equal(count_events(YARD_EVENT_DIRECT_RECLAIM_BEGIN), 5);
	assert_int_equal(count_events(YARD_EVENT_TRY_TO_COMPACT_PAGES), 0);
	for (size_t i = 0; i < nr_events; i++) {
		if (events[i].kind == YARD_EVENT_DIRECT_RECLAIM_BEGIN)
			assert_int_equal(events[i].args[3], 0);
		if (events[i].kind == YARD_EVENT_DIRECT_RECLAIM_END)
			assert_true(events[i].args[0] >= 32);
	}
	for (unsigned round = 1; round <= 5; round++)
		want("rretry(0,0,1)");
	assert_trace(T_RRETRY | T_CRETRY);
	assert_true(reclaimed() >= 5 * 32);
}

// ---- SP-54 ----

static size_t rounds_until_drop(void) // passes through RECLAIM with NOFRAGMENT
{
	size_t n = 0;

	for (size_t i = 0; i < nr_events; i++)
		n += events[i].kind == YARD_EVENT_WHY_SLOWPATH && events[i].a & ALLOC_NOFRAGMENT;
	return n;
}

static void SP54_18_rounds(void **state)
{
	struct yard_result result;

	(void)state;
	build_pile(defrag, ONE_PINNED);
	result = ask(GFP_U, 0, 0, 0);
	assert_int_equal(rounds_until_drop(), 18);
	assert_int_equal(result.rounds, 19);
}

// Reclaim makes progress, but base pages are short for compaction, before and after it.
static void SP54_17_rounds_when_compaction_is_skipped(void **state)
{
	(void)state;
	build_pile(defrag, ALL_PINNED);
	set_wmarks(normal(), 900, 900, 900);
	add_endless_cache();
	ask(GFP_U, 0, 0, 100);
	assert_int_equal(rounds_until_drop(), 17);
	want_rounds(1, 16, "reclaim9 =32 compact9,1");
	want("reclaim9 =32 compact9,1 cretry(0,1,%d,0,16,0)", WITHDRAWN); // skipped and promoted: no
	for (unsigned round = 18; round <= 100; round++)
		want("reclaim0 =32 rretry(0,0,1)"); // a new budget; neither promoted nor compacting
	assert_trace(T_RECLAIM | T_COMPACT | T_RRETRY | T_CRETRY);
}

static void SP54_17_rounds_without_progress(void **state)
{
	struct yard_result result;

	(void)state;
	build_pieces(defrag);
	set_wmarks(normal(), 10, 200, 250); // 256 are free: no room for compaction above high
	result = ask(GFP_U, 0, 0, 0);
	assert_int_not_equal(result.pfn, NONE);
	assert_int_equal(rounds_until_drop(), 17);
	assert_int_equal(result.rounds, 18);
	assert_int_equal(last_event(YARD_EVENT_DIRECT_RECLAIM_END)->args[0], 0);
	want_rounds(1, 16, "reclaim9 =0");
	want("reclaim9 =0"); // CRETRY is not asked
	assert_trace(T_RECLAIM | T_RRETRY | T_CRETRY);
}

static struct yard_task others = { .pid = 99 };
static bool busy;

static void scan_from_the_ends(void) // as after a meeting of the scanners and a flush (spec 03 C3.7, C3.8)
{
	struct zone_compact *hints = &yard->compact[NORMAL];

	for (uint32_t b = 0; b < PILE_BLOCKS; b++)
		set_pageblock_skip(yard, base + b * BLOCK, false);
	hints->cached_migrate[0] = hints->cached_migrate[1] = base;
	hints->cached_free = base + (PILE_BLOCKS - 1) * BLOCK;
}

// Somebody takes what was made, and others free pages here and there, so that all is as it was.
static void take_the_block(const struct yard_event *event)
{
	struct yard_task *task;
	uint32_t pair;

	if (event->kind == YARD_EVENT_DIRECT_RECLAIM_BEGIN)
		scan_from_the_ends();
	if (busy || event->kind != YARD_EVENT_COMPACTION_END || event->args[5] != SUCCESS)
		return;
	busy = true;
	task = yard_set_current(yard, &others);
	while ((pair = yard_alloc(yard, YARD_GFP_TRANSHUGE_LIGHT, 1)) != NONE) {
		assert_int_equal(yard_split(yard, pair, 1), YARD_OK);
		for (uint32_t pfn = pair; pfn < pair + 2; pfn++)
			assert_int_equal(yard_lru_add(yard, pfn, ANON_PAGE, YARD_MAPPED), YARD_OK);
	}
	yard_lru_drain_all(yard);
	for (uint32_t pfn = base + 3 * BLOCK; pfn < base + PILE_BLOCKS * BLOCK; pfn++)
		if (pfn % 8 == 3 && yard_frame_state(yard, pfn, NULL, NULL) == YARD_FRAME_ALLOCATED)
			assert_int_equal(yard_free(yard, pfn, 0), YARD_OK);
	yard_drain_all(yard, -1);
	yard_set_current(yard, task);
	busy = false;
}

static void SP54_50_rounds_when_others_take_the_block(void **state)
{
	struct yard_result result;
	unsigned by_priority[3] = { 0 };

	(void)state;
	build_pile(defrag, MOVABLE_PAGES);
	on_event = take_the_block;
	result = ask(GFP_U, 0, 0, 1000);
	on_event = NULL;
	assert_int_not_equal(result.pfn, NONE);
	assert_int_equal(rounds_until_drop(), 50);
	assert_int_equal(result.rounds, 51);
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_TRY_TO_COMPACT_PAGES)
			by_priority[events[i].args[2]]++;
	assert_int_equal(by_priority[1], 33);
	assert_int_equal(by_priority[0], 17);
	check_compact_events(50, 0, 50);
	for (int npl = 1; npl <= 16; npl++)
		want("rretry(0,%d,1)", npl);
	for (int n = 0; n <= 16; n++)
		want("cretry(0,1,%d,%d,16,1)", PROGRESS, n);
	for (int n = 0; n <= 16; n++)
		want("cretry(0,0,%d,%d,16,%d)", PROGRESS, n, n < 16);
	assert_trace(T_RRETRY | T_CRETRY);
	assert_verified();
}

// SP-45, 3.8 e: after DROP a promoted request has a full budget again, a movable one has not.
static void DROP_gives_a_new_budget(void **state)
{
	(void)state;
	for (unsigned promoted = 0; promoted < 2; promoted++) {
		build_pile(defrag, ALL_PINNED);
		set_wmarks(normal(), 900, 900, 900); // nothing can be reclaimed, but the estimate says that something could
		assert_int_equal(ask(promoted ? GFP_U : GFP_M, 0, 0, 100).pfn, NONE);
		for (int npl = 1; npl <= 16; npl++)
			want("rretry(0,%d,1)", npl);
		want("DROP>RETRY");
		for (int npl = 1; npl <= 16 && promoted; npl++)
			want("rretry(0,%d,1)", npl);
		for (size_t i = 0; i < nr_events; i++) // only these
			if (events[i].kind == YARD_EVENT_WHY_RETRY && events[i].a == YARD_SLOW_RRETRY)
				events[i].kind = YARD_EVENT_PAGE_ALLOC;
		assert_trace(T_RRETRY | T_STATES);
	}
}

// The same for compaction's retries; its priority stays as it is.
static void DROP_gives_new_compaction_retries(void **state)
{
	(void)state;
	build_pile(defrag, MOVABLE_PAGES);
	yard_set_swap(yard, 0, 0); // nothing can be reclaimed
	add_endless_cache();
	on_event = take_the_block;
	ask(GFP_U, 1, 0, 1000);
	on_event = NULL;
	for (int n = 0; n <= 16; n++)
		want("cretry(1,1,%d,%d,16,1)", PROGRESS, n);
	for (int n = 0; n <= 16; n++)
		want("cretry(1,0,%d,%d,16,%d)", PROGRESS, n, n < 16);
	for (int n = 0; n <= 16; n++)
		want("cretry(1,0,%d,%d,16,%d)", PROGRESS, n, n < 16);
	assert_trace(T_CRETRY);
}

static void SP54_each_release_of_a_reserve_adds_a_round(void **state)
{
	size_t rounds[2];

	(void)state;
	for (unsigned reserved = 0; reserved < 2; reserved++) {
		build_pile(defrag, ONE_PINNED | PAIRS | (reserved ? RESERVED : 0));
		assert_int_not_equal(ask(GFP_U, 1, 0, 1000).pfn, NONE);
		rounds[reserved] = rounds_until_drop();
		assert_int_equal(zone_state(NORMAL).nr_reserved_highatomic, 0);
		forget_events();
	}
	assert_int_equal(rounds[0], 19); // the first one only compacts (SP-20)
	assert_int_equal(rounds[1], 20);
}

// ---- SP-49, SP-52, SP-53 ----

static void SP49_what_counts_as_progress(void **state)
{
	static const struct { const char *policy; uint32_t gfp; unsigned order; int npl; } cases[] = {
		{ "linux-7.3,defrag_mode=1", GFP_U, 0, 3 },	  // promoted
		{ "linux-7.3,defrag_mode=1", GFP_R, 0, 3 },
		{ "linux-7.2,defrag_mode=1", GFP_U, 0, 0 },
		{ "linux-7.3,defrag_mode=1,promote_nonmovable=off", GFP_U, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		build_pile(cases[i].policy, ONE_PINNED);
		assert_true(ask(cases[i].gfp, cases[i].order, 0, 3).gave_up);
		assert_int_equal(last_event(YARD_EVENT_RECLAIM_RETRY_ZONE)->args[6], cases[i].npl);
	}
}

// SP-21, SP-49: costly orders count as no progress, and have a quarter of the compaction retries.
static void SP21_costly(void **state)
{
	size_t npl = 0;

	(void)state;
	build_pile(defrag, ONE_PINNED);
	assert_int_equal(ask(YARD_GFP_TRANSHUGE | YARD_GFP_RETRY_MAYFAIL, 9, 0, 1000).pfn, NONE);
	assert_int_equal(world.kills, 0);
	for (size_t i = 0; i < nr_events; i++) {
		if (events[i].kind == YARD_EVENT_RECLAIM_RETRY_ZONE)
			assert_int_equal(events[i].args[6], ++npl);
		if (events[i].kind == YARD_EVENT_TRY_TO_COMPACT_PAGES)
			assert_true(events[i].args[2] >= 1); // never SYNC_FULL
	}
	assert_true(npl >= 1);
	build_pile(defrag, ONE_PINNED);
	ask(YARD_GFP_TRANSHUGE, 9, 0, 1000); // without RETRY_MAYFAIL: no loop
	assert_int_equal(count_events(YARD_EVENT_RECLAIM_RETRY_ZONE), 0);
	build_pile(defrag, MOVABLE_PAGES);
	on_event = take_the_block;
	ask(GFP_U | YARD_GFP_RETRY_MAYFAIL, 4, 0, 6); // the first round only compacts
	on_event = NULL;
	want("compact9,2");
	for (int n = 0; n <= 4; n++)
		want("compact9,1 cretry(4,1,%d,%d,4,%d)", PROGRESS, n, n < 4);
	assert_trace(T_COMPACT | T_CRETRY);
}

// 7.4: fields of reclaim_retry_zone; anonymous pages count while they can be reclaimed.
static void SP49_estimate(void **state)
{
	const int64_t *a;

	(void)state;
	for (unsigned swap = 0; swap < 2; swap++) {
		int64_t lru = swap ? PILE_LRU : 0;

		build_pile(defrag, ONE_PINNED);
		if (!swap)
			yard_set_swap(yard, 0, 0);
		ask(GFP_U, 0, 0, 1);
		a = last_event(YARD_EVENT_RECLAIM_RETRY_ZONE)->args;
		assert_int_equal(a[0], 0);
		assert_int_equal(a[1], NORMAL);
		assert_int_equal(a[2], 0);
		assert_int_equal(a[3], lru);
		assert_int_equal(a[4], lru + PILE_FREE);
		assert_int_equal(a[5], 64);
		assert_int_equal(a[6], 1);
		assert_int_equal(a[7], 1);
	}
	build_pile(defrag, ALL_PINNED); // E-13: a page of the order must be there already
	ask(GFP_U, 3, 0, 2);
	a = last_event(YARD_EVENT_RECLAIM_RETRY_ZONE)->args;
	assert_int_equal(a[2], 3);
	assert_int_equal(a[7], 0);
}

static void SP49_workers_sleep_a_jiffy(void **state)
{
	struct yard_config config = owned_config(defrag);

	(void)state;
	config.hz = 250;
	build_pile_of(config, ONE_PINNED);
	ask(GFP_U, 0, YARD_TASK_WORKER, 0);
	assert_int_equal(yard->host.now_ns, 16 * 4000000ull); // round 17 has no estimate
	build_pile_of(config, ONE_PINNED);
	ask(GFP_U, 0, 0, 0);
	assert_int_equal(yard->host.now_ns, 0);
}

static void SP52_early_exits(void **state)
{
	(void)state;
	build_pile(defrag, ONE_PINNED); // a fatal signal
	ask(GFP_U, 0, YARD_TASK_SIGNAL, 0);
	assert_int_equal(rounds_until_drop(), 17);
	assert_int_equal(count_events(YARD_EVENT_COMPACT_RETRY), 0);
	build_pile("linux-7.3,defrag_mode=1,promoted_retry=naive", ONE_PINNED); // gate on the request's order
	set_wmarks(normal(), 9000, 9000, 9000);					 // the estimate fails at once
	ask(GFP_U, 0, 0, 3);
	assert_int_equal(count_events(YARD_EVENT_COMPACT_RETRY), 0);
	build_pile(defrag, ONE_PINNED);
	set_wmarks(normal(), 9000, 9000, 9000);
	ask(GFP_U, 0, 0, 1);
	want("rretry(0,1,0) cretry(0,1,%d,0,16,0)", WITHDRAWN); // skipped
	assert_trace(T_RRETRY | T_CRETRY);
}

// A request that is not promoted and was skipped: is the zone suitable if its pages were reclaimed?
static void SP52_skipped(void **state)
{
	static const struct { const char *policy; unsigned order; uint32_t min; int retry; } cases[] = {
		{ "linux-7.3", 2, 3735, 1 }, { "linux-7.3", 2, 3736, 0 }, // 832 + 5824/2 > min + gap(2) = min + 8
		{ "linux-7.3", 3, 2756, 1 }, { "linux-7.3", 3, 2757, 0 }, // 832 + 1941 > min + 16
		{ "linux-7.3,defrag_mode=1", 2, 3735, 0 },		  // promoted
		{ "linux-7.3,defrag_mode=1,promoted_retry=naive", 2, 3735, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		build_pile(cases[i].policy, ALL_PINNED);
		set_wmarks(normal(), cases[i].min, cases[i].min, cases[i].min);
		add_endless_cache();
		ask(GFP_R, cases[i].order, 0, 2); // the first round only compacts
		want("rretry(%u,%d,0) cretry(%u,1,%d,0,16,%d)", cases[i].order, i == 4, cases[i].order, WITHDRAWN,
			cases[i].retry);
		assert_trace(T_RRETRY | T_CRETRY);
	}
}

static void SP53_without_compaction(void **state)
{
	struct yard_config config = owned_config(defrag);

	(void)state;
	config.owner.move = NULL;
	for (unsigned order = 0; order <= 4; order++) {
		build_pile_of(config, ALL_PINNED);
		add_endless_cache();
		ask(GFP_U, order, 0, 20);
		assert_int_equal(count_events(YARD_EVENT_COMPACT_RETRY), 0);
		assert_int_equal(count_events(YARD_EVENT_TRY_TO_COMPACT_PAGES), 0);
		assert_int_equal(rounds_until_drop(), order == 0 ? 17 : order <= 3 ? 20 : 1);
		if (order && order <= YARD_COSTLY_ORDER) { // a page of the order might come together
			for (unsigned round = 1; round <= 20; round++)
				want("CRETRY>RETRY");
			want("RETRY>DONE");
			assert_trace(T_STATES);
		}
	}
	build_pile_of(config, ALL_PINNED); // order 0 does not pass min
	add_endless_cache();
	set_wmarks(normal(), 9000, 9000, 9000);
	ask(GFP_U, 1, 0, 20);
	assert_int_equal(rounds_until_drop(), 1);
}

// ---- SP-66, SP-67 ----

static void check_failure(uint32_t gfp, int printed)
{
	const int64_t *a;

	assert_int_equal(ask(gfp, 2, 0, 0).pfn, NONE);
	a = last_event(YARD_EVENT_ALLOC_FAILURE)->args;
	assert_int_equal(a[0], 2);
	assert_int_equal(a[1], gfp);
	assert_int_equal(a[2], 0);
	assert_int_equal(a[3], 0);
	assert_int_equal(a[4], printed);
	assert_int_equal(count_events(YARD_EVENT_ALLOC_FAILURE), 1);
	forget_events();
}

static void SP66_failures(void **state)
{
	const uint64_t second = 1000000000;

	(void)state;
	build_barren(defrag);
	check_failure(YARD_GFP_ATOMIC | YARD_GFP_NOWARN, 0); // takes no slot
	check_failure(YARD_GFP_ATOMIC | YARD_GFP_DMA, 0);    // there is no DMA memory
	check_failure(YARD_GFP_ATOMIC, 1);
	check_failure(YARD_GFP_ATOMIC, 0);
	yard->host.now_ns += 10 * second - 1;
	check_failure(GFP_U | YARD_GFP_NORETRY, 0);
	yard->host.now_ns += 1;
	check_failure(GFP_U | YARD_GFP_NORETRY, 1);
	check_failure(YARD_GFP_ATOMIC, 0);
}

static uint64_t reclaim_takes;

static void slow_reclaim(const struct yard_event *event)
{
	if (event->kind == YARD_EVENT_DIRECT_RECLAIM_END)
		yard->host.now_ns += reclaim_takes;
}

static void check_stalls(const char *policy, uint32_t gfp, const char *expected)
{
	build_pile(policy, ONE_PINNED);
	on_event = slow_reclaim;
	reclaim_takes = 4000000000;
	ask(gfp, 0, 0, 9);
	if (*expected)
		want("%s", expected);
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_ALLOC_STALL) {
			assert_int_equal(events[i].args[1], 0);
			assert_int_equal(events[i].args[2], gfp);
		}
	assert_trace(T_REPORTS);
}

// SP-67: checked once a round, at 0, 4, 8, 12 ... seconds.
static void SP67_stalls(void **state)
{
	(void)state;
	check_stalls(defrag, GFP_U, "stall12 stall24");
	ask(GFP_U, 0, 0, 9); // another call: starts at 0 s, the slot is taken until 34
	want("stall12 stall24");
	assert_trace(T_REPORTS);
	check_stalls(defrag, GFP_U | YARD_GFP_NOWARN, "");
	check_stalls("linux-7.3,defrag_mode=1,stall_report=off", GFP_U, "");
	check_stalls("defrag-6.16", GFP_U, "");
	check_stalls("linux-7.2,defrag_mode=1", GFP_U, "stall12 stall24");
	ask(YARD_GFP_ATOMIC, 10, 0, 0); // has a slot of its own
	want("fail1");
	assert_trace(T_REPORTS);
}

// ---- 2.9 ----

static void split_flow(uint32_t gfp, unsigned order, unsigned task, const char *expected)
{
	build_barren("linux-7.3,defrag_mode=1,slowpath_flow=split");
	assert_int_equal(ask(gfp, order, task, 100).pfn, NONE);
	want("%s", expected);
	assert_trace(T_WORK);
}

static void T29_split_flow(void **state)
{
	const uint32_t huge = YARD_GFP_TRANSHUGE;

	(void)state;
	split_flow(GFP_U, 0, 0, "A901 A940 A940 reclaim9 =0 compact9,1 A840 reclaim0 =0 A42 fail1");
	split_flow(GFP_U, 1, 0, "A901 A940 compact9,2 A940 reclaim9 =0 compact9,1 A840 reclaim1 =0 compact1,1 A42 fail1");
	split_flow(GFP_U, 1, YARD_TASK_MEMALLOC, "A901 A940 A804 fail1"); // may ignore watermarks: no compaction
	split_flow(huge, 9, 0, "A181 A1c0 compact9,2 A1c0 reclaim9 =0 compact9,1 fail0");
	split_flow(huge | YARD_GFP_NORETRY, 9, 0, "A181 A1c0 compact9,2 fail0"); // skipped
	split_flow(huge | YARD_GFP_NORETRY | YARD_GFP_THISNODE, 9, 0, "A181 A1c0 compact9,2 fail0");
	split_flow(GFP_U | YARD_GFP_NORETRY, 1, 0, "A901 A940 compact9,2 A940 reclaim9 =0 compact9,1 fail1");
	split_flow(YARD_GFP_NOWARN, 0, 0, "A101 A150 A150 fail0");
	build_pile("linux-7.3,defrag_mode=1,slowpath_flow=split", ONE_PINNED); // neither skipped nor deferred
	ask(huge | YARD_GFP_NORETRY | YARD_GFP_THISNODE, 9, 0, 100);
	want("A181 A1c0 compact9,2 A1c0 A1c0 reclaim9 =1 A1c0 A1c0 compact9,2 A1c0 fail0");
	assert_trace(T_WORK);
}

// The bounds are those of the rules, not of the flow.
static void T29_same_bounds(void **state)
{
	(void)state;
	build_pile("linux-7.3,defrag_mode=1,slowpath_flow=split", ONE_PINNED);
	assert_int_not_equal(ask(GFP_U, 0, 0, 0).pfn, NONE);
	assert_int_equal(rounds_until_drop(), 18);
}

// ---- 7.2 to 7.4 ----

// DA-1: freepages: one interval for each pass of reclaim; compact: one for each direct compaction. Durations of 0 do
// not count.
static void DA1_delays(void **state)
{
	struct yard_task task = { .pid = 12 };

	(void)state;
	build_pile(defrag, ONE_PINNED);
	yard_set_current(yard, &task);
	ask(GFP_U, 0, 0, 0);
	assert_int_equal(task.delays[YARD_DELAY_COMPACT].count, 0); // this machine takes no time
	build_pile(defrag, MOVABLE_PAGES);
	yard_set_current(yard, &task);
	yard->host.cost_ns[YARD_COST_SCAN_FRAME] = 10;
	yard->host.cost_ns[YARD_COST_COPY_PAGE] = 1000;
	ask(GFP_U, 0, 0, 0);
	assert_int_equal(task.delays[YARD_DELAY_COMPACT].count, 1);
	assert_true(task.delays[YARD_DELAY_COMPACT].total_ns >= 448 * 1000);
	assert_int_equal(task.delays[YARD_DELAY_COMPACT].total_ns, yard->host.now_ns);
	assert_int_equal(task.delays[YARD_DELAY_COMPACT].max_ns, task.delays[YARD_DELAY_COMPACT].min_ns);
	assert_int_equal(task.delays[YARD_DELAY_FREEPAGES].count, 0); // ready: nothing was scanned
	assert_true(task.migrated >= 448);
	build_pile(defrag, NOT_READY | ONE_PINNED);
	task.reclaimed = 0;
	yard_set_current(yard, &task);
	yard->host.cost_ns[YARD_COST_SCAN_PAGE] = 100;
	ask(GFP_M | YARD_GFP_NORETRY, 3, 0, 0);
	assert_int_equal(task.delays[YARD_DELAY_FREEPAGES].count, allocstall());
	assert_int_equal(task.reclaimed, reclaimed());
	assert_true(task.reclaimed >= 32);
	yard_set_current(yard, NULL);
}

// EV-1: a fruitless direct reclaim counts at least twice.
static void EV1_allocstall(void **state)
{
	(void)state;
	build_barren(defrag);
	ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0);
	assert_in_range(vm(YARD_VM_ALLOCSTALL_NORMAL), 2, 4);
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_MOVABLE), 0);
	ask(GFP_M | YARD_GFP_NORETRY, 0, 0, 0); // by the class of the highest zone that it may use
	assert_in_range(vm(YARD_VM_ALLOCSTALL_MOVABLE), 2, 4);
}

static void T74_fields(void **state)
{
	struct yard_task task = { .pid = 12 };
	const int64_t *a;

	(void)state;
	build_pile(defrag, ONE_PINNED);
	yard_set_current(yard, &task);
	ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 0);
	yard_set_current(yard, NULL);
	a = last_event(YARD_EVENT_DIRECT_RECLAIM_BEGIN)->args;
	assert_int_equal(a[0], GFP_U | YARD_GFP_NORETRY);
	assert_int_equal(a[1], 12);
	assert_int_equal(a[2], 0);
	assert_int_equal(a[3], 9);
	a = last_event(YARD_EVENT_DIRECT_RECLAIM_END)->args;
	assert_int_equal(a[0], 1);
	assert_int_equal(a[1], 12);
	a = last_event(YARD_EVENT_TRY_TO_COMPACT_PAGES)->args;
	assert_int_equal(a[0], 9);
	assert_int_equal(a[1], GFP_U | YARD_GFP_NORETRY);
	assert_int_equal(a[2], 1);
	a = last_event(YARD_EVENT_COMPACTION_BEGIN)->args;
	assert_int_equal(a[0], BASE);
	assert_in_range(a[1], BASE, BASE + PILE_BLOCKS * BLOCK);
	assert_in_range(a[2], BASE, BASE + PILE_BLOCKS * BLOCK);
	assert_int_equal(a[3], BASE + PILE_BLOCKS * BLOCK);
	assert_int_equal(a[4], 1); // sync
	a = last_event(YARD_EVENT_COMPACTION_END)->args;
	assert_int_equal(a[0], BASE);
	assert_int_equal(a[5], PARTIAL);
	a = last_event(YARD_EVENT_COMPACTION_SUITABLE)->args;
	assert_int_equal(a[0], 0);
	assert_int_equal(a[1], NORMAL);
	assert_int_equal(a[2], 9);
	assert_int_equal(a[3], COMPACT_CONTINUE);
	assert_int_equal(count_events(YARD_EVENT_COMPACTION_DEFER_COMPACTION), 1);
	assert_int_equal(last_event(YARD_EVENT_WAKEUP_KSWAPD)->b, GFP_U | YARD_GFP_NORETRY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		TEST(SP46_outcomes), TEST(SP43_the_zone_is_deferred_after_a_synchronous_failure), TEST(T1_block_makeable),
		TEST(T2_no_block_makeable), TEST(T3_7_2_never_ends), TEST(T4_6_16_reclaims_base_pages),
		TEST(SP54_18_rounds),
		TEST(SP54_17_rounds_when_compaction_is_skipped), TEST(SP54_17_rounds_without_progress),
		TEST(SP54_50_rounds_when_others_take_the_block), TEST(DROP_gives_a_new_budget),
		TEST(DROP_gives_new_compaction_retries), TEST(SP54_each_release_of_a_reserve_adds_a_round),
		TEST(SP49_what_counts_as_progress), TEST(SP21_costly), TEST(SP49_estimate),
		TEST(SP49_workers_sleep_a_jiffy),
		TEST(SP52_early_exits), TEST(SP52_skipped), TEST(SP53_without_compaction), TEST(SP66_failures),
		TEST(SP67_stalls),
		TEST(T29_split_flow), TEST(T29_same_bounds), TEST(DA1_delays), TEST(EV1_allocstall), TEST(T74_fields),
	};

	return cmocka_run_group_tests_name("spec02_retry", tests, NULL, NULL);
}
