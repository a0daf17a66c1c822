// SPDX-License-Identifier: Apache-2.0
//
// What the tests of spec 04 share: an owner that writes down what it is asked, machines with pages on the LRU, and
// lists, calls and trace events as text. Pages are named by their offset from `base`.
//
//   machine(frames, used)      one NORMAL zone; the first `used` frames are single allocated pages, the others are free
//   pages(from, to, flags, mapping)   ... join the LRU in this order and are drained: `from` is the oldest
//   assert_lru(list, "3 2 1")  from the head (youngest) to the tail
//   assert_calls("unmap 3, release 3")   what the owner was asked since the last look
//   assert_args(KIND, "2 0 32; 2 0 8")   the fields of all events of a kind since forget()

#pragma once

#include "mm_fixture.h"

enum { // short names
	ANON_ = YARD_PAGE_ANON,
	SB = YARD_PAGE_SWAPBACKED,
	ACT = YARD_PAGE_ACTIVE,
	UNEV = YARD_PAGE_UNEVICTABLE,
	REF = YARD_PAGE_REFERENCED,
	WS = YARD_PAGE_WORKINGSET,
	DIRTY = YARD_PAGE_DIRTY,
	SWAPC = YARD_PAGE_SWAPCACHE,
	PIN = YARD_PAGE_PINNED,
	DROPB = YARD_PAGE_DROPBEHIND,
	WB = YARD_PAGE_WRITEBACK,
	RECL = YARD_PAGE_RECLAIM,
};
#define IA YARD_LRU_INACTIVE_ANON
#define AA YARD_LRU_ACTIVE_ANON
#define IF YARD_LRU_INACTIVE_FILE
#define AF YARD_LRU_ACTIVE_FILE

// ---- events with their fields ----

enum { EVENT_ARGS = 14, EVENTS_ROOM = 1 << 16 };

static int64_t *event_args; // EVENT_ARGS for each of `events`

static UNUSED void record_args(void *context, const struct yard_event *event)
{
	(void)context;
	if (nr_events == EVENTS_ROOM)
		return;
	assert_in_range(event->nr_args, 0, EVENT_ARGS);
	events[nr_events] = *event;
	events[nr_events].args = &event_args[nr_events * EVENT_ARGS];
	if (event->nr_args)
		memcpy(&event_args[nr_events * EVENT_ARGS], event->args, event->nr_args * sizeof(*event->args));
	nr_events++;
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
	forget_events();
	yard_set_event_sink(yard, record_args, NULL, false);
}

// Field `i` of the last event of this kind.
static UNUSED int64_t arg_of(unsigned kind, unsigned i)
{
	const struct yard_event *event = last_event(kind);

	assert_non_null(event);
	assert_in_range(i, 0, event->nr_args - 1);
	return event->args[i];
}

static UNUSED void check_args(unsigned kind, const char *expected, const char *file, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (size_t i = 0; i < nr_events; i++) {
		if (events[i].kind != kind)
			continue;
		put(&text, "%s", text.length ? "; " : "");
		for (unsigned a = 0; a < events[i].nr_args; a++)
			put(&text, "%s%" PRId64, a ? " " : "", events[i].args[a]);
	}
	same_text(yard_event_name(kind), text.chars, expected, file, line);
}
#define assert_args(kind, expected) check_args(YARD_EVENT_##kind, expected, __FILE__, __LINE__)

// The lists that were isolated from and how much was asked for, in order: "IF32 AF4".
static UNUSED void check_isolations(const char *expected, const char *file, int line)
{
	static const char *const names[] = { "IA", "AA", "IF", "AF" };
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_LRU_ISOLATE)
			put(&text, "%s%s%d", text.length ? " " : "", names[events[i].args[6]], (int)events[i].args[2]);
	same_text("isolations", text.chars, expected, file, line);
}
#define assert_isolations(expected) check_isolations(expected, __FILE__, __LINE__)

// ---- the owner ----

static struct text calls; // what it was asked

enum { PAGES_MAX = 1 << 20 };
static uint64_t shadow_of[PAGES_MAX]; // by offset: of its last eviction
static size_t nr_released;

static struct {
	int referenced[64];		       // answer for pages 0..63 if `answers`
	bool answers;
	enum yard_write_result write_result;   // of write_out
	unsigned write_result_of;	       // ... of this page only + 1; 0: of all
	void (*on_release)(uint32_t offset);
	void (*on_write)(uint32_t offset);
	void (*on_slot)(uint32_t offset);
	void (*on_unmap)(uint32_t offset);
	bool silent;			       // many pages: calls are not written down
} ask;

static UNUSED void say(const char *what, uint32_t pfn)
{
	if (!ask.silent)
		put(&calls, "%s%s %d", calls.length ? ", " : "", what, (int)((int64_t)pfn - base));
}

