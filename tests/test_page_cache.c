// SPDX-License-Identifier: Apache-2.0
//
// The page cache: reads and readahead, writes and writeback (spec 04 W-8), mappings of files, refaults.

#include "memory_fixture.h"

#include "sim/page_cache_internal.h"

enum { KIB = 1024 };

static struct file *file;

static void make_file(uint64_t bytes)
{
	file = file_open(file_create(sim, bytes));
	assert_non_null(file);
}

static uint64_t entry_of(uint64_t page)
{
	const uint64_t *entry = object_entry(sim, file->object, page, false);

	return entry ? *entry : 0;
}

static uint64_t reads(void)
{
	return device_statistics(memory_device(sim, 0))->reads;
}

static uint64_t read_bytes(void)
{
	return device_statistics(memory_device(sim, 0))->read_bytes;
}

static uint32_t flags_of(uint64_t page)
{
	uint32_t flags = 0;
	enum yard_mapping mapping;
	bool lru;

	assert_int_equal(yard_lru_get(sim->yard, entry_head(entry_of(page)), &flags, &mapping, &lru), YARD_OK);
	return flags;
}

// ---- readahead ----

// Windows of 4, 8, 16 and then 32 pages: reading the first page of one that is behind the request starts the next.
static void read_by_pages(void)
{
	static const struct {
		uint64_t mark, end;
	} windows[] = {{0, 4}, {1, 12}, {4, 28}, {12, 60}, {28, 92}, {60, 124}, {92, 156}, {124, 188}};

	for (uint64_t page = 0, next = 0; page < 128; page++) {
		assert_true(file_read(sim, file, page * SIM_PAGE, SIM_PAGE));
		next += next < COUNT(windows) && page == windows[next].mark;
		assert_true(entry_of(windows[next - 1].end - 1) & ENTRY_RESIDENT);
		assert_false(entry_of(windows[next - 1].end) & ENTRY_RESIDENT);
	}
}

static void readahead_grows_and_keeps_ahead(void **state)
{
	const struct page_cache_statistics *statistics;

	(void)state;
	describe(64 * MIB, 1);
	start();
	make_file(4 * MIB * SIM_PAGE);
	as_task(read_by_pages);
	statistics = page_cache_statistics(sim);
	assert_int_equal(statistics->reads, 128);
	assert_int_equal(statistics->hits, 127);
	assert_int_equal(statistics->readahead_pages, read_bytes() / SIM_PAGE);
	assert_int_equal(reads(), 8); // one for each window
	run_for(NS_PER_S);
	check_quiet();
}

static void read_at_random(void)
{
	for (uint64_t i = 1; i < 200; i++)
		assert_true(file_read(sim, file, (i * 7919 % 16384) * SIM_PAGE, SIM_PAGE));
}

static void random_reads_bring_what_is_wanted(void **state)
{
	(void)state;
	describe(128 * MIB, 1);
	start();
	make_file(64 * MIB * SIM_PAGE);
	as_task(read_at_random);
	assert_int_equal(reads(), 199);
	assert_int_equal(read_bytes(), 199 * SIM_PAGE);
	check_quiet();
}

static void read_interleaved(void)
{
	for (uint64_t page = 0; page < 1024; page++) {
		assert_true(file_read(sim, file, page * SIM_PAGE, SIM_PAGE));
		assert_true(file_read(sim, file, (4096 + page) * SIM_PAGE, SIM_PAGE));
	}
}

static void two_streams_in_one_file_are_both_read_ahead(void **state)
{
	(void)state;
	describe(128 * MIB, 1);
	start();
	make_file(64 * MIB * SIM_PAGE);
	as_task(read_interleaved);
	assert_true(reads() < 2048 / 8);
	assert_in_range(read_bytes(), 2048 * SIM_PAGE, (2048 + 128) * SIM_PAGE);
	check_quiet();
}

