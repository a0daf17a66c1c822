// SPDX-License-Identifier: Apache-2.0
//
// What the tests of local-reclaim (spec 05 section 4) share: a machine of two nodes, of which node 0 is filled with
// file pages; what the embedder knows of them is `answer`.

#pragma once

#include "kswapd_fixture.h"

#include "engine/local_reclaim.h"

enum { NODE_SIZE = 32768, KEPT_FREE = 300, MS = 1000000, MIB = 256 };
#define SECOND UINT64_C(1000000000)
#define WAKES_OF(kind) wakes_of(YARD_QUEUE_##kind)

static struct yard_local_page answer; // for every page
static bool (*answer_of)(uint32_t offset, struct yard_local_page *page);
static unsigned home_answer;
static struct yard_task task;
static uint32_t filled; // pages of the cache, from the oldest
static uint32_t cache[2 * NODE_SIZE]; // with what came after an eviction

static UNUSED void describe_page(void *context, uint32_t pfn, unsigned order, struct yard_local_page *page)
{
	(void)context, (void)order;
	*page = answer;
	if (answer_of)
		answer_of(pfn - base, page);
}

static UNUSED unsigned home_of_page(void *context, uint32_t pfn, unsigned order, uint64_t nodes)
{
	(void)context, (void)pfn, (void)order;
	assert_int_equal(nodes, 1);
	return home_answer;
}

static UNUSED struct zone *zone_of_node(unsigned node)
{
	return zone_at(yard, node * YARD_ZONE_TYPES + NORMAL);
}

static UNUSED uint64_t free_on(unsigned node)
{
	return (uint64_t)zone_of_node(node)->stat[YARD_NR_FREE_PAGES];
}

static UNUSED void start_policy(const char *policy)
{
	static const struct yard_range memory[] = { { BASE, BASE + NODE_SIZE, 0 },
						    { BASE + NODE_SIZE, BASE + 2 * NODE_SIZE, 1 } };
	static const uint16_t cpu_node[] = { 0, 1, 0 };
	struct yard_config config = noted_config(policy);

	config.nr_nodes = 2;
	config.nr_cpus = 3;
	config.cpu_node = cpu_node;
	config.memory = memory;
	config.nr_memory = 2;
	config.owner.local_page = describe_page;
	config.owner.local_home = home_of_page;
	build(&config);
	for (unsigned node = 0; node < 2; node++) {
		set_wmarks(zone_of_node(node), 50, 100, 150);
		set_pcps(zone_of_node(node), 1, 0, 0);
	}
	yard_set_event_sink(yard, record_event, NULL, true);
	watch_sleep();
	ask.silent = true;
	answer = (struct yard_local_page){ .age_ns = 10 * SECOND, .idle_ns = 10 * SECOND };
	answer_of = NULL;
	home_answer = 0;
	task = (struct yard_task){ .pid = 1 };
	yard_set_current(yard, &task);
	yard->host.now_ns = SECOND;
	filled = 0;
}

static UNUSED void begin(void)
{
	start_policy("linux-7.3");
}

static UNUSED struct yard_local_config defaults(void)
{
	struct yard_local_config config;

	yard_local_defaults(&config);
	config.victim_permille = 1000;
	return config;
}

static UNUSED unsigned owner_with(struct yard_local_config config)
{
	int owner = yard_local_create(yard, &config);

	assert_in_range(owner, 1, YARD_LOCAL_OWNERS_MAX);
	return (unsigned)owner;
}

// File pages on node 0 until `left` are free there.
static UNUSED void fill_but(uint32_t left, uint32_t flags, enum yard_mapping mapping)
{
	struct yard_request request = { .gfp = GFP_M | YARD_GFP_THISNODE, .node = 0, .task = YARD_TASK_MEMALLOC };
	struct yard_result result;

	while (free_on(0) > left) {
		assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_OK);
		assert_int_equal(yard_lru_add(yard, result.pfn, flags, mapping), YARD_OK);
		cache[filled++] = result.pfn;
	}
	yard_lru_drain_all(yard);
	forget();
}

static UNUSED void fill(void)
{
	fill_but(KEPT_FREE, FILE_PAGE, YARD_UNMAPPED);
}

// Node of a page for the owner; -1: none.
static UNUSED int node_given_gfp(unsigned owner, uint32_t gfp, unsigned order)
{
	const struct yard_request request = {
		.gfp = gfp, .order = (uint8_t)order, .node = -1, .local_reclaim = (uint8_t)owner, .max_rounds = 20,
	};
	struct yard_result result;

	if (yard_alloc_request(yard, &request, &result))
		return -1;
	return (int)node_of(yard, result.pfn);
}

static UNUSED int node_given(unsigned owner)
{
	return node_given_gfp(owner, GFP_M, 0);
}

static UNUSED struct yard_local_stat stat_of_owner(unsigned owner)
{
	struct yard_local_stat stat;

	assert_int_equal(yard_local_get(yard, owner, &stat), YARD_OK);
	return stat;
}

static UNUSED struct yard_local_node node_state(unsigned node)
{
	struct yard_local_node state;

	assert_int_equal(yard_local_get_node(yard, node, &state), YARD_OK);
	return state;
}

static UNUSED void pass_time(uint64_t ns)
{
	yard->host.now_ns += ns;
}

// The node's rates and marks are those of an owner who asks for this many pages a second.
static UNUSED void demand(unsigned owner, uint64_t pages)
{
	pass_time(SECOND);
	local_refresh(yard, 0, yard->host.now_ns);
	local_add(&local_node(yard, 0)->share[owner - 1].allocated, pages);
	pass_time(SECOND);
	local_refresh(yard, 0, yard->host.now_ns);
}

static UNUSED struct yard_wait reclaimer_step(unsigned thread)
{
	struct yard_wait wait;

	yard_local_reclaim_step(yard, 0, thread, true, &wait);
	return wait;
}

static UNUSED unsigned steps_until_sleep(void)
{
	unsigned steps = 0;

	while (reclaimer_step(0).kind == YARD_WAIT_NONE)
		assert_in_range(++steps, 0, 100000);
	return steps;
}

static UNUSED struct local_batch batch_for(unsigned owner)
{
	struct local_batch batch;

	local_evict(yard, 0, owner - 1, ROLE_PROACTIVE, &batch);
	return batch;
}

static UNUSED unsigned full_node_for(struct yard_local_config config)
{
	begin();
	fill_but(100, FILE_PAGE, YARD_UNMAPPED);
	return owner_with(config);
}

static UNUSED void assert_spilled(unsigned owner, enum yard_local_reason reason)
{
	struct yard_local_stat stat = stat_of_owner(owner);
	const struct yard_event *event = last_event(E(WHY_LOCAL_SPILL));

	assert_non_null(event);
	assert_string_equal(yard_local_reason_name((unsigned)event->b), yard_local_reason_name(reason));
	assert_int_equal(event->a, owner);
	for (unsigned i = 0; i < YARD_LOCAL_REASONS; i++)
		assert_int_equal(stat.spilled[i], i == reason);
}

static UNUSED bool every_third(uint32_t offset, struct yard_local_page *page)
{
	page->keep = offset % 3;
	return true;
}
