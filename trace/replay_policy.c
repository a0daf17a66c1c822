// SPDX-License-Identifier: Apache-2.0
//
// One policy's half of a replay: operations on its yard, and what came of them.

#include "trace/replay_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <pageyard/restore.h>
#include <pageyard/sim.h>

#include "trace/internal.h"

// ---- figures ----

void count_extfrag(struct replay_figures *figures, int change_ownership, int fallback_order)
{
	if (change_ownership > 0)
		figures->claims++;
	else if (fallback_order >= YARD_PAGEBLOCK_ORDER)
		figures->steals++;
	else
		figures->pollutes++;
}

static void watch(void *context, const struct yard_event *event)
{
	struct lane *lane = context;
	struct replay_figures *figures = &lane->figures;

	if (event->kind == YARD_EVENT_WAKEUP_KSWAPD)
		lane->woken |= 1ull << event->zone / YARD_ZONE_TYPES;
	else if (event->kind == YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED)
		figures->refills += event->a == 1;
	else if (event->kind == YARD_EVENT_PAGE_PCPU_DRAIN)
		figures->drains++;
	else if (event->kind == YARD_EVENT_PAGE_ALLOC_EXTFRAG)
		count_extfrag(figures, event->c, event->a);
}

void unusable_index(const struct free_state *state, double index[REPLAY_ORDERS])
{
	uint64_t usable = 0;

	for (unsigned order = REPLAY_ORDERS; order-- > 0;) {
		usable += state->blocks[order] << order;
		index[order] = state->pages ? (double)(state->pages - usable) / (double)state->pages : 0;
	}
}

uint64_t whole_blocks(const struct free_state *state)
{
	uint64_t blocks = 0;

	for (unsigned order = YARD_PAGEBLOCK_ORDER; order < REPLAY_ORDERS; order++)
		blocks += state->blocks[order] << (order - YARD_PAGEBLOCK_ORDER);
	return blocks;
}

static void read_free_state(struct yard *yard, struct free_state *state)
{
	*state = (struct free_state){0};
	for (unsigned zone = 0; zone < yard_nr_zones(yard); zone++) {
		struct yard_zone_state zone_state;

		yard_get_zone(yard, zone, &zone_state);
		for (unsigned order = 0; order < REPLAY_ORDERS; order++) {
			state->blocks[order] += zone_state.nr_free[order];
			state->pages += zone_state.nr_free[order] << order;
		}
	}
}

static void sample(struct lane *lane)
{
	struct free_state state;
	double index[REPLAY_ORDERS];

	read_free_state(lane->machine.yard, &state);
	unusable_index(&state, index);
	for (unsigned order = 0; order < REPLAY_ORDERS; order++)
		lane->figures.unusable_mean[order] += index[order]; // divided in lane_finish()
	lane->figures.samples++;
	lane->since_sample = 0;
}

static uint64_t pages_on_cpus(struct yard *yard)
{
	uint64_t pages = 0;

	for (unsigned zone = 0; zone < yard_nr_zones(yard); zone++)
		for (unsigned cpu = 0; cpu < yard_nr_cpus(yard); cpu++) {
			struct yard_pcp_state state;

			yard_get_pcp(yard, zone, cpu, &state);
			pages += (uint64_t)state.count;
		}
	return pages;
}

// ---- pageblocks of two kinds ----

int mix_init(struct mix *mix, uint32_t start_pfn, uint32_t end_pfn)
{
	mix->first_block = start_pfn >> YARD_PAGEBLOCK_ORDER;
	mix->nr_blocks = (end_pfn >> YARD_PAGEBLOCK_ORDER) - mix->first_block + 1;
	mix->seen = calloc(mix->nr_blocks, 1);
	return mix->seen ? 0 : -1;
}

void mix_add(struct mix *mix, uint32_t pfn, uint32_t nr, bool movable)
{
	uint32_t last = (pfn + nr - 1) >> YARD_PAGEBLOCK_ORDER;

	for (uint32_t block = pfn >> YARD_PAGEBLOCK_ORDER; block <= last; block++)
		if (block >= mix->first_block && block - mix->first_block < mix->nr_blocks)
			mix->seen[block - mix->first_block] |= movable ? 2 : 1;
}

uint64_t mix_count_and_free(struct mix *mix)
{
	uint64_t mixed = 0;

	for (uint32_t i = 0; i < mix->nr_blocks; i++)
		mixed += mix->seen[i] == 3;
	free(mix->seen);
	return mixed;
}

// ---- operations ----

