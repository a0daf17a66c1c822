// SPDX-License-Identifier: Apache-2.0
//
// Spec 02 section 7.1 and 7.2: what is a memory stall (PSI-1 to PSI-3), V-7, and the delays of tasks (DA-1).

#include "psi_fixture.h"

// ---- PSI-1 ----

static void PSI1_one_stalled_task_is_some_and_full(void **state)
{
	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	pass(7);
	assert_totals(0, 0);
	stall(&a, true);
	pass(10);
	stall(&a, false);
	pass(5);
	assert_totals(10, 10);
}

static void PSI1_another_one_works(void **state)
{
	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	stall(&a, true);
	is(&a, 0, ASLEEP); // waits for the device, say
	is(&b, 0, RUNS);
	pass(10);
	assert_totals(10, 0);
	is(&b, 0, ASLEEP);
	pass(3); // nobody gets anything done
	assert_totals(13, 3);
	is(&b, 0, RUNNABLE);
	pass(4); // could run, is not stalled
	assert_totals(17, 3);
}

static void PSI1_the_stalled_task_on_the_cpu_is_full(void **state)
{
	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	is(&b, 0, RUNNABLE);
	stall(&a, true);
	pass(10);
	assert_totals(10, 10);
	is(&a, 0, RUNNABLE); // preempted
	is(&b, 0, RUNS);
	pass(10);
	assert_totals(20, 10);
}

static void PSI1_all_runnable_ones_are_stalled(void **state)
{
	(void)state;
	start_with(1);
	is(&a, 0, RUNNABLE);
	is(&b, 0, RUNNABLE);
	stall(&a, true);
	pass(5);
	assert_totals(5, 0);
	stall(&b, true);
	pass(5);
	assert_totals(10, 5);
	stall(&a, false);
	stall(&b, false);
	pass(5);
	assert_totals(10, 5);
}

static void PSI1_one_in_iowait_does_not_help(void **state)
{
	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	stall(&a, true);
	is(&a, 0, IOWAIT);
	is(&b, 0, IOWAIT);
	pass(6);
	assert_totals(6, 6); // running = memstall-running = 0
}

static void PSI1_a_task_that_nobody_announced(void **state)
{
	(void)state;
	start_with(1);
	yard_set_current(yard, &a);
	pass(100);
	yard_memstall_enter(yard);
	pass(4);
	yard_memstall_leave(yard);
	pass(100);
	assert_totals(4, 4);
}

static void PSI1_errors(void **state)
{
	struct yard_psi psi;

	(void)state;
	start_with(2);
	assert_int_equal(yard_psi_task(yard, &a, 2, RUNS), YARD_ERANGE);
	assert_int_equal(yard_psi_task(yard, &a, 0, 8), YARD_EINVAL);
	assert_int_equal(yard_psi_set_group(yard, &a, YARD_PSI_GROUPS), YARD_ERANGE);
	assert_int_equal(yard_psi_get(yard, YARD_PSI_GROUPS, &psi), YARD_ERANGE);
}

static void PSI1_groups(void **state)
{
	(void)state;
	start_with(1);
	assert_int_equal(yard_psi_set_group(yard, &a, 1), YARD_OK);
	assert_int_equal(yard_psi_set_group(yard, &b, 2), YARD_OK);
	is(&a, 0, RUNS);
	is(&b, 0, RUNNABLE);
	stall(&a, true);
	is(&a, 0, ASLEEP);
	is(&b, 0, RUNS);
	pass(10);
	check_totals(0, 10, 0, __FILE__, __LINE__);
	check_totals(1, 10, 10, __FILE__, __LINE__); // in its own group nobody else works
	check_totals(2, 0, 0, __FILE__, __LINE__);
	assert_int_equal(yard_psi_set_group(yard, &a, 2), YARD_OK); // moves while it is stalled
	pass(5);
	check_totals(0, 15, 0, __FILE__, __LINE__);
	check_totals(1, 10, 10, __FILE__, __LINE__);
	check_totals(2, 5, 0, __FILE__, __LINE__);
}

// ---- PSI-2 ----

static void PSI2_cpus_weigh_by_their_busy_time(void **state)
{
	(void)state;
	start_with(3);
	is(&a, 0, RUNS);
	is(&b, 1, RUNS);
	stall(&a, true);
	pass(10); // CPU 2 is idle: no weight
	assert_totals(5, 5); // (10 * 10 + 0 * 10) / 20
	is(&b, 1, ASLEEP);
	pass(10);
	assert_totals(15, 15); // CPU 0 alone
	is(&c, 1, IOWAIT); // counts as busy
	pass(10);
	assert_totals(20, 20);
}

