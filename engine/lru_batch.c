// SPDX-License-Identifier: Apache-2.0
//
// Per-CPU batches (spec 04 section 1.3): pages wait in them until 31 operations of a kind can be done at once.
//
// A page has one bit that says that it waits (PG_BATCH). Linux can have a page in several batches; here a second
// operation is done at once, or not at all while the page has yet to join the LRU: an owner who changes new pages by
// ranges calls yard_lru_drain() first, as madvise() and mlock() do (L-12).
//
// The batch's lock is held while it is applied, lru_lock inside it: who drains a batch knows that its pages have left.

#include "engine/lru.h"

struct gone { // pages to free when the locks are free again
	uint32_t pfn[BATCH_SIZE];
	unsigned nr;
};

static void free_gone(struct yard *yard, const struct gone *gone)
{
	for (unsigned i = 0; i < gone->nr; i++)
		free_plain(yard, gone->pfn[i], word_order(frame_word(yard, gone->pfn[i])));
}

// ---- what is done to a page: lru_lock held, on the LRU ----

static void move_to_list(struct yard *yard, uint32_t pfn, uint32_t clear, uint32_t set, bool tail)
{
	frame_change(yard, pfn, clear, set);
	lru_list_add(yard, pfn, tail);
}

static void move_tail(struct yard *yard, uint32_t pfn, int64_t pages) // L-17
{
	lru_list_del(yard, pfn);
	move_to_list(yard, pfn, PG_ACTIVE, 0, true);
	count_vm_event(yard, YARD_VM_PGROTATED, (uint64_t)pages);
}

static void deactivate_file(struct yard *yard, uint32_t pfn, int64_t pages) // L-16
{
	uint32_t word = frame_word(yard, pfn);
	bool busy = word & (PG_DIRTY | PG_WRITEBACK);

	if (word & PG_MAPPING)
		return;
	lru_list_del(yard, pfn);
	if (frame_word(yard, pfn) & PG_ACTIVE)
		count_vm_event(yard, YARD_VM_PGDEACTIVATE, (uint64_t)pages);
	move_to_list(yard, pfn, PG_ACTIVE | PG_REFERENCED, busy ? PG_RECLAIM : 0, !busy);
	if (!busy)
		count_vm_event(yard, YARD_VM_PGROTATED, (uint64_t)pages);
}

static void deactivate(struct yard *yard, uint32_t pfn, int64_t pages) // L-16
{
	if (!mm_of(yard, pfn)->lru_gen && !(frame_word(yard, pfn) & PG_ACTIVE))
		return;
	lru_list_del(yard, pfn);
	move_to_list(yard, pfn, PG_ACTIVE | PG_REFERENCED, 0, false);
	count_vm_event(yard, YARD_VM_PGDEACTIVATE, (uint64_t)pages);
}

static void make_lazyfree(struct yard *yard, uint32_t pfn, int64_t pages) // L-16
{
	uint32_t word = frame_word(yard, pfn);

	if ((word & (PG_ANON | PG_SWAPBACKED | PG_SWAPCACHE)) != (PG_ANON | PG_SWAPBACKED))
		return;
	lru_list_del(yard, pfn);
	lru_change(yard, pfn, PG_ACTIVE | PG_REFERENCED | PG_SWAPBACKED, 0);
	lru_list_add(yard, pfn, false);
	count_vm_event(yard, YARD_VM_PGLAZYFREE, (uint64_t)pages);
}

static void activate(struct yard *yard, uint32_t pfn, int64_t pages) // L-15
{
	if (frame_word(yard, pfn) & PG_ACTIVE)
		return;
	lru_list_del(yard, pfn);
	move_to_list(yard, pfn, 0, PG_ACTIVE, false);
	count_vm_event(yard, YARD_VM_PGACTIVATE, (uint64_t)pages);
	TRACE(yard, LRU_ACTIVATE, pfn);
}

