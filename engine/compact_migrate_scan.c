// SPDX-License-Identifier: Apache-2.0
//
// Taking the movable pages out of one block (spec 03 section 3.4): `isolate_migratepages_block` in Linux.
//
// A frame at which no block begins (inside a larger block, reserved, absent) fails like a page that is not on the LRU.
// A compound page is any block in use of more than one frame. NR_ISOLATED learns of the pages when the LRU lock is
// dropped.

#include "engine/compact_scan.h"
#include "engine/lru.h"

enum look { // what came of one frame
	LOOK_NEXT,
	LOOK_FAILED,
	LOOK_TAKEN,
	LOOK_LEAVE, // the skip bit ends the block
};

enum refusal { // rows of C4.3
	REFUSED_NOT = 0,
	REFUSED_LARGE = 4,
	REFUSED_OFF_LRU = 5,
	REFUSED_PINNED = 7,
	REFUSED_NO_FS = 8,
	REFUSED_UNEVICTABLE = 10,
	REFUSED_WRITEBACK = 11,
	REFUSED_OWNER = 12,
	REFUSED_LOST = 13,
	REFUSED_GREW = 15,
};

struct source_scan {
	struct yard *yard;
	struct compact_control *cc;
	uint64_t low, end;
	uint64_t chunk_end; // give-up mode: of the aligned chunk of the request's order
	uint64_t first;	    // the block's first frame
	uint64_t scanned, visited, isolated;
	bool give_up, began, locked; // began: at the block's first frame; locked: row 14 was reached
	struct node_mm *held;	     // whose lru_lock is held; NULL: none
	struct isolated_pages taken; // under it
};

// ---- the lock (C4.4): kept from frame to frame until one fails or 32 frames are through ----

static void drop_lru_lock(struct source_scan *scan)
{
	if (!scan->held)
		return;
	yard_spin_unlock(&scan->held->lru_lock);
	mod_isolated(scan->yard, (unsigned)(scan->held - scan->yard->mm), &scan->taken);
	scan->held = NULL;
}

static void hold_lru_lock(struct source_scan *scan, uint32_t pfn)
{
	struct node_mm *mm = mm_of(scan->yard, pfn);

	if (scan->held == mm)
		return;
	drop_lru_lock(scan);
	scan_lock(scan->yard, scan->cc, &mm->lru_lock, yard_lru_trylock);
	scan->held = mm;
}

// ---- throttle (C4.1) ----

static int64_t both_kinds(const struct yard *yard, unsigned node, enum yard_node_stat file, enum yard_node_stat anon)
{
	return node_stat(yard, node, file) + node_stat(yard, node, anon);
}

static bool too_many_isolated(struct yard *yard, const struct compact_control *cc)
{
	unsigned node = cc->zone->node;
	int64_t isolated = both_kinds(yard, node, YARD_NODE_ISOLATED_FILE, YARD_NODE_ISOLATED_ANON);
	int64_t inactive = both_kinds(yard, node, YARD_NODE_INACTIVE_FILE, YARD_NODE_INACTIVE_ANON);
	int64_t active = both_kinds(yard, node, YARD_NODE_ACTIVE_FILE, YARD_NODE_ACTIVE_ANON);

	if (cc->gfp & YARD_GFP_FS) {
		inactive /= 8;
		active /= 8;
	}
	if (isolated > (inactive + active) / 2)
		return true;
	wake_throttled(yard, node, YARD_QUEUE_ISOLATED);
	return false;
}

enum { THROTTLE_SLEEPS = 50 }; // a second

static bool holds_isolated(const struct yard *yard)
{
	const struct yard_task *task = current_task(yard);

	return task && task->migrating;
}

// Linux sleeps for as long as it takes. Here a task that moves pages and needs compaction for their destinations does
// not wait for itself; for others the sleep ends after a second.
static enum isolate_error throttle(struct yard *yard, const struct compact_control *cc)
{
	unsigned sleeps = 0;

	while (too_many_isolated(yard, cc)) {
		if (cc->nr_migratepages || cc->mode == YARD_MIGRATE_ASYNC || holds_isolated(yard))
			return ISOLATE_AGAIN;
		if ((task_flags(yard) & (YARD_TASK_KTHREAD | YARD_TASK_KSWAPD)) == YARD_TASK_KTHREAD) {
			yard_host_charge(&yard->host, YARD_COST_ZONE_CHECK, 1); // or virtual time would stand still
			yard_host_yield(&yard->host);
		} else if (sleeps++ < THROTTLE_SLEEPS)
			reclaim_throttle(yard, cc->zone->node, YARD_QUEUE_ISOLATED);
		else
			return ISOLATE_AGAIN;
		if (fatal_signal(yard))
			return ISOLATE_KILLED;
	}
	return ISOLATE_OK;
}

// ---- one frame (C4.3) ----

static void skip_rest(struct source_scan *scan, unsigned order)
{
	scan->low += (1ull << order) - 1;
	scan->scanned += (1ull << order) - 1;
}

