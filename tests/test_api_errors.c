// SPDX-License-Identifier: Apache-2.0
//
// What an embedder may do wrong with pages, workers, shrinkers, pressure and the lock checker: each case gives the
// error that its header names and leaves the instance byte for byte as it was. And every callback may be missing.

#include "mm_fixture.h"

#include "pageyard/lockcheck.h"
#include "pageyard/pressure.h"
#include "pageyard/restore.h"

static void *before;

static struct {
	uint32_t file, anon, plain, block, freed, mlocked; // frames: on the LRU; only allocated; of order 3; free
	uint64_t shadow;
} at;

static void look(void)
{
	yard_lru_drain_all(yard);
	free(before);
	before = zeroed(yard_bytes);
	memcpy(before, yard, yard_bytes);
}

static uint32_t page_with(uint32_t flags, enum yard_mapping mapping)
{
	uint32_t pfn = yard_alloc(yard, GFP_M, 0);

	assert_true(pfn != NONE);
	assert_int_equal(yard_lru_add(yard, pfn, flags, mapping), YARD_OK);
	return pfn;
}

static void busy_machine(void)
{
	struct yard_config config = plain_config();

	config.owner = owner();
	build_normal(config, 8192);
	yard_set_event_sink(yard, NULL, NULL, false);
	yard_set_swap(yard, 1000, 1000);
	at.file = page_with(FILE_PAGE, YARD_UNMAPPED);
	at.anon = page_with(ANON_PAGE, YARD_MAPPED);
	at.mlocked = page_with(ANON_PAGE | YARD_PAGE_UNEVICTABLE, YARD_MAPPED);
	at.plain = yard_alloc(yard, GFP_U, 0);
	at.block = yard_alloc(yard, GFP_U, 3);
	at.freed = page_with(FILE_PAGE, YARD_UNMAPPED);
	yard_lru_drain_all(yard);
	assert_int_equal(yard_free(yard, at.freed, 0), YARD_OK);
	assert_verified();
	look();
}

static void check_unchanged(const char *file, int line)
{
	if (memcmp(before, yard, yard_bytes)) {
		print_error("the instance has changed\n");
		_fail(file, line);
	}
	check_verified(file, line);
}
#define assert_unchanged() check_unchanged(__FILE__, __LINE__)

#define assert_refused(call, error)                                     \
	do {                                                            \
		assert_int_equal((int)(call), error);                   \
		assert_unchanged();                                     \
	} while (0)

static int drop_copy(void **state)
{
	free(before);
	before = NULL;
	forget_world();
	return demolish(state);
}

// ---- pages ----

static int add(uint32_t pfn)
{
	return yard_lru_add(yard, pfn, FILE_PAGE, YARD_UNMAPPED);
}

static int refault(uint32_t pfn)
{
	return yard_lru_refault(yard, pfn, FILE_PAGE, 0);
}

static int split_page(uint32_t pfn)
{
	return yard_lru_split(yard, pfn, 0);
}

static int set_dirty(uint32_t pfn)
{
	return yard_lru_set(yard, pfn, YARD_PAGE_DIRTY, true);
}

static int map(uint32_t pfn)
{
	return yard_lru_map(yard, pfn, YARD_MAPPED);
}

static int touch(uint32_t pfn)
{
	return yard_lru_touch(yard, pfn, 1, true);
}

static int mark(uint32_t pfn)
{
	return yard_lru_mark_accessed(yard, pfn);
}

static int deactivate(uint32_t pfn)
{
	return yard_lru_deactivate(yard, pfn);
}

static int deactivate_file(uint32_t pfn)
{
	return yard_lru_deactivate_file(yard, pfn);
}

static int lazyfree(uint32_t pfn)
{
	return yard_lru_lazyfree(yard, pfn);
}

static int begin_write(uint32_t pfn)
{
	return yard_writeback_begin(yard, pfn);
}

static int end_write(uint32_t pfn)
{
	return yard_writeback_end(yard, pfn);
}

static int get(uint32_t pfn)
{
	enum yard_mapping mapping;
	uint32_t flags;
	bool lru;

	return yard_lru_get(yard, pfn, &flags, &mapping, &lru);
}

static int (*const of_any_block[])(uint32_t) = { add, refault, split_page, get };
static int (*const of_lru_pages[])(uint32_t) = { set_dirty, map, touch, mark, deactivate, deactivate_file, lazyfree,
						 begin_write, end_write };

