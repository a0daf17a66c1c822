// SPDX-License-Identifier: Apache-2.0
//
// What the engine tells its host: one event for each decision that a Linux tracepoint shows, with the same name and
// fields (spec 01 section 11), the steps that Linux shows only to added probes, and the reasons ("why" events).

#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// X(enumerator, system, the kernel's name, names of the fields in args[]). Zones are given as zone type (0 DMA ... 4),
// pages as frame numbers.
#define YARD_TRACEPOINTS_TABLE(X)                                                                                     \
	X(TRY_TO_COMPACT_PAGES, "compaction", "mm_compaction_try_to_compact_pages", "order gfp_mask prio")            \
	X(COMPACTION_BEGIN, "compaction", "mm_compaction_begin", "zone_start migrate_pfn free_pfn zone_end sync")      \
	X(COMPACTION_END, "compaction", "mm_compaction_end", "zone_start migrate_pfn free_pfn zone_end sync status")   \
	X(COMPACTION_SUITABLE, "compaction", "mm_compaction_suitable", "nid idx order ret")                            \
	X(COMPACTION_FINISHED, "compaction", "mm_compaction_finished", "nid idx order ret")                            \
	X(COMPACTION_DEFERRED, "compaction", "mm_compaction_deferred",                                                 \
	  "nid idx order considered defer_shift order_failed")                                                         \
	X(COMPACTION_DEFER_COMPACTION, "compaction", "mm_compaction_defer_compaction",                                 \
	  "nid idx order considered defer_shift order_failed")                                                         \
	X(COMPACTION_DEFER_RESET, "compaction", "mm_compaction_defer_reset",                                           \
	  "nid idx order considered defer_shift order_failed")                                                         \
	X(ISOLATE_MIGRATEPAGES, "compaction", "mm_compaction_isolate_migratepages",                                    \
	  "start_pfn end_pfn nr_scanned nr_taken")                                                                     \
	X(ISOLATE_FREEPAGES, "compaction", "mm_compaction_isolate_freepages",                                          \
	  "start_pfn end_pfn nr_scanned nr_taken")                                                                     \
	X(FAST_ISOLATE_FREEPAGES, "compaction", "mm_compaction_fast_isolate_freepages",                                \
	  "start_pfn end_pfn nr_scanned nr_taken")                                                                     \
	X(COMPACTION_MIGRATEPAGES, "compaction", "mm_compaction_migratepages", "nr_migrated nr_failed")                \
	X(KCOMPACTD_SLEEP, "compaction", "mm_compaction_kcompactd_sleep", "nid")                                       \
	X(KCOMPACTD_WAKE, "compaction", "mm_compaction_kcompactd_wake", "nid order highest_zoneidx")                   \
	X(MIGRATE_PAGES_START, "migrate", "mm_migrate_pages_start", "mode reason")                                     \
	X(MIGRATE_PAGES, "migrate", "mm_migrate_pages",                                                                \
	  "succeeded failed thp_succeeded thp_failed thp_split large_folio_split mode reason")                         \
	X(KSWAPD_SLEEP, "vmscan", "mm_vmscan_kswapd_sleep", "nid")                                                     \
	X(KSWAPD_WAKE, "vmscan", "mm_vmscan_kswapd_wake", "nid zid order")                                             \
	X(BALANCE_PGDAT_BEGIN, "vmscan", "mm_vmscan_balance_pgdat_begin", "nid order highest_zoneidx")                 \
	X(BALANCE_PGDAT_END, "vmscan", "mm_vmscan_balance_pgdat_end", "nid order highest_zoneidx nr_reclaimed")        \
	X(DIRECT_RECLAIM_BEGIN, "vmscan", "mm_vmscan_direct_reclaim_begin", "gfp_flags pid memcg_id order")            \
	X(DIRECT_RECLAIM_END, "vmscan", "mm_vmscan_direct_reclaim_end", "nr_reclaimed pid memcg_id")                   \
	X(MEMCG_RECLAIM_BEGIN, "vmscan", "mm_vmscan_memcg_reclaim_begin", "gfp_flags pid memcg_id order")              \
	X(MEMCG_RECLAIM_END, "vmscan", "mm_vmscan_memcg_reclaim_end", "nr_reclaimed pid memcg_id")                     \
	X(NODE_RECLAIM_BEGIN, "vmscan", "mm_vmscan_node_reclaim_begin", "nid order gfp_flags")                         \
	X(NODE_RECLAIM_END, "vmscan", "mm_vmscan_node_reclaim_end", "nr_reclaimed pid memcg_id")                       \
	X(SHRINK_SLAB_START, "vmscan", "mm_shrink_slab_start",                                                         \
	  "shr nid pid memcg_id nr_objects_to_shrink gfp_flags cache_items delta total_scan priority")                 \
	X(SHRINK_SLAB_END, "vmscan", "mm_shrink_slab_end",                                                             \
	  "shr nid pid memcg_id unused_scan new_scan total_scan retval")                                               \
	X(LRU_ISOLATE, "vmscan", "mm_vmscan_lru_isolate",                                                              \
	  "highest_zoneidx order nr_requested nr_scanned nr_skipped nr_taken lru")                                     \
	X(WRITE_FOLIO, "vmscan", "mm_vmscan_write_folio", "pfn reclaim_flags")                                         \
	X(LRU_SHRINK_INACTIVE, "vmscan", "mm_vmscan_lru_shrink_inactive",                                              \
	  "nid nr_scanned nr_reclaimed nr_dirty nr_writeback nr_congested nr_immediate nr_activate0 nr_activate1 "     \
	  "nr_ref_keep nr_unmap_fail priority reclaim_flags")                                                          \
	X(LRU_SHRINK_ACTIVE, "vmscan", "mm_vmscan_lru_shrink_active",                                                  \
	  "nid nr_taken nr_active nr_deactivated nr_referenced priority reclaim_flags")                                \
	X(RECLAIM_PAGES, "vmscan", "mm_vmscan_reclaim_pages",                                                          \
	  "nid nr_scanned nr_reclaimed nr_dirty nr_writeback nr_congested nr_immediate nr_activate0 nr_activate1 "     \
	  "nr_ref_keep nr_unmap_fail")                                                                                 \
	X(VMSCAN_THROTTLED, "vmscan", "mm_vmscan_throttled", "nid usec_timeout usec_delayed reason")                   \
	X(KSWAPD_RECLAIM_FAIL, "vmscan", "mm_vmscan_kswapd_reclaim_fail", "nid failures")                              \
	X(KSWAPD_CLEAR_HOPELESS, "vmscan", "mm_vmscan_kswapd_clear_hopeless", "nid reason")                            \
	X(LRU_INSERTION, "pagemap", "mm_lru_insertion", "pfn lru flags")                                               \
	X(LRU_ACTIVATE, "pagemap", "mm_lru_activate", "pfn")                                                           \
	X(RECLAIM_RETRY_ZONE, "oom", "reclaim_retry_zone",                                                             \
	  "node zone order reclaimable available min_wmark no_progress_loops wmark_check")                             \
	X(COMPACT_RETRY, "oom", "compact_retry", "order priority result retries max_retries ret")                      \
	X(MARK_VICTIM, "oom", "mark_victim",                                                                           \
	  "pid total_vm anon_rss file_rss shmem_rss uid pgtables oom_score_adj")                                       \
	X(WAKE_REAPER, "oom", "wake_reaper", "pid")                                                                    \
	X(START_TASK_REAPING, "oom", "start_task_reaping", "pid")                                                      \
	X(FINISH_TASK_REAPING, "oom", "finish_task_reaping", "pid")                                                    \
	X(SKIP_TASK_REAPING, "oom", "skip_task_reaping", "pid")                                                        \
	X(ALLOC_FAILURE, "pageyard", "alloc_failure", "order gfp_mask nodemask cpuset printed")                        \
	X(ALLOC_STALL, "pageyard", "alloc_stall", "seconds order gfp_mask")

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
	YARD_EVENT_WAKEUP_KCOMPACTD,	   // compaction: order (UINT8_MAX: -1, by the sysctl), a = highest zone index
	// steps without a tracepoint
	YARD_EVENT_TAKE,	// pfn leaves a per-CPU list for its user (YARD_PFN_NONE: neither list nor zone had one)
	YARD_EVENT_PUT,		// pfn goes on a per-CPU list: order, migratetype of the list
	YARD_EVENT_FREE_DIRECT, // pfn goes to the buddy lists
	YARD_EVENT_BULK_DRAIN,	// a = count asked, b = pindex to start with
	YARD_EVENT_CLAIM_TRY,	// pfn, order, migratetype = wanted, a = order found, b = type of the block
	YARD_EVENT_MOVE_BLOCK,	// first frame of a pageblock, a = old type, b = new
	// events with their fields in args[], in the order of the kernel's format files (YARD_TRACEPOINTS_TABLE)
