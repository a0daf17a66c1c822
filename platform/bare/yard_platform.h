// SPDX-License-Identifier: Apache-2.0
//
// The bare platform: no libc, one CPU, callers keep interrupts out (pageyard/platform.h).

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct yard_host {
	unsigned nr_cpus;
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

static inline bool yard_zone_trylock(struct yard_host *host, yard_spinlock *lock)
{
	(void)host;
	return yard_spin_trylock(lock);
}
