// SPDX-License-Identifier: Apache-2.0
//
// Scenario and machine files: what a struct gets, canonical text, each kind of error with its whole message, and
// schemas themselves.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_files.h"

// ---- whole files ----

static void a_whole_file(void **state)
{
	(void)state;
	assert_outcome(whole_file, no_sets, whole_canonical);
}

static void a_struct_gets_what_the_file_says(void **state)
{
	struct config *config = config_new();
	struct sample sample;
	const struct sample_build *build;
	const struct sample_burst *burst;

	(void)state;
	assert_true(config_load(config, config_parse(config, "s.yaml", whole_file, strlen(whole_file)), &sample_schema,
				&sample));
	assert_true(sample.machine.memory == 16 << 20 && sample.machine.cpus == 16 && sample.check);
	assert_true(sample.machine.thp == SAMPLE_ALWAYS && sample.machine.swap->size == UINT64_C(8) << 30);
	assert_true(sample.machine.devices.nr == 2 && sample.machine.devices.item[1].latency == 8000000);
	assert_true(sample.machine.distance.nr == 2 && sample.machine.distance.item[0].item[1] == 21);
	assert_true(sample.workload.nr == 3 && sample.workload.item[0].kind == &sample_build_kind);
	build = sample.workload.item[2].object;
	burst = sample.workload.item[1].object;
	assert_string_equal(build->task.name, "second");
	assert_true(build->jobs == 3 && build->life.min == 500000000 && build->slowdown == 1220);
	assert_true(burst->task.start == UINT64_C(30000000000) && burst->size.parts == 375000 && burst->flags == 6);
	assert_true(config_given(sample.place, "pause") && !config_given(sample.place, "paus"));
	assert_true(!config_given(sample.machine.devices.item[0].place, "latency"));
	config_free(config);
}

// The canonical text does not see comments, order, layout, or whether a default was written.
static void canonical_text_is_the_meaning(void **state)
{
	static const char one[] = "machine: {memory: 1GiB}\nworkload:\n- {kind: thp-burst, size: 2MiB}\n";
	static const char other[] = "# the same\nworkload:\n    -   size:   2048KiB\n        kind: \"thp-burst\"\n"
				    "        touched: 100.0%\n\nmachine:\n  swap: none\n  memory: 1024MiB # of RAM\n";
	char *text = outcome(one, no_sets);

	(void)state;
	assert_memory_equal(text, "title", 5);
	assert_outcome(other, no_sets, text);
	free(text);
}

// Each line of the canonical text is an assignment that changes nothing.
static void canonical_lines_are_assignments(void **state)
{
	char *copy = strdup(whole_canonical), *line, *rest = copy;
	char set[128];

	(void)state;
	while ((line = strsep(&rest, "\n")) && *line) {
		char *equals = strstr(line, " = ");

		snprintf(set, sizeof(set), "%.*s=%s", (int)(equals - line), line, equals + 3);
		assert_set_outcome(whole_file, set, whole_canonical);
	}
	free(copy);
}

// ---- errors, each with its whole message ----

