// SPDX-License-Identifier: Apache-2.0
//
// Memory policies (spec 05 section 2): where the pages of a request go.

#include "mempolicy_fixture.h"

// ---- M1 to M6 ----

static void M1_policies_apply_to_later_requests_only(void **state)
{
	const struct yard_request r = { .gfp = GFP_M, .node = -1 };
	struct yard_mempolicy policy;
	struct yard_result result;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 1);
	assert_int_equal(yard_alloc_policy(yard, &policy, NULL, YARD_NO_INDEX, &r, &result), YARD_OK);
	policy = make(YARD_MPOL_BIND, 1 << 2);
	assert_int_equal(yard_zone_of(yard, result.pfn), 1 * YARD_ZONE_TYPES + NORMAL);
	assert_int_equal(yard_frame_state(yard, result.pfn, NULL, NULL), YARD_FRAME_ALLOCATED);
	assert_int_equal(node_of_page(&policy), 2);
	assert_verified();
}

// M2: interrupts and THISNODE take the request as it is.
static void M2_interrupts_and_thisnode_ignore_the_policy(void **state)
{
	struct yard_request r = { .gfp = YARD_GFP_ATOMIC, .node = -1, .task = YARD_TASK_INTERRUPT };
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 1);
	assert_int_equal(node_of_request(&policy, INDEXED, &r), 0);
	r.task = 0;
	assert_int_equal(node_of_request(&policy, INDEXED, &r), 1);
	r.gfp |= YARD_GFP_THISNODE;
	r.node = 2;
	assert_int_equal(node_of_request(&policy, INDEXED, &r), 2);
	refuse(2, REFUSE, REFUSE);
	assert_int_equal(node_of_request(&policy, INDEXED, &r), -1);
}

// M2: the default is the node of the CPU that runs now, for NULL, default and local alike.
static void M2_default_follows_the_cpu(void **state)
{
	struct yard_mempolicy policies[2];

	(void)state;
	build_nodes(NULL);
	policies[0] = make(YARD_MPOL_DEFAULT, 0);
	policies[1] = make(YARD_MPOL_LOCAL, 0);
	for (unsigned cpu = 0; cpu < NODES; cpu++) {
		yard_sim_set_cpu(yard, cpu);
		assert_int_equal(node_of_page(NULL), cpu);
		assert_int_equal(node_of_page(&policies[0]), cpu);
		assert_int_equal(node_of_page(&policies[1]), cpu);
	}
}

static void M4_default_ignores_node_and_mask_of_the_request(void **state)
{
	const struct yard_request r = { .gfp = GFP_M, .node = 3, .nodemask = 1 << 3 };

	(void)state;
	build_nodes(NULL);
	assert_int_equal(node_of_request(NULL, INDEXED, &r), 0);
	refuse(0, REFUSE, REFUSE);
	assert_int_equal(node_of_request(NULL, INDEXED, &r), 1);
}

static void M4_preferred_spills_by_its_own_zonelist(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_PREFERRED, 1 << 2 | 1 << 3);
	assert_int_equal(policy.nodes, 1 << 2); // the lowest counts
	assert_int_equal(node_of_page(&policy), 2);
	refuse(2, 10, REFUSE);
	assert_int_equal(node_of_page(&policy), 3);
	refuse(3, 10, REFUSE);
	assert_int_equal(node_of_page(&policy), 0);
}

// M4: pass 1 wakes kswapd on S and goes below LOW there; only below MIN pass 2 goes elsewhere, with the full request.
static void M4_preferred_many_in_two_passes(void **state)
{
	const uint32_t gfp = GFP_M | YARD_GFP_NOFAIL, dropped = YARD_GFP_NOFAIL | YARD_GFP_DIRECT_RECLAIM;
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	for (unsigned node = 0; node < NODES; node++)
		yard_kswapd_run(yard, node, true);
	policy = make(YARD_MPOL_PREFERRED_MANY, 1 << 1 | 1 << 2);
	forget_events();
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, gfp, 0), 1);
	assert_int_equal(count_events(YARD_EVENT_WAKEUP_KSWAPD), 0);
	assert_int_equal(gfp_of_event(0), (gfp | YARD_GFP_NOWARN) & ~dropped);
	refuse(1, 10, REFUSE);
	forget_events();
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, gfp, 0), 2); // above LOW
	refuse(2, 10, REFUSE);
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, gfp, 0), 1); // between MIN and LOW
	assert_events(WAKES, "kswapd(zone 7,0,3) kswapd(zone 12,0,3)");
	refuse(1, REFUSE, REFUSE);
	refuse(2, REFUSE, REFUSE);
	forget_events();
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, gfp, 0), 0);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 2);
	assert_int_equal(gfp_of_event(1), gfp);
	assert_verified();
}

