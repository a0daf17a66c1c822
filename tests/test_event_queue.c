// SPDX-License-Identifier: Apache-2.0
//
// The queue of events against a plain list that is searched: same order, whatever is added, removed and moved.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "sim/event_queue.h"
#include "sim/random.h"

static void ordered_by_time(void **state)
{
	static const uint64_t times[] = {50, 10, UINT64_MAX, 30, 0, 20, 40};
	static const uint64_t expected[] = {0, 10, 20, 30, 40, 50, UINT64_MAX};
	struct event_queue queue = {.heap = NULL};
	struct event_node node[7] = {{.time = 0}};

	(void)state;
	assert_null(event_queue_first(&queue));
	assert_null(event_queue_take(&queue));
	for (unsigned i = 0; i < 7; i++) {
		node[i].payload = &node[i];
		assert_true(event_queue_add(&queue, &node[i], times[i]));
		assert_true(event_node_queued(&node[i]));
	}
	for (unsigned i = 0; i < 7; i++) {
		struct event_node *first = event_queue_first(&queue);

		assert_ptr_equal(event_queue_take(&queue), first);
		assert_ptr_equal(first->payload, first);
		assert_true(first->time == expected[i]);
		assert_false(event_node_queued(first));
	}
	assert_null(event_queue_take(&queue));
	event_queue_free(&queue);
}

static void equal_times_in_order_of_insertion(void **state)
{
	enum { NR = 1000 };
	struct event_queue queue = {.heap = NULL};
	struct event_node node[NR] = {{.time = 0}};

	(void)state;
	for (unsigned i = 0; i < NR; i++)
		assert_true(event_queue_add(&queue, &node[i], i % 3));
	for (unsigned third = 0; third < 3; third++)
		for (unsigned i = third; i < NR; i += 3)
			assert_ptr_equal(event_queue_take(&queue), &node[i]);
	event_queue_free(&queue);
}

static void a_moved_entry_comes_last_of_its_time(void **state)
{
	struct event_queue queue = {.heap = NULL};
	struct event_node node[3] = {{.time = 0}};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(event_queue_add(&queue, &node[i], 5));
	event_queue_move(&queue, &node[0], 5);
	assert_ptr_equal(event_queue_take(&queue), &node[1]);
	event_queue_move(&queue, &node[0], 4);
	assert_ptr_equal(event_queue_take(&queue), &node[0]);
	assert_ptr_equal(event_queue_take(&queue), &node[2]);
	event_queue_free(&queue);
}

static void what_is_in_no_queue_is_not_removed(void **state)
{
	struct event_queue queue = {.heap = NULL};
	struct event_node node[2] = {{.time = 0}};

	(void)state;
	assert_false(event_queue_remove(&queue, &node[0]));
	assert_true(event_queue_add(&queue, &node[0], 1));
	assert_true(event_queue_add(&queue, &node[1], 2));
	assert_true(event_queue_remove(&queue, &node[0]));
	assert_false(event_queue_remove(&queue, &node[0]));
	assert_ptr_equal(event_queue_first(&queue), &node[1]);
	event_queue_free(&queue);
	assert_false(event_node_queued(&node[1]));
	assert_true(event_queue_add(&queue, &node[1], 3)); // as new
	assert_ptr_equal(event_queue_take(&queue), &node[1]);
	event_queue_free(&queue);
}

static void reserved_room_needs_no_memory(void **state)
{
	enum { NR = 300 };
	struct event_queue queue = {.heap = NULL};
	struct event_node node[NR] = {{.time = 0}};
	struct event_entry *heap;

	(void)state;
	assert_true(event_queue_reserve(&queue, NR));
	heap = queue.heap;
	for (unsigned i = 0; i < NR; i++)
		assert_true(event_queue_add(&queue, &node[i], NR - i));
	assert_ptr_equal(queue.heap, heap);
	assert_false(event_queue_reserve(&queue, SIZE_MAX));
	assert_false(event_queue_reserve(&queue, SIZE_MAX / sizeof(*heap) + NR)); // of which 2^64 would be left out
	assert_ptr_equal(event_queue_first(&queue), &node[NR - 1]);
	event_queue_free(&queue);
}

// ---- against a list ----

enum { NODES = 300 };

struct model {
	struct event_queue queue;
	struct event_node node[NODES];
	uint64_t time[NODES], order[NODES], next_order;
	bool queued[NODES];
};

static int earliest(const struct model *model)
{
	int best = -1;

	for (int i = 0; i < NODES; i++) {
		if (!model->queued[i])
			continue;
		if (best < 0 || model->time[i] < model->time[best]
		    || (model->time[i] == model->time[best] && model->order[i] < model->order[best]))
			best = i;
	}
	return best;
}

static void stamp(struct model *model, unsigned i, uint64_t time)
{
	model->time[i] = time;
	model->order[i] = model->next_order++;
	model->queued[i] = true;
}

static void step(struct model *model, struct random_source *random)
{
	unsigned i = (unsigned)random_below(random, NODES), choice = (unsigned)random_below(random, 4);
	uint64_t time = random_below(random, 50);

	if (!model->queued[i]) {
		assert_true(event_queue_add(&model->queue, &model->node[i], time));
		stamp(model, i, time);
	} else if (choice == 0) {
		assert_true(event_queue_remove(&model->queue, &model->node[i]));
		model->queued[i] = false;
	} else if (choice == 1) {
		event_queue_move(&model->queue, &model->node[i], time);
		stamp(model, i, time);
	} else {
		assert_ptr_equal(event_queue_take(&model->queue), &model->node[earliest(model)]);
		model->queued[earliest(model)] = false;
	}
}

static void same_order_as_a_searched_list(void **state)
{
	static struct model model;
	struct random_source random;
	int first;

	(void)state;
	random_seed(&random, 1);
	for (unsigned i = 0; i < 50000; i++) {
		step(&model, &random);
		first = earliest(&model);
		assert_ptr_equal(event_queue_first(&model.queue), first < 0 ? NULL : &model.node[first]);
	}
	while ((first = earliest(&model)) >= 0) {
		assert_ptr_equal(event_queue_take(&model.queue), &model.node[first]);
		model.queued[first] = false;
	}
	assert_null(event_queue_take(&model.queue));
	event_queue_free(&model.queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordered_by_time),
		cmocka_unit_test(equal_times_in_order_of_insertion),
		cmocka_unit_test(a_moved_entry_comes_last_of_its_time),
		cmocka_unit_test(what_is_in_no_queue_is_not_removed),
		cmocka_unit_test(reserved_room_needs_no_memory),
		cmocka_unit_test(same_order_as_a_searched_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
