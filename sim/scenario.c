// SPDX-License-Identifier: Apache-2.0

#include "sim/scenario.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include <pageyard/pressure.h>

#include "sim/data_files.h"
#include "sim/local_reclaim.h"
#include "sim/scenario_file.h"

enum { NAME_MAX_LENGTH = 256 };

// ---- workloads ----

// The n-th of a kind without a name, from 1.
static const char *make_name(struct scenario *scenario, uint32_t index, const char *kind, uint32_t number)
{
	char text[NAME_MAX_LENGTH];

	if (number == 1)
		return kind;
	snprintf(text, sizeof(text), "%s-%u", kind, number);
	scenario->workload_name[index] = strdup(text);
	return scenario->workload_name[index];
}

// Names that were not written: the kind, the second time kind-2, and so on past names that are taken.
static bool name_workloads(struct scenario *scenario)
{
	for (uint32_t i = 0; i < scenario->nr_workloads; i++) {
		struct workload *workload = &scenario->workload[i];
		uint32_t number = 0, taken = 0;

		if (*workload->common.name)
			continue;
		do {
			const char *name;

			free(scenario->workload_name[i]);
			scenario->workload_name[i] = NULL;
			name = make_name(scenario, i, workload->kind->config.name, ++number);
			if (!name)
				return false;
			workload->common.name = "";
			for (taken = 0; taken < scenario->nr_workloads; taken++)
				if (!strcmp(scenario->workload[taken].common.name, name))
					break;
			workload->common.name = name;
		} while (taken < scenario->nr_workloads);
	}
	return true;
}

static void check_place(struct config *config, const struct scenario *scenario, const struct workload_common *common)
{
	const struct machine *machine = &scenario->machine;
	uint64_t nodes;
	char reason[200];

	if (common->cpu >= 0 && common->cpu >= machine->nr_cpus)
		config_error(config, common->place, "cpu", "CPU %d of a machine with %u CPUs (0 to %u)",
			     (int)common->cpu, machine->nr_cpus, machine->nr_cpus - 1);
	if (common->node >= 0 && !machine_check_node(machine, (uint64_t)common->node, reason, sizeof(reason)))
		config_error(config, common->place, "node", "%s", reason);
	else if (common->node >= 0 && !machine->node[common->node].cpus)
		config_error(config, common->place, "node", "node %d has no CPU to run on", (int)common->node);
	if (common->cpu >= 0 && common->node >= 0)
		config_error(config, common->place, "node", "either cpu or node, not both");
	if (!placement_check(common->mempolicy, machine->nr_nodes, reason, sizeof(reason)))
		config_error(config, common->place, "mempolicy", "%s", reason);
	if (!placement_nodes(common->cpuset, machine->nr_nodes, &nodes, reason, sizeof(reason)))
		config_error(config, common->place, "cpuset", "%s", reason);
	if (common->local_reclaim
	    && !local_reclaim_home_nodes(common->local_reclaim->home, machine->nr_nodes, &nodes, reason, sizeof(reason)))
		config_error(config, common->place, "local_reclaim", "home: %s", reason);
}

static void check_kind(struct config *config, const struct scenario *scenario, const struct workload *workload)
{
	const char *key = NULL;
	char reason[200];

	if (workload->kind->check
	    && !workload->kind->check(workload->parameters, &scenario->machine, &key, reason, sizeof(reason)))
		config_error(config, workload->common.place, key, "%s", reason);
}

static void check_time(struct config *config, const struct workload_common *common)
{
	if (common->stop_ns <= common->start_ns)
		config_error(config, common->place, "stop", "it would stop before it starts");
}

// Each named group gets pressure statistics of its own, of which there are not many.
static void check_groups(struct config *config, const struct scenario *scenario)
{
	const char *known[YARD_PSI_GROUPS];
	uint32_t nr = 0;

	for (uint32_t i = 0; i < scenario->nr_workloads; i++) {
		const struct workload_common *common = &scenario->workload[i].common;
		uint32_t at = 0;

		while (at < nr && strcmp(known[at], common->group))
			at++;
		if (!*common->group || at < nr)
			continue;
		if (nr == YARD_PSI_GROUPS - 1) {
			config_error(config, common->place, "group", "'%s' is one group too many; there may be %d",
				     common->group, YARD_PSI_GROUPS - 1);
			return;
		}
		known[nr++] = common->group;
	}
}

