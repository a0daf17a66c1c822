// SPDX-License-Identifier: Apache-2.0
//
// Reclaim and compaction with threads (posix): buffers whose content is checked at every use, on two nodes that are too
// small for them. Users work on buffers, a flusher ends writes, kswapd and kcompactd of both nodes run, and one more
// thread does what an administrator may do; in one test local-reclaim and migration between the nodes go on as well.
// PAGEYARD_THREAD_MS=n milliseconds a test (500) at least. Meant for the sanitizers
// too: a frame's content is plain memory that only its owner may touch.
//
// A buffer's lock is the whole protocol, as in examples/buffer_pool.c: a callback that cannot have it says "not now".

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "engine/mm.h"
#include "pageyard/local_reclaim.h"
#include "pageyard/migrate.h"
#include "pageyard/worker.h"

enum { FIRST = 1 << 20, NODES = 2, NODE_FRAMES = 8192, FRAMES = NODES * NODE_FRAMES, CPUS = 2 };
enum { SMALL = FRAMES * 3 / 2, HUGE_ONES = 8, BUFFERS = SMALL + HUGE_ONES };
enum { USERS = 3, THREADS = USERS + 2 + 3 * NODES, KERNEL_BLOCKS = 32, WRITES = 4096 };

enum kind { ANON_BUFFER, SHMEM_BUFFER, FILE_BUFFER, OPS_BUFFER, KINDS }; // OPS: can move, is never reclaimed

static struct buffer {
	pthread_mutex_t lock;
	uint32_t pfn; // YARD_PFN_NONE: not in memory
	uint64_t version, stored;
	uint8_t order, kind;
	bool dirty, in_file, writing, pinned, mlocked;
	_Atomic int accessed; // for the `referenced` callback
} buffers[BUFFERS];

static struct yard *yard;
static uint64_t memory[FRAMES]; // one word stands for a frame's content
static _Atomic bool stop, stop_flusher;
static _Atomic uint32_t nr_errors;
static unsigned local_owners; // of local-reclaim; 0: nobody uses it
static _Atomic uint64_t moved, written, released, read_back, huge_ones;

struct thread {
	pthread_t thread;
	uint64_t rng;
	unsigned node;
	bool switches; // turns the multi-gen LRU on and off
	uint32_t nr_blocks;
	struct yard_block blocks[KERNEL_BLOCKS];
};

static struct {
	pthread_mutex_t lock;
	size_t nr;
	uint32_t buffer[WRITES];
} writes = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void complain(const char *what, size_t number, int64_t value)
{
	if (atomic_fetch_add(&nr_errors, 1) < 10)
		fprintf(stderr, "# %s: %zu, %lld\n", what, number, (long long)value);
}

static void expect(int error, const char *what, uint32_t pfn)
{
	if (error)
		complain(what, pfn - FIRST, error);
}

static uint32_t rnd(struct thread *t, uint32_t below)
{
	t->rng ^= t->rng << 13;
	t->rng ^= t->rng >> 7;
	t->rng ^= t->rng << 17;
	return (uint32_t)((t->rng >> 32) * below >> 32);
}

static void pause_ns(long ns)
{
	nanosleep(&(struct timespec){ 0, ns }, NULL);
}

// ---- callbacks ----

static struct buffer *lock_owner_of(uint32_t pfn) // NULL: somebody works on it, or it is not a buffer's page any more
{
	uint32_t number = yard_get_owner(yard, pfn);
	struct buffer *buffer = &buffers[number];

	if (number >= BUFFERS || pthread_mutex_trylock(&buffer->lock))
		return NULL;
	if (buffer->pfn == pfn)
		return buffer;
	pthread_mutex_unlock(&buffer->lock);
	return NULL;
}

static enum yard_move_result move(void *context, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	struct buffer *buffer = lock_owner_of(from);
	bool may;

	(void)context, (void)mode;
	if (!buffer)
		return YARD_MOVE_AGAIN;
	if (buffer->order != order)
		complain("order of a page to move", buffer - buffers, order);
	may = !buffer->pinned && !buffer->writing;
	if (may) {
		memcpy(&memory[to - FIRST], &memory[from - FIRST], sizeof(memory[0]) << order);
		memset(&memory[from - FIRST], 0xdd, sizeof(memory[0]) << order);
		buffer->pfn = to;
		moved++;
	}
	pthread_mutex_unlock(&buffer->lock);
	return may ? YARD_MOVE_DONE : YARD_MOVE_BUSY;
}

