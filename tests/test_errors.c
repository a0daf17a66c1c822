// SPDX-License-Identifier: Apache-2.0
//
// What must be refused: each case gives its one error and leaves the instance byte for byte as it was.

#include "engine_fixture.h"

static void *before;

// A machine in the middle of its work: frames in every state.
static uint32_t used0, used3, listed, stolen;

static void busy_machine(void)
{
	const struct yard_range memory[] = { { BASE, BASE + 6000, 0 }, { BASE + 7000, BASE + 16384, 0 } };
	const struct yard_range reserved = { BASE + 100, BASE + 200, 0 };
	struct yard_config config = plain_config();

	config.memory = memory;
	config.nr_memory = 2;
	config.reserved = &reserved;
	config.nr_reserved = 1;
	build(&config);
	set_pcps(normal(), 4, 100, 100);
	used0 = yard_alloc(yard, GFP_M, 0);
	used3 = yard_alloc(yard, GFP_U, 3);
	listed = yard_alloc(yard, GFP_M, 0);
	assert_int_equal(yard_free(yard, listed, 0), YARD_OK);
	stolen = yard_free_list_next(yard, NORMAL, 10, M, NONE);
	assert_int_equal(yard_isolate_free_page(yard, stolen), 10);
	assert_verified();
	yard_set_event_sink(yard, NULL, NULL, false);
	free(before);
	before = zeroed(yard_bytes);
	memcpy(before, yard, yard_bytes);
}

static void check_unchanged(const char *file, int line)
{
	if (memcmp(before, yard, yard_bytes)) {
		print_error("the instance has changed\n");
		_fail(file, line);
	}
	check_verified(file, line);
}

#define assert_refused(call, error)                                     \
	do {                                                            \
		assert_int_equal((int)(call), error);                   \
		check_unchanged(__FILE__, __LINE__);                    \
	} while (0)

static int drop_copy(void **state)
{
	free(before);
	before = NULL;
	return demolish(state);
}

// Freed twice: to a per-CPU list, to the buddy lists (first frame or inside a block), taken by compaction.
static void double_free(void **state)
{
	uint32_t order5, inside;

	(void)state;
	busy_machine();
	assert_refused(yard_free(yard, listed, 0), YARD_EDOUBLEFREE);
	assert_refused(yard_free_nolock(yard, listed, 0), YARD_EDOUBLEFREE);
	assert_refused(yard_free_range(yard, listed, 1), YARD_EDOUBLEFREE);
	order5 = yard_free_list_next(yard, NORMAL, 5, M, NONE);
	assert_true(order5 != NONE);
	assert_refused(yard_free(yard, order5, 5), YARD_EDOUBLEFREE);
	inside = order5 + 7;
	assert_refused(yard_free(yard, inside, 0), YARD_EDOUBLEFREE);
	assert_refused(yard_free(yard, stolen, 10), YARD_EDOUBLEFREE);
}

// Never allocated: reserved frames, holes, frames inside a block in use, the wrong order.
static void not_owned(void **state)
{
	(void)state;
	busy_machine();
	assert_refused(yard_free(yard, BASE + 150, 0), YARD_ENOTOWNED);
	assert_refused(yard_free(yard, BASE + 6500, 0), YARD_ENOTOWNED);
	assert_refused(yard_free(yard, used3 + 1, 0), YARD_ENOTOWNED);
	assert_refused(yard_free(yard, used3, 2), YARD_ENOTOWNED);
	assert_refused(yard_free(yard, used3, 4), YARD_ENOTOWNED);
	assert_refused(yard_free(yard, used0, 1), YARD_ENOTOWNED);
	assert_refused(yard_free_range(yard, used3, 8), YARD_ENOTOWNED); // one block, not eight
	assert_refused(yard_free_tail(yard, used3, 2), YARD_ENOTOWNED);
	assert_refused(yard_split(yard, used3, 2), YARD_ENOTOWNED);
	assert_refused(yard_set_lru(yard, used3 + 1, true), YARD_ENOTOWNED);
	assert_refused(yard_set_lru(yard, listed, true), YARD_ENOTOWNED); // freed: on a per-CPU list
	assert_refused(yard_set_lru(yard, listed, false), YARD_ENOTOWNED);
	assert_refused(yard_set_lru(yard, yard_free_list_next(yard, NORMAL, 5, M, NONE), true), YARD_ENOTOWNED);
	assert_refused(yard_set_lru(yard, stolen, true), YARD_ENOTOWNED);
	assert_refused(yard_set_movable_ops(yard, BASE + 150, true), YARD_ENOTOWNED);
	assert_refused(yard_putback_free_page(yard, used3, 3), YARD_ENOTOWNED);
	assert_refused(yard_putback_free_page(yard, stolen, 9), YARD_ENOTOWNED);
	assert_refused(yard_split_isolated(yard, used3, 3, 0), YARD_ENOTOWNED);
	assert_refused(yard_use_isolated(yard, used3, 3), YARD_ENOTOWNED);
	assert_refused(yard_unuse_isolated(yard, used3 + 1, 0), YARD_ENOTOWNED);
	assert_refused(yard_isolate_free_page(yard, used3), YARD_ENOTOWNED);
	assert_refused(yard_isolate_free_page(yard, listed), YARD_ENOTOWNED);
}

