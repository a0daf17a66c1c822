// SPDX-License-Identifier: Apache-2.0
//
// The guards' rules (spec 02 UG-1 to UG-3): when they fire. Whom they kill is in guard_victim.c.

#include <stdio.h>
#include <stdlib.h>

#include <pageyard/lru.h>
#include <pageyard/pressure.h>
#include <pageyard/stat.h>

#include "sim/guard_internal.h"
#include "sim/machine.h"

enum { PPM = 1000000, PPM_IN_HUNDREDTH = 100, PERCENT_PPM = 10000 };

#define SWAP_INTERVAL_NS	  (150 * NS_PER_MS)
#define PRESSURE_INTERVAL_NS	  NS_PER_S
#define OOMD_INTERVAL_NS	  (5 * NS_PER_S)
#define PAUSE_NS		  (15 * NS_PER_S)
#define SYSTEMD_RECLAIM_WITHIN_NS (30 * NS_PER_S)
enum { SYSTEMD_SWAP_USER_PPM = 50000 }; // UG-1: more than 5 % of all swap

// ---- what guards look at ----

enum { WMARK_LOW = 1, WMARK_HIGH = 2 };

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t zone_reserve(const struct yard_zone_state *zone) // spec 01 W5
{
	uint64_t reserve = 0;

	for (unsigned type = YARD_ZONE_TYPES; type-- > 0 && !reserve;)
		reserve = zone->lowmem_reserve[type];
	return at_most(zone->managed, reserve + zone->wmark[WMARK_HIGH] + zone->boost);
}

struct memory_figures {
	uint64_t total, free, reserve, low, file, slab;
};

static void read_figures(const struct simulation *sim, struct memory_figures *figures)
{
	struct yard_zone_state zone;

	*figures = (struct memory_figures){0};
	for (unsigned i = 0; i < yard_nr_zones(sim->yard); i++) {
		if (yard_get_zone(sim->yard, i, &zone) != YARD_OK || !zone.populated)
			continue;
		figures->total += zone.managed;
		figures->free += (uint64_t)(zone.stat[YARD_NR_FREE_PAGES] > 0 ? zone.stat[YARD_NR_FREE_PAGES] : 0);
		figures->low += zone.wmark[WMARK_LOW];
		figures->reserve += zone_reserve(&zone);
	}
	for (unsigned node = 0; node < yard_nr_nodes(sim->yard); node++) {
		figures->file += (uint64_t)yard_get_node_stat(sim->yard, node, YARD_NODE_ACTIVE_FILE);
		figures->file += (uint64_t)yard_get_node_stat(sim->yard, node, YARD_NODE_INACTIVE_FILE);
		figures->slab += (uint64_t)yard_get_node_stat(sim->yard, node, YARD_NODE_SLAB_RECLAIMABLE);
	}
}

static uint64_t available(const struct memory_figures *figures)
{
	uint64_t can_go = figures->file - at_most(figures->file / 2, figures->low);

	can_go += figures->slab - at_most(figures->slab / 2, figures->low) + figures->free;
	return can_go > figures->reserve ? can_go - figures->reserve : 0;
}

uint64_t guard_available_pages(const struct simulation *sim)
{
	struct memory_figures figures;

	read_figures(sim, &figures);
	return available(&figures);
}

static uint64_t ppm_of(uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((unsigned __int128)part * PPM / whole) : 0;
}

static bool below(uint64_t part, uint64_t whole, uint64_t ppm)
{
	return (unsigned __int128)part * PPM < (unsigned __int128)whole * ppm;
}

static uint64_t full_avg10_ppm(const struct simulation *sim, unsigned group)
{
	struct yard_psi psi;

	yard_psi_get(sim->yard, group, &psi);
	return (uint64_t)psi.avg[YARD_PSI_FULL][YARD_PSI_AVG10] * PPM_IN_HUNDREDTH;
}

// ---- groups over time ----

static void note_reclaim(struct guard *guard)
{
	struct simulation *sim = guard->sim;

	uint64_t pgscan[YARD_PSI_GROUPS];

	process_pgscan(sim, pgscan);
	for (unsigned group = 0; group < YARD_PSI_GROUPS; group++) {
		struct guard_group *seen = &guard->group[group];

		if (pgscan[group] > seen->pgscan) {
			seen->reclaimed = true;
			seen->reclaimed_at = sim_now(sim);
		}
		seen->pgscan = pgscan[group];
	}
}

