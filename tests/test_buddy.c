// SPDX-License-Identifier: Apache-2.0
//
// Freeing into the buddy lists and taking from them: merging, placement, splitting (spec 01 sections 5 and 6.2, vectors
// E3, E4, E8). All frees and removals are direct: the per-CPU sets are busy.

#include "engine_fixture.h"

// A zone of 8192 frames of which 0..1023 are free and movable.
static void fresh_1024(void)
{
	blank(8192);
	give_free(0, 10);
	give_used(1024, 8192, false);
	ready();
	direct(true);
}

static void take_eight(void)
{
	for (uint32_t i = 0; i < 8; i++)
		assert_pfn(yard_alloc(yard, GFP_M, 0), i); // R5: ascending
}

// R5: the upper halves of a split go to their lists; the lowest piece is given, so small removals ascend.
static void R5_split_gives_the_lowest_piece(void **state)
{
	(void)state;
	fresh_1024();
	assert_pfn(yard_alloc(yard, GFP_M, 0), 0);
	assert_lists(NORMAL, M, "0:[1] 1:[2] 2:[4] 3:[8] 4:[16] 5:[32] 6:[64] 7:[128] 8:[256] 9:[512]");
	assert_events(REMOVALS, "locked(0,0,M,1)");
	assert_pfn(yard_alloc(yard, GFP_M, 5), 32);
	assert_events(REMOVALS, "locked(32,5,M,0)"); // R4: refill is 0, order 5 is not for the sets
	assert_pfn(yard_alloc(yard, GFP_M, 0), 1);
	assert_pfn(yard_alloc(yard, GFP_M, 0), 2);
	assert_lists(NORMAL, M, "0:[3] 2:[4] 3:[8] 4:[16] 6:[64] 7:[128] 8:[256] 9:[512]");
	assert_verified();
}

// R4: the smallest order that fits serves the request, from the head of its list.
static void R4_smallest_fit_from_the_head(void **state)
{
	(void)state;
	blank(4096);
	give_free(1024, 4);
	give_free(512, 3);
	give_free(64, 3);
	give_used(0, 64, false);
	ready();
	direct(true);
	assert_pfn(yard_alloc(yard, GFP_M, 2), 512);
	assert_lists(NORMAL, M, "2:[516] 3:[64] 4:[1024]");
	assert_pfn(yard_alloc(yard, GFP_M, 4), 1024);
	assert_pfn(yard_alloc(yard, GFP_M, 3), 64);
	assert_verified();
}

// E3: each of six frees lands, merges and lists as worked out.
static void E3_placement_on_free(void **state)
{
	static const struct {
		uint32_t frame;
		const char *lists;
	} steps[] = {
		{ 3, "0:[3]" }, { 1, "0:[1,3]" }, { 0, "0:[3] 1:[0]" },
		{ 6, "0:[6,3] 1:[0]" }, { 7, "0:[3] 1:[6,0]" }, { 2, "1:[6] 2:[0]" },
	};

	(void)state;
	fresh_1024();
	take_eight();
	for (size_t i = 0; i < COUNT(steps); i++) {
		free_at(steps[i].frame, 0);
		assert_lists_to(NORMAL, 2, M, steps[i].lists);
		assert_verified();
	}
}

// E4: a frame whose merge is likely goes to the tail.
static void E4_tail_rule(void **state)
{
	static const struct {
		uint32_t frame;
		const char *lists;
	} steps[] = { { 4, "0:[4]" }, { 5, "1:[4]" }, { 1, "0:[1] 1:[4]" }, { 7, "0:[1,7] 1:[4]" } };

	(void)state;
	fresh_1024();
	take_eight();
	for (size_t i = 0; i < COUNT(steps); i++) {
		free_at(steps[i].frame, 0);
		assert_lists_to(NORMAL, 2, M, steps[i].lists);
	}
	assert_verified();
}

// B3: order 8 is the last order that a likely merge sends to the tail.
static void B3_order_8_to_the_tail_when_merge_is_likely(void **state)
{
	(void)state;
	blank(4096);
	give_free(512, 9);
	give_free(1280, 8);
	give_block(0, 8);
	ready();
	direct(true);
	free_at(0, 8);
	assert_lists(NORMAL, M, "8:[1280,0] 9:[512]");
	assert_verified();
}