static int noted_referenced(void *context, uint32_t pfn, unsigned order)
{
	uint32_t offset = pfn - base;

	(void)context, (void)order;
	say("ref", pfn);
	if (offset >= COUNT(ask.referenced))
		return 0;
	return ask.referenced[offset];
}

static bool noted_unmap(void *context, uint32_t pfn, unsigned order)
{
	say("unmap", pfn);
	if (ask.on_unmap)
		ask.on_unmap(pfn - base);
	return owner_unmap(context, pfn, order);
}

static bool noted_swap_slot(void *context, uint32_t pfn, unsigned order)
{
	say("slot", pfn);
	if (ask.on_slot)
		ask.on_slot(pfn - base);
	return owner_swap_slot(context, pfn, order);
}

static void noted_swap_release(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)order;
	say("unslot", pfn);
}

static enum yard_write_result noted_write_out(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)order;
	say("write", pfn);
	if (ask.on_write)
		ask.on_write(pfn - base);
	return ask.write_result_of && ask.write_result_of != pfn - base + 1 ? YARD_WRITE_DONE : ask.write_result;
}

static bool noted_release(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	say("release", pfn);
	if (ask.on_release)
		ask.on_release(pfn - base);
	if (!owner_release(context, pfn, order, shadow))
		return false;
	nr_released++;
	if (pfn >= base && pfn - base < PAGES_MAX)
		shadow_of[pfn - base] = shadow;
	return true;
}

static UNUSED void check_calls(const char *expected, const char *file, int line)
{
	same_text("what the owner was asked", calls.chars, expected, file, line);
	calls.length = 0;
	calls.chars[0] = '\0';
}
#define assert_calls(expected) check_calls(expected, __FILE__, __LINE__)

static UNUSED struct yard_config noted_config(const char *policy)
{
	struct yard_config config = plain_config();

	config.policy = policy_of(policy);
	config.no_dma32 = true;
	config.owner = owner();
	config.owner.referenced = ask.answers ? noted_referenced : NULL;
	config.owner.unmap = noted_unmap;
	config.owner.swap_slot = noted_swap_slot;
	config.owner.swap_release = noted_swap_release;
	config.owner.write_out = noted_write_out;
	config.owner.release = noted_release;
	return config;
}

static UNUSED void forget(void)
{
	forget_events();
	calls.length = 0;
	calls.chars[0] = '\0';
	nr_released = 0;
}

static UNUSED int forget_all(void **state)
{
	free(event_args);
	event_args = NULL;
	forget_world();
	memset(&ask, 0, sizeof ask);
	forget();
	return demolish(state);
}

// Ends a machine in the middle of a test: what the owner was told to answer stays.
static UNUSED void next_machine(void)
{
	demolish(NULL);
	free(event_args);
	event_args = NULL;
	memset(&world, 0, sizeof world);
	forget();
}

// ---- sleeping ----

static struct {
	unsigned queue[64];
	uint64_t timeout_ns[64];
	unsigned nr;
	uint64_t sleeps_ns; // how long each lasts; 0: as long as it may
	void (*on_sleep)(void);
	unsigned woken[256];
	unsigned nr_woken;
} naps;

static uint64_t nap(void *context, unsigned queue, uint64_t timeout_ns)
{
	uint64_t slept = naps.sleeps_ns && naps.sleeps_ns < timeout_ns ? naps.sleeps_ns : timeout_ns;

	(void)context;
	if (slept > 1000000000000) // for ever
		slept = 1000000000;
	assert_in_range(naps.nr, 0, COUNT(naps.queue) - 1);
	naps.queue[naps.nr] = queue;
	naps.timeout_ns[naps.nr++] = timeout_ns;
	yard->host.now_ns += slept;
	if (naps.on_sleep)
		naps.on_sleep();
	return slept;
}

static void wake_up(void *context, unsigned queue)
{
	(void)context;
	if (naps.nr_woken < COUNT(naps.woken))
		naps.woken[naps.nr_woken++] = queue;
}

static UNUSED unsigned wakes_of(enum yard_queue_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < naps.nr_woken; i++)
		n += naps.woken[i] == queue_of(0, kind);
	return n;
}

static UNUSED unsigned naps_of(enum yard_queue_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < naps.nr; i++)
		n += naps.queue[i] == queue_of(0, kind);
	return n;
}

static UNUSED void watch_sleep(void)
{
	memset(&naps, 0, sizeof naps);
	yard->host.wait = nap;
	yard->host.wake = wake_up;
}

static UNUSED struct yard_task requester = { .pid = 1234 };

static UNUSED void as_user(void) // a user's task runs, whose sleep is watched
{
	memset(&requester, 0, sizeof requester);
	requester.pid = 1234;
	yard_set_current(yard, &requester);
	watch_sleep();
	ask.silent = true;
}

// ---- machines ----

static UNUSED void machine_of(struct yard_config config, uint32_t frames, uint32_t used)
{
	blank_config(config, frames);
	give_used(0, used, false);
	give_free_range(used, frames);
	ready();
	set_pcps(normal(), 63, 4096, 4096);
	listen();
	forget();
}

