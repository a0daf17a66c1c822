// SPDX-License-Identifier: Apache-2.0
//
// pageyard list: what there is to run: scenarios, machines, policies, task kinds with their parameters.

#include <stdio.h>
#include <string.h>

#include <pageyard/policy.h>

#include "cli/cli.h"
#include "sim/data_files.h"
#include "sim/machine_file.h"
#include "sim/scenario.h"

static const struct cli_option options[] = {{0}};

static const struct cli_command command = {
	.name = "list",
	.arguments = "[scenarios|machines|policies|kinds|guards|costs|KIND|scenario|machine]",
	.help = "Lists scenarios, machines, policies, task kinds and guards; with an argument one of them. The name of a\n"
		"task kind or guard lists its parameters; `scenario` and `machine` list the keys of such a file.",
	.options = options,
	.arguments_min = 0,
	.arguments_max = 1,
};

// ---- parts ----

static void list_variants(const struct scenario *scenario)
{
	for (uint32_t i = 0; i < scenario->nr_variants; i++)
		printf("%s%s", i ? ", " : "    variants: ", scenario->variant[i].name);
	if (scenario->nr_variants)
		putchar('\n');
}

// NULL: no memory.
static char **names_in(const char *folder)
{
	char **names = data_names(folder, NULL);

	if (names && !*names)
		printf("  none: looked for %s/*.yaml %s\n", folder, data_places());
	return names;
}

static bool list_scenarios(void)
{
	char **names = names_in("scenarios");

	for (char **name = names; name && *name; name++) {
		struct scenario *scenario = scenario_load(*name, NULL, 0, stderr);

		if (scenario) {
			printf("  %-24s %s\n", *name, scenario->text);
			list_variants(scenario);
		}
		scenario_free(scenario);
	}
	data_names_free(names);
	return names != NULL;
}

static bool list_machines(void)
{
	char **names = names_in("machines");

	for (char **name = names; name && *name; name++) {
		struct machine machine;

		if (!machine_load(*name, &machine, stderr))
			continue;
		printf("  %-24s %s\n", *name, machine.text);
		machine_release(&machine);
	}
	data_names_free(names);
	return names != NULL;
}

static bool list_policies(void)
{
	size_t nr;
	const struct yard_policy_version *version = yard_policy_versions(&nr);

	for (size_t i = 0; i < nr; i++)
		printf("  %-32s %s\n", version[i].name, version[i].text);
	puts("  any switch can be changed: linux-7.3,defrag_mode=1 (see: pageyard policies --switches)");
	return true;
}

static bool list_kinds_of(const struct config_kind *const *kind)
{
	for (; *kind; kind++)
		printf("  %-24s %s\n", (*kind)->name, (*kind)->help);
	return true;
}

static bool list_kinds(void)
{
	return list_kinds_of(workload_kinds);
}

static bool list_guards(void)
{
	return list_kinds_of(guard_kinds);
}

static bool list_costs(void)
{
	for (unsigned i = 0; i < COSTS; i++)
		printf("  %-16s %7u ns (%u to %u)%s  %c  %-8s %s\n", cost_items[i].name, cost_items[i].ns, cost_items[i].low,
		       cost_items[i].high, cost_items[i].dominates ? "*" : " ", cost_items[i].grade, cost_items[i].rule,
		       cost_items[i].text);
	puts("  * dominates its path. a: measured and public, b: computed from a public measurement, c: estimate (spec 05 section 6)");
	return true;
}

static bool list_scenario_keys(void)
{
	config_print_fields(stdout, &scenario_schema, 2);
	return true;
}

static bool list_machine_keys(void)
{
	config_print_fields(stdout, &machine_schema, 2);
	return true;
}

static const struct part {
	const char *name, *heading;
	bool (*list)(void); // false: no memory
	bool always;	    // without an argument too
} parts[] = {
	{"scenarios", "Scenarios (pageyard show NAME, pageyard run NAME)", list_scenarios, true},
	{"machines", "Machines", list_machines, true},
	{"policies", "Policies", list_policies, true},
	{"kinds", "Task kinds (pageyard list KIND: its parameters)", list_kinds, true},
	{"guards", "Guards (pageyard list GUARD: its parameters)", list_guards, true},
	{"costs", "Costs", list_costs, false},
	{"scenario", "Keys of a scenario", list_scenario_keys, false},
	{"machine", "Keys of a machine", list_machine_keys, false},
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]), KINDS_MAX = 64 };

// ---- the command ----

static const struct config_kind *find_kind(const char *name)
{
	for (const struct config_kind *const *kind = workload_kinds; *kind; kind++)
		if (!strcmp((*kind)->name, name))
			return *kind;
	for (const struct config_kind *const *kind = guard_kinds; *kind; kind++)
		if (!strcmp((*kind)->name, name))
			return *kind;
	return NULL;
}

static int unknown_list(const char *name)
{
	const char *names[PARTS + KINDS_MAX + 1], *nearest;
	size_t nr = 0;

	for (size_t i = 0; i < PARTS; i++)
		names[nr++] = parts[i].name;
	for (const struct config_kind *const *kind = guard_kinds; *kind; kind++)
		names[nr++] = (*kind)->name;
	for (const struct config_kind *const *kind = workload_kinds; *kind && nr < PARTS + KINDS_MAX; kind++)
		names[nr++] = (*kind)->name;
	names[nr] = NULL;
	nearest = config_nearest(name, names);
	return cli_usage_error(&command, "unknown list '%s'%s%s%s", name, nearest ? "; did you mean '" : "",
			       nearest ? nearest : "", nearest ? "'?" : "");
}

static int list_parameters(const char *name)
{
	const struct config_kind *kind = find_kind(name);

	if (!kind)
		return unknown_list(name);
	printf("%s: %s\n", name, kind->help);
	config_print_fields(stdout, kind->schema, 2);
	return cli_finish(&command, EXIT_FINE);
}

int cmd_list(int argc, char **argv)
{
	const char *value, *wanted;
	bool found = false;
	int option;

	while ((option = cli_next_option(&command, argc, argv, &value)) >= 0)
		;
	if (option != CLI_END)
		return cli_exit_code(option);
	wanted = cli_first_argument() < argc ? argv[cli_first_argument()] : NULL;
	for (size_t i = 0; i < PARTS; i++) {
		if (wanted ? strcmp(wanted, parts[i].name) != 0 : !parts[i].always)
			continue;
		printf("%s%s\n", found ? "\n" : "", parts[i].heading);
		if (!parts[i].list())
			return cli_error(&command, "out of memory");
		found = true;
	}
	return found ? cli_finish(&command, EXIT_FINE) : list_parameters(wanted);
}
