// SPDX-License-Identifier: Apache-2.0
//
// Spec 04 P-1 to P-3, spec 05 R1: memory.reclaim, which reclaims from the group of all pages. Most is said of the
// node's `reclaim` file too (test_node_reclaim.c); what differs between the two is shown here.

#include "kswapd_fixture.h"

// 8192 frames, half of them in use; the low mark holds.
static void start_group(const char *policy)
{
	machine_of(noted_config(policy), FRAMES, USED);
	set_wmarks(normal(), 10, 20, 30);
	as_user();
}

static int write_group(const char *text, uint64_t *got)
{
	return yard_memory_reclaim_write(yard, text, got);
}

// All that was asked for, and at most one round more: the first has a goal of a quarter and ends with a list's turn.
static uint64_t write_all(const char *text, uint64_t want)
{
	uint64_t got = 0;

	assert_int_equal(write_group(text, &got), YARD_OK);
	assert_in_range(got, want, want + want / 4 + CLUSTER_MAX);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_PROACTIVE), got);
	return got;
}

// ---- P-1 ----

static void P1_text(void **state)
{
	static const char *const wrong[] = { "", "x", "1M swappiness=201", "1M swappiness=maximum", "1M 60", "1MM" };
	uint64_t got = 7;

	(void)state;
	start_group("linux-7.3");
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (write_group(wrong[i], &got) != YARD_EINVAL || got)
			fail_msg("'%s' was taken", wrong[i]);
	assert_int_equal(write_group(NULL, NULL), YARD_EINVAL);
	assert_int_equal(write_group("4095", &got), YARD_OK); // rounded down to nothing
	assert_int_equal(got, 0);
	assert_int_equal(nr_released, 0);
}

// ---- P-2 ----

static void P2_batches(void **state)
{
	uint64_t got;

	(void)state;
	start_group("linux-7.3");
	// 400 / 4 = 100; 300 / 4 = 75; 225 / 4 = 56 in two priorities; 169 / 4 = 42
	script(100, 75, 20, 36, 200);
	assert_int_equal(write_group("1600K", &got), YARD_OK);
	assert_int_equal(got, 431);
	assert_priorities("12 12 12 11 12");
	assert_column(MEMCG_RECLAIM_END, 0, "100 75 56 200");
	for (unsigned i = 0; i < 4; i++) // gfp_flags pid memcg_id order
		assert_int_equal(arg_of(E(MEMCG_RECLAIM_BEGIN), i),
				 ((const int64_t[]){ YARD_GFP_HIGHUSER_MOVABLE, 1234, 0, 0 })[i]);
	assert_int_equal(count_events(E(NODE_RECLAIM_BEGIN)) + count_events(E(DIRECT_RECLAIM_BEGIN)), 0);
}

// The goal of a round is 32 at least, and of the yard only what lists and slab have.
static void P2_batch_of_32_at_least(void **state)
{
	uint64_t got;

	(void)state;
	start_group("linux-7.3");
	script(31, 1, 7);
	assert_int_equal(write_group("16K", &got), YARD_OK); // 4 / 4 = 1
	assert_int_equal(got, 32);
	assert_priorities("12 11");
}

static void P2_gives_up_in_the_17th_vain_round(void **state)
{
	uint64_t got;

	(void)state;
	start_group("linux-7.3");
	script(0);
	assert_int_equal(write_group("1600K", &got), YARD_ENOMEM);
	assert_int_equal(got, 0);
	assert_int_equal(count_events(E(MEMCG_RECLAIM_BEGIN)), 17);
	assert_int_equal(story.round, 17 * 13 * 2); // D-5: each runs twice
	start_group("linux-7.3");
	script(100); // progress gives no retry back
	assert_int_equal(write_group("1600K", &got), YARD_ENOMEM);
	assert_int_equal(got, 100);
	assert_int_equal(count_events(E(MEMCG_RECLAIM_BEGIN)), 18);
}

static void P2_last_retry_drains_all_cpus(void **state)
{
	uint64_t got;

	(void)state;
	two_cpus(FRAMES, USED);
	as_user();
	on_cpu(1);
	for (uint32_t i = 0; i < 10; i++)
		lru_page(i, FILE_PAGE, YARD_UNMAPPED);
	on_cpu(0);
	assert_int_equal(size_of(IF), 0);
	assert_int_equal(write_group("256K", &got), YARD_ENOMEM);
	assert_int_equal(got, 10); // a part of it
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_PROACTIVE), 10);
}

static void P2_a_signal_ends_it(void **state)
{
	uint64_t got = 7;

	(void)state;
	start_group("linux-7.3");
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	requester.flags = YARD_TASK_SIGNAL;
	assert_int_equal(write_group("16K", &got), YARD_EBUSY);
	assert_int_equal(got, 0);
	assert_int_equal(nr_released, 0);
	assert_int_equal(count_events(E(MEMCG_RECLAIM_BEGIN)), 0);
}

static unsigned rounds_until_signal;

static void signal_in_round(void)
{
	if (!rounds_until_signal--)
		requester.flags |= YARD_TASK_SIGNAL;
}

