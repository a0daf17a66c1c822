// SPDX-License-Identifier: Apache-2.0
//
// Spec 02 section 2.7: the last attempt, whom the killer spares and whom it takes, and the reaper.

#include "spec02_fixture.h"

enum { TASKS_MAX = 4, HOG_PAGES = 64 };

static struct oom_world {
	struct yard_oom_task tasks[TASKS_MAX];
	size_t nr_tasks;
	struct yard_oom asked; // what the last walk over the tasks was for
	unsigned walks, notified, panics, reaps, reaps_until_done;
	uint64_t notifier_frees;
	uint64_t killed, skipped; // the last one's id
	bool frees;		  // a victim's pages are free at once
	uint32_t next_page;
} oom;

static bool next_task(void *context, uint64_t *cursor, const struct yard_oom *asked, struct yard_oom_task *task)
{
	(void)context;
	oom.walks += !*cursor;
	oom.asked = *asked;
	if (*cursor >= oom.nr_tasks)
		return false;
	*task = oom.tasks[(*cursor)++];
	return true;
}

static void free_hog(void)
{
	for (uint32_t end = oom.next_page + HOG_PAGES; oom.next_page < end; oom.next_page++)
		assert_int_equal(yard_free(yard, base + oom.next_page, 0), YARD_OK);
}

static void kill_task(void *context, uint64_t id, const struct yard_oom *asked)
{
	(void)context;
	assert_memory_equal(asked, &oom.asked, sizeof *asked);
	oom.killed = id;
	world.kills++;
	for (size_t i = 0; i < oom.nr_tasks; i++)
		if (oom.tasks[i].id == id)
			oom.tasks[i].victim = true;
	if (oom.frees)
		free_hog();
}

static uint64_t notify(void *context)
{
	(void)context;
	oom.notified++;
	if (oom.notifier_frees)
		free_hog();
	return oom.notifier_frees;
}

static bool reap_task(void *context, uint64_t id)
{
	(void)context;
	assert_int_equal(id, oom.killed);
	return ++oom.reaps == oom.reaps_until_done;
}

static void skip_task(void *context, uint64_t id)
{
	(void)context;
	oom.skipped = id;
	for (size_t i = 0; i < oom.nr_tasks; i++)
		if (oom.tasks[i].id == id)
			oom.tasks[i].reaped = true;
}

static void panic(void *context, const struct yard_oom *asked)
{
	(void)context, (void)asked;
	oom.panics++;
}

static struct yard_config oom_config(const char *policy)
{
	struct yard_config config = owned_config(policy);

	config.owner.oom_next = next_task;
	config.owner.oom_kill = kill_task;
	config.owner.oom_notify = notify;
	config.owner.oom_reap = reap_task;
	config.owner.oom_skip = skip_task;
	config.owner.oom_panic = panic;
	return config;
}

// Everything is in use; one task whose death frees 64 pages.
static void build_oom(struct yard_config config)
{
	blank_config(config, 16 * BLOCK);
	give_used(0, 16 * BLOCK, false);
	ready();
	set_pcps(normal(), 1, 0, 0);
	world.kills = 0;
	oom = (struct oom_world){ .tasks[0] = { .id = 1, .rss = 100 }, .nr_tasks = 1, .frees = true };
	listen();
}

static void build_usual(void)
{
	build_oom(oom_config(defrag));
}

// ---- SP-55 to SP-59 ----

static void SP59_a_kill_and_a_page(void **state)
{
	(void)state;
	build_usual();
	assert_int_not_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
	want("A901 A940 reclaim9 =0 compact9,1 A840 reclaim0 =0 A42 A840");
	assert_trace(T_WORK);
	assert_int_equal(world.kills, 1);
	build_usual(); // NOFAIL: at once, from the reserves
	assert_int_not_equal(ask(GFP_U | YARD_GFP_NOFAIL, 0, 0, 100).pfn, NONE);
	want("A901 A940 reclaim9 =0 compact9,1 A840 reclaim0 =0 A42 A44");
	assert_trace(T_WORK);
}

static unsigned waits;

static uint64_t wait_for_the_lock(void *context, unsigned queue, uint64_t timeout_ns)
{
	(void)context;
	assert_int_equal(queue, YARD_QUEUE_OOM);
	assert_int_equal(timeout_ns, 4000000); // a jiffy
	if (++waits == 3)
		yard->oom_lock.held = false;
	return timeout_ns;
}

