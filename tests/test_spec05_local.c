// SPDX-License-Identifier: Apache-2.0
//
// Spec 05 L: what the promises of local-reclaim are where owners, callers or nodes are not the usual ones.

#include "local_fixture.h"

// An owner whose requests find node 0 full of cache that must stay: everything spills.
static unsigned crowded(struct yard_local_config config)
{
	unsigned owner;

	begin();
	answer.keep = true;
	fill_but(100, FILE_PAGE, YARD_UNMAPPED);
	config.wait_pct = 0;
	owner = owner_with(config);
	home_answer = owner;
	return owner;
}

static uint32_t spilled_pfn[8192];
static unsigned nr_spilled;

static void spill(unsigned owner, unsigned pages)
{
	const struct yard_request request = { .gfp = GFP_M, .node = -1, .local_reclaim = (uint8_t)owner };
	struct yard_result result;

	for (unsigned i = 0; i < pages; i++) {
		assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_OK);
		assert_int_equal(node_of(yard, result.pfn), 1);
		assert_int_equal(yard_lru_add(yard, result.pfn, ANON_ | SB, YARD_UNMAPPED), YARD_OK);
		spilled_pfn[nr_spilled++] = result.pfn;
	}
	yard_lru_drain_all(yard);
}

static void make_room(unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		assert_int_equal(yard_free(yard, cache[i], 0), YARD_OK);
}

static void settle(void)
{
	for (unsigned i = 0; local_node(yard, 0)->wanted && i < 1000; i++)
		reclaimer_step(0);
	assert_int_equal(local_node(yard, 0)->wanted, 0);
}

static unsigned moved(void)
{
	return world.calls[CALL_MOVE];
}

// ---- L8: at most repatriate_MBps ----

// A step that comes too early goes on waiting, as those of the other workers do (pageyard/worker.h).
static void L8_the_rate_holds_however_often_steps_come(void **state)
{
	const unsigned each_10_ms = 256 * MIB / 100;
	unsigned owner;

	(void)state;
	nr_spilled = 0;
	owner = crowded(defaults());
	spill(owner, 4000);
	make_room(12000);
	settle();
	pass_time(SECOND);
	for (unsigned i = 0; i < 10; i++)
		reclaimer_step(0);
	assert_in_range(moved(), 1, each_10_ms);
	for (unsigned i = 0; i < 30; i++) {
		pass_time(MS);
		reclaimer_step(0);
	}
	assert_in_range(moved(), 2 * each_10_ms, 4 * each_10_ms);
}

static void L8_none_of_those_that_wait_once_it_is_off(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	nr_spilled = 0;
	owner = crowded(config);
	spill(owner, 100);
	make_room(12000);
	settle();
	config.repatriate_mbps = 0;
	assert_int_equal(yard_local_change(yard, owner, &config), YARD_OK);
	for (unsigned i = 0; i < 20; i++) {
		pass_time(SECOND);
		reclaimer_step(0);
	}
	assert_int_equal(moved(), 0);
}

static unsigned slow_owner, fast_owner;
static unsigned owner_of_spilled(void *context, uint32_t pfn, unsigned order, uint64_t nodes)
{
	(void)context, (void)order, (void)nodes;
	for (unsigned i = 0; i < nr_spilled; i++)
		if (spilled_pfn[i] == pfn)
			return i < nr_spilled / 2 ? slow_owner : fast_owner;
	return 0;
}

static void two_owners(uint32_t slow_mbps, unsigned pages)
{
	struct yard_local_config config = defaults();

	nr_spilled = 0;
	config.repatriate_mbps = slow_mbps;
	slow_owner = crowded(config);
	config.wait_pct = 0;
	config.repatriate_mbps = 1024;
	fast_owner = owner_with(config);
	yard->owner.local_home = owner_of_spilled;
	spill(slow_owner, pages);
	spill(fast_owner, pages);
	make_room(12000);
	settle();
}

static void L8_each_owner_has_its_own_rate(void **state)
{
	(void)state;
	two_owners(1, 1000);
	for (unsigned i = 0; i < 100; i++) { // a second
		pass_time(10 * MS);
		reclaimer_step(0);
	}
	assert_in_range(stat_of_owner(slow_owner).repatriated, 1, MIB + CLUSTER_MAX);
	assert_int_equal(stat_of_owner(fast_owner).repatriated, 1000);
}

static void L8_each_owner_is_told_its_own(void **state)
{
	(void)state;
	two_owners(1024, 16);
	for (unsigned i = 0; i < 10; i++) {
		pass_time(SECOND);
		reclaimer_step(0);
	}
	assert_int_equal(moved(), 32);
	assert_int_equal(stat_of_owner(slow_owner).repatriated, 16);
	assert_int_equal(stat_of_owner(fast_owner).repatriated, 16);
}

