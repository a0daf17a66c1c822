// SPDX-License-Identifier: Apache-2.0
//
// pageyard policies: the named versions and the switches, from the engine's own tables.

#include <stdio.h>

#include "cli/cli.h"
#include "pageyard/policy.h"

enum { OPT_SWITCHES, OPT_JSON };

static const struct cli_option options[] = {
	[OPT_SWITCHES] = {"switches", 's', NULL, "list the switches, their values and their rules in docs/spec"},
	[OPT_JSON] = {"json", 'j', NULL, "write one JSON object: versions with all their values, and the switches"},
	{0},
};

static const struct cli_command command = {
	.name = "policies",
	.help = "Lists the policy versions. A policy is written NAME[,SWITCH=VALUE]..., for example\n"
		"linux-7.3,defrag_mode=1 or vanilla,promote_nonmovable=off. NAME@7.3core takes the features of\n"
		"NAME and everything else from Linux 7.3, so that two features compare without their kernels.",
	.options = options,
};

static const char *value_name(const struct yard_policy_switch *sw, const struct yard_policy *policy)
{
	return sw->values[((const unsigned char *)policy)[sw->offset]];
}

static void print_versions(void)
{
	size_t count;
	const struct yard_policy_version *versions = yard_policy_versions(&count);

	for (size_t i = 0; i < count; i++)
		printf("%-31s  %s\n", versions[i].name, versions[i].text);
}

static void print_switches(void)
{
	size_t count;
	const struct yard_policy_switch *switches = yard_policy_switches(&count);

	for (size_t i = 0; i < count; i++) {
		char values[64];
		int n = 0;

		values[0] = '\0';
		for (size_t j = 0; switches[i].values[j]; j++)
			n += snprintf(values + n, sizeof values - (size_t)n, "%s%s", j ? "|" : "",
				      switches[i].values[j]);
		printf("%-22s  %-31s  %-16s  %s\n", switches[i].name, values, switches[i].rule, switches[i].text);
	}
}

static void print_json_versions(void)
{
	size_t count, switches_count;
	const struct yard_policy_version *versions = yard_policy_versions(&count);
	const struct yard_policy_switch *switches = yard_policy_switches(&switches_count);

	printf("\"versions\": [");
	for (size_t i = 0; i < count; i++) {
		printf("%s\n  {\"name\": ", i ? "," : "");
		cli_json_string(versions[i].name);
		printf(", \"text\": ");
		cli_json_string(versions[i].text);
		printf(", \"values\": {");
		for (size_t j = 0; j < switches_count; j++) {
			printf("%s", j ? ", " : "");
			cli_json_string(switches[j].name);
			printf(": ");
			cli_json_string(value_name(&switches[j], &versions[i].policy));
		}
		printf("}}");
	}
	printf("\n]");
}

static void print_json_switches(void)
{
	size_t count;
	const struct yard_policy_switch *switches = yard_policy_switches(&count);

	printf("\"switches\": [");
	for (size_t i = 0; i < count; i++) {
		printf("%s\n  {\"name\": ", i ? "," : "");
		cli_json_string(switches[i].name);
		printf(", \"values\": [");
		for (size_t j = 0; switches[i].values[j]; j++) {
			printf("%s", j ? ", " : "");
			cli_json_string(switches[i].values[j]);
		}
		printf("], \"rule\": ");
		cli_json_string(switches[i].rule);
		printf(", \"text\": ");
		cli_json_string(switches[i].text);
		putchar('}');
	}
	printf("\n]");
}

int cmd_policies(int argc, char **argv)
{
	bool json = false, only_switches = false;
	const char *value;
	int option;

	while ((option = cli_next_option(&command, argc, argv, &value)) >= 0) {
		json |= option == OPT_JSON;
		only_switches |= option == OPT_SWITCHES;
	}
	if (option != CLI_END)
		return cli_exit_code(option);

	if (json) {
		putchar('{');
		if (!only_switches) {
			print_json_versions();
			printf(",\n");
		}
		print_json_switches();
		printf("}\n");
	} else if (only_switches) {
		print_switches();
	} else {
		print_versions();
	}
	return cli_finish(&command, EXIT_FINE);
}
