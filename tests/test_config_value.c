// SPDX-License-Identifier: Apache-2.0
//
// Values with units in scenario files: what is read, what is refused and why, and what is written back.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/config_internal.h"

// ---- values ----

static const struct value_case {
	enum config_type type;
	const char *text;
	uint64_t value;
	const char *canonical; // NULL: as the text
} value_cases[] = {
	{CONFIG_COUNT, "8", 8, NULL},
	{CONFIG_COUNT, "007", 7, "7"},
	{CONFIG_COUNT, "3.0", 3, "3"},
	{CONFIG_COUNT, "18446744073709551615", UINT64_MAX, NULL},
	{CONFIG_SIZE, "0", 0, NULL},
	{CONFIG_SIZE, "0MiB", 0, "0"},
	{CONFIG_SIZE, "17B", 17, NULL},
	{CONFIG_SIZE, "64GiB", UINT64_C(64) << 30, NULL},
	{CONFIG_SIZE, "64 GiB", UINT64_C(64) << 30, "64GiB"},
	{CONFIG_SIZE, "4KiB", 4096, NULL},
	{CONFIG_SIZE, "1024KiB", 1 << 20, "1MiB"},
	{CONFIG_SIZE, "512MB", 512000000, "500000KiB"},
	{CONFIG_SIZE, "1.5GiB", UINT64_C(3) << 29, "1536MiB"},
	{CONFIG_SIZE, "1.1KiB", 1126, "1126B"},
	{CONFIG_SIZE, "2TiB", UINT64_C(2) << 40, NULL},
	{CONFIG_SIZE, "1kB", 1000, "1000B"},
	{CONFIG_SIZE, "16777215.999999TiB", UINT64_C(18446744073708452104), "18446744073708452104B"},
	{CONFIG_PAGES, "64GiB", UINT64_C(16) << 20, NULL},
	{CONFIG_PAGES, "1000 pages", 1000, NULL},
	{CONFIG_PAGES, "1024 pages", 1024, "4MiB"},
	{CONFIG_PAGES, "8KiB", 2, "2 pages"},
	{CONFIG_PAGES, "4096B", 1, "1 pages"},
	{CONFIG_PAGES, "13.7GiB", 3591372, "3591372 pages"},
	{CONFIG_TIME, "500us", 500000, NULL},
	{CONFIG_TIME, "2h", UINT64_C(7200000000000), NULL},
	{CONFIG_TIME, "16s", UINT64_C(16000000000), NULL},
	{CONFIG_TIME, "120s", UINT64_C(120000000000), "2min"},
	{CONFIG_TIME, "1.5us", 1500, "1500ns"},
	{CONFIG_TIME, "0", 0, NULL},
	{CONFIG_TIME, "0.000000001s", 1, "1ns"},
	{CONFIG_PERCENT, "10%", 100000, NULL},
	{CONFIG_PERCENT, "0.5%", 5000, NULL},
	{CONFIG_PERCENT, "0.0001%", 1, NULL},
	{CONFIG_PERCENT, "150%", 1500000, NULL},
	{CONFIG_PERCENT, "13.50 %", 135000, "13.5%"},
	{CONFIG_RATIO, "1.22", 1220, NULL},
	{CONFIG_RATIO, "3", 3000, NULL},
	{CONFIG_RATIO, "0.045", 45, NULL},
	{CONFIG_BANDWIDTH, "2.4GiB/s", UINT64_C(2576980377), "2576980377B/s"},
	{CONFIG_BANDWIDTH, "6GB/s", UINT64_C(6000000000), "5859375KiB/s"},
	{CONFIG_BOOL, "on", 1, NULL},
	{CONFIG_BOOL, "yes", 1, "on"},
	{CONFIG_BOOL, "true", 1, "on"},
	{CONFIG_BOOL, "off", 0, NULL},
	{CONFIG_BOOL, "no", 0, "off"},
	{CONFIG_BOOL, "false", 0, "off"},
};

static void values_and_their_units(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(value_cases) / sizeof(value_cases[0]); i++) {
		const struct value_case *test = &value_cases[i];
		struct config_field field = {.type = test->type, .size = test->type == CONFIG_BOOL ? 1 : 8};
		char reason[CONFIG_REASON_MAX] = "", text[64];
		uint64_t member = 0;

		if (!config_convert(&field, test->text, &member, reason))
			fail_msg("%s: %s", test->text, reason);
		if (config_fetch(&member, field.size) != test->value)
			fail_msg("%s: %llu", test->text, (unsigned long long)member);
		assert_string_equal(config_value_text(&field, &member, text, sizeof(text)),
				    test->canonical ? test->canonical : test->text);
	}
}

