// SPDX-License-Identifier: Apache-2.0
//
// Spec 02 sections 3 and 5: what defrag_mode changes for requests, kswapd and kcompactd, which blocks direct compaction
// may empty, and captured pages.

#include "spec02_fixture.h"

static const uint64_t msec = 1000000;

// ---- 3.1, 3.2 ----

static void DM1_at_run_time(void **state)
{
	(void)state;
	build_pieces("linux-7.3");
	assert_int_not_equal(ask(GFP_U, 0, 0, 10).pfn, NONE); // the fast path falls back by itself
	want("A901 again");
	assert_trace(T_ATTEMPTS);
	build_pieces("linux-7.3");
	assert_int_equal(yard_set_defrag_mode(yard, 1), YARD_OK); // effective immediately; no block changes
	assert_int_equal(type_at(0), M);
	assert_int_equal(ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 10).pfn, NONE);
	want("A901 A940 A940 A940 A940"); // two after reclaim, one after compaction
	assert_trace(T_ATTEMPTS);
	assert_int_equal(yard_set_defrag_mode(yard, 0), YARD_OK);
	assert_int_not_equal(ask(GFP_U, 0, 0, 10).pfn, NONE);
	want("A901 again");
	assert_trace(T_ATTEMPTS);
}

static void turn_off(const struct yard_event *event)
{
	if (event->kind == YARD_EVENT_DIRECT_RECLAIM_BEGIN)
		assert_int_equal(yard_set_defrag_mode(yard, 0), YARD_OK);
}

static void turn_on(const struct yard_event *event)
{
	if (event->kind == YARD_EVENT_DIRECT_RECLAIM_BEGIN)
		assert_int_equal(yard_set_defrag_mode(yard, 1), YARD_OK);
}

// DM-1: every site reads it anew: what set NOFRAGMENT does not drop it any more.
static void DM1_in_the_middle_of_a_call(void **state)
{
	(void)state;
	build_barren(defrag);
	on_event = turn_off;
	assert_int_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
	want("A901 A940 reclaim9 =0 compact9,1 A42 fail1");
	assert_trace(T_WORK);
	build_barren("linux-7.3");
	on_event = turn_on;
	assert_int_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
	want("A901 again A840 reclaim0 =0 A42 fail1"); // the flags are from INIT
	assert_trace(T_WORK);
}

// DM-3: no steal, no claim of a part of a block, and no boost while NOFRAGMENT holds.
static void DM3_only_whole_blocks(void **state)
{
	(void)state;
	for (unsigned whole = 0; whole < 2; whole++) {
		blank_config(owned_config(defrag), 8192);
		give_free(512, whole ? 9 : 8); // half a block would be enough for a claim
		if (!whole)
			give_used(768, 1024, false);
		give_used(0, 512, false);
		give_used(1024, 8192, false);
		ready();
		listen();
		assert_int_equal(ask(GFP_U | YARD_GFP_NORETRY, 0, 0, 10).pfn != NONE, whole);
		assert_int_equal(type_at(512), whole ? U : M);
		assert_int_equal(zone_state(NORMAL).boost, 0);
	}
	// whole = 1: the block is in use by now; the drop steals or claims
	assert_int_not_equal(ask(GFP_R, 0, 0, 100).pfn, NONE);
	assert_true(count_events(YARD_EVENT_WHY_ATTEMPT) > 3);
}

static void DM4_once_for_each_init(void **state)
{
	size_t drops = 0;

	(void)state;
	build_pile(defrag, ONE_PINNED);
	ask(GFP_U, 0, 0, 100);
	for (size_t i = 0; i < nr_events; i++)
		drops += events[i].kind == YARD_EVENT_WHY_RETRY && events[i].a == YARD_SLOW_DROP;
	assert_int_equal(drops, 1);
	build_barren("linux-7.3,defrag_mode=1,nofrag_drop=broken"); // F keeps only NOFRAGMENT
	assert_true(ask(GFP_U, 0, 0, 5).gave_up);
	want("A901 A940 reclaim9 =0 compact9,1 A100"); // CPUSET is gone too: SP-14
	for (unsigned round = 3; round <= 5; round++)
		want("A100 reclaim9 =0 compact9,1");
	assert_trace(T_WORK);
}

