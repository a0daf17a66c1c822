// SPDX-License-Identifier: Apache-2.0
//
// Files that nobody would write: cut, damaged, random; and too little memory.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_files.h"

// ---- files that nobody would write ----

// Whatever the bytes are: either it loads and there is no error, or there is a report.
static void survive(const char *text, size_t length)
{
	struct config *config = config_new();
	struct config_node *root = config_parse(config, "s.yaml", text, length);
	struct sample sample;
	bool fine;
	char *lines;

	if (root)
		config_override(config, root, "machine.cpus=2");
	fine = config_load(config, root, &sample_schema, &sample);
	if (fine && !config_errors(config)) {
		lines = canonical(&sample);
		assert_non_null(strstr(lines, "machine.cpus = 2\n"));
		free(lines);
	} else {
		assert_true(config_errors(config));
		assert_non_null(strstr(config_report(config), "error: "));
	}
	config_free(config);
}

static void cut_files(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(whole_file); length++) {
		char *copy = malloc(length + 1); // so that the sanitizer sees a read past the end

		memcpy(copy, whole_file, length);
		survive(copy, length);
		free(copy);
	}
}

static uint32_t random_state = 12345;

static uint32_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static void random_bytes(void **state)
{
	char text[256];

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		size_t length = next_random() % sizeof(text);

		for (size_t j = 0; j < length; j++)
			text[j] = (char)next_random();
		survive(text, length);
	}
}

static void damaged_files(void **state)
{
	static const char marks[] = "{}[]:,-?&*!|>'\"%@` \n\t#<=\\~0aZ";
	char text[sizeof(whole_file)];

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		memcpy(text, whole_file, sizeof(whole_file));
		for (unsigned hits = 1 + next_random() % 4; hits; hits--)
			text[next_random() % (sizeof(whole_file) - 1)] = marks[next_random() % (sizeof(marks) - 1)];
		survive(text, sizeof(whole_file) - 1);
	}
}

// With every amount of memory up to enough: nothing breaks, and the report says what the matter is.
static void too_little_memory(void **state)
{
	const char *const set = "machine.devices.hdd.latency=1ms";
	struct sample sample;
	bool fine = false;

	(void)state;
	for (size_t memory = 0; !fine; memory += 24) {
		struct config *config = config_new();
		struct config_node *root;

		config->memory_left = memory;
		root = config_parse(config, "s.yaml", whole_file, sizeof(whole_file) - 1);
		root = config_overlay(config, root, root);
		if (root)
			config_override(config, root, set);
		fine = config_load(config, root, &sample_schema, &sample) && !config_errors(config);
		if (!fine && !strstr(config_report(config), "error: there is not enough memory"))
			fail_msg("%zu bytes: %s", memory, config_report(config));
		config_free(config);
		assert_true(memory < 1 << 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_files),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(too_little_memory),
	};

	return cmocka_run_group_tests_name("config_input", tests, NULL, NULL);
}
