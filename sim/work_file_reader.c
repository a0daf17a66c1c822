// SPDX-License-Identifier: Apache-2.0
//
// file-reader: a process that reads files of its own, sequentially, at random, or some much more often than others.
//
// folio_order: the readahead of newer kernels asks for large folios first and goes on with single pages when there is none
// (spec 04 O-11). Only the attempt is modelled: before each request the reader asks for one block of that order as readahead
// does. It keeps some of those that it got, in place of the cache, which holds single pages, and gives the oldest back.

#include "sim/work_files.h"

enum pattern { SEQUENTIAL, RANDOM, ZIPF };

struct file_reader {
	struct workload_common common;
	uint64_t files, pattern, exponent, request, passes, folio_order, folios;
	struct config_range size;
	struct config_rate rate;
};

static const struct config_word patterns[] = {{"sequential", SEQUENTIAL}, {"random", RANDOM}, {"zipf", ZIPF}, {0}};
static const struct config_word endless[] = {{"endless", 0}, {0}};

#define AT(member) CONFIG_AT(struct file_reader, member)

static const struct config_field fields[] = {
	{"files", CONFIG_COUNT, AT(files), .default_text = "1", .min = 1, .max = 10000000, .help = "of each instance"},
	{"size", CONFIG_SIZE, AT(size), .range = true, .default_text = "1GiB", .min = 1, .help = "of a file"},
	{"pattern", CONFIG_ENUM, AT(pattern), .default_text = "sequential", .words = patterns,
	 .help = "sequential: whole files; else requests at random places of random files"},
	{"exponent", CONFIG_RATIO, AT(exponent), .default_text = "1", .max = RANDOM_ZIPF_EXPONENT_MAX,
	 .help = "zipf: of the files' popularity"},
	{"request", CONFIG_SIZE, AT(request), .default_text = "128KiB", .min = 1, .max = 1 << 30, .help = "of one read()"},
	{"rate", CONFIG_RATE, AT(rate), .default_text = "0/s", .help = "of requests; 0: one after the other"},
	{"passes", CONFIG_COUNT, AT(passes), .default_text = "endless", .words = endless,
	 .help = "times that it reads as much as it has, until it ends"},
	{"folio_order", CONFIG_COUNT, AT(folio_order), .default_text = "0", .max = 10,
	 .help = "readahead first tries a block of this order"},
	{"folios", CONFIG_COUNT, AT(folios), .default_text = "64", .min = 1, .max = 1000000, .help = "of these that it keeps"},
	{0},
};

#define READAHEAD_GFP (YARD_GFP_HIGHUSER_MOVABLE | YARD_GFP_COMP | YARD_GFP_NOWARN | YARD_GFP_NORETRY)

struct reader {
	struct workload_instance *instance;
	const struct file_reader *p;
	struct work_files files;
	struct random_zipf *zipf;
	struct workload_pace pace;
	uint64_t done, until; // bytes
	uint32_t *folio;      // a ring of p->folios
	uint64_t first_folio, nr_folios;
};

static void give_folio(struct simulation *sim, struct reader *reader)
{
	sim_free(sim, reader->folio[reader->first_folio], (unsigned)reader->p->folio_order);
	reader->first_folio = (reader->first_folio + 1) % reader->p->folios;
	reader->nr_folios--;
}

static void try_folio(struct simulation *sim, struct reader *reader)
{
	const struct file_reader *p = reader->p;
	uint32_t pfn;

	if (!p->folio_order)
		return;
	pfn = sim_alloc(sim, REQUEST_FILE, READAHEAD_GFP, (unsigned)p->folio_order, -1);
	++*workload_figure(reader->instance->workload, "folio attempts", 0);
	if (pfn == YARD_PFN_NONE) {
		++*workload_figure(reader->instance->workload, "folios failed", -1);
		return;
	}
	if (reader->nr_folios == p->folios)
		give_folio(sim, reader);
	reader->folio[(reader->first_folio + reader->nr_folios++) % p->folios] = pfn;
}

// One read(). False: enough, or no memory.
static bool read_once(struct simulation *sim, struct sim_task *task, struct reader *reader, struct file *file,
		      uint64_t offset)
{
	struct workload *workload = reader->instance->workload;
	uint64_t bytes = reader->p->request, start = sim_now(sim);

	if (bytes > file->size - offset)
		bytes = file->size - offset;
	try_folio(sim, reader);
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
	if (reader->p->pattern == SEQUENTIAL)
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
	struct reader reader = {argument, workload_parameters(argument), .zipf = NULL};
	const struct file_reader *p = reader.p;
	void *memory = task_memory(sim, task, work_files_size(p->files));
	uint64_t next = 0;
	bool on;

	reader.zipf = task_memory(sim, task, sizeof(*reader.zipf));
	reader.folio = task_memory(sim, task, p->folios * sizeof(*reader.folio));
	on = reader.zipf && reader.folio && work_files_create(sim, task, &reader.files, memory, p->files, p->size);
	if (reader.zipf)
		random_zipf_init(reader.zipf, p->files, (uint32_t)p->exponent);
	for (uint64_t i = 0; i < reader.files.nr; i++)
		reader.until += reader.files.item[i].file->size * p->passes;
	while (on) {
		uint64_t i = p->pattern == ZIPF	    ? random_zipf(reader.zipf, &task->random)
			     : p->pattern == RANDOM ? random_below(&task->random, p->files)
						    : next++ % p->files;

		on = read_file(sim, task, &reader, i);
	}
	while (reader.nr_folios)
		give_folio(sim, &reader);
	work_files_delete(sim, &reader.files);
}

WORKLOAD_KIND(kind_file_reader, "file-reader", "reads files sequentially, at random or by popularity", struct file_reader,
	      fields, read_files);
