// SPDX-License-Identifier: Apache-2.0
//
// Messages: "FILE:LINE:COLUMN: error: TEXT", the line and a caret below it.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "sim/config_internal.h"

enum {
	EXCERPT_WIDTH = 100, // characters of a line that are shown
	EXCERPT_BEFORE = 60, // of them before the caret, when the line is longer
	TEXT_MAX = 1024,
};

// ---- the report ----

static void append(struct config *config, const char *text, size_t length)
{
	if (config->report_size - config->report_length <= length) {
		size_t size = 2 * config->report_size + length + 512;
		char *report = realloc(config->report, size);

		if (!report) {
			config->no_memory = true;
			return;
		}
		config->report = report;
		config->report_size = size;
	}
	memcpy(config->report + config->report_length, text, length + 1);
	config->report_length += length;
}

const char *config_report(const struct config *config)
{
	if (config->no_memory)
		return "error: there is not enough memory for these files; are there aliases of aliases in them?\n";
	return config->report ? config->report : "";
}

unsigned config_errors(const struct config *config)
{
	return config->errors;
}

// ---- the line with the caret ----

// The bytes of a line, without its end; NULL: the source has no such line.
static const char *find_line(const struct config_source *source, uint32_t line, size_t *length)
{
	const char *at = source->text, *end = at + source->length;

	while (--line) {
		while (at < end && *at != '\n' && *at != '\r')
			at++;
		if (at == end)
			return NULL;
		at += at + 1 < end && at[0] == '\r' && at[1] == '\n' ? 2 : 1;
	}
	*length = 0;
	while (at + *length < end && at[*length] != '\n' && at[*length] != '\r')
		++*length;
	return at;
}

// Characters [start, start + EXCERPT_WIDTH) of a line in UTF-8, one column each.
static void write_characters(FILE *file, const char *line, size_t length, size_t start)
{
	size_t n = 0;

	for (size_t i = 0; i < length; i++) {
		n += ((unsigned char)line[i] & 0xc0) != 0x80; // a character begins
		if (n > start + EXCERPT_WIDTH)
			break;
		if (n > start)
			fputc((unsigned char)line[i] < ' ' ? ' ' : line[i], file);
	}
}

static void write_excerpt(FILE *file, struct config_place place)
{
	size_t start = place.column > EXCERPT_WIDTH ? place.column - EXCERPT_BEFORE : 0, length;
	const char *line = find_line(place.source, place.line, &length);
	unsigned caret = place.column - (unsigned)start + (start ? 3 : 0);

	if (!line)
		return;
	fprintf(file, "%5" PRIu32 " | %s", place.line, start ? "..." : "");
	write_characters(file, line, length, start);
	fprintf(file, "\n      | %*s\n", (int)caret, "^");
}

// ---- messages ----

static void write_printable(FILE *file, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, file);
}

static void write_message(FILE *file, struct config_place place, const char *text)
{
	write_printable(file, place.source->name);
	if (place.source->text && place.line)
		fprintf(file, ":%" PRIu32 ":%" PRIu32, place.line, place.column);
	fputs(": error: ", file);
	write_printable(file, text);
	fputc('\n', file);
	if (place.source->text && place.line)
		write_excerpt(file, place);
}

// The same message at the same place comes up once for each alias of a mapping.
static bool said_before(const struct config *config, const char *message)
{
	const char *at = config->report;

	while (at && (at = strstr(at, message))) {
		if (at == config->report || at[-1] == '\n')
			return true;
		at++;
	}
	return false;
}

static void say(struct config *config, struct config_place place, const char *text)
{
	static const char more[] = "error: there are more errors than these\n";
	char *message = NULL;
	size_t length;
	FILE *file;

	if (config->errors > CONFIG_ERRORS_MAX)
		return;
	file = open_memstream(&message, &length);
	if (!file) {
		config->no_memory = true;
		config->errors++;
		return;
	}
	write_message(file, place, text);
	if (fclose(file)) {
		config->no_memory = true;
		config->errors++;
	} else if (!said_before(config, message)) {
		if (config->errors++ < CONFIG_ERRORS_MAX)
			append(config, message, length);
		else
			append(config, more, sizeof(more) - 1);
	}
	free(message);
}

void config_say(struct config *config, struct config_place place, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	say(config, place, text);
}

void config_error(struct config *config, const struct config_node *place, const char *key, const char *format, ...)
{
	const struct config_item *item = key ? config_node_find(place, key) : NULL;
	char text[TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	say(config, item ? item->value->place : place->place, text);
}

struct config_quoted config_quote(const char *text)
{
	struct config_quoted quoted;
	size_t end = 40;

	if (strlen(text) <= end) {
		snprintf(quoted.text, sizeof(quoted.text), "'%s'", text);
		return quoted;
	}
	while (end && ((unsigned char)text[end] & 0xc0) == 0x80) // not within a character of UTF-8
		end--;
	snprintf(quoted.text, sizeof(quoted.text), "'%.*s...'", (int)end, text);
	return quoted;
}

struct config_quoted config_hint(const char *name)
{
	struct config_quoted hint = {""};

	if (name)
		snprintf(hint.text, sizeof(hint.text), "; did you mean '%.40s'?", name);
	return hint;
}

struct config_near config_near(const char *word)
{
	return (struct config_near){.word = word, .distance = NEAREST_NONE};
}

void config_near_add(struct config_near *near, const char *name)
{
	unsigned distance = name ? nearest_distance(near->word, strlen(near->word), name) : NEAREST_NONE;

	if (distance < near->distance && distance < strlen(near->word)) { // some letter is the same
		near->distance = distance;
		near->name = name;
	}
}

const char *config_nearest(const char *word, const char *const *names)
{
	struct config_near near = config_near(word);

	for (; names && *names; names++)
		config_near_add(&near, *names);
	return near.name;
}

void config_names_add(struct config_names *names, const char *name)
{
	size_t needed = name ? strlen(name) + sizeof(", , ...") : 0;

	if (!name || names->length + needed > sizeof(names->text)) {
		if (name && names->length && names->text[names->length - 1] != '.')
			names->length += (size_t)sprintf(names->text + names->length, ", ...");
		return;
	}
	names->length += (size_t)sprintf(names->text + names->length, "%s%s", names->length ? ", " : "", name);
}
