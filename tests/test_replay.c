// SPDX-License-Identifier: Apache-2.0
//
// Replays: what each kind of event does to the policies' yards, on a small machine, event by event; then whole records,
// where nothing may be lost, and where the same input gives the same bytes.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/replay_table.h"
#include "trace/machine.h"
#include "trace/replay.h"
#include "trace/zone_names.h"

static struct yard_policy policy(const char *text)
{
	struct yard_policy result;

	assert_int_equal(yard_policy_parse(text, &result, NULL, 0), 0);
	return result;
}

// ---- a small machine and events made by hand ----

enum { PAGES = 16384, CPUS = 2 };

struct scene {
	struct replay *replay;
	struct yard_policy policy[2];
	uint64_t seq;
	uint64_t free_before;
};

static uint64_t free_and_pcp(struct yard *yard)
{
	uint64_t pages = 0;

	for (unsigned zone = 0; zone < yard_nr_zones(yard); zone++) {
		struct yard_zone_state state;

		yard_get_zone(yard, zone, &state);
		for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++)
			pages += state.nr_free[order] << order;
		for (unsigned cpu = 0; cpu < yard_nr_cpus(yard); cpu++) {
			struct yard_pcp_state pcp;

			yard_get_pcp(yard, zone, cpu, &pcp);
			pages += (uint64_t)pcp.count;
		}
	}
	return pages;
}

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct replay_config config = {.pages = PAGES, .nr_cpus = CPUS, .policy = scene->policy, .nr_policies = 2};
	struct trace_error error;

	scene->policy[0] = policy("vanilla");
	scene->policy[1] = policy("linux-7.3,defrag_mode=1");
	scene->replay = replay_new(&config, &error);
	if (!scene->replay)
		return -1;
	scene->free_before = free_and_pcp(replay_yard(scene->replay, 0));
	*state = scene;
	return 0;
}

static int close_scene(void **state)
{
	struct scene *scene = *state;

	replay_free(scene->replay);
	free(scene);
	return 0;
}

static void feed(struct scene *scene, struct trace_event event)
{
	struct trace_error error;

	event.seq = ++scene->seq;
	event.ns = scene->seq * 1000;
	assert_int_equal(replay_event(scene->replay, &event, &error), 0);
}

static void alloc(struct scene *scene, uint64_t pfn, unsigned order, uint32_t gfp)
{
	feed(scene, (struct trace_event){.kind = TRACE_PAGE_ALLOC, .pfn = pfn, .order = (uint8_t)order, .gfp = gfp});
}

static void dealloc(struct scene *scene, uint64_t pfn, unsigned order)
{
	feed(scene, (struct trace_event){.kind = TRACE_PAGE_FREE, .pfn = pfn, .order = (uint8_t)order});
}

static void event_of(struct scene *scene, unsigned kind, uint64_t pfn, unsigned order)
{
	feed(scene, (struct trace_event){.kind = (uint8_t)kind, .pfn = pfn, .order = (uint8_t)order});
}

// Ends the replay: both policies hold exactly `used` pages, no page is lost and no invariant broken.
static void finish(struct scene *scene, uint64_t used)
{
	struct trace_error error;
	char text[256];

	assert_int_equal(replay_finish(scene->replay, &error), 0);
	for (unsigned i = 0; i < 2; i++) {
		if (yard_verify(replay_yard(scene->replay, i), text, sizeof(text)))
			fail_msg("%s", text);
		assert_int_equal(replay_policy_figures(scene->replay, i)->used_pages, used);
		assert_int_equal(free_and_pcp(replay_yard(scene->replay, i)), scene->free_before - used);
	}
}

static void allocation_and_free(void **state)
{
	struct scene *scene = *state;

	alloc(scene, 1000, 0, YARD_GFP_KERNEL);
	alloc(scene, 70000000, 3, YARD_GFP_KERNEL); // a frame that this machine does not have: the number only names it
	alloc(scene, 2048, 9, YARD_GFP_TRANSHUGE);
	dealloc(scene, 70000000, 3);
	finish(scene, 1 + 512);
	assert_int_equal(replay_policy_figures(scene->replay, 0)->allocs[0], 1);
	assert_int_equal(replay_policy_figures(scene->replay, 1)->allocs[3], 1);
	assert_int_equal(replay_policy_figures(scene->replay, 1)->allocs[9], 1);
	assert_int_equal(replay_counts(scene->replay)->requests, 3);
	assert_int_equal(replay_counts(scene->replay)->frees, 1);
	assert_int_equal(replay_counts(scene->replay)->unmatched, 0);
}

