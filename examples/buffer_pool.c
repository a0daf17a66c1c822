// SPDX-License-Identifier: Apache-2.0
//
// A buffer pool in a yard: 24 MiB of buffers in 16 MiB of real memory. Compaction copies its pages, reclaim writes them to a
// file, and two threads check every byte meanwhile. See examples/README.md.
//
//   cc buffer_pool.c $(pkg-config --cflags --libs pageyard) -o buffer_pool && ./buffer_pool [SECONDS]

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pageyard/lru.h>
#include <pageyard/worker.h>

enum { FRAMES = 4096, BUFFERS = 6144, FIRST = 1 << 20, PAGE = 4096, WORDS = PAGE / 8 };

static struct buffer { // whoever works on its page holds the lock; a callback that cannot have it says "not now"
	pthread_mutex_t lock;
	uint32_t pfn;	  // YARD_PFN_NONE: in the file only
	uint64_t version; // every word of the page holds number << 32 | version
	bool dirty, in_file;
} buffers[BUFFERS];

static struct yard *yard;
static uint64_t (*memory)[WORDS]; // by frame
static FILE *file;
static _Atomic bool stop;
static _Atomic unsigned long checked, moved, written, read_back;

static struct buffer *lock_page(uint32_t pfn) // NULL: somebody works on it, or it is no buffer's any more
{
	struct buffer *buffer = &buffers[yard_get_owner(yard, pfn)];

	if (pthread_mutex_trylock(&buffer->lock))
		return NULL;
	if (buffer->pfn == pfn)
		return buffer;
	pthread_mutex_unlock(&buffer->lock);
	return NULL;
}

static enum yard_move_result move(void *context, uint32_t from, uint32_t to, unsigned order, enum yard_migrate_mode mode)
{
	struct buffer *buffer = lock_page(from);

	(void)context, (void)order, (void)mode;
	if (!buffer)
		return YARD_MOVE_AGAIN;
	memcpy(memory[to - FIRST], memory[from - FIRST], PAGE);
	buffer->pfn = to;
	moved++;
	pthread_mutex_unlock(&buffer->lock);
	return YARD_MOVE_DONE;
}

static enum yard_write_result write_out(void *context, uint32_t pfn, unsigned order)
{
	struct buffer *buffer = lock_page(pfn);
	bool done;

	(void)context, (void)order;
	if (!buffer)
		return YARD_WRITE_KEEP;
	done = pwrite(fileno(file), memory[pfn - FIRST], PAGE, (buffer - buffers) * PAGE) == PAGE;
	if (done)
		buffer->dirty = false, buffer->in_file = true, written++;
	pthread_mutex_unlock(&buffer->lock);
	return done ? YARD_WRITE_DONE : YARD_WRITE_REFUSED;
}

static bool release(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	struct buffer *buffer = lock_page(pfn);
	bool clean = buffer && !buffer->dirty && buffer->in_file;

	(void)context, (void)order, (void)shadow;
	if (clean)
		buffer->pfn = YARD_PFN_NONE; // the engine frees the frame
	if (buffer)
		pthread_mutex_unlock(&buffer->lock);
	return clean;
}

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "buffer_pool: %s\n", what);
	exit(1);
}

static void bring_in(struct buffer *buffer) // its lock is held, also while memory is asked for
{
	uint64_t number = (uint64_t)(buffer - buffers);
	uint32_t pfn = yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE, 0);

	must(pfn != YARD_PFN_NONE, "no memory");
	for (size_t i = 0; !buffer->in_file && i < WORDS; i++)
		memory[pfn - FIRST][i] = number << 32;
	if (buffer->in_file)
		must(pread(fileno(file), memory[pfn - FIRST], PAGE, (off_t)number * PAGE) == PAGE, "the file is short");
	read_back += buffer->in_file;
	buffer->dirty = !buffer->in_file;
	buffer->pfn = pfn;
	yard_set_owner(yard, pfn, (uint32_t)number);
	yard_lru_add(yard, pfn, YARD_PAGE_ANON | YARD_PAGE_SWAPBACKED | (buffer->dirty ? YARD_PAGE_DIRTY : YARD_PAGE_SWAPCACHE),
		     YARD_MAPPED); // in the swap cache: it keeps its place in the file
}

