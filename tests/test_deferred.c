// SPDX-License-Identifier: Apache-2.0
//
// Memory that is released after boot (spec 01 M18, A8a, A10).

#include "online_fixture.h"

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

// A whole block of the largest order is freed as one, anything else frame by frame. The lists end alike; a capture
// record (B9) of order 0 is the witness: it takes the first frame that is freed as one.
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
	};

	return cmocka_run_group_tests_name("deferred", tests, NULL, demolish);
}
