// SPDX-License-Identifier: Apache-2.0
//
// What machine files may say, as read: machine.c makes a struct machine of it, machine_devices.c its devices.

#pragma once

#include "sim/machine.h"

#define MACHINE_AUTO UINT64_MAX // "auto", "default": not said

struct machine_node_file {
	const struct config_node *place;
	uint64_t pages, reserved, movable, cpus; // MACHINE_AUTO: as of the whole machine
	uint64_t tier;				 // MACHINE_AUTO: by latency and bandwidth
	uint64_t socket;			 // MACHINE_AUTO: its own
	uint64_t kind;				 // enum memory_kind
};

struct machine_access_file {
	uint64_t hit_ns, miss_ppm;
};

enum zonelist_built { ZONELIST_AUTO, ZONELIST_BOOT, ZONELIST_HOTPLUG };

struct machine_sysctl_file {
	uint64_t min_free_kbytes; // MACHINE_AUTO: computed
	uint64_t watermark_scale_factor, watermark_boost_factor, swappiness, compaction_proactiveness;
	uint64_t zone_reclaim_mode, dirty_ratio, dirty_background_ratio, page_cluster;
};

struct machine_thp_file {
	uint64_t enabled, defrag; // enum thp_enabled, enum thp_defrag
};

struct machine_device_file {
	const char *name;
	uint64_t like; // index into the table of presets
	uint64_t read_ns, write_ns, read_bandwidth, write_bandwidth, servers, jitter_ppm,
		sequential_ns; // or MACHINE_AUTO
};

struct machine_swap_file {
	const struct config_node *place;
	uint64_t kind; // enum swap_kind
	uint64_t pages;
	const char *device;
	uint64_t zram_read_ns, zram_write_ns, zram_ratio;
};

struct machine_costs_file {
	uint64_t value[COSTS]; // ns
};

struct machine_row { // a CONFIG_LIST_OF(uint64_t)
	uint64_t *item;
	size_t nr;
};

struct machine_file {
	const struct config_node *place;
	const char *name, *text;
	uint64_t pages, reserved, movable, cpus; // of each node
	CONFIG_LIST_OF(struct machine_node_file) nodes;
	CONFIG_LIST_OF(CONFIG_LIST_OF(uint8_t)) distance;
	CONFIG_LIST_OF(struct machine_row) latency, bandwidth;
	uint64_t zonelist_built; // enum zonelist_built
	struct machine_access_file access;
	uint64_t zones; // 0: those of a PC, 1: one
	uint64_t node_reclaim_distance;
	bool demotion, lru_gen;
	struct numa_balancing_settings numa_balancing;
	struct machine_sysctl_file sysctl;
	struct machine_thp_file thp;
	uint64_t readahead; // pages
	bool readahead_wakes_kswapd;
	uint64_t hz;
	CONFIG_LIST_OF(struct machine_device_file) devices;
	const char *disk;
	struct machine_swap_file swap;
	uint64_t cpu_scale;
	uint64_t scheduling_grain_ns;
	struct machine_costs_file costs;
};

extern const struct config_schema machine_device_schema, machine_swap_schema; // machine_devices.c

// Distances, latencies, bandwidths, tiers, sockets of the machine's nodes, which are there (machine_topology.c).
bool machine_build_topology(struct config *config, const struct machine_file *file, struct machine *machine);

// The machine's devices: those that are described, and those that `disk` and `swap` name by a preset.
bool machine_build_devices(struct config *config, const struct machine_file *file, struct machine *machine);
