// SPDX-License-Identifier: Apache-2.0
//
// One batch of pages of one LRU list (spec 04 sections 2.5, 2.6): they are isolated from its tail, decided about, and
// put back or freed. The inactive lists are reclaimed from, the active ones only grow shorter.

#include "engine/mm.h"

enum { SKIPPED_MAX = CLUSTER_MAX * 1024 };

static unsigned list_type(enum yard_lru_list list)
{
	return list >= YARD_LRU_INACTIVE_FILE ? FILE_LRU : ANON;
}

static enum yard_node_stat typed(enum yard_node_stat anon, unsigned type)
{
	return (enum yard_node_stat)(anon + type);
}

int64_t reclaim_flags(unsigned type) // T-2
{
	return (type == FILE_LRU ? 2 : 1) | 8;
}

// ---- C-5 ----

struct isolation {
	struct list skipped;
	uint64_t total, counted, taken, nr_skipped, skipped_folios;
	uint64_t skipped_pages[YARD_ZONE_TYPES];
};

// The page at the tail, which is on the list.
static void isolate_one(struct yard *yard, const struct scan_control *sc, uint32_t pfn, struct isolation *isolation,
			struct list *taken)
{
	const struct zone *zone = zone_of_block(yard, pfn);
	uint32_t word = frame_word(yard, pfn);
	uint64_t pages = 1ull << word_order(word);

	yard_host_charge(&yard->host, YARD_COST_LRU_ISOLATE, 1);
	isolation->total += pages;
	if (zone->type > sc->highest_zone && isolation->skipped_folios < SKIPPED_MAX) {
		isolation->skipped_folios++;
		isolation->nr_skipped += pages;
		isolation->skipped_pages[zone->type] += pages;
		lru_list_del(yard, pfn);
		list_add_tail(yard, &isolation->skipped, pfn);
		return;
	}
	isolation->counted += pages;
	if (!sc->may_unmap && word & PG_MAPPING) {
		lru_list_del(yard, pfn);
		lru_list_add(yard, pfn, false);
		return;
	}
	lru_unlink(yard, pfn);
	list_add_tail(yard, taken, pfn);
	isolation->taken += pages;
}

// Counts the pages taken in NR_ISOLATED. Oldest first.
static uint64_t isolate_pages(struct yard *yard, unsigned node, const struct scan_control *sc, uint64_t nr,
			      enum yard_lru_list list, struct list *taken, uint64_t *scanned)
{
	struct node_mm *mm = &yard->mm[node];
	struct isolation isolation = { .total = 0 };

	list_init(taken);
	list_init(&isolation.skipped);
	yard_spin_lock(&mm->lru_lock);
	while (isolation.counted < nr && !list_empty(&mm->lruvec.lists[list]))
		isolate_one(yard, sc, mm->lruvec.lists[list].tail, &isolation, taken);
	while (!list_empty(&isolation.skipped))
		lru_list_add(yard, list_pop_head(yard, &isolation.skipped), false);
	mod_node_stat(yard, node, typed(YARD_NODE_ISOLATED_ANON, list_type(list)), (int64_t)isolation.taken);
	yard_spin_unlock(&mm->lru_lock);
	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
		if (isolation.skipped_pages[type])
			count_vm_event(yard, (enum yard_vm_event)(YARD_VM_PGSKIP_DMA + type),
				       isolation.skipped_pages[type]);
	TRACE(yard, LRU_ISOLATE, sc->highest_zone, sc->order, (int64_t)nr, (int64_t)isolation.total,
	      (int64_t)isolation.nr_skipped, (int64_t)isolation.taken, list);
	*scanned = isolation.total;
	return isolation.taken;
}

// ---- C-7r ----

uint64_t putback_pages(struct yard *yard, struct list *list)
{
	struct free_batch batch = { .nr = 0 };
	uint64_t moved = 0;

	while (!list_empty(list)) {
		uint32_t pfn = list_pop_head(yard, list);
		unsigned order = word_order(frame_word(yard, pfn));

		if (lru_gone(yard, pfn)) {
			free_batch_add(yard, &batch, pfn);
			continue;
		}
		lru_putback(yard, pfn, true);
		moved += 1ull << order;
	}
	free_batch_flush(yard, &batch);
	return moved;
}

