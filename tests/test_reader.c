// SPDX-License-Identifier: Apache-2.0
//
// The readers of events: a record's, trace.dat's and plain text's, against counts made with other tools, against each
// other, and against damaged files.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pageyard/gfp.h"
#include "trace/input.h"
#include "trace/internal.h"
#include "trace/reader.h"

static const char *data(const char *name)
{
	static char path[4096];
	const char *folder = getenv("PAGEYARD_TEST_DATA");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "tests/data", name);
	return path;
}

// A file of the test's own, overwritten by the next one.
static const char *temporary(const void *bytes, size_t length)
{
	static char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/tmp/pageyard-test-reader-%d", (int)getpid());
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	return path;
}

static int remove_temporary(void **state)
{
	(void)state;
	unlink(temporary("", 0));
	return 0;
}

// The bytes of a file, unpacked if it is packed. To be freed.
static char *unpacked(const char *path, size_t *length)
{
	struct trace_error error;
	struct trace_input *input = trace_input_open(path, TRACE_LINE_MAX, &error);
	char *bytes;

	assert_non_null(input);
	*length = (size_t)trace_input_peek(input, SIZE_MAX, &error);
	bytes = malloc(*length + 1);
	assert_non_null(bytes);
	memcpy(bytes, input->at, *length);
	bytes[*length] = '\0';
	trace_input_close(input);
	return bytes;
}

static uint64_t seed = 20;

static uint64_t random_below(uint64_t bound) // splitmix64; the bias does not matter here
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % bound;
}

struct result {
	int last; // of trace_next; -2 when the file could not be opened
	uint64_t events, lost, counts[TRACE_KINDS];
	struct trace_error error;
};

static struct result read_all(const char *path)
{
	struct result result = {.last = -2};
	struct trace_reader *reader = trace_open(path, &result.error);
	uint64_t ns = 0, done, total;
	struct trace_event event;

	if (!reader)
		return result;
	while ((result.last = trace_next(reader, &event, &result.error)) == 1) {
		result.events++;
		result.counts[event.kind]++;
		assert_true(event.ns >= ns);
		ns = event.ns;
	}
	result.lost = trace_reader_lost(reader);
	trace_reader_progress(reader, &done, &total);
	assert_true(done <= total);
	trace_close(reader);
	return result;
}

static struct result read_text(const char *text)
{
	return read_all(temporary(text, strlen(text)));
}

// An error is one line that begins with the file's name and is not cut off at once.
static void assert_error(const struct result *result, const char *part)
{
	assert_true(result->last < 0);
	assert_null(strchr(result->error.text, '\n'));
	if (!strstr(result->error.text, part))
		fail_msg("'%s' does not say '%s'", result->error.text, part);
}

static bool without_libtracecmd(const struct result *result)
{
	return result->last == -2 && strstr(result->error.text, "without libtracecmd");
}

// ---- names and numbers -------------------------------------------------------------------------------------------

// Every kind has a name, and the table finds the kind again by it.
static void every_name_is_found(void **state)
{
	(void)state;
	for (unsigned kind = TRACE_OTHER + 1; kind < TRACE_LOST; kind++) {
		const char *name = trace_kind_name(kind);
		const struct trace_spec *spec = trace_spec_find(name, strlen(name));

		assert_non_null(spec);
		assert_int_equal(spec->kind, kind);
	}
	assert_string_equal(trace_kind_name(TRACE_OTHER), "other");
	assert_string_equal(trace_kind_name(TRACE_LOST), "lost");
	assert_null(trace_spec_find("mm_page_allot", 13));
	assert_null(trace_spec_find("", 0));
	assert_null(trace_spec_find("a_name_that_is_longer_than_any_of_the_known_ones", 48));
}

