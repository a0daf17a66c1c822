// SPDX-License-Identifier: Apache-2.0
//
// Processes: what they cost, that all of it comes back, threads, mappings, groups; and the owner's part in the OOM
// killer (spec 02 OOM-2 to OOM-9).

#include "process_fixture.h"

#include "sim/process_internal.h"
#include "sim/results.h"

enum { TASKS = 16 };

static const struct task_attributes plain = {.comm = "worker", .cpu = -1, .node = -1};

static struct process *make(const char *comm)
{
	struct process *process = process_create(sim, &(struct process_attributes){.comm = comm});

	assert_non_null(process);
	return process;
}

// Pages that processes no longer have but that are not free: slabs, and stacks that CPUs keep.
static uint64_t kept_pages(void)
{
	struct slab_statistics statistics;
	uint64_t pages = 0;

	slab_statistics(sim, &statistics);
	for (unsigned cpu = 0; cpu < machine.nr_cpus; cpu++)
		pages += (uint64_t)sim->processes->stacks[cpu].nr * STACK_PAGES;
	return pages + statistics.pages;
}

static uint64_t objects_in_use(void)
{
	struct slab_statistics statistics;

	slab_statistics(sim, &statistics);
	return statistics.objects;
}

// ---- bodies: what they find goes here ----

static unsigned bodies_ended, ends_told;
static bool process_was_there;
static uint32_t pid_of_first, pid_of_second;

static void short_body(struct simulation *simulation, struct sim_task *task, void *argument)
{
	task_sleep(simulation, *(const uint64_t *)argument);
	if (task->process->nr_mappings)
		memory_touch_range(simulation, task->process->mapping[0], 0, task->process->mapping[0]->pages, true);
	bodies_ended++;
}

static void note_end(struct simulation *simulation, struct sim_task *task)
{
	(void)simulation;
	process_was_there = task->process;
	ends_told++;
	assert_ptr_equal(task->argument, &plain);
}

static void waiting_body(struct simulation *simulation, struct sim_task *task, void *argument)
{
	(void)argument;
	while (!task_stopped(task))
		task_sleep(simulation, NS_PER_S);
	bodies_ended++;
}

static void begin(unsigned cpus, uint64_t pages)
{
	bodies_ended = ends_told = 0;
	start(1, cpus, pages);
}

// ---- groups ----

static void groups_are_numbered_by_name(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};

	(void)state;
	begin(1, PAGES);
	assert_int_equal(process_group(sim, ""), 0);
	assert_int_equal(process_group(sim, NULL), 0);
	for (int i = 0; i < (int)COUNT(names); i++)
		assert_int_equal(process_group(sim, names[i]), i + 1);
	assert_int_equal(process_group(sim, "h"), -1);
	assert_int_equal(process_group(sim, "c"), 3);
	assert_string_equal(process_group_name(sim, 3), "c");
	assert_string_equal(process_group_name(sim, 0), "");
	assert_string_equal(process_group_name(sim, 99), "");
}

// ---- what a process costs ----

enum { STACK_TRY = 0x29c2, TABLES = 0x440dc0 }; // masks of the records

static unsigned stacks_asked, tables_asked;

static void count_requests(void *context, const struct yard_event *event)
{
	(void)context;
	if (event->kind != YARD_EVENT_PAGE_ALLOC)
		return;
	stacks_asked += event->order == 2 && (uint32_t)event->a == STACK_TRY;
	tables_asked += event->order == 0 && (uint32_t)event->a == TABLES;
}

