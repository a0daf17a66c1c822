// SPDX-License-Identifier: Apache-2.0
//
// How far a machine's nodes are from each other: distances, latencies, bandwidths, sockets, and the tiers of memory
// that follow (spec 05 T1, D1, H12). No figure is derived from distances.

#include <stdlib.h>
#include <string.h>

#include <pageyard/worker.h>

#include "sim/machine_file.h"

enum { LOCAL_DISTANCE = 10, REMOTE_DISTANCE = 20 };

static bool build_distance(struct config *config, const struct machine_file *file, struct machine *machine)
{
	uint32_t nr = machine->nr_nodes;

	machine->distance = calloc(nr, nr);
	if (!machine->distance)
		return false;
	if (!file->distance.nr) {
		memset(machine->distance, REMOTE_DISTANCE, (size_t)nr * nr);
		for (uint32_t i = 0; i < nr; i++)
			machine->distance[i * nr + i] = LOCAL_DISTANCE;
		return true;
	}
	if (file->distance.nr != nr) {
		config_error(config, file->place, "distance", "%zu rows for %u nodes", file->distance.nr, nr);
		return false;
	}
	for (uint32_t i = 0; i < nr; i++) {
		if (file->distance.item[i].nr != nr) {
			config_error(config, file->place, "distance", "row %u has %zu distances for %u nodes", i,
				     file->distance.item[i].nr, nr);
			return false;
		}
		memcpy(machine->distance + i * nr, file->distance.item[i].item, nr);
		if (machine->distance[i * nr + i] != LOCAL_DISTANCE) {
			config_error(config, file->place, "distance", "a node is at distance %d from itself, not %u",
				     LOCAL_DISTANCE, machine->distance[i * nr + i]);
			return false;
		}
	}
	return true;
}

// A matrix of the file into one of the machine, or all its elements `otherwise` if it is not written.
static bool build_matrix(struct config *config, const struct machine_file *file, const char *key,
			 const struct machine_row *row, size_t nr_rows, uint64_t otherwise, uint32_t nr,
			 uint64_t **matrix)
{
	*matrix = calloc((size_t)nr * nr, sizeof(**matrix));
	if (!*matrix)
		return false;
	for (uint32_t i = 0; !nr_rows && i < nr * nr; i++)
		(*matrix)[i] = otherwise;
	if (nr_rows && nr_rows != nr) {
		config_error(config, file->place, key, "%zu rows for %u nodes", nr_rows, nr);
		return false;
	}
	for (uint32_t i = 0; i < nr_rows; i++) {
		if (row[i].nr != nr) {
			config_error(config, file->place, key, "row %u has %zu values for %u nodes", i, row[i].nr, nr);
			return false;
		}
		memcpy(*matrix + (size_t)i * nr, row[i].item, nr * sizeof(**matrix));
	}
	return true;
}

// ---- sockets ----

static void build_sockets(const struct machine_file *file, struct machine *machine)
{
	uint64_t free_number = 0;

	for (size_t i = 0; i < file->nodes.nr; i++)
		if (file->nodes.item[i].socket != MACHINE_AUTO && file->nodes.item[i].socket >= free_number)
			free_number = file->nodes.item[i].socket + 1;
	for (uint32_t i = 0; i < machine->nr_nodes; i++) {
		bool said = i < file->nodes.nr && file->nodes.item[i].socket != MACHINE_AUTO;

		machine->node[i].socket = (uint8_t)(said ? file->nodes.item[i].socket : free_number++);
	}
}

// A link between sockets is one, whichever of their nodes the traffic is of.
static bool check_links(struct config *config, const struct machine_file *file, const struct machine *machine)
{
	uint32_t nr = machine->nr_nodes;
	const struct machine_node *node = machine->node;

	for (uint32_t a = 0; a < nr * nr; a++)
		for (uint32_t b = 0; b < a; b++) {
			if (node[a / nr].socket == node[a % nr].socket || node[a / nr].socket != node[b / nr].socket
			    || node[a % nr].socket != node[b % nr].socket
			    || machine->bandwidth[a] == machine->bandwidth[b])
				continue;
			config_error(
				config, file->place, "bandwidth",
				"nodes %u and %u are of the sockets of %u and %u, but their link has another bandwidth",
				a / nr, a % nr, b / nr, b % nr);
			return false;
		}
	return true;
}

