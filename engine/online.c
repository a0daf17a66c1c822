// SPDX-License-Identifier: Apache-2.0
//
// What joins or leaves an instance after its boot: memory whose release was put off (spec 01 M18), memory plugged in
// later (M19), boot reservations given back (M20), CPUs (P5, P19).

#include "engine/mm.h"

enum { MAX_BLOCK = 1 << YARD_MAX_PAGE_ORDER };

static uint32_t lower(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static const struct yard_range *memory_at(const struct yard *yard, uint32_t pfn) // NULL: a hole, or offline
{
	for (uint32_t i = 0; i < yard->nr_memory; i++)
		if (pfn >= yard->memory[i].start && pfn < yard->memory[i].end)
			return &yard->memory[i];
	return NULL;
}

// ---- deferred release (M18) ----

static uint32_t first_deferred(const struct yard *yard, unsigned node)
{
	return atomic_load_explicit(&yard->nodes[node].first_deferred_pfn, memory_order_relaxed);
}

static struct zone *highest_zone_of(const struct yard *yard, unsigned node)
{
	for (unsigned type = YARD_ZONE_DEVICE; type-- > 0;)
		if (zone_populated(zone_at(yard, node * YARD_ZONE_TYPES + type)))
			return zone_at(yard, node * YARD_ZONE_TYPES + type);
	return NULL;
}

// The first section boundary that has RAM at it and more than a section of the zone's RAM below it; PFN_NONE: there is
// none.
static uint32_t deferral_boundary(const struct yard *yard, const struct zone *zone)
{
	uint64_t below = 0;

	for (uint32_t i = 0; i < yard->nr_memory; i++) {
		const struct yard_range *range = &yard->memory[i];
		uint64_t start = higher(range->start, zone->boot_start_pfn), end = lower(range->end, zone->boot_end_pfn);
		uint64_t boundary = (start + PAGES_PER_SECTION - 1) / PAGES_PER_SECTION * PAGES_PER_SECTION;

		if (range->node != zone->node || start >= end)
			continue;
		for (; boundary < end; boundary += PAGES_PER_SECTION)
			if (below + (boundary - start) > PAGES_PER_SECTION)
				return (uint32_t)boundary;
		below += end - start;
	}
	return PFN_NONE;
}

void setup_deferred(struct yard *yard)
{
	for (unsigned n = 0; n < yard->nr_nodes; n++) {
		const struct zone *zone = highest_zone_of(yard, n);

		if (!zone)
			continue;
		yard->nodes[n].first_deferred_pfn = deferral_boundary(yard, zone);
		yard->deferred_init |= first_deferred(yard, n) != PFN_NONE;
	}
}

bool frame_deferred(const struct yard *yard, uint32_t pfn)
{
	const struct yard_range *range = yard->deferred_init ? memory_at(yard, pfn) : NULL;
	uint32_t end;

	return range && pfn >= first_deferred(yard, range->node) && next_unreserved(yard, &pfn, pfn + 1, &end);
}

// A whole block of the largest order goes as one, all else frame by frame.
static void release_chunks(struct yard *yard, struct zone *zone, uint32_t pfn, uint32_t end)
{
	while (pfn < end) {
		uint32_t stop = lower(end, (pfn & ~(MAX_BLOCK - 1u)) + MAX_BLOCK);

		if (stop - pfn == MAX_BLOCK) {
			release_chunk(yard, zone, pfn, YARD_MAX_PAGE_ORDER);
			pfn = stop;
		}
		for (; pfn < stop; pfn++)
			release_chunk(yard, zone, pfn, 0);
	}
}

// Releases the zone's RAM in [from, to). Returns how many frames that was.
static uint32_t release_deferred(struct yard *yard, struct zone *zone, uint32_t from, uint32_t to)
{
	uint32_t released = 0;

	for (uint32_t i = 0; i < yard->nr_memory; i++) {
		const struct yard_range *range = &yard->memory[i];
		uint32_t pfn = higher(range->start, from), limit = lower(range->end, to), end;

		if (range->node != zone->node)
			continue;
		for (; next_unreserved(yard, &pfn, limit, &end); pfn = end) {
			release_chunks(yard, zone, pfn, end);
			released += end - pfn;
		}
	}
	return released;
}

bool grow_zone(struct yard *yard, struct zone *zone)
{
	struct node *node = &yard->nodes[zone->node];
	uint32_t seen = first_deferred(yard, zone->node), pfn, released = 0;

	if (likely(seen == PFN_NONE) || seen < zone->boot_start_pfn || seen >= zone->boot_end_pfn)
		return false;
	yard_spin_lock(&node->deferred_lock);
	pfn = first_deferred(yard, zone->node);
	if (pfn != seen) { // another CPU grew it meanwhile
		yard_spin_unlock(&node->deferred_lock);
		return true;
	}
	while (!released && pfn != PFN_NONE) { // a section without free RAM is no growth
		uint64_t next = ((uint64_t)pfn / PAGES_PER_SECTION + 1) * PAGES_PER_SECTION;
		uint32_t to = next < zone->boot_end_pfn ? (uint32_t)next : zone->boot_end_pfn;

		released = release_deferred(yard, zone, pfn, to);
		pfn = to < zone->boot_end_pfn ? to : PFN_NONE;
	}
	atomic_store_explicit(&node->first_deferred_pfn, pfn, memory_order_relaxed);
	yard_spin_unlock(&node->deferred_lock);
	return released != 0;
}

// The recomputation that ends a boot (P5). W1: high watermarks are 0 then; those of the part released first do not count.
static void end_boot(struct yard *yard)
{
	for (unsigned id = 0; id < yard->nr_zones; id++) {
		struct zone *zone = zone_at(yard, id);

		atomic_store_explicit(&zone->boost, 0, memory_order_relaxed);
		zone->wmark[WMARK_HIGH] = 0;
	}
	yard->deferred_init = false;
	setup_watermarks(yard);
}

bool yard_deferred_init(struct yard *yard, unsigned node)
{
	uint32_t first = node < yard->nr_nodes ? first_deferred(yard, node) : PFN_NONE;

	if (first != PFN_NONE) {
		struct zone *zone = highest_zone_of(yard, node);

		release_deferred(yard, zone, first, zone->boot_end_pfn);
		yard->nodes[node].first_deferred_pfn = PFN_NONE;
	}
	for (unsigned n = 0; n < yard->nr_nodes; n++)
		if (first_deferred(yard, n) != PFN_NONE)
			return first != PFN_NONE;
	if (yard->deferred_init)
		end_boot(yard);
	return first != PFN_NONE;
}

// ---- boot reservations (M20) ----

// All of [start, end) is RAM that nothing covers and that is not deferred.
static int check_reserved(const struct yard *yard, uint32_t start, uint32_t end)
{
	for (; start < end; start++) {
		if (!memory_at(yard, start))
			return YARD_ERANGE;
		switch (yard_frame_state(yard, start, NULL, NULL)) {
		case YARD_FRAME_NONE:
			break;
		case YARD_FRAME_BUDDY:
		case YARD_FRAME_PCP:
		case YARD_FRAME_DEFERRED:
			return YARD_EDOUBLEFREE;
		default:
			return YARD_EBUSY;
		}
		if (frame_deferred(yard, start))
			return YARD_EBUSY;
	}
	return YARD_OK;
}

int yard_release_reserved(struct yard *yard, uint32_t start, uint32_t end)
{
	int error;

	if (start >= end)
		return YARD_EINVAL;
	error = check_reserved(yard, start, end);
	if (error)
		return error;
	while (start < end) {
		struct zone *zone = zone_of(yard, start);
		uint32_t stop = lower(lower(end, memory_at(yard, start)->end), zone->end_pfn); // one zone, one node
		unsigned order = YARD_MAX_PAGE_ORDER;

		while (start & ((1u << order) - 1) || 1u << order > stop - start)
			order--;
		zone->managed += 1u << order;
		frame_set_word(yard, start, make_word(YARD_FRAME_ALLOCATED, order, 0));
		yard_free(yard, start, order);
		start += 1u << order;
	}
	return YARD_OK;
}

// ---- memory plugged in (M19) ----

// The index of the offline range that begins at `start`, and in *nr how many of them, all of one node, make up
// [start, end). nr_offline: none do.
static uint32_t find_offline(const struct yard *yard, uint32_t start, uint32_t end, uint32_t *nr)
{
	uint32_t first = 0, i;

	while (first < yard->nr_offline && yard->offline[first].start != start)
		first++;
	for (i = first; i < yard->nr_offline && start < end; i++) {
		if (yard->offline[i].start != start || yard->offline[i].node != yard->offline[first].node)
			break;
		start = yard->offline[i].end;
	}
	*nr = i - first;
	return start == end ? first : yard->nr_offline;
}

// M2: MOVABLE takes any frame, an ordinary zone those between its limits.
static bool zone_may_have(const struct yard *yard, unsigned type, uint32_t start, uint32_t end)
{
	switch (type) {
	case YARD_ZONE_DMA: return end <= yard->dma_end;
	case YARD_ZONE_DMA32: return start >= yard->dma_end && end <= yard->dma32_end;
	case YARD_ZONE_NORMAL: return start >= yard->dma32_end;
	default: return type == YARD_ZONE_MOVABLE;
	}
}

// From `offline` to its place in `memory`.
static void move_range(struct yard *yard, uint32_t index)
{
	struct yard_range range = yard->offline[index];
	uint32_t i;

	for (i = index; i + 1 < yard->nr_offline; i++)
		yard->offline[i] = yard->offline[i + 1];
	yard->nr_offline--;
	for (i = yard->nr_memory; i && yard->memory[i - 1].start > range.start; i--)
		yard->memory[i] = yard->memory[i - 1];
	yard->memory[i] = range;
	yard->nr_memory++;
}

static void extend_zone(struct yard *yard, struct zone *zone, uint32_t start, uint32_t end)
{
	struct node *node = &yard->nodes[zone->node];
	bool populated = zone_populated(zone), first = !node->has_memory;

	zone->start_pfn = populated ? lower(zone->start_pfn, start) : start;
	zone->end_pfn = higher(zone->end_pfn, end);
	zone->present += end - start;
	zone->contiguous = zone->present == zone->end_pfn - zone->start_pfn;
	node->has_memory = true;
	if (first)
		kcompactd_has_memory(yard, zone->node);
	for (uint32_t pfn = start; pfn < end; pfn += YARD_PAGEBLOCK_NR_PAGES) {
		struct pageblock *block = pageblock_of(yard, pfn);

		block->zone = zone->id;
		atomic_store_explicit(&block->bits, YARD_MOVABLE | PB_ISOLATE, memory_order_relaxed);
		zone->nr_isolate_pageblock++;
	}
}

int yard_online_memory(struct yard *yard, uint32_t start, uint32_t end, unsigned zone_type)
{
	uint32_t nr, index = find_offline(yard, start, end, &nr);
	struct zone *zone;
	bool populated;

	if (start >= end || zone_type >= YARD_ZONE_DEVICE)
		return YARD_EINVAL;
	if (index == yard->nr_offline)
		return YARD_ERANGE;
	if (!zone_may_have(yard, zone_type, start, end))
		return YARD_EINVAL;
	if (first_deferred(yard, yard->offline[index].node) != PFN_NONE)
		return YARD_EBUSY;
	zone = zone_at(yard, yard->offline[index].node * YARD_ZONE_TYPES + zone_type);
	populated = zone_populated(zone);
	while (nr--)
		move_range(yard, index);
	extend_zone(yard, zone, start, end);
	release_range(yard, zone, start, end);
	if (!populated)
		build_zonelists(yard, true); // Z4, M10, spec 05 T5
	setup_watermarks(yard);
	return yard_unisolate_range(yard, start, end);
}

// ---- CPUs (P5, P19) ----

static void drain_cpu(struct yard *yard, unsigned cpu)
{
	lru_drain_cpu(yard, cpu); // spec 04 L-12; what its batches free goes to its sets
	for (unsigned id = 0; id < yard->nr_zones; id++) {
		struct zone *zone = zone_at(yard, id);

		if (!zone_populated(zone))
			continue;
		pcp_drain_set(yard, zone, cpu);
		yard_spin_lock(&zone->lock);
		fold_zone_diffs(zone, cpu);
		yard_spin_unlock(&zone->lock);
	}
}

static void update_sets(struct yard *yard)
{
	for (unsigned id = 0; id < yard->nr_zones; id++)
		if (zone_populated(zone_at(yard, id)))
			pcp_update_zone(yard, zone_at(yard, id));
}

int yard_cpu_online(struct yard *yard, unsigned cpu, bool online)
{
	struct node *node;

	if (cpu >= yard->nr_cpus)
		return YARD_ERANGE;
	if (online == (yard->cpu_online[cpu / 64] >> cpu % 64 & 1))
		return YARD_OK;
	if (!online && yard->nr_online_cpus == 1)
		return YARD_EBUSY;
	node = &yard->nodes[yard->cpu_node[cpu]];
	if (online) { // P5: the limits are computed before it is counted, with one more CPU on every node
		yard->cpus_coming = 1;
		update_sets(yard);
		yard->cpus_coming = 0;
		node->nr_cpus++;
		yard->nr_online_cpus++;
	} else {
		node->nr_cpus--;
		yard->nr_online_cpus--;
		drain_cpu(yard, cpu);
		update_sets(yard);
	}
	yard->cpu_online[cpu / 64] ^= 1ull << cpu % 64;
	refresh_stat_thresholds(yard);
	return YARD_OK;
}
