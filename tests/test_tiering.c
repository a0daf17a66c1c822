// SPDX-License-Identifier: Apache-2.0
//
// Memory tiering (spec 05 section 3.5): which pages of slower memory NUMA balancing promotes, and how fast (B9, B10).

#include "numa_fixture.h"

// ---- B9, B10 ----

static void promote_by_latency(struct sim_task *task)
{
	static const struct {
		unsigned after_ms;
		int node;
	} cases[] = {{0, 0}, {99, 0}, {100, 1}, {500, 1}};
	struct memory_object *object = map_on(task, R, 1);

	for (uint64_t i = 0; i < COUNT(cases); i++) {
		task_sleep_until(sim, (sim_now(sim) / NS_PER_MS + 1) * NS_PER_MS);
		mark(object, i, time_note());
		task_sleep(sim, cases[i].after_ms * NS_PER_MS);
		assert_int_equal(node_after_touch(object, i), cases[i].node);
	}
	assert_int_equal(counts()->promoted, 2);
	assert_int_equal(counts()->candidates, 2);
	mark(object, 9, accessor(0, 1)); // marked in faster memory, demoted since
	assert_int_equal(node_after_touch(object, 9), 1);
}

static void B9_a_page_is_hot_below_the_threshold(void **state)
{
	(void)state;
	in_task(TIERS_2("64MiB", "mode: 2, hot_threshold: 100ms"), promote_by_latency);
}

static void promote_limited(struct sim_task *task)
{
	struct memory_object *object = map_on(task, R, 1);

	for (uint64_t second = 1; second < 4; second++) {
		task_sleep_until(sim, second * NS_PER_S);
		for (uint64_t page = second * 100; page < second * 100 + 30; page++) {
			mark(object, page, time_note());
			touch(object, page);
		}
		assert_int_equal(counts()->promoted, second * 10);
		assert_int_equal(counts()->candidates, second * 30);
	}
	task_sleep_until(sim, 5 * NS_PER_S);
	mark(object, 315, time_note()); // what was denied may come later
	touch(object, 315);
	assert_int_equal(counts()->promoted, 31);
}

static void B9_the_rate_limit_holds_in_each_second(void **state)
{
	(void)state;
	in_task(TIERS_2("64MiB", "mode: 2, promote_rate_limit: 40KiB"), promote_limited);
}

static void promote_huge(struct sim_task *task)
{
	struct memory_object *object = map_huge_on(task, 4, 1);

	for (unsigned i = 0; i < 4; i++) {
		mark(object, (uint64_t)i * R, time_note());
		touch(object, (uint64_t)i * R + 3);
	}
	assert_int_equal(counts()->promoted, R); // not half of the second one
	assert_int_equal(object_resident_on(object, 0), R);
}

static void B9_huge_pages_do_not_exceed_the_rate_limit(void **state)
{
	(void)state;
	in_task(TIERS_2("64MiB", "mode: 2, promote_rate_limit: 3MiB"), promote_huge);
}

static void promote_freely(struct sim_task *task)
{
	struct memory_object *object = map_on(task, R, 1);

	sim->balancing->node[0].threshold_ns = NS_PER_S / 8;
	for (uint64_t page = 0; page < R; page++)
		mark(object, page, time_note());
	task_sleep(sim, 5 * NS_PER_S); // far above the threshold, more pages than the limit
	for (uint64_t page = 0; page < R; page++)
		assert_int_equal(node_after_touch(object, page), 0);
	assert_int_equal(sim->balancing->node[0].threshold_ns, NS_PER_S);
	assert_int_equal(counts()->candidates, 0);
}

static void B9_a_target_with_much_room_takes_all(void **state)
{
	(void)state;
	in_task(TIERS_2("2GiB", "mode: 2, promote_rate_limit: 40KiB"), promote_freely);
}

