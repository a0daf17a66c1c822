// SPDX-License-Identifier: Apache-2.0
//
// populate: threads that fill one mapping, each its own part of it; when all are done they access all of it for a while
// (sim/access.h), and keep it. What it counts when the mapping is full: how much lies on the node of the last one's
// CPU, and how fast that went. As a preparation it is ready then. With `mbind_flags` that one calls mbind() before
// anybody goes on; without, the mapping has its policy from the beginning. With `maps` it is a mapping of a file, one for
// all instances: shared and written (a file with nothing on the disk), or read-only (all of it is on the disk). Such a
// file counts once, when the first instance has all of it.

#include <stdio.h>
#include <string.h>

#include "sim/machine.h"
#include "sim/mbind.h"
#include "sim/page_cache.h"
#include "sim/workload.h"

enum { MAPS_ANONYMOUS, MAPS_SHARED_FILE, MAPS_READ_ONLY_FILE };

struct populate {
	struct workload_common common;
	struct config_amount memory;
	uint64_t threads, access_ns, parallel;
	const char *mbind;
	uint64_t mbind_flags, maps;
	bool hugepages, hold;
};

#define AT(member) CONFIG_AT(struct populate, member)

static const struct config_word flag_words[] = {{"move", MBIND_MOVE}, {"strict", MBIND_STRICT}, {0}};

static const struct config_word maps_words[] = {
	{"anonymous", MAPS_ANONYMOUS}, {"shared-file", MAPS_SHARED_FILE}, {"read-only-file", MAPS_READ_ONLY_FILE}, {0}};

static const struct config_field fields[] = {
	{"memory", CONFIG_AMOUNT, AT(memory), .help = "size, or share of the machine's memory"},
	{"maps", CONFIG_ENUM, AT(maps), .default_text = "anonymous", .words = maps_words,
	 .help = "a file is one for all instances, counted once; its pages follow tasks: no mbind, no hugepages"},
	{"threads", CONFIG_COUNT, AT(threads), .default_text = "1", .min = 1, .max = 1024, .help = "that fill it"},
	{"mbind", CONFIG_STRING, AT(mbind), .default_text = "default",
	 .help = "memory policy of the mapping, as of `mempolicy`; default: that of the tasks"},
	{"mbind_flags", CONFIG_FLAGS, AT(mbind_flags), .default_text = "[]", .words = flag_words,
	 .help = "mbind() once it is full; move: the pages that are elsewhere; strict: fails (EIO) if some stay there"},
	{"access", CONFIG_TIME, AT(access_ns), .default_text = "0",
	 .help = "so long each thread then accesses all of it at random"},
	{"parallel", CONFIG_COUNT, AT(parallel), .default_text = "1", .min = 1, .max = 64,
	 .help = "... with so many misses under way: 1 follows pointers, 10 sweeps over it"},
	{"hold", CONFIG_BOOL, AT(hold), .default_text = "on", .help = "keeps the memory until the scenario's end"},
	{"hugepages", CONFIG_BOOL, AT(hugepages), .default_text = "off", .help = "madvise(MADV_HUGEPAGE)"},
	{0},
};

struct mapped_file { // of the workload
	struct file *file;
	uint64_t users; // instances
	bool counted;	// its places are, by the first one that had all of it
};

struct shared { // by the threads of an instance
	struct memory_object *memory;
	struct placement placement;
	struct mapped_file *mapped; // NULL: it is not a file's
	uint64_t begun, full_parts; // threads
	uint64_t start_ns;
	struct wait_queue full;
	bool done, failed;
};

static void count_places(struct simulation *sim, struct workload *workload, const struct shared *shared)
{
	unsigned node = scheduler_cpu_node(sim, task_current(sim)->cpu);
	uint64_t local = object_resident_on(shared->memory, node), all = shared->memory->resident;
	uint64_t elapsed = sim_now(sim) - shared->start_ns;

	if (shared->mapped && shared->mapped->counted)
		return;
	if (shared->mapped)
		shared->mapped->counted = true;
	*workload_figure(workload, "MiB local", 1) += local * SIM_PAGE >> 20;
	*workload_figure(workload, "MiB remote", -1) += (all - local) * SIM_PAGE >> 20;
	*workload_figure(workload, "MiB/s populated", 1) = elapsed ? (all * SIM_PAGE >> 20) * NS_PER_S / elapsed : 0;
}

// False: not all of it is there.
static bool fill_part(struct simulation *sim, const struct populate *p, struct shared *shared)
{
	uint64_t pages = shared->memory->pages, number = shared->begun++;
	uint64_t from = pages * number / p->threads, to = pages * (number + 1) / p->threads;

	return memory_touch_range(sim, shared->memory, from, to - from, p->maps != MAPS_READ_ONLY_FILE) == to - from;
}

static void bind_full_mapping(struct simulation *sim, struct workload *workload, const struct populate *p,
			      struct shared *shared)
{
	uint64_t start = sim_now(sim);
	struct mbind_result result;
	bool bound = mbind_pages(sim, shared->memory, &shared->placement, (unsigned)p->mbind_flags, &result);

