// SPDX-License-Identifier: Apache-2.0
//
// Evictions, shadows and refaults (spec 04 L-18 to L-21, X-5, the refault identities of T-7).

#include "reclaim_fixture.h"

#include "engine/lru.h"

static void age_to(uint64_t value) // the nonresident age of node 0
{
	yard->mm[0].lruvec.nonresident_age = value;
}

static uint64_t evicted_at(uint64_t value, bool workingset) // a shadow as L-19 makes it
{
	return make_shadow(0, value, workingset ? PG_WORKINGSET : 0, 0);
}

static uint32_t refault(uint32_t offset, uint32_t flags, uint64_t shadow)
{
	int answer = yard_lru_refault(yard, base + offset, flags, shadow);

	assert_true(answer >= 0);
	return (uint32_t)answer;
}

static uint64_t reclaim(unsigned list, uint64_t nr)
{
	struct scan_control sc = kswapd_control(); // no isolation limit

	return shrink_inactive(yard, 0, &sc, nr, list);
}

// ---- L-18, L-19 ----

static void L19_a_shadow_holds_the_age_before_it_is_advanced(void **state)
{
	(void)state;
	machine(1024, 8);
	pages(0, 1, FILE_PAGE | WS, YARD_UNMAPPED);
	pages(1, 4, FILE_PAGE, YARD_UNMAPPED);
	age_to(1000);
	assert_int_equal(reclaim(IF, 32), 4);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(shadow_value(shadow_of[i]), 1000 + i);
		assert_int_equal(shadow_node(shadow_of[i]), 0);
		assert_int_equal(!!(shadow_of[i] & SHADOW_WORKINGSET), i == 0);
	}
	assert_int_equal(age(), 1004);
	assert_verified();
}

static void L19_the_age_grows_by_the_size_of_the_folio(void **state)
{
	(void)state;
	blank_config(noted_config("linux-7.3"), 1024);
	give_block(0, 3);
	give_used(8, 9, false);
	give_free_range(9, 1024);
	ready();
	lru_page(8, FILE_PAGE, YARD_UNMAPPED);
	lru_page(0, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(reclaim(IF, 32), 9);
	assert_int_equal(shadow_value(shadow_of[8]), 0);
	assert_int_equal(shadow_value(shadow_of[0]), 1);
	assert_int_equal(age(), 9);
}

static void L19_swap_cache_pages_leave_a_shadow_lazily_freed_ones_do_not(void **state)
{
	(void)state;
	machine(1024, 4);
	yard_set_swap(yard, 1000, 1000);
	pages(0, 1, ANON_PAGE | SWAPC, YARD_MAPPED); // clean, in the swap cache
	pages(1, 2, SHMEM_PAGE, YARD_UNMAPPED);	     // shmem: written to swap
	pages(2, 3, YARD_PAGE_ANON, YARD_MAPPED);    // lazily freed
	age_to(50);
	assert_int_equal(reclaim(IA, 32), 2);
	assert_int_not_equal(shadow_of[0], 0);
	assert_int_equal(shadow_value(shadow_of[0]), 50);
	assert_int_not_equal(shadow_of[1], 0);
	assert_int_equal(shadow_value(shadow_of[1]), 51);
	assert_int_equal(age(), 52);
	shadow_of[2] = 77;
	assert_int_equal(reclaim(IF, 32), 1);
	assert_int_equal(shadow_of[2], 0); // it was in no cache
	assert_int_equal(age(), 52);
}

static void L19_the_age_is_kept_modulo_the_width_of_the_shadow(void **state)
{
	(void)state;
	machine(1024, 4);
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
	age_to(((uint64_t)1 << 40) - 10); // NODES_SHIFT 6: 40 bits
	assert_int_equal(reclaim(IF, 32), 1);
	assert_int_equal(shadow_value(shadow_of[0]), ((uint64_t)1 << 40) - 10);
	pretend_lists(0, 0, 0, 15);
	age_to(((uint64_t)1 << 40) + 5);
	assert_int_equal(refault(1, FILE_PAGE, shadow_of[0]), ACT); // 15 away
	pretend(AF, 14);
	age_to(((uint64_t)1 << 40) + 5);
	assert_int_equal(refault(2, FILE_PAGE, shadow_of[0]), 0);
	age_to(((uint64_t)1 << 40) - 11); // it went round: far away
	pretend(AF, 1000000);
	assert_int_equal(refault(3, FILE_PAGE, shadow_of[0]), 0);
	pretend(AF, 0);
}

static void L18_what_makes_the_age_grow(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	machine(1024, 16);
	yard_set_swap(yard, 100, 100);
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
	reclaim(IF, 32); // an eviction
	assert_int_equal(age(), 1);
	pages(1, 2, FILE_PAGE, YARD_UNMAPPED);
	mark(1);
	assert_int_equal(age(), 1);
	mark(1); // an activation through L-14.4
	yard_lru_drain(yard);
	assert_int_equal(age(), 2);
	pages(2, 3, FILE_PAGE | DIRTY, YARD_UNMAPPED); // put back on an active list by reclaim
	reclaim(IF, 32);
	assert_lru(AF, "2 1");
	assert_int_equal(age(), 3);
	pages(3, 4, FILE_PAGE | REF, YARD_MAPPED); // kept: not
	touch(3, 1);
	frame_change(yard, base + 3, PG_REFERENCED, 0);
	reclaim(IF, 32);
	assert_lru(IF, "3");
	assert_int_equal(age(), 3);
	shrink_active(yard, 0, &sc, 32, AF); // deactivations: not
	assert_lru(AF, "");
	assert_int_equal(age(), 3);
	pages(4, 5, FILE_PAGE | ACT, YARD_MAPPED_EXEC); // rotated on the active list
	touch(4, 1);
	shrink_active(yard, 0, &sc, 32, AF);
	assert_lru(AF, "4");
	assert_int_equal(age(), 4);
	assert_int_equal(refault(5, FILE_PAGE, evicted_at(4, false)), ACT); // a refault activation
	assert_int_equal(age(), 5);
	pages(6, 7, FILE_PAGE | ACT, YARD_UNMAPPED); // joining an active list: not
	assert_int_equal(age(), 5);
}

// ---- L-20 ----

static void X5_refault_with_and_without_swap(void **state)
{
	(void)state;
	machine(1024, 4);
	pretend_lists(150000, 50000, 0, 500000);
	age_to(1600000);
	yard_set_swap(yard, 1000000, 1000);
	assert_int_equal(refault(0, FILE_PAGE, evicted_at(1000000, false)), ACT);
	assert_int_equal(age(), 1600001);
	age_to(1600000);
	yard_set_swap(yard, 1000000, 0);
	assert_int_equal(refault(1, FILE_PAGE, evicted_at(1000000, false)), 0);
	assert_int_equal(age(), 1600000);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_REFAULT_FILE), 2);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_ACTIVATE_FILE), 1);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_RESTORE_FILE), 0);
	pretend_lists(0, 0, 0, 0);
}

