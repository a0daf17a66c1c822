// SPDX-License-Identifier: Apache-2.0
//
// The message of a broken invariant (verify.c).

#pragma once

#include "engine/internal.h"

struct report {
	struct yard *yard;
	char *text;
	size_t size, length;
	bool broken;
	unsigned base; // first zone or node of this walk
};

// "I4 zone 1: nr_free[0] is 3, its lists hold 4". Only the first is written. Returns false.
bool broken(struct report *report, const char *rule, const char *where, int64_t place, const char *what, int64_t value,
	    const char *but, int64_t other);
