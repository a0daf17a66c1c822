// SPDX-License-Identifier: Apache-2.0
//
// Whom a guard kills (spec 02 UG-1 to UG-3): the leaves, what they use, and the choice. Of leaves that are alike the
// first one counts: groups by their number, then processes in no group by age.

#include <stdio.h>
#include <stdlib.h>

#include "sim/guard_internal.h"

enum { ADJ_NEVER = -1000 };

struct leaf {
	unsigned group;				    // 0: a process in none
	struct process *process;		    // ... this one
	uint64_t resident, swapped, scanned, usage; // pages; usage: its average
	uint32_t alive;				    // processes that nobody has killed yet
};

struct leaves {
	struct leaf *leaf;
	size_t nr;
};

static bool is_own_leaf(const struct process *process)
{
	return !process->group && process->oom_score_adj != ADJ_NEVER;
}

static void add_process(struct leaf *leaf, const struct process *process)
{
	leaf->resident += process->resident;
	leaf->swapped += process->swapped;
	leaf->alive += !process->killed && !process->exiting;
}

static void add_groups(const struct guard *guard, struct leaves *leaves, unsigned only)
{
	struct leaf leaf[YARD_PSI_GROUPS] = {0};

	for (const struct process *process = guard->sim->processes->first; process; process = process->next)
		add_process(&leaf[process->group], process);
	for (unsigned group = 1; group < YARD_PSI_GROUPS; group++) {
		if (!leaf[group].alive || (only && only != group))
			continue;
		leaf[group].group = group;
		leaf[group].scanned = guard->group[group].leaf.scanned;
		leaf[group].usage = guard->group[group].leaf.usage;
		leaves->leaf[leaves->nr++] = leaf[group];
	}
}

static void add_processes(const struct guard *guard, struct leaves *leaves)
{
	for (struct process *process = guard->sim->processes->first; process; process = process->next) {
		struct leaf leaf = {.process = process};

		if (!is_own_leaf(process))
			continue;
		add_process(&leaf, process);
		leaf.scanned = process->history[guard->index].scanned;
		leaf.usage = process->history[guard->index].usage;
		if (leaf.alive)
			leaves->leaf[leaves->nr++] = leaf;
	}
}

// Those below a group (0: all) that can be killed. The caller frees leaves->leaf. False: there are none.
static bool find_leaves(const struct guard *guard, unsigned group, struct leaves *leaves)
{
	*leaves = (struct leaves){.leaf = calloc(process_count(guard->sim) + YARD_PSI_GROUPS, sizeof(struct leaf))};
	if (!leaves->leaf) {
		sim_fail(guard->sim, "no host memory for a guard's choice");
		return false;
	}
	add_groups(guard, leaves, group);
	if (!group)
		add_processes(guard, leaves);
	if (leaves->nr)
		return true;
	free(leaves->leaf);
	return false;
}

// ---- rates ----

enum { AVERAGED_LOOKS = 4 };

static void look_at(struct leaf_history *history, uint64_t pgscan, uint64_t usage)
{
	history->scanned = pgscan - history->pgscan;
	history->pgscan = pgscan;
	history->usage = history->usage ? (history->usage * (AVERAGED_LOOKS - 1) + usage) / AVERAGED_LOOKS : usage;
}

void guard_look(struct guard *guard)
{
	uint64_t pgscan[YARD_PSI_GROUPS], usage[YARD_PSI_GROUPS] = {0};

	process_pgscan(guard->sim, pgscan);
	for (struct process *process = guard->sim->processes->first; process; process = process->next) {
		usage[process->group] += process->resident;
		look_at(&process->history[guard->index], process->pgscan, process->resident);
	}
	for (unsigned group = 1; group < YARD_PSI_GROUPS; group++)
		look_at(&guard->group[group].leaf, pgscan[group], usage[group]);
}

// ---- the kill ----

static void record(struct guard *guard, const struct leaf *leaf)
{
	struct guard_state *state = &guard->state;
	struct guard_victim *victim = &state->victim[state->nr_victims];

	if (!state->firings++)
		state->first_ns = sim_now(guard->sim);
	if (state->nr_victims++ >= GUARD_VICTIMS_MAX)
		return;
	*victim = (struct guard_victim){
		.time_ns = sim_now(guard->sim),
		.processes = leaf->alive,
		.resident = leaf->resident,
		.swapped = leaf->swapped,
	};
	if (leaf->process)
		snprintf(victim->name, sizeof(victim->name), "%s[%u]", leaf->process->comm, leaf->process->pid);
	else
		snprintf(victim->name, sizeof(victim->name), "%s", process_group_name(guard->sim, leaf->group));
	snprintf(victim->trigger, sizeof(victim->trigger), "%s", guard->trigger);
}

