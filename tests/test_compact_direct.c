// SPDX-License-Identifier: Apache-2.0
//
// Direct compaction: its zones, what it counts, and captured pages (spec 03 C6.5, C6.6, section 3.9).

#include "spec03_fixture.h"

enum { BLOCKS = 8, END = BLOCKS * BLOCK };

#define RUNS	(KIND(COMPACTION_BEGIN) | KIND(COMPACTION_END))

#define DEFERRAL (KIND(COMPACTION_DEFERRED) | KIND(COMPACTION_DEFER_COMPACTION) | KIND(COMPACTION_DEFER_RESET))

// Every other frame of [from, to) is free.
static void give_scattered(uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i += 2) {
		give_free(i, 0);
		give_used(i + 1, i + 2, false);
	}
}

// `lru` movable pages at the start of block 0; half of block 6 and 7 is free, in single frames.
static void build_run(const char *policy, uint32_t lru)
{
	blank_mover(policy, END);
	give_lru(0, lru);
	give_used(lru, 6 * BLOCK, false);
	give_scattered(6 * BLOCK, END);
	start();
	set_wmarks(normal(), 0, 0, 0);
}

// ---- C6.5, C2.8 ----

enum { DMA32 = YARD_ZONE_DMA32, LOW = 8 * BLOCK }; // zones of 8 blocks below and above 4 GiB

static void build_two_zones(void)
{
	const struct yard_range memory = { BASE - LOW, BASE + END, 0 };
	struct yard_config config = mover_config("linux-7.3");

	memset(&mover, 0, sizeof mover);
	config.restore = true;
	config.memory = &memory;
	config.nr_memory = 1;
	build(&config);
	yard_restore_mobility(yard, false);
	for (unsigned zone = DMA32; zone <= NORMAL; zone++) {
		struct yard_zone_state s = zone_state(zone);

		for (uint32_t pfn = (uint32_t)s.start_pfn; pfn < s.start_pfn + s.spanned; pfn++) {
			yard_restore_pageblock(yard, pfn, M);
			if (pfn % 2)
				yard_restore_allocated(yard, pfn, 1, false);
			else
				yard_restore_free(yard, pfn, 0, M);
		}
		s.managed = s.present;
		s.stat[YARD_NR_FREE_PAGES] = (int64_t)s.present / 2;
		for (unsigned i = 0; i < YARD_NR_WMARKS; i++)
			s.wmark[i] = i;
		assert_int_equal(yard_restore_zone(yard, zone, &s), YARD_OK);
	}
	assert_int_equal(yard_restore_finish(yard), YARD_OK);
	assert_verified();
	direct(true);
	hear_all();
}

static enum compact_result try_zones(uint32_t gfp, unsigned order, enum compact_priority priority)
{
	struct yard_request_capture capture;
	const struct alloc_context ctx = {.zonelist = yard->nodes[0].fallback,
					  .first = yard->nodes[0].fallback,
					  .highest_zone = NORMAL,
					  .gfp = gfp,
					  .order = (uint8_t)order,
					  .migratetype = M};
	static struct yard_task task;
	enum compact_result result;

	yard_set_current(yard, &task);
	capture_publish(yard, &capture, order, M);
	forget_told();
	result = try_to_compact_pages(yard, &ctx, order, 0, priority, &capture);
	assert_int_equal(capture.zone, ZONE_MIXED);
	capture_withdraw(yard, &capture);
	yard_set_current(yard, NULL);
	return result;
}

static void C6_5_zones_in_order(void **state)
{
	char expected[200];

	(void)state;
	build_two_zones();
	assert_int_equal(try_zones(GFP_M & ~(uint32_t)YARD_GFP_IO, 9, COMPACT_SYNC_LIGHT), COMPACT_SKIPPED);
	assert_told(~0ull, "");
	assert_int_equal(try_zones(GFP_M, 9, COMPACT_SYNC_LIGHT), COMPACT_PARTIAL_SKIPPED);
	snprintf(expected, sizeof expected,
		 "try_to_compact_pages(9,%d,1) begin(0,0,3584,4096,1) end(0,3584,3584,4096,1,6) "
		 "defer_compaction(0,2,9,0,1,0) begin(-4096,-4096,-512,0,1) end(-4096,-512,-512,0,1,6) "
		 "defer_compaction(0,1,9,0,1,0)",
		 GFP_M);
	assert_told(KIND(TRY_TO_COMPACT_PAGES) | RUNS | DEFERRAL, expected);
	assert_int_equal(try_zones(GFP_M, 9, COMPACT_SYNC_LIGHT), COMPACT_DEFERRED);
	assert_told(RUNS | DEFERRAL, "deferred(0,2,9,1,1,0) deferred(0,1,9,1,1,0)");
	assert_int_equal(try_zones(GFP_M, 9, COMPACT_SYNC_FULL), COMPACT_COMPLETE); // not asked; whole zone
	assert_told(DEFERRAL, "defer_compaction(0,2,9,0,2,0) defer_compaction(0,1,9,0,2,0)");
	yard->compact[NORMAL].considered = yard->compact[DMA32].considered = 10;
	assert_int_equal(try_zones(GFP_M, 9, COMPACT_ASYNC), COMPACT_PARTIAL_SKIPPED); // ASYNC never defers
	assert_told(DEFERRAL, "");
	set_wmarks(normal(), 5000, 5000, 5000);
	yard->compact[DMA32].considered = 0;
	assert_int_equal(try_zones(GFP_M, 9, COMPACT_SYNC_LIGHT), COMPACT_DEFERRED); // max(SKIPPED, DEFERRED)
	set_wmarks(normal(), 0, 0, 0);
	assert_int_equal(try_zones(GFP_M, 0, COMPACT_SYNC_LIGHT), COMPACT_SUCCESS); // stops at the first
	assert_told(RUNS | DEFERRAL, "defer_reset(0,2,0,4,2,1)");
}

