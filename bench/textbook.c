// SPDX-License-Identifier: Apache-2.0

#include "bench/textbook.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { ORDERS = 11, NONE = UINT32_MAX };

struct frame {
	uint32_t next, prev;
	uint8_t order; // of the free block that starts here
	bool free;
};

struct textbook {
	atomic_flag lock;
	uint32_t heads[ORDERS];
	uint32_t nr;
	struct frame frames[];
};

static void lock(struct textbook *buddy)
{
	while (atomic_flag_test_and_set_explicit(&buddy->lock, memory_order_acquire)) {
#if defined(__x86_64__)
		__builtin_ia32_pause();
#endif
	}
}

static void unlock(struct textbook *buddy)
{
	atomic_flag_clear_explicit(&buddy->lock, memory_order_release);
}

static void push(struct textbook *buddy, uint32_t pfn, unsigned order)
{
	struct frame *frame = &buddy->frames[pfn];

	frame->next = buddy->heads[order];
	frame->prev = NONE;
	frame->order = (uint8_t)order;
	frame->free = true;
	if (frame->next != NONE)
		buddy->frames[frame->next].prev = pfn;
	buddy->heads[order] = pfn;
}

static void unlink_block(struct textbook *buddy, uint32_t pfn)
{
	struct frame *frame = &buddy->frames[pfn];

	if (frame->prev != NONE)
		buddy->frames[frame->prev].next = frame->next;
	else
		buddy->heads[frame->order] = frame->next;
	if (frame->next != NONE)
		buddy->frames[frame->next].prev = frame->prev;
	frame->free = false;
}

uint32_t textbook_alloc(struct textbook *buddy, unsigned order)
{
	unsigned from = order;
	uint32_t pfn = NONE;

	lock(buddy);
	while (from < ORDERS && buddy->heads[from] == NONE)
		from++;
	if (from < ORDERS) {
		pfn = buddy->heads[from];
		unlink_block(buddy, pfn);
		while (from-- > order)
			push(buddy, pfn + (1u << from), from);
	}
	unlock(buddy);
	return pfn;
}

void textbook_free(struct textbook *buddy, uint32_t pfn, unsigned order)
{
	lock(buddy);
	for (; order < ORDERS - 1; order++) {
		uint32_t other = pfn ^ (1u << order);

		if (other >= buddy->nr || !buddy->frames[other].free || buddy->frames[other].order != order)
			break;
		unlink_block(buddy, other);
		pfn &= other;
	}
	push(buddy, pfn, order);
	unlock(buddy);
}

// frames: a multiple of the largest block.
struct textbook *textbook_create(uint32_t frames)
{
	struct textbook *buddy = calloc(1, sizeof *buddy + frames * sizeof buddy->frames[0]);

	if (!buddy)
		return NULL;
	atomic_flag_clear(&buddy->lock);
	buddy->nr = frames;
	for (unsigned order = 0; order < ORDERS; order++)
		buddy->heads[order] = NONE;
	for (uint32_t pfn = frames; pfn > 0; pfn -= 1u << (ORDERS - 1))
		push(buddy, pfn - (1u << (ORDERS - 1)), ORDERS - 1);
	return buddy;
}

void textbook_destroy(struct textbook *buddy)
{
	free(buddy);
}
