// SPDX-License-Identifier: Apache-2.0
//
// Taking used pages out of a block: throttle, the rows of C4.3, limits, giving up (spec 03 section 3.4).

#include "spec03_fixture.h"

enum { BLOCKS = 4, END = BLOCKS * BLOCK };

#define SCANS KIND(ISOLATE_MIGRATEPAGES)

static void scan(uint32_t from) // one block
{
	cc.migrate_pfn = base + from;
	cc.free_pfn = block_end(cc.migrate_pfn);
	isolate_migratepages(yard, &cc);
}

static int64_t isolated_pages(void)
{
	return node_counter(YARD_NODE_ISOLATED_ANON) + node_counter(YARD_NODE_ISOLATED_FILE);
}

// ---- C4.1 ----

static struct {
	unsigned waits, yields, wakes, queue;
	uint64_t timeout;
	unsigned until; // so many waits or yields later there are few isolated pages again
	unsigned signal_at;
} host;

static struct yard_task task;

static void others_put_back(unsigned n)
{
	if (n == host.until)
		yard->mm[0].stat[YARD_NODE_ISOLATED_FILE] = 0;
	if (n == host.signal_at)
		task.flags |= YARD_TASK_SIGNAL;
}

static uint64_t host_wait(void *context, unsigned queue, uint64_t timeout_ns)
{
	(void)context;
	host.queue = queue;
	host.timeout = timeout_ns;
	others_put_back(++host.waits);
	return timeout_ns;
}

static void host_wake(void *context, unsigned queue)
{
	(void)context;
	host.wakes += queue == YARD_QUEUE_ISOLATED;
}

static void host_yield(void *context)
{
	(void)context;
	others_put_back(++host.yields);
}

static void set_host(uint32_t flags, unsigned until, unsigned signal_at)
{
	memset(&host, 0, sizeof host);
	host.until = until;
	host.signal_at = signal_at;
	task = (struct yard_task){ .flags = flags };
	yard_set_current(yard, &task);
	yard->host.wait = host_wait;
	yard->host.wake = host_wake;
	yard->host.yield = host_yield;
}

static void build_lru(unsigned active)
{
	blank_mover("linux-7.3", END);
	give_lru(0, 1600 - active);
	give_used(1600 - active, END, false);
	start();
	for (unsigned i = 1600 - active; i < 1600; i++)
		lru_page(i, YARD_PAGE_ACTIVE, YARD_UNMAPPED);
	yard_lru_drain_all(yard);
}

static enum isolate_result throttled(enum yard_migrate_mode mode, uint32_t gfp, int64_t isolated)
{
	control(mode, 9, true, gfp);
	cc.ignore_skip_hint = true;
	yard->mm[0].stat[YARD_NODE_ISOLATED_FILE] = isolated;
	forget_told();
	return isolate_migratepages(yard, &cc);
}

static void let_go(void)
{
	yard->mm[0].stat[YARD_NODE_ISOLATED_FILE] = (int64_t)cc.nr_migratepages;
	put_all_back();
}

static void C4_1_limits(void **state)
{
	static const struct {
		uint32_t gfp;
		unsigned active;
		int64_t limit;
	} rows[] = {
		{GFP_M, 0, 100}, {GFP_M & ~(uint32_t)YARD_GFP_FS, 0, 800}, {GFP_M, 804, 99}}; // 796 / 8 + 804 / 8 = 199

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		build_lru(rows[i].active);
		assert_int_equal(throttled(YARD_MIGRATE_ASYNC, rows[i].gfp, rows[i].limit + 1), ISOLATE_ABORT);
		assert_told(SCANS, ""); // not fired when throttled
		assert_int_equal(throttled(YARD_MIGRATE_ASYNC, rows[i].gfp, rows[i].limit),
				 ISOLATE_SUCCESS + (i == 1 ? -1 : 0));
		let_go();
	}
}

// As those that it moves, for which it needs destinations.
static void C4_1_who_holds_the_pages_does_not_wait(void **state)
{
	struct yard_task task = { .pid = 1, .migrating = 1 };

	(void)state;
	build_lru(0);
	set_host(0, 9, 0);
	yard_set_current(yard, &task);
	assert_int_equal(throttled(YARD_MIGRATE_SYNC, GFP_M, 101), ISOLATE_ABORT);
	assert_int_equal(host.waits, 0);
	yard_set_current(yard, NULL);
}

