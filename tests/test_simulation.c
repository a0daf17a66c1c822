// SPDX-License-Identifier: Apache-2.0
//
// Whole machines: how they boot, what operations cost, what requests count, the kernel's own threads, and that the same
// seed gives the same run.

#include "tests/simulation_fixture.h"

#include <pageyard/lru.h>
#include <pageyard/stat.h>

#include "engine/internal.h"
#include "sim/page_cache.h"
#include "sim/process.h"
#include "sim/results.h"
#include "sim/scheduler_internal.h"

enum { MIB = 256 }; // pages

// ---- boot ----

static struct yard_zone_state zone_of_node(unsigned node, unsigned type)
{
	struct yard_zone_state state;

	assert_int_equal(yard_get_zone(sim->yard, node * YARD_ZONE_TYPES + type, &state), YARD_OK);
	return state;
}

static void the_published_machine_boots(void **state) // spec 02 SC-6
{
	struct yard_zone_state zone;

	(void)state;
	describe(1, 8, 431617);
	machine.min_free_kbytes = 44656;
	boot();
	zone = zone_of_node(0, YARD_ZONE_NORMAL);
	assert_int_equal(zone.managed, 431617);
	assert_int_equal(zone.start_pfn, 1 << 20);
	assert_int_equal(zone.wmark[0], 11164);
	assert_int_equal(zone.wmark[1], 13955);
	assert_int_equal(zone.wmark[2], 16746);
	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
		assert_int_equal(zone_of_node(0, type).populated, type == YARD_ZONE_NORMAL);
}

static void a_pc_has_its_zones(void **state)
{
	uint64_t managed = 0;

	(void)state;
	describe(1, 2, 8192 * MIB);
	machine.one_zone = false;
	nodes[0].reserved_pages = 100 * MIB;
	boot();
	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
		managed += zone_of_node(0, type).managed;
	assert_int_equal(managed, 8092 * MIB);
	assert_int_equal(zone_of_node(0, YARD_ZONE_DMA).managed, 3840);
	assert_int_equal(zone_of_node(0, YARD_ZONE_DMA32).managed, (3072 - 16 - 99) * MIB);
	assert_int_equal(zone_of_node(0, YARD_ZONE_NORMAL).managed, 5120 * MIB);
	assert_int_equal(zone_of_node(0, YARD_ZONE_NORMAL).start_pfn, 1 << 20);
}

static void nodes_and_movable_zones(void **state)
{
	(void)state;
	describe(3, 2, 100 * MIB);
	nodes[1].movable_pages = 60 * MIB;
	nodes[1].reserved_pages = 3 * MIB;
	nodes[2].cpus = 0;
	machine.nr_cpus = 4;
	boot();
	assert_int_equal(zone_of_node(0, YARD_ZONE_NORMAL).managed, 100 * MIB);
	assert_int_equal(zone_of_node(1, YARD_ZONE_NORMAL).managed, 37 * MIB);
	assert_int_equal(zone_of_node(1, YARD_ZONE_MOVABLE).managed, 60 * MIB);
	assert_int_equal(zone_of_node(2, YARD_ZONE_NORMAL).managed, 100 * MIB);
	assert_int_equal(scheduler_cpu_node(sim, 1), 0);
	assert_int_equal(scheduler_cpu_node(sim, 2), 1);
	run_until(NS_PER_S); // the kernel threads of a node without CPUs run elsewhere
}

static void assert_refused(const char *part)
{
	struct simulation_config config = {.machine = &machine, .seed = 1};
	struct yard_policy policy;
	char error[256] = "";

	assert_int_equal(yard_policy_parse("vanilla", &policy, NULL, 0), YARD_OK);
	config.policy = &policy;
	assert_null(simulation_create(&config, error, sizeof(error)));
	if (!strstr(error, part))
		fail_msg("%s", error);
}