static void PSI2_weights_differ(void **state)
{
	(void)state;
	start_with(2);
	is(&a, 0, RUNS);
	stall(&a, true);
	is(&b, 1, RUNS);
	pass(5);
	is(&b, 1, ASLEEP);
	pass(25);
	// (30 * 30 + 0 * 5) / 35 = 25.714285 ms
	assert_int_equal(psi_of(0).total_us[YARD_PSI_SOME], 25714);
}

static void PSI2_weights_are_whole_jiffies(void **state)
{
	(void)state;
	start_with(2);
	is(&a, 0, RUNS);
	stall(&a, true);
	yard->host.now_ns += 900000; // 0.9 ms: no jiffy
	assert_int_equal(psi_of(0).total_us[YARD_PSI_SOME], 0);
	is(&b, 1, RUNS);
	yard->host.now_ns += 1900000; // 1 jiffy on both
	assert_int_equal(psi_of(0).total_us[YARD_PSI_SOME], 950);
}

// ---- PSI-3 ----

static void PSI3_sections_nest(void **state)
{
	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	stall(&a, true);
	pass(1);
	stall(&a, true);
	pass(2);
	stall(&a, false);
	pass(4);
	stall(&a, false);
	pass(8);
	assert_totals(7, 7);
	assert_int_equal(a.memstall, 0);
}

static void PSI3_thrashing_is_a_stall(void **state)
{
	bool outer, inner;

	(void)state;
	start_with(1);
	yard_set_current(yard, &a);
	is(&a, 0, RUNS);
	outer = yard_thrashing_begin(yard);
	pass(3);
	inner = yard_thrashing_begin(yard);
	pass(4);
	yard_thrashing_end(yard, inner);
	pass(5);
	yard_thrashing_end(yard, outer);
	pass(6);
	assert_totals(12, 12);
	assert_int_equal(a.delays[YARD_DELAY_THRASHING].count, 1); // DA-1: the outermost
	assert_int_equal(a.delays[YARD_DELAY_THRASHING].total_ns, 12 * MS);
}

static void PSI3_direct_reclaim(void **state)
{
	(void)state;
	start_with(1);
	pages(0, PAGES, FILE_PAGE, YARD_UNMAPPED);
	ask.on_release = release_takes_1_ms;
	yard_set_current(yard, &a);
	is(&a, 0, RUNS);
	set_wmarks(normal(), FRAMES, FRAMES, FRAMES);
	assert_int_equal(yard_alloc(yard, YARD_GFP_KERNEL | YARD_GFP_NORETRY, 0), NONE);
	assert_true(nr_released >= 32);
	assert_totals(nr_released, nr_released);
	assert_int_equal(a.memstall, 0);
}

static uint64_t spins;

static void a_jiffy_at_each_compaction_decision(void)
{
	spins++;
	pass(1);
}

static void PSI3_direct_compaction(void **state)
{
	(void)state;
	blank_config(noted_config("linux-7.3"), 32 * BLOCK);
	for (uint32_t i = 0; i < 32 * BLOCK; i += 2) {
		give_used(i, i + 1, false);
		give_free(i + 1, 0);
	}
	ready();
	set_pcps(normal(), 63, 4096, 4096);
	for (uint32_t i = 0; i < 32 * BLOCK; i += 2)
		lru_page(i, ANON_PAGE, YARD_MAPPED);
	yard_lru_drain(yard);
	memset(&a, 0, sizeof a);
	yard_set_current(yard, &a);
	is(&a, 0, RUNS);
	ask.silent = true;
	spins = 0;
	world.interrupt = a_jiffy_at_each_compaction_decision;
	assert_int_not_equal(yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE, YARD_PAGEBLOCK_ORDER), NONE);
	assert_true(spins > 0);
	assert_totals(spins, spins);
	assert_int_equal(a.delays[YARD_DELAY_COMPACT].count, 1); // DA-1
	assert_int_equal(a.delays[YARD_DELAY_COMPACT].total_ns, spins * MS);
	assert_int_equal(a.delays[YARD_DELAY_FREEPAGES].count, 0);
}

static void PSI3_kswapd(void **state)
{
	(void)state;
	start_with(1);
	pages(0, PAGES, FILE_PAGE, YARD_UNMAPPED);
	ask.on_release = release_takes_1_ms;
	set_wmarks(normal(), 10, 20, FRAMES);
	run(false);
	assert_true(nr_released >= 32);
	assert_totals(nr_released, nr_released);
	pass(50); // it sleeps
	assert_totals(nr_released, nr_released);
	assert_int_equal(yard_kswapd_task(yard, 0)->memstall, 0);
}

