// SPDX-License-Identifier: Apache-2.0
//
// The garbage reclaimers of a node (spec 05 L4): threads that keep the headroom of local-reclaim free. They are not
// kswapd: nothing that looks at kswapd sees them.

#include "engine/local_reclaim.h"

enum {
	SHORT_NS = NSEC_PER_MSEC,	   // below LOW for so long: one more
	REFUSED_NS = 10 * NSEC_PER_MSEC,   // rates or floors refuse: later
	FLOORED_BATCHES = 64,
	HOME_NS = 10 * NSEC_PER_MSEC,	   // between two moves home
	HOME_IDLE_NS = 100 * NSEC_PER_MSEC, // ... when nothing could move
};

static void name_task(struct yard_task *task, unsigned node, unsigned thread)
{
	static const char name[] = "klocald";
	unsigned at = sizeof(name) - 1;

	__builtin_memcpy(task->comm, name, sizeof(name));
	if (node >= 10)
		task->comm[at++] = (char)('0' + node / 10);
	task->comm[at++] = (char)('0' + node % 10);
	task->comm[at++] = ':';
	task->comm[at] = (char)('0' + thread);
}

size_t local_reclaim_size(unsigned nr_nodes)
{
	return sizeof(struct local_reclaim) + nr_nodes * sizeof(struct local_node);
}

void setup_local_reclaim(struct yard *yard)
{
	for (unsigned node = 0; node < yard->nr_nodes; node++) {
		struct local_node *n = local_node(yard, node);

		n->pass.list = LOCAL_LISTS;
		for (unsigned thread = 0; thread < YARD_LOCAL_RECLAIMERS_MAX; thread++) {
			name_task(&n->task[thread], node, thread);
			atomic_store_explicit(&n->task[thread].flags, YARD_TASK_MEMALLOC | YARD_TASK_KTHREAD,
					      memory_order_relaxed);
		}
	}
}

struct yard_task *yard_local_reclaim_task(struct yard *yard, unsigned node, unsigned thread)
{
	if (node >= yard->nr_nodes || thread >= YARD_LOCAL_RECLAIMERS_MAX)
		return NULL;
	return &local_node(yard, node)->task[thread];
}

unsigned yard_local_reclaimers(const struct yard *yard, unsigned node)
{
	unsigned most = node < yard->nr_nodes ? yard->nodes[node].nr_cpus / 8 : 0;

	if (node >= yard->nr_nodes)
		return 0;
	most = most ? most : 1;
	return most < YARD_LOCAL_RECLAIMERS_MAX ? most : YARD_LOCAL_RECLAIMERS_MAX;
}

// ---- how many run ----

void local_wake(struct yard *yard, unsigned node)
{
	struct local_node *n = local_node(yard, node);
	uint32_t none = 0;

	if (!atomic_compare_exchange_strong_explicit(&n->wanted, &none, 1, memory_order_relaxed, memory_order_relaxed))
		return;
	local_add(&n->wakes, 1);
	yard_spin_lock(&n->lock);
	n->woken_at = now_ns(yard);
	n->below_since = 0;
	yard_spin_unlock(&n->lock);
	WHY(yard, .kind = YARD_EVENT_WHY_LOCAL_WAKE, .zone = (uint8_t)(node * YARD_ZONE_TYPES),
	    .pfn = (uint32_t)local_free(yard, node), .a = (int32_t)local_read(&n->wmark_low));
	yard_host_wake(&yard->host, queue_of(node, YARD_QUEUE_LOCAL_RECLAIM));
}

static bool wanted(struct local_node *n, unsigned thread)
{
	return thread < atomic_load_explicit(&n->wanted, memory_order_relaxed);
}

static void stop(struct local_node *n)
{
	atomic_store_explicit(&n->wanted, 0, memory_order_relaxed);
}

// One more for each millisecond below LOW.
static void ask_for_help(struct yard *yard, unsigned node)
{
	struct local_node *n = local_node(yard, node);
	uint64_t now = now_ns(yard);
	bool more = false;

	yard_spin_lock(&n->lock);
	if (!local_below(yard, node, WMARK_LOW)) {
		n->below_since = 0;
	} else if (!n->below_since) {
		n->below_since = now;
	} else if (time_since(now, n->below_since) >= SHORT_NS) {
		n->below_since = now;
		more = atomic_load_explicit(&n->wanted, memory_order_relaxed) < yard_local_reclaimers(yard, node);
	}
	yard_spin_unlock(&n->lock);
	if (!more)
		return;
	atomic_fetch_add_explicit(&n->wanted, 1, memory_order_relaxed);
	yard_host_wake(&yard->host, queue_of(node, YARD_QUEUE_LOCAL_RECLAIM));
}

