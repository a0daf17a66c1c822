// SPDX-License-Identifier: Apache-2.0
//
// What the files of the multi-gen LRU share (spec 04 section 12).
//
// A page's word names its generation; the list that it is linked on may be an older one: a page that is promoted only
// changes its number, and moves when the scan comes to it (G-6, G-9). Sizes count by the number. No cgroups (G-16).

#pragma once

#include "engine/lru.h"

enum { MIN_GENS = 2, GEN_BATCH_MIN = 64, GEN_BATCH_MAX = 4096 };

static inline struct lru_gen *gens_of(const struct yard *yard, unsigned node)
{
	return &yard->mm[node].lruvec.gen;
}

static inline unsigned seq_gen(uint64_t seq)
{
	return seq % NR_GENS;
}

static inline unsigned word_gen(uint32_t word)
{
	return word >> PG_GEN_SHIFT & 3;
}

static inline unsigned nr_gens(const struct lru_gen *gens, unsigned type)
{
	return (unsigned)(gens->max_seq - gens->min_seq[type]) + 1;
}

// ---- accesses (G-3) ----

static inline unsigned word_accesses(uint32_t word)
{
	return word & PG_REFERENCED ? (word >> PG_REFS_SHIFT) + 1 : 0;
}

static inline unsigned access_tier(unsigned accesses, bool workingset)
{
	static const uint8_t tiers[] = { 0, 0, 1, 2, 2 }; // rounded up logarithms

	return workingset ? NR_TIERS - 1 : tiers[accesses];
}

static inline unsigned word_tier(uint32_t word)
{
	return access_tier(word_accesses(word), word & PG_WORKINGSET);
}

#define PG_ACCESSES (PG_REFS | PG_REFERENCED)

// ---- which types swappiness allows (G-11) ----

static inline bool type_allowed(int swappiness, unsigned type)
{
	return type == ANON ? swappiness != 0 : swappiness != SWAPPINESS_ANON_ONLY;
}

// ---- mglru.c; lru_lock held ----
uint64_t gen_entry_seq(const struct lru_gen *gens, uint32_t word, bool tail); // G-4
// The page stays where it is linked.
void gen_renumber(struct yard *yard, uint32_t pfn, unsigned gen, uint32_t clear, uint32_t set);
void gen_list_del(struct yard *yard, uint32_t pfn); // the links only

// ---- mglru_tiers.c ----
int gen_swappiness(const struct yard *yard, unsigned node, const struct scan_control *sc);
unsigned gen_choose_type(const struct lru_gen *gens, int swappiness); // lru_lock held from here on
unsigned gen_tier_limit(const struct lru_gen *gens, unsigned type);
void gen_protect(struct lru_gen *gens, uint32_t word);			  // G-9's statistics
void gen_advance(struct lru_gen *gens, unsigned type, uint64_t min_seq); // G-13

// ---- mglru_age.c ----
bool gen_run_aging(struct yard *yard, unsigned node, int swappiness); // G-6, G-7; false: others are still at it
void gen_initial_priority(struct yard *yard, unsigned node, struct scan_control *sc); // G-14
uint64_t gen_evictable_min_seq(const struct lru_gen *gens, int swappiness);
