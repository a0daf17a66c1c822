// SPDX-License-Identifier: Apache-2.0
//
// Spec 02 section 11: what must hold of every call, checked from the events of random requests under every named policy
// and every single value of every switch. Each check names its invariant; a failure prints the policy.

#include "spec02_fixture.h"

enum { RUN_CALLS = 200, KEPT_MAX = 4096, ROUNDS_MAX = 150, BLOCKS = 12 };

static struct mix {
	uint32_t kept[KEPT_MAX]; // pages that nobody else frees
	uint8_t order[KEPT_MAX];
	size_t nr_kept;
	const char *policy;
	uint64_t hash;		// of all events
	uint64_t slow_calls, polluted, captured;
} mix;

#define require(condition)                                                                                           \
	do {                                                                                                         \
		if (!(condition)) {                                                                                  \
			print_error("policy %s\n", mix.policy);                                                      \
			assert_true(condition);                                                                      \
		}                                                                                                    \
	} while (0)

// ---- the machine ----

static void hash(uint64_t value)
{
	mix.hash = (mix.hash ^ value) * 0x100000001b3;
}

static void record_and_hash(void *context, const struct yard_event *e)
{
	if (e->kind < YARD_EVENT_STEPS) {
		hash(e->kind);
		hash((uint64_t)e->order << 16 | (uint64_t)e->migratetype << 8 | e->zone);
		hash(e->pfn);
		hash((uint32_t)e->a);
		hash((uint32_t)e->b);
		hash((uint32_t)e->c);
		for (unsigned i = 0; i < e->nr_args; i++)
			hash((uint64_t)e->args[i]);
	}
	record_args(context, e);
}

static void free_kept(size_t index)
{
	uint32_t pfn = mix.kept[index];
	unsigned order = mix.order[index];

	mix.nr_kept--;
	mix.kept[index] = mix.kept[mix.nr_kept];
	mix.order[index] = mix.order[mix.nr_kept];
	require(yard_free(yard, pfn, order) == YARD_OK);
}

static void keep(uint32_t pfn, unsigned order, bool movable)
{
	static const uint32_t kinds[] = { ANON_PAGE, FILE_PAGE, SHMEM_PAGE };

	if (movable) { // from here on reclaim's
		uint32_t flags = kinds[random_below(3)] | (random_below(200) ? 0 : YARD_PAGE_PINNED);

		require(yard_lru_add(yard, pfn, flags, (enum yard_mapping)random_below(3)) == YARD_OK);
		return;
	}
	require(mix.nr_kept < KEPT_MAX);
	mix.kept[mix.nr_kept] = pfn;
	mix.order[mix.nr_kept++] = (uint8_t)order;
}

static void kill_hog(void *context, uint64_t id, const struct yard_oom *asked)
{
	(void)context, (void)id, (void)asked;
	world.kills++;
	for (size_t n = mix.nr_kept / 2; n; n--)
		free_kept(random_below((uint32_t)mix.nr_kept));
}

static void build_mix(const char *policy)
{
	struct yard_config config = owned_config(policy);

	mix = (struct mix){ .policy = policy, .hash = 0xcbf29ce484222325 };
	memset(&world, 0, sizeof world);
	random_state = 7;
	config.owner.oom_kill = kill_hog;
	config.user_min_free_kbytes = 200;
	config.exact_counters = true;
	build_normal(config, BLOCKS * BLOCK);
	listen();
	yard_set_event_sink(yard, record_and_hash, NULL, true);
	yard_set_swap(yard, 20000, 20000);
	world.fail_every[CALL_MOVE] = 11;
	world.fail_every[CALL_RELEASE] = 7;
	world.fail_every[CALL_UNMAP] = 13;
}

// ---- what a call did ----

struct init { // since the last INIT
	size_t reclaims, compactions, rounds_with_nofragment;
};

struct call {
	const struct yard_request *request;
	uint64_t kills, reserved;
	bool movable;
};

static bool leaves(const struct yard_event *e, enum yard_slow_state state)
{
	return e->kind == YARD_EVENT_WHY_RETRY && e->a == (int32_t)state;
}

static bool beyond_reclaim(const struct yard_event *e) // only states after LOOPGATE show it
{
	return e->kind == YARD_EVENT_RECLAIM_RETRY_ZONE || e->kind == YARD_EVENT_COMPACT_RETRY
	       || (e->kind == YARD_EVENT_WHY_RETRY && e->a >= YARD_SLOW_LOOPGATE && e->a <= YARD_SLOW_OOM);
}

