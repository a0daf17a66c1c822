// SPDX-License-Identifier: Apache-2.0
//
// The table of events: how files name them and their fields, and where each field goes.

#include "trace/event.h"

#include "trace/internal.h"

#define PFN_MAX (UINT64_C(1) << 52) // 64-bit addresses in 4 KiB frames

// clang-format off
#define PFN		{ "pfn", NULL, TRACE_TO_PFN, 0, true }
#define PAGE		{ "pfn", "page", TRACE_TO_PFN, 0, true } // probes of a trace.dat tell the descriptor's address
#define START_PFN	{ "start_pfn", "range", TRACE_TO_PFN, 0, false }
#define END_PFN		{ "end_pfn", NULL, TRACE_TO_END_PFN, 0, false }
#define MIGRATE_PFN	{ "migrate_pfn", NULL, TRACE_TO_PFN, 0, false }
#define FREE_PFN	{ "free_pfn", NULL, TRACE_TO_END_PFN, 0, false }
#define SYNC		{ "sync", "mode", TRACE_TO_A, 0, false }
#define RUN_ORDER	{ "order", NULL, TRACE_TO_RUN_ORDER, 0, false }
#define NODE		{ "nid", "node", TRACE_TO_A, 0, false }
#define HIGHEST_ZONE	{ "highest_zoneidx", "classzone_idx", TRACE_TO_B, 0, false }
#define ZONE_INDEX	{ "idx", "zone", TRACE_TO_B, 0, false }
#define DEFERRAL	NODE, ZONE_INDEX, ORDER_MAYBE, { "considered", "consider", TRACE_TO_C, 0, false }, \
			{ "defer_shift", NULL, TRACE_TO_SHIFT, 0, false }, { "order_failed", NULL, TRACE_TO_FAILED, 0, false }, \
			{ "limit", NULL, TRACE_TO_LIMIT, 0, false } // the text has it in place of the shift
#define ORDER		{ "order", NULL, TRACE_TO_ORDER, 0, true }
#define ORDER_MAYBE	{ "order", NULL, TRACE_TO_ORDER, 0, false }
#define GFP		{ "gfp_flags", NULL, TRACE_TO_GFP, 0, false }
#define TYPE(key)	{ key, NULL, TRACE_TO_MIGRATETYPE, 0, false }
#define ZONE		{ "zone", NULL, TRACE_TO_ZONE, 0, false }
#define A(key)		{ key, NULL, TRACE_TO_A, 0, false }
#define B(key)		{ key, NULL, TRACE_TO_B, 0, false }
#define C(key)		{ key, NULL, TRACE_TO_C, 0, false }
#define EVENT(name, kind, nr, ...)	{ name, sizeof(name) - 1, kind, false, nr, { __VA_ARGS__ } }
#define PROBE(name, kind, nr, ...)	{ name, sizeof(name) - 1, kind, true, nr, { __VA_ARGS__ } }

