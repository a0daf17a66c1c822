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
// Ends and closes the files. False: something could not be written; one line in `error`.
bool event_log_close(struct event_log *log, char *error, size_t size);
