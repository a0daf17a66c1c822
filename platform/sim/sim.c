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
