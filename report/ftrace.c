// SPDX-License-Identifier: Apache-2.0
//
// The text of events (spec 04 T-1, spec 03 3.11, spec 02 7.4).
//
// Each kind has a format. "%d{order}" prints the field `order` as conversion d; fields are those of
// yard_event_fields(), or of struct yard_event itself for kinds that have none. The conversions are in print_field().

#include "report/ftrace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <pageyard/yard.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct line {
	char *text;
	size_t size, length;
	const struct yard_event *event;
	bool interrupt;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
	size_t left = line->length < line->size ? line->size - line->length : 0;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(left ? line->text + line->length : NULL, left, format, arguments);
	va_end(arguments);
	if (n > 0)
		line->length += (size_t)n;
}

// ---- names of values ----

struct names {
	char conversion;
	unsigned nr;
	const char *name[11];
};

static const struct names names[] = {
	{ 's', 9, { "not_suitable_zone", "skipped", "deferred", "no_suitable_page", "continue", "complete",
		    "partial_skipped", "contended", "success" } },
	{ 'm', 3, { "MIGRATE_ASYNC", "MIGRATE_SYNC_LIGHT", "MIGRATE_SYNC" } },
	{ 'r', 11, { "compaction", "memory_failure", "memory_hotplug", "syscall_or_cpuset", "mempolicy_mbind",
		     "numa_misplaced", "contig_range", "longterm_pin", "demotion", "damon", "never_migrated" } },
	{ 'l', 5, { "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable" } },
	{ 'p', 3, { "COMPACT_PRIO_SYNC_FULL", "COMPACT_PRIO_SYNC_LIGHT", "COMPACT_PRIO_ASYNC" } },
	{ 'c', 4, { NULL, "failed", "withdrawn", "progress" } },
	{ 'h', 4, { "OTHER", "KSWAPD", "DIRECT", "PCP" } },
	{ 'y', 2, { "async", "sync" } },
};

static bool put_name(struct line *line, char conversion, int64_t value)
{
	for (unsigned i = 0; i < COUNT(names); i++) {
		if (names[i].conversion != conversion)
			continue;
		if (value >= 0 && value < names[i].nr && names[i].name[value])
			put(line, "%s", names[i].name[value]);
		else
			put(line, "0x%" PRIx64, (uint64_t)value);
		return true;
	}
	return false;
}

static void put_flags(struct line *line, uint64_t value, const char *none, const char *const *flag, unsigned nr)
{
	const char *bar = "";

	if (!value)
		put(line, "%s", none);
	for (unsigned bit = 0; bit < nr; bit++) {
		if (!(value >> bit & 1) || !flag[bit])
			continue;
		put(line, "%s%s", bar, flag[bit]);
		value &= ~(UINT64_C(1) << bit);
		bar = "|";
	}
	if (value)
		put(line, "%s0x%" PRIx64, bar, value);
}

static void put_zone(struct line *line, int width, int64_t value)
{
	char number[24];

	snprintf(number, sizeof(number), "0x%" PRIx64, (uint64_t)value);
	put(line, "%-*s", width, value >= 0 && value < YARD_ZONE_TYPES ? yard_zone_type_name((unsigned)value) : number);
}

static void put_gfp(struct line *line, int64_t value)
{
	char text[512];

	yard_gfp_print((uint32_t)value, text, sizeof(text));
	put(line, "%s", text);
}

// Of mm_lru_insertion.
static void put_page_flags(struct line *line, uint64_t flags)
{
	put(line, "%s%s%s%s%s%s", flags & 0x1 ? "M" : " ", flags & 0x2 ? "a" : "f", flags & 0x8 ? "s" : " ",
	    flags & 0x10 ? "b" : " ", flags & 0x20 ? "d" : " ", flags & 0x40 ? "B" : " ");
}

