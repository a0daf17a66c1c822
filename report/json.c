// SPDX-License-Identifier: Apache-2.0

#include "report/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static unsigned announced_length(unsigned char first) // by the first byte of a character; 0: it can't be one
{
	if (first < 0x80)
		return 1;
	return first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
}

// The length of the UTF-8 character that begins here; 0: none does.
static unsigned character_length(const unsigned char *text)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned length = announced_length(text[0]);
	uint32_t code;

	if (length < 2)
		return length;
	code = text[0] & (0x7fu >> length);
	for (unsigned i = 1; i < length; i++) {
		if (text[i] >> 6 != 2)
			return 0; // the end of the text too
		code = code << 6 | (text[i] & 0x3f);
	}
	return code < smallest[length] || code > 0x10ffff || code >> 11 == 0x1b ? 0 : length;
}

static void put_quoted(FILE *file, const char *text)
{
	static const char escaped[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const unsigned char *c = (const unsigned char *)text;

	putc('"', file);
	while (*c) {
		unsigned length = character_length(c);
		const char *special = strchr(escaped, *c);

		if (special)
			fprintf(file, "\\%c", letter[special - escaped]);
		else if (*c < 0x20)
			fprintf(file, "\\u%04x", *c);
		else if (length)
			fwrite(c, 1, length, file);
		else
			fputs("\\ufffd", file);
		c += length ? length : 1;
	}
	putc('"', file);
}

// Before each value: a comma after the one before, and the key.
static void begin_value(struct json *json, const char *key)
{
	bool in_object = json->depth > 0 && !json->array[json->depth - 1];

	assert(in_object == (key != NULL));
	assert(json->depth > 0 || !json->more);
	if (json->more)
		putc(',', json->file);
	json->more = true;
	if (key) {
		put_quoted(json->file, key);
		putc(':', json->file);
	}
}

static void open_level(struct json *json, const char *key, bool array)
{
	begin_value(json, key);
	assert(json->depth < JSON_DEPTH_MAX);
	putc(array ? '[' : '{', json->file);
	json->array[json->depth++] = array;
	json->more = false;
}

void json_object(struct json *json, const char *key)
{
	open_level(json, key, false);
}

void json_array(struct json *json, const char *key)
{
	open_level(json, key, true);
}

void json_end(struct json *json)
{
	assert(json->depth > 0);
	putc(json->array[--json->depth] ? ']' : '}', json->file);
	json->more = true;
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
	begin_value(json, key);
	fprintf(json->file, "%" PRId64, value);
}

void json_fixed(struct json *json, const char *key, int64_t value, unsigned decimals)
{
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value, unit = 1;

	assert(decimals <= 18);
	for (unsigned i = 0; i < decimals; i++)
		unit *= 10;
	begin_value(json, key);
	fprintf(json->file, "%s%" PRIu64, value < 0 ? "-" : "", magnitude / unit);
	if (decimals)
		fprintf(json->file, ".%0*" PRIu64, (int)decimals, magnitude % unit);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_null(struct json *json, const char *key)
{
	begin_value(json, key);
	fputs("null", json->file);
}

void json_string(struct json *json, const char *key, const char *text)
{
	if (!text) {
		json_null(json, key);
		return;
	}
	begin_value(json, key);
	put_quoted(json->file, text);
}

bool json_line(struct json *json)
{
	assert(json->depth == 0 && json->more);
	json->more = false;
	putc('\n', json->file);
	return !ferror(json->file);
}