// B3: orders 9 and 10 always go to the head, also beside a free block of the next order.
static void B3_order_9_to_the_head(void **state)
{
	(void)state;
	blank(4096);
	give_free(0, 10);
	give_free(2560, 9);
	give_block(1536, 9);
	ready();
	direct(true);
	free_at(1536, 9);
	assert_lists(NORMAL, M, "9:[1536,2560] 10:[0]");
	assert_verified();
}

// B3: the test for a likely merge does not look at pageblock types.
static void B3_ignores_types(void **state)
{
	(void)state;
	blank(4096);
	give_type(0, U);
	give_type(1024, U);
	give_free(512, 9); // M
	give_free(1280, 8);
	give_block(0, 8);
	ready();
	direct(true);
	free_at(0, 8);
	assert_lists(NORMAL, U, "8:[1280,0]");
	assert_verified();
}

// B3: what is tested is the block after all merging. Frames 2 and 3 become 2..3, whose pair 0..1 is in use; 4..7 is
// free as order 2, so the merged order-1 block goes to the tail.
static void B3_uses_the_state_after_merging(void **state)
{
	(void)state;
	blank(4096);
	give_free(4, 2);
	give_free(3, 0);
	give_free(24, 1);
	give_used(0, 3, false);
	ready();
	direct(true);
	free_at(2, 0);
	assert_lists(NORMAL, M, "1:[24,2] 2:[4]");
	assert_verified();
}

// B2.2c: at whole-block orders H, C and I merge only with their own type.
static void B2_special_types_merge_only_with_themselves(void **state)
{
	static const unsigned types[] = { YARD_HIGHATOMIC, YARD_CMA };

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		blank(4096);
		give_type(0, types[i]);
		give_free(0, 9);
		give_block(512, 9);
		give_type(2048, types[i]);
		give_type(2560, types[i]);
		give_free(2048, 9);
		give_block(2560, 9);
		ready();
		direct(true);
		free_at(512, 9);
		assert_lists(NORMAL, M, "9:[512]");
		assert_lists_to(NORMAL, 9, types[i], "9:[0,2048]");
		free_at(2560, 9);
		assert_lists(NORMAL, types[i], "9:[0] 10:[2048]");
		assert_verified();
	}
}

// B2.2d: U, M and R merge with each other; the type of the frames being freed wins.
static void B2_the_freed_type_wins(void **state)
{
	(void)state;
	blank(4096);
	give_free(0, 9); // M
	give_type(512, U);
	give_block(512, 9);
	give_type(2048, R);
	give_free(2048, 9);
	give_block(2560, 9); // M
	ready();
	direct(true);
	free_at(512, 9);
	assert_lists(NORMAL, U, "10:[0]");
	assert_int_equal(type_at(0), U);
	free_at(2560, 9);
	assert_lists(NORMAL, M, "10:[2048]");
	assert_int_equal(type_at(2048), M);
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], 2048); // W14
	assert_verified();
}

// B2: below pageblock_order no type is looked at, and nothing merges past MAX_PAGE_ORDER.
static void B2_order_10_is_the_end(void **state)
{
	(void)state;
	blank(4096);
	give_free(1024, 10);
	give_block(0, 10);
	ready();
	direct(true);
	free_at(0, 10);
	assert_lists(NORMAL, M, "10:[0,1024]");
	assert_verified();
}

// E8: an order-10 block of two types comes back as two blocks, whose merge retypes the first.
static void E8_order_10_free_across_mixed_types(void **state)
{
	(void)state;
	blank(4096);
	give_type(0, U);
	give_block(0, 10);
	ready();
	direct(true);
	free_at(0, 10);
	assert_events(KMEM, "free(0,10)");
	assert_lists(NORMAL, M, "10:[0]");
	assert_lists(NORMAL, U, "");
	assert_int_equal(type_at(0), M);
	assert_int_equal(type_at(512), M);
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS], 1024);
	assert_verified();
}

