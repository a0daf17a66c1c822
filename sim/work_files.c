// SPDX-License-Identifier: Apache-2.0

#include "sim/work_files.h"

const struct config_word files_patterns[] = {
	{"sequential", FILES_SEQUENTIAL}, {"random", FILES_RANDOM}, {"zipf", FILES_ZIPF}, {0}};

bool files_order_init(struct simulation *sim, struct sim_task *task, struct files_order *order, uint64_t pattern,
		      uint64_t nr, uint64_t exponent)
{
	*order = (struct files_order){pattern, nr, 0, NULL};
	if (pattern != FILES_ZIPF)
		return true;
	order->zipf = task_memory(sim, task, sizeof(*order->zipf));
	return order->zipf && random_zipf_init(order->zipf, nr, (uint32_t)exponent);
}

uint64_t files_order_next(struct sim_task *task, struct files_order *order)
{
	switch (order->pattern) {
	case FILES_ZIPF: return random_zipf(order->zipf, &task->random);
	case FILES_RANDOM: return random_below(&task->random, order->nr);
	default: return order->next++ % order->nr;
	}
}

size_t work_files_size(uint64_t nr)
{
	return nr * sizeof(struct work_file);
}

static void emptied(struct simulation *sim, void *context)
{
	cached_file_emptied(sim, context);
}

static bool create_file(struct simulation *sim, struct work_file *item, uint64_t size)
{
	item->file = file_create(sim, size);
	if (!item->file)
		return false;
	item->cached.file = item->file;
	item->file->emptied = emptied;
	item->file->emptied_context = &item->cached;
	return true;
}

bool work_files_create(struct simulation *sim, struct sim_task *task, struct work_files *files, void *memory,
		       uint64_t nr, struct config_range size)
{
	*files = (struct work_files){.item = memory};
	if (!memory || !kernel_caches(sim, &files->caches))
		return false;
	for (; files->nr < nr; files->nr++)
		if (!create_file(sim, &files->item[files->nr], workload_draw(task, size)))
			return false;
	return true;
}

struct file *work_files_open(struct simulation *sim, struct work_files *files, uint64_t i)
{
	struct work_file *item = &files->item[i];

	if (!item->file || !cached_file_open(sim, &files->caches, &item->cached))
		return NULL;
	return file_open(item->file);
}

void work_files_close(struct simulation *sim, struct work_files *files, uint64_t i)
{
	file_close(sim, files->item[i].file);
	cached_file_close(sim, &files->caches, &files->item[i].cached);
}

static void delete_file(struct simulation *sim, struct work_files *files, uint64_t i)
{
	struct work_file *item = &files->item[i];

	if (!item->file)
		return;
	item->file->emptied = NULL;
	cached_file_delete(sim, &files->caches, &item->cached);
	file_unlink(sim, item->file);
	item->file = NULL;
}

struct file *work_files_replace(struct simulation *sim, struct work_files *files, uint64_t i)
{
	delete_file(sim, files, i);
	return create_file(sim, &files->item[i], 0) ? files->item[i].file : NULL;
}

void work_files_delete(struct simulation *sim, struct work_files *files)
{
	for (uint64_t i = 0; i < files->nr; i++)
		delete_file(sim, files, i);
	files->nr = 0;
}
