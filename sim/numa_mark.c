// SPDX-License-Identifier: Apache-2.0
//
// NUMA balancing: which pages of a mapping a scan marks, and the list of those that are marked (spec 05 B6).

#include "sim/numa_balancing_internal.h"

#include <stdlib.h>

void numa_balancing_forget(struct memory_object *object)
{
	free(object->marks.page);
	object->marks = (struct numa_marks){.page = NULL};
}

// Accesses use marks up without looking for them here: what is not marked any more goes, and what is noted twice.
static void note_again(struct simulation *sim, const struct memory_object *object, struct numa_marks *marks)
{
	marks->nr = 0;
	for (uint64_t page = 0; page < object->pages; page++) {
		const struct region *region = region_of(sim, object, page);

		if (region->huge_hint || region_entry(region, page & (REGION_PAGES - 1)) & ENTRY_HINT)
			marks->page[marks->nr++] = (uint32_t)page;
		if (region->huge || !region->used)
			page |= REGION_PAGES - 1;
	}
}

// Before the page is marked: of which there are no more than of pages.
static void note_marked(struct simulation *sim, struct memory_object *object, uint64_t page)
{
	struct numa_marks *marks = &object->marks;

	if (marks->nr < marks->max) {
		marks->page[marks->nr++] = (uint32_t)page;
		return;
	}
	if (marks->max)
		note_again(sim, object, marks);
	if (marks->nr >= marks->max / 2) { // else it would soon be full again
		uint64_t max = marks->max ? 2 * marks->max : 1024;
		uint32_t *noted = realloc(marks->page, max * sizeof(*noted));

		if (!noted) {
			sim_fail(sim, "no memory for the marks of NUMA balancing");
			return;
		}
		marks->page = noted;
		marks->max = max;
	}
	marks->page[marks->nr++] = (uint32_t)page;
}

static bool make_numa(struct simulation *sim, struct region *region)
{
	if (!region->numa)
		region->numa = calloc(REGION_PAGES, sizeof(region->numa[0]));
	if (!region->numa)
		sim_fail(sim, "no memory for NUMA balancing");
	return region->numa;
}

// Others may use a file's pages from elsewhere.
static bool is_private(const struct process *process, const struct memory_object *object)
{
	return process->threads == 1 && object->kind == OBJECT_ANON;
}

// Whether a page on the node is to be marked; in slower memory the time is noted for B9.
static bool wants_mark(struct simulation *sim, bool private, unsigned node, unsigned cpu_node, uint32_t *note)
{
	const struct numa_balancing_settings *settings = &sim->balancing->settings;
	bool top = numa_is_top_tier(sim, node);

	if (private && node == cpu_node)
		return false;
	if (top && !(settings->mode & NUMA_BALANCING_NORMAL))
		return false;
	if (!top && settings->mode & NUMA_BALANCING_TIERING)
		*note = (uint32_t)(sim_now(sim) / NS_PER_MS);
	return true;
}

static unsigned mark_huge(struct simulation *sim, struct memory_object *object, uint64_t first, bool private,
			  unsigned cpu_node)
{
	struct region *region = region_of(sim, object, first);

	if (region->huge_hint || !make_numa(sim, region) || !numa_is_mapped(sim, region->huge - 1)
	    || !wants_mark(sim, private, node_of_frame(sim, region->huge - 1), cpu_node, &region->numa[0]))
		return 0;
	note_marked(sim, object, first);
	region->huge_hint = true;
	return 1;
}

static unsigned mark_pages(struct simulation *sim, struct memory_object *object, uint64_t first, bool private,
			   unsigned cpu_node)
{
	struct region *region = region_of(sim, object, first);
	unsigned marks = 0;

	if (!region->page_table || !region->used || !make_numa(sim, region))
		return 0;
	for (unsigned i = 0; i < region->length; i++) {
		uint64_t entry = region->entry[i];

		if (!entry_usable(entry) || entry & (ENTRY_HINT | ENTRY_DIRTY) || !numa_is_mapped(sim, entry_head(entry))
		    || !wants_mark(sim, private, node_of_frame(sim, entry_frame(entry)), cpu_node,
				   &region->numa[i - (entry_frame(entry) - entry_head(entry))]))
			continue;
		note_marked(sim, object, first + i);
		region->entry[i] = entry | ENTRY_HINT;
		marks++;
	}
	return marks;
}

unsigned numa_mark_region(struct simulation *sim, struct memory_object *object, uint64_t first,
			  const struct process *process, unsigned cpu_node)
{
	bool private = is_private(process, object);

	return region_of(sim, object, first)->huge ? mark_huge(sim, object, first, private, cpu_node)
						   : mark_pages(sim, object, first, private, cpu_node);
}
