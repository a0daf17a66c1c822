// SPDX-License-Identifier: Apache-2.0
//
// Out of memory (spec 02 section 2.7): the last attempt before the killer, whom it chooses, and the reaper that takes
// the victim's memory when it does not give it back by itself.

#include "engine/slowpath.h"

// ---- the choice of a victim ----

static bool killer_enabled(const struct yard *yard) // OOM-1
{
	return yard->owner.oom_next && yard->owner.oom_kill;
}

static uint64_t memory_nodes(const struct yard *yard)
{
	uint64_t nodes = 0;

	for (unsigned node = 0; node < yard->nr_nodes; node++)
		if (yard->nodes[node].has_memory)
			nodes |= 1ull << node;
	return nodes;
}

static bool cpuset_constrains(const struct yard *yard, const struct alloc_context *ctx)
{
	for (const uint8_t *entry = ctx->zonelist; *entry != ZONE_MIXED; entry++) {
		const struct zone *zone = zone_at(yard, *entry);

		if (zone_eligible(zone, ctx->highest_zone, ctx->nodemask)
		    && !zone_cpuset_allowed(ctx, zone, ALLOC_CPUSET))
			return true;
	}
	return false;
}

static enum yard_oom_constraint constraint_of(const struct yard *yard, const struct alloc_context *ctx)
{
	if (ctx->gfp & YARD_GFP_THISNODE)
		return YARD_OOM_ANYWHERE;
	if (ctx->nodemask && memory_nodes(yard) & ~ctx->nodemask)
		return YARD_OOM_MEMORY_POLICY;
	return cpuset_constrains(yard, ctx) ? YARD_OOM_CPUSET : YARD_OOM_ANYWHERE;
}

static void describe(const struct yard *yard, const struct alloc_context *ctx, struct yard_oom *oom) // OOM-5
{
	enum yard_oom_constraint constraint = constraint_of(yard, ctx);
	uint64_t nodes;

	*oom = (struct yard_oom){
		.gfp = ctx->gfp, .order = ctx->order, .constraint = (uint8_t)constraint,
		.nodemask = constraint == YARD_OOM_MEMORY_POLICY ? ctx->nodemask : 0,
		.cpuset = constraint == YARD_OOM_CPUSET ? ctx->cpuset : 0,
		.total_pages = yard->total_swap_pages,
	};
	nodes = oom->nodemask | oom->cpuset;
	for (unsigned id = 0; id < yard->nr_zones; id++) {
		const struct zone *zone = zone_at(yard, id);

		if (!nodes || nodes >> zone->node & 1)
			oom->total_pages += zone->managed;
	}
}

enum { ADJ_NEVER = -1000 };

static int64_t badness(const struct yard_oom_task *task, const struct yard_oom *oom) // OOM-7
{
	return (int64_t)(task->rss + task->swap + task->pgtables)
	       + (int64_t)task->oom_score_adj * (int64_t)oom->total_pages / 1000;
}

static bool excluded(const struct yard_oom_task *task)
{
	return task->vfork_child || task->oom_score_adj == ADJ_NEVER;
}

static bool may_kill(const struct yard_oom_task *task)
{
	return !task->unkillable && !task->no_eligible_node && !task->reaped && !excluded(task);
}

static bool next_task(struct yard *yard, uint64_t *cursor, const struct yard_oom *oom, struct yard_oom_task *task)
{
	*task = (struct yard_oom_task){ 0 };
	return yard->owner.oom_next(yard->owner.context, cursor, oom, task);
}

static bool find_current(struct yard *yard, const struct yard_oom *oom, struct yard_oom_task *task)
{
	uint64_t cursor = 0;

	while (next_task(yard, &cursor, oom, task))
		if (task->current)
			return true;
	return false;
}

enum choice { CHOSE_NOBODY, CHOSE_TASK, CHOICE_WAITS }; // WAITS: a victim is dying already

static enum choice choose(struct yard *yard, const struct yard_oom *oom, struct yard_oom_task *chosen) // OOM-7
{
	enum choice choice = CHOSE_NOBODY;
	struct yard_oom_task task;
	int64_t most = 0;
	uint64_t cursor = 0;

