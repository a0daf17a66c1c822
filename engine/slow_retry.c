// SPDX-License-Identifier: Apache-2.0
//
// Is another round of reclaim and compaction worth it (spec 02 section 2.5, spec 04 D-7).

#include "engine/slowpath.h"

// ---- RRETRY ----

// The zone would do if all that can be reclaimed were free.
static bool zone_would_do(const struct slowpath *s, struct zone *zone)
{
	struct yard *yard = s->yard;
	const struct alloc_context *ctx = s->ctx;
	uint64_t reclaimable = zone_reclaimable_pages(yard, zone), min = zone_wmark(zone, WMARK_MIN);
	int64_t available = (int64_t)reclaimable + zone_stat_snapshot(yard, zone, YARD_NR_FREE_PAGES);
	bool ok = watermark_ok(yard, zone, ctx->order, min, ctx->highest_zone, s->flags, available);

	TRACE(yard, RECLAIM_RETRY_ZONE, zone->node, zone->type, ctx->order, (int64_t)reclaimable, available,
	      (int64_t)min, s->no_progress, ok);
	return ok;
}

static bool some_zone_would_do(const struct slowpath *s)
{
	struct yard *yard = s->yard;
	const struct alloc_context *ctx = s->ctx;

	for (const uint8_t *entry = ctx->first; *entry != ZONE_MIXED; entry++) {
		struct zone *zone = zone_at(yard, *entry);

		if (!zone_eligible(zone, ctx->highest_zone, ctx->nodemask) || !zone_cpuset_allowed(ctx, zone, s->flags))
			continue;
		if (zone_would_do(s, zone))
			return true;
	}
	return false;
}

static void give_way(const struct slowpath *s)
{
	struct yard *yard = s->yard;

	if (slow_task_flags(s) & YARD_TASK_WORKER) // whose fellow workers may be what frees memory
		yard_host_wait(&yard->host, queue_of(0, YARD_QUEUE_OOM), jiffy_ns(yard));
	else
		yard_host_yield(&yard->host);
}

bool reclaim_should_retry(struct slowpath *s) // SP-49
{
	bool retry = false;

	if (s->progress && s->ctx->order <= YARD_COSTLY_ORDER && !retries_as_promoted(s))
		s->no_progress = 0;
	else
		s->no_progress++;
	if (s->no_progress <= MAX_RECLAIM_RETRIES) {
		retry = some_zone_would_do(s);
		give_way(s);
	}
	return retry || unreserve_for(s, true);
}

// ---- CRETRY ----

enum { FEEDBACK_FAILED = 1, FEEDBACK_WITHDRAWN, FEEDBACK_PROGRESS }; // spec 03 3.11

static int feedback(enum compact_result result)
{
	return result == COMPACT_COMPLETE ? FEEDBACK_FAILED
	     : result == COMPACT_SUCCESS  ? FEEDBACK_PROGRESS : FEEDBACK_WITHDRAWN;
}

static bool try_harder(struct slowpath *s)
{
	enum compact_priority least = s->ctx->order > YARD_COSTLY_ORDER ? COMPACT_SYNC_LIGHT : COMPACT_SYNC_FULL;

	if (s->priority <= least)
		return false;
	s->priority--;
	s->compact_retries = 0;
	return true;
}

static bool decide_compact_retry(struct slowpath *s, unsigned *limit)
{
	if (s->compact_result == COMPACT_SKIPPED)
		return !retries_as_promoted(s)
		       && compaction_zonelist_suitable(s->yard, s->ctx, s->ctx->order, s->flags);
	if (s->compact_result == COMPACT_SUCCESS) {
		if (s->ctx->order > YARD_COSTLY_ORDER)
			*limit /= 4;
		if (++s->compact_retries <= *limit)
			return true;
	}
	return try_harder(s);
}

// SP-53: there is no compaction, but small blocks may come together by chance.
static bool retry_without_compaction(const struct slowpath *s)
{
	struct yard *yard = s->yard;
	const struct alloc_context *ctx = s->ctx;

	if (!ctx->order || ctx->order > YARD_COSTLY_ORDER)
		return false;
	for (const uint8_t *entry = ctx->first; *entry != ZONE_MIXED; entry++) {
		struct zone *zone = zone_at(yard, *entry);

		if (zone_eligible(zone, ctx->highest_zone, ctx->nodemask)
		    && watermark_ok(yard, zone, 0, zone_wmark(zone, WMARK_MIN), ctx->highest_zone, s->flags,
				    zone_stat(zone, YARD_NR_FREE_PAGES)))
			return true;
	}
	return false;
}

bool compact_should_retry(struct slowpath *s) // SP-52
{
	bool bounded = s->yard->policy.promoted_retry == YARD_RETRY_BOUNDED, retry;
	unsigned retries = s->compact_retries, limit = MAX_COMPACT_RETRIES;
	enum compact_priority priority = s->priority;

	if (!s->yard->owner.move)
		return retry_without_compaction(s);
	if (!can_compact(s->yard, s->ctx->gfp))
		return false;
	if (!(bounded ? s->order : s->ctx->order) || slow_task_flags(s) & YARD_TASK_SIGNAL)
		return false;
	retry = decide_compact_retry(s, &limit);
	TRACE(s->yard, COMPACT_RETRY, s->ctx->order, priority, feedback(s->compact_result), retries, limit, retry);
	return retry;
}