static void numbers_at_their_limits(void **state)
{
	static const struct {
		const char *text;
		uint64_t magnitude;
		bool negative, valid;
	} cases[] = {
		{"0 ", 0, false, true},
		{"18446744073709551615 ", UINT64_MAX, false, true},
		{"18446744073709551616 ", 0, false, false},
		{"99999999999999999999 ", 0, false, false},
		{"00000000000000000000012 ", 12, false, true},
		{"0xffffffffffffffff ", UINT64_MAX, false, true},
		{"0x10000000000000000 ", 0, false, false},
		{"0xAbC ", 0xabc, false, true},
		{"0x ", 0, false, false},
		{"-1 ", 1, true, true},
		{"- ", 0, false, false},
		{"x ", 0, false, false},
		{" ", 0, false, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trace_number number = {0};
		const char *stop = trace_scan_number(cases[i].text, &number);

		assert_int_equal(stop && *stop == ' ', cases[i].valid);
		if (cases[i].valid) {
			assert_int_equal(number.magnitude, cases[i].magnitude);
			assert_int_equal(number.negative, cases[i].negative);
		}
	}
}

// What yard_gfp_print would write comes back, and flags that this allocator does not have say nothing.
static void request_flags_by_name(void **state)
{
	static const struct {
		const char *word;
		uint32_t bits;
	} cases[] = {
		{"GFP_KERNEL", 0xcc0},	     {"GFP_KERNEL_ACCOUNT", 0x400cc0},
		{"GFP_TRANSHUGE", 0x1c24ca}, {"GFP_HIGHUSER_MOVABLE", 0x100cca},
		{"__GFP_ZERO", 0x100},	     {"__GFP_COMP", 0x40000},
		{"__GFP_NOTRACK", 0},	     {"none", 0},
	};
	uint32_t gfp = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gfp = 0;
		assert_true(trace_gfp_word(cases[i].word, strlen(cases[i].word), &gfp));
		assert_int_equal(gfp, cases[i].bits);
	}
	assert_false(trace_gfp_word("GFP_KERNE", 9, &gfp));
	assert_false(trace_gfp_word("", 0, &gfp));
}

static void pages_become_frames(void **state)
{
	bool plausible;

	(void)state;
	assert_int_equal(trace_page_to_pfn(UINT64_C(0xffffea0000215d80), &plausible), 0x8576);
	assert_true(plausible);
	assert_int_equal(trace_page_to_pfn(0, &plausible), TRACE_PFN_NONE);
	assert_true(plausible);
	trace_page_to_pfn(UINT64_C(0xffffea0000215d81), &plausible);
	assert_false(plausible);
	trace_page_to_pfn(UINT64_C(0xffff888000000000), &plausible);
	assert_false(plausible);
	trace_page_to_pfn(UINT64_C(0xfffffa0000000000), &plausible);
	assert_false(plausible);
}

// ---- records -----------------------------------------------------------------------------------------------------

// Counts made with `cut -d' ' -f5 events.txt | sort | uniq -c`.
static void record_boot_idle_has_its_events(void **state)
{
	struct result result = read_all(data("boot-idle-d0"));

	(void)state;
	assert_int_equal(result.last, 0);
	assert_int_equal(result.events, 140);
	assert_int_equal(result.lost, 0);
	assert_int_equal(result.counts[TRACE_TAKE], 42);
	assert_int_equal(result.counts[TRACE_PAGE_ALLOC], 42);
	assert_int_equal(result.counts[TRACE_PAGE_FREE], 20);
	assert_int_equal(result.counts[TRACE_PUT], 20);
	assert_int_equal(result.counts[TRACE_DECAY_PCP], 8);
	assert_int_equal(result.counts[TRACE_KCOMPACTD_SLEEP], 8);
	assert_int_equal(result.counts[TRACE_OTHER], 0);
}

