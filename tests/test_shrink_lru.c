// SPDX-License-Identifier: Apache-2.0
//
// Isolation, one batch of an inactive list, the aging of an active one (spec 04 C-5, C-6, C-8), and the events and
// identities of section 9 that belong to them.

#include "reclaim_fixture.h"

static uint64_t scan_with(struct scan_control *sc, enum yard_lru_list list)
{
	return shrink_inactive(yard, 0, sc, 32, list);
}

static uint64_t scan(enum yard_lru_list list)
{
	struct scan_control sc = kswapd_control();

	return scan_with(&sc, list);
}

// ---- C-5 ----

static void C5_oldest_first_and_no_more_than_asked(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	machine(1024, 64);
	pages(0, 10, FILE_PAGE, YARD_UNMAPPED);
	forget();
	assert_int_equal(shrink_inactive(yard, 0, &sc, 4, IF), 4);
	assert_calls("release 0, release 1, release 2, release 3");
	assert_args(LRU_ISOLATE, "2 0 4 4 0 4 2"); // highest_zoneidx order requested scanned skipped taken lru
	assert_lru(IF, "9 8 7 6 5 4");
	assert_verified();
}

static void C5_2_pages_of_higher_zones_are_skipped_to_the_head_in_order(void **state)
{
	const struct yard_range memory = { BASE - 2048, BASE + 2048, 0 };
	struct yard_config config = noted_config("linux-7.3");
	struct scan_control sc = kswapd_control();

	(void)state;
	config.no_dma32 = false;
	config.memory = &memory;
	config.nr_memory = 1;
	build(&config);
	listen();
	for (int i = -4; i < 4; i++)
		yard_force_allocated(yard, base + (uint32_t)i, 0);
	for (int i = 0; i < 4; i++) { // 0 -1 1 -2 2 -3 3 -4, oldest first
		lru_page((uint32_t)i, FILE_PAGE, YARD_UNMAPPED);
		lru_page((uint32_t)(-1 - i), FILE_PAGE | (i >= 2 ? DIRTY : 0), YARD_UNMAPPED);
	}
	yard_lru_drain(yard);
	forget();
	sc.highest_zone = YARD_ZONE_DMA32;
	assert_int_equal(shrink_inactive(yard, 0, &sc, 3, IF), 2);
	assert_calls("release -1, release -2");
	assert_args(LRU_ISOLATE, "1 0 3 6 3 3 2");
	assert_lru(IF, "2 1 0 -4 3");
	assert_lru(AF, "-3");
	assert_int_equal(vm(YARD_VM_PGSKIP_NORMAL), 3);
	assert_int_equal(vm(YARD_VM_PGSKIP_DMA32), 0);
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_KSWAPD), 6); // T-7: with the skipped ones
	assert_verified();
}

static void C5_2_after_32768_skips_the_zone_counts_no_more(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	machine(1 << 16, 33000);
	ask.silent = true;
	pages(0, 33000, FILE_PAGE, YARD_UNMAPPED);
	forget();
	sc.highest_zone = YARD_ZONE_DMA32;
	assert_int_equal(shrink_inactive(yard, 0, &sc, 32, IF), 32);
	assert_args(LRU_ISOLATE, "1 0 32 32800 32768 32 2");
	assert_int_equal(vm(YARD_VM_PGSKIP_NORMAL), 32768);
	assert_false(in_use(32768));
	assert_true(in_use(32767));
	assert_true(in_use(32800));
	assert_int_equal(yard_lru_next(yard, 0, IF, NONE), base + 32767);
	assert_verified();
}

static void C5_4_mapped_pages_that_must_stay_mapped_go_to_the_head(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	machine(1024, 64);
	pages(0, 2, FILE_PAGE, YARD_MAPPED);
	pages(2, 4, FILE_PAGE, YARD_UNMAPPED);
	pages(4, 8, FILE_PAGE, YARD_MAPPED);
	forget();
	sc.may_unmap = false;
	assert_int_equal(shrink_inactive(yard, 0, &sc, 4, IF), 2);
	assert_calls("release 2, release 3");
	assert_args(LRU_ISOLATE, "2 0 4 4 0 2 2");
	assert_lru(IF, "1 0 7 6 5 4");
	assert_int_equal(vm(YARD_VM_PGSKIP_NORMAL), 0);
	assert_verified();
}

