// SPDX-License-Identifier: Apache-2.0
//
// The recursion checker's events (spec 02 section 6): what each task holds, and what it takes while it holds it.
//
// A task has a stack while it holds something. Only the task itself uses its stack; checker->lock covers the rest.

#include "engine/lock_graph.h"
#include "engine/mm.h"

enum { CLASSES = 256, TASKS = 64, EDGES = 4096, CYCLES = 256, LIMIT = 1 << 20, HELD_MAX = 48 };
enum { PATH_ROOM = 256, TEXT_ROOM = 192 };

struct held {
	uint32_t node;
	uint8_t kind;
	const char *site;
};

struct lock_stack {
	struct yard_task *task; // NULL: free
	uint32_t depth;
	struct held held[HELD_MAX];
};

struct yard_lockcheck {
	yard_spinlock lock;
	struct yard_lockcheck_config config;
	_Atomic uint64_t events, dropped;
	_Atomic uint32_t nr_classes; // read without the lock
	uint32_t reports;
	const char **names;
	struct lock_stack *stacks;
	struct lock_graph graph;
};

// ---- building ----

static bool complete(const struct yard_lockcheck_config *given, struct yard_lockcheck_config *config)
{
	*config = *given;
	config->classes = given->classes ? given->classes : CLASSES;
	config->tasks = given->tasks ? given->tasks : TASKS;
	config->edges = given->edges ? given->edges : EDGES;
	config->cycles = given->cycles ? given->cycles : CYCLES;
	return config->classes <= LIMIT && config->tasks <= LIMIT && config->edges <= LIMIT && config->cycles <= LIMIT;
}

static uint32_t nr_nodes(const struct yard_lockcheck_config *config)
{
	return LOCK_NODE_CLASSES + config->classes * YARD_LOCK_SUBCLASSES;
}

size_t yard_lockcheck_size(const struct yard_lockcheck_config *given)
{
	struct yard_lockcheck_config config;

	if (!complete(given, &config))
		return 0;
	return sizeof(struct yard_lockcheck) + lock_graph_size(nr_nodes(&config), config.edges, config.cycles)
	       + config.tasks * sizeof(struct lock_stack) + config.classes * sizeof(char *);
}

struct yard_lockcheck *yard_lockcheck_init(void *memory, size_t size, const struct yard_lockcheck_config *given)
{
	struct yard_lockcheck *checker = memory;
	size_t needed = yard_lockcheck_size(given);
	char *at = (char *)(checker + 1);
	uint32_t nodes;

	if (!needed || !memory || size < needed || (uintptr_t)memory % CACHE_LINE)
		return NULL;
	complete(given, &checker->config);
	nodes = nr_nodes(&checker->config);
	lock_graph_setup(&checker->graph, at, nodes, checker->config.edges, checker->config.cycles);
	at += lock_graph_size(nodes, checker->config.edges, checker->config.cycles);
	checker->stacks = (struct lock_stack *)at;
	checker->names = (const char **)(at + checker->config.tasks * sizeof(struct lock_stack));
	return checker;
}

void yard_lockcheck_attach(struct yard *yard, struct yard_lockcheck *checker)
{
	yard->lockcheck = checker;
}

void yard_lockcheck_get(struct yard_lockcheck *checker, struct yard_lockcheck_state *state)
{
	yard_spin_lock(&checker->lock);
	*state = (struct yard_lockcheck_state){
		.events = atomic_load_explicit(&checker->events, memory_order_relaxed),
		.classes = atomic_load_explicit(&checker->nr_classes, memory_order_relaxed),
		.edges = checker->graph.nr_edges, .reports = checker->reports,
		.dropped = atomic_load_explicit(&checker->dropped, memory_order_relaxed),
	};
	yard_spin_unlock(&checker->lock);
}

int yard_lock_class(struct yard_lockcheck *checker, const char *name)
{
	int number = YARD_ENOMEM;
	uint32_t nr;

	yard_spin_lock(&checker->lock);
	nr = atomic_load_explicit(&checker->nr_classes, memory_order_relaxed);
	if (nr < checker->config.classes) {
		number = (int)nr;
		checker->names[nr] = name;
		atomic_store_explicit(&checker->nr_classes, nr + 1, memory_order_relaxed);
	}
	yard_spin_unlock(&checker->lock);
	return number;
}