static void read_whole(void)
{
	for (uint64_t offset = 0; offset < file->size; offset += 128 * KIB)
		assert_true(file_read(sim, file, offset, 128 * KIB));
}

static void without_readahead_pages_are_read_one_by_one(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	machine.readahead_pages = 0;
	start();
	make_file(MIB * SIM_PAGE);
	as_task(read_whole);
	assert_int_equal(reads(), MIB);
	assert_int_equal(read_bytes(), MIB * SIM_PAGE);
	assert_int_equal(page_cache_statistics(sim)->readahead_pages, 0);
	check_quiet();
}

static void large_blocks_where_there_are_some(void **state)
{
	unsigned orders = 0;

	(void)state;
	describe(128 * MIB, 1);
	start();
	make_file(8 * MIB * SIM_PAGE);
	file->folio_order = 4;
	as_task(read_whole);
	run_for(NS_PER_S);
	for (uint64_t page = 0; page < file->object->pages; page++)
		orders |= 1u << entry_order(entry_of(page));
	assert_int_equal(orders & 1u << 4, 1u << 4);
	assert_int_equal(orders >> 5, 0);
	check_quiet();
	object_drop(sim, file->object, 1, file->object->pages); // a block that begins before stays
	assert_true(file->object->resident < 16);
	check_quiet();
}

// Of four pages one can't move. What was behind the min watermark is whole.
static void O11_with_no_large_block_single_pages_are_read(void **state)
{
	uint32_t *pfn = calloc(64 * MIB, sizeof(*pfn));
	uint64_t nr = 0, in_large = 0;

	(void)state;
	describe(64 * MIB, 1);
	start();
	while ((pfn[nr] = yard_alloc(sim->yard, YARD_GFP_NOWAIT, 0)) != YARD_PFN_NONE)
		nr++;
	for (uint64_t i = 0; i < nr; i++)
		if (pfn[i] % 4)
			assert_int_equal(yard_free(sim->yard, pfn[i], 0), YARD_OK);
	free(pfn);
	make_file(30 * MIB * SIM_PAGE);
	file->folio_order = 8;
	as_task(read_whole);
	run_for(NS_PER_S);
	for (uint64_t page = 0; page < file->object->pages; page++)
		in_large += entry_of(page) & ENTRY_RESIDENT && entry_order(entry_of(page)) > 1;
	assert_true(in_large < 2 * MIB);
	assert_true(page_cache_statistics(sim)->large_failed > 100);
	assert_true(page_cache_statistics(sim)->large_tries >= page_cache_statistics(sim)->large_failed);
	assert_true(file->object->resident > 2 * MIB);
	assert_true(node_counter(YARD_NODE_PGSTEAL_KSWAPD) > MIB); // O-11: the attempts wake kswapd ...
	assert_true(free_pages() > 10 * MIB);			   // ... with much memory free
	assert_int_equal(sim->results->failures[REQUEST_FILE], 0); // they had a fallback
	check_quiet();
}

// ---- references (L-9, L-14) ----

static void read_twice_and_again(void)
{
	file_read(sim, file, 0, 100);
	file_read(sim, file, 100, 100); // the same page: counts once
	yard_lru_drain_all(sim->yard);
	assert_int_equal(flags_of(0) & (YARD_PAGE_ACTIVE | YARD_PAGE_REFERENCED), YARD_PAGE_REFERENCED);
	file_read(sim, file, 8 * SIM_PAGE, 1);
	file_read(sim, file, 0, 1);
	yard_lru_drain_all(sim->yard);
	assert_int_equal(flags_of(0) & (YARD_PAGE_ACTIVE | YARD_PAGE_REFERENCED), YARD_PAGE_ACTIVE);
	assert_int_equal(flags_of(1) & (YARD_PAGE_ACTIVE | YARD_PAGE_REFERENCED), 0); // read ahead only
}

static void L9_one_reference_for_each_read_of_a_page(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	make_file(MIB * SIM_PAGE);
	as_task(read_twice_and_again);
}

