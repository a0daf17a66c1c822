// SPDX-License-Identifier: Apache-2.0
//
// node-reclaim: an administrator writes "SIZE [swappiness=N]" to the `reclaim` file of a node (spec 05 R1, R2). As a
// preparation it is ready when the write has returned.

#include <stdio.h>

#include "sim/machine.h"
#include "sim/workload.h"

enum { SWAPPINESS_DEFAULT = 201 };

struct node_reclaim {
	struct workload_common common;
	struct config_amount size;
	uint64_t of_node, swappiness;
};

static const struct config_word default_word[] = {{"default", SWAPPINESS_DEFAULT}, {0}};

#define AT(member) CONFIG_AT(struct node_reclaim, member)

static const struct config_field fields[] = {
	{"of_node", CONFIG_COUNT, AT(of_node), .max = YARD_NODES_MAX - 1, .help = "whose memory is to be freed"},
	{"size", CONFIG_AMOUNT, AT(size),
	 .help = "how much of it: size, or share of the machine's memory; 0: writes nothing"},
	{"swappiness", CONFIG_COUNT, AT(swappiness), .default_text = "default", .words = default_word, .max = 200,
	 .help = "of this write; 200: anonymous memory as readily as it gets"},
	{0},
};

static void write_once(struct simulation *sim, struct workload_instance *instance)
{
	const struct node_reclaim *p = workload_parameters(instance);
	uint64_t start = sim_now(sim), bytes = workload_pages(sim, p->size) * SIM_PAGE, pages = 0;
	char text[64], swappiness[32] = "";
	int error;

	if (!bytes)
		return;
	if (p->swappiness != SWAPPINESS_DEFAULT)
		snprintf(swappiness, sizeof(swappiness), " swappiness=%llu", (unsigned long long)p->swappiness);
	snprintf(text, sizeof(text), "%llu%s", (unsigned long long)bytes, swappiness);
	sim_charge(sim, COST_SYSCALL, 1);
	sim->inside++;
	error = yard_node_reclaim_write(sim->yard, (unsigned)p->of_node, text, &pages);
	sim->inside--;
	if (error == YARD_ERANGE)
		sim_fail(sim, "node-reclaim: there is no node %llu", (unsigned long long)p->of_node);
	++*workload_figure(instance->workload, error ? "writes failed" : "writes done", error ? -1 : 1);
	*workload_figure(instance->workload, "MiB reclaimed", 0) += pages * SIM_PAGE >> 20;
	workload_latency(sim, instance->workload, "write", sim_now(sim) - start);
}

static void reclaim(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;

	write_once(sim, instance);
	workload_ready(sim, instance);
	while (instance->workload->common.first && workload_pause(sim, task, instance, NS_PER_S))
		;
}

WORKLOAD_KIND(kind_node_reclaim, "node-reclaim", "writes to the reclaim file of a node", struct node_reclaim, fields,
	      reclaim);
