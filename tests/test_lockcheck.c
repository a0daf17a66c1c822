// SPDX-License-Identifier: Apache-2.0
//
// Spec 02 section 6: the recursion checker (RC-1 to RC-8).

#include "steps.h"

#include "pageyard/lockcheck.h"

enum { FRAMES = 4096, PAGES = 1024 };

static struct yard_lockcheck *checker;
static void *checker_memory;

static struct {
	unsigned nr;
	enum yard_lock_problem problem;
	char first_path[256], path[256], text[512];
	struct yard_lock_witness now, before;
} reports;

static void take_report(void *context, const struct yard_lock_report *report)
{
	assert_ptr_equal(context, &reports);
	if (!reports.nr++)
		snprintf(reports.first_path, sizeof reports.first_path, "%s", report->path);
	reports.problem = report->problem;
	reports.now = report->now;
	reports.before = report->before;
	snprintf(reports.path, sizeof reports.path, "%s", report->path);
	snprintf(reports.text, sizeof reports.text, "%s", report->text);
}

static struct yard_task user = { .pid = 100 };

static void start_checker(struct yard_lockcheck_config config)
{
	size_t size;

	config.report = take_report;
	config.context = &reports;
	size = yard_lockcheck_size(&config);
	assert_int_not_equal(size, 0);
	free(checker_memory);
	checker_memory = zeroed(size);
	checker = yard_lockcheck_init(checker_memory, size, &config);
	assert_non_null(checker);
	yard_lockcheck_attach(yard, checker);
	memset(&reports, 0, sizeof reports);
	memset(&user, 0, sizeof user);
	user.pid = 100;
	yard_set_current(yard, &user);
}

static void start(const char *policy)
{
	machine_of(noted_config(policy), FRAMES, PAGES);
	pages(0, PAGES, FILE_PAGE, YARD_UNMAPPED);
	start_checker((struct yard_lockcheck_config){ 0 });
	ask.silent = true;
}

static int stop(void **state)
{
	free(checker_memory);
	checker_memory = NULL;
	return forget_all(state);
}

static uint32_t lock_class(const char *name)
{
	int lock = yard_lock_class(checker, name);

	assert_true(lock >= 0);
	return (uint32_t)lock;
}

static void take(uint32_t lock, enum yard_lock_kind kind)
{
	assert_int_equal(yard_lock_acquired(yard, lock, 0, kind, "taken"), YARD_OK);
}

static void drop(uint32_t lock)
{
	assert_int_equal(yard_lock_released(yard, lock, 0), YARD_OK);
}

static void alloc_and_free(uint32_t gfp)
{
	uint32_t pfn = yard_alloc(yard, gfp, 0);

	assert_int_not_equal(pfn, NONE);
	assert_int_equal(yard_free(yard, pfn, 0), YARD_OK);
}

static void alloc_under(uint32_t lock, enum yard_lock_kind kind, uint32_t gfp)
{
	take(lock, kind);
	alloc_and_free(gfp);
	drop(lock);
}

// ---- what happens inside reclaim ----

static struct {
	uint32_t lock[2];
	unsigned nr;
	enum yard_lock_kind kind;
	uint32_t alloc_gfp; // an allocation with the lock held
	bool forget_memalloc;
	uint32_t then; // a lock that is taken afterwards, + 1
	unsigned times;
} inside;

static void act_inside(uint32_t offset)
{
	uint32_t pfn;

	(void)offset;
	if (inside.times)
		return;
	inside.times++;
	assert_true(atomic_load(&yard_get_current(yard)->flags) & YARD_TASK_MEMALLOC);
	for (unsigned i = 0; i < inside.nr; i++)
		take(inside.lock[i], inside.kind);
	if (inside.alloc_gfp) {
		if (inside.forget_memalloc)
			atomic_fetch_and(&yard_get_current(yard)->flags, ~(uint32_t)YARD_TASK_MEMALLOC);
		pfn = yard_alloc(yard, inside.alloc_gfp, 0);
		atomic_fetch_or(&yard_get_current(yard)->flags, YARD_TASK_MEMALLOC);
		assert_int_equal(yard_free(yard, pfn, 0), YARD_OK);
	}
	for (unsigned i = inside.nr; i-- > 0;)
		drop(inside.lock[i]);
	if (inside.then) {
		take(inside.then - 1, inside.kind);
		drop(inside.then - 1);
	}
}