static void read_three_times(void)
{
	for (unsigned i = 0; i < 3; i++)
		read_whole();
}

static void make_active(void)
{
	read_whole();
	read_whole();
}

// 30 MiB are active, and 54 MiB of another file pass through the rest again and again: they would fit if the active
// pages were not there.
static void L20_a_file_that_is_too_large_refaults(void **state)
{
	uint64_t active;

	(void)state;
	describe(64 * MIB, 1);
	start();
	make_file(30 * MIB * SIM_PAGE);
	as_task(make_active);
	yard_lru_drain_all(sim->yard);
	active = node_counter(YARD_NODE_ACTIVE_FILE);
	assert_true(active > 29 * MIB);
	make_file(54 * MIB * SIM_PAGE);
	as_task(read_three_times);
	run_for(NS_PER_S);
	check_quiet();
	assert_true(node_counter(YARD_NODE_WORKINGSET_REFAULT_FILE) > 30 * MIB);
	assert_true(node_counter(YARD_NODE_WORKINGSET_ACTIVATE_FILE) > MIB);
	assert_true(file->object->resident < 64 * MIB);
}

// ---- writes ----

static void write_parts(void)
{
	assert_true(file_write(sim, file, 100, 100)); // reads the rest of the page first
	assert_int_equal(reads(), 1);
	assert_true(file_write(sim, file, SIM_PAGE, 2 * SIM_PAGE)); // whole pages
	assert_true(file_write(sim, file, 10 * SIM_PAGE + 5, 10));  // behind the end
	assert_int_equal(reads(), 1);
	assert_int_equal(file->size, 10 * SIM_PAGE + 15);
	assert_int_equal(file->dirty, 4);
	assert_int_equal(node_counter(YARD_NODE_FILE_DIRTY), 4);
	assert_true(file_write(sim, file, SIM_PAGE, 1));
	assert_int_equal(file->dirty, 4);
	check_all();
	assert_true(file_sync(sim, file));
	assert_int_equal(file->dirty, 0);
	assert_int_equal(node_counter(YARD_NODE_WRITEBACK), 0);
	assert_int_equal(node_counter(YARD_NODE_WRITTEN), 4);
	assert_int_equal(device_statistics(memory_device(sim, 0))->writes, 2); // 0-2 and 10
	assert_int_equal(page_cache_statistics(sim)->written_pages, 4);
	assert_int_equal(counters()->pgpgout, 16);
	assert_true(file_write(sim, file, 0, SIM_PAGE)); // clean pages become dirty again
	assert_int_equal(file->dirty, 1);
}

static void partial_writes_read_first_and_fsync_waits(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	make_file(4 * SIM_PAGE);
	as_task(write_parts);
	check_quiet();
}

// The flusher is writing the page when it changes again: what it writes is the old content.
static void sync_what_is_being_written(void)
{
	assert_true(file_write(sim, file, 0, SIM_PAGE));
	assert_int_equal(file_write_back(sim, file, UINT64_MAX), 1);
	assert_true(flags_of(0) & YARD_PAGE_WRITEBACK);
	assert_true(file_write(sim, file, 0, SIM_PAGE));
	assert_int_equal(file->dirty, 1);
	assert_true(file_sync(sim, file));
	assert_int_equal(file->dirty, 0);
	assert_int_equal(node_counter(YARD_NODE_WRITEBACK), 0);
	assert_int_equal(page_cache_statistics(sim)->written_pages, 2);
}

static void fsync_writes_again_what_changed_while_it_was_written(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	make_file(0);
	as_task(sync_what_is_being_written);
	check_quiet();
}

static void write_a_mebibyte(void)
{
	assert_true(file_write(sim, file, 0, KIB * KIB));
}