static void C4_1_sleeps_until_others_put_back(void **state)
{
	(void)state;
	build_lru(0);
	set_host(0, 3, 0);
	yard->mm[0].throttle[YARD_QUEUE_ISOLATED].sleepers = 1;
	assert_int_equal(throttled(YARD_MIGRATE_SYNC_LIGHT, GFP_M, 101), ISOLATE_SUCCESS);
	assert_int_equal(host.waits, 3);
	assert_int_equal(host.queue, YARD_QUEUE_ISOLATED);
	assert_int_equal(host.timeout, 20 * NSEC_PER_MSEC);
	assert_int_equal(host.wakes, 1); // others who sleep there
	yard->mm[0].throttle[YARD_QUEUE_ISOLATED].sleepers = 0;
	let_go();
	set_host(0, 2, 0);
	assert_int_equal(throttled(YARD_MIGRATE_SYNC, GFP_M, 101), ISOLATE_SUCCESS);
	assert_int_equal(host.waits, 2);
	let_go();
	set_host(YARD_TASK_KTHREAD, 5, 0); // kcompactd spins
	assert_int_equal(throttled(YARD_MIGRATE_SYNC_LIGHT, GFP_M, 101), ISOLATE_SUCCESS);
	assert_int_equal(host.waits, 0);
	assert_true(host.yields >= 5);
	let_go();
	set_host(YARD_TASK_KTHREAD | YARD_TASK_KSWAPD, 1, 0);
	assert_int_equal(throttled(YARD_MIGRATE_SYNC_LIGHT, GFP_M, 101), ISOLATE_SUCCESS);
	assert_int_equal(host.waits, 1);
	let_go();
	set_host(0, 9, 2); // a fatal signal
	assert_int_equal(throttled(YARD_MIGRATE_SYNC_LIGHT, GFP_M, 101), ISOLATE_ABORT);
	assert_int_equal(host.waits, 2);
	assert_int_equal(cc.nr_migratepages, 0);
	assert_told(SCANS, "");
	yard->mm[0].stat[YARD_NODE_ISOLATED_FILE] = 0;
	yard_set_current(yard, NULL);
}

static void C4_1_pages_that_wait_do_not_wait_for_others(void **state)
{
	(void)state;
	build_lru(0);
	set_host(0, 9, 0);
	assert_int_equal(throttled(YARD_MIGRATE_SYNC, GFP_M, 0), ISOLATE_SUCCESS);
	yard->mm[0].stat[YARD_NODE_ISOLATED_FILE] += 1000;
	assert_int_equal(isolate_migratepages(yard, &cc), ISOLATE_ABORT);
	assert_int_equal(host.waits, 0);
	let_go();
	yard_set_current(yard, NULL);
}

// ---- C4.2 ----

static bool signal_at_40(uint32_t offset, enum yard_migrate_mode mode)
{
	(void)mode;
	if (offset == 40)
		task.flags |= YARD_TASK_SIGNAL;
	return true;
}

static void C4_2_fatal_signal(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_used(0, END, false);
	start();
	lru_page(3, 0, YARD_UNMAPPED);
	lru_page(40, YARD_PAGE_DIRTY, YARD_UNMAPPED);
	lru_page(63, 0, YARD_UNMAPPED);
	lru_page(64, 0, YARD_UNMAPPED);
	yard_lru_drain_all(yard);
	set_host(0, 0, 0);
	mover.may_move = signal_at_40;
	control(YARD_MIGRATE_SYNC_LIGHT, 9, true, GFP_M);
	assert_int_equal(isolate_migratepages(yard, &cc), ISOLATE_ABORT);
	assert_true(cc.contended);
	assert_told(SCANS, "");
	assert_list(&cc.migrate, "[63,40,3]");
	assert_int_equal(host.yields, 2); // at 0 and 32
	put_all_back();
	yard_set_current(yard, NULL);
}

// ---- C4.3 ----

static bool say_no(uint32_t offset, enum yard_migrate_mode mode)
{
	(void)offset, (void)mode;
	return false;
}