// The result tells what both passes did; the second one alone walks once and never retries.
static void M4_preferred_many_counts_both_passes(void **state)
{
	const struct yard_request r = { .gfp = GFP_M, .node = -1 };
	struct yard_mempolicy policy;
	struct yard_result result;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_PREFERRED_MANY, 1 << 1);
	refuse(1, REFUSE, REFUSE);
	assert_int_equal(yard_alloc_policy(yard, &policy, NULL, YARD_NO_INDEX, &r, &result), YARD_OK);
	assert_true(result.attempts > 2);
	assert_true(result.rounds > 0);
}

// Of a request in parts the second pass is whole: it wakes the kswapds that the first one did not.
static void M4_preferred_many_in_parts(void **state)
{
	struct yard_request r = { .gfp = GFP_M, .node = -1, .part = YARD_REQUEST_UNTIL_WAKE };
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	for (unsigned node = 0; node < NODES; node++) {
		yard_kswapd_run(yard, node, true);
		refuse(node, node == 1 ? REFUSE : 10, REFUSE);
	}
	policy = make(YARD_MPOL_PREFERRED_MANY, 1 << 1);
	forget_events();
	assert_int_equal(node_of_request(&policy, INDEXED, &r), -1);
	assert_events(WAKES, "kswapd(zone 7,0,3)");
	r.part = YARD_REQUEST_FROM_WAKE;
	assert_int_equal(node_of_request(&policy, INDEXED, &r), 0);
	assert_events(WAKES, "kswapd(zone 2,0,3) kswapd(zone 12,0,3) kswapd(zone 17,0,3)");
}

static void M4_bind_never_leaves_its_nodes(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 1 | 1 << 2);
	assert_int_equal(node_of_page(&policy), 1);
	refuse(1, REFUSE, REFUSE);
	assert_int_equal(node_of_page(&policy), 2);
	refuse(2, REFUSE, REFUSE);
	assert_int_equal(node_of_page(&policy), -1);
}

static void M4_interleaving_spills_normally(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 1 | 1 << 2);
	refuse(2, 10, REFUSE);
	assert_cursor_nodes(&policy, 4, "1 3 1 3"); // by the zonelist of node 2, out of the set
}

// M5: not the lowest id, and not the mask's order.
static void M5_nearest_member_first(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 0 | 1 << 2);
	yard_sim_set_cpu(yard, 3);
	assert_int_equal(node_of_page(&policy), 2);
	yard_sim_set_cpu(yard, 1);
	assert_int_equal(node_of_page(&policy), 0);
	yard_sim_set_cpu(yard, 2);
	assert_int_equal(node_of_page(&policy), 2);
}

static void build_with_dma32(void)
{
	static const struct yard_range ranges[] = { { 8192, 12288, 0 }, { BASE + FRAMES, BASE + 2 * FRAMES, 1 } };
	struct yard_config config = plain_config();

	config.nr_nodes = config.nr_memory = 2;
	config.memory = ranges;
	build(&config);
	direct(true);
}

