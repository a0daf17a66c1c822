// SPDX-License-Identifier: Apache-2.0
//
// What the owner of pages does for the engine: the callbacks through which it moves, writes out, ages and frees pages
// that it does not own (spec 04 A-11, spec 03 section 3.7, spec 02 section 2.7).
//
// Every member may be NULL; the comment says what the engine does then. All are called on the thread that asked for
// memory or that runs a worker, and without engine locks, except that oom_notify, oom_next, oom_kill and oom_panic have
// the OOM killer to themselves: others who come to it meanwhile wait and look again (spec 02 SP-55).
// They may allocate and free. While the engine reclaims, moves pages or kills, the task is PF_MEMALLOC, so that what a
// callback allocates leads to none of these. That is not so for node_reclaim, node_dirty and charge, for may_move when
// kcompactd, yard_compact_node(), yard_alloc_range() or yard_alloc_contig() ask, and for shrinkers under
// yard_drop_slab(): there an allocation is one like any other, and may call back.
// A page that is handed to a callback is isolated: it is on no list and nobody else works on it. The owner may free it
// at any time with yard_free() even so; the engine then lets go of it when the callback has returned.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum yard_migrate_mode { YARD_MIGRATE_ASYNC, YARD_MIGRATE_SYNC_LIGHT, YARD_MIGRATE_SYNC }; // spec 03 C1.4

enum yard_move_result {
	YARD_MOVE_DONE,
	YARD_MOVE_AGAIN, // EAGAIN: worth another pass (M3)
	YARD_MOVE_BUSY,	 // EBUSY or another error: not in this run
};

enum yard_write_result { // C-7.11
	YARD_WRITE_DONE,    // synchronous: the page is clean
	YARD_WRITE_STARTED, // it is under writeback until yard_writeback_end()
	YARD_WRITE_KEEP,    // not now: the page stays inactive
	YARD_WRITE_REFUSED, // the device is full or failed: the page is activated
};

enum yard_oom_constraint { YARD_OOM_ANYWHERE, YARD_OOM_MEMORY_POLICY, YARD_OOM_CPUSET }; // OOM-5

struct yard_oom { // what the OOM killer was called for (OOM-5)
	uint32_t gfp;
	uint8_t order;
	uint8_t constraint;   // enum yard_oom_constraint
	uint64_t nodemask;    // of a MEMORY_POLICY; 0: all
	uint64_t cpuset;      // the request's nodes of a CPUSET; 0: all
	uint64_t total_pages; // of the constraint, with swap: what oom_score_adj is measured against
};

struct yard_oom_task { // one candidate (OOM-7)
	uint64_t id;	      // the owner's; its pid in events
	uint64_t rss, swap, pgtables; // pages
	uint64_t total_vm, file_rss, shmem_rss; // for the event only
	uint32_t uid;
	int16_t oom_score_adj;
	bool unkillable;      // init or a kernel thread
	bool no_eligible_node; // it can have no memory of the nodes of struct yard_oom (spec 05 M14)
	bool vfork_child;     // its memory is its parent's
	bool reaped;	      // OOM-9: oom_skip() was called for it
	bool victim;	      // killed before and not yet gone
	bool origin;	      // takes the kill on itself
	bool current;	      // the requesting task
	bool exiting;	      // will free its memory (OOM-3)
};

struct yard_local_page { // what the owner knows of a page that local-reclaim might evict (spec 05 L2, L6)
	bool keep, declared; // it must stay; its owner has said that it will not be needed
	uint64_t age_ns, idle_ns; // since it came into memory, since its last use
	uint32_t victim;	  // whose cache it is, not 0 (a group, a set of files); 0: nobody's, who cannot lose
	uint64_t victim_pages, victim_hot; // of his cache on the node; of these used again in the last 10 s
};

struct yard_owner_ops {
	// ---- allocation ----
	// A8d: reclaim on `node` for a request; returns the number of pages that it freed. NULL: the engine's node
	// reclaim.
	uint64_t (*node_reclaim)(void *context, unsigned node, uint32_t gfp, unsigned order);
	// A4: pages of `node` that are dirty or under writeback, and file pages on its LRU lists. NULL: the engine's
	// counters.
	void (*node_dirty)(void *context, unsigned node, uint64_t *dirty, uint64_t *file_lru);
	// A13: charge an accounted request; false fails the allocation (its page is freed again). NULL: true.
	bool (*charge)(void *context, uint32_t pfn, unsigned order, uint32_t gfp);

