// SPDX-License-Identifier: Apache-2.0
//
// What joins or leaves after boot: deferred memory, memory plugged in, boot reservations, CPUs (spec 01 M18 to M20,
// A8a, A10, P5, P13, P19, A14).

#include "engine_fixture.h"

enum {
	SECTION = PAGES_PER_SECTION,
	MAX = 1 << YARD_MAX_PAGE_ORDER,
	NODE1 = YARD_ZONE_TYPES + NORMAL,
};

static struct yard_config memory_config(const struct yard_range *memory, uint32_t nr)
{
	struct yard_config config = plain_config();

	config.memory = memory;
	config.nr_memory = nr;
	for (uint32_t i = 0; i < nr; i++)
		if (memory[i].node >= config.nr_nodes)
			config.nr_nodes = memory[i].node + 1;
	return config;
}

// ---- M18 ----

// Where the release of a node stops at boot, relative to BASE.
static void check_boundary(const struct yard_range *memory, uint32_t nr, unsigned node, int64_t expected, int line)
{
	struct yard_config config = memory_config(memory, nr);

	config.deferred_init = true;
	build(&config);
	check_pfn(yard->nodes[node].first_deferred_pfn, expected, __FILE__, line);
	assert_verified();
}
#define assert_boundary(memory, node, expected) check_boundary(memory, COUNT(memory), node, expected, __LINE__)

// The first section boundary with more than a section of the zone's RAM below it; holes do not count, and a boundary
// inside a hole is none. PFN_NONE is shown relative to BASE too.
static void M18_boundary(void **state)
{
	const int64_t none = (int64_t)NONE - BASE;
	const struct yard_range aligned[] = { { BASE, BASE + 4 * SECTION, 0 } };
	const struct yard_range two[] = { { BASE, BASE + 2 * SECTION, 0 } };
	const struct yard_range one_more[] = { { BASE, BASE + 2 * SECTION + 1, 0 } };
	const struct yard_range early[] = { { BASE - 1, BASE + 4 * SECTION, 0 } };
	const struct yard_range late[] = { { BASE + 1, BASE + 4 * SECTION, 0 } };
	const struct yard_range hole[] = { { BASE, BASE + SECTION, 0 }, { BASE + 2 * SECTION, BASE + 4 * SECTION, 0 } };
	const struct yard_range in_hole[] = { { BASE, BASE + SECTION + 10, 0 },
					      { BASE + 2 * SECTION + 10, BASE + 4 * SECTION, 0 } };

	(void)state;
	assert_boundary(aligned, 0, 2 * SECTION);
	assert_boundary(two, 0, none);
	assert_boundary(one_more, 0, 2 * SECTION);
	assert_boundary(early, 0, 2 * SECTION); // the frame below BASE is in DMA32
	assert_boundary(late, 0, 2 * SECTION);
	assert_boundary(hole, 0, 3 * SECTION);
	assert_boundary(in_hole, 0, 3 * SECTION);
}

// A section and one frame below a boundary are enough.
static void M18_boundary_of_a_zone_that_begins_below_a_section(void **state)
{
	const struct yard_range memory[] = { { BASE + SECTION - 1, BASE + 4 * SECTION, 0 } };

	(void)state;
	assert_boundary(memory, 0, 2 * SECTION);
}

// Each node has its own boundary, in its highest zone: all below it is released.
static void M18_each_node_s_highest_zone(void **state)
{
	const struct yard_range memory[] = {
		{ BASE - 3 * SECTION, BASE + 3 * SECTION, 0 },
		{ BASE + 3 * SECTION, BASE + 6 * SECTION, 1 },
	};

	(void)state;
	assert_boundary(memory, 0, 2 * SECTION);
	assert_int_equal(yard->nodes[1].first_deferred_pfn, BASE + 5 * SECTION);
	assert_int_equal(zone_state(YARD_ZONE_DMA32).managed, 3 * SECTION);
	assert_int_equal(zone_state(NORMAL).managed, 2 * SECTION);
	assert_int_equal(zone_state(NORMAL).present, 3 * SECTION);
	assert_int_equal(zone_state(NODE1).managed, 2 * SECTION);
}

// Another node's memory between a node's own is not part of its rest.
static void M18_interleaved_nodes(void **state)
{
	const struct yard_range memory[] = {
		{ BASE, BASE + 3 * SECTION, 0 },
		{ BASE + 3 * SECTION, BASE + 4 * SECTION, 1 },
		{ BASE + 4 * SECTION, BASE + 5 * SECTION, 0 },
	};

	(void)state;
	assert_boundary(memory, 0, 2 * SECTION);
	assert_int_equal(zone_state(NODE1).managed, SECTION);
	assert_true(yard_deferred_init(yard, 0));
	assert_int_equal(zone_state(NORMAL).managed, 4 * SECTION);
	assert_int_equal(zone_state(NODE1).managed, SECTION);
	assert_verified();
}

static void M18_movable_is_the_highest_zone(void **state)
{
	const uint32_t movable_start = BASE + 3 * SECTION;
	const struct yard_range memory = { BASE, BASE + 6 * SECTION, 0 };
	struct yard_config config = memory_config(&memory, 1);

	(void)state;
	config.movable_start = &movable_start;
	config.deferred_init = true;
	build(&config);
	assert_int_equal(zone_state(NORMAL).managed, 3 * SECTION);
	assert_int_equal(zone_state(YARD_ZONE_MOVABLE).managed, 2 * SECTION);
}

static const struct yard_range reserved_parts[] = {
	{ BASE + 2 * SECTION - 8, BASE + 2 * SECTION + 100, 0 },
	{ BASE + 2 * SECTION + 200, BASE + 2 * SECTION + 3001, 0 },
	{ BASE + 3 * SECTION - 1, BASE + 3 * SECTION, 0 },
};
static const struct yard_range cma_part = { BASE + 3 * SECTION + MAX, BASE + 3 * SECTION + 2 * MAX, 0 };

static struct yard_config parts_config(const struct yard_range *memory, bool deferred)
{
	struct yard_config config = memory_config(memory, 1);

	config.reserved = reserved_parts;
	config.nr_reserved = COUNT(reserved_parts);
	config.cma = &cma_part;
	config.nr_cma = 1;
	config.deferred_init = deferred;
	return config;
}

// Every list, and which blocks of every type are on it.
static uint64_t lists_hash(void)
{
	uint64_t hash = 0;

	for (unsigned zone = 0; zone < yard_nr_zones(yard); zone++)
		for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
			for (unsigned type = 0; type < YARD_MIGRATETYPES; type++)
				for (uint32_t pfn = yard_free_list_next(yard, zone, order, type, NONE); pfn != NONE;
				     pfn = yard_free_list_next(yard, zone, order, type, pfn))
					hash = (hash ^ (((zone * 16 + order) * 8 + type) + (uint64_t)pfn)) * 1099511628211u;
	return hash;
}

