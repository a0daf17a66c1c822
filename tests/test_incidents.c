// SPDX-License-Identifier: Apache-2.0
//
// The incidents of spec 02 section 9 that need no simulator: the reclaim storm (SC-1), a block that cannot be made (SC-2),
// atomic requests amid free memory (SC-4), whether the OOM killer is reached (SC-7), and what captures leave behind (SC-8).

#include "mm_fixture.h"

enum { BLOCKS = 64, OTHER_BLOCKS = 14, MOVABLE_BLOCKS = BLOCKS - OTHER_BLOCKS, FREE_OF_BLOCK = 64,
       LRU_PAGES = MOVABLE_BLOCKS * (BLOCK - FREE_OF_BLOCK) };

static int forget_all(void **state)
{
	forget_world();
	return demolish(state);
}

static struct yard_config config_of(const char *policy)
{
	struct yard_config config = plain_config();

	config.policy = policy_of(policy);
	config.owner = owner();
	return config;
}

static bool free_in_block(uint32_t i) // 64 of 512 frames, none next to another
{
	return i % 8 == 3;
}

// SC-1: U and R blocks full, M blocks with 64 scattered free frames and 448 mapped LRU pages in random order.
static void build_storm(const char *policy, bool one_pinned)
{
	static uint32_t lru[LRU_PAGES];
	size_t nr = 0;

	random_state = 1;
	blank_config(config_of(policy), BLOCKS * BLOCK);
	for (uint32_t b = 0; b < BLOCKS; b++) {
		give_type(b * BLOCK, b < OTHER_BLOCKS / 2 ? U : b < OTHER_BLOCKS ? R : M);
		for (uint32_t i = 0; i < BLOCK; i++) {
			bool movable = b >= OTHER_BLOCKS;

			if (movable && free_in_block(i)) {
				give_free(b * BLOCK + i, 0);
				continue;
			}
			give_used(b * BLOCK + i, b * BLOCK + i + 1, false);
			if (movable)
				lru[nr++] = b * BLOCK + i;
		}
	}
	assert_int_equal(nr, LRU_PAGES);
	ready();
	set_wmarks(normal(), 512, 640, 768);
	set_pcps(normal(), 1, 0, 0);
	yard_set_swap(yard, 4 * BLOCKS * BLOCK, 4 * BLOCKS * BLOCK);
	shuffle(lru, nr);
	for (size_t i = 0; i < nr; i++)
		lru_page(lru[i], ANON_PAGE | (one_pinned && lru[i] % BLOCK == 100 ? YARD_PAGE_PINNED : 0), YARD_MAPPED);
	yard_lru_drain_all(yard);
	assert_verified();
	forget_events();
}

static struct yard_result submit(uint32_t gfp, unsigned order, uint64_t max_rounds)
{
	const struct yard_request r = { .gfp = gfp, .order = (uint8_t)order, .node = -1, .max_rounds = max_rounds };
	struct yard_result result;

	yard_alloc_request(yard, &r, &result);
	return result;
}

static uint64_t reclaimed(void)
{
	return (uint64_t)(node_counter(YARD_NODE_PGSTEAL_ANON) + node_counter(YARD_NODE_PGSTEAL_FILE));
}

static uint64_t allocstall(void)
{
	return vm(YARD_VM_ALLOCSTALL_NORMAL) + vm(YARD_VM_ALLOCSTALL_MOVABLE);
}

static void SC1_vanilla_falls_back_at_once(void **state)
{
	struct yard_result result;

	(void)state;
	build_storm("vanilla", false);
	result = submit(GFP_U, 0, 0);
	assert_int_not_equal(result.pfn, NONE);
	assert_int_equal(result.rounds, 0);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_EXTFRAG), 1);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->c, 0); // pollutes: the block stays M
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->a, 0);
	assert_int_equal(reclaimed(), 0);
	assert_int_equal(vm(YARD_VM_PSWPOUT), 0);
	assert_int_equal(allocstall(), 0);
	assert_verified();
}

