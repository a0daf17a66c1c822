// SPDX-License-Identifier: Apache-2.0
//
// Pressure stall information for memory (spec 02 section 7.1): how much wall time tasks lose to a shortage of memory.
//
// The engine marks the stalls (PSI-3). For exact figures the embedder tells where each task is, as a scheduler does; a
// task that it never announced counts as running on the current CPU during its stalls and not at all between them.
// Groups stand for containers: each task counts in its own group and in group 0, the whole system.

#pragma once

#include <pageyard/task.h>
#include <pageyard/yard.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { YARD_PSI_GROUPS = 8, YARD_PSI_TRIGGERS = 16 };

enum yard_psi_task_state { // 0: asleep, or gone
	YARD_PSI_RUNNABLE = 1,
	YARD_PSI_ON_CPU = 2, // includes RUNNABLE
	YARD_PSI_IOWAIT = 4, // asleep until I/O is done
};

enum yard_psi_stall {
	YARD_PSI_SOME, // some task is stalled
	YARD_PSI_FULL, // ... and no other one gets anything done
	YARD_PSI_STALLS
};

enum yard_psi_average { YARD_PSI_AVG10, YARD_PSI_AVG60, YARD_PSI_AVG300, YARD_PSI_AVERAGES };

struct yard_psi {
	uint32_t avg[YARD_PSI_STALLS][YARD_PSI_AVERAGES]; // hundredths of a percent (PSI-4)
	uint64_t total_us[YARD_PSI_STALLS];
};

// From now on the task is in this state (enum yard_psi_task_state) on `cpu`; one that sleeps stays counted where it was
// last. Announces the task. YARD_ERANGE: no such CPU; YARD_EINVAL: not a state.
int yard_psi_task(struct yard *yard, struct yard_task *task, unsigned cpu, unsigned state);
// The task's group from now on; 0: none but the system. YARD_ERANGE: no such group.
int yard_psi_set_group(struct yard *yard, struct yard_task *task, unsigned group);

// A stall of the current task that the engine does not see: swap-in of what was evicted a moment ago, the embedder's
// own limits (PSI-3). Nests.
void yard_memstall_enter(struct yard *yard);
void yard_memstall_leave(struct yard *yard);

// What a timer does: averages and triggers that are due. Returns in how many nanoseconds it wants to run again.
uint64_t yard_psi_update(struct yard *yard);
// The figures of a group now. YARD_ERANGE: no such group.
int yard_psi_get(struct yard *yard, unsigned group, struct yard_psi *psi);

// PSI-5: an event, at most one per window, when stalls of this kind took threshold_us within window_us. Returns the
// trigger's number; YARD_ERANGE: no such group; YARD_EINVAL: a window of 0 or above 10 s, a threshold of 0 or above the
// window, or an unprivileged one whose window is no multiple of 2 s; YARD_ENOMEM: there are YARD_PSI_TRIGGERS already.
int yard_psi_trigger_add(struct yard *yard, unsigned group, enum yard_psi_stall stall, uint32_t threshold_us,
			 uint32_t window_us, bool privileged);
void yard_psi_trigger_remove(struct yard *yard, int trigger);
bool yard_psi_trigger_poll(struct yard *yard, int trigger); // true once for each event

#ifdef __cplusplus
}
#endif
