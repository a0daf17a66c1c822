// SPDX-License-Identifier: Apache-2.0
//
// Every sequence of operations of a small length on a tiny zone. The first test holds the buddy lists, after each step,
// against a second implementation of B1-B3, R4 and R5 that knows nothing but arrays; the second walks through per-CPU
// sets, fallback and isolation and checks the invariants.

#include "engine_fixture.h"

enum { FRAMES = 16, TOP = 4, DEPTH_MAX = 8 };

static size_t nr_steps;

static void restart(void *snapshot)
{
	memcpy(yard, snapshot, yard_bytes); // the same memory: inner pointers stay right
}

// ---- the reference: 16 frames, orders 0 to 4, one type ----

struct reference {
	uint8_t length[TOP + 1];
	uint8_t lists[TOP + 1][FRAMES]; // head first
	int8_t head_of[FRAMES];		// order of the free block that starts here, or -1
};

static void insert(struct reference *r, unsigned order, uint8_t frame, bool tail)
{
	uint8_t *list = r->lists[order], n = r->length[order]++;

	if (!tail)
		memmove(list + 1, list, n);
	list[tail ? n : 0] = frame;
	r->head_of[frame] = (int8_t)order;
}

static void erase(struct reference *r, unsigned order, uint8_t frame)
{
	uint8_t *list = r->lists[order], i = 0;

	while (list[i] != frame)
		i++;
	r->length[order]--;
	memmove(list + i, list + i + 1, (size_t)(r->length[order] - i));
	r->head_of[frame] = -1;
}

static int reference_alloc(struct reference *r, unsigned order)
{
	for (unsigned o = order; o <= TOP; o++) {
		uint8_t frame;

		if (!r->length[o])
			continue;
		frame = r->lists[o][0];
		erase(r, o, frame);
		while (o > order) {
			o--;
			insert(r, o, (uint8_t)(frame + (1 << o)), false);
		}
		return frame;
	}
	return -1;
}

static void reference_free(struct reference *r, uint8_t frame, unsigned order)
{
	unsigned pair;

	while (order < TOP && r->head_of[frame ^ 1 << order] == (int)order) {
		erase(r, order, (uint8_t)(frame ^ 1 << order));
		frame &= (uint8_t)~(1 << order);
		order++;
	}
	pair = (frame & ~(1u << order)) ^ 1u << (order + 1);
	insert(r, order, frame, order < TOP && pair < FRAMES && r->head_of[pair] == (int)order + 1);
}

struct block {
	uint8_t frame, order;
};

struct place {
	struct reference reference;
	struct block held[FRAMES];
	unsigned nr_held;
	char path[DEPTH_MAX * 4];
};

static void compare(const struct place *n)
{
	for (unsigned order = 0; order <= TOP; order++) {
		uint32_t pfn = yard_free_list_next(yard, NORMAL, order, M, NONE);

		for (unsigned i = 0; i < n->reference.length[order]; i++) {
			if (pfn != base + n->reference.lists[order][i])
				fail_msg("after %s: order %u, place %u: %d, not %u", n->path, order, i, (int)(pfn - base),
					 n->reference.lists[order][i]);
			pfn = yard_free_list_next(yard, NORMAL, order, M, pfn);
		}
		if (pfn != NONE)
			fail_msg("after %s: order %u has %u more", n->path, order, pfn - base);
	}
	nr_steps++;
}

static void explore_buddy(const struct place *from, unsigned depth, void **snapshots)
{
	size_t length = strlen(from->path);

	if (!depth)
		return;
	memcpy(snapshots[depth], yard, yard_bytes);
	for (unsigned order = 0; order <= 2; order++) { // allocate
		struct place n = *from;
		int expected = reference_alloc(&n.reference, order);
		uint32_t pfn;

		if (expected < 0)
			continue;
		snprintf(n.path + length, sizeof(n.path) - length, "a%u ", order);
		pfn = yard_alloc(yard, GFP_M, order);
		if (pfn != base + (unsigned)expected)
			fail_msg("after %s: %d was given, not %d", n.path, (int)(pfn - base), expected);
		n.held[n.nr_held++] = (struct block){ (uint8_t)expected, (uint8_t)order };
		compare(&n);
		explore_buddy(&n, depth - 1, snapshots);
		restart(snapshots[depth]);
	}
	for (unsigned i = 0; i < from->nr_held; i++) { // free
		struct place n = *from;
		struct block block = n.held[i];

		n.held[i] = n.held[--n.nr_held];
		snprintf(n.path + length, sizeof(n.path) - length, "f%x ", block.frame);
		reference_free(&n.reference, block.frame, block.order);
		if (yard_free(yard, base + block.frame, block.order))
			fail_msg("after %s: refused", n.path);
		compare(&n);
		explore_buddy(&n, depth - 1, snapshots);
		restart(snapshots[depth]);
	}
}

static void tiny_zone(void)
{
	blank(1024);
	give_free(0, 4);
	give_used(16, 1024, true);
	ready();
	set_wmarks(normal(), 0, 0, 0);
	normal()->stat[YARD_NR_FREE_PAGES] += 4096; // no watermark stands in the way
	yard_set_event_sink(yard, NULL, NULL, false);
}

static void *snapshots[DEPTH_MAX + 1];

static void make_snapshots(void)
{
	for (size_t i = 0; i <= DEPTH_MAX; i++) {
		free(snapshots[i]);
		snapshots[i] = zeroed(yard_bytes);
	}
}

