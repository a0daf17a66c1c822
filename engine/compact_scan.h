// SPDX-License-Identifier: Apache-2.0
//
// What the files of compaction's two scanners share (spec 03 sections 3.3 to 3.5).
//
// Positions have 64 bits: they may lie outside the zone and outside the yard. Skip bits and cached positions are hints
// that no lock covers.

#pragma once

#include "engine/mm.h"

static inline uint64_t block_start(uint64_t pfn)
{
	return pfn & ~(uint64_t)(YARD_PAGEBLOCK_NR_PAGES - 1);
}

static inline uint64_t block_end(uint64_t pfn) // of an aligned frame: one block further (3.0)
{
	return block_start(pfn) + YARD_PAGEBLOCK_NR_PAGES;
}

static inline uint64_t chunk_end(uint64_t pfn, unsigned order)
{
	return (pfn | ((1ull << order) - 1)) + 1;
}

static inline uint64_t higher_pfn(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t lower_pfn(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint32_t hint_get(const uint32_t *hint)
{
	return __atomic_load_n(hint, __ATOMIC_RELAXED);
}

static inline void hint_set(uint32_t *hint, uint64_t pfn)
{
	__atomic_store_n(hint, (uint32_t)pfn, __ATOMIC_RELAXED);
}

static inline bool movable_type(unsigned type) // 3.0
{
	return type == YARD_MOVABLE || type == YARD_CMA;
}

// A frame divisible by 32: others may run, a signal ends the scan (C4.2, C5.8). `visited`: frames not charged yet.
static inline bool scan_interrupted(struct yard *yard, struct compact_control *cc, uint64_t *visited)
{
	yard_host_charge(&yard->host, YARD_COST_SCAN_FRAME, *visited);
	*visited = 0;
	if (fatal_signal(yard)) {
		cc->contended = true;
		return true;
	}
	yard_host_yield(&yard->host);
	return false;
}

// A pageblock was left out; others may run now and then.
static inline void block_skipped(struct yard *yard, uint64_t pfn)
{
	yard_host_charge(&yard->host, YARD_COST_SKIP_BLOCK, 1);
	if (!(pfn / YARD_PAGEBLOCK_NR_PAGES % CLUSTER_MAX))
		yard_host_yield(&yard->host);
}

// C4.4
static inline void scan_lock(struct yard *yard, struct compact_control *cc, yard_spinlock *lock,
			     bool (*trylock)(struct yard_host *, yard_spinlock *))
{
	if (cc->mode == YARD_MIGRATE_ASYNC && !cc->contended) {
		if (trylock(&yard->host, lock))
			return;
		cc->contended = true;
	}
	yard_spin_lock(lock);
}

// ---- compact_online.c ----
bool frame_in_zone(const struct yard *yard, const struct zone *zone, uint64_t pfn);
bool block_in_zone(const struct yard *yard, const struct zone *zone, uint64_t first, uint64_t end); // C3.12.1
bool section_online(const struct yard *yard, uint64_t pfn);
// Where to go on above or below a frame whose section is offline; PFN_NONE: its section is online, or no other is.
uint32_t next_online_section(const struct yard *yard, uint64_t pfn);
uint32_t end_of_online_below(const struct yard *yard, uint64_t pfn);
bool in_large_block(const struct yard *yard, uint64_t pfn); // a block in use of at least a pageblock holds the frame

// ---- compact_skip.c ----
bool isolation_suitable(const struct yard *yard, const struct compact_control *cc, uint64_t pfn); // the skip bit says so
void mark_scanned(struct yard *yard, const struct compact_control *cc, uint64_t pfn);		  // sets the skip bit
void advance_cached_migrate(struct yard *yard, const struct compact_control *cc, uint64_t pfn);  // C3.6
static inline struct zone_compact *zone_hints(const struct yard *yard, const struct zone *zone)
{
	return &yard->compact[zone->id];
}

// C3.13, C5.2: 33, 17, 9, 5, 3, 2, 1, 1 ...
static inline unsigned fast_search_limit(const struct compact_control *cc)
{
	return (unsigned)(CLUSTER_MAX >> (cc->fast_search_fail < 31 ? cc->fast_search_fail : 31)) + 1;
}

// ---- compact_migrate_scan.c ----
// C4: from `low` to `end`, in one block.
enum isolate_error isolate_migratepages_block(struct yard *yard, struct compact_control *cc, uint64_t low,
					      uint64_t end);

// ---- compact_free_scan.c ----
bool target_suitable(const struct yard *yard, const struct compact_control *cc, uint64_t first); // C3.11
// C5.8: from *position to `end`, in one block; *position: where it stopped. Returns frames taken; strict: 0 unless all
// were.
uint64_t isolate_freepages_block(struct yard *yard, struct compact_control *cc, uint64_t *position, uint64_t end,
				 unsigned stride, bool strict);

// ---- compact_free_fast.c ----
void fast_isolate_freepages(struct yard *yard, struct compact_control *cc); // C5.2 to C5.6

// ---- compact_store.c ----
// zone->lock held. C5.5: takes the free block at pfn; false: the watermark refuses.
bool store_free_block(struct yard *yard, struct compact_control *cc, uint32_t pfn, unsigned order);
