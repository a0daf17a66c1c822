// SPDX-License-Identifier: Apache-2.0
//
// memory-hog: takes memory until there is none: anonymous pages, until it is killed; or pages of the kernel, as a
// module would (unmovable, nobody's), until somebody has been killed for them or a request fails; these it gives back
// then, and after a while it begins again.

#include <pageyard/stat.h>

#include "sim/workload.h"

struct memory_hog {
	struct workload_common common;
	struct config_amount limit;
	uint64_t rounds, every_ns, step;
	struct config_rate rate;
	bool unmovable;
};

static const struct config_word types[] = {{"anonymous", false}, {"unmovable", true}, {0}};

#define AT(member) CONFIG_AT(struct memory_hog, member)

static const struct config_field fields[] = {
	{"type", CONFIG_ENUM, AT(unmovable), .default_text = "anonymous", .words = types, .help = "what it takes"},
	{"limit", CONFIG_AMOUNT, AT(limit), .default_text = "400%", .help = "size, or share of the machine's memory"},
	{"step", CONFIG_PAGES, AT(step), .default_text = "1MiB", .min = 1, .help = "taken at one time"},
	{"rate", CONFIG_RATE, AT(rate), .default_text = "0/s", .help = "of steps; 0: one after the other"},
	{"rounds", CONFIG_COUNT, AT(rounds), .default_text = "1", .min = 1, .help = "times, unless it is killed"},
	{"every", CONFIG_TIME, AT(every_ns), .default_text = "1s", .help = "sleep between rounds"},
	{0},
};

enum { PAGES_PER_CHUNK = 65536 };

struct chunk {
	struct chunk *next;
	uint32_t nr, page[PAGES_PER_CHUNK];
};

struct hog {
	struct workload_instance *instance;
	const struct memory_hog *p;
	struct chunk *first, *last; // chunks behind `last` are empty
	uint64_t pages, kills; // that it has; that there were when the round began
	struct workload_pace pace;
};

#define MODULE_GFP (YARD_GFP_KERNEL | YARD_GFP_HIGHMEM | YARD_GFP_ZERO)

// ---- pages of the kernel ----

static bool keep(struct simulation *sim, struct sim_task *task, struct hog *hog, uint32_t pfn)
{
	struct chunk *chunk = hog->last;

	if (!chunk || chunk->nr == PAGES_PER_CHUNK) {
		chunk = chunk ? chunk->next : hog->first;
		if (!chunk) {
			chunk = task_memory(sim, task, sizeof(*chunk));
			if (!chunk)
				return false;
			if (hog->last)
				hog->last->next = chunk;
			else
				hog->first = chunk;
		}
		hog->last = chunk;
	}
	chunk->page[chunk->nr++] = pfn;
	hog->pages++;
	return true;
}

static void give_back(struct simulation *sim, struct hog *hog)
{
	for (struct chunk *chunk = hog->first; chunk; chunk = chunk->next) {
		for (uint32_t i = 0; i < chunk->nr; i++) {
			sim_free(sim, chunk->page[i], 0);
			sim_point(sim);
		}
		chunk->nr = 0;
	}
	hog->last = NULL;
	hog->pages = 0;
}

static bool killed_somebody(const struct simulation *sim, const struct hog *hog)
{
	return yard_get_vm_event(sim->yard, YARD_VM_OOM_KILL) != hog->kills;
}

// False: somebody has been killed, or there is no memory.
static bool take_unmovable(struct simulation *sim, struct sim_task *task, struct hog *hog, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++) {
		uint32_t pfn = sim_alloc(sim, REQUEST_MODULE, MODULE_GFP, 0, -1);

		if (pfn == YARD_PFN_NONE) {
			++*workload_figure(hog->instance->workload, "failed", 0);
			return false;
		}
		sim_charge(sim, COST_ZERO_PAGE, 1);
		if (!keep(sim, task, hog, pfn))
			return false;
		if (killed_somebody(sim, hog)) {
			++*workload_figure(hog->instance->workload, "rounds with a kill", 0);
			return false;
		}
		sim_point(sim);
	}
	return !workload_over(hog->instance, task);
}

// ---- a round ----

static void run_round(struct simulation *sim, struct sim_task *task, struct hog *hog, struct memory_object *memory)
{
	const struct memory_hog *p = hog->p;
	uint64_t limit = workload_pages(sim, p->limit), *most;
	bool on = true;

	hog->kills = yard_get_vm_event(sim->yard, YARD_VM_OOM_KILL);
	while (on && hog->pages < limit) {
		uint64_t pages = limit - hog->pages < p->step ? limit - hog->pages : p->step;

		if (memory) {
			uint64_t done = memory_touch_range(sim, memory, hog->pages, pages, true);

			hog->pages += done;
			on = done == pages;
		} else {
			on = take_unmovable(sim, task, hog, pages);
		}
		most = workload_figure(hog->instance->workload, "most pages", 0);
		if (hog->pages > *most)
			*most = hog->pages;
		on = workload_pace(sim, task, hog->instance, &hog->pace, p->rate) && on;
	}
}

static void hog_memory(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct hog hog = {argument, workload_parameters(argument), .first = NULL};
	uint64_t start = sim_now(sim);

	for (uint64_t round = 0; round < hog.p->rounds; round++) {
		struct memory_object *memory = NULL;

		if (!hog.p->unmovable) {
			memory = process_map(sim, task->process, workload_pages(sim, hog.p->limit), false);
			if (!memory)
				return;
		}
		run_round(sim, task, &hog, memory);
		give_back(sim, &hog);
		if (memory)
			process_unmap(sim, task->process, memory);
		++*workload_figure(hog.instance->workload, "rounds", 1);
		workload_latency(sim, hog.instance->workload, "round", sim_now(sim) - start);
		if (!workload_pause(sim, task, hog.instance, hog.p->every_ns))
			return;
		start = sim_now(sim);
	}
}

WORKLOAD_KIND(kind_memory_hog, "memory-hog", "takes memory until there is none", struct memory_hog, fields, hog_memory);
