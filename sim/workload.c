// SPDX-License-Identifier: Apache-2.0
//
// The kinds, the keys that all of them have, and what their bodies share.

#include "sim/local_reclaim.h"
#include "sim/workload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine.h"

// ---- kinds ----

// X(symbol), by name
#define KINDS_TABLE(X)                                                                                                \
	X(kind_anonymous_churn) X(kind_anonymous_hold) X(kind_cache_server) X(kind_file_hold)                         \
	X(kind_file_reader) X(kind_file_writer) X(kind_fork_storm) X(kind_fragment) X(kind_hot_cold)                  \
	X(kind_hpc_ranks) X(kind_kernel_build) X(kind_kernel_memory) X(kind_log_writer) X(kind_memory_hog)            \
	X(kind_memory_reclaim) X(kind_migrate_pages) X(kind_network_receive) X(kind_node_reclaim)                     \
	X(kind_packet_sender) X(kind_page_table_churn) X(kind_pipe_burst) X(kind_pipe_churn) X(kind_populate)         \
	X(kind_slab_churn) X(kind_socket_churn) X(kind_storm) X(kind_stutter) X(kind_thp_burst)                       \
	X(kind_unmovable_demand)

#define X(symbol) extern const struct task_kind symbol;
KINDS_TABLE(X)
#undef X

const struct config_kind *const workload_kinds[] = {
#define X(symbol) &symbol.config,
	KINDS_TABLE(X)
#undef X
	NULL,
};
_Static_assert(!offsetof(struct task_kind, config), "a kind begins with what the reader of files knows of it");

const struct config_variants workload_variants = {"task kind", workload_kinds};

// ---- the keys of all kinds ----

static const struct config_word forever[] = {{"never", SIM_FOREVER}, {0}};
static const struct config_word at_the_end[] = {{"end", SIM_FOREVER}, {0}};
static const struct config_word endless[] = {{"endless", 0}, {0}};
static const struct config_word any[] = {{"any", UINT64_MAX}, {0}};

static const struct config_word cache_words[] = {
	{"normal", CACHE_NORMAL}, {"garbage", CACHE_GARBAGE}, {"keep", CACHE_KEEP}, {0}};

#define AT(member) CONFIG_AT(struct workload_common, member)

static const struct config_field common_fields[] = {
	CONFIG_PLACE_AT(struct workload_common, place),
	{"name", CONFIG_NAME, AT(name), .default_text = "", .help = "in tables and for --set; default: the kind"},
	{"start", CONFIG_TIME, AT(start_ns), .default_text = "0", .help = "after the scenario's clock has begun"},
	{"stop", CONFIG_TIME, AT(stop_ns), .default_text = "end", .words = at_the_end, .help = "likewise"},
	{"count", CONFIG_COUNT, AT(count), .default_text = "1", .min = 1, .max = 100000, .help = "instances"},
	{"ramp", CONFIG_TIME, AT(ramp_ns), .default_text = "0", .help = "the instances' starts are spread over this"},
	{"repeat", CONFIG_COUNT, AT(repeat), .default_text = "1", .min = 1, .words = endless,
	 .help = "times that each instance runs"},
	{"pause", CONFIG_TIME, AT(pause_ns), .default_text = "0", .help = "... with this in between"},
	{"restart", CONFIG_TIME, AT(restart_ns), .default_text = "never", .words = forever,
	 .help = "a killed instance starts again after this"},
	{"nice", CONFIG_SIGNED, AT(nice), .default_text = "0", .min = (uint64_t)-20, .max = 19,
	 .help = "-20 has the largest share of a CPU"},
	{"realtime", CONFIG_BOOL, AT(realtime), .default_text = "off", .help = "before all tasks that are not"},
	{"cpu", CONFIG_COUNT, AT(cpu), .default_text = "any", .words = any, .max = 1023, .help = "runs there only"},
	{"node", CONFIG_COUNT, AT(node), .default_text = "any", .words = any, .max = 47,
	 .help = "runs on the CPUs of this node only"},
	{"mempolicy", CONFIG_STRING, AT(mempolicy), .default_text = "default",
	 .help = "memory policy of its tasks: local, preferred:0, preferred-many:0-1, bind:0, interleave:all, "
		 "weighted-interleave:all"},
	{"cpuset", CONFIG_STRING, AT(cpuset), .default_text = "all",
	 .help = "nodes whose memory its tasks may use (cpuset.mems): 0, 0-3, 0,2 or all"},
	{"spread_page", CONFIG_BOOL, AT(spread_page), .default_text = "off",
	 .help = "its pages of the page cache go to all nodes in turn (cpuset.memory_spread_page)"},
	{"local_reclaim", CONFIG_OPTIONAL, AT(local_reclaim), .schema = &local_settings_schema,
	 .help = "keeps its memory on its nodes by evicting cache that nobody will miss (spec 05 L)"},
	{"cache", CONFIG_ENUM, AT(cache), .default_text = "normal", .words = cache_words,
	 .help = "what local_reclaim may do with its files: garbage goes first, keep never"},
	{"group", CONFIG_STRING, AT(group), .default_text = "",
	 .help = "the service it belongs to: guards kill by group"},
	{"oom_score_adj", CONFIG_SIGNED, AT(oom_score_adj), .default_text = "0", .min = (uint64_t)-1000, .max = 1000,
	 .help = "as in /proc; -1000: never killed"},
	{"first", CONFIG_BOOL, AT(first), .default_text = "off",
	 .help = "a preparation: the clock begins when it is ready"},
	{"background", CONFIG_BOOL, AT(background), .default_text = "off",
	 .help = "ends when all that are not in the background have"},
	{0},
};
const struct config_schema workload_common_schema = {"workload", sizeof(struct workload_common), common_fields, NULL};

