// SPDX-License-Identifier: Apache-2.0
//
// Files that a body owns: made at its beginning, deleted at its end, with the inode and dentry of each.

#pragma once

#include "sim/page_cache.h"
#include "sim/work_kernel.h"

struct work_file {
	struct file *file;
	struct cached_file cached;
};

struct work_files {
	struct kernel_caches caches;
	struct work_file *item;
	uint64_t nr;
};

// Which file is next: one after the other, any, or those of low numbers much more often (Zipf).
enum { FILES_SEQUENTIAL, FILES_RANDOM, FILES_ZIPF };
extern const struct config_word files_patterns[];

struct files_order {
	uint64_t pattern, nr, next;
	struct random_zipf *zipf;
};

// False: sim_fail() was called.
bool files_order_init(struct simulation *sim, struct sim_task *task, struct files_order *order, uint64_t pattern,
		      uint64_t nr, uint64_t exponent);
uint64_t files_order_next(struct sim_task *task, struct files_order *order);

// `nr` files on the disk, nothing of them cached, of a size in the range (bytes). The table lives in `memory` of the
// size that work_files_size() tells. False: sim_fail() was called.
size_t work_files_size(uint64_t nr);
bool work_files_create(struct simulation *sim, struct sim_task *task, struct work_files *files, void *memory,
		       uint64_t nr, struct config_range size);
// Opens, for reading or writing, file `i`. NULL: no memory for it.
struct file *work_files_open(struct simulation *sim, struct work_files *files, uint64_t i);
void work_files_close(struct simulation *sim, struct work_files *files, uint64_t i);
// Deletes file `i` if it is there, and makes it anew with no content.
struct file *work_files_replace(struct simulation *sim, struct work_files *files, uint64_t i);
void work_files_delete(struct simulation *sim, struct work_files *files); // all; none is open
