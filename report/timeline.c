// SPDX-License-Identifier: Apache-2.0

#include "report/timeline.h"

#include <stdlib.h>
#include <string.h>

#include <pageyard/stat.h>

#include "report/perfetto.h"
#include "sim/scheduler.h"

enum {
	COUNTERS = 8,
	DEPTH_MAX = 8,
};

struct task_track {
	uint32_t pid; // 0: of interrupts
	uint64_t track;
	unsigned depth;
	uint8_t open[DEPTH_MAX]; // kinds of the slices' begin events
	struct task_track *next;
};

struct timeline {
	struct perfetto perfetto;
	struct task_track *tasks;
	uint64_t tasks_parent, counters_parent, counter[COUNTERS];
	bool failed;
};

static const char *const counter_names[COUNTERS] = {
	"free pages", "free pages in whole blocks", "inactive anon", "active anon", "inactive file", "active file",
	"swapped out", "allocation stalls",
};

struct timeline *timeline_create(FILE *file)
{
	struct timeline *timeline = calloc(1, sizeof(*timeline));

	if (!timeline)
		return NULL;
	timeline->perfetto = (struct perfetto){.file = file};
	timeline->tasks_parent = perfetto_track(&timeline->perfetto, 0, "tasks");
	timeline->counters_parent = perfetto_track(&timeline->perfetto, 0, "memory");
	for (unsigned i = 0; i < COUNTERS; i++)
		timeline->counter[i] = perfetto_counter_track(&timeline->perfetto, timeline->counters_parent, counter_names[i]);
	return timeline;
}

// NULL: no memory.
static struct task_track *track_of(struct timeline *timeline, const struct sim_task *task)
{
	uint32_t pid = task ? task->task.pid : 0;
	struct task_track *track;
	char name[40];

	for (struct task_track **link = &timeline->tasks; (track = *link); link = &track->next) {
		if (track->pid != pid)
			continue;
		*link = track->next; // to the front: it is likely to be the next as well
		track->next = timeline->tasks;
		return timeline->tasks = track;
	}
	track = calloc(1, sizeof(*track));
	if (!track) {
		timeline->failed = true;
		return NULL;
	}
	snprintf(name, sizeof(name), task ? "%s-%u" : "interrupt", task ? task->task.comm : "", pid);
	*track = (struct task_track){.pid = pid, .next = timeline->tasks,
				     .track = perfetto_track(&timeline->perfetto, timeline->tasks_parent, name)};
	timeline->tasks = track;
	return track;
}

static const struct slice { // begin, end, what it is called
	uint8_t begin, end;
	const char *name;
} slices[] = {
	{YARD_EVENT_DIRECT_RECLAIM_BEGIN, YARD_EVENT_DIRECT_RECLAIM_END, "direct reclaim"},
	{YARD_EVENT_BALANCE_PGDAT_BEGIN, YARD_EVENT_BALANCE_PGDAT_END, "balance_pgdat"},
	{YARD_EVENT_MEMCG_RECLAIM_BEGIN, YARD_EVENT_MEMCG_RECLAIM_END, "memory.reclaim"},
	{YARD_EVENT_NODE_RECLAIM_BEGIN, YARD_EVENT_NODE_RECLAIM_END, "node reclaim"},
	{YARD_EVENT_COMPACTION_BEGIN, YARD_EVENT_COMPACTION_END, "compaction"},
};

static bool instant(const struct yard_event *event, char *text, size_t size)
{
	switch (event->kind) {
	case YARD_EVENT_PAGE_ALLOC_EXTFRAG:
		snprintf(text, size, "extfrag: order %u %s from %s, fallback order %d", event->order,
			 yard_migratetype_name(event->migratetype), yard_migratetype_name((unsigned)event->b), event->a);
		return true;
	case YARD_EVENT_PAGE_ALLOC:
		if (event->pfn != YARD_PFN_NONE)
			return false;
		snprintf(text, size, "allocation failed: order %u", event->order);
		return true;
	case YARD_EVENT_KSWAPD_WAKE:
	case YARD_EVENT_KCOMPACTD_WAKE:
	case YARD_EVENT_MARK_VICTIM:
	case YARD_EVENT_SETUP_PER_ZONE_WMARKS:
		snprintf(text, size, "%s", yard_event_name(event->kind));
		return true;
	default: return false;
	}
}

void timeline_sample(struct timeline *timeline, struct simulation *sim)
{
	uint64_t now = scheduler_clock(sim);
	int64_t value[COUNTERS] = {0};

	for (unsigned zone = 0; zone < yard_nr_zones(sim->yard); zone++) {
		struct yard_zone_state state;

		if (yard_get_zone(sim->yard, zone, &state) || !state.populated)
			continue;
		value[0] += state.stat[YARD_NR_FREE_PAGES];
		value[1] += state.stat[YARD_NR_FREE_PAGES_BLOCKS];
	}
	for (unsigned node = 0; node < yard_nr_nodes(sim->yard); node++)
		for (unsigned list = 0; list < 4; list++)
			value[2 + list] += yard_get_node_stat(sim->yard, node, YARD_NODE_INACTIVE_ANON + list);
	value[6] = (int64_t)yard_get_vm_event(sim->yard, YARD_VM_PSWPOUT);
	value[7] = (int64_t)yard_get_vm_event(sim->yard, YARD_VM_ALLOCSTALL_NORMAL);
	for (unsigned i = 0; i < COUNTERS; i++)
		perfetto_value(&timeline->perfetto, now, timeline->counter[i], value[i]);
}

// Slices of a track nest: an end closes what was begun inside, which a task that was killed left open.
static void end_slices(struct timeline *timeline, struct task_track *track, uint8_t begin, uint64_t now)
{
	unsigned at = track->depth;

	while (at && track->open[at - 1] != begin)
		at--;
	while (at && track->depth >= at) {
		perfetto_end(&timeline->perfetto, now, track->track);
		track->depth--;
	}
}

static void put_slice(struct timeline *timeline, struct simulation *sim, const struct yard_event *event, uint64_t now)
{
	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
		struct task_track *track;

		if (event->kind != slices[i].begin && event->kind != slices[i].end)
			continue;
		track = track_of(timeline, task_current(sim));
		if (!track)
			return;
		if (event->kind == slices[i].end) {
			end_slices(timeline, track, slices[i].begin, now);
		} else if (track->depth < DEPTH_MAX) {
			track->open[track->depth++] = slices[i].begin;
			perfetto_begin(&timeline->perfetto, now, track->track, slices[i].name);
		}
		return;
	}
}

void timeline_event(struct timeline *timeline, struct simulation *sim, const struct yard_event *event)
{
	uint64_t now = sim_now(sim);
	char text[128];

	put_slice(timeline, sim, event, now);
	if (instant(event, text, sizeof(text))) {
		struct task_track *track = track_of(timeline, task_current(sim));

		if (track)
			perfetto_instant(&timeline->perfetto, now, track->track, text);
	}
}

bool timeline_destroy(struct timeline *timeline)
{
	bool fine = perfetto_ok(&timeline->perfetto) && !timeline->failed;

	while (timeline->tasks) {
		struct task_track *next = timeline->tasks->next;

		free(timeline->tasks);
		timeline->tasks = next;
	}
	free(timeline);
	return fine;
}