static void W8_old_dirty_pages_are_written_after_30_seconds(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	make_file(0);
	as_task(write_a_mebibyte);
	assert_int_equal(file->dirty, 256);
	run_for(28 * NS_PER_S);
	assert_int_equal(file->dirty, 256);
	run_for(8 * NS_PER_S);
	assert_int_equal(file->dirty, 0);
	assert_int_equal(file->dirty_regions[0], 0);
	check_quiet();
}

static void W8_a_background_limit_of_0_writes_at_once(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	machine.dirty_background_ratio = 0;
	start();
	make_file(0);
	as_task(write_a_mebibyte);
	run_for(NS_PER_S / 2);
	assert_int_equal(file->dirty, 0);
	check_quiet();
}

static void reclaim_may_ask_for_all_dirty_pages(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	make_file(0);
	as_task(write_a_mebibyte);
	page_cache_wake_flusher(sim);
	run_for(10 * NS_PER_MS);
	assert_int_equal(file->dirty, 0);
	check_quiet();
}

static void dirty_most_of_memory(void)
{
	struct memory_object *object = object_create(sim, OBJECT_ANON, 40 * MIB);

	assert_true(file_write(sim, file, 0, (uint64_t)50 * MIB * SIM_PAGE));
	assert_int_equal(file->dirty, 50 * MIB);
	assert_int_equal(memory_touch_range(sim, object, 0, object->pages, true), object->pages);
	assert_true(file->dirty < 25 * MIB);
}

static void C6_6_reclaim_wakes_the_flusher(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	machine.dirty_ratio = 100; // nobody else does
	machine.dirty_background_ratio = 99;
	start();
	make_file(0);
	as_task(dirty_most_of_memory);
	check_all();
	assert_true(node_counter(YARD_NODE_VMSCAN_IMMEDIATE) > 0);
}

static uint64_t most_dirty, wrote_ns;

static void write_much(void)
{
	uint64_t start_ns = sim_now(sim);

	most_dirty = 0;
	for (uint64_t offset = 0; offset < (uint64_t)96 * MIB * SIM_PAGE; offset += 64 * KIB) {
		uint64_t dirty = node_counter(YARD_NODE_FILE_DIRTY) + node_counter(YARD_NODE_WRITEBACK);

		assert_true(file_write(sim, file, offset, 64 * KIB));
		most_dirty = dirty > most_dirty ? dirty : most_dirty;
	}
	wrote_ns = sim_now(sim) - start_ns;
}

// 96 MiB onto a disk of 100 MB/s, with room for 20 % of 128 MiB.
static void W8_writers_are_slowed_down_to_the_disk(void **state)
{
	(void)state;
	describe(128 * MIB, 2);
	disk.write_bandwidth = 100000000;
	disk.servers = 4;
	start();
	make_file(0);
	as_task(write_much);
	assert_true(most_dirty <= dirty_limits(sim)->limit + 64);
	assert_true(most_dirty > (dirty_limits(sim)->limit + dirty_limits(sim)->background) / 2);
	assert_in_range(wrote_ns, 600 * NS_PER_MS, 1100 * NS_PER_MS);
	assert_true(page_cache_statistics(sim)->throttled_ns > 300 * NS_PER_MS);
	run_for(40 * NS_PER_S);
	assert_int_equal(file->dirty, 0);
	check_quiet();
}

enum { WRITERS = 40 };

static void write_one_of_many(struct simulation *s, struct sim_task *task, void *argument)
{
	uint64_t offset = (uint64_t)(uintptr_t)argument * 2 * MIB * SIM_PAGE;

	(void)task;
	for (uint64_t i = 0; i < 2 * MIB; i++) {
		uint64_t dirty = node_counter(YARD_NODE_FILE_DIRTY) + node_counter(YARD_NODE_WRITEBACK);

		file_write(s, file, offset + i * SIM_PAGE, SIM_PAGE);
		most_dirty = dirty > most_dirty ? dirty : most_dirty;
	}
}

