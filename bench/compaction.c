// SPDX-License-Identifier: Apache-2.0
//
// What compaction costs: frames looked at and pages moved for a block delivered, the time for each, and a page's move
// with its copy against a copy of memory that no cache holds. Looking is taken off the moves: README.md.
//
// Memory is filled with movable pages and every fifth is freed at random, so that no whole block is free; then blocks of
// order 9 are asked for. Nothing can be reclaimed.

#define _GNU_SOURCE
#include "bench/bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pageyard/event.h"
#include "pageyard/lru.h"
#include "pageyard/stat.h"
#include "pageyard/worker.h"

enum { FIRST = 1 << 20, HUGE = YARD_PAGEBLOCK_ORDER, ROUNDS_MAX = 9 };

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

struct delivery { // what a run has done
	double ns;
	uint64_t blocks, moved, scanned;
};

static void result_of_run(const struct pool *pool, uint64_t start, uint64_t blocks, struct delivery *delivery)
{
	*delivery = (struct delivery){
		.ns = (double)(now_ns() - start), .blocks = blocks, .scanned = scanned(pool),
		.moved = yard_get_vm_event(pool->yard, YARD_VM_PGMIGRATE_SUCCESS),
	};
}

static void deliver(struct pool *pool, struct delivery *delivery)
{
	uint64_t start = now_ns(), blocks = 0;

	while (blocks < pool->frames >> HUGE >> 4
	       && yard_alloc(pool->yard, YARD_GFP_TRANSHUGE | YARD_GFP_RETRY_MAYFAIL, HUGE) != YARD_PFN_NONE)
		blocks++;
	result_of_run(pool, start, blocks, delivery);
}

static void compact_all(struct pool *pool, struct delivery *delivery)
{
	uint64_t start = now_ns();

	yard_compact_node(pool->yard, 0);
	result_of_run(pool, start, 0, delivery);
}

// ---- what the scanners and searches look at ----

struct looks {
	uint64_t frames;  // by the two scanners, frame after frame
	uint64_t entries; // of free lists, by the fast searches for a block to empty and for a destination
	uint64_t passed;  // counted as scanned too: what else belongs to a chunk that the search for a destination took
};

static void count_looks(void *context, const struct yard_event *event)
{
	enum { SCANNED = 2, TAKEN = 3 }; // fields
	struct looks *looks = context;

	if (event->kind == YARD_EVENT_ISOLATE_MIGRATEPAGES || event->kind == YARD_EVENT_ISOLATE_FREEPAGES)
		looks->frames += (uint64_t)event->args[SCANNED];
	if (event->kind == YARD_EVENT_FAST_ISOLATE_FREEPAGES && event->args[TAKEN])
		looks->passed += (uint64_t)event->args[TAKEN] - 1;
}

// Events cost time, so a run of its own tells; the others do the same.
static struct looks find_looks(uint32_t frames)
{
	struct looks looks = { 0 };
	struct delivery delivery;
	struct pool pool;

	create(&pool, frames, false);
	fill(&pool, true);
	yard_set_event_sink(pool.yard, count_looks, &looks, false);
	deliver(&pool, &delivery);
	looks.entries = delivery.scanned - looks.frames - looks.passed;
	destroy(&pool);
	return looks;
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

// ---- the figures ----

struct round {
	double scan;		     // nanoseconds a scanned frame
	double move, copy;	     // ... a moved page, without its copy and with it
	double cold;		     // ... a cold copy
	double ratio, searched, all; // of page to cold copy: see struct compaction
};

static double per_page(const struct delivery *delivery, double off)
{
	return (delivery->ns - off) / (double)delivery->moved;
}

// Pages are really copied. Returns what a cold copy costs before and after.
static double run_copying(uint32_t frames, void (*run)(struct pool *, struct delivery *), struct delivery *delivery)
{
	struct pool pool;
	double cold;

	create(&pool, frames, true);
	memset(pool.memory, 1, (size_t)frames * FRAME_SIZE);
	fill(&pool, true);
	cold = cold_copy_ns(pool.memory, frames);
	run(&pool, delivery);
	cold = (cold + cold_copy_ns(pool.memory, frames)) / 2;
	destroy(&pool);
	return cold;
}

static bool measure_round(struct round *round, uint32_t frames, const struct looks *looks, struct compaction *figures)
{
	struct delivery moved, copied, all;
	double linear, searched, cold;
	struct pool pool;

	round->scan = ns_per_scanned_frame(frames);
	linear = round->scan * (double)looks->frames;
	searched = round->scan * (double)looks->entries;
	create(&pool, frames, false);
	fill(&pool, true);
	deliver(&pool, &moved);
	destroy(&pool);
	round->cold = run_copying(frames, deliver, &copied);
	cold = run_copying(frames, compact_all, &all);
	if (!moved.blocks || !moved.moved || !copied.moved || !all.moved)
		return false;
	round->move = per_page(&moved, linear + searched);
	round->copy = per_page(&copied, linear + searched);
	round->ratio = round->copy / round->cold;
	round->searched = per_page(&copied, linear) / round->cold;
	round->all = per_page(&all, 0) / cold;
	figures->blocks = moved.blocks;
	figures->scanned_per_block = (double)moved.scanned / (double)moved.blocks;
	figures->searched_per_block = (double)looks->entries / (double)moved.blocks;
	figures->moved_per_block = (double)moved.moved / (double)moved.blocks;
	return true;
}

static double median_of(const struct round *rounds, unsigned nr, size_t member)
{
	double values[ROUNDS_MAX];

	for (unsigned i = 0; i < nr; i++)
		values[i] = *(const double *)((const char *)&rounds[i] + member);
	return median(values, nr);
}

// On one CPU all runs find their pages in the same per-CPU set, and do the same.
static void stay_on_this_cpu(cpu_set_t *before)
{
	int cpu = sched_getcpu();
	cpu_set_t one;

	CPU_ZERO(&one);
	if (cpu < 0 || sched_getaffinity(0, sizeof *before, before))
		die("cannot find out which CPU this is");
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof one, &one))
		die("cannot stay on a CPU");
}

void measure_compaction(const struct settings *settings, struct compaction *figures)
{
	unsigned rounds = settings->rounds < ROUNDS_MAX ? settings->rounds : ROUNDS_MAX;
	uint32_t frames = settings->frames < 1 << 18 ? settings->frames : 1 << 18;
	struct round round[ROUNDS_MAX];
	struct looks looks;
	cpu_set_t cpus;
	bool done = true;

	if (!selected(settings, "compaction"))
		return;
	stay_on_this_cpu(&cpus);
	looks = find_looks(frames);
	for (unsigned i = 0; done && i < rounds; i++) {
		progress("compaction: round %u of %u", i + 1, rounds);
		done = measure_round(&round[i], frames, &looks, figures);
	}
	progress_done();
	sched_setaffinity(0, sizeof cpus, &cpus);
	if (!done) {
		*figures = (struct compaction){ 0 };
		return;
	}
	figures->ns_per_scanned = median_of(round, rounds, offsetof(struct round, scan));
	figures->ns_per_moved = median_of(round, rounds, offsetof(struct round, move));
	figures->ns_per_copied = median_of(round, rounds, offsetof(struct round, copy));
	figures->ns_cold_copy = median_of(round, rounds, offsetof(struct round, cold));
	figures->copy_ratio = median_of(round, rounds, offsetof(struct round, ratio));
	figures->searched_copy_ratio = median_of(round, rounds, offsetof(struct round, searched));
	figures->zone_copy_ratio = median_of(round, rounds, offsetof(struct round, all));
}