static void C4_3_rows_of_kinds(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_free(0, 3);
	give_lru_block(8, 2);
	give_lru_block(12, 1);
	give_used(14, 15, true);
	give_free(15, 0);
	give_lru_block(16, 4);
	give_lru_block(32, 3);
	give_block(40, 1);
	give_used(42, END, false);
	start();
	yard_set_movable_ops(yard, base + 43, true);
	control(YARD_MIGRATE_SYNC_LIGHT, 3, false, GFP_M);
	scan(0);
	assert_list(&cc.migrate, "[43,14,12,8]");
	assert_int_equal(cc.nr_migratepages, 8);
	assert_int_equal(isolated_pages(), 7); // not those of movable operations
	assert_int_equal(mover.asked[0], 43);
	for (size_t i = 0; i < nr_told; i++) // rows of the first frames only
		if (told[i].kind == YARD_EVENT_WHY_ISOLATE_FAILED && told[i].args[0] < 42)
			assert_int_equal(told[i].args[1], told[i].args[0] == 16 || told[i].args[0] == 32 ? 4 : 5);
	assert_told(SCANS, "isolate_migratepages(0,512,512,8)");
	assert_int_equal(word_place(frame_word(yard, base + 43)), PLACE_MOVABLE_TAKEN);
	put_all_back();
	assert_int_equal(word_place(frame_word(yard, base + 43)), PLACE_MOVABLE_OPS);
	mover.may_move = say_no;
	control(YARD_MIGRATE_SYNC, -1, false, GFP_M); // order -1: all but whole blocks
	cc.ignore_skip_hint = true;
	scan(0);
	assert_list(&cc.migrate, "[32,16,14,12,8]");
	assert_int_equal(cc.nr_migratepages, 31);
	for (size_t i = 0; i < nr_told; i++)
		if (told[i].kind == YARD_EVENT_WHY_ISOLATE_FAILED && told[i].args[0] == 43)
			assert_int_equal(told[i].args[1], 5);
	put_all_back();
}

static enum { FREES, TURNS_OFF, ADDS } owner_does;

static bool owner_acts(uint32_t offset, enum yard_migrate_mode mode)
{
	(void)mode;
	if (owner_does == FREES)
		free_at(offset, 0);
	else if (owner_does == TURNS_OFF)
		yard_set_movable_ops(yard, base + offset, false);
	else
		yard_set_lru(yard, base + offset, true);
	return true;
}

// Rows 5 and 13: what its owner has done with the page since the scanner looked at it.
static void C4_3_pages_that_change_meanwhile(void **state)
{
	(void)state;
	for (unsigned movable_ops = 0; movable_ops < 2; movable_ops++)
		for (owner_does = FREES; owner_does <= ADDS; owner_does++) {
			bool lost = movable_ops || owner_does != ADDS; // TURNS_OFF takes it off the LRU as well

			blank_mover("linux-7.3", END);
			give_used(0, END, false);
			start();
			if (movable_ops)
				yard_set_movable_ops(yard, base + 5, true);
			else
				lru_page(5, YARD_PAGE_DIRTY, YARD_UNMAPPED);
			yard_lru_drain_all(yard);
			mover.may_move = owner_acts;
			control(YARD_MIGRATE_SYNC_LIGHT, 9, false, GFP_M);
			scan(0);
			assert_int_equal(mover.nr_asked, 1);
			assert_list(&cc.migrate, lost ? "[]" : "[5]");
			assert_told(SCANS,
				    lost ? "isolate_migratepages(0,512,512,0)" : "isolate_migratepages(0,512,512,1)");
			assert_int_equal(yard_frame_state(yard, base + 5, NULL, NULL),
					 owner_does == FREES ? YARD_FRAME_BUDDY : YARD_FRAME_ALLOCATED);
			put_all_back();
		}
}

// An owner who frees a page of movable operations, or takes them from it, while compaction holds it.
static void C4_3_taken_pages_that_change(void **state)
{
	(void)state;
	for (owner_does = FREES; owner_does <= TURNS_OFF; owner_does++) {
		blank_mover("linux-7.3", END);
		give_used(0, END, false);
		start();
		yard_set_movable_ops(yard, base + 5, true);
		control(YARD_MIGRATE_SYNC_LIGHT, 9, false, GFP_M);
		scan(0);
		assert_list(&cc.migrate, "[5]");
		owner_acts(5, YARD_MIGRATE_ASYNC);
		assert_int_equal(yard_frame_state(yard, base + 5, NULL, NULL), YARD_FRAME_ALLOCATED); // held
		put_all_back();
		assert_int_equal(yard_frame_state(yard, base + 5, NULL, NULL),
				 owner_does == FREES ? YARD_FRAME_BUDDY : YARD_FRAME_ALLOCATED);
	}
}