static void what_cannot_boot_says_why(void **state)
{
	(void)state;
	describe(1, 1, 1000);
	nodes[0].reserved_pages = 1001;
	assert_refused("reserves more than it has");
	describe(1, 1, UINT64_C(1) << 32);
	assert_refused("more memory than");
	describe(1, 1, 1000);
	machine.nr_cpus = 0;
	assert_refused("CPUs");
	describe(1, 1, 0);
	assert_refused("memory layout");
}

static void the_machine_turns_lru_gen_on(void **state)
{
	(void)state;
	describe(1, 1, 64 * MIB);
	sim = boot_as("linux-7.3", 1, false);
	assert_false(yard_get_policy(sim->yard)->lru_gen);
	shut_down(NULL);
	machine.lru_gen = true;
	sim = boot_as("linux-7.3", 1, false);
	assert_true(yard_get_policy(sim->yard)->lru_gen);
}

// ---- costs (spec 05 section 6; costs.c) ----

static void begin_with_costs(unsigned cpus, uint64_t pages)
{
	describe(1, cpus, pages);
	default_costs();
	boot();
	run_until(NS_PER_MS);
}

enum { BLOCKS = 2000 };
static uint64_t took[BLOCKS], free_took[BLOCKS], refilled;

static void take_and_give(struct simulation *s, struct sim_task *task, void *argument)
{
	unsigned order = (unsigned)(uintptr_t)argument;
	uint32_t *pfn = task_memory(s, task, BLOCKS * sizeof(*pfn));
	struct yard_pcp_state set;

	for (unsigned i = 0; i < BLOCKS; i++) {
		uint64_t start = sim_now(s);

		pfn[i] = sim_alloc(s, REQUEST_ANON, YARD_GFP_HIGHUSER_MOVABLE, order, -1);
		assert_true(pfn[i] != YARD_PFN_NONE);
		took[i] = sim_now(s) - start;
	}
	assert_int_equal(yard_get_pcp(s->yard, YARD_ZONE_NORMAL, 0, &set), YARD_OK);
	refilled = BLOCKS + (uint64_t)set.count;
	for (unsigned i = 0; i < BLOCKS; i++) {
		uint64_t start = sim_now(s);

		sim_free(s, pfn[i], order);
		free_took[i] = sim_now(s) - start;
	}
}

static unsigned count_equal(const uint64_t *values, uint64_t value)
{
	unsigned n = 0;

	for (unsigned i = 0; i < BLOCKS; i++)
		n += values[i] == value;
	return n;
}

static uint64_t sum_of(const uint64_t *values)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < BLOCKS; i++)
		sum += values[i];
	return sum;
}

static void X2_X3_X4_pages_of_a_per_cpu_set(void **state)
{
	uint64_t rest;

	(void)state;
	begin_with_costs(1, 1024 * MIB);
	start_on(0, 0, take_and_give, (void *)0);
	run_until(NS_PER_S / 2);
	assert_in_range(count_equal(took, 35), BLOCKS - BLOCKS / 10, BLOCKS - 1);
	assert_in_range(count_equal(free_took, 25), BLOCKS - BLOCKS / 10, BLOCKS);
	rest = sum_of(took) - 35 * BLOCKS; // refills: 40 a page, 150 for 63 pages or more
	assert_in_range(rest / refilled, 39, 43);
}

static void X5_X6_blocks_past_the_sets(void **state)
{
	(void)state;
	begin_with_costs(1, 1024 * MIB);
	start_on(0, 0, take_and_give, (void *)4);
	run_until(NS_PER_S / 2);
	assert_in_range(sum_of(took), 150 * BLOCKS, (150 + 12) * BLOCKS); // one split on average
	assert_in_range(sum_of(free_took), 150 * BLOCKS, (150 + 12) * BLOCKS);
	assert_in_range(count_equal(took, 150), BLOCKS / 3, BLOCKS * 2 / 3); // every second block was there
}

static struct file *file;

static void read_file(struct simulation *s, struct sim_task *task, void *argument)
{
	uint64_t bytes = (uint64_t)(uintptr_t)argument;

	(void)task;
	file_read(s, file, 0, bytes);
}

