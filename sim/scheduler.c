// SPDX-License-Identifier: Apache-2.0
//
// The event loop: the CPU whose clock is furthest behind runs its task until another one is, or an alarm is due.
//
// The machine's scheduling grain saves switches: the CPU whose turn it was goes on as long as it is not further ahead
// than that. Alarms that do nothing to a CPU's tasks leave the order of the CPUs as it is.

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <pageyard/pressure.h>

#include "sim/scheduler_internal.h"

#if defined(__SANITIZE_ADDRESS__)
enum { STACK_SIZE = 512 * 1024 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { STACK_SIZE = 512 * 1024 };
#else
enum { STACK_SIZE = 128 * 1024 };
#endif
#else
enum { STACK_SIZE = 128 * 1024 };
#endif

enum { FIRST_PID = 2 }; // 1 is init's

void sim_fail(struct simulation *sim, const char *format, ...)
{
	va_list arguments;

	if (sim->error[0]) // the first reason counts
		return;
	va_start(arguments, format);
	vsnprintf(sim->error, sizeof(sim->error), format, arguments);
	va_end(arguments);
	sim->horizon = 0;
}

void queue_failed(struct scheduler *scheduler)
{
	sim_fail(scheduler->sim, "no host memory for another event");
}

void tell_pressure(struct scheduler *scheduler, struct sim_task *task, unsigned state)
{
	yard_psi_task(scheduler->sim->yard, task->told, task->cpu, state);
}

void lower_horizon(struct scheduler *scheduler, uint64_t time)
{
	if (time < scheduler->sim->horizon)
		scheduler->sim->horizon = time;
}

bool alarm_set(struct scheduler *scheduler, struct event_node *node, enum alarm_kind kind, uint64_t time)
{
	node->payload = (void *)(uintptr_t)kind;
	if (!event_queue_add(&scheduler->alarms, node, time)) {
		queue_failed(scheduler);
		return false;
	}
	lower_horizon(scheduler, time);
	return true;
}

// ---- running a CPU ----

void give_way(struct scheduler *scheduler)
{
	struct sim_task *task = scheduler->running;
	struct simulation *sim = scheduler->sim;

	task->engine_current = sim->host->current;
	coroutine_suspend(task->coroutine);
}

void sim_give_way(struct simulation *sim)
{
	if (sim->scheduler->running)
		give_way(sim->scheduler);
}

static void set_horizon(struct scheduler *scheduler, const struct cpu *cpu)
{
	const struct event_node *other = event_queue_first(&scheduler->cpus);
	const struct event_node *alarm = event_queue_first(&scheduler->alarms);
	uint64_t horizon = cpu_deadline(cpu), until = scheduler->until;

	if (alarm && alarm->time < horizon)
		horizon = alarm->time;
	if (other && other->time + scheduler->grain < horizon)
		horizon = other->time + scheduler->grain;
	if (until < horizon)
		horizon = until;
	// Something must happen: two CPUs at the same time would hand each other the turn.
	scheduler->sim->horizon = horizon > cpu->clock ? horizon : cpu->clock + 1;
}

static void resume(struct scheduler *scheduler, struct cpu *cpu)
{
	struct yard_host *host = scheduler->sim->host;
	struct sim_task *task = cpu->current;

	host->cpu = cpu->id;
	host->now_ns = cpu->clock;
	host->current = task->engine_current;
	set_horizon(scheduler, cpu);
	scheduler->running = task;
	coroutine_resume(task->coroutine);
	scheduler->running = NULL;
	cpu->clock = host->now_ns;
	if (cpu->current)
		account_current(scheduler, cpu, cpu->clock);
	cpu->times.lock_spin += host->spin_ns;
	host->spin_ns = 0;
	if (coroutine_done(task->coroutine))
		task_end(scheduler, task);
}

static bool computes(const struct cpu *cpu)
{
	return cpu->current && cpu->current->computing && !cpu->current->stop && cpu_deadline(cpu) > cpu->clock;
}

// Its turn: cpu->event is out of the queue.
static void run_cpu(struct scheduler *scheduler, struct cpu *cpu)
{
	if (cpu->planned)
		end_computing(scheduler, cpu);
	if ((!cpu->current || cpu_deadline(cpu) <= cpu->clock) && !pick_task(scheduler, cpu))
		return;
	if (!computes(cpu))
		resume(scheduler, cpu);
	if (computes(cpu))
		plan_computing(cpu);
	if (!event_queue_add(&scheduler->cpus, &cpu->event, cpu->clock))
		queue_failed(scheduler);
	scheduler->last = cpu;
}

// ---- alarms ----

// The interrupt that began at `start` is over: its time passes on the CPU. One that took none leaves no trace, so that
// timers that do nothing change nothing.
static void end_interrupt(struct scheduler *scheduler, struct cpu *cpu, bool idle, uint64_t start)
{
	struct yard_host *host = scheduler->sim->host;
	uint64_t ns = host->now_ns - start;

	if (ns && idle && cpu->clock < start) {
		cpu->times.idle += start - cpu->clock;
		cpu->clock = start;
	}
	if (ns)
		cpu->interrupt_end = host->now_ns;
	cpu->times.system += ns;
	cpu->times.lock_spin += host->spin_ns;
	host->spin_ns = 0;
	cpu->clock += ns;
	cpu->charged_at += ns; // not the task's time
	if (idle && cpu_has_waiting(cpu))
		cpu_start(scheduler, cpu, host->now_ns);
	else if (ns && event_node_queued(&cpu->event))
		event_queue_move(&scheduler->cpus, &cpu->event, cpu->clock);
}

static void run_interrupt(struct scheduler *scheduler, struct sim_timer *timer, uint64_t time)
{
	struct simulation *sim = scheduler->sim;
	struct cpu *cpu = &scheduler->cpu[timer->cpu];
	uint64_t start = time > cpu->interrupt_end ? time : cpu->interrupt_end;
	bool idle = is_idle(scheduler, cpu->id);

	sim->host->cpu = cpu->id;
	sim->host->now_ns = start;
	sim->host->current = NULL;
	scheduler->interrupted = cpu;
	timer->callback(sim, timer->argument);
	scheduler->interrupted = NULL;
	end_interrupt(scheduler, cpu, idle, start);
}

static void run_alarm(struct scheduler *scheduler, struct event_node *node)
{
	uint64_t time = node->time;

	event_queue_remove(&scheduler->alarms, node);
	if ((enum alarm_kind)(uintptr_t)node->payload == ALARM_TIMER) {
		run_interrupt(scheduler, container_of(node, struct sim_timer, event), time);
	} else {
		scheduler->sim->host->now_ns = time;
		task_sleep_over(scheduler, container_of(node, struct sim_task, timer));
	}
}

// ---- the loop ----

// The CPU whose turn it was keeps it within the grain.
static struct cpu *next_cpu(const struct scheduler *scheduler)
{
	struct event_node *first = event_queue_first(&scheduler->cpus);
	struct cpu *last = scheduler->last;

