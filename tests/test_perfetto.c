// SPDX-License-Identifier: Apache-2.0
//
// Timelines: the bytes of each packet, and what protoc, where it is installed, reads out of them.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/perfetto.h"

static char *bytes;
static size_t length;
static struct perfetto perfetto;

static int open_bytes(void **state)
{
	(void)state;
	perfetto = (struct perfetto){.file = open_memstream(&bytes, &length)};
	return perfetto.file ? 0 : -1;
}

static int close_bytes(void **state)
{
	(void)state;
	fclose(perfetto.file);
	free(bytes);
	return 0;
}

static void check(const char *expected, size_t expected_length)
{
	assert_true(perfetto_ok(&perfetto));
	assert_int_equal(length, expected_length);
	assert_memory_equal(bytes, expected, expected_length);
	rewind(perfetto.file);
}

#define CHECK(string) check(string, sizeof(string) - 1)

static void tracks(void **state)
{
	(void)state;
	assert_int_equal(perfetto_track(&perfetto, 0, "node 0"), 1);
	CHECK("\x0a\x0f" // packet
	      "\x50\x01" // sequence
	      "\xe2\x03\x0a"
	      "\x08\x01\x12\x06node 0");
	assert_int_equal(perfetto_track(&perfetto, 1, "a"), 2);
	CHECK("\x0a\x0c\x50\x01\xe2\x03\x07\x08\x02\x28\x01\x12\x01"
	      "a");
	assert_int_equal(perfetto_counter_track(&perfetto, 2, "b"), 3);
	CHECK("\x0a\x0e\x50\x01\xe2\x03\x09\x08\x03\x28\x02\x42\x00\x12\x01"
	      "b");
}

static void events(void **state)
{
	(void)state;
	perfetto_begin(&perfetto, 300, 2, "x");
	CHECK("\x0a\x0f\x40\xac\x02\x50\x01\x5a\x08\x48\x01\x58\x02\xba\x01\x01x");
	perfetto_end(&perfetto, 0, 2);
	CHECK("\x0a\x0a\x40\x00\x50\x01\x5a\x04\x48\x02\x58\x02");
	perfetto_instant(&perfetto, 1, 200, "y");
	CHECK("\x0a\x0f\x40\x01\x50\x01\x5a\x09\x48\x03\x58\xc8\x01\xba\x01\x01y");
	perfetto_value(&perfetto, 1, 3, 128);
	CHECK("\x0a\x0e\x40\x01\x50\x01\x5a\x08\x48\x04\x58\x03\xf0\x01\x80\x01");
	perfetto_value(&perfetto, UINT64_MAX, UINT64_MAX, -1);
	CHECK("\x0a\x28\x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x50\x01\x5a\x19\x48\x04"
	      "\x58\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\xf0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

static void names_of_any_length(void **state)
{
	static char name[100001];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	perfetto_instant(&perfetto, 1, 1, name);
	assert_true(perfetto_ok(&perfetto));
	assert_memory_equal(bytes,
			    "\x0a\xb1\x8d\x06\x40\x01\x50\x01\x5a\xa9\x8d\x06\x48\x03\x58\x01\xba\x01\xa0\x8d\x06", 21);
	assert_int_equal(length, 21 + 100000);
	assert_memory_equal(bytes + 21, name, 100000);
}

// ---- what protoc reads ----

static void write_sample(struct perfetto *sample)
{
	uint64_t node = perfetto_track(sample, 0, "node 0"), task = perfetto_track(sample, node, "kswapd0");
	uint64_t pages = perfetto_counter_track(sample, node, "nr_free_pages");

	perfetto_begin(sample, 100, task, "balance");
	perfetto_instant(sample, 500, task, "wake");
	perfetto_end(sample, 900, task);
	perfetto_value(sample, 950, pages, 4242);
	assert_true(perfetto_ok(sample));
}

static void protoc_reads_it(void **state)
{
	static const char expected[] = "1 { 10: 1 60 { 1: 1 2: \"node 0\" } } "
				       "1 { 10: 1 60 { 1: 2 5: 1 2: \"kswapd0\" } } "
				       "1 { 10: 1 60 { 1: 3 5: 1 8: \"\" 2: \"nr_free_pages\" } } "
				       "1 { 8: 100 10: 1 11 { 9: 1 11: 2 23: \"balance\" } } "
				       "1 { 8: 500 10: 1 11 { 9: 3 11: 2 23: \"wake\" } } "
				       "1 { 8: 900 10: 1 11 { 9: 2 11: 2 } } "
				       "1 { 8: 950 10: 1 11 { 9: 4 11: 3 30: 4242 } } ";
	char path[] = "/tmp/pageyard-perfetto-XXXXXX", command[128], word[64], seen[1024] = "";
	struct perfetto sample = {.tracks = 0};
	FILE *output;
	int fd;

	(void)state;
	if (system("protoc --version >/dev/null 2>&1") != 0)
		skip();
	fd = mkstemp(path);
	assert_true(fd >= 0);
	sample.file = fdopen(fd, "wb");
	assert_non_null(sample.file);
	write_sample(&sample);
	assert_int_equal(fclose(sample.file), 0);
	snprintf(command, sizeof(command), "protoc --decode_raw <%s | tr -s '\\n' ' '", path);
	output = popen(command, "r");
	assert_non_null(output);
	while (fscanf(output, "%63s", word) == 1 && strlen(seen) + sizeof(word) + 2 < sizeof(seen))
		strcat(strcat(seen, word), " ");
	assert_int_equal(pclose(output), 0);
	unlink(path);
	assert_string_equal(seen, expected);
}

static void what_cannot_be_written_is_told(void **state)
{
	struct perfetto full = {.file = fopen("/dev/full", "wb")};

	(void)state;
	if (!full.file)
		skip();
	perfetto_track(&full, 0, "node 0");
	assert_false(perfetto_ok(&full));
	fclose(full.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tracks, open_bytes, close_bytes),
		cmocka_unit_test_setup_teardown(events, open_bytes, close_bytes),
		cmocka_unit_test_setup_teardown(names_of_any_length, open_bytes, close_bytes),
		cmocka_unit_test(protoc_reads_it),
		cmocka_unit_test(what_cannot_be_written_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
