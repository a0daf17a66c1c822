// SPDX-License-Identifier: Apache-2.0
//
// What the tests of spec 03 share: an owner whose answers a test decides page by page, the pages it moved as text
// ("5>4090 4>4091"), and the tracepoints of compaction and migration as text, in the notation
// "isolate_migratepages(0,32,32,32)": the kernel's names without "mm_" and "compaction_", all fields in their order,
// frames relative to `base`.

#pragma once

#include "mm_fixture.h"

#include "engine/compact_scan.h"

// ---- the owner ----

struct moved_page {
	uint32_t from, to;
	unsigned order;
	enum yard_migrate_mode mode;
};

static struct {
	bool (*may_move)(uint32_t offset, enum yard_migrate_mode mode); // NULL: yes
	enum yard_move_result (*unmap)(uint32_t offset, unsigned order, enum yard_migrate_mode mode); // NULL: DONE
	enum yard_move_result (*move)(uint32_t offset, unsigned order, enum yard_migrate_mode mode);
	uint32_t asked[1024]; // may_move()
	size_t nr_asked;
	struct moved_page moved[8192];
	size_t nr_moved;
	uint64_t unmaps, tries, undone, flushes;
} mover;

static bool mover_may_move(void *context, uint32_t pfn, unsigned order, enum yard_migrate_mode mode)
{
	(void)context, (void)order;
	if (mover.nr_asked < COUNT(mover.asked))
		mover.asked[mover.nr_asked++] = pfn - base;
	return !mover.may_move || mover.may_move(pfn - base, mode);
}

static enum yard_move_result mover_unmap(void *context, uint32_t pfn, unsigned order, enum yard_migrate_mode mode)
{
	(void)context;
	mover.unmaps++;
	return mover.unmap ? mover.unmap(pfn - base, order, mode) : YARD_MOVE_DONE;
}

static void mover_flush(void *context)
{
	(void)context;
	mover.flushes++;
}

static enum yard_move_result mover_move(void *context, uint32_t from, uint32_t to, unsigned order,
					enum yard_migrate_mode mode)
{
	enum yard_move_result result = mover.move ? mover.move(from - base, order, mode) : YARD_MOVE_DONE;

	(void)context;
	mover.tries++;
	if (result == YARD_MOVE_DONE && mover.nr_moved < COUNT(mover.moved))
		mover.moved[mover.nr_moved++] = (struct moved_page){ from - base, to - base, order, mode };
	return result;
}

static void mover_undo(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)pfn, (void)order;
	mover.undone++;
}

static UNUSED struct yard_owner_ops mover_ops(void)
{
	return (struct yard_owner_ops){
		.may_move = mover_may_move, .unmap_for_move = mover_unmap, .flush = mover_flush, .move = mover_move,
		.undo_unmap = mover_undo,
	};
}

static UNUSED void check_moves(const char *expected, const char *file, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (size_t i = 0; i < mover.nr_moved; i++)
		put(&text, "%s%u>%u", i ? " " : "", mover.moved[i].from, mover.moved[i].to);
	same_text("moves", text.chars, expected, file, line);
	mover.nr_moved = 0;
}
#define assert_moves(expected) check_moves(expected, __FILE__, __LINE__)

// ---- tracepoints ----

enum { TOLD_ARGS = 10, TOLD_ROOM = 1 << 16 };
#define REFUSALS (1ull << 63) // rows of C4.3 that refused a page: refused(frame,row)

static struct told {
	uint8_t kind, nr;
	int64_t args[TOLD_ARGS];
} told[TOLD_ROOM];
static size_t nr_told;

static void hear(void *context, const struct yard_event *event)
{
	const struct yard_event *e = event;
	struct told *t;

	record_event(context, event);
	if (nr_told == TOLD_ROOM)
		return;
	t = &told[nr_told];
	*t = (struct told){ .kind = e->kind };
	if (yard_event_fields(e->kind)) {
		for (t->nr = 0; t->nr < e->nr_args && t->nr < TOLD_ARGS; t->nr++)
			t->args[t->nr] = e->args[t->nr];
	} else if (e->kind == YARD_EVENT_WAKEUP_KCOMPACTD) {
		t->nr = 2;
		t->args[0] = e->order == UINT8_MAX ? -1 : e->order;
		t->args[1] = e->a;
	} else if (e->kind == YARD_EVENT_WHY_ISOLATE_FAILED) {
		t->nr = 2;
		t->args[0] = (int64_t)e->pfn - base;
		t->args[1] = e->a;
	} else {
		return;
	}
	nr_told++;
}

static UNUSED void forget_told(void)
{
	nr_told = 0;
	forget_events();
}

static UNUSED void hear_all(void)
{
	forget_told();
	yard_set_event_sink(yard, hear, NULL, true);
}

