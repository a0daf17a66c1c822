// SPDX-License-Identifier: Apache-2.0
//
// The background workers as step functions: each call does a bounded piece of work and says what it waits for, so that
// a thread, a coroutine or an event loop can run it.
//
// One caller at a time for each worker of a node. A worker counts as the current task (a kernel thread) during a step.

#pragma once

#include <pageyard/yard.h>

#ifdef __cplusplus
extern "C" {
#endif

enum yard_queue_kind { // wait queues of a node (spec 04 C-12, D-3, K-6; spec 03 C4.1, K2)
	YARD_QUEUE_WRITEBACK,
	YARD_QUEUE_ISOLATED,
	YARD_QUEUE_NOPROGRESS,
	YARD_QUEUE_CONGESTED,
	YARD_QUEUE_PFMEMALLOC,
	YARD_QUEUE_KSWAPD,
	YARD_QUEUE_KCOMPACTD,
	YARD_QUEUE_OOM, // node 0: the reaper, and those who wait for the OOM lock
	YARD_QUEUE_LOCAL_STEP,	  // those who wait for another's step of local-reclaim (spec 05 L5)
	YARD_QUEUE_LOCAL_RECLAIM, // its reclaimers (L4)
	YARD_QUEUES
};
// A queue's number as yard_host_wait() and yard_host_wake() see it: node * YARD_QUEUES + kind.

enum yard_wait_kind {
	YARD_WAIT_NONE,	 // call again at once
	YARD_WAIT_QUEUE, // until the queue is woken or timeout_ns is over (UINT64_MAX: no limit)
};

struct yard_wait {
	enum yard_wait_kind kind;
	unsigned queue;
	uint64_t timeout_ns;
};

// Sleeps as the step asked, at most 100 ms at once (then false, although an unlimited or longer time is not over: call
// the step again, which goes on waiting). True: woken. A host that cannot sleep calls the steps now and then, with
// woken = false: the engine's clock tells them whether their time is over.
bool yard_worker_wait(struct yard *yard, const struct yard_wait *wait);

// kswapd of a node (spec 04 K-5 to K-9): one call runs one priority round, or goes to sleep, or wakes up. `woken`: the
// last wait ended because the queue was woken, not by its time. A call that comes before the time is over, and that
// nobody has asked for, goes on waiting: *wait has the rest. The first call makes it the node's kswapd
// (yard_kswapd_run()). No such node: waits for ever, as the others do.
void yard_kswapd_step(struct yard *yard, unsigned node, bool woken, struct yard_wait *wait);
// Its task, for hosts that give it a pid or tell where it runs (pageyard/pressure.h). NULL: no such node.
struct yard_task *yard_kswapd_task(struct yard *yard, unsigned node);

// kcompactd of a node (spec 03 K2 to K5): one call compacts one zone, or goes to sleep. Without owner.move it waits for
// ever.
void yard_kcompactd_step(struct yard *yard, unsigned node, bool woken, struct yard_wait *wait);
struct yard_task *yard_kcompactd_task(struct yard *yard, unsigned node); // as yard_kswapd_task()
int yard_set_compaction_proactiveness(struct yard *yard, unsigned percent); // 0..100 (K2, K3), YARD_EINVAL otherwise
// K7: compacts all of a node, on the calling thread; -1: all nodes. YARD_ERANGE: no such node; YARD_EBUSY: a fatal
// signal stopped it; YARD_EINVAL: nothing can move (owner.move).
int yard_compact_node(struct yard *yard, int node);

// The OOM reaper (spec 02 OOM-9): one try for one victim. One caller at a time. Without it the first victim is waited
// for.
void yard_oom_reaper_step(struct yard *yard, bool woken, struct yard_wait *wait);

// `memory.reclaim` of the root group (spec 04 P-1 to P-4, spec 05 R1): reclaims that many bytes, rounded down to pages,
// from all nodes, the nearest to the calling CPU first. `text` is what is written to the file: "SIZE[K|M|G|T|P|E]
// [swappiness=0..200|max]" (max: anonymous pages only). On the calling thread, which holds no lock; unlike
// yard_node_reclaim_write() it takes no node's lock and asks no threshold. Neither a memory stall nor an allocation
// stall; its pages count as pgscan_proactive and pgsteal_proactive. YARD_EINVAL: other text or NULL; YARD_EBUSY: a
// fatal signal is pending; YARD_ENOMEM (EAGAIN): gave up in the 17th round without a page, before which it drained the
// LRU batches of all CPUs. *reclaimed, which may be NULL: the pages that it got even so, at most one round more than
// asked for.
int yard_memory_reclaim_write(struct yard *yard, const char *text, uint64_t *reclaimed);
// The node's `reclaim` file (spec 04 P-1, P-2): text as written to it, e.g. "64M swappiness=60". YARD_ERANGE: no such
// node; YARD_EINVAL: other text or NULL; YARD_EBUSY: node reclaim runs already, or a fatal signal is pending;
// YARD_ENOMEM (EAGAIN): gave up after 16 rounds without a page. *reclaimed, which may be NULL: the pages that it got
// even so.
int yard_node_reclaim_write(struct yard *yard, unsigned node, const char *text, uint64_t *reclaimed);
void yard_set_zone_reclaim_mode(struct yard *yard, uint32_t mode); // N-1. Quiescent
// P-8: numa/demotion_enabled. Turning it on gives every hopeless kswapd another chance (K-15).
void yard_set_demotion(struct yard *yard, bool on);

// Memory tiers (spec 05 D1): what yard_config.node_tier is made of.
enum { YARD_DRAM_DISTANCE = 576, YARD_TIER_DISTANCES = 128 }; // tier = abstract distance / 128: 4 for DRAM
struct yard_node_performance { // as seen from the nearest CPUs; any units, the same for all nodes
	uint32_t read_latency, write_latency, read_bandwidth, write_bandwidth;
};
// The abstract distance of a node, larger is slower. That of DRAM if anything that it needs is 0 (unknown).
uint64_t yard_abstract_distance(const struct yard_node_performance *node, const struct yard_node_performance *dram);
// Ranks the tiers of `nr` nodes (at most YARD_NODES_MAX): node_tier[n] is 0 for those of the fastest tier, and so on.
void yard_rank_tiers(const uint64_t *distance, unsigned nr, uint8_t *node_tier);
// D2: is the node in the slowest tier that has online CPUs, or in a faster one? Pages are promoted from others only.
bool yard_is_top_tier(const struct yard *yard, unsigned node);

#ifdef __cplusplus
}
#endif
