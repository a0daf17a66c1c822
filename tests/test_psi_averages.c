// SPDX-License-Identifier: Apache-2.0
//
// Spec 02 section 7.1: averages and triggers of memory stalls (PSI-4, PSI-5).

#include "psi_fixture.h"

// ---- PSI-4 ----

enum { FIXED = 2048 };

struct reference {
	uint64_t avg[3];
};

static const uint64_t decay[3] = { 1677, 1981, 2034 };

static uint64_t load(uint64_t avg, uint64_t e, uint64_t pct)
{
	uint64_t next = avg * e + pct * (FIXED - e);

	if (pct >= avg)
		next += FIXED - 1;
	return next / FIXED;
}

static void sample(struct reference *r, uint64_t stalled_ns, uint64_t period_ns)
{
	uint64_t pct = 100 * stalled_ns / period_ns * FIXED;

	for (unsigned i = 0; i < 3; i++)
		r->avg[i] = load(r->avg[i], decay[i], pct);
}

static void check_averages(const struct reference *r, const char *file, int line)
{
	struct yard_psi psi = psi_of(0);

	for (unsigned i = 0; i < 3; i++) {
		uint64_t shown = r->avg[i] / FIXED * 100 + r->avg[i] % FIXED * 100 / FIXED;

		if (psi.avg[YARD_PSI_SOME][i] != shown || psi.avg[YARD_PSI_FULL][i] != shown) {
			print_error("average %u: some %u, full %u, expected %" PRIu64 "\n", i, psi.avg[YARD_PSI_SOME][i],
				    psi.avg[YARD_PSI_FULL][i], shown);
			_fail(file, line);
		}
	}
}
#define assert_averages(r) check_averages(r, __FILE__, __LINE__)

// A period in which `a` is stalled for so long, with the update at its end.
static void period(struct reference *r, uint64_t stalled_ms)
{
	uint64_t next;

	stall(&a, true);
	pass(stalled_ms);
	stall(&a, false);
	pass(PERIOD_MS - stalled_ms);
	next = yard_psi_update(yard);
	assert_true(next <= (uint64_t)PERIOD_MS * MS);
	sample(r, stalled_ms * MS, (uint64_t)PERIOD_MS * MS);
}

static void PSI4_averages(void **state)
{
	static const uint64_t stalls[] = { 0, 1000, 2001, 2001, 500, 20, 0, 0, 1999, 1 };
	struct reference r = { 0 };

	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	for (unsigned round = 0; round < 40; round++) {
		period(&r, stalls[round % COUNT(stalls)]);
		assert_averages(&r);
	}
}

static void PSI4_first_values(void **state)
{
	struct reference r = { 0 };
	struct yard_psi psi;

	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	period(&r, 2001); // 100 %: (100 * 2048 * 371 + 2047) / 2048 = 37100 = 18.11
	psi = psi_of(0);
	assert_int_equal(psi.avg[YARD_PSI_SOME][YARD_PSI_AVG10], 1811);
	assert_int_equal(psi.avg[YARD_PSI_SOME][YARD_PSI_AVG60], 327);  // 100 * 67 = 6700 / 2048
	assert_int_equal(psi.avg[YARD_PSI_SOME][YARD_PSI_AVG300], 68); // 1400 / 2048
	for (unsigned i = 0; i < 2000; i++)
		period(&r, 2001);
	psi = psi_of(0);
	assert_int_equal(psi.avg[YARD_PSI_FULL][YARD_PSI_AVG10], 10000); // the rounding up lets it get there
	assert_int_equal(psi.avg[YARD_PSI_FULL][YARD_PSI_AVG60], 10000);
	assert_int_equal(psi.avg[YARD_PSI_FULL][YARD_PSI_AVG300], 10000);
}

static void PSI4_the_period_follows_hz(void **state)
{
	struct yard_config config = noted_config("linux-7.3");

	(void)state;
	config.hz = 100;
	machine_of(config, FRAMES, PAGES);
	memset(&a, 0, sizeof a);
	is(&a, 0, RUNS);
	stall(&a, true);
	pass(2000); // (2 * 100 + 1) jiffies are 2010 ms
	yard_psi_update(yard);
	assert_int_equal(psi_of(0).avg[YARD_PSI_SOME][YARD_PSI_AVG10], 0);
	pass(10);
	yard_psi_update(yard);
	assert_int_equal(psi_of(0).avg[YARD_PSI_SOME][YARD_PSI_AVG10], 1811);
}

