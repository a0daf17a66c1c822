// SPDX-License-Identifier: Apache-2.0
//
// Events as text: tracefs' `trace` and `trace_pipe`, `trace-cmd report` (also with -l, -R, -t), and `perf script`.
//
// All share `TASK-PID [CPU] FLAGS SECONDS: EVENT: key=value ...`; FLAGS may be absent. A task's name may hold anything,
// spaces and brackets too, so the head of a line is found from its cpu and time, not from its start.

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "pageyard/gfp.h"
#include "trace/internal.h"

struct text {
	struct trace_source source;
	struct trace_input *input;
	uint64_t seq, ns;
};

struct head {
	uint64_t ns, cpu, pid;
	bool interrupt;
	const char *rest; // after the time and its colon
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_word(const char *word, size_t length, const char *wanted)
{
	return strlen(wanted) == length && memcmp(word, wanted, length) == 0;
}

bool trace_gfp_word(const char *word, size_t length, uint32_t *gfp)
{
	static const struct {
		const char *name;
		uint32_t bits;
	} names[] = {
		{"GFP_TRANSHUGE", YARD_GFP_TRANSHUGE},
		{"GFP_TRANSHUGE_LIGHT", YARD_GFP_TRANSHUGE_LIGHT},
		{"GFP_HIGHUSER_MOVABLE", YARD_GFP_HIGHUSER_MOVABLE},
		{"GFP_HIGHUSER", YARD_GFP_HIGHUSER},
		{"GFP_USER", YARD_GFP_USER},
		{"GFP_KERNEL_ACCOUNT", YARD_GFP_KERNEL_ACCOUNT},
		{"GFP_KERNEL", YARD_GFP_KERNEL},
		{"GFP_NOFS", YARD_GFP_NOFS},
		{"GFP_ATOMIC", YARD_GFP_ATOMIC},
		{"GFP_NOIO", YARD_GFP_NOIO},
		{"GFP_NOWAIT", YARD_GFP_NOWAIT},
		{"GFP_DMA", YARD_GFP_DMA},
		{"GFP_DMA32", YARD_GFP_DMA32},
		{"__GFP_RECLAIM", YARD_GFP_NOIO},
		{"__GFP_DMA", YARD_GFP_DMA},
		{"__GFP_HIGHMEM", YARD_GFP_HIGHMEM},
		{"__GFP_DMA32", YARD_GFP_DMA32},
		{"__GFP_MOVABLE", YARD_GFP_MOVABLE},
		{"__GFP_RECLAIMABLE", YARD_GFP_RECLAIMABLE},
		{"__GFP_HIGH", YARD_GFP_HIGH},
		{"__GFP_IO", YARD_GFP_IO},
		{"__GFP_FS", YARD_GFP_FS},
		{"__GFP_ZERO", YARD_GFP_ZERO},
		{"__GFP_DIRECT_RECLAIM", YARD_GFP_DIRECT_RECLAIM},
		{"__GFP_KSWAPD_RECLAIM", YARD_GFP_KSWAPD_RECLAIM},
		{"__GFP_WRITE", YARD_GFP_WRITE},
		{"__GFP_NOWARN", YARD_GFP_NOWARN},
		{"__GFP_RETRY_MAYFAIL", YARD_GFP_RETRY_MAYFAIL},
		{"__GFP_NOFAIL", YARD_GFP_NOFAIL},
		{"__GFP_NORETRY", YARD_GFP_NORETRY},
		{"__GFP_MEMALLOC", YARD_GFP_MEMALLOC},
		{"__GFP_COMP", YARD_GFP_COMP},
		{"__GFP_NOMEMALLOC", YARD_GFP_NOMEMALLOC},
		{"__GFP_HARDWALL", YARD_GFP_HARDWALL},
		{"__GFP_THISNODE", YARD_GFP_THISNODE},
		{"__GFP_ACCOUNT", YARD_GFP_ACCOUNT},
		{"__GFP_ZEROTAGS", YARD_GFP_ZEROTAGS},
	};

	for (unsigned i = 0; i < COUNT(names); i++) {
		if (is_word(word, length, names[i].name)) {
			*gfp |= names[i].bits;
			return true;
		}
	}
	// Kernels differ in their flags; one that this allocator does not have says nothing to it.
	return (length > 6 && memcmp(word, "__GFP_", 6) == 0) || is_word(word, length, "none");
}

// "GFP_KERNEL|__GFP_ZERO|0x800000", or a number alone. `end` is the byte after it.
static bool scan_gfp(const char *at, const char *end, uint32_t *gfp)
{
	*gfp = 0;
	while (at < end) {
		const char *bar = memchr(at, '|', (size_t)(end - at));
		const char *stop = bar ? bar : end;
		struct trace_number number;

		if (isdigit((unsigned char)*at)) {
			if (trace_scan_number(at, &number) != stop || number.magnitude > UINT32_MAX)
				return false;
			*gfp |= (uint32_t)number.magnitude;
		} else if (!trace_gfp_word(at, (size_t)(stop - at), gfp)) {
			return false;
		}
		if (stop + 1 == end)
			return false; // a '|' with nothing after it
		at = bar ? bar + 1 : end;
	}
	return true;
}

// Words that stand for numbers in the text of tracepoints.
static bool scan_symbol(const char *word, size_t length, uint64_t *value)
{
	static const struct {
		const char *name;
		uint64_t value;
	} names[] = {
		{"async", 0},
		{"sync", 1},
		{"not_suitable_zone", 0},
		{"skipped", 1},
		{"deferred", 2},
		{"no_suitable_page", 3},
		{"continue", 4},
		{"complete", 5},
		{"partial_skipped", 6},
		{"contended", 7},
		{"success", 8},
		{"DMA", YARD_ZONE_DMA},
		{"DMA32", YARD_ZONE_DMA32},
		{"Normal", YARD_ZONE_NORMAL},
		{"Movable", YARD_ZONE_MOVABLE},
		{"Device", YARD_ZONE_DEVICE},
		{"(nil)", 0},
		{"(null)", 0},
	};

	for (unsigned i = 0; i < COUNT(names); i++) {
		if (is_word(word, length, names[i].name)) {
			*value = names[i].value;
			return true;
		}
	}
	return false;
}

static const char *skip_spaces(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

// "12.345678: " as nanoseconds. Returns what follows the colon, or NULL.
static const char *scan_time(const char *at, uint64_t *ns)
{
	const uint64_t second = UINT64_C(1000000000);
	struct trace_number whole;
	uint64_t fraction = 0, unit = second;

	if (!isdigit((unsigned char)*at))
		return NULL;
	at = trace_scan_number(at, &whole);
	if (!at)
		return NULL;
	if (*at == ':') { // a clock that counts: its unit is all there is
		*ns = whole.magnitude;
		return at + 1;
	}
	if (*at != '.' || !isdigit((unsigned char)at[1]) || whole.magnitude > INT64_MAX / second - 1)
		return NULL;
	for (at++; isdigit((unsigned char)*at); at++) {
		if (unit == 1)
			return NULL; // finer than a nanosecond
		unit /= 10;
		fraction += (uint64_t)(*at - '0') * unit;
	}
	*ns = whole.magnitude * second + fraction;
	return *at == ':' ? at + 1 : NULL;
}

// The flags of the latency column, "d.h1." or more; any word of 4 to 8 letters, digits, dots and '#'.
static const char *scan_flags(const char *at, bool *interrupt)
{
	const char *start = at;

	while (isalnum((unsigned char)*at) || *at == '.' || *at == '#')
		at++;
	if (at - start < 4 || at - start > 8)
		return NULL;
	*interrupt = strchr("hHsZz", start[2]) != NULL;
	return at;
}

// What follows the cpu: flags or none, then the time.
static bool scan_after_cpu(const char *at, struct head *head)
{
	const char *flags;

	head->interrupt = false;
	at = skip_spaces(at);
	head->rest = scan_time(at, &head->ns);
	if (head->rest)
		return true;
	flags = scan_flags(at, &head->interrupt);
	if (!flags || (*flags != ' ' && *flags != '\t'))
		return false;
	head->rest = scan_time(skip_spaces(flags), &head->ns);
	return head->rest != NULL;
}

// The number that ends before `at`, after "TASK-", "PID/" or a space; a "(TGID)" between them is passed over.
static bool scan_pid_before(const char *line, const char *at, uint64_t *pid)
{
	struct trace_number number;

	while (at > line && at[-1] == ' ')
		at--;
	if (at > line && at[-1] == ')') {
		for (at--; at > line && (isdigit((unsigned char)at[-1]) || at[-1] == ' ' || at[-1] == '-');)
			at--; // no farther than a TGID or "-------" reaches: a line may hold a hundred thousand brackets
		if (at > line && at[-1] == '(')
			at--;
		while (at > line && at[-1] == ' ')
			at--;
	}

	const char *end = at;

	while (at > line && isdigit((unsigned char)at[-1]))
		at--;
	if (at == end || trace_scan_number(at, &number) != end || number.magnitude > UINT32_MAX)
		return false;
	*pid = number.magnitude;
	return at > line && (at[-1] == '-' || at[-1] == '/' || at[-1] == ' ');
}

// "[CPU]" with a process before it and a time after it.
static bool scan_head_brackets(const char *line, const char *end, struct head *head)
{
	for (const char *at = line; (at = memchr(at, '[', (size_t)(end - at))); at++) {
		const char *after;

		if (!isdigit((unsigned char)at[1]))
			continue;
		after = trace_scan_unsigned(at + 1, TRACE_CPUS_MAX - 1, ']', &head->cpu);
		if (after && scan_after_cpu(after, head) && scan_pid_before(line, at, &head->pid))
			return true;
	}
	return false;
}

// trace-cmd report -l: "TASK-PID CPUflags TIME:", as in "pywork-208     0...2.    11.650166:".
static bool scan_head_latency(const char *line, const char *end, struct head *head)
{
	for (const char *at = line; (at = memchr(at, '-', (size_t)(end - at))); at++) {
		struct trace_number number;
		const char *stop;

		if (!isdigit((unsigned char)at[1]))
			continue;
		stop = trace_scan_number(at + 1, &number);
		if (!stop || *stop != ' ' || number.magnitude > UINT32_MAX)
			continue;
		head->pid = number.magnitude;
		stop = skip_spaces(stop);
		if (!isdigit((unsigned char)*stop))
			continue;
		// "0d" is cpu 0 and a flag, so no hexadecimal here
		for (head->cpu = 0; isdigit((unsigned char)*stop) && head->cpu < TRACE_CPUS_MAX; stop++)
			head->cpu = head->cpu * 10 + (uint64_t)(*stop - '0');
		if (head->cpu < TRACE_CPUS_MAX && *stop != ' ' && *stop != ':' && scan_after_cpu(stop, head))
			return true;
	}
	return false;
}

// The value of a pair as a number. NULL, or what would be right.
static const char *scan_value(const struct trace_field *field, const char *at, const char *end,
			      struct trace_number *number)
{
	number->negative = false;
	if (field->target == TRACE_TO_GFP) {
		uint32_t gfp;

		if (!scan_gfp(at, end, &gfp))
			return "is not a set of request flags: names joined by '|', or a number";
		number->magnitude = gfp;
		return NULL;
	}
	if (field->target == TRACE_TO_PFN && *at == '(' && isdigit((unsigned char)at[1]))
		at++; // range=(0x1 ~ 0x200)
	if (trace_scan_number(at, number) == end || scan_symbol(at, (size_t)(end - at), &number->magnitude))
		return NULL;
	return "is not a number";
}

static const struct trace_field *find_field(const struct trace_spec *spec, const char *key, size_t length, bool *alias)
{
	for (unsigned i = 0; i < spec->nr; i++) {
		*alias = false;
		if (is_word(key, length, spec->field[i].key))
			return &spec->field[i];
		*alias = true;
		if (spec->field[i].alias && is_word(key, length, spec->field[i].alias))
			return &spec->field[i];
	}
	return NULL;
}

// Stores one pair. 1; 0: a probe's page that is none, the event is to be left out; -1 and *error.
static int store_pair(const struct text *text, const struct trace_spec *spec, const struct trace_field *field,
		      bool alias, const char *value, const char *end, struct trace_event *event,
		      struct trace_error *error)
{
	struct trace_number number;
	const char *wrong = scan_value(field, value, end, &number);

	if (!wrong && alias && spec->probe && field->target == TRACE_TO_PFN) {
		bool plausible;

		event->pfn = trace_page_to_pfn(number.magnitude, &plausible);
		return plausible;
	}
	if (!wrong)
		wrong = trace_store(event, field, number);
	if (wrong)
		return trace_input_fail(text->input, error, "%s: %s=%.*s %s", spec->name,
					alias ? field->alias : field->key, (int)(end - value > 64 ? 64 : end - value),
					value, wrong);
	return 1;
}

// The pairs of an event's text. 1; 0: leave the event out; -1 and *error.
static int scan_pairs(const struct text *text, const struct trace_spec *spec, const char *at, const char *end,
		      struct trace_event *event, struct trace_error *error)
{
	bool null_page = false;
	unsigned seen = 0;

	while ((at = skip_spaces(at)) < end) {
		const char *stop = at, *equals = NULL;
		const struct trace_field *field;
		bool alias;
		int got;

		for (; stop < end && *stop != ' ' && *stop != ','; stop++)
			if (*stop == '=' && !equals)
				equals = stop;
		if (equals) {
			uint64_t zero = 1;

			field = find_field(spec, at, (size_t)(equals - at), &alias);
			got = field ? store_pair(text, spec, field, alias, equals + 1, stop, event, error) : 1;
			if (got <= 0)
				return got;
			if (field)
				seen |= 1u << (field - spec->field);
			else if (is_word(at, (size_t)(equals - at), "page"))
				null_page = (scan_symbol(equals + 1, (size_t)(stop - equals - 1), &zero) && zero == 0)
					    || strspn(equals + 1, "0x") == (size_t)(stop - equals - 1);
		}
		at = stop < end ? stop + 1 : end;
	}
	for (unsigned i = 0; i < spec->nr; i++)
		if (spec->field[i].required && !(seen >> i & 1))
			return trace_input_fail(text->input, error, "%s has no %s=", spec->name,
						spec->field[i].alias ? spec->field[i].alias : spec->field[i].key);
	if (null_page && event->pfn == 0) // how the text shows pfn -1
		event->pfn = TRACE_PFN_NONE;
	return 1;
}

// "CPU:n [LOST m EVENTS]", "CPU:n [LOST EVENTS]" (tracefs), "CPU:n [m EVENTS DROPPED]" (trace-cmd).
static bool scan_lost(const char *line, size_t length, struct trace_event *event)
{
	const char *at;
	uint64_t cpu, lost = 0;

	if (length < 8 || memcmp(line, "CPU:", 4) != 0 || !isdigit((unsigned char)line[4]))
		return false;
	at = trace_scan_unsigned(line + 4, TRACE_CPUS_MAX - 1, ' ', &cpu);
	if (!at || *at != '[')
		return false;
	at++;
	if (strncmp(at, "LOST ", 5) == 0)
		at += 5;
	if (isdigit((unsigned char)*at)) {
		at = trace_scan_unsigned(at, UINT64_MAX, ' ', &lost);
		if (!at)
			return false;
	}
	if (strncmp(at, "EVENTS]", 7) != 0 && strncmp(at, "EVENTS DROPPED]", 15) != 0)
		return false;
	memset(event, 0, sizeof(*event));
	event->kind = TRACE_LOST;
	event->cpu = (uint16_t)cpu;
	event->a = lost > INT32_MAX ? INT32_MAX : (int32_t)lost;
	return true;
}

// Lines that tell nothing: comments, blank ones, trace-cmd's remarks, frames of a stack trace.
static bool is_remark(const char *line, size_t length)
{
	const char *at = skip_spaces(line);

	return at >= line + length || *at == '#' || strncmp(at, "=> ", 3) == 0 || strncmp(line, "cpus=", 5) == 0
	       || strncmp(line, "version = ", 10) == 0
	       || (length > 9 && strncmp(line, "CPU ", 4) == 0 && strncmp(line + length - 9, " is empty", 9) == 0);
}

// One line. 1: *event; 0: the line tells no event; -1: *error.
static int text_line(struct text *text, const char *line, size_t length, struct trace_event *event,
		     struct trace_error *error)
{
	const char *end, *name, *stop;
	const struct trace_spec *spec;
	struct head head;
	int got;

	while (length && (line[length - 1] == '\r' || line[length - 1] == ' '))
		length--;
	if (is_remark(line, length))
		return 0;
	if (scan_lost(line, length, event)) {
		event->ns = text->ns;
		text->source.lost += event->a ? (uint64_t)event->a : 1;
		return 1;
	}
	end = line + length;
	if (!scan_head_brackets(line, end, &head) && !scan_head_latency(line, end, &head))
		return trace_input_fail(text->input, error, "'%.*s' is not 'TASK-PID [CPU] TIME: EVENT: key=value ...'",
					(int)(length > 80 ? 80 : length), line);
	if (head.ns < text->ns)
		return trace_input_fail(text->input, error,
					"the time goes back by %" PRIu64
					" ns: record with one clock for all cpus (-C mono)",
					text->ns - head.ns);
	name = skip_spaces(head.rest);
	for (stop = name; stop < end && *stop != ' '; stop++)
		if (*stop == ':' && stop + 1 < end && stop[1] != ' ')
			name = stop + 1; // perf: "kmem:mm_page_alloc:"
	spec = stop > name && stop[-1] == ':' ? trace_spec_find(name, (size_t)(stop - 1 - name)) : NULL;
	trace_clear(event, spec);
	got = spec ? scan_pairs(text, spec, stop, end, event, error) : 1;
	event->ns = text->ns = head.ns;
	event->cpu = (uint16_t)head.cpu;
	event->pid = (uint32_t)head.pid;
	event->interrupt = head.interrupt;
	return got;
}

static int text_next(struct trace_source *source, struct trace_event *event, struct trace_error *error)
{
	struct text *text = (struct text *)source;
	const char *line;
	size_t length;
	int got;

	for (;;) {
		got = trace_input_line(text->input, &line, &length, error);
		if (got <= 0)
			return got;
		got = text_line(text, line, length, event, error);
		if (got < 0)
			return -1;
		if (got == 0)
			continue;
		event->seq = ++text->seq;
		return 1;
	}
}

static void text_progress(const struct trace_source *source, uint64_t *done, uint64_t *total)
{
	trace_input_progress(((const struct text *)source)->input, done, total);
}

static void text_close(struct trace_source *source)
{
	trace_input_close(((struct text *)source)->input);
	free(source);
}

struct trace_source *trace_text_open(struct trace_input *input, struct trace_error *error)
{
	struct text *text = calloc(1, sizeof(*text));

	if (!text) {
		trace_fail(error, "%.250s: no memory for a reader", input->path);
		return NULL;
	}
	text->source = (struct trace_source){text_next, text_progress, text_close, 0};
	text->input = input;
	return &text->source;
}
