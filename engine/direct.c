// SPDX-License-Identifier: Apache-2.0
//
// Direct reclaim and direct compaction as the slow path calls them (spec 02 sections 2.3, 2.4): the brackets of
// accounting around them, and the attempts that follow.

#include "engine/slowpath.h"

// ---- RECLAIM ----

static void reclaim(struct slowpath *s) // SP-30
{
	struct yard *yard = s->yard;
	unsigned memalloc;
	bool held;

	yard_host_yield(&yard->host);
	held = lockcheck_reclaim_enter(yard, s->ctx->gfp, "direct reclaim"); // RC-2: before PF_MEMALLOC hides it
	memalloc = memalloc_enter(yard);
	s->progress = try_to_free_pages(yard, s->ctx, s->order);
	memalloc_leave(yard, memalloc);
	if (held)
		lockcheck_reclaim_leave(yard);
	yard_host_yield(&yard->host);
}

void direct_reclaim(struct slowpath *s)
{
	memstall_enter(s->yard); // PSI-3: the attempts and the drain are part of the stall
	reclaim(s);
	if (s->progress && !slow_attempt(s, s->flags)) { // SP-31, spec 04 D-6
		unreserve_for(s, false);
		yard_drain_all(s->yard, -1);
		slow_attempt(s, s->flags);
	}
	memstall_leave(s->yard);
}

// ---- COMPACT ----

static void compact(struct slowpath *s, struct yard_request_capture *capture) // SP-40
{
	struct yard *yard = s->yard;
	const struct alloc_context *ctx = s->ctx;
	bool by_compaction = yard->policy.capture_match == YARD_CAPTURE_COMPACTION_ORDER, held = false;
	unsigned memalloc;

	memstall_enter(yard);
	delay_begin(yard, YARD_DELAY_COMPACT);
	if (yard->policy.compaction_annotated)
		held = lockcheck_reclaim_enter(yard, ctx->gfp, "direct compaction");
	memalloc = memalloc_enter(yard);
	capture_publish(yard, capture, by_compaction ? s->order : ctx->order, ctx->migratetype);
	s->compact_result = try_to_compact_pages(yard, ctx, s->order, s->flags, s->priority, capture);
	capture_withdraw(yard, capture);
	memalloc_leave(yard, memalloc);
	if (held)
		lockcheck_reclaim_leave(yard);
	delay_end(yard, YARD_DELAY_COMPACT);
	memstall_leave(yard);
}

// A promoted request under the capture rule of the time before promotion: the block is larger than what it asked for.
// It goes to the lists, where the attempt claims it whole.
static void release_captured(struct yard *yard, struct zone *zone, const struct yard_request_capture *capture)
{
	yard_spin_lock(&zone->lock);
	frame_set_word(yard, capture->pfn, 0);
	free_pieces(yard, zone, capture->pfn, capture->order, FPI_NONE);
	yard_spin_unlock(&zone->lock);
}

static void take_captured(struct slowpath *s, const struct yard_request_capture *capture) // CP-5
{
	struct zone *zone;

	if (capture->pfn == PFN_NONE)
		return;
	s->compact_result = COMPACT_SUCCESS;
	zone = zone_of_block(s->yard, capture->pfn);
	if (capture->order != s->ctx->order) {
		release_captured(s->yard, zone, capture);
		return;
	}
	s->pfn = capture->pfn;
	s->ctx->zone = zone->id;
	s->ctx->path = YARD_PATH_CAPTURE;
}

static void compaction_served(struct slowpath *s) // SP-46
{
	struct yard *yard = s->yard;
	unsigned zone = s->ctx->zone;

	__atomic_store_n(&yard->compact[zone].blockskip_flush, false, __ATOMIC_RELAXED);
	compaction_defer_reset(yard, zone_at(yard, zone), (int)s->order, true);
	count_vm_event(yard, YARD_VM_COMPACT_SUCCESS, 1);
}

void direct_compact(struct slowpath *s)
{
	struct yard_request_capture capture;

	if (!s->order)
		return;
	if (!s->yard->owner.move) {
		s->compact_result = COMPACT_SKIPPED;
		return;
	}
	compact(s, &capture);
	take_captured(s, &capture);
	if (s->compact_result == COMPACT_SKIPPED || s->compact_result == COMPACT_DEFERRED)
		return;
	count_vm_event(s->yard, YARD_VM_COMPACT_STALL, 1);
	if (s->pfn != PFN_NONE || slow_attempt(s, s->flags)) {
		compaction_served(s);
		return;
	}
	count_vm_event(s->yard, YARD_VM_COMPACT_FAIL, 1);
	yard_host_yield(&s->yard->host);
}