static void record_storm_has_its_events(void **state)
{
	static const struct {
		enum trace_kind kind;
		uint64_t count;
	} counts[] = {
		{TRACE_BULK_DRAIN, 518},
		{TRACE_CLAIM_TRY, 13},
		{TRACE_COMPACT_BACK, 16},
		{TRACE_DECAY_PCP, 6},
		{TRACE_DRAIN_CPU, 1},
		{TRACE_FREE_DIRECT, 612},
		{TRACE_ISOLATE_FREE, 2},
		{TRACE_COMPACTION_BEGIN, 3},
		{TRACE_COMPACTION_END, 3},
		{TRACE_DEFER_COMPACTION, 1},
		{TRACE_COMPACTION_DEFERRED, 6},
		{TRACE_COMPACTION_FINISHED, 29},
		{TRACE_COMPACTION_SUITABLE, 30},
		{TRACE_ISOLATE_FREEPAGES, 188},
		{TRACE_ISOLATE_MIGRATEPAGES, 25},
		{TRACE_COMPACTION_MIGRATEPAGES, 6},
		{TRACE_PAGE_ALLOC, 29903},
		{TRACE_PAGE_ALLOC_EXTFRAG, 13},
		{TRACE_PAGE_ALLOC_ZONE_LOCKED, 14513},
		{TRACE_PAGE_FREE, 30523},
		{TRACE_PAGE_PCPU_DRAIN, 14742},
		{TRACE_BALANCE_PGDAT_BEGIN, 8},
		{TRACE_BALANCE_PGDAT_END, 8},
		{TRACE_KSWAPD_SLEEP, 7},
		{TRACE_KSWAPD_WAKE, 8},
		{TRACE_WAKEUP_KSWAPD, 8},
		{TRACE_WAKEUP_KCOMPACTD, 6},
		{TRACE_KCOMPACTD_SLEEP, 9},
		{TRACE_KCOMPACTD_WAKE, 7},
		{TRACE_LRU_ISOLATE, 34},
		{TRACE_SHRINK_INACTIVE, 34},
		{TRACE_MOVE_BLOCK, 1},
		{TRACE_PUT, 29157},
		{TRACE_SPLIT, 227},
		{TRACE_TAKE, 29941},
	};
	struct result result = read_all(data("storm-d1/events.txt.zst"));
	uint64_t sum = result.counts[TRACE_OTHER];

	(void)state;
	assert_int_equal(result.last, 0);
	assert_int_equal(result.events, 150684);
	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		assert_int_equal(result.counts[counts[i].kind], counts[i].count);
		sum += counts[i].count;
	}
	assert_int_equal(sum, 150684);
}

// Each field goes where event.h says, in any order of the pairs.
static void record_fields(void **state)
{
	static const char text[] =
		"pageyard-events 1\n"
		"1 10 0 5 mm_page_alloc pfn=-1 order=10 gfp_flags=0x440dc0 migratetype=5\n"
		"2 10 4095 6 put fpi=0x3 order=2 mt=1 pfn=0x10\n"
		"3 11 0 6 mm_page_alloc_extfrag pfn=7 alloc_order=1 fallback_order=9 alloc_migratetype=2 "
		"fallback_migratetype=1 change_ownership=1\n"
		"4 11 0 6 drain_zone zone=0xffff88801fc59f40\n"
		"5 11 0 6 brand_new a=b order=99\n"
		"6 11 0 6 mm_compaction_fast_isolate_freepages start_pfn=-9223372036854774272 end_pfn=1 "
		"nr_scanned=-4 nr_taken=2147483647\n"
		"cut 12\n"
		"end 6\n";
	struct trace_error error;
	struct trace_reader *reader = trace_open(temporary(text, strlen(text)), &error);
	struct trace_event event;

	(void)state;
	assert_non_null(reader);
	assert_int_equal(trace_reader_format(reader), TRACE_FORMAT_ORACLE);
	assert_int_equal(trace_next(reader, &event, &error), 1);
	assert_int_equal(event.kind, TRACE_PAGE_ALLOC);
	assert_int_equal(event.pfn, TRACE_PFN_NONE);
	assert_int_equal(event.order, 10);
	assert_int_equal(event.gfp, 0x440dc0);
	assert_int_equal(event.migratetype, 5);
	assert_int_equal(event.pid, 5);
	assert_int_equal(trace_next(reader, &event, &error), 1);
	assert_int_equal(event.cpu, 4095);
	assert_int_equal(event.pfn, 16);
	assert_int_equal(event.order, 2);
	assert_int_equal(event.migratetype, 1);
	assert_int_equal(event.a, 3);
	assert_int_equal(event.b, 0);
	assert_int_equal(trace_next(reader, &event, &error), 1);
	assert_int_equal(event.order, 1);
	assert_int_equal(event.migratetype, 2);
	assert_int_equal(event.a, 9);
	assert_int_equal(event.b, 1);
	assert_int_equal(event.c, 1);
	assert_int_equal(trace_next(reader, &event, &error), 1);
	assert_int_equal(event.zone, UINT64_C(0xffff88801fc59f40));
	assert_int_equal(event.a, TRACE_UNKNOWN);
	assert_int_equal(trace_next(reader, &event, &error), 1);
	assert_int_equal(event.kind, TRACE_OTHER);
	assert_int_equal(event.order, 0);
	assert_int_equal(trace_next(reader, &event, &error), 1);
	assert_int_equal(event.pfn, TRACE_PFN_NONE);
	assert_int_equal(event.a, -4);
	assert_int_equal(event.b, INT32_MAX);
	assert_int_equal(trace_reader_lost(reader), 0);
	assert_int_equal(trace_next(reader, &event, &error), 0);
	assert_int_equal(trace_reader_lost(reader), 12);
	trace_close(reader);
}

