// SPDX-License-Identifier: Apache-2.0

#include "trace/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "trace/internal.h"

enum { BUFFER_SIZE = 1 << 20 };

static const unsigned char zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};

int trace_fail_at(struct trace_error *error, const char *place, const char *format, va_list args)
{
	int used = snprintf(error->text, sizeof(error->text), "%.300s", place);

	if (used < 0)
		used = 0;
	vsnprintf(error->text + used, sizeof(error->text) - (size_t)used, format, args);
	for (char *c = error->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	return -1;
}

int trace_fail(struct trace_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	trace_fail_at(error, "", format, args);
	va_end(args);
	return -1;
}

int trace_input_fail(const struct trace_input *input, struct trace_error *error, const char *format, ...)
{
	char place[400];
	va_list args;

	snprintf(place, sizeof(place), "%.250s:%" PRIu64 ": ", input->path, input->line);
	va_start(args, format);
	trace_fail_at(error, place, format, args);
	va_end(args);
	return -1;
}

// Reads up to `size` bytes. -1 and *error, or their number; 0 at the end of the file.
static ptrdiff_t read_file(struct trace_input *input, char *into, size_t size, struct trace_error *error)
{
	ssize_t got;

	if (input->source_over)
		return 0;
	do {
		got = read(input->fd, into, size);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return trace_fail(error, "%.250s: offset %" PRIu64 ": cannot read: %s", input->path, input->file_read,
				  strerror(errno));
	input->file_read += (uint64_t)got;
	input->source_over = got == 0;
	return got;
}

// Unpacks into the free part of the buffer. Number of bytes, 0 at the end, -1 and *error.
static ptrdiff_t unpack(struct trace_input *input, char *into, size_t size, struct trace_error *error)
{
	ZSTD_outBuffer out = {into, size, 0};

	while (out.pos == 0) {
		if (input->packed_at == input->packed_end) {
			ptrdiff_t got = read_file(input, input->packed, BUFFER_SIZE, error);

			if (got < 0)
				return -1;
			if (got == 0 && input->frame_open)
				return trace_fail(error,
						  "%.250s: offset %" PRIu64 ": truncated: the zstd stream ends in the "
						  "middle of a frame",
						  input->path, input->file_read);
			if (got == 0)
				return 0;
			input->packed_at = 0;
			input->packed_end = (size_t)got;
		}

		ZSTD_inBuffer in = {input->packed, input->packed_end, input->packed_at};
		size_t left = ZSTD_decompressStream(input->unpacker, &out, &in);

		if (ZSTD_isError(left))
			return trace_fail(error, "%.250s: offset %" PRIu64 ": not a valid zstd stream: %s", input->path,
					  input->file_read - (input->packed_end - input->packed_at),
					  ZSTD_getErrorName(left));
		input->packed_at = in.pos;
		input->frame_open = left != 0;
	}
	return (ptrdiff_t)out.pos;
}

// Room for at least one more byte, and always for the '\n' that may have to be put at the end.
static bool make_room(struct trace_input *input)
{
	size_t held = (size_t)(input->end - input->at);

	if (input->at != input->buffer) {
		memmove(input->buffer, input->at, held);
		input->at = input->buffer;
		input->end = input->buffer + held;
	}
	if (held + 1 < input->size)
		return true;

	char *larger = realloc(input->buffer, input->size * 2);

	if (!larger)
		return false;
	input->buffer = larger;
	input->size *= 2;
	input->at = larger;
	input->end = larger + held;
	return true;
}

int trace_input_fill(struct trace_input *input, struct trace_error *error)
{
	ptrdiff_t got;

	if (!make_room(input))
		return trace_fail(error, "%.250s: no memory for a line of %zu bytes", input->path, input->size);

	char *into = input->buffer + (input->end - input->buffer);
	size_t room = input->size - 1 - (size_t)(input->end - input->buffer);

	got = input->zstd ? unpack(input, into, room, error) : read_file(input, into, room, error);
	if (got <= 0)
		return (int)got;
	input->end += got;
	return 1;
}

ptrdiff_t trace_input_peek(struct trace_input *input, size_t bytes, struct trace_error *error)
{
	while ((size_t)(input->end - input->at) < bytes) {
		int got = trace_input_fill(input, error);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
	}
	return input->end - input->at;
}

int trace_input_line_slow(struct trace_input *input, const char **line, size_t *length, struct trace_error *error)
{
	size_t searched = 0;

	for (;;) {
		size_t held = (size_t)(input->end - input->at);
		const char *newline = memchr(input->at + searched, '\n', held - searched);

		if (newline || held > input->line_max) {
			held = newline ? (size_t)(newline - input->at) : held;
			input->line++;
			if (held > input->line_max)
				return trace_input_fail(input, error, "the line has more than %zu bytes",
							input->line_max);
			*line = input->at;
			*length = held;
			input->at = newline + 1;
			return 1;
		}
		searched = held;

		int got = trace_input_fill(input, error);

		if (got < 0)
			return -1;
		if (got == 0 && held == 0)
			return 0;
		if (got == 0) { // give the last line its '\n'; there is always room for it
			input->buffer[input->end - input->buffer] = '\n';
			input->end++;
			input->unterminated = true;
		}
	}
}

void trace_input_progress(const struct trace_input *input, uint64_t *done, uint64_t *total)
{
	uint64_t waiting = input->zstd ? input->packed_end - input->packed_at : (uint64_t)(input->end - input->at);

	*done = input->file_read > waiting ? input->file_read - waiting : 0;
	*total = input->regular ? input->file_size : 0;
}

// Looks at the first bytes and sets up unpacking when they are zstd's.
static int detect_zstd(struct trace_input *input, struct trace_error *error)
{
	ptrdiff_t held = trace_input_peek(input, sizeof(zstd_magic), error);

	if (held < 0)
		return -1;
	if ((size_t)held < sizeof(zstd_magic) || memcmp(input->at, zstd_magic, sizeof(zstd_magic)) != 0)
		return 0;
	input->packed = input->buffer; // what is there already is packed
	input->packed_end = (size_t)held;
	input->buffer = malloc(BUFFER_SIZE);
	input->unpacker = ZSTD_createDStream();
	input->at = input->end = input->buffer;
	input->zstd = true;
	if (!input->unpacker || !input->buffer)
		return trace_fail(error, "%.250s: no memory to unpack zstd", input->path);
	return 0;
}

struct trace_input *trace_input_open(const char *path, size_t line_max, struct trace_error *error)
{
	struct trace_input *input = calloc(1, sizeof(*input));
	struct stat status;

	if (input)
		input->fd = -1;
	if (!input || !(input->path = strdup(path)) || !(input->buffer = malloc(BUFFER_SIZE))) {
		trace_fail(error, "%.250s: no memory to read it", path);
		goto fail;
	}
	input->at = input->end = input->buffer;
	input->size = BUFFER_SIZE;
	input->line_max = line_max;
	input->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (input->fd < 0 || fstat(input->fd, &status)) {
		trace_fail(error, "%.250s: cannot open: %s", path, strerror(errno));
		goto fail;
	}
	if (S_ISDIR(status.st_mode)) {
		trace_fail(error, "%.250s: is a folder, a file is wanted", path);
		goto fail;
	}
	input->regular = S_ISREG(status.st_mode);
	input->file_size = (uint64_t)status.st_size;
	if (detect_zstd(input, error))
		goto fail;
	return input;
fail:
	trace_input_close(input);
	return NULL;
}

void trace_input_close(struct trace_input *input)
{
	if (!input)
		return;
	if (input->fd >= 0)
		close(input->fd);
	ZSTD_freeDStream(input->unpacker);
	free(input->packed);
	free(input->buffer);
	free(input->path);
	free(input);
}