static void C5_a_large_folio_counts_as_its_pages(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	blank_config(noted_config("linux-7.3"), 1024);
	give_block(0, 3);
	give_block(8, 3);
	give_used(16, 17, false);
	give_free_range(17, 1024);
	ready();
	listen();
	lru_page(0, FILE_PAGE, YARD_UNMAPPED);
	lru_page(8, FILE_PAGE, YARD_UNMAPPED);
	lru_page(16, FILE_PAGE, YARD_UNMAPPED);
	yard_lru_drain(yard);
	forget();
	assert_int_equal(shrink_inactive(yard, 0, &sc, 9, IF), 16);
	assert_args(LRU_ISOLATE, "2 0 9 16 0 16 2");
	assert_lru(IF, "16");
	assert_verified();
}

// ---- C-6 ----

static void isolated(int64_t file_pages)
{
	yard_mod_node_stat(yard, 0, YARD_NODE_ISOLATED_FILE, file_pages - node_counter(YARD_NODE_ISOLATED_FILE));
}

static void C6_1_too_many_isolated(void **state)
{
	struct yard_task task = { .pid = 5 };
	struct scan_control sc = control();

	(void)state;
	machine(1024, 200);
	watch_sleep();
	yard_set_current(yard, &task);
	pages(0, 100, FILE_PAGE | PIN, YARD_UNMAPPED);
	isolated(12); // not above 100 / 8
	forget();
	shrink_inactive(yard, 0, &sc, 8, IF);
	assert_int_equal(naps.nr, 0);
	assert_int_equal(count_events(YARD_EVENT_LRU_ISOLATE), 1);
	yard_lru_drain(yard);
	pages(100, 200, FILE_PAGE, YARD_UNMAPPED);
	isolated(1000);
	forget();
	assert_int_equal(shrink_inactive(yard, 0, &sc, 8, IF), 0); // sleeps once, then gives up
	assert_int_equal(naps.nr, 1);
	assert_int_equal(naps_of(YARD_QUEUE_ISOLATED), 1);
	assert_int_equal(naps.timeout_ns[0], 20 * NSEC_PER_MSEC);
	assert_int_equal(count_events(YARD_EVENT_LRU_ISOLATE), 0);
	atomic_fetch_or(&task.flags, YARD_TASK_SIGNAL);
	assert_int_equal(shrink_inactive(yard, 0, &sc, 8, IF), 32);
	atomic_store(&task.flags, 0);
	sc.role = ROLE_KSWAPD; // not for kswapd
	forget();
	shrink_inactive(yard, 0, &sc, 8, IF);
	assert_int_equal(count_events(YARD_EVENT_LRU_ISOLATE), 1);
	yard_set_current(yard, NULL);
}