static enum look failed(const struct source_scan *scan, uint32_t pfn, uint32_t word, enum refusal row)
{
	WHY(scan->yard, .kind = YARD_EVENT_WHY_ISOLATE_FAILED, .zone = scan->cc->zone->id, .pfn = pfn,
	    .order = (uint8_t)word_order(word), .a = (int32_t)row);
	return LOOK_FAILED;
}

// C4.6
static enum look take(struct source_scan *scan, uint32_t pfn, unsigned order)
{
	list_add_head(scan->yard, &scan->cc->migrate, pfn);
	scan->cc->nr_migratepages += 1ull << order;
	scan->isolated += 1ull << order;
	skip_rest(scan, order);
	return LOOK_TAKEN;
}

static bool too_large(const struct compact_control *cc, unsigned order) // row 4
{
	if (!order || cc->alloc_contig)
		return false;
	return order >= YARD_PAGEBLOCK_ORDER || (cc->order != -1 && (int)order >= cc->order);
}

static bool owner_allows(struct source_scan *scan, uint32_t pfn, unsigned order)
{
	const struct yard_owner_ops *owner = &scan->yard->owner;

	drop_lru_lock(scan);
	return !owner->may_move || owner->may_move(owner->context, pfn, order, scan->cc->mode);
}

// Rows 7 to 12
static enum refusal refusal_of(struct source_scan *scan, uint32_t pfn, uint32_t word)
{
	const struct compact_control *cc = scan->cc;
	bool mapping = word_has_mapping(word), unevictable = word_place(word) == PLACE_UNEVICTABLE;
	bool async = cc->mode != YARD_MIGRATE_SYNC;

	if (!mapping && word & (PG_PINNED | PG_BATCH))
		return REFUSED_PINNED;
	if (mapping && !(cc->gfp & YARD_GFP_FS))
		return REFUSED_NO_FS;
	if (unevictable && !scan->yard->compact_unevictable && !cc->alloc_contig)
		return REFUSED_UNEVICTABLE;
	if (async && word & PG_WRITEBACK)
		return REFUSED_WRITEBACK;
	if (((async && word & PG_DIRTY) || (mapping && unevictable)) && !owner_allows(scan, pfn, word_order(word)))
		return REFUSED_OWNER;
	return REFUSED_NOT;
}

// C3.9 row 1. True: another scan has seen this block before.
static bool leave_at_lock(struct source_scan *scan)
{
	bool skip;

	if (!scan->began || scan->locked)
		return false;
	scan->locked = true;
	if (scan->cc->ignore_skip_hint || scan->cc->no_set_skip_hint)
		return false;
	skip = pageblock_skip(scan->yard, scan->first);
	if (!skip)
		set_pageblock_skip(scan->yard, scan->first, true);
	return skip && !scan->cc->finish_pageblock;
}

// Rows 13 to 16; lru_lock held.
static enum look isolate_locked(struct source_scan *scan, uint32_t pfn)
{
	struct yard *yard = scan->yard;
	uint32_t word = frame_word(yard, pfn);

	if (!word_on_lru(word))
		return failed(scan, pfn, word, REFUSED_LOST);
	if (leave_at_lock(scan))
		return LOOK_LEAVE;
	if (too_large(scan->cc, word_order(word))) {
		skip_rest(scan, word_order(word));
		return failed(scan, pfn, word, REFUSED_GREW);
	}
	lru_unlink_noted(yard, pfn, &scan->taken);
	return LOOK_TAKEN;
}

static enum look isolate_lru_page(struct source_scan *scan, uint32_t pfn)
{
	enum look look;

	hold_lru_lock(scan, pfn);
	look = isolate_locked(scan, pfn);
	if (look != LOOK_TAKEN)
		return look;
	return take(scan, pfn, word_order(frame_word(scan->yard, pfn)));
}

// Row 5
static enum look isolate_movable_ops(struct source_scan *scan, uint32_t pfn, uint32_t word)
{
	_Atomic uint32_t *place = &frame_at(scan->yard, pfn)->word;
	uint32_t taken = (word & ~(uint32_t)PLACE_MASK) | place_bits(PLACE_MOVABLE_TAKEN);

	if (!owner_allows(scan, pfn, word_order(word)))
		return failed(scan, pfn, word, REFUSED_OFF_LRU);
	// Acquire: the links were another's before.
	if (!atomic_compare_exchange_strong_explicit(place, &word, taken, memory_order_acq_rel, memory_order_relaxed))
		return failed(scan, pfn, word, REFUSED_OFF_LRU);
	return take(scan, pfn, word_order(taken));
}

static enum look look_at_page(struct source_scan *scan, uint32_t pfn, uint32_t word)
{
	enum refusal row;

