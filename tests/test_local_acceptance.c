// SPDX-License-Identifier: Apache-2.0
//
// Spec 05 L11: what local-reclaim promises, in the shipped scenarios at a quarter of their size (they are a sixteenth
// of the machine that the rule names). docs/incidents/local-reclaim.md has the figures at full size.

#include "scenario_fixture.h"

#include "sim/runner.h"

#define QUARTER(cache, anon) "machine.memory=2000MiB", "workload." cache, "workload.anon.memory=" anon

static struct run *run; // the last one; its scenario is `loaded`
static struct scenario *loaded;

static void forget_run(void)
{
	run_free(run);
	if (loaded)
		scenario_free(loaded);
	run = NULL;
	loaded = NULL;
}

static int end_runs(void **state)
{
	forget_run();
	return leave_folder(state);
}

static void run_variant(const char *name, const char *variant, const char *const *set, size_t nr_sets)
{
	char error[256], path[DATA_PATH_MAX];
	struct yard_policy policy;
	struct runner_options options = {.policy = &policy};

	forget_run();
	loaded = scenario_load_variant(shipped_file("scenarios", name, path), variant, set, nr_sets, stderr);
	assert_non_null(loaded);
	assert_int_equal(yard_policy_parse(loaded->policy[0], &policy, error, sizeof(error)), YARD_OK);
	options.seed = loaded->seed;
	run = runner_run(loaded, &options);
	assert_non_null(run);
	if (run->error[0])
		fail_msg("%s, %s: %s", name, variant, run->error);
}

#define run_with(name, variant, ...)                                                                                   \
	run_variant(name, variant, (const char *const[]){__VA_ARGS__}, COUNT(((const char *const[]){__VA_ARGS__})))

// ---- what it measured ----

static const struct workload_results *results_of(const char *workload)
{
	for (uint32_t i = 0; i < loaded->nr_workloads; i++)
		if (!strcmp(loaded->workload[i].common.name, workload))
			return &run->iteration[0].workload[i];
	fail_msg("no workload '%s'", workload);
	return NULL;
}

static uint64_t figure_of(const char *workload, const char *name) // 0: it was not counted
{
	const struct workload_results *results = results_of(workload);

	for (unsigned i = 0; i < results->nr_figures; i++)
		if (!strcmp(results->figure[i].name, name))
			return results->figure[i].value;
	return 0;
}

static uint64_t counter(unsigned number)
{
	return run->iteration[0].results.counter[number];
}

static uint64_t mean_ps(const char *workload) // A
{
	return access_mean_ps(&results_of(workload)->access);
}

static uint64_t resident_ppm(const char *workload, uint64_t nodes) // share of its pages that lie on these
{
	const struct workload_results *results = results_of(workload);
	uint64_t there = 0, all = 0;

	for (unsigned node = 0; node < loaded->machine.nr_nodes; node++) {
		all += results->resident[node];
		there += nodes >> node & 1 ? results->resident[node] : 0;
	}
	assert_true(all > 0);
	return there * 1000000 / all;
}

static uint64_t latency_ns(unsigned per_100k)
{
	return histogram_percentile(&run->iteration[0].results.latency[REQUEST_ANON], per_100k);
}

// Figures of local-reclaim whose name begins with "spilled" but for one reason; NULL: all.
static uint64_t spilled_but(const char *reason)
{
	const struct workload_results *results = results_of("anon");
	uint64_t pages = 0;

	for (unsigned i = 0; i < results->nr_figures; i++) {
		const struct workload_figure *item = &results->figure[i];

		if (!strncmp(item->name, "spilled", 7) && (!reason || strcmp(item->name, reason)))
			pages += item->value;
	}
	return pages;
}

static uint64_t population_ns(void)
{
	uint64_t mib = figure_of("anon", "MiB local") + figure_of("anon", "MiB remote");
	uint64_t rate = figure_of("anon", "MiB/s populated");

	assert_true(rate > 0);
	return mib * NS_PER_S / rate;
}

