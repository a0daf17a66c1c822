// SPDX-License-Identifier: Apache-2.0
//
// The recorded NUMA incident: page cache on node 0, then 960 MB of anonymous memory from node 0's CPU, under seven
// settings. scenarios/vm-numa.yaml must give what Linux 7.3 gave (docs/incidents/numa.md).

#include "scenario_fixture.h"

#include <pageyard/pressure.h>
#include <pageyard/stat.h>

struct figures {
	uint64_t local, remote;		       // MiB of anonymous memory
	uint64_t hit, foreign;		       // of node 0
	uint64_t success, failed;	       // zone_reclaim
	uint64_t steal_kswapd, steal_direct;   // pages
	uint64_t cache_before, cache_after;    // MiB on node 0
	uint64_t stalled_ms;		       // PSI some
};

static const struct recorded {
	const char *variant;
	struct figures figures;
} recorded[] = {
	{"mode-0", {263, 696, 67958, 178631, 0, 0, 0, 0, 1563, 1563, 0}},
	{"preferred-0", {257, 702, 67122, 180139, 0, 0, 0, 0, 1576, 1576, 0}},
	{"bind-0", {960, 0, 246594, 2, 0, 0, 178176, 0, 1576, 880, 248}},
	{"mode-1", {255, 704, 66549, 180658, 0, 362881, 0, 0, 1568, 1568, 359}},
	{"mode-1-bind-0", {960, 0, 247231, 0, 0, 2037, 178176, 0, 1565, 869, 181}},
	{"mode-1-classic", {960, 0, 246677, 0, 705, 0, 0, 180480, 1573, 868, 216}},
	{"mode-7", {960, 0, 246695, 0, 697, 0, 0, 178432, 1561, 864, 148}},
};

// ---- a run ----

static void boot_variant(const char *name)
{
	char error[256], path[DATA_PATH_MAX];
	struct yard_policy policy;

	scenario = scenario_load_variant(shipped_file("scenarios", "vm-numa", path), name, NULL, 0, stderr);
	assert_non_null(scenario);
	assert_int_equal(yard_policy_parse(scenario->policy[0], &policy, error, sizeof(error)), YARD_OK);
	sim = simulation_create(&(struct simulation_config){.machine = &scenario->machine, .policy = &policy,
							    .seed = scenario->seed},
				error, sizeof(error));
	if (!sim)
		fail_msg("%s", error);
}

static void prepare(void)
{
	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		if (scenario->workload[i].common.first)
			workload_start(sim, &scenario->workload[i]);
	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		while (scenario->workload[i].common.first && !scenario->workload[i].ready)
			go_on(scheduler_clock(sim) + 100 * NS_PER_MS);
}

static uint64_t numa_of_node_0(unsigned event)
{
	uint64_t sum = 0;

	for (unsigned zone = 0; zone < YARD_ZONE_TYPES; zone++) {
		struct yard_zone_state state;

		assert_int_equal(yard_get_zone(sim->yard, zone, &state), YARD_OK);
		sum += state.numa[event];
	}
	return sum;
}

static uint64_t cache_of_node_0(void)
{
	return (uint64_t)yard_get_node_stat(sim->yard, 0, YARD_NODE_FILE_PAGES) * SIM_PAGE >> 20;
}

static uint64_t steal(unsigned item)
{
	return (uint64_t)yard_get_node_stat(sim->yard, 0, item);
}

static uint64_t stalled_ms(void)
{
	struct yard_psi psi;

	assert_int_equal(yard_psi_get(sim->yard, 0, &psi), YARD_OK);
	return psi.total_us[YARD_PSI_SOME] / 1000;
}

static struct figures run(const char *variant)
{
	struct workload *anon;
	struct figures figures, before;

	boot_variant(variant);
	prepare();
	before = (struct figures){.hit = numa_of_node_0(YARD_NUMA_HIT), .foreign = numa_of_node_0(YARD_NUMA_FOREIGN),
				  .cache_before = cache_of_node_0(), .stalled_ms = stalled_ms()};
	anon = &scenario->workload[scenario->nr_workloads - 1];
	workload_start(sim, anon);
	while (anon->running)
		go_on(scheduler_clock(sim) + 100 * NS_PER_MS);
	figures = (struct figures){
		.local = figure(scenario->nr_workloads - 1, "MiB local"),
		.remote = figure(scenario->nr_workloads - 1, "MiB remote"),
		.hit = numa_of_node_0(YARD_NUMA_HIT) - before.hit,
		.foreign = numa_of_node_0(YARD_NUMA_FOREIGN) - before.foreign,
		.success = yard_get_vm_event(sim->yard, YARD_VM_ZONE_RECLAIM_SUCCESS),
		.failed = yard_get_vm_event(sim->yard, YARD_VM_ZONE_RECLAIM_FAILED),
		.steal_kswapd = steal(YARD_NODE_PGSTEAL_KSWAPD),
		.steal_direct = steal(YARD_NODE_PGSTEAL_DIRECT),
		.cache_before = before.cache_before,
		.cache_after = cache_of_node_0(),
		.stalled_ms = stalled_ms() - before.stalled_ms,
	};
	switch_off();
	return figures;
}

// ---- comparing ----

// Within so many percent; of a recorded 0 (or 2): not more than `few`.
static void near(const char *variant, const char *what, uint64_t value, uint64_t real, uint64_t percent, uint64_t few)
{
	uint64_t difference = value > real ? value - real : real - value;

	print_message("# %-15s %-14s %8" PRIu64 " | %8" PRIu64 "\n", variant, what, value, real);
	if (difference > few && difference * 100 > real * percent)
		fail_msg("%s, %s: %" PRIu64 " instead of %" PRIu64, variant, what, value, real);
}

static void same_order(const char *variant, const char *what, uint64_t value, uint64_t real)
{
	print_message("# %-15s %-14s %8" PRIu64 " | %8" PRIu64 "\n", variant, what, value, real);
	if ((value == 0) != (real == 0) || value > 4 * real || real > 4 * value)
		fail_msg("%s, %s: %" PRIu64 " instead of %" PRIu64, variant, what, value, real);
}

static void check(const struct recorded *with)
{
	const struct figures got = run(with->variant), *real = &with->figures;
	const char *variant = with->variant;

	near(variant, "anon node 0", got.local, real->local, 5, 1);
	near(variant, "anon node 1", got.remote, real->remote, 5, 1);
	near(variant, "numa_hit", got.hit, real->hit, 5, 0);
	near(variant, "numa_foreign", got.foreign, real->foreign, 5, 100);
	same_order(variant, "success", got.success, real->success);
	same_order(variant, "failed", got.failed, real->failed);
	near(variant, "steal kswapd", got.steal_kswapd, real->steal_kswapd, 10, 0);
	near(variant, "steal direct", got.steal_direct, real->steal_direct, 10, 0);
	near(variant, "cache before", got.cache_before, real->cache_before, 1, 0);
	near(variant, "cache after", got.cache_after, real->cache_after, 10, 0);
	same_order(variant, "stalled ms", got.stalled_ms, real->stalled_ms);
}

static void placed_as_recorded(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(recorded); i++)
		check(&recorded[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(placed_as_recorded, enter_folder, leave_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