// The address of the page's descriptor on a machine whose kernel was not moved; none: a null pointer.
static void put_page(struct line *line, int64_t pfn)
{
	const uint64_t vmemmap = UINT64_C(0xffffea0000000000), descriptor = 64;

	put(line, "%016" PRIx64, pfn == YARD_PFN_NONE ? 0 : vmemmap + (uint64_t)pfn * descriptor);
}

static void put_pfn(struct line *line, int64_t pfn) // of events that only the records have
{
	if (pfn == YARD_PFN_NONE)
		put(line, "-1");
	else
		put(line, "0x%" PRIx64, (uint64_t)pfn);
}

// ---- fields ----

static bool is_word(const char *word, size_t length, const char *wanted)
{
	return strlen(wanted) == length && memcmp(word, wanted, length) == 0;
}

static int64_t own_field(const struct yard_event *event, const char *name, size_t length)
{
	const struct {
		const char *name;
		int64_t value;
	} fields[] = {
		{ "pfn", event->pfn }, { "order", event->order }, { "migratetype", event->migratetype },
		{ "nid", event->zone / YARD_ZONE_TYPES }, { "zid", event->zone % YARD_ZONE_TYPES },
		{ "zone", event->zone }, { "a", event->a }, { "b", event->b }, { "c", event->c },
	};

	for (unsigned i = 0; i < COUNT(fields); i++)
		if (is_word(name, length, fields[i].name))
			return fields[i].value;
	return 0;
}

static int64_t field(const struct yard_event *event, const char *name, size_t length)
{
	const char *all = yard_event_fields(event->kind);
	unsigned i = 0;

	if (!all)
		return own_field(event, name, length);
	for (; *all && i < event->nr_args; i++) {
		size_t n = strcspn(all, " ");

		if (n == length && memcmp(all, name, n) == 0)
			return event->args[i];
		all += n + strspn(all + n, " ");
	}
	return 0;
}

static void print_field(struct line *line, char conversion, int64_t value)
{
	static const char *const writeback[] = { "RECLAIM_WB_ANON", "RECLAIM_WB_FILE", "RECLAIM_WB_SYNC",
						 "RECLAIM_WB_ASYNC", "RECLAIM_WB_MIXED" };
	static const char *const throttle[] = { "VMSCAN_THROTTLE_WRITEBACK", "VMSCAN_THROTTLE_ISOLATED",
						"VMSCAN_THROTTLE_NOPROGRESS", "VMSCAN_THROTTLE_CONGESTED" };

	switch (conversion) {
	case 'd': put(line, "%" PRId64, value); break;
	case 'u': put(line, "%" PRIu64, (uint64_t)value); break;
	case 'x': put(line, "%" PRIx64, (uint64_t)value); break;
	case 'o': put(line, "%d", value == UINT8_MAX ? -1 : (int)value); break; // an order, or none
	case 'n': put(line, "%" PRIx64, value == YARD_PFN_NONE ? 0 : (uint64_t)value); break;
	case 'N': put_pfn(line, value); break;
	case 'P': put_page(line, value); break;
	case 'A': put(line, "%016" PRIx64, (uint64_t)value); break;
	case 'g': put_gfp(line, value); break;
	case 'z': put_zone(line, 8, value); break;
	case 'Z': put_zone(line, 0, value); break;
	case 'w': put_flags(line, (uint64_t)value, "RECLAIM_WB_NONE", writeback, COUNT(writeback)); break;
	case 't': put_flags(line, (uint64_t)value, "VMSCAN_THROTTLE_NONE", throttle, COUNT(throttle)); break;
	case 'f': put_page_flags(line, (uint64_t)value); break;
	case 'L': put(line, "%" PRIu64, UINT64_C(1) << (value & 63)); break;
	case 'B': put(line, "%d", YARD_PAGEBLOCK_ORDER); break;
	case 'F': put(line, "%d", value < YARD_PAGEBLOCK_ORDER); break; // fragmenting
	case 'i': put(line, "%s", line->interrupt ? "(in-irq)" : ""); break;
	default: put_name(line, conversion, value); break;
	}
}

