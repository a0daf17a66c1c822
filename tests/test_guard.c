// SPDX-License-Identifier: Apache-2.0
//
// systemd-oomd and oomd (spec 02 section 8): that they fire at the very look at which their rule holds, and not before;
// whom they kill; and what they tell.
//
// Swap, the sizes of processes and what was scanned are set by hand; pressure comes from tasks that stall.

#include "process_fixture.h"

#include "sim/process_internal.h"
#include "sim/results.h"

enum { SWAP = 10000 };

static struct guard_state told;

static const struct guard_config systemd_oomd = {
	.kind = GUARD_SYSTEMD_OOMD,
	.swap_used_limit_ppm = 900000,
	.pressure_limit_ppm = 600000,
	.pressure_duration_ns = 30 * NS_PER_S,
};

static const struct guard_config oomd = {
	.kind = GUARD_OOMD,
	.swap_free_below_ppm = 200000,
	.pressure_above_ppm = 600000,
	.pressure_above_duration_ns = 10 * NS_PER_S,
	.reclaim_within_ns = 10 * NS_PER_S,
};

static void begin(void)
{
	describe_machine(1, 1, PAGES);
	machine.swap_pages = SWAP; // no device: nothing is ever swapped
	start_machine();
}

static void start_guard(const struct guard_config *config, bool dry_run)
{
	struct guard_config copy = *config;

	copy.dry_run = dry_run;
	assert_true(guard_start(sim, &copy, 0));
}

static const struct guard_state *state_at(uint64_t ns)
{
	run_until(ns);
	guard_state(sim, 0, &told);
	return &told;
}

static struct process *fixture(const char *comm, const char *group, uint64_t resident, uint64_t swapped)
{
	struct process *process = process_create(
		sim,
		&(struct process_attributes){.comm = comm, .group = (uint16_t)process_group(sim, group), .free = true});

	assert_non_null(process);
	process->resident = resident;
	process->swapped = swapped;
	return process;
}

// ---- MemAvailable ----

static void available_memory_is_what_can_go_without_swap(void **state)
{
	struct yard_zone_state zone;
	uint64_t free, high, low;
	enum { FILE_PAGES = 2000, FEW = 10 };

	(void)state;
	begin();
	assert_int_equal(yard_get_zone(sim->yard, YARD_ZONE_NORMAL, &zone), YARD_OK);
	low = zone.wmark[1];
	high = zone.wmark[2];
	free = free_pages();
	assert_in_range(low, FEW, FILE_PAGES / 2);
	assert_int_equal(guard_available_pages(sim), free - high);
	for (unsigned i = 0; i < FILE_PAGES; i++) {
		uint32_t pfn = yard_alloc(sim->yard, YARD_GFP_HIGHUSER_MOVABLE, 0);

		assert_int_equal(yard_lru_add(sim->yard, pfn, 0, YARD_UNMAPPED), YARD_OK);
	}
	free = free_pages();
	assert_int_equal(guard_available_pages(sim), free - high + FILE_PAGES - low);
	yard_mod_node_stat(sim->yard, 0, YARD_NODE_SLAB_RECLAIMABLE, FEW);
	assert_int_equal(guard_available_pages(sim), free - high + FILE_PAGES - low + FEW / 2);
	fill_memory(YARD_GFP_ATOMIC);
	assert_true(guard_available_pages(sim) < FILE_PAGES);
}

// ---- UG-1 ----

static void make_memory_short(void)
{
	fill_memory(YARD_GFP_NOWAIT);
	assert_true(guard_available_pages(sim) < PAGES / 10);
}

