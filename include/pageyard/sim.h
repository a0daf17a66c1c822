// SPDX-License-Identifier: Apache-2.0
//
// What a simulator may set on a yard of the sim platform.

#pragma once

#include <pageyard/yard.h>

#ifdef __cplusplus
extern "C" {
#endif

// Calls that follow act on this CPU. YARD_ERANGE for one that the yard does not have.
int yard_sim_set_cpu(struct yard *yard, unsigned cpu);

// The platform's state (yard_platform.h): its clock, costs and hooks are the simulator's to set.
struct yard_host *yard_sim_host(struct yard *yard);

// N1: while set, per-CPU sets count as locked by somebody else (P9, B12), as an interrupt would find them.
void yard_sim_set_pcp_busy(struct yard *yard, bool busy);

// While set, zone locks count as held: only NOLOCK callers (B14) and asynchronous compaction (spec 03 C4.4) notice.
void yard_sim_set_zone_busy(struct yard *yard, bool busy);
void yard_sim_set_lru_busy(struct yard *yard, bool busy); // ... the locks of the LRU lists: compaction notices

// P10.5, N1: the drain that the next free starts loses its CPU after `portions` portions, if it needs more. 0: never.
void yard_sim_preempt_drain(struct yard *yard, unsigned portions);

struct yard_sim_drain { // what such a drain left to do
	unsigned zone, pindex;
	int32_t to_free;
};
// Whether a drain was preempted since the last call; fills *rest.
bool yard_sim_preempted_drain(struct yard *yard, struct yard_sim_drain *rest);
// The current CPU goes on with it.
void yard_sim_resume_drain(struct yard *yard, const struct yard_sim_drain *rest);

#ifdef __cplusplus
}
#endif
