// SPDX-License-Identifier: Apache-2.0
//
// page-table-churn: a process that maps much, reads one zero page in each 2 MiB of it, which costs a page-table page,
// holds that, and unmaps.

#include "sim/work_steps.h"

struct page_table_churn {
	struct workload_common common;
	uint64_t pages, hold_ns, between_ns;
};

#define AT(member) CONFIG_AT(struct page_table_churn, member)

static const struct config_field fields[] = {
	{"mapping", CONFIG_PAGES, AT(pages), .default_text = "1GiB", .min = SIM_HUGE_PAGES, .max = UINT64_C(1) << 32,
	 .help = "its size; a page-table page for each 2 MiB"},
	{"hold", CONFIG_TIME, AT(hold_ns), .default_text = "20ms", .help = "until it is unmapped"},
	{"between", CONFIG_TIME, AT(between_ns), .default_text = "0", .help = "sleep between mappings"},
	{0},
};

static void churn(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct page_table_churn *p = workload_parameters(instance);
	uint32_t tables = (uint32_t)(p->pages / SIM_HUGE_PAGES);
	uint32_t *page = task_memory(sim, task, tables * sizeof(*page));

	while (page && table_step(sim, task, instance, page, tables, p->hold_ns)) {
		++*workload_figure(instance->workload, "mappings", 1);
		if (!workload_pause(sim, task, instance, p->between_ns))
			return;
	}
}

WORKLOAD_KIND(kind_page_table_churn, "page-table-churn", "maps sparsely: page tables come and go",
	      struct page_table_churn, fields, churn);