static void UG1_fires_at_the_first_look_and_takes_the_largest_user(void **state)
{
	struct process *small, *largest, *other;

	(void)state;
	begin();
	small = fixture("small", "", 10, SWAP / 20); // 5 %: not more
	other = fixture("other", "", 10, SWAP / 20 + 1);
	largest = fixture("largest", "", 10, 3000);
	make_memory_short();
	yard_set_swap(sim->yard, SWAP, SWAP / 10 - 1);
	start_guard(&systemd_oomd, false);
	assert_int_equal(state_at(150 * NS_PER_MS)->firings, 0);
	assert_int_equal(state_at(150 * NS_PER_MS + 1)->firings, 1);
	assert_int_equal(told.first_ns, 150 * NS_PER_MS);
	assert_true(largest->killed && !other->killed);
	assert_int_equal(state_at(300 * NS_PER_MS + 1)->kills, 2); // no delay
	assert_true(other->killed);
	assert_int_equal(state_at(10 * NS_PER_S)->kills, 2);
	assert_false(small->killed);
	assert_int_equal(told.nr_victims, 2);
	assert_string_equal(told.name, "systemd-oomd");
	assert_int_equal(told.victim[0].time_ns, 150 * NS_PER_MS);
	assert_int_equal(told.victim[0].swapped, 3000);
	assert_int_equal(told.victim[0].processes, 1);
	assert_int_equal(strncmp(told.victim[0].name, "largest[", 8), 0);
	assert_non_null(strstr(told.victim[0].trigger, "free swap 9.99 %"));
	assert_int_equal(strncmp(told.victim[0].trigger, "available memory ", 17), 0);
	assert_int_equal(sim->results->nr_kills, 2);
	assert_string_equal(sim->results->kill[0].by, "systemd-oomd");
	assert_string_equal(sim->results->kill[0].comm, "largest");
	assert_int_equal(sim->results->kill[1].time_ns, 300 * NS_PER_MS);
}

static void UG1_needs_both_memory_and_swap_to_be_short(void **state)
{
	struct process *user;

	(void)state;
	begin();
	user = fixture("user", "", 10, 5000);
	yard_set_swap(sim->yard, SWAP, 0);
	start_guard(&systemd_oomd, false);
	state_at(NS_PER_S); // memory is there
	assert_false(user->killed);
	make_memory_short();
	yard_set_swap(sim->yard, SWAP, SWAP / 10); // 10 %: not less
	state_at(2 * NS_PER_S);
	assert_false(user->killed);
	assert_int_equal(told.first_ns, UINT64_MAX);
	yard_set_swap(sim->yard, SWAP, SWAP / 10 - 1);
	state_at(2 * NS_PER_S + 150 * NS_PER_MS);
	assert_true(user->killed);
	assert_int_equal(told.first_ns, 14 * 150 * NS_PER_MS);
}

static void UG1_a_group_dies_as_a_whole(void **state)
{
	struct process *a, *b, *alone;

	(void)state;
	begin();
	a = fixture("a", "service", 10, 2000);
	b = fixture("b", "service", 10, 1500);
	alone = fixture("alone", "", 10, 3000);
	make_memory_short();
	yard_set_swap(sim->yard, SWAP, 0);
	start_guard(&systemd_oomd, false);
	state_at(151 * NS_PER_MS);
	assert_true(a->killed && b->killed && !alone->killed);
	assert_int_equal(told.kills, 1);
	assert_string_equal(told.victim[0].name, "service");
	assert_int_equal(told.victim[0].processes, 2);
	assert_int_equal(told.victim[0].swapped, 3500);
	assert_int_equal(sim->results->nr_kills, 2);
}

static void UG1_spares_what_is_exempt(void **state)
{
	struct process *exempt;

	(void)state;
	begin();
	exempt = fixture("exempt", "", 10, 5000);
	exempt->oom_score_adj = -1000;
	make_memory_short();
	yard_set_swap(sim->yard, SWAP, 0);
	start_guard(&systemd_oomd, false);
	assert_int_equal(state_at(NS_PER_S)->firings, 0);
	assert_false(exempt->killed);
}

static void UG4_a_dry_run_only_records(void **state)
{
	struct process *user;

	(void)state;
	begin();
	user = fixture("user", "", 10, 5000);
	make_memory_short();
	yard_set_swap(sim->yard, SWAP, 0);
	start_guard(&systemd_oomd, true);
	assert_int_equal(state_at(NS_PER_S)->firings, 1);
	assert_int_equal(told.kills, 0);
	assert_true(told.dry_run);
	assert_int_equal(told.nr_victims, 1);
	assert_false(user->killed);
	assert_int_equal(sim->results->nr_kills, 0);
	yard_set_swap(sim->yard, SWAP, SWAP);
	state_at(2 * NS_PER_S);
	yard_set_swap(sim->yard, SWAP, 0);
	assert_int_equal(state_at(3 * NS_PER_S)->firings, 2); // it had ended meanwhile
}

// ---- pressure ----

// Stalls from `from` to `to`: nobody gets anything done.
struct stall {
	uint64_t from_ns, to_ns;
};

static void stalling_body(struct simulation *simulation, struct sim_task *task, void *argument)
{
	const struct stall *stall = argument;

	task_sleep_until(simulation, stall->from_ns);
	yard_memstall_enter(simulation->yard);
	task_sleep_until(simulation, stall->to_ns);
	yard_memstall_leave(simulation->yard);
	while (!task_stopped(task))
		task_sleep(simulation, NS_PER_S);
}

