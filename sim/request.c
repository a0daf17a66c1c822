// SPDX-License-Identifier: Apache-2.0
//
// Requests to the allocator: what they cost, how long they take, how many fail.

#include "sim/results.h"
#include "sim/scheduler.h"

static const char *const class_names[] = {
#define X(name, text) [REQUEST_##name] = text,
	REQUEST_CLASSES_TABLE(X)
#undef X
};

const char *request_class_name(enum request_class class)
{
	return class_names[class];
}

// The cost of a per-CPU list. The engine charges for what is done under the zone's lock.
static bool on_pcp_list(unsigned order)
{
	return order <= YARD_COSTLY_ORDER || order == YARD_PAGEBLOCK_ORDER;
}

static void check(struct simulation *sim)
{
	char text[200] = "";

	sim->checks++;
	if (yard_verify(sim->yard, text, sizeof(text)))
		sim_fail(sim, "%s", text);
}

static void count(struct simulation *sim, enum request_class class, uint64_t start)
{
	struct results *results = sim->results;

	results->requests[class]++;
	histogram_add(&results->latency[class], sim_now(sim) - start);
}

static void look_at_rounds(struct simulation *sim, const struct yard_result *result)
{
	if (!result->rounds)
		return;
	histogram_add(&sim->results->rounds, result->rounds);
	if (sim->check && !sim->inside && sim->checks < sim->checks_max)
		check(sim);
}

static struct yard_request request_of(const struct simulation *sim, uint32_t gfp, unsigned order, int node)
{
	return (struct yard_request){
		.gfp = gfp,
		.order = (uint8_t)order,
		.node = (int16_t)node,
		// A timer's callback stands for a softirq: network receive, the end of I/O (spec 02 SP-12).
		.task = scheduler_in_interrupt(sim) ? YARD_TASK_INTERRUPT | YARD_TASK_SOFTIRQ : 0,
	};
}

static void request_pages(struct simulation *sim, uint32_t gfp, unsigned order, int node, struct yard_result *result)
{
	struct yard_request request = request_of(sim, gfp, order, node);

	if (on_pcp_list(order))
		sim_charge(sim, COST_ALLOC, 1);
	sim->inside++;
	yard_alloc_request(sim->yard, &request, result);
	sim->inside--;
	look_at_rounds(sim, result);
}

uint32_t sim_alloc(struct simulation *sim, enum request_class class, uint32_t gfp, unsigned order, int node)
{
	struct yard_result result = {.pfn = YARD_PFN_NONE};
	uint64_t start = sim_now(sim);

	request_pages(sim, gfp, order, node, &result);
	count(sim, class, start);
	if (result.pfn == YARD_PFN_NONE)
		results_failure(sim, class);
	return result.pfn;
}

uint32_t sim_try_alloc(struct simulation *sim, enum request_class class, uint32_t gfp, unsigned order, int node)
{
	struct yard_result result = {.pfn = YARD_PFN_NONE};
	uint64_t start = sim_now(sim);

	request_pages(sim, gfp, order, node, &result);
	if (result.pfn != YARD_PFN_NONE)
		count(sim, class, start);
	return result.pfn;
}

uint32_t sim_alloc_huge(struct simulation *sim, uint32_t gfp, int node)
{
	struct yard_request request = request_of(sim, gfp, SIM_HUGE_ORDER, node);
	struct yard_result result = {.pfn = YARD_PFN_NONE};
	uint64_t start = sim_now(sim);

	sim_charge(sim, COST_ALLOC, 1);
	sim->inside++;
	yard_alloc_huge(sim->yard, &request, &result);
	sim->inside--;
	look_at_rounds(sim, &result);
	count(sim, REQUEST_THP, start);
	if (result.pfn == YARD_PFN_NONE)
		results_failure(sim, REQUEST_THP);
	return result.pfn;
}

void sim_free(struct simulation *sim, uint32_t pfn, unsigned order)
{
	int error;

	sim->results->frees++;
	if (on_pcp_list(order))
		sim_charge(sim, COST_FREE, 1);
	error = yard_free(sim->yard, pfn, order);
	if (error)
		sim_fail(sim, "frame %u, order %u: %s", pfn, order, yard_error_text(error));
}
