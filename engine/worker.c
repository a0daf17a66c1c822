// SPDX-License-Identifier: Apache-2.0
//
// What hosts that run the workers in threads need beside the steps: to sleep as a step asks.

#include "engine/mm.h"

// A wake-up may come between the step's decision to sleep and the sleep itself: so nobody sleeps longer than this at once.
enum { SLEEP_AT_MOST_MS = 100 };

static bool asked_for(const struct yard *yard, unsigned queue)
{
	unsigned node = queue / YARD_QUEUES;

	switch (queue % YARD_QUEUES) {
	case YARD_QUEUE_KSWAPD:
		return atomic_load_explicit(&yard->nodes[node].kswapd_awake, memory_order_relaxed);
	case YARD_QUEUE_KCOMPACTD:
		return !atomic_load_explicit(&yard->mm[node].kcompactd.asleep, memory_order_relaxed);
	default:
		return false;
	}
}

bool yard_worker_wait(struct yard *yard, const struct yard_wait *wait)
{
	uint64_t most = (uint64_t)SLEEP_AT_MOST_MS * NSEC_PER_MSEC, slept;

	if (wait->kind == YARD_WAIT_NONE || wait->queue >= yard->nr_nodes * YARD_QUEUES)
		return false;
	if (asked_for(yard, wait->queue))
		return true;
	most = wait->timeout_ns < most ? wait->timeout_ns : most;
	slept = yard_host_wait(&yard->host, wait->queue, most);
	return asked_for(yard, wait->queue) || slept < most;
}
