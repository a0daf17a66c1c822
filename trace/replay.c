// SPDX-License-Identifier: Apache-2.0
//
// The recorded half of a replay: from events to operations (trace/replay_internal.h).

#include "trace/replay_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/internal.h"

enum { SECONDS_MAX = 64 }; // of silence that the vmstat work follows; then nothing is left for it to do

// ---- requests and frees ----

static struct operation *add_request(struct replay *replay, const struct trace_event *event, uint32_t pfn, uint32_t gfp,
				     unsigned order)
{
	struct operation *op = window_add(replay, event, OP_ALLOC);

	op->pfn = pfn;
	op->gfp = gfp;
	op->order = (uint8_t)order;
	op->node = -1;
	op->task = event->interrupt ? YARD_TASK_INTERRUPT : 0;
	return op;
}

static int take(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	uint32_t pfn = (uint32_t)event->pfn;

	if (event->pfn == TRACE_PFN_NONE)
		return 0;
	if (book_reach(replay, event, error))
		return -1;
	book_release(replay, event, pfn, 0);
	add_request(replay, event, pfn, YARD_GFP_KERNEL, 0);
	replay->taken[replay->nr_taken++] = replay->nr_waiting - 1;
	book_set(replay, pfn, 0, BOOK_TAKEN);
	return 0;
}

static int refused_alloc(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	if (event->order >= REPLAY_ORDERS)
		return trace_fail(error, "event %" PRIu64 ": order %u exceeds %u", event->seq, event->order,
				  REPLAY_ORDERS - 1);
	add_request(replay, event, YARD_PFN_NONE, event->gfp, event->order);
	replay->counts.requests++;
	replay->recorded.failures[event->order]++;
	return 0;
}

// A request that one node had to serve was meant for the node that did.
static int wanted_node(const struct replay *replay, const struct trace_event *event)
{
	int zone;

	if (!(event->gfp & YARD_GFP_THISNODE) || replay->nr_nodes == 1)
		return -1;
	zone = yard_zone_of(replay->lane[0].machine.yard, (uint32_t)event->pfn);
	return zone < 0 ? -1 : zone / YARD_ZONE_TYPES;
}

static int alloc(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	uint32_t pfn = (uint32_t)event->pfn;
	unsigned order = event->order;
	struct operation *op;

	if (event->pfn == TRACE_PFN_NONE)
		return refused_alloc(replay, event, error);
	if (book_reach(replay, event, error))
		return -1;
	if (*book_at(&replay->book, pfn) & BOOK_TAKEN) {
		op = window_remove_taken(replay, pfn);
		op->gfp = event->gfp;
		op->order = event->order;
		op->task = event->interrupt ? YARD_TASK_INTERRUPT : 0;
		op->node = (int8_t)wanted_node(replay, event);
		*book_at(&replay->book, pfn) = BOOK_NONE;
		book_release(replay, event, pfn, order);
	} else {
		book_release(replay, event, pfn, order);
		add_request(replay, event, pfn, event->gfp, order)->node = (int8_t)wanted_node(replay, event);
	}
	book_set(replay, pfn, order, event->gfp & YARD_GFP_MOVABLE ? BOOK_MOVABLE : 0);
	replay->counts.requests++;
	replay->recorded.allocs[order]++;
	return 0;
}

static int dealloc(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	uint32_t pfn = (uint32_t)event->pfn, used;
	unsigned order = event->order;
	uint8_t *entry;

	if (book_reach(replay, event, error))
		return -1;
	entry = book_at(&replay->book, pfn);
	if (*entry & BOOK_BACK) {
		*entry &= (uint8_t)~BOOK_BACK;
		return 0;
	}
	replay->counts.frees++;
	if ((*entry & (BOOK_ORDER | BOOK_TAIL)) == order) {
		window_add_block(replay, event, OP_FREE, pfn, order);
		book_clear(replay, pfn, order);
		return 0;
	}
	used = book_cut(replay, event, pfn, order, true);
	if (used < 1u << order)
		replay->counts.unmatched++;
	else
		window_add_block(replay, event, OP_FREE_JOINED, pfn, order);
	for (uint32_t i = 0; i < 1u << order; i++) {
		if ((*book_at(&replay->book, pfn + i) & BOOK_ORDER) == BOOK_NONE)
			continue;
		if (used < 1u << order)
			window_add_block(replay, event, OP_FREE, pfn + i, 0);
		book_clear(replay, pfn + i, 0);
	}
	return 0;
}