static void C6_5_contended_beats_complete(void **state)
{
	(void)state;
	build_two_zones();
	set_wmarks(zone_at(yard, DMA32), LOW / 2 - 17, LOW / 2 - 17,
		   LOW / 2 - 17);	      // suitable, but 16 pages may be taken only
	for (uint32_t i = 1; i < 160; i += 4) // no chunk of order 3 becomes free
		yard_set_lru(yard, BASE - LOW + i, true);
	yard->mm[0].stat[YARD_NODE_INACTIVE_FILE] += 1 << 20; // C4.1
	assert_int_equal(try_zones(GFP_M, 3, COMPACT_SYNC_FULL), COMPACT_CONTENDED);
	assert_told(RUNS & ~KIND(COMPACTION_BEGIN), "end(0,3584,3584,4096,1,5) end(-4096,-3970,-482,0,1,7)");
}

static void C6_5_fatal_signal_stops(void **state)
{
	struct yard_request_capture capture;
	static struct yard_task task = { .flags = YARD_TASK_SIGNAL };

	(void)state;
	build_two_zones();
	yard_set_current(yard, &task);
	capture_publish(yard, &capture, 9, M);
	const struct alloc_context ctx = { .zonelist = yard->nodes[0].fallback, .first = yard->nodes[0].fallback,
					   .highest_zone = NORMAL, .gfp = GFP_M, .order = 9, .migratetype = M };
	forget_told();
	assert_int_equal(try_to_compact_pages(yard, &ctx, 9, 0, COMPACT_SYNC_LIGHT, &capture), COMPACT_CONTENDED);
	assert_told(RUNS & ~KIND(COMPACTION_END), "begin(0,0,3584,4096,1)"); // one zone only
	capture_withdraw(yard, &capture);
	yard_set_current(yard, NULL);
}

static void C1_1_priorities(void **state)
{
	static const struct {
		enum compact_priority priority;
		int64_t from, sync, mode; // block 2 is where the last run stopped
	} rows[] = {{COMPACT_ASYNC, 2 * BLOCK, 0, YARD_MIGRATE_ASYNC},
		    {COMPACT_SYNC_LIGHT, 2 * BLOCK, 1, YARD_MIGRATE_SYNC_LIGHT},
		    {COMPACT_SYNC_FULL, 0, 1, YARD_MIGRATE_SYNC_LIGHT}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		build_two_zones();
		for (uint32_t p = 0; p < END; p += BLOCK) {
			yard_set_lru(yard, base + p + 1, true);
			set_pageblock_skip(yard, base + p, true); // only SYNC_FULL does not care
		}
		hints()->cached_migrate[0] = hints()->cached_migrate[1] = BASE + 2 * BLOCK;
		try_zones(GFP_M, 9, rows[i].priority);
		assert_int_equal(told_nth(YARD_EVENT_TRY_TO_COMPACT_PAGES, 0)->args[2], rows[i].priority);
		assert_int_equal(told_nth(YARD_EVENT_COMPACTION_BEGIN, 0)->args[1] - base, rows[i].from);
		assert_int_equal(told_nth(YARD_EVENT_COMPACTION_BEGIN, 0)->args[4], rows[i].sync);
		assert_int_equal(count_told(YARD_EVENT_MIGRATE_PAGES) > 0, rows[i].priority == COMPACT_SYNC_FULL);
		if (rows[i].priority == COMPACT_SYNC_FULL)
			assert_int_equal(told_nth(YARD_EVENT_MIGRATE_PAGES, 0)->args[6], rows[i].mode);
	}
}

// ---- C6.6, P1 to P4 ----

// Block 0 of this type is full of movable pages but for one; there is room in scattered frames above.
static void build_block(const char *policy, unsigned type)
{
	blank_mover(policy, END);
	give_type(0, type);
	give_lru(0, BLOCK);
	give_used(BLOCK, 2 * BLOCK, false);
	give_scattered(2 * BLOCK, END);
	for (uint32_t i = 2; i < BLOCKS; i++)
		assert_int_equal(type_at(i * BLOCK), M);
	start();
	set_wmarks(normal(), 0, 0, 0);
	yard->mm[0].stat[YARD_NODE_INACTIVE_FILE] += 1 << 20; // C4.1
}

