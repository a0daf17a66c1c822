// SPDX-License-Identifier: Apache-2.0
//
// Memory policies as values (spec 05 M1, M4, M11, M25): how they are made, and what becomes of them when the task's
// cpuset changes.

#include "engine/mempolicy.h"

uint64_t allowed_nodes(const struct yard *yard, uint64_t cpuset)
{
	uint64_t nodes = 0;

	for (unsigned node = 0; node < yard->nr_nodes; node++)
		if (yard->nodes[node].has_memory && (!cpuset || cpuset >> node & 1))
			nodes |= 1ull << node;
	return nodes;
}

// ---- M11 ----

static uint64_t fold_onto(uint64_t ordinals, uint64_t allowed)
{
	unsigned count = count_nodes(allowed);
	uint64_t nodes = 0;

	for (; ordinals; ordinals &= ordinals - 1)
		nodes |= 1ull << nth_node(allowed, lowest_node(ordinals) % count);
	return nodes;
}

// The i-th node of `from` becomes the i-th of `to`.
static uint64_t map_nodes(uint64_t nodes, uint64_t from, uint64_t to)
{
	unsigned count = count_nodes(to);
	uint64_t mapped = 0;

	for (nodes &= from; nodes; nodes &= nodes - 1) {
		uint64_t below = from & ((1ull << lowest_node(nodes)) - 1);

		mapped |= 1ull << nth_node(to, count_nodes(below) % count);
	}
	return mapped;
}

static uint64_t effective_nodes(const struct yard_mempolicy *policy, uint64_t allowed)
{
	if (policy->flags & YARD_MPOL_RELATIVE_NODES)
		return fold_onto(policy->user_nodes, allowed);
	return policy->user_nodes & allowed;
}

static bool flags_ok(enum yard_mempolicy_mode mode, unsigned flags)
{
	const unsigned where = YARD_MPOL_STATIC_NODES | YARD_MPOL_RELATIVE_NODES;

	if (flags & ~(where | YARD_MPOL_NUMA_BALANCING) || (flags & where) == where)
		return false;
	return !(flags & YARD_MPOL_NUMA_BALANCING) || mode == YARD_MPOL_BIND || mode == YARD_MPOL_PREFERRED_MANY; // M12
}

static bool nodes_exist(const struct yard *yard, unsigned flags, uint64_t nodes)
{
	unsigned limit = flags & YARD_MPOL_RELATIVE_NODES ? YARD_NODES_MAX : yard->nr_nodes; // ordinals are folded

	return !(nodes >> limit);
}

int yard_mempolicy_set(const struct yard *yard, struct yard_mempolicy *policy, enum yard_mempolicy_mode mode,
		       unsigned flags, uint64_t nodes, uint64_t cpuset)
{
	struct yard_mempolicy made = { .flags = (uint8_t)flags, .home = -1, .user_nodes = nodes, .cpuset = cpuset };
	uint64_t allowed = allowed_nodes(yard, cpuset);

	if ((unsigned)mode >= YARD_MPOL_MODES || !flags_ok(mode, flags))
		return YARD_EINVAL;
	if (!nodes_exist(yard, flags, nodes))
		return YARD_ERANGE;
	if (mode == YARD_MPOL_PREFERRED && !nodes)
		mode = YARD_MPOL_LOCAL;
	made.mode = (uint8_t)mode;
	if (mode == YARD_MPOL_DEFAULT || mode == YARD_MPOL_LOCAL) {
		if (nodes || flags)
			return YARD_EINVAL;
		*policy = made;
		return YARD_OK;
	}
	made.nodes = allowed ? effective_nodes(&made, allowed) : 0;
	if (!made.nodes)
		return YARD_EINVAL;
	if (mode == YARD_MPOL_PREFERRED)
		made.nodes &= ~made.nodes + 1;
	*policy = made;
	return YARD_OK;
}

int yard_mempolicy_set_home(const struct yard *yard, struct yard_mempolicy *policy, unsigned node) // M25
{
	if (node >= yard->nr_nodes)
		return YARD_ERANGE;
	if (policy->mode != YARD_MPOL_BIND && policy->mode != YARD_MPOL_PREFERRED_MANY)
		return YARD_EINVAL;
	policy->home = (int16_t)node;
	return YARD_OK;
}

void yard_mempolicy_rebind(const struct yard *yard, struct yard_mempolicy *policy, uint64_t cpuset)
{
	uint64_t before = allowed_nodes(yard, policy->cpuset), allowed = allowed_nodes(yard, cpuset);

	policy->cpuset = cpuset;
	if (!allowed || (policy->mode != YARD_MPOL_BIND && policy->mode != YARD_MPOL_INTERLEAVE
			 && policy->mode != YARD_MPOL_WEIGHTED_INTERLEAVE))
		return; // local has nothing to rebind; preferred and preferred-many keep their nodes
	if (policy->flags & (YARD_MPOL_STATIC_NODES | YARD_MPOL_RELATIVE_NODES))
		policy->nodes = effective_nodes(policy, allowed);
	else
		policy->nodes = map_nodes(policy->nodes, before, allowed);
	if (!policy->nodes)
		policy->nodes = allowed;
}

bool yard_mempolicy_oom_candidate(const struct yard_mempolicy *policy, uint64_t oom_nodes) // M14
{
	return !policy || policy->mode != YARD_MPOL_BIND || !oom_nodes || policy->nodes & oom_nodes;
}
