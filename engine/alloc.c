// SPDX-License-Identifier: Apache-2.0
//
// The entry of an allocation: from the caller's request to the fast attempt (spec 01 sections 2 and 7, spec 02 E-8),
// and allocation in bulk (section 10.1).

#include "engine/mm.h"

static uint32_t scoped_gfp(uint32_t gfp, unsigned task) // G3
{
	if (task & YARD_TASK_NOIO)
		gfp &= ~(uint32_t)(YARD_GFP_IO | YARD_GFP_FS);
	else if (task & YARD_TASK_NOFS)
		gfp &= ~(uint32_t)YARD_GFP_FS;
	if (task & YARD_TASK_PIN)
		gfp &= ~(uint32_t)YARD_GFP_MOVABLE;
	return gfp;
}

// G2. -1: DMA, DMA32 and HIGHMEM exclude each other.
int gfp_highest_zone(uint32_t gfp)
{
	uint32_t where = gfp & (YARD_GFP_DMA | YARD_GFP_DMA32 | YARD_GFP_HIGHMEM);

	if (where & (where - 1))
		return -1;
	if (where == YARD_GFP_DMA)
		return YARD_ZONE_DMA;
	if (where == YARD_GFP_DMA32)
		return YARD_ZONE_DMA32;
	return where && gfp & YARD_GFP_MOVABLE ? YARD_ZONE_MOVABLE : YARD_ZONE_NORMAL;
}

static HOT int prepare_context(struct yard *yard, const struct yard_request *request, struct alloc_context *ctx)
{
	unsigned task = request->task | task_flags(yard);
	uint32_t gfp = unlikely(task) ? scoped_gfp(request->gfp, task) : request->gfp;
	int highest;
	unsigned mobility;

	gfp &= ~yard->gfp_forbidden;
	if (unlikely(yard->lockcheck) && !(task & YARD_TASK_MEMALLOC))
		lockcheck_alloc(yard, gfp); // RC-2
	highest = gfp_highest_zone(gfp);
	mobility = gfp >> 3 & 3;
	if (unlikely(request->order > YARD_MAX_PAGE_ORDER || highest < 0 || mobility == 3))
		return YARD_EINVAL;
	if (unlikely(request->node >= (int)yard->nr_nodes))
		return YARD_ERANGE;
	*ctx = (struct alloc_context){
		.gfp = gfp,
		.order = request->order,
		.migratetype = yard->mobility_disabled ? YARD_UNMOVABLE : (uint8_t)mobility, // G1
		.highest_zone = (uint8_t)highest,
		.task = (uint16_t)task,
		.cpu_node = (uint8_t)yard->cpu_node[this_cpu(yard)],
		.nodemask = request->nodemask,
		.cpuset = request->cpuset,
	};
	ctx->node = request->node >= 0 ? (uint8_t)request->node : ctx->cpu_node;
	ctx->zonelist = gfp & YARD_GFP_THISNODE ? yard->nodes[ctx->node].thisnode : yard->nodes[ctx->node].fallback;
	return YARD_OK;
}

// A1: fallback below whole blocks is avoided where the zone below takes what does not fit.
static HOT bool wants_nofragment(const struct yard *yard, const struct alloc_context *ctx)
{
	const struct zone *preferred;

	if (yard->no_dma32)
		return false;
	if (yard->policy.defrag_mode)
		return true;
	if (*ctx->first == ZONE_MIXED)
		return false;
	preferred = zone_at(yard, *ctx->first);
	if (preferred->type != YARD_ZONE_NORMAL)
		return false;
	return yard->nr_nodes == 1
	       || zone_populated(zone_at(yard, preferred->node * YARD_ZONE_TYPES + YARD_ZONE_DMA32));
}

