// SPDX-License-Identifier: Apache-2.0
//
// The task kinds: each runs for a short time on a small machine, checked, does what its figures say, gives back what it took,
// and does the same twice.

#include "scenario_fixture.h"

#include <pageyard/lru.h>
#include <pageyard/stat.h>

#include "sim/runner.h"
#include "sim/slab.h"
#include "sim/work_kernel.h"

// ---- each kind ----

static const struct kind_case {
	const char *kind, *parameters; // with its comma
	const char *figure;	       // that must be at least `least` after the time
	uint64_t least, ms;
	const char *latency;	       // its name; NULL: it has none
	const char *nothing;	       // a figure that must stay 0; NULL: any may be
} cases[] = {
	{"anonymous-churn", ", memory: 64MiB", "operations", 300, 100, NULL, "killed"},
	{"anonymous-hold", ", memory: 50%, pages: 1000, every: 20ms, writes: 50%", "rounds", 8, 300, "round", "killed"},
	{"cache-server", ", heap: 30%, file: 32MiB", "requests", 600, 200, "request", "killed"},
	{"file-hold", ", size: 30%", NULL, 0, 100, NULL, NULL},
	{"file-reader", ", files: 10, size: 1MiB..4MiB, pattern: zipf, rate: 2000/s", "MiB read", 20, 200, "read",
	 "killed"},
	{"file-writer", ", files: 4, size: 8MiB, rate: 1000/s, sync: 50", "MiB written", 10, 200, "write", "killed"},
	{"fork-storm", "", "children", 50, 200, "child", "failed forks"},
	{"fragment", ", memory: 40%, free: 3, of: 4, pinned: 1%", "pages pinned", 245, 300, NULL, "killed"},
	{"hot-cold", ", memory: 50%, hot: 20%, pages: 500, writes: 20%", "... in the top tier", 50000, 200, "round", "killed"},
	{"hpc-ranks", ", count: 3, memory: 10%, compute: 2ms, hugepages: off", "steps", 60, 200, "step", "killed"},
	{"kernel-build", ", jobs: 3, life: 10ms..60ms, memory: 1MiB..8MiB, sources: 20, headers: 30, text: 2MiB",
	 "compilations", 8, 400, "compilation", "killed"},
	{"kernel-memory", ", unmovable: 20%, reclaimable: 5%", NULL, 0, 50, NULL, "killed"},
	{"log-writer", ", rotate: 1MiB, keep: 2", "records", 190, 200, "record", "killed"},
	{"memory-hog", ", type: unmovable, limit: 40%, rounds: 3, every: 1ms", "rounds", 3, 200, "round", "failed"},
	{"memory-reclaim", ", size: 1MiB", "writes failed", 1, 50, "write", "writes done"},
	{"migrate-pages", ", from: '0', to: '0'", NULL, 0, 100, "migration", "pages moved"},
	{"network-receive", ", rate: 20000/s, life: 1ms..4ms", "packets", 3900, 200, NULL, "dropped"},
	{"node-reclaim", ", of_node: 0, size: 1MiB", "writes failed", 1, 50, "write", "writes done"},
	{"packet-sender", ", sockets: 4, cycle: 50ms, rest: 10ms, rate: 10000/s", "copies", 10000, 200, "packet",
	 "copies failed"},
	{"page-table-churn", ", mapping: 256MiB", "mappings", 8, 200, NULL, "killed"},
	{"pipe-burst", ", pipes: 100, rounds: 2", "rounds", 3, 200, "round", "killed"},
	{"pipe-churn", ", between: 100us", "steps", 300, 200, NULL, "killed"},
	{"populate", ", memory: 30%, threads: 3, access: 50ms", "MiB local", 70, 100, NULL, "MiB remote"},
	{"slab-churn", ", names: 5000, files: 50", "files", 900, 200, NULL, "killed"},
	{"socket-churn", "", "sockets", 35, 200, NULL, "killed"},
	{"storm", ", count: 2, children: 3, child_sleep: 5ms, mapping: 256MiB, names: 500", "steps", 25, 200, NULL,
	 "killed"},
	{"stutter", ", memory: 8MiB", "rounds", 25, 200, "map, touch, unmap", "killed"},
	{"thp-burst", ", size: 32MiB, every: 5ms", "huge regions", 160, 100, "region fault", "killed"},
	{"unmovable-demand", ", count: 2, rate: 1000%, burst: 256KiB, hold: 1%", "pages", 1900, 200, "burst",
	 "pages failed"},
};

