// SPDX-License-Identifier: Apache-2.0
//
// Slabs: orders and masks as recorded kernels show them, lists of slabs, failures and their messages, the shrinker
// (spec 04 S-1 to S-8), and a long random run against a model.

#include "process_fixture.h"

#include "sim/slab_internal.h"

// ---- orders ----

// pagesperslab and objperslab of each size of objects in the slabinfo of the exact-frame records of Linux 7.3: one CPU
// from slab-net-d1, two from smp2-mix-d0. The other nine records hold the same rows.
static const struct {
	uint32_t size;
	struct {
		uint32_t pages, objects;
	} cpus[2];
} recorded[] = {
	{8, {{1, 512}, {1, 512}}}, {16, {{1, 256}, {1, 256}}}, {24, {{1, 170}, {1, 170}}},
	{32, {{1, 128}, {1, 128}}}, {40, {{1, 102}, {1, 102}}}, {48, {{1, 85}, {1, 85}}},
	{56, {{1, 73}, {1, 73}}}, {64, {{1, 64}, {1, 64}}}, {72, {{1, 56}, {1, 56}}},
	{80, {{1, 51}, {1, 51}}}, {88, {{1, 46}, {1, 46}}}, {96, {{1, 42}, {1, 42}}},
	{104, {{1, 39}, {1, 39}}}, {112, {{1, 36}, {1, 36}}}, {120, {{1, 34}, {1, 34}}},
	{128, {{1, 32}, {1, 32}}}, {136, {{1, 30}, {1, 30}}}, {144, {{1, 28}, {1, 28}}},
	{160, {{1, 25}, {1, 25}}}, {168, {{1, 24}, {1, 24}}}, {176, {{1, 23}, {1, 23}}},
	{184, {{1, 22}, {1, 22}}}, {192, {{1, 21}, {1, 21}}}, {200, {{1, 20}, {1, 20}}},
	{256, {{1, 16}, {1, 16}}}, {272, {{1, 15}, {1, 15}}}, {288, {{1, 14}, {1, 14}}},
	{320, {{1, 12}, {1, 12}}}, {328, {{1, 12}, {1, 12}}}, {336, {{1, 12}, {1, 12}}},
	{368, {{1, 11}, {2, 22}}}, {384, {{1, 10}, {2, 21}}}, {400, {{1, 10}, {2, 20}}},
	{512, {{1, 8}, {2, 16}}}, {568, {{2, 14}, {2, 14}}}, {576, {{2, 14}, {2, 14}}},
	{584, {{2, 14}, {2, 14}}}, {592, {{2, 13}, {2, 13}}}, {600, {{2, 13}, {2, 13}}},
	{640, {{2, 12}, {2, 12}}}, {688, {{4, 23}, {4, 23}}}, {696, {{4, 23}, {4, 23}}},
	{704, {{2, 11}, {4, 23}}}, {768, {{2, 10}, {4, 21}}}, {832, {{4, 19}, {4, 19}}},
	{896, {{2, 9}, {4, 18}}}, {936, {{4, 17}, {4, 17}}}, {960, {{2, 8}, {4, 17}}},
	{1024, {{2, 8}, {4, 16}}}, {1048, {{4, 15}, {4, 15}}}, {1088, {{4, 15}, {4, 15}}},
	{1152, {{4, 14}, {4, 14}}}, {1216, {{4, 13}, {4, 13}}}, {1320, {{4, 12}, {4, 12}}},
	{1344, {{4, 12}, {4, 12}}}, {1408, {{4, 11}, {8, 23}}}, {1472, {{4, 11}, {8, 22}}},
	{1600, {{4, 10}, {8, 20}}}, {1792, {{4, 9}, {8, 18}}}, {1984, {{4, 8}, {8, 16}}},
	{2048, {{4, 8}, {8, 16}}}, {2112, {{8, 15}, {8, 15}}}, {2176, {{8, 15}, {8, 15}}},
	{2432, {{8, 13}, {8, 13}}}, {2560, {{8, 12}, {8, 12}}}, {4096, {{8, 8}, {8, 8}}},
	{4864, {{8, 6}, {8, 6}}}, {8192, {{8, 4}, {8, 4}}}, {9024, {{8, 3}, {8, 3}}},
};

static void orders_are_those_of_recorded_kernels(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(recorded); i++)
		for (unsigned cpus = 1; cpus <= 2; cpus++) {
			unsigned order = slab_order(recorded[i].size, cpus);

			if (1u << order != recorded[i].cpus[cpus - 1].pages)
				fail_msg("size %u on %u CPUs: order %u", recorded[i].size, cpus, order);
			assert_int_equal((4096u << order) / recorded[i].size, recorded[i].cpus[cpus - 1].objects);
		}
}

