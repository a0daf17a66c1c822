// SPDX-License-Identifier: Apache-2.0
//
// What tests/test_config*.c read, and what came of it as one text.

#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_fixture.h"
#include "sim/config_internal.h"

// A file without anything that is optional.
#define MINIMAL "machine: {memory: 1GiB}\nworkload: []\n"

static const char whole_file[] = "# a scenario\n"
				 "title: \"two \\\"lines\\\"\\nof text\"\n"
				 "check: yes\n"
				 "pause: 1.5h\n"
				 "machine:\n"
				 "  memory: 64GiB\n"
				 "  cpus: 16\n"
				 "  thp: always\n"
				 "  swap: {size: 8GiB, discards: 3000/min}\n"
				 "  devices:\n"
				 "    - name: nvme0\n"
				 "      bandwidth: 2.5GiB/s\n"
				 "    - {name: hdd, bandwidth: 200MB/s, latency: 8ms}\n"
				 "  distance: [[10, 21], [21, 10]]\n"
				 "workload:\n"
				 "  - &build\n"
				 "    kind: kernel-build\n"
				 "    life: 500ms..2min\n"
				 "    slowdown: 1.22\n"
				 "    comment: no\n"
				 "  - kind: thp-burst\n"
				 "    name: hugeburst\n"
				 "    start: 30s\n"
				 "    size: 37.5%\n"
				 "    flags: [lock, huge]\n"
				 "  - <<: *build\n"
				 "    name: second\n"
				 "    jobs: 3\n";

static const char whole_canonical[] = "title = \"two \\\"lines\\\"\\nof text\"\n"
				      "machine.memory = 64GiB\n"
				      "machine.cpus = 16\n"
				      "machine.thp = always\n"
				      "machine.swap.size = 8GiB\n"
				      "machine.swap.discards = 50/s\n"
				      "machine.devices.0.name = nvme0\n"
				      "machine.devices.0.bandwidth = 2560MiB/s\n"
				      "machine.devices.0.latency = 80us\n"
				      "machine.devices.1.name = hdd\n"
				      "machine.devices.1.bandwidth = 200000000B/s\n"
				      "machine.devices.1.latency = 8ms\n"
				      "machine.distance = [[10, 21], [21, 10]]\n"
				      "check = on\n"
				      "pause = 90min\n"
				      "workload.0.kind = kernel-build\n"
				      "workload.0.name = \n"
				      "workload.0.start = 0\n"
				      "workload.0.jobs = 8\n"
				      "workload.0.object = 64KiB\n"
				      "workload.0.life = 500ms..2min\n"
				      "workload.0.slowdown = 1.22\n"
				      "workload.0.comment = no\n"
				      "workload.1.kind = thp-burst\n"
				      "workload.1.name = hugeburst\n"
				      "workload.1.start = 30s\n"
				      "workload.1.size = 37.5%\n"
				      "workload.1.touched = 100%\n"
				      "workload.1.flags = [huge, lock]\n"
				      "workload.2.kind = kernel-build\n"
				      "workload.2.name = second\n"
				      "workload.2.start = 0\n"
				      "workload.2.jobs = 3\n"
				      "workload.2.object = 64KiB\n"
				      "workload.2.life = 500ms..2min\n"
				      "workload.2.slowdown = 1.22\n"
				      "workload.2.comment = no\n";

// The canonical text of a file with assignments (NULL at the end), or the report if there are errors.
static inline char *outcome(const char *text, const char *const *sets)
{
	struct config *config = config_new();
	struct config_node *root = config_parse(config, "s.yaml", text, strlen(text));
	struct sample sample;
	bool fine;
	char *result;

	for (; root && *sets; sets++)
		config_override(config, root, *sets);
	fine = config_load(config, root, &sample_schema, &sample);
	if (config_errors(config)) {
		assert_true(*config_report(config) != '\0');
		result = strdup(config_report(config));
	} else {
		assert_true(fine);
		result = canonical(&sample);
	}
	config_free(config);
	return result;
}

static const char *const no_sets[] = {NULL};

static inline void assert_outcome(const char *text, const char *const *sets, const char *expected)
{
	char *result = outcome(text, sets);

	assert_string_equal(result, expected);
	free(result);
}

static inline void assert_set_outcome(const char *text, const char *set, const char *expected)
{
	const char *const sets[] = {set, NULL};

	assert_outcome(text, sets, expected);
}
