// SPDX-License-Identifier: Apache-2.0

#include "report/run_measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double mean_of_iterations(const struct measure *measure, const struct run *run)
{
	double sum = 0;
	unsigned nr = 0;

	for (uint64_t i = 0; i < run->nr_iterations; i++) {
		double one = measure->of(measure, &run->iteration[i]);

		if (isnan(one))
			continue;
		sum += one;
		nr++;
	}
	return nr ? sum / nr : NAN;
}

struct measure *measures_add(struct measures *measures, const char *group, const char *name, enum compare_better better,
			     unsigned decimals)
{
	static struct measure nowhere;
	struct measure *measure = &nowhere;

	if (measures->nr == measures->max) {
		size_t max = measures->max ? 2 * measures->max : 128;
		struct measure *item = realloc(measures->item, max * sizeof(*item));

		if (item) {
			measures->item = item;
			measures->max = max;
		}
	}
	if (measures->nr < measures->max)
		measure = &measures->item[measures->nr++];
	else
		measures->failed = true;
	*measure = (struct measure){
		.group = group, .better = better, .decimals = decimals, .value = mean_of_iterations};
	snprintf(measure->name, sizeof(measure->name), "%s", name);
	return measure;
}

// ---- values ----

static double counter_of(const struct measure *measure, const struct iteration *iteration)
{
	return counter_row_value(measure->row, iteration);
}

static double failures_of(const struct measure *measure, const struct iteration *iteration)
{
	return (double)iteration->results.failures[measure->index];
}

// A workload makes its figures when there is something to count: in another run they may be others, in another order.
static double figure_of(const struct measure *measure, const struct iteration *iteration)
{
	const struct workload_results *workload = &iteration->workload[measure->index];

	for (unsigned i = 0; i < workload->nr_figures; i++)
		if (!strcmp(workload->figure[i].name, measure->figure))
			return (double)workload->figure[i].value;
	return 0;
}

// ---- latencies ----

enum { POINT_MEAN, POINT_P50, POINT_P99, POINT_P999, POINT_MAX, POINTS };

static const char *const point_names[POINTS] = {"mean", "p50", "p99", "p99.9", "max"};

static double point_value(const struct histogram *histogram, unsigned point)
{
	switch (point) {
	case POINT_MEAN: return (double)histogram_mean(histogram) / 1000;
	case POINT_P50: return (double)histogram_percentile(histogram, 50000) / 1000;
	case POINT_P99: return (double)histogram_percentile(histogram, 99000) / 1000;
	case POINT_P999: return (double)histogram_percentile(histogram, 99900) / 1000;
	default: return (double)histogram->max / 1000;
	}
}

static const struct histogram *latency_of_class(const struct iteration *iteration, unsigned class)
{
	return &iteration->results.latency[class];
}

static const struct histogram *latency_of_workload(const struct iteration *iteration, unsigned workload)
{
	return &iteration->workload[workload].latency;
}

// In microseconds. Only the command's thread comes here.
static double latency_value(const struct measure *measure, const struct run *run)
{
	static struct histogram sum;

	sum = (struct histogram){0};
	for (uint64_t i = 0; i < run->nr_iterations; i++) {
		const struct histogram *one = measure->latency(&run->iteration[i], measure->index);

		if (one->count)
			histogram_merge(&sum, one);
	}
	return sum.count ? point_value(&sum, measure->point) : NAN;
}

static void add_latency(struct measures *measures, const char *group, const char *what, unsigned index, unsigned point,
			const struct histogram *(*latency)(const struct iteration *iteration, unsigned index))
{
	char name[64];
	struct measure *measure;

	snprintf(name, sizeof(name), "%s %s us", what, point_names[point]);
	measure = measures_add(measures, group, name, COMPARE_LOWER, 2);
	measure->value = latency_value;
	measure->latency = latency;
	measure->index = index;
	measure->point = point;
}

// ---- workloads ----

// Rows that published tables have under another name. Hugealloc Time: of a burst (spec 02 U-6 leaves it open; the published
// 27,905 is what 250 huge pages take to be zeroed, in microseconds).
static const struct published {
	const char *kind, *figure, *group, *name;
} published[] = {
	{"thp-burst", "burst mean us", "Hugealloc", "Time mean us"},
	{"thp-burst", "burst stddev us", "Hugealloc", "Time stddev us"},
};

// Of the first workload of its kind only: the name would not tell which of several it is of. NULL: none.
static const struct published *published_row(const struct scenario *scenario, unsigned workload, const char *figure)
{
	const struct task_kind *kind = scenario->workload[workload].kind;

	for (unsigned i = 0; i < workload; i++)
		if (scenario->workload[i].kind == kind && !scenario->workload[i].common.first)
			return NULL;
	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++)
		if (!strcmp(published[i].kind, kind->config.name) && !strcmp(published[i].figure, figure))
			return &published[i];
	return NULL;
}

static void add_figure(struct measures *measures, const struct scenario *scenario, unsigned workload,
		       const struct workload_figure *figure, size_t first)
{
	const struct published *as = published_row(scenario, workload, figure->name);
	enum compare_better better = figure->better > 0	  ? COMPARE_HIGHER
				     : figure->better < 0 ? COMPARE_LOWER
							  : COMPARE_NEITHER;
	struct measure *measure;

	for (size_t i = first; i < measures->nr; i++)
		if (measures->item[i].figure && !strcmp(measures->item[i].figure, figure->name))
			return;
	measure = measures_add(measures, as ? as->group : scenario->workload[workload].common.name, as ? as->name : figure->name,
		      better, 0);
	measure->of = figure_of;
	measure->index = workload;
	measure->figure = figure->name;
}

