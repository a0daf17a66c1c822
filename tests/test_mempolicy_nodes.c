// SPDX-License-Identifier: Apache-2.0
//
// Memory policies as values (spec 05 M9, M11, M12, M14, M24, M25): how they are made and rebound, the weights of nodes,
// and which pages a policy wants elsewhere.

#include "mempolicy_fixture.h"

// ---- M9 ----

// M9: the four vectors, weights as text.
static void check_weights(const char *expected, unsigned nr, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (unsigned node = 0; node < nr; node++)
		put(&text, "%s%u", node ? "," : "", yard_node_weight(yard, node));
	same_text("weights", text.chars, expected, __FILE__, line);
}

static void M9_automatic_weights(void **state)
{
	static const struct {
		uint32_t bandwidth[NODES];
		const char *weights;
	} vectors[] = {
		{ { 300, 60 }, "26,5,1,1" },
		{ { 111, 51 }, "21,10,1,1" },
		{ { 100, 2 }, "31,1,1,1" },
		{ { 400, 400, 60, 60 }, "13,13,2,2" },
		{ { 400, 400, 400, 400 }, "1,1,1,1" },
		{ { 0 }, "1,1,1,1" },
		{ { 32, 992 }, "1,31,1,1" },	   // exactly 32 times: not above
		{ { UINT32_MAX, UINT32_MAX }, "16,16,1,1" },
	};

	(void)state;
	build_nodes(NULL);
	check_weights("1,1,1,1", NODES, __LINE__);
	for (size_t i = 0; i < COUNT(vectors); i++) {
		yard_auto_node_weights(yard, vectors[i].bandwidth);
		check_weights(vectors[i].weights, NODES, __LINE__);
	}
}

// M9: all are divided by their common divisor, 14,14,2 -> 7,7,1; here on three nodes.
static void M9_common_divisor(void **state)
{
	static const uint32_t bandwidth[] = { 400, 400, 60 }, other[] = { 300, 300, 100 };
	struct yard_range ranges[3];
	struct yard_config config = plain_config();

	(void)state;
	config.nr_nodes = config.nr_memory = 3;
	config.memory = ranges;
	for (unsigned n = 0; n < 3; n++)
		ranges[n] = (struct yard_range){ BASE + n * FRAMES, BASE + (n + 1) * FRAMES, n };
	build(&config);
	yard_auto_node_weights(yard, bandwidth);
	check_weights("7,7,1", 3, __LINE__);
	yard_auto_node_weights(yard, other); // 13,13,4
	check_weights("13,13,4", 3, __LINE__);
}

static void M9_a_manual_weight_switches_the_automatic_off(void **state)
{
	static const uint32_t bandwidth[] = { 300, 60, 0, 0 }, faster[] = { 111, 51, 0, 0 };

	(void)state;
	build_nodes(NULL);
	yard_auto_node_weights(yard, bandwidth);
	assert_int_equal(yard_set_node_weight(yard, 1, 9), YARD_OK);
	check_weights("26,9,1,1", NODES, __LINE__); // the others keep theirs
	yard_auto_node_weights(yard, faster);
	check_weights("26,9,1,1", NODES, __LINE__);
	yard_auto_node_weights(yard, NULL);
	check_weights("21,10,1,1", NODES, __LINE__);
	assert_int_equal(yard_set_node_weight(yard, 0, 0), YARD_EINVAL);
	assert_int_equal(yard_set_node_weight(yard, 0, 256), YARD_EINVAL);
	assert_int_equal(yard_set_node_weight(yard, NODES, 1), YARD_ERANGE);
	assert_int_equal(yard_set_node_weight(yard, 0, 255), YARD_OK);
	check_weights("255,10,1,1", NODES, __LINE__);
}

// ---- M11, M12, M14 ----

static void M11_neither_flag_at_creation(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = policy_with(YARD_MPOL_BIND, 0, 1 << 0 | 1 << 1 | 1 << 3, 1 << 1 | 1 << 2 | 1 << 3);
	assert_int_equal(policy.nodes, 1 << 1 | 1 << 3);
	assert_int_equal(policy.user_nodes, 1 << 0 | 1 << 1 | 1 << 3);
}