static void boot_case(const struct kind_case *c)
{
	char text[1024];

	snprintf(text, sizeof(text), "machine: box\nduration: 10s\nworkload:\n  - {kind: %s%s}\n", c->kind,
		 c->parameters);
	boot(text, "linux-7.3,defrag_mode=1");
}

// The cases are complete, and the kinds in order.
static void every_kind_has_a_case(void **state)
{
	size_t nr = 0;

	(void)state;
	for (; workload_kinds[nr]; nr++) {
		assert_true(nr < COUNT(cases));
		assert_string_equal(workload_kinds[nr]->name, cases[nr].kind);
		assert_true(strlen(workload_kinds[nr]->help) > 10);
	}
	assert_int_equal(nr, COUNT(cases));
}

static void check_case(const struct kind_case *c)
{
	const struct workload *workload = &scenario->workload[0];

	if (c->figure && figure(0, c->figure) < c->least)
		fail_msg("%s: %s %" PRIu64 ", less than %" PRIu64, c->kind, c->figure, figure(0, c->figure), c->least);
	if (c->nothing && figure(0, c->nothing))
		fail_msg("%s: %s %" PRIu64, c->kind, c->nothing, figure(0, c->nothing));
	assert_int_equal(workload->latency != NULL, c->latency != NULL);
	if (!c->latency)
		return;
	assert_string_equal(workload->latency_name, c->latency);
	assert_true(workload->latency->count && workload->latency->max);
}

// Figures and latency agree where both count the same; the engine's invariants hold.
static void kinds_do_what_they_count(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		boot_case(&cases[i]);
		start();
		go_on(cases[i].ms * NS_PER_MS);
		check_case(&cases[i]);
		if (yard_verify(sim->yard, text, sizeof(text)))
			fail_msg("%s: %s", cases[i].kind, text);
		switch_off();
	}
}

static uint64_t free_pages(void)
{
	uint64_t pages = 0;

	for (unsigned zone = 0; zone < yard_nr_zones(sim->yard); zone++) {
		struct yard_zone_state zone_state;

		if (yard_get_zone(sim->yard, zone, &zone_state) || !zone_state.populated)
			continue;
		pages += (uint64_t)zone_state.stat[YARD_NR_FREE_PAGES];
		for (unsigned cpu = 0; cpu < yard_nr_cpus(sim->yard); cpu++) {
			struct yard_pcp_state pcp;

			assert_int_equal(yard_get_pcp(sim->yard, zone, cpu, &pcp), YARD_OK);
			pages += (uint64_t)pcp.count;
			pages += (uint64_t)(int64_t)pcp.diff[YARD_NR_FREE_PAGES];
		}
	}
	return pages;
}

static struct slab_statistics slabs(void)
{
	struct slab_statistics statistics;

	slab_statistics(sim, &statistics);
	return statistics;
}

// Stopped in the middle, a kind ends soon, and what it took is free again, but for empty slabs and the stacks that each
// CPU keeps.
static void kinds_give_everything_back(void **state)
{
	enum { STACKS_KEPT = 2 * 2 * STACK_PAGES };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t before, objects, after, limit;

		boot_case(&cases[i]);
		before = free_pages() + slabs().pages;
		objects = slabs().objects;
		start();
		go_on(cases[i].ms * NS_PER_MS / 2);
		workload_stop(sim, &scenario->workload[0]);
		limit = scheduler_clock(sim) + 5 * NS_PER_S;
		while (scenario->workload[0].running && scheduler_clock(sim) < limit)
			go_on(scheduler_clock(sim) + NS_PER_MS);
		if (scenario->workload[0].running || process_count(sim))
			fail_msg("%s does not end", cases[i].kind);
		go_on(scheduler_clock(sim) + NS_PER_S); // writeback of deleted files
		yard_lru_drain_all(sim->yard); // freed pages may wait in a batch
		after = free_pages() + slabs().pages;
		if (after > before || before - after > STACKS_KEPT)
			fail_msg("%s: %" PRIu64 " pages before, %" PRIu64 " after", cases[i].kind, before, after);
		if (slabs().objects != objects)
			fail_msg("%s leaves %" PRIu64 " slab objects", cases[i].kind, slabs().objects - objects);
		switch_off();
	}
}

