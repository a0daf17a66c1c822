// SPDX-License-Identifier: Apache-2.0
//
// The figures, as a table and as JSON. The JSON always has every key; what was not measured is null.

#include "bench/bench.h"

#include <stdio.h>
#include <string.h>

bool selected(const struct settings *settings, const char *name)
{
	return !settings->filter || !strncmp(name, settings->filter, strlen(settings->filter));
}

// ---- the table ----

void print_heading(const struct settings *settings)
{
	printf("%u MiB of memory, median of %u rounds%s\n\n", settings->frames / 256, settings->rounds,
	       settings->huge_pages ? ", metadata on huge pages" : "");
	printf("%-33s %7s %10s %15s  %s\n", "benchmark", "threads", "ns/op", "ops/s", "one operation");
	fflush(stdout);
}

void print_result(const struct result *result)
{
	if (result->ns <= 0) {
		printf("%-33s %7u %26s  %s\n", result->benchmark->name, result->threads, "too few CPUs", result->benchmark->text);
		return;
	}
	printf("%-33s %7u %10.1f %15.0f  %s\n", result->benchmark->name, result->threads, result->ns,
	       result->threads * 1e9 / result->ns, result->benchmark->text);
	fflush(stdout);
}

static void print_rate(const struct tool_rate *rate, const char *command)
{
	if (rate->events_per_second > 0)
		printf("pageyard %s: %.0f events/s\n", command, rate->events_per_second);
	else
		printf("pageyard %s: skipped: %s\n", command, rate->skipped);
}

static double result_of(const struct report *report, const char *name, unsigned threads)
{
	for (size_t i = 0; i < report->nr_results; i++)
		if (report->results[i].threads == threads && !strcmp(report->results[i].benchmark->name, name))
			return report->results[i].ns;
	return 0;
}

// Throughput of two threads as a multiple of that of one. 0: not measured.
static double speedup(const struct report *report)
{
	double one = result_of(report, "pair_order0", 1), two = result_of(report, "pair_order0", 2);

	return one > 0 && two > 0 ? 2 * one / two : 0;
}

static void print_compaction(const struct compaction *figures)
{
	if (figures->ns_per_scanned <= 0)
		return;
	printf("compaction: %.0f frames scanned (%.0f of them entries of free lists) and %.0f pages moved for a block\n",
	       figures->scanned_per_block, figures->searched_per_block, figures->moved_per_block);
	printf("compaction: %.1f ns a scanned frame, %.0f ns a moved page\n", figures->ns_per_scanned, figures->ns_per_moved);
	printf("compaction: a page moved and copied %.0f ns, a cold copy of 4 KiB %.0f ns, ratio %.2f; %.2f with the searches\n",
	       figures->ns_per_copied, figures->ns_cold_copy, figures->copy_ratio, figures->searched_copy_ratio);
	printf("compaction: of a whole zone: time for a page by cold copy %.2f, scanning included\n", figures->zone_copy_ratio);
}

static void print_simulator(const struct simulator_speed *speed)
{
	if (speed->ns[0] <= 0) {
		printf("pageyard run: skipped: %s\n", speed->skipped);
		return;
	}
	printf("pageyard run mixed, 8 GiB: %.2f million page operations a second, %.2f GiB resident\n",
	       1e3 / speed->ns[0], (double)speed->rss_bytes[0] / (1 << 30));
	if (speed->ns[1] > 0)
		printf("pageyard run mixed, 1 TiB: %.2f million page operations a second, %.2f GiB resident; ratio %.2f\n",
		       1e3 / speed->ns[1], (double)speed->rss_bytes[1] / (1 << 30), speed->ratio);
}

