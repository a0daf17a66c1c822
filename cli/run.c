// SPDX-License-Identifier: Apache-2.0
//
// pageyard run: a scenario under several policies, side by side.

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/columns.h"
#include "report/event_log.h"
#include "report/output_file.h"
#include "report/run_json.h"
#include "report/run_table.h"
#include "sim/data_files.h"

enum {
	OPT_POLICY, OPT_SEED, OPT_RUNS, OPT_SET, OPT_DURATION, OPT_ITERATIONS, OPT_JSON, OPT_EVENTS, OPT_TRACE, OPT_PERFETTO,
	OPT_CHECK, OPT_BRIEF, OPT_JOBS, OPT_VARIANT,
};

static const struct cli_option options[] = {
	[OPT_POLICY] = {"policy", 'p', "A,B,...",
			"policies (see: pageyard policies); the first one is the baseline; repeatable"},
	[OPT_SEED] = {"seed", 's', "S", "seed of all that is random; the scenario's without it"},
	[OPT_RUNS] = {"runs", 'n', "N", "runs a policy, with seeds S, S+1, ...: mean, deviation, significance"},
	[OPT_SET] = {"set", 0, "KEY=VALUE", "change the scenario, e.g. workload.hugeburst.size=1GiB; repeatable"},
	[OPT_DURATION] = {"duration", 'd', "TIME", "of an iteration, e.g. 30s; as --set duration=TIME"},
	[OPT_ITERATIONS] = {"iterations", 0, "N", "on the same machine without a reboot; as --set iterations=N"},
	[OPT_JSON] = {"json", 'j', NULL, "write JSON Lines"},
	[OPT_EVENTS] = {"events", 0, "FILE", "write all events as tracefs' trace file shows them (one policy, one run)"},
	[OPT_TRACE] = {"trace", 0, "FILE", "write a trace that `pageyard replay` takes (one policy, one run)"},
	[OPT_PERFETTO] = {"perfetto", 0, "FILE", "write a timeline for ui.perfetto.dev (one policy, one run)"},
	[OPT_BRIEF] = {"brief", 'b', NULL, "only the rows of the table that the scenario says tell its story"},
	[OPT_CHECK] = {"check", 0, NULL,
		       "verify all invariants after each slow-path call, some thousand times if no --duration is given"},
	[OPT_JOBS] = {"jobs", 0, "N", "simulations at a time; the number of CPUs without it. Results do not depend on it"},
	[OPT_VARIANT] = {"variant", 0, "A,B,...",
			 "variants of the scenario (see: pageyard show), the first one is the baseline; all without it"},
	{0},
};

static const struct cli_command command = {
	.name = "run",
	.arguments = "[SCENARIO...]",
	.help = "Simulates a machine and its load under one policy after the other, from the same seed, and prints the\n"
		"policies side by side: the value, and by how much it is better (+) or worse (-) than the first column's.\n"
		"If the scenario has variants, each has a column, or one under each policy if there are several.\n"
		"SCENARIO is a name (see: pageyard list) or a file. Times are simulated; the same command prints the same\n"
		"bytes on every machine.\n\n"
		"Rows have the names of mmtests. Alloc stall: passes of direct reclaim. Extfrag: requests that took\n"
		"memory of another type; claim: a free block of a pageblock or more, steal: a pageblock was converted\n"
		"with pages in use, pollute: it was not and is mixed now. Slowpath rounds: passes through the slow\n"
		"path's loop. Pressure: stalls as /proc/pressure/memory counts them. --check without a SCENARIO takes all.",
	.options = options,
	.arguments_min = 0,
	.arguments_max = -1,
};

enum { SETS_MAX = 256, RUNS_MAX = 1000 };

// Where --check ends, if no --duration is given: that is seconds for the largest machines, too.
#define CHECK_NS UINT64_C(180000000000)
enum { CHECK_FRAMES = 1 << 26, CHECK_REQUESTS = 5000000 };

