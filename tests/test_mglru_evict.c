// SPDX-License-Identifier: Apache-2.0
//
// Spec 04 section 12: what the multi-gen LRU evicts (G-9 to G-12), V-5, V-10.

#include "mglru_fixture.h"

// Pages of the oldest generation of a machine without swap: only file pages are looked at.
static void start_file(uint32_t nr)
{
	start_gen("linux-7.3");
	pages(0, nr, FILE_PAGE, YARD_UNMAPPED);
	forget();
}

// One batch: the goal is small.
static struct scan_control evict_once(void)
{
	return shrink_gen(gen_control(0, CLUSTER_MAX));
}

static void stop_at_tier(unsigned limit) // of file pages
{
	gens()->refaulted[FILE_LRU][limit + 1] = 100000;
	gens()->evicted[FILE_LRU][limit + 1] = 100000;
}

// ---- G-9 ----

static void G9_oldest_first_64_at_once(void **state)
{
	struct scan_control sc;

	(void)state;
	start_file(200);
	sc = evict_once();
	assert_int_equal(sc.nr_reclaimed, 64);
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(in_use(i), i >= 64); // from the tail
	assert_args(LRU_ISOLATE, "2 0 64 64 0 64 2"); // G-12: min(scan, 64)
	assert_int_equal(stat_of(YARD_NODE_PGSCAN_DIRECT), 64);
	assert_int_equal(stat_of(YARD_NODE_PGSCAN_FILE), 64);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_DIRECT), 64);
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_FILE), 64);
	assert_int_equal(stat_of(YARD_NODE_PGREFILL), 0);
	assert_int_equal(stat_of(YARD_NODE_ISOLATED_FILE), 0);
	assert_verified();
}

static void G9_not_with_two_generations(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	gens()->min_seq[FILE_LRU] = gens()->min_seq[ANON] = 2;
	pages(0, 100, FILE_PAGE, YARD_UNMAPPED);
	forget();
	// at priority 12 aging is not due unless it must be
	assert_int_equal(shrink_gen(gen_control(12, CLUSTER_MAX)).nr_reclaimed, 0);
	assert_int_equal(nr_released, 0);
	assert_int_equal(gens()->max_seq, 3);
}

static void G9_promoted_pages_move_to_their_generation(void **state)
{
	(void)state;
	start_file(4);
	pages(4, 5, FILE_PAGE | ACT | WS, YARD_UNMAPPED);
	gen_renumber(yard, base + 1, seq_gen(3), 0, 0);
	forget();
	assert_int_equal(evict_once().nr_reclaimed, 3);
	assert_gen(3, FILE_LRU, "1 4"); // the head
	assert_int_equal(stat_of(YARD_NODE_PGREFILL), 1);
	assert_int_equal(stat_of(YARD_NODE_PGSCAN_FILE), 3); // isolated ones only (T-7)
	assert_verified();
}

static void G9_tiers_above_the_limit_are_protected(void **state)
{
	(void)state;
	start_file(70);
	pages(70, 71, FILE_PAGE | REF, YARD_UNMAPPED); // generation 1
	mark_times(0, 2);			       // tier 1
	mark_times(1, 4);			       // tier 2
	mark_times(2, 1);			       // tier 0
	stop_at_tier(0);
	forget();
	assert_int_equal(evict_once().nr_reclaimed, 62); // 64 visited
	assert_gen(1, FILE_LRU, "1 0 70"); // the head
	assert_int_equal(accesses_of(0), 0);
	assert_int_equal(accesses_of(1), 0);
	assert_int_equal(gens()->protected[FILE_LRU][1], 1);
	assert_int_equal(gens()->protected[FILE_LRU][2], 1);
	assert_int_equal(stat_of(YARD_NODE_PGREFILL), 2);
	assert_false(in_use(2));
	assert_verified();
}

static void G9_saturated_pages(void **state)
{
	(void)state;
	start_file(70);
	mark_times(0, 5); // accesses 4 and workingset: even with limit 3
	mark_times(1, 3); // tier 2: taken
	forget();
	assert_int_equal(evict_once().nr_reclaimed, 63);
	assert_int_equal(seq_of(0), 1);
	assert_int_equal(accesses_of(0), 0);
	assert_true(flags_at(0) & WS);
	assert_int_equal(gens()->protected[FILE_LRU][3], 0); // not counted
	assert_false(in_use(1));
	assert_verified();
}

