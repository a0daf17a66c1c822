// SPDX-License-Identifier: Apache-2.0
//
// Swap: a block device or zram (spec 05 X36, X38) behind the engine's write_out callback. Slots are given out in
// clusters of 512 as spec 04 W-1 says (swap_slots.c); pages that reclaim writes one after the other share a request
// while their slots follow each other.

#pragma once

#include "sim/device.h"
#include "sim/memory.h"

#define SWAP_SLOT_NONE UINT32_MAX

bool swap_create(struct simulation *sim); // of the machine; without swap the functions below are not called
void swap_destroy(struct simulation *sim);
enum yard_write_result swap_write_out(struct simulation *sim, uint32_t pfn, unsigned order, uint32_t slot);
uint64_t swap_total(const struct simulation *sim); // pages; 0: there is no swap

// ---- for the memory model ----

bool swap_is_zram(const struct simulation *sim);
struct device *swap_block_device(const struct simulation *sim); // NULL: zram
// 2^order slots in a row, aligned; above order 0 a whole cluster (order 9 only). SWAP_SLOT_NONE: there are none.
uint32_t swap_slots_take(struct simulation *sim, unsigned order);
void swap_slot_free(struct simulation *sim, uint32_t slot);   // ... and the engine's count of them grows
void swap_slot_forget(struct simulation *sim, uint32_t slot); // the engine counts itself
bool swap_slot_used(const struct simulation *sim, uint32_t slot);
uint64_t swap_slots_used(const struct simulation *sim);
// Compaction moves a page of compressed data. False: it is none.
bool zram_move(struct simulation *sim, uint32_t index, uint32_t from, uint32_t to);

struct swap_statistics {
	uint64_t zram_pages, zram_stored; // frames with compressed data, pages in them
	uint64_t zram_failed;		  // writes that found no memory
};
void swap_statistics(const struct simulation *sim, struct swap_statistics *statistics);
