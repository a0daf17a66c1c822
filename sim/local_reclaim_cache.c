// SPDX-License-Identifier: Apache-2.0
//
// What local-reclaim has to know of page cache (spec 05 L2, L6): times are kept for each 512 pages of a file, in
// milliseconds, so that the youngest page speaks for all; a workload's files are one cache, whose pages that were used
// again are counted by the second of their last use.

#include "sim/local_reclaim_internal.h"

#include <string.h>

uint16_t cache_set_of(struct simulation *sim, const char *workload, enum cache_advice advice)
{
	struct local_simulation *local = sim->local_reclaim;
	struct cache_set *set;

	for (uint16_t i = 0; i < local->nr_sets; i++)
		if (!strcmp(local->set[i].name, workload))
			return (uint16_t)(i + 1);
	if (local->nr_sets == CACHE_SETS_MAX) {
		if (advice != CACHE_NORMAL)
			sim_fail(sim, "cache of %s: there are more than %d workloads", workload, CACHE_SETS_MAX);
		return 0;
	}
	set = &local->set[local->nr_sets++];
	set->name = workload;
	set->advice = advice;
	return local->nr_sets;
}

struct cache_set *cache_set(struct simulation *sim, uint16_t number)
{
	return number ? &sim->local_reclaim->set[number - 1] : NULL;
}

void cache_set_count(struct cache_set *set, unsigned node, int64_t pages)
{
	set->pages[node] += (uint64_t)pages;
}

// ---- uses ----

static uint32_t now_ms(const struct simulation *sim)
{
	return (uint32_t)(sim_now(sim) / NS_PER_MS);
}

void cache_page_new(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	if (sim->local_reclaim->nr_owners)
		region_of(sim, object, page)->new_ms = now_ms(sim);
}

// By node.
static uint64_t *bucket(struct cache_set *set, uint32_t second)
{
	struct hot_bucket *bucket = &set->hot[second % HOT_BUCKETS];

	if (bucket->second != second)
		*bucket = (struct hot_bucket){.second = second};
	return bucket->pages;
}

// The region's pages count once, when and where one was used last.
static void note_hot(struct cache_set *set, struct region *region, uint32_t second, unsigned node)
{
	if (region->hot_pages && region->hot_second == second)
		return;
	if (region->hot_pages && second - region->hot_second < HOT_BUCKETS)
		bucket(set, region->hot_second)[region->hot_node] -= region->hot_pages;
	region->hot_second = second;
	region->hot_pages = region->used;
	region->hot_node = (uint8_t)node;
	bucket(set, second)[node] += region->hot_pages;
}

void cache_page_read(struct simulation *sim, struct memory_object *object, uint64_t page, uint32_t pfn)
{
	struct region *region = region_of(sim, object, page);
	uint32_t now = now_ms(sim), flags;
	enum yard_mapping mapping;
	bool lru;

	if (!sim->local_reclaim->nr_owners)
		return;
	region->read_ms = now;
	if (object->cache_set && yard_lru_get(sim->yard, pfn, &flags, &mapping, &lru) == YARD_OK
	    && flags & (YARD_PAGE_REFERENCED | YARD_PAGE_ACTIVE | YARD_PAGE_WORKINGSET))
		note_hot(object->cache_set, region, now / 1000 + 1, node_of_frame(sim, pfn));
}

// ---- the engine's question ----

static uint64_t hot_pages(const struct cache_set *set, uint32_t second, unsigned node)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < HOT_BUCKETS; i++)
		if (set->hot[i].second + HOT_SECONDS > second)
			pages += set->hot[i].pages[node];
	return pages;
}

void cache_describe(struct simulation *sim, const struct memory_object *object, uint64_t page, unsigned node,
		    struct yard_local_page *answer)
{
	const struct region *region = region_of(sim, object, page);
	const struct cache_set *set = object->cache_set;
	uint32_t now = now_ms(sim);

	answer->age_ns = (uint64_t)(now - region->new_ms) * NS_PER_MS;
	answer->idle_ns = (uint64_t)(now - region->read_ms) * NS_PER_MS;
	if (!set)
		return;
	answer->keep = set->advice == CACHE_KEEP;
	answer->declared = set->advice == CACHE_GARBAGE;
	answer->victim = (uint32_t)(set - sim->local_reclaim->set) + 1;
	answer->victim_pages = set->pages[node];
	answer->victim_hot = hot_pages(set, now / 1000 + 1, node);
}
