// SPDX-License-Identifier: Apache-2.0
//
// A replay in two halves. replay.c turns recorded events into operations, once for all policies; replay_book.c keeps
// the book of which recorded frames are in use, in which blocks, and replay_recorded.c what the kernel itself did.
// replay_policy.c carries the operations out on one policy's yard; it keeps, for each block of the book, the first
// frame of the policy's own block.
//
// Operations wait in a window before the policies carry them out, because a `take` does not tell what was asked for:
// the mm_page_alloc that does comes later, after the frame was cleared, perhaps after other tasks ran. It then fills in
// the operation that the take left. A take that reaches the end of the window without one was a bulk allocation's.

#pragma once

#include "trace/machine.h"
#include "trace/replay.h"
#include "trace/zone_names.h"

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

// ---- the recorded half ----

enum {
	WINDOW = 8192,
	LOOKAHEAD = WINDOW / 2, // a take is in the window for at least so many operations
};

// A drain whose zone is not known before it drains something.
struct open_drain {
	bool open;
	uint16_t cpu; // that drains
	int32_t owner;
};

struct replay {
	unsigned nr_cpus, nr_nodes, nr_lanes;
	bool timed, started;
	const struct snapshot *before;
	uint64_t next_second; // ns of the event clock at which the vmstat work is due
	struct book book;
	uint32_t nr_waiting, nr_taken;
	struct operation waiting[WINDOW];
	uint32_t taken[WINDOW]; // indices in waiting[] of the takes without mm_page_alloc
	struct zone_names zones;
	struct open_drain drain;
	struct replay_counts counts;
	struct replay_figures recorded;
	struct lane lane[];
};

static inline bool class_in_use(enum snapshot_class class)
{
	return class != SNAPSHOT_FREE && class != SNAPSHOT_PCP && class != SNAPSHOT_RESERVED;
}

static inline bool class_is_movable(enum snapshot_class class)
{
	return class == SNAPSHOT_LRU_ANON || class == SNAPSHOT_LRU_FILE || class == SNAPSHOT_LRU_UNEVICTABLE
	       || class == SNAPSHOT_OFFLRU;
}

// ---- the window (replay_book.c) ----

// One more operation, to be filled in; it is valid until the next one is added.
struct operation *window_add(struct replay *replay, const struct trace_event *event, unsigned kind);
void window_add_block(struct replay *replay, const struct trace_event *event, unsigned kind, uint32_t pfn,
		      unsigned order);
struct operation *window_remove_taken(struct replay *replay, uint32_t pfn); // the take of this frame; NULL: none waits
void window_run(struct replay *replay, uint32_t nr); // all policies carry out the oldest ones

// ---- the book ----

int book_add_chunk(struct replay *replay, uint32_t chunk); // 0, or -1: no memory
// Checks that the event's block can be, and makes room for it in the book. 0, or -1 and *error.
int book_reach(struct replay *replay, const struct trace_event *event, struct trace_error *error);
void book_set(struct replay *replay, uint32_t pfn, unsigned order, unsigned flags);
void book_clear(struct replay *replay, uint32_t pfn, unsigned order);
// The block that holds pfn becomes single frames.
void book_split(struct replay *replay, const struct trace_event *event, uint32_t pfn);
// Cuts every block that lies in [pfn, pfn + 2^order) only in part, and with `whole` also those that lie in it with more
// than one frame. Returns how many of the frames are in use.
uint32_t book_cut(struct replay *replay, const struct trace_event *event, uint32_t pfn, unsigned order, bool whole);
// Frees what the book still holds in these frames: the kernel has given them out anew, so their free was not seen.
void book_release(struct replay *replay, const struct trace_event *event, uint32_t pfn, unsigned order);

// ---- one policy (replay_policy.c) ----

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