// SP-55: somebody else is killing: that is progress, and the count of fruitless rounds begins anew.
static void SP55_the_lock_is_held(void **state)
{
	struct yard_config config = oom_config(defrag);

	(void)state;
	config.hz = 250;
	build_oom(config);
	waits = 0;
	yard->oom_lock.held = true;
	yard->host.wait = wait_for_the_lock;
	assert_int_not_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
	want("A901 A940 reclaim9 =0 compact9,1");
	for (unsigned round = 2; round <= 5; round++)
		want("A840 reclaim0 =0");
	want("A42 A840");
	assert_trace(T_WORK);
	assert_int_equal(waits, 3);
	assert_int_equal(world.kills, 1);
}

static unsigned reclaims_until_free;

static void others_free(const struct yard_event *event)
{
	if (event->kind == YARD_EVENT_DIRECT_RECLAIM_END && !--reclaims_until_free)
		free_hog();
}

// SP-57: the high watermark: nobody dies for a page that is there by now.
static void SP57_last_ditch(void **state)
{
	(void)state;
	for (unsigned enough = 0; enough < 2; enough++) {
		build_usual();
		set_wmarks(normal(), HOG_PAGES, HOG_PAGES, HOG_PAGES - enough);
		reclaims_until_free = 2; // after NOFRAGMENT has been dropped
		on_event = others_free;
		assert_int_equal(ask(GFP_U, 0, 0, 2).pfn != NONE, enough);
		want("A901 A940 reclaim9 =0 compact9,1 A840 reclaim0 =0 A42");
		assert_trace(T_WORK);
		assert_int_equal(world.kills, !enough);
	}
}

// All that atomic requests can get is in use.
static void build_used_up(struct yard_config config, const struct yard_range *memory)
{
	config.memory = memory;
	config.nr_memory = 2;
	config.user_min_free_kbytes = 256;
	build(&config);
	listen();
	world.kills = 0;
	oom = (struct oom_world){ .tasks[0] = { .id = 1, .rss = 100 }, .nr_tasks = 1 };
	while (yard_alloc(yard, YARD_GFP_TRANSHUGE_LIGHT | YARD_GFP_HIGH, 0) != NONE)
		;
	forget_events();
}

static void build_two_nodes(struct yard_config config)
{
	static const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 } };

	config.nr_nodes = 2;
	build_used_up(config, memory);
}

static void build_two_zones(void)
{
	static const struct yard_range memory[] = { { BASE - 4096, BASE, 0 }, { BASE, BASE + 4096, 0 } };

	build_used_up(oom_config(defrag), memory);
}

