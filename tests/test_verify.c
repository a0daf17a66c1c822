// SPDX-License-Identifier: Apache-2.0
//
// The verdict over a record: exact shares of real records, records that somebody tampered with (each change must show,
// so no verdict can come from the outcome that it judges), wrong policies, and small machines made by hand.

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

// ---- machines made by hand: one zone DMA32 of 8 pageblocks, frames 4096 to 8191, all in use but for what is listed ----

enum { FIRST = 4096, FRAMES = 4096, LIST_MAX = 64 };

struct list {
	unsigned nr;
	uint32_t pfn[LIST_MAX];
};

struct machine {
	struct list free[11][6], pcp[14];
	unsigned type[8]; // of pageblocks
	unsigned count, nr_free[11], free_pages, free_blocks;
	unsigned high, batch, high_max, wmark, cpus;
	char class[FRAMES]; // 'k', 'f', 'p'
	char *events;
	size_t size;
	FILE *out;
	unsigned seq;
};

static void machine_begin(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	memset(m->class, 'k', sizeof(m->class));
	for (unsigned i = 0; i < 8; i++)
		m->type[i] = 1;
	m->type[0] = 0;
	m->high = m->high_max = 100;
	m->batch = 4;
	m->wmark = 10;
	m->cpus = 1;
	m->out = open_memstream(&m->events, &m->size);
	fprintf(m->out, "pageyard-events 1\n");
}

static void on_free_list(struct machine *m, unsigned order, unsigned type, uint32_t pfn)
{
	struct list *list = &m->free[order][type];

	list->pfn[list->nr++] = pfn;
	m->nr_free[order]++;
	m->free_pages += 1u << order;
	m->free_blocks += order >= 9 ? 1u << order : 0;
	memset(m->class + pfn - FIRST, 'f', 1u << order);
}

static void on_pcp_list(struct machine *m, unsigned index, uint32_t pfn)
{
	unsigned order = index < 12 ? index / 3 : 9;

	m->pcp[index].pfn[m->pcp[index].nr++] = pfn;
	m->count += 1u << order;
	memset(m->class + pfn - FIRST, 'p', 1u << order);
}

static void write_lists(const struct machine *m, FILE *out)
{
	for (unsigned order = 0; order < 11; order++) {
		fprintf(out, "zone 0 DMA32 nr_free %u %u\n", order, m->nr_free[order]);
		for (unsigned type = 0; type < 6; type++) {
			if (!m->free[order][type].nr)
				continue;
			fprintf(out, "zone 0 DMA32 free %u %u", order, type);
			for (unsigned i = 0; i < m->free[order][type].nr; i++)
				fprintf(out, " %u", m->free[order][type].pfn[i]);
			fprintf(out, "\n");
		}
	}
	fprintf(out, "zone 0 DMA32 pcp 0 count=%u high=%u high_min=%u high_max=%u batch=%u flags=0 alloc_factor=0 expire=0 "
		     "free_count=0\n", m->count, m->high, m->high, m->high_max, m->batch);
	for (unsigned i = 0; i < 14; i++) {
		if (!m->pcp[i].nr)
			continue;
		fprintf(out, "zone 0 DMA32 pcplist 0 %u", i);
		for (unsigned n = 0; n < m->pcp[i].nr; n++)
			fprintf(out, " %u", m->pcp[i].pfn[n]);
		fprintf(out, "\n");
	}
	for (unsigned cpu = 1; cpu < m->cpus; cpu++) // their sets are empty
		fprintf(out, "zone 0 DMA32 pcp %u count=0 high=%u high_min=%u high_max=%u batch=%u flags=0 alloc_factor=0 expire=0 "
			     "free_count=0\n", cpu, m->high, m->high, m->high_max, m->batch);
	for (unsigned cpu = 0; cpu < m->cpus; cpu++)
		fprintf(out, "zone 0 DMA32 cpustat %u stat_threshold=2 NUMA_HIT=0\n", cpu);
}

static void write_frames(const struct machine *m, FILE *out)
{
	for (unsigned i = 0; i < 8; i++)
		fprintf(out, "pageblock %u %u bits=%u\n", FIRST + 512 * i, m->type[i], m->type[i]);
	for (unsigned start = 0, end; start < FRAMES; start = end) {
		for (end = start; end < FRAMES && m->class[end] == m->class[start]; end++)
			;
		fprintf(out, "frames %u %u %s\n", FIRST + start, end - start,
			m->class[start] == 'f' ? "free" : m->class[start] == 'p' ? "pcp" : "kernel");
	}
}

