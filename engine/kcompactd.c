// SPDX-License-Identifier: Apache-2.0
//
// Background compaction (spec 03 section 3.8, spec 02 section 3.4): kcompactd of a node as a state machine, on demand
// and on its own, and compaction of a node by hand.

#include "engine/list.h"
#include "engine/mm.h"

enum { CHECK_MS = 500, IDLE_SHIFT = 6 }; // FRAG_MS; after a run that gained nothing: 32 s

enum kcompactd_state { KCOMPACTD_NEW, KCOMPACTD_WAITS, KCOMPACTD_ON_DEMAND, KCOMPACTD_PROACTIVE };

// ---- the node (K3, K4) ----

static unsigned proactiveness(const struct yard *yard)
{
	return atomic_load_explicit(&yard->compaction_proactiveness, memory_order_relaxed);
}

unsigned compact_zone_score(const struct zone *zone)
{
	return extfrag_for_order(zone, COMPACTION_HPAGE_ORDER);
}

unsigned compact_score_mark(const struct yard *yard, bool high)
{
	unsigned low = 100 - proactiveness(yard);

	return high ? (unsigned)min64(low + min64(10, low / 2), 100) : low;
}

static uint64_t node_present(const struct yard *yard, unsigned node)
{
	uint64_t present = 0;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++)
		present += zone_at(yard, node * YARD_ZONE_TYPES + type)->present;
	return present;
}

static uint64_t node_score(const struct yard *yard, unsigned node)
{
	uint64_t score = 0, present = node_present(yard, node);

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone_populated(zone))
			score += (uint64_t)zone->present * compact_zone_score(zone) / (present + 1);
	}
	return score;
}

bool compact_node_fragmented(const struct yard *yard, unsigned node)
{
	return proactiveness(yard) && !atomic_load_explicit(&yard->nodes[node].kswapd_awake, memory_order_relaxed)
	       && node_score(yard, node) > compact_score_mark(yard, true);
}

static unsigned top_zone(const struct yard *yard, unsigned node) // nr_zones - 1
{
	unsigned type = YARD_ZONE_TYPES - 1;

	while (type && !zone_populated(zone_at(yard, node * YARD_ZONE_TYPES + type)))
		type--;
	return type;
}

unsigned kcompactd_flags(const struct yard *yard) // KC-1
{
	return compact_counts_blocks(yard) || yard->policy.kcompactd_high_always ? ALLOC_WMARK_HIGH : ALLOC_WMARK_MIN;
}

static bool zone_suitable(struct yard *yard, struct zone *zone, unsigned order, unsigned highest_zone)
{
	return compaction_suit_allocation_order(yard, zone, order, highest_zone, kcompactd_flags(yard), false, true)
	       == COMPACT_CONTINUE;
}

static bool node_suitable(struct yard *yard, unsigned node)
{
	struct kcompactd *k = &yard->mm[node].kcompactd;
	unsigned order = atomic_load_explicit(&k->max_order, memory_order_relaxed);
	unsigned highest = atomic_load_explicit(&k->highest_zone, memory_order_relaxed);

	for (unsigned type = 0; type <= highest; type++) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone_populated(zone) && zone_suitable(yard, zone, order, highest))
			return true;
	}
	return false;
}

void kcompactd_has_memory(struct yard *yard, unsigned node)
{
	atomic_store(&yard->mm[node].kcompactd.highest_zone, top_zone(yard, node));
}

void setup_kcompactd(struct yard *yard)
{
	for (unsigned node = 0; node < yard->nr_nodes; node++)
		kcompactd_has_memory(yard, node);
}

// ---- waking (K1) ----

static void raise(_Atomic uint32_t *value, uint32_t to)
{
	uint32_t old = atomic_load(value);

	while (old < to && !atomic_compare_exchange_weak(value, &old, to))
		;
}

static void lower(_Atomic uint32_t *value, uint32_t to)
{
	uint32_t old = atomic_load(value);

	while (old > to && !atomic_compare_exchange_weak(value, &old, to))
		;
}