static void SP58_who_never_kills(void **state)
{
	static const struct { uint32_t gfp; unsigned order, task; bool kills; } cases[] = {
		{ GFP_U, 0, 0, true }, { GFP_U, 3, 0, true }, { GFP_M, 0, 0, true },
		{ GFP_U, 0, YARD_TASK_COREDUMP, false },
		{ GFP_U | YARD_GFP_RETRY_MAYFAIL, 0, 0, false }, { GFP_U | YARD_GFP_RETRY_MAYFAIL, 4, 0, false },
		{ GFP_U, 4, 0, false }, { GFP_U | YARD_GFP_THISNODE, 0, 0, false },
		{ GFP_U | YARD_GFP_NORETRY, 0, 0, false },
		{ GFP_U | YARD_GFP_DMA32, 0, 0, false }, { YARD_GFP_NOFS, 0, 0, false }, { YARD_GFP_NOWAIT, 0, 0, false },
		{ YARD_GFP_ATOMIC, 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		build_usual();
		ask(cases[i].gfp, cases[i].order, cases[i].task, 50);
		assert_int_equal(world.kills > 0, cases[i].kills);
		assert_int_equal(vm(YARD_VM_OOM_KILL), world.kills);
	}
	build_two_zones(); // DMA32 has memory, all in use: a kill would not help there
	assert_int_equal(ask(GFP_U | YARD_GFP_DMA32, 0, 0, 50).pfn, NONE);
	assert_int_equal(world.kills, 0);
	assert_int_equal(last_event(YARD_EVENT_WHY_ATTEMPT)->a, ALLOC_WMARK_HIGH | ALLOC_CPUSET);
	ask(GFP_U, 0, 0, 50);
	assert_int_equal(world.kills, 1);
	build_usual(); // storage is suspended
	assert_int_equal(yard_forbid_gfp(yard, YARD_GFP_IO | YARD_GFP_FS), YARD_OK);
	assert_false(ask(GFP_U, 0, 0, 50).gave_up);
	assert_int_equal(world.kills, 0);
}

// ---- OOM-1 to OOM-6 ----

static void OOM1_disabled(void **state)
{
	struct yard_config config = oom_config(defrag);

	(void)state;
	config.owner.oom_kill = NULL;
	build_oom(config);
	assert_int_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
	assert_int_equal(oom.walks, 0);
	assert_int_equal(oom.notified, 0);
}

static void OOM2_notifiers(void **state)
{
	(void)state;
	build_usual();
	oom.notifier_frees = 5;
	assert_int_not_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
	assert_int_equal(oom.notified, 1);
	assert_int_equal(world.kills, 0);
}

// OOM-3: the requester dies by itself: it becomes a victim, which may take from the reserves (SP-12).
static void OOM3_current_is_exiting(void **state)
{
	struct yard_task task = { .pid = 1 };

	(void)state;
	build_usual();
	oom.tasks[0].current = oom.tasks[0].exiting = true;
	yard_set_current(yard, &task);
	ask(GFP_U, 0, 0, 4);
	yard_set_current(yard, NULL);
	assert_int_equal(world.kills, 0);
	assert_int_equal(vm(YARD_VM_OOM_KILL), 0);
	assert_int_equal(count_events(YARD_EVENT_MARK_VICTIM), 1);
	assert_true(task.flags & YARD_TASK_OOM_VICTIM);
	assert_int_equal(yard->oom_victim, 1 + 1);
	build_usual(); // its core is dumped
	oom.tasks[0].current = oom.tasks[0].exiting = true;
	ask(GFP_U, 0, YARD_TASK_COREDUMP, 10);
	assert_int_equal(count_events(YARD_EVENT_MARK_VICTIM), 0);
}

// A candidate or not (M14): it is waited for as long as the reaper has not been there, and nobody else is killed.
static void OOM3_the_dying_need_no_eligible_node(void **state)
{
	(void)state;
	for (unsigned reaped = 0; reaped < 2; reaped++) {
		build_usual();
		oom.tasks[1] = (struct yard_oom_task){ .id = 2, .rss = 1, .current = true, .exiting = true,
			.no_eligible_node = true, .reaped = reaped };
		oom.nr_tasks = 2;
		ask(GFP_U, 0, 0, 4);
		assert_int_equal(world.kills, reaped);
		assert_int_equal(last_event(YARD_EVENT_MARK_VICTIM)->args[0], reaped ? 1 : 2);
	}
}

// OOM-4: it loops without killing anybody.
static void OOM4_no_fs(void **state)
{
	(void)state;
	build_usual();
	assert_true(ask(YARD_GFP_NOFS, 0, 0, 40).gave_up);
	assert_int_equal(world.kills, 0);
	assert_int_equal(count_events(YARD_EVENT_ALLOC_FAILURE), 0);
}

static void OOM5_constraints(void **state)
{
	static const struct { uint32_t gfp; uint64_t nodemask, cpuset; unsigned constraint; uint64_t pages; } cases[] = {
		{ YARD_GFP_USER, 0, 0, YARD_OOM_ANYWHERE, 8192 },
		{ YARD_GFP_USER, 3, 0, YARD_OOM_ANYWHERE, 8192 }, // not a proper subset
		{ YARD_GFP_USER, 2, 0, YARD_OOM_MEMORY_POLICY, 4096 },
		{ YARD_GFP_USER, 0, 1, YARD_OOM_CPUSET, 4096 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct yard_request r = { .gfp = cases[i].gfp, .node = 0, .nodemask = cases[i].nodemask,
			.cpuset = cases[i].cpuset,
					  .max_rounds = 40 };
		struct yard_result result;

		build_two_nodes(oom_config(defrag));
		yard_set_swap(yard, 1000, 0);
		yard_alloc_request(yard, &r, &result);
		assert_int_equal(world.kills, 1);
		assert_int_equal(oom.asked.constraint, cases[i].constraint);
		assert_int_equal(oom.asked.total_pages, cases[i].pages + 1000);
		assert_int_equal(oom.asked.nodemask, cases[i].constraint == YARD_OOM_MEMORY_POLICY ? cases[i].nodemask : 0);
		assert_int_equal(oom.asked.cpuset, cases[i].constraint == YARD_OOM_CPUSET ? cases[i].cpuset : 0);
		assert_int_equal(oom.asked.gfp, cases[i].gfp);
		assert_int_equal(oom.asked.order, 0);
	}
}

static void OOM5_panics(void **state)
{
	(void)state;
	for (uint8_t mode = 0; mode <= 2; mode++)
		for (unsigned constrained = 0; constrained < 2; constrained++) {
			struct yard_config config = oom_config(defrag);
			struct yard_request r = { .gfp = YARD_GFP_USER, .node = 0, .nodemask = constrained,
				.max_rounds = 40 };
			struct yard_result result;
			bool panics = mode == 2 || (mode == 1 && !constrained);

			config.panic_on_oom = mode;
			build_two_nodes(config);
			yard_alloc_request(yard, &r, &result);
			assert_int_equal(oom.panics, panics);
			assert_int_equal(world.kills, !panics);
		}
}

static void OOM6_kill_the_requester(void **state)
{
	static const struct yard_oom_task requesters[] = { // only the first one is eligible
		{ .id = 2, .rss = 1, .current = true },
		{ .id = 2, .rss = 1, .current = true, .oom_score_adj = -1000 },
		{ .id = 2, .rss = 1, .current = true, .unkillable = true },
		{ .id = 2, .rss = 1, .current = true, .no_eligible_node = true },
		{ .id = 2, .rss = 1, .current = true, .vfork_child = true },
		{ .id = 2, .rss = 1, .current = true, .reaped = true },
	};
	struct yard_config config = oom_config(defrag);

	(void)state;
	config.oom_kill_allocating_task = true;
	for (size_t i = 0; i < COUNT(requesters); i++) {
		build_oom(config);
		oom.tasks[1] = requesters[i];
		oom.nr_tasks = 2;
		assert_int_not_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
		assert_int_equal(oom.killed, i ? 1 : 2);
	}
}

// ---- OOM-7 ----

static void OOM7_selection(void **state)
{
	static const struct { struct yard_oom_task tasks[3]; uint64_t killed; } cases[] = { // total: 8192 + 808 = 9000
		{ { { .id = 1, .rss = 10 }, { .id = 2, .rss = 30 }, { .id = 3, .rss = 20 } }, 2 },
		{ { { .id = 1, .rss = 10, .swap = 15 }, { .id = 2, .rss = 20 }, { .id = 3, .rss = 20,
		    .pgtables = 4 } }, 1 },
		{ { { .id = 1, .rss = 10, .swap = 15 }, { .id = 2, .rss = 20 }, { .id = 3, .rss = 20,
		    .pgtables = 6 } }, 3 },
		// a tie: the later
		{ { { .id = 1, .rss = 30 }, { .id = 2, .rss = 30 }, { .id = 3, .rss = 29 } }, 2 },
		{ { { .id = 1, .rss = 30 }, { .id = 2, .rss = 30 }, { .id = 3, .rss = 30 } }, 3 },
		{ { { .id = 1, .rss = 910 }, { .id = 2, .rss = 11, .oom_score_adj = 100 }, { .id = 3 } }, 2 }, // + 900
		{ { { .id = 1, .rss = 912 }, { .id = 2, .rss = 11, .oom_score_adj = 100 }, { .id = 3 } }, 1 },
		{ { { .id = 1, .rss = 8000, .oom_score_adj = -999 }, { .id = 2, .rss = 1 }, { .id = 3 } }, 2 },
		{ { { .id = 1, .rss = 99, .oom_score_adj = -1000 }, { .id = 2, .rss = 1 }, { .id = 3 } }, 2 },
		{ { { .id = 1, .rss = 99, .unkillable = true }, { .id = 2, .rss = 1 }, { .id = 3 } }, 2 },
		{ { { .id = 1, .origin = true }, { .id = 2, .rss = 9000, .oom_score_adj = 1000 }, { .id = 3 } }, 1 },
		{ { { .id = 1, .rss = 99, .no_eligible_node = true }, { .id = 2, .rss = 1 }, { .id = 3 } }, 2 },
		{ { { .id = 1, .rss = 99, .vfork_child = true }, { .id = 2, .rss = 1 }, { .id = 3 } }, 2 },
		{ { { .id = 1, .rss = 5, .victim = true, .reaped = true }, { .id = 2, .rss = 1 }, { .id = 3 } }, 2 },
		{ { { .id = 1, .victim = true, .no_eligible_node = true }, { .id = 2, .rss = 1 }, { .id = 3 } }, 2 },
		{ { { .id = 1, .origin = true, .vfork_child = true }, { .id = 2, .rss = 1 }, { .id = 3 } }, 1 },
		{ { { .id = 1, .origin = true, .no_eligible_node = true }, { .id = 2, .rss = 1 }, { .id = 3 } }, 2 },
		{ { { .id = 1, .origin = true, .reaped = true }, { .id = 2, .rss = 1 }, { .id = 3 } }, 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		build_usual();
		yard_set_swap(yard, 808, 0);
		memcpy(oom.tasks, cases[i].tasks, sizeof cases[i].tasks);
		oom.nr_tasks = 3;
		assert_int_not_equal(ask(GFP_U, 0, 0, 100).pfn, NONE);
		assert_int_equal(oom.asked.total_pages, 9000);
		assert_int_equal(oom.killed, cases[i].killed);
		assert_int_equal(world.kills, 1);
	}
}

static void OOM7_somebody_is_dying(void **state)
{
	(void)state;
	build_usual();
	oom.tasks[1] = (struct yard_oom_task){ .id = 2, .rss = 1, .victim = true, .vfork_child = true };
	oom.nr_tasks = 2;
	assert_true(ask(GFP_U, 0, 0, 20).gave_up); // true, and no new kill
	assert_int_equal(world.kills, 0);
	assert_int_equal(count_events(YARD_EVENT_RECLAIM_RETRY_ZONE), 20);
	for (size_t i = 0; i < nr_events; i++) // that is progress: the count begins anew each time, as it does at DROP
		if (events[i].kind == YARD_EVENT_RECLAIM_RETRY_ZONE)
			assert_int_equal(events[i].args[6], 1);
	assert_int_equal(oom.panics, 0);
}

static void OOM7_nobody(void **state)
{
	(void)state;
	build_usual();
	oom.tasks[0].oom_score_adj = -1000;
	assert_false(ask(GFP_U, 0, 0, 100).gave_up);
	assert_int_equal(world.kills, 0);
	assert_int_equal(oom.panics, 1);
	assert_int_equal(count_events(YARD_EVENT_ALLOC_FAILURE), 1);
}

// ---- OOM-8 to OOM-10 ----

static void OOM8_kill(void **state)
{
	const int64_t *a;

	(void)state;
	build_usual();
	oom.tasks[0] = (struct yard_oom_task){ .id = 1, .rss = 100, .swap = 7, .pgtables = 3, .total_vm = 500,
		.file_rss = 30,
					       .shmem_rss = 20, .uid = 1000, .oom_score_adj = -17 };
	ask(GFP_U, 0, 0, 100);
	assert_int_equal(vm(YARD_VM_OOM_KILL), 1);
	assert_int_equal(count_events(YARD_EVENT_MARK_VICTIM), 1);
	a = last_event(YARD_EVENT_MARK_VICTIM)->args; // kB
	assert_int_equal(a[0], 1);
	assert_int_equal(a[1], 2000);
	assert_int_equal(a[2], 200);
	assert_int_equal(a[3], 120);
	assert_int_equal(a[4], 80);
	assert_int_equal(a[5], 1000);
	assert_int_equal(a[6], 12);
	assert_int_equal(a[7], -17);
}

static const uint64_t msec = 1000000;

static void step_reaper(struct yard_wait *wait, uint64_t later)
{
	yard->host.now_ns += later;
	yard_oom_reaper_step(yard, false, wait);
}

// After 2 s; 10 tries, 0.1 s apart; then the victim does not count any more.
static void OOM9_reaper(void **state)
{
	struct yard_wait wait;

	(void)state;
	build_usual();
	oom.tasks[1] = (struct yard_oom_task){ .id = 2, .rss = 99 };
	oom.nr_tasks = 2;
	oom.frees = false;
	step_reaper(&wait, 0);
	assert_int_equal(wait.kind, YARD_WAIT_QUEUE);
	assert_int_equal(wait.timeout_ns, UINT64_MAX);
	ask(GFP_U, 0, 0, 10);
	assert_int_equal(oom.killed, 1);
	assert_int_equal(world.kills, 1);
	step_reaper(&wait, 0);
	assert_int_equal(wait.timeout_ns, 2000 * msec);
	step_reaper(&wait, 2000 * msec - 1);
	assert_int_equal(wait.timeout_ns, 1);
	assert_int_equal(oom.reaps, 0);
	step_reaper(&wait, 1);
	assert_int_equal(oom.reaps, 1);
	assert_int_equal(count_events(YARD_EVENT_WAKE_REAPER), 1);
	for (unsigned reaps = 1; reaps < 10; reaps++) {
		step_reaper(&wait, 0);
		assert_int_equal(wait.kind, YARD_WAIT_QUEUE);
		assert_int_equal(wait.timeout_ns, 100 * msec);
		assert_int_equal(oom.reaps, reaps);
		assert_int_equal(oom.skipped, 0);
		step_reaper(&wait, 100 * msec);
	}
	assert_int_equal(oom.reaps, 10);
	assert_int_equal(oom.skipped, 1);
	assert_int_equal(count_events(YARD_EVENT_WAKE_REAPER), 1);
	assert_int_equal(count_events(YARD_EVENT_START_TASK_REAPING), 10);
	assert_int_equal(count_events(YARD_EVENT_FINISH_TASK_REAPING), 0);
	assert_int_equal(count_events(YARD_EVENT_SKIP_TASK_REAPING), 10);
	step_reaper(&wait, 0);
	assert_int_equal(wait.timeout_ns, UINT64_MAX);
	ask(GFP_U, 0, 0, 10);
	assert_int_equal(oom.killed, 2); // the next one may be killed
	oom.reaps_until_done = oom.reaps + 1;
	step_reaper(&wait, 2000 * msec);
	assert_int_equal(oom.skipped, 2);
	assert_int_equal(count_events(YARD_EVENT_FINISH_TASK_REAPING), 1);
	assert_int_equal(last_event(YARD_EVENT_FINISH_TASK_REAPING)->args[0], 2);
}

// A victim's own requests use the OOM reserve, and do not loop.
static void OOM10_victims(void **state)
{
	struct yard_result result;

	(void)state;
	build_usual();
	oom.tasks[0].unkillable = true;
	result = ask(GFP_U, 0, YARD_TASK_OOM_VICTIM, 0);
	assert_int_equal(result.pfn, NONE);
	want("A901 A940 A808 reclaim0 =0 A42 fail1");
	assert_trace(T_WORK);
	build_usual(); // also while the killer says that somebody is dying
	oom.tasks[0].victim = true;
	result = ask(GFP_U, 0, YARD_TASK_OOM_VICTIM, 0);
	assert_int_equal(result.pfn, NONE);
	want("A901 A940 A808 reclaim0 =0 A42 fail1");
	assert_trace(T_WORK);
	build_usual(); // NOMEMALLOC: no reserve
	oom.tasks[0].victim = true;
	result = ask(GFP_U | YARD_GFP_NOMEMALLOC, 0, YARD_TASK_OOM_VICTIM, 0);
	assert_int_equal(result.pfn, NONE);
	want("A901 A940 reclaim9 =0 compact9,1 A840 reclaim0 =0 A42 fail1");
	assert_trace(T_WORK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		TEST(SP59_a_kill_and_a_page), TEST(SP55_the_lock_is_held), TEST(SP57_last_ditch),
		TEST(SP58_who_never_kills),
		TEST(OOM1_disabled), TEST(OOM2_notifiers), TEST(OOM3_current_is_exiting),
		TEST(OOM3_the_dying_need_no_eligible_node), TEST(OOM4_no_fs),
		TEST(OOM5_constraints), TEST(OOM5_panics), TEST(OOM6_kill_the_requester), TEST(OOM7_selection),
		TEST(OOM7_somebody_is_dying), TEST(OOM7_nobody), TEST(OOM8_kill), TEST(OOM9_reaper), TEST(OOM10_victims),
	};

	return cmocka_run_group_tests_name("spec02_oom", tests, NULL, NULL);
}
