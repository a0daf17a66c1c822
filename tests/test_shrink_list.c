// SPDX-License-Identifier: Apache-2.0
//
// What reclaim decides about a page (spec 04 C-7, C-11, W-1 to W-5, X-8, V-4).

#include "reclaim_fixture.h"

#define assert_flags(offset, flags) assert_int_equal(flags_at(offset), flags)

static uint64_t scan_with(struct scan_control *sc, enum yard_lru_list list)
{
	return shrink_inactive(yard, 0, sc, 32, list);
}

static uint64_t scan(enum yard_lru_list list)
{
	struct scan_control sc = kswapd_control();

	return scan_with(&sc, list);
}

static uint64_t scan_gfp(enum yard_lru_list list, uint32_t gfp)
{
	struct scan_control sc = kswapd_control();

	sc.gfp = gfp;
	return scan_with(&sc, list);
}

// A machine with swap and one page to look at.
static enum yard_lru_list one(uint32_t flags, enum yard_mapping mapping)
{
	machine(1024, 64);
	yard_set_swap(yard, 100, 100);
	pages(0, 1, flags, mapping);
	forget();
	return flags & YARD_PAGE_SWAPBACKED ? IA : IF;
}

// Fields of mm_vmscan_lru_shrink_inactive.
enum { F_NID, F_SCANNED, F_RECLAIMED, F_DIRTY, F_WRITEBACK, F_CONGESTED, F_IMMEDIATE, F_ACTIVATE0, F_ACTIVATE1,
       F_REF_KEEP, F_UNMAP_FAIL, F_PRIORITY, F_FLAGS };

static int64_t field(unsigned i)
{
	return arg_of(YARD_EVENT_LRU_SHRINK_INACTIVE, i);
}

// ---- C-7t, row by row ----

static void C7t_1_file_clean_unmapped_is_freed_referenced_or_not(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		one(FILE_PAGE | (i ? REF : 0), YARD_UNMAPPED);
		shadow_of[0] = 0;
		assert_int_equal(scan(IF), 1);
		assert_calls("release 0");
		assert_int_not_equal(shadow_of[0], 0);
		assert_false(in_use(0));
		assert_verified();
		next_machine();
	}
}

static void C7t_2_file_clean_mapped_not_young_is_unmapped_and_freed(void **state)
{
	(void)state;
	one(FILE_PAGE, YARD_MAPPED);
	assert_int_equal(scan(IF), 1);
	assert_calls("unmap 0, release 0");
}

static void C7t_3_young_once_is_kept_once(void **state)
{
	(void)state;
	one(FILE_PAGE, YARD_MAPPED);
	touch(0, 1);
	assert_int_equal(scan(IF), 0);
	assert_int_equal(field(F_REF_KEEP), 1);
	assert_lru(IF, "0");
	assert_flags(0, REF);
	touch(0, 1);
	assert_int_equal(scan(IF), 0);
	assert_lru(AF, "0"); // young again
	assert_int_equal(vm(YARD_VM_PGACTIVATE), 1);
	assert_calls("");
	next_machine();
	one(FILE_PAGE, YARD_MAPPED);
	touch(0, 1);
	scan(IF);
	assert_int_equal(scan(IF), 1); // young clear
	assert_calls("unmap 0, release 0");
}

static void C7t_4_young_twice_or_executable_is_activated(void **state)
{
	(void)state;
	one(FILE_PAGE, YARD_MAPPED);
	touch(0, 2);
	assert_int_equal(scan(IF), 0);
	assert_lru(AF, "0");
	next_machine();
	one(FILE_PAGE, YARD_MAPPED_EXEC);
	touch(0, 1);
	assert_int_equal(scan(IF), 0);
	assert_lru(AF, "0");
	assert_flags(0, ACT | REF);
}

