// SPDX-License-Identifier: Apache-2.0
//
// mbind() with MOVE or STRICT: which pages of a mapping lie elsewhere than its policy says, and their moves.

#include "sim/mbind.h"

#include <pageyard/migrate.h>

#include "sim/machine.h"
#include "sim/memory_internal.h"
#include "sim/scheduler.h"

enum { BATCH = 512 };

struct walk {
	struct memory_object *object;
	struct yard_mempolicy policy;
	unsigned cpu_node;
	uint64_t page; // the next
};

struct found { // a page that is in memory
	uint32_t pfn;	// of its first frame
	unsigned pages;
	int wanted; // node; -1: it may stay
};

static struct found look_at(const struct simulation *sim, const struct walk *walk, uint64_t page)
{
	const struct region *region = region_of(sim, walk->object, page);
	uint64_t entry = region_entry(region, page & (REGION_PAGES - 1));
	unsigned order = region->huge ? REGION_SHIFT : entry_order(entry);

	return (struct found){
		.pfn = region->huge ? region->huge - 1 : entry_head(entry),
		.pages = 1u << order,
		.wanted = yard_mempolicy_misplaced(sim->yard, &walk->policy, page >> order,
						   (unsigned)object_node_of(sim, walk->object, page), walk->cpu_node),
	};
}

// The next page from walk->page on that is not where it should be. False: there is none.
static bool next_misplaced(const struct simulation *sim, struct walk *walk, struct found *found)
{
	while (walk->page < walk->object->pages) {
		const struct region *region = region_of(sim, walk->object, walk->page);
		uint64_t page = walk->page;

		if (!region->huge && !region->used) {
			walk->page = (page | (REGION_PAGES - 1)) + 1;
			continue;
		}
		if (!region->huge && !entry_usable(region_entry(region, page & (REGION_PAGES - 1)))) {
			walk->page++;
			continue;
		}
		*found = look_at(sim, walk, page);
		walk->page += found->pages;
		if (found->wanted >= 0)
			return true;
	}
	return false;
}

static uint64_t count_misplaced(const struct simulation *sim, struct walk walk)
{
	struct found found;
	uint64_t pages = 0;

	for (walk.page = 0; next_misplaced(sim, &walk, &found);)
		pages += found.pages;
	return pages;
}

static uint64_t move_to(struct simulation *sim, struct walk walk, unsigned node)
{
	uint32_t pfns[BATCH];
	uint64_t moved = 0;
	unsigned nr;

	do {
		struct found found;

		for (nr = 0; nr < BATCH && next_misplaced(sim, &walk, &found);)
			if (found.wanted == (int)node)
				pfns[nr++] = found.pfn;
		sim->inside++;
		moved += yard_migrate_pages(sim->yard, pfns, nr, node);
		sim->inside--;
		sim_point(sim);
	} while (nr == BATCH && !task_stopped(task_current(sim)));
	return moved;
}

// The one that the mapping's pages will follow: the task's, if it gets none of its own, and that may be the default
// within the task's cpuset (M13).
static struct yard_mempolicy policy_of(const struct simulation *sim, const struct sim_task *task,
				       const struct placement *placement)
{
	const struct placement *from = placement->has_policy ? placement : &task->placement;
	struct yard_mempolicy standard = {.home = -1};

	if (from->has_policy)
		return from->policy;
	yard_mempolicy_set(sim->yard, &standard, YARD_MPOL_DEFAULT, 0, 0, from->cpuset); // there is nothing to refuse
	return standard;
}

bool mbind_pages(struct simulation *sim, struct memory_object *object, const struct placement *placement, unsigned flags,
		 struct mbind_result *result)
{
	struct sim_task *task = task_current(sim);
	struct walk walk = {.object = object, .policy = policy_of(sim, task, placement),
			    .cpu_node = scheduler_cpu_node(sim, task->cpu)};
	bool strict = flags & MBIND_STRICT && placement->has_policy;

	*result = (struct mbind_result){.moved = 0};
	sim_charge(sim, COST_SYSCALL, 1);
	if (flags & MBIND_MOVE) {
		mapping_set_placement(object, placement);
		for (unsigned node = 0; node < sim->machine->nr_nodes; node++)
			result->moved += move_to(sim, walk, node);
	}
	result->left = count_misplaced(sim, walk);
	if (strict && result->left)
		return false;
	mapping_set_placement(object, placement);
	return true;
}
