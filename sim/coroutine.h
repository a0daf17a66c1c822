// SPDX-License-Identifier: Apache-2.0
//
// Coroutines: each simulated task is straight code on a stack of its own, which the scheduler resumes and which hands
// the CPU back when the task sleeps. A switch costs nanoseconds (-Dcoroutine=ucontext, for machines without an assembly
// file here: a good part of a microsecond).
//
// Asymmetrical: coroutine_resume() returns to its caller when the coroutine suspends or its body has returned. A
// coroutine may resume others, but not itself or one that is waiting for it. A pool and its coroutines belong to one
// thread. Nothing here decides anything: the order is the caller's.
//
// The stacks have a guard page, so that an overflow is a SIGSEGV and not a silent change of another stack. An exit() or
// longjmp() out of a body is not possible; suspend, and leave from the scheduler.

#pragma once

#include <stdbool.h>
#include <stddef.h>

struct coroutine;
struct coroutine_pool;

typedef void coroutine_body(struct coroutine *self, void *argument);

// Stacks of at least `stack_size` usable bytes each, rounded up to whole pages; physical memory is only used as far as
// a stack was ever deep. NULL without memory.
struct coroutine_pool *coroutine_pool_create(size_t stack_size);

// Unmaps all stacks. Coroutines that have not ended are abandoned where they are: what they own is the caller's affair.
void coroutine_pool_destroy(struct coroutine_pool *pool);

// How many stacks have been mapped: the most coroutines that existed at one time.
size_t coroutine_pool_stacks(const struct coroutine_pool *pool);

// A coroutine that will call body(self, argument) when it is first resumed. It takes a stack that another one left, if
// there is one. NULL without memory, or when the process has as many mappings as it may (vm.max_map_count; two each).
struct coroutine *coroutine_create(struct coroutine_pool *pool, coroutine_body *body, void *argument);

// Gives the stack back. In any state but running; a suspended one is abandoned where it is. NULL is allowed.
void coroutine_destroy(struct coroutine *coroutine);

// Runs it until it suspends or its body returns. It must not have ended.
void coroutine_resume(struct coroutine *coroutine);

// From inside the body only: returns to whoever resumed it, and comes back with the next resume.
void coroutine_suspend(struct coroutine *self);

// Whether the body has returned.
bool coroutine_done(const struct coroutine *coroutine);
