// SPDX-License-Identifier: Apache-2.0
//
// What `pageyard run` prints: policies side by side, with the row names of mmtests and of the published defrag_mode
// tables. A cell is the mean over all iterations of all runs of a policy.

#pragma once

#include "report/compare.h"
#include "sim/runner.h"

struct run_set { // the runs of one policy, one a seed
	const char *policy;
	struct run **run;
	unsigned nr_runs;
};

// Fills an empty table; compare->column[] stays the caller's. Rows that are 0 everywhere and that nobody misses are left out.
void run_table(struct compare *compare, const struct scenario *scenario, const struct run_set *set, unsigned nr_sets);

// For several runs: mean, standard deviation, and whether the difference from the first policy is more than chance (Welch's
// t-test, 5 %). Runs are the samples; iterations of one machine depend on each other.
void run_print_significance(FILE *file, const struct scenario *scenario, const struct run_set *set, unsigned nr_sets);

// For scenarios with iterations: THP faults served in each, and the last three against the first three.
void run_print_trend(FILE *file, const struct run_set *set, unsigned nr_sets);

// What each guard of the scenario did, and the first victims.
void run_print_guards(FILE *file, const struct scenario *scenario, const struct run_set *set, unsigned nr_sets);
