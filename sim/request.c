// SPDX-License-Identifier: Apache-2.0
//
// Requests to the allocator: what they cost, how long they take, how many fail.

#include "sim/memory.h"
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

static uint64_t cpuset_of_task(const struct simulation *sim) // interrupts have none
{
	const struct sim_task *task = task_current(sim);

	return task && !scheduler_in_interrupt(sim) ? task->placement.cpuset : 0;
}

static struct yard_request request_of(const struct simulation *sim, uint32_t gfp, unsigned order, int node)
{
	return (struct yard_request){
		.gfp = gfp,
		.order = (uint8_t)order,
		.node = (int16_t)node,
		// A timer's callback stands for a softirq: network receive, the end of I/O (spec 02 SP-12).
		.cpuset = cpuset_of_task(sim),
		.task = scheduler_in_interrupt(sim) ? YARD_TASK_INTERRUPT | YARD_TASK_SOFTIRQ : 0,
	};
}

// What tells where a page is to lie. A node that was asked for comes before all policies.
struct request_place {
	int node; // -1: as the policies say
	const struct memory_object *mapping; // NULL: none
	uint64_t page;			     // of the mapping
};

// M1: the mapping's, else that of the task. NULL: neither has one.
static const struct yard_mempolicy *policy_for(const struct sim_task *task, const struct request_place *place)
{
	if (place->node >= 0)
		return NULL;
	if (place->mapping && place->mapping->placement.has_policy)
		return &place->mapping->placement.policy;
	return task && task->placement.has_policy ? &task->placement.policy : NULL;
}

// Of local-reclaim; 0: nobody's. Interrupts are nobody's.
static uint8_t local_owner(const struct simulation *sim, const struct request_place *place)
{
	const struct sim_task *task = task_current(sim);

	if (place->node >= 0 || !task || scheduler_in_interrupt(sim))
		return 0;
	if (place->mapping && place->mapping->placement.local_reclaim)
		return place->mapping->placement.local_reclaim;
	return task->placement.local_reclaim;
}

// A request for a huge page by a fault without a policy is yard_alloc_huge()'s, which is what the default policy does.
static void ask(struct simulation *sim, const struct yard_request *request, const struct request_place *place,
		bool huge, struct yard_result *result)
{
	struct sim_task *task = task_current(sim);
	const struct yard_mempolicy *policy = policy_for(task, place);
	uint64_t index = place->mapping ? place->page >> request->order : YARD_NO_INDEX;

	sim->inside++;
	if (policy)
		yard_alloc_policy(sim->yard, policy, task ? &task->cursor : NULL, index, request, result);
	else if (huge)
		yard_alloc_huge(sim->yard, request, result);
	else
		yard_alloc_request(sim->yard, request, result);
	sim->inside--;
	look_at_rounds(sim, result);
}

static void request_pages(struct simulation *sim, uint32_t gfp, unsigned order, const struct request_place *place,
			  struct yard_result *result)
{
	struct yard_request request = request_of(sim, gfp, order, place->node);

	request.local_reclaim = local_owner(sim, place);
	if (on_pcp_list(order))
		sim_charge(sim, COST_ALLOC, 1);
	ask(sim, &request, place, false, result);
}

static uint32_t alloc_at(struct simulation *sim, enum request_class class, uint32_t gfp, unsigned order,
			 const struct request_place *place)
{
	struct yard_result result = {.pfn = YARD_PFN_NONE};
	uint64_t start = sim_now(sim);

	request_pages(sim, gfp, order, place, &result);
	count(sim, class, start);
	if (result.pfn == YARD_PFN_NONE)
		results_failure(sim, class);
	return result.pfn;
}

uint32_t sim_alloc(struct simulation *sim, enum request_class class, uint32_t gfp, unsigned order, int node)
{
	const struct request_place place = {.node = node};

	return alloc_at(sim, class, gfp, order, &place);
}

uint32_t sim_alloc_mapped(struct simulation *sim, uint32_t gfp, const struct memory_object *object, uint64_t page)
{
	const struct request_place place = {object->node, object, page};

	return alloc_at(sim, REQUEST_ANON, gfp, 0, &place);
}

uint32_t sim_try_alloc(struct simulation *sim, enum request_class class, uint32_t gfp, unsigned order, int node)
{
	const struct request_place place = {.node = node};
	struct yard_result result = {.pfn = YARD_PFN_NONE};
	uint64_t start = sim_now(sim);

	request_pages(sim, gfp, order, &place, &result);
	if (result.pfn != YARD_PFN_NONE)
		count(sim, class, start);
	return result.pfn;
}

uint32_t sim_alloc_huge(struct simulation *sim, uint32_t gfp, const struct memory_object *object, uint64_t page)
{
	const struct request_place place = {object ? object->node : -1, object, page};
	struct yard_request request = request_of(sim, gfp, SIM_HUGE_ORDER, place.node);
	struct yard_result result = {.pfn = YARD_PFN_NONE};
	uint64_t start = sim_now(sim);

	request.local_reclaim = local_owner(sim, &place);
	sim_charge(sim, COST_ALLOC, 1);
	ask(sim, &request, &place, true, &result);
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