// M11: bits are ordinals among the allowed nodes, folded.
static void M11_relative_at_creation(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = policy_with(YARD_MPOL_INTERLEAVE, YARD_MPOL_RELATIVE_NODES, 1 << 0 | 1 << 1, 1 << 1 | 1 << 3);
	assert_int_equal(policy.nodes, 1 << 1 | 1 << 3);
	policy = policy_with(YARD_MPOL_INTERLEAVE, YARD_MPOL_RELATIVE_NODES, 1 << 2 | 1ull << 40, 1 << 1 | 1 << 3);
	assert_int_equal(policy.nodes, 1 << 1); // 2 and 40 modulo 2
	policy = policy_with(YARD_MPOL_INTERLEAVE, YARD_MPOL_RELATIVE_NODES, 1 << 5, 0);
	assert_int_equal(policy.nodes, 1 << 1); // 5 modulo 4
}

static void M11_rebinding_neither_maps_the_ith_to_the_ith(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = policy_with(YARD_MPOL_BIND, 0, 1 << 0 | 1 << 2, 1 << 0 | 1 << 1 | 1 << 2);
	yard_mempolicy_rebind(yard, &policy, 1 << 1 | 1 << 2 | 1 << 3); // 0 -> 1, 2 -> 3
	assert_int_equal(policy.nodes, 1 << 1 | 1 << 3);
	yard_mempolicy_rebind(yard, &policy, 1 << 0 | 1 << 2); // first and third of three: 0, and 2 modulo 2 again 0
	assert_int_equal(policy.nodes, 1 << 0);
	yard_mempolicy_rebind(yard, &policy, 1 << 3);
	assert_int_equal(policy.nodes, 1 << 3);
	yard_mempolicy_rebind(yard, &policy, 0); // all: the only node of one becomes the first
	assert_int_equal(policy.nodes, 1 << 0);
	assert_int_equal(node_of_page(&policy), 0);
}

static void M11_rebinding_static_keeps_the_physical_nodes(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = policy_with(YARD_MPOL_INTERLEAVE, YARD_MPOL_STATIC_NODES, 1 << 0 | 1 << 2, 1 << 0 | 1 << 1 | 1 << 2);
	assert_int_equal(policy.nodes, 1 << 0 | 1 << 2);
	yard_mempolicy_rebind(yard, &policy, 1 << 2 | 1 << 3);
	assert_int_equal(policy.nodes, 1 << 2);
	yard_mempolicy_rebind(yard, &policy, 1 << 1 | 1 << 3); // would leave nothing: all that are allowed
	assert_int_equal(policy.nodes, 1 << 1 | 1 << 3);
	yard_mempolicy_rebind(yard, &policy, ALL);
	assert_int_equal(policy.nodes, 1 << 0 | 1 << 2);
}

static void M11_rebinding_relative_folds_again(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = policy_with(YARD_MPOL_WEIGHTED_INTERLEAVE, YARD_MPOL_RELATIVE_NODES, 1 << 1 | 1 << 2, 0);
	assert_int_equal(policy.nodes, 1 << 1 | 1 << 2);
	yard_mempolicy_rebind(yard, &policy, 1 << 2 | 1 << 3);
	assert_int_equal(policy.nodes, 1 << 2 | 1 << 3); // 1 -> 3, 2 mod 2 -> 2
	yard_mempolicy_rebind(yard, &policy, 1 << 0 | 1 << 1 | 1 << 3);
	assert_int_equal(policy.nodes, 1 << 1 | 1 << 3);
}

static void M11_local_and_preferred_are_not_rebound(void **state)
{
	static const enum yard_mempolicy_mode modes[] = { YARD_MPOL_PREFERRED, YARD_MPOL_PREFERRED_MANY };

	(void)state;
	build_nodes(NULL);
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct yard_mempolicy policy = policy_with(modes[i], 0, 1 << 1, 1 << 0 | 1 << 1);

		yard_mempolicy_rebind(yard, &policy, 1 << 2 | 1 << 3);
		assert_int_equal(policy.nodes, 1 << 1);
		assert_int_equal(policy.cpuset, 1 << 2 | 1 << 3);
	}
	struct yard_mempolicy local = make(YARD_MPOL_LOCAL, 0);

	yard_mempolicy_rebind(yard, &local, 1 << 2);
	assert_int_equal(local.nodes, 0);
	assert_int_equal(node_of_page(&local), 0);
}