static const struct sim_task *find_task(const char *comm)
{
	for (const struct sim_task *task = sim->scheduler->tasks; task; task = task->all_next)
		if (!strcmp(task->task.comm, comm))
			return task;
	fail_msg("no task %s", comm);
	return NULL;
}

static uint64_t node_stats(enum yard_node_stat first, unsigned nr)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < nr; i++)
		sum += yard_get_node_stat(sim->yard, 0, first + i);
	return (uint64_t)sum;
}

static void read_more_than_memory(uint64_t pages, uint64_t file_pages, uint64_t until)
{
	file = file_create(sim, file_pages * SIM_PAGE);
	assert_non_null(file);
	start_on(0, 0, read_file, (void *)(uintptr_t)(file_pages * SIM_PAGE));
	(void)pages;
	run_until(until);
}

static void X15_kswapd_reclaims_a_clean_file_page(void **state)
{
	uint64_t pages, before;

	(void)state;
	begin_with_costs(4, 256 * MIB);
	before = find_task("kswapd0")->system_ns;
	read_more_than_memory(256 * MIB, 2048 * MIB, 60 * NS_PER_S);
	pages = node_stats(YARD_NODE_PGSTEAL_KSWAPD, 1);
	assert_in_range(pages, 1000 * MIB, 2048 * MIB);
	assert_in_range((find_task("kswapd0")->system_ns - before) / pages, 480, 720);
}

// Every second page of the file is dropped; the rest is moved together.
static void compact_by_hand(struct simulation *s, struct sim_task *task, void *argument)
{
	uint64_t *ns = argument, pages = file->size / SIM_PAGE, start;

	(void)task;
	for (uint64_t page = 0; page < pages; page += 2)
		object_drop(s, file->object, page, page + 1);
	yard_lru_drain_all(s->yard);
	start = sim_now(s);
	assert_int_equal(yard_compact_node(s->yard, 0), YARD_OK);
	*ns = sim_now(s) - start;
}

static void X21_compaction_moves_a_page(void **state)
{
	uint64_t ns = 0, pages;

	(void)state;
	describe(1, 2, 256 * MIB);
	default_costs();
	machine.cost_ns[COST_SCAN_FRAME] = 0; // what looks for pages is X23
	machine.compaction_proactiveness = -1;
	boot();
	read_more_than_memory(0, 160 * MIB, 10 * NS_PER_S);
	start_on(0, 0, compact_by_hand, &ns);
	run_until(20 * NS_PER_S);
	pages = yard_get_vm_event(sim->yard, YARD_VM_PGMIGRATE_SUCCESS);
	assert_in_range(pages, 10 * MIB, 80 * MIB);
	assert_in_range(ns / pages, 1240 * 8 / 10, 1240 * 12 / 10);
}

// Only one step costs anything, 1 ns: the time that the system takes is how often the engine counts it.
static uint64_t system_time(enum cost cost, uint64_t pages)
{
	struct cpu_times times;
	uint64_t sum = 0;

	describe(1, 2, 128 * MIB);
	machine.compaction_proactiveness = -1;
	machine.cost_ns[cost] = 1;
	boot();
	read_more_than_memory(0, pages, 60 * NS_PER_S);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		scheduler_cpu_times(sim, cpu, &times);
		sum += times.system;
	}
	return sum;
}

static void each_step_is_charged_once(void **state)
{
	uint64_t ns;

	(void)state;
	ns = system_time(COST_RECLAIM_PAGE, 300 * MIB);
	assert_true(ns > 100 * MIB);
	assert_int_equal(ns, node_stats(YARD_NODE_PGSTEAL_FILE, 1));
	shut_down(NULL);
	ns = system_time(COST_SCAN_PAGE, 300 * MIB);
	assert_in_range(ns, node_stats(YARD_NODE_PGSCAN_FILE, 1) / 2, node_stats(YARD_NODE_PGSCAN_FILE, 1));
	shut_down(NULL);
	ns = system_time(COST_DIRECT_RECLAIM, 300 * MIB);
	assert_int_equal(ns, yard_get_vm_event(sim->yard, YARD_VM_ALLOCSTALL_NORMAL)
				     + yard_get_vm_event(sim->yard, YARD_VM_ALLOCSTALL_MOVABLE));
}

