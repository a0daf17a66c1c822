// SPDX-License-Identifier: Apache-2.0
//
// The structure of a trace.dat, as trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5) describe it. Only what tells whether the
// file is whole is looked at; what the sections say is libtracecmd's business.

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "trace/dat.h"
#include "trace/internal.h"

enum {
	SECTION_HEADER = 16, // u16 id, u16 flags, u32 description, u64 size
	SECTION_OPTIONS = 0,
	SECTION_PACKED = 1, // flag
	OPTION_DONE = 0,
	OPTION_CPUSTAT = 2, // text: what the kernel's buffer of a cpu says of itself
	OPTION_BUFFER = 3,
	OPTIONS_MAX = 4096,
	PACKED_MAX = 1 << 30,
	STRING_MAX = 256,
};

struct check {
	int fd;
	uint64_t at, size;
	bool swap;	      // the file was written on a machine of the other byte order
	bool zstd;	      // packed with zstd, which we can unpack to see
	unsigned buffers;     // of instances in version 6, of all in version 7
	uint64_t events_read; // sum of the cpus' "read events"
	bool events_known;
	const char *path;
	struct trace_error *error;
};

__attribute__((format(printf, 3, 4))) static int fail(const struct check *check, uint64_t offset, const char *format,
						      ...)
{
	char place[400];
	va_list args;

	snprintf(place, sizeof(place), "%.250s: offset %" PRIu64 ": ", check->path, offset);
	va_start(args, format);
	trace_fail_at(check->error, place, format, args);
	va_end(args);
	return -1;
}

static int get(struct check *check, void *into, size_t bytes)
{
	size_t done = 0;

	if (check->at > check->size || bytes > check->size - check->at)
		return fail(check, check->size, "truncated: %zu bytes more are needed at offset %" PRIu64, bytes,
			    check->at);
	while (done < bytes) {
		ssize_t got = pread(check->fd, (char *)into + done, bytes - done, (off_t)(check->at + done));

		if (got <= 0)
			return fail(check, check->at + done, "cannot read the file");
		done += (size_t)got;
	}
	check->at += bytes;
	return 0;
}

static int skip(struct check *check, uint64_t bytes, const char *what)
{
	if (bytes > check->size - check->at)
		return fail(check, check->size, "truncated: %s at offset %" PRIu64 " says it has %" PRIu64 " bytes",
			    what, check->at, bytes);
	check->at += bytes;
	return 0;
}

// An integer of 2, 4 or 8 bytes.
static int get_number(struct check *check, unsigned bytes, uint64_t *value)
{
	unsigned char raw[8];

	if (get(check, raw, bytes))
		return -1;
	*value = 0;
	for (unsigned i = 0; i < bytes; i++)
		*value = *value << 8
			 | raw[check->swap == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) ? i : bytes - 1 - i];
	return 0;
}

// A string with its '\0'.
static int get_string(struct check *check, char *into, size_t size)
{
	uint64_t start = check->at;

	for (size_t i = 0; i < size; i++) {
		if (get(check, &into[i], 1))
			return -1;
		if (into[i] == '\0')
			return 0;
	}
	return fail(check, start, "a name of more than %zu bytes", size - 1);
}

static int expect(struct check *check, const char *wanted, size_t bytes)
{
	char found[16];
	uint64_t start = check->at;

	if (get(check, found, bytes))
		return -1;
	if (memcmp(found, wanted, bytes) != 0)
		return fail(check, start, "'%s' is missing here", wanted);
	return 0;
}

// Bytes that begin with their number, in 4 or 8 bytes.
static int skip_counted(struct check *check, unsigned bytes, const char *what)
{
	uint64_t length;

	return get_number(check, bytes, &length) || skip(check, length, what);
}

// "u32 packed size, u32 size, packed bytes": whether it unpacks to that size.
static int check_packed(struct check *check)
{
	uint64_t start = check->at, packed, plain;
	size_t got = 0;
	void *from, *to;

	if (get_number(check, 4, &packed) || get_number(check, 4, &plain))
		return -1;
	if (packed > check->size - check->at)
		return fail(check, check->size, "truncated: %" PRIu64 " packed bytes at offset %" PRIu64, packed,
			    check->at);
	if (plain > PACKED_MAX)
		return fail(check, start, "a packed piece says that it unpacks to %" PRIu64 " bytes", plain);
	if (!check->zstd)
		return skip(check, packed, "a packed piece");
	from = malloc(packed ? packed : 1);
	to = malloc(plain ? plain : 1);
	if (from && to && !get(check, from, packed))
		got = ZSTD_decompress(to, plain, from, packed);
	free(from);
	free(to);
	if (!from || !to)
		return fail(check, start, "no memory to unpack %" PRIu64 " bytes", plain);
	if (ZSTD_isError(got) || got != plain)
		return fail(check, start, "damaged: the packed piece here does not unpack to its %" PRIu64 " bytes",
			    plain);
	return 0;
}

