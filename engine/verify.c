// SPDX-License-Identifier: Apache-2.0
//
// The invariants of spec 01 section 13, checked by walking everything. I11 is checked on the zonelists; I12 and I13
// speak of decisions, not of states: tests check them on events.

#include "engine/mm.h"
#include "engine/report.h"

enum { ZONES_AT_ONCE = 20 };

struct tally { // of one zone
	uint64_t blocks[YARD_NR_PAGE_ORDERS][YARD_MIGRATETYPES];
	uint64_t pages[YARD_FRAME_ALLOCATED + 1];
	uint64_t highatomic_blocks, isolate_blocks;
};

// ---- the message, without a libc ----

static void say(struct report *report, const char *text)
{
	for (; *text && report->length + 1 < report->size; text++)
		report->text[report->length++] = *text;
	if (report->size)
		report->text[report->length] = '\0';
}

static void say_number(struct report *report, int64_t value)
{
	char digits[24];
	unsigned n = sizeof(digits);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	digits[--n] = '\0';
	do {
		digits[--n] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		digits[--n] = '-';
	say(report, &digits[n]);
}

bool broken(struct report *report, const char *rule, const char *where, int64_t place, const char *what, int64_t value,
	    const char *but, int64_t other)
{
	if (report->broken)
		return false;
	report->broken = true;
	say(report, rule);
	say(report, " ");
	say(report, where);
	say(report, " ");
	say_number(report, place);
	say(report, ": ");
	say(report, what);
	say(report, " ");
	say_number(report, value);
	say(report, but);
	say(report, " ");
	say_number(report, other);
	return false;
}

// ---- frames (I1, I2, I3) ----

static bool interior_is_empty(struct report *report, uint32_t pfn, unsigned order)
{
	for (uint32_t p = pfn + 1; p < pfn + (1u << order); p++)
		if (frame_word(report->yard, p))
			return broken(report, "I1", "frame", p, "lies inside the block at", pfn, " but has word", frame_word(report->yard, p));
	return true;
}

// M9: without mobility grouping a pageblock is stored as UNMOVABLE while a move may put its blocks on other lists.
static bool typeless(const struct yard *yard, uint32_t pfn, unsigned type)
{
	return yard->mobility_disabled && mergeable_type(type) && pageblock_type(yard, pfn) == YARD_UNMOVABLE;
}

static bool types_agree(struct report *report, uint32_t pfn, unsigned order, unsigned type)
{
	for (uint32_t p = pfn; p < pfn + (1u << order); p += YARD_PAGEBLOCK_NR_PAGES)
		if (pageblock_type(report->yard, p) != type && !typeless(report->yard, p, type))
			return broken(report, "I2", "frame", pfn, "is on the list of type", type, ", its pageblock has type",
				      pageblock_type(report->yard, p));
	return true;
}

// I3: below pageblock_order two free buddies of equal order never stay apart.
static bool no_free_buddy(struct report *report, const struct zone *zone, uint32_t pfn, unsigned order)
{
	uint32_t buddy = pfn ^ (1u << order);

	if (order >= YARD_PAGEBLOCK_ORDER || !in_yard(report->yard, buddy))
		return true;
	if ((frame_word(report->yard, buddy) & 0xff) != make_word(YARD_FRAME_BUDDY, order, 0) || zone_of(report->yard, buddy) != zone)
		return true;
	return broken(report, "I3", "frame", pfn, "is free, and so is its buddy", buddy, ", both of order", order);
}

static bool check_block(struct report *report, struct tally *tallies, uint32_t pfn, uint32_t word)
{
	struct yard *yard = report->yard;
	unsigned order = word_order(word), state = word_state(word);
	const struct zone *zone = zone_of(yard, pfn);
	struct tally *tally;

	if (order > YARD_MAX_PAGE_ORDER || pfn & ((1u << order) - 1))
		return broken(report, "I1", "frame", pfn, "starts a block of order", order, " and state", state);
	if (!zone || zone_of(yard, pfn + (1u << order) - 1) != zone)
		return broken(report, "I1", "frame", pfn, "starts a block that leaves its zone, order", order, ", state", state);
	if (frame_deferred(yard, pfn))
		return broken(report, "M18", "frame", pfn, "is not released yet, but starts a block of order", order, " and state", state);
	if (zone->id < report->base || zone->id >= report->base + ZONES_AT_ONCE)
		return true;
	tally = &tallies[zone->id - report->base];
	tally->pages[state] += 1u << order;
	if (state == YARD_FRAME_BUDDY) {
		tally->blocks[order][word_type(word)]++;
		if (!types_agree(report, pfn, order, word_type(word)) || !no_free_buddy(report, zone, pfn, order))
			return false;
	}
	return interior_is_empty(report, pfn, order);
}

static bool check_frames(struct report *report, struct tally *tallies)
{
	struct yard *yard = report->yard;

	for (uint32_t pfn = yard->start_pfn; pfn < yard->end_pfn;) {
		uint32_t word = frame_word(yard, pfn);

		if (word_state(word) == YARD_FRAME_NONE) {
			pfn++;
			continue;
		}
		if (!check_block(report, tallies, pfn, word))
			return false;
		pfn += 1u << word_order(word);
	}
	return true;
}

static void tally_pageblocks(struct report *report, struct tally *tallies) // I7, I9
{
	struct yard *yard = report->yard;

	for (uint32_t pfn = yard->start_pfn; pfn < yard->end_pfn; pfn += YARD_PAGEBLOCK_NR_PAGES) {
		const struct zone *zone = zone_of(yard, pfn);
		unsigned bits = pageblock_bits(yard, pfn);

		if (!zone || zone->id < report->base || zone->id >= report->base + ZONES_AT_ONCE)
			continue;
		tallies[zone->id - report->base].highatomic_blocks += (bits & PB_TYPE) == YARD_HIGHATOMIC;
		tallies[zone->id - report->base].isolate_blocks += (bits & PB_ISOLATE) != 0;
	}
}

// ---- lists (I4, I6) ----

// Every node of the list has this word (flags aside) and its links agree. Returns the length, or -1.
static int64_t check_list(struct report *report, const struct list *list, uint32_t want, const char *rule)
{
	struct yard *yard = report->yard;
	uint32_t prev = PFN_NONE, pfn;
	int64_t length = 0;

	for (pfn = list->head; pfn != PFN_NONE; prev = pfn, pfn = frame_at(yard, pfn)->next) {
		if (!in_yard(yard, pfn) || (frame_word(yard, pfn) & 0x7ff) != want) {
			broken(report, rule, "frame", pfn, "is on a list for", want, " with word",
			       in_yard(yard, pfn) ? frame_word(yard, pfn) : 0);
			return -1;
		}
		if (frame_at(yard, pfn)->prev != prev || ++length > yard->end_pfn - yard->start_pfn) {
			broken(report, rule, "frame", pfn, "has the wrong neighbour", frame_at(yard, pfn)->prev, ", not", prev);
			return -1;
		}
	}
	if (list->tail != prev) {
		broken(report, rule, "list", want, "ends at", prev, " but its tail is", list->tail);
		return -1;
	}
	return length;
}

static bool check_free_lists(struct report *report, struct zone *zone, struct tally *tally)
{
	for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++) {
		int64_t sum = 0;

		for (unsigned type = 0; type < YARD_MIGRATETYPES; type++) {
			int64_t n = check_list(report, &zone->free[order][type], make_word(YARD_FRAME_BUDDY, order, type), "I2");

			if (n < 0)
				return false;
			if ((uint64_t)n != tally->blocks[order][type])
				return broken(report, "I2", "zone", zone->id, "list length", n, ", blocks of that order and type",
					      (int64_t)tally->blocks[order][type]);
			sum += n;
		}
		if (sum != zone_nr_free(zone, order))
			return broken(report, "I4", "zone", zone->id, "nr_free is", zone_nr_free(zone, order), ", its lists hold", sum);
	}
	return true;
}

