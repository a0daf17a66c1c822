// SPDX-License-Identifier: Apache-2.0
//
// Replaying a recorded workload under other policies, open loop: the recorded requests and frees drive one yard for
// each policy; what a policy does in between is its own.
//
// A request is a recorded mm_page_alloc: its order, flags and CPU. In a record it stands where the kernel took the
// frame (`take`); a take without mm_page_alloc is a page of a bulk allocation: order 0, GFP_KERNEL. A request that the
// kernel refused is tried as well; what a policy gives for it is freed at once, since nothing tells how long it would
// have been kept. A request that a policy refuses is gone, and with it its free.
//
// A free goes to the frame that this policy gave for the recorded frame. Frames in use in the first snapshot stand for
// themselves. Where the kernel frees a part of a block, or several blocks as one, the policy's are split or joined
// alike, frame by frame. A free of a frame that no recorded request allocated is counted ("unmatched") and left out:
// pages that compaction moved, and without a snapshot all that was allocated before the recording.
//
// Open loop means: reclaim and compaction are the recorded kernel's, in what they free and when. kswapd's runs, the
// drains that reclaim asked for and the vmstat work happen when they happened there. A policy that is short of memory
// at another moment fails the request for which its kernel would have reclaimed, and one that boosts a watermark keeps
// the boost until the recorded kswapd next runs. Preferred nodes are not recorded: requests prefer the node of their
// CPU, those with __GFP_THISNODE the node that served them.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pageyard/yard.h>

#include "trace/event.h"
#include "trace/reader.h"
#include "trace/snapshot.h"

enum {
	REPLAY_ORDERS = YARD_NR_PAGE_ORDERS,
	REPLAY_POLICIES_MAX = 32,
	REPLAY_SAMPLE_EVERY = 1024, // operations between two samples of the unusable free index
};

// What one policy did, or the recorded kernel.
//
// A request that its own type's lists cannot serve takes from another type's. Three classes, from worst to best:
//	pollute  one block of another type is taken, of less than a pageblock: the pageblock is mixed from now on
//	steal    the same with a block of at least a pageblock that keeps its type
//	claim    the pageblock changes its type, so that later requests of this type find their frames together
struct replay_figures {
	uint64_t allocs[REPLAY_ORDERS], failures[REPLAY_ORDERS];
	uint64_t claims, steals, pollutes;
	uint64_t refills, drains; // blocks that went from the buddy lists to per-CPU lists, and back
	bool state;		  // the figures below are known
	uint64_t pageblocks[YARD_MIGRATETYPES];
	uint64_t mixed_blocks; // pageblocks with frames of movable requests and of others in use
	uint64_t free_blocks;  // pageblocks that are free as a whole, in blocks of at least their order
	uint64_t free_pages, pcp_pages;
	uint64_t used_pages;		     // of the snapshot and of requests
	double unusable[REPLAY_ORDERS];	     // unusable free index at the end, 0..1, all zones together
	uint64_t samples;		     // 0: the mean is not known
	double unusable_mean[REPLAY_ORDERS]; // ... mean over the samples
};

struct replay_counts { // of the recorded events
	uint64_t events, requests, frees;
	uint64_t bulk;	    // requests that only a `take` shows
	uint64_t unmatched; // frees of frames that no recorded request allocated
	uint64_t reused;    // blocks that were given out again although their free was never seen
};

struct replay_config {
	const struct snapshot *before; // the state to start from; NULL: `pages` of freshly booted memory
	uint64_t pages;
	unsigned nr_cpus; // only without a snapshot
	bool timed;	  // the file shows no decay of per-CPU sets: the vmstat work runs every second instead
	const struct yard_policy *policy;
	unsigned nr_policies; // up to REPLAY_POLICIES_MAX
};

struct replay;

// Builds the yards. NULL and *error: the snapshot is no state of a machine, or there is no memory. The snapshot must
// outlive the replay.
struct replay *replay_new(const struct replay_config *config, struct trace_error *error);

// The next event in time order. 0, or -1 and *error: the event cannot be ("event N: reason").
int replay_event(struct replay *replay, const struct trace_event *event, struct trace_error *error);

// After the last event, once: carries out what is still waiting and takes the final figures.
int replay_finish(struct replay *replay, struct trace_error *error);

// After replay_finish().
const struct replay_figures *replay_policy_figures(const struct replay *replay, unsigned policy);
const struct replay_counts *replay_counts(const struct replay *replay);
struct yard *replay_yard(const struct replay *replay, unsigned policy);

// The recorded kernel's own figures, from the events and the snapshot taken after them (NULL: none). The mixed blocks
// go by what the frames hold: on LRU lists, or not.
int replay_recorded_figures(const struct replay *replay, const struct snapshot *after, struct replay_figures *figures,
			    struct trace_error *error);

void replay_free(struct replay *replay);

// Cuts "vanilla,linux-7.3,defrag_mode=1" into its policies, in place: a piece with '=' belongs to the name before it.
// Fills up to `max` items and returns how many there are, which may be more.
size_t replay_split_policies(char *text, char **items, size_t max);
