// SPDX-License-Identifier: Apache-2.0
//
// The verdict over reclaim and compaction: a real record in which every such decision is the engine's, and the same record
// with each kind of event forged, which must show in the share of that kind.

#include "verify_fixture.h"

static const unsigned MM_FIRST = VERIFY_KSWAPD_WAKEUPS;

static uint64_t all_wrong(const struct verify_result *result)
{
	uint64_t sum = 0;

	for (unsigned i = MM_FIRST; i < VERIFY_DECISIONS; i++)
		sum += wrong(result, i);
	return sum;
}

static void storm(void **state)
{
	struct verify_result result = verdict(data("storm-d1"), VERIFY_REQUEST, NULL);

	(void)state;
	expect(&result, VERIFY_KSWAPD_WAKEUPS, 7, 7);
	expect(&result, VERIFY_KSWAPD_RUNS, 15, 15);
	expect(&result, VERIFY_KSWAPD_STOPS, 16, 16);
	expect(&result, VERIFY_KSWAPD_SLEEPS, 8, 8);
	expect(&result, VERIFY_SCAN_ORDERS, 42, 42);
	expect(&result, VERIFY_SUITABLE, 30, 30);
	expect(&result, VERIFY_DEFERRALS, 7, 7);
	expect(&result, VERIFY_KCOMPACTD_WAKEUPS, 9, 9);
	expect(&result, VERIFY_KCOMPACTD_RUNS, 14, 14);
	expect(&result, VERIFY_PROACTIVE, 3, 3);
	expect(&result, VERIFY_POSITIONS, 6, 6);
	expect(&result, VERIFY_SOURCE_BLOCKS, 26, 26);
	expect(&result, VERIFY_SOURCES, 24, 24);
	expect(&result, VERIFY_FREE_SCANS, 140, 140);
	expect(&result, VERIFY_MIGRATED, 6, 6);
	expect(&result, VERIFY_RESCANS, 6, 6);
	expect(&result, VERIFY_RUN_DRAINS, 26, 26);
	expect(&result, VERIFY_FINISHED, 29, 29);
	expect(&result, VERIFY_RUN_RESULTS, 3, 3);
	assert_int_equal(result.unjudged[VERIFY_UNJUDGED_ASKED], 2);
	assert_int_equal(result.unjudged[VERIFY_UNJUDGED_PLACES], 1);
	assert_int_equal(result.unjudged[VERIFY_UNJUDGED_LARGE], 48);
	assert_int_equal(result.final.compact_fields, 22);
	assert_int_equal(result.final.compact_fields_same, 22);
	assert_int_equal(result.final.skip_bits, 256);
	assert_int_equal(result.final.skip_bits_same, 256);
	assert_int_equal(result.all_differences, 0);
}

struct forgery {
	const char *after, *from, *to; // in the events
	unsigned decision;
};

