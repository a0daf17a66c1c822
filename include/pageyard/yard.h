// SPDX-License-Identifier: Apache-2.0
//
// Pageyard: Linux's page allocator as an instance in memory that the caller supplies.
//
// A yard holds nodes, zones, free lists and per-CPU sets for a range of page frames; it knows frames by number only
// and never touches their contents. Pages are counted in frames of 4 KiB; a block of order k is 2^k frames at a
// multiple of 2^k.
//
// Functions that fail return a negative enum yard_error and change nothing (a request that fails may have reclaimed or
// moved pages): YARD_ERANGE for frames, orders, nodes, zones and CPUs that the yard does not have, YARD_EINVAL for
// other values that cannot be; comments name the rest. Given such numbers, functions without an error do nothing, and
// those that read answer 0, false or YARD_PFN_NONE. Pointers must be valid but where a comment says that they may be
// NULL.
//
// Locking: on the posix platform every function may be called from any thread, except those marked "quiescent",
// for which no other call may run at the same time. On the sim platform there is one thread.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pageyard/event.h>
#include <pageyard/gfp.h>
#include <pageyard/owner.h>
#include <pageyard/policy.h>
#include <pageyard/task.h>

#ifdef __cplusplus
extern "C" {
#endif

// Parameters of spec 01 section 1.1; a build may choose others.
#ifndef YARD_MAX_PAGE_ORDER
#define YARD_MAX_PAGE_ORDER 10
#endif
#ifndef YARD_PAGEBLOCK_ORDER
#define YARD_PAGEBLOCK_ORDER 9
#endif
#ifndef YARD_PCP_BATCH_SCALE_MAX
#define YARD_PCP_BATCH_SCALE_MAX 5
#endif

enum {
	YARD_NR_PAGE_ORDERS = YARD_MAX_PAGE_ORDER + 1,
	YARD_PAGEBLOCK_NR_PAGES = 1 << YARD_PAGEBLOCK_ORDER, // 512
	YARD_COSTLY_ORDER = 3,
	YARD_PCP_LISTS = 14, // spec 01 P1
	YARD_NR_WMARKS = 4,
	YARD_NODES_MAX = 48, // zones are numbered in a byte
	YARD_CPUS_MAX = 1024,
};

#define YARD_PFN_NONE UINT32_MAX // no frame; also limits a yard to 2^32 - 1 frames (16 TiB)

enum yard_error {
	YARD_OK = 0,
	YARD_EINVAL = -1,     // an argument or a configuration that cannot be
	YARD_ENOMEM = -2,     // no page could be given; or a table is full
	YARD_EBUSY = -3,      // frames in use, or somebody who is at it already, are in the way
	YARD_EDOUBLEFREE = -4, // the frame is free already
	YARD_ENOTOWNED = -5,  // the frame was never allocated, or is not the first frame of a block of that order
	YARD_ECORRUPT = -6,   // yard_verify() found a broken invariant
	YARD_ERANGE = -7,     // frame, order, node or CPU outside the yard
};

const char *yard_error_text(int error); // one line for people

struct yard; // one instance

struct yard_range { // frames [start, end) of a node
	uint32_t start, end;
	uint32_t node;
};

struct yard_config {
	uint32_t nr_nodes, nr_cpus;
	const uint16_t *cpu_node;	 // node of each CPU; NULL: all on node 0
	const uint8_t *distance;	 // nr_nodes * nr_nodes, row = from; NULL: 10 local, 20 remote
	const struct yard_range *memory; // RAM, ascending, disjoint
	uint32_t nr_memory;
	// RAM to come, for yard_online_memory(): whole pageblocks, ascending, apart from `memory`; each range is
	// onlined as a whole.
	const struct yard_range *offline;
	uint32_t nr_offline;
	const struct yard_range *reserved; // boot reservations inside RAM, ascending (node ignored)
	uint32_t nr_reserved;
	const struct yard_range *cma; // whole pageblocks that start as CMA (C13)
	uint32_t nr_cma;
	uint32_t dma_end, dma32_end; // M2; 0: 4096 and 1048576
	const uint32_t *movable_start; // per node, 0 = none (M3); NULL: none
	bool no_dma32;		     // a build without ZONE_DMA32: no NOFRAGMENT bit (A1)
	bool zonelists_see_cpus;     // spec 05 T5: the first zonelists prefer nodes without CPUs, as after a hot-plug;
				     // off: no CPU is known then. Those of yard_online_memory() always do
	bool thp;		     // khugepaged runs: W2
	bool crash_kernel;	     // W7
	bool exact_counters;	     // V2: fold every counter change at once
	bool deferred_init;	     // M18: see yard_deferred_init(); without effect when `restore` is set
	bool restore;		     // lists stay empty for yard_restore_*() (pageyard/restore.h)
	int64_t user_min_free_kbytes;	     // counts where it is above the automatic value (W1, W2); -1: none
	uint32_t watermark_scale_factor;     // 0: 10
	int32_t watermark_boost_factor;	     // -1: 15000; 0: no boosts
	uint32_t percpu_pagelist_high_fraction; // 0 or >= 8 (P5)
	int32_t lowmem_reserve_ratio[YARD_ZONE_TYPES]; // all 0: 256 256 32 0 0
	uint32_t pcp_cache_pages; // share of data cache of a CPU, in pages (P5)
	uint32_t node_reclaim_distance; // 0: 30
	uint32_t zone_reclaim_mode;	// A8c, spec 04 N-1: vm.zone_reclaim_mode, bits 1 on, 2 write, 4 unmap
	uint32_t min_unmapped_ratio, min_slab_ratio; // N-4, percent; 0: 1 and 5
	int32_t swappiness;		// 0: 60; -1: 0
	const uint8_t *node_tier;	// P-8: memory tier of each node, 0 the fastest; NULL: all in tier 0
	bool demotion_enabled;		// P-8: numa/demotion_enabled
	bool memory_tiering;		// W13: NUMA balancing in tiering mode: kswapd aims at the promo watermark
	int32_t extfrag_threshold;	// spec 03 C2.3: 0: 500; -1: 0
	int32_t compaction_proactiveness; // K2: 0: 20; -1: 0
	bool no_numa_stat;		// vm.numa_stat = 0: see yard_set_numa_stat()
	bool no_compact_unevictable;	// vm.compact_unevictable_allowed = 0
	uint8_t panic_on_oom;		// spec 02 OOM-5: vm.panic_on_oom, 0 to 2
	bool oom_kill_allocating_task;	// OOM-6
	uint32_t hz;			// ticks a second (spec 04 0.3), at most a million; 0: 1000
	uint64_t seed;			// of the engine's random choices (spec 04 A-10)
	uint32_t dirty_ratio;		// percent, 0: 20 (A4)
	struct yard_policy policy;
	struct yard_owner_ops owner;	// all NULL: nothing moves, nothing is reclaimed
};

// Bytes that an instance of this configuration needs, or 0 with the reason in *error (may be NULL).
size_t yard_size(const struct yard_config *config, int *error);

// Builds an instance in `memory` (yard_size() bytes, zeroed, aligned to 64; it stays the caller's and must live as long
// as the instance), frees all RAM that is not reserved into the buddy lists as Linux does at boot (M14-M17), and
// computes zonelists, watermarks, per-CPU limits. `config` and its arrays are not needed afterwards. There is nothing
// to destroy. YARD_EINVAL: what yard_size() refuses, or memory that is NULL, too small or not aligned.
int yard_init(void *memory, size_t size, const struct yard_config *config, struct yard **yard);

// Makes an exact copy of *from in other memory (as for yard_init(), but it need not be zeroed): a fork of the state,
// without its lock checker. NULL: the memory does not do. Quiescent.
struct yard *yard_copy(void *memory, size_t size, const struct yard *from);

// Installs a receiver for events. `why`: also the reasons. NULL removes it. Quiescent.
void yard_set_event_sink(struct yard *yard, yard_event_sink *sink, void *context, bool why);

// ---- allocation ----

// A request may lose its CPU when it wakes kswapd (N1): a host that knows when runs its parts one after the other.
enum yard_request_part {
	YARD_REQUEST_WHOLE,
	YARD_REQUEST_UNTIL_WAKE, // the fast attempt, and if it fails the wake-up; then the result is no page
	YARD_REQUEST_FROM_WAKE,	 // the slow path from its first attempt on
};

struct yard_request {
	uint32_t gfp;
	uint8_t order;
	uint16_t task; // enum yard_task_flags, besides those of the current task
	int16_t node; // preferred node, -1: that of the current CPU
	uint64_t nodemask; // 0: all
	uint64_t cpuset;   // nodes that the task's cpuset allows, 0: cpusets not in use
	uint8_t part;	   // enum yard_request_part
	bool nolock;	   // G9: only try-locks, one walk
	// One order-0 page as yard_alloc_bulk() takes it (C2, C3); if that fails, a normal request (C4).
	bool bulk;
	// Owner (pageyard/local_reclaim.h) whose pages are kept at home, for whole requests; 0, or unknown: nobody's.
	uint8_t local_reclaim;
	// Passes through the slow path's loop after which the request gives up; 0: no limit. Some policies loop for
	// ever (spec 02 3.8 b, DM-4), and so does NOFAIL.
	uint64_t max_rounds;
};

struct yard_result {
	uint32_t pfn;	// YARD_PFN_NONE: failed
	uint8_t path;	// enum yard_path
	uint8_t zone;	// zone index as in struct yard_event
	uint32_t attempts; // walks over the zonelist
	uint32_t rounds;   // passes through RETRY (spec 02 2.2); 0: the fast attempt gave the page
	bool pfmemalloc;  // A13
	bool gave_up;	  // max_rounds, or nothing that could end the loop: Linux would go on
	uint64_t reclaimed, migrated; // pages, by direct reclaim and direct compaction on its behalf
};

// Allocates one block of 2^order pages, with the caller's gfp, from the current CPU's node. Returns its first frame
// or YARD_PFN_NONE (order above the maximum, or no memory). Spec 01 sections 2, 7; spec 02 E-8.
uint32_t yard_alloc(struct yard *yard, uint32_t gfp, unsigned order);

// The same with all that a request can carry. Returns YARD_OK, YARD_ENOMEM, or YARD_EINVAL / YARD_ERANGE for a request
// that cannot be.
int yard_alloc_request(struct yard *yard, const struct yard_request *request, struct yard_result *result);

// A huge page as a page fault asks for it (spec 02 E-2): a request of order YARD_PAGEBLOCK_ORDER whose nodemask has the
// preferred node is first tried on that node alone and without retries; only if its mask has DIRECT_RECLAIM, then as it
// is. Under a memory policy use yard_alloc_policy() (pageyard/mempolicy.h). The result counts both.
int yard_alloc_huge(struct yard *yard, const struct yard_request *request, struct yard_result *result);

// Takes bits from every request until it is called again (G3): DIRECT_RECLAIM, KSWAPD_RECLAIM, IO and FS during early
// boot, IO and FS during suspend, 0 otherwise. YARD_EINVAL for other bits. Quiescent.
int yard_forbid_gfp(struct yard *yard, uint32_t gfp);

// vm.defrag_mode at run time (spec 02 DM-1): 0 or 1, YARD_EINVAL otherwise. Existing pageblocks stay as they are, calls
// that are under way go on under the new mode. Quiescent but for calls of the same thread.
int yard_set_defrag_mode(struct yard *yard, unsigned mode);

// Order-0 pages in bulk (C1-C4): fills the slots of pfns[0..nr) that hold YARD_PFN_NONE; returns how many slots are
// filled from the front on.
size_t yard_alloc_bulk(struct yard *yard, uint32_t gfp, size_t nr, uint32_t *pfns);

// 2^order-rounded allocation of exactly nr pages; the surplus is freed at once (B17). Pages are single frames.
uint32_t yard_alloc_exact(struct yard *yard, uint32_t gfp, uint32_t nr);

// Frees the block that an allocation returned (B12). YARD_EDOUBLEFREE, YARD_ENOTOWNED, YARD_ERANGE change nothing. Of a
// block that was never on the LRU, two frees at the very same time on different CPUs may both succeed.
int yard_free(struct yard *yard, uint32_t pfn, unsigned order);
int yard_free_nolock(struct yard *yard, uint32_t pfn, unsigned order); // B14

struct yard_block {
	uint32_t pfn;
	uint32_t order;
};

// Frees up to 31 blocks as one batch (B13). All are checked first: an error frees none.
int yard_free_batch(struct yard *yard, const struct yard_block *blocks, size_t nr);

// Frees nr order-0 frames from pfn on (B16).
int yard_free_range(struct yard *yard, uint32_t pfn, uint32_t nr);

// Frees an allocated block but for its first frame, which stays allocated as a block of order 0 (B15).
int yard_free_tail(struct yard *yard, uint32_t pfn, unsigned order);

// Turns an allocated block into 2^order allocated single frames.
int yard_split(struct yard *yard, uint32_t pfn, unsigned order);

// Tells the engine what the owner knows of an allocated block (M11); R11 counts such frames as movable. YARD_EBUSY:
// reclaim or compaction holds it now, nothing has changed.
int yard_set_lru(struct yard *yard, uint32_t pfn, bool on);
int yard_set_movable_ops(struct yard *yard, uint32_t pfn, bool on);

// 32 bits of the embedder's own for each frame; the engine never looks. PFN outside the yard: 0, and nothing is stored.
// It stays when the frame is freed; when a page is moved it goes along.
void yard_set_owner(struct yard *yard, uint32_t pfn, uint32_t owner);
uint32_t yard_get_owner(const struct yard *yard, uint32_t pfn);

// ---- ranges, isolation, compaction's primitives ----

enum yard_isolate_mode { YARD_ISOLATE_OTHER, YARD_ISOLATE_OFFLINE, YARD_ISOLATE_CMA };

// C9: nothing is allocated from the pageblocks of [start, end) any more. YARD_EBUSY: one holds what can neither move
// nor go, is isolated already, or shares a block in use with what lies outside; YARD_ERANGE: one has no RAM.
int yard_isolate_range(struct yard *yard, uint32_t start, uint32_t end, enum yard_isolate_mode mode);
int yard_unisolate_range(struct yard *yard, uint32_t start, uint32_t end);

// Allocates exactly [start, end) as single frames (C10). Pages in use are moved out if their owner can (owner.move);
// without that, all must be free. YARD_EBUSY: something stays; YARD_ENOMEM: there is no room for what has to move.
int yard_alloc_range(struct yard *yard, uint32_t start, uint32_t end, enum yard_isolate_mode mode);

// First range of nr frames, searched as C12, allocated by C10.
uint32_t yard_alloc_contig(struct yard *yard, uint32_t nr, uint32_t gfp);

// Takes the free block whose first frame is pfn off the lists (C11). Returns its order, or an error (YARD_EBUSY: the
// watermark refuses it; YARD_ENOTOWNED: no free block starts there).
int yard_isolate_free_page(struct yard *yard, uint32_t pfn);
// The next three take such a block, the last one an allocated block. YARD_ENOTOWNED: there is none of that order;
// YARD_EBUSY: reclaim or compaction holds it.
int yard_putback_free_page(struct yard *yard, uint32_t pfn, unsigned order); // B18
// Halves a block that was taken: 2^(order - to) isolated blocks of order `to`.
int yard_split_isolated(struct yard *yard, uint32_t pfn, unsigned order, unsigned to);
// An isolated block becomes an allocated one, or the other way round (T7b, T7c), without an event.
int yard_use_isolated(struct yard *yard, uint32_t pfn, unsigned order);
int yard_unuse_isolated(struct yard *yard, uint32_t pfn, unsigned order);

// H2. `migratetype`: that of the request whose lists receive the blocks. True when something moved.
bool yard_unreserve_highatomic(struct yard *yard, unsigned node, unsigned highest_zone, uint64_t nodemask,
			       unsigned migratetype, bool force);

// ---- timers and workers ----

// The vmstat work of one CPU (V4, P15, P16): folds its counter differences and decays its sets; true if anything
// changed, so that it should run again in a second. idle_entry: only the folding.
bool yard_vmstat_update(struct yard *yard, unsigned cpu, bool idle_entry);
// The same for one zone: what a recorded decay of one set stands for.
bool yard_vmstat_update_zone(struct yard *yard, unsigned zone, unsigned cpu);
void yard_drain_zone_cpu(struct yard *yard, unsigned zone, unsigned cpu); // P17
void yard_drain_all(struct yard *yard, int zone); // P18; zone -1: all, and nothing if such a drain is under way
// Limits of the sets as percpu_pagelist_high_fraction asks (P5). YARD_EINVAL for 1..7.
int yard_set_percpu_pagelist_high_fraction(struct yard *yard, uint32_t fraction);
int yard_pcp_disable(struct yard *yard, unsigned zone, bool disable); // P20; YARD_ERANGE also for a zone without memory
// Recompute watermarks and what follows from them: limits of the sets, counter thresholds (W3, W5, P5, V3).
// YARD_EINVAL: less than 0 or more than there is; a factor outside 1..3000. Quiescent.
int yard_set_min_free_kbytes(struct yard *yard, int64_t kbytes);
int yard_set_watermark_scale_factor(struct yard *yard, uint32_t factor);

// For hosts that have a kswapd of their own; yard_kswapd_step() (pageyard/worker.h) does all this itself.
//
// What kswapd of a node tells the core. awake: off its wait queue (A6); the engine sets it when it wakes kswapd, the
// host clears it when kswapd waits again, which it does right after a balancing run. pressure: the small counter
// thresholds of V3 hold, from when it has slept fully until it does so again. A balancing run begins and ends (W9,
// P11). run: the host runs a kswapd for this node and hears YARD_EVENT_WAKEUP_KSWAPD; without it wake-ups wake nobody.
// Quiescent. Balancing runs of one node must not overlap.
void yard_kswapd_run(struct yard *yard, unsigned node, bool runs);
void yard_kswapd_awake(struct yard *yard, unsigned node, bool awake);
void yard_kswapd_pressure(struct yard *yard, unsigned node, bool pressure);
// hopeless: it has given up; it is not woken, only kcompactd by requests without DIRECT_RECLAIM (A14). The engine takes
// that back when a zone of the node is above its high watermark again and a node with a higher id has memory (P13), or
// when reclaim gets pages and the node is balanced (spec 04 K-15).
void yard_kswapd_hopeless(struct yard *yard, unsigned node, bool hopeless);
void yard_kswapd_balance_begin(struct yard *yard, unsigned node, unsigned highest_zone);
void yard_kswapd_balance_end(struct yard *yard, unsigned node, unsigned highest_zone);

// ---- what joins or leaves later ----

// M18, for an instance made with `deferred_init`: yard_init() frees a node's highest zone only up to the first boundary
// of a 32768-frame section that has more than a section of it below. This frees the rest of a node as its thread does
// when it runs alone: ascending, whole blocks of the largest order as such, all else frame by frame, to the tails.
// Until then an allocation that finds the zone short frees one section more (A8a, A10). When no node has anything left,
// the watermarks and the limits of the sets are recomputed, which ends the boot: call it for each node, also where
// allocations may have freed everything. True if it freed something. Quiescent.
bool yard_deferred_init(struct yard *yard, unsigned node);

// M20: boot reservations in [start, end) become managed memory and are freed, one aligned block at a time, as
// yard_free() does. All are checked first: YARD_EINVAL for an empty range, YARD_ERANGE for frames that are not RAM,
// YARD_EDOUBLEFREE or YARD_EBUSY for frames that are free or in use, YARD_EBUSY for those that M18 has not freed yet.
// Watermarks stay. Quiescent.
int yard_release_reserved(struct yard *yard, uint32_t start, uint32_t end);

// M19: [start, end), one or more whole ranges of yard_config.offline of one node, joins that node's zone of this type
// (enum yard_zone_type). Its pageblocks are isolated and MOVABLE while it is freed, to the tails, and un-isolated at
// last. The zone's span and sizes grow, zonelists are rebuilt if it was empty (Z4, M10), and watermarks, reserves and
// the limits of the sets are recomputed. YARD_EINVAL: empty, or not between the limits of an ordinary zone (M2; MOVABLE
// takes all); YARD_ERANGE: not offline; YARD_EBUSY: the node has memory that M18 has not freed yet. Quiescent.
int yard_online_memory(struct yard *yard, uint32_t start, uint32_t end, unsigned zone_type);

// A CPU goes or comes; all are online at first. Going drains its LRU batches and sets, folds its counters and
// recomputes the limits of all sets with the CPUs that are left (P19). Coming recomputes them with one CPU more on
// every node, not only its own: that lasts until the next recomputation (P5). Both recompute the counter thresholds
// (V3). YARD_ERANGE: no such CPU; YARD_EBUSY: the last one cannot go. Nothing happens if it is so already. A host has
// nothing run on a CPU that is offline. Quiescent.
int yard_cpu_online(struct yard *yard, unsigned cpu, bool online);

// ---- what it holds ----

enum yard_zone_stat { YARD_NR_FREE_PAGES, YARD_NR_FREE_PAGES_BLOCKS, YARD_NR_FREE_CMA_PAGES, YARD_ZONE_STATS };
enum yard_numa_stat {
	YARD_NUMA_HIT,
	YARD_NUMA_MISS,
	YARD_NUMA_FOREIGN,
	YARD_NUMA_INTERLEAVE_HIT,
	YARD_NUMA_LOCAL,
	YARD_NUMA_OTHER,
	YARD_NUMA_STATS
};
enum yard_zone_flag { YARD_ZONE_BOOSTED = 1, YARD_ZONE_RECLAIM_ACTIVE = 2, YARD_ZONE_BELOW_HIGH = 4 }; // M13

struct yard_zone_state {
	bool populated, contiguous;
	uint32_t start_pfn, spanned;
	uint64_t present, managed, cma_pages;
	uint64_t wmark[YARD_NR_WMARKS]; // without boost
	uint64_t boost;
	uint64_t lowmem_reserve[YARD_ZONE_TYPES];
	uint64_t nr_reserved_highatomic, nr_free_highatomic, nr_isolate_pageblock, drift_mark;
	uint32_t flags; // enum yard_zone_flag
	int64_t stat[YARD_ZONE_STATS]; // folded part (V2)
	uint64_t numa[YARD_NUMA_STATS];
	uint64_t pgalloc, pgfree;
	uint64_t nr_free[YARD_NR_PAGE_ORDERS];
};

struct yard_pcp_state {
	int32_t count, high, high_min, high_max, batch;
	int32_t free_count, alloc_factor, flags, expire; // flags: 1 PREV_FREE_HIGH_ORDER, 2 FREE_HIGH_BATCH
	int32_t stat_threshold;
	int32_t diff[YARD_ZONE_STATS]; // not yet folded
};

unsigned yard_nr_zones(const struct yard *yard); // node * YARD_ZONE_TYPES + type < this
unsigned yard_nr_cpus(const struct yard *yard); // with those that are offline
unsigned yard_nr_nodes(const struct yard *yard);
void yard_frame_span(const struct yard *yard, uint32_t *start, uint32_t *end); // holds every frame, may have holes
const struct yard_policy *yard_get_policy(const struct yard *yard);

// vm.numa_stat (spec 05 C1): off, the NUMA counters of all zones stay as they are. Quiescent.
void yard_set_numa_stat(struct yard *yard, bool on);

int yard_get_zone(struct yard *yard, unsigned zone, struct yard_zone_state *state);
int yard_get_pcp(struct yard *yard, unsigned zone, unsigned cpu, struct yard_pcp_state *state);

// The zone of a frame, or YARD_ERANGE for one that is in none.
int yard_zone_of(const struct yard *yard, uint32_t pfn);
// The effective type of a frame's pageblock (M8) and its flag bits (M7). Outside the yard: YARD_MIGRATETYPES, 0.
unsigned yard_pageblock_type(const struct yard *yard, uint32_t pfn);
unsigned yard_pageblock_bits(const struct yard *yard, uint32_t pfn);

// M12; NONE: absent, reserved, not released yet (M18), or inside a block whose first frame tells.
enum yard_frame_state {
	YARD_FRAME_NONE,
	YARD_FRAME_BUDDY,
	YARD_FRAME_PCP,
	YARD_FRAME_DEFERRED,
	YARD_FRAME_ISOLATED,
	YARD_FRAME_ALLOCATED,
};
// State of the block that holds `pfn`; *first and *order receive the block (may be NULL).
enum yard_frame_state yard_frame_state(const struct yard *yard, uint32_t pfn, uint32_t *first, unsigned *order);

// Walks a list from its head: the first block when pfn is YARD_PFN_NONE, else the one after pfn; YARD_PFN_NONE at the
// end. Quiescent.
uint32_t yard_free_list_next(const struct yard *yard, unsigned zone, unsigned order, unsigned migratetype,
			     uint32_t pfn);
uint32_t yard_pcp_list_next(const struct yard *yard, unsigned zone, unsigned cpu, unsigned pindex, uint32_t pfn);

struct yard_fragmentation { // per zone and order; spec 02 SP-41 and /sys/kernel/debug/extfrag
	uint32_t unusable_index;   // 0..1000: share of free memory that cannot serve this order
	int32_t fragmentation_index; // -1000: a block of the order exists
};
void yard_get_fragmentation(struct yard *yard, unsigned zone, unsigned order, struct yard_fragmentation *index);

// Checks every invariant of spec 01 section 13, spec 02 section 11, spec 03 section 3.15 and spec 04 (L-6, G-2, T-7)
// that a state shows. YARD_ECORRUPT writes one line (rule id, place, values) into `text`.
// Quiescent; time linear in memory.
int yard_verify(struct yard *yard, char *text, size_t size);

#ifdef __cplusplus
}
#endif
