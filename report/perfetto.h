// SPDX-License-Identifier: Apache-2.0
//
// Timelines that the Perfetto UI opens: tracks (a node, a task, a counter), slices and instants on them, values over
// time. Packets of Perfetto's Trace protobuf are written as they come; times may be given in any order, but the slices
// of one track must nest.
//
// Errors of the file are kept: look at perfetto_ok() when all is written, then close the file.

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct perfetto {
	FILE *file;	 // opened for writing in binary mode; the caller's
	uint64_t tracks; // how many there are; 0 at the start
};

// A track; its number is 1 or more. The parent is another track, which it is shown under, or 0. The name is copied.
uint64_t perfetto_track(struct perfetto *perfetto, uint64_t parent, const char *name);
uint64_t perfetto_counter_track(struct perfetto *perfetto, uint64_t parent, const char *name);

// Times in ns. The end is that of the innermost slice that is open on the track.
void perfetto_begin(struct perfetto *perfetto, uint64_t time, uint64_t track, const char *name);
void perfetto_end(struct perfetto *perfetto, uint64_t time, uint64_t track);
void perfetto_instant(struct perfetto *perfetto, uint64_t time, uint64_t track, const char *name);

// The track must be one of perfetto_counter_track().
void perfetto_value(struct perfetto *perfetto, uint64_t time, uint64_t track, int64_t value);

// Writes what is buffered; false if something could not be written.
bool perfetto_ok(struct perfetto *perfetto);