// Ascending release to the tails ends in the lists and the sizes of a boot without deferral; reservations
// and CMA areas stay as they are, and nothing is left to do.
static void M18_the_rest_is_released_in_order(void **state)
{
	const struct yard_range memory = { BASE, BASE + 4 * SECTION + 700, 0 };
	struct yard_config config = parts_config(&memory, false);
	struct yard_zone_state whole, grown;
	struct yard_pcp_state sets;
	uint64_t hash;

	(void)state;
	build(&config);
	yard_drain_all(yard, -1);
	hash = lists_hash();
	whole = zone_state(NORMAL);
	sets = pcp_state(NORMAL, 0);
	config.deferred_init = true;
	build(&config);
	yard_drain_all(yard, -1);
	assert_int_equal(zone_state(NORMAL).managed, 2 * SECTION - 8 + cma_part.end - cma_part.start);
	assert_int_equal(zone_state(NORMAL).present, whole.present);
	assert_int_equal(yard_frame_state(yard, BASE + 3 * SECTION, NULL, NULL), YARD_FRAME_NONE);
	assert_verified();

	assert_true(yard_deferred_init(yard, 0));
	assert_verified();
	grown = zone_state(NORMAL);
	assert_int_equal(grown.managed, whole.managed);
	assert_int_equal(pcp_state(NORMAL, 0).high_max, sets.high_max);
	assert_int_equal(pcp_state(NORMAL, 0).batch, sets.batch);
	assert_true(lists_hash() == hash);
	assert_false(yard_deferred_init(yard, 0));
	assert_false(yard_deferred_init(yard, 1)); // no such node
}

// A whole block of the largest order is freed as one, anything else frame by frame. The lists end alike; a capture record
// (B9) of order 0 is the witness: it takes the first frame that is freed as one.
static void M18_chunks(void **state)
{
	const struct yard_range memory = { BASE, BASE + 3 * SECTION, 0 };
	const struct yard_range reserved = { BASE + 2 * SECTION, BASE + 2 * SECTION + BLOCK, 0 };
	struct yard_config config = memory_config(&memory, 1);

	(void)state;
	config.deferred_init = true;
	config.reserved = &reserved;
	config.nr_reserved = 1;
	build(&config);
	begin_capture(NORMAL, 0, M, 0);
	yard_deferred_init(yard, 0);
	assert_pfn(end_capture(), 2 * SECTION + BLOCK); // the partial chunk, in frames
	assert_verified();

	config.nr_reserved = 0;
	build(&config);
	begin_capture(NORMAL, 0, M, 0);
	yard_deferred_init(yard, 0);
	assert_int_equal(end_capture(), NONE); // whole chunks only
	assert_verified();
}

// W1, P5: the marks and limits that the boot ends with are those of a boot without deferral.
static void M18_the_boot_ends_with_the_same_marks(void **state)
{
	const struct yard_range memory = { BASE - 3000, BASE + 5 * SECTION, 0 };
	struct yard_config config = memory_config(&memory, 1);
	struct yard_zone_state whole, first;
	struct yard_pcp_state sets;

	(void)state;
	build(&config);
	whole = zone_state(NORMAL);
	sets = pcp_state(NORMAL, 0);
	config.deferred_init = true;
	build(&config);
	first = zone_state(NORMAL);
	assert_true(first.wmark[WMARK_LOW] < whole.wmark[WMARK_LOW]);
	yard_deferred_init(yard, 0);
	first = zone_state(NORMAL);
	assert_memory_equal(first.wmark, whole.wmark, sizeof(whole.wmark));
	assert_memory_equal(first.lowmem_reserve, whole.lowmem_reserve, sizeof(whole.lowmem_reserve));
	assert_int_equal(first.drift_mark, whole.drift_mark);
	assert_int_equal(pcp_state(NORMAL, 0).high_min, sets.high_min);
	assert_int_equal(pcp_state(NORMAL, 0).high_max, sets.high_max);
	assert_int_equal(pcp_state(NORMAL, 0).batch, sets.batch);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, sets.stat_threshold);
}

// P5: the recomputation that ends the boot comes with the last node.
static void M18_the_last_node_ends_the_boot(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 4 * SECTION, 0 }, { BASE + 4 * SECTION, BASE + 8 * SECTION, 1 } };
	struct yard_config config = memory_config(memory, 2);

	(void)state;
	config.deferred_init = true;
	build(&config);
	assert_true(yard_deferred_init(yard, 1));
	assert_int_equal(count_events(YARD_EVENT_SETUP_PER_ZONE_WMARKS), 0);
	assert_true(yard_deferred_init(yard, 0));
	assert_int_equal(count_events(YARD_EVENT_SETUP_PER_ZONE_WMARKS), 2 * YARD_ZONE_TYPES);
	forget_events();
	assert_false(yard_deferred_init(yard, 0));
	assert_int_equal(count_events(YARD_EVENT_SETUP_PER_ZONE_WMARKS), 0);
	assert_verified();
}

// Restored lists say themselves what is free.
static void M18_is_without_effect_on_a_restored_state(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.deferred_init = true;
	blank_config(config, 4 * SECTION);
	assert_int_equal(yard->nodes[0].first_deferred_pfn, NONE);
	assert_false(yard_deferred_init(yard, 0));
}

// A copy goes on by itself.
static void M18_a_copy_has_its_own_rest(void **state)
{
	const struct yard_range memory = { BASE, BASE + 4 * SECTION + 700, 0 };
	struct yard_config config = parts_config(&memory, true);
	struct yard *original;
	void *copy;
	uint64_t hash;

	(void)state;
	build(&config);
	copy = zeroed(yard_bytes);
	original = yard;
	yard = yard_copy(copy, yard_bytes, original);
	assert_non_null(yard);
	yard_deferred_init(yard, 0);
	assert_verified();
	hash = lists_hash();
	yard = original;
	assert_int_equal(zone_state(NORMAL).managed, 2 * SECTION - 8 + cma_part.end - cma_part.start);
	yard_deferred_init(yard, 0);
	assert_true(lists_hash() == hash);
	free(copy);
}

// ---- A8a, A10 ----

static void build_deferred(uint32_t frames)
{
	const struct yard_range memory = { BASE, BASE + frames, 0 };
	struct yard_config config = memory_config(&memory, 1);

	config.deferred_init = true;
	build(&config);
	direct(true);
}

