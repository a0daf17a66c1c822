// SPDX-License-Identifier: Apache-2.0
//
// NUMA balancing: when a task scans its process, and which of its mappings (spec 05 B2 to B5, B7, B12).

#include "sim/numa_balancing_internal.h"
#include "sim/page_cache.h"

#include <stdlib.h>

enum {
	VIRTUAL_FACTOR = 8,    // B6: of the scan size
	OVERHEAD_FACTOR = 32,  // B6
	SCANS_A_SECOND = 10,   // B3: 2560 MiB a second
	WINDOW_S = 4,	       // B5
	NEW_MAPPING_MS = 1000, // B5
	SLOW_DOWN_SHARE = 7,   // B12, tenths
	PERIOD_SLOTS = 10,
};

// ---- life ----

bool numa_balancing_create(struct simulation *sim)
{
	const struct machine *machine = sim->machine;
	struct numa_balancing *balancing;

	if (!machine->numa_balancing.mode || machine->nr_nodes < 2) // B1
		return true;
	balancing = calloc(1, sizeof(*balancing));
	if (!balancing)
		return false;
	balancing->settings = machine->numa_balancing;
	for (unsigned node = 0; node < machine->nr_nodes; node++) {
		if (machine->node[node].cpus && machine->node[node].tier > balancing->top_tier)
			balancing->top_tier = machine->node[node].tier;
		balancing->node[node].threshold_ns = machine->numa_balancing.hot_threshold_ns;
	}
	sim->balancing = balancing;
	return true;
}

void numa_balancing_destroy(struct simulation *sim)
{
	free(sim->balancing);
	sim->balancing = NULL;
}

const struct numa_balancing_statistics *numa_balancing_statistics(const struct simulation *sim)
{
	return sim->balancing ? &sim->balancing->statistics : NULL;
}

// ---- periods (B3, B12) ----

void numa_periods(const struct simulation *sim, const struct process *process, uint64_t *min_ns, uint64_t *max_ns)
{
	const struct numa_balancing_settings *settings = &sim->balancing->settings;
	uint64_t windows = (process->resident + settings->scan_pages - 1) / settings->scan_pages;
	uint64_t least = NS_PER_S / (SCANS_A_SECOND * UINT64_C(65536) / settings->scan_pages ?: 1);

	windows = windows ? windows : 1;
	*min_ns = settings->period_min_ns / windows;
	*min_ns = *min_ns > least ? *min_ns : least;
	*max_ns = settings->period_max_ns / windows;
	*max_ns = *max_ns > *min_ns ? *max_ns : *min_ns;
}

static void adapt_period(const struct simulation *sim, struct sim_task *task)
{
	struct numa_task *numa = &task->numa;
	uint64_t min_ns, max_ns, private_share = 0, local_share = 0, slot = numa->period_ns / PERIOD_SLOTS;
	uint64_t all = (uint64_t)numa->private + numa->shared;

	if (numa->local + numa->shared == 0 || numa->failed) {
		numa->period_ns *= 2;
	} else {
		private_share = (uint64_t)numa->private * PERIOD_SLOTS / all;
		local_share = (uint64_t)numa->local * PERIOD_SLOTS / all;
		if (private_share >= SLOW_DOWN_SHARE || local_share >= SLOW_DOWN_SHARE) {
			uint64_t share = private_share >= SLOW_DOWN_SHARE ? private_share : local_share;

			share -= SLOW_DOWN_SHARE;
			numa->period_ns += slot * (share ? share : 1);
		} else {
			numa->period_ns -=
				slot * (SLOW_DOWN_SHARE - (private_share > local_share ? private_share : local_share));
		}
	}
	numa_periods(sim, task->process, &min_ns, &max_ns);
	max_ns = numa_group_period(task, max_ns);
	numa->period_ns = numa->period_ns < min_ns ? min_ns : numa->period_ns > max_ns ? max_ns : numa->period_ns;
	numa->local = numa->remote = numa->private = numa->shared = numa->failed = 0;
}