static void frames_that_are_no_pages(void **state)
{
	const struct {
		uint32_t pfn;
		int error;
	} frames[] = { { 0, YARD_ERANGE }, { BASE - 1, YARD_ERANGE }, { BASE + 8192, YARD_ERANGE }, { NONE, YARD_ERANGE },
		       { BASE + 8191, YARD_ENOTOWNED }, { 0, YARD_ENOTOWNED }, { 1, YARD_ENOTOWNED } };

	(void)state;
	busy_machine();
	for (size_t i = 0; i < COUNT(frames); i++) {
		uint32_t pfn = i < 5 ? frames[i].pfn : i == 5 ? at.freed : at.block + 1; // a free one, the middle of a block

		for (size_t f = 0; f < COUNT(of_any_block); f++)
			assert_refused(of_any_block[f](pfn), frames[i].error);
		for (size_t f = 0; f < COUNT(of_lru_pages); f++)
			assert_refused(of_lru_pages[f](pfn), frames[i].error);
		assert_int_equal(yard_reclaim_pages(yard, &pfn, 1), 0);
		assert_unchanged();
	}
	for (size_t f = 0; f < COUNT(of_lru_pages); f++) // allocated, but not handed over
		assert_refused(of_lru_pages[f](at.plain), YARD_EINVAL);
	assert_int_equal(yard_reclaim_pages(yard, NULL, 0), 0);
	assert_unchanged();
}

static void double_free(void **state)
{
	(void)state;
	busy_machine();
	assert_refused(yard_free(yard, at.freed, 0), YARD_EDOUBLEFREE);
	assert_refused(yard_free_batch(yard, (struct yard_block[]){ { at.anon, 0 }, { at.freed, 0 } }, 2), YARD_EDOUBLEFREE);
	assert_refused(yard_free_batch(yard, (struct yard_block[]){ { at.anon, 0 }, { at.anon, 0 } }, 2), YARD_EDOUBLEFREE);
	assert_refused(yard_free(yard, at.anon, 1), YARD_ENOTOWNED);
}

static void states_that_cannot_be(void **state)
{
	uint32_t shadow_of_nothing = 5;

	(void)state;
	busy_machine();
	assert_refused(add(at.file), YARD_EINVAL); // twice
	assert_refused(refault(at.file), YARD_EINVAL);
	assert_refused(yard_lru_refault(yard, at.plain, FILE_PAGE, shadow_of_nothing), YARD_EINVAL);
	assert_refused(yard_lru_add(yard, at.plain, 1u << 31, YARD_UNMAPPED), YARD_EINVAL);
	assert_refused(yard_lru_add(yard, at.plain, YARD_PAGE_SWAPCACHE, YARD_UNMAPPED), YARD_EINVAL);
	assert_refused(yard_lru_add(yard, at.plain, FILE_PAGE, (enum yard_mapping)4), YARD_EINVAL);
	assert_refused(yard_lru_add(yard, at.plain, FILE_PAGE, (enum yard_mapping)-1), YARD_EINVAL);
	assert_refused(yard_lru_map(yard, at.file, (enum yard_mapping)4), YARD_EINVAL);
	assert_refused(yard_lru_set(yard, at.file, YARD_PAGE_ACTIVE, true), YARD_EINVAL);
	assert_refused(yard_lru_set(yard, at.file, YARD_PAGE_DIRTY | YARD_PAGE_WRITEBACK, true), YARD_EINVAL);
	assert_refused(yard_lru_set(yard, at.file, YARD_PAGE_SWAPCACHE, true), YARD_EINVAL);
	assert_refused(yard_lru_set(yard, at.file, YARD_PAGE_SWAPBACKED, true), YARD_EINVAL);
	assert_refused(yard_lru_touch(yard, at.anon, 0, true), YARD_EINVAL);
	assert_refused(yard_lru_touch(yard, at.anon, 3, true), YARD_EINVAL);
	assert_refused(touch(at.file), YARD_EINVAL); // not mapped
	assert_refused(end_write(at.file), YARD_EINVAL);
	assert_refused(split_page(at.file), YARD_EINVAL); // not isolated
	assert_refused(yard_lru_split(yard, at.block, 2), YARD_ENOTOWNED);
	assert_refused(yard_lru_split(yard, at.block, 11), YARD_ERANGE);
	assert_int_equal(begin_write(at.file), YARD_OK);
	look();
	assert_refused(begin_write(at.file), YARD_EINVAL);
}

