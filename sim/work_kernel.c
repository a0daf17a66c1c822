// SPDX-License-Identifier: Apache-2.0

#include "sim/work_kernel.h"

#include "sim/page_cache.h"

enum { SOCKET_ORDER = 3 };

#define PIPE_GFP (YARD_GFP_HIGHUSER | YARD_GFP_ACCOUNT)
#define PAGE_TABLE_GFP (YARD_GFP_KERNEL_ACCOUNT | YARD_GFP_ZERO | YARD_GFP_COMP)
#define SOCKET_GFP (YARD_GFP_KERNEL_ACCOUNT | YARD_GFP_COMP | YARD_GFP_NOWARN)

// ---- slab caches ----

static void inode_evicted(struct simulation *sim, void *context, uint64_t tag);
static void dentry_evicted(struct simulation *sim, void *context, uint64_t tag);

#define CACHE(cache_name, bytes) {.name = cache_name, .size = bytes, .order = SLAB_ORDER_DEFAULT}
#define SHRINKABLE(cache_name, bytes, on_evicted)                                                                      \
	{.name = cache_name, .size = bytes, .order = SLAB_ORDER_DEFAULT, .reclaimable = true, .shrinkable = true,      \
	 .evicted = on_evicted}

static const struct slab_cache_config cache_configs[KERNEL_CACHES] = {
	[KERNEL_DENTRY] = SHRINKABLE("dentry", 192, dentry_evicted),
	[KERNEL_INODE] = SHRINKABLE("ext4_inode_cache", 1048, inode_evicted),
	[KERNEL_PIPE_INODE] = {.name = "inode_cache", .size = 568, .order = SLAB_ORDER_DEFAULT, .reclaimable = true},
	[KERNEL_FILP] = CACHE("filp", 192),
	[KERNEL_PIPE_INFO] = CACHE("kmalloc-cg-256", 256),
	[KERNEL_PIPE_BUFFERS] = CACHE("kmalloc-cg-1k", 1024),
	[KERNEL_SOCKET_INODE] = {.name = "sock_inode_cache",
				 .size = 832,
				 .order = SLAB_ORDER_DEFAULT,
				 .reclaimable = true},
	[KERNEL_SOCKET] = CACHE("UNIX", 1088),
	[KERNEL_PACKET_HEAD] = CACHE("skbuff_head_cache", 256),
	[KERNEL_PACKET_DATA] = CACHE("skbuff_small_head", 640),
};

bool kernel_caches(struct simulation *sim, struct kernel_caches *caches)
{
	for (unsigned i = 0; i < KERNEL_CACHES; i++) {
		caches->cache[i] = slab_cache_get(sim, &cache_configs[i]);
		if (!caches->cache[i])
			return false;
	}
	return true;
}

// One object of each of these caches, or none.
static bool alloc_objects(struct simulation *sim, const struct kernel_caches *caches, const uint8_t *wanted,
			  unsigned nr, struct slab_object *object)
{
	for (unsigned i = 0; i < nr; i++) {
		if (slab_alloc(sim, caches->cache[wanted[i]], YARD_GFP_KERNEL_ACCOUNT, &object[i]))
			continue;
		while (i--)
			slab_free(sim, caches->cache[wanted[i]], object[i]);
		return false;
	}
	return true;
}

static void free_objects(struct simulation *sim, const struct kernel_caches *caches, const uint8_t *wanted, unsigned nr,
			 const struct slab_object *object)
{
	for (unsigned i = 0; i < nr; i++)
		slab_free(sim, caches->cache[wanted[i]], object[i]);
}

// ---- pipes ----

static const uint8_t pipe_objects[PIPE_OBJECTS] = {
	KERNEL_PIPE_INODE, KERNEL_PIPE_INFO, KERNEL_PIPE_BUFFERS, KERNEL_DENTRY, KERNEL_FILP, KERNEL_FILP,
};

bool pipe_open(struct simulation *sim, const struct kernel_caches *caches, struct pipe *pipe)
{
	sim_charge(sim, COST_SYSCALL, 1);
	pipe->nr = 0;
	pipe->open = alloc_objects(sim, caches, pipe_objects, PIPE_OBJECTS, pipe->object);
	return pipe->open;
}