// ---- reports ----

struct line {
	char *text;
	size_t size, length;
};

static void say(struct line *line, const char *text)
{
	for (; *text && line->length + 1 < line->size; text++)
		line->text[line->length++] = *text;
	line->text[line->length] = '\0';
}

static void say_node(struct line *line, const struct yard_lockcheck *checker, uint32_t node)
{
	const char subclass[] = { '/', (char)('0' + (node - LOCK_NODE_CLASSES) % YARD_LOCK_SUBCLASSES), '\0' };

	if (node == LOCK_NODE_RECLAIM) {
		say(line, "fs_reclaim");
	} else if (node == LOCK_NODE_NOTIFIER) {
		say(line, "mmu_notifier_invalidate_range_start");
	} else {
		say(line, checker->names[(node - LOCK_NODE_CLASSES) / YARD_LOCK_SUBCLASSES]);
		if (subclass[1] != '0')
			say(line, subclass);
	}
}

static enum yard_lock_problem problem_of(const struct lock_edge *edge)
{
	if (edge->from == edge->to)
		return YARD_LOCK_RECURSION;
	return edge->witness.gfp && edge->from != LOCK_NODE_RECLAIM ? YARD_LOCK_UNSAFE_ALLOC : YARD_LOCK_INVERSION;
}

static void say_problem(struct line *line, const struct yard_lockcheck *checker, const struct lock_edge *edge)
{
	switch (problem_of(edge)) {
	case YARD_LOCK_RECURSION:
		say(line, edge->from == LOCK_NODE_RECLAIM ? "reclaim recursion"
							  : "allocating inside a notifier, which reclaim calls");
		break;
	case YARD_LOCK_UNSAFE_ALLOC:
		say(line, edge->to == LOCK_NODE_RECLAIM ? "allocating with FS" : "allocating");
		say(line, " while holding ");
		say_node(line, checker, edge->from);
		say(line, edge->to == LOCK_NODE_RECLAIM ? ", which reclaim takes" : ", which reclaim's notifiers take");
		break;
	case YARD_LOCK_INVERSION:
		say(line, edge->from == LOCK_NODE_RECLAIM ? "reclaim takes " : "taking ");
		say_node(line, checker, edge->to);
		if (edge->from == LOCK_NODE_RECLAIM) {
			say(line, ", which is held over allocations with FS");
			break;
		}
		say(line, " while holding ");
		say_node(line, checker, edge->from);
		say(line, ", against the order that leads through reclaim");
		break;
	}
}

// Adds the edge; what it closes is reported after the lock is dropped, so that the embedder may use the checker.
static void connect_classes(struct yard_lockcheck *checker, const struct lock_edge *edge)
{
	char text[TEXT_ROOM] = "", path[PATH_ROOM] = "";
	struct line text_line = { text, sizeof(text), 0 }, path_line = { path, sizeof(path), 0 };
	struct yard_lock_report report = { .text = text, .path = path, .now = edge->witness };
	struct lock_cycle cycle = { 0 };
	enum lock_link result;

	yard_spin_lock(&checker->lock);
	result = lock_graph_link(&checker->graph, edge, &cycle);
	if (result == LOCK_CYCLE) {
		checker->reports++;
		report.problem = problem_of(edge);
		report.before = cycle.before;
		say_problem(&text_line, checker, edge);
		for (uint32_t i = 0; i < cycle.nr; i++) {
			say(&path_line, i ? " -> " : "");
			say_node(&path_line, checker, cycle.node[i]);
		}
	}
	yard_spin_unlock(&checker->lock);
	if (result == LOCK_NO_ROOM)
		atomic_fetch_add_explicit(&checker->dropped, 1, memory_order_relaxed);
	if (result == LOCK_CYCLE && checker->config.report)
		checker->config.report(checker->config.context, &report);
}

// ---- stacks ----

static struct lock_stack *stack_of(const struct yard_lockcheck *checker, const struct yard_task *task)
{
	struct lock_stack *stack;

