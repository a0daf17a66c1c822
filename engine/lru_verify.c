// SPDX-License-Identifier: Apache-2.0
//
// The invariants of the LRU (spec 04 L-6, A-12): what the lists, the sizes, the counters and the batches say is what
// the words of the frames say.

#include "engine/lru.h"
#include "engine/report.h"

enum { NODES_AT_ONCE = 16 };

struct tally { // of one node, from the words
	uint64_t pages[YARD_LRU_LISTS][YARD_ZONE_TYPES];
	uint64_t isolated;
	uint64_t counters[PAGE_COUNTERS];
};

// With generations there are no active lists: a page of either type counts as inactive here.
static unsigned list_of(const struct yard *yard, uint32_t word)
{
	if (word_place(word) == PLACE_UNEVICTABLE)
		return YARD_LRU_UNEVICTABLE;
	return page_list(yard->policy.lru_gen ? word & ~(uint32_t)PG_ACTIVE : word);
}

static void tally_page(struct tally *tally, const struct yard *yard, const struct zone *zone, uint32_t word)
{
	uint64_t pages = (uint64_t)word_pages(word);
	enum page_place place = word_place(word);

	if (word_on_lru(word))
		tally->pages[list_of(yard, word)][zone->type] += pages;
	if (place == PLACE_ISOLATED || (place == PLACE_GONE_ISOLATED && !(word & GONE_UNCOUNTED)))
		tally->isolated += pages;
	for (unsigned counted = page_counters(word); counted; counted &= counted - 1)
		tally->counters[__builtin_ctz(counted)] += pages;
}

static bool check_word(struct report *report, uint32_t pfn, uint32_t word)
{
	enum page_place place = word_place(word);

	if (place == PLACE_UNEVICTABLE && word & PG_ACTIVE)
		return broken(report, "L-6", "frame", pfn, "is active and unevictable, word", word, ", order", word_order(word));
	if (place == PLACE_LRU && report->yard->policy.lru_gen && word & PG_ACTIVE)
		return broken(report, "G-2", "frame", pfn, "is active on a list, word", word, ", order", word_order(word));
	if (place == PLACE_GONE && !(word & PG_BATCH))
		return broken(report, "L-12", "frame", pfn, "is freed but nobody holds it, word", word, ", order", word_order(word));
	return true;
}

static bool tally_frames(struct report *report, struct tally *tallies, uint64_t *waiting)
{
	const struct yard *yard = report->yard;

	*waiting = 0;
	for (uint32_t pfn = yard->start_pfn; pfn < yard->end_pfn;) {
		uint32_t word = frame_word(yard, pfn);
		const struct zone *zone;

		if (word_state(word) == YARD_FRAME_ALLOCATED) {
			zone = zone_of_block(yard, pfn);
			if (!check_word(report, pfn, word))
				return false;
			*waiting += !!(word & PG_BATCH);
			if (zone->node >= report->base && zone->node < report->base + NODES_AT_ONCE)
				tally_page(&tallies[zone->node - report->base], yard, zone, word);
		}
		pfn += word_state(word) == YARD_FRAME_NONE ? 1 : 1u << word_order(word);
	}
	return true;
}

// ---- lists ----

// Every page is of this node and list, and the links agree both ways. Adds what it finds to pages[].
static bool walk_list(struct report *report, unsigned node, unsigned list, uint64_t *pages)
{
	const struct yard *yard = report->yard;
	const struct list *head = &yard->mm[node].lruvec.lists[list];
	uint32_t prev = PFN_NONE, length = 0;

	for (uint32_t pfn = head->head; pfn != PFN_NONE; prev = pfn, pfn = frame_at(yard, pfn)->next) {
		uint32_t word = in_yard(yard, pfn) ? frame_word(yard, pfn) : 0;

		if (word_state(word) != YARD_FRAME_ALLOCATED || word_place(word) != PLACE_LRU || page_list(word) != list
		    || node_of(yard, pfn) != node)
			return broken(report, "L-6", "frame", pfn, "is on list", list, " with word", word);
		if (frame_at(yard, pfn)->prev != prev || ++length > yard->end_pfn - yard->start_pfn)
			return broken(report, "L-6", "frame", pfn, "has the wrong neighbour", frame_at(yard, pfn)->prev, ", not", prev);
		pages[zone_of_block(yard, pfn)->type] += (uint64_t)word_pages(word);
	}
	if (head->tail != prev)
		return broken(report, "L-6", "list", list, "ends at", prev, " but its tail is", head->tail);
	return true;
}

static uint64_t size_in_zone(const struct yard *yard, unsigned node, unsigned list, unsigned type)
{
	const struct lruvec *lruvec = &yard->mm[node].lruvec;
	uint64_t pages = 0;

	if (!yard->policy.lru_gen || list == YARD_LRU_UNEVICTABLE)
		return lruvec->size[list][type];
	if (list != YARD_LRU_INACTIVE_ANON && list != YARD_LRU_INACTIVE_FILE)
		return 0;
	for (unsigned gen = 0; gen < NR_GENS; gen++)
		pages += lruvec->gen.size[gen][list == YARD_LRU_INACTIVE_ANON ? ANON : FILE_LRU][type];
	return pages;
}

