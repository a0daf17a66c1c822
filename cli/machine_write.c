// SPDX-License-Identifier: Apache-2.0
//
// A host's topology as a machine file.

#include <inttypes.h>

#include "cli/machine.h"

enum { LOCAL_DISTANCE = 10, DISTANCE_MAX = 254 };

static void write_size(FILE *file, uint64_t bytes)
{
	uint64_t kib = bytes >> 12 << 2; // whole pages

	if (kib % (1 << 20) == 0)
		fprintf(file, "%" PRIu64 "GiB", kib >> 20);
	else if (kib % (1 << 10) == 0)
		fprintf(file, "%" PRIu64 "MiB", kib >> 10);
	else
		fprintf(file, "%" PRIu64 "KiB", kib);
}

static void write_nodes(FILE *file, const struct host_topology *host)
{
	fprintf(file, "nodes:\n");
	for (unsigned i = 0; i < host->nr_nodes; i++) {
		const struct host_node *node = &host->node[i];

		fprintf(file, "  - {memory: ");
		write_size(file, node->bytes);
		fprintf(file, ", cpus: %" PRIu32, node->cpus);
		if (node->kind)
			fprintf(file, ", kind: %s", node->kind);
		fprintf(file, node->number == i ? "}\n" : "} # node %u there\n", node->number);
	}
}

// Whatever firmware says, the kernel takes 10 for a node's distance from itself, and bytes.
static uint32_t usable_distance(const struct host_topology *host, unsigned from, unsigned to)
{
	uint32_t distance = host->distance[from][to];

	if (from == to)
		return LOCAL_DISTANCE;
	return distance < LOCAL_DISTANCE ? LOCAL_DISTANCE : distance > DISTANCE_MAX ? DISTANCE_MAX : distance;
}

static void write_distances(FILE *file, const struct host_topology *host)
{
	fprintf(file, "distance:\n");
	for (unsigned i = 0; i < host->nr_nodes; i++) {
		for (unsigned j = 0; j < host->nr_nodes; j++)
			fprintf(file, "%s%" PRIu32, j ? ", " : "  - [", usable_distance(host, i, j));
		fprintf(file, "]\n");
	}
}

typedef uint64_t matrix[YARD_NODES_MAX][YARD_NODES_MAX];

static unsigned count_known(const struct host_topology *host, const matrix *values, unsigned *wanted)
{
	unsigned known = 0;

	*wanted = 0;
	for (unsigned i = 0; i < host->nr_nodes; i++)
		for (unsigned j = 0; host->node[i].cpus && j < host->nr_nodes; j++) {
			known += (*values)[i][j] > 0;
			++*wanted;
		}
	return known;
}

// What the nearest CPUs get from the node: for the rows of nodes without CPUs, which only tell of their own memory.
static uint64_t best(const struct host_topology *host, const matrix *values, unsigned node, bool least)
{
	uint64_t best = 0;

	for (unsigned i = 0; i < host->nr_nodes; i++)
		if (host->node[i].cpus && (!best || ((*values)[i][node] < best) == least))
			best = (*values)[i][node];
	return best;
}

// A whole matrix, or what is known of it as comments: nothing is made up from distances.
static void write_matrix(FILE *file, const struct host_topology *host, const char *key, const char *unit,
			 const matrix *values, bool least)
{
	unsigned wanted, known = count_known(host, values, &wanted);

	if (!known)
		return;
	if (known < wanted)
		fprintf(file,
			"# The host tells %u of %u values (0: not told). Measure the others, and take away the '#'.\n",
			known, wanted);
	fprintf(file, "%s%s:\n", known < wanted ? "# " : "", key);
	for (unsigned i = 0; i < host->nr_nodes; i++) {
		for (unsigned j = 0; j < host->nr_nodes; j++) {
			uint64_t value = host->node[i].cpus ? (*values)[i][j] : best(host, values, j, least);

			fprintf(file, "%s%s%" PRIu64 "%s",
				j		 ? ", "
				: known < wanted ? "# "
						 : "",
				j ? "" : "  - [", value, unit);
		}
		fprintf(file, "]\n");
	}
}

void host_topology_write(FILE *file, const struct host_topology *host, const char *name, const char *from)
{
	uint32_t cpus = 0;

	for (unsigned i = 0; i < host->nr_nodes; i++)
		cpus += host->node[i].cpus;
	fprintf(file, "# From %s%s%s. Devices, swap and sysctls are not in a topology: add what matters.\n", from,
		*host->model ? ": " : "", host->model);
	if (host->skipped)
		fprintf(file, "# %u node%s without memory: CPUs of such are counted to another one of their package.\n",
			host->skipped, host->skipped == 1 ? "" : "s");
	fprintf(file, "name: %s\n", name);
	fprintf(file, "text: %u node%s, %" PRIu32 " CPU%s\n", host->nr_nodes, host->nr_nodes == 1 ? "" : "s", cpus,
		cpus == 1 ? "" : "s");
	fprintf(file, "memory: ");
	write_size(file, host->node[0].bytes);
	fprintf(file, "\ncpus: %" PRIu32 "\n", host->node[0].cpus);
	if (host->nr_nodes == 1)
		return;
	write_nodes(file, host);
	if (host->has_distances)
		write_distances(file, host);
	write_matrix(file, host, "latency", "ns", &host->latency_ns, true);
	write_matrix(file, host, "bandwidth", "MiB/s", &host->bandwidth_mib, false);
}