static bool build_workloads(struct config *config, const struct scenario_file *file, struct scenario *scenario)
{
	bool measured = false;

	scenario->nr_workloads = (uint32_t)file->workload.nr;
	scenario->workload = calloc(file->workload.nr, sizeof(*scenario->workload));
	scenario->workload_name = calloc(file->workload.nr, sizeof(*scenario->workload_name));
	if (!scenario->workload || !scenario->workload_name)
		return false;
	for (uint32_t i = 0; i < scenario->nr_workloads; i++) {
		struct workload *workload = &scenario->workload[i];

		workload_init(workload, &file->workload.item[i]);
		workload->all = scenario->workload;
		workload->nr_all = scenario->nr_workloads;
		measured |= !workload->common.first && !workload->common.background;
		check_time(config, &workload->common);
		if (scenario->machine.nr_cpus) {
			check_place(config, scenario, &workload->common);
			check_kind(config, scenario, workload);
		}
	}
	check_groups(config, scenario);
	if (file->until_done && !measured)
		config_error(config, file->place, "until_done",
			     "no workload could end it: all are first: or background:");
	return name_workloads(scenario);
}

// ---- guards, policies ----

static bool build_guards(const struct scenario_file *file, struct scenario *scenario)
{
	scenario->nr_guards = (uint32_t)file->guards.nr;
	scenario->guard = calloc(file->guards.nr + 1, sizeof(*scenario->guard));
	if (!scenario->guard)
		return false;
	for (uint32_t i = 0; i < scenario->nr_guards; i++) {
		scenario->guard[i] = *(const struct guard_config *)file->guards.item[i].object;
		scenario->guard[i].kind = file->guards.item[i].kind == guard_kinds[GUARD_OOMD] ? GUARD_OOMD
										     : GUARD_SYSTEMD_OOMD;
	}
	return true;
}

static void check_policies(struct config *config, const struct scenario_file *file)
{
	struct yard_policy policy;
	char reason[256];

	for (size_t i = 0; i < file->policies.nr; i++)
		if (yard_policy_parse(file->policies.item[i], &policy, reason, sizeof(reason)))
			config_error(config, file->place, "policies", "%s", reason);
	for (size_t i = 0; i < file->variants.nr; i++) {
		const struct scenario_variant *variant = &file->variants.item[i];

		if (!*variant->name)
			config_error(config, file->place, "variants", "a variant has no name");
		if (*variant->policy && yard_policy_parse(variant->policy, &policy, reason, sizeof(reason)))
			config_error(config, variant->place, "policy", "%s", reason);
	}
}

// ---- fingerprint ----

static bool digest(const struct scenario_file *file, struct config_digest *digest)
{
	struct scenario_file canonical = *file;
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	XXH128_hash_t hash;

	if (!memory)
		return false;
	canonical.text = canonical.story = "";
	canonical.seed = 0;
	canonical.policies.nr = canonical.variants.nr = canonical.rows.nr = 0;
	machine_forget_text(&canonical.machine);
	config_write_canonical(memory, &scenario_schema, &canonical);
	if (fclose(memory)) {
		free(text);
		return false;
	}
	hash = XXH3_128bits(text, size);
	*digest = (struct config_digest){hash.low64, hash.high64};
	free(text);
	return true;
}

// ---- loading ----

struct search {
	const char *beside;
	char path[DATA_PATH_MAX];
};

static const char *find_machine(void *context, const char *name)
{
	struct search *search = context;

	return data_find("machines", name, search->beside, search->path);
}

static bool build(struct config *config, const struct scenario_file *file, struct scenario *scenario)
{
	bool fine;

	scenario->text = file->text;
	scenario->story = file->story;
	scenario->duration_ns = file->duration_ns;
	scenario->until_done = file->until_done;
	scenario->settle_ns = file->settle_ns;
	scenario->iterations = file->iterations;
	scenario->seed = file->seed;
	scenario->policy = file->policies.item;
	scenario->nr_policies = (uint32_t)file->policies.nr;
	scenario->row = file->rows.item;
	scenario->nr_rows = (uint32_t)file->rows.nr;
	scenario->variant = file->variants.item;
	scenario->nr_variants = (uint32_t)file->variants.nr;
	check_policies(config, file);
	fine = machine_build(config, &file->machine, &scenario->machine);
	return build_workloads(config, file, scenario) && build_guards(file, scenario)
	       && digest(file, &scenario->fingerprint) && fine;
}

// What the variant changes, as far as the document has it; whether it may be so is config_load()'s question.
static const struct config_node *changes_of(const struct config_node *root, const char *variant)
{
	return variant ? config_value(config_element(config_value(root, "variants"), variant), "set") : NULL;
}

static bool read_scenario(struct scenario *scenario, const char *path, const char *variant, const char *const *sets,
			  size_t nr_sets)
{
	struct search search = {.beside = path};
	char **machines = data_names("machines", path);
	const struct config_include machine = {"machine", find_machine, (const char *const *)machines, &search};
	struct config *config = scenario->config;
	struct scenario_file file;
	struct config_node *root = config_read(config, path);
	bool fine;

	root = config_resolve_changed(config, root, changes_of(root, variant), &machine, 1, sets, nr_sets);
	fine = config_load(config, root, &scenario_schema, &file) && build(config, &file, scenario);
	data_names_free(machines);
	return fine && !config_errors(config);
}