// ---- requests ----

static void take_until_failure(struct simulation *s, struct sim_task *task, void *argument)
{
	unsigned *got = argument;

	(void)task;
	while (sim_alloc(s, REQUEST_MODULE, YARD_GFP_KERNEL | YARD_GFP_NORETRY, 3, -1) != YARD_PFN_NONE)
		++*got;
	assert_int_equal(sim_try_alloc(s, REQUEST_SLAB, YARD_GFP_KERNEL | YARD_GFP_NORETRY, 3, -1), YARD_PFN_NONE);
	assert_int_equal(sim_alloc_huge(s, YARD_GFP_TRANSHUGE_LIGHT, NULL, 0), YARD_PFN_NONE);
}

static void requests_are_counted_by_class(void **state)
{
	unsigned got = 0;

	(void)state;
	begin_with_costs(1, 64 * MIB);
	start_on(0, 0, take_until_failure, &got);
	run_until(10 * NS_PER_S);
	assert_in_range(got, 50 * MIB / 8, 64 * MIB / 8);
	assert_int_equal(sim->results->requests[REQUEST_MODULE], got + 1);
	assert_int_equal(sim->results->failures[REQUEST_MODULE], 1);
	assert_int_equal(sim->results->latency[REQUEST_MODULE].count, got + 1);
	assert_true(sim->results->latency[REQUEST_MODULE].max > 1000); // it reclaimed and compacted
	assert_int_equal(histogram_percentile(&sim->results->latency[REQUEST_MODULE], 0), 35);
	assert_true(sim->results->rounds.count >= 1);
	assert_int_equal(sim->results->requests[REQUEST_SLAB], 0); // a try that failed is nobody's failure
	assert_int_equal(sim->results->failures[REQUEST_SLAB], 0);
	assert_int_equal(sim->results->requests[REQUEST_THP], 1);
	assert_int_equal(sim->results->failures[REQUEST_THP], 1);
	assert_string_equal(request_class_name(REQUEST_SLAB_RECLAIMABLE), "slab-reclaimable");
}

static unsigned received, dropped;

static void receive(struct simulation *s, void *argument)
{
	struct sim_timer *timer = argument;
	uint32_t pfn = sim_alloc(s, REQUEST_ATOMIC, YARD_GFP_ATOMIC, 0, -1);

	if (pfn == YARD_PFN_NONE) {
		dropped++;
		return;
	}
	received++;
	timer_start(s, timer, sim_now(s) + NS_PER_US, receive, timer);
}

static void interrupts_allocate_without_sleeping(void **state)
{
	struct sim_timer timer = {.cpu = 0};

	(void)state;
	begin_with_costs(2, 64 * MIB);
	received = dropped = 0;
	timer_start(sim, &timer, 0, receive, &timer);
	run_until(10 * NS_PER_S);
	// Below the minimum, down to the reserve that atomic requests may use; then one fails.
	assert_int_equal(dropped, 1);
	assert_in_range(received, 62 * MIB, 64 * MIB);
	assert_int_equal(sim->results->failures[REQUEST_ATOMIC], 1);
	assert_true(sim->results->latency[REQUEST_ATOMIC].max < 100000);
	assert_true(sim->results->free_at_first_failure[REQUEST_ATOMIC] < zone_of_node(0, YARD_ZONE_NORMAL).wmark[0]);
}

static void free_twice(struct simulation *s, struct sim_task *task, void *argument)
{
	uint32_t pfn = sim_alloc(s, REQUEST_ANON, YARD_GFP_HIGHUSER_MOVABLE, 0, -1);

	(void)task;
	(void)argument;
	sim_free(s, pfn, 0);
	sim_free(s, pfn, 0);
}

static void a_wrong_free_ends_the_run(void **state)
{
	(void)state;
	begin_with_costs(1, 64 * MIB);
	start_on(0, 0, free_twice, NULL);
	assert_false(simulation_run(sim, NS_PER_S));
	assert_non_null(strstr(sim->error, "free"));
}

