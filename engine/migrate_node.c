// SPDX-License-Identifier: Apache-2.0
//
// Moving pages to a chosen node: NUMA balancing and promotion (spec 05 B9, B11), mbind() and migrate_pages() (M24).

#include <pageyard/migrate.h>

#include "engine/mm.h"

enum { GIB_PAGES = 1 << 18 };

struct destination {
	uint32_t gfp;
	unsigned node;
};

static uint32_t get_page(struct yard *yard, void *context, uint32_t from, unsigned order)
{
	const struct destination *to = context;
	struct yard_request request = { .gfp = to->gfp, .order = (uint8_t)order, .node = (int16_t)to->node };
	struct yard_result result;

	(void)from;
	return yard_alloc_request(yard, &request, &result) == YARD_OK ? result.pfn : PFN_NONE;
}

uint64_t migrate_to_node(struct yard *yard, struct list *list, unsigned node, uint32_t gfp, enum yard_migrate_mode mode,
			 enum migrate_reason reason)
{
	struct destination to = { .gfp = gfp | YARD_GFP_THISNODE, .node = node };
	const struct migrate_target target = { .get = get_page, .context = &to };
	uint64_t moved = 0;

	if (list_empty(list))
		return 0;
	migrate_pages(yard, list, &target, mode, reason, &moved);
	putback_movable_pages(yard, list);
	return moved;
}

// ---- room ----

// Any zone of the node with so many pages free beyond the mark, and what is reserved for requests that need the zone.
static bool zone_with_room(struct yard *yard, unsigned node, enum wmark wmark, uint64_t pages)
{
	for (unsigned type = YARD_ZONE_TYPES; type--;) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone->managed
		    && watermark_ok(yard, zone, 0, zone_wmark(zone, wmark) + pages, YARD_ZONE_TYPES - 1, 0,
				    zone_stat(zone, YARD_NR_FREE_PAGES)))
			return true;
	}
	return false;
}

bool yard_promotion_has_room(struct yard *yard, unsigned node)
{
	uint64_t share;

	if (node >= yard->nr_nodes)
		return false;
	share = node_managed_pages(yard, node) / 16;
	return zone_with_room(yard, node, WMARK_PROMO, share > GIB_PAGES ? share : GIB_PAGES);
}

// The highest zone that a migration target may lie in.
static void wake_kswapd(struct yard *yard, unsigned node, unsigned order)
{
	for (unsigned type = YARD_ZONE_TYPES; type--;) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone->managed) {
			wakeup_kswapd(yard, zone, 0, order, type);
			return;
		}
	}
}

// ---- one page ----

static bool may_follow(const struct yard *yard, uint32_t pfn) // B11
{
	enum yard_mapping mapping;
	uint32_t flags;
	bool lru;

	if (yard_lru_get(yard, pfn, &flags, &mapping, &lru) != YARD_OK || !lru || flags & YARD_PAGE_PINNED)
		return false;
	return flags & YARD_PAGE_SWAPBACKED || (mapping != YARD_MAPPED_EXEC && !(flags & YARD_PAGE_DIRTY));
}

int yard_migrate_misplaced(struct yard *yard, uint32_t pfn, unsigned node)
{
	const uint32_t gfp = (YARD_GFP_HIGHUSER_MOVABLE & ~(uint32_t)YARD_GFP_NOIO) | YARD_GFP_NOMEMALLOC
			     | YARD_GFP_NORETRY | YARD_GFP_NOWARN;
	struct list list;
	unsigned order;

	if (node >= yard->nr_nodes || !in_yard(yard, pfn))
		return YARD_ERANGE;
	if (node_of(yard, pfn) == node || !yard->owner.move)
		return YARD_EINVAL;
	if (!may_follow(yard, pfn))
		return YARD_EBUSY;
	order = word_order(frame_word(yard, pfn));
	if (!zone_with_room(yard, node, WMARK_HIGH, 1ull << order)) {
		if (yard->memory_tiering)
			wake_kswapd(yard, node, order);
		return YARD_ENOMEM;
	}
	if (!lru_isolate(yard, pfn))
		return YARD_EBUSY;
	list_init(&list);
	list_add_head(yard, &list, pfn);
	return migrate_to_node(yard, &list, node, gfp, YARD_MIGRATE_ASYNC, MR_NUMA_MISPLACED) ? YARD_OK : YARD_EBUSY;
}

// ---- many ----

static bool can_go(const struct yard *yard, uint32_t pfn, unsigned node)
{
	enum yard_mapping mapping;
	uint32_t flags;
	bool lru;

	return yard_lru_get(yard, pfn, &flags, &mapping, &lru) == YARD_OK && lru && node_of(yard, pfn) != node;
}

uint64_t yard_migrate_pages(struct yard *yard, const uint32_t *pfns, size_t nr, unsigned node)
{
	struct list list;

	if (node >= yard->nr_nodes || !yard->owner.move)
		return 0;
	lru_drain_all(yard); // pages that wait in a batch cannot be isolated
	list_init(&list);
	for (size_t i = 0; i < nr; i++)
		if (can_go(yard, pfns[i], node) && lru_isolate(yard, pfns[i]))
			list_add_tail(yard, &list, pfns[i]);
	return migrate_to_node(yard, &list, node, YARD_GFP_HIGHUSER_MOVABLE, YARD_MIGRATE_SYNC, MR_MEMPOLICY_MBIND);
}
