// SPDX-License-Identifier: Apache-2.0
//
// The engine's data, and the functions that its files offer to each other. Read this first.
//
//   struct yard ── nodes (zonelists, kswapd's state)
//      │
//      ├─ zones[node * YARD_ZONE_TYPES + type]
//      │     free[order][migratetype]   lists of free blocks, linked through frames[]
//      │     pcp[cpu]                   per-CPU sets: lists of frames ready to be handed out
//      ├─ frames[pfn - start]           16 bytes: two links, one word (state, order, list type, flags), the owner's word
//      └─ pageblocks[]                  2 bytes: flag bits (M7) and zone
//
// Only the first frame of a block says what the block is; the words of all other frames are 0 (YARD_FRAME_NONE). So
// a frame that nothing covers and whose word is 0 is absent or reserved.
//
// Protection, as tagged below: c constant after yard_init(), z zone->lock, p pcp->lock, a atomic (relaxed: each such
// value stands alone, nothing else is published through it). A frame's word is written by whoever owns the block:
// the zone lock for BUDDY, the set's lock for PCP, the user for ALLOCATED and ISOLATED; it is atomic because merging
// looks at the words of neighbours that others own, and only a BUDDY word, which the zone lock protects, makes it act.

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pageyard/restore.h>
#include <pageyard/stat.h>
#include <pageyard/yard.h>

#include "engine/names.h"

#include "yard_platform.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define HOT	    inline __attribute__((always_inline)) // on the path of every allocation or free: no call
#define RARE	    __attribute__((noinline))		  // branched to from such a path: keeps its registers free

enum { CACHE_LINE = 64 };
enum { PAGES_PER_SECTION = 32768 };

#define PFN_NONE YARD_PFN_NONE

// ---- frames ----

enum frame_word {
	FRAME_STATE = 0xf,	    // enum yard_frame_state
	FRAME_ORDER_SHIFT = 4,	    // 4 bits
	FRAME_TYPE_SHIFT = 8,	    // 3 bits: type of the list that holds the block; of an allocated one see mm.h
};

struct yard_frame {
	uint32_t next, prev;	// neighbours on a list (pfn)
	_Atomic uint32_t word;
	uint32_t owner;		// for the embedder, read and written anywhere; the engine never looks
};
_Static_assert(sizeof(struct yard_frame) == 16, "16 bytes of metadata a frame");

struct list {
	uint32_t head, tail; // pfn or PFN_NONE
};

// ---- pageblocks ----

enum pageblock_bits { // M7
	PB_TYPE = 7,
	PB_COMPACT_SKIP = 1 << 3,
	PB_ISOLATE = 1 << 4,
};

enum { ZONE_MIXED = 255 }; // a pageblock that more than one zone or none has frames in

struct pageblock {
	_Atomic uint8_t bits; // z, read anywhere
	uint8_t zone;	      // c
};

// ---- per-CPU sets (section 8) ----

enum pcp_flags { PCP_PREV_FREE_HIGH_ORDER = 1, PCP_FREE_HIGH_BATCH = 2 };

struct pcp {
	yard_spinlock lock;
	uint8_t alloc_factor;  // p
	uint8_t flags;	       // p
	uint8_t expire;	       // p
	int16_t free_count;    // p
	_Atomic int32_t count; // p, read anywhere: pages
	int32_t high;	       // p
	int32_t high_min, high_max, batch; // p
	struct list lists[YARD_PCP_LISTS]; // p
	uint64_t pgalloc, pgfree;	   // p
	uint64_t numa_local_hit;	   // p: HIT and LOCAL at once, the common case
	_Atomic uint64_t numa[YARD_NUMA_STATS]; // a
	// What the zone's lock protects, on lines of its own.
	_Alignas(CACHE_LINE) int32_t diff[YARD_ZONE_STATS]; // z: not yet folded (V3)
	int32_t stat_threshold;				    // z
	uint64_t direct_pgalloc, direct_pgfree;		    // z
};

// ---- zones ----

enum wmark { WMARK_MIN, WMARK_LOW, WMARK_HIGH, WMARK_PROMO };