static void W8_at_the_limit_writers_stand(void **state)
{
	(void)state;
	describe(128 * MIB, 2);
	disk.write_bandwidth = 5000000;
	start();
	make_file(0);
	most_dirty = 0;
	for (uintptr_t i = 0; i < WRITERS; i++)
		task_of(write_one_of_many, (void *)i);
	run_for(10 * NS_PER_S);
	assert_true(most_dirty > dirty_limits(sim)->limit * 95 / 100);
	assert_true(most_dirty <= dirty_limits(sim)->limit + WRITERS * 32);
	run_for(100 * NS_PER_S);
	check_quiet();
}

static void write_a_little(void)
{
	assert_true(file_write(sim, file, 0, (uint64_t)15 * MIB * SIM_PAGE));
}

static void W8_below_the_limits_nobody_waits(void **state)
{
	(void)state;
	describe(128 * MIB, 1);
	disk.write_bandwidth = 100000000;
	start();
	make_file(0);
	as_task(write_a_little);
	assert_int_equal(page_cache_statistics(sim)->throttled_ns, 0);
	run_for(100 * NS_PER_MS);
	assert_true(file->dirty <= dirty_limits(sim)->background); // the flusher stops there
	assert_true(file->dirty > dirty_limits(sim)->background / 2);
	check_all();
}

static void grow_step_by_step(void)
{
	for (uint64_t page = 0; page < 3000; page += 7)
		assert_true(file_write(sim, file, page * SIM_PAGE, 7 * SIM_PAGE));
	check_all();
	for (uint64_t page = 0; page < 3000; page++)
		assert_true(entry_usable(entry_of(page)));
	file_truncate(sim, file, 1000 * SIM_PAGE);
	assert_true(file->object->resident <= 1000);
	assert_int_equal(file_pages(file), 1000);
	check_all();
	assert_true(file_read(sim, file, 0, 10000 * SIM_PAGE));
}

static void a_file_that_grows_keeps_its_pages(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	make_file(0);
	file_open(file_create(sim, SIM_PAGE)); // has the number after it
	as_task(grow_step_by_step);
	run_for(60 * NS_PER_S);
	check_quiet();
}

static void unlink_while_writing(void)
{
	assert_true(file_write(sim, file, 0, (uint64_t)4 * MIB * SIM_PAGE));
	page_cache_wake_flusher(sim);
	task_sleep(sim, 2 * NS_PER_MS);
	assert_true(node_counter(YARD_NODE_WRITEBACK) > 0);
	file_unlink(sim, file);
	assert_true(file->object->resident > 0); // it is open
	file_close(sim, file);
	assert_true(counters()->orphans > 0);
	assert_ptr_equal(sim->page_cache->files, file); // the requests know it
}

static void an_unlinked_file_goes_when_nobody_has_it_open(void **state)
{
	uint64_t before;

	(void)state;
	describe(64 * MIB, 1);
	disk.write_ns = 100 * NS_PER_MS;
	start();
	before = free_pages();
	make_file(0);
	as_task(unlink_while_writing);
	check_all();
	run_for(2 * NS_PER_S);
	check_quiet();
	assert_int_equal(free_pages(), before);
	assert_null(sim->page_cache->files);
}

// ---- mappings ----