// 2.6: the hole: bulk requests fall back although defrag_mode is on; the single page that follows does not.
static void T26_bulk(void **state)
{
	uint32_t pfns[4] = { NONE, NONE, NONE, NONE };

	(void)state;
	build_pieces(defrag);
	direct(false);
	assert_int_equal(yard_alloc_bulk(yard, GFP_U, 4, pfns), 4);
	assert_true(pollutions() >= 1);
	assert_int_equal(count_events(YARD_EVENT_WAKEUP_KSWAPD), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(pfns[i], base + 256, base + 511);
}

// ---- 3.3: kswapd ----

static struct kswapd *kswapd(void)
{
	return &yard->mm[0].kswapd;
}

static void wake(uint32_t gfp, unsigned order, unsigned highest)
{
	wakeup_kswapd(yard, normal(), gfp, order, highest);
}

static void KS1_wake(void **state)
{
	(void)state;
	build_pile(defrag, MOVABLE_PAGES); // order 0 is balanced, order 9 is not
	yard_kswapd_run(yard, 0, true);
	wake(GFP_U, 0, NORMAL);
	assert_trace(T_WAKES); // balanced: nothing
	wake(GFP_U, 4, YARD_ZONE_DMA32);
	wake(GFP_U, 9, NORMAL);
	want("kswapd9");
	assert_trace(T_WAKES);
	assert_int_equal(kswapd()->order, 9);
	assert_int_equal(kswapd()->highest_zone, NORMAL);
	wake(GFP_U, 10, YARD_ZONE_MOVABLE); // awake: only recorded
	wake(GFP_U, 3, NORMAL);
	assert_trace(T_WAKES);
	assert_int_equal(kswapd()->order, 10);
	assert_int_equal(kswapd()->highest_zone, YARD_ZONE_MOVABLE);
}

// KS-1, KC-4: who cannot reclaim, wakes kcompactd instead, of a node that is hopeless or has enough pages.
static void KS1_kcompactd_instead(void **state)
{
	static const struct { uint32_t gfp; unsigned order; bool hopeless; const char *wakes; } cases[] = {
		{ YARD_GFP_ATOMIC, 9, true, "kcompactd9" }, { GFP_U, 9, true, "" },
		{ YARD_GFP_NOWAIT, 3, true, "kcompactd3" },
		{ YARD_GFP_ATOMIC, 0, true, "" }, { YARD_GFP_ATOMIC, 9, false, "kswapd9" }, { GFP_U, 9, false, "kswapd9" },
	};
	struct yard_wait wait;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		build_pile(defrag, MOVABLE_PAGES);
		yard_kswapd_run(yard, 0, true);
		yard_kcompactd_step(yard, 0, false, &wait); // goes to sleep
		yard_kswapd_hopeless(yard, 0, cases[i].hopeless);
		forget_events();
		wake(cases[i].gfp, cases[i].order, NORMAL);
		if (*cases[i].wakes)
			want("%s", cases[i].wakes);
		assert_trace(T_WAKES);
	}
	build_pile(defrag, MOVABLE_PAGES); // not hopeless: boosted and balanced
	yard_kswapd_run(yard, 0, true);
	normal()->boost = 1;
	wake(GFP_U, 0, NORMAL);
	want("kswapd0");
	assert_trace(T_WAKES);
}

