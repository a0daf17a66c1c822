// SPDX-License-Identifier: Apache-2.0
//
// local-reclaim in the simulator (spec 05 section 4): owners are workloads, garbage reclaimers are kernel threads, and
// what the engine asks of pages is answered from what the files know: when their pages came in, when they were read
// last, how much of a workload's cache is in use.

#pragma once

#include <pageyard/local_reclaim.h>

#include "sim/config.h"
#include "sim/simulation.h"

struct file;
struct memory_object;
struct workload;

struct local_settings { // L1: the key `local_reclaim` of workloads
	const char *home; // as local_reclaim_home_nodes() takes it
	uint64_t garbage, wait_pct, deny, rate_mbps, refault_max_ppm, repatriate_mbps, victim_ppm;
	uint64_t age_min_ns, age_idle_ns;
};
extern const struct config_schema local_settings_schema;

enum cache_advice { CACHE_NORMAL, CACHE_GARBAGE, CACHE_KEEP }; // what local-reclaim may do with a workload's files

// Nodes of such a machine as placement_nodes() takes them, or "cpu": *nodes is 0. False, with one line in `reason`.
bool local_reclaim_home_nodes(const char *text, unsigned nr_nodes, uint64_t *nodes, char *reason, size_t size);

bool local_reclaim_create(struct simulation *sim);
void local_reclaim_destroy(struct simulation *sim);
void local_reclaim_owner_ops(struct yard_owner_ops *ops);

// The owner that the workload's requests name, made at first use, with the reclaimers; the name stays where it is. 0:
// sim_fail() was called.
uint8_t local_reclaim_owner(struct simulation *sim, const char *workload, const struct local_settings *settings);
// At the end of an iteration: what the policy did, as figures of the workload.
void local_reclaim_figures(struct simulation *sim, struct workload *workload);

// ---- caches (local_reclaim_cache.c): the files of a workload ----

struct cache_set;
// Its number, for struct placement. The name stays where it is. 0: there are 64 already; this one is nobody's, who has
// no floor, and with advice sim_fail() was called.
uint16_t cache_set_of(struct simulation *sim, const char *workload, enum cache_advice advice);
struct cache_set *cache_set(struct simulation *sim, uint16_t number); // NULL: 0
void cache_set_count(struct cache_set *set, unsigned node, int64_t pages); // which came or went
// A page came into memory (read or written); one that is there is read.
void cache_page_new(struct simulation *sim, struct memory_object *object, uint64_t page);
void cache_page_read(struct simulation *sim, struct memory_object *object, uint64_t page, uint32_t pfn);
// The engine's question about a page of a file.
void cache_describe(struct simulation *sim, const struct memory_object *object, uint64_t page, unsigned node,
		    struct yard_local_page *answer);
