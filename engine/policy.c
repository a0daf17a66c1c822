// SPDX-License-Identifier: Apache-2.0
//
// The policy tables and their parser (spec 02 section 4, spec 01 section 15).
//
// Spec 02 section 4.2 draws a line through its table of switches. Above it stand the features that the named
// versions are about; below it stands the base, what the kernel around them happened to do. A version "as shipped"
// takes both from one kernel. Its twin NAME@7.3core takes the features of NAME and the base of 7.3, so that two
// features can be compared without the differences of two kernels. Of the switches of spec 01 section 15, D5, D6
// and D7 are features; D1 to D4, D9, D10, D12, D16 and D17 are base.
//
// Values that the specification leaves open, and what they are here:
// - "vanilla" has "-" (irrelevant) for the features that only defrag_mode reads: it has those of 7.3, so that
//   vanilla,defrag_mode=1 is linux-7.3,defrag_mode=1.
// - linux-7.2 and linux-7.3 leave defrag_mode to the user; it is off, as the kernels ship it.
// - The 6.15 and 6.16 names have the column "6.18 era" of spec 01 section 15, except that isolate_bit is off (D16:
//   since 6.17) and skip_kswapd_nodes is off (D12: absent before 6.18 stable). rmqueue_mode_cache is on (D17: since
//   6.15), also in the steps of the posted series, which spec 02 V-4 calls equal to defrag-6.15 in the end.
// - atomic-fix is 7.2.0 with defrag_mode on, storm-fix is 7.2.13 with defrag_mode on (V-3).
//
// A vanilla on an older base needs no name: it is that version with defrag_mode=off.

#include "pageyard/policy.h"

#include <stdbool.h>

#include "nearest.h"
#include "pageyard/yard.h"

static const char *const boolean_values[] = {"off", "on", NULL};
static const char *const retest_values[] = {
	[YARD_RETEST_IF_RECLAIMED] = "if-reclaimed", [YARD_RETEST_ALWAYS] = "always", [2] = NULL};
static const char *const capture_values[] = {[YARD_CAPTURE_REQUEST_ORDER] = "request-order",
					     [YARD_CAPTURE_COMPACTION_ORDER] = "compaction-order",
					     [2] = NULL};

static const char *const drop_values[] = {
	[YARD_NOFRAG_DROP_ONCE] = "once", [YARD_NOFRAG_DROP_BROKEN] = "broken", [2] = NULL};
static const char *const retry_values[] = {
	[YARD_RETRY_BOUNDED] = "bounded", [YARD_RETRY_NAIVE] = "naive", [2] = NULL};
static const char *const source_values[] = {
	[YARD_SOURCE_BLOCKS] = "blocks", [YARD_SOURCE_TYPED] = "typed", [2] = NULL};
static const char *const flow_values[] = {
	[YARD_FLOW_UNIFIED] = "unified", [YARD_FLOW_SPLIT] = "split", [2] = NULL};

// clang-format off
#define SWITCH(member, values, rule, text) {#member, rule, text, values, offsetof(struct yard_policy, member)}
// clang-format on