static void touch_mapping(void)
{
	assert_int_equal(memory_touch(sim, file->object, 40, false), TOUCH_MAJOR);
	assert_int_equal(memory_touch(sim, file->object, 40, false), TOUCH_HIT);
	assert_int_equal(memory_touch(sim, file->object, 33, false), TOUCH_HIT); // mapped around
	assert_true(entry_usable(entry_of(50)));				 // read around
	assert_int_equal(memory_touch(sim, file->object, 50, false), TOUCH_MINOR);
	assert_int_equal(counters()->pgmajfault, 1);
	assert_int_equal(counters()->pgfault, 2);
	assert_int_equal(counters()->page_tables, 1);
	assert_int_equal(memory_touch(sim, file->object, 40, true), TOUCH_MINOR); // it was clean
	assert_int_equal(file->dirty, 1);
	assert_int_equal(memory_touch(sim, file->object, 40, true), TOUCH_HIT);
	assert_int_equal(memory_touch(sim, file->object, 5000, false), TOUCH_OOM); // SIGBUS
	check_all();
	assert_true(file_sync(sim, file));
	assert_int_equal(memory_touch(sim, file->object, 40, true), TOUCH_MINOR); // protected again
	object_unmap(sim, file->object);
	assert_int_equal(counters()->page_tables, 0);
	assert_int_equal(node_counter(YARD_NODE_FILE_MAPPED), 0);
	assert_int_equal(memory_touch(sim, file->object, 40, false), TOUCH_MINOR);
}

static void X13_faults_of_file_mappings(void **state)
{
	(void)state;
	describe(64 * MIB, 1);
	start();
	make_file(1000 * SIM_PAGE);
	as_task(touch_mapping);
	run_for(60 * NS_PER_S);
	check_quiet();
}

static void touch_at_random(void)
{
	for (uint64_t i = 1; i <= 1000; i++)
		memory_touch(sim, file->object, i * 7919 % file->object->pages, false);
}

static void a_mapping_with_random_accesses_reads_single_pages(void **state)
{
	(void)state;
	describe(128 * MIB, 1);
	start();
	make_file((uint64_t)1000 * MIB * SIM_PAGE);
	as_task(touch_at_random);
	assert_int_equal(read_bytes(), (100 * 32 + 900) * SIM_PAGE);
	check_quiet();
}

// ---- size ----

static void read_a_tebibyte_here_and_there(void)
{
	for (uint64_t i = 0; i < 1000; i++)
		assert_true(
			file_read(sim, file, (i * UINT64_C(0x9e3779b97f4a7c15) >> 24) / SIM_PAGE * SIM_PAGE, SIM_PAGE));
}

static void a_tebibyte_of_which_little_is_cached(void **state)
{
	uint64_t regions = 0;

	(void)state;
	describe(64 * MIB, 1);
	start();
	make_file(UINT64_C(1) << 40);
	as_task(read_a_tebibyte_here_and_there);
	for (uint32_t i = 0; i < 1u << file->object->region_order; i++)
		regions += sim->memory->region[file->object->first_region + i].entry != NULL;
	assert_in_range(regions, 900, 1000);
	check_quiet();
	file_unlink(sim, file);
	file_close(sim, file);
	check_quiet();
	assert_int_equal(lru_pages(), 0);
}

// ---- everything at once ----

enum { FILES = 6, TASKS = 5 };

static struct file *files[FILES];
static uint64_t operations, operations_max;

static void operate(struct simulation *s, struct random_source *random, struct file *f)
{
	uint64_t size = f->size ? f->size : 1, offset = random_below(random, size),
		 bytes = random_below(random, 200 * KIB);

	switch (random_below(random, 12)) {
	case 0: file_sync(s, f); break;
	case 1:
		if (random_chance(random, 1, 10))
			file_truncate(s, f, random_below(random, size < 20 * KIB * KIB ? 2 * size : size));
		break;
	case 2:
		if (random_chance(random, 1, 10))
			object_unmap(s, f->object);
		break;
	case 3:
	case 4: file_write(s, f, offset, bytes); break;
	case 5:
	case 6:
		if (f->object->pages)
			memory_touch(s, f->object, random_below(random, f->object->pages), random_chance(random, 1, 2));
		break;
	default: file_read(s, f, offset, bytes); break;
	}
}

