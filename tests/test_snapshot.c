// SPDX-License-Identifier: Apache-2.0
//
// Snapshots: what is read of a real one against sums made with other tools, each kind of wrong line, and files cut
// anywhere.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/input.h"
#include "trace/snapshot.h"

static const char *data(const char *name)
{
	static char path[4096];
	const char *folder = getenv("PAGEYARD_TEST_DATA");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "tests/data", name);
	return path;
}

static const char *temporary(const void *bytes, size_t length)
{
	static char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/tmp/pageyard-test-snapshot-%d", (int)getpid());
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
	return path;
}

static int remove_temporary(void **state)
{
	(void)state;
	unlink(temporary("", 0));
	return 0;
}

static char *unpacked(const char *path, size_t *length)
{
	struct trace_error error;
	struct trace_input *input = trace_input_open(path, 1 << 20, &error);
	char *bytes;

	assert_non_null(input);
	*length = (size_t)trace_input_peek(input, SIZE_MAX, &error);
	bytes = malloc(*length + 1);
	assert_non_null(bytes);
	memcpy(bytes, input->at, *length);
	bytes[*length] = '\0';
	trace_input_close(input);
	return bytes;
}

static uint64_t seed = 21;

static uint64_t random_below(uint64_t bound)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % bound;
}

struct sums {
	uint64_t free_nr, free_pfns, pcp_nr, pcp_pfns;
};

static void add_list(const struct snapshot_list *list, uint64_t *nr, uint64_t *pfns)
{
	*nr += list->nr;
	for (uint32_t i = 0; i < list->nr; i++)
		*pfns += list->pfn[i];
}

static struct sums sum_lists(const struct snapshot *snapshot)
{
	struct sums sums = {0};

	for (uint32_t z = 0; z < snapshot->nr_zones; z++) {
		const struct snapshot_zone *zone = &snapshot->zone[z];

		for (unsigned o = 0; o < SNAPSHOT_ORDERS; o++)
			for (unsigned m = 0; m < SNAPSHOT_MIGRATETYPES; m++)
				add_list(&zone->free[o][m], &sums.free_nr, &sums.free_pfns);
		for (uint32_t c = 0; c < zone->nr_pcps; c++)
			for (unsigned i = 0; i < SNAPSHOT_PCP_LISTS; i++)
				add_list(&zone->pcp[c].list[i], &sums.pcp_nr, &sums.pcp_pfns);
	}
	return sums;
}

// Counts with grep -c, sums of the frame numbers of all lists with awk.
static void snapshots_have_their_lines(void **state)
{
	static const struct {
		const char *name;
		uint32_t frames;
		struct sums sums;
	} cases[] = {
		{"boot-idle-d0/snapshot0.txt.zst", 555, {109, 7563784, 3727, 168585077}},
		{"boot-idle-d0/snapshot1.txt.zst", 550, {109, 7563784, 3705, 168074727}},
		{"storm-d1/snapshot0.txt.zst", 652, {48, 1240000, 1301, 77427685}},
		{"storm-d1/snapshot1.txt.zst", 1218, {982, 36530721, 338, 12568241}},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trace_error error;
		struct snapshot *snapshot = snapshot_read(data(cases[i].name), &error);
		struct sums sums;

		assert_non_null(snapshot);
		sums = sum_lists(snapshot);
		assert_int_equal(snapshot->nr_pageblocks, 256);
		assert_int_equal(snapshot->nr_frames, cases[i].frames);
		assert_memory_equal(&sums, &cases[i].sums, sizeof(sums));
		snapshot_free(snapshot);
	}
}