// KS-2: 832 scattered pages and 4 whole blocks.
static void KS2_balance(void **state)
{
	static const struct { const char *policy; unsigned order; uint32_t most; } cases[] = {
		{ "linux-7.3,defrag_mode=1", 0, 832 + 2048 },
		{ "linux-7.3,defrag_mode=1", 9, 2048 - 511 },
		{ "linux-7.3,defrag_mode=1", 1, 2048 - 1 },
		{ "linux-7.3", 9, 832 + 2048 - 511 },
		{ "linux-7.3,defrag_mode=1,block_watermarks=off", 9, 832 + 2048 - 511 },
		{ "linux-7.3,defrag_mode=1,kswapd_order0_handoff=off", 0, 2048 },
		{ "linux-7.3,defrag_mode=1,kswapd_order0_handoff=off,block_watermarks=off", 0, 832 + 2048 },
		{ "defrag-6.15", 0, 2048 }, { "defrag-6.16", 0, 832 + 2048 },
		{ "linux-7.3,kswapd_order0_handoff=off", 0, 832 + 2048 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		blank_config(owned_config(cases[i].policy), 8192);
		give_free_range(0, 2048);
		for (uint32_t offset = 2048; offset < 8192; offset++)
			if (offset % 7 == 0 && offset < 2048 + 832 * 7)
				give_free(offset, 0);
			else
				give_used(offset, offset + 1, false);
		ready();
		assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES], 832 + 2048);
		set_wmarks(normal(), 1, 1, cases[i].most - 1);
		assert_true(node_balanced(yard, 0, cases[i].order, NORMAL));
		set_wmarks(normal(), 1, 1, cases[i].most);
		assert_false(node_balanced(yard, 0, cases[i].order, NORMAL));
	}
}

// KS-2, E-12: all free CMA and HIGHATOMIC pages leave the count of whole blocks, also those that are not in whole blocks.
static void KS2_unusable_pages(void **state)
{
	(void)state;
	blank_config(owned_config(defrag), 8192);
	give_type(4096, C);
	give_type(4608, H);
	give_free_range(0, 2048);
	give_free_range(4096, 4096 + 100);
	give_free_range(4608, 4608 + 30);
	give_used(2048, 4096, false);
	give_used(4196, 4608, false);
	give_used(4638, 8192, false);
	ready();
	set_wmarks(normal(), 1, 1, 2048 - 511 - 130 - 1);
	assert_true(node_balanced(yard, 0, 9, NORMAL));
	set_wmarks(normal(), 1, 1, 2048 - 511 - 130);
	assert_false(node_balanced(yard, 0, 9, NORMAL));
}

static void KS2_drift(void **state)
{
	(void)state;
	for (unsigned exact = 0; exact < 2; exact++) {
		struct yard_config config = owned_config(exact ? "linux-7.3" : "linux-7.3,drift_snapshot=off");

		config.exact_counters = false;
		build_normal(config, 8192);
		set_wmarks(normal(), 1, 1, 8000);
		normal()->drift_mark = 10000;
		zone_pcp(normal(), 0)->diff[YARD_NR_FREE_PAGES] = -300;
		assert_int_equal(node_balanced(yard, 0, 0, NORMAL), !exact);
		normal()->drift_mark = 8000; // the count is not below it
		assert_true(node_balanced(yard, 0, 0, NORMAL));
	}
}

// Steps of kswapd until it waits; the last wait is in *wait.
static void run_kswapd(bool woken, struct yard_wait *wait, unsigned max_steps)
{
	do {
		yard_kswapd_step(yard, 0, woken, wait);
		woken = false;
	} while (wait->kind == YARD_WAIT_NONE && --max_steps);
}

static void start_kswapd(const char *policy, unsigned pile, unsigned order)
{
	struct yard_wait wait;

	build_pile(policy, pile);
	yard_kswapd_run(yard, 0, true);
	run_kswapd(false, &wait, 10);
	yard_kcompactd_step(yard, 0, false, &wait);
	forget_events();
	wakeup_kswapd(yard, normal(), GFP_U, order, NORMAL);
}