// Line 2 of a record is wrong in one way each; the message names the line and says what.
static void record_malformed_lines(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{"1 10 0 5 mm_page_alloc pfn=1 order=11 gfp_flags=0 migratetype=0",
		 ":2: mm_page_alloc: order=11 is not"},
		{"1 10 0 5 mm_page_alloc pfn=1 order=0 gfp_flags=0 migratetype=6",
		 "migratetype=6 is not a migratetype"},
		{"1 10 0 5 mm_page_alloc pfn=1 order=0 gfp_flags=0 migratetype=-1", "is not a migratetype"},
		{"1 10 0 5 mm_page_alloc pfn=1 order=0 gfp_flags=0x100000000 migratetype=0", "request flags"},
		{"1 10 0 5 mm_page_alloc pfn=-2 order=0", "is not a frame number"},
		{"1 10 0 5 mm_page_alloc pfn=4503599627370496 order=0", "is not a frame number"},
		{"1 10 0 5 mm_page_alloc pfn=1", "has no order="},
		{"1 10 0 5 mm_page_alloc order=1", "has no pfn="},
		{"1 10 0 5 mm_page_alloc pfn=1 order=1 order=1", "order= comes twice"},
		{"1 10 0 5 mm_page_alloc pfn=1x order=1", "wants a decimal or 0x number"},
		{"1 10 0 5 mm_page_alloc pfn= order=1", "wants a decimal or 0x number"},
		{"1 10 0 5 mm_page_alloc pfn order=1", "is not key=value"},
		{"1 10 0 5 mm_page_alloc pfn=1  order=1", "is not key=value"},
		{"1 10 0 5 mm_page_alloc pfn=1 order=1 ", "a space at the end"},
		{"1 10 0 5 bulk_drain count=2147483648 pindex=0", "does not fit into 32 bits"},
		{"1 10 0 5 move_block pfn=512 old=6 new=1", "old=6 is not a migratetype"},
		{"1 10 0 5 claim_try pfn=512 current=12 order=0 start=1 block=1", "current=12 is not an order"},
		{"1 10 4096 5 take pfn=1", "is not a cpu"},
		{"1 10 -1 5 take pfn=1", "is not a cpu"},
		{"1 x 0 5 take pfn=1", "is not a time"},
		{"1 10 0 z take pfn=1", "is not a process"},
		{"1 10 0 5 ", "name of the event is missing"},
		{"1 10 0 5", "is not a process"},
		{"-1 10 0 5 take pfn=1", "is not 'seq ns cpu pid"},
		{"hello", "is not 'seq ns cpu pid"},
		{"", "is not 'seq ns cpu pid"},
		{"cut", "is not 'seq ns cpu pid"},
		{"cut x", "second 'cut' line, or one without its number"},
		{"end 1", "says 'end 1' but holds 0 events"},
		{"end x", "is not 'end N'"},
	};
	char text[512];

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result result;

		snprintf(text, sizeof(text), "pageyard-events 1\n%s\nend 1\n", cases[i].line);
		result = read_text(text);
		assert_error(&result, cases[i].message);
		assert_error(&result, ":2: ");
	}
}

static void record_order_of_lines(void **state)
{
	struct result result;

	(void)state;
	result = read_text("pageyard-events 1\n2 1 0 0 take pfn=1\n1 1 0 0 take pfn=1\nend 2\n");
	assert_error(&result, ":3: seq 1 comes after seq 2");
	result = read_text("pageyard-events 1\n1 5 0 0 take pfn=1\n2 4 0 0 take pfn=1\nend 2\n");
	assert_error(&result, ":3: the time goes back");
	result = read_text("pageyard-events 1\n1 5 0 0 take pfn=1\nend 1\n2 5 0 0 take pfn=1\n");
	assert_error(&result, ":4: a line after the 'end' line");
	result = read_text("pageyard-events 1\ncut 5\n1 5 0 0 take pfn=1\nend 1\n");
	assert_error(&result, ":3: an event after the 'cut' line");
	result = read_text("pageyard-events 1\n1 5 0 0 take pfn=1\n");
	assert_error(&result, "truncated");
	result = read_text("pageyard-events 2\nend 0\n");
	assert_error(&result, ":1: ");
	result = read_text("pageyard-events 1\nend 0\n");
	assert_int_equal(result.last, 0);
	result = read_text("pageyard-events 1\nend 0");
	assert_int_equal(result.last, 0);
}

