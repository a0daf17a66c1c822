// SPDX-License-Identifier: Apache-2.0
//
// Numbers with units: "64GiB", "0.5%", "500us". Integers only; a value is kept exactly or refused, except that a size
// with decimals ("1.1GiB") is rounded down to whole bytes or pages.

#include <string.h>

#include "sim/config_internal.h"

enum { DECIMALS_MAX = 9 };

#define SIZE_UNITS(suffix)                                                                                             \
	{"B" suffix, 1}, {"kB" suffix, 1000}, {"KiB" suffix, 1 << 10}, {"MB" suffix, 1000000},                         \
		{"MiB" suffix, 1 << 20}, {"GB" suffix, 1000000000}, {"GiB" suffix, 1 << 30},                           \
		{"TB" suffix, UINT64_C(1000000000000)},                                                                \
	{                                                                                                              \
		"TiB" suffix, UINT64_C(1) << 40                                                                        \
	}

static const struct config_unit no_units[] = {{"", 1}, {0}};
static const struct config_unit size_units[] = {SIZE_UNITS(""), {0}};
static const struct config_unit page_units[] = {SIZE_UNITS(""), {"pages", CONFIG_PAGE_BYTES}, {0}};
static const struct config_unit bandwidth_units[] = {SIZE_UNITS("/s"), {0}};
static const struct config_unit time_units[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"min", UINT64_C(60000000000)},
	{"h", UINT64_C(3600000000000)},
	{0},
};
static const struct config_unit percent_units[] = {{"%", 10000}, {0}};
static const struct config_unit ratio_units[] = {{"", 1000}, {0}};

static const struct config_measure measures[] = {
	[CONFIG_COUNT] = {no_units, 1, false, "a whole number such as 8", "is not a whole number"},
	[CONFIG_SIZE] = {size_units, 1, true, "a size such as 64GiB", "is not a whole number of bytes"},
	[CONFIG_PAGES] = {page_units, CONFIG_PAGE_BYTES, true, "a size such as 64GiB, or a number such as 1000 pages",
			  "is not a whole number of 4KiB pages"},
	[CONFIG_AMOUNT] = {size_units, 1, true, "a size such as 64GiB, or a share such as 80%",
			   "is not a whole number of bytes"},
	[CONFIG_TIME] = {time_units, 1, false, "a time such as 500us", "is not a whole number of ns"},
	[CONFIG_PERCENT] = {percent_units, 1, false, "a percentage such as 10%", "is finer than 0.0001%"},
	[CONFIG_RATIO] = {ratio_units, 1, false, "a number such as 1.22", "has more than three decimals"},
	[CONFIG_BANDWIDTH] = {bandwidth_units, 1, true, "a bandwidth such as 2.4GiB/s",
			      "is not a whole number of bytes a second"},
	[CONFIG_RATE] = {time_units, 1, false, "a rate such as 12/s or 3000/min", NULL},
};

const struct config_measure *config_measure(enum config_type type)
{
	return type >= CONFIG_COUNT && type <= CONFIG_RATE ? &measures[type] : NULL;
}

const struct config_unit *config_find_unit(enum config_type type, const char *name)
{
	for (const struct config_unit *unit = measures[type].units; unit->name; unit++)
		if (!strcmp(unit->name, name))
			return unit;
	return NULL;
}

// ---- decimals ----

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

const char *config_skip_spaces(const char *text)
{
	while (*text == ' ')
		text++;
	return text;
}

static void take_digit(struct config_decimal *number, char c)
{
	number->too_large |= __builtin_mul_overflow(number->digits, 10u, &number->digits)
			     || __builtin_add_overflow(number->digits, (unsigned)(c - '0'), &number->digits);
}

bool config_take_decimal(const char **text, struct config_decimal *number)
{
	const char *at = *text, *end;

	*number = (struct config_decimal){0};
	if (!is_digit(*at))
		return false;
	for (; is_digit(*at); at++)
		take_digit(number, *at);
	if (*at == '.' && is_digit(at[1])) {
		at++;
		for (end = at; is_digit(*end);)
			end++;
		*text = end;
		while (end > at && end[-1] == '0')
			end--;
		number->too_fine = end - at > DECIMALS_MAX;
		for (; at < end && !number->too_fine; at++, number->decimals++)
			take_digit(number, *at);
		return true;
	}
	*text = at;
	return true;
}

