// SPDX-License-Identifier: Apache-2.0
//
// Allocation under a memory policy (spec 05 M2, M4 to M8, M10, M15 to M17), and which pages a policy wants elsewhere.

#include "engine/mempolicy.h"

static const struct yard_mempolicy system_default = { .mode = YARD_MPOL_DEFAULT, .home = -1 };

struct choice { // M4
	int node;	// preferred one, -1: the CPU's
	uint64_t nodes; // mask, 0: none
};

static bool interleaves(const struct yard_mempolicy *policy)
{
	return policy->mode == YARD_MPOL_INTERLEAVE || policy->mode == YARD_MPOL_WEIGHTED_INTERLEAVE;
}

static bool ignores_policy(const struct yard *yard, uint32_t gfp, unsigned task) // M2
{
	return gfp & YARD_GFP_THISNODE || (task | task_flags(yard)) & YARD_TASK_INTERRUPT;
}

static unsigned policy_zone(const struct yard *yard, uint64_t nodes) // M6
{
	bool movable_only = true;
	unsigned highest = 0;

	for (unsigned id = 0; id < yard->nr_zones; id++) {
		const struct zone *zone = zone_at(yard, id);

		if (!zone_populated(zone) || zone->type >= YARD_ZONE_MOVABLE)
			continue;
		if (zone->type > highest)
			highest = zone->type;
		if (nodes >> zone->node & 1)
			movable_only = false;
	}
	return movable_only ? YARD_ZONE_MOVABLE : highest;
}

// A request that cannot be is confined or not, it fails all the same.
static bool bind_confines(const struct yard *yard, const struct yard_mempolicy *policy, uint32_t gfp, uint64_t cpuset)
{
	int highest = gfp_highest_zone(gfp);

	if (cpuset && !(policy->nodes & cpuset))
		return false;
	return highest == YARD_ZONE_MOVABLE || highest >= (int)policy_zone(yard, policy->nodes);
}

static unsigned interleaved_node(const struct yard *yard, const struct yard_mempolicy *policy,
				 struct yard_mempolicy_cursor *cursor, uint64_t index, bool resumed)
{
	if (index != YARD_NO_INDEX)
		return interleave_by_index(yard, policy, index);
	if (resumed && has_node(policy->nodes, cursor->previous))
		return (unsigned)cursor->previous;
	return interleave_next(yard, policy, cursor);
}

// M4 but for the interleaving modes.
static struct choice choose(const struct yard *yard, const struct yard_mempolicy *policy, uint32_t gfp, uint64_t cpuset)
{
	struct choice choice = { .node = -1 };

	switch (policy->mode) {
	case YARD_MPOL_PREFERRED:
		choice.node = (int)lowest_node(policy->nodes);
		break;
	case YARD_MPOL_PREFERRED_MANY:
		choice.node = policy->home;
		choice.nodes = policy->nodes;
		break;
	case YARD_MPOL_BIND:
		choice.node = policy->home;
		choice.nodes = bind_confines(yard, policy, gfp, cpuset) ? policy->nodes : 0;
		break;
	default: break;
	}
	return choice;
}

static uint32_t first_pass_gfp(uint32_t gfp) // M4, preferred-many
{
	return (gfp | YARD_GFP_NOWARN) & ~(uint32_t)(YARD_GFP_DIRECT_RECLAIM | YARD_GFP_NOFAIL);
}

static int alloc_preferred_many(struct yard *yard, const struct yard_request *request, struct yard_result *result)
{
	struct yard_request pass = *request;
	struct yard_result first;
	int error;

	pass.gfp = first_pass_gfp(request->gfp);
	error = yard_alloc_request(yard, &pass, result);
	if (error != YARD_ENOMEM || result->gave_up || request->part == YARD_REQUEST_UNTIL_WAKE)
		return error;
	first = *result;
	pass = *request;
	pass.nodemask = 0;
	pass.part = YARD_REQUEST_WHOLE;
	error = yard_alloc_request(yard, &pass, result);
	add_work(result, &first);
	return error;
}

static int alloc_interleaved(struct yard *yard, unsigned node, const struct yard_request *request,
			     struct yard_result *result)
{
	struct yard_request placed = *request;
	int error;

