// SPDX-License-Identifier: Apache-2.0
//
// How busy nodes and links are: bytes of the last milliseconds against what a node's memory or a link can do (spec 05
// X33).

#include <stdlib.h>

#include "sim/access.h"
#include "sim/machine.h"

enum {
	BUCKETS = 8, // of the window that utilisation is looked at in
	BUCKET_NS = 1000000,
	PPM = 1000000,
};

__extension__ typedef unsigned __int128 wide;

struct pipe {		    // a node's memory, or a link in one direction
	uint64_t bandwidth; // bytes a second; 0: no limit
	uint64_t free_at;   // ns: when what was asked for so far has gone
	uint64_t newest;    // number of the bucket that is filled
	uint64_t bytes[BUCKETS];
};

struct access_load {
	unsigned nr_nodes;
	uint32_t *link;	    // nr_nodes x nr_nodes: index of the pipe; [n, n]: the node's memory
	struct pipe pipe[]; // nr_nodes x nr_nodes, not all of which are used
};

// ---- X33 ----

static const struct point {
	uint32_t ppm, ps;
} loaded[] = {
	{0, 0},		 {20000, 1000},	  {110000, 4000},  {190000, 12000},   {360000, 16000},
	{450000, 18000}, {590000, 22000}, {850000, 46000}, {1000000, 172000},
};

uint64_t access_loaded_ps(uint32_t utilisation_ppm)
{
	unsigned last = sizeof(loaded) / sizeof(*loaded) - 1, i = 0;
	const struct point *from;

	if (utilisation_ppm >= loaded[last].ppm)
		return loaded[last].ps;
	while (utilisation_ppm >= loaded[i + 1].ppm)
		i++;
	from = &loaded[i];
	return from->ps + (uint64_t)(utilisation_ppm - from->ppm) * (from[1].ps - from->ps) / (from[1].ppm - from->ppm);
}

// ---- pipes ----

// Buckets that time has left behind are empty again.
static void advance(struct pipe *pipe, uint64_t bucket)
{
	if (bucket <= pipe->newest)
		return;
	for (uint64_t i = 1; i <= bucket - pipe->newest && i <= BUCKETS; i++)
		pipe->bytes[(pipe->newest + i) % BUCKETS] = 0;
	pipe->newest = bucket;
}

static uint32_t utilisation(const struct pipe *pipe, uint64_t now)
{
	uint64_t bucket = now / BUCKET_NS, bytes = 0;
	wide could;

	if (!pipe->bandwidth)
		return 0;
	// CPUs' clocks differ a little: `now` may be before the newest bucket.
	for (uint64_t i = 0; i < BUCKETS && i <= bucket; i++)
		if (bucket - i <= pipe->newest && pipe->newest - (bucket - i) < BUCKETS)
			bytes += pipe->bytes[(bucket - i) % BUCKETS];
	could = (wide)pipe->bandwidth * ((uint64_t)(BUCKETS - 1) * BUCKET_NS + now % BUCKET_NS) / 1000000000;
	return bytes >= could ? PPM : (uint32_t)((wide)bytes * PPM / could);
}

static uint64_t transfer(struct pipe *pipe, uint64_t start, uint64_t bytes)
{
	uint64_t bucket = start / BUCKET_NS;

	if (!pipe->bandwidth)
		return start;
	advance(pipe, bucket);
	if (pipe->newest - bucket < BUCKETS)
		pipe->bytes[bucket % BUCKETS] += bytes;
	pipe->free_at = pipe->free_at > start ? pipe->free_at : start;
	pipe->free_at += (uint64_t)((wide)bytes * 1000000000 / pipe->bandwidth);
	return pipe->free_at;
}

static struct pipe *memory_of(const struct simulation *sim, unsigned node)
{
	struct access_load *load = sim->access;

	return &load->pipe[load->link[node * load->nr_nodes + node]];
}

static struct pipe *link_to(const struct simulation *sim, unsigned cpu_node, unsigned node)
{
	struct access_load *load = sim->access;

	return &load->pipe[load->link[cpu_node * load->nr_nodes + node]];
}

uint32_t access_utilisation_ppm(const struct simulation *sim, unsigned cpu_node, unsigned node)
{
	uint32_t memory = utilisation(memory_of(sim, node), sim_now(sim));
	uint32_t link = utilisation(link_to(sim, cpu_node, node), sim_now(sim));

	return link > memory ? link : memory;
}

uint64_t access_transfer(struct simulation *sim, unsigned cpu_node, unsigned node, uint64_t start_ns, uint64_t bytes)
{
	uint64_t memory = transfer(memory_of(sim, node), start_ns, bytes), link = 0;

	if (cpu_node != node)
		link = transfer(link_to(sim, cpu_node, node), start_ns, bytes);
	return link > memory ? link : memory;
}

// ---- life ----

static unsigned first_of_socket(const struct machine *machine, unsigned node)
{
	unsigned first = 0;

	while (machine->node[first].socket != machine->node[node].socket)
		first++;
	return first;
}

bool access_create(struct simulation *sim)
{
	const struct machine *machine = sim->machine;
	unsigned nr = machine->nr_nodes;
	struct access_load *load = calloc(1, sizeof(*load) + sizeof(load->pipe[0]) * nr * nr);

	sim->access = load;
	if (load)
		load->link = calloc((size_t)nr * nr, sizeof(load->link[0]));
	if (!load || !load->link)
		return false;
	load->nr_nodes = nr;
	for (unsigned from = 0; from < nr; from++)
		for (unsigned to = 0; to < nr; to++) {
			bool apart = machine->node[from].socket != machine->node[to].socket;
			unsigned a = apart ? first_of_socket(machine, from) : from;
			unsigned b = apart ? first_of_socket(machine, to) : to;

			load->link[from * nr + to] = a * nr + b; // sockets share the link between them
			load->pipe[a * nr + b].bandwidth = machine_bandwidth(machine, from, to);
		}
	return true;
}

void access_destroy(struct simulation *sim)
{
	if (sim->access)
		free(sim->access->link);
	free(sim->access);
	sim->access = NULL;
}
