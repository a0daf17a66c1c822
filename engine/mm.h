// SPDX-License-Identifier: Apache-2.0
//
// Reclaim's and compaction's data, and the functions that their files offer to each other. Read internal.h first.
//
// A page that the engine may age, move or reclaim is an allocated block (the order in its word may be above 0: a large
// folio). Bits 8 to 31 of its word, which hold the list's type while it is free, then hold:
//
//   place (8-10)   where it is: plain, LRU, isolated... (below)
//   the rest       spec 04 A-2: list selection, references, mapping class, I/O state, generation
//
// Protection: node->lru_lock covers the lists, their sizes, and every change of place from or to PLACE_LRU and
// PLACE_UNEVICTABLE. Other bits change by compare-and-swap (frame_change()). A page in PLACE_ISOLATED belongs to the one who
// isolated it; its links may be used for a private list. lru_lock is innermost: no other lock is taken under it.

#pragma once

#include <pageyard/local_reclaim.h>
#include <pageyard/lru.h>
#include <pageyard/owner.h>
#include <pageyard/stat.h>
#include <pageyard/task.h>
#include <pageyard/worker.h>

#include "engine/list.h"

enum { CLUSTER_MAX = 32 };	     // SWAP_CLUSTER_MAX, COMPACT_CLUSTER_MAX
enum { MAX_RECLAIM_RETRIES = 16, MAX_COMPACT_RETRIES = 16, DEF_PRIORITY = 12 };
enum { NSEC_PER_MSEC = 1000000 };

// ---- the words of allocated pages ----

enum page_place {
	PLACE_PLAIN,	     // the owner's business alone, or waiting in an lru_add batch
	PLACE_LRU,	     // on a list of its node
	PLACE_UNEVICTABLE,   // counted as unevictable, on no list (L-1)
	PLACE_ISOLATED,	     // taken off the LRU by reclaim or compaction
	PLACE_MOVABLE_OPS,   // M11: not on the LRU, but its owner can move it
	PLACE_MOVABLE_TAKEN, // ... isolated by compaction
	PLACE_GONE_ISOLATED, // freed by its owner while isolated: the isolator frees it
	PLACE_GONE,	     // freed by its owner while in a batch: the batch frees it
};

enum page_bits {
	PLACE_SHIFT = 8,
	PLACE_MASK = 7 << PLACE_SHIFT,
	PG_BATCH = 1 << 11, // in one of the per-CPU batches, which counts as a reference (L-10)
	PG_ACTIVE = 1 << 12,
	PG_MLOCKED = 1 << 13, // not evictable (L-4)
	PG_SWAPBACKED = 1 << 14,
	PG_ANON = 1 << 15,
	PG_SWAPCACHE = 1 << 16,
	PG_REFERENCED = 1 << 17,
	PG_WORKINGSET = 1 << 18,
	PG_YOUNG_SHIFT = 19, // 2 bits: mappings with the accessed bit, saturating at 2
	PG_YOUNG = 3 << PG_YOUNG_SHIFT,
	PG_MAPPING_SHIFT = 21, // 2 bits: enum yard_mapping
	PG_MAPPING = 3 << PG_MAPPING_SHIFT,
	PG_DIRTY = 1 << 23,
	PG_WRITEBACK = 1 << 24,
	PG_RECLAIM = 1 << 25,
	PG_PINNED = 1 << 26,
	PG_DROPBEHIND = 1 << 27,
	PG_GEN_SHIFT = 28, // 2 bits: generation modulo 4, of a page on a list of the multi-gen LRU (G-2)
	PG_GEN = 3 << PG_GEN_SHIFT,
	PG_REFS_SHIFT = 30, // 2 bits: G-3
};
#define PG_REFS (3u << PG_REFS_SHIFT)
#define PG_ALL	(~0u << PLACE_SHIFT) // all that an allocated word holds beside state and order

static inline enum page_place word_place(uint32_t word)
{
	return (enum page_place)(word >> PLACE_SHIFT & 7);
}

static inline uint32_t place_bits(enum page_place place)
{
	return (uint32_t)place << PLACE_SHIFT;
}

static inline bool word_on_lru(uint32_t word) // PageLRU: on a list or counted unevictable
{
	return word_state(word) == YARD_FRAME_ALLOCATED
	       && (word_place(word) == PLACE_LRU || word_place(word) == PLACE_UNEVICTABLE);
}

static inline bool word_movable(uint32_t word) // M11, R11.3: on the LRU, or its owner can move it
{
	return word_on_lru(word)
	       || (word_state(word) == YARD_FRAME_ALLOCATED && word_place(word) == PLACE_MOVABLE_OPS);
}

static inline bool word_is_file(uint32_t word) // L-3: not swap-backed
{
	return !(word & PG_SWAPBACKED);
}

static inline bool word_has_mapping(uint32_t word) // page cache, shmem or swap cache
{
	return !(word & PG_ANON) || word & PG_SWAPCACHE;
}

static inline enum yard_mapping word_mapping(uint32_t word)
{
	return (enum yard_mapping)((word & PG_MAPPING) >> PG_MAPPING_SHIFT);
}

