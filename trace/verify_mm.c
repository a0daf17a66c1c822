// SPDX-License-Identifier: Apache-2.0
//
// Which event concerns which judge of reclaim and compaction, and what they share: counting, the events that the pupil
// tells, the list of what cannot be judged.

#include "trace/internal.h"
#include "trace/verify_mm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(TRACE_KINDS <= 64, "kinds fit a mask");

// ---- the pupil's events ----

void mm_hear(struct verifier *v, const struct yard_event *event)
{
	struct mm_watch *mm = v->mm;
	struct told *told;

	if (event->kind < YARD_EVENT_COMPACTION_SUITABLE || event->kind > YARD_EVENT_FAST_ISOLATE_FREEPAGES)
		return; // not asked for one by one
	if (mm->nr_told == mm->room_told) {
		struct told *more = realloc(mm->told, 2 * (size_t)mm->room_told * sizeof(*more));

		if (!more)
			return; // the comparison will show events missing
		mm->told = more;
		mm->room_told *= 2;
	}
	told = &mm->told[mm->nr_told++];
	told->kind = event->kind;
	told->nr = event->nr_args < TOLD_ARGS ? event->nr_args : TOLD_ARGS;
	memcpy(told->arg, event->args, told->nr * sizeof(told->arg[0]));
}

void mm_quiet(struct verifier *v)
{
	v->mm->nr_told = 0;
	v->nr_said = 0;
}

static int64_t order_of(const struct trace_event *event)
{
	return event->order == TRACE_ORDER_NONE ? -1 : event->order;
}

static bool same_zone_event(const struct told *told, const struct trace_event *event)
{
	return told->arg[0] == event->a && told->arg[1] == event->b && told->arg[2] == order_of(event);
}

static bool same_scan(const struct told *told, const struct trace_event *event)
{
	bool wild = event->pfn == TRACE_PFN_NONE; // a search in which no frame counted as low enough

	return (wild || told->arg[0] == (int64_t)event->pfn) && told->arg[1] == (int64_t)event->end_pfn
	       && told->arg[2] == event->a && told->arg[3] == event->b;
}

// The recorded event is the one that the pupil told.
bool mm_same(const struct told *told, const struct trace_event *event)
{
	switch (event->kind) {
	case TRACE_COMPACTION_SUITABLE:
		return told->kind == YARD_EVENT_COMPACTION_SUITABLE && same_zone_event(told, event) && told->arg[3] == event->c;
	case TRACE_COMPACTION_FINISHED:
		return told->kind == YARD_EVENT_COMPACTION_FINISHED && same_zone_event(told, event) && told->arg[3] == event->c;
	case TRACE_COMPACTION_DEFERRED:
	case TRACE_DEFER_COMPACTION:
	case TRACE_DEFER_RESET:
		return told->kind == (event->kind == TRACE_COMPACTION_DEFERRED ? YARD_EVENT_COMPACTION_DEFERRED
				      : event->kind == TRACE_DEFER_COMPACTION  ? YARD_EVENT_COMPACTION_DEFER_COMPACTION
									       : YARD_EVENT_COMPACTION_DEFER_RESET)
		       && same_zone_event(told, event) && told->arg[3] == event->c && told->arg[4] == event->shift
		       && told->arg[5] == event->failed;
	case TRACE_FAST_ISOLATE_FREEPAGES:
		return told->kind == YARD_EVENT_FAST_ISOLATE_FREEPAGES && same_scan(told, event);
	case TRACE_ISOLATE_FREEPAGES:
		return told->kind == YARD_EVENT_ISOLATE_FREEPAGES && same_scan(told, event);
	case TRACE_ISOLATE_MIGRATEPAGES:
		return told->kind == YARD_EVENT_ISOLATE_MIGRATEPAGES && same_scan(told, event);
	default:
		return false;
	}
}

// ---- words ----

