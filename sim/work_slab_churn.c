// SPDX-License-Identifier: Apache-2.0
//
// slab-churn: a process that creates and opens empty files among a number of names: inodes and dentries stay in their
// slab caches until the shrinker wants them.

#include "sim/work_steps.h"

struct slab_churn {
	struct workload_common common;
	uint64_t names, files;
	struct config_rate rate;
};

#define AT(member) CONFIG_AT(struct slab_churn, member)

static const struct config_field fields[] = {
	{"names", CONFIG_COUNT, AT(names), .default_text = "20000", .min = 1, .max = 100000000,
	 .help = "of files; all instances share them"},
	{"files", CONFIG_COUNT, AT(files), .default_text = "64", .min = 1, .help = "opened in a step"},
	{"rate", CONFIG_RATE, AT(rate), .default_text = "100/s", .help = "of steps; 0: one after the other"},
	{0},
};

static void churn(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct slab_churn *p = workload_parameters(instance);
	struct file_names *names = file_names_join(sim, instance->workload, p->names);
	struct workload_pace pace = {0};
	struct kernel_caches caches;

	if (!names || !kernel_caches(sim, &caches))
		return;
	while (file_step(sim, task, instance, &caches, names, p->files)) {
		*workload_figure(instance->workload, "files", 1) += p->files;
		if (!workload_pace(sim, task, instance, &pace, p->rate))
			break;
	}
	file_names_leave(sim, &caches, names);
}

WORKLOAD_KIND(kind_slab_churn, "slab-churn", "creates and opens small files: inodes and dentries", struct slab_churn,
	      fields, churn);