	// ---- moving (spec 03 3.7). Without `move` nothing is ever compacted ----
	// C4.3 row 5 (pages with movable operations) and row 12 (dirty or unevictable ones): may the page be isolated
	// in this mode? It is not yet, and may be gone meanwhile. NULL: yes.
	bool (*may_move)(void *context, uint32_t pfn, unsigned order, enum yard_migrate_mode mode);
	// M4: no access may reach the page any more until it is moved or put back. NULL: DONE.
	enum yard_move_result (*unmap_for_move)(void *context, uint32_t pfn, unsigned order,
						enum yard_migrate_mode mode);
	void (*flush)(void *context); // M3: once for each batch of unmapped pages. NULL: nothing
	// M5: copy the content to `to` and let every reference point there. After DONE the owner owns `to`, whose flags
	// and owner's word the engine has set, and the engine frees `from`. `to` is an allocated block of the same
	// order. Not DONE for a page that the owner has pinned or begun to write meanwhile.
	enum yard_move_result (*move)(void *context, uint32_t from, uint32_t to, unsigned order,
				      enum yard_migrate_mode mode);
	void (*undo_unmap)(void *context, uint32_t pfn, unsigned order); // M3: what could not be moved. NULL: nothing

	// ---- reclaim (spec 04 C-7). Without `release` nothing is ever reclaimed but by shrinkers ----
	// C-7a: mappings in which the page was accessed since the last call, and clears that; -1: cannot be told now
	// (KEEP). NULL: what yard_lru_touch() told. Aging in the multi-gen LRU (G-6, G-8) also asks for pages that are
	// not isolated, which may be freed meanwhile: 0 for a frame that is not the owner's any more.
	int (*referenced)(void *context, uint32_t pfn, unsigned order);
	bool (*unmap)(void *context, uint32_t pfn, unsigned order); // C-7.9: false: still mapped. NULL: true
	// C-7.8: a place in swap for a page that has none; false: no slot. NULL: true as long as slots are free
	// (yard_set_swap).
	bool (*swap_slot)(void *context, uint32_t pfn, unsigned order);
	// C-7.8: a large page that finds no run of slots is to become 2^order pages of order 0: the owner calls
	// yard_lru_split() while nobody can free the page, sets the owner's words of the parts, and returns true. false
	// or NULL: it cannot be split (it is activated then).
	bool (*split)(void *context, uint32_t pfn, unsigned order);
	// W-5: the page loses its slot. NULL: nothing
	void (*swap_release)(void *context, uint32_t pfn, unsigned order);
	enum yard_write_result (*write_out)(void *context, uint32_t pfn, unsigned order); // NULL: REFUSED
	// C-7.12, C-7.13: forget the page; false: it is still in use (kept). `shadow` is to be given to
	// yard_lru_refault() when the same content comes back (L-19). After true the engine frees the frame.
	bool (*release)(void *context, uint32_t pfn, unsigned order, uint64_t shadow);
	void (*wake_flusher)(void *context, unsigned node); // C-6.6: all that was taken is dirty. NULL: nothing

	// ---- local-reclaim (spec 05 section 4) ----
	// L2: fills in *page, of which age_ns and idle_ns are "for ever" and all else is 0. The page is isolated. NULL:
	// as it is.
	void (*local_page)(void *context, uint32_t pfn, unsigned order, struct yard_local_page *page);
	// L8: the owner (of pageyard/local_reclaim.h) that the page belongs to, if its task still runs on CPUs of these
	// nodes; 0: none. NULL: no page moves home.
	unsigned (*local_home)(void *context, uint32_t pfn, unsigned order, uint64_t nodes);

	// ---- out of memory (spec 02 2.7). Without `oom_next` no one is ever killed ----
	uint64_t (*oom_notify)(void *context); // OOM-2: pages that notifiers freed. NULL: 0
	// OOM-7: the candidate after *cursor (0 at first, the owner's afterwards); false: no more.
	bool (*oom_next)(void *context, uint64_t *cursor, const struct yard_oom *oom, struct yard_oom_task *task);
	// OOM-8: kills the process and all that share its memory, and gives its tasks YARD_TASK_OOM_VICTIM and _SIGNAL.
	// NULL: no one is ever killed.
	void (*oom_kill)(void *context, uint64_t id, const struct yard_oom *oom);
	bool (*oom_reap)(void *context, uint64_t id); // OOM-9: unmap what is private; false or NULL: try again later
	// OOM-9: whatever oom_reap() could take, it is `reaped` from now on. NULL: nothing
	void (*oom_skip)(void *context, uint64_t id);
	// OOM-5, OOM-7: here Linux would panic. NULL or when it returns: the request fails.
	void (*oom_panic)(void *context, const struct yard_oom *oom);
	void *context;
};

// ---- shrinkers (spec 04 S-1) ----

enum { YARD_SHRINK_EMPTY = -1, YARD_SHRINK_STOP = -2 };

struct yard_shrinker { // stays the embedder's and must live as long as the yard
	const char *name;
	int64_t (*count)(void *context, unsigned node, uint32_t gfp); // freeable objects, or YARD_SHRINK_EMPTY
	// Scans up to *nr objects; returns those freed or YARD_SHRINK_STOP. *nr: what it scanned. *pages: pages freed.
	int64_t (*scan)(void *context, unsigned node, uint32_t gfp, uint64_t *nr, uint64_t *pages);
	unsigned seeks, batch; // batch 0: 128. seeks is taken as it is: 2 is the usual value
	bool numa_aware;       // else all is on node 0
	void *context;
};

#ifdef __cplusplus
}
#endif
