// SPDX-License-Identifier: Apache-2.0
//
// The latency histogram: the bound of its error over all of uint64_t, percentiles against sorted values, merging.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "report/histogram.h"
#include "sim/random.h"

static struct histogram histogram, other;

static int empty(void **state)
{
	(void)state;
	memset(&histogram, 0, sizeof(histogram));
	memset(&other, 0, sizeof(other));
	return 0;
}

static void nothing_is_zero(void **state)
{
	(void)state;
	assert_true(histogram_percentile(&histogram, 50000) == 0);
	assert_true(histogram_mean(&histogram) == 0);
	histogram_add_many(&histogram, 5, 0);
	assert_true(histogram.count == 0 && histogram.max == 0);
}

// Below a greater value, which the maximum does not cut off: the median of v, v, UINT64_MAX is the top of v's cell.
static void check_bound(uint64_t value)
{
	uint64_t seen;

	empty(NULL);
	histogram_add_many(&histogram, value, 2);
	histogram_add(&histogram, UINT64_MAX);
	seen = histogram_percentile(&histogram, 50000);
	if (value < 256)
		assert_true(seen == value);
	assert_true(seen >= value && seen - value <= value / 128);
	assert_true(histogram_percentile(&histogram, 100000) == UINT64_MAX);
}

static void error_below_one_in_128(void **state)
{
	struct random_source random;

	(void)state;
	random_seed(&random, 1);
	for (unsigned value = 0; value < 1030; value++)
		check_bound(value);
	for (unsigned bit = 8; bit < 64; bit++) {
		for (unsigned i = 0; i < 4; i++)
			check_bound((UINT64_C(1) << bit) - 2 + i);
		for (unsigned i = 0; i < 20; i++)
			check_bound((UINT64_C(1) << bit) + random_below(&random, UINT64_C(1) << bit));
	}
	check_bound(UINT64_MAX);
}

// A cell is not wider than it must be: neighbours 1/128 apart are told apart.
static void values_a_cell_apart_are_told_apart(void **state)
{
	(void)state;
	for (unsigned bit = 8; bit < 63; bit++) {
		uint64_t value = UINT64_C(1) << bit;

		empty(NULL);
		histogram_add(&histogram, value);
		histogram_add(&histogram, value + value / 128);
		assert_true(histogram_percentile(&histogram, 50000) == value + value / 128 - 1);
		assert_true(histogram_percentile(&histogram, 50001) == value + value / 128);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void percentiles_as_of_sorted_values(void **state)
{
	static const unsigned asked[] = {0, 1, 1000, 25000, 50000, 75000, 90000, 99000, 99900, 99999, 100000};
	enum { NR = 12345 };
	static uint64_t value[NR];
	struct random_source random;

	(void)state;
	random_seed(&random, 2);
	for (unsigned i = 0; i < NR; i++) {
		value[i] = random_next(&random) >> random_below(&random, 64);
		histogram_add(&histogram, value[i]);
	}
	qsort(value, NR, sizeof(value[0]), by_value);
	for (unsigned i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		uint64_t rank = ((uint64_t)NR * asked[i] + 99999) / 100000, exact = value[rank ? rank - 1 : 0];
		uint64_t seen = histogram_percentile(&histogram, asked[i]);

		assert_true(seen >= exact && seen - exact <= exact / 128);
	}
	assert_true(histogram_percentile(&histogram, 100000) == value[NR - 1]);
	assert_true(histogram_percentile(&histogram, 200000) == value[NR - 1]);
	assert_true(histogram.max == value[NR - 1]);
}

static void mean_of_sums_beyond_64_bits(void **state)
{
	(void)state;
	histogram_add_many(&histogram, UINT64_MAX, 1000000);
	assert_true(histogram_mean(&histogram) == UINT64_MAX);
	histogram_add_many(&histogram, 1, 1000000);
	assert_true(histogram_mean(&histogram) == UINT64_C(1) << 63);
	empty(NULL);
	histogram_add(&histogram, 1);
	histogram_add(&histogram, 2);
	assert_true(histogram_mean(&histogram) == 1); // rounded down
	assert_true(histogram.count == 2);
}

static void merged_as_if_added_to_one(void **state)
{
	static struct histogram whole;
	struct random_source random;

	(void)state;
	random_seed(&random, 3);
	for (unsigned i = 0; i < 5000; i++) {
		uint64_t value = random_exponential(&random, 100000);

		histogram_add(i % 3 ? &histogram : &other, value);
		histogram_add(&whole, value);
	}
	histogram_merge(&other, &histogram);
	assert_memory_equal(&other, &whole, sizeof(whole));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_zero, empty),
		cmocka_unit_test(error_below_one_in_128),
		cmocka_unit_test(values_a_cell_apart_are_told_apart),
		cmocka_unit_test_setup(percentiles_as_of_sorted_values, empty),
		cmocka_unit_test_setup(mean_of_sums_beyond_64_bits, empty),
		cmocka_unit_test_setup(merged_as_if_added_to_one, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
