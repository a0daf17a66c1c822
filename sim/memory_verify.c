// SPDX-License-Identifier: Apache-2.0
//
// Checks of the memory model: each entry against its frame and its slot, and all counters.

#include "sim/page_cache_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/swap_device.h"

struct check {
	const struct simulation *sim;
	const struct memory_object *object;
	char *text;
	size_t size;
	bool failed;
	uint64_t resident, swapped, huge, dirty; // of the object
	uint64_t on_node[YARD_NODES_MAX];
	uint64_t slots, page_tables, reading;	 // of all
};

__attribute__((format(printf, 2, 3))) static void fail(struct check *check, const char *format, ...)
{
	va_list arguments;

	if (check->failed)
		return;
	check->failed = true;
	va_start(arguments, format);
	vsnprintf(check->text, check->size, format, arguments);
	va_end(arguments);
}

static void compare(struct check *check, const char *what, uint64_t counted, uint64_t noted)
{
	if (counted != noted)
		fail(check, "object %u: %" PRIu64 " %s, its counter says %" PRIu64,
		     check->object ? check->object->id : 0, counted, what, noted);
}

// A block that the page lies in: allocated, with this page's number. Returns its flags on the LRU.
static uint32_t check_frame(struct check *check, uint64_t page, uint32_t pfn, unsigned order, bool reading)
{
	uint32_t owner = yard_get_owner(check->sim->yard, pfn), first, flags = 0;
	enum yard_mapping mapping;
	unsigned is_order;
	bool lru;

	if (owner != owner_word(check->object, page))
		fail(check, "object %u page %" PRIu64 ": frame %u says %u", check->object->id, page, pfn, owner);
	if (yard_frame_state(check->sim->yard, pfn, &first, &is_order) != YARD_FRAME_ALLOCATED || first != pfn
	    || is_order != order)
		fail(check, "object %u page %" PRIu64 ": frame %u is no block of order %u", check->object->id, page,
		     pfn, order);
	else if (yard_lru_get(check->sim->yard, pfn, &flags, &mapping, &lru) != YARD_OK)
		fail(check, "object %u page %" PRIu64 ": frame %u is nobody's", check->object->id, page, pfn);
	if (reading && lru)
		fail(check, "object %u page %" PRIu64 ": on the LRU before it has been read", check->object->id, page);
	return flags;
}

static void check_slot(struct check *check, const struct region *region, uint64_t page)
{
	unsigned offset = page & (REGION_PAGES - 1);

	if (!region->slot || !swap_slot_used(check->sim, region->slot[offset]))
		fail(check, "object %u page %" PRIu64 ": its swap slot is free", check->object->id, page);
	check->slots++;
}

static void check_resident(struct check *check, const struct region *region, uint64_t page, uint64_t entry)
{
	const struct file *file = check->object->file;
	uint64_t first = page & ~((UINT64_C(1) << entry_order(entry)) - 1), number = page >> REGION_SHIFT;
	bool reading = entry & ENTRY_READING;
	uint32_t flags;

	check->resident++;
	check->on_node[(unsigned)yard_zone_of(check->sim->yard, entry_frame(entry)) / YARD_ZONE_TYPES]++;
	check->reading += reading;
	check->dirty += !!(entry & ENTRY_DIRTY);
	if (entry & ENTRY_IN_SWAP)
		check_slot(check, region, page);
	if (entry & ENTRY_HINT && !region->numa)
		fail(check, "object %u page %" PRIu64 ": a mark of NUMA balancing, without a note", check->object->id, page);
	if (entry_frame(entry) - entry_head(entry) != page - first)
		fail(check, "object %u page %" PRIu64 ": frame %u stands elsewhere in its block", check->object->id,
		     page, entry_frame(entry));
	if (first != page)
		return;
	flags = check_frame(check, page, entry_frame(entry), entry_order(entry), reading);
	if (reading)
		return;
	if (!file && !(flags & YARD_PAGE_SWAPCACHE) != !(entry & ENTRY_IN_SWAP))
		fail(check, "object %u page %" PRIu64 ": the engine sees a slot or none, wrongly", check->object->id,
		     page);
	if (file && !(flags & YARD_PAGE_DIRTY) != !(entry & ENTRY_DIRTY))
		fail(check, "object %u page %" PRIu64 ": dirty for one, clean for the other", check->object->id, page);
	if (entry & ENTRY_DIRTY
	    && (number / 64 >= file->dirty_words || !(file->dirty_regions[number / 64] >> number % 64 & 1)))
		fail(check, "object %u page %" PRIu64 ": the flusher would not find it", check->object->id, page);
}

