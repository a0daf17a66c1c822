// SPDX-License-Identifier: Apache-2.0
//
// NUMA balancing of mappings of files (spec 05 B5, B6, B8, B11), and the key `maps` of populate.

#include "numa_fixture.h"

#include "sim/page_cache.h"

static struct file *file; // of the test, in memory on node 1

// The task's process maps `pages` of a new file, of which all are on node 1.
static struct memory_object *map_file_on_1(struct sim_task *task, uint64_t pages, bool writable)
{
	file = file_create(sim, 0);
	assert_non_null(file);
	file_truncate(sim, file, pages * SIM_PAGE);
	assert_true(process_map_file(sim, task->process, file, writable));
	file_unlink(sim, file); // goes with its last mapping
	put_pages(file->object, 0, pages, 1);
	assert_int_equal(object_resident_on(file->object, 1), pages);
	return file->object;
}

static void clean(void)
{
	assert_true(file_sync(sim, file));
	assert_int_equal(file->dirty, 0);
}

// ---- B5, B6: what is marked ----

static void scan_read_only(struct sim_task *task)
{
	struct memory_object *object = map_file_on_1(task, R, false);

	clean();
	for (unsigned i = 0; i < 4; i++)
		scan_now(task);
	assert_int_equal(count_marked(object), 0);
	assert_int_equal(task->process->file_mapping[0].numa.scanned, 0); // not even when nothing else is left
}

static void B5_read_only_files_are_not_scanned(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_read_only);
	assert_int_equal(counts()->pte_updates, 0);
}

static void scan_shared(struct sim_task *task)
{
	struct memory_object *anonymous = map_on(task, R, 1), *object = map_file_on_1(task, R, true);

	scan_now(task);
	assert_int_equal(count_marked(anonymous), R);
	assert_int_equal(count_marked(object), 0); // dirty
	clean();
	task_compute(sim, NS_PER_S); // new mappings rest
	for (uint64_t page = 0; page < 10; page++)
		assert_int_equal(memory_touch(sim, object, page, true), TOUCH_MINOR); // to write to a clean page is a fault
	scan_now(task);
	assert_int_equal(count_marked(object), R - 10);
	assert_false(is_marked(object, 9));
	assert_true(is_marked(object, 10));
}

static void B6_dirty_pages_are_not_marked(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_shared);
}

static void scan_local(struct sim_task *task)
{
	struct memory_object *anonymous = map_on(task, R, 0), *object = map_file_on_1(task, 2 * R, true);

	object_drop(sim, object, R, 2 * R); // they come back on the task's node
	put_pages(object, R, R, 0);
	clean();
	assert_int_equal(object_resident_on(object, 0), R);
	assert_int_equal(task->process->threads, 1);
	scan_now(task);
	assert_int_equal(count_marked(anonymous), 0);
	assert_int_equal(count_marked(object), 2 * R); // others may use it from elsewhere
}

static void B6_of_a_file_pages_of_the_tasks_node_are_marked_too(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), scan_local);
}

static void wait_for_access(struct sim_task *task)
{
	struct memory_object *object = map_file_on_1(task, R, true);
	struct numa_mapping *mapping = &task->process->file_mapping[0].numa;

	map_on(task, R, 1)->numa.accessed_by[0] = UINT64_MAX;
	clean();
	for (unsigned i = 0; i < 3; i++) {
		scan_now(task);
		task_compute(sim, NS_PER_S);
	}
	assert_int_equal(mapping->accessed_by[0], 0);
	touch(object, 0);
	assert_int_equal(mapping->accessed_by[0], UINT64_C(1) << task->task.pid % 64);
	assert_int_equal(object->numa.seen_ns, 0); // all that is known of it is the process's
}

static void B5_each_process_knows_its_own_mapping(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), wait_for_access);
}

// ---- B8, B11: what moves ----

