// SPDX-License-Identifier: Apache-2.0
//
// What the recorded kernel itself did: the figures that policies are compared with.

#include "trace/replay_internal.h"

#include "trace/internal.h"

static unsigned pageblock_type(unsigned bits) // spec 01 M7, M8
{
	return bits & 16 ? (unsigned)YARD_ISOLATE : bits & 7;
}

static void recorded_free(const struct snapshot *after, struct replay_figures *figures)
{
	struct free_state state = {0};

	for (uint32_t i = 0; i < after->nr_zones; i++) {
		const struct snapshot_zone *zone = &after->zone[i];

		for (unsigned order = 0; order < REPLAY_ORDERS; order++) {
			state.blocks[order] += zone->nr_free[order];
			state.pages += zone->nr_free[order] << order;
		}
		for (uint32_t cpu = 0; cpu < zone->nr_pcps; cpu++)
			figures->pcp_pages += (uint64_t)zone->pcp[cpu].count;
	}
	figures->free_pages = state.pages;
	figures->free_blocks = whole_blocks(&state);
	unusable_index(&state, figures->unusable);
}

static int recorded_use(const struct snapshot *after, struct replay_figures *figures, struct trace_error *error)
{
	struct mix mix = {0};
	uint32_t end =
		after->nr_frames ? after->frames[after->nr_frames - 1].pfn + after->frames[after->nr_frames - 1].nr : 0;

	if (mix_init(&mix, 0, end))
		return trace_fail(error, "no memory to look at the pageblocks");
	for (uint32_t i = 0; i < after->nr_frames; i++) {
		const struct snapshot_frames *run = &after->frames[i];

		if (!class_in_use(run->class) || !run->nr)
			continue;
		figures->used_pages += run->nr;
		mix_add(&mix, run->pfn, run->nr, class_is_movable(run->class));
	}
	figures->mixed_blocks = mix_count_and_free(&mix);
	return 0;
}

int replay_recorded_figures(const struct replay *replay, const struct snapshot *after, struct replay_figures *figures,
			    struct trace_error *error)
{
	*figures = replay->recorded;
	if (!after)
		return 0;
	figures->state = true;
	for (uint32_t i = 0; i < after->nr_pageblocks; i++)
		figures->pageblocks[pageblock_type(after->pageblock[i].bits)]++;
	recorded_free(after, figures);
	return recorded_use(after, figures, error);
}
