// SPDX-License-Identifier: Apache-2.0
//
// A buffer pool that lives in a yard: 24 MiB of buffers in 16 MiB of real memory. Compaction really copies its pages,
// reclaim really writes them to a file, and a second thread checks every byte meanwhile.
//
//   cc buffer_pool.c $(pkg-config --cflags --libs pageyard) -o buffer_pool && ./buffer_pool [SECONDS]
//
// A buffer is a page of 64-bit words that all hold its number and version. Its lock is the whole protocol: whoever works on
// the page holds it, and a callback that cannot have it says "not now".

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <pageyard/lru.h>
#include <pageyard/worker.h>

enum { FRAMES = 4096, BUFFERS = 6144, FIRST = 1 << 20, PAGE = 4096, WORDS = PAGE / 8 };

static struct buffer {
	pthread_mutex_t lock;
	uint32_t pfn; // YARD_PFN_NONE: in the file only
	uint64_t version;
	bool dirty, in_file;
} buffers[BUFFERS];

static struct yard *yard;
static uint64_t (*memory)[WORDS]; // by frame
static FILE *file;
static _Atomic bool stop;
static _Atomic uint64_t moved, written, read_back, checked;

static struct buffer *lock_owner_of(uint32_t pfn) // NULL: somebody works on it, or it is not a buffer's page any more
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
	struct buffer *buffer = lock_owner_of(from);

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
	struct buffer *buffer = lock_owner_of(pfn);
	ssize_t n;

	(void)context, (void)order;
	if (!buffer)
		return YARD_WRITE_KEEP;
	n = pwrite(fileno(file), memory[pfn - FIRST], PAGE, (off_t)(buffer - buffers) * PAGE);
	if (n == PAGE)
		buffer->dirty = false, buffer->in_file = true, written++;
	pthread_mutex_unlock(&buffer->lock);
	return n == PAGE ? YARD_WRITE_DONE : YARD_WRITE_REFUSED;
}

static bool release(void *context, uint32_t pfn, unsigned order, uint64_t shadow)
{
	struct buffer *buffer = lock_owner_of(pfn);
	bool clean;

	(void)context, (void)order, (void)shadow;
	if (!buffer)
		return false;
	clean = !buffer->dirty && buffer->in_file;
	if (clean)
		buffer->pfn = YARD_PFN_NONE;
	pthread_mutex_unlock(&buffer->lock);
	return clean;
}

static void die(const char *what, size_t number)
{
	fprintf(stderr, "buffer_pool: %s (buffer %zu)\n", what, number);
	exit(1);
}

static uint64_t content(size_t number, uint64_t version)
{
	return number << 32 | version;
}

static void bring_in(struct buffer *buffer, size_t number) // lock held, and held while memory is asked for
{
	uint32_t pfn = yard_alloc(yard, YARD_GFP_HIGHUSER_MOVABLE, 0);

	if (pfn == YARD_PFN_NONE)
		die("no memory", number);
	if (!buffer->in_file)
		for (size_t i = 0; i < WORDS; i++)
			memory[pfn - FIRST][i] = content(number, 0);
	else if (pread(fileno(file), memory[pfn - FIRST], PAGE, (off_t)number * PAGE) != PAGE)
		die("the file is short", number);
	else
		read_back++;
	buffer->dirty = !buffer->in_file;
	buffer->pfn = pfn;
	yard_set_owner(yard, pfn, (uint32_t)number);
	// A buffer keeps its place in the file: it is clean and in swap cache when it comes back.
	yard_lru_add(yard, pfn, YARD_PAGE_ANON | YARD_PAGE_SWAPBACKED | (buffer->dirty ? YARD_PAGE_DIRTY : YARD_PAGE_SWAPCACHE),
		     YARD_MAPPED);
}

static void use(size_t number, bool change)
{
	struct buffer *buffer = &buffers[number];
	uint64_t *page;

	pthread_mutex_lock(&buffer->lock);
	if (buffer->pfn == YARD_PFN_NONE)
		bring_in(buffer, number);
	page = memory[buffer->pfn - FIRST];
	for (size_t i = 0; i < WORDS; i++) {
		if (page[i] != content(number, buffer->version))
			die("a word is not what was written", number);
		if (change)
			page[i] = content(number, buffer->version + 1);
	}
	buffer->version += change;
	buffer->dirty |= change;
	yard_lru_touch(yard, buffer->pfn, 1, change);
	checked++;
	pthread_mutex_unlock(&buffer->lock);
}

static void *user(void *seed)
{
	for (unsigned random = *(unsigned *)seed; !stop;) {
		unsigned r = (unsigned)rand_r(&random), hot = rand_r(&random) % 8 ? BUFFERS / 4 : BUFFERS;

		use(r % hot, r >> 16 & 1);
	}
	return NULL;
}

static void *worker(void *step)
{
	void (*run)(struct yard *, unsigned, bool, struct yard_wait *) = *(void (**)(struct yard *, unsigned, bool, struct yard_wait *))step;
	struct yard_wait wait = { YARD_WAIT_NONE, 0, 0 };

	for (bool woken = false; !stop; woken = yard_worker_wait(yard, &wait))
		run(yard, 0, woken, &wait);
	return NULL;
}

int main(int argc, char **argv)
{
	const struct yard_range ram = { FIRST, FIRST + FRAMES, 0 };
	struct yard_config config = {
		.nr_nodes = 1, .nr_cpus = 2, .memory = &ram, .nr_memory = 1, .user_min_free_kbytes = 512, .watermark_boost_factor = -1,
		.owner = { .move = move, .write_out = write_out, .release = release },
	};
	static void (*steps[])(struct yard *, unsigned, bool, struct yard_wait *) = { yard_kswapd_step, yard_kcompactd_step };
	static unsigned seeds[] = { 1, 2 };
	pthread_t threads[4];
	uint64_t blocks = 0, tries = 0;
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 2);
	size_t size;

	yard_policy_parse("linux-7.3,defrag_mode=1", &config.policy, NULL, 0);
	size = (yard_size(&config, NULL) + 63) & ~(size_t)63;
	memory = aligned_alloc(PAGE, (size_t)FRAMES * PAGE);
	file = tmpfile();
	if (!memory || !file || yard_init(memset(aligned_alloc(64, size), 0, size), size, &config, &yard))
		die("cannot start", 0);
	yard_set_swap(yard, 2 * BUFFERS, 2 * BUFFERS); // never full: then nothing would be reclaimed
	yard_kswapd_run(yard, 0, true);
	for (size_t i = 0; i < BUFFERS; i++) {
		pthread_mutex_init(&buffers[i].lock, NULL);
		buffers[i].pfn = YARD_PFN_NONE;
	}
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, i < 2 ? user : worker, i < 2 ? (void *)&seeds[i] : (void *)&steps[i - 2]);
	for (; time(NULL) < end; tries++) { // a whole pageblock now and then: it has to be made
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
	printf("%llu pages checked, %llu moved, %llu written, %llu read back; %llu of %llu huge blocks\n",
	       (unsigned long long)checked, (unsigned long long)moved, (unsigned long long)written,
	       (unsigned long long)read_back, (unsigned long long)blocks, (unsigned long long)tries);
	return 0;
}
