// SPDX-License-Identifier: Apache-2.0
//
// Spec 04 section 12: the multi-gen LRU's lists, accesses and aging (G-1 to G-8, G-13 to G-15), X-7.

#include "mglru_fixture.h"

// ---- G-1, G-2 ----

static void G2_start(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	assert_int_equal(gens()->max_seq, 3);
	assert_int_equal(gens()->min_seq[ANON], 0);
	assert_int_equal(gens()->min_seq[FILE_LRU], 0);
	assert_int_equal(NR_GENS, 4);
	assert_int_equal(MIN_GENS, 2);
	assert_int_equal(NR_TIERS, 4);
	assert_int_equal(GEN_BATCH_MIN, 64);
	assert_int_equal(GEN_BATCH_MAX, 4096);
	assert_verified();
}

static void G2_the_two_youngest_count_as_active(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 1, FILE_PAGE | ACT | WS, YARD_UNMAPPED); // 3
	pages(1, 3, FILE_PAGE | ACT, YARD_UNMAPPED);	  // 2
	pages(3, 7, FILE_PAGE | REF, YARD_UNMAPPED);	  // 1
	pages(7, 15, FILE_PAGE, YARD_UNMAPPED);		  // 0
	pages(15, 31, ANON_PAGE, YARD_MAPPED);		  // 2
	pages(31, 63, ANON_PAGE | SWAPC, YARD_MAPPED);
	assert_int_equal(size_of(AF), 3);
	assert_int_equal(size_of(IF), 12);
	assert_int_equal(size_of(AA) + size_of(IA), 48);
	assert_true(size_of(AA) >= 16);
	assert_int_equal(stat_of(YARD_NODE_ACTIVE_FILE), 3);
	assert_int_equal(stat_of(YARD_NODE_INACTIVE_FILE), 12);
	assert_int_equal(stat_of(YARD_NODE_ACTIVE_ANON), size_of(AA));
	for (uint32_t i = 0; i < 63; i++)
		assert_false(flags_at(i) & ACT); // clear on lists
	gen_run_aging(yard, 0, ANY); // generation 2 is still young, 0 is retired into 1
	assert_int_equal(size_of(AF), 1);
	assert_int_equal(size_of(IF), 14);
	assert_int_equal(stat_of(YARD_NODE_ACTIVE_FILE), 1);
	assert_int_equal(stat_of(YARD_NODE_INACTIVE_FILE), 14);
	assert_verified();
}

static void G1_switching(void **state)
{
	(void)state;
	machine(FRAMES, USED);
	pages(0, 3, FILE_PAGE | ACT, YARD_UNMAPPED);
	pages(3, 6, FILE_PAGE, YARD_UNMAPPED);
	pages(6, 9, FILE_PAGE | ACT | WS, YARD_UNMAPPED);
	pages(9, 12, ANON_PAGE, YARD_UNMAPPED);
	pages(12, 15, FILE_PAGE | REF, YARD_UNMAPPED);
	yard_set_lru_gen(yard, true);
	assert_gen(3, FILE_LRU, "8 7 6");
	assert_gen(2, FILE_LRU, "2 1 0"); // from the tail on, each to the head: the order is kept
	assert_gen(1, FILE_LRU, "14 13 12");
	assert_gen(0, FILE_LRU, "5 4 3");
	assert_gen(2, ANON, "11 10 9");
	assert_verified();
	yard_set_lru_gen(yard, true);
	assert_verified();
	yard_set_lru_gen(yard, false);
	assert_int_equal(size_of(AF), 6); // the two youngest
	assert_int_equal(size_of(IF), 6);
	assert_int_equal(size_of(AA), 3);
	assert_lru(IF, "14 13 12 5 4 3");
	for (uint32_t i = 0; i < 15; i++)
		assert_int_equal(!!(flags_at(i) & ACT), i < 3 || (i >= 6 && i < 12));
	assert_true(flags_at(7) & WS);
	assert_verified();
}

// ---- G-3 ----