static void follow_mlock(struct yard *yard, uint32_t pfn, int64_t pages) // L-4
{
	uint32_t word = frame_word(yard, pfn);
	bool listed = word_place(word) == PLACE_LRU;

	if (listed != (bool)(word & PG_MLOCKED))
		return;
	lru_list_del(yard, pfn);
	lru_list_add(yard, pfn, false);
	count_vm_event(yard, listed ? YARD_VM_UNEVICTABLE_PGS_CULLED : YARD_VM_UNEVICTABLE_PGS_RESCUED, (uint64_t)pages);
}

static void operate(struct yard *yard, uint32_t pfn, enum batch_kind kind)
{
	static void (*const operations[BATCH_KINDS])(struct yard *, uint32_t, int64_t) = {
		[BATCH_MOVE_TAIL] = move_tail, [BATCH_DEACTIVATE_FILE] = deactivate_file, [BATCH_DEACTIVATE] = deactivate,
		[BATCH_LAZYFREE] = make_lazyfree, [BATCH_ACTIVATE] = activate, [BATCH_MLOCK] = follow_mlock,
	};
	uint32_t word = frame_word(yard, pfn);

	if (!word_on_lru(word))
		return;
	if (kind != BATCH_MLOCK && (word_place(word) == PLACE_UNEVICTABLE || word & PG_MLOCKED))
		return;
	operations[kind](yard, pfn, word_pages(word));
}

// ---- application ----

static unsigned insertion_flags(uint32_t word) // of mm_lru_insertion
{
	return (word & PG_MAPPING ? 0x1 : 0) | (word & PG_ANON ? 0x2 : 0x4) | (word & PG_SWAPCACHE ? 0x8 : 0)
	       | (word & PG_SWAPBACKED ? 0x10 : 0);
}

// L-7. False: its owner has freed it.
static bool insert(struct yard *yard, uint32_t pfn)
{
	uint32_t word;
	bool unevictable;

	if (!lru_link_from_batch(yard, pfn))
		return false;
	word = frame_word(yard, pfn);
	unevictable = word_place(word) == PLACE_UNEVICTABLE;
	if (unevictable)
		count_vm_event(yard, YARD_VM_UNEVICTABLE_PGS_CULLED, (uint64_t)word_pages(word));
	TRACE(yard, LRU_INSERTION, pfn, unevictable ? (int64_t)YARD_LRU_UNEVICTABLE : (int64_t)page_list(word),
	      insertion_flags(word));
	return true;
}

// The batch lets go of the page. True: its owner has freed it and nobody else holds it, so the batch frees it (L-12).
static bool leave_batch(struct yard *yard, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn), to;

	do {
		to = word_place(word) == PLACE_GONE ? word & ~(uint32_t)PG_ALL : word & ~(uint32_t)PG_BATCH;
	} while (!change_word(yard, pfn, &word, to));
	return word_place(word) == PLACE_GONE;
}

// lru_lock held. True: as leave_batch().
static bool apply_one(struct yard *yard, uint32_t pfn, enum batch_kind kind)
{
	if (kind != BATCH_ADD)
		operate(yard, pfn, kind);
	else if (insert(yard, pfn))
		return false;
	return leave_batch(yard, pfn);
}

// The batch's lock is held. lru_lock is kept from a page to the next one of the same node.
static void apply_batch(struct yard *yard, struct lru_batches *batches, enum batch_kind kind, struct gone *gone)
{
	struct node_mm *locked = NULL;

	for (unsigned i = 0; i < batches->nr[kind]; i++) {
		uint32_t pfn = batches->pfn[kind][i];
		struct node_mm *mm = mm_of(yard, pfn);

		if (mm != locked) {
			if (locked)
				yard_spin_unlock(&locked->lru_lock);
			yard_spin_lock(&mm->lru_lock);
			locked = mm;
		}
		if (apply_one(yard, pfn, kind))
			gone->pfn[gone->nr++] = pfn;
	}
	if (locked)
		yard_spin_unlock(&locked->lru_lock);
	batches->nr[kind] = 0;
}

