// SPDX-License-Identifier: Apache-2.0
//
// The sim platform: one thread, the host chooses the CPU and the time, locks are flags (pageyard/platform.h,
// pageyard/sim.h).

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <pageyard/platform.h>

struct yard_task;

struct yard_host {
	unsigned cpu;
	bool pcp_busy;	// the next tries for a per-CPU set fail: an interrupt found it held (N1)
	bool zone_busy; // ... for a zone lock, which only NOLOCK callers and asynchronous compaction notice
	bool lru_busy;	// ... for the LRU of a node, which only asynchronous compaction notices
	uint64_t now_ns;
	// A task is preempted between two portions of a drain (P10.5): after how many, 0 for not at all, and what it
	// left.
	unsigned portions_until_preempted;
	bool preempted;
	unsigned preempted_zone, preempted_index;
	int32_t preempted_to_free;
	struct yard_task *current;
	uint64_t cost_ns[YARD_COSTS]; // virtual time of one operation
	const uint64_t *cost_table;   // the simulator's own costs (sim/costs.h)
	uint64_t handover_ns;	      // a lock that had to be waited for comes over
	uint64_t spin_ns;	      // spent waiting for locks; the simulator takes it away
	// What a simulator does when a task sleeps, wakes others or gives way; NULL: time passes, nobody is there to
	// wake.
	uint64_t (*wait)(void *context, unsigned queue, uint64_t timeout_ns);
	void (*wake)(void *context, unsigned queue);
	void (*yield)(void *context);
	void *context;
};

// Locks cost time on the host whose simulation runs on this thread (yard_sim_clock()): a CPU's clock may stand where
// another CPU's, which ran earlier, held the lock. Each lock remembers when it was held last. Elsewhere they are flags.
enum { YARD_SIM_LOCK_TIMES = 4 };
struct yard_sim_busy {
	uint64_t from, until;
};

typedef struct {
	bool held;
	uint8_t oldest;	     // of `busy`, overwritten next
	uint64_t taken_at;   // by who holds it
	uint64_t free_at;    // the latest end in `busy`
	struct yard_sim_busy busy[YARD_SIM_LOCK_TIMES];
} yard_spinlock;

// On this thread, the clock by which locks are held; NULL: none, locks take no time.
void yard_sim_clock(struct yard_host *host);
extern _Thread_local struct yard_host *yard_sim_timed __attribute__((tls_model("initial-exec")));
void yard_sim_wait_for_lock(struct yard_host *host, yard_spinlock *lock);
bool yard_sim_lock_was_held(const struct yard_host *host, const yard_spinlock *lock); // now
void yard_sim_lock_held(struct yard_host *host, yard_spinlock *lock); // from taken_at until now

static inline void yard_panic(const char *what, uint64_t value)
{
	fprintf(stderr, "pageyard: broken invariant: %s (%#llx)\n", what, (unsigned long long)value);
	abort();
}

static inline void yard_host_init(struct yard_host *host, unsigned nr_cpus)
{
	(void)nr_cpus;
	host->cpu = 0;
}

static inline unsigned yard_host_cpu(const struct yard_host *host)
{
	return host->cpu;
}

static inline unsigned yard_host_enter_cpu(struct yard_host *host, unsigned cpu)
{
	unsigned previous = host->cpu;

	host->cpu = cpu;
	return previous;
}

static inline bool yard_spin_trylock(yard_spinlock *lock)
{
	struct yard_host *host = yard_sim_timed;

	if (lock->held)
		return false;
	if (__builtin_expect(host != NULL, 0)) {
		if (host->now_ns < lock->free_at && yard_sim_lock_was_held(host, lock))
			return false;
		lock->taken_at = host->now_ns;
	}
	lock->held = true;
	return true;
}

static inline void yard_spin_lock(yard_spinlock *lock)
{
	struct yard_host *host = yard_sim_timed;

	if (lock->held)
		yard_panic("lock taken twice", 0);
	lock->held = true;
	if (__builtin_expect(host != NULL, 0)) {
		lock->taken_at = host->now_ns;
		if (host->now_ns < lock->free_at)
			yard_sim_wait_for_lock(host, lock);
	}
}

static inline void yard_spin_unlock(yard_spinlock *lock)
{
	struct yard_host *host = yard_sim_timed;

	lock->held = false;
	if (__builtin_expect(host != NULL, 0) && host->now_ns != lock->taken_at)
		yard_sim_lock_held(host, lock);
}

static inline bool yard_pcp_trylock(struct yard_host *host, yard_spinlock *lock)
{
	return !host->pcp_busy && yard_spin_trylock(lock);
}

static inline bool yard_drain_interrupted(struct yard_host *host, unsigned zone, unsigned index, int32_t to_free)
{
	if (!host->portions_until_preempted || --host->portions_until_preempted)
		return false;
	host->preempted = true;
	host->preempted_zone = zone;
	host->preempted_index = index;
	host->preempted_to_free = to_free;
	return true;
}

static inline struct yard_task **yard_host_current(struct yard_host *host)
{
	return &host->current;
}

static inline uint64_t yard_host_now(struct yard_host *host)
{
	return host->now_ns;
}

static inline uint64_t yard_host_wait(struct yard_host *host, unsigned queue, uint64_t timeout_ns)
{
	if (host->wait)
		return host->wait(host->context, queue, timeout_ns);
	host->now_ns += timeout_ns;
	return timeout_ns;
}

static inline void yard_host_wake(struct yard_host *host, unsigned queue)
{
	if (host->wake)
		host->wake(host->context, queue);
}

static inline void yard_host_yield(struct yard_host *host)
{
	if (host->yield)
		host->yield(host->context);
}

static inline void yard_host_charge(struct yard_host *host, enum yard_cost cost, uint64_t n)
{
	host->now_ns += host->cost_ns[cost] * n;
}

static inline bool yard_zone_trylock(struct yard_host *host, yard_spinlock *lock)
{
	return !host->zone_busy && yard_spin_trylock(lock);
}

static inline bool yard_lru_trylock(struct yard_host *host, yard_spinlock *lock)
{
	return !host->lru_busy && yard_spin_trylock(lock);
}
