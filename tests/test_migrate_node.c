// SPDX-License-Identifier: Apache-2.0
//
// Pages that move to another node because the embedder wants it (pageyard/migrate.h; spec 05 B9, B11, M24).

#include "kswapd_fixture.h"

#include "pageyard/migrate.h"

enum { NODE_FRAMES = 4096, HUGE = 9, HUGE_PAGES = 1 << HUGE };

static struct zone *zone_of_node(unsigned node)
{
	return zone_at(yard, node * YARD_ZONE_TYPES + NORMAL);
}

// Two nodes, all free, no pages in the sets of CPUs; kswapds sleep.
static void start_two(bool tiering)
{
	static const struct yard_range memory[] = { { BASE, BASE + NODE_FRAMES, 0 },
						    { BASE + NODE_FRAMES, BASE + 2 * NODE_FRAMES, 1 } };
	struct yard_config config = noted_config("linux-7.3");

	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	config.memory_tiering = tiering;
	build(&config);
	direct(true);
	listen();
	watch_sleep();
	ask.silent = true;
	for (unsigned node = 0; node < 2; node++) {
		set_wmarks(zone_of_node(node), 10, 20, 30);
		sleep_fully(node);
	}
	watch(E(WAKEUP_KSWAPD), E(KSWAPD_WAKE));
}

static uint32_t page_on(unsigned node, unsigned order)
{
	const struct yard_request r = { .gfp = YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_THISNODE, .order = (uint8_t)order,
					.node = (int16_t)node };
	struct yard_result result;

	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	return result.pfn;
}

static uint32_t lru_page_on(unsigned node, unsigned order, uint32_t flags, enum yard_mapping mapping)
{
	uint32_t pfn = page_on(node, order);

	yard_set_owner(yard, pfn, 77);
	assert_int_equal(yard_lru_add(yard, pfn, flags, mapping), YARD_OK);
	yard_lru_drain(yard);
	return pfn;
}

static int64_t free_on(unsigned node)
{
	return nr_free_pages(node * YARD_ZONE_TYPES + NORMAL);
}

static uint32_t flags_of_page(uint32_t pfn)
{
	enum yard_mapping mapping;
	uint32_t flags;
	bool lru;

	assert_int_equal(yard_lru_get(yard, pfn, &flags, &mapping, &lru), YARD_OK);
	assert_true(lru);
	return flags;
}

// Nothing is isolated, all pages of node 0's LRU are where they were.
static void assert_stays(uint32_t pfn, uint32_t flags)
{
	assert_int_equal(flags_of_page(pfn), flags);
	assert_int_equal(yard_get_owner(yard, pfn), 77);
	assert_int_equal(free_on(1), NODE_FRAMES);
	for (unsigned node = 0; node < 2; node++)
		assert_int_equal(yard_get_node_stat(yard, node, YARD_NODE_ISOLATED_ANON)
					 + yard_get_node_stat(yard, node, YARD_NODE_ISOLATED_FILE),
				 0);
	assert_verified();
}

// ---- one page (B11) ----

static void B11_a_page_follows_and_stays_what_it_is(void **state)
{
	uint32_t pfn;

	(void)state;
	start_two(false);
	pfn = lru_page_on(0, 0, ANON_ | SB | ACT | WS | DIRTY, YARD_MAPPED);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_OK);
	assert_int_equal(world.last_from, pfn);
	assert_int_equal(node_of(yard, world.last_to), 1);
	yard_lru_drain(yard);
	assert_int_equal(flags_of_page(world.last_to), ANON_ | SB | ACT | WS | DIRTY);
	assert_int_equal(yard_get_owner(yard, world.last_to), 77);
	assert_int_equal(free_on(0), NODE_FRAMES);
	assert_int_equal(free_on(1), NODE_FRAMES - 1);
	assert_int_equal(yard_get_node_stat(yard, 0, YARD_NODE_ACTIVE_ANON), 0);
	assert_int_equal(yard_get_node_stat(yard, 1, YARD_NODE_ACTIVE_ANON), 1);
	assert_steps("");
	assert_verified();
}

