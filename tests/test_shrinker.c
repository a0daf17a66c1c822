// SPDX-License-Identifier: Apache-2.0
//
// Shrinkers (spec 04 section 5, X-4, the slab events of T-1).

#include "reclaim_fixture.h"

// A cache of objects: `freed_of_4` of 4 scanned objects can be freed, `pages_of_32` pages for 32 freed ones.
struct cache {
	int64_t objects[2]; // by node
	unsigned freed_of_4, pages_of_32;
	uint64_t stop_after; // scans after which it says STOP; 0: never
	uint64_t reports;    // scans at most so many at once; 0: all
	bool needs_fs;
	uint64_t counts, scans, scanned;
	uint64_t asked[512]; // sizes of the first scans
	uint32_t gfp;
	unsigned node;
};

static struct cache caches[SHRINKERS_MAX + 1];
static struct yard_shrinker shrinkers[SHRINKERS_MAX + 1];
static unsigned order_of_calls[64], nr_order;

static int64_t count_objects(void *context, unsigned node, uint32_t gfp)
{
	struct cache *cache = context;

	cache->counts++;
	cache->gfp = gfp;
	cache->node = node;
	if (nr_order < COUNT(order_of_calls))
		order_of_calls[nr_order++] = (unsigned)(cache - caches);
	return cache->objects[node];
}

static int64_t scan_objects(void *context, unsigned node, uint32_t gfp, uint64_t *nr, uint64_t *freed_pages)
{
	struct cache *cache = context;
	uint64_t freed;

	if (cache->needs_fs && !(gfp & YARD_GFP_FS)) // S-5
		return YARD_SHRINK_STOP;
	if (cache->stop_after && cache->scans == cache->stop_after)
		return YARD_SHRINK_STOP;
	if (cache->scans < COUNT(cache->asked))
		cache->asked[cache->scans] = *nr;
	cache->scans++;
	if (cache->reports && *nr > cache->reports)
		*nr = cache->reports;
	cache->scanned += *nr;
	freed = *nr * cache->freed_of_4 / 4;
	if ((int64_t)freed > cache->objects[node])
		freed = (uint64_t)cache->objects[node];
	*freed_pages = freed * cache->pages_of_32 / 32;
	return (int64_t)freed;
}

static struct cache *add(unsigned index, int64_t objects, unsigned seeks, unsigned batch)
{
	caches[index] = (struct cache){ .objects = { objects, objects }, .freed_of_4 = 4 };
	shrinkers[index] = (struct yard_shrinker){ .name = "cache", .count = count_objects, .scan = scan_objects,
						   .seeks = seeks, .batch = batch, .context = &caches[index] };
	assert_int_equal(yard_add_shrinker(yard, &shrinkers[index]), YARD_OK);
	return &caches[index];
}

static struct cache *one_shrinker(int64_t objects, unsigned seeks, unsigned batch)
{
	machine(1024, 64);
	nr_order = 0;
	return add(0, objects, seeks, batch);
}

static int64_t deferred(unsigned index, unsigned node)
{
	return yard->shrinkers[index].deferred[node];
}

static int64_t shrink(int priority, uint64_t *pages)
{
	uint64_t unused = 0;

	return do_shrink(yard, 0, 0, YARD_GFP_KERNEL, priority, pages ? pages : &unused);
}

// ---- S-1 ----

static void S1_registration(void **state)
{
	struct yard_shrinker bad = { .name = "bad", .count = count_objects };

	(void)state;
	machine(1024, 1);
	assert_int_equal(yard_add_shrinker(yard, &bad), YARD_EINVAL);
	bad.count = NULL;
	bad.scan = scan_objects;
	assert_int_equal(yard_add_shrinker(yard, &bad), YARD_EINVAL);
	for (unsigned i = 0; i < SHRINKERS_MAX; i++)
		add(i, 1, 2, 0);
	assert_int_equal(yard_add_shrinker(yard, &shrinkers[SHRINKERS_MAX - 1]), YARD_ENOMEM);
}

static void S1_batch_defaults_to_128(void **state)
{
	struct cache *cache;

	(void)state;
	cache = one_shrinker(300, 2, 0);
	shrink(0, NULL); // delta 600: the whole 600
	assert_int_equal(cache->asked[0], 128);
	demolish(state);
	cache = one_shrinker(300, 2, 50);
	shrink(0, NULL);
	assert_int_equal(cache->asked[0], 50);
}

