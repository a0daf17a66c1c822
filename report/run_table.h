// SPDX-License-Identifier: Apache-2.0
//
// What `pageyard run` prints: policies side by side, and what stands below the table.

#pragma once

#include "report/run_measure.h"

// A row for each measure, the mean over the runs of each column; compare->column[] stays the caller's.
void run_table(struct compare *compare, const struct measures *measures, const struct run_set *set, unsigned nr_sets);

// For several runs: mean and standard deviation of what differs from the first column by more than chance (Welch's t-test,
// 5 %). Runs are the samples; iterations of one machine depend on each other.
void run_print_significance(FILE *file, const struct measures *measures, const struct run_set *set, unsigned nr_sets);

// For scenarios with iterations: THP faults served in each, mean of the runs, and the last three against the first three.
// Nothing if there were none.
void run_print_trend(FILE *file, const struct run_set *set, unsigned nr_sets);

// What each guard of the scenarios did, and the first victims.
void run_print_guards(FILE *file, const struct run_set *set, unsigned nr_sets);