static bool check_sizes(struct report *report, unsigned node, const struct tally *tally)
{
	const struct yard *yard = report->yard;

	for (unsigned list = 0; list < YARD_LRU_LISTS; list++) {
		uint64_t listed[YARD_ZONE_TYPES] = { 0 };

		if (list != YARD_LRU_UNEVICTABLE && !walk_list(report, node, list, listed))
			return false;
		for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
			uint64_t size = size_in_zone(yard, node, list, type);

			if (size != tally->pages[list][type])
				return broken(report, "L-6", "node", node, "size of a list", (int64_t)size, ", pages with that place",
					      (int64_t)tally->pages[list][type]);
			if (list != YARD_LRU_UNEVICTABLE && !yard->policy.lru_gen && listed[type] != size)
				return broken(report, "L-6", "node", node, "size of a list", (int64_t)size, ", pages on it",
					      (int64_t)listed[type]);
		}
	}
	return true;
}

// ---- counters ----

static int64_t raw_stat(const struct yard *yard, unsigned node, unsigned item)
{
	return atomic_load_explicit(&yard->mm[node].stat[item], memory_order_relaxed);
}

static bool check_counters(struct report *report, unsigned node, const struct tally *tally)
{
	const struct yard *yard = report->yard;
	int64_t isolated = raw_stat(yard, node, YARD_NODE_ISOLATED_ANON) + raw_stat(yard, node, YARD_NODE_ISOLATED_FILE);

	for (unsigned list = 0; list < YARD_LRU_LISTS; list++) {
		int64_t size = (int64_t)lruvec_size(yard, node, (enum yard_lru_list)list, YARD_ZONE_TYPES - 1);

		if (raw_stat(yard, node, YARD_NODE_INACTIVE_ANON + list) != size)
			return broken(report, "T-5", "node", node, yard_node_stat_name(YARD_NODE_INACTIVE_ANON + list),
				      raw_stat(yard, node, YARD_NODE_INACTIVE_ANON + list), ", size of the list", size);
	}
	// The sum: a page may change its type while it is isolated.
	if (isolated != (int64_t)tally->isolated)
		return broken(report, "A-12", "node", node, "isolated pages counted", isolated, ", found", (int64_t)tally->isolated);
	for (unsigned i = 0; i < PAGE_COUNTERS; i++)
		if (raw_stat(yard, node, page_counter[i]) != (int64_t)tally->counters[i])
			return broken(report, "T-5", "node", node, yard_node_stat_name(page_counter[i]),
				      raw_stat(yard, node, page_counter[i]), ", pages", (int64_t)tally->counters[i]);
	return true;
}

// ---- batches (L-10) ----

static bool check_batches(struct report *report, uint64_t waiting)
{
	const struct yard *yard = report->yard;
	uint64_t entries = 0;

	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++)
		for (unsigned kind = 0; kind < BATCH_KINDS; kind++)
			for (unsigned i = 0; i < yard->batches[cpu].nr[kind]; i++) {
				uint32_t pfn = yard->batches[cpu].pfn[kind][i], word = frame_word(yard, pfn);
				bool joins = word_place(word) == PLACE_PLAIN;

				entries++;
				if (word_state(word) != YARD_FRAME_ALLOCATED || !(word & PG_BATCH)
				    || (joins != (kind == BATCH_ADD) && word_place(word) != PLACE_GONE))
					return broken(report, "L-10", "frame", pfn, "waits in a batch of kind", kind, " with word", word);
			}
	if (entries != waiting)
		return broken(report, "L-10", "batches", 0, "hold", (int64_t)entries, ", pages that wait", (int64_t)waiting);
	return true;
}

int verify_lru(struct yard *yard, char *text, size_t size)
{
	struct report report = { .yard = yard, .text = text, .size = size };
	struct tally tallies[NODES_AT_ONCE];
	uint64_t waiting = 0;

	for (report.base = 0; report.base < yard->nr_nodes; report.base += NODES_AT_ONCE) {
		__builtin_memset(tallies, 0, sizeof(tallies));
		if (!tally_frames(&report, tallies, &waiting))
			return YARD_ECORRUPT;
		for (unsigned i = 0; i < NODES_AT_ONCE && report.base + i < yard->nr_nodes; i++)
			if (!check_sizes(&report, report.base + i, &tallies[i])
			    || !check_counters(&report, report.base + i, &tallies[i]))
				return YARD_ECORRUPT;
	}
	if (!check_batches(&report, waiting))
		return YARD_ECORRUPT;
	return yard->policy.lru_gen ? verify_gen(yard, text, size) : YARD_OK;
}