static void snapshot_fields(void **state)
{
	struct trace_error error;
	struct snapshot *snapshot = snapshot_read(data("storm-d1/snapshot1.txt.zst"), &error);
	const struct snapshot_zone *zone;
	const struct snapshot_pcp *pcp;

	(void)state;
	assert_non_null(snapshot);
	assert_string_equal(snapshot->kernel, "7.3.4");
	assert_int_equal(snapshot->nr_cpus, 1);
	assert_int_equal(snapshot->min_free_kbytes, 2710);
	assert_int_equal(snapshot->user_min_free_kbytes, -1);
	assert_int_equal(snapshot->defrag_mode, 1);
	assert_int_equal(snapshot->totalreserve_pages, 1456);
	assert_int_equal(snapshot->mobility_disabled, 0);
	assert_int_equal(snapshot->lowmem_reserve_ratio[0], 256);
	assert_int_equal(snapshot->lowmem_reserve_ratio[2], 32);
	assert_int_equal(snapshot->nr_nodes, 1);
	assert_int_equal(snapshot->node[0].start_pfn, 1);
	assert_int_equal(snapshot->node[0].nr_fallback, 2);
	assert_int_equal(snapshot->node[0].fallback[0].zone_index, 1);
	assert_int_equal(snapshot->nr_zones, 2);
	zone = &snapshot->zone[1];
	assert_string_equal(zone->name, "DMA32");
	assert_int_equal(zone->index, 1);
	assert_int_equal(zone->start_pfn, 4096);
	assert_int_equal(zone->spanned, 126935);
	assert_int_equal(zone->managed, 113666);
	assert_int_equal(zone->wmark[0], 654);
	assert_int_equal(zone->wmark[3], 1143);
	assert_int_equal(zone->stat[SNAPSHOT_NR_FREE_PAGES], 9652);
	assert_int_equal(zone->stat[SNAPSHOT_NR_FREE_PAGES_BLOCKS], 1024);
	assert_int_equal(zone->numa[SNAPSHOT_NUMA_HIT], 80686);
	assert_true(zone->contiguous);
	assert_int_equal(zone->nr_pcps, 1);
	pcp = &zone->pcp[0];
	assert_int_equal(pcp->count, 325);
	assert_int_equal(pcp->high, 848);
	assert_int_equal(pcp->batch, 31);
	assert_int_equal(pcp->free_count, 144);
	assert_int_equal(pcp->stat_threshold, 6);
	assert_int_equal(pcp->diff[SNAPSHOT_NR_FREE_PAGES], -2);
	assert_int_equal(pcp->numa[SNAPSHOT_NUMA_LOCAL], 29952);
	snapshot_free(snapshot);
}

// A small snapshot; the tests below spoil it line by line.
static const char small[] = "pageyard-snapshot 1\n"
			    "kernel 7.3.4\n"
			    "cpus 2\n"
			    "pagesize 4096\n"
			    "enum migratetype MIGRATE_UNMOVABLE=0 MIGRATE_TYPES=6\n"
			    "global min_free_kbytes -5\n"
			    "node 0 node_start_pfn 0\n"
			    "node 0 some_new_field 1 2 x\n"
			    "node 0 zonelist 0 node0:DMA32\n"
			    "zone 0 DMA32 begin index 1\n"
			    "zone 0 DMA32 zone_start_pfn 4096\n"
			    "zone 0 DMA32 spanned_pages 0x400\n"
			    "zone 0 DMA32 present_pages 1024\n"
			    "zone 0 DMA32 managed_pages 1024\n"
			    "zone 0 DMA32 nr_free 0 2\n"
			    "zone 0 DMA32 free 0 1 4098 4097\n"
			    "zone 0 DMA32 pcp 1 count=1 high=-2 unknown=9\n"
			    "zone 0 DMA32 pcplist 1 13 4608\n"
			    "pageblock 4096 1 bits=9\n"
			    "frames 4096 2 kernel\n"
			    "frames 4098 1 type-whatever\n"
			    "end\n";

static void small_snapshot(void **state)
{
	struct trace_error error;
	struct snapshot *snapshot = snapshot_read(temporary(small, strlen(small)), &error);

	(void)state;
	assert_non_null(snapshot);
	assert_int_equal(snapshot->min_free_kbytes, -5);
	assert_int_equal(snapshot->defrag_mode, -1);
	assert_int_equal(snapshot->zone[0].spanned, 1024);
	assert_int_equal(snapshot->zone[0].free[0][1].nr, 2);
	assert_int_equal(snapshot->zone[0].free[0][1].pfn[0], 4098);
	assert_int_equal(snapshot->zone[0].pcp[1].high, -2);
	assert_int_equal(snapshot->zone[0].pcp[1].list[13].pfn[0], 4608);
	assert_int_equal(snapshot->zone[0].pcp[0].count, 0);
	assert_int_equal(snapshot->pageblock[0].bits, 9);
	assert_int_equal(snapshot->frames[1].class, SNAPSHOT_TYPE_OTHER);
	snapshot_free(snapshot);
}

// Puts a line before or instead of the one that begins with `where`, and wants this error for it.
static void assert_wrong(const char *where, bool instead, const char *line, const char *message)
{
	char text[sizeof(small) + 4096];
	const char *at = strstr(small, where), *rest;
	struct trace_error error;
	struct snapshot *snapshot;

	assert_non_null(at);
	rest = instead ? strchr(at, '\n') + 1 : at;
	snprintf(text, sizeof(text), "%.*s%s%s%s", (int)(at - small), small, line, *line ? "\n" : "", rest);
	snapshot = snapshot_read(temporary(text, strlen(text)), &error);
	if (snapshot)
		fail_msg("'%s' was taken", line);
	if (!strstr(error.text, message))
		fail_msg("'%s': '%s' does not say '%s'", line, error.text, message);
}

