// SPDX-License-Identifier: Apache-2.0
//
// What `pageyard run` shows of a run, one figure a row: counters with the row names of mmtests and of the published
// defrag_mode tables, what the workloads count, failures and latencies by class of request.

#pragma once

#include "report/compare.h"
#include "sim/runner.h"

struct run_set { // the runs of one column, one a seed
	const char *label; // of the column: the policy, or the variant, or both
	struct run **run;
	unsigned nr_runs;
	const struct scenario *scenario; // with the variant's changes; workloads are the same in all columns
	const char *policy, *variant;	 // `variant` NULL: the scenario has none
	uint64_t seed;			 // of the first run
};

struct counter_row;

struct measure {
	const char *group;
	char name[32];
	enum compare_better better;
	unsigned decimals;
	bool always; // shown even if it is 0 everywhere
	// Of one run: the mean over its iterations, of latencies the value of all of them together. NAN: the run does
	// not tell.
	double (*value)(const struct measure *measure, const struct run *run);
	// What value() looks at: of an iteration ...
	double (*of)(const struct measure *measure, const struct iteration *iteration); // NAN: it does not tell
	const struct histogram *(*latency)(const struct iteration *iteration, unsigned index);
	// ... and what those look at.
	const struct counter_row *row;
	unsigned index;	    // of a workload, a class of requests, a node
	unsigned point;	    // of a latency; a node of a workload; a figure of a node
	const char *figure; // of a workload
};

// Adds a row, the mean of what its `of` says, which the caller sets. Never NULL; without memory measures->failed is
// set. It may move with the next call.
struct measures;
struct measure *measures_add(struct measures *measures, const char *group, const char *name, enum compare_better better,
			     unsigned decimals);

struct measures {
	struct measure *item;
	size_t nr, max;
	bool failed;	     // no memory for one
	const char *missing; // one of the scenario's rows that there is none of; NULL: they are all there
};

// Fills an empty list with what some run tells and what is shown always; `brief`: with the scenario's rows, in its order,
// all without them. The scenario must outlive it. False: no memory.
bool measures_collect(struct measures *measures, const struct scenario *scenario, const struct run_set *set,
		      unsigned nr_sets, bool brief);
void measures_free(struct measures *measures);

// Mean of the runs that tell; NAN: none does.
double measure_mean(const struct measure *measure, const struct run_set *set);

// run_nodes.c: rows about where memory lies, on machines with more than one node, and what accesses cost.
void measures_add_access(struct measures *measures, const struct run_set *set, unsigned nr_sets, unsigned workload);
void measures_add_nodes(struct measures *measures, const struct run_set *set, unsigned nr_sets);
// ... and the CPU time of each node's kswapd and kcompactd, on any machine.
void measures_add_workers(struct measures *measures, const struct run_set *set, unsigned nr_sets);

// run_rows.c: the rows that are counters.
struct counter_row {
	const char *group, *name;
	enum compare_better better;
	unsigned decimals;
	bool always;
	int plus[5], minus; // numbers of counters + 1; 0: none
	double (*value)(const struct iteration *iteration); // instead of them; NAN: it does not tell
};
extern const struct counter_row counter_rows[]; // ends with a row without a group
double counter_row_value(const struct counter_row *row, const struct iteration *iteration);