static void check_promotion(const struct yard_event *e) // I-8
{
	unsigned order = e->order, rco = (unsigned)e->b, block = order > 9 ? order : 9;

	require(rco == order || rco == block);
	if (!(e->a & ALLOC_NOFRAGMENT) || e->migratetype == M || !yard->policy.promote_nonmovable)
		require(rco == order);
	else
		require(rco == block);
}

// I-5, for promoted requests under the bounded rules. A round that only compacts (SP-20) is one more.
static void check_bound(const struct call *call, const struct init *init)
{
	const struct yard_policy *policy = &yard->policy;

	if (policy->promoted_retry == YARD_RETRY_BOUNDED && policy->promote_nonmovable && !call->movable
	    && policy->nofrag_drop == YARD_NOFRAG_DROP_ONCE && call->request->order <= YARD_COSTLY_ORDER)
		require(init->rounds_with_nofragment <= 50 + call->reserved + !!call->request->order);
}

// I-3, I-13.
static void check_init(const struct call *call, const struct init *init)
{
	if (call->request->gfp & YARD_GFP_NORETRY) {
		require(init->reclaims <= 1);
		require(init->compactions <= 2);
	}
	check_bound(call, init);
}

struct walk { // of the events of one call
	unsigned flags;	   // of the last attempt
	bool dropped;	   // sites 4, 5
	size_t attempts;
	bool compacting;
};

// I-1: which site of 2.6 let the last attempt fall back?
static void check_pollution(const struct walk *w)
{
	const unsigned reserves = ALLOC_NO_WATERMARKS | ALLOC_OOM;

	mix.polluted++;
	if (!yard->policy.defrag_mode)
		return;
	require(!(w->flags & ALLOC_NOFRAGMENT));
	require(w->flags & reserves					   // 3, 7
		|| w->dropped						   // 4, 5
		|| w->flags == (ALLOC_WMARK_HIGH | ALLOC_CPUSET)	   // 6
		|| (w->flags & ~(unsigned)ALLOC_CPUSET) == ALLOC_MIN_RESERVE); // 7
}

static void check_nonblocking(const struct call *call, const struct walk *w) // I-2
{
	if (call->request->gfp & YARD_GFP_DIRECT_RECLAIM)
		return;
	require(w->attempts <= 4);
	require(!count_events(YARD_EVENT_DIRECT_RECLAIM_BEGIN));
	require(!count_events(YARD_EVENT_TRY_TO_COMPACT_PAGES));
	require(world.kills == call->kills);
}

static void check_kills(const struct call *call) // I-4
{
	if (call->request->gfp & (YARD_GFP_RETRY_MAYFAIL | YARD_GFP_THISNODE | YARD_GFP_DMA32)
	    || call->request->order > YARD_COSTLY_ORDER)
		require(world.kills == call->kills);
}

static void check_call(const struct call *call)
{
	struct walk w = { 0 };
	struct init init = { 0 };

	for (size_t i = 0; i < nr_events; i++) {
		const struct yard_event *e = &events[i];

		if (e->kind == YARD_EVENT_WHY_ATTEMPT) {
			w.flags = (unsigned)e->a;
			w.attempts++;
		}
		w.dropped |= leaves(e, YARD_SLOW_DROP) || (leaves(e, YARD_SLOW_NORECLAIM) && e->b == YARD_SLOW_RETRY);
		init.reclaims += e->kind == YARD_EVENT_DIRECT_RECLAIM_BEGIN;
		init.compactions += e->kind == YARD_EVENT_TRY_TO_COMPACT_PAGES;
		if (e->kind == YARD_EVENT_WHY_SLOWPATH) {
			check_promotion(e);
			init.rounds_with_nofragment += !!(e->a & ALLOC_NOFRAGMENT);
		}
		if (beyond_reclaim(e) && !(e->kind == YARD_EVENT_WHY_RETRY && e->b == YARD_SLOW_NOPAGE))
			require(init.reclaims); // I-13
		if (e->kind == YARD_EVENT_COMPACTION_BEGIN || e->kind == YARD_EVENT_COMPACTION_END)
			w.compacting = e->kind == YARD_EVENT_COMPACTION_BEGIN;
		if (e->kind == YARD_EVENT_PAGE_ALLOC_EXTFRAG && w.compacting) // CP-4: captured
			require(e->a == e->order && e->order == call->request->order);
		else if (e->kind == YARD_EVENT_PAGE_ALLOC_EXTFRAG && e->a < YARD_PAGEBLOCK_ORDER)
			check_pollution(&w);
		if (e->kind == YARD_EVENT_WHY_RETRY && e->b == YARD_SLOW_INIT) {
			check_init(call, &init);
			init = (struct init){ 0 };
		}
	}
	check_init(call, &init);
	check_nonblocking(call, &w);
	check_kills(call);
}