static void machine_snapshot(const struct machine *m, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "pageyard-snapshot 1\nkernel made by hand\ncpus %u\npagesize 4096\n"
		     "global min_free_kbytes 40\nglobal user_min_free_kbytes -1\nglobal watermark_boost_factor 0\n"
		     "global watermark_scale_factor 10\nglobal defrag_mode 0\nglobal node_reclaim_mode 0\n"
		     "global page_group_by_mobility_disabled 0\nglobal percpu_pagelist_high_fraction 0\n"
		     "global sysctl_lowmem_reserve_ratio 256 256 32 0 0\n"
		     "node 0 node_id 0\nnode 0 zonelist 0 node0:DMA32\nnode 0 zonelist 1 node0:DMA32\n"
		     "zone 0 DMA32 begin index 1\nzone 0 DMA32 watermark_boost 0\nzone 0 DMA32 zone_start_pfn 4096\n"
		     "zone 0 DMA32 managed_pages 4096\nzone 0 DMA32 spanned_pages 4096\nzone 0 DMA32 present_pages 4096\n"
		     "zone 0 DMA32 flags 0\nzone 0 DMA32 contiguous 1\n", m->cpus);
	fprintf(out, "zone 0 DMA32 watermark %u %u %u %u\nzone 0 DMA32 lowmem_reserve 0 0 0 0 0\n", m->wmark, m->wmark + 2,
		m->wmark + 4, m->wmark + 6);
	fprintf(out, "zone 0 DMA32 stat NR_FREE_PAGES %u\nzone 0 DMA32 stat NR_FREE_PAGES_BLOCKS %u\n", m->free_pages,
		m->free_blocks);
	write_lists(m, out);
	write_frames(m, out);
	fprintf(out, "end\n");
	fclose(out);
	write_file(name, text);
	free(text);
}

__attribute__((format(printf, 2, 3))) static void event(struct machine *m, const char *format, ...)
{
	va_list args;

	m->seq++;
	fprintf(m->out, "%u %u 0 7 ", m->seq, m->seq * 1000);
	va_start(args, format);
	vfprintf(m->out, format, args);
	va_end(args);
	fprintf(m->out, "\n");
}

static void machine_start(struct machine *m) // what was listed until now is the first state, and the second
{
	machine_snapshot(m, "snapshot0.txt");
	machine_snapshot(m, "snapshot1.txt");
}

static struct verify_result machine_verdict(struct machine *m, enum verify_level level)
{
	char *text;

	fflush(m->out);
	text = malloc(m->size + 32);
	sprintf(text, "%send %u\n", m->events, m->seq);
	write_file("events.txt", text);
	free(text);
	return verdict(folder, level, NULL);
}

static void machine_end(struct machine *m)
{
	fclose(m->out);
	free(m->events);
}

#define GFP_KERNEL "gfp_flags=0xcc0"
#define GFP_USER   "gfp_flags=0x140cca"

// The set has a page: only its head is right, and after a difference the rest is judged from the kernel's state.
static void by_hand_hit(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_pcp_list(&m, 0, 4100);
	on_pcp_list(&m, 0, 4101);
	on_pcp_list(&m, 0, 4102);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "take pfn=4101");
	event(&m, "mm_page_alloc pfn=4101 order=0 " GFP_KERNEL " migratetype=0");
	event(&m, "take pfn=4100");
	event(&m, "mm_page_alloc pfn=4100 order=0 " GFP_KERNEL " migratetype=0");
	event(&m, "take pfn=4102");
	event(&m, "mm_page_alloc pfn=4102 order=0 " GFP_KERNEL " migratetype=0");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = machine_verdict(&m, level);

		expect(&result, VERIFY_FRAMES, 2, 3);
		assert_int_equal(result.all_differences, 1);
	}
	machine_end(&m);
}

// Bulk: pages taken one after the other, nobody told for what.
static void by_hand_bulk(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_pcp_list(&m, 0, 4100);
	on_pcp_list(&m, 0, 4101);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "take pfn=4100");
	event(&m, "take pfn=4101");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FRAMES, 2, 2);
	assert_int_equal(result.silent[VERIFY_SILENT_BULK], 2);
	machine_end(&m);
}

