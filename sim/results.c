// SPDX-License-Identifier: Apache-2.0

#include "sim/results.h"

#include <stdlib.h>
#include <string.h>

#include "sim/memory.h"
#include "sim/numa_balancing.h"
#include "sim/page_cache.h"
#include "sim/scheduler.h"
#include "sim/slab.h"

struct baseline { // counters and times at results_begin()
	uint64_t counter[RESULT_COUNTERS];
	uint64_t psi_some_us, psi_full_us, touches;
	struct result_node node[YARD_NODES_MAX];
	struct cpu_times times;
};

struct recorder { // the results come first: sim->results points here
	struct results results;
	struct baseline base;
	struct sim_timer sampler;
};

static struct recorder *recorder_of(struct simulation *sim)
{
	return (struct recorder *)sim->results;
}

static const char *const machine_counter_names[] = {
#define X(name, text) [MACHINE_##name] = text,
	MACHINE_COUNTERS_TABLE(X)
#undef X
};

const char *result_counter_name(unsigned counter)
{
	if (counter < YARD_VM_EVENTS)
		return yard_vm_event_name(counter);
	counter -= YARD_VM_EVENTS;
	return counter < YARD_NODE_STATS ? yard_node_stat_name(counter) : machine_counter_names[counter - YARD_NODE_STATS];
}

bool result_counter_is_level(unsigned counter)
{
	static const uint8_t sums[] = { // of the node's nr_...: these only grow
		YARD_NODE_VMSCAN_WRITE, YARD_NODE_VMSCAN_IMMEDIATE, YARD_NODE_DIRTIED, YARD_NODE_WRITTEN,
		YARD_NODE_THROTTLED_WRITTEN,
	};
	unsigned item = counter - YARD_VM_EVENTS;

	if (counter < YARD_VM_EVENTS || item >= YARD_NODE_STATS || strncmp(yard_node_stat_name(item), "nr_", 3))
		return false;
	for (size_t i = 0; i < sizeof(sums); i++)
		if (item == sums[i])
			return false;
	return true;
}

const char *extfrag_class_name(enum extfrag_class class)
{
	static const char *const names[] = {"claim", "steal", "pollute"};

	return names[class];
}

// ---- counters ----

static void read_machine_counters(struct simulation *sim, uint64_t counter[MACHINE_COUNTERS])
{
	const struct memory_statistics *memory = memory_statistics(sim);
	const struct page_cache_statistics *cache = page_cache_statistics(sim);
	const struct numa_balancing_statistics *numa = numa_balancing_statistics(sim);
	struct slab_statistics slab;

	slab_statistics(sim, &slab);
	counter[MACHINE_PGFAULT] = memory->pgfault;
	counter[MACHINE_PGMAJFAULT] = memory->pgmajfault;
	counter[MACHINE_THP_FAULT_ALLOC] = memory->thp_fault_alloc;
	counter[MACHINE_THP_FAULT_FALLBACK] = memory->thp_fault_fallback;
	counter[MACHINE_THP_SPLIT_PAGE] = memory->thp_split;
	counter[MACHINE_THP_SWPOUT] = memory->thp_swpout;
	counter[MACHINE_PGPGIN] = memory->pgpgin;
	counter[MACHINE_PGPGOUT] = memory->pgpgout;
	counter[MACHINE_SWAP_RA] = memory->swap_ra;
	counter[MACHINE_SWAP_RA_HIT] = memory->swap_ra_hit;
	counter[MACHINE_READAHEAD_PAGES] = cache->readahead_pages;
	counter[MACHINE_THROTTLED_NS] = cache->throttled_ns;
	counter[MACHINE_SLAB_FAILED] = slab.failed;
	counter[MACHINE_SLAB_FALLBACK] = slab.fallback_orders;
	counter[MACHINE_SLAB_MESSAGES] = slab.messages;
	if (!numa)
		return;
	counter[MACHINE_NUMA_PTE_UPDATES] = numa->pte_updates;
	counter[MACHINE_NUMA_HINT_FAULTS] = numa->hint_faults;
	counter[MACHINE_NUMA_HINT_FAULTS_LOCAL] = numa->hint_faults_local;
	counter[MACHINE_NUMA_PAGES_MIGRATED] = numa->pages_migrated;
	counter[MACHINE_NUMA_TASK_MIGRATED] = numa->tasks_moved;
	counter[MACHINE_PGPROMOTE_SUCCESS] = numa->promoted;
	counter[MACHINE_PGPROMOTE_CANDIDATE] = numa->candidates;
}