void mm_describe(const struct told *told, char *text, size_t size)
{
	const char *name = yard_event_fields(told->kind);
	size_t length = (size_t)snprintf(text, size, "%s", yard_event_name(told->kind));

	for (unsigned i = 0; i < told->nr && name && length < size; i++) {
		int end = (int)strcspn(name, " ");

		length += (size_t)snprintf(text + length, size - length, " %.*s=%lld", end, name, (long long)told->arg[i]);
		name = name[end] ? name + end + 1 : NULL;
	}
}

static void describe_scan(const struct trace_event *event, char *text, size_t size)
{
	snprintf(text, size, "%s start_pfn=%lld end_pfn=%lld nr_scanned=%d nr_taken=%d",
		 trace_kind_name((enum trace_kind)event->kind), (long long)event->pfn, (long long)event->end_pfn, event->a,
		 event->b);
}

void mm_describe_event(const struct trace_event *event, char *text, size_t size)
{
	const char *name = trace_kind_name((enum trace_kind)event->kind);
	long long order = (long long)order_of(event);

	switch (event->kind) {
	case TRACE_COMPACTION_SUITABLE:
	case TRACE_COMPACTION_FINISHED:
		snprintf(text, size, "%s nid=%d idx=%d order=%lld ret=%d", name, event->a, event->b, order, event->c);
		break;
	case TRACE_COMPACTION_DEFERRED:
	case TRACE_DEFER_COMPACTION:
	case TRACE_DEFER_RESET:
		snprintf(text, size, "%s nid=%d idx=%d order=%lld considered=%d defer_shift=%u order_failed=%u", name, event->a,
			 event->b, order, event->c, event->shift, event->failed);
		break;
	case TRACE_FAST_ISOLATE_FREEPAGES:
	case TRACE_ISOLATE_FREEPAGES:
	case TRACE_ISOLATE_MIGRATEPAGES:
		describe_scan(event, text, size);
		break;
	case TRACE_COMPACTION_BEGIN:
	case TRACE_COMPACTION_END:
		snprintf(text, size, "%s migrate_pfn=%lld free_pfn=%lld sync=%d", name, (long long)event->pfn,
			 (long long)event->end_pfn, event->a);
		break;
	case TRACE_WAKEUP_KCOMPACTD:
	case TRACE_KCOMPACTD_WAKE:
		snprintf(text, size, "%s nid=%d order=%lld highest_zoneidx=%d", name, event->a, order, event->b);
		break;
	default:
		snprintf(text, size, "%s", name);
		break;
	}
}

// ---- counting ----

void mm_judge(struct verifier *v, uint32_t index, enum verify_decision decision, bool right, enum verify_cause hint,
	      const char *recorded, const char *engine, ...)
{
	const struct trace_event *event = event_at(v, index);
	struct verify_share *share = &v->result->decision[decision];
	uint64_t first = v->result->all_differences;
	struct op op = { .start = index, .end = index, .cpu = event->cpu, .order = event->order, .migratetype = -1,
			 .pfn = YARD_PFN_NONE };
	char text[160];
	va_list args;

	share->all++;
	share->right += right;
	if (right)
		return;
	va_start(args, engine);
	vsnprintf(text, sizeof(text), engine, args);
	va_end(args);
	v->nr_said = 0;
	v->hint = hint;
	record_difference(v, &op, decision, recorded, text);
	settle_causes(v, &op, first);
}

void mm_not_judged(struct verifier *v, enum verify_unjudged what, uint64_t nr)
{
	v->result->unjudged[what] += nr;
}

uint32_t mm_next(struct verifier *v, uint32_t index, uint32_t pid, uint64_t kinds)
{
	for (uint32_t i = index + 1; i != v->window->head; i++) {
		const struct trace_event *event = event_at(v, i);

		if (event->pid == pid && kinds >> event->kind & 1)
			return i;
	}
	return NO_OP;
}

