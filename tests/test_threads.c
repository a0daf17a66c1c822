// SPDX-License-Identifier: Apache-2.0
//
// Several threads on one yard of the posix platform: every operation that may run concurrently, at random. A shared
// map of frames, changed by atomic exchange, shows a frame that two threads were given. PAGEYARD_THREAD_OPS=n
// operations a thread (60000). Meant for ThreadSanitizer too.

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pageyard/yard.h"

enum { THREADS = 4, FRAMES = 32768, HELD_MAX = 4096, FIRST = 1048576, BLOCK = YARD_PAGEBLOCK_NR_PAGES };

static struct yard *yard;
static _Atomic uint8_t owner[FRAMES]; // 0: nobody's
static _Atomic uint32_t nr_errors;

struct worker {
	pthread_t thread;
	uint64_t rng;
	uint64_t ops;
	uint8_t id;
	bool ranges; // isolates and allocates ranges
	uint32_t nr_held;
	struct yard_block held[HELD_MAX];
	uint64_t pages;
};

static void complain(const char *what, uint32_t pfn, int64_t value)
{
	if (atomic_fetch_add(&nr_errors, 1) < 10)
		fprintf(stderr, "# %s: frame %u, %lld\n", what, pfn - FIRST, (long long)value);
}

static uint32_t rnd(struct worker *w, uint32_t below)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return (uint32_t)((w->rng >> 32) * below >> 32);
}

static void own(uint32_t pfn, unsigned order, uint8_t from, uint8_t to)
{
	for (uint32_t i = pfn - FIRST; i < pfn - FIRST + (1u << order); i++) {
		uint8_t was = i < FRAMES ? atomic_exchange(&owner[i], to) : 255;

		if (was != from)
			complain("wrong owner", i + FIRST, was);
	}
}

static void hold(struct worker *w, uint32_t pfn, unsigned order)
{
	own(pfn, order, 0, w->id);
	w->held[w->nr_held++] = (struct yard_block){ pfn, order };
	w->pages += 1u << order;
}

static struct yard_block let_go(struct worker *w)
{
	uint32_t i = rnd(w, w->nr_held);
	struct yard_block block = w->held[i];

	w->held[i] = w->held[--w->nr_held];
	own(block.pfn, block.order, w->id, 0);
	w->pages -= 1u << block.order;
	return block;
}

static void expect(int error, const char *what, uint32_t pfn)
{
	if (error)
		complain(what, pfn, error);
}

static void op_alloc(struct worker *w)
{
	static const uint32_t gfps[] = { YARD_GFP_KERNEL, YARD_GFP_ATOMIC, YARD_GFP_HIGHUSER_MOVABLE, YARD_GFP_NOWAIT,
					 YARD_GFP_KERNEL | YARD_GFP_RECLAIMABLE, YARD_GFP_HIGHUSER_MOVABLE };
	struct yard_request r = { .gfp = gfps[rnd(w, 6)], .node = -1, .nolock = !rnd(w, 20) };
	struct yard_result result;

	r.order = (uint8_t)(rnd(w, 10) < 6 ? 0 : rnd(w, 10) < 7 ? rnd(w, 4) : rnd(w, 11));
	if (yard_alloc_request(yard, &r, &result))
		return;
	hold(w, result.pfn, r.order);
	if (r.gfp & YARD_GFP_MOVABLE)
		expect(yard_set_lru(yard, result.pfn, true), "set_lru", result.pfn);
}

static void op_bulk(struct worker *w)
{
	uint32_t pfns[32];
	size_t n;

	memset(pfns, 0xff, sizeof(pfns));
	n = yard_alloc_bulk(yard, YARD_GFP_KERNEL, rnd(w, 33), pfns);
	for (size_t i = 0; i < n; i++)
		hold(w, pfns[i], 0);
}

