// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the memory model, the page cache and devices share: small machines with the costs of the tables,
// a task that runs the body of a test, and checks that hold whenever nothing is under way.

#pragma once

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pageyard/lru.h>
#include <pageyard/stat.h>

#include <pageyard/sim.h>
#include <pageyard/worker.h>

#include "sim/memory_internal.h"
#include "sim/page_cache.h"
#include "sim/results.h"
#include "sim/swap_device.h"

#define UNUSED	     __attribute__((unused))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { MIB = 256 }; // pages

static struct machine machine;
static struct machine_node machine_node;
static struct device_config disk;
static struct simulation *sim;

// One node, files on an NVMe device, no swap. A test changes `machine` and `disk` before start().
static UNUSED void describe(uint64_t pages, unsigned cpus)
{
	machine_node = (struct machine_node){.pages = pages, .cpus = cpus};
	disk = (struct device_config){.read_ns = 80000,
				      .write_ns = 18000,
				      .read_bandwidth = UINT64_C(6500000000),
				      .write_bandwidth = UINT64_C(3500000000),
				      .servers = 74,
				      .jitter_ppm = 50000};
	machine = (struct machine){.node = &machine_node,
				   .nr_nodes = 1,
				   .nr_cpus = cpus,
				   .one_zone = true,
				   .min_free_kbytes = -1,
				   .watermark_boost_factor = -1,
				   .swappiness = 60,
				   .thp_enabled = THP_NEVER,
				   .page_cluster = 3,
				   .dirty_ratio = 20,
				   .dirty_background_ratio = 10,
				   .readahead_pages = 32,
				   .readahead_wakes_kswapd = true,
				   .device = &disk,
				   .nr_devices = 1,
				   .hz = 1000,
				   .zram_read_ns = 2200,
				   .zram_write_ns = 4000,
				   .zram_ratio_thousandths = 2740};
	for (unsigned i = 0; i < COSTS; i++)
		machine.cost_ns[i] = cost_items[i].ns;
}

static UNUSED void swap_on(enum swap_kind kind, uint64_t pages)
{
	machine.swap_kind = kind;
	machine.swap_pages = pages;
}

static UNUSED void start(void)
{
	struct simulation_config config = {.machine = &machine, .seed = 1};
	static struct yard_policy policy;
	char error[256];

	assert_int_equal(yard_policy_parse("linux-7.3", &policy, error, sizeof(error)), YARD_OK);
	config.policy = &policy;
	sim = simulation_create(&config, error, sizeof(error));
	if (!sim)
		fail_msg("%s", error);
}

static uint64_t nr_tasks; // each has a random stream of its own
static bool in_body; // an assertion that fails in a task leaves its coroutine running: then nothing can be taken down

static UNUSED int stop(void **state)
{
	(void)state;
	if (!in_body)
		simulation_destroy(sim);
	sim = NULL;
	in_body = false;
	nr_tasks = 0;
	return 0;
}

// ---- tasks ----

static UNUSED struct sim_task *task_of(task_body *body, void *argument)
{
	const struct task_attributes attributes = {.comm = "test", .cpu = -1, .node = -1, .index = nr_tasks++};
	struct sim_task *task = task_create(sim, &attributes, body, argument);

	assert_non_null(task);
	return task;
}

static UNUSED void run_for(uint64_t ns)
{
	if (!simulation_run(sim, scheduler_clock(sim) + ns))
		fail_msg("%s", sim->error);
}

static bool body_done;
static void (*the_body)(void);

static void run_body(struct simulation *s, struct sim_task *task, void *argument)
{
	(void)s, (void)task, (void)argument;
	in_body = true;
	the_body();
	in_body = false;
	body_done = true;
}

// Runs the function as a task until it returns, at most an hour of virtual time.
static UNUSED void as_task(void (*body)(void))
{
	the_body = body;
	body_done = false;
	task_of(run_body, NULL);
	for (unsigned second = 0; second < 3600 && !body_done; second++)
		run_for(NS_PER_S);
	assert_true(body_done);
}

// ---- checks ----

static UNUSED uint64_t vm(enum yard_vm_event event)
{
	return yard_get_vm_event(sim->yard, event);
}

static UNUSED uint64_t node_counter(enum yard_node_stat item)
{
	return (uint64_t)yard_get_node_stat(sim->yard, 0, item);
}

static UNUSED const struct memory_statistics *counters(void)
{
	return memory_statistics(sim);
}

// Between any two moments; tasks may sleep inside the engine.
static UNUSED void check_all(void)
{
	char text[256] = "";

	if (sim->error[0])
		fail_msg("%s", sim->error);
	if (!memory_verify(sim, text, sizeof(text)))
		fail_msg("%s", text);
}

static UNUSED uint64_t resident_pages(void)
{
	uint64_t pages = 0;

	for (const struct memory_object *object = sim->memory->objects; object; object = object->next)
		pages += object->resident;
	return pages;
}

// Pages of the LRU, and those that wait to join it.
static UNUSED uint64_t lru_pages(void)
{
	uint32_t pfn, end, first, flags;
	enum yard_mapping mapping;
	uint64_t pages = 0;
	unsigned order;
	bool lru;

	yard_lru_drain_all(sim->yard);
	for (yard_frame_span(sim->yard, &pfn, &end); pfn < end; pfn++)
		if (yard_frame_state(sim->yard, pfn, &first, &order) == YARD_FRAME_ALLOCATED && first == pfn
		    && yard_lru_get(sim->yard, pfn, &flags, &mapping, &lru) == YARD_OK && lru)
			pages += 1u << order;
	return pages;
}

// Free pages, those of per-CPU sets too.
static UNUSED uint64_t free_pages(void)
{
	struct yard_zone_state zone;
	uint64_t pages = 0;

	yard_lru_drain_all(sim->yard);
	yard_drain_all(sim->yard, -1);
	for (unsigned cpu = 0; cpu < yard_nr_cpus(sim->yard); cpu++)
		yard_vmstat_update(sim->yard, cpu, false);
	for (unsigned i = 0; i < yard_nr_zones(sim->yard); i++) {
		assert_int_equal(yard_get_zone(sim->yard, i, &zone), YARD_OK);
		pages += (uint64_t)zone.stat[YARD_NR_FREE_PAGES];
	}
	return pages;
}

// Nothing is under way: each page on the LRU belongs to an object.
static UNUSED void check_quiet(void)
{
	char text[256] = "";

	check_all();
	if (yard_verify(sim->yard, text, sizeof(text)) != YARD_OK)
		fail_msg("%s", text);
	assert_int_equal(counters()->reading, 0);
	assert_int_equal(counters()->orphans, 0);
	assert_int_equal(lru_pages(), resident_pages());
}