// A zone of the target must keep its high watermark, to the page.
static void B11_the_target_needs_the_high_watermark_and_the_page(void **state)
{
	uint32_t pfn;

	(void)state;
	start_two(false);
	pfn = lru_page_on(0, 0, ANON_ | SB, YARD_MAPPED);
	set_wmarks(zone_of_node(1), 10, 20, NODE_FRAMES - 1);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_ENOMEM);
	assert_stays(pfn, ANON_ | SB);
	set_wmarks(zone_of_node(1), 10, 20, NODE_FRAMES - 2);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_OK);
	assert_steps(""); // B14: in normal mode nobody is woken
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_MOVABLE) + vm(YARD_VM_ALLOCSTALL_NORMAL), 0);
}

static void B11_a_huge_page_needs_512_pages_above_the_high_watermark(void **state)
{
	uint32_t pfn;

	(void)state;
	start_two(false);
	pfn = lru_page_on(0, HUGE, ANON_ | SB, YARD_MAPPED);
	set_wmarks(zone_of_node(1), 10, 20, NODE_FRAMES - HUGE_PAGES);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_ENOMEM);
	assert_stays(pfn, ANON_ | SB);
	set_wmarks(zone_of_node(1), 10, 20, NODE_FRAMES - HUGE_PAGES - 1);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_OK);
	yard_lru_drain(yard);
	assert_int_equal(yard_get_node_stat(yard, 1, YARD_NODE_INACTIVE_ANON), HUGE_PAGES);
	assert_int_equal(free_on(1), NODE_FRAMES - HUGE_PAGES);
	assert_int_equal(free_on(0), NODE_FRAMES);
	assert_verified();
}

// Room enough, but in pieces: no compaction, no reclaim; the page stays whole where it is.
static void B11_a_huge_page_takes_no_trouble(void **state)
{
	uint32_t pfn;

	(void)state;
	start_two(true);
	pfn = lru_page_on(0, HUGE, ANON_ | SB, YARD_MAPPED);
	set_wmarks(zone_of_node(1), 0, 0, 0);
	while (free_on(1) > 8)
		page_on(1, 3);
	for (uint32_t i = NODE_FRAMES; i < 2 * NODE_FRAMES - 16; i += 16)
		free_at(i, 3);
	set_wmarks(zone_of_node(1), 10, 20, 30);
	forget_events();
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_EBUSY);
	assert_steps("");
	assert_int_equal(flags_of_page(pfn), ANON_ | SB);
	assert_true(free_on(1) > NODE_FRAMES / 3);
	assert_int_equal(world.calls[CALL_MOVE], 0);
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), 0);
	assert_verified();
}

static void B11_kswapd_of_a_full_target_is_woken_in_tiering_mode_only(void **state)
{
	for (unsigned tiering = 0; tiering < 2; tiering++) {
		uint32_t pfn;

		start_two(tiering);
		pfn = lru_page_on(0, 0, ANON_ | SB, YARD_MAPPED);
		set_wmarks(zone_of_node(1), 10, 20, NODE_FRAMES);
		forget_events();
		assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_ENOMEM);
		assert_int_equal(count_events(YARD_EVENT_WAKEUP_KSWAPD), tiering);
		if (tiering) {
			assert_int_equal(last_event(YARD_EVENT_WAKEUP_KSWAPD)->zone, zone_of_node(1)->id);
			assert_int_equal(last_event(YARD_EVENT_WAKEUP_KSWAPD)->order, 0);
		}
		assert_stays(pfn, ANON_ | SB);
		forget_all(state);
	}
}

static void B11_which_pages_are_refused(void **state)
{
	static const struct {
		uint32_t flags;
		enum yard_mapping mapping;
		int result;
	} cases[] = {
		{ ANON_ | SB | PIN, YARD_MAPPED, YARD_EBUSY },
		{ DIRTY, YARD_UNMAPPED, YARD_EBUSY },
		{ DIRTY, YARD_MAPPED, YARD_EBUSY },
		{ 0, YARD_MAPPED_EXEC, YARD_EBUSY },
		{ 0, YARD_MAPPED, YARD_OK },
		{ 0, YARD_UNMAPPED, YARD_OK },
		{ ANON_ | SB | DIRTY, YARD_MAPPED_EXEC, YARD_OK },
		{ SB | DIRTY, YARD_MAPPED, YARD_OK }, // shared memory is no file
		{ ANON_ | SB | UNEV, YARD_MAPPED, YARD_OK }, // locked memory may move
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t pfn;

		start_two(false);
		pfn = lru_page_on(0, 0, cases[i].flags, cases[i].mapping);
		assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), cases[i].result);
		assert_int_equal(world.calls[CALL_MOVE], cases[i].result == YARD_OK);
		if (cases[i].result != YARD_OK)
			assert_stays(pfn, cases[i].flags);
		forget_all(state);
	}
}

