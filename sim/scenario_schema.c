// SPDX-License-Identifier: Apache-2.0
//
// The keys of a scenario: its own, those of guards and of variants.

#include "sim/scenario_file.h"

enum { GUARDS_MAX = PROCESS_GUARDS_MAX };

#define GUARD(member) CONFIG_AT(struct guard_config, member)
#define DRY_RUN                                                                                                        \
	{"dry_run", CONFIG_BOOL, GUARD(dry_run), .default_text = "off", .help = "only records what it would kill"}

static const struct config_field systemd_oomd_fields[] = {
	DRY_RUN,
	{"swap_used_limit", CONFIG_PERCENT, GUARD(swap_used_limit_ppm), .default_text = "90%", .max = 1000000,
	 .help = "SwapUsedLimit="},
	{"pressure_limit", CONFIG_PERCENT, GUARD(pressure_limit_ppm), .default_text = "60%", .max = 1000000,
	 .help = "ManagedOOMMemoryPressureLimit="},
	{"pressure_duration", CONFIG_TIME, GUARD(pressure_duration_ns), .default_text = "30s",
	 .help = "ManagedOOMMemoryPressureDurationSec="},
	{0},
};
static const struct config_field oomd_fields[] = {
	DRY_RUN,
	{"swap_free", CONFIG_PERCENT, GUARD(swap_free_below_ppm), .default_text = "20%", .max = 1000000,
	 .help = "swap guard: free swap below this"},
	{"pressure_above", CONFIG_PERCENT, GUARD(pressure_above_ppm), .default_text = "60%", .max = 1000000,
	 .help = "pressure guard: memory full above this ..."},
	{"pressure_duration", CONFIG_TIME, GUARD(pressure_above_duration_ns), .default_text = "10s",
	 .help = "... for so long"},
	{"reclaim_within", CONFIG_TIME, GUARD(reclaim_within_ns), .default_text = "10s",
	 .help = "... and the group was reclaimed from within this time"},
	{0},
};
static const struct config_schema systemd_oomd_schema = {NULL, sizeof(struct guard_config), systemd_oomd_fields, NULL};
static const struct config_schema oomd_schema = {NULL, sizeof(struct guard_config), oomd_fields, NULL};
static const struct config_kind systemd_oomd = {"systemd-oomd", "swap and pressure rules (spec 02 UG-1, UG-2)",
						&systemd_oomd_schema};
static const struct config_kind oomd = {"oomd", "swap guard and pressure guard (spec 02 UG-3)", &oomd_schema};
const struct config_kind *const guard_kinds[] = {
	[GUARD_SYSTEMD_OOMD] = &systemd_oomd, [GUARD_OOMD] = &oomd, NULL};
static const struct config_variants guard_variants = {"guard", guard_kinds};

static const struct config_field text_element = {.type = CONFIG_STRING, .size = sizeof(const char *)};
static const struct config_field workload_element = {.type = CONFIG_VARIANT, .size = sizeof(struct config_variant),
						     .variants = &workload_variants};
static const struct config_field guard_element = {.type = CONFIG_VARIANT, .size = sizeof(struct config_variant),
						  .variants = &guard_variants};

#define VARIANT(member) CONFIG_AT(struct scenario_variant, member)

static const struct config_field variant_fields[] = {
	CONFIG_PLACE_AT(struct scenario_variant, place),
	{"name", CONFIG_NAME, VARIANT(name), .help = "what its column is called"},
	{"text", CONFIG_STRING, VARIANT(text), .default_text = "", .help = "one line about it"},
	{"policy", CONFIG_STRING, VARIANT(policy), .default_text = "",
	 .help = "that it runs under, instead of policies:, if none is named"},
	{"set", CONFIG_CHANGES, VARIANT(set), .help = "as with --set: machine.sysctl.zone_reclaim_mode: 1"},
	{0},
};
static const struct config_schema variant_schema = {"variant", sizeof(struct scenario_variant), variant_fields, NULL};
static const struct config_field variant_element = {.type = CONFIG_SECTION, .size = sizeof(struct scenario_variant),
						    .schema = &variant_schema};

#define AT(member) CONFIG_AT(struct scenario_file, member)

static const struct config_field scenario_fields[] = {
	CONFIG_PLACE_AT(struct scenario_file, place),
	{"text", CONFIG_STRING, AT(text), .default_text = "", .help = "one line about it"},
	{"story", CONFIG_STRING, AT(story), .default_text = "", .help = "some sentences about it"},
	{"machine", CONFIG_SECTION, AT(machine), .schema = &machine_schema,
	 .help = "a name, or a mapping; with base: NAME it changes that machine"},
	{"duration", CONFIG_TIME, AT(duration_ns), .min = 1, .help = "of an iteration, after the preparations"},
	{"until_done", CONFIG_BOOL, AT(until_done), .default_text = "off",
	 .help = "an iteration ends when all its workloads have ended, if that is earlier"},
	{"settle", CONFIG_TIME, AT(settle_ns), .default_text = "0", .help = "before anything is counted"},
	{"iterations", CONFIG_COUNT, AT(iterations), .default_text = "1", .min = 1, .max = 10000,
	 .help = "on the same machine, without a reboot"},
	{"policies", CONFIG_LIST, AT(policies), .default_text = "[vanilla, \"linux-7.3,defrag_mode=1\"]", .min = 1,
	 .max = 64, .element = &text_element, .help = "that are compared if none is named"},
	{"rows", CONFIG_LIST, AT(rows), .default_text = "[]", .max = 64, .element = &text_element,
	 .help = "of the table that tell the story: those of --brief, as \"Swap out\""},
	{"seed", CONFIG_COUNT, AT(seed), .default_text = "1", .help = "of all random choices"},
	{"workload", CONFIG_LIST, AT(workload), .min = 1, .max = 1000, .element = &workload_element,
	 .help = "what runs"},
	{"guards", CONFIG_LIST, AT(guards), .default_text = "[]", .max = GUARDS_MAX, .element = &guard_element,
	 .help = "daemons that kill before the kernel does"},
	{"variants", CONFIG_LIST, AT(variants), .default_text = "[]", .max = SCENARIO_VARIANTS_MAX,
	 .element = &variant_element, .help = "changes under which it is run, a column each"},
	{0},
};
const struct config_schema scenario_schema = {"scenario", sizeof(struct scenario_file), scenario_fields, NULL};