// Outside: frames, orders, nodes, CPUs, zones.
static void out_of_range(void **state)
{
	struct yard_request r = { .gfp = GFP_U, .node = 1 };
	struct yard_zone_state zone;
	struct yard_pcp_state pcp;
	struct yard_result result;

	(void)state;
	busy_machine();
	assert_refused(yard_free(yard, BASE - 1, 0), YARD_ERANGE);
	assert_refused(yard_free(yard, BASE + 16384, 0), YARD_ERANGE);
	assert_refused(yard_free(yard, NONE, 0), YARD_ERANGE);
	assert_refused(yard_free(yard, used0, YARD_MAX_PAGE_ORDER + 1), YARD_ERANGE);
	assert_refused(yard_free(yard, used0, 4000000000u), YARD_ERANGE);
	assert_refused(yard_free_nolock(yard, NONE, 0), YARD_ERANGE);
	assert_refused(yard_free_range(yard, used0, 4000000000u), YARD_ERANGE);
	assert_refused(yard_free_range(yard, NONE, 2), YARD_ERANGE);
	assert_refused(yard_free_tail(yard, used3, 11), YARD_ERANGE);
	assert_refused(yard_split(yard, NONE, 0), YARD_ERANGE);
	assert_refused(yard_set_lru(yard, NONE, true), YARD_ERANGE);
	assert_refused(yard_isolate_range(yard, BASE + 16000, BASE + 16385, YARD_ISOLATE_OTHER), YARD_ERANGE);
	assert_refused(yard_isolate_range(yard, 0, BASE, YARD_ISOLATE_OTHER), YARD_ERANGE);
	assert_refused(yard_isolate_range(yard, BASE + 512, BASE + 512, YARD_ISOLATE_OTHER), YARD_EINVAL);
	assert_refused(yard_unisolate_range(yard, BASE + 512, BASE), YARD_EINVAL);
	assert_refused(yard_unisolate_range(yard, BASE + 512, NONE), YARD_ERANGE);
	assert_refused(yard_alloc_range(yard, BASE + 16000, BASE + 20000, YARD_ISOLATE_OTHER), YARD_ERANGE);
	assert_refused(yard_isolate_free_page(yard, NONE), YARD_ERANGE);
	assert_refused(yard_putback_free_page(yard, stolen, 11), YARD_ERANGE);
	assert_refused(yard_get_zone(yard, 5, &zone), YARD_ERANGE);
	assert_refused(yard_get_pcp(yard, NORMAL, 1, &pcp), YARD_ERANGE);
	assert_refused(yard_get_pcp(yard, 5, 0, &pcp), YARD_ERANGE);
	assert_refused(yard_zone_of(yard, NONE), YARD_ERANGE);
	assert_refused(yard_zone_of(yard, 0), YARD_ERANGE);
	assert_refused(yard_sim_set_cpu(yard, 1), YARD_ERANGE);
	assert_refused(yard_pcp_disable(yard, 5, true), YARD_ERANGE);
	assert_refused(yard_pcp_disable(yard, YARD_ZONE_DMA, true), YARD_ERANGE);
	assert_refused(yard_alloc_request(yard, &r, &result), YARD_ERANGE);
	assert_int_equal(result.pfn, NONE);
	yard_drain_zone_cpu(yard, 5, 0);
	yard_drain_zone_cpu(yard, NORMAL, 1);
	yard_drain_all(yard, 5);
	yard_kswapd_awake(yard, 1, true);
	yard_kswapd_balance_begin(yard, 1, NORMAL);
	yard_vmstat_update(yard, 1, false);
	check_unchanged(__FILE__, __LINE__);
	assert_int_equal(yard_pageblock_type(yard, NONE), YARD_MIGRATETYPES);
	assert_int_equal(yard_frame_state(yard, NONE, NULL, NULL), YARD_FRAME_NONE);
	assert_int_equal(yard_free_list_next(yard, 5, 0, 0, NONE), NONE);
	assert_int_equal(yard_free_list_next(yard, NORMAL, 11, 0, NONE), NONE);
	assert_int_equal(yard_free_list_next(yard, NORMAL, 0, YARD_MIGRATETYPES, NONE), NONE);
	assert_int_equal(yard_pcp_list_next(yard, NORMAL, 0, YARD_PCP_LISTS, NONE), NONE);
	check_unchanged(__FILE__, __LINE__);
}

