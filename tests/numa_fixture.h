// SPDX-License-Identifier: Apache-2.0
//
// What the tests of NUMA balancing share: two nodes, a task that puts pages where the test wants them, marks of single
// pages, and scans that do not wait for their time.

#pragma once

#include "scenario_fixture.h"

#include <pageyard/lru.h>
#include <pageyard/stat.h>

#include "sim/numa_balancing_internal.h"

enum { SCAN = 1024, R = REGION_PAGES }; // pages of a scan

// Two nodes of 64 MiB with two CPUs each. Nothing is scanned by itself: what a test marks is all.
#define NODES_2(balancing)                                                                                             \
	"machine: {memory: 64MiB, cpus: 2, zones: one, nodes: [{}, {}], numa_balancing: {scan_delay: 1h, scan_size: 4MiB, " \
	balancing "}}\nduration: 1s\nworkload: [{kind: storm}]\n"
// A node of DRAM with two CPUs, and one of slower memory.
#define TIERS_2(memory, balancing)                                                                                     \
	"machine: {memory: " memory ", cpus: 2, zones: one, nodes: [{}, {cpus: 0, kind: cxl}], "                        \
	"latency: [[90ns, 250ns], [250ns, 250ns]], bandwidth: [[250GB/s, 24GB/s], [24GB/s, 24GB/s]], "                \
	"numa_balancing: {scan_delay: 1h, scan_size: 4MiB, " balancing "}}\nduration: 1s\nworkload: [{kind: storm}]\n"

typedef void test_body(struct sim_task *task);
static test_body *bodies[4];
static unsigned nr_bodies, nr_done;

static void run_body(struct simulation *simulation, struct sim_task *task, void *argument)
{
	test_body **body = argument;

	(void)simulation;
	(*body)(task);
	nr_done++;
}

static UNUSED struct process *new_process(void)
{
	struct process *process = process_create(sim, &(struct process_attributes){.comm = "balanced", .free = true});

	assert_non_null(process);
	return process;
}

static UNUSED void add_thread(struct process *process, int node, test_body *body)
{
	const struct task_attributes attributes = {.comm = "balanced", .cpu = -1, .node = node};

	assert_true(nr_bodies < COUNT(bodies));
	bodies[nr_bodies] = body;
	assert_non_null(process_thread(sim, process, &attributes, run_body, &bodies[nr_bodies++]));
}

static UNUSED void check_all(void)
{
	char text[256];

	if (!memory_verify(sim, text, sizeof(text)) || yard_verify(sim->yard, text, sizeof(text)) != YARD_OK)
		fail_msg("%s", text);
}

static UNUSED void finish_bodies(void)
{
	for (unsigned i = 0; i < 10000 && nr_done < nr_bodies; i++)
		go_on(scheduler_clock(sim) + NS_PER_S / 10);
	assert_int_equal(nr_done, nr_bodies);
	check_all();
}

// A process of one task on node 0.
static UNUSED void in_task(const char *text, test_body *body)
{
	boot(text, "linux-7.3");
	add_thread(new_process(), 0, body);
	finish_bodies();
}

static UNUSED int tear_down(void **state)
{
	if (nr_done < nr_bodies) // a check failed inside a task, whose stack we are still on
		sim = NULL;
	nr_bodies = nr_done = 0;
	return shut_down(state);
}

// ---- in a task ----

static UNUSED void put_pages(struct memory_object *object, uint64_t first, uint64_t count, int node)
{
	object->node = (int16_t)node;
	assert_int_equal(memory_touch_range(sim, object, first, count, true), count);
	object->node = -1;
	yard_lru_drain_all(sim->yard); // what waits in a batch can not move
}

static UNUSED struct memory_object *map_on(struct sim_task *task, uint64_t pages, int node)
{
	struct memory_object *object = process_map(sim, task->process, pages, false);

	assert_non_null(object);
	put_pages(object, 0, pages, node);
	return object;
}

static UNUSED struct memory_object *map_huge_on(struct sim_task *task, unsigned nr, int node)
{
	struct memory_object *object = process_map(sim, task->process, (uint64_t)nr * R, true);

	assert_non_null(object);
	object->huge = true;
	object->huge_gfp = YARD_GFP_TRANSHUGE;
	put_pages(object, 0, (uint64_t)nr * R, node);
	for (unsigned i = 0; i < nr; i++)
		assert_true(object_is_huge(sim, object, (uint64_t)i * R));
	return object;
}

static UNUSED bool is_marked(const struct memory_object *object, uint64_t page)
{
	const struct region *region = region_of(sim, object, page);

	return region->huge ? region->huge_hint : region_entry(region, page % R) & ENTRY_HINT;
}

static UNUSED uint64_t count_marked(const struct memory_object *object)
{
	uint64_t nr = 0;

	for (uint64_t page = 0; page < object->pages; page++)
		nr += is_marked(object, page);
	return nr;
}

// As a scan does, of one page; its note is `note` unless that is KEEP.
#define KEEP UINT32_MAX
static UNUSED void mark(struct memory_object *object, uint64_t page, uint32_t note)
{
	struct region *region = region_of(sim, object, page);
	unsigned offset = region->huge ? 0 : page % R;

	if (!region->numa)
		region->numa = calloc(R, sizeof(region->numa[0]));
	assert_non_null(region->numa);
	if (note != KEEP)
		region->numa[offset] = note;
	if (region->huge)
		region->huge_hint = true;
	else
		region->entry[offset] |= ENTRY_HINT;
}

static UNUSED uint32_t time_note(void)
{
	return (uint32_t)(sim_now(sim) / NS_PER_MS);
}

static UNUSED void touch(struct memory_object *object, uint64_t page)
{
	assert_int_not_equal(memory_touch(sim, object, page, false), TOUCH_OOM);
	assert_false(is_marked(object, page));
	yard_lru_drain_all(sim->yard);
}

static UNUSED uint32_t accessor(unsigned cpu, uint32_t pid) // a note of B8
{
	return 1u << 31 | cpu << 8 | (pid & 255);
}

static UNUSED int node_after_touch(struct memory_object *object, uint64_t page)
{
	touch(object, page);
	return object_node_of(sim, object, page);
}

// The scan of a task whose time has come.
static UNUSED void scan_now(struct sim_task *task)
{
	task->process->numa.next_ns = 1;
	task->numa.period_ns = 1;
	task->numa.stamp_ns = 0;
	task_compute(sim, 1000);
	numa_balancing_tick(sim);
	task->process->numa.next_ns = SIM_FOREVER;
}

static UNUSED const struct numa_balancing_statistics *counts(void)
{
	return numa_balancing_statistics(sim);
}