// B5: pieces that may not merge stay apart, each on its own block's list.
static void B5_pieces_keep_their_types(void **state)
{
	(void)state;
	blank(4096);
	give_type(512, C);
	give_block(0, 10);
	ready();
	direct(true);
	free_at(0, 10);
	assert_lists(NORMAL, M, "9:[0]");
	assert_lists(NORMAL, C, "9:[512]");
	assert_int_equal(zone_state(NORMAL).stat[YARD_NR_FREE_CMA_PAGES], 512);
	assert_verified();
}

// B6, V6: nr_free counts the blocks of all types.
static void B6_nr_free_counts_all_types(void **state)
{
	(void)state;
	blank(8192);
	give_type(512, U);
	give_type(1024, R);
	give_type(1536, C);
	give_type(2048, H);
	for (uint32_t offset = 0; offset <= 2048; offset += 512)
		give_free(offset, 3);
	give_free(3072, 3);
	ready();
	assert_int_equal(yard_isolate_range(yard, base + 3072, base + 3584, YARD_ISOLATE_OTHER), YARD_EBUSY); // reserved
	assert_int_equal(zone_state(NORMAL).nr_free[3], 6);
}

// B9: a capture record takes a block of its own order in the middle of merging, silently when the types agree.
static void B9_capture_takes_the_merged_block(void **state)
{
	(void)state;
	blank(4096);
	give_free(1, 0);
	give_free(2, 1);
	give_free(4, 2);
	give_used(0, 1, false);
	ready();
	direct(true);
	begin_capture(NORMAL, 2, M, 2);
	free_at(0, 0);
	assert_events(KMEM, "free(0,0)");
	assert_pfn(end_capture(), 0);
	assert_lists(NORMAL, M, "2:[4]");
	assert_int_equal(nr_free_pages(NORMAL), 4);
	assert_int_equal(zone_state(NORMAL).pgalloc, 0); // T7d
	free_at(0, 2);
	assert_lists(NORMAL, M, "3:[0]");
	assert_verified();
}

// D5: with capture_match=compaction-order a block must have the order that compaction works for, not the request's.
static void D5_capture_by_the_compaction_order(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.policy.capture_match = YARD_CAPTURE_COMPACTION_ORDER;
	build_normal(config, 4096);
	direct(true);
	assert_pfn(yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE, 3), 0);
	begin_capture(NORMAL, 3, M, 9);
	free_at(0, 3);
	assert_pfn(end_capture(), 0);
	assert_int_equal(yard_free(yard, base, 3), YARD_ENOTOWNED); // the captured block has order 9
	free_at(0, 9);
	assert_verified();
}

// B9, R14: a capture of another type emits extfrag without a change of ownership and leaves the pageblock's type.
static void B9_capture_of_another_type(void **state)
{
	(void)state;
	blank(4096);
	give_type(0, R);
	give_block(0, 3);
	ready();
	direct(true);
	begin_capture(NORMAL, 3, U, 3);
	free_at(0, 3);
	assert_events(KMEM, "free(0,3) extfrag(0,3,3,U,R,0)");
	assert_pfn(end_capture(), 0);
	assert_int_equal(type_at(0), R);
	assert_verified();
}

// B9: refused are C and I blocks, M blocks below a whole block for another type, other zones and orders, MAX_PAGE_ORDER.
static void B9_captures_refused(void **state)
{
	(void)state;
	blank(8192);
	give_block(0, 3); // M
	give_type(512, C);
	give_block(512, 3);
	give_block(1024, 10);
	give_block(2048, 9);
	ready();
	direct(true);
	begin_capture(NORMAL, 3, U, 3);
	free_at(0, 3);
	free_at(512, 3);
	assert_int_equal(end_capture(), NONE);
	begin_capture(NORMAL, 10, M, 10);
	free_at(1024, 10);
	assert_int_equal(end_capture(), NONE);
	begin_capture(YARD_ZONE_DMA, 9, M, 9);
	free_at(2048, 9);
	assert_int_equal(end_capture(), NONE);
	assert_lists(NORMAL, M, "3:[0] 9:[2048] 10:[1024]");
	assert_lists(NORMAL, C, "3:[512]");
	assert_verified();
}

// B9: a whole M block may be captured for a U request.
static void B9_whole_movable_block_for_another_type(void **state)
{
	(void)state;
	blank(4096);
	give_block(512, 9);
	ready();
	direct(true);
	begin_capture(NORMAL, 9, U, 9);
	free_at(512, 9);
	assert_events(KMEM, "free(512,9) extfrag(512,9,9,U,M,0)");
	assert_pfn(end_capture(), 512);
	assert_verified();
}