static void least_orders_hold_one_object(void **state)
{
	(void)state;
	assert_int_equal(slab_least_order(8), 0);
	assert_int_equal(slab_least_order(4096), 0);
	assert_int_equal(slab_least_order(4097), 1);
	assert_int_equal(slab_least_order(9024), 2);
	assert_int_equal(slab_least_order(32768), 3);
	for (uint32_t size = 8; size <= SLAB_SIZE_MAX; size += 8)
		for (unsigned cpus = 1; cpus <= 1024; cpus *= 4) {
			assert_in_range(slab_order(size, cpus), slab_least_order(size), SLAB_ORDER_MAX);
			assert_true(slab_order(size, cpus) >= slab_order(size, 1));
		}
}

// ---- requests ----

static struct {
	uint32_t order, gfp;
	bool failed;
} request[64];
static unsigned nr_requests;

static void note_request(void *context, const struct yard_event *event)
{
	(void)context;
	if (event->kind != YARD_EVENT_PAGE_ALLOC || nr_requests == COUNT(request))
		return;
	request[nr_requests].order = event->order;
	request[nr_requests].gfp = (uint32_t)event->a;
	request[nr_requests++].failed = event->pfn == YARD_PFN_NONE;
}

static void watch_requests(void)
{
	nr_requests = 0;
	yard_set_event_sink(sim->yard, note_request, NULL, false);
}

static struct slab_cache *cache_of(const char *name, uint32_t size)
{
	return slab_cache_get(sim,
			      &(struct slab_cache_config){.name = name, .size = size, .order = SLAB_ORDER_DEFAULT});
}

// 0xd20c0 as in the records: neither direct reclaim nor kswapd; ZERO and ACCOUNT are the objects', not the slab's.
static void opportunistic_order_does_not_reclaim(void **state)
{
	struct slab_object object;

	(void)state;
	start(1, 1, PAGES);
	watch_requests();
	assert_true(slab_alloc(sim, cache_of("kmalloc-2k", 2048), YARD_GFP_KERNEL_ACCOUNT | YARD_GFP_ZERO, &object));
	assert_int_equal(nr_requests, 1);
	assert_int_equal(request[0].order, 2);
	assert_int_equal(request[0].gfp, 0xd20c0);
}

// First tries for slabs as they are in the records (mm_page_alloc). `caller`: of the mask, what is not common to all;
// with both reclaim bits where they were taken away.
static const struct {
	const char *name;
	uint32_t size, caller;
	bool reclaimable;
	uint32_t order, gfp;
} first_try[] = {
	{"kernel", 256, YARD_GFP_KERNEL, false, 0, 0xd2cc0},
	{"kernel-reclaimable", 192, YARD_GFP_KERNEL, true, 0, 0xd2cd0},
	{"nofs", 256, YARD_GFP_NOFS, false, 0, 0xd2c40},
	{"nofs-reclaimable", 192, YARD_GFP_NOFS, true, 0, 0xd2c50},
	{"atomic", 256, YARD_GFP_ATOMIC, false, 0, 0xd2820},
	{"nothing", 256, 0, false, 0, 0xd2000},
	{"kernel-1k", 1024, YARD_GFP_KERNEL, false, 1, 0xd20c0},
	{"atomic-1k", 1024, YARD_GFP_ATOMIC, false, 1, 0xd2820},
	{"nowait-1k", 1024, YARD_GFP_NOWAIT, true, 1, 0xd2810},
	{"kernel-2k", 2048, YARD_GFP_KERNEL, false, 2, 0xd20c0},
	{"inode", 1048, YARD_GFP_KERNEL, true, 2, 0xd20d0},
	{"nofs-inode", 1048, YARD_GFP_NOFS, true, 2, 0xd2050},
	{"kernel-4k", 4096, YARD_GFP_KERNEL, false, 3, 0xd20c0},
	{"nofs-4k", 4096, YARD_GFP_NOFS, false, 3, 0xd2040},
	{"nowait-4k", 4096, YARD_GFP_NOWAIT, false, 3, 0xd2800},
	{"mayfail-4k", 4096, YARD_GFP_KERNEL | YARD_GFP_RETRY_MAYFAIL, false, 3, 0xd60c0},
};