// KS-3, KS-4: the run for whole blocks goes over to base pages, which are balanced; kcompactd is woken for the order
// that was asked for; a nap of 0.1 s, then sleep.
static void KS4_hand_off_and_sleep(void **state)
{
	struct yard_wait wait;
	const int64_t *a;

	(void)state;
	start_kswapd(defrag, MOVABLE_PAGES, 9);
	run_kswapd(true, &wait, 100);
	assert_int_equal(count_events(YARD_EVENT_BALANCE_PGDAT_BEGIN), 1);
	a = last_event(YARD_EVENT_BALANCE_PGDAT_BEGIN)->args;
	assert_int_equal(a[1], 9);
	assert_int_equal(a[2], NORMAL);
	a = last_event(YARD_EVENT_BALANCE_PGDAT_END)->args;
	assert_int_equal(a[1], 0); // the order after KS-3
	assert_true(a[3] >= 32);
	want("kswapd9 kcompactd9");
	assert_trace(T_WAKES);
	assert_int_equal(wait.kind, YARD_WAIT_QUEUE);
	assert_int_equal(wait.timeout_ns, 100 * msec);
	assert_int_equal(vm(YARD_VM_PAGEOUTRUN), 1);
	yard->host.now_ns += 100 * msec;
	run_kswapd(false, &wait, 100);
	assert_int_equal(count_events(YARD_EVENT_KSWAPD_SLEEP), 1);
	assert_int_equal(wait.timeout_ns, UINT64_MAX);
}

static void KS3_gap(void **state)
{
	static const struct { const char *policy; int64_t gap; } cases[] = {
		{ "linux-7.3,defrag_mode=1", 32 }, { "linux-7.3,defrag_mode=1,gap_cap=off", 1024 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct yard_wait wait;
		const int64_t *a;

		start_kswapd(cases[i].policy, MOVABLE_PAGES, 9);
		run_kswapd(true, &wait, 100);
		a = last_event(YARD_EVENT_BALANCE_PGDAT_END)->args;
		assert_int_equal(a[1], 0);
		assert_true(a[3] >= cases[i].gap);
		assert_true(a[3] < 2 * cases[i].gap + 32); // and not much more
	}
}

// KS-4: before the fix the test after the order drop demanded whole blocks: kswapd went on and on.
static void KS4_without_the_hand_off(void **state)
{
	size_t runs[2];

	(void)state;
	for (unsigned off = 0; off < 2; off++) {
		struct yard_wait wait;

		start_kswapd(off ? "linux-7.3,defrag_mode=1,kswapd_order0_handoff=off" : defrag, MOVABLE_PAGES, 9);
		for (unsigned step = 0; step < 60; step++)
			yard_kswapd_step(yard, 0, !step, &wait);
		runs[off] = reclaimed();
	}
	assert_true(runs[1] > 2 * runs[0]);
}

// KS-5: a boosted run wakes kcompactd for whole blocks, with or without defrag_mode.
static void KS5_boosted_run(void **state)
{
	static const char *const policies[] = { "linux-7.3", "linux-7.3,defrag_mode=1" };

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		struct yard_wait wait;

		build_pile(policies[i], MOVABLE_PAGES);
		yard_kswapd_run(yard, 0, true);
		run_kswapd(false, &wait, 10);
		yard_kcompactd_step(yard, 0, false, &wait);
		forget_events();
		normal()->boost = 500;
		wakeup_kswapd(yard, normal(), 0, 0, NORMAL);
		run_kswapd(true, &wait, 200);
		want("kswapd0 kcompactd9");
		assert_trace(T_WAKES);
		assert_int_equal(normal()->boost, 0);
	}
}

// ---- 3.4: kcompactd ----