static const struct error_case {
	const char *text, *report;
} error_cases[] = {
	{"machine: {memory: 1GiB}\nworkload:\n  - kind: kernel-build\n    jobz: 8\n",
	 "s.yaml:4:5: error: unknown key 'jobz' of task kind 'kernel-build'; did you mean 'jobs'?\n"
	 "    4 |     jobz: 8\n"
	 "      |     ^\n"},
	{MINIMAL "strange: 1\n", "s.yaml:3:1: error: unknown key 'strange' of scenario\n"
				 "    3 | strange: 1\n"
				 "      | ^\n"},
	{"machine: {memory: 64Gib}\nworkload: []\n",
	 "s.yaml:1:19: error: 'memory': unknown unit 'Gib' in '64Gib'; did you mean 'GiB'?\n"
	 "    1 | machine: {memory: 64Gib}\n"
	 "      |                   ^\n"},
	{MINIMAL "check: on\ncheck: maybe\n",
	 "s.yaml:4:1: error: key 'check' is here a second time; the first one is in line 3\n"
	 "    4 | check: maybe\n"
	 "      | ^\n"},
	{"machine: {}\nworkload: []\n", "s.yaml:1:10: error: missing key 'memory' of machine; expected a size such as "
					"64GiB, or a number such as 1000 pages\n"
					"    1 | machine: {}\n"
					"      |          ^\n"},
	{"machine: {memory: 1GiB}\n",
	 "s.yaml:1:1: error: missing key 'workload' of scenario; expected a list: '- ' before each element, or [A, B]\n"
	 "    1 | machine: {memory: 1GiB}\n"
	 "      | ^\n"},
	{"machine: {memory: 1GiB, cpus: [1]}\nworkload: []\n",
	 "s.yaml:1:31: error: 'cpus': expected a whole number such as 8, not a list\n"
	 "    1 | machine: {memory: 1GiB, cpus: [1]}\n"
	 "      |                               ^\n"},
	{"machine: {memory: 1GiB, cpus: }\nworkload: []\n",
	 "s.yaml:1:25: error: 'cpus': expected a whole number such as 8, not nothing\n"
	 "    1 | machine: {memory: 1GiB, cpus: }\n"
	 "      |                         ^\n"},
	{"machine: {memory: 1GiB, thp: alwys}\nworkload: []\n",
	 "s.yaml:1:30: error: 'thp': unknown word 'alwys'; did you mean 'always'? (one of: always, madvise, never)\n"
	 "    1 | machine: {memory: 1GiB, thp: alwys}\n"
	 "      |                              ^\n"},
	{"machine: 5\nworkload: []\n",
	 "s.yaml:1:10: error: 'machine': expected a mapping (lines 'key: value'), not a single value\n"
	 "    1 | machine: 5\n"
	 "      |          ^\n"},
	{"machine: {memory: 1GiB, swap: yes}\nworkload: []\n",
	 "s.yaml:1:31: error: 'swap': expected a mapping (lines 'key: value') or none, not a single value\n"
	 "    1 | machine: {memory: 1GiB, swap: yes}\n"
	 "      |                               ^\n"},
	{"machine: {memory: 1GiB}\nworkload: {a: 1}\n",
	 "s.yaml:2:11: error: 'workload': expected a list: '- ' before each element, or [A, B], not a mapping\n"
	 "    2 | workload: {a: 1}\n"
	 "      |           ^\n"},
	{"machine: {memory: 1GiB}\nworkload: [{kind: thp-brust}]\n",
	 "s.yaml:2:19: error: unknown task kind 'thp-brust'; did you mean 'thp-burst'? "
	 "(one of: kernel-build, thp-burst)\n"
	 "    2 | workload: [{kind: thp-brust}]\n"
	 "      |                   ^\n"},
	{"machine: {memory: 1GiB}\nworkload: [{jobs: 1}]\n",
	 "s.yaml:2:12: error: missing key 'kind' (task kind); expected one of: kernel-build, thp-burst\n"
	 "    2 | workload: [{jobs: 1}]\n"
	 "      |            ^\n"},
	{"machine: {memory: 1GiB}\nworkload: [{kind: thp-burst, size: 1MiB, flags: [huge, lok, write]}]\n",
	 "s.yaml:2:56: error: 'flags': unknown word 'lok'; did you mean 'lock'? "
	 "(a list of some of: both, write, huge, lock)\n"
	 "    2 | workload: [{kind: thp-burst, size: 1MiB, flags: [huge, lok, write]}]\n"
	 "      |                                                        ^\n"
	 "s.yaml:2:49: error: 'flags': 3 elements; at most 2\n"
	 "    2 | workload: [{kind: thp-burst, size: 1MiB, flags: [huge, lok, write]}]\n"
	 "      |                                                 ^\n"},
	{"machine: {memory: 1GiB, distance: []}\nworkload: []\n",
	 "s.yaml:1:35: error: 'distance': 0 elements; at least 1\n"
	 "    1 | machine: {memory: 1GiB, distance: []}\n"
	 "      |                                   ^\n"},
	{"machine: {memory: 1GiB}\nworkload:\n- {kind: kernel-build, name: a}\n- {kind: kernel-build, name: a}\n",
	 "s.yaml:4:30: error: two elements of 'workload' have the name 'a'\n"
	 "    4 | - {kind: kernel-build, name: a}\n"
	 "      |                              ^\n"},
	{"", "s.yaml:1:1: error: missing key 'memory' of machine; expected a size such as 64GiB, or a number such as "
	     "1000 pages\n"
	     "    1 | \n"
	     "      | ^\n"
	     "s.yaml:1:1: error: missing key 'workload' of scenario; expected a list: '- ' before each element, or "
	     "[A, B]\n"
	     "    1 | \n"
	     "      | ^\n"},
	{"- 1\n", "s.yaml:1:1: error: scenario: expected a mapping (lines 'key: value'), not a list\n"
		  "    1 | - 1\n"
		  "      | ^\n"},
	{"a: \"x\n", "s.yaml:1:5: error: this is not YAML: double-quoted scalar without closing quote\n"
		     "    1 | a: \"x\n"
		     "      |     ^\n"},
	{"a: 1\n\tb: 2\n",
	 "s.yaml:1:4: error: this is not YAML: invalid multiline plain key; indent with spaces, not tabs\n"
	 "    1 | a: 1\n"
	 "      |    ^\n"},
	{"a: 1\nb\nc:\t2\n", "s.yaml:2:1: error: this is not YAML: could not find expected ':'\n"
			     "    2 | b\n"
			     "      | ^\n"},
	{"a: 1\n---\nb: 1\n", "s.yaml:2:1: error: a second document begins here; a file has one\n"
			      "    2 | ---\n"
			      "      | ^\n"},
	{"a: !!int 5\n", "s.yaml:1:4: error: tags ('!') have no meaning here\n"
			 "    1 | a: !!int 5\n"
			 "      |    ^\n"},
	{"a: *here\n", "s.yaml:1:5: error: alias 'here' has no anchor '&' of that name before it\n"
		       "    1 | a: *here\n"
		       "      |     ^\n"},
	{"a: &a {b: *a}\n", "s.yaml:1:12: error: alias 'a' has no anchor '&' of that name before it\n"
			    "    1 | a: &a {b: *a}\n"
			    "      |            ^\n"},
	{"? [a]\n: 1\n", "s.yaml:1:3: error: a key must be a single word\n"
			 "    1 | ? [a]\n"
			 "      |   ^\n"},
	{"a: \"\\0\"\n", "s.yaml:1:5: error: text with a NUL character\n"
			 "    1 | a: \"\\0\"\n"
			 "      |     ^\n"},
	{MINIMAL "<<: 5\n", "s.yaml:3:1: error: '<<' wants a mapping, such as *ANCHOR, not a single value\n"
			    "    3 | <<: 5\n"
			    "      | ^\n"},
	{"t\xc3\xa4g: \xff\n", "s.yaml:1:6: error: byte 0xff is not UTF-8 text\n"},
	{"a: \x7f\n", "s.yaml:1:4: error: control character 0x7f\n"},
	{"a: \x01\n", "s.yaml:1:4: error: control character 0x01\n"},
	{"\"t\xc3\xa4t\\u0007\": 1\n" MINIMAL, "s.yaml:1:2: error: unknown key 't\xc3\xa4t?' of scenario\n"
					       "    1 | \"t\xc3\xa4t\\u0007\": 1\n"
					       "      |  ^\n"},
};

