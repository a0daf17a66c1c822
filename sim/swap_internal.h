// SPDX-License-Identifier: Apache-2.0
//
// What the files of swap share: swap_device.c (writing), swap_slots.c (which slots are free), zram.c (compressed data).

#pragma once

#include "sim/memory_internal.h"
#include "sim/swap_device.h"

enum { CLUSTER_SHIFT = 9, CLUSTER_SLOTS = 1 << CLUSTER_SHIFT, CLUSTER_WORDS = CLUSTER_SLOTS / 64 };
#define CLUSTER_NONE UINT32_MAX

enum cluster_list { CLUSTERS_FREE, CLUSTERS_PARTIAL, CLUSTER_LISTS, CLUSTER_UNLISTED = CLUSTER_LISTS };

struct swap_cluster {
	uint64_t used[CLUSTER_WORDS];
	uint32_t next, previous;
	uint16_t nr_used; // with those that a last, short cluster does not have
	uint8_t list;	  // enum cluster_list; UNLISTED: full, or some CPU's
	bool current;	  // some CPU's
};

struct swap_cpu {
	uint32_t cluster;     // from which it takes single slots; CLUSTER_NONE: none yet
	uint32_t next;	      // where it goes on in it
	struct page_io *plug; // writes that have not been submitted yet
	struct sim_timer unplug;
};

struct zram {
	uint32_t *page; // frames
	uint64_t pages, max_pages;
	uint64_t stored;       // pages whose data it holds
	uint64_t *stored_slot; // bitmap
	uint64_t bytes;	       // of one page's data, with zsmalloc's loss
	uint64_t failed;
};

struct swap_device {
	struct simulation *sim;
	uint64_t slots, used;
	struct swap_cluster *cluster;
	uint32_t nr_clusters;
	uint32_t first[CLUSTER_LISTS], last[CLUSTER_LISTS];
	struct swap_cpu *cpu;
	uint32_t nr_cpus;
	struct device *device; // NULL: zram
	struct zram zram;
};

bool swap_slots_create(struct swap_device *swap);
bool zram_create(struct simulation *sim, struct swap_device *swap);
// False: no memory for the data.
bool zram_store(struct simulation *sim, uint32_t slot, uint32_t pages);
void zram_forget(struct simulation *sim, uint32_t slot); // if its data is stored
