// SPDX-License-Identifier: Apache-2.0
//
// What the owner tells of its pages (spec 04 A-6): one joins the LRU, is touched, read, mapped, dirtied, locked,
// written.

#include "engine/lru.h"

static const struct {
	uint32_t flag, bit;
} page_flags[] = {
	{ YARD_PAGE_ANON, PG_ANON }, { YARD_PAGE_SWAPBACKED, PG_SWAPBACKED }, { YARD_PAGE_ACTIVE, PG_ACTIVE },
	{ YARD_PAGE_UNEVICTABLE, PG_MLOCKED }, { YARD_PAGE_REFERENCED, PG_REFERENCED },
	{ YARD_PAGE_WORKINGSET, PG_WORKINGSET }, { YARD_PAGE_DIRTY, PG_DIRTY }, { YARD_PAGE_SWAPCACHE, PG_SWAPCACHE },
	{ YARD_PAGE_PINNED, PG_PINNED }, { YARD_PAGE_DROPBEHIND, PG_DROPBEHIND },
	{ YARD_PAGE_WRITEBACK, PG_WRITEBACK }, { YARD_PAGE_RECLAIM, PG_RECLAIM },
};
enum { PAGE_FLAGS = sizeof(page_flags) / sizeof(page_flags[0]) };

static uint32_t bits_of(uint32_t flags)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < PAGE_FLAGS; i++)
		bits |= flags & page_flags[i].flag ? page_flags[i].bit : 0;
	return bits;
}

static uint32_t flags_of(uint32_t word)
{
	uint32_t flags = 0;

	for (unsigned i = 0; i < PAGE_FLAGS; i++)
		flags |= word & page_flags[i].bit ? page_flags[i].flag : 0;
	return flags;
}

static int check_page(const struct yard *yard, uint32_t pfn) // it has joined the LRU
{
	int error = lru_check_owned(yard, pfn);

	return error || word_counted(frame_word(yard, pfn)) ? error : YARD_EINVAL;
}

// `word`: of the page while it certainly was the caller's.
static void count_pages(struct yard *yard, uint32_t pfn, uint32_t word, enum yard_node_stat item)
{
	mod_node_stat(yard, node_of(yard, pfn), item, word_pages(word));
}

// ---- joining (L-7) ----

static bool flags_ok(uint32_t flags) // only what is swap-backed can have a place in swap
{
	if (flags & ~flags_of(~(uint32_t)0))
		return false;
	return !(flags & YARD_PAGE_SWAPCACHE) || flags & YARD_PAGE_SWAPBACKED;
}

// G-4: a page of the multi-gen LRU that is needed at once. Inside reclaim nothing is a fault.
static bool gen_fault(const struct yard *yard, uint32_t bits)
{
	enum yard_mapping mapping = word_mapping(bits);

	return lru_gen_on(yard) && (mapping == YARD_MAPPED || mapping == YARD_MAPPED_EXEC) && !(bits & PG_MLOCKED)
	       && !(task_flags(yard) & YARD_TASK_MEMALLOC);
}

int yard_lru_add(struct yard *yard, uint32_t pfn, uint32_t flags, enum yard_mapping mapping)
{
	uint32_t bits = bits_of(flags) | (uint32_t)mapping << PG_MAPPING_SHIFT, keep = PLACE_MASK;
	int error = lru_check_owned(yard, pfn);
	uint32_t word = error ? 0 : frame_word(yard, pfn);
	bool fault = gen_fault(yard, bits), restored = fault && bits & PG_WORKINGSET;

	if (error)
		return error;
	if (!flags_ok(flags) || (unsigned)mapping > YARD_MAPPED_NO_RECENCY)
		return YARD_EINVAL;
	if (fault)
		bits |= restored ? PG_ACTIVE : PG_REFERENCED;
	if (!(bits & PG_REFERENCED))
		keep |= PG_REFS; // gen_refault() has restored them
	if (!lru_queue(yard, pfn, PLACE_PLAIN, PG_ALL & ~keep, bits))
		return YARD_EINVAL;
	if (restored) // G-11
		count_pages(yard, pfn, word, (enum yard_node_stat)(YARD_NODE_WORKINGSET_ACTIVATE_ANON + word_lru_type(bits)));
	return YARD_OK;
}

int yard_lru_get(const struct yard *yard, uint32_t pfn, uint32_t *flags, enum yard_mapping *mapping, bool *lru)
{
	int error = lru_check_owned(yard, pfn);
	uint32_t word;

	if (error)
		return error;
	word = frame_word(yard, pfn);
	*flags = flags_of(word);
	*mapping = word_mapping(word);
	*lru = word_on_lru(word);
	return YARD_OK;
}

// ---- references ----

