// SPDX-License-Identifier: Apache-2.0
//
// Sending events, and the names that the kernel gives to them.

#include "engine/internal.h"

void event_send(struct yard *yard, const struct yard_event *event)
{
	struct yard_event stamped = *event;

	stamped.cpu = (uint16_t)this_cpu(yard);
	yard->sink(yard->sink_context, &stamped);
}

void yard_set_event_sink(struct yard *yard, yard_event_sink *sink, void *context, bool why)
{
	yard->sink = sink;
	yard->sink_context = context;
	yard->has_why = sink && why;
}

const char *yard_event_name(unsigned kind)
{
	static const char *const names[YARD_EVENT_KINDS] = {
		[YARD_EVENT_PAGE_ALLOC] = "mm_page_alloc",
		[YARD_EVENT_PAGE_FREE] = "mm_page_free",
		[YARD_EVENT_PAGE_FREE_BATCHED] = "mm_page_free_batched",
		[YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED] = "mm_page_alloc_zone_locked",
		[YARD_EVENT_PAGE_PCPU_DRAIN] = "mm_page_pcpu_drain",
		[YARD_EVENT_PAGE_ALLOC_EXTFRAG] = "mm_page_alloc_extfrag",
		[YARD_EVENT_SETUP_PER_ZONE_WMARKS] = "mm_setup_per_zone_wmarks",
		[YARD_EVENT_LOWMEM_RESERVE] = "mm_setup_per_zone_lowmem_reserve",
		[YARD_EVENT_TOTALRESERVE] = "mm_calculate_totalreserve_pages",
		[YARD_EVENT_WAKEUP_KSWAPD] = "mm_vmscan_wakeup_kswapd",
		[YARD_EVENT_WAKEUP_KCOMPACTD] = "mm_compaction_wakeup_kcompactd",
		[YARD_EVENT_TAKE] = "take",
		[YARD_EVENT_PUT] = "put",
		[YARD_EVENT_FREE_DIRECT] = "free_direct",
		[YARD_EVENT_BULK_DRAIN] = "bulk_drain",
		[YARD_EVENT_CLAIM_TRY] = "claim_try",
		[YARD_EVENT_MOVE_BLOCK] = "move_block",
#define X(name, system, text, fields) [YARD_EVENT_##name] = text,
		YARD_TRACEPOINTS_TABLE(X)
#undef X
		[YARD_EVENT_WHY_ATTEMPT] = "why_attempt",
		[YARD_EVENT_WHY_ZONE_SKIPPED] = "why_zone_skipped",
		[YARD_EVENT_WHY_WATERMARK] = "why_watermark",
		[YARD_EVENT_WHY_REFILL] = "why_refill",
		[YARD_EVENT_WHY_PCP_BUSY] = "why_pcp_busy",
		[YARD_EVENT_WHY_PCP_HIGH] = "why_pcp_high",
		[YARD_EVENT_WHY_NO_CLAIM] = "why_no_claim",
		[YARD_EVENT_WHY_BOOST] = "why_boost",
		[YARD_EVENT_WHY_RESTART] = "why_restart",
		[YARD_EVENT_WHY_SLOWPATH] = "why_slowpath",
		[YARD_EVENT_WHY_RETRY] = "why_retry",
		[YARD_EVENT_WHY_COMPACT_SOURCE] = "why_compact_source",
		[YARD_EVENT_WHY_SKIP_BIT] = "why_skip_bit",
		[YARD_EVENT_WHY_ISOLATE_FAILED] = "why_isolate_failed",
		[YARD_EVENT_WHY_LOCAL_WAKE] = "lr_wake",
		[YARD_EVENT_WHY_LOCAL_STEP] = "lr_step",
		[YARD_EVENT_WHY_LOCAL_WAIT] = "lr_wait",
		[YARD_EVENT_WHY_LOCAL_SPILL] = "lr_spill",
		[YARD_EVENT_WHY_LOCAL_EVICT] = "lr_evict",
		[YARD_EVENT_WHY_LOCAL_HOME] = "lr_home",
	};

	return kind < YARD_EVENT_KINDS ? names[kind] : "?";
}