static const struct {
	const char *where;
	bool instead;
	const char *line, *message;
} wrong[] = {
	{"pageyard", true, "pageyard-snapshot 2", ":1: "},
	{"kernel", false, "kernel 1", "second 'kernel' line"},
	{"cpus", true, "cpus 0", "cpus 0: at least 1"},
	{"cpus", true, "cpus 5000", "cpus 5000 is out of range"},
	{"cpus", true, "cpus 1 2", "one word too many"},
	{"cpus", true, "", "no 'cpus' line before"},
	{"pagesize", true, "pagesize 16384", "pagesize 16384"},
	{"pagesize", true, "", "'pagesize' line is missing"},
	{"enum", true, "enum migratetype MIGRATE_MOVABLE=2", "wants MIGRATE_MOVABLE=1"},
	{"enum", true, "enum migratetype X", "is not NAME=number"},
	{"global", false, "global min_free_kbytes 1", "min_free_kbytes comes twice"},
	{"global", true, "global min_free_kbytes 1z", "is not a decimal or 0x number"},
	{"global", true, "global min_free_kbytes", "a word is missing"},
	{"global", true, "something else", "begins no line of a snapshot"},
	{"node 0 zonelist", false, "node 0 node_start_pfn 1", "comes twice"},
	{"node 0 zonelist", false, "node 0 zonelist 0 node0:DMA32", "second 'zonelist' line"},
	{"node 0 zonelist", true, "node 0 zonelist 0 node0:DMA", "which is no zone here"},
	{"node 0 zonelist", true, "node 0 zonelist 0 node0:Highmem", "is not nodeN:ZONE"},
	{"node 0 zonelist", true, "node 0 zonelist 2 node0:DMA32", "zonelist 2 is out of range"},
	{"node 0 zonelist", true, "node 2000 nr_zones 1", "node 2000 is out of range"},
	{"zone 0 DMA32 begin", true, "", "zone 0 DMA32 is unknown here"},
	{"zone 0 DMA32 begin", true, "zone 1 DMA32 begin index 1", "no 'node' line"},
	{"zone 0 DMA32 begin", true, "zone 0 DMA32 begin index 2", "index 2 is zone Normal"},
	{"zone 0 DMA32 begin", true, "zone 0 DMA32 begin", "a word is missing"},
	{"zone 0 DMA32 nr_free", false, "zone 0 DMA32 begin index 1", "begins a second time"},
	{"zone 0 DMA32 nr_free", false, "zone 0 DMA free 0 0 1", "zone 0 DMA is unknown here"},
	{"zone 0 DMA32 managed", true, "", "has no managed_pages line"},
	{"zone 0 DMA32 managed", true, "zone 0 DMA32 managed_pages -1", "managed_pages is negative"},
	{"zone 0 DMA32 managed", true, "zone 0 DMA32 managed_pages 0xffffffffffffffff", "out of range"},
	{"zone 0 DMA32 spanned", true, "zone 0 DMA32 spanned_pages 0x100000000", "frames beyond"},
	{"zone 0 DMA32 free", false, "zone 0 DMA32 nr_free 0 2", "second 'nr_free' line"},
	{"zone 0 DMA32 free", true, "zone 0 DMA32 nr_free 11 2", "order 11 is out of range: 0 to 10"},
	{"zone 0 DMA32 free", true, "zone 0 DMA32 free 11 1 4096", "order 11 is out of range"},
	{"zone 0 DMA32 free", true, "zone 0 DMA32 free 0 6 4096", "migratetype 6 is out of range"},
	{"zone 0 DMA32 free", true, "zone 0 DMA32 free 0 1 4294967296", "pfn 4294967296 is out of range"},
	{"zone 0 DMA32 free", true, "zone 0 DMA32 free 0 1 1  2", "two spaces together"},
	{"zone 0 DMA32 free", true, "zone 0 DMA32 free 0 1 1 ", "a space at the end"},
	{"zone 0 DMA32 free", true, "zone 0 DMA32 free 0 1", "the list is empty"},
	{"zone 0 DMA32 free", false, "zone 0 DMA32 free 0 1 5", "comes twice"},
	{"zone 0 DMA32 free", true, "zone 0 DMA32 watermark 1 2 3", "a word is missing"},
	{"zone 0 DMA32 free", true, "zone 0 DMA32 watermark 1 2 3 4 5", "one word too many"},
	{"zone 0 DMA32 free", true, "zone 0 DMA32 contiguous 2", "contiguous 2 is out of range"},
	{"zone 0 DMA32 pcplist", true, "zone 0 DMA32 pcplist 2 0 1", "cpu 2 is out of range: 0 to 1"},
	{"zone 0 DMA32 pcplist", true, "zone 0 DMA32 pcplist 0 14 1", "pcplist 14 is out of range"},
	{"zone 0 DMA32 pcplist", false, "zone 0 DMA32 pcplist 1 13 1", "comes twice"},
	{"zone 0 DMA32 pcplist", false, "zone 0 DMA32 pcp 1 count=1", "second 'pcp 1' line"},
	{"zone 0 DMA32 pcplist", false, "zone 0 DMA32 pcp 0 count=1 count=1", "count comes twice"},
	{"zone 0 DMA32 pcplist", false, "zone 0 DMA32 pcp 0 count", "is not NAME=value"},
	{"pageblock", false, "pageblock 4096 1 bits=1", "pageblock 4096 comes after pageblock 4096"},
	{"pageblock", true, "pageblock 4097 1 bits=1", "does not begin at a multiple of 512"},
	{"pageblock", true, "pageblock 4096 1 bits=2", "does not hold the migratetype"},
	{"pageblock", true, "pageblock 4096 1 bits=33", "is not bits=b"},
	{"pageblock", true, "pageblock 4096 6 bits=6", "migratetype 6 is out of range"},
	{"frames 4098", true, "frames 4097 1 kernel", "overlap"},
	{"frames 4098", true, "frames 4098 0 kernel", "at least 1"},
	{"frames 4098", true, "frames 4294967295 2 kernel", "ending below"},
	{"frames 4098", true, "frames 4098 1 tables", "is not a class of frames"},
	{"end", true, "", "truncated"},
	{"end", false, "end", "a line after the 'end' line"},
	{"end", true, "end 1", "one word too many"},
};

