// SPDX-License-Identifier: Apache-2.0
//
// What happens when: a priority queue ordered by time and, at equal times, by the order in which the entries were
// added. An entry is a node inside the caller's structure, so that a timer is cancelled in O(log n) and adding one
// allocates nothing but, now and then, a longer heap.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// All zero: in no queue. While it is in one, only `payload` may be changed, and the node must not move.
struct event_node {
	uint64_t time;	   // ns
	uint64_t sequence; // number of the insertion
	size_t position;   // in the heap, from 1; 0: in no queue
	void *payload;	   // the caller's
};

struct event_entry {
	uint64_t time, sequence; // the node's, where the comparisons are
	struct event_node *node;
};

// All zero: empty.
struct event_queue {
	struct event_entry *heap;
	size_t nr, max;
	uint64_t next_sequence;
};

// Releases the heap; the nodes are out of it.
void event_queue_free(struct event_queue *queue);

// Room for `nr` entries at one time: adding up to that many can't fail afterwards. False without memory.
bool event_queue_reserve(struct event_queue *queue, size_t nr);

// The node must be in no queue. False without memory; then nothing has changed.
bool event_queue_add(struct event_queue *queue, struct event_node *node, uint64_t time);

// Takes it out, wherever it is; false if it is in no queue.
bool event_queue_remove(struct event_queue *queue, struct event_node *node);

// As removing it and adding it with this time: it comes after the entries that already have that time. It can't fail.
// The node must be in the queue.
void event_queue_move(struct event_queue *queue, struct event_node *node, uint64_t time);

// The earliest; NULL if the queue is empty. event_queue_take() takes it out too.
struct event_node *event_queue_first(const struct event_queue *queue);
struct event_node *event_queue_take(struct event_queue *queue);

static inline bool event_node_queued(const struct event_node *node)
{
	return node->position != 0;
}
