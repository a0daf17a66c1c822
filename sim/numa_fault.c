// SPDX-License-Identifier: Apache-2.0
//
// NUMA balancing: hinting faults, and whether the page moves (spec 05 B7 to B11).

#include "sim/numa_balancing_internal.h"

#include <pageyard/migrate.h>

enum {
	ADJUST_S = 60,	     // B10
	THRESHOLD_STEPS = 8, // an eighth of the default
	EARLY_SEQUENCES = 4, // B8
};

__extension__ typedef unsigned __int128 wide;

struct hint { // one fault
	struct memory_object *object;
	uint64_t page;
	uint32_t pfn, pages;
	uint32_t *note; // last accessor, or the time of the mark (B6)
	unsigned node, cpu_node;
	bool local;
};

const struct yard_mempolicy *numa_policy(const struct memory_object *object, const struct sim_task *task)
{
	if (object->placement.has_policy)
		return &object->placement.policy;
	return task->placement.has_policy ? &task->placement.policy : NULL;
}

// ---- B8 ----

static uint32_t note_of(const struct sim_task *task)
{
	return NOTE_VALID | (uint32_t)task->cpu << PID_BITS | (task->task.pid & ((1u << PID_BITS) - 1));
}

// Of a page that was marked in slower memory the note is a time: nobody's.
static uint32_t last_accessor(uint32_t note)
{
	return note & NOTE_VALID ? note : 0;
}

static bool allow_normal(struct simulation *sim, const struct sim_task *task, const struct hint *hint, uint32_t last,
			 unsigned target)
{
	const struct numa_group *group = task->numa.group;

	if (!numa_is_top_tier(sim, hint->node) && !last && !(sim->balancing->settings.mode & NUMA_BALANCING_TIERING))
		return false;
	if ((!task->numa.preferred_node || task->process->numa.sequence <= EARLY_SEQUENCES)
	    && (!last || numa_note_is_of(last, task)))
		return true;
	if (last && scheduler_cpu_node(sim, numa_note_cpu(last)) != target)
		return false;
	return (last && numa_note_is_of(last, task)) || !group || numa_group_allows(group, hint->node, target);
}

// ---- B9, B10 ----

static void adjust_threshold(struct simulation *sim, struct numa_node *node)
{
	const struct numa_balancing_settings *settings = &sim->balancing->settings;
	uint64_t step = settings->hot_threshold_ns / THRESHOLD_STEPS, expected = settings->promote_rate_limit * ADJUST_S;

	if (sim_now(sim) - node->adjust_ns < ADJUST_S * NS_PER_S)
		return;
	if (node->adjust_candidates > expected * 110 / 100)
		node->threshold_ns -= node->threshold_ns > step ? step : 0;
	else if (node->adjust_candidates < expected * 90 / 100)
		node->threshold_ns += node->threshold_ns < 2 * settings->hot_threshold_ns ? step : 0;
	node->adjust_ns = sim_now(sim);
	node->adjust_candidates = 0;
}

static bool below_rate_limit(struct simulation *sim, struct numa_node *node, uint32_t pages)
{
	uint64_t second = sim_now(sim) / NS_PER_S;

	sim->balancing->statistics.candidates += pages;
	node->adjust_candidates += pages;
	if (second != node->second) {
		node->second = second;
		node->second_candidates = 0;
	}
	node->second_candidates += pages;
	return node->second_candidates <= sim->balancing->settings.promote_rate_limit;
}

static bool allow_promotion(struct simulation *sim, const struct hint *hint, uint32_t marked_ms, unsigned target)
{
	struct numa_node *node = &sim->balancing->node[target];
	uint64_t latency_ns = (uint64_t)((uint32_t)(sim_now(sim) / NS_PER_MS) - marked_ms) * NS_PER_MS;

	if (yard_promotion_has_room(sim->yard, target)) {
		node->threshold_ns = sim->balancing->settings.hot_threshold_ns;
		return true;
	}
	adjust_threshold(sim, node);
	if (marked_ms & NOTE_VALID) // it was marked in faster memory
		return false;
	return latency_ns < node->threshold_ns && below_rate_limit(sim, node, hint->pages);
}

// ---- the fault ----