// By a batch, reclaim or compaction: it cannot become part of a larger chunk now.
static inline bool frame_held(const struct yard *yard, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);

	return word & PG_BATCH || (word_place(word) != PLACE_PLAIN && !word_movable(word));
}

// Clears and sets bits of a word that others change too. Returns the word before. Flags that counters tell of: lru_change().
static inline uint32_t frame_change(struct yard *yard, uint32_t pfn, uint32_t clear, uint32_t set)
{
	uint32_t old = frame_word(yard, pfn);

	while (!atomic_compare_exchange_weak_explicit(&frame_at(yard, pfn)->word, &old, (old & ~clear) | set,
						      memory_order_relaxed, memory_order_relaxed))
		;
	return old;
}

static inline unsigned page_list(uint32_t word) // L-6; not for multi-gen
{
	return (word_is_file(word) ? YARD_LRU_INACTIVE_FILE : YARD_LRU_INACTIVE_ANON) + !!(word & PG_ACTIVE);
}

// ---- requests for compaction (C1.1) ----

enum compact_priority { COMPACT_SYNC_FULL, COMPACT_SYNC_LIGHT, COMPACT_ASYNC }; // C1.3
enum compact_result { // C6.4
	COMPACT_NOT_SUITABLE_ZONE,
	COMPACT_SKIPPED,
	COMPACT_DEFERRED,
	COMPACT_NO_SUITABLE_PAGE,
	COMPACT_CONTINUE,
	COMPACT_COMPLETE,
	COMPACT_PARTIAL_SKIPPED,
	COMPACT_CONTENDED,
	COMPACT_SUCCESS,
};

struct compact_control {
	struct list free_store[YARD_NR_PAGE_ORDERS]; // isolated free chunks by order (C5.9)
	struct list migrate; // isolated pages, head first
	uint64_t nr_freepages, nr_migratepages;
	uint64_t free_pfn, migrate_pfn, fast_start_pfn; // 64 bits: positions may pass the yard's end
	uint64_t total_migrate_scanned, total_free_scanned;
	uint64_t last_migrated;
	uint64_t unmarked; // block of the last scan if that took pages of movable operations only: C3.9 does not mark it; else PFN_NONE
	struct zone *zone;
	int order; // -1: proactive, manual, alloc_contig
	int search_order;
	unsigned fast_search_fail;
	enum yard_migrate_mode mode;
	uint32_t gfp;
	unsigned alloc_flags;
	unsigned migratetype, highest_zone;
	bool direct_compaction, whole_zone, ignore_skip_hint, ignore_block_suitable, no_set_skip_hint;
	bool proactive_compaction, alloc_contig, contended, finish_pageblock, fast_start_used;
	bool link_positions; // C3.5
	struct yard_request_capture *capture; // direct: the call's record
};

// CP-1: one per direct compaction, on the stack of the allocation; published through the current task.
struct yard_request_capture {
	const struct yard *yard;
	uint32_t pfn;	 // PFN_NONE: nothing captured
	uint8_t zone;	 // ZONE_MIXED: none, not compacting now
	uint8_t order, migratetype;
};

// ---- LRU of a node ----

enum { ANON, FILE_LRU, LRU_TYPES }; // the two kinds

enum batch_kind { // L-10, in the order of a drain (L-12)
	BATCH_ADD,
	BATCH_MOVE_TAIL,
	BATCH_DEACTIVATE_FILE,
	BATCH_DEACTIVATE,
	BATCH_LAZYFREE,
	BATCH_ACTIVATE,
	BATCH_MLOCK,
	BATCH_KINDS
};

enum { BATCH_SIZE = 31 };

struct lru_batches { // of one CPU
	_Alignas(CACHE_LINE) yard_spinlock lock;
	uint8_t nr[BATCH_KINDS];
	uint32_t pfn[BATCH_KINDS][BATCH_SIZE];
};

enum { NR_GENS = 4, NR_TIERS = 4 };

struct gen_walk { // G-6: how far the walk for the generation after `seq` has come
	uint64_t seq;
	uint32_t zone, offset; // the next frame: type of its zone, number in it
	uint32_t walkers;      // that are looking at frames before
};

struct lru_gen { // G-2
	struct list lists[NR_GENS][LRU_TYPES][YARD_ZONE_TYPES];
	uint64_t size[NR_GENS][LRU_TYPES][YARD_ZONE_TYPES];
	uint64_t max_seq, min_seq[LRU_TYPES];
	uint64_t birth_ns[NR_GENS];
	uint64_t refaulted[LRU_TYPES][NR_TIERS], evicted[LRU_TYPES][NR_TIERS], protected[LRU_TYPES][NR_TIERS];
	uint64_t avg_refaulted[LRU_TYPES][NR_TIERS], avg_total[LRU_TYPES][NR_TIERS];
	bool aliased[LRU_TYPES]; // G-7: a list became younger than its pages' numbers may tell
	struct gen_walk walk;
};