static const struct yard_policy_switch switches[] = {
	SWITCH(defrag_mode, boolean_values, "02 DM-1",
	       "vm.defrag_mode: no fallback between migratetypes until retries fail"),
	SWITCH(nofrag_drop_nonreclaim, boolean_values, "02 SP-16, 01 D6",
	       "requests that cannot reclaim drop NOFRAGMENT once instead of failing"),
	SWITCH(kswapd_block_wake, boolean_values, "02 SP-13", "defrag_mode wakes kswapd for whole pageblocks"),
	SWITCH(block_watermarks, boolean_values, "02 KS-2, 01 W13",
	       "under defrag_mode kswapd balances free whole blocks"),
	SWITCH(promote_nonmovable, boolean_values, "02 SP-45, 01 D7",
	       "non-movable requests under NOFRAGMENT reclaim and compact whole blocks"),
	SWITCH(capture_match, capture_values, "02 CP-3, 01 D5", "the order that a captured page must have"),
	SWITCH(fastpath_highatomic, boolean_values, "02 E-6, 01 D1", "the first attempt may use HIGHATOMIC blocks"),
	SWITCH(highatomic_reserve_min, boolean_values, "01 R3, 01 D2",
	       "reserve HIGHATOMIC blocks only after a MIN attempt"),
	SWITCH(node_reclaim_retest, retest_values, "02 E-9f, 01 D3",
	       "when node reclaim makes the watermark be tested again"),
	SWITCH(boost_in_crash_kernel, boolean_values, "01 W7, 01 D4", "watermark boost also in a crash-capture kernel"),
	SWITCH(range_free_chunks, boolean_values, "01 B16, 01 D9",
	       "ranges are freed in aligned chunks, not frame by frame"),
	SWITCH(drain_portions, boolean_values, "01 P10.5, 01 D10",
	       "per-CPU lists drain in batches, the lock dropped between"),
	SWITCH(skip_kswapd_nodes, boolean_values, "01 A6, 01 D12",
	       "a first walk passes over nodes where kswapd is active"),
	SWITCH(rmqueue_mode_cache, boolean_values, "01 R6, 01 D17",
	       "a refill remembers which fallback mode gave pages"),
	SWITCH(isolate_bit, boolean_values, "01 M8, 01 D16",
	       "isolation is a bit of its own and keeps the block's type"),
	SWITCH(nofrag_drop, drop_values, "02 DM-4", "NOFRAGMENT is dropped once retries fail, or wrongly as first posted"),
	SWITCH(kswapd_order0_handoff, boolean_values, "02 KS-2",
	       "kswapd counts plain pages again once its order has dropped to 0"),
	SWITCH(drift_snapshot, boolean_values, "02 KS-2", "kswapd counts exactly below the drift mark"),
	SWITCH(promoted_retry, retry_values, "02 SP-49, SP-52", "whether the retry rules know of promoted requests"),
	SWITCH(source_rule, source_values, "02 3.6, 03 C3.10", "the blocks that direct compaction may empty"),
	SWITCH(slowpath_flow, flow_values, "02 2.2, 2.9", "the order of the slow path's steps"),
	SWITCH(retry_cpuset_filter, boolean_values, "02 SP-52",
	       "compaction's retry asks only zones that the cpuset allows"),
	SWITCH(gap_cap, boolean_values, "03 C2.1", "the compaction gap is at most 32 pages"),
	SWITCH(compaction_annotated, boolean_values, "02 RC-2",
	       "the recursion checker sees direct compaction as entering reclaim"),
	SWITCH(stall_report, boolean_values, "02 SP-67", "requests that last ten seconds are reported"),
	SWITCH(kcompactd_high_always, boolean_values, "02 V-5",
	       "kcompactd aims at the high watermark without defrag_mode too"),
	SWITCH(lru_gen, boolean_values, "04 G-1", "the multi-gen LRU instead of active and inactive lists"),
	SWITCH(cost_folding, boolean_values, "04 V-3", "reclaim's costs are folded from counters at each pass"),
	SWITCH(gen_exec_first, boolean_values, "04 V-5", "multi-gen: executable file pages are promoted at first sight"),
	SWITCH(anon_only_strict, boolean_values, "04 V-6", "swappiness=max without swap reclaims nothing"),
	SWITCH(node_file_all_zones, boolean_values, "04 V-7",
	       "a node's reclaim file reaches all zones, tells its errors apart and is no memory stall"),
	SWITCH(hopeless_needs_balance, boolean_values, "04 V-11", "only a balanced node stops being hopeless"),
	SWITCH(node_reclaim_wake_kswapd, boolean_values, "05 K2",
	       "node reclaim wakes kswapd and tests the watermark before it reclaims (posted in 2025)"),
	SWITCH(node_reclaim_gen_strict, boolean_values, "05 Z9, 04 G-12",
	       "multi-gen: node reclaim that may not both write and unmap does nothing"),
	SWITCH(wake_kcompactd_only, boolean_values, "04 O-11",
	       "a request for a block wakes kcompactd instead of kswapd where single pages are plenty (proposed)"),
	SWITCH(kswapd_round_gap, boolean_values, "04 O-11",
	       "kswapd's round for a block ends at the compaction gap where single pages are plenty (proposed)"),
};