// A request that the watermark refuses pulls in one section and is served.
static void A8a_a_short_zone_grows_by_a_section(void **state)
{
	const uint32_t mark = 2 * SECTION - MAX - (MAX - 1); // what is free after one block, less W10: it must be above

	(void)state;
	build_deferred(4 * SECTION + MAX);
	set_wmarks(normal(), mark, mark, mark);
	assert_pfn(yard_alloc(yard, GFP_M, YARD_MAX_PAGE_ORDER), 0);
	assert_int_equal(zone_state(NORMAL).managed, 2 * SECTION);
	assert_pfn(yard_alloc(yard, GFP_M, YARD_MAX_PAGE_ORDER), MAX);
	assert_int_equal(zone_state(NORMAL).managed, 3 * SECTION);
	assert_int_equal(yard->nodes[0].first_deferred_pfn, BASE + 3 * SECTION);
	assert_int_equal(count_events(YARD_EVENT_WAKEUP_KSWAPD), 0); // the fast attempt was enough
	assert_verified();
}

// Until nothing is left; the last part is less than a section. Then the watermark holds, and the rest is for
// yard_deferred_init() to finish.
static void A8a_until_nothing_is_left(void **state)
{
	unsigned served = 0;

	(void)state;
	build_deferred(4 * SECTION + MAX);
	set_wmarks(normal(), 4 * MAX, 4 * MAX, 4 * MAX);
	while (yard_alloc(yard, YARD_GFP_KSWAPD_RECLAIM | YARD_GFP_MOVABLE, YARD_MAX_PAGE_ORDER) != NONE)
		served++;
	assert_int_equal(zone_state(NORMAL).managed, 4 * SECTION + MAX);
	assert_int_equal(yard->nodes[0].first_deferred_pfn, NONE);
	assert_int_equal(served, (4 * SECTION + MAX) / MAX - 5 + 1); // free - (MAX - 1) > 4 * MAX
	assert_false(yard_deferred_init(yard, 0)); // nothing to free
	assert_true(zone_state(NORMAL).wmark[WMARK_LOW] < 4 * MAX); // but it ended the boot
	assert_verified();
}

// A section that is all reserved is passed over: the first pass of the first walk is served.
static void A8a_a_reserved_section_is_no_growth(void **state)
{
	const struct yard_range memory = { BASE, BASE + 4 * SECTION, 0 };
	const struct yard_range reserved = { BASE + 2 * SECTION, BASE + 3 * SECTION, 0 };
	struct yard_config config = memory_config(&memory, 1);
	struct yard_result result;

	(void)state;
	config.no_dma32 = true; // no NOFRAGMENT, and so no second pass (A12)
	config.deferred_init = true;
	config.reserved = &reserved;
	config.nr_reserved = 1;
	build(&config);
	direct(true);
	set_wmarks(normal(), 2 * SECTION, 2 * SECTION, 2 * SECTION);
	result = request(GFP_M, 0);
	assert_pfn(result.pfn, 0);
	assert_int_equal(result.attempts, 1);
	assert_int_equal(zone_state(NORMAL).managed, 3 * SECTION);
	assert_int_equal(yard->nodes[0].first_deferred_pfn, NONE);
	assert_verified();
}

// G9: a NOLOCK request waits for no lock, and growing takes some.
static void A8a_nolock_requests_do_not_grow(void **state)
{
	struct yard_request r = { .gfp = GFP_M, .node = -1, .nolock = true };
	struct yard_result result;

	(void)state;
	build_deferred(4 * SECTION);
	set_wmarks(normal(), 2 * SECTION, 2 * SECTION, 2 * SECTION);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_ENOMEM);
	assert_int_equal(zone_state(NORMAL).managed, 2 * SECTION);
}

// Only the zone that is unfinished grows; the node's others are left alone.
static void A8a_lower_zones_do_not_grow(void **state)
{
	const struct yard_range memory = { BASE - SECTION, BASE + 4 * SECTION, 0 };
	struct yard_config config = memory_config(&memory, 1);

	(void)state;
	config.deferred_init = true;
	build(&config);
	direct(true);
	set_wmarks(zone_at(yard, YARD_ZONE_DMA32), SECTION, SECTION, SECTION);
	assert_int_equal(yard_alloc(yard, YARD_GFP_KSWAPD_RECLAIM | YARD_GFP_DMA32, 0), NONE);
	assert_int_equal(zone_state(NORMAL).managed, 2 * SECTION);
	assert_int_equal(zone_state(YARD_ZONE_DMA32).managed, SECTION);
	assert_int_equal(yard->nodes[0].first_deferred_pfn, BASE + 2 * SECTION);
}

// A zone that passes its watermark but gives no page grows and is tried again before the walk goes on: under NOFRAGMENT
// no order-8 block of MOVABLE serves an UNMOVABLE page, and without growing NOFRAGMENT would be dropped (A12).
static void A10_a_zone_without_a_page_grows(void **state)
{
	(void)state;
	build_deferred(4 * SECTION);
	set_wmarks(normal(), 0, 0, 0);
	for (uint32_t pfn = 0; pfn < 2 * SECTION; pfn += BLOCK / 2)
		assert_pfn(yard_alloc(yard, GFP_M, YARD_PAGEBLOCK_ORDER - 1), pfn);
	for (uint32_t pfn = 0; pfn < 2 * SECTION; pfn += BLOCK)
		free_at(pfn, YARD_PAGEBLOCK_ORDER - 1);
	assert_int_equal(zone_state(NORMAL).managed, 2 * SECTION);
	forget_events();
	assert_pfn(yard_alloc(yard, GFP_U, 0), 2 * SECTION);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC_EXTFRAG)->a, YARD_MAX_PAGE_ORDER); // a whole block was claimed
	assert_int_equal(zone_state(NORMAL).managed, 3 * SECTION);
	assert_verified();
}

// ---- M20 ----

static void build_reserved(uint32_t frames, uint32_t from, uint32_t to)
{
	const struct yard_range memory = { BASE, BASE + frames, 0 };
	const struct yard_range reserved = { BASE + from, BASE + to, 0 };
	struct yard_config config = memory_config(&memory, 1);

	config.reserved = &reserved;
	config.nr_reserved = 1;
	build(&config);
	set_pcps(normal(), 63, 4000, 4000);
}

