// SPDX-License-Identifier: Apache-2.0
//
// A scenario in words, for `pageyard show`.

#include <inttypes.h>
#include <string.h>

#include "sim/scenario.h"

enum { WIDTH = 100, NAME_WIDTH = 14, VALUE_WIDTH = 16 };

static void print_wrapped(FILE *file, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t length = strcspn(text, " \n");

		if (column && column + 1 + length > WIDTH) {
			fputc('\n', file);
			column = 0;
		}
		column += (size_t)fprintf(file, "%s%.*s", column ? " " : "", (int)length, text);
		text += length;
		text += strspn(text, " \n");
	}
	fputc('\n', file);
}

static void print_size(FILE *file, uint64_t pages)
{
	static const struct {
		const char *name;
		uint64_t pages;
	} units[] = {{"TiB", UINT64_C(1) << 28}, {"GiB", 1 << 18}, {"MiB", 1 << 8}};
	unsigned unit = 0;

	while (unit < 2 && pages < units[unit].pages)
		unit++;
	fprintf(file, "%" PRIu64, pages / units[unit].pages);
	if (pages % units[unit].pages)
		fprintf(file, ".%" PRIu64, pages % units[unit].pages * 10 / units[unit].pages);
	fprintf(file, " %s", units[unit].name);
}

static const char *time_text(uint64_t ns, char *text, size_t size)
{
	const struct config_field field = {.type = CONFIG_TIME, .size = sizeof(ns)};

	return config_value_text(&field, &ns, text, size);
}

// ---- machine ----

// What accesses from CPUs of the node meet at each node.
static void describe_reach(const struct machine *machine, uint32_t node, FILE *file)
{
	uint32_t nr = machine->nr_nodes;

	fputs(machine->node[node].cpus ? "; latency" : "", file);
	for (uint32_t j = 0; machine->node[node].cpus && j < nr; j++)
		fprintf(file, "%s %" PRIu64 "%s", j ? "," : "", machine_latency(machine, node, j),
			j + 1 == nr ? " ns" : "");
	for (uint32_t j = 0; machine_bandwidth(machine, 0, 0) && machine->node[node].cpus && j < nr; j++)
		fprintf(file, "%s %" PRIu64 "%s", j ? "," : ";", machine_bandwidth(machine, node, j) / 1000000000,
			j + 1 == nr ? " GB/s" : "");
}

static void describe_nodes(const struct machine *machine, FILE *file)
{
	static const char *const kinds[] = {"DRAM", "HBM", "CXL", "persistent"};

	for (uint32_t i = 0; machine->nr_nodes > 1 && i < machine->nr_nodes; i++) {
		const struct machine_node *node = &machine->node[i];

		fprintf(file, "  node %-9" PRIu32, i);
		print_size(file, node->pages);
		fprintf(file, ", %" PRIu32 " CPU%s", node->cpus, node->cpus == 1 ? "" : "s");
		if (node->tier)
			fprintf(file, ", tier %u", node->tier);
		if (node->kind)
			fprintf(file, ", %s", kinds[node->kind]);
		fprintf(file, "; distances");
		for (uint32_t j = 0; j < machine->nr_nodes; j++)
			fprintf(file, " %u", machine->distance[i * machine->nr_nodes + j]);
		describe_reach(machine, i, file);
		fputc('\n', file);
	}
}

static void describe_swap(const struct machine *machine, FILE *file)
{
	fprintf(file, "  swap          ");
	if (machine->swap_kind == SWAP_NONE) {
		fprintf(file, "none\n");
		return;
	}
	print_size(file, machine->swap_pages);
	fprintf(file, " %s%s, swappiness %" PRId32 "\n", machine->swap_kind == SWAP_ZRAM ? "in zram" : "on ",
		machine->swap_kind == SWAP_ZRAM ? "" : machine->device[machine->swap_device].name, machine->swappiness);
}

static void describe_machine(const struct machine *machine, FILE *file)
{
	static const char *const enabled[] = {"never", "madvise", "always"};
	static const char *const defrag[] = {"never", "madvise", "defer", "defer+madvise", "always"};
	uint64_t pages = 0;

	for (uint32_t i = 0; i < machine->nr_nodes; i++)
		pages += machine->node[i].pages;
	fprintf(file, "Machine %s%s%s\n  memory        ", machine->name, *machine->text ? ": " : "", machine->text);
	print_size(file, pages);
	fprintf(file, " on %" PRIu32 " node%s, %s, %" PRIu32 " CPU%s\n", machine->nr_nodes, machine->nr_nodes == 1 ? "" : "s",
		machine->one_zone ? "one zone" : "zones of a PC", machine->nr_cpus, machine->nr_cpus == 1 ? "" : "s");
	describe_nodes(machine, file);
	describe_swap(machine, file);
	fprintf(file, "  files         on %s, readahead of up to %" PRIu64 " KiB\n", machine->device[machine->disk_device].name,
		machine->readahead_pages * 4);
	fprintf(file, "  LRU           %s, unless the policy says otherwise\n",
		machine->lru_gen ? "multi-gen (lru_gen)" : "active and inactive lists");
	fprintf(file, "  huge pages    enabled %s, defrag %s\n", enabled[machine->thp_enabled], defrag[machine->thp_defrag]);
}