enum { NOFS = GFP_M & ~(uint32_t)YARD_GFP_FS };

// One page on the LRU at frame 5, and what becomes of it.
static void check_page(uint32_t flags, unsigned mode, uint32_t gfp, bool owner_agrees, unsigned row, size_t asked)
{
	char expected[64] = "";

	nr_told = 0;
	mover.nr_asked = 0;
	mover.may_move = owner_agrees ? NULL : say_no;
	lru_page(5, flags & ~(uint32_t)YARD_PAGE_WRITEBACK, YARD_MAPPED);
	if (flags & YARD_PAGE_WRITEBACK)
		assert_int_equal(yard_writeback_begin(yard, base + 5), YARD_OK);
	yard_lru_drain_all(yard);
	control((enum yard_migrate_mode)mode, 9, false, gfp);
	cc.ignore_skip_hint = true;
	scan(0);
	if (row)
		snprintf(expected, sizeof expected, "refused(5,%u)", row);
	for (size_t i = 0; i < nr_told; i++)
		if (told[i].kind == YARD_EVENT_WHY_ISOLATE_FAILED && told[i].args[0] != 5)
			told[i].kind = 0;
	if (cc.nr_migratepages != !row)
		print_message("flags %x mode %u gfp %x\n", flags, mode, gfp);
	assert_told(REFUSALS, expected);
	assert_int_equal(cc.nr_migratepages, !row);
	assert_int_equal(mover.nr_asked, asked);
	assert_int_equal(node_counter(flags & YARD_PAGE_SWAPBACKED ? YARD_NODE_ISOLATED_ANON : YARD_NODE_ISOLATED_FILE),
			 !row);
	put_all_back();
	if (flags & YARD_PAGE_WRITEBACK)
		yard_writeback_end(yard, base + 5);
	free_at(5, 0);
	assert_int_equal(yard_force_allocated(yard, base + 5, 0) >= 0, 1);
}

static void build_one(bool unevictable_allowed)
{
	struct yard_config config = mover_config("linux-7.3");

	config.no_compact_unevictable = !unevictable_allowed;
	blank_config(config, END);
	give_used(0, END, false);
	start();
}

static void C4_3_rows_of_states(void **state)
{
	enum { ASYNC = YARD_MIGRATE_ASYNC, LIGHT = YARD_MIGRATE_SYNC_LIGHT, SYNC = YARD_MIGRATE_SYNC };
	enum { PIN = YARD_PAGE_PINNED, CACHE = YARD_PAGE_SWAPCACHE, DIRTY = YARD_PAGE_DIRTY, WB = YARD_PAGE_WRITEBACK,
	       LOCKED = YARD_PAGE_UNEVICTABLE };

	(void)state;
	build_one(true);
	for (unsigned mode = ASYNC; mode <= SYNC; mode++) {
		check_page(ANON_PAGE, mode, GFP_M, false, 0, 0);
		check_page(ANON_PAGE | PIN, mode, GFP_M, true, 7, 0);
		check_page(ANON_PAGE | PIN | CACHE, mode, GFP_M, true, 0, 0); // has a mapping: migration will find out
		check_page(FILE_PAGE | PIN, mode, GFP_M, true, 0, 0);
		check_page(ANON_PAGE, mode, NOFS, true, 0, 0);
		check_page(ANON_PAGE | CACHE, mode, NOFS, true, 8, 0);
		check_page(FILE_PAGE, mode, NOFS, true, 8, 0);
		check_page(SHMEM_PAGE, mode, NOFS, true, 8, 0);
		check_page(FILE_PAGE | WB, mode, GFP_M, true, mode == SYNC ? 0 : 11, 0);
		check_page(FILE_PAGE | DIRTY, mode, GFP_M, true, 0, mode != SYNC);
		check_page(FILE_PAGE | DIRTY, mode, GFP_M, false, mode == SYNC ? 0 : 12, mode != SYNC);
		check_page(FILE_PAGE | LOCKED, mode, GFP_M, true, 0, 1);
		check_page(FILE_PAGE | LOCKED, mode, GFP_M, false, 12, 1);
		check_page(FILE_PAGE | DIRTY | WB, mode, NOFS, false, 8, 0); // in the order of the rows
		check_page(FILE_PAGE | DIRTY | WB, ASYNC, GFP_M, false, 11, 0);
	}
	build_one(false);
	check_page(FILE_PAGE | LOCKED, SYNC, GFP_M, true, 10, 0);
	check_page(ANON_PAGE | LOCKED | PIN, SYNC, GFP_M, true, 7, 0);
	check_page(FILE_PAGE | LOCKED, SYNC, NOFS, true, 8, 0);
}

