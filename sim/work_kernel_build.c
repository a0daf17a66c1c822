// SPDX-License-Identifier: Apache-2.0
//
// kernel-build: make -j. Each compiler is a process: it runs from a shared file, reads its source and some headers, of
// which a few are read by nearly all, looks up names, fills anonymous memory while it computes, and writes an object
// file. Before it small processes run (the shell, the driver, the assembler); from time to time a linker reads objects,
// and make looks at the whole tree. The tree is deleted at the end, or stays with what is cached of it: then the next
// iteration begins with `make clean`.

#include <string.h>

#include "sim/work_files.h"

enum { NO_ADVICE, ADVICE_HUGEPAGE, ADVICE_NOHUGEPAGE };

struct kernel_build {
	struct workload_common common;
	uint64_t jobs, compilations, sources, headers, reads, text, text_touches, revisits, accesses, hugepages;
	uint64_t names, lookups, walk_every, helpers, helper_memory, pipe_pages, link_every, link_memory;
	uint64_t holds, held;
	struct config_range memory, life, source, header, object, helper_life;
	bool keep;
};

#define AT(member) CONFIG_AT(struct kernel_build, member)
#define FILES_MAX 1000000
#define NEVER	  UINT64_MAX

static const struct config_word endless[] = {{"endless", UINT64_MAX}, {0}};
static const struct config_word never[] = {{"never", NEVER}, {0}};
static const struct config_word hugepages_words[] = {
	{"off", NO_ADVICE}, {"on", ADVICE_HUGEPAGE}, {"never", ADVICE_NOHUGEPAGE}, {0},
};

static const struct config_field fields[] = {
	{"jobs", CONFIG_COUNT, AT(jobs), .default_text = "8", .min = 1, .max = 10000, .help = "processes at one time"},
	{"compilations", CONFIG_COUNT, AT(compilations), .default_text = "endless", .words = endless, .min = 1,
	 .help = "until it ends"},
	{"memory", CONFIG_PAGES, AT(memory), .range = true, .default_text = "20MiB..200MiB", .min = 1,
	 .help = "anonymous, of a compiler"},
	{"life", CONFIG_TIME, AT(life), .range = true, .default_text = "1s..10s", .help = "CPU time of a compiler"},
	{"revisits", CONFIG_COUNT, AT(revisits), .default_text = "64",
	 .help = "pages of its memory that it touches again every 10 ms"},
	{"accesses", CONFIG_COUNT, AT(accesses), .default_text = "0", .max = 1000000,
	 .help = "to its memory after each 10 ms of life, beyond what life holds: they take as long as where it lies says"},
	{"hugepages", CONFIG_ENUM, AT(hugepages), .default_text = "off", .words = hugepages_words,
	 .help = "madvise(MADV_HUGEPAGE); never: MADV_NOHUGEPAGE"},
	{"sources", CONFIG_COUNT, AT(sources), .default_text = "3000", .min = 1, .max = FILES_MAX,
	 .help = "source files"},
	{"source", CONFIG_SIZE, AT(source), .range = true, .default_text = "4KiB..60KiB", .min = 1,
	 .help = "size of one"},
	{"headers", CONFIG_COUNT, AT(headers), .default_text = "2000", .min = 1, .max = FILES_MAX,
	 .help = "header files"},
	{"header", CONFIG_SIZE, AT(header), .range = true, .default_text = "1KiB..30KiB", .min = 1,
	 .help = "size of one"},
	{"reads", CONFIG_COUNT, AT(reads), .default_text = "50", .help = "headers that a compiler reads"},
	{"object", CONFIG_SIZE, AT(object), .range = true, .default_text = "10KiB..300KiB", .min = 1,
	 .help = "size of an object file"},
	{"text", CONFIG_PAGES, AT(text), .default_text = "30MiB", .min = 1, .help = "size of the compiler's program"},
	{"text_touches", CONFIG_COUNT, AT(text_touches), .default_text = "400",
	 .help = "pages of it that a compiler runs through at first"},
	{"keep", CONFIG_BOOL, AT(keep), .default_text = "off",
	 .help = "the tree stays, with what is cached of it, from one iteration to the next"},
	{"names", CONFIG_COUNT, AT(names), .default_text = "0", .max = FILES_MAX,
	 .help = "further files of the tree, of which only inodes and dentries are wanted"},
	{"lookups", CONFIG_COUNT, AT(lookups), .default_text = "0", .help = "of these, by a compiler"},
	{"walk_every", CONFIG_COUNT, AT(walk_every), .default_text = "never", .words = never, .min = 1,
	 .help = "compilations after which make looks at all of them; before the first one too"},
	{"holds", CONFIG_COUNT, AT(holds), .default_text = "0", .max = FILES_MAX,
	 .help = "files of a walk that an indexer keeps open from then on"},
	{"held", CONFIG_COUNT, AT(held), .default_text = "1000", .min = 1, .max = FILES_MAX,
	 .help = "of these, that are open at one time; then each new one takes the place of any"},
	{"helpers", CONFIG_COUNT, AT(helpers), .default_text = "0", .max = 100,
	 .help = "small processes before each compiler"},
	{"helper_memory", CONFIG_PAGES, AT(helper_memory), .default_text = "1MiB", .min = 1,
	 .help = "anonymous, of each"},
	{"helper_life", CONFIG_TIME, AT(helper_life), .range = true, .default_text = "1ms..5ms",
	 .help = "CPU time of each"},
	{"pipe_pages", CONFIG_COUNT, AT(pipe_pages), .default_text = "0", .max = PIPE_PAGES,
	 .help = "that each writes into a pipe"},
	{"link_every", CONFIG_COUNT, AT(link_every), .default_text = "never", .words = never, .min = 1,
	 .help = "compilations after which a linker reads their objects; it writes a tenth of their size"},
	{"link_memory", CONFIG_PAGES, AT(link_memory), .default_text = "200MiB", .min = 1,
	 .help = "anonymous, of a linker"},
	{0},
};

