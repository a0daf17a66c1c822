// SPDX-License-Identifier: Apache-2.0
//
// The lists of the multi-gen LRU (spec 04 G-1 to G-5): which generation a page enters, how it leaves, what counts as an
// access, and the switch between this LRU and the classic one.

#include "engine/mglru.h"

void gen_setup(struct yard *yard, unsigned node) // G-2
{
	struct lru_gen *gens = gens_of(yard, node);

	for (unsigned gen = 0; gen < NR_GENS; gen++) {
		gens->birth_ns[gen] = now_ns(yard);
		for (unsigned type = 0; type < LRU_TYPES; type++)
			for (unsigned zone = 0; zone < YARD_ZONE_TYPES; zone++)
				list_init(&gens->lists[gen][type][zone]);
	}
	gens->max_seq = MIN_GENS + 1;
	yard->mm[node].lru_gen = yard->policy.lru_gen;
}

// ---- sizes ----

static bool gen_is_active(const struct lru_gen *gens, unsigned gen)
{
	uint64_t max_seq = __atomic_load_n(&gens->max_seq, __ATOMIC_RELAXED);

	return gen == seq_gen(max_seq) || gen == seq_gen(max_seq - 1);
}

static void account(struct yard *yard, const struct zone *zone, unsigned gen, unsigned type, int64_t pages)
{
	struct lru_gen *gens = gens_of(yard, zone->node);
	unsigned list = (type == ANON ? YARD_LRU_INACTIVE_ANON : YARD_LRU_INACTIVE_FILE) + gen_is_active(gens, gen);

	size_add(&gens->size[gen][type][zone->type], pages);
	account_lru(yard, zone, list, pages);
}

uint64_t gen_list_size(const struct yard *yard, unsigned node, enum yard_lru_list list, unsigned highest_zone)
{
	const struct lru_gen *gens = gens_of(yard, node);
	unsigned type = list >= YARD_LRU_INACTIVE_FILE ? FILE_LRU : ANON;
	bool active = list == YARD_LRU_ACTIVE_ANON || list == YARD_LRU_ACTIVE_FILE;
	uint64_t pages = 0;

	for (unsigned gen = 0; gen < NR_GENS; gen++)
		for (unsigned zone = 0; zone <= highest_zone && zone < YARD_ZONE_TYPES; zone++)
			if (gen_is_active(gens, gen) == active)
				pages += __atomic_load_n(&gens->size[gen][type][zone], __ATOMIC_RELAXED);
	return pages;
}

// ---- joining and leaving ----

uint64_t gen_entry_seq(const struct lru_gen *gens, uint32_t word, bool tail)
{
	uint64_t min_seq = gens->min_seq[word_lru_type(word)], seq;

	if (word & PG_ACTIVE)
		seq = gens->max_seq - !(word & PG_WORKINGSET);
	else if (tail)
		seq = gens->max_seq - 3;
	else if ((!word_is_file(word) && !(word & PG_SWAPCACHE))
		 || (word & PG_RECLAIM && word & (PG_DIRTY | PG_WRITEBACK)))
		seq = gens->max_seq - 1;
	else
		seq = gens->max_seq - (word & (PG_WORKINGSET | PG_REFERENCED) ? 2 : 3);
	return seq < min_seq ? min_seq : seq;
}

void gen_link(struct yard *yard, uint32_t pfn, bool tail)
{
	const struct zone *zone = zone_of_block(yard, pfn);
	struct lru_gen *gens = gens_of(yard, zone->node);
	uint32_t word = frame_word(yard, pfn);
	unsigned gen = seq_gen(gen_entry_seq(gens, word, tail));
	struct list *list = &gens->lists[gen][word_lru_type(word)][zone->type];

	frame_change(yard, pfn, PG_GEN | PG_ACTIVE, gen << PG_GEN_SHIFT);
	if (tail)
		list_add_tail(yard, list, pfn);
	else
		list_add_head(yard, list, pfn);
	account(yard, zone, gen, word_lru_type(word), word_pages(word));
}