static void check_evicts_all(const char *policy)
{
	struct yard_result result;

	build_storm(policy, false);
	result = submit(GFP_U, 0, 100000);
	print_message("# SC-1 %s: %u rounds, %" PRIu64 " of %d LRU pages reclaimed, %" PRIu64 " swapped out, %" PRIu64
		      " allocstalls, compact_stall %" PRIu64 "\n",
		      policy, result.rounds, reclaimed(), LRU_PAGES, vm(YARD_VM_PSWPOUT), allocstall(), vm(YARD_VM_COMPACT_STALL));
	assert_int_not_equal(result.pfn, NONE);
	assert_true(reclaimed() >= LRU_PAGES * 9 / 10);
	assert_true(vm(YARD_VM_PSWPOUT) >= LRU_PAGES * 9 / 10);
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), 0); // order 0 never compacts
	assert_verified();
}

static void SC1_before_the_storm_fix_all_is_evicted(void **state)
{
	static const char *const policies[] = { "defrag-6.15", "defrag-6.15@7.3core", "defrag-6.16", "defrag-6.16@7.3core",
						"atomic-fix", "atomic-fix@7.3core" };

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++)
		check_evicts_all(policies[i]);
}

static void check_makes_one_block(const char *policy)
{
	struct yard_result result;

	build_storm(policy, false);
	result = submit(GFP_U, 0, 100000);
	print_message("# SC-1 %s: %u rounds, %" PRIu64 " reclaimed, %" PRIu64 " pages moved\n", policy, result.rounds, reclaimed(),
		      vm(YARD_VM_PGMIGRATE_SUCCESS));
	assert_int_not_equal(result.pfn, NONE);
	assert_int_equal(reclaimed(), 0);
	assert_int_equal(vm(YARD_VM_PSWPOUT), 0);
	assert_true(vm(YARD_VM_PGMIGRATE_SUCCESS) <= 896);
	assert_int_equal(result.rounds, 1);
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), 1);
	assert_int_equal(vm(YARD_VM_COMPACT_SUCCESS), 1);
	assert_int_equal(yard_pageblock_type(yard, result.pfn), U); // claimed
	assert_verified();
}

static void SC1_with_the_storm_fix_one_block_is_made(void **state)
{
	static const char *const policies[] = { "storm-fix", "storm-fix@7.3core", "linux-7.2,defrag_mode=1",
						"linux-7.3,defrag_mode=1" };

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++)
		check_makes_one_block(policies[i]);
}

static void SC2_livelock_before_7_3(void **state)
{
	static const char *const policies[] = { "storm-fix", "linux-7.2,defrag_mode=1" };

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		struct yard_result result;

		build_storm(policies[i], true);
		result = submit(GFP_U, 0, 10000);
		print_message("# SC-2 %s: gave up after %u rounds, %" PRIu64 " reclaimed\n", policies[i], result.rounds, reclaimed());
		assert_int_equal(result.pfn, NONE);
		assert_true(result.gave_up);
		assert_int_equal(result.rounds, 10000);
		assert_int_equal(reclaimed(), 0);
		assert_verified();
	}
}

static void SC2_7_3_falls_back_after_18_rounds(void **state)
{
	struct yard_result result;

	(void)state;
	build_storm("linux-7.3,defrag_mode=1", true);
	result = submit(GFP_U, 0, 10000);
	print_message("# SC-2 linux-7.3: %u rounds, %" PRIu64 " reclaimed, %" PRIu64 " pages moved\n", result.rounds, reclaimed(),
		      vm(YARD_VM_PGMIGRATE_SUCCESS));
	assert_int_not_equal(result.pfn, NONE);
	assert_in_range(result.rounds, 18, 19); // 17 or 18 rounds, then DROP and the attempt that steals
	assert_int_equal(reclaimed(), 0);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_EXTFRAG), 1);
	assert_true(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->a < YARD_PAGEBLOCK_ORDER); // no whole block was there
	assert_verified();
}

// ---- SC-4 ----

enum { HOST_BLOCKS = 15872, HOST_R_BLOCKS = 512 }; // 31 GiB; less than half of each block free: none is converted