// M11: a memory-less node is in no effective set.
static void M11_nodes_without_memory(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + FRAMES, 0 }, { BASE + FRAMES, BASE + 2 * FRAMES, 2 } };
	struct yard_config config = plain_config();
	struct yard_mempolicy policy;

	(void)state;
	config.nr_nodes = 3;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	policy = make(YARD_MPOL_BIND, 7);
	assert_int_equal(policy.nodes, 1 << 0 | 1 << 2);
	assert_int_equal(yard_mempolicy_set(yard, &policy, YARD_MPOL_BIND, 0, 1 << 1, 0), YARD_EINVAL);
	assert_int_equal(yard_mempolicy_set(yard, &policy, YARD_MPOL_BIND, 0, 7, 1 << 1), YARD_EINVAL);
	policy = policy_with(YARD_MPOL_BIND, YARD_MPOL_RELATIVE_NODES, 1 << 1, 0);
	assert_int_equal(policy.nodes, 1 << 2);
	assert_int_equal(yard_mempolicy_misplaced(yard, NULL, 0, 2, 1), -1); // node 2 is node 1's local memory node
	assert_int_equal(yard_mempolicy_misplaced(yard, NULL, 0, 0, 1), 2);
}

static void M11_M12_what_cannot_be(void **state)
{
	static const struct {
		enum yard_mempolicy_mode mode;
		unsigned flags;
		uint64_t nodes, cpuset;
		int error;
	} cases[] = {
		{ YARD_MPOL_BIND, 0, 0, 0, YARD_EINVAL },
		{ YARD_MPOL_INTERLEAVE, 0, 0, 0, YARD_EINVAL },
		{ YARD_MPOL_WEIGHTED_INTERLEAVE, 0, 0, 0, YARD_EINVAL },
		{ YARD_MPOL_PREFERRED_MANY, 0, 0, 0, YARD_EINVAL },
		{ YARD_MPOL_BIND, 0, 1 << 1, 1 << 0, YARD_EINVAL }, // nothing is left
		{ YARD_MPOL_BIND, YARD_MPOL_STATIC_NODES, 1 << 1, 1 << 0, YARD_EINVAL },
		{ YARD_MPOL_PREFERRED, 0, 1 << 1, 1 << 0, YARD_EINVAL },
		{ YARD_MPOL_LOCAL, 0, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_LOCAL, YARD_MPOL_STATIC_NODES, 0, 0, YARD_EINVAL },
		{ YARD_MPOL_PREFERRED, YARD_MPOL_STATIC_NODES, 0, 0, YARD_EINVAL }, // it becomes local
		{ YARD_MPOL_DEFAULT, 0, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_BIND, YARD_MPOL_STATIC_NODES | YARD_MPOL_RELATIVE_NODES, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_BIND, 8, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_INTERLEAVE, YARD_MPOL_NUMA_BALANCING, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_WEIGHTED_INTERLEAVE, YARD_MPOL_NUMA_BALANCING, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_PREFERRED, YARD_MPOL_NUMA_BALANCING, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_MODES, 0, 1, 0, YARD_EINVAL },
		{ YARD_MPOL_BIND, 0, 1 << NODES, 0, YARD_ERANGE },
		{ YARD_MPOL_BIND, YARD_MPOL_STATIC_NODES, 1 | 1ull << 63, 0, YARD_ERANGE },
		{ YARD_MPOL_BIND, YARD_MPOL_RELATIVE_NODES, 1ull << YARD_NODES_MAX, 0, YARD_ERANGE },
	};
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 3);
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(yard_mempolicy_set(yard, &policy, cases[i].mode, cases[i].flags, cases[i].nodes,
						    cases[i].cpuset), cases[i].error);
		assert_int_equal(policy.nodes, 1 << 3); // as it was
	}
	assert_int_equal(make(YARD_MPOL_PREFERRED, 0).mode, YARD_MPOL_LOCAL);
	policy_with(YARD_MPOL_BIND, YARD_MPOL_NUMA_BALANCING, 1, 0);
	policy_with(YARD_MPOL_PREFERRED_MANY, YARD_MPOL_NUMA_BALANCING | YARD_MPOL_STATIC_NODES, 1, 0);
}

static void M14_candidates_of_the_oom_killer(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 1);
	assert_true(yard_mempolicy_oom_candidate(&policy, 0));
	assert_true(yard_mempolicy_oom_candidate(&policy, 1 << 0 | 1 << 1));
	assert_false(yard_mempolicy_oom_candidate(&policy, 1 << 0));
	policy = make(YARD_MPOL_PREFERRED_MANY, 1 << 1);
	assert_true(yard_mempolicy_oom_candidate(&policy, 1 << 0));
	assert_true(yard_mempolicy_oom_candidate(NULL, 1 << 0));
}

// ---- M24, M25, B7 ----