static void L8_not_below_the_high_mark(void **state)
{
	unsigned owner;

	(void)state;
	nr_spilled = 0;
	owner = crowded(defaults());
	spill(owner, 100);
	make_room(700); // lead is 2 % of the node, 655 pages: W_high is 150 + 2 * 655
	settle();
	for (unsigned i = 0; i < 5; i++) {
		pass_time(SECOND);
		reclaimer_step(0);
	}
	assert_int_equal(moved(), 0);
	make_room(0);
	for (unsigned i = 700; i < 1600; i++)
		assert_int_equal(yard_free(yard, cache[i], 0), YARD_OK);
	for (unsigned i = 0; i < 5; i++) {
		pass_time(SECOND);
		reclaimer_step(0);
	}
	assert_int_equal(moved(), 100);
}

static uint32_t moved_from[256];
static enum yard_move_result note_source(void *context, uint32_t from, uint32_t to, unsigned order,
					 enum yard_migrate_mode mode)
{
	(void)context, (void)to, (void)order, (void)mode;
	if (world.calls[CALL_MOVE] < COUNT(moved_from))
		moved_from[world.calls[CALL_MOVE]] = from;
	world.calls[CALL_MOVE]++;
	return YARD_MOVE_DONE;
}

static void L8_the_oldest_spill_first(void **state)
{
	unsigned owner;

	(void)state;
	nr_spilled = 0;
	owner = crowded(defaults());
	yard->owner.move = note_source;
	spill(owner, 20);
	// another run of frames
	yard_free(yard, yard_alloc(yard, GFP_M, 9), 9);
	spill(owner, 20);
	make_room(12000);
	settle();
	pass_time(SECOND);
	reclaimer_step(0);
	assert_int_equal(moved(), 40);
	for (unsigned i = 0; i < 20; i++) {
		bool old = false;

		for (unsigned j = 0; j < 20; j++)
			old |= moved_from[i] == spilled_pfn[j];
		assert_true(old);
	}
}

// ---- L5: requests that no home node can serve ----

static void assert_nothing_noted(unsigned owner)
{
	struct yard_local_stat stat = stat_of_owner(owner);

	for (unsigned i = 0; i < YARD_LOCAL_REASONS; i++)
		assert_int_equal(stat.spilled[i], 0);
	assert_int_equal(stat.steps + stat.waits, 0);
	assert_int_equal(count_events(E(WHY_LOCAL_SPILL)), 0);
	assert_int_equal(nr_released, 0);
	for (unsigned node = 0; node < 2; node++)
		assert_int_equal(node_state(node).spilled, 0);
}

// M2: a request for one node is plain.
static void L5_thisnode_elsewhere_is_a_request_without_the_policy(void **state)
{
	struct yard_request request = { .gfp = GFP_M | YARD_GFP_THISNODE, .node = 1 };
	struct yard_local_config config = defaults();
	struct yard_result result;

	(void)state;
	for (unsigned deny = 0; deny < 2; deny++) {
		next_machine();
		config.home = 1;
		config.deny = deny;
		request.local_reclaim = (uint8_t)full_node_for(config);
		assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_OK);
		assert_int_equal(node_of(yard, result.pfn), 1);
		assert_nothing_noted(request.local_reclaim);
	}
}

// M13: a home that the cpuset does not have is none, and nothing is evicted there in vain.
static void L5_the_cpuset_wins(void **state)
{
	struct yard_request request = { .gfp = GFP_M, .node = -1, .nodemask = 3, .cpuset = 2 };
	struct yard_local_config config = defaults();
	struct yard_result result;

	(void)state;
	for (unsigned deny = 0; deny < 2; deny++)
		for (uint64_t mask = 0; mask <= 3; mask += 3) {
			next_machine();
			config.home = 1;
			config.deny = deny;
			request.nodemask = mask;
			request.local_reclaim = (uint8_t)full_node_for(config);
			assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_OK);
			assert_int_equal(node_of(yard, result.pfn), 1);
			assert_nothing_noted(request.local_reclaim);
		}
}

// The budget is what a task may wait from now on; what it did while there was no limit is over.
static void L5_a_limit_after_none_begins_with_a_full_bucket(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;
	uint64_t steps;

	(void)state;
	config.wait_pct = 100;
	owner = full_node_for(config);
	yard->host.cost_ns[YARD_COST_RECLAIM_PAGE] = 10000; // a step: 320 us
	for (unsigned i = 0; i < 3200; i++)
		assert_int_equal(node_given(owner), 0);
	steps = stat_of_owner(owner).steps;
	assert_true(steps > 50); // 16 ms and more
	config.wait_pct = 20;
	assert_int_equal(yard_local_change(yard, owner, &config), YARD_OK);
	pass_time(10 * MS); // 2 ms of budget, of which 1 ms is kept
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(node_given(owner), 0);
	assert_true(stat_of_owner(owner).steps > steps);
}

