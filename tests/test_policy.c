// SPDX-License-Identifier: Apache-2.0
//
// The policy tables against spec 02 section 4.2 and spec 01 section 15, and the parser's answers word for word.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pageyard/policy.h"
#include "pageyard/yard.h"

static struct yard_policy policy(const char *text)
{
	struct yard_policy result;
	char error[256];

	memset(&result, 0xff, sizeof result);
	if (yard_policy_parse(text, &result, error, sizeof error))
		fail_msg("%s: %s", text, error);
	assert_string_equal(error, "");
	return result;
}

static void assert_same(const char *a, const char *b)
{
	struct yard_policy left = policy(a), right = policy(b);

	assert_memory_equal(&left, &right, sizeof left);
}

static void assert_refused(const char *text, const char *expected)
{
	struct yard_policy result, before;
	char error[256];

	memset(&result, 0x5a, sizeof result);
	before = result;
	assert_int_equal(yard_policy_parse(text, &result, error, sizeof error), YARD_EINVAL);
	assert_string_equal(error, expected);
	assert_memory_equal(&result, &before, sizeof result); // untouched on error
}

// --- the table of spec 02 section 4.2, row by row; columns as in `columns` ---

static const char *const columns[] = {"defrag-6.15", "defrag-6.16", "atomic-fix",
				      "storm-fix",   "linux-7.2",   "linux-7.3"};

struct row {
	const char *name;
	int values[6];
	bool base; // below the line "base": 7.3's value in NAME@7.3core
};

