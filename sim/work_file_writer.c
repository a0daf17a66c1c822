// SPDX-License-Identifier: Apache-2.0
//
// file-writer: a process that writes files of its own: new ones from beginning to end, the oldest replaced when there
// are enough of them, or at random places of old ones, all alike or some much more often than others.

#include "sim/work_files.h"

struct file_writer {
	struct workload_common common;
	uint64_t files, pattern, exponent, request, sync_every, total;
	struct config_range size;
	struct config_rate rate;
};

static const struct config_word endless[] = {{"endless", UINT64_MAX}, {0}};
static const struct config_word never[] = {{"never", 0}, {0}};

#define AT(member) CONFIG_AT(struct file_writer, member)

static const struct config_field fields[] = {
	{"files", CONFIG_COUNT, AT(files), .default_text = "16", .min = 1, .max = 10000000, .help = "of each instance"},
	{"size", CONFIG_SIZE, AT(size), .range = true, .default_text = "64MiB", .min = 1, .help = "of a file"},
	{"pattern", CONFIG_ENUM, AT(pattern), .default_text = "sequential", .words = files_patterns,
	 .help = "sequential: new files; else random places of old ones"},
	{"exponent", CONFIG_RATIO, AT(exponent), .default_text = "1", .max = RANDOM_ZIPF_EXPONENT_MAX,
	 .help = "zipf: of the files' popularity"},
	{"request", CONFIG_SIZE, AT(request), .default_text = "128KiB", .min = 1, .max = 1 << 30,
	 .help = "of one write()"},
	{"rate", CONFIG_RATE, AT(rate), .default_text = "0/s", .help = "of requests; 0: one after the other"},
	{"sync", CONFIG_COUNT, AT(sync_every), .default_text = "never", .words = never,
	 .help = "fsync() after so many requests"},
	{"total", CONFIG_SIZE, AT(total), .default_text = "endless", .words = endless, .help = "until it ends"},
	{0},
};

struct writer {
	struct workload_instance *instance;
	const struct file_writer *p;
	struct work_files files;
	struct files_order order;
	struct workload_pace pace;
	uint64_t done, requests;
};

// One write(). False: enough, or no memory.
static bool write_once(struct simulation *sim, struct sim_task *task, struct writer *writer, struct file *file,
		       uint64_t offset, uint64_t bytes)
{
	struct workload *workload = writer->instance->workload;
	const struct file_writer *p = writer->p;
	uint64_t start = sim_now(sim);

	if (!file_write(sim, file, offset, bytes))
		return false;
	if (p->sync_every && ++writer->requests % p->sync_every == 0 && !file_sync(sim, file))
		return false;
	workload_latency(sim, workload, "write", sim_now(sim) - start);
	*workload_figure(workload, "MiB written", 1) += ((writer->done + bytes) >> 20) - (writer->done >> 20);
	writer->done += bytes;
	return writer->done < p->total && workload_pace(sim, task, writer->instance, &writer->pace, p->rate);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool write_new(struct simulation *sim, struct sim_task *task, struct writer *writer, uint64_t i)
{
	uint64_t size = workload_draw(task, writer->p->size), request = writer->p->request;
	struct file *file;
	bool on = true;

	if (!work_files_replace(sim, &writer->files, i))
		return false;
	file = work_files_open(sim, &writer->files, i);
	if (!file)
		return workload_pause(sim, task, writer->instance, NS_PER_MS);
	for (uint64_t offset = 0; on && offset < size; offset += request)
		on = write_once(sim, task, writer, file, offset, smaller(request, size - offset));
	work_files_close(sim, &writer->files, i);
	return on;
}

static bool write_somewhere(struct simulation *sim, struct sim_task *task, struct writer *writer, uint64_t i)
{
	uint64_t request = writer->p->request, offset;
	struct file *file = work_files_open(sim, &writer->files, i);
	bool on;

	if (!file)
		return workload_pause(sim, task, writer->instance, NS_PER_MS);
	offset = random_below(&task->random, (file->size + request - 1) / request) * request;
	on = write_once(sim, task, writer, file, offset, smaller(request, file->size - offset));
	work_files_close(sim, &writer->files, i);
	return on;
}

static void write_files(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct writer writer = {argument, workload_parameters(argument), .done = 0};
	const struct file_writer *p = writer.p;
	void *memory = task_memory(sim, task, work_files_size(p->files));
	bool on = files_order_init(sim, task, &writer.order, p->pattern, p->files, p->exponent)
		  && work_files_create(sim, task, &writer.files, memory, p->files, p->size);

	while (on) {
		uint64_t i = files_order_next(task, &writer.order);

		on = p->pattern == FILES_SEQUENTIAL ? write_new(sim, task, &writer, i)
						    : write_somewhere(sim, task, &writer, i);
	}
	work_files_delete(sim, &writer.files);
}

WORKLOAD_KIND(kind_file_writer, "file-writer", "writes files, new ones or places of old ones", struct file_writer,
	      fields, write_files);
