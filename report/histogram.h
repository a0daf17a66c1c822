// SPDX-License-Identifier: Apache-2.0
//
// Latencies in bounded memory: a log-linear histogram, 128 cells for each power of two, over all of uint64_t. A
// percentile is exact below 256, and above that too high by less than 1/128 (0.8 %), never too low; count, sum and
// maximum are exact. 58 KiB each.

#pragma once

#include <stdint.h>

enum {
	HISTOGRAM_BITS = 7,
	HISTOGRAM_CELLS = (65 - HISTOGRAM_BITS) << HISTOGRAM_BITS,
};

// All zero: empty.
struct histogram {
	uint64_t count, max;
	unsigned __int128 sum;
	uint64_t cell[HISTOGRAM_CELLS];
};

void histogram_add(struct histogram *histogram, uint64_t value);
void histogram_add_many(struct histogram *histogram, uint64_t value, uint64_t count);
void histogram_merge(struct histogram *into, const struct histogram *from);

// The smallest value that at least `per_100k` of 100,000 values do not exceed: 50,000 is the median, 99,900 the 99.9th
// percentile, 0 the smallest value. As far as the cells tell; 0 if there is no value.
uint64_t histogram_percentile(const struct histogram *histogram, unsigned per_100k);

// Rounded down; 0 if there is no value.
uint64_t histogram_mean(const struct histogram *histogram);
