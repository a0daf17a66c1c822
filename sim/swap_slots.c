// SPDX-License-Identifier: Apache-2.0
//
// Swap slots (spec 04 W-1): clusters of 512. Each CPU takes single slots from a cluster of its own, front to back;
// the next one is a free cluster, else one of which something is free, else somebody else's. A huge page takes a free
// cluster.

#include "sim/swap_internal.h"

#include <stdlib.h>

// ---- lists of clusters ----

static void list_cluster(struct swap_device *swap, uint32_t number, enum cluster_list list)
{
	struct swap_cluster *cluster = &swap->cluster[number];

	cluster->list = (uint8_t)list;
	cluster->next = CLUSTER_NONE;
	cluster->previous = swap->last[list];
	if (cluster->previous == CLUSTER_NONE)
		swap->first[list] = number;
	else
		swap->cluster[cluster->previous].next = number;
	swap->last[list] = number;
}

static void unlist_cluster(struct swap_device *swap, uint32_t number)
{
	struct swap_cluster *cluster = &swap->cluster[number];
	unsigned list = cluster->list;

	if (list == CLUSTER_UNLISTED)
		return;
	if (cluster->previous == CLUSTER_NONE)
		swap->first[list] = cluster->next;
	else
		swap->cluster[cluster->previous].next = cluster->next;
	if (cluster->next == CLUSTER_NONE)
		swap->last[list] = cluster->previous;
	else
		swap->cluster[cluster->next].previous = cluster->previous;
	cluster->list = CLUSTER_UNLISTED;
}

bool swap_slots_create(struct swap_device *swap)
{
	uint32_t short_by;

	swap->nr_clusters = (uint32_t)((swap->slots + CLUSTER_SLOTS - 1) >> CLUSTER_SHIFT);
	swap->cluster = calloc(swap->nr_clusters, sizeof(swap->cluster[0]));
	if (!swap->cluster)
		return false;
	for (unsigned list = 0; list < CLUSTER_LISTS; list++)
		swap->first[list] = swap->last[list] = CLUSTER_NONE;
	for (uint32_t i = 0; i < swap->nr_clusters; i++)
		list_cluster(swap, i, CLUSTERS_FREE);
	short_by = (uint32_t)(((uint64_t)swap->nr_clusters << CLUSTER_SHIFT) - swap->slots);
	if (short_by) {
		struct swap_cluster *cluster = &swap->cluster[swap->nr_clusters - 1];

		for (uint32_t slot = CLUSTER_SLOTS - short_by; slot < CLUSTER_SLOTS; slot++)
			cluster->used[slot / 64] |= UINT64_C(1) << slot % 64;
		cluster->nr_used = (uint16_t)short_by;
		unlist_cluster(swap, swap->nr_clusters - 1);
		list_cluster(swap, swap->nr_clusters - 1, CLUSTERS_PARTIAL);
	}
	return true;
}

// ---- taking ----

static uint32_t take_cluster(struct swap_device *swap, enum cluster_list list)
{
	uint32_t number = swap->first[list];

	if (number != CLUSTER_NONE)
		unlist_cluster(swap, number);
	return number;
}

// The first free slot from `from` on; CLUSTER_SLOTS: none.
static uint32_t find_slot(const struct swap_cluster *cluster, uint32_t from)
{
	for (uint32_t word = from / 64; word < CLUSTER_WORDS; word++) {
		uint64_t free = ~cluster->used[word];

		if (word == from / 64)
			free &= ~UINT64_C(0) << from % 64;
		if (free)
			return word * 64 + (uint32_t)__builtin_ctzll(free);
	}
	return CLUSTER_SLOTS;
}

static void mark_used(struct swap_device *swap, uint32_t number, uint32_t slot)
{
	struct swap_cluster *cluster = &swap->cluster[number];

	cluster->used[slot / 64] |= UINT64_C(1) << slot % 64;
	cluster->nr_used++;
	swap->used++;
}