static const struct forgery forgeries[] = {
	{ " mm_vmscan_wakeup_kswapd ", "order=9", "order=8", VERIFY_KSWAPD_WAKEUPS },
	{ " mm_vmscan_wakeup_kswapd ", "zid=2", "zid=1", VERIFY_KSWAPD_WAKEUPS },
	{ " mm_vmscan_kswapd_wake ", "order=9", "order=3", VERIFY_KSWAPD_RUNS },
	{ " mm_vmscan_kswapd_wake ", "zid=2", "zid=3", VERIFY_KSWAPD_RUNS },
	{ " mm_vmscan_balance_pgdat_begin ", "order=9", "order=0", VERIFY_KSWAPD_RUNS },
	{ " mm_vmscan_balance_pgdat_end ", "order=0", "order=9", VERIFY_SCAN_ORDERS },
	{ " mm_vmscan_balance_pgdat_end ", "nr_reclaimed=1047", "nr_reclaimed=31", VERIFY_SCAN_ORDERS },
	{ " mm_vmscan_lru_isolate ", "order=9", "order=0", VERIFY_SCAN_ORDERS },
	{ " mm_compaction_suitable ", "ret=1", "ret=4", VERIFY_SUITABLE },
	{ " mm_compaction_suitable ", "ret=4", "ret=0", VERIFY_SUITABLE },
	{ " mm_compaction_suitable ", "idx=0", "idx=1", VERIFY_SUITABLE },
	{ " mm_compaction_wakeup_kcompactd ", "order=9", "order=8", VERIFY_KCOMPACTD_WAKEUPS },
	{ " mm_compaction_kcompactd_wake ", "order=9", "order=8", VERIFY_KCOMPACTD_RUNS },
	{ " mm_compaction_kcompactd_wake ", "highest_zoneidx=1", "highest_zoneidx=0", VERIFY_KCOMPACTD_RUNS },
	{ " mm_compaction_deferred ", "considered=2", "considered=3", VERIFY_DEFERRALS },
	{ " mm_compaction_deferred ", "defer_shift=2", "defer_shift=3", VERIFY_DEFERRALS },
	{ " mm_compaction_defer_compaction ", "order_failed=0", "order_failed=9", VERIFY_DEFERRALS },
	{ " mm_compaction_begin ", "migrate_pfn=", "migrate_pfn=1", VERIFY_POSITIONS },
	{ " mm_compaction_begin ", "sync=1", "sync=0", VERIFY_POSITIONS },
	{ " mm_compaction_end ", "free_pfn=130560", "free_pfn=130048", VERIFY_POSITIONS },
	{ " mm_compaction_end ", "status=", "status=1", VERIFY_RUN_RESULTS },
	{ " mm_compaction_finished ", "ret=4", "ret=8", VERIFY_FINISHED },
	{ " mm_compaction_isolate_migratepages start_pfn=8192 ", "nr_taken=12", "nr_taken=10", VERIFY_SOURCES },
	{ " mm_compaction_isolate_migratepages start_pfn=8192 ", "end_pfn=8704", "end_pfn=8700", VERIFY_SOURCES },
	{ " mm_compaction_isolate_migratepages start_pfn=8192", "start_pfn=8192", "start_pfn=8704", VERIFY_SOURCE_BLOCKS },
	{ " mm_compaction_isolate_freepages ", "nr_scanned=471", "nr_scanned=470", VERIFY_FREE_SCANS },
	{ " mm_compaction_isolate_freepages ", "nr_taken=0", "nr_taken=1", VERIFY_FREE_SCANS },
	{ " mm_compaction_isolate_freepages ", "end_pfn=131031", "end_pfn=131030", VERIFY_FREE_SCANS },
	{ " mm_compaction_migratepages ", "nr_failed=", "nr_failed=1", VERIFY_MIGRATED },
};

static void forged(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
		const struct forgery *f = &forgeries[i];
		struct record record = load("storm-d1");
		struct verify_result result;

		edit(&record.events, f->after, f->from, f->to);
		result = verdict_of(&record, VERIFY_REQUEST);
		if (!wrong(&result, f->decision))
			fail_msg("%s with %s for %s was not noticed", f->after, f->to, f->from);
		assert_true(result.all_differences >= 1);
		drop(&record);
	}
}

// An event that is missing shows too: the engine tells it.
static void missing(void **state)
{
	static const struct forgery gone[] = {
		{ .from = " mm_compaction_suitable ", .decision = VERIFY_KCOMPACTD_WAKEUPS },
		{ .from = " mm_compaction_wakeup_kcompactd ", .decision = VERIFY_KCOMPACTD_WAKEUPS },
		{ .from = " mm_compaction_deferred ", .decision = VERIFY_KCOMPACTD_RUNS },
		{ .from = " mm_compaction_isolate_migratepages ", .decision = VERIFY_SOURCE_BLOCKS },
		{ .from = " mm_compaction_isolate_freepages ", .decision = VERIFY_FREE_SCANS },
		{ .from = " mm_vmscan_wakeup_kswapd ", .decision = VERIFY_WAKES },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		struct record record = load("storm-d1");
		struct verify_result result;

		replace(&record.events, without(record.events, gone[i].from, 1));
		result = verdict_of(&record, VERIFY_REQUEST);
		if (!wrong(&result, gone[i].decision))
			fail_msg("%sis missing, and was not missed", gone[i].from);
		drop(&record);
	}
}

