// SPDX-License-Identifier: Apache-2.0
//
// Same instance, same operations, same events; a copy continues exactly as its original would have.

#include "engine_fixture.h"

enum { HELD_MAX = 4096 };

struct xoshiro {
	uint64_t s[4];
};

static uint64_t next(struct xoshiro *x) // xoshiro256**
{
	uint64_t result = x->s[1] * 5, t = x->s[1] << 17;

	result = (result << 7 | result >> 57) * 9;
	x->s[2] ^= x->s[0];
	x->s[3] ^= x->s[1];
	x->s[1] ^= x->s[2];
	x->s[0] ^= x->s[3];
	x->s[2] ^= t;
	x->s[3] = x->s[3] << 45 | x->s[3] >> 19;
	return result;
}

// A user of one instance: what it holds, and a hash over all that it saw.
struct user {
	struct yard *yard;
	struct xoshiro rng;
	uint32_t nr_held;
	struct yard_block held[HELD_MAX];
	uint64_t hash;
};

static void mix(struct user *user, uint64_t value)
{
	user->hash = (user->hash ^ value) * 0x100000001b3;
}

static void hash_event(void *context, const struct yard_event *e)
{
	struct user *user = context;

	mix(user, (uint64_t)e->kind << 56 | (uint64_t)e->order << 48 | (uint64_t)e->migratetype << 40
			  | (uint64_t)e->zone << 32 | e->pfn);
	mix(user, (uint64_t)e->cpu << 32 | (uint32_t)e->a);
	mix(user, (uint64_t)(uint32_t)e->b << 32 | (uint32_t)e->c);
}

static void step(struct user *user)
{
	static const uint32_t gfps[] = { YARD_GFP_KERNEL, YARD_GFP_ATOMIC, YARD_GFP_HIGHUSER_MOVABLE,
					 YARD_GFP_KERNEL | YARD_GFP_RECLAIMABLE, YARD_GFP_NOWAIT };
	uint64_t r = next(&user->rng);
	unsigned order = r >> 8 & 3 ? 0 : (unsigned)(r >> 16) % 11;

	yard_sim_set_cpu(user->yard, (unsigned)(r >> 24) % yard_nr_cpus(user->yard));
	if ((r & 0xff) < 130 && user->nr_held < HELD_MAX) {
		uint32_t pfn = yard_alloc(user->yard, gfps[(r >> 32) % COUNT(gfps)], order);

		mix(user, pfn);
		if (pfn != NONE)
			user->held[user->nr_held++] = (struct yard_block){ pfn, order };
	} else if ((r & 0xff) < 250 && user->nr_held) {
		uint32_t i = (uint32_t)(r >> 32) % user->nr_held;
		struct yard_block block = user->held[i];

		user->held[i] = user->held[--user->nr_held];
		mix(user, (uint64_t)yard_free(user->yard, block.pfn, block.order));
	} else if (r >> 40 & 1) {
		mix(user, yard_vmstat_update(user->yard, (unsigned)(r >> 24) % yard_nr_cpus(user->yard), false));
	} else {
		yard_drain_all(user->yard, -1);
	}
}

static struct yard_range memory[2];

static struct yard_config machine(void)
{
	struct yard_config config = plain_config();

	memory[0] = (struct yard_range){ BASE, BASE + 9000, 0 };
	memory[1] = (struct yard_range){ BASE + 9000, BASE + 16384, 1 };
	config.nr_nodes = 2;
	config.nr_cpus = 3;
	config.memory = memory;
	config.nr_memory = 2;
	config.exact_counters = false;
	return config;
}

static void start(struct user *user, const struct yard_config *config, uint64_t seed)
{
	size_t size = yard_size(config, NULL);

	memset(user, 0, sizeof(*user));
	assert_int_equal(yard_init(zeroed(size), size, config, &user->yard), YARD_OK);
	user->rng = (struct xoshiro){ { seed, seed + 1, seed + 2, seed + 3 } };
}

