// SPDX-License-Identifier: Apache-2.0
//
// Results as JSON Lines: a `meta` line with all that a result depends on, then a line for each iteration of each run.
// Where there are variants, `meta` has the machine and fingerprint of each, and every line says which it is of.

#pragma once

#include "report/run_table.h"

// False: something could not be written.
bool run_json(FILE *file, const char *version, const struct run_set *set, unsigned nr_sets);
