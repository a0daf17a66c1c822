// SPDX-License-Identifier: Apache-2.0
//
// Orders of locks as a graph, and the shortest cycle through reclaim that a new edge closes (spec 02 RC-4 to RC-7).
//
// A cycle can deadlock only if at each of its classes the one who waits excludes the one who holds: of "taken" by the
// edge that comes in and "held" by the edge that goes out, one must be for writing. So the search walks pairs of a node
// and how it was taken, and whether R or N lies on the way.

#include "engine/lock_graph.h"

enum { SHARED = 1, THROUGH_RECLAIM = 2 };

// Those that hold 64-bit numbers come first; then words.
size_t lock_graph_size(uint32_t nr_nodes, uint32_t max_edges, uint32_t max_cycles)
{
	size_t size = max_edges * sizeof(struct lock_edge) + max_cycles * sizeof(uint64_t)
		      + nr_nodes * (2 * LOCK_STATES * sizeof(uint32_t) + sizeof(struct lock_node));

	return (size + 7) / 8 * 8;
}

void lock_graph_setup(struct lock_graph *graph, void *memory, uint32_t nr_nodes, uint32_t max_edges,
		      uint32_t max_cycles)
{
	*graph = (struct lock_graph){ .max_edges = max_edges, .max_cycles = max_cycles };
	graph->edge = memory;
	graph->cycle = (uint64_t *)(graph->edge + max_edges);
	graph->queue = (uint32_t *)(graph->cycle + max_cycles);
	graph->path = graph->queue + (size_t)nr_nodes * LOCK_STATES;
	graph->node = (struct lock_node *)(graph->path + (size_t)nr_nodes * LOCK_STATES);
}

static bool pseudo(uint32_t node)
{
	return node < LOCK_NODE_CLASSES;
}

static uint32_t shared(uint8_t kind)
{
	return kind == YARD_LOCK_WRITE ? 0 : SHARED;
}

static bool known_edge(const struct lock_graph *graph, const struct lock_edge *edge)
{
	for (uint32_t i = graph->node[edge->from].edges; i; i = graph->edge[i - 1].next) {
		const struct lock_edge *other = &graph->edge[i - 1];

		if (other->to == edge->to && other->held == edge->held && other->taken == edge->taken)
			return true;
	}
	return false;
}

static void visit(struct lock_graph *graph, uint32_t state, uint32_t before, uint32_t via, uint32_t *queued)
{
	struct lock_node *node = &graph->node[state / LOCK_STATES];
	uint32_t bits = state % LOCK_STATES;

	if (node->round[bits] == graph->round)
		return;
	node->round[bits] = graph->round;
	node->before[bits] = before;
	node->via[bits] = via;
	graph->queue[(*queued)++] = state;
}

// The last edge of the shortest way that closes the cycle, as index + 1, and the state that it leaves; 0: none.
static uint32_t search(struct lock_graph *graph, const struct lock_edge *closing, uint32_t *last)
{
	uint32_t queued = 0, bits = shared(closing->taken);

	if (pseudo(closing->from) || pseudo(closing->to))
		bits |= THROUGH_RECLAIM;
	graph->round++;
	visit(graph, closing->to * LOCK_STATES + bits, 0, 0, &queued);
	for (uint32_t i = 0; i < queued; i++) {
		uint32_t state = graph->queue[i];

		for (uint32_t e = graph->node[state / LOCK_STATES].edges; e; e = graph->edge[e - 1].next) {
			const struct lock_edge *edge = &graph->edge[e - 1];
			uint32_t next = shared(edge->taken) | (state & THROUGH_RECLAIM);

			if (state & SHARED && shared(edge->held))
				continue;
			if (pseudo(edge->to))
				next |= THROUGH_RECLAIM;
			if (edge->to != closing->from) {
				visit(graph, edge->to * LOCK_STATES + next, state, e, &queued);
			} else if (next & THROUGH_RECLAIM && !(next & SHARED && shared(closing->held))) {
				*last = state;
				return e;
			}
		}
	}
	return 0;
}

// Which edge of the way belongs to the other side of reclaim: the one that leaves it, if the new edge goes in, else the
// one that goes in.
static bool other_side(const struct lock_edge *closing, const struct lock_edge *edge)
{
	if (pseudo(closing->from))
		return edge->to == closing->from;
	if (pseudo(closing->to))
		return edge->from == closing->to;
	return pseudo(edge->to);
}

static void collect(struct lock_graph *graph, const struct lock_edge *closing, uint32_t state, uint32_t edge,
		    struct lock_cycle *cycle)
{
	uint32_t nr = 0;

	graph->path[nr++] = closing->from;
	for (;;) {
		const struct lock_node *node = &graph->node[state / LOCK_STATES];
		uint32_t bits = state % LOCK_STATES;

		if (other_side(closing, &graph->edge[edge - 1]))
			cycle->before = graph->edge[edge - 1].witness;
		graph->path[nr++] = state / LOCK_STATES;
		if (!node->via[bits])
			break;
		edge = node->via[bits];
		state = node->before[bits];
	}
	for (uint32_t i = 0; i < nr / 2; i++) {
		uint32_t node = graph->path[i];

		graph->path[i] = graph->path[nr - 1 - i];
		graph->path[nr - 1 - i] = node;
	}
	cycle->node = graph->path;
	cycle->nr = nr;
}

// The same for every place where one may begin to read the cycle.
static uint64_t hash_of(const struct lock_cycle *cycle)
{
	uint64_t hash = 0xcbf29ce484222325;
	uint32_t first = 0;

	for (uint32_t i = 1; i < cycle->nr; i++)
		if (cycle->node[i] < cycle->node[first])
			first = i;
	for (uint32_t i = 0; i < cycle->nr; i++)
		hash = (hash ^ (cycle->node[(first + i) % cycle->nr] + 1)) * 0x100000001b3;
	return hash;
}

static enum lock_link remember(struct lock_graph *graph, const struct lock_cycle *cycle) // RC-7
{
	uint64_t hash = hash_of(cycle);

	for (uint32_t i = 0; i < graph->nr_cycles; i++)
		if (graph->cycle[i] == hash)
			return LOCK_LINKED;
	if (graph->nr_cycles == graph->max_cycles)
		return LOCK_NO_ROOM;
	graph->cycle[graph->nr_cycles++] = hash;
	return LOCK_CYCLE;
}

enum lock_link lock_graph_link(struct lock_graph *graph, const struct lock_edge *edge, struct lock_cycle *cycle)
{
	uint32_t state = 0, last;

	if (known_edge(graph, edge))
		return LOCK_LINKED;
	if (graph->nr_edges == graph->max_edges)
		return LOCK_NO_ROOM;
	graph->edge[graph->nr_edges] = *edge;
	graph->edge[graph->nr_edges].next = graph->node[edge->from].edges;
	graph->node[edge->from].edges = ++graph->nr_edges;
	if (edge->from == edge->to) { // only of R and N
		graph->path[0] = edge->from;
		*cycle = (struct lock_cycle){ graph->path, 1, edge->witness };
		return remember(graph, cycle);
	}
	last = search(graph, edge, &state);
	if (!last)
		return LOCK_LINKED;
	collect(graph, edge, state, last, cycle);
	return remember(graph, cycle);
}