// ---- workers and settings ----

static void nodes_that_are_not_there(void **state)
{
	struct yard_wait wait = { .kind = YARD_WAIT_NONE };
	uint64_t reclaimed = 99;

	(void)state;
	busy_machine();
	assert_refused(yard_compact_node(yard, 1), YARD_ERANGE);
	assert_refused(yard_compact_node(yard, -2), YARD_ERANGE);
	assert_refused(yard_compact_node(yard, INT32_MIN), YARD_ERANGE);
	assert_refused(yard_compact_node(yard, INT32_MAX), YARD_ERANGE);
	assert_refused(yard_node_reclaim_write(yard, 1, "1M", &reclaimed), YARD_ERANGE);
	assert_int_equal(reclaimed, 0);
	yard_kswapd_step(yard, 1, true, &wait);
	assert_int_equal(wait.kind, YARD_WAIT_QUEUE);
	assert_true(wait.timeout_ns == UINT64_MAX);
	yard_kcompactd_step(yard, UINT32_MAX, true, &wait);
	assert_int_equal(wait.kind, YARD_WAIT_QUEUE);
	wait.queue = YARD_QUEUES;
	assert_false(yard_worker_wait(yard, &wait));
	assert_null(yard_kswapd_task(yard, 1));
	yard_kswapd_run(yard, 1, true);
	yard_kswapd_awake(yard, 1, true);
	yard_kswapd_pressure(yard, 1, true);
	yard_kswapd_hopeless(yard, 1, true);
	yard_kswapd_balance_begin(yard, 1, NORMAL);
	yard_kswapd_balance_end(yard, 1, NORMAL);
	assert_false(yard_deferred_init(yard, 1));
	assert_false(yard_unreserve_highatomic(yard, 1, NORMAL, 0, U, true));
	assert_int_equal(yard_kswapd_failures(yard, 1), 0);
	assert_unchanged();
}

static void text_that_the_reclaim_file_does_not_know(void **state)
{
	static const char *const texts[] = { "", " ", "x", "-1", "1X", "1M x", "1M swappiness", "1M swappiness=",
					     "1M swappiness=201",
					     "1M swappiness=-1", "1M swappiness=minimum", "1M swappiness=60 swappiness=60",
					     "swappiness=60", "1Mswappiness=60", "18446744073709551616", "99999999999E", "1 M" };
	uint64_t reclaimed = 99;

	(void)state;
	busy_machine();
	for (size_t i = 0; i < COUNT(texts); i++) {
		if (yard_node_reclaim_write(yard, 0, texts[i], &reclaimed) != YARD_EINVAL)
			fail_msg("\"%s\" is taken", texts[i]);
		assert_unchanged();
	}
	assert_refused(yard_node_reclaim_write(yard, 0, NULL, NULL), YARD_EINVAL);
	assert_int_equal(reclaimed, 0);
	assert_int_equal(yard_node_reclaim_write(yard, 0, " 0k swappiness=max\n", NULL), YARD_OK);
}

static void settings_out_of_range(void **state)
{
	(void)state;
	busy_machine();
	assert_refused(yard_set_swappiness(yard, 201), YARD_EINVAL);
	assert_refused(yard_set_compaction_proactiveness(yard, 101), YARD_EINVAL);
	assert_refused(yard_set_defrag_mode(yard, 2), YARD_EINVAL);
	assert_refused(yard_forbid_gfp(yard, YARD_GFP_MOVABLE), YARD_EINVAL);
	assert_int_equal(yard_get_node_stat(yard, 1, YARD_NODE_FILE_PAGES), 0);
	assert_int_equal(yard_get_node_stat(yard, 0, YARD_NODE_STATS), 0);
	assert_int_equal(yard_get_vm_event(yard, YARD_VM_EVENTS), 0);
	assert_string_equal(yard_node_stat_name(YARD_NODE_STATS), "?");
	assert_string_equal(yard_vm_event_name(YARD_VM_EVENTS), "?");
	yard_mod_node_stat(yard, 1, YARD_NODE_FILE_PAGES, 1);
	yard_mod_node_stat(yard, 0, YARD_NODE_STATS, 1);
	yard_count_vm_event(yard, YARD_VM_EVENTS, 1);
	assert_unchanged();
	assert_int_equal(yard_set_swappiness(yard, 200), YARD_OK);
	assert_int_equal(yard_set_compaction_proactiveness(yard, 100), YARD_OK);
}

