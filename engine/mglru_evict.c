// SPDX-License-Identifier: Apache-2.0
//
// Eviction in the multi-gen LRU (spec 04 G-9, G-10, G-12): batches from the tails of the oldest generation, until
// enough is reclaimed or the generations have to age first.

#include "engine/mglru.h"

// ---- G-9 ----

struct gen_scan {
	struct lru_gen *gens;
	unsigned node, type, tier; // tier: the highest that is not spared
	uint64_t scanned, sorted, isolated;
	struct list pages;
};

// Moves a page of the second-oldest generation now to it.
static void move_up(struct yard *yard, struct gen_scan *scan, uint32_t pfn, unsigned zone, uint32_t clear, bool tail)
{
	unsigned gen = seq_gen(scan->gens->min_seq[scan->type] + 1);
	struct list *list = &scan->gens->lists[gen][scan->type][zone];

	gen_list_del(yard, pfn);
	gen_renumber(yard, pfn, gen, clear, 0);
	if (tail)
		list_add_tail(yard, list, pfn);
	else
		list_add_head(yard, list, pfn);
}

// True: the page belongs on another list and is there now.
static bool sort_page(struct yard *yard, const struct scan_control *sc, struct gen_scan *scan, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);
	unsigned zone = zone_of_block(yard, pfn)->type;
	bool saturated = word_accesses(word) + !!(word & PG_WORKINGSET) == 5;

	yard_host_charge(&yard->host, YARD_COST_LRU_ISOLATE, 1);
	if (word & PG_MLOCKED) // C-7 culls it
		return false;
	if (word_gen(word) != seq_gen(scan->gens->min_seq[scan->type])) { // promoted
		gen_list_del(yard, pfn);
		list_add_head(yard, &scan->gens->lists[word_gen(word)][scan->type][zone], pfn);
		return true;
	}
	if (word_tier(word) > scan->tier || saturated) {
		gen_protect(scan->gens, word);
		move_up(yard, scan, pfn, zone, PG_ACCESSES, false);
		return true;
	}
	if (zone > sc->highest_zone) {
		move_up(yard, scan, pfn, zone, 0, true);
		return true;
	}
	return false;
}

// Under lru_lock nothing can keep a page on its list, so none is skipped.
static void isolate_page(struct yard *yard, struct gen_scan *scan, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);

	yard_host_charge(&yard->host, YARD_COST_LRU_PAGE, 1);
	gen_unlink(yard, pfn, true);
	frame_change(yard, pfn, PLACE_MASK | (word & PG_REFERENCED ? 0 : PG_REFS), place_bits(PLACE_ISOLATED));
	list_add_tail(yard, &scan->pages, pfn);
	scan->isolated += (uint64_t)word_pages(word);
}

static void mod_typed_stat(struct yard *yard, const struct gen_scan *scan, enum yard_node_stat anon, int64_t pages)
{
	mod_node_stat(yard, scan->node, (enum yard_node_stat)(anon + scan->type), pages);
}

static void account_scan(struct yard *yard, const struct scan_control *sc, const struct gen_scan *scan, uint64_t nr)
{
	mod_typed_stat(yard, scan, YARD_NODE_ISOLATED_ANON, (int64_t)scan->isolated);
	account_scanned(yard, scan->node, sc, scan->type, scan->isolated);
	mod_node_stat(yard, scan->node, YARD_NODE_PGREFILL, (int64_t)scan->sorted);
	TRACE(yard, LRU_ISOLATE, sc->highest_zone, sc->order, (int64_t)nr, (int64_t)scan->scanned, 0,
	      (int64_t)scan->isolated, scan->type == FILE_LRU ? YARD_LRU_INACTIVE_FILE : YARD_LRU_INACTIVE_ANON);
}

// lru_lock held. Up to nr folios of one type, those of the highest zone that may be used first.
static void scan_type(struct yard *yard, const struct scan_control *sc, struct gen_scan *scan, unsigned type,
		      uint64_t nr)
{
	uint64_t left = nr < GEN_BATCH_MAX ? nr : GEN_BATCH_MAX;

	scan->type = type;
	scan->tier = gen_tier_limit(scan->gens, type);
	if (nr_gens(scan->gens, type) == MIN_GENS)
		return;
	for (unsigned i = YARD_ZONE_TYPES; i > 0 && left && scan->isolated < GEN_BATCH_MIN; i--) {
		unsigned zone = (sc->highest_zone + i) % YARD_ZONE_TYPES;
		struct list *list = &scan->gens->lists[seq_gen(scan->gens->min_seq[type])][type][zone];

		for (; left && scan->isolated < GEN_BATCH_MIN && !list_empty(list); left--) {
			uint32_t pfn = list->tail;
			uint64_t pages = (uint64_t)word_pages(frame_word(yard, pfn));

			scan->scanned += pages;
			if (sort_page(yard, sc, scan, pfn))
				scan->sorted += pages;
			else
				isolate_page(yard, scan, pfn);
		}
	}
	account_scan(yard, sc, scan, nr);
}