// What is written back means the same, for values all over the range.
static void text_of_a_value_reads_back(void **state)
{
	static const enum config_type types[] = {CONFIG_COUNT,	 CONFIG_SIZE,  CONFIG_PAGES,	CONFIG_TIME,
						 CONFIG_PERCENT, CONFIG_RATIO, CONFIG_BANDWIDTH};
	uint64_t random = 1;

	(void)state;
	for (unsigned i = 0; i < 7000; i++) {
		struct config_field field = {.type = types[i % 7], .size = 8};
		char reason[CONFIG_REASON_MAX] = "", text[64];
		uint64_t value, again = 0;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		value = random >> (random & 63) << (random >> 8 & 31);
		if (!config_convert(&field, config_value_text(&field, &value, text, sizeof(text)), &again, reason))
			fail_msg("%s: %s", text, reason);
		assert_true(again == value);
	}
}

static void rates_are_exact(void **state)
{
	static const struct {
		const char *text;
		uint64_t events, period_ns;
		const char *canonical;
	} cases[] = {
		{"12/s", 3, 250000000, "12/s"},
		{"3000/min", 1, 20000000, "50/s"},
		{"1/16s", 1, UINT64_C(16000000000), "225/h"},
		{"1/7s", 1, UINT64_C(7000000000), "1/7s"},
		{"0.5/s", 1, UINT64_C(2000000000), "30/min"},
		{"1/1.5us", 1, 1500, "40000000/min"},
		{"2 / 7 min", 1, UINT64_C(210000000000), "1/210s"},
		{"0", 0, 1, "0/s"},
		{"0/h", 0, 1, "0/s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct config_field field = {.type = CONFIG_RATE, .size = sizeof(struct config_rate)};
		char reason[CONFIG_REASON_MAX] = "", text[64];
		struct config_rate rate;

		if (!config_convert(&field, cases[i].text, &rate, reason))
			fail_msg("%s: %s", cases[i].text, reason);
		assert_true(rate.events == cases[i].events && rate.period_ns == cases[i].period_ns);
		assert_string_equal(config_value_text(&field, &rate, text, sizeof(text)), cases[i].canonical);
	}
}

static void amounts_are_sizes_or_shares(void **state)
{
	const struct config_field field = {.type = CONFIG_AMOUNT, .size = sizeof(struct config_amount)};
	struct config_amount amount;
	char reason[CONFIG_REASON_MAX];

	(void)state;
	assert_true(config_convert(&field, "37.5%", &amount, reason));
	assert_true(config_amount_bytes(amount, 1000) == 375);
	assert_true(config_amount_bytes(amount, UINT64_MAX) == UINT64_C(6917529027641081855));
	assert_true(config_convert(&field, "300%", &amount, reason));
	assert_true(config_amount_bytes(amount, UINT64_MAX) == UINT64_MAX);
	assert_true(config_convert(&field, "3MiB", &amount, reason));
	assert_true(config_amount_bytes(amount, 1000) == 3 << 20);
}

// With a sign, both limits counting; what is refused is told what there may be.
static void signed_numbers_within_their_limits(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} cases[] = {{"-20", -20}, {"-1", -1}, {"0", 0}, {"-0", 0}, {"7", 7}, {"19", 19}};
	static const char *const refused[] = {"-21", "20", "--1", "-", "+3", "1.5", "-8x", "9223372036854775808",
					      "-99999999999999999999"};
	const struct config_field field = {.type = CONFIG_SIGNED, .size = 8, .min = (uint64_t)-20, .max = 19};
	char reason[CONFIG_REASON_MAX] = "", text[64], expected[CONFIG_REASON_MAX];
	int64_t value = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!config_convert(&field, cases[i].text, &value, reason))
			fail_msg("%s: %s", cases[i].text, reason);
		assert_true(value == cases[i].value);
		snprintf(expected, sizeof(expected), "%d", (int)cases[i].value);
		assert_string_equal(config_value_text(&field, &value, text, sizeof(text)), expected);
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (config_convert(&field, refused[i], &value, reason))
			fail_msg("%s is not refused", refused[i]);
		snprintf(expected, sizeof(expected), "'%s' is not a whole number from -20 to 19", refused[i]);
		assert_string_equal(reason, expected);
	}
	assert_false(config_convert(&field, "", &value, reason));
	assert_string_equal(reason, "there is no value; expected a whole number from -20 to 19");
	assert_string_equal(config_type_text(&field, text, sizeof(text)), "number -20..19");
}

