// SPDX-License-Identifier: Apache-2.0
//
// The figures of a replay as a table: a column for each policy, the first being the baseline, and one for the recorded
// kernel.

#pragma once

#include "report/compare.h"
#include "trace/replay.h"

// Fills an empty table, except for its column names: figures[i] belongs to column i of nr.
void replay_table(struct compare *compare, const struct replay_figures *figures, unsigned nr);