enum { SWITCHES = sizeof switches / sizeof switches[0] };
_Static_assert(sizeof(struct yard_policy) == SWITCHES,
	       "every member of struct yard_policy is one byte and has a row above");

// --- the named versions ---

// Features: spec 02 section 4.2 above the line.
#define FEATURES_3OF5												      \
	.defrag_mode = 1, .nofrag_drop_nonreclaim = 0, .kswapd_block_wake = 0, .block_watermarks = 0,		      \
	.kswapd_order0_handoff = 0, .drift_snapshot = 0, .nofrag_drop = YARD_NOFRAG_DROP_ONCE,			      \
	.promote_nonmovable = 0, .capture_match = YARD_CAPTURE_COMPACTION_ORDER, .source_rule =			      \
	YARD_SOURCE_TYPED, .promoted_retry = YARD_RETRY_NAIVE
#define FEATURES_ASYNC												      \
	.defrag_mode = 1, .nofrag_drop_nonreclaim = 0, .kswapd_block_wake = 1, .block_watermarks = 0,		      \
	.kswapd_order0_handoff = 0, .drift_snapshot = 0, .nofrag_drop = YARD_NOFRAG_DROP_ONCE,			      \
	.promote_nonmovable = 0, .capture_match = YARD_CAPTURE_COMPACTION_ORDER, .source_rule =			      \
	YARD_SOURCE_TYPED, .promoted_retry = YARD_RETRY_NAIVE
#define FEATURES_6_15												      \
	.defrag_mode = 1, .nofrag_drop_nonreclaim = 0, .kswapd_block_wake = 1, .block_watermarks = 1,		      \
	.kswapd_order0_handoff = 0, .drift_snapshot = 0, .nofrag_drop = YARD_NOFRAG_DROP_ONCE,			      \
	.promote_nonmovable = 0, .capture_match = YARD_CAPTURE_COMPACTION_ORDER, .source_rule =			      \
	YARD_SOURCE_TYPED, .promoted_retry = YARD_RETRY_NAIVE
#define FEATURES_6_16												      \
	.defrag_mode = 1, .nofrag_drop_nonreclaim = 0, .kswapd_block_wake = 1, .block_watermarks = 1,		      \
	.kswapd_order0_handoff = 1, .drift_snapshot = 1, .nofrag_drop = YARD_NOFRAG_DROP_ONCE,			      \
	.promote_nonmovable = 0, .capture_match = YARD_CAPTURE_COMPACTION_ORDER, .source_rule =			      \
	YARD_SOURCE_TYPED, .promoted_retry = YARD_RETRY_NAIVE
#define FEATURES_7_2_0												      \
	.defrag_mode = 1, .nofrag_drop_nonreclaim = 1, .kswapd_block_wake = 1, .block_watermarks = 1,		      \
	.kswapd_order0_handoff = 1, .drift_snapshot = 1, .nofrag_drop = YARD_NOFRAG_DROP_ONCE,			      \
	.promote_nonmovable = 0, .capture_match = YARD_CAPTURE_COMPACTION_ORDER, .source_rule =			      \
	YARD_SOURCE_TYPED, .promoted_retry = YARD_RETRY_NAIVE
