// SPDX-License-Identifier: Apache-2.0
//
// The posix platform: real threads, the per-CPU set of the CPU that the thread runs on (pageyard/platform.h).

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__GLIBC__) && defined(__x86_64__) && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#define YARD_HAVE_RSEQ 1
#endif

#include <pageyard/platform.h>

#pragma GCC visibility push(hidden) // the engine's own: the library does not export them

struct yard_task;

struct yard_host {
	unsigned nr_cpus;
};

typedef struct {
	atomic_bool held;
} yard_spinlock;

static inline void yard_panic(const char *what, uint64_t value)
{
	fprintf(stderr, "pageyard: broken invariant: %s (%#llx)\n", what, (unsigned long long)value);
	abort();
}

static inline void yard_host_init(struct yard_host *host, unsigned nr_cpus)
{
	host->nr_cpus = nr_cpus;
}

unsigned yard_posix_cpu(const struct yard_host *host); // posix.c: asks libc

static inline unsigned yard_host_cpu(const struct yard_host *host)
{
#ifdef YARD_HAVE_RSEQ
	// The kernel keeps the CPU number in the thread's rseq area; reading it costs a load, asking libc a call. A
	// negative number (not registered) and one that is too large are both out of range.
	const char *thread;
	__asm__("mov %%fs:0, %0" : "=r"(thread));
	unsigned cpu = ((const volatile struct rseq *)(thread + __rseq_offset))->cpu_id;
	if (__builtin_expect(cpu < host->nr_cpus, 1))
		return cpu;
#endif
	return yard_posix_cpu(host);
}

static inline unsigned yard_host_enter_cpu(struct yard_host *host, unsigned cpu)
{
	(void)host;
	return cpu;
}

static inline bool yard_spin_trylock(yard_spinlock *lock)
{
	// Acquire pairs with the release in yard_spin_unlock().
	return !atomic_exchange_explicit(&lock->held, true, memory_order_acquire);
}

void yard_spin_wait(yard_spinlock *lock); // posix.c: somebody holds it

static inline void yard_spin_lock(yard_spinlock *lock)
{
	if (!yard_spin_trylock(lock))
		yard_spin_wait(lock);
}

static inline void yard_spin_unlock(yard_spinlock *lock)
{
	atomic_store_explicit(&lock->held, false, memory_order_release);
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

// The thread's current task, whichever yard it works for.
extern _Thread_local struct yard_task *yard_posix_current __attribute__((tls_model("initial-exec")));

static inline struct yard_task **yard_host_current(struct yard_host *host)
{
	struct yard_task **slot = &yard_posix_current;

	(void)host;
#ifdef __SANITIZE_ADDRESS__ // gcc tests the address by the flags of an addition, which the linker replaces by one without flags
	__asm__("" : "+r"(slot));
#endif
	return slot;
}

uint64_t yard_host_now(struct yard_host *host); // posix.c
uint64_t yard_host_wait(struct yard_host *host, unsigned queue, uint64_t timeout_ns);
void yard_host_wake(struct yard_host *host, unsigned queue);
void yard_host_yield(struct yard_host *host);

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

#pragma GCC visibility pop
