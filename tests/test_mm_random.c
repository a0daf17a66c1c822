// SPDX-License-Identifier: Apache-2.0
//
// Random requests on small machines under every policy, with every callback of the owner failing now and then: the
// invariants hold after each call that entered the slow path, no page is lost, and no call goes on for ever.
//
// PAGEYARD_MM_REQUESTS=N requests in all (default 60000), PAGEYARD_RANDOM_SEED=N. A failure prints both, with the machine.

#include "mm_fixture.h"

#include "pageyard/stat.h"

enum { PAGES_MAX = 32768, ROUNDS_MAX = 400, MACHINE_REQUESTS = 1500, FRAMES_MAX_BLOCKS = 24 };

struct page { // what the owner knows of one
	uint32_t pfn; // NONE: not in use, or not resident
	uint8_t order;
	bool lru;
};

static struct machine {
	struct page pages[PAGES_MAX];
	uint32_t used[PAGES_MAX], nr_used; // indexes of resident pages
	uint64_t held;			   // frames
	unsigned failing;		   // percent of callbacks that fail
	unsigned pressure;		   // percent of requests that are followed by something done to a page
	bool interrupts, declines, asynchronous;
	uint32_t writing[256];
	unsigned nr_writing;
	uint64_t seed, operation;
	char policy[512];
} m;

static uint64_t gave_up, most_rounds; // calls that used up their budget, the most rounds of one call

static bool chance(unsigned percent)
{
	return random_below(100) < percent;
}

static void report_place(void)
{
	print_error("# PAGEYARD_RANDOM_SEED=%" PRIu64 ", request %" PRIu64 " of the machine, policy %s\n", m.seed, m.operation, m.policy);
}

#define require(condition, ...)                                                                                      \
	do {                                                                                                         \
		if (!(condition)) {                                                                                  \
			report_place();                                                                              \
			fail_msg(__VA_ARGS__);                                                                       \
		}                                                                                                    \
	} while (0)

// ---- the owner ----

static void forget_page(uint32_t index) // it is not resident any more
{
	m.held -= 1u << m.pages[index].order;
	m.pages[index].pfn = NONE;
	for (uint32_t i = 0; i < m.nr_used; i++)
		if (m.used[i] == index) {
			m.used[i] = m.used[--m.nr_used];
			break;
		}
}

static void free_page(uint32_t index)
{
	uint32_t pfn = m.pages[index].pfn;
	unsigned order = m.pages[index].order;
	int error;

	for (unsigned i = 0; i < m.nr_writing; i++)
		if (m.writing[i] == pfn)
			return; // its owner waits for the write
	forget_page(index);
	error = yard_free(yard, pfn, order);
	require(error == YARD_OK, "yard_free(%u, %u): %s", pfn, order, yard_error_text(error));
}

static void interrupt_strikes(void)
{
	if (m.interrupts && m.nr_used && chance(10))
		free_page(m.used[random_below(m.nr_used)]);
}

static bool is_resident(uint32_t pfn, uint32_t *index)
{
	*index = yard_get_owner(yard, pfn);
	return *index < PAGES_MAX && m.pages[*index].pfn == pfn;
}

static bool fails(void)
{
	interrupt_strikes();
	return chance(m.failing);
}

static bool may_move(void *context, uint32_t pfn, unsigned order, enum yard_migrate_mode mode)
{
	(void)context, (void)pfn, (void)order, (void)mode;
	return !fails();
}

static enum yard_move_result unmap_for_move(void *context, uint32_t pfn, unsigned order, enum yard_migrate_mode mode)
{
	(void)context, (void)pfn, (void)order, (void)mode;
	return fails() ? chance(50) ? YARD_MOVE_AGAIN : YARD_MOVE_BUSY : YARD_MOVE_DONE;
}

static enum yard_move_result move_page(void *context, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	uint32_t index;

	(void)context, (void)mode;
	if (fails())
		return chance(50) ? YARD_MOVE_AGAIN : YARD_MOVE_BUSY;
	if (!is_resident(from, &index))
		return YARD_MOVE_BUSY;
	require(m.pages[index].order == order, "page %u of order %u is moved as order %u", from, m.pages[index].order, order);
	require(yard_frame_state(yard, to, NULL, NULL) == YARD_FRAME_ALLOCATED, "the destination %u is not allocated", to);
	m.pages[index].pfn = to;
	return YARD_MOVE_DONE;
}

static void undo_unmap(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)pfn, (void)order;
}

