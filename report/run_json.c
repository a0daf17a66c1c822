// SPDX-License-Identifier: Apache-2.0

#include "report/run_json.h"

#include "report/json.h"

#include <inttypes.h>
#include <string.h>

struct digits {
	char text[33];
};

static struct digits fingerprint_text(const struct scenario *scenario)
{
	struct digits digits;

	snprintf(digits.text, sizeof(digits.text), "%016" PRIx64 "%016" PRIx64, scenario->fingerprint.high,
		 scenario->fingerprint.low);
	return digits;
}

static void write_fingerprint(struct json *json, const struct scenario *scenario)
{
	json_string(json, "machine", scenario->machine.name);
	json_string(json, "fingerprint", fingerprint_text(scenario).text);
}

static bool seen_policy(const struct run_set *set, unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (set[i].variant && !strcmp(set[i].policy, set[index].policy))
			return true;
	return false;
}

static void write_policies(struct json *json, const struct run_set *set, unsigned nr_sets)
{
	json_array(json, "policies");
	for (unsigned i = 0; i < nr_sets; i++)
		if (!seen_policy(set, i))
			json_string(json, NULL, set[i].policy);
	json_end(json);
}

static void write_variants(struct json *json, const struct run_set *set, unsigned nr_sets)
{
	json_array(json, "variants");
	for (unsigned i = 0; i < nr_sets; i++) {
		if (i && set[i].scenario == set[i - 1].scenario)
			continue; // under another policy
		json_object(json, NULL);
		json_string(json, "name", set[i].variant);
		write_fingerprint(json, set[i].scenario);
		json_end(json);
	}
	json_end(json);
}

static bool write_meta(struct json *json, const char *version, const struct run_set *set, unsigned nr_sets)
{
	json_object(json, NULL);
	json_string(json, "type", "meta");
	json_string(json, "version", version);
	json_string(json, "scenario", set[0].scenario->name);
	write_fingerprint(json, set[0].scenario);
	json_u64(json, "seed", set[0].seed);
	json_u64(json, "runs", set[0].nr_runs);
	write_policies(json, set, nr_sets);
	if (set[0].variant)
		write_variants(json, set, nr_sets);
	json_end(json);
	return json_line(json);
}

static void write_histogram(struct json *json, const char *key, const struct histogram *histogram)
{
	static const struct {
		const char *key;
		unsigned per_100k;
	} points[] = {{"p50", 50000}, {"p90", 90000}, {"p99", 99000}, {"p999", 99900}, {"p9999", 99990}};

	json_object(json, key);
	json_u64(json, "count", histogram->count);
	json_u64(json, "mean", histogram_mean(histogram));
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		json_u64(json, points[i].key, histogram_percentile(histogram, points[i].per_100k));
	json_u64(json, "max", histogram->max);
	json_end(json);
}

static void write_counters(struct json *json, const struct results *results)
{
	json_object(json, "vmstat");
	for (unsigned i = 0; i < RESULT_COUNTERS; i++)
		json_u64(json, result_counter_name(i), results->counter[i]);
	json_end(json);
	json_object(json, "extfrag");
	for (unsigned i = 0; i < EXTFRAG_CLASSES; i++)
		json_u64(json, extfrag_class_name(i), results->extfrag[i]);
	json_end(json);
}

static void write_requests(struct json *json, const struct results *results)
{
	json_object(json, "requests");
	for (unsigned class = 0; class < REQUEST_CLASSES; class++) {
		if (!results->requests[class])
			continue;
		json_object(json, request_class_name(class));
		json_u64(json, "requests", results->requests[class]);
		json_u64(json, "failures", results->failures[class]);
		if (results->failures[class])
			json_u64(json, "free_at_first_failure", results->free_at_first_failure[class]);
		write_histogram(json, "latency_ns", &results->latency[class]);
		json_end(json);
	}
	json_end(json);
	write_histogram(json, "slowpath_rounds", &results->rounds);
}

