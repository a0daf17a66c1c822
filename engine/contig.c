// SPDX-License-Identifier: Apache-2.0
//
// Contiguous ranges (spec 01 C10, C12; spec 03 C4.10). Pages in use are in the way: those that can move are moved out.

#include "engine/compact_scan.h"
#include "engine/lru.h"

enum { MIGRATE_TRIES = 5 };

struct range {
	struct yard *yard;
	struct zone *zone;
	uint32_t start, end;
	uint32_t outer_start, outer_end; // what the free blocks cover that hold [start, end)
	uint32_t gfp;			 // of those who have to move
};

// ---- moving out what is in the way (C4.10) ----

static bool clean_file(uint32_t word) // P-6: evictable, not dirty, not swap-backed
{
	return word_place(word) == PLACE_ISOLATED && word_is_file(word) && !(word & (PG_DIRTY | PG_MLOCKED));
}

static void take_clean_files(struct range *range, struct compact_control *cc, struct list *clean)
{
	struct yard *yard = range->yard;
	uint32_t next;

	list_init(clean);
	for (uint32_t pfn = cc->migrate.head; pfn != PFN_NONE; pfn = next) {
		uint32_t word = frame_word(yard, pfn);

		next = frame_at(yard, pfn)->next;
		if (!clean_file(word))
			continue;
		list_del(yard, &cc->migrate, pfn);
		list_add_tail(yard, clean, pfn);
		cc->nr_migratepages -= 1ull << word_order(word);
		uncount_isolated(yard, pfn, word);
	}
}

// Reclaim may have found that a page was not to be freed lazily after all: then it is an anonymous one now.
static void take_back_kept(struct range *range, struct compact_control *cc, struct list *kept)
{
	struct yard *yard = range->yard;

	while (!list_empty(kept)) {
		uint32_t pfn = kept->tail, word = frame_word(yard, pfn);

		list_del(yard, kept, pfn);
		list_add_head(yard, &cc->migrate, pfn);
		cc->nr_migratepages += 1ull << word_order(word);
		count_isolated(yard, pfn);
	}
}

// P-6: they need not move, nobody loses anything when they go.
static void drop_clean_files(struct range *range, struct compact_control *cc)
{
	struct yard *yard = range->yard;
	struct scan_control sc = {
		.gfp = YARD_GFP_KERNEL, .priority = DEF_PRIORITY, .role = ROLE_DIRECT, .may_unmap = true,
		.no_demotion = true, .highest_zone = YARD_ZONE_TYPES - 1, .swappiness = -1,
	};
	struct scan_stat stat = { 0 };
	struct list clean;
	unsigned memalloc;

	if (!yard->owner.release)
		return;
	take_clean_files(range, cc, &clean);
	memalloc = memalloc_enter(yard);
	shrink_folio_list(yard, range->zone->node, &sc, &clean, &stat, true);
	memalloc_leave(yard, memalloc);
	take_back_kept(range, cc, &clean);
}

static uint32_t get_destination(struct yard *yard, void *context, uint32_t from, unsigned order)
{
	const struct range *range = context;
	const struct yard_request request = {
		.gfp = range->gfp | (range->zone->type == YARD_ZONE_MOVABLE ? YARD_GFP_HIGHMEM : 0),
		.order = (uint8_t)order, .node = range->zone->node,
	};
	struct yard_result result;

	(void)from;
	return yard_alloc_request(yard, &request, &result) == YARD_OK ? result.pfn : PFN_NONE;
}

static void put_destination(struct yard *yard, void *context, uint32_t pfn, unsigned order)
{
	(void)context;
	yard_free(yard, pfn, order);
}

// One batch of isolated pages, again and again until all have left.
static int move_list(struct range *range, struct compact_control *cc)
{
	const struct migrate_target target = { .get = get_destination, .put = put_destination, .context = range };
	struct yard *yard = range->yard;

	for (unsigned tries = 0; !list_empty(&cc->migrate); tries++) {
		uint64_t moved;

		if (tries == MIGRATE_TRIES || fatal_signal(yard))
			return YARD_EBUSY;
		drop_clean_files(range, cc);
		if (migrate_pages(yard, &cc->migrate, &target, cc->mode, MR_CONTIG_RANGE, &moved) == MIGRATE_NO_MEMORY)
			return YARD_ENOMEM;
		if (!list_empty(&cc->migrate))
			lru_drain_all(yard); // what waits in a batch cannot move
	}
	cc->nr_migratepages = 0;
	return YARD_OK;
}

static int move_out(struct range *range, struct compact_control *cc)
{
	struct yard *yard = range->yard;
	struct yard_task nobody = { .pid = 0 }, *task = current_task(yard);
	uint64_t pfn = range->start;
	int error = YARD_OK;

	if (!task) // reclaim and the owner's callbacks run with PF_MEMALLOC
		yard_set_current(yard, &nobody);
	lru_drain_all(yard);
	while (!error && pfn < range->end) {
		enum isolate_error stopped = isolate_migratepages_range(yard, cc, pfn, range->end);

		pfn = stopped == ISOLATE_OK && cc->nr_migratepages < CLUSTER_MAX ? range->end : cc->migrate_pfn;
		if (stopped == ISOLATE_KILLED || (stopped == ISOLATE_AGAIN && !cc->nr_migratepages))
			error = YARD_EBUSY;
		else
			error = move_list(range, cc);
	}
	putback_movable_pages(yard, &cc->migrate);
	yard_set_current(yard, task);
	return error;
}

