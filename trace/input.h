// SPDX-License-Identifier: Apache-2.0
//
// Buffered input, line by line, unpacking zstd on the way.
//
// Lines are handed out in place: a line lies in the buffer until the next call, ends with a '\n' that its length does
// not count, and so a scanner may run to that '\n' without looking at the length. Memory is one buffer, which grows
// only for a line that does not fit, and never beyond `line_max`.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "trace/reader.h"

struct trace_input {
	const char *at;	   // first byte not handed out yet
	const char *end;   // end of the bytes in the buffer
	uint64_t line;	   // number of the line handed out last, from 1
	bool unterminated; // that line was the last of the file and has no '\n' of its own
	bool zstd;	   // the file is packed
	bool regular;	   // the file is seekable and has a size
	bool source_over;  // read(2) has returned 0
	bool frame_open;   // zstd: the last frame read is not complete yet
	int fd;
	char *path;
	char *buffer;
	size_t size, line_max;
	uint64_t file_size, file_read;
	void *unpacker; // ZSTD_DStream
	char *packed;	// bytes read and not yet unpacked
	size_t packed_at, packed_end;
};

enum { TRACE_LINE_MAX = 1 << 20 }; // of events; a snapshot's free lists may be longer

// Opens a file, packed or not. NULL and *error when that fails. The caller closes it.
struct trace_input *trace_input_open(const char *path, size_t line_max, struct trace_error *error);
void trace_input_close(struct trace_input *input);

// Makes at least `bytes` bytes (or all that are left) lie at input->at. Returns their number, or -1 and *error.
ptrdiff_t trace_input_peek(struct trace_input *input, size_t bytes, struct trace_error *error);

// 1: input->at .. input->end holds fresh bytes after the ones there were; 0: end of file; -1: *error.
int trace_input_fill(struct trace_input *input, struct trace_error *error);

// As trace_input_line, when the buffer does not hold a whole line.
int trace_input_line_slow(struct trace_input *input, const char **line, size_t *length, struct trace_error *error);

void trace_input_progress(const struct trace_input *input, uint64_t *done, uint64_t *total);

// The next line. 1: *line and *length; 0: end of file; -1: *error.
static inline int trace_input_line(struct trace_input *input, const char **line, size_t *length,
				   struct trace_error *error)
{
	const char *newline = memchr(input->at, '\n', (size_t)(input->end - input->at));

	if (!newline)
		return trace_input_line_slow(input, line, length, error);
	*line = input->at;
	*length = (size_t)(newline - input->at);
	input->at = newline + 1;
	input->line++;
	return 1;
}

// Fills *error with "FILE:LINE: reason" for the line handed out last, and returns -1.
__attribute__((format(printf, 3, 4))) int trace_input_fail(const struct trace_input *input, struct trace_error *error,
							   const char *format, ...);
