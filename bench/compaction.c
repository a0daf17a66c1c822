// SPDX-License-Identifier: Apache-2.0
//
// What compaction costs: frames looked at and pages moved for a block delivered, the time for each, and a page's move with
// its copy against a copy of memory that no cache holds.
//
// Memory is filled with movable pages and every fifth is freed at random, so that no whole block is free; then blocks of
// order 9 are asked for. Nothing can be reclaimed.

#define _GNU_SOURCE
#include "bench/bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pageyard/lru.h"
#include "pageyard/stat.h"
#include "pageyard/worker.h"

enum { FIRST = 1 << 20, HUGE = YARD_PAGEBLOCK_ORDER };

// As examples/buffer_pool.c has it: a page's lock beside what it protects.
struct page {
	_Alignas(64) pthread_mutex_t lock;
	uint32_t pfn; // UINT32_MAX: freed
};

struct pool {
	struct yard *yard;
	char *yard_memory, *memory; // memory: NULL when pages are not copied
	size_t yard_size;
	uint32_t frames, pages;
	struct page *page;
};

static enum yard_move_result move_only(void *context, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	struct pool *pool = context;

	(void)order, (void)mode;
	pool->page[yard_get_owner(pool->yard, from)].pfn = to;
	return YARD_MOVE_DONE;
}

static enum yard_move_result move_and_copy(void *context, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	struct pool *pool = context;
	struct page *page = &pool->page[yard_get_owner(pool->yard, from)];

	(void)order, (void)mode;
	if (pthread_mutex_trylock(&page->lock))
		return YARD_MOVE_AGAIN;
	if (page->pfn == from) {
		memcpy(pool->memory + (size_t)(to - FIRST) * FRAME_SIZE, pool->memory + (size_t)(from - FIRST) * FRAME_SIZE,
		       FRAME_SIZE);
		page->pfn = to;
	}
	pthread_mutex_unlock(&page->lock);
	return YARD_MOVE_DONE;
}

static void *get(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		die("out of memory");
	return memory;
}

static void create(struct pool *pool, uint32_t frames, bool copy)
{
	const struct yard_range ram = { FIRST, FIRST + frames, 0 };
	struct yard_config config = {
		.nr_nodes = 1, .nr_cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF), .memory = &ram, .nr_memory = 1, .user_min_free_kbytes = -1, .watermark_boost_factor = -1,
		.owner = { .move = copy ? move_and_copy : move_only, .context = pool },
	};

	*pool = (struct pool){ .frames = frames };
	if (yard_policy_parse("linux-7.3,defrag_mode=1", &config.policy, NULL, 0))
		die("no policy");
	pool->yard_size = yard_size(&config, NULL);
	pool->yard_memory = get(pool->yard_size);
	if (yard_init(pool->yard_memory, pool->yard_size, &config, &pool->yard))
		die("the yard is refused");
	pool->memory = copy ? get((size_t)frames * FRAME_SIZE) : NULL;
	pool->page = get((size_t)frames * sizeof *pool->page);
	for (uint32_t i = 0; i < frames; i++)
		pthread_mutex_init(&pool->page[i].lock, NULL);
}

static void fill(struct pool *pool, bool lru)
{
	uint64_t random = 1;

	for (pool->pages = 0; pool->pages < pool->frames; pool->pages++) {
		uint32_t pfn = yard_alloc(pool->yard, YARD_GFP_HIGHUSER_MOVABLE & ~(uint32_t)YARD_GFP_DIRECT_RECLAIM, 0);

		if (pfn == YARD_PFN_NONE)
			break;
		pool->page[pool->pages].pfn = pfn;
		yard_set_owner(pool->yard, pfn, pool->pages);
		if (lru)
			yard_lru_add(pool->yard, pfn, YARD_PAGE_ANON | YARD_PAGE_SWAPBACKED, YARD_MAPPED);
	}
	yard_lru_drain_all(pool->yard);
	for (uint32_t i = 0; i < pool->pages; i++)
		if (!random_below(&random, 5)) {
			yard_free(pool->yard, pool->page[i].pfn, 0);
			pool->page[i].pfn = UINT32_MAX;
		}
	yard_drain_all(pool->yard, -1);
}

static void destroy(struct pool *pool)
{
	munmap(pool->yard_memory, pool->yard_size);
	munmap(pool->page, (size_t)pool->frames * sizeof *pool->page);
	if (pool->memory)
		munmap(pool->memory, (size_t)pool->frames * FRAME_SIZE);
}