const char *yard_event_system(unsigned kind)
{
	static const char *const systems[YARD_EVENT_STEPS] = {
#define X(name, system, text, fields) [YARD_EVENT_##name] = system,
		YARD_TRACEPOINTS_TABLE(X)
#undef X
	};

	return kind < YARD_EVENT_STEPS ? systems[kind] : NULL;
}

const char *yard_event_fields(unsigned kind)
{
	static const char *const all[YARD_EVENT_STEPS] = {
#define X(name, system, text, fields) [YARD_EVENT_##name] = fields,
		YARD_TRACEPOINTS_TABLE(X)
#undef X
	};

	return kind < YARD_EVENT_STEPS ? all[kind] : NULL;
}

const char *yard_slow_state_name(unsigned state)
{
	static const char *const names[YARD_SLOW_STATES] = {
		[YARD_SLOW_INIT] = "INIT", [YARD_SLOW_RETRY] = "RETRY", [YARD_SLOW_RESERVES] = "RESERVES",
		[YARD_SLOW_NORECLAIM] = "NORECLAIM", [YARD_SLOW_RECURSE] = "RECURSE", [YARD_SLOW_WARNSTALL] = "WARNSTALL",
		[YARD_SLOW_PROMOTE] = "PROMOTE", [YARD_SLOW_RECLAIM] = "RECLAIM", [YARD_SLOW_COMPACT] = "COMPACT",
		[YARD_SLOW_FIRST] = "FIRST", [YARD_SLOW_LOOPGATE] = "LOOPGATE", [YARD_SLOW_RRETRY] = "RRETRY",
		[YARD_SLOW_CRETRY] = "CRETRY", [YARD_SLOW_DROP] = "DROP", [YARD_SLOW_PREOOM] = "PREOOM",
		[YARD_SLOW_OOM] = "OOM", [YARD_SLOW_NOPAGE] = "NOPAGE", [YARD_SLOW_FAIL] = "FAIL", [YARD_SLOW_DONE] = "DONE",
	};

	return state < YARD_SLOW_STATES ? names[state] : "?";
}

const char *yard_skip_name(unsigned skip)
{
	static const char *const names[] = {
		[YARD_SKIP_CPUSET] = "cpuset", [YARD_SKIP_DIRTY] = "dirty limit",
		[YARD_SKIP_KSWAPD_ACTIVE] = "kswapd active", [YARD_SKIP_WATERMARK] = "watermark",
		[YARD_SKIP_NODE_RECLAIM] = "node reclaim", [YARD_SKIP_NO_PAGE] = "no page",
	};

	return skip <= YARD_SKIP_NO_PAGE ? names[skip] : "?";
}

const char *yard_path_name(unsigned path)
{
	static const char *const names[YARD_PATHS] = {
		[YARD_PATH_NONE] = "none", [YARD_PATH_PCP] = "per-CPU hit", [YARD_PATH_REFILL] = "refill",
		[YARD_PATH_CLAIM] = "claim", [YARD_PATH_STEAL] = "steal", [YARD_PATH_DIRECT] = "direct",
		[YARD_PATH_CAPTURE] = "capture",
	};

	return path < YARD_PATHS ? names[path] : "?";
}

const char *yard_error_text(int error)
{
	switch (error) {
	case YARD_OK: return "no error";
	case YARD_EINVAL: return "invalid argument";
	case YARD_ENOMEM: return "no page could be given";
	case YARD_EBUSY: return "frames in use are in the way";
	case YARD_EDOUBLEFREE: return "the frame is free already";
	case YARD_ENOTOWNED: return "no allocated block of that order starts at the frame";
	case YARD_ECORRUPT: return "a broken invariant";
	case YARD_ERANGE: return "outside the yard";
	default: return "unknown error";
	}
}