static void check_looks_after_each_slow_call(void **state)
{
	unsigned got = 0;

	(void)state;
	begin_with_costs(1, 64 * MIB);
	sim->check = true;
	start_on(0, 0, take_until_failure, &got);
	run_until(NS_PER_S); // all is well
	shut_down(NULL);
	begin_with_costs(1, 64 * MIB);
	sim->check = true;
	atomic_fetch_add(&zone_at(sim->yard, YARD_ZONE_NORMAL)->nr_free[1], 1); // one more than there are
	start_on(0, 0, take_until_failure, &got);
	assert_false(simulation_run(sim, NS_PER_S));
	assert_true(got > 0); // the fast ones went through
	assert_true(sim->error[0] != '\0');
	shut_down(NULL);
	sim = boot_as("linux-7.3", 1, false);
	atomic_fetch_add(&zone_at(sim->yard, YARD_ZONE_NORMAL)->nr_free[1], 1); // one more than there are
	start_on(0, 0, take_until_failure, &got);
	run_until(NS_PER_S); // nobody looks
}

// ---- locks ----

static void take_and_give_blocks(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)argument;
	while (!task_stopped(task)) {
		uint32_t pfn = sim_alloc(s, REQUEST_SLAB, YARD_GFP_KERNEL, 5, -1);

		sim_point(s);
		sim_free(s, pfn, 5);
		sim_point(s);
	}
}

static uint64_t spin_share_ppm(unsigned cpus)
{
	uint64_t spin = 0;

	begin_with_costs(8, 256 * MIB);
	for (unsigned i = 0; i < cpus; i++)
		start_on((int)i, 0, take_and_give_blocks, NULL);
	run_until(11 * NS_PER_MS);
	for (unsigned i = 0; i < cpus; i++) {
		struct cpu_times times;

		scheduler_cpu_times(sim, i, &times);
		spin += times.lock_spin;
	}
	shut_down(NULL);
	return spin * 1000000 / (cpus * 10 * NS_PER_MS);
}

static void a_zones_lock_is_one_for_all_cpus(void **state)
{
	(void)state;
	assert_int_equal(spin_share_ppm(1), 0);
	assert_in_range(spin_share_ppm(8), 850000, 950000); // one of eight gets on, and each handover takes time
}

// ---- the kernel's threads ----

static void kswapd_keeps_memory_free(void **state)
{
	struct yard_zone_state zone;

	(void)state;
	begin_with_costs(2, 256 * MIB);
	read_more_than_memory(0, 1024 * MIB, 60 * NS_PER_S);
	zone = zone_of_node(0, YARD_ZONE_NORMAL);
	assert_true((uint64_t)zone.stat[YARD_NR_FREE_PAGES] >= zone.wmark[1]);
	assert_true(node_stats(YARD_NODE_PGSTEAL_FILE, 1) > 700 * MIB);
	assert_true(node_stats(YARD_NODE_PGSTEAL_KSWAPD, 1)
		    > 600 * MIB); // the reader, whom it can't keep up with, the rest
	check_yard();
}

static void vmstat_work_empties_sets(void **state)
{
	struct yard_pcp_state before, after;

	(void)state;
	begin_with_costs(1, 1024 * MIB);
	start_on(0, 0, take_and_give, (void *)0);
	run_until(NS_PER_S / 2);
	assert_int_equal(yard_get_pcp(sim->yard, YARD_ZONE_NORMAL, 0, &before), YARD_OK);
	run_until(100 * NS_PER_S);
	assert_int_equal(yard_get_pcp(sim->yard, YARD_ZONE_NORMAL, 0, &after), YARD_OK);
	assert_true(before.high > before.high_min);
	assert_int_equal(after.high, after.high_min); // spec 01 P15
	assert_int_equal(after.diff[YARD_NR_FREE_PAGES], 0);
}

// ---- the same seed ----