// The CPU's cluster has nothing left from where it is on: slots that became free behind it are for whoever takes it
// next.
static bool next_cluster(struct swap_device *swap, struct swap_cpu *cpu)
{
	uint32_t old = cpu->cluster;

	if (old != CLUSTER_NONE) {
		swap->cluster[old].current = false;
		if (swap->cluster[old].nr_used < CLUSTER_SLOTS)
			list_cluster(swap, old, swap->cluster[old].nr_used ? CLUSTERS_PARTIAL : CLUSTERS_FREE);
	}
	cpu->cluster = take_cluster(swap, CLUSTERS_FREE);
	if (cpu->cluster == CLUSTER_NONE)
		cpu->cluster = take_cluster(swap, CLUSTERS_PARTIAL);
	if (cpu->cluster == CLUSTER_NONE)
		return false;
	swap->cluster[cpu->cluster].current = true;
	return true;
}

static bool steal_cluster(struct swap_device *swap, struct swap_cpu *cpu)
{
	for (uint32_t i = 0; i < swap->nr_cpus; i++) {
		struct swap_cpu *other = &swap->cpu[i];

		if (other->cluster == CLUSTER_NONE || swap->cluster[other->cluster].nr_used == CLUSTER_SLOTS)
			continue;
		cpu->cluster = other->cluster;
		other->cluster = CLUSTER_NONE;
		return true;
	}
	return false;
}

static uint32_t take_single(struct swap_device *swap, struct swap_cpu *cpu)
{
	uint32_t slot = CLUSTER_SLOTS;

	if (cpu->cluster != CLUSTER_NONE)
		slot = find_slot(&swap->cluster[cpu->cluster], cpu->next);
	if (slot == CLUSTER_SLOTS) {
		if (!next_cluster(swap, cpu) && !steal_cluster(swap, cpu))
			return SWAP_SLOT_NONE;
		slot = find_slot(&swap->cluster[cpu->cluster], 0);
	}
	mark_used(swap, cpu->cluster, slot);
	cpu->next = slot + 1;
	return (cpu->cluster << CLUSTER_SHIFT) + slot;
}

uint32_t swap_slots_take(struct simulation *sim, unsigned order)
{
	struct swap_device *swap = sim->swap;
	uint32_t number;

	if (!order)
		return take_single(swap, &swap->cpu[sim->host->cpu]);
	if (order != CLUSTER_SHIFT)
		return SWAP_SLOT_NONE;
	number = take_cluster(swap, CLUSTERS_FREE);
	if (number == CLUSTER_NONE)
		return SWAP_SLOT_NONE;
	for (uint32_t slot = 0; slot < CLUSTER_SLOTS; slot++)
		mark_used(swap, number, slot);
	return number << CLUSTER_SHIFT;
}

// ---- giving back ----

bool swap_slot_used(const struct simulation *sim, uint32_t slot)
{
	const struct swap_cluster *cluster = &sim->swap->cluster[slot >> CLUSTER_SHIFT];

	return cluster->used[slot % CLUSTER_SLOTS / 64] >> slot % 64 & 1;
}

void swap_slot_forget(struct simulation *sim, uint32_t slot)
{
	struct swap_device *swap = sim->swap;
	uint32_t number = slot >> CLUSTER_SHIFT;
	struct swap_cluster *cluster = &swap->cluster[number];

	if (!swap->device)
		zram_forget(sim, slot);
	cluster->used[slot % CLUSTER_SLOTS / 64] &= ~(UINT64_C(1) << slot % 64);
	cluster->nr_used--;
	swap->used--;
	if (cluster->current || (cluster->nr_used && cluster->list != CLUSTER_UNLISTED))
		return;
	unlist_cluster(swap, number);
	list_cluster(swap, number, cluster->nr_used ? CLUSTERS_PARTIAL : CLUSTERS_FREE);
}

void swap_slot_free(struct simulation *sim, uint32_t slot)
{
	swap_slot_forget(sim, slot);
	yard_swap_free(sim->yard, 1);
}

uint64_t swap_slots_used(const struct simulation *sim)
{
	return sim->swap->used;
}
