// SPDX-License-Identifier: Apache-2.0
//
// pageyard show: a scenario in words.

#include <stdio.h>

#include "cli/cli.h"
#include "sim/scenario.h"

enum { OPT_SET, SETS_MAX = 256 };

static const struct cli_option options[] = {
	[OPT_SET] = {"set", 0, "KEY=VALUE", "change the scenario first, as for pageyard run; repeatable"},
	{0},
};

static const struct cli_command command = {
	.name = "show",
	.arguments = "SCENARIO",
	.help = "Explains a scenario: its machine, what runs on it and for how long, and what it is about.\n"
		"SCENARIO is a name (see: pageyard list) or a file.",
	.options = options,
	.arguments_min = 1,
	.arguments_max = 1,
};

int cmd_show(int argc, char **argv)
{
	const char *set[SETS_MAX], *value;
	struct scenario *scenario;
	size_t nr_sets = 0;
	int option;

	while ((option = cli_next_option(&command, argc, argv, &value)) >= 0) {
		if (nr_sets == SETS_MAX)
			return cli_usage_error(&command, "more than %d times --set", SETS_MAX);
		set[nr_sets++] = value;
	}
	if (option != CLI_END)
		return cli_exit_code(option);
	scenario = scenario_load(argv[cli_first_argument()], set, nr_sets, stderr);
	if (!scenario)
		return EXIT_FAILED; // the reasons are printed
	scenario_describe(scenario, stdout);
	scenario_free(scenario);
	return cli_finish(&command, EXIT_FINE);
}