static void read_counters(struct simulation *sim, uint64_t counter[RESULT_COUNTERS])
{
	for (unsigned event = 0; event < YARD_VM_EVENTS; event++)
		counter[event] = yard_get_vm_event(sim->yard, event);
	for (unsigned item = 0; item < YARD_NODE_STATS; item++) {
		uint64_t *sum = &counter[YARD_VM_EVENTS + item];

		*sum = 0;
		for (unsigned node = 0; node < yard_nr_nodes(sim->yard); node++) {
			int64_t value = yard_get_node_stat(sim->yard, node, item);

			*sum += value > 0 ? (uint64_t)value : 0;
		}
	}
	read_machine_counters(sim, counter + YARD_VM_EVENTS + YARD_NODE_STATS);
}

static void read_times(struct simulation *sim, struct cpu_times *sum)
{
	*sum = (struct cpu_times){0};
	for (unsigned cpu = 0; cpu < yard_nr_cpus(sim->yard); cpu++) {
		struct cpu_times times;

		scheduler_cpu_times(sim, cpu, &times);
		sum->user += times.user;
		sum->system += times.system;
		sum->idle += times.idle;
		sum->lock_spin += times.lock_spin;
	}
}

static void read_pressure(struct simulation *sim, uint64_t *some_us, uint64_t *full_us)
{
	struct yard_psi psi;

	yard_psi_get(sim->yard, 0, &psi);
	*some_us = psi.total_us[YARD_PSI_SOME];
	*full_us = psi.total_us[YARD_PSI_FULL];
}

static void read_zones(struct simulation *sim, struct result_zone *end)
{
	uint32_t first, last;

	for (unsigned zone = 0; zone < yard_nr_zones(sim->yard); zone++) {
		struct yard_zone_state state;

		if (yard_get_zone(sim->yard, zone, &state) || !state.populated)
			continue;
		for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++) {
			end->free_pages += state.nr_free[order] << order;
			if (order >= YARD_PAGEBLOCK_ORDER)
				end->free_blocks += state.nr_free[order] << order;
		}
	}
	yard_frame_span(sim->yard, &first, &last);
	for (uint32_t pfn = first; pfn < last && pfn >= first; pfn += YARD_PAGEBLOCK_NR_PAGES) {
		unsigned type = yard_zone_of(sim->yard, pfn) < 0 ? YARD_MIGRATETYPES : yard_pageblock_type(sim->yard, pfn);

		if (type < YARD_MIGRATETYPES)
			end->blocks[type]++;
	}
}

static uint64_t node_stat(const struct simulation *sim, unsigned node, unsigned item)
{
	int64_t value = yard_get_node_stat(sim->yard, node, item);

	return value > 0 ? (uint64_t)value : 0;
}

static void read_nodes(struct simulation *sim, struct result_node nodes[YARD_NODES_MAX])
{
	for (unsigned i = 0; i < YARD_NODES_MAX; i++)
		nodes[i] = (struct result_node){0};
	for (unsigned i = 0; i < yard_nr_nodes(sim->yard); i++) {
		struct result_node *node = &nodes[i];

		node->cpu = workers_cpu_times(sim, i);
		node->file_pages = node_stat(sim, i, YARD_NODE_FILE_PAGES);
		node->anon_pages = node_stat(sim, i, YARD_NODE_ANON_PAGES);
		node->scanned = node_stat(sim, i, YARD_NODE_PGSCAN_ANON) + node_stat(sim, i, YARD_NODE_PGSCAN_FILE);
		node->reclaimed = node_stat(sim, i, YARD_NODE_PGSTEAL_ANON) + node_stat(sim, i, YARD_NODE_PGSTEAL_FILE);
		for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
			struct yard_zone_state zone;

			if (yard_get_zone(sim->yard, i * YARD_ZONE_TYPES + type, &zone) || !zone.populated)
				continue;
			node->free_pages += zone.stat[YARD_NR_FREE_PAGES] > 0 ? (uint64_t)zone.stat[YARD_NR_FREE_PAGES] : 0;
			for (unsigned stat = 0; stat < YARD_NUMA_STATS; stat++)
				node->numa[stat] += zone.numa[stat];
		}
	}
}

// What came about since the beginning.
static void end_nodes(struct simulation *sim, const struct baseline *base, struct result_node nodes[YARD_NODES_MAX])
{
	read_nodes(sim, nodes);
	for (unsigned i = 0; i < YARD_NODES_MAX; i++) {
		nodes[i].scanned -= base->node[i].scanned;
		nodes[i].reclaimed -= base->node[i].reclaimed;
		nodes[i].cpu.kswapd -= base->node[i].cpu.kswapd;
		nodes[i].cpu.kcompactd -= base->node[i].cpu.kcompactd;
		for (unsigned stat = 0; stat < YARD_NUMA_STATS; stat++)
			nodes[i].numa[stat] -= base->node[i].numa[stat];
	}
}

