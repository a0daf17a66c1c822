// SPDX-License-Identifier: Apache-2.0
//
// Owners of local-reclaim and the placement of their requests (spec 05 L1, L5, L9): home nodes first, each with a step
// of reclaim if need be, then the stock walk over all nodes, or the slow path confined to home.

#include "engine/local_reclaim.h"

enum {
	BUDGET_NS = NSEC_PER_MSEC, // depth of a task's budget (L5)
	STEPS = 4,		   // of one request
	STEPS_UNLIMITED = 64,	   // ... with wait_pct 100
	STEP_NS = 50000,	   // what a step takes, before one was measured
	VAIN_NS = 10 * NSEC_PER_MSEC, // without steps after one in vain
};

// ---- owners (L1) ----

void yard_local_defaults(struct yard_local_config *config)
{
	*config = (struct yard_local_config){
		.garbage = YARD_LOCAL_READ_ONCE,
		.wait_pct = 20,
		.rate_mbps = 8192,
		.refault_max_ppm = 10000,
		.repatriate_mbps = 256,
		.victim_permille = 125,
		.age_min_ms = 2000,
		.age_idle_ms = 60000,
	};
}

static int check(const struct yard *yard, const struct yard_local_config *config)
{
	if (config->garbage > YARD_LOCAL_IDLE || config->wait_pct > 100 || config->victim_permille > 1000
	    || config->refault_max_ppm > 1000000 || !config->rate_mbps)
		return YARD_EINVAL;
	return yard->nr_nodes < 64 && config->home >> yard->nr_nodes ? YARD_ERANGE : YARD_OK;
}

static void set_owner(struct yard *yard, unsigned owner, const struct yard_local_config *config)
{
	yard->local->owner[owner].config = *config;
	for (unsigned node = 0; node < yard->nr_nodes; node++)
		local_reset_share(&local_node(yard, node)->share[owner], config);
}

int yard_local_create(struct yard *yard, const struct yard_local_config *config)
{
	int error = check(yard, config);

	if (error)
		return error;
	if (yard->local->nr_owners == YARD_LOCAL_OWNERS_MAX)
		return YARD_ENOMEM;
	set_owner(yard, yard->local->nr_owners, config);
	return (int)++yard->local->nr_owners;
}

int yard_local_change(struct yard *yard, unsigned owner, const struct yard_local_config *config)
{
	int error = check(yard, config);

	if (!local_owner_exists(yard, owner))
		return YARD_ERANGE;
	if (error)
		return error;
	if (!config->repatriate_mbps || config->home != yard->local->owner[owner - 1].config.home)
		local_forget_spills(yard, owner - 1);
	set_owner(yard, owner - 1, config);
	return YARD_OK;
}

// ---- a task's budget (L5) ----

// The time between its requests stands for its CPU time: a bucket of 1 ms does not tell them apart.
static int64_t budget_of(struct yard *yard, struct yard_task *task, unsigned pct)
{
	uint64_t now = now_ns(yard), elapsed = time_since(now, task->local_at);

	if (!task->local_at || pct == 100)
		task->local_budget_ns = pct ? BUDGET_NS : 0;
	else
		task->local_budget_ns += (int64_t)(elapsed < LOCAL_SECOND ? elapsed : LOCAL_SECOND) * (int)pct / 100;
	task->local_budget_ns = min64(task->local_budget_ns, pct ? BUDGET_NS : 0);
	task->local_at = now;
	return pct == 100 ? INT64_MAX : task->local_budget_ns;
}

// It has stalled since `start`; that is no time of its own.
static void pay(struct yard *yard, struct local_owner *owner, struct yard_task *task, uint64_t start)
{
	uint64_t now = now_ns(yard), ns = time_since(now, start);

	task->local_budget_ns -= (int64_t)ns;
	task->local_at = now;
	local_add(&owner->stall_ns, ns);
}

// ---- a step (L5 b) ----

static unsigned steps_at_once(const struct yard *yard, unsigned node)
{
	unsigned cpus = yard->nodes[node].nr_cpus / 8;

	return cpus ? cpus : 1;
}