static int referenced(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)pfn, (void)order;
	return fails() ? -1 : (int)random_below(3);
}

static bool unmap(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)pfn, (void)order;
	return !fails();
}

static bool swap_slot(void *context, uint32_t pfn, unsigned order)
{
	(void)context, (void)pfn, (void)order;
	return !fails();
}

static uint32_t vacant(void)
{
	for (;;) {
		uint32_t index = random_below(PAGES_MAX);

		if (m.pages[index].pfn == NONE)
			return index;
	}
}

static uint32_t note_page(uint32_t pfn, unsigned order)
{
	uint32_t index = vacant();

	m.pages[index] = (struct page){ .pfn = pfn, .order = (uint8_t)order };
	m.used[m.nr_used++] = index;
	m.held += 1u << order;
	yard_set_owner(yard, pfn, index);
	return index;
}

static bool split(void *context, uint32_t pfn, unsigned order)
{
	uint32_t index;

	(void)context;
	if (fails() || !is_resident(pfn, &index) || m.nr_used + (1u << order) > PAGES_MAX / 2)
		return false;
	require(yard_lru_split(yard, pfn, order) == YARD_OK, "yard_lru_split(%u, %u)", pfn, order);
	m.pages[index].order = 0;
	m.held -= (1u << order) - 1;
	for (uint32_t p = pfn + 1; p < pfn + (1u << order); p++)
		m.pages[note_page(p, 0)].lru = true;
	return true;
}

static enum yard_write_result write_out(void *context, uint32_t pfn, unsigned order)
{
	uint32_t index;

	(void)context, (void)order;
	if (fails())
		return chance(50) ? YARD_WRITE_REFUSED : YARD_WRITE_KEEP;
	if (!m.asynchronous || m.nr_writing == COUNT(m.writing) || !is_resident(pfn, &index))
		return YARD_WRITE_DONE;
	m.writing[m.nr_writing++] = pfn;
	return YARD_WRITE_STARTED;
}

static bool release(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	uint32_t index;

	(void)context, (void)shadow;
	if (fails() || !is_resident(pfn, &index) || m.pages[index].order != order)
		return false;
	if (chance(30))
		yard_swap_free(yard, 1u << order);
	forget_page(index);
	return true;
}

static bool oom_next(void *context, uint64_t *cursor, const struct yard_oom *oom, struct yard_oom_task *task)
{
	(void)context, (void)oom;
	if (*cursor >= 3 || m.declines)
		return false;
	*task = (struct yard_oom_task){ .id = ++*cursor, .rss = random_below(1000), .unkillable = chance(20) };
	return true;
}

static void oom_kill(void *context, uint64_t id, const struct yard_oom *oom)
{
	(void)context, (void)id, (void)oom;
	for (unsigned i = m.nr_used / 2; i; i--)
		free_page(m.used[random_below(m.nr_used)]);
}

static bool oom_reap(void *context, uint64_t id)
{
	(void)context, (void)id;
	return !fails();
}

static int64_t slab_count(void *context, unsigned node, uint32_t gfp)
{
	(void)context, (void)node, (void)gfp;
	return chance(20) ? YARD_SHRINK_EMPTY : (int64_t)random_below(5000);
}

static int64_t slab_scan(void *context, unsigned node, uint32_t gfp, uint64_t *nr, uint64_t *pages)
{
	(void)context, (void)node, (void)gfp;
	*pages = 0;
	if (fails())
		return YARD_SHRINK_STOP;
	return (int64_t)(*nr / 2);
}

static struct yard_owner_ops random_owner(void)
{
	return (struct yard_owner_ops){
		.may_move = may_move, .unmap_for_move = unmap_for_move, .move = move_page, .undo_unmap = undo_unmap,
		.referenced = chance(50) ? referenced : NULL, .unmap = unmap, .swap_slot = chance(50) ? swap_slot : NULL,
		.split = split,
		.write_out = write_out, .release = release, .oom_next = oom_next, .oom_kill = oom_kill, .oom_reap = oom_reap,
	};
}

// ---- machines ----

