// SPDX-License-Identifier: Apache-2.0
//
// What the readers of the several kinds of file share: the table of events and their fields, the scanner of numbers,
// error messages, and the shape of a source of events.

#pragma once

#include <stdarg.h>

#include "trace/event.h"
#include "trace/input.h"
#include "trace/reader.h"

enum {
	TRACE_ORDER_MAX = 10,
	TRACE_DEFER_SHIFT_MAX = 6,
	TRACE_MIGRATETYPE_MAX = 5,
	TRACE_CPUS_MAX = 4096,
	TRACE_FIELDS_MAX = 7,
};

enum trace_target { // where a field goes, and with that its range
	TRACE_TO_PFN,
	TRACE_TO_ORDER,
	TRACE_TO_GFP,
	TRACE_TO_MIGRATETYPE,
	TRACE_TO_ZONE,
	TRACE_TO_END_PFN,
	TRACE_TO_RUN_ORDER, // an order, or -1 for none
	TRACE_TO_SHIFT,
	TRACE_TO_LIMIT, // 2 to the power of a shift
	TRACE_TO_FAILED,
	TRACE_TO_A,
	TRACE_TO_B,
	TRACE_TO_C,
};

// A field of an event. Fields are listed in the order in which records write them, which lets a reader that expects
// them in this order find each at the first try.
struct trace_field {
	const char *key;   // as in records and in the binary format of the tracepoint
	const char *alias; // as in the tracepoint's text, or of the binary format of a probe; NULL: the same
	uint8_t target;	   // enum trace_target
	uint8_t limit;	   // of a, b, c: the value lies in 0 .. limit; 0: any int32_t
	bool required;	   // without this one the event says nothing
};

struct trace_spec {
	const char *name;
	uint8_t length; // of the name
	uint8_t kind;	// enum trace_kind
	bool probe;	// a kprobe of the records' recorder, not a tracepoint of the kernel
	uint8_t nr;
	struct trace_field field[TRACE_FIELDS_MAX];
};

// NULL: not an event that a replay wants.
const struct trace_spec *trace_spec_find(const char *name, size_t length);

struct trace_number {
	uint64_t magnitude;
	bool negative;
};

// Scans "-12", "345" or "0x6f" at `at`, which must be followed somewhere by a byte that belongs to no number.
// Returns the first byte after it, or NULL if there is no number or it needs more than 64 bits.
const char *trace_scan_number_slow(const char *at, struct trace_number *number);

static inline const char *trace_scan_number(const char *at, struct trace_number *number)
{
	uint64_t value = (uint64_t)*at - '0';
	const char *start = at;

	if (value > 9 || (value == 0 && at[1] == 'x'))
		return trace_scan_number_slow(start, number);
	for (at++; (unsigned char)(*at - '0') <= 9; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	if (at - start > 19) // may have wrapped
		return trace_scan_number_slow(start, number);
	number->magnitude = value;
	number->negative = false;
	return at;
}

// The same for a number that must lie in 0 .. max and be followed by the byte `then`. Returns the byte after that
// one, or NULL.
const char *trace_scan_unsigned(const char *at, uint64_t max, char then, uint64_t *value);

// Stores the value of a field into the event. NULL, or what is wrong with it ("exceeds 10").
const char *trace_store(struct trace_event *event, const struct trace_field *field, struct trace_number number);

// Fills an event of this kind with "unknown" in the fields that the kind uses, and 0 in the others.
void trace_clear(struct trace_event *event, const struct trace_spec *spec);

// "__GFP_ZERO", "GFP_KERNEL": adds its bits. A flag that this allocator does not have adds none. False: not a flag.
bool trace_gfp_word(const char *word, size_t length, uint32_t *gfp);

// The frame of a struct page's address when the kernel was not moved (nokaslr, 4 KiB pages, 64-byte descriptors).
// TRACE_PFN_NONE with *plausible = false when the address cannot be one; a null page is a plausible "none".
uint64_t trace_page_to_pfn(uint64_t page, bool *plausible);

// A source of events of one format. The functions get the source itself; close frees it.
struct trace_source {
	int (*next)(struct trace_source *source, struct trace_event *event, struct trace_error *error);
	void (*progress)(const struct trace_source *source, uint64_t *done, uint64_t *total);
	void (*close)(struct trace_source *source);
	uint64_t lost;
};

// Each takes over the input when it succeeds; NULL and *error when not, then the input stays the caller's.
struct trace_source *trace_oracle_open(struct trace_input *input, struct trace_error *error);
struct trace_source *trace_text_open(struct trace_input *input, struct trace_error *error);
struct trace_source *trace_dat_open(struct trace_input *input, struct trace_error *error);

// Fills *error with one line whatever the arguments hold: control characters become '?'. Return -1.
__attribute__((format(printf, 2, 3))) int trace_fail(struct trace_error *error, const char *format, ...);
__attribute__((format(printf, 3, 0))) int trace_fail_at(struct trace_error *error, const char *place,
							const char *format, va_list args);
