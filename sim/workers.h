// SPDX-License-Identifier: Apache-2.0
//
// The kernel's own threads and timers: kswapd and kcompactd of each node, the OOM reaper, the vmstat work of each CPU,
// the pressure statistics.

#pragma once

#include "sim/scheduler.h"

struct workers;

// NULL: no memory (sim_fail() was called).
struct workers *workers_start(struct simulation *sim);
void workers_free(struct workers *workers); // after the scheduler's end

// What a worker's step asked for. True: it was woken.
bool worker_sleep(struct simulation *sim, const struct yard_wait *wait);

struct worker_times { // CPU time, ns; 0 on nodes without memory
	uint64_t kswapd, kcompactd;
};
struct worker_times workers_cpu_times(const struct simulation *sim, unsigned node); // so far