void mm_settle_lru(struct verifier *v)
{
	struct mm_watch *mm = v->mm;

	for (uint32_t i = 0; i < mm->nr_new; i++) {
		uint8_t *frame = &mm->frame[mm->new_page[i] - v->start_pfn];

		if (!(*frame & MM_NEW_LRU)) // freed since
			continue;
		*frame &= (uint8_t)~MM_NEW_LRU;
		yard_set_lru(v->teacher, mm->new_page[i], true);
		if (v->pupil)
			yard_set_lru(v->pupil, mm->new_page[i], true);
	}
	mm->nr_new = 0;
}

// ---- dispatch ----

int mm_prepare(struct verifier *v)
{
	enum { TOLD_AT_FIRST = 256 };
	struct mm_watch *mm = calloc(1, sizeof(*mm));

	v->mm = mm;
	if (mm)
		mm->told = malloc(TOLD_AT_FIRST * sizeof(*mm->told));
	if (mm)
		mm->frame = calloc(v->end_pfn - v->start_pfn, 1);
	if (!mm || !mm->told || !mm->frame)
		return trace_fail(v->error, "out of memory");
	for (uint32_t i = 0; i < v->before->nr_frames; i++)
		if (v->before->frames[i].class != SNAPSHOT_FREE && v->before->frames[i].class != SNAPSHOT_PCP)
			memset(mm->frame + (v->before->frames[i].pfn - v->start_pfn), MM_OLD, v->before->frames[i].nr);
	mm->room_told = TOLD_AT_FIRST;
	mm->told_compaction = true;
	for (uint32_t i = 0; i < v->before->nr_zones; i++)
		mm->told_compaction &= v->before->zone[i].has_compact;
	for (uint32_t i = 0; i < v->before->nr_nodes; i++)
		mm->told_compaction &= v->before->node[i].has_workers;
	return 0;
}

void mm_release(struct verifier *v)
{
	struct mm_watch *mm = v->mm;

	if (!mm)
		return;
	for (unsigned n = 0; n < GATES; n++) {
		free(mm->gate[n].run.run[0]);
		free(mm->gate[n].run.run[1]);
		free(mm->gate[n].run.block);
	}
	free(mm->told);
	free(mm->frame);
	free(mm);
}

void mm_event(struct verifier *v, uint32_t index)
{
	switch (event_at(v, index)->kind) {
	case TRACE_WAKEUP_KSWAPD:
	case TRACE_KSWAPD_WAKE:
	case TRACE_KSWAPD_SLEEP:
	case TRACE_BALANCE_PGDAT_BEGIN:
	case TRACE_BALANCE_PGDAT_END:
		kswapd_event(v, index);
		break;
	case TRACE_LRU_ISOLATE:
	case TRACE_SHRINK_INACTIVE:
		reclaim_event(v, index);
		break;
	case TRACE_COMPACTION_SUITABLE:
	case TRACE_WAKEUP_KCOMPACTD:
		if (!kswapd_gate(v, index))
			gate_event(v, index);
		break;
	case TRACE_DIRECT_RECLAIM_BEGIN:
	case TRACE_DIRECT_RECLAIM_END:
	case TRACE_TRY_TO_COMPACT_PAGES:
		break; // after the request's own step
	case TRACE_PAGE_FREE:
		scan_freed(v, index);
		break;
	default:
		gate_event(v, index);
		break;
	}
}

void mm_after(struct verifier *v, uint32_t index)
{
	switch (event_at(v, index)->kind) {
	case TRACE_WAKEUP_KSWAPD:
		kswapd_woken(v, index);
		break;
	case TRACE_BALANCE_PGDAT_END:
		kswapd_after(v, index);
		break;
	case TRACE_DIRECT_RECLAIM_BEGIN:
	case TRACE_TRY_TO_COMPACT_PAGES:
		reclaim_event(v, index);
		gate_event(v, index);
		break;
	default:
		break;
	}
}
