// SPDX-License-Identifier: Apache-2.0
//
// Rows about nodes: where memory lies (spec 05 C2, C6), that is what each node holds and has given, what each workload
// has on it, and what accesses to it cost; and how long its kswapd and kcompactd were at work.

#include <math.h>

#include "report/run_measure.h"

#define EACH_NODE(X)                                                                                                   \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19)  \
	X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32) X(33) X(34) X(35) X(36) X(37)    \
	X(38) X(39) X(40) X(41) X(42) X(43) X(44) X(45) X(46) X(47)
#define NODE(n) {"Node " #n, "kswapd" #n, "kcompactd" #n},
static const struct {
	const char *node, *kswapd, *kcompactd;
} groups[] = {EACH_NODE(NODE)};
#undef NODE
_Static_assert(sizeof(groups) / sizeof(*groups) == YARD_NODES_MAX, "names for each");

static unsigned most_nodes(const struct run_set *set, unsigned nr_sets)
{
	unsigned most = 1;

	for (unsigned i = 0; i < nr_sets; i++)
		if (set[i].scenario->machine.nr_nodes > most)
			most = set[i].scenario->machine.nr_nodes;
	return most;
}

// ---- nodes ----

enum { FREE, FILES, ANON, SCANNED, RECLAIMED, NUMA, NODE_FIGURES = NUMA + YARD_NUMA_STATS };

static const struct {
	const char *name;
	enum compare_better better;
} node_figures[NODE_FIGURES] = {
	[FREE] = {"free pages", COMPARE_NEITHER},
	[FILES] = {"file pages", COMPARE_NEITHER},
	[ANON] = {"anon pages", COMPARE_NEITHER},
	[SCANNED] = {"scanned", COMPARE_LOWER},
	[RECLAIMED] = {"reclaimed", COMPARE_NEITHER},
	[NUMA + YARD_NUMA_HIT] = {"numa_hit", COMPARE_NEITHER},
	[NUMA + YARD_NUMA_MISS] = {"numa_miss", COMPARE_LOWER},
	[NUMA + YARD_NUMA_FOREIGN] = {"numa_foreign", COMPARE_LOWER},
	[NUMA + YARD_NUMA_INTERLEAVE_HIT] = {"numa_interleave", COMPARE_NEITHER},
	[NUMA + YARD_NUMA_LOCAL] = {"numa_local", COMPARE_NEITHER},
	[NUMA + YARD_NUMA_OTHER] = {"numa_other", COMPARE_LOWER},
};

static double node_of(const struct measure *measure, const struct iteration *iteration)
{
	const struct result_node *node = &iteration->results.node[measure->index];

	switch (measure->point) {
	case FREE: return (double)node->free_pages;
	case FILES: return (double)node->file_pages;
	case ANON: return (double)node->anon_pages;
	case SCANNED: return (double)node->scanned;
	case RECLAIMED: return (double)node->reclaimed;
	default: return (double)node->numa[measure->point - NUMA];
	}
}

void measures_add_nodes(struct measures *measures, const struct run_set *set, unsigned nr_sets)
{
	unsigned nr = most_nodes(set, nr_sets);

	for (unsigned node = 0; nr > 1 && node < nr; node++)
		for (unsigned i = 0; i < NODE_FIGURES; i++) {
			struct measure *measure = measures_add(measures, groups[node].node, node_figures[i].name,
							       node_figures[i].better, 0);

			measure->of = node_of;
			measure->index = node;
			measure->point = i;
		}
}

// ---- their workers ----

static double kswapd_of(const struct measure *measure, const struct iteration *iteration)
{
	return (double)(iteration->results.node[measure->index].cpu.kswapd / NS_PER_MS) / 1e3; // idle ones: 0
}

static double kcompactd_of(const struct measure *measure, const struct iteration *iteration)
{
	return (double)(iteration->results.node[measure->index].cpu.kcompactd / NS_PER_MS) / 1e3;
}