struct invocation {
	struct policy_list policies; // that were named
	const char *variants;	     // NULL: all
	const char *set[SETS_MAX];
	char *made_set[4]; // to free
	unsigned nr_sets, nr_made;
	bool seed_given, duration_given, iterations_given, json, check, brief;
	uint64_t seed;
	unsigned runs, jobs;
	struct event_log_paths log;
	// of the scenario that runs
	const char *name;
	struct columns columns;
	struct run **run; // columns.nr x runs
	atomic_uint next_job;
	atomic_ulong done; // thousandths of all jobs together
	atomic_bool failed;
	char error[512];
	pthread_mutex_t lock; // of `error` and of the terminal
	unsigned shown;	      // percent, on the terminal
};

// ---- options ----

static int add_policies(struct invocation *run, const char *text)
{
	char reason[256];

	if (!policy_list_add(&run->policies, text, reason, sizeof(reason)))
		return cli_usage_error(&command, "--policy: %s", reason);
	return EXIT_FINE;
}

static int add_set(struct invocation *run, const char *assignment)
{
	if (run->nr_sets == SETS_MAX)
		return cli_usage_error(&command, "more than %d times --set", SETS_MAX);
	run->set[run->nr_sets++] = assignment;
	return EXIT_FINE;
}

// --duration and --iterations are --set in other words, so that their errors are told in the same way.
static int make_set(struct invocation *run, const char *key, const char *value)
{
	size_t size = strlen(key) + strlen(value) + 2;
	char *text;

	if (run->nr_made == sizeof(run->made_set) / sizeof(run->made_set[0]))
		return cli_usage_error(&command, "--%s is given too often", key);
	text = malloc(size);
	if (!text)
		return cli_error(&command, "out of memory");
	snprintf(text, size, "%s=%s", key, value);
	run->made_set[run->nr_made++] = text;
	return add_set(run, text);
}

static int take_number(const char *option, const char *value, unsigned long long max, unsigned *to)
{
	unsigned long long number;

	if (!cli_number(value, 1, max, &number))
		return cli_usage_error(&command, "--%s: '%s' is not a number from 1 to %llu", option, value, max);
	*to = (unsigned)number;
	return EXIT_FINE;
}

static int take_option(struct invocation *run, int option, const char *value)
{
	unsigned long long number;

	switch (option) {
	case OPT_POLICY: return add_policies(run, value);
	case OPT_RUNS: return take_number("runs", value, RUNS_MAX, &run->runs);
	case OPT_JOBS: return take_number("jobs", value, 1024, &run->jobs);
	case OPT_SET: return add_set(run, value);
	case OPT_DURATION: run->duration_given = true; return make_set(run, "duration", value);
	case OPT_ITERATIONS: run->iterations_given = true; return make_set(run, "iterations", value);
	case OPT_JSON: run->json = true; break;
	case OPT_BRIEF: run->brief = true; break;
	case OPT_CHECK: run->check = true; break;
	case OPT_VARIANT: run->variants = value; break;
	case OPT_EVENTS: run->log.text = value; break;
	case OPT_TRACE: run->log.record = value; break;
	case OPT_PERFETTO: run->log.perfetto = value; break;
	case OPT_SEED:
		if (!cli_number(value, 0, UINT64_MAX, &number))
			return cli_usage_error(&command, "--seed: '%s' is not a number", value);
		run->seed = number;
		run->seed_given = true;
		break;
	default: break;
	}
	return EXIT_FINE;
}

static bool wants_log(const struct invocation *run)
{
	return run->log.text || run->log.record || run->log.perfetto;
}

// ---- simulations ----

struct observer { // of one simulation
	struct invocation *invocation;
	struct event_log *log;
	unsigned told; // thousandths of it, in `done`
};

static void fail(struct invocation *run, const struct column *column, const char *text)
{
	pthread_mutex_lock(&run->lock);
	if (!atomic_exchange(&run->failed, true))
		snprintf(run->error, sizeof(run->error), "%s: %s: %s", run->name, column->label, text);
	pthread_mutex_unlock(&run->lock);
}

