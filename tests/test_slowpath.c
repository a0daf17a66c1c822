// SPDX-License-Identifier: Apache-2.0
//
// The slow path as far as it needs neither reclaim nor compaction: its flags, its attempts, and every place where
// NOFRAGMENT disappears (spec 02 sections 1 and 2; spec 01 G8).

#include "engine_fixture.h"

#define ATTEMPTS_MAX 16

// One zone where a U page can only be had below a whole block: 256..511 are free, and movable.
static void only_pieces(struct yard_policy policy)
{
	struct yard_config config = plain_config();

	config.policy = policy;
	blank_config(config, 8192);
	give_free(256, 8);
	give_used(0, 256, false);
	ready();
	direct(true);
	yard_set_event_sink(yard, record_event, NULL, true);
}

static struct yard_policy defrag(void)
{
	return policy_of("linux-7.3,defrag_mode=1");
}

// Compares the flags of all attempts of the last request: "901 930".
static void check_attempts(const char *expected, const char *file, int line)
{
	static struct text text;

	text.length = 0;
	text.chars[0] = '\0';
	for (size_t i = 0; i < nr_events; i++)
		if (events[i].kind == YARD_EVENT_WHY_ATTEMPT)
			put(&text, "%s%x", text.length ? " " : "", (unsigned)events[i].a);
	same_text("attempts", text.chars, expected, file, line);
	forget_events();
}
#define assert_attempts(expected) check_attempts(expected, __FILE__, __LINE__)

static struct yard_result task_request(uint32_t gfp, unsigned order, unsigned task)
{
	struct yard_request r = { .gfp = gfp, .order = (uint8_t)order, .task = (uint8_t)task, .node = -1 };
	struct yard_result result;

	yard_alloc_request(yard, &r, &result);
	return result;
}

// 02 1.4: ATOMIC under defrag_mode: fast, slow, the policy reset, the drop of NOFRAGMENT, and a page (SP-14, SP-16).
static void class_atomic(void **state)
{
	(void)state;
	only_pieces(defrag());
	assert_pfn(task_request(YARD_GFP_ATOMIC, 0, 0).pfn, 256);
	assert_attempts("901 930 930 830");
	only_pieces(policy_of("vanilla"));
	assert_pfn(task_request(YARD_GFP_ATOMIC, 0, 0).pfn, 256);
	assert_attempts("901"); // A12
}

// 02 1.4, D6: without the atomic fix such a request never falls back.
static void class_atomic_without_the_fix(void **state)
{
	(void)state;
	only_pieces(policy_of("linux-7.3,defrag_mode=1,nofrag_drop_nonreclaim=off"));
	assert_int_equal(task_request(YARD_GFP_ATOMIC, 0, 0).pfn, NONE);
	assert_attempts("901 930 930");
	assert_int_equal(count_events(YARD_EVENT_PAGE_ALLOC_EXTFRAG), 0); // I13
}

// 02 1.4: NOWAIT keeps CPUSET, so there is no policy reset.
static void class_nowait(void **state)
{
	(void)state;
	only_pieces(defrag());
	assert_pfn(task_request(YARD_GFP_NOWAIT, 0, 0).pfn, 256);
	assert_attempts("901 950 850");
}

// 02 1.4, SP-16: without KSWAPD there is no drop.
static void class_without_reclaim_bits(void **state)
{
	(void)state;
	only_pieces(defrag());
	assert_int_equal(task_request(YARD_GFP_NOWARN, 0, 0).pfn, NONE);
	assert_attempts("101 150");
	assert_int_equal(task_request(YARD_GFP_TRANSHUGE_LIGHT, 9, 0).pfn, NONE);
	assert_attempts("181 1c0"); // NOMEMALLOC: no NON_BLOCK
}

// 02 1.4: a PF_MEMALLOC task gets the reserves, and with them fallback; no further attempt needs the drop.
static void class_pf_memalloc(void **state)
{
	struct yard_result result;

	(void)state;
	only_pieces(defrag());
	result = task_request(GFP_U, 0, YARD_TASK_MEMALLOC);
	assert_pfn(result.pfn, 256);
	assert_true(result.pfmemalloc);
	assert_attempts("901 940 804");
}

