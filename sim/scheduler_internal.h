// SPDX-License-Identifier: Apache-2.0
//
// What the scheduler's files share: scheduler.c (the event loop), run_queue.c (who runs where), cpu_time.c (how
// long), task.c (tasks, sleep, wait queues), timer.c.
//
// Two queues hold what is to come: `cpus` those CPUs that have a task, by their clock, and `alarms` timers and the ends
// of sleeps, by their time. Of two that are due at the same time the alarm is first, then the one that was added first.

#pragma once

#include "sim/coroutine.h"
#include "sim/machine.h"
#include "sim/scheduler.h"

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

enum { IDLE_WORDS = YARD_CPUS_MAX / 64 };

struct cpu {
	struct event_node event; // in scheduler->cpus: it has a task, or must look for one
	uint16_t id, node;
	uint64_t clock;
	struct sim_task *current; // on this CPU, also while it has given way to other CPUs; NULL: none
	struct event_queue queue; // waiting tasks, by vruntime
	uint64_t min_vruntime;
	uint64_t serial;     // of the task that ran last: changing it costs a switch
	uint64_t charged_at; // the current task's time is counted up to here
	uint64_t planned;    // user time of the current task from then until `clock`, which is still to come
	uint64_t slice_start, slice_end;
	bool preempt;		// a task that was woken should run before the current one
	uint64_t interrupt_end; // of the last one: the next does not begin earlier
	struct cpu_times times;
};

struct cpu_range { // of a node
	uint32_t first, end;
};

// What a node in `alarms` is.
enum alarm_kind { ALARM_SLEEP, ALARM_TIMER };

struct scheduler {
	struct simulation *sim;
	struct cpu *cpu;
	unsigned nr_cpus, nr_nodes;
	struct cpu_range range[YARD_NODES_MAX];
	uint64_t idle[IDLE_WORDS]; // CPUs without work
	struct event_queue cpus, alarms;
	struct cpu *last;	  // whose turn it was
	struct sim_task *running; // NULL: an interrupt, or nobody
	struct cpu *interrupted;  // an interrupt runs on it; NULL: none
	uint64_t clock, until, grain, switches;
	unsigned nr_movable; // waiting tasks that are not bound to one CPU
	uint32_t next_pid;
	uint64_t next_serial;
	struct coroutine_pool *stacks;
	struct sim_task *tasks;		 // all
	struct wait_queue *engine_queue; // node * YARD_QUEUES + kind
	uint64_t inverse_weight[40];	 // of nice values from -20: 2^32 / weight, where nice 0 weighs 1
};

// ---- cpu_time.c ----
void weights_init(struct scheduler *scheduler);
void account_current(struct scheduler *scheduler, struct cpu *cpu, uint64_t now);
void account_running(struct scheduler *scheduler); // the same for the running task, now
// task_compute() has no effect on others, so a CPU is put ahead of them to its end, or to the next time at which its
// current task must be looked at; who comes to that CPU earlier cuts it short.
void plan_computing(struct cpu *cpu);
void end_computing(struct scheduler *scheduler, struct cpu *cpu); // as planned
void cut_computing(struct scheduler *scheduler, struct cpu *cpu, uint64_t now);

// ---- run_queue.c ----
void task_make_ready(struct scheduler *scheduler, struct sim_task *task); // it was created or is awake: finds it a CPU
// Who runs on it from now on: cpu->current, which may stay the same. False: nobody; it is idle.
bool pick_task(struct scheduler *scheduler, struct cpu *cpu);
bool is_idle(const struct scheduler *scheduler, unsigned cpu);
bool cpu_has_waiting(const struct cpu *cpu);
void cpu_start(struct scheduler *scheduler, struct cpu *cpu, uint64_t now); // it was idle and has a task now
// The first time at which the current task must be looked at again, other CPUs and alarms left aside.
uint64_t cpu_deadline(const struct cpu *cpu);

// ---- task.c ---- The running task sleeps, on the queue if there is one, until woken (true) or `time` has come.
// killable: task_stop() ends it.
bool sleep_on(struct scheduler *scheduler, struct wait_queue *queue, uint64_t time, enum task_state state,
	      bool killable);
void task_end(struct scheduler *scheduler, struct sim_task *task); // its body has returned: frees it
void task_free(struct sim_task *task);
void task_sleep_over(struct scheduler *scheduler, struct sim_task *task);

// ---- scheduler.c ----
// The running task must give way at `time` at the latest.
void lower_horizon(struct scheduler *scheduler, uint64_t time);
void give_way(struct scheduler *scheduler);	// the running coroutine
void queue_failed(struct scheduler *scheduler); // no memory for an event
void tell_pressure(struct scheduler *scheduler, struct sim_task *task, unsigned state);
bool alarm_set(struct scheduler *scheduler, struct event_node *node, enum alarm_kind kind, uint64_t time);
