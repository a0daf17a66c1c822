// SPDX-License-Identifier: Apache-2.0
//
// How memory enters the lists at boot, and which zones a machine has (spec 01 sections 1.2 to 1.6, vector E1).

#include "engine_fixture.h"

// E1: an unaligned free range is cut greedily; lists ascend.
static void E1_boot_of_an_unaligned_range(void **state)
{
	const struct yard_range memory = { BASE, BASE + 4096, 0 };
	const struct yard_range reserved[] = { { BASE, BASE + 3, 0 }, { BASE + 4091, BASE + 4096, 0 } };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.reserved = reserved;
	config.nr_reserved = 2;
	build(&config);
	assert_lists(NORMAL, M,
		     "0:[3,4090] 1:[4088] 2:[4] 3:[8,4080] 4:[16,4064] 5:[32,4032] 6:[64,3968] 7:[128,3840] "
		     "8:[256,3584] 9:[512,3072] 10:[1024,2048]");
	assert_lists(NORMAL, U, "");
	assert_lists(NORMAL, R, "");
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES], 4088);
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], 3072);
	assert_int_equal(zone_state(NORMAL).managed, 4088);
	assert_int_equal(zone_state(NORMAL).present, 4096);
	assert_int_equal(zone_state(NORMAL).spanned, 4096);
	assert_verified();
}

// M14: every pageblock starts as MOVABLE, not isolated.
static void M14_pageblocks_start_movable(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	for (uint32_t offset = 0; offset < 8192; offset += BLOCK)
		assert_int_equal(yard_pageblock_bits(yard, base + offset), M);
}

// M2: DMA below 16 MiB, DMA32 below 4 GiB, NORMAL above; each zone lists its own memory in ascending order.
static void M2_zone_limits_of_x86(void **state)
{
	const struct yard_range memory[] = { { 1, 8192, 0 }, { 1048576 - 1024, 1048576 + 2048, 0 } };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	base = 0;
	assert_int_equal(zone_state(YARD_ZONE_DMA).start_pfn, 1);
	assert_int_equal(zone_state(YARD_ZONE_DMA).spanned, 4095);
	assert_int_equal(zone_state(YARD_ZONE_DMA32).start_pfn, 4096);
	assert_int_equal(zone_state(YARD_ZONE_DMA32).spanned, 1048576 - 4096);
	assert_int_equal(zone_state(YARD_ZONE_DMA32).present, 4096 + 1024); // M4: without the hole
	assert_int_equal(zone_state(NORMAL).start_pfn, 1048576);
	assert_int_equal(zone_state(NORMAL).spanned, 2048);
	assert_false(zone_state(YARD_ZONE_MOVABLE).populated);
	assert_false(zone_state(YARD_ZONE_DEVICE).populated);
	assert_false(zone_state(YARD_ZONE_DMA32).contiguous); // M5
	assert_true(zone_state(NORMAL).contiguous);
	assert_lists(YARD_ZONE_DMA, M, "0:[1] 1:[2] 2:[4] 3:[8] 4:[16] 5:[32] 6:[64] 7:[128] 8:[256] 9:[512] 10:[1024,2048,3072]");
	assert_lists(YARD_ZONE_DMA32, M, "10:[4096,5120,6144,7168,1047552]");
	assert_lists(NORMAL, M, "10:[1048576,1049600]");
	assert_int_equal(yard_zone_of(yard, 4095), YARD_ZONE_DMA);
	assert_int_equal(yard_zone_of(yard, 4096), YARD_ZONE_DMA32);
	assert_int_equal(yard_zone_of(yard, 1048576), NORMAL);
	assert_int_equal(yard_zone_of(yard, 500000), YARD_ERANGE);
	assert_verified();
}