// SP-12: __GFP_MEMALLOC likewise; NOMEMALLOC wins over both.
static void SP12_memalloc_and_nomemalloc(void **state)
{
	(void)state;
	only_pieces(defrag());
	assert_pfn(task_request(GFP_U | YARD_GFP_MEMALLOC, 0, 0).pfn, 256);
	assert_attempts("901 940 804");
	only_pieces(defrag());
	assert_pfn(task_request(GFP_U | YARD_GFP_MEMALLOC | YARD_GFP_NOMEMALLOC, 0, 0).pfn, 256);
	assert_attempts("901 940 840"); // DROP
}

// SP-12: an OOM victim walks with OOM, which drops NOFRAGMENT too.
static void SP12_oom_victim(void **state)
{
	(void)state;
	only_pieces(defrag());
	assert_pfn(task_request(GFP_U, 0, YARD_TASK_OOM_VICTIM).pfn, 256);
	assert_attempts("901 940 808");
}

// 02 1.4: KERNEL order 0 falls back after the drop.
static void class_kernel(void **state)
{
	(void)state;
	only_pieces(defrag());
	assert_pfn(task_request(GFP_U, 0, 0).pfn, 256);
	assert_attempts("901 940 840");
	assert_int_equal(type_at(0), U); // claimed
}

// LOOPGATE: NORETRY and costly orders never reach DROP.
static void loopgate_keeps_nofragment(void **state)
{
	(void)state;
	only_pieces(defrag());
	assert_int_equal(task_request(GFP_U | YARD_GFP_NORETRY, 0, 0).pfn, NONE);
	assert_attempts("901 940");
	assert_int_equal(task_request(GFP_U, 4, 0).pfn, NONE);
	assert_attempts("901 940");
}

// SP-45: the slow path works for whole blocks when a request is not movable and NOFRAGMENT is in force.
static void SP45_promotion(void **state)
{
	(void)state;
	only_pieces(defrag());
	task_request(GFP_U | YARD_GFP_NORETRY, 0, 0);
	assert_int_equal(last_event(YARD_EVENT_WHY_SLOWPATH)->b, 9);
	only_pieces(defrag());
	task_request(GFP_U | YARD_GFP_NORETRY, 10, 0);
	assert_int_equal(last_event(YARD_EVENT_WHY_SLOWPATH)->b, 10);
	only_pieces(policy_of("linux-7.3,defrag_mode=1,promote_nonmovable=off"));
	task_request(GFP_U | YARD_GFP_NORETRY, 0, 0);
	assert_int_equal(last_event(YARD_EVENT_WHY_SLOWPATH)->b, 0);
	only_pieces(policy_of("vanilla"));
	task_request(GFP_U | YARD_GFP_NORETRY, 9, 0);
	assert_int_equal(last_event(YARD_EVENT_WHY_SLOWPATH)->b, 9);
	assert_attempts("901 840"); // SP-11: no NOFRAGMENT
}

// G8: HIGH gives MIN_RESERVE; a realtime task with DIRECT_RECLAIM too, not in an interrupt.
static void G8_min_reserve(void **state)
{
	(void)state;
	only_pieces(policy_of("vanilla"));
	set_wmarks(normal(), 1000000, 1000000, 1000000);
	task_request(GFP_U | YARD_GFP_HIGH, 0, 0);
	assert_attempts("901 860");
	task_request(GFP_U, 0, YARD_TASK_REALTIME);
	assert_attempts("901 860");
	task_request(GFP_U, 0, YARD_TASK_REALTIME | YARD_TASK_INTERRUPT);
	assert_attempts("901 840");
	task_request(YARD_GFP_NOWAIT, 0, YARD_TASK_REALTIME);
	assert_attempts("901 850");
	task_request(YARD_GFP_ATOMIC, 2, 0);
	assert_attempts("b01 a30 a30"); // HIGHATOMIC, CPUSET removed, policy reset
}

// E-8, SP-14: an ATOMIC request leaves its nodemask in the slow path at the policy reset.
static void SP14_policy_reset_drops_the_nodemask(void **state)
{
	const struct yard_range memory[] = { { BASE, BASE + 4096, 0 }, { BASE + 4096, BASE + 8192, 1 } };
	struct yard_request r = { .gfp = YARD_GFP_ATOMIC, .node = 0, .nodemask = 1 };
	struct yard_config config = plain_config();
	struct yard_result result;

	(void)state;
	config.nr_nodes = 2;
	config.memory = memory;
	config.nr_memory = 2;
	build(&config);
	set_wmarks(normal(), 1000000, 1000000, 1000000);
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_OK);
	assert_int_equal(result.zone, YARD_ZONE_TYPES + NORMAL);
	assert_int_equal(result.attempts, 3);
	r.gfp = GFP_U;
	assert_int_equal(yard_alloc_request(yard, &r, &result), YARD_ENOMEM);
}

