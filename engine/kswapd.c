// SPDX-License-Identifier: Apache-2.0
//
// kswapd (spec 04 section 4, spec 02 3.3): its thread as a state machine. One step runs one round of reclaim or decides
// about sleeping; waking it and giving up on it are in kswapd_wake.c.

#include "engine/mm.h"

enum { TENTH_NS = 100 * NSEC_PER_MSEC }; // HZ/10: the nap of K-6 and the WRITEBACK throttle of C-12

enum kswapd_state {
	KSWAPD_LOOK,   // K-5.1: what has been asked
	KSWAPD_SETTLE, // K-6.1: on the wait queue
	KSWAPD_NAP,    // ... for 100 ms
	KSWAPD_SLEEP,  // K-6.2
	KSWAPD_RUN,    // K-8
};

static uint8_t asked_highest(const struct kswapd *k) // K-5: what was recorded, or the previous one
{
	uint32_t highest = atomic_load_explicit(&k->highest_zone, memory_order_relaxed);

	return highest < YARD_ZONE_TYPES ? (uint8_t)highest : k->highest;
}

static void name_task(struct yard_task *task, unsigned node)
{
	static const char name[] = "kswapd";
	unsigned at = sizeof(name) - 1;

	__builtin_memcpy(task->comm, name, sizeof(name));
	if (node >= 10)
		task->comm[at++] = (char)('0' + node / 10);
	task->comm[at] = (char)('0' + node % 10);
}

void setup_kswapd(struct yard *yard)
{
	for (unsigned node = 0; node < yard->nr_nodes; node++) {
		struct kswapd *k = &yard->mm[node].kswapd;

		name_task(&k->task, node);
		atomic_store_explicit(&k->task.flags, YARD_TASK_MEMALLOC | YARD_TASK_KSWAPD | YARD_TASK_KTHREAD,
				      memory_order_relaxed);
		atomic_store_explicit(&k->highest_zone, YARD_ZONE_TYPES, memory_order_relaxed);
		k->highest = YARD_ZONE_TYPES - 1;
	}
}

struct yard_task *yard_kswapd_task(struct yard *yard, unsigned node)
{
	return node < yard->nr_nodes ? &yard->mm[node].kswapd.task : NULL;
}

static bool is_awake(const struct yard *yard, unsigned node)
{
	return atomic_load_explicit(&yard->nodes[node].kswapd_awake, memory_order_relaxed);
}

static void wait_for(struct yard *yard, unsigned node, enum yard_queue_kind queue, uint64_t ns, struct yard_wait *wait)
{
	struct kswapd *k = &yard->mm[node].kswapd;

	k->waiting = true;
	k->wait_start = now_ns(yard);
	k->wait_end = ns == UINT64_MAX ? ns : k->wait_start + ns;
	*wait = (struct yard_wait){ .kind = YARD_WAIT_QUEUE, .queue = queue_of(node, queue), .timeout_ns = ns };
}

// ---- sleeping ----

static bool ready_to_sleep(struct yard *yard, unsigned node, unsigned order, unsigned highest) // K-7
{
	yard_host_wake(&yard->host, queue_of(node, YARD_QUEUE_PFMEMALLOC));
	if (kswapd_hopeless(yard, node))
		return true;
	if (!node_balanced(yard, node, order, highest))
		return false;
	atomic_fetch_and_explicit(&yard->mm[node].flags, ~(uint32_t)(NODE_CONGESTED | NODE_WRITEBACK),
				  memory_order_relaxed);
	return true;
}

static void begin_run(struct yard *yard, unsigned node);

static void go_on(struct yard *yard, unsigned node, enum yard_vm_event why) // K-6.3
{
	count_vm_event(yard, why, 1);
	yard_kswapd_awake(yard, node, true);
	begin_run(yard, node);
}

