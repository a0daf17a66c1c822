// SPDX-License-Identifier: Apache-2.0
//
// What happens in a simulation, written while it happens: as the text of tracefs (for scripts that read ftrace, and for
// trace-cmd's users), as events of a record (docs/oracle-format.md: `pageyard replay` takes them), and as a timeline for
// Perfetto.

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sim/simulation.h"

struct event_log;

struct event_log_paths { // NULL: not wanted
	const char *text, *record, *perfetto;
};

// Opens the files. NULL: one can't be written, or two are the same; one line in `error`.
struct event_log *event_log_open(const struct event_log_paths *paths, char *error, size_t size);
// What can't be written ends the simulation (sim_fail()).
void event_log_event(struct event_log *log, struct simulation *sim, const struct yard_event *event);
// Now and then, while nothing runs: what has a value at each time.
void event_log_sample(struct event_log *log, struct simulation *sim);
// Ends the files, which have their names from now on (report/output_file.h). False: something could not be written, and
// no file has its name; or one could not get its name, and those before it have theirs. One line in `error`.
bool event_log_close(struct event_log *log, char *error, size_t size);
// Instead of event_log_close(), after a failure: no file is left but what is a pipe or a device. `names` (of `size`
// bytes, not 0) gets the paths of those that are not there, with commas.
void event_log_discard(struct event_log *log, char *names, size_t size);