	if (last && event_node_queued(&last->event) && last->event.time < first->time + scheduler->grain
	    && last->event.time < scheduler->until)
		return last;
	return first ? container_of(first, struct cpu, event) : NULL;
}

static bool run_next(struct scheduler *scheduler) // false: nothing is left until `until`
{
	struct event_node *alarm = event_queue_first(&scheduler->alarms);
	struct cpu *cpu = next_cpu(scheduler);
	uint64_t time;

	if (!alarm && !cpu)
		return false;
	time = alarm && (!cpu || alarm->time <= cpu->event.time) ? alarm->time : cpu->event.time;
	if (time >= scheduler->until)
		return false;
	if (time > scheduler->clock)
		scheduler->clock = time;
	if (alarm && (!cpu || alarm->time <= cpu->event.time)) {
		run_alarm(scheduler, alarm);
	} else {
		event_queue_remove(&scheduler->cpus, &cpu->event);
		run_cpu(scheduler, cpu);
	}
	return true;
}

bool scheduler_run(struct simulation *sim, uint64_t until_ns)
{
	struct scheduler *scheduler = sim->scheduler;

	scheduler->until = until_ns;
	yard_sim_clock(sim->host);
	while (!sim->error[0] && run_next(scheduler))
		;
	yard_sim_clock(NULL);
	if (until_ns != SIM_FOREVER && until_ns > scheduler->clock && !sim->error[0])
		scheduler->clock = until_ns;
	sim->host->now_ns = scheduler->clock;
	sim->host->current = NULL;
	return !sim->error[0];
}

// ---- the engine's hooks ----

static uint64_t host_wait(void *context, unsigned queue, uint64_t timeout_ns)
{
	struct simulation *sim = context;
	uint64_t start = sim_now(sim);
	// Reclaim sleeps uninterruptibly, but for the throttle on the reserves (spec 04 C-12, D-3).
	bool killable = queue % YARD_QUEUES == YARD_QUEUE_PFMEMALLOC;

	if (!sim->scheduler->running)
		return 0;
	sleep_on(sim->scheduler, scheduler_engine_queue(sim, queue),
		 start + timeout_ns < start ? SIM_FOREVER : start + timeout_ns, TASK_SLEEPING, killable);
	return sim_now(sim) - start;
}

static void host_wake(void *context, unsigned queue)
{
	wake_all(context, scheduler_engine_queue(context, queue));
}

static void host_yield(void *context)
{
	sim_point(context);
}

void scheduler_install_host(struct simulation *sim)
{
	sim->host->context = sim;
	sim->host->wait = host_wait;
	sim->host->wake = host_wake;
	sim->host->yield = host_yield;
}

struct wait_queue *scheduler_engine_queue(struct simulation *sim, unsigned queue)
{
	return &sim->scheduler->engine_queue[queue];
}

// ---- life, and what it tells ----

static bool create_cpus(struct scheduler *scheduler, const struct machine *machine)
{
	unsigned cpu = 0;

	scheduler->nr_nodes = machine->nr_nodes;
	for (unsigned node = 0; node < machine->nr_nodes; node++) {
		scheduler->range[node].first = cpu;
		cpu += machine->node[node].cpus;
		scheduler->range[node].end = cpu;
	}
	scheduler->nr_cpus = cpu;
	scheduler->cpu = calloc(cpu, sizeof(*scheduler->cpu));
	if (!scheduler->cpu || !event_queue_reserve(&scheduler->cpus, cpu))
		return false;
	for (unsigned node = 0; node < machine->nr_nodes; node++)
		for (cpu = scheduler->range[node].first; cpu < scheduler->range[node].end; cpu++) {
			scheduler->cpu[cpu].id = (uint16_t)cpu;
			scheduler->cpu[cpu].node = (uint16_t)node;
			scheduler->cpu[cpu].min_vruntime = UINT64_C(1) << 40;
			scheduler->idle[cpu / 64] |= UINT64_C(1) << (cpu % 64);
		}
	return true;
}

struct scheduler *scheduler_create(struct simulation *sim)
{
	struct scheduler *scheduler = calloc(1, sizeof(*scheduler));