// A take becomes the request that its mm_page_alloc tells, at the take's place; alone it is a bulk page.
static void takes(void **state)
{
	struct scene *scene = *state;

	event_of(scene, TRACE_TAKE, 512, 0);
	event_of(scene, TRACE_TAKE, 1024, 0);
	event_of(scene, TRACE_TAKE, 600, 0);
	event_of(scene, TRACE_TAKE, TRACE_PFN_NONE, 0);
	alloc(scene, 1024, 9, YARD_GFP_TRANSHUGE);
	alloc(scene, 512, 0, YARD_GFP_KERNEL);
	finish(scene, 1 + 512 + 1);
	assert_int_equal(replay_counts(scene->replay)->bulk, 1);
	assert_int_equal(replay_counts(scene->replay)->requests, 3);
	assert_int_equal(replay_policy_figures(scene->replay, 0)->allocs[9], 1);
}

static void a_bulk_page_may_be_freed_at_once(void **state)
{
	struct scene *scene = *state;

	event_of(scene, TRACE_TAKE, 600, 0);
	dealloc(scene, 600, 0);
	event_of(scene, TRACE_TAKE, 600, 0);
	alloc(scene, 600, 0, YARD_GFP_KERNEL);
	finish(scene, 1);
	assert_int_equal(replay_counts(scene->replay)->bulk, 1);
	assert_int_equal(replay_counts(scene->replay)->reused, 0);
}

// More takes than the window holds: the oldest become bulk pages, and the late mm_page_alloc a request of its own.
static void a_take_that_waits_too_long(void **state)
{
	struct scene *scene = *state;

	event_of(scene, TRACE_TAKE, 600, 0);
	for (unsigned i = 0; i < 20000; i++) {
		alloc(scene, 700, 0, YARD_GFP_KERNEL);
		dealloc(scene, 700, 0);
	}
	alloc(scene, 600, 0, YARD_GFP_KERNEL);
	finish(scene, 1);
	assert_int_equal(replay_counts(scene->replay)->bulk, 1);
	assert_int_equal(replay_counts(scene->replay)->reused, 1);
}

static void parts_of_a_block(void **state)
{
	struct scene *scene = *state;

	alloc(scene, 64, 4, YARD_GFP_KERNEL);
	dealloc(scene, 68, 2); // 64..67, 72..79 stay
	dealloc(scene, 79, 0);
	dealloc(scene, 79, 0); // again: nobody's
	finish(scene, 11);
	assert_int_equal(replay_counts(scene->replay)->unmatched, 1);
}

static void split_and_joined(void **state)
{
	struct scene *scene = *state;

	alloc(scene, 512, 9, YARD_GFP_KERNEL);
	event_of(scene, TRACE_SPLIT, 512, 9);
	dealloc(scene, 513, 0);
	dealloc(scene, 516, 2); // single frames of what was one block
	dealloc(scene, 768, 8);
	dealloc(scene, 512, 1); // 513 is gone already
	finish(scene, 512 - 1 - 4 - 256 - 1);
	assert_int_equal(replay_counts(scene->replay)->unmatched, 1);
	assert_int_equal(replay_counts(scene->replay)->frees, 4);
}

// Single pages of several requests, freed as one block: they lie apart in the policies.
static void joined_from_several_requests(void **state)
{
	struct scene *scene = *state;

	for (unsigned i = 0; i < 4; i++) {
		alloc(scene, 4 + (i ^ 2), 0, i & 1 ? YARD_GFP_KERNEL : YARD_GFP_HIGHUSER_MOVABLE);
		alloc(scene, 100 + i, 0, YARD_GFP_KERNEL);
	}
	dealloc(scene, 4, 2);
	finish(scene, 4);
	assert_int_equal(replay_counts(scene->replay)->unmatched, 0);
}