static void C6_1_without_io_or_fs_the_limit_is_eight_times_higher(void **state)
{
	static const struct { uint32_t gfp; int64_t most; } rows[] = {
		{ YARD_GFP_KERNEL, 12 }, { YARD_GFP_NOFS, 100 }, { YARD_GFP_NOIO, 100 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scan_control sc = control();

		machine(1024, 200);
		watch_sleep();
		sc.gfp = rows[i].gfp;
		pages(0, 100, FILE_PAGE | DIRTY | PIN, YARD_UNMAPPED);
		isolated(rows[i].most);
		forget();
		shrink_inactive(yard, 0, &sc, 0, IF);
		assert_int_equal(naps_of(YARD_QUEUE_ISOLATED), 0);
		isolated(rows[i].most + 1);
		shrink_inactive(yard, 0, &sc, 0, IF);
		assert_int_equal(naps_of(YARD_QUEUE_ISOLATED), 1);
		next_machine();
	}
}

static void C6_1_below_the_limit_the_sleepers_are_woken(void **state)
{
	struct scan_control sc = control();

	(void)state;
	machine(1024, 200);
	watch_sleep();
	pages(0, 100, FILE_PAGE, YARD_UNMAPPED);
	yard->mm[0].throttle[YARD_QUEUE_ISOLATED].sleepers = 1;
	shrink_inactive(yard, 0, &sc, 8, IF);
	assert_int_equal(wakes_of(YARD_QUEUE_ISOLATED), 1);
}

static void C6_counters_by_role_and_type(void **state)
{
	static const struct { enum reclaim_role role; unsigned scanned, stolen; } roles[] = {
		{ ROLE_KSWAPD, YARD_NODE_PGSCAN_KSWAPD, YARD_NODE_PGSTEAL_KSWAPD },
		{ ROLE_DIRECT, YARD_NODE_PGSCAN_DIRECT, YARD_NODE_PGSTEAL_DIRECT },
		{ ROLE_KHUGEPAGED, YARD_NODE_PGSCAN_KHUGEPAGED, YARD_NODE_PGSTEAL_KHUGEPAGED },
		{ ROLE_PROACTIVE, YARD_NODE_PGSCAN_PROACTIVE, YARD_NODE_PGSTEAL_PROACTIVE },
	};

	(void)state;
	machine(1024, 200);
	yard_set_swap(yard, 1000, 1000);
	for (unsigned i = 0; i < 4; i++) {
		struct scan_control sc = control();

		pages(20 * i, 20 * i + 12, FILE_PAGE, YARD_UNMAPPED);
		pages(20 * i + 12, 20 * i + 14, FILE_PAGE | PIN, YARD_UNMAPPED); // activated: not reclaimed
		pages(20 * i + 14, 20 * i + 18, ANON_PAGE | SWAPC, YARD_MAPPED);
		pages(20 * i + 18, 20 * i + 19, ANON_PAGE | SWAPC | PIN, YARD_MAPPED);
		sc.role = roles[i].role;
		assert_int_equal(scan_with(&sc, IF), 12);
		assert_int_equal(scan_with(&sc, IA), 4);
		assert_int_equal(node_counter(roles[i].scanned), 19);
		assert_int_equal(node_counter(roles[i].stolen), 16);
	}
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_FILE), 56);
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_ANON), 20);
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_FILE), 48);
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_ANON), 16);
	assert_int_equal(node_counter(YARD_NODE_PGROTATE_FILE), 8);
	assert_int_equal(node_counter(YARD_NODE_PGROTATE_ANON), 4);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE) + node_counter(YARD_NODE_ISOLATED_ANON), 0);
	assert_verified();
}

static void C6_6_W8_only_unqueued_dirty_pages_wake_the_flusher(void **state)
{
	(void)state;
	machine(1024, 64);
	pages(0, 8, FILE_PAGE | DIRTY, YARD_UNMAPPED);
	scan(IF);
	assert_int_equal(world.flusher_wakes, 1);
	pages(8, 15, FILE_PAGE | DIRTY, YARD_UNMAPPED);
	pages(15, 16, FILE_PAGE, YARD_UNMAPPED); // one is clean
	scan(IF);
	assert_int_equal(world.flusher_wakes, 1);
	pages(16, 20, FILE_PAGE | DIRTY, YARD_UNMAPPED);
	pages(20, 21, FILE_PAGE | WB, YARD_UNMAPPED); // one is queued
	scan(IF);
	assert_int_equal(world.flusher_wakes, 1);
	assert_calls("release 15"); // reclaim wrote nothing itself
}

static void T1_shrink_inactive_event(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	machine(1024, 64);
	pages(0, 3, FILE_PAGE, YARD_UNMAPPED);
	pages(3, 5, FILE_PAGE | DIRTY, YARD_UNMAPPED);
	pages(5, 6, FILE_PAGE | WB, YARD_UNMAPPED);
	pages(6, 7, FILE_PAGE | WB | RECL, YARD_UNMAPPED);
	pages(7, 8, FILE_PAGE, YARD_MAPPED);
	pages(8, 9, FILE_PAGE | DROPB, YARD_MAPPED);
	touch(7, 1);
	touch(8, 2);
	forget();
	sc.priority = 7;
	scan_with(&sc, IF);
	// nid scanned reclaimed dirty writeback congested immediate activate0/1 ref_keep unmap_fail priority flags
	assert_args(LRU_SHRINK_INACTIVE, "0 9 3 4 2 1 0 0 5 1 0 7 10");
	yard_set_swap(yard, 100, 100);
	pages(20, 22, ANON_PAGE | SWAPC, YARD_MAPPED);
	pages(22, 23, ANON_PAGE | SWAPC | PIN, YARD_MAPPED);
	forget();
	sc.priority = 12;
	scan_with(&sc, IA);
	assert_args(LRU_SHRINK_INACTIVE, "0 3 2 0 0 0 0 1 0 0 0 12 9");
	assert_string_equal(yard_event_fields(YARD_EVENT_LRU_SHRINK_INACTIVE),
			    "nid nr_scanned nr_reclaimed nr_dirty nr_writeback nr_congested nr_immediate nr_activate0 "
			    "nr_activate1 nr_ref_keep nr_unmap_fail priority reclaim_flags");
}

