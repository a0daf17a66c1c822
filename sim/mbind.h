// SPDX-License-Identifier: Apache-2.0
//
// mbind() of a mapping that has pages already (spec 05 M24). Without flags it is mapping_set_placement().

#pragma once

#include "sim/placement.h"

enum {
	MBIND_MOVE = 1,	  // MPOL_MF_MOVE: pages that the policy wants elsewhere go there
	MBIND_STRICT = 2, // MPOL_MF_STRICT: EIO if pages are left where it does not want them
};

struct mbind_result { // base pages
	uint64_t moved;
	uint64_t left; // in memory, but elsewhere than the policy says, at the end
};

// By the running task. Calls sleep: pages are waited for, and their destinations reclaimed. False: EIO. Without MOVE the
// mapping keeps its old policy then; with it the new one is set and what could be moved has been.
bool mbind_pages(struct simulation *sim, struct memory_object *object, const struct placement *placement, unsigned flags,
		 struct mbind_result *result);