static void pick_policy(void)
{
	size_t nr_versions, nr_switches, length;
	const struct yard_policy_version *versions = yard_policy_versions(&nr_versions);
	const struct yard_policy_switch *switches = yard_policy_switches(&nr_switches);

	length = (size_t)snprintf(m.policy, sizeof m.policy, "%s", versions[random_below((uint32_t)nr_versions)].name);
	if (chance(60))
		length += (size_t)snprintf(m.policy + length, sizeof m.policy - length, ",defrag_mode=on");
	for (unsigned n = chance(50) ? random_below(6) : 0; n; n--) {
		const struct yard_policy_switch *s = &switches[random_below((uint32_t)nr_switches)];
		unsigned values = 0;

		if (strstr(m.policy, s->name))
			continue;
		while (s->values[values])
			values++;
		length += (size_t)snprintf(m.policy + length, sizeof m.policy - length, ",%s=%s", s->name,
					   s->values[random_below(values)]);
	}
}

static void build_machine(uint64_t seed, const char *policy)
{
	static const struct yard_shrinker slab = { "slab", slab_count, slab_scan, 2, 0, true, NULL };
	static struct yard_shrinker shrinker;
	struct yard_config config = plain_config();
	struct yard_range memory[2];

	memset(&m, 0, sizeof m);
	m.seed = random_state = seed;
	for (uint32_t i = 0; i < PAGES_MAX; i++)
		m.pages[i].pfn = NONE;
	if (policy)
		snprintf(m.policy, sizeof m.policy, "%s", policy);
	else
		pick_policy();
	m.failing = chance(30) ? 0 : chance(50) ? 5 : 40;
	m.pressure = 10 + random_below(50);
	m.interrupts = chance(50);
	m.declines = chance(20);
	m.asynchronous = chance(50);
	config.policy = policy_of(m.policy);
	config.owner = random_owner();
	config.nr_cpus = 1 + random_below(3);
	config.nr_nodes = 1 + chance(25);
	config.exact_counters = chance(50);
	config.zone_reclaim_mode = chance(30) ? random_below(8) : 0;
	config.demotion_enabled = chance(30);
	config.node_tier = (const uint8_t[]){ 0, 1 };
	config.seed = seed;
	config.user_min_free_kbytes = 128 + random_below(512);
	for (unsigned node = 0; node < config.nr_nodes; node++) {
		uint32_t frames = (6 + random_below(FRAMES_MAX_BLOCKS / config.nr_nodes)) * BLOCK;

		memory[node] = (struct yard_range){ BASE + node * 65536, BASE + node * 65536 + frames, node };
	}
	config.memory = memory;
	config.nr_memory = config.nr_nodes;
	build(&config);
	yard_set_event_sink(yard, NULL, NULL, false);
	yard_set_swap(yard, 20000, random_below(20000));
	shrinker = slab;
	if (chance(50))
		assert_int_equal(yard_add_shrinker(yard, &shrinker), YARD_OK);
	for (unsigned node = 0; node < config.nr_nodes; node++)
		yard_kswapd_run(yard, node, chance(70));
}

// ---- checks ----

static void check_invariants(void)
{
	char text[256];

	require(yard_verify(yard, text, sizeof text) == YARD_OK, "yard_verify: %s", text);
}

// No page is lost: what is neither free nor in a per-CPU set is somebody's.
static void check_conservation(void)
{
	uint64_t managed = 0, free_pages = 0;

	yard_lru_drain_all(yard);
	for (unsigned id = 0; id < yard_nr_zones(yard); id++) {
		struct yard_zone_state zone;

		yard_get_zone(yard, id, &zone);
		managed += zone.managed;
		free_pages += zone.managed ? (uint64_t)zone_stat_snapshot(yard, zone_at(yard, id), YARD_NR_FREE_PAGES) : 0;
		for (unsigned cpu = 0; zone.managed && cpu < yard_nr_cpus(yard); cpu++) {
			struct yard_pcp_state pcp;

			yard_get_pcp(yard, id, cpu, &pcp);
			free_pages += (uint64_t)pcp.count;
		}
	}
	require(managed == free_pages + m.held, "%" PRIu64 " pages managed, %" PRIu64 " free, %" PRIu64 " in use", managed,
		free_pages, m.held);
	for (uint32_t i = 0; i < m.nr_used; i++) {
		const struct page *page = &m.pages[m.used[i]];
		unsigned order;

		require(yard_frame_state(yard, page->pfn, NULL, &order) == YARD_FRAME_ALLOCATED && order == page->order,
			"frame %u, a page of order %u, is in state %d of order %u", page->pfn, page->order,
			yard_frame_state(yard, page->pfn, NULL, NULL), order);
	}
}

// ---- operations ----