// An eighth of the default in each minute, within an eighth and twice the default.
static void adjust(struct sim_task *task)
{
	static const struct {
		uint64_t candidates, before, after; // eighths of the threshold
	} cases[] = {{661, 8, 7},   {660, 8, 8},   {540, 8, 8}, {539, 8, 9},
		     {10000, 1, 1}, {10000, 2, 1}, {0, 15, 16}, {0, 16, 16}};
	struct memory_object *object = map_on(task, R, 1);
	struct numa_node *node = &sim->balancing->node[0];

	for (uint64_t i = 0; i < COUNT(cases); i++) {
		node->threshold_ns = cases[i].before * NS_PER_S / 8;
		node->adjust_candidates = cases[i].candidates;
		node->adjust_ns = sim_now(sim);
		task_sleep(sim, 60 * NS_PER_S - NS_PER_MS);
		mark(object, 2 * i, time_note() - 60000);
		touch(object, 2 * i);
		assert_int_equal(node->threshold_ns, cases[i].before * NS_PER_S / 8); // not yet
		task_sleep(sim, NS_PER_MS);
		mark(object, 2 * i + 1, time_note() - 60000);
		touch(object, 2 * i + 1);
		assert_int_equal(node->threshold_ns, cases[i].after * NS_PER_S / 8);
		assert_int_equal(node->adjust_candidates, 0);
	}
}

static void B10_the_threshold_follows_the_candidates(void **state)
{
	(void)state;
	in_task(TIERS_2("64MiB", "mode: 2, promote_rate_limit: 40KiB"), adjust); // 600 expected
}

// ---- tiering (D), by itself ----

enum { SECONDS = 12, LIMIT = 8192 }; // pages a second

#define TIERING(balancing)                                                                                             \
	"machine: {memory: 128MiB, cpus: 2, zones: one, demotion: on, nodes: [{}, {cpus: 0, kind: cxl}], "              \
	"latency: [[90ns, 250ns], [250ns, 250ns]], bandwidth: [[250GB/s, 24GB/s], [24GB/s, 24GB/s]], "                \
	"sysctl: {watermark_scale_factor: 100}, numa_balancing: {scan_size: 8MiB, scan_delay: 100ms, "                  \
	"scan_period_min: 100ms, scan_period_max: 400ms" balancing "}}\n"                                              \
	"duration: 12s\n"                                                                                              \
	"workload: [{kind: hot-cold, name: service, memory: 192MiB, hot: 33%, hot_accesses: 95%, pages: 300, every: 1ms}]\n"

// Hot accesses of the last two seconds that found their page in the top tier, of 1000.
static uint64_t run_tiering(const char *text)
{
	uint64_t hot = 0, top = 0, promoted = 0;

	boot(text, "linux-7.3");
	start();
	for (unsigned second = 1; second <= SECONDS; second++) {
		go_on(second * NS_PER_S);
		if (counts()) {
			assert_in_range(counts()->promoted - promoted, 0, LIMIT);
			promoted = counts()->promoted;
		}
		if (second == SECONDS - 2) {
			hot = figure(0, "hot accesses");
			top = figure(0, "... in the top tier");
		}
	}
	check_all();
	hot = figure(0, "hot accesses") - hot;
	assert_true(hot > 100000);
	return (figure(0, "... in the top tier") - top) * 1000 / hot;
}

// First touch leaves the hot pages, which came last, in slower memory; demotion alone does not bring them up.
static void D_without_balancing_hot_pages_stay_in_slower_memory(void **state)
{
	(void)state;
	assert_in_range(run_tiering(TIERING("")), 0, 50);
}

static void D_tiering_brings_hot_pages_to_the_top(void **state)
{
	(void)state;
	assert_in_range(run_tiering(TIERING(", mode: 2, promote_rate_limit: 32MiB")), 900, 1000);
	assert_true(counts()->promoted > 10000); // of 16220 that are hot
	assert_true(counts()->candidates >= counts()->promoted);
	assert_true(yard_get_node_stat(sim->yard, 0, YARD_NODE_PGDEMOTE_KSWAPD) > 10000); // what made room for them
}

// 4 MiB a second bring up at most 48 MiB of 63 until then, cold ones among them.
static void B9_a_low_rate_limit_takes_its_time(void **state)
{
	(void)state;
	assert_in_range(run_tiering(TIERING(", mode: 2, promote_rate_limit: 4MiB")), 100, 800);
	assert_in_range(counts()->promoted, SECONDS * 1024 / 2, SECONDS * 1024);
	assert_true(counts()->candidates > counts()->promoted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(B9_a_page_is_hot_below_the_threshold), TEST(B9_the_rate_limit_holds_in_each_second),
		TEST(B9_huge_pages_do_not_exceed_the_rate_limit), TEST(B9_a_target_with_much_room_takes_all),
		TEST(B10_the_threshold_follows_the_candidates),
		TEST(D_without_balancing_hot_pages_stay_in_slower_memory),
		TEST(D_tiering_brings_hot_pages_to_the_top), TEST(B9_a_low_rate_limit_takes_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
