// SPDX-License-Identifier: Apache-2.0
//
// Memory that joins after boot: boot reservations that are given back, memory plugged in (spec 01 M19, M20, Z4).

#include "online_fixture.h"

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

// A copy made between two of them onlines the rest by itself. Many ranges: all parts of an instance lie where they
// were.
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests_name("online", tests, NULL, demolish);
}