static void inside_takes(uint32_t lock, enum yard_lock_kind kind)
{
	memset(&inside, 0, sizeof inside);
	inside.lock[0] = lock;
	inside.nr = 1;
	inside.kind = kind;
	ask.on_release = act_inside;
}

// A kswapd run that frees pages, in the middle of which `inside` happens.
static void run_kswapd(void)
{
	set_wmarks(normal(), 10, 20, FRAMES);
	inside.times = 0;
	run(false);
	assert_int_equal(inside.times, 1);
}

static void RC8_lock_over_alloc_then_taken_by_kswapd(void **state)
{
	uint32_t lock;

	(void)state;
	start("linux-7.3");
	lock = lock_class("i_mutex");
	alloc_under(lock, YARD_LOCK_WRITE, YARD_GFP_KERNEL);
	assert_int_equal(reports.nr, 0);
	inside_takes(lock, YARD_LOCK_WRITE);
	run_kswapd();
	assert_int_equal(reports.nr, 1);
	assert_int_equal(reports.problem, YARD_LOCK_INVERSION);
	assert_string_equal(reports.path, "i_mutex -> fs_reclaim");
	assert_int_equal(reports.before.pid, 100); // both witnesses
	assert_int_equal(reports.before.gfp, YARD_GFP_KERNEL);
	assert_string_equal(reports.before.held_site, "taken");
	assert_int_equal(reports.now.pid, yard_kswapd_task(yard, 0)->pid);
	assert_int_equal(reports.now.gfp, 0);
	assert_string_equal(reports.now.site, "taken");
	assert_true(reports.now.event > reports.before.event);
	assert_true(strlen(reports.text) > 0);
}

static void RC5_taken_by_kswapd_then_alloc_under_lock(void **state)
{
	uint32_t lock;

	(void)state;
	start("linux-7.3");
	lock = lock_class("i_mutex");
	inside_takes(lock, YARD_LOCK_WRITE);
	run_kswapd();
	assert_int_equal(reports.nr, 0);
	alloc_under(lock, YARD_LOCK_WRITE, YARD_GFP_KERNEL);
	assert_int_equal(reports.nr, 1);
	assert_int_equal(reports.problem, YARD_LOCK_UNSAFE_ALLOC);
	assert_string_equal(reports.path, "fs_reclaim -> i_mutex");
	assert_int_equal(reports.now.pid, 100);
	assert_int_equal(reports.now.gfp, YARD_GFP_KERNEL);
	assert_int_equal(reports.before.pid, yard_kswapd_task(yard, 0)->pid);
	// RC-7: one report per cycle
	alloc_under(lock, YARD_LOCK_WRITE, YARD_GFP_KERNEL);
	assert_int_equal(reports.nr, 1);
}

// What does not touch the class of reclaim (RC-2, RC-3).
static void check_no_report(uint32_t gfp, uint32_t scope)
{
	uint32_t lock, before;

	start("linux-7.3");
	lock = lock_class("i_mutex");
	before = yard_scope_enter(yard, scope);
	alloc_under(lock, YARD_LOCK_WRITE, gfp);
	yard_scope_leave(yard, before);
	inside_takes(lock, YARD_LOCK_WRITE);
	run_kswapd();
	assert_int_equal(reports.nr, 0);
}

static void RC2_irrelevant_requests(void **state)
{
	(void)state;
	check_no_report(YARD_GFP_NOFS, 0);
	check_no_report(YARD_GFP_NOIO, 0);
	check_no_report(YARD_GFP_NOWAIT, 0);
	check_no_report(YARD_GFP_ATOMIC, 0);
	check_no_report(YARD_GFP_KERNEL & ~YARD_GFP_DIRECT_RECLAIM, 0);
	check_no_report(YARD_GFP_KERNEL | YARD_GFP_NOLOCKDEP, 0);
}

