// SPDX-License-Identifier: Apache-2.0
//
// thp-burst: a process that faults anonymous memory by huge pages in bursts, and gives all of it back after each. A
// region that gets no huge page is filled with base pages. The latency is that of one region's fault, huge or not; the
// figures have mean and standard deviation of whole bursts.

#include "sim/workload.h"

struct thp_burst {
	struct workload_common common;
	struct config_amount size;
	uint64_t bursts, hold_ns, every_ns;
	bool madvise;
};

#define AT(member) CONFIG_AT(struct thp_burst, member)

static const struct config_field fields[] = {
	{"size", CONFIG_AMOUNT, AT(size), .default_text = "256MiB", .help = "of a burst"},
	{"bursts", CONFIG_COUNT, AT(bursts), .default_text = "endless",
	 .words = (const struct config_word[]){{"endless", UINT64_MAX}, {0}}, .help = "until it ends"},
	{"hold", CONFIG_TIME, AT(hold_ns), .default_text = "0", .help = "keeps the memory so long"},
	{"every", CONFIG_TIME, AT(every_ns), .default_text = "100ms", .help = "sleep between bursts"},
	{"hugepages", CONFIG_BOOL, AT(madvise), .default_text = "on", .help = "madvise(MADV_HUGEPAGE)"},
	{0},
};

struct bursts { // of all instances, in us
	uint64_t nr, sum;
	unsigned __int128 squares;
};

static uint64_t square_root(unsigned __int128 n)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 63; bit; bit >>= 1)
		if ((unsigned __int128)(root | bit) * (root | bit) <= n)
			root |= bit;
	return root;
}

static void count_burst(struct workload *workload, struct bursts *bursts, uint64_t us)
{
	unsigned __int128 nr;

	if (!*workload_figure(workload, "bursts", 1)) // the figures begin at 0 when the scenario has settled
		*bursts = (struct bursts){0};
	nr = ++bursts->nr;
	bursts->sum += us;
	bursts->squares += (unsigned __int128)us * us;
	++*workload_figure(workload, "bursts", 1);
	*workload_figure(workload, "burst mean us", -1) = bursts->sum / bursts->nr;
	*workload_figure(workload, "burst stddev us", -1) =
		square_root((bursts->squares - (unsigned __int128)bursts->sum * bursts->sum / nr) / nr);
}

static void fault_all(struct simulation *sim, struct sim_task *task, struct workload_instance *instance,
		      struct memory_object *memory)
{
	struct workload *workload = instance->workload;

	for (uint64_t page = 0; page < memory->pages && !workload_over(instance, task); page += SIM_HUGE_PAGES) {
		uint64_t start = sim_now(sim);

		memory_touch(sim, memory, page, true);
		if (object_is_huge(sim, memory, page)) {
			++*workload_figure(workload, "huge regions", 1);
		} else {
			memory_touch_range(sim, memory, page + 1, SIM_HUGE_PAGES - 1, true);
			++*workload_figure(workload, "base regions", -1);
		}
		workload_latency(sim, workload, "region fault", sim_now(sim) - start);
		sim_point(sim);
	}
}

static void burst(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct thp_burst *p = workload_parameters(instance);
	uint64_t pages = (workload_pages(sim, p->size) + SIM_HUGE_PAGES - 1) / SIM_HUGE_PAGES * SIM_HUGE_PAGES;
	struct bursts *bursts = workload_shared(sim, instance->workload, sizeof(*bursts));

	for (uint64_t i = 0; i < p->bursts && bursts && pages; i++) {
		struct memory_object *memory = process_map(sim, task->process, pages, p->madvise);
		uint64_t start = sim_now(sim);

		if (!memory)
			return;
		fault_all(sim, task, instance, memory);
		count_burst(instance->workload, bursts, (sim_now(sim) - start) / NS_PER_US);
		if (p->hold_ns)
			task_sleep(sim, p->hold_ns);
		process_unmap(sim, task->process, memory);
		if (!workload_pause(sim, task, instance, p->every_ns))
			return;
	}
}

WORKLOAD_KIND(kind_thp_burst, "thp-burst", "faults bursts of huge pages and frees them", struct thp_burst, fields,
	      burst);
