// SPDX-License-Identifier: Apache-2.0
//
// LRU lists, page state, batches, activation and rotation (spec 04 L-1 to L-17, T-3) and the checks of A-12.

#include "reclaim_fixture.h"

static int mapping_of(uint32_t offset)
{
	uint32_t flags;
	enum yard_mapping mapping;
	bool lru;

	assert_int_equal(yard_lru_get(yard, base + offset, &flags, &mapping, &lru), YARD_OK);
	return (int)mapping;
}

// ---- 0, 1.1 ----

static void rule_0_5_constants(void **state)
{
	static const struct { unsigned order; uint64_t gap; } gaps[] = {
		{ 0, 2 }, { 1, 4 }, { 2, 8 }, { 3, 16 }, { 4, 32 }, { 5, 32 }, { 9, 32 }, { 10, 32 } };

	(void)state;
	machine(1024, 1);
	assert_int_equal(CLUSTER_MAX, 32);
	assert_int_equal(DEF_PRIORITY, 12);
	assert_int_equal(MAX_RECLAIM_RETRIES, 16);
	assert_int_equal(YARD_COSTLY_ORDER, 3);
	assert_int_equal(BATCH_SIZE, 31);
	assert_int_equal(yard->swappiness, 60);
	assert_int_equal(yard->min_unmapped_ratio, 1);
	assert_int_equal(yard->min_slab_ratio, 5);
	assert_int_equal(yard->node_reclaim_distance, 30);
	assert_int_equal(YARD_ZONE_TYPES, 5);
	for (size_t i = 0; i < COUNT(gaps); i++)
		assert_int_equal(compact_gap(yard, gaps[i].order), gaps[i].gap);
}

static void V9_gap_without_cap(void **state)
{
	(void)state;
	machine_of(noted_config("linux-7.3,gap_cap=off"), 1024, 1);
	for (unsigned order = 0; order <= 10; order++)
		assert_int_equal(compact_gap(yard, order), 2u << order);
	demolish(state);
	machine_of(noted_config("linux-7.2"), 1024, 1);
	assert_int_equal(compact_gap(yard, 9), 32);
}

static void rule_0_1_a_folio_counts_with_its_whole_size(void **state)
{
	(void)state;
	blank_config(noted_config("linux-7.3"), 1024);
	give_block(0, 3);
	give_used(8, 9, false);
	give_free_range(9, 1024);
	ready();
	lru_page(0, FILE_PAGE, YARD_UNMAPPED);
	lru_page(8, FILE_PAGE, YARD_UNMAPPED);
	yard_lru_drain(yard);
	assert_lru(IF, "8 0");
	assert_int_equal(size_of(IF), 9);
	assert_int_equal(node_counter(YARD_NODE_INACTIVE_FILE), 9);
	assert_verified();
}

static void L1_five_lists_and_unevictable_is_only_a_count(void **state)
{
	(void)state;
	machine(1024, 16);
	assert_int_equal(YARD_LRU_LISTS, 5);
	pages(0, 2, ANON_PAGE, YARD_MAPPED);
	pages(2, 5, ANON_PAGE | ACT, YARD_MAPPED);
	pages(5, 9, FILE_PAGE, YARD_MAPPED);
	pages(9, 14, FILE_PAGE | ACT, YARD_MAPPED);
	pages(14, 16, FILE_PAGE | UNEV, YARD_MAPPED);
	assert_lru(0, "1 0");
	assert_lru(1, "4 3 2");
	assert_lru(2, "8 7 6 5");
	assert_lru(3, "13 12 11 10 9");
	assert_int_equal(size_of(4), 2);
	assert_true(on_lru(14)); // flagged, counted, on no list
	assert_int_equal(node_counter(YARD_NODE_UNEVICTABLE), 2);
	assert_int_equal(node_counter(YARD_NODE_INACTIVE_ANON), 2);
	assert_int_equal(node_counter(YARD_NODE_ACTIVE_ANON), 3);
	assert_int_equal(node_counter(YARD_NODE_INACTIVE_FILE), 4);
	assert_int_equal(node_counter(YARD_NODE_ACTIVE_FILE), 5);
	assert_verified();
}