static void fork_asks_as_recorded_kernels_do(void **state)
{
	struct process *process;
	uint64_t before, objects;

	(void)state;
	begin(1, PAGES);
	before = free_pages();
	stacks_asked = tables_asked = 0;
	yard_set_event_sink(sim->yard, count_requests, NULL, false);
	process = make("first");
	assert_int_equal(stacks_asked, 1);
	assert_int_equal(tables_asked, FORK_TABLES + EXEC_TABLES);
	assert_int_equal(free_pages(), before - STACK_PAGES - EXEC_TABLES - kept_pages());
	objects = objects_in_use();
	assert_true(objects > 50);
	assert_int_equal(process_count(sim), 1);
	process_discard(sim, process);
	assert_int_equal(process_count(sim), 0);
	assert_int_equal(objects_in_use(), 0);
	assert_int_equal(free_pages(), before - kept_pages());
	make("second"); // with the stack that the CPU has kept
	assert_int_equal(stacks_asked, 1);
	assert_int_equal(objects_in_use(), objects);
	check_yard();
}

static void a_cpu_keeps_two_stacks(void **state)
{
	struct process *process[4];

	(void)state;
	begin(1, PAGES);
	for (unsigned i = 0; i < COUNT(process); i++)
		process[i] = make("one");
	for (unsigned i = 0; i < COUNT(process); i++)
		process_discard(sim, process[i]);
	assert_int_equal(sim->processes->stacks[0].nr, 2);
}

static void a_fixture_costs_nothing(void **state)
{
	uint64_t before;

	(void)state;
	begin(1, PAGES);
	before = free_pages();
	assert_non_null(process_create(sim, &(struct process_attributes){.comm = "fixture", .free = true}));
	assert_int_equal(free_pages(), before);
	assert_int_equal(process_count(sim), 1);
}

// All free memory is single pages: the stack is made of them.
static void stacks_of_single_pages(void **state)
{
	uint32_t *taken = calloc(PAGES, sizeof(*taken));
	uint32_t nr = 0;

	(void)state;
	assert_non_null(taken);
	begin(1, PAGES);
	while (nr < PAGES && (taken[nr] = yard_alloc(sim->yard, YARD_GFP_ATOMIC | YARD_GFP_NOWARN, 0)) != YARD_PFN_NONE)
		nr++;
	for (uint32_t i = 0; i < nr; i++)
		if (taken[i] % 2)
			yard_free(sim->yard, taken[i], 0);
	free(taken);
	make("scattered");
	assert_int_equal(process_count(sim), 1);
	check_yard();
}

// With one free page more each time: whatever cannot be had, all that had been taken comes back.
static void a_fork_that_fails_leaves_nothing(void **state)
{
	uint32_t *taken = calloc(PAGES, sizeof(*taken));
	uint32_t nr = 0, failed = 0;
	uint64_t owned;

	(void)state;
	assert_non_null(taken);
	begin(1, PAGES);
	assert_int_equal(yard_forbid_gfp(sim->yard, YARD_GFP_DIRECT_RECLAIM), YARD_OK); // no OOM killer
	while (nr < PAGES && (taken[nr] = yard_alloc(sim->yard, YARD_GFP_NOWAIT, 0)) != YARD_PFN_NONE)
		nr++;
	owned = free_pages() + kept_pages();
	for (; nr; failed++) {
		struct process *process = process_create(sim, &(struct process_attributes){.comm = "fork"});

		assert_string_equal(sim->error, "");
		if (process)
			break;
		assert_int_equal(process_count(sim), 0);
		assert_int_equal(objects_in_use(), 0);
		assert_int_equal(free_pages() + kept_pages(), owned);
		assert_int_equal(yard_free(sim->yard, taken[--nr], 0), YARD_OK);
		owned++;
	}
	assert_int_equal(process_count(sim), 1);
	assert_true(failed > 20);
	free(taken);
	check_yard();
}

// ---- threads ----

