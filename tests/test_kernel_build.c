// SPDX-License-Identifier: Apache-2.0
//
// kernel-build: its small processes, linkers and walks happen as often as asked; what it keeps from one iteration to the
// next stays, what it does not keep is given back.

#include "scenario_fixture.h"

#include <pageyard/lru.h>
#include <pageyard/stat.h>

#include "sim/results.h"
#include "sim/slab.h"

enum { COMPILATIONS = 12 };
#define SMALL                                                                                                          \
	"kind: kernel-build, jobs: 3, compilations: 12, life: 10ms..30ms, memory: 1MiB..4MiB, sources: 20, headers: 30, " \
	"text: 2MiB, object: 100KiB..200KiB"

static void build(const char *parameters)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "machine: {base: box, thp: {enabled: always, defrag: madvise}}\nduration: 100s\n"
		 "workload: [{" SMALL "%s}]\n",
		 parameters);
	boot(text, "linux-7.3,defrag_mode=1");
}

// Each ends by itself; what is counted is of this one.
static void iteration(void)
{
	uint64_t limit = scheduler_clock(sim) + 60 * NS_PER_S;

	results_begin(sim);
	start();
	while (scenario->workload[0].running && scheduler_clock(sim) < limit)
		go_on(scheduler_clock(sim) + NS_PER_MS);
	assert_int_equal(scenario->workload[0].running, 0);
	results_end(sim);
}

static struct slab_statistics slabs(void)
{
	struct slab_statistics statistics;

	slab_statistics(sim, &statistics);
	return statistics;
}

static int64_t file_pages(void)
{
	return yard_get_node_stat(sim->yard, 0, YARD_NODE_FILE_PAGES);
}

static void compilers_linkers_and_helpers_are_as_many_as_asked(void **state)
{
	(void)state;
	build(", link_every: 4, link_memory: 1MiB, helpers: 2, pipe_pages: 3, helper_memory: 100KiB");
	iteration();
	assert_int_equal(figure(0, "compilations"), COMPILATIONS);
	assert_int_equal(figure(0, "links"), COMPILATIONS / 4);
	// with make itself
	assert_int_equal(scenario->workload[0].instance[0].forks, 1 + COMPILATIONS * (1 + 2) + COMPILATIONS / 4);
	assert_int_equal(figure(0, "failed forks"), 0);
}

// An inode and a dentry for each name that is looked at: by make of all, by compilers of a few popular ones.
static void names_fill_the_slabs(void **state)
{
	static const struct {
		const char *parameters;
		uint64_t least, most;
	} cases[] = {
		{", keep: on, names: 0, lookups: 500", 0, 400},
		{", keep: on, names: 5000, walk_every: 6", 10000, 10400},
		{", keep: on, names: 5000, lookups: 50", 200, 1600},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t before;

		build(cases[i].parameters);
		before = slabs().objects;
		iteration();
		assert_in_range(slabs().objects - before, cases[i].least, cases[i].most);
		switch_off();
	}
}

// The second iteration reads no more than what the first one did not: a few unpopular headers.
static void a_kept_tree_stays_cached(void **state)
{
	uint64_t first;

	(void)state;
	build(", keep: on");
	iteration();
	first = sim->results->counter[RESULT_MACHINE(PGPGIN)];
	assert_true(first > 500);
	iteration();
	assert_true(sim->results->counter[RESULT_MACHINE(PGPGIN)] < first / 5);
	assert_int_equal(figure(0, "compilations"), COMPILATIONS);
}

// `make clean`: the objects of the iteration before are not there, and so the cache does not grow.
static void each_iteration_begins_clean(void **state)
{
	int64_t first;

	(void)state;
	build(", keep: on");
	iteration();
	first = file_pages();
	for (unsigned i = 0; i < 4; i++)
		iteration();
	assert_in_range(file_pages(), first / 2, first * 3 / 2);
}

static void a_tree_that_is_not_kept_is_deleted(void **state)
{
	uint64_t objects;

	(void)state;
	build(", names: 1000, walk_every: 6, link_every: 4, link_memory: 1MiB, holds: 100, held: 20");
	objects = slabs().objects;
	iteration();
	go_on(scheduler_clock(sim) + NS_PER_S); // writeback of deleted files
	assert_int_equal(file_pages(), 0);
	assert_int_equal(slabs().objects, objects);
	iteration();
	assert_int_equal(figure(0, "compilations"), COMPILATIONS);
}

// Inode and dentry of each, which no shrinker can have.
static void an_indexer_keeps_files_open(void **state)
{
	static const struct {
		const char *parameters;
		uint64_t held;
	} cases[] = {
		{", keep: on, names: 2000, walk_every: 100", 0},
		{", keep: on, names: 2000, walk_every: 100, holds: 2000, held: 300", 300},
		{", keep: on, names: 2000, walk_every: 100, holds: 2000, held: 5000", 2000},
	};
	uint64_t others = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t used;

		build(cases[i].parameters);
		iteration();
		yard_drop_slab(sim->yard);
		assert_int_equal(slabs().unused, 0);
		used = slabs().objects;
		if (!i)
			others = used;
		assert_int_equal(used, others + 2 * cases[i].held);
		switch_off();
	}
}

static void compilers_may_refuse_huge_pages(void **state)
{
	static const struct {
		const char *parameters;
		bool huge;
	} cases[] = {{"", true}, {", hugepages: on", true}, {", hugepages: never", false}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		build(cases[i].parameters);
		iteration();
		assert_int_equal(sim->results->counter[RESULT_MACHINE(THP_FAULT_ALLOC)] > 0, cases[i].huge);
		switch_off();
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, shut_down)
	const struct CMUnitTest tests[] = {
		TEST(compilers_linkers_and_helpers_are_as_many_as_asked),
		TEST(names_fill_the_slabs),
		TEST(a_kept_tree_stays_cached),
		TEST(each_iteration_begins_clean),
		TEST(a_tree_that_is_not_kept_is_deleted),
		TEST(an_indexer_keeps_files_open),
		TEST(compilers_may_refuse_huge_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