static void lists_that_are_not_there(void **state)
{
	(void)state;
	busy_machine();
	assert_int_equal(yard_lru_next(yard, 1, YARD_LRU_INACTIVE_ANON, NONE), NONE);
	assert_int_equal(yard_lru_next(yard, 0, YARD_LRU_LISTS, NONE), NONE);
	assert_int_equal(yard_lru_next(yard, 0, YARD_LRU_UNEVICTABLE, NONE), NONE);
	assert_int_equal(yard_lru_next(yard, 0, YARD_LRU_INACTIVE_ANON, 5), NONE);
	assert_int_equal(yard_lru_next(yard, 0, YARD_LRU_INACTIVE_ANON, BASE + 8192), NONE);
	assert_int_equal(yard_free_list_next(yard, NORMAL, 0, M, BASE + 8192), NONE);
	assert_int_equal(yard_pcp_list_next(yard, NORMAL, 0, 0, 5), NONE);
	assert_int_equal(yard_lru_size(yard, 1, YARD_LRU_INACTIVE_ANON, NORMAL), 0);
	assert_int_equal(yard_lru_size(yard, 0, YARD_LRU_LISTS, NORMAL), 0);
	assert_int_equal(yard_lru_size(yard, 0, YARD_LRU_UNEVICTABLE, 99), 1);
	assert_unchanged();
}

// More swap than any machine has is as good as no limit.
static void swap_without_end(void **state)
{
	uint64_t most;

	(void)state;
	busy_machine();
	yard_set_swap(yard, 10, 11);
	assert_int_equal(yard_swap_available(yard), 10);
	yard_swap_free(yard, UINT64_MAX);
	assert_int_equal(yard_swap_available(yard), 10);
	yard_set_swap(yard, UINT64_MAX, UINT64_MAX);
	most = yard_swap_available(yard);
	assert_true(most > 1ull << 60);
	yard_swap_free(yard, UINT64_MAX);
	assert_true(yard_swap_available(yard) == most);
	assert_verified();
}

static void bad_configurations(void **state)
{
	const struct yard_range good = { BASE, BASE + 8192, 0 };
	struct yard_config configs[8], fine = plain_config();
	struct yard *out = NULL;
	unsigned n = 0;

	(void)state;
	fine.memory = &good;
	fine.nr_memory = 1;
	for (size_t i = 0; i < COUNT(configs); i++)
		configs[i] = fine;
	configs[n++].swappiness = 201;
	configs[n++].extfrag_threshold = 1001;
	configs[n++].compaction_proactiveness = 101;
	configs[n++].panic_on_oom = 3;
	configs[n++].dirty_ratio = 101;
	configs[n++].min_unmapped_ratio = 101;
	configs[n++].min_slab_ratio = 101;
	configs[n++].hz = 1000001;
	for (unsigned i = 0; i < n; i++) {
		int error = YARD_OK;

		if (yard_size(&configs[i], &error) || error != YARD_EINVAL)
			fail_msg("yard_size() accepts configuration %u", i);
	}
	assert_int_equal(yard_init(NULL, SIZE_MAX, &fine, &out), YARD_EINVAL);
	assert_null(out);
	busy_machine();
	assert_null(yard_copy(NULL, SIZE_MAX, yard));
}

static void restoring_allocated_frames_checks_first(void **state)
{
	(void)state;
	blank(8192);
	give_free(8, 3);
	ready();
	look();
	assert_refused(yard_restore_allocated(yard, base, 16, true), YARD_EDOUBLEFREE);
	assert_refused(yard_restore_allocated(yard, base, 8193, true), YARD_ERANGE);
	assert_refused(yard_restore_allocated(yard, base, UINT32_MAX, true), YARD_ERANGE);
}

// ---- shrinkers ----

static int64_t count_none(void *context, unsigned node, uint32_t gfp)
{
	(void)node, (void)gfp;
	++*(unsigned *)context;
	return YARD_SHRINK_EMPTY;
}

