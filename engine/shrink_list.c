// SPDX-License-Identifier: Apache-2.0
//
// What reclaim does with each page that it has isolated (spec 04 section 2.7): it is freed, written out, demoted,
// activated or kept. The owner of the pages is asked through its callbacks (pageyard/owner.h) and may free a page in
// any of them.
//
// There are no page locks: an isolated page is nobody else's to reclaim or to move. Poisoned pages and file systems'
// private data (C-7.1, C-7.12) are the owner's business. Whether the device gets a write at once or when the list has
// been worked off is the owner's choice as well: the engine hands out each at its turn.

#include "engine/lru.h"

enum fate { FATE_GO_ON, FATE_KEEP, FATE_ACTIVATE, FATE_DEMOTE, FATE_FREED };

struct shrink {
	struct yard *yard;
	struct scan_control *sc;
	struct scan_stat *stat;
	unsigned node;
	bool ignore_references, demote;
	struct list work, kept, demoted;
	struct free_batch batch;
	uint64_t reclaimed, activated;
};

static bool is_lazyfree(uint32_t word) // L-3
{
	return word & PG_ANON && !(word & PG_SWAPBACKED);
}

static bool is_true_file(uint32_t word)
{
	return !(word & (PG_ANON | PG_SWAPBACKED));
}

// Somebody but the owner holds a reference: it can neither go nor change its place.
static bool extra_reference(uint32_t word)
{
	return word & (PG_PINNED | PG_BATCH);
}

// ---- C-11 ----

void free_batch_flush(struct yard *yard, struct free_batch *batch)
{
	int error = YARD_OK;

	if (batch->unmapped)
		yard_host_charge(&yard->host, YARD_COST_TLB_FLUSH, 1);
	batch->unmapped = false;
	if (batch->nr)
		error = yard_free_batch(yard, batch->blocks, batch->nr);
	YARD_ASSERT(!error, batch->blocks[0].pfn);
	batch->nr = 0;
}

void free_batch_add(struct yard *yard, struct free_batch *batch, uint32_t pfn)
{
	unsigned order = word_order(frame_word(yard, pfn));

	if (!lru_release(yard, pfn))
		return;
	batch->blocks[batch->nr++] = (struct yard_block){ .pfn = pfn, .order = order };
	if (batch->nr == FREE_BATCH)
		free_batch_flush(yard, batch);
}

// ---- C-7.2 to C-7.7 ----

static enum fate check_state(struct shrink *s, uint32_t pfn)
{
	uint32_t word = frame_word(s->yard, pfn);

	s->sc->nr_scanned += word_pages(word);
	yard_host_charge(&s->yard->host, YARD_COST_SCAN_PAGE, 1);
	if (word & PG_MLOCKED)
		return FATE_ACTIVATE;
	return !s->sc->may_unmap && word & PG_MAPPING ? FATE_KEEP : FATE_GO_ON;
}

static enum fate check_writeback(struct shrink *s, uint32_t pfn)
{
	uint32_t word = frame_word(s->yard, pfn), flags;
	uint64_t pages = word_pages(word);
	struct scan_stat *stat = s->stat;

	if (is_true_file(word)) { // C-7.4
		stat->dirty += word & (PG_DIRTY | PG_WRITEBACK) ? pages : 0;
		stat->unqueued_dirty += (word & (PG_DIRTY | PG_WRITEBACK)) == PG_DIRTY ? pages : 0;
		stat->congested += word & PG_WRITEBACK && word & PG_RECLAIM ? pages : 0;
	}
	if (!(word & PG_WRITEBACK))
		return FATE_GO_ON;
	flags = atomic_load_explicit(&s->yard->mm[s->node].flags, memory_order_relaxed);
	if (s->sc->role == ROLE_KSWAPD && word & PG_RECLAIM && flags & NODE_WRITEBACK) { // C-7.5
		stat->immediate += pages;
		return FATE_ACTIVATE;
	}
	frame_change(s->yard, pfn, 0, PG_RECLAIM);
	stat->writeback += pages;
	return FATE_ACTIVATE;
}

int page_references(struct yard *yard, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);
	int mappings;

	if (yard->owner.referenced)
		mappings = yard->owner.referenced(yard->owner.context, pfn, word_order(word));
	else
		mappings = (int)((frame_change(yard, pfn, PG_YOUNG, 0) & PG_YOUNG) >> PG_YOUNG_SHIFT);
	return mappings > 0 && word_mapping(frame_word(yard, pfn)) == YARD_MAPPED_NO_RECENCY ? 0 : mappings;
}

enum page_reference check_references(struct yard *yard, uint32_t pfn) // C-7a
{
	int mappings = page_references(yard, pfn);
	uint32_t word;

