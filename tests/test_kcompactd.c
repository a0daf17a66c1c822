// SPDX-License-Identifier: Apache-2.0
//
// Background and manual compaction (spec 03 section 3.8).

#include "spec03_fixture.h"

enum { BLOCKS = 16, END = BLOCKS * BLOCK };
enum { FRAG_NS = 500 * NSEC_PER_MSEC };

#define KCOMPACTD (KIND(KCOMPACTD_SLEEP) | KIND(KCOMPACTD_WAKE) | KIND(WAKEUP_KCOMPACTD))
#define RUNS	  (KIND(COMPACTION_BEGIN) | KIND(COMPACTION_END))
#define DEFERRAL  (KIND(COMPACTION_DEFERRED) | KIND(COMPACTION_DEFER_COMPACTION) | KIND(COMPACTION_DEFER_RESET))

static struct yard_wait kwait;

static void step(bool woken)
{
	yard_kcompactd_step(yard, 0, woken, &kwait);
}

// Steps until it waits again.
static void steps(bool woken)
{
	unsigned n = 0;

	do {
		step(woken);
		woken = false;
		assert_in_range(++n, 1, 20);
	} while (kwait.kind == YARD_WAIT_NONE);
	assert_int_equal(kwait.queue, queue_of(0, YARD_QUEUE_KCOMPACTD));
}

static unsigned woken_queues;

static void host_wake(void *context, unsigned queue)
{
	(void)context;
	woken_queues += queue == YARD_QUEUE_KCOMPACTD;
}

// Each block: 64 scattered free frames; the others are on the LRU in the first `movable` blocks, else in use.
static void build_node_of(struct yard_config config, unsigned movable)
{
	memset(&mover, 0, sizeof mover);
	blank_config(config, END);
	for (uint32_t i = 0; i < END; i++)
		if (i % 8 == 3)
			give_free(i, 0);
		else
			give_used(i, i + 1, i / BLOCK < movable);
	start();
	set_wmarks(normal(), 0, 0, 0);
	yard->host.wake = host_wake;
	woken_queues = 0;
}

static void build_node(const char *policy, unsigned movable)
{
	build_node_of(mover_config(policy), movable);
}

static struct yard_worker_state workers(void)
{
	struct yard_worker_state state;

	assert_int_equal(yard_get_workers(yard, 0, &state), YARD_OK);
	return state;
}

// ---- K1, K4 ----

static void K1_records_and_wakes(void **state)
{
	(void)state;
	build_node("linux-7.3", 0);
	assert_int_equal(workers().kcompactd_order, 0);
	assert_int_equal(workers().kcompactd_highest, NORMAL); // nr_zones - 1
	yard_force_wakeup_kcompactd(yard, 0, 0, 0);
	assert_int_equal(workers().kcompactd_highest, NORMAL); // order 0: nothing
	yard_force_wakeup_kcompactd(yard, 0, 3, NORMAL);
	assert_told(KCOMPACTD, ""); // it does not sleep yet
	assert_int_equal(workers().kcompactd_order, 3); // recorded even so
	step(false);
	assert_int_equal(kwait.kind, YARD_WAIT_NONE); // found true
	steps(false);
	forget_told();
	yard_force_wakeup_kcompactd(yard, 0, 9, NORMAL);
	yard_force_wakeup_kcompactd(yard, 0, 4, NORMAL);
	assert_int_equal(workers().kcompactd_order, 9);
	assert_told(KCOMPACTD, "wakeup_kcompactd(9,2)"); // once: then it sleeps no more
	assert_int_equal(woken_queues, 1);
	yard_force_wakeup_kcompactd(yard, 0, 1, YARD_ZONE_DMA32);
	assert_int_equal(workers().kcompactd_highest, YARD_ZONE_DMA32); // min, though no zone is left
	assert_told(KCOMPACTD, "");
}

static void K4_unsuitable_nodes(void **state)
{
	(void)state;
	for (unsigned defrag = 0; defrag < 2; defrag++) {
		build_node(defrag ? "linux-7.3,defrag_mode=1" : "linux-7.3", 0); // 1024 free
		steps(false);
		set_wmarks(normal(), 900, 950, 980); // 1024 > 900 + 32 + 50, but not > 980 + 32 + 50
		forget_told();
		yard_force_wakeup_kcompactd(yard, 0, 9, NORMAL);
		assert_told(KCOMPACTD | KIND(COMPACTION_SUITABLE),
			    defrag ? "suitable(0,2,9,1)" : "suitable(0,2,9,4) wakeup_kcompactd(9,2)");
		assert_int_equal(woken_queues, !defrag);
		assert_int_equal(workers().kcompactd_order, 9);
	}
	build_node("linux-7.3", 0);
	assert_int_equal(yard_free(yard, base, 0), YARD_OK);
	assert_int_equal(yard_free(yard, base + 1, 0), YARD_OK);
	steps(false);
	forget_told();
	yard_force_wakeup_kcompactd(yard, 0, 1, NORMAL); // a chunk is there: nothing to do
	assert_told(KCOMPACTD, "");
}

