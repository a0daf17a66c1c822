// SPDX-License-Identifier: Apache-2.0
//
// Isolation of pageblocks, contiguous ranges, and free blocks taken off the lists (spec 01 sections 10.2, 10.3).

#include "engine_fixture.h"

static int isolate(uint32_t from, uint32_t to)
{
	return yard_isolate_range(yard, base + from, base + to, YARD_ISOLATE_OTHER);
}

static int unisolate(uint32_t from, uint32_t to)
{
	return yard_unisolate_range(yard, base + from, base + to);
}

// C7: the free blocks of the pageblock move to the I lists in ascending order, off the counters, and back.
static void C7_toggle_moves_the_free_blocks(void **state)
{
	(void)state;
	blank(4096);
	give_type(512, R);
	give_free(800, 3);
	give_free(512, 3);
	give_free(640, 7);
	give_used(520, 640, true);
	give_used(768, 800, true);
	give_used(808, 1024, true);
	give_free(1024, 3);
	ready();
	assert_int_equal(isolate(512, 1024), YARD_OK);
	assert_lists(NORMAL, I, "3:[512,800] 7:[640]");
	assert_lists(NORMAL, R, "");
	assert_int_equal(nr_free_pages(NORMAL), 8);
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 1);
	assert_int_equal(type_at(512), I);
	assert_int_equal(yard_pageblock_bits(yard, base + 512) & PB_TYPE, R); // M8
	assert_verified();
	assert_int_equal(isolate(512, 1024), YARD_EBUSY); // C6: isolated already
	assert_int_equal(unisolate(512, 1024), YARD_OK);
	assert_lists(NORMAL, R, "3:[512,800] 7:[640]");
	assert_int_equal(nr_free_pages(NORMAL), 8 + 16 + 128);
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 0);
	assert_int_equal(zone_state(NORMAL).pgfree, 0);
	assert_events(KMEM, ""); // T7i
	assert_verified();
}

// D16: kernels without the bit overwrote the type; callers restored MOVABLE.
static void D16_without_the_isolate_bit(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.policy.isolate_bit = 0;
	blank_config(config, 4096);
	give_type(512, R);
	give_free(512, 9);
	ready();
	assert_int_equal(isolate(512, 1024), YARD_OK);
	assert_int_equal(unisolate(512, 1024), YARD_OK);
	assert_int_equal(type_at(512), M);
	assert_lists(NORMAL, M, "9:[512]");
	assert_verified();
}

// C7, C8: half of a free order-10 block: the block is taken apart, and merges again when the bit is cleared.
static void C7_half_of_a_large_free_block(void **state)
{
	(void)state;
	blank(4096);
	give_free(2048, 10);
	give_free(0, 10);
	ready();
	assert_int_equal(isolate(512, 1024), YARD_OK);
	assert_lists(NORMAL, M, "9:[0] 10:[2048]");
	assert_lists(NORMAL, I, "9:[512]");
	assert_int_equal(nr_free_pages(NORMAL), 1536);
	assert_verified();
	assert_int_equal(unisolate(512, 1024), YARD_OK);
	assert_lists(NORMAL, M, "10:[2048,0]"); // B18: to the tail
	assert_lists(NORMAL, I, "");
	assert_int_equal(nr_free_pages(NORMAL), 2048);
	assert_verified();
}

// C8: one block of an isolated order-10 block goes back; the other stays on the I list.
static void C8_half_of_an_isolated_block(void **state)
{
	(void)state;
	blank(4096);
	give_free(0, 10);
	ready();
	assert_int_equal(isolate(0, 1024), YARD_OK);
	assert_lists(NORMAL, I, "9:[0,512]"); // moves among lists never merge (I3)
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 2);
	assert_int_equal(unisolate(512, 1024), YARD_OK);
	assert_lists(NORMAL, I, "9:[0]");
	assert_lists(NORMAL, M, "9:[512]");
	assert_verified();
	assert_int_equal(unisolate(0, 1024), YARD_OK); // unisolating a block that is not isolated changes nothing
	assert_lists(NORMAL, M, "10:[0]");
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 0);
	assert_verified();
}

