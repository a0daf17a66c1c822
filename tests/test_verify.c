// SPDX-License-Identifier: Apache-2.0
//
// The verdict over a record: exact shares of real records, records that somebody tampered with (each change must show,
// so no verdict can come from the outcome that it judges), wrong policies. Small machines: test_verify_by_hand.c.

#include "verify_fixture.h"

// ---- JSON ----

static const char *json_value(const char *at);

static const char *json_string(const char *at)
{
	if (*at++ != '"')
		return NULL;
	for (; *at != '"'; at++) {
		if ((unsigned char)*at < 0x20)
			return NULL;
		if (*at == '\\' && !strchr("\"\\/bfnrtu", *++at))
			return NULL;
	}
	return at + 1;
}

static const char *json_members(const char *at, char end)
{
	if (*++at == end)
		return at + 1;
	for (;; at++) {
		if (end == '}') {
			at = json_string(at);
			if (!at || *at++ != ':')
				return NULL;
		}
		at = json_value(at);
		if (!at || *at == end)
			return at ? at + 1 : NULL;
		if (*at != ',')
			return NULL;
	}
}

static const char *json_value(const char *at)
{
	if (*at == '{' || *at == '[')
		return json_members(at, *at == '{' ? '}' : ']');
	if (*at == '"')
		return json_string(at);
	if (!strncmp(at, "null", 4) || !strncmp(at, "true", 4))
		return at + 4;
	if (!strncmp(at, "false", 5))
		return at + 5;
	at += *at == '-';
	return *at >= '0' && *at <= '9' ? at + strspn(at, "0123456789.eE+-") : NULL;
}

static void assert_json(const char *text)
{
	const char *end = *text == '{' ? json_value(text) : NULL;

	if (!end || strcmp(end, "\n") != 0)
		fail_msg("not one line of JSON: %.200s", end ? end : text);
}

// ---- real records ----

static void storm(void **state)
{
	static const uint64_t by_order[] = {29254, 87, 358, 204};
	struct verify_result request = verdict(data("storm-d1"), VERIFY_REQUEST, NULL);
	struct verify_result step = verdict(data("storm-d1"), VERIFY_STEP, NULL);

	(void)state;
	assert_int_equal(request.events, 150684);
	assert_int_equal(step.events, 150684);
	assert_string_equal(request.policy_name, "linux-7.3,defrag_mode=1");
	expect(&request, VERIFY_FRAMES, 29903, 29903);
	expect(&request, VERIFY_WAKES, 8, 8);
	expect(&request, VERIFY_REFILLS, 255, 255);
	expect(&request, VERIFY_CLAIMS, 13, 13);
	expect(&request, VERIFY_PUTS, 29157, 29157);
	expect(&request, VERIFY_DRAINS, 173, 173);
	expect(&request, VERIFY_ISOLATED, 2, 2);
	expect(&step, VERIFY_FRAMES, 29903, 29903);
	expect(&step, VERIFY_REFILLS, 14513, 14513);
	expect(&step, VERIFY_CLAIMS, 13, 13);
	expect(&step, VERIFY_DRAINS, 14742, 14742);
	for (unsigned order = 0; order < 4; order++) {
		assert_int_equal(request.by_order[order].all, by_order[order]);
		assert_int_equal(request.by_order[order].right, by_order[order]);
		assert_int_equal(step.by_order[order].right, by_order[order]);
	}
	assert_int_equal(request.all_differences, 0);
	assert_int_equal(step.all_differences, 0);
	assert_int_equal(request.silent[VERIFY_SILENT_PREEMPTED], 7);
	assert_int_equal(request.silent[VERIFY_SILENT_LOST_PUT], 0);
	assert_true(end_state_same(&request.final));
	assert_true(end_state_same(&step.final));
	assert_int_equal(request.final.free_lists, 28);
	assert_int_equal(request.final.pcp_lists, 6);
	assert_int_equal(request.final.pcp_fields, 18);
	assert_int_equal(request.final.pageblocks, 256);
}

static void boot_idle(void **state)
{
	(void)state;
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = verdict(data("boot-idle-d0"), level, NULL);

		assert_int_equal(result.events, 140);
		expect(&result, VERIFY_FRAMES, 42, 42);
		expect(&result, VERIFY_PUTS, level == VERIFY_REQUEST ? 20 : 0, level == VERIFY_REQUEST ? 20 : 0);
		assert_int_equal(result.all_differences, 0);
		assert_int_equal(result.by_path[YARD_PATH_PCP].right, 42);
		assert_true(end_state_same(&result.final));
	}
}

