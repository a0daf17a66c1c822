// SPDX-License-Identifier: Apache-2.0
//
// What another thread may do at the wrong moment, one moment at a time: the owner's callbacks do it (spec 04 L-3, A-6,
// G-1, C-7r, spec 03 M5, spec 01 B12, M11). The same with real threads: test_mm_threads.c.

#include "mm_fixture.h"

#include "engine/mglru.h"

enum { PAGES = 1024 };

static uint32_t pages[PAGES];
static void (*meanwhile)(uint32_t pfn); // called for a page that a callback is about
static uint64_t nr_meanwhile;
static bool refuse;
static uint32_t moved_to;

static void interfere(uint32_t pfn)
{
	if (!meanwhile)
		return;
	meanwhile(pfn);
	nr_meanwhile++;
}

static enum yard_move_result move(void *context, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	(void)context, (void)order, (void)mode;
	interfere(from);
	moved_to = to;
	return refuse ? YARD_MOVE_BUSY : YARD_MOVE_DONE;
}

static bool release(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	(void)context, (void)order, (void)shadow;
	interfere(pfn);
	return !refuse;
}

static int referenced(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)order;
	interfere(pfn);
	return 1;
}

// Pages of one kind in the lower blocks, most of the memory free.
static void set_up(bool gen, uint32_t flags, void (*action)(uint32_t))
{
	struct yard_config config = plain_config();

	config.owner.move = move;
	config.owner.release = release;
	build_normal(config, 16 * BLOCK);
	yard_set_lru_gen(yard, gen);
	meanwhile = NULL;
	for (size_t i = 0; i < PAGES; i++) {
		pages[i] = yard_alloc(yard, GFP_M, 0);
		assert_true(pages[i] != NONE);
		assert_int_equal(yard_lru_add(yard, pages[i], flags, YARD_UNMAPPED), YARD_OK);
	}
	yard_lru_drain(yard);
	meanwhile = action;
	nr_meanwhile = 0;
	refuse = false;
}

static int64_t isolated(unsigned type)
{
	return atomic_load(&yard->mm[0].stat[YARD_NODE_ISOLATED_ANON + type]);
}

static void assert_none_isolated(void)
{
	assert_true(nr_meanwhile);
	assert_int_equal(isolated(ANON), 0);
	assert_int_equal(isolated(FILE_LRU), 0);
	assert_verified();
}

// ---- the type of an isolated page ----

static void make_real(uint32_t pfn)
{
	assert_int_equal(yard_lru_set(yard, pfn, YARD_PAGE_SWAPBACKED, true), YARD_OK);
}

// It left as a file page: as such it comes back, wherever it goes then.
static void L3_a_page_becomes_anonymous_while_it_is_isolated(void **state)
{
	(void)state;
	for (unsigned refused = 0; refused < 2; refused++) {
		set_up(false, YARD_PAGE_ANON, make_real);
		refuse = refused;
		assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
		yard_lru_drain_all(yard);
		assert_none_isolated();
	}
}

static void P5_a_page_becomes_anonymous_while_it_is_paged_out(void **state)
{
	(void)state;
	set_up(false, YARD_PAGE_ANON, make_real);
	refuse = true;
	assert_int_equal(yard_reclaim_pages(yard, pages, PAGES), 0);
	yard_lru_drain_all(yard);
	assert_none_isolated();
}

// ---- flags of a page that moves ----

static uint32_t told;

static void tell(uint32_t pfn)
{
	assert_int_equal(yard_lru_set(yard, pfn, told, true), YARD_OK);
}

static void take_back(uint32_t pfn)
{
	assert_int_equal(yard_lru_set(yard, pfn, told, false), YARD_OK);
}

static uint32_t flags_of_moved(void)
{
	uint32_t flags;
	enum yard_mapping mapping;
	bool lru;

	assert_int_equal(yard_lru_get(yard, moved_to, &flags, &mapping, &lru), YARD_OK);
	return flags;
}