static const struct {
	enum config_type type;
	const char *text, *reason;
} refused_cases[] = {
	{CONFIG_COUNT, "", "there is no value; expected a whole number such as 8"},
	{CONFIG_COUNT, "eight", "'eight' is not a whole number such as 8"},
	{CONFIG_COUNT, "-5", "'-5' is negative; expected a whole number such as 8"},
	{CONFIG_COUNT, "8x", "'8x' is not a whole number such as 8"},
	{CONFIG_COUNT, "0x10", "'0x10' is not a whole number such as 8"},
	{CONFIG_COUNT, "1.5", "'1.5' is not a whole number"},
	{CONFIG_COUNT, "18446744073709551616", "'18446744073709551616' is too large a number"},
	{CONFIG_COUNT, "1.", "'1.' is not a whole number such as 8"},
	{CONFIG_SIZE, "64", "'64' has no unit; expected a size such as 64GiB"},
	{CONFIG_SIZE, "64Gib", "unknown unit 'Gib' in '64Gib'; did you mean 'GiB'?"},
	{CONFIG_SIZE, "64G", "unknown unit 'G' in '64G'; did you mean 'GiB'?"},
	{CONFIG_SIZE, "64gb", "unknown unit 'gb' in '64gb'; did you mean 'GB'?"},
	{CONFIG_SIZE, "64KB", "unknown unit 'KB' in '64KB'; did you mean 'kB'?"},
	{CONFIG_SIZE, "64GiB ", "unknown unit 'GiB ' in '64GiB '; known: B, kB, KiB, MB, MiB, GB, GiB, TB, TiB"},
	{CONFIG_SIZE, "5s", "unknown unit 's' in '5s'; known: B, kB, KiB, MB, MiB, GB, GiB, TB, TiB"},
	{CONFIG_SIZE, "0.1B", "'0.1B' is not a whole number of bytes"},
	{CONFIG_SIZE, "0.0001KiB", "'0.0001KiB' is not a whole number of bytes"},
	{CONFIG_SIZE, "16777216TiB", "'16777216TiB' is too large a number"},
	{CONFIG_SIZE, "1e3GiB", "unknown unit 'e3GiB' in '1e3GiB'; known: B, kB, KiB, MB, MiB, GB, GiB, TB, TiB"},
	{CONFIG_SIZE, "1.0000000001GiB", "'1.0000000001GiB' has more than nine decimals"},
	{CONFIG_SIZE, "big", "'big' is not a size such as 64GiB"},
	{CONFIG_PAGES, "1000", "'1000' has no unit; expected a size such as 64GiB, or a number such as 1000 pages"},
	{CONFIG_PAGES, "10KiB", "'10KiB' is not a whole number of 4KiB pages"},
	{CONFIG_PAGES, "1.5 pages", "'1.5 pages' is not a whole number of 4KiB pages"},
	{CONFIG_AMOUNT, "10", "'10' has no unit; expected a size such as 64GiB, or a share such as 80%"},
	{CONFIG_AMOUNT, "10x", "unknown unit 'x' in '10x'; known: B, kB, KiB, MB, MiB, GB, GiB, TB, TiB, %"},
	{CONFIG_AMOUNT, "x%", "'x%' is not a percentage such as 10%"},
	{CONFIG_TIME, "5m", "unknown unit 'm' in '5m'; known: ns, us, ms, s, min, h"},
	{CONFIG_TIME, "5", "'5' has no unit; expected a time such as 500us"},
	{CONFIG_TIME, "5S", "unknown unit 'S' in '5S'; did you mean 's'?"},
	{CONFIG_TIME, "0.1ns", "'0.1ns' is not a whole number of ns"},
	{CONFIG_TIME, "6000000h", "'6000000h' is too large a number"},
	{CONFIG_PERCENT, "10", "'10' has no unit; expected a percentage such as 10%"},
	{CONFIG_PERCENT, "0.00001%", "'0.00001%' is finer than 0.0001%"},
	{CONFIG_RATIO, "1.2345", "'1.2345' has more than three decimals"},
	{CONFIG_RATIO, "10%", "'10%' is not a number such as 1.22"},
	{CONFIG_BANDWIDTH, "2GiB", "unknown unit 'GiB' in '2GiB'; did you mean 'GiB/s'?"},
	{CONFIG_RATE, "12", "'12' is not a rate such as 12/s or 3000/min"},
	{CONFIG_RATE, "", "there is no value; expected a rate such as 12/s or 3000/min"},
	{CONFIG_RATE, "12/week", "'12/week' is not a rate such as 12/s or 3000/min"},
	{CONFIG_RATE, "12/0s", "'12/0s' is not a rate such as 12/s or 3000/min"},
	{CONFIG_RATE, "1/18446744073709551557s", "'1/18446744073709551557s' has too many digits"},
	{CONFIG_BOOL, "maybe", "unknown word 'maybe' (on or off)"},
	{CONFIG_BOOL, "ture", "unknown word 'ture'; did you mean 'true'? (on or off)"},
	{CONFIG_NAME, "a.b", "'a.b' is not a name of letters, digits, '-' and '_', not only digits"},
	{CONFIG_NAME, "12", "'12' is not a name of letters, digits, '-' and '_', not only digits"},
};

