// SPDX-License-Identifier: Apache-2.0
//
// The kernel memory of processes: stacks, page tables, slab objects. Sizes of objects are those that /proc/slabinfo of
// Linux 7.3 on x86-64 shows; how many of each are those of a small dynamically linked program (our estimate). Masks are
// those of the records' mm_page_alloc events.

#include "sim/process_internal.h"

// X(enumerator, name, bytes, how many a process has, ... each thread)
#define OBJECT_KINDS_TABLE(X)                                                                                          \
	X(MM, "mm_struct", 1792, 1, 0) X(SIGNAL, "signal_cache", 1152, 1, 0)                                           \
	X(SIGHAND, "sighand_cache", 2112, 1, 0) X(FILES, "files_cache", 704, 1, 0)                                     \
	X(CRED, "kmalloc-192", 192, 1, 0) X(FS, "kmalloc-64", 64, 1, 0) X(VMA, "vm_area_struct", 192, 20, 0)           \
	X(MAPLE, "maple_node", 256, 4, 0) X(ANON_VMA, "anon_vma", 96, 8, 0)                                            \
	X(ANON_VMA_CHAIN, "anon_vma_chain", 64, 10, 0) X(FILP, "filp", 192, 4, 0)                                      \
	X(TASK, "task_struct", 9024, 0, 1) X(PID, "pid", 192, 0, 1)

enum object_kind_number {
#define X(name, text, size, process, thread) KIND_##name,
	OBJECT_KINDS_TABLE(X)
#undef X
	KINDS
};
_Static_assert((int)KINDS == (int)PROCESS_CACHES, "room for the caches");

static const struct {
	const char *name;
	uint32_t size;
} kinds[KINDS] = {
#define X(name, text, size, process, thread) { text, size },
	OBJECT_KINDS_TABLE(X)
#undef X
};

static const uint8_t of_process[KINDS] = {
#define X(name, text, size, process, thread) process,
	OBJECT_KINDS_TABLE(X)
#undef X
};

static const uint8_t of_thread[KINDS] = {
#define X(name, text, size, process, thread) thread,
	OBJECT_KINDS_TABLE(X)
#undef X
};

static const uint8_t of_mapping[KINDS] = { [KIND_VMA] = 1 };

#define X(name, text, size, process, thread) +(process)
_Static_assert(OBJECT_KINDS_TABLE(X) <= PROCESS_OBJECTS_MAX, "room in struct process");
#undef X
#define X(name, text, size, process, thread) +(thread)
_Static_assert(OBJECT_KINDS_TABLE(X) == THREAD_OBJECTS, "room in struct thread_memory");
#undef X

// ---- slab objects ----

static struct slab_cache *cache_of(struct simulation *sim, unsigned kind)
{
	struct slab_cache **cache = &sim->processes->cache[kind];
	const struct slab_cache_config config = {
		.name = kinds[kind].name,
		.size = kinds[kind].size,
		.order = SLAB_ORDER_DEFAULT,
	};

	if (!*cache)
		*cache = slab_cache_get(sim, &config);
	return *cache;
}

static void give_objects(struct simulation *sim, const uint8_t *nr, struct slab_object *object)
{
	for (unsigned kind = 0; kind < KINDS; kind++)
		for (unsigned n = 0; n < nr[kind]; n++, object++) {
			if (object->slab)
				slab_free(sim, cache_of(sim, kind), *object);
			*object = (struct slab_object){ 0 };
		}
}

static bool take_objects(struct simulation *sim, const uint8_t *nr, struct slab_object *object)
{
	struct slab_object *next = object;

	for (unsigned kind = 0; kind < KINDS; kind++)
		for (unsigned n = 0; n < nr[kind]; n++, next++) {
			struct slab_cache *cache = cache_of(sim, kind);

			if (!cache || !slab_alloc(sim, cache, YARD_GFP_KERNEL_ACCOUNT, next)) {
				give_objects(sim, nr, object);
				return false;
			}
		}
	return true;
}

// ---- stacks ----

#define STACK_TRY_GFP                                                                                                  \
	(YARD_GFP_HIGHMEM | YARD_GFP_IO | YARD_GFP_FS | YARD_GFP_ZERO | YARD_GFP_KSWAPD_RECLAIM | YARD_GFP_NOWARN)