	if (!task || !task->lock_task || task->lock_task > checker->config.tasks)
		return NULL;
	stack = &checker->stacks[task->lock_task - 1];
	return stack->task == task ? stack : NULL;
}

static struct lock_stack *claim_stack(struct yard_lockcheck *checker, struct yard_task *task)
{
	struct lock_stack *stack = stack_of(checker, task);

	if (stack)
		return stack;
	yard_spin_lock(&checker->lock);
	for (uint32_t i = 0; i < checker->config.tasks && !stack; i++) {
		if (checker->stacks[i].task)
			continue;
		stack = &checker->stacks[i];
		stack->task = task;
		stack->depth = 0;
		task->lock_task = i + 1;
	}
	yard_spin_unlock(&checker->lock);
	return stack;
}

static int push(struct yard_lockcheck *checker, struct yard_task *task, const struct held *held)
{
	struct lock_stack *stack = claim_stack(checker, task);

	if (!stack || stack->depth == HELD_MAX) {
		atomic_fetch_add_explicit(&checker->dropped, 1, memory_order_relaxed);
		return YARD_ENOMEM;
	}
	stack->held[stack->depth++] = *held;
	return YARD_OK;
}

static int pop(struct yard_lockcheck *checker, struct yard_task *task, uint32_t node)
{
	struct lock_stack *stack = stack_of(checker, task);
	uint32_t i = stack ? stack->depth : 0;

	while (i && stack->held[i - 1].node != node)
		i--;
	if (!i)
		return YARD_EINVAL;
	stack->depth--;
	for (i--; i < stack->depth; i++)
		stack->held[i] = stack->held[i + 1];
	if (!stack->depth) {
		task->lock_task = 0;
		yard_spin_lock(&checker->lock);
		stack->task = NULL;
		yard_spin_unlock(&checker->lock);
	}
	return YARD_OK;
}

static uint64_t next_event(struct yard_lockcheck *checker)
{
	return atomic_fetch_add_explicit(&checker->events, 1, memory_order_relaxed) + 1;
}

// The task takes `taken`: an edge from everything that it holds (RC-5, RC-6). A class of the embedder's that is taken
// again makes none: what is wrong with that does not go through reclaim.
static void take(struct yard_lockcheck *checker, const struct yard_task *task, const struct held *taken, uint32_t gfp,
		 uint64_t event)
{
	const struct lock_stack *stack = stack_of(checker, task);

	for (uint32_t i = 0; stack && i < stack->depth; i++) {
		const struct held *held = &stack->held[i];

		if (held->node == taken->node && held->node >= LOCK_NODE_CLASSES)
			continue;
		connect_classes(checker, &(struct lock_edge){
			.from = held->node, .to = taken->node, .held = held->kind, .taken = taken->kind,
			.witness = { .event = event, .pid = task->pid, .gfp = gfp, .held_site = held->site,
				     .site = taken->site },
		});
	}
}

// ---- locks ----

static bool node_of_lock(struct yard_lockcheck *checker, uint32_t lock_class, unsigned subclass, uint32_t *node)
{
	if (lock_class == YARD_LOCK_NOTIFIER) {
		*node = LOCK_NODE_NOTIFIER;
		return !subclass;
	}
	*node = LOCK_NODE_CLASSES + lock_class * YARD_LOCK_SUBCLASSES + subclass;
	return lock_class < atomic_load_explicit(&checker->nr_classes, memory_order_relaxed)
	       && subclass < YARD_LOCK_SUBCLASSES;
}

int yard_lock_acquired(struct yard *yard, uint32_t lock_class, unsigned subclass, enum yard_lock_kind kind,
		       const char *site)
{
	struct yard_lockcheck *checker = yard->lockcheck;
	struct yard_task *task = current_task(yard);
	struct held held = { .kind = (uint8_t)kind, .site = site };

	if (!checker)
		return YARD_OK;
	if (!task || (unsigned)kind > YARD_LOCK_READ_RECURSIVE
	    || !node_of_lock(checker, lock_class, subclass, &held.node))
		return YARD_EINVAL;
	take(checker, task, &held, 0, next_event(checker));
	return push(checker, task, &held);
}

