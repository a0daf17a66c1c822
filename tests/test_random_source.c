// SPDX-License-Identifier: Apache-2.0
//
// Random numbers: the sequences, which results depend on; no bias; the shapes of the distributions against
// floating-point arithmetic, which only this test uses.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/random.h"

static struct random_source source_of(uint64_t seed)
{
	struct random_source source;

	random_seed(&source, seed);
	return source;
}

static void check_close(uint64_t seen, double expected) // a count of rare things: within five standard deviations
{
	double off = fabs((double)seen - expected);

	if (off > 5 * sqrt(expected) + 1)
		fail_msg("%llu instead of about %.0f", (unsigned long long)seen, expected);
}

// ---- sequences ----

// Published with the generators: splitmix64 from 1234567, xoshiro256** from the state 1, 2, 3, 4.
static void the_published_sequences(void **state)
{
	static const uint64_t splitmix[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
					    UINT64_C(9817491932198370423), UINT64_C(4593380528125082431)};
	static const uint64_t xoshiro[] = {11520,
					   0,
					   1509978240,
					   UINT64_C(1215971899390074240),
					   UINT64_C(1216172134540287360),
					   UINT64_C(607988272756665600),
					   UINT64_C(16172922978634559625),
					   UINT64_C(8476171486693032832),
					   UINT64_C(10595114339597558777),
					   UINT64_C(2904607092377533576)};
	struct random_source source = source_of(1234567);

	(void)state;
	assert_memory_equal(source.state, splitmix, sizeof(splitmix));
	source = (struct random_source){.state = {1, 2, 3, 4}};
	for (unsigned i = 0; i < 10; i++)
		assert_true(random_next(&source) == xoshiro[i]);
}

static uint64_t digest(uint64_t digest, uint64_t value)
{
	return (digest ^ value) * UINT64_C(0x100000001b3) ^ digest >> 47;
}

static void check_digest(const char *what, uint64_t seen, uint64_t expected)
{
	if (seen != expected)
		fail_msg("%s: %#llx", what, (unsigned long long)seen);
}

// The same as ever, on all machines and with all compilers.
static void the_sequences_stay_the_same(void **state)
{
	static struct random_zipf zipf;
	struct random_source run = source_of(2025), source;
	struct random_permutation permutation;
	uint64_t below = 0, exponential = 0, flat = 0, steep = 0, order = 0;

	(void)state;
	random_fork(&source, &run, "kbuild", 3);
	check_digest("fork", random_next(&source), UINT64_C(0x4861a30cfd8f2267));
	for (unsigned i = 0; i < 1000; i++)
		below = digest(below, random_below(&source, UINT64_C(0xc000000000000000) + i));
	for (unsigned i = 0; i < 1000; i++)
		exponential = digest(exponential, random_exponential(&source, UINT64_C(1) << 40));
	assert_true(random_zipf_init(&zipf, RANDOM_ZIPF_ITEMS_MAX, 700));
	for (unsigned i = 0; i < 1000; i++)
		flat = digest(flat, random_zipf(&zipf, &source));
	assert_true(random_zipf_init(&zipf, 1000000, 1200));
	for (unsigned i = 0; i < 1000; i++)
		steep = digest(steep, random_zipf(&zipf, &source));
	random_permutation_init(&permutation, &source, 100000);
	for (unsigned i = 0; i < 1000; i++)
		order = digest(order, random_permutation_at(&permutation, i));
	check_digest("below", below, UINT64_C(0xed4f39463a9e7d2d));
	check_digest("exponential", exponential, UINT64_C(0xc35c53533a660b67));
	check_digest("zipf 0.7", flat, UINT64_C(0x39858ba3f290a69));
	check_digest("zipf 1.2", steep, UINT64_C(0x8fb426fb519a954));
	check_digest("permutation", order, UINT64_C(0x2d828611ec714d7a));
}

static void forks_depend_on_seed_name_and_number_only(void **state)
{
	struct random_source run = source_of(1), again = source_of(1), another = source_of(2), a, b;

	(void)state;
	random_fork(&a, &run, "task", 0);
	random_next(&again);
	random_fork(&b, &again, "other", 0);
	random_fork(&b, &again, "task", 0);
	assert_memory_equal(&a, &b, sizeof(a));

	random_fork(&b, &run, "task", 1);
	assert_memory_not_equal(a.state, b.state, sizeof(a.state));
	random_fork(&b, &run, "tasl", 0);
	assert_memory_not_equal(a.state, b.state, sizeof(a.state));
	random_fork(&b, &another, "task", 0);
	assert_memory_not_equal(a.state, b.state, sizeof(a.state));
	random_fork(&b, &a, "task", 0); // a grandchild is not its parent
	assert_memory_not_equal(a.state, b.state, sizeof(a.state));
}

// ---- ranges ----

