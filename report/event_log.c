// SPDX-License-Identifier: Apache-2.0

#include "report/event_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pageyard/stat.h>

#include "report/ftrace.h"
#include "report/output_file.h"
#include "report/timeline.h"
#include "sim/scheduler.h"

struct event_log {
	struct output_file text, record, perfetto;
	struct timeline *timeline;
	bool begun;
	uint64_t events; // in the record
	uint64_t last_ns; // of an event in the text or the record
};

static bool same_path(const char *a, const char *b)
{
	return a && b && !strcmp(a, b) && strcmp(a, "/dev/null") != 0;
}

static bool same_file(const struct output_file *a, const struct output_file *b)
{
	return a->target && b->target && !strcmp(a->target, b->target);
}

// Before they are opened: the second writer of a pipe would wait for another reader. NULL: none.
static const char *path_given_twice(const struct event_log_paths *paths)
{
	if (same_path(paths->text, paths->record) || same_path(paths->text, paths->perfetto))
		return paths->text;
	return same_path(paths->record, paths->perfetto) ? paths->record : NULL;
}

// ... and after that: "log" and "./log". NULL: none.
static const char *file_opened_twice(const struct event_log *log)
{
	if (same_file(&log->text, &log->record) || same_file(&log->text, &log->perfetto))
		return log->text.path;
	return same_file(&log->record, &log->perfetto) ? log->record.path : NULL;
}

static bool refuse_twice(const char *twice, char *error, size_t size)
{
	if (twice)
		snprintf(error, size, "%s: it is to be two files at once", twice);
	return twice;
}

static void discard_files(struct event_log *log)
{
	output_file_discard(&log->text);
	output_file_discard(&log->record);
	output_file_discard(&log->perfetto);
}

struct event_log *event_log_open(const struct event_log_paths *paths, char *error, size_t size)
{
	struct event_log *log;

	if (refuse_twice(path_given_twice(paths), error, size))
		return NULL;
	log = calloc(1, sizeof(*log));
	if (!log) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	if (output_file_open(&log->text, paths->text, error, size)
	    && output_file_open(&log->record, paths->record, error, size)
	    && output_file_open(&log->perfetto, paths->perfetto, error, size)
	    && !refuse_twice(file_opened_twice(log), error, size)) {
		if (!paths->perfetto || (log->timeline = timeline_create(log->perfetto.file)))
			return log;
		snprintf(error, size, "out of memory");
	}
	discard_files(log);
	free(log);
	return NULL;
}

static void begin(struct event_log *log, struct simulation *sim)
{
	log->begun = true;
	if (log->text.file)
		ftrace_header(log->text.file, yard_nr_cpus(sim->yard));
	if (log->record.file)
		fputs("pageyard-events 1\n", log->record.file);
}

// ---- records ----

static void write_fields(FILE *file, const struct yard_event *event)
{
	const char *field = yard_event_fields(event->kind);

	for (unsigned i = 0; field && *field && i < event->nr_args; i++) {
		size_t length = strcspn(field, " ");

		fprintf(file, " %.*s=%" PRId64, (int)length, field, event->args[i]);
		field += length + (field[length] == ' ');
	}
}

// False: an event that records do not have.
static bool write_kmem(FILE *file, const struct yard_event *event)
{
	int64_t pfn = event->pfn == YARD_PFN_NONE ? -1 : (int64_t)event->pfn;

	switch (event->kind) {
	case YARD_EVENT_PAGE_ALLOC:
		fprintf(file, " pfn=%" PRId64 " order=%u gfp_flags=%u migratetype=%u", pfn, event->order, (uint32_t)event->a,
			event->migratetype);
		return true;
	case YARD_EVENT_PAGE_FREE:
	case YARD_EVENT_PAGE_FREE_BATCHED:
		fprintf(file, " pfn=%" PRId64 " order=%u", pfn, event->order);
		return true;
	case YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED:
		fprintf(file, " pfn=%" PRId64 " order=%u migratetype=%u percpu_refill=%d", pfn, event->order,
			event->migratetype, event->a);
		return true;
	case YARD_EVENT_PAGE_PCPU_DRAIN:
		fprintf(file, " pfn=%" PRId64 " order=%u migratetype=%u", pfn, event->order, event->migratetype);
		return true;
	case YARD_EVENT_PAGE_ALLOC_EXTFRAG:
		fprintf(file, " pfn=%" PRId64 " alloc_order=%u fallback_order=%d alloc_migratetype=%u"
			      " fallback_migratetype=%d change_ownership=%d",
			pfn, event->order, event->a, event->migratetype, event->b, event->c);
		return true;
	default: return false;
	}
}

