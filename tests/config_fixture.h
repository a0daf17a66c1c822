// SPDX-License-Identifier: Apache-2.0
//
// A small scenario schema that has every type of field, for tests/test_config*.c and fuzz/fuzz_config.c.

#pragma once

#include <stdlib.h>

#include "sim/config.h"

enum sample_thp { SAMPLE_ALWAYS, SAMPLE_MADVISE, SAMPLE_NEVER };

struct sample_swap {
	uint64_t size;
	struct config_rate discards;
};

struct sample_device {
	const struct config_node *place;
	const char *name;
	uint64_t bandwidth, latency;
};

struct sample_machine {
	uint64_t memory;
	uint16_t cpus;
	enum sample_thp thp;
	struct sample_swap *swap;
	CONFIG_LIST_OF(struct sample_device) devices;
	CONFIG_LIST_OF(CONFIG_LIST_OF(uint8_t)) distance;
};

struct sample_task {
	const char *name;
	uint64_t start;
};

struct sample_build {
	struct sample_task task;
	uint64_t jobs, object;
	struct config_range life;
	uint64_t slowdown;
	const char *comment;
};

struct sample_burst {
	struct sample_task task;
	struct config_amount size;
	uint64_t touched;
	uint32_t flags;
};

struct sample {
	const struct config_node *place;
	const char *title;
	struct sample_machine machine;
	bool check;
	uint64_t pause;
	CONFIG_LIST_OF(struct config_variant) workload;
};

static const struct config_field sample_swap_fields[] = {
	{"size", CONFIG_SIZE, CONFIG_AT(struct sample_swap, size), .min = 1 << 20, .help = "of the swap area"},
	{"discards", CONFIG_RATE, CONFIG_AT(struct sample_swap, discards), .default_text = "0/s", .max = 1000000,
	 .help = "how often"},
	{0},
};
static const struct config_schema sample_swap_schema = {"swap", sizeof(struct sample_swap), sample_swap_fields, NULL};

static const struct config_field sample_device_fields[] = {
	CONFIG_PLACE_AT(struct sample_device, place),
	{"name", CONFIG_NAME, CONFIG_AT(struct sample_device, name), .help = "of the device"},
	{"bandwidth", CONFIG_BANDWIDTH, CONFIG_AT(struct sample_device, bandwidth), .help = "of its pipe"},
	{"latency", CONFIG_TIME, CONFIG_AT(struct sample_device, latency), .default_text = "80us", .max = 1000000000,
	 .help = "of one request"},
	{0},
};
static const struct config_schema sample_device_schema = {"device", sizeof(struct sample_device), sample_device_fields,
							  NULL};
static const struct config_field sample_device_element = {NULL, CONFIG_SECTION, 0, sizeof(struct sample_device),
							  .schema = &sample_device_schema};

static const struct config_field sample_distance = {NULL, CONFIG_COUNT, 0, sizeof(uint8_t), .min = 10};
static const struct config_field sample_distances = {NULL, CONFIG_LIST, 0, sizeof(CONFIG_LIST_OF(uint8_t)),
						     .element = &sample_distance};

static const struct config_word sample_thp_words[] = {
	{"always", SAMPLE_ALWAYS}, {"madvise", SAMPLE_MADVISE}, {"never", SAMPLE_NEVER}, {0}};

static const struct config_field sample_machine_fields[] = {
	{"memory", CONFIG_PAGES, CONFIG_AT(struct sample_machine, memory), .min = 512, .help = "RAM"},
	{"cpus", CONFIG_COUNT, CONFIG_AT(struct sample_machine, cpus), .default_text = "8", .min = 1, .max = 1024,
	 .help = "CPUs"},
	{"thp", CONFIG_ENUM, CONFIG_AT(struct sample_machine, thp), .default_text = "madvise",
	 .words = sample_thp_words, .help = "which memory may be huge pages"},
	{"swap", CONFIG_OPTIONAL, CONFIG_AT(struct sample_machine, swap), .schema = &sample_swap_schema,
	 .help = "the swap area"},
	{"devices", CONFIG_LIST, CONFIG_AT(struct sample_machine, devices), .default_text = "[]",
	 .element = &sample_device_element, .help = "disks"},
	{"distance", CONFIG_LIST, CONFIG_AT(struct sample_machine, distance), .default_text = "[[10]]", .min = 1,
	 .max = 4, .element = &sample_distances, .help = "rows of node distances"},
	{0},
};
static const struct config_schema sample_machine_schema = {"machine", sizeof(struct sample_machine),
							   sample_machine_fields, NULL};