static void B11_what_is_no_page_of_the_lru(void **state)
{
	uint32_t pfn, huge, plain;

	(void)state;
	start_two(false);
	pfn = lru_page_on(0, 0, ANON_ | SB, YARD_MAPPED);
	huge = lru_page_on(0, HUGE, ANON_ | SB, YARD_MAPPED);
	plain = page_on(0, 0);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 2), YARD_ERANGE);
	assert_int_equal(yard_migrate_misplaced(yard, BASE + 2 * NODE_FRAMES, 1), YARD_ERANGE);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 0), YARD_EINVAL);
	assert_int_equal(yard_migrate_misplaced(yard, huge + 1, 1), YARD_EBUSY); // inside a block
	assert_int_equal(yard_migrate_misplaced(yard, plain, 1), YARD_EBUSY);
	free_at(plain - base, 0);
	assert_int_equal(yard_migrate_misplaced(yard, plain, 1), YARD_EBUSY);
	assert_int_equal(world.all_calls, 0);
	assert_verified();
}

static void B11_an_owner_who_refuses_keeps_the_page(void **state)
{
	static const enum owner_call calls[] = { CALL_UNMAP_FOR_MOVE, CALL_MOVE };

	for (size_t i = 0; i < COUNT(calls); i++) {
		uint32_t pfn;

		start_two(false);
		pfn = lru_page_on(0, 0, ANON_ | SB, YARD_MAPPED);
		world.fail_from[calls[i]] = 1;
		assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_EBUSY);
		assert_true(world.calls[calls[i]] > 0);
		yard_lru_drain(yard);
		assert_stays(pfn, ANON_ | SB);
		forget_all(state);
	}
}

// It waits for nothing.
static void B11_a_page_under_writeback_stays(void **state)
{
	uint32_t pfn;

	(void)state;
	start_two(false);
	pfn = lru_page_on(0, 0, ANON_ | SB | SWAPC, YARD_MAPPED);
	assert_int_equal(yard_writeback_begin(yard, pfn), YARD_OK);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_EBUSY);
	assert_int_equal(node_of(yard, pfn), 0);
	assert_int_equal(world.calls[CALL_MOVE], 0);
	yard_writeback_end(yard, pfn);
	yard_lru_drain(yard);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_OK);
}

// ---- room (B9) ----

// A node of 2 GiB: a GiB beyond the promotion watermark. One of 20 GiB: a sixteenth.
static void B9_room_is_a_gib_or_a_sixteenth_beyond_the_promotion_watermark(void **state)
{
	static const struct {
		uint32_t frames, needed;
	} cases[] = { { 1 << 19, 1 << 18 }, { 20 << 18, 20 << 14 } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t free;

		build_normal(noted_config("linux-7.3"), cases[i].frames);
		free = (uint32_t)nr_free_pages(NORMAL);
		assert_int_equal(free, cases[i].frames);
		set_wmarks(normal(), 10, 20, 30);
		normal()->wmark[WMARK_PROMO] = free - cases[i].needed - 1;
		assert_true(yard_promotion_has_room(yard, 0));
		normal()->wmark[WMARK_PROMO]++;
		assert_false(yard_promotion_has_room(yard, 0));
		assert_false(yard_promotion_has_room(yard, 1)); // no such node
		forget_all(state);
	}
}

// ---- many pages (M24) ----

