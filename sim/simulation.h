// SPDX-License-Identifier: Apache-2.0
//
// The simulated machine: one yard, its CPUs and tasks on a virtual clock, and the parts that ask it for memory. Read
// this first; each part has a header of its own.
//
// Time. Each CPU has a clock. What a task does costs virtual time (sim/costs.h), which moves the clock of its CPU on;
// the CPU whose clock is furthest behind runs next. Between two points at which others may run (sim_point(), which the
// engine also reaches wherever Linux has cond_resched(), and every sleep) a task runs without a break, so its clock may
// be ahead of others' by what it did since the last one, and by the machine's scheduling grain. At equal times timers
// come first, then who was added first. Nothing comes from the wall clock.
//
// Memory of the parts: a task's body allocates with task_memory() only, because a simulation that ends abandons tasks
// where they are.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pageyard/sim.h>
#include <pageyard/worker.h>

#include "sim/costs.h"
#include "sim/event_queue.h"
#include "sim/random.h"
#include "yard_platform.h"

#define NS_PER_US   UINT64_C(1000)
#define NS_PER_MS   UINT64_C(1000000)
#define NS_PER_S    UINT64_C(1000000000)
#define SIM_FOREVER UINT64_MAX

enum { SIM_PAGE = 4096, SIM_HUGE_PAGES = 512, SIM_HUGE_ORDER = 9 };

struct machine;	    // sim/machine.h
struct memory_object; // sim/memory.h
struct scenario;    // sim/scenario.h
struct scheduler;   // sim/scheduler.h
struct memory;	    // sim/memory.h
struct page_cache;  // sim/page_cache.h
struct swap_device; // sim/swap_device.h
struct slab;	    // sim/slab.h
struct processes;   // sim/process.h
struct results;	    // sim/results.h
struct workers;	    // sim/workers.h
struct local_simulation; // sim/local_reclaim.h
struct access_load; // sim/access.h
struct numa_balancing; // sim/numa_balancing.h

struct simulation {
	struct yard *yard;
	struct yard_host *host; // of the yard: host->now_ns is the clock of the CPU that runs
	const struct machine *machine;
	struct random_source random; // forked for every user: random_fork(&mine, &sim->random, name, index)
	struct scheduler *scheduler;
	struct memory *memory;
	struct page_cache *page_cache;
	struct swap_device *swap;
	struct slab *slab;
	struct processes *processes;
	struct results *results;
	struct workers *workers;
	struct local_simulation *local_reclaim;
	struct access_load *access;
	struct numa_balancing *balancing; // NULL: off
	void *yard_memory;
	size_t yard_size;
	uint64_t horizon; // the running task gives way at its next sim_point() once its clock reaches this
	bool check;	  // yard_verify() after each call that entered the slow path, unless another one is under way
	uint64_t checks, checks_max; // how often that was, and how often at most
	unsigned inside;  // tasks in calls of the engine that may sleep: half way through what they do
	char error[256];  // why the simulation can't go on (out of host memory, a broken invariant); "": it can
};

static inline uint64_t sim_now(const struct simulation *sim) // ns, of the CPU that runs
{
	return sim->host->now_ns;
}

// n operations of this cost, as system time of the running task (or of the interrupt that runs).
static inline void sim_charge(struct simulation *sim, enum cost cost, uint64_t n)
{
	sim->host->now_ns += sim->host->cost_table[cost] * n;
}

// Others may run here. Not in an interrupt (a timer's callback).
void sim_give_way(struct simulation *sim);
static inline void sim_point(struct simulation *sim)
{
	if (sim->host->now_ns >= sim->horizon)
		sim_give_way(sim);
}

// ---- life of a simulation (simulation.c) ----

struct simulation_config {
	const struct machine *machine;
	const struct yard_policy *policy;
	bool policy_says_lru_gen; // so that the machine's setting does not count
	uint64_t seed;
	bool check;
};

// A booted machine with its kernel threads, at time 0. NULL: no memory, or a machine that the yard refuses; one line in
// `error`.
struct simulation *simulation_create(const struct simulation_config *config, char *error, size_t size);
// Runs until the virtual time `until_ns`, or until nothing is left to happen, or an error (sim->error). False: an
// error.
bool simulation_run(struct simulation *sim, uint64_t until_ns);
void simulation_destroy(struct simulation *sim);
void sim_fail(struct simulation *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

// ---- requests to the allocator (request.c): latencies and failures are counted by class ----

#define REQUEST_CLASSES_TABLE(X)                                                                                       \
	X(ANON, "anon") X(FILE, "file") X(THP, "thp") X(PAGE_TABLE, "page-table") X(STACK, "kernel-stack")             \
	X(SLAB, "slab") X(SLAB_RECLAIMABLE, "slab-reclaimable") X(PIPE, "pipe") X(SOCKET, "socket")                    \
	X(ATOMIC, "atomic") X(MODULE, "module")

enum request_class {
#define X(name, text) REQUEST_##name,
	REQUEST_CLASSES_TABLE(X)
#undef X
	REQUEST_CLASSES
};
const char *request_class_name(enum request_class class);

// Asks the yard on behalf of the running task (or, in an interrupt, of none), and charges what it costs. `node`: -1: as
// the task's memory policy says (sim/placement.h). YARD_PFN_NONE: failed; the class counts it.
uint32_t sim_alloc(struct simulation *sim, enum request_class class, uint32_t gfp, unsigned order, int node);
// The same for a try that has a fallback (a higher order of SLUB's, an order-2 stack): its failure is no failure of the
// class.
uint32_t sim_try_alloc(struct simulation *sim, enum request_class class, uint32_t gfp, unsigned order, int node);
// The same for a page of an anonymous mapping: the mapping's policy comes before the task's.
uint32_t sim_alloc_mapped(struct simulation *sim, uint32_t gfp, const struct memory_object *object, uint64_t page);
// As a page fault asks for a huge page (yard_alloc_huge()). `object` may be NULL.
uint32_t sim_alloc_huge(struct simulation *sim, uint32_t gfp, const struct memory_object *object, uint64_t page);
void sim_free(struct simulation *sim, uint32_t pfn, unsigned order);