static void first_tries_have_the_recorded_masks(void **state)
{
	struct slab_object object;

	(void)state;
	start(1, 1, PAGES);
	watch_requests();
	for (unsigned i = 0; i < COUNT(first_try); i++) {
		const struct slab_cache_config config = {.name = first_try[i].name,
							 .size = first_try[i].size,
							 .order = SLAB_ORDER_DEFAULT,
							 .reclaimable = first_try[i].reclaimable};

		assert_true(slab_alloc(sim, slab_cache_get(sim, &config), first_try[i].caller, &object));
		assert_int_equal(nr_requests, i + 1);
		assert_int_equal(request[i].order, first_try[i].order);
		assert_int_equal(request[i].gfp, first_try[i].gfp);
	}
}

static void a_first_try_may_fail_even_if_the_caller_may_not(void **state)
{
	struct slab_object object;

	(void)state;
	start(1, 1, PAGES);
	watch_requests();
	assert_true(slab_alloc(sim, cache_of("kmalloc-256", 256), YARD_GFP_KERNEL | YARD_GFP_NOFAIL, &object));
	assert_int_equal(nr_requests, 1);
	assert_int_equal(request[0].gfp, 0xd2cc0);
}

// All free memory is single pages: every second page of it is taken.
static void leave_single_pages(unsigned nr)
{
	uint32_t *pages = calloc(PAGES, sizeof(*pages));
	uint32_t taken = 0;

	assert_non_null(pages);
	while (taken < PAGES
	       && (pages[taken] = yard_alloc(sim->yard, YARD_GFP_NOWAIT | YARD_GFP_HIGH | YARD_GFP_MEMALLOC, 0))
			  != YARD_PFN_NONE)
		taken++;
	for (uint32_t i = 0; i < taken && nr; i++)
		if (pages[i] % 2) {
			assert_int_equal(yard_free(sim->yard, pages[i], 0), YARD_OK);
			nr--;
		}
	free(pages);
}

static void least_order_when_the_preferred_one_is_not_there(void **state)
{
	struct slab_cache *cache;
	struct slab_statistics statistics;
	struct slab_object object;

	(void)state;
	start(1, 1, PAGES);
	leave_single_pages(PAGES / 4);
	watch_requests();
	cache = cache_of("kmalloc-2k", 2048);
	assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object));
	assert_int_equal(request[0].order, 2);
	assert_true(request[0].failed);
	assert_int_equal(request[1].order, 0);
	assert_int_equal(request[1].gfp, YARD_GFP_KERNEL | YARD_GFP_COMP);
	slab_cache_statistics(cache, &statistics);
	assert_int_equal(statistics.fallback_orders, 1);
	assert_int_equal(statistics.pages, 1);
	assert_int_equal(statistics.failed, 0);
	assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object)); // two fit into the page
	assert_int_equal(nr_requests, 2);
	slab_free(sim, cache, object);
	check_yard();
}

// The 41 pairs of slab-net-d1: a failure with 0xd20c0, then order 0 with 0xc2cc0.
static void second_tries_have_the_callers_mask(void **state)
{
	const uint32_t sender = YARD_GFP_KERNEL | YARD_GFP_NOMEMALLOC | YARD_GFP_NOWARN;
	struct slab_object object;

	(void)state;
	start(1, 1, PAGES);
	leave_single_pages(PAGES / 4);
	watch_requests();
	assert_true(slab_alloc(sim, cache_of("kmalloc-4k", 4096), sender | YARD_GFP_ZERO, &object));
	assert_int_equal(nr_requests, 2);
	assert_int_equal(request[0].order, 3);
	assert_int_equal(request[0].gfp, 0xd20c0);
	assert_true(request[0].failed);
	assert_int_equal(request[1].order, 0);
	assert_int_equal(request[1].gfp, 0xc2cc0);
	assert_false(request[1].failed);
}

// 10 messages in 5 seconds; NOWARN has none.
static void failures_are_counted_and_messages_limited(void **state)
{
	struct slab_cache *cache;
	struct slab_statistics statistics;
	struct slab_object object = {1, 1};

	(void)state;
	start(1, 1, PAGES);
	fill_memory(YARD_GFP_ATOMIC);
	cache = cache_of("skbuff_head_cache", 256);
	assert_false(slab_alloc(sim, cache, YARD_GFP_ATOMIC | YARD_GFP_NOWARN, &object));
	assert_int_equal(object.slab, 0);
	slab_statistics(sim, &statistics);
	assert_int_equal(statistics.messages, 0);
	for (unsigned i = 0; i < 25; i++)
		assert_false(slab_alloc(sim, cache, YARD_GFP_ATOMIC, &object));
	slab_statistics(sim, &statistics);
	assert_int_equal(statistics.failed, 26);
	assert_int_equal(statistics.messages, 10);
	assert_string_equal(slab_first_message(sim), "SLUB: unable to allocate, gfp=0x820(GFP_ATOMIC), cache "
						     "skbuff_head_cache, buffer 256, default order 0");
	run_until(5 * NS_PER_S - NS_PER_MS);
	assert_false(slab_alloc(sim, cache, YARD_GFP_ATOMIC, &object));
	slab_statistics(sim, &statistics);
	assert_int_equal(statistics.messages, 10);
	run_until(5 * NS_PER_S + NS_PER_MS);
	assert_false(slab_alloc(sim, cache, YARD_GFP_ATOMIC, &object));
	slab_statistics(sim, &statistics);
	assert_int_equal(statistics.messages, 11);
	assert_int_equal(statistics.failed, 28);
}

