// SPDX-License-Identifier: Apache-2.0
//
// Opening a file of events: which of the formats it is, and the reader's thin shell around the format's source.

#include "trace/reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "trace/internal.h"

struct trace_reader {
	struct trace_source *source;
	enum trace_format format;
	bool over; // trace_next has returned 0 or -1
};

static bool starts_with(const struct trace_input *input, const char *start, size_t length)
{
	return (size_t)(input->end - input->at) >= length && memcmp(input->at, start, length) == 0;
}

// Opens the source that fits the first bytes.
static struct trace_source *open_source(struct trace_input *input, enum trace_format *format, struct trace_error *error)
{
	static const char oracle[] = "pageyard-events ", snapshot[] = "pageyard-snapshot ",
			  dat[] = "\x17\x08\x44tracing";
	ptrdiff_t held = trace_input_peek(input, sizeof(snapshot), error);

	if (held < 0)
		return NULL;
	if (held == 0) {
		trace_fail(error, "%.250s: the file is empty", input->path);
		return NULL;
	}
	if (starts_with(input, snapshot, sizeof(snapshot) - 1)) {
		trace_fail(error, "%.250s:1: this is a snapshot, a file of events is wanted", input->path);
		return NULL;
	}
	if (starts_with(input, oracle, sizeof(oracle) - 1)) {
		*format = TRACE_FORMAT_ORACLE;
		return trace_oracle_open(input, error);
	}
	if (starts_with(input, dat, sizeof(dat) - 1)) {
		*format = TRACE_FORMAT_DAT;
		return trace_dat_open(input, error);
	}
	*format = TRACE_FORMAT_TEXT;
	return trace_text_open(input, error);
}

// The file of events that `path` means. NULL and *error, or a string to free.
static char *events_of(const char *path, struct trace_error *error)
{
	static const char *const names[] = {"", "/events.txt", "/events.txt.zst"};
	size_t size = strlen(path) + 32;
	char *full = malloc(size);
	struct stat status;
	bool folder = !stat(path, &status) && S_ISDIR(status.st_mode);

	if (!full) {
		trace_fail(error, "%.250s: no memory to open it", path);
		return NULL;
	}
	for (unsigned i = folder; i < (folder ? 3 : 1); i++) {
		snprintf(full, size, "%s%s", path, names[i]);
		if (!folder || !stat(full, &status))
			return full;
	}
	trace_fail(error, "%.250s: a record's folder holds events.txt or events.txt.zst, this one has neither", path);
	free(full);
	return NULL;
}

struct trace_reader *trace_open(const char *path, struct trace_error *error)
{
	struct trace_reader *reader = calloc(1, sizeof(*reader));
	char *full = reader ? events_of(path, error) : NULL;
	struct trace_input *input = full ? trace_input_open(full, TRACE_LINE_MAX, error) : NULL;

	if (!reader)
		trace_fail(error, "%.250s: no memory to open it", path);
	free(full);
	if (input) {
		reader->source = open_source(input, &reader->format, error);
		if (reader->source)
			return reader;
		trace_input_close(input);
	}
	free(reader);
	return NULL;
}

int trace_next(struct trace_reader *reader, struct trace_event *event, struct trace_error *error)
{
	int got;

	assert(!reader->over);
	got = reader->source->next(reader->source, event, error);
	reader->over = got <= 0;
	return got;
}

enum trace_format trace_reader_format(const struct trace_reader *reader)
{
	return reader->format;
}

uint64_t trace_reader_lost(const struct trace_reader *reader)
{
	return reader->source->lost;
}

void trace_reader_progress(const struct trace_reader *reader, uint64_t *done, uint64_t *total)
{
	reader->source->progress(reader->source, done, total);
}

void trace_close(struct trace_reader *reader)
{
	if (!reader)
		return;
	reader->source->close(reader->source);
	free(reader);
}