static void every_error_has_its_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(error_cases) / sizeof(error_cases[0]); i++)
		assert_outcome(error_cases[i].text, no_sets, error_cases[i].report);
}

static void all_errors_of_a_file_are_reported(void **state)
{
	static const char text[] = "machine:\n"
				   "  memory: 64Gib\n"
				   "  cpuz: 4\n"
				   "workload:\n"
				   "  - kind: kernel-build\n"
				   "    jobs: 0\n"
				   "  - kind: kernel-biuld\n"
				   "  - 5\n";
	static const char report[] =
		"s.yaml:2:11: error: 'memory': unknown unit 'Gib' in '64Gib'; did you mean 'GiB'?\n"
		"    2 |   memory: 64Gib\n"
		"      |           ^\n"
		"s.yaml:3:3: error: unknown key 'cpuz' of machine; did you mean 'cpus'?\n"
		"    3 |   cpuz: 4\n"
		"      |   ^\n"
		"s.yaml:6:11: error: 'jobs': '0' is too small: at least 1\n"
		"    6 |     jobs: 0\n"
		"      |           ^\n"
		"s.yaml:7:11: error: unknown task kind 'kernel-biuld'; did you mean 'kernel-build'? "
		"(one of: kernel-build, thp-burst)\n"
		"    7 |   - kind: kernel-biuld\n"
		"      |           ^\n"
		"s.yaml:8:5: error: 'workload': expected a mapping (lines 'key: value'), not a single value\n"
		"    8 |   - 5\n"
		"      |     ^\n";

	(void)state;
	assert_outcome(text, no_sets, report);
}