static int split(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	if (book_reach(replay, event, error))
		return -1;
	if (event->order && (*book_at(&replay->book, (uint32_t)event->pfn) & (BOOK_ORDER | BOOK_TAIL)) == event->order)
		book_split(replay, event, (uint32_t)event->pfn);
	return 0;
}

static int compact_back(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	if (book_reach(replay, event, error))
		return -1;
	*book_at(&replay->book, (uint32_t)event->pfn) |= BOOK_BACK;
	return 0;
}

// ---- timed work, and what reclaim did ----

static void decay(struct replay *replay, const struct trace_event *event)
{
	int zone = zone_names_visit(&replay->zones, event->zone);

	replay->timed = false;
	if (zone >= 0)
		window_add(replay, event, OP_VMSTAT_ZONE)->zone = (uint8_t)zone;
}

static void add_drain(struct replay *replay, const struct trace_event *event, int zone, int32_t owner)
{
	struct operation *op;

	if (zone < 0 || owner < 0)
		return;
	op = window_add(replay, event, OP_DRAIN);
	op->zone = (uint8_t)zone;
	op->cpu = (uint16_t)((unsigned)owner % replay->nr_cpus);
}

static void drain(struct replay *replay, const struct trace_event *event)
{
	int zone = zone_names_find(&replay->zones, event->zone);

	replay->drain = (struct open_drain){zone < 0, event->cpu, event->a};
	add_drain(replay, event, zone, event->a);
}

static void drained(struct replay *replay, const struct trace_event *event)
{
	replay->recorded.drains++;
	if (!replay->drain.open || replay->drain.cpu != event->cpu || event->pfn >= YARD_PFN_NONE)
		return;
	replay->drain.open = false;
	add_drain(replay, event, yard_zone_of(replay->lane[0].machine.yard, (uint32_t)event->pfn), replay->drain.owner);
}

static void kswapd_awake(struct replay *replay, const struct trace_event *event, bool awake)
{
	struct operation *op;

	if (event->a < 0 || (unsigned)event->a >= replay->nr_nodes)
		return;
	op = window_add(replay, event, OP_KSWAPD_AWAKE);
	op->kswapd.node = (uint8_t)event->a;
	op->kswapd.awake = awake;
}

static void kswapd_balance(struct replay *replay, const struct trace_event *event, unsigned kind)
{
	struct operation *op;

	if (event->a < 0 || (unsigned)event->a >= replay->nr_nodes)
		return;
	op = window_add(replay, event, kind);
	op->kswapd.node = (uint8_t)event->a;
	op->kswapd.highest_zone = event->b < 0 || event->b >= YARD_ZONE_TYPES ? YARD_ZONE_TYPES - 1 : (uint8_t)event->b;
}

// Files without decay_pcp: the vmstat work runs on each CPU once a second (spec 01 V4).
static void pass_time(struct replay *replay, const struct trace_event *event)
{
	const uint64_t second = 1000000000;

	if (!replay->started) {
		replay->started = true;
		replay->next_second = event->ns + second;
	}
	for (unsigned i = 0; event->ns >= replay->next_second && i < SECONDS_MAX; i++) {
		for (unsigned cpu = 0; cpu < replay->nr_cpus; cpu++)
			window_add(replay, event, OP_VMSTAT)->cpu = (uint16_t)cpu;
		replay->next_second += second;
	}
	if (event->ns >= replay->next_second)
		replay->next_second = event->ns + second;
}

// ---- the stream ----

int replay_event(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	replay->counts.events++;
	if (replay->timed)
		pass_time(replay, event);
	switch (event->kind) {
	case TRACE_TAKE: return take(replay, event, error);
	case TRACE_PAGE_ALLOC: return alloc(replay, event, error);
	case TRACE_PAGE_FREE: return dealloc(replay, event, error);
	case TRACE_SPLIT: return split(replay, event, error);
	case TRACE_COMPACT_BACK: return compact_back(replay, event, error);
	case TRACE_PAGE_ALLOC_ZONE_LOCKED: replay->recorded.refills += event->a == 1; break;
	case TRACE_PAGE_PCPU_DRAIN: drained(replay, event); break;
	case TRACE_PAGE_ALLOC_EXTFRAG: count_extfrag(&replay->recorded, event->c, event->a); break;
	case TRACE_DECAY_PCP: decay(replay, event); break;
	case TRACE_DRAIN_CPU: drain(replay, event); break;
	case TRACE_KSWAPD_WAKE: kswapd_awake(replay, event, true); break;
	case TRACE_KSWAPD_SLEEP: kswapd_awake(replay, event, false); break;
	case TRACE_BALANCE_PGDAT_BEGIN: kswapd_balance(replay, event, OP_BALANCE_BEGIN); break;
	case TRACE_BALANCE_PGDAT_END: kswapd_balance(replay, event, OP_BALANCE_END); break;
	default: break;
	}
	return 0;
}

