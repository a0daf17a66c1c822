// SPDX-License-Identifier: Apache-2.0
//
// Workloads: the entries of a scenario's `workload:` list, each of a task kind. A kind is a row in the table of
// workload.c: its parameters (a schema of sim/config.h), and what its processes do. One file a kind: sim/work_NAME.c.
//
// A workload has one or more instances. A kernel thread, its supervisor, starts each of them as a process with one
// task, which runs the kind's body; starts them again as `repeat` and `restart` say; and asks them to end when the time
// has come. Bodies return then, and free what does not go with their process: files, slab objects, pages of the kernel.

#pragma once

#include "report/histogram.h"
#include "sim/access.h"
#include "sim/config.h"
#include "sim/process.h"

enum { WORKLOAD_FIGURES_MAX = 32 };

struct workload_figure { // what a kind counts itself, in the table under the workload's name
	const char *name;    // "bursts", "packets"
	uint64_t value;
	int8_t better;	     // 1: more is better, -1: less is, 0: neither
};

struct workload_common { // keys that every kind has
	const struct config_node *place;
	const char *name;	    // default: the kind
	uint64_t start_ns, stop_ns; // when; stop_ns SIM_FOREVER: the scenario's end
	uint64_t count;		    // instances
	uint64_t ramp_ns;	    // instances start evenly spread over this
	uint64_t repeat;	    // each instance runs so often, pause_ns apart; 0: until the end
	uint64_t pause_ns;
	uint64_t restart_ns; // starts again so long after it was killed; SIM_FOREVER: never
	int64_t nice;
	bool realtime;
	int64_t cpu, node; // -1: any
	const char *cpuset;    // nodes that its tasks may use; as placement_nodes() takes them
	const char *mempolicy; // of its tasks; as placement_check() takes it
	bool spread_page;
	const struct local_settings *local_reclaim; // of its tasks; NULL: none
	uint64_t cache; // enum cache_advice
	const char *group; // guards and PSI; "": none
	int64_t oom_score_adj;
	bool first;	 // a preparation: the scenario's clock starts when all are ready, which go one after the other
	bool background; // ends when all workloads that are not have ended
};

struct workload;

// One instance, and what bodies get as argument; its children get the same.
struct workload_instance {
	struct workload *workload;
	uint64_t number;	       // 0 .. count - 1
	uint32_t children;	       // that run
	struct wait_queue child_ended; // woken each time one has
	bool ending;		       // its children are to end
	void *state;		       // the body's, for its children
	task_body *child_body;	       // theirs
	// The supervisor's.
	struct sim_task *task; // NULL: it does not run
	uint64_t *left_on; // pages that it had on each node when its process ended last; NULL: it has not, or one node
	uint64_t due, runs, forks;
	bool waits, ready; // for `due`; as a preparation
	bool killed;	   // the last time
};

struct workload {
	struct workload_common common;
	const struct task_kind *kind;
	void *parameters;   // kind->config.schema->size bytes, of which the first are `common`
	uint16_t group;	    // number of the PSI group
	struct placement placement; // of its tasks
	struct wait_queue ready_queue;
	bool ready;	    // of a preparation: done
	uint32_t running;   // tasks, with the supervisor
	struct workload_figure figure[WORKLOAD_FIGURES_MAX];
	unsigned nr_figures;
	struct access_account access; // of access_bulk() by its tasks
	struct histogram *latency; // of its operations, ns; NULL: it has none
	const char *latency_name;
	// The supervisor's.
	struct workload *all; // of the scenario
	uint32_t nr_all;
	struct workload_instance *instance;
	struct sim_task *supervisor;
	struct wait_queue changed; // woken when an instance has ended
	uint64_t iteration;	   // number of workload_start()s
	bool stopping;
	void *shared;
	void **kept; // of each instance
};

// What a schema cannot know of a kind's parameters: whether they fit together, and the machine. False, with the key
// whose value is wrong and one line in `reason`.
typedef bool task_check(const void *parameters, const struct machine *machine, const char **key, char *reason,
			size_t size);

struct task_kind {
	struct config_kind config; // name, help, schema
	task_body *body;	   // of an instance's first task; its argument is the instance
	task_check *check;	   // NULL: the schema knows all
};

extern const struct config_kind *const workload_kinds[]; // NULL-terminated, by name; each begins a struct task_kind
extern const struct config_variants workload_variants;	 // for the schema of scenarios
extern const struct config_schema workload_common_schema; // base of all kinds' schemas