static bool begin_write(struct buffer *buffer) // lock held; false: too many are on their way
{
	pthread_mutex_lock(&writes.lock);
	if (writes.nr < WRITES) {
		writes.buffer[writes.nr++] = (uint32_t)(buffer - buffers);
		buffer->writing = true;
	}
	pthread_mutex_unlock(&writes.lock);
	return buffer->writing;
}

static void store(struct buffer *buffer)
{
	buffer->stored = memory[buffer->pfn - FIRST];
	buffer->dirty = false;
	buffer->in_file = true;
	written++;
}

static enum yard_write_result write_out(void *context, uint32_t pfn, unsigned order)
{
	struct buffer *buffer = lock_owner_of(pfn);
	enum yard_write_result result = YARD_WRITE_KEEP;

	(void)context, (void)order;
	if (!buffer)
		return YARD_WRITE_KEEP;
	if (!buffer->writing) {
		store(buffer);
		result = pfn % 4 && begin_write(buffer) ? YARD_WRITE_STARTED : YARD_WRITE_DONE;
	}
	pthread_mutex_unlock(&buffer->lock);
	return result;
}

static bool release(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	struct buffer *buffer = lock_owner_of(pfn);
	bool may;

	(void)context, (void)shadow;
	if (!buffer)
		return false;
	may = !buffer->dirty && buffer->in_file && !buffer->writing && !buffer->pinned && !buffer->mlocked;
	if (may) {
		memset(&memory[pfn - FIRST], 0xee, sizeof(memory[0]) << order);
		buffer->pfn = YARD_PFN_NONE;
		released++;
	}
	pthread_mutex_unlock(&buffer->lock);
	return may;
}

static int referenced(void *context, uint32_t pfn, unsigned order) // also of pages that may be freed meanwhile
{
	uint32_t number = yard_get_owner(yard, pfn);

	(void)context, (void)order;
	return number < BUFFERS ? atomic_exchange(&buffers[number].accessed, 0) : 0;
}

static bool may_move(void *context, uint32_t pfn, unsigned order, enum yard_migrate_mode mode)
{
	(void)context, (void)order, (void)mode;
	return pfn % 16;
}

// ---- what users do; the buffer's lock is held ----

static uint64_t content(const struct buffer *buffer)
{
	return (uint64_t)(buffer - buffers) << 32 | buffer->version;
}

static void fill(struct buffer *buffer)
{
	uint64_t value = buffer->in_file ? buffer->stored : content(buffer);

	read_back += buffer->in_file;
	for (uint32_t i = 0; i < 1u << buffer->order; i++)
		memory[buffer->pfn - FIRST + i] = value;
	if (buffer->kind == FILE_BUFFER && !buffer->in_file) {
		buffer->stored = value;
		buffer->in_file = true;
	}
	buffer->dirty = !buffer->in_file;
}

static uint32_t flags_of(const struct buffer *buffer)
{
	uint32_t flags = buffer->dirty ? YARD_PAGE_DIRTY : 0;

	if (buffer->kind == ANON_BUFFER)
		flags |= YARD_PAGE_ANON;
	if (buffer->kind != FILE_BUFFER)
		flags |= YARD_PAGE_SWAPBACKED | (buffer->in_file ? YARD_PAGE_SWAPCACHE : 0);
	return flags;
}

// local-reclaim evicts what nobody has mapped.
static enum yard_mapping mapping_of(const struct buffer *buffer)
{
	return local_owners && buffer->kind == FILE_BUFFER ? YARD_UNMAPPED : YARD_MAPPED;
}