// B10, B11: a direct free shows one mm_page_free and counts PGFREE.
static void B11_direct_free_counts(void **state)
{
	(void)state;
	blank(4096);
	give_block(0, 4);
	ready();
	free_at(0, 4); // B12: order 4 is not for the sets
	assert_events(KMEM, "free(0,4)");
	assert_int_equal(zone_state(NORMAL).pgfree, 16);
	assert_lists(NORMAL, M, "4:[0]");
}

// B12: frames of H and C blocks go on the M list, those of I blocks straight to the buddy lists, others on their own.
static void B12_list_type_follows_the_block(void **state)
{
	(void)state;
	blank(8192);
	set_pcps(normal(), 63, 1000, 2000);
	give_type(512, U);
	give_type(1024, R);
	give_type(1536, C);
	give_type(2048, H);
	give_type(2560, M | PB_ISOLATE);
	for (uint32_t offset = 0; offset <= 2560; offset += 512)
		give_used(offset, offset + 1, false);
	normal()->nr_isolate_pageblock = 1;
	yard_restore_finish(yard);
	for (uint32_t offset = 0; offset <= 2560; offset += 512)
		free_at(offset, 0);
	assert_pcp(NORMAL, 0, U, "[512]");
	assert_pcp(NORMAL, 0, M, "[2048,1536,0]");
	assert_pcp(NORMAL, 0, R, "[1024]");
	assert_lists(NORMAL, I, "0:[2560]");
	assert_events(KIND(FREE_DIRECT), "direct(2560,0)");
}

// B14: a NOLOCK free that finds both locks held leaves the block on the stack; the next direct free drains it, newest
// first, and counts PGFREE then.
static void B14_deferred_stack(void **state)
{
	(void)state;
	fresh_1024();
	take_eight();
	yard_sim_set_zone_busy(yard, true);
	assert_int_equal(yard_free_nolock(yard, base + 2, 0), YARD_OK);
	assert_int_equal(yard_free_nolock(yard, base + 4, 0), YARD_OK);
	assert_events(KIND(PAGE_FREE), "free(2,0) free(4,0)");
	assert_int_equal(yard_frame_state(yard, base + 2, NULL, NULL), YARD_FRAME_DEFERRED);
	assert_lists_to(NORMAL, 2, M, "");
	assert_int_equal(yard_free(yard, base + 2, 0), YARD_EDOUBLEFREE);
	assert_int_equal(zone_state(NORMAL).pgfree, 0);
	assert_verified();
	yard_sim_set_zone_busy(yard, false);
	free_at(0, 0);
	assert_lists_to(NORMAL, 2, M, "0:[0,2,4]"); // 4, then 2, then 0, each to the head
	assert_int_equal(zone_state(NORMAL).pgfree, 3);
	assert_verified();
}

// B14: with the zone's lock free, a NOLOCK free is a direct free.
static void B14_nolock_free_with_the_zone_lock(void **state)
{
	(void)state;
	fresh_1024();
	take_eight();
	assert_int_equal(yard_free_nolock(yard, base + 2, 0), YARD_OK);
	assert_lists_to(NORMAL, 2, M, "0:[2]");
	assert_verified();
}

// B15: the pieces go from the largest down, each through the ordinary path; the first frame stays.
static void B15_free_tail_in_pieces(void **state)
{
	(void)state;
	fresh_1024();
	assert_pfn(yard_alloc(yard, GFP_M, 3), 0);
	assert_int_equal(yard_free_tail(yard, base, 3), YARD_OK);
	assert_lists_to(NORMAL, 3, M, "0:[1] 1:[2] 2:[4] 3:[8]");
	assert_int_equal(yard_frame_state(yard, base, NULL, NULL), YARD_FRAME_ALLOCATED);
	free_at(0, 0);
	assert_lists(NORMAL, M, "10:[0]");
	assert_verified();
}

