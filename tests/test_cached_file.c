// SPDX-License-Identifier: Apache-2.0
//
// Inodes and dentries of files (spec 04 S-4): what holds an inode, and when the shrinkers may have it.

#include "memory_fixture.h"

#include "sim/slab.h"
#include "sim/work_files.h"

enum { FILES = 60, FILE_PAGES = 3 };

static struct work_file table[FILES];
static struct work_files files;

static struct slab_statistics statistics_of(enum kernel_cache cache)
{
	struct slab_statistics statistics;

	slab_cache_statistics(files.caches.cache[cache], &statistics);
	return statistics;
}

static void expect(enum kernel_cache cache, uint64_t objects, uint64_t unused)
{
	assert_int_equal(statistics_of(cache).objects, objects);
	assert_int_equal(statistics_of(cache).unused, unused);
	assert_string_equal(sim->error, "");
}

static void create_all(void)
{
	const struct config_range size = {FILE_PAGES * SIM_PAGE, FILE_PAGES * SIM_PAGE};

	memset(table, 0, sizeof(table));
	assert_true(work_files_create(sim, task_current(sim), &files, table, FILES, size));
}

static void look_at(uint64_t nr, bool read)
{
	for (uint64_t i = 0; i < nr; i++) {
		struct file *file = work_files_open(sim, &files, i);

		assert_non_null(file);
		assert_true(!read || file_read(sim, file, 0, file->size));
		work_files_close(sim, &files, i);
	}
}

static void drop_pages(uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++)
		object_drop(sim, files.item[i].file->object, 0, FILE_PAGES);
}

static void run(void (*body)(void))
{
	describe(64 * MIB, 1);
	start();
	as_task(body);
}

static void look_only(void)
{
	create_all();
	look_at(FILES, false);
	expect(KERNEL_DENTRY, FILES, FILES);
	expect(KERNEL_INODE, FILES, 0);
	yard_drop_slab(sim->yard); // the dentries, and then what they held
	expect(KERNEL_DENTRY, 0, 0);
	expect(KERNEL_INODE, 0, 0);
	work_files_delete(sim, &files);
}

static void S4_a_dentry_holds_its_inode(void **state)
{
	(void)state;
	run(look_only);
}

static void read_and_empty(void)
{
	create_all();
	look_at(FILES, true);
	yard_drop_slab(sim->yard);
	expect(KERNEL_DENTRY, 0, 0);
	expect(KERNEL_INODE, FILES, 0);
	drop_pages(FILES / 2);
	expect(KERNEL_INODE, FILES, FILES / 2);
	look_at(10, false); // wanted again: the dentry is a new one, the inode is still there
	expect(KERNEL_DENTRY, 10, 10);
	expect(KERNEL_INODE, FILES, FILES / 2 - 10);
	yard_drop_slab(sim->yard);
	expect(KERNEL_INODE, FILES / 2, 0);
	work_files_delete(sim, &files);
	expect(KERNEL_INODE, 0, 0);
}

static void S4_cached_pages_hold_the_inode_of_their_file(void **state)
{
	(void)state;
	run(read_and_empty);
}

// What is open is held whatever happens to its pages and to the others.
static void keep_open(void)
{
	create_all();
	look_at(FILES, true);
	assert_non_null(work_files_open(sim, &files, 0));
	drop_pages(1);
	yard_drop_slab(sim->yard);
	expect(KERNEL_DENTRY, 1, 0);
	expect(KERNEL_INODE, FILES, 0);
	work_files_close(sim, &files, 0);
	expect(KERNEL_DENTRY, 1, 1);
	expect(KERNEL_INODE, FILES, 0);
	assert_non_null(work_files_replace(sim, &files, 0));
	expect(KERNEL_DENTRY, 0, 0);
	expect(KERNEL_INODE, FILES - 1, 0);
	work_files_delete(sim, &files);
}

static void an_open_file_holds_both(void **state)
{
	(void)state;
	run(keep_open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(S4_a_dentry_holds_its_inode, stop),
		cmocka_unit_test_teardown(S4_cached_pages_hold_the_inode_of_their_file, stop),
		cmocka_unit_test_teardown(an_open_file_holds_both, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