static void G9_the_refs_counter_goes_if_not_referenced(void **state)
{
	(void)state;
	start_file(1);
	mark_times(0, 3);
	frame_change(yard, base, PG_REFERENCED, 0); // the counter alone
	world.fail_from[CALL_RELEASE] = 1;
	evict_once();
	assert_int_equal(frame_word(yard, base) & PG_REFS, 0);
}

static uint32_t zone_pages[21]; // the first 11 in zone MOVABLE, the very first in generation 1

static void start_zones(void)
{
	static const struct yard_range memory[] = { { BASE, BASE + 8192, 0 } };
	static const uint32_t movable_start[] = { BASE + 4096 };
	struct yard_config config = noted_config("linux-7.3,lru_gen=on");

	config.memory = memory;
	config.nr_memory = 1;
	config.movable_start = movable_start;
	build(&config);
	listen();
	ask.silent = true;
	for (unsigned i = 0; i < 21; i++) {
		uint32_t pfn = yard_alloc(yard, i < 11 ? GFP_M : KERNEL, 0);

		assert_int_equal(yard_zone_of(yard, pfn), i < 11 ? YARD_ZONE_MOVABLE : YARD_ZONE_NORMAL);
		assert_int_equal(yard_lru_add(yard, pfn, FILE_PAGE | (i ? 0 : REF), YARD_UNMAPPED), YARD_OK);
		zone_pages[i] = pfn;
	}
	yard_lru_drain(yard);
	forget();
}

static void G9_zones_above_the_request(void **state)
{
	uint32_t at;

	(void)state;
	start_zones();
	assert_int_equal(shrink_gen(gen_control(0, 1)).nr_reclaimed, 10); // up to NORMAL
	for (unsigned i = 0; i < 21; i++)
		assert_int_equal(in_use(zone_pages[i] - base), i < 11);
	assert_int_equal(gens()->size[seq_gen(1)][FILE_LRU][YARD_ZONE_MOVABLE], 11);
	at = gens()->lists[seq_gen(1)][FILE_LRU][YARD_ZONE_MOVABLE].head;
	for (unsigned i = 0; i < 11; i++, at = frame_at(yard, at)->next)
		assert_int_equal(at, zone_pages[i]); // behind the one that was there, each at the tail
	assert_int_equal(stat_of(YARD_NODE_PGREFILL), 10);
	assert_int_equal(stat_of(YARD_NODE_PGSCAN_FILE), 10);
	assert_verified();
}

static void G9_isolated_pages_are_culled_if_unevictable(void **state)
{
	(void)state;
	start_file(3);
	gen_renumber(yard, base + 1, seq_gen(3), 0, 0); // even if it was promoted
	frame_change(yard, base + 1, 0, PG_MLOCKED);	// its batch has not come yet
	assert_int_equal(evict_once().nr_reclaimed, 2);
	yard_lru_drain(yard);
	assert_true(in_use(1));
	assert_int_equal(stat_of(YARD_NODE_UNEVICTABLE), 1);
	assert_int_equal(stat_of(YARD_NODE_PGSCAN_FILE), 3);
	assert_verified();
}

// ---- G-10 ----

static void G10_empty_generations_are_left(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 10, FILE_PAGE | REF, YARD_UNMAPPED); // generation 1
	forget();
	assert_int_equal(evict_once().nr_reclaimed, 10);
	assert_true(gens()->min_seq[FILE_LRU] >= 1);
	assert_in_range(nr_gens(gens(), FILE_LRU), MIN_GENS, NR_GENS);
	assert_in_range(nr_gens(gens(), ANON), MIN_GENS, NR_GENS);
	assert_verified();
}

static void G10_no_type_runs_ahead(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	yard_set_swap(yard, 1000, 1000);
	pages(0, 200, FILE_PAGE, YARD_UNMAPPED); // generation 0; no anon at all
	forget();
	evict_once();
	assert_int_equal(gens()->min_seq[FILE_LRU], 0);
	assert_int_equal(gens()->min_seq[ANON], 1); // held at max_seq - 2
	start_gen("linux-7.3");
	pages(0, 200, FILE_PAGE, YARD_UNMAPPED);
	forget();
	evict_once(); // without swap anon is not evictable: it may run
	assert_int_equal(gens()->min_seq[FILE_LRU], 0);
}

