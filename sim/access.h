// SPDX-License-Identifier: Apache-2.0
//
// What accesses to memory cost by where it lies (spec 05 X33, X34, C6): a task accesses the pages of an object in
// bulk, and each access costs c + m * latency(node, load): c is what it costs when the CPU's caches have it, m the
// share of accesses that they do not have. Latencies and bandwidths are the machine's (`latency:`, `bandwidth:`;
// without them all memory is alike and nothing is ever loaded), c and m as well (`access:`). The load is the
// utilisation of the busier of the node's memory and the link to it in the last milliseconds; who asks for more than
// there is waits, in the order of asking.
//
// Other traffic (page faults that zero pages, reclaim, migration, devices) loads nothing.

#pragma once

#include <pageyard/yard.h>

#include "sim/memory.h"

struct access_account {		  // of a workload, all its tasks; all zero at first
	uint64_t accesses, local; // local: to the node of the CPU that the task ran on
	uint64_t time_ns;	  // that they took: A is time_ns / accesses
	uint64_t waited_ns;	  // of it, for bandwidth that others used
	uint64_t rest_ps;	  // less than a nanosecond that is not in time_ns yet
};

struct access_pattern {
	// Misses that are under way at a time: 1 for a chase of pointers, about 10 for a sweep that the CPU sees
	// coming. The latency of one counts so much less; the traffic does not. 0 is 1.
	uint32_t parallel;
};

// So many accesses, spread evenly over the pages of the object that are in memory now (looked at anew each half
// millisecond). User time of the running task; others may run on the way. It faults nothing in and sets no accessed
// bits: who wants that touches pages (memory_touch_range()). Of pages that NUMA balancing has marked, as many have
// their hinting faults as random accesses would meet. Returns how many were made: fewer when the task was stopped or
// no page is in memory.
uint64_t access_bulk(struct simulation *sim, struct access_account *account, struct memory_object *object,
		     uint64_t accesses, const struct access_pattern *pattern);

// The same until `time_ns` instead of a number of them.
uint64_t access_until(struct simulation *sim, struct access_account *account, struct memory_object *object,
		      uint64_t time_ns, const struct access_pattern *pattern);

// A in picoseconds; 0: there were no accesses.
uint64_t access_mean_ps(const struct access_account *account);

// What an access from a CPU of one node to memory of another takes now, in ps (X34).
uint64_t access_cost_ps(const struct simulation *sim, unsigned cpu_node, unsigned node,
			const struct access_pattern *pattern);

// ---- load (access_load.c) ----

struct access_load; // of all nodes and links of a machine

bool access_create(struct simulation *sim); // sim->access. False: no host memory
void access_destroy(struct simulation *sim);

// X33: what this utilisation (parts per million, 1000000 and more is full) adds to the latency, in ps.
uint64_t access_loaded_ps(uint32_t utilisation_ppm);
// Of the busier of the memory of `node` and the link to it from `cpu_node`, now.
uint32_t access_utilisation_ppm(const struct simulation *sim, unsigned cpu_node, unsigned node);
// So many bytes go that way from `start_ns` on. Returns when they have, as far as bandwidth is concerned.
uint64_t access_transfer(struct simulation *sim, unsigned cpu_node, unsigned node, uint64_t start_ns, uint64_t bytes);
