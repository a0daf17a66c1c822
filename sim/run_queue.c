// SPDX-License-Identifier: Apache-2.0
//
// Who runs where: weighted fair sharing of a CPU among its tasks, and the choice of a CPU for a task.
//
// vruntime is the time that a task has run, divided by its weight; the waiting task with the least is next. A task that
// comes back from a sleep, or from another CPU, is placed near the least of that CPU's tasks, so that nobody saves up
// time for later. Real-time tasks wait with vruntime 0, that is before all others and in order of arrival.

#include <pageyard/pressure.h>

#include "sim/scheduler_internal.h"

static const uint64_t slice_ns = 3 * NS_PER_MS, slice_min_ns = 750 * NS_PER_US, wakeup_lag_ns = NS_PER_MS;

static uint64_t key_of(const struct sim_task *task)
{
	return task->realtime ? 0 : task->vruntime;
}

static struct sim_task *task_of(struct event_node *node)
{
	return container_of(node, struct sim_task, run);
}

bool cpu_has_waiting(const struct cpu *cpu)
{
	return cpu->queue.nr != 0;
}

static unsigned cpu_load(const struct cpu *cpu)
{
	return (unsigned)cpu->queue.nr + (cpu->current != NULL);
}

// ---- slices ----

uint64_t cpu_deadline(const struct cpu *cpu)
{
	if (cpu->current && cpu->current->wanted_node)
		return 0;
	if (!cpu_has_waiting(cpu) || (cpu->current && cpu->current->realtime))
		return UINT64_MAX;
	if (cpu->preempt) // it could not run yet when it was picked
		return task_of(event_queue_first(&cpu->queue))->ready_at;
	return cpu->slice_end;
}

static void set_slice(struct cpu *cpu)
{
	uint64_t slice = slice_ns / cpu_load(cpu);

	cpu->slice_end = cpu->slice_start + (slice < slice_min_ns ? slice_min_ns : slice);
}

// ---- the queue of a CPU ----

static void enqueue(struct scheduler *scheduler, struct cpu *cpu, struct sim_task *task)
{
	task->state = TASK_RUNNABLE;
	tell_pressure(scheduler, task, YARD_PSI_RUNNABLE);
	if (!event_queue_add(&cpu->queue, &task->run, key_of(task)))
		queue_failed(scheduler);
	scheduler->nr_movable += !task->cpu_limit;
}

static void dequeue(struct scheduler *scheduler, struct cpu *cpu, struct sim_task *task)
{
	if (event_queue_remove(&cpu->queue, &task->run))
		scheduler->nr_movable -= !task->cpu_limit;
}

static void move_vruntime(struct sim_task *task, const struct cpu *from, const struct cpu *to)
{
	uint64_t ahead = task->vruntime > from->min_vruntime ? task->vruntime - from->min_vruntime : 0;
	uint64_t behind = task->vruntime < from->min_vruntime ? from->min_vruntime - task->vruntime : 0;

	task->vruntime = to->min_vruntime + ahead;
	task->vruntime -= behind < task->vruntime ? behind : task->vruntime - 1;
}

static bool should_preempt(const struct sim_task *current, const struct sim_task *woken)
{
	if (current->realtime)
		return false;
	return woken->realtime || woken->vruntime + wakeup_lag_ns < current->vruntime;
}

// ---- the choice of a CPU ----

bool is_idle(const struct scheduler *scheduler, unsigned cpu)
{
	return scheduler->idle[cpu / 64] >> (cpu % 64) & 1;
}

static int first_idle(const struct scheduler *scheduler, struct cpu_range range)
{
	for (unsigned word = range.first / 64; word * 64 < range.end; word++) {
		uint64_t bits = scheduler->idle[word];
		unsigned cpu;

		if (word == range.first / 64)
			bits &= ~UINT64_C(0) << (range.first % 64);
		if (!bits)
			continue;
		cpu = word * 64 + (unsigned)__builtin_ctzll(bits);
		return cpu < range.end ? (int)cpu : -1;
	}
	return -1;
}

static struct cpu_range allowed_cpus(const struct scheduler *scheduler, const struct sim_task *task)
{
	if (task->cpu_limit)
		return (struct cpu_range){task->cpu_limit - 1u, task->cpu_limit};
	if (task->node_limit
	    && scheduler->range[task->node_limit - 1].end > scheduler->range[task->node_limit - 1].first)
		return scheduler->range[task->node_limit - 1];
	return (struct cpu_range){0, scheduler->nr_cpus};
}

static bool in_range(struct cpu_range range, unsigned cpu)
{
	return cpu >= range.first && cpu < range.end;
}

// Its last CPU if that is idle, else an idle one, of the same node if possible, else the one with the fewest tasks.
static struct cpu *choose_cpu(struct scheduler *scheduler, const struct sim_task *task)
{
	struct cpu_range allowed = allowed_cpus(scheduler, task);
	struct cpu *best;
	int idle = -1;

