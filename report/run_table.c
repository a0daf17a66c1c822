// SPDX-License-Identifier: Apache-2.0

#include "report/run_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum row_kind {
	ROW_COUNTER, // sum of `plus` without `minus`, which are numbers of counters
	ROW_FIGURE,  // value()
};

struct row {
	const char *group, *name;
	enum compare_better better;
	unsigned decimals;
	bool always; // also when it is 0 in every column
	int plus[5], minus; // counter + 1; 0: none
	double (*value)(const struct iteration *iteration);
};

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

	return stall ? 100.0 * (double)i->results.counter[RESULT_VM(COMPACT_SUCCESS)] / (double)stall : 0;
}

// spec 05 W1: what mmtests calls the cost of compaction; its key for the free scanner exists nowhere, so it adds nothing.
static double compaction_cost(const struct iteration *i)
{
	const uint64_t *counter = i->results.counter;

	return (7 * (double)counter[RESULT_VM(COMPACT_MIGRATE_SCANNED)] + 19 * (double)counter[RESULT_VM(COMPACT_ISOLATED)]
		+ 1038 * (double)counter[RESULT_VM(PGMIGRATE_SUCCESS)] + 14 * (double)counter[RESULT_VM(PGMIGRATE_FAIL)])
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

static const struct row rows[] = {
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
	{"Pages", "total scanned", COMPARE_LOWER, 0, true, {NODE(PGSCAN_ANON), NODE(PGSCAN_FILE)}, 0, NULL},
	{"Pages", "total reclaimed", COMPARE_LOWER, 0, true, {NODE(PGSTEAL_ANON), NODE(PGSTEAL_FILE)}, 0, NULL},
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
	{"Time", "user s", COMPARE_NEITHER, 2, true, {0}, 0, user_time},
	{"Time", "system s", COMPARE_LOWER, 2, true, {0}, 0, system_time},
	{"Time", "lock spinning s", COMPARE_LOWER, 3, false, {0}, 0, lock_spin},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

// ---- values ----

static double row_value(const struct row *row, const struct iteration *iteration)
{
	double value = 0;

	if (row->value)
		return row->value(iteration);
	for (unsigned i = 0; i < 5 && row->plus[i]; i++)
		value += (double)iteration->results.counter[row->plus[i] - 1];
	return row->minus ? value - (double)iteration->results.counter[row->minus - 1] : value;
}

typedef double value_function(const void *what, const struct iteration *iteration);

static double any_row_value(const void *what, const struct iteration *iteration)
{
	return row_value(what, iteration);
}

// Mean over the iterations of one run; NAN: it had none.
static double run_mean(const struct run *run, value_function *value, const void *what)
{
	double sum = 0;

	for (uint64_t i = 0; i < run->nr_iterations; i++)
		sum += value(what, &run->iteration[i]);
	return run->nr_iterations ? sum / (double)run->nr_iterations : NAN;
}

static double set_mean(const struct run_set *set, value_function *value, const void *what)
{
	double sum = 0;
	unsigned nr = 0;

	for (unsigned i = 0; i < set->nr_runs; i++) {
		double mean = run_mean(set->run[i], value, what);

		if (isnan(mean))
			continue;
		sum += mean;
		nr++;
	}
	return nr ? sum / nr : NAN;
}

static void add_row(struct compare *compare, const struct run_set *set, unsigned nr_sets, const struct row *row)
{
	double value[COMPARE_COLUMNS_MAX];
	struct compare_row *to;
	bool any = row->always;

	for (unsigned i = 0; i < nr_sets; i++) {
		value[i] = set_mean(&set[i], any_row_value, row);
		any |= !isnan(value[i]) && value[i] != 0;
	}
	if (!any)
		return;
	to = compare_add(compare, row->group, row->name, row->better, row->decimals);
	memcpy(to->value, value, nr_sets * sizeof(value[0]));
}

// ---- latencies ----

static double histogram_stddev(const struct histogram *histogram)
{
	double mean = (double)histogram_mean(histogram), sum = 0;
	uint64_t seen = 0;

	if (histogram->count < 2)
		return 0;
	for (unsigned i = 0; i < HISTOGRAM_CELLS && seen < histogram->count; i++) {
		double distance = (double)histogram_cell_value(i) - mean;

		sum += (double)histogram->cell[i] * distance * distance;
		seen += histogram->cell[i];
	}
	return sqrt(sum / (double)(histogram->count - 1));
}

typedef const struct histogram *histogram_function(const struct iteration *iteration, unsigned index);

static const struct histogram *class_latency(const struct iteration *iteration, unsigned class)
{
	return &iteration->results.latency[class];
}

static const struct histogram *workload_latencies(const struct iteration *iteration, unsigned workload)
{
	return &iteration->workload[workload].latency;
}

// All iterations of all runs of a policy together. NULL: no memory, or nothing was measured.
static struct histogram *merged(const struct run_set *set, histogram_function *histogram, unsigned index)
{
	struct histogram *sum = calloc(1, sizeof(*sum));

	for (unsigned run = 0; sum && run < set->nr_runs; run++)
		for (uint64_t i = 0; i < set->run[run]->nr_iterations; i++)
			histogram_merge(sum, histogram(&set->run[run]->iteration[i], index));
	if (sum && !sum->count) {
		free(sum);
		return NULL;
	}
	return sum;
}

static const struct latency_line {
	const char *name;
	unsigned per_100k; // 0: the mean; 1: the standard deviation; 100001: the maximum
} latency_lines[] = {{"mean", 0}, {"stddev", 1}, {"p50", 50000}, {"p99", 99000}, {"p99.9", 99900}, {"max", 100001}};

enum { LATENCY_LINES = sizeof(latency_lines) / sizeof(latency_lines[0]) };

static double latency_value(const struct histogram *histogram, unsigned per_100k)
{
	switch (per_100k) {
	case 0: return (double)histogram_mean(histogram) / 1000;
	case 1: return histogram_stddev(histogram) / 1000;
	case 100001: return (double)histogram->max / 1000;
	default: return (double)histogram_percentile(histogram, per_100k) / 1000;
	}
}

// The lines of one histogram, in microseconds.
static void add_latency(struct compare *compare, const struct run_set *set, unsigned nr_sets, const char *group,
			const char *what, histogram_function *histogram, unsigned index)
{
	size_t first = compare->nr_rows;
	bool any = false;

	for (unsigned line = 0; line < LATENCY_LINES; line++) {
		char name[64];

		snprintf(name, sizeof(name), "%s %s us", what, latency_lines[line].name);
		compare_add(compare, group, name, COMPARE_LOWER, 2);
	}
	if (compare->failed)
		return;
	for (unsigned i = 0; i < nr_sets; i++) {
		struct histogram *sum = merged(&set[i], histogram, index);

		any |= sum != NULL;
		for (unsigned line = 0; sum && line < LATENCY_LINES; line++)
			compare->row[first + line].value[i] = latency_value(sum, latency_lines[line].per_100k);
		free(sum);
	}
	if (!any)
		compare->nr_rows = first;
}

// ---- workloads ----

struct figure_place {
	unsigned workload, figure;
};

static double figure_value(const void *what, const struct iteration *iteration)
{
	const struct figure_place *place = what;
	const struct workload_results *workload = &iteration->workload[place->workload];

	return place->figure < workload->nr_figures ? (double)workload->figure[place->figure].value : 0;
}

// The first iteration of any policy that has this figure: names are the same in all.
static const struct workload_figure *figure_at(const struct run_set *set, unsigned nr_sets, struct figure_place place)
{
	for (unsigned i = 0; i < nr_sets; i++)
		for (unsigned run = 0; run < set[i].nr_runs; run++)
			for (uint64_t j = 0; j < set[i].run[run]->nr_iterations; j++) {
				const struct workload_results *w = &set[i].run[run]->iteration[j].workload[place.workload];

				if (place.figure < w->nr_figures)
					return &w->figure[place.figure];
			}
	return NULL;
}

static void add_workload(struct compare *compare, const struct scenario *scenario, const struct run_set *set,
			 unsigned nr_sets, unsigned number)
{
	const struct workload *workload = &scenario->workload[number];
	struct figure_place place = {number, 0};
	const struct workload_figure *figure;

	if (workload->common.first)
		return;
	for (; (figure = figure_at(set, nr_sets, place)); place.figure++) {
		enum compare_better better = figure->better > 0 ? COMPARE_HIGHER : COMPARE_LOWER;
		struct compare_row *row;

		row = compare_add(compare, workload->common.name, figure->name, figure->better ? better : COMPARE_NEITHER, 0);
		for (unsigned i = 0; i < nr_sets; i++)
			row->value[i] = set_mean(&set[i], figure_value, &place);
	}
	add_latency(compare, set, nr_sets, workload->common.name,
		    workload->latency_name ? workload->latency_name : "Time", workload_latencies, number);
}

static void add_classes(struct compare *compare, const struct run_set *set, unsigned nr_sets)
{
	for (unsigned class = 0; class < REQUEST_CLASSES; class++)
		add_latency(compare, set, nr_sets, "Latency", request_class_name(class), class_latency, class);
}

static double failures_of(const void *what, const struct iteration *iteration)
{
	return (double)iteration->results.failures[*(const unsigned *)what];
}

static void add_failures(struct compare *compare, const struct run_set *set, unsigned nr_sets)
{
	for (unsigned class = 0; class < REQUEST_CLASSES; class++) {
		struct compare_row *row;
		bool any = false;

		row = compare_add(compare, "Failed", request_class_name(class), COMPARE_LOWER, 0);
		for (unsigned i = 0; i < nr_sets; i++) {
			row->value[i] = set_mean(&set[i], failures_of, &class);
			any |= row->value[i] > 0;
		}
		if (!any && !compare->failed)
			compare->nr_rows--;
	}
}

void run_table(struct compare *compare, const struct scenario *scenario, const struct run_set *set, unsigned nr_sets)
{
	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		add_workload(compare, scenario, set, nr_sets, i);
	for (unsigned i = 0; i < ROWS; i++)
		add_row(compare, set, nr_sets, &rows[i]);
	add_failures(compare, set, nr_sets);
	add_classes(compare, set, nr_sets);
}

// ---- several runs ----

// Two-sided 5 % points of Student's t for 1 to 30 degrees of freedom; beyond, that of 30 is used (it asks for more).
static const double t_5_percent[] = {
	12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
	2.120,	2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
};

struct sample {
	double mean, variance; // of the runs
	unsigned nr;
};

static struct sample take_sample(const struct run_set *set, const struct row *row)
{
	struct sample sample = {.mean = set_mean(set, any_row_value, row)};
	double sum = 0;

	for (unsigned i = 0; i < set->nr_runs; i++) {
		double mean = run_mean(set->run[i], any_row_value, row);

		if (isnan(mean))
			continue;
		sum += (mean - sample.mean) * (mean - sample.mean);
		sample.nr++;
	}
	sample.variance = sample.nr > 1 ? sum / (sample.nr - 1) : 0;
	return sample;
}

static bool differs(const struct sample *a, const struct sample *b)
{
	double va, vb, t, freedom;

	if (a->nr < 2 || b->nr < 2)
		return false;
	va = a->variance / a->nr;
	vb = b->variance / b->nr;
	if (va + vb == 0)
		return a->mean != b->mean;
	t = fabs(a->mean - b->mean) / sqrt(va + vb);
	freedom = (va + vb) * (va + vb) / (va * va / (a->nr - 1) + vb * vb / (b->nr - 1));
	return t > t_5_percent[freedom < 1 ? 0 : freedom > 30 ? 29 : (int)freedom - 1];
}

static const char *verdict(const struct row *row, const struct sample *base, const struct sample *other)
{
	if (!differs(base, other))
		return "no difference";
	if (row->better == COMPARE_NEITHER)
		return "differs";
	return (other->mean > base->mean) == (row->better == COMPARE_HIGHER) ? "better" : "worse";
}

void run_print_significance(FILE *file, const struct scenario *scenario, const struct run_set *set, unsigned nr_sets)
{
	(void)scenario;
	fprintf(file, "%u runs a policy: mean, standard deviation, and against %s (Welch's t-test, 5 %%)\n", set[0].nr_runs,
		set[0].policy);
	for (unsigned i = 0; i < ROWS; i++) {
		struct sample base = take_sample(&set[0], &rows[i]);

		for (unsigned j = 0; j < nr_sets; j++) {
			struct sample sample = take_sample(&set[j], &rows[i]);

			if (isnan(sample.mean) || (sample.mean == 0 && base.mean == 0))
				continue;
			fprintf(file, "%-9s %-24s %-32s %16.2f  stddev %14.2f  %s\n", rows[i].group, rows[i].name,
				set[j].policy, sample.mean, sqrt(sample.variance),
				j ? verdict(&rows[i], &base, &sample) : "");
		}
	}
}

// ---- iterations ----

static uint64_t thp_alloc(const struct run_set *set, uint64_t iteration)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < set->nr_runs; i++)
		if (iteration < set->run[i]->nr_iterations)
			sum += set->run[i]->iteration[iteration].results.counter[RESULT_MACHINE(THP_FAULT_ALLOC)];
	return sum / set->nr_runs;
}