	while (next_task(yard, &cursor, oom, &task)) {
		int64_t points;

		if (task.unkillable || task.no_eligible_node || task.reaped)
			continue;
		if (task.victim)
			return CHOICE_WAITS;
		if (!task.origin && excluded(&task))
			continue;
		points = task.origin ? INT64_MAX : badness(&task, oom);
		if (choice == CHOSE_TASK && points < most)
			continue;
		choice = CHOSE_TASK;
		most = points;
		*chosen = task;
	}
	return choice;
}

// ---- the victim ----

enum { REAP_AFTER_MS = 2000, REAP_AGAIN_MS = 100, REAP_TRIES = 10 };

// OOM-9. oom_lock held. One victim at a time: another one, which was dying by itself (OOM-3), needs no reaper.
static void queue_reaper(struct yard *yard, uint64_t id)
{
	if (atomic_load_explicit(&yard->oom_victim, memory_order_acquire))
		return;
	yard->oom_reap_at = now_ns(yard) + (uint64_t)REAP_AFTER_MS * NSEC_PER_MSEC;
	yard->oom_reap_tries = 0;
	atomic_store_explicit(&yard->oom_victim, id + 1, memory_order_release);
	yard_host_wake(&yard->host, queue_of(0, YARD_QUEUE_OOM));
}

enum { PAGE_KB = 4 };

static void mark_victim(struct yard *yard, const struct yard_oom_task *task)
{
	uint64_t shared = task->file_rss + task->shmem_rss, anon = task->rss > shared ? task->rss - shared : 0;

	if (task->current && current_task(yard))
		atomic_fetch_or_explicit(&current_task(yard)->flags, YARD_TASK_OOM_VICTIM, memory_order_relaxed);
	TRACE(yard, MARK_VICTIM, (int64_t)task->id, (int64_t)(task->total_vm * PAGE_KB), (int64_t)(anon * PAGE_KB),
	      (int64_t)(task->file_rss * PAGE_KB), (int64_t)(task->shmem_rss * PAGE_KB), task->uid,
	      (int64_t)(task->pgtables * PAGE_KB), task->oom_score_adj);
	queue_reaper(yard, task->id);
}

static void kill_victim(struct yard *yard, const struct yard_oom_task *task, const struct yard_oom *oom) // OOM-8
{
	count_vm_event(yard, YARD_VM_OOM_KILL, 1);
	yard->owner.oom_kill(yard->owner.context, task->id, oom);
	mark_victim(yard, task);
}

static void report_panic(struct yard *yard, const struct yard_oom *oom)
{
	if (yard->owner.oom_panic)
		yard->owner.oom_panic(yard->owner.context, oom);
}

// OOM-3: it will free its memory if it is let go on, wherever that is: its eligible nodes do not matter.
static bool dies_anyway(const struct yard *yard, const struct yard_oom_task *task)
{
	return !task->reaped && (task->exiting || fatal_signal(yard)) && !(task_flags(yard) & YARD_TASK_COREDUMP);
}

bool out_of_memory(struct yard *yard, const struct alloc_context *ctx)
{
	struct yard_oom_task task;
	struct yard_oom oom;
	bool has_current;

	if (!killer_enabled(yard))
		return false;
	if (yard->owner.oom_notify && yard->owner.oom_notify(yard->owner.context)) // OOM-2
		return true;
	describe(yard, ctx, &oom);
	has_current = find_current(yard, &oom, &task);
	if (has_current && dies_anyway(yard, &task)) {
		if (!(task_flags(yard) & YARD_TASK_OOM_VICTIM)) // once
			mark_victim(yard, &task);
		return true;
	}
	if (!(ctx->gfp & YARD_GFP_FS)) // OOM-4
		return true;
	if (yard->panic_on_oom == 2 || (yard->panic_on_oom && oom.constraint == YARD_OOM_ANYWHERE)) {
		report_panic(yard, &oom);
		return false;
	}
	if (has_current && yard->oom_kill_allocating_task && may_kill(&task)) { // OOM-6
		kill_victim(yard, &task, &oom);
		return true;
	}
	switch (choose(yard, &oom, &task)) {
	case CHOSE_TASK:
		kill_victim(yard, &task, &oom);
		return true;
	case CHOICE_WAITS:
		return true;
	default:
		report_panic(yard, &oom);
		return false;
	}
}

// ---- the slow path's part ----