static void all_comes_back_when_the_last_thread_has_ended(void **state)
{
	static const uint64_t sleeps[] = {NS_PER_MS, 3 * NS_PER_MS, 2 * NS_PER_MS};
	struct task_attributes attributes = plain;
	struct process *process;
	struct sim_task *task;
	uint64_t before;

	(void)state;
	begin(2, PAGES);
	before = free_pages();
	process = make("threads");
	assert_non_null(process_map(sim, process, 1000, false));
	attributes.at_end = note_end;
	for (unsigned i = 0; i < COUNT(sleeps); i++) {
		task = process_thread(sim, process, &attributes, short_body, (void *)(uintptr_t)&sleeps[i]);
		assert_non_null(task);
		task->at_end = NULL;
	}
	assert_int_equal(process->threads, 3);
	run_until(2 * NS_PER_MS + NS_PER_MS / 2);
	assert_int_equal(bodies_ended, 2);
	assert_int_equal(process->threads, 1);
	assert_int_equal(process->resident, 1000);
	run_until(NS_PER_S);
	assert_int_equal(bodies_ended, 3);
	assert_int_equal(process_count(sim), 0);
	assert_int_equal(objects_in_use(), 0);
	assert_int_equal(free_pages(), before - kept_pages());
	check_yard();
}

static void end_body(struct simulation *simulation, struct sim_task *task, void *argument)
{
	assert_ptr_equal(argument, &plain);
	assert_ptr_equal(task->argument, &plain);
	task_sleep(simulation, NS_PER_MS);
	bodies_ended++;
}

static void at_end_comes_after_the_exit(void **state)
{
	struct task_attributes attributes = plain;
	struct process *process;

	(void)state;
	begin(1, PAGES);
	process = make("one");
	attributes.at_end = note_end;
	process_was_there = true;
	assert_non_null(process_thread(sim, process, &attributes, end_body, (void *)(uintptr_t)&plain));
	run_until(NS_PER_S);
	assert_int_equal(ends_told, 1);
	assert_false(process_was_there);
	assert_int_equal(process_count(sim), 0);
}

static void pid_body(struct simulation *simulation, struct sim_task *task, void *argument)
{
	*(uint32_t *)argument = task->task.pid;
	task_sleep(simulation, NS_PER_S);
}

static void the_first_thread_has_the_pid(void **state)
{
	struct process *process;

	(void)state;
	begin(2, PAGES);
	process = make("two");
	assert_non_null(process_thread(sim, process, &plain, pid_body, &pid_of_first));
	assert_non_null(process_thread(sim, process, &plain, pid_body, &pid_of_second));
	run_until(NS_PER_MS);
	assert_int_equal(pid_of_first, process->pid);
	assert_int_not_equal(pid_of_second, process->pid);
	assert_int_not_equal(make("other")->pid, pid_of_second);
}

static bool wait_result;

static void parent_body(struct simulation *simulation, struct sim_task *task, void *argument)
{
	(void)task;
	wait_result = process_wait(simulation, argument);
	bodies_ended++;
	process_put(simulation, argument);
}

static void a_parent_waits_for_its_child(void **state)
{
	static const uint64_t sleep = 5 * NS_PER_MS;
	struct process *parent, *child, *late;

	(void)state;
	begin(1, PAGES);
	parent = make("parent");
	child = make("child");
	process_hold(child);
	process_hold(child);
	assert_non_null(process_thread(sim, parent, &plain, parent_body, child));
	assert_non_null(process_thread(sim, child, &plain, short_body, (void *)(uintptr_t)&sleep));
	run_until(4 * NS_PER_MS);
	assert_int_equal(bodies_ended, 0);
	run_until(6 * NS_PER_MS);
	assert_int_equal(bodies_ended, 2);
	assert_true(wait_result);
	assert_true(child->exited); // held once more
	assert_int_equal(process_count(sim), 0);
	late = make("late"); // one who comes after the child's end
	wait_result = false;
	assert_non_null(process_thread(sim, late, &plain, parent_body, child));
	run_until(10 * NS_PER_MS);
	assert_true(wait_result);
}