// A mistake in an anchor's mapping is told once, however many aliases repeat it.
static void an_error_is_told_once(void **state)
{
	(void)state;
	assert_outcome("machine: {memory: 1GiB}\nworkload:\n- &a {kind: kernel-build, jobs: 0}\n- *a\n- *a\n", no_sets,
		       "s.yaml:3:33: error: 'jobs': '0' is too small: at least 1\n"
		       "    3 | - &a {kind: kernel-build, jobs: 0}\n"
		       "      |                                 ^\n");
}

static void a_long_line_is_cut_around_the_caret(void **state)
{
	char text[1024], *report;
	const char *caret, *line;

	(void)state;
	snprintf(text, sizeof(text), "title: \"%0300d\"\nmachine: {memory: 1GiB}\nworkload: [{%*s jobz: \"%0100d\"}]\n",
		 0, 200, "kind: kernel-build,", 0);
	report = outcome(text, no_sets);
	line = strstr(report, " | ...");
	assert_non_null(line);
	caret = strchr(report, '^');
	assert_memory_equal(line + (caret - strstr(report, "\n      | ") - 6), "jobz", 4);
	assert_true(strlen(report) < 400);
	free(report);
}

static void errors_end_somewhere(void **state)
{
	char text[4096] = MINIMAL, *report, *end;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "key%u: 1\n", i);
	report = outcome(text, no_sets);
	end = strstr(report, "s.yaml:52:1: error: unknown key 'key49'");
	assert_non_null(end);
	assert_string_equal(strstr(end, "^\n") + 2, "error: there are more errors than these\n");
	free(report);
}

static void a_check_of_the_caller_knows_the_place(void **state)
{
	static const char text[] = MINIMAL "pause: 5s\n";
	struct config *config = config_new();
	struct sample sample;

	(void)state;
	assert_true(config_load(config, config_parse(config, "s.yaml", text, strlen(text)), &sample_schema, &sample));
	config_error(config, sample.place, "pause", "%s is too short", "this");
	config_error(config, sample.place, "check", "not written");
	assert_int_equal(config_errors(config), 2);
	assert_string_equal(config_report(config), "s.yaml:3:8: error: this is too short\n"
						   "    3 | pause: 5s\n"
						   "      |        ^\n"
						   "s.yaml:1:1: error: not written\n"
						   "    1 | machine: {memory: 1GiB}\n"
						   "      | ^\n");
	config_free(config);
}

// ---- YAML's own means ----

