// SPDX-License-Identifier: Apache-2.0

#include "cli/columns.h"

#include <stdlib.h>
#include <string.h>

static bool out_of_memory(FILE *errors)
{
	fputs("error: out of memory\n", errors);
	return false;
}

// The command line's policies, or the variant's own, or those of the scenario.
static const struct policy_list *policies_of(struct columns *columns, const struct column_choice *choice,
					     const struct scenario *scenario, FILE *errors)
{
	struct policy_list *list = &columns->policies[columns->nr_scenarios - 1];
	bool own = scenario->chosen && *scenario->chosen->policy, fine = true;
	char error[256] = "";

	if (choice->policies->nr)
		return choice->policies;
	if (own)
		fine = policy_list_add(list, scenario->chosen->policy, error, sizeof(error));
	for (uint32_t i = 0; fine && !own && i < scenario->nr_policies; i++)
		fine = policy_list_add(list, scenario->policy[i], error, sizeof(error));
	if (!fine)
		fprintf(errors, "error: policies of %s: %s\n", scenario->name, error);
	return fine ? list : NULL;
}

// Rows of workloads are by number: those of all columns must be the same ones.
static bool same_workloads(const struct scenario *first, const struct scenario *scenario, FILE *errors)
{
	bool same = first->nr_workloads == scenario->nr_workloads;

	for (uint32_t i = 0; same && i < first->nr_workloads; i++)
		same = !strcmp(first->workload[i].common.name, scenario->workload[i].common.name)
		       && first->workload[i].common.first == scenario->workload[i].common.first;
	if (!same)
		fprintf(errors,
			"error: variant '%s' of %s has other workloads than the first column; a variant changes what "
			"workloads do, "
			"not which there are\n",
			scenario->chosen ? scenario->chosen->name : "-", scenario->name);
	return same;
}

// A column of each policy.
static bool add_scenario(struct columns *columns, const struct column_choice *choice, const char *variant, FILE *errors)
{
	struct scenario *scenario;
	const struct policy_list *policies;

	if (columns->nr_scenarios == SCENARIO_VARIANTS_MAX) {
		fprintf(errors, "error: more than %d variants\n", SCENARIO_VARIANTS_MAX);
		return false;
	}
	scenario = scenario_load_variant(choice->name, variant, choice->set, choice->nr_sets, errors);
	if (!scenario)
		return false; // the reasons are printed
	columns->scenario[columns->nr_scenarios++] = scenario;
	policies = policies_of(columns, choice, scenario, errors);
	if (!policies || !same_workloads(columns->scenario[0], scenario, errors))
		return false;
	for (unsigned i = 0; i < policies->nr; i++) {
		if (columns->nr == COMPARE_COLUMNS_MAX) {
			fprintf(errors, "error: %s: more than %d columns; choose some with --variant and --policy\n",
				choice->name, COMPARE_COLUMNS_MAX);
			return false;
		}
		columns->item[columns->nr++] =
			(struct column){.scenario = scenario,
					.variant = scenario->chosen ? scenario->chosen->name : NULL,
					.policy_name = policies->name[i],
					.policy = policies->policy[i]};
	}
	return true;
}

static bool one_policy(const struct columns *columns)
{
	for (unsigned i = 1; i < columns->nr; i++)
		if (strcmp(columns->item[i].policy_name, columns->item[0].policy_name) != 0)
			return false;
	return true;
}

static bool make_labels(struct columns *columns, FILE *errors)
{
	bool alone = one_policy(columns);

	for (unsigned i = 0; i < columns->nr; i++) {
		struct column *column = &columns->item[i];
		const char *variant = column->variant ? column->variant : "";
		const char *policy = *variant && alone ? "" : column->policy_name;
		size_t size = strlen(variant) + strlen(policy) + 2;

		column->label = malloc(size);
		if (!column->label)
			return out_of_memory(errors);
		snprintf(column->label, size, "%s%s%s", variant, *variant && *policy ? "," : "", policy);
	}
	return true;
}

static bool add_chosen(struct columns *columns, const struct column_choice *choice, FILE *errors)
{
	char *names = strdup(choice->variants), *rest = names;
	bool fine = names || out_of_memory(errors);

	while (fine && rest) {
		char *comma = strchr(rest, ',');

		if (comma)
			*comma = '\0';
		fine = add_scenario(columns, choice, rest, errors);
		rest = comma ? comma + 1 : NULL;
	}
	free(names);
	return fine;
}

static bool add_all(struct columns *columns, const struct column_choice *choice, FILE *errors)
{
	struct scenario *whole = scenario_load(choice->name, choice->set, choice->nr_sets, errors);
	bool fine = whole;

	if (whole && !whole->nr_variants)
		fine = add_scenario(columns, choice, NULL, errors);
	for (uint32_t i = 0; fine && i < whole->nr_variants; i++)
		fine = add_scenario(columns, choice, whole->variant[i].name, errors);
	scenario_free(whole);
	return fine;
}

bool columns_make(struct columns *columns, const struct column_choice *choice, FILE *errors)
{
	*columns = (struct columns){0};
	return (choice->variants ? add_chosen(columns, choice, errors) : add_all(columns, choice, errors))
	       && make_labels(columns, errors);
}

void columns_free(struct columns *columns)
{
	for (unsigned i = 0; i < columns->nr; i++)
		free(columns->item[i].label);
	for (unsigned i = 0; i < columns->nr_scenarios; i++) {
		scenario_free(columns->scenario[i]);
		policy_list_free(&columns->policies[i]);
	}
	*columns = (struct columns){0};
}