// Aligned blocks in ascending order: what the sets keep goes to the heads of their lists, order 4 to the buddy lists.
static void M20_aligned_blocks_through_the_sets(void **state)
{
	(void)state;
	build_reserved(4096, 3, 48);
	assert_int_equal(zone_state(NORMAL).managed, 4096 - 45);
	assert_int_equal(yard_release_reserved(yard, BASE + 3, BASE + 39), YARD_OK);
	assert_events(KIND(PAGE_FREE), "free(3,0) free(4,2) free(8,3) free(16,4) free(32,2) free(36,1) free(38,0)");
	assert_pcp(NORMAL, 0, pcp_index(M, 0), "[38,3]");
	assert_pcp(NORMAL, 0, pcp_index(M, 1), "[36]");
	assert_pcp(NORMAL, 0, pcp_index(M, 2), "[32,4]");
	assert_pcp(NORMAL, 0, pcp_index(M, 3), "[8]");
	assert_lists_to(NORMAL, 4, M, "0:[2] 1:[0] 4:[16,48]");
	assert_int_equal(zone_state(NORMAL).managed, 4096 - 9);
	assert_verified();
	assert_int_equal(yard_release_reserved(yard, BASE + 39, BASE + 48), YARD_OK);
	assert_int_equal(zone_state(NORMAL).managed, 4096);
	yard_drain_all(yard, -1);
	assert_lists_to(NORMAL, 9, M, "");
	assert_verified();
}

// The largest blocks have the largest order.
static void M20_large_blocks(void **state)
{
	(void)state;
	build_reserved(8192, 512, 4096);
	assert_int_equal(yard_release_reserved(yard, BASE + 512, BASE + 4096), YARD_OK);
	assert_events(KIND(PAGE_FREE), "free(512,9) free(1024,10) free(2048,10) free(3072,10)");
	assert_verified();
}

// A block lies in one zone, however the zones' border is placed.
static void M20_blocks_stop_at_a_zone(void **state)
{
	const struct yard_range memory = { 0, 8192, 0 }, reserved = { 992, 1016, 0 };
	struct yard_config config = memory_config(&memory, 1);

	(void)state;
	config.dma_end = 1000;
	config.reserved = &reserved;
	config.nr_reserved = 1;
	build(&config);
	base = 0;
	assert_int_equal(yard_release_reserved(yard, 992, 1016), YARD_OK);
	assert_events(KIND(PAGE_FREE), "free(992,3) free(1000,3) free(1008,3)");
	assert_int_equal(zone_state(YARD_ZONE_DMA).managed, 1000);
	assert_int_equal(zone_state(YARD_ZONE_DMA32).managed, 7192);
	assert_verified();
}

// An error changes nothing.
static void M20_what_is_no_reservation_is_refused(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 512, 0 }, { BASE + 1024, BASE + 4096, 0 } };
	const struct yard_range reserved = { BASE + 64, BASE + 512, 0 };
	struct yard_config config = memory_config(memory, 2);
	uint32_t used;

	(void)state;
	config.reserved = &reserved;
	config.nr_reserved = 1;
	build(&config);
	direct(true);
	assert_int_equal(yard_release_reserved(yard, BASE + 64, BASE + 64), YARD_EINVAL);
	assert_int_equal(yard_release_reserved(yard, BASE + 80, BASE + 64), YARD_EINVAL);
	assert_int_equal(yard_release_reserved(yard, BASE + 500, BASE + 513), YARD_ERANGE); // a hole
	assert_int_equal(yard_release_reserved(yard, BASE + 4096, BASE + 4097), YARD_ERANGE);
	assert_int_equal(yard_release_reserved(yard, 0, 1), YARD_ERANGE);
	assert_int_equal(yard_release_reserved(yard, BASE + 60, BASE + 70), YARD_EDOUBLEFREE);
	assert_int_equal(yard_release_reserved(yard, BASE + 64, NONE), YARD_ERANGE);
	used = yard_alloc(yard, GFP_U, 5);
	assert_true(used != NONE);
	assert_int_equal(yard_release_reserved(yard, used + 31, used + 32), YARD_EBUSY);
	assert_int_equal(zone_state(NORMAL).managed, 3072 + 64);
	assert_verified();
	assert_int_equal(yard_release_reserved(yard, BASE + 64, BASE + 512), YARD_OK);
	assert_verified();
}

// M18: a reservation in a part that is not released yet may be given back, what only waits for its release may not; the
// release passes over what was given back.
static void M20_in_a_deferred_part(void **state)
{
	const struct yard_range memory = { BASE, BASE + 4 * SECTION, 0 };
	const struct yard_range reserved = { BASE + 3 * SECTION, BASE + 3 * SECTION + 16, 0 };
	struct yard_config config = memory_config(&memory, 1);

	(void)state;
	config.deferred_init = true;
	config.reserved = &reserved;
	config.nr_reserved = 1;
	build(&config);
	assert_int_equal(yard_release_reserved(yard, BASE + 3 * SECTION, BASE + 3 * SECTION + 17), YARD_EBUSY);
	assert_int_equal(yard_release_reserved(yard, BASE + 2 * SECTION, BASE + 2 * SECTION + 1), YARD_EBUSY);
	assert_int_equal(yard_release_reserved(yard, BASE + 3 * SECTION, BASE + 3 * SECTION + 16), YARD_OK);
	assert_int_equal(zone_state(NORMAL).managed, 2 * SECTION + 16);
	assert_verified();
	yard_deferred_init(yard, 0);
	assert_int_equal(zone_state(NORMAL).managed, 4 * SECTION);
	assert_verified();
}

// ---- M19 ----

static struct yard_config offline_config(const struct yard_range *memory, uint32_t nr, const struct yard_range *offline,
					 uint32_t nr_offline)
{
	struct yard_config config = memory_config(memory, nr);

	config.offline = offline;
	config.nr_offline = nr_offline;
	for (uint32_t i = 0; i < nr_offline; i++)
		if (offline[i].node >= config.nr_nodes)
			config.nr_nodes = offline[i].node + 1;
	return config;
}

// New blocks join the tails, ascending; the zone and its marks grow; nothing stays isolated.
static void M19_new_blocks_join_the_tails(void **state)
{
	const struct yard_range memory = { BASE + 4096, BASE + 8192, 0 };
	const struct yard_range offline[] = { { BASE, BASE + 2048, 0 }, { BASE + 8192, BASE + 10752, 0 } };
	struct yard_config config = offline_config(&memory, 1, offline, 2);
	struct yard_zone_state before;

	(void)state;
	build(&config);
	before = zone_state(NORMAL);
	assert_int_equal(before.present, 4096);
	assert_int_equal(yard_zone_of(yard, BASE), YARD_ERANGE);
	assert_lists(NORMAL, M, "10:[4096,5120,6144,7168]");
	assert_int_equal(yard_online_memory(yard, BASE, BASE + 2048, YARD_ZONE_NORMAL), YARD_OK);
	assert_lists(NORMAL, M, "10:[4096,5120,6144,7168,0,1024]");
	assert_int_equal(zone_state(NORMAL).start_pfn, BASE);
	assert_int_equal(zone_state(NORMAL).spanned, 8192);
	assert_int_equal(zone_state(NORMAL).present, 6144);
	assert_false(zone_state(NORMAL).contiguous);
	assert_verified();
	assert_int_equal(yard_online_memory(yard, BASE + 8192, BASE + 10752, YARD_ZONE_NORMAL), YARD_OK);
	assert_lists(NORMAL, M, "9:[10240] 10:[4096,5120,6144,7168,0,1024,8192,9216]");
	assert_lists(NORMAL, I, "");
	assert_int_equal(zone_state(NORMAL).managed, 4096 + 2048 + 2560);
	assert_int_equal(nr_free_pages(NORMAL), 4096 + 2048 + 2560);
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 0);
	assert_true(zone_state(NORMAL).wmark[WMARK_MIN] > before.wmark[WMARK_MIN]);
	assert_int_equal(type_at(0), M);
	assert_int_equal(yard_zone_of(yard, BASE), NORMAL);
	assert_int_equal(yard_zone_of(yard, BASE + 2048), YARD_ERANGE); // the hole stays one
	assert_verified();
}