static bool bring_in(struct thread *t, struct buffer *buffer)
{
	struct yard_request request = {
		.gfp = buffer->order ? YARD_GFP_TRANSHUGE : YARD_GFP_HIGHUSER_MOVABLE, .order = buffer->order,
		.node = (int16_t)((int)rnd(t, NODES + 1) - 1),
		.local_reclaim = local_owners ? (uint8_t)rnd(t, local_owners + 1) : 0,
	};
	struct yard_result result;

	if (yard_alloc_request(yard, &request, &result))
		return false;
	buffer->pfn = result.pfn;
	huge_ones += !!buffer->order;
	yard_set_owner(yard, buffer->pfn, (uint32_t)(buffer - buffers));
	fill(buffer);
	if (buffer->kind == OPS_BUFFER)
		expect(yard_set_movable_ops(yard, buffer->pfn, true), "set_movable_ops", buffer->pfn);
	else
		expect(yard_lru_add(yard, buffer->pfn, flags_of(buffer), mapping_of(buffer)), "lru_add", buffer->pfn);
	return true;
}

static void tell_access(struct thread *t, struct buffer *buffer, bool change)
{
	uint32_t pfn = buffer->pfn;

	if (buffer->kind == OPS_BUFFER)
		return;
	atomic_store(&buffer->accessed, 1);
	if (rnd(t, 4) && !yard_lru_touch(yard, pfn, 1 + rnd(t, 2), change))
		return;
	expect(yard_lru_map(yard, pfn, mapping_of(buffer)), "map", pfn); // reclaim may unmap it at any time
	expect(yard_lru_mark_accessed(yard, pfn), "mark_accessed", pfn);
	if (change)
		expect(yard_lru_set(yard, pfn, YARD_PAGE_DIRTY, true), "set dirty", pfn);
}

static void use(struct thread *t, struct buffer *buffer)
{
	bool change = rnd(t, 3) == 0;

	if (buffer->pfn == YARD_PFN_NONE && !bring_in(t, buffer))
		return;
	for (uint32_t i = buffer->pfn - FIRST; i < buffer->pfn - FIRST + (1u << buffer->order); i++) {
		if (memory[i] != content(buffer))
			complain("wrong content", buffer - buffers, (int64_t)memory[i]);
		memory[i] += change;
	}
	buffer->version += change;
	buffer->dirty |= change;
	if (change || rnd(t, 2))
		tell_access(t, buffer, change);
}

static void forget(struct buffer *buffer)
{
	buffer->pfn = YARD_PFN_NONE;
	buffer->version = 0;
	buffer->in_file = buffer->dirty = buffer->pinned = buffer->mlocked = false;
}

static void drop(struct buffer *buffer)
{
	uint32_t pfn = buffer->pfn;

	if (pfn == YARD_PFN_NONE || buffer->writing)
		return;
	memset(&memory[pfn - FIRST], 0xff, sizeof(memory[0]) << buffer->order);
	expect(yard_free(yard, pfn, buffer->order), "free", pfn);
	forget(buffer);
}

// As small pages, while somebody may be about to isolate it.
static void break_up(struct buffer *buffer)
{
	uint32_t pfn = buffer->pfn, nr = 1u << buffer->order;
	int error;

	if (pfn == YARD_PFN_NONE || buffer->writing)
		return;
	memset(&memory[pfn - FIRST], 0xff, sizeof(memory[0]) * nr);
	error = yard_split(yard, pfn, buffer->order);
	if (error == YARD_EBUSY) { // held now: it goes as it is
		expect(yard_free(yard, pfn, buffer->order), "free", pfn);
	} else {
		expect(error, "split", pfn);
		error = yard_free_range(yard, pfn, nr);
		for (uint32_t i = 0; error == YARD_EBUSY && i < nr; i++)
			expect(yard_free(yard, pfn + i, 0), "free of a part", pfn + i);
		expect(error == YARD_EBUSY ? 0 : error, "free_range", pfn);
	}
	forget(buffer);
}

static void cut_tail(struct buffer *buffer)
{
	uint32_t pfn = buffer->pfn;
	int error;

	if (pfn == YARD_PFN_NONE || buffer->writing)
		return;
	memset(&memory[pfn - FIRST], 0xff, sizeof(memory[0]) << buffer->order);
	error = yard_free_tail(yard, pfn, buffer->order);
	expect(error == YARD_EBUSY ? 0 : error, "free_tail", pfn);
	expect(yard_free(yard, pfn, error ? buffer->order : 0), "free", pfn);
	forget(buffer);
}