static void G10_a_second_try_for_clean_survivors(void **state)
{
	(void)state;
	start_file(128);
	world.fail_from[CALL_RELEASE] = 1;
	shrink_gen(gen_control(1, CLUSTER_MAX)); // one batch of 64
	assert_int_equal(world.calls[CALL_RELEASE], 2 * 64);
	assert_int_equal(seq_of(0), 2); // not back into the oldest: active, the second youngest
	assert_int_equal(seq_of(64), 0);
	assert_int_equal(stat_of(YARD_NODE_PGROTATE_FILE), 64); // V-10
	assert_int_equal(stat_of(YARD_NODE_PGSCAN_FILE), 64); // once
	assert_verified();
}

static void G10_workingset_survivors_become_the_youngest(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	gens()->min_seq[FILE_LRU] = 1;
	pages(0, 1, FILE_PAGE | WS, YARD_UNMAPPED); // generation 1
	pages(1, USED, FILE_PAGE | REF, YARD_UNMAPPED);
	forget();
	world.fail_from[CALL_RELEASE] = 1;
	shrink_gen(gen_control(12, CLUSTER_MAX)); // the oldest page; no aging
	assert_int_equal(seq_of(0), 3);
	assert_int_equal(accesses_of(0), 0);
	assert_verified();
}

static void G10_kept_pages(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 128, FILE_PAGE, YARD_UNMAPPED);
	yard_lru_map(yard, base, YARD_MAPPED);
	touch(0, 1);
	forget();
	shrink_gen(gen_control(1, CLUSTER_MAX));
	assert_int_equal(accesses_of(0), 1); // KEEP: first sighting
	assert_int_equal(seq_of(0), 1);	     // referenced: max_seq - 2
	assert_int_equal(stat_of(YARD_NODE_PGROTATE_FILE), 1);
	assert_int_equal(arg_of(E(LRU_SHRINK_INACTIVE), 9), 1);
	assert_verified();
}

static void G10_dirty_pages(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 128, FILE_PAGE | DIRTY, YARD_UNMAPPED);
	forget();
	shrink_gen(gen_control(1, CLUSTER_MAX));
	assert_int_equal(world.calls[CALL_WRITE_OUT], 0);
	assert_true(flags_at(0) & RECL);
	assert_true(back_of(0) <= 1); // active; freed after its write, from the tail
	assert_true(world.flusher_wakes > 0); // C-6.6
	assert_int_equal(stat_of(YARD_NODE_VMSCAN_IMMEDIATE), 64);
	assert_verified();
}

static void V10_rotations_were_not_counted(void **state)
{
	(void)state;
	start_gen("linux-7.2");
	pages(0, 128, FILE_PAGE, YARD_UNMAPPED);
	forget();
	world.fail_from[CALL_RELEASE] = 1;
	shrink_gen(gen_control(1, CLUSTER_MAX));
	assert_int_equal(stat_of(YARD_NODE_PGROTATE_FILE), 0);
}

// ---- G-11: choices ----

static void G11_type_choice_by_swappiness(void **state)
{
	struct lru_gen g = { .max_seq = 3 };

	(void)state;
	assert_int_equal(gen_choose_type(&g, 0), FILE_LRU);
	assert_int_equal(gen_choose_type(&g, 1), FILE_LRU);
	assert_int_equal(gen_choose_type(&g, 200), ANON);
	assert_int_equal(gen_choose_type(&g, SWAPPINESS_ANON_ONLY), ANON);
	g.refaulted[FILE_LRU][0] = 100000;
	g.evicted[FILE_LRU][0] = 1;
	assert_int_equal(gen_choose_type(&g, 1), FILE_LRU);
}

static bool file_by_rule(uint64_t sp_refaulted, uint64_t sp_total, uint64_t sp_gain, uint64_t pv_refaulted,
			 uint64_t pv_total, uint64_t pv_gain)
{
	return pv_refaulted < 64 || pv_refaulted * (sp_total + 64) * sp_gain <= (sp_refaulted + 1) * pv_total * pv_gain;
}

