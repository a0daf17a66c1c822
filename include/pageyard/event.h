// SPDX-License-Identifier: Apache-2.0
//
// What the engine tells its host: one event for each decision that a Linux tracepoint shows, with the same name and
// fields (spec 01 section 11), the steps that Linux shows only to added probes, and the reasons ("why" events).

#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum yard_event_kind {
	// kmem tracepoints
	YARD_EVENT_PAGE_ALLOC,		   // pfn (YARD_PFN_NONE: failed), order, migratetype, gfp in a
	YARD_EVENT_PAGE_FREE,		   // pfn, order
	YARD_EVENT_PAGE_FREE_BATCHED,	   // pfn
	YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED, // pfn, order, migratetype, a = percpu_refill
	YARD_EVENT_PAGE_PCPU_DRAIN,	   // pfn, order, migratetype
	YARD_EVENT_PAGE_ALLOC_EXTFRAG,	   // pfn, order, migratetype, a = fallback_order, b = fallback_migratetype,
					   // c = change_ownership
	YARD_EVENT_SETUP_PER_ZONE_WMARKS,  // pfn = min, a = low, b = high, c = promo
	YARD_EVENT_LOWMEM_RESERVE,	   // a = upper zone index, b = pages
	YARD_EVENT_TOTALRESERVE,	   // a = pages
	YARD_EVENT_WAKEUP_KSWAPD,	   // vmscan: order, a = highest zone index, b = gfp
	YARD_EVENT_WAKEUP_KCOMPACTD,	   // compaction: order, a = highest zone index
	// steps without a tracepoint
	YARD_EVENT_TAKE,	// pfn leaves a per-CPU list for its user (YARD_PFN_NONE: neither list nor zone had one)
	YARD_EVENT_PUT,		// pfn goes on a per-CPU list: order, migratetype of the list
	YARD_EVENT_FREE_DIRECT, // pfn goes to the buddy lists
	YARD_EVENT_BULK_DRAIN,	// a = count asked, b = pindex to start with
	YARD_EVENT_CLAIM_TRY,	// pfn, order, migratetype = wanted, a = order found, b = type of the block
	YARD_EVENT_MOVE_BLOCK,	// first frame of a pageblock, a = old type, b = new
	YARD_EVENT_STEPS,	// number of the kinds above
	// reasons: only on request, see yard_set_event_sink()
	YARD_EVENT_WHY_ATTEMPT = YARD_EVENT_STEPS, // one walk: order, migratetype, a = ALLOC flags, b = highest zone index
	YARD_EVENT_WHY_ZONE_SKIPPED,		   // zone, a = enum yard_skip
	YARD_EVENT_WHY_WATERMARK,		   // zone, pfn = free pages, a = mark + reserve, b = passed, c = unusable
	YARD_EVENT_WHY_REFILL,			   // zone: a = blocks wanted (P7), b = stored high, c = alloc_factor
	YARD_EVENT_WHY_PCP_BUSY,		   // zone: the set's lock was held, direct path (P9, B12)
	YARD_EVENT_WHY_PCP_HIGH,		   // zone: count reached: a = count, b = effective high (P11), c = to free (P12)
	YARD_EVENT_WHY_NO_CLAIM,		   // zone, pfn of the block: a = free frames, b = alike frames (R11)
	YARD_EVENT_WHY_BOOST,			   // zone: a = boost after W7, b = its cap
	YARD_EVENT_WHY_RESTART,			   // walk again: a = 0 NOFRAGMENT dropped, 1 nodes with active kswapd allowed
	YARD_EVENT_WHY_SLOWPATH,		   // order, a = ALLOC flags, b = reclaim/compaction order (spec 02 SP-45)
	YARD_EVENT_KINDS
};

enum yard_skip { // spec 01 section 7: which step refused the zone
	YARD_SKIP_CPUSET,	 // A3
	YARD_SKIP_DIRTY,	 // A4
	YARD_SKIP_KSWAPD_ACTIVE, // A6
	YARD_SKIP_WATERMARK,	 // A8
	YARD_SKIP_NODE_RECLAIM,	 // A8d, A8e
	YARD_SKIP_NO_PAGE,	 // A10: neither list, claim nor steal gave a page
};

// How an allocation was served; yard_result.path.
enum yard_path {
	YARD_PATH_NONE,	  // failed
	YARD_PATH_PCP,	  // per-CPU list had one (P6)
	YARD_PATH_REFILL, // the list was filled first (P8), from the request's own lists
	YARD_PATH_CLAIM,  // the page given came through a claim (R9)
	YARD_PATH_STEAL,  // ... through a steal (R13)
	YARD_PATH_DIRECT, // buddy lists, without a per-CPU list (R3)
	YARD_PATHS
};

struct yard_event {
	uint8_t kind; // enum yard_event_kind
	uint8_t order;
	uint8_t migratetype;
	uint8_t zone; // index of the zone in the yard: node * YARD_ZONE_TYPES + zone type
	uint16_t cpu;
	uint32_t pfn;
	int32_t a, b, c;
};

// Receives every event in the order in which the engine decides, under whatever locks it holds: it must not call
// the engine. On the posix platform several threads may be in it at once. `context` is what yard_set_event_sink() was given.
typedef void yard_event_sink(void *context, const struct yard_event *event);

const char *yard_event_name(unsigned kind); // the kernel's name: "mm_page_alloc"
const char *yard_skip_name(unsigned skip);
const char *yard_path_name(unsigned path);

#ifdef __cplusplus
}
#endif
