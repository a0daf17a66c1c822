// SPDX-License-Identifier: Apache-2.0
//
// What is measured, and the tables made of it: a stretch of simulated time, classes of extfrag events, means over iterations and
// runs, figures that only some runs have, and which differences are more than chance.

#include <stdio.h>

#include "report/run_table.h"
#include "sim/results.h"
#include "simulation_fixture.h"

// ---- a stretch ----

static void take_and_give(struct simulation *s, struct sim_task *task, void *argument)
{
	uint32_t pfn[10];

	(void)task;
	(void)argument;
	for (unsigned i = 0; i < COUNT(pfn); i++)
		pfn[i] = sim_alloc(s, REQUEST_PIPE, YARD_GFP_KERNEL, 0, -1);
	for (unsigned i = 0; i < COUNT(pfn); i++)
		sim_free(s, pfn[i], 0);
}

static void a_stretch_counts_what_happens_in_it(void **state)
{
	(void)state;
	describe(1, 1, 16384);
	default_costs();
	boot();
	start_on(0, 0, take_and_give, NULL);
	run_until(NS_PER_S);
	results_begin(sim);
	assert_int_equal(sim->results->requests[REQUEST_PIPE], 0); // what was before is forgotten
	start_on(0, 0, take_and_give, NULL);
	run_until(3 * NS_PER_S);
	results_end(sim);
	assert_int_equal(sim->results->start_ns, NS_PER_S);
	assert_int_equal(sim->results->end_ns, 3 * NS_PER_S);
	assert_int_equal(sim->results->requests[REQUEST_PIPE], 10);
	assert_int_equal(sim->results->frees, 10);
	assert_int_equal(sim->results->operations, 20);
	assert_in_range(sim->results->system_ns, 10 * (35 + 25), 100 * NS_PER_US);
	assert_true(sim->results->system_ns + sim->results->user_ns + sim->results->idle_ns == 2 * NS_PER_S);
	assert_in_range(sim->results->end.free_pages, 15000, 16384);
	assert_in_range(sim->results->end.free_blocks, 15000, sim->results->end.free_pages);
}

// Takes memory of node 0 until the next request wakes kswapd. Nothing can be reclaimed.
static void take_below_low(struct simulation *s, struct sim_task *task, void *argument)
{
	enum { LOW = 1 };
	struct yard_zone_state zone;

	(void)task;
	(void)argument;
	do {
		assert_int_not_equal(sim_alloc(s, REQUEST_PIPE, YARD_GFP_NOWAIT | YARD_GFP_THISNODE, 0, 0), YARD_PFN_NONE);
		assert_int_equal(yard_get_zone(s->yard, YARD_ZONE_NORMAL, &zone), YARD_OK);
	} while (zone.stat[YARD_NR_FREE_PAGES] > (int64_t)zone.wmark[LOW]);
	sim_alloc(s, REQUEST_PIPE, YARD_GFP_NOWAIT | YARD_GFP_THISNODE, 0, 0);
}

// Of a stretch, and of each node: kswapd of node 0 gives up after 16 runs, the one of node 1 has nothing to do.
static void workers_have_cpu_time_of_their_own(void **state)
{
	const struct result_node *node;

	(void)state;
	describe(2, 1, 16384);
	default_costs();
	boot();
	run_until(NS_PER_S);
	results_begin(sim);
	start_on(0, 0, take_below_low, NULL);
	run_until(10 * NS_PER_S);
	results_end(sim);
	node = sim->results->node;
	assert_true(node[0].cpu.kswapd > 0);
	assert_int_equal(node[1].cpu.kswapd, 0);
	assert_true(node[0].cpu.kswapd + node[0].cpu.kcompactd + node[1].cpu.kcompactd < sim->results->system_ns);
	results_begin(sim);
	run_until(20 * NS_PER_S);
	results_end(sim);
	assert_int_equal(node[0].cpu.kswapd, 0);
}