// What a run leaves: figures, latency, every counter.
static void print_run(const struct run *run, FILE *file)
{
	assert_string_equal(run->error, "");
	for (uint64_t i = 0; i < run->nr_iterations; i++) {
		const struct workload_results *workload = run->iteration[i].workload;
		const struct results *results = &run->iteration[i].results;

		for (unsigned k = 0; k < workload->nr_figures; k++)
			fprintf(file, "%s %" PRIu64 "\n", workload->figure[k].name, workload->figure[k].value);
		fprintf(file, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", workload->latency.count, workload->latency.max,
			(uint64_t)workload->latency.sum);
		for (unsigned k = 0; k < RESULT_COUNTERS; k++)
			fprintf(file, "%" PRIu64 "\n", results->counter[k]);
		fprintf(file, "%" PRIu64 " %" PRIu64 "\n", results->operations, results->system_ns);
	}
}

static char *run_case(const struct kind_case *c, uint64_t seed)
{
	struct runner_options options = {.seed = seed, .duration_ns = c->ms * NS_PER_MS / 4, .iterations = 2};
	struct yard_policy policy;
	char text[1024], error[256], *printed;
	struct scenario *of;
	struct run *run;
	size_t size;
	FILE *file = open_memstream(&printed, &size);

	snprintf(text, sizeof(text), "machine: box\nduration: 10s\nworkload:\n  - {kind: %s%s}\n", c->kind,
		 c->parameters);
	of = load_text(text);
	assert_int_equal(yard_policy_parse("linux-7.3,defrag_mode=1", &policy, error, sizeof(error)), YARD_OK);
	options.policy = &policy;
	run = runner_run(of, &options);
	assert_non_null(run);
	print_run(run, file);
	assert_int_equal(run->nr_iterations, 2);
	run_free(run);
	scenario_free(of);
	fclose(file);
	return printed;
}

// Two iterations each, twice: the same.
static void kinds_do_the_same_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *first = run_case(&cases[i], 5), *second = run_case(&cases[i], 5);

		assert_string_equal(first, second);
		free(first);
		free(second);
	}
}

static void another_seed_is_another_run(void **state)
{
	char *first = run_case(&cases[0], 5), *second = run_case(&cases[0], 6);

	(void)state;
	assert_string_not_equal(first, second);
	free(first);
	free(second);
}

// ---- what kinds leave in the machine ----

// spec 05 W3: every second page is free, alone.
static void fragment_leaves_single_pages(void **state)
{
	struct yard_zone_state zone;
	struct yard_pcp_state pcp;
	uint64_t singles;

	(void)state;
	boot("machine: {base: box, zones: one, swap: {kind: none}}\nduration: 1s\nworkload: [{kind: fragment, memory: "
	     "90%}]\n",
	     "linux-7.3");
	start();
	go_on(NS_PER_S);
	assert_true(scenario->workload[0].ready);
	assert_int_equal(yard_get_zone(sim->yard, YARD_ZONE_NORMAL, &zone), YARD_OK);
	singles = zone.nr_free[0];
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		assert_int_equal(yard_get_pcp(sim->yard, YARD_ZONE_NORMAL, cpu, &pcp), YARD_OK);
		singles += (uint64_t)pcp.count;
	}
	assert_in_range(singles, 27600, 28200); // with what else is in the per-CPU sets
	assert_int_equal(figure(0, "pages kept"), 27648);
	assert_int_equal(processes_of("fragment"), 1);
}

// Of 200 pages taken one after the other: next to the one before, but for what is left between.
static unsigned neighbours_among_200(void)
{
	const struct yard_request request = {.gfp = YARD_GFP_HIGHUSER_MOVABLE, .node = -1};
	unsigned near = 0;
	uint32_t before = 0;

	for (unsigned i = 0; i < 200; i++) {
		struct yard_result result;

		yard_alloc_request(sim->yard, &request, &result);
		assert_int_not_equal(result.pfn, YARD_PFN_NONE);
		near += i && result.pfn <= before + 2 && before <= result.pfn + 2;
		before = result.pfn;
	}
	return near;
}

