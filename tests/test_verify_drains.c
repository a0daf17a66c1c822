// SPDX-License-Identifier: Apache-2.0
//
// The verdict over drains, claims and the order of lists, in small machines: each case is one decision.

#include "verify_machine_fixture.h"

// A set of 8 pages with high 8 and batch 4 drains what came in since (P11, P12) in portions of 4. In the second record
// another task ran between two portions, and took from the set.
static void drain_portion(struct machine *m, unsigned from, const char *pid)
{
	fprintf(m->out, "%u %u 0 %s bulk_drain count=4 pindex=0\n", m->seq + 1, (m->seq + 1) * 1000, pid);
	m->seq++;
	for (unsigned pfn = from; pfn > from - 4; pfn--) {
		fprintf(m->out, "%u %u 0 %s mm_page_pcpu_drain pfn=%u order=0 migratetype=0\n", m->seq + 1, (m->seq + 1) * 1000, pid,
			4096 + 2 * pfn);
		m->seq++;
	}
}

static void drain_machine(struct machine *m)
{
	machine_begin(m);
	m->high = m->high_max = 32; // the free below brings the set to it; free_count 8 asks for two portions
	m->batch = 4;
	for (unsigned i = 0; i < 31; i++)
		on_pcp_list(m, 0, 4096 + 2 * i);
	on_free_list(m, 8, 0, 4352);
	machine_start(m);
}

static void set_free_count(unsigned count) // free_count is 0 in machine_snapshot()
{
	char text[65536], from[] = "free_count=0", to[32], *copy;
	FILE *file = fopen(in_folder("snapshot0.txt"), "rb");
	size_t length = fread(text, 1, sizeof(text) - 1, file);

	fclose(file);
	text[length] = '\0';
	snprintf(to, sizeof(to), "free_count=%u", count);
	copy = edited(text, "pcp 0", from, to);
	write_file("snapshot0.txt", copy);
	free(copy);
}

static void by_hand_drain(void **state)
{
	struct machine m;

	(void)state;
	drain_machine(&m);
	set_free_count(7); // and one more with the free itself: 8, two portions of 4
	event(&m, "mm_page_free pfn=4200 order=0");
	event(&m, "put pfn=4200 mt=0 order=0 fpi=0x0");
	drain_portion(&m, 30, "7");
	drain_portion(&m, 26, "7");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = machine_verdict(&m, level);

		expect(&result, VERIFY_DRAINS, level == VERIFY_REQUEST ? 1 : 8, level == VERIFY_REQUEST ? 1 : 8);
		assert_int_equal(result.all_differences, 0);
	}
	machine_end(&m);
}

static void by_hand_preempted_drain(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	drain_machine(&m);
	set_free_count(7);
	event(&m, "mm_page_free pfn=4200 order=0");
	event(&m, "put pfn=4200 mt=0 order=0 fpi=0x0");
	drain_portion(&m, 30, "7");
	fprintf(m.out, "%u %u 0 8 take pfn=4200\n", m.seq + 1, (m.seq + 1) * 1000);
	fprintf(m.out, "%u %u 0 8 mm_page_alloc pfn=4200 order=0 " GFP_KERNEL " migratetype=0\n", m.seq + 2,
		(m.seq + 2) * 1000);
	m.seq += 2;
	drain_portion(&m, 26, "7");
	result = machine_verdict(&m, VERIFY_REQUEST);
	assert_int_equal(result.silent[VERIFY_SILENT_PREEMPTED], 1);
	expect(&result, VERIFY_DRAINS, 2, 2);
	expect(&result, VERIFY_FRAMES, 1, 1);
	assert_int_equal(result.all_differences, 0);
	result = machine_verdict(&m, VERIFY_STEP);
	expect(&result, VERIFY_DRAINS, 8, 8);
	machine_end(&m);
}

// A fallback takes the largest block at the head of its list. Here the kernel took the other one of two.
static void claim_of_another_block(struct machine *m, bool tampered)
{
	uint32_t claimed = tampered ? 5632 : 5120;

	machine_begin(m);
	on_free_list(m, 8, 1, 5120);
	on_free_list(m, 8, 1, 5632);
	machine_start(m);
	event(m, "claim_try pfn=%u current=8 order=0 start=0 block=1", claimed);
	event(m, "mm_page_alloc_zone_locked pfn=%u order=0 migratetype=0 percpu_refill=1", claimed);
	event(m, "mm_page_alloc_extfrag pfn=%u alloc_order=0 fallback_order=8 alloc_migratetype=0 fallback_migratetype=1 "
		 "change_ownership=1", claimed);
	event(m, "mm_page_alloc pfn=%u order=0 " GFP_KERNEL " migratetype=0", claimed);
}