static void assert_near(uint64_t value, uint64_t other, uint64_t per_mille)
{
	assert_in_range(value, other - other * per_mille / 1000, other + other * per_mille / 1000);
}

// ---- a, b, c: one thread ----

static void one_thread(const char *variant)
{
	run_with("local-reclaim-1", variant, QUARTER("cache.size=1600MiB", "960MiB"));
}

static void a_b_c_one_thread(void **state)
{
	uint64_t bound_ps, mode_0, mode_1, stall, before_ns;

	(void)state;
	one_thread("bind-0");
	bound_ps = mean_ps("anon");
	one_thread("mode-0");
	mode_0 = figure_of("anon", "MiB/s populated");
	before_ns = figure_of("anon", "MiB local") * NS_PER_S / mode_0; // until the node is full
	assert_true(resident_ppm("anon", 1) < 500000);
	one_thread("mode-1");
	mode_1 = population_ns() - before_ns;
	one_thread("local");
	assert_true(resident_ppm("anon", 1) >= 990000);
	assert_true(mean_ps("anon") <= bound_ps + bound_ps / 100);
	assert_int_equal(run->iteration[0].results.nr_kills, 0);
	assert_int_equal(spilled_but(NULL), 0);
	stall = figure_of("anon", "stalled us") * NS_PER_US;
	assert_true(stall <= population_ns() / 200);
	assert_true(latency_ns(99000) <= 50 * NS_PER_US);
	assert_true(latency_ns(100000) <= 200 * NS_PER_US);
	assert_true((population_ns() - before_ns) * 18 <= mode_1 * 10); // c, while there is something to reclaim
	assert_true(figure_of("anon", "MiB/s populated") * 10 >= mode_0 * 9);
	assert_int_equal(counter(RESULT_NODE(WORKINGSET_REFAULT_FILE)), 0);
}

// ---- d, e: cache in use ----

static void hot_cache(const char *variant, const char *cache, const char *hot, const char *rate, const char *anon)
{
	run_with("local-reclaim-hot", variant, "machine.memory=2000MiB", cache, hot, rate, anon);
}

static void d_hot_cache_stays(void **state)
{
	static const char cache[] = "workload.cache.size=960MiB", hot[] = "workload.hot.size=640MiB",
			  rate[] = "workload.hot.rate=1024/s";
	uint64_t read;

	(void)state;
	hot_cache("mode-0", cache, hot, rate, "workload.anon.memory=960MiB");
	read = figure_of("hot", "MiB read");
	hot_cache("local", cache, hot, rate, "workload.anon.memory=960MiB");
	assert_true(figure_of("anon", "evicted for it") > 100000);
	assert_true(figure_of("anon", "... came back") * 100 <= figure_of("anon", "evicted for it"));
	assert_true(counter(RESULT_NODE(WORKINGSET_REFAULT_FILE)) * 100 <= figure_of("anon", "evicted for it"));
	assert_true(figure_of("hot", "MiB read") * 100 >= read * 98);
	assert_true(resident_ppm("anon", 1) >= 990000);
	hot_cache("more-local", cache, hot, rate, "workload.anon.memory=1500MiB");
	assert_true(resident_ppm("anon", 1) < 990000);
	assert_int_equal(spilled_but("spilled: floor"), 0); // the last 64 MiB of a cache stay
	assert_true(counter(RESULT_NODE(WORKINGSET_REFAULT_FILE)) * 100 <= figure_of("anon", "evicted for it"));
}