// C8: the last un-isolated block merges with the free memory beside it.
static void M19_merges_with_its_neighbours(void **state)
{
	const struct yard_range memory = { BASE, BASE + 4096 + BLOCK, 0 };
	const struct yard_range offline = { BASE + 4096 + BLOCK, BASE + 4096 + 2 * BLOCK, 0 };
	struct yard_config config = offline_config(&memory, 1, &offline, 1);

	(void)state;
	build(&config);
	assert_lists(NORMAL, M, "9:[4096] 10:[0,1024,2048,3072]");
	assert_int_equal(yard_online_memory(yard, offline.start, offline.end, YARD_ZONE_NORMAL), YARD_OK);
	assert_lists(NORMAL, M, "10:[0,1024,2048,3072,4096]");
	assert_true(zone_state(NORMAL).contiguous);
	assert_verified();
}

// M4, M10, Z4: a node's first memory puts it on the zonelists; mobility grouping comes back with enough of it.
static void Z4_a_node_that_gets_memory_is_listed(void **state)
{
	const struct yard_range memory = { BASE, BASE + 2048, 0 };
	const struct yard_range offline = { BASE + 4096, BASE + 12288, 1 };
	struct yard_config config = offline_config(&memory, 1, &offline, 1);
	static const uint8_t before[] = { NORMAL, ZONE_MIXED }, after0[] = { NORMAL, NODE1, ZONE_MIXED },
			     after1[] = { NODE1, NORMAL, ZONE_MIXED };

	(void)state;
	build(&config);
	assert_true(yard->mobility_disabled);
	assert_memory_equal(yard->nodes[0].fallback, before, sizeof(before));
	assert_memory_equal(yard->nodes[1].fallback, before, sizeof(before));
	assert_int_equal(yard_online_memory(yard, offline.start, offline.end, YARD_ZONE_NORMAL), YARD_OK);
	assert_memory_equal(yard->nodes[0].fallback, after0, sizeof(after0));
	assert_memory_equal(yard->nodes[1].fallback, after1, sizeof(after1));
	assert_int_equal(yard->nodes[1].thisnode[0], NODE1);
	assert_false(yard->mobility_disabled);
	assert_int_equal(type_at(4096), M); // M19: base type M, although grouping was off
	assert_int_equal(pcp_state(NODE1, 0).batch, 2 - 1); // P4: 8192 >> 12 = 2, + 1 = 3, down to 2, - 1
	assert_int_equal(pcp_state(NODE1, 0).high_max, 1024);
	assert_true(pcp_state(NODE1, 0).stat_threshold > 0);
	assert_verified();
}

// Z4: a zone that had memory already leaves M10 as it was evaluated when the lists were built.
static void Z4_more_memory_in_a_zone_leaves_the_lists(void **state)
{
	const struct yard_range memory = { BASE, BASE + 2048, 0 }, offline = { BASE + 2048, BASE + 10240, 0 };
	struct yard_config config = offline_config(&memory, 1, &offline, 1);

	(void)state;
	build(&config);
	assert_true(yard->mobility_disabled);
	assert_int_equal(yard_online_memory(yard, offline.start, offline.end, YARD_ZONE_NORMAL), YARD_OK);
	assert_true(yard->mobility_disabled);
	assert_verified();
}

// Memory for MOVABLE may lie anywhere, so that the spans of a node's zones overlap; each frame has one zone.
static void M19_zones_may_overlap(void **state)
{
	const struct yard_range memory = { BASE - 100, BASE + 2048, 0 };
	const struct yard_range offline[] = { { BASE - 8192, BASE - 4096, 0 }, { BASE + 2048, BASE + 4096, 0 },
					      { BASE + 4096, BASE + 8192, 0 } };
	struct yard_config config = offline_config(&memory, 1, offline, 3);

	(void)state;
	build(&config);
	assert_int_equal(yard_online_memory(yard, BASE + 2048, BASE + 4096, YARD_ZONE_MOVABLE), YARD_OK);
	assert_int_equal(yard_online_memory(yard, BASE + 4096, BASE + 8192, YARD_ZONE_NORMAL), YARD_OK);
	assert_int_equal(yard_online_memory(yard, BASE - 8192, BASE - 4096, YARD_ZONE_MOVABLE), YARD_OK);
	assert_int_equal(zone_state(NORMAL).spanned, 8192);
	assert_int_equal(zone_state(YARD_ZONE_MOVABLE).spanned, 4096 + 8192);
	assert_lists(NORMAL, M, "10:[0,1024,4096,5120,6144,7168]");
	assert_lists(YARD_ZONE_MOVABLE, M, "10:[2048,3072,-8192,-7168,-6144,-5120]");
	assert_int_equal(yard_zone_of(yard, BASE + 2048), YARD_ZONE_MOVABLE);
	assert_int_equal(yard_zone_of(yard, BASE - 1), YARD_ZONE_DMA32);
	assert_int_equal(yard_zone_of(yard, BASE), NORMAL);
	assert_int_equal(yard_zone_of(yard, BASE - 5000), YARD_ZONE_MOVABLE);
	assert_int_equal(yard_nr_nodes(yard), 1);
	assert_verified();
	assert_int_equal(zone_at(yard, request(GFP_M, 0).zone)->type, YARD_ZONE_MOVABLE);
	assert_verified();
}

// A pageblock that two nodes share keeps its frames' zones when a span grows over it.
static void M19_a_growing_span_takes_no_frames(void **state)
{
	const uint32_t movable_start[] = { 0, BASE + 4096 };
	const struct yard_range memory[] = { { BASE, BASE + 4196, 0 }, { BASE + 4196, BASE + 8192, 1 } };
	const struct yard_range offline[] = { { BASE - 8192, BASE - 4096, 1 }, { BASE + 8192, BASE + 12288, 1 } };
	struct yard_config config = offline_config(memory, 2, offline, 2);
	const int movable = YARD_ZONE_TYPES + YARD_ZONE_MOVABLE;

	(void)state;
	config.dma32_end = BASE - 8192;
	config.movable_start = movable_start;
	build(&config);
	assert_int_equal(yard_zone_of(yard, BASE + 4200), movable);
	assert_int_equal(yard_online_memory(yard, BASE - 8192, BASE - 4096, NORMAL), YARD_OK);
	assert_int_equal(yard_online_memory(yard, BASE + 8192, BASE + 12288, NORMAL), YARD_OK);
	assert_int_equal(yard_zone_of(yard, BASE + 4200), movable);
	assert_int_equal(yard_zone_of(yard, BASE + 4190), NORMAL);
	assert_verified();
}