static void G11_type_choice(void **state)
{
	static const struct {
		uint64_t anon_refaulted, anon_total, file_refaulted, file_total;
		int swappiness;
		unsigned type;
	} rows[] = {
		{ 0, 0, 63, 100, 60, FILE_LRU },
		{ 0, 0, 64, 100, 60, ANON },	      // 64 * 64 * 60 > 100 * 140
		{ 0, 0, 64, 1756, 60, FILE_LRU },     // 245760 <= 245840
		{ 0, 0, 64, 1755, 60, ANON },	      // 245760 > 245700
		{ 99, 1000, 100, 760, 100, ANON },     // equal gains: 100 * 1064 > 100 * 760
		{ 99, 1000, 100, 1064, 100, FILE_LRU },
		{ 99, 1000, 100, 1063, 100, ANON },
		{ 0, 0, 64, 36, 199, ANON },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lru_gen g = { .max_seq = 3 };
		uint64_t gain = (uint64_t)rows[i].swappiness;
		unsigned expected = file_by_rule(rows[i].anon_refaulted, rows[i].anon_total, gain, rows[i].file_refaulted,
						 rows[i].file_total, 200 - gain) ? FILE_LRU : ANON;

		assert_int_equal(expected, rows[i].type);
		// over all tiers, averages and what is counted now
		g.refaulted[ANON][3] = rows[i].anon_refaulted / 2;
		g.avg_refaulted[ANON][1] = rows[i].anon_refaulted - rows[i].anon_refaulted / 2;
		g.protected[ANON][2] = rows[i].anon_total / 4;
		g.evicted[ANON][0] = rows[i].anon_total / 4;
		g.avg_total[ANON][1] = rows[i].anon_total - rows[i].anon_total / 4 * 2;
		g.avg_refaulted[FILE_LRU][0] = rows[i].file_refaulted / 2;
		g.refaulted[FILE_LRU][2] = rows[i].file_refaulted - rows[i].file_refaulted / 2;
		g.evicted[FILE_LRU][3] = rows[i].file_total / 2;
		g.avg_total[FILE_LRU][0] = rows[i].file_total - rows[i].file_total / 2;
		if (gen_choose_type(&g, rows[i].swappiness) != expected)
			fail_msg("row %zu", i);
	}
}

static void G11_tier_limit(void **state)
{
	struct lru_gen g = { .max_seq = 3 };

	(void)state;
	assert_int_equal(gen_tier_limit(&g, FILE_LRU), 3);
	for (unsigned tier = 3; tier >= 1; tier--) { // the first that fails decides
		g.refaulted[FILE_LRU][tier] = 64;
		g.evicted[FILE_LRU][tier] = 10; // 64 * 64 * 2 > 10 * 3
		assert_int_equal(gen_tier_limit(&g, FILE_LRU), tier - 1);
	}
	assert_int_equal(gen_tier_limit(&g, ANON), 3);
	// the border: 64 * (0 + 64) * 2 = 8192 <= 1 * total * 3
	memset(&g, 0, sizeof g);
	g.refaulted[FILE_LRU][2] = 64;
	g.evicted[FILE_LRU][2] = 2731;
	assert_int_equal(gen_tier_limit(&g, FILE_LRU), 3);
	g.evicted[FILE_LRU][2] = 2730;
	assert_int_equal(gen_tier_limit(&g, FILE_LRU), 1);
	g.refaulted[FILE_LRU][2] = 63;
	assert_int_equal(gen_tier_limit(&g, FILE_LRU), 3);
	// the setpoint is tier 0
	g.refaulted[FILE_LRU][2] = 1000;
	g.refaulted[FILE_LRU][0] = 1000, g.evicted[FILE_LRU][0] = 1000; // 1000 * 1064 * 2 <= 1001 * total * 3
	g.evicted[FILE_LRU][2] = 709;
	assert_int_equal(gen_tier_limit(&g, FILE_LRU), 3);
	g.evicted[FILE_LRU][2] = 708;
	assert_int_equal(gen_tier_limit(&g, FILE_LRU), 1);
}