static void print_format(struct line *line, const char *format)
{
	for (;;) {
		size_t plain = strcspn(format, "%"), length;

		put(line, "%.*s", (int)plain, format);
		format += plain;
		if (!*format)
			return;
		length = strcspn(format + 3, "}");
		print_field(line, format[1], field(line->event, format + 3, length));
		format += 3 + length + 1;
	}
}

// A tracepoint that has no format of its own.
static void print_fields(struct line *line)
{
	const char *all = yard_event_fields(line->event->kind), *space = "";

	for (unsigned i = 0; all && *all && i < line->event->nr_args; i++) {
		size_t n = strcspn(all, " ");

		put(line, "%s%.*s=%" PRId64, space, (int)n, all, line->event->args[i]);
		all += n + strspn(all + n, " ");
		space = " ";
	}
}

// ---- formats ----

#define RANGE	  "range=(0x%x{start_pfn} ~ 0x%x{end_pfn}) nr_scanned=%u{nr_scanned} nr_taken=%u{nr_taken}"
#define POSITIONS "zone_start=0x%x{zone_start} migrate_pfn=0x%x{migrate_pfn} free_pfn=0x%x{free_pfn}" \
		  " zone_end=0x%x{zone_end}, mode=%y{sync}"
#define DEFERRAL  "node=%d{nid} zone=%z{idx} order=%d{order} order_failed=%d{order_failed}" \
		  " consider=%u{considered} limit=%L{defer_shift}"
#define VERDICT	  "node=%d{nid} zone=%z{idx} order=%d{order} ret=%s{ret}"
#define RECLAIMED "nr_reclaimed=%u{nr_reclaimed} pid=%d{pid} memcg_id=%u{memcg_id} %i{}"
#define SHRUNK	  "nid=%d{nid} nr_scanned=%d{nr_scanned} nr_reclaimed=%d{nr_reclaimed} nr_dirty=%d{nr_dirty}"	     \
		  " nr_writeback=%d{nr_writeback} nr_congested=%d{nr_congested} nr_immediate=%d{nr_immediate}"	     \
		  " nr_activate_anon=%d{nr_activate0} nr_activate_file=%d{nr_activate1}"			     \
		  " nr_ref_keep=%d{nr_ref_keep} nr_unmap_fail=%d{nr_unmap_fail}"
#define SHRINKER  "shrinker%d{shr}+0x0/0x0 %A{shr}: nid: %d{nid} pid: %d{pid} memcg_id: %u{memcg_id}"
#define PAGE	  "page=%P{pfn} pfn=0x%n{pfn}"
#define STEP	  "pfn=%N{pfn}"

