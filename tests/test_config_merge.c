// SPDX-License-Identifier: Apache-2.0
//
// Documents from several sources: --set, overlays, included files.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_files.h"

// ---- --set ----

static void set_changes_a_value(void **state)
{
	static const char text[] = "machine: {memory: 1GiB}\nworkload:\n"
				   "- {kind: thp-burst, name: hugeburst, size: 2MiB}\n- {kind: kernel-build}\n";
	static const struct {
		const char *set, *line;
	} cases[] = {
		{"workload.hugeburst.size=1GiB", "workload.0.size = 1GiB\n"},
		{"workload.thp-burst.size=1GiB", "workload.0.size = 1GiB\n"},
		{"workload.0.size=1GiB", "workload.0.size = 1GiB\n"},
		{"workload.1.comment=a: b, c=d [e] # f", "workload.1.comment = a: b, c=d [e] # f\n"},
		{"workload.1.comment=", "workload.1.comment = \n"},
		{"workload.1.comment=\"a\\nb\"", "workload.1.comment = \"a\\nb\"\n"},
		{"workload.hugeburst.flags=[huge, lock]", "workload.0.flags = [huge, lock]\n"},
		{"workload.0.flags=[huge, write]", "workload.0.flags = [both]\n"},
		{"machine.swap.size=1GiB", "machine.swap.size = 1GiB\n"},
		{"machine.swap={size: 2GiB}", "machine.swap.size = 2GiB\n"},
		{"machine.distance=[[10, 20], [20, 10]]", "machine.distance = [[10, 20], [20, 10]]\n"},
		{"workload=[]", "workload = []\n"},
		{"title=x", "title = x\n"},
		{"workload.1={kind: thp-burst, size: 5%}", "workload.1.size = 5%\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const sets[] = {cases[i].set, NULL};
		char *result = outcome(text, sets);

		if (!strstr(result, cases[i].line))
			fail_msg("%s: %s", cases[i].set, result);
		free(result);
	}
}

static void sets_apply_in_order(void **state)
{
	static const char *const sets[] = {"machine.swap={size: 2GiB}", "machine.swap.size=3GiB", "title=a", "title=b",
					   NULL};
	char *result = outcome(MINIMAL, sets);

	(void)state;
	assert_non_null(strstr(result, "machine.swap.size = 3GiB\n"));
	assert_non_null(strstr(result, "title = b\n"));
	free(result);
}

static void what_set_refuses(void **state)
{
	static const char tasks[] = "machine: {memory: 1GiB}\nworkload:\n- {kind: kernel-build, name: first}\n"
				    "- {kind: kernel-build}\n- {kind: thp-burst, size: 1GiB}\n";
	static const struct {
		const char *set, *report;
	} cases[] = {
		{"workload.frist.jobs=1",
		 "--set workload.frist.jobs=1: error: the list has no element 'frist'; did you mean 'first'?\n"},
		{"workload.3.jobs=1", "--set workload.3.jobs=1: error: the list has no element '3'; choose by name, by "
				      "kind, or by 0 to 2 (one of: first, kernel-build, thp-burst)\n"},
		{"workload.kernel-build.jobs=1",
		 "--set workload.kernel-build.jobs=1: error: 2 elements of the list are of "
		 "kind 'kernel-build'; choose by name, or by 0 to 2\n"},
		{"workload.first.jobz=1", "--set workload.first.jobz=1: error: unknown key 'jobz' of task kind "
					  "'kernel-build'; did you mean 'jobs'?\n"},
		{"workload.first.jobs=many",
		 "--set workload.first.jobs=many: error: 'jobs': 'many' is not a whole number such as 8\n"},
		{"workload.first.jobs=",
		 "--set workload.first.jobs=: error: 'jobs': there is no value; expected a whole "
		 "number such as 8\n"},
		{"machin.memory=1GiB",
		 "--set machin.memory=1GiB: error: unknown key 'machin' of scenario; did you mean 'machine'?\n"},
		{"machine.memory.size=1GiB",
		 "--set machine.memory.size=1GiB: error: there is no 'size' in the single value '1GiB'\n"},
		{"machine.memory",
		 "--set machine.memory: error: expected KEY.KEY...=VALUE, such as machine.memory=64GiB\n"},
		{"=5", "--set =5: error: the path has an empty key\n"},
		{"machine..memory=5", "--set machine..memory=5: error: the path has an empty key\n"},
		{"workload=[", "--set workload=[: error: this is not YAML: flow sequence without a closing bracket\n"},
		{"title=\x01", "--set title=?:1:1: error: control character 0x01\n"},
		{"machine.swap=[1]",
		 "--set machine.swap=[1]: error: 'swap': expected a mapping (lines 'key: value') or "
		 "none, not a list\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_set_outcome(tasks, cases[i].set, cases[i].report);
	assert_set_outcome(MINIMAL, "workload.x.jobs=1",
			   "--set workload.x.jobs=1: error: the list has no element 'x'; it is empty\n");
}

static void a_path_has_a_length(void **state)
{
	char set[300] = "a", *report;

	(void)state;
	for (unsigned i = 0; i < CONFIG_DEPTH_MAX; i++)
		strcat(set, ".a");
	strcat(set, "=1");
	report = outcome(MINIMAL, (const char *const[]){set, NULL});
	assert_non_null(strstr(report, ": error: the path is too long\n"));
	free(report);
}

// ---- overlays and included files ----

static char *overlaid(const char *base, const char *over)
{
	struct config *config = config_new();
	const struct config_node *low = config_parse(config, "base.yaml", base, strlen(base));
	const struct config_node *high = config_parse(config, "over.yaml", over, strlen(over));
	struct sample sample, again;
	char *result, *unchanged;

	if (config_load(config, config_overlay(config, low, high), &sample_schema, &sample) && !config_errors(config))
		result = canonical(&sample);
	else
		result = strdup(config_report(config));
	assert_true(config_load(config, low, &sample_schema, &again)); // the base stays as it was
	unchanged = canonical(&again);
	assert_outcome(base, no_sets, unchanged);
	free(unchanged);
	config_free(config);
	return result;
}

static void assert_overlaid(const char *base, const char *over, const char *equivalent)
{
	char *result = overlaid(base, over), *expected = outcome(equivalent, no_sets);

	assert_string_equal(result, expected);
	free(result);
	free(expected);
}

static void overlay_merges_mappings(void **state)
{
	(void)state;
	assert_overlaid(
		"machine: {memory: 1GiB, swap: {size: 1GiB, discards: 1/s}}\nworkload: [{kind: kernel-build}]\n",
		"machine: {cpus: 3, swap: {size: 2GiB}}\ncheck: on\n",
		"machine: {memory: 1GiB, cpus: 3, swap: {size: 2GiB, discards: 1/s}}\ncheck: on\n"
		"workload: [{kind: kernel-build}]\n");
}

static void overlay_replaces_lists_and_changes_elements(void **state)
{
	static const char base[] = "machine: {memory: 1GiB}\n"
				   "workload: [{kind: kernel-build, name: a}, {kind: kernel-build, name: b}]\n";
	char *report;

	(void)state;
	assert_overlaid(base, "workload: [{kind: kernel-build, jobs: 1}]\n",
			"machine: {memory: 1GiB}\nworkload: [{kind: kernel-build, jobs: 1}]\n");
	assert_overlaid(base, "workload: {b: {jobs: 5}}\n",
			"machine: {memory: 1GiB}\n"
			"workload: [{kind: kernel-build, name: a}, {kind: kernel-build, name: b, jobs: 5}]\n");
	report = overlaid(base, "workload: {c: {jobs: 5}}\n");
	assert_string_equal(report,
			    "over.yaml:1:12: error: the list has no element 'c'; choose by name, by kind, or by 0 "
			    "to 1 (one of: a, b)\n"
			    "    1 | workload: {c: {jobs: 5}}\n"
			    "      |            ^\n");
	free(report);
}

static void overlay_errors_name_the_file_of_the_value(void **state)
{
	char *report = overlaid("machine: {memory: 1GiB, cpus: 1}\nworkload: []\n", "machine: {cpus: 0}\n");

	(void)state;
	assert_string_equal(report, "over.yaml:1:17: error: 'cpus': '0' is too small: at least 1\n"
				    "    1 | machine: {cpus: 0}\n"
				    "      |                 ^\n");
	free(report);
}

static char folder[] = "/tmp/test_config.XXXXXX";
static const char *const machine_names[] = {"small-vm", "variant", "circle", "broken", "list", NULL};

static const char *find_machine(void *context, const char *name)
{
	static char path[128];

	assert_ptr_equal(context, folder);
	snprintf(path, sizeof(path), "%s/%.60s.yaml", folder, name);
	return access(path, R_OK) ? NULL : path;
}

static void write_machine(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.yaml", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_machines(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	write_machine("small-vm", "memory: 2GiB\ncpus: 4\ndevices: [{name: disk, bandwidth: 1GiB/s}]\n");
	write_machine("variant", "base: small-vm\ncpus: 6\n");
	write_machine("circle", "base: circle\n");
	write_machine("broken", "memory: [\n");
	write_machine("list", "- 1\n");
	return 0;
}

static int remove_machines(void **state)
{
	char path[128];

	(void)state;
	for (unsigned i = 0; machine_names[i]; i++) {
		snprintf(path, sizeof(path), "%s/%s.yaml", folder, machine_names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static char *resolved(const char *text, const char *const *sets)
{
	static const struct config_include includes[] = {{"machine", find_machine, machine_names, folder}};
	struct config *config = config_new();
	struct config_node *root = config_parse(config, "s.yaml", text, strlen(text));
	struct sample sample;
	size_t nr = 0;
	bool fine;
	char *result;

	while (sets[nr])
		nr++;
	root = config_resolve(config, root, includes, 1, sets, nr);
	fine = config_load(config, root, &sample_schema, &sample);
	assert_true(fine || config_errors(config));
	result = config_errors(config) ? strdup(config_report(config)) : canonical(&sample);
	config_free(config);
	return result;
}

static void assert_resolved(const char *text, const char *set, const char *machine)
{
	const char *const sets[] = {set, NULL};
	char *result = resolved(text, sets), equivalent[256], *expected;

	snprintf(equivalent, sizeof(equivalent), "machine: %s\nworkload: []\n", machine);
	expected = outcome(equivalent, no_sets);
	assert_string_equal(result, expected);
	free(result);
	free(expected);
}

static void a_machine_is_named_or_changed(void **state)
{
	static const char small[] = "{memory: 2GiB, cpus: 4, devices: [{name: disk, bandwidth: 1GiB/s}]}";

	(void)state;
	assert_resolved("machine: small-vm\nworkload: []\n", NULL, small);
	assert_resolved("machine: {base: small-vm}\nworkload: []\n", NULL, small);
	assert_resolved("machine: {memory: 1GiB}\nworkload: []\n", NULL, "{memory: 1GiB}");
	assert_resolved("machine: {base: small-vm, memory: 1GiB, devices: {disk: {latency: 1us}}}\nworkload: []\n",
			NULL, "{memory: 1GiB, cpus: 4, devices: [{name: disk, bandwidth: 1GiB/s, latency: 1us}]}");
	assert_resolved("machine: variant\nworkload: []\n", NULL,
			"{memory: 2GiB, cpus: 6, devices: [{name: disk, bandwidth: 1GiB/s}]}");
}

static void set_chooses_and_changes_a_machine(void **state)
{
	static const char *const sets[] = {"machine.cpus=9", "machine=small-vm", "machine.devices.disk.latency=3us",
					   NULL};
	char *result = resolved("machine: variant\nworkload: []\n", sets);

	(void)state;
	assert_non_null(strstr(result, "machine.cpus = 9\n"));
	assert_non_null(strstr(result, "machine.memory = 2GiB\n"));
	assert_non_null(strstr(result, "machine.devices.0.latency = 3us\n"));
	free(result);
	assert_resolved("machine: {base: small-vm, memory: 1GiB}\nworkload: []\n", "machine.base=variant",
			"{memory: 1GiB, cpus: 6, devices: [{name: disk, bandwidth: 1GiB/s}]}");
}

static void machines_that_cannot_be_had(void **state)
{
	static const struct {
		const char *text, *report;
	} cases[] = {
		{"machine: smal-vm\nworkload: []\n", "s.yaml:1:10: error: unknown machine 'smal-vm'; did you mean "
						     "'small-vm'?\n"
						     "    1 | machine: smal-vm\n"
						     "      |          ^\n"},
		{"machine:\nworkload: []\n", "s.yaml:1:1: error: expected the name of a machine, not nothing\n"
					     "    1 | machine:\n"
					     "      | ^\n"},
		{"machine: {base: [a]}\nworkload: []\n",
		 "s.yaml:1:17: error: expected the name of a machine, not a list\n"
		 "    1 | machine: {base: [a]}\n"
		 "      |                 ^\n"},
		{"machine: broken\nworkload: []\n",
		 "FOLDER/broken.yaml:2:1: error: this is not YAML: flow sequence without a closing bracket\n"
		 "    2 | \n"
		 "      | ^\n"},
		{"machine: list\nworkload: []\n",
		 "FOLDER/list.yaml:1:1: error: a machine must be a mapping (lines 'key: value'), not a list\n"
		 "    1 | - 1\n"
		 "      | ^\n"},
		{"machine: circle\nworkload: []\n",
		 "FOLDER/circle.yaml:1:7: error: more than 8 files are based on each other; do they name themselves?\n"
		 "    1 | base: circle\n"
		 "      |       ^\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *report = resolved(cases[i].text, no_sets), expected[512];

		snprintf(expected, sizeof(expected), "%s%s", !strncmp(cases[i].report, "FOLDER", 6) ? folder : "",
			 cases[i].report + (strncmp(cases[i].report, "FOLDER", 6) ? 0 : 6));
		assert_string_equal(report, expected);
		free(report);
	}
}

static void files_that_cannot_be_read(void **state)
{
	struct config *config = config_new();
	char expected[512], path[128];
	FILE *file;

	(void)state;
	assert_null(config_read(config, "/nowhere/s.yaml"));
	assert_null(config_read(config, folder));
	snprintf(path, sizeof(path), "%s/large.yaml", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i <= CONFIG_FILE_MAX / 16; i++)
		fputs("################\n", file);
	fclose(file);
	assert_null(config_read(config, path));
	unlink(path);
	snprintf(expected, sizeof(expected),
		 "/nowhere/s.yaml: error: No such file or directory\n%s: error: Is a directory\n"
		 "%s: error: the file is larger than 4 MiB\n",
		 folder, path);
	assert_string_equal(config_report(config), expected);
	assert_int_equal(config_errors(config), 3);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_changes_a_value),
		cmocka_unit_test(sets_apply_in_order),
		cmocka_unit_test(what_set_refuses),
		cmocka_unit_test(a_path_has_a_length),
		cmocka_unit_test(overlay_merges_mappings),
		cmocka_unit_test(overlay_replaces_lists_and_changes_elements),
		cmocka_unit_test(overlay_errors_name_the_file_of_the_value),
		cmocka_unit_test(a_machine_is_named_or_changed),
		cmocka_unit_test(set_chooses_and_changes_a_machine),
		cmocka_unit_test(machines_that_cannot_be_had),
		cmocka_unit_test(files_that_cannot_be_read),
	};

	return cmocka_run_group_tests_name("config_merge", tests, make_machines, remove_machines);
}