static void G3_mark_accessed(void **state)
{
	static const struct {
		unsigned accesses, tier;
		bool workingset;
	} after[] = { { 0, 0, false }, { 1, 0, false }, { 2, 1, false }, { 3, 2, false }, { 4, 2, false }, { 4, 3, true },
		      { 4, 3, true } };

	(void)state;
	start_gen("linux-7.3");
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
	for (size_t i = 0; i < COUNT(after); i++) {
		assert_int_equal(accesses_of(0), after[i].accesses);
		assert_int_equal(word_tier(frame_word(yard, base)), after[i].tier);
		assert_int_equal(!!(flags_at(0) & WS), after[i].workingset);
		assert_int_equal(!!(flags_at(0) & REF), i > 0);
		assert_int_equal(seq_of(0), 0); // it stays
		mark(0);
	}
	assert_verified();
}

static void G3_unevictable_pages_are_not_marked(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 1, FILE_PAGE | UNEV, YARD_UNMAPPED);
	mark_times(0, 6);
	assert_false(flags_at(0) & (REF | WS));
}

static void G3_tiers(void **state)
{
	static const unsigned tiers[] = { 0, 0, 1, 2, 2 };

	(void)state;
	for (unsigned accesses = 0; accesses < COUNT(tiers); accesses++) {
		assert_int_equal(access_tier(accesses, false), tiers[accesses]);
		assert_int_equal(access_tier(accesses, true), 3);
	}
}

// ---- G-4 ----

static void G4_entry(void **state)
{
	static const struct {
		uint32_t flags;
		unsigned back;
	} rows[] = {
		{ FILE_PAGE | ACT | WS, 0 }, { ANON_PAGE | ACT | WS, 0 }, { FILE_PAGE | ACT, 1 }, { ANON_PAGE | ACT, 1 },
		{ ANON_PAGE, 1 }, { ANON_PAGE | REF, 1 }, { ANON_PAGE | SWAPC, 3 }, { ANON_PAGE | SWAPC | REF, 2 },
		{ ANON_PAGE | SWAPC | WS, 2 }, { FILE_PAGE, 3 }, { FILE_PAGE | REF, 2 }, { FILE_PAGE | WS, 2 },
		{ FILE_PAGE | RECL | DIRTY, 1 }, { FILE_PAGE | RECL | WB, 1 }, { FILE_PAGE | RECL, 3 },
		{ FILE_PAGE | DIRTY, 3 },
		{ SHMEM_PAGE | SWAPC | REF, 2 },
	};

	(void)state;
	start_gen("linux-7.3");
	for (uint32_t i = 0; i < COUNT(rows); i++) {
		pages(i, i + 1, rows[i].flags, YARD_UNMAPPED);
		if (back_of(i) != rows[i].back)
			fail_msg("row %u: max_seq - %u", i, back_of(i));
	}
	assert_verified();
}

static void G4_not_below_the_oldest(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	gens()->min_seq[FILE_LRU] = 2;
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
	pages(1, 2, FILE_PAGE | REF, YARD_UNMAPPED);
	pages(2, 3, FILE_PAGE | ACT | WS, YARD_UNMAPPED);
	assert_gen(2, FILE_LRU, "1 0");
	assert_gen(3, FILE_LRU, "2");
	assert_verified();
}

static void G4_rotation_goes_to_the_tail_of_the_oldest(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 3, FILE_PAGE, YARD_UNMAPPED);
	pages(3, 4, FILE_PAGE | WB | RECL, YARD_UNMAPPED);
	assert_int_equal(back_of(3), 1);
	assert_int_equal(yard_writeback_end(yard, base + 3), YARD_OK);
	yard_lru_drain(yard);
	assert_gen(0, FILE_LRU, "2 1 0 3");
	assert_int_equal(vm(YARD_VM_PGROTATED), 1);
	assert_verified();
}

static void G4_head_first(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 4, FILE_PAGE, YARD_UNMAPPED);
	assert_gen(0, FILE_LRU, "3 2 1 0");
}

// Insertions by a fault: mapped pages of an area with recency.
static void G4_faults(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 1, ANON_PAGE, YARD_MAPPED);
	pages(1, 2, FILE_PAGE, YARD_MAPPED);
	pages(2, 3, FILE_PAGE, YARD_UNMAPPED); // read()
	pages(3, 4, FILE_PAGE, YARD_MAPPED_NO_RECENCY);
	pages(4, 5, FILE_PAGE, YARD_MAPPED_EXEC);
	pages(5, 6, FILE_PAGE | WS, YARD_MAPPED); // a refault of the workingset
	assert_int_equal(back_of(5), 0);
	assert_int_equal(back_of(0), 1);
	assert_int_equal(back_of(1), 2);
	assert_int_equal(back_of(2), 3);
	assert_int_equal(back_of(3), 3);
	assert_int_equal(back_of(4), 2);
}