static void wrong_lines(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_wrong(wrong[i].where, wrong[i].instead, wrong[i].line, wrong[i].message);
}

static void truncations_of(const char *text, size_t length, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		size_t cut = random_below(length);
		struct trace_error error;
		struct snapshot *snapshot = snapshot_read(temporary(text, cut), &error);

		assert_int_equal(snapshot != NULL, cut == length - 1); // only the last '\n' is gone
		if (!snapshot)
			assert_null(strchr(error.text, '\n'));
		snapshot_free(snapshot);
	}
}

static void truncated_snapshots(void **state)
{
	size_t length;
	char *text = unpacked(data("boot-idle-d0/snapshot0.txt.zst"), &length);

	(void)state;
	truncations_of(text, length, 200);
	truncations_of(small, strlen(small), 400);
	free(text);
}

static void damaged_snapshots(void **state)
{
	size_t length = strlen(small);
	char text[sizeof(small)];

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct trace_error error;

		memcpy(text, small, sizeof(small));
		for (unsigned j = 0; j <= i % 3; j++) {
			char *spoiled = &text[random_below(length)];

			if (i % 2)
				*spoiled = (char)random_below(256);
			else
				*spoiled = " \n0123456789-x="[random_below(15)];
		}
		snapshot_free(snapshot_read(temporary(text, length), &error));
	}
}

static void files_that_are_none(void **state)
{
	struct trace_error error;

	(void)state;
	assert_null(snapshot_read("/nonexistent/file", &error));
	assert_non_null(strstr(error.text, "/nonexistent/file: cannot open"));
	assert_null(snapshot_read("/", &error));
	assert_non_null(strstr(error.text, "is a folder"));
	assert_null(snapshot_read(temporary("", 0), &error));
	assert_non_null(strstr(error.text, "truncated"));
	assert_null(snapshot_read(data("boot-idle-d0/events.txt.zst"), &error));
	assert_non_null(strstr(error.text, "this is no snapshot"));
	snapshot_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshots_have_their_lines),
		cmocka_unit_test(snapshot_fields),
		cmocka_unit_test(small_snapshot),
		cmocka_unit_test(wrong_lines),
		cmocka_unit_test(truncated_snapshots),
		cmocka_unit_test(damaged_snapshots),
		cmocka_unit_test(files_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, remove_temporary);
}
