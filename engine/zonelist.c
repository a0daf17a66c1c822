// SPDX-License-Identifier: Apache-2.0
//
// Zonelists (spec 01 section 3, spec 05 T3 to T5): in which order a node's requests try the zones.

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

// Z3.2, spec 05 T4. nr_nodes: none is left.
unsigned next_best_node(const struct yard *yard, unsigned local, uint64_t used, bool count_cpus)
{
	uint64_t best_value = UINT64_MAX;
	unsigned best = yard->nr_nodes;

	if (!(used >> local & 1) && yard->nodes[local].has_memory)
		return local;
	for (unsigned n = 0; n < yard->nr_nodes; n++) {
		uint64_t value;

		if (used >> n & 1 || !yard->nodes[n].has_memory)
			continue;
		value = distance(yard, local, n) + (n < local) + (count_cpus && yard->nodes[n].nr_cpus);
		value = value * YARD_NODES_MAX + yard->node_load[n];
		if (value < best_value) {
			best_value = value;
			best = n;
		}
	}
	return best;
}

void build_zonelists(struct yard *yard, bool count_cpus)
{
	for (unsigned node = 0; node < yard->nr_nodes; node++)
		yard->node_load[node] = 0;
	for (unsigned local = 0; local < yard->nr_nodes; local++) {
		struct node *node = &yard->nodes[local];
		unsigned n = 0, prev = local, next;
		uint64_t used = 0;

		while ((next = next_best_node(yard, local, used, count_cpus)) < yard->nr_nodes) {
			if (distance(yard, local, next) != distance(yard, local, prev))
				yard->node_load[next]++;
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