// ---- time ----

static void describe_time(const struct scenario *scenario, FILE *file)
{
	char text[64];

	fprintf(file, "Time\n  an iteration  %s%s", scenario->until_done ? "until its workloads have ended, at most " : "",
		time_text(scenario->duration_ns, text, sizeof(text)));
	if (scenario->settle_ns)
		fprintf(file, ", after %s that are not counted", time_text(scenario->settle_ns, text, sizeof(text)));
	fprintf(file, "\n  iterations    %" PRIu64 "%s\n", scenario->iterations,
		scenario->iterations > 1 ? ", one after the other on the same machine" : "");
}

// ---- workloads ----

// What is written in the file, or was set; all else has its default.
static void describe_parameters(const struct config_schema *schema, const struct workload *workload, FILE *file)
{
	char text[128];

	if (schema->base)
		describe_parameters(schema->base, workload, file);
	for (const struct config_field *field = schema->fields; field->type != CONFIG_END; field++) {
		const char *member = (const char *)workload->parameters + field->offset;

		if (field->type == CONFIG_PLACE || !strcmp(field->name, "name")
		    || !config_given(workload->common.place, field->name))
			continue;
		fprintf(file, "    %-*s%-*s  %s\n", NAME_WIDTH, field->name, VALUE_WIDTH,
			config_value_text(field, member, text, sizeof(text)), field->help);
	}
}

static void describe_workloads(const struct scenario *scenario, bool first, FILE *file)
{
	bool any = false;

	for (uint32_t i = 0; i < scenario->nr_workloads; i++) {
		const struct workload *workload = &scenario->workload[i];

		if (workload->common.first != first)
			continue;
		if (!any)
			fprintf(file, "\n%s\n", first ? "Before the clock begins, one after the other" : "What runs");
		any = true;
		fprintf(file, "  %s: %s (%s)\n", workload->common.name, workload->kind->config.help,
			workload->kind->config.name);
		describe_parameters(workload->kind->config.schema, workload, file);
	}
}

// ---- guards ----

static void describe_guard(const struct guard_config *guard, FILE *file)
{
	char text[64];

	if (guard->kind == GUARD_SYSTEMD_OOMD)
		fprintf(file,
			"  systemd-oomd kills when memory and swap are both used by more than %" PRIu64
			" %%,\n    or when a group has had a full pressure above %" PRIu64 " %% for %s\n",
			guard->swap_used_limit_ppm / 10000, guard->pressure_limit_ppm / 10000,
			time_text(guard->pressure_duration_ns, text, sizeof(text)));
	else
		fprintf(file,
			"  oomd kills when less than %" PRIu64 " %% of swap is free,\n    or when a group that is reclaimed from has had a"
			" full pressure above %" PRIu64 " %% for %s\n",
			guard->swap_free_below_ppm / 10000, guard->pressure_above_ppm / 10000,
			time_text(guard->pressure_above_duration_ns, text, sizeof(text)));
	if (guard->dry_run)
		fprintf(file, "    (dry run: it records whom it would kill)\n");
}

static void describe_variants(const struct scenario *scenario, FILE *file)
{
	int width = VALUE_WIDTH;

	fprintf(file, "\nVariants, a column each (pageyard run --variant A,B chooses)\n");
	for (uint32_t i = 0; i < scenario->nr_variants; i++) {
		int length = (int)strlen(scenario->variant[i].name) + 2;

		width = length > width ? length : width;
	}
	for (uint32_t i = 0; i < scenario->nr_variants; i++) {
		const struct scenario_variant *variant = &scenario->variant[i];

		if (*variant->text || *variant->policy)
			fprintf(file, "  %-*s%s", width, variant->name, variant->text);
		else
			fprintf(file, "  %s", variant->name);
		if (*variant->policy)
			fprintf(file, "%s(policy %s)", *variant->text ? " " : "", variant->policy);
		fputc('\n', file);
		config_print_changes(file, variant->set, 4);
	}
}

// Those of a scenario whose variants all have their own are nobody's.
static void describe_policies(const struct scenario *scenario, FILE *file)
{
	uint32_t own = 0;

	for (uint32_t i = 0; i < scenario->nr_variants; i++)
		own += *scenario->variant[i].policy != '\0';
	if (scenario->nr_variants && own == scenario->nr_variants)
		return;
	fprintf(file, "\nPolicies that are compared if none is named\n");
	for (uint32_t i = 0; i < scenario->nr_policies; i++)
		fprintf(file, "  %s\n", scenario->policy[i]);
}

void scenario_describe(const struct scenario *scenario, FILE *file)
{
	fprintf(file, "%s: %s\n\n", scenario->name, scenario->text);
	if (*scenario->story) {
		print_wrapped(file, scenario->story);
		fputc('\n', file);
	}
	describe_machine(&scenario->machine, file);
	fputc('\n', file);
	describe_time(scenario, file);
	describe_workloads(scenario, true, file);
	describe_workloads(scenario, false, file);
	if (scenario->nr_guards)
		fprintf(file, "\nGuards\n");
	for (uint32_t i = 0; i < scenario->nr_guards; i++)
		describe_guard(&scenario->guard[i], file);
	if (scenario->nr_variants)
		describe_variants(scenario, file);
	describe_policies(scenario, file);
}
