// SPDX-License-Identifier: Apache-2.0
//
// The entries of freeing (spec 01 section 5.1): to this CPU's set, straight to the buddy lists, in batches and ranges.

#include "engine/mm.h"

enum { FREE_BATCH_MAX = 31 };

// A block of this order that is its owner's alone: neither on the LRU nor held by reclaim, compaction or a batch.
static HOT bool is_plain(const struct yard *yard, uint32_t pfn, unsigned order)
{
	const uint32_t mask = make_word((enum yard_frame_state)FRAME_STATE, 0xf, 0) | PLACE_MASK | PG_BATCH;

	return in_yard(yard, pfn) && (frame_word(yard, pfn) & mask) == make_word(YARD_FRAME_ALLOCATED, order, 0);
}

// Why a block cannot be freed, or YARD_OK.
int check_allocated(const struct yard *yard, uint32_t pfn, unsigned order)
{
	enum yard_frame_state state;
	uint32_t word;

	if (unlikely(order > YARD_MAX_PAGE_ORDER || !in_yard(yard, pfn)))
		return YARD_ERANGE;
	word = frame_word(yard, pfn);
	if (likely(word_state(word) == YARD_FRAME_ALLOCATED)) {
		if (word_place(word) == PLACE_GONE || word_place(word) == PLACE_GONE_ISOLATED)
			return YARD_EDOUBLEFREE;
		return word_order(word) == order ? YARD_OK : YARD_ENOTOWNED;
	}
	if (word_state(word) != YARD_FRAME_NONE)
		return YARD_EDOUBLEFREE;
	state = yard_frame_state(yard, pfn, NULL, NULL);
	return state == YARD_FRAME_NONE || state == YARD_FRAME_ALLOCATED ? YARD_ENOTOWNED : YARD_EDOUBLEFREE;
}

// B14, B11: what NOLOCK frees left behind, newest first. zone->lock held.
static void drain_deferred(struct yard *yard, struct zone *zone)
{
	uint32_t pfn;

	if (likely(atomic_load_explicit(&zone->deferred, memory_order_relaxed) == PFN_NONE))
		return;
	// Acquire pairs with the release in push_deferred(): the links are visible.
	pfn = atomic_exchange_explicit(&zone->deferred, PFN_NONE, memory_order_acquire);
	while (pfn != PFN_NONE) {
		uint32_t next = frame_at(yard, pfn)->next;
		unsigned order = word_order(frame_word(yard, pfn));

		frame_set_word(yard, pfn, 0);
		zone->deferred_pgfree += 1u << order;
		free_pieces(yard, zone, pfn, order, FPI_NONE);
		pfn = next;
	}
}

static void push_deferred(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order)
{
	uint32_t head = atomic_load_explicit(&zone->deferred, memory_order_relaxed);

	frame_set_word(yard, pfn, make_word(YARD_FRAME_DEFERRED, order, 0));
	do {
		frame_at(yard, pfn)->next = head;
	} while (!atomic_compare_exchange_weak_explicit(&zone->deferred, &head, pfn, memory_order_release,
							memory_order_relaxed));
}

static void free_direct_locked(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, enum fpi_flags fpi)
{
	yard_host_charge(&yard->host, YARD_COST_ZONE_LOCKED, 1);
	drain_deferred(yard, zone);
	frame_set_word(yard, pfn, 0);
	free_pieces(yard, zone, pfn, order, fpi);
	zone_pcp(zone, this_cpu(yard))->direct_pgfree += 1u << order;
}

void free_direct(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, enum fpi_flags fpi) // B11
{
	EMIT(yard, .kind = YARD_EVENT_FREE_DIRECT, .pfn = pfn, .order = (uint8_t)order, .zone = zone->id, .a = fpi);
	yard_spin_lock(&zone->lock);
	free_direct_locked(yard, zone, pfn, order, fpi);
	yard_spin_unlock(&zone->lock);
}

// B12: the list of the set that blocks of this type go to, or YARD_ISOLATE: none.
static unsigned pcp_list_type(unsigned type)
{
	return type < YARD_PCPTYPES || type == YARD_ISOLATE ? type : (unsigned)YARD_MOVABLE;
}