	if (!scheduler)
		return NULL;
	scheduler->sim = sim;
	scheduler->grain = sim->machine->scheduling_grain_ns;
	scheduler->next_pid = FIRST_PID;
	weights_init(scheduler);
	scheduler->stacks = coroutine_pool_create(STACK_SIZE);
	scheduler->engine_queue = calloc((size_t)sim->machine->nr_nodes * YARD_QUEUES, sizeof(struct wait_queue));
	if (!scheduler->stacks || !scheduler->engine_queue || !create_cpus(scheduler, sim->machine)) {
		scheduler_destroy(scheduler);
		return NULL;
	}
	return scheduler;
}

void scheduler_destroy(struct scheduler *scheduler)
{
	struct sim_task *task, *next;

	if (!scheduler)
		return;
	coroutine_pool_destroy(scheduler->stacks);
	for (task = scheduler->tasks; task; task = next) {
		next = task->all_next;
		task_free(task);
	}
	for (unsigned cpu = 0; scheduler->cpu && cpu < scheduler->nr_cpus; cpu++)
		free(scheduler->cpu[cpu].queue.heap);
	free(scheduler->cpus.heap);
	free(scheduler->alarms.heap);
	free(scheduler->cpu);
	free(scheduler->engine_queue);
	free(scheduler);
}

void scheduler_cpu_times(const struct simulation *sim, unsigned number, struct cpu_times *times)
{
	const struct scheduler *scheduler = sim->scheduler;
	const struct cpu *cpu = &scheduler->cpu[number];

	*times = cpu->times;
	if (cpu->planned) {
		uint64_t begin = cpu->clock - cpu->planned;

		times->system += begin - cpu->charged_at;
		times->user += scheduler->clock > begin ? scheduler->clock - begin : 0;
	} else if (is_idle(scheduler, number) && scheduler->clock > cpu->clock) {
		times->idle += scheduler->clock - cpu->clock;
	}
}

unsigned scheduler_cpu_node(const struct simulation *sim, unsigned cpu)
{
	return sim->scheduler->cpu[cpu].node;
}

struct sim_task *scheduler_on_cpu(const struct simulation *sim, unsigned cpu)
{
	return cpu < sim->scheduler->nr_cpus ? sim->scheduler->cpu[cpu].current : NULL;
}

uint64_t scheduler_clock(const struct simulation *sim)
{
	return sim->scheduler->clock;
}

uint64_t scheduler_switches(const struct simulation *sim)
{
	return sim->scheduler->switches;
}

bool scheduler_in_interrupt(const struct simulation *sim)
{
	return sim->scheduler->interrupted;
}
