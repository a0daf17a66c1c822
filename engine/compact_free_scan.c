// SPDX-License-Identifier: Apache-2.0
//
// Where compaction's pages go: the scan for free chunks from the zone's end downward (spec 03 C3.11, C5.1, C5.7, C5.8).

#include "engine/compact_scan.h"

bool target_suitable(const struct yard *yard, const struct compact_control *cc, uint64_t first)
{
	uint32_t word = frame_word(yard, (uint32_t)first);
	unsigned order = cc->order > 0 ? (unsigned)cc->order : YARD_PAGEBLOCK_ORDER;

	if (word_state(word) == YARD_FRAME_BUDDY && word_order(word) >= order)
		return false;
	return cc->ignore_block_suitable || movable_type(pageblock_type(yard, (uint32_t)first));
}

// ---- one block (C5.8) ----

enum chunk { CHUNK_NONE, CHUNK_TAKEN, CHUNK_REFUSED };

struct target_scan {
	struct yard *yard;
	struct compact_control *cc;
	uint64_t pfn, end;
	uint64_t scanned, visited, isolated;
};

static void skip_rest(struct target_scan *scan, unsigned order)
{
	scan->pfn += (1ull << order) - 1;
	scan->scanned += (1ull << order) - 1;
}

// A chunk that was seen without the lock may be gone.
static enum chunk take_chunk_locked(struct target_scan *scan, uint32_t pfn, unsigned *order)
{
	uint32_t word = frame_word(scan->yard, pfn);

	*order = word_order(word);
	if (word_state(word) != YARD_FRAME_BUDDY || zone_of_block(scan->yard, pfn) != scan->cc->zone)
		return CHUNK_NONE;
	return store_free_block(scan->yard, scan->cc, pfn, *order) ? CHUNK_TAKEN : CHUNK_REFUSED;
}

static enum chunk take_chunk(struct target_scan *scan, uint32_t pfn)
{
	struct zone *zone = scan->cc->zone;
	enum chunk chunk;
	unsigned order;

	scan_lock(scan->yard, scan->cc, &zone->lock, yard_zone_trylock);
	chunk = take_chunk_locked(scan, pfn, &order);
	yard_host_charge(&scan->yard->host, YARD_COST_FREE_CHUNK, chunk == CHUNK_TAKEN);
	yard_spin_unlock(&zone->lock);
	if (chunk != CHUNK_TAKEN)
		return chunk;
	scan->isolated += 1ull << order;
	skip_rest(scan, order);
	return CHUNK_TAKEN;
}

static enum chunk look_at_frame(struct target_scan *scan)
{
	uint32_t pfn = (uint32_t)scan->pfn, word = frame_word(scan->yard, pfn);
	unsigned order = word_order(word);

	if (word_state(word) == YARD_FRAME_BUDDY)
		return take_chunk(scan, pfn);
	if (word_state(word) == YARD_FRAME_ALLOCATED && order && scan->pfn + (1ull << order) <= scan->end)
		skip_rest(scan, order);
	return CHUNK_NONE;
}

static bool demand_met(const struct compact_control *cc)
{
	return cc->nr_freepages >= cc->nr_migratepages;
}

static void scan_frames(struct target_scan *scan, unsigned stride, bool strict)
{
	for (; scan->pfn < scan->end; scan->pfn += stride) {
		if (!(scan->pfn % CLUSTER_MAX) && scan_interrupted(scan->yard, scan->cc, &scan->visited))
			return;
		scan->scanned++;
		scan->visited++;
		switch (look_at_frame(scan)) {
		case CHUNK_NONE:
			if (strict)
				return;
			break;
		case CHUNK_REFUSED:
			return;
		case CHUNK_TAKEN:
			if (strict || !demand_met(scan->cc))
				break;
			scan->pfn++;
			return;
		}
	}
}

