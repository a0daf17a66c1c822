// SPDX-License-Identifier: Apache-2.0
//
// What the OOM killer asks of the owner of pages (spec 02 OOM-2 to OOM-9). But for oom_reap(), all run with the
// engine's OOM lock held and must not sleep: they look, set flags and wake.

#include "sim/process_internal.h"

static uint64_t mapped_pages(const struct process *process)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < process->nr_mappings; i++)
		pages += process->mapping[i]->pages;
	return pages;
}

// OOM-7, M14: one of its threads may have memory of the nodes that lack it.
static bool eligible(const struct process *process, const struct yard_oom *oom)
{
	const struct process_thread *thread = process->first_thread;

	if (!thread)
		return true;
	for (; thread; thread = thread->next) {
		const struct placement *placement = thread->task ? &thread->task->placement : NULL;

		if (!placement)
			return true;
		if (yard_mempolicy_oom_candidate(placement->has_policy ? &placement->policy : NULL, oom->nodemask)
		    && (!oom->cpuset || !placement->cpuset || placement->cpuset & oom->cpuset))
			return true;
	}
	return false;
}

// The cursor is the process that was told last; processes come in the order of their creation.
static bool oom_next(void *context, uint64_t *cursor, const struct yard_oom *oom, struct yard_oom_task *task)
{
	const struct simulation *sim = context;
	const struct sim_task *current = task_current(sim);
	const struct process *process = (const struct process *)(uintptr_t)*cursor;

	process = process ? process->next : sim->processes->first;
	if (!process)
		return false;
	*cursor = (uintptr_t)process;
	*task = (struct yard_oom_task){
		.id = process->pid,
		.rss = process->resident,
		.swap = process->swapped,
		.pgtables = process->page_tables + (process->free ? 0 : EXEC_TABLES),
		.total_vm = mapped_pages(process),
		.oom_score_adj = process->oom_score_adj,
		.no_eligible_node = !eligible(process, oom),
		.reaped = process->reaped,
		.victim = process->oom_victim,
		.exiting = process->exiting,
		.current = current && current->process == process,
	};
	return true;
}

static void oom_kill(void *context, uint64_t id, const struct yard_oom *oom)
{
	struct simulation *sim = context;
	struct process *process = process_find(sim, (uint32_t)id);

	(void)oom;
	if (!process)
		return;
	process_record_kill(sim, process, "oom");
	process_kill(sim, process, true);
}

// By the reaper's task. Others may run while pages are dropped; who wants to unmap waits.
static bool oom_reap(void *context, uint64_t id)
{
	struct simulation *sim = context;
	struct process *process = process_find(sim, (uint32_t)id);

	if (!process)
		return true;
	if (process->reaping)
		return false;
	process->reaping = true;
	for (uint32_t i = process->nr_mappings; i-- > 0;) // OOM-9: from the top of the address space
		object_drop(sim, process->mapping[i], 0, process->mapping[i]->pages);
	process->reaping = false;
	wake_all(sim, &process->reaped_queue);
	return true;
}

static void oom_skip(void *context, uint64_t id)
{
	struct process *process = process_find(context, (uint32_t)id);

	if (process)
		process->reaped = true;
}

static void oom_panic(void *context, const struct yard_oom *oom)
{
	sim_fail(context, "Kernel panic: out of memory and no process left to kill (order %u, gfp_mask %#x)",
		 oom->order, oom->gfp);
}

void oom_owner_ops(struct yard_owner_ops *ops)
{
	ops->oom_next = oom_next;
	ops->oom_kill = oom_kill;
	ops->oom_reap = oom_reap;
	ops->oom_skip = oom_skip;
	ops->oom_panic = oom_panic;
}