static void compaction_takes_back(void **state)
{
	struct scene *scene = *state;

	alloc(scene, 5, 0, YARD_GFP_KERNEL);
	event_of(scene, TRACE_COMPACT_BACK, 900, 0);
	dealloc(scene, 900, 0); // none
	dealloc(scene, 900, 0); // one of a frame that nobody has
	event_of(scene, TRACE_COMPACT_BACK, 901, 0);
	alloc(scene, 901, 0, YARD_GFP_KERNEL);
	dealloc(scene, 901, 0); // the frame was given out since
	finish(scene, 1);
	assert_int_equal(replay_counts(scene->replay)->frees, 2);
	assert_int_equal(replay_counts(scene->replay)->unmatched, 1);
}

// A frame is given out whose free was not seen, as part of another block and whole.
static void given_out_anew(void **state)
{
	struct scene *scene = *state;

	alloc(scene, 16, 3, YARD_GFP_KERNEL);
	alloc(scene, 20, 0, YARD_GFP_KERNEL); // 16..19, 21..23 stay
	alloc(scene, 16, 4, YARD_GFP_KERNEL);
	finish(scene, 16);
	assert_int_equal(replay_counts(scene->replay)->reused, 1 + 8);
}

static void refused_requests(void **state)
{
	struct scene *scene = *state;
	struct replay_figures recorded;
	struct trace_error error;

	alloc(scene, TRACE_PFN_NONE, 2, YARD_GFP_KERNEL);
	alloc(scene, 3, 0, YARD_GFP_DMA | YARD_GFP_DMA32); // no request can be so: the policies refuse it
	dealloc(scene, 3, 0);
	finish(scene, 0);
	assert_int_equal(replay_recorded_figures(scene->replay, NULL, &recorded, &error), 0);
	assert_int_equal(recorded.failures[2], 1);
	assert_int_equal(recorded.allocs[0], 1);
	assert_false(recorded.state);
	assert_int_equal(replay_policy_figures(scene->replay, 1)->allocs[2], 1); // and freed at once
	assert_int_equal(replay_policy_figures(scene->replay, 1)->failures[0], 1);
}

// More than there is: the policies refuse, and the frees of what they refused are nothing to them.
static void out_of_memory(void **state)
{
	struct scene *scene = *state;

	for (unsigned i = 0; i < PAGES; i++)
		alloc(scene, i, 0, YARD_GFP_KERNEL);
	for (unsigned i = 0; i < PAGES; i++)
		dealloc(scene, i, 0);
	finish(scene, 0);
	assert_true(replay_policy_figures(scene->replay, 0)->failures[0] > 0);
}

static void mixed_pageblocks(void **state)
{
	struct scene *scene = *state;

	for (unsigned i = 0; i < 8; i++)
		alloc(scene, 512 * i, 0, i & 1 ? YARD_GFP_KERNEL : YARD_GFP_HIGHUSER_MOVABLE);
	finish(scene, 8);
	assert_int_equal(replay_policy_figures(scene->replay, 0)->mixed_blocks, 0); // however the record mixed them
	assert_int_equal(replay_policy_figures(scene->replay, 0)->pageblocks[YARD_UNMOVABLE]
				 + replay_policy_figures(scene->replay, 0)->pageblocks[YARD_MOVABLE],
			 PAGES / 512);
}

static void classes_of_extfrag(void **state)
{
	struct scene *scene = *state;
	struct replay_figures recorded;
	struct trace_error error;
	static const int event[][2] = {{10, 1}, {4, 1}, {9, 0}, {10, 0},
				       {8, 0},	{0, 0}, {3, 0}}; // fallback order, owner

	for (size_t i = 0; i < sizeof(event) / sizeof(event[0]); i++)
		feed(scene, (struct trace_event){
				    .kind = TRACE_PAGE_ALLOC_EXTFRAG, .pfn = 1, .a = event[i][0], .c = event[i][1]});
	finish(scene, 0);
	replay_recorded_figures(scene->replay, NULL, &recorded, &error);
	assert_int_equal(recorded.claims, 2);
	assert_int_equal(recorded.steals, 2);
	assert_int_equal(recorded.pollutes, 3);
}