// C6: what is in the way of isolation, and what is not.
static void C6_unmovable_frames(void **state)
{
	(void)state;
	blank(8192);
	give_used(0, 512, false);
	give_used(512, 1024, true);
	give_used(1024, 1535, true); // 1535 is reserved
	give_used(1536, 2048, true);
	give_type(2048, C);
	give_free(2048, 9);
	give_type(2560, C);
	give_used(2560, 3072, false);
	ready();
	assert_int_equal(isolate(0, 512), YARD_EBUSY);
	assert_int_equal(isolate(512, 1024), YARD_OK);
	assert_int_equal(isolate(1024, 1536), YARD_EBUSY);
	assert_int_equal(yard_set_movable_ops(yard, base + 1536, true), YARD_OK);
	assert_int_equal(yard_set_lru(yard, base + 1536, false), YARD_OK);
	assert_int_equal(isolate(1536, 2048), YARD_OK);
	assert_int_equal(isolate(2048, 2560), YARD_EBUSY); // C only for CMA
	assert_int_equal(yard_isolate_range(yard, base + 2048, base + 2560, YARD_ISOLATE_OFFLINE), YARD_EBUSY);
	assert_int_equal(yard_isolate_range(yard, base + 2048, base + 3072, YARD_ISOLATE_CMA), YARD_OK);
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 4);
	assert_verified();
}

// C6: in ZONE_MOVABLE frames in use are movable, reserved ones are not.
static void C6_in_zone_movable(void **state)
{
	const uint32_t movable_start = BASE + 4096;
	const struct yard_range memory = { BASE, BASE + 8192, 0 };
	const struct yard_range reserved = { BASE + 7000, BASE + 7001, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.reserved = &reserved;
	config.nr_reserved = 1;
	config.movable_start = &movable_start;
	build(&config);
	assert_pfn(yard_alloc(yard, GFP_M, 10), 4096);
	assert_int_equal(isolate(4096, 5120), YARD_OK);
	assert_int_equal(isolate(6656, 7168), YARD_EBUSY);
	assert_verified();
}

// C9: a failure undoes all: first and last block, then the middle ascending.
static void C9_failure_undoes_all(void **state)
{
	(void)state;
	blank(8192);
	for (uint32_t offset = 0; offset < 4096; offset += 512)
		give_used(offset, offset + 512, offset != 1536);
	ready();
	assert_int_equal(isolate(100, 2600), YARD_EBUSY); // blocks 0..5, the fourth is unmovable
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 0);
	for (uint32_t offset = 0; offset < 4096; offset += 512)
		assert_int_equal(type_at(offset), M);
	assert_int_equal(isolate(2048, 4096), YARD_OK);
	assert_int_equal(isolate(1024, 2100), YARD_EBUSY); // its last block is isolated already
	assert_int_equal(type_at(1024), M);
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 4);
	assert_verified();
}

// C9: a larger block in use across the edge of the range makes it fail, movable or not.
static void C9_compound_across_the_edge(void **state)
{
	(void)state;
	blank(4096);
	give_block(0, 10);
	ready();
	assert_int_equal(yard_set_lru(yard, base, true), YARD_OK);
	assert_int_equal(isolate(512, 1024), YARD_EBUSY);
	assert_int_equal(isolate(0, 512), YARD_EBUSY);
	assert_int_equal(isolate(0, 1024), YARD_OK);
	assert_verified();
}

// C10: exactly the range is taken; the surplus of its first and last free block is freed again.
static void C10_alloc_range(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	assert_int_equal(yard_alloc_range(yard, base + 1100, base + 1700, YARD_ISOLATE_OTHER), YARD_OK);
	for (uint32_t i = 1100; i < 1700; i++) {
		unsigned order;

		assert_int_equal(yard_frame_state(yard, base + i, NULL, &order), YARD_FRAME_ALLOCATED);
		assert_int_equal(order, 0);
	}
	assert_int_equal(nr_free_pages(NORMAL), 8192 - 600);
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 0);
	assert_int_equal(zone_state(NORMAL).pgalloc, 0); // V1
	assert_int_equal(type_at(1024), M);
	assert_lists_to(NORMAL, 8, M, "2:[1096,1700] 3:[1088,1704] 4:[1712] 6:[1024,1728] 8:[1792]");
	assert_int_equal(yard_free(yard, base + 1099, 0), YARD_EDOUBLEFREE);
	assert_int_equal(yard_free_range(yard, base + 1100, 600), YARD_OK);
	yard_drain_all(yard, -1);
	assert_int_equal(nr_free_pages(NORMAL), 8192);
	assert_verified();
}