static void *use_buffers(void *seed) // checks all words of one buffer after the other, and changes every second
{
	for (unsigned random = (unsigned)(uintptr_t)seed; !stop; checked++) {
		size_t number = (size_t)rand_r(&random) % (rand_r(&random) % 8 ? BUFFERS / 4 : BUFFERS), change = checked & 1;
		struct buffer *buffer = &buffers[number];

		pthread_mutex_lock(&buffer->lock);
		if (buffer->pfn == YARD_PFN_NONE)
			bring_in(buffer);
		for (size_t i = 0; i < WORDS; i++) {
			must(memory[buffer->pfn - FIRST][i] == (number << 32 | buffer->version), "a word is not what was written");
			memory[buffer->pfn - FIRST][i] += change;
		}
		buffer->version += change;
		buffer->dirty |= change;
		yard_lru_touch(yard, buffer->pfn, 1, change);
		pthread_mutex_unlock(&buffer->lock);
	}
	return NULL;
}

static void *run_workers(void *step)
{
	bool kswapd = !strcmp(step, "kswapd"), woken = false;

	for (struct yard_wait wait; !stop; woken = yard_worker_wait(yard, &wait))
		(kswapd ? yard_kswapd_step : yard_kcompactd_step)(yard, 0, woken, &wait);
	return NULL;
}

int main(int argc, char **argv)
{
	const struct yard_range ram = { FIRST, FIRST + FRAMES, 0 };
	struct yard_config config = {
		.nr_nodes = 1, .nr_cpus = 2, .memory = &ram, .nr_memory = 1, .user_min_free_kbytes = 512, .watermark_boost_factor = -1,
		.owner = { .move = move, .write_out = write_out, .release = release },
	};
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 2);
	unsigned long blocks = 0, tries = 0;
	pthread_t threads[4];
	size_t size;

	must(!yard_policy_parse("linux-7.3,defrag_mode=1", &config.policy, NULL, 0), "no such policy");
	size = (yard_size(&config, NULL) + 63) / 64 * 64;
	memory = aligned_alloc(PAGE, (size_t)FRAMES * PAGE);
	file = tmpfile();
	must(memory && file && !yard_init(memset(aligned_alloc(64, size), 0, size), size, &config, &yard), "cannot start");
	yard_set_swap(yard, 2 * BUFFERS, 2 * BUFFERS); // never full: then nothing could be reclaimed
	yard_kswapd_run(yard, 0, true);
	for (size_t i = 0; i < BUFFERS; i++)
		buffers[i] = (struct buffer){ .lock = PTHREAD_MUTEX_INITIALIZER, .pfn = YARD_PFN_NONE };
	pthread_create(&threads[0], NULL, use_buffers, (void *)1);
	pthread_create(&threads[1], NULL, use_buffers, (void *)2);
	pthread_create(&threads[2], NULL, run_workers, "kswapd");
	pthread_create(&threads[3], NULL, run_workers, "kcompactd");
	for (; time(NULL) < end; tries++) { // a huge page now and then: the pageblock for it has to be made
		uint32_t block = yard_alloc(yard, YARD_GFP_TRANSHUGE | YARD_GFP_RETRY_MAYFAIL, YARD_PAGEBLOCK_ORDER);

		if (block == YARD_PFN_NONE)
			continue;
		memset(memory[block - FIRST], 0xee, (size_t)PAGE << YARD_PAGEBLOCK_ORDER);
		yard_free(yard, block, YARD_PAGEBLOCK_ORDER);
		blocks++;
	}
	stop = true;
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("%lu pages checked, %lu moved, %lu written, %lu read back; %lu of %lu huge pages\n", checked, moved, written,
	       read_back, blocks, tries);
	return 0;
}