// In a kind's file, after its fields: the kind with this symbol, which goes into the table of workload.c.
#define WORKLOAD_KIND(symbol, kind_name, kind_text, structure, kind_fields, kind_body)                                 \
	WORKLOAD_KIND_CHECKED(symbol, kind_name, kind_text, structure, kind_fields, kind_body, NULL)
#define WORKLOAD_KIND_CHECKED(symbol, kind_name, kind_text, structure, kind_fields, kind_body, kind_check)             \
	static const struct config_schema symbol##_schema = {NULL, sizeof(structure), kind_fields,                     \
							     &workload_common_schema};                                 \
	const struct task_kind symbol = {{kind_name, kind_text, &symbol##_schema}, kind_body, kind_check}

// ---- for the scenario ----

// Makes a workload of what was read; `index` of scenario->workload.
void workload_init(struct workload *workload, const struct config_variant *variant);

// ---- for the runner (sim/runner.c) ----

// All instances from now on as start, ramp and stop say; figures and latency begin at 0.
void workload_start(struct simulation *sim, struct workload *workload);
// Asks all its tasks to end, those that it would still start too; workload->running is 0 when they have.
void workload_stop(struct simulation *sim, struct workload *workload);
// Pages of anonymous memory that its processes have on each of the machine's nodes; of instances that do not run: had
// when they ended.
void workload_resident(const struct simulation *sim, const struct workload *workload, uint64_t pages[YARD_NODES_MAX]);
// An instance's first process exits: what it has now is what it had.
void workload_note_exit(struct simulation *sim, const struct process *process);
// Forgets a simulation that is gone: as after scenario_load().
void workload_reset(struct workload *workload);

// ---- for the bodies ----

// The parameters, as the kind's type.
static inline const void *workload_parameters(const struct workload_instance *instance)
{
	return instance->workload->parameters;
}

// True when the body is to return.
static inline bool workload_over(const struct workload_instance *instance, const struct sim_task *task)
{
	return task_stopped(task) || instance->ending || instance->workload->stopping;
}

void workload_ready(struct simulation *sim, struct workload_instance *instance); // a preparation is done

// A further process with one task that runs the body with the instance as argument, and carries the workload's nice
// value, CPU, node and group. All children of an instance have the same body. By the running task. False: no memory for
// it (counted as "failed forks"), or sim_fail() was called.
bool workload_fork(struct simulation *sim, struct workload_instance *instance, const char *comm, task_body *body);
// A further thread of the instance's process, likewise; it counts as a child.
bool workload_thread(struct simulation *sim, struct workload_instance *instance, task_body *body);
// Sleeps until at most `children` of them run, or the workload is over.
void workload_wait_children(struct simulation *sim, struct sim_task *task, struct workload_instance *instance,
			    uint32_t children);
// Asks them to end and waits until they have, also when the task itself has been stopped: what they share may go then.
void workload_end_children(struct simulation *sim, struct workload_instance *instance);

// The figure of this name, made at 0 when it is new.
uint64_t *workload_figure(struct workload *workload, const char *name, int better);
// Counts a duration; the first call names what the workload's durations are.
void workload_latency(struct simulation *sim, struct workload *workload, const char *name, uint64_t ns);

// Memory of `size` bytes, zeroed at the first call, which all instances share until the iteration is over. NULL: no
// memory (sim_fail() was called).
void *workload_shared(struct simulation *sim, struct workload *workload, size_t size);

// The same for this instance only, as long as the simulation: what stays on the machine from one iteration to the next.
void *workload_kept(struct simulation *sim, struct workload_instance *instance, size_t size);

// Pages of an amount, of which shares are of the machine's memory.
uint64_t workload_pages(const struct simulation *sim, struct config_amount amount);

// Sleeps so that calls follow each other at this rate (0 events: at once); never tries to make up for time lost. False:
// the workload is over.
struct workload_pace { // all zero at first
	uint64_t next_ns, rest;
};
bool workload_pace(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
		   struct workload_pace *pace, struct config_rate rate);
// As task_sleep(), but 0 only lets others run. False: the workload is over.
bool workload_pause(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
		    uint64_t ns);

uint64_t workload_draw(struct sim_task *task, struct config_range range); // evenly, both ends included