bool pipe_fill(struct simulation *sim, struct pipe *pipe, uint32_t pages)
{
	for (; pipe->nr < pages; pipe->nr++) {
		uint32_t pfn;

		sim_charge(sim, COST_SYSCALL, 1);
		pfn = sim_alloc(sim, REQUEST_PIPE, PIPE_GFP, 0, -1);
		if (pfn == YARD_PFN_NONE)
			return false;
		sim_charge(sim, COST_READ_PAGE, 1);
		pipe->page[pipe->nr] = pfn;
		sim_point(sim);
	}
	return true;
}

void pipe_empty(struct simulation *sim, struct pipe *pipe)
{
	sim_charge(sim, COST_SYSCALL, pipe->nr);
	sim_charge(sim, COST_READ_PAGE, pipe->nr);
	pages_free(sim, pipe->page, pipe->nr);
	pipe->nr = 0;
}

void pipe_close(struct simulation *sim, const struct kernel_caches *caches, struct pipe *pipe)
{
	if (!pipe->open)
		return;
	sim_charge(sim, COST_SYSCALL, 2);
	pages_free(sim, pipe->page, pipe->nr);
	free_objects(sim, caches, pipe_objects, PIPE_OBJECTS, pipe->object);
	*pipe = (struct pipe){0};
}

// ---- sockets ----

static const uint8_t socket_objects[SOCKET_OBJECTS] = {
	KERNEL_SOCKET_INODE, KERNEL_SOCKET, KERNEL_DENTRY, KERNEL_FILP,
	KERNEL_SOCKET_INODE, KERNEL_SOCKET, KERNEL_DENTRY, KERNEL_FILP,
};

bool socket_open(struct simulation *sim, const struct kernel_caches *caches, struct socket_pair *pair)
{
	sim_charge(sim, COST_SYSCALL, 1);
	pair->nr = 0;
	pair->open = alloc_objects(sim, caches, socket_objects, SOCKET_OBJECTS, pair->object);
	return pair->open;
}

static void free_write(struct simulation *sim, const struct kernel_caches *caches, struct socket_write *write)
{
	for (uint32_t i = 0; i < write->nr; i++)
		sim_free(sim, write->page[i], write->order);
	slab_free(sim, caches->cache[KERNEL_PACKET_HEAD], write->head);
}

// One block of order 3 if there is one at once, else single pages.
static bool alloc_write(struct simulation *sim, struct socket_write *write)
{
	uint32_t pfn = sim_alloc(sim, REQUEST_SOCKET, SOCKET_GFP & ~YARD_GFP_DIRECT_RECLAIM, SOCKET_ORDER, -1);

	write->order = pfn == YARD_PFN_NONE ? 0 : SOCKET_ORDER;
	write->nr = 0;
	if (pfn != YARD_PFN_NONE) {
		write->page[write->nr++] = pfn;
		return true;
	}
	while (write->nr < SOCKET_WRITE_PAGES) {
		pfn = sim_alloc(sim, REQUEST_SOCKET, SOCKET_GFP, 0, -1);
		if (pfn == YARD_PFN_NONE)
			return false;
		write->page[write->nr++] = pfn;
	}
	return true;
}

bool socket_write(struct simulation *sim, const struct kernel_caches *caches, struct socket_pair *pair)
{
	struct socket_write *write = &pair->write[pair->nr];

	sim_charge(sim, COST_SYSCALL, 1);
	if (!slab_alloc(sim, caches->cache[KERNEL_PACKET_HEAD], YARD_GFP_KERNEL_ACCOUNT, &write->head))
		return false;
	if (!alloc_write(sim, write)) {
		free_write(sim, caches, write);
		return false;
	}
	sim_charge(sim, COST_READ_PAGE, SOCKET_WRITE_PAGES);
	pair->nr++;
	sim_point(sim);
	return true;
}