// ---- K2 ----

static void K2_sleeps(void **state)
{
	struct yard_config config = mover_config("linux-7.3");

	(void)state;
	build_node("linux-7.3", 0);
	step(false);
	assert_told(KCOMPACTD, "kcompactd_sleep(0)");
	assert_int_equal(kwait.kind, YARD_WAIT_QUEUE);
	assert_int_equal(kwait.queue, queue_of(0, YARD_QUEUE_KCOMPACTD));
	assert_int_equal(kwait.timeout_ns, FRAG_NS);
	config.compaction_proactiveness = -1; // 0
	build_node_of(config, 0);
	step(false);
	assert_true(kwait.timeout_ns == UINT64_MAX);
}

static void K2_on_demand(void **state)
{
	(void)state;
	build_node("linux-7.3", BLOCKS);
	steps(false);
	forget_told();
	yard_force_wakeup_kcompactd(yard, 0, 9, NORMAL);
	steps(true);
	assert_told(KCOMPACTD, "wakeup_kcompactd(9,2) kcompactd_wake(0,9,2) kcompactd_sleep(0)");
	assert_int_equal(kwait.timeout_ns, FRAG_NS);
	assert_int_equal(vm(YARD_VM_COMPACT_DAEMON_WAKE), 1);
	assert_int_equal(workers().kcompactd_order, 0);
	assert_int_equal(workers().kcompactd_highest, NORMAL);
	assert_true(zone_nr_free(normal(), 9) > 0);
	assert_int_equal(vm(YARD_VM_COMPACT_DAEMON_MIGRATE_SCANNED),
			 vm(YARD_VM_COMPACT_MIGRATE_SCANNED)); // in addition
	assert_int_equal(vm(YARD_VM_COMPACT_DAEMON_FREE_SCANNED), vm(YARD_VM_COMPACT_FREE_SCANNED));
	assert_true(vm(YARD_VM_COMPACT_MIGRATE_SCANNED) > 0);
	for (size_t i = 0; i < mover.nr_moved; i++) // SYNC_LIGHT: the async part first
		assert_int_equal(mover.moved[i].mode, YARD_MIGRATE_ASYNC);
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), 0);
	yard_lru_drain_all(yard);
	assert_verified();
}

static void K2_a_request_without_a_wake_up(void **state)
{
	(void)state;
	build_node("linux-7.3", 0);
	steps(false);
	set_wmarks(normal(), 2000, 2000, 2000);
	yard_force_wakeup_kcompactd(yard, 0, 9, NORMAL); // unsuitable: recorded only
	assert_int_equal(woken_queues, 0);
	forget_told();
	yard->host.now_ns += FRAG_NS;
	step(false); // noticed at the time-out
	assert_told(KIND(KCOMPACTD_WAKE), "kcompactd_wake(0,9,2)");
}

static void K2_proactive(void **state)
{
	(void)state;
	build_node("linux-7.3", BLOCKS); // score 99: nothing free is in a block
	assert_true(compact_node_fragmented(yard, 0));
	steps(false);
	yard->host.now_ns += FRAG_NS - 1;
	forget_told();
	step(false); // too early
	assert_told(RUNS, "");
	yard->host.now_ns += 1;
	steps(false);
	assert_int_equal(count_told(YARD_EVENT_COMPACTION_BEGIN), 1);
	assert_int_equal(told_nth(YARD_EVENT_COMPACTION_BEGIN, 0)->args[4], 1); // SYNC_LIGHT
	assert_int_equal(told_nth(YARD_EVENT_COMPACTION_END, 0)->args[5], COMPACT_SUCCESS);
	assert_true(compact_zone_score(normal()) <= 80);
	assert_int_equal(count_told(YARD_EVENT_COMPACTION_SUITABLE), 0);
	assert_int_equal(kwait.timeout_ns, FRAG_NS); // it gained
	assert_int_equal(vm(YARD_VM_COMPACT_DAEMON_WAKE), 0);
	assert_true(vm(YARD_VM_COMPACT_DAEMON_MIGRATE_SCANNED) > 0);
	assert_int_equal(count_told(YARD_EVENT_KCOMPACTD_WAKE), 0);
	yard_lru_drain_all(yard);
	assert_verified();
}

