// SPDX-License-Identifier: Apache-2.0
//
// The per-CPU batches in front of the LRU lists (spec 04 L-10 to L-13).

#include "reclaim_fixture.h"

static void L11_the_31st_entry_applies_the_batch_in_queuing_order(void **state)
{
	(void)state;
	machine(1024, 64);
	for (uint32_t i = 0; i < 30; i++) {
		lru_page(i, FILE_PAGE, YARD_UNMAPPED);
		assert_int_equal(size_of(IF), 0);
	}
	assert_false(on_lru(0));
	lru_page(30, FILE_PAGE, YARD_UNMAPPED);
	assert_lru(IF, "30 29 28 27 26 25 24 23 22 21 20 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0");
	lru_page(31, FILE_PAGE, YARD_UNMAPPED); // the next batch
	assert_int_equal(size_of(IF), 31);
	assert_verified();
}

static void L10_batches_of_each_kind_are_independent(void **state)
{
	(void)state;
	machine(1024, 128);
	pages(0, 40, FILE_PAGE, YARD_UNMAPPED);
	for (uint32_t i = 0; i < 20; i++) { // 20 in the activate batch
		mark(i);
		mark(i);
	}
	for (uint32_t i = 20; i < 40; i++) // 20 in the deactivate_file batch
		assert_int_equal(yard_lru_deactivate_file(yard, base + i), YARD_OK);
	for (uint32_t i = 64; i < 84; i++) // 20 in lru_add
		lru_page(i, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(size_of(IF), 40);
	assert_int_equal(size_of(AF), 0);
	assert_int_equal(vm(YARD_VM_PGACTIVATE), 0);
	assert_int_equal(vm(YARD_VM_PGROTATED), 0);
	yard_lru_drain(yard);
	assert_int_equal(size_of(IF), 40);
	assert_int_equal(size_of(AF), 20);
	assert_int_equal(vm(YARD_VM_PGACTIVATE), 20);
	assert_int_equal(vm(YARD_VM_PGROTATED), 20);
	assert_verified();
}

static void L10_L13_each_cpu_has_its_own_batches(void **state)
{
	(void)state;
	two_cpus(1024, 62);
	for (uint32_t i = 0; i < 60; i++) { // 30 on each: the bound
		on_cpu(i & 1);
		lru_page(i, FILE_PAGE, YARD_UNMAPPED);
	}
	assert_int_equal(size_of(IF), 0);
	on_cpu(1);
	yard_lru_drain(yard); // only CPU 1's
	assert_int_equal(size_of(IF), 30);
	assert_true(on_lru(1));
	assert_false(on_lru(0));
	on_cpu(0);
	lru_page(60, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(size_of(IF), 61);
	lru_page(61, FILE_PAGE, YARD_UNMAPPED);
	on_cpu(1);
	yard_lru_drain_all(yard);
	assert_int_equal(size_of(IF), 62);
	assert_verified();
}

static void L11_a_large_folio_is_applied_at_once_with_all_before_it(void **state)
{
	(void)state;
	blank_config(noted_config("linux-7.3"), 1024);
	give_block(0, 1);
	give_used(2, 5, false);
	give_free_range(5, 1024);
	ready();
	lru_page(2, FILE_PAGE, YARD_UNMAPPED);
	lru_page(3, FILE_PAGE, YARD_UNMAPPED);
	assert_lru(IF, "");
	lru_page(0, FILE_PAGE, YARD_UNMAPPED);
	assert_lru(IF, "0 3 2");
	lru_page(4, FILE_PAGE, YARD_UNMAPPED);
	assert_lru(IF, "0 3 2");
	mark(2);
	mark(2); // waits
	mark(0);
	mark(0); // another batch's large folio
	assert_lru(AF, "0 2");
	assert_int_equal(vm(YARD_VM_PGACTIVATE), 3);
	assert_lru(IF, "3");
	assert_verified();
}

static void L12_order_of_a_drain(void **state)
{
	(void)state;
	machine(1024, 16);
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);		// stays
	pages(1, 2, FILE_PAGE, YARD_UNMAPPED);		// to be activated
	pages(2, 3, ANON_PAGE, YARD_MAPPED);		// to be lazily freed
	pages(3, 4, FILE_PAGE | ACT, YARD_UNMAPPED);	// to be deactivated
	pages(4, 5, FILE_PAGE, YARD_UNMAPPED);		// failed invalidation
	pages(5, 6, FILE_PAGE | WB | RECL, YARD_UNMAPPED); // to be rotated
	pages(6, 7, FILE_PAGE | ACT, YARD_UNMAPPED);
	mark(1);
	mark(1);
	assert_int_equal(yard_lru_lazyfree(yard, base + 2), YARD_OK);
	assert_int_equal(yard_lru_deactivate(yard, base + 3), YARD_OK);
	assert_int_equal(yard_lru_deactivate_file(yard, base + 4), YARD_OK);
	assert_int_equal(yard_writeback_end(yard, base + 5), YARD_OK);
	lru_page(7, FILE_PAGE, YARD_UNMAPPED);
	assert_lru(IF, "5 4 1 0");
	yard_lru_drain(yard);
	assert_lru(IF, "2 3 7 0 5 4"); // add 7, tail 5, tail 4, head 3, head 2
	assert_lru(AF, "1 6");
	assert_verified();
}

static void L12_reclaim_and_compaction_drain_the_local_batches_only(void **state)
{
	struct compact_control cc = {
		.order = -1, .mode = YARD_MIGRATE_SYNC, .gfp = YARD_GFP_KERNEL, .whole_zone = true,
		.ignore_skip_hint = true };
	struct scan_control sc = control();

	(void)state;
	two_cpus(4096, 64);
	on_cpu(1);
	for (uint32_t i = 0; i < 8; i++)
		lru_page(i, FILE_PAGE, YARD_UNMAPPED);
	on_cpu(0);
	for (uint32_t i = 8; i < 16; i++)
		lru_page(i, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(shrink_inactive(yard, 0, &sc, 32, IF), 8);
	assert_calls("release 8, release 9, release 10, release 11, release 12, release 13, release 14, release 15");
	assert_int_equal(size_of(IF), 0); // CPU 1's are invisible
	assert_false(on_lru(0));
	lru_page(16, FILE_PAGE | ACT, YARD_UNMAPPED);
	shrink_active(yard, 0, &sc, 32, AF);
	assert_lru(IF, "16");
	lru_page(17, ANON_PAGE | PIN, YARD_MAPPED);
	cc.zone = normal();
	compact_zone(yard, &cc);
	assert_lru(IA, "17");
	assert_false(on_lru(0));
	assert_verified();
}

static void L12_a_page_in_another_cpus_batch_stays_allocated(void **state)
{
	(void)state;
	two_cpus(1024, 4);
	on_cpu(1);
	lru_page(0, FILE_PAGE, YARD_UNMAPPED);
	on_cpu(0);
	free_at(0, 0); // its owner drops it: the batch has the last reference
	assert_true(in_use(0));
	assert_verified();
	yard_lru_drain(yard);
	assert_true(in_use(0));
	on_cpu(1);
	forget();
	yard_lru_drain(yard);
	assert_false(in_use(0));
	assert_int_equal(count_events(YARD_EVENT_LRU_INSERTION), 0); // without touching the LRU
	assert_int_equal(size_of(IF), 0);
	assert_verified();
}

static void L12_a_reference_of_a_batch_keeps_a_page_from_being_freed(void **state)
{
	struct scan_control sc = control();

	(void)state;
	two_cpus(1024, 4);
	pages(0, 2, FILE_PAGE, YARD_UNMAPPED);
	on_cpu(1);
	mark(0);
	mark(0); // waits for activation on CPU 1
	on_cpu(0);
	assert_int_equal(shrink_inactive(yard, 0, &sc, 32, IF), 1);
	assert_true(in_use(0));
	assert_false(in_use(1));
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		T(L11_the_31st_entry_applies_the_batch_in_queuing_order),
		T(L10_batches_of_each_kind_are_independent),
		T(L10_L13_each_cpu_has_its_own_batches),
		T(L11_a_large_folio_is_applied_at_once_with_all_before_it),
		T(L12_order_of_a_drain),
		T(L12_reclaim_and_compaction_drain_the_local_batches_only),
		T(L12_a_page_in_another_cpus_batch_stays_allocated),
		T(L12_a_reference_of_a_batch_keeps_a_page_from_being_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