// Node numbers, zones and CPUs that this machine does not have come from a larger one.
static void things_of_a_larger_machine(void **state)
{
	struct scene *scene = *state;

	feed(scene, (struct trace_event){.kind = TRACE_KSWAPD_WAKE, .a = 3});
	feed(scene, (struct trace_event){.kind = TRACE_KSWAPD_SLEEP, .a = TRACE_UNKNOWN});
	feed(scene, (struct trace_event){.kind = TRACE_BALANCE_PGDAT_BEGIN, .a = 0, .b = 9});
	feed(scene, (struct trace_event){.kind = TRACE_BALANCE_PGDAT_END, .a = 0, .b = TRACE_UNKNOWN});
	for (unsigned i = 0; i < 10; i++)
		feed(scene, (struct trace_event){.kind = TRACE_DECAY_PCP, .zone = 0xffff000000000000 + i * 0x10000});
	feed(scene, (struct trace_event){.kind = TRACE_DRAIN_CPU, .zone = 77, .a = 900});
	feed(scene, (struct trace_event){.kind = TRACE_PAGE_PCPU_DRAIN, .pfn = 5});
	feed(scene, (struct trace_event){.kind = TRACE_PAGE_ALLOC, .pfn = 5, .cpu = 4000, .gfp = YARD_GFP_KERNEL});
	finish(scene, 1);
}

static void impossible_events(void **state)
{
	struct scene *scene = *state;
	struct trace_error error;
	struct trace_event unaligned = {.seq = 7, .kind = TRACE_PAGE_ALLOC, .pfn = 3, .order = 2};
	struct trace_event far = {.seq = 8, .kind = TRACE_PAGE_FREE, .pfn = 1ull << 32};
	struct trace_event large = {.seq = 9, .kind = TRACE_PAGE_ALLOC, .pfn = TRACE_PFN_NONE, .order = 11};

	assert_int_equal(replay_event(scene->replay, &unaligned, &error), -1);
	assert_string_equal(error.text, "event 7: frame 3 cannot begin a block of order 2");
	assert_int_equal(replay_event(scene->replay, &far, &error), -1);
	assert_string_equal(error.text, "event 8: frame 4294967296 lies beyond 16 TiB");
	assert_int_equal(replay_event(scene->replay, &large, &error), -1);
	assert_string_equal(error.text, "event 9: order 11 exceeds 10");
	finish(scene, 0);
}

// Any events, whatever they say: no page is lost, nothing breaks.
static void random_events(void **state)
{
	static const uint8_t kinds[] = {TRACE_TAKE,	 TRACE_PAGE_ALLOC, TRACE_PAGE_ALLOC,  TRACE_PAGE_FREE,
					TRACE_PAGE_FREE, TRACE_SPLIT,	   TRACE_COMPACT_BACK};
	struct scene *scene = *state;
	struct trace_error error;
	uint64_t seed = 1;

	for (unsigned i = 0; i < 100000; i++) {
		struct trace_event event = {0};

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		event.kind = kinds[(seed >> 33) % sizeof(kinds)];
		event.order = event.kind == TRACE_TAKE ? 0 : (uint8_t)((seed >> 40) % 32 > 24 ? (seed >> 45) % 11 : 0);
		event.pfn = ((seed >> 48) % 8192) & ~((1ull << event.order) - 1);
		event.gfp = seed & 1 << 21 ? YARD_GFP_KERNEL : YARD_GFP_HIGHUSER_MOVABLE;
		event.cpu = seed >> 22 & 1;
		feed(scene, event);
	}
	assert_int_equal(replay_finish(scene->replay, &error), 0);
	for (unsigned i = 0; i < 2; i++) {
		char text[256];

		if (yard_verify(replay_yard(scene->replay, i), text, sizeof(text)))
			fail_msg("%s", text);
		assert_int_equal(free_and_pcp(replay_yard(scene->replay, i))
					 + replay_policy_figures(scene->replay, i)->used_pages,
				 scene->free_before);
	}
}

