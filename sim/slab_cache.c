// SPDX-License-Identifier: Apache-2.0
//
// Slab caches: made by name at their first use, how their slabs are laid out, and what they count.

#include <stdlib.h>
#include <string.h>

#include "sim/machine.h"
#include "sim/slab_internal.h"

// ---- caches ----

static void free_cache(struct slab_cache *cache)
{
	for (uint32_t i = 0; i * SLAB_CHUNK < cache->nr_slabs; i++)
		free(cache->chunk[i]);
	free(cache->chunk);
	free(cache->active);
	free(cache->node);
	free(cache);
}

static void lay_out(struct slab_cache *cache, const struct machine *machine)
{
	uint32_t size = cache->config.size;

	cache->least = (uint8_t)slab_least_order(size);
	if (cache->config.order == SLAB_ORDER_DEFAULT)
		cache->order = (uint8_t)slab_order(size, machine->nr_cpus);
	else
		cache->order = cache->config.order > cache->least ? cache->config.order : cache->least;
	cache->objects = ((uint32_t)SIM_PAGE << cache->order) / size;
	while (cache->objects > UINT32_C(1) << cache->slot_bits)
		cache->slot_bits++;
	cache->words = (cache->objects + WORD_BITS - 1) / WORD_BITS;
	cache->stride = sizeof(struct slab_pages) + cache->words * sizeof(uint64_t);
	if (cache->config.shrinkable)
		cache->stride += cache->words * sizeof(uint64_t) + cache->objects * sizeof(struct lru_links);
}

static struct slab_cache *make_cache(struct simulation *sim, const struct slab_cache_config *config)
{
	struct slab_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->sim = sim;
	cache->config = *config;
	lay_out(cache, sim->machine);
	cache->active = calloc(sim->machine->nr_cpus, sizeof(*cache->active));
	cache->node = calloc(sim->machine->nr_nodes, sizeof(*cache->node));
	if (cache->active && cache->node)
		return cache;
	free_cache(cache);
	return NULL;
}

static bool config_is_fine(const struct slab_cache_config *config)
{
	return config->size >= sizeof(uint64_t) && config->size <= SLAB_SIZE_MAX
	       && (config->order <= SLAB_ORDER_MAX || config->order == SLAB_ORDER_DEFAULT);
}

struct slab_cache *slab_cache_get(struct simulation *sim, const struct slab_cache_config *config)
{
	struct slab *all = sim->slab;
	struct slab_cache *cache;

	for (unsigned i = 0; i < all->nr_caches; i++)
		if (!strcmp(all->cache[i]->config.name, config->name))
			return all->cache[i];
	if (!config_is_fine(config) || all->nr_caches == SLAB_CACHES_MAX) {
		sim_fail(sim, "a slab cache %s that cannot be: objects of %u bytes", config->name, config->size);
		return NULL;
	}
	cache = make_cache(sim, config);
	if (!cache) {
		sim_fail(sim, "out of memory: slab cache %s", config->name);
		return NULL;
	}
	if (config->shrinkable && !slab_add_shrinker(cache)) {
		free_cache(cache);
		return NULL;
	}
	all->cache[all->nr_caches++] = cache;
	return cache;
}

struct slab_cache *slab_kmalloc_cache(struct simulation *sim, uint32_t bytes, bool reclaimable)
{
	static const struct {
		uint32_t size;
		const char *name, *reclaimable;
	} sizes[] = {
		{8, "kmalloc-8", "kmalloc-rcl-8"},	 {16, "kmalloc-16", "kmalloc-rcl-16"},
		{32, "kmalloc-32", "kmalloc-rcl-32"},	 {64, "kmalloc-64", "kmalloc-rcl-64"},
		{96, "kmalloc-96", "kmalloc-rcl-96"},	 {128, "kmalloc-128", "kmalloc-rcl-128"},
		{192, "kmalloc-192", "kmalloc-rcl-192"}, {256, "kmalloc-256", "kmalloc-rcl-256"},
		{512, "kmalloc-512", "kmalloc-rcl-512"}, {1024, "kmalloc-1k", "kmalloc-rcl-1k"},
		{2048, "kmalloc-2k", "kmalloc-rcl-2k"},	 {4096, "kmalloc-4k", "kmalloc-rcl-4k"},
		{8192, "kmalloc-8k", "kmalloc-rcl-8k"},
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const struct slab_cache_config config = {
			.name = reclaimable ? sizes[i].reclaimable : sizes[i].name,
			.size = sizes[i].size,
			.order = SLAB_ORDER_DEFAULT,
			.reclaimable = reclaimable,
		};

		if (bytes <= config.size)
			return slab_cache_get(sim, &config);
	}
	sim_fail(sim, "kmalloc of %u bytes is not modelled", bytes);
	return NULL;
}

bool slab_create(struct simulation *sim)
{
	sim->slab = calloc(1, sizeof(*sim->slab));
	return sim->slab;
}

void slab_destroy(struct simulation *sim)
{
	if (!sim->slab)
		return;
	for (unsigned i = 0; i < sim->slab->nr_caches; i++)
		free_cache(sim->slab->cache[i]);
	free(sim->slab);
	sim->slab = NULL;
}

void slab_cache_statistics(const struct slab_cache *cache, struct slab_statistics *statistics)
{
	*statistics = cache->statistics;
}

void slab_statistics(const struct simulation *sim, struct slab_statistics *statistics)
{
	*statistics = (struct slab_statistics){.messages = sim->slab->messages};
	for (unsigned i = 0; i < sim->slab->nr_caches; i++) {
		const struct slab_statistics *cache = &sim->slab->cache[i]->statistics;

		statistics->pages += cache->pages;
		statistics->objects += cache->objects;
		statistics->unused += cache->unused;
		statistics->failed += cache->failed;
		statistics->fallback_orders += cache->fallback_orders;
		statistics->evicted += cache->evicted;
	}
}

const char *slab_first_message(const struct simulation *sim)
{
	return sim->slab->first_message;
}