static void move_pages(struct sim_task *task)
{
	struct memory_object *object = map_file_on_1(task, R, true);

	clean();
	scan_now(task);
	assert_int_equal(count_marked(object), R);
	task->numa.preferred_node = 1; // the sequence, which decides then, is the task's process's
	assert_int_equal(node_after_touch(object, 3), 0);
	assert_true(file_write(sim, file, 4 * SIM_PAGE, SIM_PAGE)); // write() meets no marks
	assert_true(is_marked(object, 4));
	assert_int_equal(counts()->migrate_failed, 0);
	assert_int_equal(node_after_touch(object, 4), 1); // it is dirty now
	assert_int_equal(counts()->migrate_failed, 1);
	assert_int_equal(counts()->pages_migrated, 1);
	assert_int_equal(memory_touch(sim, object, 5, true), TOUCH_MINOR); // first the hinting fault, then the write
	assert_int_equal(object_node_of(sim, object, 5), 0);
	assert_int_equal(file->dirty, 2);
	assert_int_equal(counts()->pages_migrated, 2);
}

static void B11_clean_pages_of_a_shared_file_move(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), move_pages);
}

static void move_code(struct sim_task *task)
{
	struct memory_object *object;

	file = file_create(sim, R * SIM_PAGE);
	assert_non_null(file);
	file->object->mapping = YARD_MAPPED_EXEC;
	object = file->object;
	assert_true(process_map_file(sim, task->process, file, true));
	put_pages(object, 0, 8, 1);
	clean();
	mark(object, 3, 0);
	assert_int_equal(node_after_touch(object, 3), 1);
	assert_int_equal(counts()->migrate_failed, 1);
	file_unlink(sim, file);
}

static void B11_executable_pages_stay(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), move_code);
}

static void move_large(struct sim_task *task)
{
	struct memory_object *object;
	uint64_t page = 0;
	unsigned order;

	file = file_create(sim, R * SIM_PAGE);
	assert_non_null(file);
	file->folio_order = 4;
	object = file->object;
	object->node = 1;
	assert_true(file_read(sim, file, 0, R * SIM_PAGE)); // readahead makes large folios
	assert_true(process_map_file(sim, task->process, file, true));
	put_pages(object, 0, R, 1);
	clean();
	while (!entry_order(region_of(sim, object, page)->entry[page]))
		page++;
	order = entry_order(region_of(sim, object, page)->entry[page]);
	scan_now(task);
	assert_int_equal(node_after_touch(object, page + 1), 0);
	assert_int_equal(counts()->pages_migrated, 1u << order);
	assert_int_equal(object_resident_on(object, 0), 1u << order);
	assert_true(is_marked(object, page)); // each page has its mark, the folio one note
	assert_int_equal(region_of(sim, object, page)->numa[page], accessor(task->cpu, task->task.pid));
	file_unlink(sim, file);
}

static void B11_a_large_folio_moves_whole(void **state)
{
	(void)state;
	in_task("machine: {memory: 64MiB, cpus: 2, zones: one, nodes: [{}, {}], readahead: 512KiB, "
		"numa_balancing: {scan_delay: 1h, scan_size: 4MiB, mode: 1}}\n"
		"duration: 1s\nworkload: [{kind: storm}]\n", move_large);
}

// ---- B8: groups of processes ----

static struct sim_task *first_task;

static void share_first(struct sim_task *task)
{
	struct memory_object *object = map_file_on_1(task, R, true);

	first_task = task;
	clean();
	mark(object, 0, accessor(3, task->task.pid + 5));
	touch(object, 0); // founds a group
	mark(object, 1, 0);
	touch(object, 1);
	task_compute(sim, NS_PER_S);
	assert_int_equal(task->numa.group->tasks, 2);
	task_sleep(sim, NS_PER_S);
}

static void share_too(struct sim_task *task)
{
	task_sleep_until(sim, NS_PER_S / 2);
	assert_true(process_map_file(sim, task->process, file, true));
	mark(file->object, 1, KEEP);
	touch(file->object, 1);
	assert_ptr_equal(task->numa.group, first_task->numa.group);
	task_compute(sim, NS_PER_S);
}

static void B8_processes_that_map_a_file_form_a_group(void **state)
{
	(void)state;
	boot(NODES_2("mode: 1"), "linux-7.3");
	add_thread(new_process(), 1, share_first);
	add_thread(new_process(), 0, share_too);
	finish_bodies();
}

