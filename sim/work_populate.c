// SPDX-License-Identifier: Apache-2.0
//
// populate: threads that fill one mapping, each its own part of it; when all are done they access all of it for a while
// (sim/access.h), and keep it. What it counts when the mapping is full: how much lies on the node of the last one's
// CPU, and how fast that went. As a preparation it is ready then.

#include "sim/machine.h"
#include "sim/workload.h"

struct populate {
	struct workload_common common;
	struct config_amount memory;
	uint64_t threads, access_ns, parallel;
	const char *mbind;
	bool hugepages, hold;
};

#define AT(member) CONFIG_AT(struct populate, member)

static const struct config_field fields[] = {
	{"memory", CONFIG_AMOUNT, AT(memory), .help = "size, or share of the machine's memory"},
	{"threads", CONFIG_COUNT, AT(threads), .default_text = "1", .min = 1, .max = 1024, .help = "that fill it"},
	{"mbind", CONFIG_STRING, AT(mbind), .default_text = "default",
	 .help = "memory policy of the mapping, as of `mempolicy`; default: that of the tasks"},
	{"access", CONFIG_TIME, AT(access_ns), .default_text = "0",
	 .help = "so long each thread then accesses all of it at random"},
	{"parallel", CONFIG_COUNT, AT(parallel), .default_text = "1", .min = 1, .max = 64,
	 .help = "... with so many misses under way: 1 follows pointers, 10 sweeps over it"},
	{"hold", CONFIG_BOOL, AT(hold), .default_text = "on", .help = "keeps the memory until the scenario's end"},
	{"hugepages", CONFIG_BOOL, AT(hugepages), .default_text = "off", .help = "madvise(MADV_HUGEPAGE)"},
	{0},
};

struct shared { // by the threads of an instance
	struct memory_object *memory;
	uint64_t begun, done; // threads
	uint64_t start_ns;
	struct wait_queue full;
	bool failed;
};

static void count_places(struct simulation *sim, struct workload *workload, const struct shared *shared)
{
	unsigned node = scheduler_cpu_node(sim, task_current(sim)->cpu);
	uint64_t local = object_resident_on(shared->memory, node), all = shared->memory->resident;
	uint64_t elapsed = sim_now(sim) - shared->start_ns;

	*workload_figure(workload, "MiB local", 1) += local * SIM_PAGE >> 20;
	*workload_figure(workload, "MiB remote", -1) += (all - local) * SIM_PAGE >> 20;
	*workload_figure(workload, "MiB/s populated", 1) = elapsed ? (all * SIM_PAGE >> 20) * NS_PER_S / elapsed : 0;
}

// False: not all of it is there.
static bool fill_part(struct simulation *sim, const struct populate *p, struct shared *shared)
{
	uint64_t pages = shared->memory->pages, number = shared->begun++;
	uint64_t from = pages * number / p->threads, to = pages * (number + 1) / p->threads;

	return memory_touch_range(sim, shared->memory, from, to - from, true) == to - from;
}

// True once all threads have filled their parts.
static bool wait_until_full(struct simulation *sim, struct sim_task *task, struct workload_instance *instance)
{
	const struct populate *p = workload_parameters(instance);
	struct shared *shared = instance->state;

	if (++shared->done == p->threads) {
		count_places(sim, instance->workload, shared);
		workload_ready(sim, instance);
		wake_all(sim, &shared->full);
	}
	while (shared->done < p->threads && !shared->failed && !workload_over(instance, task))
		task_wait(sim, &shared->full, SIM_FOREVER, false);
	return shared->done == p->threads && !workload_over(instance, task);
}

static void thread(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct populate *p = workload_parameters(instance);
	struct shared *shared = instance->state;

	if (!fill_part(sim, p, shared)) {
		shared->failed = true;
		wake_all(sim, &shared->full);
	} else if (wait_until_full(sim, task, instance) && p->access_ns) {
		access_until(sim, &instance->workload->access, shared->memory, sim_now(sim) + p->access_ns,
			     &(struct access_pattern){.parallel = (uint32_t)p->parallel});
	}
}

static bool map(struct simulation *sim, struct sim_task *task, const struct populate *p, struct shared *shared)
{
	uint64_t pages = workload_pages(sim, p->memory);
	struct placement placement = {.cpuset = task->placement.cpuset};

	if (!pages || !placement_set(sim, &placement, p->mbind))
		return false;
	shared->memory = process_map(sim, task->process, pages, p->hugepages);
	if (shared->memory)
		mapping_set_placement(shared->memory, &placement);
	return shared->memory;
}

static void populate(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct populate *p = workload_parameters(instance);
	struct shared *shared = task_memory(sim, task, sizeof(*shared));

	if (!shared || !map(sim, task, p, shared))
		return;
	instance->state = shared;
	shared->start_ns = sim_now(sim);
	for (uint64_t i = 1; i < p->threads; i++)
		if (!workload_thread(sim, instance, thread))
			shared->failed = true;
	thread(sim, task, instance);
	workload_wait_children(sim, task, instance, 0);
	while (p->hold && !shared->failed && workload_pause(sim, task, instance, NS_PER_S))
		;
	workload_end_children(sim, instance);
}

WORKLOAD_KIND(kind_populate, "populate", "threads that fill a mapping, then access it", struct populate, fields,
	      populate);