static void KC1_mark(void **state)
{
	static const struct { const char *policy; unsigned mark; } cases[] = {
		{ "linux-7.3", ALLOC_WMARK_MIN }, { "linux-7.3,defrag_mode=1", ALLOC_WMARK_HIGH },
		{ "linux-7.3,kcompactd_high_always=on", ALLOC_WMARK_HIGH }, { "defrag-3of5", ALLOC_WMARK_MIN },
		{ "linux-7.3,defrag_mode=1,block_watermarks=off", ALLOC_WMARK_MIN }, { "defrag-6.15", ALLOC_WMARK_HIGH },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		build_normal(owned_config(cases[i].policy), 8192);
		assert_int_equal(kcompactd_flags(yard) & ALLOC_WMARK_MASK, cases[i].mark);
	}
}

static enum compact_result gate(void)
{
	return compaction_suit_allocation_order(yard, normal(), 9, NORMAL, kcompactd_flags(yard), false, true);
}

static void KC2_gate(void **state)
{
	(void)state;
	build_pile(defrag, MOVABLE_PAGES); // 832 free, no block
	set_wmarks(normal(), 64, 80, PILE_FREE - 32 - 16 - 1);
	assert_int_equal(gate(), COMPACT_CONTINUE);
	set_wmarks(normal(), 64, 80, PILE_FREE - 32 - 16);
	assert_int_equal(gate(), COMPACT_SKIPPED);
	build_pile("linux-7.3", MOVABLE_PAGES); // min
	set_wmarks(normal(), 64, 80, PILE_FREE - 32 - 16);
	assert_int_equal(gate(), COMPACT_CONTINUE);
	for (unsigned by_blocks = 0; by_blocks < 2; by_blocks++) { // (a): a block, and scattered pages
		blank_config(owned_config(by_blocks ? defrag : "linux-7.3,kcompactd_high_always=on"), 8192);
		give_free(0, 9);
		for (uint32_t offset = 512; offset < 8192; offset++)
			if (offset % 4 == 1)
				give_free(offset, 0);
			else
				give_used(offset, offset + 1, false);
		ready();
		set_wmarks(normal(), 64, 80, 200);
		assert_int_equal(gate(), by_blocks ? COMPACT_CONTINUE : COMPACT_SUCCESS);
	}
}

static void run_kcompactd(struct yard_wait *wait, bool woken)
{
	unsigned steps = 100;

	do {
		yard_kcompactd_step(yard, 0, woken, wait);
		woken = false;
	} while (wait->kind == YARD_WAIT_NONE && --steps);
	assert_int_not_equal(steps, 0);
}

static void start_kcompactd(const char *policy, unsigned pile, uint32_t high)
{
	struct yard_config config = owned_config(policy);
	struct yard_wait wait;

	config.compaction_proactiveness = -1;
	build_pile_of(config, pile);
	set_wmarks(normal(), 0, 0, high);
	run_kcompactd(&wait, false);
	forget_events();
}

static void KC4_wake(void **state)
{
	(void)state;
	start_kcompactd(defrag, MOVABLE_PAGES, 100);
	wakeup_kcompactd(yard, 0, 0, NORMAL);
	assert_trace(T_WAKES);
	wakeup_kcompactd(yard, 0, 9, NORMAL);
	wakeup_kcompactd(yard, 0, 10, NORMAL); // awake
	want("kcompactd9");
	assert_trace(T_WAKES);
	assert_int_equal(yard->mm[0].kcompactd.max_order, 10);
	start_kcompactd(defrag, MOVABLE_PAGES, 100);
	wakeup_kcompactd(yard, 0, 9, YARD_ZONE_DMA32); // no such zone has memory
	wakeup_kcompactd(yard, 0, 9, NORMAL); // the lowest is recorded (spec 03 K1)
	assert_trace(T_WAKES);
	assert_int_equal(yard->mm[0].kcompactd.highest_zone, YARD_ZONE_DMA32);
	start_kcompactd(defrag, MOVABLE_PAGES, PILE_FREE); // gated
	wakeup_kcompactd(yard, 0, 9, NORMAL);
	assert_trace(T_WAKES);
}

