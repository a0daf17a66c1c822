// SPDX-License-Identifier: Apache-2.0
//
// Spec 05 D3: which node pages of a full node are demoted to, on machines whose tiers have gaps.

#include "kswapd_fixture.h"

enum { NODES = 4, NODE_FRAMES = 4096, LRU_PAGES = 256 };

static unsigned moved_to[NODES];

static enum yard_move_result note_target(void *context, uint32_t from, uint32_t to, unsigned order,
					 enum yard_migrate_mode mode)
{
	moved_to[node_of(yard, to)]++;
	return owner_move(context, from, to, order, mode);
}

// Node 0 has LRU_PAGES cold pages; `memory` are the nodes that have memory.
static void start_machine(const uint8_t *tier, const uint8_t *distance_of_0, unsigned nodes_with_memory)
{
	static const uint16_t cpu_node[] = { 0 };
	struct yard_config config = noted_config("linux-7.3");
	struct yard_range memory[NODES];
	uint8_t matrix[NODES * NODES];

	config.nr_memory = 0;
	for (uint32_t i = 0; i < NODES; i++) {
		if (nodes_with_memory >> i & 1)
			memory[config.nr_memory++] =
				(struct yard_range){ BASE + i * NODE_FRAMES, BASE + (i + 1) * NODE_FRAMES, i };
		for (uint32_t j = 0; j < NODES; j++)
			matrix[i * NODES + j] = i == j ? 10 : i == 0 ? distance_of_0[j] : j == 0 ? distance_of_0[i] : 40;
	}
	config.nr_nodes = NODES;
	config.cpu_node = cpu_node;
	config.memory = memory;
	config.distance = matrix;
	config.node_tier = tier;
	config.demotion_enabled = true;
	config.owner.move = note_target;
	build(&config);
	for (unsigned node = 0; node < NODES; node++)
		set_wmarks(zone_at(yard, node * YARD_ZONE_TYPES + NORMAL), 10, 20, 30);
	memset(moved_to, 0, sizeof moved_to);
	for (uint32_t i = 0; i < LRU_PAGES; i++) {
		const struct yard_request r = { .gfp = YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_THISNODE, .node = 0 };
		struct yard_result result;

		assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
		assert_int_equal(yard_lru_add(yard, result.pfn, FILE_PAGE, YARD_UNMAPPED), YARD_OK);
	}
	yard_lru_drain(yard);
}

static void shrink_node_0(void)
{
	struct scan_control sc = control();
	struct yard_task task = { .pid = 9, .flags = YARD_TASK_MEMALLOC };
	struct yard_task *before = yard_set_current(yard, &task);

	sc.role = ROLE_DIRECT;
	sc.priority = 0;
	sc.nr_to_reclaim = LRU_PAGES;
	shrink_node(yard, 0, &sc);
	yard_set_current(yard, before);
}

// Node 1 has CPUs or nothing at all, and no memory: the next tier that pages can go to is that of node 2, although
// node 3 of a slower one is nearer.
static void D3_a_tier_without_memory_is_no_tier(void **state)
{
	static const uint8_t tier[NODES] = { 0, 1, 2, 3 }, distance[NODES] = { 10, 15, 30, 20 };

	(void)state;
	start_machine(tier, distance, 1 | 4 | 8);
	shrink_node_0();
	assert_true(moved_to[2] > 0);
	assert_int_equal(moved_to[3], 0);
	assert_verified();
}

static void D3_the_next_tier_although_a_slower_one_is_nearer(void **state)
{
	static const uint8_t tier[NODES] = { 0, 1, 1, 2 }, distance[NODES] = { 10, 40, 30, 20 };

	(void)state;
	start_machine(tier, distance, 15);
	shrink_node_0();
	assert_true(moved_to[2] > 0);
	assert_int_equal(moved_to[1] + moved_to[3], 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(D3_a_tier_without_memory_is_no_tier),
		TEST(D3_the_next_tier_although_a_slower_one_is_nearer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