// M6: the policy zone is NORMAL; a request for DMA32 is below it.
static void M6_requests_for_lower_zones_are_not_confined(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_with_dma32();
	policy = make(YARD_MPOL_BIND, 1 << 1);
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, GFP_U, 0), 1);
	forget_events();
	assert_true(node_under(&policy, YARD_NO_INDEX, GFP_U | YARD_GFP_DMA32, 0) != -1);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->zone, YARD_ZONE_DMA32);
	refuse(1, REFUSE, REFUSE);
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, GFP_U, 0), -1);
	policy = make(YARD_MPOL_PREFERRED_MANY, 1 << 1); // not subject to M6: its first pass is confined and fails
	forget_events();
	assert_true(node_under(&policy, YARD_NO_INDEX, GFP_U | YARD_GFP_DMA32, 0) != -1);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 2);
}

// M6: all nodes of the policy are movable only: kernel memory, which cannot come from there, is not confined.
static void M6_movable_only_nodes_confine_movable_requests(void **state)
{
	const uint32_t movable_start[NODES] = { 0, BASE + FRAMES, 0, 0 };
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(movable_start);
	policy = make(YARD_MPOL_BIND, 1 << 1);
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, GFP_M, 0), 1);
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, GFP_U, 0), 0);
	set_wmarks(zone_at(yard, YARD_ZONE_TYPES + YARD_ZONE_MOVABLE), REFUSE, REFUSE, REFUSE);
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, GFP_M, 0), -1);
	policy = make(YARD_MPOL_BIND, 1 << 1 | 1 << 2); // node 2 has NORMAL: confined there
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, GFP_U, 0), 2);
}

// ---- M7, M8 ----

static void M7_index_modulo_the_members(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 0 | 1 << 2 | 1 << 3);
	assert_index_nodes(&policy, 0, 7, "0 2 3 0 2 3 0");
	assert_index_nodes(&policy, 1000, 3, "2 3 0"); // 1000 mod 3 = 1
	assert_int_equal(cursor.previous, -1);
}

static void M7_cursor_goes_to_the_next_member(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 0 | 1 << 2 | 1 << 3);
	assert_cursor_nodes(&policy, 5, "0 2 3 0 2");
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 1 | 1 << 3); // the cursor, at 2, goes on from there
	assert_cursor_nodes(&policy, 3, "3 1 3");
	cursor = YARD_MEMPOLICY_CURSOR_START; // set_mempolicy()
	assert_cursor_nodes(&policy, 2, "1 3");
}

// The parts of a request are one allocation: the cursor moves once.
static void M7_parts_of_a_request_move_the_cursor_once(void **state)
{
	struct yard_request r = { .gfp = GFP_M, .node = -1, .part = YARD_REQUEST_UNTIL_WAKE };
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 1 | 1 << 2);
	for (unsigned node = 0; node < NODES; node++)
		refuse(node, 10, REFUSE); // the fast attempt fails
	assert_int_equal(node_of_request(&policy, YARD_NO_INDEX, &r), -1);
	r.part = YARD_REQUEST_FROM_WAKE;
	assert_int_equal(node_of_request(&policy, YARD_NO_INDEX, &r), 1);
	assert_cursor_nodes(&policy, 1, "2");
}

static void M7_without_index_or_cursor_is_an_error(void **state)
{
	const struct yard_request r = { .gfp = GFP_M, .node = -1 };
	struct yard_mempolicy policy;
	struct yard_result result;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 1);
	assert_int_equal(yard_alloc_policy(yard, &policy, NULL, YARD_NO_INDEX, &r, &result), YARD_EINVAL);
	assert_int_equal(result.pfn, NONE);
	assert_int_equal(yard_alloc_policy(yard, &policy, NULL, 0, &r, &result), YARD_OK);
}

static void M8_index_modulo_the_weights(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	assert_int_equal(yard_set_node_weight(yard, 0, 3), YARD_OK);
	assert_int_equal(yard_set_node_weight(yard, 3, 2), YARD_OK);
	policy = make(YARD_MPOL_WEIGHTED_INTERLEAVE, 1 << 0 | 1 << 2 | 1 << 3);
	assert_index_nodes(&policy, 0, 8, "0 0 0 2 3 3 0 0");
	assert_index_nodes(&policy, 6003, 2, "2 3");
}

