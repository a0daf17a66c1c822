// SPDX-License-Identifier: Apache-2.0
//
// What compaction remembers of blocks that it scanned in vain: the skip bit of each, and the positions from which the
// next run starts (spec 03 C3.6, C3.8, C3.9). Hints: two runs that change them at once may lose a change.

#include "engine/compact_scan.h"

enum { SAMPLE_STEP = 1 << YARD_COSTLY_ORDER };

bool pageblock_skip(const struct yard *yard, uint64_t pfn)
{
	return pfn >= yard->start_pfn && pfn < yard->end_pfn && pageblock_bits(yard, (uint32_t)pfn) & PB_COMPACT_SKIP;
}

void set_pageblock_skip(struct yard *yard, uint64_t pfn, bool skip)
{
	struct pageblock *block;

	if (pfn < yard->start_pfn || pfn >= yard->end_pfn || pageblock_skip(yard, pfn) == skip)
		return;
	block = pageblock_of(yard, (uint32_t)pfn);
	if (skip)
		atomic_fetch_or_explicit(&block->bits, PB_COMPACT_SKIP, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(&block->bits, (uint8_t)~PB_COMPACT_SKIP, memory_order_relaxed);
	WHY(yard, .kind = YARD_EVENT_WHY_SKIP_BIT, .pfn = (uint32_t)block_start(pfn), .zone = block->zone, .a = skip);
}

bool isolation_suitable(const struct yard *yard, const struct compact_control *cc, uint64_t pfn)
{
	return cc->ignore_skip_hint || !pageblock_skip(yard, pfn);
}

void mark_scanned(struct yard *yard, const struct compact_control *cc, uint64_t pfn)
{
	if (!cc->no_set_skip_hint)
		set_pageblock_skip(yard, pfn, true);
}

static void raise(uint32_t *hint, uint64_t pfn)
{
	if (pfn > hint_get(hint))
		hint_set(hint, pfn);
}

// Of the end of a finished block this is one block further: the next run leaves out a block that nobody has scanned.
void advance_cached_migrate(struct yard *yard, const struct compact_control *cc, uint64_t pfn)
{
	struct zone_compact *hints = zone_hints(yard, cc->zone);

	if (cc->no_set_skip_hint)
		return;
	raise(&hints->cached_migrate[0], block_end(pfn));
	if (cc->mode != YARD_MIGRATE_ASYNC)
		raise(&hints->cached_migrate[1], block_end(pfn));
}

// ---- flush (C3.8) ----

static bool sample_on_lru(const struct yard *yard, uint32_t pfn) // M11: frames inside a large page count as its first
{
	uint32_t first;

	return yard_frame_state(yard, pfn, &first, NULL) == YARD_FRAME_ALLOCATED
	       && word_on_lru(frame_word(yard, first));
}

static bool sample_block(const struct yard *yard, const struct zone *zone, uint64_t pfn, bool source, bool target)
{
	uint64_t sample = higher_pfn(block_start(pfn), zone->start_pfn);
	uint64_t last = lower_pfn(block_end(pfn), zone->end_pfn) - 1;

	if (!section_online(yard, sample))
		sample = pfn;
	if (!section_online(yard, last))
		return false;
	for (; sample <= last; sample += SAMPLE_STEP)
		if ((source && sample_on_lru(yard, (uint32_t)sample))
		    || (target && word_state(frame_word(yard, (uint32_t)sample)) == YARD_FRAME_BUDDY))
			return true;
	return false;
}

// True: the block is worth a scan as a source or a target; its skip bit is clear then.
static bool revive_block(struct yard *yard, const struct zone *zone, int64_t at, bool source, bool target)
{
	uint64_t pfn = (uint64_t)at;

	if (!frame_in_zone(yard, zone, pfn) || in_large_block(yard, pfn))
		return false;
	if (source && target && !pageblock_skip(yard, pfn))
		return true;
	if (!source && pageblock_type(yard, (uint32_t)pfn) != YARD_MOVABLE)
		return false;
	if (!sample_block(yard, zone, pfn, source, target))
		return false;
	set_pageblock_skip(yard, pfn, false);
	return true;
}

static void set_cached_migrate(struct zone_compact *hints, int64_t pfn)
{
	hint_set(&hints->cached_migrate[0], (uint64_t)pfn);
	hint_set(&hints->cached_migrate[1], (uint64_t)pfn);
}

void flush_pageblock_skip(struct yard *yard, struct zone *zone)
{
	struct zone_compact *hints = zone_hints(yard, zone);
	int64_t low = zone->start_pfn, high = (int64_t)zone->end_pfn - 1, source = high, target = low;
	bool sources = false, targets = false;

	if (!__atomic_exchange_n(&hints->blockskip_flush, false, __ATOMIC_RELAXED))
		return;
	for (; low < high; low += YARD_PAGEBLOCK_NR_PAGES, high -= YARD_PAGEBLOCK_NR_PAGES) {
		if (revive_block(yard, zone, low, true, sources) && !sources) {
			sources = true;
			source = low;
			hint_set(&hints->init_migrate, (uint64_t)low);
			set_cached_migrate(hints, low);
		}
		if (revive_block(yard, zone, high, targets, true) && !targets) {
			targets = true;
			target = high;
			hint_set(&hints->init_free, (uint64_t)high);
			hint_set(&hints->cached_free, (uint64_t)high);
		}
	}
	if (source >= target) {
		set_cached_migrate(hints, low);
		hint_set(&hints->cached_free, (uint64_t)high);
	}
}

void reset_isolation_suitable(struct yard *yard, unsigned node)
{
	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone_populated(zone))
			flush_pageblock_skip(yard, zone);
	}
}