// B15 with B10: each piece is freed on its own, with its own mm_page_free; the block that stays has none.
static void B15_each_piece_has_its_event(void **state)
{
	(void)state;
	fresh_1024();
	assert_pfn(yard_alloc(yard, GFP_M, 3), 0);
	forget_events();
	assert_int_equal(yard_free_tail(yard, base, 3), YARD_OK);
	assert_events(KMEM, "free(4,2) free(2,1) free(1,0)");
}

// B16: one event a frame; then greedy chunks. 5..31: 5, 6..7, 8..15, 16..31.
static void B16_free_range_in_chunks(void **state)
{
	(void)state;
	blank(8192);
	set_pcps(normal(), 63, 4000, 8000);
	give_used(5, 32, true);
	ready();
	assert_int_equal(yard_free_range(yard, base + 5, 27), YARD_OK);
	assert_int_equal(count_events(YARD_EVENT_PAGE_FREE), 27);
	assert_events(KIND(PUT) | KIND(FREE_DIRECT), "put(5,0) put(6,1) put(8,3) direct(16,4)");
	assert_pcp(NORMAL, 0, 1, "[5]");
	assert_pcp(NORMAL, 0, 3 + 1, "[6]");
	assert_pcp(NORMAL, 0, 9 + 1, "[8]");
	assert_lists(NORMAL, M, "4:[16]");
	assert_int_equal(zone_state(NORMAL).pgfree, 27);
	assert_verified();
}

// B16: chunks are limited by what remains, and may be as large as the largest block.
static void B16_large_chunks(void **state)
{
	(void)state;
	blank(8192);
	set_pcps(normal(), 63, 4000, 8000);
	give_used(512, 2048 + 7, false);
	ready();
	assert_int_equal(yard_free_range(yard, base + 512, 1536 + 7), YARD_OK);
	assert_events(KIND(PUT) | KIND(FREE_DIRECT), "put(512,9) direct(1024,10) put(2048,2) put(2052,1) put(2054,0)");
	assert_pcp(NORMAL, 0, 13, "[512]"); // P1
	assert_verified();
}

// B16: a run is cut at 128 MiB sections. Frames 32760..32775 are an unaligned run of 16 around the border 32768.
static void B16_cut_at_sections(void **state)
{
	(void)state;
	blank(36864);
	give_used(32512, 33024, false);
	ready();
	direct(true);
	assert_int_equal(yard_free_range(yard, base + 32512, 512), YARD_OK);
	assert_events(KIND(FREE_DIRECT), "direct(32512,8) direct(32768,8)");
	assert_verified();
}

// B16, B1: nor does a chunk cross from one zone to the next. Frames 992..1007, node 1 begins at 1000.
static void B16_cut_at_zones(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 1000, 0 }, { BASE + 1000, BASE + 8192, 1 } };
	struct yard_config config = plain_config();

	(void)state;
	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = COUNT(memory);
	config.restore = true;
	build(&config);
	assert_int_equal(yard_restore_allocated(yard, base + 992, 16, false), YARD_OK);
	assert_int_equal(yard_restore_finish(yard), YARD_OK);
	direct(true);
	assert_int_equal(yard_free_range(yard, base + 992, 16), YARD_OK);
	assert_events(KIND(FREE_DIRECT), "direct(992,3) direct(1000,3)");
	assert_lists(NORMAL, M, "3:[992]");
	assert_lists(YARD_ZONE_TYPES + NORMAL, M, "3:[1000]");
	assert_verified();
}

// D9: older kernels free a range frame by frame.
static void D9_free_range_frame_by_frame(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.policy.range_free_chunks = 0;
	blank_config(config, 4096);
	set_pcps(normal(), 63, 4000, 8000);
	give_used(4, 8, false);
	ready();
	assert_int_equal(yard_free_range(yard, base + 4, 4), YARD_OK);
	assert_pcp(NORMAL, 0, 1, "[7,6,5,4]");
	assert_verified();
}

// B17: the surplus of an exact allocation is freed frame by frame, to the tails, past the per-CPU sets.
static void B17_exact_allocation(void **state)
{
	(void)state;
	fresh_1024();
	direct(false);
	set_pcps(normal(), 63, 4000, 8000);
	assert_pfn(yard_alloc_exact(yard, GFP_M, 21), 0); // order 5
	assert_lists_to(NORMAL, 5, M, "0:[21] 1:[22] 3:[24] 5:[32]");
	assert_int_equal(pcp_state(NORMAL, 0).count, 0);
	for (uint32_t i = 0; i < 21; i++)
		assert_int_equal(yard_frame_state(yard, base + i, NULL, NULL), YARD_FRAME_ALLOCATED);
	assert_verified();
	assert_int_equal(yard_free_range(yard, base, 21), YARD_OK);
	assert_verified();
}