struct zone {
	// What every allocation reads.
	_Alignas(CACHE_LINE) _Atomic int64_t stat[YARD_ZONE_STATS]; // a (written under z): folded part, may be negative
	_Atomic uint32_t flags;			   // a: enum yard_zone_flag
	_Atomic uint32_t boost;			   // a (written under z)
	_Atomic uint32_t nr_free_highatomic;	   // a (written under z)
	_Alignas(CACHE_LINE) uint32_t wmark[YARD_NR_WMARKS]; // c but for W3
	uint32_t lowmem_reserve[YARD_ZONE_TYPES];	     // c but for W4
	struct pcp *pcp;			   // c
	uint32_t start_pfn, end_pfn;		   // c but for M19: span
	uint32_t present, cma_pages;		   // c but for M19
	_Atomic uint32_t managed;		   // a (written under z; grows in M18 to M20)
	uint8_t id, node, type;			   // c
	bool contiguous;			   // c
	_Alignas(CACHE_LINE) yard_spinlock lock;
	_Atomic uint32_t deferred;		   // a: stack of blocks that a NOLOCK free left (B14)
	uint32_t nr_reserved_highatomic;	   // z
	uint32_t nr_isolate_pageblock;		   // z
	uint32_t drift_mark;			   // z (V5)
	uint32_t boost_sampled;			   // kswapd's (W9)
	bool pcp_disabled;			   // P20
	uint32_t boot_start_pfn, boot_end_pfn;	   // c: span at boot: those of a node's zones do not overlap
	uint64_t deferred_pgfree;		   // z
	uint64_t numa_base[YARD_NUMA_STATS];	   // quiescent: counted before a restore, and before C1 was switched off
	int64_t unaccounted;			   // c: managed pages that a restored state does not tell of
	_Atomic uint32_t nr_free[YARD_NR_PAGE_ORDERS];	    // a (written under z)
	struct list free[YARD_NR_PAGE_ORDERS][YARD_MIGRATETYPES]; // z; heads read anywhere by W11
};

struct node {
	uint8_t fallback[YARD_NODES_MAX * 4 + 1]; // c: zone ids (Z1); ends with ZONE_MIXED
	uint8_t thisnode[5];			  // c
	uint16_t nr_cpus;			  // c but for P19: online ones
	bool has_memory;			  // c but for M19
	_Atomic bool has_kswapd;		  // the host runs one and hears the wake-ups
	_Atomic bool kswapd_awake;
	yard_spinlock deferred_lock;		  // outermost: taken with no other lock held
	_Atomic uint32_t first_deferred_pfn;	  // a (written under deferred_lock): M18; PFN_NONE: nothing is deferred
	uint64_t totalreserve;
};

struct node_mm;	     // mm.h: reclaim's and compaction's part of a node
struct zone_compact; // ... of a zone
struct lru_batches;
struct psi;
struct local_reclaim; // local_reclaim.h
struct yard_lockcheck;

enum { SHRINKERS_MAX = 16 };

struct shrinker {
	struct yard_shrinker *shrinker;
	_Atomic int64_t deferred[YARD_NODES_MAX]; // S-1
};

