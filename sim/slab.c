// SPDX-License-Identifier: Apache-2.0
//
// Slabs: requests for them, the lists that they are on, and objects. A request may sleep; nothing that was looked up
// before it counts afterwards.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pageyard/stat.h>

#include "sim/machine.h"
#include "sim/slab_internal.h"

// ---- numbers of slabs ----

static bool add_chunk(struct slab_cache *cache)
{
	uint32_t chunks = cache->nr_slabs / SLAB_CHUNK;

	if (chunks == cache->max_chunks) {
		uint32_t max = cache->max_chunks ? 2 * cache->max_chunks : 4;
		char **chunk = realloc(cache->chunk, max * sizeof(*chunk));

		if (!chunk)
			return false;
		cache->chunk = chunk;
		cache->max_chunks = max;
	}
	if (cache->nr_slabs + SLAB_CHUNK >= UINT32_MAX >> cache->slot_bits) // numbers of objects
		return false;
	cache->chunk[chunks] = calloc(SLAB_CHUNK, cache->stride);
	return cache->chunk[chunks];
}

static bool take_number(struct slab_cache *cache, uint32_t *number)
{
	if (cache->unused) {
		*number = cache->unused - 1;
		cache->unused = slab_at(cache, *number)->next;
		return true;
	}
	if (cache->nr_slabs % SLAB_CHUNK == 0 && !add_chunk(cache))
		return false;
	*number = cache->nr_slabs++;
	return true;
}

static void give_number_back(struct slab_cache *cache, uint32_t number)
{
	struct slab_pages *slab = slab_at(cache, number);

	slab->place = SLAB_UNUSED;
	slab->next = cache->unused;
	cache->unused = number + 1;
}

// ---- lists of partial slabs ----

static void join_partial(struct slab_cache *cache, uint32_t number)
{
	struct slab_pages *slab = slab_at(cache, number);
	struct slab_node *node = &cache->node[slab->node];

	slab->place = SLAB_PARTIAL;
	slab->previous = node->last;
	slab->next = 0;
	if (node->last)
		slab_at(cache, node->last - 1)->next = number + 1;
	else
		node->first = number + 1;
	node->last = number + 1;
	node->nr_partial++;
}

static void leave_partial(struct slab_cache *cache, uint32_t number)
{
	struct slab_pages *slab = slab_at(cache, number);
	struct slab_node *node = &cache->node[slab->node];

	if (slab->previous)
		slab_at(cache, slab->previous - 1)->next = slab->next;
	else
		node->first = slab->next;
	if (slab->next)
		slab_at(cache, slab->next - 1)->previous = slab->previous;
	else
		node->last = slab->previous;
	node->nr_partial--;
	slab->place = SLAB_NOWHERE;
}

// ---- pages ----

static void count_pages(struct slab_cache *cache, const struct slab_pages *slab, int sign)
{
	int64_t pages = sign * (INT64_C(1) << slab->order);

	yard_mod_node_stat(cache->sim->yard, slab->node,
			   cache->config.reclaimable ? YARD_NODE_SLAB_RECLAIMABLE : YARD_NODE_SLAB_UNRECLAIMABLE,
			   pages);
	cache->statistics.pages += (uint64_t)pages;
}

// Whoever cannot sleep takes what the atomic requests get.
static enum request_class class_of(const struct slab_cache *cache, uint32_t gfp)
{
	if (!(gfp & YARD_GFP_DIRECT_RECLAIM))
		return REQUEST_ATOMIC;
	return cache->config.reclaimable ? REQUEST_SLAB_RECLAIMABLE : REQUEST_SLAB;
}

// As the records' mm_page_alloc events show it. Each request for a slab begins as an opportunity: with NOWARN, NORETRY
// and NOMEMALLOC. 0xd2cc0, order 0: where no lesser order holds an object it may reclaim as the caller may. 0xd20c0,
// orders 1 to 3: where there is one, a caller who could reclaim directly gives up both ways of reclaim; 0xd2820 and
// 0xd2810, order 1: one who could not keeps waking kswapd. No such mask has ZERO or ACCOUNT, which are the object's.
// NOFAIL would contradict NORETRY: not in the records.
static uint32_t opportunistic(const struct slab_cache *cache, uint32_t gfp)
{
	gfp |= YARD_GFP_NOWARN | YARD_GFP_NORETRY | YARD_GFP_NOMEMALLOC;
	gfp &= ~(uint32_t)YARD_GFP_NOFAIL;
	if (cache->least < cache->order && gfp & YARD_GFP_DIRECT_RECLAIM)
		gfp &= ~(uint32_t)(YARD_GFP_DIRECT_RECLAIM | YARD_GFP_KSWAPD_RECLAIM);
	return gfp;
}

