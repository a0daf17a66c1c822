// SPDX-License-Identifier: Apache-2.0
//
// Where reclaim sleeps: because it gets ahead of write-back, isolation or progress (spec 04 C-12), or because the
// reserves run low (D-3).

#include "engine/mm.h"

enum { NSEC_PER_SEC = 1000000000, NSEC_PER_USEC = 1000 };

static uint64_t ticks_ns(const struct yard *yard, uint32_t ticks)
{
	return (uint64_t)ticks * NSEC_PER_SEC / yard->hz;
}

// ---- C-12 ----

static uint64_t throttle_timeout(const struct yard *yard, enum yard_queue_kind reason)
{
	switch (reason) {
	case YARD_QUEUE_WRITEBACK:
		return ticks_ns(yard, yard->hz / 10);
	case YARD_QUEUE_ISOLATED:
		return ticks_ns(yard, yard->hz / 50);
	default:
		return ticks_ns(yard, 1);
	}
}

// Waiting for progress is of no use if there is no write-back to wait for.
static bool skip_throttle(struct yard *yard, unsigned node)
{
	int64_t pending = node_stat(yard, node, YARD_NODE_FILE_DIRTY) + node_stat(yard, node, YARD_NODE_WRITEBACK);
	uint64_t reclaimable = 0;

	if (kswapd_hopeless(yard, node))
		return true;
	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone->managed)
			reclaimable += zone_reclaimable_pages(yard, zone);
	}
	return 2 * (uint64_t)pending <= reclaimable;
}

static bool may_sleep(struct yard *yard, unsigned node, enum yard_queue_kind reason)
{
	unsigned flags = task_flags(yard);

	if (flags & (YARD_TASK_KTHREAD | YARD_TASK_WORKER) && !(flags & YARD_TASK_KSWAPD))
		return false;
	if (reason == YARD_QUEUE_WRITEBACK || reason == YARD_QUEUE_ISOLATED)
		return true;
	return !skip_throttle(yard, node);
}

static void begin_sleep(struct yard *yard, unsigned node, enum yard_queue_kind reason)
{
	struct throttle_queue *queue = &yard->mm[node].throttle[reason];

	if (!atomic_fetch_add_explicit(&queue->sleepers, 1, memory_order_relaxed) && reason == YARD_QUEUE_WRITEBACK)
		atomic_store_explicit(&queue->written_at, (uint64_t)node_stat(yard, node, YARD_NODE_THROTTLED_WRITTEN),
				      memory_order_relaxed);
}

void reclaim_throttle(struct yard *yard, unsigned node, enum yard_queue_kind reason)
{
	struct kswapd *k = &yard->mm[node].kswapd;
	uint64_t timeout = throttle_timeout(yard, reason);

	if (current_task(yard) == &k->task && k->throttled) // a round that began anew finds the same again
		return;
	if (!may_sleep(yard, node, reason)) {
		yard_host_yield(&yard->host);
		return;
	}
	begin_sleep(yard, node, reason);
	if (current_task(yard) == &k->task)
		k->throttled = true;
	else
		reclaim_throttle_end(yard, node, reason, timeout,
				     yard_host_wait(&yard->host, queue_of(node, reason), timeout));
}

void reclaim_throttle_end(struct yard *yard, unsigned node, enum yard_queue_kind reason, uint64_t timeout_ns,
			  uint64_t slept_ns)
{
	atomic_fetch_sub_explicit(&yard->mm[node].throttle[reason].sleepers, 1, memory_order_relaxed);
	TRACE(yard, VMSCAN_THROTTLED, node, (int64_t)(timeout_ns / NSEC_PER_USEC), (int64_t)(slept_ns / NSEC_PER_USEC),
	      1 << reason);
}

void wake_throttled(struct yard *yard, unsigned node, enum yard_queue_kind reason)
{
	if (atomic_load_explicit(&yard->mm[node].throttle[reason].sleepers, memory_order_relaxed))
		yard_host_wake(&yard->host, queue_of(node, reason));
}

