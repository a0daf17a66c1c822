// SPDX-License-Identifier: Apache-2.0
//
// What the NUMA interfaces answer to arguments that cannot be (pageyard/mempolicy.h, local_reclaim.h; of migrate.h:
// test_migrate_node.c).

#include "kswapd_fixture.h"

#include "pageyard/local_reclaim.h"
#include "pageyard/mempolicy.h"

enum { NODE_FRAMES = 4096 };

static void start_two(void)
{
	static const struct yard_range memory[] = { { BASE, BASE + NODE_FRAMES, 0 },
						    { BASE + NODE_FRAMES, BASE + 2 * NODE_FRAMES, 1 } };
	struct yard_config config = noted_config("linux-7.3");

	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	direct(true);
	for (unsigned node = 0; node < 2; node++)
		set_wmarks(zone_at(yard, node * YARD_ZONE_TYPES + NORMAL), 10, 20, 30);
}

// ---- mempolicy.h ----

// An error leaves the policy as it was.
static void M11_a_policy_that_cannot_be_changes_nothing(void **state)
{
	static const struct {
		enum yard_mempolicy_mode mode;
		unsigned flags;
		uint64_t nodes, cpuset;
		int error;
	} wrong[] = {
		{ YARD_MPOL_MODES, 0, 1, 0, YARD_EINVAL },
		{ (enum yard_mempolicy_mode)255, 0, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_BIND, 8, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_BIND, 256 + 1, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_BIND, YARD_MPOL_STATIC_NODES | YARD_MPOL_RELATIVE_NODES, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_INTERLEAVE, YARD_MPOL_NUMA_BALANCING, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_WEIGHTED_INTERLEAVE, YARD_MPOL_NUMA_BALANCING, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_PREFERRED, YARD_MPOL_NUMA_BALANCING, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_BIND, 0, 0, 0, YARD_EINVAL },
		{ YARD_MPOL_INTERLEAVE, 0, 0, 0, YARD_EINVAL },
		{ YARD_MPOL_PREFERRED_MANY, 0, 0, 0, YARD_EINVAL },
		{ YARD_MPOL_LOCAL, 0, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_LOCAL, YARD_MPOL_STATIC_NODES, 0, 0, YARD_EINVAL },
		{ YARD_MPOL_BIND, 0, 1, 2, YARD_EINVAL }, // outside of the cpuset
		{ YARD_MPOL_BIND, 0, 4, 0, YARD_ERANGE },
		{ YARD_MPOL_BIND, 0, UINT64_C(1) << 63, 0, YARD_ERANGE },
		{ YARD_MPOL_BIND, YARD_MPOL_RELATIVE_NODES, UINT64_C(1) << 63, 0, YARD_ERANGE },
	};
	struct yard_mempolicy policy, before;

	(void)state;
	start_two();
	assert_int_equal(yard_mempolicy_set(yard, &policy, YARD_MPOL_PREFERRED_MANY, 0, 3, 0), YARD_OK);
	assert_int_equal(yard_mempolicy_set_home(yard, &policy, 1), YARD_OK);
	before = policy;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		int error = yard_mempolicy_set(yard, &policy, wrong[i].mode, wrong[i].flags, wrong[i].nodes,
					       wrong[i].cpuset);

		if (error != wrong[i].error)
			fail_msg("row %zu: %d", i, error);
		assert_memory_equal(&policy, &before, sizeof(policy));
	}
	assert_int_equal(yard_mempolicy_set_home(yard, &policy, 2), YARD_ERANGE);
	assert_int_equal(policy.home, 1);
	assert_int_equal(yard_mempolicy_set(yard, &policy, YARD_MPOL_INTERLEAVE, 0, 3, 0), YARD_OK);
	assert_int_equal(yard_mempolicy_set_home(yard, &policy, 1), YARD_EINVAL);
	assert_int_equal(policy.home, -1);
	assert_int_equal(yard_mempolicy_misplaced(yard, &policy, 0, 2, 0), -1);
	assert_int_equal(yard_mempolicy_misplaced(yard, &policy, 0, 0, 2), -1);
}

static void M7_M10_interleaving_needs_an_index_or_a_cursor(void **state)
{
	const struct yard_request request = { .gfp = GFP_M, .node = -1 };
	uint32_t pfns[4] = { YARD_PFN_NONE, YARD_PFN_NONE, YARD_PFN_NONE, YARD_PFN_NONE };
	struct yard_mempolicy policy;
	struct yard_result result;

	(void)state;
	start_two();
	for (unsigned mode = YARD_MPOL_INTERLEAVE; mode <= YARD_MPOL_WEIGHTED_INTERLEAVE; mode++) {
		assert_int_equal(yard_mempolicy_set(yard, &policy, (enum yard_mempolicy_mode)mode, 0, 3, 0), YARD_OK);
		assert_int_equal(yard_alloc_policy(yard, &policy, NULL, YARD_NO_INDEX, &request, &result), YARD_EINVAL);
		assert_int_equal(result.pfn, YARD_PFN_NONE);
		assert_int_equal(yard_alloc_bulk_policy(yard, &policy, NULL, GFP_M, 4, pfns), 0);
		assert_int_equal(pfns[0], YARD_PFN_NONE);
		assert_int_equal(yard_alloc_policy(yard, &policy, NULL, 1, &request, &result), YARD_OK);
		assert_int_equal(node_of(yard, result.pfn), 1);
	}
}