// All sequences of 8 direct allocations of orders 0 to 2 and frees: lists and frames as the reference says.
static void buddy_lists_against_a_reference(void **state)
{
	struct place n = { .nr_held = 0 };

	(void)state;
	tiny_zone();
	make_snapshots();
	direct(true);
	memset(n.reference.head_of, -1, sizeof(n.reference.head_of));
	insert(&n.reference, 4, 0, false);
	nr_steps = 0;
	explore_buddy(&n, getenv("PAGEYARD_EXHAUSTIVE") ? 8 : 7, snapshots);
	assert_true(nr_steps > 30000);
}

// ---- everything else: invariants only ----

enum op { ALLOC_U, ALLOC_M, ALLOC_M2, ALLOC_ATOMIC, FREE_FIRST, FREE_LAST, FREE_SPLIT, DRAIN, ISOLATE, TAKE, CPU, BUSY, OPS };

struct world {
	struct block held[64];
	unsigned nr_held;
	bool isolated, busy, taken;
	uint8_t cpu, taken_order;
};

static bool hold(struct world *w, uint32_t gfp, unsigned order)
{
	uint32_t pfn = yard_alloc(yard, gfp, order);

	if (pfn == NONE || pfn - base >= FRAMES)
		return pfn == NONE;
	w->held[w->nr_held++] = (struct block){ (uint8_t)(pfn - base), (uint8_t)order };
	return true;
}

static void give_back(struct world *w, unsigned i, bool split)
{
	struct block block = w->held[i];

	w->held[i] = w->held[--w->nr_held];
	if (split)
		assert_int_equal(yard_free_tail(yard, base + block.frame, block.order), YARD_OK);
	assert_int_equal(yard_free(yard, base + block.frame, split ? 0 : block.order), YARD_OK);
}

// False: the operation makes no sense here.
static bool apply(struct world *w, enum op op)
{
	switch (op) {
	case ALLOC_U:
		return hold(w, GFP_U, 0);
	case ALLOC_M:
		return hold(w, GFP_M, 0);
	case ALLOC_M2:
		return hold(w, GFP_M, 2);
	case ALLOC_ATOMIC:
		return hold(w, YARD_GFP_ATOMIC, 1);
	case FREE_FIRST:
	case FREE_LAST:
		if (!w->nr_held || (op == FREE_LAST && w->nr_held == 1))
			return false;
		give_back(w, op == FREE_FIRST ? 0 : w->nr_held - 1, false);
		return true;
	case FREE_SPLIT:
		if (!w->nr_held || !w->held[0].order)
			return false;
		give_back(w, 0, true);
		return true;
	case DRAIN:
		yard_drain_all(yard, -1);
		return true;
	case ISOLATE:
		w->isolated = !w->isolated;
		if (!w->isolated)
			return yard_unisolate_range(yard, base, base + BLOCK) == YARD_OK;
		w->isolated = yard_isolate_range(yard, base, base + BLOCK, YARD_ISOLATE_OTHER) == YARD_OK;
		return w->isolated;
	case TAKE:
		w->taken = !w->taken;
		if (!w->taken)
			return yard_putback_free_page(yard, base, w->taken_order) == YARD_OK;
		w->taken = yard_frame_state(yard, base, NULL, NULL) == YARD_FRAME_BUDDY;
		if (!w->taken)
			return false;
		w->taken_order = (uint8_t)yard_isolate_free_page(yard, base);
		return true;
	case CPU:
		w->cpu ^= 1;
		return yard_sim_set_cpu(yard, w->cpu) == YARD_OK;
	case BUSY:
		w->busy = !w->busy;
		yard_sim_set_pcp_busy(yard, w->busy);
		return true;
	default:
		return false;
	}
}

static void explore_world(const struct world *from, unsigned depth, unsigned *path, unsigned length)
{
	char text[256];

	memcpy(snapshots[depth], yard, yard_bytes);
	for (unsigned op = 0; op < OPS; op++) {
		struct world w = *from;

		path[length] = op;
		if (apply(&w, (enum op)op)) {
			nr_steps++;
			normal()->stat[YARD_NR_FREE_PAGES] -= 4096; // tiny_zone()'s surplus
			if (yard_verify(yard, text, sizeof(text))) {
				for (unsigned i = 0; i <= length; i++)
					print_error("%u ", path[i]);
				fail_msg("%s", text);
			}
			normal()->stat[YARD_NR_FREE_PAGES] += 4096;
			if (depth > 1)
				explore_world(&w, depth - 1, path, length + 1);
		}
		restart(snapshots[depth]);
	}
}

// All sequences of operations of every kind: the invariants hold after each.
static void invariants_after_every_sequence(void **state)
{
	struct yard_config config = plain_config();
	struct world w = { .nr_held = 0 };
	unsigned path[DEPTH_MAX];

	(void)state;
	config.nr_cpus = 2;
	config.no_dma32 = true;
	blank_config(config, 1024);
	give_free(0, 4);
	give_used(16, 1024, true);
	ready();
	set_wmarks(normal(), 0, 0, 0);
	set_pcps(normal(), 2, 3, 5);
	normal()->stat[YARD_NR_FREE_PAGES] += 4096;
	yard_set_event_sink(yard, NULL, NULL, false);
	make_snapshots();
	nr_steps = 0;
	explore_world(&w, getenv("PAGEYARD_EXHAUSTIVE") ? 6 : 5, path, 0);
	assert_true(nr_steps > 10000);
}

static int release(void **state)
{
	for (size_t i = 0; i <= DEPTH_MAX; i++)
		free(snapshots[i]);
	return demolish(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buddy_lists_against_a_reference),
		cmocka_unit_test(invariants_after_every_sequence),
	};

	return cmocka_run_group_tests_name("exhaustive", tests, NULL, release);
}
