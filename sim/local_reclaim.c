// SPDX-License-Identifier: Apache-2.0

#include "sim/local_reclaim_internal.h"

#include <stdlib.h>
#include <string.h>

#include "sim/placement.h"
#include "sim/process_internal.h"
#include "sim/workers.h"

// ---- the key `local_reclaim` ----

static const struct config_word levels[] = {
	{"declared", YARD_LOCAL_DECLARED}, {"read-once", YARD_LOCAL_READ_ONCE}, {"idle", YARD_LOCAL_IDLE}, {0}};
static const struct config_word spills[] = {{"allow", 0}, {"deny", 1}, {0}};

#define AT(member) CONFIG_AT(struct local_settings, member)

static const struct config_field fields[] = {
	{"home", CONFIG_STRING, AT(home), .default_text = "cpu",
	 .help = "its nodes: 0, 0-3, 0,2 or all; cpu: that of each request"},
	{"garbage", CONFIG_ENUM, AT(garbage), .default_text = "read-once", .words = levels,
	 .help = "what may go for it: declared, or also read once, or also idle"},
	{"wait", CONFIG_COUNT, AT(wait_pct), .default_text = "20", .max = 100,
	 .help = "percent of a task's time that it may wait for locality; 100: no limit"},
	{"spill", CONFIG_ENUM, AT(deny), .default_text = "allow", .words = spills, .help = "pages on other nodes"},
	{"rate", CONFIG_COUNT, AT(rate_mbps), .default_text = "8192", .min = 1, .max = 1 << 20,
	 .help = "MiB/s that may be evicted for it on a node"},
	{"refault_max", CONFIG_PERCENT, AT(refault_max_ppm), .default_text = "1%", .max = 1000000,
	 .help = "refaults by evictions: above, it takes less"},
	{"repatriate", CONFIG_COUNT, AT(repatriate_mbps), .default_text = "256", .max = 1 << 20,
	 .help = "MiB/s of spilled pages that move home; 0: none"},
	{"victim", CONFIG_PERCENT, AT(victim_ppm), .default_text = "12.5%", .max = 1000000,
	 .help = "of a workload's cache on a node that may go in a second"},
	{"age_min", CONFIG_TIME, AT(age_min_ns), .default_text = "2s", .help = "of pages that were read once"},
	{"age_idle", CONFIG_TIME, AT(age_idle_ns), .default_text = "60s", .help = "since the last use, of idle ones"},
	{0},
};
const struct config_schema local_settings_schema = {"local_reclaim", sizeof(struct local_settings), fields, NULL};

bool local_reclaim_home_nodes(const char *text, unsigned nr_nodes, uint64_t *nodes, char *reason, size_t size)
{
	*nodes = 0;
	if (!strcmp(text, "cpu"))
		return true;
	if (!placement_nodes(text, nr_nodes, nodes, reason, size))
		return false;
	if (!*nodes)
		*nodes = UINT64_MAX >> (64 - nr_nodes);
	return true;
}

static struct yard_local_config config_of(const struct local_settings *settings, uint64_t home)
{
	return (struct yard_local_config){
		.home = home,
		.garbage = (uint8_t)settings->garbage,
		.wait_pct = (uint8_t)settings->wait_pct,
		.deny = settings->deny,
		.rate_mbps = (uint32_t)settings->rate_mbps,
		.refault_max_ppm = (uint32_t)settings->refault_max_ppm,
		.repatriate_mbps = (uint32_t)settings->repatriate_mbps,
		.victim_permille = (uint32_t)(settings->victim_ppm / 1000),
		.age_min_ms = (uint32_t)(settings->age_min_ns / NS_PER_MS),
		.age_idle_ms = (uint32_t)(settings->age_idle_ns / NS_PER_MS),
	};
}

// ---- reclaimers ----

static void reclaimer(struct simulation *sim, struct sim_task *task, void *argument)
{
	const unsigned number = (unsigned)(uintptr_t)argument;
	const unsigned node = number / YARD_LOCAL_RECLAIMERS_MAX, thread = number % YARD_LOCAL_RECLAIMERS_MAX;
	bool woken = false;

	(void)task;
	for (;;) {
		struct yard_wait wait;

		sim->inside++;
		yard_local_reclaim_step(sim->yard, node, thread, woken, &wait);
		sim->inside--;
		woken = worker_sleep(sim, &wait);
	}
}

static bool start_reclaimers(struct simulation *sim, unsigned node)
{
	for (unsigned i = 0; i < yard_local_reclaimers(sim->yard, node); i++) {
		struct yard_task *told = yard_local_reclaim_task(sim->yard, node, i);
		const struct task_attributes attributes = {
			.comm = told->comm, .cpu = -1, .node = sim->machine->node[node].cpus ? (int)node : -1,
			.flags = YARD_TASK_KTHREAD, .told = told,
		};

		if (!task_create(sim, &attributes, reclaimer,
				 (void *)(uintptr_t)(node * YARD_LOCAL_RECLAIMERS_MAX + i)))
			return false;
	}
	return true;
}