static void C4_3_row_10_not_for_alloc_contig(void **state)
{
	(void)state;
	build_one(false);
	lru_page(5, YARD_PAGE_UNEVICTABLE, YARD_MAPPED);
	yard_lru_drain_all(yard);
	control(YARD_MIGRATE_SYNC, -1, false, GFP_M);
	cc.alloc_contig = cc.ignore_skip_hint = cc.no_set_skip_hint = true;
	scan(0);
	assert_list(&cc.migrate, "[5]");
	put_all_back();
}

static void C4_3_row_4_not_for_alloc_contig(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_lru_block(0, 9);
	give_used(BLOCK, END, false);
	start();
	control(YARD_MIGRATE_SYNC, -1, false, GFP_M);
	cc.alloc_contig = cc.ignore_skip_hint = cc.no_set_skip_hint = true;
	assert_int_equal(isolate_migratepages_range(yard, &cc, base, base + BLOCK), ISOLATE_OK);
	assert_list(&cc.migrate, "[0]");
	assert_int_equal(cc.nr_migratepages, BLOCK);
	put_all_back();
}

// ---- C4.4 ----

static void C4_4_contention(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < 3; mode++) {
		blank_mover("linux-7.3", END);
		give_lru(0, END);
		start();
		yard_sim_set_lru_busy(yard, true);
		control((enum yard_migrate_mode)mode, 9, false, GFP_M);
		scan(0);
		assert_int_equal(cc.contended, mode == YARD_MIGRATE_ASYNC);
		assert_int_equal(cc.nr_migratepages,
				 mode == YARD_MIGRATE_ASYNC ? BLOCK : 32); // lifts the limit, stops nothing
		yard_sim_set_lru_busy(yard, false);
		put_all_back();
	}
}

// ---- C4.6, C4.7, C4.8 ----

static void C4_6_falling_order(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_used(0, 5, false);
	give_lru(5, 8);
	give_used(8, END, false);
	start();
	control(YARD_MIGRATE_SYNC, 9, false, GFP_M);
	scan(0);
	assert_list(&cc.migrate, "[7,6,5]");
	put_all_back();
}

static void C4_7_cluster_limit(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_lru(0, 30);
	give_used(30, 32, false);
	give_lru_block(32, 3);
	give_lru(40, 2 * BLOCK);
	give_used(2 * BLOCK, END, false);
	start();
	control(YARD_MIGRATE_SYNC, 9, false, GFP_M);
	scan(0);
	assert_told(SCANS, "isolate_migratepages(0,40,40,38)"); // a large page may pass it
	assert_int_equal(cc.nr_migratepages, 38);
	assert_int_equal(cc.total_migrate_scanned, 40);
	assert_int_equal(vm(YARD_VM_COMPACT_ISOLATED), 38);
	assert_at(cc.migrate_pfn, 40);
	put_all_back();
	cc.finish_pageblock = true;
	scan(40);
	assert_told(SCANS, "isolate_migratepages(40,512,472,472)");
	assert_at(hints()->cached_migrate[0], 2 * BLOCK); // C4.8: with finish_pageblock the end counts as reached
	assert_at(hints()->cached_migrate[1], 2 * BLOCK);
	put_all_back();
	cc.finish_pageblock = false;
	*hints() = (struct zone_compact){ 0 };
	scan(BLOCK - 32); // the end is reached, but something was isolated
	assert_told(SCANS, "isolate_migratepages(480,512,32,32)");
	assert_int_equal(hints()->cached_migrate[0], 0);
	put_all_back();
}