static void refused_values_tell_what_would_be_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]); i++) {
		struct config_field field = {.type = refused_cases[i].type, .size = 8};
		char reason[CONFIG_REASON_MAX] = "";
		uint64_t member[2];

		if (field.type == CONFIG_BOOL)
			field.size = 1;
		if (config_convert(&field, refused_cases[i].text, member, reason))
			fail_msg("%s is not refused", refused_cases[i].text);
		assert_string_equal(reason, refused_cases[i].reason);
	}
}

static void limits_of_fields_and_members(void **state)
{
	struct config_field field = {.type = CONFIG_COUNT, .size = 1};
	char reason[CONFIG_REASON_MAX];
	uint8_t small[9] = {[1] = 0xee};
	struct config_rate rate;
	struct config_range range;
	char text[200];

	(void)state;
	assert_true(config_convert(&field, "255", small, reason));
	assert_true(small[0] == 255 && small[1] == 0xee);
	assert_false(config_convert(&field, "256", small, reason));
	assert_string_equal(reason, "'256' is too large: at most 255");

	field = (struct config_field){.type = CONFIG_SIZE, .size = 8, .min = 1 << 20, .max = 1 << 30};
	assert_false(config_convert(&field, "512KiB", small, reason));
	assert_string_equal(reason, "'512KiB' is too small: at least 1MiB");
	assert_false(config_convert(&field, "2GiB", small, reason));
	assert_string_equal(reason, "'2GiB' is too large: at most 1GiB");

	field.range = true;
	assert_true(config_convert(&field, "1MiB .. 2MiB", &range, reason));
	assert_true(range.min == 1 << 20 && range.max == 2 << 20);
	assert_false(config_convert(&field, "2MiB..1MiB", &range, reason));
	assert_string_equal(reason, "'2MiB..1MiB' begins with the larger value");
	assert_false(config_convert(&field, "1MiB..2GiB", &range, reason));
	assert_string_equal(reason, "'2GiB' is too large: at most 1GiB");

	memset(text, '0', sizeof(text));
	memcpy(text + sizeof(text) - 4, "..1", 4);
	assert_false(config_convert(&field, text, &range, reason));
	assert_string_equal(reason,
			    "'0000000000000000000000000000000000000000...' is not a size such as 64GiB, or two of "
			    "them as in 1..2");

	field = (struct config_field){.type = CONFIG_RATE, .size = sizeof(rate), .min = 1000, .max = 2000};
	assert_true(config_convert(&field, "1/s", &rate, reason));
	assert_true(config_convert(&field, "2/s", &rate, reason));
	assert_false(config_convert(&field, "59/min", &rate, reason));
	assert_string_equal(reason, "'59/min' is too small: at least 1/s");
	assert_false(config_convert(&field, "2001/1000s", &rate, reason));
	assert_string_equal(reason, "'2001/1000s' is too large: at most 2/s");
}

// Long lists end with "..."; what was written stays whole.
static void names_that_fit(void **state)
{
	struct config_names names = {.length = 0};

	(void)state;
	config_names_add(&names, NULL);
	assert_int_equal(names.length, 0);
	config_names_add(&names, "a");
	config_names_add(&names, NULL);
	config_names_add(&names, "bc");
	assert_string_equal(names.text, "a, bc");
	for (unsigned i = 0; i < 1000; i++)
		config_names_add(&names, "123456789");
	assert_in_range(names.length, sizeof(names.text) - 20, sizeof(names.text) - 1);
	assert_int_equal(names.length, strlen(names.text));
	assert_string_equal(names.text + names.length - 14, "123456789, ...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_their_units),
		cmocka_unit_test(text_of_a_value_reads_back),
		cmocka_unit_test(rates_are_exact),
		cmocka_unit_test(amounts_are_sizes_or_shares),
		cmocka_unit_test(signed_numbers_within_their_limits),
		cmocka_unit_test(refused_values_tell_what_would_be_right),
		cmocka_unit_test(limits_of_fields_and_members),
		cmocka_unit_test(names_that_fit),
	};

	return cmocka_run_group_tests_name("config_value", tests, NULL, NULL);
}
