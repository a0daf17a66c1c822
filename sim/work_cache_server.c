// SPDX-License-Identifier: Apache-2.0
//
// cache-server: a process whose threads answer requests from a heap of anonymous memory; some objects are wanted much
// more often than others, and what is not in the heap is read from a file. Its latency is that of a request.

#include "sim/work_files.h"

struct cache_server {
	struct workload_common common;
	struct config_amount heap, file;
	uint64_t threads, object, exponent, misses_ppm, writes_ppm, compute_ns;
	struct config_rate rate;
	bool hugepages;
};

#define AT(member) CONFIG_AT(struct cache_server, member)

static const struct config_field fields[] = {
	{"heap", CONFIG_AMOUNT, AT(heap), .help = "size, or share of the machine's memory"},
	{"file", CONFIG_AMOUNT, AT(file), .default_text = "1GiB", .help = "from which misses are read; likewise"},
	{"threads", CONFIG_COUNT, AT(threads), .default_text = "4", .min = 1, .max = 10000, .help = "that answer"},
	{"object", CONFIG_PAGES, AT(object), .default_text = "16KiB", .min = 1, .max = 65536, .help = "of a request"},
	{"exponent", CONFIG_RATIO, AT(exponent), .default_text = "0.9", .max = RANDOM_ZIPF_EXPONENT_MAX,
	 .help = "of the objects' popularity (Zipf)"},
	{"misses", CONFIG_PERCENT, AT(misses_ppm), .default_text = "5%", .max = 1000000,
	 .help = "requests that read the file"},
	{"writes", CONFIG_PERCENT, AT(writes_ppm), .default_text = "10%", .max = 1000000,
	 .help = "requests that store"},
	{"compute", CONFIG_TIME, AT(compute_ns), .default_text = "20us", .help = "CPU time of a request"},
	{"rate", CONFIG_RATE, AT(rate), .default_text = "1000/s",
	 .help = "of requests of each thread; 0: as fast as it can"},
	{"hugepages", CONFIG_BOOL, AT(hugepages), .default_text = "off", .help = "madvise(MADV_HUGEPAGE)"},
	{0},
};

struct server { // shared by the threads; the first one owns it
	struct memory_object *heap;
	struct work_files files;
	struct file *file;
	struct random_zipf popularity;
	struct random_permutation place; // of an object, by its rank
};

static bool answer(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance)
{
	const struct cache_server *p = workload_parameters(instance);
	struct server *server = instance->state;
	uint64_t at = random_permutation_at(&server->place, random_zipf(&server->popularity, &task->random));
	bool write = random_chance(&task->random, p->writes_ppm, 1000000);

	sim_charge(sim, COST_SYSCALL, 2);
	if (random_chance(&task->random, p->misses_ppm, 1000000)) {
		uint64_t bytes = p->object * SIM_PAGE, places = server->file->size / bytes;

		if (places && !file_read(sim, server->file, random_below(&task->random, places) * bytes, bytes))
			return false;
		write = true;
	}
	for (uint64_t page = 0; page < p->object; page++)
		if (memory_touch(sim, server->heap, at * p->object + page, write) == TOUCH_OOM)
			return false;
	task_compute(sim, p->compute_ns);
	return true;
}

static void serve(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct cache_server *p = workload_parameters(instance);
	struct workload_pace pace = {0};

	while (workload_pace(sim, task, instance, &pace, p->rate)) {
		uint64_t start = sim_now(sim);

		if (!answer(sim, task, instance))
			return;
		++*workload_figure(instance->workload, "requests", 1);
		workload_latency(sim, instance->workload, "request", sim_now(sim) - start);
	}
}

static bool set_up(struct simulation *sim, struct sim_task *task, struct workload_instance *instance)
{
	const struct cache_server *p = workload_parameters(instance);
	struct server *server = instance->state;
	uint64_t objects = workload_pages(sim, p->heap) / p->object, bytes = workload_pages(sim, p->file) * SIM_PAGE;

	if (!random_zipf_init(&server->popularity, objects, (uint32_t)p->exponent))
		return false;
	random_permutation_init(&server->place, &task->random, objects);
	server->heap = process_map(sim, task->process, objects * p->object, p->hugepages);
	if (!work_files_create(sim, task, &server->files, task_memory(sim, task, work_files_size(1)), 1,
			       (struct config_range){bytes, bytes}))
		return false;
	server->file = work_files_open(sim, &server->files, 0);
	return server->heap && server->file;
}

static void run(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct cache_server *p = workload_parameters(instance);
	struct server *server = instance->state = task_memory(sim, task, sizeof(*server));

	if (!server)
		return;
	if (set_up(sim, task, instance)) {
		memory_touch_range(sim, server->heap, 0, server->heap->pages, true);
		workload_ready(sim, instance);
		for (uint64_t i = 1; i < p->threads; i++)
			workload_thread(sim, instance, serve);
		serve(sim, task, instance);
	}
	workload_end_children(sim, instance);
	if (server->file)
		work_files_close(sim, &server->files, 0);
	work_files_delete(sim, &server->files);
}

WORKLOAD_KIND(kind_cache_server, "cache-server", "answers requests from a heap, with Zipf popularity",
	      struct cache_server, fields, run);
