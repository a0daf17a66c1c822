// SPDX-License-Identifier: Apache-2.0
//
// How much of which list is scanned: preparation, balance, the loop over the lists (spec 04 C-2 to C-4, C-9, X-1 to
// X-3, V-3).

#include "reclaim_fixture.h"


static struct scan_control prepared(int priority)
{
	struct scan_control sc = control();

	sc.priority = (int8_t)priority;
	prepare_scan(yard, 0, &sc);
	return sc;
}

#define assert_targets(sc, ia, aa, inactive_file, af)                                                                \
	check_targets(sc, (const uint64_t[]){ ia, aa, inactive_file, af }, __FILE__, __LINE__)
static void check_targets(const struct scan_control *sc, const uint64_t *expected, const char *file, int line)
{
	uint64_t nr[YARD_LRU_UNEVICTABLE];

	scan_targets(yard, 0, sc, nr);
	for (unsigned i = 0; i < COUNT(nr); i++)
		if (nr[i] != expected[i]) {
			print_error("targets: expected %d %d %d %d, actual %d %d %d %d\n", (int)expected[0],
				    (int)expected[1], (int)expected[2], (int)expected[3], (int)nr[0], (int)nr[1],
				    (int)nr[2], (int)nr[3]);
			_fail(file, line);
		}
}

static void balance_machine(void) // lists by pretending only
{
	machine(8192, 1);
	yard_set_swap(yard, 1000000, 1000000);
}

// ---- C-9 ----

static void C9_ratios(void **state)
{
	static const struct { uint64_t gb; unsigned ratio; } rows[] = {
		{ 1, 3 }, { 4, 6 }, { 10, 10 }, { 64, 25 }, { 100, 31 }, { 1024, 101 } };

	(void)state;
	assert_int_equal(inactive_ratio(0), 1);
	assert_int_equal(inactive_ratio(262143), 1);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(inactive_ratio(rows[i].gb << 18), rows[i].ratio);
	assert_int_equal(inactive_ratio((uint64_t)3100000), 10);
}

static void X1_inactive_is_low(void **state)
{
	(void)state;
	balance_machine();
	pretend_lists(0, 0, 700000, 2400000);
	assert_false(inactive_is_low(yard, 0, FILE_LRU));
	pretend_lists(0, 0, 200000, 2900000);
	assert_true(inactive_is_low(yard, 0, FILE_LRU));
	assert_false(inactive_is_low(yard, 0, ANON)); // 0 < 0
	pretend_lists(100, 100, 0, 0); // under 1 GB: ratio 1
	assert_false(inactive_is_low(yard, 0, ANON));
	pretend_lists(100, 101, 0, 0);
	assert_true(inactive_is_low(yard, 0, ANON));
}

// ---- C-2.1, V-3 ----

static void C2_1_costs_grow_by_rotations_and_io(void **state)
{
	struct scan_control sc;

	(void)state;
	balance_machine();
	pretend_lists(1000000, 1000000, 1000000, 1000000);
	yard_mod_node_stat(yard, 0, YARD_NODE_PGROTATE_FILE, 10);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_RESTORE_FILE, 3);
	yard_mod_node_stat(yard, 0, YARD_NODE_PGROTATE_ANON, 7);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_RESTORE_ANON, 2);
	yard_mod_node_stat(yard, 0, YARD_NODE_VMSCAN_WRITE, 4);
	sc = prepared(12);
	assert_int_equal(sc.cost[FILE_LRU], 3 * 32 + 10);
	assert_int_equal(sc.cost[ANON], (2 + 4) * 32 + 7);
	sc = prepared(12); // nothing has grown
	assert_int_equal(sc.cost[FILE_LRU], 106);
	assert_int_equal(sc.cost[ANON], 199);
	yard_mod_node_stat(yard, 0, YARD_NODE_PGROTATE_FILE, 1);
	sc = prepared(12);
	assert_int_equal(sc.cost[FILE_LRU], 107);
	assert_int_equal(yard->mm[0].lruvec.cost[FILE_LRU], 107);
}