// ---- tiers (D1) ----

// The node with CPUs that is nearest by latency; ties: the first.
static uint32_t nearest_cpus(const struct machine *machine, uint32_t node)
{
	uint32_t nearest = machine->nr_nodes, nr = machine->nr_nodes;

	for (uint32_t i = 0; i < nr; i++)
		if (machine->node[i].cpus
		    && (nearest == nr || machine_latency(machine, i, node) < machine_latency(machine, nearest, node)))
			nearest = i;
	return nearest;
}

uint32_t machine_node_bandwidth(const struct machine *machine, uint32_t node)
{
	return (uint32_t)(machine_bandwidth(machine, nearest_cpus(machine, node), node) / 1000000);
}

// Reads and writes are alike here.
static struct yard_node_performance performance_of(const struct machine *machine, uint32_t node)
{
	uint32_t latency = (uint32_t)machine_latency(machine, nearest_cpus(machine, node), node);
	uint32_t bandwidth = machine_node_bandwidth(machine, node);

	return (struct yard_node_performance){latency, latency, bandwidth, bandwidth};
}

static void rank_by_performance(struct machine *machine)
{
	struct yard_node_performance dram = {0};
	uint64_t distance[YARD_NODES_MAX];
	uint8_t tier[YARD_NODES_MAX];

	for (uint32_t i = machine->nr_nodes; i--;)
		if (machine->node[i].cpus)
			dram = performance_of(machine, i); // of the first
	for (uint32_t i = 0; i < machine->nr_nodes; i++) {
		const struct yard_node_performance own = performance_of(machine, i);

		distance[i] = machine->node[i].cpus ? YARD_DRAM_DISTANCE : yard_abstract_distance(&own, &dram);
	}
	yard_rank_tiers(distance, machine->nr_nodes, tier);
	for (uint32_t i = 0; i < machine->nr_nodes; i++)
		machine->node[i].tier = tier[i];
}

// D1, unless the file says tiers: where one node says its own, the others are in the fastest.
static void build_tiers(const struct machine_file *file, struct machine *machine)
{
	bool said = false;

	for (size_t i = 0; i < file->nodes.nr; i++) {
		if (file->nodes.item[i].tier == MACHINE_AUTO)
			continue;
		machine->node[i].tier = (uint8_t)file->nodes.item[i].tier;
		said = true;
	}
	if (!said && file->latency.nr && file->bandwidth.nr && machine->nr_cpus)
		rank_by_performance(machine);
}

// CXL and persistent memory are added by a driver, long after boot (T5).
static bool added_later(const struct machine *machine)
{
	for (uint32_t i = 0; i < machine->nr_nodes; i++)
		if (machine->node[i].kind == MEMORY_CXL || machine->node[i].kind == MEMORY_PMEM)
			return true;
	return false;
}

bool machine_build_topology(struct config *config, const struct machine_file *file, struct machine *machine)
{
	uint32_t nr = machine->nr_nodes;
	bool fine = build_distance(config, file, machine);

	fine &= build_matrix(config, file, "latency", file->latency.item, file->latency.nr, MACHINE_ALIKE_NS, nr,
			     &machine->latency_ns);
	fine &= build_matrix(config, file, "bandwidth", file->bandwidth.item, file->bandwidth.nr, 0, nr,
			     &machine->bandwidth);
	if (!fine)
		return false;
	build_sockets(file, machine);
	build_tiers(file, machine);
	machine->zonelist_hotplug = file->zonelist_built == ZONELIST_HOTPLUG
				    || (file->zonelist_built == ZONELIST_AUTO && added_later(machine));
	return check_links(config, file, machine);
}