	if (frame_word(yard, pfn) & PG_MLOCKED) // the walk has found that
		return REFERENCE_ACTIVATE;
	if (mappings < 0)
		return REFERENCE_KEEP;
	word = frame_change(yard, pfn, PG_REFERENCED, mappings ? PG_REFERENCED : 0);
	if (!mappings) // V-4
		return REFERENCE_RECLAIM;
	if (word & PG_REFERENCED || mappings > 1)
		return REFERENCE_ACTIVATE;
	return word_mapping(word) == YARD_MAPPED_EXEC && word_is_file(word) ? REFERENCE_ACTIVATE : REFERENCE_KEEP;
}

static enum fate judge_references(struct shrink *s, uint32_t pfn) // C-7.6
{
	uint64_t pages = word_pages(frame_word(s->yard, pfn));
	enum page_reference reference;

	if (s->ignore_references)
		return FATE_GO_ON;
	reference = lru_gen_on(s->yard) ? (enum page_reference)gen_check_reference(s->yard, pfn)
					: check_references(s->yard, pfn);
	if (reference == REFERENCE_ACTIVATE)
		return FATE_ACTIVATE;
	if (reference == REFERENCE_RECLAIM)
		return FATE_GO_ON;
	s->stat->ref_keep += pages;
	return FATE_KEEP;
}

static enum fate choose_demotion(struct shrink *s, uint32_t pfn) // C-7.7
{
	(void)pfn; // any page that has got here
	return s->demote ? FATE_DEMOTE : FATE_GO_ON;
}

// ---- C-7.8: a place in swap ----

static bool take_slots(struct yard *yard, uint32_t pfn, unsigned order)
{
	int64_t free = atomic_load_explicit(&yard->nr_swap_pages, memory_order_relaxed), pages = 1 << order;

	do {
		if (free < pages)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&yard->nr_swap_pages, &free, free - pages, memory_order_relaxed,
							memory_order_relaxed));
	if (!yard->owner.swap_slot || yard->owner.swap_slot(yard->owner.context, pfn, order)) {
		lru_change(yard, pfn, 0, PG_SWAPCACHE | PG_DIRTY);
		return true;
	}
	atomic_fetch_add_explicit(&yard->nr_swap_pages, pages, memory_order_relaxed);
	return false;
}

// A-8l: the owner makes single pages of it (yard_lru_split()). The first takes its place, the others come next.
static bool split_isolated(struct shrink *s, uint32_t pfn)
{
	struct yard *yard = s->yard;
	uint32_t word = frame_word(yard, pfn), pages = 1u << word_order(word);

	if (!yard->owner.split || lru_gone(yard, pfn) || extra_reference(word))
		return false;
	if (!yard->owner.split(yard->owner.context, pfn, word_order(word)))
		return false;
	if (word_order(frame_word(yard, pfn)))
		return false; // the owner forgot to
	for (uint32_t p = pfn + pages - 1; p > pfn; p--)
		list_add_head(yard, &s->work, p);
	s->sc->nr_scanned -= pages - 1; // they count when it is their turn
	return true;
}

static enum fate get_swap_slot(struct shrink *s, uint32_t pfn)
{
	uint32_t word = frame_word(s->yard, pfn);
	unsigned order = word_order(word);

	if ((word & (PG_ANON | PG_SWAPBACKED | PG_SWAPCACHE)) != (PG_ANON | PG_SWAPBACKED))
		return FATE_GO_ON;
	if (!(s->sc->gfp & YARD_GFP_IO) || word & PG_PINNED)
		return FATE_KEEP;
	if (order && extra_reference(word))
		return FATE_ACTIVATE;
	if (take_slots(s->yard, pfn, order))
		return FATE_GO_ON;
	if (!order || !split_isolated(s, pfn))
		return FATE_ACTIVATE;
	return lru_gone(s->yard, pfn) || take_slots(s->yard, pfn, 0) ? FATE_GO_ON : FATE_ACTIVATE;
}

// ---- C-7.9, C-7.10 ----

static enum fate unmap_failed(struct shrink *s, uint32_t word)
{
	s->stat->unmap_fail += word_pages(word);
	return FATE_ACTIVATE;
}

// Lazily freed memory that was written to after all is ordinary memory again.
static enum fate keep_redirtied(struct shrink *s, uint32_t pfn)
{
	uint32_t word = frame_word(s->yard, pfn);

	if (!is_lazyfree(word) || !(word & PG_DIRTY))
		return FATE_GO_ON;
	lru_change(s->yard, pfn, 0, PG_SWAPBACKED);
	return word & PG_MAPPING ? unmap_failed(s, word) : FATE_ACTIVATE;
}