	workload_latency(sim, workload, "mbind", sim_now(sim) - start);
	*workload_figure(workload, "mbind pages moved", 0) += result.moved;
	*workload_figure(workload, "mbind pages not moved", -1) += result.left;
	*workload_figure(workload, "mbind EIO", -1) += !bound;
}

// True once all threads have filled their parts.
static bool wait_until_full(struct simulation *sim, struct sim_task *task, struct workload_instance *instance)
{
	const struct populate *p = workload_parameters(instance);
	struct shared *shared = instance->state;

	if (++shared->full_parts == p->threads) {
		count_places(sim, instance->workload, shared);
		if (p->mbind_flags)
			bind_full_mapping(sim, instance->workload, p, shared);
		workload_ready(sim, instance);
		shared->done = true;
		wake_all(sim, &shared->full);
	}
	while (!shared->done && !shared->failed && !workload_over(instance, task))
		task_wait(sim, &shared->full, SIM_FOREVER, false);
	return shared->done && !workload_over(instance, task);
}

static void thread(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct populate *p = workload_parameters(instance);
	struct shared *shared = instance->state;

	if (!fill_part(sim, p, shared)) {
		shared->failed = true;
		wake_all(sim, &shared->full);
	} else if (wait_until_full(sim, task, instance) && p->access_ns) {
		access_until(sim, &instance->workload->access, shared->memory, sim_now(sim) + p->access_ns,
			     &(struct access_pattern){.parallel = (uint32_t)p->parallel});
	}
}

// ---- the file ----

static void leave_file(struct simulation *sim, struct mapped_file *mapped)
{
	struct file *file = mapped->file;

	if (--mapped->users)
		return;
	*mapped = (struct mapped_file){.file = NULL};
	file_unlink(sim, file);
}

// Counts the instance as a user if there is a file.
static bool enter_file(struct simulation *sim, struct mapped_file *mapped, const struct populate *p)
{
	uint64_t bytes = workload_pages(sim, p->memory) * SIM_PAGE;

	if (!mapped->file) {
		mapped->file = file_create(sim, p->maps == MAPS_SHARED_FILE ? 0 : bytes);
		if (!mapped->file)
			return false;
		file_truncate(sim, mapped->file, bytes);
	}
	mapped->users++;
	return true;
}

static bool map_file(struct simulation *sim, struct sim_task *task, struct workload_instance *instance,
		     struct shared *shared)
{
	const struct populate *p = workload_parameters(instance);
	struct mapped_file *mapped = workload_shared(sim, instance->workload, sizeof(*mapped));

	if (!mapped || !enter_file(sim, mapped, p))
		return false;
	shared->mapped = mapped;
	if (!process_map_file(sim, task->process, mapped->file, p->maps == MAPS_SHARED_FILE))
		return false;
	shared->memory = mapped->file->object;
	return true;
}

// ---- the first thread ----

static bool map(struct simulation *sim, struct sim_task *task, struct workload_instance *instance, struct shared *shared)
{
	const struct populate *p = workload_parameters(instance);
	uint64_t pages = workload_pages(sim, p->memory);

	shared->placement.cpuset = task->placement.cpuset;
	if (!pages)
		return false;
	if (p->maps != MAPS_ANONYMOUS)
		return map_file(sim, task, instance, shared);
	if (!placement_set(sim, &shared->placement, p->mbind))
		return false;
	shared->memory = process_map(sim, task->process, pages, p->hugepages);
	if (shared->memory && !p->mbind_flags)
		mapping_set_placement(shared->memory, &shared->placement);
	return shared->memory;
}

static void fill_and_access(struct simulation *sim, struct sim_task *task, struct workload_instance *instance,
			    struct shared *shared)
{
	const struct populate *p = workload_parameters(instance);

	instance->state = shared;
	shared->start_ns = sim_now(sim);
	for (uint64_t i = 1; i < p->threads; i++)
		if (!workload_thread(sim, instance, thread))
			shared->failed = true;
	thread(sim, task, instance);
	workload_wait_children(sim, task, instance, 0);
	while (p->hold && !shared->failed && workload_pause(sim, task, instance, NS_PER_S))
		;
	workload_end_children(sim, instance);
}

static void populate(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	struct shared *shared = task_memory(sim, task, sizeof(*shared));

	if (!shared)
		return;
	if (map(sim, task, instance, shared))
		fill_and_access(sim, task, instance, shared);
	if (shared->mapped)
		leave_file(sim, shared->mapped);
}

static bool check(const void *parameters, const struct machine *machine, const char **key, char *reason, size_t size)
{
	const struct populate *p = parameters;

	*key = "mbind";
	if (!placement_check(p->mbind, machine->nr_nodes, reason, size))
		return false;
	*key = "maps";
	if (p->maps == MAPS_ANONYMOUS || (!p->mbind_flags && !p->hugepages && !strcmp(p->mbind, "default")))
		return true;
	snprintf(reason, size, "mbind and hugepages are for anonymous memory");
	return false;
}

WORKLOAD_KIND_CHECKED(kind_populate, "populate", "threads that fill a mapping, then access it", struct populate, fields,
		      populate, check);
