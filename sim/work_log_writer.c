// SPDX-License-Identifier: Apache-2.0
//
// log-writer: a process that appends records to a log at a steady rate, syncs it now and then, and begins a new one
// when it has grown large enough; of the old ones it keeps some.

#include "sim/work_files.h"

struct log_writer {
	struct workload_common common;
	uint64_t sync_every, rotate, keep;
	struct config_range record;
	struct config_rate rate;
};

static const struct config_word never[] = {{"never", 0}, {0}};

#define AT(member) CONFIG_AT(struct log_writer, member)

static const struct config_field fields[] = {
	{"record", CONFIG_SIZE, AT(record), .range = true, .default_text = "200B..8KiB", .min = 1,
	 .help = "of one write()"},
	{"rate", CONFIG_RATE, AT(rate), .default_text = "1000/s", .help = "of records"},
	{"sync", CONFIG_COUNT, AT(sync_every), .default_text = "100", .words = never,
	 .help = "fsync() after so many records"},
	{"rotate", CONFIG_SIZE, AT(rotate), .default_text = "256MiB", .min = 1,
	 .help = "size at which a new log begins"},
	{"keep", CONFIG_COUNT, AT(keep), .default_text = "4", .min = 1, .max = 100000, .help = "logs"},
	{0},
};

// Fills one log. False: the workload is over, or no memory.
static bool write_log(struct simulation *sim, struct sim_task *task, struct workload_instance *instance,
		      struct workload_pace *pace, struct file *log)
{
	const struct log_writer *p = workload_parameters(instance);
	uint64_t records = 0;

	while (log->size < p->rotate) {
		uint64_t start;

		if (!workload_pace(sim, task, instance, pace, p->rate))
			return false;
		start = sim_now(sim);
		if (!file_write(sim, log, log->size, workload_draw(task, p->record)))
			return false;
		if (p->sync_every && ++records % p->sync_every == 0 && !file_sync(sim, log))
			return false;
		++*workload_figure(instance->workload, "records", 1);
		workload_latency(sim, instance->workload, "record", sim_now(sim) - start);
	}
	return true;
}

static void write_logs(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct log_writer *p = workload_parameters(instance);
	struct workload_pace pace = {0};
	struct work_files logs;
	bool on = work_files_create(sim, task, &logs, task_memory(sim, task, work_files_size(p->keep)), p->keep,
				    (struct config_range){0, 0});

	for (uint64_t next = 0; on; next++) {
		uint64_t i = next % p->keep;
		struct file *log;

		if (!work_files_replace(sim, &logs, i))
			break;
		log = work_files_open(sim, &logs, i);
		if (!log) {
			on = workload_pause(sim, task, instance, NS_PER_MS);
			continue;
		}
		on = write_log(sim, task, instance, &pace, log);
		work_files_close(sim, &logs, i);
	}
	work_files_delete(sim, &logs);
}

WORKLOAD_KIND(kind_log_writer, "log-writer", "appends records to logs, with fsync()", struct log_writer, fields,
	      write_logs);