static void K2_backs_off(void **state)
{
	(void)state;
	build_node("linux-7.3", 0); // nothing can move
	steps(false);
	yard->host.now_ns += FRAG_NS;
	forget_told();
	steps(false);
	assert_told(RUNS | DEFERRAL, "begin(0,0,7680,8192,1) end(0,7680,7680,8192,1,5)"); // whole zone; no deferral
	assert_true(kwait.timeout_ns == (uint64_t)FRAG_NS << 6);
	assert_int_equal(hints()->defer_shift, 0);
	yard->host.now_ns += FRAG_NS;
	step(false);
	assert_told(RUNS, "");
	yard->host.now_ns += (uint64_t)FRAG_NS << 6;
	step(false);
	assert_int_equal(count_told(YARD_EVENT_COMPACTION_BEGIN), 1);
}

static void K2_not_while_kswapd_runs(void **state)
{
	(void)state;
	build_node("linux-7.3", BLOCKS);
	steps(false);
	yard_kswapd_run(yard, 0, true);
	yard_kswapd_awake(yard, 0, true);
	yard->host.now_ns += FRAG_NS;
	forget_told();
	steps(false);
	assert_told(RUNS, "");
}

static void K2_trigger(void **state)
{
	struct yard_config config = mover_config("linux-7.3");

	(void)state;
	config.compaction_proactiveness = -1;
	build_node_of(config, BLOCKS);
	steps(false);
	yard->host.now_ns += 100 * (uint64_t)FRAG_NS;
	forget_told();
	assert_int_equal(yard_set_compaction_proactiveness(yard, 101), YARD_EINVAL);
	assert_told(KCOMPACTD, "");
	assert_int_equal(yard_set_compaction_proactiveness(yard, 20), YARD_OK);
	assert_told(KCOMPACTD, "wakeup_kcompactd(-1,2)");
	assert_int_equal(woken_queues, 1);
	atomic_store(&yard->mm[0].kcompactd.max_order, 9); // a trigger comes before on-demand work
	step(true);
	assert_int_equal(count_told(YARD_EVENT_KCOMPACTD_WAKE), 0);
	steps(false);
	assert_true(count_told(YARD_EVENT_COMPACTION_BEGIN) >= 1);
	assert_false(atomic_load(&yard->mm[0].kcompactd.proactive_trigger));
	build_node("linux-7.3", 0); // the score test still applies
	for (uint32_t i = 0; i < END; i += 8)
		for (uint32_t j = 0; j < 8; j++)
			if (j != 3)
				assert_int_equal(yard_free(yard, base + i + j, 0), YARD_OK);
	steps(false);
	forget_told();
	yard_set_compaction_proactiveness(yard, 50);
	steps(true);
	assert_told(RUNS, "");
}

// ---- K3 ----

static void K3_marks(void **state)
{
	static const unsigned rows[][3] = {{0, 100, 100}, {1, 99, 100}, {20, 80, 90}, {50, 50, 60},
					   {90, 10, 15},  {95, 5, 7},	{100, 0, 0}};

	(void)state;
	build_node("linux-7.3", 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(yard_set_compaction_proactiveness(yard, rows[i][0]), YARD_OK);
		assert_int_equal(compact_score_mark(yard, false), rows[i][1]);
		assert_int_equal(compact_score_mark(yard, true), rows[i][2]);
	}
}

static void K3_score(void **state)
{
	(void)state;
	build_node("linux-7.3", 0);
	assert_int_equal(compact_zone_score(normal()), 100);
	// 8192 * 100 / 8193 = 99 for the node.
	yard_set_compaction_proactiveness(yard, 1); // high mark 100
	assert_false(compact_node_fragmented(yard, 0));
	yard_set_compaction_proactiveness(yard, 11); // 89, 99
	assert_false(compact_node_fragmented(yard, 0));
	yard_set_compaction_proactiveness(yard, 12); // 88, 98
	assert_true(compact_node_fragmented(yard, 0));
}

// ---- K5 ----