static void no_scenario(const char *name, FILE *errors)
{
	char **names = data_names("scenarios", NULL);
	const char *near = names ? config_nearest(name, (const char *const *)names) : NULL;

	if (data_is_path(name)) {
		fprintf(errors, "error: there is no file '%s' that can be read\n", name);
	} else {
		fprintf(errors, "error: there is no scenario '%s'", name);
		if (near)
			fprintf(errors, "; did you mean '%s'?", near);
		fprintf(errors, "\nlooked for scenarios/%s.yaml %s\n", name, data_places());
	}
	data_names_free(names);
}

// NULL, with a message that names the nearest: there is none of this name.
static const struct scenario_variant *find_variant(const struct scenario *scenario, const char *name, FILE *errors)
{
	const char *names[SCENARIO_VARIANTS_MAX + 1] = {NULL}, *near;

	for (uint32_t i = 0; i < scenario->nr_variants; i++) {
		if (!strcmp(scenario->variant[i].name, name))
			return &scenario->variant[i];
		names[i] = scenario->variant[i].name;
	}
	near = config_nearest(name, names);
	fprintf(errors, "error: scenario '%s' has no variant '%s'%s%s%s", scenario->name, name,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	for (uint32_t i = 0; i < scenario->nr_variants; i++)
		fprintf(errors, "%s%s", i ? ", " : " (one of: ", names[i]);
	fputs(scenario->nr_variants ? ")\n" : "; it has none\n", errors);
	return NULL;
}

struct scenario *scenario_load(const char *name, const char *const *sets, size_t nr_sets, FILE *errors)
{
	return scenario_load_variant(name, NULL, sets, nr_sets, errors);
}

struct scenario *scenario_load_variant(const char *name, const char *variant, const char *const *sets, size_t nr_sets,
				       FILE *errors)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	char path[DATA_PATH_MAX], own_name[NAME_MAX_LENGTH];

	if (!data_find("scenarios", name, NULL, path)) {
		no_scenario(name, errors);
		free(scenario);
		return NULL;
	}
	data_name(path, own_name, sizeof(own_name));
	if (scenario) {
		scenario->config = config_new();
		scenario->name = scenario->own_name = strdup(own_name);
	}
	if (!scenario || !scenario->config || !scenario->own_name) {
		fprintf(errors, "error: out of memory\n");
		scenario_free(scenario);
		return NULL;
	}
	if (read_scenario(scenario, path, variant, sets, nr_sets)) {
		scenario->chosen = variant ? find_variant(scenario, variant, errors) : NULL;
		if (scenario->chosen || !variant)
			return scenario;
		scenario_free(scenario);
		return NULL;
	}
	fputs(config_errors(scenario->config) ? config_report(scenario->config) : "error: out of memory\n", errors);
	scenario_free(scenario);
	return NULL;
}

void scenario_free(struct scenario *scenario)
{
	if (!scenario)
		return;
	for (uint32_t i = 0; scenario->workload_name && i < scenario->nr_workloads; i++) {
		workload_reset(&scenario->workload[i]);
		free(scenario->workload_name[i]);
	}
	free(scenario->workload_name);
	free(scenario->workload);
	free(scenario->guard);
	free(scenario->own_name);
	machine_release(&scenario->machine);
	config_free(scenario->config);
	free(scenario);
}

// ---- a machine alone ----

struct alone {
	struct machine_file machine;
};

bool machine_load(const char *name, struct machine *machine, FILE *errors)
{
	static const struct config_field fields[] = {
		{"machine", CONFIG_SECTION, CONFIG_AT(struct alone, machine), .schema = &machine_schema, .help = ""},
		{0},
	};
	static const struct config_schema schema = {"machine file", sizeof(struct alone), fields, NULL};
	struct search search = {.beside = data_is_path(name) ? name : NULL};
	char **machines = data_names("machines", search.beside), text[DATA_PATH_MAX + 16];
	const struct config_include include = {"machine", find_machine, (const char *const *)machines, &search};
	struct config *config = config_new();
	struct config_node *root;
	struct alone alone;
	bool fine = false;

	snprintf(text, sizeof(text), "machine: %s\n", name);
	*machine = (struct machine){0};
	if (config) {
		root = config_parse(config, "machine", text, strlen(text));
		root = config_resolve(config, root, &include, 1, NULL, 0);
		fine = config_load(config, root, &schema, &alone) && machine_build(config, &alone.machine, machine)
		       && !config_errors(config);
	}
	if (!fine) {
		fputs(config && config_errors(config) ? config_report(config) : "error: out of memory\n", errors);
		machine_release(machine);
	}
	config_free(config);
	data_names_free(machines);
	return fine;
}
