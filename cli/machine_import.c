// SPDX-License-Identifier: Apache-2.0
//
// Topologies through hwloc: lstopo's XML files, and this host's.

#include <stdlib.h>
#include <string.h>

#include "cli/machine.h"

#ifndef HAVE_HWLOC

bool host_topology_read(struct host_topology *host, const char *path, char *error, size_t size)
{
	(void)host;
	(void)path;
	snprintf(error, size, "this build reads no topologies: hwloc was missing (Debian: libhwloc-dev), see -Dhwloc");
	return false;
}

#else

#include <errno.h>
#include <hwloc.h>

#define NODE_MIN_BYTES (UINT64_C(4) << 20) // a smaller one is no node to a machine file

struct reader {
	hwloc_topology_t topology;
	struct host_topology *host;
	hwloc_obj_t node[YARD_NODES_MAX]; // with memory, by number
	hwloc_bitmap_t cpus[YARD_NODES_MAX];
	char *error;
	size_t size;
};

static bool fail(struct reader *reader, const char *text)
{
	snprintf(reader->error, reader->size, "%s", text);
	return false;
}

// ---- nodes ----

static int by_number(const void *a, const void *b)
{
	const hwloc_obj_t *one = a, *other = b;

	return (*one)->os_index < (*other)->os_index ? -1 : (*one)->os_index > (*other)->os_index;
}

// hwloc tells what kind of memory it is where firmware or a driver does.
static const char *kind_of(const struct hwloc_obj *node)
{
	const char *subtype = node->subtype ? node->subtype : "";

	if (!strncmp(subtype, "CXL", 3))
		return "cxl";
	if (!strcmp(subtype, "HBM") || !strcmp(subtype, "MCDRAM"))
		return "hbm";
	return !strcmp(subtype, "NVM") || !strcmp(subtype, "PMEM") ? "pmem" : NULL;
}

static bool read_nodes(struct reader *reader)
{
	struct host_topology *host = reader->host;
	hwloc_obj_t node = NULL;

	while ((node = hwloc_get_next_obj_by_type(reader->topology, HWLOC_OBJ_NUMANODE, node))) {
		if (node->attr->numanode.local_memory < NODE_MIN_BYTES) {
			host->skipped++;
			continue;
		}
		if (host->nr_nodes == YARD_NODES_MAX)
			return fail(reader, "more nodes than a machine may have");
		reader->node[host->nr_nodes++] = node;
	}
	if (!host->nr_nodes)
		return fail(reader, "it tells of no memory");
	qsort(reader->node, host->nr_nodes, sizeof(reader->node[0]), by_number);
	for (unsigned i = 0; i < host->nr_nodes; i++) {
		host->node[i] =
			(struct host_node){reader->node[i]->os_index, reader->node[i]->attr->numanode.local_memory, 0,
					   kind_of(reader->node[i])};
		reader->cpus[i] = hwloc_bitmap_alloc();
		if (!reader->cpus[i])
			return fail(reader, "out of memory");
	}
	return true;
}

// ---- CPUs ----

// hwloc gives memory without CPUs those that it is near to. A CPU is of the node with the fewest CPUs that has it; of
// several, that of plain DRAM, then the first: memory of other kinds comes later.
static unsigned node_of_cpu(const struct reader *reader, unsigned cpu)
{
	unsigned found = YARD_NODES_MAX;
	int least = 0;

	for (unsigned i = 0; i < reader->host->nr_nodes; i++) {
		const struct hwloc_obj *node = reader->node[i];
		int weight = hwloc_bitmap_weight(node->cpuset);

		if (!hwloc_bitmap_isset(node->cpuset, cpu))
			continue;
		if (found == YARD_NODES_MAX || weight < least
		    || (weight == least && reader->host->node[found].kind && !reader->host->node[i].kind)) {
			found = i;
			least = weight;
		}
	}
	return found;
}

// Of a CPU whose node has no memory: the first that shares something with it.
static unsigned near_node(const struct reader *reader, hwloc_obj_t cpu)
{
	for (hwloc_obj_t above = cpu->parent; above; above = above->parent)
		for (unsigned i = 0; i < reader->host->nr_nodes; i++)
			if (hwloc_bitmap_intersects(above->cpuset, reader->node[i]->cpuset))
				return i;
	return 0;
}

static bool read_cpus(struct reader *reader)
{
	hwloc_obj_t cpu = NULL;
	uint32_t all = 0;

	while ((cpu = hwloc_get_next_obj_by_type(reader->topology, HWLOC_OBJ_PU, cpu))) {
		unsigned node = node_of_cpu(reader, cpu->os_index);

		if (node == YARD_NODES_MAX)
			node = near_node(reader, cpu);
		reader->host->node[node].cpus++;
		hwloc_bitmap_set(reader->cpus[node], cpu->os_index);
		all++;
	}
	if (!all || all > YARD_CPUS_MAX)
		return fail(reader, all ? "more CPUs than a machine may have" : "it tells of no CPU");
	return true;
}