// Both are held when the simulation ends (the address sanitizer would tell).
static void what_is_held_is_freed_with_the_simulation(void **state)
{
	struct process *ended;

	(void)state;
	begin(1, PAGES);
	ended = make("ended");
	process_hold(ended);
	process_discard(sim, ended);
	assert_true(ended->exited);
	process_hold(make("alive"));
	assert_non_null(process_thread(sim, process_first(sim), &plain, waiting_body, NULL));
	run_until(NS_PER_MS);
}

static void forking_body(struct simulation *simulation, struct sim_task *task, void *argument)
{
	const struct process_attributes attributes = {.comm = "never"};

	(void)task;
	(void)argument;
	process_create(simulation, &attributes);
	bodies_ended++;
}

// The simulation ends in the middle of a fork (here, too, the address sanitizer would tell).
static void a_process_that_is_not_born_yet_is_freed_with_the_simulation(void **state)
{
	(void)state;
	begin(1, PAGES);
	assert_non_null(process_thread(sim, make("parent"), &plain, forking_body, NULL));
	for (uint64_t until = 0; until < 10 * NS_PER_MS && !sim->processes->zombies; until += NS_PER_US)
		run_until(until);
	assert_int_equal(bodies_ended, 0);
	assert_int_equal(process_count(sim), 1);
	assert_non_null(sim->processes->zombies);
}

// ---- mappings ----

static void mappings_come_and_go(void **state)
{
	struct memory_object *object[100];
	struct process *process;
	uint64_t objects;

	(void)state;
	begin(1, PAGES);
	process = make("maps");
	objects = objects_in_use();
	for (unsigned i = 0; i < COUNT(object); i++) {
		object[i] = process_map(sim, process, 100 + i, false);
		assert_non_null(object[i]);
	}
	assert_int_equal(process->nr_mappings, COUNT(object));
	assert_int_equal(objects_in_use(), objects + COUNT(object)); // vm_area_struct
	for (unsigned i = 0; i < COUNT(object); i += 2)
		process_unmap(sim, process, object[i]);
	assert_int_equal(process->nr_mappings, COUNT(object) / 2);
	for (unsigned i = 0; i < process->nr_mappings; i++)
		assert_int_equal(process->mapping[i]->pages, 101 + 2 * i);
	assert_int_equal(objects_in_use(), objects + COUNT(object) / 2);
	process_discard(sim, process);
	assert_int_equal(objects_in_use(), 0);
	assert_string_equal(sim->error, "");
}

static void E1_masks_of_huge_pages(void **state)
{
	enum { LIGHT = YARD_GFP_TRANSHUGE_LIGHT, DIRECT = YARD_GFP_DIRECT_RECLAIM, WAKE = YARD_GFP_KSWAPD_RECLAIM };
	static const struct {
		enum thp_defrag defrag;
		uint32_t madvised, other;
	} masks[] = {
		{THP_DEFRAG_ALWAYS, LIGHT | DIRECT, LIGHT | DIRECT | YARD_GFP_NORETRY},
		{THP_DEFRAG_DEFER, LIGHT | WAKE, LIGHT | WAKE},
		{THP_DEFRAG_DEFER_MADVISE, LIGHT | DIRECT, LIGHT | WAKE},
		{THP_DEFRAG_MADVISE, LIGHT | DIRECT, LIGHT},
		{THP_DEFRAG_NEVER, LIGHT, LIGHT},
	};
	struct process *process;

	(void)state;
	begin(1, PAGES);
	process = make("huge");
	for (unsigned i = 0; i < COUNT(masks); i++) {
		machine.thp_defrag = masks[i].defrag;
		machine.thp_enabled = THP_ALWAYS;
		assert_int_equal(process_map(sim, process, 512, true)->huge_gfp, masks[i].madvised);
		assert_int_equal(process_map(sim, process, 512, false)->huge_gfp, masks[i].other);
		assert_true(process->mapping[process->nr_mappings - 1]->huge);
	}
	machine.thp_enabled = THP_MADVISE;
	assert_true(process_map(sim, process, 512, true)->huge);
	assert_false(process_map(sim, process, 512, false)->huge);
	machine.thp_enabled = THP_NEVER;
	assert_false(process_map(sim, process, 512, true)->huge);
}