static void files_that_are_none(void **state)
{
	struct result result;

	(void)state;
	result = read_text("");
	assert_error(&result, "is empty");
	result = read_text("pageyard-snapshot 1\nend\n");
	assert_error(&result, "this is a snapshot");
	result = read_all("/nonexistent/file");
	assert_error(&result, "/nonexistent/file: cannot open");
	result = read_all("/");
	assert_error(&result, "a record's folder holds");
	result = read_all(temporary("\x28\xb5\x2f\xfd nonsense", 13));
	assert_error(&result, "zstd");
}

// A record cut anywhere is an error; without only its last '\n' it is whole.
static void record_truncations(void **state)
{
	size_t length;
	char *text = unpacked(data("boot-idle-d0/events.txt.zst"), &length);

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		size_t cut = random_below(length);
		struct result result = read_all(temporary(text, cut));

		assert_int_equal(result.last < 0, cut < length - 1);
	}
	assert_int_equal(read_all(temporary(text, length - 1)).last, 0);
	assert_int_equal(read_all(temporary(text, length)).last, 0);
	free(text);
}

static char *slurp(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *bytes;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*length = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*length);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *length, file), *length);
	fclose(file);
	return bytes;
}

static void packed_truncations(void **state)
{
	size_t length;
	char *bytes = slurp(data("boot-idle-d0/events.txt.zst"), &length);

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		assert_true(read_all(temporary(bytes, random_below(length))).last < 0);
	free(bytes);
}

// Any byte changed: events or an error, and nothing that a sanitizer would report.
static void record_damage(void **state)
{
	size_t length;
	char *text = unpacked(data("boot-idle-d0/events.txt.zst"), &length);

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		size_t at = random_below(length);
		char was = text[at];

		text[at] = (char)random_below(256);
		read_all(temporary(text, length));
		text[at] = was;
	}
	free(text);
}

// Lines longer than the buffer are read, up to the limit.
static void long_lines(void **state)
{
	const size_t length = (2u << 20) + 64;
	char *text = malloc(length);
	struct result result;

	(void)state;
	assert_non_null(text);
	strcpy(text, "pageyard-events 1\n1 1 0 0 unknown_event key=");
	memset(text + strlen(text), 'x', length - strlen(text));
	memcpy(text + 900000, "\nend 1\n", 7);
	result = read_all(temporary(text, 900007));
	assert_int_equal(result.last, 0);
	memset(text + 900000, 'x', 7);
	result = read_all(temporary(text, length));
	assert_error(&result, "the line has more than");
	free(text);
}

// ---- text --------------------------------------------------------------------------------------------------------

struct line {
	uint8_t kind;
	uint16_t cpu;
	uint32_t pid;
	uint64_t ns, pfn;
	uint8_t order;
	int8_t migratetype;
	uint32_t gfp;
	int32_t a, b, c;
	bool interrupt;
};

