// SPDX-License-Identifier: Apache-2.0
//
// pageyard-bench: what is measured, in order. `pageyard bench` starts this with the options that it was given.

#include "bench/bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, FRAMES_MIB = 256, MEMORY_MIN = 64, MEMORY_MAX = 1 << 20, // MiB
       ROUNDS = 21, QUICK_ROUNDS = 3, ROUNDS_MAX = 10000 };

static const char usage[] =
	"Usage: pageyard-bench [--json] [--quick] [--filter=NAME] [--rounds=N] [--threads=N]\n"
	"                      [--memory=MIB] [--huge-pages] [--record=PATH]\n"
	"See: pageyard bench --help, bench/README.md\n";

static unsigned number(const char *text, unsigned min, unsigned max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || value < min || value > max) {
		fprintf(stderr, "pageyard-bench: '%s' is not a number from %u to %u\n", text, min, max);
		exit(EXIT_USAGE);
	}
	return (unsigned)value;
}

static void parse(struct settings *settings, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },	     { "quick", no_argument, NULL, 'q' },
		{ "filter", required_argument, NULL, 'f' },  { "rounds", required_argument, NULL, 'r' },
		{ "threads", required_argument, NULL, 't' }, { "huge-pages", no_argument, NULL, 'H' },
		{ "memory", required_argument, NULL, 'm' },  { "record", required_argument, NULL, 'R' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "jqf:r:t:m:h", options, NULL)) != -1)
		switch (option) {
		case 'j': settings->json = true; break;
		case 'q': settings->quick = true; break;
		case 'f': settings->filter = optarg; break;
		case 'r': settings->rounds = number(optarg, 1, ROUNDS_MAX); break;
		case 't': settings->threads = number(optarg, 1, THREADS_MAX); break;
		case 'm': settings->frames = number(optarg, MEMORY_MIN, MEMORY_MAX) / 4 * 4 * FRAMES_MIB; break;
		case 'H': settings->huge_pages = true; break;
		case 'R': settings->record = optarg; break;
		case 'h': fputs(usage, stdout); exit(0);
		default: fputs(usage, stderr); exit(EXIT_USAGE);
		}
	if (optind < argc) {
		fputs(usage, stderr);
		exit(EXIT_USAGE);
	}
	if (!settings->rounds)
		settings->rounds = settings->quick ? QUICK_ROUNDS : ROUNDS;
	if (!settings->frames)
		settings->frames = (settings->quick ? 256 : 1024) * FRAMES_MIB;
	settings->operations = settings->quick ? 1 << 16 : 1 << 18; // some milliseconds
}

static void run_one(const struct settings *settings, struct report *report, const struct benchmark *benchmark,
		    unsigned threads)
{
	struct result *result = &report->results[report->nr_results++];

	*result = (struct result){ .benchmark = benchmark, .threads = threads };
	if (!selected(settings, benchmark->name))
		return;
	if (threads <= cpus_allowed())
		result->ns = run_benchmark(benchmark, settings, threads);
	if (!settings->json)
		print_result(result);
}

static void run_table(const struct settings *settings, struct report *report, const struct benchmark *table)
{
	for (const struct benchmark *benchmark = table; benchmark->name; benchmark++) {
		if (settings->threads) {
			run_one(settings, report, benchmark, settings->threads);
			continue;
		}
		run_one(settings, report, benchmark, 1);
		run_one(settings, report, benchmark, 2);
	}
}

int main(int argc, char **argv)
{
	struct settings settings = { 0 };
	struct report report = { 0 };

	parse(&settings, argc, argv);
	if (!settings.json)
		print_heading(&settings);
	run_table(&settings, &report, pageyard_benchmarks);
	run_table(&settings, &report, baseline_benchmarks);
	measure_scale(&settings, &report.scale);
	measure_compaction(&settings, &report.compaction);
	measure_tool(&settings, "verify", &report.verify);
	measure_tool(&settings, "replay", &report.replay);
	measure_simulator(&settings, &report.simulator);
	if (settings.json)
		print_json(&settings, &report);
	else
		print_rest(&settings, &report);
	if (fflush(stdout) || ferror(stdout))
		die("cannot write to standard output");
	return 0;
}
