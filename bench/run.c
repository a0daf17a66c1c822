// SPDX-License-Identifier: Apache-2.0
//
// Rounds, threads and time. A round starts its threads anew, each pinned to a CPU of its own; they meet before and
// after the timed part, so that the slowest one counts for all.

#define _GNU_SOURCE
#include "bench/bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static bool progress_shown;

void die(const char *format, ...)
{
	va_list arguments;

	progress_done();
	fprintf(stderr, "pageyard-bench: ");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

void progress(const char *format, ...)
{
	va_list arguments;

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fflush(stderr);
	progress_shown = true;
}

void progress_done(void)
{
	if (progress_shown)
		fprintf(stderr, "\r\033[K");
	progress_shown = false;
}

uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, size_t nr)
{
	qsort(values, nr, sizeof *values, compare);
	return nr % 2 ? values[nr / 2] : (values[nr / 2 - 1] + values[nr / 2]) / 2;
}

// ---- CPUs ----

// The CPUs that the process may use, as it was started: threads pin themselves, main stays as it is.
static void allowed_set(cpu_set_t *set)
{
	CPU_ZERO(set);
	if (sched_getaffinity(0, sizeof *set, set))
		die("sched_getaffinity failed");
}

unsigned cpus_allowed(void)
{
	cpu_set_t set;

	allowed_set(&set);
	return (unsigned)CPU_COUNT(&set);
}

static void pin_to(unsigned index)
{
	cpu_set_t allowed, one;

	allowed_set(&allowed);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && index-- == 0)
			CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof one, &one))
		die("cannot pin a thread to a CPU of its own");
}

// ---- a round ----

struct seat { // what a thread is given
	const struct benchmark *benchmark;
	struct worker worker;
	atomic_uint *waiting; // threads that the starting line still waits for
	pthread_barrier_t *barrier;
};

static void *run_thread(void *argument)
{
	struct seat *seat = argument;
	struct worker *worker = &seat->worker;

	pin_to(worker->index);
	if (seat->benchmark->prepare)
		seat->benchmark->prepare(worker);
	pthread_barrier_wait(seat->barrier);
	// Waking from the barrier takes long; the start proper is a spin that all leave within nanoseconds.
	atomic_fetch_sub(seat->waiting, 1);
	while (atomic_load_explicit(seat->waiting, memory_order_acquire))
		;
	worker->start_ns = now_ns();
	worker->operations = seat->benchmark->run(worker);
	worker->end_ns = now_ns();
	pthread_barrier_wait(seat->barrier);
	if (seat->benchmark->finish)
		seat->benchmark->finish(worker);
	return NULL;
}

static double thread_ns_per_operation(const struct seat *seats, unsigned threads)
{
	uint64_t start = UINT64_MAX, end = 0, operations = 0;

	for (unsigned i = 0; i < threads; i++) {
		const struct worker *worker = &seats[i].worker;

		start = worker->start_ns < start ? worker->start_ns : start;
		end = worker->end_ns > end ? worker->end_ns : end;
		operations += worker->operations;
	}
	return (double)(end - start) * threads / (double)operations;
}

double run_round(const struct benchmark *benchmark, const struct settings *settings, void *allocator, unsigned threads)
{
	struct seat seats[THREADS_MAX] = { 0 };
	pthread_t ids[THREADS_MAX];
	pthread_barrier_t barrier;
	atomic_uint waiting = threads;

	pthread_barrier_init(&barrier, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		seats[i] = (struct seat){
			.benchmark = benchmark,
			.worker = { .settings = settings, .allocator = allocator, .index = i, .count = threads, .random = i + 1 },
			.waiting = &waiting,
			.barrier = &barrier,
		};
		if (pthread_create(&ids[i], NULL, run_thread, &seats[i]))
			die("cannot start a thread");
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	pthread_barrier_destroy(&barrier);
	if (benchmark->allocator && benchmark->allocator->settle)
		benchmark->allocator->settle(allocator);
	return thread_ns_per_operation(seats, threads);
}

double run_benchmark(const struct benchmark *benchmark, const struct settings *settings, unsigned threads)
{
	const struct allocator *type = benchmark->allocator;
	void *allocator = type ? type->create(settings, settings->frames) : NULL;
	double *ns = calloc(settings->rounds, sizeof *ns), result;

	if (!ns)
		die("out of memory");
	run_round(benchmark, settings, allocator, threads);
	for (unsigned round = 0; round < settings->rounds; round++) {
		progress("%s, %u thread%s: round %u of %u", benchmark->name, threads, threads == 1 ? "" : "s",
			 round + 1, settings->rounds);
		ns[round] = run_round(benchmark, settings, allocator, threads);
	}
	progress_done();
	result = median(ns, settings->rounds);
	free(ns);
	if (type)
		type->destroy(allocator);
	return result;
}
