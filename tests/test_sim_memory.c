// SPDX-License-Identifier: Apache-2.0
//
// Logical pages: regions and entries, faults, huge pages, swap, and what the engine does to them meanwhile.

#include "memory_fixture.h"

#include "sim/swap_internal.h"

static struct memory_object *object;
static struct process *process;

static void anon(uint64_t pages)
{
	object = object_create(sim, OBJECT_ANON, pages);
	assert_non_null(object);
}

static uint64_t entry_of(uint64_t page)
{
	const uint64_t *entry = object_entry(sim, object, page, false);

	return entry ? *entry : 0;
}

// ---- regions ----

static void words_and_pages_belong_together(void **state)
{
	struct memory_object *objects[64];
	uint32_t used[64];

	(void)state;
	describe(64 * MIB, 1);
	start();
	for (unsigned i = 0; i < 64; i++)
		objects[i] = object_create(sim, OBJECT_ANON, 1 + 700 * i);
	for (unsigned i = 0; i < 64; i++)
		for (uint64_t page = 0; page < objects[i]->pages; page += 33) {
			uint64_t found;

			assert_non_null(object_entry(sim, objects[i], page, true));
			assert_ptr_equal(object_of(sim, owner_word(objects[i], page), &found), objects[i]);
			assert_int_equal(found, page);
		}
	for (unsigned i = 0; i < 64; i++)
		used[i] = objects[i]->first_region;
	for (unsigned i = 0; i < 64; i++)
		object_destroy(sim, objects[i]);
	for (unsigned i = 0; i < 64; i++) { // the same numbers serve again
		bool again = false;

		objects[i] = object_create(sim, OBJECT_ANON, 1 + 700 * i);
		for (unsigned j = 0; j < 64; j++)
			again |= objects[i]->first_region == used[j];
		assert_true(again);
		assert_null(object_entry(sim, objects[i], 0, false));
	}
	check_quiet();
}

static void numbers_end_at_2_31_pages(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	assert_non_null(object_create(sim, OBJECT_FILE, UINT64_C(1) << 30));
	assert_null(object_create(sim, OBJECT_FILE, UINT64_C(1) << 30)); // number 0 is taken
	assert_non_null(strstr(sim->error, "2^31"));
}

// ---- anonymous memory ----

static void touch_some(void)
{
	uint64_t start_ns;

	start_ns = sim_now(sim);
	assert_int_equal(memory_touch(sim, object, 5, true), TOUCH_MINOR);
	assert_true(sim_now(sim) - start_ns >= 500 + 300 + 35 + 400 + 35); // X11, X9, X2; X12, X2
	assert_true(entry_usable(entry_of(5)));
	assert_int_equal(object->resident, 1);
	assert_int_equal(counters()->page_tables, 1);
	start_ns = sim_now(sim);
	assert_int_equal(memory_touch(sim, object, 5, true), TOUCH_HIT);
	assert_int_equal(sim_now(sim) - start_ns, 100);
	assert_int_equal(memory_touch(sim, object, 6, false), TOUCH_MINOR);
	assert_int_equal(counters()->page_tables, 1);
	assert_int_equal(memory_touch(sim, object, 512, true), TOUCH_MINOR);
	assert_int_equal(counters()->page_tables, 2);
	assert_int_equal(counters()->pgfault, 3);
	assert_int_equal(counters()->touches, 1);
	object_drop(sim, object, 0, 6);
	assert_int_equal(object->resident, 2);
	assert_int_equal(counters()->page_tables, 2);
	check_quiet();
	assert_int_equal(memory_touch(sim, object, 5, true), TOUCH_MINOR);
}

static void L7_first_touch_and_what_it_costs(void **state)
{
	uint64_t before;

	(void)state;
	describe(64 * MIB, 1);
	start();
	before = free_pages();
	anon(1000);
	as_task(touch_some);
	yard_lru_drain_all(sim->yard);
	assert_int_equal(node_counter(YARD_NODE_INACTIVE_ANON), 3);
	assert_int_equal(node_counter(YARD_NODE_ANON_PAGES), 3);
	assert_int_equal(before - free_pages(), 3 + 2);
	object_destroy(sim, object);
	assert_int_equal(free_pages(), before);
	check_quiet();
}

static void touch_outside(void)
{
	assert_int_equal(memory_touch(sim, object, 10, true), TOUCH_OOM);
}