static void reclaim_step(struct yard *yard, unsigned node, unsigned owner, struct local_batch *batch)
{
	struct local_node *n = local_node(yard, node);
	uint64_t start = now_ns(yard), ns, average = local_read(&n->step_ns);
	unsigned memalloc = memalloc_enter(yard);

	yard_host_charge(&yard->host, YARD_COST_DIRECT_RECLAIM, 1);
	local_evict(yard, node, owner, ROLE_DIRECT, batch);
	memalloc_leave(yard, memalloc);
	ns = time_since(now_ns(yard), start);
	local_store(&n->step_ns, average ? (7 * average + ns) / 8 : ns);
	local_add(&yard->local->owner[owner].steps, 1);
	local_add(&yard->local->owner[owner].stepped, batch->freed);
	WHY(yard, .kind = YARD_EVENT_WHY_LOCAL_STEP, .zone = (uint8_t)(node * YARD_ZONE_TYPES), .a = (int32_t)owner + 1,
	    .b = (int32_t)batch->freed);
}

static void wait_for_step(struct yard *yard, unsigned node, unsigned owner)
{
	uint64_t most = local_read(&local_node(yard, node)->step_ns), slept;

	slept = yard_host_wait(&yard->host, queue_of(node, YARD_QUEUE_LOCAL_STEP), most ? most : STEP_NS);
	local_add(&yard->local->owner[owner].waits, 1);
	WHY(yard, .kind = YARD_EVENT_WHY_LOCAL_WAIT, .zone = (uint8_t)(node * YARD_ZONE_TYPES), .a = (int32_t)owner + 1,
	    .b = (int32_t)slept);
}

static enum yard_local_reason nothing_found(struct yard *yard, unsigned node, unsigned owner)
{
	bool reduced = local_level(yard, node, owner) < yard->local->owner[owner].config.garbage;

	return reduced ? YARD_LOCAL_REFAULT : YARD_LOCAL_NOGARBAGE;
}

// Reclaims a little or waits for those who do. False: it was in vain, *reason says why.
static bool step(struct yard *yard, unsigned node, unsigned owner, enum yard_local_reason *reason)
{
	struct local_node *n = local_node(yard, node);
	struct local_batch batch = { .freed = CLUSTER_MAX };

	if (atomic_fetch_add_explicit(&n->stepping, 1, memory_order_relaxed) < steps_at_once(yard, node)) {
		reclaim_step(yard, node, owner, &batch);
		atomic_fetch_sub_explicit(&n->stepping, 1, memory_order_relaxed);
		yard_host_wake(&yard->host, queue_of(node, YARD_QUEUE_LOCAL_STEP));
	} else {
		atomic_fetch_sub_explicit(&n->stepping, 1, memory_order_relaxed);
		wait_for_step(yard, node, owner);
	}
	if (batch.freed)
		return true;
	*reason = batch.floored ? YARD_LOCAL_FLOOR : nothing_found(yard, node, owner);
	atomic_store_explicit(&n->vain, *reason, memory_order_relaxed);
	local_store(&n->steps_from, now_ns(yard) + VAIN_NS);
	return false;
}

// Steps may help.
static bool steps_help(struct yard *yard, unsigned node, unsigned owner, enum yard_local_reason *reason)
{
	struct local_node *n = local_node(yard, node);
	unsigned level = local_level(yard, node, owner);

	if (!local_has_garbage(yard, node, level)) {
		*reason = atomic_load_explicit(&n->none[level].floored, memory_order_relaxed)
				  ? YARD_LOCAL_FLOOR
				  : nothing_found(yard, node, owner);
		return false;
	}
	*reason = (enum yard_local_reason)atomic_load_explicit(&n->vain, memory_order_relaxed);
	return now_ns(yard) >= local_read(&n->steps_from);
}

static bool may_step(struct yard *yard, unsigned node, unsigned owner, struct yard_task *task,
		     enum yard_local_reason *reason)
{
	const struct yard_local_config *config = &yard->local->owner[owner].config;

	if (!steps_help(yard, node, owner, reason))
		return false;
	if (!local_may_take(yard, node, owner))
		*reason = local_short_of(yard, node, owner);
	else if (budget_of(yard, task, config->wait_pct) <= 0)
		*reason = YARD_LOCAL_BUDGET;
	else
		return true;
	return false;
}

// ---- one home node (L5 a, b) ----