// Frames on both sides of the limit between DMA32 and NORMAL.
static void two_zones(void)
{
	const struct yard_range memory = { BASE - 2048, BASE + 2048, 0 };
	struct yard_config config = noted_config("linux-7.3");

	config.no_dma32 = false;
	config.memory = &memory;
	config.nr_memory = 1;
	build(&config);
	listen();
	for (int i = -8; i < 8; i++)
		yard_force_allocated(yard, base + (uint32_t)i, 0);
	assert_verified();
	forget();
}

static void L2_lists_of_the_node_sizes_by_zone(void **state)
{
	(void)state;
	two_zones();
	for (int i = -2; i < 3; i++)
		lru_page((uint32_t)i, FILE_PAGE, YARD_UNMAPPED);
	yard_lru_drain(yard);
	assert_lru(IF, "2 1 0 -1 -2"); // one list for both zones
	assert_int_equal(yard_lru_size(yard, 0, IF, YARD_ZONE_DMA), 0);
	assert_int_equal(yard_lru_size(yard, 0, IF, YARD_ZONE_DMA32), 2);
	assert_int_equal(yard_lru_size(yard, 0, IF, YARD_ZONE_NORMAL), 5);
	assert_int_equal(yard_lru_size(yard, 0, IF, YARD_ZONE_MOVABLE), 5);
	assert_int_equal(lruvec_size(yard, 0, IF, YARD_ZONE_DMA32), 2);
	assert_verified();
}

static void L3_file_means_not_swap_backed(void **state)
{
	(void)state;
	machine(1024, 4);
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
	pages(1, 2, YARD_PAGE_ANON, YARD_MAPPED); // lazily freed
	pages(2, 3, SHMEM_PAGE, YARD_UNMAPPED);
	pages(3, 4, ANON_PAGE | SWAPC, YARD_MAPPED);
	assert_lru(IF, "1 0");
	assert_lru(IA, "3 2");
	assert_verified();
}

static void L4_mlock_takes_off_the_list_and_munlock_puts_back(void **state)
{
	(void)state;
	machine(1024, 3);
	pages(0, 3, FILE_PAGE, YARD_MAPPED);
	assert_int_equal(yard_lru_set(yard, base + 1, UNEV, true), YARD_OK);
	yard_lru_drain(yard);
	assert_lru(IF, "2 0");
	assert_int_equal(size_of(YARD_LRU_UNEVICTABLE), 1);
	assert_true(flags_at(1) & UNEV);
	assert_verified();
	assert_int_equal(yard_lru_set(yard, base + 1, UNEV, false), YARD_OK);
	yard_lru_drain(yard);
	assert_int_equal(size_of(YARD_LRU_UNEVICTABLE), 0);
	assert_int_equal(size_of(IF), 3);
	assert_false(flags_at(1) & UNEV);
	assert_verified();
}

static void L5_state_bits_are_kept(void **state)
{
	static const uint32_t flags[] = { 0, REF, WS, DIRTY, DROPB, PIN, WB, WB | RECL, ACT, ACT | REF | WS,
					  DIRTY | REF };

	(void)state;
	machine(1024, 3 * COUNT(flags));
	for (uint32_t i = 0; i < COUNT(flags); i++) {
		lru_page(3 * i, flags[i], YARD_MAPPED_EXEC);
		lru_page(3 * i + 1, flags[i] | SB, YARD_UNMAPPED);
		lru_page(3 * i + 2, flags[i] | ANON_PAGE | SWAPC, YARD_MAPPED_NO_RECENCY);
	}
	yard_lru_drain(yard);
	for (uint32_t i = 0; i < COUNT(flags); i++) {
		assert_int_equal(flags_at(3 * i), flags[i]);
		assert_int_equal(flags_at(3 * i + 1), flags[i] | SB);
		assert_int_equal(flags_at(3 * i + 2), flags[i] | ANON_PAGE | SWAPC);
		assert_int_equal(mapping_of(3 * i), YARD_MAPPED_EXEC);
		assert_int_equal(mapping_of(3 * i + 1), YARD_UNMAPPED);
		assert_int_equal(mapping_of(3 * i + 2), YARD_MAPPED_NO_RECENCY);
	}
	assert_verified();
}