static void a_touch_outside_is_a_broken_workload(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	anon(10);
	task_of(run_body, NULL);
	the_body = touch_outside;
	assert_false(simulation_run(sim, NS_PER_S));
	assert_non_null(strstr(sim->error, "outside"));
}

static void populate(void)
{
	assert_int_equal(memory_touch_range(sim, object, 0, object->pages, true), object->pages);
	assert_int_equal(memory_touch_range(sim, object, 0, object->pages, true), object->pages);
}

static void mlocked_pages_are_unevictable(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	anon(100);
	object->locked = true;
	as_task(populate);
	yard_lru_drain_all(sim->yard);
	assert_int_equal(node_counter(YARD_NODE_UNEVICTABLE), 100);
}

static void fault_twice(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task, (void)argument;
	for (uint64_t page = 0; page < object->pages; page++)
		memory_touch(s, object, page, true);
}

static void threads_may_fault_the_same_pages(void **state)
{
	(void)state;
	describe(64 * MIB, 4);
	start();
	anon(4096);
	for (unsigned i = 0; i < 4; i++)
		task_of(fault_twice, NULL);
	run_for(NS_PER_S);
	assert_int_equal(object->resident, 4096);
	assert_int_equal(counters()->page_tables, 8);
	check_quiet();
}

// ---- huge pages ----

static void huge(uint64_t pages)
{
	anon(pages);
	object->huge = true;
	object->huge_gfp = YARD_GFP_TRANSHUGE;
}

static void touch_huge(void)
{
	uint64_t start_ns = sim_now(sim);

	assert_int_equal(memory_touch(sim, object, 700, true), TOUCH_MINOR); // by itself
	assert_true(sim_now(sim) - start_ns >= 100000 + 500);
	assert_true(object_is_huge(sim, object, 512));
	assert_false(object_is_huge(sim, object, 0));
	assert_null(object_entry(sim, object, 700, true));
	assert_int_equal(object->resident, 512);
	assert_int_equal(object->huge_pages, 512);
	assert_int_equal(counters()->page_tables, 1); // deposited
	assert_int_equal(memory_touch(sim, object, 1023, true), TOUCH_HIT);
	assert_int_equal(memory_touch_range(sim, object, 512, 512, false), 512);
	assert_int_equal(memory_touch_huge(sim, object, 0), THP_ALLOCATED);
	assert_int_equal(memory_touch_huge(sim, object, 0), THP_NOT_POSSIBLE);	  // there already
	assert_int_equal(memory_touch_huge(sim, object, 1024), THP_NOT_POSSIBLE); // not all of it is the object's
	assert_int_equal(memory_touch(sim, object, 1024, true), TOUCH_MINOR);
	assert_int_equal(object->resident, 2 * 512 + 1);
	assert_int_equal(counters()->thp_fault_alloc, 2);
	check_quiet();
	object_drop(sim, object, 0, 511); // only as a whole
	assert_int_equal(object->huge_pages, 1024);
	object_drop(sim, object, 0, 1000);
	assert_int_equal(object->huge_pages, 512);
	assert_int_equal(memory_touch_huge(sim, object, 100), THP_ALLOCATED);
	object_drop(sim, object, 0, 1024);
	object->huge = false;
	assert_int_equal(memory_touch(sim, object, 3, true), TOUCH_MINOR);
	object->huge = true;
	assert_int_equal(memory_touch_huge(sim, object, 0), THP_NOT_POSSIBLE); // partly used
	object_drop(sim, object, 0, 512);
	assert_int_equal(memory_touch_huge(sim, object, 0), THP_NOT_POSSIBLE); // its page table is still there
	assert_int_equal(counters()->thp_fault_fallback, 0);
}

static void huge_pages_at_fault_time(void **state)
{
	uint64_t before;

	(void)state;
	describe(64 * MIB, 1);
	start();
	before = free_pages();
	huge(1500);
	as_task(touch_huge);
	check_quiet();
	object_destroy(sim, object);
	assert_int_equal(free_pages(), before);
}

static void touch_fragmented(void)
{
	assert_int_equal(memory_touch_huge(sim, object, 0), THP_FELL_BACK);
	assert_int_equal(memory_touch(sim, object, 0, true), TOUCH_MINOR);
	assert_int_equal(memory_touch(sim, object, 1, true), TOUCH_MINOR);
	assert_int_equal(object->resident, 2);
	assert_int_equal(counters()->thp_fault_alloc, 0);
	assert_int_equal(counters()->thp_fault_fallback, 2); // not in the third fault: the region is used
}

