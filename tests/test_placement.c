// SPDX-License-Identifier: Apache-2.0
//
// Memory policies of tasks and mappings in the simulator (spec 05 section 2, M1, M20, M21, M23).

#include "process_fixture.h"

#include "sim/memory_internal.h"
#include "sim/page_cache.h"
#include "sim/swap_device.h"

enum { FEW = 1024 }; // pages: far from any watermark

static struct placement placement_of(const char *text)
{
	struct placement placement = {.has_policy = false};

	assert_true(placement_set(sim, &placement, text));
	return placement;
}

// ---- tasks ----

static struct body {
	task_body *function;
	bool done;
} running;

static void run_body(struct simulation *s, struct sim_task *task, void *argument)
{
	((struct body *)argument)->function(s, task, NULL);
	((struct body *)argument)->done = true;
}

// The body in a process on node 0, whose tasks have this policy.
static void run_with(const struct placement *placement, task_body *function)
{
	const struct task_attributes attributes = {.comm = "test", .cpu = -1, .node = 0, .placement = placement};
	struct process *process = process_create(sim, &(struct process_attributes){.comm = "test"});

	assert_non_null(process);
	running = (struct body){.function = function};
	assert_non_null(process_thread(sim, process, &attributes, run_body, &running));
	if (!simulation_run(sim, scheduler_clock(sim) + 60 * NS_PER_S))
		fail_msg("%s", sim->error);
	assert_true(running.done);
}

static void run_as(const char *policy, task_body *function)
{
	const struct placement placement = placement_of(policy);

	run_with(&placement, function);
}

static uint64_t on_node[NODES];

// Fills a mapping of the running task and tells where it lies.
static struct memory_object *fill(struct simulation *s, struct sim_task *task, const char *mbind)
{
	const struct placement placement = placement_of(mbind);
	struct memory_object *object = process_map(s, task->process, FEW, false);

	assert_non_null(object);
	mapping_set_placement(object, &placement);
	assert_int_equal(memory_touch_range(s, object, 0, FEW, true), FEW);
	for (unsigned node = 0; node < NODES; node++)
		on_node[node] = object_resident_on(object, node);
	return object;
}

static void fill_plain(struct simulation *s, struct sim_task *task, void *unused)
{
	(void)unused;
	fill(s, task, "default");
}

static void fill_bound_to_0(struct simulation *s, struct sim_task *task, void *unused)
{
	(void)unused;
	fill(s, task, "bind:0");
}

// ---- M1 ----

static void M1_no_policy_is_the_cpus_node(void **state)
{
	(void)state;
	start(NODES, 1, PAGES);
	run_as("default", fill_plain);
	assert_int_equal(on_node[0], FEW);
}

static void M1_a_task_has_a_policy(void **state)
{
	(void)state;
	start(NODES, 1, PAGES);
	run_as("bind:1", fill_plain);
	assert_int_equal(on_node[1], FEW);
	run_as("preferred:1", fill_plain);
	assert_int_equal(on_node[1], FEW);
	run_as("preferred-many:1", fill_plain);
	assert_int_equal(on_node[1], FEW);
	run_as("local", fill_plain);
	assert_int_equal(on_node[0], FEW);
}

// ---- M11, M13 ----

static struct placement in_cpuset(uint64_t nodes, const char *text)
{
	struct placement placement = {.cpuset = nodes};

	assert_true(placement_set(sim, &placement, text));
	return placement;
}

static void M13_a_task_stays_in_its_cpuset(void **state)
{
	static const char *const policies[] = {"default", "local", "preferred:1", "interleave:all", "bind=relative:0"};

	(void)state;
	start(NODES, 1, PAGES);
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct placement placement = in_cpuset(2, policies[i]);

		run_with(&placement, fill_plain);
		assert_int_equal(on_node[1], FEW);
		assert_int_equal(on_node[0], 0);
	}
}

static void M11_a_policy_outside_of_the_cpuset_is_an_error(void **state)
{
	struct placement placement = {.cpuset = 2};

	(void)state;
	start(NODES, 1, PAGES);
	assert_false(placement_set(sim, &placement, "bind:0"));
	sim->error[0] = '\0';
}

static void M1_a_mappings_policy_comes_first(void **state)
{
	(void)state;
	start(NODES, 1, PAGES);
	run_as("bind:1", fill_bound_to_0);
	assert_int_equal(on_node[0], FEW);
}