// Several ranges at once; whole ones of one node only. An error changes nothing.
static void M19_what_is_not_offline_is_refused(void **state)
{
	const struct yard_range memory = { BASE, BASE + 4096, 0 };
	const struct yard_range offline[] = { { BASE + 4096, BASE + 6144, 0 }, { BASE + 6144, BASE + 8192, 0 },
					      { BASE + 8192, BASE + 10240, 1 } };
	struct yard_config config = offline_config(&memory, 1, offline, 3);

	(void)state;
	build(&config);
	assert_int_equal(yard_online_memory(yard, BASE + 4096, BASE + 4096, NORMAL), YARD_EINVAL);
	assert_int_equal(yard_online_memory(yard, BASE + 4096, BASE + 6144, YARD_ZONE_DEVICE), YARD_EINVAL);
	assert_int_equal(yard_online_memory(yard, BASE + 4096, BASE + 6144, YARD_ZONE_DMA32), YARD_EINVAL); // M2
	assert_int_equal(yard_online_memory(yard, BASE + 4096, BASE + 5120, NORMAL), YARD_ERANGE);
	assert_int_equal(yard_online_memory(yard, BASE + 5120, BASE + 6144, NORMAL), YARD_ERANGE);
	assert_int_equal(yard_online_memory(yard, BASE, BASE + 4096, NORMAL), YARD_ERANGE);
	assert_int_equal(yard_online_memory(yard, BASE + 6144, BASE + 10240, NORMAL), YARD_ERANGE); // two nodes
	assert_int_equal(zone_state(NORMAL).present, 4096);
	assert_verified();
	assert_int_equal(yard_online_memory(yard, BASE + 4096, BASE + 8192, NORMAL), YARD_OK);
	assert_lists(NORMAL, M, "10:[0,1024,2048,3072,4096,5120,6144,7168]");
	assert_int_equal(yard_online_memory(yard, BASE + 4096, BASE + 8192, NORMAL), YARD_ERANGE); // no longer
	assert_int_equal(yard_online_memory(yard, BASE + 8192, BASE + 10240, NORMAL), YARD_OK);
	assert_verified();
}

static void M19_waits_for_deferred_memory(void **state)
{
	const struct yard_range memory = { BASE, BASE + 4 * SECTION, 0 };
	const struct yard_range offline = { BASE + 4 * SECTION, BASE + 5 * SECTION, 0 };
	struct yard_config config = offline_config(&memory, 1, &offline, 1);

	(void)state;
	config.deferred_init = true;
	build(&config);
	assert_int_equal(yard_online_memory(yard, offline.start, offline.end, NORMAL), YARD_EBUSY);
	yard_deferred_init(yard, 0);
	assert_int_equal(yard_online_memory(yard, offline.start, offline.end, NORMAL), YARD_OK);
	assert_verified();
}

// A copy made between two of them onlines the rest by itself. Many ranges: all parts of an instance lie where they were.
static void M19_in_a_copy(void **state)
{
	const struct yard_range memory = { BASE + 4096, BASE + 8192, 0 };
	struct yard_range offline[16];
	struct yard_config config = offline_config(&memory, 1, offline, 0);
	struct yard *original;
	void *copy;

	(void)state;
	for (uint32_t i = 0; i < COUNT(offline); i++) {
		uint32_t start = BASE + (i < 8 ? i : i + 8) * BLOCK;

		offline[i] = (struct yard_range){ start, start + BLOCK, 0 };
	}
	config.nr_offline = COUNT(offline);
	build(&config);
	assert_int_equal(yard_online_memory(yard, BASE + 8192, BASE + 10240, NORMAL), YARD_OK);
	copy = zeroed(yard_bytes);
	original = yard;
	yard = yard_copy(copy, yard_bytes, original);
	assert_int_equal(yard_online_memory(yard, BASE, BASE + 2048, NORMAL), YARD_OK);
	assert_verified();
	assert_int_equal(zone_state(NORMAL).present, 8192);
	yard = original;
	assert_int_equal(zone_state(NORMAL).present, 6144);
	assert_verified();
	free(copy);
}

static void M19_bad_offline_ranges(void **state)
{
	const struct yard_range memory = { BASE, BASE + 4000, 0 };
	static const struct yard_range bad[] = {
		{ BASE + 4096, BASE + 4097, 0 },	  // not whole pageblocks
		{ BASE + 3584, BASE + 4096, 0 },	  // RAM already
		{ BASE + 4096, BASE + 4096, 0 },	  // empty
		{ BASE + 4096, BASE + 5120, 2 },	  // no such node
		{ NONE - 1023, NONE & ~511u, 0 },	  // past the last frame that can be
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct yard_config config = memory_config(&memory, 1);
		int error = YARD_OK;

		config.offline = &bad[i];
		config.nr_offline = 1;
		assert_int_equal(yard_size(&config, &error), 0);
		assert_int_equal(error, YARD_EINVAL);
	}
}

// ---- P5, P19 ----

enum { CPUS = 6 };

// CPUs 0 to 3 on node 0, 4 and 5 on node 1; 2^17 frames each, so that every limit is an exact share.
static void build_cpus(bool exact)
{
	static const uint16_t cpu_node[CPUS] = { 0, 0, 0, 0, 1, 1 };
	const struct yard_range memory[] = { { BASE, BASE + 131072, 0 }, { BASE + 131072, BASE + 262144, 1 } };
	struct yard_config config = memory_config(memory, 2);

	config.nr_cpus = CPUS;
	config.cpu_node = cpu_node;
	config.exact_counters = exact;
	build(&config);
}

static void check_limits(unsigned zone, uint64_t cpus, int line)
{
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		if ((uint64_t)pcp_state(zone, cpu).high_max != 131072 / 8 / cpus
		    || (uint64_t)pcp_state(zone, cpu).high_min != zone_state(zone).wmark[WMARK_LOW] / cpus) {
			print_error("zone %u, CPU %u: high %d to %d is not that of %u CPUs\n", zone, cpu,
				    pcp_state(zone, cpu).high_min, pcp_state(zone, cpu).high_max, (unsigned)cpus);
			_fail(__FILE__, line);
		}
	}
}
#define assert_limits_of(zone, cpus) check_limits(zone, cpus, __LINE__)