#define FEATURES_7_2_X(mode, retry)										      \
	.defrag_mode = (mode), .nofrag_drop_nonreclaim = 1, .kswapd_block_wake = 1, .block_watermarks = 1,	      \
	.kswapd_order0_handoff = 1, .drift_snapshot = 1, .nofrag_drop = YARD_NOFRAG_DROP_ONCE,			      \
	.promote_nonmovable = 1, .capture_match = YARD_CAPTURE_REQUEST_ORDER, .source_rule =			      \
	YARD_SOURCE_BLOCKS, .promoted_retry = (retry)
#define FEATURES_7_2(mode) FEATURES_7_2_X(mode, YARD_RETRY_NAIVE)
#define FEATURES_7_3	   FEATURES_7_2_X(0, YARD_RETRY_BOUNDED)

// Bases: spec 02 section 4.2 below the line, and the columns of spec 01 section 15 and of spec 04 section 13.
#define BASE_6_15												      \
	.fastpath_highatomic = 0, .highatomic_reserve_min = 0, .node_reclaim_retest = YARD_RETEST_ALWAYS,	      \
	.boost_in_crash_kernel = 1, .range_free_chunks = 0, .drain_portions = 0, .skip_kswapd_nodes = 0,	      \
	.rmqueue_mode_cache = 1, .isolate_bit = 0, .slowpath_flow = YARD_FLOW_SPLIT, .retry_cpuset_filter =	      \
	0, .gap_cap = 0, .compaction_annotated = 0, .stall_report = 0, .cost_folding = 0, .gen_exec_first =	      \
	0, .anon_only_strict = 0, .node_file_all_zones = 0, .hopeless_needs_balance = 0,			      \
	.node_reclaim_gen_strict = 1
#define BASE_7_2_X(annotated)											      \
	.fastpath_highatomic = 0, .highatomic_reserve_min = 0, .node_reclaim_retest = YARD_RETEST_ALWAYS,	      \
	.boost_in_crash_kernel = 1, .range_free_chunks = 1, .drain_portions = 1, .skip_kswapd_nodes = 1,	      \
	.rmqueue_mode_cache = 1, .isolate_bit = 1, .slowpath_flow = YARD_FLOW_UNIFIED, .retry_cpuset_filter	      \
	= 1, .gap_cap = 1, .compaction_annotated = (annotated), .stall_report = 1, .cost_folding = 0,		      \
	.gen_exec_first = 0, .anon_only_strict = 0, .node_file_all_zones = 0, .hopeless_needs_balance = 1,	      \
	.node_reclaim_gen_strict = 1
#define BASE_7_2_0 BASE_7_2_X(0)
#define BASE_7_2   BASE_7_2_X(1)
#define BASE_7_3												      \
	.fastpath_highatomic = 1, .highatomic_reserve_min = 1, .node_reclaim_retest =				      \
	YARD_RETEST_IF_RECLAIMED, .boost_in_crash_kernel = 0, .range_free_chunks = 1, .drain_portions = 1,	      \
	.skip_kswapd_nodes = 1, .rmqueue_mode_cache = 1, .isolate_bit = 1, .slowpath_flow =			      \
	YARD_FLOW_UNIFIED, .retry_cpuset_filter = 1, .gap_cap = 1, .compaction_annotated = 1, .stall_report	      \
	= 1, .cost_folding = 1, .gen_exec_first = 1, .anon_only_strict = 1, .node_file_all_zones = 1,		      \
	.hopeless_needs_balance = 1, .node_reclaim_gen_strict = 1

// clang-format off
#define VERSION(name, features, base, text)                                                                            \
	{name, text, {features, base}},                                                                                \
	{name "@7.3core", text " (base of 7.3)", {features, BASE_7_3}}
// clang-format on