// C10: frames on per-CPU lists are drained first; a frame in use makes it fail with all undone.
static void C10_drains_and_undoes(void **state)
{
	uint32_t pfn;

	(void)state;
	build_normal(plain_config(), 65536);
	pfn = yard_alloc(yard, GFP_M, 0);
	assert_pfn(pfn, 0);
	assert_int_equal(yard_alloc_range(yard, base, base + 512, YARD_ISOLATE_OTHER), YARD_EBUSY);
	assert_int_equal(yard_set_lru(yard, pfn, true), YARD_OK);
	assert_int_equal(yard_alloc_range(yard, base, base + 512, YARD_ISOLATE_OTHER), YARD_EBUSY);
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 0);
	assert_int_equal(type_at(0), M);
	assert_int_equal(yard_free(yard, pfn, 0), YARD_OK);
	assert_int_equal(yard_alloc_range(yard, base, base + 512, YARD_ISOLATE_OTHER), YARD_OK);
	assert_verified();
}

// C15's core: a CMA range is taken with mode CMA and its blocks stay CMA.
static void C10_cma_range(void **state)
{
	const struct yard_range memory = { BASE, BASE + 8192, 0 };
	const struct yard_range cma = { BASE + 2048, BASE + 4096, 0 };
	struct yard_config config = plain_config();

	(void)state;
	config.memory = &memory;
	config.nr_memory = 1;
	config.cma = &cma;
	config.nr_cma = 1;
	build(&config);
	assert_int_equal(yard_alloc_range(yard, base + 2048, base + 2600, YARD_ISOLATE_OTHER), YARD_EBUSY);
	assert_int_equal(yard_alloc_range(yard, base + 2048, base + 2600, YARD_ISOLATE_CMA), YARD_OK);
	assert_int_equal(type_at(2048), C);
	assert_int_equal(type_at(2560), C);
	yard_drain_all(yard, -1);
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_CMA_PAGES], 2048 - 552);
	assert_int_equal(yard_free_range(yard, base + 2048, 552), YARD_OK);
	yard_drain_all(yard, -1);
	assert_lists(NORMAL, C, "10:[2048,3072]");
	assert_verified();
}

// C12: candidates are the multiples of n in the zone.
static void C12_search(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	assert_pfn(yard_alloc(yard, GFP_U, 0), 0);
	assert_pfn(yard_alloc_contig(yard, 1024, GFP_U), 1024);
	assert_pfn(yard_alloc_contig(yard, 2048, GFP_U), 2048);
	assert_pfn(yard_alloc_contig(yard, 4096, GFP_U), 4096);
	assert_int_equal(yard_alloc_contig(yard, 1024, GFP_U), NONE);
	assert_int_equal(yard_alloc_contig(yard, 8192, GFP_U), NONE);
	assert_int_equal(yard_alloc_contig(yard, 0, GFP_U), NONE);
	assert_verified();
}

// C11: the watermark: min without boost plus the block, counting CMA, at the DMA index.
static void C11_watermark(void **state)
{
	(void)state;
	blank(8192);
	give_free(0, 7);
	give_free(512, 5); // 160 pages
	ready();
	set_wmarks(normal(), 127, 1000, 1000);
	normal()->boost = 512;
	assert_int_equal(yard_isolate_free_page(yard, base + 512), 5); // 160 > 127 + 32
	assert_int_equal(yard_putback_free_page(yard, base + 512, 5), YARD_OK);
	set_wmarks(normal(), 128, 1000, 1000);
	assert_int_equal(yard_isolate_free_page(yard, base + 512), YARD_EBUSY); // 160 = 128 + 32
	assert_int_equal(yard_isolate_free_page(yard, base + 1), YARD_ENOTOWNED);
	assert_verified();
}