void print_rest(const struct settings *settings, const struct report *report)
{
	const struct scale *scale = &report->scale;

	putchar('\n');
	if (speedup(report) > 0)
		printf("pair_order0, throughput of two threads: %.2f times that of one\n", speedup(report));
	if (scale->ratio > 0) {
		printf("burst_order0 in 64 GiB and in 1 GiB: %.1f ns, %.1f ns, ratio %.2f\n", scale->burst_ns[1],
		       scale->burst_ns[0], scale->ratio);
		printf("metadata: %.2f bytes a frame\n", scale->metadata_bytes_per_frame);
	}
	if (scale->create_seconds > 0)
		printf("creating 1 TiB: %.2f s, %.2f GiB resident\n", scale->create_seconds,
		       (double)scale->create_rss_bytes / (1 << 30));
	else if (scale->create_skipped)
		printf("creating 1 TiB: skipped: %s\n", scale->create_skipped);
	print_compaction(&report->compaction);
	if (selected(settings, "verify_events_per_second"))
		print_rate(&report->verify, "verify");
	if (selected(settings, "replay_events_per_second"))
		print_rate(&report->replay, "replay");
	if (selected(settings, "simulator"))
		print_simulator(&report->simulator);
}

// ---- JSON ----

static void print_number(double value, int decimals) // 0: not measured
{
	if (value > 0)
		printf("%.*f", decimals, value);
	else
		printf("null");
}

// Results of a benchmark lie next to each other.
static void print_json_results(const struct report *report)
{
	printf("  \"benchmarks\": {");
	for (size_t i = 0; i < report->nr_results; i++) {
		const struct result *result = &report->results[i];
		bool first = !i || result[-1].benchmark != result->benchmark;
		bool last = i + 1 == report->nr_results || result[1].benchmark != result->benchmark;

		if (first)
			printf("%s\n    \"%s\": {", i ? "," : "", result->benchmark->name);
		printf("%s\"%u\": ", first ? "" : ", ", result->threads);
		print_number(result->ns, 2);
		if (last)
			putchar('}');
	}
	printf("\n  }");
}

static void print_json_number(const char *key, double value, int decimals)
{
	printf(",\n  \"%s\": ", key);
	print_number(value, decimals);
}

void print_json(const struct settings *settings, const struct report *report)
{
	const struct scale *scale = &report->scale;

	printf("{\n  \"unit\": \"ns of one thread per operation\",\n");
	printf("  \"rounds\": %u,\n  \"memory_bytes\": %llu,\n  \"huge_pages\": %s,\n", settings->rounds,
	       (unsigned long long)settings->frames * FRAME_SIZE, settings->huge_pages ? "true" : "false");
	print_json_results(report);
	print_json_number("pair_order0_speedup_2_threads", speedup(report), 3);
	print_json_number("metadata_bytes_per_frame", scale->metadata_bytes_per_frame, 3);
	print_json_number("size_ratio_64GiB_1GiB", scale->ratio, 3);
	print_json_number("compaction_scanned_per_block", report->compaction.scanned_per_block, 1);
	print_json_number("compaction_searched_per_block", report->compaction.searched_per_block, 1);
	print_json_number("compaction_moved_per_block", report->compaction.moved_per_block, 1);
	print_json_number("compaction_ns_per_scanned_frame", report->compaction.ns_per_scanned, 2);
	print_json_number("compaction_ns_per_moved_page", report->compaction.ns_per_moved, 1);
	print_json_number("compaction_ns_per_copied_page", report->compaction.ns_per_copied, 1);
	print_json_number("cold_copy_ns", report->compaction.ns_cold_copy, 1);
	print_json_number("compaction_copy_ratio", report->compaction.copy_ratio, 3);
	print_json_number("compaction_copy_ratio_with_search", report->compaction.searched_copy_ratio, 3);
	print_json_number("compaction_zone_copy_ratio", report->compaction.zone_copy_ratio, 3);
	printf(",\n  \"create_1TiB\": {\"seconds\": ");
	print_number(scale->create_seconds, 3);
	printf(", \"rss_bytes\": ");
	print_number((double)scale->create_rss_bytes, 0);
	putchar('}');
	print_json_number("verify_events_per_second", report->verify.events_per_second, 0);
	print_json_number("replay_events_per_second", report->replay.events_per_second, 0);
	print_json_number("simulator_ns_per_operation_8GiB", report->simulator.ns[0], 1);
	print_json_number("simulator_ns_per_operation_1TiB", report->simulator.ns[1], 1);
	print_json_number("simulator_size_ratio_1TiB_8GiB", report->simulator.ratio, 3);
	print_json_number("simulator_rss_bytes_8GiB", (double)report->simulator.rss_bytes[0], 0);
	print_json_number("simulator_rss_bytes_1TiB", (double)report->simulator.rss_bytes[1], 0);
	printf("\n}\n");
}
