// SPDX-License-Identifier: Apache-2.0
//
// The window of operations and the book of recorded frames in use (trace/replay_internal.h).

#include "trace/replay_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/internal.h"

// ---- the window ----

// A take whose mm_page_alloc was not seen: it stays what add_take() made of it.
static void settle_bulk(struct replay *replay, uint32_t pfn)
{
	*book_at(&replay->book, pfn) &= (uint8_t)~BOOK_TAKEN;
	replay->counts.requests++;
	replay->counts.bulk++;
	replay->recorded.allocs[0]++;
}

void window_run(struct replay *replay, uint32_t nr)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < replay->nr_taken; i++) {
		if (replay->taken[i] < nr)
			settle_bulk(replay, replay->waiting[replay->taken[i]].pfn);
		else
			replay->taken[left++] = replay->taken[i] - nr;
	}
	replay->nr_taken = left;
	for (unsigned i = 0; i < replay->nr_lanes; i++)
		lane_run(&replay->lane[i], replay->waiting, nr);
	replay->nr_waiting -= nr;
	memmove(replay->waiting, replay->waiting + nr, replay->nr_waiting * sizeof(replay->waiting[0]));
}

struct operation *window_add(struct replay *replay, const struct trace_event *event, unsigned kind)
{
	struct operation *op;

	if (replay->nr_waiting == WINDOW)
		window_run(replay, WINDOW - LOOKAHEAD);
	op = &replay->waiting[replay->nr_waiting++];
	*op = (struct operation){.kind = (uint8_t)kind, .cpu = (uint16_t)(event->cpu % replay->nr_cpus)};
	return op;
}

void window_add_block(struct replay *replay, const struct trace_event *event, unsigned kind, uint32_t pfn,
		      unsigned order)
{
	struct operation *op = window_add(replay, event, kind);

	op->pfn = pfn;
	op->order = (uint8_t)order;
}

struct operation *window_remove_taken(struct replay *replay, uint32_t pfn)
{
	uint32_t i = replay->nr_taken;

	while (i-- > 0) {
		struct operation *op = &replay->waiting[replay->taken[i]];

		if (op->pfn != pfn)
			continue;
		replay->taken[i] = replay->taken[--replay->nr_taken];
		return op;
	}
	return NULL;
}

// ---- the book ----

int book_add_chunk(struct replay *replay, uint32_t chunk)
{
	uint8_t *book = malloc(CHUNK_FRAMES);

	if (!book)
		return -1;
	memset(book, BOOK_NONE, CHUNK_FRAMES);
	replay->book.chunk[chunk] = book;
	for (unsigned i = 0; i < replay->nr_lanes; i++)
		if (lane_add_chunk(&replay->lane[i], chunk))
			return -1;
	return 0;
}

// Checks that the event's block can be, and makes room for it in the book.
int book_reach(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	if (event->order >= REPLAY_ORDERS)
		return trace_fail(error, "event %" PRIu64 ": order %u exceeds %u", event->seq, event->order,
				  REPLAY_ORDERS - 1);
	if (event->pfn >= YARD_PFN_NONE)
		return trace_fail(error, "event %" PRIu64 ": frame %" PRIu64 " lies beyond 16 TiB", event->seq,
				  event->pfn);
	if (event->pfn & ((1u << event->order) - 1))
		return trace_fail(error, "event %" PRIu64 ": frame %" PRIu64 " cannot begin a block of order %u",
				  event->seq, event->pfn, event->order);
	if (!replay->book.chunk[event->pfn >> CHUNK_SHIFT]
	    && book_add_chunk(replay, (uint32_t)(event->pfn >> CHUNK_SHIFT)))
		return trace_fail(error, "no memory for the book of frames");
	return 0;
}

void book_set(struct replay *replay, uint32_t pfn, unsigned order, unsigned flags)
{
	uint8_t *entry = book_at(&replay->book, pfn);

	entry[0] = (uint8_t)(order | flags);
	memset(entry + 1, (int)(order | flags | BOOK_TAIL), (1u << order) - 1);
}

void book_clear(struct replay *replay, uint32_t pfn, unsigned order)
{
	uint8_t *entry = book_at(&replay->book, pfn);

	if (entry[0] & BOOK_TAKEN) {
		window_remove_taken(replay, pfn);
		settle_bulk(replay, pfn);
	}
	for (uint32_t i = 0; i < 1u << order; i++)
		entry[i] = (entry[i] & BOOK_BACK) | BOOK_NONE;
}

// The block that holds pfn becomes single frames.
void book_split(struct replay *replay, const struct trace_event *event, uint32_t pfn)
{
	uint8_t *entry = book_at(&replay->book, pfn);
	unsigned order = *entry & BOOK_ORDER;
	uint32_t first = pfn & ~((1u << order) - 1);

	window_add_block(replay, event, OP_SPLIT, first, order);
	entry = book_at(&replay->book, first);
	for (uint32_t i = 0; i < 1u << order; i++)
		entry[i] &= BOOK_MOVABLE | BOOK_BACK;
}

// Cuts every block that lies in [pfn, pfn + 2^order) only in part, and with `whole` also those that lie in it with more
// than one frame. Returns how many of the frames are in use.
uint32_t book_cut(struct replay *replay, const struct trace_event *event, uint32_t pfn, unsigned order, bool whole)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < 1u << order; i++) {
		unsigned held = *book_at(&replay->book, pfn + i) & BOOK_ORDER;

		if (held == BOOK_NONE)
			continue;
		used++;
		if (held > order || (whole && held))
			book_split(replay, event, pfn + i);
	}
	return used;
}

// Frees what the book still holds in these frames: the kernel has given them out anew, so their free was not seen.
void book_release(struct replay *replay, const struct trace_event *event, uint32_t pfn, unsigned order)
{
	if (!book_cut(replay, event, pfn, order, false))
		return;
	for (uint32_t i = 0; i < 1u << order;) {
		unsigned held = *book_at(&replay->book, pfn + i) & BOOK_ORDER;

		if (held == BOOK_NONE) {
			i++;
			continue;
		}
		window_add_block(replay, event, OP_FREE, pfn + i, held);
		book_clear(replay, pfn + i, held);
		replay->counts.reused++;
		i += 1u << held;
	}
}
