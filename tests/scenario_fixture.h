// SPDX-License-Identifier: Apache-2.0
//
// What the tests of scenarios and workloads share: scenarios that a test writes, in a folder of its own, with a small
// machine called "box"; and the shipped ones.

#pragma once

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/data_files.h"
#include "sim/scenario.h"
#include "sim/scheduler.h"
#include "sim/simulation.h"

#define UNUSED	     __attribute__((unused))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char box[] = "name: box\n"
			  "text: for tests\n"
			  "memory: 256MiB\n"
			  "reserved: 16MiB\n"
			  "cpus: 2\n"
			  "disk: fast-nvme\n"
			  "swap: {kind: device, device: fast-nvme, size: 256MiB}\n";

static char folder[64], shipped[DATA_PATH_MAX];
static char *messages; // of the last load
static size_t messages_size;

static UNUSED void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

// Every test runs in a folder with nothing but machines/box.yaml.
static UNUSED int enter_folder(void **state)
{
	const char *data = getenv("PAGEYARD_TEST_DATA");

	(void)state;
	assert_non_null(realpath(data ? data : "tests/data", shipped));
	strcat(shipped, "/../..");
	strcpy(folder, "/tmp/pageyard-scenario-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir("machines", 0777), 0);
	write_file("machines/box.yaml", box);
	return 0;
}

static UNUSED int leave_folder(void **state)
{
	(void)state;
	free(messages);
	messages = NULL;
	unlink("machines/box.yaml");
	rmdir("machines");
	unlink("s.yaml");
	assert_int_equal(chdir("/"), 0);
	return rmdir(folder);
}

static UNUSED struct scenario *load(const char *name, const char *const *sets, size_t nr_sets)
{
	struct scenario *scenario;
	FILE *file;

	free(messages);
	file = open_memstream(&messages, &messages_size);
	assert_non_null(file);
	scenario = scenario_load(name, sets, nr_sets, file);
	assert_int_equal(fclose(file), 0);
	return scenario;
}

// A scenario of this text; a failure if it has errors.
static UNUSED struct scenario *load_text(const char *text)
{
	struct scenario *scenario;

	write_file("s.yaml", text);
	scenario = load("./s.yaml", NULL, 0);
	if (!scenario)
		fail_msg("%s", messages);
	return scenario;
}

// The shipped file of this name.
static UNUSED const char *shipped_file(const char *kind, const char *name, char path[DATA_PATH_MAX])
{
	int length = snprintf(path, DATA_PATH_MAX, "%.*s/%s/%s.yaml", DATA_PATH_MAX / 2, shipped, kind, name);

	assert_in_range(length, 1, DATA_PATH_MAX - 1);
	return path;
}

// ---- a simulation of a scenario's workloads ----

static struct simulation *sim;
static struct scenario *scenario;

static UNUSED void boot(const char *text, const char *policy_text)
{
	struct yard_policy policy;
	char error[256];

	scenario = load_text(text);
	assert_int_equal(yard_policy_parse(policy_text, &policy, error, sizeof(error)), YARD_OK);
	sim = simulation_create(&(struct simulation_config){.machine = &scenario->machine, .policy = &policy,
							    .seed = scenario->seed, .check = true},
				error, sizeof(error));
	if (!sim)
		fail_msg("%s", error);
}

static UNUSED void go_on(uint64_t until_ns)
{
	if (!simulation_run(sim, until_ns))
		fail_msg("%s", sim->error);
}

// The text's workloads, one after the other, each 200 ms before the next.
static UNUSED void run_in_turn(const char *text)
{
	char problem[256];

	boot(text, "linux-7.3");
	for (uint32_t i = 0; i < scenario->nr_workloads; i++) {
		workload_start(sim, &scenario->workload[i]);
		go_on(scheduler_clock(sim) + 200 * NS_PER_MS);
	}
	if (!memory_verify(sim, problem, sizeof(problem)) || yard_verify(sim->yard, problem, sizeof(problem)))
		fail_msg("%s", problem);
}

static UNUSED void start(void)
{
	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		workload_start(sim, &scenario->workload[i]);
}

// The simulation is over; another one may boot.
static UNUSED void switch_off(void)
{
	simulation_destroy(sim);
	scenario_free(scenario);
	sim = NULL;
	scenario = NULL;
}

static UNUSED int shut_down(void **state)
{
	switch_off();
	return leave_folder(state);
}

static UNUSED uint64_t figure(uint32_t workload, const char *name)
{
	const struct workload *of = &scenario->workload[workload];

	for (unsigned i = 0; i < of->nr_figures; i++)
		if (!strcmp(of->figure[i].name, name))
			return of->figure[i].value;
	return 0;
}

static UNUSED unsigned processes_of(const char *comm)
{
	unsigned nr = 0;

	for (const struct process *process = process_first(sim); process; process = process->next)
		nr += !strcmp(process->comm, comm);
	return nr;
}