static void without_a_huge_page_there_are_base_pages(void **state)
{
	uint32_t *pfn = calloc(64 * MIB, sizeof(*pfn));
	uint64_t nr = 0;

	(void)state;
	describe(64 * MIB, 1);
	start();
	huge(2048);
	object->huge_gfp = YARD_GFP_TRANSHUGE_LIGHT;
	while ((pfn[nr] = yard_alloc(sim->yard, YARD_GFP_NOWAIT, 0)) != YARD_PFN_NONE)
		nr++;
	for (uint64_t i = 0; i < nr; i++) // one page of eight stays, and can't move
		if (pfn[i] % 8)
			assert_int_equal(yard_free(sim->yard, pfn[i], 0), YARD_OK);
	free(pfn);
	as_task(touch_fragmented);
	check_quiet();
}

// ---- swap ----

static void fill_twice_over(void)
{
	assert_int_equal(memory_touch_range(sim, object, 0, object->pages, true), object->pages);
}

static void read_all(void)
{
	assert_int_equal(memory_touch_range(sim, object, 0, object->pages, false), object->pages);
}

static void W3_what_does_not_fit_goes_to_swap_and_comes_back(void **state)
{
	uint64_t out, major;

	(void)state;
	describe(64 * MIB, 2);
	swap_on(SWAP_DEVICE, 256 * MIB);
	start();
	anon(128 * MIB);
	as_task(fill_twice_over);
	run_for(NS_PER_S);
	check_quiet();
	out = vm(YARD_VM_PSWPOUT);
	assert_true(object->swapped >= 64 * MIB && out >= object->swapped);
	assert_int_equal(object->resident + object->swapped, object->pages);
	assert_int_equal(counters()->pgmajfault, 0);
	assert_int_equal(counters()->pgpgout, out * 4);
	as_task(read_all);
	run_for(NS_PER_S);
	check_quiet();
	major = counters()->pgmajfault;
	assert_true(vm(YARD_VM_PSWPIN) >= 64 * MIB);
	assert_int_equal(vm(YARD_VM_PSWPIN), major + counters()->swap_ra);
	assert_true(major * 7 < vm(YARD_VM_PSWPIN)); // W-4: a stream reads 8 at a time
	assert_true(counters()->swap_ra_hit > counters()->swap_ra * 9 / 10);
	assert_true(node_counter(YARD_NODE_WORKINGSET_REFAULT_ANON) >= 64 * MIB);
	// W-2: what was only read since then kept its slot, and went again without a write.
	assert_true(vm(YARD_VM_PSWPOUT) < out + 64 * MIB + 16 * MIB);
	object_destroy(sim, object);
	assert_int_equal(swap_slots_used(sim), 0);
	check_quiet();
}

static void touch_one_of_swap(void)
{
	for (uint64_t page = 0; page < object->pages; page++)
		if (!(entry_of(page) & ENTRY_RESIDENT)) {
			assert_int_equal(memory_touch(sim, object, page, false), TOUCH_MAJOR);
			assert_true(entry_of(page) & ENTRY_IN_SWAP); // less than half is used
			assert_int_equal(memory_touch(sim, object, page, false), TOUCH_HIT);
			assert_int_equal(memory_touch(sim, object, page, true), TOUCH_MINOR);
			assert_false(entry_of(page) & ENTRY_IN_SWAP);
			assert_int_equal(memory_touch(sim, object, page, true), TOUCH_HIT);
			return;
		}
	fail_msg("nothing is in swap");
}

static void W4_a_write_gives_the_slot_back(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	swap_on(SWAP_DEVICE, 512 * MIB);
	start();
	anon(80 * MIB);
	as_task(fill_twice_over);
	run_for(NS_PER_S);
	as_task(touch_one_of_swap);
	run_for(NS_PER_S);
	check_quiet();
}

static uint64_t thrashings;

static void touch_at_random(void)
{
	const struct yard_task *task = &task_current(sim)->task;

	for (uint64_t i = 0; i < 100000; i++) // half of it is touched much more often
		memory_touch(sim, object, random_below(&sim->random, i & 1 ? object->pages : object->pages / 2), true);
	thrashings = task->delays[YARD_DELAY_THRASHING].count;
	assert_int_equal(task->memstall, 0);
	assert_false(task->thrashing);
}