// ---- slabs ----

static void empty_slabs_beyond_min_partial_go_back(void **state)
{
	struct slab_object object[16 * 10];
	struct slab_cache *cache;
	struct slab_statistics statistics;
	uint64_t before;

	(void)state;
	start(1, 1, PAGES);
	cache = cache_of("kmalloc-256", 256);
	before = free_pages();
	for (unsigned i = 0; i < COUNT(object); i++)
		assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object[i]));
	slab_cache_statistics(cache, &statistics);
	assert_int_equal(statistics.pages, 10);
	assert_int_equal(statistics.objects, 160);
	assert_int_equal(free_pages(), before - 10);
	assert_int_equal(yard_get_node_stat(sim->yard, 0, YARD_NODE_SLAB_UNRECLAIMABLE), 10);
	for (unsigned i = 0; i < COUNT(object); i++)
		slab_free(sim, cache, object[i]);
	slab_cache_statistics(cache, &statistics);
	assert_int_equal(statistics.objects, 0);
	assert_int_equal(statistics.pages, SLAB_MIN_PARTIAL + 1); // and the CPU's
	assert_int_equal(free_pages(), before - SLAB_MIN_PARTIAL - 1);
	assert_int_equal(yard_get_node_stat(sim->yard, 0, YARD_NODE_SLAB_UNRECLAIMABLE), SLAB_MIN_PARTIAL + 1);
	check_yard();
}

static void freed_objects_are_used_again(void **state)
{
	struct slab_object object[33], again;
	struct slab_cache *cache;
	struct slab_statistics statistics;

	(void)state;
	start(1, 1, PAGES);
	cache = cache_of("kmalloc-256", 256);
	for (unsigned i = 0; i < COUNT(object); i++)
		assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object[i]));
	slab_free(sim, cache, object[3]);  // of the first slab, which was full
	slab_free(sim, cache, object[32]); // of the CPU's
	watch_requests();
	for (unsigned i = 0; i < 16; i++)
		assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &again));
	assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &again));
	assert_int_equal(again.slab, object[3].slab);
	assert_int_equal(again.slot, object[3].slot);
	assert_int_equal(nr_requests, 0);
	slab_cache_statistics(cache, &statistics);
	assert_int_equal(statistics.objects, 48);
	assert_int_equal(statistics.pages, 3);
}

static void free_objects_are_found_anywhere_in_a_large_slab(void **state)
{
	struct slab_object object[512], again;
	struct slab_cache *cache;

	(void)state;
	start(1, 1, PAGES);
	cache = cache_of("kmalloc-8", 8);
	for (unsigned i = 0; i < COUNT(object); i++)
		assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object[i]));
	for (unsigned i = 0; i < COUNT(object); i += 73) {
		slab_free(sim, cache, object[COUNT(object) - 1 - i]);
		assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &again));
		assert_int_equal(again.slab, 1);
		assert_int_equal(again.slot, object[COUNT(object) - 1 - i].slot);
	}
}

static void slabs_are_of_the_cpus_node(void **state)
{
	struct slab_object first, second, third;
	struct slab_cache *cache;

	(void)state;
	start(2, 1, PAGES);
	cache = cache_of("kmalloc-256", 256);
	assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &first));
	yard_sim_set_cpu(sim->yard, 1);
	assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &second));
	assert_int_not_equal(first.slab, second.slab);
	assert_int_equal(yard_get_node_stat(sim->yard, 0, YARD_NODE_SLAB_UNRECLAIMABLE), 1);
	assert_int_equal(yard_get_node_stat(sim->yard, 1, YARD_NODE_SLAB_UNRECLAIMABLE), 1);
	assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &third));
	assert_int_equal(third.slab, second.slab);
}