static void G11_effective_swappiness(void **state)
{
	struct scan_control sc = control();

	(void)state;
	start_gen("linux-7.3");
	yard_set_swap(yard, 1000, 1000);
	assert_int_equal(gen_swappiness(yard, 0, &sc), 60);
	sc.swappiness = 7;
	assert_int_equal(gen_swappiness(yard, 0, &sc), 7);
	sc.swappiness = -1;
	yard_set_swap(yard, 1000, 64);
	assert_int_equal(gen_swappiness(yard, 0, &sc), 60);
	yard_set_swap(yard, 1000, 63);
	assert_int_equal(gen_swappiness(yard, 0, &sc), 0);
	sc.swappiness = SWAPPINESS_ANON_ONLY; // as is
	assert_int_equal(gen_swappiness(yard, 0, &sc), SWAPPINESS_ANON_ONLY);
	sc.may_swap = false;
	assert_int_equal(gen_swappiness(yard, 0, &sc), SWAPPINESS_ANON_ONLY);
	sc.swappiness = -1;
	yard_set_swap(yard, 1000, 1000);
	assert_int_equal(gen_swappiness(yard, 0, &sc), 0);
}

static void G11_the_other_type_if_nothing_was_scanned(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	yard_set_swap(yard, 1000, 1000);
	pages(0, 100, ANON_PAGE | SWAPC, YARD_UNMAPPED); // no file pages, which would be chosen
	forget();
	assert_true(evict_once().nr_reclaimed > 0);
	assert_true(isolated_from(IA) + isolated_from(AA) > 0);
	assert_verified();
}

// ---- G-11: shadows ----

static uint64_t evict_with(unsigned marks, uint32_t flags)
{
	start_gen("linux-7.3");
	pages(0, 1, FILE_PAGE | flags, YARD_UNMAPPED);
	mark_times(0, marks);
	forget();
	assert_int_equal(evict_once().nr_reclaimed, 1);
	assert_int_not_equal(shadow_of[0], 0);
	return shadow_of[0];
}

static void G11_evictions_by_tier(void **state)
{
	static const unsigned tier[] = { 0, 0, 1, 2, 2 };

	(void)state;
	for (unsigned marks = 0; marks < COUNT(tier); marks++) {
		uint64_t sum = 0;

		start_gen("linux-7.3");
		pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
		pages(1, 2000, FILE_PAGE, YARD_UNMAPPED);
		mark_times(0, marks);
		forget();
		shrink_gen(gen_control(4, CLUSTER_MAX)); // the generation is not empty
		assert_false(in_use(0));
		for (unsigned t = 0; t < NR_TIERS; t++)
			sum += gens()->evicted[FILE_LRU][t];
		assert_int_equal(sum, 64);
		assert_int_equal(gens()->evicted[FILE_LRU][tier[marks]], tier[marks] ? 1 : 64);
	}
}

// A page of the same content comes back.
static uint32_t refault(uint32_t offset, uint64_t shadow)
{
	int flags = yard_lru_refault(yard, base + offset, FILE_PAGE, shadow);

	assert_true(flags >= 0);
	return (uint32_t)flags;
}

static void G11_recent_refault_restores_the_counter(void **state)
{
	static const unsigned tier[] = { 0, 0, 1, 2, 2 };

	(void)state;
	for (unsigned marks = 0; marks < COUNT(tier); marks++) {
		uint64_t shadow = evict_with(marks, 0), before;
		uint32_t flags;

		before = gens()->refaulted[FILE_LRU][tier[marks]];
		flags = refault(100, shadow);
		assert_int_equal(gens()->refaulted[FILE_LRU][tier[marks]], before + 1);
		assert_int_equal(stat_of(YARD_NODE_WORKINGSET_REFAULT_FILE), 1);
		assert_int_equal(stat_of(YARD_NODE_WORKINGSET_RESTORE_FILE), 0);
		assert_false(flags & WS);
		pages(100, 101, FILE_PAGE | flags, YARD_UNMAPPED);
		assert_int_equal(frame_word(yard, base + 100) >> PG_REFS_SHIFT, marks ? marks - 1 : 0);
		assert_verified();
	}
}