static void M24_moves_what_is_not_there_yet(void **state)
{
	uint32_t pfns[8];

	(void)state;
	start_two(false);
	for (unsigned i = 0; i < 4; i++)
		pfns[i] = lru_page_on(0, 0, ANON_ | SB, YARD_MAPPED);
	pfns[4] = pfns[0]; // twice
	pfns[5] = lru_page_on(1, 0, ANON_ | SB, YARD_MAPPED);
	pfns[6] = page_on(0, 0); // not on the LRU
	pfns[7] = BASE + 2 * NODE_FRAMES;
	assert_int_equal(yard_migrate_pages(yard, pfns, COUNT(pfns), 2), 0);
	assert_int_equal(yard_migrate_pages(yard, pfns, COUNT(pfns), 1), 4);
	yard_lru_drain(yard);
	assert_int_equal(yard_get_node_stat(yard, 0, YARD_NODE_INACTIVE_ANON), 0);
	assert_int_equal(yard_get_node_stat(yard, 1, YARD_NODE_INACTIVE_ANON), 5);
	assert_int_equal(free_on(0), NODE_FRAMES - 1);
	assert_int_equal(vm(YARD_VM_PGMIGRATE_SUCCESS), 4);
	assert_verified();
}

// Pages that were just made wait in a batch; huge and dirty ones go as well.
static void M24_takes_all_kinds_of_pages(void **state)
{
	uint32_t pfns[4];

	(void)state;
	start_two(false);
	pfns[0] = lru_page_on(0, HUGE, ANON_ | SB, YARD_MAPPED);
	pfns[1] = lru_page_on(0, 0, DIRTY, YARD_UNMAPPED);
	pfns[2] = lru_page_on(0, 0, 0, YARD_MAPPED_EXEC);
	pfns[3] = page_on(0, 0);
	assert_int_equal(yard_lru_add(yard, pfns[3], ANON_ | SB, YARD_MAPPED), YARD_OK);
	assert_int_equal(yard_migrate_pages(yard, pfns, COUNT(pfns), 1), HUGE_PAGES + 3);
	assert_int_equal(free_on(0), NODE_FRAMES);
	assert_int_equal(free_on(1), NODE_FRAMES - HUGE_PAGES - 3);
	assert_verified();
}

static uint32_t written;

static uint64_t end_writeback(void *context, unsigned queue, uint64_t timeout_ns)
{
	(void)context, (void)queue;
	yard_writeback_end(yard, written);
	return timeout_ns;
}

static void M24_waits_for_writeback(void **state)
{
	uint32_t pfn;

	(void)state;
	start_two(false);
	pfn = written = lru_page_on(0, 0, ANON_ | SB | SWAPC, YARD_MAPPED);
	assert_int_equal(yard_writeback_begin(yard, pfn), YARD_OK);
	yard->host.wait = end_writeback;
	assert_int_equal(yard_migrate_pages(yard, &pfn, 1, 1), 1);
	assert_int_equal(node_of(yard, world.last_to), 1);
}

static struct {
	unsigned nr;
	uint64_t ns;
} isolated_waits;

static uint64_t wait_for_isolated(void *context, unsigned queue, uint64_t timeout_ns)
{
	(void)context;
	assert_int_equal(queue, YARD_QUEUES + YARD_QUEUE_ISOLATED); // of node 1
	isolated_waits.nr++;
	isolated_waits.ns += timeout_ns;
	return timeout_ns;
}

// A large page of node 0 is to go to node 1, whose free memory is in pieces between pages of the LRU; of these somebody
// else has isolated so many that compaction waits (C4.1).
static uint32_t large_page_for_pieces(void)
{
	uint32_t pfn;

	start_two(false);
	pfn = lru_page_on(0, HUGE, ANON_ | SB, YARD_MAPPED);
	set_wmarks(zone_of_node(1), 0, 0, 0);
	while (free_on(1) > 8)
		lru_page_on(1, 0, ANON_ | SB, YARD_MAPPED);
	for (uint32_t i = NODE_FRAMES; i < 2 * NODE_FRAMES - 16; i += 2)
		free_at(i, 0);
	yard->mm[1].stat[YARD_NODE_ISOLATED_ANON] += NODE_FRAMES;
	memset(&isolated_waits, 0, sizeof isolated_waits);
	yard->host.wait = wait_for_isolated;
	return pfn;
}