static const char *const formats[YARD_EVENT_STEPS] = {
	[YARD_EVENT_PAGE_ALLOC] = PAGE " order=%d{order} migratetype=%d{migratetype} gfp_flags=%g{a}",
	[YARD_EVENT_PAGE_FREE] = PAGE " order=%d{order}",
	[YARD_EVENT_PAGE_FREE_BATCHED] = PAGE " order=0",
	[YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED] = PAGE " order=%u{order} migratetype=%d{migratetype} percpu_refill=%d{a}",
	[YARD_EVENT_PAGE_PCPU_DRAIN] = PAGE " order=%d{order} migratetype=%d{migratetype}",
	[YARD_EVENT_PAGE_ALLOC_EXTFRAG] = PAGE " alloc_order=%d{order} fallback_order=%d{a} pageblock_order=%B{}"
					       " alloc_migratetype=%d{migratetype} fallback_migratetype=%d{b}"
					       " fragmenting=%F{a} change_ownership=%d{c}",
	[YARD_EVENT_SETUP_PER_ZONE_WMARKS] = "node_id=%d{nid} zone name=%Z{zid} watermark min=%u{pfn} low=%u{a}"
					     " high=%u{b} promo=%u{c}",
	[YARD_EVENT_LOWMEM_RESERVE] = "node_id=%d{nid} zone name=%Z{zid} upper_zone name=%Z{a}"
				      " lowmem_reserve_pages=%d{b}",
	[YARD_EVENT_TOTALRESERVE] = "totalreserve_pages=%u{a}",
	[YARD_EVENT_WAKEUP_KSWAPD] = "nid=%d{nid} order=%d{order} gfp_flags=%g{b}",
	[YARD_EVENT_WAKEUP_KCOMPACTD] = "nid=%d{nid} order=%o{order} classzone_idx=%z{a}",
	[YARD_EVENT_TAKE] = STEP,
	[YARD_EVENT_PUT] = STEP " order=%d{order} mt=%d{migratetype}",
	[YARD_EVENT_FREE_DIRECT] = STEP " order=%d{order} fpi=%d{a}",
	[YARD_EVENT_BULK_DRAIN] = "count=%d{a} pindex=%d{b}",
	[YARD_EVENT_CLAIM_TRY] = STEP " current=%d{a} order=%d{order} start=%d{migratetype} block=%d{b}",
	[YARD_EVENT_MOVE_BLOCK] = STEP " old=%d{a} new=%d{b}",

	[YARD_EVENT_TRY_TO_COMPACT_PAGES] = "order=%d{order} gfp_mask=%g{gfp_mask} priority=%d{prio}",
	[YARD_EVENT_COMPACTION_BEGIN] = POSITIONS,
	[YARD_EVENT_COMPACTION_END] = POSITIONS " status=%s{status}",
	[YARD_EVENT_COMPACTION_SUITABLE] = VERDICT,
	[YARD_EVENT_COMPACTION_FINISHED] = VERDICT,
	[YARD_EVENT_COMPACTION_DEFERRED] = DEFERRAL,
	[YARD_EVENT_COMPACTION_DEFER_COMPACTION] = DEFERRAL,
	[YARD_EVENT_COMPACTION_DEFER_RESET] = DEFERRAL,
	[YARD_EVENT_ISOLATE_MIGRATEPAGES] = RANGE,
	[YARD_EVENT_ISOLATE_FREEPAGES] = RANGE,
	[YARD_EVENT_FAST_ISOLATE_FREEPAGES] = RANGE,
	[YARD_EVENT_COMPACTION_MIGRATEPAGES] = "nr_migrated=%u{nr_migrated} nr_failed=%u{nr_failed}",
	[YARD_EVENT_KCOMPACTD_SLEEP] = "nid=%d{nid}",
	[YARD_EVENT_KCOMPACTD_WAKE] = "nid=%d{nid} order=%d{order} classzone_idx=%z{highest_zoneidx}",
	[YARD_EVENT_MIGRATE_PAGES_START] = "mode=%m{mode} reason=%r{reason}",
	[YARD_EVENT_MIGRATE_PAGES] = "nr_succeeded=%u{succeeded} nr_failed=%u{failed}"
				     " nr_thp_succeeded=%u{thp_succeeded} nr_thp_failed=%u{thp_failed}"
				     " nr_thp_split=%u{thp_split} nr_split=%u{large_folio_split}"
				     " mode=%m{mode} reason=%r{reason}",

	[YARD_EVENT_KSWAPD_SLEEP] = "nid=%d{nid}",
	[YARD_EVENT_KSWAPD_WAKE] = "nid=%d{nid} order=%d{order}",
	[YARD_EVENT_BALANCE_PGDAT_BEGIN] = "nid=%d{nid} order=%d{order} highest_zoneidx=%z{highest_zoneidx}",
	[YARD_EVENT_BALANCE_PGDAT_END] = "nid=%d{nid} order=%d{order} highest_zoneidx=%z{highest_zoneidx}"
					 " nr_reclaimed=%u{nr_reclaimed}",
	[YARD_EVENT_DIRECT_RECLAIM_BEGIN] = "order=%d{order} gfp_flags=%g{gfp_flags} pid=%d{pid}"
					    " memcg_id=%u{memcg_id} %i{}",
	[YARD_EVENT_DIRECT_RECLAIM_END] = RECLAIMED,
	[YARD_EVENT_MEMCG_RECLAIM_BEGIN] = "order=%d{order} gfp_flags=%g{gfp_flags} pid=%d{pid}"
					   " memcg_id=%u{memcg_id} %i{}",
	[YARD_EVENT_MEMCG_RECLAIM_END] = RECLAIMED,
	[YARD_EVENT_NODE_RECLAIM_BEGIN] = "nid=%d{nid} order=%d{order} gfp_flags=%g{gfp_flags}",
	[YARD_EVENT_NODE_RECLAIM_END] = RECLAIMED,
	[YARD_EVENT_SHRINK_SLAB_START] = SHRINKER " objects to shrink %d{nr_objects_to_shrink} gfp_flags %g{gfp_flags}"
						  " cache items %d{cache_items} delta %d{delta}"
						  " total_scan %d{total_scan} priority %d{priority} %i{}",
	[YARD_EVENT_SHRINK_SLAB_END] = SHRINKER " unused scan count %d{unused_scan} new scan count %d{new_scan}"
						" total_scan %d{total_scan} last shrinker return val %d{retval} %i{}",
	[YARD_EVENT_LRU_ISOLATE] = "classzone=%d{highest_zoneidx} order=%d{order} nr_requested=%u{nr_requested}"
				   " nr_scanned=%u{nr_scanned} nr_skipped=%u{nr_skipped} nr_taken=%u{nr_taken}"
				   " lru=%l{lru}",
	[YARD_EVENT_WRITE_FOLIO] = "page=%P{pfn} pfn=0x%x{pfn} flags=%w{reclaim_flags}",
	[YARD_EVENT_LRU_SHRINK_INACTIVE] = SHRUNK " priority=%d{priority} flags=%w{reclaim_flags}",
	[YARD_EVENT_LRU_SHRINK_ACTIVE] = "nid=%d{nid} nr_taken=%d{nr_taken} nr_active=%d{nr_active}"
					 " nr_deactivated=%d{nr_deactivated} nr_referenced=%d{nr_referenced}"
					 " priority=%d{priority} flags=%w{reclaim_flags}",
	[YARD_EVENT_RECLAIM_PAGES] = SHRUNK,
	[YARD_EVENT_VMSCAN_THROTTLED] = "nid=%d{nid} usec_timeout=%d{usec_timeout} usect_delayed=%d{usec_delayed}"
					" reason=%t{reason}",
	[YARD_EVENT_KSWAPD_RECLAIM_FAIL] = "nid=%d{nid} failures=%d{failures}",
	[YARD_EVENT_KSWAPD_CLEAR_HOPELESS] = "nid=%d{nid} reason=%h{reason}",

	[YARD_EVENT_LRU_INSERTION] = "folio=%P{pfn} pfn=0x%x{pfn} lru=%d{lru} flags=%f{flags}",
	[YARD_EVENT_LRU_ACTIVATE] = "folio=%P{pfn} pfn=0x%x{pfn}",

	[YARD_EVENT_RECLAIM_RETRY_ZONE] = "node=%d{node} zone=%z{zone} order=%d{order} reclaimable=%u{reclaimable}"
					  " available=%u{available} min_wmark=%u{min_wmark}"
					  " no_progress_loops=%d{no_progress_loops} wmark_check=%d{wmark_check}",
	[YARD_EVENT_COMPACT_RETRY] = "order=%d{order} priority=%p{priority} compaction_result=%c{result}"
				     " retries=%d{retries} max_retries=%d{max_retries} should_retry=%d{ret}",
	[YARD_EVENT_MARK_VICTIM] = "pid=%d{pid} comm=<...> total-vm=%u{total_vm}kB anon-rss=%u{anon_rss}kB"
				   " file-rss:%u{file_rss}kB shmem-rss:%u{shmem_rss}kB uid=%u{uid}"
				   " pgtables=%u{pgtables}kB oom_score_adj=%d{oom_score_adj}",
	[YARD_EVENT_WAKE_REAPER] = "pid=%d{pid}",
	[YARD_EVENT_START_TASK_REAPING] = "pid=%d{pid}",
	[YARD_EVENT_FINISH_TASK_REAPING] = "pid=%d{pid}",
	[YARD_EVENT_SKIP_TASK_REAPING] = "pid=%d{pid}",
	[YARD_EVENT_ALLOC_FAILURE] = "order=%d{order} gfp_mask=%g{gfp_mask} nodemask=0x%x{nodemask} cpuset=0x%x{cpuset}"
				     " printed=%d{printed}",
	[YARD_EVENT_ALLOC_STALL] = "seconds=%d{seconds} order=%d{order} gfp_mask=%g{gfp_mask}",
};