static void T1_T7_pages_reclaimed_by_request_are_told_but_not_counted(void **state)
{
	uint32_t pfns[8];

	(void)state;
	machine(1024, 64);
	pages(0, 6, FILE_PAGE, YARD_MAPPED);
	pages(6, 7, FILE_PAGE | DIRTY, YARD_MAPPED);
	pages(7, 8, FILE_PAGE | WB | RECL, YARD_MAPPED);
	for (uint32_t i = 0; i < 8; i++)
		pfns[i] = base + i;
	for (uint32_t i = 0; i < 6; i++)
		touch(i, 2); // P-5: whatever their references say
	forget();
	assert_int_equal(yard_reclaim_pages(yard, pfns, 8), 6);
	// nid scanned reclaimed dirty writeback congested immediate activate0 activate1 ref_keep unmap_fail
	assert_args(RECLAIM_PAGES, "0 8 6 2 1 1 0 0 2 0 0");
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_FILE) + node_counter(YARD_NODE_PGSCAN_FILE), 0);
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_DIRECT) + node_counter(YARD_NODE_PGSCAN_DIRECT), 0);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}

// ---- C-8 ----

#define assert_page_flags(offset, flags) assert_int_equal(flags_at(offset), flags)

static void C8_shrink_active(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	machine(1024, 64);
	pages(0, 1, FILE_PAGE | ACT, YARD_UNMAPPED);
	pages(1, 2, FILE_PAGE | ACT | REF, YARD_MAPPED);
	pages(2, 3, FILE_PAGE | ACT, YARD_MAPPED_EXEC); // referenced and executable: stays
	pages(3, 4, FILE_PAGE | ACT, YARD_MAPPED);	// referenced: goes all the same
	pages(4, 5, FILE_PAGE | ACT, YARD_MAPPED_EXEC); // not referenced
	pages(5, 6, FILE_PAGE | ACT, YARD_UNMAPPED);
	pages(6, 8, FILE_PAGE, YARD_UNMAPPED);
	touch(2, 1);
	touch(3, 2);
	forget();
	sc.priority = 9;
	shrink_active(yard, 0, &sc, 5, AF);
	assert_lru(AF, "2 5");
	assert_lru(IF, "4 3 1 0 7 6");
	assert_page_flags(0, WS);
	assert_page_flags(1, WS | REF); // the bit is left as it is
	assert_page_flags(2, ACT);
	assert_page_flags(3, WS);
	assert_int_equal(page_references(yard, base + 3), 0); // the walk cleared young
	assert_int_equal(vm(YARD_VM_PGDEACTIVATE), 4);
	assert_int_equal(node_counter(YARD_NODE_PGROTATE_FILE), 1);
	assert_int_equal(node_counter(YARD_NODE_PGREFILL), 5);
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_KSWAPD), 0);
	assert_args(LRU_ISOLATE, "2 0 5 5 0 5 3");
	assert_args(LRU_SHRINK_ACTIVE, "0 5 1 4 1 9 10"); // nid taken active deactivated referenced priority flags
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_int_equal(age(), 1); // L-18: put on an active list
	assert_verified();
}