// ---- zones by address ----

static void names_of_zones(void **state)
{
	struct scene *scene = *state;
	struct zone_names names;
	const uint64_t dma = 0xffff88801fc59f40, dma32 = 0xffff88801fc5a680;

	zone_names_init(&names, replay_yard(scene->replay, 0));
	assert_int_equal(names.nr_populated, 2);
	assert_int_equal(zone_names_find(&names, dma32), -1);
	zone_names_visit(&names, dma32); // the recording began in the middle of a visit
	assert_int_equal(zone_names_visit(&names, dma), YARD_ZONE_DMA);
	assert_int_equal(zone_names_visit(&names, dma32), YARD_ZONE_DMA32);
	assert_int_equal(zone_names_find(&names, dma), YARD_ZONE_DMA);
	assert_int_equal(zone_names_find(&names, dma + 1), -1);
	assert_int_equal(zone_names_visit(&names, 1), -1);
}

// Two nodes, the second one's zones at lower addresses.
static void names_of_zones_of_nodes(void **state)
{
	struct zone_names names = {.populated = {0, 1, 6}, .nr_populated = 3};

	(void)state;
	assert_int_equal(zone_names_visit(&names, 0x900000), 0);
	assert_int_equal(zone_names_visit(&names, 0x900740), 1);
	assert_int_equal(zone_names_visit(&names, 0x100740), 6);
	assert_int_equal(zone_names_visit(&names, 0x900740), 1);
}

// ---- lists, sizes ----

static void lists_of_policies(void **state)
{
	char *item[4];
	char both[] = "vanilla,linux-7.3,defrag_mode=1";
	char many[] = "linux-7.3,defrag_mode=1,promote_nonmovable=off,vanilla,linux-7.2";
	char odd[] = "a=1,b,,c";
	char one[] = "vanilla", none[] = "", five[] = "a,b,c,d,e";

	(void)state;
	assert_int_equal(replay_split_policies(both, item, 4), 2);
	assert_string_equal(item[0], "vanilla");
	assert_string_equal(item[1], "linux-7.3,defrag_mode=1");
	assert_int_equal(replay_split_policies(many, item, 4), 3);
	assert_string_equal(item[0], "linux-7.3,defrag_mode=1,promote_nonmovable=off");
	assert_string_equal(item[2], "linux-7.2");
	assert_int_equal(replay_split_policies(odd, item, 4), 4); // "a=1", "b", "", "c": refused as policies
	assert_string_equal(item[0], "a=1");
	assert_string_equal(item[2], "");
	assert_int_equal(replay_split_policies(one, item, 4), 1);
	assert_int_equal(replay_split_policies(none, item, 4), 1);
	assert_int_equal(replay_split_policies(five, item, 4), 5);
	assert_string_equal(item[3], "d");
}

static void sizes(void **state)
{
	static const char *const wrong[] = {"",
					    "512",
					    "MiB",
					    "-1GiB",
					    "1 GiB",
					    "1gib",
					    "0GiB",
					    "4KiB",
					    "1MiB",
					    "16TiB",
					    "1GiBs",
					    "99999999999999999999TiB",
					    "18014398509481985KiB"};
	uint64_t pages = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(machine_parse_size(wrong[i], &pages));
	assert_int_equal(pages, 1);
	assert_true(machine_parse_size("512MiB", &pages) && pages == 131072);
	assert_true(machine_parse_size("2048KiB", &pages) && pages == 512);
	assert_true(machine_parse_size("64GiB", &pages) && pages == 16777216);
	assert_true(machine_parse_size("15TiB", &pages) && pages == 15ull << 28);
}

static void machines(void **state)
{
	static const uint64_t pages[] = {512, 4096, 131072, 3 << 18, (3 << 18) + 1, 1 << 21};
	struct yard_policy vanilla = policy("vanilla");

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct machine machine;
		struct trace_error error;
		char text[256];

		assert_int_equal(machine_from_pages(&machine, pages[i], 4, &vanilla, &error), 0);
		assert_int_equal(yard_verify(machine.yard, text, sizeof(text)), 0);
		assert_int_equal(free_and_pcp(machine.yard), pages[i] - 1);
		machine_free(&machine);
	}
}