static struct process *stalling(const char *comm, const char *group, const struct stall *stall)
{
	struct process *process = fixture(comm, group, 1000, 0);

	assert_non_null(process_thread(sim, process, &(struct task_attributes){.comm = comm, .cpu = -1, .node = -1},
				       stalling_body, (void *)(uintptr_t)stall));
	process_hold(process);
	return process;
}

// With a stall since time 0, full avg10 is above 60 % after five periods of 2.001 s: from the look at 11 s on.
static const struct stall for_ever = {0, SIM_FOREVER - 1};
enum { ABOVE_S = 11, LASTS_S = 30 };

static void UG2_fires_when_pressure_has_lasted(void **state)
{
	struct process *process, *other;

	(void)state;
	begin();
	process = stalling("stalls", "", &for_ever);
	other = fixture("other", "", 5000, 0);
	start_guard(&systemd_oomd, false);
	run_until(20 * NS_PER_S);
	other->pgscan = 100; // long ago
	process->pgscan = 50;
	run_until(40 * NS_PER_S + NS_PER_S / 2);
	process->pgscan = 60; // growth since the look at 40 s
	assert_int_equal(state_at((ABOVE_S + LASTS_S) * NS_PER_S)->firings, 0);
	assert_int_equal(state_at((ABOVE_S + LASTS_S) * NS_PER_S + 1)->firings, 1);
	assert_int_equal(told.first_ns, (ABOVE_S + LASTS_S) * NS_PER_S);
	assert_true(process->killed);
	assert_false(other->killed);
	assert_int_equal(told.kills, 1);
	assert_int_equal(strncmp(told.victim[0].trigger, "memory full avg10 of the system 9", 33), 0);
	assert_non_null(strstr(told.victim[0].trigger, "for 30 s"));
	assert_string_equal(sim->results->kill[0].by, "systemd-oomd");
	process_put(sim, process);
}

static void UG2_needs_recent_reclaim(void **state)
{
	struct process *process;

	(void)state;
	begin();
	process = stalling("stalls", "", &for_ever);
	start_guard(&systemd_oomd, false);
	run_until(9 * NS_PER_S + 1);
	process->pgscan = 1000; // seen at 10 s, more than 30 s before 41 s
	state_at(60 * NS_PER_S);
	assert_int_equal(told.firings, 0);
	process->pgscan++;
	assert_int_equal(state_at(60 * NS_PER_S + 1)->firings, 1);
	assert_int_equal(told.first_ns, 60 * NS_PER_S);
	assert_true(process->killed);
	process_put(sim, process);
}

// The stall ends after 35 s: at 41 s the average has been below the limit.
static void UG2_a_pause_of_pressure_starts_the_time_anew(void **state)
{
	static const struct stall stall = {0, 35 * NS_PER_S};
	struct process *process;

	(void)state;
	begin();
	process = stalling("stalls", "", &stall);
	start_guard(&systemd_oomd, false);
	for (unsigned s = 1; s < 80; s++) {
		run_until(s * NS_PER_S);
		process->pgscan++;
	}
	assert_int_equal(state_at(80 * NS_PER_S)->firings, 0);
	assert_false(process->killed);
	process_put(sim, process);
}

// A stall of 20 s, and from 26 s on another: each look counts from the first one since pressure was last below the limit.
static void UG2_counts_from_the_last_time_below(void **state)
{
	static const struct stall first = {0, 20 * NS_PER_S}, second = {26 * NS_PER_S, SIM_FOREVER - 1};
	struct process *process[2];
	uint64_t above_since = 0, starts = 0;

	(void)state;
	begin();
	process[0] = stalling("first", "", &first);
	process[1] = stalling("second", "", &second);
	start_guard(&systemd_oomd, false);
	for (uint64_t s = 1; s < 90; s++) {
		struct yard_psi psi;

		process[0]->pgscan++;
		state_at(s * NS_PER_S + 1);
		assert_int_equal(yard_psi_get(sim->yard, 0, &psi), YARD_OK);
		if (psi.avg[YARD_PSI_FULL][YARD_PSI_AVG10] <= 6000)
			above_since = 0;
		else if (!above_since)
			above_since = s, starts++;
		assert_int_equal(told.firings > 0, above_since && s >= above_since + LASTS_S);
		if (told.firings)
			break;
	}
	assert_int_equal(starts, 2);
	assert_int_equal(told.firings, 1);
	assert_int_equal(told.first_ns, (above_since + LASTS_S) * NS_PER_S);
	process_put(sim, process[0]);
	process_put(sim, process[1]);
}

