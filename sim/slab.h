// SPDX-License-Identifier: Apache-2.0
//
// Kernel objects in slabs, laid out as SLUB does: a cache prefers an order, and takes the least order that holds one
// object when no such block is to be had at once. Caches of unused but kept objects (dentries, inodes) have a shrinker.
//
// The model. Orders follow a rule that reproduces pagesperslab of every row of /proc/slabinfo in the records of Linux
// 7.3 with one and two CPUs (slab_order.c); the masks of the two requests for a slab are those of the records'
// mm_page_alloc events. Each CPU takes objects from its active slab, then from the node's list of partial slabs, then
// from a new slab; if there is no memory for one, from other nodes' partial slabs. A slab that becomes empty is given
// back when its node has SLAB_MIN_PARTIAL other partial ones. Not modelled: per-CPU lists of partial slabs or of single
// objects, merging of caches, debugging, accounting to cgroups, kmalloc above 8 KiB.

#pragma once

#include "sim/scheduler.h"

struct slab_cache;

struct slab_object { // all zero: none
	uint32_t slab;	 // number + 1
	uint32_t slot;
};

enum {
	SLAB_ORDER_DEFAULT = 255,
	SLAB_ORDER_MAX = 3,
	SLAB_SIZE_MAX = SIM_PAGE << SLAB_ORDER_MAX,
	SLAB_MIN_PARTIAL = 5,
	SLAB_CACHES_MAX = 128,
};

struct slab_cache_config {
	const char *name;    // lives as long as the simulation
	uint32_t size;	     // bytes of an object, as laid out; at most SLAB_SIZE_MAX
	uint8_t order;	     // preferred; SLAB_ORDER_DEFAULT: by SLUB's rule from the size and the number of CPUs
	bool reclaimable;    // __GFP_RECLAIMABLE, pages count as nr_slab_reclaimable
	bool shrinkable;     // unused objects may stay, and a shrinker frees the oldest of them (spec 04 S-1 to S-8)
	uint32_t gfp;	     // added to each request for a slab
	// Shrinkable: the shrinker has freed the object that was released with this tag. By whoever reclaims: it must
	// not sleep. May be NULL.
	void (*evicted)(struct simulation *sim, void *context, uint64_t tag);
	void *context;
};

bool slab_create(struct simulation *sim);
void slab_destroy(struct simulation *sim);

// The cache of this name: made at its first use, whose configuration stays. NULL: no host memory, or a configuration
// that cannot be (sim_fail() was called).
struct slab_cache *slab_cache_get(struct simulation *sim, const struct slab_cache_config *config);
// kmalloc() of this many bytes, at most 8 KiB: the cache "kmalloc-N", or "kmalloc-rcl-N" for reclaimable memory.
struct slab_cache *slab_kmalloc_cache(struct simulation *sim, uint32_t bytes, bool reclaimable);

// By the running task or in an interrupt, charged. gfp: the caller's, e.g. YARD_GFP_KERNEL or YARD_GFP_ATOMIC. Others
// may run meanwhile if it has DIRECT_RECLAIM. False: no memory; counted, with the message that SLUB prints unless gfp
// has NOWARN.
bool slab_alloc(struct simulation *sim, struct slab_cache *cache, uint32_t gfp, struct slab_object *object);
// An object that is in use. Freeing another one is a bug: sim_fail().
void slab_free(struct simulation *sim, struct slab_cache *cache, struct slab_object object);

// Shrinkable caches. Nobody uses the object any more; it stays as the youngest of its node's LRU until the shrinker
// takes it or it is wanted again. `tag` is the caller's.
void slab_release_to_lru(struct simulation *sim, struct slab_cache *cache, struct slab_object object, uint64_t tag);
// It is in use again (a lookup found it). The caller knows that it has not been evicted.
void slab_take_from_lru(struct simulation *sim, struct slab_cache *cache, struct slab_object object);

struct slab_statistics {
	uint64_t pages, objects;  // now: of its slabs; in use or on the LRU
	uint64_t unused;	  // now: of these, on the LRU
	uint64_t failed;	  // requests for an object that failed
	uint64_t fallback_orders; // requests for a slab that did not get the preferred order
	uint64_t messages;	  // "SLUB: unable to allocate": printed, at most 10 in 5 s; of all caches
	uint64_t evicted;	  // objects that the shrinker has freed
};
void slab_cache_statistics(const struct slab_cache *cache, struct slab_statistics *statistics); // without messages
void slab_statistics(const struct simulation *sim, struct slab_statistics *statistics); // of all caches
const char *slab_first_message(const struct simulation *sim); // "" if there was none

// ---- slab_order.c ----

// The order that SLUB prefers for objects of `size` bytes, at most SLAB_SIZE_MAX, on a machine with so many CPUs.
unsigned slab_order(uint32_t size, unsigned nr_cpus);
unsigned slab_least_order(uint32_t size); // that holds one object
