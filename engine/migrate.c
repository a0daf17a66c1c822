// SPDX-License-Identifier: Apache-2.0
//
// Migration (spec 03 section 3.7): isolated pages are unmapped in batches, then moved. Their owner does both; the
// engine counts the tries, keeps the flags and puts the pages where they belong.
//
// Large pages are never split here (spec 04 A-8l): where Linux would split one that finds no destination, it stays, and
// the others go on.

#include "engine/lru.h"

enum { BATCH_PAGES = 512 };			      // NR_MAX_BATCHED_MIGRATION
enum { ASYNC_PASSES = 10, PRE_PASSES = 3, SYNC_PASSES = 7 }; // M2
enum { HUGE_ORDER = 9 };			      // what the thp_ counters count
enum { WRITEBACK_WAITS = 50, WAITS_PER_SECOND = 50 }; // M4.3

struct tally {
	uint64_t moved, failed; // pages
	unsigned folios_failed, huge_moved, huge_failed;
};

struct migration {
	struct yard *yard;
	const struct migrate_target *target;
	enum yard_migrate_mode mode;
	enum migrate_reason reason;
	struct tally *tally;
	struct list failed; // not to be tried again in this batch
	unsigned memalloc;  // see get_destination()
};

enum outcome { DONE, GONE, AGAIN, BUSY, NO_MEMORY };

static enum outcome answer(enum yard_move_result result)
{
	return result == YARD_MOVE_DONE ? DONE : result == YARD_MOVE_AGAIN ? AGAIN : BUSY;
}

static unsigned order_of(const struct migration *m, uint32_t pfn)
{
	return word_order(frame_word(m->yard, pfn));
}

static void count_moved(struct migration *m, unsigned order)
{
	m->tally->moved += 1u << order;
	m->tally->huge_moved += order == HUGE_ORDER;
}

static void count_failed(struct migration *m, unsigned order)
{
	m->tally->failed += 1u << order;
	m->tally->folios_failed++;
	m->tally->huge_failed += order == HUGE_ORDER;
}

static void splice_tail(struct yard *yard, struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	if (list_empty(to)) {
		list_set_head(to, from->head);
	} else {
		frame_at(yard, to->tail)->next = from->head;
		frame_at(yard, from->head)->prev = to->tail;
	}
	to->tail = from->tail;
	list_init(from);
}

// ---- letting go of pages ----

// NR_ISOLATED does not count pages with movable operations. The caller of a demotion accounts for all that it has
// isolated (spec 04 C-6).
static void discard_source(struct migration *m, uint32_t pfn)
{
	uint32_t word = frame_word(m->yard, pfn);
	bool counted = word_place(word) == PLACE_ISOLATED || (word_gone(word) && !(word & GONE_UNCOUNTED));

	if (counted && m->reason != MR_DEMOTION)
		uncount_isolated(m->yard, pfn, word);
	lru_discard(m->yard, pfn);
}

void putback_movable_pages(struct yard *yard, struct list *list)
{
	while (!list_empty(list))
		lru_putback(yard, list_pop_head(yard, list), false);
}

// ---- phase 1: unmapping (M4) ----

// Linux waits for as long as it takes; here a device that never answers costs a second a try.
static enum outcome wait_for_writeback(struct migration *m, uint32_t pfn)
{
	struct yard *yard = m->yard;

	for (unsigned n = 0; frame_word(yard, pfn) & PG_WRITEBACK; n++) {
		if (m->mode != YARD_MIGRATE_SYNC)
			return BUSY;
		if (n == WRITEBACK_WAITS || fatal_signal(yard))
			return AGAIN;
		yard_host_wait(&yard->host, queue_of(node_of(yard, pfn), YARD_QUEUE_WRITEBACK),
			       1000ull * NSEC_PER_MSEC / WAITS_PER_SECOND);
	}
	return DONE;
}