static void wake(struct yard *yard, unsigned node, uint8_t order, unsigned highest_zone)
{
	EMIT(yard, .kind = YARD_EVENT_WAKEUP_KCOMPACTD, .order = order, .zone = (uint8_t)(node * YARD_ZONE_TYPES),
	     .a = (int32_t)highest_zone);
	yard_host_wake(&yard->host, queue_of(node, YARD_QUEUE_KCOMPACTD));
}

void wakeup_kcompactd(struct yard *yard, unsigned node, unsigned order, unsigned highest_zone)
{
	struct kcompactd *k = &yard->mm[node].kcompactd;

	if (!order)
		return;
	raise(&k->max_order, order);
	lower(&k->highest_zone, highest_zone);
	// Pairs with go_to_sleep(): either it sees the order, or this sees that it sleeps.
	if (!atomic_load(&k->asleep) || !node_suitable(yard, node))
		return;
	if (atomic_exchange(&k->asleep, false)) // else another thread has just woken it
		wake(yard, node, (uint8_t)order, highest_zone);
}

int yard_set_compaction_proactiveness(struct yard *yard, unsigned percent)
{
	if (percent > 100)
		return YARD_EINVAL;
	atomic_store_explicit(&yard->compaction_proactiveness, percent, memory_order_relaxed);
	for (unsigned node = 0; percent && node < yard->nr_nodes; node++) {
		struct kcompactd *k = &yard->mm[node].kcompactd;

		if (!yard->owner.move || !yard->nodes[node].has_memory)
			continue;
		atomic_store(&k->proactive_trigger, true);
		atomic_store(&k->asleep, false);
		wake(yard, node, UINT8_MAX, top_zone(yard, node)); // order -1
	}
	return YARD_OK;
}

// ---- runs ----

// C1.1. The control lives as long as the run: some of it is carried from zone to zone (C1.2).
static void begin_on_demand(struct yard *yard, unsigned node) // K5
{
	struct kcompactd *k = &yard->mm[node].kcompactd;
	unsigned order = atomic_load(&k->max_order), highest = atomic_load(&k->highest_zone);

	TRACE(yard, KCOMPACTD_WAKE, node, order, highest);
	count_vm_event(yard, YARD_VM_COMPACT_DAEMON_WAKE, 1);
	k->cc = (struct compact_control){
		.order = (int)order, .search_order = (int)order, .mode = YARD_MIGRATE_SYNC_LIGHT,
		.gfp = YARD_GFP_KERNEL, .alloc_flags = kcompactd_flags(yard), .highest_zone = highest,
	};
	k->zone = 0;
	k->state = KCOMPACTD_ON_DEMAND;
}

static void begin_proactive(struct yard *yard, unsigned node) // K2
{
	struct kcompactd *k = &yard->mm[node].kcompactd;

	k->score = node_score(yard, node);
	k->cc = (struct compact_control){
		.order = -1, .mode = YARD_MIGRATE_SYNC_LIGHT, .gfp = YARD_GFP_KERNEL, .whole_zone = true,
		.ignore_skip_hint = true, .proactive_compaction = true,
	};
	k->zone = 0;
	k->state = KCOMPACTD_PROACTIVE;
}

static enum compact_result compact_as_daemon(struct yard *yard, struct kcompactd *k, struct zone *zone)
{
	enum compact_result result;

	k->cc.zone = zone;
	k->cc.total_migrate_scanned = k->cc.total_free_scanned = 0;
	result = compact_zone(yard, &k->cc);
	count_vm_event(yard, YARD_VM_COMPACT_DAEMON_MIGRATE_SCANNED, k->cc.total_migrate_scanned);
	count_vm_event(yard, YARD_VM_COMPACT_DAEMON_FREE_SCANNED, k->cc.total_free_scanned);
	return result;
}

