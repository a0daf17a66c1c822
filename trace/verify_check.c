// SPDX-License-Identifier: Apache-2.0
//
// Events that are well formed but cannot be of this machine: frames outside its memory, blocks that are not aligned,
// lists that sets do not have. Checked before any of them acts.

#include "trace/internal.h"
#include "trace/verify_internal.h"

static int refuse(struct verifier *v, const struct trace_event *event, const char *what)
{
	return trace_fail(v->error, "%s: event %llu, %s of frame %lld, order %u: %s", v->options->record,
		 (unsigned long long)event->seq, trace_kind_name((enum trace_kind)event->kind), (long long)event->pfn, event->order,
		 what);
}

static int check_block(struct verifier *v, const struct trace_event *event)
{
	uint64_t nr = 1ull << event->order;

	if (event->pfn < v->start_pfn || event->pfn >= v->end_pfn || nr > v->end_pfn - event->pfn
	    || yard_zone_of(v->teacher, (uint32_t)event->pfn) < 0
	    || yard_zone_of(v->teacher, (uint32_t)(event->pfn + nr - 1)) != yard_zone_of(v->teacher, (uint32_t)event->pfn))
		return refuse(v, event, "outside the snapshot's memory, or across zones");
	if (event->pfn & (nr - 1))
		return refuse(v, event, "not aligned to its order");
	return 0;
}

static bool is_request_type(int migratetype)
{
	return migratetype >= 0 && migratetype < YARD_PCPTYPES;
}

static int check_put(struct verifier *v, const struct trace_event *event)
{
	if (!is_request_type(event->migratetype))
		return refuse(v, event, "per-CPU lists are of types 0 to 2");
	if (event->order > YARD_COSTLY_ORDER && event->order != YARD_PAGEBLOCK_ORDER)
		return refuse(v, event, "per-CPU lists keep orders 0 to 3 and 9");
	return check_block(v, event);
}

static int check_page_alloc(struct verifier *v, const struct trace_event *event)
{
	if (!is_request_type(event->migratetype))
		return refuse(v, event, "requests are of types 0 to 2");
	return event->pfn == TRACE_PFN_NONE ? 0 : check_block(v, event);
}

static int check_types(struct verifier *v, const struct trace_event *event)
{
	if (event->kind == TRACE_PAGE_ALLOC_EXTFRAG
	    && (!is_request_type(event->migratetype) || event->a < event->order || event->a > YARD_MAX_PAGE_ORDER || event->b < 0
		|| event->b >= YARD_MIGRATETYPES))
		return refuse(v, event, "orders or types that a fallback cannot have");
	if (event->kind == TRACE_PAGE_ALLOC_ZONE_LOCKED && event->migratetype >= YARD_ISOLATE)
		return refuse(v, event, "nothing is taken from isolated lists");
	if (event->kind == TRACE_MOVE_BLOCK && (event->a < 0 || event->a > YARD_CMA || event->b < 0 || event->b > YARD_CMA))
		return refuse(v, event, "types that a pageblock cannot change between");
	if (event->migratetype < 0 && event->kind != TRACE_PAGE_FREE && event->kind != TRACE_FREE_DIRECT
	    && event->kind != TRACE_ISOLATE_FREE && event->kind != TRACE_COMPACT_BACK && event->kind != TRACE_SPLIT
	    && event->kind != TRACE_MOVE_BLOCK)
		return refuse(v, event, "no migratetype");
	return check_block(v, event);
}

// ---- compaction ----

static int check_zone(struct verifier *v, const struct trace_event *event)
{
	struct yard_zone_state zone;

	if (event->a < 0 || (unsigned)event->a >= yard_nr_nodes(v->teacher) || event->b < 0 || event->b >= YARD_ZONE_TYPES
	    || yard_get_zone(v->teacher, (unsigned)event->a * YARD_ZONE_TYPES + (unsigned)event->b, &zone) || !zone.populated)
		return refuse(v, event, "no such zone");
	return 0;
}

static int check_positions(struct verifier *v, const struct trace_event *event)
{
	if (event->pfn < v->start_pfn || event->pfn >= v->end_pfn || event->end_pfn < v->start_pfn || event->end_pfn > v->end_pfn)
		return refuse(v, event, "a position outside the snapshot's memory");
	return 0;
}