void socket_close(struct simulation *sim, const struct kernel_caches *caches, struct socket_pair *pair)
{
	if (!pair->open)
		return;
	sim_charge(sim, COST_SYSCALL, 2);
	for (; pair->nr; pair->nr--)
		free_write(sim, caches, &pair->write[pair->nr - 1]);
	free_objects(sim, caches, socket_objects, SOCKET_OBJECTS, pair->object);
	pair->open = false;
}

// ---- page tables ----

uint32_t page_tables_build(struct simulation *sim, uint32_t *page, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		sim_charge(sim, COST_FAULT, 1);
		page[i] = sim_alloc(sim, REQUEST_PAGE_TABLE, PAGE_TABLE_GFP, 0, -1);
		if (page[i] == YARD_PFN_NONE)
			return i;
		sim_point(sim);
	}
	return nr;
}

void pages_free(struct simulation *sim, const uint32_t *page, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		sim_free(sim, page[i], 0);
}

// ---- cached files ----

static bool inode_is_held(const struct cached_file *file)
{
	return file->users || file->has_dentry || (file->file && file->file->object && file->file->object->resident);
}

static void let_inode_go(struct simulation *sim, struct cached_file *file)
{
	if (!file->has_inode || file->inode_on_lru || inode_is_held(file))
		return;
	file->inode_on_lru = true;
	slab_release_to_lru(sim, slab_cache_get(sim, &cache_configs[KERNEL_INODE]), file->inode, (uintptr_t)file);
}

static void hold_inode(struct simulation *sim, const struct kernel_caches *caches, struct cached_file *file)
{
	if (file->inode_on_lru)
		slab_take_from_lru(sim, caches->cache[KERNEL_INODE], file->inode);
	file->inode_on_lru = false;
}

// The shrinker has freed one of a file's objects.
static void inode_evicted(struct simulation *sim, void *context, uint64_t tag)
{
	struct cached_file *file = (struct cached_file *)(uintptr_t)tag;

	(void)sim;
	(void)context;
	file->has_inode = file->inode_on_lru = false;
}

static void dentry_evicted(struct simulation *sim, void *context, uint64_t tag)
{
	struct cached_file *file = (struct cached_file *)(uintptr_t)tag;

	(void)context;
	file->has_dentry = false;
	let_inode_go(sim, file);
}

void cached_file_emptied(struct simulation *sim, struct cached_file *file)
{
	let_inode_go(sim, file);
}

bool cached_file_open(struct simulation *sim, const struct kernel_caches *caches, struct cached_file *file)
{
	sim_charge(sim, COST_SYSCALL, 1);
	if (file->users++) // somebody has it open, or is about to
		return true;
	if (file->has_dentry)
		slab_take_from_lru(sim, caches->cache[KERNEL_DENTRY], file->dentry);
	hold_inode(sim, caches, file); // both first: an allocation may evict the other one
	if (!file->has_dentry)
		file->has_dentry = slab_alloc(sim, caches->cache[KERNEL_DENTRY], YARD_GFP_KERNEL, &file->dentry);
	if (!file->has_inode)
		file->has_inode = slab_alloc(sim, caches->cache[KERNEL_INODE], YARD_GFP_NOFS, &file->inode);
	if (file->has_dentry && file->has_inode)
		return true;
	cached_file_close(sim, caches, file);
	return false;
}

void cached_file_close(struct simulation *sim, const struct kernel_caches *caches, struct cached_file *file)
{
	sim_charge(sim, COST_SYSCALL, 1);
	if (--file->users)
		return;
	if (file->has_dentry)
		slab_release_to_lru(sim, caches->cache[KERNEL_DENTRY], file->dentry, (uintptr_t)file);
	let_inode_go(sim, file);
}

void cached_file_delete(struct simulation *sim, const struct kernel_caches *caches, struct cached_file *file)
{
	sim_charge(sim, COST_SYSCALL, 1);
	if (file->has_dentry) {
		slab_take_from_lru(sim, caches->cache[KERNEL_DENTRY], file->dentry);
		slab_free(sim, caches->cache[KERNEL_DENTRY], file->dentry);
	}
	hold_inode(sim, caches, file);
	if (file->has_inode)
		slab_free(sim, caches->cache[KERNEL_INODE], file->inode);
	*file = (struct cached_file){0};
}