static void C7t_5_file_dirty_is_activated_and_freed_after_the_flusher_wrote_it(void **state)
{
	(void)state;
	one(FILE_PAGE | DIRTY, YARD_UNMAPPED);
	pages(1, 2, FILE_PAGE | PIN, YARD_UNMAPPED);
	assert_int_equal(scan(IF), 0);
	assert_lru(AF, "1 0");
	assert_flags(0, DIRTY | RECL | ACT);
	assert_int_equal(node_counter(YARD_NODE_VMSCAN_IMMEDIATE), 1);
	assert_int_equal(node_counter(YARD_NODE_VMSCAN_WRITE), 0);
	pages(2, 3, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(yard_writeback_begin(yard, base), YARD_OK);
	assert_int_equal(yard_writeback_end(yard, base), YARD_OK);
	yard_lru_drain(yard);
	assert_lru(IF, "2 0"); // the tail
	assert_flags(0, 0);
	assert_int_equal(vm(YARD_VM_PGROTATED), 1);
	forget();
	scan(IF);
	assert_calls("release 0, release 2");
}

static void C7t_6_file_under_writeback_is_activated_and_freed_after_it(void **state)
{
	(void)state;
	one(FILE_PAGE | WB, YARD_UNMAPPED);
	assert_int_equal(scan(IF), 0);
	assert_lru(AF, "0");
	assert_flags(0, WB | RECL | ACT);
	assert_int_equal(field(F_WRITEBACK), 1);
	assert_int_equal(field(F_DIRTY), 1);
	assert_int_equal(field(F_CONGESTED), 0);
	yard_writeback_end(yard, base);
	yard_lru_drain(yard);
	assert_lru(IF, "0");
	assert_int_equal(scan(IF), 1);
}

static void C7t_7_anon_is_written_kept_and_freed_when_it_comes_round(void **state)
{
	(void)state;
	ask.write_result = YARD_WRITE_STARTED;
	one(ANON_PAGE, YARD_MAPPED);
	pages(1, 2, ANON_PAGE, YARD_MAPPED_EXEC);
	touch(1, 1); // kept: an executable mapping counts for file pages only
	assert_int_equal(scan(IA), 0);
	assert_calls("slot 0, unmap 0, write 0");
	assert_lru(IA, "1 0");
	assert_flags(0, ANON_PAGE | SWAPC | WB | RECL);
	assert_int_equal(node_counter(YARD_NODE_VMSCAN_WRITE), 1);
	assert_int_equal(vm(YARD_VM_PSWPOUT), 1);
	yard_writeback_end(yard, base);
	yard_lru_drain(yard);
	assert_lru(IA, "1 0"); // the tail
	assert_flags(0, ANON_PAGE | SWAPC);
	touch(1, 2);
	assert_int_equal(scan(IA), 1);
	assert_calls("release 0");
	assert_int_not_equal(shadow_of[0], 0);
}

static void C7t_8_anon_in_the_swap_cache_and_clean_is_dropped(void **state)
{
	(void)state;
	one(ANON_PAGE | SWAPC, YARD_MAPPED);
	shadow_of[0] = 0;
	assert_int_equal(scan(IA), 1);
	assert_calls("unmap 0, release 0"); // W-2: no I/O
	assert_int_not_equal(shadow_of[0], 0);
	assert_int_equal(vm(YARD_VM_PSWPOUT), 0);
}

static void C7t_9_a_synchronous_device_frees_in_the_same_pass(void **state)
{
	(void)state;
	ask.write_result = YARD_WRITE_DONE;
	one(ANON_PAGE, YARD_MAPPED);
	assert_int_equal(scan(IA), 1);
	assert_calls("slot 0, unmap 0, write 0, release 0");
	assert_false(in_use(0));
	assert_int_equal(vm(YARD_VM_PSWPOUT), 1);
	assert_int_equal(node_counter(YARD_NODE_VMSCAN_WRITE), 1);
	assert_int_equal(yard_swap_available(yard), 99); // W-2: held by the page tables
	assert_verified();
}

static void C7t_10_W1_anon_without_a_slot_is_activated(void **state)
{
	(void)state;
	one(ANON_PAGE, YARD_MAPPED);
	world.fail_every[CALL_SWAP_SLOT] = 1;
	assert_int_equal(scan(IA), 0);
	assert_calls("slot 0");
	assert_int_equal(yard_swap_available(yard), 100);
	assert_lru(AA, "0");
	assert_flags(0, ANON_PAGE | ACT);
	assert_int_equal(field(F_ACTIVATE0), 1);
	next_machine();
	memset(&world, 0, sizeof world);
	one(ANON_PAGE, YARD_MAPPED);
	yard_set_swap(yard, 100, 0); // full
	assert_int_equal(scan(IA), 0);
	assert_calls("");
	assert_lru(AA, "0");
}

static bool split_page(void *context, uint32_t pfn, unsigned order)
{
	(void)context;
	return yard_lru_split(yard, pfn, order) == YARD_OK;
}

static void large_anon(bool splits, uint64_t slots)
{
	struct yard_config config = noted_config("linux-7.3");

	config.owner.split = splits ? split_page : NULL;
	blank_config(config, 1024);
	give_block(0, 2);
	give_free_range(4, 1024);
	ready();
	listen();
	yard_set_swap(yard, 100, slots);
	lru_page(0, ANON_PAGE, YARD_MAPPED);
	yard_lru_drain(yard);
	forget();
}

static void C7_8_W1_a_large_page_without_a_run_of_slots_is_split(void **state)
{
	(void)state;
	ask.write_result = YARD_WRITE_DONE;
	large_anon(true, 4); // a run is there
	assert_int_equal(scan(IA), 4);
	assert_calls("slot 0, unmap 0, write 0, release 0");
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_ANON), 4);
	assert_int_equal(vm(YARD_VM_PSWPOUT), 4); // W-3: base pages
	assert_verified();
	next_machine();
	large_anon(true, 3); // split; the last single page finds no slot either
	assert_int_equal(scan(IA), 3);
	assert_calls("slot 0, unmap 0, write 0, release 0, slot 1, unmap 1, write 1, release 1, "
		     "slot 2, unmap 2, write 2, release 2");
	assert_lru(AA, "3");
	assert_int_equal(node_counter(YARD_NODE_PGSCAN_ANON), 4);
	assert_verified();
	next_machine();
	large_anon(false, 3); // cannot be split
	assert_int_equal(scan(IA), 0);
	assert_lru(AA, "0");
	assert_int_equal(size_of(AA), 4);
	assert_verified();
}

