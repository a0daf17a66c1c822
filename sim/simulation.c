// SPDX-License-Identifier: Apache-2.0
//
// A simulation from boot to end: the yard of a machine, in memory that is only taken where it is touched, and the
// parts.

#include "sim/simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <pageyard/mempolicy.h>

#include "sim/access.h"
#include "sim/local_reclaim.h"
#include "sim/machine.h"
#include "sim/memory.h"
#include "sim/numa_balancing.h"
#include "sim/page_cache.h"
#include "sim/process.h"
#include "sim/results.h"
#include "sim/scheduler.h"
#include "sim/slab.h"
#include "sim/swap_device.h"
#include "sim/workers.h"

enum {
	FRAMES_4G = 1 << 20,
	PC_LOW_END = 0xc0000,  // RAM below 4 GiB ends at 3 GiB: devices follow
	PC_LOW_RESERVED = 256, // 1 MiB
	PC_KERNEL = 4096,      // the kernel loads at 16 MiB
	NODE_ALIGN = 1 << 15,  // a section
	LAYOUT_RANGES = 2 * YARD_NODES_MAX + 2,
};

// ---- where memory is ----

struct layout {
	struct yard_range memory[LAYOUT_RANGES], reserved[LAYOUT_RANGES];
	uint32_t nr_memory, nr_reserved;
	uint32_t movable_start[YARD_NODES_MAX];
	uint64_t next; // free address, in frames
};

