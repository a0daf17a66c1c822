// SPDX-License-Identifier: Apache-2.0
//
// What the tests of kswapd share: machines whose kswapd sleeps, and runs that are scripted: a shrinker says for each round
// how many pages came.

#pragma once

#include "steps.h"

enum { FRAMES = 8192, USED = 4096, KERNEL = YARD_GFP_KERNEL, NODE_1 = YARD_ZONE_TYPES };
#define KINDS                                                                                                         \
	E(KSWAPD_SLEEP), E(KSWAPD_WAKE), E(BALANCE_PGDAT_BEGIN), E(BALANCE_PGDAT_END), E(KSWAPD_RECLAIM_FAIL),         \
		E(KSWAPD_CLEAR_HOPELESS), E(WAKEUP_KSWAPD), E(WAKEUP_KCOMPACTD)

// ---- scripted rounds ----

static struct {
	uint64_t pages[32]; // that round i yields
	unsigned nr, round;
	bool given;	    // to this round
	void (*on_round)(void);
} story;

static int64_t story_count(void *context, unsigned node, uint32_t gfp)
{
	(void)context, (void)node, (void)gfp;
	return 1 << 19; // two batches at priority 12, more below
}

static int64_t story_scan(void *context, unsigned node, uint32_t gfp, uint64_t *nr, uint64_t *pages)
{
	(void)context, (void)node;
	if (yard_get_current(yard) == yard_kswapd_task(yard, 0))
		assert_int_equal(gfp, YARD_GFP_KERNEL); // C-1
	if (story.given) {
		story.given = false;
		return YARD_SHRINK_STOP;
	}
	story.given = true;
	if (story.on_round)
		story.on_round();
	*pages = story.round < story.nr ? story.pages[story.round] : 0;
	story.round++;
	return (int64_t)*nr;
}

static struct yard_shrinker story_shrinker = { "story", story_count, story_scan, 2, 0, false, NULL };

#define script(...) start_script((const uint64_t[]){ __VA_ARGS__ }, COUNT(((const uint64_t[]){ __VA_ARGS__ })))
static UNUSED void start_script(const uint64_t *gives, size_t nr)
{
	memset(&story, 0, sizeof story);
	story.nr = (unsigned)nr;
	memcpy(story.pages, gives, nr * sizeof *gives);
	if (!yard->nr_shrinkers)
		assert_int_equal(yard_add_shrinker(yard, &story_shrinker), YARD_OK);
}

#define assert_priorities(expected) assert_column(SHRINK_SLAB_START, 9, expected)

// ---- machines ----

// 4096 pages in use, 4096 free in large blocks; kswapd sleeps.
static UNUSED void start_with(struct yard_config config)
{
	machine_of(config, FRAMES, USED);
	set_wmarks(normal(), 10, 20, 30);
	watch_sleep();
	ask.silent = true;
	sleep_fully(0);
	watch(KINDS);
}

static UNUSED void start(const char *policy)
{
	start_with(noted_config(policy));
}

// Every eighth frame is free, none next to another: balanced at order 0 only.
static UNUSED void start_scattered(struct yard_config config, uint32_t frames)
{
	blank_config(config, frames);
	for (uint32_t i = 0; i < frames; i += 8) {
		give_used(i, i + 7, false);
		give_free(i + 7, 0);
	}
	ready();
	set_pcps(normal(), 63, 4096, 4096);
	set_wmarks(normal(), 10, 20, 100);
	listen();
	watch_sleep();
	ask.silent = true;
	sleep_fully(0);
	watch(KINDS);
}

// Two nodes of one block each from BASE on; their kswapds sleep.
static UNUSED void start_nodes(const char *policy)
{
	static const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 } };
	struct yard_config config = noted_config(policy);

	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	listen();
	watch_sleep();
	for (unsigned node = 0; node < 2; node++) {
		set_wmarks(zone_at(yard, node * YARD_ZONE_TYPES + NORMAL), 10, 20, 30);
		sleep_fully(node);
	}
	watch(KINDS);
}

static UNUSED void unbalance(void) // at every order
{
	set_wmarks(normal(), 10, 20, FRAMES);
}

static UNUSED void balance(void)
{
	set_wmarks(normal(), 10, 20, 30);
}
