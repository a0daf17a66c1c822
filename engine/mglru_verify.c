// SPDX-License-Identifier: Apache-2.0
//
// The invariants of the multi-gen LRU (spec 04 G-2). That every page is on one of its lists follows from the sizes,
// which verify_lru() compares with the words of all frames.

#include "engine/mglru.h"
#include "engine/report.h"

static bool check_seqs(struct report *report, unsigned node)
{
	const struct lru_gen *gens = gens_of(report->yard, node);

	for (unsigned type = 0; type < LRU_TYPES; type++)
		if (gens->min_seq[type] > gens->max_seq || nr_gens(gens, type) < MIN_GENS || nr_gens(gens, type) > NR_GENS)
			return broken(report, "G-2", "node", node, "max_seq is", (int64_t)gens->max_seq, ", min_seq",
				      (int64_t)gens->min_seq[type]);
	return true;
}

// How old a generation of this number is; NR_GENS and more: none has it.
static unsigned age_of(const struct lru_gen *gens, unsigned type, unsigned gen)
{
	unsigned age = (seq_gen(gens->max_seq) + NR_GENS - gen) % NR_GENS;

	return age < nr_gens(gens, type) ? age : NR_GENS;
}

struct place {
	unsigned node, gen, type, zone;
};

static bool check_page(struct report *report, const struct place *place, uint32_t pfn, uint32_t word)
{
	const struct yard *yard = report->yard;
	const struct lru_gen *gens = gens_of(yard, place->node);
	const struct zone *zone;

	if (word_state(word) != YARD_FRAME_ALLOCATED || word_place(word) != PLACE_LRU || word_lru_type(word) != place->type)
		return broken(report, "G-2", "frame", pfn, "is on a list of type", place->type, " with word", word);
	zone = zone_of_block(yard, pfn);
	if (zone->node != place->node || zone->type != place->zone)
		return broken(report, "G-2", "frame", pfn, "is on a list of zone", place->zone, ", not of its own", zone->id);
	if (gens->aliased[place->type])
		return true;
	if (age_of(gens, place->type, word_gen(word)) > age_of(gens, place->type, place->gen))
		return broken(report, "G-6", "frame", pfn, "is older than its list: generation", word_gen(word), " on list",
			      place->gen);
	if (age_of(gens, place->type, place->gen) == NR_GENS)
		return broken(report, "G-2", "frame", pfn, "is on the list of a generation that ended:", place->gen, ", number",
			      word_gen(word));
	return true;
}

// Adds the pages of the list to pages[generation][zone].
static bool check_list(struct report *report, const struct place *place, uint64_t pages[NR_GENS][YARD_ZONE_TYPES])
{
	const struct yard *yard = report->yard;
	const struct list *list = &gens_of(yard, place->node)->lists[place->gen][place->type][place->zone];
	uint32_t prev = PFN_NONE, length = 0;

	for (uint32_t pfn = list->head; pfn != PFN_NONE; prev = pfn, pfn = frame_at(yard, pfn)->next) {
		uint32_t word = in_yard(yard, pfn) ? frame_word(yard, pfn) : 0;

		if (!check_page(report, place, pfn, word))
			return false;
		if (frame_at(yard, pfn)->prev != prev || ++length > yard->end_pfn - yard->start_pfn)
			return broken(report, "G-2", "frame", pfn, "has the wrong neighbour", frame_at(yard, pfn)->prev, ", not", prev);
		pages[word_gen(word)][place->zone] += (uint64_t)word_pages(word);
	}
	if (list->tail != prev)
		return broken(report, "G-2", "generation", place->gen, "ends at", prev, " but its tail is", list->tail);
	return true;
}

static bool check_type(struct report *report, unsigned node, unsigned type)
{
	const struct lru_gen *gens = gens_of(report->yard, node);
	uint64_t pages[NR_GENS][YARD_ZONE_TYPES] = { { 0 } };

	for (unsigned i = 0; i < NR_GENS * YARD_ZONE_TYPES; i++) {
		const struct place place = { node, i / YARD_ZONE_TYPES, type, i % YARD_ZONE_TYPES };

		if (!check_list(report, &place, pages))
			return false;
	}
	for (unsigned gen = 0; gen < NR_GENS; gen++)
		for (unsigned zone = 0; zone < YARD_ZONE_TYPES; zone++)
			if (gens->size[gen][type][zone] != pages[gen][zone])
				return broken(report, "G-2", "node", node, "size of a generation", (int64_t)gens->size[gen][type][zone],
					      ", pages", (int64_t)pages[gen][zone]);
	return true;
}

int verify_gen(struct yard *yard, char *text, size_t size)
{
	struct report report = { .yard = yard, .text = text, .size = size };

	for (unsigned node = 0; node < yard->nr_nodes; node++)
		if (!check_seqs(&report, node) || !check_type(&report, node, ANON) || !check_type(&report, node, FILE_LRU))
			return YARD_ECORRUPT;
	return YARD_OK;
}
