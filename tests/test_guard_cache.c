// SPDX-License-Identifier: Apache-2.0
//
// Guards and the page cache (spec 02 UG-2, UG-3): a cached page is its group's who brought it in, and what reclaim takes
// of it counts as scanned on that group's behalf.

#include "scenario_fixture.h"

#include <pageyard/lru.h>
#include <pageyard/pressure.h>
#include <pageyard/stat.h>
#include <pageyard/worker.h>

#include "sim/guard.h"
#include "sim/page_cache.h"
#include "sim/process.h"

#define ONE_NODE "machine: box\nduration: 100s\nworkload:\n  - {kind: storm}\n"

enum { PAGES = 4096 }; // of a file

static struct file *shared_file;
static unsigned bodies_done;

static int clear(void **state)
{
	shared_file = NULL;
	bodies_done = 0;
	return enter_folder(state);
}

// A process of the group ("": of none) without memory of its own.
static struct process *start_process(const char *group, task_body *body)
{
	const struct task_attributes attributes = {.comm = "reader", .cpu = -1, .node = -1};
	struct process *process = process_create(sim, &(struct process_attributes){
		.comm = "reader", .free = true, .group = (uint16_t)process_group(sim, group)});

	assert_non_null(process);
	assert_non_null(process_thread(sim, process, &attributes, body, NULL));
	return process;
}

static void read_whole(struct simulation *s, struct file *file)
{
	assert_true(file_read(s, file, 0, file->size));
	yard_lru_drain(s->yard);
}

static void read_shared(struct simulation *s, struct sim_task *task, void *unused)
{
	(void)task, (void)unused;
	if (!shared_file)
		shared_file = file_create(s, PAGES * SIM_PAGE);
	read_whole(s, shared_file);
	bodies_done++;
}

static void read_own(struct simulation *s, struct sim_task *task, void *unused)
{
	(void)task, (void)unused;
	read_whole(s, file_create(s, PAGES * SIM_PAGE / 2));
	bodies_done++;
}

static void write_own(struct simulation *s, struct sim_task *task, void *unused)
{
	struct file *file = file_create(s, 0);

	(void)task, (void)unused;
	assert_true(file_write(s, file, 0, PAGES * SIM_PAGE / 4) && file_sync(s, file));
	bodies_done++;
}

static void run_in_turn_of_group(const char *group, task_body *body)
{
	unsigned before = bodies_done;

	start_process(group, body);
	go_on(scheduler_clock(sim) + NS_PER_S);
	assert_int_equal(bodies_done, before + 1);
}

// As `echo "64M swappiness=0" >memory.reclaim`: everything that the cache has goes.
static void reclaim_all(struct simulation *s, struct sim_task *task, void *unused)
{
	uint64_t reclaimed;

	(void)task, (void)unused;
	s->inside++;
	yard_memory_reclaim_write(s->yard, "64M swappiness=0", &reclaimed);
	s->inside--;
	bodies_done++;
}

// The first reader's, not the next one's; the writer's; of who is in no group the system's as a whole. The readers have
// exited long since.
static void UG2_the_page_cache_is_its_group_s_who_brought_it_in(void **state)
{
	uint64_t pgscan[YARD_PSI_GROUPS];

	(void)state;
	boot(ONE_NODE, "linux-7.3");
	run_in_turn_of_group("first", read_shared);
	run_in_turn_of_group("second", read_shared);
	run_in_turn_of_group("second", read_own);
	run_in_turn_of_group("writer", write_own);
	run_in_turn_of_group("", read_own);
	process_pgscan(sim, pgscan);
	assert_int_equal(pgscan[0], 0);
	run_in_turn_of_group("", reclaim_all);
	process_pgscan(sim, pgscan);
	assert_int_equal(yard_get_node_stat(sim->yard, 0, YARD_NODE_FILE_PAGES), 0);
	assert_int_equal(pgscan[process_group(sim, "first")], PAGES);
	assert_int_equal(pgscan[process_group(sim, "second")], PAGES / 2);
	assert_int_equal(pgscan[process_group(sim, "writer")], PAGES / 4);
	assert_int_equal(pgscan[0], PAGES + PAGES / 2 + PAGES / 4 + PAGES / 2);
}

// ---- a guard ----

static void read_and_stall(struct simulation *s, struct sim_task *task, void *unused)
{
	struct file *file = file_create(s, PAGES * SIM_PAGE);

	(void)unused;
	while (!task_stopped(task)) {
		yard_memstall_enter(s->yard);
		if (file_read(s, file, 0, file->size))
			task_sleep(s, 50 * NS_PER_MS);
		yard_memstall_leave(s->yard);
	}
}

static void reclaim_each_second(struct simulation *s, struct sim_task *task, void *unused)
{
	uint64_t reclaimed;

	(void)unused;
	while (!task_stopped(task)) {
		task_sleep(s, NS_PER_S);
		s->inside++;
		yard_memory_reclaim_write(s->yard, "8M swappiness=0", &reclaimed);
		s->inside--;
	}
}

static void check_guard(const struct guard_config *config, bool reclaim)
{
	struct guard_state told;
	struct process *stalls;

	boot(ONE_NODE, "linux-7.3");
	assert_true(guard_start(sim, config, 0));
	stalls = start_process("service", read_and_stall);
	process_hold(stalls);
	start_process("", reclaim ? reclaim_each_second : read_own);
	go_on(60 * NS_PER_S);
	guard_state(sim, 0, &told);
	assert_int_equal(told.firings > 0, reclaim);
	assert_int_equal(stalls->killed, reclaim);
	if (reclaim)
		assert_string_equal(told.victim[0].name, "service");
	process_put(sim, stalls);
	simulation_destroy(sim);
	scenario_free(scenario);
	sim = NULL;
	scenario = NULL;
}

// A service that has nothing but page cache stalls. Without reclaim its stall is something else's.
static void UG2_fires_when_nothing_but_page_cache_is_reclaimed(void **state)
{
	const struct guard_config config = {.kind = GUARD_SYSTEMD_OOMD, .swap_used_limit_ppm = 900000,
					    .pressure_limit_ppm = 600000, .pressure_duration_ns = 30 * NS_PER_S};

	(void)state;
	check_guard(&config, true);
	check_guard(&config, false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, clear, shut_down)
	const struct CMUnitTest tests[] = {
		TEST(UG2_the_page_cache_is_its_group_s_who_brought_it_in),
		TEST(UG2_fires_when_nothing_but_page_cache_is_reclaimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
