// SPDX-License-Identifier: Apache-2.0
//
// One call of the slow path (spec 02 section 2), shared by the files that hold its states: slowpath.c (which state
// comes next), direct.c (RECLAIM, COMPACT), slow_retry.c (RRETRY, CRETRY), oom.c (OOM).

#pragma once

#include "engine/mm.h"

struct slowpath { // 2.1
	struct yard *yard;
	struct alloc_context *ctx;
	struct yard_result *result;	    // rounds, gave_up, reclaimed, migrated
	unsigned flags;			    // F: enum alloc_flags
	unsigned order;			    // rco: the order that reclaim and compaction work for (SP-45)
	enum compact_priority priority;	    // prio
	enum compact_result compact_result; // cres
	unsigned compact_retries;	    // cretries
	unsigned no_progress;		    // npl
	uint64_t progress;		    // of the last reclaim or OOM
	bool compact_first;
	bool may_retry_reserves; // SP-14
	bool dropped;		 // DROP has happened
	enum yard_request_part part;
	uint64_t start_ns;
	uint32_t zonelist_builds; // the cookie. There is none for cpusets: a request keeps the nodes that it came with
	uint32_t pfn;		  // what it got
};

// What a yard can do about a lack of memory. Without any of it nothing changes during a call: every loop ends at once.
static inline bool can_progress(const struct yard *yard)
{
	return can_reclaim(yard) || yard->owner.move || yard->owner.oom_next;
}

// SP-45; `s->order` as 7.3's retry rules see it. The older rules do not know of promotion.
static inline bool retries_as_promoted(const struct slowpath *s)
{
	return s->yard->policy.promoted_retry == YARD_RETRY_BOUNDED && s->order != s->ctx->order;
}

static inline bool slow_attempt(struct slowpath *s, unsigned flags) // E-9 with its result in s->pfn
{
	s->pfn = walk_zonelist(s->yard, s->ctx, flags);
	return s->pfn != PFN_NONE;
}

static inline unsigned slow_task_flags(const struct slowpath *s) // others may change those of the task meanwhile
{
	return (s->ctx->request ? s->ctx->request->task : 0u) | task_flags(s->yard);
}

static inline uint64_t jiffy_ns(const struct yard *yard)
{
	return 1000000000ull / yard->hz;
}

// ---- slowpath.c ----
bool unreserve_for(struct slowpath *s, bool force); // H2: one HIGHATOMIC block, where the request may take pages

// ---- direct.c ----
void direct_reclaim(struct slowpath *s); // SP-30, SP-31
void direct_compact(struct slowpath *s); // SP-40, SP-46

// ---- slow_retry.c ----
bool reclaim_should_retry(struct slowpath *s); // SP-49
bool compact_should_retry(struct slowpath *s); // SP-52, SP-53

// ---- oom.c ----
void oom_attempt(struct slowpath *s); // SP-55 to SP-59