static void write_times(struct json *json, const struct results *results)
{
	json_u64(json, "start_ns", results->start_ns);
	json_u64(json, "end_ns", results->end_ns);
	json_u64(json, "user_ns", results->user_ns);
	json_u64(json, "system_ns", results->system_ns);
	json_u64(json, "idle_ns", results->idle_ns);
	json_u64(json, "lock_spin_ns", results->lock_spin_ns);
	json_u64(json, "operations", results->operations);
	json_u64(json, "frees", results->frees);
	json_u64(json, "touches", results->touches);
	json_object(json, "pressure");
	json_u64(json, "some_ns", results->psi_some_ns);
	json_u64(json, "full_ns", results->psi_full_ns);
	json_fixed(json, "some_avg10_max", results->psi_some_avg10_max, 2);
	json_fixed(json, "full_avg10_max", results->psi_full_avg10_max, 2);
	json_end(json);
	json_object(json, "end");
	json_u64(json, "free_pages", results->end.free_pages);
	json_u64(json, "free_pages_in_blocks", results->end.free_blocks);
	json_object(json, "blocks");
	for (unsigned type = 0; type < YARD_MIGRATETYPES; type++)
		json_u64(json, yard_migratetype_name(type), results->end.blocks[type]);
	json_end(json);
	json_end(json);
}

static void write_nodes(struct json *json, const struct machine *machine, const struct results *results)
{
	static const char *const numa[YARD_NUMA_STATS] = {
		[YARD_NUMA_HIT] = "numa_hit",		      [YARD_NUMA_MISS] = "numa_miss",
		[YARD_NUMA_FOREIGN] = "numa_foreign",	      [YARD_NUMA_INTERLEAVE_HIT] = "numa_interleave",
		[YARD_NUMA_LOCAL] = "numa_local",	      [YARD_NUMA_OTHER] = "numa_other",
	};

	if (machine->nr_nodes == 1)
		return;
	json_array(json, "nodes");
	for (uint32_t i = 0; i < machine->nr_nodes; i++) {
		const struct result_node *node = &results->node[i];

		json_object(json, NULL);
		json_u64(json, "free_pages", node->free_pages);
		json_u64(json, "file_pages", node->file_pages);
		json_u64(json, "anon_pages", node->anon_pages);
		json_u64(json, "scanned", node->scanned);
		json_u64(json, "reclaimed", node->reclaimed);
		for (unsigned stat = 0; stat < YARD_NUMA_STATS; stat++)
			json_u64(json, numa[stat], node->numa[stat]);
		json_end(json);
	}
	json_end(json);
}

static void write_workers(struct json *json, const struct machine *machine, const struct results *results)
{
	json_array(json, "workers");
	for (uint32_t i = 0; i < machine->nr_nodes; i++) {
		if (!machine->node[i].pages)
			continue;
		json_object(json, NULL);
		json_u64(json, "node", i);
		json_u64(json, "kswapd_cpu_ns", results->node[i].cpu.kswapd);
		json_u64(json, "kcompactd_cpu_ns", results->node[i].cpu.kcompactd);
		json_end(json);
	}
	json_end(json);
}

static void write_kills(struct json *json, const struct results *results)
{
	json_u64(json, "nr_kills", results->nr_kills);
	json_array(json, "kills");
	for (unsigned i = 0; i < results->nr_kills && i < RESULTS_KILLS_MAX; i++) {
		const struct kill_record *kill = &results->kill[i];

		json_object(json, NULL);
		json_u64(json, "ns", kill->time_ns);
		json_u64(json, "pid", kill->pid);
		json_string(json, "comm", kill->comm);
		json_string(json, "by", kill->by);
		json_u64(json, "resident", kill->resident);
		json_u64(json, "swapped", kill->swapped);
		json_end(json);
	}
	json_end(json);
}

// C6: what its accesses cost, and where its anonymous memory lies.
static void write_placement(struct json *json, const struct machine *machine, const struct workload_results *workload)
{
	const struct access_account *access = &workload->access;

	if (access->accesses) {
		json_object(json, "access");
		json_u64(json, "accesses", access->accesses);
		json_u64(json, "local", access->local);
		json_u64(json, "mean_ps", access_mean_ps(access));
		json_u64(json, "time_ns", access->time_ns);
		json_u64(json, "waited_ns", access->waited_ns);
		json_end(json);
	}
	if (machine->nr_nodes == 1)
		return;
	json_array(json, "resident_pages");
	for (uint32_t i = 0; i < machine->nr_nodes; i++)
		json_u64(json, NULL, workload->resident[i]);
	json_end(json);
}