static void two_nodes(bool aware)
{
	const struct yard_range memory[] = { { BASE, BASE + 1024, 0 }, { BASE + 1024, BASE + 2048, 1 } };
	struct yard_config config = noted_config("linux-7.3");

	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	nr_order = 0;
	add(0, 10000, 2, 0);
	shrinkers[0].numa_aware = aware;
}

static void S1_deferred_work_is_kept_by_node(void **state)
{
	struct scan_control sc = control();

	(void)state;
	two_nodes(true);
	sc.priority = 12;
	node_shrink_slab(yard, 1, &sc);
	assert_int_equal(caches[0].node, 1);
	assert_int_equal(deferred(0, 0), 0);
	assert_int_equal(deferred(0, 1), 4);
	node_shrink_slab(yard, 0, &sc);
	assert_int_equal(deferred(0, 0), 4);
	demolish(state);
	two_nodes(false); // all on node 0
	node_shrink_slab(yard, 0, &sc);
	assert_int_equal(deferred(0, 0), 4);
	assert_int_equal(deferred(0, 1), 0);
	node_shrink_slab(yard, 1, &sc);
	assert_int_equal(deferred(0, 1), 0);
}

// ---- S-2 ----

static void S2_all_in_registration_order_with_the_priority_of_the_pass(void **state)
{
	struct scan_control sc = control();

	(void)state;
	one_shrinker(1000, 2, 0);
	add(1, YARD_SHRINK_EMPTY, 2, 0);
	add(2, 1000000, 2, 0);
	sc.priority = 12;
	assert_int_equal(node_shrink_slab(yard, 0, &sc), 0);
	assert_int_equal(nr_order, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(order_of_calls[i], i);
	assert_int_equal(caches[0].scanned, 0);
	assert_int_equal(caches[2].scanned, 384);
	sc.priority = 4;
	node_shrink_slab(yard, 0, &sc);
	assert_int_equal(nr_order, 6);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 9), 4);
}

static void S2_after_the_lists_of_each_pass(void **state)
{
	struct scan_control sc = control();

	(void)state;
	one_shrinker(1 << 20, 2, 0);
	pages(0, 64, FILE_PAGE, YARD_UNMAPPED);
	sc.priority = 5;
	forget();
	shrink_node(yard, 0, &sc);
	assert_int_equal(count_events(YARD_EVENT_SHRINK_SLAB_START), 1);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 9), 5);
	assert_true(last_event(YARD_EVENT_SHRINK_SLAB_START) > last_event(YARD_EVENT_LRU_SHRINK_INACTIVE));
}

// ---- S-3, X-4 ----

static void X4_worked_examples(void **state)
{
	static const struct {
		int64_t freeable, before;
		unsigned seeks;
		int priority;
		uint64_t delta, total, scanned;
		int64_t after;
	} examples[] = {
		{ 10000, 0, 2, 12, 4, 4, 0, 4 },
		{ 1000000, 0, 2, 12, 488, 488, 384, 104 },
		{ 1000000, 500000, 2, 6, 31250, 39062, 39040, 492210 },
		{ 100, 0, 2, 0, 200, 200, 128, 72 },
		{ 10000, 0, 0, 4, 5000, 5000, 4992, 8 },
		{ 60, 0, 2, 12, 0, 0, 0, 0 },
		{ 60, 0, 2, 5, 2, 2, 0, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		struct cache *cache = one_shrinker(examples[i].freeable, examples[i].seeks, 128);

		cache->freed_of_4 = 0; // the count stays
		yard->shrinkers[0].deferred[0] = examples[i].before;
		shrink(examples[i].priority, NULL);
		assert_int_equal(cache->scanned, examples[i].scanned);
		assert_int_equal(deferred(0, 0), examples[i].after);
		assert_int_equal(vm(YARD_VM_SLABS_SCANNED), examples[i].scanned);
		if (examples[i].delta || examples[i].before) {
			assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 7), examples[i].delta);
			assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 8), examples[i].total);
		}
		next_machine();
	}
}

static void X4_one_call_asks_for_the_batch(void **state)
{
	struct cache *cache;

	(void)state;
	cache = one_shrinker(100, 2, 128);
	shrink(0, NULL);
	assert_int_equal(cache->scans, 1);
	assert_int_equal(cache->asked[0], 128);
}

static void S3_nothing_to_free(void **state)
{
	struct cache *cache;

	(void)state;
	cache = one_shrinker(0, 2, 0);
	yard->shrinkers[0].deferred[0] = 1000;
	assert_int_equal(shrink(0, NULL), 0);
	cache->objects[0] = YARD_SHRINK_EMPTY;
	assert_int_equal(shrink(0, NULL), 0);
	assert_int_equal(cache->scans, 0);
	assert_int_equal(deferred(0, 0), 1000); // not taken
	assert_int_equal(count_events(YARD_EVENT_SHRINK_SLAB_START), 0);
}

