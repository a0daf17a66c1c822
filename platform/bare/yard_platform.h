// SPDX-License-Identifier: Apache-2.0
//
// The bare platform: no libc, one CPU, callers keep interrupts out (pageyard/platform.h).

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <pageyard/platform.h>

struct yard_task;

struct yard_host {
	unsigned nr_cpus;
	uint64_t now_ns; // the embedder advances it; a wait that nobody ends early does too
	struct yard_task *current;
};

typedef struct {
	bool held;
} yard_spinlock;

static inline void yard_panic(const char *what, uint64_t value)
{
	(void)what;
	(void)value;
	__builtin_trap();
}

static inline void yard_host_init(struct yard_host *host, unsigned nr_cpus)
{
	host->nr_cpus = nr_cpus;
}

static inline unsigned yard_host_cpu(const struct yard_host *host)
{
	(void)host;
	return 0;
}

static inline unsigned yard_host_enter_cpu(struct yard_host *host, unsigned cpu)
{
	(void)host;
	return cpu;
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
	lock->held = true;
}

static inline void yard_spin_unlock(yard_spinlock *lock)
{
	lock->held = false;
}

static inline bool yard_pcp_trylock(struct yard_host *host, yard_spinlock *lock)
{
	(void)host;
	return yard_spin_trylock(lock);
}

static inline bool yard_drain_interrupted(struct yard_host *host, unsigned zone, unsigned index, int32_t to_free)
{
	(void)host;
	(void)zone;
	(void)index;
	(void)to_free;
	return false;
}

static inline struct yard_task **yard_host_current(struct yard_host *host)
{
	return &host->current;
}

static inline uint64_t yard_host_now(struct yard_host *host)
{
	return host->now_ns;
}

// One task: nobody else could wake it.
static inline uint64_t yard_host_wait(struct yard_host *host, unsigned queue, uint64_t timeout_ns)
{
	(void)queue;
	host->now_ns += timeout_ns;
	return timeout_ns;
}

static inline void yard_host_wake(struct yard_host *host, unsigned queue)
{
	(void)host;
	(void)queue;
}

static inline void yard_host_yield(struct yard_host *host)
{
	(void)host;
}

static inline void yard_host_charge(struct yard_host *host, enum yard_cost cost, uint64_t n)
{
	(void)host;
	(void)cost;
	(void)n;
}

static inline bool yard_zone_trylock(struct yard_host *host, yard_spinlock *lock)
{
	(void)host;
	return yard_spin_trylock(lock);
}

static inline bool yard_lru_trylock(struct yard_host *host, yard_spinlock *lock)
{
	(void)host;
	return yard_spin_trylock(lock);
}
