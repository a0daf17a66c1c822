// SPDX-License-Identifier: Apache-2.0
//
// A list of policies as a command line or a file names them.

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <pageyard/policy.h>

enum { POLICY_LIST_MAX = 32 };

struct policy_list {
	char *text[POLICY_LIST_MAX]; // owns what the names are pieces of
	char *name[POLICY_LIST_MAX];
	struct yard_policy policy[POLICY_LIST_MAX];
	unsigned nr_texts, nr;
};

// Adds the policies of "vanilla,linux-7.3,defrag_mode=1". False: one is wrong or too many; the reason is in error[].
bool policy_list_add(struct policy_list *list, const char *text, char *error, size_t size);
void policy_list_free(struct policy_list *list);