// The set's lock is held: the page comes from the buddy lists although the set has one, and goes back there.
static void by_hand_busy(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_pcp_list(&m, 0, 4100);
	on_free_list(&m, 0, 0, 4104);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "mm_page_alloc_zone_locked pfn=4104 order=0 migratetype=0 percpu_refill=1");
	event(&m, "mm_page_alloc pfn=4104 order=0 " GFP_KERNEL " migratetype=0");
	event(&m, "mm_page_free pfn=4104 order=0");
	event(&m, "free_direct pfn=4104 order=0 fpi=0x0");
	event(&m, "take pfn=4100"); // the set did not change
	event(&m, "mm_page_alloc pfn=4100 order=0 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FRAMES, 2, 2);
	assert_int_equal(result.silent[VERIFY_SILENT_BUSY], 2);
	assert_int_equal(result.all_differences, 0);
	result = machine_verdict(&m, VERIFY_STEP);
	expect(&result, VERIFY_FRAMES, 2, 2);
	machine_end(&m);
}

// Through the buddy lists too only the rule's frame is right.
static void by_hand_busy_wrong(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 0, 0, 4104);
	on_free_list(&m, 0, 0, 4106);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "mm_page_alloc_zone_locked pfn=4106 order=0 migratetype=0 percpu_refill=1");
	event(&m, "mm_page_alloc pfn=4106 order=0 " GFP_KERNEL " migratetype=0");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = machine_verdict(&m, level);

		expect(&result, VERIFY_FRAMES, 0, 1);
		expect(&result, VERIFY_REFILLS, 0, 1);
	}
	machine_end(&m);
}

// A free without put or free_direct went to the buddy lists, unless the frame comes from the set later.
static void by_hand_lost_put(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_pcp_list(&m, 0, 4100);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "mm_page_free pfn=4300 order=0");
	event(&m, "take pfn=4300");
	event(&m, "mm_page_alloc pfn=4300 order=0 " GFP_KERNEL " migratetype=0");
	event(&m, "take pfn=4100");
	event(&m, "mm_page_alloc pfn=4100 order=0 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FRAMES, 2, 2);
	assert_int_equal(result.silent[VERIFY_SILENT_LOST_PUT], 1);
	result = machine_verdict(&m, VERIFY_STEP);
	expect(&result, VERIFY_FRAMES, 2, 2);
	machine_end(&m);
}

static void by_hand_failed(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 2, 0, 4160); // 4 pages, the mark is 10
	machine_start(&m);
	event(&m, "mm_page_alloc pfn=-1 order=1 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FAILURES, 1, 1);
	machine_end(&m);

	machine_begin(&m);
	on_free_list(&m, 7, 0, 4224); // enough: the kernel's failure is not the engine's
	machine_start(&m);
	event(&m, "mm_page_alloc pfn=-1 order=1 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FAILURES, 0, 1);
	assert_true(result.all_differences > 0);
	machine_end(&m);
}

static void by_hand_split(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_pcp_list(&m, 6, 4100); // order 2, unmovable
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "take pfn=4100");
	event(&m, "mm_page_alloc pfn=4100 order=2 " GFP_KERNEL " migratetype=0");
	event(&m, "split pfn=4100 order=2");
	event(&m, "mm_page_free pfn=4102 order=0");
	event(&m, "put pfn=4102 mt=0 order=0 fpi=0x0");
	event(&m, "take pfn=4102");
	event(&m, "mm_page_alloc pfn=4102 order=0 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_FRAMES, 2, 2);
	expect(&result, VERIFY_PUTS, 1, 1);
	assert_int_equal(result.all_differences, 0);
	assert_int_equal(result.silent[VERIFY_SILENT_BELIEVED_FREE], 0);
	result = machine_verdict(&m, VERIFY_STEP);
	expect(&result, VERIFY_FRAMES, 2, 2);
	machine_end(&m);
}

// Compaction takes a free block and puts it back at the tail of its list; its refusal is judged, too.
static void by_hand_isolate(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 3, 1, 4608);
	on_free_list(&m, 3, 1, 4624);
	on_free_list(&m, 8, 1, 5120);
	machine_snapshot(&m, "snapshot0.txt");
	m.free[3][1].pfn[0] = 4624;
	m.free[3][1].pfn[1] = 4608;
	machine_snapshot(&m, "snapshot1.txt");
	event(&m, "isolate_free got=8 pfn=4608 order=3");
	event(&m, "putback_free pfn=4608 order=3 mt=1");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		result = machine_verdict(&m, level);
		expect(&result, VERIFY_ISOLATED, level == VERIFY_REQUEST, level == VERIFY_REQUEST);
		assert_true(end_state_same(&result.final));
	}
	event(&m, "isolate_free got=0 pfn=4624 order=3"); // refused, though far above the watermark
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_ISOLATED, 1, 2);
	machine_end(&m);
}

