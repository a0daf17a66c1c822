// SPDX-License-Identifier: Apache-2.0
//
// What `pageyard run` shows of a run, one figure a row: counters with the row names of mmtests and of the published
// defrag_mode tables, what the workloads count, failures and latencies by class of request.

#pragma once

#include "report/compare.h"
#include "sim/runner.h"

struct run_set { // the runs of one policy, one a seed
	const char *policy;
	struct run **run;
	unsigned nr_runs;
};

struct counter_row;

struct measure {
	const char *group;
	char name[32];
	enum compare_better better;
	unsigned decimals;
	bool always; // shown even if it is 0 everywhere
	// Of one run: counters and figures are means over its iterations, latencies of all of them together. NAN: the
	// run does not tell.
	double (*value)(const struct measure *measure, const struct run *run);
	// What value() looks at.
	const struct counter_row *row;
	unsigned index;	    // of a workload, a class of requests
	unsigned point;	    // of a latency
	const char *figure; // of a workload
};

struct measures {
	struct measure *item;
	size_t nr, max;
	bool failed; // no memory for one
};

// Fills an empty list with what some run tells and what is shown always. The scenario must outlive it. False: no memory.
bool measures_collect(struct measures *measures, const struct scenario *scenario, const struct run_set *set,
		      unsigned nr_sets);
void measures_free(struct measures *measures);

// Mean of the runs that tell; NAN: none does.
double measure_mean(const struct measure *measure, const struct run_set *set);

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