static void compact_on_demand(struct yard *yard, struct kcompactd *k, struct zone *zone)
{
	enum compact_result result = compact_as_daemon(yard, k, zone);

	if (result == COMPACT_SUCCESS) {
		compaction_defer_reset(yard, zone, k->cc.order, false);
	} else if (result == COMPACT_COMPLETE || result == COMPACT_PARTIAL_SKIPPED) {
		yard_drain_all(yard, zone->id); // C6.8
		defer_compaction(yard, zone, k->cc.order);
	}
}

static bool next_on_demand(struct yard *yard, unsigned node) // false: no zone is left
{
	struct kcompactd *k = &yard->mm[node].kcompactd;

	while (k->zone <= k->cc.highest_zone) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + k->zone++);

		if (!zone_populated(zone) || compaction_deferred(yard, zone, k->cc.order)
		    || !zone_suitable(yard, zone, (unsigned)k->cc.order, zone->type))
			continue;
		compact_on_demand(yard, k, zone);
		return true;
	}
	return false;
}

static bool next_proactive(struct yard *yard, unsigned node)
{
	struct kcompactd *k = &yard->mm[node].kcompactd;

	while (k->zone < YARD_ZONE_TYPES) {
		struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + k->zone++);

		if (!zone_populated(zone))
			continue;
		compact_as_daemon(yard, k, zone);
		return true;
	}
	return false;
}

// What was asked for in the meantime stays.
static void end_on_demand(struct yard *yard, unsigned node)
{
	struct kcompactd *k = &yard->mm[node].kcompactd;
	uint32_t order = atomic_load(&k->max_order), highest = atomic_load(&k->highest_zone);

	while (order <= (unsigned)k->cc.order && !atomic_compare_exchange_weak(&k->max_order, &order, 0))
		;
	while (highest >= k->cc.highest_zone
	       && !atomic_compare_exchange_weak(&k->highest_zone, &highest, top_zone(yard, node)))
		;
	k->timeout_ns = (uint64_t)CHECK_MS * NSEC_PER_MSEC;
}

static void end_proactive(struct yard *yard, unsigned node)
{
	struct kcompactd *k = &yard->mm[node].kcompactd;

	k->timeout_ns = (uint64_t)CHECK_MS * NSEC_PER_MSEC;
	if (node_score(yard, node) >= k->score)
		k->timeout_ns <<= IDLE_SHIFT;
	atomic_store(&k->proactive_trigger, false);
}

// ---- sleeping (K2) ----

static bool asked(struct kcompactd *k)
{
	return atomic_load(&k->max_order) || atomic_load(&k->proactive_trigger);
}

static void wait_for_rest(struct yard *yard, unsigned node, struct yard_wait *wait)
{
	uint64_t until = yard->mm[node].kcompactd.sleep_until, now = now_ns(yard);

	*wait = (struct yard_wait){ .kind = YARD_WAIT_QUEUE, .queue = queue_of(node, YARD_QUEUE_KCOMPACTD) };
	wait->timeout_ns = until == UINT64_MAX ? UINT64_MAX : until > now ? until - now : 0;
}

static void go_to_sleep(struct yard *yard, unsigned node, struct yard_wait *wait)
{
	struct kcompactd *k = &yard->mm[node].kcompactd;

	TRACE(yard, KCOMPACTD_SLEEP, node);
	k->sleep_until = proactiveness(yard) ? now_ns(yard) + k->timeout_ns : UINT64_MAX;
	k->state = KCOMPACTD_WAITS;
	atomic_store(&k->asleep, true);
	if (asked(k))
		atomic_store(&k->asleep, false);
	else
		wait_for_rest(yard, node, wait);
}

// ---- the step ----

static void start(struct yard *yard, unsigned node)
{
	static const char name[] = "kcompactd";
	struct kcompactd *k = &yard->mm[node].kcompactd;
	unsigned at = sizeof(name) - 1;

	__builtin_memcpy(k->task.comm, name, at);
	if (node >= 10)
		k->task.comm[at++] = (char)('0' + node / 10);
	k->task.comm[at++] = (char)('0' + node % 10);
	k->task.comm[at] = '\0';
	atomic_store_explicit(&k->task.flags, YARD_TASK_KTHREAD, memory_order_relaxed);
	k->timeout_ns = (uint64_t)CHECK_MS * NSEC_PER_MSEC;
}