uint64_t isolate_freepages_block(struct yard *yard, struct compact_control *cc, uint64_t *position, uint64_t end,
				 unsigned stride, bool strict)
{
	struct target_scan scan = { .yard = yard, .cc = cc, .pfn = *position, .end = end };

	scan_frames(&scan, strict ? 1 : stride, strict);
	scan.pfn = lower_pfn(scan.pfn, end);
	TRACE(yard, ISOLATE_FREEPAGES, (int64_t)*position, (int64_t)scan.pfn, (int64_t)scan.scanned,
	      (int64_t)scan.isolated);
	yard_host_charge(&yard->host, YARD_COST_SCAN_FRAME, scan.visited);
	*position = scan.pfn;
	if (strict && scan.pfn < end)
		scan.isolated = 0;
	cc->total_free_scanned += scan.scanned;
	count_vm_event(yard, YARD_VM_COMPACT_ISOLATED, scan.isolated);
	return scan.isolated;
}

// ---- block after block (C5.7) ----

struct target_walk {
	uint64_t block, position; // the block's start; where in it the scan begins
	uint64_t limit;
	unsigned stride;
};

// Whether the block is to be scanned. Moves down to memory that is online.
static bool choose_block(const struct yard *yard, const struct compact_control *cc, struct target_walk *walk,
			 uint64_t end)
{
	if (!block_in_zone(yard, cc->zone, walk->block, end)) {
		uint32_t online = end_of_online_below(yard, walk->block);

		if (online != PFN_NONE)
			walk->block = higher_pfn(online, walk->limit);
		return false;
	}
	return target_suitable(yard, cc, walk->block) && isolation_suitable(yard, cc, walk->block);
}

// The whole block has been seen.
static void block_done(struct yard *yard, struct compact_control *cc, uint64_t block)
{
	struct zone_compact *hints = zone_hints(yard, cc->zone);
	uint64_t below = block - YARD_PAGEBLOCK_NR_PAGES;

	if (cc->no_set_skip_hint)
		return;
	set_pageblock_skip(yard, block, true);
	if (below < hint_get(&hints->cached_free))
		hint_set(&hints->cached_free, below);
}

// True: the walk is over, and walk->position is where the next one begins.
static bool scan_block(struct yard *yard, struct compact_control *cc, struct target_walk *walk, uint64_t end)
{
	uint64_t isolated = isolate_freepages_block(yard, cc, &walk->position, end, walk->stride, false);

	if (walk->position == end)
		block_done(yard, cc, walk->block);
	if (demand_met(cc)) {
		if (walk->position >= end)
			walk->position = walk->block - YARD_PAGEBLOCK_NR_PAGES;
		return true;
	}
	if (walk->position < end)
		return true;
	walk->stride = isolated ? 1 : (unsigned)lower_pfn(CLUSTER_MAX, 2ull * walk->stride);
	return false;
}

static void isolate_linear(struct yard *yard, struct compact_control *cc)
{
	struct target_walk walk = {
		.block = block_start(cc->free_pfn), .position = cc->free_pfn, .limit = block_end(cc->migrate_pfn),
		.stride = cc->mode == YARD_MIGRATE_ASYNC ? CLUSTER_MAX : 1,
	};

	for (; walk.block >= walk.limit; walk.block -= YARD_PAGEBLOCK_NR_PAGES, walk.position = walk.block) {
		uint64_t end = lower_pfn(walk.block + YARD_PAGEBLOCK_NR_PAGES, cc->zone->end_pfn);

		if (!choose_block(yard, cc, &walk, end))
			block_skipped(yard, walk.block);
		else if (scan_block(yard, cc, &walk, end))
			break;
	}
	cc->free_pfn = walk.position;
}

void isolate_freepages(struct yard *yard, struct compact_control *cc)
{
	fast_isolate_freepages(yard, cc);
	if (!cc->nr_freepages)
		isolate_linear(yard, cc);
}

// ---- a range (C4.10) ----

uint64_t isolate_freepages_range(struct yard *yard, struct compact_control *cc, uint64_t start, uint64_t end)
{
	uint64_t pfn = start, isolated;

	for (; pfn < end; pfn += isolated) {
		uint64_t position = pfn, stop = lower_pfn(block_end(pfn), end);

		if (!block_in_zone(yard, cc->zone, higher_pfn(block_start(pfn), cc->zone->start_pfn), stop))
			break;
		isolated = isolate_freepages_block(yard, cc, &position, stop, 1, true);
		if (!isolated)
			break;
	}
	if (pfn >= end)
		return pfn;
	release_free_store(yard, cc);
	return 0;
}