static void M8_cursor_counts_the_weight_down(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	yard_set_node_weight(yard, 0, 3);
	yard_set_node_weight(yard, 2, 2);
	policy = make(YARD_MPOL_WEIGHTED_INTERLEAVE, 1 << 0 | 1 << 1 | 1 << 2);
	assert_cursor_nodes(&policy, 8, "0 0 0 1 2 2 0 0");
	assert_int_equal(cursor.weight, 1);
	policy = make(YARD_MPOL_WEIGHTED_INTERLEAVE, 1 << 1 | 1 << 2); // node 0 has left with one page to go
	assert_cursor_nodes(&policy, 4, "1 2 2 1");
}

// ---- M10 ----

static uint32_t pfns[64];

// "0 0 1": the nodes of the slots that bulk filled; "-": empty ones.
static void check_bulk(const struct yard_mempolicy *policy, size_t nr, size_t filled, const char *expected, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (size_t i = 0; i < COUNT(pfns); i++)
		pfns[i] = NONE;
	assert_int_equal(yard_alloc_bulk_policy(yard, policy, &cursor, GFP_M, nr, pfns), filled);
	for (size_t i = 0; i < nr; i++) {
		if (pfns[i] == NONE)
			put(&text, "-");
		else
			put(&text, "%u", (pfns[i] - BASE) / FRAMES);
	}
	assert_int_equal(pfns[nr], NONE);
	same_text("nodes", text.chars, expected, __FILE__, line);
}
#define assert_bulk(policy, nr, expected) check_bulk(policy, nr, nr, expected, __LINE__)

static void M10_interleave_in_equal_parts(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	direct(false);
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 0 | 1 << 2 | 1 << 3);
	assert_bulk(&policy, 9, "000222333");
	assert_bulk(&policy, 11, "00002222333"); // the remainder goes to the first two
	cursor.previous = 0;
	assert_bulk(&policy, 7, "2223300");
	assert_int_equal(cursor.previous, 0); // once round
	assert_int_equal(zone_state(NORMAL).numa[YARD_NUMA_INTERLEAVE_HIT], 0); // C4: not in bulk
	assert_verified();
}

static void M10_weighted_finishes_the_current_weight(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	direct(false);
	yard_set_node_weight(yard, 0, 3);
	yard_set_node_weight(yard, 2, 2);
	policy = make(YARD_MPOL_WEIGHTED_INTERLEAVE, 1 << 0 | 1 << 1 | 1 << 2); // rounds of 6
	cursor = (struct yard_mempolicy_cursor){ .previous = 0, .weight = 2 };
	assert_bulk(&policy, 2, "00");
	assert_int_equal(cursor.weight, 0);
	cursor.weight = 2;
	// 2 to finish node 0; then two rounds and 2 more, from node 1 on: 3 of node 1, 5 of node 2, 6 of node 0.
	assert_bulk(&policy, 16, "0011122222000000");
	assert_int_equal(cursor.previous, 2);
	assert_int_equal(cursor.weight, 1);
	assert_cursor_nodes(&policy, 4, "2 0 0 0");
	assert_verified();
}

// M10: from any cursor on, a weighted bulk gives each node what as many single requests would, and ends where they do.
static void M10_weighted_bulk_is_as_many_single_pages(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	yard_set_node_weight(yard, 1, 4);
	yard_set_node_weight(yard, 3, 2);
	policy = make(YARD_MPOL_WEIGHTED_INTERLEAVE, 1 << 0 | 1 << 1 | 1 << 3);
	for (unsigned skip = 0; skip < 8; skip++)
		for (unsigned nr = 1; nr < 24; nr++) {
			int pages[NODES] = { 0 };
			struct yard_mempolicy_cursor start;

			cursor = YARD_MEMPOLICY_CURSOR_START;
			for (unsigned i = 0; i < skip; i++)
				node_of_page(&policy);
			start = cursor;
			for (unsigned i = 0; i < nr; i++)
				pages[node_of_page(&policy)]++;
			struct yard_mempolicy_cursor end = cursor;

			cursor = start;
			direct(false);
			for (size_t i = 0; i < nr; i++)
				pfns[i] = NONE;
			assert_int_equal(yard_alloc_bulk_policy(yard, &policy, &cursor, GFP_M, nr, pfns), nr);
			direct(true);
			for (size_t i = 0; i < nr; i++)
				pages[(pfns[i] - BASE) / FRAMES]--;
			for (unsigned node = 0; node < NODES; node++)
				assert_int_equal(pages[node], 0);
			assert_int_equal(cursor.previous, end.previous);
			assert_int_equal(cursor.weight, end.weight);
			build_nodes(NULL);
			yard_set_node_weight(yard, 1, 4);
			yard_set_node_weight(yard, 3, 2);
		}
}

