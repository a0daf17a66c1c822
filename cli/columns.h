// SPDX-License-Identifier: Apache-2.0
//
// The columns of `pageyard run`: a scenario, or each of its variants, under each policy.

#pragma once

#include "cli/policy_list.h"
#include "report/compare.h"
#include "sim/scenario.h"

struct column {
	struct scenario *scenario; // with the variant's changes
	const char *variant;	   // NULL: the scenario has none
	const char *policy_name;   // "linux-7.3,defrag_mode=1"
	struct yard_policy policy;
	char *label; // of the table: the variant, the policy, or both
};

struct columns {
	struct column item[COMPARE_COLUMNS_MAX];
	unsigned nr;
	struct scenario *scenario[SCENARIO_VARIANTS_MAX]; // owned, as the policies
	struct policy_list policies[SCENARIO_VARIANTS_MAX];
	unsigned nr_scenarios;
};

// What chooses columns: all strings and `policies` must outlive them.
struct column_choice {
	const char *name;	// of the scenario
	const char *variants;	// "A,B"; NULL: all
	const char *const *set; // as of scenario_load()
	size_t nr_sets;
	const struct policy_list *policies; // of the command line; empty: the variant's own, or the scenario's
};

// Makes the columns. False: the reasons are written to `errors`. In any case columns_free() is to be called.
bool columns_make(struct columns *columns, const struct column_choice *choice, FILE *errors);
void columns_free(struct columns *columns);
