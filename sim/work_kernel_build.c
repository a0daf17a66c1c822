// SPDX-License-Identifier: Apache-2.0
//
// kernel-build: make -j. Each compiler is a process: it runs from a shared file, reads its source and some headers, of
// which a few are read by nearly all, fills anonymous memory while it computes, and writes an object file.

#include "sim/work_files.h"

struct kernel_build {
	struct workload_common common;
	uint64_t jobs, compilations, sources, headers, reads, text, text_touches, revisits;
	struct config_range memory, life, source, header, object;
	bool hugepages;
};

#define AT(member) CONFIG_AT(struct kernel_build, member)
#define FILES_MAX 1000000

static const struct config_field fields[] = {
	{"jobs", CONFIG_COUNT, AT(jobs), .default_text = "8", .min = 1, .max = 10000, .help = "compilers at one time"},
	{"compilations", CONFIG_COUNT, AT(compilations), .default_text = "endless",
	 .words = (const struct config_word[]){{"endless", UINT64_MAX}, {0}}, .min = 1, .help = "until it ends"},
	{"memory", CONFIG_PAGES, AT(memory), .range = true, .default_text = "20MiB..200MiB", .min = 1,
	 .help = "anonymous, of a compiler"},
	{"life", CONFIG_TIME, AT(life), .range = true, .default_text = "1s..10s", .help = "CPU time of a compiler"},
	{"revisits", CONFIG_COUNT, AT(revisits), .default_text = "64",
	 .help = "pages of its memory that it touches again every 10 ms"},
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
	{"hugepages", CONFIG_BOOL, AT(hugepages), .default_text = "off", .help = "madvise(MADV_HUGEPAGE)"},
	{0},
};

#define STEP_NS (10 * NS_PER_MS)

struct build { // shared by the compilers; make owns it
	struct work_files sources, headers, objects, program;
	struct random_zipf popularity, program_pages;
	uint64_t next;
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

static bool run_program(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance)
{
	const struct kernel_build *p = workload_parameters(instance);
	struct build *build = instance->state;

	for (uint64_t i = 0; i < p->text_touches; i++) {
		uint64_t page = random_zipf(&build->program_pages, &task->random);

		if (memory_touch(sim, build->program.item[0].file->object, page, false) == TOUCH_OOM)
			return false;
		if (workload_over(instance, task))
			return false;
	}
	return true;
}

static bool read_sources(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
			 uint64_t source)
{
	const struct kernel_build *p = workload_parameters(instance);
	struct build *build = instance->state;

	if (!read_whole(sim, &build->sources, source))
		return false;
	for (uint64_t i = 0; i < p->reads; i++) {
		if (!read_whole(sim, &build->headers, random_zipf(&build->popularity, &task->random)))
			return false;
		if (workload_over(instance, task))
			return false;
	}
	return true;
}

static bool compute(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance)
{
	const struct kernel_build *p = workload_parameters(instance);
	uint64_t pages = workload_draw(task, p->memory), steps = workload_draw(task, p->life) / STEP_NS + 1,
		 touched = 0;
	struct memory_object *memory = process_map(sim, task->process, pages, p->hugepages);

	if (!memory)
		return false;
	for (uint64_t step = 1; step <= steps; step++) {
		uint64_t target = pages * step / steps, count = target - touched;

		if (memory_touch_range(sim, memory, touched, count, true) < count)
			return false;
		touched = target;
		for (uint64_t i = 0; touched && i < p->revisits; i++)
			if (memory_touch(sim, memory, random_below(&task->random, touched), i & 1) == TOUCH_OOM)
				return false;
		task_compute(sim, STEP_NS);
		if (workload_over(instance, task))
			return false;
	}
	return true;
}

static bool write_object(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
			 uint64_t source)
{
	const struct kernel_build *p = workload_parameters(instance);
	struct build *build = instance->state;
	struct file *file;
	bool fine;

	if (build->objects.item[source].cached.users || !work_files_replace(sim, &build->objects, source))
		return false; // a build with more jobs than sources: somebody else compiles it
	file = work_files_open(sim, &build->objects, source);
	if (!file)
		return false;
	fine = file_write(sim, file, 0, workload_draw(task, p->object));
	work_files_close(sim, &build->objects, source);
	return fine;
}

static void compile(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct kernel_build *p = workload_parameters(instance);
	uint64_t start = sim_now(sim), source = ((struct build *)instance->state)->next++ % p->sources;

	if (!run_program(sim, task, instance) || !read_sources(sim, task, instance, source)
	    || !compute(sim, task, instance) || !write_object(sim, task, instance, source))
		return;
	++*workload_figure(instance->workload, "compilations", 1);
	workload_latency(sim, instance->workload, "compilation", sim_now(sim) - start);
}

// ---- make ----

static bool create_tree(struct simulation *sim, struct sim_task *task, const struct kernel_build *p,
			struct build *build)
{
	const struct config_range empty = {0, 0}, text = {p->text * SIM_PAGE, p->text * SIM_PAGE};

	random_zipf_init(&build->popularity, p->headers, 1000);
	random_zipf_init(&build->program_pages, p->text, 700);
	return work_files_create(sim, task, &build->sources, task_memory(sim, task, work_files_size(p->sources)),
				 p->sources, p->source)
	       && work_files_create(sim, task, &build->headers, task_memory(sim, task, work_files_size(p->headers)),
				    p->headers, p->header)
	       && work_files_create(sim, task, &build->objects, task_memory(sim, task, work_files_size(p->sources)),
				    p->sources, empty)
	       && work_files_create(sim, task, &build->program, task_memory(sim, task, work_files_size(1)), 1, text)
	       && work_files_open(sim, &build->program, 0);
}

static void delete_tree(struct simulation *sim, struct build *build)
{
	if (build->program.nr && build->program.item[0].cached.users)
		work_files_close(sim, &build->program, 0);
	work_files_delete(sim, &build->program);
	work_files_delete(sim, &build->objects);
	work_files_delete(sim, &build->headers);
	work_files_delete(sim, &build->sources);
}

static void make(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct kernel_build *p = workload_parameters(instance);
	struct build *build = instance->state = task_memory(sim, task, sizeof(*build));
	uint64_t started = 0;

	if (!build)
		return;
	if (create_tree(sim, task, p, build)) {
		while (started < p->compilations && !workload_over(instance, task)) {
			if (workload_fork(sim, instance, "cc1", compile))
				started++;
			else
				task_sleep(sim, NS_PER_MS);
			workload_wait_children(sim, task, instance, (uint32_t)p->jobs - 1);
		}
		workload_wait_children(sim, task, instance, 0);
	}
	workload_end_children(sim, instance);
	delete_tree(sim, build);
}

WORKLOAD_KIND(kind_kernel_build, "kernel-build", "compiles: many short processes of a compiler's size",
	      struct kernel_build, fields, make);
