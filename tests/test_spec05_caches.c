// SPDX-License-Identifier: Apache-2.0
//
// What the simulator tells local-reclaim of its workloads (spec 05 L1, L2, L6 ii): owners, caches, and how much of a
// cache is in use on a node.

#include "process_fixture.h"

#include "sim/local_reclaim_internal.h"
#include "sim/page_cache.h"

enum { FILE_PAGES = 1024 };

static const struct local_settings settings = {.home = "cpu", .rate_mbps = 1};

static void L1_a_workload_is_one_owner_whatever_its_name(void **state)
{
	static const char name[] = "a-name-that-is-longer-than-the-forty-eight-characters-of-before";
	uint8_t owner;

	(void)state;
	start(NODES, 1, PAGES);
	owner = local_reclaim_owner(sim, name, &settings);
	assert_int_equal(owner, 1);
	for (unsigned i = 0; i < 2 * YARD_LOCAL_OWNERS_MAX; i++) // iterations
		assert_int_equal(local_reclaim_owner(sim, name, &settings), owner);
	assert_int_equal(cache_set_of(sim, name, CACHE_NORMAL), cache_set_of(sim, name, CACHE_NORMAL));
	assert_int_equal(local_reclaim_owner(sim, "another", &settings), 2);
}

static void L2_advice_is_not_lost_silently(void **state)
{
	static char names[CACHE_SETS_MAX][8];

	(void)state;
	start(NODES, 1, PAGES);
	for (unsigned i = 0; i < CACHE_SETS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "%u", i);
		assert_int_equal(cache_set_of(sim, names[i], CACHE_NORMAL), i + 1);
	}
	assert_int_equal(cache_set_of(sim, "one more", CACHE_NORMAL), 0);
	assert_string_equal(sim->error, "");
	assert_int_equal(cache_set_of(sim, "to be kept", CACHE_KEEP), 0);
	assert_non_null(strstr(sim->error, "to be kept"));
	sim->error[0] = '\0';
}

// ---- L6 ii ----

static struct yard_local_page seen[NODES];
static uint64_t resident[NODES];
static bool done;

static struct file *read_on(struct simulation *s, struct sim_task *task, const char *policy, unsigned times)
{
	struct placement placement = task->placement;
	struct file *file = file_create(s, FILE_PAGES * SIM_PAGE);

	if (!file || !placement_set(s, &placement, policy))
		return NULL;
	task_set_placement(task, &placement);
	file_open(file);
	while (times--)
		file_read(s, file, 0, FILE_PAGES * SIM_PAGE);
	return file;
}

static void read_files(struct simulation *s, struct sim_task *task, void *unused)
{
	struct file *file[NODES] = {read_on(s, task, "bind:0", 1), read_on(s, task, "bind:1", 4)};

	(void)unused;
	for (unsigned node = 0; node < NODES && file[node]; node++) {
		resident[node] = object_resident_on(file[node]->object, node);
		cache_describe(s, file[node]->object, 0, node, &seen[node]);
		done = node == NODES - 1;
	}
	for (unsigned node = 0; node < NODES && file[node]; node++) {
		file_close(s, file[node]);
		file_unlink(s, file[node]);
	}
}

// What lies on node 0 was read once and is not in use, whatever happens to what lies on node 1.
static void L6_what_is_in_use_counts_on_its_node(void **state)
{
	struct placement placement = {.has_policy = false};
	const struct task_attributes attributes = {.comm = "test", .cpu = -1, .node = 0, .placement = &placement};
	struct process *process;

	(void)state;
	start(NODES, 1, PAGES);
	assert_true(local_reclaim_owner(sim, "job", &settings));
	placement.cache_set = cache_set_of(sim, "server", CACHE_NORMAL);
	process = process_create(sim, &(struct process_attributes){.comm = "test"});
	assert_non_null(process);
	done = false;
	assert_non_null(process_thread(sim, process, &attributes, read_files, NULL));
	if (!simulation_run(sim, scheduler_clock(sim) + 60 * NS_PER_S))
		fail_msg("%s", sim->error);
	assert_true(done);
	for (unsigned node = 0; node < NODES; node++) {
		assert_int_equal(resident[node], FILE_PAGES);
		assert_int_equal(seen[node].victim, placement.cache_set);
		assert_int_equal(seen[node].victim_pages, FILE_PAGES);
		assert_false(seen[node].keep || seen[node].declared);
	}
	assert_int_equal(seen[0].victim_hot, 0);
	assert_int_equal(seen[1].victim_hot, FILE_PAGES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, stop)
	const struct CMUnitTest tests[] = {
		TEST(L1_a_workload_is_one_owner_whatever_its_name),
		TEST(L2_advice_is_not_lost_silently),
		TEST(L6_what_is_in_use_counts_on_its_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
