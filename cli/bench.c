// SPDX-License-Identifier: Apache-2.0
//
// pageyard bench: checks the options and becomes pageyard-bench. That one is an executable of its own because it is
// linked with the engine for real threads, this one with the simulator's.

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "sim/data_files.h"

enum { OPT_JSON, OPT_QUICK, OPT_FILTER, OPT_ROUNDS, OPT_THREADS, OPT_MEMORY, OPT_HUGE_PAGES, OPT_RECORD, OPTIONS };

static const struct cli_option options[] = {
	[OPT_JSON] = {"json", 'j', NULL, "write one JSON object instead of a table"},
	[OPT_QUICK] = {"quick", 'q', NULL, "little memory and few rounds: to see it work, not to compare"},
	[OPT_FILTER] = {"filter", 'f', "NAME", "only what has a name that begins with NAME"},
	[OPT_ROUNDS] = {"rounds", 'r', "N", "rounds of which the median is taken (21)"},
	[OPT_THREADS] = {"threads", 't', "N", "only with N threads (1 and 2)"},
	[OPT_MEMORY] = {"memory", 'm', "MIB", "memory that the workloads share (1024)"},
	[OPT_HUGE_PAGES] = {"huge-pages", 0, NULL, "ask for huge pages for the yard's metadata"},
	[OPT_RECORD] = {"record", 0, "PATH", "recording for the speed of verify and replay (storm-d1)"},
	{0},
};

static const struct cli_command command = {
	.name = "bench",
	.help = "Measures the allocator on real threads: nanoseconds for each operation, as the median of several\n"
		"rounds, next to a textbook buddy and mmap in the same run; the size of the metadata; very large\n"
		"memory; how many events a second verify and replay take, and page operations a simulation.\n"
		"For figures to compare, run it on a machine that does nothing else.",
	.options = options,
};

static const struct {
	unsigned long long min, max; // 0: no number
} limits[OPTIONS] = {[OPT_ROUNDS] = {1, 10000}, [OPT_THREADS] = {1, 64}, [OPT_MEMORY] = {64, 1 << 20}};

int cmd_bench(int argc, char **argv)
{
	static char given[OPTIONS][PATH_MAX + 16];
	char *arguments[OPTIONS + 2] = {(char *)"pageyard-bench"}, folder[DATA_PATH_MAX], path[DATA_PATH_MAX];
	unsigned long long number;
	int option, nr = 1;
	const char *value;

	while ((option = cli_next_option(&command, argc, argv, &value)) >= 0) {
		const char *name = options[option].name;

		if (limits[option].max && !cli_number(value, limits[option].min, limits[option].max, &number))
			return cli_usage_error(&command, "--%s: '%s' is not a number from %llu to %llu", name, value,
					       limits[option].min, limits[option].max);
		if (!given[option][0])
			arguments[nr++] = given[option];
		snprintf(given[option], sizeof given[option], "--%s%s%s", name, value ? "=" : "", value ? value : "");
	}
	if (option != CLI_END)
		return cli_exit_code(option);
	if (data_program_folder(folder)
	    && snprintf(path, sizeof path, "%s/%s", folder, arguments[0]) < (int)sizeof path)
		execv(path, arguments);
	execvp(arguments[0], arguments);
	return cli_error(&command, "cannot start pageyard-bench: %s", strerror(errno));
}