static void K5_results(void **state)
{
	(void)state;
	build_node("linux-7.3", 0);
	steps(false);
	for (unsigned run = 0; run < 3; run++) {
		yard_force_wakeup_kcompactd(yard, 0, 9, NORMAL);
		forget_told();
		steps(true);
		if (run == 1)
			assert_told(RUNS | DEFERRAL, "deferred(0,2,9,1,1,0)");
		else
			assert_told(
				RUNS | DEFERRAL,
				run ? "begin(0,0,7680,8192,1) end(0,7680,7680,8192,1,6) defer_compaction(0,2,9,0,2,0)"
				    : "begin(0,0,7680,8192,1) end(0,7680,7680,8192,1,6) defer_compaction(0,2,9,0,1,0)");
	}
	assert_int_equal(vm(YARD_VM_COMPACT_DAEMON_WAKE), 3);
	assert_false(hints()->blockskip_flush); // only a direct run's meeting asks for it
	build_node("linux-7.3", BLOCKS);
	steps(false);
	hints()->defer_shift = 1;
	hints()->considered = 5;
	yard_force_wakeup_kcompactd(yard, 0, 9, NORMAL);
	forget_told();
	steps(true);
	assert_told(DEFERRAL, "defer_reset(0,2,9,2,1,10)"); // reset(false)
}

static void K5_drains_all_cpus(void **state)
{
	struct yard_config config = mover_config("linux-7.3");

	(void)state;
	config.nr_cpus = 3;
	build_node_of(config, 0);
	direct(false);
	set_pcps(normal(), 63, 10000, 10000);
	for (unsigned cpu = 0; cpu < 3; cpu++) {
		yard_sim_set_cpu(yard, cpu);
		free_at(cpu * 16, 0);
	}
	yard_sim_set_cpu(yard, 0);
	assert_int_equal(pcp_state(NORMAL, 2).count, 1);
	steps(false);
	yard_force_wakeup_kcompactd(yard, 0, 9, NORMAL);
	steps(true);
	for (unsigned cpu = 0; cpu < 3; cpu++)
		assert_int_equal(pcp_state(NORMAL, cpu).count, 0);
	assert_verified();
}

static void K5_keeps_what_came_meanwhile(void **state)
{
	(void)state;
	build_node("linux-7.3", BLOCKS);
	steps(false);
	yard_force_wakeup_kcompactd(yard, 0, 4, NORMAL);
	step(true); // the run has begun
	yard_force_wakeup_kcompactd(yard, 0, 9, NORMAL);
	steps(false);
	// The run of order 4 does not take back order 9: it follows.
	assert_int_equal(count_told(YARD_EVENT_KCOMPACTD_WAKE), 2);
	assert_int_equal(told_nth(YARD_EVENT_KCOMPACTD_WAKE, 1)->args[1], 9);
	assert_int_equal(workers().kcompactd_order, 0);
}

static void K5_zones_in_rising_order(void **state)
{
	const struct yard_range memory = { BASE - END, BASE + END, 0 };
	struct yard_config config = mover_config("linux-7.3");

	(void)state;
	config.restore = true;
	config.memory = &memory;
	config.nr_memory = 1;
	memset(&mover, 0, sizeof mover);
	build(&config);
	yard_restore_mobility(yard, false);
	for (unsigned zone = YARD_ZONE_DMA32; zone <= NORMAL; zone++) {
		struct yard_zone_state s = zone_state(zone);

		for (uint32_t pfn = (uint32_t)s.start_pfn; pfn < s.start_pfn + s.spanned; pfn++) {
			yard_restore_pageblock(yard, pfn, M);
			if (pfn % 8 == 3)
				yard_restore_free(yard, pfn, 0, M);
			else
				yard_restore_allocated(yard, pfn, 1, false);
		}
		s.managed = s.present;
		s.stat[YARD_NR_FREE_PAGES] = (int64_t)s.present / 8;
		for (unsigned i = 0; i < YARD_NR_WMARKS; i++)
			s.wmark[i] = 0;
		assert_int_equal(yard_restore_zone(yard, zone, &s), YARD_OK);
	}
	yard_restore_finish(yard);
	direct(true);
	hear_all();
	steps(false);
	yard_force_wakeup_kcompactd(yard, 0, 9, NORMAL);
	forget_told();
	steps(true);
	assert_told(RUNS & ~KIND(COMPACTION_END), "begin(-8192,-8192,-512,0,1) begin(0,0,7680,8192,1)");
	hints()->considered = 64; // admitted again
	yard->compact[YARD_ZONE_DMA32].considered = 64;
	yard_force_wakeup_kcompactd(yard, 0, 9, YARD_ZONE_DMA32);
	forget_told();
	steps(true);
	assert_told(RUNS & ~KIND(COMPACTION_END), "begin(-8192,-8192,-512,0,1)");
	assert_int_equal(workers().kcompactd_highest, NORMAL);
}

