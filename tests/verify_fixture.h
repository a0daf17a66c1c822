// SPDX-License-Identifier: Apache-2.0
//
// For tests of the verdict: records from tests/data as text, changed, written to a folder of the test's own and judged.

#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE // memmem
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/input.h"
#include "trace/verify.h"

// ---- records in files ----

static inline const char *data(const char *name)
{
	static char path[4096];
	const char *folder = getenv("PAGEYARD_TEST_DATA");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "tests/data", name);
	return path;
}

static char folder[64]; // of the test's own

static inline int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/pageyard-test-verify-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static inline const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static inline int remove_folder(void **state)
{
	(void)state;
	unlink(in_folder("snapshot0.txt"));
	unlink(in_folder("events.txt"));
	unlink(in_folder("snapshot1.txt"));
	return rmdir(folder);
}

static inline void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_folder(name), "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

struct record { // the three files as text
	char *snapshot0, *events, *snapshot1;
};

static inline char *unpacked(const char *record, const char *name)
{
	struct trace_error error;
	struct trace_input *input;
	char path[4200], *text;
	size_t length;

	snprintf(path, sizeof(path), "%s/%s.zst", data(record), name);
	input = trace_input_open(path, 1 << 20, &error);
	assert_non_null(input);
	length = (size_t)trace_input_peek(input, SIZE_MAX, &error);
	text = malloc(length + 1);
	assert_non_null(text);
	memcpy(text, input->at, length);
	text[length] = '\0';
	trace_input_close(input);
	return text;
}

static inline struct record load(const char *name)
{
	return (struct record){unpacked(name, "snapshot0.txt"), unpacked(name, "events.txt"), unpacked(name, "snapshot1.txt")};
}

static inline void drop(struct record *record)
{
	free(record->snapshot0);
	free(record->events);
	free(record->snapshot1);
}

static inline void replace(char **text, char *by)
{
	free(*text);
	*text = by;
}

static inline void save(const struct record *record)
{
	write_file("snapshot0.txt", record->snapshot0);
	write_file("events.txt", record->events);
	write_file("snapshot1.txt", record->snapshot1);
}

// ---- verdicts ----

enum { REQUEST = VERIFY_REQUEST, STEP = VERIFY_STEP };

static inline struct verify_result verdict(const char *path, enum verify_level level, const char *policy)
{
	struct verify_options options = {.record = path, .level = level, .differences = 5};
	struct verify_result result;
	struct trace_error error;

	if (policy) {
		assert_int_equal(yard_policy_parse(policy, &options.policy, NULL, 0), 0);
		options.policy_name = policy;
	}
	if (verify_record(&options, &result, &error))
		fail_msg("%s", error.text);
	verify_release(&result); // the texts of differences are not looked at
	for (unsigned i = 0; i < VERIFY_DECISIONS; i++)
		assert_true(result.decision[i].right <= result.decision[i].all);
	return result;
}

static inline struct verify_result verdict_of(const struct record *record, enum verify_level level)
{
	save(record);
	return verdict(folder, level, NULL);
}

static inline void expect(const struct verify_result *result, unsigned decision, uint64_t right, uint64_t all)
{
	const struct verify_share *share = &result->decision[decision];

	if (share->right != right || share->all != all)
		fail_msg("%s: %llu of %llu, expected %llu of %llu", verify_decision_name(decision), (unsigned long long)share->right,
			 (unsigned long long)share->all, (unsigned long long)right, (unsigned long long)all);
}

static inline uint64_t wrong(const struct verify_result *result, unsigned decision)
{
	return result->decision[decision].all - result->decision[decision].right;
}

static inline bool end_state_same(const struct verify_final *f)
{
	return f->compared && f->free_lists_same == f->free_lists && f->pcp_lists_same == f->pcp_lists
	       && f->pcp_fields_same == f->pcp_fields && f->pageblocks_same == f->pageblocks
	       && f->counters_same == f->counters && f->nr_lines == 0;
}

static inline char *printed(const char *path, enum verify_level level, bool json)
{
	struct verify_options options = {.record = path, .level = level, .differences = 1000};
	struct verify_result result;
	struct trace_error error;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_int_equal(verify_record(&options, &result, &error), 0);
	(json ? verify_print_json : verify_print)(&options, &result, file);
	fclose(file);
	verify_release(&result);
	return text;
}

// ---- tampered records ----

// A copy of the text with the first `from` after `after` replaced.
static inline char *edited(const char *text, const char *after, const char *from, const char *to)
{
	const char *place = strstr(strstr(text, after), from);
	char *copy = malloc(strlen(text) + strlen(to) + 1);

	assert_non_null(place);
	assert_non_null(copy);
	memcpy(copy, text, (size_t)(place - text));
	strcpy(copy + (place - text), to);
	strcat(copy, place + strlen(from));
	return copy;
}

static inline void edit(char **text, const char *after, const char *from, const char *to)
{
	replace(text, edited(*text, after, from, to));
}

// A copy without every nth line that has `word`, with the right end line.
static inline char *without(const char *text, const char *word, unsigned nth)
{
	char *copy = malloc(strlen(text) + 32), *to = copy;
	unsigned seen = 0, events = 0;

	assert_non_null(copy);
	for (const char *line = text, *next; *line; line = next) {
		next = strchr(line, '\n') + 1;
		if (*line == 'e') {
			to += sprintf(to, "end %u\n", events);
			break;
		}
		if (memmem(line, (size_t)(next - line), word, strlen(word)) && ++seen % nth == 0)
			continue;
		memcpy(to, line, (size_t)(next - line));
		to += next - line;
		events += *line >= '0' && *line <= '9';
	}
	*to = '\0';
	assert_true(seen >= nth);
	return copy;
}