static uint32_t *map_at(const struct lane *lane, uint32_t pfn)
{
	return &lane->map[pfn >> CHUNK_SHIFT][pfn & (CHUNK_FRAMES - 1)];
}

static void run_alloc(struct lane *lane, const struct operation *op)
{
	struct yard_request request = {.gfp = op->gfp, .order = op->order, .node = op->node, .task = op->task};
	struct yard *yard = lane->machine.yard;
	struct yard_result result;
	int error = yard_alloc_request(yard, &request, &result);

	if (op->pfn != YARD_PFN_NONE)
		*map_at(lane, op->pfn) = result.pfn;
	if (error) { // also requests that cannot be: flags that exclude each other
		lane->figures.failures[op->order]++;
		return;
	}
	lane->figures.allocs[op->order]++;
	if (op->pfn == YARD_PFN_NONE)
		yard_free(yard, result.pfn, op->order);
	else if (op->gfp & YARD_GFP_MOVABLE)
		yard_set_lru(yard, result.pfn, true);
}

// Frees a block that an operation of this lane allocated: nothing can be wrong with it.
static void free_own(struct lane *lane, uint32_t pfn, unsigned order)
{
	int error = yard_free(lane->machine.yard, pfn, order);

	assert(!error);
	(void)error;
}

static void run_free(struct lane *lane, const struct operation *op)
{
	uint32_t pfn = *map_at(lane, op->pfn);

	if (pfn != YARD_PFN_NONE)
		free_own(lane, pfn, op->order);
}

// The policy's frames lie as the recorded ones: one block after all.
static bool in_one_piece(const uint32_t *map, unsigned order)
{
	if (map[0] == YARD_PFN_NONE || map[0] & ((1u << order) - 1))
		return false;
	for (uint32_t i = 1; i < 1u << order; i++)
		if (map[i] != map[0] + i)
			return false;
	return true;
}

static void run_free_joined(struct lane *lane, const struct operation *op)
{
	const uint32_t *map = map_at(lane, op->pfn);

	if (in_one_piece(map, op->order)) {
		yard_force_allocated(lane->machine.yard, map[0], op->order);
		free_own(lane, map[0], op->order);
		return;
	}
	for (uint32_t i = 0; i < 1u << op->order; i++)
		if (map[i] != YARD_PFN_NONE)
			free_own(lane, map[i], 0);
}

static void run_split(struct lane *lane, const struct operation *op)
{
	uint32_t *map = map_at(lane, op->pfn);

	if (map[0] != YARD_PFN_NONE)
		yard_split(lane->machine.yard, map[0], op->order);
	for (uint32_t i = 1; i < 1u << op->order; i++)
		map[i] = map[0] == YARD_PFN_NONE ? YARD_PFN_NONE : map[0] + i;
}

static void run_timed(struct lane *lane, const struct operation *op)
{
	struct yard *yard = lane->machine.yard;

	switch (op->kind) {
	case OP_VMSTAT_ZONE: yard_vmstat_update_zone(yard, op->zone, op->cpu); break;
	case OP_VMSTAT: yard_vmstat_update(yard, op->cpu, false); break;
	case OP_DRAIN: yard_drain_zone_cpu(yard, op->zone, op->cpu); break;
	case OP_KSWAPD_AWAKE: yard_kswapd_awake(yard, op->kswapd.node, op->kswapd.awake); break;
	case OP_BALANCE_BEGIN: yard_kswapd_balance_begin(yard, op->kswapd.node, op->kswapd.highest_zone); break;
	case OP_BALANCE_END: yard_kswapd_balance_end(yard, op->kswapd.node, op->kswapd.highest_zone); break;
	default: break;
	}
}

// Nothing is reclaimed for a policy, but its kswapd at least takes its boosts back (W9): otherwise they would hold until the
// recorded kernel's kswapd happens to run, and fail requests that every kernel serves.
static void run_kswapds(struct lane *lane)
{
	struct yard *yard = lane->machine.yard;

	for (unsigned node = 0; node < yard_nr_nodes(yard); node++) {
		if (!(lane->woken >> node & 1))
			continue;
		yard_kswapd_balance_begin(yard, node, YARD_ZONE_MOVABLE);
		yard_kswapd_balance_end(yard, node, YARD_ZONE_MOVABLE);
	}
	lane->woken = 0;
}

