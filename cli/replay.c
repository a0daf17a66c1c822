// SPDX-License-Identifier: Apache-2.0
//
// pageyard replay: a recorded workload under any policies, side by side with the kernel that was recorded.

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/policy_list.h"
#include "report/replay_table.h"
#include "trace/machine.h"
#include "trace/replay.h"

enum { OPT_POLICY, OPT_SNAPSHOT, OPT_MEMORY, OPT_CPUS, OPT_JSON };

static const struct cli_option options[] = {
	[OPT_POLICY] = {"policy", 'p', "A,B,...",
			"policies (see: pageyard policies); the first one is the baseline; repeatable"},
	[OPT_SNAPSHOT] = {"snapshot", 's', "FILE",
			  "the state to start from, for a trace that is not a record's folder"},
	[OPT_MEMORY] = {"memory", 'm', "SIZE",
			"start from a freshly booted machine with this memory, e.g. 512MiB, 64GiB"},
	[OPT_CPUS] = {"cpus", 'c', "N",
		      "CPUs of that machine; without it the trace is read twice, to see how many it shows"},
	[OPT_JSON] = {"json", 'j', NULL, "write one JSON object"},
	{0},
};

static const struct cli_command command = {
	.name = "replay",
	.arguments = "TRACE",
	.help = "Runs a recorded workload under other policies, open loop: the recorded requests and frees\n"
		"drive the allocator, each free goes to the frame that the policy gave. TRACE is a record's\n"
		"folder, or a file of events (a record's, trace.dat, or the text of tracefs) with --snapshot or\n"
		"--memory. Without --policy: vanilla and linux-7.3,defrag_mode=1.\n\n"
		"The table has a column for each policy and one for the recorded kernel: the value, and by how\n"
		"much it is better (+) or worse (-) than the first column's.\n"
		"  Failures  nothing reclaims or compacts for a policy: a request for which its kernel would\n"
		"            have done so first fails\n"
		"  Extfrag   requests that took memory of another type. claim: the pageblock changed its type;\n"
		"            steal: taken from a block of at least a pageblock, which kept its type; pollute:\n"
		"            taken from a smaller block, the pageblock is mixed\n"
		"  Pcp       blocks moved from the buddy lists to the per-CPU lists, and back\n"
		"  Blocks    pageblocks by type; mixed: with both movable and other pages in use; free: whole\n"
		"  Unusable  share of free memory in blocks too small for the order, at the end and on average",
	.options = options,
	.arguments_min = 1,
	.arguments_max = 1,
};

struct run {
	const char *trace, *snapshot_path;
	struct policy_list policies;
	uint64_t pages; // of --memory; 0: not given
	unsigned nr_cpus;
	bool json;
	struct snapshot *before, *after;
	struct replay *replay;
	struct replay_figures figures[POLICY_LIST_MAX + 1];
	uint64_t lost;
};

_Static_assert((int)POLICY_LIST_MAX < (int)COMPARE_COLUMNS_MAX, "the recorded kernel has a column too");

// ---- options ----

static int add_policies(struct run *run, const char *text)
{
	char reason[256];

	if (!policy_list_add(&run->policies, text, reason, sizeof(reason)))
		return cli_usage_error(&command, "--policy: %s", reason);
	return EXIT_FINE;
}

static int take_option(struct run *run, int option, const char *value)
{
	unsigned long long number;

	switch (option) {
	case OPT_POLICY: return add_policies(run, value);
	case OPT_SNAPSHOT: run->snapshot_path = value; break;
	case OPT_JSON: run->json = true; break;
	case OPT_MEMORY:
		if (!machine_parse_size(value, &run->pages))
			return cli_usage_error(
				&command, "--memory: '%s' is not a size between 2MiB and 15TiB such as 512MiB", value);
		break;
	case OPT_CPUS:
		if (!cli_number(value, 1, YARD_CPUS_MAX, &number))
			return cli_usage_error(&command, "--cpus: '%s' is not a number from 1 to %d", value,
					       YARD_CPUS_MAX);
		run->nr_cpus = (unsigned)number;
		break;
	default: break;
	}
	return EXIT_FINE;
}

// ---- inputs ----

static bool is_folder(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISDIR(status.st_mode);
}

// "TRACE/snapshotN.txt" or with .zst; NULL: neither is there. The caller frees it.
static char *snapshot_path(const char *folder, unsigned n)
{
	static const char *const endings[] = {"", ".zst"};
	size_t size = strlen(folder) + sizeof("/snapshot0.txt.zst");
	char *path = malloc(size);

	for (unsigned i = 0; path && i < 2; i++) {
		struct stat status;

		snprintf(path, size, "%s/snapshot%u.txt%s", folder, n % 10, endings[i]);
		if (!stat(path, &status))
			return path;
	}
	free(path);
	return NULL;
}