// Without the second draw every third of these numbers would come twice as often.
static void no_number_is_more_likely(void **state)
{
	enum { DRAWS = 30000 };
	struct random_source source = source_of(3);
	uint64_t count[3] = {0}, seen[7] = {0};

	(void)state;
	for (unsigned i = 0; i < DRAWS; i++)
		count[random_below(&source, UINT64_C(3) << 62) % 3]++;
	for (unsigned i = 0; i < 3; i++)
		check_close(count[i], DRAWS / 3);
	for (unsigned i = 0; i < DRAWS; i++)
		seen[random_below(&source, 7)]++;
	for (unsigned i = 0; i < 7; i++)
		check_close(seen[i], DRAWS / 7.0);
}

static void ends_of_ranges(void **state)
{
	struct random_source source = source_of(4), copy;
	unsigned seen = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t value = random_between(&source, 10, 13);

		assert_true(value >= 10 && value <= 13);
		seen |= 1u << (value - 10);
		assert_true(random_below(&source, 1) == 0);
		assert_true(random_between(&source, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
	}
	assert_int_equal(seen, 15);
	copy = source;
	assert_true(random_between(&source, 0, UINT64_MAX) == random_next(&copy));
}

static void chances(void **state)
{
	struct random_source source = source_of(5);
	uint64_t hits = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		assert_false(random_chance(&source, 0, 3));
		assert_true(random_chance(&source, 3, 3));
		assert_true(random_chance(&source, 4, 3));
		hits += random_chance(&source, 1, 8);
	}
	check_close(hits, 12500);
}

// ---- exponential ----

// With the draw known, the result is minus its logarithm.
static void exponential_is_minus_the_logarithm(void **state)
{
	const double mean = 0x1p44;
	struct random_source source = source_of(6);

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		struct random_source copy = source;
		double draw = (double)random_next(&copy) + 1, expected;
		double seen = (double)random_exponential(&source, UINT64_C(1) << 44);

		expected = draw < 0x1p63 ? -log(draw * 0x1p-64) : -log1p(-(0x1p64 - draw) * 0x1p-64);
		assert_true(fabs(seen - mean * expected) <= 1.1);
	}
}

// States whose next draw is given: xoshiro256** multiplies by 5, rotates by 7, multiplies by 9.
static struct random_source source_drawing(uint64_t draw)
{
	const uint64_t fifth = UINT64_C(0xcccccccccccccccd), ninth = UINT64_C(0x8e38e38e38e38e39);
	uint64_t x = draw * ninth;

	return (struct random_source){.state = {1, (x >> 7 | x << 57) * fifth, 3, 4}};
}

static void exponential_at_its_ends(void **state)
{
	struct random_source source = source_drawing(UINT64_MAX);

	(void)state;
	assert_true(random_exponential(&source, 1000000) == 0);
	source = source_drawing(0);
	assert_true(random_exponential(&source, UINT64_C(1) << 40) == (uint64_t)(0x1p40 * 64 * log(2)));
	source = source_drawing(0);
	assert_true(random_exponential(&source, UINT64_MAX) == UINT64_MAX); // not what is left of it modulo 2^64
	source = source_drawing((UINT64_C(1) << 63) - 1);
	assert_true(random_exponential(&source, UINT64_C(1) << 40) == (uint64_t)(0x1p40 * log(2)));
	source = source_drawing(UINT64_MAX - 1);
	assert_true(random_exponential(&source, UINT64_MAX) <= 1);
	assert_true(random_exponential(&source, 0) == 0);
}

static void exponential_has_its_shape(void **state)
{
	enum { DRAWS = 200000, MEAN = 10000 };
	struct random_source source = source_of(7);
	uint64_t over[5] = {0};
	double sum = 0;

	(void)state;
	for (unsigned i = 0; i < DRAWS; i++) {
		uint64_t value = random_exponential(&source, MEAN);

		sum += (double)value;
		for (unsigned times = 0; times < 5; times++)
			over[times] += value > times * MEAN;
	}
	for (unsigned times = 1; times < 5; times++)
		check_close(over[times], DRAWS * exp(-(double)times));
	assert_true(fabs(sum / DRAWS - MEAN + 0.5) < 5 * MEAN / sqrt(DRAWS));
}

// ---- Zipf ----