// Sorted by the length of the name; first_of_length depends on it.
static const struct trace_spec specs[] = {
	PROBE("put", TRACE_PUT, 4, PAGE, TYPE("mt"), ORDER, A("fpi")),
	PROBE("take", TRACE_TAKE, 1, PAGE),
	PROBE("split", TRACE_SPLIT, 2, PAGE, ORDER),
	PROBE("attempt", TRACE_ATTEMPT, 3, { "gfp", NULL, TRACE_TO_GFP, 0, false }, ORDER, A("aflags")),
	PROBE("decay_pcp", TRACE_DECAY_PCP, 1, ZONE),
	PROBE("drain_cpu", TRACE_DRAIN_CPU, 2, A("cpu"), ZONE),
	PROBE("claim_try", TRACE_CLAIM_TRY, 5, PAGE, { "current", NULL, TRACE_TO_A, TRACE_ORDER_MAX, false }, ORDER,
	      TYPE("start"), { "block", NULL, TRACE_TO_B, TRACE_MIGRATETYPE_MAX, false }),
	PROBE("bulk_drain", TRACE_BULK_DRAIN, 2, A("count"), B("pindex")),
	PROBE("move_block", TRACE_MOVE_BLOCK, 3, PAGE, { "old", NULL, TRACE_TO_A, TRACE_MIGRATETYPE_MAX, false },
	      { "new", NULL, TRACE_TO_B, TRACE_MIGRATETYPE_MAX, false }),
	PROBE("drain_zone", TRACE_DRAIN_ZONE, 2, ZONE, A("cpu")),
	PROBE("free_direct", TRACE_FREE_DIRECT, 3, PAGE, ORDER, A("fpi")),
	EVENT("mm_page_free", TRACE_PAGE_FREE, 2, PFN, ORDER),
	PROBE("isolate_free", TRACE_ISOLATE_FREE, 3, A("got"), PAGE, ORDER),
	PROBE("compact_back", TRACE_COMPACT_BACK, 1, PAGE),
	PROBE("putback_free", TRACE_PUTBACK_FREE, 3, PAGE, ORDER, TYPE("mt")),
	EVENT("mm_page_alloc", TRACE_PAGE_ALLOC, 4, PFN, ORDER, GFP, TYPE("migratetype")),
	EVENT("mm_compaction_end", TRACE_COMPACTION_END, 4, MIGRATE_PFN, FREE_PFN, SYNC, B("status")),
	EVENT("mm_page_pcpu_drain", TRACE_PAGE_PCPU_DRAIN, 3, PFN, ORDER, TYPE("migratetype")),
	EVENT("mm_compaction_begin", TRACE_COMPACTION_BEGIN, 3, MIGRATE_PFN, FREE_PFN, SYNC),
	EVENT("mm_page_free_batched", TRACE_PAGE_FREE_BATCHED, 1, PFN),
	EVENT("mm_page_alloc_extfrag", TRACE_PAGE_ALLOC_EXTFRAG, 6, PFN, { "alloc_order", NULL, TRACE_TO_ORDER, 0, true },
	      { "fallback_order", NULL, TRACE_TO_A, TRACE_ORDER_MAX, false }, TYPE("alloc_migratetype"),
	      { "fallback_migratetype", NULL, TRACE_TO_B, TRACE_MIGRATETYPE_MAX, false }, C("change_ownership")),
	EVENT("mm_vmscan_kswapd_wake", TRACE_KSWAPD_WAKE, 3, A("nid"), B("zid"), ORDER_MAYBE),
	EVENT("mm_vmscan_lru_isolate", TRACE_LRU_ISOLATE, 4, { "highest_zoneidx", "classzone", TRACE_TO_B, 0, false },
	      ORDER_MAYBE, C("nr_scanned"), A("nr_taken")),
	EVENT("mm_vmscan_kswapd_sleep", TRACE_KSWAPD_SLEEP, 1, A("nid")),
	EVENT("mm_compaction_suitable", TRACE_COMPACTION_SUITABLE, 4, NODE, ZONE_INDEX, ORDER_MAYBE, C("ret")),
	EVENT("mm_compaction_finished", TRACE_COMPACTION_FINISHED, 4, NODE, ZONE_INDEX, RUN_ORDER, C("ret")),
	EVENT("mm_compaction_deferred", TRACE_COMPACTION_DEFERRED, 7, DEFERRAL),
	EVENT("mm_vmscan_wakeup_kswapd", TRACE_WAKEUP_KSWAPD, 4, A("nid"), B("zid"), ORDER_MAYBE, GFP),
	EVENT("mm_page_alloc_zone_locked", TRACE_PAGE_ALLOC_ZONE_LOCKED, 4, PFN, ORDER, TYPE("migratetype"),
	      A("percpu_refill")),
	EVENT("mm_compaction_defer_reset", TRACE_DEFER_RESET, 7, DEFERRAL),
	EVENT("mm_compaction_migratepages", TRACE_COMPACTION_MIGRATEPAGES, 2, A("nr_migrated"), B("nr_failed")),
	EVENT("mm_vmscan_balance_pgdat_end", TRACE_BALANCE_PGDAT_END, 4, A("nid"), ORDER_MAYBE, HIGHEST_ZONE,
	      C("nr_reclaimed")),
	EVENT("mm_vmscan_direct_reclaim_end", TRACE_DIRECT_RECLAIM_END, 1, C("nr_reclaimed")),
	EVENT("mm_compaction_kcompactd_wake", TRACE_KCOMPACTD_WAKE, 3, A("nid"), ORDER_MAYBE, HIGHEST_ZONE),
	EVENT("mm_vmscan_balance_pgdat_begin", TRACE_BALANCE_PGDAT_BEGIN, 3, A("nid"), ORDER_MAYBE, HIGHEST_ZONE),
	EVENT("mm_compaction_kcompactd_sleep", TRACE_KCOMPACTD_SLEEP, 1, A("nid")),
	EVENT("mm_vmscan_lru_shrink_inactive", TRACE_SHRINK_INACTIVE, 3, A("nid"), C("nr_reclaimed"), B("priority")),
	EVENT("mm_compaction_wakeup_kcompactd", TRACE_WAKEUP_KCOMPACTD, 3, A("nid"), RUN_ORDER, HIGHEST_ZONE),
	EVENT("mm_vmscan_direct_reclaim_begin", TRACE_DIRECT_RECLAIM_BEGIN, 2, GFP, ORDER_MAYBE),
	EVENT("mm_compaction_defer_compaction", TRACE_DEFER_COMPACTION, 7, DEFERRAL),
	EVENT("mm_compaction_isolate_freepages", TRACE_ISOLATE_FREEPAGES, 4, START_PFN, END_PFN, A("nr_scanned"),
	      B("nr_taken")),
	EVENT("mm_compaction_isolate_migratepages", TRACE_ISOLATE_MIGRATEPAGES, 4, START_PFN, END_PFN,
	      A("nr_scanned"), B("nr_taken")),
	EVENT("mm_compaction_try_to_compact_pages", TRACE_TRY_TO_COMPACT_PAGES, 3, ORDER_MAYBE,
	      { "gfp_mask", NULL, TRACE_TO_GFP, 0, false }, { "prio", "priority", TRACE_TO_A, 0, false }),
	EVENT("mm_compaction_fast_isolate_freepages", TRACE_FAST_ISOLATE_FREEPAGES, 4, START_PFN, END_PFN,
	      A("nr_scanned"), B("nr_taken")),
};
// clang-format on