static uint64_t free_pages(struct simulation *sim)
{
	uint64_t pages = 0;

	for (unsigned zone = 0; zone < yard_nr_zones(sim->yard); zone++) {
		struct yard_zone_state state;

		if (!yard_get_zone(sim->yard, zone, &state) && state.populated)
			pages += state.stat[YARD_NR_FREE_PAGES] > 0 ? (uint64_t)state.stat[YARD_NR_FREE_PAGES] : 0;
	}
	return pages;
}

// ---- a stretch ----

static void sample_pressure(struct simulation *sim, void *argument)
{
	struct recorder *recorder = argument;
	struct results *results = &recorder->results;
	struct yard_psi psi;

	yard_psi_get(sim->yard, 0, &psi);
	if (psi.avg[YARD_PSI_SOME][YARD_PSI_AVG10] > results->psi_some_avg10_max)
		results->psi_some_avg10_max = psi.avg[YARD_PSI_SOME][YARD_PSI_AVG10];
	if (psi.avg[YARD_PSI_FULL][YARD_PSI_AVG10] > results->psi_full_avg10_max)
		results->psi_full_avg10_max = psi.avg[YARD_PSI_FULL][YARD_PSI_AVG10];
	timer_start(sim, &recorder->sampler, sim_now(sim) + NS_PER_S, sample_pressure, recorder);
}

void results_begin(struct simulation *sim)
{
	struct recorder *recorder = recorder_of(sim);
	uint64_t now = scheduler_clock(sim);

	timer_cancel(sim, &recorder->sampler);
	memset(&recorder->results, 0, sizeof(recorder->results));
	recorder->results.start_ns = now;
	read_counters(sim, recorder->base.counter);
	read_pressure(sim, &recorder->base.psi_some_us, &recorder->base.psi_full_us);
	read_times(sim, &recorder->base.times);
	read_nodes(sim, recorder->base.node);
	recorder->base.touches = memory_statistics(sim)->touches;
	timer_start(sim, &recorder->sampler, now + NS_PER_S, sample_pressure, recorder);
}

static void count_operations(struct results *results)
{
	const uint64_t *counter = results->counter;

	results->operations = results->frees + results->touches + counter[RESULT_MACHINE(PGFAULT)];
	for (unsigned class = 0; class < REQUEST_CLASSES; class++)
		results->operations += results->requests[class];
	results->operations += counter[RESULT_NODE(PGSTEAL_ANON)] + counter[RESULT_NODE(PGSTEAL_FILE)]
			       + counter[RESULT_VM(PGMIGRATE_SUCCESS)];
}

void results_end(struct simulation *sim)
{
	struct recorder *recorder = recorder_of(sim);
	struct results *results = &recorder->results;
	const struct baseline *base = &recorder->base;
	uint64_t some, full;
	struct cpu_times times;

	timer_cancel(sim, &recorder->sampler);
	results->end_ns = scheduler_clock(sim);
	read_counters(sim, results->counter);
	for (unsigned i = 0; i < RESULT_COUNTERS; i++)
		if (!result_counter_is_level(i))
			results->counter[i] -= base->counter[i];
	read_pressure(sim, &some, &full);
	results->psi_some_ns = (some - base->psi_some_us) * NS_PER_US;
	results->psi_full_ns = (full - base->psi_full_us) * NS_PER_US;
	read_times(sim, &times);
	results->user_ns = times.user - base->times.user;
	results->system_ns = times.system - base->times.system;
	results->idle_ns = times.idle - base->times.idle;
	results->lock_spin_ns = times.lock_spin - base->times.lock_spin;
	read_zones(sim, &results->end);
	end_nodes(sim, base, results->node);
	results->touches = memory_statistics(sim)->touches - base->touches;
	count_operations(results);
}

// ---- as it happens ----

void results_event(struct simulation *sim, const struct yard_event *event)
{
	struct results *results = sim->results;

	if (event->kind != YARD_EVENT_PAGE_ALLOC_EXTFRAG)
		return;
	if (event->a >= YARD_PAGEBLOCK_ORDER)
		results->extfrag[EXTFRAG_CLAIM]++;
	else
		results->extfrag[event->c ? EXTFRAG_STEAL : EXTFRAG_POLLUTE]++;
}

void results_kill(struct simulation *sim, const struct kill_record *kill)
{
	struct results *results = sim->results;

	if (results->nr_kills < RESULTS_KILLS_MAX)
		results->kill[results->nr_kills] = *kill;
	results->nr_kills++;
}

void results_failure(struct simulation *sim, enum request_class class)
{
	struct results *results = sim->results;

	if (!results->failures[class]++)
		results->free_at_first_failure[class] = free_pages(sim);
}

bool results_create(struct simulation *sim)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));

	sim->results = (struct results *)recorder;
	return recorder != NULL;
}

void results_destroy(struct simulation *sim)
{
	free(sim->results);
	sim->results = NULL;
}