// In slab-net-d1 all 41 that failed were followed by one of order 0 with 0xc2cc0, and the sender's blocks of order 2
// have this mask too, without a failure before: NOWARN and NOMEMALLOC are his own. So the second try is for the least
// order, with the mask of the caller.
static uint32_t request_pages(struct slab_cache *cache, uint32_t gfp, unsigned *order)
{
	enum request_class class = class_of(cache, gfp);
	uint32_t pfn;

	gfp |= cache->config.gfp | YARD_GFP_COMP | (cache->config.reclaimable ? YARD_GFP_RECLAIMABLE : 0);
	gfp &= ~(uint32_t)(YARD_GFP_ZERO | YARD_GFP_ACCOUNT);
	*order = cache->order;
	pfn = sim_try_alloc(cache->sim, class, opportunistic(cache, gfp), *order, -1);
	if (pfn != YARD_PFN_NONE)
		return pfn;
	if (cache->least < cache->order)
		cache->statistics.fallback_orders++;
	*order = cache->least;
	return sim_alloc(cache->sim, class, gfp, *order, -1);
}

static void fill_slab(const struct slab_cache *cache, struct slab_pages *slab)
{
	memset(slab->free, 0, cache->words * sizeof(*slab->free));
	for (uint32_t i = 0; i < slab->objects; i++)
		flip_bit(slab->free, i);
	slab->hint = 0;
}

static bool new_slab(struct slab_cache *cache, uint32_t gfp, uint32_t *number)
{
	struct slab_pages *slab;
	unsigned order = 0;
	uint32_t pfn = request_pages(cache, gfp, &order);

	if (pfn == YARD_PFN_NONE)
		return false;
	if (!take_number(cache, number)) {
		sim_free(cache->sim, pfn, order);
		sim_fail(cache->sim, "out of memory: more slabs of %s", cache->config.name);
		return false;
	}
	slab = slab_at(cache, *number);
	slab->pfn = pfn;
	slab->order = (uint8_t)order;
	slab->objects = (uint16_t)(((uint32_t)SIM_PAGE << order) / cache->config.size);
	slab->used = 0;
	slab->node = (uint8_t)((unsigned)yard_zone_of(cache->sim->yard, pfn) / YARD_ZONE_TYPES);
	slab->place = SLAB_NOWHERE;
	fill_slab(cache, slab);
	count_pages(cache, slab, 1);
	return true;
}

static uint64_t discard_slab(struct slab_cache *cache, uint32_t number)
{
	struct slab_pages *slab = slab_at(cache, number);

	count_pages(cache, slab, -1);
	sim_free(cache->sim, slab->pfn, slab->order);
	give_number_back(cache, number);
	return UINT64_C(1) << slab->order;
}

// ---- objects ----

static bool has_free(const struct slab_pages *slab)
{
	return slab->used < slab->objects;
}

static bool take_object(struct slab_cache *cache, uint32_t number, struct slab_object *object)
{
	struct slab_pages *slab = slab_at(cache, number);
	uint32_t word = slab->hint;

	if (!has_free(slab))
		return false;
	while (!slab->free[word])
		word++;
	slab->hint = (uint16_t)word;
	object->slab = number + 1;
	object->slot = word * WORD_BITS + (uint32_t)__builtin_ctzll(slab->free[word]);
	slab->free[word] &= slab->free[word] - 1;
	slab->used++;
	cache->statistics.objects++;
	return true;
}

static void activate(struct slab_cache *cache, unsigned cpu, uint32_t number)
{
	uint32_t before = cache->active[cpu];

	if (before && has_free(slab_at(cache, before - 1)))
		join_partial(cache, before - 1);
	else if (before)
		slab_at(cache, before - 1)->place = SLAB_NOWHERE;
	slab_at(cache, number)->place = SLAB_ACTIVE;
	cache->active[cpu] = number + 1;
}

