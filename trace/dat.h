// SPDX-License-Identifier: Apache-2.0
//
// The parts of the trace.dat reader: a check of the file's structure that needs no library, and the decoder, which
// runs libtracecmd in a process of its own because that library may crash on a damaged file.

#pragma once

#include <stdint.h>

#include "trace/event.h"
#include "trace/reader.h"

// Walks the sections of a trace.dat (versions 6 and 7): each must lie in the file, packed ones must unpack, and so
// must every cpu's data. 0, or -1 and *error, "FILE: offset N: reason". `size` is the file's.
// *events = how many events the recorder says it got, 0 if that is not told.
int trace_dat_check(int fd, uint64_t size, const char *path, uint64_t *events, struct trace_error *error);

enum trace_dat_kind { TRACE_DAT_EVENTS, TRACE_DAT_END, TRACE_DAT_ERROR };

// What the decoder writes to its pipe: this, then `count` events or `count` bytes of an error's reason.
struct trace_dat_message {
	uint32_t kind, count;
	uint64_t offset; // about where in the file it has come to
	uint64_t lost;	 // in all so far
};

enum {
	TRACE_DAT_BATCH = 512,
	TRACE_DAT_SILENCE = 120, // seconds; a decoder that finds nothing to say for so long hangs, and ends
};

// Decodes the file into the pipe, and holds at least `events` events to be there. In a process of its own: it ends with
// _exit.
_Noreturn void trace_dat_decode(int fd, int pipe, uint64_t events);