static void last_attempt(struct slowpath *s) // SP-57
{
	struct alloc_context *ctx = s->ctx;
	uint32_t gfp = ctx->gfp;

	ctx->gfp = (gfp | YARD_GFP_HARDWALL) & ~(uint32_t)YARD_GFP_DIRECT_RECLAIM;
	slow_attempt(s, ALLOC_WMARK_HIGH | ALLOC_CPUSET);
	ctx->gfp = gfp;
}

static bool spares_others(const struct slowpath *s) // SP-58
{
	const struct alloc_context *ctx = s->ctx;

	if (slow_task_flags(s) & YARD_TASK_COREDUMP || ctx->order > YARD_COSTLY_ORDER)
		return true;
	if (ctx->gfp & (YARD_GFP_RETRY_MAYFAIL | YARD_GFP_THISNODE) || ctx->highest_zone < YARD_ZONE_NORMAL)
		return true;
	return s->yard->gfp_forbidden & (YARD_GFP_IO | YARD_GFP_FS); // storage is suspended
}

static void kill_for(struct slowpath *s) // SP-59
{
	bool nofail = s->ctx->gfp & YARD_GFP_NOFAIL, killed;
	unsigned memalloc = memalloc_enter(s->yard); // what the owner allocates must not come here: oom_lock is held

	killed = out_of_memory(s->yard, s->ctx);
	memalloc_leave(s->yard, memalloc);
	if (!killed && !nofail)
		return;
	s->progress = 1;
	if (nofail && !slow_attempt(s, ALLOC_NO_WATERMARKS | ALLOC_CPUSET))
		slow_attempt(s, ALLOC_NO_WATERMARKS);
}

void oom_attempt(struct slowpath *s)
{
	struct yard *yard = s->yard;

	if (!yard_spin_trylock(&yard->oom_lock)) { // SP-55: somebody else is killing
		s->progress = 1;
		yard_host_wait(&yard->host, queue_of(0, YARD_QUEUE_OOM), jiffy_ns(yard));
		return;
	}
	s->progress = 0;
	last_attempt(s);
	if (s->pfn == PFN_NONE && !spares_others(s))
		kill_for(s);
	yard_spin_unlock(&yard->oom_lock);
}

// ---- the reaper (OOM-9) ----

static void sleep_until(struct yard_wait *wait, uint64_t ns)
{
	*wait = (struct yard_wait){ YARD_WAIT_QUEUE, queue_of(0, YARD_QUEUE_OOM), ns };
}

// True: the reaper has no more to do with the victim.
static bool reap(struct yard *yard, uint64_t id)
{
	const struct yard_owner_ops *owner = &yard->owner;
	unsigned before = memalloc_enter(yard);
	bool done;

	if (!yard->oom_reap_tries)
		TRACE(yard, WAKE_REAPER, (int64_t)id);
	TRACE(yard, START_TASK_REAPING, (int64_t)id);
	done = owner->oom_reap && owner->oom_reap(owner->context, id);
	memalloc_leave(yard, before);
	if (done)
		TRACE(yard, FINISH_TASK_REAPING, (int64_t)id);
	else
		TRACE(yard, SKIP_TASK_REAPING, (int64_t)id);
	return done || ++yard->oom_reap_tries >= REAP_TRIES;
}

void yard_oom_reaper_step(struct yard *yard, bool woken, struct yard_wait *wait)
{
	uint64_t victim = atomic_load_explicit(&yard->oom_victim, memory_order_acquire), now;

	(void)woken; // the clock tells whether it is time
	if (!victim) {
		sleep_until(wait, UINT64_MAX);
		return;
	}
	now = now_ns(yard);
	if (now < yard->oom_reap_at) {
		sleep_until(wait, yard->oom_reap_at - now);
		return;
	}
	*wait = (struct yard_wait){ .kind = YARD_WAIT_NONE };
	if (!reap(yard, victim - 1)) {
		yard->oom_reap_at = now_ns(yard) + (uint64_t)REAP_AGAIN_MS * NSEC_PER_MSEC;
		return;
	}
	if (yard->owner.oom_skip)
		yard->owner.oom_skip(yard->owner.context, victim - 1);
	// Release: the next victim's times are stored after the last look at this one's.
	atomic_store_explicit(&yard->oom_victim, 0, memory_order_release);
}
