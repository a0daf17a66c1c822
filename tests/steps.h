// SPDX-License-Identifier: Apache-2.0
//
// What the tests of kswapd, node reclaim, demotion, multi-gen LRU, recursion checker and stall accounting share: events of
// several kinds in their order as text, and a kswapd that is driven step by step.
//
//   watch(E(KSWAPD_WAKE), E(KSWAPD_SLEEP))      these kinds only
//   assert_steps("kswapd_wake(0,2,9) kswapd_sleep(0)")   all their fields, since the last look
//
// The fields are those of YARD_TRACEPOINTS_TABLE; of the two wake-ups: zone (node * 5 + type), order, highest zone, gfp.

#pragma once

#include "reclaim_fixture.h"

#include "pageyard/worker.h"

#define E(name) YARD_EVENT_##name

static bool watched[YARD_EVENT_KINDS];

#define watch(...) watch_kinds((const int[]){ __VA_ARGS__, -1 })
static UNUSED void watch_kinds(const int *kinds)
{
	memset(watched, 0, sizeof watched);
	for (; *kinds >= 0; kinds++)
		watched[*kinds] = true;
	forget_events();
}

static UNUSED const char *short_name(unsigned kind)
{
	static const char *const prefixes[] = { "mm_vmscan_", "mm_compaction_", "mm_" };
	const char *name = yard_event_name(kind);

	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return name + strlen(prefixes[i]);
	return name;
}

static UNUSED void check_steps(const char *expected, const char *file, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (size_t i = 0; i < nr_events; i++) {
		const struct yard_event *e = &events[i];

		if (!watched[e->kind])
			continue;
		put(&text, "%s%s(", text.length ? " " : "", short_name(e->kind));
		for (unsigned a = 0; a < e->nr_args; a++)
			put(&text, "%s%" PRId64, a ? "," : "", e->args[a]);
		if (!e->nr_args)
			put(&text, "%u,%u,%d,%#x", e->zone, e->order, e->a, (unsigned)e->b);
		put(&text, ")");
	}
	same_text("events", text.chars, expected, file, line);
	forget_events();
}
#define assert_steps(expected) check_steps(expected, __FILE__, __LINE__)

// Field `field` of all events of a kind, in order: "12 12 11".
static UNUSED void check_column(unsigned kind, unsigned field, const char *expected, const char *file, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == kind)
			put(&text, "%s%" PRId64, text.length ? " " : "", events[i].args[field]);
	same_text(yard_event_name(kind), text.chars, expected, file, line);
}
#define assert_column(kind, field, expected) check_column(E(kind), field, expected, __FILE__, __LINE__)

// How often pages were isolated from a list.
static UNUSED unsigned isolated_from(unsigned list)
{
	unsigned n = 0;

	for (size_t i = 0; i < nr_events; i++)
		n += events[i].kind == E(LRU_ISOLATE) && events[i].args[6] == (int64_t)list;
	return n;
}

// ---- kswapd of node 0, and others ----

enum { SHORT_SLEEP = 100 * NSEC_PER_MSEC };

static UNUSED void check_wait(struct yard_wait wait, enum yard_wait_kind kind, uint64_t timeout_ns, const char *file,
			      int line)
{
	if (wait.kind == kind && (kind == YARD_WAIT_NONE
				  || (wait.queue == queue_of(0, YARD_QUEUE_KSWAPD) && wait.timeout_ns == timeout_ns)))
		return;
	print_error("kswapd waits: kind %d, queue %u, %" PRIu64 " ns\n", wait.kind, wait.queue, wait.timeout_ns);
	_fail(file, line);
}
#define assert_wait(wait, timeout_ns) check_wait(wait, YARD_WAIT_QUEUE, timeout_ns, __FILE__, __LINE__)
#define assert_goes_on(wait) check_wait(wait, YARD_WAIT_NONE, 0, __FILE__, __LINE__)

static UNUSED struct yard_wait step_of(unsigned node, bool woken)
{
	struct yard_wait wait;

	yard_kswapd_step(yard, node, woken, &wait);
	return wait;
}

static UNUSED struct yard_wait step(bool woken)
{
	return step_of(0, woken);
}

// Until it waits for something.
static UNUSED struct yard_wait run_of(unsigned node, bool woken)
{
	struct yard_wait wait = step_of(node, woken);

	for (unsigned i = 0; wait.kind == YARD_WAIT_NONE; i++) {
		assert_in_range(i, 0, 100000);
		wait = step_of(node, false);
	}
	return wait;
}

static UNUSED struct yard_wait run(bool woken)
{
	return run_of(0, woken);
}

// From the start of the machine to its long sleep.
static UNUSED void sleep_fully(unsigned node)
{
	struct yard_wait wait = run_of(node, false);

	assert_int_equal(wait.timeout_ns, SHORT_SLEEP);
	yard->host.now_ns += SHORT_SLEEP;
	wait = run_of(node, false);
	assert_true(wait.timeout_ns == UINT64_MAX);
}

static UNUSED void wake(unsigned order)
{
	wakeup_kswapd(yard, normal(), YARD_GFP_KERNEL, order, YARD_ZONE_NORMAL);
}

static UNUSED struct kswapd *kswapd(void)
{
	return &yard->mm[0].kswapd;
}

static UNUSED int64_t stat_of(enum yard_node_stat item)
{
	return yard_get_node_stat(yard, 0, item);
}

static UNUSED void check_identities(const char *file, int line) // T-7
{
	if (stat_of(YARD_NODE_PGSCAN_KSWAPD) + stat_of(YARD_NODE_PGSCAN_DIRECT) + stat_of(YARD_NODE_PGSCAN_PROACTIVE)
		    != stat_of(YARD_NODE_PGSCAN_ANON) + stat_of(YARD_NODE_PGSCAN_FILE)
	    || stat_of(YARD_NODE_PGSTEAL_KSWAPD) + stat_of(YARD_NODE_PGSTEAL_DIRECT) + stat_of(YARD_NODE_PGSTEAL_PROACTIVE)
		       != stat_of(YARD_NODE_PGSTEAL_ANON) + stat_of(YARD_NODE_PGSTEAL_FILE)) {
		print_error("pages by role and by kind differ\n");
		_fail(file, line);
	}
}
#define assert_identities() check_identities(__FILE__, __LINE__)