// Its sets empty into the buddy lists, and the limits are those of the CPUs that are left on each node.
static void P19_an_offline_cpu_leaves_its_pages(void **state)
{
	(void)state;
	build_cpus(true);
	set_wmarks(zone_at(yard, NODE1), 500, 1000, 1500);
	assert_limits_of(NORMAL, 4);
	yard_sim_set_cpu(yard, 3);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	assert_true(yard_alloc(yard, GFP_U | YARD_GFP_THISNODE, 3) != NONE);
	yard_sim_set_cpu(yard, 0);
	assert_true(pcp_state(NORMAL, 3).count > 0);
	forget_events();
	assert_int_equal(yard_cpu_online(yard, 3, false), YARD_OK);
	assert_int_equal(pcp_state(NORMAL, 3).count, 0);
	assert_true(count_events(YARD_EVENT_PAGE_PCPU_DRAIN) > 0);
	assert_int_equal(nr_free_pages(NORMAL), 131072 - 1 - 8);
	assert_limits_of(NORMAL, 3);
	assert_limits_of(NODE1, 2);
	assert_verified();
}

// Its LRU batches are applied (spec 04 L-12), and what their owner has freed meanwhile is not left in its sets.
static void P19_an_offline_cpu_leaves_its_batches(void **state)
{
	uint32_t pfn, freed;

	(void)state;
	build_cpus(true);
	yard_sim_set_cpu(yard, 3);
	pfn = yard_alloc(yard, GFP_M, 0);
	freed = yard_alloc(yard, GFP_M, 0);
	assert_int_equal(yard_lru_add(yard, pfn, 0, YARD_UNMAPPED), YARD_OK);
	assert_int_equal(yard_lru_add(yard, freed, 0, YARD_UNMAPPED), YARD_OK);
	yard_sim_set_cpu(yard, 0);
	assert_int_equal(yard_free(yard, freed, 0), YARD_OK);
	assert_int_equal(yard->batches[3].nr[BATCH_ADD], 2);
	assert_int_equal(yard_cpu_online(yard, 3, false), YARD_OK);
	assert_int_equal(yard->batches[3].nr[BATCH_ADD], 0);
	assert_int_equal(yard_lru_size(yard, 0, YARD_LRU_INACTIVE_FILE, NORMAL), 1);
	assert_int_equal(pcp_state(NORMAL, 3).count, 0);
	assert_int_equal(nr_free_pages(NORMAL), 131072 - 1);
	assert_verified();
}

// Its differences fold, whatever the thresholds are.
static void P19_an_offline_cpu_s_counters_fold(void **state)
{
	(void)state;
	build_cpus(false);
	direct(true);
	yard_sim_set_cpu(yard, 2);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	yard_sim_set_cpu(yard, 0);
	assert_int_not_equal(pcp_state(NORMAL, 2).diff[YARD_NR_FREE_PAGES], 0);
	assert_int_equal(yard_cpu_online(yard, 2, false), YARD_OK);
	for (unsigned i = 0; i < YARD_ZONE_STATS; i++)
		assert_int_equal(pcp_state(NORMAL, 2).diff[i], 0);
	assert_int_equal(nr_free_pages(NORMAL) + pcp_state(NORMAL, 0).diff[YARD_NR_FREE_PAGES], 131071);
	assert_verified();
}

// A node without CPUs counts with all that are online.
static void P5_a_node_without_cpus_counts_them_all(void **state)
{
	(void)state;
	build_cpus(true);
	assert_int_equal(yard_cpu_online(yard, 4, false), YARD_OK);
	assert_limits_of(NODE1, 1);
	assert_int_equal(yard_cpu_online(yard, 5, false), YARD_OK);
	assert_limits_of(NODE1, 4);
	assert_limits_of(NORMAL, 4);
	assert_int_equal(yard_cpu_online(yard, 0, false), YARD_OK);
	assert_limits_of(NODE1, 3);
	assert_limits_of(NORMAL, 3);
}

// A CPU that comes counts on every node until the next recomputation, on a node without CPUs too.
static void P5_a_coming_cpu_counts_on_every_node(void **state)
{
	(void)state;
	build_cpus(true);
	yard_cpu_online(yard, 1, false);
	yard_cpu_online(yard, 3, false);
	assert_limits_of(NORMAL, 2);
	assert_limits_of(NODE1, 2);
	assert_int_equal(yard_cpu_online(yard, 3, true), YARD_OK);
	assert_limits_of(NORMAL, 3); // its own: exact
	assert_limits_of(NODE1, 3);  // the other: one too many
	assert_int_equal(yard_cpu_online(yard, 1, true), YARD_OK);
	assert_limits_of(NORMAL, 4);
	assert_limits_of(NODE1, 3);
	assert_int_equal(yard_set_percpu_pagelist_high_fraction(yard, 0), YARD_OK);
	assert_limits_of(NORMAL, 4);
	assert_limits_of(NODE1, 2);

	yard_cpu_online(yard, 4, false);
	yard_cpu_online(yard, 5, false);
	yard_cpu_online(yard, 0, false);
	assert_limits_of(NODE1, 3);
	yard_cpu_online(yard, 0, true);
	assert_limits_of(NODE1, 1); // none and the one that comes
	assert_verified();
}

// V3, V5: thresholds and drift marks follow the number of CPUs online.
static void V3_thresholds_count_online_cpus(void **state)
{
	(void)state;
	build_cpus(true);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, 2 * 3 * (1 + 3)); // fls(6) = 3, 131072 >> 15 = 4
	for (unsigned cpu = 5; cpu > 2; cpu--)
		yard_cpu_online(yard, cpu, false);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, 2 * 2 * (1 + 3)); // fls(3) = 2
	set_wmarks(normal(), 100, 132, 164);
	yard_cpu_online(yard, 1, false); // 2 CPUs * 16 > 32 ?
	assert_int_equal(zone_state(NORMAL).drift_mark, 0);
	yard_cpu_online(yard, 1, true); // 3 * 16 > 32
	assert_int_equal(zone_state(NORMAL).drift_mark, 164 + 3 * 16);
	yard_kswapd_pressure(yard, 0, true);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, (132 - 100) / 3);
	yard_cpu_online(yard, 5, true);
	assert_int_equal(pcp_state(NORMAL, 0).stat_threshold, 2 * 3 * (1 + 3)); // fls(4) = 3
}

