// SPDX-License-Identifier: Apache-2.0
//
// Guards in user space: systemd-oomd and oomd as periodic observers (spec 02 section 8). A guard takes no CPU time and
// no memory, and its kill takes effect at once.
//
// The model. Every named group is a leaf of the hierarchy, and so is each process that is in none; guards look at the
// whole system (group 0) and at each named group, and kill a leaf as a whole. A process in no group with an
// oom_score_adj of -1000 is left alone. The memory of a leaf is its resident anonymous memory. Page cache counts where
// it is scanned: as that of the group whose task brought it in; of a process in no group it counts for the system only.

#pragma once

#include "sim/process.h"
#include "sim/scenario.h"

enum { GUARD_VICTIMS_MAX = 64, GUARD_TEXT_MAX = 160, GUARD_NAME_MAX = 32 };

struct guard_victim {
	uint64_t time_ns;
	char name[GUARD_NAME_MAX];   // the group, or "comm[pid]"
	char trigger[GUARD_TEXT_MAX]; // what had the guard act
	uint32_t processes;	     // of it that were alive
	uint64_t resident, swapped;  // pages
};

struct guard_state { // UG-4
	const char *name;     // "systemd-oomd", "oomd"
	bool dry_run;	      // it only records: kills stays 0
	uint64_t first_ns;    // of the first firing; UINT64_MAX: it never fired
	uint64_t firings;     // times that it chose a victim. A dry run of the swap rule counts a state that lasts once
	uint64_t kills;	      // leaves
	struct guard_victim victim[GUARD_VICTIMS_MAX];
	unsigned nr_victims;  // may be more than are listed
};

// Observes from now on, until the simulation is destroyed. Index: of the scenario's guard, below PROCESS_GUARDS_MAX,
// not in use. False: it is, or there is no host memory (sim_fail() was called).
bool guard_start(struct simulation *sim, const struct guard_config *config, unsigned index);
void guard_state(const struct simulation *sim, unsigned index, struct guard_state *state); // all zero: no such guard
void guards_destroy(struct simulation *sim); // with the processes, when nothing runs any more

// MemAvailable as /proc/meminfo estimates it: free memory above the reserves, and what of the page cache and of
// reclaimable slab can go without swapping. Pages.
uint64_t guard_available_pages(const struct simulation *sim);
