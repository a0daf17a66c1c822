// SPDX-License-Identifier: Apache-2.0

#include "sim/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/local_reclaim.h"
#include "sim/scheduler.h"

enum {
	STEPS = 1000, // pieces of an iteration between which progress is told
	PREPARATION_MAX_S = 3600,
	ENDING_MAX_S = 600,
};

struct runner {
	struct scenario *scenario;
	const struct runner_options *options;
	struct simulation *sim;
	struct run *run;
	uint64_t nr_iterations, duration_ns, checks_begin;
};

static void on_event(void *context, const struct yard_event *event)
{
	struct runner *runner = context;

	results_event(runner->sim, event);
	if (runner->options->event)
		runner->options->event(runner->options->context, runner->sim, event);
}

static void progress(const struct runner *runner, uint64_t iteration, uint64_t step)
{
	uint64_t steps = runner->nr_iterations * STEPS;

	if (runner->options->progress)
		runner->options->progress(runner->options->context, runner->sim,
					  (unsigned)((iteration * STEPS + step) * 1000 / steps));
}

// False: the simulation can't go on; the run says why.
static bool go_on(struct runner *runner, uint64_t until_ns)
{
	if (simulation_run(runner->sim, until_ns))
		return true;
	snprintf(runner->run->error, sizeof(runner->run->error), "after %llu.%03llu s: %s",
		 (unsigned long long)(scheduler_clock(runner->sim) / NS_PER_S),
		 (unsigned long long)(scheduler_clock(runner->sim) / NS_PER_MS % 1000), runner->sim->error);
	return false;
}

// ---- checks ----

static void allow_checks(struct runner *runner)
{
	uint64_t most = runner->options->check_frames;
	uint32_t first, last;

	yard_frame_span(runner->sim->yard, &first, &last);
	runner->checks_begin = runner->sim->checks;
	runner->sim->checks_max = most ? runner->sim->checks + most / (last - first) + 1 : UINT64_MAX;
}

// Memory may take its time to be full: who has checked little goes on for longer, but not for ever.
static bool checked_enough(const struct runner *runner)
{
	enum { FEW = 100, PATIENCE = 10 };
	uint64_t requests = 0, most = runner->options->check_requests;

	if (!runner->options->check)
		return false;
	for (unsigned class = 0; class < REQUEST_CLASSES; class++)
		requests += runner->sim->results->requests[class];
	if (most && runner->sim->checks - runner->checks_begin < FEW)
		most *= PATIENCE;
	return runner->sim->checks >= runner->sim->checks_max || (most && requests >= most);
}

// ---- preparations ----

static const struct workload *unprepared(const struct scenario *scenario)
{
	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		if (scenario->workload[i].common.first && !scenario->workload[i].ready)
			return &scenario->workload[i];
	return NULL;
}

static bool prepare(struct runner *runner)
{
	struct scenario *scenario = runner->scenario;
	const struct workload *late;

	allow_checks(runner);
	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		if (scenario->workload[i].common.first)
			workload_start(runner->sim, &scenario->workload[i]);
	while ((late = unprepared(scenario))) {
		uint64_t now = scheduler_clock(runner->sim);

		if (now >= PREPARATION_MAX_S * NS_PER_S) {
			snprintf(runner->run->error, sizeof(runner->run->error),
				 "the preparation '%s' is not ready after an hour", late->common.name);
			return false;
		}
		if (!go_on(runner, now + NS_PER_S / 10))
			return false;
	}
	return true;
}

// ---- iterations ----

static bool any_running(const struct scenario *scenario)
{
	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		if (!scenario->workload[i].common.first && scenario->workload[i].running)
			return true;
	return false;
}

static void keep_workloads(const struct simulation *sim, const struct scenario *scenario, struct iteration *iteration)
{
	for (uint32_t i = 0; i < scenario->nr_workloads; i++) {
		const struct workload *workload = &scenario->workload[i];
		struct workload_results *kept = &iteration->workload[i];

		memcpy(kept->figure, workload->figure, sizeof(kept->figure));
		kept->nr_figures = workload->nr_figures;
		kept->access = workload->access;
		workload_resident(sim, workload, kept->resident);
		kept->latency_name = workload->latency_name;
		if (workload->latency)
			kept->latency = *workload->latency;
	}
}

// Asks all workloads to end and waits for that.
static bool end_workloads(struct runner *runner, uint64_t iteration)
{
	struct scenario *scenario = runner->scenario;
	uint64_t limit = scheduler_clock(runner->sim) + ENDING_MAX_S * NS_PER_S;

	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		if (!scenario->workload[i].common.first)
			workload_stop(runner->sim, &scenario->workload[i]);
	if (iteration + 1 == runner->nr_iterations) // nobody waits for the last ones: a policy may never let them end
		return true;
	while (any_running(scenario)) {
		if (scheduler_clock(runner->sim) >= limit) {
			snprintf(runner->run->error, sizeof(runner->run->error),
				 "a task did not end within %d s after iteration %llu", ENDING_MAX_S,
				 (unsigned long long)iteration + 1);
			return false;
		}
		if (!go_on(runner, scheduler_clock(runner->sim) + NS_PER_MS))
			return false;
	}
	return true;
}