static bool recorded(const struct yard_event *event)
{
	return event->kind <= YARD_EVENT_PAGE_ALLOC_EXTFRAG || (yard_event_fields(event->kind) && event->nr_args);
}

static void write_record(struct event_log *log, const struct yard_event *event, uint64_t ns,
			 const struct sim_task *task)
{
	FILE *file = log->record.file;

	if (!recorded(event))
		return;
	fprintf(file, "%" PRIu64 " %" PRIu64 " %u %u %s", ++log->events, ns, event->cpu, task ? task->task.pid : 0,
		yard_event_name(event->kind));
	if (!write_kmem(file, event))
		write_fields(file, event);
	fputc('\n', file);
}

// ---- all ----

// What can't be written ends the simulation: a full disk is not worth hours of it.
static void look_for_error(struct output_file *output, struct simulation *sim)
{
	if (!output->file || output->error || !ferror(output->file))
		return;
	output->error = errno ? errno : EIO;
	sim_fail(sim, "%s: %s", output->path, strerror(output->error));
}

void event_log_event(struct event_log *log, struct simulation *sim, const struct yard_event *event)
{
	const struct sim_task *task = task_current(sim);
	uint64_t ns = sim_now(sim);

	if (!log->begun)
		begin(log, sim);
	// Clocks of CPUs differ a little. Readers want time not to go back, and frames taken after they were given back.
	ns = log->last_ns = ns > log->last_ns ? ns : log->last_ns;
	if (log->text.file) {
		char text[1024];

		ftrace_line(text, sizeof(text), event, ns, task ? &task->task : NULL);
		fputs(text, log->text.file);
		fputc('\n', log->text.file);
	}
	if (log->record.file)
		write_record(log, event, ns, task);
	if (log->timeline)
		timeline_event(log->timeline, sim, event);
	look_for_error(&log->text, sim);
	look_for_error(&log->record, sim);
	look_for_error(&log->perfetto, sim);
}

void event_log_sample(struct event_log *log, struct simulation *sim)
{
	if (log->timeline)
		timeline_sample(log->timeline, sim);
	look_for_error(&log->perfetto, sim);
}

static void add_name(const struct output_file *output, char *names, size_t size)
{
	size_t length = strlen(names);

	if (output->partial)
		snprintf(names + length, size - length, "%s%s", length ? ", " : "", output->path);
}

bool event_log_close(struct event_log *log, char *error, size_t size)
{
	bool fine;

	if (log->record.file && log->begun)
		fprintf(log->record.file, "end %" PRIu64 "\n", log->events);
	errno = 0;
	if (log->timeline && !timeline_destroy(log->timeline) && !log->perfetto.error)
		log->perfetto.error = errno ? errno : EIO;
	fine = output_file_finish(&log->text, error, size) && output_file_finish(&log->record, error, size)
	       && output_file_finish(&log->perfetto, error, size) && output_file_keep(&log->text, error, size)
	       && output_file_keep(&log->record, error, size) && output_file_keep(&log->perfetto, error, size);
	discard_files(log);
	free(log);
	return fine;
}

void event_log_discard(struct event_log *log, char *names, size_t size)
{
	*names = '\0';
	add_name(&log->text, names, size);
	add_name(&log->record, names, size);
	add_name(&log->perfetto, names, size);
	if (log->timeline)
		timeline_destroy(log->timeline);
	discard_files(log);
	free(log);
}
