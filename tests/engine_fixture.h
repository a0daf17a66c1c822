// SPDX-License-Identifier: Apache-2.0
//
// What the engine's tests share: one yard at a time, its events, and lists and events as text in the notation of
// spec 01 section 14 ("0:[3,4090] 1:[4088]", "extfrag(0,0,10,U,M,1)"), so that a failure prints both sides.
//
// All pfns in texts are relative to `base`. A test starts with build() or blank(); the group's teardown is `demolish`.

#pragma once

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/mm.h"
#include "pageyard/sim.h"

enum {
	U = YARD_UNMOVABLE,
	M = YARD_MOVABLE,
	R = YARD_RECLAIMABLE,
	H = YARD_HIGHATOMIC,
	C = YARD_CMA,
	I = YARD_ISOLATE,

	NORMAL = YARD_ZONE_NORMAL, // zone of node 0
	BASE = 1048576,		   // first frame of the NORMAL zone, 4 GiB
	BLOCK = YARD_PAGEBLOCK_NR_PAGES,

	GFP_U = YARD_GFP_KERNEL,
	GFP_M = YARD_GFP_HIGHUSER_MOVABLE,
	GFP_R = YARD_GFP_KERNEL | YARD_GFP_RECLAIMABLE,
};

#define UNUSED __attribute__((unused))
#define PRINTF(text, first) __attribute__((format(printf, text, first)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NONE YARD_PFN_NONE

static struct yard *yard;
static uint32_t base = BASE;
static void *yard_memory;
static size_t yard_bytes;

// ---- events ----

static struct yard_event *events;
static size_t nr_events, events_room;

static UNUSED void record_event(void *context, const struct yard_event *event)
{
	(void)context;
	if (nr_events == events_room) {
		events_room = events_room ? events_room * 2 : 1024;
		events = realloc(events, events_room * sizeof(*events));
		assert_non_null(events);
	}
	events[nr_events++] = *event;
}

static UNUSED void forget_events(void)
{
	nr_events = 0;
}

// ---- text ----

#define TEXT_ROOM 65536

struct text {
	char chars[TEXT_ROOM];
	size_t length;
};

static UNUSED PRINTF(2, 3) void put(struct text *text, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text->chars + text->length, TEXT_ROOM - text->length, format, arguments);
	va_end(arguments);
	assert_true(n >= 0);
	text->length += (size_t)n;
	assert_true(text->length < TEXT_ROOM);
}

static UNUSED char letter(unsigned type)
{
	return type < YARD_MIGRATETYPES ? "UMRHCI"[type] : '?';
}

static UNUSED void put_pfn(struct text *text, uint32_t pfn)
{
	if (pfn == NONE)
		put(text, "-");
	else
		put(text, "%" PRId64, (int64_t)pfn - base);
}

static UNUSED void put_event(struct text *text, const struct yard_event *e)
{
	static const char *const names[YARD_EVENT_KINDS] = {
		[YARD_EVENT_PAGE_ALLOC] = "alloc",
		[YARD_EVENT_PAGE_FREE] = "free",
		[YARD_EVENT_PAGE_FREE_BATCHED] = "batched",
		[YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED] = "locked",
		[YARD_EVENT_PAGE_PCPU_DRAIN] = "drain",
		[YARD_EVENT_PAGE_ALLOC_EXTFRAG] = "extfrag",
		[YARD_EVENT_WAKEUP_KSWAPD] = "kswapd",
		[YARD_EVENT_WAKEUP_KCOMPACTD] = "kcompactd",
		[YARD_EVENT_TAKE] = "take",
		[YARD_EVENT_PUT] = "put",
		[YARD_EVENT_FREE_DIRECT] = "direct",
	};

	if (!names[e->kind])
		return;
	put(text, "%s%s(", text->length ? " " : "", names[e->kind]);
	switch (e->kind) {
	case YARD_EVENT_WAKEUP_KSWAPD:
		put(text, "zone %u,%u,%d", e->zone, e->order, e->a);
		break;
	case YARD_EVENT_WAKEUP_KCOMPACTD:
		put(text, "%u,%d", e->order, e->a);
		break;
	default:
		put_pfn(text, e->pfn);
		if (e->kind != YARD_EVENT_PAGE_FREE_BATCHED)
			put(text, ",%u", e->order);
		break;
	}
	switch (e->kind) {
	case YARD_EVENT_PAGE_ALLOC:
	case YARD_EVENT_PAGE_PCPU_DRAIN:
		put(text, ",%c", letter(e->migratetype));
		break;
	case YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED:
		put(text, ",%c,%d", letter(e->migratetype), e->a);
		break;
	case YARD_EVENT_PAGE_ALLOC_EXTFRAG:
		put(text, ",%d,%c,%c,%d", e->a, letter(e->migratetype), letter((unsigned)e->b), e->c);
		break;
	default:
		break;
	}
	put(text, ")");
}