static void check_counters(void) // I-6, I-7
{
	int64_t blocks = 0, free = 0;

	require(vm(YARD_VM_COMPACT_STALL) == vm(YARD_VM_COMPACT_SUCCESS) + vm(YARD_VM_COMPACT_FAIL));
	for (unsigned order = YARD_PAGEBLOCK_ORDER; order <= YARD_MAX_PAGE_ORDER; order++)
		for (unsigned type = 0; type < YARD_ISOLATE; type++)
			for (uint32_t pfn = yard_free_list_next(yard, NORMAL, order, type, NONE); pfn != NONE;
			     pfn = yard_free_list_next(yard, NORMAL, order, type, pfn))
				blocks += 1 << order;
	free = nr_free_pages(NORMAL);
	require(zone_state(NORMAL).stat[YARD_NR_FREE_PAGES_BLOCKS] == blocks);
	require(blocks % BLOCK == 0 && blocks <= free);
}

// ---- the calls ----

static void random_request(struct yard_request *r)
{
	static const uint32_t kinds[] = {
		GFP_U, GFP_U, GFP_R, GFP_M, GFP_M, YARD_GFP_ATOMIC, YARD_GFP_NOWAIT, YARD_GFP_NOFS, YARD_GFP_NOIO,
		YARD_GFP_TRANSHUGE,
		YARD_GFP_TRANSHUGE_LIGHT, YARD_GFP_HIGH | YARD_GFP_NOWARN,
	};
	static const uint32_t modifiers[] = {
		YARD_GFP_NORETRY, YARD_GFP_RETRY_MAYFAIL, YARD_GFP_MEMALLOC, YARD_GFP_NOMEMALLOC, YARD_GFP_THISNODE,
		YARD_GFP_NOFAIL,
	};
	static const unsigned tasks[] = { YARD_TASK_MEMALLOC, YARD_TASK_OOM_VICTIM, YARD_TASK_REALTIME, YARD_TASK_INTERRUPT,
					  YARD_TASK_SIGNAL, YARD_TASK_WORKER };

	*r = (struct yard_request){ .gfp = kinds[random_below(COUNT(kinds))], .node = -1, .max_rounds = ROUNDS_MAX };
	if (!random_below(4))
		r->gfp |= modifiers[random_below(COUNT(modifiers))];
	if (!random_below(10))
		r->task = (uint16_t)tasks[random_below(COUNT(tasks))];
	r->order = (uint8_t)(random_below(10) < 6 ? 0 : random_below(10) < 7 ? random_below(4) : random_below(11));
}

static bool movable(uint32_t gfp)
{
	return gfp & YARD_GFP_MOVABLE;
}

static void one_call(struct yard_task *task)
{
	struct yard_request r;
	struct yard_result result;
	struct call call;

	random_request(&r);
	forget_events();
	call = (struct call){ .request = &r, .kills = world.kills, .movable = movable(r.gfp),
			      .reserved = zone_state(NORMAL).nr_reserved_highatomic / BLOCK };
	yard_alloc_request(yard, &r, &result);
	require(!task->capture); // I-9
	require(result.rounds <= ROUNDS_MAX);
	check_call(&call);
	check_counters();
	mix.slow_calls += result.rounds > 0;
	mix.captured += result.path == YARD_PATH_CAPTURE && result.pfn != NONE;
	if (result.pfn != NONE)
		keep(result.pfn, r.order, call.movable);
}

static void something_else(unsigned what)
{
	struct yard_wait wait;

	forget_events();
	if (what < 2 && mix.nr_kept)
		free_kept(random_below((uint32_t)mix.nr_kept));
	else if (what == 4)
		yard_kswapd_step(yard, 0, random_below(2), &wait);
	else if (what == 5)
		yard_kcompactd_step(yard, 0, random_below(2), &wait);
	else if (what == 6)
		yard->host.now_ns += 50000000;
}

static int outside_compaction; // I-9: records that were published where nobody compacts directly

