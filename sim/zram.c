// SPDX-License-Identifier: Apache-2.0
//
// zram (spec 05 X36): swap in memory. Each page becomes 4096 / ratio bytes and 3 % of loss in pages that zsmalloc packs
// without gaps: they are movable by their owner (M11), and the last one is given back when the data fits without it.

#include "sim/swap_internal.h"

#include <stdlib.h>

enum {
	ZSMALLOC_LOSS = 1030, // thousandths
	FIRST_PAGES = 256,
	// zsmalloc asks from inside reclaim: it may use the reserves, but can't wait.
	ZRAM_GFP = YARD_GFP_NOIO | YARD_GFP_NOWARN | YARD_GFP_HIGHMEM | YARD_GFP_MOVABLE,
};

bool zram_create(struct simulation *sim, struct swap_device *swap)
{
	uint64_t ratio = sim->machine->zram_ratio_thousandths;

	swap->zram.bytes = (uint64_t)SIM_PAGE * ZSMALLOC_LOSS / (ratio ? ratio : 1000);
	swap->zram.stored_slot = calloc(swap->nr_clusters * (size_t)CLUSTER_WORDS, sizeof(uint64_t));
	return swap->zram.stored_slot;
}

static uint64_t pages_for(const struct zram *zram, uint64_t stored)
{
	return (stored * zram->bytes + SIM_PAGE - 1) / SIM_PAGE;
}

static bool make_room(struct simulation *sim, struct zram *zram)
{
	uint32_t *page;

	if (zram->pages < zram->max_pages)
		return true;
	zram->max_pages = zram->max_pages ? 2 * zram->max_pages : FIRST_PAGES;
	page = realloc(zram->page, zram->max_pages * sizeof(*page));
	if (!page) {
		sim_fail(sim, "no memory for the list of zram's pages");
		return false;
	}
	zram->page = page;
	return true;
}

static bool add_page(struct simulation *sim, struct zram *zram)
{
	uint32_t pfn;

	if (!make_room(sim, zram))
		return false;
	pfn = sim_alloc(sim, REQUEST_MODULE, ZRAM_GFP, 0, -1);
	if (pfn == YARD_PFN_NONE)
		return false;
	yard_set_owner(sim->yard, pfn, OWNER_ZRAM | (uint32_t)zram->pages);
	yard_set_movable_ops(sim->yard, pfn, true);
	zram->page[zram->pages++] = pfn;
	return true;
}

static void drop_pages(struct simulation *sim, struct zram *zram)
{
	uint64_t needed = pages_for(zram, zram->stored);

	while (zram->pages > needed)
		sim_free(sim, zram->page[--zram->pages], 0);
}

bool zram_store(struct simulation *sim, uint32_t slot, uint32_t pages)
{
	struct zram *zram = &sim->swap->zram;

	sim_charge(sim, COST_SWAP_OUT, pages);
	sim->host->now_ns += pages * sim->machine->zram_write_ns;
	while (zram->pages < pages_for(zram, zram->stored + pages)) {
		if (add_page(sim, zram))
			continue;
		drop_pages(sim, zram);
		zram->failed++;
		return false;
	}
	zram->stored += pages;
	for (uint32_t i = slot; i < slot + pages; i++)
		zram->stored_slot[i / 64] |= UINT64_C(1) << i % 64;
	return true;
}

void zram_forget(struct simulation *sim, uint32_t slot)
{
	struct zram *zram = &sim->swap->zram;
	uint64_t bit = UINT64_C(1) << slot % 64;

	if (!(zram->stored_slot[slot / 64] & bit))
		return;
	zram->stored_slot[slot / 64] &= ~bit;
	zram->stored--;
	drop_pages(sim, zram);
}

bool zram_move(struct simulation *sim, uint32_t index, uint32_t from, uint32_t to)
{
	struct zram *zram = &sim->swap->zram;

	if (index >= zram->pages || zram->page[index] != from)
		return false;
	zram->page[index] = to;
	return true;
}