static void add_cpu_time(struct measures *measures, const char *group, unsigned node,
			 double (*of)(const struct measure *, const struct iteration *))
{
	struct measure *measure = measures_add(measures, group, "CPU time s", COMPARE_LOWER, 3);

	measure->of = of;
	measure->index = node;
}

void measures_add_workers(struct measures *measures, const struct run_set *set, unsigned nr_sets)
{
	unsigned nr = most_nodes(set, nr_sets);

	for (unsigned node = 0; node < nr; node++)
		add_cpu_time(measures, groups[node].kswapd, node, kswapd_of);
	for (unsigned node = 0; node < nr; node++)
		add_cpu_time(measures, groups[node].kcompactd, node, kcompactd_of);
}

// ---- workloads ----

static double mean_access_of(const struct measure *measure, const struct iteration *iteration)
{
	const struct access_account *access = &iteration->workload[measure->index].access;

	return access->accesses ? (double)access_mean_ps(access) / 1000 : NAN;
}

static double local_access_of(const struct measure *measure, const struct iteration *iteration)
{
	const struct access_account *access = &iteration->workload[measure->index].access;

	return access->accesses ? 100.0 * (double)access->local / (double)access->accesses : NAN;
}

static double waited_of(const struct measure *measure, const struct iteration *iteration)
{
	const struct access_account *access = &iteration->workload[measure->index].access;

	return access->time_ns ? 100.0 * (double)access->waited_ns / (double)access->time_ns : NAN;
}

static double resident_of(const struct measure *measure, const struct iteration *iteration)
{
	return (double)iteration->workload[measure->index].resident[measure->point];
}

// measure->point: the node of the workload's CPUs.
static double local_resident_of(const struct measure *measure, const struct iteration *iteration)
{
	const uint64_t *resident = iteration->workload[measure->index].resident;
	uint64_t all = 0;

	for (unsigned node = 0; node < YARD_NODES_MAX; node++)
		all += resident[node];
	return all ? 100.0 * (double)resident[measure->point] / (double)all : NAN;
}

static void add_row(struct measures *measures, const char *group, const char *name, enum compare_better better,
		    unsigned workload, unsigned point, double (*of)(const struct measure *, const struct iteration *))
{
	struct measure *measure = measures_add(measures, group, name, better, of == resident_of ? 0 : 2);

	measure->of = of;
	measure->index = workload;
	measure->point = point;
}

// The node that a workload is bound to; -1: none.
static int home_of(const struct machine *machine, const struct workload_common *common)
{
	int64_t cpu = common->cpu;

	if (common->node >= 0)
		return (int)common->node;
	for (unsigned node = 0; cpu >= 0 && node < machine->nr_nodes; node++) {
		if (cpu < machine->node[node].cpus)
			return (int)node;
		cpu -= machine->node[node].cpus;
	}
	return -1;
}

void measures_add_access(struct measures *measures, const struct run_set *set, unsigned nr_sets, unsigned workload)
{
	const struct scenario *scenario = set[0].scenario;
	const struct workload_common *common = &scenario->workload[workload].common;
	unsigned nr = most_nodes(set, nr_sets);
	int home = home_of(&scenario->machine, common);
	char name[32];

	add_row(measures, common->name, "access mean ns", COMPARE_LOWER, workload, 0, mean_access_of);
	add_row(measures, common->name, "access waits %", COMPARE_LOWER, workload, 0, waited_of);
	if (nr == 1)
		return;
	add_row(measures, common->name, "access local %", COMPARE_HIGHER, workload, 0, local_access_of);
	if (home >= 0)
		add_row(measures, common->name, "resident local %", COMPARE_HIGHER, workload, (unsigned)home,
			local_resident_of);
	for (unsigned node = 0; node < nr; node++) {
		snprintf(name, sizeof(name), "pages on node %u", node);
		add_row(measures, common->name, name, COMPARE_NEITHER, workload, node, resident_of);
	}
}