static UNUSED void same_text(const char *what, const char *actual, const char *expected, const char *file, int line)
{
	if (strcmp(actual, expected)) {
		print_error("%s\n  expected %s\n  actual   %s\n", what, expected, actual);
		_fail(file, line);
	}
}

#define KIND(name) (1ull << YARD_EVENT_##name)
#define KMEM (KIND(PAGE_ALLOC) | KIND(PAGE_FREE) | KIND(PAGE_FREE_BATCHED) | KIND(PAGE_ALLOC_ZONE_LOCKED)            \
	      | KIND(PAGE_PCPU_DRAIN) | KIND(PAGE_ALLOC_EXTFRAG))
#define REMOVALS (KIND(PAGE_ALLOC_ZONE_LOCKED) | KIND(PAGE_ALLOC_EXTFRAG))
#define WAKES (KIND(WAKEUP_KSWAPD) | KIND(WAKEUP_KCOMPACTD))

static UNUSED void check_events(uint64_t kinds, const char *expected, const char *file, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind < 64 && kinds >> events[i].kind & 1)
			put_event(&text, &events[i]);
	same_text("events", text.chars, expected, file, line);
	forget_events();
}

// Compares the events of these kinds since the last look, then forgets all events.
#define assert_events(kinds, expected) check_events(kinds, expected, __FILE__, __LINE__)

static UNUSED size_t count_events(unsigned kind)
{
	size_t n = 0;

	for (size_t i = 0; i < nr_events; i++)
		n += events[i].kind == kind;
	return n;
}

static UNUSED const struct yard_event *last_event(unsigned kind)
{
	for (size_t i = nr_events; i-- > 0;)
		if (events[i].kind == kind)
			return &events[i];
	return NULL;
}

// ---- lists ----

static UNUSED void check_lists(unsigned zone, unsigned low, unsigned high, unsigned type, const char *expected,
			       const char *file, int line)
{
	static struct text text;
	char what[64];

	text.length = 0;
	text.chars[0] = '\0';
	for (unsigned order = low; order <= high; order++) {
		uint32_t pfn = yard_free_list_next(yard, zone, order, type, NONE);

		if (pfn == NONE)
			continue;
		put(&text, "%s%u:[", text.length ? " " : "", order);
		for (const char *comma = ""; pfn != NONE; pfn = yard_free_list_next(yard, zone, order, type, pfn)) {
			put(&text, "%s", comma);
			put_pfn(&text, pfn);
			comma = ",";
		}
		put(&text, "]");
	}
	snprintf(what, sizeof(what), "%c lists of zone %u, orders %u to %u", letter(type), zone, low, high);
	same_text(what, text.chars, expected, file, line);
}

// All lists of a type, e.g. "0:[3] 2:[4]"; orders that are not named are empty.
#define assert_lists(zone, type, expected) check_lists(zone, 0, YARD_MAX_PAGE_ORDER, type, expected, __FILE__, __LINE__)
#define assert_lists_to(zone, high, type, expected) check_lists(zone, 0, high, type, expected, __FILE__, __LINE__)

static UNUSED void check_pcp_list(unsigned zone, unsigned cpu, unsigned pindex, const char *expected, const char *file,
				  int line)
{
	static struct text text;
	char what[64];

	text.length = 0;
	put(&text, "[");
	for (uint32_t pfn = yard_pcp_list_next(yard, zone, cpu, pindex, NONE); pfn != NONE;
	     pfn = yard_pcp_list_next(yard, zone, cpu, pindex, pfn)) {
		put(&text, "%s", text.length > 1 ? "," : "");
		put_pfn(&text, pfn);
	}
	put(&text, "]");
	snprintf(what, sizeof(what), "per-CPU list %u of zone %u, CPU %u", pindex, zone, cpu);
	same_text(what, text.chars, expected, file, line);
}

#define assert_pcp(zone, cpu, pindex, expected) check_pcp_list(zone, cpu, pindex, expected, __FILE__, __LINE__)

#define assert_pfn(actual, offset) check_pfn(actual, offset, __FILE__, __LINE__)
static UNUSED void check_pfn(uint32_t actual, int64_t offset, const char *file, int line)
{
	if ((int64_t)actual - base != offset) {
		print_error("frame: expected %" PRId64 ", actual %" PRId64 "%s\n", offset, (int64_t)actual - base,
			    actual == NONE ? " (none)" : "");
		_fail(file, line);
	}
}