static void S3_the_total_is_at_most_twice_the_freeable_objects(void **state)
{
	struct cache *cache;

	(void)state;
	cache = one_shrinker(1000, 2, 128);
	cache->freed_of_4 = 0;
	yard->shrinkers[0].deferred[0] = 1000000;
	shrink(0, NULL); // nr 1000000 + delta 2000 -> 2000; 15 batches of 128, 80 left: below the batch, below freeable
	assert_int_equal(cache->scanned, 1920);
	assert_int_equal(deferred(0, 0), 2000); // 1000000 + 2000 - 1920, at most 2000
}

static void S3_small_caches_are_scanned_whole(void **state)
{
	struct cache *cache;

	(void)state;
	cache = one_shrinker(60, 2, 128); // delta 120 >= freeable: one scan of all 120
	shrink(0, NULL);
	assert_int_equal(cache->scans, 1);
	assert_int_equal(cache->asked[0], 120);
	assert_int_equal(deferred(0, 0), 0);
	shrink(1, NULL); // delta 60: as many as there are is enough
	assert_int_equal(cache->asked[1], 60);
	assert_int_equal(deferred(0, 0), 0);
	cache->objects[0] = 61;
	shrink(1, NULL); // delta 60, below both
	assert_int_equal(cache->scans, 2);
	assert_int_equal(deferred(0, 0), 60);
}

static void S3_seeks_weigh(void **state)
{
	static const struct { unsigned seeks; int64_t delta; } rows[] = {
		{ 1, 1000 }, { 2, 500 }, { 3, 333 }, { 4, 250 }, { 1000, 1 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		one_shrinker(1000, rows[i].seeks, 1 << 20);
		shrink(2, NULL);
		assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 7), rows[i].delta);
		next_machine();
	}
}

static void S3_stop_leaves_the_rest_deferred(void **state)
{
	struct cache *cache;

	(void)state;
	cache = one_shrinker(10000, 2, 128);
	cache->stop_after = 3;
	assert_int_equal(shrink(0, NULL), 384);
	assert_int_equal(cache->scanned, 384);
	assert_int_equal(deferred(0, 0), 20000 - 384);
	assert_int_equal(vm(YARD_VM_SLABS_SCANNED), 384);
}

static void S3_counts_what_the_shrinker_says_it_scanned(void **state)
{
	struct cache *cache;

	(void)state;
	cache = one_shrinker(1000, 2, 128);
	cache->freed_of_4 = 0;
	cache->reports = 100;
	shrink(2, NULL); // 500: 128 asked four times while 100 at a time are taken off
	assert_int_equal(cache->scans, 4);
	assert_int_equal(cache->scanned, 400);
	assert_int_equal(deferred(0, 0), 100);
	assert_int_equal(vm(YARD_VM_SLABS_SCANNED), 400);
}

static void S3_small_amounts_add_up(void **state)
{
	struct cache *cache;

	(void)state;
	cache = one_shrinker(10000, 2, 128); // 4 a pass at priority 12
	for (unsigned pass = 1; pass <= 100; pass++) {
		shrink(12, NULL);
		assert_int_equal(deferred(0, 0), 4 * pass);
	}
	assert_int_equal(cache->scans, 0); // 400 >> 12 is 0
	shrink(1, NULL);		   // (400 >> 1) + 10000: 10200
	assert_int_equal(cache->scanned, 79 * 128);
	assert_int_equal(deferred(0, 0), 400 + 10000 - 79 * 128);
}

static void T1_slab_events(void **state)
{
	(void)state;
	one_shrinker(1000000, 2, 128);
	caches[0].freed_of_4 = 1;
	yard->shrinkers[0].deferred[0] = 500000;
	shrink(6, NULL);
	// shr nid pid memcg_id nr_objects_to_shrink gfp_flags cache_items delta total_scan priority
	assert_int_equal(count_events(YARD_EVENT_SHRINK_SLAB_START), 1);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 1), 0);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 3), 0);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 4), 500000);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 5), YARD_GFP_KERNEL);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 6), 1000000);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 7), 31250);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 8), 39062);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 9), 6);
	// shr nid pid memcg_id unused_scan new_scan total_scan retval
	assert_int_equal(count_events(YARD_EVENT_SHRINK_SLAB_END), 1);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_END, 1), 0);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_END, 4), 500000);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_END, 5), 492210);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_END, 6), 39062 - 39040);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_END, 7), 305 * 32); // freed: a quarter of 305 batches
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 0), arg_of(YARD_EVENT_SHRINK_SLAB_END, 0));
}

