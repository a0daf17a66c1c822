// SPDX-License-Identifier: Apache-2.0
//
// socket-churn: a process that queues writes on unix stream sockets and closes them.

#include "sim/work_steps.h"

struct socket_churn {
	struct workload_common common;
	uint64_t writes, hold_ns, between_ns;
};

#define AT(member) CONFIG_AT(struct socket_churn, member)

static const struct config_field fields[] = {
	{"writes", CONFIG_COUNT, AT(writes), .default_text = "6", .min = 1, .max = SOCKET_WRITES_MAX,
	 .help = "of 32 KiB that fit into the send buffer"},
	{"hold", CONFIG_TIME, AT(hold_ns), .default_text = "5ms", .help = "until it is closed"},
	{"between", CONFIG_TIME, AT(between_ns), .default_text = "0", .help = "sleep between sockets"},
	{0},
};

static void churn(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct socket_churn *p = workload_parameters(instance);
	struct socket_pair *pair = task_memory(sim, task, sizeof(*pair));
	struct kernel_caches caches;

	if (!pair || !kernel_caches(sim, &caches))
		return;
	while (socket_step(sim, task, instance, &caches, pair, p->writes, p->hold_ns)) {
		++*workload_figure(instance->workload, "sockets", 1);
		if (!workload_pause(sim, task, instance, p->between_ns))
			break;
	}
}

WORKLOAD_KIND(kind_socket_churn, "socket-churn", "queues data on unix sockets and closes them", struct socket_churn,
	      fields, churn);