static void new_sequence(const struct simulation *sim, struct sim_task *task)
{
	struct numa_task *numa = &task->numa;

	if (numa->sequence == task->process->numa.sequence)
		return;
	numa->sequence = task->process->numa.sequence;
	if (numa->local + numa->remote)
		numa_end_sequence(sim, task);
	adapt_period(sim, task);
}

// ---- which mappings (B5, B7) ----

struct vma {
	struct memory_object *object;
	struct numa_mapping *numa;
	bool read_only_file;
};

static uint32_t count_vmas(const struct process *process)
{
	return process->nr_mappings + process->nr_file_mappings;
}

static struct vma vma_at(const struct process *process, uint32_t number)
{
	struct file_mapping *file;

	if (number < process->nr_mappings)
		return (struct vma){process->mapping[number], &process->mapping[number]->numa, false};
	file = &process->file_mapping[number - process->nr_mappings];
	return (struct vma){file->file->object, &file->numa, !file->writable};
}

struct numa_mapping *numa_mapping_of(const struct process *process, struct memory_object *object)
{
	if (object->kind == OBJECT_ANON)
		return &object->numa;
	for (uint32_t i = 0; process && i < process->nr_file_mappings; i++)
		if (process->file_mapping[i].file == object->file)
			return &process->file_mapping[i].numa;
	return NULL;
}

static bool may_balance(const struct vma *vma, const struct sim_task *task)
{
	const struct yard_mempolicy *policy = numa_policy(vma->object, task);

	return !vma->read_only_file
	       && (!policy || policy->mode == YARD_MPOL_DEFAULT || policy->flags & YARD_MPOL_NUMA_BALANCING);
}

static void turn_window(struct simulation *sim, struct numa_mapping *numa)
{
	if (sim_now(sim) - numa->window_ns < WINDOW_S * NS_PER_S)
		return;
	numa->window_ns = sim_now(sim);
	numa->accessed_by[1] = numa->accessed_by[0];
	numa->accessed_by[0] = 0;
}

static bool is_wanted(struct simulation *sim, const struct vma *vma, const struct sim_task *task)
{
	struct numa_mapping *numa = vma->numa;
	uint32_t sequence = task->process->numa.sequence;
	uint64_t me = UINT64_C(1) << task->task.pid % 64;

	if (!may_balance(vma, task))
		return false;
	if (!numa->seen_ns) {
		numa->seen_ns = sim_now(sim) + 1;
		numa->first = sequence;
		numa->window_ns = sim_now(sim);
	}
	if (numa->scanned == sequence + 1)
		return task->process->numa.page; // in progress
	if (sequence && sim_now(sim) + 1 - numa->seen_ns < NEW_MAPPING_MS * NS_PER_MS)
		return false;
	turn_window(sim, numa);
	return (numa->accessed_by[0] | numa->accessed_by[1]) & me || sequence - numa->first < 2
	       || sequence + 1 - numa->scanned > task->process->threads;
}

// ---- the scan ----

struct scan {
	uint64_t pages, address_space; // left of the budgets
	unsigned cpu_node;
};

// A part of the mapping from the scan's page on, which ends with a region. Returns the marks.
static uint64_t scan_part(struct simulation *sim, struct memory_object *object, struct process *process, uint64_t end,
			  unsigned cpu_node)
{
	struct numa_scan *at = &process->numa;
	uint64_t marks = 0;

	for (; at->page < end; at->page += REGION_PAGES)
		marks += numa_mark_region(sim, object, at->page, process, cpu_node);
	sim_charge(sim, COST_HINT_MARK, marks);
	sim_charge(sim, COST_TLB_FLUSH, marks > 0);
	sim->balancing->statistics.pte_updates += marks;
	return marks;
}

// The mapping from the scan's page on, in parts as large as what is left of the budget. False: a budget is used up.
static bool scan_mapping(struct simulation *sim, struct memory_object *object, struct process *process,
			 struct scan *scan)
{
	struct numa_scan *at = &process->numa;

