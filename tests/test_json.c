// SPDX-License-Identifier: Apache-2.0
//
// The printer of JSON Lines, byte for byte.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "report/json.h"

static char *text;
static size_t length;
static struct json json;

static int open_text(void **state)
{
	(void)state;
	json = (struct json){.file = open_memstream(&text, &length)};
	return json.file ? 0 : -1;
}

static int close_text(void **state)
{
	(void)state;
	fclose(json.file);
	free(text);
	return 0;
}

static void check(const char *expected)
{
	assert_true(json_line(&json));
	fflush(json.file);
	assert_string_equal(text, expected);
	close_text(NULL);
	assert_int_equal(open_text(NULL), 0);
}

static void structure(void **state)
{
	(void)state;
	json_object(&json, NULL);
	json_end(&json);
	check("{}\n");
	json_array(&json, NULL);
	json_u64(&json, NULL, 1);
	json_array(&json, NULL);
	json_end(&json);
	json_object(&json, NULL);
	json_u64(&json, "a", 2);
	json_object(&json, "b");
	json_end(&json);
	json_array(&json, "c");
	json_null(&json, NULL);
	json_bool(&json, NULL, true);
	json_end(&json);
	json_bool(&json, "d", false);
	json_end(&json);
	json_u64(&json, NULL, 3);
	json_end(&json);
	check("[1,[],{\"a\":2,\"b\":{},\"c\":[null,true],\"d\":false},3]\n");
}

static void several_lines(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		json_object(&json, NULL);
		json_u64(&json, "run", i);
		json_end(&json);
		assert_true(json_line(&json));
	}
	json_i64(&json, NULL, -1);
	check("{\"run\":1}\n{\"run\":2}\n-1\n");
}

static void numbers(void **state)
{
	(void)state;
	json_array(&json, NULL);
	json_u64(&json, NULL, UINT64_MAX);
	json_i64(&json, NULL, INT64_MIN);
	json_i64(&json, NULL, 0);
	json_end(&json);
	check("[18446744073709551615,-9223372036854775808,0]\n");
}

static void decimals(void **state)
{
	(void)state;
	json_array(&json, NULL);
	json_fixed(&json, NULL, 1985, 2);
	json_fixed(&json, NULL, 5, 3);
	json_fixed(&json, NULL, -5, 1); // the sign is not lost with a whole part of 0
	json_fixed(&json, NULL, 0, 2);
	json_fixed(&json, NULL, 42, 0);
	json_fixed(&json, NULL, INT64_MIN, 18);
	json_fixed(&json, NULL, INT64_MAX, 3);
	json_end(&json);
	check("[19.85,0.005,-0.5,0.00,42,-9.223372036854775808,9223372036854775.807]\n");
}

static void strings(void **state)
{
	(void)state;
	json_object(&json, NULL);
	json_string(&json, "say \"x\\y\"", "a/b\b\f\n\r\t\x01\x1f\x7f");
	json_string(&json, "", "");
	json_string(&json, "none", NULL);
	json_end(&json);
	check("{\"say \\\"x\\\\y\\\"\":\"a/b\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\",\"\":\"\",\"none\":null}\n");
}

static void check_string(const char *string, const char *expected)
{
	char quoted[64];

	json_string(&json, NULL, string);
	snprintf(quoted, sizeof(quoted), "\"%s\"\n", expected);
	check(quoted);
}

static void utf8(void **state)
{
	static const char whole[] = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7\xc2\x80\xed\x9f\xbf\xf4\x8f\xbf\xbf";

	(void)state;
	check_string(whole, whole);
	check_string("a\xff"
		     "b",
		     "a\\ufffdb");					  // no first byte
	check_string("\x80", "\\ufffd");				  // a later byte alone
	check_string("\xe2\x82", "\\ufffd\\ufffd");			  // cut off by the end
	check_string("\xe2\x82\"", "\\ufffd\\ufffd\\\"");		  // ... by a quote
	check_string("\xc0\xaf", "\\ufffd\\ufffd");			  // longer than need be
	check_string("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd");		  // half of a pair
	check_string("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"); // beyond the last character
}

static void what_cannot_be_written_is_told(void **state)
{
	struct json full = {.file = fopen("/dev/full", "w")};
	bool fine = true;

	(void)state;
	if (!full.file)
		skip();
	for (unsigned i = 0; i < 100000 && fine; i++) {
		json_u64(&full, NULL, i);
		fine = json_line(&full);
	}
	fclose(full.file);
	assert_false(fine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(structure, open_text, close_text),
		cmocka_unit_test_setup_teardown(several_lines, open_text, close_text),
		cmocka_unit_test_setup_teardown(numbers, open_text, close_text),
		cmocka_unit_test_setup_teardown(decimals, open_text, close_text),
		cmocka_unit_test_setup_teardown(strings, open_text, close_text),
		cmocka_unit_test_setup_teardown(utf8, open_text, close_text),
		cmocka_unit_test(what_cannot_be_written_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
