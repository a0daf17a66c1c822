// SPDX-License-Identifier: Apache-2.0
//
// Teacher forcing of reclaim and compaction (pageyard/restore.h): the decisions of the background workers and of a run of
// compaction, asked for one by one. The rules are those of the files that make them; here they only get their moment.

#include "engine/compact_scan.h"

// ---- state ----

int yard_restore_compact(struct yard *yard, unsigned zone, const struct yard_compact_state *state)
{
	enum { SHIFT_MAX = 6 };

	if (zone >= yard->nr_zones || !zone_populated(zone_at(yard, zone)))
		return YARD_ERANGE;
	if (state->defer_shift > SHIFT_MAX || state->considered > 1u << SHIFT_MAX || state->order_failed > YARD_NR_PAGE_ORDERS)
		return YARD_EINVAL;
	yard->compact[zone] = (struct zone_compact){
		.cached_migrate = { state->cached_migrate[0], state->cached_migrate[1] }, .cached_free = state->cached_free,
		.init_migrate = state->init_migrate, .init_free = state->init_free, .considered = state->considered,
		.defer_shift = state->defer_shift, .order_failed = state->order_failed,
		.blockskip_flush = state->blockskip_flush,
	};
	return YARD_OK;
}

int yard_get_compact(const struct yard *yard, unsigned zone, struct yard_compact_state *state)
{
	const struct zone_compact *compact;

	if (zone >= yard->nr_zones || !zone_populated(zone_at(yard, zone)))
		return YARD_ERANGE;
	compact = &yard->compact[zone];
	*state = (struct yard_compact_state){
		.cached_migrate = { compact->cached_migrate[0], compact->cached_migrate[1] }, .cached_free = compact->cached_free,
		.init_migrate = compact->init_migrate, .init_free = compact->init_free, .considered = compact->considered,
		.defer_shift = compact->defer_shift, .order_failed = compact->order_failed,
		.blockskip_flush = compact->blockskip_flush,
	};
	return YARD_OK;
}

int yard_restore_workers(struct yard *yard, unsigned node, const struct yard_worker_state *state)
{
	struct node_mm *mm;

	if (node >= yard->nr_nodes)
		return YARD_ERANGE;
	if (state->kswapd_order > YARD_MAX_PAGE_ORDER || state->kcompactd_order > YARD_MAX_PAGE_ORDER
	    || state->kswapd_highest > YARD_ZONE_TYPES || state->kcompactd_highest >= YARD_ZONE_TYPES)
		return YARD_EINVAL;
	mm = &yard->mm[node];
	mm->kswapd.order = state->kswapd_order;
	mm->kswapd.highest_zone = state->kswapd_highest;
	mm->kcompactd.max_order = state->kcompactd_order;
	mm->kcompactd.highest_zone = state->kcompactd_highest;
	mm->kcompactd.asleep = state->kcompactd_asleep;
	yard_kswapd_awake(yard, node, state->kswapd_awake);
	return YARD_OK;
}

int yard_get_workers(const struct yard *yard, unsigned node, struct yard_worker_state *state)
{
	const struct node_mm *mm;

	if (node >= yard->nr_nodes)
		return YARD_ERANGE;
	mm = &yard->mm[node];
	*state = (struct yard_worker_state){
		.kswapd_order = mm->kswapd.order, .kswapd_highest = mm->kswapd.highest_zone,
		.kcompactd_order = mm->kcompactd.max_order, .kcompactd_highest = mm->kcompactd.highest_zone,
		.kcompactd_asleep = mm->kcompactd.asleep, .kswapd_awake = yard->nodes[node].kswapd_awake,
	};
	return YARD_OK;
}

// ---- single decisions ----

bool yard_peek_balanced(struct yard *yard, unsigned node, unsigned order, unsigned highest_zone)
{
	return node_balanced(yard, node, order, highest_zone);
}

uint64_t yard_peek_compact_gap(const struct yard *yard, unsigned order)
{
	return compact_gap(yard, order);
}

static unsigned type_of(uint32_t gfp) // G1
{
	return gfp & YARD_GFP_MOVABLE ? YARD_MOVABLE : gfp & YARD_GFP_RECLAIMABLE ? YARD_RECLAIMABLE : YARD_UNMOVABLE;
}

unsigned yard_peek_reclaim_order(const struct yard *yard, uint32_t gfp, unsigned order)
{
	bool nofragment = yard->policy.defrag_mode && !yard->no_dma32; // SP-11

	if (!nofragment || !yard->policy.promote_nonmovable || type_of(gfp) == YARD_MOVABLE || order >= YARD_PAGEBLOCK_ORDER)
		return order;
	return YARD_PAGEBLOCK_ORDER;
}