static void C7t_11_lazyfree_is_freed_without_io_unless_it_was_written_to(void **state)
{
	(void)state;
	one(ANON_, YARD_MAPPED);
	assert_int_equal(scan(IF), 1);
	assert_calls("unmap 0, release 0");
	assert_int_equal(vm(YARD_VM_PGLAZYFREED), 1);
	assert_int_equal(node_counter(YARD_NODE_PGSTEAL_FILE), 1);
	next_machine();
	one(ANON_, YARD_MAPPED);
	assert_int_equal(yard_lru_touch(yard, base, 1, true), YARD_OK);
	page_references(yard, base); // not young
	assert_int_equal(scan(IF), 0);
	assert_true(flags_at(0) & YARD_PAGE_SWAPBACKED);
	assert_lru(AA, "0");
	assert_int_equal(vm(YARD_VM_PGLAZYFREED), 0);
	assert_int_equal(field(F_DIRTY), 0); // C-7.4: not a true file folio
	assert_verified();
}

static void C7t_12_shmem_is_written_mapped_or_not(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		ask.write_result = YARD_WRITE_DONE;
		one(SHMEM_PAGE | DIRTY, i ? YARD_MAPPED : YARD_UNMAPPED);
		assert_int_equal(scan(IA), 1);
		assert_non_null(strstr(calls.chars, "write 0"));
		assert_non_null(strstr(calls.chars, "release 0"));
		assert_int_equal(!!strstr(calls.chars, "unmap 0"), i);
		assert_int_equal(node_counter(YARD_NODE_VMSCAN_WRITE), 1);
		next_machine();
	}
}

