// SPDX-License-Identifier: Apache-2.0

#include "trace/zone_names.h"

enum { GROUP_BYTES = 20480 }; // of zones in one array; nodes lie farther apart

void zone_names_init(struct zone_names *names, struct yard *yard)
{
	*names = (struct zone_names){0};
	for (unsigned zone = 0; zone < yard_nr_zones(yard); zone++) {
		struct yard_zone_state state;

		yard_get_zone(yard, zone, &state);
		if (state.populated)
			names->populated[names->nr_populated++] = (uint8_t)zone;
	}
}

static uint32_t group_of(struct zone_names *names, uint64_t address)
{
	for (uint32_t i = 0; i < names->nr; i++) {
		uint64_t other = names->name[i].address;

		if ((address > other ? address - other : other - address) < GROUP_BYTES)
			return names->name[i].group;
	}
	return names->nr_groups++;
}

// How many of the known zones come before this one.
static int rank(const struct zone_names *names, const struct zone_name *name)
{
	uint32_t before = 0;

	for (uint32_t i = 0; i < names->nr; i++) {
		const struct zone_name *other = &names->name[i];

		before += other->group < name->group || (other->group == name->group && other->address < name->address);
	}
	return before < names->nr_populated ? names->populated[before] : -1;
}

static const struct zone_name *find(const struct zone_names *names, uint64_t address)
{
	for (uint32_t i = 0; i < names->nr; i++)
		if (names->name[i].address == address)
			return &names->name[i];
	return NULL;
}

int zone_names_visit(struct zone_names *names, uint64_t address)
{
	const struct zone_name *name = find(names, address);

	if (name)
		return rank(names, name);
	if (names->nr == names->nr_populated)
		return -1;
	names->name[names->nr] = (struct zone_name){address, group_of(names, address)};
	return rank(names, &names->name[names->nr++]);
}

int zone_names_find(const struct zone_names *names, uint64_t address)
{
	const struct zone_name *name = names->nr == names->nr_populated ? find(names, address) : NULL;

	return name ? rank(names, name) : -1;
}