// ---- C-6 ----

static bool too_many_isolated(struct yard *yard, unsigned node, const struct scan_control *sc, unsigned type) // C-6.1
{
	const uint32_t both = YARD_GFP_IO | YARD_GFP_FS;
	int64_t inactive = node_stat(yard, node, (enum yard_node_stat)(YARD_NODE_INACTIVE_ANON + 2 * type));

	if (sc->role == ROLE_KSWAPD)
		return false;
	if ((sc->gfp & both) == both)
		inactive >>= 3;
	if (node_stat(yard, node, typed(YARD_NODE_ISOLATED_ANON, type)) > inactive)
		return true;
	wake_throttled(yard, node, YARD_QUEUE_ISOLATED);
	return false;
}

// False: too many pages are isolated; *result is what the batch counts as.
static bool may_isolate(struct yard *yard, unsigned node, const struct scan_control *sc, unsigned type,
			uint64_t *result)
{
	*result = 0;
	if (!too_many_isolated(yard, node, sc, type))
		return true;
	reclaim_throttle(yard, node, YARD_QUEUE_ISOLATED);
	if (fatal_signal(yard)) {
		*result = CLUSTER_MAX;
		return false;
	}
	return !too_many_isolated(yard, node, sc, type);
}

static void add_stat(struct scan_stat *sum, const struct scan_stat *stat)
{
	sum->dirty += stat->dirty;
	sum->unqueued_dirty += stat->unqueued_dirty;
	sum->congested += stat->congested;
	sum->writeback += stat->writeback;
	sum->immediate += stat->immediate;
	sum->taken += stat->taken;
	sum->pageout += stat->pageout;
	sum->demoted += stat->demoted;
}

void account_scanned(struct yard *yard, unsigned node, const struct scan_control *sc, unsigned type, uint64_t pages)
{
	mod_node_stat(yard, node, (enum yard_node_stat)(YARD_NODE_PGSCAN_KSWAPD + sc->role), (int64_t)pages);
	mod_node_stat(yard, node, typed(YARD_NODE_PGSCAN_ANON, type), (int64_t)pages);
}

void account_stolen(struct yard *yard, unsigned node, const struct scan_control *sc, unsigned type, uint64_t pages)
{
	mod_node_stat(yard, node, (enum yard_node_stat)(YARD_NODE_PGSTEAL_KSWAPD + sc->role), (int64_t)pages);
	mod_node_stat(yard, node, typed(YARD_NODE_PGSTEAL_ANON, type), (int64_t)pages);
}

static void note_cost(struct yard *yard, unsigned node, unsigned type, uint64_t io, uint64_t rotated) // V-3
{
	struct node_mm *mm = &yard->mm[node];

	if (yard->policy.cost_folding || !(io || rotated))
		return;
	yard_spin_lock(&mm->lru_lock);
	lru_note_cost(yard, node, type, io * CLUSTER_MAX + rotated);
	yard_spin_unlock(&mm->lru_lock);
}

// C-6.5 to C-6.7
static void account_inactive(struct yard *yard, unsigned node, struct scan_control *sc, unsigned type,
			     const struct scan_stat *stat, uint64_t scanned, uint64_t reclaimed)
{
	uint64_t rotated = scanned > reclaimed ? scanned - reclaimed : 0;

	mod_node_stat(yard, node, typed(YARD_NODE_ISOLATED_ANON, type), -(int64_t)stat->taken);
	account_stolen(yard, node, sc, type, reclaimed);
	mod_node_stat(yard, node, typed(YARD_NODE_PGROTATE_ANON, type), (int64_t)rotated);
	note_cost(yard, node, type, stat->pageout, rotated);
	if (stat->unqueued_dirty == stat->taken && yard->owner.wake_flusher)
		yard->owner.wake_flusher(yard->owner.context, node);
	add_stat(&sc->nr, stat);
	trace_shrink_inactive(yard, node, sc, type, stat, scanned, reclaimed);
}

