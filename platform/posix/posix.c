// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <sched.h>

#include "yard_platform.h"

int yard_posix_cpu(void)
{
	return sched_getcpu();
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