// The data of one cpu: plain pages, or a number of packed pieces.
static int check_cpu_data(struct check *check, uint64_t cpu, uint64_t offset, uint64_t bytes, bool packed)
{
	const uint64_t here = check->at;
	uint64_t pieces;

	if (offset > check->size || bytes > check->size - offset)
		return fail(check, check->size,
			    "truncated: cpu %" PRIu64 "'s data are %" PRIu64 " bytes at offset %" PRIu64, cpu, bytes,
			    offset);
	if (!packed || bytes == 0)
		return 0;
	check->at = offset;
	if (get_number(check, 4, &pieces))
		return -1;
	for (uint64_t i = 0; i < pieces; i++)
		if (check_packed(check))
			return -1;
	check->at = here;
	return 0;
}

// "CPU: 0\nentries: 0\n...read events: 74918\n": how many events the recorder got from this cpu.
static int check_cpustat(struct check *check, uint64_t bytes)
{
	char text[1024];
	size_t length = bytes < sizeof(text) - 1 ? bytes : sizeof(text) - 1;
	const char *found;

	if (get(check, text, length))
		return -1;
	text[length] = '\0';
	found = strstr(text, "read events: ");
	if (found) {
		check->events_read += strtoull(found + strlen("read events: "), NULL, 10);
		check->events_known = true;
	}
	return 0;
}

// The buffer option of version 7: where the data of each cpu lie.
static int check_buffer_option(struct check *check, const bool packed)
{
	char name[STRING_MAX];
	uint64_t section, page, cpus, flags;

	if (get_number(check, 8, &section) || get_string(check, name, sizeof(name))
	    || get_string(check, name, sizeof(name)) || get_number(check, 4, &page) || get_number(check, 4, &cpus))
		return -1;

	const uint64_t here = check->at;

	check->at = section;
	if (get_number(check, 2, &flags) || get_number(check, 2, &flags))
		return -1;
	check->at = here;
	if (cpus > TRACE_CPUS_MAX)
		return fail(check, here, "a buffer of %" PRIu64 " cpus: at most %d is right", cpus, TRACE_CPUS_MAX);
	for (uint64_t i = 0; i < cpus; i++) {
		uint64_t cpu, offset, bytes;

		if (get_number(check, 4, &cpu) || get_number(check, 8, &offset) || get_number(check, 8, &bytes)
		    || check_cpu_data(check, cpu, offset, bytes, packed && (flags & SECTION_PACKED)))
			return -1;
	}
	return 0;
}

// The options of a section of version 7. *next = offset of the next section of options, or 0.
static int check_options_7(struct check *check, bool packed, uint64_t *next)
{
	for (unsigned i = 0; i < OPTIONS_MAX; i++) {
		uint64_t id, bytes, start;

		if (get_number(check, 2, &id) || get_number(check, 4, &bytes))
			return -1;
		start = check->at;
		if (bytes > check->size - start)
			return fail(check, check->size, "truncated: option %" PRIu64 " at offset %" PRIu64, id, start);
		if (id == OPTION_DONE)
			return get_number(check, 8, next);
		check->buffers += id == OPTION_BUFFER;
		if ((id == OPTION_BUFFER && check_buffer_option(check, packed))
		    || (id == OPTION_CPUSTAT && check_cpustat(check, bytes)))
			return -1;
		check->at = start + bytes;
	}
	return fail(check, check->at, "more than %d options", OPTIONS_MAX);
}

// Every section, one after the other to the end of the file.
static int check_sections_7(struct check *check, bool packed)
{
	while (check->at < check->size) {
		uint64_t start = check->at, id, flags, name, bytes;

		if (get_number(check, 2, &id) || get_number(check, 2, &flags) || get_number(check, 4, &name)
		    || get_number(check, 8, &bytes))
			return -1;
		if (bytes > check->size - check->at)
			return fail(check, check->size,
				    "truncated: section %" PRIu64 " at offset %" PRIu64 " says it has %" PRIu64
				    " bytes",
				    id, start, bytes);
		// A buffer's pieces are found through its option; the others are one piece.
		if (packed && (flags & SECTION_PACKED) && id != OPTION_BUFFER && check_packed(check))
			return -1;
		check->at = start + SECTION_HEADER + bytes;
	}
	return 0;
}