static void set_flag(struct buffer *buffer, uint32_t flag, bool *mine)
{
	*mine = !*mine;
	expect(yard_lru_set(yard, buffer->pfn, flag, *mine), "set", buffer->pfn);
}

static void advise(struct thread *t, struct buffer *buffer)
{
	uint32_t pfn = buffer->pfn;

	switch (rnd(t, 6)) {
	case 0:
		expect(yard_lru_deactivate(yard, pfn), "deactivate", pfn);
		break;
	case 1:
		expect(yard_lru_deactivate_file(yard, pfn), "deactivate_file", pfn);
		break;
	case 2:
		expect(yard_lru_map(yard, pfn, rnd(t, 2) ? YARD_UNMAPPED : YARD_MAPPED_EXEC), "map", pfn);
		break;
	case 3:
		if (buffer->kind == ANON_BUFFER)
			expect(yard_lru_set(yard, pfn, YARD_PAGE_SWAPBACKED, true), "set swapbacked", pfn);
		break;
	case 4:
		if (buffer->kind == ANON_BUFFER && !buffer->dirty && !buffer->writing)
			expect(yard_lru_lazyfree(yard, pfn), "lazyfree", pfn);
		break;
	default:
		expect(yard_lru_mark_accessed(yard, pfn), "mark_accessed", pfn);
		break;
	}
}

static void work_on(struct thread *t, struct buffer *buffer)
{
	uint32_t r = rnd(t, 100);

	if (buffer->pfn == YARD_PFN_NONE || r < 70)
		use(t, buffer);
	else if (r < 76)
		drop(buffer);
	else if (buffer->kind == OPS_BUFFER)
		return;
	else if (r < 88)
		advise(t, buffer);
	else if (buffer->pinned || (r < 92 && !rnd(t, 4)))
		set_flag(buffer, YARD_PAGE_PINNED, &buffer->pinned);
	else if (buffer->mlocked || !rnd(t, 4))
		set_flag(buffer, YARD_PAGE_UNEVICTABLE, &buffer->mlocked);
}

static void work_on_huge(struct thread *t, struct buffer *buffer)
{
	switch (rnd(t, 8)) {
	case 0:
		drop(buffer);
		break;
	case 1:
		break_up(buffer);
		break;
	case 2:
		cut_tail(buffer);
		break;
	default:
		use(t, buffer);
		break;
	}
}

// ---- memory that cannot move ----

static void kernel_memory(struct thread *t)
{
	uint32_t i = rnd(t, KERNEL_BLOCKS), order = rnd(t, 4) ? 0 : rnd(t, 6), pfn;
	struct yard_block block;

	if (i >= t->nr_blocks) {
		pfn = yard_alloc(yard, rnd(t, 4) ? YARD_GFP_KERNEL : YARD_GFP_ATOMIC, order);
		if (pfn != YARD_PFN_NONE)
			t->blocks[t->nr_blocks++] = (struct yard_block){ pfn, order };
		return;
	}
	block = t->blocks[i];
	t->blocks[i] = t->blocks[--t->nr_blocks];
	switch (rnd(t, 3)) {
	case 0:
		expect(yard_free_nolock(yard, block.pfn, block.order), "free_nolock", block.pfn);
		break;
	case 1:
		expect(yard_free_batch(yard, &block, 1), "free_batch", block.pfn);
		break;
	default:
		expect(yard_free(yard, block.pfn, block.order), "free", block.pfn);
		break;
	}
}

// ---- threads ----