static uint32_t walk_home(struct yard *yard, struct alloc_context *ctx, unsigned flags, unsigned node)
{
	ctx->nodemask = 1ull << node;
	return walk_zonelist(yard, ctx, flags);
}

// Steps until a page is there; then the task has stalled on memory.
static uint32_t step_for_page(struct yard *yard, struct alloc_context *ctx, unsigned flags, unsigned node,
			      struct local_request *local)
{
	struct local_owner *owner = &yard->local->owner[local->owner];
	struct yard_task *task = current_task(yard);
	unsigned steps = owner->config.wait_pct == 100 ? STEPS_UNLIMITED : STEPS;
	uint32_t pfn = PFN_NONE;

	if (!may_step(yard, node, local->owner, task, &local->reason))
		return PFN_NONE;
	memstall_enter(yard);
	delay_begin(yard, YARD_DELAY_FREEPAGES);
	do {
		uint64_t start = now_ns(yard);
		bool progress = step(yard, node, local->owner, &local->reason);

		pay(yard, owner, task, start);
		local->stall_ns += time_since(now_ns(yard), start);
		if (!progress)
			break;
		pfn = walk_home(yard, ctx, flags, node);
		local->reason = YARD_LOCAL_BUDGET; // that is what ends it otherwise
	} while (pfn == PFN_NONE && --steps && may_step(yard, node, local->owner, task, &local->reason));
	delay_end(yard, YARD_DELAY_FREEPAGES);
	memstall_leave(yard);
	return pfn;
}

static bool may_block(const struct yard *yard, const struct alloc_context *ctx)
{
	return ctx->gfp & YARD_GFP_DIRECT_RECLAIM && !(ctx->task & (YARD_TASK_MEMALLOC | YARD_TASK_INTERRUPT))
	       && current_task(yard);
}

static void ask_for_pages(struct yard *yard, struct alloc_context *ctx, unsigned node) // L4, L9
{
	struct local_node *n = local_node(yard, node);

	if (local_free(yard, node) >= local_read(&n->wmark_low))
		return;
	local_wake(yard, node);
	if (ctx->order == YARD_PAGEBLOCK_ORDER && yard->owner.move
	    && !atomic_exchange_explicit(&n->compact_asked, true, memory_order_relaxed))
		wakeup_kcompactd(yard, node, ctx->order, ctx->highest_zone);
}

static uint32_t take_at_home(struct yard *yard, struct alloc_context *ctx, unsigned flags, unsigned node,
			     struct local_request *local)
{
	bool huge = ctx->order == YARD_PAGEBLOCK_ORDER;
	uint32_t pfn = walk_home(yard, ctx, flags, node);

	ask_for_pages(yard, ctx, node);
	if (pfn != PFN_NONE || huge)
		return pfn;
	local->reason = YARD_LOCAL_NONBLOCK;
	return may_block(yard, ctx) ? step_for_page(yard, ctx, flags, node, local) : PFN_NONE;
}

// ---- placement (L5) ----

// The home nodes that the request may use; 0: none, the policy does not apply (THISNODE elsewhere, no zone low enough).
static uint64_t home_of(struct yard *yard, const struct alloc_context *ctx, unsigned owner)
{
	uint64_t home = yard->local->owner[owner].config.home, nodes = ctx->nodemask ? ctx->nodemask : ~0ull;
	const uint8_t *first;

	if (ctx->cpuset && !(ctx->task & YARD_TASK_INTERRUPT)) // M13
		nodes &= ctx->cpuset;
	if (home)
		nodes &= home;
	if (!nodes)
		return 0;
	first = zonelist_first(yard, ctx->zonelist, ctx->highest_zone, nodes);
	if (*first == ZONE_MIXED)
		return 0;
	return home ? nodes : 1ull << zone_at(yard, *first)->node;
}

// Nothing can be done at home: the stock walk, which begins there, does all that is left, at no more than its own cost.
static bool stock_walk_does(struct yard *yard, const struct alloc_context *ctx, struct local_request *local)
{
	unsigned node;

	if (!local->home || local->confined)
		return false;
	node = zone_at(yard, *ctx->first)->node;
	if (local->home != 1ull << node || local_read(&local_node(yard, node)->wmark_low)
	    || atomic_load_explicit(&yard->nodes[node].kswapd_awake, memory_order_relaxed)) // T9.4 would skip it
		return false;
	return !steps_help(yard, node, local->owner, &local->reason);
}