static void M25_home_node(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 0 | 1 << 2);
	assert_int_equal(node_of_page(&policy), 0);
	assert_int_equal(yard_mempolicy_set_home(yard, &policy, 3), YARD_OK);
	assert_int_equal(node_of_page(&policy), 2); // 3 is not in the set: the nearest to it
	assert_int_equal(yard_mempolicy_set_home(yard, &policy, NODES), YARD_ERANGE);
	assert_int_equal(policy.home, 3);
	policy = make(YARD_MPOL_PREFERRED_MANY, 1 << 0 | 1 << 2);
	assert_int_equal(yard_mempolicy_set_home(yard, &policy, 2), YARD_OK);
	assert_int_equal(node_of_page(&policy), 2);
	refuse(2, REFUSE, REFUSE);
	refuse(0, REFUSE, REFUSE);
	assert_int_equal(node_of_page(&policy), 3); // pass 2 starts from there too
	policy = make(YARD_MPOL_INTERLEAVE, 1);
	assert_int_equal(yard_mempolicy_set_home(yard, &policy, 0), YARD_EINVAL);
	policy = make(YARD_MPOL_PREFERRED, 1);
	assert_int_equal(yard_mempolicy_set_home(yard, &policy, 0), YARD_EINVAL);
}

// B7: the default and flagged policies follow the CPU. M24: the others want their pages on their nodes.
static void B7_M24_misplaced_pages(void **state)
{
	static const struct {
		enum yard_mempolicy_mode mode;
		unsigned flags;
		uint64_t nodes, index;
		unsigned node, cpu_node;
		int wanted;
	} cases[] = {
		{ YARD_MPOL_DEFAULT, 0, 0, 0, 1, 1, -1 },
		{ YARD_MPOL_DEFAULT, 0, 0, 0, 1, 2, 2 },
		{ YARD_MPOL_LOCAL, 0, 0, 0, 1, 2, 2 },
		{ YARD_MPOL_BIND, YARD_MPOL_NUMA_BALANCING, 6, 0, 1, 2, 2 },
		{ YARD_MPOL_BIND, YARD_MPOL_NUMA_BALANCING, 6, 0, 1, 1, -1 },
		{ YARD_MPOL_BIND, YARD_MPOL_NUMA_BALANCING, 6, 0, 1, 3, -1 }, // the CPU is not in the mask: stay
		{ YARD_MPOL_PREFERRED_MANY, YARD_MPOL_NUMA_BALANCING, 6, 0, 2, 1, 1 },
		{ YARD_MPOL_BIND, 0, 6, 0, 1, 2, -1 },
		{ YARD_MPOL_BIND, 0, 6, 0, 0, 3, 2 }, // to the member that is nearest to the CPU
		{ YARD_MPOL_BIND, 0, 6, 0, 3, 0, 1 },
		{ YARD_MPOL_PREFERRED_MANY, 0, 6, 0, 3, 0, 1 },
		{ YARD_MPOL_PREFERRED, 0, 4, 0, 2, 0, -1 },
		{ YARD_MPOL_PREFERRED, 0, 4, 0, 0, 0, 2 },
		{ YARD_MPOL_INTERLEAVE, 0, 6, 0, 1, 0, -1 },
		{ YARD_MPOL_INTERLEAVE, 0, 6, 1, 1, 0, 2 },
		{ YARD_MPOL_INTERLEAVE, 0, 6, YARD_NO_INDEX, 1, 0, -1 }, // any member will do
		{ YARD_MPOL_INTERLEAVE, 0, 6, YARD_NO_INDEX, 3, 3, 2 },
		{ YARD_MPOL_WEIGHTED_INTERLEAVE, 0, 6, 2, 1, 0, -1 }, // weights 3 and 1
		{ YARD_MPOL_WEIGHTED_INTERLEAVE, 0, 6, 3, 1, 0, 2 },
		{ YARD_MPOL_DEFAULT, 0, 0, 0, NODES, 0, -1 }, // no such node
		{ YARD_MPOL_DEFAULT, 0, 0, 0, 0, NODES, -1 },
	};

	(void)state;
	build_nodes(NULL);
	yard_set_node_weight(yard, 1, 3);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct yard_mempolicy policy = policy_with(cases[i].mode, cases[i].flags, cases[i].nodes, 0);
		int wanted = yard_mempolicy_misplaced(yard, &policy, cases[i].index, cases[i].node, cases[i].cpu_node);

		if (wanted != cases[i].wanted)
			fail_msg("case %zu: %d instead of %d", i, wanted, cases[i].wanted);
	}
	assert_int_equal(yard_mempolicy_misplaced(yard, NULL, 0, 0, 3), 3);
	struct yard_mempolicy policy = make(YARD_MPOL_BIND, 1 << 0 | 1 << 2);

	assert_int_equal(yard_mempolicy_set_home(yard, &policy, 3), YARD_OK);
	assert_int_equal(yard_mempolicy_misplaced(yard, &policy, 0, 1, 1), 2); // nearest to the home node
}

