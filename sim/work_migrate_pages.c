// SPDX-License-Identifier: Apache-2.0
//
// migrate-pages: migrate_pages() for the processes of a workload, as `migratepages PID FROM TO` calls it (spec 05 M24):
// the i-th node of `from` goes to the i-th of `to`. As a preparation it is ready when that is done.

#include <stdio.h>
#include <string.h>

#include <pageyard/migrate.h>

#include "sim/machine.h"
#include "sim/memory_internal.h"
#include "sim/workload.h"

enum { BATCH = 512 };

struct migrate_pages {
	struct workload_common common;
	const char *of, *from, *to;
};

struct cursor { // where the next batch of a process begins
	uint32_t mapping;
	uint64_t page;
};

#define AT(member) CONFIG_AT(struct migrate_pages, member)

static const struct config_field fields[] = {
	{"of", CONFIG_STRING, AT(of), .default_text = "", .help = "the workload whose processes; default: all that there are"},
	{"from", CONFIG_STRING, AT(from), .help = "nodes: \"0\", \"0,2\", \"0-3\", \"all\""},
	{"to", CONFIG_STRING, AT(to), .help = "nodes"},
	{0},
};

// ---- pairs ----

static uint64_t read_nodes(const struct simulation *sim, const char *text)
{
	unsigned nr_nodes = sim->machine->nr_nodes;
	char reason[128];
	uint64_t nodes;

	placement_nodes(text, nr_nodes, &nodes, reason, sizeof(reason)); // it has been checked
	return nodes ? nodes : UINT64_MAX >> (64 - nr_nodes);
}

static unsigned goes_to(unsigned node, uint64_t from, uint64_t to)
{
	unsigned nr = (unsigned)__builtin_popcountll(from & ((UINT64_C(1) << node) - 1));

	for (nr %= (unsigned)__builtin_popcountll(to); nr; nr--)
		to &= to - 1;
	return (unsigned)__builtin_ctzll(to);
}

// The next of the nodes that are left: one whose destination is not to be emptied itself any more, if there is such.
static bool next_pair(uint64_t *left, uint64_t from, uint64_t to, unsigned *source, unsigned *target)
{
	bool found = false;

	for (unsigned node = 0; node < YARD_NODES_MAX; node++) {
		unsigned other;

		if (!(*left >> node & 1))
			continue;
		other = goes_to(node, from, to);
		if (other == node) {
			*left &= ~(UINT64_C(1) << node);
			continue;
		}
		found = true;
		*source = node;
		*target = other;
		if (!(*left >> other & 1))
			break;
	}
	if (found)
		*left &= ~(UINT64_C(1) << *source);
	return found;
}

// ---- pages ----

// The next pages of the process on the node. 0: there are no more.
static unsigned gather(const struct simulation *sim, const struct process *process, struct cursor *at, unsigned node,
		       uint32_t pfns[BATCH])
{
	unsigned nr = 0;

	for (; at->mapping < process->nr_mappings; at->mapping++, at->page = 0) {
		const struct memory_object *object = process->mapping[at->mapping];

		for (; at->page < object->pages && nr < BATCH; at->page++) {
			const struct region *region = region_of(sim, object, at->page);
			uint64_t entry = region_entry(region, at->page & (REGION_PAGES - 1));

			if (object_node_of(sim, object, at->page) == (int)node && (region->huge || entry_usable(entry)))
				pfns[nr++] = region->huge ? region->huge - 1 : entry_head(entry);
			if (region->huge || !region->used)
				at->page |= REGION_PAGES - 1;
		}
		if (at->page < object->pages)
			break;
	}
	return nr;
}

static void move_process(struct simulation *sim, struct workload *workload, struct process *process, unsigned source,
			 unsigned target)
{
	struct cursor at = {.mapping = 0};
	uint32_t pfns[BATCH];
	unsigned nr;

	while (!process->exiting && (nr = gather(sim, process, &at, source, pfns))) {
		sim->inside++;
		*workload_figure(workload, "pages moved", 0) += yard_migrate_pages(sim->yard, pfns, nr, target);
		sim->inside--;
		sim_point(sim);
	}
}

// The first process with a larger pid than the one that was dealt with last.
static struct process *next_process(const struct simulation *sim, const char *of, uint32_t after)
{
	struct process *next = NULL;

	for (struct process *process = process_first(sim); process; process = process->next)
		if (process->pid > after && (!next || process->pid < next->pid) && process->workload
		    && (!*of || !strcmp(process->workload->common.name, of)))
			next = process;
	return next;
}

static void move_all(struct simulation *sim, struct workload_instance *instance, unsigned source, unsigned target)
{
	const struct migrate_pages *p = workload_parameters(instance);
	struct process *process;

	for (uint32_t after = 0; (process = next_process(sim, p->of, after)); process_put(sim, process)) {
		after = process->pid;
		process_hold(process);
		move_process(sim, instance->workload, process, source, target);
	}
}

static void migrate(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct migrate_pages *p = workload_parameters(instance);
	uint64_t from = read_nodes(sim, p->from), to = read_nodes(sim, p->to), left, start = sim_now(sim);
	unsigned source, target;

	left = from;
	if (__builtin_popcountll(from) != __builtin_popcountll(to))
		left &= ~to;
	sim_charge(sim, COST_SYSCALL, 1);
	while (!task_stopped(task) && next_pair(&left, from, to, &source, &target))
		move_all(sim, instance, source, target);
	workload_latency(sim, instance->workload, "migration", sim_now(sim) - start);
	workload_ready(sim, instance);
	while (instance->workload->common.first && workload_pause(sim, task, instance, NS_PER_S))
		;
}

static bool check(const void *parameters, const struct machine *machine, const char **key, char *reason, size_t size)
{
	const struct migrate_pages *p = parameters;
	uint64_t nodes;

	*key = "from";
	if (!placement_nodes(p->from, machine->nr_nodes, &nodes, reason, size))
		return false;
	*key = "to";
	return placement_nodes(p->to, machine->nr_nodes, &nodes, reason, size);
}

WORKLOAD_KIND_CHECKED(kind_migrate_pages, "migrate-pages", "moves the memory of processes to other nodes",
		      struct migrate_pages, fields, migrate, check);
