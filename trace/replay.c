// SPDX-License-Identifier: Apache-2.0
//
// The recorded half of a replay: from events to operations (trace/replay_internal.h).
//
// Operations wait in a window before the policies carry them out, because a `take` does not tell what was asked for:
// the mm_page_alloc that does comes later, after the frame was cleared, perhaps after other tasks ran. It then fills in
// the operation that the take left. A take that reaches the end of the window without one was a bulk allocation's.

#include "trace/replay_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/internal.h"
#include "trace/zone_names.h"

enum {
	WINDOW = 8192,
	LOOKAHEAD = WINDOW / 2, // a take is in the window for at least so many operations
	SECONDS_MAX = 64,	// of silence that the vmstat work follows; then nothing is left for it to do
};

// A drain whose zone is not known before it drains something.
struct open_drain {
	bool open;
	uint16_t cpu; // that drains
	int32_t owner;
};

struct replay {
	unsigned nr_cpus, nr_nodes, nr_lanes;
	bool timed, started;
	const struct snapshot *before;
	uint64_t next_second; // ns of the event clock at which the vmstat work is due
	struct book book;
	uint32_t nr_waiting, nr_taken;
	struct operation waiting[WINDOW];
	uint32_t taken[WINDOW]; // indices in waiting[] of the takes without mm_page_alloc
	struct zone_names zones;
	struct open_drain drain;
	struct replay_counts counts;
	struct replay_figures recorded;
	struct lane lane[];
};

// ---- the window ----

// A take whose mm_page_alloc was not seen: it stays what add_take() made of it.
static void settle_bulk(struct replay *replay, uint32_t pfn)
{
	*book_at(&replay->book, pfn) &= (uint8_t)~BOOK_TAKEN;
	replay->counts.requests++;
	replay->counts.bulk++;
	replay->recorded.allocs[0]++;
}

static void run_oldest(struct replay *replay, uint32_t nr)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < replay->nr_taken; i++) {
		if (replay->taken[i] < nr)
			settle_bulk(replay, replay->waiting[replay->taken[i]].pfn);
		else
			replay->taken[left++] = replay->taken[i] - nr;
	}
	replay->nr_taken = left;
	for (unsigned i = 0; i < replay->nr_lanes; i++)
		lane_run(&replay->lane[i], replay->waiting, nr);
	replay->nr_waiting -= nr;
	memmove(replay->waiting, replay->waiting + nr, replay->nr_waiting * sizeof(replay->waiting[0]));
}

static struct operation *add(struct replay *replay, const struct trace_event *event, unsigned kind)
{
	struct operation *op;

	if (replay->nr_waiting == WINDOW)
		run_oldest(replay, WINDOW - LOOKAHEAD);
	op = &replay->waiting[replay->nr_waiting++];
	*op = (struct operation){.kind = (uint8_t)kind, .cpu = (uint16_t)(event->cpu % replay->nr_cpus)};
	return op;
}

static void add_block(struct replay *replay, const struct trace_event *event, unsigned kind, uint32_t pfn,
		      unsigned order)
{
	struct operation *op = add(replay, event, kind);

	op->pfn = pfn;
	op->order = (uint8_t)order;
}

static struct operation *remove_taken(struct replay *replay, uint32_t pfn)
{
	uint32_t i = replay->nr_taken;

	while (i-- > 0) {
		struct operation *op = &replay->waiting[replay->taken[i]];

		if (op->pfn != pfn)
			continue;
		replay->taken[i] = replay->taken[--replay->nr_taken];
		return op;
	}
	return NULL;
}

// ---- the book ----

static int add_chunk(struct replay *replay, uint32_t chunk)
{
	uint8_t *book = malloc(CHUNK_FRAMES);

	if (!book)
		return -1;
	memset(book, BOOK_NONE, CHUNK_FRAMES);
	replay->book.chunk[chunk] = book;
	for (unsigned i = 0; i < replay->nr_lanes; i++)
		if (lane_add_chunk(&replay->lane[i], chunk))
			return -1;
	return 0;
}

