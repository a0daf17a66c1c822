// SPDX-License-Identifier: Apache-2.0
//
// The reclaim-recursion checker (spec 02 section 6): finds locks that are held over an allocation and taken by reclaim,
// before the two ever meet.
//
// Reclaim is a pseudo class of locks: the engine holds it while it reclaims or compacts and touches it at each
// allocation that could. An embedder's debug build tells which locks the current task takes and releases. The checker
// notes who took what while holding what, and reports a cycle through the pseudo class when its last edge appears. It
// never changes what the engine does.

#pragma once

#include <stddef.h>
#include <stdint.h>

#include <pageyard/task.h>

#ifdef __cplusplus
extern "C" {
#endif

struct yard;
struct yard_lockcheck;

enum { YARD_LOCK_SUBCLASSES = 8 };

// The class of what a notifier of mappings holds while it runs: an embedder takes and releases it as any other (RC-2).
#define YARD_LOCK_NOTIFIER UINT32_MAX

// In a gfp: this request is not checked. The bit that a kernel with lock checking has (spec 01 section 2.1).
#define YARD_GFP_NOLOCKDEP 0x1000000u

enum yard_lock_kind { YARD_LOCK_WRITE, YARD_LOCK_READ, YARD_LOCK_READ_RECURSIVE };

enum yard_lock_problem {
	YARD_LOCK_UNSAFE_ALLOC, // RC-5: an allocation, while holding what reclaim takes
	YARD_LOCK_INVERSION,	// RC-6: reclaim takes what is held over allocations, or another edge closes a cycle
	YARD_LOCK_RECURSION,	// reclaim inside reclaim
};

struct yard_lock_witness { // when a task that held one class took another
	uint64_t event; // number of the checker's event
	uint32_t pid;
	uint32_t gfp;	       // of the allocation or the reclaim; 0: a lock was taken
	const char *held_site; // where it had taken the one
	const char *site;      // where it took the other
};

struct yard_lock_report { // valid during the call
	enum yard_lock_problem problem;
	const char *text; // one line
	const char *path; // the classes from the one that was just taken to the one held: "fs_reclaim -> i_mutex"
	struct yard_lock_witness now, before; // the edge that closes the cycle; that on the other side of reclaim
};

struct yard_lockcheck_config {
	uint32_t classes; // 0: 256
	uint32_t tasks;	  // that hold something at the same time; 0: 64
	uint32_t edges;	  // 0: 4096
	uint32_t cycles;  // that can be told apart, each is reported once; 0: 256
	void (*report)(void *context, const struct yard_lock_report *report);
	void *context;
};

struct yard_lockcheck_state {
	uint64_t events;
	uint32_t classes, edges, reports;
	uint64_t dropped; // what found no room: from then on a cycle may go unseen
};

size_t yard_lockcheck_size(const struct yard_lockcheck_config *config); // 0: a limit is too large (2^20)
// Builds a checker in memory (that many bytes, zeroed, aligned to 64; it stays the caller's). NULL: not enough of it.
struct yard_lockcheck *yard_lockcheck_init(void *memory, size_t size, const struct yard_lockcheck_config *config);
void yard_lockcheck_attach(struct yard *yard, struct yard_lockcheck *checker); // NULL: detaches. Quiescent
void yard_lockcheck_get(struct yard_lockcheck *checker, struct yard_lockcheck_state *state);

// A new class of locks; `name` must live as long as the checker. YARD_ENOMEM: the limit is reached.
int yard_lock_class(struct yard_lockcheck *checker, const char *name);

// The current task took or released a lock. `site` is kept: text that lives as long as the checker. Without a checker
// they do nothing. YARD_EINVAL: no such class, subclass or kind, no current task, or it does not hold the lock;
// YARD_ENOMEM: no room.
int yard_lock_acquired(struct yard *yard, uint32_t lock_class, unsigned subclass, enum yard_lock_kind kind,
		       const char *site);
int yard_lock_released(struct yard *yard, uint32_t lock_class, unsigned subclass);

// An allocation of the embedder's own that may end in the engine's: slabs, pools (RC-2).
void yard_might_alloc(struct yard *yard, uint32_t gfp, const char *site);

// Scopes (spec 02 E-4, RC-3): NOIO, NOFS, PIN or MEMALLOC of enum yard_task_flags hold for the current task's requests
// until yard_scope_leave() is given what yard_scope_enter() returned. They nest.
uint32_t yard_scope_enter(struct yard *yard, uint32_t flags);
void yard_scope_leave(struct yard *yard, uint32_t before);

#ifdef __cplusplus
}
#endif