// Without memory even a partial slab of another node will do.
static void a_remote_partial_slab_is_the_last_resort(void **state)
{
	struct slab_object object[17], remote;
	struct slab_cache *cache;

	(void)state;
	start(2, 1, PAGES);
	cache = cache_of("kmalloc-256", 256);
	for (unsigned i = 0; i < COUNT(object); i++)
		assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object[i]));
	slab_free(sim, cache, object[5]);
	fill_memory(YARD_GFP_ATOMIC);
	yard_sim_set_cpu(sim->yard, 1);
	assert_true(slab_alloc(sim, cache, YARD_GFP_ATOMIC, &remote));
	assert_int_equal(remote.slab, object[5].slab);
	assert_int_equal(remote.slot, object[5].slot);
	assert_false(slab_alloc(sim, cache, YARD_GFP_ATOMIC, &remote));
}

static void a_second_free_is_an_error(void **state)
{
	struct slab_object object;
	struct slab_cache *cache;

	(void)state;
	start(1, 1, PAGES);
	cache = cache_of("kmalloc-256", 256);
	assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object));
	slab_free(sim, cache, object);
	assert_string_equal(sim->error, "");
	slab_free(sim, cache, object);
	assert_string_equal(sim->error, "cache kmalloc-256: object 0 of slab 1 is not in use");
}

static void caches_that_cannot_be_are_refused(void **state)
{
	(void)state;
	start(1, 1, PAGES);
	assert_null(cache_of("huge", SLAB_SIZE_MAX + 1));
	assert_string_not_equal(sim->error, "");
	assert_ptr_equal(slab_kmalloc_cache(sim, 100, false), cache_of("kmalloc-128", 128));
	assert_ptr_not_equal(slab_kmalloc_cache(sim, 100, true), cache_of("kmalloc-128", 128));
	assert_null(slab_kmalloc_cache(sim, 8193, false));
}

// ---- the shrinker ----

enum { PER_SLAB = 21 }; // objects of 192 bytes

static uint64_t evicted[4096];
static size_t nr_evicted;

static void note_evicted(struct simulation *simulation, void *context, uint64_t tag)
{
	assert_ptr_equal(simulation, sim);
	assert_ptr_equal(context, evicted);
	assert_true(nr_evicted < COUNT(evicted));
	evicted[nr_evicted++] = tag;
}

static struct slab_cache *dentries(void)
{
	nr_evicted = 0;
	return slab_cache_get(sim, &(struct slab_cache_config){.name = "dentry",
							       .size = 192,
							       .order = SLAB_ORDER_DEFAULT,
							       .reclaimable = true,
							       .shrinkable = true,
							       .evicted = note_evicted,
							       .context = evicted});
}

static void S7_dropping_slab_frees_what_nobody_uses(void **state)
{
	struct slab_object object[PER_SLAB * 40];
	struct slab_statistics statistics;
	struct slab_cache *cache;
	uint64_t before;

	(void)state;
	start(1, 1, PAGES);
	before = free_pages();
	cache = dentries();
	for (unsigned i = 0; i < COUNT(object); i++)
		assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object[i]));
	assert_int_equal(yard_get_node_stat(sim->yard, 0, YARD_NODE_SLAB_RECLAIMABLE), 40);
	for (unsigned i = 0; i < COUNT(object); i++)
		slab_release_to_lru(sim, cache, object[i], i);
	slab_cache_statistics(cache, &statistics);
	assert_int_equal(statistics.unused, COUNT(object));
	assert_int_equal(statistics.pages, 40);
	assert_int_equal(yard_drop_slab(sim->yard), COUNT(object));
	slab_cache_statistics(cache, &statistics);
	assert_int_equal(statistics.unused, 0);
	assert_int_equal(statistics.objects, 0);
	assert_int_equal(statistics.evicted, COUNT(object));
	assert_int_equal(statistics.pages, SLAB_MIN_PARTIAL + 1);
	assert_int_equal(free_pages(), before - SLAB_MIN_PARTIAL - 1);
	for (size_t i = 0; i < nr_evicted; i++)
		assert_int_equal(evicted[i], i); // the oldest first
	check_yard();
}

// S-4: a slab with one object in use keeps its page.
static void S4_scattered_objects_keep_their_slabs(void **state)
{
	struct slab_object object[PER_SLAB * 40];
	struct slab_statistics statistics;
	struct slab_cache *cache;

	(void)state;
	start(1, 1, PAGES);
	cache = dentries();
	for (unsigned i = 0; i < COUNT(object); i++)
		assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object[i]));
	for (unsigned i = 0; i < COUNT(object); i++)
		if (i % PER_SLAB)
			slab_release_to_lru(sim, cache, object[i], i);
	assert_int_equal(yard_drop_slab(sim->yard), COUNT(object) - 40);
	slab_cache_statistics(cache, &statistics);
	assert_int_equal(statistics.pages, 40);
	assert_int_equal(statistics.objects, 40);
	for (unsigned i = 0; i < COUNT(object); i += PER_SLAB)
		slab_release_to_lru(sim, cache, object[i], i);
	assert_int_equal(yard_drop_slab(sim->yard), 40);
	slab_cache_statistics(cache, &statistics);
	assert_int_equal(statistics.pages, SLAB_MIN_PARTIAL + 1);
}