static void RC3_scopes(void **state)
{
	(void)state;
	check_no_report(YARD_GFP_KERNEL, YARD_TASK_NOFS);
	check_no_report(YARD_GFP_KERNEL, YARD_TASK_NOIO);
	check_no_report(YARD_GFP_KERNEL, YARD_TASK_MEMALLOC);
}

static void RC3_scopes_nest(void **state)
{
	struct yard_lockcheck_state counts;
	uint32_t lock, outer, inner, edges;

	(void)state;
	start("linux-7.3");
	lock = lock_class("i_mutex");
	take(lock, YARD_LOCK_WRITE);
	outer = yard_scope_enter(yard, YARD_TASK_MEMALLOC);
	inner = yard_scope_enter(yard, YARD_TASK_MEMALLOC);
	yard_scope_leave(yard, inner);
	alloc_and_free(YARD_GFP_KERNEL);
	yard_lockcheck_get(checker, &counts);
	assert_int_equal(counts.edges, 0); // still inside the outer one
	yard_scope_leave(yard, outer);
	alloc_and_free(YARD_GFP_KERNEL);
	yard_lockcheck_get(checker, &counts);
	edges = counts.edges;
	assert_int_equal(edges, 2); // to reclaim and to the notifier
	alloc_and_free(YARD_GFP_KERNEL); // RC-7: once
	yard_lockcheck_get(checker, &counts);
	assert_int_equal(counts.edges, edges);
	drop(lock);
}