// ---- L4 ----

static void L4_stops_at_the_high_mark(void **state)
{
	unsigned owner;

	(void)state;
	owner = full_node_for(defaults());
	demand(owner, 1000);
	node_given(owner);
	steps_until_sleep();
	assert_true(node_state(0).wmark_high > 0);
	assert_in_range(free_on(0), node_state(0).wmark_high, node_state(0).wmark_high + CLUSTER_MAX);
}

// ---- L9 ----

static int node_of_huge_page(unsigned owner, uint32_t gfp)
{
	const struct yard_request huge = {
		.gfp = gfp, .order = YARD_PAGEBLOCK_ORDER, .node = -1, .local_reclaim = (uint8_t)owner, .max_rounds = 20,
	};
	struct yard_result result;

	return yard_alloc_huge(yard, &huge, &result) ? -1 : (int)node_of(yard, result.pfn);
}

static void L9_huge_pages_are_tried_on_each_home_node(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	config.home = 3;
	owner = full_node_for(config);
	assert_int_equal(node_of_huge_page(owner, YARD_GFP_TRANSHUGE_LIGHT), 1);
	assert_int_equal(node_of_huge_page(owner, YARD_GFP_TRANSHUGE), 1);
}

// The first attempt is for the node that is near; that is not a home.
static void L9_huge_pages_stay_at_home_though_the_cpu_is_elsewhere(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	config.home = 1;
	owner = full_node_for(config);
	on_cpu(1);
	assert_int_equal(node_of_huge_page(owner, YARD_GFP_TRANSHUGE_LIGHT), -1);
	assert_int_equal(node_of_huge_page(owner, YARD_GFP_TRANSHUGE), -1);
	assert_int_equal(free_on(1), NODE_SIZE);
	config.home = 2;
	assert_int_equal(yard_local_change(yard, owner, &config), YARD_OK);
	on_cpu(0);
	assert_int_equal(node_of_huge_page(owner, YARD_GFP_TRANSHUGE_LIGHT), 1);
}

// ---- L6 ii ----

static uint64_t evicted_of_a_cache(struct yard_local_page page, unsigned batches)
{
	struct yard_local_config config = defaults();
	uint64_t freed = 0;
	unsigned owner;

	config.victim_permille = 125;
	next_machine();
	owner = full_node_for(config);
	answer = page;
	for (unsigned i = 0; i < batches; i++)
		freed += batch_for(owner).freed;
	return freed;
}

static void L6_floor_and_share_of_a_victim(void **state)
{
	const struct yard_local_page old = { .age_ns = 10 * SECOND, .idle_ns = 10 * SECOND, .victim = 1 };
	struct yard_local_page page = old;

	(void)state;
	page.victim_pages = 64 * MIB + 31; // less than a page of order 0 above 64 MiB would do
	assert_int_equal(evicted_of_a_cache(page, 1), 32);
	page.victim_pages = 64 * MIB;
	assert_int_equal(evicted_of_a_cache(page, 4), 0);
	page.declared = true; // has no floor
	assert_int_equal(evicted_of_a_cache(page, 4), 128);
	page = old;
	page.victim_pages = 65 * MIB; // not in use: no limit in time
	assert_int_equal(evicted_of_a_cache(page, 100), 3200);
	page.victim_hot = 1; // an eighth: 2080 pages
	assert_int_equal(evicted_of_a_cache(page, 100), 65 * MIB / 8);
	page.victim_pages = 80 * MIB;
	page.victim_hot = 80 * MIB;
	assert_int_equal(evicted_of_a_cache(page, 4), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(L4_stops_at_the_high_mark),
		TEST(L5_thisnode_elsewhere_is_a_request_without_the_policy),
		TEST(L5_the_cpuset_wins),
		TEST(L5_a_limit_after_none_begins_with_a_full_bucket),
		TEST(L6_floor_and_share_of_a_victim),
		TEST(L9_huge_pages_are_tried_on_each_home_node),
		TEST(L9_huge_pages_stay_at_home_though_the_cpu_is_elsewhere),
		TEST(L8_the_rate_holds_however_often_steps_come),
		TEST(L8_none_of_those_that_wait_once_it_is_off),
		TEST(L8_each_owner_has_its_own_rate),
		TEST(L8_each_owner_is_told_its_own),
		TEST(L8_not_below_the_high_mark),
		TEST(L8_the_oldest_spill_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
