// SPDX-License-Identifier: Apache-2.0
//
// CPUs and tasks. A task is a coroutine; a CPU runs the runnable task that has had the least weighted time (vruntime,
// by nice value) for a slice, real-time tasks before all others. Tasks sleep for a time or on a wait queue; interrupts
// are timers, whose callbacks run on a CPU between two points of its task.

#pragma once

#include "sim/numa_balancing.h"
#include "sim/placement.h"
#include "sim/simulation.h"

struct process;
struct sim_task;

typedef void task_body(struct simulation *sim, struct sim_task *task, void *argument);

struct task_memory_block;

struct wait_queue { // all zero: empty
	struct sim_task *first, *last;
};

enum task_state { TASK_RUNNABLE, TASK_RUNNING, TASK_SLEEPING, TASK_IOWAIT, TASK_DEAD };

struct sim_task {
	struct yard_task task;	 // what the engine knows; its pid and comm
	struct process *process; // NULL: kernel thread
	task_body *body;
	void *argument;
	struct random_source random; // its own stream
	int8_t nice;
	uint16_t cpu; // where it runs or ran last
	enum task_state state;
	uint64_t user_ns, system_ns; // CPU time so far (the present stretch counts when it ends)
	bool stop;		     // asked to end, by the scenario or by a kill
	struct placement placement;
	struct yard_mempolicy_cursor cursor;
	int16_t spread_previous; // M21: node of its last page of the page cache; -1: none yet
	struct numa_task numa;	 // of NUMA balancing
	struct wait_queue ended;     // woken when the task has ended
	// The scheduler's.
	struct scheduler *scheduler;
	struct coroutine *coroutine;
	uint64_t serial; // number of its creation
	void (*at_end)(struct simulation *sim, struct sim_task *task);
	struct task_memory_block *memory;
	struct sim_task *all_previous, *all_next;
	bool realtime;
	uint16_t node_limit;	      // node + 1; 0: any
	uint16_t cpu_limit;	      // CPU + 1; 0: any
	uint16_t wanted_node;	      // node + 1, of scheduler_move_to_node(); 0: none
	uint64_t vruntime;	      // ns, weighted
	uint32_t vruntime_part;	      // ... and 2^-32 of it, so that it does not matter how often it is added to
	uint64_t stretch_user;	      // user time that is not in user_ns yet
	uint64_t computing;	      // what is left of task_compute()
	uint64_t ready_at;	      // it became runnable then: it may run on no CPU whose clock is behind
	struct event_node run, timer; // in the CPU's run queue; the end of its sleep
	struct wait_queue *waiting_on;
	struct sim_task *wait_previous, *wait_next;
	bool woken, killable;	// of the present sleep
	struct yard_task *told; // as which the pressure statistics know it; &task, or that of the engine's worker
	struct yard_task *engine_current; // as which it was working when it gave way
};

struct task_attributes {
	const char *comm; // kept as the engine's comm (15 characters)
	struct process *process;
	uint32_t pid;	    // 0: a new one
	int nice;	    // -20..19
	bool realtime;	    // before all tasks that are not
	int cpu;	    // the only CPU it may run on; -1: any
	int node;	    // ... or any CPU of this node; -1: any
	uint32_t flags;	    // enum yard_task_flags
	const char *stream; // name of its random stream, with `index`; NULL: comm
	uint64_t index;
	const struct placement *placement; // NULL: that of the running task, if it is of a process (M1)
	void (*at_end)(struct simulation *sim,
		       struct sim_task *task); // after the body, still as this task; may be NULL
	struct yard_task *told; // a worker of the engine: its task there (yard_kswapd_task()); NULL: its own
};

// Runnable from now on. NULL: no memory (sim_fail() was called). It is freed when its body returns.
struct sim_task *task_create(struct simulation *sim, const struct task_attributes *attributes, task_body *body,
			     void *argument);
uint32_t task_new_pid(struct simulation *sim);		     // for a process that has no task yet
struct sim_task *task_current(const struct simulation *sim); // NULL in an interrupt, and outside simulation_run()
// Zeroed memory that lives as long as the task. NULL: no memory (sim_fail() was called).
void *task_memory(struct simulation *sim, struct sim_task *task, size_t size);
// Asks the task to end: task_stopped() is true from now on, its interruptible sleeps and computations end at once, and
// for the engine it has a fatal signal.
void task_stop(struct simulation *sim, struct sim_task *task);
static inline bool task_stopped(const struct sim_task *task)
{
	return task->stop;
}

// ---- what the running task does ----

// User time: the task computes; others may run meanwhile on other CPUs and, when its slice is over, on this one. Ends
// early when the task is stopped.
void task_compute(struct simulation *sim, uint64_t ns);
void task_sleep(struct simulation *sim, uint64_t ns); // ends early when the task is stopped
void task_sleep_until(struct simulation *sim, uint64_t time);
// Sleeps on the queue until woken or timeout_ns is over (SIM_FOREVER: no limit). True: woken. io: waits for a device,
// counts as iowait and can't be ended by task_stop(). In an interrupt and outside simulation_run(): returns false at
// once.
bool task_wait(struct simulation *sim, struct wait_queue *queue, uint64_t timeout_ns, bool io);
void wake_all(struct simulation *sim, struct wait_queue *queue);
bool wake_one(struct simulation *sim, struct wait_queue *queue); // the one that waits longest; false: none

// ---- timers: callbacks in interrupt context; they may wake, allocate without DIRECT_RECLAIM, and start timers ----

struct sim_timer;
typedef void timer_callback(struct simulation *sim, void *argument);
struct sim_timer { // the caller's memory, zeroed; must stay until it has fired or is cancelled
	struct event_node event;
	timer_callback *callback;
	void *argument;
	uint16_t cpu; // on which its callback runs and whose time it takes
};
// A time that has passed: as soon as possible. A timer that runs already is set anew.
void timer_start(struct simulation *sim, struct sim_timer *timer, uint64_t time, timer_callback *callback,
		 void *argument);
void timer_cancel(struct simulation *sim, struct sim_timer *timer);

// ---- for the life of the simulation ----

// sim->machine, sim->yard and sim->host are there. NULL: no memory.
struct scheduler *scheduler_create(struct simulation *sim);
void scheduler_destroy(struct scheduler *scheduler);
bool scheduler_run(struct simulation *sim, uint64_t until_ns);
// The host's hooks: the engine's wait queues by their number (pageyard/worker.h).
void scheduler_install_host(struct simulation *sim);
struct wait_queue *scheduler_engine_queue(struct simulation *sim, unsigned queue);
bool scheduler_in_interrupt(const struct simulation *sim);

struct cpu_times { // ns since the start; system: with lock_spin and interrupts
	uint64_t user, system, idle, lock_spin;
};
void scheduler_cpu_times(const struct simulation *sim, unsigned cpu, struct cpu_times *times);
uint64_t task_cpu_ns(const struct simulation *sim, const struct sim_task *task); // CPU time so far
unsigned scheduler_cpu_node(const struct simulation *sim, unsigned cpu);
struct sim_task *scheduler_on_cpu(const struct simulation *sim, unsigned cpu); // whose turn it is there; NULL: nobody's
// The running task goes on on an idle CPU of the node, or in place of a task there that NUMA balancing wants on this CPU's
// node, which comes here (spec 05 B13). Others may run on the way. False: neither is there, or it may not run there.
bool scheduler_move_to_node(struct simulation *sim, unsigned node);
uint64_t scheduler_clock(const struct simulation *sim); // how far time has come: that of the last event
uint64_t scheduler_switches(const struct simulation *sim);
