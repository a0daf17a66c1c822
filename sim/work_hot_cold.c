// SPDX-License-Identifier: Apache-2.0
//
// hot-cold: a process with memory of which some is used much more often than the rest, and was filled last, when fast
// memory was full. What tiering is to find out (spec 05 D, B9).

#include "sim/machine.h"
#include "sim/workload.h"

enum { CACHE_LINE = 64, PS_PER_NS = 1000 };

struct hot_cold {
	struct workload_common common;
	struct config_amount memory;
	uint64_t hot_ppm, accesses_ppm, pages, every_ns, writes_ppm, accesses_each;
	bool hugepages;
};

#define AT(member) CONFIG_AT(struct hot_cold, member)

static const struct config_field fields[] = {
	{"memory", CONFIG_AMOUNT, AT(memory), .help = "size, or share of the machine's memory"},
	{"hot", CONFIG_PERCENT, AT(hot_ppm), .default_text = "20%", .min = 1, .max = 999999,
	 .help = "share of its pages that are hot: the last ones"},
	{"hot_accesses", CONFIG_PERCENT, AT(accesses_ppm), .default_text = "95%", .max = 1000000,
	 .help = "share of the accesses that go there"},
	{"pages", CONFIG_COUNT, AT(pages), .default_text = "1000", .min = 1, .help = "touched at random in each period"},
	{"every", CONFIG_TIME, AT(every_ns), .default_text = "1ms", .min = 1000, .help = "the period"},
	{"accesses_each", CONFIG_COUNT, AT(accesses_each), .default_text = "8", .max = 1000000,
	 .help = "of a touch, to its page: they cost what its memory costs"},
	{"writes", CONFIG_PERCENT, AT(writes_ppm), .default_text = "0", .max = 1000000, .help = "share of the touches"},
	{"hugepages", CONFIG_BOOL, AT(hugepages), .default_text = "off", .help = "madvise(MADV_HUGEPAGE)"},
	{0},
};

// One after the other (X34), or longer where there is no bandwidth for them (X33).
static void access_page(struct simulation *sim, struct sim_task *task, struct access_account *account, unsigned node,
			uint64_t accesses)
{
	unsigned cpu_node = scheduler_cpu_node(sim, task->cpu);
	uint64_t ps = access_cost_ps(sim, cpu_node, node, &(struct access_pattern){1}) * accesses + account->rest_ps;
	uint64_t bytes = accesses * CACHE_LINE * sim->machine->access_miss_ppm / 1000000, start = sim_now(sim);
	uint64_t alone = start + ps / PS_PER_NS, end = bytes ? access_transfer(sim, cpu_node, node, start, bytes) : 0;

	end = end > alone ? end : alone;
	account->rest_ps = ps % PS_PER_NS;
	account->accesses += accesses;
	account->local += cpu_node == node ? accesses : 0;
	account->time_ns += end - start;
	account->waited_ns += end - alone;
	task_compute(sim, end - start);
}

static bool touch_one(struct simulation *sim, struct sim_task *task, struct workload *workload,
		      const struct hot_cold *p, struct memory_object *memory)
{
	uint64_t cold = memory->pages - memory->pages * p->hot_ppm / 1000000;
	bool hot = random_chance(&task->random, p->accesses_ppm, 1000000);
	uint64_t page = hot ? cold + random_below(&task->random, memory->pages - cold)
			    : random_below(&task->random, cold);
	int node = object_node_of(sim, memory, page);

	if (hot && node >= 0) {
		++*workload_figure(workload, "hot accesses", 1);
		*workload_figure(workload, "... in the top tier", 1) += sim->machine->node[node].tier == 0;
	}
	if (memory_touch(sim, memory, page, random_chance(&task->random, p->writes_ppm, 1000000)) == TOUCH_OOM)
		return false;
	node = object_node_of(sim, memory, page); // a fault may have brought or moved it
	if (node >= 0)
		access_page(sim, task, &workload->access, (unsigned)node, p->accesses_each);
	return true;
}

static void count_share(struct workload *workload)
{
	uint64_t all = *workload_figure(workload, "hot accesses", 1);

	if (all)
		*workload_figure(workload, "... of 1000", 1) =
			*workload_figure(workload, "... in the top tier", 1) * 1000 / all;
}

static void hot_cold(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct hot_cold *p = workload_parameters(instance);
	uint64_t pages = workload_pages(sim, p->memory);
	struct memory_object *memory = pages > 1 ? process_map(sim, task->process, pages, p->hugepages) : NULL;

	if (!memory || memory_touch_range(sim, memory, 0, pages, true) < pages)
		return;
	workload_ready(sim, instance);
	while (workload_pause(sim, task, instance, p->every_ns)) {
		uint64_t start = sim_now(sim);

		for (uint64_t i = 0; i < p->pages && !task_stopped(task); i++)
			if (!touch_one(sim, task, instance->workload, p, memory))
				return;
		count_share(instance->workload);
		workload_latency(sim, instance->workload, "round", sim_now(sim) - start);
	}
}

WORKLOAD_KIND(kind_hot_cold, "hot-cold", "memory of which some is hot", struct hot_cold, fields, hot_cold);