// Given back in order, pages come in order; shuffled, from all over.
static void fragment_shuffles(void **state)
{
	static const struct {
		const char *shuffled;
		unsigned least, most;
	} cases[] = {{"off", 150, 199}, {"on", 0, 5}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[200];

		snprintf(text, sizeof(text),
			 "machine: {base: box, zones: one, swap: {kind: none}}\nduration: 1s\nworkload: [{kind: fragment, "
			 "memory: 90%%, shuffled: %s}]\n",
			 cases[i].shuffled);
		boot(text, "linux-7.3");
		start();
		go_on(NS_PER_S);
		assert_int_equal(figure(0, "pages kept"), 27648);
		assert_in_range(neighbours_among_200(), cases[i].least, cases[i].most);
		switch_off();
	}
}

// 1 % of memory is 614 pages, in bursts of 64; what the slab keeps comes on top.
static void demand_gives_back(bool all)
{
	uint64_t before, least = UINT64_MAX, most = 0;

	boot(all ? "machine: box\nduration: 1s\nworkload: [{kind: unmovable-demand, rate: 6000%, burst: 256KiB, hold: 1%, "
		   "give: all}]\n"
		 : "machine: box\nduration: 1s\nworkload: [{kind: unmovable-demand, rate: 6000%, burst: 256KiB, hold: "
		   "1%}]\n",
	     "linux-7.3");
	before = free_pages();
	start();
	go_on(200 * NS_PER_MS); // 6,144 pages a second
	for (unsigned i = 0; i < 200; i++) {
		uint64_t held;

		go_on((201 + i) * NS_PER_MS);
		held = before - free_pages();
		least = held < least ? held : least;
		most = held > most ? held : most;
	}
	assert_in_range(most, 600, 800);
	if (all)
		assert_in_range(least, 0, 200);
	else
		assert_in_range(least, 600, most);
}

static void demand_gives_the_oldest_back(void **state)
{
	(void)state;
	demand_gives_back(false);
}

static void demand_gives_all_back(void **state)
{
	(void)state;
	demand_gives_back(true);
}

// Readahead takes blocks of up to order 2 for four pages at a time.
static void reader_has_large_folios(void **state)
{
	uint64_t pages, requests;

	(void)state;
	boot("machine: box\nduration: 1s\nworkload: [{kind: file-reader, size: 16MiB, rate: 1000/s, folio_order: 2}]\n",
	     "linux-7.3");
	start();
	results_begin(sim);
	go_on(100 * NS_PER_MS);
	results_end(sim);
	pages = sim->results->counter[RESULT_MACHINE(READAHEAD_PAGES)];
	requests = sim->results->requests[REQUEST_FILE];
	assert_in_range(pages, 3000, 4096);
	assert_in_range(requests, pages / 4, pages / 4 + 100);
}

static uint64_t cached_by_writer(const char *pattern)
{
	char text[256];
	uint64_t before, pages;

	snprintf(text, sizeof(text),
		 "machine: box\nduration: 1s\nworkload: [{kind: file-writer, files: 16, size: 256KiB, request: 4KiB, "
		 "exponent: 8, pattern: %s}]\n",
		 pattern);
	boot(text, "linux-7.3");
	before = (uint64_t)yard_get_node_stat(sim->yard, 0, YARD_NODE_FILE_PAGES);
	start();
	go_on(100 * NS_PER_MS);
	assert_true(figure(0, "MiB written") >= 10);
	pages = (uint64_t)yard_get_node_stat(sim->yard, 0, YARD_NODE_FILE_PAGES) - before;
	switch_off();
	return pages;
}

// Sixteen files of 64 pages: at random all are written, by popularity hardly more than the first (1 of 2^8 requests
// goes to the second, 1 of 3^8 to the third).
static void writer_chooses_files_as_its_pattern_says(void **state)
{
	(void)state;
	assert_int_equal(cached_by_writer("random"), 16 * 64);
	assert_in_range(cached_by_writer("zipf"), 64, 3 * 64);
}