// KC-3, KC-5: 832 scattered pages make one whole block; that passes high = 0, but not 1, since all but one of its
// pages do not count (E-12).
static void KC5_runs(void **state)
{
	static const struct { const char *policy; uint32_t high; unsigned pile; const char *trace; } cases[] = {
		{ "linux-7.3,defrag_mode=1", 0, MOVABLE_PAGES, "kcompactd9 begin end8 reset9" },
		{ "linux-7.3,defrag_mode=1", 1, MOVABLE_PAGES, "kcompactd9 begin end6 defer9" },
		{ "linux-7.3", 1, MOVABLE_PAGES, "kcompactd9 begin end8 reset9" }, // min
		{ "linux-7.3", 1, ALL_PINNED, "kcompactd9 begin end6 defer9" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct yard_wait wait;

		start_kcompactd(cases[i].policy, cases[i].pile, cases[i].high);
		wakeup_kcompactd(yard, 0, 9, NORMAL);
		run_kcompactd(&wait, true);
		assert_int_equal(last_event(YARD_EVENT_KCOMPACTD_WAKE)->args[1], 9);
		assert_int_equal(last_event(YARD_EVENT_KCOMPACTD_WAKE)->args[2], NORMAL);
		assert_int_equal(count_events(YARD_EVENT_KCOMPACTD_SLEEP), 1);
		want("%s", cases[i].trace);
		assert_trace(T_WAKES | T_ZONES);
		assert_int_equal(yard->mm[0].kcompactd.max_order, 0); // pending order cleared
		assert_int_equal(vm(YARD_VM_COMPACT_DAEMON_WAKE), 1);
		assert_int_equal(vm(YARD_VM_COMPACT_DAEMON_MIGRATE_SCANNED), vm(YARD_VM_COMPACT_MIGRATE_SCANNED));
		assert_int_equal(vm(YARD_VM_COMPACT_STALL), 0);
		assert_verified();
	}
}

// KC-5: a deferred zone is left alone.
static void KC5_deferred(void **state)
{
	struct yard_wait wait;

	(void)state;
	start_kcompactd(defrag, MOVABLE_PAGES, 0);
	defer_compaction(yard, normal(), 9);
	forget_events();
	wakeup_kcompactd(yard, 0, 9, NORMAL);
	run_kcompactd(&wait, true);
	want("kcompactd9 deferred9");
	assert_trace(T_WAKES | T_ZONES);
	assert_int_equal(yard->mm[0].kcompactd.max_order, 0);
}

// ---- 3.6 ----

enum who { BACKGROUND, DIRECT };

struct source { // may a block of this type be emptied?
	enum who who;
	enum yard_migrate_mode mode;
	uint32_t gfp;
	unsigned order;
	bool may_use_cma;
	const char *typed, *blocks; // the block types, as letters
};

static const struct source sources[] = {
	{ BACKGROUND, YARD_MIGRATE_SYNC_LIGHT, GFP_U, 9, false, "UMRC", "UMRC" },
	{ DIRECT, YARD_MIGRATE_SYNC_LIGHT, GFP_U, 2, false, "UMRC", "UMR" },
	{ DIRECT, YARD_MIGRATE_SYNC_LIGHT, GFP_M, 2, true, "UMRC", "UMRC" },
	{ DIRECT, YARD_MIGRATE_SYNC_LIGHT, GFP_M, 2, false, "UMRC", "UMR" },
	{ DIRECT, YARD_MIGRATE_ASYNC, GFP_M, 2, true, "MC", "MC" },
	{ DIRECT, YARD_MIGRATE_ASYNC, GFP_M, 2, false, "MC", "M" },
	{ DIRECT, YARD_MIGRATE_ASYNC, GFP_U, 2, false, "U", "U" },
	{ DIRECT, YARD_MIGRATE_ASYNC, GFP_R, 2, false, "R", "R" },
	{ DIRECT, YARD_MIGRATE_ASYNC, GFP_R, 8, false, "R", "R" },
	{ DIRECT, YARD_MIGRATE_ASYNC, GFP_U, 9, false, "U", "M" },
	{ DIRECT, YARD_MIGRATE_ASYNC, GFP_U, 9, true, "U", "MC" },
	{ DIRECT, YARD_MIGRATE_ASYNC, GFP_R, 10, false, "R", "M" },
};

// Block 0 is full of pages that can move; all else is in use, but for the last block, which is free.
static bool takes_from(const char *policy, const struct source *s, unsigned type)
{
	struct compact_control cc = {
		.order = (int)s->order, .search_order = (int)s->order, .gfp = s->gfp, .mode = s->mode,
		.highest_zone = NORMAL,
		.direct_compaction = s->who == DIRECT, .alloc_flags = s->may_use_cma ? ALLOC_CMA : 0,
	};
	bool taken;

	blank_config(owned_config(policy), 8 * BLOCK);
	give_type(0, type);
	give_used(0, 7 * BLOCK, false);
	give_free(7 * BLOCK, 9);
	ready();
	for (uint32_t i = 0; i < BLOCK; i++)
		lru_page(i, ANON_PAGE, YARD_MAPPED);
	yard_lru_drain_all(yard);
	cc.zone = normal();
	compact_begin(yard, &cc);
	isolate_migratepages(yard, &cc);
	taken = cc.nr_migratepages > 0;
	putback_movable_pages(yard, &cc.migrate);
	return taken;
}

static void T36_sources(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++)
		for (unsigned blocks = 0; blocks < 2; blocks++) {
			static const unsigned types[] = { U, M, R, C };
			char taken[COUNT(types) + 1] = "";

			for (size_t t = 0; t < COUNT(types); t++)
				if (takes_from(blocks ? "linux-7.3" : "linux-7.3,source_rule=typed", &sources[i], types[t]))
					taken[strlen(taken)] = letter(types[t]);
			if (strcmp(taken, blocks ? sources[i].blocks : sources[i].typed))
				fail_msg("row %zu, %s: %s, expected %s", i, blocks ? "blocks" : "typed", taken,
					 blocks ? sources[i].blocks : sources[i].typed);
		}
}