static HOT void free_to_pcp_or_zone(struct yard *yard, uint32_t pfn, unsigned order, enum pcp_free_kind kind)
{
	struct zone *zone = zone_of_block(yard, pfn);
	unsigned type = pcp_list_type(pageblock_type(yard, pfn));

	if (likely(pcp_allowed_order(order) && type != YARD_ISOLATE) && likely(pcp_free(yard, zone, pfn, order, type, kind)))
		return;
	free_direct(yard, zone, pfn, order, FPI_NONE);
}

void free_prepared(struct yard *yard, uint32_t pfn, unsigned order)
{
	free_to_pcp_or_zone(yard, pfn, order, PCP_FREE_NORMAL);
}

void free_plain(struct yard *yard, uint32_t pfn, unsigned order)
{
	EMIT(yard, .kind = YARD_EVENT_PAGE_FREE, .pfn = pfn, .order = (uint8_t)order, .zone = zone_of(yard, pfn)->id);
	free_to_pcp_or_zone(yard, pfn, order, PCP_FREE_NORMAL);
}

// Takes the block off the LRU. False: it cannot be freed now, because of *error, or because somebody who holds it will.
static RARE bool prepare_free(struct yard *yard, uint32_t pfn, unsigned order, int *error)
{
	enum free_when when;

	*error = check_allocated(yard, pfn, order);
	if (*error)
		return false;
	when = lru_prepare_free(yard, pfn);
	*error = when == FREE_TWICE ? YARD_EDOUBLEFREE : YARD_OK;
	return when == FREE_NOW;
}

int yard_free(struct yard *yard, uint32_t pfn, unsigned order)
{
	int error;

	if (unlikely(!is_plain(yard, pfn, order)) && !prepare_free(yard, pfn, order, &error))
		return error;
	EMIT(yard, .kind = YARD_EVENT_PAGE_FREE, .pfn = pfn, .order = (uint8_t)order, .zone = zone_of(yard, pfn)->id);
	free_to_pcp_or_zone(yard, pfn, order, PCP_FREE_NORMAL);
	return YARD_OK;
}

int yard_free_nolock(struct yard *yard, uint32_t pfn, unsigned order) // B14
{
	struct zone *zone;
	unsigned type;
	int error;

	if (!prepare_free(yard, pfn, order, &error))
		return error;
	zone = zone_of(yard, pfn);
	type = pcp_list_type(pageblock_type(yard, pfn));
	EMIT(yard, .kind = YARD_EVENT_PAGE_FREE, .pfn = pfn, .order = (uint8_t)order, .zone = zone->id);
	if (pcp_allowed_order(order) && type != YARD_ISOLATE && pcp_free(yard, zone, pfn, order, type, PCP_FREE_NOLOCK))
		return YARD_OK;
	if (yard_zone_trylock(&yard->host, &zone->lock)) {
		free_direct_locked(yard, zone, pfn, order, FPI_NONE);
		yard_spin_unlock(&zone->lock);
		return YARD_OK;
	}
	push_deferred(yard, zone, pfn, order);
	return YARD_OK;
}

// B13: all are prepared first; what the sets do not keep goes at once; the rest is put in order.
int yard_free_batch(struct yard *yard, const struct yard_block *blocks, size_t nr)
{
	bool held[FREE_BATCH_MAX]; // whoever holds it frees it

	if (nr > FREE_BATCH_MAX)
		return YARD_EINVAL;
	for (size_t i = 0; i < nr; i++) {
		int error = check_allocated(yard, blocks[i].pfn, blocks[i].order);

		for (size_t j = 0; !error && j < i; j++)
			if (blocks[j].pfn == blocks[i].pfn)
				error = YARD_EDOUBLEFREE;
		if (error)
			return error;
	}
	for (size_t i = 0; i < nr; i++) {
		held[i] = lru_prepare_free(yard, blocks[i].pfn) != FREE_NOW;
		if (held[i])
			continue;
		EMIT(yard, .kind = YARD_EVENT_PAGE_FREE, .pfn = blocks[i].pfn, .order = (uint8_t)blocks[i].order,
		     .zone = zone_of(yard, blocks[i].pfn)->id);
		if (!pcp_allowed_order(blocks[i].order))
			free_direct(yard, zone_of(yard, blocks[i].pfn), blocks[i].pfn, blocks[i].order, FPI_NONE);
	}
	for (size_t i = 0; i < nr; i++)
		if (!held[i] && pcp_allowed_order(blocks[i].order))
			free_to_pcp_or_zone(yard, blocks[i].pfn, blocks[i].order, PCP_FREE_BATCHED);
	return YARD_OK;
}