enum { LINK_SHARE = 10, HELPER_TOUCHES = 20, NAME_STRIDE = 7919 };
#define STEP_NS		 (10 * NS_PER_MS)
#define LINK_NS_PER_PAGE (40 * NS_PER_US)

struct build { // shared by the processes
	struct work_files sources, headers, objects, program, image;
	struct random_zipf popularity, program_pages, name_popularity;
	struct cached_file *name;
	uint64_t next, linked; // compilations begun in this iteration; of these, linked
	uint32_t *held; // names
	uint64_t nr_held;
	bool made;
};

// ---- a compiler ----

static bool read_whole(struct simulation *sim, struct work_files *files, uint64_t i)
{
	struct file *file = work_files_open(sim, files, i);
	bool fine;

	if (!file)
		return false;
	fine = file_read(sim, file, 0, file->size);
	work_files_close(sim, files, i);
	return fine;
}

static bool write_new(struct simulation *sim, struct work_files *files, uint64_t i, uint64_t size)
{
	struct file *file;
	bool fine;

	if (files->item[i].cached.users || !work_files_replace(sim, files, i))
		return false; // somebody has it open: more jobs than sources, or the linker
	file = work_files_open(sim, files, i);
	if (!file)
		return false;
	fine = file_write(sim, file, 0, size);
	work_files_close(sim, files, i);
	return fine;
}

static bool run_program(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
			uint64_t touches)
{
	struct build *build = instance->state;

	for (uint64_t i = 0; i < touches; i++) {
		uint64_t page = random_zipf(&build->program_pages, &task->random);

		if (memory_touch(sim, build->program.item[0].file->object, page, false) == TOUCH_OOM)
			return false;
		if (workload_over(instance, task))
			return false;
	}
	return true;
}

static bool look_up(struct simulation *sim, const struct build *build, uint64_t name)
{
	const struct kernel_caches *caches = &build->sources.caches;

	if (!cached_file_open(sim, caches, &build->name[name]))
		return false;
	cached_file_close(sim, caches, &build->name[name]);
	sim_point(sim);
	return true;
}

// Popular names lie anywhere in the tree, and so do their inodes in the slabs.
static uint64_t popular_name(struct sim_task *task, const struct build *build, uint64_t names)
{
	return random_zipf(&build->name_popularity, &task->random) * NAME_STRIDE % names;
}

static bool read_sources(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
			 uint64_t source)
{
	const struct kernel_build *p = workload_parameters(instance);
	struct build *build = instance->state;

	if (!read_whole(sim, &build->sources, source))
		return false;
	for (uint64_t i = 0; p->names && i < p->lookups; i++)
		if (!look_up(sim, build, popular_name(task, build, p->names)))
			return false;
	for (uint64_t i = 0; i < p->reads; i++) {
		if (!read_whole(sim, &build->headers, random_zipf(&build->popularity, &task->random)))
			return false;
		if (workload_over(instance, task))
			return false;
	}
	return true;
}