struct yard {
	struct yard_host host;
	uint32_t start_pfn, end_pfn; // c: frames[] covers them, whole pageblocks of the largest order
	uint32_t nr_zones, nr_nodes, nr_cpus, nr_memory, nr_offline, nr_reserved;
	uint32_t nr_online_cpus, cpus_coming; // P5: cpus_coming is 1 while one is brought online
	uint64_t cpu_online[YARD_CPUS_MAX / 64];
	struct yard_frame *frames; // c; frames[pfn - start_pfn]
	struct pageblock *pageblocks;
	struct zone *zones;
	struct node *nodes;
	struct pcp *pcps;
	struct node_mm *mm;	      // by node
	struct zone_compact *compact; // by zone
	struct lru_batches *batches;  // by CPU
	struct psi *psi;
	struct local_reclaim *local;
	_Atomic uint32_t nr_captures; // a: published capture records (CP-1)
	uint16_t *cpu_node;
	uint8_t *distance;
	struct yard_range *memory;   // RAM, ascending
	struct yard_range *offline;  // what may join it (M19), ascending
	struct yard_range *reserved; // boot reservations and CMA areas, by start
	uint32_t dma_end, dma32_end; // c: M2
	bool deferred_init;	     // boot is not over: some node has or had something left (M18)
	bool mobility_disabled; // M10
	bool no_dma32, thp, crash_kernel, exact_counters;
	bool has_why;
	int64_t user_min_free_kbytes;
	uint64_t min_free_kbytes;
	uint32_t watermark_scale_factor, watermark_boost_factor, percpu_pagelist_high_fraction;
	uint32_t lowmem_reserve_ratio[YARD_ZONE_TYPES];
	uint32_t pcp_cache_pages, node_reclaim_distance, dirty_ratio;
	uint64_t totalreserve;
	struct yard_policy policy;
	struct yard_owner_ops owner;
	yard_event_sink *sink;
	void *sink_context;
	yard_spinlock drain_lock; // P18; outside the sets' locks
	uint32_t gfp_forbidden;	  // G3: bits that the machine's state takes from every request
	_Atomic uint64_t vm_events[YARD_VM_EVENTS]; // a
	_Atomic int64_t nr_swap_pages;		    // a: free slots (W-1)
	uint64_t total_swap_pages;		    // quiescent
	uint64_t lru_gen_min_ttl_ns;		    // quiescent: spec 04 G-15
	uint32_t zone_reclaim_mode, min_unmapped_ratio, min_slab_ratio, swappiness, extfrag_threshold;
	_Atomic uint32_t compaction_proactiveness;
	_Atomic bool demotion_enabled;
	bool memory_tiering, compact_unevictable;
	uint32_t hz;
	_Atomic uint64_t random; // a: state of the generator (spec 04 A-10)
	uint8_t node_tier[YARD_NODES_MAX];
	uint8_t node_weight[YARD_NODES_MAX]; // spec 05 M9; 0: 1
	bool manual_weights;
	bool numa_stat_off; // quiescent: vm.numa_stat = 0 (C1)
	uint32_t node_bandwidth[YARD_NODES_MAX]; // what the automatic weights are computed from
	uint32_t node_load[YARD_NODES_MAX];	 // spec 05 T4: as the last build of the zonelists left it
	struct shrinker shrinkers[SHRINKERS_MAX];
	_Atomic uint32_t nr_shrinkers;
	yard_spinlock oom_lock;	 // SP-55: held while the owner looks for a victim
	_Atomic uint64_t warned_at, stalled_at; // SP-66, SP-67: when the last report was printed, + 1
	// OOM-9: whose memory the reaper takes, + 1; 0: nobody's. Stored last, with release, by the holder of oom_lock.
	_Atomic uint64_t oom_victim;
	uint64_t oom_reap_at; // the reaper's, as the next
	uint32_t oom_reap_tries;
	uint8_t panic_on_oom; // OOM-5
	bool oom_kill_allocating_task; // OOM-6
	_Atomic uint32_t zonelist_builds; // how often zonelists were built: the cookie of spec 02 2.1
	struct yard_lockcheck *lockcheck; // c: NULL: no checker (spec 02 section 6)
	size_t size; // bytes of the instance
};

// ---- allocation flags (section 2.3) ----

enum alloc_flags {
	ALLOC_WMARK_MIN = WMARK_MIN,
	ALLOC_WMARK_LOW = WMARK_LOW,
	ALLOC_WMARK_HIGH = WMARK_HIGH,
	ALLOC_WMARK_MASK = 0x3,
	ALLOC_NO_WATERMARKS = 0x4,
	ALLOC_OOM = 0x8,
	ALLOC_NON_BLOCK = 0x10,
	ALLOC_MIN_RESERVE = 0x20,
	ALLOC_CPUSET = 0x40,
	ALLOC_CMA = 0x80,
	ALLOC_NOFRAGMENT = 0x100,
	ALLOC_HIGHATOMIC = 0x200,
	ALLOC_NOLOCK = 0x400,
	ALLOC_KSWAPD = 0x800,
	ALLOC_RESERVES = ALLOC_NON_BLOCK | ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC | ALLOC_OOM,
};