// Checks that the event's block can be, and makes room for it in the book.
static int reach(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	if (event->order >= REPLAY_ORDERS)
		return trace_fail(error, "event %" PRIu64 ": order %u exceeds %u", event->seq, event->order,
				  REPLAY_ORDERS - 1);
	if (event->pfn >= YARD_PFN_NONE)
		return trace_fail(error, "event %" PRIu64 ": frame %" PRIu64 " lies beyond 16 TiB", event->seq,
				  event->pfn);
	if (event->pfn & ((1u << event->order) - 1))
		return trace_fail(error, "event %" PRIu64 ": frame %" PRIu64 " cannot begin a block of order %u",
				  event->seq, event->pfn, event->order);
	if (!replay->book.chunk[event->pfn >> CHUNK_SHIFT] && add_chunk(replay, (uint32_t)(event->pfn >> CHUNK_SHIFT)))
		return trace_fail(error, "no memory for the book of frames");
	return 0;
}

static void book_set(struct replay *replay, uint32_t pfn, unsigned order, unsigned flags)
{
	uint8_t *entry = book_at(&replay->book, pfn);

	entry[0] = (uint8_t)(order | flags);
	memset(entry + 1, (int)(order | flags | BOOK_TAIL), (1u << order) - 1);
}

static void book_clear(struct replay *replay, uint32_t pfn, unsigned order)
{
	uint8_t *entry = book_at(&replay->book, pfn);

	if (entry[0] & BOOK_TAKEN) {
		remove_taken(replay, pfn);
		settle_bulk(replay, pfn);
	}
	for (uint32_t i = 0; i < 1u << order; i++)
		entry[i] = (entry[i] & BOOK_BACK) | BOOK_NONE;
}

// The block that holds pfn becomes single frames.
static void book_split(struct replay *replay, const struct trace_event *event, uint32_t pfn)
{
	uint8_t *entry = book_at(&replay->book, pfn);
	unsigned order = *entry & BOOK_ORDER;
	uint32_t first = pfn & ~((1u << order) - 1);

	add_block(replay, event, OP_SPLIT, first, order);
	entry = book_at(&replay->book, first);
	for (uint32_t i = 0; i < 1u << order; i++)
		entry[i] &= BOOK_MOVABLE | BOOK_BACK;
}

// Cuts every block that lies in [pfn, pfn + 2^order) only in part, and with `whole` also those that lie in it with more
// than one frame. Returns how many of the frames are in use.
static uint32_t book_cut(struct replay *replay, const struct trace_event *event, uint32_t pfn, unsigned order,
			 bool whole)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < 1u << order; i++) {
		unsigned held = *book_at(&replay->book, pfn + i) & BOOK_ORDER;

		if (held == BOOK_NONE)
			continue;
		used++;
		if (held > order || (whole && held))
			book_split(replay, event, pfn + i);
	}
	return used;
}

// Frees what the book still holds in these frames: the kernel has given them out anew, so their free was not seen.
static void release(struct replay *replay, const struct trace_event *event, uint32_t pfn, unsigned order)
{
	if (!book_cut(replay, event, pfn, order, false))
		return;
	for (uint32_t i = 0; i < 1u << order;) {
		unsigned held = *book_at(&replay->book, pfn + i) & BOOK_ORDER;

		if (held == BOOK_NONE) {
			i++;
			continue;
		}
		add_block(replay, event, OP_FREE, pfn + i, held);
		book_clear(replay, pfn + i, held);
		replay->counts.reused++;
		i += 1u << held;
	}
}

// ---- requests and frees ----