// L-14 from step 3 on: it was referenced before.
static void second_reference(struct yard *yard, uint32_t pfn, uint32_t word)
{
	struct node_mm *mm = mm_of(yard, pfn);

	if (word & (PG_MLOCKED | PG_ACTIVE) || word_place(word) == PLACE_UNEVICTABLE)
		return;
	if (word_on_lru(word))
		lru_activate(yard, pfn);
	else if (!lru_activate_queued(yard, pfn))
		return;
	frame_change(yard, pfn, PG_REFERENCED, 0);
	yard_spin_lock(&mm->lru_lock);
	workingset_age(yard, node_of(yard, pfn), (uint64_t)word_pages(word));
	yard_spin_unlock(&mm->lru_lock);
}

static void mark_accessed(struct yard *yard, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);

	if (word & PG_DROPBEHIND)
		return;
	if (lru_gen_on(yard))
		gen_mark_accessed(yard, pfn);
	else if (frame_change(yard, pfn, 0, PG_REFERENCED) & PG_REFERENCED)
		second_reference(yard, pfn, word);
}

int yard_lru_mark_accessed(struct yard *yard, uint32_t pfn)
{
	int error = check_page(yard, pfn);

	if (!error)
		mark_accessed(yard, pfn);
	return error;
}

static void make_dirty(struct yard *yard, uint32_t pfn)
{
	uint32_t old = lru_change(yard, pfn, 0, PG_DIRTY);

	if (!(old & (PG_DIRTY | PG_ANON | PG_SWAPBACKED)))
		count_pages(yard, pfn, old, YARD_NODE_DIRTIED);
}

int yard_lru_touch(struct yard *yard, uint32_t pfn, unsigned mappings, bool write)
{
	int error = check_page(yard, pfn);
	uint32_t word;

	if (error)
		return error;
	word = frame_word(yard, pfn);
	if (mappings < 1 || mappings > 2 || !(word & PG_MAPPING))
		return YARD_EINVAL;
	// between two scans the same touch twice is one.
	while ((word & PG_YOUNG) >> PG_YOUNG_SHIFT < mappings
	       && !change_word(yard, pfn, &word, (word & ~(uint32_t)PG_YOUNG) | mappings << PG_YOUNG_SHIFT))
		;
	if (write)
		make_dirty(yard, pfn);
	return YARD_OK;
}

// L-9: when the last mapping of a file goes, an access through it counts like read().
int yard_lru_map(struct yard *yard, uint32_t pfn, enum yard_mapping mapping)
{
	int error = check_page(yard, pfn);
	uint32_t old;

	if (error)
		return error;
	if ((unsigned)mapping > YARD_MAPPED_NO_RECENCY)
		return YARD_EINVAL;
	old = lru_change(yard, pfn, PG_MAPPING | (mapping ? 0 : PG_YOUNG), (uint32_t)mapping << PG_MAPPING_SHIFT);
	if (!mapping && old & PG_YOUNG && !(old & PG_ANON) && word_mapping(old) != YARD_MAPPED_NO_RECENCY)
		mark_accessed(yard, pfn);
	return YARD_OK;
}

// ---- other changes ----

// L-3: a page that changes its type changes lists.
static void set_swapbacked(struct yard *yard, uint32_t pfn, bool on)
{
	struct node_mm *mm = mm_of(yard, pfn);
	bool listed;

	yard_spin_lock(&mm->lru_lock);
	listed = word_place(frame_word(yard, pfn)) == PLACE_LRU;
	if (listed)
		lru_list_del(yard, pfn);
	lru_change(yard, pfn, PG_SWAPBACKED, on ? PG_SWAPBACKED : 0);
	if (listed)
		lru_list_add(yard, pfn, false);
	yard_spin_unlock(&mm->lru_lock);
}

static void set_mlocked(struct yard *yard, uint32_t pfn, bool on)
{
	uint32_t old = frame_change(yard, pfn, PG_MLOCKED, on ? PG_MLOCKED : 0);

	if (on == (bool)(old & PG_MLOCKED))
		return;
	count_vm_event(yard, on ? YARD_VM_UNEVICTABLE_PGS_MLOCKED : YARD_VM_UNEVICTABLE_PGS_MUNLOCKED,
		       (uint64_t)word_pages(old));
	lru_batch_add(yard, pfn, BATCH_MLOCK);
}

static int check_set(uint32_t word, uint32_t flags, bool on)
{
	const uint32_t settable = YARD_PAGE_DIRTY | YARD_PAGE_SWAPCACHE | YARD_PAGE_PINNED | YARD_PAGE_DROPBEHIND
				  | YARD_PAGE_UNEVICTABLE | YARD_PAGE_SWAPBACKED;

	uint32_t after = on ? flags_of(word) | flags : flags_of(word) & ~flags;

	if (flags & ~settable || (flags & YARD_PAGE_SWAPBACKED && !(word & PG_ANON)))
		return YARD_EINVAL;
	return flags_ok(after) ? YARD_OK : YARD_EINVAL;
}