static void G11_recent_refault_of_the_workingset(void **state)
{
	uint64_t shadow;

	(void)state;
	shadow = evict_with(0, WS);
	assert_true(refault(100, shadow) & WS);
	assert_int_equal(stat_of(YARD_NODE_WORKINGSET_RESTORE_FILE), 1);
	assert_int_equal(gens()->refaulted[FILE_LRU][3], 1);
}

static void G11_recent_means_four_generations(void **state)
{
	(void)state;
	for (unsigned agings = 0; agings < 6; agings++) {
		uint64_t shadow = evict_with(0, WS);
		uint64_t stored = gens()->min_seq[FILE_LRU]; // after the second flush of G-10

		assert_int_equal(stored, 2);

		for (unsigned i = 0; i < agings; i++)
			gen_run_aging(yard, 0, 0);
		refault(100, shadow);
		assert_int_equal(stat_of(YARD_NODE_WORKINGSET_REFAULT_FILE), 1);
		assert_int_equal(stat_of(YARD_NODE_WORKINGSET_RESTORE_FILE), gens()->max_seq - stored < 4);
	}
}

// ---- G-12 ----

static void G12_the_window(void **state)
{
	(void)state;
	start_file(2048);
	shrink_gen(gen_control(4, 100000)); // 2048 >> 4 = 128: two batches
	assert_int_equal(nr_released, 128);
	assert_column(LRU_ISOLATE, 5, "64 64");
	start_file(2048);
	shrink_gen(gen_control(12, 32)); // nothing
	assert_int_equal(nr_released, 0);
	start_file(2048);
	shrink_gen(gen_control(6, 32)); // 32
	assert_int_equal(nr_released, 32);
}

static void G12_stops_at_the_goal(void **state)
{
	struct scan_control sc = gen_control(1, 65);

	(void)state;
	start_file(2048);
	shrink_gen(sc);
	assert_int_equal(nr_released, 128); // 64 < 65 <= 128
	start_file(2048);
	sc.nr_to_reclaim = 1;
	sc.order = 9;
	shrink_gen(sc);
	assert_int_equal(nr_released, 64); // compact_gap: 32
	start_gen("linux-7.3,gap_cap=off");
	pages(0, 2048, FILE_PAGE, YARD_UNMAPPED);
	forget();
	shrink_gen(sc);
	assert_int_equal(nr_released, 1024);
}

static void G12_nothing_without_both_permissions(void **state)
{
	(void)state;
	for (unsigned may = 0; may < 4; may++) {
		struct scan_control sc = gen_control(2, 32);

		start_file(2048);
		script(1, 1, 1);
		sc.may_writepage = may & 1;
		sc.may_unmap = may & 2;
		sc = shrink_gen(sc);
		assert_int_equal(sc.nr_reclaimed > 0, may == 3);
		assert_int_equal(story.round, may == 3); // slab, once
	}
}

static void G12_kswapd_stops_when_all_zones_have_enough(void **state)
{
	static const struct {
		int above; // free pages above high + 64
		uint8_t order;
		uint64_t freed;
	} rows[] = { { 1, 0, 64 }, { 0, 0, 1024 }, { 1, 1, 1024 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scan_control sc = gen_control(1, 100000);

		start_file(2048);
		set_pcps(normal(), 63, 8192, 8192); // what is freed stays there
		normal()->pcp[0].high = 8192;
		set_wmarks(normal(), 10, 20, (uint32_t)(nr_free_pages(NORMAL) - 64 - rows[i].above));
		sc.role = ROLE_KSWAPD;
		sc.order = rows[i].order;
		shrink_gen(sc);
		assert_int_equal(nr_released, rows[i].freed);
	}
}

static void G12_kswapd_judges_each_pass_from_0(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct scan_control sc = gen_control(1, 1000);

		start_file(2048);
		set_wmarks(normal(), 10, 20, FRAMES);
		sc.role = i ? ROLE_KSWAPD : ROLE_DIRECT;
		sc.nr_reclaimed = 5000; // in passes before
		sc = shrink_gen(sc);
		assert_int_equal(nr_released, i ? 1024 : 64);
		assert_int_equal(sc.nr_reclaimed, 5000 + nr_released);
	}
}

