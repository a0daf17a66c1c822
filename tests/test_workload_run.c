// SPDX-License-Identifier: Apache-2.0
//
// The supervisors of workloads: when instances start, end, and start again.

#include "scenario_fixture.h"

#include <pageyard/stat.h>

#include "sim/runner.h"

// "forks" of exactly one child each, which tell when an instance runs.
#define RUNS(keys)                                                                                                     \
	"machine: box\nduration: 1s\nworkload:\n  - {kind: fork-storm, name: runs, children: 1, sleep: 10ms" keys "}"  \
														  "\n"

static void instances_start_over_the_ramp(void **state)
{
	(void)state;
	boot(RUNS(", count: 4, start: 100ms, ramp: 400ms"), "linux-7.3");
	start();
	for (uint64_t i = 0; i < 4; i++) {
		go_on((90 + 100 * i) * NS_PER_MS);
		assert_int_equal(figure(0, "children"), i);
	}
	go_on(450 * NS_PER_MS);
	assert_int_equal(figure(0, "children"), 4);
	assert_int_equal(scenario->workload[0].running, 0);
}

static void instances_repeat(void **state)
{
	(void)state;
	boot(RUNS(", repeat: 3, pause: 100ms"), "linux-7.3");
	start();
	go_on(90 * NS_PER_MS);
	assert_int_equal(figure(0, "children"), 1);
	go_on(200 * NS_PER_MS);
	assert_int_equal(figure(0, "children"), 2);
	go_on(NS_PER_S);
	assert_int_equal(figure(0, "children"), 3);
	assert_int_equal(scenario->workload[0].running, 0);
}

static void endless_repetition_ends_at_stop(void **state)
{
	(void)state;
	boot(RUNS(", repeat: endless, pause: 90ms, stop: 950ms"), "linux-7.3");
	start();
	go_on(2 * NS_PER_S);
	assert_in_range(figure(0, "children"), 9, 10);
	assert_int_equal(scenario->workload[0].running, 0);
}

static void killed_instances_start_again(void **state)
{
	(void)state;
	boot("machine: box\nduration: 1s\nworkload:\n  - {kind: anonymous-hold, name: held, memory: 1MiB, restart: "
	     "100ms}\n"
	     "  - {kind: anonymous-hold, name: gone, memory: 1MiB}\n",
	     "linux-7.3");
	start();
	go_on(50 * NS_PER_MS);
	assert_int_equal(processes_of("held") + processes_of("gone"), 2);
	for (struct process *process = process_first(sim); process; process = process->next)
		process_kill(sim, process, false);
	go_on(100 * NS_PER_MS);
	assert_int_equal(processes_of("held") + processes_of("gone"), 0);
	assert_int_equal(figure(0, "killed"), 1);
	assert_int_equal(figure(1, "killed"), 1);
	assert_int_equal(scenario->workload[1].running, 0);
	go_on(200 * NS_PER_MS);
	assert_int_equal(processes_of("held"), 1);
	assert_int_equal(processes_of("gone"), 0);
}

static void background_ends_with_the_others(void **state)
{
	(void)state;
	boot("machine: box\nduration: 1s\nworkload:\n  - {kind: stutter, memory: 1MiB, background: on}\n"
	     "  - {kind: fork-storm, children: 1, sleep: 10ms}\n"
	     "  - {kind: fork-storm, children: 1, sleep: 10ms, start: 100ms}\n", "linux-7.3");
	start();
	go_on(90 * NS_PER_MS);
	assert_int_equal(scenario->workload[1].running, 0);
	assert_true(scenario->workload[0].running);
	go_on(150 * NS_PER_MS);
	assert_int_equal(scenario->workload[0].running, 0);
	assert_true(figure(0, "rounds") >= 15);
}

