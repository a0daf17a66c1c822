// SPDX-License-Identifier: Apache-2.0
//
// The files of /proc and /sys: formats byte by byte where a kernel's own lines are known, figures against the engine's.

#include <pageyard/lru.h>
#include <pageyard/pressure.h>
#include <pageyard/stat.h>

#include "report/proc_view.h"
#include "tests/engine_fixture.h"

static char *printed;

static FILE *open_text(size_t *size)
{
	free(printed);
	printed = NULL;
	return open_memstream(&printed, size);
}

#define PRINT(call, ...)                                                                                               \
	do {                                                                                                           \
		size_t size_;                                                                                          \
		FILE *file_ = open_text(&size_);                                                                       \
		call(file_, __VA_ARGS__);                                                                              \
		assert_int_equal(fclose(file_), 0);                                                                    \
	} while (0)

static int finish(void **state)
{
	free(printed);
	return demolish(state);
}

// The line that begins with these words; asserts that there is exactly one.
static const char *line_of(const char *start)
{
	static char line[512];
	const char *found = NULL;

	for (const char *at = printed; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		if (strncmp(at, start, strlen(start)))
			continue;
		if (found)
			fail_msg("two lines begin with '%s'", start);
		found = at;
	}
	if (!found)
		fail_msg("no line begins with '%s' in\n%s", start, printed);
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(found, "\n"), found);
	return line;
}

static uint64_t counter_of(const char *name)
{
	char start[80];
	const char *line;

	snprintf(start, sizeof(start), "%s ", name);
	line = line_of(start);
	return strtoull(line + strlen(start), NULL, 10);
}

// Two nodes: DMA32 and NORMAL with a gap on node 0, NORMAL on node 1.
static void build_two_nodes(void)
{
	static const struct yard_range memory[] = {
		{8 * BLOCK, 24 * BLOCK, 0},
		{BASE, BASE + 8 * BLOCK, 0},
		{BASE + 8 * BLOCK, BASE + 16 * BLOCK, 1},
	};
	static const uint16_t cpu_node[] = {0, 1};
	struct yard_config config = plain_config();

	config.nr_nodes = 2;
	config.nr_cpus = 2;
	config.cpu_node = cpu_node;
	config.memory = memory;
	config.nr_memory = COUNT(memory);
	config.hz = 1000;
	build(&config);
	base = 0;
}

static void buddyinfo(void **state)
{
	(void)state;
	blank(16);
	give_free(3, 0);
	give_free(4, 2);
	give_free(8, 3);
	PRINT(proc_buddyinfo, yard);
	assert_string_equal(printed,
			    "Node 0, zone   Normal      1      0      1      1      0      0      0      0      0"
			    "      0      0 \n");
}

static void pagetypeinfo(void **state)
{
	(void)state;
	blank(4 * BLOCK);
	give_type(0, U);
	give_type(BLOCK, M);
	give_type(2 * BLOCK, M);
	give_type(3 * BLOCK, R);
	give_free(3, 0);
	give_free(BLOCK, 4);
	give_free(BLOCK + 32, 4);
	give_free(2 * BLOCK, 9);
	PRINT(proc_pagetypeinfo, yard);
	assert_string_equal(printed, "Page block order: 9\nPages per block:  512\n\n"
				     "Free pages count per migrate type at order       0      1      2      3      4   "
				     "   5      6      7      8"
				     "      9     10 \n"
				     "Node    0, zone   Normal, type    Unmovable      1      0      0      0      0   "
				     "   0      0      0      0"
				     "      0      0 \n"
				     "Node    0, zone   Normal, type      Movable      0      0      0      0      2   "
				     "   0      0      0      0"
				     "      1      0 \n"
				     "Node    0, zone   Normal, type  Reclaimable      0      0      0      0      0   "
				     "   0      0      0      0"
				     "      0      0 \n"
				     "Node    0, zone   Normal, type   HighAtomic      0      0      0      0      0   "
				     "   0      0      0      0"
				     "      0      0 \n"
				     "Node    0, zone   Normal, type          CMA      0      0      0      0      0   "
				     "   0      0      0      0"
				     "      0      0 \n"
				     "Node    0, zone   Normal, type      Isolate      0      0      0      0      0   "
				     "   0      0      0      0"
				     "      0      0 \n"
				     "\nNumber of blocks type     Unmovable      Movable  Reclaimable   HighAtomic     "
				     "     CMA      Isolate \n"
				     "Node 0, zone   Normal            1            2            1            0        "
				     "    0            0 \n");
}

