// SPDX-License-Identifier: Apache-2.0
//
// Spec 05 L8: spilled pages of local-reclaim move home, each owner's at its rate, the oldest first.

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
	for (unsigned i = 0; local_node(yard, 0)->wanted && i < 2000; i++)
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

// Nothing waits any more, and no cache has to make room for it.
static void L8_what_waits_is_forgotten_when_it_is_off_or_home_is_elsewhere(void **state)
{
	(void)state;
	for (unsigned elsewhere = 0; elsewhere < 2; elsewhere++) {
		struct yard_local_config config = defaults();
		unsigned owner;

		next_machine();
		nr_spilled = 0;
		owner = crowded(config);
		spill(owner, 100);
		settle();
		assert_int_equal(node_state(0).spilled, 100);
		assert_int_equal(yard_local_change(yard, owner, &config), YARD_OK);
		assert_int_equal(node_state(0).spilled, 100); // as before
		config.home = elsewhere ? 2 : config.home;
		config.repatriate_mbps = elsewhere ? config.repatriate_mbps : 0;
		assert_int_equal(yard_local_change(yard, owner, &config), YARD_OK);
		assert_int_equal(node_state(0).spilled, 0);
		answer.keep = false;
		for (unsigned i = 0; i < 20; i++) {
			pass_time(SECOND);
			reclaimer_step(0);
		}
		assert_int_equal(nr_released, 0);
		assert_int_equal(moved(), 0);
	}
}

// Where there is no headroom nothing else wakes who moves them.
static void L8_the_first_spill_wakes_the_reclaimer(void **state)
{
	struct yard_local_config config = defaults();
	unsigned owner;

	(void)state;
	for (unsigned moves = 0; moves < 2; moves++) {
		next_machine();
		begin();
		fill_but(100, ANON_ | SB, YARD_MAPPED);
		config.repatriate_mbps = moves ? 256 : 0;
		owner = owner_with(config);
		for (unsigned i = 0; i < 20; i++)
			assert_int_equal(node_given(owner), 1);
		assert_int_equal(node_state(0).wmark_low, 0);
		assert_int_equal(WAKES_OF(LOCAL_RECLAIM), moves);
	}
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
	const struct yard_request elsewhere = { .gfp = GFP_M | YARD_GFP_THISNODE, .node = 1 };
	struct yard_result result;
	struct yard_wait wait;
	unsigned owner;

	(void)state;
	nr_spilled = 0;
	owner = crowded(defaults());
	yard->owner.move = note_source;
	spill(owner, 20);
	// what goes to another home in between, and has been moved before
	local_note_spill(yard, owner - 1, 1, BASE + 2 * NODE_SIZE - 1, 0);
	// another run of frames
	assert_int_equal(yard_alloc_request(yard, &elsewhere, &result), YARD_OK);
	spill(owner, 20);
	assert_int_equal(yard->local->nr_runs, 3);
	yard_local_reclaim_step(yard, 1, 0, true, &wait);
	assert_int_equal(node_state(1).spilled, 0);
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

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(L8_what_waits_is_forgotten_when_it_is_off_or_home_is_elsewhere),
		TEST(L8_the_first_spill_wakes_the_reclaimer),
		TEST(L8_the_rate_holds_however_often_steps_come),
		TEST(L8_none_of_those_that_wait_once_it_is_off),
		TEST(L8_each_owner_has_its_own_rate),
		TEST(L8_each_owner_is_told_its_own),
		TEST(L8_not_below_the_high_mark),
		TEST(L8_the_oldest_spill_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