// RC-2: relevant requests touch the notifier's class, with FS or without.
static void RC2_notifier_class(void **state)
{
	static const struct {
		uint32_t gfp;
		unsigned reports;
	} rows[] = { { YARD_GFP_KERNEL, 1 }, { YARD_GFP_NOFS, 1 }, { YARD_GFP_NOIO, 1 }, { YARD_GFP_NOWAIT, 0 },
		     { YARD_GFP_KERNEL | YARD_GFP_NOLOCKDEP, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t lock;

		start("linux-7.3");
		lock = lock_class("mmap");
		alloc_under(lock, YARD_LOCK_WRITE, rows[i].gfp);
		take(YARD_LOCK_NOTIFIER, YARD_LOCK_WRITE);
		take(lock, YARD_LOCK_WRITE); // inside a notifier
		drop(lock);
		drop(YARD_LOCK_NOTIFIER);
		assert_int_equal(reports.nr, rows[i].reports);
		if (reports.nr) {
			assert_int_equal(reports.problem, YARD_LOCK_INVERSION);
			assert_string_equal(reports.path, "mmap -> mmu_notifier_invalidate_range_start");
		}
	}
}

static void RC2_wrappers_touch(void **state)
{
	uint32_t lock;

	(void)state;
	start("linux-7.3");
	lock = lock_class("i_mutex");
	take(lock, YARD_LOCK_WRITE);
	yard_might_alloc(yard, YARD_GFP_KERNEL, "slab");
	drop(lock);
	inside_takes(lock, YARD_LOCK_WRITE);
	run_kswapd();
	assert_int_equal(reports.nr, 1);
	assert_string_equal(reports.before.site, "slab");
}

static void RC3_scopes_and_masks_of_wrappers(void **state)
{
	static const struct {
		uint32_t gfp, scope;
		unsigned edges; // to reclaim and to the notifier
	} rows[] = { { YARD_GFP_KERNEL, 0, 2 }, { YARD_GFP_KERNEL, YARD_TASK_NOFS, 1 }, { YARD_GFP_KERNEL, YARD_TASK_NOIO, 1 },
		     { YARD_GFP_KERNEL, YARD_TASK_MEMALLOC, 0 }, { YARD_GFP_NOFS, 0, 1 }, { YARD_GFP_NOWAIT, 0, 0 },
		     { YARD_GFP_KERNEL | YARD_GFP_NOLOCKDEP, 0, 0 }, { YARD_GFP_KERNEL, YARD_TASK_PIN, 2 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct yard_lockcheck_state counts;
		uint32_t before, lock;

		start("linux-7.3");
		lock = lock_class("i_mutex");
		before = yard_scope_enter(yard, rows[i].scope);
		take(lock, YARD_LOCK_WRITE);
		yard_might_alloc(yard, rows[i].gfp, "slab");
		drop(lock);
		yard_scope_leave(yard, before);
		yard_lockcheck_get(checker, &counts);
		if (counts.edges != rows[i].edges)
			fail_msg("row %zu: %u edges", i, counts.edges);
	}
}

static void RC2_kswapd_holds_nothing_while_it_sleeps(void **state)
{
	uint32_t lock;

	(void)state;
	start("linux-7.3");
	lock = lock_class("freezer");
	alloc_under(lock, YARD_LOCK_WRITE, YARD_GFP_KERNEL);
	run(false); // nothing to do: it waits
	yard_set_current(yard, yard_kswapd_task(yard, 0));
	take(lock, YARD_LOCK_WRITE);
	drop(lock);
	assert_int_equal(reports.nr, 0);
}

static void RC2_direct_reclaim_holds(void **state)
{
	uint32_t lock;

	(void)state;
	start("linux-7.3");
	lock = lock_class("i_mutex");
	alloc_under(lock, YARD_LOCK_WRITE, YARD_GFP_KERNEL);
	inside_takes(lock, YARD_LOCK_WRITE);
	set_wmarks(normal(), FRAMES, FRAMES, FRAMES); // nothing passes
	assert_int_equal(yard_alloc(yard, YARD_GFP_KERNEL | YARD_GFP_NORETRY, 0), NONE);
	assert_int_equal(inside.times, 1);
	assert_int_equal(reports.nr, 1);
	assert_int_equal(reports.problem, YARD_LOCK_INVERSION);
	assert_int_equal(atomic_load(&user.flags), 0); // PF_MEMALLOC is restored
}

static void RC2_direct_reclaim_without_fs_does_not(void **state)
{
	uint32_t lock;

	(void)state;
	start("linux-7.3");
	lock = lock_class("i_mutex");
	alloc_under(lock, YARD_LOCK_WRITE, YARD_GFP_KERNEL);
	inside_takes(lock, YARD_LOCK_WRITE);
	set_wmarks(normal(), FRAMES, FRAMES, FRAMES);
	assert_int_equal(yard_alloc(yard, YARD_GFP_NOFS | YARD_GFP_NORETRY, 0), NONE);
	assert_int_equal(inside.times, 1);
	assert_int_equal(reports.nr, 0);
}

static void RC2_node_reclaim_holds(void **state)
{
	struct yard_config config;
	uint32_t lock;

	(void)state;
	config = noted_config("linux-7.3");
	config.zone_reclaim_mode = 7;
	machine_of(config, FRAMES, PAGES);
	pages(0, PAGES, FILE_PAGE, YARD_UNMAPPED);
	start_checker((struct yard_lockcheck_config){ 0 });
	ask.silent = true;
	lock = lock_class("i_mutex");
	alloc_under(lock, YARD_LOCK_WRITE, YARD_GFP_KERNEL);
	inside_takes(lock, YARD_LOCK_WRITE);
	set_wmarks(normal(), 10, (uint32_t)nr_free_pages(NORMAL) + 16, FRAMES);
	watch(E(NODE_RECLAIM_BEGIN));
	alloc_and_free(YARD_GFP_KERNEL);
	assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)), 1);
	assert_int_equal(inside.times, 1);
	assert_int_equal(reports.nr, 1);
}

// ---- direct compaction ----

static uint32_t mover_lock;
static unsigned moves;

static void lock_while_moving(void)
{
	if (moves++)
		return;
	take(mover_lock, YARD_LOCK_WRITE);
	drop(mover_lock);
}

// Half of the frames of each block are free: order 9 needs compaction and nothing else.
static void start_fragmented(const char *policy)
{
	blank_config(noted_config(policy), 32 * BLOCK);
	for (uint32_t i = 0; i < 32 * BLOCK; i += 2) {
		give_used(i, i + 1, false);
		give_free(i + 1, 0);
	}
	ready();
	set_pcps(normal(), 63, 4096, 4096);
	for (uint32_t i = 0; i < 32 * BLOCK; i += 2)
		lru_page(i, ANON_PAGE, YARD_MAPPED);
	yard_lru_drain(yard);
	listen();
	start_checker((struct yard_lockcheck_config){ 0 });
	ask.silent = true;
	moves = 0;
}