// M13: what spills stays in the cpuset of the policy.
static void M10_bulk_stays_in_the_cpuset(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	direct(false);
	refuse(2, REFUSE, REFUSE);
	policy = policy_with(YARD_MPOL_INTERLEAVE, 0, 1 << 1 | 1 << 2, 1 << 1 | 1 << 2);
	check_bulk(&policy, 4, 3, "111-", __LINE__);
	cursor = YARD_MEMPOLICY_CURSOR_START;
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 1 | 1 << 2);
	check_bulk(&policy, 4, 3, "113-", __LINE__);
}

static void M10_only_empty_slots_are_filled(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	direct(false);
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 0 | 1 << 1);
	for (size_t i = 0; i < 8; i++)
		pfns[i] = i % 2 ? 7 : NONE;
	assert_int_equal(yard_alloc_bulk_policy(yard, &policy, &cursor, GFP_M, 8, pfns), 8);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(i % 2 ? pfns[i] : (pfns[i] - BASE) / FRAMES, i % 2 ? 7 : i / 4);
}

// M4 and M10: other policies in bulk; a node without memory above LOW gives one page through the single-page path.
static void M10_bulk_under_the_other_policies(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	direct(false);
	policy = make(YARD_MPOL_BIND, 1 << 3);
	assert_bulk(&policy, 3, "333");
	policy = make(YARD_MPOL_PREFERRED, 1 << 2);
	assert_bulk(&policy, 3, "222");
	policy = make(YARD_MPOL_PREFERRED_MANY, 1 << 3);
	assert_bulk(&policy, 3, "333");
	refuse(3, REFUSE, REFUSE);
	assert_bulk(&policy, 3, "000"); // pass 1 gets none
	refuse(3, 10, REFUSE);
	assert_bulk(&policy, 3, "300"); // pass 1 gets one between MIN and LOW
	policy = make(YARD_MPOL_BIND, 1 << 3);
	check_bulk(&policy, 3, 1, "3--", __LINE__);
	policy = make(YARD_MPOL_LOCAL, 0);
	assert_bulk(&policy, 2, "00");
	assert_bulk(NULL, 2, "00");
}

// ---- M13, T13 ----

// M13: a policy that was not rebound yet: its nodes are not the task's any more.
static void M13_the_cpuset_wins(void **state)
{
	struct yard_request r = { .gfp = GFP_M, .node = -1, .cpuset = 1 << 2 | 1 << 3 };
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 0 | 1 << 3); // node 3 is in both
	assert_int_equal(node_of_request(&policy, INDEXED, &r), 3);
	policy = make(YARD_MPOL_BIND, 1 << 0 | 1 << 1); // disjoint: no mask, so the cpuset is
	assert_int_equal(node_of_request(&policy, INDEXED, &r), 2);
	policy = make(YARD_MPOL_PREFERRED, 1 << 1);
	assert_int_equal(node_of_request(&policy, INDEXED, &r), 3);
	policy = make(YARD_MPOL_PREFERRED_MANY, 1 << 0 | 1 << 1);
	assert_int_equal(node_of_request(&policy, INDEXED, &r), 2);
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 0 | 1 << 2);
	assert_int_equal(node_of_request(&policy, 0, &r), 2);
	assert_int_equal(node_of_request(&policy, 1, &r), 2);
	assert_int_equal(node_of_request(NULL, INDEXED, &r), 2);
}