#define assert_verified() check_verified(__FILE__, __LINE__)
static UNUSED void check_verified(const char *file, int line)
{
	char text[256];

	if (yard_verify(yard, text, sizeof(text))) {
		print_error("yard_verify: %s\n", text);
		_fail(file, line);
	}
}

// ---- building ----

static UNUSED int demolish(void **state)
{
	(void)state;
	free(yard_memory);
	free(events);
	yard_memory = NULL;
	events = NULL;
	yard = NULL;
	nr_events = events_room = 0;
	return 0;
}

static UNUSED void *zeroed(size_t size)
{
	size_t rounded = (size + 63) / 64 * 64;
	void *memory = aligned_alloc(64, rounded);

	assert_non_null(memory);
	return memset(memory, 0, rounded);
}

static UNUSED struct yard_policy policy_of(const char *text)
{
	struct yard_policy policy;
	char error[256];

	if (yard_policy_parse(text, &policy, error, sizeof(error)))
		fail_msg("%s", error);
	return policy;
}

// A machine of one node and one CPU without memory: the caller names the ranges.
static UNUSED struct yard_config plain_config(void)
{
	return (struct yard_config){
		.nr_nodes = 1,
		.nr_cpus = 1,
		.user_min_free_kbytes = -1,
		.watermark_boost_factor = -1,
		.exact_counters = true,
		.policy = policy_of("linux-7.3"),
	};
}

static UNUSED void build(const struct yard_config *config)
{
	int error = YARD_OK;

	free(yard_memory);
	yard_bytes = yard_size(config, &error);
	assert_int_equal(error, YARD_OK);
	yard_memory = zeroed(yard_bytes);
	assert_int_equal(yard_init(yard_memory, yard_bytes, config, &yard), YARD_OK);
	base = BASE;
	forget_events();
	yard_set_event_sink(yard, record_event, NULL, false);
}

// One NORMAL zone of `frames` frames from BASE on, all free.
static UNUSED void build_normal(struct yard_config config, uint32_t frames)
{
	const struct yard_range memory = { BASE, BASE + frames, 0 };

	config.memory = &memory;
	config.nr_memory = 1;
	build(&config);
}

static UNUSED struct zone *normal(void)
{
	return zone_at(yard, NORMAL);
}

// Every removal and every free goes straight to the buddy lists.
static UNUSED void direct(bool on)
{
	yard_sim_set_pcp_busy(yard, on);
}

static UNUSED void set_wmarks(struct zone *zone, uint32_t min, uint32_t low, uint32_t high)
{
	zone->wmark[WMARK_MIN] = min;
	zone->wmark[WMARK_LOW] = low;
	zone->wmark[WMARK_HIGH] = high;
	zone->wmark[WMARK_PROMO] = high;
}

// Sets of a zone that refill by `batch`, and never drain by themselves below `high`.
static UNUSED void set_pcps(struct zone *zone, int32_t batch, int32_t high_min, int32_t high_max)
{
	for (unsigned cpu = 0; cpu < yard->nr_cpus; cpu++) {
		zone->pcp[cpu].batch = batch;
		zone->pcp[cpu].high_min = high_min;
		zone->pcp[cpu].high_max = high_max;
		zone->pcp[cpu].high = 0;
		zone->pcp[cpu].alloc_factor = 0;
		zone->pcp[cpu].free_count = 0;
	}
}

// ---- a state by hand: blank(), then give_*(), then ready() ----

static UNUSED void blank_config(struct yard_config config, uint32_t frames)
{
	config.restore = true;
	build_normal(config, frames);
	yard_restore_mobility(yard, false);
}

static UNUSED void blank(uint32_t frames)
{
	struct yard_config config = plain_config();

	config.no_dma32 = true; // no NOFRAGMENT: fallback is allowed from the start (A1)
	blank_config(config, frames);
}

static UNUSED void give_type(uint32_t offset, unsigned type)
{
	assert_int_equal(yard_restore_pageblock(yard, base + offset, type), YARD_OK);
}

// A free block, on the list of its pageblock's type.
static UNUSED void give_free(uint32_t offset, unsigned order)
{
	assert_int_equal(yard_restore_free(yard, base + offset, order, yard_pageblock_type(yard, base + offset)), YARD_OK);
}

