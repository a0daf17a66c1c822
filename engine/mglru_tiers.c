// SPDX-License-Identifier: Apache-2.0
//
// The feedback of the multi-gen LRU (spec 04 G-11, G-13): what was evicted, what of it came back, by how often it had
// been accessed; and from that, which type to take pages from and which tiers of it to spare.

#include "engine/mglru.h"

enum { REFS_BITS = 2 };

// ---- evictions and refaults ----

uint64_t gen_shadow(struct yard *yard, uint32_t pfn) // L-19
{
	unsigned node = node_of(yard, pfn);
	struct node_mm *mm = &yard->mm[node];
	struct lru_gen *gens = gens_of(yard, node);
	uint32_t word = frame_word(yard, pfn);
	unsigned type = word_lru_type(word), accesses = word_accesses(word);
	uint64_t value;

	yard_spin_lock(&mm->lru_lock);
	value = gens->min_seq[type] << REFS_BITS | (accesses ? accesses - 1 : 0);
	gens->evicted[type][word_tier(word)] += (uint64_t)word_pages(word);
	yard_spin_unlock(&mm->lru_lock);
	return make_shadow(node, value, word, SHADOW_GEN);
}

static uint64_t seq_distance(uint64_t a, uint64_t b) // of sequence numbers of the width that a shadow has
{
	const uint64_t mask = SHADOW_VALUE_MASK >> REFS_BITS;
	uint64_t up = (a - b) & mask, down = (b - a) & mask;

	return up < down ? up : down;
}

// False: too long ago, or before a switch of the policy.
static bool count_refault(struct yard *yard, uint64_t shadow, unsigned type, uint64_t pages)
{
	unsigned node = shadow_node(shadow), refs = shadow_value(shadow) & (PG_REFS >> PG_REFS_SHIFT);
	struct node_mm *mm = &yard->mm[node];
	struct lru_gen *gens = gens_of(yard, node);
	bool recent;

	yard_spin_lock(&mm->lru_lock);
	recent = shadow & SHADOW_GEN && seq_distance(gens->max_seq, shadow_value(shadow) >> REFS_BITS) < NR_GENS;
	if (recent)
		gens->refaulted[type][access_tier(refs + 1, shadow & SHADOW_WORKINGSET)] += pages;
	yard_spin_unlock(&mm->lru_lock);
	return recent;
}

uint32_t gen_refault(struct yard *yard, uint32_t pfn, uint32_t flags, uint64_t shadow)
{
	unsigned node = node_of(yard, pfn), type = flags & YARD_PAGE_SWAPBACKED ? ANON : FILE_LRU;
	int64_t pages = word_pages(frame_word(yard, pfn));
	uint32_t refs = shadow_value(shadow) & (PG_REFS >> PG_REFS_SHIFT);

	mod_node_stat(yard, node, (enum yard_node_stat)(YARD_NODE_WORKINGSET_REFAULT_ANON + type), pages);
	if (!count_refault(yard, shadow, type, (uint64_t)pages))
		return 0;
	if (shadow & SHADOW_WORKINGSET) {
		mod_node_stat(yard, node, (enum yard_node_stat)(YARD_NODE_WORKINGSET_RESTORE_ANON + type), pages);
		return YARD_PAGE_WORKINGSET;
	}
	frame_change(yard, pfn, PG_REFS, refs << PG_REFS_SHIFT); // yard_lru_add() keeps it
	return 0;
}

void gen_protect(struct lru_gen *gens, uint32_t word)
{
	if (word_accesses(word) + !!(word & PG_WORKINGSET) < 5) // saturated ones are promoted anyway
		gens->protected[word_lru_type(word)][word_tier(word)] += (uint64_t)word_pages(word);
}

void gen_advance(struct lru_gen *gens, unsigned type, uint64_t min_seq)
{
	for (unsigned tier = 0; tier < NR_TIERS; tier++) {
		uint64_t total = gens->protected[type][tier] + gens->evicted[type][tier];

		gens->avg_refaulted[type][tier] = (gens->avg_refaulted[type][tier] + gens->refaulted[type][tier]) / 2;
		gens->avg_total[type][tier] = (gens->avg_total[type][tier] + total) / 2;
		gens->refaulted[type][tier] = gens->protected[type][tier] = gens->evicted[type][tier] = 0;
	}
	gens->min_seq[type] = min_seq;
}

// ---- what to evict ----

struct rate { // of some tiers
	uint64_t refaulted, total, gain;
};

static void add_tier(struct rate *rate, const struct lru_gen *gens, unsigned type, unsigned tier)
{
	rate->refaulted += gens->avg_refaulted[type][tier] + gens->refaulted[type][tier];
	rate->total += gens->avg_total[type][tier] + gens->protected[type][tier] + gens->evicted[type][tier];
}

static struct rate rate_of(const struct lru_gen *gens, unsigned type, unsigned first, unsigned last, uint64_t gain)
{
	struct rate rate = { .gain = gain };

	for (unsigned tier = first; tier <= last; tier++)
		add_tier(&rate, gens, type, tier);
	return rate;
}

// Does the process value refault no more than the setpoint, in shares of what was evicted?
static bool refaults_less(const struct rate *value, const struct rate *setpoint)
{
	__extension__ typedef unsigned __int128 wide;

	if (value->refaulted < GEN_BATCH_MIN)
		return true;
	return (wide)value->refaulted * (setpoint->total + GEN_BATCH_MIN) * setpoint->gain
	       <= (wide)(setpoint->refaulted + 1) * value->total * value->gain;
}

unsigned gen_choose_type(const struct lru_gen *gens, int swappiness)
{
	struct rate anon, file;

	if (swappiness <= 1)
		return FILE_LRU;
	if (swappiness >= 200)
		return ANON;
	anon = rate_of(gens, ANON, 0, NR_TIERS - 1, (uint64_t)swappiness);
	file = rate_of(gens, FILE_LRU, 0, NR_TIERS - 1, 200 - (uint64_t)swappiness);
	return refaults_less(&file, &anon) ? FILE_LRU : ANON;
}

unsigned gen_tier_limit(const struct lru_gen *gens, unsigned type)
{
	struct rate base = rate_of(gens, type, 0, 0, 2);
	unsigned tier = 1;

	for (; tier < NR_TIERS; tier++) {
		struct rate rate = rate_of(gens, type, tier, tier, 3);

		if (!refaults_less(&rate, &base))
			break;
	}
	return tier - 1;
}

int gen_swappiness(const struct yard *yard, unsigned node, const struct scan_control *sc)
{
	int swappiness = swappiness_of(yard, sc);

	if (swappiness == SWAPPINESS_ANON_ONLY && yard->policy.anon_only_strict) // V-6
		return swappiness;
	if (!sc->may_swap || (yard_swap_available(yard) < GEN_BATCH_MIN && !can_demote(yard, node, sc)))
		return 0;
	return swappiness;
}
