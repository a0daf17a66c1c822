// SPDX-License-Identifier: Apache-2.0
//
// Doubly linked lists of blocks, linked by frame number through their first frames. Allocation takes at the head.

#pragma once

#include "engine/internal.h"

// The head is written under the list's lock but looked at without it (W11): both sides are relaxed atomic accesses.
static inline uint32_t list_head(const struct list *list)
{
	return __atomic_load_n(&list->head, __ATOMIC_RELAXED);
}

static inline void list_set_head(struct list *list, uint32_t pfn)
{
	__atomic_store_n(&list->head, pfn, __ATOMIC_RELAXED);
}

static inline void list_init(struct list *list)
{
	list->head = list->tail = PFN_NONE;
}

static inline bool list_empty(const struct list *list)
{
	return list_head(list) == PFN_NONE;
}

static inline void list_add_head(struct yard *yard, struct list *list, uint32_t pfn)
{
	struct yard_frame *frame = frame_at(yard, pfn);

	frame->prev = PFN_NONE;
	frame->next = list->head;
	if (list->head != PFN_NONE)
		frame_at(yard, list->head)->prev = pfn;
	else
		list->tail = pfn;
	list_set_head(list, pfn);
}

static inline void list_add_tail(struct yard *yard, struct list *list, uint32_t pfn)
{
	struct yard_frame *frame = frame_at(yard, pfn);

	frame->next = PFN_NONE;
	frame->prev = list->tail;
	if (list->tail != PFN_NONE)
		frame_at(yard, list->tail)->next = pfn;
	else
		list_set_head(list, pfn);
	list->tail = pfn;
}

static inline uint32_t list_pop_head(struct yard *yard, struct list *list) // the list is not empty
{
	uint32_t pfn = list->head, next = frame_at(yard, pfn)->next;

	list_set_head(list, next);
	if (next != PFN_NONE)
		frame_at(yard, next)->prev = PFN_NONE;
	else
		list->tail = PFN_NONE;
	return pfn;
}

static inline void list_del(struct yard *yard, struct list *list, uint32_t pfn)
{
	struct yard_frame *frame = frame_at(yard, pfn);

	if (frame->prev != PFN_NONE)
		frame_at(yard, frame->prev)->next = frame->next;
	else
		list_set_head(list, frame->next);
	if (frame->next != PFN_NONE)
		frame_at(yard, frame->next)->prev = frame->prev;
	else
		list->tail = frame->prev;
}

// What stands before `head` goes to the tail in the same order. PFN_NONE: nothing moves.
static inline void list_rotate(struct yard *yard, struct list *list, uint32_t head)
{
	uint32_t last;

	if (head == PFN_NONE || head == list->head)
		return;
	last = frame_at(yard, head)->prev;
	frame_at(yard, list->tail)->next = list->head;
	frame_at(yard, list->head)->prev = list->tail;
	frame_at(yard, last)->next = PFN_NONE;
	frame_at(yard, head)->prev = PFN_NONE;
	list->tail = last;
	list_set_head(list, head);
}
