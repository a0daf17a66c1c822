// SPDX-License-Identifier: Apache-2.0
//
// A scenario as its file says it, before it is made into a struct scenario.

#pragma once

#include "sim/machine_file.h"
#include "sim/scenario.h"

struct scenario_file {
	const struct config_node *place;
	const char *text, *story;
	struct machine_file machine;
	uint64_t duration_ns, settle_ns, iterations, seed;
	bool until_done;
	CONFIG_LIST_OF(const char *) policies, rows;
	CONFIG_LIST_OF(struct config_variant) workload;
	CONFIG_LIST_OF(struct config_variant) guards;
	CONFIG_LIST_OF(struct scenario_variant) variants;
};