void lane_run(struct lane *lane, const struct operation *operation, size_t nr)
{
	for (const struct operation *op = operation; op < operation + nr; op++) {
		if (op->cpu != lane->cpu) {
			lane->cpu = op->cpu;
			yard_sim_set_cpu(lane->machine.yard, op->cpu);
		}
		switch (op->kind) {
		case OP_ALLOC: run_alloc(lane, op); break;
		case OP_FREE: run_free(lane, op); break;
		case OP_FREE_JOINED: run_free_joined(lane, op); break;
		case OP_SPLIT: run_split(lane, op); break;
		default: run_timed(lane, op); break;
		}
		if (lane->woken)
			run_kswapds(lane);
		if (++lane->since_sample == REPLAY_SAMPLE_EVERY)
			sample(lane);
	}
}

// ---- beginning and end ----

int lane_init(struct lane *lane, const struct replay_config *config, const struct yard_policy *policy,
	      struct trace_error *error)
{
	int failed;

	if (config->before)
		failed = machine_from_snapshot(&lane->machine, config->before, policy, error);
	else
		failed = machine_from_pages(&lane->machine, config->pages, config->nr_cpus, policy, error);
	if (failed)
		return -1;
	lane->map = calloc(CHUNKS, sizeof(*lane->map));
	if (!lane->map)
		return trace_fail(error, "no memory for the table of frames");
	yard_set_event_sink(lane->machine.yard, watch, lane, false);
	return 0;
}

void lane_free(struct lane *lane)
{
	for (uint32_t i = 0; lane->map && i < CHUNKS; i++)
		free(lane->map[i]);
	free(lane->map);
	machine_free(&lane->machine);
}

int lane_add_chunk(struct lane *lane, uint32_t chunk)
{
	uint32_t *map = malloc(CHUNK_FRAMES * sizeof(*map));

	if (!map)
		return -1;
	for (uint32_t i = 0; i < CHUNK_FRAMES; i++)
		map[i] = chunk << CHUNK_SHIFT | i; // frames of the snapshot stand for themselves
	lane->map[chunk] = map;
	return 0;
}

static void count_pageblocks(struct lane *lane, const struct snapshot *before)
{
	struct yard *yard = lane->machine.yard;
	uint32_t start, end;

	for (uint32_t i = 0; before && i < before->nr_pageblocks; i++)
		lane->figures.pageblocks[yard_pageblock_type(yard, before->pageblock[i].pfn)]++;
	if (before)
		return;
	yard_frame_span(yard, &start, &end);
	start &= ~(uint32_t)(YARD_PAGEBLOCK_NR_PAGES - 1);
	for (uint64_t pfn = start; pfn < end; pfn += YARD_PAGEBLOCK_NR_PAGES)
		if (yard_zone_of(yard, (uint32_t)pfn) >= 0)
			lane->figures.pageblocks[yard_pageblock_type(yard, (uint32_t)pfn)]++;
}

// What requests and the snapshot hold, by the book: pages in use and mixed pageblocks.
static int count_use(struct lane *lane, const struct book *book, struct trace_error *error)
{
	struct mix mix;
	uint32_t start, end;

	yard_frame_span(lane->machine.yard, &start, &end);
	if (mix_init(&mix, start, end))
		return trace_fail(error, "no memory to look at the pageblocks");
	for (uint32_t chunk = 0; chunk < CHUNKS; chunk++)
		for (uint32_t i = 0; book->chunk[chunk] && i < CHUNK_FRAMES; i++) {
			uint8_t entry = book->chunk[chunk][i];
			unsigned order = entry & BOOK_ORDER;

			if (order == BOOK_NONE || entry & BOOK_TAIL || lane->map[chunk][i] == YARD_PFN_NONE)
				continue;
			mix_add(&mix, lane->map[chunk][i], 1u << order, entry & BOOK_MOVABLE);
			lane->figures.used_pages += 1ull << order;
		}
	lane->figures.mixed_blocks = mix_count_and_free(&mix);
	return 0;
}

int lane_finish(struct lane *lane, const struct book *book, const struct snapshot *before, struct trace_error *error)
{
	struct replay_figures *figures = &lane->figures;
	struct free_state state;

	if (lane->since_sample || !figures->samples)
		sample(lane);
	for (unsigned order = 0; order < REPLAY_ORDERS; order++)
		figures->unusable_mean[order] /= (double)figures->samples;
	read_free_state(lane->machine.yard, &state);
	unusable_index(&state, figures->unusable);
	figures->state = true;
	figures->free_pages = state.pages;
	figures->pcp_pages = pages_on_cpus(lane->machine.yard);
	figures->free_blocks = whole_blocks(&state);
	count_pageblocks(lane, before);
	return count_use(lane, book, error);
}