void account_writeback_end(struct yard *yard, unsigned node, uint64_t pages)
{
	struct throttle_queue *queue = &yard->mm[node].throttle[YARD_QUEUE_WRITEBACK];
	uint32_t sleepers = atomic_load_explicit(&queue->sleepers, memory_order_relaxed);
	uint64_t written;

	if (!sleepers)
		return;
	mod_node_stat(yard, node, YARD_NODE_THROTTLED_WRITTEN, (int64_t)pages);
	written = (uint64_t)node_stat(yard, node, YARD_NODE_THROTTLED_WRITTEN)
		  - atomic_load_explicit(&queue->written_at, memory_order_relaxed);
	if (written > (uint64_t)CLUSTER_MAX * sleepers)
		yard_host_wake(&yard->host, queue_of(node, YARD_QUEUE_WRITEBACK));
}

// ---- D-3 ----

// Nothing to reclaim in the zone, but something free: it says nothing about the reserves.
static bool zone_says_nothing(struct yard *yard, struct zone *zone)
{
	return !zone_reclaimable_pages(yard, zone) && zone_stat_snapshot(yard, zone, YARD_NR_FREE_PAGES);
}

static bool reserves_ok(struct yard *yard, unsigned node)
{
	uint64_t reserve = 0, free = 0;

	if (kswapd_hopeless(yard, node))
		return true;
	for (unsigned type = 0; type <= YARD_ZONE_NORMAL; type++) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (!zone->managed || zone_says_nothing(yard, zone))
			continue;
		reserve += zone_wmark(zone, WMARK_MIN);
		free += (uint64_t)zone_stat_snapshot(yard, zone, YARD_NR_FREE_PAGES);
	}
	return !reserve || free > reserve / 2;
}

bool allow_direct_reclaim(struct yard *yard, unsigned node)
{
	if (reserves_ok(yard, node))
		return true;
	kswapd_wake_for_reserves(yard, node);
	return false;
}

// The node of the first zone that the request may use up to NORMAL, or -1.
static int node_to_test(const struct yard *yard, const struct alloc_context *ctx)
{
	for (const uint8_t *entry = ctx->zonelist; *entry != ZONE_MIXED; entry++) {
		const struct zone *zone = zone_at(yard, *entry);

		if (zone->type <= YARD_ZONE_NORMAL && zone_eligible(zone, ctx->highest_zone, ctx->nodemask))
			return zone->node;
	}
	return -1;
}

static uint64_t kswapd_work(const struct yard *yard, unsigned node)
{
	return vm_event(yard, YARD_VM_PAGEOUTRUN) + (uint64_t)node_stat(yard, node, YARD_NODE_PGSCAN_KSWAPD);
}

// Until the reserves recover, or a second has passed and `limited` says that this is enough. A kswapd that does nothing
// for a second although it was woken is one that nobody runs: then there is nothing to wait for.
static void sleep_on_reserves(struct yard *yard, unsigned node, bool limited)
{
	uint64_t start = now_ns(yard), done = kswapd_work(yard, node);

	while (!allow_direct_reclaim(yard, node) && !fatal_signal(yard)) {
		uint64_t passed = time_since(now_ns(yard), start);

		if (passed >= NSEC_PER_SEC) {
			if (limited || done == kswapd_work(yard, node))
				return;
			start = now_ns(yard);
			done = kswapd_work(yard, node);
			passed = 0;
		}
		yard_host_wait(&yard->host, queue_of(node, YARD_QUEUE_PFMEMALLOC), NSEC_PER_SEC - passed);
	}
}

bool throttle_direct_reclaim(struct yard *yard, const struct alloc_context *ctx)
{
	unsigned flags = ctx->task | task_flags(yard);
	int node = node_to_test(yard, ctx);

	if (flags & (YARD_TASK_KTHREAD | YARD_TASK_SIGNAL) || node < 0)
		return false;
	if (allow_direct_reclaim(yard, (unsigned)node))
		return false;
	if (!atomic_load_explicit(&yard->nodes[node].has_kswapd, memory_order_relaxed)) // nobody would wake it
		return false;
	count_vm_event(yard, YARD_VM_PGSCAN_DIRECT_THROTTLE, 1);
	sleep_on_reserves(yard, (unsigned)node, !(ctx->gfp & YARD_GFP_FS));
	return fatal_signal(yard);
}
