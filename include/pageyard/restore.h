// SPDX-License-Identifier: Apache-2.0
//
// Putting a yard into the state of a recorded machine, and forcing what a recorded machine did (teacher forcing).
//
// A yard that is to be restored is created with yard_config.restore set: its zones have spans and present pages, its
// lists are empty. All functions here are quiescent.

#pragma once

#include <pageyard/yard.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- restoring a state ----

// Sets what struct yard_zone_state holds but for spans, present and nr_free. Creates no frames.
int yard_restore_zone(struct yard *yard, unsigned zone, const struct yard_zone_state *state);
// Sets what struct yard_pcp_state holds but for `count`, which follows from the lists.
int yard_restore_pcp(struct yard *yard, unsigned zone, unsigned cpu, const struct yard_pcp_state *state);
int yard_restore_pageblock(struct yard *yard, uint32_t pfn, unsigned bits);
// Appends a block to the tail of a list. YARD_EDOUBLEFREE: one of its frames is on a list or allocated already.
int yard_restore_free(struct yard *yard, uint32_t pfn, unsigned order, unsigned migratetype);
int yard_restore_pcp_block(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned pindex);
// Makes frames [pfn, pfn + nr) allocated order-0 blocks.
int yard_restore_allocated(struct yard *yard, uint32_t pfn, uint32_t nr, bool lru);
void yard_restore_mobility(struct yard *yard, bool disabled);
// Folded counters and differences are kept as given; this sets only how much memory is ALLOCATED, for yard_verify():
// the managed pages that nothing accounts for become reserved.
int yard_restore_finish(struct yard *yard);

// ---- forcing a step ----
// Each performs one step of spec 01 exactly as given, wherever the frames are now, with its counters and its
// events, and says whether the state agreed with it.

enum yard_forced {
	YARD_FORCED_AS_PREDICTED, // the frame was where the rule takes it from
	YARD_FORCED_ELSEWHERE,	  // on that kind of list but at another place
	YARD_FORCED_REPAIRED,	  // believed to be somewhere else altogether (T8.5): taken from there
};

// What the rules would take: the head of the smallest fitting list (R4) or of the per-CPU list (P6); PFN_NONE: empty.
uint32_t yard_peek_smallest(const struct yard *yard, unsigned zone, unsigned order, unsigned migratetype);
uint32_t yard_peek_pcp(const struct yard *yard, unsigned zone, unsigned cpu, unsigned pindex);
// Tail of the list that a drain of this set takes next from pindex on (P14); *found receives its index.
uint32_t yard_peek_drain(const struct yard *yard, unsigned zone, unsigned cpu, unsigned pindex, unsigned *found);

// A block leaves the buddy lists of `migratetype` (R4). It becomes ALLOCATED.
enum yard_forced yard_force_remove(struct yard *yard, uint32_t pfn, unsigned order, unsigned migratetype);
// A claim or a steal as an extfrag event tells it (R10, R13): the block of fallback_order that holds pfn leaves the
// lists of fallback_type; its rest goes to the lists of its owner. It becomes ALLOCATED.
enum yard_forced yard_force_fallback(struct yard *yard, uint32_t pfn, unsigned order, unsigned fallback_order,
				     unsigned migratetype, unsigned fallback_type, bool change_ownership);
// R11.4 without taking a page: the pageblock's free blocks move to the tails of `to`, which becomes its type.
void yard_force_claim_block(struct yard *yard, uint32_t pfn, unsigned to);
// The allocated block joins the tail of a per-CPU list (P8) / the head (P10), or leaves one for its user (P6).
enum yard_forced yard_force_pcp_add(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned order, unsigned migratetype,
				    bool tail);
enum yard_forced yard_force_pcp_take(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned order,
				     unsigned migratetype);
// A drained block leaves its per-CPU list and is freed into the lists of `migratetype` (P14).
enum yard_forced yard_force_drain(struct yard *yard, unsigned cpu, uint32_t pfn, unsigned order, unsigned migratetype);
// An allocated block is freed straight into the buddy lists (B11).
enum yard_forced yard_force_free_direct(struct yard *yard, uint32_t pfn, unsigned order);
// Whatever holds [pfn, pfn + 2^order) lets go: the frames become one ALLOCATED block of that order.
enum yard_forced yard_force_allocated(struct yard *yard, uint32_t pfn, unsigned order);

// What a claim (R9; from order `high` down, whole blocks only if `nofragment`) or a steal (R13) would take: the head of
// that list, PFN_NONE if there is none. *found_order and *found_type receive the list.
uint32_t yard_peek_fallback(const struct yard *yard, unsigned zone, unsigned order, unsigned migratetype, bool claim,
			    unsigned high, bool nofragment, unsigned *found_order, unsigned *found_type);

// `to`, a copy of the same machine, takes over the frames, pageblocks, lists and counters of `from`. What no recorded
// step shows stays: how per-CPU sets tuned themselves, boosts, zone flags, event counts. YARD_EINVAL: other machines.
int yard_adopt(struct yard *to, const struct yard *from);

#ifdef __cplusplus
}
#endif