// All figures that any run has, in the order in which they are met.
static void add_workload(struct measures *measures, const struct scenario *scenario, const struct run_set *set,
			 unsigned nr_sets, unsigned workload)
{
	const char *latency = NULL;
	size_t first = measures->nr;

	for (unsigned i = 0; i < nr_sets; i++)
		for (unsigned run = 0; run < set[i].nr_runs; run++)
			for (uint64_t j = 0; j < set[i].run[run]->nr_iterations; j++) {
				const struct workload_results *results = &set[i].run[run]->iteration[j].workload[workload];

				for (unsigned k = 0; k < results->nr_figures; k++)
					add_figure(measures, scenario, workload, &results->figure[k], first);
				latency = latency ? latency : results->latency_name;
			}
	measures_add_access(measures, set, nr_sets, workload);
	for (unsigned point = 0; latency && point < POINTS; point++)
		add_latency(measures, scenario->workload[workload].common.name, latency, workload, point,
			    latency_of_workload);
}

// ---- the list ----

static void add_counters(struct measures *measures)
{
	for (const struct counter_row *row = counter_rows; row->group; row++) {
		struct measure *measure = measures_add(measures, row->group, row->name, row->better, row->decimals);

		measure->of = counter_of;
		measure->row = row;
		measure->always = row->always;
	}
}

static void add_classes(struct measures *measures)
{
	static const unsigned points[] = {POINT_P50, POINT_P99, POINT_MAX};

	for (unsigned class = 0; class < REQUEST_CLASSES; class++) {
		struct measure *measure = measures_add(measures, "Failed", request_class_name(class), COMPARE_LOWER, 0);

		measure->of = failures_of;
		measure->index = class;
	}
	for (unsigned class = 0; class < REQUEST_CLASSES; class++)
		for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
			add_latency(measures, "Latency", request_class_name(class), class, points[i], latency_of_class);
}

static bool tells(const struct measure *measure, const struct run_set *set, unsigned nr_sets)
{
	for (unsigned i = 0; i < nr_sets; i++)
		for (unsigned run = 0; run < set[i].nr_runs; run++) {
			double value = measure->value(measure, set[i].run[run]);

			if (!isnan(value) && value != 0)
				return true;
		}
	return false;
}

// Where huge pages were faulted, no fallback says as much as many do.
static void keep_thp_together(struct measures *measures, const struct run_set *set, unsigned nr_sets)
{
	bool any = false;

	for (size_t i = 0; i < measures->nr; i++)
		any |= !strcmp(measures->item[i].group, "THP") && tells(&measures->item[i], set, nr_sets);
	for (size_t i = 0; i < measures->nr; i++)
		measures->item[i].always |= any && !strcmp(measures->item[i].group, "THP");
}

// Small means of whole numbers keep what is behind the point.
static void choose_decimals(struct measure *measure, const struct run_set *set, unsigned nr_sets)
{
	for (unsigned i = 0; !measure->decimals && i < nr_sets; i++) {
		double mean = measure_mean(measure, &set[i]);

		if (!isnan(mean) && mean < 100 && mean != floor(mean))
			measure->decimals = 2;
	}
}

static bool is_row(const struct measure *measure, const char *row)
{
	size_t group = strlen(measure->group);

	return !strncmp(row, measure->group, group) && row[group] == ' ' && !strcmp(row + group + 1, measure->name);
}

// False: there is none of this name.
static bool keep_row(struct measures *measures, const struct measures *all, const char *row)
{
	bool found = false;

	for (size_t i = 0; i < all->nr; i++) {
		struct measure *kept;

		if (!is_row(&all->item[i], row))
			continue;
		kept = measures_add(measures, "", "", COMPARE_NEITHER, 0);
		*kept = all->item[i];
		kept->always = true;
		found = true;
	}
	return found;
}

// What a run does not tell is left out, but not what is 0.
static bool keep_rows(struct measures *measures, const struct scenario *scenario)
{
	struct measures all = *measures;

	*measures = (struct measures){0};
	for (uint32_t i = 0; i < scenario->nr_rows; i++)
		if (!keep_row(measures, &all, scenario->row[i]) && !measures->missing)
			measures->missing = scenario->row[i];
	measures_free(&all);
	return !measures->failed;
}

bool measures_collect(struct measures *measures, const struct scenario *scenario, const struct run_set *set,
		      unsigned nr_sets, bool brief)
{
	size_t kept = 0;

	for (uint32_t i = 0; i < scenario->nr_workloads; i++)
		if (!scenario->workload[i].common.first)
			add_workload(measures, scenario, set, nr_sets, i);
	add_counters(measures);
	measures_add_workers(measures, set, nr_sets);
	measures_add_nodes(measures, set, nr_sets);
	add_classes(measures);
	if (measures->failed || (brief && scenario->nr_rows && !keep_rows(measures, scenario)))
		return false;
	keep_thp_together(measures, set, nr_sets);
	for (size_t i = 0; i < measures->nr; i++)
		if (measures->item[i].always || tells(&measures->item[i], set, nr_sets)) {
			choose_decimals(&measures->item[i], set, nr_sets);
			measures->item[kept++] = measures->item[i];
		}
	measures->nr = kept;
	return true;
}

void measures_free(struct measures *measures)
{
	free(measures->item);
	*measures = (struct measures){0};
}

double measure_mean(const struct measure *measure, const struct run_set *set)
{
	double sum = 0;
	unsigned nr = 0;

	for (unsigned i = 0; i < set->nr_runs; i++) {
		double value = measure->value(measure, set->run[i]);

		if (isnan(value))
			continue;
		sum += value;
		nr++;
	}
	return nr ? sum / nr : NAN;
}
