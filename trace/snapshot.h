// SPDX-License-Identifier: Apache-2.0
//
// A snapshot of a running kernel's page allocator (docs/oracle-format.md), as read from snapshotN.txt[.zst].

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/reader.h"

enum {
	SNAPSHOT_ORDERS = 11,
	SNAPSHOT_MIGRATETYPES = 6,
	SNAPSHOT_PCP_LISTS = 14,
	SNAPSHOT_WMARKS = 4,
	SNAPSHOT_ZONE_TYPES = 5,
};

struct snapshot_list {
	uint32_t nr;
	uint32_t *pfn; // head first
};

enum snapshot_zone_stat { // "zone N NAME stat ITEM v"; items not named here are kept out
	SNAPSHOT_NR_FREE_PAGES,
	SNAPSHOT_NR_FREE_PAGES_BLOCKS,
	SNAPSHOT_NR_FREE_CMA_PAGES,
	SNAPSHOT_ZONE_STATS
};

enum snapshot_numa_stat { // "zone N NAME numa ITEM v" and "cpustat"
	SNAPSHOT_NUMA_HIT,
	SNAPSHOT_NUMA_MISS,
	SNAPSHOT_NUMA_FOREIGN,
	SNAPSHOT_NUMA_INTERLEAVE_HIT,
	SNAPSHOT_NUMA_LOCAL,
	SNAPSHOT_NUMA_OTHER,
	SNAPSHOT_NUMA_STATS
};

struct snapshot_pcp { // one cpu's set of one zone
	int64_t count, high, high_min, high_max, batch, flags, alloc_factor, expire, free_count;
	struct snapshot_list list[SNAPSHOT_PCP_LISTS];
	int64_t stat_threshold;
	int64_t diff[SNAPSHOT_ZONE_STATS]; // not yet folded into the zone's counters
	int64_t numa[SNAPSHOT_NUMA_STATS]; // this cpu's event counts, not yet folded
};

struct snapshot_compact { // compaction's state of a zone (spec 03 3.0)
	uint64_t cached_migrate[2], cached_free, init_migrate, init_free, considered, defer_shift, order_failed, flush;
};

struct snapshot_zone {
	uint32_t node, index; // index: ZONE_DMA = 0 ...
	char name[16];
	uint64_t start_pfn, spanned, present, managed, cma_pages;
	uint64_t boost, nr_reserved_highatomic, nr_free_highatomic, nr_isolate_pageblock;
	uint64_t flags, percpu_drift_mark;
	uint64_t pageset_high_min, pageset_high_max, pageset_batch;
	bool contiguous;
	bool has_compact; // the snapshot names all of `compact`
	struct snapshot_compact compact;
	uint64_t wmark[SNAPSHOT_WMARKS];
	uint64_t lowmem_reserve[SNAPSHOT_ZONE_TYPES];
	int64_t stat[SNAPSHOT_ZONE_STATS]; // the folded (global) part
	int64_t numa[SNAPSHOT_NUMA_STATS];
	uint64_t nr_free[SNAPSHOT_ORDERS];
	struct snapshot_list free[SNAPSHOT_ORDERS][SNAPSHOT_MIGRATETYPES];
	uint32_t nr_pcps; // = snapshot.nr_cpus
	struct snapshot_pcp *pcp;
};

struct snapshot_zoneref {
	uint32_t node, zone_index;
};

struct snapshot_node {
	uint32_t id;
	uint64_t start_pfn, present, spanned;
	int64_t kswapd_failures;
	uint64_t kswapd_order, kswapd_highest_zone, kcompactd_order, kcompactd_highest_zone, proactive_trigger;
	bool has_workers; // the snapshot names all of the five above
	uint32_t nr_fallback, nr_thisnode; // entries of zonelist 0 and of zonelist 1
	struct snapshot_zoneref fallback[64], thisnode[8];
};

struct snapshot_pageblock {
	uint32_t pfn; // first frame
	uint8_t bits; // as spec 01 M7 numbers them
};

enum snapshot_class { // what a run of frames holds
	SNAPSHOT_FREE, SNAPSHOT_PCP, SNAPSHOT_RESERVED, SNAPSHOT_LRU_ANON, SNAPSHOT_LRU_FILE, SNAPSHOT_LRU_UNEVICTABLE,
	SNAPSHOT_OFFLRU, // anon-offlru, mapping-offlru
	SNAPSHOT_SLAB, SNAPSHOT_TABLE, SNAPSHOT_TYPE_OTHER, SNAPSHOT_KERNEL, SNAPSHOT_IDLE
};

struct snapshot_frames {
	uint32_t pfn, nr;
	enum snapshot_class class;
};

struct snapshot {
	uint32_t nr_cpus;
	char kernel[32];
	// "global NAME v"; -1 where the snapshot does not name it
	int64_t min_free_kbytes, user_min_free_kbytes, watermark_boost_factor, watermark_scale_factor, defrag_mode;
	int64_t compaction_proactiveness, extfrag_threshold;
	int64_t node_reclaim_mode, mobility_disabled, percpu_pagelist_high_fraction, nr_online_nodes, totalreserve_pages;
	int64_t lowmem_reserve_ratio[SNAPSHOT_ZONE_TYPES];
	uint32_t nr_nodes, nr_zones, nr_pageblocks, nr_frames;
	struct snapshot_node *node;
	struct snapshot_zone *zone; // populated zones, in file order
	struct snapshot_pageblock *pageblock; // ascending
	struct snapshot_frames *frames;	      // ascending, runs do not overlap
};

// Reads a snapshot; zstd is unpacked on the way, whatever the name. Checks form and ranges only (numbers, orders,
// migratetypes, a missing `end` line, lists of unknown zones, runs that overlap); whether the allocator's state
// is consistent is for the engine to say. Returns NULL and fills *error (file, line, reason).
struct snapshot *snapshot_read(const char *path, struct trace_error *error);
void snapshot_free(struct snapshot *snapshot);