// The second preparation begins when the first one is ready, and the runner's clock after both.
static void preparations_go_one_after_the_other(void **state)
{
	struct runner_options options = {.seed = 1};
	struct yard_policy policy;
	char error[256];
	struct run *run;

	(void)state;
	boot("machine: box\nduration: 20ms\nworkload:\n  - {kind: anonymous-hold, name: one, memory: 20%, first: on}\n"
	     "  - {kind: anonymous-hold, name: two, memory: 20%, first: on}\n  - {kind: stutter, memory: 1MiB}\n",
	     "linux-7.3");
	workload_start(sim, &scenario->workload[0]);
	workload_start(sim, &scenario->workload[1]);
	while (!scenario->workload[0].ready) {
		assert_int_equal(processes_of("two"), 0);
		go_on(scheduler_clock(sim) + NS_PER_MS / 2);
	}
	while (!scenario->workload[1].ready)
		go_on(scheduler_clock(sim) + NS_PER_MS / 2);
	assert_int_equal(processes_of("one") + processes_of("two"), 2);
	assert_int_equal(yard_get_node_stat(sim->yard, 0, YARD_NODE_ANON_PAGES), 2 * 61440 / 5);

	assert_int_equal(yard_policy_parse("linux-7.3", &policy, error, sizeof(error)), YARD_OK);
	options.policy = &policy;
	run = runner_run(scenario, &options);
	assert_non_null(run);
	assert_string_equal(run->error, "");
	assert_int_equal(run->iteration[0].results.end_ns - run->iteration[0].results.start_ns, 20 * NS_PER_MS);
	assert_in_range(run->iteration[0].workload[2].figure[0].value, 2, 4); // counted from the clock's begin
	run_free(run);
}

static void places_and_groups_are_carried(void **state)
{
	(void)state;
	boot("machine: box\nduration: 1s\nworkload:\n  - {kind: stutter, count: 4, memory: 1MiB, cpu: 1, nice: -5, "
	     "group: web,\n"
	     "     oom_score_adj: 500}\n",
	     "linux-7.3");
	start();
	go_on(50 * NS_PER_MS);
	assert_int_equal(process_count(sim), 4);
	for (const struct process *process = process_first(sim); process; process = process->next) {
		assert_string_equal(process_group_name(sim, process->group), "web");
		assert_int_equal(process->oom_score_adj, 500);
	}
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(scenario->workload[0].instance[i].task->cpu, 1);
		assert_int_equal(scenario->workload[0].instance[i].task->nice, -5);
	}
}

static uint64_t checks_of_a_run(uint64_t check_requests)
{
	struct scenario *filling = load_text("machine: box\nduration: 20s\nworkload:\n"
					     "  - {kind: anonymous-hold, memory: 300MiB}\n");
	struct yard_policy policy;
	char error[256];
	struct run *run;
	uint64_t checks;

	assert_int_equal(yard_policy_parse("linux-7.3", &policy, error, sizeof(error)), YARD_OK);
	run = runner_run(filling, &(struct runner_options){.policy = &policy, .seed = 1, .check = true,
							    .check_frames = UINT64_C(1) << 24,
							    .check_requests = check_requests});
	assert_non_null(run);
	assert_string_equal(run->error, "");
	checks = run->checks;
	run_free(run);
	scenario_free(filling);
	return checks;
}

// 61,000 requests fill the machine before one of them enters the slow path.
static void a_checked_run_goes_on_until_it_has_checked(void **state)
{
	(void)state;
	assert_int_equal(checks_of_a_run(1000), 1); // ten times as many are not enough: the one at the end
	assert_true(checks_of_a_run(20000) > 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, shut_down)
	const struct CMUnitTest tests[] = {
		TEST(instances_start_over_the_ramp),
		TEST(instances_repeat),
		TEST(endless_repetition_ends_at_stop),
		TEST(killed_instances_start_again),
		TEST(background_ends_with_the_others),
		TEST(preparations_go_one_after_the_other),
		TEST(places_and_groups_are_carried),
		cmocka_unit_test_setup_teardown(a_checked_run_goes_on_until_it_has_checked, enter_folder, leave_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
