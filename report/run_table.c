// SPDX-License-Identifier: Apache-2.0

#include "report/run_table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void run_table(struct compare *compare, const struct measures *measures, const struct run_set *set, unsigned nr_sets)
{
	for (size_t i = 0; i < measures->nr; i++) {
		const struct measure *measure = &measures->item[i];
		struct compare_row *row;

		row = compare_add(compare, measure->group, measure->name, measure->better, measure->decimals);
		for (unsigned j = 0; j < nr_sets; j++)
			row->value[j] = measure_mean(measure, &set[j]);
	}
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

static struct sample take_sample(const struct run_set *set, const struct measure *measure)
{
	struct sample sample = {.mean = measure_mean(measure, set)};
	double sum = 0;

	for (unsigned i = 0; i < set->nr_runs; i++) {
		double value = measure->value(measure, set->run[i]);

		if (isnan(value))
			continue;
		sum += (value - sample.mean) * (value - sample.mean);
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

static const char *verdict(const struct measure *measure, const struct sample *base, const struct sample *other)
{
	if (!differs(base, other))
		return "same";
	if (measure->better == COMPARE_NEITHER)
		return "differs";
	return (other->mean > base->mean) == (measure->better == COMPARE_HIGHER) ? "better" : "worse";
}

// Mean and standard deviation as text, of which the sign between them is one column wide but two bytes long.
static void print_sample(FILE *file, const struct measure *measure, const struct sample *sample)
{
	char deviation[32];

	snprintf(deviation, sizeof(deviation), "%.*f", (int)measure->decimals, sqrt(sample->variance));
	if (sample->nr)
		fprintf(file, " %14.*f \u00b1 %-10s", (int)measure->decimals, sample->mean, deviation);
	else
		fprintf(file, " %14s   %-10s", "-", "");
}

static bool print_significant(FILE *file, const struct measure *measure, const struct run_set *set, unsigned nr_sets)
{
	struct sample base = take_sample(&set[0], measure), sample;
	bool any = false;

	for (unsigned i = 1; i < nr_sets && !any; i++) {
		sample = take_sample(&set[i], measure);
		any = differs(&base, &sample);
	}
	if (!any)
		return false;
	for (unsigned i = 0; i < nr_sets; i++) {
		sample = take_sample(&set[i], measure);
		fprintf(file, "%-10s %-24s %-32s", i ? "" : measure->group, i ? "" : measure->name, set[i].label);
		print_sample(file, measure, &sample);
		fprintf(file, "%s%s\n", i ? " " : "", i ? verdict(measure, &base, &sample) : "");
	}
	return true;
}

void run_print_significance(FILE *file, const struct measures *measures, const struct run_set *set, unsigned nr_sets)
{
	size_t shown = 0;

	fprintf(file, "Differs from %s by more than chance (%u runs, mean \u00b1 standard deviation, Welch's t-test at 5 %%)\n",
		set[0].label, set[0].nr_runs);
	for (size_t i = 0; i < measures->nr; i++)
		shown += print_significant(file, &measures->item[i], set, nr_sets);
	fprintf(file, "%s%zu of %zu rows.\n", shown ? "In all " : "None: ", shown, measures->nr);
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

static bool any_thp(const struct run_set *set, unsigned nr_sets)
{
	for (unsigned i = 0; i < nr_sets; i++)
		for (uint64_t j = 0; j < set[i].run[0]->nr_iterations; j++)
			if (thp_alloc(&set[i], j))
				return true;
	return false;
}

void run_print_trend(FILE *file, const struct run_set *set, unsigned nr_sets)
{
	if (!any_thp(set, nr_sets))
		return;
	fprintf(file, "\nTHP fault alloc in each iteration\n");
	for (unsigned i = 0; i < nr_sets; i++) {
		uint64_t nr = set[i].run[0]->nr_iterations, first = 0, last = 0;

		fprintf(file, "%-32s", set[i].label);
		for (uint64_t j = 0; j < nr; j++)
			fprintf(file, " %" PRIu64, thp_alloc(&set[i], j));
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

static void print_victims(FILE *file, const struct guard_state *guard)
{
	for (unsigned i = 0; i < guard->nr_victims && i < 3; i++)
		fprintf(file, "    %9.3f s  %s: %s\n", (double)(guard->victim[i].time_ns / NS_PER_US) / 1e6,
			guard->victim[i].name, guard->victim[i].trigger);
	if (guard->nr_victims > 3)
		fprintf(file, "    ... and %u more\n", guard->nr_victims - 3);
}

static void print_guard(FILE *file, const struct run_set *set, uint32_t index)
{
	const struct guard_state *earliest = &set->run[0]->guard[index];
	uint64_t firings = 0, kills = 0;
	unsigned fired = 0;

	for (unsigned run = 0; run < set->nr_runs; run++) {
		const struct guard_state *guard = &set->run[run]->guard[index];

		fired += guard->firings > 0;
		firings += guard->firings;
		kills += guard->kills;
		if (guard->first_ns < earliest->first_ns)
			earliest = guard;
	}
	fprintf(file, "%-32s %-14s", set->label, earliest->name);
	if (!fired) {
		fprintf(file, " never fired\n");
		return;
	}
	fprintf(file, " fired %" PRIu64 " times", firings);
	if (set->nr_runs > 1)
		fprintf(file, " in %u of %u runs", fired, set->nr_runs);
	fprintf(file, ", first at %.3f s, %" PRIu64 " kills%s\n", (double)(earliest->first_ns / NS_PER_US) / 1e6, kills,
		earliest->dry_run ? " (dry run)" : "");
	print_victims(file, earliest);
}

void run_print_guards(FILE *file, const struct run_set *set, unsigned nr_sets)
{
	bool any = false;

	for (unsigned i = 0; i < nr_sets; i++)
		for (uint32_t guard = 0; guard < set[i].scenario->nr_guards; guard++) {
			fputs(any ? "" : "\nGuards\n", file);
			print_guard(file, &set[i], guard);
			any = true;
		}
}