// Exactly how often a group is tried, from the table, against pow().
static void check_groups(uint64_t n, uint32_t exponent)
{
	static struct random_zipf zipf;
	double part[RANDOM_ZIPF_GROUPS] = {0}, sum = 0;
	uint64_t next = 1;

	assert_true(random_zipf_init(&zipf, n, exponent));
	for (uint32_t g = 0; g < zipf.nr_groups; g++) {
		assert_true(zipf.group[g].first == next && zipf.group[g].keep <= zipf.total);
		next += zipf.group[g].nr;
		part[g] += (double)zipf.group[g].keep / (double)zipf.total;
		part[zipf.group[g].other] += (double)(zipf.total - zipf.group[g].keep) / (double)zipf.total;
		sum += (double)zipf.group[g].nr * pow((double)zipf.group[g].first, -(double)exponent / 1000);
	}
	assert_true(next == n + 1);
	for (uint32_t g = 0; g < zipf.nr_groups; g++) {
		const struct random_zipf_group *group = &zipf.group[g];
		double weight = (double)group->nr * pow((double)group->first, -(double)exponent / 1000) / sum;
		double last =
			pow((double)group->first / (double)(group->first + group->nr - 1), (double)exponent / 1000);

		assert_true(fabs(part[g] / zipf.nr_groups - weight) < weight * 1e-11 + 0x1p-58);
		assert_true(fabs((double)group->sure * 0x1p-62 - last) < 1e-13);
	}
}