static void by_hand_claim(void **state)
{
	struct machine m;

	(void)state;
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result;

		claim_of_another_block(&m, false);
		result = machine_verdict(&m, level);
		expect(&result, VERIFY_CLAIMS, 1, 1);
		expect(&result, VERIFY_FRAMES, 1, 1);
		machine_end(&m);
	}
}

static void by_hand_wrong_claim_request(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	claim_of_another_block(&m, true);
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_CLAIMS, 0, 1);
	expect(&result, VERIFY_FRAMES, 0, 1);
	machine_end(&m);
}

static void by_hand_wrong_claim_step(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	claim_of_another_block(&m, true);
	result = machine_verdict(&m, VERIFY_STEP);
	expect(&result, VERIFY_CLAIMS, 0, 1);
	machine_end(&m);
}

// Reserving a block for high-atomic requests is the allocator's own decision (H1): none asked for it here.
static void by_hand_forged_reserve(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 8, 1, 5120);
	on_free_list(&m, 8, 1, 5632);
	machine_start(&m);
	event(&m, "move_block pfn=5632 old=1 new=3");
	result = machine_verdict(&m, VERIFY_REQUEST);
	assert_true(result.all_differences > 0);
	machine_end(&m);
}

// A drain that stops early though nothing else ran on the CPU was not preempted.
static void by_hand_drain_stops_early(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	drain_machine(&m);
	set_free_count(7);
	event(&m, "mm_page_free pfn=4200 order=0");
	event(&m, "put pfn=4200 mt=0 order=0 fpi=0x0");
	drain_portion(&m, 30, "7");
	event(&m, "take pfn=4200");
	event(&m, "mm_page_alloc pfn=4200 order=0 " GFP_KERNEL " migratetype=0");
	result = machine_verdict(&m, VERIFY_REQUEST);
	expect(&result, VERIFY_DRAINS, 0, 1);
	assert_int_equal(result.cause[VERIFY_CAUSE_PORTIONS], 0);
	machine_end(&m);
}

// Another CPU that does nothing races with nobody.
static void by_hand_no_race(void **state)
{
	struct machine m;

	(void)state;
	machine_begin(&m);
	m.cpus = 2;
	on_pcp_list(&m, 0, 4100);
	on_pcp_list(&m, 0, 4101);
	on_free_list(&m, 6, 0, 4160);
	machine_start(&m);
	event(&m, "take pfn=4101");
	event(&m, "mm_page_alloc pfn=4101 order=0 " GFP_KERNEL " migratetype=0");
	for (enum verify_level level = VERIFY_REQUEST; level <= VERIFY_STEP; level++) {
		struct verify_result result = machine_verdict(&m, level);

		expect(&result, VERIFY_FRAMES, 0, 1);
		assert_int_equal(result.cause[VERIFY_CAUSE_RACE], 0);
	}
	machine_end(&m);
}

// Where compaction never searched, it rotated no list.
static void by_hand_other_order(void **state)
{
	struct verify_result result;
	struct machine m;

	(void)state;
	machine_begin(&m);
	on_free_list(&m, 3, 1, 4608);
	on_free_list(&m, 3, 1, 4624);
	machine_snapshot(&m, "snapshot0.txt");
	m.free[3][1].pfn[0] = 4624;
	m.free[3][1].pfn[1] = 4608;
	machine_snapshot(&m, "snapshot1.txt");
	result = machine_verdict(&m, VERIFY_REQUEST);
	assert_int_equal(result.final.free_lists_same, 0);
	assert_int_equal(result.final.free_lists_order_only, 1);
	assert_int_equal(result.final.nr_lines, 1);
	assert_null(strstr(result.final.line[0], "compaction"));
	machine_end(&m);
}

#define t(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(by_hand_drain), t(by_hand_preempted_drain), t(by_hand_drain_stops_early), t(by_hand_no_race),
		t(by_hand_other_order), t(by_hand_claim), t(by_hand_wrong_claim_request),
		t(by_hand_wrong_claim_step), t(by_hand_forged_reserve),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