static void same_bytes_twice(void **state)
{
	struct record record = load("storm-d1");
	char *first = strstr(record.events, " put pfn="), *again;

	(void)state;
	memcpy(first, " putX", 5); // an unknown event: the frame's later use differs
	save(&record);
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++)
		for (unsigned json = 0; json < 2; json++) {
			first = printed(folder, level, json);
			again = printed(folder, level, json);
			assert_string_equal(first, again);
			assert_non_null(strstr(first, folder));
			if (json)
				assert_json(first);
			free(first);
			free(again);
		}
	drop(&record);
}

static void json_has_all(void **state)
{
	static const char *const parts[] = {
		"\"level\":\"request\"", "\"cpus\":1,\"events\":150684", "\"frames\":{\"identical\":29903,\"of\":29903}",
		"\"frames_by_order\":{\"0\":{\"identical\":29254,\"of\":29254}", "\"all_differences\":0,\"differences\":[]",
		"\"end_state\":{\"free_lists\":{\"identical\":28,\"of\":28}", "\"differing\":[]", "\"lost_events\":0",
		"\"policy\":\"linux-7.3,defrag_mode=1\"",
	};
	char *text = printed(data("storm-d1"), VERIFY_REQUEST, true);

	(void)state;
	assert_json(text);
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strstr(text, parts[i]))
			fail_msg("no %s in %s", parts[i], text);
	free(text);
}

// ---- tampered records ----

static void swapped_takes(void **state)
{
	struct record record = load("boot-idle-d0");

	(void)state;
	edit(&record.events, "\n1 ", "take pfn=34166", "take pfn=34160");
	edit(&record.events, "\n2 ", "mm_page_alloc pfn=34166", "mm_page_alloc pfn=34160");
	edit(&record.events, "\n3 ", "take pfn=34160", "take pfn=34166");
	edit(&record.events, "\n4 ", "mm_page_alloc pfn=34160", "mm_page_alloc pfn=34166");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = verdict_of(&record, level);

		expect(&result, VERIFY_FRAMES, 41, 42); // after the first, the state is the recorded one: the second fits
		assert_true(result.all_differences > 0);
	}
	drop(&record);
}

// Other frames than the kernel's throughout: almost none can be right.
static void every_frame_is_judged(void **state)
{
	struct record record = load("boot-idle-d0");
	struct verify_result result;

	(void)state;
	for (char *at = record.events; (at = strstr(at, "take pfn=")); at++) {
		char *number = at + 9 + strcspn(at + 9, "\n") - 2; // the tens

		*number = *number == '9' ? '1' : *number + 1;
	}
	result = verdict_of(&record, VERIFY_STEP);
	assert_true(result.decision[VERIFY_FRAMES].right < 5);
	drop(&record);
}

static void put_on_another_list(void **state)
{
	struct record record = load("boot-idle-d0");
	struct verify_result result;

	(void)state;
	edit(&record.events, "\n43 ", "mt=0", "mt=1");
	result = verdict_of(&record, VERIFY_REQUEST);
	expect(&result, VERIFY_PUTS, 19, 20);
	assert_true(wrong(&result, VERIFY_FRAMES) > 0); // the frame is taken as an unmovable one later on
	result = verdict_of(&record, VERIFY_STEP);
	assert_true(wrong(&result, VERIFY_FRAMES) > 0);
	drop(&record);
}

static void refill_one_short(void **state)
{
	struct record record = load("storm-d1");
	struct verify_result result;
	char *at, *end;

	(void)state;
	at = strstr(record.events, "\n374 "); // in the middle of a refill of 15
	assert_non_null(at);
	end = strchr(at + 1, '\n');
	memmove(at, end, strlen(end) + 1);
	edit(&record.events, "\nend ", "150684", "150683");
	result = verdict_of(&record, VERIFY_REQUEST);
	assert_true(wrong(&result, VERIFY_REFILLS) > 0);
	result = verdict_of(&record, VERIFY_STEP);
	assert_int_equal(result.decision[VERIFY_REFILLS].all, 14512);
	assert_true(wrong(&result, VERIFY_REFILLS) > 0);
	drop(&record);
}