static void write_workloads(struct json *json, const struct scenario *scenario, const struct iteration *iteration)
{
	json_object(json, "workload");
	for (uint32_t i = 0; i < scenario->nr_workloads; i++) {
		const struct workload_results *workload = &iteration->workload[i];

		if (scenario->workload[i].common.first)
			continue;
		json_object(json, scenario->workload[i].common.name);
		for (unsigned j = 0; j < workload->nr_figures; j++)
			json_u64(json, workload->figure[j].name, workload->figure[j].value);
		write_placement(json, &scenario->machine, workload);
		if (workload->latency.count)
			write_histogram(json, "latency_ns", &workload->latency);
		json_end(json);
	}
	json_end(json);
}

// What a line of results is of. It has all that tells it from others, because lines get sorted and mixed.
static void write_origin(struct json *json, const char *type, const struct run_set *set, unsigned run)
{
	json_string(json, "type", type);
	json_string(json, "scenario", set->scenario->name);
	json_string(json, "fingerprint", fingerprint_text(set->scenario).text);
	if (set->variant)
		json_string(json, "variant", set->variant);
	json_string(json, "policy", set->policy);
	json_u64(json, "run", run);
	json_u64(json, "seed", set->seed + run);
}

static bool write_iteration(struct json *json, const struct run_set *set, unsigned run, uint64_t number)
{
	const struct iteration *iteration = &set->run[run]->iteration[number];

	json_object(json, NULL);
	write_origin(json, "result", set, run);
	json_u64(json, "iteration", number);
	write_times(json, &iteration->results);
	write_workloads(json, set->scenario, iteration);
	write_counters(json, &iteration->results);
	write_requests(json, &iteration->results);
	write_nodes(json, &set->scenario->machine, &iteration->results);
	write_workers(json, &set->scenario->machine, &iteration->results);
	write_kills(json, &iteration->results);
	json_end(json);
	return json_line(json);
}

static void write_victims(struct json *json, const struct guard_state *guard)
{
	json_u64(json, "nr_victims", guard->nr_victims);
	json_array(json, "victims");
	for (unsigned i = 0; i < guard->nr_victims && i < GUARD_VICTIMS_MAX; i++) {
		const struct guard_victim *victim = &guard->victim[i];

		json_object(json, NULL);
		json_u64(json, "ns", victim->time_ns);
		json_string(json, "name", victim->name);
		json_string(json, "trigger", victim->trigger);
		json_u64(json, "processes", victim->processes);
		json_u64(json, "resident", victim->resident);
		json_u64(json, "swapped", victim->swapped);
		json_end(json);
	}
	json_end(json);
}

static bool write_guards(struct json *json, const struct run_set *set, unsigned run)
{
	bool fine = true;

	for (uint32_t i = 0; i < set->scenario->nr_guards; i++) {
		const struct guard_state *guard = &set->run[run]->guard[i];

		json_object(json, NULL);
		write_origin(json, "guard", set, run);
		json_string(json, "guard", guard->name);
		json_bool(json, "dry_run", guard->dry_run);
		json_u64(json, "firings", guard->firings);
		json_u64(json, "kills", guard->kills);
		if (guard->first_ns == UINT64_MAX)
			json_null(json, "first_ns");
		else
			json_u64(json, "first_ns", guard->first_ns);
		write_victims(json, guard);
		json_end(json);
		fine &= json_line(json);
	}
	return fine;
}

bool run_json(FILE *file, const char *version, const struct run_set *set, unsigned nr_sets)
{
	struct json json = {.file = file};
	bool fine = write_meta(&json, version, set, nr_sets);

	for (unsigned i = 0; i < nr_sets; i++)
		for (unsigned run = 0; run < set[i].nr_runs; run++)
			for (uint64_t number = 0; number < set[i].run[run]->nr_iterations; number++)
				fine &= write_iteration(&json, &set[i], run, number);
	for (unsigned i = 0; i < nr_sets; i++)
		for (unsigned run = 0; run < set[i].nr_runs; run++)
			fine &= write_guards(&json, &set[i], run);
	return fine;
}
