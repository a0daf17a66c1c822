// SPDX-License-Identifier: Apache-2.0
//
// Spec 05 L1 to L5: owners of local-reclaim, what they may evict, headroom and reclaimers, where requests are placed.

#include "local_fixture.h"

// ---- L1 ----

static void L1_values_that_cannot_be(void **state)
{
	struct yard_local_config config;

	(void)state;
	begin();
	for (unsigned i = 0; i < 6; i++) {
		config = defaults();
		config.garbage = i == 0 ? 3 : 1;
		config.wait_pct = i == 1 ? 101 : 20;
		config.rate_mbps = i == 2 ? 0 : 1;
		config.victim_permille = i == 3 ? 1001 : 125;
		config.refault_max_ppm = i == 4 ? 1000001 : 1;
		config.home = i == 5 ? 4 : 3;
		assert_int_equal(yard_local_create(yard, &config), i == 5 ? YARD_ERANGE : YARD_EINVAL);
	}
	assert_int_equal(yard_local_change(yard, 1, &config), YARD_ERANGE);
	config = defaults();
	for (int i = 1; i <= YARD_LOCAL_OWNERS_MAX; i++)
		assert_int_equal(yard_local_create(yard, &config), i);
	assert_int_equal(yard_local_create(yard, &config), YARD_ENOMEM);
	config.wait_pct = 101;
	assert_int_equal(yard_local_change(yard, 1, &config), YARD_EINVAL);
}

static void L1_an_unknown_owner_is_nobody(void **state)
{
	(void)state;
	begin();
	fill_but(100, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(node_given(7), 1); // mode 0: where memory is free
	assert_int_equal(count_events(E(WHY_LOCAL_SPILL)), 0);
	assert_int_equal(nr_released, 0);
}

// ---- L2 ----

struct kind {
	const char *name;
	uint32_t flags;
	enum yard_mapping mapping;
	unsigned reads;
	struct yard_local_page answer;
	bool goes[LOCAL_LEVELS];
};

static const struct kind kinds[] = {
#define OLD .age_ns = 100 * SECOND, .idle_ns = 100 * SECOND
	{ "new", 0, YARD_UNMAPPED, 0, { OLD }, { false, true, true } },
	{ "read once", 0, YARD_UNMAPPED, 1, { OLD }, { false, true, true } },
	{ "declared", 0, YARD_UNMAPPED, 0, { OLD, .declared = true }, { true, true, true } },
	{ "declared, young", 0, YARD_UNMAPPED, 0, { .declared = true }, { true, true, true } },
	{ "kept", 0, YARD_UNMAPPED, 0, { OLD, .keep = true }, { false, false, false } },
	{ "kept and declared", 0, YARD_UNMAPPED, 0, { OLD, .keep = true, .declared = true }, { false, false, false } },
	{ "too young", 0, YARD_UNMAPPED, 0, { .age_ns = 1999ull * MS, .idle_ns = 1999ull * MS },
	  { false, false, false } },
	{ "just old enough", 0, YARD_UNMAPPED, 0, { .age_ns = 2000ull * MS, .idle_ns = 0 }, { false, true, true } },
	{ "read twice", 0, YARD_UNMAPPED, 2, { OLD }, { false, false, false } }, // active
	{ "refaulted, idle", WS, YARD_UNMAPPED, 0, { OLD }, { false, false, true } },
	{ "refaulted, in use", WS, YARD_UNMAPPED, 0, { .age_ns = 100 * SECOND, .idle_ns = 59 * SECOND },
	  { false, false, false } },
	{ "mapped", 0, YARD_MAPPED, 0, { OLD, .declared = true }, { false, false, false } },
	{ "dirty", DIRTY, YARD_UNMAPPED, 0, { OLD, .declared = true }, { false, false, false } },
	{ "written", WB, YARD_UNMAPPED, 0, { OLD, .declared = true }, { false, false, false } },
	{ "pinned", PIN, YARD_UNMAPPED, 0, { OLD, .declared = true }, { false, false, false } },
	{ "active", ACT, YARD_UNMAPPED, 0, { OLD, .declared = true }, { false, false, false } },
	{ "anonymous", ANON_ | SB, YARD_UNMAPPED, 0, { OLD, .declared = true }, { false, false, false } },
	{ "shmem", SB, YARD_UNMAPPED, 0, { OLD, .declared = true }, { false, false, false } },
	{ "lazily freed", ANON_, YARD_UNMAPPED, 0, { OLD, .declared = true }, { false, false, false } },
};

static uint64_t freed_of_kind(const struct kind *kind, unsigned level, const char *policy)
{
	struct yard_local_config config;
	uint64_t freed = 0;
	unsigned owner;

	next_machine();
	start_policy(policy);
	fill_but(NODE_SIZE - 64, kind->flags, kind->mapping);
	for (unsigned i = 0; i < filled * kind->reads; i++)
		assert_int_equal(yard_lru_mark_accessed(yard, cache[i % filled]), YARD_OK);
	yard_lru_drain_all(yard);
	answer = kind->answer;
	config = defaults();
	config.garbage = (uint8_t)level;
	owner = owner_with(config);
	for (unsigned i = 0; i < 4; i++)
		freed += batch_for(owner).freed;
	assert_int_equal(freed, nr_released);
	assert_verified();
	return freed;
}

static void L2_what_may_go(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++)
		for (unsigned level = 0; level < LOCAL_LEVELS; level++)
			if (freed_of_kind(&kinds[i], level, "linux-7.3") != (kinds[i].goes[level] ? 64 : 0))
				fail_msg("a page that is %s, level %u", kinds[i].name, level);
}