static void build_host(const char *policy)
{
	blank_config(config_of(policy), HOST_BLOCKS * BLOCK);
	for (uint32_t b = 0; b < HOST_BLOCKS; b++) {
		bool unmovable = b < 64;

		give_type(b * BLOCK, unmovable ? U : b < HOST_R_BLOCKS ? R : M);
		if (unmovable) {
			give_used(b * BLOCK, (b + 1) * BLOCK, false);
			continue;
		}
		for (uint32_t i = 0; i < BLOCK; i++)
			if (i % 5 == 1 || i % 5 == 3)
				give_free(b * BLOCK + i, 0);
			else
				give_used(b * BLOCK + i, b * BLOCK + i + 1, false);
	}
	ready();
	set_wmarks(normal(), 16384, 20480, 24576);
	set_pcps(normal(), 1, 0, 0);
	assert_true((uint64_t)nr_free_pages(NORMAL) * 4096 >= 13000000000);
}

static void check_atomic(const char *policy, bool fails)
{
	enum { REQUESTS = 1000 };
	size_t failed = 0;

	build_host(policy);
	for (unsigned i = 0; i < REQUESTS; i++)
		failed += submit(YARD_GFP_ATOMIC, 0, 0).pfn == NONE;
	print_message("# SC-4 %s: %zu of %d atomic requests failed with %.1f GB free\n", policy, failed, REQUESTS,
		      (double)nr_free_pages(NORMAL) * 4096 / 1e9);
	assert_int_equal(failed, fails ? REQUESTS : 0);
	if (!fails)
		assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_EXTFRAG), REQUESTS);
	if (yard_get_policy(yard)->defrag_mode) {
		for (size_t i = 0; i < nr_events; i++)
			if (events[i].kind == YARD_EVENT_WAKEUP_KSWAPD && events[i].b) // without gfp: for a boost (R1)
				assert_int_equal(events[i].order, YARD_PAGEBLOCK_ORDER);
		assert_true(count_events(YARD_EVENT_WAKEUP_KSWAPD) >= REQUESTS);
		assert_int_equal(submit(YARD_GFP_TRANSHUGE_LIGHT, YARD_PAGEBLOCK_ORDER, 0).pfn, NONE);
	}
	assert_verified();
}

static void SC4_atomic_failures(void **state)
{
	(void)state;
	check_atomic("vanilla", false);
	check_atomic("defrag-6.15", true);
	check_atomic("defrag-6.16", true);
	check_atomic("atomic-fix", false);
	check_atomic("storm-fix", false);
	check_atomic("linux-7.2,defrag_mode=1", false);
	check_atomic("linux-7.3,defrag_mode=1", false);
}

// ---- SC-7 ----

static void build_hog(const char *policy)
{
	struct yard_config config = config_of(policy);

	build_normal(config, 16 * BLOCK);
	world.hog_room = 16 * BLOCK;
	world.hog = calloc(world.hog_room, sizeof *world.hog);
	assert_non_null(world.hog);
}

// Takes unmovable pages until somebody is killed or a request gives up. Returns the pages that it had.
static size_t hog_until_killed(uint64_t max_rounds, bool *gave_up)
{
	size_t most = 0;

	*gave_up = false;
	for (uint64_t kills = world.kills; kills == world.kills;) {
		struct yard_result result = submit(GFP_U, 0, max_rounds);

		if (result.pfn == NONE) {
			*gave_up = result.gave_up;
			return most;
		}
		if (kills != world.kills) {
			assert_int_equal(yard_free(yard, result.pfn, 0), YARD_OK);
			break;
		}
		assert_true(world.nr_hog < world.hog_room);
		world.hog[world.nr_hog++] = result.pfn;
		most = world.nr_hog;
	}
	return most;
}

static void SC7_the_killer_is_reached(void **state)
{
	bool gave_up;

	(void)state;
	build_hog("linux-7.3,defrag_mode=1");
	for (unsigned i = 1; i <= 100; i++) {
		size_t pages = hog_until_killed(0, &gave_up);

		assert_int_equal(world.kills, i);
		assert_true(pages > 15 * BLOCK);
		assert_int_equal(vm(YARD_VM_OOM_KILL), i);
	}
	assert_verified();
	forget_world();
}