// Which of the lists it is linked on matters only at an end of one.
void gen_list_del(struct yard *yard, uint32_t pfn)
{
	const struct zone *zone = zone_of_block(yard, pfn);
	struct lru_gen *gens = gens_of(yard, zone->node);
	unsigned type = word_lru_type(frame_word(yard, pfn)), gen = 0;

	while (gen < NR_GENS - 1 && gens->lists[gen][type][zone->type].head != pfn
	       && gens->lists[gen][type][zone->type].tail != pfn)
		gen++;
	list_del(yard, &gens->lists[gen][type][zone->type], pfn);
}

void gen_unlink(struct yard *yard, uint32_t pfn, bool reclaim)
{
	const struct zone *zone = zone_of_block(yard, pfn);
	uint32_t word = frame_word(yard, pfn);
	bool hot = !reclaim && gen_is_active(gens_of(yard, zone->node), word_gen(word));

	gen_list_del(yard, pfn);
	account(yard, zone, word_gen(word), word_lru_type(word), -word_pages(word));
	frame_change(yard, pfn, PG_GEN, hot ? PG_ACTIVE : 0);
}

void gen_renumber(struct yard *yard, uint32_t pfn, unsigned gen, uint32_t clear, uint32_t set)
{
	const struct zone *zone = zone_of_block(yard, pfn);
	uint32_t word = frame_change(yard, pfn, clear | PG_GEN, set | gen << PG_GEN_SHIFT);

	if (word_gen(word) == gen)
		return;
	account(yard, zone, word_gen(word), word_lru_type(word), -word_pages(word));
	account(yard, zone, gen, word_lru_type(word), word_pages(word));
}

// ---- accesses (G-3) ----

static uint32_t accessed_once_more(uint32_t word)
{
	if (!(word & PG_REFERENCED))
		return (word & ~PG_REFS) | PG_REFERENCED;
	return (word & PG_REFS) != PG_REFS ? word + (1u << PG_REFS_SHIFT) : word | PG_WORKINGSET;
}

void gen_mark_accessed(struct yard *yard, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);

	do {
		if (word & PG_MLOCKED || word_place(word) == PLACE_UNEVICTABLE)
			return;
	} while (!change_word(yard, pfn, &word, accessed_once_more(word)));
}

// ---- the switch (G-1) ----

static void fill_generations(struct yard *yard, struct node_mm *mm)
{
	for (unsigned list = 0; list < YARD_LRU_UNEVICTABLE; list++)
		while (!list_empty(&mm->lruvec.lists[list])) {
			uint32_t pfn = mm->lruvec.lists[list].tail;

			classic_unlink(yard, pfn);
			gen_link(yard, pfn, false);
		}
}

static void drain_generation(struct yard *yard, struct lru_gen *gens, unsigned gen)
{
	for (unsigned type = 0; type < LRU_TYPES; type++)
		for (unsigned zone = 0; zone < YARD_ZONE_TYPES; zone++)
			while (!list_empty(&gens->lists[gen][type][zone])) {
				uint32_t pfn = gens->lists[gen][type][zone].tail;

				gen_unlink(yard, pfn, false);
				classic_link(yard, pfn, false);
			}
}

// Oldest first. Linux does this in batches of 4096 so as not to keep the lock too long.
static void switch_node(struct yard *yard, struct node_mm *mm, bool on)
{
	yard_spin_lock(&mm->lru_lock);
	if (on)
		fill_generations(yard, mm);
	for (unsigned age = NR_GENS; !on && age > 0; age--)
		drain_generation(yard, &mm->lruvec.gen, seq_gen(mm->lruvec.gen.max_seq + 1 - age));
	mm->lru_gen = on;
	yard_spin_unlock(&mm->lru_lock);
}

// What runs meanwhile may look for pages in the lists that a node no longer uses, and finds none.
void yard_set_lru_gen(struct yard *yard, bool on)
{
	if (on == lru_gen_on(yard))
		return;
	for (unsigned node = 0; node < yard->nr_nodes; node++)
		switch_node(yard, &yard->mm[node], on);
	__atomic_store_n(&yard->policy.lru_gen, on, __ATOMIC_RELAXED);
}