static UNUSED void machine(uint32_t frames, uint32_t used)
{
	machine_of(noted_config("linux-7.3"), frames, used);
}

static UNUSED void pages(uint32_t from, uint32_t to, uint32_t flags, enum yard_mapping mapping)
{
	for (uint32_t i = from; i < to; i++)
		lru_page(i, flags, mapping);
	yard_lru_drain(yard);
}

// Lists as if they were as long as this: for arithmetic only, no page may be taken from them.
static UNUSED void pretend(unsigned list, uint64_t size)
{
	static const uint8_t item[] = { YARD_NODE_INACTIVE_ANON, YARD_NODE_ACTIVE_ANON, YARD_NODE_INACTIVE_FILE,
					YARD_NODE_ACTIVE_FILE };
	struct lruvec *v = &yard->mm[0].lruvec;

	yard_mod_node_stat(yard, 0, item[list], (int64_t)size - (int64_t)v->size[list][YARD_ZONE_NORMAL]);
	v->size[list][YARD_ZONE_NORMAL] = size;
}

static UNUSED void pretend_lists(uint64_t ia, uint64_t aa, uint64_t inactive_file, uint64_t af)
{
	pretend(IA, ia);
	pretend(AA, aa);
	pretend(IF, inactive_file);
	pretend(AF, af);
}

// ---- looking ----

static UNUSED void check_lru(unsigned list, const char *expected, const char *file, int line)
{
	static const char *const names[] = { "inactive_anon", "active_anon", "inactive_file", "active_file" };
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (uint32_t pfn = yard_lru_next(yard, 0, list, NONE); pfn != NONE; pfn = yard_lru_next(yard, 0, list, pfn))
		put(&text, "%s%d", text.length ? " " : "", (int)((int64_t)pfn - base));
	same_text(names[list], text.chars, expected, file, line);
}
#define assert_lru(list, expected) check_lru(list, expected, __FILE__, __LINE__)

static UNUSED uint32_t flags_at(uint32_t offset)
{
	uint32_t flags;
	enum yard_mapping mapping;
	bool lru;

	assert_int_equal(yard_lru_get(yard, base + offset, &flags, &mapping, &lru), YARD_OK);
	return flags;
}

static UNUSED bool on_lru(uint32_t offset)
{
	uint32_t flags;
	enum yard_mapping mapping;
	bool lru;

	assert_int_equal(yard_lru_get(yard, base + offset, &flags, &mapping, &lru), YARD_OK);
	return lru;
}

static UNUSED bool in_use(uint32_t offset)
{
	return yard_frame_state(yard, base + offset, NULL, NULL) == YARD_FRAME_ALLOCATED;
}

static UNUSED uint64_t size_of(unsigned list)
{
	return yard_lru_size(yard, 0, list, YARD_ZONE_TYPES - 1);
}

static UNUSED uint64_t age(void)
{
	return yard->mm[0].lruvec.nonresident_age;
}

static UNUSED void touch(uint32_t offset, unsigned mappings)
{
	assert_int_equal(yard_lru_touch(yard, base + offset, mappings, false), YARD_OK);
}

static UNUSED void mark(uint32_t offset)
{
	assert_int_equal(yard_lru_mark_accessed(yard, base + offset), YARD_OK);
}

// ---- reclaim by hand ----

static UNUSED struct scan_control control(void) // as direct reclaim begins (C-1)
{
	return (struct scan_control){
		.nr_to_reclaim = CLUSTER_MAX, .highest_zone = YARD_ZONE_NORMAL, .priority = DEF_PRIORITY, .role = ROLE_DIRECT,
		.gfp = YARD_GFP_KERNEL, .may_writepage = true, .may_unmap = true, .may_swap = true, .swappiness = -1,
	};
}

static UNUSED struct scan_control kswapd_control(void)
{
	struct scan_control sc = control();

	sc.role = ROLE_KSWAPD;
	return sc;
}

static UNUSED struct alloc_context context(uint32_t gfp, unsigned order)
{
	struct alloc_context ctx = { .zonelist = yard->nodes[0].fallback, .gfp = gfp, .order = (uint8_t)order,
				     .highest_zone = (uint8_t)gfp_highest_zone(gfp) };

	ctx.first = zonelist_first(yard, ctx.zonelist, ctx.highest_zone, 0);
	return ctx;
}

static UNUSED uint64_t direct_reclaim(uint32_t gfp, unsigned order)
{
	struct alloc_context ctx = context(gfp, order);

	return try_to_free_pages(yard, &ctx, order);
}

static UNUSED void two_cpus(uint32_t frames, uint32_t used)
{
	struct yard_config config = noted_config("linux-7.3");

	config.nr_cpus = 2;
	machine_of(config, frames, used);
}

static UNUSED void on_cpu(unsigned cpu)
{
	assert_int_equal(yard_sim_set_cpu(yard, cpu), YARD_OK);
}