static void C6_6_success(void **state)
{
	struct yard_result result;
	uint64_t hits;

	(void)state;
	build_block("linux-7.3", M);
	hints()->blockskip_flush = true;
	hints()->defer_shift = 2;
	hints()->considered = 9;
	hits = zone_state(NORMAL).numa[YARD_NUMA_HIT];
	result = request(GFP_M | YARD_GFP_COMP, 9);
	assert_pfn(result.pfn, 0);
	assert_int_equal(result.path, YARD_PATH_CAPTURE);
	assert_int_equal(zone_state(NORMAL).numa[YARD_NUMA_HIT], hits); // spec 05 C3: captured pages are not counted
	assert_int_equal(result.migrated, BLOCK);
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), 1);
	assert_int_equal(vm(YARD_VM_COMPACT_SUCCESS), 1);
	assert_int_equal(vm(YARD_VM_COMPACT_FAIL), 0);
	assert_false(hints()->blockskip_flush);
	assert_told(DEFERRAL,
		    "defer_reset(0,2,9,4,2,10) defer_reset(0,2,9,0,0,10)"); // false by the zone, true by the page
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	yard->mm[0].stat[YARD_NODE_INACTIVE_FILE] -= 1 << 20;
	assert_verified();
}

static void C6_6_failure(void **state)
{
	struct yard_result result;

	(void)state;
	build_run("linux-7.3", 0);
	result = request((GFP_M | YARD_GFP_COMP | YARD_GFP_NORETRY) & ~(uint32_t)YARD_GFP_KSWAPD_RECLAIM, 9);
	assert_int_equal(result.pfn, NONE);
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), 2); // S1: before reclaim and after it
	assert_int_equal(vm(YARD_VM_COMPACT_FAIL), 2);
	assert_int_equal(vm(YARD_VM_COMPACT_SUCCESS), 0);
	set_wmarks(normal(), 600, 700, 800);
	forget_told();
	request(GFP_M | YARD_GFP_COMP | YARD_GFP_NORETRY, 9);
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), 2); // SKIPPED does not count
}

static void P1_who_captures(void **state)
{
	static const struct {
		unsigned type, order;
		uint32_t gfp;
		bool captured;
	} rows[] = {
		{M, 9, GFP_M, true},  {M, 9, GFP_U, true}, {U, 9, GFP_M, true}, {H, 9, GFP_M, true},
		{C, 9, GFP_M, false}, {M, 4, GFP_M, true}, {U, 4, GFP_U, true}, {R, 4, GFP_U, true},
		{M, 4, GFP_U, false}, {U, 4, GFP_M, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct yard_request_capture *r = &record;

		blank_mover("linux-7.3", END);
		give_type(0, rows[i].type);
		give_block(0, rows[i].order);
		give_used(1u << rows[i].order, END, false);
		start();
		begin_capture(NORMAL, rows[i].order, rows[i].gfp == GFP_U ? U : M, 9);
		free_at(0, rows[i].order);
		assert_int_equal(r->pfn == base, rows[i].captured);
		assert_int_equal(nr_free_pages(NORMAL), rows[i].captured ? 0 : 1 << rows[i].order);
		assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_EXTFRAG),
				 rows[i].captured && rows[i].type != (rows[i].gfp == GFP_U ? U : M));
		end_capture();
	}
}

static void P4_before_the_series(void **state)
{
	struct yard_result result;

	(void)state;
	build_block("linux-7.3,capture_match=compaction-order", M);
	begin_capture(NORMAL, 0, M, 9); // the chunk that is captured has the compaction's order
	free_at(0, 0);
	assert_int_equal(record.pfn, NONE);
	end_capture();
	build_block("defrag-6.16", M);
	result = request(GFP_U | YARD_GFP_NORETRY, 0); // order 0 never compacts
	assert_int_equal(count_told(YARD_EVENT_TRY_TO_COMPACT_PAGES), 0);
	assert_int_not_equal(result.path, YARD_PATH_CAPTURE);
}

static void P3_promoted_requests(void **state)
{
	struct yard_result result;

	(void)state;
	build_block("linux-7.3,defrag_mode=1", M);
	set_wmarks(normal(), 0, 0, 0);
	result = request(GFP_U, 0);
	assert_pfn(result.pfn, 0); // the block was made and then claimed by the ordinary path
	assert_int_equal(result.path, YARD_PATH_CLAIM);
	assert_int_equal(type_at(0), U);
	build_block("linux-7.3,defrag_mode=1", U);
	result = request(GFP_U, 0);
	assert_int_equal(result.path, YARD_PATH_CAPTURE); // an order-0 frame of a U block at once
	assert_int_equal(type_at(result.pfn - base), U);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(C6_5_zones_in_order), TEST(C6_5_contended_beats_complete), TEST(C6_5_fatal_signal_stops),
		TEST(C1_1_priorities), TEST(C6_6_success), TEST(C6_6_failure), TEST(P1_who_captures),
		TEST(P4_before_the_series), TEST(P3_promoted_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