// What compaction takes back is not freed, though an mm_page_free says so.
static void by_hand_compact_back(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 0, 1, 4608);
	on_free_list(&m, 8, 1, 5120);
	machine_start(&m);
	event(&m, "isolate_free got=1 pfn=4608 order=0");
	event(&m, "compact_back pfn=4608");
	event(&m, "mm_page_free pfn=4608 order=0");
	event(&m, "putback_free pfn=4608 order=0 mt=1");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = machine_verdict(&m, level);

		expect(&result, VERIFY_PUTS, 0, 0);
		expect(&result, VERIFY_DIRECT, 0, 0);
		assert_int_equal(result.all_differences, 0);
		assert_true(end_state_same(&result.final));
	}
	machine_end(&m);
}

// A set of 8 pages with high 8 and batch 4 drains what came in since (P11, P12) in portions of 4. In the second record
// another task ran between two portions, and took from the set.
static void drain_portion(struct machine *m, unsigned from, const char *pid)
{
	fprintf(m->out, "%u %u 0 %s bulk_drain count=4 pindex=0\n", m->seq + 1, (m->seq + 1) * 1000, pid);
	m->seq++;
	for (unsigned pfn = from; pfn > from - 4; pfn--) {
		fprintf(m->out, "%u %u 0 %s mm_page_pcpu_drain pfn=%u order=0 migratetype=0\n", m->seq + 1, (m->seq + 1) * 1000, pid,
			4096 + 2 * pfn);
		m->seq++;
	}
}

static void drain_machine(struct machine *m)
{
	machine_begin(m);
	m->high = m->high_max = 32; // the free below brings the set to it; free_count 8 asks for two portions
	m->batch = 4;
	for (unsigned i = 0; i < 31; i++)
		on_pcp_list(m, 0, 4096 + 2 * i);
	on_free_list(m, 8, 0, 4352);
	machine_start(m);
}

static void set_free_count(unsigned count) // free_count is 0 in machine_snapshot()
{
	char text[65536], from[] = "free_count=0", to[32], *copy;
	FILE *file = fopen(in_folder("snapshot0.txt"), "rb");
	size_t length = fread(text, 1, sizeof(text) - 1, file);

	fclose(file);
	text[length] = '\0';
	snprintf(to, sizeof(to), "free_count=%u", count);
	copy = edited(text, "pcp 0", from, to);
	write_file("snapshot0.txt", copy);
	free(copy);
}

static void by_hand_drain(void **state)
{
	struct machine m;

	(void)state;
	drain_machine(&m);
	set_free_count(7); // and one more with the free itself: 8, two portions of 4
	event(&m, "mm_page_free pfn=4200 order=0");
	event(&m, "put pfn=4200 mt=0 order=0 fpi=0x0");
	drain_portion(&m, 30, "7");
	drain_portion(&m, 26, "7");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = machine_verdict(&m, level);

		expect(&result, VERIFY_DRAINS, level == VERIFY_REQUEST ? 1 : 8, level == VERIFY_REQUEST ? 1 : 8);
		assert_int_equal(result.all_differences, 0);
	}
	machine_end(&m);
}

static void by_hand_preempted_drain(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	drain_machine(&m);
	set_free_count(7);
	event(&m, "mm_page_free pfn=4200 order=0");
	event(&m, "put pfn=4200 mt=0 order=0 fpi=0x0");
	drain_portion(&m, 30, "7");
	fprintf(m.out, "%u %u 0 8 take pfn=4200\n", m.seq + 1, (m.seq + 1) * 1000);
	fprintf(m.out, "%u %u 0 8 mm_page_alloc pfn=4200 order=0 " GFP_KERNEL " migratetype=0\n", m.seq + 2, (m.seq + 2) * 1000);
	m.seq += 2;
	drain_portion(&m, 26, "7");
	result = machine_verdict(&m, VERIFY_REQUEST);
	assert_int_equal(result.silent[VERIFY_SILENT_PREEMPTED], 1);
	expect(&result, VERIFY_DRAINS, 2, 2);
	expect(&result, VERIFY_FRAMES, 1, 1);
	assert_int_equal(result.all_differences, 0);
	result = machine_verdict(&m, VERIFY_STEP);
	expect(&result, VERIFY_DRAINS, 8, 8);
	machine_end(&m);
}

// A fallback takes the largest block at the head of its list. Here the kernel took the other one of two.
static void claim_of_another_block(struct machine *m, bool tampered)
{
	uint32_t claimed = tampered ? 5632 : 5120;

	machine_begin(m);
	on_free_list(m, 8, 1, 5120);
	on_free_list(m, 8, 1, 5632);
	machine_start(m);
	event(m, "claim_try pfn=%u current=8 order=0 start=0 block=1", claimed);
	event(m, "mm_page_alloc_zone_locked pfn=%u order=0 migratetype=0 percpu_refill=1", claimed);
	event(m, "mm_page_alloc_extfrag pfn=%u alloc_order=0 fallback_order=8 alloc_migratetype=0 fallback_migratetype=1 "
		 "change_ownership=1", claimed);
	event(m, "mm_page_alloc pfn=%u order=0 " GFP_KERNEL " migratetype=0", claimed);
}