// ---- S-4, S-5, S-7 ----

static void S4_only_freed_pages_count_as_reclaimed(void **state)
{
	struct scan_control sc = control();
	uint64_t freed = 0;
	struct cache *cache;

	(void)state;
	cache = one_shrinker(1 << 20, 2, 128);
	cache->pages_of_32 = 1;
	assert_int_equal(shrink(8, &freed), 8192);
	assert_int_equal(freed, 256);
	cache->pages_of_32 = 0;
	sc.priority = 8;
	shrink_node(yard, 0, &sc);
	assert_int_equal(sc.nr_reclaimed, 0);
	cache->pages_of_32 = 2; // C-10.3
	shrink_node(yard, 0, &sc);
	assert_int_equal(sc.nr_reclaimed, 512);
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_FILE) + node_counter(YARD_NODE_PGSTEAL_ANON), 0);
}

static void T4_slab_pages_are_what_the_lru_events_do_not_tell(void **state)
{
	struct scan_control sc = control();
	struct cache *cache;

	(void)state;
	cache = one_shrinker(1 << 20, 2, 128);
	cache->pages_of_32 = 1;
	pages(0, 64, FILE_PAGE, YARD_UNMAPPED);
	sc.priority = 2;
	forget();
	shrink_node(yard, 0, &sc);
	assert_int_equal(sc.nr_reclaimed - (uint64_t)arg_of(YARD_EVENT_LRU_SHRINK_INACTIVE, 2), cache->scanned / 32);
}

static void S5_without_fs_the_work_is_deferred_to_a_later_caller(void **state)
{
	struct cache *cache;
	uint64_t unused = 0;

	(void)state;
	cache = one_shrinker(10000, 2, 128);
	cache->needs_fs = true;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(do_shrink(yard, 0, 0, YARD_GFP_NOFS, 2, &unused), 0);
	assert_int_equal(cache->scanned, 0);
	assert_int_equal(deferred(0, 0), 15000);
	do_shrink(yard, 0, 0, YARD_GFP_NOFS, 0, &unused);
	assert_int_equal(deferred(0, 0), 20000); // bounded
	do_shrink(yard, 0, 0, YARD_GFP_KERNEL, 2, &unused); // (20000 >> 2) + 5000
	assert_int_equal(cache->scanned, 78 * 128);
	assert_int_equal(deferred(0, 0), 25000 - 78 * 128);
	assert_int_equal(cache->gfp, YARD_GFP_KERNEL);
}

static void S7_drop_slab_scans_at_priority_0_until_little_is_freed(void **state)
{
	struct cache *cache;

	(void)state;
	cache = one_shrinker(10, 2, 20); // 20 scanned, 10 freed a time, for ever
	cache->freed_of_4 = 2;
	assert_int_equal(yard_drop_slab(yard), 40);
	// (10 >> 0), (10 >> 1), (10 >> 2) are above 1, (10 >> 3) is not
	assert_int_equal(cache->counts, 4);
	assert_int_equal(arg_of(YARD_EVENT_SHRINK_SLAB_START, 9), 0);
	assert_int_equal(vm(YARD_VM_DROP_SLAB), 1);
	cache->objects[0] = 0;
	assert_int_equal(yard_drop_slab(yard), 0);
	assert_int_equal(vm(YARD_VM_DROP_SLAB), 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		T(S1_registration),
		T(S1_batch_defaults_to_128),
		T(S1_deferred_work_is_kept_by_node),
		T(S2_all_in_registration_order_with_the_priority_of_the_pass),
		T(S2_after_the_lists_of_each_pass),
		T(X4_worked_examples),
		T(X4_one_call_asks_for_the_batch),
		T(S3_nothing_to_free),
		T(S3_the_total_is_at_most_twice_the_freeable_objects),
		T(S3_small_caches_are_scanned_whole),
		T(S3_seeks_weigh),
		T(S3_stop_leaves_the_rest_deferred),
		T(S3_counts_what_the_shrinker_says_it_scanned),
		T(S3_small_amounts_add_up),
		T(T1_slab_events),
		T(S4_only_freed_pages_count_as_reclaimed),
		T(T4_slab_pages_are_what_the_lru_events_do_not_tell),
		T(S5_without_fs_the_work_is_deferred_to_a_later_caller),
		T(S7_drop_slab_scans_at_priority_0_until_little_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