static void L6_active_and_unevictable_exclude_each_other(void **state)
{
	(void)state;
	machine(1024, 3);
	if (yard_lru_add(yard, base, FILE_PAGE | ACT | UNEV, YARD_MAPPED) == YARD_OK) {
		yard_lru_drain(yard);
		assert_int_not_equal(flags_at(0) & (ACT | UNEV), ACT | UNEV);
	}
	pages(1, 2, FILE_PAGE | ACT, YARD_MAPPED);
	assert_int_equal(yard_lru_set(yard, base + 1, UNEV, true), YARD_OK);
	yard_lru_drain(yard);
	assert_int_equal(flags_at(1) & (ACT | UNEV), UNEV);
	assert_int_equal(size_of(AF), 0);
	assert_verified();
}

static void L6_an_isolated_page_is_counted(void **state)
{
	(void)state;
	machine(1024, 4);
	pages(0, 2, FILE_PAGE, YARD_MAPPED);
	pages(2, 4, ANON_PAGE, YARD_MAPPED);
	assert_true(lru_isolate(yard, base));
	assert_true(lru_isolate(yard, base + 2));
	assert_true(lru_isolate(yard, base + 3));
	assert_false(lru_isolate(yard, base)); // `lru` is clear
	assert_false(on_lru(0));
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 1);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_ANON), 2);
	assert_lru(IF, "1");
	assert_lru(IA, "");
	for (uint32_t i = 0; i < 4; i++)
		if (i != 1)
			lru_putback(yard, base + i, false);
	yard_lru_drain(yard);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE) + node_counter(YARD_NODE_ISOLATED_ANON), 0);
	assert_verified();
}

// ---- 1.2 ----

static void L7_where_a_new_page_enters(void **state)
{
	(void)state;
	machine(1024, 20);
	pages(0, 1, ANON_PAGE, YARD_MAPPED); // the ones that are there before, to see "head"
	pages(1, 2, ANON_PAGE | ACT, YARD_MAPPED);
	pages(2, 3, FILE_PAGE, YARD_UNMAPPED);
	pages(3, 4, FILE_PAGE | ACT, YARD_UNMAPPED);
	pages(4, 5, ANON_PAGE, YARD_MAPPED); // anonymous fault
	assert_lru(IA, "4 0");
	assert_int_equal(flags_at(4), ANON_PAGE); // not active, not referenced
	pages(5, 6, FILE_PAGE, YARD_UNMAPPED); // page cache
	assert_lru(IF, "5 2");
	assert_int_equal(flags_at(5), 0);
	pages(6, 7, SHMEM_PAGE, YARD_MAPPED); // shmem
	assert_lru(IA, "6 4 0");
	pages(7, 8, ANON_PAGE | SWAPC, YARD_MAPPED); // swap-in without a recent shadow
	assert_lru(IA, "7 6 4 0");
	pages(8, 9, ANON_PAGE | SWAPC | ACT, YARD_MAPPED); // ... with one
	assert_lru(AA, "8 1");
	pages(9, 10, ANON_PAGE | UNEV, YARD_MAPPED); // mlocked VMA
	assert_int_equal(size_of(YARD_LRU_UNEVICTABLE), 1);
	assert_lru(IA, "7 6 4 0");
	pages(10, 11, FILE_PAGE | ACT | REF | WS, YARD_MAPPED);
	assert_lru(AF, "10 3");
	assert_true(lru_isolate(yard, base + 3)); // un-isolated: head of its list, with its flags
	lru_putback(yard, base + 3, false);
	yard_lru_drain(yard);
	assert_lru(AF, "3 10");
	assert_verified();
}

static uint32_t moved_to[4096]; // by offset; 0: not moved

static enum yard_move_result note_move(void *unused, uint32_t from, uint32_t to, unsigned order,
				       enum yard_migrate_mode mode)
{
	if (owner_move(unused, from, to, order, mode) != YARD_MOVE_DONE)
		return YARD_MOVE_BUSY;
	moved_to[from - base] = to - base;
	return YARD_MOVE_DONE;
}

