// SPDX-License-Identifier: Apache-2.0
//
// A yard of the sim platform with the memory that it lives in: from a snapshot, or freshly booted.

#pragma once

#include <pageyard/yard.h>

#include "trace/reader.h"
#include "trace/snapshot.h"

struct machine {
	void *memory; // what free() gets; the yard may begin a little later
	size_t size;
	struct yard *yard;
};

// In the state that the snapshot tells. 0, or -1 and *error; then there is nothing to free.
int machine_from_snapshot(struct machine *machine, const struct snapshot *snapshot, const struct yard_policy *policy,
			  struct trace_error *error);

// One node with so many frames as a PC lays them out, as they are just after boot: the first frame is reserved, and
// what does not fit below 3 GiB begins at 4 GiB. 0, or -1 and *error; then there is nothing to free.
int machine_from_pages(struct machine *machine, uint64_t pages, unsigned nr_cpus, const struct yard_policy *policy,
		       struct trace_error *error);

void machine_free(struct machine *machine);

// "512MiB", "64GiB": a number of KiB, MiB, GiB or TiB, as pages. False: it is not one, or not between one pageblock and
// the 16 TiB that a yard can hold; *pages is untouched.
bool machine_parse_size(const char *text, uint64_t *pages);