static void G12_promo_mark_when_tiering(void **state)
{
	struct yard_config config = noted_config("linux-7.3,lru_gen=on");

	(void)state;
	for (unsigned tiering = 0; tiering < 2; tiering++) {
		struct scan_control sc = gen_control(1, 100000);

		config.memory_tiering = tiering;
		machine_of(config, FRAMES, USED);
		ask.silent = true;
		pages(0, 2048, FILE_PAGE, YARD_UNMAPPED);
		set_wmarks(normal(), 10, 20, 30);
		normal()->wmark[WMARK_PROMO] = FRAMES;
		forget();
		sc.role = ROLE_KSWAPD;
		shrink_gen(sc);
		assert_int_equal(nr_released, tiering ? 1024 : 64);
	}
}

static struct yard_task signalled = { .pid = 4, .flags = YARD_TASK_SIGNAL | YARD_TASK_MEMALLOC };

static void G12_proactive_runs_heed_signals(void **state)
{
	struct scan_control sc = gen_control(1, 100000);

	(void)state;
	start_file(2048);
	sc.role = ROLE_PROACTIVE;
	yard_set_current(yard, &signalled);
	shrink_node(yard, 0, &sc);
	assert_int_equal(nr_released, 64);
	yard_set_current(yard, NULL);
}

static void G12_aging_ends_root_reclaim(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	gens()->min_seq[FILE_LRU] = gens()->min_seq[ANON] = 1; // 1 + 2 = max_seq: due below priority 12
	pages(0, 2048, FILE_PAGE, YARD_UNMAPPED);
	forget();
	shrink_gen(gen_control(1, 100000));
	assert_int_equal(gens()->max_seq, 4);
	assert_int_equal(nr_released, 64); // one batch after it
	assert_verified();
	start_gen("linux-7.3");
	gens()->min_seq[FILE_LRU] = gens()->min_seq[ANON] = 1;
	pages(0, 8192 / 2, FILE_PAGE, YARD_UNMAPPED);
	forget();
	shrink_gen(gen_control(12, 32)); // not at priority 12
	assert_int_equal(gens()->max_seq, 3);
	start_gen("linux-7.3");
	gens()->min_seq[FILE_LRU] = gens()->min_seq[ANON] = 2; // must
	pages(0, 8192 / 2, FILE_PAGE, YARD_UNMAPPED);
	forget();
	shrink_gen(gen_control(12, 32));
	assert_int_equal(gens()->max_seq, 4);
}

static void G12_no_classic_bookkeeping(void **state)
{
	struct scan_control sc = gen_control(1, 64);

	(void)state;
	start_gen("linux-7.3");
	pages(0, 256, FILE_PAGE | WB | RECL, YARD_UNMAPPED);
	yard_mod_node_stat(yard, 0, YARD_NODE_PGROTATE_FILE, 500);
	sc.role = ROLE_KSWAPD;
	shrink_gen(sc);
	assert_int_equal(yard->mm[0].flags, 0); // C-10.4, C-10.5
	assert_int_equal(naps.nr, 0);
	assert_int_equal(yard->mm[0].lruvec.cost[FILE_LRU], 0); // C-2
	assert_int_equal(count_events(E(LRU_SHRINK_ACTIVE)), 0);
}

static void G12_clears_hopeless(void **state)
{
	(void)state;
	start_file(2048);
	watch(E(KSWAPD_CLEAR_HOPELESS));
	kswapd()->failures = 16;
	evict_once();
	assert_steps("kswapd_clear_hopeless(0,2)"); // K-15(a)
}

static void G12_drains_once(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	for (uint32_t i = 0; i < 10; i++)
		lru_page(i, FILE_PAGE, YARD_UNMAPPED); // in a batch
	assert_int_equal(evict_once().nr_reclaimed, 10);
	assert_verified();
}

static void O10_boosted_runs_only_wake_kcompactd(void **state)
{
	(void)state;
	start_file(2048);
	sleep_fully(0);
	normal()->boost = 100;
	wake(0);
	watch(KINDS);
	assert_wait(run(true), SHORT_SLEEP);
	assert_steps("kswapd_wake(0,2,0) balance_pgdat_begin(0,0,2) balance_pgdat_end(0,0,2,0)");
	assert_int_equal(nr_released, 0);
	assert_int_equal(normal()->boost, 0);
	assert_int_equal(yard->mm[0].kcompactd.max_order, YARD_PAGEBLOCK_ORDER);
}