// ---- 5 ----

static unsigned published; // records seen outside direct compaction
static bool in_compaction;

static void watch_captures(const struct yard_event *event)
{
	const struct yard_task *task = current_task(yard);

	if (event->kind == YARD_EVENT_TRY_TO_COMPACT_PAGES)
		in_compaction = true;
	if (event->kind == YARD_EVENT_WHY_ATTEMPT || event->kind == YARD_EVENT_COMPACT_RETRY)
		in_compaction = false;
	if (!in_compaction && event->kind != YARD_EVENT_COMPACTION_SUITABLE)
		published += task && task->capture;
	if (in_compaction && event->kind == YARD_EVENT_COMPACTION_BEGIN)
		assert_int_equal(task->capture->zone, NORMAL); // CP-1: set for the zone's run
	if (in_compaction && event->kind == YARD_EVENT_TRY_TO_COMPACT_PAGES)
		assert_int_equal(task->capture->zone, ZONE_MIXED);
}

// CP-1, CP-5: a movable request gets the very page that compaction frees for it.
static void CP5_captured(void **state)
{
	struct yard_task task = { .pid = 3 };

	(void)state;
	for (unsigned order = 1; order <= 9; order += 2) {
		struct yard_result result;

		build_pile(defrag, MOVABLE_PAGES);
		published = 0;
		on_event = watch_captures;
		yard_set_current(yard, &task);
		result = ask(GFP_M | YARD_GFP_RETRY_MAYFAIL, order, 0, 20);
		yard_set_current(yard, NULL);
		on_event = NULL;
		assert_int_not_equal(result.pfn, NONE);
		assert_null(task.capture);
		assert_int_equal(published, 0);
		if (order < 3)
			continue; // reclaim may have made it
		assert_int_equal(result.path, YARD_PATH_CAPTURE);
		assert_int_equal(vm(YARD_VM_COMPACT_SUCCESS), 1);
		assert_int_equal(vm(YARD_VM_COMPACT_STALL), vm(YARD_VM_COMPACT_SUCCESS) + vm(YARD_VM_COMPACT_FAIL));
		assert_int_equal(last_event(YARD_EVENT_COMPACTION_END)->args[5], COMPACT_SUCCESS);
		assert_verified();
	}
}