struct lruvec { // all under node->lru_lock
	struct list lists[4]; // YARD_LRU_INACTIVE_ANON ... YARD_LRU_ACTIVE_FILE
	uint64_t size[YARD_LRU_LISTS][YARD_ZONE_TYPES]; // pages by zone type (L-2)
	uint64_t nonresident_age;			// L-18
	uint64_t cost[LRU_TYPES], last_rotated[LRU_TYPES], last_io[LRU_TYPES]; // C-2.1
	uint64_t refaults[LRU_TYPES]; // C-2.2: workingset_activate when reclaim last ended
	struct lru_gen gen;
};

enum node_flags { NODE_WRITEBACK = 1, NODE_CONGESTED = 2, NODE_RECLAIM_LOCKED = 4 };

struct throttle_queue {
	_Atomic uint32_t sleepers;
	_Atomic uint64_t written_at; // WRITEBACK: NR_THROTTLED_WRITTEN when the first one slept
};

struct kswapd { // K-1, K-5: the first three are anybody's, the rest the step function's
	_Atomic uint32_t order;		// recorded by wake-ups (K-2)
	_Atomic uint32_t highest_zone;	// ... YARD_ZONE_TYPES: none
	_Atomic uint32_t failures;	// 16 and more: hopeless
	uint8_t state, alloc_order, reclaim_order, highest, priority, sc_order;
	bool waiting, boosted, finished, locked, no_cache_trim, cache_trim_failed;
	bool throttled; // reclaim_throttle() wants it to sleep on WRITEBACK (C-10.4): the step returns that wait
	uint64_t boost, reclaimed;
	uint64_t wait_start, wait_end; // of the wait that the step returned
	struct yard_task task;
};

struct kcompactd { // K1, K2
	_Atomic uint32_t max_order, highest_zone;
	_Atomic bool asleep, proactive_trigger;
	uint8_t state, zone; // the step function's, with the rest
	uint64_t timeout_ns, sleep_until, score;
	struct compact_control cc; // of the run
	struct yard_task task;
};

struct node_mm { // reclaim's and compaction's part of a node; yard->mm[node]
	_Alignas(CACHE_LINE) yard_spinlock lru_lock;
	bool lru_gen; // lru_lock: which of the two keeps the node's pages (G-1)
	struct lruvec lruvec;
	_Atomic int64_t stat[YARD_NODE_STATS];
	_Atomic uint32_t flags; // enum node_flags
	struct throttle_queue throttle[4]; // by the first four kinds of enum yard_queue_kind
	struct kswapd kswapd;
	struct kcompactd kcompactd;
};

enum { DEFER_SHIFT_MAX = 6 }; // COMPACT_MAX_DEFER_SHIFT

struct zone_compact { // 3.0; yard->compact[zone]
	uint32_t cached_migrate[2], cached_free, init_migrate, init_free; // relaxed: hints
	uint32_t considered, defer_shift, order_failed;
	bool blockskip_flush;
};

// ---- requests for reclaim: scan control (C-1) ----

enum reclaim_role { ROLE_KSWAPD, ROLE_DIRECT, ROLE_KHUGEPAGED, ROLE_PROACTIVE }; // 0.7

struct scan_stat { // nr.* of C-1, by shrink_folio_list()
	uint64_t dirty, unqueued_dirty, congested, writeback, immediate, activate[LRU_TYPES], ref_keep, unmap_fail;
	uint64_t taken, pageout, demoted;
};

struct scan_control {
	uint64_t nr_to_reclaim, nr_reclaimed, nr_scanned;
	uint8_t order, highest_zone; // highest_zone: reclaim_idx
	int8_t priority;
	enum reclaim_role role;
	uint32_t gfp;
	uint64_t nodemask;
	bool may_writepage, may_unmap, may_swap;
	bool may_deactivate[LRU_TYPES], force_deactivate, skipped_deactivate;
	bool cache_trim_mode, no_cache_trim_mode, cache_trim_mode_failed, file_is_tiny;
	bool compaction_ready, no_demotion, full_walk;
	bool of_group; // cgroup reclaim: of a target's pages, not global
	int16_t swappiness; // -1: the yard's; 201: anon only
	uint8_t local_owner; // of local-reclaim, for whom it is: noted in shadows; 0: none
	uint64_t cost[LRU_TYPES];
	struct scan_stat nr; // sums over the node pass
};

// ---- stat.c ----
static inline void mod_node_stat(struct yard *yard, unsigned node, enum yard_node_stat item, int64_t delta);
static inline int64_t node_stat(const struct yard *yard, unsigned node, enum yard_node_stat item);

static inline void mod_node_stat(struct yard *yard, unsigned node, enum yard_node_stat item, int64_t delta)
{
	atomic_fetch_add_explicit(&yard->mm[node].stat[item], delta, memory_order_relaxed);
}

static inline int64_t node_stat(const struct yard *yard, unsigned node, enum yard_node_stat item)
{
	int64_t value = atomic_load_explicit(&yard->mm[node].stat[item], memory_order_relaxed);

	return value < 0 ? 0 : value;
}

static inline void count_vm_event(struct yard *yard, enum yard_vm_event event, uint64_t nr)
{
	atomic_fetch_add_explicit(&yard->vm_events[event], nr, memory_order_relaxed);
}