static void build_for_kcompactd(void)
{
	blank_config(noted_config("linux-7.3"), 32 * BLOCK);
	for (uint32_t i = 0; i < 32 * BLOCK; i += 2) {
		give_used(i, i + 1, false);
		give_free(i + 1, 0);
	}
	ready();
	set_pcps(normal(), 63, 4096, 4096);
	for (uint32_t i = 0; i < 32 * BLOCK; i += 2)
		lru_page(i, ANON_PAGE, YARD_MAPPED);
	yard_lru_drain(yard);
	ask.silent = true;
	spins = 0;
	world.interrupt = a_jiffy_at_each_compaction_decision;
}

static struct yard_wait step_kcompactd(bool woken)
{
	struct yard_wait wait;

	for (unsigned i = 0; yard_kcompactd_step(yard, 0, woken, &wait), wait.kind == YARD_WAIT_NONE; i++) {
		assert_in_range(i, 0, 100000);
		woken = false;
	}
	return wait;
}

static void PSI3_kcompactd(void **state)
{
	(void)state;
	build_for_kcompactd();
	step_kcompactd(false);
	wakeup_kcompactd(yard, 0, YARD_PAGEBLOCK_ORDER, NORMAL);
	step_kcompactd(true);
	assert_true(spins > 0);
	assert_totals(spins, spins);
}

static void PSI3_not_when_proactive(void **state)
{
	(void)state;
	build_for_kcompactd();
	assert_int_equal(yard_set_compaction_proactiveness(yard, 100), YARD_OK);
	for (unsigned i = 0; i < 20 && !spins; i++) {
		struct yard_wait wait = step_kcompactd(false);

		yard->host.now_ns += wait.timeout_ns;
	}
	assert_true(spins > 0);
	assert_totals(0, 0);
}

static void PSI3_node_reclaim_unless_proactive(void **state)
{
	uint64_t got, stalled;

	(void)state;
	start_with(1);
	yard_set_zone_reclaim_mode(yard, 7);
	pages(0, PAGES, FILE_PAGE, YARD_UNMAPPED);
	ask.on_release = release_takes_1_ms;
	yard_set_current(yard, &a);
	is(&a, 0, RUNS);
	assert_true(node_reclaim_try(yard, 0, YARD_GFP_KERNEL, 0, NULL) > 0);
	assert_true(nr_released > 0);
	assert_totals(nr_released, nr_released);
	assert_int_equal(a.delays[YARD_DELAY_FREEPAGES].count, 1); // DA-1
	assert_int_equal(a.delays[YARD_DELAY_FREEPAGES].total_ns, nr_released * MS);
	stalled = nr_released;
	forget();
	yard_node_reclaim_write(yard, 0, "128K", &got);
	assert_int_equal(nr_released, got);
	assert_true(nr_released > 0);
	assert_totals(stalled, stalled); // P-3
}

static uint64_t sleeper(void *context, unsigned queue, uint64_t timeout_ns)
{
	(void)context, (void)queue;
	yard->host.now_ns += timeout_ns;
	return timeout_ns;
}

static void yields(void *context)
{
	(void)context;
	assert_int_equal(a.memstall, 0);
	pass(1);
}

static void V7_the_node_file_was_a_stall(void **state)
{
	struct yard_config config = noted_config("linux-7.2");

	(void)state;
	machine_of(config, FRAMES, PAGES);
	ask.silent = true;
	memset(&a, 0, sizeof a);
	pages(0, PAGES, FILE_PAGE, YARD_UNMAPPED);
	ask.on_release = release_takes_1_ms;
	yard_set_current(yard, &a);
	is(&a, 0, RUNS);
	yard_node_reclaim_write(yard, 0, "128K", NULL);
	assert_true(nr_released > 0);
	assert_totals(nr_released, nr_released);
}

// The loop of the slow path itself is invisible: an allocation that compacts and reclaims nothing.
static void PSI3_not_the_slow_path_itself(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	memset(&a, 0, sizeof a);
	config.no_dma32 = true;
	blank_config(config, FRAMES); // no owner: nothing to reclaim
	give_used(0, FRAMES, false);
	ready();
	yard->host.wait = sleeper;
	yard->host.yield = yields;
	yard_set_current(yard, &a);
	is(&a, 0, RUNS);
	pass(10);
	assert_int_equal(yard_alloc(yard, YARD_GFP_KERNEL | YARD_GFP_RETRY_MAYFAIL, 0), NONE);
	assert_totals(0, 0);
}

// ---- DA-1 ----

