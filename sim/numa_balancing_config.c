// SPDX-License-Identifier: Apache-2.0
//
// `numa_balancing:` of machine files, with the defaults of spec 05 B2.

#include "sim/numa_balancing.h"

#define AT(member) CONFIG_AT(struct numa_balancing_settings, member)

static const struct config_field fields[] = {
	{"mode", CONFIG_COUNT, AT(mode), .default_text = "0", .max = 3,
	 .help = "kernel.numa_balancing: 0 off, 1 normal, 2 memory tiering, 3 both"},
	{"scan_delay", CONFIG_TIME, AT(scan_delay_ns), .default_text = "1s", .help = "before a process is scanned first"},
	{"scan_period_min", CONFIG_TIME, AT(period_min_ns), .default_text = "1s", .min = 1000000,
	 .help = "CPU time in which all of a process is scanned, at least"},
	{"scan_period_max", CONFIG_TIME, AT(period_max_ns), .default_text = "60s", .min = 1000000, .help = "... at most"},
	{"scan_size", CONFIG_PAGES, AT(scan_pages), .default_text = "256MiB", .min = 512, .help = "of one scan"},
	{"hot_threshold", CONFIG_TIME, AT(hot_threshold_ns), .default_text = "1s", .min = 16,
	 .help = "a page of slower memory that is used so soon after it was marked may be promoted"},
	{"promote_rate_limit", CONFIG_PAGES, AT(promote_rate_limit), .default_text = "64GiB", .min = 1,
	 .help = "a second, to each node"},
	{0},
};

const struct config_schema numa_balancing_schema = {
	"numa_balancing", sizeof(struct numa_balancing_settings), fields, NULL
};
