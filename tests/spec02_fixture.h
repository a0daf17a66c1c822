// SPDX-License-Identifier: Apache-2.0
//
// What the tests of spec 02 share: machines whose free memory is of one kind only, and what a call did as one line of
// text, in the order in which it happened:
//
//   A940           a walk over the zonelist with these ALLOC flags; "again": the same once more (E-9)
//   kswapd9 kcompactd9       woken for this order
//   reclaim9 =1              direct reclaim for this order, and what it returned
//   compact9,1               direct compaction for this order, at this priority
//   begin end8               compaction of a zone, and its result
//   deferred9 defer9 reset9  the zone's deferral
//   rretry(0,3,1)            reclaim_retry_zone: order, no_progress_loops, wmark_check
//   cretry(0,1,2,0,16,1)     compact_retry: all its fields
//   extfrag(...)             as in engine_fixture.h
//   DROP>RETRY               a state that was left for another than the next
//   fail1 stall11            a failure (1: printed), a stall of so many seconds
//
// want() collects what is expected, assert_trace() compares it with all that happened since the last comparison.

#pragma once

#include "mm_fixture.h"

enum { EVENT_ARGS = 14, EVENTS_ROOM = 1 << 17 };

static int64_t *event_args; // EVENT_ARGS for each of `events`

static bool heard(unsigned kind)
{
	switch (kind) {
	case YARD_EVENT_PAGE_ALLOC: case YARD_EVENT_PAGE_ALLOC_EXTFRAG: case YARD_EVENT_WAKEUP_KSWAPD:
	case YARD_EVENT_WAKEUP_KCOMPACTD: case YARD_EVENT_WHY_ATTEMPT: case YARD_EVENT_WHY_RESTART:
	case YARD_EVENT_WHY_SLOWPATH:
	case YARD_EVENT_WHY_RETRY:
	case YARD_EVENT_TRY_TO_COMPACT_PAGES: case YARD_EVENT_COMPACTION_BEGIN: case YARD_EVENT_COMPACTION_END:
	case YARD_EVENT_COMPACTION_SUITABLE: case YARD_EVENT_COMPACTION_DEFERRED:
	case YARD_EVENT_COMPACTION_DEFER_COMPACTION:
	case YARD_EVENT_COMPACTION_DEFER_RESET: case YARD_EVENT_KCOMPACTD_SLEEP: case YARD_EVENT_KCOMPACTD_WAKE:
	case YARD_EVENT_KSWAPD_SLEEP: case YARD_EVENT_KSWAPD_WAKE: case YARD_EVENT_BALANCE_PGDAT_BEGIN:
	case YARD_EVENT_BALANCE_PGDAT_END: case YARD_EVENT_DIRECT_RECLAIM_BEGIN: case YARD_EVENT_DIRECT_RECLAIM_END:
	case YARD_EVENT_RECLAIM_RETRY_ZONE: case YARD_EVENT_COMPACT_RETRY: case YARD_EVENT_MARK_VICTIM:
	case YARD_EVENT_WAKE_REAPER: case YARD_EVENT_START_TASK_REAPING: case YARD_EVENT_FINISH_TASK_REAPING:
	case YARD_EVENT_SKIP_TASK_REAPING: case YARD_EVENT_ALLOC_FAILURE: case YARD_EVENT_ALLOC_STALL:
	case YARD_EVENT_VMSCAN_THROTTLED:
		return true;
	}
	return false;
}

static struct text wanted; // see want()
static void (*on_event)(const struct yard_event *event); // something that happens at the same moment

static uint64_t cache_pages;			    // see add_endless_cache()

static void record_args(void *context, const struct yard_event *event)
{
	(void)context;
	if (!heard(event->kind))
		return;
	assert_in_range(nr_events, 0, EVENTS_ROOM - 1);
	assert_in_range(event->nr_args, 0, EVENT_ARGS);
	events[nr_events] = *event;
	events[nr_events].args = &event_args[nr_events * EVENT_ARGS];
	if (event->nr_args)
		memcpy(&event_args[nr_events * EVENT_ARGS], event->args, event->nr_args * sizeof(*event->args));
	nr_events++;
	if (event->kind == YARD_EVENT_DIRECT_RECLAIM_BEGIN)
		cache_pages = CLUSTER_MAX;
	if (on_event)
		on_event(event);
}

static UNUSED void listen(void)
{
	free(events);
	free(event_args);
	events = malloc(EVENTS_ROOM * sizeof *events);
	event_args = malloc(EVENTS_ROOM * EVENT_ARGS * sizeof *event_args);
	assert_non_null(events);
	assert_non_null(event_args);
	events_room = EVENTS_ROOM;
	on_event = NULL;
	wanted.length = 0;
	wanted.chars[0] = '\0';
	forget_events();
	yard_set_event_sink(yard, record_args, NULL, true);
}