static void extfrag_events_have_three_classes(void **state)
{
	struct yard_event event = {.kind = YARD_EVENT_PAGE_ALLOC_EXTFRAG};

	(void)state;
	describe(1, 1, 16384);
	boot();
	event.a = YARD_PAGEBLOCK_ORDER;
	results_event(sim, &event); // a free block of a pageblock, whatever its type is now
	event.c = 1;
	results_event(sim, &event);
	event.a = YARD_PAGEBLOCK_ORDER - 1;
	results_event(sim, &event);
	event.c = 0;
	for (unsigned i = 0; i < 3; i++)
		results_event(sim, &event);
	event.kind = YARD_EVENT_PAGE_ALLOC;
	results_event(sim, &event);
	assert_int_equal(sim->results->extfrag[EXTFRAG_CLAIM], 2);
	assert_int_equal(sim->results->extfrag[EXTFRAG_STEAL], 1);
	assert_int_equal(sim->results->extfrag[EXTFRAG_POLLUTE], 3);
}

static void counters_have_the_names_of_vmstat(void **state)
{
	(void)state;
	assert_string_equal(result_counter_name(RESULT_VM(PSWPOUT)), "pswpout");
	assert_string_equal(result_counter_name(RESULT_NODE(PGSCAN_KSWAPD)), "pgscan_kswapd");
	assert_string_equal(result_counter_name(RESULT_MACHINE(THP_FAULT_ALLOC)), "thp_fault_alloc");
	assert_true(result_counter_is_level(RESULT_NODE(FILE_DIRTY)));
	assert_false(result_counter_is_level(RESULT_NODE(DIRTIED)));
	assert_false(result_counter_is_level(RESULT_NODE(PGSCAN_KSWAPD)));
	assert_false(result_counter_is_level(RESULT_VM(PSWPOUT)));
	for (unsigned i = 0; i < RESULT_COUNTERS; i++) {
		assert_non_null(result_counter_name(i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(result_counter_name(i), result_counter_name(j));
	}
}

// ---- tables: two policies, RUNS runs of ITERATIONS iterations whose results the test sets ----

enum { RUNS = 4, ITERATIONS = 6, SETS = 2 };

static struct scenario *scenario;
static struct run *runs[SETS][RUNS];
static struct run_set sets[SETS];
static struct measures measures;

static int make_runs(void **state)
{
	char path[512];

	(void)state;
	snprintf(path, sizeof(path), "%s/scenarios/killed.yaml", getenv("PAGEYARD_TEST_DATA"));
	scenario = scenario_load(path, NULL, 0, stderr);
	if (!scenario)
		return 1;
	for (unsigned set = 0; set < SETS; set++) {
		sets[set] = (struct run_set){set ? "new" : "old", runs[set], RUNS, .scenario = scenario};
		for (unsigned i = 0; i < RUNS; i++) {
			struct run *run = runs[set][i] = calloc(1, sizeof(*run));

			run->iteration = calloc(ITERATIONS, sizeof(*run->iteration));
			run->guard = calloc(scenario->nr_guards, sizeof(*run->guard));
			run->nr_iterations = run->nr_iterations_max = ITERATIONS;
			for (unsigned j = 0; j < ITERATIONS; j++)
				run->iteration[j].workload = calloc(scenario->nr_workloads, sizeof(struct workload_results));
		}
	}
	return 0;
}

static int drop_runs(void **state)
{
	(void)state;
	measures_free(&measures);
	for (unsigned set = 0; set < SETS; set++)
		for (unsigned i = 0; i < RUNS; i++)
			run_free(runs[set][i]);
	scenario_free(scenario);
	return 0;
}

// Each iteration's value is `mean`, but for what runs differ by: -2, -1, 1, 2 times `spread`.
static void set_counter(unsigned set, unsigned counter, uint64_t mean, uint64_t spread)
{
	static const int by[RUNS] = {-2, -1, 1, 2};

	for (unsigned i = 0; i < RUNS; i++)
		for (unsigned j = 0; j < ITERATIONS; j++)
			runs[set][i]->iteration[j].results.counter[counter] = mean + (uint64_t)(by[i] * (int64_t)spread);
}

static const struct measure *find(const char *group, const char *name)
{
	for (size_t i = 0; i < measures.nr; i++)
		if (!strcmp(measures.item[i].group, group) && !strcmp(measures.item[i].name, name))
			return &measures.item[i];
	return NULL;
}

static void collect(void)
{
	assert_true(measures_collect(&measures, scenario, sets, SETS, false));
}

static char *printed(void (*print)(FILE *file))
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	print(file);
	fclose(file);
	return text;
}

static void rows_are_means_over_iterations_and_runs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RUNS; i++)
		for (unsigned j = 0; j < ITERATIONS; j++)
			runs[0][i]->iteration[j].results.counter[RESULT_VM(PSWPOUT)] = 100 * i + 10 * j;
	set_counter(1, RESULT_VM(COMPACT_MIGRATE_SCANNED), 1000, 0);
	set_counter(1, RESULT_VM(COMPACT_DAEMON_MIGRATE_SCANNED), 300, 0);
	set_counter(1, RESULT_VM(ALLOCSTALL_DMA32), 4, 0);
	set_counter(1, RESULT_VM(ALLOCSTALL_MOVABLE), 5, 0);
	collect();
	assert_true(measure_mean(find("Swap", "out"), &sets[0]) == 175);
	assert_true(measure_mean(find("Swap", "out"), &sets[1]) == 0);
	assert_true(measure_mean(find("Compact", "direct scanned migrate"), &sets[1]) == 700);
	assert_true(measure_mean(find("Alloc", "stall"), &sets[1]) == 9);
}

