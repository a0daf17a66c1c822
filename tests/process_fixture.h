// SPDX-License-Identifier: Apache-2.0
//
// What the tests of slabs, processes and guards share: a small simulated machine with the default costs.

#pragma once

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pageyard/lru.h>
#include <pageyard/pressure.h>
#include <pageyard/stat.h>

#include "sim/guard.h"
#include "sim/machine.h"
#include "sim/process.h"
#include "sim/simulation.h"
#include "sim/slab.h"

#define UNUSED __attribute__((unused))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { NODES = 2, PAGES = 16384 }; // 64 MiB a node

static struct machine machine;
static struct machine_node nodes[NODES];
static struct device_config disk;
static uint8_t distance[NODES * NODES];
static struct simulation *sim;

static UNUSED void describe_machine(unsigned nr_nodes, unsigned cpus, uint64_t pages)
{
	memset(nodes, 0, sizeof nodes);
	machine = (struct machine){
		.node = nodes, .nr_nodes = nr_nodes, .nr_cpus = nr_nodes * cpus, .distance = distance, .one_zone = true,
		.min_free_kbytes = -1, .watermark_boost_factor = -1, .swappiness = 60, .device = &disk, .nr_devices = 1,
		.hz = 1000, .cpu_scale_thousandths = 1000, .page_cluster = 3, .readahead_pages = 32,
		.readahead_wakes_kswapd = true,
		.dirty_ratio = 20, .dirty_background_ratio = 10,
	};
	for (unsigned i = 0; i < COSTS; i++)
		machine.cost_ns[i] = cost_items[i].ns;
	for (unsigned node = 0; node < nr_nodes; node++) {
		nodes[node] = (struct machine_node){ .pages = pages, .cpus = cpus };
		for (unsigned other = 0; other < nr_nodes; other++)
			distance[node * nr_nodes + other] = node == other ? 10 : 20;
	}
}

static UNUSED void start_machine(void)
{
	struct simulation_config config = { .machine = &machine, .seed = 1, .check = true };
	static struct yard_policy policy;
	char error[256];

	assert_int_equal(yard_policy_parse("linux-7.3", &policy, error, sizeof(error)), YARD_OK);
	config.policy = &policy;
	sim = simulation_create(&config, error, sizeof(error));
	if (!sim)
		fail_msg("%s", error);
}

static UNUSED void start(unsigned nr_nodes, unsigned cpus, uint64_t pages)
{
	describe_machine(nr_nodes, cpus, pages);
	start_machine();
}

static UNUSED int stop(void **state)
{
	(void)state;
	simulation_destroy(sim);
	sim = NULL;
	return 0;
}

static UNUSED uint64_t free_pages(void)
{
	struct yard_zone_state zone;
	uint64_t pages = 0;

	yard_lru_drain_all(sim->yard); // what is freed while it waits in a batch
	yard_drain_all(sim->yard, -1);
	for (unsigned cpu = 0; cpu < yard_nr_cpus(sim->yard); cpu++)
		yard_vmstat_update(sim->yard, cpu, false);
	for (unsigned i = 0; i < yard_nr_zones(sim->yard); i++) {
		assert_int_equal(yard_get_zone(sim->yard, i, &zone), YARD_OK);
		pages += (uint64_t)zone.stat[YARD_NR_FREE_PAGES];
	}
	return pages;
}

static UNUSED void check_yard(void)
{
	char text[256];

	if (yard_verify(sim->yard, text, sizeof(text)) != YARD_OK)
		fail_msg("%s", text);
}

static UNUSED void run_until(uint64_t ns)
{
	if (!simulation_run(sim, ns))
		fail_msg("%s", sim->error);
}

// Takes single pages until this mask gets no more, for an owner that gives nothing back.
static UNUSED void fill_memory(uint32_t gfp)
{
	while (yard_alloc(sim->yard, gfp | YARD_GFP_NOWARN, 0) != YARD_PFN_NONE)
		;
}
