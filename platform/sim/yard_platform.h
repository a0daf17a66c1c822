// SPDX-License-Identifier: Apache-2.0
//
// The sim platform: one thread, the host chooses the CPU, locks are flags (pageyard/platform.h, pageyard/sim.h).

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct yard_host {
	unsigned cpu;
	bool pcp_busy;	// the next tries for a per-CPU set fail: an interrupt found it held (N1)
	bool zone_busy; // ... for a zone lock, which only NOLOCK callers notice
	uint64_t now_ns;
	// A task is preempted between two portions of a drain (P10.5): after how many, 0 for not at all, and what it left.
	unsigned portions_until_preempted;
	bool preempted;
	unsigned preempted_zone, preempted_index;
	int32_t preempted_to_free;
};

typedef struct {
	bool held;
} yard_spinlock;

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
	if (lock->held)
		return false;
	lock->held = true;
	return true;
}

static inline void yard_spin_lock(yard_spinlock *lock)
{
	if (lock->held)
		yard_panic("lock taken twice", 0);
	lock->held = true;
}

static inline void yard_spin_unlock(yard_spinlock *lock)
{
	lock->held = false;
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

static inline bool yard_zone_trylock(struct yard_host *host, yard_spinlock *lock)
{
	return !host->zone_busy && yard_spin_trylock(lock);
}
