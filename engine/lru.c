// SPDX-License-Identifier: Apache-2.0
//
// The LRU lists of a node (spec 04 sections 1.1 and 1.2): putting pages on them, taking them off, and letting go of
// pages that their owner has freed meanwhile. The multi-gen LRU has lists of its own (mglru.c).

#include "engine/lru.h"

void setup_lru(struct yard *yard)
{
	for (unsigned node = 0; node < yard->nr_nodes; node++) {
		for (unsigned list = 0; list < YARD_LRU_UNEVICTABLE; list++)
			list_init(&yard->mm[node].lruvec.lists[list]);
		gen_setup(yard, node);
	}
}

// ---- counters that follow from a page's word ----

const uint8_t page_counter[PAGE_COUNTERS] = {
	YARD_NODE_ANON_PAGES, YARD_NODE_FILE_MAPPED, YARD_NODE_FILE_PAGES, YARD_NODE_SHMEM,
	YARD_NODE_FILE_DIRTY, YARD_NODE_WRITEBACK, YARD_NODE_SWAPCACHE,
};

// As in /proc/meminfo: anonymous memory counts while it is mapped; swap cache and shmem are page cache; only pages that
// flushers write count as dirty.
unsigned page_counters(uint32_t word)
{
	unsigned mapped = !!(word & PG_MAPPING), anon = !!(word & PG_ANON), swapbacked = !!(word & PG_SWAPBACKED);
	unsigned swapcache = !!(word & PG_SWAPCACHE), dirty = !!(word & PG_DIRTY), writeback = !!(word & PG_WRITEBACK);
	unsigned file = !anon;

	if (!word_counted(word))
		return 0;
	return (anon & mapped) | (file & mapped) << 1 | (file | swapcache) << 2 | (file & swapbacked) << 3
	       | (file & !swapbacked & dirty) << 4 | writeback << 5 | swapcache << 6;
}

void count_change(struct yard *yard, unsigned node, uint32_t before, uint32_t after)
{
	unsigned now = page_counters(after);

	for (unsigned changed = page_counters(before) ^ now; changed; changed &= changed - 1) {
		unsigned i = (unsigned)__builtin_ctz(changed);

		mod_node_stat(yard, node, (enum yard_node_stat)page_counter[i],
			      now >> i & 1 ? word_pages(after) : -word_pages(before));
	}
}

uint32_t lru_change(struct yard *yard, uint32_t pfn, uint32_t clear, uint32_t set)
{
	uint32_t old = frame_word(yard, pfn);

	while (!change_word(yard, pfn, &old, (old & ~clear) | set))
		;
	return old;
}

// ---- lists (L-1, L-2) ----

void size_add(uint64_t *size, int64_t pages)
{
	__atomic_store_n(size, *size + (uint64_t)pages, __ATOMIC_RELAXED);
}

void account_lru(struct yard *yard, const struct zone *zone, unsigned list, int64_t pages)
{
	_Atomic int64_t *stat = &yard->mm[zone->node].stat[YARD_NODE_INACTIVE_ANON + list];

	atomic_store_explicit(stat, atomic_load_explicit(stat, memory_order_relaxed) + pages, memory_order_relaxed);
}

static void account_list(struct yard *yard, const struct zone *zone, unsigned list, int64_t pages)
{
	size_add(&yard->mm[zone->node].lruvec.size[list][zone->type], pages);
	account_lru(yard, zone, list, pages);
}

uint64_t lruvec_size(const struct yard *yard, unsigned node, enum yard_lru_list list, unsigned highest_zone)
{
	const struct lruvec *lruvec = &yard->mm[node].lruvec;
	uint64_t pages = 0;

	if (lru_gen_on(yard) && list != YARD_LRU_UNEVICTABLE)
		return gen_list_size(yard, node, list, highest_zone);
	for (unsigned type = 0; type <= highest_zone && type < YARD_ZONE_TYPES; type++)
		pages += __atomic_load_n(&lruvec->size[list][type], __ATOMIC_RELAXED);
	return pages;
}

void classic_link(struct yard *yard, uint32_t pfn, bool tail)
{
	const struct zone *zone = zone_of_block(yard, pfn);
	unsigned list = page_list(frame_word(yard, pfn));
	struct list *head = &yard->mm[zone->node].lruvec.lists[list];

	if (tail)
		list_add_tail(yard, head, pfn);
	else
		list_add_head(yard, head, pfn);
	account_list(yard, zone, list, word_pages(frame_word(yard, pfn)));
}