// ---- G-5 ----

static void G5_heat_is_kept(void **state)
{
	static const uint32_t flags[] = { FILE_PAGE | ACT | WS, FILE_PAGE | ACT, FILE_PAGE | REF, FILE_PAGE };

	(void)state;
	start_gen("linux-7.3");
	for (uint32_t i = 0; i < COUNT(flags); i++) {
		pages(i, i + 1, flags[i], YARD_UNMAPPED);
		assert_true(lru_isolate(yard, base + i));
		assert_int_equal(!!(flags_at(i) & ACT), i < 2);
		lru_putback(yard, base + i, false);
		yard_lru_drain(yard);
		assert_int_equal(back_of(i), i);
		assert_false(flags_at(i) & ACT);
	}
	assert_verified();
}

// ---- G-6 ----

static void three_generations(void) // so that aging retires none
{
	start_gen("linux-7.3");
	gens()->min_seq[FILE_LRU] = gens()->min_seq[ANON] = 1;
}

static void G6_first_and_second_sighting(void **state)
{
	(void)state;
	three_generations();
	pages(0, 3, FILE_PAGE, YARD_UNMAPPED);
	pages(3, 6, FILE_PAGE | WS, YARD_UNMAPPED);
	pages(6, 7, FILE_PAGE | REF, YARD_UNMAPPED);
	for (uint32_t i = 0; i < 7; i++)
		yard_lru_map(yard, base + i, YARD_MAPPED);
	touch(0, 1);
	touch(3, 1);
	touch(6, 2);
	gen_run_aging(yard, 0, ANY);
	assert_int_equal(gens()->max_seq, 4);
	assert_int_equal(accesses_of(0), 1); // referenced, counter 0; it stays
	assert_false(flags_at(0) & WS);
	assert_int_equal(seq_of(0), 1);
	assert_int_equal(seq_of(3), 3); // the youngest when it was seen
	assert_int_equal(seq_of(6), 3);
	assert_int_equal(accesses_of(6), 0);
	assert_true(flags_at(3) & WS);
	assert_true(flags_at(6) & WS);
	assert_int_equal(seq_of(4), 1); // not touched
	touch(0, 1);
	gen_run_aging(yard, 0, ANY);
	assert_int_equal(seq_of(0), 4); // second sighting
	assert_true(flags_at(0) & WS);
	assert_int_equal(accesses_of(0), 0);
	assert_int_equal(seq_of(3), 3); // not touched again
	assert_verified();
}

static void V5_executable_pages(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
	pages(1, 2, FILE_PAGE, YARD_UNMAPPED);
	yard_lru_map(yard, base, YARD_MAPPED_EXEC);
	yard_lru_map(yard, base + 1, YARD_MAPPED_EXEC);
	touch(0, 1);
	gen_run_aging(yard, 0, ANY);
	assert_int_equal(seq_of(0), 3);
	assert_true(flags_at(0) & WS);
	start_gen("linux-7.2");
	gens()->min_seq[FILE_LRU] = gens()->min_seq[ANON] = 1;
	pages(0, 1, FILE_PAGE, YARD_UNMAPPED);
	yard_lru_map(yard, base, YARD_MAPPED_EXEC);
	touch(0, 1);
	gen_run_aging(yard, 0, ANY);
	assert_int_equal(accesses_of(0), 1); // second sighting, as all others
	assert_false(flags_at(0) & WS);
	three_generations();
	pages(0, 1, SHMEM_PAGE, YARD_UNMAPPED); // only file pages
	yard_lru_map(yard, base, YARD_MAPPED_EXEC);
	touch(0, 1);
	gen_run_aging(yard, 0, ANY);
	assert_int_equal(accesses_of(0), 1);
	assert_false(flags_at(0) & WS);
}