static int64_t scan_none(void *context, unsigned node, uint32_t gfp, uint64_t *nr, uint64_t *pages)
{
	(void)context, (void)node, (void)gfp, (void)pages;
	*nr = 0;
	return YARD_SHRINK_STOP;
}

static void shrinkers(void **state)
{
	unsigned asked = 0;
	struct yard_shrinker good = { .count = count_none, .scan = scan_none, .context = &asked };
	struct yard_shrinker no_count = good, no_scan = good;

	(void)state;
	no_count.count = NULL;
	no_scan.scan = NULL;
	busy_machine();
	assert_refused(yard_add_shrinker(yard, NULL), YARD_EINVAL);
	assert_refused(yard_add_shrinker(yard, &no_count), YARD_EINVAL);
	assert_refused(yard_add_shrinker(yard, &no_scan), YARD_EINVAL);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(yard_add_shrinker(yard, &good), YARD_OK);
	look();
	assert_refused(yard_add_shrinker(yard, &good), YARD_ENOMEM);
	assert_int_equal(yard_drop_slab(yard), 0);
	assert_int_equal(asked, 16);
}

// ---- pressure, locks ----

static void pressure(void **state)
{
	struct yard_task task = { .pid = 1 };
	struct yard_psi psi;

	(void)state;
	busy_machine();
	assert_refused(yard_psi_task(yard, &task, 1, YARD_PSI_ON_CPU), YARD_ERANGE);
	assert_refused(yard_psi_task(yard, &task, 0, 8), YARD_EINVAL);
	assert_refused(yard_psi_set_group(yard, &task, YARD_PSI_GROUPS), YARD_ERANGE);
	assert_refused(yard_psi_get(yard, YARD_PSI_GROUPS, &psi), YARD_ERANGE);
	assert_refused(yard_psi_trigger_add(yard, YARD_PSI_GROUPS, YARD_PSI_SOME, 1, 1000000, true), YARD_ERANGE);
	assert_refused(yard_psi_trigger_add(yard, 0, YARD_PSI_STALLS, 1, 1000000, true), YARD_EINVAL);
	assert_refused(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 0, 1000000, true), YARD_EINVAL);
	assert_refused(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1000001, 1000000, true), YARD_EINVAL);
	assert_refused(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 0, true), YARD_EINVAL);
	assert_refused(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 10000001, true), YARD_EINVAL);
	assert_refused(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 1000000, false), YARD_EINVAL);
	yard_psi_trigger_remove(yard, -1);
	yard_psi_trigger_remove(yard, YARD_PSI_TRIGGERS);
	assert_false(yard_psi_trigger_poll(yard, -1));
	assert_false(yard_psi_trigger_poll(yard, YARD_PSI_TRIGGERS));
	assert_unchanged();
	assert_int_equal(task.psi_group, 0);
	for (int i = 0; i < YARD_PSI_TRIGGERS; i++)
		assert_int_equal(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 2000000, false), i);
	look();
	assert_refused(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 2000000, false), YARD_ENOMEM);
}

static void lock_checker(void **state)
{
	const struct yard_lockcheck_config config = { .classes = 1 }, huge = { .edges = UINT32_MAX };
	size_t size = yard_lockcheck_size(&config);
	struct yard_lockcheck *checker;
	struct yard_task task = { .pid = 1 };
	char *memory = zeroed(size + 64);

	(void)state;
	busy_machine();
	assert_int_equal(yard_lockcheck_size(&huge), 0);
	assert_null(yard_lockcheck_init(NULL, size, &config));
	assert_null(yard_lockcheck_init(memory, size - 1, &config));
	assert_null(yard_lockcheck_init(memory + 8, size, &config));
	assert_null(yard_lockcheck_init(memory, size, &huge));
	checker = yard_lockcheck_init(memory, size, &config);
	assert_non_null(checker);
	assert_refused(yard_lock_acquired(yard, 7, 9, YARD_LOCK_WRITE, ""), YARD_OK); // no checker yet
	yard_lockcheck_attach(yard, checker);
	assert_int_equal(yard_lock_class(checker, "one"), 0);
	assert_int_equal(yard_lock_class(checker, "two"), YARD_ENOMEM);
	assert_int_equal(yard_lock_acquired(yard, 0, 0, YARD_LOCK_WRITE, ""), YARD_EINVAL); // no task
	yard_set_current(yard, &task);
	assert_int_equal(yard_lock_acquired(yard, 1, 0, YARD_LOCK_WRITE, ""), YARD_EINVAL);
	assert_int_equal(yard_lock_acquired(yard, 0, YARD_LOCK_SUBCLASSES, YARD_LOCK_WRITE, ""), YARD_EINVAL);
	assert_int_equal(yard_lock_acquired(yard, 0, 0, (enum yard_lock_kind)3, ""), YARD_EINVAL);
	assert_int_equal(yard_lock_released(yard, 0, 0), YARD_EINVAL);
	assert_int_equal(yard_lock_acquired(yard, 0, 0, YARD_LOCK_WRITE, ""), YARD_OK);
	assert_int_equal(yard_lock_released(yard, 0, 0), YARD_OK);
	yard_set_current(yard, NULL);
	yard_lockcheck_attach(yard, NULL);
	assert_verified();
	free(memory);
}

