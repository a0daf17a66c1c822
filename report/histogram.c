// SPDX-License-Identifier: Apache-2.0

#include "report/histogram.h"

enum { ROW = 1 << HISTOGRAM_BITS }; // cells of a power of two

// Values below ROW have a cell each; a row of cells follows for each power of two.
static unsigned cell_of(uint64_t value)
{
	unsigned shift;

	if (value < ROW)
		return (unsigned)value;
	shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_BITS;
	return (shift + 1) * ROW + (unsigned)((value >> shift) - ROW);
}

// The greatest value that a cell counts.
static uint64_t cell_value(unsigned cell)
{
	unsigned row = cell / ROW;
	uint64_t width = row ? UINT64_C(1) << (row - 1) : 1;

	return row ? (cell % ROW + ROW) * width + (width - 1) : cell;
}

void histogram_add_many(struct histogram *histogram, uint64_t value, uint64_t count)
{
	if (!count)
		return;
	histogram->cell[cell_of(value)] += count;
	histogram->count += count;
	histogram->sum += (unsigned __int128)value * count;
	if (value > histogram->max)
		histogram->max = value;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram_add_many(histogram, value, 1);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_CELLS; i++)
		into->cell[i] += from->cell[i];
	into->count += from->count;
	into->sum += from->sum;
	if (from->max > into->max)
		into->max = from->max;
}

uint64_t histogram_percentile(const struct histogram *histogram, unsigned per_100k)
{
	uint64_t wanted = (uint64_t)(((unsigned __int128)histogram->count * per_100k + 99999) / 100000), seen = 0;

	if (!wanted)
		wanted = 1;
	for (unsigned i = 0; i < HISTOGRAM_CELLS; i++) {
		seen += histogram->cell[i];
		if (seen >= wanted)
			return cell_value(i) < histogram->max ? cell_value(i) : histogram->max;
	}
	return histogram->max; // none, or more than 100 % was asked for
}

uint64_t histogram_mean(const struct histogram *histogram)
{
	return histogram->count ? (uint64_t)(histogram->sum / histogram->count) : 0;
}