// One request on its way through the zones.
struct alloc_context {
	const uint8_t *zonelist;
	const uint8_t *first;	// entry of the preferred zone (Z6), or the end of the list
	uint64_t nodemask;	// 0: all
	uint64_t cpuset;	// 0: cpusets not in use
	uint32_t gfp;
	uint8_t order, migratetype, highest_zone;
	uint16_t task;		// enum yard_task_flags, of the request and of the current task
	uint8_t node;		// preferred node (Z7)
	uint8_t cpu_node;
	uint32_t attempts;	// walks so far
	bool dirty_spread;	// A4: fast attempt of a WRITE request
	bool bulk;
	// results
	uint8_t path, zone;
	bool pfmemalloc;
	// for the slow path only
	const struct yard_request *request; // NULL: it has neither a task nor a limit
	struct yard_result *result;	    // NULL: nobody asks what it did
};

enum rmqueue_mode { RMQUEUE_NORMAL, RMQUEUE_CMA, RMQUEUE_STEAL }; // R6

enum fpi_flags { FPI_NONE, FPI_TO_TAIL = 1 };

// ---- small helpers ----

static inline struct yard_frame *frame_at(const struct yard *yard, uint32_t pfn)
{
	return &yard->frames[pfn - yard->start_pfn];
}

static inline uint32_t frame_word(const struct yard *yard, uint32_t pfn)
{
	return atomic_load_explicit(&frame_at(yard, pfn)->word, memory_order_relaxed);
}

static inline void frame_set_word(struct yard *yard, uint32_t pfn, uint32_t word)
{
	atomic_store_explicit(&frame_at(yard, pfn)->word, word, memory_order_relaxed);
}

static inline uint32_t make_word(enum yard_frame_state state, unsigned order, unsigned type)
{
	return (uint32_t)state | order << FRAME_ORDER_SHIFT | type << FRAME_TYPE_SHIFT;
}

static inline enum yard_frame_state word_state(uint32_t word)
{
	return (enum yard_frame_state)(word & FRAME_STATE);
}

static inline unsigned word_order(uint32_t word)
{
	return word >> FRAME_ORDER_SHIFT & 0xf;
}

static inline unsigned word_type(uint32_t word)
{
	return word >> FRAME_TYPE_SHIFT & 0x7;
}

static inline bool in_yard(const struct yard *yard, uint32_t pfn)
{
	return pfn >= yard->start_pfn && pfn < yard->end_pfn;
}

static inline struct pageblock *pageblock_of(const struct yard *yard, uint32_t pfn)
{
	return &yard->pageblocks[(pfn - yard->start_pfn) >> YARD_PAGEBLOCK_ORDER];
}

static inline unsigned pageblock_bits(const struct yard *yard, uint32_t pfn)
{
	return atomic_load_explicit(&pageblock_of(yard, pfn)->bits, memory_order_relaxed);
}

static inline unsigned bits_type(unsigned bits) // M8
{
	return bits & PB_ISOLATE ? YARD_ISOLATE : bits & PB_TYPE;
}

static inline unsigned pageblock_type(const struct yard *yard, uint32_t pfn)
{
	return bits_type(pageblock_bits(yard, pfn));
}

static inline struct zone *zone_at(const struct yard *yard, unsigned id)
{
	return &yard->zones[id];
}

static inline bool zone_populated(const struct zone *zone)
{
	return zone->present != 0;
}

static inline uint32_t zone_flags(const struct zone *zone)
{
	return atomic_load_explicit(&zone->flags, memory_order_relaxed);
}

static inline void zone_set_flag(struct zone *zone, uint32_t flag)
{
	atomic_fetch_or_explicit(&zone->flags, flag, memory_order_relaxed);
}

static inline void zone_clear_flag(struct zone *zone, uint32_t flag)
{
	atomic_fetch_and_explicit(&zone->flags, ~flag, memory_order_relaxed);
}

static inline uint64_t zone_wmark(const struct zone *zone, enum wmark mark) // W6
{
	return (uint64_t)zone->wmark[mark] + atomic_load_explicit(&zone->boost, memory_order_relaxed);
}

static inline struct pcp *zone_pcp(const struct zone *zone, unsigned cpu)
{
	return &zone->pcp[cpu];
}

static inline unsigned this_cpu(const struct yard *yard)
{
	return yard_host_cpu(&yard->host);
}

// V2: a negative folded value reads as 0.
static inline int64_t zone_stat(const struct zone *zone, enum yard_zone_stat item)
{
	int64_t value = atomic_load_explicit(&zone->stat[item], memory_order_relaxed);

	return value < 0 ? 0 : value;
}