unsigned yard_peek_first_priority(uint32_t gfp, unsigned order)
{
	bool first = order > YARD_COSTLY_ORDER || (order && type_of(gfp) != YARD_MOVABLE);

	return first ? COMPACT_ASYNC : COMPACT_SYNC_LIGHT;
}

unsigned yard_peek_highest_zone(uint32_t gfp)
{
	int highest = gfp_highest_zone(gfp);

	return highest < 0 ? YARD_ZONE_NORMAL : (unsigned)highest;
}

bool yard_peek_proactive(struct yard *yard, unsigned node)
{
	return compact_node_fragmented(yard, node);
}

void yard_force_wake_kswapds(struct yard *yard, uint32_t gfp, unsigned order) // SP-13
{
	const uint8_t *entry = yard->nodes[yard->cpu_node[this_cpu(yard)]].fallback;
	unsigned highest = yard_peek_highest_zone(gfp);
	uint64_t seen = 0;

	if (yard->policy.defrag_mode && yard->policy.kswapd_block_wake && order < YARD_PAGEBLOCK_ORDER)
		order = YARD_PAGEBLOCK_ORDER;
	for (; *entry != ZONE_MIXED; entry++) {
		struct zone *zone = zone_at(yard, *entry);

		if (!zone_eligible(zone, highest, 0) || !zone->managed || seen >> zone->node & 1)
			continue;
		seen |= 1ull << zone->node;
		wakeup_kswapd(yard, zone, gfp, order, highest);
	}
}

void yard_force_wakeup_kcompactd(struct yard *yard, unsigned node, unsigned order, unsigned highest_zone)
{
	wakeup_kcompactd(yard, node, order, highest_zone);
}

static unsigned suit_flags(const struct yard *yard, bool background, uint32_t gfp) // KC-1, C1.1
{
	if (background)
		return yard->policy.defrag_mode && yard->policy.block_watermarks ? ALLOC_WMARK_HIGH : ALLOC_WMARK_MIN;
	return ALLOC_WMARK_MIN | (type_of(gfp) == YARD_MOVABLE ? ALLOC_CMA : 0);
}

int yard_force_suit(struct yard *yard, unsigned zone, unsigned order, unsigned highest_zone, bool background, uint32_t gfp,
		    bool async)
{
	return (int)compaction_suit_allocation_order(yard, zone_at(yard, zone), order, highest_zone,
						     suit_flags(yard, background, gfp), async, background);
}

bool yard_force_deferred(struct yard *yard, unsigned zone, unsigned order)
{
	return compaction_deferred(yard, zone_at(yard, zone), (int)order);
}

void yard_force_defer(struct yard *yard, unsigned zone, unsigned order)
{
	defer_compaction(yard, zone_at(yard, zone), (int)order);
}

void yard_force_defer_reset(struct yard *yard, unsigned zone, unsigned order, bool success)
{
	compaction_defer_reset(yard, zone_at(yard, zone), (int)order, success);
}

// ---- runs ----

enum { FOLIOS_MAX = 2 * YARD_PAGEBLOCK_NR_PAGES };

struct yard_run {
	struct compact_control cc;
	bool used;	    // cc holds a task's control (C1.2 carries some of it from zone to zone)
	bool no_memory;	    // the last folio that asked got no destination
	uint16_t nr, asked; // folios that ask for a destination, and how many have asked
	uint16_t first;	    // so many of them ask for the first time
	uint32_t parts;	    // single pages of folios that were split because nothing was large enough (M3)
	uint32_t taken, stored_before, isolated; // pages: of `order`, in the store at first, found since
	uint32_t store[YARD_NR_PAGE_ORDERS];	 // free chunks in store, by order
	uint8_t order[FOLIOS_MAX];
};

size_t yard_run_size(void)
{
	return sizeof(struct yard_run);
}

static void describe_run(struct yard *yard, struct compact_control *cc, const struct yard_run_request *request) // C1.1
{
	bool direct = request->kind == YARD_RUN_DIRECT, full = direct && request->priority == COMPACT_SYNC_FULL;

	*cc = (struct compact_control){
		.order = request->kind == YARD_RUN_PROACTIVE ? -1 : (int)request->order, .gfp = direct ? request->gfp : YARD_GFP_KERNEL,
		.mode = direct && request->priority == COMPACT_ASYNC ? YARD_MIGRATE_ASYNC : YARD_MIGRATE_SYNC_LIGHT,
		.direct_compaction = direct, .proactive_compaction = request->kind == YARD_RUN_PROACTIVE,
		.whole_zone = full || request->kind == YARD_RUN_PROACTIVE,
		.ignore_skip_hint = full || request->kind == YARD_RUN_PROACTIVE, .ignore_block_suitable = full,
	};
	if (request->kind == YARD_RUN_PROACTIVE)
		return;
	cc->search_order = (int)request->order;
	cc->highest_zone = request->highest_zone;
	cc->alloc_flags = suit_flags(yard, !direct, request->gfp);
}