static bool kill_leaf(struct guard *guard, const struct leaf *leaf)
{
	struct simulation *sim = guard->sim;

	record(guard, leaf);
	if (guard->config.dry_run)
		return true;
	guard->state.kills++;
	for (struct process *process = sim->processes->first; process; process = process->next) {
		bool belongs = leaf->process ? process == leaf->process : process->group == leaf->group;

		if (!belongs || process->killed || process->exiting)
			continue;
		process_record_kill(sim, process, guard->state.name);
		process_kill(sim, process, false);
	}
	return true;
}

// ---- the choice ----

static bool kill_chosen(struct guard *guard, struct leaves *leaves, const struct leaf *chosen)
{
	bool killed = chosen && kill_leaf(guard, chosen);

	free(leaves->leaf);
	return killed;
}

bool guard_kill_swap_user(struct guard *guard, uint64_t more_than_pages)
{
	const struct leaf *chosen = NULL;
	uint64_t most = more_than_pages;
	struct leaves leaves;

	if (!find_leaves(guard, 0, &leaves))
		return false;
	for (size_t i = 0; i < leaves.nr; i++)
		if (leaves.leaf[i].swapped > most) {
			chosen = &leaves.leaf[i];
			most = chosen->swapped;
		}
	return kill_chosen(guard, &leaves, chosen);
}

bool guard_kill_most_scanned(struct guard *guard, unsigned group)
{
	const struct leaf *chosen = NULL;
	struct leaves leaves;

	if (!find_leaves(guard, group, &leaves))
		return false;
	for (size_t i = 0; i < leaves.nr; i++)
		if (!chosen || leaves.leaf[i].scanned > chosen->scanned)
			chosen = &leaves.leaf[i];
	return kill_chosen(guard, &leaves, chosen);
}

enum { LARGEST_PERCENT = 50, GROWING_PERCENTILE = 80, GROWTH_PERCENT = 125, PERCENT = 100 };

static bool larger(const struct leaf *a, const struct leaf *b) // the first counts
{
	return a->resident > b->resident || (a->resident == b->resident && a < b);
}

static bool is_among_largest(const struct leaves *leaves, const struct leaf *leaf)
{
	size_t before = 0;

	for (size_t i = 0; i < leaves->nr; i++)
		before += larger(&leaves->leaf[i], leaf);
	return before * PERCENT < leaves->nr * (PERCENT - GROWING_PERCENTILE);
}

static bool grew_more(const struct leaf *a, const struct leaf *b)
{
	return (unsigned __int128)a->resident * b->usage > (unsigned __int128)b->resident * a->usage;
}

static const struct leaf *largest_leaf(const struct leaves *leaves)
{
	const struct leaf *largest = leaves->leaf;
	uint64_t sum = 0;

	for (size_t i = 0; i < leaves->nr; i++) {
		sum += leaves->leaf[i].resident;
		if (larger(&leaves->leaf[i], largest))
			largest = &leaves->leaf[i];
	}
	return largest->resident * PERCENT > sum * LARGEST_PERCENT ? largest : NULL;
}

static const struct leaf *grown_leaf(const struct leaves *leaves)
{
	const struct leaf *chosen = NULL;

	for (size_t i = 0; i < leaves->nr; i++) {
		const struct leaf *leaf = &leaves->leaf[i];

		if (leaf->resident * PERCENT < leaf->usage * GROWTH_PERCENT || (chosen && !grew_more(leaf, chosen)))
			continue;
		if (leaf->resident && is_among_largest(leaves, leaf))
			chosen = leaf;
	}
	return chosen;
}

bool guard_kill_by_size_or_growth(struct guard *guard, unsigned group)
{
	const struct leaf *chosen;
	struct leaves leaves;

	if (!find_leaves(guard, group, &leaves))
		return false;
	chosen = largest_leaf(&leaves);
	return kill_chosen(guard, &leaves, chosen ? chosen : grown_leaf(&leaves));
}