// There, pages that were read twice stay in their generation, and their accesses tell.
static void L2_of_the_multi_gen_lru(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++)
		for (unsigned level = 0; level < LOCAL_LEVELS; level++) {
			bool idle = level == 2 && kinds[i].reads == 2; // not read for long
			bool goes = kinds[i].goes[level] || idle;

			if (freed_of_kind(&kinds[i], level, "linux-7.3,lru_gen=1") != (goes ? 64 : 0))
				fail_msg("multi-gen: a page that is %s, level %u", kinds[i].name, level);
		}
}

static void L2_finds_garbage_among_other_pages(void **state)
{
	static const char *const policies[] = { "linux-7.3", "linux-7.3,lru_gen=1" };
	uint64_t freed;

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		unsigned owner;

		next_machine();
		start_policy(policies[i]);
		fill_but(NODE_SIZE - 3000, FILE_PAGE, YARD_UNMAPPED);
		owner = owner_with(defaults());
		answer_of = every_third;
		freed = 0;
		for (unsigned batches = 0; batches < 3000 / 32 + 1; batches++)
			freed += batch_for(owner).freed;
		assert_int_equal(freed, 1000); // each page of the pass was looked at once
		assert_true(local_has_garbage(yard, 0, YARD_LOCAL_READ_ONCE));
		for (unsigned batches = 0; batches < 2000 / 32 + 1; batches++)
			assert_int_equal(batch_for(owner).freed, 0);
		assert_false(local_has_garbage(yard, 0, YARD_LOCAL_READ_ONCE));
		assert_verified();
	}
}

// ---- L3 ----

static void L3_headroom_by_rate(void **state)
{
	const uint64_t most = NODE_SIZE / 50;
	unsigned owner;

	(void)state;
	begin();
	fill();
	owner = owner_with(defaults());
	assert_int_equal(node_state(0).wmark_low, 0); // nobody asks
	demand(owner, 1000);
	assert_int_equal(node_state(0).wmark_low, 150 + most); // 64 MiB are more than 2 % here
	assert_int_equal(node_state(0).wmark_high, 150 + 2 * most);
	assert_int_equal(node_state(1).wmark_low, 0);
}

static void L3_none_without_garbage(void **state)
{
	unsigned owner;

	(void)state;
	begin();
	fill_but(KEPT_FREE, ACT, YARD_UNMAPPED);
	owner = owner_with(defaults());
	demand(owner, 1000);
	assert_int_equal(node_state(0).wmark_low, 0);
}

static void L3_none_when_nobody_asks_any_more(void **state)
{
	unsigned owner;

	(void)state;
	begin();
	fill();
	owner = owner_with(defaults());
	demand(owner, 1000);
	assert_true(node_state(0).wmark_low);
	for (unsigned i = 0; i < 2; i++) {
		pass_time(SECOND);
		local_refresh(yard, 0, yard->host.now_ns);
	}
	assert_int_equal(node_state(0).wmark_low, 0);
}

// ---- L4 ----

static void L4_woken_below_the_low_mark(void **state)
{
	unsigned owner;
	uint64_t low, high;

	(void)state;
	begin();
	fill_but(1000, FILE_PAGE, YARD_UNMAPPED);
	owner = owner_with(defaults());
	demand(owner, 1000);
	low = node_state(0).wmark_low;
	high = node_state(0).wmark_high;
	while (free_on(0) > low)
		assert_int_equal(node_given(owner), 0);
	assert_int_equal(WAKES_OF(LOCAL_RECLAIM), 0);
	assert_int_equal(node_given(owner), 0);
	assert_int_equal(WAKES_OF(LOCAL_RECLAIM), 1);
	assert_int_equal(count_events(E(WHY_LOCAL_WAKE)), 1);
	steps_until_sleep();
	assert_in_range(free_on(0), high, high + CLUSTER_MAX);
	assert_int_equal(stat_of_owner(owner).reclaimed, nr_released);
	assert_int_equal(stat_of_owner(owner).stall_ns, 0);
	assert_verified();
}