// ---- distances, latencies, bandwidths ----

static int index_of(const struct reader *reader, const struct hwloc_obj *node)
{
	for (unsigned i = 0; i < reader->host->nr_nodes; i++)
		if (reader->node[i] == node)
			return (int)i;
	return -1;
}

static void read_distances(struct reader *reader)
{
	struct hwloc_distances_s *found = NULL;
	unsigned nr = 1;

	if (hwloc_distances_get_by_name(reader->topology, "NUMALatency", &nr, &found, 0) || !nr)
		return;
	for (unsigned i = 0; i < found->nbobjs; i++)
		for (unsigned j = 0; j < found->nbobjs; j++) {
			int from = index_of(reader, found->objs[i]), to = index_of(reader, found->objs[j]);

			if (from >= 0 && to >= 0)
				reader->host->distance[from][to] = (uint32_t)found->values[i * found->nbobjs + j];
		}
	reader->host->has_distances = true;
	hwloc_distances_release(reader->topology, found);
}

// 0: not told.
static uint64_t attribute(struct reader *reader, unsigned from, unsigned to, hwloc_memattr_id_t id)
{
	struct hwloc_location cpu = {.type = HWLOC_LOCATION_TYPE_CPUSET};
	hwloc_uint64_t value = 0;
	int first = hwloc_bitmap_first(reader->cpus[from]);

	if (first < 0)
		return 0;
	cpu.location.cpuset = hwloc_bitmap_alloc();
	if (!cpu.location.cpuset)
		return 0;
	hwloc_bitmap_set(cpu.location.cpuset, (unsigned)first);
	if (hwloc_memattr_get_value(reader->topology, id, reader->node[to], &cpu, 0, &value))
		value = 0;
	hwloc_bitmap_free(cpu.location.cpuset);
	return value;
}

static void read_attributes(struct reader *reader)
{
	struct host_topology *host = reader->host;

	for (unsigned i = 0; i < host->nr_nodes; i++)
		for (unsigned j = 0; j < host->nr_nodes; j++) {
			uint64_t latency = attribute(reader, i, j, HWLOC_MEMATTR_ID_LATENCY);
			uint64_t bandwidth = attribute(reader, i, j, HWLOC_MEMATTR_ID_BANDWIDTH);

			host->latency_ns[i][j] =
				latency ? latency : attribute(reader, i, j, HWLOC_MEMATTR_ID_READ_LATENCY);
			host->bandwidth_mib[i][j] =
				bandwidth ? bandwidth : attribute(reader, i, j, HWLOC_MEMATTR_ID_READ_BANDWIDTH);
		}
}

static void read_model(struct reader *reader)
{
	hwloc_obj_t package = hwloc_get_obj_by_type(reader->topology, HWLOC_OBJ_PACKAGE, 0);
	const char *model = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
	char *to = reader->host->model;

	snprintf(to, sizeof(reader->host->model), "%s", model ? model : "");
	for (; *to; to++) // it goes into a comment
		if ((unsigned char)*to < ' ' || (unsigned char)*to >= 0x7f)
			*to = ' ';
}

// ---- reading ----

static bool load(struct reader *reader, const char *path)
{
	FILE *file = path ? fopen(path, "rb") : NULL;

	if (path && !file) {
		snprintf(reader->error, reader->size, "%s: %s", path, strerror(errno));
		return false;
	}
	if (file)
		fclose(file);
	if (hwloc_topology_init(&reader->topology))
		return fail(reader, "out of memory");
	// All of the machine, not only what this process may use.
	hwloc_topology_set_flags(reader->topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
	setenv("HWLOC_HIDE_ERRORS", "2", 0);
	if ((!path || !hwloc_topology_set_xml(reader->topology, path)) && !hwloc_topology_load(reader->topology))
		return true;
	if (path)
		snprintf(reader->error, reader->size, "%s: not a topology; expected what `lstopo --of xml` writes",
			 path);
	else
		fail(reader, "this host's topology cannot be read");
	hwloc_topology_destroy(reader->topology);
	return false;
}

bool host_topology_read(struct host_topology *host, const char *path, char *error, size_t size)
{
	struct reader reader = {.host = host, .error = error, .size = size};
	bool fine;

	*host = (struct host_topology){0};
	if (!load(&reader, path))
		return false;
	fine = read_nodes(&reader) && read_cpus(&reader);
	if (fine) {
		read_distances(&reader);
		read_attributes(&reader);
		read_model(&reader);
	}
	for (unsigned i = 0; i < host->nr_nodes; i++)
		hwloc_bitmap_free(reader.cpus[i]);
	hwloc_topology_destroy(reader.topology);
	return fine;
}

#endif