// ---- kills ----

static void a_kill_stops_all_threads(void **state)
{
	struct sim_task *task[2];
	struct process *process, *other;

	(void)state;
	begin(1, PAGES);
	process = make("victim");
	other = make("other");
	for (unsigned i = 0; i < COUNT(task); i++)
		task[i] = process_thread(sim, process, &plain, waiting_body, NULL);
	assert_non_null(process_thread(sim, other, &plain, waiting_body, NULL));
	run_until(NS_PER_MS);
	process_kill(sim, process, false);
	assert_true(process->killed);
	assert_false(process->oom_victim);
	for (unsigned i = 0; i < COUNT(task); i++) {
		assert_true(task[i]->task.flags & YARD_TASK_SIGNAL);
		assert_false(task[i]->task.flags & YARD_TASK_OOM_VICTIM);
	}
	assert_true(task_stopped(process_thread(sim, process, &plain, waiting_body, NULL))); // one that comes too late
	run_until(2 * NS_PER_MS);
	assert_int_equal(bodies_ended, 3);
	assert_int_equal(process_count(sim), 1);
	assert_ptr_equal(process_first(sim), other);
}

// ---- out of memory ----

// Fills its mapping and waits, or goes on with the next one, until it is stopped.
struct eater {
	uint64_t pages, wait_at_ns;
	struct wait_queue *io; // waits for a device then
	const char *mempolicy; // NULL: none
	uint64_t cpuset;
	uint64_t touched;
};

static void eater_body(struct simulation *simulation, struct sim_task *task, void *argument)
{
	struct eater *eater = argument;
	struct memory_object *object = process_map(simulation, task->process, eater->pages, false);
	struct placement placement = {.cpuset = eater->cpuset};

	if (eater->mempolicy)
		assert_true(placement_set(simulation, &placement, eater->mempolicy));
	task_set_placement(task, &placement);
	if (object)
		eater->touched = memory_touch_range(simulation, object, 0, eater->pages, true);
	if (eater->io)
		task_wait(simulation, eater->io, SIM_FOREVER, true);
	while (!task_stopped(task))
		task_sleep(simulation, NS_PER_S);
	bodies_ended++;
}

static struct process *start_eater(const char *comm, int adj, struct eater *eater)
{
	const struct process_attributes attributes = {.comm = comm, .oom_score_adj = (int16_t)adj};
	struct process *process = process_create(sim, &attributes);

	assert_non_null(process);
	assert_non_null(process_thread(sim, process, &plain, eater_body, eater));
	return process;
}

enum { OOM_PAGES = 16384 };

static void OOM7_the_biggest_is_killed_and_gives_all_back(void **state)
{
	struct eater small = {.pages = 2000}, big = {.pages = 9000}, last = {.pages = 7000};
	struct process *survivors[2];
	const struct kill_record *kill;

	(void)state;
	begin(2, OOM_PAGES);
	survivors[0] = start_eater("small", 0, &small);
	start_eater("big", 0, &big);
	run_until(NS_PER_S);
	assert_int_equal(big.touched, 9000);
	survivors[1] = start_eater("last", 0, &last);
	run_until(20 * NS_PER_S);
	assert_int_equal(yard_get_vm_event(sim->yard, YARD_VM_OOM_KILL), 1);
	assert_int_equal(sim->results->nr_kills, 1);
	kill = &sim->results->kill[0];
	assert_string_equal(kill->comm, "big");
	assert_string_equal(kill->by, "oom");
	assert_int_equal(kill->resident, 9000);
	assert_int_equal(bodies_ended, 1);
	assert_int_equal(process_count(sim), 2);
	assert_ptr_equal(process_first(sim), survivors[0]);
	assert_ptr_equal(process_first(sim)->next, survivors[1]);
	assert_int_equal(last.touched, 7000);
	assert_int_equal(small.touched, 2000);
	check_yard();
}