// As recorded on two nodes (numa2-mix-d0): all of node 0, then all of node 1, each with the headings.
static void pagetypeinfo_of_two_nodes(void **state)
{
	const char *second, *blocks;

	(void)state;
	build_two_nodes();
	PRINT(proc_pagetypeinfo, yard);
	assert_memory_equal(printed, "Page block order: 9\n", 20);
	second = strstr(printed + 1, "Page block order: 9\nPages per block:  512\n\nFree pages count");
	assert_non_null(second);
	blocks = strstr(printed, "Number of blocks type");
	assert_true(blocks && blocks < second);
	assert_null(strstr(second, "Node    0"));
	assert_true(strstr(printed, "Node    1") > second);
	assert_non_null(strstr(second, "\nNumber of blocks type     Unmovable"));
}

static void zoneinfo(void **state)
{
	static const char empty[] =
		"Node 0, zone      DMA\n  pages free     0\n        boost    0\n        min      0\n";
	char expected[512];
	struct yard_zone_state zone;

	(void)state;
	build_two_nodes();
	yard_get_zone(yard, YARD_ZONE_DMA32, &zone);
	PRINT(proc_zoneinfo, yard);
	// An empty zone ends with its reserves; the node's counters come with its first populated zone.
	assert_memory_equal(printed, empty, strlen(empty));
	snprintf(expected, sizeof(expected), "Node 0, zone    DMA32\n  per-node stats\n      nr_inactive_anon 0\n");
	assert_non_null(strstr(printed, expected));
	snprintf(expected, sizeof(expected),
		 "\n  pages free     8192\n        boost    0\n        min      %u\n        low      %u\n        high  "
		 "   %u\n"
		 "        promo    %u\n        spanned  1044480\n        present  8192\n        managed  8192\n"
		 "        cma      0\n        protection: (0, 0, %u, %u, %u)\n      nr_free_pages 8192\n",
		 (unsigned)zone.wmark[0], (unsigned)zone.wmark[1], (unsigned)zone.wmark[2], (unsigned)zone.wmark[3],
		 (unsigned)zone.lowmem_reserve[2], (unsigned)zone.lowmem_reserve[3], (unsigned)zone.lowmem_reserve[4]);
	assert_non_null(strstr(printed, expected));
	assert_non_null(
		strstr(printed, "\n  pagesets\n    cpu: 0\n              count:    0\n              high:     "));
	assert_non_null(strstr(
		printed, "\n  node_unreclaimable:  0\n  start_pfn:           4096\n"
			 "  reserved_highatomic: 0\n  free_highatomic:     0\nNode 0, zone   Normal\n  pages free"));
	assert_non_null(strstr(printed, "Node 1, zone   Normal\n  per-node stats\n"));
	assert_null(strstr(printed, "Node 1, zone    DMA32\n  per-node stats\n"));
}

static void hopeless_node(void **state)
{
	(void)state;
	build_two_nodes();
	yard_kswapd_run(yard, 1, true);
	yard_kswapd_hopeless(yard, 1, true);
	PRINT(proc_zoneinfo, yard);
	assert_non_null(strstr(printed, "  node_unreclaimable:  1\n  start_pfn:           1052672\n"));
	assert_non_null(strstr(printed, "  node_unreclaimable:  0\n  start_pfn:           1048576\n"));
}