// Oldest first; a suggestion between equally near names goes to the later one.
static const struct yard_policy_version versions[] = {
	VERSION("vanilla", FEATURES_7_3, BASE_7_3, "Linux 7.3 without defrag_mode: the same as linux-7.3"),
	VERSION("defrag-3of5", FEATURES_3OF5, BASE_6_15, "the 2025 series up to patch 3: defrag_mode alone"),
	VERSION("DEFRAGMODE-ASYNC", FEATURES_ASYNC, BASE_6_15,
		"the 2025 series up to patch 4: kswapd woken for blocks"),
	VERSION("DEFRAGMODE-ASYNC-WMARKS", FEATURES_6_15, BASE_6_15, "the 2025 series, all 5 patches"),
	VERSION("defrag-6.15", FEATURES_6_15, BASE_6_15, "defrag_mode of 6.15-rc1 and rc2"),
	VERSION("defrag-6.16", FEATURES_6_16, BASE_6_15, "defrag_mode of 6.16, kswapd's order-0 hand-off mended"),
	VERSION("atomic-fix", FEATURES_7_2_0, BASE_7_2_0, "defrag_mode of 7.2.0: atomic requests may fall back"),
	VERSION("storm-fix", FEATURES_7_2(1), BASE_7_2, "defrag_mode of 7.2.13: non-movable requests make blocks"),
	VERSION("linux-7.2", FEATURES_7_2(0), BASE_7_2, "Linux 7.2.13, defrag_mode off as shipped"),
	VERSION("linux-7.3", FEATURES_7_3, BASE_7_3, "Linux 7.3.4, defrag_mode off as shipped"),
};

enum { VERSIONS = sizeof versions / sizeof versions[0] };

const struct yard_policy_switch *yard_policy_switches(size_t *count)
{
	*count = SWITCHES;
	return switches;
}

const struct yard_policy_version *yard_policy_versions(size_t *count)
{
	*count = VERSIONS;
	return versions;
}

// --- the parser ---

// A piece of the text being parsed. Its place, for messages, is counted from 1.
struct word {
	const char *text;
	size_t length, place;
};

// The message that is being written. What does not fit is cut off.
struct message {
	char *text;
	size_t size, length;
};

static void say_char(struct message *m, char c)
{
	if (m->length + 1 < m->size) {
		m->text[m->length++] = c;
		m->text[m->length] = '\0';
	}
}

static void say(struct message *m, const char *text)
{
	for (; *text; text++)
		say_char(m, *text);
}

// Quotes a word of the input: at most 40 characters, control characters shown as '?'.
static void say_word(struct message *m, struct word word)
{
	say_char(m, '\'');
	for (size_t i = 0; i < word.length && i < 40; i++)
		say_char(m, (unsigned char)word.text[i] < ' ' || word.text[i] == 0x7f ? '?' : word.text[i]);
	say(m, word.length > 40 ? "...'" : "'");
}

static void say_place(struct message *m, size_t place)
{
	char digits[20];
	unsigned n = 0;

	for (; place && n < sizeof digits; place /= 10)
		digits[n++] = (char)('0' + place % 10);
	say(m, " at character ");
	while (n)
		say_char(m, digits[--n]);
}

static void say_nearest(struct message *m, const char *name)
{
	if (!name)
		return;
	say(m, "; did you mean '");
	say(m, name);
	say(m, "'?");
}

static bool word_is(struct word word, const char *name)
{
	size_t i = 0;

	while (i < word.length && name[i] && word.text[i] == name[i])
		i++;
	return i == word.length && !name[i];
}

// The part of text[*at..] up to `end` or `other_end` or the end of the text; *at moves to what ended it.
static struct word word_until(const char *text, size_t *at, char end, char other_end)
{
	struct word word = {.text = text + *at, .place = *at + 1};

	while (text[*at] && text[*at] != end && text[*at] != other_end)
		++*at;
	word.length = (size_t)(text + *at - word.text);
	return word;
}

static int unknown_version(struct word word, struct message *m)
{
	const char *nearest = NULL;
	unsigned least = NEAREST_NONE - 1;

	for (size_t i = 0; i < VERSIONS; i++) {
		unsigned distance = nearest_distance(word.text, word.length, versions[i].name);

		if (distance <= least) {
			least = distance;
			nearest = versions[i].name;
		}
	}
	say(m, word.length ? "unknown policy " : "no policy");
	if (word.length)
		say_word(m, word);
	say_place(m, word.place);
	say_nearest(m, nearest);
	say(m, " (see: pageyard policies)");
	return YARD_EINVAL;
}

