// SPDX-License-Identifier: Apache-2.0
//
// Capture (spec 02 section 5, spec 01 B9): what direct compaction frees goes to the request that it works for. The record
// hangs on the task, so that only its own frees, or those of an interrupt on top of it, are looked at.

#include "engine/mm.h"

void capture_publish(struct yard *yard, struct yard_request_capture *record, unsigned order, unsigned migratetype)
{
	struct yard_task *task = current_task(yard);

	*record = (struct yard_request_capture){
		.yard = yard, .pfn = PFN_NONE, .zone = ZONE_MIXED, .order = (uint8_t)order, .migratetype = (uint8_t)migratetype,
	};
	YARD_ASSERT(task && !task->capture, order); // I-9
	if (task_flags(yard) & YARD_TASK_KTHREAD)
		return;
	task->capture = record;
	atomic_fetch_add_explicit(&yard->nr_captures, 1, memory_order_relaxed);
}

// CP-1: withdrawn first, read afterwards.
void capture_withdraw(struct yard *yard, struct yard_request_capture *record)
{
	struct yard_task *task = current_task(yard);

	if (task->capture != record)
		return;
	task->capture = NULL;
	atomic_fetch_sub_explicit(&yard->nr_captures, 1, memory_order_relaxed);
}

// CP-3. zone->lock held.
bool captured(struct yard *yard, struct zone *zone, uint32_t pfn, unsigned order, unsigned type)
{
	struct yard_task *task = current_task(yard);
	struct yard_request_capture *record = task ? task->capture : NULL;

	if (!record || record->yard != yard || record->pfn != PFN_NONE || record->zone != zone->id || record->order != order)
		return false;
	if (type == YARD_CMA || type == YARD_ISOLATE)
		return false;
	if (order < YARD_PAGEBLOCK_ORDER && type == YARD_MOVABLE && record->migratetype != YARD_MOVABLE)
		return false;
	if (type != record->migratetype)
		EMIT(yard, .kind = YARD_EVENT_PAGE_ALLOC_EXTFRAG, .pfn = pfn, .order = (uint8_t)order,
		     .migratetype = record->migratetype, .zone = zone->id, .a = (int32_t)order, .b = (int32_t)type,
		     .c = 0); // the pageblock keeps its type
	record->pfn = pfn;
	frame_set_word(yard, pfn, make_word(YARD_FRAME_ALLOCATED, order, 0));
	return true;
}