// B1, M16: free blocks never cross the border of two zones, wherever it lies.
static void B1_unaligned_zone_borders_keep_blocks_apart(void **state)
{
	const struct yard_range memory = { 0, 8192, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.dma_end = 1000;
	config.dma32_end = 3000;
	build(&config);
	base = 0;
	assert_lists(YARD_ZONE_DMA, M, "3:[992] 5:[960] 6:[896] 7:[768] 8:[512] 9:[0]");
	assert_lists(YARD_ZONE_DMA32, M, "3:[1000,2992] 4:[1008,2976] 5:[2944] 7:[2816] 8:[2560] 9:[2048] 10:[1024]");
	assert_lists(NORMAL, M, "3:[3000] 6:[3008] 10:[3072,4096,5120,6144,7168]");
	assert_verified();
}

// M3: the MOVABLE zone begins at movable_start, rounded up to the largest block, and cuts the zone below it.
static void M3_movable_zone_cuts_the_highest_ordinary_zone(void **state)
{
	const uint32_t movable_start = BASE + 1500;
	const struct yard_range memory = { BASE, BASE + 6144, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.movable_start = &movable_start;
	build(&config);
	assert_int_equal(zone_state(NORMAL).present, 2048);
	assert_int_equal(zone_state(YARD_ZONE_MOVABLE).start_pfn, BASE + 2048);
	assert_int_equal(zone_state(YARD_ZONE_MOVABLE).present, 4096);
	assert_lists(YARD_ZONE_MOVABLE, M, "10:[2048,3072,4096,5120]");
	assert_lists(NORMAL, M, "10:[0,1024]");
}

// M3: a movable_start at or above the node's end is ignored.
static void M3_movable_start_past_the_node_is_ignored(void **state)
{
	const uint32_t movable_start = BASE + 6000;
	const struct yard_range memory = { BASE, BASE + 6144, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.movable_start = &movable_start;
	build(&config);
	assert_int_equal(zone_state(NORMAL).present, 6144);
	assert_false(zone_state(YARD_ZONE_MOVABLE).populated);
}

// M2, M3: a movable_start below the node makes all of the node MOVABLE, not more: the zone begins where the node does.
static void M3_movable_start_below_the_node(void **state)
{
	const uint32_t movable_start[] = { 0, BASE + 1024 };
	const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 } };
	struct yard_config config = plain_config();

	(void)state;
	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	config.movable_start = movable_start;
	build(&config);
	assert_int_equal(zone_state(YARD_ZONE_TYPES + YARD_ZONE_MOVABLE).present, 4096);
	assert_int_equal(zone_state(YARD_ZONE_TYPES + YARD_ZONE_MOVABLE).start_pfn, BASE + 4096);
	assert_int_equal(zone_state(YARD_ZONE_TYPES + YARD_ZONE_MOVABLE).spanned, 4096);
	assert_false(zone_state(YARD_ZONE_TYPES + NORMAL).populated);
}

// M15, M17: holes and reservations are never freed; managed counts what was.
static void M15_reservations_and_holes_stay_off_the_lists(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 1024, 0 }, { BASE + 2048, BASE + 4096, 0 } };
	const struct yard_range reserved[] = { { BASE + 512, BASE + 520, 0 }, { BASE + 1000, BASE + 2050, 0 } };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = memory;
	config.nr_memory = 2;
	config.reserved = reserved;
	config.nr_reserved = 2;
	build(&config);
	assert_lists(NORMAL, M,
		     "1:[2050] 2:[2052] 3:[520,992,2056] 4:[528,2064] 5:[544,960,2080] 6:[576,896,2112] 7:[640,768,2176] "
		     "8:[2304] 9:[0,2560] 10:[3072]");
	assert_int_equal(zone_state(NORMAL).present, 3072);
	assert_int_equal(zone_state(NORMAL).managed, 3072 - 8 - 24 - 2);
	assert_int_equal(yard_frame_state(yard, BASE + 512, NULL, NULL), YARD_FRAME_NONE);
	assert_verified();
}

// M10: mobility grouping is off below 12 MiB of memory above the high watermarks, which are 0 when it is computed.
static void M10_mobility_is_disabled_below_3072_pages(void **state)
{
	(void)state;
	build_normal(plain_config(), 3071);
	assert_true(yard->mobility_disabled);
	build_normal(plain_config(), 3072);
	assert_false(yard->mobility_disabled);
}

// M10, G1: while it is off, every request is UNMOVABLE.
static void M10_every_request_is_unmovable_without_mobility(void **state)
{
	(void)state;
	build_normal(plain_config(), 2048);
	direct(true);
	assert_true(yard_alloc(yard, GFP_M, 0) != NONE);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->migratetype, U);
	assert_int_equal(type_at(0), U); // claimed
}

