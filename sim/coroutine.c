// SPDX-License-Identifier: Apache-2.0

#include "sim/coroutine.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef COROUTINE_UCONTEXT
#include <ucontext.h>
#endif

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define WITH_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define WITH_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define WITH_TSAN 1
#include <sanitizer/tsan_interface.h>
#else
#define WITH_TSAN 0
#endif

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#define WITH_VALGRIND 1
#include <valgrind/valgrind.h>
#endif
#endif

#ifdef COROUTINE_UCONTEXT
typedef ucontext_t machine_context;
#else
typedef void *machine_context; // the stack pointer; the registers lie above it
#endif

enum state { SUSPENDED, RUNNING, DONE };

// At the top of its own stack: one page holds it and what a shallow coroutine needs.
struct coroutine {
	struct coroutine_pool *pool;
	struct coroutine *next_free, *next_mapped;
	coroutine_body *body;
	void *argument;
	enum state state;
	machine_context here, resumer;

	char *stack; // lowest usable byte; the guard page is below
	size_t size;
	unsigned valgrind_stack;
#if WITH_ASAN
	void *fake_stack;
	const void *resumer_stack;
	size_t resumer_size;
#endif
#if WITH_TSAN
	void *fiber, *resumer_fiber;
#endif
};

struct coroutine_pool {
	struct coroutine *free, *mapped;
	size_t nr_mapped, stack_size, page_size;
};

// ---- what the checkers must be told: both sides of a switch ----

#if WITH_ASAN
// From the resumer to the coroutine. Afterwards, in the resumer: returned_to_resumer().
static void leaving_resumer(struct coroutine *coroutine, void **fake_stack)
{
	__sanitizer_start_switch_fiber(fake_stack, coroutine->stack, coroutine->size);
}

static void returned_to_resumer(void *fake_stack)
{
	__sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
}

static void leaving_coroutine(struct coroutine *self)
{
	// With nowhere to keep it the fake stack is released.
	__sanitizer_start_switch_fiber(self->state == DONE ? NULL : &self->fake_stack, self->resumer_stack,
				       self->resumer_size);
}

static void entered_coroutine(struct coroutine *self)
{
	__sanitizer_finish_switch_fiber(self->fake_stack, &self->resumer_stack, &self->resumer_size);
}

static void clean_stack(struct coroutine *coroutine) // frames that were abandoned left their red zones
{
	coroutine->fake_stack = NULL;
	__asan_unpoison_memory_region(coroutine->stack, coroutine->size);
}
#else
static void leaving_resumer(struct coroutine *coroutine, void **fake_stack)
{
	(void)coroutine;
	(void)fake_stack;
}

static void returned_to_resumer(void *fake_stack)
{
	(void)fake_stack;
}

static void leaving_coroutine(struct coroutine *self)
{
	(void)self;
}

static void entered_coroutine(struct coroutine *self)
{
	(void)self;
}

static void clean_stack(struct coroutine *coroutine)
{
	(void)coroutine;
}
#endif

#if WITH_TSAN
// TSan counts functions' beginnings and ends for each fiber, so none may begin on one and end on another.
#define INLINED inline __attribute__((always_inline))

static void fiber_create(struct coroutine *coroutine)
{
	coroutine->fiber = __tsan_create_fiber(0);
}

static void fiber_destroy(struct coroutine *coroutine)
{
	__tsan_destroy_fiber(coroutine->fiber);
}

static INLINED void fiber_enter(struct coroutine *coroutine)
{
	coroutine->resumer_fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(coroutine->fiber, 0);
}

static INLINED void fiber_leave(struct coroutine *coroutine)
{
	__tsan_switch_to_fiber(coroutine->resumer_fiber, 0);
}
#else
static void fiber_create(struct coroutine *coroutine)
{
	(void)coroutine;
}

static void fiber_destroy(struct coroutine *coroutine)
{
	(void)coroutine;
}

static void fiber_enter(struct coroutine *coroutine)
{
	(void)coroutine;
}

static void fiber_leave(struct coroutine *coroutine)
{
	(void)coroutine;
}
#endif

static void valgrind_register(struct coroutine *coroutine)
{
#ifdef WITH_VALGRIND
	coroutine->valgrind_stack = VALGRIND_STACK_REGISTER(coroutine->stack, coroutine->stack + coroutine->size);
#else
	(void)coroutine;
#endif
}

static void valgrind_deregister(struct coroutine *coroutine)
{
#ifdef WITH_VALGRIND
	VALGRIND_STACK_DEREGISTER(coroutine->valgrind_stack);
#else
	(void)coroutine;
#endif
}

// ---- the machine ----

static void run(struct coroutine *self);

#ifdef COROUTINE_UCONTEXT
static void run_split(unsigned high, unsigned low) // makecontext() passes ints
{
	run((struct coroutine *)((uintptr_t)((uint64_t)high << 32 | low)));
}

static void machine_make(struct coroutine *coroutine)
{
	uint64_t address = (uintptr_t)coroutine;

	getcontext(&coroutine->here);
	coroutine->here.uc_stack.ss_sp = coroutine->stack;
	coroutine->here.uc_stack.ss_size = coroutine->size;
	coroutine->here.uc_link = NULL;
	makecontext(&coroutine->here, (void (*)(void))run_split, 2, (unsigned)(address >> 32), (unsigned)address);
}

