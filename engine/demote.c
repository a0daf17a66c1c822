// SPDX-License-Identifier: Apache-2.0
//
// Demotion (spec 04 P-8 to P-10): reclaim moves cold pages to a slower memory tier instead of dropping them.

#include "engine/mm.h"

struct demotion {
	uint64_t allowed; // nodes of all lower tiers
	uint8_t node;	  // the target
};

// ---- tiers (spec 05 D1) ----

uint64_t yard_abstract_distance(const struct yard_node_performance *node, const struct yard_node_performance *dram)
{
	uint64_t latency = (uint64_t)node->read_latency + node->write_latency;
	uint64_t bandwidth = (uint64_t)node->read_bandwidth + node->write_bandwidth;
	uint64_t dram_latency = (uint64_t)dram->read_latency + dram->write_latency;
	uint64_t dram_bandwidth = (uint64_t)dram->read_bandwidth + dram->write_bandwidth;
	uint64_t distance;

	if (!latency || !bandwidth || !dram_latency || !dram_bandwidth)
		return YARD_DRAM_DISTANCE;
	distance = YARD_DRAM_DISTANCE * latency / dram_latency;
	return __builtin_mul_overflow(distance, dram_bandwidth, &distance) ? UINT64_MAX : distance / bandwidth;
}

void yard_rank_tiers(const uint64_t *distance, unsigned nr, uint8_t *node_tier)
{
	for (unsigned n = 0; n < nr; n++)
		node_tier[n] = 0;
	for (unsigned n = 0; n < nr; n++) {
		uint64_t tier = distance[n] / YARD_TIER_DISTANCES;
		bool counted = false;

		for (unsigned m = 0; m < n; m++)
			counted |= distance[m] / YARD_TIER_DISTANCES == tier;
		for (unsigned m = 0; m < nr && !counted; m++)
			node_tier[m] += distance[m] / YARD_TIER_DISTANCES > tier;
	}
}

bool yard_is_top_tier(const struct yard *yard, unsigned node) // D2
{
	if (node >= yard->nr_nodes)
		return false;
	for (unsigned n = 0; n < yard->nr_nodes; n++)
		if (yard->nodes[n].nr_cpus && yard->node_tier[n] >= yard->node_tier[node])
			return true;
	return false;
}

// ---- who may demote, and where to ----

static bool enabled(const struct yard *yard)
{
	return atomic_load_explicit(&yard->demotion_enabled, memory_order_relaxed);
}

static uint64_t lower_tiers(const struct yard *yard, unsigned node)
{
	uint64_t nodes = 0;

	for (unsigned n = 0; n < yard->nr_nodes; n++)
		if (yard->node_tier[n] > yard->node_tier[node] && yard->nodes[n].has_memory)
			nodes |= 1ull << n;
	return nodes;
}

// P-8; moving needs an owner who can. `sc` may be NULL.
bool can_demote(const struct yard *yard, unsigned node, const struct scan_control *sc)
{
	return enabled(yard) && yard->owner.move && !(sc && sc->no_demotion) && lower_tiers(yard, node);
}

static unsigned distance(const struct yard *yard, unsigned from, unsigned to)
{
	return yard->distance[from * yard->nr_nodes + to];
}

// P-8, spec 05 D3: of the next tier that has memory, in the order of a zonelist, as long as the distance stays that of
// the first one.
static uint64_t preferred_targets(const struct yard *yard, unsigned node, uint64_t allowed)
{
	unsigned tier = UINT32_MAX, target, first;
	uint64_t next = 0, targets = 0;

	for (unsigned n = 0; n < yard->nr_nodes; n++)
		if (allowed >> n & 1 && yard->node_tier[n] < tier)
			tier = yard->node_tier[n];
	for (unsigned n = 0; n < yard->nr_nodes; n++)
		if (allowed >> n & 1 && yard->node_tier[n] == tier)
			next |= 1ull << n;
	for (first = target = next_best_node(yard, node, ~next, true); target < yard->nr_nodes;
	     target = next_best_node(yard, node, ~next | targets, true)) {
		if (distance(yard, node, target) != distance(yard, node, first))
			break;
		targets |= 1ull << target;
	}
	return targets;
}

// splitmix64 on the yard's seed; below n.
static unsigned draw(struct yard *yard, unsigned n)
{
	const uint64_t step = 0x9e3779b97f4a7c15;
	uint64_t x = atomic_fetch_add_explicit(&yard->random, step, memory_order_relaxed) + step;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	x ^= x >> 31;
	return (unsigned)((x >> 32) * n >> 32);
}

static unsigned pick(struct yard *yard, uint64_t nodes) // one of them at random
{
	unsigned count = 0;

	for (uint64_t rest = nodes; rest; rest &= rest - 1)
		count++;
	for (unsigned skip = count > 1 ? draw(yard, count) : 0; skip; skip--)
		nodes &= nodes - 1;
	return (unsigned)__builtin_ctzll(nodes);
}

static uint32_t demotion_gfp(unsigned order) // P-9; spec 05 D4
{
	if (order) // does not wake kswapd; the direct reclaim that it names cannot happen inside reclaim
		return YARD_GFP_TRANSHUGE;
	return (YARD_GFP_HIGHUSER_MOVABLE & ~(uint32_t)YARD_GFP_DIRECT_RECLAIM) | YARD_GFP_NOMEMALLOC | YARD_GFP_NOWARN;
}

static uint32_t get_page(struct yard *yard, void *context, uint32_t from, unsigned order)
{
	const struct demotion *demotion = context;
	struct yard_request request = {
		.gfp = demotion_gfp(order) | YARD_GFP_THISNODE, .order = (uint8_t)order, .node = demotion->node,
	};
	struct yard_result result;

	(void)from;
	if (yard_alloc_request(yard, &request, &result) == YARD_OK)
		return result.pfn;
	request.gfp &= ~(uint32_t)YARD_GFP_THISNODE;
	request.nodemask = demotion->allowed;
	return yard_alloc_request(yard, &request, &result) == YARD_OK ? result.pfn : PFN_NONE;
}

static enum yard_node_stat demote_stat(enum reclaim_role role)
{
	switch (role) {
	case ROLE_KSWAPD: return YARD_NODE_PGDEMOTE_KSWAPD;
	case ROLE_KHUGEPAGED: return YARD_NODE_PGDEMOTE_KHUGEPAGED;
	case ROLE_PROACTIVE: return YARD_NODE_PGDEMOTE_PROACTIVE;
	default: return YARD_NODE_PGDEMOTE_DIRECT;
	}
}

uint64_t demote_folio_list(struct yard *yard, unsigned node, struct list *list, struct scan_control *sc)
{
	struct demotion demotion = { .allowed = lower_tiers(yard, node) };
	const struct migrate_target target = { .get = get_page, .context = &demotion };
	uint64_t moved = 0;

	if (list_empty(list) || !demotion.allowed)
		return 0;
	demotion.node = (uint8_t)pick(yard, preferred_targets(yard, node, demotion.allowed));
	migrate_pages(yard, list, &target, YARD_MIGRATE_ASYNC, MR_DEMOTION, &moved);
	mod_node_stat(yard, node, demote_stat(sc->role), (int64_t)moved);
	return moved;
}

void yard_set_demotion(struct yard *yard, bool on)
{
	if (atomic_exchange_explicit(&yard->demotion_enabled, on, memory_order_relaxed) || !on)
		return;
	for (unsigned node = 0; node < yard->nr_nodes; node++)
		kswapd_clear_hopeless(yard, node, CLEAR_OTHER); // K-15c
}