static void C8_anonymous_executable_pages_go(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	machine(1024, 64);
	pages(0, 1, ANON_PAGE | ACT, YARD_MAPPED_EXEC);
	touch(0, 2);
	pages(1, 2, ANON_PAGE | ACT, YARD_MAPPED);
	frame_change(yard, base + 1, 0, PG_MLOCKED);
	frame_change(yard, base + 1, PG_ACTIVE, PG_ACTIVE);
	forget();
	shrink_active(yard, 0, &sc, 32, AA);
	yard_lru_drain(yard);
	assert_lru(IA, "0");
	assert_lru(AA, "");
	assert_int_equal(size_of(YARD_LRU_UNEVICTABLE), 1); // put back: not evictable
	assert_args(LRU_SHRINK_ACTIVE, "0 2 0 1 0 12 9");
	assert_int_equal(vm(YARD_VM_PGDEACTIVATE), 1);
	assert_verified();
}

// ---- T-7 ----

static void T7_identities_hold_through_random_reclaim(void **state)
{
	(void)state;
	machine(8192, 4096);
	yard_set_swap(yard, 2000, 2000);
	random_state = 11;
	ask.silent = true;
	for (uint32_t i = 0; i < 4096; i++) {
		static const uint32_t kinds[] = { FILE_PAGE, FILE_PAGE | DIRTY, ANON_PAGE, ANON_PAGE | SWAPC, SHMEM_PAGE,
						  ANON_ };
		static const uint32_t extra[] = { 0, 0, 0, REF, ACT, ACT | REF, PIN, WB };

		enum yard_mapping mapping = (enum yard_mapping)random_below(4);

		lru_page(i, kinds[random_below(COUNT(kinds))] | extra[random_below(COUNT(extra))], mapping);
		if (mapping != YARD_UNMAPPED && random_below(3) == 0)
			touch(i, 1 + random_below(2));
	}
	for (unsigned i = 0; i < COUNT(world.fail_every); i++)
		world.fail_every[i] = 7;
	for (unsigned round = 0; round < 300; round++) {
		struct scan_control sc = control();
		enum yard_lru_list list = (enum yard_lru_list)random_below(4);

		sc.role = (enum reclaim_role)random_below(4);
		ask.write_result = (enum yard_write_result)random_below(4);
		if (list & 1)
			shrink_active(yard, 0, &sc, random_below(40), list);
		else
			shrink_inactive(yard, 0, &sc, random_below(40), list);
		if (round % 10 == 0) {
			assert_verified();
		}
	}
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_KSWAPD) + node_counter(YARD_NODE_PGSCAN_DIRECT)
				 + node_counter(YARD_NODE_PGSCAN_KHUGEPAGED) + node_counter(YARD_NODE_PGSCAN_PROACTIVE),
			 node_counter(YARD_NODE_PGSCAN_ANON) + node_counter(YARD_NODE_PGSCAN_FILE));
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_KSWAPD) + node_counter(YARD_NODE_PGSTEAL_DIRECT)
				 + node_counter(YARD_NODE_PGSTEAL_KHUGEPAGED) + node_counter(YARD_NODE_PGSTEAL_PROACTIVE),
			 node_counter(YARD_NODE_PGSTEAL_ANON) + node_counter(YARD_NODE_PGSTEAL_FILE));
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_ANON) + node_counter(YARD_NODE_PGSTEAL_FILE), nr_released);
	assert_true(nr_released > 500);
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		T(C5_oldest_first_and_no_more_than_asked),
		T(C5_2_pages_of_higher_zones_are_skipped_to_the_head_in_order),
		T(C5_2_after_32768_skips_the_zone_counts_no_more),
		T(C5_4_mapped_pages_that_must_stay_mapped_go_to_the_head),
		T(C5_a_large_folio_counts_as_its_pages),
		T(C6_1_too_many_isolated),
		T(C6_1_without_io_or_fs_the_limit_is_eight_times_higher),
		T(C6_1_below_the_limit_the_sleepers_are_woken),
		T(C6_counters_by_role_and_type),
		T(C6_6_W8_only_unqueued_dirty_pages_wake_the_flusher),
		T(T1_shrink_inactive_event),
		T(T1_T7_pages_reclaimed_by_request_are_told_but_not_counted),
		T(C8_shrink_active),
		T(C8_anonymous_executable_pages_go),
		T(T7_identities_hold_through_random_reclaim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