// ---- taking what is free ----

// The pageblocks are isolated, so no watermark is asked (C11).
static int take_range(struct range *range, struct compact_control *cc)
{
	struct yard *yard = range->yard;
	unsigned order;

	yard_spin_lock(&range->zone->lock);
	range->outer_start = free_block_holding(yard, range->start, &order);
	yard_spin_unlock(&range->zone->lock);
	if (range->outer_start == PFN_NONE)
		return YARD_EBUSY;
	range->outer_end = (uint32_t)isolate_freepages_range(yard, cc, range->outer_start, range->end);
	return range->outer_end ? YARD_OK : YARD_EBUSY;
}

// The chunks become single allocated frames; what lies outside the range is freed again.
static void hand_out(struct range *range, struct compact_control *cc)
{
	struct yard *yard = range->yard;

	for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++)
		while (!list_empty(&cc->free_store[order])) {
			uint32_t pfn = list_pop_head(yard, &cc->free_store[order]);

			for (uint32_t i = 0; i < 1u << order; i++)
				frame_set_word(yard, pfn + i, make_word(YARD_FRAME_ALLOCATED, 0, 0));
		}
	if (range->outer_start < range->start)
		yard_free_range(yard, range->outer_start, range->start - range->outer_start);
	if (range->outer_end > range->end)
		yard_free_range(yard, range->end, range->outer_end - range->end);
}

static int empty_and_take(struct range *range)
{
	struct compact_control cc = {
		.order = -1, .zone = range->zone, .mode = YARD_MIGRATE_SYNC, .gfp = range->gfp,
		.ignore_skip_hint = true, .no_set_skip_hint = true, .alloc_contig = true,
	};
	int error = YARD_OK;

	compact_reset(range->yard, &cc);
	yard_drain_all(range->yard, range->zone->id);
	if (range->yard->owner.move)
		error = move_out(range, &cc);
	if (!error)
		error = take_range(range, &cc);
	if (!error)
		hand_out(range, &cc);
	return error;
}

static int alloc_range(struct yard *yard, uint32_t start, uint32_t end, enum yard_isolate_mode mode,
		       uint32_t gfp) // C10
{
	const uint32_t reclaim = YARD_GFP_DIRECT_RECLAIM | YARD_GFP_KSWAPD_RECLAIM | YARD_GFP_IO | YARD_GFP_FS;
	struct range range = {
		.yard = yard, .start = start, .end = end,
		.gfp = (gfp & reclaim) | YARD_GFP_MOVABLE | YARD_GFP_RETRY_MAYFAIL,
	};
	int error = yard_isolate_range(yard, start, end, mode);

	if (error)
		return error;
	range.zone = zone_of(yard, start);
	error = zone_of(yard, end - 1) == range.zone ? empty_and_take(&range) : YARD_EBUSY;
	yard_unisolate_range(yard, start, end);
	return error;
}

int yard_alloc_range(struct yard *yard, uint32_t start, uint32_t end, enum yard_isolate_mode mode)
{
	return alloc_range(yard, start, end, mode, YARD_GFP_KERNEL);
}

// ---- C12 ----

static bool candidate(const struct yard *yard, const struct zone *zone, uint32_t pfn, uint32_t end)
{
	while (pfn < end) {
		uint32_t first;
		unsigned order;
		enum yard_frame_state state = yard_frame_state(yard, pfn, &first, &order);

		if (zone_of(yard, pfn) != zone || state == YARD_FRAME_NONE)
			return false;
		if (state == YARD_FRAME_ALLOCATED && !(yard->owner.move && word_movable(frame_word(yard, first))))
			return false;
		pfn = first + (1u << order);
	}
	return true;
}

uint32_t yard_alloc_contig(struct yard *yard, uint32_t nr, uint32_t gfp)
{
	const struct node *node = &yard->nodes[yard->cpu_node[this_cpu(yard)]];
	const uint8_t *entry = gfp & YARD_GFP_THISNODE ? node->thisnode : node->fallback;
	int highest = gfp_highest_zone(gfp);

	if (!nr || highest < 0)
		return PFN_NONE;
	for (; *entry != ZONE_MIXED; entry++) {
		const struct zone *zone = zone_at(yard, *entry);
		uint64_t pfn;

		if (!zone_eligible(zone, (unsigned)highest, 0))
			continue;
		for (pfn = ((uint64_t)zone->start_pfn + nr - 1) / nr * nr; pfn + nr <= zone->end_pfn; pfn += nr) {
			if (!candidate(yard, zone, (uint32_t)pfn, (uint32_t)(pfn + nr)))
				continue;
			if (!alloc_range(yard, (uint32_t)pfn, (uint32_t)(pfn + nr), YARD_ISOLATE_OTHER, gfp))
				return (uint32_t)pfn;
		}
	}
	return PFN_NONE;
}