static bool reclaimed_within(const struct guard *guard, unsigned group, uint64_t ns)
{
	const struct guard_group *seen = &guard->group[group];

	return seen->reclaimed && sim_now(guard->sim) - seen->reclaimed_at <= ns;
}

// How long its pressure has been above the limit: at every look since then.
static bool pressure_lasts(struct guard *guard, unsigned group, uint64_t limit_ppm, uint64_t *ns)
{
	struct guard_group *seen = &guard->group[group];

	if (full_avg10_ppm(guard->sim, group) <= limit_ppm) {
		seen->pressed = false;
		return false;
	}
	if (!seen->pressed)
		seen->pressed_since = sim_now(guard->sim);
	seen->pressed = true;
	*ns = sim_now(guard->sim) - seen->pressed_since;
	return true;
}

static bool in_pause(const struct guard *guard)
{
	return guard->acted && sim_now(guard->sim) - guard->acted_at < PAUSE_NS;
}

static void begin_pause(struct guard *guard)
{
	guard->acted = true;
	guard->acted_at = sim_now(guard->sim);
}

static void text_of_pressure(struct guard *guard, unsigned group, uint64_t ns)
{
	uint64_t ppm = full_avg10_ppm(guard->sim, group);
	const char *name = process_group_name(guard->sim, group);

	snprintf(guard->trigger, sizeof(guard->trigger), "memory full avg10 of %s %u.%02u %% for %u s",
		 group ? name : "the system", (unsigned)(ppm / PERCENT_PPM), (unsigned)(ppm / PPM_IN_HUNDREDTH % 100),
		 (unsigned)(ns / NS_PER_S));
}

// ---- systemd-oomd ----

static void again(struct guard *guard, struct sim_timer *timer, uint64_t interval, timer_callback *callback)
{
	timer_start(guard->sim, timer, timer->event.time + interval, callback, guard);
}

static bool swap_is_short(struct guard *guard) // UG-1
{
	uint64_t limit = PPM - guard->config.swap_used_limit_ppm, swap = guard->sim->machine->swap_pages;
	uint64_t free = yard_swap_available(guard->sim->yard), pages;
	struct memory_figures figures;

	if (!below(free, swap, limit))
		return false;
	read_figures(guard->sim, &figures);
	pages = available(&figures);
	if (!below(pages, figures.total, limit))
		return false;
	snprintf(guard->trigger, sizeof(guard->trigger), "available memory %u.%02u %%, free swap %u.%02u %%",
		 (unsigned)(ppm_of(pages, figures.total) / PERCENT_PPM),
		 (unsigned)(ppm_of(pages, figures.total) / PPM_IN_HUNDREDTH % 100),
		 (unsigned)(ppm_of(free, swap) / PERCENT_PPM), (unsigned)(ppm_of(free, swap) / PPM_IN_HUNDREDTH % 100));
	return true;
}

static void swap_rule(struct simulation *sim, void *argument)
{
	struct guard *guard = argument;
	bool is_short = swap_is_short(guard), known = guard->short_before;

	guard->short_before = is_short;
	if (is_short && !(known && guard->config.dry_run))
		guard_kill_swap_user(guard, sim->machine->swap_pages * SYSTEMD_SWAP_USER_PPM / PPM);
	again(guard, &guard->swap_timer, SWAP_INTERVAL_NS, swap_rule);
}

static void pressure_rule(struct simulation *sim, void *argument) // UG-2
{
	struct guard *guard = argument;
	const struct guard_config *config = &guard->config;
	uint64_t ns = 0;

	(void)sim;
	note_reclaim(guard);
	guard_look(guard);
	for (unsigned group = 0; group < YARD_PSI_GROUPS; group++) {
		if (!pressure_lasts(guard, group, config->pressure_limit_ppm, &ns) || ns < config->pressure_duration_ns)
			continue;
		if (in_pause(guard) || !reclaimed_within(guard, group, SYSTEMD_RECLAIM_WITHIN_NS))
			continue;
		text_of_pressure(guard, group, ns);
		if (guard_kill_most_scanned(guard, group))
			begin_pause(guard);
	}
	again(guard, &guard->pressure_timer, PRESSURE_INTERVAL_NS, pressure_rule);
}

