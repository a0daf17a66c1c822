// SPDX-License-Identifier: Apache-2.0
//
// What a simulator may set on a yard of the sim platform.

#pragma once

#include <pageyard/yard.h>

// Calls that follow act on this CPU. YARD_ERANGE for one that the yard does not have.
int yard_sim_set_cpu(struct yard *yard, unsigned cpu);

// N1: while set, per-CPU sets count as locked by somebody else (P9, B12), as an interrupt would find them.
void yard_sim_set_pcp_busy(struct yard *yard, bool busy);

// While set, zone locks count as held: only NOLOCK callers notice (B14).
void yard_sim_set_zone_busy(struct yard *yard, bool busy);