static void objects_that_are_wanted_again_leave_the_lru(void **state)
{
	struct slab_object object[10];
	struct slab_cache *cache;

	(void)state;
	start(1, 1, PAGES);
	cache = dentries();
	for (unsigned i = 0; i < COUNT(object); i++) {
		assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object[i]));
		slab_release_to_lru(sim, cache, object[i], i);
	}
	slab_take_from_lru(sim, cache, object[0]);
	slab_take_from_lru(sim, cache, object[4]);
	slab_take_from_lru(sim, cache, object[9]);
	slab_release_to_lru(sim, cache, object[4], 44); // the youngest now
	assert_int_equal(yard_drop_slab(sim->yard), 8);
	assert_int_equal(nr_evicted, 8);
	assert_int_equal(evicted[0], 1);
	assert_int_equal(evicted[3], 5);
	assert_int_equal(evicted[7], 44);
	slab_free(sim, cache, object[0]);
	slab_free(sim, cache, object[9]);
	assert_string_equal(sim->error, "");
	slab_take_from_lru(sim, cache, object[9]);
	assert_string_equal(sim->error, "cache dentry: object 9 of slab 1 cannot leave the LRU");
}

static void objects_on_the_lru_cannot_be_freed(void **state)
{
	struct slab_object object;
	struct slab_cache *cache;

	(void)state;
	start(1, 1, PAGES);
	cache = dentries();
	assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object));
	slab_release_to_lru(sim, cache, object, 0);
	slab_free(sim, cache, object);
	assert_string_equal(sim->error, "cache dentry: object 0 of slab 1 is not in use");
}

// Nothing but objects that nobody uses: direct reclaim finds room by the shrinker, and without FS it does not (S-5).
static void S5_reclaim_gets_pages_from_the_shrinker_only_with_fs(void **state)
{
	struct slab_statistics statistics;
	struct slab_object object;
	struct slab_cache *cache;
	uint64_t tag = 0;

	(void)state;
	start(1, 1, 4096);
	cache = dentries();
	while (free_pages() > 2048)
		for (unsigned i = 0; i < 4 * PER_SLAB; i++) {
			assert_true(slab_alloc(sim, cache, YARD_GFP_KERNEL, &object));
			slab_release_to_lru(sim, cache, object, tag++);
		}
	fill_memory(YARD_GFP_NOWAIT);
	assert_int_equal(yard_alloc(sim->yard, YARD_GFP_NOFS | YARD_GFP_NORETRY, 0), YARD_PFN_NONE);
	slab_cache_statistics(cache, &statistics);
	assert_int_equal(statistics.evicted, 0);
	nr_evicted = 0;
	assert_int_not_equal(yard_alloc(sim->yard, YARD_GFP_KERNEL | YARD_GFP_NORETRY, 0), YARD_PFN_NONE);
	slab_cache_statistics(cache, &statistics);
	assert_true(statistics.evicted > 0);
	assert_int_equal(statistics.unused, tag - statistics.evicted);
	check_yard();
}

// ---- several tasks ----

enum { CHURNERS = 6, EACH = 400, ROUNDS = 4000 };

static unsigned churners_done;
static uint64_t churned, refused;

// Fills memory with objects that nobody uses, so that requests of others reclaim: they sleep, and move to other CPUs.
static void churn(struct simulation *simulation, struct sim_task *task, void *argument)
{
	struct slab_object *object = task_memory(simulation, task, EACH * sizeof(*object));
	struct slab_cache *cache = argument, *unused = dentries();
	struct slab_object dentry;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct slab_object *one = &object[random_below(&task->random, EACH)];

		if (one->slab)
			slab_free(simulation, cache, *one);
		*one = (struct slab_object){0};
		refused += !slab_alloc(simulation, cache, YARD_GFP_KERNEL, one);
		churned++;
		for (unsigned n = 0; n < PER_SLAB; n++)
			if (slab_alloc(simulation, unused, YARD_GFP_KERNEL, &dentry))
				slab_release_to_lru(simulation, unused, dentry, 0);
		sim_point(simulation);
	}
	for (unsigned i = 0; i < EACH; i++)
		if (object[i].slab)
			slab_free(simulation, cache, object[i]);
	churners_done++;
}