#define STACK_GFP (YARD_GFP_KERNEL | YARD_GFP_HIGHMEM | YARD_GFP_ZERO)
#define TABLE_GFP (YARD_GFP_KERNEL_ACCOUNT | YARD_GFP_ZERO | YARD_GFP_COMP)
enum { STACK_ORDER = 2 };
_Static_assert(1 << STACK_ORDER == STACK_PAGES, "a stack");

static void give_stack_pages(struct simulation *sim, const uint32_t *pfn, unsigned nr)
{
	while (nr--)
		sim_free(sim, pfn[nr], 0);
}

static bool take_stack(struct simulation *sim, uint32_t *pfn)
{
	struct cpu_stacks *cached = &sim->processes->stacks[sim->host->cpu];
	uint32_t block;

	sim_charge(sim, COST_ZERO_PAGE, STACK_PAGES);
	if (cached->nr) {
		cached->nr--;
		for (unsigned i = 0; i < STACK_PAGES; i++)
			pfn[i] = cached->pfn[cached->nr][i];
		return true;
	}
	block = sim_try_alloc(sim, REQUEST_STACK, STACK_TRY_GFP, STACK_ORDER, -1);
	if (block != YARD_PFN_NONE) {
		yard_split(sim->yard, block, STACK_ORDER);
		for (unsigned i = 0; i < STACK_PAGES; i++)
			pfn[i] = block + i;
		return true;
	}
	for (unsigned i = 0; i < STACK_PAGES; i++) {
		pfn[i] = sim_alloc(sim, REQUEST_STACK, STACK_GFP, 0, -1);
		if (pfn[i] == YARD_PFN_NONE) {
			give_stack_pages(sim, pfn, i);
			return false;
		}
	}
	return true;
}

static void give_stack(struct simulation *sim, const uint32_t *pfn)
{
	struct cpu_stacks *cached = &sim->processes->stacks[sim->host->cpu];

	if (cached->nr == CPU_STACKS) {
		give_stack_pages(sim, pfn, STACK_PAGES);
		return;
	}
	for (unsigned i = 0; i < STACK_PAGES; i++)
		cached->pfn[cached->nr][i] = pfn[i];
	cached->nr++;
}

// ---- page tables ----

static void give_tables(struct simulation *sim, const uint32_t *pfn, unsigned nr)
{
	while (nr--)
		sim_free(sim, pfn[nr], 0);
}

static bool take_tables(struct simulation *sim, uint32_t *pfn, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		sim_charge(sim, COST_PAGE_TABLE, 1);
		pfn[i] = sim_alloc(sim, REQUEST_PAGE_TABLE, TABLE_GFP, 0, -1);
		if (pfn[i] == YARD_PFN_NONE) {
			give_tables(sim, pfn, i);
			return false;
		}
	}
	return true;
}

// fork() copies the parent's tables, and exec() sets up new ones before the copy goes.
static bool take_address_space(struct simulation *sim, uint32_t *pfn)
{
	uint32_t copy[FORK_TABLES];
	bool taken;

	if (!take_tables(sim, copy, FORK_TABLES))
		return false;
	taken = take_tables(sim, pfn, EXEC_TABLES);
	give_tables(sim, copy, FORK_TABLES);
	return taken;
}

// ---- whole ----

bool thread_memory_take(struct simulation *sim, struct thread_memory *memory)
{
	if (!take_stack(sim, memory->stack))
		return false;
	memory->has_stack = true;
	if (take_objects(sim, of_thread, memory->object))
		return true;
	thread_memory_give(sim, memory);
	return false;
}

void thread_memory_give(struct simulation *sim, struct thread_memory *memory)
{
	if (!memory->has_stack)
		return;
	give_objects(sim, of_thread, memory->object);
	give_stack(sim, memory->stack);
	memory->has_stack = false;
}

bool process_memory_take(struct simulation *sim, struct process *process)
{
	if (!take_objects(sim, of_process, process->object))
		return false;
	if (take_address_space(sim, process->table))
		return true;
	give_objects(sim, of_process, process->object);
	return false;
}

void process_memory_give(struct simulation *sim, struct process *process)
{
	give_tables(sim, process->table, EXEC_TABLES);
	give_objects(sim, of_process, process->object);
}

bool mapping_memory_take(struct simulation *sim, struct slab_object *object)
{
	return take_objects(sim, of_mapping, object);
}

void mapping_memory_give(struct simulation *sim, struct slab_object object)
{
	give_objects(sim, of_mapping, &object);
}