static void add(struct yard_range *ranges, uint32_t *nr, uint64_t start, uint64_t end, unsigned node)
{
	if (start < end)
		ranges[(*nr)++] = (struct yard_range){(uint32_t)start, (uint32_t)end, node};
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

// Node 0 of a PC: RAM from frame 0 on, with a hole below 4 GiB.
static void lay_out_pc(struct layout *layout, const struct machine_node *node)
{
	uint64_t low = lower(node->pages, PC_LOW_END), rest = node->reserved_pages,
		 first = lower(rest, PC_LOW_RESERVED);

	add(layout->memory, &layout->nr_memory, 0, low, 0);
	add(layout->memory, &layout->nr_memory, FRAMES_4G, FRAMES_4G + node->pages - low, 0);
	rest -= first;
	add(layout->reserved, &layout->nr_reserved, 0, first, 0);
	first = lower(rest, low > PC_KERNEL ? low - PC_KERNEL : 0);
	add(layout->reserved, &layout->nr_reserved, PC_KERNEL, PC_KERNEL + first, 0);
	add(layout->reserved, &layout->nr_reserved, FRAMES_4G, FRAMES_4G + rest - first, 0);
	layout->next = FRAMES_4G + node->pages - low;
}

static void lay_out_node(struct layout *layout, const struct machine_node *node, unsigned id)
{
	uint64_t start = (layout->next + NODE_ALIGN - 1) / NODE_ALIGN * NODE_ALIGN;

	add(layout->memory, &layout->nr_memory, start, start + node->pages, id);
	add(layout->reserved, &layout->nr_reserved, start, start + node->reserved_pages, id);
	layout->next = start + node->pages;
}

static bool lay_out(struct layout *layout, const struct machine *machine)
{
	layout->next = FRAMES_4G;
	for (unsigned id = 0; id < machine->nr_nodes; id++) {
		const struct machine_node *node = &machine->node[id];

		if (node->pages >= YARD_PFN_NONE || node->reserved_pages > node->pages
		    || node->movable_pages > node->pages)
			return false;
		if (id == 0 && !machine->one_zone)
			lay_out_pc(layout, node);
		else
			lay_out_node(layout, node, id);
		if (layout->next > YARD_PFN_NONE - NODE_ALIGN)
			return false;
		if (node->movable_pages)
			layout->movable_start[id] = (uint32_t)(layout->next - node->movable_pages);
	}
	return true;
}

// ---- the yard ----

// What the engine does, by what it is called here. See costs.c for how the charges add up.
static void install_costs(struct simulation *sim)
{
	static const uint8_t cost_of[YARD_COSTS] = {
		[YARD_COST_SCAN_FRAME] = COST_SCAN_FRAME,
		[YARD_COST_LRU_PAGE] = COST_LRU_PAGE,
		[YARD_COST_FREE_CHUNK] = COST_FREE_CHUNK,
		[YARD_COST_UNMAP] = COST_UNMAP,
		[YARD_COST_TLB_FLUSH] = COST_TLB_FLUSH,
		[YARD_COST_COPY_PAGE] = COST_COPY_PAGE,
		[YARD_COST_REMAP] = COST_REMAP,
		[YARD_COST_SCAN_PAGE] = COST_SCAN_PAGE,
		[YARD_COST_RECLAIM_PAGE] = COST_RECLAIM_PAGE,
		[YARD_COST_RECLAIM_TAIL] = COST_RECLAIM_TAIL,
		[YARD_COST_SLAB_OBJECT] = COST_SLAB_OBJECT,
		[YARD_COST_PCP_BATCH] = COST_PCP_BATCH,
		[YARD_COST_PCP_PAGE] = COST_PCP_PAGE,
		[YARD_COST_ZONE_LOCKED] = COST_ZONE_LOCKED,
		[YARD_COST_SPLIT] = COST_SPLIT,
		[YARD_COST_CLAIM] = COST_CLAIM,
		[YARD_COST_ZONE_CHECK] = COST_ZONE_CHECK,
		[YARD_COST_SKIP_BLOCK] = COST_SKIP_BLOCK,
		[YARD_COST_DIRECT_RECLAIM] = COST_DIRECT_RECLAIM,
		[YARD_COST_NODE_RECLAIM] = COST_NODE_RECLAIM,
		[YARD_COST_LRU_ISOLATE] = COST_LRU_PAGE,
	};
	const uint64_t *costs = sim->machine->cost_ns;
	struct yard_host *host = sim->host;

	for (unsigned i = 0; i < YARD_COSTS; i++)
		host->cost_ns[i] = costs[cost_of[i]];
	// X4 was measured with the splits and merges of a page, about one.
	host->cost_ns[YARD_COST_PCP_PAGE] -= lower(costs[COST_SPLIT], costs[COST_PCP_PAGE]);
	host->cost_table = costs;
	host->handover_ns = costs[COST_LOCK_HANDOVER];
}

static void describe(struct simulation *sim, const struct simulation_config *from, const struct layout *layout,
		     const uint16_t *cpu_node, const uint8_t *tiers, struct yard_config *config)
{
	const struct machine *machine = from->machine;

	*config = (struct yard_config){
		.nr_nodes = machine->nr_nodes,
		.nr_cpus = machine->nr_cpus,
		.cpu_node = cpu_node,
		.distance = machine->distance,
		.node_tier = tiers,
		.zonelists_see_cpus = machine->zonelist_hotplug,
		.node_reclaim_distance = machine->node_reclaim_distance,
		.memory = layout->memory,
		.nr_memory = layout->nr_memory,
		.reserved = layout->reserved,
		.nr_reserved = layout->nr_reserved,
		.movable_start = layout->movable_start,
		.thp = machine->thp_enabled != THP_NEVER,
		.user_min_free_kbytes = machine->min_free_kbytes,
		.watermark_scale_factor = machine->watermark_scale_factor,
		.watermark_boost_factor = machine->watermark_boost_factor,
		.zone_reclaim_mode = machine->zone_reclaim_mode,
		.swappiness = machine->swappiness,
		.compaction_proactiveness = machine->compaction_proactiveness,
		.dirty_ratio = machine->dirty_ratio,
		.demotion_enabled = machine->demotion,
		.memory_tiering = machine->numa_balancing.mode & NUMA_BALANCING_TIERING,
		.hz = machine->hz,
		.seed = from->seed,
		.policy = *from->policy,
	};
	if (machine->lru_gen && !from->policy_says_lru_gen)
		config->policy.lru_gen = 1;
	memory_owner_ops(sim, &config->owner);
	local_reclaim_owner_ops(&config->owner);
	process_owner_ops(sim, &config->owner);
	config->owner.context = sim;
}

// Weights of weighted interleave (spec 05 M9).
static void tell_bandwidth(struct simulation *sim)
{
	uint32_t bandwidth[YARD_NODES_MAX];

	for (unsigned node = 0; node < sim->machine->nr_nodes; node++)
		bandwidth[node] = machine_node_bandwidth(sim->machine, node);
	if (bandwidth[0])
		yard_auto_node_weights(sim->yard, bandwidth);
}

static bool boot_yard(struct simulation *sim, const struct yard_config *config, char *error, size_t error_size)
{
	int code = YARD_OK;

	sim->yard_size = yard_size(config, &code);
	if (!sim->yard_size) {
		snprintf(error, error_size, "the machine's memory layout cannot be: %s", yard_error_text(code));
		return false;
	}
	sim->yard_memory =
		mmap(NULL, sim->yard_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (sim->yard_memory == MAP_FAILED) {
		sim->yard_memory = NULL;
		snprintf(error, error_size, "no host memory: the machine's frames need %zu bytes", sim->yard_size);
		return false;
	}
	code = yard_init(sim->yard_memory, sim->yard_size, config, &sim->yard);
	if (code)
		snprintf(error, error_size, "the machine does not boot: %s", yard_error_text(code));
	else
		tell_bandwidth(sim);
	return !code;
}

static bool create_yard(struct simulation *sim, const struct simulation_config *from, char *error, size_t error_size)
{
	const struct machine *machine = from->machine;
	struct layout *layout = calloc(1, sizeof(*layout));
	struct yard_config config;
	uint16_t cpu_node[YARD_CPUS_MAX];
	uint8_t tiers[YARD_NODES_MAX];
	unsigned cpu = 0;
	bool booted = false;

	for (unsigned node = 0; node < machine->nr_nodes; node++) {
		tiers[node] = machine->node[node].tier;
		for (unsigned i = 0; i < machine->node[node].cpus && cpu < YARD_CPUS_MAX; i++)
			cpu_node[cpu++] = (uint16_t)node;
	}
	if (!layout) {
		snprintf(error, error_size, "no host memory");
	} else if (!lay_out(layout, machine)) {
		snprintf(error, error_size, "the machine has more memory than %u frames, or reserves more than it has",
			 YARD_PFN_NONE);
	} else {
		describe(sim, from, layout, cpu_node, tiers, &config);
		booted = boot_yard(sim, &config, error, error_size);
	}
	free(layout);
	return booted;
}

// ---- life ----

// Each part finds those before it.
static bool create_parts(struct simulation *sim)
{
	if (!local_reclaim_create(sim) || !results_create(sim) || !access_create(sim) || !numa_balancing_create(sim)
	    || !memory_create(sim) || !processes_create(sim) || !page_cache_create(sim) || !slab_create(sim))
		return false;
	if (sim->machine->swap_kind != SWAP_NONE && !swap_create(sim))
		return false;
	sim->workers = workers_start(sim);
	return sim->workers != NULL;
}

struct simulation *simulation_create(const struct simulation_config *config, char *error, size_t size)
{
	const struct machine *machine = config->machine;
	struct simulation *sim = calloc(1, sizeof(*sim));

	if (!sim) {
		snprintf(error, size, "no host memory");
		return NULL;
	}
	if (!machine->nr_nodes || machine->nr_nodes > YARD_NODES_MAX || !machine->nr_cpus
	    || machine->nr_cpus > YARD_CPUS_MAX) {
		snprintf(error, size, "a machine has 1 to %d nodes and 1 to %d CPUs", YARD_NODES_MAX, YARD_CPUS_MAX);
		free(sim);
		return NULL;
	}
	sim->machine = machine;
	sim->check = config->check;
	sim->checks_max = UINT64_MAX;
	random_seed(&sim->random, config->seed);
	if (!create_yard(sim, config, error, size)) {
		simulation_destroy(sim);
		return NULL;
	}
	sim->host = yard_sim_host(sim->yard);
	install_costs(sim);
	sim->scheduler = scheduler_create(sim);
	if (!sim->scheduler || !create_parts(sim)) {
		snprintf(error, size, "%s", sim->error[0] ? sim->error : "no host memory");
		simulation_destroy(sim);
		return NULL;
	}
	scheduler_install_host(sim);
	return sim;
}

bool simulation_run(struct simulation *sim, uint64_t until_ns)
{
	return !sim->error[0] && scheduler_run(sim, until_ns);
}

void simulation_destroy(struct simulation *sim)
{
	if (!sim)
		return;
	scheduler_destroy(sim->scheduler);
	workers_free(sim->workers);
	if (sim->swap)
		swap_destroy(sim);
	if (sim->slab)
		slab_destroy(sim);
	if (sim->page_cache)
		page_cache_destroy(sim);
	if (sim->processes)
		processes_destroy(sim);
	if (sim->memory)
		memory_destroy(sim);
	numa_balancing_destroy(sim);
	access_destroy(sim);
	results_destroy(sim);
	local_reclaim_destroy(sim);
	if (sim->yard_memory)
		munmap(sim->yard_memory, sim->yard_size);
	free(sim);
}
