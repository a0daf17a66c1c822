// SPDX-License-Identifier: Apache-2.0
//
// What the tests of memory and CPUs that join later share.

#pragma once

#include "engine_fixture.h"

enum {
	SECTION = PAGES_PER_SECTION,
	MAX = 1 << YARD_MAX_PAGE_ORDER,
	NODE1 = YARD_ZONE_TYPES + NORMAL,
};

static UNUSED struct yard_config memory_config(const struct yard_range *memory, uint32_t nr)
{
	struct yard_config config = plain_config();

	config.memory = memory;
	config.nr_memory = nr;
	for (uint32_t i = 0; i < nr; i++)
		if (memory[i].node >= config.nr_nodes)
			config.nr_nodes = memory[i].node + 1;
	return config;
}