// G7 and Z8. Sets the fast attempt's nodemask and preferred zone.
static HOT unsigned fast_flags(const struct yard *yard, struct alloc_context *ctx)
{
	unsigned flags = ALLOC_WMARK_LOW | gfp_cma_flags(ctx);

	if (unlikely(ctx->cpuset)) {
		if (!(ctx->task & YARD_TASK_INTERRUPT) && !ctx->nodemask)
			ctx->nodemask = ctx->cpuset;
		else
			flags |= ALLOC_CPUSET;
		ctx->gfp |= YARD_GFP_HARDWALL;
	}
	ctx->first = zonelist_first(yard, ctx->zonelist, ctx->highest_zone, ctx->nodemask);
	if (ctx->gfp & YARD_GFP_KSWAPD_RECLAIM)
		flags |= ALLOC_KSWAPD;
	if (wants_nofragment(yard, ctx))
		flags |= ALLOC_NOFRAGMENT;
	if (ctx->order && yard->policy.fastpath_highatomic) // D1
		flags |= gfp_nonblock_flags(ctx->gfp, ctx->order) & ALLOC_HIGHATOMIC;
	return flags;
}

static HOT uint32_t finish(struct yard *yard, struct alloc_context *ctx, uint32_t pfn) // A13
{
	if (unlikely(ctx->gfp & YARD_GFP_ACCOUNT && pfn != PFN_NONE && yard->owner.charge)
	    && !yard->owner.charge(yard->owner.context, pfn, ctx->order, ctx->gfp)) {
		yard_free(yard, pfn, ctx->order);
		pfn = PFN_NONE;
	}
	EMIT(yard, .kind = YARD_EVENT_PAGE_ALLOC, .pfn = pfn, .order = ctx->order, .migratetype = ctx->migratetype,
	     .zone = pfn == PFN_NONE ? 0 : ctx->zone, .a = (int32_t)ctx->gfp);
	return pfn;
}

static unsigned bulk_flags(unsigned fast) // C1
{
	return fast & ~(unsigned)(ALLOC_NOFRAGMENT | ALLOC_KSWAPD | ALLOC_HIGHATOMIC);
}

static uint32_t alloc_nolock(struct yard *yard, struct alloc_context *ctx) // G9
{
	ctx->gfp |= YARD_GFP_NOWARN | YARD_GFP_ZERO | YARD_GFP_NOMEMALLOC | YARD_GFP_COMP;
	ctx->first = zonelist_first(yard, ctx->zonelist, ctx->highest_zone, ctx->nodemask);
	return walk_zonelist(yard, ctx, ALLOC_NOLOCK | ALLOC_WMARK_MIN | ALLOC_CPUSET | gfp_cma_flags(ctx));
}

static struct zone *bulk_zone(struct yard *yard, struct alloc_context *ctx, unsigned flags, uint64_t missing);

// One page as C2 and C3 take it. PFN_NONE: the single-page path is next (C4).
static uint32_t alloc_bulk_page(struct yard *yard, struct alloc_context *ctx)
{
	unsigned flags = bulk_flags(fast_flags(yard, ctx));
	struct zone *zone = bulk_zone(yard, ctx, flags, 1);
	uint32_t pfn = PFN_NONE;

	ctx->attempts++;
	if (zone && !ctx->order) {
		ctx->bulk = true;
		pfn = pcp_alloc(yard, zone, ctx, flags);
		ctx->bulk = pfn != PFN_NONE;
		ctx->zone = zone->id;
	}
	return pfn;
}

// Spec 05 L5: home first.
static RARE uint32_t alloc_local(struct yard *yard, const struct yard_request *request, struct alloc_context *ctx)
{
	struct local_request local = { .owner = request->local_reclaim - 1u };
	uint32_t pfn, gfp = ctx->gfp;

	ctx->dirty_spread = ctx->gfp & YARD_GFP_WRITE;
	pfn = local_reclaim_walk(yard, ctx, fast_flags(yard, ctx), &local);
	if (pfn == PFN_NONE) {
		ctx->nodemask = local.confined ? local.home : request->nodemask;
		ctx->gfp = gfp;
		ctx->dirty_spread = false;
		pfn = alloc_slowpath(yard, ctx, YARD_REQUEST_WHOLE);
	}
	local_reclaim_placed(yard, ctx, &local, pfn);
	return pfn;
}

