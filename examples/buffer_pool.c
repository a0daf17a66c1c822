// SPDX-License-Identifier: Apache-2.0
//
// A buffer pool in a yard: 24 MiB of buffers in 16 MiB of real memory. A second thread uses the buffers: it checks
// every byte and changes most of them. Meanwhile the main thread runs compaction, which copies pages, and kswapd;
// reclaim writes pages to a file. It ends when PAGES pages have gone through each of this. See examples/README.md.
//
//   cc buffer_pool.c $(pkg-config --cflags --libs pageyard) -o buffer_pool && ./buffer_pool [PAGES]

#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pageyard/lru.h>
#include <pageyard/worker.h>

#define must(condition) ((condition) ? (void)0 : errx(1, "line %d: not so: %s", __LINE__, #condition))

enum { FRAMES = 4096, BUFFERS = 6144, FIRST = 1 << 20, PAGE = 4096, WORDS = PAGE / 8 };

static struct buffer { // whoever works on its page holds the lock; a callback that cannot have it says "not now"
	pthread_mutex_t lock;
	uint32_t pfn;		// YARD_PFN_NONE: in the file only
	uint64_t word, in_file; // what each word of its page holds, and in the file
} buffers[BUFFERS];

static _Alignas(PAGE) uint64_t memory[FRAMES][WORDS];
static struct yard *yard;
static FILE *file;
static _Atomic bool stop;
static _Atomic unsigned long checked, moved, written, read_back;

static struct buffer *lock_page(uint32_t pfn) // NULL: somebody works on it
{
	struct buffer *buffer = &buffers[yard_get_owner(yard, pfn)];

	return pthread_mutex_trylock(&buffer->lock) ? NULL : buffer;
}

static enum yard_move_result move(void *unused, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	struct buffer *buffer = lock_page(from);

	if (!buffer)
		return YARD_MOVE_AGAIN;
	memcpy(memory[to - FIRST], memory[from - FIRST], PAGE);
	buffer->pfn = to;
	moved++;
	pthread_mutex_unlock(&buffer->lock);
	return YARD_MOVE_DONE;
}

static enum yard_write_result write_out(void *unused, uint32_t pfn, unsigned order)
{
	struct buffer *buffer = lock_page(pfn);

	if (!buffer)
		return YARD_WRITE_KEEP;
	must(pwrite(fileno(file), memory[pfn - FIRST], PAGE, (buffer - buffers) * PAGE) == PAGE);
	buffer->in_file = buffer->word;
	written++;
	pthread_mutex_unlock(&buffer->lock);
	return YARD_WRITE_DONE;
}

static bool release(void *unused, uint32_t pfn, unsigned order, uint64_t shadow)
{
	struct buffer *buffer = lock_page(pfn);
	bool clean = buffer && buffer->in_file == buffer->word;

	if (clean)
		buffer->pfn = YARD_PFN_NONE; // the engine frees the frame
	if (buffer)
		pthread_mutex_unlock(&buffer->lock);
	return clean;
}

static void bring_in(struct buffer *buffer) // its lock is held, also while memory is asked for
{
	buffer->pfn = yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE, 0);
	must(buffer->pfn != YARD_PFN_NONE);
	must(pread(fileno(file), memory[buffer->pfn - FIRST], PAGE, (buffer - buffers) * PAGE) == PAGE);
	read_back += buffer->in_file != 0;
	yard_set_owner(yard, buffer->pfn, (uint32_t)(buffer - buffers));
	must(!yard_lru_add(yard, buffer->pfn, YARD_PAGE_SWAPBACKED | YARD_PAGE_SWAPCACHE, YARD_UNMAPPED));
}

static void use(struct buffer *buffer, uint64_t added) // checks each word of its page, and adds this to it
{
	pthread_mutex_lock(&buffer->lock);
	if (buffer->pfn == YARD_PFN_NONE)
		bring_in(buffer);
	for (size_t i = 0; i < WORDS; i++) {
		must(memory[buffer->pfn - FIRST][i] == buffer->word);
		memory[buffer->pfn - FIRST][i] += added;
	}
	buffer->word += added;
	must(!yard_lru_mark_accessed(yard, buffer->pfn));
	must(!added || !yard_lru_set(yard, buffer->pfn, YARD_PAGE_DIRTY, true));
	pthread_mutex_unlock(&buffer->lock);
}

static void *use_buffers(void *unused)
{
	for (; !stop; checked++)
		use(&buffers[checked * 2053 % BUFFERS], checked % 5 ? checked : 0);
	return unused;
}

int main(int argc, char **argv)
{
	static _Alignas(64) char instance[1 << 20];
	const struct yard_range ram = { FIRST, FIRST + FRAMES, 0 };
	struct yard_config config = { .nr_nodes = 1, .nr_cpus = 2, .memory = &ram, .nr_memory = 1 };
	unsigned long wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
	struct yard_wait wait;
	pthread_t user;

	config.owner = (struct yard_owner_ops){ .move = move, .write_out = write_out, .release = release };
	must(!yard_policy_parse("linux-7.3,defrag_mode=1", &config.policy, NULL, 0));
	must(!yard_init(instance, sizeof(instance), &config, &yard));
	yard_set_swap(yard, 2 * BUFFERS, 2 * BUFFERS); // never full: each page keeps its place in the file
	file = tmpfile();
	must(file && !ftruncate(fileno(file), BUFFERS * PAGE));
	for (size_t i = 0; i < BUFFERS; i++)
		buffers[i] = (struct buffer){ PTHREAD_MUTEX_INITIALIZER, .pfn = YARD_PFN_NONE };
	must(!pthread_create(&user, NULL, use_buffers, NULL));
	while (checked < wanted || moved < wanted || written < wanted || read_back < wanted) {
		yard_kswapd_step(yard, 0, false, &wait); // a piece of its work, if there is any
		yard_compact_node(yard, 0);
	}
	stop = true;
	pthread_join(user, NULL);
	printf("%lu pages checked, %lu moved, %lu written, %lu read back\n", checked, moved, written, read_back);
	return 0;
}