// ---- callbacks that are missing ----

#define CALLBACK(name) { #name, offsetof(struct yard_owner_ops, name) }
static const struct callback {
	const char *name;
	size_t offset;
} callbacks[] = {
	CALLBACK(node_reclaim), CALLBACK(node_dirty), CALLBACK(charge), CALLBACK(may_move), CALLBACK(unmap_for_move),
	CALLBACK(flush), CALLBACK(move), CALLBACK(undo_unmap), CALLBACK(referenced), CALLBACK(unmap), CALLBACK(swap_slot),
	CALLBACK(split), CALLBACK(swap_release), CALLBACK(write_out), CALLBACK(release), CALLBACK(wake_flusher),
	CALLBACK(local_page), CALLBACK(local_home), CALLBACK(oom_notify), CALLBACK(oom_next), CALLBACK(oom_kill), CALLBACK(oom_reap), CALLBACK(oom_skip),
	CALLBACK(oom_panic),
};
_Static_assert(sizeof(callbacks) / sizeof(callbacks[0]) == offsetof(struct yard_owner_ops, context) / sizeof(void *),
	       "a callback is not listed");

static uint64_t no_reclaim(void *context, unsigned node, uint32_t gfp, unsigned order)
{
	(void)context, (void)node, (void)gfp, (void)order;
	return 0;
}

static void no_dirty(void *context, unsigned node, uint64_t *dirty, uint64_t *file_lru)
{
	(void)context, (void)node;
	*dirty = *file_lru = 0;
}

static bool charge_it(void *context, uint32_t pfn, unsigned order, uint32_t gfp)
{
	(void)context, (void)pfn, (void)order, (void)gfp;
	return true;
}

static int never_referenced(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)pfn, (void)order;
	return 0;
}

static void note_page(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)pfn, (void)order;
}

static bool no_split(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)pfn, (void)order;
	return false;
}

static uint64_t notify(void *context)
{
	(void)context;
	return 0;
}

static bool reap(void *context, uint64_t id)
{
	(void)context, (void)id;
	return true;
}

static void skip_task(void *context, uint64_t id)
{
	(void)context, (void)id;
}

static void panic(void *context, const struct yard_oom *oom)
{
	(void)context, (void)oom;
}

static struct yard_owner_ops complete_owner(void)
{
	struct yard_owner_ops ops = owner();

	ops.node_reclaim = no_reclaim;
	ops.node_dirty = no_dirty;
	ops.charge = charge_it;
	ops.undo_unmap = note_page;
	ops.referenced = never_referenced;
	ops.split = no_split;
	ops.swap_release = note_page;
	ops.oom_notify = notify;
	ops.oom_reap = reap;
	ops.oom_skip = skip_task;
	ops.oom_panic = panic;
	return ops;
}

static void work_of_the_workers(void)
{
	struct yard_wait wait;

	for (unsigned i = 0; i < 50; i++) {
		yard_kswapd_step(yard, 0, true, &wait);
		yard_kcompactd_step(yard, 0, true, &wait);
		yard_oom_reaper_step(yard, true, &wait);
	}
}