// A free block that compaction took is compared too, not only the numbers of its scan.
static void another_free_block(void **state)
{
	struct record record = load("storm-d1");
	struct verify_result result;

	(void)state;
	edit(&record.events, " isolate_free ", "order=", "order=1");
	if (strstr(record.events, "isolate_free got=") == NULL)
		fail_msg("the record has no such event");
	drop(&record);
	record = load("storm-d1");
	replace(&record.events, without(record.events, " isolate_free ", 1));
	result = verdict_of(&record, VERIFY_REQUEST);
	assert_true(wrong(&result, VERIFY_FREE_SCANS) + wrong(&result, VERIFY_FRAMES) + wrong(&result, VERIFY_REFILLS)
		    + wrong(&result, VERIFY_DRAINS) > 0);
	drop(&record);
}

// Another policy decides otherwise: pages instead of blocks, no promotion of what kswapd is woken for.
static void another_policy(void **state)
{
	struct verify_result result =
		verdict(data("storm-d1"), VERIFY_REQUEST, "linux-7.3,defrag_mode=1,block_watermarks=off,kswapd_block_wake=off");

	(void)state;
	assert_true(wrong(&result, VERIFY_KSWAPD_WAKEUPS) + wrong(&result, VERIFY_WAKES) > 0);
	assert_true(all_wrong(&result) > 5);
}

// What the snapshot tells of compaction is compared at the end, and where it tells nothing nothing is judged.
static void state_of_compaction(void **state)
{
	struct record record = load("storm-d1");
	struct verify_result result;

	(void)state;
	edit(&record.snapshot1, "zone 0 DMA32 begin", "compact_defer_shift ", "compact_defer_shift 1");
	result = verdict_of(&record, VERIFY_REQUEST);
	assert_int_equal(result.final.compact_fields - result.final.compact_fields_same, 1);
	assert_int_equal(result.all_differences, 0);
	drop(&record);

	record = load("storm-d1");
	edit(&record.snapshot0, "zone 0 DMA32 begin", "compact_defer_shift ", "other_shift ");
	result = verdict_of(&record, VERIFY_REQUEST);
	assert_int_equal(result.final.compact_fields, 0);
	assert_true(result.unjudged[VERIFY_UNJUDGED_STATE] > 100);
	for (unsigned i = VERIFY_SUITABLE; i < VERIFY_DECISIONS; i++)
		assert_int_equal(result.decision[i].all, 0);
	assert_true(result.decision[VERIFY_KSWAPD_RUNS].all > 0);
	drop(&record);
}

static void impossible_state(void **state)
{
	static const char *const wrong_states[][2] = {
		{ "compact_defer_shift ", "compact_defer_shift 9" }, { "compact_order_failed ", "compact_order_failed 99" },
		{ "compact_cached_free_pfn ", "compact_cached_free_pfn 99999" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong_states) / sizeof(wrong_states[0]); i++) {
		struct record record = load("boot-idle-d0");
		struct verify_options options = { .record = folder };
		struct verify_result result;
		struct trace_error error;

		edit(&record.snapshot0, "zone 0 DMA32 begin", wrong_states[i][0], wrong_states[i][1]);
		save(&record);
		if (i < 2) {
			assert_int_equal(verify_record(&options, &result, &error), -1);
			assert_non_null(strstr(error.text, "compaction cannot be in this state"));
		} else { // a position outside the zone is set right when a run begins (C3.3)
			assert_int_equal(verify_record(&options, &result, &error), 0);
			verify_release(&result);
		}
		drop(&record);
	}
}

static void printed_shares(void **state)
{
	static const char *const parts[] = {
		"compaction finished       100.0000 %  29 of 29", "linear free scans", "Not judged\n", "kcompactd wake-ups",
		"compaction's state       22 of 22", "pageblock skip bits      256 of 256",
	};
	static const char *const json_parts[] = {
		"\"compaction finished\":{\"identical\":29,\"of\":29}", "\"not_judged\":{\"", "\"skip_bits\":{\"identical\":256,\"of\":256}",
		"\"compaction_fields\":{\"identical\":22,\"of\":22}",
	};
	char *text = printed(data("storm-d1"), VERIFY_REQUEST, false), *json = printed(data("storm-d1"), VERIFY_REQUEST, true);

	(void)state;
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strstr(text, parts[i]))
			fail_msg("no '%s' in %s", parts[i], text);
	for (unsigned i = 0; i < sizeof(json_parts) / sizeof(json_parts[0]); i++)
		if (!strstr(json, json_parts[i]))
			fail_msg("no '%s' in %s", json_parts[i], json);
	free(text);
	free(json);
}