void workload_init(struct workload *workload, const struct config_variant *variant)
{
	*workload = (struct workload){
		.common = *(const struct workload_common *)variant->object,
		.kind = (const struct task_kind *)variant->kind,
		.parameters = variant->object,
	};
}

// ---- what is counted ----

uint64_t *workload_figure(struct workload *workload, const char *name, int better)
{
	for (unsigned i = 0; i < workload->nr_figures; i++)
		if (!strcmp(workload->figure[i].name, name))
			return &workload->figure[i].value;
	assert(workload->nr_figures < WORKLOAD_FIGURES_MAX); // names are literals of the kinds
	workload->figure[workload->nr_figures] = (struct workload_figure){name, 0, (int8_t)better};
	return &workload->figure[workload->nr_figures++].value;
}

void workload_latency(struct simulation *sim, struct workload *workload, const char *name, uint64_t ns)
{
	if (!workload->latency) {
		workload->latency = calloc(1, sizeof(*workload->latency));
		workload->latency_name = name;
		if (!workload->latency) {
			sim_fail(sim, "out of memory");
			return;
		}
	}
	histogram_add(workload->latency, ns);
}

// ---- for the bodies ----

void *workload_shared(struct simulation *sim, struct workload *workload, size_t size)
{
	if (!workload->shared)
		workload->shared = calloc(1, size);
	if (!workload->shared)
		sim_fail(sim, "out of memory");
	return workload->shared;
}

void *workload_kept(struct simulation *sim, struct workload_instance *instance, size_t size)
{
	struct workload *workload = instance->workload;

	if (!workload->kept)
		workload->kept = calloc(workload->common.count, sizeof(*workload->kept));
	if (workload->kept && !workload->kept[instance->number])
		workload->kept[instance->number] = calloc(1, size);
	if (!workload->kept || !workload->kept[instance->number]) {
		sim_fail(sim, "out of memory");
		return NULL;
	}
	return workload->kept[instance->number];
}

uint64_t workload_pages(const struct simulation *sim, struct config_amount amount)
{
	return config_amount_bytes(amount, machine_pages(sim->machine) * SIM_PAGE) / SIM_PAGE;
}

bool workload_pause(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
		    uint64_t ns)
{
	if (ns)
		task_sleep(sim, ns);
	else
		sim_point(sim);
	return !workload_over(instance, task);
}

bool workload_pace(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
		   struct workload_pace *pace, struct config_rate rate)
{
	uint64_t now = sim_now(sim);

	if (!rate.events)
		return workload_pause(sim, task, instance, 0);
	if (pace->next_ns > now)
		task_sleep_until(sim, pace->next_ns);
	else
		pace->next_ns = now;
	pace->next_ns += rate.period_ns / rate.events;
	pace->rest += rate.period_ns % rate.events;
	if (pace->rest >= rate.events) {
		pace->rest -= rate.events;
		pace->next_ns++;
	}
	return workload_pause(sim, task, instance, 0);
}

uint64_t workload_draw(struct sim_task *task, struct config_range range)
{
	return random_between(&task->random, range.min, range.max);
}
