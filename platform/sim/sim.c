// SPDX-License-Identifier: Apache-2.0

#include <pageyard/sim.h>

#include "engine/internal.h"

int yard_sim_set_cpu(struct yard *yard, unsigned cpu)
{
	if (cpu >= yard->nr_cpus)
		return YARD_ERANGE;
	yard->host.cpu = cpu;
	return YARD_OK;
}

struct yard_host *yard_sim_host(struct yard *yard)
{
	return &yard->host;
}

void yard_sim_set_pcp_busy(struct yard *yard, bool busy)
{
	yard->host.pcp_busy = busy;
}

void yard_sim_set_zone_busy(struct yard *yard, bool busy)
{
	yard->host.zone_busy = busy;
}

void yard_sim_set_lru_busy(struct yard *yard, bool busy)
{
	yard->host.lru_busy = busy;
}

void yard_sim_preempt_drain(struct yard *yard, unsigned portions)
{
	yard->host.portions_until_preempted = portions;
}

bool yard_sim_preempted_drain(struct yard *yard, struct yard_sim_drain *rest)
{
	bool preempted = yard->host.preempted;

	yard->host.preempted = false;
	yard->host.portions_until_preempted = 0;
	if (preempted)
		*rest = (struct yard_sim_drain){ yard->host.preempted_zone, yard->host.preempted_index, yard->host.preempted_to_free };
	return preempted;
}

void yard_sim_resume_drain(struct yard *yard, const struct yard_sim_drain *rest)
{
	pcp_resume_drain(yard, rest->zone, rest->pindex, rest->to_free);
}

// ---- locks that take time ----

_Thread_local struct yard_host *yard_sim_timed;

void yard_sim_clock(struct yard_host *host)
{
	yard_sim_timed = host;
}

static const struct yard_sim_busy *busy_at(const yard_spinlock *lock, uint64_t now)
{
	for (unsigned i = 0; i < YARD_SIM_LOCK_TIMES; i++)
		if (now >= lock->busy[i].from && now < lock->busy[i].until)
			return &lock->busy[i];
	return NULL;
}

bool yard_sim_lock_was_held(const struct yard_host *host, const yard_spinlock *lock)
{
	return busy_at(lock, host->now_ns);
}

// Who comes before the times that are remembered does not wait for them.
void yard_sim_wait_for_lock(struct yard_host *host, yard_spinlock *lock)
{
	const uint64_t start = host->now_ns;
	const struct yard_sim_busy *busy;

	while ((busy = busy_at(lock, host->now_ns))) {
		lock->taken_at = busy->until; // the handover is busy time too
		host->now_ns = busy->until + host->handover_ns;
	}
	host->spin_ns += host->now_ns - start;
}

void yard_sim_lock_held(struct yard_host *host, yard_spinlock *lock)
{
	if (host->now_ns > lock->free_at)
		lock->free_at = host->now_ns;
	for (unsigned i = 0; i < YARD_SIM_LOCK_TIMES; i++)
		if (lock->busy[i].until == lock->taken_at) { // it had waited for that
			lock->busy[i].until = host->now_ns;
			return;
		}
	lock->busy[lock->oldest] = (struct yard_sim_busy){ lock->taken_at, host->now_ns };
	lock->oldest = (uint8_t)((lock->oldest + 1) % YARD_SIM_LOCK_TIMES);
}