static void op_free(struct worker *w)
{
	struct yard_block block;

	if (!w->nr_held)
		return;
	block = let_go(w);
	if (!rnd(w, 10))
		expect(yard_free_nolock(yard, block.pfn, block.order), "free_nolock", block.pfn);
	else if (!rnd(w, 10)) {
		expect(yard_split(yard, block.pfn, block.order), "split", block.pfn);
		expect(yard_free_range(yard, block.pfn, 1u << block.order), "free_range", block.pfn);
	} else
		expect(yard_free(yard, block.pfn, block.order), "free", block.pfn);
}

static void op_batch(struct worker *w)
{
	struct yard_block blocks[31];
	size_t n = 0, nr = rnd(w, 32);

	while (n < nr && w->nr_held)
		blocks[n++] = let_go(w);
	expect(yard_free_batch(yard, blocks, n), "free_batch", n ? blocks[0].pfn : FIRST);
}

static void op_range(struct worker *w)
{
	uint32_t start = FIRST + rnd(w, FRAMES / BLOCK) * BLOCK, nr = 1 + rnd(w, 2 * BLOCK), pfn = YARD_PFN_NONE;

	if (start + nr > FIRST + FRAMES || w->nr_held + nr > HELD_MAX)
		return;
	switch (rnd(w, 3)) {
	case 0:
		if (!yard_isolate_range(yard, start, start + nr, YARD_ISOLATE_OTHER))
			expect(yard_unisolate_range(yard, start, start + nr), "unisolate", start);
		return;
	case 1:
		start += rnd(w, BLOCK);
		if (start + nr <= FIRST + FRAMES && !yard_alloc_range(yard, start, start + nr, YARD_ISOLATE_OTHER))
			pfn = start;
		break;
	default:
		pfn = yard_alloc_contig(yard, nr, YARD_GFP_KERNEL);
		break;
	}
	for (uint32_t i = 0; pfn != YARD_PFN_NONE && i < nr; i++)
		hold(w, pfn + i, 0);
}

// What compaction does: takes a free block, and puts it back or uses it.
static void op_compaction(struct worker *w)
{
	uint32_t pfn = FIRST + rnd(w, FRAMES), first;
	unsigned order;
	int taken;

	if (yard_frame_state(yard, pfn, &first, &order) != YARD_FRAME_BUDDY)
		return;
	taken = yard_isolate_free_page(yard, first);
	if (taken < 0)
		return;
	own(first, (unsigned)taken, 0, w->id);
	if (taken > YARD_PAGEBLOCK_ORDER || rnd(w, 2)) {
		expect(yard_use_isolated(yard, first, (unsigned)taken), "use_isolated", first);
		w->held[w->nr_held++] = (struct yard_block){ first, (uint32_t)taken };
		w->pages += 1u << taken;
		return;
	}
	own(first, (unsigned)taken, w->id, 0);
	expect(yard_putback_free_page(yard, first, (unsigned)taken), "putback", first);
}

static void op_worker(struct worker *w)
{
	struct yard_zone_state zone;
	struct yard_pcp_state pcp;
	unsigned cpu = rnd(w, yard_nr_cpus(yard));

	switch (rnd(w, 8)) {
	case 0:
		yard_drain_all(yard, -1);
		break;
	case 1:
	case 2:
		yard_vmstat_update(yard, cpu, rnd(w, 4) == 0);
		break;
	case 3:
		yard_drain_zone_cpu(yard, YARD_ZONE_NORMAL, cpu);
		break;
	case 4:
		yard_unreserve_highatomic(yard, 0, YARD_ZONE_NORMAL, 0, rnd(w, 3), true);
		break;
	case 5: // a node has one kswapd
		if (w->id != 1)
			break;
		yard_kswapd_balance_begin(yard, 0, YARD_ZONE_NORMAL);
		yard_kswapd_balance_end(yard, 0, YARD_ZONE_NORMAL);
		yard_kswapd_awake(yard, 0, rnd(w, 2));
		break;
	case 6:
		expect(yard_get_zone(yard, YARD_ZONE_NORMAL, &zone), "get_zone", FIRST);
		expect(yard_get_pcp(yard, YARD_ZONE_NORMAL, cpu, &pcp), "get_pcp", FIRST);
		break;
	default:
		if (yard_free(yard, FIRST + FRAMES + 4096, 0) != YARD_ERANGE)
			complain("free outside", FIRST, 0);
		break;
	}
}