// The owner's callbacks run with PF_MEMALLOC, whoever finds destinations does not.
static uint32_t get_destination(struct migration *m, uint32_t pfn, unsigned order)
{
	uint32_t to;

	memalloc_leave(m->yard, m->memalloc);
	to = m->target->get(m->yard, m->target->context, pfn, order);
	m->memalloc = memalloc_enter(m->yard);
	return to;
}

static enum outcome unmap_page(struct migration *m, uint32_t pfn, uint32_t *to)
{
	const struct yard_owner_ops *owner = &m->yard->owner;
	unsigned order = order_of(m, pfn);
	enum outcome outcome;

	*to = get_destination(m, pfn, order);
	if (*to == PFN_NONE)
		return order ? BUSY : NO_MEMORY;
	outcome = wait_for_writeback(m, pfn);
	if (outcome == DONE && owner->unmap_for_move)
		outcome = answer(owner->unmap_for_move(owner->context, pfn, order, m->mode));
	if (outcome == DONE) {
		yard_host_charge(&m->yard->host, YARD_COST_UNMAP, 1);
		return DONE;
	}
	m->target->put(m->yard, m->target->context, *to, order);
	return lru_gone(m->yard, pfn) ? GONE : outcome;
}

struct unmapped { // two lists of the same length and order
	struct list from, to;
};

// What an outcome of phase 1 means for a page on *list.
static void sort_out(struct migration *m, struct list *list, uint32_t pfn, uint32_t to, enum outcome outcome,
		     struct unmapped *unmapped)
{
	struct yard *yard = m->yard;
	unsigned order = order_of(m, pfn);

	if (outcome == AGAIN || outcome == NO_MEMORY)
		return;
	list_del(yard, list, pfn);
	if (outcome == GONE) {
		count_moved(m, order);
		discard_source(m, pfn);
	} else if (outcome == BUSY) {
		count_failed(m, order);
		list_add_tail(yard, &m->failed, pfn);
	} else {
		list_add_tail(yard, &unmapped->from, pfn);
		list_add_tail(yard, &unmapped->to, to);
	}
}

// The pages up to `end` (PFN_NONE: all) stay on the list and count as failed.
static void fail_rest(struct migration *m, const struct list *list, uint32_t end)
{
	for (uint32_t pfn = list->head; pfn != end; pfn = frame_at(m->yard, pfn)->next)
		count_failed(m, order_of(m, pfn));
}

// False: no destinations are left.
static bool unmap_pages(struct migration *m, struct list *list, unsigned passes, struct unmapped *unmapped)
{
	while (passes-- && !list_empty(list)) {
		uint32_t next;

		yard_host_yield(&m->yard->host);
		for (uint32_t pfn = list->head; pfn != PFN_NONE; pfn = next) {
			uint32_t to = PFN_NONE;
			enum outcome outcome = lru_gone(m->yard, pfn) ? GONE : unmap_page(m, pfn, &to);

			next = frame_at(m->yard, pfn)->next;
			sort_out(m, list, pfn, to, outcome, unmapped);
			if (outcome == NO_MEMORY) {
				fail_rest(m, list, next);
				return false;
			}
		}
	}
	fail_rest(m, list, PFN_NONE);
	return true;
}

// ---- phase 2: moving (M5) ----

static void set_word(struct yard *yard, uint32_t pfn, uint32_t word)
{
	uint32_t old = frame_word(yard, pfn);

	while (!change_word(yard, pfn, &old, word))
		;
}

// The destination is the owner's from the moment that it points there. Until the engine has let go of it, it is
// isolated, so that it can be freed at any time.
static void prepare_destination(struct yard *yard, uint32_t from, uint32_t to, uint32_t word)
{
	yard_set_owner(yard, to, yard_get_owner(yard, from));
	set_word(yard, to, word & ~(uint32_t)(PG_BATCH | PG_GEN));
}