static inline uint64_t vm_event(const struct yard *yard, enum yard_vm_event event)
{
	return atomic_load_explicit(&yard->vm_events[event], memory_order_relaxed);
}

// Which LRU is in use. During a switch a node may be with the other one yet: its lists go by node_mm.lru_gen.
static inline bool lru_gen_on(const struct yard *yard)
{
	return __atomic_load_n(&yard->policy.lru_gen, __ATOMIC_RELAXED);
}

static inline unsigned node_of(const struct yard *yard, uint32_t pfn)
{
	return zone_of_block(yard, pfn)->node;
}

static inline struct node_mm *mm_of(struct yard *yard, uint32_t pfn)
{
	return &yard->mm[node_of(yard, pfn)];
}

// ---- task.c ----
static inline struct yard_task *current_task(const struct yard *yard)
{
	return *yard_host_current(&((struct yard *)(uintptr_t)yard)->host);
}

static inline unsigned task_flags(const struct yard *yard) // of the current task; 0: there is none
{
	struct yard_task *task = current_task(yard);

	return task ? atomic_load_explicit(&task->flags, memory_order_relaxed) : 0;
}

// Reclaim and compaction run with PF_MEMALLOC: returns what memalloc_leave() needs.
unsigned memalloc_enter(struct yard *yard);
void memalloc_leave(struct yard *yard, unsigned before);
struct reclaimer { // who reclaims outside of an allocation: the current task or, without one, somebody made for it
	struct yard_task nobody;
	unsigned memalloc;
	bool without_task, locked;
};
// *reclaimer stays where it is until reclaimer_leave(). With a site it holds R meanwhile (lockcheck.c).
void reclaimer_enter(struct yard *yard, struct reclaimer *reclaimer, uint32_t gfp, const char *site);
void reclaimer_leave(struct yard *yard, const struct reclaimer *reclaimer);
void delay_begin(struct yard *yard, enum yard_delay_kind kind); // DA-1, the current task's
void delay_end(struct yard *yard, enum yard_delay_kind kind);

// ---- capture.c ----
void capture_publish(struct yard *yard, struct yard_request_capture *record, unsigned order, unsigned migratetype);
void capture_withdraw(struct yard *yard, struct yard_request_capture *record);
bool captured(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned type);

// ---- psi.c ----
size_t psi_size(unsigned nr_cpus);
void setup_psi(struct yard *yard);
void memstall_enter(struct yard *yard); // PSI-3: the current task stalls on memory; nests
void memstall_leave(struct yard *yard);

// ---- lockcheck.c (spec 02 section 6); no-ops while no checker is attached ----
void lockcheck_alloc(struct yard *yard, uint32_t gfp);	       // RC-2: every allocation entry
bool lockcheck_reclaim_enter(struct yard *yard, uint32_t gfp, const char *site); // holds R; true: call _leave()
void lockcheck_reclaim_leave(struct yard *yard);

// ---- lru.c, lru_batch.c, workingset.c ----
void setup_lru(struct yard *yard);
// lru_lock held. Puts a page that is on no list (PLACE_PLAIN or PLACE_ISOLATED) where its flags say, head or tail. False: its
// owner has freed it meanwhile; lru_discard() it when lru_lock is free again.
bool lru_link(struct yard *yard, uint32_t pfn, bool tail);
void lru_unlink(struct yard *yard, uint32_t pfn); // lru_lock held; leaves PLACE_ISOLATED; not counted in NR_ISOLATED
void lru_remove(struct yard *yard, uint32_t pfn); // ... leaves PLACE_PLAIN; lru_lock not held
// lru_lock held. A page on the LRU changes its position and keeps its place in between: its owner waits for the lock. Bits
// that select the list (ACTIVE, SWAPBACKED, MLOCKED) change only between the two.
void lru_list_del(struct yard *yard, uint32_t pfn);
void lru_list_add(struct yard *yard, uint32_t pfn, bool tail);
// frame_change() that keeps the node's counters (nr_dirty, nr_writeback, nr_swapcached...) right: everybody who changes
// ANON, SWAPBACKED, SWAPCACHE, MAPPING, DIRTY or WRITEBACK does it through this. Returns the word before.
uint32_t lru_change(struct yard *yard, uint32_t pfn, uint32_t clear, uint32_t set);
// Takes a page off the LRU for compaction: PLACE_ISOLATED, counted in NR_ISOLATED. False: it was not on the LRU any more.
bool lru_isolate(struct yard *yard, uint32_t pfn);
// Lets go of an isolated page; lru_lock not held. M6: NR_ISOLATED falls, and it goes through this CPU's batch to its list's
// head. `direct` (C-7r): at once, the nonresident age grows if the list is active (L-18), and the caller accounts for
// NR_ISOLATED. Frees it if its owner has freed it meanwhile.
void lru_putback(struct yard *yard, uint32_t pfn, bool direct);
// An isolated page is gone for good (moved away from, or freed meanwhile by its owner): frees the frame without looking at
// the lists. The caller accounts for NR_ISOLATED.
void lru_discard(struct yard *yard, uint32_t pfn);
// The same, but the caller frees the frame (C-11), which is plain now, with yard_free_batch() or free_plain(). False: it
// waits in a batch (L-12), which will free it.
bool lru_release(struct yard *yard, uint32_t pfn);
bool lru_gone(const struct yard *yard, uint32_t pfn); // its owner freed an isolated page
// L-11. A page that is in a batch already is not queued a second time: the operation is done at once. Nothing happens to
// one that is not on the LRU.
void lru_batch_add(struct yard *yard, uint32_t pfn, enum batch_kind kind);
void lru_drain_cpu(struct yard *yard, unsigned cpu);
void lru_drain_all(struct yard *yard);
// yard_free() of a page that has a place or waits in a batch. LATER: whoever holds it frees it. TWICE: it is free already,
// or is being freed.
enum free_when { FREE_NOW, FREE_LATER, FREE_TWICE };
enum free_when lru_prepare_free(struct yard *yard, uint32_t pfn);
// Makes it a plain page, out of everybody else's reach. False: somebody holds it. Nothing else has changed then.
bool lru_make_plain(struct yard *yard, uint32_t pfn);
void lru_activate(struct yard *yard, uint32_t pfn); // queues for L-15; lru_lock not held
void workingset_age(struct yard *yard, unsigned node, uint64_t pages); // L-18, lru_lock held
uint64_t workingset_eviction(struct yard *yard, uint32_t pfn); // L-19: the shadow; lru_lock not held
void lru_note_cost(struct yard *yard, unsigned node, unsigned type, uint64_t cost); // V-3; lru_lock held
uint64_t lruvec_size(const struct yard *yard, unsigned node, enum yard_lru_list list, unsigned highest_zone); // L-2
int verify_lru(struct yard *yard, char *text, size_t size); // spec 04 L-6, A-12