// E-8: the fast attempt, then the slow path.
static HOT uint32_t alloc_normal(struct yard *yard, const struct yard_request *request, struct alloc_context *ctx)
{
	uint32_t pfn = PFN_NONE, gfp = ctx->gfp;

	if (unlikely(request->local_reclaim) && request->part == YARD_REQUEST_WHOLE
	    && local_owner_exists(yard, request->local_reclaim))
		return alloc_local(yard, request, ctx);
	ctx->dirty_spread = ctx->gfp & YARD_GFP_WRITE;
	if (likely(request->part != YARD_REQUEST_FROM_WAKE))
		pfn = walk_zonelist(yard, ctx, fast_flags(yard, ctx));
	if (unlikely(pfn == PFN_NONE)) {
		ctx->nodemask = request->nodemask;
		ctx->gfp = gfp;
		ctx->dirty_spread = false;
		pfn = alloc_slowpath(yard, ctx, (enum yard_request_part)request->part);
	}
	return pfn;
}

int yard_alloc_request(struct yard *yard, const struct yard_request *request, struct yard_result *result)
{
	struct alloc_context ctx;
	uint32_t pfn;
	int error = prepare_context(yard, request, &ctx);

	*result = (struct yard_result){ .pfn = PFN_NONE };
	if (unlikely(error))
		return error;
	ctx.request = request;
	ctx.result = result;
	if (unlikely(request->nolock)) {
		if (!pcp_allowed_order(ctx.order))
			return YARD_EINVAL;
		pfn = alloc_nolock(yard, &ctx);
	} else {
		pfn = request->bulk ? alloc_bulk_page(yard, &ctx) : PFN_NONE;
		if (likely(pfn == PFN_NONE))
			pfn = alloc_normal(yard, request, &ctx);
	}
	if (likely(!ctx.bulk)) // C3: bulk pages have no mm_page_alloc
		pfn = finish(yard, &ctx, pfn);
	result->attempts = ctx.attempts;
	if (unlikely(pfn == PFN_NONE))
		return YARD_ENOMEM;
	result->pfn = pfn;
	result->path = ctx.path;
	result->zone = ctx.zone;
	result->pfmemalloc = ctx.pfmemalloc;
	return YARD_OK;
}

uint32_t yard_alloc(struct yard *yard, uint32_t gfp, unsigned order)
{
	const struct yard_request request = { .gfp = gfp, .order = (uint8_t)order, .node = -1 };
	struct alloc_context ctx;

	if (unlikely(order > YARD_MAX_PAGE_ORDER || prepare_context(yard, &request, &ctx)))
		return PFN_NONE;
	return finish(yard, &ctx, alloc_normal(yard, &request, &ctx));
}

// E-2. Memory that lies elsewhere is worth less than small pages here.
int yard_alloc_huge(struct yard *yard, const struct yard_request *request, struct yard_result *result)
{
	struct yard_request local = *request;
	struct yard_result first;
	unsigned node = request->node >= 0 ? (unsigned)request->node : yard->cpu_node[this_cpu(yard)];
	bool homes = local_reclaim_homes(yard, request); // spec 05 L9: then it tries each of them
	int error;

	if (request->order != YARD_PAGEBLOCK_ORDER || node >= yard->nr_nodes
	    || (!homes && request->nodemask && !(request->nodemask >> node & 1)))
		return yard_alloc_request(yard, request, result);
	local.gfp |= YARD_GFP_NORETRY;
	if (!homes) {
		local.node = (int16_t)node;
		local.nodemask = 0;
		local.gfp |= YARD_GFP_THISNODE;
	}
	error = yard_alloc_request(yard, &local, &first);
	*result = first;
	if (error != YARD_ENOMEM || first.gave_up || !(request->gfp & YARD_GFP_DIRECT_RECLAIM))
		return error;
	error = yard_alloc_request(yard, request, result);
	add_work(result, &first);
	return error;
}

// ---- bulk (10.1) ----

// C2: the first zone that keeps its low watermark with all the pages gone. NULL: use the single-page path.
static struct zone *bulk_zone(struct yard *yard, struct alloc_context *ctx, unsigned flags, uint64_t missing)
{
	const struct zone *preferred;