static void check_compaction(const char *policy, bool reported)
{
	start_fragmented(policy);
	mover_lock = lock_class("anon_vma");
	alloc_under(mover_lock, YARD_LOCK_WRITE, YARD_GFP_KERNEL);
	world.interrupt = lock_while_moving;
	assert_int_not_equal(yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE, YARD_PAGEBLOCK_ORDER), NONE);
	world.interrupt = NULL;
	assert_true(moves > 0);
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), 1);
	assert_int_equal(vm(YARD_VM_ALLOCSTALL_NORMAL) + vm(YARD_VM_ALLOCSTALL_MOVABLE), 0); // no reclaim
	assert_int_equal(reports.nr, reported);
}

static void RC8_compaction_counts_if_annotated(void **state)
{
	(void)state;
	check_compaction("linux-7.3", true);
	check_compaction("linux-7.3,compaction_annotated=off", false);
}

static void RC3_noio_stops_compaction(void **state)
{
	uint32_t before;

	(void)state;
	start_fragmented("linux-7.3");
	before = yard_scope_enter(yard, YARD_TASK_NOIO);
	assert_int_equal(yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_NORETRY, YARD_PAGEBLOCK_ORDER), NONE);
	yard_scope_leave(yard, before);
	assert_int_equal(vm(YARD_VM_COMPACT_STALL), 0);
}

// ---- inside reclaim ----

static void RC8_alloc_inside_reclaim(void **state)
{
	uint32_t lock;

	(void)state;
	start("linux-7.3");
	lock = lock_class("i_lock");
	inside_takes(lock, YARD_LOCK_WRITE);
	inside.alloc_gfp = YARD_GFP_KERNEL;
	run_kswapd();
	assert_int_equal(reports.nr, 0);
}

static void RC6_reclaim_recursion(void **state)
{
	(void)state;
	start("linux-7.3");
	memset(&inside, 0, sizeof inside);
	ask.on_release = act_inside;
	inside.alloc_gfp = YARD_GFP_KERNEL;
	inside.forget_memalloc = true;
	run_kswapd();
	assert_int_equal(reports.nr, 1);
	assert_int_equal(reports.problem, YARD_LOCK_RECURSION);
}

// ---- paths ----

static void take_in_order(const uint32_t *locks, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		take(locks[i], YARD_LOCK_WRITE);
	for (unsigned i = nr; i-- > 0;)
		drop(locks[i]);
}

static void RC5_shortest_path(void **state)
{
	uint32_t a, b, c, last;

	(void)state;
	start("linux-7.3");
	a = lock_class("a"), b = lock_class("b"), c = lock_class("c"), last = lock_class("last");
	inside_takes(a, YARD_LOCK_WRITE);
	run_kswapd();
	take_in_order((const uint32_t[]){ a, b }, 2);
	take_in_order((const uint32_t[]){ b, c }, 2);
	take_in_order((const uint32_t[]){ c, last }, 2);
	take_in_order((const uint32_t[]){ a, last }, 2); // the short way
	assert_int_equal(reports.nr, 0);
	alloc_under(last, YARD_LOCK_WRITE, YARD_GFP_KERNEL);
	assert_int_equal(reports.nr, 1);
	assert_int_equal(reports.problem, YARD_LOCK_UNSAFE_ALLOC);
	assert_string_equal(reports.path, "fs_reclaim -> a -> last");
}

static void RC6_any_edge_that_closes_a_cycle_through_reclaim(void **state)
{
	uint32_t a, last;

	(void)state;
	start("linux-7.3");
	a = lock_class("a"), last = lock_class("last");
	inside_takes(a, YARD_LOCK_WRITE); // fs_reclaim -> a
	run_kswapd();
	yard_set_current(yard, &user);
	alloc_under(last, YARD_LOCK_WRITE, YARD_GFP_KERNEL); // last -> fs_reclaim
	assert_int_equal(reports.nr, 0);
	take_in_order((const uint32_t[]){ a, last }, 2);
	assert_int_equal(reports.nr, 1);
	assert_int_equal(reports.problem, YARD_LOCK_INVERSION);
	assert_string_equal(reports.path, "last -> fs_reclaim -> a");
}

