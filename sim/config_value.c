// SPDX-License-Identifier: Apache-2.0
//
// The text of one value into the member that a field describes: words, numbers within limits, ranges, amounts.

#include <inttypes.h>
#include <string.h>

#include "sim/config_internal.h"

static const struct config_word bool_words[] = {
	{"on", 1}, {"off", 0}, {"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {0},
};

bool config_is_scalar(enum config_type type)
{
	return type >= CONFIG_COUNT && type <= CONFIG_NAME && type != CONFIG_FLAGS;
}

size_t config_member_size(const struct config_field *field)
{
	if (field->range)
		return sizeof(struct config_range);
	switch (field->type) {
	case CONFIG_AMOUNT: return sizeof(struct config_amount);
	case CONFIG_RATE: return sizeof(struct config_rate);
	case CONFIG_SIGNED: return sizeof(int64_t);
	case CONFIG_BOOL: return sizeof(bool);
	case CONFIG_STRING:
	case CONFIG_NAME:
	case CONFIG_OPTIONAL:
	case CONFIG_CHANGES:
	case CONFIG_PLACE: return sizeof(void *);
	case CONFIG_SECTION: return field->schema->size;
	case CONFIG_LIST: return sizeof(CONFIG_LIST_OF(void));
	case CONFIG_VARIANT: return sizeof(struct config_variant);
	default: return 0;
	}
}

void config_store(void *member, size_t size, uint64_t value)
{
	uint8_t value8 = (uint8_t)value;
	uint16_t value16 = (uint16_t)value;
	uint32_t value32 = (uint32_t)value;

	switch (size) {
	case 1: memcpy(member, &value8, 1); break;
	case 2: memcpy(member, &value16, 2); break;
	case 4: memcpy(member, &value32, 4); break;
	default: memcpy(member, &value, 8); break;
	}
}

uint64_t config_fetch(const void *member, size_t size)
{
	uint8_t value8;
	uint16_t value16;
	uint32_t value32;
	uint64_t value;

	switch (size) {
	case 1: memcpy(&value8, member, 1); return value8;
	case 2: memcpy(&value16, member, 2); return value16;
	case 4: memcpy(&value32, member, 4); return value32;
	default: memcpy(&value, member, 8); return value;
	}
}

// ---- words ----

const struct config_word *config_words(const struct config_field *field)
{
	return field->type == CONFIG_BOOL ? bool_words : field->words;
}

static const struct config_word *find_word(const struct config_field *field, const char *name)
{
	for (const struct config_word *word = config_words(field); word && word->name; word++)
		if (!strcmp(word->name, name))
			return word;
	return NULL;
}

static void add_words(const struct config_field *field, const char *first, char *text)
{
	size_t length = strlen(text);

	for (const struct config_word *word = field->words; word && word->name; word++) {
		snprintf(text + length, CONFIG_REASON_MAX - length, "%s%s", first, word->name);
		length += strlen(text + length);
		first = ", ";
	}
}

const char *config_expected(const struct config_field *field, char *text)
{
	const struct config_measure *measure = config_measure(field->type);

	text[0] = '\0';
	switch (field->type) {
	case CONFIG_SIGNED:
		snprintf(text, CONFIG_REASON_MAX, "a whole number from %" PRId64 " to %" PRId64, (int64_t)field->min,
			 (int64_t)field->max);
		return text;
	case CONFIG_BOOL: return "on or off";
	case CONFIG_ENUM: add_words(field, "one of: ", text); return text;
	case CONFIG_FLAGS: add_words(field, "a list of some of: ", text); return text;
	case CONFIG_STRING: return "text";
	case CONFIG_NAME: return "a name of letters, digits, '-' and '_', not only digits";
	case CONFIG_LIST: return "a list: '- ' before each element, or [A, B]";
	case CONFIG_OPTIONAL: return "a mapping (lines 'key: value') or none";
	case CONFIG_CHANGES: return "a mapping (lines 'path: value' such as machine.memory: 64GiB)";
	case CONFIG_SECTION:
	case CONFIG_VARIANT: return "a mapping (lines 'key: value')";
	default: break;
	}
	snprintf(text, CONFIG_REASON_MAX, "%s%s", measure ? measure->expected : "",
		 field->range ? ", or two of them as in 1..2" : "");
	add_words(field, ", or one of: ", text);
	return text;
}

bool config_convert_word(const struct config_field *field, const char *text, uint64_t *value, char *reason)
{
	const struct config_word *word = find_word(field, text);
	struct config_near near = config_near(text);
	char buffer[CONFIG_REASON_MAX];

	if (word) {
		*value = word->value;
		return true;
	}
	if (!*text)
		return config_refuse_text(field, text, reason);
	for (word = config_words(field); word && word->name; word++)
		config_near_add(&near, word->name);
	snprintf(reason, CONFIG_REASON_MAX, "unknown word %s%s (%s)", config_quote(text).text,
		 config_hint(near.name).text, config_expected(field, buffer));
	return false;
}

// ---- numbers ----

static bool check_limits(const struct config_field *field, const char *text, uint64_t value, char *reason)
{
	unsigned bits = field->size < 8 ? 8 * (unsigned)field->size : 64;
	uint64_t most = UINT64_MAX >> (64 - bits), limit;
	struct config_field plain = {.type = field->type == CONFIG_AMOUNT ? CONFIG_SIZE : field->type, .size = 8};
	char buffer[64];

	if (field->max && field->max < most)
		most = field->max;
	if (value >= field->min && value <= most)
		return true;
	limit = value < field->min ? field->min : most;
	snprintf(reason, CONFIG_REASON_MAX, "%s is too %s: at %s %s", config_quote(text).text,
		 value < field->min ? "small" : "large", value < field->min ? "least" : "most",
		 config_value_text(&plain, &limit, buffer, sizeof(buffer)));
	return false;
}

static bool convert_signed(const struct config_field *field, const char *text, uint64_t *value, char *reason)
{
	bool negative = *text == '-';
	const char *at = text + negative;
	struct config_decimal number;
	int64_t wanted;

	if (!config_take_decimal(&at, &number) || *at || number.decimals || number.too_fine || number.too_large
	    || number.digits > INT64_MAX)
		return config_refuse_text(field, text, reason);
	wanted = negative ? -(int64_t)number.digits : (int64_t)number.digits;
	*value = (uint64_t)wanted;
	return (wanted >= (int64_t)field->min && wanted <= (int64_t)field->max)
	       || config_refuse_text(field, text, reason);
}

static bool convert_integer(const struct config_field *field, const char *text, uint64_t *value, char *reason)
{
	const struct config_word *word = find_word(field, text);

	if (word) {
		*value = word->value;
		return true;
	}
	return config_convert_number(field, text, value, reason) && check_limits(field, text, *value, reason);
}

static bool convert_range(const struct config_field *field, const char *text, struct config_range *range, char *reason)
{
	const char *dots = strstr(text, "..");
	size_t length = dots ? (size_t)(dots - text) : 0;
	char low[64];

	if (!dots) {
		if (!convert_integer(field, text, &range->min, reason))
			return false;
		range->max = range->min;
		return true;
	}
	while (length && text[length - 1] == ' ')
		length--;
	if (length >= sizeof(low))
		return config_refuse_text(field, text, reason);
	memcpy(low, text, length);
	low[length] = '\0';
	if (!convert_integer(field, low, &range->min, reason)
	    || !convert_integer(field, config_skip_spaces(dots + 2), &range->max, reason))
		return false;
	return range->min <= range->max || config_refuse(reason, text, "begins with the larger value");
}

static bool convert_amount(const struct config_field *field, const char *text, struct config_amount *amount,
			   char *reason)
{
	struct config_field percent = {.type = CONFIG_PERCENT, .size = sizeof(uint64_t)};
	size_t length = strlen(text);

	*amount = (struct config_amount){0};
	if (length && text[length - 1] == '%')
		return config_convert_number(&percent, text, &amount->parts, reason);
	return convert_integer(field, text, &amount->bytes, reason);
}

uint64_t config_amount_bytes(struct config_amount amount, uint64_t whole)
{
	config_wide share = (config_wide)whole * amount.parts / 1000000;

	if (!amount.parts)
		return amount.bytes;
	return share > UINT64_MAX ? UINT64_MAX : (uint64_t)share;
}

// ---- all types ----

static bool convert_name(const struct config_field *field, const char *text, char *reason)
{
	bool letters = false;

	for (const char *at = text; *at; at++) {
		bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '-' || *at == '_';

		if (!letter && !(*at >= '0' && *at <= '9'))
			return config_refuse_text(field, text, reason);
		letters |= letter;
	}
	return letters || config_refuse_text(field, text, reason);
}

bool config_convert(const struct config_field *field, const char *text, void *member, char *reason)
{
	struct config_range range;
	uint64_t value;

	switch (field->type) {
	case CONFIG_RATE: return config_convert_rate(field, text, member, reason);
	case CONFIG_AMOUNT: return convert_amount(field, text, member, reason);
	case CONFIG_NAME:
		if (*text && !convert_name(field, text, reason))
			return false;
		memcpy(member, &text, sizeof(text));
		return true;
	case CONFIG_STRING: memcpy(member, &text, sizeof(text)); return true;
	case CONFIG_BOOL:
	case CONFIG_ENUM:
		if (!config_convert_word(field, text, &value, reason))
			return false;
		break;
	case CONFIG_SIGNED:
		if (!convert_signed(field, text, &value, reason))
			return false;
		break;
	default:
		if (field->range) {
			if (!convert_range(field, text, &range, reason))
				return false;
			memcpy(member, &range, sizeof(range));
			return true;
		}
		if (!convert_integer(field, text, &value, reason))
			return false;
		break;
	}
	config_store(member, field->size, value);
	return true;
}