	if (allowed.end - allowed.first == 1 || (in_range(allowed, task->cpu) && is_idle(scheduler, task->cpu)))
		return &scheduler->cpu[in_range(allowed, task->cpu) ? task->cpu : allowed.first];
	if (in_range(allowed, task->cpu))
		idle = first_idle(scheduler, scheduler->range[scheduler->cpu[task->cpu].node]);
	if (idle < 0)
		idle = first_idle(scheduler, allowed);
	if (idle >= 0)
		return &scheduler->cpu[idle];
	best = &scheduler->cpu[in_range(allowed, task->cpu) ? task->cpu : allowed.first];
	for (unsigned i = allowed.first; i < allowed.end && cpu_load(best) > 1; i++)
		if (cpu_load(&scheduler->cpu[i]) < cpu_load(best))
			best = &scheduler->cpu[i];
	return best;
}

void cpu_start(struct scheduler *scheduler, struct cpu *cpu, uint64_t now)
{
	uint64_t start = (now > cpu->clock ? now : cpu->clock) + scheduler->sim->host->cost_table[COST_WAKE_IDLE];

	cpu->times.idle += start - cpu->clock;
	cpu->clock = start;
	if (!event_queue_add(&scheduler->cpus, &cpu->event, start))
		queue_failed(scheduler);
	lower_horizon(scheduler, start + scheduler->grain);
}

void task_make_ready(struct scheduler *scheduler, struct sim_task *task)
{
	uint64_t now = sim_now(scheduler->sim), least;
	struct cpu *cpu = choose_cpu(scheduler, task);

	account_running(scheduler);
	if (cpu->planned)
		cut_computing(scheduler, cpu, now);
	if (cpu->id != task->cpu)
		move_vruntime(task, &scheduler->cpu[task->cpu], cpu);
	least = cpu->min_vruntime - slice_ns / 2;
	if (task->vruntime < least)
		task->vruntime = least;
	task->cpu = cpu->id;
	if (now > task->ready_at) // it may have gone to sleep later than the clock of the CPU that wakes it
		task->ready_at = now;
	enqueue(scheduler, cpu, task);
	if (is_idle(scheduler, cpu->id)) {
		scheduler->idle[cpu->id / 64] &= ~(UINT64_C(1) << (cpu->id % 64));
		if (cpu != scheduler->interrupted) // else when the interrupt is over
			cpu_start(scheduler, cpu, now);
		return;
	}
	if (!cpu->current)
		return;
	set_slice(cpu);
	if (should_preempt(cpu->current, task))
		cpu->preempt = true;
	if (cpu->current == scheduler->running)
		lower_horizon(scheduler, cpu_deadline(cpu));
}

// ---- the choice of a task ----

static bool may_run_on(const struct scheduler *scheduler, const struct sim_task *task, const struct cpu *cpu)
{
	return in_range(allowed_cpus(scheduler, task), cpu->id);
}

// The first waiting task of `from` that may run on `cpu`.
static struct sim_task *movable_task(const struct scheduler *scheduler, const struct cpu *from, const struct cpu *cpu)
{
	const struct event_entry *best = NULL;

	for (size_t i = 0; i < from->queue.nr; i++) {
		const struct event_entry *entry = &from->queue.heap[i];

		if (!may_run_on(scheduler, task_of(entry->node), cpu))
			continue;
		if (!best || entry->time < best->time
		    || (entry->time == best->time && entry->sequence < best->sequence))
			best = entry;
	}
	return best ? task_of(best->node) : NULL;
}

// A CPU without work takes a waiting task of the CPU that has the most.
static void pull_task(struct scheduler *scheduler, struct cpu *cpu)
{
	struct sim_task *task = NULL;
	struct cpu *from = NULL;

	if (!scheduler->nr_movable)
		return;
	for (unsigned i = 0; i < scheduler->nr_cpus; i++) {
		struct cpu *other = &scheduler->cpu[i];
		struct sim_task *candidate;

		if (!cpu_has_waiting(other) || cpu_load(other) < 2 || (from && cpu_load(other) <= cpu_load(from)))
			continue;
		candidate = movable_task(scheduler, other, cpu);
		if (candidate) {
			from = other;
			task = candidate;
		}
	}
	if (!task)
		return;
	dequeue(scheduler, from, task);
	move_vruntime(task, from, cpu);
	task->cpu = cpu->id;
	enqueue(scheduler, cpu, task);
}

static void wait_until(struct cpu *cpu, uint64_t time)
{
	if (time <= cpu->clock)
		return;
	cpu->times.idle += time - cpu->clock;
	cpu->clock = time;
}

