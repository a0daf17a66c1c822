// SPDX-License-Identifier: Apache-2.0
//
// What the tests of stall accounting share: tasks whose state and stalls are told by hand.

#pragma once

#include "steps.h"

#include "pageyard/pressure.h"

enum { FRAMES = 4096, PAGES = 1024, MS = NSEC_PER_MSEC };
enum { PERIOD_MS = 2 * 1000 + 1 }; // PSI-4, hz is 1000
enum { RUNS = YARD_PSI_ON_CPU | YARD_PSI_RUNNABLE, RUNNABLE = YARD_PSI_RUNNABLE, IOWAIT = YARD_PSI_IOWAIT, ASLEEP = 0 };

static struct yard_task a = { .pid = 1 }, b = { .pid = 2 }, c = { .pid = 3 };

static UNUSED void start_with(unsigned nr_cpus)
{
	struct yard_config config = noted_config("linux-7.3");

	config.nr_cpus = nr_cpus;
	machine_of(config, FRAMES, PAGES);
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	memset(&c, 0, sizeof c);
	ask.silent = true;
}

static UNUSED void pass(uint64_t ms)
{
	yard->host.now_ns += ms * MS;
}

static UNUSED void is(struct yard_task *task, unsigned cpu, unsigned state)
{
	assert_int_equal(yard_psi_task(yard, task, cpu, state), YARD_OK);
}

static UNUSED void stall(struct yard_task *task, bool begins)
{
	struct yard_task *before = yard_set_current(yard, task);

	begins ? yard_memstall_enter(yard) : yard_memstall_leave(yard);
	yard_set_current(yard, before);
}

static UNUSED struct yard_psi psi_of(unsigned group)
{
	struct yard_psi psi;

	assert_int_equal(yard_psi_get(yard, group, &psi), YARD_OK);
	return psi;
}

static UNUSED void check_totals(unsigned group, uint64_t some_ms, uint64_t full_ms, const char *file, int line)
{
	struct yard_psi psi = psi_of(group);

	if (psi.total_us[YARD_PSI_SOME] == some_ms * 1000 && psi.total_us[YARD_PSI_FULL] == full_ms * 1000)
		return;
	print_error("stalls of group %u: some %" PRIu64 " us, full %" PRIu64 " us\n", group, psi.total_us[YARD_PSI_SOME],
		    psi.total_us[YARD_PSI_FULL]);
	_fail(file, line);
}
#define assert_totals(some_ms, full_ms) check_totals(0, some_ms, full_ms, __FILE__, __LINE__)

static UNUSED void release_takes_1_ms(uint32_t offset)
{
	(void)offset;
	pass(1);
}