// Only a wake-up or the time ends its sleep: what K1 has recorded without one waits. False: it sleeps on.
static bool wake_up(struct yard *yard, unsigned node, struct yard_wait *wait)
{
	struct kcompactd *k = &yard->mm[node].kcompactd;

	if (atomic_load(&k->asleep) && now_ns(yard) < k->sleep_until) {
		wait_for_rest(yard, node, wait);
		return false;
	}
	atomic_store(&k->asleep, false);
	if (atomic_load(&k->max_order) && !atomic_load(&k->proactive_trigger)) {
		begin_on_demand(yard, node);
		return true;
	}
	k->timeout_ns = (uint64_t)CHECK_MS * NSEC_PER_MSEC;
	if (compact_node_fragmented(yard, node)) {
		begin_proactive(yard, node);
		return true;
	}
	atomic_store(&k->proactive_trigger, false);
	go_to_sleep(yard, node, wait);
	return false;
}

static void work(struct yard *yard, unsigned node, struct yard_wait *wait)
{
	struct kcompactd *k = &yard->mm[node].kcompactd;
	bool more;

	if (k->state == KCOMPACTD_PROACTIVE) {
		more = next_proactive(yard, node);
		if (!more)
			end_proactive(yard, node);
	} else {
		memstall_enter(yard); // K5a
		more = next_on_demand(yard, node);
		memstall_leave(yard);
		if (!more)
			end_on_demand(yard, node);
	}
	if (!more)
		go_to_sleep(yard, node, wait);
}

void yard_kcompactd_step(struct yard *yard, unsigned node, bool woken, struct yard_wait *wait)
{
	struct yard_task *previous;
	struct kcompactd *k;

	(void)woken; // it looks for itself
	*wait = (struct yard_wait){ .kind = YARD_WAIT_QUEUE, .timeout_ns = UINT64_MAX };
	if (node >= yard->nr_nodes || !yard->owner.move)
		return;
	*wait = (struct yard_wait){ .kind = YARD_WAIT_NONE };
	k = &yard->mm[node].kcompactd;
	previous = yard_set_current(yard, &k->task);
	if (k->state == KCOMPACTD_NEW) {
		start(yard, node);
		go_to_sleep(yard, node, wait);
	} else if (k->state != KCOMPACTD_WAITS || wake_up(yard, node, wait)) {
		work(yard, node, wait);
	}
	yard_set_current(yard, previous);
}

struct yard_task *yard_kcompactd_task(struct yard *yard, unsigned node)
{
	return node < yard->nr_nodes ? &yard->mm[node].kcompactd.task : NULL;
}

// ---- by hand (K7) ----

static int compact_node(struct yard *yard, unsigned node)
{
	struct compact_control cc = {
		.order = -1, .mode = YARD_MIGRATE_SYNC, .gfp = YARD_GFP_KERNEL, .whole_zone = true,
		.ignore_skip_hint = true,
	};

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
		cc.zone = zone_at(yard, node * YARD_ZONE_TYPES + type);
		if (!zone_populated(cc.zone))
			continue;
		if (fatal_signal(yard))
			return YARD_EBUSY;
		compact_zone(yard, &cc);
	}
	return YARD_OK;
}

int yard_compact_node(struct yard *yard, int node)
{
	struct yard_task nobody = { .pid = 0 }, *task = current_task(yard);
	int error = YARD_OK;

	if (node < -1 || node >= (int)yard->nr_nodes)
		return YARD_ERANGE;
	if (!yard->owner.move)
		return YARD_EINVAL;
	if (!task) // the owner's callbacks run with PF_MEMALLOC
		yard_set_current(yard, &nobody);
	lru_drain_all(yard);
	for (unsigned n = 0; !error && n < yard->nr_nodes; n++)
		if (node < 0 || n == (unsigned)node)
			error = compact_node(yard, n);
	yard_set_current(yard, task);
	return error;
}
