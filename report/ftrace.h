// SPDX-License-Identifier: Apache-2.0
//
// Events as lines of tracefs' `trace` file, with the text that Linux 7.3 prints for each tracepoint, so that scripts
// written for the kernel read what the engine did. Events that the kernel does not have ("take", "why_...") are printed
// as NAME: key=value ... too.

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <pageyard/event.h>
#include <pageyard/task.h>

// The heading of a trace file.
void ftrace_header(FILE *file, unsigned nr_cpus);

// One event, in a line without its end: "kswapd0-43 [000] d..1. 11.684997: mm_vmscan_lru_isolate: classzone=2 ...".
// `task`: who caused it; NULL: nobody is known. Always terminates; returns the length that was needed.
size_t ftrace_line(char *text, size_t size, const struct yard_event *event, uint64_t ns, const struct yard_task *task);