	if (too_large(scan->cc, word_order(word))) {
		skip_rest(scan, word_order(word));
		return failed(scan, pfn, word, REFUSED_LARGE);
	}
	if (word_place(word) == PLACE_MOVABLE_OPS)
		return isolate_movable_ops(scan, pfn, word);
	if (!word_on_lru(word))
		return failed(scan, pfn, word, REFUSED_OFF_LRU);
	row = refusal_of(scan, pfn, word);
	return row ? failed(scan, pfn, word, row) : isolate_lru_page(scan, pfn);
}

static enum look look_at_frame(struct source_scan *scan)
{
	uint32_t pfn = (uint32_t)scan->low, word;

	if (!scan->began && pfn == scan->first) { // row 1
		if (!isolation_suitable(scan->yard, scan->cc, pfn))
			return LOOK_LEAVE;
		scan->began = true;
	}
	word = frame_word(scan->yard, pfn);
	switch (word_state(word)) {
	case YARD_FRAME_BUDDY:
		skip_rest(scan, word_order(word));
		return LOOK_NEXT;
	case YARD_FRAME_ALLOCATED:
		return look_at_page(scan, pfn, word);
	case YARD_FRAME_NONE:
		return LOOK_FAILED;
	default: // in a per-CPU set, or taken by another scan
		return failed(scan, pfn, word, REFUSED_OFF_LRU);
	}
}

// ---- the block ----

// C4.9: in give-up mode the chunk cannot become free any more.
static void give_up_chunk(struct source_scan *scan)
{
	if (!scan->give_up)
		return;
	if (scan->isolated) {
		putback_movable_pages(scan->yard, &scan->cc->migrate);
		scan->cc->nr_migratepages = 0;
		scan->isolated = 0;
	}
	if (scan->low < scan->chunk_end) {
		scan->low = scan->chunk_end - 1;
		scan->chunk_end += 1ull << scan->cc->order;
	}
}

static bool chunk_complete(struct source_scan *scan) // C4.2 (a)
{
	if (!scan->give_up || scan->low < scan->chunk_end)
		return false;
	if (scan->isolated)
		return true;
	scan->chunk_end = chunk_end(scan->low, (unsigned)scan->cc->order);
	return false;
}

static bool cluster_full(const struct compact_control *cc) // C4.7
{
	return cc->nr_migratepages >= CLUSTER_MAX && !cc->finish_pageblock && !cc->contended;
}

static enum isolate_error scan_frames(struct source_scan *scan)
{
	for (; scan->low < scan->end; scan->low++) {
		if (chunk_complete(scan))
			break;
		if (!(scan->low % CLUSTER_MAX)) {
			drop_lru_lock(scan);
			if (scan_interrupted(scan->yard, scan->cc, &scan->visited))
				return ISOLATE_KILLED;
		}
		scan->scanned++;
		scan->visited++;
		switch (look_at_frame(scan)) {
		case LOOK_NEXT:
			break;
		case LOOK_FAILED:
			drop_lru_lock(scan);
			give_up_chunk(scan);
			break;
		case LOOK_TAKEN:
			if (!cluster_full(scan->cc))
				break;
			scan->low++;
			return ISOLATE_OK;
		case LOOK_LEAVE:
			scan->low = scan->end;
			return ISOLATE_OK;
		}
	}
	return ISOLATE_OK;
}

static void finish(struct source_scan *scan, uint64_t start, bool killed) // C4.8
{
	struct compact_control *cc = scan->cc;
	struct yard *yard = scan->yard;

	scan->low = lower_pfn(scan->low, scan->end);
	if (scan->low == scan->end && (!scan->isolated || cc->finish_pageblock)) {
		if (scan->began && !scan->locked)
			mark_scanned(yard, cc, scan->first);
		advance_cached_migrate(yard, cc, scan->low);
	}
	cc->unmarked = scan->began && !scan->locked && scan->isolated ? scan->first : PFN_NONE;
	if (!killed)
		TRACE(yard, ISOLATE_MIGRATEPAGES, (int64_t)start, (int64_t)scan->low, (int64_t)scan->scanned,
		      (int64_t)scan->isolated);
	yard_host_charge(&yard->host, YARD_COST_SCAN_FRAME, scan->visited);
	cc->total_migrate_scanned += scan->scanned;
	count_vm_event(yard, YARD_VM_COMPACT_ISOLATED, scan->isolated);
	cc->migrate_pfn = scan->low;
}

enum isolate_error isolate_migratepages_block(struct yard *yard, struct compact_control *cc, uint64_t low, uint64_t end)
{
	struct source_scan scan = {
		.yard = yard, .cc = cc, .low = low, .end = end,
		.first = higher_pfn(block_start(low), cc->zone->start_pfn),
		.give_up = cc->direct_compaction && cc->mode == YARD_MIGRATE_ASYNC,
	};
	enum isolate_error error = throttle(yard, cc);

	if (error != ISOLATE_OK)
		return error;
	if (scan.give_up)
		scan.chunk_end = chunk_end(low, (unsigned)cc->order);
	error = scan_frames(&scan);
	drop_lru_lock(&scan);
	finish(&scan, low, error == ISOLATE_KILLED);
	return error;
}
