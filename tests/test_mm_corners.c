// SPDX-License-Identifier: Apache-2.0
//
// Corners where the slow path, compaction and reclaim meet the rest: callbacks that want memory themselves, pages that
// go while reclaim holds them, moving inside moving, frame 0, memory that comes later.

#include "mm_fixture.h"

enum { SECTION = PAGES_PER_SECTION };

static int forget_all(void **state)
{
	forget_world();
	return demolish(state);
}

static struct yard_config owned_config(void)
{
	struct yard_config config = plain_config();

	config.owner = owner();
	return config;
}

static uint64_t waits;

static uint64_t count_wait(void *context, unsigned queue, uint64_t timeout_ns)
{
	(void)context, (void)queue;
	assert_true(++waits < 100000); // nobody else will end what is waited for
	yard->host.now_ns += timeout_ns;
	return timeout_ns;
}

static void count_waits(void)
{
	waits = 0;
	yard->host.wait = count_wait;
}

// ---- moving inside moving ----

enum { BLOCKS = 8, FOLIO_ORDER = 4 };

// A folio in block 0, the rest of which is free. In the other blocks every second frame is free, and 64 of those
// between could move: nothing of order 4 is free without compaction, and the folio is a large part of the node's pages.
static void build_scattered(void)
{
	struct yard_config config = owned_config();

	config.no_dma32 = true;
	config.owner.release = NULL;
	blank_config(config, BLOCKS * BLOCK);
	for (uint32_t b = 0; b < BLOCKS; b++)
		give_type(b * BLOCK, M);
	give_block(0, FOLIO_ORDER);
	give_free_range(1 << FOLIO_ORDER, BLOCK);
	for (uint32_t i = BLOCK; i < BLOCKS * BLOCK; i += 2) {
		give_used(i, i + 1, i % 56 == 0);
		give_free(i + 1, 0);
	}
	ready();
	lru_page(0, ANON_PAGE, YARD_MAPPED);
	yard_lru_drain_all(yard);
}

// The destination needs compaction, which finds too much isolated: by the very move that would wait for it.
static void a_move_that_holds_too_much_for_compaction_ends(void **state)
{
	(void)state;
	build_scattered();
	count_waits();
	assert_int_equal(yard_alloc_range(yard, base, base + (1 << FOLIO_ORDER), YARD_ISOLATE_OTHER), YARD_EBUSY);
	assert_int_equal(waits, 0);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_ANON), 0);
	assert_null(yard_get_current(yard));
	assert_verified();
}

// ---- pages that never move, in the block at frame 0 ----

static unsigned moves;

static enum yard_move_result never_move(void *context, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	(void)context, (void)from, (void)to, (void)order, (void)mode;
	assert_true(++moves < 1000000); // the same pages again and again
	return YARD_MOVE_BUSY;
}

static void a_run_ends_that_chooses_the_first_block_of_all(void **state)
{
	const struct yard_range memory = { 0, BLOCKS * BLOCK, 0 };
	struct yard_config config = owned_config();
	struct yard_zone_state zone;

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.owner.move = never_move;
	config.owner.release = NULL;
	config.restore = true;
	build(&config);
	yard_restore_mobility(yard, false);
	base = 0;
	for (uint32_t b = 0; b < BLOCKS; b++)
		give_type(b * BLOCK, M);
	for (uint32_t i = 0; i < BLOCKS * BLOCK; i += 16) {
		give_used(i, i + 8, false);
		give_free(i + 8, 3);
	}
	assert_int_equal(yard_get_zone(yard, YARD_ZONE_DMA, &zone), YARD_OK);
	zone.managed = zone.present;
	zone.stat[YARD_NR_FREE_PAGES] = BLOCKS * BLOCK / 2;
	for (unsigned i = 0; i < YARD_NR_WMARKS; i++)
		zone.wmark[i] = i;
	assert_int_equal(yard_restore_zone(yard, YARD_ZONE_DMA, &zone), YARD_OK);
	assert_int_equal(yard_restore_finish(yard), YARD_OK);
	for (uint32_t i = 0; i < BLOCK; i++)
		if (i % 16 < 8)
			assert_int_equal(yard_set_movable_ops(yard, i, true), YARD_OK);
	moves = 0;
	assert_int_equal(request(GFP_M | YARD_GFP_NORETRY, YARD_PAGEBLOCK_ORDER).pfn, NONE);
	assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
	assert_true(moves > 0);
	assert_verified();
}

// ---- out of memory ----

static size_t allocated_in_callback;

static void hungry_kill(void *context, uint64_t id, const struct yard_oom *oom)
{
	const struct yard_request small = { .gfp = YARD_GFP_KERNEL, .node = -1, .max_rounds = 50 };
	struct yard_result result;

	yard_alloc_request(yard, &small, &result); // the owner's own book-keeping
	assert_false(result.gave_up);
	if (result.pfn != NONE)
		assert_int_equal(yard_free(yard, result.pfn, 0), YARD_OK);
	allocated_in_callback++;
	owner_oom_kill(context, id, oom);
}

