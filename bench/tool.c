// SPDX-License-Identifier: Apache-2.0
//
// How many recorded events a second `pageyard verify` and `pageyard replay` take: the tool runs as a process of its own,
// from start to end, reading the record included.

#define _GNU_SOURCE
#include "bench/bench.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef BENCH_RECORD
#define BENCH_RECORD "tests/data/storm-d1"
#endif

#define POLICY "linux-7.3,defrag_mode=1" // that of the default record

enum { TOOL_ROUNDS_MAX = 7 };

// The tool that lies beside this executable.
static bool find_tool(char *path, size_t size)
{
	char self[PATH_MAX], *slash;
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

	if (length < 0)
		return false;
	self[length] = '\0';
	slash = strrchr(self, '/');
	if (!slash || snprintf(path, size, "%.*s/pageyard", (int)(slash - self), self) >= (int)size)
		return false;
	return !access(path, X_OK);
}

// Runs the tool and reads "events": N from the JSON that it prints. 0: there is none.
static uint64_t run_tool(char *const *arguments, double *seconds)
{
	static const char key[] = "\"events\":";
	uint64_t start = now_ns(), events = 0;
	int ends[2], status;
	char *line = NULL, *found;
	size_t size = 0;
	FILE *output;
	pid_t child;

	fflush(stdout);
	if (pipe(ends) || (child = fork()) < 0)
		die("cannot start a process");
	if (!child) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		execv(arguments[0], arguments);
		_exit(127);
	}
	close(ends[1]);
	output = fdopen(ends[0], "r");
	while (output && getline(&line, &size, output) >= 0)
		if (!events && (found = strstr(line, key)))
			events = strtoull(found + strlen(key), NULL, 10);
	if (output)
		fclose(output);
	free(line);
	waitpid(child, &status, 0);
	*seconds = (double)(now_ns() - start) / 1e9;
	return events;
}

void measure_tool(const struct settings *settings, const char *command, struct tool_rate *rate)
{
	char tool[PATH_MAX], name[64];
	const char *record = settings->record ? settings->record : BENCH_RECORD;
	char *arguments[] = { tool, (char *)command, (char *)"--json", (char *)"--policy", (char *)POLICY, (char *)record, NULL };
	unsigned rounds = settings->rounds < TOOL_ROUNDS_MAX ? settings->rounds : TOOL_ROUNDS_MAX;
	double rates[TOOL_ROUNDS_MAX];

	snprintf(name, sizeof name, "%s_events_per_second", command);
	if (!selected(settings, name)) {
		snprintf(rate->skipped, sizeof rate->skipped, "not selected");
		return;
	}
	if (!find_tool(tool, sizeof tool)) {
		snprintf(rate->skipped, sizeof rate->skipped, "no executable 'pageyard' beside pageyard-bench");
		return;
	}
	if (access(record, R_OK)) {
		snprintf(rate->skipped, sizeof rate->skipped, "no record %.100s", record);
		return;
	}
	for (unsigned round = 0; round < rounds; round++) {
		double seconds;
		uint64_t events;

		progress("pageyard %s: round %u of %u", command, round + 1, rounds);
		events = run_tool(arguments, &seconds);
		if (!events) {
			progress_done();
			snprintf(rate->skipped, sizeof rate->skipped, "'pageyard %s --json %.80s' tells no events", command, record);
			return;
		}
		rates[round] = (double)events / seconds;
	}
	progress_done();
	rate->events_per_second = median(rates, rounds);
}