static void G6_what_is_not_walked(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 1, FILE_PAGE | REF, YARD_MAPPED_NO_RECENCY);
	pages(1, 2, FILE_PAGE | UNEV | REF, YARD_MAPPED);
	touch(0, 1);
	touch(1, 1);
	gen_run_aging(yard, 0, ANY);
	assert_false(flags_at(0) & WS);
	assert_false(flags_at(1) & WS);
	for (int swappiness = 0; swappiness <= SWAPPINESS_ANON_ONLY; swappiness += SWAPPINESS_ANON_ONLY) {
		start_gen("linux-7.3");
		pages(0, 1, FILE_PAGE | REF, YARD_MAPPED);
		pages(1, 2, ANON_PAGE | REF, YARD_MAPPED);
		pages(2, 3, SHMEM_PAGE | REF, YARD_MAPPED);
		for (uint32_t i = 0; i < 3; i++)
			touch(i, 1);
		gen_run_aging(yard, 0, swappiness);
		assert_int_equal(!!(flags_at(0) & WS), swappiness == 0); // file
		assert_int_equal(!!(flags_at(1) & WS), swappiness != 0);
		assert_int_equal(!!(flags_at(2) & WS), swappiness != 0);
		assert_verified();
	}
}

static unsigned looks, others_would_find_some;

static int look(void *context, uint32_t pfn, unsigned order)
{
	(void)context;
	(void)pfn;
	(void)order;
	looks++;
	assert_int_equal(gens()->walk.walkers, 1);
	others_would_find_some += gens()->walk.zone == NORMAL && gens()->walk.offset == 0;
	return 1;
}

static void G6_callers_share_a_walk(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 3, FILE_PAGE, YARD_MAPPED);
	yard->owner.referenced = look;
	looks = others_would_find_some = 0;
	assert_true(gen_run_aging(yard, 0, ANY));
	assert_int_equal(looks, 3);
	assert_int_equal(others_would_find_some, 0); // the part was taken before it was looked at
	assert_int_equal(gens()->walk.walkers, 0);
	assert_int_equal(gens()->max_seq, 4);
	gens()->walk = (struct gen_walk){ .seq = 4, .zone = YARD_ZONE_TYPES }; // others have looked at all since then
	assert_true(gen_run_aging(yard, 0, ANY));
	assert_int_equal(looks, 3);
	assert_int_equal(gens()->max_seq, 5);
	assert_verified();
}

// ---- G-7 ----

static void G7_the_oldest_is_retired(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 4, FILE_PAGE, YARD_UNMAPPED);	     // generation 0: 3 2 1 0
	pages(4, 7, FILE_PAGE | REF, YARD_UNMAPPED); // generation 1: 6 5 4
	yard->host.now_ns = 777;
	gen_run_aging(yard, 0, ANY);
	assert_int_equal(gens()->max_seq, 4);
	assert_int_equal(gens()->min_seq[FILE_LRU], 1);
	assert_int_equal(gens()->min_seq[ANON], 1);
	assert_gen(1, FILE_LRU, "6 5 4 0 1 2 3"); // in reversed order
	assert_gen(4, FILE_LRU, "");
	assert_int_equal(gens()->birth_ns[seq_gen(4)], 777);
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(seq_of(i), 1);
	assert_verified();
}

static void G7_promoted_pages_go_to_their_own_generation(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 1, FILE_PAGE | ACT | WS, YARD_UNMAPPED);
	pages(1, 4, FILE_PAGE, YARD_UNMAPPED);
	gen_renumber(yard, base + 2, seq_gen(3), 0, 0); // as the walk does it: lazily
	assert_gen(0, FILE_LRU, "3 2 1");
	gen_run_aging(yard, 0, ANY);
	assert_gen(3, FILE_LRU, "0 2"); // the tail of theirs
	assert_gen(1, FILE_LRU, "1 3");
	assert_verified();
}

static void G7_not_with_less_than_four(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	gens()->min_seq[FILE_LRU] = 1;
	pages(0, 3, FILE_PAGE, YARD_UNMAPPED); // generation 1
	gen_run_aging(yard, 0, ANY);
	assert_int_equal(gens()->min_seq[FILE_LRU], 1);
	assert_gen(1, FILE_LRU, "2 1 0");
	assert_int_equal(gens()->min_seq[ANON], 1);
	assert_verified();
}