// Pages at the low end that compaction wants to move up, and one older page on each list that cannot move.
static void before_compaction(void)
{
	struct yard_config config = noted_config("linux-7.3");

	memset(moved_to, 0, sizeof moved_to);
	config.owner.move = note_move;
	blank_config(config, 4096);
	for (uint32_t b = 0; b < 8; b++)
		give_type(b * BLOCK, M);
	give_free_range(0, 100);
	give_used(100, 103, false);
	give_free_range(103, 4000);
	give_used(4000, 4003, false);
	give_free_range(4003, 4096);
	ready();
	listen();
	lru_page(4000, FILE_PAGE | ACT | PIN, YARD_MAPPED);
	lru_page(4001, ANON_PAGE | PIN, YARD_MAPPED);
	lru_page(4002, FILE_PAGE | PIN, YARD_UNMAPPED);
	lru_page(100, FILE_PAGE | ACT | REF | WS, YARD_MAPPED_EXEC);
	lru_page(101, ANON_PAGE, YARD_MAPPED);
	lru_page(102, FILE_PAGE | DIRTY | REF, YARD_MAPPED);
	yard_lru_drain(yard);
	touch(101, 2);
	assert_verified();
}

static void check_two(unsigned list, uint32_t young, uint32_t old)
{
	char expected[32];

	snprintf(expected, sizeof expected, "%u %u", young, old);
	assert_lru(list, expected);
}

static void L7_L8_a_migrated_page_keeps_its_state_and_returns_to_the_head(void **state)
{
	(void)state;
	before_compaction();
	assert_int_equal(yard_compact_node(yard, 0), YARD_OK);
	yard_lru_drain(yard);
	for (uint32_t i = 100; i < 103; i++) {
		assert_int_not_equal(moved_to[i], 0);
		assert_false(in_use(i));
	}
	check_two(AF, moved_to[100], 4000);
	check_two(IA, moved_to[101], 4001);
	check_two(IF, moved_to[102], 4002);
	assert_int_equal(flags_at(moved_to[100]), ACT | REF | WS);
	assert_int_equal(mapping_of(moved_to[100]), YARD_MAPPED_EXEC);
	assert_int_equal(flags_at(moved_to[101]), ANON_PAGE);
	assert_int_equal(flags_at(moved_to[102]), DIRTY | REF);
	assert_int_equal(page_references(yard, base + moved_to[101]), 2); // young
	assert_verified();
}

static void L8_a_page_whose_migration_failed_returns_to_the_head(void **state)
{
	(void)state;
	before_compaction();
	assert_true(lru_isolate(yard, base + 4002));
	lru_putback(yard, base + 4002, false);
	yard_lru_drain(yard);
	check_two(IF, 4002, 102);
	world.fail_every[CALL_UNMAP_FOR_MOVE] = 1;
	yard_compact_node(yard, 0);
	yard_lru_drain(yard);
	check_two(IF, 102, 4002);
	check_two(AF, 100, 4000);
	assert_int_equal(flags_at(100), ACT | REF | WS);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE) + node_counter(YARD_NODE_ISOLATED_ANON), 0);
	assert_verified();
}

static void L9_an_access_through_a_mapping_only_sets_young(void **state)
{
	(void)state;
	machine(1024, 1);
	pages(0, 1, FILE_PAGE, YARD_MAPPED);
	touch(0, 1);
	assert_int_equal(flags_at(0), 0);
	assert_lru(IF, "0");
	assert_int_equal(page_references(yard, base), 1);
	assert_int_equal(page_references(yard, base), 0); // the look cleared it
	touch(0, 1);
	touch(0, 1); // idempotent for one mapping, or counted as a second one: never less than one
	assert_true(page_references(yard, base) >= 1);
	touch(0, 2);
	touch(0, 2);
	assert_int_equal(page_references(yard, base), 2); // saturates
	assert_int_equal(yard_lru_touch(yard, base, 1, true), YARD_OK);
	assert_int_equal(flags_at(0), DIRTY);
}

static void L9_unmapping_a_young_file_mapping_marks_accessed(void **state)
{
	(void)state;
	machine(1024, 5);
	pages(0, 1, FILE_PAGE, YARD_MAPPED);
	pages(1, 2, FILE_PAGE, YARD_MAPPED); // not young
	pages(2, 3, ANON_PAGE, YARD_MAPPED);
	pages(3, 4, FILE_PAGE, YARD_MAPPED_NO_RECENCY);
	pages(4, 5, FILE_PAGE, YARD_MAPPED_EXEC);
	for (uint32_t i = 0; i < 5; i++) {
		if (i != 1)
			touch(i, 1);
		assert_int_equal(yard_lru_map(yard, base + i, YARD_UNMAPPED), YARD_OK);
	}
	assert_int_equal(flags_at(0), REF);
	assert_int_equal(flags_at(1), 0);
	assert_int_equal(flags_at(2), ANON_PAGE);
	assert_int_equal(flags_at(3), 0);
	assert_int_equal(flags_at(4), REF);
}