static void vmstat(void **state)
{
	uint32_t anon, file;

	(void)state;
	build_two_nodes();
	anon = yard_alloc(yard, GFP_M, 0);
	file = yard_alloc(yard, GFP_M, 2);
	assert_int_equal(
		yard_lru_add(yard, anon, YARD_PAGE_ANON | YARD_PAGE_SWAPBACKED | YARD_PAGE_ACTIVE, YARD_MAPPED),
		YARD_OK);
	assert_int_equal(yard_lru_add(yard, file, 0, YARD_UNMAPPED), YARD_OK);
	yard_lru_drain_all(yard);
	yard_count_vm_event(yard, YARD_VM_PSWPIN, 7);
	PRINT(proc_vmstat, yard);
	assert_int_equal(counter_of("nr_zone_active_anon"), 1);
	assert_int_equal(counter_of("nr_active_anon"), 1);
	assert_int_equal(counter_of("nr_zone_inactive_file"), 4);
	assert_int_equal(counter_of("nr_inactive_file"), 4);
	assert_int_equal(counter_of("nr_zone_unevictable"), 0);
	assert_int_equal(counter_of("pswpin"), 7);
	assert_int_equal(counter_of("numa_hit"), 2);
	assert_int_equal(counter_of("pgalloc_normal"), 5);
	assert_int_equal(counter_of("pgalloc_dma32"), 0);
	assert_int_equal(counter_of("allocstall_normal"), 0);
	assert_true(counter_of("nr_free_pages") <= 32 * BLOCK - 5);
	for (unsigned item = 0; item < YARD_NODE_STATS; item++)
		counter_of(yard_node_stat_name(item));
	for (unsigned event = 0; event < YARD_VM_EVENTS; event++)
		assert_int_equal(counter_of(yard_vm_event_name(event)), yard_get_vm_event(yard, event));
	// The node's own file has no events, and its figures only.
	PRINT(proc_node_vmstat, yard, 1);
	assert_int_equal(counter_of("nr_active_anon"), 0);
	assert_int_equal(counter_of("nr_free_pages"), 8 * BLOCK);
	assert_null(strstr(printed, "pswpin"));
	PRINT(proc_node_vmstat, yard, 2);
	assert_string_equal(printed, "");
}

static void extfrag(void **state)
{
	(void)state;
	blank(16);
	give_free(3, 0);
	give_free(4, 2);
	give_free(8, 1);
	PRINT(proc_unusable_index, yard);
	assert_string_equal(
		printed, "Node 0, zone   Normal 0.000 0.142 0.428 1.000 1.000 1.000 1.000 1.000 1.000 1.000 1.000 \n");
	PRINT(proc_extfrag_index, yard);
	// 3 blocks, 7 pages; order 3: 1000 - (1000 + 7000 / 8) / 3 = 375
	assert_string_equal(printed,
			    "Node 0, zone   Normal -1.000 -1.000 -1.000  0.375  0.521  0.594  0.631  0.649  0.658"
			    "  0.663  0.665 \n");
}

static void pressure(void **state)
{
	struct yard_task task = {.pid = 1};

	(void)state;
	build_two_nodes();
	yard_set_current(yard, &task);
	yard_memstall_enter(yard);
	yard->host.now_ns += 2001000000;
	yard_memstall_leave(yard);
	PRINT(proc_pressure, yard, 0);
	// 100 % for one period: 1 - 1677/2048, 1 - 1981/2048, 1 - 2034/2048
	assert_string_equal(printed, "some avg10=18.11 avg60=3.27 avg300=0.68 total=2001000\n"
				     "full avg10=18.11 avg60=3.27 avg300=0.68 total=2001000\n");
	PRINT(proc_pressure, yard, YARD_PSI_GROUPS);
	assert_string_equal(printed, "");
	yard_set_current(yard, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buddyinfo),	 cmocka_unit_test(pagetypeinfo), cmocka_unit_test(zoneinfo),
		cmocka_unit_test(hopeless_node), cmocka_unit_test(vmstat),	 cmocka_unit_test(extfrag),
		cmocka_unit_test(pressure),	 cmocka_unit_test(pagetypeinfo_of_two_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, finish);
}