static uint32_t refault_at(uint32_t offset, uint32_t flags, uint64_t distance)
{
	age_to(5000000 + distance);
	return refault(offset, flags, evicted_at(5000000, false)) & ACT;
}

static void L20_3_workingset_sizes(void **state)
{
	(void)state;
	machine(1024, 16);
	pretend_lists(1000, 200, 30, 4);
	yard_set_swap(yard, 100, 1);
	assert_int_equal(refault_at(0, FILE_PAGE, 1204), ACT); // active_file + both anon lists
	assert_int_equal(refault_at(1, FILE_PAGE, 1205), 0);
	assert_int_equal(refault_at(2, ANON_PAGE | SWAPC, 234), ACT); // active_file + inactive_file + active_anon
	assert_int_equal(refault_at(3, ANON_PAGE | SWAPC, 235), 0);
	yard_set_swap(yard, 100, 0);
	assert_int_equal(refault_at(4, FILE_PAGE, 4), ACT); // active_file
	assert_int_equal(refault_at(5, FILE_PAGE, 5), 0);
	assert_int_equal(refault_at(6, SHMEM_PAGE, 34), ACT); // both file lists
	assert_int_equal(refault_at(7, SHMEM_PAGE, 35), 0);
	assert_int_equal(refault_at(8, FILE_PAGE, 0), ACT);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_REFAULT_FILE), 5);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_REFAULT_ANON), 4);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_ACTIVATE_FILE), 3);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_ACTIVATE_ANON), 2);
	pretend_lists(0, 0, 0, 0);
}

static void L20_4_a_workingset_page_is_restored(void **state)
{
	(void)state;
	machine(1024, 4);
	pretend_lists(0, 0, 0, 100);
	age_to(1050);
	assert_int_equal(refault(0, FILE_PAGE, evicted_at(1000, true)) & (ACT | WS), ACT | WS);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_RESTORE_FILE), 1);
	age_to(1150);
	assert_int_equal(refault(1, FILE_PAGE, evicted_at(1000, true)) & (ACT | WS), 0); // not recent: the bit is lost
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_RESTORE_FILE), 1);
	age_to(1000);
	assert_int_equal(refault(2, ANON_PAGE | SWAPC, evicted_at(1000, true)) & (ACT | WS), ACT | WS);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_RESTORE_ANON), 1);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_ACTIVATE_ANON), 1);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_REFAULT_ANON), 1);
	pretend_lists(0, 0, 0, 0);
}

static void L20_4_counts_and_ages_by_the_size_of_the_folio(void **state)
{
	(void)state;
	blank_config(noted_config("linux-7.3"), 1024);
	give_block(0, 2);
	give_free_range(4, 1024);
	ready();
	pretend_lists(0, 0, 0, 100);
	age_to(10);
	assert_int_equal(refault(0, FILE_PAGE, evicted_at(10, true)), ACT | WS);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_REFAULT_FILE), 4);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_ACTIVATE_FILE), 4);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_RESTORE_FILE), 4);
	assert_int_equal(age(), 14);
	pretend_lists(0, 0, 0, 0);
}