// A hole inside a zone's span belongs to no zone; so does a pageblock without RAM.
static void frames_of_holes_are_in_no_zone(void **state)
{
	(void)state;
	busy_machine();
	assert_int_equal(yard_zone_of(yard, BASE + 6144), YARD_ERANGE); // a pageblock that is all hole
	assert_int_equal(yard_zone_of(yard, BASE + 6100), YARD_ERANGE); // the hole's share of a pageblock with RAM
}

// Requests that cannot be.
static void impossible_requests(void **state)
{
	struct yard_request r = { .gfp = GFP_U, .order = YARD_MAX_PAGE_ORDER + 1, .node = -1 };
	struct yard_result result;

	(void)state;
	busy_machine();
	assert_refused(yard_alloc_request(yard, &r, &result), YARD_EINVAL);
	assert_int_equal(yard_alloc(yard, GFP_U, YARD_MAX_PAGE_ORDER + 1), NONE);
	assert_int_equal(yard_alloc(yard, GFP_U, 256), NONE); // not order 0 after a cast
	assert_int_equal(yard_alloc(yard, GFP_U | YARD_GFP_MOVABLE | YARD_GFP_RECLAIMABLE, 0), NONE);
	assert_int_equal(yard_alloc_exact(yard, GFP_U, 0), NONE);
	assert_int_equal(yard_alloc_exact(yard, GFP_U, 4000000000u), NONE);
	assert_int_equal(yard_alloc_contig(yard, 4000000000u, GFP_U), NONE);
	assert_refused(yard_set_percpu_pagelist_high_fraction(yard, 1), YARD_EINVAL);
	assert_refused(yard_set_watermark_scale_factor(yard, 3001), YARD_EINVAL);
	assert_refused(yard_set_min_free_kbytes(yard, -1), YARD_EINVAL);
}

// Batches: all blocks are checked before any is freed; 31 are the most.
static void batches_are_checked_first(void **state)
{
	struct yard_block blocks[32];

	(void)state;
	busy_machine();
	assert_refused(yard_free_batch(yard, (struct yard_block[]){ { used0, 0 }, { listed, 0 } }, 2), YARD_EDOUBLEFREE);
	assert_refused(yard_free_batch(yard, (struct yard_block[]){ { used0, 0 }, { used0, 0 } }, 2), YARD_EDOUBLEFREE);
	assert_refused(yard_free_batch(yard, (struct yard_block[]){ { used0, 0 }, { used3, 2 } }, 2), YARD_ENOTOWNED);
	assert_refused(yard_free_batch(yard, (struct yard_block[]){ { used0, 0 }, { NONE, 0 } }, 2), YARD_ERANGE);
	assert_refused(yard_free_batch(yard, (struct yard_block[]){ { used0, 0 }, { used3, 11 } }, 2), YARD_ERANGE);
	for (size_t i = 0; i < COUNT(blocks); i++)
		blocks[i] = (struct yard_block){ used0, 0 };
	assert_refused(yard_free_batch(yard, blocks, 32), YARD_EINVAL);
	assert_refused(yard_free_batch(yard, NULL, 0), YARD_OK);
}