void trace_shrink_inactive(struct yard *yard, unsigned node, const struct scan_control *sc, unsigned type,
			   const struct scan_stat *stat, uint64_t scanned, uint64_t reclaimed)
{
	TRACE(yard, LRU_SHRINK_INACTIVE, node, (int64_t)scanned, (int64_t)reclaimed, (int64_t)stat->dirty,
	      (int64_t)stat->writeback, (int64_t)stat->congested, (int64_t)stat->immediate,
	      (int64_t)stat->activate[ANON], (int64_t)stat->activate[FILE_LRU], (int64_t)stat->ref_keep,
	      (int64_t)stat->unmap_fail, sc->priority, reclaim_flags(type));
}

uint64_t shrink_inactive(struct yard *yard, unsigned node, struct scan_control *sc, uint64_t nr,
			 enum yard_lru_list list)
{
	unsigned type = list_type(list);
	struct scan_stat stat = { .dirty = 0 };
	uint64_t scanned, reclaimed;
	struct list pages;

	if (!may_isolate(yard, node, sc, type, &reclaimed))
		return reclaimed;
	lru_drain_cpu(yard, this_cpu(yard));
	stat.taken = isolate_pages(yard, node, sc, nr, list, &pages, &scanned);
	account_scanned(yard, node, sc, type, scanned);
	if (!stat.taken)
		return 0;
	reclaimed = shrink_folio_list(yard, node, sc, &pages, &stat, false);
	putback_pages(yard, &pages);
	account_inactive(yard, node, sc, type, &stat, scanned, reclaimed);
	return reclaimed;
}

// ---- C-8 ----

// Puts an isolated page of an active list on the list of those that stay or of those that are deactivated. Returns the
// pages that stay because they were referenced.
static uint64_t sort_active(struct yard *yard, uint32_t pfn, struct list *active, struct list *inactive)
{
	int mappings;
	uint32_t word;

	if (lru_gone(yard, pfn) || frame_word(yard, pfn) & PG_MLOCKED) { // an owner is not asked about what it has freed
		lru_putback(yard, pfn, true);
		return 0;
	}
	mappings = page_references(yard, pfn);
	word = frame_word(yard, pfn);
	if (mappings > 0 && word_mapping(word) == YARD_MAPPED_EXEC && word_is_file(word)) {
		list_add_tail(yard, active, pfn);
		return 1ull << word_order(word);
	}
	lru_change(yard, pfn, PG_ACTIVE, PG_WORKINGSET);
	list_add_tail(yard, inactive, pfn);
	return 0;
}

void shrink_active(struct yard *yard, unsigned node, struct scan_control *sc, uint64_t nr, enum yard_lru_list list)
{
	unsigned type = list_type(list);
	uint64_t scanned, taken, kept, deactivated, rotated = 0;
	struct list pages, active, inactive;

	lru_drain_cpu(yard, this_cpu(yard));
	taken = isolate_pages(yard, node, sc, nr, list, &pages, &scanned);
	mod_node_stat(yard, node, YARD_NODE_PGREFILL, (int64_t)scanned);
	list_init(&active);
	list_init(&inactive);
	while (!list_empty(&pages))
		rotated += sort_active(yard, list_pop_head(yard, &pages), &active, &inactive);
	kept = putback_pages(yard, &active);
	deactivated = putback_pages(yard, &inactive);
	mod_node_stat(yard, node, typed(YARD_NODE_ISOLATED_ANON, type), -(int64_t)taken);
	count_vm_event(yard, YARD_VM_PGDEACTIVATE, deactivated);
	mod_node_stat(yard, node, typed(YARD_NODE_PGROTATE_ANON, type), (int64_t)rotated);
	note_cost(yard, node, type, 0, rotated);
	TRACE(yard, LRU_SHRINK_ACTIVE, node, (int64_t)taken, (int64_t)kept, (int64_t)deactivated, (int64_t)rotated,
	      sc->priority, reclaim_flags(type));
}