// L3: what it takes from the wake-up to the first pages.
static void measure_start(struct yard *yard, struct local_node *n)
{
	yard_spin_lock(&n->lock);
	if (n->woken_at) {
		n->start_ns = (3 * n->start_ns + time_since(now_ns(yard), n->woken_at)) / 4;
		n->woken_at = 0;
	}
	yard_spin_unlock(&n->lock);
}

// ---- a step ----

static void wait_for(unsigned node, uint64_t ns, struct yard_wait *wait)
{
	*wait = (struct yard_wait){ .kind = YARD_WAIT_QUEUE, .queue = queue_of(node, YARD_QUEUE_LOCAL_RECLAIM),
				    .timeout_ns = ns };
}

static void sleep_on(struct yard *yard, unsigned node, unsigned thread, struct yard_wait *wait)
{
	struct local_node *n = local_node(yard, node);
	uint64_t now = now_ns(yard);
	bool more = false;

	n->running[thread] = false;
	if (thread || !local_read(&yard->local->waiting[node])) {
		wait_for(node, UINT64_MAX, wait);
		return;
	}
	if (now < n->home_from) { // L8: its rate holds whoever wakes it
		wait_for(node, n->home_from - now, wait);
		return;
	}
	local_refresh(yard, node, now);
	wait_for(node, local_move_home(yard, node, &more) ? HOME_NS : HOME_IDLE_NS, wait);
	n->home_from = now + wait->timeout_ns;
	if (!more)
		wait->timeout_ns = UINT64_MAX;
}

// Many batches in a row, or a whole pass, of what must not go.
static bool refused(struct local_node *n, const struct local_batch *batch)
{
	uint32_t before;

	if (!batch->floored || batch->freed) {
		atomic_store_explicit(&n->floored_batches, 0, memory_order_relaxed);
		return false;
	}
	before = atomic_fetch_add_explicit(&n->floored_batches, 1, memory_order_relaxed);
	return batch->ended || before >= FLOORED_BATCHES;
}

static void reclaim(struct yard *yard, unsigned node, struct yard_wait *wait)
{
	struct local_node *n = local_node(yard, node);
	struct local_batch batch;
	int owner;

	local_refresh(yard, node, now_ns(yard));
	if (local_free(yard, node) >= local_read(&n->wmark_high)) { // also when there is no headroom
		stop(n);
		return;
	}
	ask_for_help(yard, node);
	owner = local_choose_owner(yard, node);
	if (owner < 0) { // no garbage, or all have used up their rates
		if (!local_garbage_for_owners(yard, node))
			stop(n);
		else
			wait_for(node, REFUSED_NS, wait);
		return;
	}
	local_evict(yard, node, (unsigned)owner, ROLE_PROACTIVE, &batch);
	local_add(&yard->local->owner[owner].reclaimed, batch.freed);
	measure_start(yard, n);
	if (refused(n, &batch))
		wait_for(node, REFUSED_NS, wait);
	yard_host_yield(&yard->host);
}

void yard_local_reclaim_step(struct yard *yard, unsigned node, unsigned thread, bool woken, struct yard_wait *wait)
{
	struct yard_task *before;

	(void)woken; // what is wanted tells
	*wait = (struct yard_wait){ .kind = YARD_WAIT_NONE };
	if (node >= yard->nr_nodes || thread >= yard_local_reclaimers(yard, node)) {
		*wait = (struct yard_wait){ .kind = YARD_WAIT_QUEUE, .timeout_ns = UINT64_MAX };
		return;
	}
	before = yard_set_current(yard, &local_node(yard, node)->task[thread]);
	if (wanted(local_node(yard, node), thread)) {
		local_node(yard, node)->running[thread] = true;
		reclaim(yard, node, wait);
	} else {
		sleep_on(yard, node, thread, wait);
	}
	yard_set_current(yard, before);
}