static void refill_of_another_frame(void **state)
{
	struct record record = load("storm-d1");

	(void)state;
	edit(&record.events, "\n371 ", "pfn=32316", "pfn=32912");
	edit(&record.events, "\n373 ", "pfn=32912", "pfn=32316");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = verdict_of(&record, level);

		assert_true(wrong(&result, VERIFY_REFILLS) > 0);
	}
	drop(&record);
}

static void drain_of_another_count(void **state)
{
	struct record record = load("storm-d1");
	struct verify_result result;

	(void)state;
	edit(&record.events, "bulk_drain", "count=31", "count=30");
	result = verdict_of(&record, VERIFY_REQUEST);
	expect(&result, VERIFY_DRAINS, 172, 173);
	assert_int_equal(result.cause[VERIFY_CAUSE_LOST_PROBE], 0);
	drop(&record);
}

static void drain_of_another_frame(void **state)
{
	struct record record = load("storm-d1");
	char *first = strstr(strstr(record.events, "mm_page_pcpu_drain"), "pfn="), *second;
	char number[2][16];

	(void)state;
	second = strstr(strstr(first, "mm_page_pcpu_drain"), "pfn=");
	sscanf(first, "pfn=%15s", number[0]);
	sscanf(second, "pfn=%15s", number[1]);
	assert_int_equal(strlen(number[0]), strlen(number[1]));
	memcpy(first + 4, number[1], strlen(number[1]));
	memcpy(second + 4, number[0], strlen(number[0]));
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = verdict_of(&record, level);

		assert_true(wrong(&result, VERIFY_DRAINS) > 0);
	}
	drop(&record);
}

// Swaps the first two entries of a list line of snapshot 0.
static char *first_two_swapped(const char *text, const char *line, int words)
{
	char *copy = strdup(text), *at = copy + (line - text), a[16], b[16], both[40];
	const char *start;

	for (int i = 0; i < words; i++)
		at = strchr(at, ' ') + 1;
	start = at;
	assert_int_equal(sscanf(at, "%15s %15s", a, b), 2);
	snprintf(both, sizeof(both), "%s %s", b, a);
	memcpy((char *)start, both, strlen(both));
	return copy;
}

// Swaps in each list of two or more blocks. Returns how many lists there are; how many of the swaps stayed without a
// trace at both levels goes to *unnoticed: two blocks that merged before anybody took them leave none.
static unsigned swap_in_each_list(const char *name, const char *word, int words, unsigned *unnoticed)
{
	struct record record = load(name);
	char *original = record.snapshot0;
	unsigned lists = 0;

	*unnoticed = 0;
	for (const char *line = original; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *end = strchr(line, '\n');
		int pfns = -words;
		unsigned quiet = 0;

		if (!end || strncmp(line, "zone ", 5) != 0 || !memmem(line, (size_t)(end - line), word, strlen(word)))
			continue;
		for (const char *at = line; at < end; at++)
			pfns += *at == ' ';
		if (++pfns < 2)
			continue;
		lists++;
		record.snapshot0 = first_two_swapped(original, line, words);
		for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
			struct verify_result result = verdict_of(&record, level);

			quiet += !result.all_differences && end_state_same(&result.final);
		}
		assert_true(quiet != 1); // the levels agree
		*unnoticed += quiet / 2;
		free(record.snapshot0);
	}
	record.snapshot0 = original;
	drop(&record);
	return lists;
}

static void another_order_of_lists(void **state)
{
	unsigned unnoticed;

	(void)state;
	assert_int_equal(swap_in_each_list("storm-d1", " free ", 6, &unnoticed), 8);
	assert_int_equal(unnoticed, 1);
	assert_int_equal(swap_in_each_list("storm-d1", " pcplist ", 6, &unnoticed), 6);
	assert_int_equal(unnoticed, 0);
	assert_int_equal(swap_in_each_list("boot-idle-d0", " pcplist ", 6, &unnoticed), 7);
	assert_int_equal(unnoticed, 0);
}

static void end_state_is_compared(void **state)
{
	struct record record = load("boot-idle-d0");

	(void)state;
	edit(&record.snapshot1, "zone 0 DMA32 begin", "watermark 654", "watermark 655");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = verdict_of(&record, level);

		assert_int_equal(result.final.counters - result.final.counters_same, level == VERIFY_REQUEST ? 1 : 0);
		assert_int_equal(result.all_differences, 0);
	}
	drop(&record);
}

// ---- wrong policies ----