void classic_unlink(struct yard *yard, uint32_t pfn)
{
	const struct zone *zone = zone_of_block(yard, pfn);
	unsigned list = page_list(frame_word(yard, pfn));

	list_del(yard, &yard->mm[zone->node].lruvec.lists[list], pfn);
	account_list(yard, zone, list, -word_pages(frame_word(yard, pfn)));
}

// The word of a page that goes where its flags say (L-6): unevictable pages are not active.
static uint32_t listed_word(uint32_t word)
{
	if (word & PG_MLOCKED)
		return (word & ~(uint32_t)(PLACE_MASK | PG_ACTIVE)) | place_bits(PLACE_UNEVICTABLE);
	return (word & ~(uint32_t)PLACE_MASK) | place_bits(PLACE_LRU);
}

static void enlist(struct yard *yard, uint32_t pfn, uint32_t listed, bool tail)
{
	yard_host_charge(&yard->host, YARD_COST_LRU_PAGE, 1);
	if (word_place(listed) == PLACE_UNEVICTABLE)
		account_list(yard, zone_of_block(yard, pfn), YARD_LRU_UNEVICTABLE, word_pages(listed));
	else if (mm_of(yard, pfn)->lru_gen)
		gen_link(yard, pfn, tail);
	else
		classic_link(yard, pfn, tail);
}

void lru_list_add(struct yard *yard, uint32_t pfn, bool tail)
{
	uint32_t word = frame_word(yard, pfn), listed;

	do {
		listed = listed_word(word);
	} while (listed != word && !change_word(yard, pfn, &word, listed));
	enlist(yard, pfn, listed, tail);
}

void lru_list_del(struct yard *yard, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);

	yard_host_charge(&yard->host, YARD_COST_LRU_PAGE, 1);
	if (word_place(word) == PLACE_UNEVICTABLE)
		account_list(yard, zone_of_block(yard, pfn), YARD_LRU_UNEVICTABLE, -word_pages(word));
	else if (mm_of(yard, pfn)->lru_gen)
		gen_unlink(yard, pfn, false);
	else
		classic_unlink(yard, pfn);
}

static bool link_unless_gone(struct yard *yard, uint32_t pfn, uint32_t clear, bool tail)
{
	uint32_t word = frame_word(yard, pfn), listed;

	do {
		if (word_gone(word))
			return false;
		listed = listed_word(word & ~clear);
	} while (!change_word(yard, pfn, &word, listed));
	enlist(yard, pfn, listed, tail);
	return true;
}

bool lru_link(struct yard *yard, uint32_t pfn, bool tail)
{
	return link_unless_gone(yard, pfn, 0, tail);
}

bool lru_link_from_batch(struct yard *yard, uint32_t pfn)
{
	return link_unless_gone(yard, pfn, PG_BATCH, false);
}

void lru_unlink(struct yard *yard, uint32_t pfn)
{
	lru_list_del(yard, pfn);
	frame_change(yard, pfn, PLACE_MASK, place_bits(PLACE_ISOLATED));
}

// ---- off the LRU for good ----

// What remains of the word of a page that its owner has freed: the holder still has to know its size and how it counts.
static uint32_t freed_word(uint32_t word, enum page_place place)
{
	uint32_t rest = word & (make_word((enum yard_frame_state)FRAME_STATE, 0xf, 0) | PG_BATCH | ISOLATED_FILE);

	if (place == PLACE_PLAIN)
		rest &= ~(uint32_t)PG_ALL;
	return rest | place_bits(place) | (word_place(word) == PLACE_MOVABLE_TAKEN ? GONE_UNCOUNTED : 0);
}

// lru_lock held; the page is on the LRU. With nobody else to free it it is gone all the same, so that a second free sees it.
static enum free_when free_from_lru(struct yard *yard, uint32_t pfn)
{
	uint32_t word, to;

	lru_list_del(yard, pfn);
	word = frame_word(yard, pfn);
	do {
		to = freed_word(word, PLACE_GONE);
	} while (!change_word(yard, pfn, &word, to));
	return to & PG_BATCH ? FREE_LATER : FREE_NOW;
}

// Until the place says that nobody else holds the page, or that somebody else will free it.
enum free_when lru_prepare_free(struct yard *yard, uint32_t pfn)
{
	struct node_mm *mm = mm_of(yard, pfn);
	uint32_t word = frame_word(yard, pfn), to;
	enum free_when when;
	bool on_lru;