static void PSI4_missed_periods_decay(void **state)
{
	struct reference r = { 0 };

	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	for (unsigned i = 0; i < 10; i++)
		period(&r, 1500);
	pass(2 * PERIOD_MS); // one is missed
	yard_psi_update(yard);
	for (unsigned i = 0; i < 3; i++)
		r.avg[i] = load(r.avg[i], decay[i], 0);
	sample(&r, 0, (uint64_t)PERIOD_MS * MS);
	assert_averages(&r);
	pass(100000 * (uint64_t)PERIOD_MS); // all is forgotten
	yard_psi_update(yard);
	assert_int_equal(psi_of(0).avg[YARD_PSI_SOME][YARD_PSI_AVG300], 0);
}

static void PSI4_overage_is_carried(void **state)
{
	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	stall(&a, true);
	pass(PERIOD_MS - 1); // the worker comes in the last moment of the third period, all of them stalled
	pass(2 * PERIOD_MS);
	yard_psi_update(yard); // two missed; the sample is one period
	assert_int_equal(psi_of(0).total_us[YARD_PSI_SOME], (3 * (uint64_t)PERIOD_MS - 1) * 1000);
	stall(&a, false);
	// the rest is carried: no stall in the next period, and yet its sample is full
	pass(PERIOD_MS + 1);
	yard_psi_update(yard);
	assert_true(psi_of(0).avg[YARD_PSI_SOME][YARD_PSI_AVG10] > 3000); // two full samples: 18.1 + 14.8
}

// ---- PSI-5 ----

static int add_trigger(uint32_t threshold_ms, uint32_t window_ms)
{
	int trigger = yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, threshold_ms * 1000, window_ms * 1000, true);

	assert_true(trigger >= 0);
	return trigger;
}

// `nr` times w/10 of a window of 1 s, `stalled_ms` of each in a stall. Counts the events.
static unsigned tenths(int trigger, unsigned nr, uint64_t stalled_ms)
{
	unsigned fired = 0;

	for (unsigned i = 0; i < nr; i++) {
		stall(&a, true);
		pass(stalled_ms);
		stall(&a, false);
		pass(100 - stalled_ms);
		assert_true(yard_psi_update(yard) <= 100 * MS); // checked at w/10
		fired += yard_psi_trigger_poll(yard, trigger);
		assert_false(yard_psi_trigger_poll(yard, trigger)); // once for each event
	}
	return fired;
}

static void PSI5_threshold(void **state)
{
	int trigger;

	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	trigger = add_trigger(150, 1000);
	assert_int_equal(tenths(trigger, 30, 10), 0); // 100 ms in each window
	assert_true(tenths(trigger, 30, 30) >= 2);
}

static void PSI5_one_event_per_window(void **state)
{
	int trigger;

	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	trigger = add_trigger(100, 1000);
	assert_in_range(tenths(trigger, 50, 100), 4, 5); // always stalled
}

static void PSI5_carry_in(void **state)
{
	int trigger;

	(void)state;
	start_with(1);
	is(&a, 0, RUNS);
	trigger = add_trigger(200, 1000);
	tenths(trigger, 8, 0);
	// 120 ms at the end of one window, 120 ms in the beginning of the next: the growth before counts in part
	tenths(trigger, 2, 60);
	assert_int_equal(tenths(trigger, 2, 60), 1); // 120 + at least 120 * 8 / 10
}

static void PSI5_errors(void **state)
{
	(void)state;
	start_with(1);
	assert_int_equal(yard_psi_trigger_add(yard, YARD_PSI_GROUPS, YARD_PSI_SOME, 1, 1000000, true), YARD_ERANGE);
	assert_int_equal(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 0, true), YARD_EINVAL);
	assert_int_equal(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 10000001, true), YARD_EINVAL);
	assert_int_equal(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 0, 1000000, true), YARD_EINVAL);
	assert_int_equal(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1000001, 1000000, true), YARD_EINVAL);
	assert_int_equal(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 1000000, false), YARD_EINVAL);
	assert_int_equal(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 3000000, false), YARD_EINVAL);
	assert_true(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 4000000, false) >= 0);
	assert_true(yard_psi_trigger_add(yard, 0, YARD_PSI_FULL, 1, 10000000, true) >= 0);
	for (unsigned i = 2; i < YARD_PSI_TRIGGERS; i++)
		add_trigger(1, 1000);
	assert_int_equal(yard_psi_trigger_add(yard, 0, YARD_PSI_SOME, 1, 1000000, true), YARD_ENOMEM);
	yard_psi_trigger_remove(yard, 3);
	assert_int_equal(add_trigger(1, 1000), 3);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(PSI4_averages), TEST(PSI4_first_values), TEST(PSI4_the_period_follows_hz),
		TEST(PSI4_missed_periods_decay), TEST(PSI4_overage_is_carried), TEST(PSI5_threshold),
		TEST(PSI5_one_event_per_window), TEST(PSI5_carry_in), TEST(PSI5_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