// ---- shrink_list.c ----
// C-7 over the isolated pages of *list, oldest first. What was freed is counted in the result (pages); survivors stay on
// *list in order. ignore_references: P-5, P-6.
uint64_t shrink_folio_list(struct yard *yard, unsigned node, struct scan_control *sc, struct list *list,
			   struct scan_stat *stat, bool ignore_references);
enum page_reference { REFERENCE_RECLAIM, REFERENCE_KEEP, REFERENCE_ACTIVATE }; // C-7a
enum page_reference check_references(struct yard *yard, uint32_t pfn);
int page_references(struct yard *yard, uint32_t pfn); // mappings in which it was accessed, which is cleared; -1: cannot be told

enum { FREE_BATCH = 31 };
struct free_batch { // C-11: isolated pages that are free
	struct yard_block blocks[FREE_BATCH];
	unsigned nr;
	bool unmapped; // some page was unmapped since the last flush of the TLB
};
void free_batch_add(struct yard *yard, struct free_batch *batch, uint32_t pfn);
void free_batch_flush(struct yard *yard, struct free_batch *batch);

// ---- shrink_lru.c: C-5, C-6, C-8 ----
uint64_t shrink_inactive(struct yard *yard, unsigned node, struct scan_control *sc, uint64_t nr, enum yard_lru_list list);
void shrink_active(struct yard *yard, unsigned node, struct scan_control *sc, uint64_t nr, enum yard_lru_list list);
// C-7r; the caller accounts for NR_ISOLATED. Pages that are back.
uint64_t putback_pages(struct yard *yard, struct list *list);
// Counters by role and by type.
void account_scanned(struct yard *yard, unsigned node, const struct scan_control *sc, unsigned type, uint64_t pages);
void account_stolen(struct yard *yard, unsigned node, const struct scan_control *sc, unsigned type, uint64_t pages);
void trace_shrink_inactive(struct yard *yard, unsigned node, const struct scan_control *sc, unsigned type,
			   const struct scan_stat *stat, uint64_t scanned, uint64_t reclaimed);
int64_t reclaim_flags(unsigned type); // T-2

// ---- scan_balance.c: C-2, C-4, C-9 ----
enum { SWAPPINESS_ANON_ONLY = 201 };
int swappiness_of(const struct yard *yard, const struct scan_control *sc);
bool can_reclaim_anon(const struct yard *yard, unsigned node, const struct scan_control *sc); // C-4g; sc may be NULL
uint64_t zone_reclaimable_pages(const struct yard *yard, const struct zone *zone); // C-12
uint64_t inactive_ratio(uint64_t pages);
bool inactive_is_low(const struct yard *yard, unsigned node, unsigned type); // C-9
void prepare_scan(struct yard *yard, unsigned node, struct scan_control *sc); // C-2
void snapshot_refaults(struct yard *yard, unsigned node); // D-5, K-8
uint64_t scan_weights(const uint64_t cost[LRU_TYPES], unsigned swappiness, uint64_t weight[LRU_TYPES]); // FRACT; their sum
void scan_targets(const struct yard *yard, unsigned node, const struct scan_control *sc,
		  uint64_t nr[YARD_LRU_UNEVICTABLE]); // C-4; after prepare_scan()
// C-3.2d: the goal is reached with `nr` of `target` left. False: one side has nothing left, leave the loop.
bool stop_smaller_side(uint64_t nr[YARD_LRU_UNEVICTABLE], const uint64_t target[YARD_LRU_UNEVICTABLE]);

