// SPDX-License-Identifier: Apache-2.0
//
// A scripted mixed load, run again and again: in the n-th run the n-th callback of the owner fails. It ends when a run has
// fewer callbacks than that. After every run the invariants hold and no page is lost.

#include "mm_fixture.h"

enum { BLOCKS = 6, SCRIPT_PAGES = BLOCKS * BLOCK };

static uint32_t held[SCRIPT_PAGES];
static size_t nr_held;

static int forget_all(void **state)
{
	forget_world();
	return demolish(state);
}

static void drop(uint32_t pfn) // reclaimed: it is nobody's any more
{
	for (size_t i = 0; i < nr_held; i++)
		if (held[i] == pfn) {
			held[i] = held[--nr_held];
			return;
		}
	fail_msg("frame %u was reclaimed but not held", pfn);
}

static bool release(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	if (!owner_release(context, pfn, order, shadow))
		return false;
	drop(pfn);
	return true;
}

static enum yard_move_result move(void *context, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	enum yard_move_result result = owner_move(context, from, to, order, mode);

	for (size_t i = 0; result == YARD_MOVE_DONE && i < nr_held; i++)
		if (held[i] == from) {
			held[i] = to;
			return result;
		}
	assert_int_not_equal(result, YARD_MOVE_DONE);
	return result;
}

static void build_load(const char *policy)
{
	struct yard_config config = plain_config();

	config.policy = policy_of(policy);
	config.owner = owner();
	config.owner.release = release;
	config.owner.move = move;
	build_normal(config, BLOCKS * BLOCK);
	yard_set_event_sink(yard, NULL, NULL, false);
	yard_set_swap(yard, SCRIPT_PAGES, SCRIPT_PAGES);
	yard_kswapd_run(yard, 0, true);
	nr_held = 0;
}

static bool take(uint32_t gfp, unsigned order, uint32_t lru_flags)
{
	const struct yard_request r = { .gfp = gfp, .order = (uint8_t)order, .node = -1, .max_rounds = 200 };
	struct yard_result result;

	yard_alloc_request(yard, &r, &result);
	assert_true(result.rounds <= 200);
	if (result.pfn == NONE)
		return false;
	if (order) {
		assert_int_equal(yard_free(yard, result.pfn, order), YARD_OK);
		return true;
	}
	held[nr_held++] = result.pfn;
	if (gfp & YARD_GFP_MOVABLE)
		assert_int_equal(yard_lru_add(yard, result.pfn, lru_flags, YARD_MAPPED), YARD_OK);
	return true;
}

static void run_workers(void)
{
	struct yard_wait wait;

	for (unsigned i = 0; i < 30; i++) {
		yard_kswapd_step(yard, 0, i == 0, &wait);
		if (wait.kind == YARD_WAIT_QUEUE)
			yard->host.now_ns += wait.timeout_ns < 1000000000 ? wait.timeout_ns : 1000000000;
	}
	for (unsigned i = 0; i < 10; i++) {
		yard_kcompactd_step(yard, 0, i == 0, &wait);
		if (wait.kind == YARD_WAIT_QUEUE)
			yard->host.now_ns += wait.timeout_ns < 1000000000 ? wait.timeout_ns : 1000000000;
	}
}

// Fills memory with pages of all kinds, punches holes, then asks for what is not there: whole blocks, unmovable pages,
// more than there is, while the workers run now and then.
static void script(void)
{
	static const uint32_t kinds[] = { ANON_PAGE, ANON_PAGE | YARD_PAGE_DIRTY, FILE_PAGE, SHMEM_PAGE | YARD_PAGE_DIRTY };

	for (unsigned i = 0; i < SCRIPT_PAGES - 500; i++)
		take(i % 16 == 7 ? GFP_U : GFP_M, 0, kinds[i % 4]);
	yard_lru_drain_all(yard);
	for (size_t i = nr_held; i-- > 0;)
		if (i % 9 == 0) {
			uint32_t pfn = held[i];

			held[i] = held[--nr_held];
			assert_int_equal(yard_free(yard, pfn, 0), YARD_OK);
		}
	yard_drain_all(yard, -1);
	take(YARD_GFP_TRANSHUGE | YARD_GFP_RETRY_MAYFAIL, YARD_PAGEBLOCK_ORDER, 0);
	take(GFP_U, 3, 0);
	run_workers();
	for (unsigned i = 0; i < 700 && nr_held < SCRIPT_PAGES; i++)
		take(i % 4 == 3 ? GFP_M : GFP_U, 0, kinds[i % 4]);
	run_workers();
	for (size_t i = 0; i < 40 && i < nr_held; i++)
		yard_reclaim_pages(yard, &(uint32_t){ held[i] }, 1);
	yard_node_reclaim_write(yard, 0, "128K", NULL);
	take(YARD_GFP_TRANSHUGE | YARD_GFP_RETRY_MAYFAIL, YARD_PAGEBLOCK_ORDER, 0);
	finish_writes();
}

static void check_all(uint64_t n)
{
	struct yard_zone_state zone;
	char text[256];

	yard_lru_drain_all(yard);
	yard_drain_all(yard, -1);
	if (yard_verify(yard, text, sizeof text))
		fail_msg("callback %" PRIu64 " failed: %s", n, text);
	assert_int_equal(yard_get_zone(yard, NORMAL, &zone), YARD_OK);
	if ((uint64_t)zone.stat[YARD_NR_FREE_PAGES] + nr_held != zone.managed)
		fail_msg("callback %" PRIu64 " failed: %" PRIu64 " managed, %" PRId64 " free, %zu held", n, zone.managed,
			 zone.stat[YARD_NR_FREE_PAGES], nr_held);
}

// PAGEYARD_NTH_STEP=N tries every N-th n only, for builds that are slow.
static void run_loop(const char *policy)
{
	const char *text = getenv("PAGEYARD_NTH_STEP");
	uint64_t step = text ? strtoull(text, NULL, 10) : 1, n = 0, runs = 0;

	assert_true(step > 0);
	for (;; n += n < 60 ? 1 : step) {
		bool failed;

		forget_world();
		world.fail_call = n;
		build_load(policy);
		script();
		check_all(n);
		failed = world.failed;
		runs++;
		if (n && !failed)
			break;
	}
	print_message("# %s: %" PRIu64 " runs, the last had %" PRIu64 " callbacks\n", policy, runs, world.all_calls);
	assert_true(n > 1000);
}

static void every_callback_fails_once(void **state)
{
	(void)state;
	run_loop("linux-7.3,defrag_mode=1");
	run_loop("linux-7.3,defrag_mode=1,lru_gen=on");
	run_loop("vanilla");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_callback_fails_once, forget_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