static const struct row rows[] = {
	{"defrag_mode", {1, 1, 1, 1, 0, 0}, false},
	{"nofrag_drop_nonreclaim", {0, 0, 1, 1, 1, 1}, false},
	{"kswapd_block_wake", {1, 1, 1, 1, 1, 1}, false},
	{"block_watermarks", {1, 1, 1, 1, 1, 1}, false},
	{"promote_nonmovable", {0, 0, 0, 1, 1, 1}, false},
	{"capture_match",
	 {YARD_CAPTURE_COMPACTION_ORDER, YARD_CAPTURE_COMPACTION_ORDER, YARD_CAPTURE_COMPACTION_ORDER,
	  YARD_CAPTURE_REQUEST_ORDER, YARD_CAPTURE_REQUEST_ORDER, YARD_CAPTURE_REQUEST_ORDER},
	 false},
	{"fastpath_highatomic", {0, 0, 0, 0, 0, 1}, true},    // D1
	{"highatomic_reserve_min", {0, 0, 0, 0, 0, 1}, true}, // D2
	{"node_reclaim_retest",				      // D3
	 {YARD_RETEST_ALWAYS, YARD_RETEST_ALWAYS, YARD_RETEST_ALWAYS, YARD_RETEST_ALWAYS, YARD_RETEST_ALWAYS,
	  YARD_RETEST_IF_RECLAIMED},
	 true},
	{"boost_in_crash_kernel", {1, 1, 1, 1, 1, 0}, true}, // D4
	{"range_free_chunks", {0, 0, 1, 1, 1, 1}, true},     // D9
	{"drain_portions", {0, 0, 1, 1, 1, 1}, true},	     // D10
	{"skip_kswapd_nodes", {0, 0, 1, 1, 1, 1}, true},     // D12: absent before 6.18 stable
	{"rmqueue_mode_cache", {1, 1, 1, 1, 1, 1}, true},    // D17: since 6.15
	{"isolate_bit", {0, 0, 1, 1, 1, 1}, true},	     // D16: since 6.17
	{"nofrag_drop", {0, 0, 0, 0, 0, 0}, false}, // once
	{"kswapd_order0_handoff", {0, 1, 1, 1, 1, 1}, false},
	{"drift_snapshot", {0, 1, 1, 1, 1, 1}, false},
	{"promoted_retry", {1, 1, 1, 1, 1, 0}, false}, // 1: naive
	{"source_rule", {1, 1, 1, 0, 0, 0}, false},    // 1: typed
	{"slowpath_flow", {1, 1, 0, 0, 0, 0}, true},   // 1: split
	{"retry_cpuset_filter", {0, 0, 1, 1, 1, 1}, true},
	{"gap_cap", {0, 0, 1, 1, 1, 1}, true},
	{"compaction_annotated", {0, 0, 0, 1, 1, 1}, true},
	{"stall_report", {0, 0, 1, 1, 1, 1}, true},
	{"kcompactd_high_always", {0, 0, 0, 0, 0, 0}, true}, // V-5: for the published column only
	// spec 04 section 13
	{"lru_gen", {0, 0, 0, 0, 0, 0}, true},
	{"cost_folding", {0, 0, 0, 0, 0, 1}, true},
	{"gen_exec_first", {0, 0, 0, 0, 0, 1}, true},
	{"anon_only_strict", {0, 0, 0, 0, 0, 1}, true},
	{"node_file_all_zones", {0, 0, 0, 0, 0, 1}, true}, // V-7
	{"hopeless_needs_balance", {0, 0, 1, 1, 1, 1}, true},
	// spec 05 section 9
	{"node_reclaim_wake_kswapd", {0, 0, 0, 0, 0, 0}, true},
	{"wake_kcompactd_only", {0, 0, 0, 0, 0, 0}, true},
	{"kswapd_round_gap", {0, 0, 0, 0, 0, 0}, true},
	{"node_reclaim_gen_strict", {1, 1, 1, 1, 1, 1}, true},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static int value_of(const struct yard_policy *p, const char *name)
{
	size_t count;
	const struct yard_policy_switch *switches = yard_policy_switches(&count);

	for (size_t i = 0; i < count; i++)
		if (!strcmp(switches[i].name, name))
			return ((const unsigned char *)p)[switches[i].offset];
	fail_msg("no switch %s", name);
	return -1;
}

static void spec_02_4_2_values_as_shipped(void **state)
{
	(void)state;
	for (size_t column = 0; column < 6; column++) {
		struct yard_policy p = policy(columns[column]);

		for (size_t i = 0; i < ROWS; i++)
			if (value_of(&p, rows[i].name) != rows[i].values[column])
				fail_msg("%s: %s is %d", columns[column], rows[i].name, value_of(&p, rows[i].name));
	}
}

static void spec_02_4_2_the_7_3core_twin_takes_the_base_of_7_3(void **state)
{
	(void)state;
	for (size_t column = 0; column < 6; column++) {
		char name[64];

		snprintf(name, sizeof name, "%s@7.3core", columns[column]);
		struct yard_policy p = policy(name);

		for (size_t i = 0; i < ROWS; i++) {
			int expected = rows[i].values[rows[i].base ? 5 : column];

			if (value_of(&p, rows[i].name) != expected)
				fail_msg("%s: %s is %d", name, rows[i].name, value_of(&p, rows[i].name));
		}
	}
}

static void V1_vanilla_is_7_3_without_defrag_mode(void **state)
{
	(void)state;
	assert_int_equal(policy("vanilla").defrag_mode, 0);
	assert_same("vanilla,defrag_mode=1", "linux-7.3,defrag_mode=1");
	assert_same("vanilla", "vanilla@7.3core");
}

static void V3_7_2_is_the_storm_fix(void **state)
{
	(void)state;
	assert_same("linux-7.2,defrag_mode=1", "storm-fix");
	assert_same("atomic-fix,promote_nonmovable=on,capture_match=request-order,source_rule=blocks,compaction_annotated=on",
		    "storm-fix");
}

static void V4_steps_of_the_2025_series(void **state)
{
	(void)state;
	assert_same("DEFRAGMODE-ASYNC-WMARKS", "defrag-6.15");
	assert_same("DEFRAGMODE-ASYNC,block_watermarks=on", "DEFRAGMODE-ASYNC-WMARKS");
	assert_same("defrag-3of5,kswapd_block_wake=on", "DEFRAGMODE-ASYNC");
	assert_same("defrag-3of5@7.3core,kswapd_block_wake=on", "DEFRAGMODE-ASYNC@7.3core");
}

// "A policy-version switch needs D1-D7, D9, D10, D12, D16, D17 to be independent": each byte of the policy is one
// switch's, and setting a switch on the command line changes that byte alone.
static void spec_01_15_switches_are_independent(void **state)
{
	size_t count;
	const struct yard_policy_switch *switches = yard_policy_switches(&count);
	struct yard_policy base = policy("linux-7.3");

	(void)state;
	assert_int_equal(count, sizeof(struct yard_policy));
	assert_int_equal(count, ROWS);
	for (size_t i = 0; i < count; i++)
		for (int value = 0; switches[i].values[value]; value++) {
			char text[96];
			struct yard_policy expected = base, got;

			snprintf(text, sizeof text, "linux-7.3,%s=%s", switches[i].name, switches[i].values[value]);
			((unsigned char *)&expected)[switches[i].offset] = (unsigned char)value;
			got = policy(text);
			assert_memory_equal(&got, &expected, sizeof got);
		}
}

static void tables_are_complete(void **state)
{
	size_t switches_count, count;
	const struct yard_policy_switch *switches = yard_policy_switches(&switches_count);
	const struct yard_policy_version *versions = yard_policy_versions(&count);

	(void)state;
	assert_int_equal(count, 20); // ten names, each as shipped and @7.3core
	for (size_t i = 0; i < count; i++) {
		struct yard_policy p = policy(versions[i].name);

		assert_memory_equal(&p, &versions[i].policy, sizeof p);
		assert_true(versions[i].text[0]);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(versions[i].name, versions[j].name);
		for (size_t j = 0; j < switches_count; j++) { // a value without a name would be unprintable
			int names = 0;

			while (switches[j].values[names])
				names++;
			assert_in_range(value_of(&p, switches[j].name), 0, names - 1);
		}
	}
	for (size_t i = 0; i < switches_count; i++) {
		assert_true(switches[i].rule[0]);
		assert_true(switches[i].text[0]);
	}
}

// --- the parser ---

static void parse_takes_every_spelling_of_a_boolean(void **state)
{
	static const char *const off[] = {"off", "0", "no", "false"}, *const on[] = {"on", "1", "yes", "true"};
	char text[64];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "linux-7.3,defrag_mode=%s", off[i]);
		assert_int_equal(policy(text).defrag_mode, 0);
		snprintf(text, sizeof text, "linux-7.3,defrag_mode=%s", on[i]);
		assert_int_equal(policy(text).defrag_mode, 1);
	}
	assert_int_equal(policy("linux-7.3,node_reclaim_retest=always").node_reclaim_retest, YARD_RETEST_ALWAYS);
	assert_int_equal(policy("linux-7.2,node_reclaim_retest=if-reclaimed").node_reclaim_retest,
			 YARD_RETEST_IF_RECLAIMED);
}

