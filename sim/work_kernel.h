// SPDX-License-Identifier: Apache-2.0
//
// What the kernel allocates for the system calls of workloads: pipes, sockets, page tables, inodes and dentries. Sizes
// are those of /proc/slabinfo, orders and masks those of the mm_page_alloc events of the records of Linux 7.3.
//
// All is done by the running task, and charged. What a body gets here it must give back before it returns.

#pragma once

#include "sim/slab.h"
#include "sim/workload.h"

// ---- slab caches ----

enum kernel_cache {
	KERNEL_DENTRY, // of files: shrinkable
	KERNEL_INODE,  // of an ext4 file: shrinkable
	KERNEL_PIPE_INODE,
	KERNEL_FILP,
	KERNEL_PIPE_INFO,
	KERNEL_PIPE_BUFFERS,
	KERNEL_SOCKET_INODE,
	KERNEL_SOCKET,
	KERNEL_PACKET_HEAD,
	KERNEL_PACKET_DATA,
	KERNEL_CACHES,
};

struct kernel_caches {
	struct slab_cache *cache[KERNEL_CACHES];
};

// False: sim_fail() was called.
bool kernel_caches(struct simulation *sim, struct kernel_caches *caches);

// ---- pipes ----

enum { PIPE_PAGES = 16, PIPE_OBJECTS = 6 };

struct pipe { // all zero: closed
	struct slab_object object[PIPE_OBJECTS];
	uint32_t page[PIPE_PAGES];
	uint32_t nr;
	bool open;
};

bool pipe_open(struct simulation *sim, const struct kernel_caches *caches, struct pipe *pipe); // false: no memory
// Writes of 4 KiB until it holds `pages`. False: no memory.
bool pipe_fill(struct simulation *sim, struct pipe *pipe, uint32_t pages);
void pipe_empty(struct simulation *sim, struct pipe *pipe); // the reader takes all
void pipe_close(struct simulation *sim, const struct kernel_caches *caches, struct pipe *pipe);

// ---- unix stream sockets ----

enum { SOCKET_OBJECTS = 8, SOCKET_WRITE_PAGES = 8, SOCKET_WRITES_MAX = 64 };

struct socket_write { // 32 KiB that wait for the reader
	struct slab_object head;
	uint32_t page[SOCKET_WRITE_PAGES];
	uint32_t nr; // blocks
	uint8_t order; // of each
};

struct socket_pair { // all zero: closed
	struct slab_object object[SOCKET_OBJECTS];
	struct socket_write write[SOCKET_WRITES_MAX];
	uint32_t nr;
	bool open;
};

bool socket_open(struct simulation *sim, const struct kernel_caches *caches, struct socket_pair *pair);
bool socket_write(struct simulation *sim, const struct kernel_caches *caches, struct socket_pair *pair); // 32 KiB
void socket_close(struct simulation *sim, const struct kernel_caches *caches, struct socket_pair *pair);

// ---- page tables ----

// Page tables of a read-only mapping in which one page of each 2 MiB is touched, and that page is the zero page: so
// many page-table pages and nothing else. Stores them in page[]; returns how many it got: all but when there is no
// memory.
uint32_t page_tables_build(struct simulation *sim, uint32_t *page, uint32_t nr);
void pages_free(struct simulation *sim, const uint32_t *page, uint32_t nr); // of order 0

// ---- files as the file system's caches know them ----

// The dentry is on its LRU while nobody has the file open. The inode is on its own only when nothing holds it: no user,
// no dentry, and no page of the file in the page cache.
struct cached_file { // all zero: not cached
	struct slab_object inode, dentry;
	bool has_inode, has_dentry, inode_on_lru;
	uint32_t users;
	const struct file *file; // whose pages hold the inode; NULL: none do
};

// open() or creat(): looks its dentry and inode up, or makes them. False: no memory. A cached file must not move.
bool cached_file_open(struct simulation *sim, const struct kernel_caches *caches, struct cached_file *file);
// Unused from now on, but cached until the shrinker wants it and may have it.
void cached_file_close(struct simulation *sim, const struct kernel_caches *caches, struct cached_file *file);
void cached_file_delete(struct simulation *sim, const struct kernel_caches *caches,
			struct cached_file *file); // nobody has it open
void cached_file_emptied(struct simulation *sim, struct cached_file *file); // `file->file` has no cached page any more