static void machine_switch(machine_context *from, machine_context *to)
{
	swapcontext(from, to);
}
#else
void coroutine_switch(void **save, void *to);
void coroutine_boot(void);

// What coroutine_switch() finds on a stack: these words from below.
#if defined(__x86_64__)
enum { FRAME_WORDS = 8, FRAME_FUNCTION = 3, FRAME_ARGUMENT = 2, FRAME_RETURN = 6 }; // r12, r13
#elif defined(__aarch64__)
enum { FRAME_WORDS = 20, FRAME_FUNCTION = 0, FRAME_ARGUMENT = 1, FRAME_RETURN = 11 }; // x19, x20
#else
#error "no coroutine_switch() for this machine: -Dcoroutine=ucontext"
#endif

static void machine_make(struct coroutine *coroutine)
{
	uintptr_t top = ((uintptr_t)coroutine->stack + coroutine->size) & ~(uintptr_t)15;
	uintptr_t *frame = (uintptr_t *)top - FRAME_WORDS;

#if defined(__x86_64__)
	frame--; // seven words come off, and a call begins with the stack at a multiple of 16
#endif
	for (unsigned i = 0; i < FRAME_WORDS; i++)
		frame[i] = 0;
	frame[FRAME_FUNCTION] = (uintptr_t)run;
	frame[FRAME_ARGUMENT] = (uintptr_t)coroutine;
	frame[FRAME_RETURN] = (uintptr_t)coroutine_boot;
	coroutine->here = frame;
}

static inline void machine_switch(machine_context *from, machine_context *to)
{
	coroutine_switch(from, *to);
}
#endif

// ---- running ----

static void leave(struct coroutine *self)
{
	leaving_coroutine(self);
	fiber_leave(self);
	machine_switch(&self->here, &self->resumer);
}

static void run(struct coroutine *self) // the outermost function of each stack
{
	entered_coroutine(self);
	self->body(self, self->argument);
	self->state = DONE;
	leave(self);
	abort(); // nobody resumes what is done
}

void coroutine_resume(struct coroutine *coroutine)
{
	void *fake_stack = NULL;

	assert(coroutine->state == SUSPENDED);
	coroutine->state = RUNNING;
	leaving_resumer(coroutine, &fake_stack);
	fiber_enter(coroutine);
	machine_switch(&coroutine->resumer, &coroutine->here);
	returned_to_resumer(fake_stack);
}

void coroutine_suspend(struct coroutine *self)
{
	assert(self->state == RUNNING);
	self->state = SUSPENDED;
	leave(self);
	entered_coroutine(self);
}

bool coroutine_done(const struct coroutine *coroutine)
{
	return coroutine->state == DONE;
}

// ---- stacks ----

struct coroutine_pool *coroutine_pool_create(size_t stack_size)
{
	struct coroutine_pool *pool = calloc(1, sizeof(*pool));
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!pool)
		return NULL;
	pool->page_size = page;
	pool->stack_size = (stack_size + sizeof(struct coroutine) + page - 1) / page * page;
	return pool;
}

static struct coroutine *map_stack(struct coroutine_pool *pool)
{
	size_t page = pool->page_size;
	char *memory =
		mmap(NULL, page + pool->stack_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct coroutine *coroutine;

	if (memory == MAP_FAILED)
		return NULL;
	if (mprotect(memory + page, pool->stack_size, PROT_READ | PROT_WRITE) != 0) {
		munmap(memory, page + pool->stack_size);
		return NULL;
	}
	coroutine = (struct coroutine *)(memory + page + pool->stack_size) - 1;
	coroutine->pool = pool;
	coroutine->stack = memory + page;
	coroutine->size = pool->stack_size - sizeof(*coroutine);
	coroutine->next_mapped = pool->mapped;
	pool->mapped = coroutine;
	pool->nr_mapped++;
	valgrind_register(coroutine);
	return coroutine;
}

struct coroutine *coroutine_create(struct coroutine_pool *pool, coroutine_body *body, void *argument)
{
	struct coroutine *coroutine = pool->free;

	if (coroutine)
		pool->free = coroutine->next_free;
	else
		coroutine = map_stack(pool);
	if (!coroutine)
		return NULL;
	coroutine->body = body;
	coroutine->argument = argument;
	coroutine->state = SUSPENDED;
	clean_stack(coroutine);
	fiber_create(coroutine);
	machine_make(coroutine);
	return coroutine;
}

void coroutine_destroy(struct coroutine *coroutine)
{
	if (!coroutine)
		return;
	assert(coroutine->state != RUNNING && coroutine->body);
	fiber_destroy(coroutine);
	coroutine->body = NULL; // it's in the pool
	coroutine->next_free = coroutine->pool->free;
	coroutine->pool->free = coroutine;
}

size_t coroutine_pool_stacks(const struct coroutine_pool *pool)
{
	return pool->nr_mapped;
}

void coroutine_pool_destroy(struct coroutine_pool *pool)
{
	struct coroutine *coroutine, *next;

	if (!pool)
		return;
	for (coroutine = pool->mapped; coroutine; coroutine = next) {
		next = coroutine->next_mapped;
		if (coroutine->body)
			coroutine_destroy(coroutine);
		clean_stack(coroutine);
		valgrind_deregister(coroutine);
		munmap(coroutine->stack - pool->page_size, pool->page_size + pool->stack_size);
	}
	free(pool);
}
