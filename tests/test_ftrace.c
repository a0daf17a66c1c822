// SPDX-License-Identifier: Apache-2.0
//
// Events as text: the lines that Linux 7.3 wrote in recordings, line by line, and what the reader of traces gets back
// from what was written.

#include <unistd.h>

#include "report/ftrace.h"
#include "tests/engine_fixture.h"
#include "trace/reader.h"

static const struct yard_task kswapd = {.pid = 43, .comm = "kswapd0"};

#define EVENT(name, ...)                                                                                               \
	event_of(YARD_EVENT_##name, (const int64_t[]){__VA_ARGS__},                                                    \
		 sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static const struct yard_event *event_of(unsigned kind, const int64_t *args, size_t nr)
{
	static struct yard_event event;
	static int64_t kept[16];

	memcpy(kept, args, nr * sizeof(*args));
	event = (struct yard_event){.kind = (uint8_t)kind, .args = kept, .nr_args = (uint8_t)nr};
	return &event;
}

static const char *line_of(const struct yard_event *event, const struct yard_task *task)
{
	static char text[1024];
	size_t length = ftrace_line(text, sizeof(text), event, UINT64_C(11684997600), task);

	assert_true(length < sizeof(text));
	assert_int_equal(length, strlen(text));
	return text;
}

// The part after the time.
static void check(const struct yard_event *event, const char *expected)
{
	static const char time[] = " 11.684997: ";
	const char *at = strstr(line_of(event, &kswapd), time);

	assert_non_null(at);
	assert_string_equal(at + strlen(time), expected);
}

static void heads(void **state)
{
	struct yard_task interrupt = {.pid = 7, .comm = "fifteen letters", .flags = YARD_TASK_INTERRUPT};
	struct yard_event free_page = {.kind = YARD_EVENT_PAGE_FREE, .pfn = 0x80a8, .cpu = 12};

	(void)state;
	assert_string_equal(line_of(EVENT(KSWAPD_SLEEP, 0), &kswapd),
			    "         kswapd0-43      [000] .....    11.684997: mm_vmscan_kswapd_sleep: nid=0");
	assert_string_equal(line_of(EVENT(KSWAPD_SLEEP, 0), NULL),
			    "          <idle>-0       [000] .....    11.684997: mm_vmscan_kswapd_sleep: nid=0");
	assert_string_equal(line_of(&free_page, &interrupt), " fifteen letters-7       [012] d.h..    11.684997: "
							     "mm_page_free: page=ffffea0000202a00 pfn=0x80a8 order=0");
	free_page.kind = YARD_EVENT_TAKE;
	assert_non_null(strstr(line_of(&free_page, &kswapd), " [012] ...2. "));
	free_page.kind = YARD_EVENT_PAGE_PCPU_DRAIN;
	assert_non_null(strstr(line_of(&free_page, &kswapd), " [012] d..3. "));
}

static void page_events(void **state)
{
	(void)state;
	check(&(struct yard_event){.kind = YARD_EVENT_PAGE_ALLOC,
				   .pfn = 0x8576,
				   .a = YARD_GFP_KERNEL_ACCOUNT | YARD_GFP_ZERO | YARD_GFP_COMP},
	      "mm_page_alloc: page=ffffea0000215d80 pfn=0x8576 order=0 migratetype=0 "
	      "gfp_flags=GFP_KERNEL_ACCOUNT|__GFP_ZERO|__GFP_COMP");
	check(&(struct yard_event){.kind = YARD_EVENT_PAGE_ALLOC, .pfn = YARD_PFN_NONE, .order = 9, .migratetype = 1},
	      "mm_page_alloc: page=0000000000000000 pfn=0x0 order=9 migratetype=1 gfp_flags=none");
	check(&(struct yard_event){.kind = YARD_EVENT_PAGE_FREE_BATCHED, .pfn = 0x10},
	      "mm_page_free_batched: page=ffffea0000000400 pfn=0x10 order=0");
	check(&(struct yard_event){.kind = YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED, .pfn = 0x8082, .order = 1, .a = 1},
	      "mm_page_alloc_zone_locked: page=ffffea0000202080 pfn=0x8082 order=1 migratetype=0 percpu_refill=1");
	check(&(struct yard_event){.kind = YARD_EVENT_PAGE_PCPU_DRAIN, .pfn = 0x498a, .migratetype = 2},
	      "mm_page_pcpu_drain: page=ffffea0000126280 pfn=0x498a order=0 migratetype=2");
	check(
		&(struct yard_event){
			.kind = YARD_EVENT_PAGE_ALLOC_EXTFRAG, .pfn = 0x8400, .order = 3, .a = 9, .b = 1, .c = 1},
		"mm_page_alloc_extfrag: page=ffffea0000210000 pfn=0x8400 alloc_order=3 fallback_order=9 "
		"pageblock_order=9 "
		"alloc_migratetype=0 fallback_migratetype=1 fragmenting=0 change_ownership=1");
	check(&(struct yard_event){.kind = YARD_EVENT_PAGE_ALLOC_EXTFRAG, .pfn = 1, .order = 0, .a = 8, .b = 2},
	      "mm_page_alloc_extfrag: page=ffffea0000000040 pfn=0x1 alloc_order=0 fallback_order=8 pageblock_order=9 "
	      "alloc_migratetype=0 fallback_migratetype=2 fragmenting=1 change_ownership=0");
	check(
		&(struct yard_event){
			.kind = YARD_EVENT_SETUP_PER_ZONE_WMARKS, .zone = 6, .pfn = 1, .a = 2, .b = 3, .c = 4},
		"mm_setup_per_zone_wmarks: node_id=1 zone name=DMA32 watermark min=1 low=2 high=3 promo=4");
	check(&(struct yard_event){.kind = YARD_EVENT_LOWMEM_RESERVE, .zone = 0, .a = 2, .b = 444},
	      "mm_setup_per_zone_lowmem_reserve: node_id=0 zone name=DMA upper_zone name=Normal "
	      "lowmem_reserve_pages=444");
	check(&(struct yard_event){.kind = YARD_EVENT_TOTALRESERVE, .a = 1456},
	      "mm_calculate_totalreserve_pages: totalreserve_pages=1456");
	check(&(struct yard_event){.kind = YARD_EVENT_WAKEUP_KSWAPD,
				   .zone = 1,
				   .order = 9,
				   .a = 1,
				   .b = YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_COMP},
	      "mm_vmscan_wakeup_kswapd: nid=0 order=9 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_COMP");
	check(&(struct yard_event){.kind = YARD_EVENT_WAKEUP_KCOMPACTD, .zone = 1, .order = 9, .a = 2},
	      "mm_compaction_wakeup_kcompactd: nid=0 order=9 classzone_idx=Normal  ");
	check(&(struct yard_event){.kind = YARD_EVENT_WAKEUP_KCOMPACTD, .zone = 1, .order = UINT8_MAX, .a = 3},
	      "mm_compaction_wakeup_kcompactd: nid=0 order=-1 classzone_idx=Movable ");
}

static void compaction_events(void **state)
{
	(void)state;
	check(EVENT(COMPACTION_BEGIN, 0x1000, 0x1000, 0x1fe00, 0x1ffd7, 1),
	      "mm_compaction_begin: zone_start=0x1000 migrate_pfn=0x1000 free_pfn=0x1fe00 zone_end=0x1ffd7, mode=sync");
	check(EVENT(COMPACTION_END, 0x1000, 0x1fe00, 0x1fe00, 0x1ffd7, 0, 6),
	      "mm_compaction_end: zone_start=0x1000 migrate_pfn=0x1fe00 free_pfn=0x1fe00 zone_end=0x1ffd7, mode=async "
	      "status=partial_skipped");
	check(EVENT(COMPACTION_FINISHED, 0, 1, 9, 4),
	      "mm_compaction_finished: node=0 zone=DMA32    order=9 ret=continue");
	check(EVENT(COMPACTION_FINISHED, 1, 2, -1, 8),
	      "mm_compaction_finished: node=1 zone=Normal   order=-1 ret=success");
	check(EVENT(COMPACTION_SUITABLE, 0, 0, 9, 1),
	      "mm_compaction_suitable: node=0 zone=DMA      order=9 ret=skipped");
	check(EVENT(COMPACTION_DEFERRED, 0, 1, 9, 2, 2, 0),
	      "mm_compaction_deferred: node=0 zone=DMA32    order=9 order_failed=0 consider=2 limit=4");
	check(EVENT(COMPACTION_DEFER_COMPACTION, 0, 1, 9, 0, 3, 0),
	      "mm_compaction_defer_compaction: node=0 zone=DMA32    order=9 order_failed=0 consider=0 limit=8");
	check(EVENT(COMPACTION_DEFER_RESET, 0, 3, 9, 0, 0, 10),
	      "mm_compaction_defer_reset: node=0 zone=Movable  order=9 order_failed=10 consider=0 limit=1");
	check(EVENT(ISOLATE_MIGRATEPAGES, 1, 0x200, 511, 0),
	      "mm_compaction_isolate_migratepages: range=(0x1 ~ 0x200) nr_scanned=511 nr_taken=0");
	check(EVENT(ISOLATE_FREEPAGES, 0xe00, 0x1000, 512, 0),
	      "mm_compaction_isolate_freepages: range=(0xe00 ~ 0x1000) nr_scanned=512 nr_taken=0");
	check(EVENT(FAST_ISOLATE_FREEPAGES, 0x800, 0xa00, 3, 101),
	      "mm_compaction_fast_isolate_freepages: range=(0x800 ~ 0xa00) nr_scanned=3 nr_taken=101");
	check(EVENT(COMPACTION_MIGRATEPAGES, 0, 32), "mm_compaction_migratepages: nr_migrated=0 nr_failed=32");
	check(EVENT(KCOMPACTD_SLEEP, 0), "mm_compaction_kcompactd_sleep: nid=0");
	check(EVENT(KCOMPACTD_WAKE, 0, 9, 1), "mm_compaction_kcompactd_wake: nid=0 order=9 classzone_idx=DMA32   ");
	check(EVENT(TRY_TO_COMPACT_PAGES, 9, YARD_GFP_TRANSHUGE, 2),
	      "mm_compaction_try_to_compact_pages: order=9 gfp_mask=GFP_TRANSHUGE priority=2");
	check(EVENT(MIGRATE_PAGES_START, 1, 0), "mm_migrate_pages_start: mode=MIGRATE_SYNC_LIGHT reason=compaction");
	check(EVENT(MIGRATE_PAGES, 0, 1, 0, 0, 0, 0, 1, 0),
	      "mm_migrate_pages: nr_succeeded=0 nr_failed=1 nr_thp_succeeded=0 nr_thp_failed=0 nr_thp_split=0 "
	      "nr_split=0 "
	      "mode=MIGRATE_SYNC_LIGHT reason=compaction");
	check(EVENT(MIGRATE_PAGES_START, 2, 8), "mm_migrate_pages_start: mode=MIGRATE_SYNC reason=demotion");
	check(EVENT(MIGRATE_PAGES_START, 3, 11), "mm_migrate_pages_start: mode=0x3 reason=0xb");
}

static void reclaim_events(void **state)
{
	const struct yard_task interrupt = {.pid = 9, .flags = YARD_TASK_INTERRUPT};

	(void)state;
	check(EVENT(KSWAPD_WAKE, 0, 1, 9), "mm_vmscan_kswapd_wake: nid=0 order=9");
	check(EVENT(BALANCE_PGDAT_BEGIN, 0, 9, 2),
	      "mm_vmscan_balance_pgdat_begin: nid=0 order=9 highest_zoneidx=Normal  ");
	check(EVENT(BALANCE_PGDAT_END, 0, 0, 2, 1047),
	      "mm_vmscan_balance_pgdat_end: nid=0 order=0 highest_zoneidx=Normal   nr_reclaimed=1047");
	check(EVENT(DIRECT_RECLAIM_BEGIN, YARD_GFP_NOFS, 210, 1, 3),
	      "mm_vmscan_direct_reclaim_begin: order=3 gfp_flags=GFP_NOFS pid=210 memcg_id=1 ");
	assert_non_null(strstr(line_of(EVENT(DIRECT_RECLAIM_END, 33, 210, 1), &interrupt),
			       "mm_vmscan_direct_reclaim_end: nr_reclaimed=33 pid=210 memcg_id=1 (in-irq)"));
	check(EVENT(NODE_RECLAIM_BEGIN, 1, 0, YARD_GFP_KERNEL),
	      "mm_vmscan_node_reclaim_begin: nid=1 order=0 gfp_flags=GFP_KERNEL");
	check(EVENT(NODE_RECLAIM_END, 0, 5, 0), "mm_vmscan_node_reclaim_end: nr_reclaimed=0 pid=5 memcg_id=0 ");
	check(EVENT(SHRINK_SLAB_START, 2, 0, 43, 1, 6, YARD_GFP_KERNEL, 13, 6, 6, 6),
	      "mm_shrink_slab_start: shrinker2+0x0/0x0 0000000000000002: nid: 0 pid: 43 memcg_id: 1 objects to shrink "
	      "6 "
	      "gfp_flags GFP_KERNEL cache items 13 delta 6 total_scan 6 priority 6 ");
	check(EVENT(SHRINK_SLAB_END, 2, 0, 43, 1, 6, 12, 6, 0),
	      "mm_shrink_slab_end: shrinker2+0x0/0x0 0000000000000002: nid: 0 pid: 43 memcg_id: 1 unused scan count 6 "
	      "new scan count 12 total_scan 6 last shrinker return val 0 ");
	check(EVENT(LRU_ISOLATE, 2, 9, 64, 256, 0, 256, 2),
	      "mm_vmscan_lru_isolate: classzone=2 order=9 nr_requested=64 nr_scanned=256 nr_skipped=0 nr_taken=256 "
	      "lru=inactive_file");
	check(EVENT(LRU_SHRINK_INACTIVE, 0, 256, 256, 0, 0, 0, 0, 0, 0, 0, 0, 6, 10),
	      "mm_vmscan_lru_shrink_inactive: nid=0 nr_scanned=256 nr_reclaimed=256 nr_dirty=0 nr_writeback=0 "
	      "nr_congested=0 nr_immediate=0 nr_activate_anon=0 nr_activate_file=0 nr_ref_keep=0 nr_unmap_fail=0 "
	      "priority=6 "
	      "flags=RECLAIM_WB_FILE|RECLAIM_WB_ASYNC");
	check(EVENT(LRU_SHRINK_ACTIVE, 0, 32, 5, 27, 6, 12, 9),
	      "mm_vmscan_lru_shrink_active: nid=0 nr_taken=32 nr_active=5 nr_deactivated=27 nr_referenced=6 "
	      "priority=12 "
	      "flags=RECLAIM_WB_ANON|RECLAIM_WB_ASYNC");
	check(EVENT(RECLAIM_PAGES, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
	      "mm_vmscan_reclaim_pages: nid=1 nr_scanned=1 nr_reclaimed=2 nr_dirty=3 nr_writeback=4 nr_congested=5 "
	      "nr_immediate=6 nr_activate_anon=7 nr_activate_file=8 nr_ref_keep=9 nr_unmap_fail=10");
	check(EVENT(WRITE_FOLIO, 0x1000, 9),
	      "mm_vmscan_write_folio: page=ffffea0000040000 pfn=0x1000 flags=RECLAIM_WB_ANON|RECLAIM_WB_ASYNC");
	check(EVENT(VMSCAN_THROTTLED, 0, 100000, 4000, 4),
	      "mm_vmscan_throttled: nid=0 usec_timeout=100000 usect_delayed=4000 reason=VMSCAN_THROTTLE_NOPROGRESS");
	check(EVENT(VMSCAN_THROTTLED, 0, 100000, 4000, 0),
	      "mm_vmscan_throttled: nid=0 usec_timeout=100000 usect_delayed=4000 reason=VMSCAN_THROTTLE_NONE");
	check(EVENT(KSWAPD_RECLAIM_FAIL, 0, 16), "mm_vmscan_kswapd_reclaim_fail: nid=0 failures=16");
	check(EVENT(KSWAPD_CLEAR_HOPELESS, 0, 3), "mm_vmscan_kswapd_clear_hopeless: nid=0 reason=PCP");
	check(EVENT(LRU_INSERTION, 0x2fc2, 0, 0x12),
	      "mm_lru_insertion: folio=ffffea00000bf080 pfn=0x2fc2 lru=0 flags= a b  ");
	check(EVENT(LRU_ACTIVATE, 0x2fc2), "mm_lru_activate: folio=ffffea00000bf080 pfn=0x2fc2");
}

static void oom_events(void **state)
{
	(void)state;
	check(EVENT(RECLAIM_RETRY_ZONE, 0, 2, 0, 100, 200, 30, 1, 1),
	      "reclaim_retry_zone: node=0 zone=Normal   order=0 reclaimable=100 available=200 min_wmark=30 "
	      "no_progress_loops=1 wmark_check=1");
	check(EVENT(COMPACT_RETRY, 9, 1, 3, 2, 16, 1), "compact_retry: order=9 priority=COMPACT_PRIO_SYNC_LIGHT "
						       "compaction_result=progress retries=2 max_retries=16 "
						       "should_retry=1");
	check(EVENT(MARK_VICTIM, 321, 4096, 2048, 1024, 512, 1000, 64, -500),
	      "mark_victim: pid=321 comm=<...> total-vm=4096kB anon-rss=2048kB file-rss:1024kB shmem-rss:512kB "
	      "uid=1000 "
	      "pgtables=64kB oom_score_adj=-500");
	check(EVENT(WAKE_REAPER, 321), "wake_reaper: pid=321");
}

// No kind is without a text, and a short buffer is never overrun.
static void every_kind(void **state)
{
	static const int64_t args[16] = {1, 2, 3};
	char whole[1024], part[1024];

	(void)state;
	for (unsigned kind = 0; kind < YARD_EVENT_KINDS; kind++) {
		struct yard_event event = {.kind = (uint8_t)kind, .args = args, .nr_args = 16};
		size_t length = ftrace_line(whole, sizeof(whole), &event, 0, NULL),
		       named = strlen(yard_event_name(kind));
		const char *at = strstr(whole, yard_event_name(kind));

		assert_non_null(at);
		assert_memory_equal(at + named, ": ", 2);
		assert_true(strlen(at) > named + 4);
		for (size_t size = 0; size <= length; size++) {
			memset(part, 'x', sizeof(part));
			assert_int_equal(ftrace_line(part, size, &event, 0, NULL), length);
			assert_true(part[size] == 'x');
			assert_true(!size || (strlen(part) == size - 1 && !memcmp(part, whole, size - 1)));
		}
	}
}

// ---- round trip ----

static char path[64];

static struct trace_reader *read_back(FILE *file)
{
	struct trace_error error;
	struct trace_reader *reader;

	assert_int_equal(fclose(file), 0);
	reader = trace_open(path, &error);
	if (!reader)
		fail_msg("%s", error.text);
	assert_int_equal(trace_reader_format(reader), TRACE_FORMAT_TEXT);
	return reader;
}

static FILE *begin_file(void)
{
	FILE *file;

	snprintf(path, sizeof(path), "/tmp/pageyard-test-ftrace-%d", (int)getpid());
	file = fopen(path, "w");
	assert_non_null(file);
	ftrace_header(file, 2);
	return file;
}

static void put_line(FILE *file, const struct yard_event *event, uint64_t ns, const struct yard_task *task)
{
	char text[1024];

	assert_true(ftrace_line(text, sizeof(text), event, ns, task) < sizeof(text));
	fprintf(file, "%s\n", text);
}

static void next(struct trace_reader *reader, struct trace_event *event)
{
	struct trace_error error;

	if (trace_next(reader, event, &error) != 1)
		fail_msg("%s", error.text);
}

static void nothing_left(struct trace_reader *reader)
{
	struct trace_event event;
	struct trace_error error;

	assert_int_equal(trace_next(reader, &event, &error), 0);
	trace_close(reader);
	unlink(path);
}

#define assert_fields(event, kind_, pfn_, end_, order_, a_, b_, c_)                                                    \
	do {                                                                                                           \
		assert_string_equal(trace_kind_name((event)->kind), trace_kind_name(kind_));                           \
		assert_int_equal((event)->pfn, pfn_);                                                                  \
		assert_int_equal((event)->end_pfn, end_);                                                              \
		assert_int_equal((event)->order, order_);                                                              \
		assert_int_equal((event)->a, a_);                                                                      \
		assert_int_equal((event)->b, b_);                                                                      \
		assert_int_equal((event)->c, c_);                                                                      \
	} while (0)

static void tracepoints_come_back(void **state)
{
	FILE *file = begin_file();
	struct trace_reader *reader;
	struct trace_event e;

	(void)state;
	put_line(file, EVENT(COMPACTION_BEGIN, 0x1000, 0x1200, 0x1fe00, 0x1ffd7, 1), 1000, &kswapd);
	put_line(file, EVENT(COMPACTION_END, 0x1000, 0x1400, 0x1fc00, 0x1ffd7, 0, 8), 2000, &kswapd);
	put_line(file, EVENT(ISOLATE_FREEPAGES, 0xe00, 0x1000, 512, 7), 3000, &kswapd);
	put_line(file, EVENT(COMPACTION_SUITABLE, 1, 2, 9, 4), 4000, &kswapd);
	put_line(file, EVENT(COMPACTION_FINISHED, 0, 1, -1, 3), 5000, &kswapd);
	put_line(file, EVENT(COMPACTION_MIGRATEPAGES, 30, 2), 6000, &kswapd);
	put_line(file, EVENT(BALANCE_PGDAT_END, 1, 9, 3, 77), 7000, &kswapd);
	put_line(file, EVENT(DIRECT_RECLAIM_BEGIN, YARD_GFP_NOFS | YARD_GFP_COMP, 43, 0, 4), 8000, &kswapd);
	put_line(file, EVENT(DIRECT_RECLAIM_END, 34, 43, 0), 9000, &kswapd);
	put_line(file, EVENT(TRY_TO_COMPACT_PAGES, 9, YARD_GFP_TRANSHUGE, 2), 10000, &kswapd);
	put_line(file, EVENT(LRU_SHRINK_INACTIVE, 1, 256, 250, 0, 0, 0, 0, 0, 0, 0, 0, 12, 10), 11000, &kswapd);
	put_line(file, EVENT(MIGRATE_PAGES_START, 0, 0), 12000, NULL);
	reader = read_back(file);

	next(reader, &e);
	assert_fields(&e, TRACE_COMPACTION_BEGIN, 0x1200, 0x1fe00, 0, 1, 0, 0);
	assert_int_equal(e.ns, 1000);
	assert_int_equal(e.pid, 43);
	next(reader, &e);
	assert_fields(&e, TRACE_COMPACTION_END, 0x1400, 0x1fc00, 0, 0, 8, 0);
	next(reader, &e);
	assert_int_equal(e.kind, TRACE_ISOLATE_FREEPAGES);
	assert_int_equal(e.pfn, 0xe00);
	assert_int_equal(e.a, 512);
	assert_int_equal(e.b, 7);
	next(reader, &e);
	assert_fields(&e, TRACE_COMPACTION_SUITABLE, 0, 0, 9, 1, 2, 4);
	next(reader, &e);
	assert_fields(&e, TRACE_COMPACTION_FINISHED, 0, 0, TRACE_ORDER_NONE, 0, 1, 3);
	next(reader, &e);
	assert_fields(&e, TRACE_COMPACTION_MIGRATEPAGES, 0, 0, 0, 30, 2, 0);
	next(reader, &e);
	assert_fields(&e, TRACE_BALANCE_PGDAT_END, 0, 0, 9, 1, 3, 77);
	next(reader, &e);
	assert_fields(&e, TRACE_DIRECT_RECLAIM_BEGIN, 0, 0, 4, 0, 0, 0);
	assert_int_equal(e.gfp, YARD_GFP_NOFS | YARD_GFP_COMP);
	next(reader, &e);
	assert_int_equal(e.kind, TRACE_DIRECT_RECLAIM_END);
	assert_int_equal(e.c, 34);
	next(reader, &e);
	assert_fields(&e, TRACE_TRY_TO_COMPACT_PAGES, 0, 0, 9, 2, 0, 0);
	assert_int_equal(e.gfp, YARD_GFP_TRANSHUGE);
	next(reader, &e);
	assert_int_equal(e.kind, TRACE_SHRINK_INACTIVE);
	assert_int_equal(e.a, 1);
	assert_int_equal(e.b, 12);
	assert_int_equal(e.c, 250);
	next(reader, &e);
	assert_int_equal(e.kind, TRACE_OTHER);
	assert_int_equal(e.pid, 0);
	nothing_left(reader);
}

static const struct { // kinds that both sides know and whose fields the text tells
	unsigned kind;
	enum trace_kind read;
} both[] = {
	{YARD_EVENT_PAGE_ALLOC, TRACE_PAGE_ALLOC},
	{YARD_EVENT_PAGE_FREE, TRACE_PAGE_FREE},
	{YARD_EVENT_PAGE_FREE_BATCHED, TRACE_PAGE_FREE_BATCHED},
	{YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED, TRACE_PAGE_ALLOC_ZONE_LOCKED},
	{YARD_EVENT_PAGE_PCPU_DRAIN, TRACE_PAGE_PCPU_DRAIN},
	{YARD_EVENT_PAGE_ALLOC_EXTFRAG, TRACE_PAGE_ALLOC_EXTFRAG},
	{YARD_EVENT_TAKE, TRACE_TAKE},
	{YARD_EVENT_PUT, TRACE_PUT},
	{YARD_EVENT_FREE_DIRECT, TRACE_FREE_DIRECT},
	{YARD_EVENT_BULK_DRAIN, TRACE_BULK_DRAIN},
	{YARD_EVENT_CLAIM_TRY, TRACE_CLAIM_TRY},
	{YARD_EVENT_MOVE_BLOCK, TRACE_MOVE_BLOCK},
	{YARD_EVENT_WAKEUP_KSWAPD, TRACE_WAKEUP_KSWAPD},
};

static void same_event(const struct yard_event *wrote, const struct trace_event *read)
{
	unsigned i = 0;

	while (i < COUNT(both) && both[i].kind != wrote->kind)
		i++;
	if (i == COUNT(both))
		return;
	assert_string_equal(trace_kind_name(read->kind), trace_kind_name(both[i].read));
	if (wrote->kind == YARD_EVENT_WAKEUP_KSWAPD) {
		assert_int_equal(read->order, wrote->order);
		assert_int_equal(read->gfp, (uint32_t)wrote->b);
		return;
	}
	if (wrote->kind != YARD_EVENT_BULK_DRAIN)
		assert_int_equal(read->pfn, wrote->pfn == YARD_PFN_NONE ? TRACE_PFN_NONE : wrote->pfn);
	if (wrote->kind != YARD_EVENT_TAKE && wrote->kind != YARD_EVENT_MOVE_BLOCK)
		assert_int_equal(read->order, wrote->order);
	if (wrote->kind == YARD_EVENT_PAGE_ALLOC)
		assert_int_equal(read->gfp, (uint32_t)wrote->a);
	if (wrote->kind == YARD_EVENT_PAGE_ALLOC || wrote->kind == YARD_EVENT_PUT
	    || wrote->kind == YARD_EVENT_CLAIM_TRY)
		assert_int_equal(read->migratetype, wrote->migratetype);
	if (wrote->kind == YARD_EVENT_PAGE_ALLOC_EXTFRAG || wrote->kind == YARD_EVENT_CLAIM_TRY
	    || wrote->kind == YARD_EVENT_BULK_DRAIN || wrote->kind == YARD_EVENT_MOVE_BLOCK) {
		assert_int_equal(read->a, wrote->a);
		assert_int_equal(read->b, wrote->b);
	}
}

// What an engine at work sends, down to failing requests.
static void work(void)
{
	static const uint32_t gfp[] = {GFP_U, GFP_M, GFP_R, YARD_GFP_ATOMIC};
	uint32_t held[4096], orders[4096], nr = 0;

	for (unsigned i = 0; i < 6000; i++) {
		unsigned order = i % 7 == 0 ? i % 5 : 0;
		uint32_t pfn = i % 3 == 2 && nr ? YARD_PFN_NONE : yard_alloc(yard, gfp[i % 4], order);

		if (pfn != YARD_PFN_NONE && nr < COUNT(held)) {
			held[nr] = pfn;
			orders[nr++] = order;
		} else if (nr) {
			unsigned which = i * 7919 % nr;

			assert_int_equal(yard_free(yard, held[which], orders[which]), YARD_OK);
			held[which] = held[--nr];
			orders[which] = orders[nr];
		}
	}
	while (nr--)
		yard_free(yard, held[nr], orders[nr]);
	yard_drain_all(yard, -1);
}

static void a_run_comes_back(void **state)
{
	struct trace_reader *reader;
	struct trace_event read;
	FILE *file;

	(void)state;
	build_normal(plain_config(), 4 * BLOCK);
	work();
	assert_true(nr_events > 5000);
	file = begin_file();
	for (size_t i = 0; i < nr_events; i++)
		if (!yard_event_fields(events[i].kind)) // their args did not outlive the call
			put_line(file, &events[i], i * 1000, &kswapd);
	reader = read_back(file);
	for (size_t i = 0; i < nr_events; i++) {
		if (yard_event_fields(events[i].kind))
			continue;
		next(reader, &read);
		assert_int_equal(read.ns, i * 1000);
		same_event(&events[i], &read);
	}
	nothing_left(reader);
	for (unsigned i = 0; i < COUNT(both); i++)
		if (both[i].kind <= YARD_EVENT_PAGE_ALLOC_EXTFRAG && both[i].kind != YARD_EVENT_PAGE_FREE_BATCHED)
			assert_true(count_events(both[i].kind) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(page_events),
		cmocka_unit_test(compaction_events),
		cmocka_unit_test(reclaim_events),
		cmocka_unit_test(oom_events),
		cmocka_unit_test(every_kind),
		cmocka_unit_test(tracepoints_come_back),
		cmocka_unit_test(a_run_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, demolish);
}