static void settle(struct yard *yard, unsigned node, struct yard_wait *wait) // K-6.1
{
	struct kswapd *k = &yard->mm[node].kswapd;

	yard_kswapd_awake(yard, node, false);
	if (!ready_to_sleep(yard, node, k->reclaim_order, k->highest)) {
		go_on(yard, node, YARD_VM_KSWAPD_HIGH_WMARK_HIT_QUICKLY);
		return;
	}
	reset_isolation_suitable(yard, node);
	if (yard->owner.move)
		wakeup_kcompactd(yard, node, k->alloc_order, k->highest);
	k->state = KSWAPD_NAP;
	wait_for(yard, node, YARD_QUEUE_KSWAPD, TENTH_NS, wait);
}

// K-6.1: cut short, it takes up again what it went to sleep for.
static void merge_asked(struct kswapd *k)
{
	uint32_t none = YARD_ZONE_TYPES;

	atomic_compare_exchange_strong_explicit(&k->highest_zone, &none, k->highest, memory_order_relaxed,
						memory_order_relaxed);
	kswapd_record_order(k, k->reclaim_order);
}

static void end_nap(struct yard *yard, unsigned node, struct yard_wait *wait) // K-6.2, K-6.3
{
	struct kswapd *k = &yard->mm[node].kswapd;

	if (is_awake(yard, node)) {
		merge_asked(k);
		go_on(yard, node, YARD_VM_KSWAPD_LOW_WMARK_HIT_QUICKLY);
		return;
	}
	if (!ready_to_sleep(yard, node, k->reclaim_order, k->highest)) {
		go_on(yard, node, YARD_VM_KSWAPD_HIGH_WMARK_HIT_QUICKLY);
		return;
	}
	TRACE(yard, KSWAPD_SLEEP, node);
	yard_kswapd_pressure(yard, node, false);
	k->state = KSWAPD_SLEEP;
	wait_for(yard, node, YARD_QUEUE_KSWAPD, UINT64_MAX, wait);
}

static void end_sleep(struct yard *yard, unsigned node)
{
	yard_kswapd_pressure(yard, node, true);
	yard_kswapd_awake(yard, node, true);
	begin_run(yard, node);
}

// ---- a balancing run ----

// RC-2: kswapd holds R for a whole run, although it is PF_MEMALLOC.
static void hold_reclaim_lock(struct yard *yard, struct kswapd *k)
{
	atomic_fetch_and_explicit(&k->task.flags, ~(uint32_t)YARD_TASK_MEMALLOC, memory_order_relaxed);
	k->locked = lockcheck_reclaim_enter(yard, YARD_GFP_KERNEL, "kswapd");
	atomic_fetch_or_explicit(&k->task.flags, YARD_TASK_MEMALLOC, memory_order_relaxed);
}

static uint64_t sampled_boosts(const struct yard *yard, unsigned node, unsigned highest)
{
	uint64_t sum = 0;

	for (unsigned type = 0; type <= highest; type++)
		sum += zone_at(yard, node * YARD_ZONE_TYPES + type)->boost_sampled;
	return sum;
}

static void begin_run(struct yard *yard, unsigned node) // K-5.3, K-5.4, K-8
{
	struct kswapd *k = &yard->mm[node].kswapd;
	uint32_t highest = atomic_exchange_explicit(&k->highest_zone, YARD_ZONE_TYPES, memory_order_relaxed);

	k->highest = highest < YARD_ZONE_TYPES ? (uint8_t)highest : k->highest;
	k->alloc_order = (uint8_t)atomic_exchange_explicit(&k->order, 0, memory_order_relaxed);
	TRACE(yard, KSWAPD_WAKE, node, k->highest, k->alloc_order);
	memstall_enter(yard);
	hold_reclaim_lock(yard, k);
	TRACE(yard, BALANCE_PGDAT_BEGIN, node, k->alloc_order, k->highest);
	count_vm_event(yard, YARD_VM_PAGEOUTRUN, 1);
	yard_kswapd_balance_begin(yard, node, k->highest);
	k->boost = sampled_boosts(yard, node, k->highest);
	k->boosted = k->boost;
	k->sc_order = k->alloc_order;
	k->priority = DEF_PRIORITY;
	k->reclaimed = 0;
	k->finished = k->no_cache_trim = k->cache_trim_failed = k->throttled = false;
	k->state = KSWAPD_RUN;
}

