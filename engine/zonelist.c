// SPDX-License-Identifier: Apache-2.0
//
// Zonelists (spec 01 section 3): in which order a node's requests try the zones.

#include "engine/internal.h"

static unsigned distance(const struct yard *yard, unsigned from, unsigned to)
{
	return yard->distance[from * yard->nr_nodes + to];
}

// Z2: a node's populated zones, highest first.
static unsigned append_node(const struct yard *yard, uint8_t *list, unsigned n, unsigned node)
{
	for (unsigned type = YARD_ZONE_MOVABLE + 1; type-- > 0;) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone_populated(zone))
			list[n++] = zone->id;
	}
	return n;
}

// Z3.2. nr_nodes: none is left. "Has CPUs" counts for nothing: on x86 the list is built before they are registered (N4).
static unsigned next_node(const struct yard *yard, unsigned local, uint64_t used, const uint32_t *load)
{
	uint64_t best_value = UINT64_MAX;
	unsigned best = yard->nr_nodes;

	if (!(used >> local & 1) && yard->nodes[local].has_memory)
		return local;
	for (unsigned n = 0; n < yard->nr_nodes; n++) {
		uint64_t value;

		if (used >> n & 1 || !yard->nodes[n].has_memory)
			continue;
		value = (uint64_t)(distance(yard, local, n) + (n < local)) * YARD_NODES_MAX + load[n];
		if (value < best_value) {
			best_value = value;
			best = n;
		}
	}
	return best;
}

void build_zonelists(struct yard *yard)
{
	uint32_t load[YARD_NODES_MAX] = { 0 };

	for (unsigned local = 0; local < yard->nr_nodes; local++) {
		struct node *node = &yard->nodes[local];
		unsigned n = 0, prev = local, next;
		uint64_t used = 0;

		while ((next = next_node(yard, local, used, load)) < yard->nr_nodes) {
			if (distance(yard, local, next) != distance(yard, local, prev))
				load[next]++;
			used |= 1ull << next;
			n = append_node(yard, node->fallback, n, next);
			prev = next;
		}
		node->fallback[n] = ZONE_MIXED;
		node->thisnode[append_node(yard, node->thisnode, 0, local)] = ZONE_MIXED;
	}
	atomic_fetch_add_explicit(&yard->zonelist_builds, 1, memory_order_relaxed);
	update_mobility(yard);
}
