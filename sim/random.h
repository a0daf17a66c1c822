// SPDX-License-Identifier: Apache-2.0
//
// Random numbers that are the same on every machine, with every compiler: xoshiro256** seeded by splitmix64, integers
// only. The sequences are pinned by tests/test_random_source.c: results depend on them.
//
// Each part of a simulation draws from a stream of its own, forked from the run's by a name and a number. What a fork
// gives depends on the parent's seed, not on how much was drawn from the parent or on other forks; so one task more
// leaves all others as they were.

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct random_source {
	uint64_t state[4];
	uint64_t seed; // what it was seeded with: forks depend on it
};

void random_seed(struct random_source *source, uint64_t seed);
void random_fork(struct random_source *child, const struct random_source *parent, const char *name, uint64_t index);

uint64_t random_next(struct random_source *source); // all 64 bits

// No value is more likely than another. limit is not 0; low <= high, both included.
uint64_t random_below(struct random_source *source, uint64_t limit);
uint64_t random_between(struct random_source *source, uint64_t low, uint64_t high);

// True in `numerator` of `denominator` cases; always if it is the greater one. denominator is not 0.
bool random_chance(struct random_source *source, uint64_t numerator, uint64_t denominator);

// The time to the next of events that come independently of each other, `mean` apart on average: exponential, rounded
// down to a whole unit (so the mean of what comes out is about half a unit less), at most 44.4 times the mean, or
// UINT64_MAX. The logarithm is right to 2^-50.
uint64_t random_exponential(struct random_source *source, uint64_t mean);

// ---- Zipf: item k of n, counted from 0, comes with a probability proportional to (k + 1)^-s ----

enum {
	RANDOM_ZIPF_STEPS = 8, // groups in each power of two
	RANDOM_ZIPF_GROUPS = 31 * RANDOM_ZIPF_STEPS,
	RANDOM_ZIPF_EXPONENT_MAX = 10000, // thousandths
};
#define RANDOM_ZIPF_ITEMS_MAX (UINT64_C(1) << 32)

// Items of similar rank: all are drawn as often as the first, and some of the draws are refused.
struct random_zipf_group {
	uint64_t first, nr; // ranks, from 1
	uint64_t keep;	    // alias table: below it this group, else `other`
	uint64_t sure;	    // no draw below it is refused
	uint32_t other;
};

struct random_zipf {
	uint32_t nr_groups, exponent;
	uint64_t total; // weight
	struct random_zipf_group group[RANDOM_ZIPF_GROUPS];
};

// n from 1 to RANDOM_ZIPF_ITEMS_MAX, the exponent s in thousandths up to RANDOM_ZIPF_EXPONENT_MAX (0: all alike; 1000:
// Zipf's law); false if they are not. Takes about 0.1 ms; any number of streams may draw from it. Each probability is
// off by less than one part in 2^48 of itself; besides, a group's as a whole by less than 2^-60.
bool random_zipf_init(struct random_zipf *zipf, uint64_t n, uint32_t exponent);
uint64_t random_zipf(const struct random_zipf *zipf, struct random_source *source); // 0 to n - 1

// ---- a random order of 0 to n - 1, without a table ----

enum {
	RANDOM_PERMUTATION_ROUNDS = 8,
	RANDOM_PERMUTATION_LISTED = 256,
};

// Up to RANDOM_PERMUTATION_LISTED numbers are listed, all orders being equally likely. Above, a Feistel network over
// the bits of n - 1 is walked until the result is below n: not every order can come out then, but each number is as
// likely at each place as another.
struct random_permutation {
	uint64_t n;
	unsigned low_bits, high_bits;
	uint64_t key[RANDOM_PERMUTATION_ROUNDS];
	uint8_t list[RANDOM_PERMUTATION_LISTED];
};

// n is not 0.
void random_permutation_init(struct random_permutation *permutation, struct random_source *source, uint64_t n);

// The number at place i < n; each number is at one place.
uint64_t random_permutation_at(const struct random_permutation *permutation, uint64_t i);