static void end_run(struct yard *yard, unsigned node) // K-8 out, K-5.5
{
	struct kswapd *k = &yard->mm[node].kswapd;

	yard_kswapd_balance_end(yard, node, k->highest);
	snapshot_refaults(yard, node);
	if (k->locked)
		lockcheck_reclaim_leave(yard);
	memstall_leave(yard);
	TRACE(yard, BALANCE_PGDAT_END, node, k->sc_order, k->highest, (int64_t)k->reclaimed);
	k->reclaim_order = k->sc_order;
	k->state = k->reclaim_order < k->alloc_order ? KSWAPD_SETTLE : KSWAPD_LOOK;
}

static struct scan_control control_of(const struct kswapd *k) // C-1, K-8.3
{
	return (struct scan_control){
		.nr_reclaimed = k->reclaimed,
		.order = k->sc_order,
		.highest_zone = k->highest,
		.priority = (int8_t)k->priority,
		.role = ROLE_KSWAPD,
		.gfp = YARD_GFP_KERNEL,
		.may_writepage = !k->boost,
		.may_unmap = true,
		.may_swap = !k->boost,
		.no_cache_trim_mode = k->no_cache_trim,
		.cache_trim_mode_failed = k->cache_trim_failed,
		.swappiness = -1,
	};
}

static void age(struct yard *yard, unsigned node, struct scan_control *sc) // K-10
{
	if (!yard->owner.release)
		return;
	if (lru_gen_on(yard))
		gen_age_node(yard, node, sc);
	else if ((yard->total_swap_pages || can_demote(yard, node, sc)) && inactive_is_low(yard, node, ANON))
		shrink_active(yard, node, sc, CLUSTER_MAX, YARD_LRU_ACTIVE_ANON);
}

// K-9. True: enough was scanned, so that the priority need not rise.
static bool shrink(struct yard *yard, unsigned node, struct scan_control *sc)
{
	uint64_t before = sc->nr_reclaimed;

	sc->nr_to_reclaim = 0;
	for (unsigned type = 0; type <= sc->highest_zone; type++) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone->managed)
			sc->nr_to_reclaim += (uint64_t)max64((int64_t)zone_wmark(zone, WMARK_HIGH), CLUSTER_MAX);
	}
	if (sc->order && yard->policy.kswapd_round_gap && node_balanced(yard, node, 0, sc->highest_zone)) // O-11
		sc->nr_to_reclaim = compact_gap(yard, sc->order);
	sc->nr_scanned = 0;
	shrink_node(yard, node, sc);
	if (sc->order && sc->nr_reclaimed >= compact_gap(yard, sc->order)) // KS-3
		sc->order = 0;
	return sc->nr_scanned >= sc->nr_to_reclaim || sc->nr_reclaimed - before >= sc->nr_to_reclaim;
}

static void reclaim_round(struct yard *yard, unsigned node) // K-8.3 to K-8.8
{
	struct kswapd *k = &yard->mm[node].kswapd;
	struct scan_control sc = control_of(k);
	bool raise = !k->boost || k->priority != DEF_PRIORITY - 2, enough;
	uint64_t got;

	age(yard, node, &sc);
	enough = shrink(yard, node, &sc);
	k->priority = (uint8_t)sc.priority; // G-14: the multi-gen LRU begins with a larger bite
	if (allow_direct_reclaim(yard, node))
		yard_host_wake(&yard->host, queue_of(node, YARD_QUEUE_PFMEMALLOC));
	got = sc.nr_reclaimed - k->reclaimed;
	k->reclaimed = sc.nr_reclaimed;
	k->sc_order = sc.order;
	k->cache_trim_failed = sc.cache_trim_mode_failed;
	k->boost -= got < k->boost ? got : k->boost;
	if (k->boost && !got)
		k->finished = true;
	else if ((raise && !enough) || !got)
		k->finished = !--k->priority;
}

// K-8 after the loop. False: once more.
static bool give_up(struct yard *yard, unsigned node)
{
	struct kswapd *k = &yard->mm[node].kswapd;
	uint32_t failures;

	if (k->reclaimed)
		return true;
	if (!k->priority && k->cache_trim_failed && !k->no_cache_trim) {
		k->no_cache_trim = true;
		k->finished = false;
		k->priority = DEF_PRIORITY;
		return false;
	}
	if (k->boosted)
		return true;
	failures = atomic_fetch_add_explicit(&k->failures, 1, memory_order_relaxed) + 1;
	TRACE(yard, KSWAPD_RECLAIM_FAIL, node, failures);
	return true;
}

