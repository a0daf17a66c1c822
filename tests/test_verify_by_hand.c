// SPDX-License-Identifier: Apache-2.0
//
// The verdict over requests, frees and isolated blocks of small machines: each case is one decision.

#include "verify_machine_fixture.h"

// The set has a page: only its head is right, and after a difference the rest is judged from the kernel's state.
static void by_hand_hit(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_pcp_list(&m, 0, 4100);
	on_pcp_list(&m, 0, 4101);
	on_pcp_list(&m, 0, 4102);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "take pfn=4101");
	event(&m, "mm_page_alloc pfn=4101 order=0 " GFP_KERNEL " migratetype=0");
	event(&m, "take pfn=4100");
	event(&m, "mm_page_alloc pfn=4100 order=0 " GFP_KERNEL " migratetype=0");
	event(&m, "take pfn=4102");
	event(&m, "mm_page_alloc pfn=4102 order=0 " GFP_KERNEL " migratetype=0");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = machine_verdict(&m, level);

		expect(&result, VERIFY_FRAMES, 2, 3);
		assert_int_equal(result.all_differences, 1);
	}
	machine_end(&m);
}

// Bulk: pages taken one after the other, nobody told for what.
static void by_hand_bulk(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_pcp_list(&m, 0, 4100);
	on_pcp_list(&m, 0, 4101);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "take pfn=4100");
	event(&m, "take pfn=4101");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FRAMES, 2, 2);
	assert_int_equal(result.silent[VERIFY_SILENT_BULK], 2);
	machine_end(&m);
}

// The set's lock is held: the page comes from the buddy lists although the set has one, and goes back there.
static void by_hand_busy(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_pcp_list(&m, 0, 4100);
	on_free_list(&m, 0, 0, 4104);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "mm_page_alloc_zone_locked pfn=4104 order=0 migratetype=0 percpu_refill=1");
	event(&m, "mm_page_alloc pfn=4104 order=0 " GFP_KERNEL " migratetype=0");
	event(&m, "mm_page_free pfn=4104 order=0");
	event(&m, "free_direct pfn=4104 order=0 fpi=0x0");
	event(&m, "take pfn=4100"); // the set did not change
	event(&m, "mm_page_alloc pfn=4100 order=0 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FRAMES, 2, 2);
	assert_int_equal(result.silent[VERIFY_SILENT_BUSY], 2);
	assert_int_equal(result.all_differences, 0);
	result = machine_verdict(&m, VERIFY_STEP);
	expect(&result, VERIFY_FRAMES, 2, 2);
	machine_end(&m);
}

// Through the buddy lists too only the rule's frame is right.
static void by_hand_busy_wrong(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 0, 0, 4104);
	on_free_list(&m, 0, 0, 4106);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "mm_page_alloc_zone_locked pfn=4106 order=0 migratetype=0 percpu_refill=1");
	event(&m, "mm_page_alloc pfn=4106 order=0 " GFP_KERNEL " migratetype=0");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = machine_verdict(&m, level);

		expect(&result, VERIFY_FRAMES, 0, 1);
		expect(&result, VERIFY_REFILLS, 0, 1);
	}
	machine_end(&m);
}

// A free without put or free_direct went to the buddy lists, unless the frame comes from the set later.
static void by_hand_lost_put(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_pcp_list(&m, 0, 4100);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "mm_page_free pfn=4300 order=0");
	event(&m, "take pfn=4300");
	event(&m, "mm_page_alloc pfn=4300 order=0 " GFP_KERNEL " migratetype=0");
	event(&m, "take pfn=4100");
	event(&m, "mm_page_alloc pfn=4100 order=0 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FRAMES, 2, 2);
	assert_int_equal(result.silent[VERIFY_SILENT_LOST_PUT], 1);
	result = machine_verdict(&m, VERIFY_STEP);
	expect(&result, VERIFY_FRAMES, 2, 2);
	machine_end(&m);
}

