// SPDX-License-Identifier: Apache-2.0
//
// One recorded event of a kernel's page allocator, whatever file it came from.
//
// Three kinds of file yield these events: a record (events.txt beside two snapshots, docs/oracle-format.md),
// a trace.dat written by trace-cmd, and the plain text of tracefs or `trace-cmd report`. Readers deliver them
// in time order. A field that the file does not tell holds the value named "unknown" below.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_PFN_NONE UINT64_MAX // unknown, or the recorded allocation failed (pfn -1)
#define TRACE_UNKNOWN  INT32_MIN  // an int32_t field that the file does not tell
#define TRACE_ORDER_NONE 0xff	  // order -1: a compaction run for no particular order

enum trace_kind {
	TRACE_OTHER, // known to the file, of no interest to a replay
	// kmem tracepoints
	TRACE_PAGE_ALLOC,	      // pfn (TRACE_PFN_NONE: failed), order, gfp, migratetype
	TRACE_PAGE_FREE,	      // pfn, order
	TRACE_PAGE_FREE_BATCHED,      // pfn, order 0
	TRACE_PAGE_ALLOC_ZONE_LOCKED, // pfn, order, migratetype, a = percpu_refill
	TRACE_PAGE_PCPU_DRAIN,	      // pfn, order, migratetype
	TRACE_PAGE_ALLOC_EXTFRAG,     // pfn, order = alloc_order, migratetype = alloc_migratetype, a = fallback_order,
				      // b = fallback_migratetype, c = change_ownership
	// probes of the records
	TRACE_TAKE,	     // pfn (TRACE_PFN_NONE: the list and the zone could give none)
	TRACE_PUT,	     // pfn, order, migratetype = list type, a = fpi
	TRACE_FREE_DIRECT,   // pfn, order, a = fpi
	TRACE_BULK_DRAIN,    // a = count, b = pindex
	TRACE_ISOLATE_FREE,  // a = got, pfn, order
	TRACE_PUTBACK_FREE,  // pfn, order, migratetype
	TRACE_COMPACT_BACK,  // pfn
	TRACE_SPLIT,	     // pfn, order
	TRACE_DECAY_PCP,     // zone
	TRACE_DRAIN_ZONE,    // zone, a = cpu if told
	TRACE_DRAIN_CPU,     // zone, a = cpu
	TRACE_MOVE_BLOCK,    // pfn, a = old, b = new
	TRACE_CLAIM_TRY,     // pfn, a = current, order, migratetype = start, b = block
	TRACE_ATTEMPT,	     // gfp, order, a = aflags
	// vmscan and compaction tracepoints that tell when another part of the kernel acted
	TRACE_WAKEUP_KSWAPD,		// a = nid, b = zid, order, gfp
	TRACE_KSWAPD_WAKE,		// a = nid, b = zid, order
	TRACE_KSWAPD_SLEEP,		// a = nid
	TRACE_WAKEUP_KCOMPACTD,		// a = nid, order (TRACE_ORDER_NONE: -1, by sysctl), b = highest_zoneidx
	TRACE_KCOMPACTD_WAKE,		// a = nid, order, b = highest_zoneidx
	TRACE_KCOMPACTD_SLEEP,		// a = nid
	TRACE_BALANCE_PGDAT_BEGIN,	// a = nid, order, b = highest_zoneidx
	TRACE_BALANCE_PGDAT_END,	// a = nid, order, b = highest_zoneidx, c = nr_reclaimed
	TRACE_DIRECT_RECLAIM_BEGIN,	// order, gfp
	TRACE_DIRECT_RECLAIM_END,	// c = nr_reclaimed
	TRACE_TRY_TO_COMPACT_PAGES,	// order, gfp, a = prio
	TRACE_COMPACTION_BEGIN,		// pfn = migrate_pfn, end_pfn = free_pfn, a = sync
	TRACE_COMPACTION_END,		// pfn = migrate_pfn, end_pfn = free_pfn, a = sync, b = status
	TRACE_COMPACTION_SUITABLE,	// a = nid, b = idx, order, c = ret
	TRACE_COMPACTION_FINISHED,	// a = nid, b = idx, order (TRACE_ORDER_NONE: -1, no particular order), c = ret
	TRACE_COMPACTION_DEFERRED,	// a = nid, b = idx, order, c = considered, shift, failed
	TRACE_DEFER_COMPACTION,		// a = nid, b = idx, order, c = considered, shift, failed
	TRACE_DEFER_RESET,		// a = nid, b = idx, order, c = considered, shift, failed
	TRACE_FAST_ISOLATE_FREEPAGES,	// pfn = start, end_pfn, a = nr_scanned, b = nr_taken
	TRACE_ISOLATE_FREEPAGES,	// pfn = start, end_pfn, a = nr_scanned, b = nr_taken
	TRACE_ISOLATE_MIGRATEPAGES,	// pfn = start, end_pfn, a = nr_scanned, b = nr_taken
	TRACE_COMPACTION_MIGRATEPAGES,	// a = nr_migrated, b = nr_failed
	TRACE_LRU_ISOLATE,		// order, a = nr_taken, b = highest_zoneidx, c = nr_scanned
	TRACE_SHRINK_INACTIVE,		// a = nid, b = priority, c = nr_reclaimed
	TRACE_LOST,	// the recorder lost events on this cpu just before this point: a = number (0: not told)
	TRACE_KINDS
};

// The field that a kind does not use is 0.
struct trace_event {
	uint64_t seq;	     // from 1, as the file numbers them; readers number those of files that do not
	uint64_t ns;	     // the file's clock, nanoseconds
	uint64_t pfn;
	union {
		uint64_t zone;	  // an opaque identity of the zone (the kernel's address of it)
		uint64_t end_pfn; // of events of compaction: a second frame; TRACE_PFN_NONE unknown
	};
	uint32_t pid;
	uint32_t gfp;	     // bits as in enum yard_gfp (pageyard/gfp.h)
	int32_t a, b, c;
	uint16_t cpu;
	uint8_t kind;	     // enum trace_kind
	uint8_t order;
	int8_t migratetype; // as in enum yard_migratetype; -1 unknown
	bool interrupt;	     // in interrupt context, where the file tells (trace.dat, text with the latency column)
	uint8_t shift, failed; // defer_shift and order_failed
};

_Static_assert(sizeof(struct trace_event) == 64, "a window of events must stay small");

// The name that the kernel gives to events of this kind ("mm_page_alloc", "take").
const char *trace_kind_name(enum trace_kind kind);