// The owner may have told something of the page until it pointed to the destination. What it has told of that meanwhile
// is newer.
static void carry_over(struct yard *yard, uint32_t from, uint32_t to, uint32_t copied)
{
	const uint32_t seen = PG_DIRTY | PG_REFERENCED | PG_YOUNG; // does no harm when it is not true any more
	const uint32_t told = PG_MLOCKED | PG_PINNED | PG_DROPBEHIND | PG_SWAPCACHE | PG_SWAPBACKED | PG_MAPPING;
	uint32_t last = frame_word(yard, from), changed = (last ^ copied) & ~(frame_word(yard, to) ^ copied);

	if (changed & (seen | told) && !word_gone(last))
		lru_change(yard, to, changed & told & ~last, changed & (seen | told) & last);
}

static void release_destination(struct migration *m, uint32_t to, bool lru)
{
	uint32_t word = frame_word(m->yard, to);

	if (lru)
		count_isolated(m->yard, to); // lru_putback() takes it back
	lru_putback(m->yard, to, false);
	if (word & PG_MLOCKED)
		lru_drain_cpu(m->yard, this_cpu(m->yard));
}

static void count_gone(struct migration *m, uint32_t from, uint32_t to)
{
	unsigned order = order_of(m, from);

	m->target->put(m->yard, m->target->context, to, order);
	count_moved(m, order);
	discard_source(m, from);
}

static void undo(struct migration *m, uint32_t from, uint32_t to)
{
	const struct yard_owner_ops *owner = &m->yard->owner;
	unsigned order = order_of(m, from);

	if (owner->undo_unmap)
		owner->undo_unmap(owner->context, from, order);
	m->target->put(m->yard, m->target->context, to, order);
	count_failed(m, order);
	list_add_tail(m->yard, &m->failed, from);
}

static enum outcome move_page(struct migration *m, uint32_t from, uint32_t to)
{
	const struct yard_owner_ops *owner = &m->yard->owner;
	uint32_t word = frame_word(m->yard, from);
	unsigned order = word_order(word);
	enum outcome outcome;

	if (lru_gone(m->yard, from))
		return GONE;
	if (word & (PG_PINNED | PG_BATCH)) // a reference that nobody expects
		return AGAIN;
	prepare_destination(m->yard, from, to, word);
	outcome = answer(owner->move(owner->context, from, to, order, m->mode));
	if (outcome != DONE) {
		set_word(m->yard, to, make_word(YARD_FRAME_ALLOCATED, order, 0));
		return lru_gone(m->yard, from) ? GONE : outcome;
	}
	yard_host_charge(&m->yard->host, YARD_COST_COPY_PAGE, 1ull << order);
	yard_host_charge(&m->yard->host, YARD_COST_REMAP, 1);
	count_moved(m, order);
	carry_over(m->yard, from, to, word);
	release_destination(m, to, word_place(word) == PLACE_ISOLATED);
	discard_source(m, from);
	return DONE;
}

static void move_pass(struct migration *m, struct unmapped *unmapped, struct unmapped *again)
{
	struct yard *yard = m->yard;

	while (!list_empty(&unmapped->from)) {
		uint32_t from = list_pop_head(yard, &unmapped->from), to = list_pop_head(yard, &unmapped->to);

		switch (move_page(m, from, to)) {
		case AGAIN:
			list_add_tail(yard, &again->from, from);
			list_add_tail(yard, &again->to, to);
			break;
		case GONE:
			count_gone(m, from, to);
			break;
		case BUSY:
			undo(m, from, to);
			break;
		default:
			break;
		}
	}
}

static void move_unmapped(struct migration *m, struct unmapped *unmapped, unsigned passes)
{
	struct yard *yard = m->yard;

	while (passes-- && !list_empty(&unmapped->from)) {
		struct unmapped again;

		list_init(&again.from);
		list_init(&again.to);
		yard_host_yield(&yard->host);
		move_pass(m, unmapped, &again);
		*unmapped = again;
	}
	while (!list_empty(&unmapped->from)) {
		uint32_t from = list_pop_head(yard, &unmapped->from), to = list_pop_head(yard, &unmapped->to);

		if (lru_gone(yard, from))
			count_gone(m, from, to);
		else
			undo(m, from, to);
	}
}

// ---- batches (M2, M3) ----