	while (at->page < object->pages) {
		uint64_t end = (at->page + scan->pages + REGION_PAGES - 1) & ~(uint64_t)(REGION_PAGES - 1), pages;

		if (!scan->pages || !scan->address_space || sim->error[0])
			return false;
		end = end < object->pages ? end : object->pages;
		pages = end - at->page;
		if (scan_part(sim, object, process, end, scan->cpu_node))
			scan->pages -= pages < scan->pages ? pages : scan->pages;
		scan->address_space -= pages < scan->address_space ? pages : scan->address_space;
	}
	at->page = 0;
	return true;
}

// B5. False: a budget is used up; the mapping is in progress.
static bool force_scan(struct simulation *sim, struct process *process, uint32_t mapping, struct scan *scan)
{
	struct numa_scan *at = &process->numa;
	struct vma vma = vma_at(process, mapping);

	at->mapping = mapping;
	at->page = 0;
	vma.numa->scanned = at->sequence + 1;
	return scan_mapping(sim, vma.object, process, scan);
}

static void scan_process(struct simulation *sim, struct sim_task *task)
{
	struct process *process = task->process;
	struct numa_scan *at = &process->numa;
	struct scan scan = {
		.pages = sim->balancing->settings.scan_pages,
		.address_space = VIRTUAL_FACTOR * sim->balancing->settings.scan_pages,
		.cpu_node = scheduler_cpu_node(sim, task->cpu),
	};
	uint32_t skipped = UINT32_MAX;
	bool found = false;

	for (; at->mapping < count_vmas(process); at->mapping++) {
		struct vma vma = vma_at(process, at->mapping);

		if (!is_wanted(sim, &vma, task)) {
			if (skipped == UINT32_MAX && may_balance(&vma, task) && vma.numa->scanned != at->sequence + 1)
				skipped = at->mapping;
			at->page = 0;
			continue;
		}
		if (!scan.pages || !scan.address_space)
			return;
		found = true;
		vma.numa->scanned = at->sequence + 1;
		if (!scan_mapping(sim, vma.object, process, &scan))
			return;
	}
	if (!found && skipped != UINT32_MAX && !force_scan(sim, process, skipped, &scan))
		return;
	at->mapping = 0;
	at->page = 0;
	at->sequence++;
}

void numa_balancing_mapped(struct process *process)
{
	if (process->nr_file_mappings && process->numa.mapping >= process->nr_mappings - 1)
		process->numa.mapping++;
}

void numa_balancing_unmapped(struct process *process, uint32_t mapping)
{
	struct numa_scan *at = &process->numa;

	if (mapping == at->mapping)
		at->page = 0;
	at->mapping -= mapping < at->mapping;
}

static bool one_node_only(uint64_t cpuset) // B4
{
	return cpuset && !(cpuset & (cpuset - 1));
}

void numa_balancing_tick(struct simulation *sim)
{
	struct sim_task *task = task_current(sim);
	uint64_t cpu_ns, start, max_ns;

	if (!task || !task->process || one_node_only(task->placement.cpuset))
		return;
	if (!task->process->numa.next_ns)
		task->process->numa.next_ns = sim_now(sim) + sim->balancing->settings.scan_delay_ns;
	if (!task->numa.period_ns && sim_now(sim) < task->process->numa.next_ns)
		return;
	cpu_ns = task_cpu_ns(sim, task);
	if (!task->numa.period_ns) {
		numa_periods(sim, task->process, &task->numa.period_ns, &max_ns);
		task->numa.period_ns = numa_group_period(task, task->numa.period_ns);
		task->numa.sequence = task->process->numa.sequence;
	}
	if (cpu_ns < task->numa.stamp_ns + task->numa.period_ns)
		return;
	new_sequence(sim, task);
	task->numa.stamp_ns += task->numa.period_ns;
	if (sim_now(sim) < task->process->numa.next_ns)
		return;
	task->process->numa.next_ns = sim_now(sim) + task->numa.period_ns;
	start = sim_now(sim);
	scan_process(sim, task);
	task->numa.stamp_ns += OVERHEAD_FACTOR * (sim_now(sim) - start);
}