static void by_hand_claim(void **state)
{
	struct machine m;

	(void)state;
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result;

		claim_of_another_block(&m, false);
		result = machine_verdict(&m, level);
		expect(&result, VERIFY_CLAIMS, 1, 1);
		expect(&result, VERIFY_FRAMES, 1, 1);
		machine_end(&m);
	}
}

static void by_hand_wrong_claim_request(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	claim_of_another_block(&m, true);
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_CLAIMS, 0, 1);
	expect(&result, VERIFY_FRAMES, 0, 1);
	machine_end(&m);
}

static void by_hand_wrong_claim_step(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	claim_of_another_block(&m, true);
	result = machine_verdict(&m, VERIFY_STEP);
	expect(&result, VERIFY_CLAIMS, 0, 1);
	machine_end(&m);
}

// Reserving a block for high-atomic requests is the allocator's own decision (H1): none asked for it here.
static void by_hand_forged_reserve(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 8, 1, 5120);
	on_free_list(&m, 8, 1, 5632);
	machine_start(&m);
	event(&m, "move_block pfn=5632 old=1 new=3");
	result = machine_verdict(&m, VERIFY_REQUEST);
	assert_true(result.all_differences > 0);
	machine_end(&m);
}

// A drain that stops early though nothing else ran on the CPU was not preempted.
static void by_hand_drain_stops_early(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	drain_machine(&m);
	set_free_count(7);
	event(&m, "mm_page_free pfn=4200 order=0");
	event(&m, "put pfn=4200 mt=0 order=0 fpi=0x0");
	drain_portion(&m, 30, "7");
	event(&m, "take pfn=4200");
	event(&m, "mm_page_alloc pfn=4200 order=0 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_DRAINS, 0, 1);
	assert_int_equal(result.cause[VERIFY_CAUSE_PORTIONS], 0);
	machine_end(&m);
}

// Another CPU that does nothing races with nobody.
static void by_hand_no_race(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m);
	m.cpus = 2;
	on_pcp_list(&m, 0, 4100);
	on_pcp_list(&m, 0, 4101);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "take pfn=4101");
	event(&m, "mm_page_alloc pfn=4101 order=0 " GFP_KERNEL " migratetype=0");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = machine_verdict(&m, level);

		expect(&result, VERIFY_FRAMES, 0, 1);
		assert_int_equal(result.cause[VERIFY_CAUSE_RACE], 0);
	}
	machine_end(&m);
}

// Where compaction never searched, it rotated no list.
static void by_hand_other_order(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 3, 1, 4608);
	on_free_list(&m, 3, 1, 4624);
	machine_snapshot(&m, "snapshot0.txt");
	m.free[3][1].pfn[0] = 4624;
	m.free[3][1].pfn[1] = 4608;
	machine_snapshot(&m, "snapshot1.txt");
	result = machine_verdict(&m, VERIFY_REQUEST);
	assert_int_equal(result.final.free_lists_same, 0);
	assert_int_equal(result.final.free_lists_order_only, 1);
	assert_int_equal(result.final.nr_lines, 1);
	assert_null(strstr(result.final.line[0], "compaction"));
	machine_end(&m);
}

#define t(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(storm), t(boot_idle), t(same_bytes_twice), t(json_has_all),
		t(swapped_takes), t(every_frame_is_judged), t(put_on_another_list), t(refill_one_short),
		t(refill_of_another_frame), t(drain_of_another_count), t(drain_of_another_frame), t(another_order_of_lists),
		t(end_state_is_compared),
		t(vanilla_on_defrag), t(wrong_policy_is_no_lost_probe), t(wrong_drains_are_no_lost_probe),
		t(told_busy_is_no_merit), t(forged_capture), t(wakes_of_the_engine_alone),
		t(by_hand_hit), t(by_hand_bulk), t(by_hand_busy), t(by_hand_busy_wrong), t(by_hand_lost_put), t(by_hand_failed),
		t(by_hand_split), t(by_hand_isolate), t(by_hand_compact_back), t(by_hand_drain), t(by_hand_preempted_drain), t(by_hand_drain_stops_early), t(by_hand_no_race), t(by_hand_other_order),
		t(by_hand_claim), t(by_hand_wrong_claim_request), t(by_hand_wrong_claim_step), t(by_hand_forged_reserve),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