// ---- 1.4 ----

static void L14_mark_accessed_in_four_steps(void **state)
{
	(void)state;
	machine(1024, 2);
	pages(0, 2, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(flags_at(0), 0);
	mark(0);
	assert_int_equal(flags_at(0), REF);
	assert_int_equal(age(), 0);
	mark(0);
	yard_lru_drain(yard);
	assert_int_equal(flags_at(0), ACT);
	assert_lru(AF, "0");
	assert_lru(IF, "1");
	assert_int_equal(age(), 1); // L-18
	mark(0);
	assert_int_equal(flags_at(0), ACT | REF);
	mark(0); // 5: nothing, the bit stays
	yard_lru_drain(yard);
	assert_int_equal(flags_at(0), ACT | REF);
	assert_int_equal(age(), 1);
	assert_int_equal(vm(YARD_VM_PGACTIVATE), 1);
}

static void L14_1_dropbehind_is_ignored(void **state)
{
	(void)state;
	machine(1024, 1);
	pages(0, 1, FILE_PAGE | DROPB, YARD_UNMAPPED);
	for (unsigned i = 0; i < 3; i++) {
		mark(0);
		assert_int_equal(flags_at(0), DROPB);
		yard_lru_drain(yard);
	}
	assert_lru(IF, "0");
}

static void L14_3_unevictable_is_not_activated(void **state)
{
	(void)state;
	machine(1024, 1);
	pages(0, 1, FILE_PAGE | UNEV, YARD_UNMAPPED);
	mark(0);
	assert_int_equal(flags_at(0), UNEV | REF);
	mark(0);
	mark(0);
	yard_lru_drain(yard);
	assert_int_equal(flags_at(0), UNEV | REF);
	assert_int_equal(age(), 0);
}

static void L14_4_in_this_cpus_lru_add_batch_it_becomes_active_there(void **state)
{
	(void)state;
	two_cpus(1024, 4);
	lru_page(0, FILE_PAGE, YARD_UNMAPPED);
	on_cpu(1);
	lru_page(1, FILE_PAGE, YARD_UNMAPPED);
	on_cpu(0);
	mark(0);
	mark(0);
	assert_int_equal(flags_at(0) & (ACT | REF), ACT);
	assert_int_equal(age(), 1);
	mark(1); // in CPU 1's batch: neither case
	mark(1);
	assert_int_equal(flags_at(1) & (ACT | REF), REF);
	assert_int_equal(age(), 1);
	yard_lru_drain_all(yard);
	assert_lru(AF, "0");
	assert_lru(IF, "1");
	assert_int_equal(vm(YARD_VM_PGACTIVATE), 0); // it was inserted there, not activated
	assert_verified();
}

static void L14_L15_activation(void **state)
{
	(void)state;
	blank_config(noted_config("linux-7.3"), 1024);
	give_block(0, 2);
	give_used(4, 8, false);
	give_free_range(8, 1024);
	ready();
	listen();
	pages(4, 5, FILE_PAGE | ACT, YARD_UNMAPPED);
	pages(5, 6, FILE_PAGE, YARD_UNMAPPED);
	lru_page(0, FILE_PAGE, YARD_UNMAPPED);
	forget();
	mark(0);
	mark(0);
	yard_lru_drain(yard);
	assert_lru(AF, "0 4");
	assert_int_equal(vm(YARD_VM_PGACTIVATE), 4);
	assert_int_equal(age(), 4);
	assert_int_equal(count_events(YARD_EVENT_LRU_ACTIVATE), 1);
	assert_int_equal(arg_of(YARD_EVENT_LRU_ACTIVATE, 0), base);
	forget();
	lru_activate(yard, base); // active already
	assert_int_equal(yard_lru_set(yard, base + 5, UNEV, true), YARD_OK);
	lru_activate(yard, base + 5);
	yard_lru_drain(yard);
	assert_int_equal(count_events(YARD_EVENT_LRU_ACTIVATE), 0);
	assert_int_equal(vm(YARD_VM_PGACTIVATE), 4);
	assert_verified();
}

static void L16_deactivate(void **state)
{
	(void)state;
	machine(1024, 4);
	pages(0, 1, FILE_PAGE | ACT | REF, YARD_MAPPED);
	pages(1, 2, FILE_PAGE | REF, YARD_MAPPED);
	pages(2, 3, FILE_PAGE, YARD_MAPPED);
	assert_int_equal(yard_lru_deactivate(yard, base), YARD_OK);
	assert_int_equal(yard_lru_deactivate(yard, base + 1), YARD_OK); // not active: nothing
	yard_lru_drain(yard);
	assert_lru(IF, "0 2 1");
	assert_int_equal(flags_at(0), 0);
	assert_int_equal(flags_at(1), REF);
	assert_int_equal(vm(YARD_VM_PGDEACTIVATE), 1);
	assert_verified();
}

static void L16_deactivate_file(void **state)
{
	(void)state;
	machine(1024, 8);
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
	pages(1, 2, FILE_PAGE | ACT | REF, YARD_UNMAPPED); // clean, active: tail
	pages(2, 3, FILE_PAGE | REF, YARD_UNMAPPED);	   // clean, inactive: tail
	pages(3, 4, FILE_PAGE | ACT | DIRTY, YARD_UNMAPPED); // head, `reclaim`
	pages(4, 5, FILE_PAGE | REF | WB, YARD_UNMAPPED);    // head, `reclaim`
	pages(5, 6, FILE_PAGE | ACT | REF, YARD_MAPPED);     // mapped: nothing
	for (uint32_t i = 1; i < 6; i++)
		assert_int_equal(yard_lru_deactivate_file(yard, base + i), YARD_OK);
	yard_lru_drain(yard);
	assert_lru(IF, "4 3 0 1 2");
	assert_lru(AF, "5");
	assert_int_equal(flags_at(1), 0);
	assert_int_equal(flags_at(2), 0);
	assert_int_equal(flags_at(3), DIRTY | RECL);
	assert_int_equal(flags_at(4), WB | RECL);
	assert_int_equal(flags_at(5), ACT | REF);
	assert_int_equal(vm(YARD_VM_PGROTATED), 2);
	assert_int_equal(vm(YARD_VM_PGDEACTIVATE), 2);
	assert_verified();
}

static void L16_lazyfree(void **state)
{
	(void)state;
	machine(1024, 8);
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
	pages(1, 2, ANON_PAGE | ACT | REF, YARD_MAPPED);
	pages(2, 3, ANON_PAGE | SWAPC, YARD_MAPPED); // in the swap cache: nothing
	pages(3, 4, SHMEM_PAGE, YARD_MAPPED);	     // not anonymous: nothing
	for (uint32_t i = 0; i < 4; i++)
		yard_lru_lazyfree(yard, base + i);
	yard_lru_drain(yard);
	assert_lru(IF, "1 0");
	assert_lru(IA, "3 2");
	assert_lru(AA, "");
	assert_int_equal(flags_at(1), ANON_);
	assert_int_equal(flags_at(2), ANON_PAGE | SWAPC);
	assert_int_equal(flags_at(3), SHMEM_PAGE);
	assert_int_equal(vm(YARD_VM_PGLAZYFREE), 1);
	assert_verified();
}

static void L17_the_end_of_writeback_rotates(void **state)
{
	(void)state;
	machine(1024, 10);
	pages(0, 2, FILE_PAGE, YARD_UNMAPPED);
	pages(2, 3, FILE_PAGE | WB | RECL, YARD_UNMAPPED);
	pages(3, 4, FILE_PAGE | ACT | WB | RECL, YARD_UNMAPPED);
	pages(4, 5, FILE_PAGE | WB, YARD_UNMAPPED);		     // not to be reclaimed
	pages(5, 6, FILE_PAGE | DIRTY | WB | RECL, YARD_UNMAPPED);   // dirty again
	pages(6, 7, FILE_PAGE | UNEV | WB | RECL, YARD_UNMAPPED);
	pages(7, 8, ANON_PAGE | SWAPC | WB | RECL, YARD_UNMAPPED);
	pages(8, 9, ANON_PAGE, YARD_MAPPED);
	assert_lru(IA, "8 7");
	for (uint32_t i = 2; i < 8; i++)
		assert_int_equal(yard_writeback_end(yard, base + i), YARD_OK);
	yard_lru_drain(yard);
	assert_lru(IF, "5 4 1 0 2 3"); // the tails, the last queued last
	assert_lru(AF, "");
	assert_lru(IA, "8 7");
	assert_int_equal(vm(YARD_VM_PGROTATED), 3);
	for (uint32_t i = 2; i < 8; i++)
		assert_int_equal(flags_at(i) & (WB | RECL | ACT), 0);
	assert_int_equal(node_counter(YARD_NODE_WRITEBACK), 0);
	assert_int_equal(node_counter(YARD_NODE_PGROTATE_FILE), 0); // T-7: another counter
	assert_verified();
}

static void L17_the_rotation_of_an_isolated_page_is_lost(void **state)
{
	(void)state;
	machine(1024, 4);
	pages(0, 1, FILE_PAGE | WB | RECL, YARD_UNMAPPED);
	pages(1, 2, FILE_PAGE, YARD_UNMAPPED);
	assert_true(lru_isolate(yard, base));
	assert_int_equal(yard_writeback_end(yard, base), YARD_OK);
	lru_putback(yard, base, false);
	yard_lru_drain(yard);
	assert_lru(IF, "0 1"); // where the scan put it
	assert_int_equal(vm(YARD_VM_PGROTATED), 0);
	assert_int_equal(flags_at(0), 0);
	assert_verified();
}

// ---- 9, 11 ----

static void T3_insertion_and_activation_events(void **state)
{
	(void)state;
	machine(1024, 4);
	lru_page(0, FILE_PAGE, YARD_UNMAPPED);
	lru_page(1, ANON_PAGE | ACT, YARD_MAPPED);
	lru_page(2, FILE_PAGE | UNEV, YARD_MAPPED);
	assert_int_equal(count_events(YARD_EVENT_LRU_INSERTION), 0); // when the batch is applied
	yard_lru_drain(yard);
	assert_int_equal(count_events(YARD_EVENT_LRU_INSERTION), 3);
	for (unsigned i = 0; i < 3; i++) {
		static const unsigned list[] = { IF, AA, YARD_LRU_UNEVICTABLE };

		assert_int_equal(events[i].args[0], base + i);
		assert_int_equal(events[i].args[1], list[i]);
	}
	assert_string_equal(yard_event_name(YARD_EVENT_LRU_INSERTION), "mm_lru_insertion");
	assert_string_equal(yard_event_fields(YARD_EVENT_LRU_INSERTION), "pfn lru flags");
	assert_string_equal(yard_event_fields(YARD_EVENT_LRU_ACTIVATE), "pfn");
	assert_string_equal(yard_event_system(YARD_EVENT_LRU_ACTIVATE), "pagemap");
}

static void T5_state_counters_follow_the_pages(void **state)
{
	(void)state;
	machine(1024, 8);
	pages(0, 1, FILE_PAGE | DIRTY, YARD_UNMAPPED);
	pages(1, 2, FILE_PAGE, YARD_MAPPED);
	pages(2, 3, SHMEM_PAGE, YARD_UNMAPPED);
	pages(3, 4, ANON_PAGE | SWAPC, YARD_MAPPED);
	pages(4, 5, FILE_PAGE | WB, YARD_UNMAPPED);
	assert_int_equal(node_counter(YARD_NODE_FILE_DIRTY), 1);
	assert_int_equal(node_counter(YARD_NODE_WRITEBACK), 1);
	assert_int_equal(node_counter(YARD_NODE_SHMEM), 1);
	assert_int_equal(node_counter(YARD_NODE_SWAPCACHE), 1);
	assert_int_equal(node_counter(YARD_NODE_ANON_PAGES), 1);
	assert_int_equal(node_counter(YARD_NODE_FILE_MAPPED), 1);
	assert_int_equal(node_counter(YARD_NODE_FILE_PAGES), 5); // cache, shmem, swap cache
	assert_int_equal(yard_writeback_begin(yard, base), YARD_OK);
	assert_int_equal(flags_at(0), WB);
	assert_int_equal(node_counter(YARD_NODE_FILE_DIRTY), 0);
	assert_int_equal(node_counter(YARD_NODE_WRITEBACK), 2);
	assert_int_equal(yard_writeback_end(yard, base), YARD_OK);
	assert_int_equal(yard_writeback_end(yard, base + 4), YARD_OK);
	assert_int_equal(node_counter(YARD_NODE_WRITEBACK), 0);
	assert_int_equal(node_counter(YARD_NODE_WRITTEN), 2);
	for (uint32_t i = 0; i < 5; i++)
		free_at(i, 0);
	for (unsigned item = YARD_NODE_ANON_PAGES; item <= YARD_NODE_SHMEM; item++)
		assert_int_equal(node_counter(item), 0);
	assert_int_equal(size_of(IF) + size_of(IA), 0);
	assert_verified();
}

static void assert_corrupt(int line)
{
	char text[256] = "";

	if (yard_verify(yard, text, sizeof text) != YARD_ECORRUPT || !text[0]) {
		print_error("line %d: not noticed\n", line);
		fail();
	}
}

static void A12_self_checks_notice_what_is_wrong(void **state)
{
	(void)state;
	machine(1024, 8);
	pages(0, 3, FILE_PAGE, YARD_UNMAPPED);
	pages(3, 5, ANON_PAGE | ACT, YARD_MAPPED);
	assert_verified();
	yard->mm[0].lruvec.size[IF][YARD_ZONE_NORMAL]++; // L-6: sizes by zone
	assert_corrupt(__LINE__);
	yard->mm[0].lruvec.size[IF][YARD_ZONE_NORMAL]--;
	yard_mod_node_stat(yard, 0, YARD_NODE_INACTIVE_FILE, 1); // the counter
	assert_corrupt(__LINE__);
	yard_mod_node_stat(yard, 0, YARD_NODE_INACTIVE_FILE, -1);
	yard_mod_node_stat(yard, 0, YARD_NODE_ISOLATED_ANON, 1); // frames in place isolated
	assert_corrupt(__LINE__);
	yard_mod_node_stat(yard, 0, YARD_NODE_ISOLATED_ANON, -1);
	frame_change(yard, base, 0, PG_ACTIVE); // on the wrong list
	assert_corrupt(__LINE__);
	frame_change(yard, base, PG_ACTIVE, 0);
	frame_change(yard, base + 3, PLACE_MASK, place_bits(PLACE_PLAIN)); // linked, but not `lru`
	assert_corrupt(__LINE__);
	frame_change(yard, base + 3, PLACE_MASK, place_bits(PLACE_LRU));
	frame_change(yard, base + 5, PLACE_MASK, place_bits(PLACE_LRU)); // `lru`, but on no list
	assert_corrupt(__LINE__);
	frame_change(yard, base + 5, PLACE_MASK, place_bits(PLACE_PLAIN));
	assert_verified();
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		T(rule_0_5_constants),
		T(V9_gap_without_cap),
		T(rule_0_1_a_folio_counts_with_its_whole_size),
		T(L1_five_lists_and_unevictable_is_only_a_count),
		T(L2_lists_of_the_node_sizes_by_zone),
		T(L3_file_means_not_swap_backed),
		T(L4_mlock_takes_off_the_list_and_munlock_puts_back),
		T(L5_state_bits_are_kept),
		T(L6_active_and_unevictable_exclude_each_other),
		T(L6_an_isolated_page_is_counted),
		T(L7_where_a_new_page_enters),
		T(L7_L8_a_migrated_page_keeps_its_state_and_returns_to_the_head),
		T(L8_a_page_whose_migration_failed_returns_to_the_head),
		T(L9_an_access_through_a_mapping_only_sets_young),
		T(L9_unmapping_a_young_file_mapping_marks_accessed),
		T(L14_mark_accessed_in_four_steps),
		T(L14_1_dropbehind_is_ignored),
		T(L14_3_unevictable_is_not_activated),
		T(L14_4_in_this_cpus_lru_add_batch_it_becomes_active_there),
		T(L14_L15_activation),
		T(L16_deactivate),
		T(L16_deactivate_file),
		T(L16_lazyfree),
		T(L17_the_end_of_writeback_rotates),
		T(L17_the_rotation_of_an_isolated_page_is_lost),
		T(T3_insertion_and_activation_events),
		T(T5_state_counters_follow_the_pages),
		T(A12_self_checks_notice_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