int yard_lru_set(struct yard *yard, uint32_t pfn, uint32_t flags, bool on)
{
	const uint32_t simple = YARD_PAGE_DIRTY | YARD_PAGE_SWAPCACHE | YARD_PAGE_PINNED | YARD_PAGE_DROPBEHIND;
	int error = check_page(yard, pfn);

	error = error ? error : check_set(frame_word(yard, pfn), flags, on);
	if (error)
		return error;
	if (on && flags & YARD_PAGE_DIRTY)
		make_dirty(yard, pfn);
	lru_change(yard, pfn, on ? 0 : bits_of(flags & simple), on ? bits_of(flags & simple) : 0);
	if (flags & YARD_PAGE_SWAPBACKED)
		set_swapbacked(yard, pfn, on);
	if (flags & YARD_PAGE_UNEVICTABLE)
		set_mlocked(yard, pfn, on);
	return YARD_OK;
}

static int queue(struct yard *yard, uint32_t pfn, enum batch_kind kind)
{
	int error = check_page(yard, pfn);

	if (!error)
		lru_batch_add(yard, pfn, kind);
	return error;
}

int yard_lru_deactivate(struct yard *yard, uint32_t pfn)
{
	return queue(yard, pfn, BATCH_DEACTIVATE);
}

int yard_lru_deactivate_file(struct yard *yard, uint32_t pfn)
{
	return queue(yard, pfn, BATCH_DEACTIVATE_FILE);
}

int yard_lru_lazyfree(struct yard *yard, uint32_t pfn)
{
	return queue(yard, pfn, BATCH_LAZYFREE);
}

// ---- write-back ----

int yard_writeback_begin(struct yard *yard, uint32_t pfn)
{
	int error = check_page(yard, pfn);

	if (error)
		return error;
	if (frame_word(yard, pfn) & PG_WRITEBACK)
		return YARD_EINVAL;
	lru_change(yard, pfn, PG_DIRTY, PG_WRITEBACK);
	return YARD_OK;
}

// L-17: a page that reclaim waits for goes to the tail of its inactive list. The rotation of an isolated one is lost.
int yard_writeback_end(struct yard *yard, uint32_t pfn)
{
	int error = check_page(yard, pfn);
	uint32_t old;

	if (error)
		return error;
	if (!(frame_word(yard, pfn) & PG_WRITEBACK))
		return YARD_EINVAL;
	old = lru_change(yard, pfn, PG_WRITEBACK | PG_RECLAIM, 0);
	count_pages(yard, pfn, old, YARD_NODE_WRITTEN);
	account_writeback_end(yard, node_of(yard, pfn), (uint64_t)word_pages(old));
	if (old & PG_RECLAIM && !(old & (PG_DIRTY | PG_MLOCKED)) && word_place(old) == PLACE_LRU)
		lru_batch_add(yard, pfn, BATCH_MOVE_TAIL);
	return YARD_OK;
}

// ---- reading the lists ----

uint64_t yard_lru_size(const struct yard *yard, unsigned node, enum yard_lru_list list, unsigned highest_zone)
{
	return node < yard->nr_nodes && list < YARD_LRU_LISTS ? lruvec_size(yard, node, list, highest_zone) : 0;
}

uint32_t yard_lru_next(const struct yard *yard, unsigned node, enum yard_lru_list list, uint32_t pfn)
{
	if (node >= yard->nr_nodes || list >= YARD_LRU_UNEVICTABLE)
		return PFN_NONE;
	if (pfn == PFN_NONE)
		return list_head(&yard->mm[node].lruvec.lists[list]);
	return in_yard(yard, pfn) ? frame_at(yard, pfn)->next : PFN_NONE;
}

int yard_lru_split(struct yard *yard, uint32_t pfn, unsigned order)
{
	const uint32_t order_bits = 0xfu << FRAME_ORDER_SHIFT;
	int error = lru_check_owned(yard, pfn);
	uint32_t word;

	error = error ? error : check_allocated(yard, pfn, order);
	if (error)
		return error;
	word = frame_word(yard, pfn);
	if (word_place(word) != PLACE_ISOLATED)
		return YARD_EINVAL;
	for (uint32_t p = pfn + (1u << order) - 1; p > pfn; p--)
		frame_set_word(yard, p, word & ~order_bits);
	frame_change(yard, pfn, order_bits, 0);
	return YARD_OK;
}
