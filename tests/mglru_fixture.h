// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the multi-gen LRU share: its lists as text, and pages that are put where a rule wants them.

#pragma once

#include "kswapd_fixture.h"

#include "engine/mglru.h"

enum { ANY = 100 }; // a swappiness that allows both types

static struct lru_gen *gens(void)
{
	return gens_of(yard, 0);
}

static UNUSED void start_gen(const char *policy)
{
	char text[256];

	snprintf(text, sizeof text, "%s,lru_gen=on", policy);
	machine_of(noted_config(text), FRAMES, USED);
	set_wmarks(normal(), 10, 20, 30);
	watch_sleep();
	ask.silent = true;
}

// A list from its head to its tail.
static UNUSED void check_gen(uint64_t seq, unsigned type, unsigned zone, const char *expected, const char *file, int line)
{
	static struct text text;
	char what[64];

	text.length = 0;
	text.chars[0] = '\0';
	for (uint32_t pfn = gens()->lists[seq_gen(seq)][type][zone].head; pfn != NONE; pfn = frame_at(yard, pfn)->next)
		put(&text, "%s%d", text.length ? " " : "", (int)((int64_t)pfn - base));
	snprintf(what, sizeof what, "%s pages of generation %d", type == ANON ? "anon" : "file", (int)seq);
	same_text(what, text.chars, expected, file, line);
}
#define assert_gen(seq, type, expected) check_gen(seq, type, NORMAL, expected, __FILE__, __LINE__)

// The generation of a page on a list, by its number.
static UNUSED uint64_t seq_of(uint32_t offset)
{
	uint32_t word = frame_word(yard, base + offset);

	assert_int_equal(word_place(word), PLACE_LRU);
	for (uint64_t seq = gens()->min_seq[word_lru_type(word)]; seq <= gens()->max_seq; seq++)
		if (seq_gen(seq) == word_gen(word))
			return seq;
	fail_msg("page %u is in no generation", offset);
	return 0;
}

// To gens[type] of max_seq - back.
static UNUSED unsigned back_of(uint32_t offset)
{
	return (unsigned)(gens()->max_seq - seq_of(offset));
}

static UNUSED unsigned accesses_of(uint32_t offset)
{
	return word_accesses(frame_word(yard, base + offset));
}

static UNUSED void mark_times(uint32_t offset, unsigned times)
{
	while (times--)
		mark(offset);
}

static UNUSED struct scan_control gen_control(int8_t priority, uint64_t goal)
{
	struct scan_control sc = control();

	sc.priority = priority;
	sc.nr_to_reclaim = goal;
	return sc;
}

static UNUSED struct scan_control shrink_gen(struct scan_control sc)
{
	struct yard_task task = { .pid = 9,
				  .flags = YARD_TASK_MEMALLOC | (sc.role == ROLE_KSWAPD ? YARD_TASK_KSWAPD : 0) };
	struct yard_task *before = yard_set_current(yard, &task);

	shrink_node(yard, 0, &sc);
	yard_set_current(yard, before);
	return sc;
}