// ---- owners ----

static bool start_all_reclaimers(struct simulation *sim)
{
	for (unsigned node = 0; node < sim->machine->nr_nodes; node++)
		if (sim->machine->node[node].pages && !start_reclaimers(sim, node))
			return false;
	return true;
}

uint8_t local_reclaim_owner(struct simulation *sim, const char *workload, const struct local_settings *settings)
{
	struct local_simulation *local = sim->local_reclaim;
	struct yard_local_config config;
	struct local_owner_name *name;
	char reason[200];
	uint64_t home;
	int owner;

	for (unsigned i = 0; i < local->nr_owners; i++)
		if (!strcmp(local->owner[i].name, workload))
			return local->owner[i].owner;
	if (!local_reclaim_home_nodes(settings->home, sim->machine->nr_nodes, &home, reason, sizeof(reason))) {
		sim_fail(sim, "local_reclaim of %s: %s", workload, reason);
		return 0;
	}
	config = config_of(settings, home);
	owner = yard_local_create(sim->yard, &config);
	if (owner < 0) {
		sim_fail(sim, "local_reclaim of %s: %s", workload, yard_error_text(owner));
		return 0;
	}
	if (!local->nr_owners && !start_all_reclaimers(sim))
		return 0;
	name = &local->owner[local->nr_owners++];
	name->name = workload;
	name->owner = (uint8_t)owner;
	return (uint8_t)owner;
}

static void put(struct workload *workload, const char *name, uint64_t value, int better)
{
	*workload_figure(workload, name, better) = value;
}

static void put_reasons(struct workload *workload, const struct yard_local_stat *stat)
{
	static const char *const names[YARD_LOCAL_REASONS] = {
		[YARD_LOCAL_RATE] = "spilled: rate", [YARD_LOCAL_NOGARBAGE] = "spilled: no garbage",
		[YARD_LOCAL_BUDGET] = "spilled: budget", [YARD_LOCAL_NONBLOCK] = "spilled: nonblock",
		[YARD_LOCAL_REFAULT] = "spilled: refault", [YARD_LOCAL_FLOOR] = "spilled: floor",
	};

	for (unsigned reason = 0; reason < YARD_LOCAL_REASONS; reason++)
		if (stat->spilled[reason])
			put(workload, names[reason], stat->spilled[reason], -1);
}

void local_reclaim_figures(struct simulation *sim, struct workload *workload)
{
	struct yard_local_stat stat;

	if (yard_local_get(sim->yard, workload->placement.local_reclaim, &stat) != YARD_OK)
		return;
	put(workload, "pages at home", stat.home, 1);
	put_reasons(workload, &stat);
	put(workload, "stalled us", stat.stall_ns / NS_PER_US, -1);
	put(workload, "longest stall ns", stat.stall_max_ns, -1);
	put(workload, "steps and waits", stat.steps + stat.waits, -1);
	put(workload, "evicted for it", stat.stepped + stat.reclaimed, 0);
	put(workload, "... came back", stat.refaults, -1);
	put(workload, "moved home", stat.repatriated, 0);
}

// ---- what the engine asks ----

static void local_page(void *context, uint32_t pfn, unsigned order, struct yard_local_page *answer)
{
	struct simulation *sim = context;
	struct memory_object *object;
	uint64_t page;

	(void)order;
	object = object_of(sim, yard_get_owner(sim->yard, pfn), &page);
	if (object && object->kind == OBJECT_FILE)
		cache_describe(sim, object, page, node_of_frame(sim, pfn), answer);
	else
		answer->keep = true;
}

static bool runs_on(const struct simulation *sim, const struct process *process, uint64_t nodes)
{
	for (const struct process_thread *thread = process->first_thread; thread; thread = thread->next)
		if (nodes >> scheduler_cpu_node(sim, thread->task->cpu) & 1)
			return true;
	return false;
}

// The mapping's owner is that of the task that made it.
static unsigned local_home(void *context, uint32_t pfn, unsigned order, uint64_t nodes)
{
	struct simulation *sim = context;
	struct memory_object *object;
	uint64_t page;

	(void)order;
	object = object_of(sim, yard_get_owner(sim->yard, pfn), &page);
	if (!object || object->kind != OBJECT_ANON || !object->local_owner)
		return 0;
	return object->process && runs_on(sim, object->process, nodes) ? object->local_owner : 0;
}

void local_reclaim_owner_ops(struct yard_owner_ops *ops)
{
	ops->local_page = local_page;
	ops->local_home = local_home;
}

bool local_reclaim_create(struct simulation *sim)
{
	sim->local_reclaim = calloc(1, sizeof(*sim->local_reclaim));
	return sim->local_reclaim != NULL;
}

void local_reclaim_destroy(struct simulation *sim)
{
	free(sim->local_reclaim);
	sim->local_reclaim = NULL;
}
