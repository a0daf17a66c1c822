// SPDX-License-Identifier: Apache-2.0
//
// A scenario: a machine, workloads, guards, how long, and what is repeated (scenarios/NAME.yaml).

#pragma once

#include <stdio.h>

#include "sim/machine.h"
#include "sim/workload.h"

enum { SCENARIO_VARIANTS_MAX = 32 };

enum guard_kind { GUARD_SYSTEMD_OOMD, GUARD_OOMD };

struct guard_config { // spec 02 section 8
	enum guard_kind kind;
	bool dry_run;
	// systemd-oomd, UG-1 and UG-2
	uint64_t swap_used_limit_ppm, pressure_limit_ppm, pressure_duration_ns;
	// oomd, UG-3: the default rulesets
	uint64_t swap_free_below_ppm, pressure_above_ppm, pressure_above_duration_ns, reclaim_within_ns;
};

// Changes under which the scenario is run as well: a column of `pageyard run`.
struct scenario_variant {
	const char *name, *text; // one line, may be ""
	const char *policy;	 // that it is run under if none is named; "": as the scenario says
	const struct config_node *set;
	const struct config_node *place;
};

struct scenario {
	const char *name, *text; // one line
	const char *story;	 // some sentences, for `pageyard show`
	struct machine machine;
	uint64_t duration_ns;	  // after the preparations are ready
	bool until_done;	  // an iteration is over as soon as all its workloads have ended
	uint64_t settle_ns;	  // before counters begin to count
	uint64_t iterations;	  // the workload runs this often on the same machine, without a reboot
	const char *const *policy; // that `pageyard run` compares when none is named
	uint32_t nr_policies;
	const char *const *row; // of the table, "GROUP NAME": those that tell the story
	uint32_t nr_rows;
	struct workload *workload;
	uint32_t nr_workloads;
	struct guard_config *guard;
	uint32_t nr_guards;
	const struct scenario_variant *variant; // that there are
	uint32_t nr_variants;
	const struct scenario_variant *chosen; // whose changes this is with; NULL: none
	uint64_t seed;
	// Of all that counts, in canonical form: not of texts, names of policies and the seed.
	struct config_digest { uint64_t low, high; } fingerprint;
	// scenario.c's
	struct config *config; // owns texts and parameters
	char *own_name;
	char **workload_name; // those that scenario.c made
};

// scenario_schema.c: of a struct scenario_file; for lists of keys
extern const struct config_schema scenario_schema;
extern const struct config_kind *const guard_kinds[]; // by enum guard_kind, NULL-terminated

// Reads scenarios/NAME.yaml or a path, and its machine, with assignments as of --set ("workload.build.jobs=4"). NULL:
// there were errors, all of which were written to `errors`.
struct scenario *scenario_load(const char *name, const char *const *sets, size_t nr_sets, FILE *errors);

// The same with the changes of one of its variants, over which assignments win. NULL: no variant.
struct scenario *scenario_load_variant(const char *name, const char *variant, const char *const *sets, size_t nr_sets,
				       FILE *errors);

void scenario_free(struct scenario *scenario); // NULL is allowed

// A machine alone, as above. False: errors. Else machine_release() it.
bool machine_load(const char *name, struct machine *machine, FILE *errors);

// In words (`pageyard show`).
void scenario_describe(const struct scenario *scenario, FILE *file);
