// SPDX-License-Identifier: Apache-2.0
//
// The engine charges for its steps (enum yard_cost, pageyard/platform.h), the simulator's parts for theirs. The rules
// of spec 05 give whole operations; so that nothing counts twice, they are put together like this (defaults, ns):
//
//   X2 alloc, set hit         35 = alloc. sim_alloc() charges it, for the orders that sets keep
//   X3 free to a set          25 = free. sim_free(); pages that reclaim or compaction frees are in X15 and X21
//   X4 refill or drain         40 a page = pcp_page, of which split is charged where a block is halved or merged, on
//                             average once a page; 150 a batch = pcp_batch. Under the zone's lock
//   X5 past the sets          150 = zone_locked each way, instead of alloc and free; splits and merges (X6) besides
//   X7 claim                  2500 = claim, whether the pageblock turns out to be worth it or not
//   X8 zone step                8 = zone_check for each zone that gives nothing; that of the zone that does is in X2
//   X14 scan without effect   120 = scan_page; 180 = 120 + 2 lru_page when the page goes back to a list
//   X15 reclaim, clean file   600 = 2 lru_page (isolated; under the LRU's lock) + 120 scan_page + 420 reclaim_page; its
//                             share of the drain of the set that it is freed to (X4) comes on top
//   X16 direct reclaim       3000 = direct_reclaim once a call. 100 = node_reclaim is what a call costs that may not reclaim
//                             anything (Z9): 359 ms of stalls in 362,881 calls on an emulator some ten times slower
//   X17 unmap                 180 = unmap a page that is mapped; X18, X19: tlb_flush once a batch
//   X21 move                 1240 = 180 unmap + 400 copy_page + 660 remap; isolating it and its destination, the flush
//                             of its batch and the LRU come on top, about a tenth
//   X23 compaction's scanners   9 = scan_frame a frame, 24 = free_chunk a chunk that is taken, under the zone's lock
//   X24 skipped pageblock      15 = skip_block
//   X35 locks                 time passes while a lock is held by what is charged meanwhile; lock_handover (X32) when
//                             it has to be waited for
//
// The other costs are charged by the simulator's part that their text names.

#include "sim/costs.h"

const struct cost_item cost_items[COSTS] = {
#define X(enumerator, name, ns, low, high, dominates, grade, rule, text)                                               \
	[COST_##enumerator] = {name, ns, low, high, dominates, grade, rule, text},
	COSTS_TABLE(X)
#undef X
};