// Each node that is asked, so that those behind a full one make room as well.
static void note_demand(struct yard *yard, const struct alloc_context *ctx, unsigned node, unsigned owner)
{
	local_add(&local_node(yard, node)->share[owner].allocated, 1ull << ctx->order);
	local_refresh(yard, node, now_ns(yard));
}

uint32_t local_reclaim_walk(struct yard *yard, struct alloc_context *ctx, unsigned flags, struct local_request *local)
{
	uint64_t nodemask = ctx->nodemask, home = home_of(yard, ctx, local->owner), left = home;
	const uint8_t *first = ctx->first;
	uint32_t pfn = PFN_NONE;

	local->home = home;
	local->confined = home && (yard->local->owner[local->owner].config.deny || ctx->order == YARD_PAGEBLOCK_ORDER);
	if (home)
		ctx->first = zonelist_first(yard, ctx->zonelist, ctx->highest_zone, home);
	if (stock_walk_does(yard, ctx, local)) {
		note_demand(yard, ctx, zone_at(yard, *ctx->first)->node, local->owner);
		return walk_zonelist(yard, ctx, flags);
	}
	for (const uint8_t *entry = ctx->first; left && pfn == PFN_NONE && *entry != ZONE_MIXED; entry++) {
		unsigned node = zone_at(yard, *entry)->node;

		if (!(left >> node & 1) || zone_at(yard, *entry)->type > ctx->highest_zone)
			continue;
		left &= ~(1ull << node);
		note_demand(yard, ctx, node, local->owner);
		pfn = take_at_home(yard, ctx, flags, node, local);
	}
	if (pfn != PFN_NONE || local->confined)
		return pfn;
	ctx->nodemask = nodemask; // L5 d
	ctx->first = first;
	return walk_zonelist(yard, ctx, flags);
}

static void note_stall(struct local_owner *owner, uint64_t ns)
{
	_Atomic uint64_t *longest = &owner->stall_max_ns;
	uint64_t most = local_read(longest);

	while (ns > most && !atomic_compare_exchange_weak_explicit(longest, &most, ns, memory_order_relaxed,
								   memory_order_relaxed))
		;
}

static void note_spill(struct yard *yard, const struct alloc_context *ctx, const struct local_request *local,
		       uint32_t pfn)
{
	unsigned home = zone_at(yard, *zonelist_first(yard, ctx->zonelist, ctx->highest_zone, local->home))->node;

	local_add(&yard->local->owner[local->owner].spilled[local->reason], 1ull << ctx->order);
	local_note_spill(yard, local->owner, home, pfn, ctx->order);
	WHY(yard, .kind = YARD_EVENT_WHY_LOCAL_SPILL, .pfn = pfn, .order = ctx->order, .zone = ctx->zone,
	    .a = (int32_t)local->owner + 1, .b = (int32_t)local->reason);
}

void local_reclaim_placed(struct yard *yard, const struct alloc_context *ctx, const struct local_request *local,
			  uint32_t pfn)
{
	struct local_owner *owner = &yard->local->owner[local->owner];

	note_stall(owner, local->stall_ns);
	if (pfn == PFN_NONE)
		local_add(&owner->failed, 1);
	else if (!local->home || local->home >> zone_of_block(yard, pfn)->node & 1)
		local_add(&owner->home, 1ull << ctx->order);
	else
		note_spill(yard, ctx, local, pfn);
}

bool local_owner_exists(const struct yard *yard, unsigned owner)
{
	return owner && owner <= yard->local->nr_owners;
}

uint64_t local_reclaim_homes(const struct yard *yard, const struct yard_request *request)
{
	uint64_t nodes = request->nodemask ? request->nodemask : ~0ull, with_memory = 0;

	if (request->part != YARD_REQUEST_WHOLE || !local_owner_exists(yard, request->local_reclaim))
		return 0;
	if (request->cpuset)
		nodes &= request->cpuset;
	for (unsigned node = 0; node < yard->nr_nodes; node++)
		with_memory |= (uint64_t)yard->nodes[node].has_memory << node;
	return yard->local->owner[request->local_reclaim - 1].config.home & nodes & with_memory;
}
