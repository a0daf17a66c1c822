// SPDX-License-Identifier: Apache-2.0
//
// A heap with four children a node: half as deep as a binary one, and the children lie in two cache lines. Places are
// counted from 0 here, from 1 in the nodes.

#include "sim/event_queue.h"

#include <assert.h>
#include <stdlib.h>

enum { CHILDREN = 4, FIRST_SIZE = 64 };

static bool earlier(const struct event_entry *a, const struct event_entry *b)
{
	return a->time != b->time ? a->time < b->time : a->sequence < b->sequence;
}

static void put(struct event_queue *queue, size_t place, struct event_entry entry)
{
	queue->heap[place] = entry;
	entry.node->position = place + 1;
}

// Puts the entry at the place, which is free, or as far above it as it belongs.
static void rise(struct event_queue *queue, size_t place, struct event_entry entry)
{
	while (place > 0) {
		size_t parent = (place - 1) / CHILDREN;

		if (!earlier(&entry, &queue->heap[parent]))
			break;
		put(queue, place, queue->heap[parent]);
		place = parent;
	}
	put(queue, place, entry);
}

static size_t earliest_child(const struct event_queue *queue, size_t place) // queue->nr or more: it has none
{
	size_t first = CHILDREN * place + 1, best = first;

	for (size_t child = first + 1; child < first + CHILDREN && child < queue->nr; child++)
		if (earlier(&queue->heap[child], &queue->heap[best]))
			best = child;
	return best;
}

// Puts the entry at the place, which is free, or as far below it as it belongs.
static void sink(struct event_queue *queue, size_t place, struct event_entry entry)
{
	for (;;) {
		size_t child = earliest_child(queue, place);

		if (child >= queue->nr || !earlier(&queue->heap[child], &entry))
			break;
		put(queue, place, queue->heap[child]);
		place = child;
	}
	put(queue, place, entry);
}

static void settle(struct event_queue *queue, size_t place, struct event_entry entry)
{
	if (place > 0 && earlier(&entry, &queue->heap[(place - 1) / CHILDREN]))
		rise(queue, place, entry);
	else
		sink(queue, place, entry);
}

static struct event_entry stamp(struct event_queue *queue, struct event_node *node, uint64_t time)
{
	node->time = time;
	node->sequence = queue->next_sequence++;
	return (struct event_entry){.time = time, .sequence = node->sequence, .node = node};
}

bool event_queue_reserve(struct event_queue *queue, size_t nr)
{
	struct event_entry *heap;

	if (nr <= queue->max)
		return true;
	if (nr > SIZE_MAX / sizeof(*heap))
		return false;
	heap = realloc(queue->heap, nr * sizeof(*heap));
	if (!heap)
		return false;
	queue->heap = heap;
	queue->max = nr;
	return true;
}

bool event_queue_add(struct event_queue *queue, struct event_node *node, uint64_t time)
{
	assert(!node->position);
	if (queue->nr == queue->max && !event_queue_reserve(queue, queue->max ? 2 * queue->max : FIRST_SIZE))
		return false;
	queue->nr++;
	rise(queue, queue->nr - 1, stamp(queue, node, time));
	return true;
}

bool event_queue_remove(struct event_queue *queue, struct event_node *node)
{
	size_t place = node->position - 1;
	struct event_entry last;

	if (!node->position)
		return false;
	assert(place < queue->nr && queue->heap[place].node == node);
	node->position = 0;
	last = queue->heap[--queue->nr];
	if (last.node != node)
		settle(queue, place, last);
	return true;
}

void event_queue_move(struct event_queue *queue, struct event_node *node, uint64_t time)
{
	size_t place = node->position - 1;

	assert(place < queue->nr && queue->heap[place].node == node);
	settle(queue, place, stamp(queue, node, time));
}

struct event_node *event_queue_first(const struct event_queue *queue)
{
	return queue->nr ? queue->heap[0].node : NULL;
}

struct event_node *event_queue_take(struct event_queue *queue)
{
	struct event_node *node = event_queue_first(queue);

	if (node)
		event_queue_remove(queue, node);
	return node;
}

void event_queue_free(struct event_queue *queue)
{
	for (size_t i = 0; i < queue->nr; i++)
		queue->heap[i].node->position = 0;
	free(queue->heap);
	*queue = (struct event_queue){.heap = NULL};
}