static void the_killer_may_want_memory(void **state)
{
	struct yard_config config = owned_config();
	uint32_t pfn;

	(void)state;
	config.owner.oom_kill = hungry_kill;
	build_normal(config, 4 * BLOCK);
	count_waits();
	allocated_in_callback = 0;
	world.hog_room = 4 * BLOCK;
	world.hog = malloc(world.hog_room * sizeof(*world.hog));
	assert_non_null(world.hog);
	while (!world.kills) {
		pfn = yard_alloc(yard, YARD_GFP_KERNEL, 0);
		assert_int_not_equal(pfn, NONE);
		if (!world.kills)
			world.hog[world.nr_hog++] = pfn;
	}
	assert_int_equal(allocated_in_callback, 1);
	assert_verified();
}

// ---- pages that go ----

static uint32_t to_free = NONE, asked_for_freed;
static bool freed;

static int freeing_referenced(void *context, uint32_t pfn, unsigned order)
{
	(void)context;
	if (freed && pfn == to_free)
		asked_for_freed++;
	if (to_free != NONE && !freed && pfn != to_free) {
		freed = true;
		assert_int_equal(yard_free(yard, to_free, order), YARD_OK);
	}
	return 0;
}

static void no_one_asks_for_a_page_that_is_gone(void **state)
{
	struct yard_config config = owned_config();
	struct scan_control sc = { .highest_zone = YARD_ZONE_MOVABLE, .gfp = YARD_GFP_KERNEL, .may_unmap = true,
				   .priority = DEF_PRIORITY, .role = ROLE_DIRECT, .swappiness = -1 };
	uint32_t pfns[4];

	(void)state;
	config.owner.referenced = freeing_referenced;
	build_normal(config, 4 * BLOCK);
	for (unsigned i = 0; i < COUNT(pfns); i++) {
		pfns[i] = yard_alloc(yard, GFP_M, 0);
		assert_int_equal(yard_lru_add(yard, pfns[i], YARD_PAGE_ACTIVE, YARD_MAPPED), YARD_OK);
	}
	yard_lru_drain_all(yard);
	to_free = pfns[2];
	freed = false;
	asked_for_freed = 0;
	shrink_active(yard, 0, &sc, CLUSTER_MAX, YARD_LRU_ACTIVE_FILE);
	assert_true(freed);
	assert_int_equal(asked_for_freed, 0);
	assert_int_equal(node_counter(YARD_NODE_INACTIVE_FILE), 3);
	assert_verified();
}

// ---- memory that comes later ----

static void kcompactd_hears_of_a_node_that_got_memory(void **state)
{
	const struct yard_range memory = { BASE, BASE + SECTION, 0 };
	const struct yard_range offline = { BASE + SECTION, BASE + 2 * SECTION, 1 };
	struct yard_config config = owned_config();
	struct yard_wait wait;

	(void)state;
	config.nr_nodes = 2;
	config.memory = &memory;
	config.nr_memory = 1;
	config.offline = &offline;
	config.nr_offline = 1;
	config.compaction_proactiveness = -1;
	build(&config);
	yard_kcompactd_step(yard, 1, false, &wait);
	assert_int_equal(yard_online_memory(yard, offline.start, offline.end, YARD_ZONE_NORMAL), YARD_OK);
	assert_int_equal(yard->mm[1].kcompactd.highest_zone, YARD_ZONE_NORMAL);
}

// A zone that begins inside a pageblock, and grows downward after a whole run of compaction.
static void a_zone_that_grows_down_keeps_its_positions(void **state)
{
	const struct yard_range memory = { BASE + SECTION + 100, BASE + 2 * SECTION, 0 };
	const struct yard_range offline = { BASE, BASE + SECTION, 0 };
	struct yard_config config = owned_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.offline = &offline;
	config.nr_offline = 1;
	build(&config);
	assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
	assert_verified();
	assert_int_equal(yard_online_memory(yard, offline.start, offline.end, YARD_ZONE_NORMAL), YARD_OK);
	assert_verified();
	assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_move_that_holds_too_much_for_compaction_ends, forget_all),
		cmocka_unit_test_teardown(a_run_ends_that_chooses_the_first_block_of_all, forget_all),
		cmocka_unit_test_teardown(the_killer_may_want_memory, forget_all),
		cmocka_unit_test_teardown(no_one_asks_for_a_page_that_is_gone, forget_all),
		cmocka_unit_test_teardown(kcompactd_hears_of_a_node_that_got_memory, forget_all),
		cmocka_unit_test_teardown(a_zone_that_grows_down_keeps_its_positions, forget_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