// C11: blocks of an isolated pageblock are taken without a watermark test.
static void C11_no_watermark_on_isolated_blocks(void **state)
{
	(void)state;
	blank(8192);
	give_free(0, 9);
	ready();
	assert_int_equal(isolate(0, 512), YARD_OK);
	set_wmarks(normal(), 1000000, 1000000, 1000000);
	assert_int_equal(yard_isolate_free_page(yard, base), 9);
	assert_int_equal(type_at(0), I); // only U, M and R are retyped
	assert_int_equal(yard_frame_state(yard, base, NULL, NULL), YARD_FRAME_ISOLATED);
	assert_verified();
}

// C11: from order 8 on the pageblocks become MOVABLE and their other free blocks go to the tails of the M lists.
static void C11_large_blocks_become_movable(void **state)
{
	(void)state;
	blank(8192);
	give_type(0, U);
	give_free(0, 8);
	give_free(480, 4);
	give_free(288, 4);
	give_free(512, 4); // M
	give_type(1024, U);
	give_free(1024, 7);
	ready();
	assert_int_equal(yard_isolate_free_page(yard, base), 8);
	assert_int_equal(type_at(0), M);
	assert_lists(NORMAL, M, "4:[512,288,480]");
	assert_events(KMEM, "");
	assert_verified();
	assert_int_equal(yard_isolate_free_page(yard, base + 1024), 7); // smaller: no retyping
	assert_verified();
}

// C11: if the type was MOVABLE already, the remaining blocks still change their places.
static void C11_moves_also_within_movable(void **state)
{
	(void)state;
	blank(8192);
	give_free(256, 8);
	give_free(32, 4);
	give_free(512, 4);
	ready();
	assert_int_equal(yard_isolate_free_page(yard, base + 256), 8);
	assert_lists(NORMAL, M, "4:[512,32]");
	assert_verified();
}

// C11: H and C blocks keep their types.
static void C11_special_blocks_keep_their_types(void **state)
{
	(void)state;
	blank(8192);
	give_type(0, C);
	give_free(0, 9);
	give_free(1024, 10);
	ready();
	assert_int_equal(yard_isolate_free_page(yard, base), 9);
	assert_int_equal(type_at(0), C);
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_CMA_PAGES], 0);
	assert_int_equal(yard_putback_free_page(yard, base, 9), YARD_OK);
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_CMA_PAGES], 512);
	assert_verified();
}

// T7b, T7c: isolated blocks are split, used and given up without events of their own.
static void T7_isolated_blocks(void **state)
{
	(void)state;
	blank(8192);
	give_free(0, 4);
	give_free(1024, 10);
	ready();
	assert_int_equal(yard_isolate_free_page(yard, base), 4);
	assert_int_equal(yard_split_isolated(yard, base, 4, 5), YARD_EINVAL);
	assert_int_equal(yard_split_isolated(yard, base, 3, 2), YARD_ENOTOWNED);
	assert_int_equal(yard_split_isolated(yard, base, 4, 2), YARD_OK);
	assert_int_equal(yard_use_isolated(yard, base + 4, 2), YARD_OK);
	assert_int_equal(yard_use_isolated(yard, base + 4, 2), YARD_ENOTOWNED);
	assert_int_equal(yard_unuse_isolated(yard, base + 4, 2), YARD_OK);
	assert_int_equal(yard_use_isolated(yard, base + 8, 2), YARD_OK);
	assert_verified();
	assert_events(KMEM, "");
	assert_int_equal(yard_free(yard, base, 2), YARD_EDOUBLEFREE);
	free_at(8, 2);
	for (uint32_t i = 0; i < 16; i += 4)
		if (i != 8)
			assert_int_equal(yard_putback_free_page(yard, base + i, 2), YARD_OK);
	yard_drain_all(yard, -1);
	assert_lists_to(NORMAL, 9, M, "4:[0]");
	assert_verified();
}

