// SPDX-License-Identifier: Apache-2.0
//
// The workloads on a yard: one node, all of it zone Normal, policy linux-7.3.

#define _GNU_SOURCE
#include "bench/bench.h"

#include <sys/mman.h>
#include <unistd.h>

#include "pageyard/yard.h"

enum { FIRST_PFN = 1 << 20 }; // at 4 GiB, where zone Normal begins

struct mapping { // in front of a yard, on a page of its own
	size_t size;
};

static void *yard_create(const struct settings *settings, uint32_t frames)
{
	struct yard_range memory = { .start = FIRST_PFN, .end = FIRST_PFN + frames };
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct yard_config config = {
		.nr_nodes = 1,
		.nr_cpus = cpus > 0 && cpus <= YARD_CPUS_MAX ? (uint32_t)cpus : 1,
		.memory = &memory,
		.nr_memory = 1,
		.user_min_free_kbytes = -1,
		.watermark_boost_factor = -1,
	};
	struct yard *yard;
	size_t bytes;
	char *map;

	yard_policy_parse("linux-7.3", &config.policy, NULL, 0);
	bytes = yard_size(&config, NULL);
	map = mmap(NULL, bytes + FRAME_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		die("no %zu bytes of address space for a yard", bytes);
	if (settings->huge_pages && madvise(map, bytes + FRAME_SIZE, MADV_HUGEPAGE))
		die("the system has no huge pages to give");
	if (yard_init(map + FRAME_SIZE, bytes, &config, &yard) != YARD_OK)
		die("yard_init refuses %u frames", frames);
	((struct mapping *)map)->size = bytes + FRAME_SIZE;
	return yard;
}

static struct mapping *mapping_of(void *yard)
{
	return (struct mapping *)((char *)yard - FRAME_SIZE);
}

static void yard_destroy(void *self)
{
	munmap(mapping_of(self), mapping_of(self)->size);
}

static void yard_settle(void *self)
{
	yard_drain_all(self, -1);
}

const struct allocator pageyard_allocator = { yard_create, yard_destroy, yard_settle };

size_t pageyard_bytes(void *self)
{
	return mapping_of(self)->size - FRAME_SIZE;
}

// ---- the workloads ----

static inline uint32_t get(void *self, unsigned order, uint32_t gfp)
{
	return yard_alloc(self, gfp, order);
}

static inline void put(void *self, uint32_t pfn, unsigned order)
{
	if (__builtin_expect(yard_free(self, pfn, order) != YARD_OK, 0))
		die("yard_free refuses frame %u of order %u", pfn, order);
}

#define PREFIX ""
#define LIFE   pageyard_allocator
#include "bench/workloads.h"

const struct benchmark pageyard_benchmarks[] = { WORKLOADS, { 0 } };