// What could not be moved stays on *list, or is on m->failed. False: no destinations are left.
static bool move_batch(struct migration *m, struct list *list, unsigned passes)
{
	const struct yard_owner_ops *owner = &m->yard->owner;
	struct unmapped unmapped;
	bool enough;

	list_init(&unmapped.from);
	list_init(&unmapped.to);
	enough = unmap_pages(m, list, passes, &unmapped);
	if (list_empty(&unmapped.from))
		return enough;
	if (owner->flush)
		owner->flush(owner->context);
	yard_host_charge(&m->yard->host, YARD_COST_TLB_FLUSH, 1);
	move_unmapped(m, &unmapped, passes);
	return enough;
}

static bool move_one_by_one(struct migration *m, struct list *list)
{
	bool enough = true;

	while (enough && !list_empty(list)) {
		struct list single;

		list_init(&single);
		list_add_head(m->yard, &single, list_pop_head(m->yard, list));
		enough = move_batch(m, &single, SYNC_PASSES);
		splice_tail(m->yard, &m->failed, &single);
	}
	return enough;
}

static bool move_sync(struct migration *m, struct list *list)
{
	enum yard_migrate_mode mode = m->mode;
	struct tally first = *m->tally;
	bool enough;

	m->mode = YARD_MIGRATE_ASYNC;
	enough = move_batch(m, list, PRE_PASSES);
	m->mode = mode;
	splice_tail(m->yard, list, &m->failed);
	if (!enough)
		return false;
	m->tally->failed = first.failed; // they are tried again
	m->tally->folios_failed = first.folios_failed;
	m->tally->huge_failed = first.huge_failed;
	return move_one_by_one(m, list);
}

static void cut_batch(struct yard *yard, struct list *list, struct list *batch)
{
	unsigned pages = 0;

	list_init(batch);
	while (pages < BATCH_PAGES && !list_empty(list)) {
		uint32_t pfn = list_pop_head(yard, list);

		pages += 1u << word_order(frame_word(yard, pfn));
		list_add_tail(yard, batch, pfn);
	}
}

static void report(struct yard *yard, const struct tally *tally, enum yard_migrate_mode mode,
		   enum migrate_reason reason)
{
	count_vm_event(yard, YARD_VM_PGMIGRATE_SUCCESS, tally->moved);
	count_vm_event(yard, YARD_VM_PGMIGRATE_FAIL, tally->failed);
	count_vm_event(yard, YARD_VM_THP_MIGRATION_SUCCESS, tally->huge_moved);
	count_vm_event(yard, YARD_VM_THP_MIGRATION_FAIL, tally->huge_failed);
	TRACE(yard, MIGRATE_PAGES, (int64_t)tally->moved, (int64_t)tally->failed, tally->huge_moved, tally->huge_failed,
	      0, 0, mode, reason);
}

int migrate_pages(struct yard *yard, struct list *list, const struct migrate_target *target,
		  enum yard_migrate_mode mode, enum migrate_reason reason, uint64_t *moved)
{
	struct tally tally = { 0 };
	struct migration m = { .yard = yard, .target = target, .mode = mode, .reason = reason, .tally = &tally };
	struct list left; // in the order in which they were given up
	bool enough = true;

	TRACE(yard, MIGRATE_PAGES_START, mode, reason);
	m.memalloc = memalloc_enter(yard);
	list_init(&left);
	while (enough && !list_empty(list)) {
		struct list batch;

		list_init(&m.failed);
		cut_batch(yard, list, &batch);
		enough = mode == YARD_MIGRATE_ASYNC ? move_batch(&m, &batch, ASYNC_PASSES) : move_sync(&m, &batch);
		splice_tail(yard, &left, &m.failed);
		splice_tail(yard, &left, &batch);
	}
	splice_tail(yard, &left, list);
	*list = left;
	memalloc_leave(yard, m.memalloc);
	report(yard, &tally, mode, reason);
	*moved = tally.moved;
	return enough ? (int)tally.folios_failed : MIGRATE_NO_MEMORY;
}