static void put_told(struct text *text, const struct told *t)
{
	const char *name = yard_event_name(t->kind), *fields = yard_event_fields(t->kind);

	name += strncmp(name, "mm_", 3) ? 0 : 3;
	name += strncmp(name, "compaction_", 11) ? 0 : 11;
	put(text, "%s%s(", text->length ? " " : "", t->kind == YARD_EVENT_WHY_ISOLATE_FAILED ? "refused" : name);
	for (unsigned i = 0; i < t->nr; i++) {
		size_t length = fields ? strcspn(fields, " ") : 0;
		bool frame = length >= 4 && (!strncmp(fields + length - 4, "_pfn", 4) || !strncmp(fields, "zone_", 5));

		put(text, "%s%" PRId64, i ? "," : "", t->args[i] - (frame ? base : 0));
		if (fields)
			fields += length + (fields[length] == ' ');
	}
	put(text, ")");
}

// Compares the tracepoints of these kinds (KIND()) since the last look, or the first `nr` of them, then forgets all.
static UNUSED void check_told(uint64_t kinds, size_t nr, const char *expected, const char *file, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (size_t i = 0; i < nr_told && nr; i++)
		if ((told[i].kind < 64 && kinds >> told[i].kind & 1)
		    || (told[i].kind == YARD_EVENT_WHY_ISOLATE_FAILED && kinds & REFUSALS))
			put_told(&text, &told[i]), nr--;
	same_text("tracepoints", text.chars, expected, file, line);
	forget_told();
}
#define assert_told(kinds, expected) check_told(kinds, SIZE_MAX, expected, __FILE__, __LINE__)
#define assert_told_first(nr, kinds, expected) check_told(kinds, nr, expected, __FILE__, __LINE__)

static UNUSED size_t count_told(unsigned kind)
{
	size_t n = 0;

	for (size_t i = 0; i < nr_told; i++)
		n += told[i].kind == kind;
	return n;
}

// The n-th event of a kind from 0 on; NULL: there are fewer.
static UNUSED const struct told *told_nth(unsigned kind, size_t n)
{
	for (size_t i = 0; i < nr_told; i++)
		if (told[i].kind == kind && !n--)
			return &told[i];
	return NULL;
}

// ---- machines: one zone from BASE on, whose frames a test gives one by one (engine_fixture.h) ----

static UNUSED struct yard_config mover_config(const char *policy)
{
	struct yard_config config = plain_config();

	config.policy = policy_of(policy);
	config.owner = mover_ops();
	return config;
}

static UNUSED void blank_mover(const char *policy, uint32_t frames)
{
	memset(&mover, 0, sizeof mover);
	blank_config(mover_config(policy), frames);
}

// After the last give_*(): per-CPU lists hold nothing, events are heard.
static UNUSED void start(void)
{
	ready();
	set_pcps(normal(), 1, 0, 0);
	direct(true);
	hear_all();
}

static UNUSED int forget_mover(void **state)
{
	memset(&mover, 0, sizeof mover);
	forget_told();
	forget_world();
	return demolish(state);
}

static UNUSED void give_lru(uint32_t from, uint32_t to) // clean, inactive, unmapped file pages
{
	give_used(from, to, true);
}

static UNUSED void give_lru_block(uint32_t offset, unsigned order)
{
	give_block(offset, order);
	yard_set_lru(yard, base + offset, true);
}

// ---- a control by hand ----

static struct compact_control cc;

static UNUSED void control(enum yard_migrate_mode mode, int order, bool direct_run, uint32_t gfp)
{
	cc = (struct compact_control){.zone = normal(),
				      .mode = mode,
				      .order = order,
				      .search_order = order,
				      .gfp = gfp,
				      .direct_compaction = direct_run,
				      .highest_zone = NORMAL};
	compact_reset(yard, &cc);
	cc.migrate_pfn = base;
	cc.free_pfn = block_start(normal()->end_pfn - 1);
}

static UNUSED struct zone_compact *hints(void)
{
	return zone_hints(yard, normal());
}

static UNUSED size_t list_length(const struct list *list)
{
	size_t n = 0;

	for (uint32_t pfn = list->head; pfn != NONE; pfn = frame_at(yard, pfn)->next)
		n++;
	return n;
}

static UNUSED void check_list(const struct list *list, const char *expected, const char *file, int line)
{
	static struct text text;

	text.length = 0;
	put(&text, "[");
	for (uint32_t pfn = list->head; pfn != NONE; pfn = frame_at(yard, pfn)->next) {
		put(&text, "%s", text.length > 1 ? "," : "");
		put_pfn(&text, pfn);
	}
	put(&text, "]");
	same_text("list", text.chars, expected, file, line);
}
#define assert_list(list, expected) check_list(list, expected, __FILE__, __LINE__)

// A position that may lie outside the zone, relative to base.
#define assert_at(position, offset) assert_int_equal((int64_t)(position) - base, offset)

// What a control holds goes back, so that the machine can be verified.
static UNUSED void put_all_back(void)
{
	putback_movable_pages(yard, &cc.migrate);
	cc.nr_migratepages = 0;
	release_free_store(yard, &cc);
	cc.nr_freepages = 0;
	yard_lru_drain_all(yard);
	assert_int_equal(node_counter(YARD_NODE_ISOLATED_ANON) + node_counter(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}
