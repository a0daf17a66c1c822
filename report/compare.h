// SPDX-License-Identifier: Apache-2.0
//
// Tables of figures side by side, as mmtests' comparisons show them: the first column is the baseline, each cell is a
// value and by how much it is better (+) or worse (-) than the baseline's.

#pragma once

#include <stdbool.h>
#include <stdio.h>

enum compare_better {
	COMPARE_NEITHER, // a figure that is neither good nor bad: no percentage
	COMPARE_LOWER,
	COMPARE_HIGHER,
};

enum { COMPARE_COLUMNS_MAX = 40 };

struct compare_row {
	const char *group; // "Extfrag"
	char name[32];	   // "claim"
	enum compare_better better;
	unsigned decimals;
	double value[COMPARE_COLUMNS_MAX]; // NAN: not known
};

struct compare {
	unsigned nr_columns;
	const char *column[COMPARE_COLUMNS_MAX]; // name; a new line of the heading begins after each comma
	size_t nr_rows, rows_max;
	struct compare_row *row;
	bool failed; // no memory for a row: the table must not be shown
};

// Adds a row, all values unknown. The strings must outlive the table, `name` excepted. Never NULL; without memory
// compare->failed is set. The row may move with the next call.
struct compare_row *compare_add(struct compare *compare, const char *group, const char *name,
				enum compare_better better, unsigned decimals);

// How much better `value` is than `baseline`, in percent. NAN: one is unknown, or `baseline` is 0 and `value` is not.
double compare_percent(enum compare_better better, double baseline, double value);

void compare_print(const struct compare *compare, FILE *file);
void compare_free(struct compare *compare);
