// SPDX-License-Identifier: Apache-2.0
//
// pageyard machine: machine files for real machines.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/machine.h"

enum { OPT_NAME, NAME_MAX_LENGTH = 64 };

static const struct cli_option options[] = {
	[OPT_NAME] = {"name", 'n', "NAME", "of the machine; without it that of FILE, or `host`"},
	{0},
};

static const struct cli_command command = {
	.name = "machine",
	.arguments = "import [FILE]",
	.help = "Writes a machine file for a real machine: its nodes with memory and CPUs, their distances, and latencies\n"
		"and bandwidths where firmware tells them. FILE is what `lstopo --of xml FILE` writes there; without it,\n"
		"this host.\n"
		"  pageyard machine import >machines/host.yaml; pageyard run mixed --set machine=host",
	.options = options,
	.arguments_min = 1,
	.arguments_max = 2,
};

// Of a file's name, what a name may have in it.
static void name_of(const char *path, char name[NAME_MAX_LENGTH])
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t length = 0;

	for (; *base && *base != '.' && length + 1 < NAME_MAX_LENGTH; base++) {
		bool fine = (*base >= 'a' && *base <= 'z') || (*base >= 'A' && *base <= 'Z')
			    || (*base >= '0' && *base <= '9');

		name[length++] = fine ? *base : '-';
	}
	name[length] = '\0';
	if (!length)
		strcpy(name, "host");
}

static int import(const char *path, const char *name)
{
	struct host_topology *host = calloc(1, sizeof(*host));
	char error[512], own_name[NAME_MAX_LENGTH] = "host";

	if (!host)
		return cli_error(&command, "out of memory");
	if (!host_topology_read(host, path, error, sizeof(error))) {
		free(host);
		return cli_error(&command, "%s", error);
	}
	if (path)
		name_of(path, own_name);
	host_topology_write(stdout, host, name ? name : own_name, path ? "an lstopo file" : "a host, through hwloc");
	free(host);
	return cli_finish(&command, EXIT_FINE);
}

int cmd_machine(int argc, char **argv)
{
	const char *value, *name = NULL, *action;
	int option, first;

	while ((option = cli_next_option(&command, argc, argv, &value)) >= 0)
		name = value;
	if (option != CLI_END)
		return cli_exit_code(option);
	first = cli_first_argument();
	action = argv[first];
	if (strcmp(action, "import") != 0)
		return cli_usage_error(&command, "unknown action '%s'; expected import", action);
	if (name && (!*name || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")]))
		return cli_usage_error(&command, "--name: '%s' is not a name of letters, digits, '-' and '_'", name);
	return import(first + 1 < argc ? argv[first + 1] : NULL, name);
}