static void P2_a_signal_between_rounds_leaves_what_came(void **state)
{
	uint64_t got;

	(void)state;
	start_group("linux-7.3");
	script(100, 75, 60, 60);
	rounds_until_signal = 1;
	story.on_round = signal_in_round;
	assert_int_equal(write_group("1600K", &got), YARD_EBUSY);
	assert_int_equal(got, 175);
}

// Two nodes with a CPU and 2000 file pages each.
static void start_cpus_on_nodes(void)
{
	static const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 } };
	static const uint16_t cpu_node[] = { 0, 1 };
	struct yard_config config = noted_config("linux-7.3");

	config.nr_nodes = 2;
	config.nr_cpus = 2;
	config.cpu_node = cpu_node;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	listen();
	as_user();
	for (uint32_t i = 0; i < 4000; i++) {
		const struct yard_request r = { .gfp = KERNEL | YARD_GFP_THISNODE, .node = (int16_t)(i & 1) };
		struct yard_result result;

		assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
		assert_int_equal(yard_lru_add(yard, result.pfn, FILE_PAGE, YARD_UNMAPPED), YARD_OK);
	}
	yard_lru_drain(yard);
	forget();
}

static int64_t stolen_from(unsigned node)
{
	return node_stat(yard, node, YARD_NODE_PGSTEAL_PROACTIVE);
}

static void P2_all_nodes_the_nearest_first(void **state)
{
	(void)state;
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		uint64_t got;
		unsigned first = 0;

		start_cpus_on_nodes();
		on_cpu(cpu);
		assert_int_equal(write_group("2M", &got), YARD_OK);
		assert_int_equal(stolen_from(0) + stolen_from(1), got);
		assert_true(stolen_from(0) >= 128 && stolen_from(1) >= 128);
		for (unsigned node = 0; node < 2; node++)
			assert_int_equal(yard_lru_size(yard, node, IF, NORMAL), 2000 - stolen_from(node));
		while (events[first].kind != E(LRU_SHRINK_INACTIVE))
			first++;
		assert_int_equal(events[first].args[0], cpu);
		next_machine();
	}
}

// What keeps the node's file from reclaiming: its lock (N-4d), and too little cache and slab (N-4a).
static void P2_no_lock_and_no_threshold(void **state)
{
	uint64_t got;

	(void)state;
	start_group("linux-7.3");
	yard_set_swap(yard, 4000, 4000);
	pages(0, 3000, ANON_PAGE, YARD_MAPPED);
	assert_int_equal(yard_node_reclaim_write(yard, 0, "1M swappiness=max", &got), YARD_ENOMEM);
	assert_int_equal(got, 0);
	yard->mm[0].flags = NODE_RECLAIM_LOCKED;
	assert_int_equal(yard_node_reclaim_write(yard, 0, "1M swappiness=max", &got), YARD_EBUSY);
	write_all("1M swappiness=max", 256);
	assert_int_equal(yard->mm[0].flags & NODE_RECLAIM_LOCKED, NODE_RECLAIM_LOCKED);
}

static void P2_multi_gen(void **state)
{
	uint64_t got;

	(void)state;
	start_group("linux-7.3,lru_gen=on");
	pages(0, 3000, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(write_group("1M", &got), YARD_OK);
	assert_in_range(got, 256, 512);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_PROACTIVE), got);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_FILE), got);
	assert_verified();
}

// ---- P-3 ----

static bool memalloc_in_round, stall_in_round;

static void look_at_task(void)
{
	const struct yard_task *task = yard_get_current(yard);

	memalloc_in_round = task->flags & YARD_TASK_MEMALLOC;
	stall_in_round = task->memstall;
}

static void P3_R1_no_stall_but_memalloc(void **state)
{
	(void)state;
	for (unsigned with_task = 0; with_task < 2; with_task++) {
		start_group("linux-7.3");
		yard_set_current(yard, with_task ? &requester : NULL);
		script(100, 100, 100, 100, 100, 100);
		story.on_round = look_at_task;
		memalloc_in_round = false;
		stall_in_round = true;
		assert_int_equal(write_group("800K", NULL), YARD_OK);
		assert_true(memalloc_in_round);
		assert_false(stall_in_round);
		assert_int_equal(requester.flags & YARD_TASK_MEMALLOC, 0);
		assert_ptr_equal(yard_get_current(yard), with_task ? &requester : NULL);
		for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) // D-4
			assert_int_equal(vm((enum yard_vm_event)(YARD_VM_ALLOCSTALL_DMA + type)), 0);
		assert_int_equal(vm(YARD_VM_ZONE_RECLAIM_SUCCESS) + vm(YARD_VM_ZONE_RECLAIM_FAILED), 0);
	}
}