uint64_t config_power_of_10(unsigned exponent)
{
	uint64_t power = 1;

	while (exponent--)
		power *= 10;
	return power;
}

// ---- what is wrong ----

bool config_refuse(char *reason, const char *text, const char *what)
{
	snprintf(reason, CONFIG_REASON_MAX, "%s %s", config_quote(text).text, what);
	return false;
}

bool config_refuse_text(const struct config_field *field, const char *text, char *reason)
{
	char buffer[CONFIG_REASON_MAX];
	const char *expected = config_expected(field, buffer);

	if (!*text)
		snprintf(reason, CONFIG_REASON_MAX, "there is no value; expected %s", expected);
	else if (*text == '-' && is_digit(text[1]) && field->type != CONFIG_SIGNED)
		snprintf(reason, CONFIG_REASON_MAX, "%s is negative; expected %s", config_quote(text).text, expected);
	else
		snprintf(reason, CONFIG_REASON_MAX, "%s is not %s", config_quote(text).text, expected);
	return false;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins_but_case(const char *text, const char *beginning)
{
	while (*beginning && lower(*text) == lower(*beginning)) {
		text++;
		beginning++;
	}
	return !*beginning;
}

// The unit that was meant by "Gib" or "gb"; in sizes also by "G" and "g", which is GiB to kernel people.
static const char *meant_unit(enum config_type type, const char *unit)
{
	const char *meant = NULL;

	for (const struct config_unit *known = measures[type].units; known->name; known++) {
		if (begins_but_case(known->name, unit) && strlen(known->name) == strlen(unit))
			return known->name;
		if (begins_but_case(known->name, unit) && strstr(known->name, "iB"))
			meant = known->name;
	}
	return meant;
}

static bool refuse_unit(const struct config_field *field, const char *text, const char *unit, char *reason)
{
	const char *meant = *unit ? meant_unit(field->type, unit) : NULL, *comma = "; known: ";
	char buffer[CONFIG_REASON_MAX];
	size_t length;

	if (measures[field->type].units[0].name[0] == '\0')
		return config_refuse_text(field, text, reason);
	if (!*unit) {
		snprintf(reason, CONFIG_REASON_MAX, "%s has no unit; expected %s", config_quote(text).text,
			 config_expected(field, buffer));
		return false;
	}
	snprintf(reason, CONFIG_REASON_MAX, "unknown unit %s in %s%s", config_quote(unit).text, config_quote(text).text,
		 config_hint(meant).text);
	for (const struct config_unit *known = measures[field->type].units; !meant && known->name; known++) {
		length = strlen(reason);
		snprintf(reason + length, CONFIG_REASON_MAX - length, "%s%s", comma, known->name);
		comma = ", ";
	}
	if (!meant && field->type == CONFIG_AMOUNT) {
		length = strlen(reason);
		snprintf(reason + length, CONFIG_REASON_MAX - length, ", %%");
	}
	return false;
}

// ---- a number ----

bool config_convert_number(const struct config_field *field, const char *text, uint64_t *value, char *reason)
{
	const struct config_measure *measure = &measures[field->type];
	const char *at = text;
	const struct config_unit *unit;
	struct config_decimal number;
	config_wide above, below;
	bool rounds;

	if (!config_take_decimal(&at, &number))
		return config_refuse_text(field, text, reason);
	at = config_skip_spaces(at);
	*value = 0;
	if (!*at && !number.digits && !number.too_fine && !number.too_large)
		return true;
	unit = config_find_unit(field->type, at);
	if (!unit)
		return refuse_unit(field, text, at, reason);
	if (number.too_fine)
		return config_refuse(reason, text, "has more than nine decimals");
	above = (config_wide)number.digits * unit->factor;
	below = (config_wide)config_power_of_10(number.decimals) * measure->divisor;
	if (number.too_large || above / below > UINT64_MAX)
		return config_refuse(reason, text, "is too large a number");
	rounds = measure->rounds && number.decimals && unit->factor > measure->divisor && above >= below;
	if (above % below && !rounds)
		return config_refuse(reason, text, measure->fraction);
	*value = (uint64_t)(above / below);
	return true;
}