static void anchors_aliases_and_merges(void **state)
{
	char *expected = outcome("machine: {memory: 1GiB, devices: [{name: a, bandwidth: 1GiB/s, latency: 1ms},"
				 " {name: b, bandwidth: 1GiB/s, latency: 2ms}]}\nworkload: []\n",
				 no_sets);

	(void)state;
	assert_outcome("machine:\n  memory: &size 1GiB\n  devices:\n"
		       "  - &a {bandwidth: 1GiB/s, name: a, latency: &fast 1ms}\n"
		       "  - {<<: [{latency: 2ms}, *a], name: b}\nworkload: []\n",
		       no_sets, expected);
	free(expected);
}

// Each line holds the one before ten times: 10^9 values. The report says so instead of trying.
static void aliases_of_aliases_are_refused(void **state)
{
	char text[1024] = "a0: &a0 [x]\n", *report;

	(void)state;
	for (unsigned i = 1; i < 10; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "a%u: &a%u [*a%u,*a%u,*a%u,*a%u,*a%u,*a%u,*a%u,*a%u,*a%u,*a%u]\n", i, i, i - 1, i - 1, i - 1,
			 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	report = outcome(text, no_sets);
	assert_string_equal(report,
			    "error: there is not enough memory for these files; are there aliases of aliases in "
			    "them?\n");
	free(report);
}

static void depth_is_limited(void **state)
{
	char text[2048] = "", *report;

	(void)state;
	memset(text, '[', CONFIG_DEPTH_MAX);
	memset(text + CONFIG_DEPTH_MAX, ']', CONFIG_DEPTH_MAX);
	report = outcome(text, no_sets);
	assert_null(strstr(report, "deeper"));
	free(report);
	memset(text, '[', CONFIG_DEPTH_MAX + 1);
	report = outcome(text, no_sets);
	assert_non_null(strstr(report, "s.yaml:1:65: error: lists and mappings are nested deeper than 64\n"));
	free(report);

	snprintf(text, sizeof(text), "a0: &a0 [x]\n"); // deeper and deeper by aliases
	for (unsigned i = 1; i < 64; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "a%u: &a%u [*a%u]\n", i, i, i - 1);
	report = outcome(text, no_sets);
	assert_non_null(strstr(report, "s.yaml:64:13: error: lists and mappings are nested deeper than 64\n"));
	free(report);
}

// ---- schemas ----

static void the_sample_schema_is_sound(void **state)
{
	struct config *config = config_new();

	(void)state;
	assert_true(config_check_schema(config, &sample_schema));
	assert_string_equal(config_report(config), "");
	config_free(config);
}

static void mistakes_in_schemas_are_found(void **state)
{
	struct bad {
		uint64_t a, b;
		uint16_t c;
	};
	static const struct config_field fields[] = {
		{"a", CONFIG_SIZE, CONFIG_AT(struct bad, a), .default_text = "5", .help = "h"},
		{"a", CONFIG_SIZE, CONFIG_AT(struct bad, a), .help = "h"},
		{"b.c", CONFIG_SIZE, CONFIG_AT(struct bad, b), .help = "h"},
		{"d", CONFIG_SIZE, CONFIG_AT(struct bad, b), .min = 1},
		{"e", CONFIG_STRING, CONFIG_AT(struct bad, c), .help = "h"},
		{"f", CONFIG_COUNT, .offset = sizeof(struct bad), .size = 8, .help = "h"},
		{"g", CONFIG_LIST, CONFIG_AT(struct bad, a), .help = "h"},
		{"h", CONFIG_NAME, CONFIG_AT(struct bad, a), .help = "h"},
		{"i", CONFIG_ENUM, CONFIG_AT(struct bad, a), .help = "h"},
		{0},
	};
	static const struct config_field defaults[] = {
		{"a", CONFIG_SIZE, CONFIG_AT(struct bad, a), .default_text = "5", .help = "h"},
		{0},
	};
	const struct config_schema schema = {"bad", sizeof(struct bad), fields, NULL};
	const struct config_schema with_default = {"bad", sizeof(struct bad), defaults, NULL};
	struct config *config = config_new();

	(void)state;
	assert_false(config_check_schema(config, &schema));
	assert_string_equal(
		config_report(config),
		"schema: error: field 'a' of bad: another field has the same name\n"
		"schema: error: field 'b.c' of bad: a name without '.', '=' and spaces is missing\n"
		"schema: error: field 'd' of bad: help is missing\n"
		"schema: error: field 'e' of bad: the member's size does not fit the type\n"
		"schema: error: field 'f' of bad: the member is not within the struct\n"
		"schema: error: field 'g' of bad: schema, variants, element or words are missing, or too many "
		"for its type\n"
		"schema: error: field 'h' of bad: a field is called 'name' if its type is CONFIG_NAME, and no "
		"other\n"
		"schema: error: field 'i' of bad: schema, variants, element or words are missing, or too many "
		"for its type\n");
	config_free(config);

	config = config_new();
	assert_false(config_check_schema(config, &with_default));
	assert_string_equal(config_report(config),
			    "default of 'a' of bad: error: 'a': '5' has no unit; expected a size "
			    "such as 64GiB\n");
	config_free(config);
}

static void fields_as_a_list(void **state)
{
	static const char machine[] =
		"memory    size|pages >= 2MiB            required  RAM\n"
		"cpus      number 1..1024                8         CPUs\n"
		"thp       always|madvise|never          madvise   which memory may be huge pages\n"
		"swap      section|none                  none      the swap area\n"
		"  size      size >= 1MiB    required  of the swap area\n"
		"  discards  rate <= 1000/s  0/s       how often\n"
		"devices   list of device                []        disks\n"
		"  name       name        required  of the device\n"
		"  bandwidth  bandwidth   required  of its pipe\n"
		"  latency    time <= 1s  80us      of one request\n"
		"distance  list of list of number >= 10  [[10]]    rows of node distances\n";
	static const char build[] = "    name      name               -        for --set\n"
				    "    start     time               0        when it starts\n"
				    "    jobs      number >= 1        8        compilers at once\n"
				    "    object    size               64KiB    an object file\n"
				    "    life      time..time >= 1ns  1s..10s  of a compiler\n"
				    "    slowdown  ratio              1        factor\n"
				    "    comment   text               -        words\n";
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	config_print_fields(file, &sample_machine_schema, 0);
	config_print_fields(file, &sample_build_schema, 4);
	fclose(file);
	assert_memory_equal(text, machine, sizeof(machine) - 1);
	assert_string_equal(text + sizeof(machine) - 1, build);
	free(text);
}

static void nearest_names(void **state)
{
	static const char *const names[] = {"two-node-256GiB", "small-vm", NULL};

	(void)state;
	assert_string_equal(config_nearest("two-node-256gib", names), "two-node-256GiB");
	assert_string_equal(config_nearest("smal-vm", names), "small-vm");
	assert_null(config_nearest("laptop", names));
	assert_null(config_nearest("laptop", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file),
		cmocka_unit_test(a_struct_gets_what_the_file_says),
		cmocka_unit_test(canonical_text_is_the_meaning),
		cmocka_unit_test(canonical_lines_are_assignments),
		cmocka_unit_test(every_error_has_its_message),
		cmocka_unit_test(all_errors_of_a_file_are_reported),
		cmocka_unit_test(an_error_is_told_once),
		cmocka_unit_test(a_long_line_is_cut_around_the_caret),
		cmocka_unit_test(errors_end_somewhere),
		cmocka_unit_test(a_check_of_the_caller_knows_the_place),
		cmocka_unit_test(anchors_aliases_and_merges),
		cmocka_unit_test(aliases_of_aliases_are_refused),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(the_sample_schema_is_sound),
		cmocka_unit_test(mistakes_in_schemas_are_found),
		cmocka_unit_test(fields_as_a_list),
		cmocka_unit_test(nearest_names),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