static void OOM7_oom_score_adj_counts(void **state)
{
	struct eater big = {.pages = 9000}, chosen = {.pages = 2000}, last = {.pages = 6000};

	(void)state;
	begin(2, OOM_PAGES);
	start_eater("big", 0, &big);
	start_eater("chosen", 900, &chosen); // 2000 + 0.9 of the machine
	run_until(NS_PER_S);
	start_eater("last", -1000, &last);
	run_until(20 * NS_PER_S);
	assert_int_equal(sim->results->nr_kills, 1);
	assert_string_equal(sim->results->kill[0].comm, "chosen");
	assert_int_equal(last.touched, 6000);
}

// Node 1 has no room for both. The biggest process lies on node 0, and its end would not help.
static void node_1_runs_out_of_memory(struct eater *away)
{
	struct eater second = {.pages = 9000, .mempolicy = "bind:1"}, last = {.pages = 7500, .mempolicy = "bind:1"};

	bodies_ended = ends_told = 0;
	start(2, 2, OOM_PAGES);
	start_eater("away", 0, away);
	start_eater("second", 0, &second);
	run_until(NS_PER_S);
	assert_int_equal(away->touched, away->pages);
	start_eater("last", 0, &last);
	run_until(20 * NS_PER_S);
	assert_int_equal(last.touched, 7500);
}

static void OOM7_M14_a_process_without_the_nodes_is_no_candidate(void **state)
{
	struct eater bound = {.pages = 14000, .mempolicy = "bind:0"}, preferring = {.pages = 14000, .mempolicy = "preferred:0"};

	(void)state;
	node_1_runs_out_of_memory(&bound);
	assert_int_equal(sim->results->nr_kills, 1);
	assert_string_equal(sim->results->kill[0].comm, "second");
	stop(NULL);
	node_1_runs_out_of_memory(&preferring); // any other mode may have memory of node 1, so that it goes first, in vain
	assert_int_equal(sim->results->nr_kills, 2);
	assert_string_equal(sim->results->kill[0].comm, "away");
	assert_string_equal(sim->results->kill[1].comm, "second");
}

static void OOM7_a_process_of_another_cpuset_is_no_candidate(void **state)
{
	struct eater apart = {.pages = 14000, .cpuset = 1}, last = {.pages = 9000, .cpuset = 2};
	struct eater second = {.pages = 7500, .cpuset = 2};

	(void)state;
	bodies_ended = ends_told = 0;
	start(2, 2, OOM_PAGES);
	start_eater("apart", 0, &apart);
	start_eater("second", 0, &second);
	run_until(NS_PER_S);
	start_eater("last", 0, &last);
	run_until(20 * NS_PER_S);
	assert_int_equal(sim->results->nr_kills, 1);
	assert_string_equal(sim->results->kill[0].comm, "last");
}

static void ask_for_itself(struct simulation *simulation, struct sim_task *task, void *argument)
{
	const struct yard_oom oom = {.constraint = YARD_OOM_MEMORY_POLICY, .nodemask = 2};
	struct placement placement = {.cpuset = 0};
	struct yard_owner_ops ops = {0};
	struct yard_oom_task told;
	uint64_t cursor = 0;

	(void)argument;
	assert_true(placement_set(simulation, &placement, "bind:0"));
	task_set_placement(task, &placement);
	oom_owner_ops(&ops);
	assert_true(ops.oom_next(simulation, &cursor, &oom, &told));
	assert_true(told.current);
	assert_true(told.no_eligible_node); // M14
	assert_false(told.reaped || told.unkillable);
	task->process->reaped = true;
	cursor = 0;
	assert_true(ops.oom_next(simulation, &cursor, &oom, &told));
	assert_true(told.no_eligible_node && told.reaped); // OOM-9
	bodies_ended++;
}

