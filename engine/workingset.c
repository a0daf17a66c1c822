// SPDX-License-Identifier: Apache-2.0
//
// Refault detection (spec 04 section 1.5): how long a page was away, measured in evictions and activations of its node,
// against the pages that stayed. And the costs that reclaim weighs anon against file by (V-3).

#include "engine/lru.h"

void workingset_age(struct yard *yard, unsigned node, uint64_t pages)
{
	yard->mm[node].lruvec.nonresident_age += pages;
}

uint64_t workingset_eviction(struct yard *yard, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);
	unsigned node = node_of(yard, pfn);
	struct node_mm *mm = &yard->mm[node];
	uint64_t age;

	if (lru_gen_on(yard))
		return gen_shadow(yard, pfn);
	yard_spin_lock(&mm->lru_lock);
	age = mm->lruvec.nonresident_age;
	workingset_age(yard, node, (uint64_t)word_pages(word));
	yard_spin_unlock(&mm->lru_lock);
	return make_shadow(node, age, word, 0);
}

// ---- costs ----

// V-3, kernels before 7.3: the cost of an event is added when it happens, and what is old fades at each.
void lru_note_cost(struct yard *yard, unsigned node, unsigned type, uint64_t cost)
{
	struct lruvec *lruvec = &yard->mm[node].lruvec;
	uint64_t pages = 0;

	if (yard->policy.cost_folding)
		return;
	lruvec->cost[type] += cost;
	for (unsigned list = 0; list < YARD_LRU_UNEVICTABLE; list++)
		pages += lruvec_size(yard, node, (enum yard_lru_list)list, YARD_ZONE_TYPES - 1);
	if (lruvec->cost[ANON] + lruvec->cost[FILE_LRU] > pages / 4) {
		lruvec->cost[ANON] /= 2;
		lruvec->cost[FILE_LRU] /= 2;
	}
}

// ---- refaults (L-20) ----

static uint64_t size_of(const struct yard *yard, unsigned node, enum yard_lru_list list)
{
	return lruvec_size(yard, node, list, YARD_ZONE_TYPES - 1);
}

// Pages that could have made room for the refaulting one.
static uint64_t workingset_size(const struct yard *yard, unsigned node, unsigned type)
{
	bool swap = yard_swap_available(yard) > 0;
	uint64_t size = size_of(yard, node, YARD_LRU_ACTIVE_FILE);

	if (type == ANON)
		size += size_of(yard, node, YARD_LRU_INACTIVE_FILE);
	else if (swap)
		size += size_of(yard, node, YARD_LRU_INACTIVE_ANON);
	return swap ? size + size_of(yard, node, YARD_LRU_ACTIVE_ANON) : size;
}

static bool recently_evicted(struct yard *yard, uint64_t shadow, unsigned type)
{
	unsigned node = shadow_node(shadow);
	struct node_mm *mm = &yard->mm[node];
	uint64_t age;

	if (shadow & SHADOW_GEN) // from before a switch of the policy
		return false;
	yard_spin_lock(&mm->lru_lock);
	age = mm->lruvec.nonresident_age;
	yard_spin_unlock(&mm->lru_lock);
	return ((age - shadow_value(shadow)) & SHADOW_VALUE_MASK) <= workingset_size(yard, node, type);
}

static uint32_t refault(struct yard *yard, uint32_t pfn, uint32_t flags, uint64_t shadow)
{
	unsigned node = node_of(yard, pfn), type = flags & YARD_PAGE_SWAPBACKED ? ANON : FILE_LRU;
	int64_t pages = word_pages(frame_word(yard, pfn));
	struct node_mm *mm = &yard->mm[node];
	bool restore = shadow & SHADOW_WORKINGSET;

	mod_node_stat(yard, node, (enum yard_node_stat)(YARD_NODE_WORKINGSET_REFAULT_ANON + type), pages);
	if (!recently_evicted(yard, shadow, type))
		return 0;
	mod_node_stat(yard, node, (enum yard_node_stat)(YARD_NODE_WORKINGSET_ACTIVATE_ANON + type), pages);
	if (restore)
		mod_node_stat(yard, node, (enum yard_node_stat)(YARD_NODE_WORKINGSET_RESTORE_ANON + type), pages);
	yard_spin_lock(&mm->lru_lock);
	workingset_age(yard, node, (uint64_t)pages);
	if (restore)
		lru_note_cost(yard, node, type, 32 * (uint64_t)pages);
	yard_spin_unlock(&mm->lru_lock);
	return YARD_PAGE_ACTIVE | (restore ? YARD_PAGE_WORKINGSET : 0);
}

int yard_lru_refault(struct yard *yard, uint32_t pfn, uint32_t flags, uint64_t shadow)
{
	uint32_t word;

	if (!in_yard(yard, pfn))
		return YARD_ERANGE;
	word = frame_word(yard, pfn);
	if (word_state(word) != YARD_FRAME_ALLOCATED || word_gone(word))
		return YARD_ENOTOWNED;
	if (word_place(word) != PLACE_PLAIN || word & PG_BATCH)
		return YARD_EINVAL;
	if (!shadow)
		return 0;
	if (!(shadow & SHADOW_PRESENT) || shadow_node(shadow) >= yard->nr_nodes)
		return YARD_EINVAL;
	if (shadow_owner(shadow))
		local_refaulted(yard, shadow_node(shadow), shadow_owner(shadow) - 1, (uint64_t)word_pages(word));
	return (int)(lru_gen_on(yard) ? gen_refault(yard, pfn, flags, shadow) : refault(yard, pfn, flags, shadow));
}