static void DA1_one_interval_per_pass(void **state)
{
	struct yard_delay *d = &a.delays[YARD_DELAY_FREEPAGES];

	(void)state;
	start_with(1);
	pages(0, PAGES, FILE_PAGE, YARD_UNMAPPED);
	ask.on_release = release_takes_1_ms;
	yard_set_current(yard, &a);
	set_wmarks(normal(), FRAMES, FRAMES, FRAMES);
	pass(1000);
	for (unsigned i = 1; i <= 3; i++) {
		uint64_t before = nr_released, began = yard->host.now_ns, max = d->max_ns;

		assert_int_equal(yard_alloc(yard, YARD_GFP_KERNEL | YARD_GFP_NORETRY, 0), NONE);
		assert_int_equal(d->count, i);
		assert_int_equal(d->total_ns, nr_released * MS);
		assert_true(d->min_ns <= (nr_released - before) * MS);
		assert_true(d->max_ns >= (nr_released - before) * MS);
		if (d->max_ns > max)
			assert_in_range(d->max_at_ns, began, yard->host.now_ns);
	}
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL), 3);
}

static void DA1_fruitless_passes_count_each(void **state)
{
	struct yard_delay *d = &a.delays[YARD_DELAY_FREEPAGES];

	(void)state;
	start_with(1);
	pages(0, PAGES, FILE_PAGE, YARD_UNMAPPED);
	ask.on_release = release_takes_1_ms;
	world.fail_from[CALL_RELEASE] = 1;
	yard_set_current(yard, &a);
	set_wmarks(normal(), FRAMES, FRAMES, FRAMES);
	assert_int_equal(yard_alloc(yard, YARD_GFP_KERNEL | YARD_GFP_NORETRY, 0), NONE);
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL), 2); // the full walk repeats (EV-1)
	assert_int_equal(d->count, 2);
}

static void DA1_only_positive_durations(void **state)
{
	(void)state;
	start_with(1);
	pages(0, PAGES, FILE_PAGE, YARD_UNMAPPED);
	yard_set_current(yard, &a);
	set_wmarks(normal(), FRAMES, FRAMES, FRAMES);
	assert_int_equal(yard_alloc(yard, YARD_GFP_KERNEL | YARD_GFP_NORETRY, 0), NONE);
	assert_true(nr_released > 0); // in no time
	assert_int_equal(a.delays[YARD_DELAY_FREEPAGES].count, 0);
}

static void DA1_figures(void **state)
{
	static const uint64_t waits[] = { 5, 2, 9, 9, 3 };
	struct yard_delay *d = &a.delays[YARD_DELAY_THRASHING];
	uint64_t max_at = 0;

	(void)state;
	start_with(1);
	yard_set_current(yard, &a);
	for (size_t i = 0; i < COUNT(waits); i++) {
		bool outermost = yard_thrashing_begin(yard);

		assert_true(outermost);
		pass(waits[i]);
		yard_thrashing_end(yard, outermost);
		if (i == 2)
			max_at = yard->host.now_ns;
		pass(100);
	}
	assert_int_equal(d->count, 5);
	assert_int_equal(d->total_ns, 28 * MS);
	assert_int_equal(d->max_ns, 9 * MS);
	assert_int_equal(d->min_ns, 2 * MS);
	assert_int_equal(d->max_at_ns, max_at);
	d->total_ns = UINT64_MAX - 1; // overflows: reads 0, with a count
	yard_thrashing_end(yard, (yard_thrashing_begin(yard), pass(1), true));
	assert_int_equal(d->count, 6);
	assert_int_equal(d->total_ns, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(PSI1_one_stalled_task_is_some_and_full), TEST(PSI1_another_one_works),
		TEST(PSI1_the_stalled_task_on_the_cpu_is_full), TEST(PSI1_all_runnable_ones_are_stalled),
		TEST(PSI1_one_in_iowait_does_not_help), TEST(PSI1_a_task_that_nobody_announced), TEST(PSI1_errors),
		TEST(PSI1_groups), TEST(PSI2_cpus_weigh_by_their_busy_time), TEST(PSI2_weights_differ),
		TEST(PSI2_weights_are_whole_jiffies), TEST(PSI3_sections_nest), TEST(PSI3_thrashing_is_a_stall),
		TEST(PSI3_direct_reclaim), TEST(PSI3_direct_compaction), TEST(PSI3_kswapd), TEST(PSI3_kcompactd),
		TEST(PSI3_not_when_proactive), TEST(PSI3_node_reclaim_unless_proactive),
		TEST(V7_the_node_file_was_a_stall), TEST(PSI3_not_the_slow_path_itself),
		TEST(DA1_one_interval_per_pass), TEST(DA1_fruitless_passes_count_each),
		TEST(DA1_only_positive_durations), TEST(DA1_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