static void PSI_3_waiting_for_the_working_set_is_thrashing(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	swap_on(SWAP_DEVICE, 512 * MIB);
	start();
	anon(90 * MIB);
	as_task(touch_at_random);
	assert_true(node_counter(YARD_NODE_WORKINGSET_RESTORE_ANON) > 100);
	assert_in_range(thrashings, 100, counters()->pgmajfault);
	run_for(NS_PER_S);
	check_quiet();
}

static void touch_one_when_full(void)
{
	for (uint64_t page = 0; page < object->pages; page++)
		if (!(entry_of(page) & ENTRY_RESIDENT)) {
			assert_int_equal(memory_touch(sim, object, page, false), TOUCH_MAJOR);
			assert_false(entry_of(page) & ENTRY_IN_SWAP);
			return;
		}
	fail_msg("nothing is in swap");
}

static void W5_reading_gives_the_slot_back_when_swap_is_full(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	swap_on(SWAP_DEVICE, 30 * MIB);
	start();
	anon(80 * MIB);
	as_task(fill_twice_over);
	run_for(NS_PER_S);
	assert_true(2 * yard_swap_available(sim->yard) < swap_total(sim));
	as_task(touch_one_when_full);
	run_for(NS_PER_S);
	check_quiet();
}

static void X36_zram_keeps_pages_in_memory(void **state)
{
	struct swap_statistics statistics;

	(void)state;
	describe(64 * MIB, 2);
	swap_on(SWAP_ZRAM, 256 * MIB);
	start();
	anon(96 * MIB);
	as_task(fill_twice_over);
	swap_statistics(sim, &statistics);
	check_quiet();
	assert_int_equal(statistics.zram_stored, object->swapped);
	// 4096 / 2.74 and 3 %
	assert_in_range(statistics.zram_pages, object->swapped * 375 / 1000, object->swapped * 377 / 1000);
	as_task(read_all);
	check_quiet();
	assert_int_equal(counters()->swap_ra, 0);
	assert_int_equal(counters()->pgpgout, 0);
	assert_int_equal(vm(YARD_VM_PSWPIN), counters()->pgmajfault);
	object_destroy(sim, object);
	swap_statistics(sim, &statistics);
	assert_int_equal(statistics.zram_stored, 0);
	assert_int_equal(statistics.zram_pages, 0);
	check_quiet();
}

static void W1_huge_pages_go_whole_while_there_are_free_clusters(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	swap_on(SWAP_DEVICE, 256 * MIB);
	start();
	huge(128 * MIB);
	as_task(fill_twice_over);
	run_for(NS_PER_S);
	check_quiet();
	assert_true(counters()->thp_swpout >= 64 * MIB / 512);
	assert_int_equal(counters()->thp_split, 0);
	assert_int_equal(vm(YARD_VM_PSWPOUT), counters()->thp_swpout * 512);
	as_task(read_all); // page by page
	run_for(NS_PER_S);
	check_quiet();
	assert_true(object->huge_pages < 64 * MIB);
	object_destroy(sim, object);
	check_quiet();
	assert_int_equal(swap_slots_used(sim), 0);
}

static void C7_8_without_a_cluster_a_huge_page_is_split(void **state)
{
	uint32_t slot[MIB];

	(void)state;
	describe(64 * MIB, 1);
	swap_on(SWAP_DEVICE, 64 * MIB);
	start();
	for (unsigned i = 0; i < COUNT(slot) / 2; i++) { // one slot of each cluster is taken: 64 MiB are 32 clusters
		slot[i] = swap_slots_take(sim, SIM_HUGE_ORDER);
		for (unsigned j = 1; slot[i] != SWAP_SLOT_NONE && j < 512; j++)
			swap_slot_forget(sim, slot[i] + j);
	}
	assert_int_equal(slot[32], SWAP_SLOT_NONE);
	huge(100 * MIB);
	as_task(fill_twice_over);
	run_for(NS_PER_S);
	assert_int_equal(counters()->thp_swpout, 0);
	assert_true(counters()->thp_split >= 36 * MIB / 512);
	assert_true(object->swapped >= 36 * MIB);
	object_destroy(sim, object);
	assert_int_equal(swap_slots_used(sim), 32);
	assert_int_equal(lru_pages(), 0);
}

// ---- swap slots (W-1) ----