static void C7t_13_mlocked_is_moved_to_unevictable(void **state)
{
	(void)state;
	one(FILE_PAGE | DIRTY, YARD_MAPPED);
	frame_change(yard, base, 0, PG_MLOCKED); // mlock() that has not reached the lists
	assert_int_equal(scan(IF), 0);
	assert_int_equal(field(F_SCANNED), 1);
	assert_int_equal(field(F_DIRTY), 0); // it went no further than C-7.2
	yard_lru_set(yard, base, DIRTY, false);
	yard_lru_drain(yard);
	assert_int_equal(size_of(YARD_LRU_UNEVICTABLE), 1);
	assert_true(on_lru(0));
	assert_flags(0, UNEV); // `active` is clear
	assert_int_equal(vm(YARD_VM_PGACTIVATE), 0);
	assert_int_equal(size_of(IF) + size_of(AF), 0);
	assert_verified();
}

static void C7t_14_without_io(void **state)
{
	(void)state;
	one(ANON_PAGE, YARD_MAPPED);
	pages(1, 2, ANON_PAGE | SWAPC, YARD_MAPPED); // has its slot, clean
	pages(2, 3, ANON_PAGE | SWAPC | DIRTY, YARD_MAPPED);
	pages(3, 4, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(scan_gfp(IA, YARD_GFP_NOIO), 1);
	assert_calls("unmap 1, release 1, unmap 2");
	assert_lru(IA, "2 0"); // kept
	assert_int_equal(scan_gfp(IF, YARD_GFP_NOIO), 1);
}

static void C7t_15_without_fs_only_swap_cache_pages_are_written(void **state)
{
	(void)state;
	ask.write_result = YARD_WRITE_DONE;
	one(ANON_PAGE, YARD_MAPPED);
	pages(1, 2, SHMEM_PAGE | DIRTY, YARD_UNMAPPED);
	pages(2, 3, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(scan_gfp(IA, YARD_GFP_NOFS), 1);
	assert_calls("slot 0, unmap 0, write 0, release 0");
	assert_lru(IA, "1");
	assert_int_equal(scan_gfp(IF, YARD_GFP_NOFS), 1);
}

static void X8_second_chance(void **state)
{
	(void)state;
	one(FILE_PAGE, YARD_MAPPED);
	pages(1, 2, FILE_PAGE, YARD_MAPPED);
	touch(0, 1);
	touch(1, 1);
	assert_int_equal(scan(IF), 0);
	assert_lru(IF, "1 0");
	assert_flags(0, REF);
	touch(1, 1);
	assert_int_equal(scan(IF), 1);
	assert_false(in_use(0));
	assert_lru(AF, "1");
}

// ---- C-7, the other ways ----

static void C7_5_kswapd_that_meets_its_own_writes(void **state)
{
	(void)state;
	one(FILE_PAGE | WB | RECL, YARD_UNMAPPED);
	scan(IF);
	assert_int_equal(field(F_IMMEDIATE), 0); // the node is not flagged
	assert_int_equal(field(F_WRITEBACK), 1);
	assert_int_equal(field(F_CONGESTED), 1);
	next_machine();
	one(FILE_PAGE | WB | RECL, YARD_UNMAPPED);
	yard->mm[0].flags = NODE_WRITEBACK;
	scan(IF);
	assert_int_equal(field(F_IMMEDIATE), 1);
	assert_int_equal(field(F_WRITEBACK), 0);
	assert_lru(AF, "0");
	next_machine();
	one(FILE_PAGE | WB, YARD_UNMAPPED); // `reclaim` is not set
	yard->mm[0].flags = NODE_WRITEBACK;
	scan(IF);
	assert_int_equal(field(F_IMMEDIATE), 0);
	assert_int_equal(field(F_WRITEBACK), 1);
	next_machine();
	one(FILE_PAGE | WB | RECL, YARD_UNMAPPED);
	yard->mm[0].flags = NODE_WRITEBACK;
	struct scan_control sc = control();
	sc.role = ROLE_PROACTIVE; // not kswapd
	pages(1, 20, FILE_PAGE, YARD_UNMAPPED);
	scan_with(&sc, IF);
	assert_int_equal(field(F_IMMEDIATE), 0);
	assert_int_equal(field(F_WRITEBACK), 1);
}

static void C7_8_a_pinned_anonymous_page_is_kept(void **state)
{
	(void)state;
	one(ANON_PAGE | PIN, YARD_MAPPED);
	assert_int_equal(scan(IA), 0);
	assert_calls("");
	assert_lru(IA, "0");
}

static void C7_10_a_pinned_page_is_activated(void **state)
{
	(void)state;
	one(FILE_PAGE | PIN, YARD_UNMAPPED);
	assert_int_equal(scan(IF), 0);
	assert_calls("");
	assert_lru(AF, "0");
	assert_int_equal(vm(YARD_VM_PGACTIVATE), 1);
}

static void C7_9_what_stays_mapped_is_activated(void **state)
{
	(void)state;
	one(FILE_PAGE, YARD_MAPPED);
	world.fail_every[CALL_UNMAP] = 1;
	assert_int_equal(scan(IF), 0);
	assert_calls("unmap 0");
	assert_int_equal(field(F_UNMAP_FAIL), 1);
	assert_int_equal(field(F_ACTIVATE1), 1);
	assert_lru(AF, "0");
}

static void write_to(uint32_t offset)
{
	assert_int_equal(yard_lru_set(yard, base + offset, DIRTY, true), YARD_OK);
}

static void C7_11_pages_that_unmapping_finds_dirty(void **state)
{
	(void)state;
	one(FILE_PAGE, YARD_MAPPED);
	ask.on_unmap = write_to;
	assert_int_equal(scan(IF), 0);
	assert_calls("unmap 0");
	assert_lru(AF, "0"); // as any dirty file page
	assert_true(flags_at(0) & DIRTY && flags_at(0) & RECL);
}

static void C7_11_results_of_a_write(void **state)
{
	static const struct { enum yard_write_result result; uint32_t flags; bool freed; } rows[] = {
		{ YARD_WRITE_STARTED, ANON_PAGE | SWAPC | WB | RECL, false },
		{ YARD_WRITE_DONE, 0, true },
		{ YARD_WRITE_KEEP, ANON_PAGE | SWAPC | DIRTY, false },
		{ YARD_WRITE_REFUSED, ANON_PAGE | SWAPC | DIRTY | ACT, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ask.write_result = rows[i].result;
		one(ANON_PAGE | SWAPC | DIRTY, YARD_MAPPED);
		assert_int_equal(scan(IA), rows[i].freed);
		assert_int_equal(in_use(0), !rows[i].freed);
		if (!rows[i].freed)
			assert_int_equal(flags_at(0) & ~(uint32_t)(rows[i].flags & RECL ? 0 : RECL), rows[i].flags);
		if (rows[i].result == YARD_WRITE_STARTED || rows[i].freed) {
			assert_int_equal(count_events(YARD_EVENT_WRITE_FOLIO), 1);
			assert_int_equal(arg_of(YARD_EVENT_WRITE_FOLIO, 0), base);
			assert_int_equal(arg_of(YARD_EVENT_WRITE_FOLIO, 1), 9); // ANON | ASYNC
		}
		assert_verified();
		next_machine();
	}
}

static void C7_11_written_to_again_is_kept(void **state)
{
	(void)state;
	ask.write_result = YARD_WRITE_DONE;
	one(ANON_PAGE, YARD_MAPPED);
	ask.on_write = write_to;
	assert_int_equal(scan(IA), 0);
	assert_calls("slot 0, unmap 0, write 0");
	assert_lru(IA, "0");
	assert_true(flags_at(0) & DIRTY);
}

static void C7_11_without_may_writepage_it_is_kept(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	one(ANON_PAGE | SWAPC | DIRTY, YARD_MAPPED);
	sc.may_writepage = false;
	assert_int_equal(scan_with(&sc, IA), 0);
	assert_calls("unmap 0");
	assert_lru(IA, "0");
	assert_flags(0, ANON_PAGE | SWAPC | DIRTY);
}

static void C7_13_a_page_still_in_use_is_kept(void **state)
{
	(void)state;
	one(FILE_PAGE, YARD_UNMAPPED);
	world.fail_every[CALL_RELEASE] = 1;
	assert_int_equal(scan(IF), 0);
	assert_calls("release 0");
	assert_lru(IF, "0");
	assert_int_equal(age(), 0); // no shadow
	assert_verified();
}

static void W5_the_activate_path_gives_slots_back_when_swap_is_full(void **state)
{
	(void)state;
	for (unsigned available = 49; available <= 50; available++) {
		one(ANON_PAGE | SWAPC, YARD_MAPPED);
		yard_set_swap(yard, 100, available); // full: 2 * free < total
		touch(0, 2);
		assert_int_equal(scan(IA), 0);
		assert_lru(AA, "0");
		assert_int_equal(!(flags_at(0) & SWAPC), available == 49);
		assert_calls(available == 49 ? "unslot 0" : "");
		next_machine();
	}
}

// ---- C-7a ----

static void C7a_answers(void **state)
{
	static const struct { uint32_t flags; enum yard_mapping mapping; int refs, answer; uint32_t after; } rows[] = {
		{ 0, YARD_MAPPED, -1, REFERENCE_KEEP, 0 },
		{ REF, YARD_MAPPED, -1, REFERENCE_KEEP, REF },
		{ 0, YARD_MAPPED, 0, REFERENCE_RECLAIM, 0 },
		{ REF, YARD_MAPPED, 0, REFERENCE_RECLAIM, 0 }, // V-4
		{ REF | DIRTY, YARD_MAPPED, 0, REFERENCE_RECLAIM, DIRTY },
		{ 0, YARD_MAPPED, 1, REFERENCE_KEEP, REF },
		{ REF, YARD_MAPPED, 1, REFERENCE_ACTIVATE, REF },
		{ 0, YARD_MAPPED, 2, REFERENCE_ACTIVATE, REF },
		{ 0, YARD_MAPPED, 7, REFERENCE_ACTIVATE, REF },
		{ 0, YARD_MAPPED_EXEC, 1, REFERENCE_ACTIVATE, REF },
		{ 0, YARD_MAPPED_EXEC, 0, REFERENCE_RECLAIM, 0 },
		{ ANON_PAGE, YARD_MAPPED_EXEC, 1, REFERENCE_KEEP, ANON_PAGE | REF },
		{ SB, YARD_MAPPED_EXEC, 1, REFERENCE_KEEP, SB | REF }, // shmem is not "file" (L-3)
		{ 0, YARD_UNMAPPED, 0, REFERENCE_RECLAIM, 0 },
	};

	(void)state;
	for (unsigned policy = 0; policy < 2; policy++)
		for (size_t i = 0; i < COUNT(rows); i++) {
			ask.answers = true;
			machine_of(noted_config(policy ? "linux-7.2" : "linux-7.3"), 1024, 4);
			pages(0, 1, rows[i].flags, rows[i].mapping);
			ask.referenced[0] = rows[i].refs;
			assert_true(lru_isolate(yard, base));
			assert_int_equal(check_references(yard, base), rows[i].answer);
			assert_flags(0, rows[i].after);
			next_machine();
		}
}

static void C7a_mappings_without_recency_do_not_count(void **state)
{
	(void)state;
	one(FILE_PAGE, YARD_MAPPED_NO_RECENCY);
	touch(0, 2);
	assert_int_equal(scan(IF), 1);
}

// ---- C-7r, C-11 ----

static void C7r_survivors_keep_their_order_at_the_heads(void **state)
{
	(void)state;
	machine(1024, 64);
	pages(20, 22, FILE_PAGE | ACT, YARD_UNMAPPED);
	pages(0, 9, FILE_PAGE, YARD_MAPPED);
	for (uint32_t i = 0; i < 9; i++)
		if (i % 3) // freed, kept, activated
			touch(i, i % 3);
	pages(10, 12, FILE_PAGE, YARD_UNMAPPED);
	struct scan_control sc = kswapd_control();
	assert_int_equal(shrink_inactive(yard, 0, &sc, 9, IF), 3);
	assert_lru(IF, "7 4 1 11 10");
	assert_lru(AF, "8 5 2 21 20");
	assert_int_equal(age(), 3 + 3); // 3 evicted, 3 put on an active list
	assert_verified();
}

static void free_the_next(uint32_t offset)
{
	if (offset == 0) {
		free_at(1, 0); // isolated as well
		assert_true(in_use(1));
	}
}

static void C7r_a_page_freed_by_its_owner_meanwhile_is_freed(void **state)
{
	(void)state;
	one(FILE_PAGE, YARD_UNMAPPED);
	pages(1, 2, FILE_PAGE | PIN, YARD_UNMAPPED);
	pages(2, 3, FILE_PAGE, YARD_UNMAPPED);
	ask.on_release = free_the_next;
	scan(IF);
	for (uint32_t i = 0; i < 3; i++)
		assert_false(in_use(i));
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_int_equal(size_of(IF) + size_of(AF), 0);
	assert_verified();
}

static uint32_t freed_before[128]; // pages freed when the i-th was released

static void note_freed(uint32_t offset)
{
	freed_before[offset] = (uint32_t)count_events(YARD_EVENT_PAGE_FREE);
}

static void C11_pages_are_freed_in_batches_of_31(void **state)
{
	struct scan_control sc = kswapd_control();
	uint32_t at = 0;

	(void)state;
	machine(1024, 100);
	pages(0, 70, FILE_PAGE, YARD_MAPPED);
	forget();
	ask.on_release = note_freed;
	assert_int_equal(shrink_inactive(yard, 0, &sc, 70, IF), 70);
	for (uint32_t i = 0; i < 70; i++)
		if (i % 31) // the 31st or the one after it fills the batch
			assert_int_equal(freed_before[i], i / 31 * 31);
	assert_int_equal(count_events(YARD_EVENT_PAGE_FREE_BATCHED), 70); // per-CPU lists
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_PAGE_FREE_BATCHED)
			assert_int_equal(events[i].pfn, base + at++); // in gathering order
	assert_verified();
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		T(C7t_1_file_clean_unmapped_is_freed_referenced_or_not),
		T(C7t_2_file_clean_mapped_not_young_is_unmapped_and_freed),
		T(C7t_3_young_once_is_kept_once),
		T(C7t_4_young_twice_or_executable_is_activated),
		T(C7t_5_file_dirty_is_activated_and_freed_after_the_flusher_wrote_it),
		T(C7t_6_file_under_writeback_is_activated_and_freed_after_it),
		T(C7t_7_anon_is_written_kept_and_freed_when_it_comes_round),
		T(C7t_8_anon_in_the_swap_cache_and_clean_is_dropped),
		T(C7t_9_a_synchronous_device_frees_in_the_same_pass),
		T(C7t_10_W1_anon_without_a_slot_is_activated),
		T(C7_8_W1_a_large_page_without_a_run_of_slots_is_split),
		T(C7t_11_lazyfree_is_freed_without_io_unless_it_was_written_to),
		T(C7t_12_shmem_is_written_mapped_or_not),
		T(C7t_13_mlocked_is_moved_to_unevictable),
		T(C7t_14_without_io),
		T(C7t_15_without_fs_only_swap_cache_pages_are_written),
		T(X8_second_chance),
		T(C7_5_kswapd_that_meets_its_own_writes),
		T(C7_8_a_pinned_anonymous_page_is_kept),
		T(C7_10_a_pinned_page_is_activated),
		T(C7_9_what_stays_mapped_is_activated),
		T(C7_11_pages_that_unmapping_finds_dirty),
		T(C7_11_results_of_a_write),
		T(C7_11_written_to_again_is_kept),
		T(C7_11_without_may_writepage_it_is_kept),
		T(C7_13_a_page_still_in_use_is_kept),
		T(W5_the_activate_path_gives_slots_back_when_swap_is_full),
		T(C7a_answers),
		T(C7a_mappings_without_recency_do_not_count),
		T(C7r_survivors_keep_their_order_at_the_heads),
		T(C7r_a_page_freed_by_its_owner_meanwhile_is_freed),
		T(C11_pages_are_freed_in_batches_of_31),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