// Fills so much memory evenly while it computes so long.
static bool compute(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
		    uint64_t pages, uint64_t life_ns)
{
	const struct kernel_build *p = workload_parameters(instance);
	uint64_t steps = life_ns / STEP_NS + 1, touched = 0;
	struct memory_object *memory = process_map(sim, task->process, pages, p->hugepages == ADVICE_HUGEPAGE);

	if (!memory)
		return false;
	memory->huge &= p->hugepages != ADVICE_NOHUGEPAGE;
	for (uint64_t step = 1; step <= steps; step++) {
		uint64_t target = pages * step / steps, count = target - touched;

		if (memory_touch_range(sim, memory, touched, count, true) < count)
			return false;
		touched = target;
		for (uint64_t i = 0; touched && i < p->revisits; i++)
			if (memory_touch(sim, memory, random_below(&task->random, touched), i & 1) == TOUCH_OOM)
				return false;
		task_compute(sim, step < steps ? STEP_NS : life_ns % STEP_NS);
		if (p->accesses)
			access_bulk(sim, &instance->workload->access, memory, p->accesses, NULL);
		if (workload_over(instance, task))
			return false;
	}
	return true;
}

static void compile(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct kernel_build *p = workload_parameters(instance);
	struct build *build = instance->state;
	uint64_t start = sim_now(sim), source = build->next++ % p->sources, pages, life_ns;

	if (!run_program(sim, task, instance, p->text_touches) || !read_sources(sim, task, instance, source))
		return;
	life_ns = workload_draw(task, p->life);
	pages = workload_draw(task, p->memory);
	if (!compute(sim, task, instance, pages, life_ns) 
	    || !write_new(sim, &build->objects, source, workload_draw(task, p->object)))
		return;
	++*workload_figure(instance->workload, "compilations", 1);
	workload_latency(sim, instance->workload, "compilation", sim_now(sim) - start);
}

// ---- the small processes, the linker ----

static void help(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct kernel_build *p = workload_parameters(instance);
	const struct kernel_caches *caches = &((struct build *)instance->state)->objects.caches;
	struct pipe pipe;

	if (p->pipe_pages && !pipe_open(sim, caches, &pipe))
		return;
	if (run_program(sim, task, instance, HELPER_TOUCHES))
		compute(sim, task, instance, p->helper_memory, workload_draw(task, p->helper_life));
	if (!p->pipe_pages)
		return;
	pipe_fill(sim, &pipe, (uint32_t)p->pipe_pages);
	pipe_empty(sim, &pipe);
	pipe_close(sim, caches, &pipe);
}

static void link_objects(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct kernel_build *p = workload_parameters(instance);
	struct build *build = instance->state;
	uint64_t first = build->linked, size = 0;

	build->linked += p->link_every;
	for (uint64_t i = first; i < first + p->link_every; i++) {
		if (workload_over(instance, task) || !read_whole(sim, &build->objects, i % p->sources))
			return;
		size += build->objects.item[i % p->sources].file->size;
	}
	if (!compute(sim, task, instance, p->link_memory, p->link_memory * LINK_NS_PER_PAGE)
	    || !write_new(sim, &build->image, 0, size / LINK_SHARE))
		return;
	++*workload_figure(instance->workload, "links", 1);
}

// ---- make ----

static size_t tree_size(const struct kernel_build *p)
{
	return 2 * work_files_size(p->sources) + work_files_size(p->headers) + 2 * work_files_size(1)
	       + p->names * sizeof(struct cached_file) + p->held * sizeof(uint32_t);
}

static bool create_files(struct simulation *sim, struct sim_task *task, struct work_files *files, char **memory,
			 uint64_t nr, struct config_range size)
{
	char *table = *memory;

	*memory += work_files_size(nr);
	return work_files_create(sim, task, files, table, nr, size);
}

// `memory`: zeroed, of tree_size().
static bool create_tree(struct simulation *sim, struct sim_task *task, const struct kernel_build *p,
			struct build *build, char *memory)
{
	const struct config_range empty = {0, 0}, text = {p->text * SIM_PAGE, p->text * SIM_PAGE};

	random_zipf_init(&build->popularity, p->headers, 1000);
	random_zipf_init(&build->program_pages, p->text, 700);
	random_zipf_init(&build->name_popularity, p->names + 1, 900);
	build->made = create_files(sim, task, &build->sources, &memory, p->sources, p->source)
		      && create_files(sim, task, &build->headers, &memory, p->headers, p->header)
		      && create_files(sim, task, &build->objects, &memory, p->sources, empty)
		      && create_files(sim, task, &build->image, &memory, 1, empty)
		      && create_files(sim, task, &build->program, &memory, 1, text)
		      && work_files_open(sim, &build->program, 0);
	build->name = (struct cached_file *)(void *)memory;
	build->held = (uint32_t *)(void *)(memory + p->names * sizeof(struct cached_file));
	return build->made;
}