static void on_event(void *context, struct simulation *sim, const struct yard_event *event)
{
	event_log_event(((struct observer *)context)->log, sim, event);
}

static void show_progress(struct invocation *run)
{
	enum { WIDTH = 40 };
	unsigned percent, filled;

	pthread_mutex_lock(&run->lock);
	percent = (unsigned)(atomic_load(&run->done) / (10ul * run->columns.nr * run->runs));
	filled = percent * WIDTH / 100;
	if (percent != run->shown)
		fprintf(stderr, "\r%s [%.*s%*s] %3u%%", run->name, (int)filled,
			"########################################", (int)(WIDTH - filled), "", percent);
	run->shown = percent;
	pthread_mutex_unlock(&run->lock);
}

static void add_progress(struct observer *observer, unsigned thousandths)
{
	if (thousandths == observer->told)
		return;
	atomic_fetch_add(&observer->invocation->done, thousandths - observer->told);
	observer->told = thousandths;
	if (isatty(STDERR_FILENO))
		show_progress(observer->invocation);
}

static void on_progress(void *context, struct simulation *sim, unsigned thousandths)
{
	struct observer *observer = context;

	if (observer->log)
		event_log_sample(observer->log, sim);
	add_progress(observer, thousandths);
}

static uint64_t seed_of(const struct invocation *run, const struct column *column)
{
	return run->seed_given ? run->seed : column->scenario->seed;
}

// Only a run that came to its end leaves files.
static void end_log(struct invocation *run, const struct column *column, struct event_log *log)
{
	char text[512];
	size_t length;

	if (!atomic_load(&run->failed)) {
		if (!event_log_close(log, text, sizeof(text)))
			fail(run, column, text);
		return;
	}
	event_log_discard(log, text, sizeof(text));
	length = strlen(run->error); // nobody else writes there: it is the only simulation
	if (*text)
		snprintf(run->error + length, sizeof(run->error) - length, "; not written: %s", text);
}

static void simulate(struct invocation *run, unsigned job)
{
	const struct column *column = &run->columns.item[job / run->runs];
	// Its workloads are the simulation's.
	struct scenario *scenario = scenario_load_variant(run->name, column->variant, run->set, run->nr_sets, stderr);
	struct observer observer = {.invocation = run};
	struct runner_options options = {
		.policy = &column->policy, .policy_says_lru_gen = strstr(column->policy_name, ",lru_gen="),
		.seed = seed_of(run, column) + job % run->runs, .check = run->check,
		.iterations = run->check && !run->iterations_given ? 1 : 0,
		.progress = on_progress, .context = &observer,
	};
	char error[256];

	if (scenario && run->check && !run->duration_given) {
		options.duration_ns = scenario->duration_ns < CHECK_NS ? scenario->duration_ns : CHECK_NS;
		options.check_frames = CHECK_FRAMES;
		options.check_requests = CHECK_REQUESTS;
	}
	if (scenario && wants_log(run)) {
		observer.log = event_log_open(&run->log, error, sizeof(error));
		options.event = on_event;
		if (!observer.log)
			fail(run, column, error);
	}
	if (scenario && !atomic_load(&run->failed))
		run->run[job] = runner_run(scenario, &options);
	if (!run->run[job])
		fail(run, column, "out of memory");
	else if (run->run[job]->error[0])
		fail(run, column, run->run[job]->error);
	if (observer.log)
		end_log(run, column, observer.log);
	add_progress(&observer, 1000); // it may have ended earlier
	scenario_free(scenario);
}

static void *work(void *argument)
{
	struct invocation *run = argument;
	unsigned job;

	while ((job = atomic_fetch_add(&run->next_job, 1)) < run->columns.nr * run->runs)
		if (!atomic_load(&run->failed))
			simulate(run, job);
	return NULL;
}