static void join_lru(uint32_t index)
{
	static const uint32_t kinds[] = { ANON_PAGE, FILE_PAGE, SHMEM_PAGE, YARD_PAGE_ANON };
	uint32_t flags = kinds[random_below(4)];

	if (chance(20))
		flags |= YARD_PAGE_DIRTY;
	if (chance(2))
		flags |= YARD_PAGE_PINNED;
	if (chance(2))
		flags |= YARD_PAGE_UNEVICTABLE;
	if (chance(10))
		flags |= YARD_PAGE_ACTIVE;
	require(yard_lru_add(yard, m.pages[index].pfn, flags, (enum yard_mapping)random_below(4)) == YARD_OK, "yard_lru_add");
	m.pages[index].lru = true;
}

static void keep(uint32_t pfn, unsigned order, bool movable)
{
	uint32_t index = note_page(pfn, order);

	if (movable)
		join_lru(index);
}

static uint32_t random_gfp(bool *movable)
{
	static const uint32_t kinds[] = {
		YARD_GFP_KERNEL, YARD_GFP_HIGHUSER_MOVABLE, YARD_GFP_KERNEL | YARD_GFP_RECLAIMABLE, YARD_GFP_ATOMIC, YARD_GFP_NOWAIT,
		YARD_GFP_NOIO, YARD_GFP_NOFS, YARD_GFP_TRANSHUGE, YARD_GFP_TRANSHUGE_LIGHT,
	};
	static const uint32_t modifiers[] = { YARD_GFP_NORETRY, YARD_GFP_RETRY_MAYFAIL, YARD_GFP_MEMALLOC, YARD_GFP_NOMEMALLOC,
					      YARD_GFP_THISNODE, YARD_GFP_HIGH, YARD_GFP_WRITE };
	uint32_t gfp = kinds[chance(50) ? random_below(2) : random_below(COUNT(kinds))];

	for (unsigned n = chance(30) ? 1 + random_below(2) : 0; n; n--)
		gfp |= modifiers[random_below(COUNT(modifiers))];
	*movable = gfp & YARD_GFP_MOVABLE;
	return gfp;
}

static void op_allocate(uint64_t *slow)
{
	bool movable;
	uint32_t gfp = random_gfp(&movable);
	struct yard_request r = {
		.gfp = gfp, .node = (int16_t)((int)random_below(yard_nr_nodes(yard) + 1) - 1), .max_rounds = ROUNDS_MAX,
		.order = (uint8_t)(chance(70) ? 0 : chance(70) ? random_below(4) : random_below(YARD_MAX_PAGE_ORDER + 1)),
		.task = (uint16_t)(chance(5) ? 1u << random_below(8) : 0),
	};
	struct yard_result result;
	int error;

	if (m.nr_used >= PAGES_MAX / 2)
		return;
	error = yard_alloc_request(yard, &r, &result);
	require(error == YARD_OK || error == YARD_ENOMEM, "yard_alloc_request(%#x, %u): %s", r.gfp, r.order, yard_error_text(error));
	require(result.rounds <= ROUNDS_MAX, "%u rounds", result.rounds);
	if (result.pfn != NONE)
		keep(result.pfn, r.order, movable);
	require(!result.gave_up || (result.pfn == NONE && result.rounds == ROUNDS_MAX), "gave up after %u rounds", result.rounds);
	gave_up += result.gave_up;
	most_rounds = result.rounds > most_rounds ? result.rounds : most_rounds;
	if (!result.rounds)
		return;
	++*slow;
	check_invariants();
}

static void op_page(void)
{
	uint32_t index, pfn;

	if (!m.nr_used)
		return;
	index = m.used[random_below(m.nr_used)];
	pfn = m.pages[index].pfn;
	if (!m.pages[index].lru) {
		if (chance(50))
			free_page(index);
		return;
	}
	switch (random_below(12)) {
	case 0: case 1: case 2:
		free_page(index);
		break;
	case 3: case 4:
		yard_lru_touch(yard, pfn, 1 + random_below(2), chance(30));
		break;
	case 5:
		yard_lru_mark_accessed(yard, pfn);
		break;
	case 6:
		yard_lru_deactivate(yard, pfn);
		break;
	case 7:
		yard_lru_deactivate_file(yard, pfn);
		break;
	case 8:
		yard_lru_lazyfree(yard, pfn);
		break;
	case 9:
		yard_lru_map(yard, pfn, (enum yard_mapping)random_below(4));
		break;
	case 10:
		yard_lru_set(yard, pfn, chance(50) ? YARD_PAGE_PINNED : YARD_PAGE_UNEVICTABLE, chance(30));
		break;
	default:
		yard_reclaim_pages(yard, &pfn, 1);
		break;
	}
}

