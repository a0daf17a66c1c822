// SPDX-License-Identifier: Apache-2.0
//
// scenarios/hahn-1.yaml, small: what spec 05 S5b expects of each placement, and S5a of threads under zone_reclaim_mode.

#include "scenario_fixture.h"

#include "sim/runner.h"

struct outcome {
	uint64_t local; // per mille of the anonymous memory
	uint64_t rate;	// MiB/s while it was filled
	uint64_t kswapd, direct, success, failed, stalled_ns;
	uint64_t at_the_end; // per mille of it that was local then
	uint64_t hint_faults, migrated;
};

enum { GEN = 1, ACCESS = 2 };

static uint64_t figure_of(const struct workload_results *results, const char *name)
{
	for (unsigned i = 0; i < results->nr_figures; i++)
		if (!strcmp(results->figure[i].name, name))
			return results->figure[i].value;
	fail_msg("no figure '%s'", name);
	return 0;
}

static const char *set_text(char text[64], const char *key, unsigned value)
{
	snprintf(text, 64, "%s=%u", key, value);
	return text;
}

static uint64_t resident_local(const struct workload_results *workload)
{
	return workload->resident[0] * 1000 / (workload->resident[0] + workload->resident[1]);
}

static struct outcome outcome_of(const struct run *run, uint32_t anon)
{
	const struct results *results = &run->iteration[0].results;
	const struct workload_results *workload = &run->iteration[0].workload[anon];
	uint64_t local = figure_of(workload, "MiB local"), remote = figure_of(workload, "MiB remote");

	return (struct outcome){
		.local = local * 1000 / (local + remote),
		.rate = figure_of(workload, "MiB/s populated"),
		.kswapd = results->counter[RESULT_NODE(PGSTEAL_KSWAPD)],
		.direct = results->counter[RESULT_NODE(PGSTEAL_DIRECT)],
		.success = results->counter[RESULT_VM(ZONE_RECLAIM_SUCCESS)],
		.failed = results->counter[RESULT_VM(ZONE_RECLAIM_FAILED)],
		.stalled_ns = results->psi_some_ns,
		.at_the_end = resident_local(workload),
		.hint_faults = results->counter[RESULT_MACHINE(NUMA_HINT_FAULTS)],
		.migrated = results->counter[RESULT_MACHINE(NUMA_PAGES_MIGRATED)],
	};
}

static struct outcome run_variant(const char *variant, unsigned threads, unsigned flags)
{
	char path[DATA_PATH_MAX], number[64], error[256];
	const char *sets[] = {"machine.base=hahn-2x8", "machine.memory=1000MiB",
			      flags & ACCESS ? "workload.anon.access=10s" : "workload.anon.access=0",
			      set_text(number, "workload.anon.threads", threads),
			      flags & GEN ? "machine.lru_gen=on" : "machine.lru_gen=off"};
	struct scenario *with = scenario_load_variant(shipped_file("scenarios", "hahn-1", path), variant, sets,
						      COUNT(sets), stderr);
	struct runner_options options = {.seed = 1};
	struct yard_policy policy;
	const char *policy_text;
	struct outcome outcome;
	struct run *run;

	assert_non_null(with);
	policy_text = *with->chosen->policy ? with->chosen->policy : with->policy[0];
	assert_int_equal(yard_policy_parse(policy_text, &policy, error, sizeof(error)), YARD_OK);
	options.policy = &policy;
	run = runner_run(with, &options);
	assert_non_null(run);
	assert_string_equal(run->error, "");
	outcome = outcome_of(run, with->nr_workloads - 1);
	run_free(run);
	scenario_free(with);
	return outcome;
}

static void by_default_nobody_is_woken(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags <= GEN; flags++) {
		struct outcome off = run_variant("mode-0", 1, flags);

		assert_in_range(off.local, 300, 420);
		assert_int_equal(off.kswapd + off.direct + off.success + off.failed, 0); // T12
		assert_int_equal(off.stalled_ns, 0);
	}
}

static void balancing_cannot_repair_it(void **state)
{
	(void)state;
	for (unsigned flags = ACCESS; flags <= (ACCESS | GEN); flags++) {
		struct outcome off = run_variant("mode-0", 1, flags), with = run_variant("mode-0-balancing", 1, flags);

		assert_true(with.hint_faults > 100000);
		assert_int_equal(with.migrated, 0); // B11: node 0's free memory stays below its high watermark
		assert_int_equal(with.at_the_end, off.at_the_end);
		assert_in_range(with.at_the_end, 300, 420);
		assert_int_equal(off.hint_faults, 0);
	}
}