// The mapping goes before the owner acts: one that it makes anew meanwhile must not be forgotten.
static enum fate unmap(struct shrink *s, uint32_t pfn)
{
	struct yard *yard = s->yard;
	uint32_t word = frame_word(yard, pfn);

	if (!(word & PG_MAPPING))
		return FATE_GO_ON;
	lru_change(yard, pfn, PG_MAPPING | PG_YOUNG, 0);
	yard_host_charge(&yard->host, YARD_COST_UNMAP, 1);
	if (yard->owner.unmap && !yard->owner.unmap(yard->owner.context, pfn, word_order(word))) {
		if (!lru_gone(yard, pfn) && !(frame_word(yard, pfn) & PG_MAPPING))
			lru_change(yard, pfn, 0, word & PG_MAPPING);
		return unmap_failed(s, word);
	}
	s->batch.unmapped = true;
	if (is_lazyfree(word) && frame_word(yard, pfn) & PG_SWAPBACKED)
		return unmap_failed(s, word);
	return FATE_GO_ON;
}

static enum fate refuse_pinned(struct shrink *s, uint32_t pfn)
{
	return frame_word(s->yard, pfn) & PG_PINNED ? FATE_ACTIVATE : FATE_GO_ON;
}

// ---- C-7.11 ----

static bool may_write(const struct shrink *s, uint32_t word)
{
	bool fs = s->sc->gfp & YARD_GFP_FS || (word & PG_SWAPCACHE && s->sc->gfp & YARD_GFP_IO);

	return fs && s->sc->may_writepage && word_has_mapping(word) && !extra_reference(word);
}

static void written(struct shrink *s, uint32_t pfn, uint64_t pages)
{
	s->stat->pageout += pages;
	mod_node_stat(s->yard, s->node, YARD_NODE_VMSCAN_WRITE, (int64_t)pages);
	count_vm_event(s->yard, YARD_VM_PSWPOUT, pages);
	TRACE(s->yard, WRITE_FOLIO, pfn, reclaim_flags(ANON));
}

// It is under writeback from before the owner sees it: the write may have ended when the owner returns.
static enum fate submit_write(struct shrink *s, uint32_t pfn)
{
	struct yard *yard = s->yard;
	uint32_t word = lru_change(yard, pfn, PG_DIRTY, PG_WRITEBACK | PG_RECLAIM);
	enum yard_write_result result = YARD_WRITE_REFUSED;

	if (yard->owner.write_out)
		result = yard->owner.write_out(yard->owner.context, pfn, word_order(word));
	if (result == YARD_WRITE_KEEP || result == YARD_WRITE_REFUSED) {
		lru_change(yard, pfn, PG_WRITEBACK | PG_RECLAIM, PG_DIRTY);
		return result == YARD_WRITE_KEEP ? FATE_KEEP : FATE_ACTIVATE;
	}
	written(s, pfn, word_pages(word));
	if (result == YARD_WRITE_DONE)
		yard_writeback_end(yard, pfn);
	return frame_word(yard, pfn) & (PG_WRITEBACK | PG_DIRTY) ? FATE_KEEP : FATE_GO_ON;
}

static enum fate write_out(struct shrink *s, uint32_t pfn)
{
	uint32_t word = frame_word(s->yard, pfn);

	if (!(word & PG_DIRTY))
		return FATE_GO_ON;
	if (word_is_file(word)) {
		mod_node_stat(s->yard, s->node, YARD_NODE_VMSCAN_IMMEDIATE, (int64_t)word_pages(word));
		frame_change(s->yard, pfn, 0, PG_RECLAIM);
		return FATE_ACTIVATE;
	}
	if (!may_write(s, word))
		return FATE_KEEP;
	if (!(word & PG_SWAPCACHE) && !take_slots(s->yard, pfn, word_order(word))) // shmem gets its place only now
		return FATE_ACTIVATE;
	return lru_gone(s->yard, pfn) ? FATE_KEEP : submit_write(s, pfn);
}

// ---- C-7.13 ----

static uint64_t make_shadow_of(struct shrink *s, uint32_t pfn, uint32_t word)
{
	if (is_lazyfree(word))
		return 0;
	return workingset_eviction(s->yard, pfn) | (uint64_t)s->sc->local_owner << SHADOW_OWNER_SHIFT; // L-19
}

// The owner keeps the page after all: nothing was evicted.
static void take_back_eviction(struct shrink *s, uint32_t word)
{
	struct node_mm *mm = &s->yard->mm[s->node];

	if (is_lazyfree(word) || lru_gen_on(s->yard))
		return;
	yard_spin_lock(&mm->lru_lock);
	workingset_age(s->yard, s->node, -word_pages(word));
	yard_spin_unlock(&mm->lru_lock);
}