static void M7_interleaving_gives_each_node_its_share(void **state)
{
	(void)state;
	start(NODES, 1, PAGES);
	run_as("interleave:all", fill_plain);
	assert_int_equal(on_node[0], FEW / 2);
	assert_int_equal(on_node[1], FEW / 2);
	assert_int_equal(yard_set_node_weight(sim->yard, 0, 3), YARD_OK);
	assert_int_equal(yard_set_node_weight(sim->yard, 1, 1), YARD_OK);
	run_as("weighted-interleave:all", fill_plain);
	assert_int_equal(on_node[0], FEW / 4 * 3);
	assert_int_equal(on_node[1], FEW / 4);
}

static void fill_as_child(struct simulation *s, struct sim_task *task, void *done)
{
	fill(s, task, "default");
	*(bool *)done = true;
}

static void start_thread(struct simulation *s, struct sim_task *task, void *unused)
{
	static bool done;
	const struct task_attributes attributes = {.comm = "thread", .cpu = -1, .node = 0};

	(void)unused;
	done = false;
	on_node[0] = on_node[1] = 0;
	assert_non_null(process_thread(s, task->process, &attributes, fill_as_child, &done));
	while (!done)
		task_sleep(s, NS_PER_MS);
}

static void start_process(struct simulation *s, struct sim_task *task, void *unused)
{
	static bool done;
	const struct task_attributes attributes = {.comm = "child", .cpu = -1, .node = 0};
	struct process *process = process_create(s, &(struct process_attributes){.comm = "child"});

	(void)task, (void)unused;
	done = false;
	on_node[0] = on_node[1] = 0;
	assert_non_null(process);
	assert_non_null(process_thread(s, process, &attributes, fill_as_child, &done));
	while (!done)
		task_sleep(s, NS_PER_MS);
}

static void M1_threads_and_children_inherit(void **state)
{
	(void)state;
	start(NODES, 1, PAGES);
	run_as("bind:1", start_thread);
	assert_int_equal(on_node[1], FEW);
	run_as("bind:1", start_process);
	assert_int_equal(on_node[1], FEW);
	run_as("default", start_process);
	assert_int_equal(on_node[0], FEW);
}

// ---- the page cache ----

static void read_file(struct simulation *s, struct sim_task *task, void *unused)
{
	struct file *file = file_create(s, FEW * SIM_PAGE);

	(void)task, (void)unused;
	assert_non_null(file);
	file_open(file);
	assert_true(file_read(s, file, 0, FEW * SIM_PAGE));
	for (unsigned node = 0; node < NODES; node++)
		on_node[node] = object_resident_on(file->object, node);
	file_close(s, file);
	file_unlink(s, file);
}

static void write_file(struct simulation *s, struct sim_task *task, void *unused)
{
	struct file *file = file_create(s, 0);

	(void)task, (void)unused;
	assert_non_null(file);
	file_open(file);
	assert_true(file_write(s, file, 0, FEW * SIM_PAGE));
	for (unsigned node = 0; node < NODES; node++)
		on_node[node] = object_resident_on(file->object, node);
	file_close(s, file);
	file_unlink(s, file);
}

static void M20_the_page_cache_follows_the_task(void **state)
{
	(void)state;
	start(NODES, 1, PAGES);
	run_as("default", read_file);
	assert_int_equal(on_node[0], FEW);
	run_as("preferred:1", read_file);
	assert_int_equal(on_node[1], FEW);
	run_as("bind:1", write_file);
	assert_int_equal(on_node[1], FEW);
}

static void read_in_turn(struct simulation *s, struct sim_task *task, void *unused)
{
	struct file *file = file_create(s, FEW * SIM_PAGE);

	(void)unused;
	assert_non_null(file);
	file_open(file);
	task->cursor.previous = 0;
	assert_true(file_read(s, file, 0, SIM_PAGE));
	for (uint64_t page = 0; page < file->object->resident; page++) {
		uint32_t pfn = entry_frame(*object_entry(s, file->object, page, false));

		assert_int_equal((unsigned)yard_zone_of(s->yard, pfn) / YARD_ZONE_TYPES, (page + 1) % NODES);
	}
	assert_true(file->object->resident > 1);
	file_close(s, file);
	file_unlink(s, file);
}

static void M20_interleaving_goes_by_the_tasks_cursor(void **state)
{
	(void)state;
	start(NODES, 1, PAGES);
	run_as("interleave:all", read_in_turn);
	run_as("interleave:all", read_file);
	assert_int_equal(on_node[0], FEW / 2);
}

