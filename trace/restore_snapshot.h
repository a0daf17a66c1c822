// SPDX-License-Identifier: Apache-2.0
//
// From a snapshot to a yard of the sim platform in that state, and back to a comparison.

#pragma once

#include <pageyard/yard.h>

#include "trace/snapshot.h"

// Builds a yard that is in the recorded state: lists in order, per-CPU sets, pageblocks, watermarks, counters with their
// unfolded differences; frames in use are allocated blocks of order 0, those on LRU lists marked so. The caller frees
// *memory (free()) when done with *yard. Returns 0, or -1 and fills *error: a frame on two lists, a list outside its
// zone, a count that the lists contradict, counters that disagree with the lists (spec 01 section 13).
int snapshot_to_yard(const struct snapshot *snapshot, const struct yard_policy *policy, void **memory, size_t *size,
		     struct yard **yard, struct trace_error *error);

// The CPU's node: the snapshot does not tell it; CPUs are spread over the nodes in equal runs.
unsigned snapshot_cpu_node(const struct snapshot *snapshot, unsigned cpu);

static inline unsigned snapshot_zone_id(const struct snapshot_zone *zone)
{
	return zone->node * YARD_ZONE_TYPES + zone->index;
}