// Reasons: event.h tells what each kind has in its fields.
static const char why[] = "order=%d{order} migratetype=%d{migratetype} node=%d{nid} zone=%z{zid} pfn=0x%n{pfn}"
			  " a=%d{a} b=%d{b} c=%d{c}";

// ---- the line ----

// The latency column as the kernel records it: interrupts off, depth of locks.
static const char *context(unsigned kind, bool interrupt)
{
	switch (kind) {
	case YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED:
	case YARD_EVENT_PAGE_PCPU_DRAIN:
	case YARD_EVENT_PAGE_ALLOC_EXTFRAG:
	case YARD_EVENT_CLAIM_TRY:
		return interrupt ? "d.h3." : "d..3.";
	case YARD_EVENT_TAKE:
	case YARD_EVENT_PUT:
	case YARD_EVENT_BULK_DRAIN:
		return interrupt ? "d.h2." : "...2.";
	case YARD_EVENT_LRU_ISOLATE:
		return interrupt ? "d.h1." : "d..1.";
	default:
		return interrupt ? "d.h.." : ".....";
	}
}

size_t ftrace_line(char *text, size_t size, const struct yard_event *event, uint64_t ns, const struct yard_task *task)
{
	struct line line = { .text = text, .size = size, .event = event };

	if (size)
		text[0] = '\0';
	line.interrupt = task && task->flags & YARD_TASK_INTERRUPT;
	put(&line, "%16.*s-%-7" PRIu32 " [%03u] %s %5" PRIu64 ".%06u: %s: ", (int)sizeof(task->comm) - 1,
	    task ? task->comm : "<idle>", task ? task->pid : 0, event->cpu, context(event->kind, line.interrupt),
	    ns / 1000000000, (unsigned)(ns % 1000000000 / 1000), yard_event_name(event->kind));
	if (event->kind >= YARD_EVENT_STEPS)
		print_format(&line, why);
	else if (formats[event->kind])
		print_format(&line, formats[event->kind]);
	else
		print_fields(&line);
	return line.length;
}

void ftrace_header(FILE *file, unsigned nr_cpus)
{
	fprintf(file, "# tracer: nop\n"
		      "#\n"
		      "# entries-in-buffer/entries-written: 0/0   #P:%u\n"
		      "#\n"
		      "#                                _-----=> irqs-off/BH-disabled\n"
		      "#                               / _----=> need-resched\n"
		      "#                              | / _---=> hardirq/softirq\n"
		      "#                              || / _--=> preempt-depth\n"
		      "#                              ||| / _-=> migrate-disable\n"
		      "#                              |||| /     delay\n"
		      "#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n"
		      "#              | |         |   |||||     |         |\n", nr_cpus);
}
