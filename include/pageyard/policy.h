// SPDX-License-Identifier: Apache-2.0
//
// Policy as data: what differs between kernels, as named switches (spec 02 section 4, spec 01 section 15).
//
// A named version ("vanilla", "linux-7.3", ...) is a set of values. Nothing else in the engine asks which kernel
// it is: each switch is read at the one place that its rule describes.

#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum yard_node_reclaim_retest {
	YARD_RETEST_IF_RECLAIMED, // spec 01 A8d, 7.3: zero pages reclaimed -> next zone
	YARD_RETEST_ALWAYS,	  // D3, 7.2 and older: any scan re-tests the watermark
};

enum yard_capture_match {
	YARD_CAPTURE_REQUEST_ORDER,    // spec 01 B9: the record carries the allocation's own order and type
	YARD_CAPTURE_COMPACTION_ORDER, // D5: that of the compaction run
};

enum yard_nofrag_drop {
	YARD_NOFRAG_DROP_ONCE,
	YARD_NOFRAG_DROP_BROKEN, // spec 02 DM-4: clears the wrong bits, for ever
};

enum yard_promoted_retry {
	YARD_RETRY_BOUNDED, // spec 02 SP-49: promoted rounds count as no progress
	YARD_RETRY_NAIVE,   // the retry rules do not know of promotion
};

enum yard_source_rule {
	// spec 03 C3.10: whole-block requests may empty movable blocks; CMA only for those who may use it
	YARD_SOURCE_BLOCKS,
	YARD_SOURCE_TYPED,  // before the June 2026 series
};

enum yard_slowpath_flow {
	YARD_FLOW_UNIFIED, // spec 02 2.2, 7.0 and later
	YARD_FLOW_SPLIT,   // spec 02 2.9
};

// Every member is one switch. uint8_t: 0 is off, 1 is on, or a value of the enum named beside it.
struct yard_policy {
	uint8_t defrag_mode;		// spec 01 A1, W13; spec 02 DM-1
	uint8_t nofrag_drop_nonreclaim; // spec 02 SP-16, D6: atomic requests drop NOFRAGMENT once
	uint8_t kswapd_block_wake;	// spec 02 SP-13: kswapd is woken for whole blocks under defrag_mode
	uint8_t block_watermarks;	// spec 01 W13: kswapd's balance counts whole blocks under defrag_mode
	uint8_t promote_nonmovable;	// spec 02 SP-45, D7: non-movable requests compact and reclaim whole blocks
	uint8_t capture_match;		// enum yard_capture_match
	uint8_t fastpath_highatomic;	// spec 01 G7, D1: HIGHATOMIC already in the first attempt
	uint8_t highatomic_reserve_min; // spec 01 R3, D2: reserve only after a WMARK_MIN attempt
	uint8_t node_reclaim_retest;	// enum yard_node_reclaim_retest
	uint8_t boost_in_crash_kernel;	// spec 01 W7, D4
	uint8_t range_free_chunks;	// spec 01 B16, D9: off frees ranges frame by frame
	uint8_t drain_portions;		// spec 01 P10.5 and P15, D10: off drains the whole amount in one call
	uint8_t skip_kswapd_nodes;	// spec 01 A6 and A11, D12
	uint8_t rmqueue_mode_cache;	// spec 01 R6, D17: off searches anew for each page of a refill
	uint8_t isolate_bit;		// spec 01 M8, D16: off overwrites the type of an isolated block
	uint8_t nofrag_drop;		// enum yard_nofrag_drop (spec 02 DM-4)
	uint8_t kswapd_order0_handoff;	// spec 02 KS-2: off counts whole blocks for order 0 too
	uint8_t drift_snapshot;		// spec 02 KS-2: exact count below the zone's drift mark
	uint8_t promoted_retry;		// enum yard_promoted_retry (spec 02 SP-49, SP-52)
	uint8_t source_rule;		// enum yard_source_rule (spec 03 C3.10, C3.13)
	uint8_t slowpath_flow;		// enum yard_slowpath_flow (spec 02 2.9)
	uint8_t retry_cpuset_filter;	// spec 02 SP-52: compaction's retry looks at zones that the cpuset allows only
	uint8_t gap_cap;		// spec 03 C2.1: the compaction gap is at most 32 pages
	uint8_t compaction_annotated;	// spec 02 RC-2: direct compaction counts as entering reclaim for the checker
	uint8_t stall_report;		// spec 02 SP-67
	uint8_t kcompactd_high_always;	// spec 02 V-5: kcompactd aims at the high watermark without defrag_mode too
	uint8_t lru_gen;		// spec 04 G-1: the multi-gen LRU
	uint8_t cost_folding;		// spec 04 V-3: reclaim costs from counters at each pass; off: charged per event
	uint8_t gen_exec_first;		// spec 04 V-5: executable file pages are promoted at first sight
	uint8_t anon_only_strict;	// spec 04 V-6: swappiness=max without swap reclaims nothing
	uint8_t node_file_all_zones;	// spec 04 V-7: a node's reclaim file reaches all zones, tells errors, no stall
	uint8_t hopeless_needs_balance; // spec 04 V-11: only a balanced node stops being hopeless
	uint8_t node_reclaim_wake_kswapd; // spec 05 K2: node reclaim wakes kswapd first, proposed in 2025
	uint8_t node_reclaim_gen_strict;  // spec 05 Z9: multi-gen: node reclaim must be allowed to write and unmap
	uint8_t wake_kcompactd_only; // spec 04 O-11: kswapd is not woken for blocks while single pages are plenty
	uint8_t kswapd_round_gap; // spec 04 O-11: such a round of kswapd's ends at compaction's gap
};

// One switch as the command line knows it.
struct yard_policy_switch {
	const char *name;
	const char *rule;	   // where the specification states it
	const char *text;	   // one line
	const char *const *values; // value names; index = the value stored; NULL-terminated. "off","on" for booleans
	size_t offset;		   // in struct yard_policy
};

// One named version.
struct yard_policy_version {
	const char *name;
	const char *text; // one line
	struct yard_policy policy;
};

// The tables, for listing. *count receives the number of entries.
const struct yard_policy_switch *yard_policy_switches(size_t *count);
const struct yard_policy_version *yard_policy_versions(size_t *count);

// Parses "NAME[,switch=value]...", e.g. "linux-7.3,defrag_mode=1,promote_nonmovable=off". Boolean switches take
// off/on, 0/1, no/yes, false/true. Returns 0 and fills *policy, or YARD_EINVAL and writes one line into `error`
// (what is wrong, at which character, and the nearest name or the values that would do). `error` may be NULL when
// error_size is 0. Allocates nothing; *policy is untouched on error.
int yard_policy_parse(const char *text, struct yard_policy *policy, char *error, size_t error_size);

#ifdef __cplusplus
}
#endif
