// SPDX-License-Identifier: Apache-2.0
//
// The current task: who works now, its delays (spec 02 DA-1), and PF_MEMALLOC while it reclaims or compacts.

#include "engine/mm.h"

struct yard_task *yard_set_current(struct yard *yard, struct yard_task *task)
{
	struct yard_task **slot = yard_host_current(&yard->host), *previous = *slot;

	*slot = task;
	return previous;
}

struct yard_task *yard_get_current(struct yard *yard)
{
	return current_task(yard);
}

unsigned memalloc_enter(struct yard *yard)
{
	struct yard_task *task = current_task(yard);

	return task ? atomic_fetch_or_explicit(&task->flags, YARD_TASK_MEMALLOC, memory_order_relaxed) : 0;
}

void memalloc_leave(struct yard *yard, unsigned before)
{
	struct yard_task *task = current_task(yard);

	if (task && !(before & YARD_TASK_MEMALLOC))
		atomic_fetch_and_explicit(&task->flags, ~(uint32_t)YARD_TASK_MEMALLOC, memory_order_relaxed);
}

void reclaimer_enter(struct yard *yard, struct reclaimer *reclaimer, uint32_t gfp, const char *site)
{
	*reclaimer = (struct reclaimer){ .without_task = !current_task(yard) };
	if (reclaimer->without_task)
		yard_set_current(yard, &reclaimer->nobody);
	// First: of who is PF_MEMALLOC already the checker says nothing.
	reclaimer->locked = site && lockcheck_reclaim_enter(yard, gfp, site);
	reclaimer->memalloc = memalloc_enter(yard);
}

void reclaimer_leave(struct yard *yard, const struct reclaimer *reclaimer)
{
	memalloc_leave(yard, reclaimer->memalloc);
	if (reclaimer->locked)
		lockcheck_reclaim_leave(yard);
	if (reclaimer->without_task)
		yard_set_current(yard, NULL);
}

void delay_begin(struct yard *yard, enum yard_delay_kind kind)
{
	struct yard_task *task = current_task(yard);

	if (task)
		task->delay_start[kind] = now_ns(yard);
}

static void count_delay(struct yard_delay *delay, uint64_t ns, uint64_t now)
{
	// A total of 0 with a count is one that overflowed once.
	bool overflowed = (delay->count && !delay->total_ns) || delay->total_ns + ns < ns;

	if (!delay->count++ || ns < delay->min_ns)
		delay->min_ns = ns;
	if (ns > delay->max_ns) {
		delay->max_ns = ns;
		delay->max_at_ns = now;
	}
	delay->total_ns = overflowed ? 0 : delay->total_ns + ns;
}

void delay_end(struct yard *yard, enum yard_delay_kind kind)
{
	struct yard_task *task = current_task(yard);
	uint64_t now, passed;

	if (!task)
		return;
	now = now_ns(yard);
	passed = time_since(now, task->delay_start[kind]);
	if (passed)
		count_delay(&task->delays[kind], passed, now);
}

bool yard_thrashing_begin(struct yard *yard)
{
	struct yard_task *task = current_task(yard);

	memstall_enter(yard);
	if (!task || task->thrashing)
		return false;
	task->thrashing = true;
	delay_begin(yard, YARD_DELAY_THRASHING);
	return true;
}

void yard_thrashing_end(struct yard *yard, bool outermost)
{
	struct yard_task *task = current_task(yard);

	if (task && outermost) {
		delay_end(yard, YARD_DELAY_THRASHING);
		task->thrashing = false;
	}
	memstall_leave(yard);
}