static void forget_folios(struct yard_run *run)
{
	run->nr = run->asked = run->first = 0;
	run->parts = run->taken = 0;
	run->no_memory = false;
}

void yard_run_begin(struct yard *yard, struct yard_run *run, const struct yard_run_request *request)
{
	if (!run->used)
		describe_run(yard, &run->cc, request);
	run->used = true;
	run->cc.zone = zone_at(yard, request->zone);
	compact_begin(yard, &run->cc);
	lru_drain_cpu(yard, this_cpu(yard));
	forget_folios(run);
	__builtin_memset(run->store, 0, sizeof(run->store));
	run->stored_before = run->isolated = 0;
}

void yard_run_get(const struct yard_run *run, struct yard_run_state *state)
{
	*state = (struct yard_run_state){
		.migrate_pfn = run->cc.migrate_pfn, .free_pfn = run->cc.free_pfn,
		.sync = run->cc.mode != YARD_MIGRATE_ASYNC, .whole_zone = run->cc.whole_zone,
	};
}

void yard_run_set(struct yard_run *run, const struct yard_run_state *state)
{
	run->cc.migrate_pfn = state->migrate_pfn;
	run->cc.free_pfn = state->free_pfn;
}

void yard_run_rebind(struct yard *yard, struct yard_run *run)
{
	run->cc.zone = zone_at(yard, run->cc.zone->id);
}

int yard_run_finished(struct yard *yard, struct yard_run *run)
{
	struct compact_control *cc = &run->cc;
	enum compact_result result = compact_finished(yard, cc);

	forget_folios(run);
	if (result == COMPACT_CONTINUE)
		cc->finish_pageblock = cc->last_migrated >> YARD_PAGEBLOCK_ORDER == cc->migrate_pfn >> YARD_PAGEBLOCK_ORDER;
	return (int)result;
}

void yard_run_force_met(struct yard *yard, struct yard_run *run)
{
	compact_met(yard, &run->cc);
}

static void add_folio(struct yard_run *run, unsigned order)
{
	run->taken += 1u << order;
	if (run->nr < FOLIOS_MAX)
		run->order[run->nr++] = (uint8_t)order;
	run->first = run->nr;
}

// The pages go back where they were: whether they are moved is for the record to say.
static void put_back_sources(struct yard *yard, struct yard_run *run)
{
	struct compact_control *cc = &run->cc;

	while (!list_empty(&cc->migrate)) {
		uint32_t pfn = list_pop_head(yard, &cc->migrate), word = frame_word(yard, pfn);
		struct node_mm *mm = mm_of(yard, pfn);

		add_folio(run, word_order(word));
		mod_node_stat(yard, node_of(yard, pfn), word_is_file(word) ? YARD_NODE_ISOLATED_FILE : YARD_NODE_ISOLATED_ANON,
			      -(1 << word_order(word)));
		yard_spin_lock(&mm->lru_lock);
		lru_link(yard, pfn, false);
		yard_spin_unlock(&mm->lru_lock);
	}
	cc->nr_migratepages = 0;
}

void yard_run_sources(struct yard *yard, struct yard_run *run)
{
	enum isolate_result result = isolate_migratepages(yard, &run->cc);

	if (result == ISOLATE_SUCCESS)
		compact_sources_taken(&run->cc);
	else if (result == ISOLATE_NONE)
		compact_sources_empty(yard, &run->cc);
	forget_folios(run);
	put_back_sources(yard, run);
}

void yard_run_force_sources(struct yard *yard, struct yard_run *run, uint32_t start, uint32_t end, uint32_t taken)
{
	struct compact_control *cc = &run->cc;
	uint32_t block = start & ~(uint32_t)(YARD_PAGEBLOCK_NR_PAGES - 1);
	bool whole = end >= block + YARD_PAGEBLOCK_NR_PAGES || end >= cc->zone->end_pfn;

	if ((start == block || start == cc->zone->start_pfn) && (taken ? !cc->ignore_skip_hint : whole)) // C3.9
		set_pageblock_skip(yard, start, true);
	if (whole && (!taken || cc->finish_pageblock))
		advance_cached_migrate(yard, cc, block + YARD_PAGEBLOCK_NR_PAGES);
	cc->migrate_pfn = end;
	if (taken)
		compact_sources_taken(cc);
	while (run->nr && run->taken > taken)
		run->taken -= 1u << run->order[--run->nr];
	run->first = run->nr;
	while (run->taken < taken)
		add_folio(run, 0);
}