static void C2_1_costs_are_halved_until_they_are_a_quarter_of_the_lists(void **state)
{
	struct scan_control sc;

	(void)state;
	balance_machine();
	pretend_lists(1000, 1000, 1000, 1000); // a quarter: 1000
	yard_mod_node_stat(yard, 0, YARD_NODE_PGROTATE_FILE, 5001);
	yard_mod_node_stat(yard, 0, YARD_NODE_PGROTATE_ANON, 3001);
	sc = prepared(12); // 8002, 4000 (2500 + 1500), 2000, 1000 is not above 1000
	assert_int_equal(sc.cost[FILE_LRU], 625);
	assert_int_equal(sc.cost[ANON], 375);
	yard_mod_node_stat(yard, 0, YARD_NODE_PGROTATE_ANON, 1); // 1001
	sc = prepared(12);
	assert_int_equal(sc.cost[FILE_LRU], 312);
	assert_int_equal(sc.cost[ANON], 188);
	pretend_lists(0, 0, 0, 0);
	sc = prepared(12);
	assert_int_equal(sc.cost[FILE_LRU] + sc.cost[ANON], 0);
}

static void V3_before_7_3_costs_are_charged_at_each_event(void **state)
{
	struct lruvec *v;
	struct scan_control sc = kswapd_control();

	(void)state;
	machine_of(noted_config("linux-7.2"), 8192, 1024);
	v = &yard->mm[0].lruvec;
	yard_set_swap(yard, 1000, 1000);
	pages(0, 400, FILE_PAGE, YARD_UNMAPPED);
	pages(400, 410, FILE_PAGE | DIRTY, YARD_UNMAPPED); // not written: scanned, not reclaimed
	pages(410, 800, FILE_PAGE | ACT, YARD_UNMAPPED);
	pages(800, 804, FILE_PAGE | ACT, YARD_MAPPED_EXEC);
	pages(804, 808, ANON_PAGE, YARD_MAPPED);
	for (uint32_t i = 0; i < 400; i++) // so the dirty ones are the oldest
		if (lru_isolate(yard, base + i))
			lru_putback(yard, base + i, false);
	yard_lru_drain(yard);
	ask.silent = true;
	assert_int_equal(shrink_inactive(yard, 0, &sc, 10, IF), 0);
	assert_int_equal(v->cost[FILE_LRU], 10); // scanned - reclaimed
	assert_int_equal(shrink_inactive(yard, 0, &sc, 4, IA), 4);
	assert_int_equal(v->cost[ANON], 4 * 32); // pageouts
	assert_int_equal(v->cost[FILE_LRU], 10);
	for (uint32_t i = 410; i < 800; i++) // so the executable ones are the oldest
		if (lru_isolate(yard, base + i))
			lru_putback(yard, base + i, false);
	yard_lru_drain(yard);
	for (uint32_t i = 800; i < 804; i++)
		touch(i, 1);
	shrink_active(yard, 0, &sc, 14, AF);
	assert_int_equal(v->cost[FILE_LRU], 14); // 4 rotated
	assert_true(yard_lru_refault(yard, base + 900, FILE_PAGE, 1 | 2 | (age() << 24)) >= 0); // present, workingset
	assert_int_equal(node_counter(YARD_NODE_WORKINGSET_RESTORE_FILE), 1);
	// 14 + 32 + 128 = 174, the lists / 4 = 201: not halved yet
	assert_int_equal(v->cost[FILE_LRU], 46);
	assert_int_equal(v->cost[ANON], 128);
	assert_true(yard_lru_refault(yard, base + 900, FILE_PAGE, 1 | 2 | (age() << 24)) >= 0);
	// 78 + 128 = 206 > 804 / 4: once
	assert_int_equal(v->cost[FILE_LRU], 39);
	assert_int_equal(v->cost[ANON], 64);
	sc.priority = 12;
	prepare_scan(yard, 0, &sc); // nothing more is added
	assert_int_equal(sc.cost[FILE_LRU], 39);
	assert_int_equal(sc.cost[ANON], 64);
}

// ---- C-2.2 to C-2.4 ----

