// SPDX-License-Identifier: Apache-2.0
//
// Files that are there whole or not at all: what is written is named PATH.partial, in the same folder, until all is
// written and it takes the place of PATH. What PATH was before stays until then, and for ever if the run fails or is
// interrupted. What is no regular file (a pipe, a device), or open already (/dev/stdout, /dev/fd/9), has no such name:
// it gets each byte at once.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct output_file { // all 0: none
	const char *path;     // as it was given; the caller's
	// The names that it will have and that it has, without links: two paths to one file have one target. NULL: it
	// is written to `path` itself.
	char *target, *partial;
	FILE *file;	      // NULL: not open, or finished
	int error;	      // errno of the first write that failed
};

// False: it can't be written; one line in `error`, and nothing is left of it. PATH may be NULL: true, no file is open.
bool output_file_open(struct output_file *output, const char *path, char *error, size_t size);
// All was written: closes the file, which has its name not before output_file_keep(). False: not all is on the disk;
// one line in `error`.
bool output_file_finish(struct output_file *output, char *error, size_t size);
// Ends in one of these. keep: the file of a finished output gets its name; false: it could not and has still the other;
// one line in `error`. discard: at any time; nothing is left of it.
bool output_file_keep(struct output_file *output, char *error, size_t size);
void output_file_discard(struct output_file *output);

// From now on SIGINT, SIGTERM and SIGHUP, unless they are ignored, remove all files that have not got their names, say
// so on stderr, one line "WHO: PATH: not written, ..." each, and end the process as they would have. `who` must live
// as long as the process.
void output_files_end_with_signals(const char *who);