static void L4_is_not_kswapd(void **state)
{
	unsigned owner;

	(void)state;
	begin();
	sleep_fully(0);
	fill();
	owner = owner_with(defaults());
	demand(owner, 1000);
	assert_int_equal(node_given(owner), 0);
	reclaimer_step(0);
	assert_false(yard->nodes[0].kswapd_awake);
	assert_int_equal(WAKES_OF(KSWAPD), 0);
	assert_int_equal(count_events(E(WAKEUP_KSWAPD)), 0);
}

static void L4_a_pass_in_vain_is_not_repeated_at_once(void **state)
{
	uint64_t looked;
	unsigned owner;

	(void)state;
	begin();
	fill();
	answer.keep = true;
	owner = owner_with(defaults());
	demand(owner, 1000);
	assert_int_equal(node_given(owner), 0);
	steps_until_sleep();
	looked = node_state(0).looked_at;
	assert_int_equal(looked, filled); // each page once
	assert_false(local_has_garbage(yard, 0, YARD_LOCAL_READ_ONCE));
	pass_time(99 * MS);
	assert_false(local_has_garbage(yard, 0, YARD_LOCAL_READ_ONCE));
	pass_time(2 * MS);
	assert_true(local_has_garbage(yard, 0, YARD_LOCAL_READ_ONCE));
	assert_int_equal(nr_released, 0);
}

static void L4_another_reclaimer_for_each_millisecond_below_low(void **state)
{
	unsigned owner;

	(void)state;
	begin();
	yard->nodes[0].nr_cpus = 16;
	assert_int_equal(yard_local_reclaimers(yard, 0), 2);
	fill();
	owner = owner_with(defaults());
	demand(owner, 1000);
	assert_int_equal(node_given(owner), 0);
	set_wmarks(zone_of_node(0), 50, 20000, 20000);
	assert_int_equal(reclaimer_step(1).kind, YARD_WAIT_QUEUE); // not yet
	reclaimer_step(0);
	pass_time(MS);
	reclaimer_step(0);
	assert_int_equal(reclaimer_step(1).kind, YARD_WAIT_NONE);
	assert_int_equal(node_state(0).running, 2);
	yard->nodes[0].nr_cpus = 400;
	assert_int_equal(yard_local_reclaimers(yard, 0), YARD_LOCAL_RECLAIMERS_MAX);
	yard->nodes[0].nr_cpus = 2;
	assert_int_equal(yard_local_reclaimers(yard, 0), 1);
}

// ---- L5 ----

static void L5_home_although_kswapd_is_awake(void **state)
{
	unsigned owner;

	(void)state;
	begin();
	owner = owner_with(defaults());
	yard_kswapd_awake(yard, 0, true);
	assert_int_equal(node_given(0), 1); // T9.4
	assert_int_equal(node_given(owner), 0);
}

static void L5_a_step_makes_room(void **state)
{
	unsigned owner;

	(void)state;
	begin();
	fill_but(100, FILE_PAGE, YARD_UNMAPPED);
	owner = owner_with(defaults());
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(node_given(owner), 0);
	assert_int_equal(stat_of_owner(owner).home, 100);
	assert_int_equal(stat_of_owner(owner).stepped, nr_released);
	assert_in_range(nr_released, 100, 128); // 32 pages at once
	assert_int_equal(stat_of_owner(owner).steps, nr_released / CLUSTER_MAX);
	assert_int_equal(WAKES_OF(KSWAPD), 0);
	assert_verified();
}

// They are counted as mapped file pages, but lie on other lists.
static void L3_mapped_shmem_hides_no_garbage(void **state)
{
	unsigned owner;

	(void)state;
	begin();
	fill_but(2000, YARD_PAGE_SWAPBACKED, YARD_MAPPED);
	fill_but(100, FILE_PAGE, YARD_UNMAPPED);
	owner = owner_with(defaults());
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(node_given(owner), 0);
	assert_int_equal(stat_of_owner(owner).home, 100);
}

static void L5_spill_no_garbage(void **state)
{
	unsigned owner = (unsigned)(begin(), fill_but(100, ACT, YARD_UNMAPPED), owner_with(defaults()));

	(void)state;
	assert_int_equal(node_given(owner), 1);
	assert_spilled(owner, YARD_LOCAL_NOGARBAGE);
}