// ---- whole records ----

struct record {
	struct snapshot *before, *after;
	struct replay *replay;
	uint64_t pages; // free, on per-CPU lists or in use before the first event
};

static const char *data(const char *name)
{
	static char path[512];
	const char *folder = getenv("PAGEYARD_TEST_DATA");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "tests/data", name);
	return path;
}

static struct snapshot *read_snapshot(const char *record, const char *name)
{
	char path[256];
	struct trace_error error;
	struct snapshot *snapshot;

	snprintf(path, sizeof(path), "%s/%s", record, name);
	snapshot = snapshot_read(data(path), &error);
	if (!snapshot)
		fail_msg("%s", error.text);
	return snapshot;
}

static uint64_t used_pages(const struct snapshot *snapshot)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < snapshot->nr_frames; i++)
		if (snapshot->frames[i].class > SNAPSHOT_RESERVED)
			pages += snapshot->frames[i].nr;
	return pages;
}

static void replay_record(struct record *record, const char *name, const char *const *policies, unsigned nr)
{
	struct yard_policy policy_of[4];
	struct replay_config config = {.policy = policy_of, .nr_policies = nr};
	struct trace_reader *reader;
	struct trace_event event;
	struct trace_error error;
	int got;

	for (unsigned i = 0; i < nr; i++)
		policy_of[i] = policy(policies[i]);
	record->before = read_snapshot(name, "snapshot0.txt.zst");
	record->after = read_snapshot(name, "snapshot1.txt.zst");
	config.before = record->before;
	record->replay = replay_new(&config, &error);
	reader = trace_open(data(name), &error);
	assert_non_null(record->replay);
	assert_non_null(reader);
	record->pages = free_and_pcp(replay_yard(record->replay, 0)) + used_pages(record->before);
	while ((got = trace_next(reader, &event, &error)) > 0)
		assert_int_equal(replay_event(record->replay, &event, &error), 0);
	assert_int_equal(got, 0);
	trace_close(reader);
	assert_int_equal(replay_finish(record->replay, &error), 0);
}

static void close_record(struct record *record)
{
	replay_free(record->replay);
	snapshot_free(record->before);
	snapshot_free(record->after);
}

static const char *const all[] = {"vanilla", "linux-7.3,defrag_mode=1", "defrag-6.15", "storm-fix"};

static void conserve(const char *name)
{
	struct record record;
	char text[256];

	replay_record(&record, name, all, 4);
	for (unsigned i = 0; i < 4; i++) {
		const struct replay_figures *figures = replay_policy_figures(record.replay, i);
		uint64_t requests = 0;

		if (yard_verify(replay_yard(record.replay, i), text, sizeof(text)))
			fail_msg("%s: %s", all[i], text);
		assert_int_equal(figures->free_pages + figures->pcp_pages + figures->used_pages, record.pages);
		assert_int_equal(free_and_pcp(replay_yard(record.replay, i)), figures->free_pages + figures->pcp_pages);
		for (unsigned order = 0; order < REPLAY_ORDERS; order++) {
			requests += figures->allocs[order] + figures->failures[order];
			assert_true(figures->unusable[order] >= 0 && figures->unusable[order] <= 1);
			assert_true(figures->unusable_mean[order] >= 0 && figures->unusable_mean[order] <= 1);
		}
		assert_int_equal(requests, replay_counts(record.replay)->requests);
	}
	close_record(&record);
}

static void nothing_is_lost(void **state)
{
	(void)state;
	conserve("storm-d1");
	conserve("boot-idle-d0");
}

static char *table(const char *name, const char *const *policies, unsigned nr)
{
	struct compare compare = {.nr_columns = nr + 1};
	struct replay_figures figures[5];
	struct trace_error error;
	struct record record;
	char *text = NULL;
	size_t size;
	FILE *file;

	replay_record(&record, name, policies, nr);
	for (unsigned i = 0; i < nr; i++) {
		figures[i] = *replay_policy_figures(record.replay, i);
		compare.column[i] = policies[i];
	}
	compare.column[nr] = "recorded";
	assert_int_equal(replay_recorded_figures(record.replay, record.after, &figures[nr], &error), 0);
	replay_table(&compare, figures, nr + 1);
	file = open_memstream(&text, &size);
	compare_print(&compare, file);
	fclose(file);
	compare_free(&compare);
	close_record(&record);
	return text;
}

