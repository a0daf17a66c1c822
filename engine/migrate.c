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

struct moved { // the owner has moved it, the engine has yet to let go of both frames
	uint32_t from, to, word; // word: of `to` when the owner was asked
};

struct migration {
	struct yard *yard;
	const struct migrate_target *target;
	enum yard_migrate_mode mode;
	enum migrate_reason reason;
	struct tally *tally;
	struct list failed; // not to be tried again in this batch
	struct moved moved[CLUSTER_MAX];
	unsigned nr_moved;
	unsigned memalloc; // see enter_owner()
	bool in_owner;
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
static bool counts_isolated(const struct migration *m, uint32_t word)
{
	bool counted = word_place(word) == PLACE_ISOLATED || (word_gone(word) && !(word & GONE_UNCOUNTED));

	return counted && m->reason != MR_DEMOTION;
}

static void discard_source(struct migration *m, uint32_t pfn)
{
	uint32_t word = frame_word(m->yard, pfn);

	if (counts_isolated(m, word))
		uncount_isolated(m->yard, pfn, word);
	lru_discard(m->yard, pfn);
}

void putback_movable_pages(struct yard *yard, struct list *list)
{
	while (!list_empty(list))
		lru_putback(yard, list_pop_head(yard, list), false);
}

// ---- PF_MEMALLOC: the owner's callbacks run with it, whoever finds destinations does not ----

static void enter_owner(struct migration *m)
{
	if (!m->in_owner)
		m->memalloc = memalloc_enter(m->yard);
	m->in_owner = true;
}

static void leave_owner(struct migration *m)
{
	if (m->in_owner)
		memalloc_leave(m->yard, m->memalloc);
	m->in_owner = false;
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


static enum outcome ask_to_unmap(struct migration *m, uint32_t pfn, unsigned order)
{
	const struct yard_owner_ops *owner = &m->yard->owner;

	if (!owner->unmap_for_move)
		return DONE;
	enter_owner(m);
	return answer(owner->unmap_for_move(owner->context, pfn, order, m->mode));
}

// Whoever waits for isolated pages to be put back must not be the one who holds them (C4.1). Without a current task the
// request runs as one that is made for it, or compaction could not know.
static uint32_t get_destination(struct migration *m, uint32_t pfn, unsigned order)
{
	struct yard_task nobody, *current = current_task(m->yard), *task = current ? current : &nobody;
	uint32_t to;

	if (!current) {
		nobody = (struct yard_task){ 0 };
		yard_set_current(m->yard, &nobody);
	}
	task->migrating++;
	to = m->target->get(m->yard, m->target->context, pfn, order);
	task->migrating--;
	if (!current)
		yard_set_current(m->yard, NULL);
	return to;
}

static void put_destination(struct migration *m, uint32_t to, unsigned order)
{
	if (m->target->put)
		m->target->put(m->yard, m->target->context, to, order);
	else
		free_plain(m->yard, to, order);
}

static enum outcome unmap_page(struct migration *m, uint32_t pfn, uint32_t *to)
{
	unsigned order = order_of(m, pfn);
	enum outcome outcome;

	leave_owner(m);
	*to = get_destination(m, pfn, order);
	if (*to == PFN_NONE)
		return order ? BUSY : NO_MEMORY;
	outcome = wait_for_writeback(m, pfn);
	if (outcome == DONE)
		outcome = ask_to_unmap(m, pfn, order);
	if (outcome == DONE) {
		yard_host_charge(&m->yard->host, YARD_COST_UNMAP, 1);
		return DONE;
	}
	put_destination(m, *to, order);
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

// The destination is the owner's from the moment that it points there. Until the engine has let go of it, it is
// isolated, so that it can be freed at any time. The node's counters know the page by its source until that is
// discarded.
static void prepare_destination(struct yard *yard, const struct moved *moved)
{
	yard_set_owner(yard, moved->to, yard_get_owner(yard, moved->from));
	frame_set_word(yard, moved->to, moved->word);
}

// The counters keep what has become of the destination since it was prepared.
static void unprepare_destination(struct yard *yard, const struct moved *moved)
{
	uint32_t plain = make_word(YARD_FRAME_ALLOCATED, word_order(moved->word), 0);
	uint32_t word = atomic_exchange_explicit(&frame_at(yard, moved->to)->word, plain, memory_order_acq_rel);

	if (counters_differ(word, moved->word))
		count_change(yard, node_of(yard, moved->to), word, moved->word);
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

static void release_destination(struct yard *yard, uint32_t to)
{
	uint32_t word = frame_word(yard, to);

	lru_putback_uncounted(yard, to);
	if (word & PG_MLOCKED)
		lru_drain_cpu(yard, this_cpu(yard));
}

// The rest of M5 for pages that the owner has moved, in the order of the moves. All at once: each copy pushes the
// engine's own data out of the cache.
static void finish_moves(struct migration *m)
{
	struct isolated_pages isolated = { .pages = { 0 } };
	struct yard *yard = m->yard;
	unsigned node = 0;

	for (unsigned i = 0; i < m->nr_moved; i++) {
		const struct moved *moved = &m->moved[i];
		uint32_t word;

		release_destination(yard, moved->to);
		word = frame_word(yard, moved->from);
		if (node_of(yard, moved->from) != node)
			mod_isolated(yard, node, &isolated);
		node = node_of(yard, moved->from);
		if (counts_isolated(m, word))
			isolated.pages[word & ISOLATED_FILE ? FILE_LRU : ANON] -= word_pages(word);
		lru_discard_moved(yard, moved->from, moved->to, moved->word);
	}
	mod_isolated(yard, node, &isolated);
	m->nr_moved = 0;
}

static void count_gone(struct migration *m, uint32_t from, uint32_t to)
{
	unsigned order = order_of(m, from);

	put_destination(m, to, order);
	count_moved(m, order);
	discard_source(m, from);
}

static void undo(struct migration *m, uint32_t from, uint32_t to)
{
	const struct yard_owner_ops *owner = &m->yard->owner;
	unsigned order = order_of(m, from);

	if (owner->undo_unmap)
		owner->undo_unmap(owner->context, from, order);
	put_destination(m, to, order);
	count_failed(m, order);
	list_add_tail(m->yard, &m->failed, from);
}

static enum outcome move_page(struct migration *m, uint32_t from, uint32_t to)
{
	const struct yard_owner_ops *owner = &m->yard->owner;
	uint32_t word = frame_word(m->yard, from);
	struct moved moved = { .from = from, .to = to, .word = word & ~(uint32_t)(PG_BATCH | PG_GEN) };
	unsigned order = word_order(word);
	enum outcome outcome;

	if (lru_gone(m->yard, from))
		return GONE;
	if (word & (PG_PINNED | PG_BATCH)) // a reference that nobody expects
		return AGAIN;
	prepare_destination(m->yard, &moved);
	outcome = answer(owner->move(owner->context, from, to, order, m->mode));
	if (outcome != DONE) {
		unprepare_destination(m->yard, &moved);
		return lru_gone(m->yard, from) ? GONE : outcome;
	}
	yard_host_charge(&m->yard->host, YARD_COST_COPY_PAGE, 1ull << order);
	yard_host_charge(&m->yard->host, YARD_COST_REMAP, 1);
	count_moved(m, order);
	carry_over(m->yard, from, to, word);
	m->moved[m->nr_moved++] = moved;
	return DONE;
}

static void move_pass(struct migration *m, struct unmapped *unmapped, struct unmapped *again)
{
	struct yard *yard = m->yard;

	while (!list_empty(&unmapped->from)) {
		uint32_t from = list_pop_head(yard, &unmapped->from), to = list_pop_head(yard, &unmapped->to);
		enum outcome outcome = move_page(m, from, to);

		if (outcome == AGAIN) {
			list_add_tail(yard, &again->from, from);
			list_add_tail(yard, &again->to, to);
		}
		if (outcome == GONE || outcome == BUSY || m->nr_moved == CLUSTER_MAX)
			finish_moves(m);
		if (outcome == GONE)
			count_gone(m, from, to);
		else if (outcome == BUSY)
			undo(m, from, to);
	}
	finish_moves(m);
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
	enter_owner(m);
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
	leave_owner(&m);
	report(yard, &tally, mode, reason);
	*moved = tally.moved;
	return enough ? (int)tally.folios_failed : MIGRATE_NO_MEMORY;
}