static void C2_2_deactivation_needs_refaults_or_a_low_inactive_list(void **state)
{
	struct scan_control sc;

	(void)state;
	balance_machine();
	pretend_lists(100, 100, 100, 100);
	snapshot_refaults(yard, 0);
	sc = prepared(12);
	assert_false(sc.may_deactivate[ANON]);
	assert_false(sc.may_deactivate[FILE_LRU]);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_FILE, 1);
	sc = prepared(12);
	assert_false(sc.may_deactivate[ANON]);
	assert_true(sc.may_deactivate[FILE_LRU]);
	snapshot_refaults(yard, 0); // D-5
	sc = prepared(12);
	assert_false(sc.may_deactivate[FILE_LRU]);
	yard_mod_node_stat(yard, 0, YARD_NODE_WORKINGSET_ACTIVATE_ANON, 1);
	pretend(AF, 101); // inactive is low
	sc = prepared(12);
	assert_true(sc.may_deactivate[ANON]);
	assert_true(sc.may_deactivate[FILE_LRU]);
	pretend(AF, 100);
	snapshot_refaults(yard, 0);
	sc = control();
	sc.force_deactivate = true;
	prepare_scan(yard, 0, &sc);
	assert_true(sc.may_deactivate[ANON] && sc.may_deactivate[FILE_LRU]);
}

static void C2_3_cache_trim(void **state)
{
	struct scan_control sc;

	(void)state;
	balance_machine();
	pretend_lists(0, 0, 4096, 0);
	assert_true(prepared(12).cache_trim_mode);
	pretend(IF, 4095); // >> 12 is 0
	assert_false(prepared(12).cache_trim_mode);
	assert_true(prepared(11).cache_trim_mode);
	pretend(AF, 5000); // inactive is low: file may be deactivated
	assert_false(prepared(11).cache_trim_mode);
	pretend(AF, 0);
	sc = control();
	sc.priority = 11;
	sc.no_cache_trim_mode = true;
	prepare_scan(yard, 0, &sc);
	assert_false(sc.cache_trim_mode);
}

static void C2_4_file_is_tiny(void **state)
{
	int64_t free_pages;
	struct scan_control sc;

	(void)state;
	balance_machine();
	free_pages = nr_free_pages(NORMAL);
	pretend_lists(8192, 0, 60, 40);
	set_wmarks(normal(), 1, 2, (uint32_t)free_pages + 100);
	assert_true(prepared(12).file_is_tiny); // equal is enough
	pretend(IF, 61);
	assert_false(prepared(12).file_is_tiny);
	normal()->boost = 1; // the watermark includes boost
	assert_true(prepared(12).file_is_tiny);
	pretend(IA, 4095);
	assert_false(prepared(12).file_is_tiny);
	pretend(IA, 8192);
	pretend(AA, 9000); // anon may be deactivated
	assert_false(prepared(12).file_is_tiny);
	pretend(AA, 0);
	sc = prepared(12);
	assert_true(sc.file_is_tiny);
	pretend_lists(0, 0, 0, 0);
}

// ---- C-4 ----

