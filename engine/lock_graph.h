// SPDX-License-Identifier: Apache-2.0
//
// The graph of observed orders "held A, took B" (spec 02 RC-4), and the search for cycles through reclaim in it.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pageyard/lockcheck.h>

#include "engine/names.h"

enum lock_nodes { LOCK_NODE_RECLAIM, LOCK_NODE_NOTIFIER, LOCK_NODE_CLASSES }; // R, N, then class * subclasses

struct lock_edge {
	uint32_t from, to;
	uint32_t next;	     // of the same `from`: index + 1
	uint8_t held, taken; // enum yard_lock_kind
	struct yard_lock_witness witness;
};

enum { LOCK_STATES = 4 }; // how a search stands at a node: bit 0 it was taken shared, bit 1 the way passes R or N

struct lock_node {
	uint32_t edges; // index + 1
	uint32_t round[LOCK_STATES], before[LOCK_STATES], via[LOCK_STATES]; // of the last search
};

struct lock_graph {
	struct lock_node *node;
	struct lock_edge *edge;
	uint32_t *queue, *path; // states of a search; its result, nodes
	uint64_t *cycle;	// known ones, as hashes
	uint32_t nr_edges, nr_cycles, max_edges, max_cycles;
	uint32_t round;
};

enum lock_link { LOCK_LINKED, LOCK_CYCLE, LOCK_NO_ROOM };

struct lock_cycle {
	const uint32_t *node; // from the new edge's `to` to its `from`
	uint32_t nr;
	struct yard_lock_witness before;
};

size_t lock_graph_size(uint32_t nr_nodes, uint32_t max_edges, uint32_t max_cycles);
void lock_graph_setup(struct lock_graph *graph, void *memory, uint32_t nr_nodes, uint32_t max_edges,
		      uint32_t max_cycles);
// Adds an edge, once for each pair of nodes and kinds (RC-7). LOCK_CYCLE: it closes a new cycle through R or N.
enum lock_link lock_graph_link(struct lock_graph *graph, const struct lock_edge *edge, struct lock_cycle *cycle);