static int check_7(struct check *check)
{
	char packing[STRING_MAX], version[STRING_MAX];
	uint64_t options, next = 0;
	bool packed;

	if (get_string(check, packing, sizeof(packing)) || get_string(check, version, sizeof(version))
	    || get_number(check, 8, &options))
		return -1;
	packed = strcmp(packing, "none") != 0;
	check->zstd = strcmp(packing, "zstd") == 0;
	if (options == 0)
		return fail(check, check->at - 8, "the recording was not finished: it has no options");
	if (check_sections_7(check, packed))
		return -1;
	for (unsigned i = 0; options; options = next, i++) {
		uint64_t id;

		check->at = options;
		if (i == OPTIONS_MAX || get_number(check, 2, &id))
			return i == OPTIONS_MAX ? fail(check, options, "the sections of options form a ring") : -1;
		if (id != SECTION_OPTIONS)
			return fail(check, options, "a section of options is missing here");
		check->at = options + SECTION_HEADER;
		if (check_options_7(check, packed, &next))
			return -1;
	}
	return 0;
}

// Formats of events, kernel symbols, task names: each with its length.
static int check_descriptions_6(struct check *check)
{
	char system[STRING_MAX];
	uint64_t count, events;

	if (expect(check, "header_page", 12) || skip_counted(check, 8, "header_page")
	    || expect(check, "header_event", 13) || skip_counted(check, 8, "header_event")
	    || get_number(check, 4, &count))
		return -1;
	for (uint64_t i = 0; i < count; i++)
		if (skip_counted(check, 8, "the format of an event of ftrace"))
			return -1;
	if (get_number(check, 4, &count))
		return -1;
	for (uint64_t i = 0; i < count; i++) {
		if (get_string(check, system, sizeof(system)) || get_number(check, 4, &events))
			return -1;
		for (uint64_t j = 0; j < events; j++)
			if (skip_counted(check, 8, "the format of an event"))
				return -1;
	}
	return skip_counted(check, 4, "the list of kernel symbols") || skip_counted(check, 4, "the list of formats")
	       || skip_counted(check, 8, "the list of task names");
}

static int check_options_6(struct check *check)
{
	for (unsigned i = 0; i < OPTIONS_MAX; i++) {
		uint64_t id, bytes, start;

		if (get_number(check, 2, &id))
			return -1;
		if (id == OPTION_DONE)
			return 0;
		if (get_number(check, 4, &bytes))
			return -1;
		start = check->at;
		check->buffers += id == OPTION_BUFFER;
		if (skip(check, bytes, "an option"))
			return -1;
		check->at = start;
		if (id == OPTION_CPUSTAT && check_cpustat(check, bytes))
			return -1;
		check->at = start + bytes;
	}
	return fail(check, check->at, "more than %d options", OPTIONS_MAX);
}

static int check_6(struct check *check)
{
	char kind[10];
	uint64_t cpus, offset, bytes;

	if (check_descriptions_6(check) || get_number(check, 4, &cpus))
		return -1;
	if (cpus > TRACE_CPUS_MAX)
		return fail(check, check->at - 4, "%" PRIu64 " cpus: at most %d is right", cpus, TRACE_CPUS_MAX);
	if (get(check, kind, sizeof(kind)))
		return -1;
	if (memcmp(kind, "options  ", sizeof(kind)) == 0 && (check_options_6(check) || get(check, kind, sizeof(kind))))
		return -1;
	if (memcmp(kind, "flyrecord", sizeof(kind)) != 0)
		return fail(check, check->at - sizeof(kind), "'flyrecord' is missing here");
	for (uint64_t cpu = 0; cpu < cpus; cpu++)
		if (get_number(check, 8, &offset) || get_number(check, 8, &bytes)
		    || check_cpu_data(check, cpu, offset, bytes, false))
			return -1;
	return 0;
}

static int check_version(struct check *check, const char *version)
{
	if (strcmp(version, "6") == 0)
		return check_6(check);
	if (strcmp(version, "7") == 0)
		return check_7(check);
	return fail(check, 10, "version '%s' of trace.dat: this program reads 6 and 7", version);
}

int trace_dat_check(int fd, uint64_t size, const char *path, uint64_t *events, struct trace_error *error)
{
	struct check check = {.fd = fd, .size = size, .path = path, .error = error};
	char version[16];
	unsigned char order, word;
	uint64_t page;

	check.at = 10; // the magic number, which the caller has seen
	if (get_string(&check, version, sizeof(version)) || get(&check, &order, 1) || get(&check, &word, 1))
		return -1;
	if (order > 1)
		return fail(&check, check.at - 2, "byte order %u: 0 (little) or 1 (big) is right", order);
	check.swap = order != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	if (get_number(&check, 4, &page))
		return -1;
	if (page < 4096 || page > 1 << 20 || (page & (page - 1)))
		return fail(&check, check.at - 4, "a page size of %" PRIu64 " bytes", page);
	if (check_version(&check, version))
		return -1;
	// The cpus of several buffers cannot be told apart.
	*events = check.events_known && check.buffers <= (version[0] == '7') ? check.events_read : 0;
	return 0;
}
