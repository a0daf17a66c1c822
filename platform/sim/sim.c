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
