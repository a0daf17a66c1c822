// SPDX-License-Identifier: Apache-2.0
//
// Spec 05 L6 to L10: what local-reclaim may take and from whom, pages that move home, huge pages, reasons.

#include "local_fixture.h"

// ---- L6 ----

static void L6_tokens_come_with_time(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	begin();
	fill();
	config.rate_mbps = 10; // 2560 pages a second
	owner = owner_with(config);
	while (local_may_take(yard, 0, owner - 1))
		assert_int_equal(batch_for(owner).freed, CLUSTER_MAX);
	pass_time(10 * SECOND);
	nr_released = 0;
	while (local_may_take(yard, 0, owner - 1))
		batch_for(owner);
	assert_in_range(nr_released, 256, 256 + CLUSTER_MAX);
}

static void L6_the_highest_rate(void **state)
{
	struct yard_local_config config = defaults();
	struct local_share *share;
	unsigned owner;

	(void)state;
	begin();
	config.rate_mbps = UINT32_MAX;
	owner = owner_with(config);
	share = &local_node(yard, 0)->share[owner - 1];
	share->tokens = 0;
	share->filled_at = yard->host.now_ns;
	pass_time(50 * MS);
	assert_true(local_may_take(yard, 0, owner - 1));
	assert_int_equal(share->tokens, (int64_t)UINT32_MAX * MIB / 20);
}

static void L6_a_victim_loses_an_eighth_in_a_second(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	begin();
	fill();
	config.victim_permille = 125;
	owner = owner_with(config);
	answer.victim = 5;
	answer.victim_pages = 64 * MIB + 8000;
	answer.victim_hot = 1;
	for (unsigned i = 0; i < 300; i++)
		batch_for(owner);
	assert_int_equal(nr_released, (64 * MIB + 8000) / 8);
	pass_time(SECOND);
	nr_released = 0;
	assert_int_equal(batch_for(owner).freed, CLUSTER_MAX);
	answer.victim_hot = 0; // a cache of which nothing is used again: no limit
	nr_released = 0;
	for (unsigned i = 0; i < 300; i++)
		batch_for(owner);
	assert_true(nr_released > (64 * MIB + 8000) / 8);
	answer.victim_pages = 64 * MIB; // its floor
	assert_int_equal(batch_for(owner).freed, 0);
	answer.victim_pages = 70 * MIB;
	answer.victim_hot = 70 * MIB;
	assert_int_equal(batch_for(owner).freed, 0);
	answer.declared = true; // its owner does not want it
	assert_int_equal(batch_for(owner).freed, CLUSTER_MAX);
}

static void L6_spill_floor(void **state)
{
	unsigned owner = full_node_for(defaults());

	(void)state;
	answer.victim = 5;
	answer.victim_pages = 1000;
	assert_int_equal(node_given(owner), 1);
	assert_spilled(owner, YARD_LOCAL_FLOOR);
}

static uint32_t refaulting(uint32_t pfn, uint64_t shadow) // the content of an evicted page comes back
{
	const struct yard_request request = { .gfp = GFP_M | YARD_GFP_THISNODE, .node = 1 };
	struct yard_result result;

	(void)pfn;
	assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_OK);
	assert_true(yard_lru_refault(yard, result.pfn, FILE_PAGE, shadow) >= 0);
	return result.pfn;
}

static void L6_refaults_halve_rate_and_level(void **state)
{
	struct yard_local_config config = defaults();
	uint64_t limit;
	unsigned owner;

	(void)state;
	begin();
	fill();
	owner = owner_with(config);
	limit = stat_of_owner(owner).limit;
	for (unsigned i = 0; i < LOCAL_WINDOW / CLUSTER_MAX - 1; i++)
		batch_for(owner);
	for (unsigned i = 0; i < 42; i++) // more than 1 % of 4096
		refaulting(cache[i], shadow_of[cache[i] - base]);
	assert_int_equal(stat_of_owner(owner).refaults, 42);
	assert_int_equal(stat_of_owner(owner).limit, limit);
	batch_for(owner);
	assert_int_equal(stat_of_owner(owner).limit, limit - limit / 4); // on one of the two nodes
	assert_int_equal(stat_of_owner(owner).level, YARD_LOCAL_DECLARED);
	fill_but(100, FILE_PAGE, YARD_UNMAPPED);
	assert_int_equal(node_given(owner), 1);
	assert_spilled(owner, YARD_LOCAL_REFAULT); // nothing is declared
}

