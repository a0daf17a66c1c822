// SPDX-License-Identifier: Apache-2.0
//
// A simulation as a Perfetto timeline: a track for each task that reclaims, compacts or balances, with a slice for each such
// stretch; instants for what changes pageblocks or kills; counters for free memory, the LRU lists, swap and stalls.

#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "sim/simulation.h"

struct timeline;

struct timeline *timeline_create(FILE *file); // NULL: no memory. The file stays the caller's
void timeline_event(struct timeline *timeline, struct simulation *sim, const struct yard_event *event);
void timeline_sample(struct timeline *timeline, struct simulation *sim); // the counters; while nothing runs
bool timeline_destroy(struct timeline *timeline); // false: something could not be written