static void tasks_may_sleep_in_requests_for_slabs(void **state)
{
	struct slab_statistics statistics;
	struct slab_cache *cache;

	(void)state;
	churners_done = 0;
	churned = refused = 0;
	describe_machine(1, 3, 4096);
	machine.watermark_boost_factor = 0; // half of so small a machine
	start_machine();
	cache = cache_of("kmalloc-1k", 1024);
	dentries()->config.evicted = NULL;
	for (unsigned i = 0; i < CHURNERS; i++)
		assert_non_null(task_create(sim,
					    &(struct task_attributes){.comm = "churn", .cpu = -1, .node = -1, .index = i},
					    churn, cache));
	run_until(100 * NS_PER_S);
	assert_int_equal(churners_done, CHURNERS);
	assert_int_equal(churned, CHURNERS * ROUNDS);
	assert_int_equal(refused, 0);
	assert_true(yard_get_vm_event(sim->yard, YARD_VM_ALLOCSTALL_NORMAL) > 0);
	slab_cache_statistics(dentries(), &statistics);
	assert_true(statistics.evicted > CHURNERS * ROUNDS * PER_SLAB / 2);
	slab_cache_statistics(cache, &statistics);
	assert_int_equal(statistics.objects, 0);
	// Nothing but what is kept: CPUs' slabs and SLAB_MIN_PARTIAL others, of 8 KiB.
	assert_in_range(statistics.pages, 1, 4 * (3 + SLAB_MIN_PARTIAL));
	check_yard();
}

// ---- a long random run ----

enum { KINDS = 6, HELD = 4000, STEPS = 100000 };

struct held {
	struct slab_object object;
	uint8_t kind;
	bool on_lru;
	uint64_t tag;
};

static struct held held[HELD];
static unsigned nr_held;
static uint64_t unused_by_kind[KINDS];

static void forget_evicted(struct simulation *simulation, void *context, uint64_t tag)
{
	(void)simulation;
	for (unsigned i = 0; i < nr_held; i++)
		if (held[i].on_lru && held[i].tag == tag) {
			unused_by_kind[held[i].kind]--;
			held[i] = held[--nr_held];
			return;
		}
	fail_msg("%s has evicted what is not on its LRU", (const char *)context);
}

static void check_model(struct slab_cache *const *cache, const struct slab_cache_config *config)
{
	struct slab_statistics statistics;
	uint64_t objects[KINDS] = {0}, pages[2] = {0};

	for (unsigned i = 0; i < nr_held; i++)
		objects[held[i].kind]++;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		slab_cache_statistics(cache[kind], &statistics);
		assert_int_equal(statistics.objects, objects[kind]);
		assert_int_equal(statistics.unused, unused_by_kind[kind]);
		assert_int_equal(cache[kind]->node[0].nr_unused + cache[kind]->node[1].nr_unused, statistics.unused);
		pages[config[kind].reclaimable] += statistics.pages;
	}
	for (unsigned i = 0; i < nr_held; i += 7) // no object was given twice
		for (unsigned j = 0; j < i; j++)
			if (held[i].kind == held[j].kind && held[i].object.slab == held[j].object.slab)
				assert_int_not_equal(held[i].object.slot, held[j].object.slot);
	for (unsigned node = 0; node < 2; node++) {
		pages[0] -= (uint64_t)yard_get_node_stat(sim->yard, node, YARD_NODE_SLAB_UNRECLAIMABLE);
		pages[1] -= (uint64_t)yard_get_node_stat(sim->yard, node, YARD_NODE_SLAB_RECLAIMABLE);
	}
	assert_int_equal(pages[0], 0);
	assert_int_equal(pages[1], 0);
	assert_string_equal(sim->error, "");
}

static void random_step(struct random_source *random, struct slab_cache *const *cache,
			const struct slab_cache_config *config)
{
	unsigned kind = (unsigned)random_below(random, KINDS), i;
	struct held *one;

	yard_sim_set_cpu(sim->yard, (unsigned)random_below(random, 4));
	if (nr_held < HELD && random_chance(random, nr_held < HELD / 2 ? 6 : 4, 10)) {
		struct slab_object object;

		if (slab_alloc(sim, cache[kind], random_chance(random, 1, 2) ? YARD_GFP_KERNEL : YARD_GFP_ATOMIC,
			       &object))
			held[nr_held++] = (struct held){.object = object, .kind = (uint8_t)kind};
		return;
	}
	if (!nr_held)
		return;
	i = (unsigned)random_below(random, nr_held);
	one = &held[i];
	if (config[one->kind].shrinkable && random_chance(random, 1, 2)) {
		one->tag = random_next(random);
		one->on_lru = !one->on_lru;
		unused_by_kind[one->kind] += one->on_lru ? 1 : UINT64_MAX;
		if (one->on_lru)
			slab_release_to_lru(sim, cache[one->kind], one->object, one->tag);
		else
			slab_take_from_lru(sim, cache[one->kind], one->object);
	} else if (!one->on_lru) {
		slab_free(sim, cache[one->kind], one->object);
		held[i] = held[--nr_held];
	}
}