static void a_rate_of_nothing_is_not_known(void **state)
{
	(void)state;
	runs[0][1]->iteration[2].results.counter[RESULT_VM(COMPACT_STALL)] = 8;
	runs[0][1]->iteration[2].results.counter[RESULT_VM(COMPACT_SUCCESS)] = 2;
	collect();
	assert_true(measure_mean(find("Direct", "compact success rate %"), &sets[0]) == 25);
	assert_true(measure_mean(find("Direct", "compact success rate %"), &sets[1])
		    != measure_mean(find("Direct", "compact success rate %"), &sets[1])); // NAN
}

static void rows_that_nobody_misses_are_left_out(void **state)
{
	(void)state;
	collect();
	assert_null(find("THP", "fault alloc"));
	assert_null(find("Failed", "atomic"));
	assert_null(find("Latency", "anon p99 us"));
	assert_non_null(find("Alloc", "stall"));
	runs[1][0]->iteration[0].results.failures[REQUEST_ATOMIC] = 6;
	histogram_add(&runs[1][0]->iteration[0].results.latency[REQUEST_ANON], 5000);
	measures_free(&measures);
	collect();
	assert_true(measure_mean(find("Failed", "atomic"), &sets[1]) == 0.25);
	assert_int_equal(find("Failed", "atomic")->decimals, 2);
	assert_true(measure_mean(find("Latency", "anon max us"), &sets[1]) == 5);
}

// A run without fallbacks says so, in whichever column huge pages were faulted.
static void thp_rows_are_shown_together(void **state)
{
	(void)state;
	set_counter(1, RESULT_MACHINE(THP_FAULT_FALLBACK), 3, 0);
	collect();
	assert_non_null(find("THP", "fault alloc"));
	assert_true(measure_mean(find("THP", "fault fallback"), &sets[1]) == 3);
	measures_free(&measures);
	set_counter(1, RESULT_MACHINE(THP_FAULT_FALLBACK), 0, 0);
	set_counter(0, RESULT_MACHINE(THP_FAULT_ALLOC), 7, 0);
	collect();
	assert_true(measure_mean(find("THP", "fault alloc"), &sets[0]) == 7);
	assert_true(measure_mean(find("THP", "fault fallback"), &sets[0]) == 0);
}

static void workers_have_rows_where_they_worked(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RUNS; i++)
		for (unsigned j = 0; j < ITERATIONS; j++)
			runs[1][i]->iteration[j].results.node[0].cpu.kswapd = 1500 * NS_PER_MS;
	collect();
	assert_true(measure_mean(find("kswapd0", "CPU time s"), &sets[0]) == 0);
	assert_true(measure_mean(find("kswapd0", "CPU time s"), &sets[1]) == 1.5);
	assert_null(find("kcompactd0", "CPU time s"));
	runs[0][0]->iteration[0].results.node[0].cpu.kcompactd = NS_PER_S;
	measures_free(&measures);
	collect();
	assert_true(measure_mean(find("kcompactd0", "CPU time s"), &sets[0]) == 1.0 / ITERATIONS / RUNS);
	assert_null(find("kswapd1", "CPU time s")); // the machine has one node
}

