// SPDX-License-Identifier: Apache-2.0
//
// anonymous-hold: a process that fills anonymous memory once, keeps it, and now and then reads or writes pages of it.
// As a preparation it is ready when the memory is filled.

#include "sim/workload.h"

enum pattern { UNIFORM, SEQUENTIAL, ZIPF };

struct anonymous_hold {
	struct workload_common common;
	struct config_amount memory;
	uint64_t pages, every_ns, pattern, exponent, writes_ppm;
	bool hugepages;
};

static const struct config_word patterns[] = {{"uniform", UNIFORM}, {"sequential", SEQUENTIAL}, {"zipf", ZIPF}, {0}};

#define AT(member) CONFIG_AT(struct anonymous_hold, member)

static const struct config_field fields[] = {
	{"memory", CONFIG_AMOUNT, AT(memory), .help = "size, or share of the machine's memory"},
	{"pages", CONFIG_COUNT, AT(pages), .default_text = "0", .help = "touched in each period"},
	{"every", CONFIG_TIME, AT(every_ns), .default_text = "100ms", .min = 1000, .help = "the period"},
	{"pattern", CONFIG_ENUM, AT(pattern), .default_text = "uniform", .words = patterns, .help = "which pages"},
	{"exponent", CONFIG_RATIO, AT(exponent), .default_text = "1", .max = RANDOM_ZIPF_EXPONENT_MAX,
	 .help = "of zipf"},
	{"writes", CONFIG_PERCENT, AT(writes_ppm), .default_text = "0", .max = 1000000, .help = "share of the touches"},
	{"hugepages", CONFIG_BOOL, AT(hugepages), .default_text = "off", .help = "madvise(MADV_HUGEPAGE)"},
	{0},
};

static void touch_some(struct simulation *sim, struct sim_task *task, const struct anonymous_hold *p,
		       struct memory_object *memory, const struct random_zipf *zipf, uint64_t *next)
{
	for (uint64_t i = 0; i < p->pages && !task_stopped(task); i++) {
		uint64_t page;

		switch (p->pattern) {
		case UNIFORM: page = random_below(&task->random, memory->pages); break;
		case ZIPF: page = random_zipf(zipf, &task->random); break;
		default: page = (*next)++ % memory->pages; break;
		}
		if (memory_touch(sim, memory, page, random_chance(&task->random, p->writes_ppm, 1000000)) == TOUCH_OOM)
			return;
	}
}

static void hold(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct anonymous_hold *p = workload_parameters(instance);
	uint64_t pages = workload_pages(sim, p->memory), next = 0;
	struct random_zipf *zipf = task_memory(sim, task, sizeof(*zipf));
	struct memory_object *memory;

	if (!zipf || !pages)
		return;
	random_zipf_init(zipf, pages, (uint32_t)p->exponent);
	memory = process_map(sim, task->process, pages, p->hugepages);
	if (!memory)
		return;
	memory_touch_range(sim, memory, 0, pages, true);
	workload_ready(sim, instance);
	while (workload_pause(sim, task, instance, p->every_ns)) {
		uint64_t start = sim_now(sim);

		if (!p->pages)
			continue;
		touch_some(sim, task, p, memory, zipf, &next);
		++*workload_figure(instance->workload, "rounds", 1);
		workload_latency(sim, instance->workload, "round", sim_now(sim) - start);
	}
}

WORKLOAD_KIND(kind_anonymous_hold, "anonymous-hold", "fills anonymous memory, keeps it, touches some of it",
	      struct anonymous_hold, fields, hold);
