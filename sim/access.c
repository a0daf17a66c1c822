// SPDX-License-Identifier: Apache-2.0

#include "sim/access.h"

#include "sim/machine.h"
#include "sim/scheduler.h"

enum {
	CACHE_LINE = 64,
	SLICE_NS = 500000, // after which residency and load are looked at again
	PS_PER_NS = 1000,
};

__extension__ typedef unsigned __int128 wide;

static const struct access_pattern one_at_a_time = {1};

static uint64_t scale(uint64_t value, uint64_t part, uint64_t whole)
{
	return (uint64_t)((wide)value * part / whole);
}

uint64_t access_cost_ps(const struct simulation *sim, unsigned cpu_node, unsigned node,
			const struct access_pattern *pattern)
{
	const struct machine *machine = sim->machine;
	uint64_t latency = machine_latency(machine, cpu_node, node) * PS_PER_NS;

	latency += access_loaded_ps(access_utilisation_ppm(sim, cpu_node, node));
	if (pattern->parallel > 1)
		latency /= pattern->parallel;
	return machine->access_hit_ns * PS_PER_NS + scale(latency, machine->access_miss_ppm, 1000000);
}

uint64_t access_mean_ps(const struct access_account *account)
{
	return account->accesses ? scale(account->time_ns, PS_PER_NS, account->accesses) : 0;
}

// ---- a slice ----

struct slice { // accesses between two looks at where the pages are
	unsigned cpu_node, nr_nodes;
	uint64_t resident[YARD_NODES_MAX], total;
	uint64_t cost_ps[YARD_NODES_MAX];
	uint64_t nr, to[YARD_NODES_MAX];
	uint64_t rest[YARD_NODES_MAX]; // of an access, in parts of 2^32: what earlier slices owe the node
};

static void look(const struct simulation *sim, const struct memory_object *object, const struct access_pattern *pattern,
		 struct slice *slice)
{
	slice->cpu_node = scheduler_cpu_node(sim, task_current(sim)->cpu);
	slice->nr_nodes = sim->machine->nr_nodes;
	slice->total = 0;
	for (unsigned node = 0; node < slice->nr_nodes; node++) {
		slice->resident[node] = object_resident_on(object, node);
		slice->total += slice->resident[node];
		if (slice->resident[node])
			slice->cost_ps[node] = access_cost_ps(sim, slice->cpu_node, node, pattern);
	}
}

// So many as fit into the slice's time, each node's share of them by its share of the pages.
static void share_out(struct slice *slice, uint64_t left, uint64_t time_ns)
{
	uint64_t wanted;
	wide cost = 0;

	for (unsigned node = 0; node < slice->nr_nodes; node++)
		if (slice->resident[node])
			cost += (wide)slice->resident[node] * slice->cost_ps[node];
	cost /= slice->total; // mean of an access, ps
	time_ns = time_ns < SLICE_NS ? time_ns : SLICE_NS;
	wanted = cost ? (uint64_t)((wide)time_ns * PS_PER_NS / cost) : left;
	wanted = wanted < 1 ? 1 : wanted;
	wanted = wanted < left ? wanted : left;
	slice->nr = 0;
	for (unsigned node = 0; node < slice->nr_nodes; node++) {
		wide share = ((wide)wanted << 32) * slice->resident[node] / slice->total + slice->rest[node];

		slice->to[node] =
			(uint64_t)(share >> 32) < left - slice->nr ? (uint64_t)(share >> 32) : left - slice->nr;
		slice->rest[node] = (uint32_t)share;
		slice->nr += slice->to[node];
	}
}

// Time passes: what the accesses take one after the other, or longer where there is no bandwidth for them.
static void spend(struct simulation *sim, struct access_account *account, const struct slice *slice)
{
	uint64_t start = sim_now(sim), ps = account->rest_ps, alone, end;

	for (unsigned node = 0; node < slice->nr_nodes; node++)
		if (slice->to[node])
			ps += slice->to[node] * slice->cost_ps[node];
	alone = end = start + ps / PS_PER_NS;
	account->rest_ps = ps % PS_PER_NS;
	for (unsigned node = 0; node < slice->nr_nodes; node++) {
		uint64_t bytes = scale(slice->to[node] * CACHE_LINE, sim->machine->access_miss_ppm, 1000000);
		uint64_t done = bytes ? access_transfer(sim, slice->cpu_node, node, start, bytes) : 0;

		end = done > end ? done : end;
	}
	account->accesses += slice->nr;
	account->local += slice->to[slice->cpu_node];
	account->time_ns += end - start;
	account->waited_ns += end - alone;
	task_compute(sim, end - start);
}

static uint64_t access_some(struct simulation *sim, struct access_account *account, struct memory_object *object,
			    uint64_t accesses, uint64_t until_ns, const struct access_pattern *pattern)
{
	struct sim_task *task = task_current(sim);
	struct slice slice = {.nr = 0};
	uint64_t done = 0;

	if (!task) {
		sim_fail(sim, "only a task can access memory");
		return 0;
	}
	while (done < accesses && sim_now(sim) < until_ns && !task_stopped(task)) {
		look(sim, object, pattern ? pattern : &one_at_a_time, &slice);
		if (!slice.total)
			break;
		share_out(&slice, accesses - done, until_ns - sim_now(sim));
		spend(sim, account, &slice);
		if (sim->balancing)
			numa_balancing_accessed(sim, object, slice.nr);
		done += slice.nr;
	}
	return done;
}

uint64_t access_bulk(struct simulation *sim, struct access_account *account, struct memory_object *object,
		     uint64_t accesses, const struct access_pattern *pattern)
{
	return access_some(sim, account, object, accesses, SIM_FOREVER, pattern);
}

uint64_t access_until(struct simulation *sim, struct access_account *account, struct memory_object *object,
		      uint64_t time_ns, const struct access_pattern *pattern)
{
	return access_some(sim, account, object, UINT64_MAX, time_ns, pattern);
}