static void X2_weights(void **state)
{
	static const struct { uint64_t cost[2]; unsigned swappiness; uint64_t weight[2], sum; } rows[] = {
		{ { 0, 0 }, 60, { 60, 140 }, 200 },
		{ { 1000, 0 }, 60, { 89, 419 }, 508 },
		{ { 0, 1000 }, 60, { 179, 209 }, 388 },
		{ { 1000, 1000 }, 60, { 119, 279 }, 398 },
		{ { 1000, 0 }, 100, { 149, 299 }, 448 },
		{ { 500, 100 }, 200, { 327, 0 }, 327 },
		{ { 500, 100 }, 0, { 0, 513 }, 513 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t weight[2];

		assert_int_equal(scan_weights(rows[i].cost, rows[i].swappiness, weight), rows[i].sum);
		assert_int_equal(weight[ANON], rows[i].weight[ANON]);
		assert_int_equal(weight[FILE_LRU], rows[i].weight[FILE_LRU]);
	}
}

static void X2_targets(void **state)
{
	struct scan_control sc = control();

	(void)state;
	balance_machine();
	pretend_lists(4000000, 2000000, 1000000, 3000000);
	assert_targets(&sc, 292, 146, 170, 512);
	pretend_lists(0, 0, 0, 0);
}

static void C4_first_match_wins(void **state)
{
	struct scan_control sc = control();

	(void)state;
	balance_machine();
	pretend_lists(40960, 81920, 122880, 163840); // >> 12: 10, 20, 30, 40
	sc.file_is_tiny = sc.cache_trim_mode = true;
	sc.swappiness = SWAPPINESS_ANON_ONLY; // a
	assert_targets(&sc, 10, 20, 0, 0);
	yard_set_swap(yard, 1000, 0);
	assert_targets(&sc, 0, 0, 0, 0);
	sc.priority = 0;
	assert_targets(&sc, 0, 0, 0, 0);
	sc.swappiness = -1; // b: no swap; before d and e
	assert_targets(&sc, 0, 0, 122880, 163840);
	yard_set_swap(yard, 1000, 1);
	sc.may_swap = false;
	assert_targets(&sc, 0, 0, 122880, 163840);
	sc.may_swap = true; // d
	assert_targets(&sc, 40960, 81920, 122880, 163840);
	assert_int_equal(yard_set_swappiness(yard, 0), YARD_OK); // not with swappiness 0: e
	assert_targets(&sc, 40960, 81920, 0, 0);
	yard_set_swappiness(yard, 60);
	sc.priority = 12;
	assert_targets(&sc, 10, 20, 0, 0); // e before f
	sc.file_is_tiny = false;
	assert_targets(&sc, 0, 0, 30, 40); // f
	sc.cache_trim_mode = false;
	assert_targets(&sc, 3, 6, 21, 28); // FRACT, 60 : 140
	pretend_lists(0, 0, 0, 0);
}

static void C4_swappiness(void **state)
{
	struct scan_control sc = control();

	(void)state;
	balance_machine();
	assert_int_equal(swappiness_of(yard, &sc), 60);
	sc.swappiness = 0; // proactive reclaim's own
	assert_int_equal(swappiness_of(yard, &sc), 0);
	sc.swappiness = -1;
	for (unsigned value = 0; value <= 200; value += 100) {
		assert_int_equal(yard_set_swappiness(yard, value), YARD_OK);
		assert_int_equal(swappiness_of(yard, &sc), value);
	}
	assert_int_equal(yard_set_swappiness(yard, 201), YARD_EINVAL);
	pretend_lists(409600, 0, 409600, 0);
	assert_targets(&sc, 100, 0, 0, 0); // 200
	yard_set_swappiness(yard, 0);
	assert_targets(&sc, 0, 0, 100, 0);
	pretend_lists(0, 0, 0, 0);
}

static void C4_fractions_round_down(void **state)
{
	struct scan_control sc = control();

	(void)state;
	balance_machine();
	pretend_lists(4096, 8191, 2 * 4096, 12287); // 1, 1, 2, 2
	assert_targets(&sc, 0, 0, 1, 1); // 60/200, 140/200, 280/200
	sc.priority = 10; // 4, 7, 8, 11
	assert_targets(&sc, 1, 2, 5, 7);
	pretend_lists(0, 0, 0, 0);
}

static void C4_sizes_are_those_of_the_eligible_zones(void **state)
{
	struct scan_control sc = control();

	(void)state;
	balance_machine();
	pretend_lists(4096, 4096, 4096, 4096);
	sc.highest_zone = YARD_ZONE_DMA32;
	assert_targets(&sc, 0, 0, 0, 0);
	sc.priority = 0;
	assert_targets(&sc, 0, 0, 0, 0);
	sc.highest_zone = YARD_ZONE_MOVABLE;
	assert_targets(&sc, 4096, 4096, 4096, 4096);
	pretend_lists(0, 0, 0, 0);
}

static void C4g_anon_can_be_reclaimed_with_free_swap(void **state)
{
	(void)state;
	balance_machine();
	assert_true(can_reclaim_anon(yard, 0, NULL));
	yard_set_swap(yard, 1000, 1);
	assert_true(can_reclaim_anon(yard, 0, NULL));
	yard_set_swap(yard, 1000, 0);
	assert_false(can_reclaim_anon(yard, 0, NULL));
	yard_set_swap(yard, 0, 0);
	assert_false(can_reclaim_anon(yard, 0, NULL));
}

static void C12_W6_reclaimable_pages(void **state)
{
	(void)state;
	balance_machine();
	pretend_lists(1, 20, 300, 4000);
	assert_int_equal(zone_reclaimable_pages(yard, normal()), 4321);
	yard_set_swap(yard, 1000, 0); // W-6: file only
	assert_int_equal(zone_reclaimable_pages(yard, normal()), 4300);
	pretend_lists(0, 0, 0, 0);
}

// ---- C-3 ----

static void X3_proportional_stop(void **state)
{
	uint64_t target[] = { 200, 400, 2000, 1000 }, nr[] = { 104, 304, 1904, 904 };
	uint64_t target2[] = { 1024, 1024, 256, 512 }, nr2[] = { 960, 960, 192, 448 };

	(void)state;
	assert_true(stop_smaller_side(nr, target));
	assert_int_equal(nr[IA], 0);
	assert_int_equal(nr[AA], 0);
	assert_int_equal(nr[IF], 564);
	assert_int_equal(nr[AF], 234);
	assert_true(stop_smaller_side(nr2, target2));
	assert_int_equal(nr2[IA], 110);
	assert_int_equal(nr2[AA], 110);
	assert_int_equal(nr2[IF], 0);
	assert_int_equal(nr2[AF], 0);
}

static void C3_2_the_stop_at_its_edges(void **state)
{
	uint64_t target[] = { 100, 100, 100, 100 }, nr[] = { 50, 50, 50, 50 };
	uint64_t none[] = { 0, 0, 64, 64 }, gone[] = { 10, 10, 0, 0 };
	uint64_t much[] = { 32, 0, 100, 100 }, more[] = { 31, 0, 40, 40 };

	(void)state;
	assert_true(stop_smaller_side(nr, target)); // a tie: file stops; pct = 100 * 100 / 201 = 49
	assert_int_equal(nr[IF] + nr[AF], 0);
	assert_int_equal(nr[IA], 1); // 51 - 50
	assert_int_equal(nr[AA], 1);
	assert_false(stop_smaller_side(none, target)); // one side has nothing left
	assert_false(stop_smaller_side(gone, target));
	assert_true(stop_smaller_side(more, much)); // pct = 93: 7 each, 60 done
	assert_int_equal(more[IA], 0);
	assert_int_equal(more[IF], 0);
	assert_int_equal(more[AF], 0);
}

// `n` pages on each of the lists, none of which can be freed or be reclaimed.
static void four_lists(uint32_t ia, uint32_t aa, uint32_t inactive_file, uint32_t af, bool freeable)
{
	uint32_t at = 0, pin = freeable ? 0 : PIN;

	machine(1 << 18, 100000);
	yard_set_swap(yard, 1000000, 1000000);
	ask.silent = true;
	pages(at, at + ia, ANON_PAGE | SWAPC | pin, YARD_MAPPED);
	at += ia;
	pages(at, at + aa, ANON_PAGE | SWAPC | ACT | pin, YARD_MAPPED);
	at += aa;
	pages(at, at + inactive_file, FILE_PAGE | pin, YARD_UNMAPPED);
	at += inactive_file;
	pages(at, at + af, FILE_PAGE | ACT | pin, YARD_UNMAPPED);
	forget();
}

static void C3_2_turns_of_32_in_the_order_of_the_lists(void **state)
{
	struct scan_control sc = control();

	(void)state;
	four_lists(300, 100, 500, 700, false);
	sc.priority = 0;
	sc.force_deactivate = true;
	sc.nr_to_reclaim = 1000000;
	yard_set_swappiness(yard, 60); // priority 0: EQUAL
	sc.priority = 2;	       // FRACT: 75 25 125 175 -> 22 7 87 122
	shrink_node(yard, 0, &sc);
	assert_isolations("IA22 AA7 IF32 AF32 IF32 AF32 IF23 AF32 AF26");
}

static void C3_2_forbidden_active_lists_are_only_noted(void **state)
{
	struct scan_control sc = control();

	(void)state;
	four_lists(400, 300, 500, 300, false);
	sc.priority = 2; // cache trim would leave anon out
	sc.no_cache_trim_mode = true;
	sc.nr_to_reclaim = 1000000;
	assert_false(sc.skipped_deactivate);
	shrink_node(yard, 0, &sc); // 100 75 125 75 -> 30 22 87 52
	assert_isolations("IA30 IF32 IF32 IF23");
	assert_true(sc.skipped_deactivate);
	assert_false(sc.may_deactivate[ANON] || sc.may_deactivate[FILE_LRU]);
}

static void C3_2_active_anon_alone_does_not_keep_the_loop_alive(void **state)
{
	struct scan_control sc = control();

	(void)state;
	four_lists(0, 500, 0, 0, false);
	sc.priority = 0;
	shrink_node(yard, 0, &sc);
	assert_isolations("AA32"); // C-3.4: inactive is low
}

static void C3_2d_the_goal_stops_the_smaller_side(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	four_lists(400, 300, 1000, 1000, true);
	sc.priority = 0; // EQUAL
	sc.nr_to_reclaim = 64;
	shrink_node(yard, 0, &sc);
	// One turn frees 64. Anon has 636 of 700 left: pct = 63600 / 701 = 90; file: 1000 * 10 / 100 = 100 - 32 = 68
	// each, which is worked off (X-3, T-4).
	assert_isolations("IA32 IF32 IF32 IF32 IF4");
	assert_int_equal(sc.nr_reclaimed, 132);
}

static void C3_2c_with_one_side_done_the_loop_ends(void **state)
{
	struct scan_control sc = kswapd_control();

	(void)state;
	four_lists(0, 0, 1000, 1000, true);
	sc.priority = 0;
	shrink_node(yard, 0, &sc);
	assert_isolations("IF32");
	assert_int_equal(sc.nr_reclaimed, 32);
}

static void C3_1_direct_reclaim_works_off_its_first_window(void **state)
{
	struct scan_control sc = control();

	(void)state;
	machine(1 << 19, 420000);
	ask.silent = true;
	pages(0, 409600, FILE_PAGE, YARD_UNMAPPED);
	forget();
	shrink_node(yard, 0, &sc); // priority 12: 100 pages, goal 32
	assert_isolations("IF32 IF32 IF32 IF4");
	assert_int_equal(sc.nr_reclaimed, 100);
	forget();
	sc = control();
	sc.priority = 11; // not proportional
	shrink_node(yard, 0, &sc);
	assert_isolations("IF32");
	forget();
	sc = kswapd_control();
	shrink_node(yard, 0, &sc);
	assert_isolations("IF32");
	forget();
	sc = control();
	sc.role = ROLE_PROACTIVE; // not kswapd
	shrink_node(yard, 0, &sc);
	assert_isolations("IF32 IF32 IF32 IF3"); // 409436 >> 12 is 99
}

static void C3_4_anon_ages_while_any_swap_is_configured(void **state)
{
	struct scan_control sc = control();

	(void)state;
	four_lists(10, 500, 100, 100, false);
	yard_set_swap(yard, 1000, 0); // full: not scanned, but aged (W-6)
	shrink_node(yard, 0, &sc);
	assert_isolations("AA32");
	assert_false(sc.skipped_deactivate);
	forget();
	yard_set_swap(yard, 0, 0);
	sc = control();
	shrink_node(yard, 0, &sc);
	assert_isolations("");
	pages(2000, 2500, ANON_PAGE, YARD_MAPPED); // inactive is not low
	yard_set_swap(yard, 1000, 0);
	forget();
	sc = control();
	shrink_node(yard, 0, &sc);
	assert_isolations("");
}

int main(void)
{
#define T(name) cmocka_unit_test_teardown(name, forget_all)
	const struct CMUnitTest tests[] = {
		T(C9_ratios),
		T(X1_inactive_is_low),
		T(C2_1_costs_grow_by_rotations_and_io),
		T(C2_1_costs_are_halved_until_they_are_a_quarter_of_the_lists),
		T(V3_before_7_3_costs_are_charged_at_each_event),
		T(C2_2_deactivation_needs_refaults_or_a_low_inactive_list),
		T(C2_3_cache_trim),
		T(C2_4_file_is_tiny),
		T(X2_weights),
		T(X2_targets),
		T(C4_first_match_wins),
		T(C4_swappiness),
		T(C4_fractions_round_down),
		T(C4_sizes_are_those_of_the_eligible_zones),
		T(C4g_anon_can_be_reclaimed_with_free_swap),
		T(C12_W6_reclaimable_pages),
		T(X3_proportional_stop),
		T(C3_2_the_stop_at_its_edges),
		T(C3_2_turns_of_32_in_the_order_of_the_lists),
		T(C3_2_forbidden_active_lists_are_only_noted),
		T(C3_2_active_anon_alone_does_not_keep_the_loop_alive),
		T(C3_2d_the_goal_stops_the_smaller_side),
		T(C3_2c_with_one_side_done_the_loop_ends),
		T(C3_1_direct_reclaim_works_off_its_first_window),
		T(C3_4_anon_ages_while_any_swap_is_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
