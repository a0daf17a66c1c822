// SPDX-License-Identifier: Apache-2.0
//
// memory-reclaim and node-reclaim: an administrator, or a daemon, writes "SIZE [swappiness=N]" to `memory.reclaim` (all
// memory: the simulator has one group) or to the `reclaim` file of a node (spec 05 R1, R2), once or again and again. As
// a preparation it is ready when the first write has returned.

#include <stdio.h>

#include "sim/machine.h"
#include "sim/workload.h"

enum { SWAPPINESS_DEFAULT = 202, SWAPPINESS_MAX = 201 };

struct proactive_reclaim {
	struct workload_common common;
	struct config_amount size, until_free;
	uint64_t of_node, swappiness, every_ns;
};

static const struct config_word swappiness_words[] = {
	{"default", SWAPPINESS_DEFAULT}, {"max", SWAPPINESS_MAX}, {0}};
static const struct config_word never[] = {{"never", SIM_FOREVER}, {0}};

#define AT(member) CONFIG_AT(struct proactive_reclaim, member)

#define FIELDS(whose)                                                                                                  \
	{"size", CONFIG_AMOUNT, AT(size),                                                                              \
	 .help = "how much is to be reclaimed: size, or share of the machine's memory; 0: writes nothing"},            \
	{"swappiness", CONFIG_COUNT, AT(swappiness), .default_text = "default", .words = swappiness_words,             \
	 .max = 200, .help = "of this write; max: anonymous memory only"},                                             \
	{"every", CONFIG_TIME, AT(every_ns), .default_text = "never", .words = never, .min = 1000,                     \
	 .help = "writes again after this"},                                                                           \
	{"until_free", CONFIG_AMOUNT, AT(until_free), .default_text = "0",                                             \
	 .help = "... but not while so much of " whose " is free; 0: always"}

static const struct config_field node_fields[] = {
	{"of_node", CONFIG_COUNT, AT(of_node), .max = YARD_NODES_MAX - 1, .help = "whose memory is to be freed"},
	FIELDS("the node's memory"),
	{0},
};
static const struct config_field memory_fields[] = {FIELDS("the memory"), {0}};

enum { ALL_NODES = -1 };

static uint64_t free_pages(struct simulation *sim, int node)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < yard_nr_zones(sim->yard); i++) {
		struct yard_zone_state zone;

		if (node != ALL_NODES && i / YARD_ZONE_TYPES != (unsigned)node)
			continue;
		if (yard_get_zone(sim->yard, i, &zone) == YARD_OK && zone.stat[YARD_NR_FREE_PAGES] > 0)
			pages += (uint64_t)zone.stat[YARD_NR_FREE_PAGES];
	}
	return pages;
}

static bool enough_free(struct simulation *sim, const struct proactive_reclaim *p, int node)
{
	uint64_t goal = workload_pages(sim, p->until_free);

	return goal && free_pages(sim, node) >= goal;
}

static int write_file(struct simulation *sim, const struct proactive_reclaim *p, int node, uint64_t *pages)
{
	unsigned long long bytes = workload_pages(sim, p->size) * SIM_PAGE;
	char text[64], swappiness[32] = "";
	int error;

	if (p->swappiness == SWAPPINESS_MAX)
		snprintf(swappiness, sizeof(swappiness), " swappiness=max");
	else if (p->swappiness != SWAPPINESS_DEFAULT)
		snprintf(swappiness, sizeof(swappiness), " swappiness=%llu", (unsigned long long)p->swappiness);
	snprintf(text, sizeof(text), "%llu%s", bytes, swappiness);
	sim_charge(sim, COST_SYSCALL, 1);
	sim->inside++;
	error = node == ALL_NODES ? yard_memory_reclaim_write(sim->yard, text, pages)
				  : yard_node_reclaim_write(sim->yard, (unsigned)node, text, pages);
	sim->inside--;
	return error;
}

static void count_pages(struct simulation *sim, struct workload *workload, uint64_t pages)
{
	uint64_t *all = workload_shared(sim, workload, sizeof(*all)); // small writes get no whole MiB each

	if (!all)
		return;
	*all += pages;
	*workload_figure(workload, "MiB reclaimed", 0) = *all * SIM_PAGE >> 20;
}

static void write_once(struct simulation *sim, struct workload_instance *instance, int node)
{
	const struct proactive_reclaim *p = workload_parameters(instance);
	uint64_t start = sim_now(sim), pages = 0;
	int error;

	if (!workload_pages(sim, p->size) || enough_free(sim, p, node))
		return;
	error = write_file(sim, p, node, &pages);
	++*workload_figure(instance->workload, error ? "writes failed" : "writes done", error ? -1 : 1);
	count_pages(sim, instance->workload, pages);
	workload_latency(sim, instance->workload, "write", sim_now(sim) - start);
}

static void reclaim(struct simulation *sim, struct sim_task *task, struct workload_instance *instance, int node)
{
	const struct proactive_reclaim *p = workload_parameters(instance);

	write_once(sim, instance, node);
	workload_ready(sim, instance);
	while (p->every_ns != SIM_FOREVER && workload_pause(sim, task, instance, p->every_ns))
		write_once(sim, instance, node);
	while (instance->workload->common.first && workload_pause(sim, task, instance, NS_PER_S))
		;
}

static void node_reclaim(struct simulation *sim, struct sim_task *task, void *argument)
{
	const struct proactive_reclaim *p = workload_parameters(argument);

	reclaim(sim, task, argument, (int)p->of_node);
}

static void memory_reclaim(struct simulation *sim, struct sim_task *task, void *argument)
{
	reclaim(sim, task, argument, ALL_NODES);
}

static bool check_node(const void *parameters, const struct machine *machine, const char **key, char *reason,
		       size_t size)
{
	const struct proactive_reclaim *p = parameters;

	*key = "of_node";
	return machine_check_node(machine, p->of_node, reason, size);
}

WORKLOAD_KIND_CHECKED(kind_node_reclaim, "node-reclaim", "writes to the reclaim file of a node",
		      struct proactive_reclaim, node_fields, node_reclaim, check_node);
WORKLOAD_KIND(kind_memory_reclaim, "memory-reclaim", "writes to memory.reclaim", struct proactive_reclaim,
	      memory_fields, memory_reclaim);
