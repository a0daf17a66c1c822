// SPDX-License-Identifier: Apache-2.0
//
// What slab.c and slab_shrinker.c share. Slabs and objects are known by number; a link is a number + 1, 0 the end.

#pragma once

#include "sim/results.h"
#include "sim/slab.h"

enum slab_place { // a full slab is NOWHERE, and so is one that a CPU has just left
	SLAB_UNUSED,  // has no pages
	SLAB_ACTIVE,  // of a CPU
	SLAB_PARTIAL, // on its node's list: has free objects
	SLAB_NOWHERE,
};

struct slab_pages { // one slab
	uint32_t pfn;
	uint32_t previous, next; // on the list of its node, or of unused numbers
	uint16_t objects, used;
	uint16_t hint; // no word of `free` before this one has a bit
	uint8_t order, node, place;
	uint64_t free[]; // a bit for each object. If shrinkable: another map, of those on the LRU; then lru_links
};

struct lru_links { // of an unused object
	uint32_t older, younger;
	uint64_t tag;
};

struct slab_node {
	uint32_t first, last, nr_partial;
	uint32_t oldest, youngest;
	uint64_t nr_unused;
};

struct slab_cache {
	struct simulation *sim;
	struct slab_cache_config config;
	uint32_t objects, words; // in a slab of the larger order; words of a bit map
	uint8_t order, least, slot_bits; // of the number of an object
	size_t stride;		 // bytes of a struct slab_pages of this cache
	char **chunk;		 // of SLAB_CHUNK slabs each
	uint32_t nr_slabs, max_chunks, unused;
	uint32_t *active;	 // by CPU
	struct slab_node *node;
	struct yard_shrinker shrinker;
	struct slab_statistics statistics;
};

struct slab {
	struct slab_cache *cache[SLAB_CACHES_MAX];
	unsigned nr_caches;
	uint64_t messages, burst_start, burst; // the rate limit
	char first_message[200];
};

enum { SLAB_CHUNK = 256, WORD_BITS = 64 };

static inline struct slab_pages *slab_at(const struct slab_cache *cache, uint32_t number)
{
	return (struct slab_pages *)(void *)(cache->chunk[number / SLAB_CHUNK] + number % SLAB_CHUNK * cache->stride);
}

static inline bool bit_is_set(const uint64_t *map, uint32_t bit)
{
	return map[bit / WORD_BITS] >> bit % WORD_BITS & 1;
}

static inline void flip_bit(uint64_t *map, uint32_t bit)
{
	map[bit / WORD_BITS] ^= UINT64_C(1) << bit % WORD_BITS;
}

// The object goes back to its slab, and the slab to the yard if it is not needed. Pages freed.
uint64_t slab_put(struct slab_cache *cache, uint32_t number, uint32_t slot);

// ---- slab_shrinker.c ----

bool slab_add_shrinker(struct slab_cache *cache); // false: sim_fail() was called
uint64_t *slab_lru_map(const struct slab_cache *cache, struct slab_pages *slab);
