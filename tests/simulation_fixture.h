// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the scheduler and of whole simulations share: a machine that a test describes, booted and run.

#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/machine.h"
#include "sim/scheduler.h"
#include "sim/simulation.h"

#define UNUSED	     __attribute__((unused))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { NODES_MAX = 4 };

static struct machine machine;
static struct machine_node nodes[NODES_MAX];
static uint8_t distances[NODES_MAX * NODES_MAX];
static struct device_config disk;
static struct simulation *sim;

// Nothing costs anything.
static UNUSED void describe(unsigned nr_nodes, unsigned cpus_per_node, uint64_t pages_per_node)
{
	memset(nodes, 0, sizeof(nodes));
	disk = (struct device_config){
		.read_ns = 80000,
		.write_ns = 18000,
		.read_bandwidth = UINT64_C(6500000000),
		.write_bandwidth = UINT64_C(3500000000),
		.servers = 16,
	};
	machine = (struct machine){
		.node = nodes,
		.nr_nodes = nr_nodes,
		.nr_cpus = nr_nodes * cpus_per_node,
		.distance = distances,
		.one_zone = true,
		.min_free_kbytes = -1,
		.watermark_boost_factor = -1,
		.swappiness = 60,
		.dirty_ratio = 20,
		.dirty_background_ratio = 10,
		.page_cluster = 3,
		.readahead_pages = 32, .readahead_wakes_kswapd = true,
		.device = &disk,
		.nr_devices = 1,
		.hz = 1000,
	};
	for (unsigned node = 0; node < nr_nodes; node++) {
		nodes[node] = (struct machine_node){.pages = pages_per_node, .cpus = cpus_per_node};
		for (unsigned other = 0; other < nr_nodes; other++)
			distances[node * nr_nodes + other] = node == other ? 10 : 20;
	}
}

static UNUSED void default_costs(void)
{
	for (unsigned i = 0; i < COSTS; i++)
		machine.cost_ns[i] = cost_items[i].ns;
}

static UNUSED struct simulation *boot_as(const char *policy_text, uint64_t seed, bool check)
{
	struct simulation_config config = {.machine = &machine, .seed = seed, .check = check};
	struct simulation *booted;
	struct yard_policy policy;
	char error[256] = "";

	assert_int_equal(yard_policy_parse(policy_text, &policy, error, sizeof(error)), YARD_OK);
	config.policy = &policy;
	booted = simulation_create(&config, error, sizeof(error));
	if (!booted)
		fail_msg("%s", error);
	return booted;
}

static UNUSED void boot(void)
{
	sim = boot_as("linux-7.3", 1, false);
}

static UNUSED void run_until(uint64_t ns)
{
	if (!simulation_run(sim, ns))
		fail_msg("%s", sim->error);
	assert_true(scheduler_clock(sim) == ns);
}

static UNUSED int shut_down(void **state)
{
	(void)state;
	simulation_destroy(sim);
	sim = NULL;
	return 0;
}

static UNUSED struct sim_task *start_on(int cpu, int nice, task_body *body, void *argument)
{
	const struct task_attributes attributes = {.comm = "test", .cpu = cpu, .node = -1, .nice = nice};
	struct sim_task *task = task_create(sim, &attributes, body, argument);

	assert_non_null(task);
	return task;
}

static UNUSED void check_yard(void)
{
	char text[256];

	if (yard_verify(sim->yard, text, sizeof(text)))
		fail_msg("%s", text);
}
