// SPDX-License-Identifier: Apache-2.0
//
// The platform contract: what the engine needs of the world that it runs in, chosen at compile time.
//
// A platform is a folder with one header, `yard_platform.h`, found through the include path. It defines, inline:
//
//   struct yard_host                      the platform's own state, first member of every yard; starts zeroed
//   void yard_host_init(struct yard_host *, unsigned nr_cpus)
//   unsigned yard_host_cpu(const struct yard_host *)     current CPU, < nr_cpus; may change at any time
//   unsigned yard_host_enter_cpu(struct yard_host *, unsigned cpu)   work on behalf of `cpu` begins; returns what to
//                                         enter when it ends. Threads stay where they are
//   yard_spinlock                         a lock; zeroed memory is an open lock
//   void yard_spin_lock(yard_spinlock *), bool yard_spin_trylock(yard_spinlock *), void yard_spin_unlock(yard_spinlock *)
//   bool yard_pcp_trylock(struct yard_host *, yard_spinlock *)   for a per-CPU set: may refuse (P9, N1)
//   bool yard_zone_trylock(struct yard_host *, yard_spinlock *)  for a zone, on behalf of a NOLOCK caller (G9, B14)
//   bool yard_drain_interrupted(struct yard_host *, unsigned zone, unsigned pindex, int32_t to_free)   between two
//                                         portions of a drain (P10.5), no lock held: true if the task loses its CPU here
//                                         and the host will finish the drain later (N1)
//   void yard_panic(const char *what, uint64_t value)    a broken invariant: report and stop; does not return
//
// sim: one thread, locks are flags that a test may hold on purpose. posix: real threads. bare: no libc, one CPU.
// Lock order, outermost first: per-CPU set, zone. Never two of a kind.

#pragma once