// forms.txt holds a line of each form; the event that each must give.
static void text_forms(void **state)
{
	static const struct line lines[] = {
		{TRACE_PAGE_ALLOC, 1, 0, 1000, 0x1000, 0, 0, 0x2820, 0, 0, 0, true},
		{TRACE_PAGE_FREE, 2, 4242, 2000, 0x1000, 0, 0, 0, 0, 0, 0, true},
		{TRACE_LOST, 2, 0, 2000, 0, 0, 0, 0, 17, 0, 0, false},
		{TRACE_PAGE_ALLOC, 3, 77, 3000, TRACE_PFN_NONE, 9, 1, 0x1c2cca, 0, 0, 0, false},
		{TRACE_LOST, 1, 0, 3000, 0, 0, 0, 0, 0, 0, 0, false},
		{TRACE_LOST, 0, 0, 3000, 0, 0, 0, 0, 3, 0, 0, false},
		{TRACE_PAGE_ALLOC, 0, 11, 4500, 0x12340, 2, 2, 0x40cc0, 0, 0, 0, false},
		{TRACE_COMPACTION_END, 0, 43, 5000, 0x10, 0, 0, 0, 1, 6, 0, false},
		{TRACE_ISOLATE_FREEPAGES, 0, 43, 6000, 0x800, 0, 0, 0, 512, 101, 0, false},
		{TRACE_BALANCE_PGDAT_BEGIN, 0, 43, 7000, 0, 3, 0, 0, 0, 2, 0, false},
		{TRACE_PAGE_ALLOC_EXTFRAG, 0, 43, 8000, 0x8400, 3, 0, 0, 9, 1, 1, false},
		{TRACE_TAKE, 0, 43, 9000, 0x8576, 0, 0, 0, 0, 0, 0, false},
		{TRACE_TAKE, 0, 43, 9000, TRACE_PFN_NONE, 0, 0, 0, 0, 0, 0, false},
		{TRACE_TRY_TO_COMPACT_PAGES, 0, 43, 10000, 0, 9, 0, 0xcc0, 2, 0, 0, false},
		{TRACE_OTHER, 0, 43, 11000, 0, 0, 0, 0, 0, 0, 0, false},
	};
	struct trace_error error;
	struct trace_reader *reader = trace_open(data("text/forms.txt"), &error);
	struct trace_event event;

	(void)state;
	assert_non_null(reader);
	assert_int_equal(trace_reader_format(reader), TRACE_FORMAT_TEXT);
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct line *line = &lines[i];

		assert_int_equal(trace_next(reader, &event, &error), 1);
		assert_int_equal(event.seq, i + 1);
		assert_int_equal(event.kind, line->kind);
		assert_int_equal(event.cpu, line->cpu);
		assert_int_equal(event.pid, line->pid);
		assert_int_equal(event.ns, UINT64_C(100000000000) + line->ns);
		assert_int_equal(event.pfn, line->pfn);
		assert_int_equal(event.order, line->order);
		assert_int_equal(event.gfp, line->gfp);
		assert_int_equal(event.interrupt, line->interrupt);
		assert_int_equal(event.migratetype, line->migratetype);
		assert_int_equal(event.a, line->a);
		assert_int_equal(event.b, line->b);
		assert_int_equal(event.c, line->c);
	}
	assert_int_equal(trace_next(reader, &event, &error), 0);
	assert_int_equal(trace_reader_lost(reader), 17 + 1 + 3);
	trace_close(reader);
}

// Fields that the text names otherwise than the binary format (spec 03 section 3.11, spec 04 T-1): the event is what
// the kernel recorded.
static void text_has_names_of_its_own(void **state)
{
	static const char text[] =
		"kswapd0-43 [000] 1.1: mm_vmscan_lru_isolate: classzone=2 order=9 nr_requested=64 nr_scanned=256"
		" nr_skipped=0 nr_taken=31 lru=inactive_anon\n"
		"kswapd0-43 [000] 1.2: mm_compaction_wakeup_kcompactd: nid=0 order=9 classzone_idx=Movable \n"
		"sh-7 [000] 1.3: mm_compaction_wakeup_kcompactd: nid=0 order=-1 classzone_idx=Normal  \n"
		"kcompactd0-44 [000] 1.4: mm_compaction_kcompactd_wake: nid=0 order=9 classzone_idx=DMA32   \n"
		"kcompactd0-44 [000] 1.5: mm_compaction_deferred: node=0 zone=DMA32    order=9 order_failed=5 consider=2"
		" limit=64\n"
		"kcompactd0-44 [000] 1.6: mm_compaction_defer_reset: node=0 zone=Normal   order=9 order_failed=10"
		" consider=0 limit=1\n";
	static const struct {
		uint8_t kind, order, shift, failed;
		int32_t a, b, c;
	} lines[] = {
		{TRACE_LRU_ISOLATE, 9, 0, 0, 31, 2, 256},
		{TRACE_WAKEUP_KCOMPACTD, 9, 0, 0, 0, 3, 0},
		{TRACE_WAKEUP_KCOMPACTD, TRACE_ORDER_NONE, 0, 0, 0, 2, 0},
		{TRACE_KCOMPACTD_WAKE, 9, 0, 0, 0, 1, 0},
		{TRACE_COMPACTION_DEFERRED, 9, 6, 5, 0, 1, 2},
		{TRACE_DEFER_RESET, 9, 0, 10, 0, 2, 0},
	};
	struct trace_error error;
	struct trace_reader *reader = trace_open(temporary(text, strlen(text)), &error);
	struct trace_event event;

	(void)state;
	assert_non_null(reader);
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(trace_next(reader, &event, &error), 1);
		assert_int_equal(event.kind, lines[i].kind);
		assert_int_equal(event.order, lines[i].order);
		assert_int_equal(event.shift, lines[i].shift);
		assert_int_equal(event.failed, lines[i].failed);
		assert_int_equal(event.a, lines[i].a);
		assert_int_equal(event.b, lines[i].b);
		assert_int_equal(event.c, lines[i].c);
	}
	assert_int_equal(trace_next(reader, &event, &error), 0);
	trace_close(reader);
}