// Configurations that cannot be: yard_size() and yard_init() agree.
static void bad_configurations(void **state)
{
	const struct yard_range good = { BASE, BASE + 8192, 0 };
	const struct yard_range inverted = { BASE + 10, BASE, 0 }, empty = { BASE, BASE, 0 }, elsewhere = { BASE, BASE + 8192, 1 };
	const struct yard_range overlap[] = { { BASE, BASE + 2048, 0 }, { BASE + 2047, BASE + 4096, 0 } };
	const struct yard_range descending[] = { { BASE + 4096, BASE + 8192, 0 }, { BASE, BASE + 2048, 0 } };
	const struct yard_range top = { UINT32_MAX - 4096, UINT32_MAX, 0 };
	const struct yard_range odd_cma = { BASE + 100, BASE + 612, 0 };
	const uint16_t cpu_node[] = { 0, 1 };
	struct yard_config configs[20];
	unsigned n = 0;
	void *memory = zeroed(1 << 20);

	(void)state;
	for (size_t i = 0; i < COUNT(configs); i++) {
		configs[i] = plain_config();
		configs[i].memory = &good;
		configs[i].nr_memory = 1;
	}
	configs[n++].nr_nodes = 0;
	configs[n++].nr_nodes = YARD_NODES_MAX + 1;
	configs[n++].nr_cpus = 0;
	configs[n++].nr_cpus = YARD_CPUS_MAX + 1;
	configs[n++].nr_memory = 0;
	configs[n++].memory = &inverted;
	configs[n++].memory = &empty;
	configs[n++].memory = &elsewhere;
	configs[n++].memory = &top;
	configs[n].memory = overlap;
	configs[n++].nr_memory = 2;
	configs[n].memory = descending;
	configs[n++].nr_memory = 2;
	configs[n].reserved = &inverted;
	configs[n++].nr_reserved = 1;
	configs[n].cma = &odd_cma;
	configs[n++].nr_cma = 1;
	configs[n].nr_cpus = 2;
	configs[n++].cpu_node = cpu_node;
	configs[n++].percpu_pagelist_high_fraction = 7;
	configs[n++].watermark_scale_factor = 3001;
	for (unsigned i = 0; i < n; i++) {
		struct yard *out = NULL;
		int error = YARD_OK;

		if (yard_size(&configs[i], &error) != 0 || error != YARD_EINVAL)
			fail_msg("yard_size() accepts configuration %u", i);
		assert_int_equal(yard_size(&configs[i], NULL), 0);
		assert_int_equal(yard_init(memory, 1 << 20, &configs[i], &out), YARD_EINVAL);
		assert_null(out);
	}
	for (size_t i = 0; i < 1 << 20; i++)
		assert_int_equal(((char *)memory)[i], 0);
	free(memory);
}

// CMA blocks must be RAM that nothing else has reserved: anything else would count frames that do not exist.
static void bad_cma_ranges(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4608 + 256, BASE + 8192, 0 } };
	const struct yard_range reserved = { BASE + 1024, BASE + 1030, 0 };
	const struct yard_range cma[] = { { BASE + 1024, BASE + 1536, 0 }, { BASE + 4096, BASE + 4608, 0 },
					  { BASE + 4608, BASE + 5120, 0 }, { BASE + 8192, BASE + 8704, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cma); i++) {
		struct yard_config config = plain_config();
		size_t size;

		config.memory = memory;
		config.nr_memory = 2;
		config.reserved = &reserved;
		config.nr_reserved = 1;
		config.cma = &cma[i];
		config.nr_cma = 1;
		size = yard_size(&config, NULL);
		if (size)
			fail_msg("CMA range %zu is accepted", i);
	}
}

// Memory that does not suit: too small, not aligned.
static void bad_instance_memory(void **state)
{
	const struct yard_range good = { BASE, BASE + 8192, 0 };
	struct yard_config config = plain_config();
	struct yard *out = NULL;
	size_t size;
	char *memory;

	(void)state;
	config.memory = &good;
	config.nr_memory = 1;
	size = yard_size(&config, NULL);
	assert_true(size > 0);
	memory = zeroed(size + 64);
	assert_int_equal(yard_init(memory, size - 1, &config, &out), YARD_EINVAL);
	assert_int_equal(yard_init(memory + 8, size, &config, &out), YARD_EINVAL);
	assert_null(out);
	assert_int_equal(yard_init(memory, size, &config, &out), YARD_OK);
	build(&config);
	assert_null(yard_copy(memory, size - 1, yard));
	assert_null(yard_copy(memory + 8, size, yard));
	free(memory);
}

