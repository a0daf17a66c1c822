// SPDX-License-Identifier: Apache-2.0
//
// Where memory is to lie: the memory policies of tasks (set_mempolicy()) and of mappings (mbind()) in the simulator
// (spec 05 section 2). A request asks with the mapping's policy if it has one, else with the task's, else as the engine
// does by itself (M1). Pages of files follow the task that reads or writes them, never a mapping (M20).

#pragma once

#include <pageyard/mempolicy.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct simulation;
struct sim_task;
struct memory_object;

struct placement { // all zero: the default
	struct yard_mempolicy policy;
	bool has_policy;
	uint64_t cpuset;       // nodes that a task may use (M13); 0: all
	bool spread_page;      // M21: of tasks
	uint8_t local_reclaim; // owner of pageyard/local_reclaim.h; 0: none
	uint16_t cache_set;    // what files of the task are to local-reclaim (sim/local_reclaim.h); 0: nobody's
};

// A policy as scenarios write it: "default", "local", "preferred:1", "preferred-many:0-3", "bind:0,2",
// "interleave:all", "weighted-interleave:0-1"; with flags "bind=static:0", "bind=balancing:0". False, with one line in
// `reason`: no such policy on a machine with so many nodes.
bool placement_check(const char *text, unsigned nr_nodes, char *reason, size_t size);
// "0,2-3" or "all": nodes of such a machine. *nodes: 0 for all. False, with one line in `reason`.
bool placement_nodes(const char *text, unsigned nr_nodes, uint64_t *nodes, char *reason, size_t size);
// The same, which has been checked; placement->cpuset is heeded (M11). False: the yard refuses it (nodes without memory; sim_fail() was called).
bool placement_set(struct simulation *sim, struct placement *placement, const char *text);

// set_mempolicy(), by or for a task: its cursor starts anew. mbind() without MOVE. Of later allocations.
void task_set_placement(struct sim_task *task, const struct placement *placement);
void mapping_set_placement(struct memory_object *object, const struct placement *placement);

// M21: the node that the running task's next page of the page cache goes to, in turn. -1: as its policy says.
int placement_spread_node(struct simulation *sim);