static void L6_fewer_refaults_give_it_back(void **state)
{
	struct local_share *share;
	uint64_t half;
	unsigned owner;

	(void)state;
	begin();
	fill();
	owner = owner_with(defaults());
	share = &local_node(yard, 0)->share[owner - 1];
	half = share->limit / 2;
	share->limit = half;
	for (unsigned i = 0; i < LOCAL_WINDOW / CLUSTER_MAX; i++)
		batch_for(owner);
	assert_int_equal(share->limit, half + half / 10 + 1);
	share->level = 0; // no evictions, but time
	for (unsigned i = 0; i < 10; i++) {
		pass_time(11 * SECOND);
		local_may_take(yard, 0, owner - 1);
	}
	assert_int_equal(share->limit, 2 * half);
	assert_int_equal(share->level, YARD_LOCAL_READ_ONCE);
}

// Shadows of pages that stock reclaim evicted are nobody's.
static void L6_only_its_own_evictions_count(void **state)
{
	unsigned owner = full_node_for(defaults());

	(void)state;
	assert_int_equal(yard_reclaim_pages(yard, cache, 64), 64);
	for (unsigned i = 0; i < 64; i++)
		refaulting(cache[i], shadow_of[cache[i] - base]);
	assert_int_equal(stat_of_owner(owner).refaults, 0);
}

static void L6_owners_share_by_what_they_allocate(void **state)
{
	unsigned one, two;

	(void)state;
	begin();
	fill_but(100, FILE_PAGE, YARD_UNMAPPED);
	one = owner_with(defaults());
	two = owner_with(defaults());
	demand(one, 3000);
	local_add(&local_node(yard, 0)->share[two - 1].allocated, 1000);
	pass_time(10 * MS);
	local_refresh(yard, 0, yard->host.now_ns);
	local_wake(yard, 0);
	set_wmarks(zone_of_node(0), 50, 100, 6000); // room for all that is owed
	pass_time(10 * MS);
	local_refresh(yard, 0, yard->host.now_ns);
	while (nr_released < 3900)
		reclaimer_step(0);
	assert_in_range(stat_of_owner(two).reclaimed, 800, 1200);
	assert_int_equal(stat_of_owner(one).reclaimed + stat_of_owner(two).reclaimed, nr_released);
}

static void L6_no_headroom_for_strangers(void **state)
{
	struct yard_request stranger = { .gfp = GFP_M | YARD_GFP_THISNODE, .node = 0 };
	struct yard_result result;
	uint64_t low;
	unsigned owner;

	(void)state;
	begin();
	fill();
	owner = owner_with(defaults());
	demand(owner, 1000);
	low = node_state(0).wmark_low;
	for (unsigned i = 0; i < 10; i++)
		batch_for(owner);
	for (unsigned i = 0; i < 200; i++) // of 320
		assert_int_equal(yard_alloc_request(yard, &stranger, &result), YARD_OK);
	pass_time(SECOND);
	local_add(&local_node(yard, 0)->share[owner - 1].allocated, 20);
	local_refresh(yard, 0, yard->host.now_ns);
	assert_int_equal(node_state(0).wmark_low - 150, (low - 150) / 4);
	pass_time(SECOND);
	local_add(&local_node(yard, 0)->share[owner - 1].allocated, 20);
	local_refresh(yard, 0, yard->host.now_ns);
	assert_int_equal(node_state(0).wmark_low, low);
}

// ---- L8 ----

static void L8_spilled_pages_go_home(void **state)
{
	struct yard_local_config config = defaults();
	struct yard_request request = { .gfp = GFP_M, .node = -1 };
	struct yard_result result[50];
	unsigned owner;

	(void)state;
	config.wait_pct = 0;
	owner = full_node_for(config);
	request.local_reclaim = (uint8_t)owner;
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(yard_alloc_request(yard, &request, &result[i]), YARD_OK);
		assert_int_equal(yard_lru_add(yard, result[i].pfn, ANON_ | SB, YARD_UNMAPPED), YARD_OK);
	}
	yard_lru_drain_all(yard);
	assert_int_equal(node_state(0).spilled, 50);
	home_answer = owner;
	while (local_node(yard, 0)->wanted)
		reclaimer_step(0);
	pass_time(SECOND);
	for (unsigned i = 0; i < 10; i++) {
		reclaimer_step(0);
		pass_time(10 * MS);
	}
	assert_int_equal(node_state(0).spilled, 0);
	assert_int_equal(stat_of_owner(owner).repatriated, 50);
	assert_int_equal(world.calls[CALL_MOVE], 50);
	assert_int_equal(node_of(yard, world.last_to), 0);
	assert_verified();
}