static int read_folder(struct run *run, struct trace_error *error)
{
	char *before = run->pages || run->snapshot_path ? NULL : snapshot_path(run->trace, 0);
	char *after = snapshot_path(run->trace, 1);
	int code = 0;

	if (before && !(run->before = snapshot_read(before, error)))
		code = -1;
	if (!code && after && !(run->after = snapshot_read(after, error)))
		code = -1;
	free(before);
	free(after);
	return code;
}

static int read_snapshots(struct run *run)
{
	struct trace_error error;
	struct stat status;

	if (stat(run->trace, &status))
		return cli_error(&command, "%s: %s", run->trace, strerror(errno));
	if (run->snapshot_path && run->pages)
		return cli_usage_error(&command, "--snapshot and --memory exclude each other");
	if (is_folder(run->trace) && read_folder(run, &error))
		return cli_error(&command, "%s", error.text);
	if (run->snapshot_path && !(run->before = snapshot_read(run->snapshot_path, &error)))
		return cli_error(&command, "%s", error.text);
	if (!run->before && !run->pages)
		return cli_usage_error(&command, "%s has no snapshot beside it: say --snapshot or --memory",
				       run->trace);
	if (run->before && run->nr_cpus)
		return cli_usage_error(&command, "--cpus goes with --memory; a snapshot tells its CPUs");
	return EXIT_FINE;
}