// Until the owner points to the destination it speaks of the source.
static void M5_what_the_owner_tells_of_the_source_holds_for_the_destination(void **state)
{
	static const uint32_t flags[] = {
		YARD_PAGE_DIRTY, YARD_PAGE_UNEVICTABLE, YARD_PAGE_DROPBEHIND, YARD_PAGE_DIRTY | YARD_PAGE_UNEVICTABLE,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(flags); i++) {
		set_up(false, FILE_PAGE, tell);
		told = flags[i];
		assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
		assert_true(nr_meanwhile);
		assert_int_equal(flags_of_moved() & told, told);
		meanwhile = take_back;
		assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
		yard_lru_drain_all(yard);
		assert_verified();
	}
}

static void M5_munlock_of_the_source(void **state)
{
	(void)state;
	told = YARD_PAGE_UNEVICTABLE;
	set_up(false, FILE_PAGE | told, take_back);
	assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
	assert_true(nr_meanwhile);
	assert_int_equal(flags_of_moved() & told, 0);
	yard_lru_drain_all(yard);
	assert_verified();
}

// ---- the LRU changes its kind ----

static void switch_lru(uint32_t pfn)
{
	(void)pfn;
	yard_set_lru_gen(yard, !lru_gen_on(yard));
}

static void leave_gen(uint32_t pfn)
{
	(void)pfn;
	yard_set_lru_gen(yard, false);
}

static void G1_a_switch_while_pages_are_reclaimed(void **state)
{
	(void)state;
	for (unsigned gen = 0; gen < 2; gen++) {
		uint64_t reclaimed = 0;

		set_up(gen, FILE_PAGE, switch_lru);
		yard_node_reclaim_write(yard, 0, "1M", &reclaimed);
		assert_true(reclaimed);
		assert_none_isolated();
	}
}

static void G1_a_switch_while_pages_move(void **state)
{
	(void)state;
	for (unsigned gen = 0; gen < 2; gen++) {
		set_up(gen, ANON_PAGE, switch_lru);
		assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
		yard_lru_drain_all(yard);
		assert_none_isolated();
	}
}

// Aging looks at pages without the lock; what it has seen is of no use to the other LRU.
static void G6_a_switch_while_pages_age(void **state)
{
	(void)state;
	set_up(true, FILE_PAGE | YARD_PAGE_WORKINGSET, NULL);
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(yard_lru_map(yard, pages[i], YARD_MAPPED), YARD_OK);
	yard->owner.referenced = referenced;
	meanwhile = leave_gen;
	gen_run_aging(yard, 0, 60);
	assert_none_isolated();
	yard_set_lru_gen(yard, true); // only now the sizes of generations are looked at
	assert_verified();
}

// ---- freeing ----

static void split_isolated_page(uint32_t pfn)
{
	assert_int_equal(yard_split(yard, pfn, 0), YARD_EBUSY);
	assert_int_equal(yard_free_tail(yard, pfn, 0), YARD_EBUSY);
	assert_int_equal(yard_free_range(yard, pfn, 1), YARD_EBUSY);
	assert_int_equal(yard_unuse_isolated(yard, pfn, 0), YARD_EBUSY);
	assert_int_equal(yard_set_lru(yard, pfn, false), YARD_EBUSY);
	assert_int_equal(yard_set_movable_ops(yard, pfn, true), YARD_EBUSY);
	assert_int_equal(yard_set_lru(yard, pfn, true), YARD_OK);
}

static void B12_an_isolated_page_is_busy(void **state)
{
	(void)state;
	set_up(false, FILE_PAGE, split_isolated_page);
	assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
	yard_lru_drain_all(yard);
	assert_none_isolated();
}