static void *user(void *argument)
{
	struct thread *t = argument;
	struct yard_task task = { .pid = 1 + (uint32_t)(t->rng >> 40) };

	if (local_owners) // without a task nobody's time is known, so that nobody may wait
		yard_set_current(yard, &task);
	while (!stop && !nr_errors) {
		uint32_t r = rnd(t, 400), number = r ? rnd(t, rnd(t, 2) ? SMALL / 4 : SMALL) : SMALL + rnd(t, HUGE_ONES);
		struct buffer *buffer = &buffers[number];

		if (r % 20 == 1) {
			kernel_memory(t);
			continue;
		}
		pthread_mutex_lock(&buffer->lock);
		if (r)
			work_on(t, buffer);
		else
			work_on_huge(t, buffer);
		pthread_mutex_unlock(&buffer->lock);
	}
	while (t->nr_blocks--)
		expect(yard_free(yard, t->blocks[t->nr_blocks].pfn, t->blocks[t->nr_blocks].order), "free", FIRST);
	yard_set_current(yard, NULL);
	return NULL;
}

static uint32_t next_write(void) // BUFFERS: none
{
	uint32_t number;

	pthread_mutex_lock(&writes.lock);
	number = writes.nr ? writes.buffer[--writes.nr] : BUFFERS;
	pthread_mutex_unlock(&writes.lock);
	return number;
}

static void end_write(uint32_t number)
{
	struct buffer *buffer = &buffers[number];

	pthread_mutex_lock(&buffer->lock);
	if (!buffer->writing || buffer->pfn == YARD_PFN_NONE)
		complain("a page under writeback has gone", number, buffer->writing);
	buffer->writing = false;
	expect(yard_writeback_end(yard, buffer->pfn), "writeback_end", buffer->pfn);
	pthread_mutex_unlock(&buffer->lock);
}

static void write_file(struct buffer *buffer)
{
	if (pthread_mutex_trylock(&buffer->lock))
		return;
	if (buffer->kind == FILE_BUFFER && buffer->pfn != YARD_PFN_NONE && buffer->dirty && !buffer->writing
	    && begin_write(buffer)) {
		expect(yard_writeback_begin(yard, buffer->pfn), "writeback_begin", buffer->pfn);
		store(buffer);
	}
	pthread_mutex_unlock(&buffer->lock);
}

static void *flusher(void *argument)
{
	struct thread *t = argument;
	uint32_t number;

	while (!stop_flusher) {
		for (unsigned i = 0; i < 64; i++)
			write_file(&buffers[rnd(t, SMALL)]);
		pause_ns(200000);
		while ((number = next_write()) != BUFFERS)
			end_write(number);
	}
	return NULL;
}

static void *kswapd(void *argument)
{
	const struct thread *t = argument;
	struct yard_wait wait = { .kind = YARD_WAIT_NONE };

	for (bool woken = false; !stop; woken = yard_worker_wait(yard, &wait))
		yard_kswapd_step(yard, t->node, woken, &wait);
	return NULL;
}

static void *kcompactd(void *argument)
{
	const struct thread *t = argument;
	struct yard_wait wait = { .kind = YARD_WAIT_NONE };

	for (bool woken = false; !stop; woken = yard_worker_wait(yard, &wait))
		yard_kcompactd_step(yard, t->node, woken, &wait);
	return NULL;
}

// Garbage goes, spilled pages come home, and pages move for no reason at all.
static void *reclaimer(void *argument)
{
	struct thread *t = argument;
	struct yard_wait wait = { .kind = YARD_WAIT_NONE };

	for (bool woken = false; local_owners && !stop; woken = yard_worker_wait(yard, &wait)) {
		yard_local_reclaim_step(yard, t->node, 0, woken, &wait);
		yard_migrate_misplaced(yard, FIRST + rnd(t, FRAMES), rnd(t, NODES));
	}
	return NULL;
}

static void local_page(void *context, uint32_t pfn, unsigned order, struct yard_local_page *page)
{
	(void)context, (void)order;
	page->declared = pfn % 2;
	page->victim = 1 + pfn % 3;
	page->victim_pages = 16 * FRAMES;
}

static unsigned local_home(void *context, uint32_t pfn, unsigned order, uint64_t nodes)
{
	(void)context, (void)order, (void)nodes;
	return 1 + pfn % 2;
}

static void page_out(struct thread *t)
{
	uint32_t pfns[16], first = rnd(t, SMALL - 16);

	for (uint32_t i = 0; i < 16; i++) {
		pthread_mutex_lock(&buffers[first + i].lock);
		pfns[i] = buffers[first + i].pfn;
		pthread_mutex_unlock(&buffers[first + i].lock);
	}
	yard_reclaim_pages(yard, pfns, 16);
}

