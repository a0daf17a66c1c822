// SPDX-License-Identifier: Apache-2.0
//
// pageyard-bench: what its files share. docs: bench/README.md.
//
//   main ─┬─ run ──┬─ pageyard, baselines ── workloads.h   allocators, and what is done to them
//         │        ├─ scale                               very large yards
//         │        └─ compaction                          what it costs to make a block
//         ├─ tool                                         pageyard verify and replay, as processes
//         ├─ simulator                                    pageyard run, as a process
//         └─ report                                       the table, the JSON

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

enum { THREADS_MAX = 64, BENCHMARKS_MAX = 32, FRAME_SIZE = 4096 };

struct settings {
	bool json, quick, huge_pages;
	const char *filter;	 // what a benchmark's name begins with; NULL: all
	const char *record;	 // folder of a recording; NULL: that of the source tree
	unsigned rounds;	 // counted ones; one more comes first, to warm up
	unsigned threads;	 // 0: one and two
	uint32_t frames;	 // of the memory that the workloads share
	uint64_t operations;	 // of one round and thread, where the workload does not say
};

// ---- pageyard.c, baselines.c: allocators, and with workloads.h what is done to them ----

struct allocator {
	void *(*create)(const struct settings *settings, uint32_t frames);
	void (*destroy)(void *self);
	void (*settle)(void *self); // between rounds, with no thread at work: what was freed merges; NULL: it has already
};

// One thread of a round.
struct worker {
	const struct settings *settings;
	void *allocator;
	unsigned index, count; // this thread, of how many
	uint64_t random;       // state of its generator
	uint32_t *pfns;	       // blocks that it holds
	uint8_t *orders;
	size_t nr;
	uint64_t operations, start_ns, end_ns; // of the timed part
};

struct benchmark {
	const char *name;			// NULL ends a table
	const char *text;			// what one operation is
	const struct allocator *allocator;	// NULL: it needs none
	void (*prepare)(struct worker *worker); // not timed; NULL: nothing to do
	uint64_t (*run)(struct worker *worker); // timed; returns how many operations it was
	void (*finish)(struct worker *worker);	// not timed; NULL: nothing to do
};

extern const struct benchmark pageyard_benchmarks[], baseline_benchmarks[];
extern const struct allocator pageyard_allocator;
size_t pageyard_bytes(void *yard);

// ---- run.c: rounds, threads, time ----

uint64_t now_ns(void);
double median(double *values, size_t nr); // sorts them
unsigned cpus_allowed(void);
// Nanoseconds that one thread spends on one operation.
double run_round(const struct benchmark *benchmark, const struct settings *settings, void *allocator, unsigned threads);
// Median over the rounds on a fresh allocator.
double run_benchmark(const struct benchmark *benchmark, const struct settings *settings, unsigned threads);
void progress(const char *format, ...) __attribute__((format(printf, 1, 2))); // on a terminal only
void progress_done(void);
noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

// ---- scale.c: very large yards ----

struct scale {
	double metadata_bytes_per_frame;
	double ratio;	      // cost at 64 GiB / cost at 1 GiB, median of the rounds' ratios; 0: not measured
	double burst_ns[2];   // at 1 GiB, at 64 GiB
	double create_seconds; // 1 TiB; 0: not measured
	uint64_t create_rss_bytes;
	const char *create_skipped; // why not
};

uint64_t available_bytes(void); // of the host's memory
void measure_scale(const struct settings *settings, struct scale *scale);

// ---- compaction.c ----

struct compaction { // 0: not measured
	uint64_t blocks; // delivered in one round
	double scanned_per_block, moved_per_block;
	double searched_per_block; // of those scanned: entries of free lists that the fast searches looked at
	double ns_per_scanned, ns_per_moved; // without copies
	double ns_per_copied, ns_cold_copy;  // a page moved and copied, a page copied
	double copy_ratio;		     // of the two, median of the rounds' ratios
	double searched_copy_ratio;	     // the same with the fast searches in it
	double zone_copy_ratio;		     // of a whole zone's compaction, with all that it scans
};

void measure_compaction(const struct settings *settings, struct compaction *figures);

// ---- tool.c: the tool's own speed ----

struct tool_rate {
	double events_per_second; // 0: not measured
	char skipped[160];	  // why not
};

void measure_tool(const struct settings *settings, const char *command, struct tool_rate *rate);

struct tool_run { // one process
	uint64_t count;	     // the number after the first `key` in what it printed; 0: there is none
	double seconds;	     // from start to end
	double cpu_seconds;
	uint64_t rss_bytes; // the most that it had
};

bool find_tool(char *path, size_t size); // the tool that lies beside this executable
void run_tool(char *const *arguments, const char *key, struct tool_run *run);

// ---- simulator.c ----

struct simulator_speed {
	double ns[2];	       // host time of one simulated page operation, of 8 GiB and of 1 TiB; 0: not measured
	double ratio;	       // of the two, median of the rounds' ratios; 0: not measured
	uint64_t rss_bytes[2]; // host memory
	char skipped[160];     // why not
};

void measure_simulator(const struct settings *settings, struct simulator_speed *speed);

// ---- report.c ----

struct result {
	const struct benchmark *benchmark;
	unsigned threads;
	double ns; // of one thread for one operation; 0: not measured
};

struct report {
	struct result results[2 * BENCHMARKS_MAX];
	size_t nr_results;
	struct scale scale;
	struct compaction compaction;
	struct tool_rate verify, replay;
	struct simulator_speed simulator;
};

bool selected(const struct settings *settings, const char *name);
void print_heading(const struct settings *settings);
void print_result(const struct result *result);
void print_rest(const struct settings *settings, const struct report *report);
void print_json(const struct settings *settings, const struct report *report);

// ---- a generator that is the same everywhere (splitmix64) ----

static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint32_t random_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((next_random(state) >> 32) * limit >> 32);
}