// Memory full of pages of all kinds in a mixture that leaves no whole pageblock, then requests for more.
static void too_many_requests(struct yard_config config)
{
	static const uint32_t kinds[] = { FILE_PAGE, FILE_PAGE | YARD_PAGE_DIRTY, ANON_PAGE, SHMEM_PAGE | YARD_PAGE_DIRTY,
					  ANON_PAGE | YARD_PAGE_DIRTY, YARD_PAGE_ANON };
	struct yard_request request = { .gfp = GFP_M | YARD_GFP_ACCOUNT | YARD_GFP_WRITE, .node = -1, .max_rounds = 20 };
	struct yard_result result;
	unsigned failed = 0;

	build_normal(config, 8192);
	yard_set_event_sink(yard, NULL, NULL, false);
	yard_set_swap(yard, 5000, 5000);
	for (uint32_t i = 0; i < 9000 && failed < 10; i++) {
		if (yard_alloc_request(yard, &request, &result)) {
			failed++;
			continue;
		}
		if (i % 16 == 15)
			yard_free(yard, result.pfn, 0);
		else
			yard_lru_add(yard, result.pfn, kinds[i % COUNT(kinds)], i % 4 ? YARD_UNMAPPED : YARD_MAPPED);
	}
	request.order = YARD_PAGEBLOCK_ORDER;
	for (unsigned i = 0; i < 4; i++) {
		yard_alloc_request(yard, &request, &result);
		work_of_the_workers();
	}
	yard_compact_node(yard, -1);
	yard_set_lru_gen(yard, true);
	request = (struct yard_request){ .gfp = GFP_U, .node = -1, .max_rounds = 20 };
	for (unsigned i = 0; i < 9000 && failed < 30; i++)
		failed += yard_alloc_request(yard, &request, &result) != YARD_OK;
	work_of_the_workers();
	assert_verified();
}

static void each_callback_may_be_missing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(callbacks); i++) {
		struct yard_config config = plain_config();

		forget_world();
		config.owner = complete_owner();
		config.zone_reclaim_mode = 7;
		memset((char *)&config.owner + callbacks[i].offset, 0, sizeof(void *));
		too_many_requests(config);
		if (!config.owner.move)
			assert_int_equal(vm(YARD_VM_PGMIGRATE_SUCCESS) + vm(YARD_VM_COMPACT_MIGRATE_SCANNED), 0);
		else if (config.owner.release && vm(YARD_VM_PGMIGRATE_SUCCESS) == 0) // else there is no room to move to
			fail_msg("nothing moves without %s", callbacks[i].name);
		if (!config.owner.release)
			assert_int_equal(node_counter(YARD_NODE_PGSTEAL_DIRECT) + node_counter(YARD_NODE_PGSTEAL_KSWAPD), 0);
		else if (node_counter(YARD_NODE_PGSTEAL_DIRECT) + node_counter(YARD_NODE_PGSTEAL_KSWAPD) == 0)
			fail_msg("nothing is reclaimed without %s", callbacks[i].name);
		if (!config.owner.write_out)
			assert_int_equal(vm(YARD_VM_PSWPOUT), 0);
		if (!config.owner.oom_next || !config.owner.oom_kill)
			assert_int_equal(vm(YARD_VM_OOM_KILL), 0);
	}
}

static void no_callback_at_all(void **state)
{
	(void)state;
	forget_world();
	too_many_requests(plain_config());
	assert_int_equal(vm(YARD_VM_PGMIGRATE_SUCCESS), 0);
	assert_int_equal(yard_compact_node(yard, 0), YARD_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_that_are_no_pages),
		cmocka_unit_test(double_free),
		cmocka_unit_test(states_that_cannot_be),
		cmocka_unit_test(nodes_that_are_not_there),
		cmocka_unit_test(text_that_the_reclaim_file_does_not_know),
		cmocka_unit_test(settings_out_of_range),
		cmocka_unit_test(lists_that_are_not_there),
		cmocka_unit_test(swap_without_end),
		cmocka_unit_test(bad_configurations),
		cmocka_unit_test(restoring_allocated_frames_checks_first),
		cmocka_unit_test(shrinkers),
		cmocka_unit_test(pressure),
		cmocka_unit_test(lock_checker),
		cmocka_unit_test(each_callback_may_be_missing),
		cmocka_unit_test(no_callback_at_all),
	};

	return cmocka_run_group_tests_name("api_errors", tests, NULL, drop_copy);
}