#define X(name, system, text, fields) YARD_EVENT_##name,
	YARD_TRACEPOINTS_TABLE(X)
#undef X
	YARD_EVENT_STEPS,	// number of the kinds above
	// reasons: only on request, see yard_set_event_sink()
	YARD_EVENT_WHY_ATTEMPT = YARD_EVENT_STEPS, // one walk: order, migratetype, a = ALLOC flags, b = highest zone
	YARD_EVENT_WHY_ZONE_SKIPPED,		   // zone, a = enum yard_skip
	YARD_EVENT_WHY_WATERMARK,		   // zone, pfn = free pages, a = mark + reserve, b = passed,
						   // c = unusable
	YARD_EVENT_WHY_REFILL,			   // zone: a = blocks wanted (P7), b = stored high, c = alloc_factor
	YARD_EVENT_WHY_PCP_BUSY,		   // zone: the set's lock was held, direct path (P9, B12)
	YARD_EVENT_WHY_PCP_HIGH,		   // zone: count reached: a = count, b = effective high (P11),
						   // c = to free (P12)
	YARD_EVENT_WHY_NO_CLAIM,		   // zone, pfn of the block: a = free frames, b = alike frames (R11)
	YARD_EVENT_WHY_BOOST,			   // zone: a = boost after W7, b = its cap
	YARD_EVENT_WHY_RESTART,			   // walk again: a = 0 NOFRAGMENT dropped, 1 nodes with active
						   // kswapd allowed
	YARD_EVENT_WHY_SLOWPATH,		   // order, a = ALLOC flags, b = reclaim/compaction order
						   // (spec 02 SP-45), c = pass through RETRY
	YARD_EVENT_WHY_RETRY,			   // order: a = enum yard_slow_state left, b = entered out of turn,
						   // c = pass
	YARD_EVENT_WHY_COMPACT_SOURCE,		   // zone, order, pfn = where the fast source search sends the scanner
						   // (spec 03 C3.13), a = chunks scanned, b = found one, c = its limit
	YARD_EVENT_WHY_SKIP_BIT,		   // zone, pfn of the block: a = set (1) or cleared (0) (spec 03 C3.9)
	YARD_EVENT_WHY_ISOLATE_FAILED,		   // zone, pfn, order: a = row of spec 03 C4.3 that refused the page
	// local-reclaim (spec 05 L10); zone: the node's first; a = owner but for the wake-up
	YARD_EVENT_WHY_LOCAL_WAKE,  // pfn = free pages, a = W_low
	YARD_EVENT_WHY_LOCAL_STEP,  // b = pages freed
	YARD_EVENT_WHY_LOCAL_WAIT,  // b = ns
	YARD_EVENT_WHY_LOCAL_SPILL, // pfn, order, zone, b = enum yard_local_reason
	YARD_EVENT_WHY_LOCAL_EVICT, // pfn, order, b = victim
	YARD_EVENT_WHY_LOCAL_HOME,  // b = pages moved there
	YARD_EVENT_KINDS
};

