// SPDX-License-Identifier: Apache-2.0
//
// Records of small machines made by hand: one zone DMA32 of 8 pageblocks, frames 4096 to 8191, all in use but for what
// is listed.

#pragma once

#include "verify_fixture.h"

enum { FIRST = 4096, FRAMES = 4096, LIST_MAX = 64 };

struct list {
	unsigned nr;
	uint32_t pfn[LIST_MAX];
};

struct machine {
	struct list free[11][6], pcp[14];
	unsigned type[8]; // of pageblocks
	unsigned count, nr_free[11], free_pages, free_blocks;
	unsigned high, batch, high_max, wmark, cpus;
	char class[FRAMES]; // 'k', 'f', 'p'
	char *events;
	size_t size;
	FILE *out;
	unsigned seq;
};

static inline void machine_begin(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	memset(m->class, 'k', sizeof(m->class));
	for (unsigned i = 0; i < 8; i++)
		m->type[i] = 1;
	m->type[0] = 0;
	m->high = m->high_max = 100;
	m->batch = 4;
	m->wmark = 10;
	m->cpus = 1;
	m->out = open_memstream(&m->events, &m->size);
	fprintf(m->out, "pageyard-events 1\n");
}

static inline void on_free_list(struct machine *m, unsigned order, unsigned type, uint32_t pfn)
{
	struct list *list = &m->free[order][type];

	list->pfn[list->nr++] = pfn;
	m->nr_free[order]++;
	m->free_pages += 1u << order;
	m->free_blocks += order >= 9 ? 1u << order : 0;
	memset(m->class + pfn - FIRST, 'f', 1u << order);
}

static inline void on_pcp_list(struct machine *m, unsigned index, uint32_t pfn)
{
	unsigned order = index < 12 ? index / 3 : 9;

	m->pcp[index].pfn[m->pcp[index].nr++] = pfn;
	m->count += 1u << order;
	memset(m->class + pfn - FIRST, 'p', 1u << order);
}

static inline void write_lists(const struct machine *m, FILE *out)
{
	for (unsigned order = 0; order < 11; order++) {
		fprintf(out, "zone 0 DMA32 nr_free %u %u\n", order, m->nr_free[order]);
		for (unsigned type = 0; type < 6; type++) {
			if (!m->free[order][type].nr)
				continue;
			fprintf(out, "zone 0 DMA32 free %u %u", order, type);
			for (unsigned i = 0; i < m->free[order][type].nr; i++)
				fprintf(out, " %u", m->free[order][type].pfn[i]);
			fprintf(out, "\n");
		}
	}
	fprintf(out, "zone 0 DMA32 pcp 0 count=%u high=%u high_min=%u high_max=%u batch=%u flags=0 alloc_factor=0 expire=0 "
		     "free_count=0\n", m->count, m->high, m->high, m->high_max, m->batch);
	for (unsigned i = 0; i < 14; i++) {
		if (!m->pcp[i].nr)
			continue;
		fprintf(out, "zone 0 DMA32 pcplist 0 %u", i);
		for (unsigned n = 0; n < m->pcp[i].nr; n++)
			fprintf(out, " %u", m->pcp[i].pfn[n]);
		fprintf(out, "\n");
	}
	for (unsigned cpu = 1; cpu < m->cpus; cpu++) // their sets are empty
		fprintf(out, "zone 0 DMA32 pcp %u count=0 high=%u high_min=%u high_max=%u batch=%u flags=0 alloc_factor=0 expire=0 "
			     "free_count=0\n", cpu, m->high, m->high, m->high_max, m->batch);
	for (unsigned cpu = 0; cpu < m->cpus; cpu++)
		fprintf(out, "zone 0 DMA32 cpustat %u stat_threshold=2 NUMA_HIT=0\n", cpu);
}

static inline void write_frames(const struct machine *m, FILE *out)
{
	for (unsigned i = 0; i < 8; i++)
		fprintf(out, "pageblock %u %u bits=%u\n", FIRST + 512 * i, m->type[i], m->type[i]);
	for (unsigned start = 0, end; start < FRAMES; start = end) {
		for (end = start; end < FRAMES && m->class[end] == m->class[start]; end++)
			;
		fprintf(out, "frames %u %u %s\n", FIRST + start, end - start,
			m->class[start] == 'f' ? "free" : m->class[start] == 'p' ? "pcp" : "kernel");
	}
}

static inline void machine_snapshot(const struct machine *m, const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "pageyard-snapshot 1\nkernel made by hand\ncpus %u\npagesize 4096\n"
		     "global min_free_kbytes 40\nglobal user_min_free_kbytes -1\nglobal watermark_boost_factor 0\n"
		     "global watermark_scale_factor 10\nglobal defrag_mode 0\nglobal node_reclaim_mode 0\n"
		     "global page_group_by_mobility_disabled 0\nglobal percpu_pagelist_high_fraction 0\n"
		     "global sysctl_lowmem_reserve_ratio 256 256 32 0 0\n"
		     "node 0 node_id 0\nnode 0 zonelist 0 node0:DMA32\nnode 0 zonelist 1 node0:DMA32\n"
		     "zone 0 DMA32 begin index 1\nzone 0 DMA32 watermark_boost 0\nzone 0 DMA32 zone_start_pfn 4096\n"
		     "zone 0 DMA32 managed_pages 4096\nzone 0 DMA32 spanned_pages 4096\nzone 0 DMA32 present_pages 4096\n"
		     "zone 0 DMA32 flags 0\nzone 0 DMA32 contiguous 1\n", m->cpus);
	fprintf(out, "zone 0 DMA32 watermark %u %u %u %u\nzone 0 DMA32 lowmem_reserve 0 0 0 0 0\n", m->wmark, m->wmark + 2,
		m->wmark + 4, m->wmark + 6);
	fprintf(out, "zone 0 DMA32 stat NR_FREE_PAGES %u\nzone 0 DMA32 stat NR_FREE_PAGES_BLOCKS %u\n", m->free_pages,
		m->free_blocks);
	write_lists(m, out);
	write_frames(m, out);
	fprintf(out, "end\n");
	fclose(out);
	write_file(name, text);
	free(text);
}

__attribute__((format(printf, 2, 3))) static inline void event(struct machine *m, const char *format, ...)
{
	va_list args;

	m->seq++;
	fprintf(m->out, "%u %u 0 7 ", m->seq, m->seq * 1000);
	va_start(args, format);
	vfprintf(m->out, format, args);
	va_end(args);
	fprintf(m->out, "\n");
}

static inline void machine_start(struct machine *m) // what was listed until now is the first state, and the second
{
	machine_snapshot(m, "snapshot0.txt");
	machine_snapshot(m, "snapshot1.txt");
}

static inline struct verify_result machine_verdict(struct machine *m, enum verify_level level)
{
	char *text;

	fflush(m->out);
	assert_true(asprintf(&text, "%send %u\n", m->events, m->seq) > 0);
	write_file("events.txt", text);
	free(text);
	return verdict(folder, level, NULL);
}

static inline void machine_end(struct machine *m)
{
	fclose(m->out);
	free(m->events);
}

#define GFP_KERNEL "gfp_flags=0xcc0"
#define GFP_USER   "gfp_flags=0x140cca"