enum { SPECS = sizeof(specs) / sizeof(specs[0]), NAME_MAX_LENGTH = 36 };

_Static_assert(SPECS == TRACE_KINDS - 2, "every kind but OTHER and LOST has one name");

// Index into specs of the first name that is at least this long.
static const uint8_t first_of_length[NAME_MAX_LENGTH + 2] = {
	0, 0, 0, 0, 1, 2, 3, 3, 4, 4, 7, 10, 11, 15, 16, 16, 16, 16, 17,
	18, 19, 20, 23, 27, 28, 28, 30, 31, 32, 34, 37, 40, 41, 41, 41, 43, 43, SPECS,
};

const struct trace_spec *trace_spec_find(const char *name, size_t length)
{
	if (length > NAME_MAX_LENGTH)
		return NULL;
	for (unsigned i = first_of_length[length]; i < first_of_length[length + 1]; i++)
		if (memcmp(specs[i].name, name, length) == 0)
			return &specs[i];
	return NULL;
}

const char *trace_kind_name(enum trace_kind kind)
{
	if (kind == TRACE_LOST)
		return "lost";
	for (unsigned i = 0; i < SPECS; i++)
		if (specs[i].kind == kind)
			return specs[i].name;
	return "other";
}

static const char *scan_hex(const char *at, uint64_t *value)
{
	unsigned digits = 0;

	*value = 0;
	for (;; at++) {
		unsigned digit;

		if (*at >= '0' && *at <= '9')
			digit = (unsigned)(*at - '0');
		else if ((*at | 32) >= 'a' && (*at | 32) <= 'f')
			digit = (unsigned)((*at | 32) - 'a') + 10;
		else
			return digits ? at : NULL;
		if (*value >> 60)
			return NULL;
		*value = *value << 4 | digit;
		digits++;
	}
}

const char *trace_scan_number_slow(const char *at, struct trace_number *number)
{
	uint64_t value = 0;
	const char *start;

	number->negative = *at == '-';
	if (number->negative)
		at++;
	if (at[0] == '0' && at[1] == 'x')
		return scan_hex(at + 2, &number->magnitude);
	for (start = at; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *at - '0', &value))
			return NULL;
	number->magnitude = value;
	return at == start ? NULL : at;
}

const char *trace_scan_unsigned(const char *at, uint64_t max, char then, uint64_t *value)
{
	struct trace_number number;

	at = trace_scan_number(at, &number);
	if (!at || *at != then || (number.negative && number.magnitude) || number.magnitude > max)
		return NULL;
	*value = number.magnitude;
	return at + 1;
}

static const char *store_int32(int32_t *into, uint8_t limit, struct trace_number number)
{
	uint64_t max = number.negative ? (uint64_t)INT32_MAX + 1 : (uint64_t)INT32_MAX;

	if (limit && ((number.negative && number.magnitude) || number.magnitude > limit))
		return limit == TRACE_ORDER_MAX ? "is not an order: 0 to 10 is right"
						: "is not a migratetype: 0 to 5 is right";
	if (number.magnitude > max)
		return "does not fit into 32 bits";
	*into = (int32_t)(number.negative ? -(int64_t)number.magnitude : (int64_t)number.magnitude);
	return NULL;
}