static void check_entries(struct check *check, const struct region *region, uint64_t first)
{
	unsigned used = 0;
	uint64_t slots = check->slots;

	for (unsigned offset = 0; offset < region->length; offset++) {
		uint64_t entry = region->entry[offset];

		used += !!entry;
		if (entry & ENTRY_RESIDENT) {
			check_resident(check, region, first + offset, entry);
		} else if (entry & ENTRY_IN_SWAP) {
			check_slot(check, region, first + offset);
			check->swapped++;
		}
	}
	if (used != region->used || check->slots - slots != region->slots)
		fail(check, "object %u region at %" PRIu64 ": %u entries and %" PRIu64 " slots, noted are %u and %u",
		     check->object->id, first, used, check->slots - slots, region->used, region->slots);
}

static void check_huge(struct check *check, const struct region *region, uint64_t first)
{
	uint32_t flags = check_frame(check, first, region->huge - 1, SIM_HUGE_ORDER, false);

	check->huge += REGION_PAGES;
	check->resident += REGION_PAGES;
	check->on_node[(unsigned)yard_zone_of(check->sim->yard, region->huge - 1) / YARD_ZONE_TYPES] += REGION_PAGES;
	for (unsigned i = 0; i < REGION_PAGES && region->slots; i++)
		check_slot(check, region, first + i);
	if (region->length || !region->page_table)
		fail(check, "object %u region at %" PRIu64 ": huge, with entries or without a page table",
		     check->object->id, first);
	if (!(flags & YARD_PAGE_SWAPCACHE) != !region->slots)
		fail(check, "object %u region at %" PRIu64 ": the engine sees slots or none, wrongly",
		     check->object->id, first);
}

static void check_object(struct check *check, const struct memory_object *object)
{
	check->object = object;
	check->resident = check->swapped = check->huge = check->dirty = 0;
	memset(check->on_node, 0, sizeof(check->on_node));
	for (uint32_t i = 0; i < 1u << object->region_order && !check->failed; i++) {
		const struct region *region = &check->sim->memory->region[object->first_region + i];

		if (region->object && region->object != object)
			fail(check, "object %u: a region of object %u", object->id, region->object->id);
		check->page_tables += !!region->page_table;
		if (region->huge)
			check_huge(check, region, (uint64_t)i << REGION_SHIFT);
		else
			check_entries(check, region, (uint64_t)i << REGION_SHIFT);
		if (region->huge_hint && !(region->huge && region->numa))
			fail(check, "object %u: a mark of NUMA balancing of what is no huge page", object->id);
	}
	compare(check, "resident pages", check->resident, object->resident);
	for (unsigned node = 0; object->resident_on && node < check->sim->machine->nr_nodes; node++)
		compare(check, "resident pages on a node", check->on_node[node], object->resident_on[node]);
	compare(check, "pages in swap", check->swapped, object->swapped);
	compare(check, "pages in huge pages", check->huge, object->huge_pages);
	if (object->file && object->file->object)
		compare(check, "dirty pages", check->dirty, object->file->dirty);
}

static void check_process(struct check *check, const struct process *process)
{
	uint64_t resident = 0, swapped = 0;

	for (uint32_t i = 0; i < process->nr_mappings; i++) {
		resident += process->mapping[i]->resident;
		swapped += process->mapping[i]->swapped;
	}
	if (resident != process->resident || swapped != process->swapped)
		fail(check,
		     "process %u: %" PRIu64 " pages resident, %" PRIu64 " in swap, noted are %" PRIu64 " and %" PRIu64,
		     process->pid, resident, swapped, process->resident, process->swapped);
}

// Slots of pages that nobody wants any more are used until they have been written.
static void check_swap(struct check *check)
{
	const struct simulation *sim = check->sim;
	uint64_t used = swap_slots_used(sim);

	if (used < check->slots || (used != check->slots && !sim->memory->statistics.orphans))
		fail(check, "%" PRIu64 " swap slots in use, pages have %" PRIu64, used, check->slots);
	if (used + yard_swap_available(sim->yard) != swap_total(sim))
		fail(check, "%" PRIu64 " swap slots in use and %" PRIu64 " free, of %" PRIu64, used,
		     yard_swap_available(sim->yard), swap_total(sim));
}

bool memory_verify(const struct simulation *sim, char *text, size_t size)
{
	struct check check = {.sim = sim, .text = text, .size = size};

	for (const struct memory_object *object = sim->memory->objects; object && !check.failed; object = object->next)
		check_object(&check, object);
	check.object = NULL;
	compare(&check, "page tables", check.page_tables, sim->memory->statistics.page_tables);
	for (const struct process *process = process_first(sim); process; process = process->next)
		check_process(&check, process);
	if (sim->swap)
		check_swap(&check);
	return !check.failed;
}