// ---- shrink_node.c: C-3, C-10, C-13 ----
void shrink_node(struct yard *yard, unsigned node, struct scan_control *sc);

// ---- shrinker.c ----
uint64_t node_shrink_slab(struct yard *yard, unsigned node, struct scan_control *sc); // S-2; pages freed
// S-3 of one shrinker. Objects freed; *pages grows by the pages freed.
int64_t do_shrink(struct yard *yard, unsigned index, unsigned node, uint32_t gfp, int priority, uint64_t *pages);

// ---- throttle.c ----
// C-12. kswapd (YARD_TASK_KSWAPD, current) does not sleep in it: it counts as a sleeper from here on, kswapd.throttled is set,
// and when its step's wait is over it calls reclaim_throttle_end(), which does what follows the sleep.
void reclaim_throttle(struct yard *yard, unsigned node, enum yard_queue_kind reason);
void reclaim_throttle_end(struct yard *yard, unsigned node, enum yard_queue_kind reason, uint64_t timeout_ns,
			  uint64_t slept_ns);
void wake_throttled(struct yard *yard, unsigned node, enum yard_queue_kind reason);
void account_writeback_end(struct yard *yard, unsigned node, uint64_t pages); // WRITEBACK's wake-up
bool throttle_direct_reclaim(struct yard *yard, const struct alloc_context *ctx); // D-3; true: killed meanwhile
bool allow_direct_reclaim(struct yard *yard, unsigned node); // D-3's test

// ---- direct_reclaim.c ----
// SP-32, D-1 to D-5. Returns pages reclaimed or 1 for "ready for compaction".
uint64_t try_to_free_pages(struct yard *yard, const struct alloc_context *ctx, unsigned reclaim_order);
// One round of memory.reclaim (P-2, P-3) for the group of all pages: D-4 and D-5 over all nodes, the nearest first,
// until `pages` (at least 32) are reclaimed. swappiness: -1: the yard's. Returns pages reclaimed.
uint64_t try_to_free_group_pages(struct yard *yard, uint64_t pages, int swappiness);
static inline bool can_reclaim(const struct yard *yard) // something may be reclaimed at all
{
	return yard->owner.release || yard->nr_shrinkers;
}

// ---- kswapd.c, node_reclaim.c, demote.c ----
void setup_kswapd(struct yard *yard);
static inline bool kswapd_hopeless(const struct yard *yard, unsigned node) // K-1
{
	return atomic_load_explicit(&yard->mm[node].kswapd.failures, memory_order_relaxed) >= MAX_RECLAIM_RETRIES;
}
void kswapd_record_order(struct kswapd *k, unsigned order); // K-2
void kswapd_wake_for_reserves(struct yard *yard, unsigned node); // D-3: its test failed; nothing if kswapd is awake
void kswapd_clear_hopeless(struct yard *yard, unsigned node, unsigned reason); // K-15
enum { CLEAR_OTHER, CLEAR_KSWAPD, CLEAR_DIRECT, CLEAR_PCP };
void kswapd_try_clear_hopeless(struct yard *yard, unsigned node, const struct scan_control *sc); // K-15a
static inline enum wmark balance_mark(const struct yard *yard) // W13, P-11: what kswapd aims at
{
	return yard->memory_tiering ? WMARK_PROMO : WMARK_HIGH;
}
enum { NODE_RECLAIM_SKIPPED = -1, NODE_RECLAIM_PASSED = -2 };
enum { NODE_RECLAIM_MODES = 7 }; // N-1: any of the three bits turns it on
// N-3 to N-5 but for the gates that walk.c knows: pages, or NODE_RECLAIM_SKIPPED if a gate kept it from running.
// `early`: with the switch of spec 05 K2, the watermark that a zone of the node has to pass (NULL: none is asked for);
// NODE_RECLAIM_PASSED: it does now, nothing was reclaimed.
struct early_mark {
	struct zone *zone;
	uint64_t mark;
	unsigned highest_zone, flags;
};
int64_t node_reclaim_try(struct yard *yard, unsigned node, uint32_t gfp, unsigned order,
			 const struct early_mark *early);
// One round of the node's `reclaim` file (P-2), at priority 12 until `batch` pages; *got grows by the pages reclaimed.
// swappiness: -1: the yard's. False: node reclaim runs there already.
bool node_reclaim_proactive(struct yard *yard, unsigned node, uint64_t batch, int swappiness, uint64_t *got);
bool can_demote(const struct yard *yard, unsigned node, const struct scan_control *sc); // P-8
// P-9: pages moved, which leave *list; counts pgdemote_*.
uint64_t demote_folio_list(struct yard *yard, unsigned node, struct list *list, struct scan_control *sc);