// ---- G-10 ----

static bool generation_empty(const struct lru_gen *gens, unsigned type, uint64_t seq)
{
	for (unsigned zone = 0; zone < YARD_ZONE_TYPES; zone++)
		if (!list_empty(&gens->lists[seq_gen(seq)][type][zone]))
			return false;
	return true;
}

// lru_lock held. Empty oldest generations end.
static void flush_generations(struct lru_gen *gens, int swappiness)
{
	uint64_t hold = gens->max_seq - MIN_GENS, seq[LRU_TYPES];
	bool both = type_allowed(swappiness, ANON) && type_allowed(swappiness, FILE_LRU);

	for (unsigned type = 0; type < LRU_TYPES; type++) {
		seq[type] = gens->min_seq[type];
		while (type_allowed(swappiness, type) && seq[type] + MIN_GENS <= gens->max_seq
		       && generation_empty(gens, type, seq[type]))
			seq[type]++;
	}
	for (unsigned type = 0; both && type < LRU_TYPES; type++)
		if (seq[type] > hold && seq[!type] < hold)
			seq[type] = hold;
	for (unsigned type = 0; type < LRU_TYPES; type++)
		if (seq[type] > gens->min_seq[type])
			gen_advance(gens, type, seq[type]);
}

static void isolate_batch(struct yard *yard, const struct scan_control *sc, struct gen_scan *scan, int swappiness,
			  uint64_t nr)
{
	struct node_mm *mm = &yard->mm[scan->node];
	unsigned type;

	yard_spin_lock(&mm->lru_lock);
	flush_generations(scan->gens, swappiness);
	type = gen_choose_type(scan->gens, swappiness);
	scan_type(yard, sc, scan, type, nr);
	if (!scan->scanned && type_allowed(swappiness, !type))
		scan_type(yard, sc, scan, !type, nr);
	flush_generations(scan->gens, swappiness);
	yard_spin_unlock(&mm->lru_lock);
}

// Its writeback may have ended meanwhile, too late to move it to the tail (L-17).
static bool worth_a_retry(uint32_t word)
{
	return word_place(word) == PLACE_ISOLATED
	       && !(word & (PG_ACTIVE | PG_MAPPING | PG_DIRTY | PG_WRITEBACK | PG_MLOCKED));
}

// Puts the survivors back, but for those that go to *again (NULL: none do).
static void put_survivors_back(struct yard *yard, struct gen_scan *scan, struct list *again)
{
	struct node_mm *mm = &yard->mm[scan->node];
	struct list rest;

	list_init(&rest);
	yard_spin_lock(&mm->lru_lock);
	while (!list_empty(&scan->pages)) {
		uint32_t pfn = list_pop_head(yard, &scan->pages), word = frame_word(yard, pfn);
		bool retry = again && worth_a_retry(word);

		if (!retry && gen_entry_seq(scan->gens, word, false) == scan->gens->min_seq[word_lru_type(word)])
			frame_change(yard, pfn, PG_ACCESSES, PG_ACTIVE); // what was refused is not to come back at once
		list_add_tail(yard, retry ? again : &rest, pfn);
	}
	yard_spin_unlock(&mm->lru_lock);
	putback_pages(yard, &rest);
}

static uint64_t pages_of(const struct yard *yard, const struct list *list)
{
	uint64_t pages = 0;

	for (uint32_t pfn = list->head; pfn != PFN_NONE; pfn = frame_at(yard, pfn)->next)
		pages += (uint64_t)word_pages(frame_word(yard, pfn));
	return pages;
}

static uint64_t shrink_pages(struct yard *yard, struct scan_control *sc, struct gen_scan *scan, uint64_t scanned)
{
	struct scan_stat stat = { .taken = pages_of(yard, &scan->pages) };
	uint64_t reclaimed = shrink_folio_list(yard, scan->node, sc, &scan->pages, &stat, false);

	if (stat.unqueued_dirty == stat.taken && yard->owner.wake_flusher) // C-6.6
		yard->owner.wake_flusher(yard->owner.context, scan->node);
	trace_shrink_inactive(yard, scan->node, sc, scan->type, &stat, scanned, reclaimed);
	return reclaimed;
}

static void account_evicted(struct yard *yard, struct scan_control *sc, const struct gen_scan *scan, uint64_t reclaimed)
{
	mod_typed_stat(yard, scan, YARD_NODE_ISOLATED_ANON, -(int64_t)scan->isolated);
	account_stolen(yard, scan->node, sc, scan->type, reclaimed);
	if (yard->policy.cost_folding && scan->isolated > reclaimed) // V-10
		mod_typed_stat(yard, scan, YARD_NODE_PGROTATE_ANON, (int64_t)(scan->isolated - reclaimed));
	sc->nr_reclaimed += reclaimed;
}

