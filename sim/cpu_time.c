// SPDX-License-Identifier: Apache-2.0
//
// The time of a CPU's current task: vruntime, which is the time that it has run, divided by its weight; CPU time; and
// computing, which is done ahead.

#include "sim/scheduler_internal.h"

enum { NICE_MIN = -20, NICES = 40 };

// ---- weights ----

void weights_init(struct scheduler *scheduler) // each step of the nice value is a quarter
{
	uint64_t *inverse = scheduler->inverse_weight;

	inverse[-NICE_MIN] = UINT64_C(1) << 32;
	for (int i = -NICE_MIN + 1; i < NICES; i++)
		inverse[i] = inverse[i - 1] * 5 / 4;
	for (int i = -NICE_MIN; i > 0; i--)
		inverse[i - 1] = inverse[i] * 4 / 5;
}

static void add_vruntime(const struct scheduler *scheduler, struct sim_task *task, uint64_t ns)
{
	unsigned __int128 sum = (unsigned __int128)ns * scheduler->inverse_weight[task->nice - NICE_MIN];

	sum += task->vruntime_part;
	task->vruntime += (uint64_t)(sum >> 32);
	task->vruntime_part = (uint32_t)sum;
}

// ---- what has passed ----

static void raise_min_vruntime(struct cpu *cpu)
{
	const struct event_node *first = event_queue_first(&cpu->queue);
	uint64_t least = UINT64_MAX;

	if (cpu->current && !cpu->current->realtime)
		least = cpu->current->vruntime;
	if (first && first->time && first->time < least)
		least = first->time;
	if (least != UINT64_MAX && least > cpu->min_vruntime)
		cpu->min_vruntime = least;
}

void account_current(struct scheduler *scheduler, struct cpu *cpu, uint64_t now)
{
	struct sim_task *task = cpu->current;
	uint64_t ns = now - cpu->charged_at, user = task->stretch_user;

	if (!ns)
		return;
	cpu->charged_at = now;
	task->stretch_user = 0;
	task->user_ns += user;
	task->system_ns += ns - user;
	cpu->times.user += user;
	cpu->times.system += ns - user;
	if (!task->realtime)
		add_vruntime(scheduler, task, ns);
	raise_min_vruntime(cpu);
}

uint64_t task_cpu_ns(const struct simulation *sim, const struct sim_task *task)
{
	uint64_t ns = task->user_ns + task->system_ns;

	return task == sim->scheduler->running ? ns + sim_now(sim) - sim->scheduler->cpu[task->cpu].charged_at : ns;
}

// Whoever looks at a CPU's min_vruntime must find it as it is now.
void account_running(struct scheduler *scheduler)
{
	if (scheduler->running)
		account_current(scheduler, &scheduler->cpu[scheduler->running->cpu], sim_now(scheduler->sim));
}

// ---- computing ----

void plan_computing(struct cpu *cpu)
{
	uint64_t deadline = cpu_deadline(cpu), end = cpu->clock + cpu->current->computing;

	if (end < cpu->clock || end > deadline)
		end = deadline;
	cpu->planned = end - cpu->clock;
	cpu->clock = end;
}

void end_computing(struct scheduler *scheduler, struct cpu *cpu)
{
	cpu->current->stretch_user += cpu->planned;
	cpu->current->computing -= cpu->planned;
	cpu->planned = 0;
	account_current(scheduler, cpu, cpu->clock);
}

void cut_computing(struct scheduler *scheduler, struct cpu *cpu, uint64_t now)
{
	uint64_t begin = cpu->clock - cpu->planned, done = now > begin ? now - begin : 0;

	if (done >= cpu->planned)
		return;
	cpu->clock -= cpu->planned - done;
	cpu->planned = done;
	end_computing(scheduler, cpu);
	event_queue_move(&scheduler->cpus, &cpu->event, cpu->clock);
	lower_horizon(scheduler, cpu->clock + scheduler->grain);
}
