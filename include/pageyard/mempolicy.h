// SPDX-License-Identifier: Apache-2.0
//
// NUMA memory policies (spec 05 section 2): which node a request prefers and which it may use, for a task or a mapping.
//
// A policy is a value of the embedder's: it keeps one for each task (set_mempolicy()) and each mapping (mbind()), and
// asks with the mapping's if it has one, else the task's, else NULL, the system default (M1). Policies apply to later
// requests only. Functions read a policy and write a cursor; both belong to the caller.

#pragma once

#include <pageyard/yard.h>

#ifdef __cplusplus
extern "C" {
#endif

enum yard_mempolicy_mode { // M4
	YARD_MPOL_DEFAULT, // the CPU's node
	YARD_MPOL_LOCAL,   // the same, said explicitly: not for NUMA balancing (B7)
	YARD_MPOL_PREFERRED,
	YARD_MPOL_PREFERRED_MANY,
	YARD_MPOL_BIND,
	YARD_MPOL_INTERLEAVE,
	YARD_MPOL_WEIGHTED_INTERLEAVE,
	YARD_MPOL_MODES
};

enum yard_mempolicy_flags { // M11, M12
	YARD_MPOL_STATIC_NODES = 1,
	YARD_MPOL_RELATIVE_NODES = 2,
	YARD_MPOL_NUMA_BALANCING = 4, // bind and preferred-many only
};

struct yard_mempolicy {
	uint8_t mode;  // enum yard_mempolicy_mode
	uint8_t flags; // enum yard_mempolicy_flags
	int16_t home;  // M25: node to start from, -1: the CPU's
	uint64_t user_nodes; // as asked for
	uint64_t cpuset;     // allowed nodes when `nodes` was computed, 0: all
	uint64_t nodes;	     // effective (M11)
};

// Where a task is in its interleaving (M7, M8): one for each task, whatever policy it uses.
struct yard_mempolicy_cursor {
	int16_t previous; // il_prev; -1: before the first node
	uint8_t weight;	  // il_weight: allocations left on the current node
};

// What set_mempolicy() resets the cursor to.
#define YARD_MEMPOLICY_CURSOR_START ((struct yard_mempolicy_cursor){ .previous = -1, .weight = 0 })

#define YARD_NO_INDEX UINT64_MAX // of requests that come through no mapping: kernel memory, page cache

// Fills *policy. `cpuset`: the nodes that the task may use, 0: all. YARD_EINVAL: what M11 calls an error (and flags
// that exclude each other or do not go with the mode); YARD_ERANGE: nodes that the yard does not have. *policy stays as
// it is then. Policies are made here only: one that was filled in by hand may have no nodes.
int yard_mempolicy_set(const struct yard *yard, struct yard_mempolicy *policy, enum yard_mempolicy_mode mode,
		       unsigned flags, uint64_t nodes, uint64_t cpuset);
// M25. YARD_EINVAL: neither bind nor preferred-many; YARD_ERANGE: no such node. It need not be one of the policy's.
int yard_mempolicy_set_home(const struct yard *yard, struct yard_mempolicy *policy, unsigned node);
// The task's cpuset changes to `cpuset` (M11).
void yard_mempolicy_rebind(const struct yard *yard, struct yard_mempolicy *policy, uint64_t cpuset);

// M14: may the OOM killer, who needs memory of `oom_nodes` (0: any), choose a task of this policy (NULL: the default)?
bool yard_mempolicy_oom_candidate(const struct yard_mempolicy *policy, uint64_t oom_nodes);

// Weights of weighted interleave: 1 to 255 for a node (M9); switches the automatic ones off. Quiescent.
int yard_set_node_weight(struct yard *yard, unsigned node, unsigned weight);
// Weights computed from the smaller of read and write bandwidth of each node, in any unit, 0: unknown, which counts as
// a weight of 1. Once a weight was set by hand the bandwidths are only kept; NULL switches the automatic weights on
// again with the last ones. Quiescent.
void yard_auto_node_weights(struct yard *yard, const uint32_t *bandwidth);
unsigned yard_node_weight(const struct yard *yard, unsigned node);

// yard_alloc_request() under a policy (NULL: the default) and a task's cursor (NULL: as one that never moved; required
// by interleaving without an index). `index`: ilx of M7, the page's number in its mapping >> order, or YARD_NO_INDEX.
// The request's node and nodemask are ignored, but for interrupts and YARD_GFP_THISNODE, which ignore the policy (M2).
// A request of order YARD_PAGEBLOCK_ORDER with an index is a huge page (M15 to M17). Counts numa_interleave (C4).
// Errors as yard_alloc_request(); YARD_EINVAL also for interleaving with neither index nor cursor.
int yard_alloc_policy(struct yard *yard, const struct yard_mempolicy *policy, struct yard_mempolicy_cursor *cursor,
		      uint64_t index, const struct yard_request *request, struct yard_result *result);
// yard_alloc_bulk() under a policy (M10). Interleaving without a cursor gets nothing.
size_t yard_alloc_bulk_policy(struct yard *yard, const struct yard_mempolicy *policy,
			      struct yard_mempolicy_cursor *cursor, uint32_t gfp, size_t nr, uint32_t *pfns);

// Does the policy want a page, now on `node`, elsewhere? The node, or -1: it may stay. Of a hinting fault by a task on
// a CPU of `cpu_node` (B7), and of mbind's MOVE (M24). A node outside the policy's cpuset is wanted by none (M13): the
// nearest one inside takes its place, or, with YARD_MPOL_NUMA_BALANCING, the page may stay. NULL knows no cpuset; a
// policy of YARD_MPOL_DEFAULT does.
int yard_mempolicy_misplaced(const struct yard *yard, const struct yard_mempolicy *policy, uint64_t index,
			     unsigned node, unsigned cpu_node);

#ifdef __cplusplus
}
#endif