static void G12_kswapd_end_to_end(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	yard_set_swap(yard, 4000, 4000);
	pages(0, 2000, FILE_PAGE, YARD_UNMAPPED);
	pages(2000, 4000, ANON_PAGE, YARD_UNMAPPED);
	sleep_fully(0);
	set_wmarks(normal(), 10, 20, 4096 + 1500);
	wake(0);
	forget();
	assert_wait(run(true), SHORT_SLEEP);
	assert_true(node_balanced(yard, 0, 0, NORMAL));
	assert_true(nr_released >= 1500);
	assert_identities();
	assert_int_equal(stat_of(YARD_NODE_PGSTEAL_KSWAPD), (int64_t)nr_released);
	assert_verified();
}

// Whatever happens, the invariants of G-2 hold.
static void G2_invariants_at_random(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		random_state = round;
		start_gen("linux-7.3");
		yard_set_swap(yard, 3000, random_below(3000));
		for (uint32_t i = 0; i < USED; i++)
			lru_page(i, (random_below(2) ? ANON_PAGE : FILE_PAGE) | (random_below(4) ? 0 : ACT)
					 | (random_below(4) ? 0 : WS) | (random_below(4) ? 0 : REF)
					 | (random_below(8) ? 0 : DIRTY),
				 random_below(4));
		yard_lru_drain(yard);
		world.fail_every[CALL_RELEASE] = 3;
		for (unsigned n = 0; n < 60; n++) {
			for (unsigned t = 0; t < 100; t++) {
				uint32_t i = random_below(USED);

				if (!in_use(i))
					continue;
				random_below(2) ? yard_lru_touch(yard, base + i, 1 + random_below(2), false)
						: yard_lru_mark_accessed(yard, base + i);
			}
			shrink_gen(gen_control((int8_t)random_below(13), 32 + random_below(200)));
			for (unsigned type = 0; type < LRU_TYPES; type++)
				assert_in_range(nr_gens(gens(), type), MIN_GENS, NR_GENS);
			assert_identities();
			if (n % 10 == 0)
				assert_verified();
		}
		assert_verified();
	}
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(G9_oldest_first_64_at_once), TEST(G9_not_with_two_generations),
		TEST(G9_promoted_pages_move_to_their_generation), TEST(G9_tiers_above_the_limit_are_protected),
		TEST(G9_saturated_pages), TEST(G9_the_refs_counter_goes_if_not_referenced),
		TEST(G9_zones_above_the_request), TEST(G9_isolated_pages_are_culled_if_unevictable),
		TEST(G10_empty_generations_are_left), TEST(G10_no_type_runs_ahead),
		TEST(G10_a_second_try_for_clean_survivors), TEST(G10_workingset_survivors_become_the_youngest),
		TEST(G10_kept_pages), TEST(G10_dirty_pages), TEST(V10_rotations_were_not_counted),
		TEST(G11_type_choice_by_swappiness), TEST(G11_type_choice), TEST(G11_tier_limit),
		TEST(G11_effective_swappiness), TEST(G11_the_other_type_if_nothing_was_scanned),
		TEST(G11_evictions_by_tier), TEST(G11_recent_refault_restores_the_counter),
		TEST(G11_recent_refault_of_the_workingset), TEST(G11_recent_means_four_generations),
		TEST(G12_the_window), TEST(G12_stops_at_the_goal), TEST(G12_nothing_without_both_permissions),
		TEST(G12_kswapd_stops_when_all_zones_have_enough), TEST(G12_kswapd_judges_each_pass_from_0),
		TEST(G12_promo_mark_when_tiering), TEST(G12_proactive_runs_heed_signals),
		TEST(G12_aging_ends_root_reclaim), TEST(G12_no_classic_bookkeeping), TEST(G12_clears_hopeless),
		TEST(G12_drains_once), TEST(O10_boosted_runs_only_wake_kcompactd), TEST(G12_kswapd_end_to_end),
		TEST(G2_invariants_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