static void parse_refuses_unknown_versions(void **state)
{
	(void)state;
	assert_refused("linux-7.4",
		       "unknown policy 'linux-7.4' at character 1; did you mean 'linux-7.3'? (see: pageyard policies)");
	assert_refused("Vanila,defrag_mode=1",
		       "unknown policy 'Vanila' at character 1; did you mean 'vanilla'? (see: pageyard policies)");
	assert_refused("defrag-6.15@7.3cor",
		       "unknown policy 'defrag-6.15@7.3cor' at character 1; did you mean 'defrag-6.15@7.3core'? "
		       "(see: pageyard policies)");
	assert_refused("kernel", "unknown policy 'kernel' at character 1 (see: pageyard policies)");
	assert_refused("defrag_mode=1", "unknown policy 'defrag_mode=1' at character 1 (see: pageyard policies)");
	assert_refused("", "no policy at character 1 (see: pageyard policies)");
	assert_refused(",defrag_mode=1", "no policy at character 1 (see: pageyard policies)");
}

static void parse_refuses_unknown_switches(void **state)
{
	(void)state;
	assert_refused("linux-7.3,defrag=1", "unknown switch 'defrag' at character 11; did you mean 'defrag_mode'? "
					     "(see: pageyard policies --switches)");
	assert_refused("linux-7.3,defrag_mode=1,isolatebit=1",
		       "unknown switch 'isolatebit' at character 25; did you mean 'isolate_bit'? "
		       "(see: pageyard policies --switches)");
	assert_refused("linux-7.3,thp=1", "unknown switch 'thp' at character 11 (see: pageyard policies --switches)");
	assert_refused("linux-7.3,", "no switch at character 11 (see: pageyard policies --switches)");
	assert_refused("linux-7.3,,defrag_mode=1", "no switch at character 11 (see: pageyard policies --switches)");
	assert_refused("linux-7.3, defrag_mode=1",
		       "unknown switch ' defrag_mode' at character 11; did you mean 'defrag_mode'? "
		       "(see: pageyard policies --switches)");
}