// ---- destinations (C5.9), by number only: which frames they are, the record tells ----

static bool take_stored(struct yard_run *run, unsigned order)
{
	unsigned o = order;

	while (o <= YARD_MAX_PAGE_ORDER && !run->store[o])
		o++;
	if (o > YARD_MAX_PAGE_ORDER)
		return false;
	for (run->store[o]--; o > order;)
		run->store[--o]++;
	return true;
}

// The order of the folio that asks now.
static unsigned asking(const struct yard_run *run)
{
	return run->asked < run->nr ? run->order[run->asked] : 0;
}

static void answered(struct yard_run *run, bool found)
{
	unsigned order = asking(run);

	run->no_memory = !found && !order;
	if (!found && order)
		run->parts += 1u << order;
	if (run->asked < run->nr)
		run->asked++;
	else if (run->parts)
		run->parts--;
}

static bool more_ask(const struct yard_run *run)
{
	return run->asked < run->nr || run->parts;
}

static uint64_t pages_stored(const struct yard_run *run)
{
	uint64_t pages = 0;

	for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
		pages += (uint64_t)run->store[order] << order;
	return pages;
}

static uint64_t pages_asking(const struct yard_run *run)
{
	uint64_t pages = run->parts;

	for (unsigned i = run->asked; i < run->nr; i++)
		pages += 1ull << run->order[i];
	return pages;
}

void yard_run_force_target(struct yard_run *run, unsigned order)
{
	run->store[order]++;
	run->isolated += 1u << order;
}

static void answer_from_store(struct yard_run *run)
{
	while (more_ask(run) && take_stored(run, asking(run)))
		answered(run, true);
}

// C5.1 for the folio that asks now. False: it was not worth an event.
static bool search_targets(struct yard *yard, struct yard_run *run)
{
	struct compact_control *cc = &run->cc;
	uint64_t scanned = cc->total_free_scanned;

	for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
		list_init(&cc->free_store[order]);
	cc->nr_freepages = pages_stored(run);
	cc->nr_migratepages = pages_asking(run);
	isolate_freepages(yard, cc);
	for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
		for (uint32_t pfn = cc->free_store[order].head; pfn != PFN_NONE; pfn = frame_at(yard, pfn)->next)
			yard_run_force_target(run, order);
	answered(run, take_stored(run, asking(run)));
	cc->nr_freepages = cc->nr_migratepages = 0;
	return cc->order > 0 || cc->total_free_scanned != scanned;
}

void yard_run_targets(struct yard *yard, struct yard_run *run)
{
	do
		answer_from_store(run);
	while (!search_targets(yard, run) && more_ask(run));
}

void yard_run_returned(struct yard_run *run, unsigned order)
{
	if (run->asked >= run->first) // it has asked again, and failed again
		answer_from_store(run);
	run->store[order]++;
	if (run->nr < FOLIOS_MAX)
		run->order[run->nr++] = (uint8_t)order;
}

bool yard_run_exhausted(const struct yard_run *run)
{
	return run->no_memory && !compact_scanners_met(&run->cc);
}

bool yard_run_migrated(struct yard_run *run, uint32_t moved, uint32_t failed)
{
	uint64_t left = run->stored_before + run->isolated > moved ? run->stored_before + run->isolated - moved : 0;

	run->nr = run->first;
	answer_from_store(run);
	while (pages_stored(run) > left) // those that asked are not those that the record moved
		take_stored(run, 0);
	run->store[0] += (uint32_t)(left - pages_stored(run));
	run->stored_before = (uint32_t)left;
	run->isolated = 0;
	forget_folios(run);
	return failed && compact_rescan(&run->cc);
}

void yard_run_force_rescan(struct yard_run *run, bool rescan)
{
	run->cc.finish_pageblock = rescan;
}

bool yard_run_drains(struct yard *yard, struct yard_run *run)
{
	bool drains = compact_wants_drain(&run->cc);

	if (drains)
		lru_drain_cpu(yard, this_cpu(yard));
	return drains;
}

void yard_run_end(struct yard *yard, struct yard_run *run, uint32_t highest_released)
{
	compact_end(yard, &run->cc, highest_released);
}