static void random_use_agrees_with_a_model(void **state)
{
	static const struct slab_cache_config config[KINDS] = {
		{.name = "kmalloc-64", .size = 64, .order = SLAB_ORDER_DEFAULT},
		{.name = "task_struct", .size = 9024, .order = SLAB_ORDER_DEFAULT},
		{.name = "dentry",
		 .size = 192,
		 .order = SLAB_ORDER_DEFAULT,
		 .reclaimable = true,
		 .shrinkable = true,
		 .evicted = forget_evicted,
		 .context = "dentry"},
		{.name = "ext4_inode_cache",
		 .size = 1048,
		 .order = SLAB_ORDER_DEFAULT,
		 .reclaimable = true,
		 .shrinkable = true,
		 .evicted = forget_evicted,
		 .context = "ext4_inode_cache"},
		{.name = "kmalloc-8", .size = 8, .order = 3},
		{.name = "whole", .size = 32768, .order = 0},
	};
	struct slab_cache *cache[KINDS];
	struct random_source random;

	(void)state;
	start(2, 2, 8192);
	random_seed(&random, 7);
	nr_held = 0;
	memset(unused_by_kind, 0, sizeof unused_by_kind);
	for (unsigned kind = 0; kind < KINDS; kind++)
		cache[kind] = slab_cache_get(sim, &config[kind]);
	for (unsigned step = 0; step < STEPS; step++) {
		random_step(&random, cache, config);
		if (random_chance(&random, 1, 5000))
			yard_drop_slab(sim->yard);
		if (step % 10000 == 0)
			check_model(cache, config);
	}
	check_model(cache, config);
	check_yard();
	while (nr_held) {
		if (held[nr_held - 1].on_lru)
			slab_take_from_lru(sim, cache[held[nr_held - 1].kind], held[nr_held - 1].object);
		nr_held--;
		slab_free(sim, cache[held[nr_held].kind], held[nr_held].object);
	}
	memset(unused_by_kind, 0, sizeof unused_by_kind);
	check_model(cache, config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_are_those_of_recorded_kernels),
		cmocka_unit_test(least_orders_hold_one_object),
		cmocka_unit_test_teardown(opportunistic_order_does_not_reclaim, stop),
		cmocka_unit_test_teardown(first_tries_have_the_recorded_masks, stop),
		cmocka_unit_test_teardown(a_first_try_may_fail_even_if_the_caller_may_not, stop),
		cmocka_unit_test_teardown(least_order_when_the_preferred_one_is_not_there, stop),
		cmocka_unit_test_teardown(second_tries_have_the_callers_mask, stop),
		cmocka_unit_test_teardown(failures_are_counted_and_messages_limited, stop),
		cmocka_unit_test_teardown(empty_slabs_beyond_min_partial_go_back, stop),
		cmocka_unit_test_teardown(freed_objects_are_used_again, stop),
		cmocka_unit_test_teardown(free_objects_are_found_anywhere_in_a_large_slab, stop),
		cmocka_unit_test_teardown(slabs_are_of_the_cpus_node, stop),
		cmocka_unit_test_teardown(a_remote_partial_slab_is_the_last_resort, stop),
		cmocka_unit_test_teardown(a_second_free_is_an_error, stop),
		cmocka_unit_test_teardown(caches_that_cannot_be_are_refused, stop),
		cmocka_unit_test_teardown(S7_dropping_slab_frees_what_nobody_uses, stop),
		cmocka_unit_test_teardown(S4_scattered_objects_keep_their_slabs, stop),
		cmocka_unit_test_teardown(objects_that_are_wanted_again_leave_the_lru, stop),
		cmocka_unit_test_teardown(objects_on_the_lru_cannot_be_freed, stop),
		cmocka_unit_test_teardown(S5_reclaim_gets_pages_from_the_shrinker_only_with_fs, stop),
		cmocka_unit_test_teardown(tasks_may_sleep_in_requests_for_slabs, stop),
		cmocka_unit_test_teardown(random_use_agrees_with_a_model, stop),
	};

	return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