static unsigned chunk_order(const struct yard *yard, uint32_t pfn, uint32_t remaining) // B16
{
	unsigned order = pfn ? (unsigned)__builtin_ctz(pfn) : YARD_MAX_PAGE_ORDER;

	if (!yard->policy.range_free_chunks) // D9
		return 0;
	order = (unsigned)min64(order, fls64(remaining) - 1);
	return (unsigned)min64(order, YARD_MAX_PAGE_ORDER);
}

// The frames from pfn on that may share a chunk: of one zone (B1) and one section (B16). At most nr.
static uint32_t chunk_run(const struct yard *yard, uint32_t pfn, uint32_t nr)
{
	const struct zone *zone = zone_of_block(yard, pfn);
	uint32_t run = 1, section = PAGES_PER_SECTION - pfn % PAGES_PER_SECTION;

	while (run < nr && run < section && zone_of_block(yard, pfn + run) == zone)
		run++;
	return run;
}

static uint32_t prepare_run(struct yard *yard, uint32_t pfn, uint32_t nr)
{
	uint32_t run = 0;

	for (; run < nr && lru_prepare_free(yard, pfn + run) == FREE_NOW; run++)
		EMIT(yard, .kind = YARD_EVENT_PAGE_FREE, .pfn = pfn + run, .order = 0, .zone = zone_of(yard, pfn + run)->id);
	return run;
}

static void free_run(struct yard *yard, uint32_t pfn, uint32_t nr)
{
	while (nr) {
		uint32_t run = chunk_run(yard, pfn, nr);

		while (run) {
			unsigned order = chunk_order(yard, pfn, run);

			for (uint32_t i = 1; i < 1u << order; i++)
				frame_set_word(yard, pfn + i, 0);
			free_prepared(yard, pfn, order);
			pfn += 1u << order;
			nr -= 1u << order;
			run -= 1u << order;
		}
	}
}

int yard_free_range(struct yard *yard, uint32_t pfn, uint32_t nr)
{
	if (!in_yard(yard, pfn) || nr > yard->end_pfn - pfn)
		return YARD_ERANGE;
	for (uint32_t p = pfn; p < pfn + nr; p++) {
		int error = check_allocated(yard, p, 0);

		if (error)
			return error;
	}
	for (uint32_t p = pfn; p < pfn + nr; p++)
		if (frame_held(yard, p))
			return YARD_EBUSY;
	while (nr) { // what somebody has taken meanwhile is freed by him
		uint32_t run = prepare_run(yard, pfn, nr), taken = run < nr;

		free_run(yard, pfn, run);
		pfn += run + taken;
		nr -= run + taken;
	}
	return YARD_OK;
}

// B15: the pieces behind the first frame, each prepared and freed on its own.
int yard_free_tail(struct yard *yard, uint32_t pfn, unsigned order)
{
	int error = check_allocated(yard, pfn, order);

	if (error)
		return error;
	if (frame_held(yard, pfn) || !lru_make_plain(yard, pfn))
		return YARD_EBUSY;
	frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, 0, 0));
	while (order-- > 0) {
		uint32_t piece = pfn + (1u << order);

		EMIT(yard, .kind = YARD_EVENT_PAGE_FREE, .pfn = piece, .order = (uint8_t)order, .zone = zone_of(yard, piece)->id);
		free_prepared(yard, piece, order);
	}
	return YARD_OK;
}

static void split_plain(struct yard *yard, uint32_t pfn, unsigned order, bool lru, bool movable_ops)
{
	uint32_t word = frame_word(yard, pfn) & ~(0xfu << FRAME_ORDER_SHIFT);

	if (movable_ops)
		word |= place_bits(PLACE_MOVABLE_OPS);
	for (uint32_t p = pfn; p < pfn + (1u << order); p++) {
		frame_set_word(yard, p, word);
		if (lru)
			yard_set_lru(yard, p, true);
	}
}

int yard_split(struct yard *yard, uint32_t pfn, unsigned order)
{
	int error = check_allocated(yard, pfn, order);
	uint32_t word;

	if (error)
		return error;
	word = frame_word(yard, pfn);
	if (frame_held(yard, pfn) || !lru_make_plain(yard, pfn))
		return YARD_EBUSY;
	split_plain(yard, pfn, order, word_on_lru(word), word_place(word) == PLACE_MOVABLE_OPS);
	return YARD_OK;
}