static inline uint32_t zone_nr_free(const struct zone *zone, unsigned order)
{
	return atomic_load_explicit(&zone->nr_free[order], memory_order_relaxed);
}

static inline int32_t pcp_count(const struct pcp *pcp)
{
	return atomic_load_explicit(&pcp->count, memory_order_relaxed);
}

static inline void pcp_add_count(struct pcp *pcp, int32_t pages)
{
	atomic_store_explicit(&pcp->count, pcp_count(pcp) + pages, memory_order_relaxed);
}

static inline bool pcp_allowed_order(unsigned order) // P2
{
	return order <= YARD_COSTLY_ORDER || order == YARD_PAGEBLOCK_ORDER;
}

static inline unsigned pcp_index(unsigned migratetype, unsigned order) // P1
{
	if (order > YARD_COSTLY_ORDER)
		return migratetype == YARD_MOVABLE ? YARD_PCP_LISTS - 1 : YARD_PCP_LISTS - 2;
	return YARD_PCPTYPES * order + migratetype;
}

static inline unsigned pcp_index_order(unsigned index)
{
	return index < YARD_PCP_LISTS - 2 ? index / YARD_PCPTYPES : YARD_PAGEBLOCK_ORDER;
}

static inline unsigned pcp_index_type(unsigned index)
{
	return index < YARD_PCP_LISTS - 2 ? index % YARD_PCPTYPES
	     : index == YARD_PCP_LISTS - 1 ? (unsigned)YARD_MOVABLE : (unsigned)YARD_UNMOVABLE;
}

static inline bool mergeable_type(unsigned type) // M6: U, M, R
{
	return type < YARD_PCPTYPES;
}

