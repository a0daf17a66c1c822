// SPDX-License-Identifier: Apache-2.0
//
// Shrinkers (spec 04 section 5): caches of the embedder that give up objects when memory is short. What a call leaves
// undone is kept for the next one.

#include "engine/mm.h"

enum { SHRINK_BATCH = 128 };

static struct yard_shrinker *shrinker_at(const struct yard *yard, unsigned index) // NULL: being added just now
{
	// Acquire pairs with the release in yard_add_shrinker(): its members are visible.
	return __atomic_load_n(&yard->shrinkers[index].shrinker, __ATOMIC_ACQUIRE);
}

static unsigned count_shrinkers(const struct yard *yard)
{
	return atomic_load_explicit(&yard->nr_shrinkers, memory_order_relaxed);
}

int yard_add_shrinker(struct yard *yard, struct yard_shrinker *shrinker)
{
	uint32_t nr = count_shrinkers(yard);

	if (!shrinker || !shrinker->count || !shrinker->scan)
		return YARD_EINVAL;
	do {
		if (nr == SHRINKERS_MAX)
			return YARD_ENOMEM;
	} while (!atomic_compare_exchange_weak_explicit(&yard->nr_shrinkers, &nr, nr + 1, memory_order_relaxed,
							memory_order_relaxed));
	__atomic_store_n(&yard->shrinkers[nr].shrinker, shrinker, __ATOMIC_RELEASE);
	return YARD_OK;
}

// ---- S-3 ----

struct slab_scan {
	struct yard *yard;
	struct shrinker *slot;
	const struct yard_shrinker *shrinker;
	unsigned node; // as the shrinker sees it
	uint32_t gfp;
	uint64_t freeable, total, scanned, pages;
	int64_t freed;
};

static uint64_t wanted(const struct yard_shrinker *shrinker, uint64_t freeable, int priority) // delta
{
	return shrinker->seeks ? (freeable >> priority) * 4 / shrinker->seeks : freeable / 2;
}

// Scans at most n objects. False: it wants to stop, or would go on for ever.
static bool scan_objects(struct slab_scan *scan, uint64_t n)
{
	const struct yard_shrinker *shrinker = scan->shrinker;
	uint64_t pages = 0;
	int64_t freed = shrinker->scan(shrinker->context, scan->node, scan->gfp, &n, &pages);

	scan->pages += pages;
	if (freed < 0)
		return false;
	scan->freed += freed;
	scan->scanned += n;
	scan->total -= n < scan->total ? n : scan->total;
	count_vm_event(scan->yard, YARD_VM_SLABS_SCANNED, n);
	yard_host_charge(&scan->yard->host, YARD_COST_SLAB_OBJECT, n);
	yard_host_yield(&scan->yard->host);
	return n;
}

// What was not done, for the next call. The new sum.
static int64_t defer_rest(struct slab_scan *scan, int64_t rest)
{
	rest = min64(max64(rest, 0), (int64_t)(2 * scan->freeable));
	return atomic_fetch_add_explicit(&scan->slot->deferred[scan->node], rest, memory_order_relaxed) + rest;
}

int64_t do_shrink(struct yard *yard, unsigned index, unsigned node, uint32_t gfp, int priority, uint64_t *pages)
{
	const struct yard_shrinker *shrinker = shrinker_at(yard, index);
	struct slab_scan scan = { .yard = yard, .slot = &yard->shrinkers[index], .shrinker = shrinker, .gfp = gfp };
	uint32_t pid = current_task(yard) ? current_task(yard)->pid : 0;
	uint64_t batch, delta;
	int64_t deferred, freeable, left;

	if (!shrinker)
		return 0;
	scan.node = shrinker->numa_aware ? node : 0;
	freeable = shrinker->count(shrinker->context, scan.node, gfp);
	if (freeable <= 0) // or YARD_SHRINK_EMPTY
		return 0;
	scan.freeable = (uint64_t)freeable;
	deferred = atomic_exchange_explicit(&scan.slot->deferred[scan.node], 0, memory_order_relaxed);
	delta = wanted(shrinker, scan.freeable, priority);
	scan.total = (uint64_t)min64((int64_t)(((uint64_t)deferred >> priority) + delta), 2 * freeable);
	batch = shrinker->batch ? shrinker->batch : SHRINK_BATCH;
	TRACE(yard, SHRINK_SLAB_START, index, node, pid, 0, deferred, gfp, freeable, (int64_t)delta,
	      (int64_t)scan.total, priority);
	while (scan.total >= batch || scan.total >= scan.freeable)
		if (!scan_objects(&scan, scan.total < batch ? scan.total : batch))
			break;
	left = defer_rest(&scan, deferred + (int64_t)delta - (int64_t)scan.scanned);
	TRACE(yard, SHRINK_SLAB_END, index, node, pid, 0, deferred, left, (int64_t)scan.total, scan.freed);
	*pages += scan.pages;
	return scan.freed;
}

// ---- S-2, S-7 ----

// All shrinkers in the order of their registration. Objects freed.
static uint64_t shrink_slab(struct yard *yard, unsigned node, uint32_t gfp, int priority, uint64_t *pages)
{
	unsigned nr = count_shrinkers(yard);
	uint64_t freed = 0;

	for (unsigned index = 0; index < nr; index++)
		freed += (uint64_t)do_shrink(yard, index, node, gfp, priority, pages);
	return freed;
}

uint64_t node_shrink_slab(struct yard *yard, unsigned node, struct scan_control *sc)
{
	uint64_t pages = 0;

	shrink_slab(yard, node, sc->gfp, sc->priority, &pages);
	return pages;
}

uint64_t yard_drop_slab(struct yard *yard)
{
	uint64_t sum = 0, freed, pages = 0;
	unsigned shift = 0;

	do {
		freed = 0;
		for (unsigned node = 0; node < yard->nr_nodes; node++)
			freed += shrink_slab(yard, node, YARD_GFP_KERNEL, 0, &pages);
		sum += freed;
	} while (freed >> shift++ > 1 && !fatal_signal(yard));
	count_vm_event(yard, YARD_VM_DROP_SLAB, 1);
	return sum;
}