static void simulate_all(struct invocation *run)
{
	unsigned jobs = run->columns.nr * run->runs, threads = run->jobs, started = 0;
	pthread_t *thread;

	if (!threads)
		threads = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	threads = threads < jobs ? threads : jobs;
	thread = calloc(threads, sizeof(*thread));
	atomic_store(&run->next_job, 0);
	atomic_store(&run->done, 0);
	run->shown = UINT_MAX;
	while (thread && started + 1 < threads && !pthread_create(&thread[started], NULL, work, run))
		started++;
	work(run);
	while (started)
		pthread_join(thread[--started], NULL);
	free(thread);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%*s\r", (int)strlen(run->name) + 50, "");
}

// ---- answers ----

static const char *plural(uint64_t number)
{
	return number == 1 ? "" : "s";
}

static void print_fingerprint(const struct scenario *scenario)
{
	printf("fingerprint %016" PRIx64 "%016" PRIx64 "\n", scenario->fingerprint.high, scenario->fingerprint.low);
}

// What each variant is, and the policy if all columns have the same one: headings of columns leave it out then.
static void print_variants(const struct columns *columns)
{
	const struct column *first = &columns->item[0];
	int width = 0;

	for (unsigned i = 0; i < columns->nr_scenarios; i++) {
		int length = (int)strlen(columns->scenario[i]->chosen->name);

		width = length > width ? length : width;
	}
	if (!strcmp(first->label, first->variant))
		printf("policy %s\n", first->policy_name);
	for (unsigned i = 0; i < columns->nr_scenarios; i++) {
		const struct scenario_variant *variant = columns->scenario[i]->chosen;

		printf("variant %-*s  ", width, variant->name);
		if (*variant->text)
			printf("%s; ", variant->text);
		print_fingerprint(columns->scenario[i]);
	}
}

static void print_heading(const struct invocation *run)
{
	const struct column *first = &run->columns.item[0];
	const struct scenario *scenario = first->scenario;

	printf("%s: %s\n", scenario->name, scenario->text);
	printf("machine %s, seed %" PRIu64 ", %u run%s of %" PRIu64 " iteration%s, ", scenario->machine.name,
	       seed_of(run, first), run->runs, plural(run->runs), run->run[0]->nr_iterations,
	       plural(run->run[0]->nr_iterations));
	print_fingerprint(scenario);
	if (first->variant)
		print_variants(&run->columns);
	putchar('\n');
}

static int print_results(struct invocation *run, struct run_set *set)
{
	unsigned nr = run->columns.nr;
	struct compare compare = {.nr_columns = nr};
	struct measures measures = {0};
	int code = EXIT_FINE;

	for (unsigned i = 0; i < nr; i++)
		compare.column[i] = set[i].label;
	if (measures_collect(&measures, set[0].scenario, set, nr, run->brief))
		run_table(&compare, &measures, set, nr);
	if (measures.failed || compare.failed) {
		code = cli_error(&command, "out of memory");
	} else {
		print_heading(run);
		compare_print(&compare, stdout);
		if (measures.missing)
			fprintf(stderr,
				"pageyard run: %s: these results have no row '%s' (rows: names some of the whole table's, "
				"as \"Swap out\")\n",
				run->name, measures.missing);
		if (run->run[0]->nr_iterations > 1)
			run_print_trend(stdout, set, nr);
		run_print_guards(stdout, set, nr);
		if (run->runs > 1 && nr > 1) {
			putchar('\n');
			run_print_significance(stdout, &measures, set, nr);
		}
	}
	compare_free(&compare);
	measures_free(&measures);
	return code;
}

static void print_checks(const struct invocation *run)
{
	unsigned jobs = run->columns.nr * run->runs;
	uint64_t checks = 0;

	for (unsigned i = 0; i < jobs; i++)
		checks += run->run[i]->checks;
	printf("%s: %u simulation%s, %" PRIu64 " check%s, no violation\n", run->columns.item[0].scenario->name, jobs,
	       plural(jobs), checks, plural(checks));
}