static void G7_the_excluded_type_is_not_moved(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 3, ANON_PAGE | SWAPC, YARD_UNMAPPED); // generation 0
	gen_run_aging(yard, 0, 0);		       // swappiness 0
	assert_int_equal(gens()->max_seq, 4);
	assert_true(nr_gens(gens(), ANON) <= NR_GENS);
	assert_gen(4, ANON, "2 1 0"); // the list of 0 is that of 4
	assert_verified();
}

static void G7_protected_pages_are_counted(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(0, 4, FILE_PAGE, YARD_UNMAPPED);
	mark_times(1, 2); // tier 1
	mark_times(2, 3); // tier 2
	mark_times(3, 6); // saturated: accesses 4 and workingset
	gen_run_aging(yard, 0, ANY);
	// counted, then averaged and cleared (G-13): (0 + protected) / 2 = 0; look at the sums instead
	assert_int_equal(gens()->avg_total[FILE_LRU][1], 0);
	assert_int_equal(gens()->protected[FILE_LRU][1], 0);
	start_gen("linux-7.3");
	pages(0, 100, FILE_PAGE, YARD_UNMAPPED);
	for (uint32_t i = 0; i < 100; i++)
		mark_times(i, i < 10 ? 6 : i < 40 ? 2 : 3);
	gen_run_aging(yard, 0, ANY);
	assert_int_equal(gens()->avg_total[FILE_LRU][1], 30 / 2);
	assert_int_equal(gens()->avg_total[FILE_LRU][2], 60 / 2);
	assert_int_equal(gens()->avg_total[FILE_LRU][3], 0); // not saturated ones
}

// ---- G-8 ----

// The page under test is isolated and alone in its window.
static int check(uint32_t flags, unsigned marks, enum yard_mapping mapping, unsigned young, const char *policy,
		 uint32_t *after)
{
	int answer;

	start_gen(policy);
	pages(2000, 2001, flags, YARD_UNMAPPED);
	mark_times(2000, marks);
	yard_lru_map(yard, base + 2000, mapping);
	if (young)
		touch(2000, young);
	assert_true(lru_isolate(yard, base + 2000));
	answer = gen_check_reference(yard, base + 2000);
	*after = flags_at(2000) & (REF | WS);
	return answer;
}

