// SPDX-License-Identifier: Apache-2.0
//
// The columns of `pageyard run`: a scenario, or each of its variants, under each policy.

#pragma once

#include <pageyard/policy.h>

#include "report/compare.h"
#include "sim/scenario.h"

// A list of policies as a command line or a file names them.
enum { POLICY_LIST_MAX = 32 };

struct policy_list {
	char *text[POLICY_LIST_MAX]; // owns what the names are pieces of
	char *name[POLICY_LIST_MAX];
	struct yard_policy policy[POLICY_LIST_MAX];
	unsigned nr_texts, nr;
};

// Adds the policies of "vanilla,linux-7.3,defrag_mode=1". False: one is wrong or too many; the reason is in error[].
bool policy_list_add(struct policy_list *list, const char *text, char *error, size_t size);
void policy_list_free(struct policy_list *list);

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