// ---- beginning and end ----

static int enter_snapshot(struct replay *replay, struct trace_error *error)
{
	for (uint32_t i = 0; i < replay->before->nr_frames; i++) {
		const struct snapshot_frames *run = &replay->before->frames[i];

		for (uint32_t pfn = run->pfn; class_in_use(run->class) && pfn - run->pfn < run->nr; pfn++) {
			if (!replay->book.chunk[pfn >> CHUNK_SHIFT] && book_add_chunk(replay, pfn >> CHUNK_SHIFT))
				return trace_fail(error, "no memory for the book of frames");
			book_set(replay, pfn, 0, class_is_movable(run->class) ? BOOK_MOVABLE : 0);
		}
	}
	return 0;
}

static int set_up(struct replay *replay, const struct replay_config *config, struct trace_error *error)
{
	struct yard *yard;

	replay->book.chunk = calloc(CHUNKS, sizeof(*replay->book.chunk));
	if (!replay->book.chunk)
		return trace_fail(error, "no memory for the book of frames");
	for (unsigned i = 0; i < replay->nr_lanes; i++)
		if (lane_init(&replay->lane[i], config, &config->policy[i], error))
			return -1;
	yard = replay->lane[0].machine.yard;
	replay->nr_cpus = yard_nr_cpus(yard);
	replay->nr_nodes = yard_nr_nodes(yard);
	zone_names_init(&replay->zones, yard);
	return replay->before ? enter_snapshot(replay, error) : 0;
}

struct replay *replay_new(const struct replay_config *config, struct trace_error *error)
{
	struct replay *replay;

	assert(config->nr_policies && config->nr_policies <= REPLAY_POLICIES_MAX);
	replay = calloc(1, sizeof(*replay) + config->nr_policies * sizeof(replay->lane[0]));
	if (!replay) {
		trace_fail(error, "no memory for a replay");
		return NULL;
	}
	replay->nr_lanes = config->nr_policies;
	replay->timed = config->timed;
	replay->before = config->before;
	if (!set_up(replay, config, error))
		return replay;
	replay_free(replay);
	return NULL;
}

int replay_finish(struct replay *replay, struct trace_error *error)
{
	window_run(replay, replay->nr_waiting);
	for (unsigned i = 0; i < replay->nr_lanes; i++)
		if (lane_finish(&replay->lane[i], &replay->book, replay->before, error))
			return -1;
	return 0;
}

const struct replay_figures *replay_policy_figures(const struct replay *replay, unsigned policy)
{
	return &replay->lane[policy].figures;
}

const struct replay_counts *replay_counts(const struct replay *replay)
{
	return &replay->counts;
}

struct yard *replay_yard(const struct replay *replay, unsigned policy)
{
	return replay->lane[policy].machine.yard;
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	for (unsigned i = 0; i < replay->nr_lanes; i++)
		lane_free(&replay->lane[i]);
	for (uint32_t i = 0; replay->book.chunk && i < CHUNKS; i++)
		free(replay->book.chunk[i]);
	free(replay->book.chunk);
	free(replay);
}

// ---- lists of policies ----

size_t replay_split_policies(char *text, char **items, size_t max)
{
	size_t nr = 0;

	for (char *piece = text; piece;) {
		char *comma = strchr(piece, ',');
		size_t length = comma ? (size_t)(comma - piece) : strlen(piece);

		if (!nr || !memchr(piece, '=', length)) {
			if (nr)
				piece[-1] = '\0';
			if (nr < max)
				items[nr] = piece;
			nr++;
		}
		piece = comma ? comma + 1 : NULL;
	}
	return nr;
}
