// SPDX-License-Identifier: Apache-2.0

#include "report/run_measure.h"

#include <math.h>

#define VM(name) ((int)RESULT_VM(name) + 1)
#define NODE(name) ((int)RESULT_NODE(name) + 1)
#define MACHINE(name) ((int)RESULT_MACHINE(name) + 1)

static double seconds(uint64_t ns)
{
	return (double)(ns / NS_PER_US) / 1e6;
}

static double system_time(const struct iteration *i)
{
	return seconds(i->results.system_ns);
}

static double user_time(const struct iteration *i)
{
	return seconds(i->results.user_ns);
}

static double lock_spin(const struct iteration *i)
{
	return seconds(i->results.lock_spin_ns);
}

static double success_rate(const struct iteration *i)
{
	uint64_t stall = i->results.counter[RESULT_VM(COMPACT_STALL)];

	return stall ? 100.0 * (double)i->results.counter[RESULT_VM(COMPACT_SUCCESS)] / (double)stall : NAN;
}

// spec 05 W1: what mmtests calls the cost of compaction; its key for the free scanner exists nowhere, so it adds nothing.
static double compaction_cost(const struct iteration *i)
{
	const uint64_t *counter = i->results.counter;

	return (7 * (double)counter[RESULT_VM(COMPACT_MIGRATE_SCANNED)] + 19 * (double)counter[RESULT_VM(COMPACT_ISOLATED)]
		+ 1038 * (double)counter[RESULT_VM(PGMIGRATE_SUCCESS)] + 14 * (double)counter[RESULT_VM(PGMIGRATE_FAIL)])
	       / 1e6;
}

// spec 05 W1: mmtests' formula; a stray semicolon there loses what copying costs.
static double autonuma_cost(const struct iteration *i)
{
	const uint64_t *counter = i->results.counter;

	return (7 * (double)counter[RESULT_MACHINE(NUMA_PTE_UPDATES)]
		+ 5000 * (double)counter[RESULT_MACHINE(NUMA_HINT_FAULTS)]
		+ 19 * (double)counter[RESULT_MACHINE(NUMA_PAGES_MIGRATED)])
	       / 1e6;
}

static double claims(const struct iteration *i)
{
	return (double)i->results.extfrag[EXTFRAG_CLAIM];
}

static double steals(const struct iteration *i)
{
	return (double)i->results.extfrag[EXTFRAG_STEAL];
}

static double pollutes(const struct iteration *i)
{
	return (double)i->results.extfrag[EXTFRAG_POLLUTE];
}

static double psi_some(const struct iteration *i)
{
	return seconds(i->results.psi_some_ns);
}

static double psi_full(const struct iteration *i)
{
	return seconds(i->results.psi_full_ns);
}

static double psi_full_avg10(const struct iteration *i)
{
	return i->results.psi_full_avg10_max / 100.0;
}

static double kills(const struct iteration *i)
{
	return i->results.nr_kills;
}

static double free_pages(const struct iteration *i)
{
	return (double)i->results.end.free_pages;
}

static double free_block_pages(const struct iteration *i)
{
	return (double)i->results.end.free_blocks;
}

static double unmovable_blocks(const struct iteration *i)
{
	return (double)i->results.end.blocks[YARD_UNMOVABLE];
}

static double reclaimable_blocks(const struct iteration *i)
{
	return (double)i->results.end.blocks[YARD_RECLAIMABLE];
}

static double rounds_p99(const struct iteration *i)
{
	return (double)histogram_percentile(&i->results.rounds, 99000);
}

static double rounds_max(const struct iteration *i)
{
	return (double)i->results.rounds.max;
}

static double slow_calls(const struct iteration *i)
{
	return (double)i->results.rounds.count;
}