static int unknown_switch(struct word word, struct message *m)
{
	const char *nearest = NULL;
	unsigned least = NEAREST_NONE;

	for (size_t i = 0; i < SWITCHES; i++) {
		unsigned distance = nearest_distance(word.text, word.length, switches[i].name);

		if (distance < least) {
			least = distance;
			nearest = switches[i].name;
		}
	}
	say(m, word.length ? "unknown switch " : "no switch");
	if (word.length)
		say_word(m, word);
	say_place(m, word.place);
	say_nearest(m, nearest);
	say(m, " (see: pageyard policies --switches)");
	return YARD_EINVAL;
}

// `what` is wrong with the value that stands at `place`.
static int bad_value(const struct yard_policy_switch *sw, const char *what, size_t place, struct message *m)
{
	say(m, what);
	say(m, " switch '");
	say(m, sw->name);
	say(m, "'");
	say_place(m, place);
	say(m, "; valid values: ");
	for (size_t i = 0; sw->values[i]; i++) {
		say(m, i ? ", " : "");
		say(m, sw->values[i]);
	}
	return YARD_EINVAL;
}

static int given_twice(const struct yard_policy_switch *sw, struct word word, struct message *m)
{
	say(m, "switch '");
	say(m, sw->name);
	say(m, "' given a second time");
	say_place(m, word.place);
	return YARD_EINVAL;
}

// The number that the value's name stands for, or -1.
static int switch_value(const struct yard_policy_switch *sw, struct word value)
{
	static const char *const synonyms[2][4] = {{"0", "no", "false", NULL}, {"1", "yes", "true", NULL}};

	for (int i = 0; sw->values[i]; i++)
		if (word_is(value, sw->values[i]))
			return i;
	for (int i = 0; i < 2 && sw->values == boolean_values; i++)
		for (size_t j = 0; synonyms[i][j]; j++)
			if (word_is(value, synonyms[i][j]))
				return i;
	return -1;
}

// Parses the "switch=value" at text[*at]. `given` has one bit for each switch that stood to the left.
static int parse_switch(const char *text, size_t *at, struct yard_policy *policy, uint64_t *given, struct message *m)
{
	struct word name = word_until(text, at, '=', ',');
	size_t which = 0;

	while (which < SWITCHES && !word_is(name, switches[which].name))
		which++;
	if (which == SWITCHES)
		return unknown_switch(name, m);
	if (*given >> which & 1)
		return given_twice(&switches[which], name, m);
	*given |= (uint64_t)1 << which;

	if (text[*at] != '=')
		return bad_value(&switches[which], "no '=' after", *at + 1, m);
	++*at;
	struct word value = word_until(text, at, ',', ',');
	int number = switch_value(&switches[which], value);

	if (number < 0 && value.length) {
		say(m, "bad value ");
		say_word(m, value);
	}
	if (number < 0)
		return bad_value(&switches[which], value.length ? " for" : "no value for", value.place, m);
	((unsigned char *)policy)[switches[which].offset] = (unsigned char)number;
	return 0;
}

int yard_policy_parse(const char *text, struct yard_policy *policy, char *error, size_t error_size)
{
	struct message m = {.text = error, .size = error_size};
	struct yard_policy result;
	uint64_t given = 0;
	size_t at = 0, which = 0;
	struct word name = word_until(text, &at, ',', ',');

	if (error_size)
		error[0] = '\0';
	while (which < VERSIONS && !word_is(name, versions[which].name))
		which++;
	if (which == VERSIONS)
		return unknown_version(name, &m);
	result = versions[which].policy;

	while (text[at]) {
		at++; // the comma
		int status = parse_switch(text, &at, &result, &given, &m);

		if (status)
			return status;
	}
	*policy = result;
	return 0;
}