// 15 s between two kills; each time the one that was scanned most since the last look.
static void UG2_pauses_after_a_kill(void **state)
{
	struct process *stalls, *first, *second;

	(void)state;
	begin();
	stalls = stalling("stalls", "", &for_ever);
	stalls->oom_score_adj = -1000; // goes on
	first = fixture("first", "", 10, 0);
	second = fixture("second", "", 10, 0);
	start_guard(&systemd_oomd, false);
	for (unsigned s = 1; s <= 60; s++) {
		run_until(s * NS_PER_S);
		first->pgscan += s < 50 ? 20 : 0;
		second->pgscan += 10;
		assert_int_equal(first->killed, s > ABOVE_S + LASTS_S);
		assert_int_equal(second->killed, s > ABOVE_S + LASTS_S + 15);
	}
	assert_int_equal(state_at(61 * NS_PER_S)->kills, 2);
	process_put(sim, stalls);
}

// A group is judged by its own pressure, and its kill takes the whole group but nobody else.
static void UG2_a_group_has_pressure_of_its_own(void **state)
{
	struct process *inside, *busy;

	(void)state;
	begin();
	inside = stalling("inside", "service", &for_ever);
	busy = fixture("busy", "other", 10, 0);
	start_guard(&systemd_oomd, false);
	for (unsigned s = 1; s <= 42; s++) {
		run_until(s * NS_PER_S);
		inside->pgscan++;
		busy->pgscan += 100;
	}
	// The system's pressure is that of the group: group 0 comes first, and takes the leaf that was scanned most.
	guard_state(sim, 0, &told);
	assert_int_equal(told.firings, 1);
	assert_string_equal(told.victim[0].name, "other");
	for (unsigned s = 43; s <= 57; s++) {
		run_until(s * NS_PER_S);
		inside->pgscan++;
	}
	assert_int_equal(state_at(57 * NS_PER_S)->kills, 2);
	assert_string_equal(told.victim[1].name, "service");
	assert_true(inside->killed);
	process_put(sim, inside);
}

// ---- UG-3 ----

static void UG3_swap_guard_kills_by_swap_usage(void **state)
{
	struct process *a, *b, *little;

	(void)state;
	begin();
	a = fixture("a", "", 10, 1000);
	b = fixture("b", "", 10, 2000);
	little = fixture("little", "", 10, 256); // 1 MiB: not more
	yard_set_swap(sim->yard, SWAP, SWAP / 5 - 1);
	start_guard(&oomd, false);
	assert_int_equal(state_at(5 * NS_PER_S)->firings, 0);
	assert_int_equal(state_at(5 * NS_PER_S + 1)->firings, 1);
	assert_true(b->killed && !a->killed);
	assert_string_equal(told.victim[0].trigger, "free swap 19.99 %");
	assert_false((state_at(20 * NS_PER_S), a->killed));
	assert_true((state_at(20 * NS_PER_S + 1), a->killed)); // 15 s later
	assert_int_equal(state_at(60 * NS_PER_S)->kills, 2);
	assert_false(little->killed);
	assert_string_equal(told.name, "oomd");
}

static void UG3_swap_guard_wants_less_than_a_fifth(void **state)
{
	struct process *user;

	(void)state;
	begin();
	user = fixture("user", "", 10, 2000);
	yard_set_swap(sim->yard, SWAP, SWAP / 5);
	start_guard(&oomd, false);
	assert_int_equal(state_at(20 * NS_PER_S)->firings, 0);
	assert_false(user->killed);
}

// Looks are every 5 s: above the limit from 15 s on, for longer than 10 s at 30 s.
enum { OOMD_FIRES_S = 30 };

static void UG3_pressure_guard_takes_the_largest(void **state)
{
	struct process *stalls, *largest;

	(void)state;
	begin();
	stalls = stalling("stalls", "", &for_ever);
	largest = fixture("largest", "", 1001, 0);
	start_guard(&oomd, false);
	for (unsigned s = 1; s <= OOMD_FIRES_S; s++) {
		run_until(s * NS_PER_S);
		stalls->pgscan++;
		assert_false(largest->killed);
	}
	assert_int_equal(state_at(OOMD_FIRES_S * NS_PER_S + 1)->firings, 1);
	assert_true(largest->killed);
	assert_false(stalls->killed);
	process_put(sim, stalls);
}

