// SPDX-License-Identifier: Apache-2.0
//
// Coroutines: who runs when, that nothing of a stack is lost over a switch, and that stacks are reused and guarded.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/coroutine.h"

enum { STACK = 64 * 1024 };

static struct coroutine_pool *pool;

static int start(void **state)
{
	(void)state;
	pool = coroutine_pool_create(STACK);
	return pool ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	coroutine_pool_destroy(pool);
	return 0;
}

static struct coroutine *create(coroutine_body *body, void *argument)
{
	struct coroutine *coroutine = coroutine_create(pool, body, argument);

	assert_non_null(coroutine);
	return coroutine;
}

// ---- who runs when ----

static char said[64];

static void say(char c)
{
	size_t length = strlen(said);

	if (length + 1 < sizeof(said))
		said[length] = c;
}

static void say_three(struct coroutine *self, void *argument)
{
	const char *words = argument;

	say(words[0]);
	coroutine_suspend(self);
	say(words[1]);
	coroutine_suspend(self);
	say(words[2]);
}

static void resumes_where_it_suspended(void **state)
{
	static char abc[] = "abc", xyz[] = "xyz";
	struct coroutine *first = create(say_three, abc), *second = create(say_three, xyz);

	(void)state;
	memset(said, 0, sizeof(said));
	for (unsigned round = 0; round < 3; round++) {
		assert_false(coroutine_done(first));
		coroutine_resume(first);
		say('.');
		coroutine_resume(second);
	}
	assert_true(coroutine_done(first));
	assert_true(coroutine_done(second));
	assert_string_equal(said, "a.xb.yc.z");
	coroutine_destroy(first);
	coroutine_destroy(second);
}

static void resume_three(struct coroutine *self, void *argument)
{
	struct coroutine *inner = create(say_three, argument);

	while (!coroutine_done(inner)) {
		coroutine_resume(inner);
		say('(');
		coroutine_suspend(self);
		say(')');
	}
	coroutine_destroy(inner);
}

static void suspends_to_who_resumed_it(void **state)
{
	static char abc[] = "abc";
	struct coroutine *outer = create(resume_three, abc);

	(void)state;
	memset(said, 0, sizeof(said));
	while (!coroutine_done(outer)) {
		coroutine_resume(outer);
		say('-');
	}
	coroutine_destroy(outer);
	assert_string_equal(said, "a(-)b(-)c(-)-");
}

// ---- what a switch preserves ----

struct sum {
	uint64_t start, total;
	double real;
	char text[32];
};

// More integers and reals that live over the switch than the machine has registers for them.
static void add_up(struct coroutine *self, void *argument)
{
	struct sum *sum = argument;
	uint64_t a = sum->start, b = a + 1, c = a + 2, d = a + 3, e = a + 4, f = a + 5, g = a + 6, h = a + 7;
	double p = (double)a, q = p + 0.5, r = p + 0.25, s = p + 0.125, t = p + 0.0625, u = p + 2, v = p + 3, w = p + 4;

	for (unsigned i = 0; i < 100; i++) {
		coroutine_suspend(self);
		a += b, b += c, c += d, d += e, e += f, f += g, g += h, h += a;
		p += q, q += r, r += s, s += t, t += u, u += v, v += w, w = 1;
	}
	sum->total = a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
	sum->real = p + q + r + s + t + u + v + w;
	snprintf(sum->text, sizeof(sum->text), "%.4f", sum->real); // wants the stack's alignment
}

static void registers_survive(void **state)
{
	enum { NR = 50 };
	struct coroutine *coroutine[NR];
	struct sum sum[NR], alone;
	bool left = true;

	(void)state;
	for (unsigned i = 0; i < NR; i++) {
		sum[i] = (struct sum){.start = i};
		coroutine[i] = create(add_up, &sum[i]);
	}
	while (left) {
		left = false;
		for (unsigned i = 0; i < NR; i++)
			if (!coroutine_done(coroutine[i])) {
				coroutine_resume(coroutine[i]);
				left = true;
			}
	}
	for (unsigned i = 0; i < NR; i++) {
		coroutine_destroy(coroutine[i]);
		alone = (struct sum){.start = i};
		coroutine[0] = create(add_up, &alone);
		while (!coroutine_done(coroutine[0]))
			coroutine_resume(coroutine[0]);
		coroutine_destroy(coroutine[0]);
		assert_true(alone.total == sum[i].total && sum[i].total != 0);
		assert_true(alone.real == sum[i].real);
		assert_string_equal(alone.text, sum[i].text);
	}
}

// ---- stacks ----

static void fill_stack(struct coroutine *self, void *argument)
{
	volatile unsigned char bytes[STACK - 8192];

	memset((void *)bytes, *(unsigned char *)argument, sizeof(bytes));
	coroutine_suspend(self);
	for (size_t i = 0; i < sizeof(bytes); i++)
		if (bytes[i] != *(unsigned char *)argument)
			abort();
	*(unsigned char *)argument = 0;
}

