// SPDX-License-Identifier: Apache-2.0

#include "trace/machine.h"

#include <stdlib.h>
#include <string.h>

#include "trace/internal.h"
#include "trace/restore_snapshot.h"

enum {
	ALIGNMENT = 64,
	LOW_MEMORY_END = 3 << 18,    // frames below 3 GiB
	HIGH_MEMORY_START = 1 << 20, // 4 GiB
};

#define PAGES_MAX (UINT32_MAX - (uint64_t)(HIGH_MEMORY_START - LOW_MEMORY_END) - YARD_PAGEBLOCK_NR_PAGES)

int machine_from_snapshot(struct machine *machine, const struct snapshot *snapshot, const struct yard_policy *policy,
			  struct trace_error *error)
{
	*machine = (struct machine){0};
	return snapshot_to_yard(snapshot, policy, &machine->memory, &machine->size, &machine->yard, error);
}

static uint32_t pc_memory(uint64_t pages, struct yard_range range[2])
{
	range[0] = (struct yard_range){.end = pages < LOW_MEMORY_END ? (uint32_t)pages : LOW_MEMORY_END};
	if (pages <= LOW_MEMORY_END)
		return 1;
	range[1] = (struct yard_range){HIGH_MEMORY_START, (uint32_t)(HIGH_MEMORY_START + pages - LOW_MEMORY_END), 0};
	return 2;
}

int machine_from_pages(struct machine *machine, uint64_t pages, unsigned nr_cpus, const struct yard_policy *policy,
		       struct trace_error *error)
{
	static const struct yard_range first_frame = {.end = 1};
	struct yard_range range[2];
	struct yard_config config = {
		.nr_nodes = 1,
		.nr_cpus = nr_cpus,
		.memory = range,
		.nr_memory = pc_memory(pages, range),
		.reserved = &first_frame,
		.nr_reserved = 1,
		.user_min_free_kbytes = -1,
		.watermark_boost_factor = -1,
		.policy = *policy,
	};
	uintptr_t start;

	*machine = (struct machine){.size = yard_size(&config, NULL)};
	if (!machine->size)
		return trace_fail(error, "no machine can be built with %llu pages and %u CPUs",
				  (unsigned long long)pages, nr_cpus);
	machine->memory = calloc(1, machine->size + ALIGNMENT); // zeroed, and not touched where the yard does not
	if (!machine->memory)
		return trace_fail(error, "no memory for a machine of %llu pages: %zu bytes", (unsigned long long)pages,
				  machine->size);
	start = ((uintptr_t)machine->memory + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
	if (yard_init((void *)start, machine->size, &config, &machine->yard)) {
		machine_free(machine);
		return trace_fail(error, "no machine can be built with %llu pages and %u CPUs",
				  (unsigned long long)pages, nr_cpus);
	}
	return 0;
}

void machine_free(struct machine *machine)
{
	free(machine->memory);
	*machine = (struct machine){0};
}

bool machine_parse_size(const char *text, uint64_t *pages)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	char *unit;
	unsigned long long number;

	if (text[0] < '0' || text[0] > '9')
		return false;
	number = strtoull(text, &unit, 10); // too large a number becomes ULLONG_MAX, which is refused below
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		unsigned shift = 10 * i;
		uint64_t kib;

		if (strcmp(unit, units[i]))
			continue;
		kib = (uint64_t)number << shift;
		if (kib >> shift != number || kib / 4 > PAGES_MAX || kib / 4 < YARD_PAGEBLOCK_NR_PAGES)
			return false;
		*pages = kib / 4;
		return true;
	}
	return false;
}