static void switch_to(struct scheduler *scheduler, struct cpu *cpu, struct sim_task *task)
{
	struct yard_host *host = scheduler->sim->host;

	dequeue(scheduler, cpu, task);
	wait_until(cpu, task->ready_at);
	cpu->charged_at = cpu->slice_start = cpu->clock;
	if (cpu->serial != task->serial) {
		cpu->clock += host->cost_table[COST_SWITCH];
		cpu->serial = task->serial;
		scheduler->switches++;
	}
	host->now_ns = cpu->clock;
	cpu->current = task;
	task->state = TASK_RUNNING;
	tell_pressure(scheduler, task, YARD_PSI_ON_CPU);
}

// The current task goes on: it has still run less than those who wait, or they are not there yet.
static bool keep_current(struct cpu *cpu, const struct sim_task *next)
{
	if (next->ready_at > cpu->clock) {
		cpu->preempt = true; // looked at again at that time
		return true;
	}
	return cpu->current->vruntime < key_of(next);
}

static void use_idle_cpu(struct scheduler *scheduler, struct cpu *cpu, uint64_t now)
{
	scheduler->idle[cpu->id / 64] &= ~(UINT64_C(1) << (cpu->id % 64));
	cpu_start(scheduler, cpu, now);
}

// The current task waits on this CPU or another one.
static void leave_for(struct scheduler *scheduler, struct cpu *cpu, struct cpu *to)
{
	struct sim_task *task = cpu->current;

	cpu->current = NULL;
	task->ready_at = cpu->clock;
	if (to != cpu)
		move_vruntime(task, cpu, to);
	task->cpu = to->id;
	enqueue(scheduler, to, task);
	if (is_idle(scheduler, to->id))
		use_idle_cpu(scheduler, to, task->ready_at);
}

// On an idle CPU of the node if there is one: so it is when the next one is bound to this CPU.
static void put_back(struct scheduler *scheduler, struct cpu *cpu)
{
	int idle = cpu->current->cpu_limit ? -1 : first_idle(scheduler, scheduler->range[cpu->node]);

	leave_for(scheduler, cpu, idle >= 0 ? &scheduler->cpu[idle] : cpu);
}

// ---- tasks that follow their memory (spec 05 B13) ----

// A CPU of the node whose task is to go to this CPU's node. NULL: there is none.
static struct cpu *find_exchange(const struct scheduler *scheduler, const struct cpu *cpu, unsigned node)
{
	for (unsigned i = scheduler->range[node].first; i < scheduler->range[node].end; i++) {
		const struct sim_task *task = scheduler->cpu[i].current;

		if (task && !task->realtime && task->numa.preferred_node == cpu->node + 1u && may_run_on(scheduler, task, cpu))
			return &scheduler->cpu[i];
	}
	return NULL;
}

// The current task goes to the node that it wants, or stays.
static void follow_memory(struct scheduler *scheduler, struct cpu *cpu)
{
	struct sim_task *task = cpu->current;
	unsigned node = task->wanted_node - 1u;
	int idle = first_idle(scheduler, scheduler->range[node]);
	struct cpu *other;

	task->wanted_node = 0;
	if (idle >= 0 && may_run_on(scheduler, task, &scheduler->cpu[idle])) {
		leave_for(scheduler, cpu, &scheduler->cpu[idle]);
		return;
	}
	other = find_exchange(scheduler, cpu, node);
	if (!other || !may_run_on(scheduler, task, other))
		return;
	if (other->planned)
		cut_computing(scheduler, other, cpu->clock);
	if (other->planned)
		end_computing(scheduler, other);
	leave_for(scheduler, cpu, other);
	leave_for(scheduler, other, cpu);
}

bool scheduler_move_to_node(struct simulation *sim, unsigned node)
{
	struct scheduler *scheduler = sim->scheduler;
	struct sim_task *task = scheduler->running;

	if (!task || node >= scheduler->nr_nodes || scheduler->range[node].first == scheduler->range[node].end)
		return false;
	task->wanted_node = (uint16_t)(node + 1);
	give_way(scheduler);
	task->wanted_node = 0; // who asked for this CPU's node at the same time may have taken it there
	return scheduler->cpu[task->cpu].node == node;
}

bool pick_task(struct scheduler *scheduler, struct cpu *cpu)
{
	scheduler->sim->host->now_ns = cpu->clock;
	cpu->preempt = false;
	if (cpu->current && cpu->current->wanted_node)
		follow_memory(scheduler, cpu);
	if (!cpu->current && !cpu_has_waiting(cpu))
		pull_task(scheduler, cpu);
	if (!cpu_has_waiting(cpu)) {
		if (!cpu->current)
			scheduler->idle[cpu->id / 64] |= UINT64_C(1) << (cpu->id % 64);
		return cpu->current;
	}
	if (cpu->current && keep_current(cpu, task_of(event_queue_first(&cpu->queue)))) {
		if (!cpu->preempt)
			cpu->slice_start = cpu->clock;
	} else {
		if (cpu->current)
			put_back(scheduler, cpu);
		switch_to(scheduler, cpu, task_of(event_queue_first(&cpu->queue)));
	}
	set_slice(cpu);
	return true;
}