static UNUSED int forget_all(void **state)
{
	free(event_args);
	event_args = NULL;
	forget_world();
	return demolish(state);
}

// ---- text ----

enum trace_parts {
	T_ATTEMPTS = 1,
	T_WAKES = 2,
	T_RECLAIM = 4,
	T_COMPACT = 8,	  // try_to_compact_pages
	T_ZONES = 16,	  // begin, end, deferral
	T_RRETRY = 32,
	T_CRETRY = 64,
	T_EXTFRAG = 128,
	T_STATES = 256,
	T_REPORTS = 512,
	T_WORK = T_ATTEMPTS | T_RECLAIM | T_COMPACT | T_REPORTS,
};

static UNUSED void put_step(struct text *text, const struct yard_event *e, unsigned parts)
{
	const int64_t *a = e->args;
	size_t before = text->length;

	put(text, before ? " " : "");
#define STEP(part, kind_, ...)                                                                                       \
	if (parts & part && e->kind == YARD_EVENT_##kind_) {                                                          \
		put(text, __VA_ARGS__);                                                                               \
		return;                                                                                               \
	}
	STEP(T_ATTEMPTS, WHY_ATTEMPT, "A%x", (unsigned)e->a)
	STEP(T_ATTEMPTS, WHY_RESTART, "again")
	STEP(T_WAKES, WAKEUP_KSWAPD, "kswapd%u", e->order)
	STEP(T_WAKES, WAKEUP_KCOMPACTD, "kcompactd%u", e->order)
	STEP(T_RECLAIM, DIRECT_RECLAIM_BEGIN, "reclaim%d", (int)a[3])
	STEP(T_RECLAIM, DIRECT_RECLAIM_END, "=%d", (int)a[0])
	STEP(T_COMPACT, TRY_TO_COMPACT_PAGES, "compact%d,%d", (int)a[0], (int)a[2])
	STEP(T_ZONES, COMPACTION_BEGIN, "begin")
	STEP(T_ZONES, COMPACTION_END, "end%d", (int)a[5])
	STEP(T_ZONES, COMPACTION_DEFERRED, "deferred%d", (int)a[2])
	STEP(T_ZONES, COMPACTION_DEFER_COMPACTION, "defer%d", (int)a[2])
	STEP(T_ZONES, COMPACTION_DEFER_RESET, "reset%d", (int)a[2])
	STEP(T_RRETRY, RECLAIM_RETRY_ZONE, "rretry(%d,%d,%d)", (int)a[2], (int)a[6], (int)a[7])
	STEP(T_CRETRY, COMPACT_RETRY, "cretry(%d,%d,%d,%d,%d,%d)", (int)a[0], (int)a[1], (int)a[2], (int)a[3], (int)a[4],
	     (int)a[5])
	STEP(T_REPORTS, ALLOC_FAILURE, "fail%d", (int)a[4])
	STEP(T_REPORTS, ALLOC_STALL, "stall%d", (int)a[0])
	STEP(T_STATES, WHY_RETRY, "%s>%s", yard_slow_state_name((unsigned)e->a), yard_slow_state_name((unsigned)e->b))
#undef STEP
	text->length = before;
	text->chars[before] = '\0';
	if (parts & T_EXTFRAG && e->kind == YARD_EVENT_PAGE_ALLOC_EXTFRAG)
		put_event(text, e);
}