// Clears the mark. False: there is none, or not any more: the page table has lost the page since.
static bool take_mark(struct simulation *sim, struct hint *hint)
{
	struct region *region = region_of(sim, hint->object, hint->page);
	unsigned offset = hint->page & (REGION_PAGES - 1);
	uint64_t entry = region_entry(region, offset);

	if (region->huge && region->huge_hint) {
		region->huge_hint = false;
		hint->pfn = region->huge - 1;
		hint->pages = REGION_PAGES;
		hint->note = &region->numa[0];
	} else if (!region->huge && entry & ENTRY_HINT && entry_usable(entry)) {
		region->entry[offset] = entry & ~(uint64_t)ENTRY_HINT;
		hint->pfn = entry_head(entry); // of a large folio all goes
		hint->pages = 1u << entry_order(entry);
		hint->note = &region->numa[offset - (entry_frame(entry) - hint->pfn)];
	} else {
		return false;
	}
	hint->node = node_of_frame(sim, hint->pfn);
	return numa_is_mapped(sim, hint->pfn);
}

// B7, B12: local is what was on the CPU's node when the fault came; the fault is one of the node where the page is now.
static void count_fault(struct simulation *sim, struct sim_task *task, const struct hint *hint, bool private)
{
	struct numa_task *numa = &task->numa;

	numa->local += hint->local;
	numa->remote += !hint->local;
	numa->private += private;
	numa->shared += !private;
	numa_count_fault(sim, task, hint->node, hint->pages, private);
}

static bool may_have(const struct sim_task *task, unsigned node) // M13
{
	return !task->placement.cpuset || task->placement.cpuset >> node & 1;
}

static void try_to_move(struct simulation *sim, struct sim_task *task, struct hint *hint, unsigned target)
{
	struct numa_balancing_statistics *statistics = &sim->balancing->statistics;
	bool promotion = !numa_is_top_tier(sim, hint->node) && numa_is_top_tier(sim, target);

	sim->inside++;
	if (may_have(task, target) && yard_migrate_misplaced(sim->yard, hint->pfn, target) == YARD_OK) {
		statistics->pages_migrated += hint->pages;
		statistics->promoted += promotion ? hint->pages : 0;
		hint->node = target;
	} else {
		statistics->migrate_failed++;
		task->numa.failed++;
	}
	sim->inside--;
}

static void note_access(const struct sim_task *task, struct memory_object *object) // B5
{
	struct numa_mapping *mapping = numa_mapping_of(task->process, object);

	if (mapping)
		mapping->accessed_by[0] |= UINT64_C(1) << task->task.pid % 64;
}

void numa_hinting_fault(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	struct sim_task *task = task_current(sim);
	struct hint hint = {.object = object, .page = page};
	uint32_t last;
	bool tiering, private;
	int target;

	if (!task || !task->process || !take_mark(sim, &hint))
		return;
	hint.cpu_node = scheduler_cpu_node(sim, task->cpu);
	hint.local = hint.node == hint.cpu_node;
	sim_charge(sim, COST_HINT_FAULT, 1);
	sim->balancing->statistics.hint_faults++;
	sim->balancing->statistics.hint_faults_local += hint.local;
	note_access(task, object);
	tiering = sim->balancing->settings.mode & NUMA_BALANCING_TIERING && !numa_is_top_tier(sim, hint.node);
	last = tiering ? *hint.note : last_accessor(*hint.note);
	private = tiering || !last || numa_note_is_of(last, task);
	*hint.note = tiering ? 0 : note_of(task);
	target = yard_mempolicy_misplaced(sim->yard, numa_policy(object, task), YARD_NO_INDEX, hint.node, hint.cpu_node);
	if (target >= 0
	    && (tiering ? allow_promotion(sim, &hint, last, (unsigned)target)
			: allow_normal(sim, task, &hint, last, (unsigned)target)))
		try_to_move(sim, task, &hint, (unsigned)target);
	count_fault(sim, task, &hint, private);
	if (!private)
		numa_group_meet(sim, task, last, object->kind == OBJECT_FILE);
	numa_follow_memory(sim, task);
}

void numa_balancing_accessed(struct simulation *sim, struct memory_object *object, uint64_t accesses)
{
	struct numa_marks *marks = &object->marks;
	struct sim_task *task = task_current(sim);
	uint64_t hits, rest;

	numa_balancing_tick(sim);
	if (!marks->nr || !object->resident)
		return;
	hits = (uint64_t)((wide)accesses * marks->nr / object->resident);
	rest = (uint64_t)((wide)accesses * marks->nr % object->resident);
	hits += random_below(&task->random, object->resident) < rest;
	while (hits-- && marks->nr && !task_stopped(task)) {
		uint64_t index = random_below(&task->random, marks->nr);
		uint32_t page = marks->page[index];

		marks->page[index] = marks->page[--marks->nr];
		numa_hinting_fault(sim, object, page);
		sim_point(sim);
	}
}