static void L20_without_a_shadow_it_is_no_refault(void **state)
{
	(void)state;
	machine(1024, 1);
	pretend_lists(0, 0, 0, 100);
	assert_int_equal(refault(0, FILE_PAGE, 0), 0);
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_REFAULT_FILE), 0);
	assert_int_equal(age(), 0);
	pretend_lists(0, 0, 0, 0);
}

static void L7_a_recent_refault_enters_the_active_list(void **state)
{
	uint32_t flags;

	(void)state;
	machine(1024, 64);
	pages(0, 20, FILE_PAGE | ACT, YARD_UNMAPPED);
	pages(20, 30, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(reclaim(IF, 32), 10);
	flags = refault(40, FILE_PAGE, shadow_of[25]); // 5 away, 20 active
	lru_page(40, FILE_PAGE | flags, YARD_UNMAPPED);
	yard_lru_drain(yard);
	assert_int_equal(flags_at(40), ACT);
	assert_int_equal(yard_lru_next(yard, 0, AF, NONE), base + 40);
	pages(41, 42, FILE_PAGE, YARD_UNMAPPED); // filled for writing: the owner does not ask
	assert_lru(IF, "41");
	assert_verified();
}

static void L20_the_evicting_node_tells_the_distance(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 1024, 0 }, { BASE + 1024, BASE + 2048, 1 } };
	struct yard_config config = noted_config("linux-7.3");
	uint64_t shadow;

	(void)state;
	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	yard_force_allocated(yard, base + 1024, 0); // on node 1
	yard_force_allocated(yard, base, 0);
	pretend_lists(0, 0, 0, 10);
	age_to(100);
	shadow = evicted_at(95, false); // evicted on node 0
	yard->mm[1].lruvec.nonresident_age = 1000000;
	assert_int_equal(refault(1024, FILE_PAGE, shadow), ACT); // comes back on node 1
	assert_int_equal(yard_get_node_stat(yard, 1, YARD_NODE_WORKINGSET_REFAULT_FILE), 1);
	assert_int_equal(yard_get_node_stat(yard, 1, YARD_NODE_WORKINGSET_ACTIVATE_FILE), 1);
	assert_int_equal(yard_get_node_stat(yard, 0, YARD_NODE_WORKINGSET_REFAULT_FILE), 0);
	age_to(106);
	assert_int_equal(refault(1024, FILE_PAGE, shadow), 0); // 11 > 10, whatever node 1 holds
	pretend_lists(0, 0, 0, 0);
}

// ---- T-7 ----

static void T7_restores_activations_refaults(void **state)
{
	static const struct { unsigned restore, activate, refault; } items[] = {
		{ YARD_NODE_WORKINGSET_RESTORE_ANON, YARD_NODE_WORKINGSET_ACTIVATE_ANON,
		  YARD_NODE_WORKINGSET_REFAULT_ANON },
		{ YARD_NODE_WORKINGSET_RESTORE_FILE, YARD_NODE_WORKINGSET_ACTIVATE_FILE,
		  YARD_NODE_WORKINGSET_REFAULT_FILE },
	};

	(void)state;
	machine(1024, 512);
	random_state = 3;
	yard_set_swap(yard, 100, 100);
	pretend_lists(100, 100, 100, 100);
	for (unsigned i = 0; i < 2000; i++) {
		age_to(1000 + random_below(1000));
		refault(random_below(512), random_below(2) ? FILE_PAGE : ANON_PAGE | SWAPC,
			evicted_at(random_below(1500), random_below(2)));
		for (size_t k = 0; k < COUNT(items); k++) {
			assert_true(node_counter(items[k].restore) <= node_counter(items[k].activate));
			assert_true(node_counter(items[k].activate) <= node_counter(items[k].refault));
		}
	}
	for (size_t k = 0; k < COUNT(items); k++) {
		assert_true(node_counter(items[k].restore) > 0);
		assert_true(node_counter(items[k].restore) < node_counter(items[k].activate));
		assert_true(node_counter(items[k].activate) < node_counter(items[k].refault));
	}
	pretend_lists(0, 0, 0, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		T(L19_a_shadow_holds_the_age_before_it_is_advanced),
		T(L19_the_age_grows_by_the_size_of_the_folio),
		T(L19_swap_cache_pages_leave_a_shadow_lazily_freed_ones_do_not),
		T(L19_the_age_is_kept_modulo_the_width_of_the_shadow),
		T(L18_what_makes_the_age_grow),
		T(X5_refault_with_and_without_swap),
		T(L20_3_workingset_sizes),
		T(L20_4_a_workingset_page_is_restored),
		T(L20_4_counts_and_ages_by_the_size_of_the_folio),
		T(L20_without_a_shadow_it_is_no_refault),
		T(L7_a_recent_refault_enters_the_active_list),
		T(L20_the_evicting_node_tells_the_distance),
		T(T7_restores_activations_refaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