static void SC7_broken_drop_never_kills(void **state)
{
	bool gave_up;

	(void)state;
	build_hog("linux-7.3,defrag_mode=1,nofrag_drop=broken");
	hog_until_killed(10000, &gave_up);
	assert_true(gave_up);
	assert_int_equal(world.kills, 0);
	assert_verified();
	for (size_t i = 0; i < world.nr_hog; i++)
		yard_free(yard, world.hog[i], 0);
	world.nr_hog = 0;
}

// ---- SC-8 ----

static uint32_t interrupt_pages[BLOCKS * BLOCK];
static size_t nr_interrupt_pages;

static void free_some(void) // an interrupt on top of the compacting task frees pages of all block types
{
	for (unsigned n = random_below(3); n && nr_interrupt_pages; n--)
		assert_int_equal(yard_free(yard, interrupt_pages[--nr_interrupt_pages], 0), YARD_OK);
}

static uint64_t free_and_used(void)
{
	uint64_t pages = 0;
	uint32_t first;
	unsigned order;

	for (uint32_t pfn = base; pfn < base + BLOCKS * BLOCK; pfn = first + (1u << order)) {
		assert_int_not_equal(yard_frame_state(yard, pfn, &first, &order), YARD_FRAME_NONE);
		pages += 1u << order;
	}
	return pages;
}

// A page that no list gave: captured.
static bool was_captured(uint32_t pfn)
{
	for (size_t i = 0; i < nr_events; i++)
		if ((events[i].kind == YARD_EVENT_TAKE || events[i].kind == YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED
		     || events[i].kind == YARD_EVENT_PAGE_ALLOC_EXTFRAG) && events[i].pfn == pfn)
			return false;
	return true;
}

static void SC8_captures_lose_nothing(void **state)
{
	static const char *const policies[] = { "linux-7.3,defrag_mode=1", "storm-fix", "atomic-fix", "vanilla" };
	size_t captures = 0;

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		struct yard_result result;
		unsigned order, type;

		build_storm(policies[round % COUNT(policies)], false);
		random_state = round + 100;
		nr_interrupt_pages = 0;
		for (uint32_t i = 0; i < OTHER_BLOCKS * BLOCK; i++)
			interrupt_pages[nr_interrupt_pages++] = base + i;
		shuffle(interrupt_pages, nr_interrupt_pages);
		world.interrupt = free_some;
		for (unsigned n = 0; n < 8; n++) {
			forget_events();
			order = random_below(4) ? random_below(5) : YARD_PAGEBLOCK_ORDER;
			type = random_below(3);
			result = submit((type == 0 ? GFP_U : type == 1 ? GFP_M : GFP_R) | YARD_GFP_RETRY_MAYFAIL, order, 200);
			assert_verified();
			assert_int_equal(free_and_used(), BLOCKS * BLOCK);
			if (result.pfn == NONE)
				continue;
			assert_int_equal(yard_frame_state(yard, result.pfn, NULL, &order), YARD_FRAME_ALLOCATED);
			if (!was_captured(result.pfn))
				continue;
			captures++;
			if (order < YARD_PAGEBLOCK_ORDER && type != 1)
				assert_int_not_equal(yard_pageblock_type(yard, result.pfn), M); // P3, CP-6
		}
		world.interrupt = NULL;
	}
	print_message("# SC-8: %zu pages captured\n", captures);
	assert_true(captures > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(SC1_vanilla_falls_back_at_once, forget_all),
		cmocka_unit_test_teardown(SC1_before_the_storm_fix_all_is_evicted, forget_all),
		cmocka_unit_test_teardown(SC1_with_the_storm_fix_one_block_is_made, forget_all),
		cmocka_unit_test_teardown(SC2_livelock_before_7_3, forget_all),
		cmocka_unit_test_teardown(SC2_7_3_falls_back_after_18_rounds, forget_all),
		cmocka_unit_test_teardown(SC4_atomic_failures, forget_all),
		cmocka_unit_test_teardown(SC7_the_killer_is_reached, forget_all),
		cmocka_unit_test_teardown(SC7_broken_drop_never_kills, forget_all),
		cmocka_unit_test_teardown(SC8_captures_lose_nothing, forget_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