// Huge pages are had while there are blocks, and the bursts are the same.
static void thp_burst_gets_huge_pages(void **state)
{
	(void)state;
	boot("machine: box\nduration: 1s\nworkload: [{kind: thp-burst, size: 32MiB, bursts: 4, every: 1ms}]\n",
	     "linux-7.3");
	start();
	go_on(NS_PER_S);
	assert_int_equal(figure(0, "bursts"), 4);
	assert_int_equal(figure(0, "huge regions"), 64);
	assert_int_equal(figure(0, "base regions"), 0);
	assert_int_equal(memory_statistics(sim)->thp_fault_alloc, 64);
	assert_in_range(figure(0, "burst mean us"), 16 * 100, 16 * 110); // zeroing 2 MiB: 100 us
	assert_int_equal(figure(0, "burst stddev us"), 0);
	assert_int_equal(scenario->workload[0].running, 0);
}

// 13.5 % of order 0, 1 % of order 1, 51.8 % of order 2, 33.7 % of order 3: 4.92 pages a packet.
static void network_orders_are_the_published_mix(void **state)
{
	uint64_t before;

	(void)state;
	boot("machine: box\nduration: 1s\nworkload: [{kind: network-receive, rate: 20000/s, life: 1s, heads: off}]\n",
	     "linux-7.3");
	before = free_pages();
	start();
	go_on(100 * NS_PER_MS);
	assert_in_range(figure(0, "packets"), 1950, 2000);
	assert_int_equal(figure(0, "dropped"), 0);
	assert_in_range(before - free_pages(), 9300, 10300);
}

// Without an order only heads are taken: objects of a slab.
static void network_takes_heads_only(void **state)
{
	struct slab_statistics statistics;
	uint64_t before;

	(void)state;
	boot("machine: box\nduration: 1s\nworkload: [{kind: network-receive, rate: 20000/s, life: 1s, order0: 0, order1: 0, "
	     "order2: 0, order3: 0}]\n",
	     "linux-7.3");
	before = free_pages();
	start();
	go_on(100 * NS_PER_MS);
	slab_statistics(sim, &statistics);
	assert_in_range(figure(0, "packets"), 1950, 2000);
	assert_int_equal(figure(0, "dropped"), 0);
	assert_in_range(statistics.objects, figure(0, "packets"), figure(0, "packets") + 100);
	assert_in_range(before - free_pages(), 100, 300);
}

// What the reader has no time for is dropped.
static void network_drops_when_its_ring_is_full(void **state)
{
	(void)state;
	boot("machine: box\nduration: 1s\nworkload: [{kind: network-receive, rate: 20000/s, life: 1s, buffers: "
	     "1000}]\n",
	     "linux-7.3");
	start();
	go_on(100 * NS_PER_MS);
	assert_int_equal(figure(0, "packets") - figure(0, "dropped"), 1000);
}

// A quarter of the memory, unmovable, taken and given back; with nobody to kill it goes to its limit.
static void hog_takes_what_it_may(void **state)
{
	(void)state;
	boot("machine: box\nduration: 1s\nworkload: [{kind: memory-hog, type: unmovable, limit: 25%, rounds: 2, every: "
	     "1ms}]\n",
	     "linux-7.3");
	start();
	go_on(NS_PER_S);
	assert_int_equal(figure(0, "most pages"), 15360);
	assert_int_equal(figure(0, "rounds"), 2);
	assert_int_equal(scenario->workload[0].running, 0);
}

// spec 02 SC-7: the victim dies, the hog gives up its pages, the victim comes back.
static void hog_has_somebody_killed(void **state)
{
	(void)state;
	boot("machine: {base: box, swap: {kind: none}}\nduration: 1s\nworkload:\n"
	     "  - {kind: anonymous-hold, name: victim, memory: 40%, restart: 10ms, background: on}\n"
	     "  - {kind: memory-hog, type: unmovable, rounds: 3, every: 50ms, start: 100ms, oom_score_adj: -1000}\n",
	     "linux-7.3,defrag_mode=1");
	start();
	while (scenario->workload[1].running && scheduler_clock(sim) < 5 * NS_PER_S)
		go_on(scheduler_clock(sim) + 10 * NS_PER_MS);
	assert_int_equal(figure(1, "rounds with a kill"), 3);
	assert_int_equal(figure(0, "killed"), 3);
	assert_int_equal(figure(1, "killed"), 0);
	assert_int_equal(yard_get_vm_event(sim->yard, YARD_VM_OOM_KILL), 3);
}