static void figures_are_found_by_name(void **state)
{
	struct workload_results *old = &runs[0][0]->iteration[0].workload[1], *new = &runs[1][0]->iteration[0].workload[1];

	(void)state;
	old->figure[0] = (struct workload_figure){"rounds", 60, 1};
	old->nr_figures = 1;
	new->figure[0] = (struct workload_figure){"killed", 12, -1}; // the other way round, and one that others lack
	new->figure[1] = (struct workload_figure){"rounds", 120, 1};
	new->nr_figures = 2;
	collect();
	assert_true(measure_mean(find("web", "rounds"), &sets[0]) == 60.0 / ITERATIONS / RUNS);
	assert_true(measure_mean(find("web", "rounds"), &sets[1]) == 120.0 / ITERATIONS / RUNS);
	assert_true(measure_mean(find("web", "killed"), &sets[0]) == 0);
	assert_true(measure_mean(find("web", "killed"), &sets[1]) == 12.0 / ITERATIONS / RUNS);
}

static void print_differences(FILE *file)
{
	run_print_significance(file, &measures, sets, SETS);
}

static void differences_beyond_chance_are_told(void **state)
{
	char *text;

	(void)state;
	set_counter(0, RESULT_VM(PSWPOUT), 1000, 10); // fewer: better
	set_counter(1, RESULT_VM(PSWPOUT), 900, 10);
	set_counter(0, RESULT_VM(PSWPIN), 1000, 10); // t = 1.1 with 6 degrees of freedom: chance
	set_counter(1, RESULT_VM(PSWPIN), 1014, 10);
	set_counter(0, RESULT_NODE(WORKINGSET_REFAULT_FILE), 1000, 10); // t = 2.6 against 2.447
	set_counter(1, RESULT_NODE(WORKINGSET_REFAULT_FILE), 1034, 10);
	set_counter(0, RESULT_NODE(PGSCAN_KSWAPD), 5, 0); // no spread at all
	set_counter(1, RESULT_NODE(PGSCAN_KSWAPD), 5, 0);
	collect();
	text = printed(print_differences);
	assert_non_null(strstr(text, "Swap       out"));
	assert_non_null(strstr(text, "better\n"));
	assert_null(strstr(text, "Swap       in"));
	assert_non_null(strstr(text, "File       refaults"));
	assert_non_null(strstr(text, "worse\n"));
	assert_non_null(strstr(text, "In all 2 of "));
	assert_non_null(strstr(text, "900 \u00b1 18")); // sqrt(1000 / 3)
	free(text);
}

static void print_trend(FILE *file)
{
	run_print_trend(file, sets, SETS);
}

static void the_trend_compares_the_last_three_with_the_first(void **state)
{
	char *text;

	(void)state;
	text = printed(print_trend);
	assert_string_equal(text, ""); // no huge page, no trend
	free(text);
	for (unsigned i = 0; i < RUNS; i++)
		for (unsigned j = 0; j < ITERATIONS; j++)
			runs[0][i]->iteration[j].results.counter[RESULT_MACHINE(THP_FAULT_ALLOC)] = 600 - 100 * j;
	text = printed(print_trend);
	assert_non_null(strstr(text, " 600 500 400 300 200 100  last/first three 0.400\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_stretch_counts_what_happens_in_it, shut_down),
		cmocka_unit_test_teardown(workers_have_cpu_time_of_their_own, shut_down),
		cmocka_unit_test_teardown(extfrag_events_have_three_classes, shut_down),
		cmocka_unit_test(counters_have_the_names_of_vmstat),
		cmocka_unit_test_setup_teardown(rows_are_means_over_iterations_and_runs, make_runs, drop_runs),
		cmocka_unit_test_setup_teardown(a_rate_of_nothing_is_not_known, make_runs, drop_runs),
		cmocka_unit_test_setup_teardown(rows_that_nobody_misses_are_left_out, make_runs, drop_runs),
		cmocka_unit_test_setup_teardown(thp_rows_are_shown_together, make_runs, drop_runs),
		cmocka_unit_test_setup_teardown(workers_have_rows_where_they_worked, make_runs, drop_runs),
		cmocka_unit_test_setup_teardown(figures_are_found_by_name, make_runs, drop_runs),
		cmocka_unit_test_setup_teardown(differences_beyond_chance_are_told, make_runs, drop_runs),
		cmocka_unit_test_setup_teardown(the_trend_compares_the_last_three_with_the_first, make_runs, drop_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