static void e_costs_nothing_without_garbage(void **state)
{
	static const char cache[] = "workload.cache.size=4MiB", hot[] = "workload.hot.size=1500MiB",
			  rate[] = "workload.hot.rate=2400/s", anon[] = "workload.anon.memory=960MiB";
	uint64_t a, populated, input;

	(void)state;
	hot_cache("all-hot-mode-0", cache, hot, rate, anon);
	a = mean_ps("anon");
	populated = figure_of("anon", "MiB/s populated");
	input = counter(RESULT_MACHINE(PGPGIN));
	hot_cache("all-hot-local", cache, hot, rate, anon);
	assert_near(mean_ps("anon"), a, 10);
	assert_near(figure_of("anon", "MiB/s populated"), populated, 10);
	assert_near(counter(RESULT_MACHINE(PGPGIN)), input, 10);
	assert_true(figure_of("anon", "stalled us") * NS_PER_US <= population_ns() / 100);
	assert_int_equal(figure_of("anon", "evicted for it"), 0);
}

// ---- f, g: others on the node ----

static void f_two_that_fit(void **state)
{
	static const char *const workloads[] = {"one", "two"};
	uint64_t populated[2], a[2];

	(void)state;
	for (unsigned local = 0; local < 2; local++) {
		run_with("local-reclaim-two", local ? "local-wait-100" : "mode-0", "machine.memory=2000MiB",
			 "workload.one.memory=940MiB", "workload.two.memory=940MiB");
		for (unsigned i = 0; i < 2; i++) {
			const char *name = workloads[i];

			if (!local) {
				populated[i] = figure_of(name, "MiB/s populated");
				a[i] = mean_ps(name);
				continue;
			}
			assert_near(figure_of(name, "MiB/s populated"), populated[i], 50);
			assert_near(mean_ps(name), a[i], 50);
			assert_int_equal(resident_ppm(name, 1), 1000000);
			assert_int_equal(figure_of(name, "evicted for it"), 0);
			assert_true(figure_of(name, "pages at home") > 200000);
		}
	}
}

static void beside(const char *variant)
{
	run_with("local-reclaim-beside", variant, QUARTER("cache.size=1600MiB", "960MiB"),
		 "workload.beside.memory=200MiB");
}

static void g_a_task_without_the_policy(void **state)
{
	uint64_t a;

	(void)state;
	beside("mode-0");
	a = mean_ps("beside");
	beside("local");
	assert_true(resident_ppm("anon", 1) >= 990000);
	assert_true(mean_ps("beside") <= a + a / 50);
	assert_true(counter(RESULT_VM(ALLOCSTALL_NORMAL)) == 0);
}

// ---- h: threads ----

static void threads(const char *variant)
{
	run_with("local-reclaim-threads", variant, QUARTER("cache.size=1600MiB", "960MiB"));
}

static void h_sixteen_threads(void **state)
{
	uint64_t mode_0, evicted, least;

	(void)state;
	threads("mode-0");
	mode_0 = population_ns();
	threads("wait-100");
	assert_true(resident_ppm("anon", 1) >= 990000);
	evicted = figure_of("anon", "evicted for it");
	least = evicted * 600 / 3; // X15; 26 CPUs: three reclaimers
	least = least > mode_0 ? least : mode_0;
	assert_true(population_ns() <= least + least * 3 / 10);
	threads("wait-0");
	assert_int_equal(figure_of("anon", "stalled us"), 0);
	assert_true(spilled_but(NULL) > 10000);
	assert_int_equal(spilled_but("spilled: budget"), 0);
}

// ---- i: a socket ----

static void i_inside_the_socket(void **state)
{
	(void)state;
	run_with("local-reclaim-socket", "local", "machine.memory=1000MiB", "workload.cache0.size=850MiB",
		 "workload.cache1.size=850MiB", "workload.cache2.size=850MiB", "workload.cache3.size=850MiB",
		 "workload.anon.memory=2200MiB");
	assert_true(resident_ppm("anon", 0xf) >= 990000);
	assert_true(resident_ppm("anon", 2) < 990000);
	assert_true(figure_of("anon", "evicted for it") > 300000);
}

// ---- j ----