// What a candidate's policy says and what the reaper did are told apart.
static void OOM7_no_eligible_node_is_not_reaped(void **state)
{
	struct process *process;

	(void)state;
	bodies_ended = ends_told = 0;
	start(2, 2, OOM_PAGES);
	process = process_create(sim, &(struct process_attributes){.comm = "dying", .free = true});
	assert_non_null(process);
	assert_non_null(process_thread(sim, process, &(struct task_attributes){.comm = "dying", .cpu = -1, .node = -1},
				       ask_for_itself, NULL));
	run_until(NS_PER_S);
	assert_int_equal(bodies_ended, 1);
}

// OOM-9: the victim waits for a device that never answers. Its memory goes after 2 s all the same.
static void OOM9_the_reaper_takes_the_memory_of_a_blocked_victim(void **state)
{
	struct wait_queue device = {0};
	struct eater blocked = {.pages = 12000, .io = &device}, last = {.pages = 8000};
	struct process *victim;

	(void)state;
	begin(2, OOM_PAGES);
	victim = start_eater("blocked", 0, &blocked);
	run_until(NS_PER_S);
	start_eater("last", 0, &last);
	run_until(2 * NS_PER_S);
	assert_true(victim->oom_victim);
	assert_int_equal(victim->resident, 12000);
	run_until(10 * NS_PER_S);
	assert_int_equal(victim->resident, 0);
	assert_true(victim->reaped);
	assert_int_equal(victim->threads, 1); // it still waits
	assert_int_equal(bodies_ended, 0);
	assert_int_equal(last.touched, 8000);
	assert_int_equal(sim->results->nr_kills, 1);
	wake_all(sim, &device);
	run_until(11 * NS_PER_S);
	assert_int_equal(bodies_ended, 1);
	assert_int_equal(process_count(sim), 1);
	check_yard();
}

// OOM-7: a victim that was reaped is passed over, so that a second one can be killed.
static void OOM9_a_reaped_victim_is_not_waited_for(void **state)
{
	struct wait_queue device = {0};
	struct eater blocked = {.pages = 8000, .io = &device}, second = {.pages = 6000}, last = {.pages = 9900};

	(void)state;
	begin(2, OOM_PAGES);
	start_eater("blocked", 0, &blocked);
	run_until(NS_PER_S);
	start_eater("second", 100, &second);
	run_until(2 * NS_PER_S);
	start_eater("last", -1000, &last);
	run_until(20 * NS_PER_S);
	assert_int_equal(sim->results->nr_kills, 2);
	assert_string_equal(sim->results->kill[0].comm, "blocked");
	assert_string_equal(sim->results->kill[1].comm, "second");
	assert_int_equal(last.touched, 9900);
}

// The exit of a process waits until the reaper is done with its pages.
static void an_exit_waits_for_the_reaper(void **state)
{
	struct eater eater = {.pages = 100};
	struct process *process;

	(void)state;
	begin(1, PAGES);
	process = start_eater("one", 0, &eater);
	run_until(NS_PER_S);
	process->reaping = true;
	process_kill(sim, process, false);
	run_until(2 * NS_PER_S);
	assert_int_equal(bodies_ended, 1);
	assert_int_equal(process_count(sim), 1);
	assert_int_equal(process->resident, 100);
	process->reaping = false;
	wake_all(sim, &process->reaped_queue);
	run_until(3 * NS_PER_S);
	assert_int_equal(process_count(sim), 0);
}

static void OOM7_nobody_left_is_a_panic(void **state)
{
	struct eater only = {.pages = 2 * OOM_PAGES};

	(void)state;
	begin(1, OOM_PAGES);
	start_eater("only", -1000, &only);
	assert_false(simulation_run(sim, 60 * NS_PER_S));
	assert_non_null(strstr(sim->error, "no process left to kill"));
}

// ---- what reclaim takes ----

