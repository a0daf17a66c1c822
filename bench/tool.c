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
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef BENCH_RECORD
#define BENCH_RECORD "tests/data/storm-d1"
#endif

#define POLICY "linux-7.3,defrag_mode=1" // that of the default record

enum { TOOL_ROUNDS_MAX = 7 };

bool find_tool(char *path, size_t size)
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

static uint64_t read_number(int from, const char *key)
{
	FILE *output = fdopen(from, "r");
	uint64_t number = 0;
	char *line = NULL, *found;
	size_t size = 0;

	while (output && getline(&line, &size, output) >= 0)
		if (!number && (found = strstr(line, key)))
			number = strtoull(found + strlen(key), NULL, 10);
	if (output)
		fclose(output);
	free(line);
	return number;
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void run_tool(char *const *arguments, const char *key, struct tool_run *run)
{
	uint64_t start = now_ns();
	struct rusage usage;
	int ends[2], status;
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
	*run = (struct tool_run){ .count = read_number(ends[0], key) };
	if (wait4(child, &status, 0, &usage) == child) {
		run->cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
		run->rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
	}
	run->seconds = (double)(now_ns() - start) / 1e9;
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
		struct tool_run run;

		progress("pageyard %s: round %u of %u", command, round + 1, rounds);
		run_tool(arguments, "\"events\":", &run);
		if (!run.count) {
			progress_done();
			snprintf(rate->skipped, sizeof rate->skipped, "'pageyard %s --json %.80s' tells no events", command, record);
			return;
		}
		rates[round] = (double)run.count / run.seconds;
	}
	progress_done();
	rate->events_per_second = median(rates, rounds);
}