void run_print_trend(FILE *file, const struct run_set *set, unsigned nr_sets)
{
	for (unsigned i = 0; i < nr_sets; i++) {
		uint64_t nr = set[i].run[0]->nr_iterations, first = 0, last = 0;

		fprintf(file, "%-32s", set[i].policy);
		for (uint64_t j = 0; j < nr; j++)
			fprintf(file, " %llu", (unsigned long long)thp_alloc(&set[i], j));
		for (uint64_t j = 0; nr >= 6 && j < 3; j++) {
			first += thp_alloc(&set[i], j);
			last += thp_alloc(&set[i], nr - 1 - j);
		}
		if (first)
			fprintf(file, "  last/first three %.3f", (double)last / (double)first);
		fputc('\n', file);
	}
}

// ---- guards ----

static void print_guard(FILE *file, const struct guard_state *guard, const char *policy)
{
	fprintf(file, "%-32s %-14s", policy, guard->name);
	if (guard->first_ns == UINT64_MAX) {
		fprintf(file, " never fired\n");
		return;
	}
	fprintf(file, " fired %llu times, first at %.3f s, %llu kills%s\n", (unsigned long long)guard->firings,
		seconds(guard->first_ns), (unsigned long long)guard->kills, guard->dry_run ? " (dry run)" : "");
	for (unsigned i = 0; i < guard->nr_victims && i < 3; i++)
		fprintf(file, "    %9.3f s  %s: %s\n", seconds(guard->victim[i].time_ns), guard->victim[i].name,
			guard->victim[i].trigger);
}

void run_print_guards(FILE *file, const struct scenario *scenario, const struct run_set *set, unsigned nr_sets)
{
	for (unsigned i = 0; i < nr_sets; i++)
		for (unsigned run = 0; run < set[i].nr_runs; run++)
			for (uint32_t guard = 0; guard < scenario->nr_guards; guard++)
				print_guard(file, &set[i].run[run]->guard[guard], set[i].policy);
}
