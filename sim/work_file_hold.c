// SPDX-License-Identifier: Apache-2.0
//
// file-hold: a process that reads one file from beginning to end, which fills the page cache with clean pages, and
// keeps the file open; it may read it again now and then. As a preparation it is ready after the first time.
// folio_order: as of file-reader.

#include "sim/work_files.h"

struct file_hold {
	struct workload_common common;
	struct config_amount size;
	uint64_t every_ns, request, folio_order;
};

#define AT(member) CONFIG_AT(struct file_hold, member)

static const struct config_field fields[] = {
	{"size", CONFIG_AMOUNT, AT(size), .help = "of the file: size, or share of the machine's memory"},
	{"every", CONFIG_TIME, AT(every_ns), .default_text = "never",
	 .words = (const struct config_word[]){{"never", SIM_FOREVER}, {0}}, .min = 1, .help = "reads it again"},
	{"request", CONFIG_SIZE, AT(request), .default_text = "128KiB", .min = 1, .max = 1 << 30,
	 .help = "of one read()"},
	{"folio_order", CONFIG_COUNT, AT(folio_order), .default_text = "0", .max = SIM_HUGE_ORDER,
	 .help = "readahead may ask for blocks of up to this order; the machine's `readahead` limits it too"},
	{0},
};

static bool read_all(struct simulation *sim, struct sim_task *task, const struct workload_instance *instance,
		     struct file *file)
{
	const struct file_hold *p = workload_parameters(instance);

	for (uint64_t offset = 0; offset < file->size; offset += p->request) {
		uint64_t bytes = file->size - offset < p->request ? file->size - offset : p->request;

		if (!file_read(sim, file, offset, bytes) || !workload_pause(sim, task, instance, 0))
			return false;
	}
	return true;
}

static void hold(struct simulation *sim, struct sim_task *task, void *argument)
{
	struct workload_instance *instance = argument;
	const struct file_hold *p = workload_parameters(instance);
	uint64_t bytes = workload_pages(sim, p->size) * SIM_PAGE;
	struct work_files files;
	struct file *file = NULL;

	if (work_files_create(sim, task, &files, task_memory(sim, task, work_files_size(1)), 1,
			      (struct config_range){bytes, bytes}))
		file = work_files_open(sim, &files, 0);
	if (file)
		file->folio_order = (uint8_t)p->folio_order;
	if (file && read_all(sim, task, instance, file)) {
		workload_ready(sim, instance);
		while (workload_pause(sim, task, instance, p->every_ns == SIM_FOREVER ? NS_PER_S : p->every_ns))
			if (p->every_ns != SIM_FOREVER && !read_all(sim, task, instance, file))
				break;
	}
	if (file)
		work_files_close(sim, &files, 0);
	work_files_delete(sim, &files);
}

WORKLOAD_KIND(kind_file_hold, "file-hold", "fills the page cache with a clean file", struct file_hold, fields, hold);