// What the workloads counted while the scenario settled is not counted.
static void begin_counting(struct runner *runner)
{
	const struct scenario *scenario = runner->scenario;

	for (uint32_t i = 0; i < scenario->nr_workloads; i++) {
		struct workload *workload = &scenario->workload[i];

		if (workload->common.first)
			continue;
		for (unsigned j = 0; j < workload->nr_figures; j++)
			workload->figure[j].value = 0;
		workload->access = (struct access_account){0};
		if (workload->latency)
			*workload->latency = (struct histogram){0};
	}
	results_begin(runner->sim);
	allow_checks(runner);
}

static bool run_iteration(struct runner *runner, uint64_t number)
{
	struct scenario *scenario = runner->scenario;
	struct iteration *iteration = &runner->run->iteration[number];
	uint64_t begin, length = runner->duration_ns;

	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		if (!scenario->workload[i].common.first)
			workload_start(runner->sim, &scenario->workload[i]);
	if (scenario->settle_ns && !go_on(runner, scheduler_clock(runner->sim) + scenario->settle_ns))
		return false;
	begin_counting(runner);
	begin = scheduler_clock(runner->sim);
	for (uint64_t step = 1; step <= STEPS; step++) {
		if (!go_on(runner, begin + length / STEPS * step + (step == STEPS ? length % STEPS : 0)))
			return false;
		progress(runner, number, step);
		if ((scenario->until_done && !any_running(scenario)) || checked_enough(runner))
			break;
	}
	results_end(runner->sim);
	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		local_reclaim_figures(runner->sim, &scenario->workload[i]);
	iteration->results = *runner->sim->results;
	keep_workloads(runner->sim, scenario, iteration);
	runner->run->nr_iterations = number + 1;
	return end_workloads(runner, number);
}

static void final_check(struct runner *runner)
{
	char text[256];

	if (!runner->options->check || runner->sim->inside)
		return;
	runner->sim->checks++;
	if (yard_verify(runner->sim->yard, text, sizeof(text)))
		snprintf(runner->run->error, sizeof(runner->run->error), "the allocator is broken at the end: %s", text);
}

static void execute(struct runner *runner)
{
	if (!prepare(runner))
		return;
	for (uint64_t number = 0; number < runner->nr_iterations; number++)
		if (!run_iteration(runner, number))
			return;
	final_check(runner);
}

// ---- the run ----

static bool allocate(struct runner *runner)
{
	const struct scenario *scenario = runner->scenario;
	struct run *run = runner->run;

	run->iteration = calloc(runner->nr_iterations, sizeof(*run->iteration));
	run->guard = calloc(scenario->nr_guards + 1, sizeof(*run->guard));
	if (!run->iteration || !run->guard)
		return false;
	run->nr_iterations_max = runner->nr_iterations;
	for (uint64_t i = 0; i < runner->nr_iterations; i++) {
		run->iteration[i].workload = calloc(scenario->nr_workloads + 1, sizeof(*run->iteration[i].workload));
		if (!run->iteration[i].workload)
			return false;
	}
	return true;
}

static bool boot(struct runner *runner)
{
	const struct simulation_config config = {
		.machine = &runner->scenario->machine, .policy = runner->options->policy,
		.policy_says_lru_gen = runner->options->policy_says_lru_gen, .seed = runner->options->seed,
		.check = runner->options->check,
	};

	runner->sim = simulation_create(&config, runner->run->error, sizeof(runner->run->error));
	if (!runner->sim)
		return false;
	yard_set_event_sink(runner->sim->yard, on_event, runner, false);
	for (uint32_t i = 0; i < runner->scenario->nr_guards; i++)
		if (!guard_start(runner->sim, &runner->scenario->guard[i], i))
			return false;
	return true;
}

struct run *runner_run(struct scenario *scenario, const struct runner_options *options)
{
	struct runner runner = {
		.scenario = scenario, .options = options, .run = calloc(1, sizeof(*runner.run)),
		.nr_iterations = options->iterations ? options->iterations : scenario->iterations,
		.duration_ns = options->duration_ns ? options->duration_ns : scenario->duration_ns,
	};

	if (!runner.run || !allocate(&runner)) {
		run_free(runner.run);
		return NULL;
	}
	if (boot(&runner))
		execute(&runner);
	if (runner.sim) {
		runner.run->end_ns = scheduler_clock(runner.sim);
		runner.run->checks = runner.sim->checks;
		for (uint32_t i = 0; i < scenario->nr_guards; i++)
			guard_state(runner.sim, i, &runner.run->guard[i]);
		simulation_destroy(runner.sim);
	}
	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		workload_reset(&scenario->workload[i]);
	return runner.run;
}

void run_free(struct run *run)
{
	if (!run)
		return;
	for (uint64_t i = 0; run->iteration && i < run->nr_iterations_max; i++)
		free(run->iteration[i].workload);
	free(run->iteration);
	free(run->guard);
	free(run);
}