static void RC6_other_cycles_are_not_its_business(void **state)
{
	uint32_t a, b;

	(void)state;
	start("linux-7.3");
	a = lock_class("a"), b = lock_class("b");
	take_in_order((const uint32_t[]){ a, b }, 2);
	take_in_order((const uint32_t[]){ b, a }, 2);
	assert_int_equal(reports.nr, 0);
}

static void RC5_every_held_class(void **state)
{
	struct yard_lockcheck_state counts;
	uint32_t a, b, c;

	(void)state;
	start("linux-7.3");
	a = lock_class("a"), b = lock_class("b"), c = lock_class("c");
	take(a, YARD_LOCK_WRITE);
	take(b, YARD_LOCK_WRITE);
	take(c, YARD_LOCK_WRITE);
	drop(b); // not the last one taken
	alloc_and_free(YARD_GFP_KERNEL);
	drop(c);
	drop(a);
	yard_lockcheck_get(checker, &counts);
	assert_int_equal(counts.edges, 3 + 2 * 2); // a-b a-c b-c; a and c to reclaim and notifier
	inside_takes(b, YARD_LOCK_WRITE);
	inside.then = a + 1;
	run_kswapd();
	assert_int_equal(reports.nr, 2);
	assert_string_equal(reports.first_path, "b -> c -> fs_reclaim");
	assert_string_equal(reports.path, "a -> fs_reclaim");
}

static void RC7_kinds(void **state)
{
	static const struct {
		enum yard_lock_kind over_alloc, in_reclaim;
		bool reported;
	} rows[] = {
		{ YARD_LOCK_WRITE, YARD_LOCK_WRITE, true },
		{ YARD_LOCK_WRITE, YARD_LOCK_READ, true },
		{ YARD_LOCK_READ, YARD_LOCK_WRITE, true },
		{ YARD_LOCK_READ, YARD_LOCK_READ, false },
		{ YARD_LOCK_READ_RECURSIVE, YARD_LOCK_READ_RECURSIVE, false },
		{ YARD_LOCK_READ_RECURSIVE, YARD_LOCK_WRITE, true },
		{ YARD_LOCK_WRITE, YARD_LOCK_READ_RECURSIVE, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t lock;

		start("linux-7.3");
		lock = lock_class("inode");
		alloc_under(lock, rows[i].over_alloc, YARD_GFP_KERNEL);
		inside_takes(lock, rows[i].in_reclaim);
		run_kswapd();
		if (reports.nr != rows[i].reported)
			fail_msg("row %zu: %u reports", i, reports.nr);
	}
}

static void RC4_subclasses_are_classes(void **state)
{
	uint32_t lock;

	(void)state;
	start("linux-7.3");
	lock = lock_class("i_mutex");
	assert_int_equal(yard_lock_acquired(yard, lock, 1, YARD_LOCK_WRITE, "nested"), YARD_OK);
	alloc_and_free(YARD_GFP_KERNEL);
	assert_int_equal(yard_lock_released(yard, lock, 1), YARD_OK);
	inside_takes(lock, YARD_LOCK_WRITE); // subclass 0
	run_kswapd();
	assert_int_equal(reports.nr, 0);
}

static void RC4_tasks_have_stacks_of_their_own(void **state)
{
	struct yard_task other = { .pid = 101 };
	struct yard_lockcheck_state counts;
	uint32_t lock;

	(void)state;
	start("linux-7.3");
	lock = lock_class("i_mutex");
	take(lock, YARD_LOCK_WRITE);
	yard_set_current(yard, &other);
	alloc_and_free(YARD_GFP_KERNEL); // holds nothing
	assert_int_equal(yard_lock_released(yard, lock, 0), YARD_EINVAL);
	yard_set_current(yard, &user);
	drop(lock);
	yard_lockcheck_get(checker, &counts);
	assert_int_equal(counts.edges, 0);
}

static void RC4_errors(void **state)
{
	struct yard_lockcheck_config config = { .classes = 5, .tasks = 2 };
	struct yard_lockcheck_state counts;
	uint32_t lock;
	int added;

	(void)state;
	start("linux-7.3");
	start_checker(config);
	lock = lock_class("a");
	assert_int_equal(yard_lock_acquired(yard, lock + 100, 0, YARD_LOCK_WRITE, "x"), YARD_EINVAL);
	assert_int_equal(yard_lock_acquired(yard, lock, YARD_LOCK_SUBCLASSES, YARD_LOCK_WRITE, "x"), YARD_EINVAL);
	assert_int_equal(yard_lock_acquired(yard, lock, 0, (enum yard_lock_kind)3, "x"), YARD_EINVAL);
	assert_int_equal(yard_lock_released(yard, lock, 0), YARD_EINVAL);
	for (unsigned i = 0; (added = yard_lock_class(checker, "more")) >= 0; i++)
		assert_in_range(i, 0, 5);
	assert_int_equal(added, YARD_ENOMEM);
	yard_set_current(yard, NULL);
	assert_int_equal(yard_lock_acquired(yard, lock, 0, YARD_LOCK_WRITE, "x"), YARD_EINVAL);
	yard_lockcheck_attach(yard, NULL);
	yard_lockcheck_get(checker, &counts);
	assert_int_equal(counts.reports, 0);
	config.classes = (1 << 20) + 1;
	assert_int_equal(yard_lockcheck_size(&config), 0);
}

static uint64_t workload(void)
{
	uint64_t hash = 0;

	random_state = 3;
	set_wmarks(normal(), 100, 200, 3500);
	run(false);
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t pfn = yard_alloc(yard, (random_below(2) ? GFP_U : GFP_M) | YARD_GFP_RETRY_MAYFAIL, random_below(4));

		hash = hash * 31 + pfn;
		if (pfn != NONE && random_below(2))
			yard_free(yard, pfn, word_order(frame_word(yard, pfn)));
	}
	for (size_t i = 0; i < nr_events; i++)
		hash = hash * 31 + events[i].kind + events[i].pfn;
	return hash;
}