// ---- mglru.c (spec 04 section 12); lru_lock held for the first group ----
void gen_setup(struct yard *yard, unsigned node);
void gen_link(struct yard *yard, uint32_t pfn, bool tail);   // G-4
void gen_unlink(struct yard *yard, uint32_t pfn, bool reclaim); // G-5; reclaim: heat is not kept
uint64_t gen_list_size(const struct yard *yard, unsigned node, enum yard_lru_list list, unsigned highest_zone); // G-2
void gen_mark_accessed(struct yard *yard, uint32_t pfn);     // G-3
// ---
void gen_shrink_node(struct yard *yard, unsigned node, struct scan_control *sc); // G-12
void gen_age_node(struct yard *yard, unsigned node, struct scan_control *sc);	 // G-15
int gen_check_reference(struct yard *yard, uint32_t pfn); // G-8: enum page_reference
uint64_t gen_shadow(struct yard *yard, uint32_t pfn);	  // G-11
uint32_t gen_refault(struct yard *yard, uint32_t pfn, uint32_t flags, uint64_t shadow); // G-11: YARD_PAGE flags to add
int verify_compact(struct yard *yard, char *text, size_t size); // spec 03 3.15, spec 02 I-6, I-9, spec 04 T-7
int verify_gen(struct yard *yard, char *text, size_t size);

// ---- compact_suit.c: 3.2 ----
uint64_t compact_gap(const struct yard *yard, unsigned order); // C2.1
bool compact_counts_blocks(const struct yard *yard); // spec 02 KC-1 to KC-3
bool compaction_base_ok(struct yard *yard, const struct zone *zone, unsigned order, uint64_t mark, unsigned highest_zone,
			int64_t free); // C2.2
bool compaction_suitable(struct yard *yard, const struct zone *zone, unsigned order, uint64_t mark,
			 unsigned highest_zone); // C2.3
enum compact_result compaction_suit_allocation_order(struct yard *yard, struct zone *zone, unsigned order,
						     unsigned highest_zone, unsigned flags, bool async, bool background); // C2.4
int zone_fragmentation_index(const struct zone *zone, unsigned order); // C2.5
unsigned extfrag_for_order(const struct zone *zone, unsigned order);
bool compaction_zonelist_suitable(struct yard *yard, const struct alloc_context *ctx, unsigned order, unsigned flags); // C2.6
bool compaction_deferred(struct yard *yard, const struct zone *zone, int order); // C2.7
void defer_compaction(struct yard *yard, const struct zone *zone, int order);
void compaction_defer_reset(struct yard *yard, const struct zone *zone, int order, bool success);
bool compaction_restarting(const struct yard *yard, const struct zone *zone, int order);
static inline bool can_compact(const struct yard *yard, uint32_t gfp) // compaction is there and the mask allows it
{
	return yard->owner.move && gfp & YARD_GFP_IO;
}

// ---- compact_skip.c: C3.6 to C3.9 ----
bool pageblock_skip(const struct yard *yard, uint64_t pfn);
void set_pageblock_skip(struct yard *yard, uint64_t pfn, bool skip);
void reset_isolation_suitable(struct yard *yard, unsigned node); // kswapd goes to sleep: C3.8 for its zones
void flush_pageblock_skip(struct yard *yard, struct zone *zone);  // C3.8

// ---- compact_source.c (C3.10-C3.13), compact_migrate_scan.c (C4), compact_free_scan.c, compact_free_fast.c (C5) ----
enum isolate_result { ISOLATE_ABORT, ISOLATE_NONE, ISOLATE_SUCCESS };
enum isolate_error { ISOLATE_OK, ISOLATE_AGAIN, ISOLATE_KILLED }; // EAGAIN (C4.1), EINTR
enum isolate_result isolate_migratepages(struct yard *yard, struct compact_control *cc); // C3.12
void isolate_freepages(struct yard *yard, struct compact_control *cc);			 // C5.1
// C4.10: takes up to a cluster; cc->migrate_pfn says where it stopped.
enum isolate_error isolate_migratepages_range(struct yard *yard, struct compact_control *cc, uint64_t start, uint64_t end);
// C4.10: all of [start, end) into the store. Returns the end of the last chunk taken; 0: some is not free, none is held.
uint64_t isolate_freepages_range(struct yard *yard, struct compact_control *cc, uint64_t start, uint64_t end);
// compact_store.c
uint32_t compaction_alloc(struct yard *yard, struct compact_control *cc, unsigned order); // C5.9; PFN_NONE
void compaction_free(struct yard *yard, struct compact_control *cc, uint32_t pfn, unsigned order); // C5.10
uint64_t release_free_store(struct yard *yard, struct compact_control *cc); // C5.11; highest frame, 0: none

// ---- compact_run.c: 3.6 ----
enum compact_result compact_zone(struct yard *yard, struct compact_control *cc);
bool compact_scanners_met(const struct compact_control *cc);
enum compact_result compact_finished(struct yard *yard, struct compact_control *cc); // C6.3
void compact_reset(const struct yard *yard, struct compact_control *cc); // C1.2
// The steps of compact_zone().
void compact_begin(struct yard *yard, struct compact_control *cc); // C1.2, C2.7's restart, C3.3, C3.4
void compact_sources_taken(struct compact_control *cc);		   // C6.2.2 after SUCCESS
void compact_sources_empty(struct yard *yard, const struct compact_control *cc); // C6.2.2 after NONE
bool compact_rescan(struct compact_control *cc);				 // C6.2.4: true: scan on before C6.3
bool compact_wants_drain(struct compact_control *cc);				 // C6.2.6
enum compact_result compact_met(struct yard *yard, struct compact_control *cc);	 // C3.7
void compact_end(struct yard *yard, struct compact_control *cc, uint64_t highest_released); // C6.9 after the release
// C6.5. `order`: the compaction order. `capture`: the call's record, published by the caller; its zone is set for each
// zone's run and is ZONE_MIXED otherwise (CP-1).
enum compact_result try_to_compact_pages(struct yard *yard, const struct alloc_context *ctx, unsigned order, unsigned flags,
					 enum compact_priority priority, struct yard_request_capture *capture);