static void M21_spreading_goes_past_the_policy(void **state)
{
	struct placement placement;

	(void)state;
	start(NODES, 1, PAGES);
	placement = placement_of("bind:1");
	placement.spread_page = true;
	run_with(&placement, read_file);
	assert_int_equal(on_node[0], FEW / 2);
	assert_int_equal(on_node[1], FEW / 2);
	run_with(&placement, fill_plain); // of the page cache only
	assert_int_equal(on_node[1], FEW);
}

// ---- swap ----

static void swap_out(struct simulation *s, struct memory_object *object)
{
	for (uint64_t page = 0; page < FEW; page++) {
		uint32_t pfn = entry_frame(*object_entry(s, object, page, false));

		yard_reclaim_pages(s->yard, &pfn, 1);
	}
	for (unsigned i = 0; object->resident && i < 100; i++) {
		task_sleep(s, 10 * NS_PER_MS); // what is being written
		for (uint64_t page = 0; page < FEW; page++) {
			uint64_t entry = *object_entry(s, object, page, false);
			uint32_t pfn = entry_frame(entry);

			if (entry & ENTRY_RESIDENT)
				yard_reclaim_pages(s->yard, &pfn, 1);
		}
	}
	assert_int_equal(object->resident, 0);
}

static void swap_round_trip(struct simulation *s, struct sim_task *task, void *unused)
{
	struct memory_object *object = fill(s, task, "default");
	const struct placement elsewhere = placement_of("bind:1");

	(void)unused;
	assert_int_equal(on_node[0], FEW);
	swap_out(s, object);
	mapping_set_placement(object, &elsewhere);
	assert_int_equal(memory_touch(s, object, FEW / 2, false), TOUCH_MAJOR);
	assert_true(object->resident > 1); // with neighbours
	assert_int_equal(object_resident_on(object, 1), object->resident);
}

static void M23_swap_in_goes_by_the_mapping(void **state)
{
	(void)state;
	describe_machine(NODES, 1, PAGES);
	machine.swap_kind = SWAP_DEVICE;
	machine.swap_pages = PAGES;
	start_machine();
	run_as("bind:0", swap_round_trip);
}

// ---- policies as text ----

static void refused(const char *text, const char *because)
{
	char reason[200] = "";

	assert_false(placement_check(text, 4, reason, sizeof(reason)));
	if (!strstr(reason, because))
		fail_msg("'%s': %s", text, reason);
}

static void texts_are_checked(void **state)
{
	char reason[200];

	(void)state;
	assert_true(placement_check("preferred-many:0-3", 4, reason, sizeof(reason)));
	assert_true(placement_check("bind=static:0,2-3", 4, reason, sizeof(reason)));
	refused("bound:0", "'bound' is no memory policy");
	refused("bind:4", "0 to 3");
	refused("bind:3-1", "0 to 3");
	refused("bind:", "nodes are written as");
	refused("bind:0,", "nodes are written as");
	refused("bind:0x", "nodes are written as");
	refused("bind", "'bind' needs nodes");
	refused("local:1", "'local' has no nodes");
	refused("local=static", "'local' has no flags");
	refused("bind=fast:0", "'fast' is no flag");
	refused("interleave=balancing:0", "only bind and preferred-many");
}

static void texts_mean_nodes(void **state)
{
	(void)state;
	start(NODES, 1, PAGES);
	assert_int_equal(placement_of("bind:0-1").policy.nodes, 3);
	assert_int_equal(placement_of("bind:1").policy.nodes, 2);
	assert_int_equal(placement_of("interleave:all").policy.nodes, 3);
	assert_int_equal(placement_of("bind=static:0").policy.flags, YARD_MPOL_STATIC_NODES);
	assert_false(placement_of("default").has_policy);
	assert_true(placement_of("local").has_policy);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, stop)
	const struct CMUnitTest tests[] = {
		TEST(M1_no_policy_is_the_cpus_node),
		TEST(M1_a_task_has_a_policy),
		TEST(M13_a_task_stays_in_its_cpuset),
		TEST(M11_a_policy_outside_of_the_cpuset_is_an_error),
		TEST(M1_a_mappings_policy_comes_first),
		TEST(M7_interleaving_gives_each_node_its_share),
		TEST(M1_threads_and_children_inherit),
		TEST(M20_the_page_cache_follows_the_task),
		TEST(M20_interleaving_goes_by_the_tasks_cursor),
		TEST(M21_spreading_goes_past_the_policy),
		TEST(M23_swap_in_goes_by_the_mapping),
		TEST(texts_are_checked),
		TEST(texts_mean_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