// T13: what may use reserves and has no cpuset drops its mask once nothing else is left; others fail.
static void T13_atomic_requests_are_not_confined(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 2);
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, YARD_GFP_ATOMIC, 0), 2);
	refuse(2, REFUSE, REFUSE);
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, YARD_GFP_NOWAIT, 0), -1);
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, YARD_GFP_ATOMIC, 0), 0);
}

// ---- M15 to M17 ----

// M16: first the preferred node alone, without retries; M17: then the request as it is.
static void M16_huge_pages_try_the_preferred_node_alone(void **state)
{
	static const uint32_t gfp = YARD_GFP_TRANSHUGE;
	struct yard_mempolicy policies[3];

	(void)state;
	build_nodes(NULL);
	policies[0] = make(YARD_MPOL_DEFAULT, 0);
	policies[1] = make(YARD_MPOL_BIND, 1 << 0 | 1 << 1);
	policies[2] = make(YARD_MPOL_PREFERRED, 1 << 0);
	for (size_t i = 0; i < COUNT(policies); i++) {
		refuse(0, 10, 10);
		forget_events();
		assert_int_equal(node_under(&policies[i], INDEXED, gfp, HUGE), 0);
		assert_int_equal(gfp_of_event(0), gfp | YARD_GFP_THISNODE | YARD_GFP_NORETRY);
		refuse(0, REFUSE, REFUSE);
		forget_events();
		assert_int_equal(node_under(&policies[i], INDEXED, YARD_GFP_TRANSHUGE_LIGHT, HUGE), -1); // M16: stops
		assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 1);
		forget_events();
		assert_int_equal(node_under(&policies[i], INDEXED, gfp, HUGE), 1);
		assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 2);
		assert_int_equal(gfp_of_event(1), gfp);
	}
}

static void M15_only_pageblock_order_with_an_index(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 0 | 1 << 1);
	refuse(0, REFUSE, REFUSE);
	forget_events();
	assert_int_equal(node_under(&policy, YARD_NO_INDEX, YARD_GFP_TRANSHUGE_LIGHT, HUGE), 1);
	assert_int_equal(node_under(&policy, INDEXED, YARD_GFP_TRANSHUGE_LIGHT, HUGE - 1), 1);
	assert_int_equal(node_under(&policy, INDEXED, YARD_GFP_TRANSHUGE_LIGHT, HUGE + 1), 1);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 3);
	assert_int_equal(gfp_of_event(0), YARD_GFP_TRANSHUGE_LIGHT);
}

// M17: the CPU's node is not in the mask, or the mode interleaves or has its own two passes.
static void M17_other_huge_pages_take_the_normal_request(void **state)
{
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_BIND, 1 << 2 | 1 << 3);
	forget_events();
	assert_int_equal(node_under(&policy, INDEXED, YARD_GFP_TRANSHUGE_LIGHT, HUGE), 2);
	assert_int_equal(gfp_of_event(0), YARD_GFP_TRANSHUGE_LIGHT);
	refuse(1, REFUSE, REFUSE);
	for (unsigned i = 0; i < 2; i++) {
		policy = make(i ? YARD_MPOL_INTERLEAVE : YARD_MPOL_WEIGHTED_INTERLEAVE, 1 << 1 | 1 << 3);
		forget_events();
		assert_int_equal(node_under(&policy, 0, YARD_GFP_TRANSHUGE_LIGHT, HUGE), 0); // node 1 refuses
		assert_int_equal(node_under(&policy, 1, YARD_GFP_TRANSHUGE_LIGHT, HUGE), 3);
		assert_int_equal(gfp_of_event(0), YARD_GFP_TRANSHUGE_LIGHT);
	}
	policy = make(YARD_MPOL_PREFERRED_MANY, 1 << 1);
	forget_events();
	assert_int_equal(node_under(&policy, INDEXED, YARD_GFP_TRANSHUGE, HUGE), 0);
	assert_int_equal(gfp_of_event(0), YARD_GFP_TRANSHUGE_LIGHT);
	assert_int_equal(gfp_of_event(1), YARD_GFP_TRANSHUGE);
	assert_verified();
}

// ---- C4 ----