static void W1_slots_come_in_order_from_a_cluster_of_the_cpu(void **state)
{
	uint32_t first, other;

	(void)state;
	describe(64 * MIB, 2);
	swap_on(SWAP_DEVICE, 3 * 512 + 100);
	start();
	yard_sim_set_cpu(sim->yard, 0);
	first = swap_slots_take(sim, 0);
	for (uint32_t i = 1; i < 10; i++)
		assert_int_equal(swap_slots_take(sim, 0), first + i);
	yard_sim_set_cpu(sim->yard, 1);
	other = swap_slots_take(sim, 0);
	assert_int_not_equal(other / 512, first / 512);
	yard_sim_set_cpu(sim->yard, 0);
	swap_slot_forget(sim, first + 3);
	assert_int_equal(swap_slots_take(sim, 0), first + 10); // not backwards
	assert_int_equal(swap_slots_take(sim, SIM_HUGE_ORDER) % 512, 0);
	assert_int_equal(swap_slots_take(sim, SIM_HUGE_ORDER), SWAP_SLOT_NONE); // the last one is too short
	assert_int_equal(swap_slots_used(sim), 10 + 1 + 512);
}

static void W1_every_slot_is_given_once(void **state)
{
	enum { SLOTS = 3 * 512 + 100 };
	static bool seen[SLOTS];

	(void)state;
	memset(seen, 0, sizeof seen);
	describe(64 * MIB, 3);
	swap_on(SWAP_DEVICE, SLOTS);
	start();
	for (unsigned i = 0; i < SLOTS; i++) {
		uint32_t slot;

		yard_sim_set_cpu(sim->yard, i % 3);
		slot = swap_slots_take(sim, 0);
		assert_true(slot < SLOTS && !seen[slot]);
		seen[slot] = true;
		assert_true(swap_slot_used(sim, slot));
	}
	assert_int_equal(swap_slots_take(sim, 0), SWAP_SLOT_NONE);
	for (uint32_t slot = 7; slot < SLOTS; slot += 100) {
		swap_slot_forget(sim, slot);
		assert_false(swap_slot_used(sim, slot));
	}
	for (uint32_t slot = 7; slot < SLOTS; slot += 100)
		assert_int_equal(swap_slots_take(sim, 0) % 100, 7);
	assert_int_equal(swap_slots_take(sim, 0), SWAP_SLOT_NONE);
	for (uint32_t slot = 0; slot < SLOTS; slot++)
		swap_slot_forget(sim, slot);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(swap_slots_take(sim, SIM_HUGE_ORDER) % 512, 0);
	assert_int_equal(swap_slots_take(sim, SIM_HUGE_ORDER), SWAP_SLOT_NONE);
}

// ---- compaction ----

// At random: the free scanner looks at one frame of 32 where it has found nothing.
static void fragment_and_compact(void)
{
	memory_touch_range(sim, object, 0, object->pages, true);
	for (uint64_t page = 0; page < object->pages; page++)
		if (random_chance(&sim->random, 3, 4))
			object_drop(sim, object, page, page + 1);
	yard_lru_drain_all(sim->yard);
	assert_int_equal(yard_compact_node(sim->yard, 0), YARD_OK);
}

static void pages_keep_their_numbers_when_they_move(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	anon(40 * MIB);
	as_task(fragment_and_compact);
	assert_true(vm(YARD_VM_PGMIGRATE_SUCCESS) > 1000);
	assert_in_range(object->resident, 9 * MIB, 11 * MIB);
	check_quiet();
	as_task(read_all);
	assert_int_equal(object->resident, 40 * MIB);
	check_quiet();
}

static void move_out(void)
{
	uint32_t first = 0, frame;

	memory_touch_range(sim, object, 0, 1024, true);
	yard_lru_drain_all(sim->yard);
	first = region_of(sim, object, 0)->huge - 1;
	assert_int_equal(yard_alloc_range(sim->yard, first, first + 512, YARD_ISOLATE_OTHER), YARD_OK);
	frame = region_of(sim, object, 0)->huge - 1;
	assert_int_not_equal(frame, first);
	assert_int_equal(yard_get_owner(sim->yard, frame), owner_word(object, 0));
	assert_int_equal(memory_touch(sim, object, 100, true), TOUCH_HIT);
	check_quiet();
}

static void huge_pages_move_as_a_whole(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	huge(1024);
	as_task(move_out);
	assert_int_equal(vm(YARD_VM_THP_MIGRATION_SUCCESS), 1);
}

static uint64_t compressed_moved;