// One turn of K-8's loop. True: the step is over, for a round was run.
static bool run(struct yard *yard, unsigned node, struct yard_wait *wait)
{
	struct kswapd *k = &yard->mm[node].kswapd;
	bool balanced = node_balanced(yard, node, k->sc_order, k->highest);

	if (balanced && !k->boost) {
		end_run(yard, node);
		return false;
	}
	if (!balanced && k->boost) {
		k->boost = 0;
		k->priority = DEF_PRIORITY;
	}
	reclaim_round(yard, node);
	if (k->throttled) {
		wait_for(yard, node, YARD_QUEUE_WRITEBACK, TENTH_NS, wait);
		return true;
	}
	if (!k->finished || !give_up(yard, node))
		return true;
	end_run(yard, node);
	return false;
}

static void end_throttle(struct yard *yard, unsigned node)
{
	struct kswapd *k = &yard->mm[node].kswapd;

	k->throttled = false;
	reclaim_throttle_end(yard, node, YARD_QUEUE_WRITEBACK, TENTH_NS, time_since(now_ns(yard), k->wait_start));
	if (k->finished && give_up(yard, node))
		end_run(yard, node);
}

// ---- the step ----

// What the last step waited for has not come yet: a host may return early, or split a long wait. Wake-ups of a
// sleeping kswapd leave a trace, those of a throttled one only the host knows.
static bool waits_on(struct yard *yard, unsigned node, bool woken, struct yard_wait *wait)
{
	struct kswapd *k = &yard->mm[node].kswapd;
	bool throttled = k->state == KSWAPD_RUN;
	uint64_t now = now_ns(yard);

	if (!k->waiting)
		return false;
	if (now >= k->wait_end || (throttled ? woken : is_awake(yard, node))) {
		k->waiting = false;
		return false;
	}
	*wait = (struct yard_wait){
		.kind = YARD_WAIT_QUEUE,
		.queue = queue_of(node, throttled ? YARD_QUEUE_WRITEBACK : YARD_QUEUE_KSWAPD),
		.timeout_ns = k->wait_end == UINT64_MAX ? UINT64_MAX : k->wait_end - now,
	};
	return true;
}

// True: the step is over.
static bool advance(struct yard *yard, unsigned node, struct yard_wait *wait)
{
	struct kswapd *k = &yard->mm[node].kswapd;

	switch (k->state) {
	case KSWAPD_LOOK:
		k->alloc_order = k->reclaim_order = (uint8_t)atomic_load_explicit(&k->order, memory_order_relaxed);
		k->highest = asked_highest(k);
		k->state = KSWAPD_SETTLE;
		return false;
	case KSWAPD_SETTLE:
		settle(yard, node, wait);
		return true;
	case KSWAPD_NAP:
		end_nap(yard, node, wait);
		return true;
	case KSWAPD_SLEEP:
		end_sleep(yard, node);
		return true;
	default:
		if (!k->throttled)
			return run(yard, node, wait);
		end_throttle(yard, node);
		return false;
	}
}

void yard_kswapd_step(struct yard *yard, unsigned node, bool woken, struct yard_wait *wait)
{
	struct yard_task *previous;
	struct kswapd *k;

	*wait = (struct yard_wait){ .kind = YARD_WAIT_QUEUE, .timeout_ns = UINT64_MAX };
	if (node >= yard->nr_nodes)
		return;
	k = &yard->mm[node].kswapd;
	if (!atomic_load_explicit(&yard->nodes[node].has_kswapd, memory_order_relaxed))
		yard_kswapd_run(yard, node, true);
	if (waits_on(yard, node, woken, wait))
		return;
	*wait = (struct yard_wait){ .kind = YARD_WAIT_NONE };
	previous = yard_set_current(yard, &k->task);
	while (!advance(yard, node, wait))
		;
	yard_set_current(yard, previous);
}