// ---- life ----

static void map_and_unmap(struct sim_task *task)
{
	struct memory_object *object = map_file_on_1(task, R, true), *anonymous;
	struct file *mapped = file;

	file_open(mapped);
	clean();
	task->process->numa.mapping = 0;
	task->process->numa.page = R; // as if a scan were there
	anonymous = map_on(task, R, 1);
	assert_int_equal(task->process->numa.mapping, 1); // anonymous mappings come first
	process_unmap(sim, task->process, anonymous);
	assert_int_equal(task->process->numa.mapping, 0);
	task->process->numa.page = 0;
	scan_now(task);
	assert_int_equal(count_marked(object), R);
	process_unmap_file(sim, task->process, mapped);
	assert_int_equal(count_marked(object), 0);
	assert_int_equal(object->resident, R); // in the page cache
	check_all();
	assert_true(process_map_file(sim, task->process, mapped, true));
	assert_int_equal(memory_touch(sim, object, 0, false), TOUCH_MINOR);
	assert_int_equal(counts()->hint_faults, 0);
	scan_now(task);
	object_drop(sim, object, 0, R / 2);
	check_all();
	numa_balancing_accessed(sim, object, 100000);
	assert_int_equal(count_marked(object), 0);
	file_close(sim, mapped);
}

static void files_may_go_with_marks(void **state)
{
	(void)state;
	in_task(NODES_2("mode: 1"), map_and_unmap);
}

// ---- the key of populate ----

#define SCENARIO(keys)                                                                                                 \
	"machine: {memory: 64MiB, cpus: 2, zones: one, nodes: [{}, {}], numa_balancing: {mode: 1, scan_delay: 100ms, "   \
	"scan_period_min: 10ms, scan_size: 4MiB}}\nduration: 10s\nworkload:\n"                                         \
	"  - {kind: populate, memory: 8MiB, mempolicy: \"preferred:1\", node: 0, access: 4s, " keys "}\n"

static struct process *first_of_workload(void)
{
	struct process *process = process_first(sim);

	while (process && !process->nr_file_mappings)
		process = process->next;
	assert_non_null(process);
	return process;
}

static void run_populate(const char *text, bool writable)
{
	char problem[256];

	boot(text, "linux-7.3");
	start();
	go_on(NS_PER_S);
	assert_int_equal(process_count(sim) >= 2, true);
	assert_int_equal(first_of_workload()->file_mapping[0].file->object->resident, 2048);
	assert_int_equal(first_of_workload()->file_mapping[0].file->mappings, 2); // one file, two processes
	assert_int_equal(first_of_workload()->file_mapping[0].writable, writable);
	assert_int_equal(figure(0, "MiB local") + figure(0, "MiB remote"), 8); // whoever else maps it
	workload_stop(sim, &scenario->workload[0]);
	go_on(10 * NS_PER_S);
	assert_null(process_first(sim));
	assert_int_equal(yard_get_node_stat(sim->yard, 0, YARD_NODE_FILE_PAGES)
				 + yard_get_node_stat(sim->yard, 1, YARD_NODE_FILE_PAGES), 0); // it is deleted
	if (!memory_verify(sim, problem, sizeof(problem)))
		fail_msg("%s", problem);
}

static void populate_maps_a_file(void **state)
{
	(void)state;
	run_populate(SCENARIO("maps: shared-file, count: 2"), true);
	tear_down(state);
	enter_folder(state);
	run_populate(SCENARIO("maps: read-only-file, count: 2"), false);
	assert_int_equal(counts()->pte_updates, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(B5_read_only_files_are_not_scanned), TEST(B6_dirty_pages_are_not_marked),
		TEST(B6_of_a_file_pages_of_the_tasks_node_are_marked_too),
		TEST(B5_each_process_knows_its_own_mapping), TEST(B11_clean_pages_of_a_shared_file_move),
		TEST(B11_executable_pages_stay), TEST(B11_a_large_folio_moves_whole),
		TEST(B8_processes_that_map_a_file_form_a_group), TEST(files_may_go_with_marks),
		TEST(populate_maps_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