static void work(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)argument;
	while (operations < operations_max && !s->error[0]) {
		unsigned i = (unsigned)random_below(&task->random, FILES);
		struct file *f = file_open(files[i]);

		operations++;
		if (random_chance(&task->random, 1, 300)) {
			files[i] = file_open(file_create(s, random_below(&task->random, 20 * KIB * KIB)));
			files[i]->folio_order = (uint8_t)random_below(&task->random, 6);
			file_unlink(s, f);
			file_close(s, f); // the table's
		} else if (random_chance(&task->random, 1, 500)) {
			yard_compact_node(s->yard, 0);
		} else {
			operate(s, &task->random, f);
		}
		file_close(s, f);
	}
}

static void random_operations(bool lru_gen)
{
	uint64_t before;

	describe(48 * MIB, 3);
	machine.lru_gen = lru_gen;
	start();
	before = free_pages();
	operations = 0;
	operations_max = 20000;
	for (unsigned i = 0; i < FILES; i++)
		files[i] = file_open(file_create(sim, 10 * KIB * KIB));
	for (unsigned i = 0; i < TASKS; i++)
		task_of(work, NULL);
	while (operations < operations_max) {
		uint64_t was = operations;

		run_for(50 * NS_PER_MS);
		check_all();
		if (operations == was) {
			run_for(10 * NS_PER_S);
			assert_true(operations > was);
		}
	}
	run_for(60 * NS_PER_S);
	check_quiet();
	assert_int_equal(node_counter(YARD_NODE_FILE_DIRTY), 0);
	assert_true(vm(YARD_VM_PGMIGRATE_SUCCESS) > 0);
	for (unsigned i = 0; i < FILES; i++) {
		file_unlink(sim, files[i]);
		file_close(sim, files[i]);
	}
	check_quiet();
	assert_int_equal(free_pages(), before);
}

static void random_operations_classic(void **state)
{
	(void)state;
	random_operations(false);
}

static void random_operations_multi_gen(void **state)
{
	(void)state;
	random_operations(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(readahead_grows_and_keeps_ahead, stop),
		cmocka_unit_test_teardown(random_reads_bring_what_is_wanted, stop),
		cmocka_unit_test_teardown(two_streams_in_one_file_are_both_read_ahead, stop),
		cmocka_unit_test_teardown(without_readahead_pages_are_read_one_by_one, stop),
		cmocka_unit_test_teardown(large_blocks_where_there_are_some, stop),
		cmocka_unit_test_teardown(O11_with_no_large_block_single_pages_are_read, stop),
		cmocka_unit_test_teardown(L9_one_reference_for_each_read_of_a_page, stop),
		cmocka_unit_test_teardown(L20_a_file_that_is_too_large_refaults, stop),
		cmocka_unit_test_teardown(partial_writes_read_first_and_fsync_waits, stop),
		cmocka_unit_test_teardown(fsync_writes_again_what_changed_while_it_was_written, stop),
		cmocka_unit_test_teardown(W8_old_dirty_pages_are_written_after_30_seconds, stop),
		cmocka_unit_test_teardown(W8_a_background_limit_of_0_writes_at_once, stop),
		cmocka_unit_test_teardown(reclaim_may_ask_for_all_dirty_pages, stop),
		cmocka_unit_test_teardown(C6_6_reclaim_wakes_the_flusher, stop),
		cmocka_unit_test_teardown(W8_writers_are_slowed_down_to_the_disk, stop),
		cmocka_unit_test_teardown(W8_at_the_limit_writers_stand, stop),
		cmocka_unit_test_teardown(W8_below_the_limits_nobody_waits, stop),
		cmocka_unit_test_teardown(a_file_that_grows_keeps_its_pages, stop),
		cmocka_unit_test_teardown(an_unlinked_file_goes_when_nobody_has_it_open, stop),
		cmocka_unit_test_teardown(X13_faults_of_file_mappings, stop),
		cmocka_unit_test_teardown(a_mapping_with_random_accesses_reads_single_pages, stop),
		cmocka_unit_test_teardown(a_tebibyte_of_which_little_is_cached, stop),
		cmocka_unit_test_teardown(random_operations_classic, stop),
		cmocka_unit_test_teardown(random_operations_multi_gen, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