static const char *store_pfn(struct trace_event *event, const struct trace_field *field, struct trace_number number)
{
	bool negative = number.negative && number.magnitude;

	if ((negative && number.magnitude == 1) || number.magnitude == UINT64_MAX)
		event->pfn = TRACE_PFN_NONE;
	else if (!negative && number.magnitude < PFN_MAX)
		event->pfn = number.magnitude;
	else if (field->required)
		return "is not a frame number: 0 to 2^52-1, or -1 for none";
	else // a search of compaction that found nothing tells a wild start
		event->pfn = TRACE_PFN_NONE;
	return NULL;
}

const char *trace_store(struct trace_event *event, const struct trace_field *field, struct trace_number number)
{
	bool negative = number.negative && number.magnitude;

	switch ((enum trace_target)field->target) {
	case TRACE_TO_PFN: return store_pfn(event, field, number);
	case TRACE_TO_END_PFN:
		event->end_pfn = negative || number.magnitude >= PFN_MAX ? TRACE_PFN_NONE : number.magnitude;
		return NULL;
	case TRACE_TO_RUN_ORDER:
		if (negative ? number.magnitude != 1 : number.magnitude > TRACE_ORDER_MAX)
			return "is not an order: -1 to 10 is right";
		event->order = negative ? TRACE_ORDER_NONE : (uint8_t)number.magnitude;
		return NULL;
	case TRACE_TO_SHIFT:
		if (negative || number.magnitude > TRACE_DEFER_SHIFT_MAX)
			return "is not a shift: 0 to 6 is right";
		event->shift = (uint8_t)number.magnitude;
		return NULL;
	case TRACE_TO_LIMIT:
		if (negative || !number.magnitude || number.magnitude > 1 << TRACE_DEFER_SHIFT_MAX
		    || number.magnitude & (number.magnitude - 1))
			return "is not a power of 2: 1 to 64 is right";
		event->shift = (uint8_t)__builtin_ctzll(number.magnitude);
		return NULL;
	case TRACE_TO_FAILED:
		if (negative || number.magnitude > TRACE_ORDER_MAX + 1)
			return "is not an order or one more: 0 to 11 is right";
		event->failed = (uint8_t)number.magnitude;
		return NULL;
	case TRACE_TO_ORDER:
		if (negative || number.magnitude > TRACE_ORDER_MAX)
			return "is not an order: 0 to 10 is right";
		event->order = (uint8_t)number.magnitude;
		return NULL;
	case TRACE_TO_GFP:
		if (negative || number.magnitude > UINT32_MAX)
			return "is not a set of request flags: 0 to 0xffffffff is right";
		event->gfp = (uint32_t)number.magnitude;
		return NULL;
	case TRACE_TO_MIGRATETYPE:
		if (negative || number.magnitude > TRACE_MIGRATETYPE_MAX)
			return "is not a migratetype: 0 to 5 is right";
		event->migratetype = (int8_t)number.magnitude;
		return NULL;
	case TRACE_TO_ZONE:
		if (negative)
			return "is not a zone's address";
		event->zone = number.magnitude;
		return NULL;
	case TRACE_TO_A: return store_int32(&event->a, field->limit, number);
	case TRACE_TO_B: return store_int32(&event->b, field->limit, number);
	case TRACE_TO_C: return store_int32(&event->c, field->limit, number);
	}
	return "goes nowhere";
}

void trace_clear(struct trace_event *event, const struct trace_spec *spec)
{
	memset(event, 0, sizeof(*event));
	if (!spec)
		return;
	event->kind = spec->kind;
	for (unsigned i = 0; i < spec->nr; i++) {
		switch ((enum trace_target)spec->field[i].target) {
		case TRACE_TO_PFN: event->pfn = TRACE_PFN_NONE; break;
		case TRACE_TO_END_PFN: event->end_pfn = TRACE_PFN_NONE; break;
		case TRACE_TO_MIGRATETYPE: event->migratetype = -1; break;
		case TRACE_TO_A: event->a = TRACE_UNKNOWN; break;
		case TRACE_TO_B: event->b = TRACE_UNKNOWN; break;
		case TRACE_TO_C: event->c = TRACE_UNKNOWN; break;
		default: break; // order, gfp and zone have no value for "unknown" but 0
		}
	}
}

uint64_t trace_page_to_pfn(uint64_t page, bool *plausible)
{
	const uint64_t vmemmap = UINT64_C(0xffffea0000000000), descriptor = 64;
	const uint64_t frames_max = UINT64_C(1) << 34; // 64 TiB, what the window of descriptors holds

	*plausible = true;
	if (page == 0)
		return TRACE_PFN_NONE;
	*plausible = page >= vmemmap && page % descriptor == 0 && (page - vmemmap) / descriptor < frames_max;
	return *plausible ? (page - vmemmap) / descriptor : TRACE_PFN_NONE;
}
