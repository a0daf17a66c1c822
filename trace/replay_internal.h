// SPDX-License-Identifier: Apache-2.0
//
// A replay in two halves. replay.c turns recorded events into operations, once for all policies; it keeps the book of
// which recorded frames are in use, in which blocks. replay_policy.c carries the operations out on one policy's yard;
// it keeps, for each block of the book, the first frame of the policy's own block.

#pragma once

#include "trace/machine.h"
#include "trace/replay.h"

// Tables by recorded frame, in chunks that exist where frames were seen. No block crosses the border of a chunk.
enum {
	CHUNK_SHIFT = 15,
	CHUNK_FRAMES = 1 << CHUNK_SHIFT,
	CHUNKS = 1 << (32 - CHUNK_SHIFT),
};

enum operation_kind {
	OP_ALLOC,	// pfn (YARD_PFN_NONE: the recorded kernel refused it), order, gfp, node, task
	OP_FREE,	// pfn, order: a block of the book
	OP_FREE_JOINED, // pfn, order: single frames of the book
	OP_SPLIT,	// pfn, order
	OP_VMSTAT_ZONE, // zone
	OP_VMSTAT,
	OP_DRAIN,	  // zone; cpu is the set's owner
	OP_KSWAPD_AWAKE,  // kswapd
	OP_BALANCE_BEGIN, // kswapd
	OP_BALANCE_END,	  // kswapd
};

struct operation {
	uint32_t pfn, gfp;
	uint16_t cpu;
	uint8_t kind, order;
	union {
		struct {
			int8_t node;  // -1: that of the CPU
			uint8_t task; // enum yard_task_flags
		};
		struct {
			uint8_t node, highest_zone;
			bool awake;
		} kswapd;
		uint8_t zone;
		uint8_t pad[4];
	};
};

_Static_assert(sizeof(struct operation) == 16, "a batch of operations must stay in the cache");

// One policy. Starts zeroed.
struct lane {
	struct machine machine;
	unsigned cpu;
	uint32_t **map; // [CHUNKS]: recorded first frame -> the policy's, YARD_PFN_NONE: it refused the request
	uint32_t since_sample;
	uint64_t woken; // nodes whose kswapd the policy woke
	struct replay_figures figures;
};

// The book: one byte a frame.
enum {
	BOOK_ORDER = 0x0f,
	BOOK_NONE = 0x0f,  // order of a frame that is not in use
	BOOK_TAIL = 0x10,  // not the first frame of its block
	BOOK_TAKEN = 0x20, // taken off a per-CPU list; its mm_page_alloc is still to come, if any
	BOOK_MOVABLE = 0x40,
	BOOK_BACK = 0x80, // its next mm_page_free is none (compact_back)
};

struct book {
	uint8_t **chunk; // [CHUNKS]
};

static inline uint8_t *book_at(const struct book *book, uint32_t pfn) // its chunk exists
{
	return &book->chunk[pfn >> CHUNK_SHIFT][pfn & (CHUNK_FRAMES - 1)];
}

int lane_init(struct lane *lane, const struct replay_config *config, const struct yard_policy *policy,
	      struct trace_error *error);
void lane_free(struct lane *lane);
int lane_add_chunk(struct lane *lane, uint32_t chunk); // 0, or -1: no memory
void lane_run(struct lane *lane, const struct operation *operation, size_t nr);
// `before`: whose pageblocks are counted; NULL: all with memory.
int lane_finish(struct lane *lane, const struct book *book, const struct snapshot *before, struct trace_error *error);

// Adds a recorded or a simulated mm_page_alloc_extfrag to its class.
void count_extfrag(struct replay_figures *figures, int change_ownership, int fallback_order);

struct free_state { // free memory of all zones
	uint64_t pages, blocks[REPLAY_ORDERS];
};

// Share of free memory in blocks too small for each order; 0 where nothing is free.
void unusable_index(const struct free_state *state, double index[REPLAY_ORDERS]);

uint64_t whole_blocks(const struct free_state *state); // pageblocks in free blocks of at least their order

// Finds the pageblocks that hold frames of two kinds.
struct mix {
	uint32_t first_block, nr_blocks;
	uint8_t *seen; // bit 0: not movable, bit 1: movable
};

int mix_init(struct mix *mix, uint32_t start_pfn, uint32_t end_pfn); // 0, or -1: no memory
void mix_add(struct mix *mix, uint32_t pfn, uint32_t nr, bool movable);
uint64_t mix_count_and_free(struct mix *mix);
