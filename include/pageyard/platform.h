// SPDX-License-Identifier: Apache-2.0
//
// The platform contract: what the engine needs of the world that it runs in, chosen at compile time.
//
// A platform is a folder with one header, `yard_platform.h`, found through the include path. It defines, inline:
//
//   struct yard_host                      the platform's own state, first member of every yard; starts zeroed
//   void yard_host_init(struct yard_host *, unsigned nr_cpus)
//   unsigned yard_host_cpu(const struct yard_host *)     current CPU, < nr_cpus; may change at any time
//   unsigned yard_host_enter_cpu(struct yard_host *, unsigned cpu)   work on behalf of `cpu` begins; returns what to
//                                         enter when it ends. Threads stay where they are
//   yard_spinlock                         a lock; zeroed memory is an open lock
//   void yard_spin_lock(yard_spinlock *), bool yard_spin_trylock(yard_spinlock *),
//   void yard_spin_unlock(yard_spinlock *)
//   bool yard_pcp_trylock(struct yard_host *, yard_spinlock *)   for a per-CPU set: may refuse (P9, N1)
//   bool yard_zone_trylock(struct yard_host *, yard_spinlock *)  for a zone, on behalf of a NOLOCK caller (G9, B14)
//                                         or of compaction, which notes that it is contended (spec 03 C4.4)
//   bool yard_lru_trylock(struct yard_host *, yard_spinlock *)   for the LRU of a node, on behalf of compaction
//   bool yard_drain_interrupted(struct yard_host *, unsigned zone, unsigned pindex, int32_t to_free)   between two
//                                         portions of a drain (P10.5), no lock held: true if the task loses its
//                                         CPU here and the host will finish the drain later (N1)
//   struct yard_task **yard_host_current(struct yard_host *)   where the current task is noted (pageyard/task.h); of
//                                         the calling thread
//   uint64_t yard_host_now(struct yard_host *)      nanoseconds of a clock that never goes back for a
//                                         task; those of two CPUs may differ a little
//   uint64_t yard_host_wait(struct yard_host *, unsigned queue, uint64_t timeout_ns)   no lock held: sleeps until the
//                                         queue (pageyard/worker.h) is woken or the time is over; returns how long
//                                         it slept. May return early for no reason
//   void yard_host_wake(struct yard_host *, unsigned queue)    wakes all who sleep on the queue
//   void yard_host_yield(struct yard_host *)        no lock held: others may run (cond_resched)
//   void yard_host_charge(struct yard_host *, enum yard_cost, uint64_t n)   n such operations were done: virtual time
//   void yard_panic(const char *what, uint64_t value)    a broken invariant: report and stop; does not return
//
// sim: one thread, locks are flags that a test may hold on purpose. posix: real threads. bare: no libc, one CPU.
// Lock order, outermost first: per-CPU set, zone. Never two of a kind.

#pragma once

#ifdef __cplusplus
extern "C" {
#endif

enum yard_cost { // spec 03 M8, spec 04 A-7: what a simulated host charges for
	YARD_COST_SCAN_FRAME,  // a scanner of compaction, or aging, looks at a frame
	YARD_COST_LRU_PAGE,    // a page leaves or joins an LRU list
	YARD_COST_FREE_CHUNK,  // a chunk is taken off a free list for compaction
	YARD_COST_UNMAP,       // a mapping is replaced
	YARD_COST_TLB_FLUSH,   // once for each batch
	YARD_COST_COPY_PAGE,   // 4 KiB
	YARD_COST_REMAP,       // a page's references point to its new place
	YARD_COST_SCAN_PAGE,   // reclaim decides about a page
	YARD_COST_RECLAIM_PAGE, // a page is freed by reclaim, large or not
	YARD_COST_RECLAIM_TAIL, // ... each further page of a large one
	YARD_COST_SLAB_OBJECT, // a shrinker scans an object
	YARD_COST_PCP_BATCH,   // a per-CPU set is refilled or drained, under the zone's lock
	YARD_COST_PCP_PAGE,    // ... each block that it gets or gives, besides YARD_COST_SPLIT
	YARD_COST_ZONE_LOCKED, // a block is taken or given under the zone's lock, past the set
	YARD_COST_SPLIT,       // a block is halved, or merged with its buddy
	YARD_COST_CLAIM,       // a pageblock is counted, and its free blocks change their lists
	YARD_COST_ZONE_CHECK,  // a zone of the zonelist gives nothing
	YARD_COST_SKIP_BLOCK,  // compaction leaves out a pageblock
	YARD_COST_DIRECT_RECLAIM, // once for each call of direct reclaim, of node reclaim if it finds something to scan
	YARD_COST_NODE_RECLAIM,	  // once for each call of node reclaim
	YARD_COST_LRU_ISOLATE, // reclaim looks at a page at a list's end, besides YARD_COST_LRU_PAGE
	YARD_COSTS
};

#ifdef __cplusplus
}
#endif
