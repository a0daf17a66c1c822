// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "trace/internal.h"
#include "trace/verify_mm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

// "RECORD/NAME" or "RECORD/NAME.zst", whichever exists.
static int file_of_record(const char *record, const char *name, char *path, size_t size, struct trace_error *error)
{
	struct stat st;

	if (stat(record, &st) || !S_ISDIR(st.st_mode))
		return trace_fail(error, "%s: not a folder with snapshot0.txt, events.txt and snapshot1.txt", record);
	snprintf(path, size, "%s/%s", record, name);
	if (!stat(path, &st))
		return 0;
	snprintf(path, size, "%s/%s.zst", record, name);
	if (!stat(path, &st))
		return 0;
	return trace_fail(error, "%s: no %s or %s.zst in this folder", record, name, name);
}

struct snapshot *read_snapshot(const char *record, const char *name, struct trace_error *error)
{
	char path[4096];

	if (file_of_record(record, name, path, sizeof(path), error))
		return NULL;
	return snapshot_read(path, error);
}

static void hear(void *context, const struct yard_event *event)
{
	struct verifier *v = context;

	if (event->nr_args) {
		mm_hear(v, event);
		return;
	}
	if (v->nr_said == v->room_said) {
		struct yard_event *more = realloc(v->said, 2 * (size_t)v->room_said * sizeof(*more));

		if (!more)
			return; // the comparison will show steps missing
		v->said = more;
		v->room_said *= 2;
	}
	v->said[v->nr_said++] = *event;
}

static int build_yards(struct verifier *v)
{
	struct trace_error reason;
	size_t size;

	if (snapshot_to_yard(v->before, &v->policy, &v->memory[0], &size, &v->teacher, &reason))
		return trace_fail(v->error, "%s/snapshot0: %s", v->options->record, reason.text);
	yard_frame_span(v->teacher, &v->start_pfn, &v->end_pfn);
	if (v->options->level == VERIFY_STEP)
		return 0;
	v->memory[1] = aligned_alloc(64, size);
	if (!v->memory[1])
		return trace_fail(v->error, "out of memory");
	v->pupil = yard_copy(v->memory[1], size, v->teacher);
	yard_set_event_sink(v->pupil, hear, v, true);
	for (unsigned node = 0; node < yard_nr_nodes(v->pupil); node++)
		yard_kswapd_run(v->pupil, node, true);
	return 0;
}

static int prepare(struct verifier *v)
{
	uint32_t nr_cpus = v->before->nr_cpus;

	v->window = malloc(sizeof(*v->window));
	v->cpu = malloc(nr_cpus * sizeof(*v->cpu));
	v->last = calloc(v->end_pfn - v->start_pfn, sizeof(*v->last));
	v->busy_until = calloc(nr_cpus, sizeof(*v->busy_until));
	v->said = malloc(ENGINE_EVENTS * sizeof(*v->said));
	v->room_said = ENGINE_EVENTS;
	v->result->difference = calloc(v->options->differences + 1, sizeof(*v->result->difference));
	if (!v->window || !v->cpu || !v->last || !v->busy_until || !v->said || !v->result->difference)
		return trace_fail(v->error, "out of memory");
	v->window->head = v->window->tail = 0;
	for (uint32_t cpu = 0; cpu < nr_cpus; cpu++)
		v->cpu[cpu] = (struct cpu_link){ .group = NO_OP, .taken = NO_OP, .drain = NO_OP };
	for (unsigned n = 0; n < DRAINERS; n++)
		v->drainer[n].op = v->waker[n].op = v->failed[n].op = NO_OP;
	zone_names_init(&v->zone_names, v->teacher);
	v->result->nr_cpus = nr_cpus;
	return mm_prepare(v);
}

static void report_progress(struct verifier *v, struct trace_reader *reader)
{
	uint64_t done, total;

	if (!v->options->progress || v->result->events & 0xffff)
		return;
	trace_reader_progress(reader, &done, &total);
	v->options->progress(v->options->progress_context, done, total);
}

static int accept_event(struct verifier *v, struct trace_reader *reader)
{
	struct window *w = v->window;
	const struct trace_event *event = event_at(v, w->head);

	if (check_event(v, event))
		return -1;
	v->result->events++;
	report_progress(v, reader);
	w->head++;
	return link_event(v, w->head - 1);
}

// Events are linked as they come in and run when the window is full behind them.
static int run_all(struct verifier *v, struct trace_reader *reader)
{
	struct window *w = v->window;
	int more;

	for (;;) {
		if (w->head - w->tail == WINDOW)
			run_event(v, w->tail++);
		more = trace_next(reader, event_at(v, w->head), v->error);
		if (more <= 0)
			break;
		if (accept_event(v, reader))
			return -1;
	}
	if (more < 0)
		return -1;
	while (w->tail != w->head)
		run_event(v, w->tail++);
	v->result->lost = trace_reader_lost(reader);
	return 0;
}

static int verify_events(struct verifier *v)
{
	char path[4096];
	struct trace_reader *reader;
	int result;

	if (file_of_record(v->options->record, "events.txt", path, sizeof(path), v->error))
		return -1;
	reader = trace_open(path, v->error);
	if (!reader)
		return -1;
	result = run_all(v, reader);
	trace_close(reader);
	return result;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void choose_policy(struct verifier *v)
{
	const struct verify_options *options = v->options;

	v->policy = options->policy;
	v->result->policy_name = options->policy_name;
	if (options->policy_name)
		return;
	yard_policy_parse("linux-7.3", &v->policy, NULL, 0);
	v->policy.defrag_mode = v->before->defrag_mode > 0;
	v->result->policy_name = v->policy.defrag_mode ? "linux-7.3,defrag_mode=1" : "linux-7.3,defrag_mode=0";
}

static int verify_all(struct verifier *v)
{
	double start;

	v->before = read_snapshot(v->options->record, "snapshot0.txt", v->error);
	if (!v->before)
		return -1;
	choose_policy(v);
	if (build_yards(v) || prepare(v))
		return -1;
	start = now();
	if (verify_events(v))
		return -1;
	v->result->seconds = now() - start;
	if (v->result->lost)
		return 0; // snapshot 1 is of a later state
	return compare_final(v);
}

int verify_record(const struct verify_options *options, struct verify_result *result, struct trace_error *error)
{
	struct verifier v = { .options = options, .result = result, .error = error };
	int code;

	memset(result, 0, sizeof(*result));
	code = verify_all(&v);
	snapshot_free(v.before);
	free(v.window);
	free(v.cpu);
	free(v.last);
	free(v.busy_until);
	free(v.said);
	mm_release(&v);
	free(v.memory[0]);
	free(v.memory[1]);
	if (code)
		verify_release(result);
	return code;
}

void verify_release(struct verify_result *result)
{
	free(result->difference);
	result->difference = NULL;
}