static void RC7_never_changes_behaviour(void **state)
{
	uint64_t with, again;
	struct yard_lockcheck_state counts, counts_again;

	(void)state;
	start("linux-7.3");
	with = workload();
	yard_lockcheck_get(checker, &counts);
	assert_true(counts.events > 1000);
	start("linux-7.3");
	again = workload();
	yard_lockcheck_get(checker, &counts_again);
	assert_true(counts.events == counts_again.events && counts.edges == counts_again.edges); // deterministic
	start("linux-7.3");
	yard_lockcheck_attach(yard, NULL);
	assert_int_equal(workload(), with);
	assert_int_equal(again, with);
}

#define TEST(name) cmocka_unit_test_teardown(name, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(RC8_lock_over_alloc_then_taken_by_kswapd),
		TEST(RC5_taken_by_kswapd_then_alloc_under_lock),
		TEST(RC2_irrelevant_requests),
		TEST(RC3_scopes),
		TEST(RC3_scopes_nest),
		TEST(RC2_notifier_class),
		TEST(RC2_wrappers_touch),
		TEST(RC3_scopes_and_masks_of_wrappers),
		TEST(RC2_kswapd_holds_nothing_while_it_sleeps),
		TEST(RC2_direct_reclaim_holds),
		TEST(RC2_direct_reclaim_without_fs_does_not),
		TEST(RC2_node_reclaim_holds),
		TEST(RC8_compaction_counts_if_annotated),
		TEST(RC3_noio_stops_compaction),
		TEST(RC8_alloc_inside_reclaim),
		TEST(RC6_reclaim_recursion),
		TEST(RC5_shortest_path),
		TEST(RC6_any_edge_that_closes_a_cycle_through_reclaim),
		TEST(RC6_other_cycles_are_not_its_business),
		TEST(RC5_every_held_class),
		TEST(RC7_kinds),
		TEST(RC4_subclasses_are_classes),
		TEST(RC4_tasks_have_stacks_of_their_own),
		TEST(RC4_errors),
		TEST(RC7_never_changes_behaviour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