static void op_worker(void)
{
	unsigned node = random_below(yard_nr_nodes(yard));
	struct yard_wait wait = { 0 };

	switch (random_below(10)) {
	case 0: case 1: case 2:
		yard_kswapd_step(yard, node, chance(50), &wait);
		break;
	case 3: case 4:
		yard_kcompactd_step(yard, node, chance(50), &wait);
		break;
	case 5:
		yard_vmstat_update(yard, random_below(yard_nr_cpus(yard)), false);
		break;
	case 6:
		if (chance(5))
			yard_compact_node(yard, (int)node);
		break;
	case 7:
		if (chance(10))
			yard_node_reclaim_write(yard, node, chance(50) ? "256K" : "1M swappiness=max", NULL);
		if (chance(5))
			yard_memory_reclaim_write(yard, chance(50) ? "256K" : "1M swappiness=200", NULL);
		break;
	case 8:
		yard_oom_reaper_step(yard, chance(50), &wait);
		break;
	default:
		for (unsigned i = 0; i < m.nr_writing; i++)
			yard_writeback_end(yard, m.writing[i]);
		m.nr_writing = 0;
		break;
	}
	yard->host.now_ns += random_below(50) * 1000000ull;
}

static void fill(void) // until kswapd would be woken
{
	uint64_t slow = 0;

	while (!slow && m.nr_used < PAGES_MAX / 2)
		op_allocate(&slow);
}

static uint64_t run_machine(uint64_t seed, const char *policy, uint64_t requests)
{
	uint64_t slow = 0;

	build_machine(seed, policy);
	fill();
	for (m.operation = 0; m.operation < requests; m.operation++) {
		yard_sim_set_cpu(yard, random_below(yard_nr_cpus(yard)));
		op_allocate(&slow);
		if (chance(m.pressure))
			op_page();
		if (chance(10))
			op_worker();
		if (m.operation % 64 == 63) {
			check_invariants();
			check_conservation();
		}
	}
	check_invariants();
	check_conservation();
	return slow;
}

static uint64_t setting(const char *name, uint64_t usual)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : usual;
}

static void no_violation_no_page_lost_no_endless_loop(void **state)
{
	uint64_t requests = setting("PAGEYARD_MM_REQUESTS", 60000), seed = setting("PAGEYARD_RANDOM_SEED", 1), slow = 0, machines = 0;

	(void)state;
	for (uint64_t done = 0; done < requests; done += MACHINE_REQUESTS, machines++)
		slow += run_machine(seed + machines, NULL, MACHINE_REQUESTS);
	print_message("# %" PRIu64 " machines, %" PRIu64 " requests, %" PRIu64 " through the slow path, at most %" PRIu64
		      " rounds; %" PRIu64 " gave up after %d, as policies do that reclaim or retry without end (SC-1, SC-2, DM-4)\n",
		      machines, machines * MACHINE_REQUESTS, slow, most_rounds, gave_up, ROUNDS_MAX);
	assert_true(slow > requests / 50);
}

// Every pair of switches, with every pair of their values. PAGEYARD_RANDOM_PAIRS=N takes every N-th of them only.
static void switches_in_every_combination_of_two(void **state)
{
	uint64_t step = setting("PAGEYARD_RANDOM_PAIRS", 10), number = 0, machines = 0;
	size_t nr_switches;
	const struct yard_policy_switch *switches = yard_policy_switches(&nr_switches);

	(void)state;
	for (size_t i = 0; i < nr_switches; i++)
		for (size_t j = i + 1; j < nr_switches; j++)
			for (size_t a = 0; switches[i].values[a]; a++)
				for (size_t b = 0; switches[j].values[b]; b++) {
					char policy[256];

					if (number++ % step)
						continue;
					snprintf(policy, sizeof policy, "%s,%s=%s,%s=%s", machines & 1 ? "linux-7.3" : "storm-fix",
						 switches[i].name, switches[i].values[a], switches[j].name, switches[j].values[b]);
					run_machine(machines++, policy, 64);
				}
	print_message("# %" PRIu64 " of %" PRIu64 " combinations\n", machines, number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(switches_in_every_combination_of_two, demolish),
		cmocka_unit_test_teardown(no_violation_no_page_lost_no_endless_loop, demolish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
