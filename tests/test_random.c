// SPDX-License-Identifier: Apache-2.0
//
// Random machines under random operations over the whole API, errors included. A shadow map of every frame says whose
// it is: no frame is given twice, none is lost; yard_verify() runs all along; events are held against I12 and I13.
//
// PAGEYARD_RANDOM_OPS=n   operations in all (200000)
// PAGEYARD_RANDOM_SEED=s  seed of the first machine; each machine's seed follows from its number
// A failure prints the command that repeats it.

#include <signal.h>
#include <unistd.h>

#include "engine_fixture.h"

enum { OPS_OF_A_MACHINE = 5000, FRAMES_MAX = 65536, HELD_MAX = 8192, RANGES_MAX = 16, ISOLATIONS_MAX = 8 };
enum owner { FREE, OURS, TAKEN, ABSENT }; // TAKEN: isolated by us

struct held {
	uint32_t pfn;
	unsigned order;
};

static struct {
	// the machine
	uint64_t seed;
	struct yard_config config;
	struct yard_range memory[RANGES_MAX], reserved[RANGES_MAX], cma[RANGES_MAX];
	uint16_t cpu_node[8];
	uint32_t movable_start[4];
	uint32_t first, end;
	uint8_t owner[FRAMES_MAX]; // enum owner, from frame 0 on
	// what we hold
	struct held held[HELD_MAX], taken[HELD_MAX];
	uint32_t nr_held, nr_taken;
	uint64_t pages_held, pages_taken, pages_managed;
	struct {
		uint32_t start, end;
	} isolations[ISOLATIONS_MAX];
	uint32_t nr_isolations;
	uint64_t want; // pages to hold, more or less
	// now
	uint64_t op;
	unsigned attempt_flags; // of the walk that runs
	unsigned request_type;
	bool capturing;
} m;

static uint64_t rng_state[4];

static uint64_t rnd64(void) // xoshiro256**
{
	uint64_t *s = rng_state, result = s[1] * 5, t = s[1] << 17;

	result = (result << 7 | result >> 57) * 9;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = s[3] << 45 | s[3] >> 19;
	return result;
}

static uint32_t rnd(uint32_t below)
{
	return below ? (uint32_t)((rnd64() >> 32) * below >> 32) : 0;
}

static bool chance(uint32_t percent)
{
	return rnd(100) < percent;
}

static void seed_rng(uint64_t seed)
{
	for (int i = 0; i < 4; i++) { // splitmix64
		uint64_t z = seed += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		rng_state[i] = z ^ z >> 31;
	}
}

static void say_how_to_repeat(void)
{
	char text[256];
	int n = snprintf(text, sizeof(text),
			 "# operation %" PRIu64 " of the machine; repeat: PAGEYARD_RANDOM_SEED=%" PRIu64
			 " PAGEYARD_RANDOM_OPS=%" PRIu64 " PAGEYARD_RANDOM_VERIFY=1 test_random\n",
			 m.op, m.seed, m.op + 1);

	if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0)
		return;
}