// B17 with B10 and T6: direct frees show mm_page_free.
static void B17_surplus_frames_have_events(void **state)
{
	(void)state;
	fresh_1024();
	assert_pfn(yard_alloc_exact(yard, GFP_M, 5), 0);
	assert_events(KIND(PAGE_FREE), "free(5,0) free(6,0) free(7,0)");
}

// B17: exact powers of two have no surplus.
static void B17_exact_power_of_two(void **state)
{
	(void)state;
	fresh_1024();
	assert_pfn(yard_alloc_exact(yard, GFP_M, 1), 0);
	assert_pfn(yard_alloc_exact(yard, GFP_M, 16), 16);
	free_at(16 + 15, 0);
	assert_lists_to(NORMAL, 4, M, "0:[31,1] 1:[2] 2:[4] 3:[8]");
	assert_int_equal(yard_alloc_exact(yard, GFP_M, 0), NONE);
	assert_int_equal(yard_alloc_exact(yard, GFP_M, 1025), NONE);
	assert_verified();
}

// B18: a block put back goes to the tail.
static void B18_put_back_to_the_tail(void **state)
{
	(void)state;
	blank(8192);
	give_free(0, 3);
	give_free(512, 3);
	give_free(1024, 10);
	ready();
	assert_int_equal(yard_isolate_free_page(yard, base), 3);
	assert_lists_to(NORMAL, 3, M, "3:[512]");
	assert_int_equal(yard_putback_free_page(yard, base, 3), YARD_OK);
	assert_lists_to(NORMAL, 3, M, "3:[512,0]");
	assert_events(KMEM, ""); // T7a
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R5_split_gives_the_lowest_piece),
		cmocka_unit_test(R4_smallest_fit_from_the_head),
		cmocka_unit_test(E3_placement_on_free),
		cmocka_unit_test(E4_tail_rule),
		cmocka_unit_test(B3_order_8_to_the_tail_when_merge_is_likely),
		cmocka_unit_test(B3_order_9_to_the_head),
		cmocka_unit_test(B3_ignores_types),
		cmocka_unit_test(B3_uses_the_state_after_merging),
		cmocka_unit_test(B2_special_types_merge_only_with_themselves),
		cmocka_unit_test(B2_the_freed_type_wins),
		cmocka_unit_test(B2_order_10_is_the_end),
		cmocka_unit_test(E8_order_10_free_across_mixed_types),
		cmocka_unit_test(B5_pieces_keep_their_types),
		cmocka_unit_test(B6_nr_free_counts_all_types),
		cmocka_unit_test(B9_capture_takes_the_merged_block),
		cmocka_unit_test(B9_capture_of_another_type),
		cmocka_unit_test(D5_capture_by_the_compaction_order),
		cmocka_unit_test(B9_captures_refused),
		cmocka_unit_test(B9_whole_movable_block_for_another_type),
		cmocka_unit_test(B11_direct_free_counts),
		cmocka_unit_test(B12_list_type_follows_the_block),
		cmocka_unit_test(B14_deferred_stack),
		cmocka_unit_test(B14_nolock_free_with_the_zone_lock),
		cmocka_unit_test(B15_free_tail_in_pieces),
		cmocka_unit_test(B15_each_piece_has_its_event),
		cmocka_unit_test(B16_free_range_in_chunks),
		cmocka_unit_test(B16_large_chunks),
		cmocka_unit_test(B16_cut_at_sections),
		cmocka_unit_test(B16_cut_at_zones),
		cmocka_unit_test(D9_free_range_frame_by_frame),
		cmocka_unit_test(B17_exact_allocation),
		cmocka_unit_test(B17_surplus_frames_have_events),
		cmocka_unit_test(B17_exact_power_of_two),
		cmocka_unit_test(B18_put_back_to_the_tail),
	};

	return cmocka_run_group_tests_name("buddy", tests, NULL, demolish);
}