static void *work(void *argument)
{
	struct worker *w = argument;
	uint32_t want = FRAMES / THREADS / 2;

	for (uint64_t i = 0; i < w->ops && !atomic_load(&nr_errors); i++) {
		bool grow = w->pages < want && w->nr_held + 2048 < HELD_MAX;
		uint32_t r = rnd(w, 100);

		if (r < 80)
			grow ? op_alloc(w) : op_free(w);
		else if (r < 88)
			op_free(w);
		else if (r < 92)
			op_batch(w);
		else if (r < 94 && grow)
			op_bulk(w);
		else if (r < 96 && w->ranges)
			op_range(w);
		else if (r < 98 && grow)
			op_compaction(w);
		else
			op_worker(w);
		if (!rnd(w, 1000))
			want = rnd(w, FRAMES * 2 / THREADS);
	}
	while (w->nr_held)
		op_free(w);
	return NULL;
}

static void run(unsigned threads, bool ranges)
{
	const struct yard_range memory = { FIRST, FIRST + FRAMES, 0 };
	const char *text = getenv("PAGEYARD_THREAD_OPS");
	struct yard_config config = {
		.nr_nodes = 1, .nr_cpus = 4, .memory = &memory, .nr_memory = 1, .user_min_free_kbytes = -1,
		.watermark_boost_factor = -1,
	};
	static struct worker workers[THREADS];
	struct yard_zone_state zone;
	char error[256];
	void *bytes;
	size_t size;

	assert_int_equal(yard_policy_parse("linux-7.3", &config.policy, error, sizeof(error)), 0);
	size = yard_size(&config, NULL);
	bytes = aligned_alloc(64, (size + 63) / 64 * 64);
	assert_non_null(bytes);
	memset(bytes, 0, size);
	assert_int_equal(yard_init(bytes, size, &config, &yard), YARD_OK);
	for (unsigned i = 0; i < threads; i++) {
		struct worker *w = &workers[i];

		memset(w, 0, sizeof(*w));
		w->id = (uint8_t)(i + 1);
		w->rng = 0x9e3779b97f4a7c15 * (i + 1);
		w->ops = text ? strtoull(text, NULL, 10) : 60000;
		w->ranges = ranges;
		assert_int_equal(pthread_create(&w->thread, NULL, work, w), 0);
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	assert_int_equal(atomic_load(&nr_errors), 0);
	for (uint32_t i = 0; i < FRAMES; i++)
		assert_int_equal(atomic_load(&owner[i]), 0);
	if (yard_verify(yard, error, sizeof(error)))
		fail_msg("%s", error);
	// One direct free drains what NOLOCK frees left (B11); then every frame is on a list.
	yard_free(yard, yard_alloc(yard, YARD_GFP_KERNEL, 4), 4);
	yard_drain_all(yard, -1);
	if (yard_verify(yard, error, sizeof(error)))
		fail_msg("%s", error);
	yard_get_zone(yard, YARD_ZONE_NORMAL, &zone);
	for (unsigned cpu = 0; cpu < 4; cpu++) {
		struct yard_pcp_state pcp;

		yard_get_pcp(yard, YARD_ZONE_NORMAL, cpu, &pcp);
		zone.stat[YARD_NR_FREE_PAGES] += pcp.diff[YARD_NR_FREE_PAGES];
	}
	assert_int_equal(zone.stat[YARD_NR_FREE_PAGES], FRAMES);
	free(bytes);
}

static void two_threads(void **state)
{
	(void)state;
	run(2, false);
}

static void four_threads(void **state)
{
	(void)state;
	run(4, false);
}

// With isolation and contiguous ranges in between.
static void four_threads_with_ranges(void **state)
{
	(void)state;
	run(4, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_threads),
		cmocka_unit_test(four_threads),
		cmocka_unit_test(four_threads_with_ranges),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
