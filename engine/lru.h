// SPDX-License-Identifier: Apache-2.0
//
// What the files of the LRU offer to each other; what they offer to the rest is in mm.h.

#pragma once

#include "engine/mm.h"

// ---- shadows (L-19): what the owner keeps of an evicted page; 0: nothing ----

enum {
	SHADOW_PRESENT = 1 << 0,
	SHADOW_WORKINGSET = 1 << 1,
	SHADOW_NODE_SHIFT = 2, // 6 bits
	SHADOW_GEN = 1 << 8,   // of the multi-gen LRU; the rest of 16 bits would tell a cgroup
	SHADOW_OWNER_SHIFT = 18, // 6 bits: for whom local-reclaim evicted it; 0: it did not (spec 05 L6)
	SHADOW_VALUE_SHIFT = 24, // 40 bits: E of L-19, for file and anon alike. Its bucket is 1: 2^40 is more than all RAM
};
#define SHADOW_VALUE_MASK (((uint64_t)1 << 40) - 1)

static inline uint64_t make_shadow(unsigned node, uint64_t value, uint32_t word, unsigned kind)
{
	return SHADOW_PRESENT | kind | (word & PG_WORKINGSET ? SHADOW_WORKINGSET : 0) | (uint64_t)node << SHADOW_NODE_SHIFT
	       | (value & SHADOW_VALUE_MASK) << SHADOW_VALUE_SHIFT;
}

static inline unsigned shadow_node(uint64_t shadow)
{
	return shadow >> SHADOW_NODE_SHIFT & 63;
}

static inline unsigned shadow_owner(uint64_t shadow)
{
	return shadow >> SHADOW_OWNER_SHIFT & 63;
}

static inline uint64_t shadow_value(uint64_t shadow)
{
	return shadow >> SHADOW_VALUE_SHIFT;
}

// ---- words ----

// A page of which the node's counters tell: it is on the LRU, isolated from it, or waits to join it.
static inline bool word_counted(uint32_t word)
{
	const unsigned always = 1u << PLACE_LRU | 1u << PLACE_UNEVICTABLE | 1u << PLACE_ISOLATED;

	return always >> word_place(word) & 1 || (word & (PLACE_MASK | PG_BATCH)) == (PG_BATCH | place_bits(PLACE_PLAIN));
}

static inline bool word_gone(uint32_t word) // freed by its owner, but not yet by the one who holds it
{
	return word_place(word) == PLACE_GONE || word_place(word) == PLACE_GONE_ISOLATED;
}

// Of an isolated page, which has no generation: NR_ISOLATED counts it as a file page, whatever it has become since.
enum { ISOLATED_FILE = 1 << PG_GEN_SHIFT };
// Of a page in PLACE_GONE_ISOLATED: its owner's movable operations had it, NR_ISOLATED does not.
enum { GONE_UNCOUNTED = PG_DROPBEHIND };

static inline int64_t word_pages(uint32_t word)
{
	return 1 << word_order(word);
}

// An allocated block that its owner has not freed.
static inline int lru_check_owned(const struct yard *yard, uint32_t pfn)
{
	uint32_t word;

	if (!in_yard(yard, pfn))
		return YARD_ERANGE;
	word = frame_word(yard, pfn);
	return word_state(word) == YARD_FRAME_ALLOCATED && !word_gone(word) ? YARD_OK : YARD_ENOTOWNED;
}

// Whether a counter tells of the difference.
static inline bool counters_differ(uint32_t before, uint32_t after)
{
	const uint32_t told = PG_ANON | PG_MAPPING | PG_SWAPBACKED | PG_SWAPCACHE | PG_DIRTY | PG_WRITEBACK;
	bool counted = word_counted(before);

	return counted != word_counted(after) || (counted && (before ^ after) & told);
}

static inline unsigned word_lru_type(uint32_t word)
{
	return word_is_file(word) ? FILE_LRU : ANON;
}

// ---- lru.c ----
enum { PAGE_COUNTERS = 7 };
extern const uint8_t page_counter[PAGE_COUNTERS]; // enum yard_node_stat
unsigned page_counters(uint32_t word);		  // bit mask over page_counter[]
// The counters of a page whose word was `before` and is `after`; 0 stands for one that nothing counts.
void count_change(struct yard *yard, unsigned node, uint32_t before, uint32_t after);
// One step of a page's word with the counters that follow. False: somebody changed it, *old is what it is now.
// Acquire and release: with its place, a page's links pass from one holder to the next.
static inline bool change_word(struct yard *yard, uint32_t pfn, uint32_t *old, uint32_t to)
{
	if (!atomic_compare_exchange_weak_explicit(&frame_at(yard, pfn)->word, old, to, memory_order_acq_rel,
						   memory_order_relaxed))
		return false;
	if (unlikely(counters_differ(*old, to)))
		count_change(yard, node_of(yard, pfn), *old, to);
	return true;
}
// nr_inactive_anon...; lru_lock held
void account_lru(struct yard *yard, const struct zone *zone, unsigned list, int64_t pages);
// NR_ISOLATED of one page: as the type that it has now, and as the one that it was counted as.
void count_isolated(struct yard *yard, uint32_t pfn);
void uncount_isolated(struct yard *yard, uint32_t pfn, uint32_t word);
// The same for many pages of a node.
struct isolated_pages {
	int64_t pages[LRU_TYPES];
};
// lru_unlink() that also notes in the word as what the page counts.
void lru_unlink_noted(struct yard *yard, uint32_t pfn, struct isolated_pages *isolated);
void mod_isolated(struct yard *yard, unsigned node, struct isolated_pages *isolated); // which is 0 afterwards
// lru_putback() of a page that NR_ISOLATED does not count.
void lru_putback_uncounted(struct yard *yard, uint32_t pfn);
// lru_discard() of a page that was moved: what the counters told of it they tell of `to` from here on, whose word became
// `copied` behind their back.
void lru_discard_moved(struct yard *yard, uint32_t from, uint32_t to, uint32_t copied);
// lru_link() to the list's head; the page leaves its batch in the same step.
bool lru_link_from_batch(struct yard *yard, uint32_t pfn);
void classic_link(struct yard *yard, uint32_t pfn, bool tail); // lru_lock held; the lists and sizes only
void classic_unlink(struct yard *yard, uint32_t pfn);
void size_add(uint64_t *size, int64_t pages); // lru_lock held; read without it

// ---- lru_batch.c ----
// Into this CPU's lru_add batch, if the page is in `from` and in no batch: with other bits, in one step.
bool lru_queue(struct yard *yard, uint32_t pfn, enum page_place from, uint32_t clear, uint32_t set);
bool lru_activate_queued(struct yard *yard, uint32_t pfn); // L-14.4: it waits in this CPU's lru_add batch