static void watch_records(const struct yard_event *e)
{
	if (e->kind == YARD_EVENT_WHY_ATTEMPT || e->kind == YARD_EVENT_DIRECT_RECLAIM_BEGIN
	    || e->kind == YARD_EVENT_PAGE_ALLOC || e->kind == YARD_EVENT_RECLAIM_RETRY_ZONE || e->kind == YARD_EVENT_BALANCE_PGDAT_BEGIN)
		outside_compaction += yard->nr_captures != 0;
}

// Until the fast path fails: three movable pages to each other one.
static void fill(void)
{
	uint32_t pfn;
	bool other;

	do {
		other = !random_below(4) && mix.nr_kept < KEPT_MAX / 2;
		pfn = yard_alloc(yard, other ? YARD_GFP_NOWARN : YARD_GFP_NOWARN | YARD_GFP_MOVABLE, 0);
		if (pfn != NONE)
			keep(pfn, 0, !other);
		forget_events();
	} while (pfn != NONE);
}

static uint64_t run_mix(const char *policy)
{
	struct yard_task task = { .pid = 1 };

	build_mix(policy);
	on_event = watch_records;
	outside_compaction = 0;
	yard_kswapd_run(yard, 0, true);
	yard_set_current(yard, &task);
	for (unsigned n = 0; n < RUN_CALLS; n++) {
		fill();
		if (mix.nr_kept > KEPT_MAX / 2)
			free_kept(random_below((uint32_t)mix.nr_kept));
		one_call(&task);
		something_else(random_below(10));
	}
	yard_set_current(yard, NULL);
	on_event = NULL;
	require(!outside_compaction);
	yard_lru_drain_all(yard);
	assert_verified();
	require(mix.slow_calls > RUN_CALLS / 10);
	return mix.hash;
}

static void all_named_policies(void **state)
{
	const struct yard_policy_version *versions;
	size_t nr, polluted = 0, slow = 0;
	char policy[128];

	(void)state;
	versions = yard_policy_versions(&nr);
	for (size_t i = 0; i < nr; i++)
		for (unsigned on = 0; on < 2; on++) {
			snprintf(policy, sizeof policy, "%s,defrag_mode=%u", versions[i].name, on);
			run_mix(policy);
			polluted += mix.polluted;
			slow += mix.slow_calls;
			forget_all(NULL);
		}
	print_message("# %zu policies: %zu slow calls, %zu pages from foreign blocks\n", 2 * nr, slow, polluted);
	assert_true(polluted > 0);
}

static void all_switch_values(void **state)
{
	const struct yard_policy_switch *switches;
	size_t nr, captured = 0;
	char policy[128];

	(void)state;
	switches = yard_policy_switches(&nr);
	for (size_t i = 0; i < nr; i++)
		for (size_t v = 0; switches[i].values[v]; v++) {
			if (!strcmp(switches[i].name, "defrag_mode"))
				continue;
			snprintf(policy, sizeof policy, "%s,%s=%s", defrag, switches[i].name, switches[i].values[v]);
			run_mix(policy);
			captured += mix.captured;
			forget_all(NULL);
		}
	print_message("# %zu captured pages\n", captured);
	assert_true(captured > 0);
}

// I-10: with defrag=0, what defrag_mode's own switches say does not matter.
static void I10_switches_without_defrag_mode(void **state)
{
	static const char *const values[] = {
		"nofrag_drop=broken", "nofrag_drop_nonreclaim=off", "kswapd_block_wake=off", "block_watermarks=off",
		"kswapd_order0_handoff=off", "promote_nonmovable=off", "promoted_retry=naive",
	};
	char policy[128];
	uint64_t usual;

	(void)state;
	usual = run_mix("linux-7.3");
	forget_all(NULL);
	for (size_t i = 0; i < COUNT(values); i++) {
		snprintf(policy, sizeof policy, "linux-7.3,%s", values[i]);
		require(run_mix(policy) == usual);
		forget_all(NULL);
	}
	assert_true(run_mix(defrag) != usual);
}

static void I12_the_same_again(void **state)
{
	static const char *const policies[] = { "linux-7.3,defrag_mode=1", "defrag-6.16", "vanilla",
		"linux-7.3,lru_gen=on" };
	uint64_t first;

	(void)state;
	for (size_t i = 0; i < COUNT(policies); i++) {
		first = run_mix(policies[i]);
		forget_all(NULL);
		assert_true(run_mix(policies[i]) == first);
		forget_all(NULL);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		TEST(all_named_policies), TEST(all_switch_values), TEST(I10_switches_without_defrag_mode),
		TEST(I12_the_same_again),
	};

	return cmocka_run_group_tests_name("spec02_invariants", tests, NULL, NULL);
}