	while (word_state(word) == YARD_FRAME_ALLOCATED) {
		switch (word_place(word)) {
		case PLACE_LRU:
		case PLACE_UNEVICTABLE:
			yard_spin_lock(&mm->lru_lock);
			on_lru = word_on_lru(frame_word(yard, pfn));
			when = on_lru ? free_from_lru(yard, pfn) : FREE_TWICE;
			yard_spin_unlock(&mm->lru_lock);
			if (on_lru)
				return when;
			word = frame_word(yard, pfn);
			continue;
		case PLACE_ISOLATED:
		case PLACE_MOVABLE_TAKEN:
			to = freed_word(word, PLACE_GONE_ISOLATED);
			break;
		case PLACE_PLAIN:
			if (!(word & PG_BATCH))
				return FREE_NOW;
			to = freed_word(word, PLACE_GONE);
			break;
		case PLACE_MOVABLE_OPS: // compaction may take it until it is gone
			to = freed_word(word, PLACE_GONE);
			break;
		default:
			return FREE_TWICE;
		}
		if (change_word(yard, pfn, &word, to))
			return word_place(to) == PLACE_GONE && !(to & PG_BATCH) ? FREE_NOW : FREE_LATER;
	}
	return FREE_TWICE;
}

// A page that waits in a batch leaves it first: the batches are applied.
void lru_remove(struct yard *yard, uint32_t pfn)
{
	struct node_mm *mm = mm_of(yard, pfn);
	bool removed;

	if (frame_word(yard, pfn) & PG_BATCH)
		lru_drain_all(yard);
	yard_spin_lock(&mm->lru_lock);
	removed = word_on_lru(frame_word(yard, pfn));
	if (removed)
		lru_unlink(yard, pfn);
	yard_spin_unlock(&mm->lru_lock);
	if (!removed)
		return;
	if (frame_word(yard, pfn) & PG_BATCH) // queued in between; no longer possible
		lru_drain_all(yard);
	lru_change(yard, pfn, PLACE_MASK, place_bits(PLACE_PLAIN));
}

bool lru_make_plain(struct yard *yard, uint32_t pfn)
{
	uint32_t word;

	lru_remove(yard, pfn);
	word = frame_word(yard, pfn);
	do {
		if (word & PG_BATCH || (word_place(word) != PLACE_PLAIN && word_place(word) != PLACE_MOVABLE_OPS))
			return false;
	} while (!change_word(yard, pfn, &word, word & ~(uint32_t)PLACE_MASK));
	return true;
}

// ---- isolated pages ----

static enum yard_node_stat isolated_stat(bool file)
{
	return file ? YARD_NODE_ISOLATED_FILE : YARD_NODE_ISOLATED_ANON;
}

void mod_isolated(struct yard *yard, unsigned node, struct isolated_pages *isolated)
{
	for (unsigned type = 0; type < LRU_TYPES; type++) {
		if (isolated->pages[type])
			mod_node_stat(yard, node, isolated_stat(type == FILE_LRU), isolated->pages[type]);
		isolated->pages[type] = 0;
	}
}

void count_isolated(struct yard *yard, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);
	bool file = word_is_file(word);

	frame_change(yard, pfn, ISOLATED_FILE, file ? ISOLATED_FILE : 0);
	mod_node_stat(yard, node_of(yard, pfn), isolated_stat(file), word_pages(word));
}

void uncount_isolated(struct yard *yard, uint32_t pfn, uint32_t word)
{
	mod_node_stat(yard, node_of(yard, pfn), isolated_stat(word & ISOLATED_FILE), -word_pages(word));
}

// SWAPBACKED changes under lru_lock only.
void lru_unlink_noted(struct yard *yard, uint32_t pfn, struct isolated_pages *isolated)
{
	unsigned type = word_lru_type(frame_word(yard, pfn));

	lru_list_del(yard, pfn);
	frame_change(yard, pfn, PLACE_MASK | ISOLATED_FILE,
		     place_bits(PLACE_ISOLATED) | (type == FILE_LRU ? ISOLATED_FILE : 0));
	isolated->pages[type] += word_pages(frame_word(yard, pfn));
}

bool lru_isolate(struct yard *yard, uint32_t pfn)
{
	struct isolated_pages isolated = { .pages = { 0 } };
	struct node_mm *mm = mm_of(yard, pfn);
	bool found;

	yard_spin_lock(&mm->lru_lock);
	found = word_on_lru(frame_word(yard, pfn));
	if (found)
		lru_unlink_noted(yard, pfn, &isolated);
	yard_spin_unlock(&mm->lru_lock);
	mod_isolated(yard, node_of(yard, pfn), &isolated);
	return found;
}

bool lru_gone(const struct yard *yard, uint32_t pfn)
{
	return word_place(frame_word(yard, pfn)) == PLACE_GONE_ISOLATED;
}

// What is left of the word of a page that nobody wants any more.
static uint32_t released_word(uint32_t word)
{
	return freed_word(word, word & PG_BATCH ? PLACE_GONE : PLACE_PLAIN) & ~(uint32_t)GONE_UNCOUNTED;
}

