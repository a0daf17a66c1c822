// SPDX-License-Identifier: Apache-2.0
//
// unmovable-demand: the kernel's own memory at a steady rate, in bursts: page tables, kernel stacks, slab objects. Each
// instance keeps its share of `hold`; when it has more it gives back the oldest, or all of it, as a job that is done.

#include "sim/work_kernel.h"

enum part { PART_TABLES, PART_STACKS, PART_SLAB, PARTS };

struct unmovable_demand {
	struct workload_common common;
	struct config_amount hold;
	uint64_t rate_ppm, burst, part_ppm[PARTS];
	bool give_all;
};

static const struct config_word gifts[] = {{"oldest", false}, {"all", true}, {0}};

#define AT(member) CONFIG_AT(struct unmovable_demand, member)

static const struct config_field fields[] = {
	{"rate", CONFIG_PERCENT, AT(rate_ppm), .default_text = "2%", .min = 1, .max = 100000000,
	 .help = "of the machine's memory that all instances ask for in a minute"},
	{"burst", CONFIG_PAGES, AT(burst), .default_text = "1MiB", .min = 1, .max = 1 << 20,
	 .help = "asked for at one time"},
	{"hold", CONFIG_AMOUNT, AT(hold), .default_text = "3%",
	 .help = "of all instances: size, or share of the memory"},
	{"give", CONFIG_ENUM, AT(give_all), .default_text = "oldest", .words = gifts,
	 .help = "back, of what it has over that"},
	{"page_tables", CONFIG_PERCENT, AT(part_ppm[PART_TABLES]), .default_text = "50%",
	 .help = "share of the requests"},
	{"stacks", CONFIG_PERCENT, AT(part_ppm[PART_STACKS]), .default_text = "10%", .help = "of order 2; likewise"},
	{"slab", CONFIG_PERCENT, AT(part_ppm[PART_SLAB]), .default_text = "40%",
	 .help = "four objects of 1 KiB; likewise"},
	{0},
};

enum { STACK_ORDER = 2, OBJECTS = 4 };

#define TABLE_GFP (YARD_GFP_KERNEL_ACCOUNT | YARD_GFP_ZERO | YARD_GFP_COMP)
#define STACK_GFP (YARD_GFP_KERNEL_ACCOUNT | YARD_GFP_HIGHMEM | YARD_GFP_ZERO)

struct piece {
	uint8_t part;
	uint32_t pfn;
	struct slab_object object[OBJECTS];
};

struct demand {
	struct workload_instance *instance;
	const struct unmovable_demand *p;
	struct slab_cache *cache;
	struct piece *piece; // a ring
	uint64_t first, nr, room; // of the ring: a piece is a page at least
	uint64_t pages, limit;	  // that it has, and may have
	uint64_t mix;
};

static unsigned pages_of(const struct piece *piece)
{
	return piece->part == PART_STACKS ? 1 << STACK_ORDER : 1;
}

static void give_first(struct simulation *sim, struct demand *demand)
{
	struct piece *piece = &demand->piece[demand->first];

	if (piece->part == PART_SLAB)
		for (unsigned i = 0; i < OBJECTS; i++)
			slab_free(sim, demand->cache, piece->object[i]);
	else
		sim_free(sim, piece->pfn, piece->part == PART_STACKS ? STACK_ORDER : 0);
	demand->first = (demand->first + 1) % demand->room;
	demand->nr--;
	demand->pages -= pages_of(piece);
}

static bool take_objects(struct simulation *sim, struct demand *demand, struct piece *piece)
{
	for (unsigned i = 0; i < OBJECTS; i++) {
		if (slab_alloc(sim, demand->cache, YARD_GFP_KERNEL, &piece->object[i]))
			continue;
		while (i--)
			slab_free(sim, demand->cache, piece->object[i]);
		return false;
	}
	return true;
}

static bool take(struct simulation *sim, struct demand *demand, struct piece *piece)
{
	switch (piece->part) {
	case PART_TABLES: piece->pfn = sim_alloc(sim, REQUEST_PAGE_TABLE, TABLE_GFP, 0, -1); break;
	case PART_STACKS: piece->pfn = sim_alloc(sim, REQUEST_STACK, STACK_GFP, STACK_ORDER, -1); break;
	default: return take_objects(sim, demand, piece);
	}
	return piece->pfn != YARD_PFN_NONE;
}

static uint8_t draw_part(struct sim_task *task, const struct demand *demand)
{
	uint64_t at = random_below(&task->random, demand->mix);
	uint8_t part = 0;

	while (at >= demand->p->part_ppm[part])
		at -= demand->p->part_ppm[part++];
	return part;
}

static void give_back(struct simulation *sim, struct demand *demand)
{
	if (demand->pages <= demand->limit)
		return;
	do
		give_first(sim, demand);
	while (demand->nr && (demand->p->give_all || demand->pages > demand->limit));
}

static bool burst(struct simulation *sim, struct sim_task *task, struct demand *demand)
{
	struct workload *workload = demand->instance->workload;
	uint64_t start = sim_now(sim);

	for (uint64_t pages = 0; pages < demand->p->burst;) {
		struct piece *piece = &demand->piece[(demand->first + demand->nr) % demand->room];

		piece->part = draw_part(task, demand);
		if (take(sim, demand, piece)) {
			demand->nr++;
			demand->pages += pages_of(piece);
			*workload_figure(workload, "pages", 1) += pages_of(piece);
		} else {
			*workload_figure(workload, "pages failed", -1) += pages_of(piece);
		}
		pages += pages_of(piece);
		give_back(sim, demand);
		if (!workload_pause(sim, task, demand->instance, 0))
			return false;
	}
	++*workload_figure(workload, "bursts", 1);
	workload_latency(sim, workload, "burst", sim_now(sim) - start);
	return true;
}

// So many bursts of an instance in so much time.
static struct config_rate rate_of(const struct simulation *sim, const struct unmovable_demand *p)
{
	uint64_t memory = workload_pages(sim, (struct config_amount){.parts = 1000000});
	unsigned __int128 period = (unsigned __int128)(60 * NS_PER_S) * 1000000 * p->burst * p->common.count;

	return (struct config_rate){1, (uint64_t)(period / memory / p->rate_ppm)};
}

static void ask(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct demand demand = {argument, workload_parameters(argument), .first = 0};
	const struct unmovable_demand *p = demand.p;
	struct config_rate rate = rate_of(sim, p);
	struct workload_pace pace = {0};

	demand.limit = workload_pages(sim, p->hold) / p->common.count;
	demand.room = demand.limit + 1;
	demand.piece = task_memory(sim, task, demand.room * sizeof(*demand.piece));
	demand.cache = slab_kmalloc_cache(sim, 1024, false);
	for (unsigned part = 0; part < PARTS; part++)
		demand.mix += p->part_ppm[part];
	if (!demand.piece || !demand.cache || !demand.mix)
		return;
	while (workload_pace(sim, task, demand.instance, &pace, rate))
		if (!burst(sim, task, &demand))
			break;
	while (demand.nr)
		give_first(sim, &demand);
}

WORKLOAD_KIND(kind_unmovable_demand, "unmovable-demand",
	      "asks for page tables, stacks and slab objects at a steady rate", struct unmovable_demand, fields, ask);