static void mode_1_keeps_one_thread_local(void **state)
{
	struct outcome on = run_variant("mode-1", 1, 0);

	(void)state;
	assert_true(on.local >= 950);
	assert_int_equal(on.failed, 0);
	assert_true(on.stalled_ns > 0);
	assert_int_equal(on.direct, on.success * 32); // Z5
	assert_int_equal(on.kswapd, 0);		      // Z7
}

// What S5a's closed form says of n threads: while one reclaims, the others place t_s / t_f pages each remotely.
static uint64_t closed_form(uint64_t off, unsigned threads)
{
	const uint64_t ratio = 27; // 24.7 us a reclaim, 0.91 us a fault

	return off + (1000 - off) * 32 / (32 + (threads - 1) * ratio);
}

static void mode_1_loses_to_threads(void **state)
{
	uint64_t before = 1000;

	(void)state;
	for (unsigned threads = 1; threads <= 16; threads *= 4) {
		uint64_t off = run_variant("mode-0", threads, 0).local, on = run_variant("mode-1", threads, 0).local;
		uint64_t expected = closed_form(off, threads);

		assert_true(on < before);
		assert_true(on > off);
		assert_in_range(on, expected < 100 ? 0 : expected - 100, expected + 100);
		assert_in_range(run_variant("mode-7", threads, GEN).local, expected - 100, expected + 100);
		before = on;
	}
}

static void mode_1_does_nothing_with_generations(void **state)
{
	struct outcome on = run_variant("mode-1", 1, GEN), off = run_variant("mode-0", 1, GEN);

	(void)state;
	assert_int_equal(on.local, off.local); // Z9
	assert_int_equal(on.direct + on.kswapd + on.success, 0);
	assert_true(on.failed > 10000);
	assert_true(on.rate < off.rate && on.rate * 10 > off.rate * 8);
}

// Time in which what does not fit without reclaim was filled, ns a MiB.
static uint64_t reclaim_time(struct outcome with, struct outcome off)
{
	uint64_t fits = off.local;

	return 1000 * (NS_PER_S / with.rate) - fits * (NS_PER_S / off.rate);
}

static void waking_kswapd_doubles_the_rate(void **state)
{
	struct outcome off = run_variant("mode-0", 1, 0), on = run_variant("mode-1", 1, 0);
	struct outcome wake = run_variant("mode-1-wake", 1, 0), skip = run_variant("mode-1-wake-skip", 1, 0);
	uint64_t gain = reclaim_time(on, off) * 100 / reclaim_time(wake, off);

	(void)state;
	assert_true(wake.local >= on.local);
	assert_in_range(gain, 160, 240); // K3
	assert_true(skip.local < on.local && skip.local > off.local); // K4
	assert_true(wake.kswapd > skip.kswapd);
	assert_true(run_variant("mode-1-wake", 1, GEN).local > off.local + 200);
}

static void preferred_many_holds_as_long_as_kswapd_keeps_up(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags <= GEN; flags++) {
		assert_true(run_variant("preferred-many-0", 1, flags).local >= 990); // Z13
		assert_true(run_variant("preferred-many-0", 16, flags).local < 600);
	}
}

static void binding_reclaims_as_much_as_it_takes(void **state)
{
	struct outcome many;

	(void)state;
	for (unsigned flags = 0; flags <= GEN; flags++) {
		assert_int_equal(run_variant("bind-0", 1, flags).local, 1000);
		many = run_variant("bind-0", 16, flags);
		assert_int_equal(many.local, 1000);
		assert_true(many.direct > 0); // Z14
	}
}

static void reclaim_first_makes_room(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags <= GEN; flags++) {
		struct outcome first = run_variant("reclaim-first", 1, flags);

		assert_true(first.local >= 900);
		assert_int_equal(first.kswapd, 0);
		assert_int_equal(first.stalled_ns, 0);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)
	const struct CMUnitTest tests[] = {
		TEST(by_default_nobody_is_woken),
		TEST(balancing_cannot_repair_it),
		TEST(mode_1_keeps_one_thread_local),
		TEST(mode_1_loses_to_threads),
		TEST(mode_1_does_nothing_with_generations),
		TEST(waking_kswapd_doubles_the_rate),
		TEST(preferred_many_holds_as_long_as_kswapd_keeps_up),
		TEST(binding_reclaims_as_much_as_it_takes),
		TEST(reclaim_first_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