static void text_garbage(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"# x\n\nnonsense\n", ":3: 'nonsense' is not"},
		{"a-1 [000] 1.5: mm_page_free: page=0x1 pfn=0x1 order=11\n", "order=11 is not an order"},
		{"a-1 [000] 1.5: mm_page_free: page=0x1 pfn=0x1\n", "has no order="},
		{"a-1 [000] 1.5: mm_page_free: pfn=y order=0\n", "pfn=y is not a number"},
		{"a-1 [000] 1.5: mm_page_alloc: pfn=1 order=0 gfp_flags=GFP_KERNEL|\n", "request flags"},
		{"a-1 [000] 1.5: mm_page_alloc: pfn=1 order=0 gfp_flags=GFP_WRONG\n", "request flags"},
		{"a-1 [000] 1.5: mm_compaction_deferred: node=0 zone=DMA order=9 limit=48\n", "limit=48 is not a power of 2"},
		{"a-1 [000] 1.5: mm_compaction_deferred: node=0 zone=DMA order=9 limit=128\n", "limit=128 is not a power"},
		{"a-1 [9999] 1.5: mm_page_free: pfn=1 order=0\n", "is not 'TASK-PID [CPU]"},
		{"a-1 [000] 2.5: x: y\na-1 [000] 1.5: x: y\n", ":2: the time goes back"},
		{"\x01\x02\xff\n", "is not 'TASK-PID [CPU]"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result result = read_text(cases[i].text);

		assert_error(&result, cases[i].message);
	}
}

static void text_damage(void **state)
{
	size_t length;
	char *text = slurp(data("text/forms.txt"), &length);

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		size_t at = random_below(length), cut = i % 2 ? length : random_below(length) + 1;
		char was = text[at];

		text[at] = (char)random_below(256);
		read_all(temporary(text, cut));
		text[at] = was;
	}
	free(text);
}

// ---- trace.dat ---------------------------------------------------------------------------------------------------

// The next event that both files must agree on.
static int next_page_event(struct trace_reader *reader, struct trace_event *event)
{
	struct trace_error error;
	int got;

	do {
		got = trace_next(reader, event, &error);
	} while (got == 1 && event->kind != TRACE_PAGE_ALLOC && event->kind != TRACE_PAGE_FREE
		 && event->kind != TRACE_TAKE && event->kind != TRACE_PUT);
	return got;
}

// `unit` is how fine the text tells the time.
static void compare_with_text(const char *text, uint64_t unit)
{
	struct trace_error error;
	struct trace_reader *dat = trace_open(data("boot-idle-d0/trace.dat.zst"), &error), *other;
	struct trace_event left, right;
	unsigned events = 0;
	int got;

	if (!dat && strstr(error.text, "without libtracecmd"))
		skip();
	assert_non_null(dat);
	assert_int_equal(trace_reader_format(dat), TRACE_FORMAT_DAT);
	other = trace_open(data(text), &error);
	assert_non_null(other);
	for (;; events++) {
		got = next_page_event(dat, &left);
		assert_int_equal(next_page_event(other, &right), got);
		if (got != 1)
			break;
		assert_int_equal(left.seq, right.seq);
		assert_int_equal(left.kind, right.kind);
		assert_int_equal(left.pfn, right.pfn);
		assert_int_equal(left.order, right.order);
		assert_int_equal(left.gfp, right.gfp);
		assert_int_equal(left.migratetype, right.migratetype);
		assert_int_equal(left.cpu, right.cpu);
		assert_int_equal(left.pid, right.pid);
		assert_true((left.ns > right.ns ? left.ns - right.ns : right.ns - left.ns) <= unit);
	}
	assert_int_equal(got, 0);
	assert_int_equal(events, 42 + 20 + 42 + 20);
	trace_close(dat);
	trace_close(other);
}

