// SPDX-License-Identifier: Apache-2.0
//
// Objects that nobody uses but that are kept in case they are wanted again (dentries, inodes): one LRU a node, and the
// shrinker that frees the oldest (spec 04 S-1 to S-8). Pages become free only as whole slabs do, so that an LRU order
// that has nothing to do with the places of the objects frees few of them.

#include <pageyard/lru.h>

#include "sim/slab_internal.h"

enum { SUPERBLOCK_BATCH = 1024, USUAL_SEEKS = 2 }; // S-4

uint64_t *slab_lru_map(const struct slab_cache *cache, struct slab_pages *slab)
{
	return slab->free + cache->words;
}

// Numbers of objects: the slab's, then slot_bits for the slot.
static uint32_t slab_of(const struct slab_cache *cache, uint32_t object)
{
	return object >> cache->slot_bits;
}

static uint32_t slot_of(const struct slab_cache *cache, uint32_t object)
{
	return object & ((UINT32_C(1) << cache->slot_bits) - 1);
}

static struct lru_links *links_of(const struct slab_cache *cache, uint32_t object)
{
	struct slab_pages *slab = slab_at(cache, slab_of(cache, object));

	return (struct lru_links *)(void *)(slab->free + (size_t)2 * cache->words) + slot_of(cache, object);
}

static struct slab_node *lru_of(const struct slab_cache *cache, uint32_t object)
{
	return &cache->node[slab_at(cache, slab_of(cache, object))->node];
}

static void unlink_object(struct slab_cache *cache, uint32_t object)
{
	struct lru_links *links = links_of(cache, object);
	struct slab_node *node = lru_of(cache, object);

	if (links->older)
		links_of(cache, links->older - 1)->younger = links->younger;
	else
		node->oldest = links->younger;
	if (links->younger)
		links_of(cache, links->younger - 1)->older = links->older;
	else
		node->youngest = links->older;
	node->nr_unused--;
	cache->statistics.unused--;
	flip_bit(slab_lru_map(cache, slab_at(cache, slab_of(cache, object))), slot_of(cache, object));
}

// The number of an object that is in use and, as `on_lru` says, on the LRU or not; false: a caller's bug.
static bool find_object(struct slab_cache *cache, struct slab_object object, bool on_lru, uint32_t *number)
{
	struct slab_pages *slab;

	if (cache->config.shrinkable && object.slab && object.slab <= cache->nr_slabs) {
		slab = slab_at(cache, object.slab - 1);
		*number = (object.slab - 1) << cache->slot_bits | object.slot;
		if (slab->place != SLAB_UNUSED && object.slot < slab->objects && !bit_is_set(slab->free, object.slot)
		    && bit_is_set(slab_lru_map(cache, slab), object.slot) == on_lru)
			return true;
	}
	sim_fail(cache->sim, "cache %s: object %u of slab %u cannot %s the LRU", cache->config.name, object.slot,
		 object.slab, on_lru ? "leave" : "join");
	return false;
}

void slab_release_to_lru(struct simulation *sim, struct slab_cache *cache, struct slab_object object, uint64_t tag)
{
	struct slab_node *node;
	uint32_t number;

	(void)sim;
	if (!find_object(cache, object, false, &number))
		return;
	node = lru_of(cache, number);
	*links_of(cache, number) = (struct lru_links){.older = node->youngest, .tag = tag};
	if (node->youngest)
		links_of(cache, node->youngest - 1)->younger = number + 1;
	else
		node->oldest = number + 1;
	node->youngest = number + 1;
	node->nr_unused++;
	cache->statistics.unused++;
	flip_bit(slab_lru_map(cache, slab_at(cache, object.slab - 1)), object.slot);
}

void slab_take_from_lru(struct simulation *sim, struct slab_cache *cache, struct slab_object object)
{
	uint32_t number;

	(void)sim;
	if (find_object(cache, object, true, &number))
		unlink_object(cache, number);
}

// ---- the shrinker ----

static int64_t count_unused(void *context, unsigned node, uint32_t gfp)
{
	const struct slab_cache *cache = context;

	(void)gfp;
	return cache->node[node].nr_unused ? (int64_t)cache->node[node].nr_unused : YARD_SHRINK_EMPTY;
}

static uint64_t evict(struct slab_cache *cache, uint32_t object) // pages freed
{
	uint64_t tag = links_of(cache, object)->tag;

	unlink_object(cache, object);
	cache->statistics.evicted++;
	if (cache->config.evicted)
		cache->config.evicted(cache->sim, cache->config.context, tag);
	return slab_put(cache, slab_of(cache, object), slot_of(cache, object));
}

static int64_t scan_unused(void *context, unsigned node, uint32_t gfp, uint64_t *nr, uint64_t *pages)
{
	struct slab_cache *cache = context;
	uint64_t done = 0;

	if (!(gfp & YARD_GFP_FS)) // S-5: they belong to filesystems
		return YARD_SHRINK_STOP;
	*pages = 0;
	for (; done < *nr && cache->node[node].oldest; done++)
		*pages += evict(cache, cache->node[node].oldest - 1);
	*nr = done;
	return (int64_t)done;
}

bool slab_add_shrinker(struct slab_cache *cache)
{
	cache->shrinker = (struct yard_shrinker){
		.name = cache->config.name,
		.count = count_unused,
		.scan = scan_unused,
		.seeks = USUAL_SEEKS,
		.batch = SUPERBLOCK_BATCH,
		.numa_aware = true,
		.context = cache,
	};
	if (yard_add_shrinker(cache->sim->yard, &cache->shrinker) == YARD_OK)
		return true;
	sim_fail(cache->sim, "too many caches with a shrinker: no room for %s", cache->config.name);
	return false;
}
