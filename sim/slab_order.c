// SPDX-License-Identifier: Apache-2.0
//
// How many pages a slab has. The rule is fitted to what Linux 7.3 shows of itself: objsize, objperslab and pagesperslab
// of /proc/slabinfo in the exact-frame records, nine of one CPU and two of two CPUs (smp2-mix-d0, numa2-mix-d0). There
// are 69 sizes of objects, and each has one order on one CPU and one on two.
//
// - No slab is larger than 8 pages, and a smaller one never holds fewer than 8 objects on one CPU, 12 on two.
// - Among the orders with that many objects the least is taken whose slab leaves at most a sixteenth unused: 640-byte
//   objects in two pages leave exactly that. The rows allow no other number of objects, and no limit from 67/1024 on.
// - Where no order qualifies the slab has 8 pages (objects of 4864 and 9024 bytes). Nothing better is missed: if fewer
//   pages hold 8 objects, one has at most 2 KiB, and 8 pages leave less than one object unused, under a sixteenth.
//
// More CPUs are extrapolated: 4 objects for each doubling. (4 for each CPU would fit two as well, but from 64 CPUs on
// nearly every cache would have slabs of 8 pages.)

#include "sim/slab.h"

enum { OBJECTS_ON_ONE_CPU = 8, OBJECTS_PER_DOUBLING = 4, UNUSED_SHARE = 16 };

static uint32_t slab_bytes(unsigned order)
{
	return (uint32_t)SIM_PAGE << order;
}

static uint32_t objects_wanted(unsigned nr_cpus)
{
	uint32_t objects = OBJECTS_ON_ONE_CPU;

	for (; nr_cpus >= 2; nr_cpus /= 2)
		objects += OBJECTS_PER_DOUBLING;
	return objects;
}

unsigned slab_least_order(uint32_t size)
{
	unsigned order = 0;

	while (slab_bytes(order) < size)
		order++;
	return order;
}

unsigned slab_order(uint32_t size, unsigned nr_cpus)
{
	uint32_t wanted = objects_wanted(nr_cpus);

	for (unsigned order = 0; order < SLAB_ORDER_MAX; order++) {
		uint32_t bytes = slab_bytes(order);

		if (bytes / size >= wanted && bytes % size <= bytes / UNUSED_SHARE)
			return order;
	}
	return SLAB_ORDER_MAX;
}