// ---- oomd ----

static bool oomd_swap_guard(struct guard *guard)
{
	uint64_t swap = guard->sim->machine->swap_pages, free = yard_swap_available(guard->sim->yard);

	if (!below(free, swap, guard->config.swap_free_below_ppm))
		return false;
	snprintf(guard->trigger, sizeof(guard->trigger), "free swap %u.%02u %%",
		 (unsigned)(ppm_of(free, swap) / PERCENT_PPM), (unsigned)(ppm_of(free, swap) / PPM_IN_HUNDREDTH % 100));
	return guard_kill_swap_user(guard, OOMD_SWAP_USER_PAGES);
}

static bool oomd_pressure_guard(struct guard *guard)
{
	const struct guard_config *config = &guard->config;
	unsigned fires = YARD_PSI_GROUPS;
	uint64_t ns = 0, fires_ns = 0;

	for (unsigned group = 0; group < YARD_PSI_GROUPS; group++) // all detectors look each time
		if (pressure_lasts(guard, group, config->pressure_above_ppm, &ns)
		    && ns > config->pressure_above_duration_ns
		    && reclaimed_within(guard, group, config->reclaim_within_ns) && fires == YARD_PSI_GROUPS) {
			fires = group;
			fires_ns = ns;
		}
	if (fires == YARD_PSI_GROUPS)
		return false;
	text_of_pressure(guard, fires, fires_ns);
	return guard_kill_by_size_or_growth(guard, fires);
}

static void oomd_rules(struct simulation *sim, void *argument) // UG-3
{
	struct guard *guard = argument;

	(void)sim;
	if (!in_pause(guard)) { // it sleeps after a kill
		note_reclaim(guard);
		guard_look(guard);
		if (oomd_swap_guard(guard) || oomd_pressure_guard(guard))
			begin_pause(guard);
	}
	again(guard, &guard->oomd_timer, OOMD_INTERVAL_NS, oomd_rules);
}

// ---- for the life of the simulation ----

static void start_timers(struct guard *guard)
{
	struct simulation *sim = guard->sim;
	uint64_t now = scheduler_clock(sim);

	if (guard->config.kind == GUARD_SYSTEMD_OOMD) {
		timer_start(sim, &guard->swap_timer, now + SWAP_INTERVAL_NS, swap_rule, guard);
		timer_start(sim, &guard->pressure_timer, now + PRESSURE_INTERVAL_NS, pressure_rule, guard);
	} else {
		timer_start(sim, &guard->oomd_timer, now + OOMD_INTERVAL_NS, oomd_rules, guard);
	}
}

bool guard_start(struct simulation *sim, const struct guard_config *config, unsigned index)
{
	uint64_t pgscan[YARD_PSI_GROUPS];
	struct guard *guard;

	if (index >= PROCESS_GUARDS_MAX || sim->processes->guard[index]) {
		sim_fail(sim, "more than %d guards", PROCESS_GUARDS_MAX);
		return false;
	}
	guard = calloc(1, sizeof(*guard));
	if (!guard) {
		sim_fail(sim, "no host memory for a guard");
		return false;
	}
	guard->sim = sim;
	guard->config = *config;
	guard->index = index;
	guard->state.name = config->kind == GUARD_SYSTEMD_OOMD ? "systemd-oomd" : "oomd";
	guard->state.dry_run = config->dry_run;
	guard->state.first_ns = UINT64_MAX;
	sim->processes->guard[index] = guard;
	process_pgscan(sim, pgscan);
	for (unsigned group = 0; group < YARD_PSI_GROUPS; group++)
		guard->group[group].pgscan = pgscan[group];
	guard_look(guard);
	start_timers(guard);
	return true;
}

void guard_state(const struct simulation *sim, unsigned index, struct guard_state *state)
{
	if (index < PROCESS_GUARDS_MAX && sim->processes->guard[index])
		*state = sim->processes->guard[index]->state;
	else
		*state = (struct guard_state){0};
}

void guards_destroy(struct simulation *sim)
{
	for (unsigned index = 0; index < PROCESS_GUARDS_MAX; index++)
		free(sim->processes->guard[index]); // no timer fires any more
}