// Lists, head to tail, and all that the state functions tell.
static uint64_t state_hash(struct yard *y)
{
	struct user hash = { .yard = y };

	for (unsigned zone = 0; zone < yard_nr_zones(y); zone++) {
		struct yard_zone_state z;

		memset(&z, 0, sizeof(z));
		yard_get_zone(y, zone, &z);
		for (unsigned i = 0; i < YARD_ZONE_STATS; i++)
			mix(&hash, (uint64_t)z.stat[i]);
		mix(&hash, z.boost);
		mix(&hash, z.flags);
		mix(&hash, z.pgalloc);
		mix(&hash, z.pgfree);
		for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++)
			for (unsigned type = 0; type < YARD_MIGRATETYPES; type++)
				for (uint32_t pfn = yard_free_list_next(y, zone, order, type, NONE); pfn != NONE;
				     pfn = yard_free_list_next(y, zone, order, type, pfn))
					mix(&hash, (uint64_t)order << 40 | (uint64_t)type << 32 | pfn);
		for (unsigned cpu = 0; cpu < yard_nr_cpus(y); cpu++)
			for (unsigned index = 0; index < YARD_PCP_LISTS; index++)
				for (uint32_t pfn = yard_pcp_list_next(y, zone, cpu, index, NONE); pfn != NONE;
				     pfn = yard_pcp_list_next(y, zone, cpu, index, pfn))
					mix(&hash, (uint64_t)cpu << 40 | (uint64_t)index << 32 | pfn);
	}
	return hash.hash;
}

static struct user a, b;

static int release(void **state)
{
	free(a.yard);
	free(b.yard);
	a.yard = b.yard = NULL;
	return demolish(state);
}

// Two instances of one configuration, one sequence of operations: the streams of events agree at every step.
static void same_operations_same_events(void **state)
{
	struct yard_config config = machine();

	(void)state;
	start(&a, &config, 42);
	start(&b, &config, 42);
	yard_set_event_sink(a.yard, hash_event, &a, true);
	yard_set_event_sink(b.yard, hash_event, &b, true);
	for (int i = 0; i < 30000; i++) {
		step(&a);
		step(&b);
		if (a.hash != b.hash)
			fail_msg("the streams part at operation %d", i);
	}
	assert_int_equal(state_hash(a.yard), state_hash(b.yard));
}

// A copy made in the middle goes on as the original does, and what happens to one does not touch the other.
static void a_copy_is_a_fork(void **state)
{
	struct yard_config config = machine();
	size_t size = yard_size(&config, NULL);
	uint64_t frozen;

	(void)state;
	free(a.yard);
	free(b.yard);
	start(&a, &config, 7);
	for (int i = 0; i < 10000; i++)
		step(&a);
	b = a;
	b.yard = yard_copy(zeroed(size), size, a.yard);
	assert_non_null(b.yard);
	frozen = state_hash(b.yard);
	assert_int_equal(frozen, state_hash(a.yard));
	yard_set_event_sink(a.yard, hash_event, &a, true);
	for (int i = 0; i < 10000; i++)
		step(&a);
	assert_int_equal(state_hash(b.yard), frozen);
	yard_set_event_sink(b.yard, hash_event, &b, true);
	for (int i = 0; i < 10000; i++)
		step(&b);
	assert_int_equal(a.hash, b.hash);
	assert_int_equal(state_hash(a.yard), state_hash(b.yard));
	assert_int_equal(yard_verify(a.yard, NULL, 0), YARD_OK);
	assert_int_equal(yard_verify(b.yard, NULL, 0), YARD_OK);
}

// Watching changes nothing: with and without a receiver of events, with and without reasons, the same frames.
static void a_sink_changes_nothing(void **state)
{
	struct yard_config config = machine();
	struct user shadow;

	(void)state;
	free(a.yard);
	free(b.yard);
	start(&a, &config, 99);
	start(&b, &config, 99);
	memset(&shadow, 0, sizeof(shadow));
	yard_set_event_sink(b.yard, hash_event, &shadow, true);
	for (int i = 0; i < 30000; i++) {
		step(&a);
		step(&b);
		if (a.hash != b.hash)
			fail_msg("results differ from operation %d on", i);
	}
	assert_int_equal(state_hash(a.yard), state_hash(b.yard));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_operations_same_events),
		cmocka_unit_test(a_copy_is_a_fork),
		cmocka_unit_test(a_sink_changes_nothing),
	};

	return cmocka_run_group_tests_name("determinism", tests, NULL, release);
}