static struct operation *add_request(struct replay *replay, const struct trace_event *event, uint32_t pfn, uint32_t gfp,
				     unsigned order)
{
	struct operation *op = add(replay, event, OP_ALLOC);

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
	if (reach(replay, event, error))
		return -1;
	release(replay, event, pfn, 0);
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
	if (reach(replay, event, error))
		return -1;
	if (*book_at(&replay->book, pfn) & BOOK_TAKEN) {
		op = remove_taken(replay, pfn);
		op->gfp = event->gfp;
		op->order = event->order;
		op->task = event->interrupt ? YARD_TASK_INTERRUPT : 0;
		op->node = (int8_t)wanted_node(replay, event);
		*book_at(&replay->book, pfn) = BOOK_NONE;
		release(replay, event, pfn, order);
	} else {
		release(replay, event, pfn, order);
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

	if (reach(replay, event, error))
		return -1;
	entry = book_at(&replay->book, pfn);
	if (*entry & BOOK_BACK) {
		*entry &= (uint8_t)~BOOK_BACK;
		return 0;
	}
	replay->counts.frees++;
	if ((*entry & (BOOK_ORDER | BOOK_TAIL)) == order) {
		add_block(replay, event, OP_FREE, pfn, order);
		book_clear(replay, pfn, order);
		return 0;
	}
	used = book_cut(replay, event, pfn, order, true);
	if (used < 1u << order)
		replay->counts.unmatched++;
	else
		add_block(replay, event, OP_FREE_JOINED, pfn, order);
	for (uint32_t i = 0; i < 1u << order; i++) {
		if ((*book_at(&replay->book, pfn + i) & BOOK_ORDER) == BOOK_NONE)
			continue;
		if (used < 1u << order)
			add_block(replay, event, OP_FREE, pfn + i, 0);
		book_clear(replay, pfn + i, 0);
	}
	return 0;
}

static int split(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	if (reach(replay, event, error))
		return -1;
	if (event->order && (*book_at(&replay->book, (uint32_t)event->pfn) & (BOOK_ORDER | BOOK_TAIL)) == event->order)
		book_split(replay, event, (uint32_t)event->pfn);
	return 0;
}

static int compact_back(struct replay *replay, const struct trace_event *event, struct trace_error *error)
{
	if (reach(replay, event, error))
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
		add(replay, event, OP_VMSTAT_ZONE)->zone = (uint8_t)zone;
}

static void add_drain(struct replay *replay, const struct trace_event *event, int zone, int32_t owner)
{
	struct operation *op;

	if (zone < 0 || owner < 0)
		return;
	op = add(replay, event, OP_DRAIN);
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
	op = add(replay, event, OP_KSWAPD_AWAKE);
	op->kswapd.node = (uint8_t)event->a;
	op->kswapd.awake = awake;
}

static void kswapd_balance(struct replay *replay, const struct trace_event *event, unsigned kind)
{
	struct operation *op;

	if (event->a < 0 || (unsigned)event->a >= replay->nr_nodes)
		return;
	op = add(replay, event, kind);
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
			add(replay, event, OP_VMSTAT)->cpu = (uint16_t)cpu;
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

static bool in_use(enum snapshot_class class)
{
	return class != SNAPSHOT_FREE && class != SNAPSHOT_PCP && class != SNAPSHOT_RESERVED;
}

static bool is_movable(enum snapshot_class class)
{
	return class == SNAPSHOT_LRU_ANON || class == SNAPSHOT_LRU_FILE || class == SNAPSHOT_LRU_UNEVICTABLE
	       || class == SNAPSHOT_OFFLRU;
}

static int enter_snapshot(struct replay *replay, struct trace_error *error)
{
	for (uint32_t i = 0; i < replay->before->nr_frames; i++) {
		const struct snapshot_frames *run = &replay->before->frames[i];

		for (uint32_t pfn = run->pfn; in_use(run->class) && pfn - run->pfn < run->nr; pfn++) {
			if (!replay->book.chunk[pfn >> CHUNK_SHIFT] && add_chunk(replay, pfn >> CHUNK_SHIFT))
				return trace_fail(error, "no memory for the book of frames");
			book_set(replay, pfn, 0, is_movable(run->class) ? BOOK_MOVABLE : 0);
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
	run_oldest(replay, replay->nr_waiting);
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

// ---- the recorded kernel's figures ----

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

		if (!in_use(run->class) || !run->nr)
			continue;
		figures->used_pages += run->nr;
		mix_add(&mix, run->pfn, run->nr, is_movable(run->class));
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