static bool check_pcp(struct report *report, struct zone *zone, unsigned cpu, uint64_t *pages)
{
	struct pcp *pcp = zone_pcp(zone, cpu);
	int64_t sum = 0;

	for (unsigned i = 0; i < YARD_PCP_LISTS; i++) {
		unsigned order = pcp_index_order(i);

		for (uint32_t pfn = pcp->lists[i].head; pfn != PFN_NONE; pfn = frame_at(report->yard, pfn)->next) {
			uint32_t word = frame_word(report->yard, pfn);

			if (word_state(word) != YARD_FRAME_PCP || word_order(word) != order
			    || pcp_index(word_type(word), order) != i || zone_of(report->yard, pfn) != zone)
				return broken(report, "I6", "frame", pfn, "is on per-CPU list", i, " with word", word);
			sum += 1 << order;
			if (sum > pcp_count(pcp))
				break;
		}
	}
	if (sum != pcp_count(pcp))
		return broken(report, "I6", "zone", zone->id, "per-CPU count", pcp_count(pcp), ", its lists hold", sum);
	if (pcp->alloc_factor > YARD_PCP_BATCH_SCALE_MAX)
		return broken(report, "I10", "zone", zone->id, "alloc_factor", pcp->alloc_factor, ", at most", YARD_PCP_BATCH_SCALE_MAX);
	if (pcp->free_count < 0 || pcp->free_count >= (pcp->batch << YARD_PCP_BATCH_SCALE_MAX) + YARD_PAGEBLOCK_NR_PAGES)
		return broken(report, "I10", "zone", zone->id, "free_count", pcp->free_count, ", batch", pcp->batch);
	*pages += (uint64_t)sum;
	return true;
}

