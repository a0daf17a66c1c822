// SPDX-License-Identifier: Apache-2.0
//
// The events of a record (docs/oracle-format.md): lines `seq ns cpu pid NAME key=value…` between a header and `end N`.

#include <inttypes.h>
#include <stdlib.h>

#include "trace/internal.h"

struct oracle {
	struct trace_source source;
	struct trace_input *input;
	uint64_t seq, ns; // of the event before
	uint64_t events;
	bool cut;
};

// The four numbers at the start of a line. Returns what follows them, or NULL and *error.
static const char *scan_head(struct oracle *oracle, const char *at, struct trace_event *event,
			     struct trace_error *error)
{
	uint64_t cpu, pid;
	const char *next;

	next = trace_scan_unsigned(at, UINT64_MAX - 1, ' ', &event->seq);
	if (!next) {
		trace_input_fail(oracle->input, error, "'%.24s' is not 'seq ns cpu pid NAME key=value...'", at);
		return NULL;
	}
	at = next;
	next = trace_scan_unsigned(at, INT64_MAX, ' ', &event->ns);
	if (!next) {
		trace_input_fail(oracle->input, error, "'%.24s' is not a time in nanoseconds", at);
		return NULL;
	}
	at = next;
	next = trace_scan_unsigned(at, TRACE_CPUS_MAX - 1, ' ', &cpu);
	if (!next) {
		trace_input_fail(oracle->input, error, "'%.24s' is not a cpu: 0 to 4095 is right", at);
		return NULL;
	}
	at = next;
	next = trace_scan_unsigned(at, UINT32_MAX, ' ', &pid);
	if (!next) {
		trace_input_fail(oracle->input, error, "'%.24s' is not a process number", at);
		return NULL;
	}
	event->cpu = (uint16_t)cpu;
	event->pid = (uint32_t)pid;
	return next;
}

// Which field of the event the key is: nearly always the expected one. -1: none.
static int find_field(const struct trace_spec *spec, unsigned expected, const char *key, size_t length)
{
	for (unsigned tries = 0; tries < spec->nr; tries++) {
		unsigned i = (expected + tries) % spec->nr;
		const char *name = spec->field[i].key;

		if (strncmp(name, key, length) == 0 && name[length] == '\0')
			return (int)i;
	}
	return -1;
}

// True and *value = what follows the '=' if `at` begins with "key=".
static inline bool starts_with_key(const char *at, const char *key, const char **value)
{
	while (*key && *key == *at) {
		key++;
		at++;
	}
	*value = at + 1;
	return *key == '\0' && *at == '=';
}

// A pair whose key is not the one expected. Returns the field's number, -1 for a key of no interest, -2 and *error.
static int find_pair(const struct oracle *oracle, const struct trace_spec *spec, unsigned expected, const char *at,
		     const char *end, const char **value, struct trace_error *error)
{
	const char *stop = at;

	while (stop < end && *stop != '=' && *stop != ' ')
		stop++;
	if (stop == at || *stop != '=') {
		trace_input_fail(oracle->input, error, "'%.*s' in %s is not key=value",
				 (int)(end - at > 32 ? 32 : end - at), at, spec->name);
		return -2;
	}
	*value = stop + 1;
	return find_field(spec, expected, at, (size_t)(stop - at));
}

// The number of a pair. Returns the byte after it, or NULL. Order -1 may be written as if 64 bits of it had been cut off.
static const char *scan_value(const struct trace_field *field, const char *at, struct trace_number *number)
{
	static const char wrapped[] = "-18446744073709551617";
	const char *stop = trace_scan_number(at, number);

	if (stop || field->target != TRACE_TO_RUN_ORDER || strncmp(at, wrapped, sizeof(wrapped) - 1) != 0)
		return stop;
	*number = (struct trace_number){.magnitude = 1, .negative = true};
	return at + sizeof(wrapped) - 1;
}

static int check_complete(const struct oracle *oracle, const struct trace_spec *spec, unsigned seen,
			  struct trace_error *error)
{
	for (unsigned i = 0; i < spec->nr; i++)
		if (spec->field[i].required && !(seen >> i & 1))
			return trace_input_fail(oracle->input, error, "%s has no %s=", spec->name, spec->field[i].key);
	return 0;
}

// Reads the pairs of a line; `end` is its '\n'. 0, or -1 and *error.
static int scan_pairs(const struct oracle *oracle, const struct trace_spec *spec, const char *at, const char *end,
		      struct trace_event *event, struct trace_error *error)
{
	unsigned expected = 0, seen = 0;

	while (at < end) {
		struct trace_number number;
		const char *value, *stop, *wrong;
		int i = (int)expected;

		if (expected >= spec->nr || !starts_with_key(at, spec->field[expected].key, &value))
			i = find_pair(oracle, spec, expected % spec->nr, at, end, &value, error);
		if (i == -2)
			return -1;
		if (i == -1) { // a field of no interest
			stop = memchr(value, ' ', (size_t)(end - value));
			at = stop ? stop + 1 : end;
			continue;
		}
		stop = scan_value(&spec->field[i], value, &number);
		if (!stop || (*stop != ' ' && stop != end))
			return trace_input_fail(oracle->input, error, "%s: %s= wants a decimal or 0x number of 64 bits",
						spec->name, spec->field[i].key);
		if (seen >> i & 1)
			return trace_input_fail(oracle->input, error, "%s: %s= comes twice", spec->name,
						spec->field[i].key);
		wrong = trace_store(event, &spec->field[i], number);
		if (wrong)
			return trace_input_fail(oracle->input, error, "%s: %s=%.*s %s", spec->name, spec->field[i].key,
						(int)(stop - value), value, wrong);
		seen |= 1u << i;
		expected = (unsigned)i + 1;
		if (stop < end && stop + 1 == end)
			return trace_input_fail(oracle->input, error, "a space at the end of the line");
		at = stop < end ? stop + 1 : end;
	}
	return check_complete(oracle, spec, seen, error);
}