// C13: CMA blocks are released whole, through the per-CPU set's list 13 of the CPU that boots.
static void C13_cma_blocks_are_released_at_boot(void **state)
{
	const struct yard_range memory = { BASE, BASE + 8192, 0 };
	const struct yard_range cma = { BASE + 2048, BASE + 3072, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.cma = &cma;
	config.nr_cma = 1;
	build(&config);
	assert_int_equal(zone_state(NORMAL).cma_pages, 1024);
	assert_int_equal(zone_state(NORMAL).managed, 8192);
	assert_int_equal(type_at(2048), C);
	assert_int_equal(type_at(2560), C);
	assert_int_equal(type_at(3072), M);
	yard_drain_all(yard, -1);
	assert_lists(NORMAL, C, "10:[2048]"); // C merges with C (B2.2c)
	assert_lists(NORMAL, M, "10:[0,1024,3072,4096,5120,6144,7168]");
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_CMA_PAGES], 1024);
	assert_verified();
}

// M6, M7: node 1's memory belongs to node 1's zones.
static void M2_a_node_s_zones_are_cut_at_its_span(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 3000, 0 }, { BASE + 3000, BASE + 6000, 1 } };
	struct yard_config config = plain_config();

	(void)state;
	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	assert_int_equal(zone_state(NORMAL).present, 3000);
	assert_int_equal(zone_state(YARD_ZONE_TYPES + NORMAL).present, 3000);
	assert_lists(NORMAL, M, "3:[2992] 4:[2976] 5:[2944] 7:[2816] 8:[2560] 9:[2048] 10:[0,1024]");
	assert_lists(YARD_ZONE_TYPES + NORMAL, M, "3:[3000] 4:[5984] 5:[5952] 6:[3008,5888] 8:[5632] 9:[5120] 10:[3072,4096]");
	assert_verified();
}

// Z2, I11: as many nodes as the limit allows work, or are refused: zone indices must fit wherever they are kept.
static void limit_of_nodes_is_served_or_refused(void **state)
{
	struct yard_range memory[YARD_NODES_MAX];
	struct yard_config config = plain_config();
	int error;

	(void)state;
	for (unsigned n = 0; n < YARD_NODES_MAX; n++)
		memory[n] = (struct yard_range){ BASE + n * 1024, BASE + n * 1024 + 1024, n };
	config.nr_nodes = YARD_NODES_MAX;
	config.memory = memory;
	config.nr_memory = YARD_NODES_MAX;
	if (!yard_size(&config, &error))
		return; // refused: fine
	build(&config);
	assert_verified();
	for (unsigned n = 0; n < YARD_NODES_MAX; n++) {
		struct yard_request r = { .gfp = GFP_U | YARD_GFP_THISNODE, .node = (int16_t)n };
		struct yard_result result;

		assert_int_equal(yard_zone_of(yard, memory[n].start), (int)(n * YARD_ZONE_TYPES + NORMAL));
		assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
		assert_in_range(result.pfn, memory[n].start, memory[n].end - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(E1_boot_of_an_unaligned_range),
		cmocka_unit_test(M14_pageblocks_start_movable),
		cmocka_unit_test(M2_zone_limits_of_x86),
		cmocka_unit_test(B1_unaligned_zone_borders_keep_blocks_apart),
		cmocka_unit_test(M3_movable_zone_cuts_the_highest_ordinary_zone),
		cmocka_unit_test(M3_movable_start_past_the_node_is_ignored),
		cmocka_unit_test(M3_movable_start_below_the_node),
		cmocka_unit_test(M15_reservations_and_holes_stay_off_the_lists),
		cmocka_unit_test(M10_mobility_is_disabled_below_3072_pages),
		cmocka_unit_test(M10_every_request_is_unmovable_without_mobility),
		cmocka_unit_test(C13_cma_blocks_are_released_at_boot),
		cmocka_unit_test(M2_a_node_s_zones_are_cut_at_its_span),
		cmocka_unit_test(limit_of_nodes_is_served_or_refused),
	};

	return cmocka_run_group_tests_name("boot", tests, NULL, demolish);
}
