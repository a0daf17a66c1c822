// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <sched.h>

#include "yard_platform.h"

// A machine may have more CPUs than the yard has sets for: they share.
unsigned yard_posix_cpu(const struct yard_host *host)
{
	int cpu = sched_getcpu();

	return cpu < 0 ? 0 : (unsigned)cpu % host->nr_cpus;
}

// Spins while the holder can be expected to run on another CPU, then lets it run.
void yard_spin_wait(yard_spinlock *lock)
{
	for (unsigned spins = 0;; spins++) {
		while (atomic_load_explicit(&lock->held, memory_order_relaxed)) {
			if (++spins > 200) {
				sched_yield();
				spins = 0;
			}
#if defined(__x86_64__)
			__builtin_ia32_pause();
#endif
		}
		if (yard_spin_trylock(lock))
			return;
	}
}
