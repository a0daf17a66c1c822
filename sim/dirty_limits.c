// SPDX-License-Identifier: Apache-2.0
//
// How much of the page cache may be dirty (spec 04 W-8), and the brake for those who dirty it faster than the disk
// writes.
//
// Up to the middle between the background limit and the limit everybody is free. Beyond it each writer sleeps so long
// that all of them together dirty what the disk writes, the less the nearer the limit is; at the limit they stand.

#include "sim/page_cache_internal.h"

enum {
	RATE_ONE = 1024, // of the shares by which the rate is changed
	BANDWIDTH_WEIGHT = 8,
};
static const uint64_t limits_last = 10 * NS_PER_MS, bandwidth_period = 200 * NS_PER_MS;
static const uint64_t shortest_pause = 10 * NS_PER_MS, longest_pause = 200 * NS_PER_MS;

// ---- limits ----

// Free memory above what the zones keep back.
static uint64_t free_for_cache(struct simulation *sim)
{
	uint64_t free = 0, reserve = 0;

	for (unsigned zone = 0; zone < yard_nr_zones(sim->yard); zone++) {
		struct yard_zone_state state;
		uint64_t most = 0;

		if (yard_get_zone(sim->yard, zone, &state) != YARD_OK || !state.populated)
			continue;
		for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
			most = state.lowmem_reserve[type] > most ? state.lowmem_reserve[type] : most;
		most += state.wmark[2];
		reserve += most < state.managed ? most : state.managed;
		free += state.stat[YARD_NR_FREE_PAGES] > 0 ? (uint64_t)state.stat[YARD_NR_FREE_PAGES] : 0;
	}
	return free > reserve ? free - reserve : 0;
}

static uint64_t sum_of_nodes(const struct simulation *sim, unsigned item)
{
	uint64_t sum = 0;

	for (unsigned node = 0; node < yard_nr_nodes(sim->yard); node++)
		sum += (uint64_t)yard_get_node_stat(sim->yard, node, item);
	return sum;
}

const struct dirty_limits *dirty_limits(struct simulation *sim)
{
	struct dirty_limits *limits = &sim->page_cache->limits;
	uint64_t dirtyable, now = sim_now(sim);

	if (limits->valid && now < limits->computed_at + limits_last)
		return limits;
	dirtyable = free_for_cache(sim) + sum_of_nodes(sim, YARD_NODE_INACTIVE_FILE)
		    + sum_of_nodes(sim, YARD_NODE_ACTIVE_FILE);
	limits->limit = dirtyable * sim->machine->dirty_ratio / 100;
	limits->background = dirtyable * sim->machine->dirty_background_ratio / 100;
	if (limits->background >= limits->limit)
		limits->background = limits->limit / 2;
	limits->computed_at = now;
	limits->valid = true;
	return limits;
}

bool dirty_above_background(struct simulation *sim)
{
	return sum_of_nodes(sim, YARD_NODE_FILE_DIRTY) > dirty_limits(sim)->background;
}

// ---- the brake ----

// Pages a second: what the disk has written while it had work, or promises before that.
static uint64_t disk_bandwidth(struct simulation *sim)
{
	struct page_cache *cache = sim->page_cache;
	uint64_t busy = device_busy_ns(sim, cache->disk), written = cache->statistics.written_pages;

	if (!cache->bandwidth) {
		cache->bandwidth = sim->machine->device[sim->machine->disk_device].write_bandwidth / SIM_PAGE;
		cache->bandwidth = cache->bandwidth ? cache->bandwidth : 1;
	}
	if (busy < cache->measured_at + bandwidth_period)
		return cache->bandwidth;
	if (written > cache->measured_pages) {
		uint64_t rate = (written - cache->measured_pages) * NS_PER_S / (busy - cache->measured_at);

		cache->bandwidth = (cache->bandwidth * (BANDWIDTH_WEIGHT - 1) + rate) / BANDWIDTH_WEIGHT + 1;
	}
	cache->measured_at = busy;
	cache->measured_pages = written;
	return cache->bandwidth;
}

// How long `pages` may take with this much dirty; 0: no matter.
static uint64_t pause_for(struct simulation *sim, uint64_t pages, uint64_t dirty)
{
	const struct dirty_limits *limits = dirty_limits(sim);
	uint64_t free_run = (limits->background + limits->limit) / 2, setpoint = (free_run + limits->limit) / 2;
	uint64_t share, rate, pause;

	if (dirty <= free_run)
		return 0;
	if (dirty >= limits->limit)
		return longest_pause;
	share = (limits->limit - dirty) * RATE_ONE / (limits->limit - setpoint);
	rate = disk_bandwidth(sim) * share / RATE_ONE / (sim->page_cache->throttled + 1);
	pause = pages * NS_PER_S / (rate ? rate : 1);
	return pause < longest_pause ? pause : longest_pause;
}

static uint64_t dirty_now(const struct simulation *sim)
{
	return sum_of_nodes(sim, YARD_NODE_FILE_DIRTY) + sum_of_nodes(sim, YARD_NODE_WRITEBACK);
}

void dirty_throttle(struct simulation *sim, struct file *file)
{
	struct page_cache *cache = sim->page_cache;
	struct sim_task *task = task_current(sim);
	uint64_t pause = pause_for(sim, file->unbalanced, dirty_now(sim));

	if (dirty_above_background(sim) && !cache->flush_all)
		wake_all(sim, &cache->flusher);
	if (!task || (pause && pause < shortest_pause)) // later, when it is worth a sleep
		return;
	file->unbalanced = 0;
	while (pause && !task_stopped(task) && !sim->error[0]) {
		uint64_t start = sim_now(sim);

		cache->throttled++;
		task_sleep(sim, pause);
		cache->throttled--;
		cache->statistics.throttled_ns += sim_now(sim) - start;
		if (pause < longest_pause || dirty_now(sim) < dirty_limits(sim)->limit)
			break;
		pause = pause_for(sim, 1, dirty_now(sim));
	}
}