static void compact_with_zram(void)
{
	const struct zram *zram = &sim->swap->zram;
	uint32_t *before;

	fill_twice_over();
	for (uint64_t page = 0; page < object->pages; page++)
		if (entry_of(page) & ENTRY_RESIDENT && random_chance(&sim->random, 3, 4))
			object_drop(sim, object, page, page + 1);
	before = malloc(zram->pages * sizeof(*before));
	memcpy(before, zram->page, zram->pages * sizeof(*before));
	yard_lru_drain_all(sim->yard);
	yard_compact_node(sim->yard, 0);
	compressed_moved = 0;
	for (uint64_t i = 0; i < zram->pages; i++) {
		assert_int_equal(yard_get_owner(sim->yard, zram->page[i]), OWNER_ZRAM | i);
		compressed_moved += zram->page[i] != before[i];
	}
	free(before);
}

static void pages_of_compressed_data_move_too(void **state)
{
	struct swap_statistics statistics;

	(void)state;
	describe(64 * MIB, 1);
	swap_on(SWAP_ZRAM, 256 * MIB);
	start();
	anon(96 * MIB);
	as_task(compact_with_zram);
	check_quiet();
	swap_statistics(sim, &statistics);
	assert_int_equal(statistics.zram_stored, object->swapped);
	assert_true(compressed_moved > 100);
	object_destroy(sim, object);
	check_quiet();
	assert_int_equal(lru_pages(), 0);
}

// ---- frames that belong to nobody ----

static void destroy_while_writing(void)
{
	fill_twice_over();
	assert_true(node_counter(YARD_NODE_WRITEBACK) > 0);
	object_destroy(sim, object);
	assert_true(counters()->orphans > 0);
	assert_true(node_counter(YARD_NODE_WRITEBACK) == counters()->orphans);
}

static void destroy_while_writing_huge(void)
{
	fill_twice_over();
	assert_true(node_counter(YARD_NODE_WRITEBACK) > 0);
	object_destroy(sim, object);
	assert_true(counters()->orphans > 0);
	assert_true(node_counter(YARD_NODE_WRITEBACK) >= counters()->orphans + 511);
}

static void what_is_being_written_is_freed_when_the_device_is_done(void **state)
{
	uint64_t before;

	(void)state;
	describe(64 * MIB, 1);
	swap_on(SWAP_DEVICE, 256 * MIB);
	disk.write_ns = 50000000;
	start();
	before = free_pages();
	anon(70 * MIB);
	as_task(destroy_while_writing);
	check_all();
	run_for(20 * NS_PER_S);
	check_quiet();
	assert_int_equal(swap_slots_used(sim), 0);
	assert_int_equal(free_pages(), before);
}

static void a_huge_page_that_is_being_written_is_freed_later_too(void **state)
{
	uint64_t before;

	(void)state;
	describe(64 * MIB, 1);
	swap_on(SWAP_DEVICE, 256 * MIB);
	disk.write_ns = 50000000;
	start();
	before = free_pages();
	huge(70 * MIB);
	as_task(destroy_while_writing_huge);
	check_all();
	run_for(20 * NS_PER_S);
	check_quiet();
	assert_int_equal(swap_slots_used(sim), 0);
	assert_int_equal(free_pages(), before);
}

static void write_what_is_being_written(void)
{
	struct yard_owner_ops ops = {.move = NULL};

	memory_owner_ops(sim, &ops);
	fill_twice_over();
	for (uint64_t page = 0; page < object->pages; page++) {
		uint64_t entry = entry_of(page);

		if (!entry_usable(entry) || !under_writeback(sim, entry_frame(entry)))
			continue;
		assert_int_equal(ops.move(sim, entry_frame(entry), 0, 0, YARD_MIGRATE_ASYNC), YARD_MOVE_BUSY);
		assert_int_equal(memory_touch(sim, object, page, true), TOUCH_MINOR);
		assert_true(entry_of(page) & ENTRY_IN_SWAP); // the slot is being written to
		assert_true(under_writeback(sim, entry_frame(entry_of(page))));
		assert_int_equal(memory_touch(sim, object, page, true), TOUCH_HIT);
		return;
	}
	fail_msg("nothing is being written");
}

static void W4_what_is_being_written_keeps_its_slot(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	swap_on(SWAP_DEVICE, 256 * MIB);
	disk.write_ns = 50000000;
	start();
	anon(70 * MIB);
	as_task(write_what_is_being_written);
	run_for(20 * NS_PER_S);
	check_quiet();
}

static bool reader_ended;

static void swap_reader(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task, (void)argument;
	for (uint64_t page = 0; page < object->pages; page++)
		if (!(entry_of(page) & ENTRY_RESIDENT)) {
			memory_touch(s, object, page, false);
			break;
		}
	reader_ended = true;
}