// ---- K5a ----

static void K5a_delays(void **state)
{
	struct yard_task *daemon;
	static struct yard_task task;

	(void)state;
	build_node("linux-7.3", BLOCKS);
	daemon = &yard->mm[0].kcompactd.task;
	yard->host.cost_ns[YARD_COST_SCAN_FRAME] = 10;
	steps(false);
	yard_force_wakeup_kcompactd(yard, 0, 9, NORMAL);
	steps(true);
	assert_int_equal(daemon->delays[YARD_DELAY_COMPACT].count, 0); // direct compaction's only
	task = (struct yard_task){ .pid = 1 };
	yard_set_current(yard, &task);
	yard_compact_node(yard, 0);
	assert_int_equal(task.delays[YARD_DELAY_COMPACT].count, 0);
	build_node("linux-7.3", 0);
	yard->host.cost_ns[YARD_COST_SCAN_FRAME] = 10;
	yard_set_current(yard, &task);
	request(GFP_M | YARD_GFP_COMP | YARD_GFP_NORETRY, 9);
	assert_true(task.delays[YARD_DELAY_COMPACT].count > 0);
	assert_int_equal(task.delays[YARD_DELAY_COMPACT].total_ns,
			 10 * (vm(YARD_VM_COMPACT_MIGRATE_SCANNED) + vm(YARD_VM_COMPACT_FREE_SCANNED)));
	yard_set_current(yard, NULL);
}

// ---- K7 ----

static void K7_manual(void **state)
{
	static struct yard_task task;

	(void)state;
	build_node("linux-7.3", 0);
	for (uint32_t i = 0; i < END; i += BLOCK)
		set_pageblock_skip(yard, base + i, true);
	lru_page(1, FILE_PAGE, YARD_MAPPED); // in another CPU's batch, as it were: drained
	forget_told();
	assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
	assert_told(
		RUNS | DEFERRAL | KIND(MIGRATE_PAGES_START) | KIND(COMPACTION_SUITABLE),
		"begin(0,0,7680,8192,1) migrate_pages_start(2,0) end(0,7680,7684,8192,1,5)"); // mode SYNC, whole zone
	assert_int_equal(mover.nr_moved, 1);
	assert_true(mover.moved[0].to >= 8 * BLOCK);
	assert_int_equal(vm(YARD_VM_COMPACT_DAEMON_MIGRATE_SCANNED), 0);
	assert_true(vm(YARD_VM_COMPACT_MIGRATE_SCANNED) > 0);
	assert_int_equal(yard_compact_node(yard, -1), YARD_OK);
	assert_int_equal(count_told(YARD_EVENT_COMPACTION_BEGIN), 1);
	task = (struct yard_task){ .flags = YARD_TASK_SIGNAL };
	yard_set_current(yard, &task);
	assert_int_equal(yard_compact_node(yard, 0), YARD_EBUSY);
	yard_set_current(yard, NULL);
	yard_lru_drain_all(yard);
	assert_verified();
	yard->owner.move = NULL;
	assert_int_equal(yard_compact_node(yard, 0), YARD_EINVAL);
}

static void K7_moves_cached_positions(void **state)
{
	(void)state;
	build_node("linux-7.3", BLOCKS);
	hints()->cached_migrate[0] = hints()->cached_migrate[1] = BASE + 3 * BLOCK;
	hints()->cached_free = BASE + 5 * BLOCK;
	assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
	assert_at(hints()->cached_migrate[0], 0);
	assert_at(hints()->cached_migrate[1], 0);
	assert_at(hints()->cached_free, 15 * BLOCK);
	yard_lru_drain_all(yard);
	assert_verified();
	assert_true(zone_nr_free(normal(), 9) > 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_mover)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(K1_records_and_wakes),
		TEST(K4_unsuitable_nodes),
		TEST(K2_sleeps),
		TEST(K2_on_demand),
		TEST(K2_a_request_without_a_wake_up),
		TEST(K2_proactive),
		TEST(K2_backs_off),
		TEST(K2_not_while_kswapd_runs),
		TEST(K2_trigger),
		TEST(K3_marks),
		TEST(K3_score),
		TEST(K5_results),
		TEST(K5_drains_all_cpus),
		TEST(K5_keeps_what_came_meanwhile),
		TEST(K5_zones_in_rising_order),
		TEST(K5a_delays),
		TEST(K7_manual),
		TEST(K7_moves_cached_positions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
