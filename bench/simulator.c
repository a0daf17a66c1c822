// SPDX-License-Identifier: Apache-2.0
//
// The simulator's own speed: simulated page operations a second of one core, what an operation costs on a machine of
// 1 TiB next to one of 8 GiB, and the host's memory that 1 TiB takes.

#include "bench/bench.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { SIMULATOR_ROUNDS_MAX = 5, SIZES = 2 };

// The loads of `mixed` in the same absolute sizes on both.
static void simulate(const char *tool, const char *size, const char *duration, struct tool_run *run)
{
	char *arguments[] = {
		(char *)tool, (char *)"run", (char *)"mixed", (char *)"--policy", (char *)"linux-7.3", (char *)"--json",
		(char *)"--jobs", (char *)"1", (char *)"--set", (char *)size, (char *)"--set",
		(char *)"workload.server.heap=2GiB", (char *)"--duration", (char *)duration, NULL,
	};

	run_tool(arguments, "\"operations\":", run);
}

// A long run less a short one: neither the start of the process nor the machine's boot is in it. False: the tool failed.
static bool measure_round(const char *tool, const char *size, double *ns, uint64_t *rss_bytes)
{
	struct tool_run brief, full;

	simulate(tool, size, "500ms", &brief);
	simulate(tool, size, "1500ms", &full);
	if (!brief.count || full.count <= brief.count || full.cpu_seconds <= brief.cpu_seconds)
		return false;
	*ns = (full.cpu_seconds - brief.cpu_seconds) * 1e9 / (double)(full.count - brief.count);
	*rss_bytes = full.rss_bytes;
	return true;
}

static bool measure_rounds(const struct settings *settings, const char *tool, struct simulator_speed *speed)
{
	static const char *const sizes[SIZES] = { "machine.memory=8GiB", "machine.memory=1TiB" };
	unsigned nr_sizes = settings->quick || available_bytes() < 8ull << 30 ? 1 : SIZES;
	unsigned rounds = settings->rounds < SIMULATOR_ROUNDS_MAX ? settings->rounds : SIMULATOR_ROUNDS_MAX;
	double ns[SIZES][SIMULATOR_ROUNDS_MAX], ratio[SIMULATOR_ROUNDS_MAX];

	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = 0; i < nr_sizes; i++) {
			progress("pageyard run, %s: round %u of %u", sizes[i] + strlen("machine."), round + 1, rounds);
			if (!measure_round(tool, sizes[i], &ns[i][round], &speed->rss_bytes[i]))
				return false;
		}
		if (nr_sizes == SIZES)
			ratio[round] = ns[1][round] / ns[0][round];
	}
	for (unsigned i = 0; i < nr_sizes; i++)
		speed->ns[i] = median(ns[i], rounds);
	if (nr_sizes == SIZES)
		speed->ratio = median(ratio, rounds);
	return true;
}

void measure_simulator(const struct settings *settings, struct simulator_speed *speed)
{
	char tool[PATH_MAX];
	bool done;

	if (!selected(settings, "simulator")) {
		snprintf(speed->skipped, sizeof speed->skipped, "not selected");
		return;
	}
	if (!find_tool(tool, sizeof tool)) {
		snprintf(speed->skipped, sizeof speed->skipped, "no executable 'pageyard' beside pageyard-bench");
		return;
	}
	done = measure_rounds(settings, tool, speed);
	progress_done();
	if (!done)
		snprintf(speed->skipped, sizeof speed->skipped, "'pageyard run mixed --json' tells no operations");
}