// Of one pageblock, and of one large page more at most.
static int check_scan(struct verifier *v, const struct trace_event *event)
{
	enum { PAGES_MAX = 4 * YARD_PAGEBLOCK_NR_PAGES };

	if (event->b < 0 || event->b > PAGES_MAX)
		return refuse(v, event, "more pages than a scan takes");
	if (event->kind == TRACE_FAST_ISOLATE_FREEPAGES)
		return 0;
	if (check_positions(v, event))
		return -1;
	if (event->end_pfn < event->pfn || event->end_pfn - event->pfn > YARD_PAGEBLOCK_NR_PAGES)
		return refuse(v, event, "not a part of one pageblock");
	return 0;
}

static int check_compaction(struct verifier *v, const struct trace_event *event)
{
	const int32_t pages_max = 1 << 20;

	switch (event->kind) {
	case TRACE_COMPACTION_SUITABLE:
	case TRACE_COMPACTION_FINISHED:
	case TRACE_COMPACTION_DEFERRED:
	case TRACE_DEFER_COMPACTION:
	case TRACE_DEFER_RESET:
		return check_zone(v, event);
	case TRACE_COMPACTION_BEGIN:
	case TRACE_COMPACTION_END:
		return check_positions(v, event);
	case TRACE_FAST_ISOLATE_FREEPAGES:
	case TRACE_ISOLATE_FREEPAGES:
	case TRACE_ISOLATE_MIGRATEPAGES:
		return check_scan(v, event);
	case TRACE_COMPACTION_MIGRATEPAGES:
		if (event->a < 0 || event->a > pages_max || event->b < 0 || event->b > pages_max)
			return refuse(v, event, "more pages than a list holds");
		return 0;
	case TRACE_TRY_TO_COMPACT_PAGES:
		if (event->gfp & YARD_GFP_MOVABLE && event->gfp & YARD_GFP_RECLAIMABLE)
			return refuse(v, event, "movable and reclaimable at once");
		return 0;
	default:
		return 0;
	}
}

int check_event(struct verifier *v, const struct trace_event *event)
{
	if (event->cpu >= v->before->nr_cpus)
		return trace_fail(v->error, "%s: event %llu is of cpu %u, the snapshot has %u", v->options->record,
			 (unsigned long long)event->seq, event->cpu, v->before->nr_cpus);
	switch (event->kind) {
	case TRACE_TAKE:
		return event->pfn == TRACE_PFN_NONE ? 0 : check_block(v, event);
	case TRACE_PAGE_ALLOC:
		return check_page_alloc(v, event);
	case TRACE_PUT:
		return check_put(v, event);
	case TRACE_DRAIN_CPU:
		if (event->a < 0 || (uint32_t)event->a >= v->before->nr_cpus)
			return refuse(v, event, "no such cpu");
		return 0;
	case TRACE_WAKEUP_KSWAPD:
	case TRACE_KSWAPD_WAKE:
	case TRACE_KSWAPD_SLEEP:
	case TRACE_BALANCE_PGDAT_BEGIN:
	case TRACE_BALANCE_PGDAT_END:
	case TRACE_WAKEUP_KCOMPACTD:
		if (event->a < 0 || (unsigned)event->a >= yard_nr_nodes(v->teacher))
			return refuse(v, event, "no such node");
		return 0;
	case TRACE_BULK_DRAIN:
		if (event->b < 0 || event->b >= YARD_PCP_LISTS)
			return refuse(v, event, "no such per-CPU list");
		return 0;
	case TRACE_PAGE_FREE:
	case TRACE_PAGE_ALLOC_ZONE_LOCKED:
	case TRACE_PAGE_ALLOC_EXTFRAG:
	case TRACE_PAGE_PCPU_DRAIN:
	case TRACE_FREE_DIRECT:
	case TRACE_ISOLATE_FREE:
	case TRACE_PUTBACK_FREE:
	case TRACE_COMPACT_BACK:
	case TRACE_SPLIT:
	case TRACE_MOVE_BLOCK:
		return check_types(v, event);
	default:
		return check_compaction(v, event);
	}
}