bool lru_release(struct yard *yard, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);

	while (!change_word(yard, pfn, &word, released_word(word)))
		;
	return word_place(released_word(word)) == PLACE_PLAIN;
}

void lru_discard(struct yard *yard, uint32_t pfn)
{
	unsigned order = word_order(frame_word(yard, pfn));

	if (lru_release(yard, pfn))
		free_plain(yard, pfn, order);
}

void lru_discard_moved(struct yard *yard, uint32_t from, uint32_t to, uint32_t copied)
{
	unsigned node = node_of(yard, from), order = word_order(copied);
	uint32_t word = frame_word(yard, from);

	while (!atomic_compare_exchange_weak_explicit(&frame_at(yard, from)->word, &word, released_word(word),
						      memory_order_acq_rel, memory_order_relaxed))
		;
	if (unlikely(node != node_of(yard, to))) {
		count_change(yard, node, word, 0);
		count_change(yard, node_of(yard, to), 0, copied);
	} else if (unlikely(counters_differ(word, copied))) {
		count_change(yard, node, word, copied);
	}
	if (word_place(released_word(word)) == PLACE_PLAIN)
		free_plain(yard, from, order);
}

// Straight to the head of its list. False: its owner has freed it.
static bool link_again(struct yard *yard, uint32_t pfn, bool reclaim)
{
	struct node_mm *mm = mm_of(yard, pfn);
	uint32_t word;
	bool linked;

	yard_spin_lock(&mm->lru_lock);
	linked = lru_link(yard, pfn, false);
	word = frame_word(yard, pfn);
	if (linked && reclaim && word & PG_ACTIVE) // L-18
		workingset_age(yard, node_of(yard, pfn), (uint64_t)word_pages(word));
	yard_spin_unlock(&mm->lru_lock);
	return linked;
}

// M6: back to the owner's movable operations. False: freed meanwhile.
static bool give_back(struct yard *yard, uint32_t pfn, uint32_t word)
{
	do {
		if (word_place(word) != PLACE_MOVABLE_TAKEN)
			return false;
	} while (!change_word(yard, pfn, &word, (word & ~(uint32_t)PLACE_MASK) | place_bits(PLACE_MOVABLE_OPS)));
	return true;
}

void lru_putback(struct yard *yard, uint32_t pfn, bool direct)
{
	uint32_t word = frame_word(yard, pfn);

	if (word_place(word) == PLACE_MOVABLE_TAKEN) {
		if (give_back(yard, pfn, word))
			return;
		word = frame_word(yard, pfn);
	}
	if (!direct && !(word_gone(word) && word & GONE_UNCOUNTED))
		uncount_isolated(yard, pfn, word);
	// Unevictable pages go the way of new ones in any case (C-7r).
	if ((!direct || word & PG_MLOCKED) && lru_queue(yard, pfn, PLACE_ISOLATED, 0, 0))
		return;
	if (!link_again(yard, pfn, direct))
		lru_discard(yard, pfn);
}

void lru_putback_uncounted(struct yard *yard, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);

	if (word_place(word) == PLACE_MOVABLE_TAKEN && give_back(yard, pfn, word))
		return;
	if (!lru_queue(yard, pfn, PLACE_ISOLATED, 0, 0) && !link_again(yard, pfn, false))
		lru_discard(yard, pfn);
}

// ---- told by the owner, without batches ----

int yard_set_lru(struct yard *yard, uint32_t pfn, bool on)
{
	int error = lru_check_owned(yard, pfn);
	struct node_mm *mm;

	if (error)
		return error;
	if (!on) {
		lru_remove(yard, pfn);
		return frame_held(yard, pfn) ? YARD_EBUSY : YARD_OK;
	}
	if (word_counted(frame_word(yard, pfn)))
		return YARD_OK; // it is there, or comes back
	if (!lru_make_plain(yard, pfn))
		return YARD_EBUSY;
	mm = mm_of(yard, pfn);
	yard_spin_lock(&mm->lru_lock);
	lru_link(yard, pfn, false);
	yard_spin_unlock(&mm->lru_lock);
	return YARD_OK;
}

int yard_set_movable_ops(struct yard *yard, uint32_t pfn, bool on)
{
	int error = lru_check_owned(yard, pfn);

	if (error)
		return error;
	if (!lru_make_plain(yard, pfn)) // compaction may take the page at any time, and gives it back
		return YARD_EBUSY;
	if (on)
		lru_change(yard, pfn, 0, place_bits(PLACE_MOVABLE_OPS));
	return YARD_OK;
}