static void j_the_same_again(void **state)
{
	struct workload_results *first = malloc(sizeof(*first));

	(void)state;
	assert_non_null(first);
	threads("wait-20");
	*first = *results_of("anon");
	assert_true(spilled_but(NULL) > 0);
	// Every page of its requests is at home, or elsewhere for a reason.
	assert_true(figure_of("anon", "pages at home") + spilled_but(NULL) >= 960 * 256);
	threads("wait-20");
	assert_memory_equal(results_of("anon")->figure, first->figure, sizeof(first->figure[0]) * first->nr_figures);
	assert_memory_equal(results_of("anon")->resident, first->resident, sizeof(first->resident));
	assert_int_equal(results_of("anon")->access.time_ns, first->access.time_ns);
	free(first);
}

// ---- what is garbage, and pages that go home ----

static void with_advice(const char *advice, const char *garbage)
{
	run_with("local-reclaim-1", "local", QUARTER("cache.size=1600MiB", "960MiB"), advice, garbage);
}

static void L2_advice(void **state)
{
	static const char declared[] = "workload.anon.local_reclaim.garbage=declared",
			  read_once[] = "workload.anon.local_reclaim.garbage=read-once";

	(void)state;
	with_advice("workload.cache.cache=keep", read_once);
	assert_int_equal(figure_of("anon", "evicted for it"), 0);
	assert_true(spilled_but(NULL) > 100000);
	assert_int_equal(spilled_but("spilled: no garbage"), 0);
	with_advice("workload.cache.cache=normal", declared);
	assert_int_equal(figure_of("anon", "evicted for it"), 0);
	with_advice("workload.cache.cache=garbage", declared);
	assert_true(resident_ppm("anon", 1) >= 990000);
}

static void L2_multi_gen_lru(void **state) // where zone_reclaim_mode 1 does nothing (Z9)
{
	(void)state;
	run_with("local-reclaim-1", "mode-1", QUARTER("cache.size=1600MiB", "960MiB"), "machine.lru_gen=on");
	assert_true(resident_ppm("anon", 1) < 500000);
	run_with("local-reclaim-1", "local", QUARTER("cache.size=1600MiB", "960MiB"), "machine.lru_gen=on");
	assert_true(resident_ppm("anon", 1) >= 990000);
	assert_int_equal(spilled_but(NULL), 0);
}

static void L8_spilled_pages_move_home(void **state)
{
	uint64_t spilled;

	(void)state;
	run_with("local-reclaim-threads", "wait-0", QUARTER("cache.size=1600MiB", "960MiB"), "workload.anon.access=4s");
	spilled = spilled_but(NULL);
	assert_true(spilled > 50000);
	assert_true(figure_of("anon", "moved home") * 100 >= spilled * 95);
	assert_true(resident_ppm("anon", 1) >= 980000);
	run_with("local-reclaim-threads", "wait-0", QUARTER("cache.size=1600MiB", "960MiB"), "workload.anon.access=4s",
		 "workload.anon.local_reclaim.repatriate=0");
	assert_int_equal(figure_of("anon", "moved home"), 0);
}

static void L9_huge_pages(void **state)
{
	(void)state;
	run_with("local-reclaim-1", "local", QUARTER("cache.size=1600MiB", "960MiB"), "machine.thp.enabled=always");
	assert_true(resident_ppm("anon", 1) >= 990000);
	assert_true(counter(RESULT_MACHINE(THP_FAULT_ALLOC)) >= 400); // of 480
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, end_runs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_b_c_one_thread),
		TEST(d_hot_cache_stays),
		TEST(e_costs_nothing_without_garbage),
		TEST(f_two_that_fit),
		TEST(g_a_task_without_the_policy),
		TEST(h_sixteen_threads),
		TEST(i_inside_the_socket),
		TEST(j_the_same_again),
		TEST(L2_advice),
		TEST(L2_multi_gen_lru),
		TEST(L8_spilled_pages_move_home),
		TEST(L9_huge_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