static void P19_errors(void **state)
{
	(void)state;
	build_cpus(true);
	assert_int_equal(yard_cpu_online(yard, CPUS, false), YARD_ERANGE);
	assert_int_equal(yard_cpu_online(yard, 1, true), YARD_OK); // it is: nothing is recomputed
	assert_limits_of(NODE1, 2);
	for (unsigned cpu = 1; cpu < CPUS; cpu++)
		assert_int_equal(yard_cpu_online(yard, cpu, false), YARD_OK);
	assert_int_equal(yard_cpu_online(yard, 5, false), YARD_OK);
	assert_int_equal(yard_cpu_online(yard, 0, false), YARD_EBUSY);
	assert_limits_of(NORMAL, 1);
	assert_limits_of(NODE1, 1);
	assert_verified();
}

// ---- P13, A14 ----

// The zone is below its high mark and not balanced: kswapd is woken, unless it is hopeless; then kcompactd is, by a
// request that cannot reclaim by itself.
static void A14_a_hopeless_kswapd_is_not_woken(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	direct(true);
	set_wmarks(normal(), 10, 9000, 9100);
	yard_kswapd_hopeless(yard, 0, true);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	assert_events(WAKES, "");
	assert_true(yard_alloc(yard, YARD_GFP_ATOMIC, 0) != NONE);
	assert_events(WAKES, "kcompactd(0,2)");
	yard_kswapd_hopeless(yard, 0, false);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	assert_events(WAKES, "kswapd(zone 2,0,3)");
	yard_kswapd_hopeless(yard, 1, true); // no such node
}

// A boosted zone does not wake a hopeless kswapd either.
static void A14_hopeless_comes_before_boost(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	direct(true);
	normal()->boost = 512;
	zone_set_flag(normal(), YARD_ZONE_BOOSTED);
	yard_kswapd_hopeless(yard, 0, true);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	assert_events(WAKES, "kcompactd(0,2)"); // R2: gfp 0
}

// The zone of `node` is below its high mark until a free finds it above again.
static void leave_below_high(unsigned node)
{
	struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + NORMAL);
	struct yard_request r = { .gfp = GFP_M | YARD_GFP_THISNODE, .node = (int16_t)node };
	struct yard_result result;

	set_pcps(zone, 1, 4, 4); // 4 pages: the free drains and looks at the mark (P10.6)
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	zone_set_flag(zone, YARD_ZONE_BELOW_HIGH);
	yard_kswapd_hopeless(yard, node, true);
	set_pcps(zone, 1, 0, 0);
	assert_int_equal(yard_free(yard, result.pfn, 0), YARD_OK);
}

// Leaving BELOW_HIGH gives kswapd another chance only where a node with a higher id has memory.
static void P13_hopeless_ends_where_a_higher_node_has_memory(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 8192, 0 }, { BASE + 8192, BASE + 16384, 1 } };
	struct yard_config config = memory_config(memory, 2);

	(void)state;
	config.nr_nodes = 3;
	build(&config);
	leave_below_high(0);
	assert_false(zone_flags(normal()) & YARD_ZONE_BELOW_HIGH);
	assert_false(kswapd_hopeless(yard, 0));
	leave_below_high(1); // node 2 has no memory
	assert_false(zone_flags(zone_at(yard, NODE1)) & YARD_ZONE_BELOW_HIGH);
	assert_true(kswapd_hopeless(yard, 1));
}

// A zone that stays below its high mark changes nothing.
static void P13_hopeless_stays_below_the_high_mark(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 8192, 0 }, { BASE + 8192, BASE + 16384, 1 } };
	struct yard_config config = memory_config(memory, 2);

	(void)state;
	build(&config);
	set_wmarks(normal(), 10, 20, 9000);
	leave_below_high(0);
	assert_true(zone_flags(normal()) & YARD_ZONE_BELOW_HIGH);
	assert_true(kswapd_hopeless(yard, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(M18_boundary),
		cmocka_unit_test(M18_boundary_of_a_zone_that_begins_below_a_section),
		cmocka_unit_test(M18_each_node_s_highest_zone),
		cmocka_unit_test(M18_interleaved_nodes),
		cmocka_unit_test(M18_movable_is_the_highest_zone),
		cmocka_unit_test(M18_the_rest_is_released_in_order),
		cmocka_unit_test(M18_chunks),
		cmocka_unit_test(M18_the_boot_ends_with_the_same_marks),
		cmocka_unit_test(M18_the_last_node_ends_the_boot),
		cmocka_unit_test(M18_is_without_effect_on_a_restored_state),
		cmocka_unit_test(M18_a_copy_has_its_own_rest),
		cmocka_unit_test(A8a_a_short_zone_grows_by_a_section),
		cmocka_unit_test(A8a_until_nothing_is_left),
		cmocka_unit_test(A8a_a_reserved_section_is_no_growth),
		cmocka_unit_test(A8a_nolock_requests_do_not_grow),
		cmocka_unit_test(A8a_lower_zones_do_not_grow),
		cmocka_unit_test(A10_a_zone_without_a_page_grows),
		cmocka_unit_test(M20_aligned_blocks_through_the_sets),
		cmocka_unit_test(M20_large_blocks),
		cmocka_unit_test(M20_blocks_stop_at_a_zone),
		cmocka_unit_test(M20_what_is_no_reservation_is_refused),
		cmocka_unit_test(M20_in_a_deferred_part),
		cmocka_unit_test(M19_new_blocks_join_the_tails),
		cmocka_unit_test(M19_merges_with_its_neighbours),
		cmocka_unit_test(Z4_a_node_that_gets_memory_is_listed),
		cmocka_unit_test(Z4_more_memory_in_a_zone_leaves_the_lists),
		cmocka_unit_test(M19_zones_may_overlap),
		cmocka_unit_test(M19_a_growing_span_takes_no_frames),
		cmocka_unit_test(M19_what_is_not_offline_is_refused),
		cmocka_unit_test(M19_waits_for_deferred_memory),
		cmocka_unit_test(M19_in_a_copy),
		cmocka_unit_test(M19_bad_offline_ranges),
		cmocka_unit_test(P19_an_offline_cpu_leaves_its_pages),
		cmocka_unit_test(P19_an_offline_cpu_leaves_its_batches),
		cmocka_unit_test(P19_an_offline_cpu_s_counters_fold),
		cmocka_unit_test(P5_a_node_without_cpus_counts_them_all),
		cmocka_unit_test(P5_a_coming_cpu_counts_on_every_node),
		cmocka_unit_test(V3_thresholds_count_online_cpus),
		cmocka_unit_test(P19_errors),
		cmocka_unit_test(A14_a_hopeless_kswapd_is_not_woken),
		cmocka_unit_test(A14_hopeless_comes_before_boost),
		cmocka_unit_test(P13_hopeless_ends_where_a_higher_node_has_memory),
		cmocka_unit_test(P13_hopeless_stays_below_the_high_mark),
	};

	return cmocka_run_group_tests_name("online", tests, NULL, demolish);
}