// ---- counters (I4, I5, I7, I8, I9) ----

static int64_t exact(const struct yard *yard, const struct zone *zone, enum yard_zone_stat item)
{
	int64_t sum = atomic_load_explicit(&zone->stat[item], memory_order_relaxed);

	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++)
		sum += zone_pcp(zone, cpu)->diff[item];
	return sum;
}

static uint64_t free_pages(const struct tally *tally, unsigned low_order, unsigned type)
{
	uint64_t pages = 0;

	for (unsigned order = low_order; order < YARD_NR_PAGE_ORDERS; order++)
		pages += tally->blocks[order][type] << order;
	return pages;
}

static bool check_stats(struct report *report, const struct zone *zone, const struct tally *tally)
{
	const struct yard *yard = report->yard;
	uint64_t free = 0, blocks = 0, cma = free_pages(tally, 0, YARD_CMA), high = free_pages(tally, 0, YARD_HIGHATOMIC);

	for (unsigned type = 0; type < YARD_ISOLATE; type++) {
		free += free_pages(tally, 0, type);
		blocks += free_pages(tally, YARD_PAGEBLOCK_ORDER, type);
	}
	if (exact(yard, zone, YARD_NR_FREE_PAGES) != (int64_t)free)
		return broken(report, "I4", "zone", zone->id, "NR_FREE_PAGES", exact(yard, zone, YARD_NR_FREE_PAGES),
			      ", lists hold", (int64_t)free);
	if (exact(yard, zone, YARD_NR_FREE_PAGES_BLOCKS) != (int64_t)blocks)
		return broken(report, "I4", "zone", zone->id, "NR_FREE_PAGES_BLOCKS",
			      exact(yard, zone, YARD_NR_FREE_PAGES_BLOCKS), ", lists hold", (int64_t)blocks);
	if (exact(yard, zone, YARD_NR_FREE_CMA_PAGES) != (int64_t)cma)
		return broken(report, "I4", "zone", zone->id, "NR_FREE_CMA_PAGES",
			      exact(yard, zone, YARD_NR_FREE_CMA_PAGES), ", lists hold", (int64_t)cma);
	if (zone->nr_free_highatomic != high)
		return broken(report, "I4", "zone", zone->id, "nr_free_highatomic", zone->nr_free_highatomic,
			      ", lists hold", (int64_t)high);
	return true;
}

