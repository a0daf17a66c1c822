// SPDX-License-Identifier: Apache-2.0
//
// Rates: "12/s", "3000/min", "1/16s", kept as a fraction in lowest terms.

#include <inttypes.h>
#include <string.h>

#include "sim/config_internal.h"

// EVENTS/TIME, where TIME may be a unit alone; not in lowest terms. false: it is not one.
static bool take_rate(const char *text, config_wide *events, config_wide *period)
{
	struct config_decimal number, time;
	const struct config_unit *unit;

	if (!config_take_decimal(&text, &number))
		return false;
	text = config_skip_spaces(text);
	if (*text != '/')
		return false;
	text = config_skip_spaces(text + 1);
	if (!config_take_decimal(&text, &time))
		time.digits = 1;
	unit = config_find_unit(CONFIG_RATE, config_skip_spaces(text));
	if (!unit || number.too_large || number.too_fine || time.too_large || time.too_fine || !time.digits)
		return false;
	*events = (config_wide)number.digits * config_power_of_10(time.decimals);
	*period = (config_wide)time.digits * unit->factor;
	if (*period >> 96) // so that the next product fits
		return false;
	*period *= config_power_of_10(number.decimals);
	return true;
}

static config_wide greatest_divisor(config_wide a, config_wide b)
{
	while (b) {
		config_wide rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static bool check_limits(const struct config_field *field, const char *text, struct config_rate rate, char *reason)
{
	config_wide events = (config_wide)rate.events * CONFIG_NS_OF_1000_S;
	bool small = events < (config_wide)field->min * rate.period_ns;
	struct config_rate limit = {small ? field->min : field->max, CONFIG_NS_OF_1000_S};
	struct config_field plain = {.type = CONFIG_RATE};
	char buffer[64];

	if (!small && (!field->max || events <= (config_wide)field->max * rate.period_ns))
		return true;
	snprintf(reason, CONFIG_REASON_MAX, "%s is too %s: at %s %s", config_quote(text).text,
		 small ? "small" : "large", small ? "least" : "most",
		 config_value_text(&plain, &limit, buffer, sizeof(buffer)));
	return false;
}

bool config_convert_rate(const struct config_field *field, const char *text, struct config_rate *rate, char *reason)
{
	config_wide events, period, divisor;

	*rate = (struct config_rate){0, 1};
	if (!strcmp(text, "0"))
		return check_limits(field, text, *rate, reason);
	if (!take_rate(text, &events, &period))
		return config_refuse_text(field, text, reason);
	divisor = greatest_divisor(events, period);
	events /= divisor;
	period /= divisor;
	if (events > UINT64_MAX || period > UINT64_MAX)
		return config_refuse(reason, text, "has too many digits");
	*rate = (struct config_rate){(uint64_t)events, (uint64_t)period};
	return check_limits(field, text, *rate, reason);
}

const char *config_rate_text(struct config_rate rate, char *text, size_t size)
{
	static const char *const names[] = {"s", "min", "h", "ms", "us", "ns"};
	const struct config_field time = {.type = CONFIG_TIME, .size = sizeof(rate.period_ns)};
	char period[32];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		config_wide events = (config_wide)rate.events * config_find_unit(CONFIG_RATE, names[i])->factor;

		if (events % rate.period_ns || events / rate.period_ns > UINT64_MAX)
			continue;
		snprintf(text, size, "%" PRIu64 "/%s", (uint64_t)(events / rate.period_ns), names[i]);
		return text;
	}
	snprintf(text, size, "%" PRIu64 "/%s", rate.events,
		 config_value_text(&time, &rate.period_ns, period, sizeof(period)));
	return text;
}
