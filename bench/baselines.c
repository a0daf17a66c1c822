// SPDX-License-Identifier: Apache-2.0
//
// What the yard's figures are compared with, measured in the same run: a textbook buddy under the same workloads, and
// the kernel's own way to get a page into a process.

#define _GNU_SOURCE
#include "bench/bench.h"

#include <sys/mman.h>

#include "bench/textbook.h"

static void *buddy_create(const struct settings *settings, uint32_t frames)
{
	struct textbook *buddy = textbook_create(frames);

	(void)settings;
	if (!buddy)
		die("out of memory");
	return buddy;
}

static void buddy_destroy(void *self)
{
	textbook_destroy(self);
}

static const struct allocator buddy_allocator = { buddy_create, buddy_destroy, NULL };

static inline uint32_t get(void *self, unsigned order, uint32_t gfp)
{
	(void)gfp;
	return textbook_alloc(self, order);
}

static inline void put(void *self, uint32_t pfn, unsigned order)
{
	textbook_free(self, pfn, order);
}

#define PREFIX "textbook_buddy_"
#define LIFE   buddy_allocator
#include "bench/workloads.h"

// ---- mmap ----

enum { MMAP_SHARE = 64 }; // a system call costs about so many times as much as a pair: fewer of them make a round

static uint64_t map_pages(struct worker *worker, bool touch)
{
	uint64_t nr = worker->settings->operations / MMAP_SHARE;

	for (uint64_t i = 0; i < nr; i++) {
		char *page = mmap(NULL, FRAME_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			die("mmap failed");
		if (touch)
			*(volatile char *)page = 1;
		munmap(page, FRAME_SIZE);
	}
	return nr;
}

static uint64_t mmap_pair(struct worker *worker)
{
	return map_pages(worker, false);
}

static uint64_t mmap_touch_pair(struct worker *worker)
{
	return map_pages(worker, true);
}

const struct benchmark baseline_benchmarks[] = {
	WORKLOADS,
	{ "mmap_pair", "mmap and munmap one page", NULL, NULL, mmap_pair, NULL },
	{ "mmap_touch_pair", "the same, writing to it", NULL, NULL, mmap_touch_pair, NULL },
	{ 0 },
};