// Events of compaction that cannot be of this machine are refused before they act.
static void impossible_events(void **state)
{
	static const struct forgery wrong_events[] = {
		{ " mm_compaction_suitable ", "nid=0", "nid=7", 0 },
		{ " mm_compaction_suitable ", "idx=0", "idx=2", 0 },
		{ " mm_compaction_begin ", "free_pfn=", "free_pfn=99", 0 },
		{ " mm_compaction_end ", "migrate_pfn=", "migrate_pfn=9999", 0 },
		{ " mm_compaction_isolate_freepages ", "end_pfn=131031", "end_pfn=130559", 0 },
		{ " mm_compaction_isolate_migratepages ", "nr_taken=", "nr_taken=9999", 0 },
		{ " mm_compaction_isolate_migratepages ", "nr_taken=", "nr_taken=-1", 0 },
		{ " mm_compaction_migratepages ", "nr_failed=", "nr_failed=99999999", 0 },
		{ " mm_vmscan_wakeup_kswapd ", "nid=0", "nid=3", 0 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong_events) / sizeof(wrong_events[0]); i++) {
		const struct forgery *f = &wrong_events[i];
		struct verify_options options = { .record = folder };
		struct record record = load("storm-d1");
		struct verify_result result;
		struct trace_error error;

		edit(&record.events, f->after, f->from, f->to);
		save(&record);
		if (!verify_record(&options, &result, &error))
			fail_msg("%s with %s was taken", f->after, f->to);
		assert_non_null(strstr(error.text, folder));
		drop(&record);
	}
}

// With all records at hand: what the small ones do not hold, fast searches and direct compaction among it.
static void all_records(void **state)
{
	static const struct {
		const char *name;
		unsigned decision;
		uint64_t all;
	} holds[] = {
		{ "thp-d1", VERIFY_FREE_SEARCHES, 33 },	      { "thp-d0", VERIFY_FREE_SEARCHES, 47 },
		{ "filecache-d0", VERIFY_FREE_SEARCHES, 30 }, { "thp-d0", VERIFY_DIRECT_COMPACTION, 1 },
		{ "slab-net-d1", VERIFY_RECLAIM_ORDERS, 1 },  { "filecache-d1", VERIFY_DEFERRALS, 31 },
		{ "thp-d1", VERIFY_SOURCES, 30 },
	};
	const char *records = getenv("PAGEYARD_RECORDS");

	(void)state;
	for (unsigned i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
		char path[4200];
		struct verify_result result;

		snprintf(path, sizeof(path), "%s/%s", records, holds[i].name);
		result = verdict(path, VERIFY_REQUEST, NULL);
		expect(&result, holds[i].decision, holds[i].all, holds[i].all);
		if (all_wrong(&result))
			fail_msg("%s: %llu decisions of reclaim and compaction differ", holds[i].name,
				 (unsigned long long)all_wrong(&result));
		assert_int_equal(result.final.free_lists_same, result.final.free_lists);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(storm),
		cmocka_unit_test_setup_teardown(forged, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(missing, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(another_free_block, make_folder, remove_folder),
		cmocka_unit_test(another_policy),
		cmocka_unit_test_setup_teardown(state_of_compaction, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(impossible_state, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(impossible_events, make_folder, remove_folder),
		cmocka_unit_test(printed_shares),
		cmocka_unit_test(all_records), // last: left out without them
	};
	const char *records = getenv("PAGEYARD_RECORDS");
	size_t nr = sizeof(tests) / sizeof(tests[0]);

	return _cmocka_run_group_tests("tests", tests, records && *records ? nr : nr - 1, NULL, NULL);
}