static int answer(struct invocation *run)
{
	struct run_set set[COMPARE_COLUMNS_MAX];

	for (unsigned i = 0; i < run->columns.nr; i++) {
		const struct column *column = &run->columns.item[i];

		set[i] = (struct run_set){column->label,    run->run + i * run->runs, run->runs,
					  column->scenario, column->policy_name,      column->variant,
					  seed_of(run, column)};
	}
	if (run->check && !run->json) {
		print_checks(run);
		return EXIT_FINE;
	}
	if (!run->json)
		return print_results(run, set);
	run_json(stdout, PAGEYARD_VERSION, set, run->columns.nr);
	return EXIT_FINE;
}

// ---- a scenario ----

static int run_columns(struct invocation *run)
{
	unsigned jobs = run->columns.nr * run->runs;
	int code;

	if (wants_log(run) && jobs > 1)
		return cli_usage_error(&command, "--events, --trace and --perfetto go with %sone policy and one run, not %u",
				       run->columns.item[0].variant ? "one variant, " : "", jobs);
	run->run = calloc(jobs, sizeof(struct run *));
	if (!run->run)
		return cli_error(&command, "out of memory");
	if (wants_log(run))
		output_files_end_with_signals("pageyard run");
	atomic_store(&run->failed, false);
	simulate_all(run);
	code = atomic_load(&run->failed) ? cli_error(&command, "%s", run->error) : answer(run);
	for (unsigned i = 0; i < jobs; i++)
		run_free(run->run[i]);
	free(run->run);
	return code;
}

static int run_scenario(struct invocation *run, const char *name)
{
	const struct column_choice choice = {name, run->variants, run->set, run->nr_sets, &run->policies};
	int code = EXIT_FAILED;

	run->name = name;
	if (columns_make(&run->columns, &choice, stderr)) // else the reasons are printed
		code = run_columns(run);
	columns_free(&run->columns);
	return code;
}

static int run_all(struct invocation *run)
{
	char **names = data_names("scenarios", NULL);
	int code = names ? EXIT_FINE : cli_error(&command, "out of memory");

	for (char **name = names; !code && name && *name; name++)
		code = run_scenario(run, *name);
	data_names_free(names);
	return code;
}

static int run_arguments(struct invocation *run, int argc, char **argv)
{
	int first = cli_first_argument(), code = EXIT_FINE;

	if (first == argc && !run->check)
		return cli_usage_error(&command, "which scenario? (see: pageyard list)");
	if (first == argc && wants_log(run))
		return cli_usage_error(&command, "--events, --trace and --perfetto go with one scenario");
	if (first == argc)
		return run_all(run);
	if (wants_log(run) && argc - first > 1)
		return cli_usage_error(&command, "--events, --trace and --perfetto go with one scenario, not %d", argc - first);
	for (int i = first; !code && i < argc; i++) {
		if (i > first && !run->json && !run->check)
			putchar('\n');
		code = run_scenario(run, argv[i]);
	}
	return code;
}

int cmd_run(int argc, char **argv)
{
	struct invocation *run = calloc(1, sizeof(*run));
	const char *value;
	int option, code = EXIT_FINE;

	if (!run)
		return cli_error(&command, "out of memory");
	run->runs = 1;
	pthread_mutex_init(&run->lock, NULL);
	while (!code && (option = cli_next_option(&command, argc, argv, &value)) >= 0)
		code = take_option(run, option, value);
	if (!code && option != CLI_END) {
		code = cli_exit_code(option);
	} else if (!code) {
		code = cli_finish(&command, run_arguments(run, argc, argv));
	}
	policy_list_free(&run->policies);
	for (unsigned i = 0; i < run->nr_made; i++)
		free(run->made_set[i]);
	pthread_mutex_destroy(&run->lock);
	free(run);
	return code;
}