// At the barrier all wait for the last: three ranks on two CPUs take two turns for a step, not one and a half.
static void ranks_keep_step(void **state)
{
	(void)state;
	boot("machine: box\nduration: 1s\nworkload: [{kind: hpc-ranks, count: 3, memory: 4KiB, steps: 50, compute: "
	     "1ms}]\n",
	     "linux-7.3");
	start();
	while (scenario->workload[0].running && scheduler_clock(sim) < NS_PER_S)
		go_on(scheduler_clock(sim) + NS_PER_MS);
	assert_int_equal(figure(0, "steps"), 150);
	assert_in_range(scheduler_clock(sim), 100 * NS_PER_MS, 110 * NS_PER_MS);
}

// A rank that is killed is not waited for.
static void ranks_go_on_without_the_dead(void **state)
{
	(void)state;
	boot("machine: box\nduration: 1s\nworkload: [{kind: hpc-ranks, count: 3, memory: 4MiB, steps: 20, compute: "
	     "2ms}]\n",
	     "linux-7.3");
	start();
	go_on(15 * NS_PER_MS);
	process_kill(sim, process_first(sim), false);
	go_on(NS_PER_S);
	assert_int_equal(scenario->workload[0].running, 0);
	assert_int_equal(figure(0, "killed"), 1);
	assert_in_range(figure(0, "steps"), 40, 55);
}

// Record storm-d1: what fork() makes a child and its parent copy is new anonymous memory while the child lives.
static void storm_copies_for_children(void **state)
{
	unsigned children = 0;

	(void)state;
	boot("machine: box\nduration: 1s\nworkload: [{kind: storm, children: 6, child_sleep: 10s, copied: 7, files: 0}]\n",
	     "linux-7.3");
	start();
	go_on(900 * NS_PER_MS);
	for (const struct process *process = process_first(sim); process; process = process->next) {
		if (strcmp(process->comm, "storm-child"))
			continue;
		assert_int_equal(process->resident, 7);
		children++;
	}
	assert_int_equal(children, 6); // it waits for them
}

// Record storm-d1: each step that forks opens `files` names; with 64 of 4096, hardly any is there yet.
static void storm_makes_all_its_files(void **state)
{
	struct kernel_caches caches;
	struct slab_statistics inodes;

	(void)state;
	boot("machine: box\nduration: 1s\nworkload: [{kind: storm, children: 1, child_sleep: 10s, names: 4096}]\n",
	     "linux-7.3");
	start();
	go_on(900 * NS_PER_MS);
	assert_int_equal(processes_of("storm-child"), 1); // its first such step does not end
	assert_true(kernel_caches(sim, &caches));
	slab_cache_statistics(caches.cache[KERNEL_INODE], &inodes);
	assert_in_range(inodes.objects, 60, 64);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, shut_down)
	const struct CMUnitTest tests[] = {
		TEST(every_kind_has_a_case),
		TEST(kinds_do_what_they_count),
		TEST(kinds_give_everything_back),
		TEST(kinds_do_the_same_twice),
		TEST(another_seed_is_another_run),
		TEST(fragment_leaves_single_pages),
		TEST(fragment_shuffles),
		TEST(demand_gives_the_oldest_back),
		TEST(demand_gives_all_back),
		TEST(reader_has_large_folios),
		TEST(writer_chooses_files_as_its_pattern_says),
		TEST(thp_burst_gets_huge_pages),
		TEST(network_orders_are_the_published_mix),
		TEST(network_takes_heads_only),
		TEST(network_drops_when_its_ring_is_full),
		TEST(hog_takes_what_it_may),
		TEST(hog_has_somebody_killed),
		TEST(ranks_keep_step),
		TEST(ranks_go_on_without_the_dead),
		TEST(storm_copies_for_children),
		TEST(storm_makes_all_its_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