static void L5_spill_budget(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	config.wait_pct = 0;
	owner = full_node_for(config);
	assert_int_equal(node_given(owner), 1);
	assert_spilled(owner, YARD_LOCAL_BUDGET);
	assert_int_equal(nr_released, 0);
}

static void L5_spill_nonblock(void **state)
{
	unsigned owner = full_node_for(defaults());

	(void)state;
	assert_int_equal(node_given_gfp(owner, YARD_GFP_NOWAIT, 0), 1);
	assert_spilled(owner, YARD_LOCAL_NONBLOCK);
}

static void L5_spill_rate(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	config.rate_mbps = 1;
	owner = full_node_for(config);
	for (int node = 0; node == 0;)
		node = node_given(owner);
	assert_spilled(owner, YARD_LOCAL_RATE);
	assert_in_range(nr_released, MIB / 10, MIB / 10 + 2 * CLUSTER_MAX); // the bucket: a tenth of a second
}

static void L5_deny_stays_at_home(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	config.deny = true;
	config.wait_pct = 0;
	owner = full_node_for(config);
	world.unkillable = true;
	for (unsigned i = 0; i < 200; i++) // the slow path's reclaim, in the home node only
		assert_int_equal(node_given(owner), 0);
	assert_int_equal(free_on(1), NODE_SIZE);
	assert_true(nr_released > 0);
}

static void L5_the_budget_is_a_share_of_time(void **state)
{
	struct yard_local_config config = defaults();
	uint64_t before;
	unsigned owner;

	(void)state;
	config.wait_pct = 10;
	owner = full_node_for(config);
	yard->host.cost_ns[YARD_COST_RECLAIM_PAGE] = 10000; // a step: 320 us
	for (int node = 0; node == 0;)
		node = node_given(owner);
	assert_spilled(owner, YARD_LOCAL_BUDGET);
	assert_in_range(stat_of_owner(owner).stall_ns, MS, MS + 320000); // its depth
	before = stat_of_owner(owner).stall_ns;
	pass_time(100 * MS); // 10 ms of budget, of which 1 ms is kept
	for (unsigned i = 0; i < 1000; i++)
		node_given(owner);
	assert_in_range(stat_of_owner(owner).stall_ns - before, MS - 320000, MS + 320000);
}

static void L5_waits_for_the_step_of_another(void **state)
{
	unsigned owner = full_node_for(defaults());

	(void)state;
	local_store(&local_node(yard, 0)->step_ns, 30000);
	local_node(yard, 0)->stepping = 1;
	node_given(owner);
	assert_true(naps_of(YARD_QUEUE_LOCAL_STEP) > 0);
	assert_int_equal(naps.timeout_ns[0], 30000);
	assert_int_equal(stat_of_owner(owner).steps, 0);
	assert_int_equal(stat_of_owner(owner).waits, naps_of(YARD_QUEUE_LOCAL_STEP));
	assert_int_equal(local_node(yard, 0)->stepping, 1);
}

static void L5_the_home_nodes_in_order(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	config.home = 3;
	config.wait_pct = 0;
	owner = full_node_for(config);
	assert_int_equal(node_given(owner), 1); // at home as well
	assert_int_equal(stat_of_owner(owner).home, 1);
	assert_int_equal(count_events(E(WHY_LOCAL_SPILL)), 0);
	config.home = 2;
	assert_int_equal(yard_local_change(yard, owner, &config), YARD_OK);
	assert_int_equal(yard_free(yard, cache[0], 0), YARD_OK); // room on the CPU's node
	assert_int_equal(node_given(owner), 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(L1_values_that_cannot_be),
		TEST(L1_an_unknown_owner_is_nobody),
		TEST(L2_what_may_go),
		TEST(L2_of_the_multi_gen_lru),
		TEST(L2_finds_garbage_among_other_pages),
		TEST(L3_headroom_by_rate),
		TEST(L3_none_without_garbage),
		TEST(L3_none_when_nobody_asks_any_more),
		TEST(L4_woken_below_the_low_mark),
		TEST(L4_is_not_kswapd),
		TEST(L4_a_pass_in_vain_is_not_repeated_at_once),
		TEST(L4_another_reclaimer_for_each_millisecond_below_low),
		TEST(L5_home_although_kswapd_is_awake),
		TEST(L5_a_step_makes_room),
		TEST(L3_mapped_shmem_hides_no_garbage), TEST(L5_spill_no_garbage),
		TEST(L5_spill_budget),
		TEST(L5_spill_nonblock),
		TEST(L5_spill_rate),
		TEST(L5_deny_stays_at_home),
		TEST(L5_the_budget_is_a_share_of_time),
		TEST(L5_waits_for_the_step_of_another),
		TEST(L5_the_home_nodes_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
