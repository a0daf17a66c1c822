// SPDX-License-Identifier: Apache-2.0
//
// fragment: a process that fills anonymous memory and gives a part of it back in small pieces all over it (spec 05 W3),
// so that free memory is in pieces of `unit` and movable blocks have holes. As a preparation it is ready then; it keeps
// the rest.
//
// pinned: pages among the others that no one can move, as those that a device reads and writes: allocated as movable,
// but on no LRU list. They stay in the blocks that compaction would like to empty.

#include "sim/workload.h"

struct fragment {
	struct workload_common common;
	struct config_amount memory;
	uint64_t unit, freed, of, pinned_ppm;
	bool random, shuffled;
};

static const struct config_word patterns[] = {{"stride", false}, {"random", true}, {0}};

#define AT(member) CONFIG_AT(struct fragment, member)

static const struct config_field fields[] = {
	{"memory", CONFIG_AMOUNT, AT(memory), .help = "size, or share of the machine's memory"},
	{"free", CONFIG_COUNT, AT(freed), .default_text = "1", .help = "units that are given back ..."},
	{"of", CONFIG_COUNT, AT(of), .default_text = "2", .min = 1, .help = "... of so many"},
	{"unit", CONFIG_PAGES, AT(unit), .default_text = "4KiB", .min = 1, .help = "a piece"},
	{"pattern", CONFIG_ENUM, AT(random), .default_text = "stride", .words = patterns,
	 .help = "stride: always the first ones; random: so many on average"},
	{"shuffled", CONFIG_BOOL, AT(shuffled), .default_text = "off",
	 .help = "given back in random order: whoever takes them next has pages all over memory, as after a long "
		 "uptime"},
	{"pinned", CONFIG_PERCENT, AT(pinned_ppm), .default_text = "0", .max = 500000,
	 .help = "pages that cannot be moved, as a share of the others, evenly spread"},
	{0},
};

enum { PPM = 1000000 };

struct pins {
	uint32_t *page;
	uint64_t nr;
};

// All pages of the mapping, with a pinned one after each so many.
static void fill(struct simulation *sim, struct sim_task *task, const struct fragment *p, struct memory_object *memory,
		 struct pins *pins)
{
	uint64_t distance = p->pinned_ppm ? PPM / p->pinned_ppm : memory->pages;

	for (uint64_t page = 0; page < memory->pages && !task_stopped(task); page += distance) {
		uint64_t left = memory->pages - page;
		uint32_t pfn;

		memory_touch_range(sim, memory, page, left < distance ? left : distance, true);
		if (!p->pinned_ppm || task_stopped(task))
			continue;
		pfn = sim_alloc(sim, REQUEST_ANON, YARD_GFP_HIGHUSER_MOVABLE, 0, -1);
		if (pfn != YARD_PFN_NONE)
			pins->page[pins->nr++] = pfn;
	}
}

// A permutation of 0 .. nr - 1. NULL: no memory.
static uint32_t *shuffled_units(struct simulation *sim, struct sim_task *task, uint64_t nr)
{
	uint32_t *unit = task_memory(sim, task, nr * sizeof(*unit));

	for (uint64_t i = 0; unit && i < nr; i++) {
		uint64_t other = random_below(&task->random, i + 1);

		unit[i] = unit[other];
		unit[other] = (uint32_t)i;
	}
	return unit;
}

static bool punch(struct simulation *sim, struct sim_task *task, const struct fragment *p, struct memory_object *memory)
{
	uint64_t nr = (memory->pages + p->unit - 1) / p->unit;
	uint32_t *unit = p->shuffled ? shuffled_units(sim, task, nr) : NULL;

	if (p->shuffled && !unit)
		return false;
	for (uint64_t i = 0; i < nr && !task_stopped(task); i++) {
		uint64_t at = unit ? unit[i] : i, page = at * p->unit;
		uint64_t end = page + p->unit < memory->pages ? page + p->unit : memory->pages;

		if (p->random ? random_chance(&task->random, p->freed, p->of) : at % p->of < p->freed)
			object_drop(sim, memory, page, end);
	}
	return true;
}

static void fragment(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct fragment *p = workload_parameters(instance);
	uint64_t pages = workload_pages(sim, p->memory);
	struct memory_object *memory = pages ? process_map(sim, task->process, pages, false) : NULL;
	struct pins pins = {task_memory(sim, task, (pages * p->pinned_ppm / PPM + 1) * sizeof(*pins.page)), 0};

	if (!memory || !pins.page)
		return;
	memory->huge = false; // MADV_NOHUGEPAGE: holes in huge pages would be none
	fill(sim, task, p, memory, &pins);
	if (!punch(sim, task, p, memory))
		return;
	*workload_figure(instance->workload, "pages kept", 0) += memory->resident + memory->swapped;
	*workload_figure(instance->workload, "pages pinned", 0) += pins.nr;
	workload_ready(sim, instance);
	while (workload_pause(sim, task, instance, NS_PER_S))
		;
	for (uint64_t i = 0; i < pins.nr; i++)
		sim_free(sim, pins.page[i], 0);
}

WORKLOAD_KIND(kind_fragment, "fragment", "fills memory and gives some of it back in small pieces", struct fragment,
	      fields, fragment);
