// SPDX-License-Identifier: Apache-2.0
//
// What guard.c (when) and guard_victim.c (whom) share.

#pragma once

#include "sim/process_internal.h"

enum { OOMD_SWAP_USER_PAGES = (1 << 20) / SIM_PAGE }; // kill_by_swap_usage's default threshold is 1 MiB

struct guard_group { // a group over time
	uint64_t pgscan;
	bool reclaimed, pressed;
	uint64_t reclaimed_at, pressed_since;
	struct leaf_history leaf; // as a leaf
};

struct guard {
	struct simulation *sim;
	struct guard_config config;
	unsigned index;
	struct guard_group group[YARD_PSI_GROUPS];
	bool acted, short_before;
	uint64_t acted_at;
	char trigger[GUARD_TEXT_MAX];
	struct guard_state state;
	struct sim_timer swap_timer, pressure_timer, oomd_timer;
};

// Notes what each leaf uses and how much of it was scanned, for the rates. Once each interval.
void guard_look(struct guard *guard);
// The leaf that uses most swap, if more than so many pages. True: somebody was killed (or would have been: a dry run).
bool guard_kill_swap_user(struct guard *guard, uint64_t more_than_pages);
// The leaf below the group (0: all leaves) of which most was scanned between the last two looks.
bool guard_kill_most_scanned(struct guard *guard, unsigned group);
// The largest leaf below the group if it has more than half of their memory; else, of the largest fifth, the one that
// has grown most, by a quarter at least.
bool guard_kill_by_size_or_growth(struct guard *guard, unsigned group);