// B12, I12: a block that is freed while isolated goes to the I lists; no request is served from there.
static void I12_nothing_from_isolated_blocks(void **state)
{
	(void)state;
	blank(4096);
	set_pcps(normal(), 63, 4000, 8000);
	give_used(0, 512, true);
	ready();
	set_wmarks(normal(), 0, 0, 0);
	assert_int_equal(isolate(0, 512), YARD_OK);
	assert_int_equal(yard_free_range(yard, base, 512), YARD_OK);
	assert_lists(NORMAL, I, "9:[0]");
	assert_int_equal(nr_free_pages(NORMAL), 0);
	normal()->stat[YARD_NR_FREE_PAGES] += 1000; // only the watermark
	assert_int_equal(yard_alloc(yard, GFP_M, 0), NONE);
	assert_int_equal(yard_alloc(yard, GFP_U, 0), NONE);
	normal()->stat[YARD_NR_FREE_PAGES] -= 1000;
	assert_int_equal(unisolate(0, 512), YARD_OK);
	assert_int_equal(nr_free_pages(NORMAL), 512);
	assert_verified();
}

// C7: a pageblock that does not lie inside the zone's span is not isolated.
static void C7_block_at_the_zone_border(void **state)
{
	(void)state;
	build_normal(plain_config(), 4096 + 100);
	assert_int_equal(isolate(4096, 4196), YARD_EBUSY);
	assert_int_equal(isolate(4096, 4100), YARD_EBUSY);
	assert_int_equal(zone_state(NORMAL).nr_isolate_pageblock, 0);
	assert_verified();
}

// M9 against I2: while mobility grouping is off, C11 and merging put blocks on M lists whose pageblocks cannot be typed
// M any more. The state must stay one that yard_verify() accepts.
static void M9_free_blocks_without_mobility(void **state)
{
	(void)state;
	build_normal(plain_config(), 2048);
	assert_true(yard->mobility_disabled);
	direct(true);
	assert_pfn(yard_alloc(yard, GFP_U, 10), 0); // claims 0..1023: U
	assert_int_equal(yard_split(yard, base, 10), YARD_OK);
	for (uint32_t i = 0; i < 256; i++)
		free_at(i, 0);
	for (uint32_t i = 320; i < 336; i++)
		free_at(i, 0);
	assert_verified();
	set_wmarks(normal(), 0, 0, 0);
	assert_int_equal(yard_isolate_free_page(yard, base), 8); // C11 retypes to M, M9 stores U
	assert_verified();
}

static void M9_merging_without_mobility(void **state)
{
	(void)state;
	build_normal(plain_config(), 2048);
	direct(true);
	set_wmarks(normal(), 0, 0, 0);
	assert_pfn(yard_alloc(yard, GFP_U, 10), 0);
	assert_int_equal(yard_restore_pageblock(yard, base, M), YARD_OK); // as an earlier boot or claim left it
	assert_int_equal(yard_split(yard, base, 10), YARD_OK);
	assert_int_equal(yard_free_range(yard, base + 512, 512), YARD_OK); // U
	assert_int_equal(yard_free_range(yard, base, 512), YARD_OK); // M merges with U: M wins (B2.2d), M9 stores U
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C7_toggle_moves_the_free_blocks),
		cmocka_unit_test(D16_without_the_isolate_bit),
		cmocka_unit_test(C7_half_of_a_large_free_block),
		cmocka_unit_test(C8_half_of_an_isolated_block),
		cmocka_unit_test(C6_unmovable_frames),
		cmocka_unit_test(C6_in_zone_movable),
		cmocka_unit_test(C9_failure_undoes_all),
		cmocka_unit_test(C9_compound_across_the_edge),
		cmocka_unit_test(C10_alloc_range),
		cmocka_unit_test(C10_drains_and_undoes),
		cmocka_unit_test(C10_cma_range),
		cmocka_unit_test(C12_search),
		cmocka_unit_test(C11_watermark),
		cmocka_unit_test(C11_no_watermark_on_isolated_blocks),
		cmocka_unit_test(C11_large_blocks_become_movable),
		cmocka_unit_test(C11_moves_also_within_movable),
		cmocka_unit_test(C11_special_blocks_keep_their_types),
		cmocka_unit_test(T7_isolated_blocks),
		cmocka_unit_test(I12_nothing_from_isolated_blocks),
		cmocka_unit_test(C7_block_at_the_zone_border),
		cmocka_unit_test(M9_free_blocks_without_mobility),
		cmocka_unit_test(M9_merging_without_mobility),
	};

	return cmocka_run_group_tests_name("isolate", tests, NULL, demolish);
}
