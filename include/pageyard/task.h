// SPDX-License-Identifier: Apache-2.0
//
// The state of one task, as far as memory management knows it: flags (spec 02 E-4, SP-12), delays (DA-1), memory stalls
// (PSI-3), and what the engine keeps for it during a call.
//
// A task is the embedder's; zeroed memory with a pid is a new one. yard_set_current() says which task the calling
// thread (posix), the coroutine that runs (sim) or the machine (bare) works for. Only its own thread uses a task, but
// for `flags`, which anybody may change with atomic operations.

#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
#define YARD_ATOMIC(type) type // C++ has no _Atomic: __atomic_fetch_or() and its like do the same
extern "C" {
#else
#include <stdatomic.h>
#define YARD_ATOMIC(type) _Atomic(type)
#endif

struct yard;
struct yard_request_capture;

enum yard_task_flags { // the state of the requesting task (spec 02 SP-12, spec 01 G3, G8)
	YARD_TASK_MEMALLOC = 1,	 // PF_MEMALLOC
	YARD_TASK_OOM_VICTIM = 2,
	YARD_TASK_REALTIME = 4,	 // real-time or deadline
	YARD_TASK_INTERRUPT = 8, // the request comes from an interrupt on top of the task
	YARD_TASK_NOIO = 16,	 // scopes (E-4)
	YARD_TASK_NOFS = 32,
	YARD_TASK_PIN = 64,
	YARD_TASK_SIGNAL = 128,	  // a fatal signal is pending
	YARD_TASK_KTHREAD = 256,  // kernel thread: never throttled on reserves, never captures
	YARD_TASK_KSWAPD = 512,
	YARD_TASK_COREDUMP = 1024, // SP-58
	YARD_TASK_WORKER = 2048,   // workqueue worker (SP-49)
	YARD_TASK_KHUGEPAGED = 4096,
	YARD_TASK_SOFTIRQ = 8192,  // with INTERRUPT: it is a softirq (SP-12)
};

enum yard_delay_kind { YARD_DELAY_FREEPAGES, YARD_DELAY_COMPACT, YARD_DELAY_THRASHING, YARD_DELAYS }; // DA-1

struct yard_delay { // only delays above 0 count; a total that would overflow reads 0
	uint64_t count, total_ns, max_ns, max_at_ns, min_ns;
};

struct yard_task {
	uint32_t pid;
	char comm[16];
	YARD_ATOMIC(uint32_t) flags; // enum yard_task_flags
	struct yard_delay delays[YARD_DELAYS];
	uint64_t reclaimed, migrated; // pages, by its direct reclaim and its direct compaction
	// The engine's.
	struct yard_request_capture *capture; // CP-1: the published record
	uint64_t delay_start[YARD_DELAYS];
	uint32_t memstall;    // nesting of memory stalls (PSI-3)
	uint16_t psi_group;   // see pageyard/pressure.h
	uint16_t psi_cpu;     // where its state is counted
	uint8_t psi_state;
	bool thrashing;
	uint8_t migrating;    // it holds isolated pages while it asks for their destinations
	uint32_t lock_task;   // recursion checker: index of its stack + 1
	uint64_t local_at;	 // local-reclaim: when its budget was looked at; 0: never
	int64_t local_budget_ns; // ... and what was left of it
};

// The task that runs from now on; NULL: none, requests then carry all their state themselves. Returns the previous one.
struct yard_task *yard_set_current(struct yard *yard, struct yard_task *task);
struct yard_task *yard_get_current(struct yard *yard);

// The current task waits for a page that was evicted a moment ago: a memory stall (PSI-3) and, outermost, a delay
// (DA-1). yard_thrashing_end() takes what the other returned.
bool yard_thrashing_begin(struct yard *yard);
void yard_thrashing_end(struct yard *yard, bool outermost);

#ifdef __cplusplus
}
#endif