// The second of two threads that free a page looks at it at any later moment.
static void B12_a_second_free_is_seen(void **state)
{
	uint32_t pfn;

	(void)state;
	set_up(false, FILE_PAGE, NULL);
	pfn = pages[0];
	assert_int_equal(lru_prepare_free(yard, pfn), FREE_NOW);
	assert_int_equal(lru_prepare_free(yard, pfn), FREE_TWICE);
	assert_int_equal(yard_free(yard, pfn, 0), YARD_EDOUBLEFREE);
	free_plain(yard, pfn, 0);
	assert_int_equal(frame_word(yard, pfn), make_word(YARD_FRAME_PCP, 0, M)); // whose type looks like a place
	assert_int_equal(lru_prepare_free(yard, pfn), FREE_TWICE);
	assert_int_equal(yard_set_movable_ops(yard, pages[1], true), YARD_OK);
	assert_int_equal(lru_prepare_free(yard, pages[1]), FREE_NOW);
	assert_int_equal(lru_prepare_free(yard, pages[1]), FREE_TWICE);
	free_plain(yard, pages[1], 0);
	assert_verified();
}

static void free_isolated_page(uint32_t pfn)
{
	assert_int_equal(yard_free(yard, pfn, 0), YARD_OK);
	assert_int_equal(yard_set_lru(yard, pfn, true), YARD_ENOTOWNED);
	assert_int_equal(yard_set_lru(yard, pfn, false), YARD_ENOTOWNED);
	assert_int_equal(yard_set_movable_ops(yard, pfn, true), YARD_ENOTOWNED);
	assert_int_equal(yard_free(yard, pfn, 0), YARD_EDOUBLEFREE);
}

// The engine still holds the page, but it is its owner's no more.
static void M11_a_page_that_is_freed_while_isolated_is_nobody_s(void **state)
{
	(void)state;
	set_up(false, FILE_PAGE, free_isolated_page);
	refuse = true;
	assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
	yard_lru_drain_all(yard);
	assert_none_isolated();
}

// ---- too many isolated pages (spec 03 C4.1) ----

// What alloc_contig has isolated is more than half of the LRU: the direct compaction that looks for room would wait for
// its own caller.
static void C4_alloc_contig_does_not_wait_for_itself(void **state)
{
	struct yard_config config = plain_config();
	uint32_t huge, pfn, nr = 0;

	(void)state;
	config.owner.move = move;
	build_normal(config, 16 * BLOCK);
	meanwhile = NULL;
	huge = yard_alloc(yard, GFP_M, YARD_PAGEBLOCK_ORDER);
	assert_int_equal(yard_lru_add(yard, huge, ANON_PAGE, YARD_MAPPED), YARD_OK);
	while ((pfn = yard_alloc(yard, GFP_M & ~(uint32_t)YARD_GFP_DIRECT_RECLAIM, 0)) != NONE)
		if (nr++ % 64 == 0)
			assert_int_equal(yard_lru_add(yard, pfn, ANON_PAGE, YARD_MAPPED), YARD_OK);
	for (pfn = base; pfn < base + 16 * BLOCK; pfn += 2)
		if (pfn / BLOCK != huge / BLOCK && pfn % 64 && frame_word(yard, pfn) == make_word(YARD_FRAME_ALLOCATED, 0, 0))
			assert_int_equal(yard_free(yard, pfn, 0), YARD_OK);
	yard_drain_all(yard, -1);
	yard_lru_drain_all(yard);
	assert_true(yard_alloc_range(yard, huge, huge + BLOCK, YARD_ISOLATE_OTHER) != YARD_OK);
	assert_int_equal(isolated(ANON), 0);
	yard_lru_drain_all(yard);
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(L3_a_page_becomes_anonymous_while_it_is_isolated),
		cmocka_unit_test(P5_a_page_becomes_anonymous_while_it_is_paged_out),
		cmocka_unit_test(M5_what_the_owner_tells_of_the_source_holds_for_the_destination),
		cmocka_unit_test(M5_munlock_of_the_source),
		cmocka_unit_test(G1_a_switch_while_pages_are_reclaimed),
		cmocka_unit_test(G1_a_switch_while_pages_move),
		cmocka_unit_test(G6_a_switch_while_pages_age),
		cmocka_unit_test(B12_an_isolated_page_is_busy),
		cmocka_unit_test(B12_a_second_free_is_seen),
		cmocka_unit_test(M11_a_page_that_is_freed_while_isolated_is_nobody_s),
		cmocka_unit_test(C4_alloc_contig_does_not_wait_for_itself),
	};

	return cmocka_run_group_tests_name("races", tests, NULL, demolish);
}