static void drop_all(void)
{
	assert_true(counters()->reading > 0);
	object_drop(sim, object, 0, object->pages);
	assert_true(counters()->orphans > 0);
	assert_int_equal(object->resident, 0);
}

// The one who waits for it finds nothing and takes a new page.
static void what_is_being_read_may_be_dropped(void **state)
{
	(void)state;
	describe(64 * MIB, 2);
	swap_on(SWAP_DEVICE, 256 * MIB);
	disk.read_ns = 100 * NS_PER_MS;
	start();
	anon(80 * MIB);
	as_task(fill_twice_over);
	run_for(NS_PER_S);
	reader_ended = false;
	task_of(swap_reader, NULL);
	run_for(10 * NS_PER_MS);
	assert_false(reader_ended);
	as_task(drop_all);
	run_for(NS_PER_S);
	assert_true(reader_ended);
	assert_int_equal(object->resident, 1);
	check_quiet();
}

// ---- out of memory ----

static enum touch_result oom_result;

static void grow_until_killed(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)task, (void)argument;
	for (uint64_t page = 0; page < object->pages; page++) {
		oom_result = memory_touch(s, object, page, true);
		if (oom_result == TOUCH_OOM)
			return;
	}
}

static void a_task_that_is_killed_gets_no_page(void **state)
{
	const struct process_attributes attributes = {.comm = "hog", .free = true};
	const struct task_attributes thread = {.comm = "hog", .cpu = -1, .node = -1};
	uint64_t before;

	(void)state;
	describe(64 * MIB, 2);
	swap_on(SWAP_DEVICE, 16 * MIB);
	start();
	before = free_pages();
	process = process_create(sim, &attributes);
	object = process_map(sim, process, 128 * MIB, false);
	assert_non_null(process_thread(sim, process, &thread, grow_until_killed, NULL));
	run_for(20 * NS_PER_S);
	assert_int_equal(oom_result, TOUCH_OOM);
	assert_int_equal(vm(YARD_VM_OOM_KILL), 1);
	assert_int_equal(resident_pages(), 0);
	check_quiet();
	assert_int_equal(swap_slots_used(sim), 0);
	assert_in_range(free_pages(), before - 64, before); // slabs keep some
}

// ---- everything at once ----

enum { OBJECTS = 8, TASKS = 6 };

static struct memory_object *objects[OBJECTS];
static unsigned users[OBJECTS];
static uint64_t operations, operations_max;

static void renew(struct simulation *s, struct random_source *random, unsigned i)
{
	if (objects[i])
		object_destroy(s, objects[i]);
	objects[i] = object_create(s, OBJECT_ANON, random_between(random, 1, 12 * MIB));
	objects[i]->huge = random_chance(random, 1, 2);
	objects[i]->huge_gfp = random_chance(random, 1, 2) ? YARD_GFP_TRANSHUGE : YARD_GFP_TRANSHUGE_LIGHT;
}

static void operate(struct simulation *s, struct random_source *random, unsigned i)
{
	struct memory_object *o = objects[i];
	uint64_t page = random_below(random, o->pages), count = random_below(random, 300);

	count = count < o->pages - page ? count : o->pages - page;
	switch (random_below(random, 16)) {
	case 0: object_drop(s, o, page, page + count); break;
	case 1: memory_touch_huge(s, o, page); break;
	case 2:
		if (random_chance(random, 1, 20))
			yard_compact_node(s->yard, 0);
		break;
	case 3:
	case 4: memory_touch_range(s, o, page, count, random_chance(random, 1, 2)); break;
	default: memory_touch(s, o, page, random_chance(random, 1, 2)); break;
	}
}

static void work(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)argument;
	while (operations < operations_max && !s->error[0]) {
		unsigned i = (unsigned)random_below(&task->random, OBJECTS);

		operations++;
		if (!users[i] && random_chance(&task->random, 1, 400)) {
			users[i] = 1000; // nobody else enters
			renew(s, &task->random, i);
			users[i] = 0;
		}
		if (users[i] >= 1000)
			continue;
		users[i]++;
		operate(s, &task->random, i);
		users[i]--;
	}
}