static inline unsigned fls64(uint64_t x)
{
	return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

static inline uint64_t mult_frac(uint64_t x, uint64_t n, uint64_t d)
{
	return x / d * n + x % d * n / d;
}

static inline int64_t clamp64(int64_t value, int64_t low, int64_t high) // high is tested first
{
	return value >= high ? high : value <= low ? low : value;
}

static inline int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

// ---- events ----

void event_send(struct yard *yard, const struct yard_event *event);

// The arguments are evaluated only when somebody listens.
#define EMIT(yard, ...)                                                                  \
	do {                                                                             \
		if (unlikely((yard)->sink))                                              \
			event_send(yard, &(struct yard_event){ __VA_ARGS__ });           \
	} while (0)

// An event of YARD_TRACEPOINTS_TABLE: its fields in order.
#define TRACE(yard, name, ...)                                                                                       \
	do {                                                                                                          \
		if (unlikely((yard)->sink)) {                                                                         \
			const int64_t trace_args[] = { __VA_ARGS__ };                                                 \
			event_send(yard, &(struct yard_event){ .kind = YARD_EVENT_##name, .args = trace_args,         \
						  .nr_args = sizeof(trace_args) / sizeof(trace_args[0]) });       \
		}                                                                                                     \
	} while (0)

#define WHY(yard, ...)                                                                   \
	do {                                                                             \
		if (unlikely((yard)->has_why))                                           \
			event_send(yard, &(struct yard_event){ __VA_ARGS__ });           \
	} while (0)

// ---- setup.c ----
void release_chunk(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order);		    // M17
void release_range(struct yard *yard, struct zone *zone, uint32_t start, uint32_t end);		    // M16, in one zone
// The next part of [*pfn, limit) that nothing reserves: *pfn to *end. False: there is none.
bool next_unreserved(const struct yard *yard, uint32_t *pfn, uint32_t limit, uint32_t *end);

// ---- online.c ----
void setup_deferred(struct yard *yard); // M18: how far each node is released at boot
bool grow_zone(struct yard *yard, struct zone *zone); // A8a, A10; no lock held. True: it grew, or another CPU grew it
bool frame_deferred(const struct yard *yard, uint32_t pfn); // not released yet; the frame is RAM

// ---- counters.c ----
// zone->lock held. `cpu` is the one whose differences are used (V3).
void zone_mod_stat(struct yard *yard, struct zone *zone, enum yard_zone_stat item, int64_t delta);
void account_free_pages(struct yard *yard, struct zone *zone, int64_t pages, unsigned type); // B8
void refresh_stat_thresholds(struct yard *yard);
bool fold_zone_diffs(struct zone *zone, unsigned cpu); // zone->lock held; true if anything was not 0
// With all CPUs' differences (W13 below the drift mark). zone->lock free.
int64_t zone_stat_snapshot(struct yard *yard, struct zone *zone, enum yard_zone_stat item);
// NUMA_HIT ... for a block given from `zone` (V1); pcp.c has a counter of its own for the common case.
void count_numa_event(struct yard *yard, const struct alloc_context *ctx, struct zone *zone);
void count_interleave_hit(struct yard *yard, struct zone *zone); // spec 05 C4
static inline uint64_t numa_count(const struct pcp *pcp, unsigned item)
{
	bool common = item == YARD_NUMA_HIT || item == YARD_NUMA_LOCAL;

	return atomic_load_explicit(&pcp->numa[item], memory_order_relaxed) + (common ? pcp->numa_local_hit : 0);
}

// ---- buddy.c: zone->lock held ----
void free_one(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned type, enum fpi_flags fpi);
void free_pieces(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, enum fpi_flags fpi); // B5
uint32_t take_smallest(struct yard *yard, struct zone *zone, unsigned order, unsigned type);		    // R4
void expand(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned high, unsigned low, unsigned type); // R5
void put_free_block(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned type);
void del_free_block(struct yard *yard, struct zone *zone, uint32_t pfn);
void move_free_block(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned to);
uint32_t free_block_holding(const struct yard *yard, uint32_t pfn, unsigned *order); // PFN_NONE: not free

// Takes the free block at pfn off its list for compaction (C11, C5.5): ISOLATED; false: the watermark refuses.
bool isolate_free_block(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order);

// ---- pageblock.c: zone->lock held ----
void set_pageblock_type(struct yard *yard, uint32_t pfn, unsigned type); // M9
void set_pageblock_isolate(struct yard *yard, uint32_t pfn, bool isolate);
bool pageblock_in_zone(const struct yard *yard, const struct zone *zone, uint32_t pfn); // R11.2
struct zone *zone_of(const struct yard *yard, uint32_t pfn);   // NULL: none
static inline struct zone *zone_of_block(const struct yard *yard, uint32_t pfn) // of a frame that is in a zone
{
	unsigned id = pageblock_of(yard, pfn)->zone;

	return likely(id != ZONE_MIXED) ? zone_at(yard, id) : zone_of(yard, pfn);
}
// Moves the pageblock's free blocks to the tails of another type's lists.
void move_pageblock_free(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned to);
void count_pageblock(const struct yard *yard, uint32_t pfn, uint32_t *free, uint32_t *movable); // R11.3

// ---- fallback.c: zone->lock held ----
uint32_t rmqueue_buddy_one(struct yard *yard, struct zone *zone, unsigned order, unsigned type, unsigned flags,
			   enum rmqueue_mode *mode, enum yard_path *path); // R6

bool could_claim(const struct yard *yard, const struct zone *zone, unsigned order, unsigned type); // R8; no lock held

// ---- pcp.c, pcp_limits.c, pcp_drain.c ----
void pcp_update_zone(struct yard *yard, struct zone *zone); // P5
uint32_t pcp_alloc(struct yard *yard, struct zone *zone, struct alloc_context *ctx, unsigned flags); // P6
enum pcp_free_kind { PCP_FREE_NORMAL, PCP_FREE_NOLOCK, PCP_FREE_BATCHED };
bool pcp_free(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned list_type,
	      enum pcp_free_kind kind);
bool pcp_decay(struct yard *yard, struct zone *zone, unsigned cpu);
void pcp_resume_drain(struct yard *yard, unsigned zone, unsigned index, int32_t to_free);
// P14, from list `start` on. The set's lock is held. Returns how many pages left.
int32_t pcp_drain(struct yard *yard, struct zone *zone, struct pcp *pcp, int32_t count, unsigned start);
void pcp_drain_portions(struct yard *yard, struct zone *zone, unsigned cpu, int32_t to_drain);
void pcp_drain_set(struct yard *yard, struct zone *zone, unsigned cpu);

// ---- watermark.c ----
bool watermark_ok(struct yard *yard, const struct zone *zone, unsigned order, uint64_t mark, unsigned highest_zone,
		  unsigned flags, int64_t free); // W11
bool watermark_fast(struct yard *yard, const struct zone *zone, unsigned order, uint64_t mark, unsigned highest_zone,
		    unsigned flags); // W12
void boost_watermark(struct yard *yard, struct zone *zone, unsigned flags); // W7, W8
bool node_balanced(struct yard *yard, unsigned node, unsigned order, unsigned highest_zone); // W13
void setup_watermarks(struct yard *yard); // W1-W5
void setup_per_zone_wmarks(struct yard *yard);

// ---- zonelist.c ----
// count_cpus: spec 05 T5: nodes with CPUs come later than those without at the same distance.
void build_zonelists(struct yard *yard, bool count_cpus);
// T4: the memory node, not one of `used`, that node `local` turns to next. nr_nodes: none is left.
unsigned next_best_node(const struct yard *yard, unsigned local, uint64_t used, bool count_cpus);
void update_mobility(struct yard *yard); // M10

// ---- kswapd_wake.c ----
void wakeup_kswapd(struct yard *yard, struct zone *zone, uint32_t gfp, unsigned order, unsigned highest_zone); // A14

// ---- walk.c ----
uint32_t walk_zonelist(struct yard *yard, struct alloc_context *ctx, unsigned flags); // A2
static inline bool zone_eligible(const struct zone *zone, unsigned highest_zone, uint64_t nodemask) // Z5
{
	return zone->type <= highest_zone && (!nodemask || nodemask >> zone->node & 1);
}

static inline const uint8_t *zonelist_first(const struct yard *yard, const uint8_t *list, unsigned highest_zone,
					    uint64_t nodemask) // Z6
{
	while (*list != ZONE_MIXED && !zone_eligible(zone_at(yard, *list), highest_zone, nodemask))
		list++;
	return list;
}

static inline bool zone_cpuset_allowed(const struct alloc_context *ctx, const struct zone *zone, unsigned flags) // A3, Z9
{
	if (!(flags & ALLOC_CPUSET) || !ctx->cpuset || ctx->cpuset >> zone->node & 1)
		return true;
	return ctx->task & (YARD_TASK_INTERRUPT | YARD_TASK_OOM_VICTIM) || !(ctx->gfp & YARD_GFP_HARDWALL);
}

// ---- alloc.c ----
int gfp_highest_zone(uint32_t gfp); // G2; -1: DMA, DMA32 and HIGHMEM exclude each other
// yard_alloc_bulk() of order-0 pages from a request's nodes.
size_t alloc_bulk(struct yard *yard, const struct yard_request *request, size_t nr, uint32_t *pfns);
static inline void add_work(struct yard_result *result, const struct yard_result *earlier) // of an earlier attempt
{
	result->attempts += earlier->attempts;
	result->rounds += earlier->rounds;
	result->reclaimed += earlier->reclaimed;
	result->migrated += earlier->migrated;
}

// ---- slowpath.c ----
uint64_t node_managed_pages(const struct yard *yard, unsigned node); // in all its zones; watermark.c
void free_plain(struct yard *yard, uint32_t pfn, unsigned order); // an allocated plain block, as yard_free() does
uint32_t alloc_slowpath(struct yard *yard, struct alloc_context *ctx, enum yard_request_part part);
uint32_t gfp_nonblock_flags(uint32_t gfp, unsigned order); // G5
static inline uint32_t gfp_cma_flags(const struct alloc_context *ctx) // G6
{
	return ctx->migratetype == YARD_MOVABLE ? ALLOC_CMA : 0;
}

// ---- highatomic.c ----
void reserve_highatomic(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order); // H1

// ---- free.c ----
// B11; zone->lock free. The block is ALLOCATED or off every list already.
void free_direct(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, enum fpi_flags fpi);
void free_prepared(struct yard *yard, uint32_t pfn, unsigned order); // B12 after prepare
int check_allocated(const struct yard *yard, uint32_t pfn, unsigned order);

#define YARD_ASSERT(condition, value)                                   \
	do {                                                            \
		if (unlikely(!(condition)))                             \
			yard_panic(#condition, (uint64_t)(value));      \
	} while (0)