enum yard_slow_state { // spec 02 section 2.2, in its order
	YARD_SLOW_INIT,
	YARD_SLOW_RETRY,
	YARD_SLOW_RESERVES,
	YARD_SLOW_NORECLAIM,
	YARD_SLOW_RECURSE,
	YARD_SLOW_WARNSTALL,
	YARD_SLOW_PROMOTE,
	YARD_SLOW_RECLAIM,
	YARD_SLOW_COMPACT,
	YARD_SLOW_FIRST,
	YARD_SLOW_LOOPGATE,
	YARD_SLOW_RRETRY,
	YARD_SLOW_CRETRY,
	YARD_SLOW_DROP,
	YARD_SLOW_PREOOM,
	YARD_SLOW_OOM,
	YARD_SLOW_NOPAGE,
	YARD_SLOW_FAIL,
	YARD_SLOW_DONE,
	YARD_SLOW_STATES
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
	YARD_PATH_CAPTURE, // kept back from the lists while compaction freed it (spec 02 section 5)
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
	uint8_t nr_args; // of the kinds in YARD_TRACEPOINTS_TABLE
	const int64_t *args; // valid during the call
};

// Receives every event in the order in which the engine decides, under whatever locks it holds: it must not call
// the engine. On the posix platform several threads may be in it at once. `context` is what yard_set_event_sink() was
// given.
typedef void yard_event_sink(void *context, const struct yard_event *event);

const char *yard_event_name(unsigned kind); // the kernel's name: "mm_page_alloc"
// System of the tracepoint ("compaction"), and the names of its args separated by spaces; NULL for other kinds.
const char *yard_event_system(unsigned kind);
const char *yard_event_fields(unsigned kind);
const char *yard_slow_state_name(unsigned state);
const char *yard_skip_name(unsigned skip);
const char *yard_path_name(unsigned path);

#ifdef __cplusplus
}
#endif