// C4: pages on the node that the policy chose, of any order once; not spilled ones, those of a bulk, or preferred ones.
static void C4_interleave_hits(void **state)
{
	const struct yard_request bulk = { .gfp = GFP_M, .node = -1, .bulk = true };
	struct yard_mempolicy policy;

	(void)state;
	build_nodes(NULL);
	policy = make(YARD_MPOL_INTERLEAVE, 1 << 1 | 1 << 2);
	assert_cursor_nodes(&policy, 3, "1 2 1");
	assert_int_equal(node_under(&policy, 0, GFP_M, 3), 1);
	policy = make(YARD_MPOL_WEIGHTED_INTERLEAVE, 1 << 1 | 1 << 2);
	assert_index_nodes(&policy, 0, 2, "1 2");
	refuse(1, REFUSE, REFUSE);
	assert_index_nodes(&policy, 0, 1, "0");
	assert_int_equal(node_of_request(&policy, 1, &bulk), 2);
	policy = make(YARD_MPOL_PREFERRED, 1 << 2);
	assert_int_equal(node_of_page(&policy), 2);
	assert_int_equal(zone_state(0 * YARD_ZONE_TYPES + NORMAL).numa[YARD_NUMA_INTERLEAVE_HIT], 0);
	assert_int_equal(zone_state(1 * YARD_ZONE_TYPES + NORMAL).numa[YARD_NUMA_INTERLEAVE_HIT], 4);
	assert_int_equal(zone_state(2 * YARD_ZONE_TYPES + NORMAL).numa[YARD_NUMA_INTERLEAVE_HIT], 2);
	assert_int_equal(zone_state(1 * YARD_ZONE_TYPES + NORMAL).numa[YARD_NUMA_FOREIGN], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(M1_policies_apply_to_later_requests_only),
		cmocka_unit_test(M2_interrupts_and_thisnode_ignore_the_policy),
		cmocka_unit_test(M2_default_follows_the_cpu),
		cmocka_unit_test(M4_default_ignores_node_and_mask_of_the_request),
		cmocka_unit_test(M4_preferred_spills_by_its_own_zonelist),
		cmocka_unit_test(M4_preferred_many_in_two_passes),
		cmocka_unit_test(M4_preferred_many_counts_both_passes),
		cmocka_unit_test(M4_preferred_many_in_parts),
		cmocka_unit_test(M4_bind_never_leaves_its_nodes),
		cmocka_unit_test(M4_interleaving_spills_normally),
		cmocka_unit_test(M5_nearest_member_first),
		cmocka_unit_test(M6_requests_for_lower_zones_are_not_confined),
		cmocka_unit_test(M6_movable_only_nodes_confine_movable_requests),
		cmocka_unit_test(M7_index_modulo_the_members),
		cmocka_unit_test(M7_cursor_goes_to_the_next_member),
		cmocka_unit_test(M7_parts_of_a_request_move_the_cursor_once),
		cmocka_unit_test(M7_without_index_or_cursor_is_an_error),
		cmocka_unit_test(M8_index_modulo_the_weights),
		cmocka_unit_test(M8_cursor_counts_the_weight_down),
		cmocka_unit_test(M10_interleave_in_equal_parts),
		cmocka_unit_test(M10_weighted_finishes_the_current_weight),
		cmocka_unit_test(M10_weighted_bulk_is_as_many_single_pages),
		cmocka_unit_test(M10_bulk_stays_in_the_cpuset),
		cmocka_unit_test(M10_only_empty_slots_are_filled),
		cmocka_unit_test(M10_bulk_under_the_other_policies),
		cmocka_unit_test(M13_the_cpuset_wins),
		cmocka_unit_test(T13_atomic_requests_are_not_confined),
		cmocka_unit_test(M16_huge_pages_try_the_preferred_node_alone),
		cmocka_unit_test(M15_only_pageblock_order_with_an_index),
		cmocka_unit_test(M17_other_huge_pages_take_the_normal_request),
		cmocka_unit_test(C4_interleave_hits),
	};

	return cmocka_run_group_tests_name("mempolicy", tests, NULL, demolish);
}