// Free frames [from, to), in the blocks that freeing them would have made, at the tails.
static UNUSED void give_free_range(uint32_t from, uint32_t to)
{
	while (from < to) {
		unsigned order = from ? (unsigned)__builtin_ctz(from) : YARD_MAX_PAGE_ORDER;

		if (order > YARD_MAX_PAGE_ORDER)
			order = YARD_MAX_PAGE_ORDER;
		while (from + (1u << order) > to)
			order--;
		give_free(from, order);
		from += 1u << order;
	}
}

static UNUSED void give_used(uint32_t from, uint32_t to, bool lru)
{
	assert_int_equal(yard_restore_allocated(yard, base + from, to - from, lru), YARD_OK);
}

// One block of this order in use.
static UNUSED void give_block(uint32_t offset, unsigned order)
{
	give_used(offset, offset + (1u << order), false);
	for (uint32_t i = 0; i < 1u << order; i++)
		frame_set_word(yard, base + offset + i, i ? 0 : make_word(YARD_FRAME_ALLOCATED, order, 0));
}

// The zone's counters follow from what was given; all frames are managed; the watermarks are low.
static UNUSED void ready(void)
{
	struct yard_zone_state state;

	assert_int_equal(yard_get_zone(yard, NORMAL, &state), YARD_OK);
	state.managed = state.present;
	for (unsigned i = 0; i < YARD_ZONE_STATS; i++)
		state.stat[i] = 0;
	state.nr_free_highatomic = state.nr_reserved_highatomic = state.cma_pages = 0;
	for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++)
		for (unsigned type = 0; type < YARD_ISOLATE; type++)
			for (uint32_t pfn = yard_free_list_next(yard, NORMAL, order, type, NONE); pfn != NONE;
			     pfn = yard_free_list_next(yard, NORMAL, order, type, pfn)) {
				state.stat[YARD_NR_FREE_PAGES] += 1 << order;
				if (order >= YARD_PAGEBLOCK_ORDER)
					state.stat[YARD_NR_FREE_PAGES_BLOCKS] += 1 << order;
				if (type == YARD_CMA)
					state.stat[YARD_NR_FREE_CMA_PAGES] += 1 << order;
				if (type == YARD_HIGHATOMIC)
					state.nr_free_highatomic += 1u << order;
			}
	for (uint32_t pfn = state.start_pfn; pfn < state.start_pfn + state.spanned; pfn += BLOCK) {
		state.nr_reserved_highatomic += yard_pageblock_type(yard, pfn) == H ? BLOCK : 0;
		state.cma_pages += yard_pageblock_type(yard, pfn) == C ? BLOCK : 0;
	}
	for (unsigned i = 0; i < YARD_NR_WMARKS; i++)
		state.wmark[i] = i;
	assert_int_equal(yard_restore_zone(yard, NORMAL, &state), YARD_OK);
	assert_int_equal(yard_restore_finish(yard), YARD_OK);
	assert_verified();
	forget_events();
}

// ---- capture (CP-1) ----

static UNUSED struct yard_task compactor;
static UNUSED struct yard_request_capture record;

static UNUSED void begin_capture(unsigned zone, unsigned order, unsigned type, unsigned compaction_order)
{
	yard_set_current(yard, &compactor);
	capture_publish(yard, &record,
			yard->policy.capture_match == YARD_CAPTURE_COMPACTION_ORDER ? compaction_order : order, type);
	record.zone = (uint8_t)zone;
}

static UNUSED uint32_t end_capture(void)
{
	capture_withdraw(yard, &record);
	yard_set_current(yard, NULL);
	return record.pfn;
}

// ---- short names ----

static UNUSED struct yard_zone_state zone_state(unsigned zone)
{
	struct yard_zone_state state;

	assert_int_equal(yard_get_zone(yard, zone, &state), YARD_OK);
	return state;
}

static UNUSED struct yard_pcp_state pcp_state(unsigned zone, unsigned cpu)
{
	struct yard_pcp_state state;

	assert_int_equal(yard_get_pcp(yard, zone, cpu, &state), YARD_OK);
	return state;
}

static UNUSED int64_t nr_free_pages(unsigned zone)
{
	return zone_state(zone).stat[YARD_NR_FREE_PAGES];
}

static UNUSED unsigned type_at(uint32_t offset)
{
	return yard_pageblock_type(yard, base + offset);
}

static UNUSED void free_at(uint32_t offset, unsigned order)
{
	assert_int_equal(yard_free(yard, base + offset, order), YARD_OK);
}

static UNUSED struct yard_result request(uint32_t gfp, unsigned order)
{
	struct yard_request r = { .gfp = gfp, .order = (uint8_t)order, .node = -1 };
	struct yard_result result;

	yard_alloc_request(yard, &r, &result);
	return result;
}