static void take_range(struct thread *t)
{
	uint32_t nr = 1u << (6 + rnd(t, 4)), pfn = yard_alloc_contig(yard, nr, YARD_GFP_KERNEL);

	if (pfn == YARD_PFN_NONE)
		return;
	memset(&memory[pfn - FIRST], 0xcc, sizeof(memory[0]) * nr);
	expect(yard_free_range(yard, pfn, nr), "free_range", pfn);
}

static void *administrator(void *argument)
{
	static const char *const wishes[] = { "256K", "1M", "512K swappiness=max", "128K swappiness=0" };
	struct thread *t = argument;
	struct yard_task task = { .pid = 1 }; // by which the engine knows who holds isolated pages (spec 03 C4.1)
	bool gen = false;

	yard_set_current(yard, &task);
	for (; !stop; pause_ns(500000))
		switch (rnd(t, 11)) {
		case 0: yard_lru_drain_all(yard); break;
		case 1: yard_drain_all(yard, -1); break;
		case 2: yard_node_reclaim_write(yard, rnd(t, NODES), wishes[rnd(t, 4)], NULL); break;
		case 3: yard_compact_node(yard, (int)rnd(t, NODES)); break;
		case 10: yard_memory_reclaim_write(yard, wishes[rnd(t, 4)], NULL); break;
		case 4: expect(yard_set_compaction_proactiveness(yard, rnd(t, 101)), "proactiveness", FIRST); break;
		case 5: take_range(t); break;
		case 6: page_out(t); break;
		case 7: yard_vmstat_update(yard, rnd(t, CPUS), rnd(t, 2)); break;
		default:
			if (t->switches)
				yard_set_lru_gen(yard, gen = !gen);
			break;
		}
	yard_set_current(yard, NULL);
	return NULL;
}

// ---- afterwards ----

static void verify(void)
{
	char text[256];

	if (yard_verify(yard, text, sizeof(text)))
		fail_msg("%s", text);
	for (unsigned node = 0; node < NODES; node++)
		for (unsigned item = YARD_NODE_ISOLATED_ANON; item <= YARD_NODE_ISOLATED_FILE; item++)
			assert_int_equal(atomic_load(&yard->mm[node].stat[item]), 0);
}

// What the owner has said last is what the engine knows, wherever the page went meanwhile.
static void check_flags(void)
{
	for (uint32_t i = 0; i < BUFFERS; i++) {
		const struct buffer *buffer = &buffers[i];
		uint32_t flags;
		enum yard_mapping mapping;
		bool lru;

		if (buffer->pfn == YARD_PFN_NONE || buffer->kind == OPS_BUFFER)
			continue;
		assert_int_equal(yard_get_owner(yard, buffer->pfn), i);
		assert_int_equal(yard_lru_get(yard, buffer->pfn, &flags, &mapping, &lru), YARD_OK);
		if (buffer->dirty && !(flags & YARD_PAGE_DIRTY))
			complain("dirty, but the engine does not know", i, flags);
		if (buffer->mlocked != !!(flags & YARD_PAGE_UNEVICTABLE))
			complain("locked?", i, flags);
		if (buffer->pinned != !!(flags & YARD_PAGE_PINNED))
			complain("pinned?", i, flags);
	}
}

static uint64_t free_pages(unsigned node, uint64_t *managed)
{
	uint64_t nr_free = 0;

	*managed = 0;
	for (unsigned id = node * YARD_ZONE_TYPES; id < (node + 1) * YARD_ZONE_TYPES; id++) {
		struct yard_zone_state zone;

		yard_get_zone(yard, id, &zone);
		*managed += zone.managed;
		for (unsigned order = 0; order <= YARD_MAX_PAGE_ORDER; order++)
			nr_free += (uint64_t)zone.nr_free[order] << order;
	}
	return nr_free;
}