// It holds isolated pages itself, and whoever has the others may wait for these: with or without a current task it is not
// throttled; a request that holds none is.
static void M24_C4_1_who_moves_pages_does_not_wait_for_isolated_ones(void **state)
{
	const struct yard_request request = { .gfp = YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_THISNODE, .order = HUGE,
					      .node = 1 };
	struct yard_task task = { .pid = 1 };
	struct yard_result result;

	for (unsigned tasks = 0; tasks < 2; tasks++) {
		uint32_t pfn = large_page_for_pieces();

		yard_set_current(yard, tasks ? &task : NULL);
		yard_migrate_pages(yard, &pfn, 1, 1);
		assert_true(vm(YARD_VM_COMPACT_STALL) > 0);
		assert_int_equal(isolated_waits.nr, 0);
		assert_int_equal(node_of(yard, pfn), 0);
		assert_ptr_equal(yard_get_current(yard), tasks ? &task : NULL);
		yard_alloc_request(yard, &request, &result);
		assert_true(isolated_waits.ns >= 1000000000);
		yard_set_current(yard, NULL);
		forget_all(state);
	}
}

static void M24_what_cannot_move_stays(void **state)
{
	uint32_t pfns[2];

	(void)state;
	start_two(false);
	pfns[0] = lru_page_on(0, 0, ANON_ | SB | PIN, YARD_MAPPED);
	pfns[1] = lru_page_on(0, 0, ANON_ | SB, YARD_MAPPED);
	assert_int_equal(yard_migrate_pages(yard, pfns, 2, 1), 1);
	yard_lru_drain(yard);
	assert_int_equal(flags_of_page(pfns[0]), ANON_ | SB | PIN);
	assert_int_equal(free_on(1), NODE_FRAMES - 1);
	assert_int_equal(vm(YARD_VM_PGMIGRATE_FAIL), 1);
	assert_verified();
}

// ---- what cannot be ----

static void M24_B11_an_embedder_who_cannot_move_pages(void **state)
{
	uint32_t pfn;

	(void)state;
	start_two(false);
	yard->owner.move = NULL;
	pfn = lru_page_on(0, 0, ANON_ | SB, YARD_MAPPED);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 1), YARD_EINVAL);
	assert_stays(pfn, ANON_ | SB);
	assert_int_equal(yard_migrate_pages(yard, &pfn, 1, 1), 0);
	assert_stays(pfn, ANON_ | SB);
}

static void M24_B11_nodes_and_frames_that_are_not(void **state)
{
	uint32_t pfn, frames[4] = { YARD_PFN_NONE, 0, BASE + 2 * NODE_FRAMES, BASE + 5 };

	(void)state;
	start_two(false);
	pfn = lru_page_on(0, 0, ANON_ | SB, YARD_MAPPED);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 2), YARD_ERANGE);
	assert_int_equal(yard_migrate_misplaced(yard, YARD_PFN_NONE, 1), YARD_ERANGE);
	assert_int_equal(yard_migrate_misplaced(yard, BASE + 2 * NODE_FRAMES, 1), YARD_ERANGE);
	assert_int_equal(yard_migrate_misplaced(yard, pfn, 0), YARD_EINVAL);
	assert_int_equal(yard_migrate_pages(yard, &pfn, 1, 2), 0);
	assert_int_equal(yard_migrate_pages(yard, frames, 4, 1), 0);
	assert_int_equal(yard_migrate_pages(yard, NULL, 0, 1), 0);
	assert_false(yard_promotion_has_room(yard, 2));
	assert_false(yard_is_top_tier(yard, 2));
	assert_stays(pfn, ANON_ | SB);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(M24_B11_an_embedder_who_cannot_move_pages), TEST(M24_B11_nodes_and_frames_that_are_not),
		TEST(B11_a_page_follows_and_stays_what_it_is),
		TEST(B11_the_target_needs_the_high_watermark_and_the_page),
		TEST(B11_a_huge_page_needs_512_pages_above_the_high_watermark),
		TEST(B11_a_huge_page_takes_no_trouble),
		TEST(B11_kswapd_of_a_full_target_is_woken_in_tiering_mode_only),
		TEST(B11_which_pages_are_refused),
		TEST(B11_what_is_no_page_of_the_lru),
		TEST(B11_an_owner_who_refuses_keeps_the_page),
		TEST(B11_a_page_under_writeback_stays),
		TEST(B9_room_is_a_gib_or_a_sixteenth_beyond_the_promotion_watermark),
		TEST(M24_moves_what_is_not_there_yet),
		TEST(M24_takes_all_kinds_of_pages),
		TEST(M24_waits_for_writeback),
		TEST(M24_C4_1_who_moves_pages_does_not_wait_for_isolated_ones),
		TEST(M24_what_cannot_move_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
