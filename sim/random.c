// SPDX-License-Identifier: Apache-2.0

#include "sim/random.h"

typedef unsigned __int128 u128;

enum {
	LOG_BITS = 56,	// fraction of a logarithm
	UNIT_BITS = 62, // fraction of a number up to 2
};
#define UNIT (UINT64_C(1) << UNIT_BITS)
static const uint64_t GOLDEN = UINT64_C(0x9e3779b97f4a7c15); // 2^64 over the golden ratio, splitmix64's step

// ---- the generator ----

static uint64_t mix(uint64_t x) // splitmix64's last part; one to one
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

void random_seed(struct random_source *source, uint64_t seed)
{
	source->seed = seed;
	for (unsigned i = 0; i < 4; i++)
		source->state[i] = mix(seed + (i + 1) * GOLDEN);
}

void random_fork(struct random_source *child, const struct random_source *parent, const char *name, uint64_t index)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); // FNV-1a

	for (const char *c = name; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	hash = mix(parent->seed ^ mix(hash));
	random_seed(child, mix(hash + index * GOLDEN));
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

uint64_t random_next(struct random_source *source) // xoshiro256**
{
	uint64_t *s = source->state, result = rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t random_below(struct random_source *source, uint64_t limit)
{
	u128 product = (u128)random_next(source) * limit;

	// Of the 2^64 draws, 2^64 mod limit are one too many for some results: those are drawn again.
	if ((uint64_t)product < limit) {
		uint64_t excess = -limit % limit;

		while ((uint64_t)product < excess)
			product = (u128)random_next(source) * limit;
	}
	return (uint64_t)(product >> 64);
}

uint64_t random_between(struct random_source *source, uint64_t low, uint64_t high)
{
	uint64_t nr = high - low + 1;

	return nr ? low + random_below(source, nr) : random_next(source);
}

bool random_chance(struct random_source *source, uint64_t numerator, uint64_t denominator)
{
	return random_below(source, denominator) < numerator;
}

// ---- logarithm and power in integers ----

static uint64_t times(uint64_t a, uint64_t b) // both with UNIT_BITS of fraction
{
	return (uint64_t)((u128)a * b >> UNIT_BITS);
}

// Binary logarithm of x >= 1, with LOG_BITS of fraction. ln m = 2 (z + z^3/3 + z^5/5 + ...), z = (m - 1)/(m + 1), for
// the m between 1/sqrt 2 and sqrt 2 that is x times a power of two.
static uint64_t log2_of(uint64_t x)
{
	const uint64_t sqrt2 = UINT64_C(0x5a827999fcef3242), two_over_ln2 = UINT64_C(0xb8aa3b295c17f0bc); // 62, 62 bits
	static const uint64_t odd[] = {UNIT / 1,  UNIT / 3,  UNIT / 5,	UNIT / 7,  UNIT / 9, UNIT / 11,
				       UNIT / 13, UNIT / 15, UNIT / 17, UNIT / 19, UNIT / 21};
	int exponent = 63 - __builtin_clzll(x);
	uint64_t m = x << (63 - exponent) >> 1, z, square, sum = 0;
	bool below = m > sqrt2;

	if (below) {
		m >>= 1;
		exponent++;
	}
	z = (uint64_t)(((u128)(below ? UNIT - m : m - UNIT) << UNIT_BITS) / (m + UNIT));
	square = times(z, z);
	for (unsigned i = 11; i-- > 0;)
		sum = times(sum, square) + odd[i];
	sum = (uint64_t)((u128)times(z, sum) * two_over_ln2 >> (2 * UNIT_BITS - LOG_BITS));
	return below ? ((uint64_t)exponent << LOG_BITS) - sum : ((uint64_t)exponent << LOG_BITS) + sum;
}

// 2 to the power of minus x, x between 0 and 1 with LOG_BITS of fraction; with UNIT_BITS of fraction.
static uint64_t exp2_minus(uint64_t x)
{
	const uint64_t ln2 = UINT64_C(0x2c5c85fdf473de6b); // 62 bits
	uint64_t y = times(x << (UNIT_BITS - LOG_BITS), ln2), sum = UNIT;

	for (uint64_t k = 20; k >= 1; k--) // e^-y = 1 - y (1 - y/2 (1 - y/3 (...)))
		sum = UNIT - times(y, sum) / k;
	return sum;
}

uint64_t random_exponential(struct random_source *source, uint64_t mean)
{
	const uint64_t ln2 = UINT64_C(0xb17217f7d1cf79ac); // 64 bits
	uint64_t u = random_next(source) + 1, log;
	u128 product;

	if (!u)
		return 0; // a draw of exactly 1
	log = (uint64_t)((u128)((UINT64_C(64) << LOG_BITS) - log2_of(u)) * ln2 >> 64);
	product = (u128)mean * log >> LOG_BITS;
	return product > UINT64_MAX ? UINT64_MAX : (uint64_t)product;
}

// ---- Zipf ----
//
// Exact up to the arithmetic: a group is drawn as if all its items were as likely as its first (Walker's alias method),
// then an item of it, which is kept with its real probability over that of the first; otherwise all begins again.

// rank^-s as mantissa, with UNIT_BITS of fraction, and the number of halvings to follow.
static uint64_t power(uint64_t log, uint32_t exponent, unsigned *halvings)
{
	u128 product = (u128)log * exponent / 1000;

	*halvings = (unsigned)(product >> LOG_BITS);
	return exp2_minus((uint64_t)product & ((UINT64_C(1) << LOG_BITS) - 1));
}

// How likely a rank is, the first of its group being 1.
static uint64_t likelihood(const struct random_zipf *zipf, uint64_t first, uint64_t rank)
{
	unsigned halvings;
	uint64_t mantissa = power(log2_of(rank) - log2_of(first), zipf->exponent, &halvings);

	return mantissa >> halvings;
}

static void make_groups(struct random_zipf *zipf, uint64_t n)
{
	uint64_t nr;

	zipf->nr_groups = 0;
	for (uint64_t first = 1; first <= n; first += nr) {
		nr = (UINT64_C(1) << (63 - __builtin_clzll(first))) / RANDOM_ZIPF_STEPS;
		if (!nr)
			nr = 1;
		if (nr > n - first + 1)
			nr = n - first + 1;
		zipf->group[zipf->nr_groups++] = (struct random_zipf_group){
			.first = first,
			.nr = nr,
			.sure = likelihood(zipf, first, first + nr - 1),
		};
	}
}

// The groups' weights as integers whose sum, which is returned, is below 2^62.
static uint64_t weigh_groups(const struct random_zipf *zipf, uint64_t *weight)
{
	u128 exact[RANDOM_ZIPF_GROUPS], total = 0;
	unsigned halvings, shift = 0;
	uint64_t sum = 0;

	for (uint32_t g = 0; g < zipf->nr_groups; g++) {
		exact[g] = (u128)power(log2_of(zipf->group[g].first), zipf->exponent, &halvings) * zipf->group[g].nr;
		exact[g] = halvings < 128 ? exact[g] >> halvings : 0;
		total += exact[g];
	}
	while (total >> shift >= UNIT)
		shift++;
	for (uint32_t g = 0; g < zipf->nr_groups; g++) {
		weight[g] = (uint64_t)(exact[g] >> shift);
		sum += weight[g];
	}
	return sum;
}

// Each group gets a column of the same height `total`, which it fills itself up to `keep`, and another group above.
// left[g]: what of the group's own weight, times the number of columns, has no place yet.
static void fill_columns(struct random_zipf *zipf, const uint64_t *weight, uint64_t total)
{
	uint32_t small[RANDOM_ZIPF_GROUPS], large[RANDOM_ZIPF_GROUPS], nr_small = 0, nr_large = 0;
	u128 left[RANDOM_ZIPF_GROUPS];

	for (uint32_t g = 0; g < zipf->nr_groups; g++) {
		left[g] = (u128)weight[g] * zipf->nr_groups;
		if (left[g] < total)
			small[nr_small++] = g;
		else
			large[nr_large++] = g;
	}
	while (nr_small) { // then there is a large one: the columns left are exactly filled by the weights left
		uint32_t s = small[--nr_small], l = large[nr_large - 1];

		zipf->group[s].keep = (uint64_t)left[s];
		zipf->group[s].other = l;
		left[l] -= total - (uint64_t)left[s];
		if (left[l] < total) {
			nr_large--;
			small[nr_small++] = l;
		}
	}
	while (nr_large) {
		uint32_t l = large[--nr_large];

		zipf->group[l].keep = total;
		zipf->group[l].other = l;
	}
}

bool random_zipf_init(struct random_zipf *zipf, uint64_t n, uint32_t exponent)
{
	uint64_t weight[RANDOM_ZIPF_GROUPS];

	if (n < 1 || n > RANDOM_ZIPF_ITEMS_MAX || exponent > RANDOM_ZIPF_EXPONENT_MAX)
		return false;
	zipf->exponent = exponent;
	make_groups(zipf, n);
	zipf->total = weigh_groups(zipf, weight);
	fill_columns(zipf, weight, zipf->total);
	return true;
}

uint64_t random_zipf(const struct random_zipf *zipf, struct random_source *source)
{
	for (;;) {
		const struct random_zipf_group *group = &zipf->group[random_below(source, zipf->nr_groups)];
		uint64_t rank, dice;

		if (random_below(source, zipf->total) >= group->keep)
			group = &zipf->group[group->other];
		if (group->nr == 1)
			return group->first - 1;
		rank = group->first + random_below(source, group->nr);
		dice = random_next(source) >> (64 - UNIT_BITS);
		if (dice < group->sure || dice < likelihood(zipf, group->first, rank))
			return rank - 1;
	}
}

// ---- a random order ----

void random_permutation_init(struct random_permutation *permutation, struct random_source *source, uint64_t n)
{
	unsigned bits = n > 1 ? 64 - (unsigned)__builtin_clzll(n - 1) : 0;

	permutation->n = n;
	permutation->low_bits = bits / 2;
	permutation->high_bits = bits - bits / 2;
	for (unsigned i = 0; i < RANDOM_PERMUTATION_ROUNDS; i++)
		permutation->key[i] = random_next(source);
	for (uint64_t i = 0; n <= RANDOM_PERMUTATION_LISTED && i < n; i++) {
		uint64_t place = random_below(source, i + 1);

		permutation->list[i] = permutation->list[place];
		permutation->list[place] = (uint8_t)i;
	}
}

// Each round changes one half by what the other one is, so that it can be undone: no two numbers become the same.
static uint64_t network(const struct random_permutation *permutation, uint64_t x)
{
	uint64_t low_mask = (UINT64_C(1) << permutation->low_bits) - 1;
	uint64_t high_mask = (UINT64_C(1) << permutation->high_bits) - 1;
	uint64_t low = x & low_mask, high = x >> permutation->low_bits;

	for (unsigned i = 0; i < RANDOM_PERMUTATION_ROUNDS; i += 2) {
		high ^= mix(low ^ permutation->key[i]) & high_mask;
		low ^= mix(high ^ permutation->key[i + 1]) & low_mask;
	}
	return high << permutation->low_bits | low;
}

uint64_t random_permutation_at(const struct random_permutation *permutation, uint64_t i)
{
	if (permutation->n <= RANDOM_PERMUTATION_LISTED)
		return permutation->list[i];
	do
		i = network(permutation, i);
	while (i >= permutation->n);
	return i;
}