static void by_hand_failed(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 2, 0, 4160); // 4 pages, the mark is 10
	machine_start(&m);
	event(&m, "mm_page_alloc pfn=-1 order=1 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FAILURES, 1, 1);
	machine_end(&m);

	machine_begin(&m);
	on_free_list(&m, 7, 0, 4224); // enough: the kernel's failure is not the engine's
	machine_start(&m);
	event(&m, "mm_page_alloc pfn=-1 order=1 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FAILURES, 0, 1);
	assert_true(result.all_differences > 0);
	machine_end(&m);
}

// --explain tells how the slow path went (spec 02 section 2.2): once round, then it gives up.
static void by_hand_explained(void **state)
{
	struct verify_options options = {.record = folder, .level = VERIFY_REQUEST, .explain = 1};
	struct verify_result result;
	struct trace_error error;
	struct machine m;
	char *text = NULL;
	size_t size;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 2, 0, 4160);
	machine_start(&m);
	event(&m, "mm_page_alloc pfn=-1 order=1 gfp_flags=0x10cc0 migratetype=0"); // GFP_KERNEL | __GFP_NORETRY
	machine_verdict(&m, VERIFY_REQUEST);
	options.explain_to = open_memstream(&text, &size);
	assert_int_equal(verify_record(&options, &result, &error), 0);
	fclose(options.explain_to);
	verify_release(&result);
	assert_non_null(strstr(text, "\n  pass 1 of the slow path: reclaim and compaction for order 1 (SP-45)\n"));
	assert_non_null(strstr(text, "\n  pass 1 of the slow path goes from LOOPGATE to NOPAGE (spec 02 2.2)\n"));
	free(text);
	machine_end(&m);
}

static void by_hand_split(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_pcp_list(&m, 6, 4100); // order 2, unmovable
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "take pfn=4100");
	event(&m, "mm_page_alloc pfn=4100 order=2 " GFP_KERNEL " migratetype=0");
	event(&m, "split pfn=4100 order=2");
	event(&m, "mm_page_free pfn=4102 order=0");
	event(&m, "put pfn=4102 mt=0 order=0 fpi=0x0");
	event(&m, "take pfn=4102");
	event(&m, "mm_page_alloc pfn=4102 order=0 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FRAMES, 2, 2);
	expect(&result, VERIFY_PUTS, 1, 1);
	assert_int_equal(result.all_differences, 0);
	assert_int_equal(result.silent[VERIFY_SILENT_BELIEVED_FREE], 0);
	result = machine_verdict(&m, VERIFY_STEP);
	expect(&result, VERIFY_FRAMES, 2, 2);
	machine_end(&m);
}

// Compaction takes a free block and puts it back at the tail of its list; its refusal is judged, too.
static void by_hand_isolate(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 3, 1, 4608);
	on_free_list(&m, 3, 1, 4624);
	on_free_list(&m, 8, 1, 5120);
	machine_snapshot(&m, "snapshot0.txt");
	m.free[3][1].pfn[0] = 4624;
	m.free[3][1].pfn[1] = 4608;
	machine_snapshot(&m, "snapshot1.txt");
	event(&m, "isolate_free got=8 pfn=4608 order=3");
	event(&m, "putback_free pfn=4608 order=3 mt=1");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		result = machine_verdict(&m, level);
		expect(&result, VERIFY_ISOLATED, level == VERIFY_REQUEST, level == VERIFY_REQUEST);
		assert_true(end_state_same(&result.final));
	}
	event(&m, "isolate_free got=0 pfn=4624 order=3"); // refused, though far above the watermark
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_ISOLATED, 1, 2);
	machine_end(&m);
}

// What compaction takes back is not freed, though an mm_page_free says so.
static void by_hand_compact_back(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 0, 1, 4608);
	on_free_list(&m, 8, 1, 5120);
	machine_start(&m);
	event(&m, "isolate_free got=1 pfn=4608 order=0");
	event(&m, "compact_back pfn=4608");
	event(&m, "mm_page_free pfn=4608 order=0");
	event(&m, "putback_free pfn=4608 order=0 mt=1");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = machine_verdict(&m, level);

		expect(&result, VERIFY_PUTS, 0, 0);
		expect(&result, VERIFY_DIRECT, 0, 0);
		assert_int_equal(result.all_differences, 0);
		assert_true(end_state_same(&result.final));
	}
	machine_end(&m);
}

#define t(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(by_hand_hit), t(by_hand_bulk), t(by_hand_busy), t(by_hand_busy_wrong), t(by_hand_lost_put),
		t(by_hand_failed), t(by_hand_explained), t(by_hand_split), t(by_hand_isolate), t(by_hand_compact_back),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
