// SPDX-License-Identifier: Apache-2.0
//
// What each operation costs in virtual nanoseconds (spec 05 section 6): one table, with the range that a sweep should
// cover, the grade of its source (a measured and public, b computed from a public measurement, c estimate) and where it
// is from. A machine file may set any of them by name; cpu_scale multiplies all.

#pragma once

#include <stdint.h>

// X(enumerator, name, default ns, low, high, dominates its path, grade, rule, text)
#define COSTS_TABLE(X)                                                                                                 \
	X(ALLOC, "alloc", 35, 15, 90, 0, 'b', "X2", "allocate one page from a per-CPU list")                          \
	X(FREE, "free", 25, 10, 70, 0, 'b', "X3", "free one page to a per-CPU list")                                  \
	X(PCP_PAGE, "pcp_page", 40, 20, 120, 0, 'b', "X4", "refill or drain: each page")                              \
	X(PCP_BATCH, "pcp_batch", 150, 60, 400, 0, 'b', "X4", "refill or drain: each batch")                          \
	X(ZONE_LOCKED, "zone_locked", 150, 60, 500, 0, 'a', "X5", "take or give a block under the zone lock")          \
	X(SPLIT, "split", 12, 5, 40, 0, 'c', "X6", "split or merge once")                                             \
	X(CLAIM, "claim", 2500, 800, 8000, 0, 'c', "X7", "claim a pageblock")                                         \
	X(ZONE_CHECK, "zone_check", 8, 3, 25, 0, 'c', "X8", "watermark check of one zone")                            \
	X(ZERO_PAGE, "zero_page", 300, 100, 450, 1, 'b', "X9", "zero 4 KiB")                                          \
	X(ZERO_HUGE, "zero_huge", 100000, 85000, 180000, 1, 'b', "X10", "zero 2 MiB")                                 \
	X(FAULT, "fault", 500, 250, 1200, 0, 'b', "X11", "page fault without its page")                               \
	X(PAGE_TABLE, "page_table", 400, 300, 700, 0, 'c', "X12", "one more page-table page")                         \
	X(READ_FAULT, "read_fault", 900, 500, 2000, 0, 'c', "X13", "fault on a cached file page, maps 16 around")      \
	X(SCAN_PAGE, "scan_page", 120, 60, 400, 0, 'c', "X14", "reclaim decides about a page")                        \
	X(RECLAIM_PAGE, "reclaim_page", 420, 200, 1000, 1, 'b', "X15", "reclaim frees a clean page, besides the scan")  \
	X(RECLAIM_TAIL, "reclaim_tail", 420, 50, 420, 0, 'c', "X15", "... each further page of a large one")            \
	X(DIRECT_RECLAIM, "direct_reclaim", 3000, 1000, 10000, 1, 'c', "X16", "set-up of one call of direct reclaim")  \
	X(NODE_RECLAIM, "node_reclaim", 100, 50, 500, 0, 'b', "X16", "node reclaim that finds nothing it may scan")     \
	X(LRU_PAGE, "lru_page", 30, 10, 100, 0, 'c', "X14", "a page joins or leaves an LRU list")                     \
	X(UNMAP, "unmap", 180, 80, 600, 0, 'c', "X17", "reverse map walk and unmapping of one entry")                 \
	X(TLB_FLUSH, "tlb_flush", 1250, 800, 8000, 0, 'c', "X18, X19", "flush of all CPUs, once a batch")             \
	X(COPY_PAGE, "copy_page", 400, 120, 800, 1, 'b', "X22", "copy 4 KiB to its new place")                        \
	X(REMAP, "remap", 660, 300, 2500, 1, 'b', "X21", "the rest of moving one page")                               \
	X(SCAN_FRAME, "scan_frame", 9, 4, 60, 0, 'b', "X23", "a scanner of compaction, or aging, looks at a frame")   \
	X(FREE_CHUNK, "free_chunk", 24, 8, 60, 0, 'b', "X23", "a free chunk is isolated")                             \
	X(SKIP_BLOCK, "skip_block", 15, 5, 60, 0, 'c', "X24", "a pageblock is skipped by its hint")                   \
	X(SLAB_OBJECT, "slab_object", 60, 20, 200, 0, 'c', "S-8", "a shrinker scans an object")                       \
	X(SWAP_OUT, "swap_out", 1500, 800, 3000, 0, 'c', "X26", "CPU time of swapping one page out or in")            \
	X(WRITEBACK, "writeback", 400, 200, 1500, 0, 'c', "X27", "submit a page of a batch for writeback")            \
	X(READ_CALL, "read_call", 150, 80, 400, 0, 'c', "X28", "read() or write(): the call")                         \
	X(READ_PAGE, "read_page", 250, 100, 600, 0, 'c', "X28", "... each page that it copies")                       \
	X(SWITCH, "switch", 1100, 600, 5000, 0, 'b', "X29", "context switch")                                         \
	X(WAKE_IDLE, "wake_idle", 2000, 1000, 50000, 0, 'b', "X29", "an idle CPU begins to run a task that was woken") \
	X(LOCK_HANDOVER, "lock_handover", 50, 30, 177, 0, 'a', "X32", "a lock that another CPU held comes over")       \
	X(SLAB_ALLOC, "slab_alloc", 40, 15, 120, 0, 'c', "X2", "allocate or free a slab object")                      \
	X(FORK, "fork", 60000, 30000, 200000, 0, 'c', "X41", "fork() and exit() besides the memory they touch")       \
	X(SYSCALL, "syscall", 150, 60, 500, 0, 'c', "X28", "a system call besides its work")                          \
	X(PACKET, "packet", 1500, 500, 5000, 0, 'c', "X28", "a network packet's way besides memory")                  \
	X(HINT_MARK, "hint_mark", 10, 5, 30, 0, 'b', "X25", "NUMA balancing marks a page")                            \
	X(HINT_FAULT, "hint_fault", 1500, 1000, 5000, 0, 'c', "X25", "hinting fault without moving the page")          \
	X(TOUCH, "touch", 100, 5, 250, 0, 'a', "X30", "an access that finds its page mapped")

enum cost {
#define X(name, text, ns, low, high, dominates, grade, rule, what) COST_##name,
	COSTS_TABLE(X)
#undef X
	COSTS
};

struct cost_item {
	const char *name;
	uint32_t ns, low, high;
	uint8_t dominates;
	char grade;
	const char *rule, *text;
};
extern const struct cost_item cost_items[COSTS]; // costs.c
