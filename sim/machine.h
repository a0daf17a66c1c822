// SPDX-License-Identifier: Apache-2.0
//
// A machine as its file describes it (machines/NAME.yaml; spec 05 section 7, H12): nodes with memory and CPUs,
// distances, sysctls, devices, costs. All defaults are in machine.c's schema.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/config.h"
#include "sim/costs.h"
#include "sim/device.h"
#include "sim/numa_balancing.h"

struct machine_node {
	uint64_t pages; // managed RAM and what the kernel has reserved of it
	// Of them: kernel image, memmap and other boot reservations. In the layout of a PC node 0 loses 1 MiB at its
	// start and the rest from 16 MiB on (as a kernel that loads there leaves ZONE_DMA 3840 pages); others lose it
	// at their start.
	uint64_t reserved_pages;
	uint32_t cpus;
	uint64_t movable_pages; // at its end; 0: no ZONE_MOVABLE
	uint8_t tier;		// of memory, 0 the fastest (spec 04 P-8, spec 05 D1)
	uint8_t socket;		// nodes of a socket share its links to the others
	uint8_t kind;		// enum memory_kind
};

enum memory_kind { MEMORY_DRAM, MEMORY_HBM, MEMORY_CXL, MEMORY_PMEM };

enum thp_enabled { THP_NEVER, THP_MADVISE, THP_ALWAYS };
enum thp_defrag { THP_DEFRAG_NEVER, THP_DEFRAG_MADVISE, THP_DEFRAG_DEFER, THP_DEFRAG_DEFER_MADVISE, THP_DEFRAG_ALWAYS };
enum swap_kind { SWAP_NONE, SWAP_DEVICE, SWAP_ZRAM };

struct machine {
	char *name, *text; // one line for people
	struct machine_node *node;
	uint32_t nr_nodes, nr_cpus; // the CPUs of node 0 come first
	uint8_t *distance; // nr_nodes x nr_nodes
	// From CPUs of the row's node to memory of the column's, nr_nodes x nr_nodes (machine_topology.c).
	uint64_t *latency_ns; // idle; NULL: all alike
	uint64_t *bandwidth;  // bytes a second of the link, [n, n]: of the node's memory; NULL, 0: no limit
	bool zonelist_hotplug; // T5: zonelists were built when the CPUs were known
	uint64_t access_hit_ns, access_miss_ppm; // X34: c and m
	bool one_zone;	   // all memory above 4 GiB: only ZONE_NORMAL. Else the layout of a PC (DMA, DMA32, NORMAL)
	// sysctls; -1 or 0 as in struct yard_config: the kernel's default
	int64_t min_free_kbytes;
	uint32_t watermark_scale_factor;
	int32_t watermark_boost_factor, swappiness, compaction_proactiveness;
	uint32_t zone_reclaim_mode, dirty_ratio, dirty_background_ratio;
	uint32_t node_reclaim_distance;
	bool demotion; // numa/demotion_enabled
	struct numa_balancing_settings numa_balancing;
	enum thp_enabled thp_enabled;
	enum thp_defrag thp_defrag;
	uint64_t page_cluster;	 // vm.page-cluster
	bool readahead_wakes_kswapd; // spec 04 O-11
	uint64_t readahead_pages; // of a block device: 32; 0: none, files are read page by page
	bool lru_gen; // on: of every policy whose text does not name the switch
	// devices
	struct device_config *device;
	uint32_t nr_devices;
	enum swap_kind swap_kind;
	uint64_t swap_pages;
	uint32_t swap_device, disk_device; // indexes
	uint64_t zram_read_ns, zram_write_ns, zram_ratio_thousandths;
	// costs
	uint64_t cost_ns[COSTS]; // after scaling
	uint64_t cpu_scale_thousandths;
	uint64_t scheduling_grain_ns; // CPUs whose clocks differ by less need not take turns; 0: strictly by time
	uint32_t hz;
};

// What processes and the page cache can have: all memory but the kernel's reservations.
uint64_t machine_pages(const struct machine *machine);
// False, with one line in `reason`: the machine has no such node.
bool machine_check_node(const struct machine *machine, uint64_t node, char *reason, size_t size);

enum { MACHINE_ALIKE_NS = 80 }; // latency where none is given

static inline uint64_t machine_latency(const struct machine *machine, unsigned cpu_node, unsigned node)
{
	return machine->latency_ns ? machine->latency_ns[cpu_node * machine->nr_nodes + node] : MACHINE_ALIKE_NS;
}

static inline uint64_t machine_bandwidth(const struct machine *machine, unsigned cpu_node, unsigned node)
{
	return machine->bandwidth ? machine->bandwidth[cpu_node * machine->nr_nodes + node] : 0;
}

// From the nearest CPUs, MB/s; 0: the machine has no limits. What firmware tells of a node (spec 05 M9, D1).
uint32_t machine_node_bandwidth(const struct machine *machine, uint32_t node);

// ---- files (machine.c) ----

struct machine_file; // what machine_schema reads: of machine_schema.size bytes
extern const struct config_schema machine_schema;

// Makes a machine of what was read. False: it cannot be; the reasons are in the report of `config`.
bool machine_build(struct config *config, const struct machine_file *file, struct machine *machine);
// Releases what machine_build() allocated; a zeroed machine has nothing.
void machine_release(struct machine *machine);
// Without its line for people: the machine's part of a scenario's fingerprint.
void machine_forget_text(struct machine_file *file);