static void P3_T7_counted_as_proactive(void **state)
{
	uint64_t got;

	(void)state;
	start_group("linux-7.3");
	yard_set_swap(yard, 4000, 4000);
	pages(0, 1500, ANON_PAGE, YARD_MAPPED);
	pages(1500, 3000, FILE_PAGE, YARD_UNMAPPED);
	got = write_all("1M", 256);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_ANON) + stat_of(YARD_NODE_PGSTEAL_FILE), got);
	assert_int_equal(stat_of(YARD_NODE_PGSCAN_ANON) + stat_of(YARD_NODE_PGSCAN_FILE),
			 stat_of(YARD_NODE_PGSCAN_PROACTIVE));
	assert_true(stat_of(YARD_NODE_PGSCAN_PROACTIVE) >= (int64_t)got);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_DIRECT) + stat_of(YARD_NODE_PGSCAN_DIRECT), 0);
	assert_int_equal(nr_released, got);
	assert_verified();
}

// 1500 inactive anonymous pages, 2000 of files, so few of them inactive that the balance is not FILE (C-2.3); swap.
static void both_kinds(void)
{
	start_group("linux-7.3");
	yard_set_swap(yard, 4000, 4000);
	pages(0, 1500, ANON_PAGE, YARD_MAPPED);
	pages(1500, 2000, FILE_PAGE, YARD_UNMAPPED);
	pages(2000, 3500, FILE_PAGE | ACT, YARD_UNMAPPED);
	forget();
}

static void P3_own_swappiness(void **state)
{
	static const struct {
		const char *text;
		bool anon, file;
	} rows[] = { { "1M swappiness=0", false, true }, { "1M swappiness=100", true, true },
		     { "1M swappiness=200", true, false }, { "1M swappiness=max", true, false }, { "1M", true, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t got;

		both_kinds();
		got = write_all(rows[i].text, 256);
		assert_int_equal(stat_of(YARD_NODE_PGSTEAL_ANON) > 0, rows[i].anon);
		assert_int_equal(stat_of(YARD_NODE_PGSTEAL_FILE) > 0, rows[i].file);
		assert_int_equal(size_of(IA) + size_of(AA), 1500 - stat_of(YARD_NODE_PGSTEAL_ANON));
		assert_int_equal(size_of(IF) + size_of(AF), 2000 - stat_of(YARD_NODE_PGSTEAL_FILE));
		assert_int_equal(nr_released, got);
		next_machine();
	}
}

static void P3_V6_max_without_swap(void **state)
{
	uint64_t got;

	(void)state;
	start_group("linux-7.3");
	pages(0, 3000, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(write_group("1M swappiness=max", &got), YARD_ENOMEM);
	assert_int_equal(got, 0);
	start_group("linux-7.2");
	pages(0, 3000, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(write_group("1M swappiness=max", &got), YARD_OK); // fell to file
	assert_true(got >= 256);
}

// ---- cgroup reclaim is not global reclaim ----

// C-2.4: files that are too few for the high mark turn a global reclaim to anonymous pages, this one not.
static void C2_file_is_never_tiny(void **state)
{
	(void)state;
	for (unsigned global = 0; global < 2; global++) {
		both_kinds();
		set_wmarks(normal(), 10, 20, FRAMES);
		if (global)
			direct_reclaim(KERNEL, 0);
		else
			write_group("128K", NULL);
		assert_true(stat_of(YARD_NODE_PGSCAN_ANON) > 0);
		assert_int_equal(stat_of(YARD_NODE_PGSCAN_FILE) > 0, !global);
		next_machine();
	}
}

// C-3.1: a global reclaim works off all of its first targets, this one stops at its goal.
static void C3_not_proportional(void **state)
{
	(void)state;
	for (unsigned global = 0; global < 2; global++) {
		start_group("linux-7.3");
		pages(0, 4000, FILE_PAGE, YARD_UNMAPPED);
		pretend(IF, 100 << 12); // 100 at priority 12
		forget();
		if (global)
			direct_reclaim(KERNEL, 0);
		else
			try_to_free_group_pages(yard, 32, -1);
		assert_isolations(global ? "IF32 IF32 IF32 IF4" : "IF32");
		pretend(IF, 4000 - nr_released); // as it is
		next_machine();
	}
}

// D-5: the snapshot by which the next reclaim decides about the active lists is taken.
static void D5_snapshot_of_refaults(void **state)
{
	(void)state;
	start_group("linux-7.3");
	pages(0, 1000, FILE_PAGE, YARD_UNMAPPED);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_FILE, 5);
	assert_int_equal(write_group("16K", NULL), YARD_OK);
	assert_int_equal(yard->mm[0].lruvec.refaults[FILE_LRU], 5);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(P1_text), TEST(P2_batches), TEST(P2_batch_of_32_at_least), TEST(P2_gives_up_in_the_17th_vain_round),
		TEST(P2_last_retry_drains_all_cpus), TEST(P2_a_signal_ends_it),
		TEST(P2_a_signal_between_rounds_leaves_what_came), TEST(P2_all_nodes_the_nearest_first),
		TEST(P2_no_lock_and_no_threshold), TEST(P2_multi_gen), TEST(P3_R1_no_stall_but_memalloc),
		TEST(P3_T7_counted_as_proactive), TEST(P3_own_swappiness), TEST(P3_V6_max_without_swap),
		TEST(C2_file_is_never_tiny), TEST(C3_not_proportional), TEST(D5_snapshot_of_refaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