static void G8_answers(void **state)
{
	static const struct {
		const char *policy;
		uint32_t flags;
		unsigned marks;
		enum yard_mapping mapping;
		unsigned young;
		int answer;
		uint32_t after;
		unsigned accesses;
	} rows[] = {
		{ "linux-7.3", FILE_PAGE, 0, YARD_MAPPED, 0, REFERENCE_RECLAIM, 0, 0 },
		{ "linux-7.3", FILE_PAGE, 3, YARD_MAPPED, 0, REFERENCE_RECLAIM, REF, 3 },
		{ "linux-7.3", FILE_PAGE, 0, YARD_MAPPED, 1, REFERENCE_KEEP, REF, 1 },
		{ "linux-7.3", FILE_PAGE, 0, YARD_MAPPED, 2, REFERENCE_KEEP, REF, 1 },
		{ "linux-7.3", ANON_PAGE, 0, YARD_MAPPED, 1, REFERENCE_KEEP, REF, 1 },
		{ "linux-7.3", FILE_PAGE, 0, YARD_MAPPED_EXEC, 1, REFERENCE_ACTIVATE, WS, 0 },
		{ "linux-7.2", FILE_PAGE, 0, YARD_MAPPED_EXEC, 1, REFERENCE_KEEP, REF, 1 }, // V-5
		{ "linux-7.3", ANON_PAGE, 0, YARD_MAPPED_EXEC, 1, REFERENCE_KEEP, REF, 1 },
		{ "linux-7.3", FILE_PAGE, 1, YARD_MAPPED, 1, REFERENCE_ACTIVATE, REF, 2 },
		{ "linux-7.3", FILE_PAGE, 2, YARD_MAPPED, 1, REFERENCE_ACTIVATE, WS, UINT32_MAX },
		{ "linux-7.3", FILE_PAGE, 4, YARD_MAPPED, 1, REFERENCE_ACTIVATE, WS, UINT32_MAX },
		{ "linux-7.3", FILE_PAGE | WS, 0, YARD_MAPPED, 1, REFERENCE_ACTIVATE, WS | REF, 1 },
		{ "linux-7.3", FILE_PAGE | WS, 0, YARD_MAPPED_EXEC, 1, REFERENCE_ACTIVATE, WS | REF, 1 },
		{ "linux-7.3", FILE_PAGE, 0, YARD_MAPPED_NO_RECENCY, 1, REFERENCE_RECLAIM, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t after;
		int answer = check(rows[i].flags, rows[i].marks, rows[i].mapping, rows[i].young, rows[i].policy, &after);

		if (answer != rows[i].answer || (rows[i].accesses != UINT32_MAX && after != rows[i].after)
		    || (rows[i].accesses != UINT32_MAX && accesses_of(2000) != rows[i].accesses))
			fail_msg("row %zu: answer %d, flags %#x, %u accesses", i, answer, after, accesses_of(2000));
		if (rows[i].accesses == UINT32_MAX) { // workingset, and the counter is cleared
			assert_true(after & WS);
			assert_true(accesses_of(2000) <= 1);
		}
	}
}

static void G8_looks_around(void **state)
{
	(void)state;
	three_generations();
	pages(1024, 1024 + 256, FILE_PAGE, YARD_UNMAPPED);
	for (uint32_t i = 1024; i < 1024 + 256; i++) {
		yard_lru_map(yard, base + i, YARD_MAPPED);
		if (i % 2 == 0)
			touch(i, 1);
	}
	mark(1102); // seen before
	assert_true(lru_isolate(yard, base + 1100));
	assert_int_equal(gen_check_reference(yard, base + 1100), REFERENCE_KEEP);
	yard_lru_drain(yard); // without a walk context, second sightings go through the activate batch
	assert_int_equal(accesses_of(1098), 1);
	assert_int_equal(accesses_of(1099), 0); // was not young
	assert_true(flags_at(1102) & WS || back_of(1102) <= 1);
	assert_int_equal(accesses_of(1024), 0); // far away
	assert_int_equal(accesses_of(1278), 0);
	gen_run_aging(yard, 0, ANY); // their young bits were cleared: this sees only the others
	assert_int_equal(accesses_of(1098), 1);
	assert_false(flags_at(1098) & WS);
	assert_int_equal(accesses_of(1024), 1);
	assert_verified();
}

static void G8_no_look_around_without_a_hit(void **state)
{
	(void)state;
	start_gen("linux-7.3");
	pages(1024, 1024 + 64, FILE_PAGE, YARD_UNMAPPED);
	for (uint32_t i = 1024; i < 1024 + 64; i++) {
		yard_lru_map(yard, base + i, YARD_MAPPED);
		if (i != 1050)
			touch(i, 1);
	}
	assert_true(lru_isolate(yard, base + 1050));
	assert_int_equal(gen_check_reference(yard, base + 1050), REFERENCE_RECLAIM);
	assert_int_equal(accesses_of(1049), 0);
}

// ---- G-13 ----

static void G13_averages(void **state)
{
	struct lru_gen *g;

	(void)state;
	start_gen("linux-7.3");
	g = gens();
	g->avg_refaulted[FILE_LRU][1] = 100, g->avg_total[FILE_LRU][1] = 1001;
	g->refaulted[FILE_LRU][1] = 51, g->evicted[FILE_LRU][1] = 300, g->protected[FILE_LRU][1] = 40;
	g->refaulted[ANON][1] = 9;
	gen_advance(g, FILE_LRU, 1);
	assert_int_equal(g->min_seq[FILE_LRU], 1);
	assert_int_equal(g->avg_refaulted[FILE_LRU][1], 75);	 // (100 + 51) / 2
	assert_int_equal(g->avg_total[FILE_LRU][1], 670); // (1001 + 300 + 40) / 2
	assert_int_equal(g->refaulted[FILE_LRU][1], 0);
	assert_int_equal(g->evicted[FILE_LRU][1], 0);
	assert_int_equal(g->protected[FILE_LRU][1], 0);
	assert_int_equal(g->refaulted[ANON][1], 9); // the other type
	assert_int_equal(g->min_seq[ANON], 0);
}

// ---- G-14, X-7 ----

static int initial_priority(uint64_t inactive_file, uint64_t inactive_anon, uint64_t swap, uint64_t goal, int8_t priority)
{
	struct scan_control sc = gen_control(priority, goal);

	start_gen("linux-7.3");
	yard_set_swap(yard, swap, swap);
	yard_mod_node_stat(yard, 0, YARD_NODE_INACTIVE_FILE, (int64_t)inactive_file);
	yard_mod_node_stat(yard, 0, YARD_NODE_INACTIVE_ANON, (int64_t)inactive_anon);
	gens()->size[0][FILE_LRU][NORMAL] = inactive_file;
	gens()->size[0][ANON][NORMAL] = inactive_anon;
	gen_initial_priority(yard, 0, &sc);
	return sc.priority;
}

static void X7_initial_priority(void **state)
{
	(void)state;
	assert_int_equal(initial_priority(4194304, 0, 0, 20000, 12), 7);
	assert_int_equal(initial_priority(4194304, 0, 0, 64, 12), 12);
	assert_int_equal(initial_priority(16384, 0, 0, 4096, 12), 6);
}

static void G14_conditions(void **state)
{
	(void)state;
	assert_int_equal(initial_priority(4194304, 0, 0, 63, 12), 12);	 // goal below 64
	assert_int_equal(initial_priority(4194304, 0, 0, 20000, 11), 11); // only at 12
	assert_int_equal(initial_priority(0, 4194304, 0, 20000, 12), 6);   // anon without swap does not count
	assert_int_equal(initial_priority(0, 4194304, 100000, 20000, 12), 7);
	assert_int_equal(initial_priority(2097152, 2097152, 100000, 20000, 12), 7);
	assert_int_equal(initial_priority(4194303, 0, 0, 20000, 12), 6); // 22 - 1 - 15
	assert_int_equal(initial_priority(4194304, 0, 0, 16384, 12), 8); // 16383 has 14 bits
	assert_int_equal(initial_priority(4194304, 0, 0, 16385, 12), 7);
}

// ---- G-15 ----

static unsigned kills_after(uint64_t ttl_ms, uint64_t age_ms)
{
	uint64_t kills;

	start_gen("linux-7.3");
	yard_set_swap(yard, 1000, 1000);
	pages(0, 100, FILE_PAGE, YARD_UNMAPPED);
	pages(100, 200, ANON_PAGE, YARD_UNMAPPED);
	yard_set_lru_gen_min_ttl(yard, ttl_ms);
	yard->host.now_ns += age_ms * NSEC_PER_MSEC;
	set_wmarks(normal(), 10, 20, FRAMES);
	world.hog = calloc(1, sizeof *world.hog);
	script(0);
	step(false); // a run begins
	kills = world.kills;
	step(false);
	return (unsigned)(world.kills - kills);
}

static void G15_min_ttl(void **state)
{
	(void)state;
	assert_int_equal(kills_after(0, 0), 0); // default
	forget_world();
	assert_int_equal(kills_after(1000, 500), 1);
	forget_world();
	assert_int_equal(kills_after(1000, 1500), 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(G2_start), TEST(G2_the_two_youngest_count_as_active), TEST(G1_switching), TEST(G3_mark_accessed),
		TEST(G3_unevictable_pages_are_not_marked), TEST(G3_tiers), TEST(G4_entry),
		TEST(G4_not_below_the_oldest), TEST(G4_rotation_goes_to_the_tail_of_the_oldest), TEST(G4_head_first),
		TEST(G4_faults), TEST(G5_heat_is_kept), TEST(G6_first_and_second_sighting), TEST(V5_executable_pages),
		TEST(G6_what_is_not_walked), TEST(G6_callers_share_a_walk), TEST(G7_the_oldest_is_retired),
		TEST(G7_promoted_pages_go_to_their_own_generation), TEST(G7_not_with_less_than_four),
		TEST(G7_the_excluded_type_is_not_moved), TEST(G7_protected_pages_are_counted), TEST(G8_answers),
		TEST(G8_looks_around), TEST(G8_no_look_around_without_a_hit), TEST(G13_averages),
		TEST(X7_initial_priority), TEST(G14_conditions), TEST(G15_min_ttl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