int yard_lock_released(struct yard *yard, uint32_t lock_class, unsigned subclass)
{
	struct yard_lockcheck *checker = yard->lockcheck;
	struct yard_task *task = current_task(yard);
	uint32_t node;

	if (!checker)
		return YARD_OK;
	if (!task || !node_of_lock(checker, lock_class, subclass, &node))
		return YARD_EINVAL;
	next_event(checker);
	return pop(checker, task, node);
}

// ---- allocations and reclaim (RC-2) ----

static bool relevant(const struct yard *yard, const struct yard_task *task, uint32_t *gfp) // RC-2, RC-3, E-4
{
	uint32_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);

	*gfp &= ~yard->gfp_forbidden;
	if (flags & YARD_TASK_NOIO)
		*gfp &= ~(uint32_t)(YARD_GFP_IO | YARD_GFP_FS);
	else if (flags & YARD_TASK_NOFS)
		*gfp &= ~(uint32_t)YARD_GFP_FS;
	return *gfp & YARD_GFP_DIRECT_RECLAIM && !(flags & YARD_TASK_MEMALLOC) && !(*gfp & YARD_GFP_NOLOCKDEP);
}

void yard_might_alloc(struct yard *yard, uint32_t gfp, const char *site)
{
	struct yard_lockcheck *checker = yard->lockcheck;
	struct yard_task *task = current_task(yard);
	uint64_t event;

	if (!checker || !task)
		return;
	event = next_event(checker);
	if (!relevant(yard, task, &gfp))
		return;
	if (gfp & YARD_GFP_FS)
		take(checker, task, &(struct held){ .node = LOCK_NODE_RECLAIM, .site = site }, gfp, event);
	take(checker, task, &(struct held){ .node = LOCK_NODE_NOTIFIER, .site = site }, gfp, event);
}

void lockcheck_alloc(struct yard *yard, uint32_t gfp)
{
	if (unlikely(yard->lockcheck))
		yard_might_alloc(yard, gfp, "page allocation");
}

bool lockcheck_reclaim_enter(struct yard *yard, uint32_t gfp, const char *site)
{
	struct yard_lockcheck *checker = yard->lockcheck;
	struct yard_task *task = current_task(yard);
	const struct held reclaim = { .node = LOCK_NODE_RECLAIM, .site = site };
	bool held = false;
	uint64_t event;

	if (!checker || !task)
		return false;
	event = next_event(checker);
	if (!relevant(yard, task, &gfp))
		return false;
	if (gfp & YARD_GFP_FS) {
		take(checker, task, &reclaim, gfp, event);
		held = push(checker, task, &reclaim) == YARD_OK;
	}
	take(checker, task, &(struct held){ .node = LOCK_NODE_NOTIFIER, .site = site }, gfp, event);
	return held;
}

void lockcheck_reclaim_leave(struct yard *yard)
{
	struct yard_lockcheck *checker = yard->lockcheck;
	struct yard_task *task = current_task(yard);

	if (!checker || !task)
		return;
	next_event(checker);
	pop(checker, task, LOCK_NODE_RECLAIM);
}

// ---- scopes (RC-3, E-4) ----

enum { SCOPES = YARD_TASK_NOIO | YARD_TASK_NOFS | YARD_TASK_PIN | YARD_TASK_MEMALLOC };

uint32_t yard_scope_enter(struct yard *yard, uint32_t flags)
{
	struct yard_task *task = current_task(yard);

	if (!task)
		return 0;
	if (yard->lockcheck)
		next_event(yard->lockcheck);
	return atomic_fetch_or_explicit(&task->flags, flags & SCOPES, memory_order_relaxed) & SCOPES;
}

void yard_scope_leave(struct yard *yard, uint32_t before)
{
	struct yard_task *task = current_task(yard);

	if (!task)
		return;
	if (yard->lockcheck)
		next_event(yard->lockcheck);
	atomic_fetch_and_explicit(&task->flags, ~(uint32_t)SCOPES | before, memory_order_relaxed);
}