static void the_same_bytes(void **state)
{
	static const char *const records[] = {"storm-d1", "boot-idle-d0"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		char *first = table(records[i], all, 4), *second = table(records[i], all, 4);

		assert_string_equal(first, second);
		free(first);
		free(second);
	}
}

// A policy does the same alone and beside others.
static void policies_do_not_meet(void **state)
{
	struct record together, alone;

	(void)state;
	replay_record(&together, "storm-d1", all, 4);
	replay_record(&alone, "storm-d1", all + 1, 1);
	assert_memory_equal(replay_policy_figures(together.replay, 1), replay_policy_figures(alone.replay, 0),
			    sizeof(struct replay_figures));
	close_record(&together);
	close_record(&alone);
}

// What the recorded kernel did, counted independently: grep over events.txt and snapshot1.txt of storm-d1.
static void the_recorded_kernel(void **state)
{
	struct replay_figures figures;
	struct record record;
	struct trace_error error;
	uint64_t allocs = 0;

	(void)state;
	replay_record(&record, "storm-d1", all, 1);
	assert_int_equal(replay_recorded_figures(record.replay, record.after, &figures, &error), 0);
	for (unsigned order = 0; order < REPLAY_ORDERS; order++)
		allocs += figures.allocs[order] + figures.failures[order];
	assert_int_equal(allocs, 29903);
	assert_int_equal(figures.claims + figures.steals + figures.pollutes, 13);
	assert_int_equal(figures.drains, 14742);
	assert_int_equal(replay_counts(record.replay)->events, 150684);
	assert_true(figures.state);
	assert_int_equal(figures.used_pages, used_pages(record.after));
	assert_int_equal(figures.samples, 0);
	close_record(&record);
}

// An idle machine: the policy that was recorded ends as the kernel did.
static void an_idle_machine_ends_alike(void **state)
{
	struct replay_figures figures;
	struct record record;
	struct trace_error error;
	const struct replay_figures *ours;

	(void)state;
	replay_record(&record, "boot-idle-d0", all, 1);
	replay_recorded_figures(record.replay, record.after, &figures, &error);
	ours = replay_policy_figures(record.replay, 0);
	assert_int_equal(ours->free_pages, figures.free_pages);
	assert_int_equal(ours->pcp_pages, figures.pcp_pages);
	assert_int_equal(ours->used_pages, figures.used_pages);
	assert_int_equal(ours->free_blocks, figures.free_blocks);
	assert_memory_equal(ours->pageblocks, figures.pageblocks, sizeof(figures.pageblocks));
	close_record(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)
		SCENE(allocation_and_free),
		SCENE(takes),
		SCENE(a_bulk_page_may_be_freed_at_once),
		SCENE(a_take_that_waits_too_long),
		SCENE(parts_of_a_block),
		SCENE(split_and_joined),
		SCENE(joined_from_several_requests),
		SCENE(compaction_takes_back),
		SCENE(given_out_anew),
		SCENE(refused_requests),
		SCENE(out_of_memory),
		SCENE(mixed_pageblocks),
		SCENE(classes_of_extfrag),
		SCENE(things_of_a_larger_machine),
		SCENE(impossible_events),
		SCENE(random_events),
		SCENE(names_of_zones),
		cmocka_unit_test(names_of_zones_of_nodes),
		cmocka_unit_test(lists_of_policies),
		cmocka_unit_test(sizes),
		cmocka_unit_test(machines),
		cmocka_unit_test(nothing_is_lost),
		cmocka_unit_test(the_same_bytes),
		cmocka_unit_test(policies_do_not_meet),
		cmocka_unit_test(the_recorded_kernel),
		cmocka_unit_test(an_idle_machine_ends_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