static void free_everything(void)
{
	static const unsigned gone[] = {
		YARD_NODE_ANON_PAGES, YARD_NODE_FILE_MAPPED, YARD_NODE_FILE_PAGES, YARD_NODE_SHMEM, YARD_NODE_FILE_DIRTY,
		YARD_NODE_WRITEBACK, YARD_NODE_SWAPCACHE, YARD_NODE_INACTIVE_ANON, YARD_NODE_ACTIVE_ANON,
		YARD_NODE_INACTIVE_FILE, YARD_NODE_ACTIVE_FILE, YARD_NODE_UNEVICTABLE,
	};

	for (uint32_t i = 0; i < BUFFERS; i++) {
		if (buffers[i].pfn != YARD_PFN_NONE)
			assert_int_equal(yard_free(yard, buffers[i].pfn, buffers[i].order), YARD_OK);
		forget(&buffers[i]);
	}
	yard_lru_drain_all(yard);
	for (unsigned node = 0; node < NODES; node++) { // B11: a direct free drains what NOLOCK frees left
		struct yard_request request = { .gfp = YARD_GFP_KERNEL | YARD_GFP_THISNODE, .order = 4, .node = (int16_t)node };
		struct yard_result result;

		assert_int_equal(yard_alloc_request(yard, &request, &result), YARD_OK);
		assert_int_equal(yard_free(yard, result.pfn, 4), YARD_OK);
	}
	yard_drain_all(yard, -1);
	verify();
	for (unsigned node = 0; node < NODES; node++) {
		uint64_t managed, nr_free = free_pages(node, &managed);

		assert_int_equal(nr_free, managed);
		for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
			assert_int_equal(atomic_load(&yard->mm[node].stat[gone[i]]), 0);
		for (unsigned kind = 0; kind < 4; kind++)
			assert_in_range(atomic_load(&yard->mm[node].throttle[kind].sleepers), 0,
					kind == YARD_QUEUE_WRITEBACK && yard->mm[node].kswapd.throttled);
	}
}

// ---- a run ----

static void *build(struct yard_config *config, const char *policy)
{
	static const struct yard_range ram[NODES] = {
		{ FIRST, FIRST + NODE_FRAMES, 0 }, { FIRST + NODE_FRAMES, FIRST + FRAMES, 1 },
	};
	size_t size;
	void *bytes;

	config->nr_nodes = NODES;
	config->nr_cpus = CPUS;
	config->memory = ram;
	config->nr_memory = NODES;
	config->user_min_free_kbytes = 512;
	config->watermark_boost_factor = -1;
	config->owner.move = move;
	config->owner.may_move = may_move;
	config->owner.write_out = write_out;
	config->owner.release = release;
	assert_int_equal(yard_policy_parse(policy, &config->policy, NULL, 0), 0);
	size = (yard_size(config, NULL) + 63) & ~(size_t)63;
	bytes = aligned_alloc(64, size);
	assert_non_null(bytes);
	assert_int_equal(yard_init(memset(bytes, 0, size), size, config, &yard), YARD_OK);
	yard_set_swap(yard, 1 << 30, 1 << 30);
	return bytes;
}

static void set_up_buffers(void)
{
	for (uint32_t i = 0; i < BUFFERS; i++) {
		struct buffer *buffer = &buffers[i];

		memset(buffer, 0, sizeof(*buffer));
		pthread_mutex_init(&buffer->lock, NULL);
		buffer->pfn = YARD_PFN_NONE;
		buffer->order = i < SMALL ? 0 : YARD_PAGEBLOCK_ORDER;
		buffer->kind = i < SMALL && i % 32 ? i % (KINDS - 1) : i < SMALL ? OPS_BUFFER : ANON_BUFFER;
	}
	moved = written = released = read_back = huge_ones = 0;
	stop = stop_flusher = false;
}

// What the test is about. A slow machine takes its time: the threads go on until they have met all of it.
static bool everything_happened(void)
{
	uint64_t evicted = 0;

	for (unsigned i = 1; i <= local_owners; i++) {
		struct yard_local_stat stat;

		yard_local_get(yard, i, &stat);
		evicted += stat.stepped + stat.reclaimed;
	}
	return moved && written && released && read_back && huge_ones && (evicted || !local_owners);
}