static void L8_not_those_that_left(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	config.wait_pct = 0;
	owner = full_node_for(config);
	for (unsigned i = 0; i < 50; i++)
		node_given(owner); // not on the LRU, and the owner does not know them
	home_answer = 0;
	while (local_node(yard, 0)->wanted)
		reclaimer_step(0);
	for (unsigned i = 0; i < 10; i++) {
		pass_time(SECOND);
		reclaimer_step(0);
	}
	assert_int_equal(world.calls[CALL_MOVE], 0);
	config.repatriate_mbps = 0;
	assert_int_equal(yard_local_change(yard, owner, &config), YARD_OK);
	fill_but(100, FILE_PAGE, YARD_UNMAPPED);
	node_given(owner);
	assert_int_equal(node_state(0).spilled, 0);
}

// ---- L9 ----

static void L9_huge_pages_do_not_spill(void **state)
{
	const struct yard_request huge = { .gfp = YARD_GFP_TRANSHUGE, .order = 9, .node = -1, .local_reclaim = 1 };
	struct yard_result result;
	struct yard_wait wait;
	unsigned owner;

	(void)state;
	begin();
	fill();
	yard_kcompactd_step(yard, 0, false, &wait);
	forget();
	owner = owner_with(defaults());
	demand(owner, 1000);
	assert_int_equal(yard_alloc_huge(yard, &huge, &result), YARD_ENOMEM);
	assert_int_equal(free_on(1), NODE_SIZE);
	assert_int_equal(WAKES_OF(LOCAL_RECLAIM), 1);
	assert_true(count_events(E(WAKEUP_KCOMPACTD)) > 0);
	assert_int_equal(stat_of_owner(owner).steps, 0);
	assert_int_equal(node_given(owner), 0); // small pages are there
}

// ---- L10 ----

static void L10_every_page_is_home_or_has_a_reason(void **state)
{
	unsigned owner = (unsigned)(begin(), fill(), owner_with(defaults())), given = 0;
	struct yard_local_stat stat;
	uint64_t spilled = 0;

	(void)state;
	answer_of = every_third;
	yard->host.cost_ns[YARD_COST_RECLAIM_PAGE] = 600;
	for (; given < 20000; given++) {
		pass_time(1000);
		if (node_given_gfp(owner, given % 5 ? GFP_M : YARD_GFP_NOWAIT, 0) < 0)
			break;
		if (given % 3 == 0)
			reclaimer_step(0);
	}
	stat = stat_of_owner(owner);
	for (unsigned i = 0; i < YARD_LOCAL_REASONS; i++)
		spilled += stat.spilled[i];
	assert_true(spilled > 0 && stat.home > 10000);
	assert_int_equal(stat.home + spilled, given);
	assert_int_equal(count_events(E(WHY_LOCAL_SPILL)), spilled);
	assert_int_equal(count_events(E(WHY_LOCAL_EVICT)), nr_released);
	assert_int_equal(stat.stepped + stat.reclaimed, nr_released);
	assert_verified();
}

static void L10_names(void **state)
{
	(void)state;
	assert_string_equal(yard_local_reason_name(YARD_LOCAL_FLOOR), "floor");
	assert_string_equal(yard_local_reason_name(YARD_LOCAL_REASONS), "?");
	assert_string_equal(yard_event_name(YARD_EVENT_WHY_LOCAL_SPILL), "lr_spill");
	assert_string_equal(yard_event_name(YARD_EVENT_WHY_LOCAL_HOME), "lr_home");
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(L6_tokens_come_with_time), TEST(L6_the_highest_rate),
		TEST(L6_a_victim_loses_an_eighth_in_a_second),
		TEST(L6_spill_floor),
		TEST(L6_refaults_halve_rate_and_level),
		TEST(L6_fewer_refaults_give_it_back),
		TEST(L6_only_its_own_evictions_count),
		TEST(L6_owners_share_by_what_they_allocate),
		TEST(L6_no_headroom_for_strangers),
		TEST(L8_spilled_pages_go_home),
		TEST(L8_not_those_that_left),
		TEST(L9_huge_pages_do_not_spill),
		TEST(L10_every_page_is_home_or_has_a_reason),
		TEST(L10_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