static void vanilla_on_defrag(void **state)
{
	struct verify_result result = verdict(data("storm-d1"), VERIFY_REQUEST, "vanilla");

	(void)state;
	assert_true(result.decision[VERIFY_FRAMES].right < 28000);
	assert_true(wrong(&result, VERIFY_WAKES) > 0);
	assert_true(wrong(&result, VERIFY_CLAIMS) > 0);
	assert_true(result.all_differences > 1000);
}

// The record has no lost probe (storm() above): what a wrong policy does must not be blamed on one.
static void wrong_policy_is_no_lost_probe(void **state)
{
	struct verify_result result = verdict(data("storm-d1"), VERIFY_REQUEST, "vanilla");

	(void)state;
	assert_int_equal(result.silent[VERIFY_SILENT_LOST_PUT], 0);
	assert_int_equal(result.cause[VERIFY_CAUSE_LOST_PROBE], 0);
}

// The same of a policy that only drains otherwise: its first difference is a drain already.
static void wrong_drains_are_no_lost_probe(void **state)
{
	struct verify_result result = verdict(data("storm-d1"), VERIFY_REQUEST, "linux-7.3,defrag_mode=1,drain_portions=off");

	(void)state;
	assert_true(wrong(&result, VERIFY_DRAINS) > 0);
	assert_int_equal(result.cause[VERIFY_CAUSE_LOST_PROBE], 0);
}

// ---- verdicts that could come from the record ----

// Frees that went straight to the buddy lists because the set was locked (N1): the pupil is told so. Then it says
// nothing about the rules that it does so too.
static void told_busy_is_no_merit(void **state)
{
	struct record record = load("storm-d1");
	struct verify_result before = verdict_of(&record, VERIFY_REQUEST), after;
	char *copy = malloc(2 * strlen(record.events)), *to = copy;
	unsigned seen = 0;

	(void)state;
	for (const char *line = record.events, *next; *line; line = next) {
		const char *put;

		next = strchr(line, '\n') + 1;
		put = memmem(line, (size_t)(next - line), " put pfn=", 9);
		if (put && ++seen % 100 == 0) {
			const char *order = strstr(put, " order=");
			int pfn = (int)strcspn(put + 9, " ");

			to += sprintf(to, "%.*s free_direct pfn=%.*s%.*s", (int)(put - line), line, pfn, put + 9, (int)(next - order),
				      order);
		} else {
			memcpy(to, line, (size_t)(next - line));
			to += next - line;
		}
	}
	*to = '\0';
	replace(&record.events, copy);
	after = verdict_of(&record, VERIFY_REQUEST);
	assert_true(wrong(&after, VERIFY_FRAMES) > 0);
	if (after.decision[VERIFY_DIRECT].right > before.decision[VERIFY_DIRECT].right)
		fail_msg("291 puts were forged into direct frees; right direct frees rose from %llu to %llu",
			 (unsigned long long)before.decision[VERIFY_DIRECT].right,
			 (unsigned long long)after.decision[VERIFY_DIRECT].right);
	drop(&record);
}

// A frame that nothing took and no compaction could have captured is no "capture".
static void forged_capture(void **state)
{
	struct record record = load("boot-idle-d0");
	struct verify_result result;

	(void)state;
	replace(&record.events, without(record.events, " take pfn=34128", 1));
	result = verdict_of(&record, VERIFY_REQUEST);
	assert_true(result.all_differences > 0);
	assert_true(result.silent[VERIFY_SILENT_CAPTURED] == 0 || result.decision[VERIFY_FRAMES].all == 42);
	drop(&record);
}

// The engine wakes kswapd where the record has no wake-up: a fast attempt that succeeded in the kernel failed here.
static void wakes_of_the_engine_alone(void **state)
{
	struct record record = load("storm-d1");
	struct verify_result result;

	(void)state;
	replace(&record.events, without(record.events, " mm_vmscan_wakeup_kswapd ", 1));
	result = verdict_of(&record, VERIFY_REQUEST);
	assert_true(result.all_differences > 0);
	drop(&record);
}

#define t(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(storm), t(boot_idle), t(same_bytes_twice), t(json_has_all), t(swapped_takes),
		t(every_frame_is_judged), t(put_on_another_list), t(refill_one_short), t(refill_of_another_frame),
		t(drain_of_another_count), t(drain_of_another_frame), t(another_order_of_lists),
		t(end_state_is_compared), t(vanilla_on_defrag), t(wrong_policy_is_no_lost_probe),
		t(wrong_drains_are_no_lost_probe), t(told_busy_is_no_merit), t(forged_capture),
		t(wakes_of_the_engine_alone),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