const struct counter_row counter_rows[] = {
	{"THP", "fault alloc", COMPARE_HIGHER, 0, false, {MACHINE(THP_FAULT_ALLOC)}, 0, NULL},
	{"THP", "fault fallback", COMPARE_LOWER, 0, false, {MACHINE(THP_FAULT_FALLBACK)}, 0, NULL},
	{"Direct", "compact fail", COMPARE_LOWER, 0, true, {VM(COMPACT_FAIL)}, 0, NULL},
	{"Direct", "compact success", COMPARE_HIGHER, 0, true, {VM(COMPACT_SUCCESS)}, 0, NULL},
	{"Direct", "compact success rate %", COMPARE_HIGHER, 2, false, {0}, 0, success_rate},
	{"Compact", "daemon scanned migrate", COMPARE_LOWER, 0, true, {VM(COMPACT_DAEMON_MIGRATE_SCANNED)}, 0, NULL},
	{"Compact", "daemon scanned free", COMPARE_LOWER, 0, true, {VM(COMPACT_DAEMON_FREE_SCANNED)}, 0, NULL},
	{"Compact", "direct scanned migrate", COMPARE_LOWER, 0, true, {VM(COMPACT_MIGRATE_SCANNED)},
	 VM(COMPACT_DAEMON_MIGRATE_SCANNED), NULL},
	{"Compact", "direct scanned free", COMPARE_LOWER, 0, true, {VM(COMPACT_FREE_SCANNED)},
	 VM(COMPACT_DAEMON_FREE_SCANNED), NULL},
	{"Compact", "total migrate scanned", COMPARE_LOWER, 0, true, {VM(COMPACT_MIGRATE_SCANNED)}, 0, NULL},
	{"Compact", "total free scanned", COMPARE_LOWER, 0, true, {VM(COMPACT_FREE_SCANNED)}, 0, NULL},
	{"Compact", "pages moved", COMPARE_LOWER, 0, false, {VM(PGMIGRATE_SUCCESS)}, 0, NULL},
	{"Compact", "cost", COMPARE_LOWER, 2, false, {0}, 0, compaction_cost},
	{"Alloc", "stall", COMPARE_LOWER, 0, true,
	 {VM(ALLOCSTALL_DMA), VM(ALLOCSTALL_DMA32), VM(ALLOCSTALL_NORMAL), VM(ALLOCSTALL_MOVABLE), VM(ALLOCSTALL_DEVICE)},
	 0, NULL},
	{"Pages", "kswapd scanned", COMPARE_LOWER, 0, true, {NODE(PGSCAN_KSWAPD)}, 0, NULL},
	{"Pages", "kswapd reclaimed", COMPARE_LOWER, 0, true, {NODE(PGSTEAL_KSWAPD)}, 0, NULL},
	{"Pages", "direct scanned", COMPARE_LOWER, 0, true, {NODE(PGSCAN_DIRECT)}, 0, NULL},
	{"Pages", "direct reclaimed", COMPARE_LOWER, 0, true, {NODE(PGSTEAL_DIRECT)}, 0, NULL},
	{"Pages", "proactive scanned", COMPARE_LOWER, 0, false, {NODE(PGSCAN_PROACTIVE)}, 0, NULL},
	{"Pages", "proactive reclaimed", COMPARE_NEITHER, 0, false, {NODE(PGSTEAL_PROACTIVE)}, 0, NULL},
	{"Pages", "total scanned", COMPARE_LOWER, 0, true, {NODE(PGSCAN_ANON), NODE(PGSCAN_FILE)}, 0, NULL},
	{"Pages", "total reclaimed", COMPARE_LOWER, 0, true, {NODE(PGSTEAL_ANON), NODE(PGSTEAL_FILE)}, 0, NULL},
	{"Noderecl", "success", COMPARE_NEITHER, 0, false, {VM(ZONE_RECLAIM_SUCCESS)}, 0, NULL},
	{"Noderecl", "failed", COMPARE_LOWER, 0, false, {VM(ZONE_RECLAIM_FAILED)}, 0, NULL},
	{"AutoNUMA", "pte updates", COMPARE_LOWER, 0, false, {MACHINE(NUMA_PTE_UPDATES)}, 0, NULL},
	{"AutoNUMA", "hint faults", COMPARE_LOWER, 0, false, {MACHINE(NUMA_HINT_FAULTS)}, 0, NULL},
	{"AutoNUMA", "hint local faults", COMPARE_NEITHER, 0, false, {MACHINE(NUMA_HINT_FAULTS_LOCAL)}, 0, NULL},
	{"AutoNUMA", "pages migrated", COMPARE_NEITHER, 0, false, {MACHINE(NUMA_PAGES_MIGRATED)}, 0, NULL},
	{"AutoNUMA", "tasks moved", COMPARE_NEITHER, 0, false, {MACHINE(NUMA_TASK_MIGRATED)}, 0, NULL},
	{"AutoNUMA", "cost", COMPARE_LOWER, 2, false, {0}, 0, autonuma_cost},
	{"Tiers", "promoted", COMPARE_NEITHER, 0, false, {MACHINE(PGPROMOTE_SUCCESS)}, 0, NULL},
	{"Tiers", "promotion candidates", COMPARE_NEITHER, 0, false, {MACHINE(PGPROMOTE_CANDIDATE)}, 0, NULL},
	{"Tiers", "demoted", COMPARE_NEITHER, 0, false,
	 {NODE(PGDEMOTE_KSWAPD), NODE(PGDEMOTE_DIRECT), NODE(PGDEMOTE_KHUGEPAGED), NODE(PGDEMOTE_PROACTIVE)}, 0, NULL},
	{"Swap", "out", COMPARE_LOWER, 0, true, {VM(PSWPOUT)}, 0, NULL},
	{"Swap", "in", COMPARE_LOWER, 0, true, {VM(PSWPIN)}, 0, NULL},
	{"File", "refaults", COMPARE_LOWER, 0, true, {NODE(WORKINGSET_REFAULT_FILE)}, 0, NULL},
	{"Slab", "objects scanned", COMPARE_NEITHER, 0, false, {VM(SLABS_SCANNED)}, 0, NULL},
	{"Extfrag", "claim", COMPARE_LOWER, 0, true, {0}, 0, claims},
	{"Extfrag", "steal", COMPARE_LOWER, 0, true, {0}, 0, steals},
	{"Extfrag", "pollute", COMPARE_LOWER, 0, true, {0}, 0, pollutes},
	{"Blocks", "unmovable", COMPARE_LOWER, 0, true, {0}, 0, unmovable_blocks},
	{"Blocks", "reclaimable", COMPARE_NEITHER, 0, false, {0}, 0, reclaimable_blocks},
	{"Free", "pages", COMPARE_NEITHER, 0, true, {0}, 0, free_pages},
	{"Free", "pages in whole blocks", COMPARE_HIGHER, 0, true, {0}, 0, free_block_pages},
	{"Slowpath", "calls", COMPARE_LOWER, 0, true, {0}, 0, slow_calls},
	{"Slowpath", "rounds p99", COMPARE_LOWER, 0, false, {0}, 0, rounds_p99},
	{"Slowpath", "rounds max", COMPARE_LOWER, 0, false, {0}, 0, rounds_max},
	{"Pressure", "memory some s", COMPARE_LOWER, 3, true, {0}, 0, psi_some},
	{"Pressure", "memory full s", COMPARE_LOWER, 3, true, {0}, 0, psi_full},
	{"Pressure", "full avg10 max %", COMPARE_LOWER, 2, false, {0}, 0, psi_full_avg10},
	{"Kills", "OOM killer", COMPARE_LOWER, 0, false, {VM(OOM_KILL)}, 0, NULL},
	{"Kills", "all", COMPARE_LOWER, 0, true, {0}, 0, kills},
	{"User", "time s", COMPARE_NEITHER, 2, true, {0}, 0, user_time},
	{"System", "time s", COMPARE_LOWER, 2, true, {0}, 0, system_time},
	{"Lock", "spinning s", COMPARE_LOWER, 3, false, {0}, 0, lock_spin},
	{0},
};

double counter_row_value(const struct counter_row *row, const struct iteration *iteration)
{
	double value = 0;

	if (row->value)
		return row->value(iteration);
	for (unsigned i = 0; i < 5 && row->plus[i]; i++)
		value += (double)iteration->results.counter[row->plus[i] - 1];
	return row->minus ? value - (double)iteration->results.counter[row->minus - 1] : value;
}