// No memory: an error, not a frame; the lists stay as they are but for what the attempt learnt.
static void no_memory(void **state)
{
	struct yard_request r = { .gfp = GFP_U, .order = 10, .node = -1 };
	struct yard_result result;
	uint32_t pfns[4] = { NONE, NONE, NONE, NONE };

	(void)state;
	blank(4096);
	give_free(0, 3);
	ready();
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_ENOMEM);
	assert_int_equal(result.pfn, NONE);
	assert_int_equal(result.path, YARD_PATH_NONE);
	set_wmarks(normal(), 1000, 1000, 1000);
	assert_int_equal(yard_alloc_bulk(yard, GFP_U, 4, pfns), 0);
	assert_int_equal(yard_alloc_exact(yard, GFP_U, 3), NONE);
	assert_int_equal(yard_alloc_contig(yard, 16, GFP_U), NONE);
	assert_int_equal(yard_alloc_range(yard, base, base + 16, YARD_ISOLATE_OTHER), YARD_EBUSY);
	assert_lists(NORMAL, M, "3:[0]");
	assert_verified();
}

// A recorded set whose numbers its arithmetic cannot hold is refused; the largest that it can is not.
static void impossible_sets(void **state)
{
	const struct yard_pcp_state good = { .batch = 1007, .free_count = 32255, .alloc_factor = 5, .high = 1, .expire = 255 };
	struct yard_pcp_state bad[] = { good, good, good, good, good, good, good, good, good };

	(void)state;
	blank(8192);
	bad[0].batch = 0;
	bad[1].batch = 1008;
	bad[2].batch = INT32_MAX;
	bad[3].free_count = -1;
	bad[4].free_count = 32256;
	bad[5].alloc_factor = 6;
	bad[6].high_min = -1;
	bad[7].high = -1;
	bad[8].expire = 256;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (yard_restore_pcp(yard, NORMAL, 0, &bad[i]) != YARD_EINVAL)
			fail_msg("set %zu is taken", i);
	assert_int_equal(yard_restore_pcp(yard, NORMAL, 0, &good), YARD_OK);
	assert_int_equal(yard_restore_pcp(yard, NORMAL, 1, &good), YARD_ERANGE);
}

// A list that does not exist has nothing to drain.
static void peeking_outside_the_yard(void **state)
{
	unsigned found = 99;

	(void)state;
	blank(8192);
	assert_int_equal(yard_peek_drain(yard, 5, 0, 0, &found), NONE);
	assert_int_equal(yard_peek_drain(yard, NORMAL, 1, 0, &found), NONE);
	assert_int_equal(found, 99);
}

// The embedder's word of a frame is kept whatever happens to the frame; outside the yard there is none.
static void owner_words(void **state)
{
	uint32_t pfn, end;

	(void)state;
	build_normal(plain_config(), 8192);
	pfn = yard_alloc(yard, YARD_GFP_KERNEL, 0);
	yard_set_owner(yard, pfn, 4711);
	assert_int_equal(yard_free(yard, pfn, 0), YARD_OK);
	assert_int_equal(yard_get_owner(yard, pfn), 4711);
	yard_frame_span(yard, &pfn, &end);
	yard_set_owner(yard, end, 1);
	assert_int_equal(yard_get_owner(yard, end), 0);
	assert_verified();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(double_free),
		cmocka_unit_test(not_owned),
		cmocka_unit_test(out_of_range),
		cmocka_unit_test(frames_of_holes_are_in_no_zone),
		cmocka_unit_test(impossible_requests),
		cmocka_unit_test(batches_are_checked_first),
		cmocka_unit_test(bad_configurations),
		cmocka_unit_test(bad_cma_ranges),
		cmocka_unit_test(bad_instance_memory),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(impossible_sets),
		cmocka_unit_test(peeking_outside_the_yard),
		cmocka_unit_test(owner_words),
	};

	return cmocka_run_group_tests_name("errors", tests, NULL, drop_copy);
}