static void dat_agrees_with_its_report(void **state)
{
	(void)state;
	compare_with_text("text/boot-idle.report.txt", 1000);
	compare_with_text("text/boot-idle.latency.txt", 1000);
	compare_with_text("text/boot-idle.raw.txt", 0);
}

static void dat_has_its_events(void **state)
{
	struct result result = read_all(data("boot-idle-d0/trace.dat.zst"));

	(void)state;
	if (without_libtracecmd(&result))
		skip();
	assert_int_equal(result.last, 0);
	assert_int_equal(result.events, 145); // `trace-cmd report | wc -l` less its first line
	assert_int_equal(result.counts[TRACE_TAKE], 42);
	assert_int_equal(result.counts[TRACE_PAGE_ALLOC], 42);
	assert_int_equal(result.lost, 0);
}

// The trace.dat of the record, unpacked, in memory.
static char *plain_dat(size_t *length)
{
	struct result result = read_all(data("boot-idle-d0/trace.dat.zst"));

	return without_libtracecmd(&result) ? NULL : unpacked(data("boot-idle-d0/trace.dat.zst"), length);
}

// Cut anywhere, a trace.dat is an error that tells where.
static void dat_truncations(void **state)
{
	size_t length;
	char *bytes = plain_dat(&length);

	(void)state;
	if (!bytes)
		skip();
	for (unsigned i = 0; i < 100; i++) {
		size_t cut = i < 20 ? length - 1 - i * i * i : random_below(length - 16) + 16;
		struct result result = read_all(temporary(bytes, cut));

		assert_error(&result, "offset");
		assert_error(&result, "truncated");
	}
	free(bytes);
}

// Bits flipped: events, or one error; never the end of this process, never a hang.
static void dat_damage(void **state)
{
	size_t length;
	char *bytes = plain_dat(&length);

	(void)state;
	if (!bytes)
		skip();
	for (unsigned i = 0; i < 40; i++) {
		size_t at = i % 2 ? random_below(length) : length - 1 - random_below(8192);
		struct result result;

		bytes[at] ^= (char)(1 << random_below(8));
		result = read_all(temporary(bytes, length));
		assert_true(result.last == 0 || strlen(result.error.text) > 0);
		if (i % 4 == 3) { // begin anew, or nothing but the first error would be seen
			free(bytes);
			bytes = plain_dat(&length);
		}
	}
	free(bytes);
}

// Closing a reader in the middle leaves nothing behind, and two readers do not meet.
static void dat_closed_early(void **state)
{
	struct trace_error error;
	struct trace_reader *first = trace_open(data("boot-idle-d0/trace.dat.zst"), &error);
	struct trace_reader *second = trace_open(data("boot-idle-d0/trace.dat.zst"), &error);
	struct trace_event event;

	(void)state;
	if (!first)
		skip();
	assert_non_null(second);
	assert_int_equal(trace_next(first, &event, &error), 1);
	trace_close(first);
	assert_int_equal(trace_next(second, &event, &error), 1);
	trace_close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_found),
		cmocka_unit_test(numbers_at_their_limits),
		cmocka_unit_test(request_flags_by_name),
		cmocka_unit_test(pages_become_frames),
		cmocka_unit_test(record_boot_idle_has_its_events),
		cmocka_unit_test(record_storm_has_its_events),
		cmocka_unit_test(record_fields),
		cmocka_unit_test(record_malformed_lines),
		cmocka_unit_test(record_order_of_lines),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(record_truncations),
		cmocka_unit_test(packed_truncations),
		cmocka_unit_test(record_damage),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(text_forms),
		cmocka_unit_test(text_has_names_of_its_own),
		cmocka_unit_test(text_garbage),
		cmocka_unit_test(text_damage),
		cmocka_unit_test(dat_agrees_with_its_report),
		cmocka_unit_test(dat_has_its_events),
		cmocka_unit_test(dat_truncations),
		cmocka_unit_test(dat_damage),
		cmocka_unit_test(dat_closed_early),
	};

	return cmocka_run_group_tests(tests, NULL, remove_temporary);
}