// ---- migrate.c: 3.7 ----
enum migrate_reason { // 3.11
	MR_COMPACTION,
	MR_MEMORY_FAILURE,
	MR_MEMORY_HOTPLUG,
	MR_SYSCALL,
	MR_MEMPOLICY_MBIND,
	MR_NUMA_MISPLACED,
	MR_CONTIG_RANGE,
	MR_LONGTERM_PIN,
	MR_DEMOTION,
	MR_DAMON,
};
struct migrate_target { // where destinations come from and go back to
	uint32_t (*get)(struct yard *yard, void *context, uint32_t from, unsigned order); // PFN_NONE: none
	void (*put)(struct yard *yard, void *context, uint32_t pfn, unsigned order); // NULL: it is freed
	void *context;
};
enum { MIGRATE_NO_MEMORY = -1 }; // M1
// Moves the isolated pages of *list. Moved ones leave it (their sources are freed, their destinations join the LRU); what
// stays is for the caller to put back. Returns 0, the number of folios not moved, or MIGRATE_NO_MEMORY. *moved: pages.
// NR_ISOLATED falls by what has left, but for MR_DEMOTION, whose caller accounts for all that it has isolated.
int migrate_pages(struct yard *yard, struct list *list, const struct migrate_target *target, enum yard_migrate_mode mode,
		  enum migrate_reason reason, uint64_t *moved);
void putback_movable_pages(struct yard *yard, struct list *list); // M6

// ---- migrate_node.c ----
// Destinations are asked for on that node only; what stays is put back. Returns pages moved.
uint64_t migrate_to_node(struct yard *yard, struct list *list, unsigned node, uint32_t gfp, enum yard_migrate_mode mode,
			 enum migrate_reason reason);

// ---- kcompactd.c ----
void wakeup_kcompactd(struct yard *yard, unsigned node, unsigned order, unsigned highest_zone); // K1
void setup_kcompactd(struct yard *yard);
void kcompactd_has_memory(struct yard *yard, unsigned node); // from now on (K1): nothing limits its zones yet
unsigned kcompactd_flags(const struct yard *yard); // KC-1
enum { COMPACTION_HPAGE_ORDER = 9 }; // HPO
unsigned compact_zone_score(const struct zone *zone);		  // K3
unsigned compact_score_mark(const struct yard *yard, bool high); // K3
bool compact_node_fragmented(const struct yard *yard, unsigned node); // K2, K3: kcompactd begins on its own

// ---- local_reclaim.c (spec 05 section 4): requests that name an owner ----
struct local_request {
	unsigned owner; // from 0
	uint64_t home;	// 0: the policy does not apply
	uint64_t stall_ns;
	enum yard_local_reason reason; // of a page that lies elsewhere
	bool confined;		       // no page elsewhere
};
size_t local_reclaim_size(unsigned nr_nodes);
void setup_local_reclaim(struct yard *yard);
bool local_owner_exists(const struct yard *yard, unsigned owner); // from 1
// The nodes that the owner names and that a whole request from outside of interrupts may use; 0: as without the policy,
// or the node of each request. Zones are not looked at.
uint64_t local_reclaim_homes(const struct yard *yard, const struct yard_request *request);
// L5: the fast attempt. PFN_NONE: the slow path is next, on local->home only if it is confined.
uint32_t local_reclaim_walk(struct yard *yard, struct alloc_context *ctx, unsigned flags, struct local_request *local);
void local_reclaim_placed(struct yard *yard, const struct alloc_context *ctx, const struct local_request *local,
			  uint32_t pfn);
// A page that went for owner `owner` (from 0) came back.
void local_refaulted(struct yard *yard, unsigned node, unsigned owner, uint64_t pages);

// ---- oom.c ----
// SP-59's killer: true if something was or will be freed.
bool out_of_memory(struct yard *yard, const struct alloc_context *ctx);

// ---- waiting ----
static inline unsigned queue_of(unsigned node, enum yard_queue_kind kind)
{
	return node * YARD_QUEUES + kind;
}

static inline uint64_t now_ns(struct yard *yard)
{
	return yard_host_now(&yard->host);
}

static inline uint64_t time_since(uint64_t now, uint64_t then) // the clocks of CPUs may differ a little: 0 for a later one
{
	return now > then ? now - then : 0;
}

static inline bool fatal_signal(const struct yard *yard)
{
	return task_flags(yard) & YARD_TASK_SIGNAL;
}