static UNUSED PRINTF(1, 2) void want(const char *format, ...)
{
	char step[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(step, sizeof step, format, arguments);
	va_end(arguments);
	put(&wanted, "%s%s", wanted.length ? " " : "", step);
}

static UNUSED void check_trace(unsigned parts, const char *file, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (size_t i = 0; i < nr_events; i++)
		put_step(&text, &events[i], parts);
	put(&wanted, "%s", ""); // terminates an empty one
	same_text("what the call did", text.chars, wanted.chars, file, line);
	wanted.length = 0;
	wanted.chars[0] = '\0';
	forget_events();
}
#define assert_trace(parts) check_trace(parts, __FILE__, __LINE__)

// ---- requests ----

static UNUSED struct yard_result ask(uint32_t gfp, unsigned order, unsigned task, uint64_t max_rounds)
{
	const struct yard_request r = {
		.gfp = gfp, .order = (uint8_t)order, .task = (uint16_t)task, .node = -1, .max_rounds = max_rounds };
	struct yard_result result;

	yard_alloc_request(yard, &r, &result);
	return result;
}

static UNUSED uint64_t reclaimed(void)
{
	return (uint64_t)(node_counter(YARD_NODE_PGSTEAL_ANON) + node_counter(YARD_NODE_PGSTEAL_FILE));
}

static UNUSED uint64_t allocstall(void)
{
	return vm(YARD_VM_ALLOCSTALL_NORMAL) + vm(YARD_VM_ALLOCSTALL_MOVABLE);
}

// Requests that have taken a U, R or M page get it from an M block in pieces only after NOFRAGMENT is gone.
static UNUSED size_t pollutions(void)
{
	size_t n = 0;

	for (size_t i = 0; i < nr_events; i++)
		n += events[i].kind == YARD_EVENT_PAGE_ALLOC_EXTFRAG && events[i].a < YARD_PAGEBLOCK_ORDER;
	return n;
}

// ---- machines: one zone ----

static struct yard_config owned_config(const char *policy)
{
	struct yard_config config = plain_config();

	config.policy = policy_of(policy);
	config.owner = owner();
	return config;
}

// Nothing is free, nothing can be reclaimed, nobody can be killed.
static UNUSED void build_barren(const char *policy)
{
	blank_config(owned_config(policy), 16 * BLOCK);
	give_used(0, 16 * BLOCK, false);
	ready();
	set_pcps(normal(), 1, 0, 0);
	world.unkillable = true;
	listen();
}

// 256 free pages, in an M block that is otherwise full of pages that nobody can reclaim or move.
static UNUSED void build_pieces(const char *policy)
{
	blank_config(owned_config(policy), 8192);
	give_free(256, 8);
	give_used(0, 256, false);
	ready();
	set_pcps(normal(), 1, 0, 0);
	direct(true);
	world.unkillable = true;
	listen();
}

enum pile { MOVABLE_PAGES = 0, ONE_PINNED = 1, PAIRS = 2, NOT_READY = 4, RESERVED = 8, ALL_PINNED = 16 };
enum { PILE_BLOCKS = 16, PILE_MOVABLE = PILE_BLOCKS - 3, PILE_FREE = PILE_MOVABLE * 64, PILE_LRU = PILE_MOVABLE * 448 };

// One full block of U, one of R, one more of U (RESERVED: of HIGHATOMIC with 32 scattered free pages), and M blocks with 64
// scattered free pages (PAIRS: 32 pairs) and 448 mapped LRU pages each. Its zone is ready for compaction (SP-34);
// NOT_READY: its high watermark is too high for that.
static UNUSED void build_pile_of(struct yard_config config, unsigned pile)
{
	static uint32_t lru[PILE_LRU];
	size_t nr = 0;

	random_state = 1;
	blank_config(config, PILE_BLOCKS * BLOCK);
	for (uint32_t b = 0; b < PILE_BLOCKS; b++) {
		bool movable = b >= 3;

		give_type(b * BLOCK, b == 0 ? U : b == 1 ? R : b == 2 ? pile & RESERVED ? H : U : M);
		for (uint32_t i = 0; i < BLOCK; i++) {
			uint32_t offset = b * BLOCK + i;

			if (movable && (pile & PAIRS ? i % 16 == 2 : i % 8 == 3)) {
				give_free(offset, pile & PAIRS ? 1 : 0);
				i += pile & PAIRS ? 1 : 0;
				continue;
			}
			if (b == 2 && pile & RESERVED && i % 16 == 5) {
				give_free(offset, 0);
				continue;
			}
			give_used(offset, offset + 1, false);
			if (movable)
				lru[nr++] = offset;
		}
	}
	assert_int_equal(nr, PILE_LRU);
	ready();
	set_wmarks(normal(), 64, 80, pile & NOT_READY ? 2000 : 96);
	set_pcps(normal(), 1, 0, 0);
	yard_set_swap(yard, 4 * PILE_BLOCKS * BLOCK, 4 * PILE_BLOCKS * BLOCK);
	shuffle(lru, nr);
	for (size_t i = 0; i < nr; i++)
		lru_page(lru[i],
			ANON_PAGE | (pile & ALL_PINNED || (pile & ONE_PINNED && lru[i] % BLOCK == 100) ? YARD_PAGE_PINNED : 0),
			 YARD_MAPPED);
	yard_lru_drain_all(yard);
	assert_verified();
	world.unkillable = true;
	listen();
}

// A cache of which each direct reclaim frees 32 pages, which others have taken at once.
static int64_t endless_count(void *context, unsigned node, uint32_t gfp)
{
	(void)context, (void)node, (void)gfp;
	return 1 << 20;
}

static int64_t endless_scan(void *context, unsigned node, uint32_t gfp, uint64_t *nr, uint64_t *pages)
{
	(void)context, (void)node, (void)gfp;
	*pages = cache_pages;
	cache_pages = 0;
	return (int64_t)*nr;
}

static UNUSED void add_endless_cache(void)
{
	static struct yard_shrinker shrinker = { "endless", endless_count, endless_scan, 2, 0, false, NULL };

	assert_int_equal(yard_add_shrinker(yard, &shrinker), YARD_OK);
}

static UNUSED void build_pile(const char *policy, unsigned pile)
{
	build_pile_of(owned_config(policy), pile);
}

static UNUSED const char *const defrag = "linux-7.3,defrag_mode=1";
