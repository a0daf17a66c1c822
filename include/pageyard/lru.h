// SPDX-License-Identifier: Apache-2.0
//
// Pages that the engine may age, reclaim and move: what the embedder tells of them (spec 04 sections 1 and 11.2).
//
// An allocated block joins the LRU lists with yard_lru_add(), which says of what kind it is; yard_free() takes it off.
// All functions: YARD_OK, YARD_ERANGE for a frame outside the yard, YARD_ENOTOWNED for one that is not the first frame
// of an allocated block, YARD_EINVAL for a state that the rule excludes: a page that is on the LRU already, or one that
// is not and has to be. Any thread; a callback too.

#pragma once

#include <pageyard/owner.h>
#include <pageyard/task.h>
#include <pageyard/yard.h>

#ifdef __cplusplus
extern "C" {
#endif

enum yard_page_flags { // what yard_lru_add() and yard_lru_set() take (L-5)
	YARD_PAGE_ANON = 1 << 0,       // anonymous memory
	YARD_PAGE_SWAPBACKED = 1 << 1, // anonymous or shmem: the anon lists. ANON without it: lazily freed (L-3)
	YARD_PAGE_ACTIVE = 1 << 2,
	YARD_PAGE_UNEVICTABLE = 1 << 3, // mlocked, or a mapping that must stay (L-4)
	YARD_PAGE_REFERENCED = 1 << 4,
	YARD_PAGE_WORKINGSET = 1 << 5,
	YARD_PAGE_DIRTY = 1 << 6,
	YARD_PAGE_SWAPCACHE = 1 << 7, // has a place in swap
	YARD_PAGE_PINNED = 1 << 8,    // more references than its owner's and its mappings': can neither move nor go
	YARD_PAGE_DROPBEHIND = 1 << 9,
	YARD_PAGE_WRITEBACK = 1 << 10,
	YARD_PAGE_RECLAIM = 1 << 11, // freed or rotated as soon as writeback ends
};

enum yard_mapping { // the strongest mapping of a page
	YARD_UNMAPPED,
	YARD_MAPPED,
	YARD_MAPPED_EXEC,
	YARD_MAPPED_NO_RECENCY, // sequential or random advice, no-reuse file
};

int yard_lru_add(struct yard *yard, uint32_t pfn, uint32_t flags, enum yard_mapping mapping); // L-7, L-10
// Refault of a page whose content left with `shadow` (L-20): before yard_lru_add(), which then needs no ACTIVE. Returns
// the flags to add (ACTIVE, WORKINGSET), or a negative error.
int yard_lru_refault(struct yard *yard, uint32_t pfn, uint32_t flags, uint64_t shadow);
// Changes DIRTY, SWAPCACHE, PINNED, DROPBEHIND, UNEVICTABLE (mlock, munlock), SWAPBACKED off (lazyfree turned real
// again: on).
int yard_lru_set(struct yard *yard, uint32_t pfn, uint32_t flags, bool on);
int yard_lru_map(struct yard *yard, uint32_t pfn, enum yard_mapping mapping); // UNMAPPED: the last mapping went
// An access through a mapping: `mappings` (1 or 2: more than one) had their accessed bit set; write makes it dirty.
// YARD_EINVAL for other numbers, and for a page that is not mapped.
int yard_lru_touch(struct yard *yard, uint32_t pfn, unsigned mappings, bool write);
int yard_lru_mark_accessed(struct yard *yard, uint32_t pfn);   // L-14: read(), write()
int yard_lru_deactivate(struct yard *yard, uint32_t pfn);      // L-16: MADV_COLD
int yard_lru_deactivate_file(struct yard *yard, uint32_t pfn); // L-16: an invalidation failed
int yard_lru_lazyfree(struct yard *yard, uint32_t pfn);	       // L-16: MADV_FREE
// YARD_EINVAL: it is under writeback already; it is not.
int yard_writeback_begin(struct yard *yard, uint32_t pfn);     // the owner's own write-back, e.g. of its flusher
int yard_writeback_end(struct yard *yard, uint32_t pfn);       // L-17; also of pages that write_out() started
// In the `split` callback only: the isolated block of this order becomes 2^order isolated pages of order 0.
// YARD_EINVAL: not isolated.
int yard_lru_split(struct yard *yard, uint32_t pfn, unsigned order);
// Applies this CPU's or all CPUs' batches now (L-12). A page waits in one batch at most: an owner who calls the
// functions above for pages that it has just added drains first, as madvise() and mlock() do.
void yard_lru_drain(struct yard *yard);
void yard_lru_drain_all(struct yard *yard);

// Flags (enum yard_page_flags) and mapping of an allocated block; *lru: on a list (or counted unevictable).
int yard_lru_get(const struct yard *yard, uint32_t pfn, uint32_t *flags, enum yard_mapping *mapping, bool *lru);

enum yard_lru_list { // L-1
	YARD_LRU_INACTIVE_ANON,
	YARD_LRU_ACTIVE_ANON,
	YARD_LRU_INACTIVE_FILE,
	YARD_LRU_ACTIVE_FILE,
	YARD_LRU_UNEVICTABLE,
	YARD_LRU_LISTS
};
// Pages of a list of a node in zones up to `highest_zone`.
uint64_t yard_lru_size(const struct yard *yard, unsigned node, enum yard_lru_list list, unsigned highest_zone);
// Walks a list of the classic LRU from its head (youngest): the first when pfn is YARD_PFN_NONE. Unevictable pages are
// on no list, and under the multi-gen LRU these lists are empty. Quiescent.
uint32_t yard_lru_next(const struct yard *yard, unsigned node, enum yard_lru_list list, uint32_t pfn);

// Switches between the classic and the multi-gen LRU (G-1), as the policy switch lru_gen does from the start. Pages
// keep what is known of them. One caller at a time.
void yard_set_lru_gen(struct yard *yard, bool on);
// G-15: kswapd calls the OOM killer rather than let pages be evicted that are younger than this. 0: it never does.
// Quiescent.
void yard_set_lru_gen_min_ttl(struct yard *yard, uint64_t ms);

// Swap (W-1): pages in all, and those free now; at first there is none. Quiescent. Pages that leave swap:
// yard_swap_free().
void yard_set_swap(struct yard *yard, uint64_t total, uint64_t free);
void yard_swap_free(struct yard *yard, uint64_t pages);
uint64_t yard_swap_available(const struct yard *yard);
int yard_set_swappiness(struct yard *yard, unsigned swappiness); // 0..200; YARD_EINVAL otherwise

// Up to 16, for good (S-1). YARD_EINVAL: no count or scan; YARD_ENOMEM: too many.
int yard_add_shrinker(struct yard *yard, struct yard_shrinker *shrinker);
// S-7: as drop_caches 2. Returns objects freed.
uint64_t yard_drop_slab(struct yard *yard);

// MADV_PAGEOUT (P-5): pages of the array are reclaimed whatever their references say. Others than
// pages on the LRU are passed over. Returns pages reclaimed.
uint64_t yard_reclaim_pages(struct yard *yard, const uint32_t *pfns, size_t nr);

#ifdef __cplusplus
}
#endif
