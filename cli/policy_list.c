// SPDX-License-Identifier: Apache-2.0

#include "cli/policy_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/replay.h"

_Static_assert((int)POLICY_LIST_MAX <= (int)REPLAY_POLICIES_MAX, "a replay takes a whole list");

bool policy_list_add(struct policy_list *list, const char *text, char *error, size_t size)
{
	size_t nr, left = POLICY_LIST_MAX - list->nr;
	char reason[256];
	char *copy = left ? strdup(text) : NULL;

	if (left && !copy) {
		snprintf(error, size, "out of memory");
		return false;
	}
	if (left)
		list->text[list->nr_texts++] = copy; // each holds a policy at least
	nr = left ? replay_split_policies(copy, list->name + list->nr, left) : 1;
	if (nr > left) {
		snprintf(error, size, "more than %d policies", POLICY_LIST_MAX);
		return false;
	}
	for (size_t i = 0; i < nr; i++, list->nr++)
		if (yard_policy_parse(list->name[list->nr], &list->policy[list->nr], reason, sizeof(reason))) {
			// Characters are counted from the policy's own beginning.
			snprintf(error, size, "%s%s%s", nr > 1 ? list->name[list->nr] : "", nr > 1 ? ": " : "", reason);
			return false;
		}
	return true;
}

void policy_list_free(struct policy_list *list)
{
	for (unsigned i = 0; i < list->nr_texts; i++)
		free(list->text[i]);
	*list = (struct policy_list){0};
}