static bool check_zone_numbers(struct report *report, const struct zone *zone, const struct tally *tally)
{
	uint64_t sum = 0, cap = mult_frac(zone->wmark[WMARK_HIGH], report->yard->watermark_boost_factor, 10000);

	for (unsigned state = YARD_FRAME_BUDDY; state <= YARD_FRAME_ALLOCATED; state++)
		sum += tally->pages[state];
	if ((int64_t)sum + zone->unaccounted != zone->managed)
		return broken(report, "I5", "zone", zone->id, "managed", zone->managed, ", accounted for", (int64_t)sum);
	if (zone->nr_reserved_highatomic != tally->highatomic_blocks * YARD_PAGEBLOCK_NR_PAGES)
		return broken(report, "I7", "zone", zone->id, "nr_reserved_highatomic", zone->nr_reserved_highatomic,
			      ", pageblocks", (int64_t)tally->highatomic_blocks);
	if (zone->boost > (uint64_t)max64((int64_t)cap, YARD_PAGEBLOCK_NR_PAGES))
		return broken(report, "I8", "zone", zone->id, "boost", zone->boost, ", cap", (int64_t)cap);
	for (unsigned mark = 1; mark < YARD_NR_WMARKS; mark++)
		if (zone->wmark[mark] < zone->wmark[mark - 1])
			return broken(report, "I8", "zone", zone->id, "watermark", zone->wmark[mark], " below", zone->wmark[mark - 1]);
	if (zone->nr_isolate_pageblock != tally->isolate_blocks)
		return broken(report, "I9", "zone", zone->id, "nr_isolate_pageblock", zone->nr_isolate_pageblock,
			      ", pageblocks", (int64_t)tally->isolate_blocks);
	return true;
}

static bool check_zone(struct report *report, struct zone *zone, struct tally *tally)
{
	uint64_t pcp_pages = 0;

	if (!check_free_lists(report, zone, tally))
		return false;
	for (unsigned cpu = 0; cpu < report->yard->nr_cpus; cpu++)
		if (!check_pcp(report, zone, cpu, &pcp_pages))
			return false;
	if (pcp_pages != tally->pages[YARD_FRAME_PCP])
		return broken(report, "I6", "zone", zone->id, "pages in state PCP", (int64_t)tally->pages[YARD_FRAME_PCP],
			      ", on lists", (int64_t)pcp_pages);
	return check_stats(report, zone, tally) && check_zone_numbers(report, zone, tally);
}

static bool check_zonelists(struct report *report) // I11
{
	struct yard *yard = report->yard;

	for (unsigned n = 0; n < yard->nr_nodes; n++) {
		uint64_t seen[YARD_NODES_MAX * YARD_ZONE_TYPES / 64 + 1] = { 0 };
		const uint8_t *entry;

		for (entry = yard->nodes[n].fallback; *entry != ZONE_MIXED; entry++) {
			if (!zone_populated(zone_at(yard, *entry)) || seen[*entry / 64] >> *entry % 64 & 1)
				return broken(report, "I11", "node", n, "lists zone", *entry, " twice or unpopulated: pages",
					      zone_at(yard, *entry)->present);
			seen[*entry / 64] |= 1ull << *entry % 64;
		}
		for (entry = yard->nodes[n].thisnode; *entry != ZONE_MIXED; entry++)
			if (!(seen[*entry / 64] >> *entry % 64 & 1))
				return broken(report, "I11", "node", n, "its own list has zone", *entry, ", its fallback list not:", *entry);
	}
	return true;
}

// Zones [base, base + ZONES_AT_ONCE): the tallies must fit on the stack, so machines with more zones than that are
// checked in several walks over the frames.
static bool verify_zones(struct report *report, unsigned base)
{
	struct yard *yard = report->yard;
	struct tally tallies[ZONES_AT_ONCE];

	__builtin_memset(tallies, 0, sizeof(tallies));
	report->base = base;
	if (!check_frames(report, tallies))
		return false;
	tally_pageblocks(report, tallies);
	for (unsigned i = 0; i < ZONES_AT_ONCE && base + i < yard->nr_zones; i++)
		if (zone_populated(zone_at(yard, base + i)) && !check_zone(report, zone_at(yard, base + i), &tallies[i]))
			return false;
	return true;
}

int yard_verify(struct yard *yard, char *text, size_t size)
{
	struct report report = { .yard = yard, .text = text, .size = size };

	if (size)
		text[0] = '\0';
	if (!check_zonelists(&report))
		return YARD_ECORRUPT;
	for (unsigned base = 0; base < yard->nr_zones; base += ZONES_AT_ONCE)
		if (!verify_zones(&report, base))
			return YARD_ECORRUPT;
	if (verify_lru(yard, text, size))
		return YARD_ECORRUPT;
	return verify_compact(yard, text, size);
}
