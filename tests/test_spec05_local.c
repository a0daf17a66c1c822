// SPDX-License-Identifier: Apache-2.0
//
// Spec 05 L: what the promises of local-reclaim are where owners, callers or nodes are not the usual ones.

#include "local_fixture.h"

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

static bool refuse(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	(void)context, (void)pfn, (void)order, (void)shadow;
	return false;
}

// What looks like garbage but cannot be freed is none: a pass over it is one in vain.
static void L4_stops_when_nothing_can_be_freed(void **state)
{
	unsigned owner;

	(void)state;
	owner = full_node_for(defaults());
	yard->owner.release = refuse;
	demand(owner, 1000);
	node_given(owner);
	assert_in_range(steps_until_sleep(), 1, 2 * filled / CLUSTER_MAX);
	assert_true(node_state(0).looked_at >= filled);
}

// What is shown of an owner and of its headroom does not outlive it.
static void L3_no_rate_and_no_headroom_after_a_second_without_requests(void **state)
{
	unsigned owner;

	(void)state;
	owner = full_node_for(defaults());
	demand(owner, 1000);
	assert_true(node_state(0).wmark_low > 0 && stat_of_owner(owner).rate > 0);
	pass_time(SECOND - 1);
	assert_true(node_state(0).wmark_low > 0 && stat_of_owner(owner).rate > 0);
	pass_time(1);
	assert_int_equal(node_state(0).wmark_low, 0);
	assert_int_equal(node_state(0).wmark_high, 0);
	assert_int_equal(stat_of_owner(owner).rate, 0);
	assert_true(stat_of_owner(owner).limit > 0);
}

// ---- parts of requests (E-8) ----

static void L5_parts_of_a_request_are_as_without_the_policy(void **state)
{
	struct yard_request request = { .gfp = GFP_M, .node = 0, .nodemask = 1 };
	struct yard_local_config config = defaults();
	struct yard_result result;

	(void)state;
	config.wait_pct = 100;
	request.local_reclaim = (uint8_t)full_node_for(config);
	request.part = YARD_REQUEST_UNTIL_WAKE;
	assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_ENOMEM);
	assert_int_equal(result.attempts, 1);
	request.part = YARD_REQUEST_FROM_WAKE;
	assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_OK);
	assert_nothing_noted(request.local_reclaim);
	assert_int_equal(stat_of_owner(request.local_reclaim).home, 0);
}

// ---- L9 ----

static int node_of_huge_page(unsigned owner, uint32_t gfp)
{
	const struct yard_request huge = {
		.gfp = gfp, .order = YARD_PAGEBLOCK_ORDER, .node = -1, .local_reclaim = (uint8_t)owner,
		.max_rounds = 20,
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
		TEST(L3_no_rate_and_no_headroom_after_a_second_without_requests),
		TEST(L4_stops_when_nothing_can_be_freed),
		TEST(L5_parts_of_a_request_are_as_without_the_policy),
		TEST(L9_huge_pages_are_tried_on_each_home_node),
		TEST(L9_huge_pages_stay_at_home_though_the_cpu_is_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