static void random_operations(uint64_t memory, enum swap_kind kind, uint64_t swap, bool lru_gen, uint64_t nr)
{
	uint64_t before;

	describe(memory, 3);
	swap_on(kind, swap);
	machine.lru_gen = lru_gen;
	start();
	before = free_pages();
	operations = 0;
	operations_max = nr;
	memset(users, 0, sizeof users);
	for (unsigned i = 0; i < OBJECTS; i++) {
		objects[i] = NULL;
		renew(sim, &sim->random, i);
	}
	for (unsigned i = 0; i < TASKS; i++)
		task_of(work, NULL);
	while (operations < operations_max) {
		uint64_t was = operations;

		run_for(20 * NS_PER_MS);
		check_all();
		if (operations == was) {
			run_for(10 * NS_PER_S);
			assert_true(operations > was);
		}
	}
	run_for(100 * NS_PER_S);
	check_quiet();
	for (unsigned i = 0; i < OBJECTS; i++)
		object_destroy(sim, objects[i]);
	run_for(NS_PER_S);
	check_quiet();
	assert_int_equal(sim->swap ? swap_slots_used(sim) : 0, 0);
	assert_int_equal(free_pages(), before);
}

static void random_operations_with_room(void **state)
{
	(void)state;
	random_operations(128 * MIB, SWAP_NONE, 0, false, 20000);
}

static void random_operations_with_a_swap_device(void **state)
{
	(void)state;
	random_operations(24 * MIB, SWAP_DEVICE, 128 * MIB, false, 40000);
	assert_true(vm(YARD_VM_PSWPIN) > 500);
}

static void random_operations_with_zram(void **state)
{
	(void)state;
	random_operations(28 * MIB, SWAP_ZRAM, 128 * MIB, false, 40000);
	assert_true(vm(YARD_VM_PSWPIN) > 500);
}

static void random_operations_with_the_multi_gen_lru(void **state)
{
	(void)state;
	random_operations(24 * MIB, SWAP_DEVICE, 128 * MIB, true, 40000);
	assert_true(vm(YARD_VM_PSWPIN) > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(words_and_pages_belong_together, stop),
		cmocka_unit_test_teardown(numbers_end_at_2_31_pages, stop),
		cmocka_unit_test_teardown(L7_first_touch_and_what_it_costs, stop),
		cmocka_unit_test_teardown(a_touch_outside_is_a_broken_workload, stop),
		cmocka_unit_test_teardown(mlocked_pages_are_unevictable, stop),
		cmocka_unit_test_teardown(threads_may_fault_the_same_pages, stop),
		cmocka_unit_test_teardown(huge_pages_at_fault_time, stop),
		cmocka_unit_test_teardown(without_a_huge_page_there_are_base_pages, stop),
		cmocka_unit_test_teardown(W3_what_does_not_fit_goes_to_swap_and_comes_back, stop),
		cmocka_unit_test_teardown(W4_a_write_gives_the_slot_back, stop),
		cmocka_unit_test_teardown(PSI_3_waiting_for_the_working_set_is_thrashing, stop),
		cmocka_unit_test_teardown(W5_reading_gives_the_slot_back_when_swap_is_full, stop),
		cmocka_unit_test_teardown(X36_zram_keeps_pages_in_memory, stop),
		cmocka_unit_test_teardown(W1_huge_pages_go_whole_while_there_are_free_clusters, stop),
		cmocka_unit_test_teardown(C7_8_without_a_cluster_a_huge_page_is_split, stop),
		cmocka_unit_test_teardown(W1_slots_come_in_order_from_a_cluster_of_the_cpu, stop),
		cmocka_unit_test_teardown(W1_every_slot_is_given_once, stop),
		cmocka_unit_test_teardown(pages_keep_their_numbers_when_they_move, stop),
		cmocka_unit_test_teardown(huge_pages_move_as_a_whole, stop),
		cmocka_unit_test_teardown(pages_of_compressed_data_move_too, stop),
		cmocka_unit_test_teardown(what_is_being_written_is_freed_when_the_device_is_done, stop),
		cmocka_unit_test_teardown(a_huge_page_that_is_being_written_is_freed_later_too, stop),
		cmocka_unit_test_teardown(W4_what_is_being_written_keeps_its_slot, stop),
		cmocka_unit_test_teardown(what_is_being_read_may_be_dropped, stop),
		cmocka_unit_test_teardown(a_task_that_is_killed_gets_no_page, stop),
		cmocka_unit_test_teardown(random_operations_with_room, stop),
		cmocka_unit_test_teardown(random_operations_with_a_swap_device, stop),
		cmocka_unit_test_teardown(random_operations_with_zram, stop),
		cmocka_unit_test_teardown(random_operations_with_the_multi_gen_lru, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
