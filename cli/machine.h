// SPDX-License-Identifier: Apache-2.0
//
// A real machine's topology, as `pageyard machine import` reads it (machine_import.c) and writes it as a machine file
// (machine_write.c).

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <pageyard/yard.h>

struct host_node {
	unsigned number; // that the host calls it by
	uint64_t bytes;
	uint32_t cpus;
	const char *kind; // as in machine files; NULL: dram
};

struct host_topology {
	unsigned nr_nodes;
	struct host_node node[YARD_NODES_MAX];
	unsigned skipped; // nodes without memory; their CPUs are with others
	char model[128];  // of its CPUs; "": not told
	bool has_distances;
	uint32_t distance[YARD_NODES_MAX][YARD_NODES_MAX];
	// From CPUs of a row's node; 0: not told.
	uint64_t latency_ns[YARD_NODES_MAX][YARD_NODES_MAX];
	uint64_t bandwidth_mib[YARD_NODES_MAX][YARD_NODES_MAX]; // MiB/s
};

// Of an lstopo XML file, or of this host (NULL). False: one line in `error`.
bool host_topology_read(struct host_topology *host, const char *path, char *error, size_t size);

// A machine file that machine_load() takes. `from`: where it is from, for people.
void host_topology_write(FILE *file, const struct host_topology *host, const char *name, const char *from);
