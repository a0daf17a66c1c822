// SPDX-License-Identifier: Apache-2.0

#include "sim/scheduler_internal.h"

void timer_start(struct simulation *sim, struct sim_timer *timer, uint64_t time, timer_callback *callback,
		 void *argument)
{
	uint64_t now = sim_now(sim);

	timer_cancel(sim, timer);
	timer->callback = callback;
	timer->argument = argument;
	alarm_set(sim->scheduler, &timer->event, ALARM_TIMER, time > now ? time : now);
}

void timer_cancel(struct simulation *sim, struct sim_timer *timer)
{
	event_queue_remove(&sim->scheduler->alarms, &timer->event);
}