static void run_threads(bool switches)
{
	const uint64_t most = 60000ull * NSEC_PER_MSEC;
	static void *(*const bodies[THREADS])(void *) = {
		flusher, user, user, user, administrator, kswapd, kswapd, kcompactd, kcompactd, reclaimer,
		reclaimer,
	};
	static struct thread threads[THREADS];
	const char *text = getenv("PAGEYARD_THREAD_MS");
	unsigned long ms = text ? strtoul(text, NULL, 10) : 500;

	memset(threads, 0, sizeof(threads));
	for (unsigned node = 0; node < NODES; node++)
		yard_kswapd_run(yard, node, true);
	for (unsigned i = 0; i < THREADS; i++) {
		threads[i].rng = 0x9e3779b97f4a7c15 * (i + 1);
		threads[i].node = i % NODES;
		threads[i].switches = switches;
		assert_int_equal(pthread_create(&threads[i].thread, NULL, bodies[i], &threads[i]), 0);
	}
	for (uint64_t begin = now_ns(yard), passed = 0;
	     !nr_errors && passed < most && (passed < ms * NSEC_PER_MSEC || !everything_happened());
	     passed = now_ns(yard) - begin)
		pause_ns(NSEC_PER_MSEC);
	stop = true;
	for (unsigned i = 1; i < THREADS; i++) // some wait for writes
		pthread_join(threads[i].thread, NULL);
	stop_flusher = true;
	pthread_join(threads[0].thread, NULL);
	for (uint32_t number; (number = next_write()) != BUFFERS;)
		end_write(number);
}

static void run(const char *policy, struct yard_config config, bool switches)
{
	void *bytes = build(&config, policy);

	set_up_buffers();
	for (unsigned i = 0; i < local_owners; i++) {
		struct yard_local_config local;

		yard_local_defaults(&local);
		local.home = 1ull << i % NODES;
		local.wait_pct = 50;
		local.age_min_ms = 0;
		assert_int_equal(yard_local_create(yard, &local), i + 1);
	}
	run_threads(switches);
	assert_int_equal(nr_errors, 0);
	verify();
	check_flags();
	assert_int_equal(nr_errors, 0);
	assert_true(everything_happened());
	if (getenv("PAGEYARD_THREAD_MS"))
		print_message("moved %llu, written %llu, released %llu, read back %llu, huge %llu\n", (unsigned long long)moved,
			      (unsigned long long)written, (unsigned long long)released, (unsigned long long)read_back,
			      (unsigned long long)huge_ones);
	free_everything();
	for (uint32_t i = 0; i < BUFFERS; i++)
		pthread_mutex_destroy(&buffers[i].lock);
	free(bytes);
}

static void classic_lru(void **state)
{
	(void)state;
	run("linux-7.3,defrag_mode=1", (struct yard_config){ .nr_nodes = NODES }, false);
}

static void multi_gen_lru(void **state)
{
	(void)state;
	run("linux-7.3,lru_gen=1", (struct yard_config){ .nr_nodes = NODES }, false);
}

static void lru_switched_at_run_time(void **state)
{
	(void)state;
	run("linux-7.3", (struct yard_config){ .nr_nodes = NODES, .owner = { .referenced = referenced } }, true);
}

static void demotion_to_a_slower_node(void **state)
{
	static const uint8_t tiers[NODES] = { 0, 1 };

	(void)state;
	run("linux-7.3,lru_gen=1",
	    (struct yard_config){ .node_tier = tiers, .demotion_enabled = true, .owner = { .referenced = referenced } }, false);
}

static void local_reclaim_and_migration(void **state)
{
	(void)state;
	local_owners = 2;
	run("linux-7.3", (struct yard_config){ .owner = { .local_page = local_page, .local_home = local_home } }, false);
	local_owners = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classic_lru),
		cmocka_unit_test(multi_gen_lru),
		cmocka_unit_test(lru_switched_at_run_time),
		cmocka_unit_test(demotion_to_a_slower_node),
		cmocka_unit_test(local_reclaim_and_migration),
	};

	return cmocka_run_group_tests_name("mm_threads", tests, NULL, NULL);
}
