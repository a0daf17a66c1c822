// SPDX-License-Identifier: Apache-2.0
//
// What the files of the memory policies offer to each other.

#pragma once

#include <pageyard/mempolicy.h>

#include "engine/mm.h"

static inline unsigned count_nodes(uint64_t nodes)
{
	unsigned count = 0;

	for (; nodes; nodes &= nodes - 1)
		count++;
	return count;
}

static inline unsigned lowest_node(uint64_t nodes)
{
	return (unsigned)__builtin_ctzll(nodes);
}

static inline unsigned nth_node(uint64_t nodes, unsigned n)
{
	while (n--)
		nodes &= nodes - 1;
	return lowest_node(nodes);
}

static inline unsigned next_node(uint64_t nodes, int after) // of the set, wrapping; after: -1 to 62
{
	uint64_t above = nodes & ~0ull << (after + 1);

	return lowest_node(above ? above : nodes);
}

static inline bool has_node(uint64_t nodes, int node)
{
	return node >= 0 && nodes >> node & 1;
}

// Nodes with memory, those of `cpuset` only unless it is 0.
uint64_t allowed_nodes(const struct yard *yard, uint64_t cpuset);

// M7, M8: a node of an interleaving policy's set, by the page's index or by the task's cursor, which moves on.
unsigned interleave_by_index(const struct yard *yard, const struct yard_mempolicy *policy, uint64_t index);
unsigned interleave_next(const struct yard *yard, const struct yard_mempolicy *policy,
			 struct yard_mempolicy_cursor *cursor);