static void parse_refuses_bad_values(void **state)
{
	(void)state;
	assert_refused("linux-7.3,defrag_mode=2",
		       "bad value '2' for switch 'defrag_mode' at character 23; valid values: off, on");
	assert_refused("linux-7.3,defrag_mode=",
		       "no value for switch 'defrag_mode' at character 23; valid values: off, on");
	assert_refused("linux-7.3,defrag_mode=on=on",
		       "bad value 'on=on' for switch 'defrag_mode' at character 23; valid values: off, on");
	assert_refused("linux-7.3,capture_match=on",
		       "bad value 'on' for switch 'capture_match' at character 25; valid values: request-order, "
		       "compaction-order");
	assert_refused(
		"linux-7.3,node_reclaim_retest=0",
		"bad value '0' for switch 'node_reclaim_retest' at character 31; valid values: if-reclaimed, always");
}

static void parse_refuses_a_missing_equals_sign(void **state)
{
	(void)state;
	assert_refused("linux-7.3,defrag_mode",
		       "no '=' after switch 'defrag_mode' at character 22; valid values: off, on");
	assert_refused("linux-7.3,defrag_mode,isolate_bit=1",
		       "no '=' after switch 'defrag_mode' at character 22; valid values: off, on");
}

static void parse_refuses_a_switch_given_twice(void **state)
{
	(void)state;
	assert_refused("linux-7.3,defrag_mode=1,isolate_bit=1,defrag_mode=0",
		       "switch 'defrag_mode' given a second time at character 39");
	assert_refused("linux-7.3,node_reclaim_gen_strict=1,node_reclaim_gen_strict=0", // the last of more than 32
		       "switch 'node_reclaim_gen_strict' given a second time at character 37");
	assert_int_equal(policy("linux-7.3,node_reclaim_gen_strict=0,highatomic_reserve_min=0").node_reclaim_gen_strict, 0);
}

static void parse_shows_odd_input_in_one_short_line(void **state)
{
	char text[400];

	(void)state;
	assert_refused("a\nb", "unknown policy 'a?b' at character 1 (see: pageyard policies)");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_refused(text, "unknown policy 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' at character 1 "
			     "(see: pageyard policies)");
}

static void parse_cuts_the_message_to_the_buffer(void **state)
{
	static const char whole[] =
		"unknown policy 'linux-7.4' at character 1; did you mean 'linux-7.3'? (see: pageyard "
		"policies)";
	struct yard_policy result;
	char error[128];

	(void)state;
	assert_int_equal(yard_policy_parse("linux-7.4", &result, NULL, 0), YARD_EINVAL);
	for (size_t size = 1; size <= sizeof whole; size++) {
		memset(error, 'x', sizeof error);
		assert_int_equal(yard_policy_parse("linux-7.4", &result, error, size), YARD_EINVAL);
		assert_int_equal(strlen(error), size - 1);
		assert_memory_equal(error, whole, size - 1);
		assert_int_equal(error[size], 'x');
	}
	assert_int_equal(yard_policy_parse("linux-7.3", &result, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spec_02_4_2_values_as_shipped),
		cmocka_unit_test(spec_02_4_2_the_7_3core_twin_takes_the_base_of_7_3),
		cmocka_unit_test(V1_vanilla_is_7_3_without_defrag_mode),
		cmocka_unit_test(V3_7_2_is_the_storm_fix),
		cmocka_unit_test(V4_steps_of_the_2025_series),
		cmocka_unit_test(spec_01_15_switches_are_independent),
		cmocka_unit_test(tables_are_complete),
		cmocka_unit_test(parse_takes_every_spelling_of_a_boolean),
		cmocka_unit_test(parse_refuses_unknown_versions),
		cmocka_unit_test(parse_refuses_unknown_switches),
		cmocka_unit_test(parse_refuses_bad_values),
		cmocka_unit_test(parse_refuses_a_missing_equals_sign),
		cmocka_unit_test(parse_refuses_a_switch_given_twice),
		cmocka_unit_test(parse_shows_odd_input_in_one_short_line),
		cmocka_unit_test(parse_cuts_the_message_to_the_buffer),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
