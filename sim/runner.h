// SPDX-License-Identifier: Apache-2.0
//
// Runs a scenario under one policy with one seed: boots the machine, waits for the preparations, runs the workloads as
// often as the scenario says, and keeps what each iteration measured.

#pragma once

#include "sim/guard.h"
#include "sim/results.h"
#include "sim/scenario.h"

struct runner_options {
	const struct yard_policy *policy;
	bool policy_says_lru_gen; // struct simulation_config
	uint64_t seed;
	bool check;	       // yard_verify() after each call that entered the slow path, and at the end
	// Frames that these checks may look at in the preparations, and once more after them, and requests to the allocator
	// after them, ten times as many if there were hardly any checks; more are not made then, and the run is over. 0: no
	// limit.
	uint64_t check_frames, check_requests;
	uint64_t duration_ns;  // instead of the scenario's; 0: the scenario's
	uint64_t iterations;   // 0: the scenario's
	// Sees every event of the engine; sim_now() is its time, task_current() its task. May be NULL.
	void (*event)(void *context, struct simulation *sim, const struct yard_event *event);
	// A thousand times an iteration, while nothing runs, with the share of the run that is done. May be NULL.
	void (*progress)(void *context, struct simulation *sim, unsigned thousandths);
	void *context;
};

struct workload_results { // of one iteration
	struct workload_figure figure[WORKLOAD_FIGURES_MAX];
	unsigned nr_figures;
	struct histogram latency;
	struct access_account access;
	uint64_t resident[YARD_NODES_MAX]; // pages, by node
	const char *latency_name; // what it measures; NULL: nothing was measured
};

struct iteration {
	struct results results;
	struct workload_results *workload; // scenario->nr_workloads of them
};

struct run {
	struct iteration *iteration;
	uint64_t nr_iterations, nr_iterations_max; // those that ended; room
	struct guard_state *guard; // scenario->nr_guards: what each guard did
	uint64_t end_ns;  // virtual time when it was over
	uint64_t checks;  // that were made
	char error[512];  // "" or why it could not go on; the iterations before count
};

// NULL: no memory. The scenario's workloads are used meanwhile: one run of a scenario at a time.
struct run *runner_run(struct scenario *scenario, const struct runner_options *options);
void run_free(struct run *run); // NULL is allowed
