// SPDX-License-Identifier: Apache-2.0
//
// The words and numbers of a snapshot's lines, and fields that tables describe.

#include <inttypes.h>

#include "trace/snapshot_parse.h"

// The next word of the line. 0, or -1 and the error when there is none.
int parse_word(struct parser *parser, const char **word, size_t *length)
{
	const char *at = parser->at;

	while (at < parser->end && *at != ' ')
		at++;
	*word = parser->at;
	*length = (size_t)(at - parser->at);
	if (*length == 0)
		return FAIL(parser, "a word is missing%s", parser->at < parser->end ? ": two spaces together" : "");
	parser->at = at < parser->end ? at + 1 : at;
	if (at < parser->end && at + 1 == parser->end)
		return FAIL(parser, "a space at the end of the line");
	return 0;
}

int parse_over(const struct parser *parser)
{
	if (parser->at != parser->end)
		return FAIL(parser, "'%.*s' is one word too many", (int)strcspn(parser->at, " \n"), parser->at);
	return 0;
}

// A whole word (up to `end`) as a number of 64 bits, signed or not.
int parse_word_number(const struct parser *parser, const char *word, const char *end, const char *name,
		      struct trace_number *number)
{
	if (trace_scan_number(word, number) != end || (number->negative && number->magnitude > (uint64_t)INT64_MAX))
		return FAIL(parser, "%s: '%.*s' is not a decimal or 0x number of 64 bits", name,
			    (int)(end - word > 32 ? 32 : end - word), word);
	return 0;
}

// The next word as a number from 0 to max.
int parse_number(struct parser *parser, const char *name, uint64_t max, uint64_t *value)
{
	struct trace_number number;
	const char *word;
	size_t length;

	if (parse_word(parser, &word, &length) || parse_word_number(parser, word, word + length, name, &number))
		return -1;
	if ((number.negative && number.magnitude) || number.magnitude > max)
		return FAIL(parser, "%s %.*s is out of range: 0 to %" PRIu64 " is right", name, (int)length, word, max);
	*value = number.magnitude;
	return 0;
}

// Puts the number of a plain field into `base`, once. `i` is its place in the table.
static int store_plain(const struct parser *parser, const struct plain *field, unsigned i, uint32_t *seen, void *base,
		       const char *word, const char *end)
{
	struct trace_number number;
	uint64_t value;

	if (parse_word_number(parser, word, end, field->name, &number))
		return -1;
	if (*seen >> i & 1)
		return FAIL(parser, "%s comes twice", field->name);
	if (!number.negative && number.magnitude > (uint64_t)INT64_MAX)
		return FAIL(parser, "%s %" PRIu64 " is out of range: below 2^63 is right", field->name,
			    number.magnitude);
	*seen |= UINT32_C(1) << i;
	value = number.negative ? 0 - number.magnitude : number.magnitude;
	memcpy((char *)base + field->offset, &value, sizeof(value));
	return 0;
}

// Fields that cannot be negative share the tables with those that can; this tells them apart where it matters.
static int no_negative(const struct parser *parser, const char *name, const char *word)
{
	return *word == '-' ? FAIL(parser, "%s is negative: 0 or more is right", name) : 0;
}

// "NAME v" where the name has been read. 1 when no table entry has this name.
int parse_plain(struct parser *parser, const struct plain *fields, size_t count, uint32_t *seen, void *base,
		const char *name, size_t length, bool is_signed)
{
	const char *word;

	for (unsigned i = 0; i < count; i++) {
		if (!is_word(name, length, fields[i].name))
			continue;
		if (parse_word(parser, &word, &length) || (!is_signed && no_negative(parser, fields[i].name, word))
		    || store_plain(parser, &fields[i], i, seen, base, word, word + length))
			return -1;
		return parse_over(parser);
	}
	return 1;
}

// "NAME=v NAME=v ..." to the end of the line; names that no table entry has are left out.
int parse_pairs(struct parser *parser, const struct plain *fields, size_t count, void *base)
{
	uint32_t seen = 0;
	const char *word;
	size_t length;

	while (parser->at < parser->end) {
		if (parse_word(parser, &word, &length))
			return -1;

		const char *equals = memchr(word, '=', length);

		if (!equals || equals == word)
			return FAIL(parser, "'%.*s' is not NAME=value", (int)(length > 32 ? 32 : length), word);
		for (unsigned i = 0; i < count; i++)
			if (is_word(word, (size_t)(equals - word), fields[i].name)
			    && store_plain(parser, &fields[i], i, &seen, base, equals + 1, word + length))
				return -1;
	}
	return 0;
}

// Notes that one of the lines that come once has come.
int parse_once(const struct parser *parser, uint32_t *seen, uint32_t bit, const char *name)
{
	if (*seen & bit)
		return FAIL(parser, "a second '%s' line", name);
	*seen |= bit;
	return 0;
}
