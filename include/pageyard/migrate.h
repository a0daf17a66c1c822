// SPDX-License-Identifier: Apache-2.0
//
// Pages on the LRU that move to another node because the embedder wants it: NUMA balancing and promotion (spec 05 B9,
// B11), mbind() and migrate_pages() (M24). The owner's callbacks do the moving (pageyard/owner.h), as in compaction.
//
// Any thread. A page is named by the first frame of its block.

#pragma once

#include <pageyard/yard.h>

#ifdef __cplusplus
extern "C" {
#endif

// B9: some zone of the node has more free than its promotion watermark (W13) and max(1 GiB, a sixteenth of the node).
// False for a node outside the yard.
bool yard_promotion_has_room(struct yard *yard, unsigned node);

// B11: moves a page to the node if that costs nobody anything: the target has a zone with the high watermark and the
// page free, its page is taken there without reclaim or reserves, and nothing is waited for. Without room kswapd of the
// node is woken if NUMA balancing is in tiering mode (yard_config.memory_tiering).
// YARD_ENOMEM: no room there. YARD_EBUSY: the page can not be moved now, or is not to be: not on the LRU, pinned, a
// dirty page of a file, an executable one. YARD_ERANGE: frame or node outside the yard; YARD_EINVAL: it is there
// already, or nothing can move (owner.move).
int yard_migrate_misplaced(struct yard *yard, uint32_t pfn, unsigned node);

// M24: moves pages to the node, waiting as long as it takes for those under writeback; destinations are asked for with
// reclaim, on that node only. Returns pages moved; those that could not be stay where they are. Frames that name no
// page on the LRU, and pages that are there already, are passed over; 0 for a node outside the yard and without
// owner.move. Calls sleep.
uint64_t yard_migrate_pages(struct yard *yard, const uint32_t *pfns, size_t nr, unsigned node);

#ifdef __cplusplus
}
#endif