// A node outside the policy's cpuset is nobody's destination: the nearest one in it is, from where the policy wants the
// page.
static void M13_M24_pages_are_wanted_inside_the_cpuset(void **state)
{
	enum { FOLLOWS_CPU = YARD_MPOL_MODES }; // preferred-many with YARD_MPOL_NUMA_BALANCING
	static const struct { unsigned mode; uint64_t nodes, cpuset; unsigned node, cpu_node; int wanted; } cases[] = {
		{ YARD_MPOL_DEFAULT, 0, 5, 0, 3, 2 }, // in the cpuset, but farther from the CPU than node 2
		{ YARD_MPOL_DEFAULT, 0, 5, 2, 3, -1 },
		{ YARD_MPOL_DEFAULT, 0, 5, 3, 3, 2 }, // the CPU's node, outside
		{ YARD_MPOL_DEFAULT, 0, 5, 2, 0, 0 }, // the CPU is inside
		{ YARD_MPOL_LOCAL, 0, 4, 2, 0, -1 },
		{ YARD_MPOL_LOCAL, 0, 4, 0, 0, 2 },
		{ YARD_MPOL_PREFERRED, 8, 5, 3, 0, 2 },
		{ YARD_MPOL_PREFERRED, 8, 5, 2, 0, -1 },
		{ YARD_MPOL_PREFERRED, 8, 12, 0, 0, 3 },
		{ YARD_MPOL_PREFERRED_MANY, 9, 6, 0, 3, 2 }, // no member is left: any node of the cpuset
		{ YARD_MPOL_PREFERRED_MANY, 9, 6, 1, 3, -1 },
		{ YARD_MPOL_PREFERRED_MANY, 9, 5, 3, 3, 0 }, // one is
		{ YARD_MPOL_PREFERRED_MANY, 9, 5, 2, 3, 0 },
		{ FOLLOWS_CPU, 9, 5, 0, 3, -1 }, // B7: the CPU's node is a member, but outside: stay
		{ FOLLOWS_CPU, 9, 5, 3, 0, 0 },
		{ FOLLOWS_CPU, 9, 6, 0, 2, -1 }, // inside, but no member
	};

	(void)state;
	build_nodes(NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool follows = cases[i].mode == FOLLOWS_CPU;
		struct yard_mempolicy policy = policy_with(follows ? YARD_MPOL_PREFERRED_MANY : cases[i].mode,
							   follows ? YARD_MPOL_NUMA_BALANCING : 0, cases[i].nodes, 0);
		int wanted;

		yard_mempolicy_rebind(yard, &policy, cases[i].cpuset); // preferred ones keep their nodes (M11)
		wanted = yard_mempolicy_misplaced(yard, &policy, 0, cases[i].node, cases[i].cpu_node);
		if (wanted != cases[i].wanted)
			fail_msg("case %zu: %d instead of %d", i, wanted, cases[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(M9_automatic_weights),
		cmocka_unit_test(M9_common_divisor),
		cmocka_unit_test(M9_a_manual_weight_switches_the_automatic_off),
		cmocka_unit_test(M11_neither_flag_at_creation),
		cmocka_unit_test(M11_relative_at_creation),
		cmocka_unit_test(M11_rebinding_neither_maps_the_ith_to_the_ith),
		cmocka_unit_test(M11_rebinding_static_keeps_the_physical_nodes),
		cmocka_unit_test(M11_rebinding_relative_folds_again),
		cmocka_unit_test(M11_local_and_preferred_are_not_rebound),
		cmocka_unit_test(M11_nodes_without_memory),
		cmocka_unit_test(M11_M12_what_cannot_be),
		cmocka_unit_test(M14_candidates_of_the_oom_killer),
		cmocka_unit_test(M25_home_node),
		cmocka_unit_test(B7_M24_misplaced_pages),
		cmocka_unit_test(M13_M24_pages_are_wanted_inside_the_cpuset),
	};

	return cmocka_run_group_tests_name("mempolicy_nodes", tests, NULL, demolish);
}