static void C4_8_a_large_page_across_the_end(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_used(0, BLOCK, false);
	give_lru_block(BLOCK, 10 - 1);
	give_used(2 * BLOCK, END, false);
	start();
	control(YARD_MIGRATE_SYNC, 10, false, GFP_M);
	scan(0);
	scan(BLOCK); // compound of a whole block: not even begun (C3.10)
	assert_told(SCANS, "isolate_migratepages(0,512,512,0)");
	assert_at(cc.migrate_pfn, 2 * BLOCK);
}

// ---- C4.9 ----

static void C4_9_gives_up_chunks(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_lru(0, 10);
	give_used(10, 11, false); // ends the first chunk of 16
	give_lru(11, 16);
	give_used(16, 17, false);
	give_lru(17, 32);
	give_free(32, 3); // no failure
	give_lru(40, 64);
	give_used(64, END, false);
	start();
	control(YARD_MIGRATE_ASYNC, 4, true, GFP_M);
	scan(0);
	// 0 to 10, 16, then 32 to 47: the chunk could be made, stop.
	assert_told(SCANS, "isolate_migratepages(0,48,28,8)");
	assert_list(&cc.migrate, "[47,46,45,44,43,42,41,40]");
	assert_int_equal(cc.nr_migratepages, 8);
	assert_int_equal(isolated_pages(), 8);
	put_all_back();
	control(YARD_MIGRATE_SYNC_LIGHT, 4, true, GFP_M); // other modes go on
	cc.ignore_skip_hint = true;
	scan(0);
	assert_told(SCANS, "isolate_migratepages(0,42,42,32)");
	put_all_back();
	control(YARD_MIGRATE_ASYNC, 4, false, GFP_M); // and so do others than direct runs
	cc.ignore_skip_hint = true;
	scan(0);
	assert_told(SCANS, "isolate_migratepages(0,42,42,32)");
	put_all_back();
}

static void C4_9_continuation_and_large_pages(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_lru(0, 4);
	give_lru_block(4, 2); // as large as the request
	give_free(8, 3);
	give_lru_block(16, 4); // larger than the rest of its chunk
	give_lru(32, 40);
	give_used(40, END, false);
	start();
	control(YARD_MIGRATE_ASYNC, 2, true, GFP_M);
	scan(2); // inside a chunk: `next` is that chunk's end
	assert_told(SCANS | REFUSALS, "isolate_migratepages(2,4,2,2)");
	put_all_back();
	scan(4);
	// Both refused and skipped whole; the chunk 32 to 35 can be made.
	assert_told(SCANS | REFUSALS, "refused(4,4) refused(16,4) isolate_migratepages(4,36,32,4)");
	put_all_back();
}

static void C4_9_a_whole_block(void **state)
{
	(void)state;
	blank_mover("linux-7.3", END);
	give_lru(0, 20);
	give_used(20, 21, false);
	give_lru(21, END);
	start();
	control(YARD_MIGRATE_ASYNC, 9, true, GFP_M);
	scan(0);
	assert_told(SCANS, "isolate_migratepages(0,512,21,0)");
	assert_int_equal(cc.nr_migratepages, 0);
	assert_int_equal(isolated_pages(), 0);
	assert_at(hints()->cached_migrate[0], 2 * BLOCK);
	assert_true(pageblock_skip(yard, base)); // set when its first LRU lock was taken
	put_all_back();
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(C4_1_limits),
		TEST(C4_1_who_holds_the_pages_does_not_wait), TEST(C4_1_sleeps_until_others_put_back),
		TEST(C4_1_pages_that_wait_do_not_wait_for_others),
		TEST(C4_2_fatal_signal),
		TEST(C4_3_rows_of_kinds),
		TEST(C4_3_rows_of_states),
		TEST(C4_3_row_10_not_for_alloc_contig),
		TEST(C4_3_row_4_not_for_alloc_contig),
		TEST(C4_3_pages_that_change_meanwhile),
		TEST(C4_3_taken_pages_that_change),
		TEST(C4_4_contention),
		TEST(C4_6_falling_order),
		TEST(C4_7_cluster_limit),
		TEST(C4_8_a_large_page_across_the_end),
		TEST(C4_9_gives_up_chunks),
		TEST(C4_9_continuation_and_large_pages),
		TEST(C4_9_a_whole_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