static void stacks_are_apart_and_of_full_size(void **state)
{
	enum { NR = 20 };
	struct coroutine *coroutine[NR];
	unsigned char byte[NR];

	(void)state;
	for (unsigned i = 0; i < NR; i++) {
		byte[i] = (unsigned char)(i + 1);
		coroutine[i] = create(fill_stack, &byte[i]);
		coroutine_resume(coroutine[i]);
	}
	for (unsigned i = 0; i < NR; i++) {
		coroutine_resume(coroutine[i]);
		assert_true(coroutine_done(coroutine[i]));
		assert_int_equal(byte[i], 0);
		coroutine_destroy(coroutine[i]);
	}
}

static void count(struct coroutine *self, void *argument)
{
	(void)self;
	++*(unsigned *)argument;
}

static void stacks_are_reused(void **state)
{
	enum { AT_ONCE = 500, ROUNDS = 100 };
	struct coroutine_pool *own = coroutine_pool_create(1);
	struct coroutine *coroutine[AT_ONCE];
	unsigned ran = 0;

	(void)state;
	assert_non_null(own);
	assert_int_equal(coroutine_pool_stacks(own), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < AT_ONCE; i++) {
			coroutine[i] = coroutine_create(own, count, &ran);
			assert_non_null(coroutine[i]);
		}
		for (unsigned i = 0; i < AT_ONCE; i++) {
			coroutine_resume(coroutine[i]);
			assert_true(coroutine_done(coroutine[i]));
			coroutine_destroy(coroutine[i]);
		}
	}
	assert_int_equal(ran, AT_ONCE * ROUNDS);
	assert_int_equal(coroutine_pool_stacks(own), AT_ONCE);
	coroutine_pool_destroy(own);
}

// One that is suspended deep in its stack, or has never run, may be destroyed; its stack serves the next.
static void abandoned_stacks_are_reused(void **state)
{
	struct coroutine_pool *own = coroutine_pool_create(STACK);
	unsigned char byte = 7;
	unsigned ran = 0;

	(void)state;
	assert_non_null(own);
	for (unsigned i = 0; i < 100; i++) {
		struct coroutine *coroutine = coroutine_create(own, i % 2 ? fill_stack : say_three, &byte);

		assert_non_null(coroutine);
		if (i % 4 >= 1)
			coroutine_resume(coroutine);
		assert_false(coroutine_done(coroutine));
		coroutine_destroy(coroutine);
		coroutine = coroutine_create(own, count, &ran);
		assert_non_null(coroutine);
		coroutine_resume(coroutine);
		assert_true(coroutine_done(coroutine));
		coroutine_destroy(coroutine);
	}
	coroutine_destroy(NULL);
	assert_int_equal(ran, 100);
	assert_int_equal(coroutine_pool_stacks(own), 1);
	assert_non_null(coroutine_create(own, count, &ran)); // not destroyed: the pool's end takes it away
	coroutine_pool_destroy(own);
	coroutine_pool_destroy(NULL);
}

enum { HEAD_ROOM = 3000 }; // more than what the pool adds to a stack

static unsigned descend(uintptr_t bottom) // until a frame is there
{
	volatile unsigned char frame[256];

	frame[bottom % sizeof(frame)] = (unsigned char)bottom;
	if ((uintptr_t)__builtin_frame_address(0) < bottom)
		return 1;
	return descend(bottom) + frame[bottom % sizeof(frame)];
}

static void overflow(struct coroutine *self, void *argument)
{
	(void)self;
	*(unsigned *)argument = descend((uintptr_t)__builtin_frame_address(0) - 16 * (uintptr_t)sysconf(_SC_PAGESIZE));
}

// In a child, which must not come to its end. One page is touched below the 16 of the stack, and no more.
static void overflow_and_exit(void)
{
	struct coroutine_pool *own = coroutine_pool_create(16 * (size_t)sysconf(_SC_PAGESIZE) - HEAD_ROOM);
	struct coroutine *coroutine;
	unsigned result = 0;

	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	close(STDERR_FILENO); // a sanitizer's report
	assert_non_null(own);
	coroutine = coroutine_create(own, overflow, &result);
	assert_non_null(coroutine);
	coroutine_resume(coroutine);
	_exit(0);
}

static void an_overflow_hits_the_guard_page(void **state)
{
	int status;
	pid_t child;

	(void)state;
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		overflow_and_exit();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(WIFEXITED(status) || WTERMSIG(status) == SIGSEGV); // a sanitizer exits with its own code
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resumes_where_it_suspended),
		cmocka_unit_test(suspends_to_who_resumed_it),
		cmocka_unit_test(registers_survive),
		cmocka_unit_test(stacks_are_apart_and_of_full_size),
		cmocka_unit_test(stacks_are_reused),
		cmocka_unit_test(abandoned_stacks_are_reused),
		cmocka_unit_test(an_overflow_hits_the_guard_page),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