static bool make_clean(struct simulation *sim, struct build *build)
{
	for (uint64_t i = 0; i < build->objects.nr; i++)
		if (!work_files_replace(sim, &build->objects, i))
			return false;
	build->next = build->linked = 0;
	return true;
}

static void delete_tree(struct simulation *sim, const struct kernel_build *p, struct build *build)
{
	if (build->program.nr && build->program.item[0].cached.users)
		work_files_close(sim, &build->program, 0);
	for (uint64_t i = 0; i < build->nr_held; i++)
		cached_file_close(sim, &build->sources.caches, &build->name[build->held[i]]);
	for (uint64_t i = 0; build->name && i < p->names; i++)
		cached_file_delete(sim, &build->sources.caches, &build->name[i]);
	work_files_delete(sim, &build->program);
	work_files_delete(sim, &build->image);
	work_files_delete(sim, &build->objects);
	work_files_delete(sim, &build->headers);
	work_files_delete(sim, &build->sources);
	*build = (struct build){0};
}

// An indexer has seen the file change: it keeps it open, and with it the inode in its slab, until it needs the room.
static bool hold(struct simulation *sim, struct sim_task *task, const struct kernel_build *p, struct build *build,
		 uint64_t name)
{
	const struct kernel_caches *caches = &build->sources.caches;
	uint64_t place;

	if (!cached_file_open(sim, caches, &build->name[name]))
		return false;
	if (build->nr_held < p->held) {
		build->held[build->nr_held++] = (uint32_t)name;
		return true;
	}
	place = random_below(&task->random, p->held);
	cached_file_close(sim, caches, &build->name[build->held[place]]);
	build->held[place] = (uint32_t)name;
	return true;
}

static bool walk_tree(struct simulation *sim, struct sim_task *task, struct workload_instance *instance)
{
	const struct kernel_build *p = workload_parameters(instance);

	for (uint64_t i = 0; i < p->names && !workload_over(instance, task); i++) {
		if (!look_up(sim, instance->state, i))
			return false;
		if (p->holds && random_below(&task->random, p->names) < p->holds
		    && !hold(sim, task, p, instance->state, i))
			return false;
	}
	return !workload_over(instance, task);
}

// All children of an instance have one body; theirs goes by the name that start() gave the process.
static void run_job(struct simulation *sim, struct sim_task *task, void *argument)
{
	static const struct {
		const char *comm;
		task_body *body;
	} jobs[] = {{"sh", help}, {"cc1", compile}, {"ld", link_objects}};

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		if (!strcmp(task->process->comm, jobs[i].comm))
			jobs[i].body(sim, task, argument);
}

static bool start(struct simulation *sim, struct sim_task *task, struct workload_instance *instance, const char *comm)
{
	const struct kernel_build *p = workload_parameters(instance);

	while (!workload_over(instance, task)) {
		if (workload_fork(sim, instance, comm, run_job)) {
			workload_wait_children(sim, task, instance, (uint32_t)p->jobs - 1);
			return true;
		}
		task_sleep(sim, NS_PER_MS);
	}
	return false;
}

static void run_jobs(struct simulation *sim, struct sim_task *task, struct workload_instance *instance)
{
	const struct kernel_build *p = workload_parameters(instance);

	for (uint64_t started = 0; started < p->compilations;) {
		if (p->walk_every != NEVER && !(started % p->walk_every) && !walk_tree(sim, task, instance))
			return;
		for (uint64_t i = 0; i < p->helpers; i++)
			if (!start(sim, task, instance, "sh"))
				return;
		if (!start(sim, task, instance, "cc1"))
			return;
		if (!(++started % p->link_every) && !start(sim, task, instance, "ld"))
			return;
	}
	workload_wait_children(sim, task, instance, 0);
}

static void make(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct kernel_build *p = workload_parameters(instance);
	struct build *build = workload_kept(sim, instance, sizeof(*build) + tree_size(p));

	instance->state = build;
	if (!build)
		return;
	if (build->made ? make_clean(sim, build) : create_tree(sim, task, p, build, (char *)(build + 1)))
		run_jobs(sim, task, instance);
	workload_end_children(sim, instance);
	if (!p->keep)
		delete_tree(sim, p, build);
}

WORKLOAD_KIND(kind_kernel_build, "kernel-build", "compiles: many short processes of a compiler's size",
	      struct kernel_build, fields, make);