static enum fate release(struct shrink *s, uint32_t pfn)
{
	struct yard *yard = s->yard;
	uint32_t word = frame_word(yard, pfn);

	if (!yard->owner.release || extra_reference(word) || word & (PG_DIRTY | PG_WRITEBACK))
		return FATE_KEEP;
	if (!yard->owner.release(yard->owner.context, pfn, word_order(word), make_shadow_of(s, pfn, word))) {
		take_back_eviction(s, word);
		return FATE_KEEP;
	}
	if (is_lazyfree(word))
		count_vm_event(yard, YARD_VM_PGLAZYFREED, word_pages(word));
	s->reclaimed += word_pages(word);
	yard_host_charge(&yard->host, YARD_COST_RECLAIM_PAGE, 1);
	yard_host_charge(&yard->host, YARD_COST_RECLAIM_TAIL, word_pages(word) - 1);
	free_batch_add(yard, &s->batch, pfn);
	return FATE_FREED;
}

// ---- activation ----

// W-5. Who else may use the place: page tables of an unmapped page do, and shmem does.
static void strip_swap(struct yard *yard, uint32_t pfn)
{
	const uint32_t kind = PG_ANON | PG_SWAPCACHE | PG_WRITEBACK;
	uint32_t word = frame_word(yard, pfn);
	bool full = 2 * yard_swap_available(yard) < yard->total_swap_pages;

	if ((word & kind) != (PG_ANON | PG_SWAPCACHE) || !(word & PG_MAPPING) || !(full || word & PG_MLOCKED))
		return;
	if (yard->owner.swap_release)
		yard->owner.swap_release(yard->owner.context, pfn, word_order(word));
	lru_change(yard, pfn, PG_SWAPCACHE, PG_DIRTY);
	yard_swap_free(yard, word_pages(word));
}

static void activate(struct shrink *s, uint32_t pfn)
{
	uint32_t word;

	strip_swap(s->yard, pfn);
	word = frame_word(s->yard, pfn);
	if (word & PG_MLOCKED || lru_gone(s->yard, pfn))
		return;
	frame_change(s->yard, pfn, 0, PG_ACTIVE);
	s->stat->activate[word_is_file(word) ? FILE_LRU : ANON] += word_pages(word);
	s->activated += word_pages(word);
}

// ---- the list ----

static enum fate judge(struct shrink *s, uint32_t pfn)
{
	static enum fate (*const steps[])(struct shrink *, uint32_t) = {
		check_state, check_writeback, judge_references, choose_demotion, get_swap_slot, keep_redirtied, unmap,
		keep_redirtied, refuse_pinned, write_out, release,
	};

	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum fate fate;

		if (lru_gone(s->yard, pfn)) // whoever puts it back frees it
			return FATE_KEEP;
		fate = steps[i](s, pfn);
		if (fate != FATE_GO_ON)
			return fate;
	}
	return FATE_KEEP;
}

static void work_off(struct shrink *s)
{
	while (!list_empty(&s->work)) {
		uint32_t pfn = list_pop_head(s->yard, &s->work);
		enum fate fate = judge(s, pfn);

		if (fate == FATE_FREED)
			continue;
		if (fate == FATE_ACTIVATE)
			activate(s, pfn);
		list_add_tail(s->yard, fate == FATE_DEMOTE ? &s->demoted : &s->kept, pfn);
	}
}

static void demote(struct shrink *s) // P-9
{
	uint64_t moved = demote_folio_list(s->yard, s->node, &s->demoted, s->sc);

	s->stat->demoted += moved;
	s->reclaimed += moved;
	s->demote = false;
	if (s->sc->role != ROLE_PROACTIVE) {
		s->work = s->demoted;
		work_off(s);
		return;
	}
	while (!list_empty(&s->demoted))
		list_add_tail(s->yard, &s->kept, list_pop_head(s->yard, &s->demoted));
}

uint64_t shrink_folio_list(struct yard *yard, unsigned node, struct scan_control *sc, struct list *list,
			   struct scan_stat *stat, bool ignore_references)
{
	struct shrink s = {
		.yard = yard, .node = node, .sc = sc, .stat = stat, .work = *list,
		.ignore_references = ignore_references, .demote = can_demote(yard, node, sc),
	};

	list_init(&s.kept);
	list_init(&s.demoted);
	work_off(&s);
	if (!list_empty(&s.demoted))
		demote(&s);
	free_batch_flush(yard, &s.batch);
	if (s.activated)
		count_vm_event(yard, YARD_VM_PGACTIVATE, s.activated);
	*list = s.kept;
	return s.reclaimed;
}