	placed.node = (int16_t)node;
	placed.nodemask = 0;
	error = yard_alloc_request(yard, &placed, result);
	if (error == YARD_OK && !request->bulk && zone_of_block(yard, result->pfn)->node == node)
		count_interleave_hit(yard, zone_of_block(yard, result->pfn)); // C4
	return error;
}

int yard_alloc_policy(struct yard *yard, const struct yard_mempolicy *policy, struct yard_mempolicy_cursor *cursor,
		      uint64_t index, const struct yard_request *request, struct yard_result *result)
{
	struct yard_request placed = *request;
	struct choice choice;

	if (!policy)
		policy = &system_default;
	if (request->nolock || ignores_policy(yard, request->gfp, request->task))
		return yard_alloc_request(yard, request, result);
	if (interleaves(policy)) {
		bool resumed = request->part == YARD_REQUEST_FROM_WAKE;

		*result = (struct yard_result){ .pfn = PFN_NONE };
		if (index == YARD_NO_INDEX && !cursor)
			return YARD_EINVAL;
		return alloc_interleaved(yard, interleaved_node(yard, policy, cursor, index, resumed), request, result);
	}
	choice = choose(yard, policy, request->gfp, request->cpuset);
	placed.node = (int16_t)choice.node;
	placed.nodemask = choice.nodes;
	if (policy->mode == YARD_MPOL_PREFERRED_MANY)
		return alloc_preferred_many(yard, &placed, result);
	if (index != YARD_NO_INDEX && request->order == YARD_PAGEBLOCK_ORDER) // M15
		return yard_alloc_huge(yard, &placed, result);
	return yard_alloc_request(yard, &placed, result);
}

// ---- M10 ----

// The part of pfns[0..nr) that begins with the first empty slot and has `pages` empty ones.
static size_t empty_part(const uint32_t *pfns, size_t nr, size_t pages, size_t *start)
{
	size_t end;

	for (*start = 0; *start < nr && pfns[*start] != PFN_NONE;)
		++*start;
	for (end = *start; end < nr && pages; end++)
		pages -= pfns[end] == PFN_NONE;
	return end - *start;
}

static void bulk_on_node(struct yard *yard, struct yard_request *request, unsigned node, size_t pages, size_t nr,
			 uint32_t *pfns)
{
	size_t start, length = empty_part(pfns, nr, pages, &start);

	if (!length || !pages)
		return;
	request->node = (int16_t)node;
	alloc_bulk(yard, request, length, pfns + start);
}

static size_t count_empty(const uint32_t *pfns, size_t nr)
{
	size_t empty = 0;

	for (size_t i = 0; i < nr; i++)
		empty += pfns[i] == PFN_NONE;
	return empty;
}

static void bulk_interleave(struct yard *yard, const struct yard_mempolicy *policy,
			    struct yard_mempolicy_cursor *cursor, struct yard_request *request, size_t nr,
			    uint32_t *pfns)
{
	unsigned members = count_nodes(policy->nodes);
	size_t pages = count_empty(pfns, nr), each = pages / members, more = pages % members;

	for (unsigned i = 0; i < members; i++) {
		unsigned node = interleave_next(yard, policy, cursor);

		bulk_on_node(yard, request, node, each + (i < more), nr, pfns);
	}
}

static void bulk_weighted(struct yard *yard, const struct yard_mempolicy *policy, struct yard_mempolicy_cursor *cursor,
			  struct yard_request *request, size_t nr, uint32_t *pfns)
{
	size_t pages[YARD_NODES_MAX] = { 0 }, left = count_empty(pfns, nr);
	int first = -1;

	if (has_node(policy->nodes, cursor->previous) && cursor->weight) {
		size_t current = left < cursor->weight ? left : cursor->weight;

		bulk_on_node(yard, request, (unsigned)cursor->previous, current, nr, pfns);
		cursor->weight = (uint8_t)(cursor->weight - current);
		left -= current;
	}
	for (; left; left--) {
		unsigned node = interleave_next(yard, policy, cursor);

		if (first < 0)
			first = (int)node;
		pages[node]++;
	}
	if (first < 0)
		return;
	for (unsigned i = 0, node = (unsigned)first; i < count_nodes(policy->nodes); i++) {
		bulk_on_node(yard, request, node, pages[node], nr, pfns);
		node = next_node(policy->nodes, (int)node);
	}
}