static void mixed_load(struct simulation *s, struct sim_task *task, void *argument)
{
	struct file *mine = argument;

	for (;;) {
		uint64_t pages = mine->size / SIM_PAGE, page = random_below(&task->random, pages);
		uint64_t count = random_between(&task->random, 1, 64);

		if (count > pages - page)
			count = pages - page;
		if (random_chance(&task->random, 1, 4))
			file_write(s, mine, page * SIM_PAGE, count * SIM_PAGE);
		else
			file_read(s, mine, page * SIM_PAGE, count * SIM_PAGE);
		task_compute(s, random_below(&task->random, 20000));
	}
}

static void add_to_hash(uint64_t *hash, uint64_t value)
{
	*hash = (*hash ^ value) * UINT64_C(0x100000001b3);
}

static uint64_t run_mixed(uint64_t seed, uint64_t grain)
{
	uint64_t hash = 0;

	describe(2, 2, 48 * MIB);
	default_costs();
	machine.scheduling_grain_ns = grain;
	sim = boot_as("linux-7.3,defrag_mode=1", seed, false);
	for (unsigned i = 0; i < 6; i++) {
		const struct task_attributes attributes = {.comm = "mixed", .index = i, .cpu = -1, .node = -1};
		struct file *mine = file_create(sim, UINT64_C(30) * MIB * SIM_PAGE);

		assert_non_null(mine);
		assert_non_null(task_create(sim, &attributes, mixed_load, mine));
	}
	run_until(NS_PER_S);
	for (unsigned event = 0; event < YARD_VM_EVENTS; event++)
		add_to_hash(&hash, yard_get_vm_event(sim->yard, event));
	for (unsigned item = 0; item < YARD_NODE_STATS; item++)
		add_to_hash(&hash, (uint64_t)yard_get_node_stat(sim->yard, 1, item));
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		struct cpu_times times;

		scheduler_cpu_times(sim, cpu, &times);
		add_to_hash(&hash, times.system);
		add_to_hash(&hash, times.lock_spin);
	}
	assert_true(node_stats(YARD_NODE_PGSTEAL_FILE, 1) > 0);
	check_yard();
	shut_down(NULL);
	return hash;
}

static void the_same_seed_gives_the_same_machine(void **state)
{
	(void)state;
	for (uint64_t grain = 0; grain <= 10000; grain += 10000) {
		uint64_t first = run_mixed(1, grain);

		assert_true(run_mixed(1, grain) == first);
		assert_true(run_mixed(2, grain) != first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_published_machine_boots, shut_down),
		cmocka_unit_test_teardown(a_pc_has_its_zones, shut_down),
		cmocka_unit_test_teardown(nodes_and_movable_zones, shut_down),
		cmocka_unit_test(what_cannot_boot_says_why),
		cmocka_unit_test_teardown(the_machine_turns_lru_gen_on, shut_down),
		cmocka_unit_test_teardown(X2_X3_X4_pages_of_a_per_cpu_set, shut_down),
		cmocka_unit_test_teardown(X5_X6_blocks_past_the_sets, shut_down),
		cmocka_unit_test_teardown(X15_kswapd_reclaims_a_clean_file_page, shut_down),
		cmocka_unit_test_teardown(X21_compaction_moves_a_page, shut_down),
		cmocka_unit_test_teardown(each_step_is_charged_once, shut_down),
		cmocka_unit_test_teardown(requests_are_counted_by_class, shut_down),
		cmocka_unit_test_teardown(interrupts_allocate_without_sleeping, shut_down),
		cmocka_unit_test_teardown(a_wrong_free_ends_the_run, shut_down),
		cmocka_unit_test_teardown(check_looks_after_each_slow_call, shut_down),
		cmocka_unit_test(a_zones_lock_is_one_for_all_cpus),
		cmocka_unit_test_teardown(kswapd_keeps_memory_free, shut_down),
		cmocka_unit_test_teardown(vmstat_work_empties_sets, shut_down),
		cmocka_unit_test(the_same_seed_gives_the_same_machine),
	};

	return cmocka_run_group_tests_name("simulation", tests, NULL, NULL);
}
