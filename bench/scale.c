// SPDX-License-Identifier: Apache-2.0
//
// Very large yards: what a frame costs in memory, whether a small workload notices how large memory is, and how long
// it takes to build a yard of 1 TiB.

#define _GNU_SOURCE
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FRAMES_GIB = 1 << 18, CREATE_NEEDS_GIB = 5 };

// ---- the same work in 1 GiB and in 64 GiB ----

static const struct benchmark *find(const char *name)
{
	const struct benchmark *benchmark = pageyard_benchmarks;

	while (strcmp(benchmark->name, name))
		benchmark++;
	return benchmark;
}

// The rounds alternate and the ratio is that of neighbours, so that whatever else the machine does meets both. The
// per-CPU sets have the same limits in both as long as a burst is smaller than a set.
static void measure_ratio(const struct settings *settings, struct scale *scale)
{
	static const uint32_t gib[2] = { 1, 64 };
	const struct benchmark *burst = find("burst_order0");
	double *ns[2], *ratio = calloc(settings->rounds, sizeof *ratio);
	void *yard[2];

	if (!ratio)
		die("out of memory");
	for (unsigned i = 0; i < 2; i++) {
		yard[i] = pageyard_allocator.create(settings, gib[i] * FRAMES_GIB);
		ns[i] = calloc(settings->rounds, sizeof *ns[i]);
		if (!ns[i])
			die("out of memory");
		run_round(burst, settings, yard[i], 1);
	}
	for (unsigned round = 0; round < settings->rounds; round++) {
		progress("1 GiB and 64 GiB: round %u of %u", round + 1, settings->rounds);
		for (unsigned i = 0; i < 2; i++)
			ns[i][round] = run_round(burst, settings, yard[i], 1);
		ratio[round] = ns[1][round] / ns[0][round];
	}
	progress_done();
	for (unsigned i = 0; i < 2; i++) {
		scale->burst_ns[i] = median(ns[i], settings->rounds);
		free(ns[i]);
	}
	scale->ratio = median(ratio, settings->rounds);
	free(ratio);
	scale->metadata_bytes_per_frame = (double)pageyard_bytes(yard[1]) / (64. * FRAMES_GIB);
	for (unsigned i = 0; i < 2; i++)
		pageyard_allocator.destroy(yard[i]);
}

// ---- 1 TiB ----

static uint64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long long size, resident = 0;

	if (file && fscanf(file, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t available_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * 1024;
}

struct created {
	double seconds;
	uint64_t rss_bytes;
};

// In a process of its own, so that what it leaves in memory is its own too.
static void create_in_child(const struct settings *settings, int pipe)
{
	struct created created;
	uint64_t start = now_ns();

	pageyard_allocator.create(settings, 1024 * FRAMES_GIB);
	created.seconds = (double)(now_ns() - start) / 1e9;
	created.rss_bytes = resident_bytes();
	_exit(write(pipe, &created, sizeof created) != sizeof created);
}

static void measure_create(const struct settings *settings, struct scale *scale)
{
	struct created created;
	int ends[2], status;
	pid_t child;

	if (settings->quick) {
		scale->create_skipped = "not with --quick";
		return;
	}
	if (available_bytes() < (uint64_t)CREATE_NEEDS_GIB << 30) {
		scale->create_skipped = "less than 5 GiB of memory are available";
		return;
	}
	progress("1 TiB: creating it");
	fflush(stdout);
	if (pipe(ends) || (child = fork()) < 0)
		die("cannot start a process");
	if (!child)
		create_in_child(settings, ends[1]);
	close(ends[1]);
	if (read(ends[0], &created, sizeof created) == sizeof created) {
		scale->create_seconds = created.seconds;
		scale->create_rss_bytes = created.rss_bytes;
	} else {
		scale->create_skipped = "the process that tried did not finish";
	}
	close(ends[0]);
	waitpid(child, &status, 0);
	progress_done();
}

void measure_scale(const struct settings *settings, struct scale *scale)
{
	if (selected(settings, "size_ratio_64GiB_1GiB"))
		measure_ratio(settings, scale);
	if (selected(settings, "create_1TiB"))
		measure_create(settings, scale);
}
