// SPDX-License-Identifier: Apache-2.0
//
// Writing to swap. A block device's writes wait in a plug for those that follow, until the CPU that gathers them has
// something else to do.

#include "sim/swap_internal.h"

#include <stdlib.h>

bool swap_create(struct simulation *sim)
{
	const struct machine *machine = sim->machine;
	struct swap_device *swap;

	if (machine->swap_kind == SWAP_NONE || !machine->swap_pages)
		return true;
	swap = calloc(1, sizeof(*swap));
	sim->swap = swap;
	if (swap) {
		swap->sim = sim;
		swap->slots = machine->swap_pages;
		swap->nr_cpus = machine->nr_cpus;
		swap->cpu = calloc(machine->nr_cpus, sizeof(swap->cpu[0]));
		if (machine->swap_kind == SWAP_DEVICE)
			swap->device = memory_device(sim, machine->swap_device);
	}
	if (!swap || !swap->cpu || !swap_slots_create(swap) || (!swap->device && !zram_create(sim, swap))) {
		sim_fail(sim, "no memory for swap");
		return false;
	}
	for (uint32_t cpu = 0; cpu < swap->nr_cpus; cpu++)
		swap->cpu[cpu].cluster = CLUSTER_NONE;
	yard_set_swap(sim->yard, swap->slots, swap->slots);
	return true;
}

void swap_destroy(struct simulation *sim)
{
	struct swap_device *swap = sim->swap;

	if (!swap)
		return;
	free(swap->zram.page);
	free(swap->zram.stored_slot);
	free(swap->cluster);
	free(swap->cpu);
	free(swap);
	sim->swap = NULL;
}

uint64_t swap_total(const struct simulation *sim)
{
	return sim->swap ? sim->swap->slots : 0;
}

bool swap_is_zram(const struct simulation *sim)
{
	return sim->swap && !sim->swap->device;
}

struct device *swap_block_device(const struct simulation *sim)
{
	return sim->swap ? sim->swap->device : NULL;
}

void swap_statistics(const struct simulation *sim, struct swap_statistics *statistics)
{
	*statistics = (struct swap_statistics){.zram_pages = 0};
	if (sim->swap)
		*statistics = (struct swap_statistics){.zram_pages = sim->swap->zram.pages,
						       .zram_stored = sim->swap->zram.stored,
						       .zram_failed = sim->swap->zram.failed};
}

// ---- the plug ----

static void submit_plug(struct swap_cpu *cpu)
{
	struct page_io *io = cpu->plug;

	cpu->plug = NULL;
	if (io)
		page_io_submit(io);
}

static void unplug(struct simulation *sim, void *argument)
{
	(void)sim;
	submit_plug(argument);
}

static bool plug_write(struct simulation *sim, uint32_t pfn, uint32_t pages, uint32_t slot)
{
	struct swap_cpu *cpu = &sim->swap->cpu[sim->host->cpu];
	uint64_t offset = (uint64_t)slot * SIM_PAGE;
	struct page_io *full = cpu->plug, *io;

	if (full && page_io_fits(full, offset, pages)) {
		page_io_add(full, pfn, pages);
		return true;
	}
	io = page_io_start(sim, sim->swap->device, IO_SWAP_WRITE, offset);
	if (!io)
		return false;
	io->slot = slot;
	page_io_add(io, pfn, pages);
	cpu->plug = io;
	cpu->unplug.cpu = (uint16_t)sim->host->cpu;
	timer_start(sim, &cpu->unplug, sim_now(sim), unplug, cpu);
	if (full) // the plug is in order: this may sleep
		page_io_submit(full);
	return true;
}

enum yard_write_result swap_write_out(struct simulation *sim, uint32_t pfn, unsigned order, uint32_t slot)
{
	uint32_t pages = 1u << order;

	if (!sim->swap->device)
		return zram_store(sim, slot, pages) ? YARD_WRITE_DONE : YARD_WRITE_REFUSED;
	sim_charge(sim, COST_SWAP_OUT, pages);
	return plug_write(sim, pfn, pages, slot) ? YARD_WRITE_STARTED : YARD_WRITE_REFUSED;
}
