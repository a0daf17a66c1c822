// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "yard_platform.h"

// A machine may have more CPUs than the yard has sets for: they share.
unsigned yard_posix_cpu(const struct yard_host *host)
{
	int cpu = sched_getcpu();

	return cpu < 0 ? 0 : (unsigned)cpu % host->nr_cpus;
}

enum { SPINS = 200, YIELDS = 50, NAP_NS = 50000 };

// sched_yield() may pass the CPU on among those who wait: with many of them the holder, which was preempted, comes late.
static void let_others_run(unsigned yields)
{
	if (yields < YIELDS)
		sched_yield();
	else
		nanosleep(&(struct timespec){ 0, NAP_NS }, NULL);
}

// Spins while the holder can be expected to run on another CPU, then lets it run.
void yard_spin_wait(yard_spinlock *lock)
{
	for (unsigned spins = 0, yields = 0;; spins++) {
		while (atomic_load_explicit(&lock->held, memory_order_relaxed)) {
			if (++spins > SPINS) {
				let_others_run(yields++);
				spins = 0;
			}
#if defined(__x86_64__)
			__builtin_ia32_pause();
#endif
		}
		if (yard_spin_trylock(lock))
			return;
	}
}

_Thread_local struct yard_task *yard_posix_current __attribute__((tls_model("initial-exec")));

uint64_t yard_host_now(struct yard_host *host)
{
	struct timespec now;

	(void)host;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

// Queues of all yards share a few condition variables: a wake-up may reach others too, who look again and sleep on.
enum { QUEUES = 64 };

static struct queue {
	pthread_mutex_t mutex;
	pthread_cond_t woken;
	uint64_t wakes;
} queues[QUEUES];

static pthread_once_t queues_once = PTHREAD_ONCE_INIT;

static void queues_init(void)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	for (unsigned i = 0; i < QUEUES; i++) {
		pthread_mutex_init(&queues[i].mutex, NULL);
		pthread_cond_init(&queues[i].woken, &monotonic);
	}
	pthread_condattr_destroy(&monotonic);
}

static struct queue *queue_at(const struct yard_host *host, unsigned number)
{
	pthread_once(&queues_once, queues_init);
	return &queues[((uintptr_t)host / 64 + number) % QUEUES];
}

uint64_t yard_host_wait(struct yard_host *host, unsigned number, uint64_t timeout_ns)
{
	struct queue *queue = queue_at(host, number);
	uint64_t start = yard_host_now(host), end = start + timeout_ns, wakes;
	const struct timespec until = { (time_t)(end / 1000000000), (long)(end % 1000000000) };

	pthread_mutex_lock(&queue->mutex);
	wakes = queue->wakes;
	while (queue->wakes == wakes)
		if (timeout_ns == UINT64_MAX)
			pthread_cond_wait(&queue->woken, &queue->mutex);
		else if (pthread_cond_timedwait(&queue->woken, &queue->mutex, &until))
			break;
	pthread_mutex_unlock(&queue->mutex);
	return yard_host_now(host) - start;
}

void yard_host_wake(struct yard_host *host, unsigned number)
{
	struct queue *queue = queue_at(host, number);

	pthread_mutex_lock(&queue->mutex);
	queue->wakes++;
	pthread_cond_broadcast(&queue->woken);
	pthread_mutex_unlock(&queue->mutex);
}

// Threads are preempted anyway: a call now and then is for those that spin.
void yard_host_yield(struct yard_host *host)
{
	static _Thread_local unsigned calls;

	(void)host;
	if (++calls % 64 == 0)
		sched_yield();
}