// SP-60: NOFAIL tries with MIN_RESERVE at the end.
static void SP60_nofail(void **state)
{
	(void)state;
	only_pieces(policy_of("vanilla"));
	set_wmarks(normal(), 400, 1000000, 1000000); // 256 free pages: 400 fails, 200 passes
	assert_int_equal(task_request(GFP_U, 0, 0).pfn, NONE);
	assert_attempts("901 840");
	assert_pfn(task_request(GFP_U | YARD_GFP_NOFAIL, 0, 0).pfn, 256);
	assert_attempts("901 840 60");
}

// 2.2 NORECLAIM comes before RECURSE: a request without DIRECT_RECLAIM drops NOFRAGMENT (SP-16) also while the task
// that was interrupted, or that asks with NOMEMALLOC, has PF_MEMALLOC.
static void SP16_drop_in_a_pf_memalloc_task(void **state)
{
	(void)state;
	only_pieces(defrag());
	assert_pfn(task_request(YARD_GFP_NOWAIT | YARD_GFP_NOMEMALLOC, 0, YARD_TASK_MEMALLOC).pfn, 256);
	assert_attempts("901 940 840");
}

// The same for an interrupt that hits such a task.
static void SP16_drop_in_an_interrupt_of_a_pf_memalloc_task(void **state)
{
	(void)state;
	only_pieces(defrag());
	assert_pfn(task_request(YARD_GFP_ATOMIC, 0, YARD_TASK_MEMALLOC | YARD_TASK_INTERRUPT).pfn, 256);
}

// 1.3, W11.2: the attempt of an ATOMIC request reaches down to three eighths of min.
static void class_atomic_reaches_three_eighths(void **state)
{
	(void)state;
	only_pieces(policy_of("vanilla"));
	set_wmarks(normal(), 680, 2000, 3000); // 680 - 340 = 340; 340 - 85 = 255 < 256
	assert_pfn(task_request(YARD_GFP_ATOMIC, 0, 0).pfn, 256);
	only_pieces(policy_of("vanilla"));
	set_wmarks(normal(), 683, 2000, 3000); // 683 - 341 = 342; 342 - 85 = 257
	assert_int_equal(task_request(YARD_GFP_ATOMIC, 0, 0).pfn, NONE);
}

// G3: what the machine's state forbids is gone from every request before anything else looks at it.
static void G3_forbidden_bits(void **state)
{
	(void)state;
	build_normal(plain_config(), 8192);
	assert_int_equal(yard_forbid_gfp(yard, YARD_GFP_MOVABLE), YARD_EINVAL);
	assert_int_equal(yard_forbid_gfp(yard, YARD_GFP_IO | YARD_GFP_FS), YARD_OK);
	assert_int_equal(request(YARD_GFP_KERNEL, 0).pfn == NONE, 0);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->a, YARD_GFP_NOIO);
	assert_int_equal(yard_forbid_gfp(yard, 0), YARD_OK);
	assert_int_equal(request(YARD_GFP_KERNEL, 0).pfn == NONE, 0);
	assert_int_equal(last_event(YARD_EVENT_PAGE_ALLOC)->a, YARD_GFP_KERNEL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(class_atomic),
		cmocka_unit_test(class_atomic_without_the_fix),
		cmocka_unit_test(class_nowait),
		cmocka_unit_test(class_without_reclaim_bits),
		cmocka_unit_test(class_pf_memalloc),
		cmocka_unit_test(SP12_memalloc_and_nomemalloc),
		cmocka_unit_test(SP12_oom_victim),
		cmocka_unit_test(class_kernel),
		cmocka_unit_test(loopgate_keeps_nofragment),
		cmocka_unit_test(SP45_promotion),
		cmocka_unit_test(G8_min_reserve),
		cmocka_unit_test(SP14_policy_reset_drops_the_nodemask),
		cmocka_unit_test(SP60_nofail),
		cmocka_unit_test(SP16_drop_in_a_pf_memalloc_task),
		cmocka_unit_test(SP16_drop_in_an_interrupt_of_a_pf_memalloc_task),
		cmocka_unit_test(class_atomic_reaches_three_eighths),
		cmocka_unit_test(G3_forbidden_bits),
	};

	return cmocka_run_group_tests_name("slowpath", tests, NULL, demolish);
}