static const struct config_field sample_task_fields[] = {
	{"name", CONFIG_NAME, CONFIG_AT(struct sample_task, name), .default_text = "", .help = "for --set"},
	{"start", CONFIG_TIME, CONFIG_AT(struct sample_task, start), .default_text = "0", .help = "when it starts"},
	{0},
};
static const struct config_schema sample_task_schema = {"task", sizeof(struct sample_task), sample_task_fields, NULL};

static const struct config_field sample_build_fields[] = {
	{"jobs", CONFIG_COUNT, CONFIG_AT(struct sample_build, jobs), .default_text = "8", .min = 1,
	 .help = "compilers at once"},
	{"object", CONFIG_SIZE, CONFIG_AT(struct sample_build, object), .default_text = "64KiB",
	 .help = "an object file"},
	{"life", CONFIG_TIME, CONFIG_AT(struct sample_build, life), .range = true, .default_text = "1s..10s", .min = 1,
	 .help = "of a compiler"},
	{"slowdown", CONFIG_RATIO, CONFIG_AT(struct sample_build, slowdown), .default_text = "1", .help = "factor"},
	{"comment", CONFIG_STRING, CONFIG_AT(struct sample_build, comment), .default_text = "", .help = "words"},
	{0},
};
static const struct config_schema sample_build_schema = {NULL, sizeof(struct sample_build), sample_build_fields,
							 &sample_task_schema};
static const struct config_kind sample_build_kind = {"kernel-build", "short processes", &sample_build_schema};

static const struct config_word sample_flag_words[] = {{"both", 3}, {"write", 1}, {"huge", 2}, {"lock", 4}, {0}};
static const struct config_word sample_forever[] = {{"forever", UINT64_MAX}, {0}};

static const struct config_field sample_burst_fields[] = {
	{"size", CONFIG_AMOUNT, CONFIG_AT(struct sample_burst, size), .min = 4096, .help = "of a burst"},
	{"touched", CONFIG_PERCENT, CONFIG_AT(struct sample_burst, touched), .default_text = "100%", .max = 1000000,
	 .help = "share that is touched"},
	{"flags", CONFIG_FLAGS, CONFIG_AT(struct sample_burst, flags), .default_text = "[]", .max = 2,
	 .words = sample_flag_words, .help = "of the mapping"},
	{0},
};
static const struct config_schema sample_burst_schema = {NULL, sizeof(struct sample_burst), sample_burst_fields,
							 &sample_task_schema};
static const struct config_kind sample_burst_kind = {"thp-burst", "huge pages in bursts", &sample_burst_schema};

static const struct config_kind *const sample_kinds[] = {&sample_build_kind, &sample_burst_kind, NULL};
static const struct config_variants sample_variants = {"task kind", sample_kinds};
static const struct config_field sample_workload_element = {NULL, CONFIG_VARIANT, 0, sizeof(struct config_variant),
							    .variants = &sample_variants};

static const struct config_field sample_fields[] = {
	CONFIG_PLACE_AT(struct sample, place),
	{"title", CONFIG_STRING, CONFIG_AT(struct sample, title), .default_text = "untitled", .help = "one line"},
	{"machine", CONFIG_SECTION, CONFIG_AT(struct sample, machine), .schema = &sample_machine_schema,
	 .help = "what it runs on"},
	{"check", CONFIG_BOOL, CONFIG_AT(struct sample, check), .default_text = "off", .help = "verify while it runs"},
	{"pause", CONFIG_TIME, CONFIG_AT(struct sample, pause), .default_text = "forever", .words = sample_forever,
	 .max = 86400000000000, .help = "between runs"},
	{"workload", CONFIG_LIST, CONFIG_AT(struct sample, workload), .element = &sample_workload_element,
	 .help = "the tasks"},
	{0},
};
static const struct config_schema sample_schema = {"scenario", sizeof(struct sample), sample_fields, NULL};

// The caller frees it.
static inline char *canonical(const struct sample *sample)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	config_write_canonical(file, &sample_schema, sample);
	fclose(file);
	return text;
}
