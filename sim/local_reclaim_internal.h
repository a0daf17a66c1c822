// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "sim/local_reclaim.h"
#include "sim/memory_internal.h"
#include "sim/scheduler.h"
#include "sim/workload.h"

enum {
	CACHE_SETS_MAX = 64,
	HOT_SECONDS = 10, // L6 ii
	HOT_BUCKETS = 16,
};

struct hot_bucket { // pages of regions that were used again last in this second
	uint32_t second;
	uint64_t pages[YARD_NODES_MAX];
};

struct cache_set {
	const char *name; // the workload's
	enum cache_advice advice;
	uint64_t pages[YARD_NODES_MAX]; // by node
	struct hot_bucket hot[HOT_BUCKETS];
};

struct local_owner_name {
	const char *name; // the workload's
	uint8_t owner;
};

struct local_simulation {
	struct cache_set set[CACHE_SETS_MAX];
	uint16_t nr_sets;
	struct local_owner_name owner[YARD_LOCAL_OWNERS_MAX];
	unsigned nr_owners;
};
