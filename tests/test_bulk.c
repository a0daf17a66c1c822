// SPDX-License-Identifier: Apache-2.0
//
// Arrays of order-0 pages (spec 01 section 10.1).

#include "engine_fixture.h"

static uint32_t pfns[64];

static void clear_slots(void)
{
	for (size_t i = 0; i < COUNT(pfns); i++)
		pfns[i] = NONE;
}

static void small_sets(struct yard_config config)
{
	build_normal(config, 8192);
	set_pcps(normal(), 4, 100, 100);
	clear_slots();
}

// C3: the pages come through the set, refilled as often as needed, without mm_page_alloc; counters count them.
static void C3_pages_from_the_set(void **state)
{
	(void)state;
	small_sets(plain_config());
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 10, pfns), 10);
	for (uint32_t i = 0; i < 10; i++)
		assert_pfn(pfns[i], i);
	assert_int_equal(pfns[10], NONE);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 0);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED), 4 + 8); // P7: 4, then 8
	assert_int_equal(zone_state(NORMAL).pgalloc, 10);
	assert_int_equal(zone_state(NORMAL).numa[YARD_NUMA_HIT], 10);
	assert_int_equal(zone_state(NORMAL).numa[YARD_NUMA_LOCAL], 10);
	assert_verified();
}

// C1: only empty slots are filled; the result counts what is filled from the front on.
static void C1_only_empty_slots(void **state)
{
	(void)state;
	small_sets(plain_config());
	pfns[1] = 12345;
	pfns[3] = 67890;
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 5, pfns), 5);
	assert_pfn(pfns[0], 0);
	assert_int_equal(pfns[1], 12345);
	assert_pfn(pfns[2], 1);
	assert_int_equal(pfns[3], 67890);
	assert_pfn(pfns[4], 2);
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 5, pfns), 5); // nothing to do
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 0, pfns), 0);
	assert_int_equal(zone_state(NORMAL).pgalloc, 3);
}

// C1, C4: a single missing page, and accounted requests, take the full allocator: one page, with its event.
static void C4_single_page(void **state)
{
	(void)state;
	small_sets(plain_config());
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 1, pfns), 1);
	assert_events(KIND(PAGE_ALLOC), "alloc(0,0,M)");
	clear_slots();
	assert_int_equal(yard_alloc_bulk(yard, YARD_GFP_KERNEL_ACCOUNT, 5, pfns), 1);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 1);
	assert_int_equal(pfns[1], NONE);
}

// C3, C4: a busy set sends the request to the full allocator.
static void C4_busy_set(void **state)
{
	(void)state;
	small_sets(plain_config());
	direct(true);
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 5, pfns), 1);
	assert_events(KIND(PAGE_ALLOC), "alloc(0,0,M)");
}

// C3: free_count is not halved.
static void C3_free_count_stays(void **state)
{
	(void)state;
	small_sets(plain_config());
	normal()->pcp[0].free_count = 40;
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 8, pfns), 8);
	assert_int_equal(pcp_state(NORMAL, 0).free_count, 40);
	yard_alloc(yard, GFP_M, 0);
	assert_int_equal(pcp_state(NORMAL, 0).free_count, 20);
}

// C2: the low mark plus all missing pages has to be passed; otherwise a single page is tried.
static void C2_watermark(void **state)
{
	(void)state;
	small_sets(plain_config());
	set_wmarks(normal(), 10, 8192 - 10 - 1, 1000000);
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 10, pfns), 10); // 8192 > 8181 + 10
	small_sets(plain_config());
	set_wmarks(normal(), 10, 8192 - 10, 1000000);
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 10, pfns), 1); // 8192 = 8182 + 10
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 1);
}

// C1: no NOFRAGMENT, also under defrag_mode: bulk may claim and steal below whole blocks (02 section 2.6).
static void C1_bulk_falls_back(void **state)
{
	struct yard_config config = plain_config();

	(void)state;
	config.policy.defrag_mode = 1;
	blank_config(config, 4096);
	give_free(256, 6);
	give_used(0, 256, true);
	give_used(320, 512, true);
	ready();
	set_pcps(normal(), 4, 100, 100);
	clear_slots();
	assert_int_equal(yard_alloc_bulk(yard, GFP_U, 2, pfns), 2);
	assert_pfn(pfns[0], 256);
	assert_events(REMOVALS, "extfrag(256,0,6,U,M,0) extfrag(257,0,0,U,M,0) extfrag(258,0,1,U,M,0) extfrag(259,0,0,U,M,0)");
	assert_verified();
}

// C3: when the zone runs dry after the first page, what was got is returned, without the full allocator.
static void C3_runs_dry(void **state)
{
	(void)state;
	blank(4096);
	give_free(256, 2);
	ready();
	set_wmarks(normal(), 0, 0, 0);
	normal()->stat[YARD_NR_FREE_PAGES] += 1000; // for the watermark
	set_pcps(normal(), 4, 100, 100);
	clear_slots();
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 10, pfns), 4);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 0);
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 10, pfns), 4);
	assert_events(KIND(PAGE_ALLOC), "alloc(-,0,M)"); // the first page failed: C4
}

// C2: with several nodes the walk does not leave the preferred zone's node.
static void C2_stays_on_the_node(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 8192, 0 }, { BASE + 8192, BASE + 16384, 1 } };
	struct yard_config config = plain_config();

	(void)state;
	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	clear_slots();
	set_wmarks(normal(), 1000000, 1000000, 1000000);
	assert_int_equal(yard_alloc_bulk(yard, GFP_M, 10, pfns), 1);
	assert_pfn(pfns[0], 8192);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 1);
}

// C3, page by page: the same frames, counters and events, and free_count stays; C4 when the set is busy.
static void C3_one_page_of_a_bulk(void **state)
{
	const struct yard_request request = { .gfp = GFP_M, .node = -1, .bulk = true };
	struct yard_result result;

	(void)state;
	small_sets(plain_config());
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_OK);
		assert_pfn(result.pfn, i);
	}
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 0);
	assert_int_equal(zone_state(NORMAL).pgalloc, 5);
	yard_sim_set_pcp_busy(yard, true);
	assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_OK);
	assert_int_equal(result.path, YARD_PATH_DIRECT);
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC), 1);
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C3_pages_from_the_set),
		cmocka_unit_test(C1_only_empty_slots),
		cmocka_unit_test(C4_single_page),
		cmocka_unit_test(C4_busy_set),
		cmocka_unit_test(C3_free_count_stays),
		cmocka_unit_test(C2_watermark),
		cmocka_unit_test(C1_bulk_falls_back),
		cmocka_unit_test(C3_runs_dry),
		cmocka_unit_test(C2_stays_on_the_node),
		cmocka_unit_test(C3_one_page_of_a_bulk),
	};

	return cmocka_run_group_tests_name("bulk", tests, NULL, demolish);
}