static void on_abort(int signal_number)
{
	say_how_to_repeat();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

#define require(condition, ...)                     \
	do {                                        \
		if (!(condition)) {                 \
			say_how_to_repeat();        \
			fail_msg(__VA_ARGS__);      \
		}                                   \
	} while (0)

// ---- events ----

static void check_event(void *context, const struct yard_event *e)
{
	(void)context;
	switch (e->kind) {
	case YARD_EVENT_WHY_ATTEMPT:
		m.attempt_flags = (unsigned)e->a;
		break;
	case YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED: // I12
		require(e->migratetype != I, "frame %u from an I list", e->pfn);
		require(e->migratetype != C || m.request_type == M, "frame %u from a C list for type %u", e->pfn, m.request_type);
		require(m.owner[e->pfn] == FREE, "frame %u, which somebody owns, leaves a free list", e->pfn);
		require(yard_pageblock_type(yard, e->pfn) == e->migratetype, "frame %u came from a list of another type", e->pfn);
		break;
	case YARD_EVENT_PAGE_ALLOC_EXTFRAG:
		require(m.owner[e->pfn] == FREE || m.capturing, "frame %u, which somebody owns, is stolen", e->pfn);
		if (m.capturing)
			break;
		require(e->b < YARD_PCPTYPES && e->b != e->migratetype, "fallback from type %d to %u", e->b, e->migratetype);
		require(e->a >= YARD_PAGEBLOCK_ORDER || !(m.attempt_flags & ALLOC_NOFRAGMENT) || !yard->policy.defrag_mode,
			"I13: frame %u falls back at order %d with NOFRAGMENT", e->pfn, e->a);
		break;
	default:
		break;
	}
}

// ---- machines ----

static uint64_t node_reclaim(void *context, unsigned node, uint32_t gfp, unsigned order)
{
	(void)context;
	(void)node;
	(void)gfp;
	(void)order;
	return rnd(2);
}

static void node_dirty(void *context, unsigned node, uint64_t *dirty, uint64_t *file_lru)
{
	(void)context;
	(void)node;
	*dirty = rnd(2000);
	*file_lru = rnd(2000);
}

static bool charge(void *context, uint32_t pfn, unsigned order, uint32_t gfp)
{
	(void)context;
	(void)pfn;
	(void)order;
	(void)gfp;
	return rnd(4) != 0;
}

// A border at a multiple of what is likely to matter, or anywhere.
static uint32_t border(uint32_t pfn)
{
	static const uint32_t units[] = { 1024, 512, 256, 8, 1 };
	uint32_t unit = units[rnd(COUNT(units))];

	return pfn / unit * unit;
}

static void make_memory(void)
{
	uint32_t pfn = chance(50) ? 0 : border(rnd(3000));

	m.first = pfn;
	for (uint32_t n = 0; n < m.config.nr_nodes; n++) {
		uint32_t ranges = 1 + rnd(2);

		if (n && chance(15))
			continue; // a node without memory
		for (uint32_t i = 0; i < ranges; i++) {
			uint32_t end = border(pfn + 1536 + rnd(6000));

			if (end < pfn + 600)
				end = pfn + 600;
			m.memory[m.config.nr_memory++] = (struct yard_range){ pfn, end, n };
			pfn = end;
			if (i + 1 < ranges) // a hole
				pfn += 1 + rnd(chance(50) ? 100 : 1500);
		}
		if (chance(30))
			pfn += rnd(2000);
	}
	m.end = m.memory[m.config.nr_memory - 1].end;
	m.config.memory = m.memory;
}

static bool is_ram(uint32_t start, uint32_t end) // all of it, in one range
{
	for (uint32_t i = 0; i < m.config.nr_memory; i++)
		if (m.memory[i].start <= start && end <= m.memory[i].end)
			return true;
	return false;
}

static void make_reservations(void)
{
	uint32_t pfn = m.first;

	while (m.config.nr_reserved < RANGES_MAX && chance(60)) {
		uint32_t start = pfn + rnd(3000), end = start + 1 + rnd(chance(50) ? 8 : 700);

		if (end > m.end)
			break;
		m.reserved[m.config.nr_reserved++] = (struct yard_range){ start, end, 0 };
		pfn = end + 1;
	}
	m.config.reserved = m.reserved;
}

static bool is_reserved(uint32_t start, uint32_t end)
{
	for (uint32_t i = 0; i < m.config.nr_reserved; i++)
		if (m.reserved[i].start < end && start < m.reserved[i].end)
			return true;
	return false;
}

static void make_cma(void)
{
	for (uint32_t pfn = 0; pfn < m.end && m.config.nr_cma < RANGES_MAX; pfn += BLOCK) {
		if (!chance(15) || !is_ram(pfn, pfn + BLOCK) || is_reserved(pfn, pfn + BLOCK))
			continue;
		if ((m.config.dma_end > pfn && m.config.dma_end < pfn + BLOCK)
		    || (m.config.dma32_end > pfn && m.config.dma32_end < pfn + BLOCK))
			continue; // two zones
		m.cma[m.config.nr_cma++] = (struct yard_range){ pfn, pfn + BLOCK, 0 };
	}
	m.config.cma = m.cma;
}

static void make_policy(void)
{
	size_t versions_count, switches_count;
	const struct yard_policy_version *versions = yard_policy_versions(&versions_count);
	const struct yard_policy_switch *switches = yard_policy_switches(&switches_count);

	m.config.policy = versions[rnd((uint32_t)versions_count)].policy;
	for (size_t i = 0; i < switches_count; i++)
		if (chance(10))
			((uint8_t *)&m.config.policy)[switches[i].offset] ^= 1;
	if (chance(40))
		m.config.policy.defrag_mode = 1;
}

static void make_machine(uint64_t seed)
{
	memset(&m, 0, sizeof(m));
	m.seed = seed;
	seed_rng(seed);
	m.config = plain_config();
	m.config.nr_nodes = 1 + rnd(4);
	m.config.nr_cpus = 1 + rnd(8);
	for (uint32_t cpu = 0; cpu < m.config.nr_cpus; cpu++)
		m.cpu_node[cpu] = (uint16_t)rnd(m.config.nr_nodes);
	m.config.cpu_node = m.cpu_node;
	make_memory();
	m.config.dma_end = chance(50) ? border(m.first + 1536 + rnd(2000)) + 1 : 1;
	m.config.dma32_end = chance(50) ? border(m.config.dma_end + 1536 + rnd(4000)) + 1 : m.config.dma_end;
	if (chance(50)) // aligned borders
		m.config.dma_end = (m.config.dma_end + BLOCK - 1) / BLOCK * BLOCK;
	if (m.config.dma32_end < m.config.dma_end)
		m.config.dma32_end = m.config.dma_end;
	make_reservations();
	make_cma();
	for (uint32_t i = 0; i < m.config.nr_memory; i++)
		if (chance(20)) // inside one of the node's ranges
			m.movable_start[m.memory[i].node] = m.memory[i].start + rnd(m.memory[i].end - m.memory[i].start);
	m.config.movable_start = m.movable_start;
	m.config.no_dma32 = chance(10);
	m.config.thp = chance(20);
	m.config.exact_counters = chance(30);
	m.config.user_min_free_kbytes = chance(50) ? -1 : (int64_t)rnd(4000);
	m.config.watermark_scale_factor = chance(70) ? 0 : 1 + rnd(1000);
	m.config.watermark_boost_factor = chance(50) ? -1 : (int32_t)rnd(60000);
	m.config.percpu_pagelist_high_fraction = chance(80) ? 0 : 8 + rnd(1000);
	m.config.pcp_cache_pages = chance(50) ? 0 : 1000;
	m.config.zone_reclaim_mode = chance(30);
	m.config.crash_kernel = chance(10);
	if (chance(30))
		m.config.owner.node_reclaim = node_reclaim;
	if (chance(30))
		m.config.owner.node_dirty = node_dirty;
	if (chance(30))
		m.config.owner.charge = charge;
	make_policy();
}

static void start_machine(void)
{
	memset(m.owner, ABSENT, sizeof(m.owner));
	for (uint32_t i = 0; i < m.config.nr_memory; i++)
		memset(m.owner + m.memory[i].start, FREE, m.memory[i].end - m.memory[i].start);
	for (uint32_t i = 0; i < m.config.nr_reserved; i++)
		memset(m.owner + m.reserved[i].start, ABSENT, m.reserved[i].end - m.reserved[i].start);
	for (uint32_t pfn = 0; pfn < m.end; pfn++)
		m.pages_managed += m.owner[pfn] == FREE;
	build(&m.config);
	base = 0;
	yard_set_event_sink(yard, check_event, NULL, true);
}

// Mobility grouping off (M10) makes lists and pageblock types part (M9 against I2, see test_isolate.c): such machines
// are left out until that is settled.
static bool left_out(void)
{
	return yard->mobility_disabled;
}

// ---- the shadow ----

static void own(uint32_t pfn, unsigned order, enum owner from, enum owner to)
{
	require(!(pfn & ((1u << order) - 1)) && pfn + (1u << order) <= m.end, "block %u of order %u cannot be", pfn, order);
	for (uint32_t p = pfn; p < pfn + (1u << order); p++) {
		require(m.owner[p] == from, "frame %u has owner %u, not %u", p, m.owner[p], from);
		m.owner[p] = (uint8_t)to;
	}
	m.pages_held += (uint64_t)(to == OURS) << order;
	m.pages_held -= (uint64_t)(from == OURS) << order;
	m.pages_taken += (uint64_t)(to == TAKEN) << order;
	m.pages_taken -= (uint64_t)(from == TAKEN) << order;
}

static void hold(uint32_t pfn, unsigned order)
{
	own(pfn, order, FREE, OURS);
	require(m.nr_held < HELD_MAX, "too many blocks held");
	m.held[m.nr_held++] = (struct held){ pfn, order };
}

static struct held let_go(void) // of a random block
{
	uint32_t i = rnd(m.nr_held);
	struct held block = m.held[i];

	m.held[i] = m.held[--m.nr_held];
	own(block.pfn, block.order, OURS, FREE);
	return block;
}

static bool room(uint32_t blocks)
{
	return m.nr_held + blocks <= HELD_MAX;
}

static void verify(void)
{
	uint64_t held = 0, taken = 0, managed = 0;
	char text[256];
	uint32_t first;
	unsigned order;

	require(yard_verify(yard, text, sizeof(text)) == YARD_OK, "yard_verify: %s", text);
	for (uint32_t pfn = m.first; pfn < m.end; pfn = first + (1u << order)) {
		enum yard_frame_state s = yard_frame_state(yard, pfn, &first, &order);
		static const uint8_t expected[] = {
			[YARD_FRAME_NONE] = ABSENT,	[YARD_FRAME_BUDDY] = FREE, [YARD_FRAME_PCP] = FREE,
			[YARD_FRAME_DEFERRED] = FREE,	[YARD_FRAME_ISOLATED] = TAKEN,
			[YARD_FRAME_ALLOCATED] = OURS,
		};

		require(first == pfn, "frame %u lies inside a block at %u", pfn, first);
		for (uint32_t p = first; p < first + (1u << order); p++)
			require(m.owner[p] == expected[s], "frame %u: state %u, owner %u", p, s, m.owner[p]);
		held += (uint64_t)(s == YARD_FRAME_ALLOCATED) << order;
		taken += (uint64_t)(s == YARD_FRAME_ISOLATED) << order;
	}
	require(held == m.pages_held && taken == m.pages_taken, "pages held: %" PRIu64 ", taken: %" PRIu64, held, taken);
	for (unsigned zone = 0; zone < yard_nr_zones(yard); zone++)
		managed += zone_state(zone).managed;
	require(managed == m.pages_managed, "managed pages: %" PRIu64 " of %" PRIu64, managed, m.pages_managed);
}

// ---- operations ----

static uint32_t any_gfp(void)
{
	static const uint32_t common[] = {
		YARD_GFP_KERNEL, YARD_GFP_ATOMIC, YARD_GFP_NOWAIT, YARD_GFP_USER, YARD_GFP_HIGHUSER, YARD_GFP_NOFS,
		YARD_GFP_HIGHUSER_MOVABLE, YARD_GFP_HIGHUSER_MOVABLE, YARD_GFP_TRANSHUGE, YARD_GFP_TRANSHUGE_LIGHT,
		YARD_GFP_KERNEL | YARD_GFP_RECLAIMABLE, YARD_GFP_KERNEL | YARD_GFP_RECLAIMABLE, YARD_GFP_KERNEL_ACCOUNT,
	};
	static const uint32_t extra[] = {
		YARD_GFP_DMA, YARD_GFP_DMA32, YARD_GFP_HIGH, YARD_GFP_WRITE, YARD_GFP_NORETRY, YARD_GFP_NOFAIL,
		YARD_GFP_MEMALLOC, YARD_GFP_NOMEMALLOC, YARD_GFP_THISNODE, YARD_GFP_ACCOUNT, YARD_GFP_RETRY_MAYFAIL,
	};
	uint32_t gfp = common[rnd(COUNT(common))];

	if (chance(25))
		gfp |= extra[rnd(COUNT(extra))];
	if (chance(1))
		gfp = (uint32_t)rnd64() & 0xffffff;
	return gfp;
}

static unsigned type_of(uint32_t gfp)
{
	return yard->mobility_disabled ? U : gfp >> 3 & 3;
}

static unsigned any_order(void)
{
	return chance(60) ? 0 : chance(70) ? rnd(4) : rnd(YARD_NR_PAGE_ORDERS);
}

static void mark_movable(uint32_t pfn, uint32_t gfp)
{
	if (gfp & YARD_GFP_MOVABLE && chance(80))
		require(yard_set_lru(yard, pfn, true) == YARD_OK, "set_lru(%u)", pfn);
}

static void op_alloc(void)
{
	struct yard_request r = { .gfp = any_gfp(), .order = (uint8_t)any_order(), .node = -1 };
	struct yard_result result;
	int error;

	if (chance(10))
		r.task = (uint8_t)(1u << rnd(7));
	if (chance(20))
		r.node = (int16_t)rnd(m.config.nr_nodes);
	if (chance(5))
		r.nodemask = rnd(1u << m.config.nr_nodes);
	if (chance(5))
		r.cpuset = rnd(1u << m.config.nr_nodes);
	r.nolock = chance(3);
	m.request_type = r.task & YARD_TASK_PIN ? (unsigned)type_of(r.gfp & ~(uint32_t)YARD_GFP_MOVABLE) : type_of(r.gfp);
	error = yard_alloc_request(yard, &r, &result);
	require((error == YARD_OK) == (result.pfn != NONE), "error %d with frame %u", error, result.pfn);
	if (error) {
		require(error == YARD_ENOMEM || error == YARD_EINVAL, "error %d", error);
		return;
	}
	require(result.zone == (unsigned)yard_zone_of(yard, result.pfn), "zone %u", result.zone);
	hold(result.pfn, r.order);
	mark_movable(result.pfn, r.gfp);
}

static void op_free(void)
{
	struct held block;

	if (!m.nr_held)
		return;
	block = let_go();
	require((chance(3) ? yard_free_nolock : yard_free)(yard, block.pfn, block.order) == YARD_OK, "free(%u)", block.pfn);
}

static void op_batch(void)
{
	struct yard_block blocks[31];
	size_t n = 0, nr = rnd(32);

	while (n < nr && m.nr_held) {
		struct held block = let_go();

		blocks[n++] = (struct yard_block){ block.pfn, block.order };
	}
	require(yard_free_batch(yard, blocks, n) == YARD_OK, "free_batch");
}

static void op_bulk(void)
{
	uint32_t pfns[64], gfp = any_gfp(), nr = rnd(65);
	size_t n;

	for (uint32_t i = 0; i < nr; i++)
		pfns[i] = NONE;
	m.request_type = type_of(gfp);
	m.attempt_flags = 0;
	n = yard_alloc_bulk(yard, gfp, nr, pfns);
	require(n <= nr, "bulk filled %zu of %u", n, nr);
	for (uint32_t i = 0; i < nr; i++) {
		require((i < n) == (pfns[i] != NONE), "slot %u of %zu", i, n);
		if (i < n)
			hold(pfns[i], 0);
	}
}

static void op_exact(void)
{
	uint32_t nr = 1 + rnd(chance(90) ? 40 : 1024), gfp = any_gfp(), pfn;

	m.request_type = type_of(gfp);
	pfn = yard_alloc_exact(yard, gfp, nr);
	for (uint32_t i = 0; pfn != NONE && i < nr; i++)
		hold(pfn + i, 0);
}

static void split_held(uint32_t i)
{
	struct held block = m.held[i];

	require(yard_split(yard, block.pfn, block.order) == YARD_OK, "split(%u)", block.pfn);
	m.held[i].order = 0;
	for (uint32_t p = block.pfn + 1; p < block.pfn + (1u << block.order); p++)
		m.held[m.nr_held++] = (struct held){ p, 0 };
}

static void op_split(void)
{
	uint32_t i = rnd(m.nr_held);

	if (m.nr_held && m.held[i].order <= 6)
		split_held(i);
}

// A block is split and freed as a range, from anywhere on.
static void op_free_range(void)
{
	struct held block;
	uint32_t skip;

	if (!m.nr_held)
		return;
	block = let_go();
	require(yard_split(yard, block.pfn, block.order) == YARD_OK, "split(%u)", block.pfn);
	skip = rnd(1u << block.order);
	if (!room(skip))
		skip = 0;
	for (uint32_t i = 0; i < skip; i++)
		hold(block.pfn + i, 0);
	require(yard_free_range(yard, block.pfn + skip, (1u << block.order) - skip) == YARD_OK, "free_range(%u)", block.pfn);
}

static void op_free_tail(void)
{
	struct held block;

	if (!m.nr_held)
		return;
	block = let_go();
	require(yard_free_tail(yard, block.pfn, block.order) == YARD_OK, "free_tail(%u)", block.pfn);
	hold(block.pfn, 0);
}

static void op_flags(void)
{
	uint32_t i = rnd(m.nr_held);

	if (m.nr_held)
		require((chance(80) ? yard_set_lru : yard_set_movable_ops)(yard, m.held[i].pfn, chance(70)) == YARD_OK, "flag");
}

static void op_isolate_range(void)
{
	uint32_t start = m.first + rnd(m.end - m.first), end = start + 1 + rnd(2000), i = m.nr_isolations;

	if (i == ISOLATIONS_MAX || chance(40)) {
		if (!i)
			return;
		i = rnd(i);
		require(yard_unisolate_range(yard, m.isolations[i].start, m.isolations[i].end) == YARD_OK, "unisolate");
		m.isolations[i] = m.isolations[--m.nr_isolations];
		return;
	}
	if (end > m.end)
		end = m.end;
	if (yard_isolate_range(yard, start, end, (enum yard_isolate_mode)rnd(3)) == YARD_OK) {
		m.isolations[i].start = start;
		m.isolations[i].end = end;
		m.nr_isolations++;
	}
}

static void hold_range(uint32_t start, uint32_t end)
{
	for (uint32_t p = start; p < end; p++)
		hold(p, 0);
}

static void op_contig(void)
{
	uint32_t nr = 1 + rnd(700), pfn;

	if (!room(nr))
		return;
	if (chance(50)) {
		pfn = m.first + rnd(m.end - m.first);
		if (yard_alloc_range(yard, pfn, pfn + nr, (enum yard_isolate_mode)rnd(3)) == YARD_OK)
			hold_range(pfn, pfn + nr);
		return;
	}
	pfn = yard_alloc_contig(yard, nr, any_gfp());
	if (pfn != NONE)
		hold_range(pfn, pfn + nr);
}

static void op_take_free_block(void)
{
	uint32_t pfn = m.first + rnd(m.end - m.first), first;
	unsigned order;
	int result;

	if (m.nr_taken == HELD_MAX || yard_frame_state(yard, pfn, &first, &order) != YARD_FRAME_BUDDY)
		return;
	result = yard_isolate_free_page(yard, first);
	if (result == YARD_EBUSY)
		return;
	require(result == (int)order, "isolate_free_page(%u) says %d", first, result);
	own(first, order, FREE, TAKEN);
	m.taken[m.nr_taken++] = (struct held){ first, order };
}

static void op_taken(void)
{
	uint32_t i = rnd(m.nr_taken);
	struct held block = m.taken[i];

	if (!m.nr_taken)
		return;
	if (block.order && chance(40) && m.nr_taken + (1u << block.order) <= HELD_MAX) {
		unsigned to = rnd(block.order + 1);

		require(yard_split_isolated(yard, block.pfn, block.order, to) == YARD_OK, "split_isolated");
		m.taken[i].order = to;
		for (uint32_t p = block.pfn + (1u << to); p < block.pfn + (1u << block.order); p += 1u << to)
			m.taken[m.nr_taken++] = (struct held){ p, to };
		return;
	}
	// B18 frees a block with one type; its pageblocks may have got two in the meantime.
	if (block.order > YARD_PAGEBLOCK_ORDER
	    && yard_pageblock_type(yard, block.pfn) != yard_pageblock_type(yard, block.pfn + BLOCK))
		return;
	m.taken[i] = m.taken[--m.nr_taken];
	if (chance(60)) {
		own(block.pfn, block.order, TAKEN, FREE);
		require(yard_putback_free_page(yard, block.pfn, block.order) == YARD_OK, "putback");
		return;
	}
	require(yard_use_isolated(yard, block.pfn, block.order) == YARD_OK, "use_isolated");
	own(block.pfn, block.order, TAKEN, FREE);
	hold(block.pfn, block.order);
}

static void op_untake(void)
{
	struct held block;

	if (!m.nr_held || m.nr_taken == HELD_MAX)
		return;
	block = let_go();
	require(yard_unuse_isolated(yard, block.pfn, block.order) == YARD_OK, "unuse_isolated");
	own(block.pfn, block.order, FREE, TAKEN);
	m.taken[m.nr_taken++] = block;
}

static void op_capture(void)
{
	unsigned order = any_order();
	uint32_t pfn;

	if (order > YARD_MAX_PAGE_ORDER)
		return;
	begin_capture(rnd(yard_nr_zones(yard)), order, rnd(3), order);
	m.capturing = true;
	if (chance(50))
		op_free();
	else
		yard_drain_all(yard, -1);
	m.capturing = false;
	pfn = end_capture();
	if (pfn != NONE)
		hold(pfn, order);
}

static void op_worker(void)
{
	unsigned zone = rnd(yard_nr_zones(yard)), cpu = rnd(m.config.nr_cpus), node = rnd(m.config.nr_nodes);

	switch (rnd(12)) {
	case 0:
	case 1:
	case 2:
		yard_vmstat_update(yard, cpu, chance(20));
		break;
	case 3:
		yard_drain_zone_cpu(yard, zone, cpu);
		break;
	case 4:
		yard_drain_all(yard, chance(50) ? -1 : (int)zone);
		break;
	case 5:
		yard_set_percpu_pagelist_high_fraction(yard, chance(50) ? 0 : rnd(300));
		break;
	case 6:
		yard_pcp_disable(yard, zone, chance(30));
		break;
	case 7:
		if (chance(50))
			yard_set_min_free_kbytes(yard, (int64_t)rnd(6000));
		else
			yard_set_watermark_scale_factor(yard, rnd(400));
		break;
	case 8:
		yard_kswapd_awake(yard, node, chance(30));
		yard_kswapd_pressure(yard, node, chance(30));
		break;
	case 9:
		yard_kswapd_balance_begin(yard, node, rnd(4));
		break;
	case 10:
		yard_kswapd_balance_end(yard, node, rnd(4));
		break;
	default:
		yard_unreserve_highatomic(yard, node, rnd(4), 0, rnd(3), chance(50));
		break;
	}
}

// Every wrong free is refused with the error that fits.
static void op_error(void)
{
	uint32_t pfn = m.first + rnd(m.end - m.first), first;
	unsigned order = any_order(), of;
	enum yard_frame_state s = yard_frame_state(yard, pfn, &first, &of);
	int error;

	if (s == YARD_FRAME_ALLOCATED && pfn == first)
		order = (of + 1 + rnd(10)) % 11;
	error = yard_free(yard, pfn, order);
	require(error == YARD_EDOUBLEFREE || error == YARD_ENOTOWNED, "free(%u, %u) of state %u says %d", pfn, order, s, error);
	if (s == YARD_FRAME_ALLOCATED || s == YARD_FRAME_NONE)
		require(error == YARD_ENOTOWNED, "free(%u, %u) of state %u says %d", pfn, order, s, error);
	else if (pfn == first)
		require(error == YARD_EDOUBLEFREE, "free(%u, %u) of state %u says %d", pfn, order, s, error);
	require(yard_free(yard, m.end + 2048 + rnd(1000), 0) == YARD_ERANGE, "free outside");
	require(yard_free(yard, pfn, 11 + rnd(1000)) == YARD_ERANGE, "free of a large order");
	if (m.nr_held) {
		struct yard_block twice[2];

		first = rnd(m.nr_held);
		twice[0] = twice[1] = (struct yard_block){ m.held[first].pfn, m.held[first].order };
		require(yard_free_batch(yard, twice, 2) == YARD_EDOUBLEFREE, "free_batch of one block twice");
	}
}

static void op_host(void)
{
	yard_sim_set_cpu(yard, rnd(m.config.nr_cpus));
	if (chance(10))
		yard_sim_set_pcp_busy(yard, chance(30));
	if (chance(10))
		yard_sim_set_zone_busy(yard, chance(30));
}

static void step(void)
{
	bool grow = m.pages_held < m.want && room(2100);
	uint32_t r = rnd(1000);

	m.attempt_flags = 0;
	if (r < 800)
		grow ? op_alloc() : op_free();
	else if (r < 850)
		grow ? op_free() : room(1) ? op_alloc() : op_free();
	else if (r < 870)
		op_batch();
	else if (r < 885)
		grow ? op_bulk() : op_batch();
	else if (r < 890)
		grow ? op_exact() : op_free_range();
	else if (r < 895)
		room(64) ? op_split() : op_free();
	else if (r < 905)
		op_free_range();
	else if (r < 910)
		op_free_tail();
	else if (r < 920)
		op_flags();
	else if (r < 926)
		op_isolate_range();
	else if (r < 928)
		grow ? op_contig() : op_free_range();
	else if (r < 938)
		op_take_free_block();
	else if (r < 952)
		op_taken();
	else if (r < 955)
		op_untake();
	else if (r < 960)
		room(1) ? op_capture() : op_free();
	else if (r < 975)
		op_worker();
	else if (r < 980)
		op_error();
	else
		op_host();
	if (!rnd(500))
		m.want = rnd((uint32_t)m.pages_managed + m.end / 10);
}

// At the end everything is given back; then every frame must be free.
static void give_all_back(void)
{
	yard_sim_set_pcp_busy(yard, false);
	yard_sim_set_zone_busy(yard, false);
	while (m.nr_isolations) {
		m.nr_isolations--;
		yard_unisolate_range(yard, m.isolations[m.nr_isolations].start, m.isolations[m.nr_isolations].end);
	}
	while (m.nr_taken)
		op_taken();
	while (m.nr_held)
		op_free();
	yard_drain_all(yard, -1);
	verify();
	require(!m.pages_held && !m.pages_taken, "pages are lost");
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void random_machines(void **state)
{
	uint64_t ops = from_environment("PAGEYARD_RANDOM_OPS", 200000), seed = from_environment("PAGEYARD_RANDOM_SEED", 1);
	uint64_t every = from_environment("PAGEYARD_RANDOM_VERIFY", ops > 1000000 ? 500 : 100);

	(void)state;
	signal(SIGABRT, on_abort);
	signal(SIGSEGV, on_abort);
	for (uint64_t done = 0; done < ops; seed++) {
		make_machine(seed);
		if (m.end > FRAMES_MAX - 4096)
			continue;
		start_machine();
		if (left_out())
			continue;
		verify();
		m.want = rnd((uint32_t)m.pages_managed);
		for (m.op = 0; m.op < OPS_OF_A_MACHINE && done < ops; m.op++, done++) {
			step();
			if (m.op % every == every - 1)
				verify();
		}
		verify();
		give_all_back();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_machines),
	};

	return cmocka_run_group_tests_name("random", tests, NULL, demolish);
}
