// SPDX-License-Identifier: Apache-2.0
//
// Swap as reclaim sees it: a number of places and how many of them are free (spec 04 W-1, A-8g).

#include "engine/mm.h"

enum { SWAPPINESS_MAX = 200 };

#define MOST (UINT64_MAX / 4) // more is as good as no limit, and sums of two still fit

static uint64_t lower64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void yard_set_swap(struct yard *yard, uint64_t total, uint64_t free)
{
	yard->total_swap_pages = lower64(total, MOST);
	atomic_store_explicit(&yard->nr_swap_pages, (int64_t)lower64(free, yard->total_swap_pages), memory_order_relaxed);
}

void yard_swap_free(struct yard *yard, uint64_t pages)
{
	int64_t free = atomic_load_explicit(&yard->nr_swap_pages, memory_order_relaxed), to;

	do {
		to = min64(free + (int64_t)lower64(pages, MOST), (int64_t)yard->total_swap_pages);
	} while (!atomic_compare_exchange_weak_explicit(&yard->nr_swap_pages, &free, to, memory_order_relaxed,
							memory_order_relaxed));
}

uint64_t yard_swap_available(const struct yard *yard)
{
	int64_t free = atomic_load_explicit(&yard->nr_swap_pages, memory_order_relaxed);

	return free < 0 ? 0 : (uint64_t)free;
}

int yard_set_swappiness(struct yard *yard, unsigned swappiness)
{
	if (swappiness > SWAPPINESS_MAX)
		return YARD_EINVAL;
	yard->swappiness = swappiness;
	return YARD_OK;
}