static void reclaim_counts_for_the_process_that_it_takes_from(void **state)
{
	struct eater idle = {.pages = 8000}, busy = {.pages = 8000};
	uint64_t pgscan[YARD_PSI_GROUPS];
	struct process *process;
	int group;

	(void)state;
	bodies_ended = 0;
	describe_machine(1, 2, OOM_PAGES);
	disk = (struct device_config){.name = (char *)(uintptr_t) "disk",
				      .read_ns = 100000,
				      .write_ns = 100000,
				      .read_bandwidth = 1000000000,
				      .write_bandwidth = 1000000000,
				      .servers = 8};
	machine.swap_kind = SWAP_DEVICE;
	machine.swap_pages = 2 * OOM_PAGES;
	start_machine();
	group = process_group(sim, "idlers");
	process = start_eater("idle", 0, &idle);
	process->group = (uint16_t)group;
	run_until(NS_PER_S);
	assert_int_equal(process->pgscan, 0);
	start_eater("busy", 0, &busy);
	run_until(60 * NS_PER_S);
	assert_int_equal(busy.touched, 8000);
	assert_true(process->swapped > 0);
	assert_true(process->pgscan >= process->swapped);
	process_pgscan(sim, pgscan);
	assert_int_equal(pgscan[group], process->pgscan);
	assert_int_equal(pgscan[0], process->pgscan + process->next->pgscan);
	idle.touched = process->pgscan;
	process_kill(sim, process, false);
	run_until(70 * NS_PER_S);
	assert_int_equal(process_count(sim), 1);
	process_pgscan(sim, pgscan);
	assert_int_equal(pgscan[group], idle.touched); // those that have exited count on
	check_yard();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(groups_are_numbered_by_name, stop),
		cmocka_unit_test_teardown(fork_asks_as_recorded_kernels_do, stop),
		cmocka_unit_test_teardown(a_cpu_keeps_two_stacks, stop),
		cmocka_unit_test_teardown(a_fixture_costs_nothing, stop),
		cmocka_unit_test_teardown(stacks_of_single_pages, stop),
		cmocka_unit_test_teardown(a_fork_that_fails_leaves_nothing, stop),
		cmocka_unit_test_teardown(all_comes_back_when_the_last_thread_has_ended, stop),
		cmocka_unit_test_teardown(at_end_comes_after_the_exit, stop),
		cmocka_unit_test_teardown(the_first_thread_has_the_pid, stop),
		cmocka_unit_test_teardown(a_parent_waits_for_its_child, stop),
		cmocka_unit_test_teardown(what_is_held_is_freed_with_the_simulation, stop),
		cmocka_unit_test_teardown(a_process_that_is_not_born_yet_is_freed_with_the_simulation, stop),
		cmocka_unit_test_teardown(mappings_come_and_go, stop),
		cmocka_unit_test_teardown(E1_masks_of_huge_pages, stop),
		cmocka_unit_test_teardown(a_kill_stops_all_threads, stop),
		cmocka_unit_test_teardown(OOM7_the_biggest_is_killed_and_gives_all_back, stop),
		cmocka_unit_test_teardown(OOM7_M14_a_process_without_the_nodes_is_no_candidate, stop),
		cmocka_unit_test_teardown(OOM7_a_process_of_another_cpuset_is_no_candidate, stop),
		cmocka_unit_test_teardown(OOM7_no_eligible_node_is_not_reaped, stop),
		cmocka_unit_test_teardown(OOM7_oom_score_adj_counts, stop),
		cmocka_unit_test_teardown(OOM9_the_reaper_takes_the_memory_of_a_blocked_victim, stop),
		cmocka_unit_test_teardown(OOM9_a_reaped_victim_is_not_waited_for, stop),
		cmocka_unit_test_teardown(an_exit_waits_for_the_reaper, stop),
		cmocka_unit_test_teardown(OOM7_nobody_left_is_a_panic, stop),
		cmocka_unit_test_teardown(reclaim_counts_for_the_process_that_it_takes_from, stop),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
