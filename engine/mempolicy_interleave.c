// SPDX-License-Identifier: Apache-2.0
//
// Interleaving: which node comes next (spec 05 M7, M8), and the weights of the nodes (M9).

#include "engine/mempolicy.h"

enum { WEIGHT_MAX = 255, AUTO_WEIGHT_SUM = 32 };

// ---- M9 ----

unsigned yard_node_weight(const struct yard *yard, unsigned node)
{
	if (node >= yard->nr_nodes || !yard->node_weight[node])
		return 1;
	return yard->node_weight[node];
}

int yard_set_node_weight(struct yard *yard, unsigned node, unsigned weight)
{
	if (node >= yard->nr_nodes)
		return YARD_ERANGE;
	if (!weight || weight > WEIGHT_MAX)
		return YARD_EINVAL;
	yard->manual_weights = true;
	yard->node_weight[node] = (uint8_t)weight;
	return YARD_OK;
}

static unsigned common_divisor(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

void yard_auto_node_weights(struct yard *yard, const uint32_t *bandwidth)
{
	unsigned divisor = 0;
	uint64_t sum = 0;

	if (!bandwidth)
		yard->manual_weights = false;
	for (unsigned node = 0; node < yard->nr_nodes; node++) {
		if (bandwidth)
			yard->node_bandwidth[node] = bandwidth[node];
		sum += yard->node_bandwidth[node];
	}
	if (yard->manual_weights)
		return;
	for (unsigned node = 0; node < yard->nr_nodes; node++) {
		uint64_t weighed = (uint64_t)AUTO_WEIGHT_SUM * yard->node_bandwidth[node];

		yard->node_weight[node] = sum < weighed ? (uint8_t)(weighed / sum) : 1;
		divisor = common_divisor(yard->node_weight[node], divisor);
	}
	for (unsigned node = 0; node < yard->nr_nodes; node++)
		yard->node_weight[node] = (uint8_t)(yard->node_weight[node] / divisor);
}

// ---- M7, M8 ----

unsigned interleave_by_index(const struct yard *yard, const struct yard_mempolicy *policy, uint64_t index)
{
	uint64_t sum = 0, left;

	if (policy->mode == YARD_MPOL_INTERLEAVE)
		return nth_node(policy->nodes, (unsigned)(index % count_nodes(policy->nodes)));
	for (uint64_t nodes = policy->nodes; nodes; nodes &= nodes - 1)
		sum += yard_node_weight(yard, lowest_node(nodes));
	left = index % sum;
	for (uint64_t nodes = policy->nodes;; nodes &= nodes - 1) {
		unsigned weight = yard_node_weight(yard, lowest_node(nodes));

		if (left < weight)
			return lowest_node(nodes);
		left -= weight;
	}
}

unsigned interleave_next(const struct yard *yard, const struct yard_mempolicy *policy,
			 struct yard_mempolicy_cursor *cursor)
{
	bool weighted = policy->mode == YARD_MPOL_WEIGHTED_INTERLEAVE;

	if (weighted && cursor->weight && has_node(policy->nodes, cursor->previous)) {
		cursor->weight--;
		return (unsigned)cursor->previous;
	}
	cursor->previous = (int16_t)next_node(policy->nodes, cursor->previous);
	if (weighted)
		cursor->weight = (uint8_t)(yard_node_weight(yard, (unsigned)cursor->previous) - 1);
	return (unsigned)cursor->previous;
}