static bool take_from_active(struct slab_cache *cache, unsigned cpu, struct slab_object *object)
{
	return cache->active[cpu] && take_object(cache, cache->active[cpu] - 1, object);
}

static bool take_from_partial(struct slab_cache *cache, unsigned cpu, unsigned node, struct slab_object *object)
{
	uint32_t first = cache->node[node].first;

	if (!first)
		return false;
	leave_partial(cache, first - 1);
	activate(cache, cpu, first - 1);
	return take_object(cache, first - 1, object);
}

// The request may have slept: the task may be on another CPU, and that one may have got a slab meanwhile.
static bool take_from_new(struct slab_cache *cache, uint32_t gfp, struct slab_object *object)
{
	uint32_t number;

	if (!new_slab(cache, gfp, &number))
		return false;
	activate(cache, cache->sim->host->cpu, number);
	return take_object(cache, number, object);
}

static bool take_from_anywhere(struct slab_cache *cache, struct slab_object *object)
{
	unsigned cpu = cache->sim->host->cpu;

	if (take_from_active(cache, cpu, object))
		return true;
	for (unsigned node = 0; node < cache->sim->machine->nr_nodes; node++)
		if (take_from_partial(cache, cpu, node, object))
			return true;
	return false;
}

enum { BURST = 10 };
#define BURST_INTERVAL_NS (5 * NS_PER_S)

static void report_failure(struct slab_cache *cache, uint32_t gfp)
{
	struct slab *all = cache->sim->slab;
	uint64_t now = sim_now(cache->sim);
	char flags[100];

	cache->statistics.failed++;
	if (gfp & YARD_GFP_NOWARN)
		return;
	if (!all->burst || now - all->burst_start > BURST_INTERVAL_NS) {
		all->burst_start = now;
		all->burst = 0;
	}
	if (all->burst++ >= BURST)
		return;
	if (all->messages++)
		return;
	yard_gfp_print(gfp, flags, sizeof(flags));
	snprintf(all->first_message, sizeof(all->first_message),
		 "SLUB: unable to allocate, gfp=%#x(%s), cache %s, buffer %u, default order %u", gfp, flags,
		 cache->config.name, cache->config.size, cache->order);
}

bool slab_alloc(struct simulation *sim, struct slab_cache *cache, uint32_t gfp, struct slab_object *object)
{
	unsigned cpu = sim->host->cpu;

	sim_charge(sim, COST_SLAB_ALLOC, 1);
	if (take_from_active(cache, cpu, object))
		return true;
	if (take_from_partial(cache, cpu, scheduler_cpu_node(sim, cpu), object) || take_from_new(cache, gfp, object)
	    || take_from_anywhere(cache, object))
		return true;
	*object = (struct slab_object){0};
	report_failure(cache, gfp);
	return false;
}

uint64_t slab_put(struct slab_cache *cache, uint32_t number, uint32_t slot)
{
	struct slab_pages *slab = slab_at(cache, number);
	bool was_full = !has_free(slab);

	flip_bit(slab->free, slot);
	if (slot / WORD_BITS < slab->hint)
		slab->hint = (uint16_t)(slot / WORD_BITS);
	slab->used--;
	cache->statistics.objects--;
	if (slab->place == SLAB_ACTIVE)
		return 0;
	if (was_full)
		join_partial(cache, number);
	if (slab->used || cache->node[slab->node].nr_partial <= SLAB_MIN_PARTIAL)
		return 0;
	leave_partial(cache, number);
	return discard_slab(cache, number);
}

void slab_free(struct simulation *sim, struct slab_cache *cache, struct slab_object object)
{
	struct slab_pages *slab =
		object.slab && object.slab <= cache->nr_slabs ? slab_at(cache, object.slab - 1) : NULL;

	sim_charge(sim, COST_SLAB_ALLOC, 1);
	if (!slab || slab->place == SLAB_UNUSED || object.slot >= slab->objects || bit_is_set(slab->free, object.slot)
	    || (cache->config.shrinkable && bit_is_set(slab_lru_map(cache, slab), object.slot))) {
		sim_fail(sim, "cache %s: object %u of slab %u is not in use", cache->config.name, object.slot,
			 object.slab);
		return;
	}
	slab_put(cache, object.slab - 1, object.slot);
}