	if (*ctx->first == ZONE_MIXED)
		return NULL;
	preferred = zone_at(yard, *ctx->first);
	for (const uint8_t *entry = ctx->first; *entry != ZONE_MIXED; entry++) {
		struct zone *zone = zone_at(yard, *entry);

		if (!zone_eligible(zone, ctx->highest_zone, ctx->nodemask))
			continue;
		if (yard->nr_nodes > 1 && zone->node != preferred->node)
			return NULL;
		if (watermark_fast(yard, zone, 0, zone_wmark(zone, WMARK_LOW) + missing, preferred->type, flags))
			return zone;
	}
	return NULL;
}

// C3: takes the missing pages from the current CPU's set. Returns how many.
static size_t bulk_take(struct yard *yard, struct zone *zone, struct alloc_context *ctx, unsigned flags, size_t nr,
			uint32_t *pfns)
{
	size_t got = 0;

	for (size_t i = 0; i < nr; i++) {
		if (pfns[i] != PFN_NONE)
			continue;
		pfns[i] = pcp_alloc(yard, zone, ctx, flags);
		if (pfns[i] == PFN_NONE)
			break;
		got++;
	}
	return got;
}

static size_t filled(const uint32_t *pfns, size_t nr)
{
	size_t n = 0;

	while (n < nr && pfns[n] != PFN_NONE)
		n++;
	return n;
}

static size_t bulk_single(struct yard *yard, const struct yard_request *request, size_t nr, uint32_t *pfns) // C4
{
	size_t n = filled(pfns, nr);
	struct yard_result result;

	if (n < nr) {
		yard_alloc_request(yard, request, &result);
		pfns[n] = result.pfn;
	}
	return filled(pfns, nr);
}

size_t alloc_bulk(struct yard *yard, const struct yard_request *request, size_t nr, uint32_t *pfns)
{
	struct alloc_context ctx;
	struct zone *zone;
	unsigned flags;
	size_t missing = 0;

	for (size_t i = 0; i < nr; i++)
		missing += pfns[i] == PFN_NONE;
	if (!missing)
		return nr;
	if (prepare_context(yard, request, &ctx))
		return filled(pfns, nr);
	if (missing == 1 || request->gfp & YARD_GFP_ACCOUNT) // C1
		return bulk_single(yard, request, nr, pfns);
	flags = bulk_flags(fast_flags(yard, &ctx));
	ctx.bulk = true;
	zone = bulk_zone(yard, &ctx, flags, missing);
	if (!zone || !bulk_take(yard, zone, &ctx, flags, nr, pfns))
		return bulk_single(yard, request, nr, pfns);
	return filled(pfns, nr);
}

size_t yard_alloc_bulk(struct yard *yard, uint32_t gfp, size_t nr, uint32_t *pfns)
{
	const struct yard_request request = { .gfp = gfp, .node = -1 };

	return alloc_bulk(yard, &request, nr, pfns);
}

uint32_t yard_alloc_exact(struct yard *yard, uint32_t gfp, uint32_t nr) // B17
{
	unsigned order = nr > 1 ? fls64(nr - 1) : 0;
	uint32_t pfn;

	if (!nr || order > YARD_MAX_PAGE_ORDER)
		return PFN_NONE;
	pfn = yard_alloc(yard, gfp, order);
	if (pfn == PFN_NONE)
		return PFN_NONE;
	yard_split(yard, pfn, order);
	for (uint32_t p = pfn + nr; p < pfn + (1u << order); p++) {
		EMIT(yard, .kind = YARD_EVENT_PAGE_FREE, .pfn = p, .order = 0, .zone = zone_of(yard, p)->id);
		free_direct(yard, zone_of(yard, p), p, 0, FPI_TO_TAIL);
	}
	return pfn;
}

int yard_forbid_gfp(struct yard *yard, uint32_t gfp) // G3
{
	if (gfp & ~(uint32_t)(YARD_GFP_NOFS | YARD_GFP_FS))
		return YARD_EINVAL;
	yard->gfp_forbidden = gfp;
	return YARD_OK;
}

int yard_set_defrag_mode(struct yard *yard, unsigned mode) // DM-1
{
	if (mode > 1)
		return YARD_EINVAL;
	yard->policy.defrag_mode = (uint8_t)mode;
	return YARD_OK;
}
