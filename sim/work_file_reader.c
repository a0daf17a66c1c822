// SPDX-License-Identifier: Apache-2.0
//
// file-reader: a process that reads files of its own, sequentially, at random, or some much more often than others.
//
// folio_order: the file system has large folios: readahead asks for blocks of up to this order, as large as its windows
// let it (spec 04 O-11), and goes on with single pages when there is none.

#include "sim/work_files.h"

struct file_reader {
	struct workload_common common;
	uint64_t files, pattern, exponent, request, passes, folio_order;
	struct config_range size;
	struct config_rate rate;
};

static const struct config_word endless[] = {{"endless", 0}, {0}};

#define AT(member) CONFIG_AT(struct file_reader, member)

static const struct config_field fields[] = {
	{"files", CONFIG_COUNT, AT(files), .default_text = "1", .min = 1, .max = 10000000, .help = "of each instance"},
	{"size", CONFIG_SIZE, AT(size), .range = true, .default_text = "1GiB", .min = 1, .help = "of a file"},
	{"pattern", CONFIG_ENUM, AT(pattern), .default_text = "sequential", .words = files_patterns,
	 .help = "sequential: whole files; else requests at random places of random files"},
	{"exponent", CONFIG_RATIO, AT(exponent), .default_text = "1", .max = RANDOM_ZIPF_EXPONENT_MAX,
	 .help = "zipf: of the files' popularity"},
	{"request", CONFIG_SIZE, AT(request), .default_text = "128KiB", .min = 1, .max = 1 << 30,
	 .help = "of one read()"},
	{"rate", CONFIG_RATE, AT(rate), .default_text = "0/s", .help = "of requests; 0: one after the other"},
	{"passes", CONFIG_COUNT, AT(passes), .default_text = "endless", .words = endless,
	 .help = "times that it reads as much as it has, until it ends"},
	{"folio_order", CONFIG_COUNT, AT(folio_order), .default_text = "0", .max = SIM_HUGE_ORDER,
	 .help = "readahead may ask for blocks of up to this order; the machine's `readahead` limits it too"},
	{0},
};

struct reader {
	struct workload_instance *instance;
	const struct file_reader *p;
	struct work_files files;
	struct files_order order;
	struct workload_pace pace;
	uint64_t done, until; // bytes
};

// One read(). False: enough, or no memory.
static bool read_once(struct simulation *sim, struct sim_task *task, struct reader *reader, struct file *file,
		      uint64_t offset)
{
	struct workload *workload = reader->instance->workload;
	uint64_t bytes = reader->p->request, start = sim_now(sim);

	if (bytes > file->size - offset)
		bytes = file->size - offset;
	if (!file_read(sim, file, offset, bytes))
		return false;
	workload_latency(sim, workload, "read", sim_now(sim) - start);
	*workload_figure(workload, "MiB read", 1) += ((reader->done + bytes) >> 20) - (reader->done >> 20);
	reader->done += bytes;
	if (reader->p->passes && reader->done >= reader->until)
		return false;
	return workload_pace(sim, task, reader->instance, &reader->pace, reader->p->rate);
}

static bool read_file(struct simulation *sim, struct sim_task *task, struct reader *reader, uint64_t i)
{
	struct file *file = work_files_open(sim, &reader->files, i);
	uint64_t request = reader->p->request, offset = 0;
	bool on = true;

	if (!file)
		return workload_pause(sim, task, reader->instance, NS_PER_MS);
	file->folio_order = (uint8_t)reader->p->folio_order;
	if (reader->p->pattern == FILES_SEQUENTIAL)
		for (; on && offset < file->size; offset += request)
			on = read_once(sim, task, reader, file, offset);
	else
		on = read_once(sim, task, reader, file,
			       random_below(&task->random, (file->size + request - 1) / request) * request);
	work_files_close(sim, &reader->files, i);
	return on;
}

static void read_files(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct reader reader = {argument, workload_parameters(argument), .done = 0};
	const struct file_reader *p = reader.p;
	void *memory = task_memory(sim, task, work_files_size(p->files));
	bool on = files_order_init(sim, task, &reader.order, p->pattern, p->files, p->exponent)
		  && work_files_create(sim, task, &reader.files, memory, p->files, p->size);

	for (uint64_t i = 0; i < reader.files.nr; i++)
		reader.until += reader.files.item[i].file->size * p->passes;
	while (on)
		on = read_file(sim, task, &reader, files_order_next(task, &reader.order));
	work_files_delete(sim, &reader.files);
}

WORKLOAD_KIND(kind_file_reader, "file-reader", "reads files sequentially, at random or by popularity",
	      struct file_reader, fields, read_files);