static void M9_weights_that_cannot_be(void **state)
{
	(void)state;
	start_two();
	assert_int_equal(yard_set_node_weight(yard, 0, 0), YARD_EINVAL);
	assert_int_equal(yard_set_node_weight(yard, 0, 256), YARD_EINVAL);
	assert_int_equal(yard_set_node_weight(yard, 2, 1), YARD_ERANGE);
	assert_int_equal(yard_node_weight(yard, 2), 1);
	assert_int_equal(yard_node_weight(yard, 0), 1);
	assert_int_equal(yard_set_node_weight(yard, 0, 255), YARD_OK);
	assert_int_equal(yard_node_weight(yard, 0), 255);
}

// ---- local_reclaim.h ----

static void L_nodes_threads_and_owners_that_are_not(void **state)
{
	struct yard_local_config config;
	struct yard_local_stat stat;
	struct yard_local_node node;
	struct yard_wait wait;

	(void)state;
	start_two();
	yard_local_defaults(&config);
	assert_int_equal(yard_local_change(yard, 0, &config), YARD_ERANGE);
	assert_int_equal(yard_local_get(yard, 0, &stat), YARD_ERANGE);
	assert_int_equal(yard_local_get(yard, 1, &stat), YARD_ERANGE);
	assert_int_equal(yard_local_create(yard, &config), 1);
	assert_int_equal(yard_local_get(yard, 1, &stat), YARD_OK);
	assert_int_equal(yard_local_get(yard, 2, &stat), YARD_ERANGE);
	assert_int_equal(yard_local_get_node(yard, 2, &node), YARD_ERANGE);
	assert_int_equal(yard_local_reclaimers(yard, 2), 0);
	assert_null(yard_local_reclaim_task(yard, 2, 0));
	assert_null(yard_local_reclaim_task(yard, 0, YARD_LOCAL_RECLAIMERS_MAX));
	yard_local_reclaim_step(yard, 2, 0, true, &wait);
	assert_int_equal(wait.kind, YARD_WAIT_QUEUE);
	assert_true(wait.timeout_ns == UINT64_MAX);
	yard_local_reclaim_step(yard, 0, YARD_LOCAL_RECLAIMERS_MAX, true, &wait);
	assert_true(wait.kind == YARD_WAIT_QUEUE && wait.timeout_ns == UINT64_MAX);
	config.home = UINT64_C(1) << 63;
	assert_int_equal(yard_local_create(yard, &config), YARD_ERANGE);
}

// A home node without memory, or without a zone that the request may use, is none: it is as without the policy.
static void L5_requests_that_have_no_zone_at_home(void **state)
{
	static const struct yard_range memory[] = { { BASE, BASE + NODE_FRAMES, 0 },
						    { BASE + NODE_FRAMES, BASE + 2 * NODE_FRAMES, 1 } };
	struct yard_request request = { .gfp = YARD_GFP_KERNEL, .node = -1 };
	static const uint32_t movable_start[] = { 0, BASE + NODE_FRAMES, 0 };
	struct yard_config config = noted_config("linux-7.3");
	struct yard_local_config local;
	struct yard_local_stat stat;
	struct yard_result result;

	(void)state;
	config.nr_nodes = 3;
	config.memory = memory;
	config.nr_memory = 2;
	config.movable_start = movable_start; // all of node 1
	build(&config);
	yard_local_defaults(&local);
	for (uint64_t home = 2; home <= 4; home += 2)
		for (unsigned deny = 0; deny < 2; deny++) {
			int owner;

			local.home = home;
			local.deny = deny;
			owner = yard_local_create(yard, &local);
			assert_true(owner > 0);
			request.local_reclaim = (uint8_t)owner;
			assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_OK);
			assert_int_equal(node_of(yard, result.pfn), 0);
			assert_int_equal(yard_local_get(yard, (unsigned)owner, &stat), YARD_OK);
			for (unsigned i = 0; i < YARD_LOCAL_REASONS; i++)
				assert_int_equal(stat.spilled[i], 0);
		}
	request.gfp = YARD_GFP_TRANSHUGE_LIGHT;
	request.order = YARD_PAGEBLOCK_ORDER;
	while (yard_alloc_huge(yard, &request, &result) == YARD_OK) // E-2: of the near node only
		assert_int_equal(node_of(yard, result.pfn), 0);
	assert_int_equal(request.local_reclaim, 4);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(M11_a_policy_that_cannot_be_changes_nothing),
		TEST(M7_M10_interleaving_needs_an_index_or_a_cursor),
		TEST(M9_weights_that_cannot_be),
		TEST(L_nodes_threads_and_owners_that_are_not),
		TEST(L5_requests_that_have_no_zone_at_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
