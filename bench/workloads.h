// SPDX-License-Identifier: Apache-2.0
//
// What is done to an allocator. Written once and compiled once for each allocator, with its calls made directly, so
// that all pay the same for being measured. The file that includes this defines first:
//
//   PREFIX                           of the benchmarks' names, a string
//   LIFE                             its struct allocator
//   get(self, order, gfp), put(self, pfn, order)
//                                    one block; get returns UINT32_MAX when there is none

#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "pageyard/yard.h"

enum { HUGE_ORDER = 9, BURST = 64, REPLACE_MAX = 1024 };

static uint32_t get_one(struct worker *worker, unsigned order, uint32_t gfp)
{
	uint32_t pfn = get(worker->allocator, order, gfp);

	if (__builtin_expect(pfn == UINT32_MAX, 0))
		die("an allocation of order %u failed", order);
	return pfn;
}

static uint32_t get_movable(struct worker *worker, unsigned order)
{
	return get_one(worker, order, YARD_GFP_HIGHUSER_MOVABLE);
}

// ---- filling and emptying; the parts that are not timed, and the bulk benchmarks ----

// Room for this thread's part of a share of memory.
static void hold(struct worker *worker, unsigned percent)
{
	worker->nr = (size_t)worker->settings->frames * percent / 100 / worker->count;
	worker->pfns = malloc(worker->nr * sizeof *worker->pfns);
	worker->orders = calloc(worker->nr, sizeof *worker->orders);
	if (!worker->pfns || !worker->orders)
		die("out of memory");
	memset(worker->pfns, 0xff, worker->nr * sizeof *worker->pfns); // its page faults are not to be timed
}

static void hold_half(struct worker *worker)
{
	hold(worker, 50);
}

static uint64_t fill(struct worker *worker)
{
	for (size_t i = 0; i < worker->nr; i++)
		worker->pfns[i] = get_movable(worker, 0);
	return worker->nr;
}

static void fill_half(struct worker *worker)
{
	hold_half(worker);
	fill(worker);
}

static void fill_90(struct worker *worker)
{
	hold(worker, 90);
	fill(worker);
}

static void fill_half_shuffled(struct worker *worker)
{
	fill_half(worker);
	for (size_t i = worker->nr; i > 1; i--) {
		uint32_t j = random_below(&worker->random, (uint32_t)i), pfn = worker->pfns[j];

		worker->pfns[j] = worker->pfns[i - 1];
		worker->pfns[i - 1] = pfn;
	}
}

static uint64_t empty(struct worker *worker)
{
	for (size_t i = 0; i < worker->nr; i++)
		put(worker->allocator, worker->pfns[i], 0);
	return worker->nr;
}

static void let_go(struct worker *worker)
{
	free(worker->pfns);
	free(worker->orders);
}

static void empty_and_let_go(struct worker *worker)
{
	empty(worker);
	let_go(worker);
}

static void empty_mixed(struct worker *worker)
{
	for (size_t i = 0; i < worker->nr; i++)
		put(worker->allocator, worker->pfns[i], worker->orders[i]);
	let_go(worker);
}

// ---- pairs ----

static uint64_t pairs(struct worker *worker, unsigned order)
{
	for (uint64_t i = 0; i < worker->settings->operations; i++)
		put(worker->allocator, get_movable(worker, order), order);
	return worker->settings->operations;
}

static uint64_t pair_order0(struct worker *worker)
{
	return pairs(worker, 0);
}

static uint64_t pair_order9(struct worker *worker)
{
	return pairs(worker, HUGE_ORDER);
}

// So many allocations, then as many frees: always the same footprint, whatever the size of memory.
static uint64_t burst_order0(struct worker *worker)
{
	uint32_t pfns[BURST];

	for (uint64_t i = 0; i < worker->settings->operations / BURST; i++) {
		for (unsigned j = 0; j < BURST; j++)
			pfns[j] = get_movable(worker, 0);
		for (unsigned j = 0; j < BURST; j++)
			put(worker->allocator, pfns[j], 0);
	}
	return worker->settings->operations;
}

// ---- random ----

// Frees a random number of random pages, then allocates as many.
static uint64_t replace(struct worker *worker)
{
	uint64_t done = 0;

	while (done < worker->settings->operations) {
		uint32_t nr = 1 + random_below(&worker->random, REPLACE_MAX), slots[REPLACE_MAX];

		for (uint32_t i = 0; i < nr; i++) {
			do
				slots[i] = random_below(&worker->random, (uint32_t)worker->nr);
			while (worker->pfns[slots[i]] == UINT32_MAX);
			put(worker->allocator, worker->pfns[slots[i]], 0);
			worker->pfns[slots[i]] = UINT32_MAX;
		}
		for (uint32_t i = 0; i < nr; i++)
			worker->pfns[slots[i]] = get_movable(worker, 0);
		done += nr;
	}
	return done;
}

// Order k is half as frequent as order k - 1: each order holds about the same share of memory. One block in four is
// unmovable.
static uint32_t get_mixed(struct worker *worker, uint8_t *order)
{
	uint64_t random = next_random(&worker->random);

	*order = (uint8_t)__builtin_ctz((uint32_t)random | 1u << YARD_MAX_PAGE_ORDER);
	return get_one(worker, *order, random >> 62 ? YARD_GFP_HIGHUSER_MOVABLE : YARD_GFP_KERNEL);
}

static void fill_mixed(struct worker *worker)
{
	hold(worker, 50);
	worker->nr = worker->nr * 2 / (YARD_MAX_PAGE_ORDER + 2); // so many frames has a block on average, halved
	for (size_t i = 0; i < worker->nr; i++)
		worker->pfns[i] = get_mixed(worker, &worker->orders[i]);
}

static uint64_t replace_mixed(struct worker *worker)
{
	for (uint64_t i = 0; i < worker->settings->operations; i++) {
		uint32_t slot = random_below(&worker->random, (uint32_t)worker->nr);

		put(worker->allocator, worker->pfns[slot], worker->orders[slot]);
		worker->pfns[slot] = get_mixed(worker, &worker->orders[slot]);
	}
	return worker->settings->operations;
}

// The rows of this allocator for its table of benchmarks.
#define WORKLOADS                                                                                                      \
	{ PREFIX "pair_order0", "allocate and free one page", &LIFE, NULL, pair_order0, NULL },                        \
	{ PREFIX "burst_order0", "the same, 64 pages at a time", &LIFE, NULL, burst_order0, NULL },                    \
	{ PREFIX "pair_order9", "allocate and free 2 MiB", &LIFE, NULL, pair_order9, NULL },                           \
	{ PREFIX "bulk_alloc", "allocate a page, filling half of memory", &LIFE, hold_half, fill, empty_and_let_go },  \
	{ PREFIX "bulk_free_in_order", "free a page, as they were allocated", &LIFE, fill_half, empty, let_go },       \
	{ PREFIX "bulk_free_random", "free a page, in random order", &LIFE, fill_half_shuffled, empty, let_go },       \
	{ PREFIX "replace_50", "free a random page and allocate one, half full", &LIFE, fill_half, replace,            \
	  empty_and_let_go },                                                                                          \
	{ PREFIX "replace_90", "the same, 90 % full", &LIFE, fill_90, replace, empty_and_let_go },                     \
	{ PREFIX "replace_mixed", "the same, orders 0 to 10, half full", &LIFE, fill_mixed, replace_mixed, empty_mixed }