static void no_record(const struct yard_event *event)
{
	(void)event;
	assert_int_equal(yard->nr_captures, 0);
}

// CP-3: a kernel thread captures nothing: what it frees may be anybody's.
static void CP3_kernel_threads(void **state)
{
	struct yard_task task = { .pid = 3, .flags = YARD_TASK_KTHREAD };

	(void)state;
	build_pile(defrag, MOVABLE_PAGES);
	on_event = no_record;
	yard_set_current(yard, &task);
	assert_int_not_equal(ask(GFP_M | YARD_GFP_RETRY_MAYFAIL, 9, 0, 20).path, YARD_PATH_CAPTURE);
	yard_set_current(yard, NULL);
	on_event = NULL;
	assert_true(vm(YARD_VM_COMPACT_STALL) >= 1);
}

// CP-6: the block that a promoted request makes goes to the lists, where it is claimed.
static void CP6_promoted_requests_capture_nothing(void **state)
{
	struct yard_result result;

	(void)state;
	for (unsigned order = 0; order <= 3; order++) {
		build_pile(defrag, MOVABLE_PAGES);
		result = ask(GFP_U, order, 0, 20);
		assert_int_not_equal(result.pfn, NONE);
		assert_int_not_equal(result.path, YARD_PATH_CAPTURE);
		assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->a >= YARD_PAGEBLOCK_ORDER, 1);
		assert_int_equal(yard_pageblock_type(yard, result.pfn), U);
	}
	build_pile(defrag, MOVABLE_PAGES); // whole blocks are protected, and of another type (CP-4)
	result = ask(GFP_U | YARD_GFP_RETRY_MAYFAIL, 9, 0, 20);
	assert_int_equal(result.path, YARD_PATH_CAPTURE);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->order, 9);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->a, 9);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->b, M);
}

static void CP7_background(void **state)
{
	struct yard_wait wait;

	(void)state;
	start_kcompactd(defrag, MOVABLE_PAGES, 0);
	on_event = no_record;
	wakeup_kcompactd(yard, 0, 9, NORMAL);
	run_kcompactd(&wait, true);
	on_event = NULL;
	assert_int_equal(last_event(YARD_EVENT_COMPACTION_END)->args[5], COMPACT_SUCCESS);
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], BLOCK); // on the lists
	assert_verified();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		TEST(DM1_at_run_time), TEST(DM1_in_the_middle_of_a_call), TEST(DM3_only_whole_blocks),
		TEST(DM4_once_for_each_init),
		TEST(T26_bulk), TEST(KS1_wake), TEST(KS1_kcompactd_instead), TEST(KS2_balance), TEST(KS2_unusable_pages),
		TEST(KS2_drift), TEST(KS4_hand_off_and_sleep), TEST(KS3_gap), TEST(KS4_without_the_hand_off),
		TEST(KS5_boosted_run), TEST(KC1_mark), TEST(KC2_gate), TEST(KC4_wake), TEST(KC5_runs), TEST(KC5_deferred),
		TEST(T36_sources), TEST(CP5_captured), TEST(CP3_kernel_threads),
		TEST(CP6_promoted_requests_capture_nothing), TEST(CP7_background),
	};

	return cmocka_run_group_tests_name("spec02_defrag", tests, NULL, NULL);
}