static void UG3_pressure_guard_needs_reclaim(void **state)
{
	struct process *stalls;

	(void)state;
	begin();
	stalls = stalling("stalls", "", &for_ever);
	start_guard(&oomd, false);
	run_until(18 * NS_PER_S);
	stalls->pgscan++; // seen at 20 s: that is 10 s ago at 30 s, and still counts
	assert_int_equal(state_at(30 * NS_PER_S + 1)->firings, 1);
	stop(NULL);
	begin();
	stalls = stalling("stalls", "", &for_ever);
	start_guard(&oomd, false);
	run_until(13 * NS_PER_S);
	stalls->pgscan++; // seen at 15 s
	assert_int_equal(state_at(60 * NS_PER_S)->firings, 0);
}

// Ten leaves, none of which has half of the memory; 7 and 8 are the largest fifth. One grows just before the rule
// fires.
static void UG3_pressure_guard_by_growth(void **state)
{
	static const struct {
		unsigned who;
		uint64_t to;
		bool killed;
	} cases[] = {
		{8, 3000, true},
		{8, 2726, false}, // (3 * 2000 + 2726) / 4 = 2181 on average, and a quarter more: 2726.25
		{8, 2728, true},  // 2182, 2727.5
		{3, 1900, false}, // it has doubled, but is not among the largest
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct process *process[10];

		begin();
		process[0] = stalling("p0", "", &for_ever);
		for (unsigned n = 1; n < 10; n++)
			process[n] = fixture("p", "", n == 7 || n == 8 ? 2000 : 1000, 0);
		start_guard(&oomd, false);
		for (unsigned s = 1; s < OOMD_FIRES_S; s++) {
			run_until(s * NS_PER_S);
			process[0]->pgscan++;
		}
		process[cases[i].who]->resident = cases[i].to;
		state_at(OOMD_FIRES_S * NS_PER_S + 1);
		assert_int_equal(told.firings, cases[i].killed);
		assert_int_equal(process[cases[i].who]->killed, cases[i].killed);
		if (i + 1 < COUNT(cases))
			stop(NULL);
	}
}

static void two_guards_at_once(void **state)
{
	struct process *user;

	(void)state;
	begin();
	user = fixture("user", "", 10, 5000);
	make_memory_short();
	yard_set_swap(sim->yard, SWAP, 0);
	assert_true(guard_start(sim, &systemd_oomd, 1));
	assert_true(guard_start(sim, &oomd, 0));
	assert_int_equal(state_at(20 * NS_PER_S)->firings, 0); // the other one was faster
	assert_true(user->killed);
	guard_state(sim, 1, &told);
	assert_int_equal(told.kills, 1);
	guard_state(sim, 2, &told);
	assert_null(told.name);
	assert_false(guard_start(sim, &oomd, 0));
	assert_string_not_equal(sim->error, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(available_memory_is_what_can_go_without_swap, stop),
		cmocka_unit_test_teardown(UG1_fires_at_the_first_look_and_takes_the_largest_user, stop),
		cmocka_unit_test_teardown(UG1_needs_both_memory_and_swap_to_be_short, stop),
		cmocka_unit_test_teardown(UG1_a_group_dies_as_a_whole, stop),
		cmocka_unit_test_teardown(UG1_spares_what_is_exempt, stop),
		cmocka_unit_test_teardown(UG4_a_dry_run_only_records, stop),
		cmocka_unit_test_teardown(UG2_fires_when_pressure_has_lasted, stop),
		cmocka_unit_test_teardown(UG2_needs_recent_reclaim, stop),
		cmocka_unit_test_teardown(UG2_a_pause_of_pressure_starts_the_time_anew, stop),
		cmocka_unit_test_teardown(UG2_counts_from_the_last_time_below, stop),
		cmocka_unit_test_teardown(UG2_pauses_after_a_kill, stop),
		cmocka_unit_test_teardown(UG2_a_group_has_pressure_of_its_own, stop),
		cmocka_unit_test_teardown(UG3_swap_guard_kills_by_swap_usage, stop),
		cmocka_unit_test_teardown(UG3_swap_guard_wants_less_than_a_fifth, stop),
		cmocka_unit_test_teardown(UG3_pressure_guard_takes_the_largest, stop),
		cmocka_unit_test_teardown(UG3_pressure_guard_needs_reclaim, stop),
		cmocka_unit_test_teardown(UG3_pressure_guard_by_growth, stop),
		cmocka_unit_test_teardown(two_guards_at_once, stop),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