static void zipf_tries_each_group_as_often_as_it_should(void **state)
{
	static const uint64_t items[] = {1, 2, 3, 7, 8, 9, 100, 4095, 4096, 1000003, RANDOM_ZIPF_ITEMS_MAX};
	static const uint32_t exponents[] = {0, 1, 500, 800, 990, 1000, 1200, 2000, 5000, RANDOM_ZIPF_EXPONENT_MAX};

	(void)state;
	for (unsigned i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		for (unsigned j = 0; j < sizeof(exponents) / sizeof(exponents[0]); j++)
			check_groups(items[i], exponents[j]);
}

// Counts of each item of few, and of each power of two of many.
static void check_counts(uint64_t n, uint32_t exponent)
{
	enum { DRAWS = 100000, FEW = 40 };
	static struct random_zipf zipf;
	struct random_source source = source_of(n + exponent);
	uint64_t single[FEW] = {0}, octave[34] = {0};
	double s = (double)exponent / 1000, sum = 0, share[34] = {0};

	assert_true(random_zipf_init(&zipf, n, exponent));
	for (uint64_t rank = 1; rank <= n; rank++) {
		sum += pow((double)rank, -s);
		share[63 - __builtin_clzll(rank)] += pow((double)rank, -s);
	}
	for (unsigned i = 0; i < DRAWS; i++) {
		uint64_t item = random_zipf(&zipf, &source);

		assert_true(item < n);
		octave[63 - __builtin_clzll(item + 1)]++;
		if (item < FEW)
			single[item]++;
	}
	for (unsigned i = 0; i < FEW && i < n; i++)
		check_close(single[i], DRAWS * pow(i + 1, -s) / sum);
	for (unsigned i = 0; i < 34; i++)
		check_close(octave[i], DRAWS * share[i] / sum);
}

static void zipf_has_its_shape(void **state)
{
	(void)state;
	check_counts(1, 1000);
	check_counts(40, 0);
	check_counts(40, 1000);
	check_counts(39, 2500);
	check_counts(1000, 600);
	check_counts(30000, 1000);
	check_counts(30000, 1300);
	check_counts(33, RANDOM_ZIPF_EXPONENT_MAX);
}

// Inside one group, where draws are refused: of the ranks 64 to 71 the last is 2.8 times as rare as the first.
static void zipf_refuses_the_right_share(void **state)
{
	enum { DRAWS = 200000, FIRST = 64, NR = 8 };
	static struct random_zipf zipf;
	struct random_source source = source_of(8);
	uint64_t count[NR] = {0};
	double sum = 0;

	(void)state;
	assert_true(random_zipf_init(&zipf, FIRST + NR - 1, RANDOM_ZIPF_EXPONENT_MAX));
	for (uint32_t g = 0; g < zipf.nr_groups; g++) { // only the last group is tried
		zipf.group[g].keep = 0;
		zipf.group[g].other = zipf.nr_groups - 1;
	}
	assert_true(zipf.group[zipf.nr_groups - 1].first == FIRST && zipf.group[zipf.nr_groups - 1].nr == NR);
	for (unsigned i = 0; i < DRAWS; i++)
		count[random_zipf(&zipf, &source) + 1 - FIRST]++;
	for (unsigned i = 0; i < NR; i++)
		sum += pow(FIRST + i, -10);
	for (unsigned i = 0; i < NR; i++)
		check_close(count[i], DRAWS * pow(FIRST + i, -10) / sum);
}

static void zipf_refuses_what_it_cannot_do(void **state)
{
	static struct random_zipf zipf;

	(void)state;
	assert_false(random_zipf_init(&zipf, 0, 1000));
	assert_false(random_zipf_init(&zipf, RANDOM_ZIPF_ITEMS_MAX + 1, 1000));
	assert_false(random_zipf_init(&zipf, 1, RANDOM_ZIPF_EXPONENT_MAX + 1));
}

// ---- permutation ----

static void check_permutation(uint64_t n, struct random_source *source)
{
	static bool seen[5000];
	struct random_permutation permutation;

	random_permutation_init(&permutation, source, n);
	memset(seen, 0, sizeof(seen));
	for (uint64_t i = 0; i < n; i++) {
		uint64_t value = random_permutation_at(&permutation, i);

		assert_true(value < n);
		assert_false(seen[value]);
		seen[value] = true;
	}
}

static void each_number_once(void **state)
{
	struct random_source source = source_of(9);

	(void)state;
	for (uint64_t n = 1; n < 300; n++)
		check_permutation(n, &source);
	for (uint64_t n = 4090; n < 4100; n++)
		check_permutation(n, &source);
}

static void large_orders_end(void **state)
{
	static const uint64_t sizes[] = {(UINT64_C(1) << 32) + 1, (UINT64_C(1) << 63) + 1, UINT64_MAX};
	struct random_source source = source_of(10);
	struct random_permutation permutation;

	(void)state;
	for (unsigned size = 0; size < 3; size++) {
		uint64_t upper_half = 0;

		random_permutation_init(&permutation, &source, sizes[size]);
		for (uint64_t i = 0; i < 10000; i++) {
			uint64_t value = random_permutation_at(&permutation, sizes[size] - 1 - i);

			assert_true(value < sizes[size]);
			upper_half += value > sizes[size] / 2;
		}
		check_close(upper_half, 5000);
	}
}

static void each_number_at_each_place(void **state)
{
	enum { ORDERS = 20000, MOST = 300 };
	static uint64_t count[MOST][MOST];
	static const unsigned sizes[] = {2, 5, 20, RANDOM_PERMUTATION_LISTED, RANDOM_PERMUTATION_LISTED + 1, MOST};
	struct random_source source = source_of(11);
	struct random_permutation permutation;

	(void)state;
	for (unsigned size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++) {
		unsigned n = sizes[size];

		memset(count, 0, sizeof(count));
		for (unsigned order = 0; order < ORDERS; order++) {
			random_permutation_init(&permutation, &source, n);
			for (unsigned i = 0; i < n; i++)
				count[i][random_permutation_at(&permutation, i)]++;
		}
		for (unsigned i = 0; i < n; i++)
			for (unsigned value = 0; value < n; value++)
				check_close(count[i][value], (double)ORDERS / n);
	}
}

// The 24 orders of four numbers.
static void small_orders_are_equally_likely(void **state)
{
	enum { ORDERS = 48000 };
	static uint64_t count[256];
	struct random_source source = source_of(13);
	struct random_permutation permutation;
	unsigned seen = 0;

	(void)state;
	for (unsigned order = 0; order < ORDERS; order++) {
		unsigned name = 0;

		random_permutation_init(&permutation, &source, 4);
		for (unsigned i = 0; i < 4; i++)
			name = name << 2 | (unsigned)random_permutation_at(&permutation, i);
		count[name]++;
	}
	for (unsigned name = 0; name < 256; name++)
		if (count[name]) {
			check_close(count[name], ORDERS / 24);
			seen++;
		}
	assert_int_equal(seen, 24);
}

// What follows what: the difference of neighbours is as likely to be one number as another.
static void neighbours_are_apart(void **state)
{
	enum { N = 1 << 16 };
	struct random_source source = source_of(12);
	struct random_permutation permutation;
	static uint64_t near[64];
	uint64_t before, value;

	(void)state;
	random_permutation_init(&permutation, &source, N);
	before = random_permutation_at(&permutation, 0);
	for (unsigned i = 1; i < N; i++, before = value) {
		value = random_permutation_at(&permutation, i);
		near[(value - before) % N * 64 / N]++;
	}
	for (unsigned i = 0; i < 64; i++)
		check_close(near[i], N / 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_sequences),
		cmocka_unit_test(the_sequences_stay_the_same),
		cmocka_unit_test(forks_depend_on_seed_name_and_number_only),
		cmocka_unit_test(no_number_is_more_likely),
		cmocka_unit_test(ends_of_ranges),
		cmocka_unit_test(chances),
		cmocka_unit_test(exponential_is_minus_the_logarithm),
		cmocka_unit_test(exponential_at_its_ends),
		cmocka_unit_test(exponential_has_its_shape),
		cmocka_unit_test(zipf_tries_each_group_as_often_as_it_should),
		cmocka_unit_test(zipf_has_its_shape),
		cmocka_unit_test(zipf_refuses_the_right_share),
		cmocka_unit_test(zipf_refuses_what_it_cannot_do),
		cmocka_unit_test(each_number_once),
		cmocka_unit_test(large_orders_end),
		cmocka_unit_test(each_number_at_each_place),
		cmocka_unit_test(small_orders_are_equally_likely),
		cmocka_unit_test(neighbours_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