static uint64_t scanned(const struct pool *pool)
{
	return yard_get_vm_event(pool->yard, YARD_VM_COMPACT_MIGRATE_SCANNED)
	       + yard_get_vm_event(pool->yard, YARD_VM_COMPACT_FREE_SCANNED);
}

// Nothing that the scanners meet can move: the time is theirs alone.
static double ns_per_scanned_frame(uint32_t frames)
{
	struct pool pool;
	uint64_t start, ns;
	double result;

	create(&pool, frames, false);
	fill(&pool, false);
	start = now_ns();
	yard_compact_node(pool.yard, 0);
	ns = now_ns() - start;
	result = scanned(&pool) ? (double)ns / (double)scanned(&pool) : 0;
	destroy(&pool);
	return result;
}

static double deliver(struct pool *pool, struct compaction *figures)
{
	uint64_t start = now_ns(), blocks = 0, moved;
	double ns;

	while (blocks < pool->frames >> HUGE >> 4
	       && yard_alloc(pool->yard, YARD_GFP_TRANSHUGE | YARD_GFP_RETRY_MAYFAIL, HUGE) != YARD_PFN_NONE)
		blocks++;
	ns = (double)(now_ns() - start);
	moved = yard_get_vm_event(pool->yard, YARD_VM_PGMIGRATE_SUCCESS);
	if (!blocks || !moved)
		return 0;
	figures->blocks = blocks;
	figures->scanned_per_block = (double)scanned(pool) / (double)blocks;
	figures->moved_per_block = (double)moved / (double)blocks;
	return (ns - figures->ns_per_scanned * (double)scanned(pool)) / (double)moved;
}

// Pages of memory in random order, each read once and written once: none is in a cache.
static double cold_copy_ns(char *memory, uint32_t frames)
{
	uint32_t *order = get((size_t)frames * sizeof *order), pairs = frames / 2 < 1 << 15 ? frames / 2 : 1 << 15;
	uint64_t random = 7, start, ns;

	for (uint32_t i = 0; i < frames; i++)
		order[i] = i;
	for (uint32_t i = 0; i < 2 * pairs; i++) {
		uint32_t j = i + random_below(&random, frames - i), kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
	start = now_ns();
	for (uint32_t i = 0; i < pairs; i++)
		memcpy(memory + (size_t)order[2 * i] * FRAME_SIZE, memory + (size_t)order[2 * i + 1] * FRAME_SIZE, FRAME_SIZE);
	ns = now_ns() - start;
	munmap(order, (size_t)frames * sizeof *order);
	return (double)ns / pairs;
}

void measure_compaction(const struct settings *settings, struct compaction *figures)
{
	enum { ROUNDS_MAX = 9 };
	unsigned rounds = settings->rounds < ROUNDS_MAX ? settings->rounds : ROUNDS_MAX;
	uint32_t frames = settings->frames < 1 << 18 ? settings->frames : 1 << 18;
	double scan[ROUNDS_MAX], move[ROUNDS_MAX], copied[ROUNDS_MAX], cold[ROUNDS_MAX], ratio[ROUNDS_MAX];

	if (!selected(settings, "compaction"))
		return;
	for (unsigned round = 0; round < rounds; round++) {
		struct compaction with_copy = { 0 };
		struct pool pool;

		progress("compaction: round %u of %u", round + 1, rounds);
		figures->ns_per_scanned = scan[round] = ns_per_scanned_frame(frames);
		create(&pool, frames, false);
		fill(&pool, true);
		move[round] = deliver(&pool, figures);
		destroy(&pool);
		create(&pool, frames, true);
		memset(pool.memory, 1, (size_t)frames * FRAME_SIZE);
		fill(&pool, true);
		with_copy.ns_per_scanned = scan[round];
		cold[round] = cold_copy_ns(pool.memory, frames);
		copied[round] = deliver(&pool, &with_copy);
		cold[round] = (cold[round] + cold_copy_ns(pool.memory, frames)) / 2;
		ratio[round] = copied[round] / cold[round];
		destroy(&pool);
	}
	progress_done();
	figures->ns_per_scanned = median(scan, rounds);
	figures->ns_per_moved = median(move, rounds);
	figures->ns_per_copied = median(copied, rounds);
	figures->ns_cold_copy = median(cold, rounds);
	figures->copy_ratio = median(ratio, rounds);
}
