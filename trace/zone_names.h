// SPDX-License-Identifier: Apache-2.0
//
// Which zone a record means by an address (`decay_pcp zone=0xffff888017fd4f40`).
//
// The kernel's vmstat work visits the populated zones in node-then-index order, and the zones of a node lie in one
// array. So addresses are sorted within a node, nodes by first appearance: right as soon as all were seen, and before
// that unless a recording begins in the middle of the first visit.

#pragma once

#include <stdint.h>

#include <pageyard/yard.h>

enum { ZONE_NAMES_MAX = YARD_NODES_MAX * YARD_ZONE_TYPES };

struct zone_names {
	uint8_t populated[ZONE_NAMES_MAX]; // zone ids, in node-then-index order
	uint32_t nr_populated;
	struct zone_name {
		uint64_t address;
		uint32_t group; // of addresses close to each other: a node
	} name[ZONE_NAMES_MAX];
	uint32_t nr, nr_groups;
};

void zone_names_init(struct zone_names *names, struct yard *yard);

// The zone, for the vmstat work's own events: an address seen for the first time is added. -1: more addresses than zones.
int zone_names_visit(struct zone_names *names, uint64_t address);

// The zone, for other events. -1: not known yet.
int zone_names_find(const struct zone_names *names, uint64_t address);