static size_t bulk_preferred_many(struct yard *yard, struct yard_request *request, size_t nr, uint32_t *pfns)
{
	uint32_t gfp = request->gfp;
	size_t got;

	request->gfp = first_pass_gfp(gfp);
	got = alloc_bulk(yard, request, nr, pfns);
	if (got == nr)
		return got;
	request->gfp = gfp;
	request->nodemask = 0;
	return alloc_bulk(yard, request, nr, pfns);
}

size_t yard_alloc_bulk_policy(struct yard *yard, const struct yard_mempolicy *policy,
			      struct yard_mempolicy_cursor *cursor, uint32_t gfp, size_t nr, uint32_t *pfns)
{
	struct yard_request request = { .gfp = gfp, .node = -1, .cpuset = policy ? policy->cpuset : 0 };
	struct choice choice;
	size_t start;

	if (!policy || ignores_policy(yard, gfp, 0))
		return yard_alloc_bulk(yard, gfp, nr, pfns);
	if (interleaves(policy)) {
		if (cursor && policy->mode == YARD_MPOL_INTERLEAVE)
			bulk_interleave(yard, policy, cursor, &request, nr, pfns);
		else if (cursor)
			bulk_weighted(yard, policy, cursor, &request, nr, pfns);
		empty_part(pfns, nr, 0, &start);
		return start;
	}
	choice = choose(yard, policy, gfp, policy->cpuset);
	request.node = (int16_t)choice.node;
	request.nodemask = choice.nodes;
	if (policy->mode == YARD_MPOL_PREFERRED_MANY)
		return bulk_preferred_many(yard, &request, nr, pfns);
	return alloc_bulk(yard, &request, nr, pfns);
}

// ---- B7, M24 ----

// The node of the first zone in the node's zonelist that is in `nodes` (0: in any). -1: there is none.
static int nearest_node(const struct yard *yard, unsigned node, uint64_t nodes)
{
	const uint8_t *entry = zonelist_first(yard, yard->nodes[node].fallback, YARD_ZONE_MOVABLE, nodes);

	return *entry == ZONE_MIXED ? -1 : zone_at(yard, *entry)->node;
}

// The members that the cpuset has; without one all that it has (M4's second pass, M13).
static uint64_t members(const struct yard_mempolicy *policy)
{
	if (!policy->cpuset)
		return policy->nodes;
	return policy->nodes & policy->cpuset ? policy->nodes & policy->cpuset : policy->cpuset;
}

static int wanted_node(const struct yard *yard, const struct yard_mempolicy *policy, uint64_t index, unsigned node,
		       unsigned cpu_node)
{
	unsigned from = policy->home >= 0 ? (unsigned)policy->home : cpu_node;

	switch (policy->mode) {
	case YARD_MPOL_PREFERRED: return nearest_node(yard, lowest_node(policy->nodes), policy->cpuset);
	case YARD_MPOL_INTERLEAVE:
	case YARD_MPOL_WEIGHTED_INTERLEAVE:
		if (index != YARD_NO_INDEX)
			return (int)interleave_by_index(yard, policy, index);
		break;
	case YARD_MPOL_BIND:
	case YARD_MPOL_PREFERRED_MANY:
		if (policy->flags & YARD_MPOL_NUMA_BALANCING)
			return has_node(policy->nodes & members(policy), (int)cpu_node) ? (int)cpu_node : (int)node;
		break;
	default: return nearest_node(yard, cpu_node, policy->cpuset);
	}
	return has_node(members(policy), (int)node) ? (int)node : nearest_node(yard, from, members(policy));
}

int yard_mempolicy_misplaced(const struct yard *yard, const struct yard_mempolicy *policy, uint64_t index,
			     unsigned node, unsigned cpu_node)
{
	int wanted;

	if (node >= yard->nr_nodes || cpu_node >= yard->nr_nodes)
		return -1;
	wanted = wanted_node(yard, policy ? policy : &system_default, index, node, cpu_node);
	return wanted == (int)node ? -1 : wanted;
}