// Returns the pages looked at.
static uint64_t evict(struct yard *yard, unsigned node, struct scan_control *sc, int swappiness, uint64_t nr)
{
	struct gen_scan scan = { .gens = gens_of(yard, node), .node = node };
	uint64_t reclaimed;
	struct list again;

	list_init(&scan.pages);
	list_init(&again);
	isolate_batch(yard, sc, &scan, swappiness, nr);
	if (!scan.isolated)
		return scan.scanned;
	reclaimed = shrink_pages(yard, sc, &scan, scan.scanned);
	put_survivors_back(yard, &scan, &again);
	if (!list_empty(&again)) {
		scan.pages = again;
		reclaimed += shrink_pages(yard, sc, &scan, 0);
		put_survivors_back(yard, &scan, NULL);
	}
	account_evicted(yard, sc, &scan, reclaimed);
	return scan.scanned;
}

// ---- G-12 ----

static uint64_t evictable_pages(const struct yard *yard, unsigned node, int swappiness)
{
	uint64_t pages = 0;

	for (unsigned list = 0; list < YARD_LRU_UNEVICTABLE; list++)
		if (type_allowed(swappiness, list >= YARD_LRU_INACTIVE_FILE ? FILE_LRU : ANON))
			pages += lruvec_size(yard, node, (enum yard_lru_list)list, YARD_ZONE_TYPES - 1);
	return pages;
}

static bool should_age(struct yard *yard, unsigned node, const struct scan_control *sc, int swappiness)
{
	struct node_mm *mm = &yard->mm[node];
	uint64_t oldest, max_seq;

	yard_spin_lock(&mm->lru_lock);
	oldest = gen_evictable_min_seq(&mm->lruvec.gen, swappiness);
	max_seq = mm->lruvec.gen.max_seq;
	yard_spin_unlock(&mm->lru_lock);
	if (oldest + MIN_GENS > max_seq) // nothing can be evicted before
		return true;
	return sc->priority != DEF_PRIORITY && oldest + MIN_GENS == max_seq;
}

static bool zones_have_enough(struct yard *yard, unsigned node, const struct scan_control *sc)
{
	for (unsigned type = 0; type <= sc->highest_zone; type++) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);
		uint64_t mark = zone_wmark(zone, balance_mark(yard)) + GEN_BATCH_MIN;

		if (zone->managed && !watermark_ok(yard, zone, 0, mark, sc->highest_zone, 0,
						   zone_stat(zone, YARD_NR_FREE_PAGES)))
			return false;
	}
	return true;
}

static bool should_abort(struct yard *yard, unsigned node, const struct scan_control *sc)
{
	uint64_t gap = compact_gap(yard, sc->order);

	if (sc->role == ROLE_PROACTIVE && fatal_signal(yard))
		return true;
	if (sc->nr_reclaimed >= (sc->nr_to_reclaim > gap ? sc->nr_to_reclaim : gap))
		return true;
	return sc->role == ROLE_KSWAPD && !sc->order && zones_have_enough(yard, node, sc);
}

static void shrink_generations(struct yard *yard, unsigned node, struct scan_control *sc)
{
	int swappiness = gen_swappiness(yard, node, sc);
	uint64_t scan = evictable_pages(yard, node, swappiness) >> sc->priority;

	while (scan) {
		bool aged = should_age(yard, node, sc, swappiness) && gen_run_aging(yard, node, swappiness);
		uint64_t scanned;

		scanned = evict(yard, node, sc, swappiness, scan < GEN_BATCH_MIN ? scan : GEN_BATCH_MIN);
		if (!scanned || should_abort(yard, node, sc) || aged)
			return;
		scan -= scanned < scan ? scanned : scan;
		yard_host_yield(&yard->host);
	}
}

void gen_shrink_node(struct yard *yard, unsigned node, struct scan_control *sc)
{
	uint64_t before = sc->nr_reclaimed, got;

	if ((!sc->may_writepage || !sc->may_unmap)
	    && (sc->role == ROLE_KSWAPD || yard->policy.node_reclaim_gen_strict)) // spec 05 Z9
		return;
	if (sc->role == ROLE_KSWAPD) // whose passes are judged one by one
		sc->nr_reclaimed = 0;
	got = sc->nr_reclaimed;
	if (yard->owner.release) {
		lru_drain_cpu(yard, this_cpu(yard));
		gen_initial_priority(yard, node, sc);
		shrink_generations(yard, node, sc);
	}
	sc->nr_reclaimed += node_shrink_slab(yard, node, sc);
	got = sc->nr_reclaimed - got;
	if (sc->role == ROLE_KSWAPD)
		sc->nr_reclaimed += before;
	if (got)
		kswapd_try_clear_hopeless(yard, node, sc); // K-15a
}