void lru_drain_cpu(struct yard *yard, unsigned cpu) // L-12
{
	struct lru_batches *batches = &yard->batches[cpu];
	unsigned previous = yard_host_enter_cpu(&yard->host, cpu);

	for (unsigned kind = 0; kind < BATCH_KINDS; kind++) {
		struct gone gone = { .nr = 0 };

		yard_spin_lock(&batches->lock);
		apply_batch(yard, batches, (enum batch_kind)kind, &gone);
		yard_spin_unlock(&batches->lock);
		free_gone(yard, &gone);
	}
	yard_host_enter_cpu(&yard->host, previous);
}

void lru_drain_all(struct yard *yard)
{
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++)
		lru_drain_cpu(yard, cpu);
}

void yard_lru_drain(struct yard *yard)
{
	lru_drain_cpu(yard, this_cpu(yard));
}

void yard_lru_drain_all(struct yard *yard)
{
	lru_drain_all(yard);
}

// ---- queuing (L-11) ----

static void push(struct yard *yard, struct lru_batches *batches, uint32_t pfn, enum batch_kind kind, struct gone *gone)
{
	batches->pfn[kind][batches->nr[kind]++] = pfn;
	if (batches->nr[kind] == BATCH_SIZE || word_order(frame_word(yard, pfn)))
		apply_batch(yard, batches, kind, gone);
}

bool lru_queue(struct yard *yard, uint32_t pfn, enum page_place from, uint32_t clear, uint32_t set)
{
	struct lru_batches *batches = &yard->batches[this_cpu(yard)];
	uint32_t word = frame_word(yard, pfn);
	struct gone gone = { .nr = 0 };
	bool queued = false;

	clear |= PLACE_MASK;
	set |= PG_BATCH | place_bits(PLACE_PLAIN);
	yard_spin_lock(&batches->lock);
	while (!queued && word_place(word) == from && !(word & PG_BATCH))
		queued = change_word(yard, pfn, &word, (word & ~clear) | set);
	if (queued)
		push(yard, batches, pfn, BATCH_ADD, &gone);
	yard_spin_unlock(&batches->lock);
	free_gone(yard, &gone);
	return queued;
}

void lru_batch_add(struct yard *yard, uint32_t pfn, enum batch_kind kind)
{
	struct lru_batches *batches = &yard->batches[this_cpu(yard)];
	uint32_t word = frame_word(yard, pfn);
	struct node_mm *mm = mm_of(yard, pfn);
	struct gone gone = { .nr = 0 };
	bool queued = false;

	if (kind == BATCH_ADD) {
		lru_queue(yard, pfn, PLACE_PLAIN, 0, 0);
		return;
	}
	yard_spin_lock(&batches->lock);
	while (!queued && word_on_lru(word) && !(word & PG_BATCH))
		queued = change_word(yard, pfn, &word, word | PG_BATCH);
	if (queued)
		push(yard, batches, pfn, kind, &gone);
	yard_spin_unlock(&batches->lock);
	free_gone(yard, &gone);
	if (queued || !(word & PG_BATCH))
		return;
	yard_spin_lock(&mm->lru_lock);
	operate(yard, pfn, kind);
	yard_spin_unlock(&mm->lru_lock);
}

void lru_activate(struct yard *yard, uint32_t pfn)
{
	lru_batch_add(yard, pfn, BATCH_ACTIVATE);
}

bool lru_activate_queued(struct yard *yard, uint32_t pfn)
{
	struct lru_batches *batches = &yard->batches[this_cpu(yard)];
	bool found = false;

	yard_spin_lock(&batches->lock);
	for (unsigned i = 0; i < batches->nr[BATCH_ADD] && !found; i++)
		found = batches->pfn[BATCH_ADD][i] == pfn;
	if (found)
		frame_change(yard, pfn, 0, PG_ACTIVE);
	yard_spin_unlock(&batches->lock);
	return found;
}