// The highest CPU that the trace shows.
static int count_cpus(struct run *run)
{
	struct trace_error error;
	struct trace_event event;
	struct stat status;
	struct trace_reader *reader;
	int got;

	if (!stat(run->trace, &status) && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return cli_usage_error(&command, "%s can be read only once: say --cpus", run->trace);
	reader = trace_open(run->trace, &error);
	if (!reader)
		return cli_error(&command, "%s", error.text);
	run->nr_cpus = 1;
	while ((got = trace_next(reader, &event, &error)) > 0)
		if (event.cpu >= run->nr_cpus && event.cpu < YARD_CPUS_MAX)
			run->nr_cpus = event.cpu + 1u;
	trace_close(reader);
	return got < 0 ? cli_error(&command, "%s", error.text) : EXIT_FINE;
}

// ---- the run ----

static void show_progress(const struct trace_reader *reader, bool over)
{
	enum { WIDTH = 40 };
	uint64_t done, total;
	int filled;

	if (over) {
		fprintf(stderr, "\r%*s\r", WIDTH + 9, "");
		return;
	}
	trace_reader_progress(reader, &done, &total);
	if (!total)
		return;
	filled = (int)(done * WIDTH / total);
	fprintf(stderr, "\r[%.*s%*s] %3d%%", filled, "########################################", WIDTH - filled, "",
		(int)(done * 100 / total));
}

static int feed(struct run *run, struct trace_reader *reader)
{
	struct trace_error error;
	struct trace_event event;
	bool progress = isatty(STDERR_FILENO);
	uint64_t n = 0;
	int got, code = EXIT_FINE;

	while ((got = trace_next(reader, &event, &error)) > 0) {
		if (replay_event(run->replay, &event, &error)) {
			code = EXIT_FAILED;
			break;
		}
		if (progress && !(++n & 0xffff))
			show_progress(reader, false);
	}
	if (progress && n >> 16)
		show_progress(reader, true);
	if (got < 0)
		return cli_error(&command, "%s", error.text);
	if (code)
		return cli_error(&command, "%s: %s", run->trace, error.text);
	run->lost = trace_reader_lost(reader);
	return replay_finish(run->replay, &error) ? cli_error(&command, "%s", error.text) : EXIT_FINE;
}

static int verify_yards(struct run *run)
{
	char text[256];

	for (unsigned i = 0; i < run->policies.nr; i++)
		if (yard_verify(replay_yard(run->replay, i), text, sizeof(text)))
			return cli_error(&command, "%s: the allocator is broken: %s", run->policies.name[i], text);
	return EXIT_FINE;
}

static int execute(struct run *run)
{
	struct trace_error error;
	struct trace_reader *reader = trace_open(run->trace, &error);
	int code;

	if (!reader)
		return cli_error(&command, "%s", error.text);
	const struct replay_config config = {
		.before = run->before,
		.pages = run->pages,
		.nr_cpus = run->nr_cpus,
		.timed = trace_reader_format(reader) != TRACE_FORMAT_ORACLE,
		.policy = run->policies.policy,
		.nr_policies = run->policies.nr,
	};

	run->replay = replay_new(&config, &error);
	if (!run->replay)
		code = cli_error(&command, "%s: %s", run->snapshot_path ? run->snapshot_path : run->trace, error.text);
	else
		code = feed(run, reader);
	trace_close(reader);
	if (code)
		return code;
	for (unsigned i = 0; i < run->policies.nr; i++)
		run->figures[i] = *replay_policy_figures(run->replay, i);
	if (replay_recorded_figures(run->replay, run->after, &run->figures[run->policies.nr], &error))
		return cli_error(&command, "%s", error.text);
	return verify_yards(run);
}

// ---- answers ----

static void note(uint64_t n, const char *text)
{
	if (n)
		printf("%" PRIu64 " %s\n", n, text);
}

static void print_table(const struct run *run, const struct compare *compare)
{
	const struct replay_counts *counts = replay_counts(run->replay);

	compare_print(compare, stdout);
	printf("\n%" PRIu64 " events: %" PRIu64 " requests, %" PRIu64 " frees\n", counts->events, counts->requests,
	       counts->frees);
	note(counts->bulk, "requests are pages of bulk allocations");
	note(counts->unmatched, "frees left out: no recorded request had allocated the frames");
	note(counts->reused, "blocks freed when the kernel gave them out anew: their free was not seen");
	note(run->lost, "events lost by the recorder");
}

static void print_json_column(const struct compare *compare, unsigned column)
{
	const char *group = NULL;

	printf("{\"name\": ");
	cli_json_string(compare->column[column]);
	for (size_t i = 0; i < compare->nr_rows; i++) {
		const struct compare_row *row = &compare->row[i];

		if (!group || strcmp(group, row->group)) {
			printf("%s,\n   ", group ? "}" : "");
			cli_json_string(row->group);
			printf(": {");
		} else {
			printf(", ");
		}
		group = row->group;
		cli_json_string(row->name);
		if (isnan(row->value[column]))
			printf(": null");
		else
			printf(": %.*f", (int)(row->decimals ? 6 : 0), row->value[column]);
	}
	printf("%s}", group ? "}" : "");
}

static void print_json(const struct run *run, const struct compare *compare)
{
	const struct replay_counts *counts = replay_counts(run->replay);

	printf("{\"trace\": ");
	cli_json_string(run->trace);
	printf(",\n \"events\": %" PRIu64 ", \"requests\": %" PRIu64 ", \"frees\": %" PRIu64 ", \"bulk\": %" PRIu64
	       ", \"unmatched\": %" PRIu64 ", \"reused\": %" PRIu64 ", \"lost\": %" PRIu64 ",\n \"policies\": [",
	       counts->events, counts->requests, counts->frees, counts->bulk, counts->unmatched, counts->reused,
	       run->lost);
	for (unsigned i = 0; i < run->policies.nr; i++) {
		printf("%s\n  ", i ? "," : "");
		print_json_column(compare, i);
	}
	printf("],\n \"recorded\":\n  ");
	print_json_column(compare, run->policies.nr);
	printf("}\n");
}

static int answer(struct run *run)
{
	struct compare compare = {.nr_columns = run->policies.nr + 1};
	int code;

	for (unsigned i = 0; i < run->policies.nr; i++)
		compare.column[i] = run->policies.name[i];
	compare.column[run->policies.nr] = "recorded";
	replay_table(&compare, run->figures, run->policies.nr + 1);
	if (!compare.failed && run->json)
		print_json(run, &compare);
	else if (!compare.failed)
		print_table(run, &compare);
	code = compare.failed ? cli_error(&command, "out of memory") : cli_finish(&command, EXIT_FINE);
	compare_free(&compare);
	return code;
}

static int run_replay(struct run *run)
{
	int code = run->policies.nr ? EXIT_FINE : add_policies(run, "vanilla,linux-7.3,defrag_mode=1");

	if (!code)
		code = read_snapshots(run);
	if (!code && !run->before && !run->nr_cpus)
		code = count_cpus(run);
	if (!code)
		code = execute(run);
	return code ? code : answer(run);
}

static void release(struct run *run)
{
	replay_free(run->replay);
	if (run->before)
		snapshot_free(run->before);
	if (run->after)
		snapshot_free(run->after);
	policy_list_free(&run->policies);
	free(run);
}

int cmd_replay(int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	const char *value;
	int option, code = EXIT_FINE;

	if (!run)
		return cli_error(&command, "out of memory");
	while (!code && (option = cli_next_option(&command, argc, argv, &value)) >= 0)
		code = take_option(run, option, value);
	if (!code && option != CLI_END) {
		code = cli_exit_code(option);
	} else if (!code) {
		run->trace = argv[cli_first_argument()];
		code = run_replay(run);
	}
	release(run);
	return code;
}
