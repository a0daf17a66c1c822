// SPDX-License-Identifier: Apache-2.0
//
// Values back to the text that a file would have, and what a field takes, for lists of parameters.

#include <inttypes.h>
#include <string.h>

#include "sim/config_internal.h"

// ---- values ----

// A value that was multiplied by 10^decimals.
static void decimal_text(uint64_t value, unsigned decimals, const char *unit, char *text, size_t size)
{
	uint64_t one = config_power_of_10(decimals), rest = value % one;

	while (decimals && !(rest % 10)) {
		rest /= 10;
		decimals--;
	}
	if (decimals)
		snprintf(text, size, "%" PRIu64 ".%0*" PRIu64 "%s", value / one, (int)decimals, rest, unit);
	else
		snprintf(text, size, "%" PRIu64 "%s", value / one, unit);
}

// In the largest unit that divides the value; sizes in powers of two.
static void unit_text(enum config_type type, config_wide value, char *text, size_t size)
{
	const struct config_measure *measure = config_measure(type);
	const struct config_unit *best = measure->units;

	for (const struct config_unit *unit = best; value && unit->name; unit++)
		if (!(value % unit->factor) && (!measure->rounds || !(unit->factor & (unit->factor - 1))))
			best = unit;
	snprintf(text, size, "%" PRIu64 "%s", (uint64_t)(value / best->factor), value ? best->name : "");
}

static void number_text(enum config_type type, uint64_t value, char *text, size_t size)
{
	const uint64_t pages_of_1mib = (1 << 20) / CONFIG_PAGE_BYTES;

	switch (type) {
	case CONFIG_PERCENT: decimal_text(value, 4, "%", text, size); break;
	case CONFIG_RATIO: decimal_text(value, 3, "", text, size); break;
	case CONFIG_PAGES:
		if (value % pages_of_1mib)
			snprintf(text, size, "%" PRIu64 " pages", value);
		else
			unit_text(CONFIG_SIZE, (config_wide)value * CONFIG_PAGE_BYTES, text, size);
		break;
	default: unit_text(type, value, text, size); break;
	}
}

static void integer_text(const struct config_field *field, uint64_t value, char *text, size_t size)
{
	for (const struct config_word *word = config_words(field); word && word->name; word++) {
		if (word->value == value) {
			snprintf(text, size, "%s", word->name);
			return;
		}
	}
	number_text(config_measure(field->type) ? field->type : CONFIG_COUNT, value, text, size);
}

const char *config_value_text(const struct config_field *field, const void *member, char *text, size_t size)
{
	struct config_range range;
	struct config_amount amount;
	struct config_rate rate;
	size_t length;

	switch (field->type) {
	case CONFIG_STRING:
	case CONFIG_NAME: {
		const char *string;

		memcpy(&string, member, sizeof(string));
		return string;
	}
	case CONFIG_RATE: memcpy(&rate, member, sizeof(rate)); return config_rate_text(rate, text, size);
	case CONFIG_SIGNED: snprintf(text, size, "%" PRId64, (int64_t)config_fetch(member, field->size)); return text;
	case CONFIG_AMOUNT:
		memcpy(&amount, member, sizeof(amount));
		if (amount.parts)
			number_text(CONFIG_PERCENT, amount.parts, text, size);
		else
			integer_text(field, amount.bytes, text, size);
		return text;
	default: break;
	}
	if (!field->range) {
		integer_text(field, config_fetch(member, field->size), text, size);
		return text;
	}
	memcpy(&range, member, sizeof(range));
	integer_text(field, range.min, text, size);
	length = strlen(text);
	if (range.max != range.min && length + 3 < size) {
		memcpy(text + length, "..", 3);
		integer_text(field, range.max, text + length + 2, size - length - 2);
	}
	return text;
}

// ---- types ----

static void add(char *text, size_t size, const char *more)
{
	size_t length = strlen(text);

	snprintf(text + length, size - length, "%s", more);
}

static void add_words(const struct config_field *field, const char *first, char *text, size_t size)
{
	for (const struct config_word *word = field->words; word && word->name; word++) {
		add(text, size, first);
		add(text, size, word->name);
		first = "|";
	}
}

static void add_limit(const struct config_field *field, uint64_t limit, char *text, size_t size)
{
	const struct config_field plain = {.type = field->type == CONFIG_AMOUNT ? CONFIG_SIZE : field->type,
					   .size = sizeof(limit)};
	const struct config_rate rate = {limit, CONFIG_NS_OF_1000_S};
	char buffer[64];

	if (field->type == CONFIG_RATE)
		add(text, size, config_rate_text(rate, buffer, sizeof(buffer)));
	else
		add(text, size, config_value_text(&plain, &limit, buffer, sizeof(buffer)));
}

static void add_limits(const struct config_field *field, char *text, size_t size)
{
	if (field->min || field->max)
		add(text, size, field->min && field->max ? " " : field->min ? " >= " : " <= ");
	if (field->min)
		add_limit(field, field->min, text, size);
	if (field->min && field->max)
		add(text, size, "..");
	if (field->max)
		add_limit(field, field->max, text, size);
}

static const char *type_name(const struct config_field *field)
{
	switch (field->type) {
	case CONFIG_COUNT:
	case CONFIG_SIGNED: return "number";
	case CONFIG_SIZE: return "size";
	case CONFIG_PAGES: return "size|pages";
	case CONFIG_AMOUNT: return "size|percent";
	case CONFIG_TIME: return "time";
	case CONFIG_PERCENT: return "percent";
	case CONFIG_RATIO: return "ratio";
	case CONFIG_BANDWIDTH: return "bandwidth";
	case CONFIG_RATE: return "rate";
	case CONFIG_BOOL: return "on|off";
	case CONFIG_STRING: return "text";
	case CONFIG_NAME: return "name";
	case CONFIG_SECTION: return "section";
	case CONFIG_OPTIONAL: return "section|none";
	case CONFIG_CHANGES: return "path: value";
	case CONFIG_VARIANT: return field->variants->what;
	default: return "";
	}
}

const char *config_type_text(const struct config_field *field, char *text, size_t size)
{
	text[0] = '\0';
	if (field->type == CONFIG_LIST || field->type == CONFIG_FLAGS)
		add(text, size, "list of ");
	if (field->type == CONFIG_LIST && field->element->type == CONFIG_SECTION) {
		add(text, size, field->element->schema->name);
		return text;
	}
	if (field->type == CONFIG_LIST) {
		config_type_text(field->element, text + strlen(text), size - strlen(text));
		return text;
	}
	add(text, size, type_name(field));
	if (field->range) {
		add(text, size, "..");
		add(text, size, type_name(field));
	}
	add_words(field, *type_name(field) ? "|" : "", text, size);
	if (config_measure(field->type))
		add_limits(field, text, size);
	if (field->type == CONFIG_SIGNED)
		snprintf(text + strlen(text), size - strlen(text), " %" PRId64 "..%" PRId64, (int64_t)field->min,
			 (int64_t)field->max);
	return text;
}
