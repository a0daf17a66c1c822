// SPDX-License-Identifier: Apache-2.0
//
// Fuzz target of the scenario reader: a file, and after each byte 0xff one assignment as of --set.
//
//	meson setup build-fuzz -Dfuzz=true (with CC=clang); build-fuzz/fuzz_config -max_len=4096 CORPUS fuzz/config
//
// Besides what the sanitizers see: a file is loaded, or there is a report; the canonical text of a struct stays the
// same when its own lines are assigned.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/config_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

// The text up to a byte 0xff; *data and *size move behind it. The caller frees it.
static char *take_part(const uint8_t **data, size_t *size, size_t *length)
{
	const uint8_t *end = memchr(*data, 0xff, *size);
	char *part;

	*length = end ? (size_t)(end - *data) : *size;
	part = malloc(*length + 1);
	CHECK(part);
	memcpy(part, *data, *length);
	part[*length] = '\0';
	*data += *length + (end ? 1 : 0);
	*size -= *length + (end ? 1 : 0);
	return part;
}

// "a.0.b = 5" as "a.0.b=5".
static void assign_line(struct config *config, struct config_node *root, const char *line, size_t length)
{
	char *set = malloc(length + 1), *equals;

	CHECK(set);
	memcpy(set, line, length);
	set[length] = '\0';
	equals = strstr(set, " = ");
	CHECK(equals);
	memmove(equals, equals + 1, strlen(equals));
	memmove(equals + 1, equals + 2, strlen(equals + 1));
	CHECK(config_override(config, root, set));
	free(set);
}

static void check_canonical(struct config *config, struct config_node *root, const struct sample *sample)
{
	struct sample again;
	char *before = canonical(sample), *after;

	for (const char *line = before, *end; (end = strchr(line, '\n')); line = end + 1)
		assign_line(config, root, line, (size_t)(end - line));
	if (!config_load(config, root, &sample_schema, &again)) {
		fputs(config_report(config), stderr);
		abort();
	}
	after = canonical(&again);
	CHECK(!strcmp(before, after));
	free(before);
	free(after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = config_new();
	struct config_node *root;
	struct sample sample;
	size_t length;
	char *part = take_part(&data, &size, &length);
	bool fine;

	CHECK(config);
	root = config_parse(config, "fuzz.yaml", part, length);
	free(part);
	CHECK(root || config_errors(config));
	while (root && size) {
		part = take_part(&data, &size, &length);
		config_override(config, root, part);
		free(part);
	}
	fine = config_load(config, root, &sample_schema, &sample);
	CHECK(fine || config_errors(config));
	CHECK(!config_errors(config) == !*config_report(config));
	if (!config_errors(config))
		check_canonical(config, root, &sample);
	config_free(config);
	return 0;
}
