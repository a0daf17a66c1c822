// SPDX-License-Identifier: Apache-2.0
//
// Reading recorded events, whatever the file: a stream with memory that does not grow with the file.

#pragma once

#include "trace/event.h"

struct trace_reader;

enum trace_format { TRACE_FORMAT_ORACLE, TRACE_FORMAT_DAT, TRACE_FORMAT_TEXT };

// What is wrong with an input, ready to print: "FILE:LINE: reason" or "FILE: offset N: reason".
struct trace_error {
	char text[512];
};

// Opens a file of events and tells its format from its first bytes (zstd is unpacked on the way, whatever the
// name). `path` may also be a record's folder: then its events.txt or events.txt.zst is meant.
// Returns NULL and fills *error. The caller closes the reader.
struct trace_reader *trace_open(const char *path, struct trace_error *error);

// The next event in time order. 1: *event is filled. 0: the end, and the file was complete. -1: *error tells
// what is wrong and where (malformed line, truncated file, number out of range). After 0 or -1 only trace_close
// may follow.
int trace_next(struct trace_reader *reader, struct trace_event *event, struct trace_error *error);

enum trace_format trace_reader_format(const struct trace_reader *reader);

// Number of events that the recorder says it lost, so far (trace.dat: missed_events; text: "LOST n EVENTS";
// a record's `cut N` line). 0 means that none is known to be lost.
uint64_t trace_reader_lost(const struct trace_reader *reader);

// How much of the file has been consumed, in bytes of the file as it lies on disk, and how large it is.
void trace_reader_progress(const struct trace_reader *reader, uint64_t *done, uint64_t *total);

void trace_close(struct trace_reader *reader);