// `end N`: nothing may follow, and N must be the number of the last event. 0, or -1 and *error.
static int check_end(struct oracle *oracle, const char *line, const char *end, struct trace_error *error)
{
	uint64_t told;
	size_t length;

	if (trace_scan_unsigned(line + 4, UINT64_MAX - 1, '\n', &told) != end + 1)
		return trace_input_fail(oracle->input, error, "'%.*s' is not 'end N'",
					(int)(end - line > 32 ? 32 : end - line), line);
	if (told != oracle->events)
		return trace_input_fail(oracle->input, error,
					"the file says 'end %" PRIu64 "' but holds %" PRIu64 " events", told,
					oracle->events);
	switch (trace_input_line(oracle->input, &line, &length, error)) {
	case 0: return 0;
	case 1: return trace_input_fail(oracle->input, error, "a line after the 'end' line");
	default: return -1;
	}
}

// A line that is not an event. 0: the end; 1: go on with the next line; -1: *error.
static int special_line(struct oracle *oracle, const char *line, size_t length, struct trace_error *error)
{
	uint64_t cut;

	if (length > 4 && memcmp(line, "end ", 4) == 0)
		return check_end(oracle, line, line + length, error);
	if (length > 4 && memcmp(line, "cut ", 4) == 0) {
		if (oracle->cut || trace_scan_unsigned(line + 4, UINT64_MAX - 1, '\n', &cut) != line + length + 1)
			return trace_input_fail(oracle->input, error, "a second 'cut' line, or one without its number");
		oracle->cut = true;
		oracle->source.lost += cut;
		return 1;
	}
	return trace_input_fail(oracle->input, error,
				"'%.*s' is not 'seq ns cpu pid NAME key=value...', 'cut N' or 'end N'",
				(int)(length > 32 ? 32 : length), line);
}

static int check_order(struct oracle *oracle, const struct trace_event *event, struct trace_error *error)
{
	if (oracle->cut)
		return trace_input_fail(oracle->input, error, "an event after the 'cut' line");
	if (event->seq < oracle->seq)
		return trace_input_fail(oracle->input, error, "seq %" PRIu64 " comes after seq %" PRIu64, event->seq,
					oracle->seq);
	if (event->ns < oracle->ns)
		return trace_input_fail(oracle->input, error, "the time goes back from %" PRIu64 " to %" PRIu64 " ns",
					oracle->ns, event->ns);
	return 0;
}

// One event's line. 1, or -1 and *error.
static int event_line(struct oracle *oracle, const char *line, size_t length, struct trace_event *event,
		      struct trace_error *error)
{
	const char *end = line + length, *name, *after;
	const struct trace_spec *spec;
	struct trace_event head;

	if (oracle->input->unterminated)
		return trace_input_fail(oracle->input, error, "truncated: the file ends in the middle of a line");
	name = scan_head(oracle, line, &head, error);
	if (!name)
		return -1;
	for (after = name; *after != ' ' && *after != '\n'; after++)
		;
	if (after == name)
		return trace_input_fail(oracle->input, error, "the name of the event is missing");
	spec = trace_spec_find(name, (size_t)(after - name));
	trace_clear(event, spec);
	event->seq = head.seq;
	event->ns = head.ns;
	event->cpu = head.cpu;
	event->pid = head.pid;
	if (check_order(oracle, event, error))
		return -1;
	if (spec && scan_pairs(oracle, spec, after < end ? after + 1 : end, end, event, error))
		return -1;
	oracle->seq = event->seq;
	oracle->ns = event->ns;
	oracle->events++;
	return 1;
}

static int oracle_next(struct trace_source *source, struct trace_event *event, struct trace_error *error)
{
	struct oracle *oracle = (struct oracle *)source;
	const char *line;
	size_t length;
	int got;

	for (;;) {
		got = trace_input_line(oracle->input, &line, &length, error);
		if (got < 0)
			return -1;
		if (got == 0)
			return trace_input_fail(oracle->input, error,
						"truncated: the file ends without its 'end N' line");
		if ((unsigned char)(line[0] - '0') <= 9)
			return event_line(oracle, line, length, event, error);
		got = special_line(oracle, line, length, error);
		if (got <= 0)
			return got;
	}
}

static void oracle_progress(const struct trace_source *source, uint64_t *done, uint64_t *total)
{
	trace_input_progress(((const struct oracle *)source)->input, done, total);
}

static void oracle_close(struct trace_source *source)
{
	trace_input_close(((struct oracle *)source)->input);
	free(source);
}

struct trace_source *trace_oracle_open(struct trace_input *input, struct trace_error *error)
{
	static const char header[] = "pageyard-events 1";
	struct oracle *oracle;
	const char *line;
	size_t length;

	if (trace_input_line(input, &line, &length, error) != 1)
		return NULL;
	if (length != sizeof(header) - 1 || memcmp(line, header, length) != 0) {
		trace_input_fail(input, error, "'%.*s' is not a version that this program reads: '%s' is right",
				 (int)(length > 40 ? 40 : length), line, header);
		return NULL;
	}
	oracle = calloc(1, sizeof(*oracle));
	if (!oracle) {
		trace_input_fail(input, error, "no memory for a reader");
		return NULL;
	}
	oracle->source = (struct trace_source){oracle_next, oracle_progress, oracle_close, 0};
	oracle->input = input;
	return &oracle->source;
}
